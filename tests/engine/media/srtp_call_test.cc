// Legs with RTP/SAVP and keys in the SDP, over real sockets; the far end's SRTP is libsrtp2.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "engine/media/media_server.h"
#include "tests/engine/media/media_fixture.h"
#include "tests/engine/media/srtp_phone.h"

namespace outpace::media {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr call::MediaOptions kSrtp{.srtp = true};

// Octets that count up over the whole test: every key differs, and the test knows them.
MediaConfig CountingKeys() {
  MediaConfig config = TestConfig();
  config.random_bytes = [next = std::make_shared<uint8_t>(0)](absl::Span<uint8_t> out) {
    for (uint8_t& octet : out) octet = (*next)++;
    return true;
  };
  return config;
}

// A phone that speaks SRTP.
struct SrtpPhone {
  FarEnd far;
  std::unique_ptr<LibSrtp> in;
  std::unique_ptr<LibSrtp> out;
  SdesLine own;

  // Its description with one line of SDES.
  std::string Sdp(uint32_t tag, const SrtpKey& key) {
    own = {.tag = tag, .key = key};
    out = std::make_unique<LibSrtp>(key, LibSrtp::Way::kOut);
    return absl::StrReplaceAll(
        far.Sdp("0 101"),
        {{"RTP/AVP", "RTP/SAVP"},
         {"a=sendrecv", absl::StrCat(absl::StripSuffix(SdesText(own), "\r\n"), "\r\na=sendrecv")}});
  }
  // Answers `offer` with the line of `tag`.
  std::string Answer(absl::string_view offer, uint32_t tag, uint8_t first_octet = 200) {
    for (const SdesLine& line : CryptoOf(offer)) {
      if (line.tag != tag) continue;
      in = std::make_unique<LibSrtp>(line.key, LibSrtp::Way::kIn);
      return Sdp(tag, KeyOf(line.key.suite, first_octet));
    }
    ADD_FAILURE() << "no such tag";
    return "";
  }
  std::string Next(absl::string_view payload) {
    const std::string plain = MakeRtp(0, far.seq++, far.timestamp, far.ssrc, payload);
    far.timestamp += 160;
    return plain;
  }
  void Talk(uint16_t port, absl::string_view payload) {
    const auto packet = out->Protect(Next(payload));
    ASSERT_TRUE(packet.has_value());
    far.SendTo(port, *packet);
  }
  std::optional<Heard> Hear() {
    const auto bytes = far.HearBytes();
    if (!bytes.has_value()) return std::nullopt;
    const auto plain = in->Unprotect(*bytes);
    EXPECT_TRUE(plain.has_value()) << "not SRTP under our key";
    if (!plain.has_value()) return std::nullopt;
    return FarEnd::Decode(*plain);
  }
};

// A server with an encrypted lead (leg 1) bridged to an agent in the clear (leg 2).
struct Call {
  explicit Call(uint32_t tag = 1, const MediaConfig& config = CountingKeys()) : media(config) {
    const auto opened = media.plane->Open(Leg(1), kSrtp);
    EXPECT_TRUE(opened.ok()) << opened.status();
    offer = *opened;
    port = AudioPort(offer);
    const absl::Status status = media.plane->SetRemote(Leg(1), lead.Answer(offer, tag));
    EXPECT_TRUE(status.ok()) << status;
    agent_port = media.Connect(Leg(2), agent);
    media.plane->Bridge(Leg(1), Leg(2));
  }
  void ExpectAgentHears(int n) {
    const auto heard = agent.Hear();
    ASSERT_TRUE(heard.has_value());
    EXPECT_EQ(heard->payload, Payload(n));
  }
  void ExpectLeadHears(int n) {
    const auto heard = lead.Hear();
    ASSERT_TRUE(heard.has_value());
    EXPECT_EQ(heard->payload, Payload(n));
  }
  Media media;
  SrtpPhone lead;
  FarEnd agent;
  std::string offer;
  uint16_t port = 0;
  uint16_t agent_port = 0;
};

TEST(SrtpCall, OfferHasThreeSuitesWithAKeyEach) {
  Media media(CountingKeys());
  const auto offer = media.plane->Open(Leg(1), kSrtp);
  ASSERT_TRUE(offer.ok());
  EXPECT_THAT(*offer, HasSubstr(" RTP/SAVP 0 8 101\r\n"));
  const std::vector<SdesLine> lines = CryptoOf(*offer);
  ASSERT_EQ(lines.size(), 3u);
  std::set<std::string> keys;
  for (const SdesLine& line : lines) {
    keys.insert(std::string(line.key.octets.begin(), line.key.octets.begin() + 16));
  }
  EXPECT_EQ(keys.size(), 3u);
  EXPECT_EQ(media.plane->LocalSdp(Leg(1)), *offer);
  const auto other = media.plane->Open(Leg(2), kSrtp);
  ASSERT_TRUE(other.ok());
  EXPECT_FALSE(CryptoOf(*other)[0].key == lines[0].key);
}

TEST(SrtpCall, KeysAreTheSystemsRandomNumbers) {
  Media media(TestConfig());
  const auto a = media.plane->Open(Leg(1), kSrtp);
  const auto b = media.plane->Open(Leg(2), kSrtp);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_FALSE(CryptoOf(*a)[0].key == CryptoOf(*b)[0].key);
}

TEST(SrtpCall, WithoutRandomNumbersNoLegIsOpened) {
  MediaConfig config = TestConfig();
  config.random_bytes = [](absl::Span<uint8_t>) { return false; };
  Media media(config);
  EXPECT_TRUE(absl::IsUnavailable(media.plane->Open(Leg(1), kSrtp).status()));
  EXPECT_EQ(media.plane->FreePorts(), 4u);
  EXPECT_TRUE(media.plane->Open(Leg(1), {}).ok());
}

TEST(SrtpCall, EverySuiteIsHeardBothWays) {
  for (const uint32_t tag : {1u, 2u, 3u}) {
    SCOPED_TRACE(tag);
    Call call(tag);
    for (int i = 0; i < 20; ++i) {
      call.lead.Talk(call.port, Payload(i));
      call.ExpectAgentHears(i);
      call.agent.Talk(call.agent_port, 0, Payload(100 + i));
      call.ExpectLeadHears(100 + i);
    }
    EXPECT_EQ(call.media.server->Stats().dropped_srtp_tag, 0u);
  }
}

TEST(SrtpCall, BothSidesEncrypted) {
  Media media(CountingKeys());
  SrtpPhone a, b;
  uint16_t ports[2];
  SrtpPhone* const phones[] = {&a, &b};
  for (uint32_t i = 0; i < 2; ++i) {
    const auto offer = media.plane->Open(Leg(i + 1), kSrtp);
    ASSERT_TRUE(offer.ok());
    ports[i] = AudioPort(*offer);
    ASSERT_TRUE(
        media.plane
            ->SetRemote(Leg(i + 1), phones[i]->Answer(*offer, i + 1, static_cast<uint8_t>(50 * i)))
            .ok());
  }
  media.plane->Bridge(Leg(1), Leg(2));
  a.Talk(ports[0], Payload(1));
  EXPECT_EQ(b.Hear()->payload, Payload(1));
  b.Talk(ports[1], Payload(2));
  EXPECT_EQ(a.Hear()->payload, Payload(2));
}

TEST(SrtpCall, AnswersThatDoNotFitAreRefused) {
  Media media(CountingKeys());
  SrtpPhone phone;
  const auto offer = media.plane->Open(Leg(1), kSrtp);
  ASSERT_TRUE(offer.ok());
  const std::string good = phone.Answer(*offer, 1);
  const std::string key = SdesText(phone.own);
  const std::pair<const char*, std::string> cases[] = {
      {"in the clear", phone.far.Sdp("0 101")},
      {"in the clear with a key", absl::StrReplaceAll(good, {{"RTP/SAVP", "RTP/AVP"}})},
      {"no key", absl::StrReplaceAll(good, {{key, ""}})},
      {"tag 9", absl::StrReplaceAll(good, {{"crypto:1 ", "crypto:9 "}})},
      {"tag 0", absl::StrReplaceAll(good, {{"crypto:1 ", "crypto:0 "}})},
      {"tag of another suite", absl::StrReplaceAll(good, {{"crypto:1 ", "crypto:3 "}})},
      {"unknown suite",
       absl::StrReplaceAll(good, {{"AES_CM_128_HMAC_SHA1_80", "F8_128_HMAC_SHA1_80"}})},
      {"short key", absl::StrReplaceAll(good, {{"inline:", "inline:AA"}})},
      {"not base64", absl::StrReplaceAll(good, {{"inline:y", "inline:!"}})},
      {"not inline", absl::StrReplaceAll(good, {{"inline:", "outline:"}})},
      {"unencrypted", absl::StrReplaceAll(good, {{key, absl::StrCat(absl::StripSuffix(key, "\r\n"),
                                                                    " UNENCRYPTED_SRTP\r\n")}})},
      {"unauthenticated",
       absl::StrReplaceAll(good, {{key, absl::StrCat(absl::StripSuffix(key, "\r\n"),
                                                     " UNAUTHENTICATED_SRTP\r\n")}})},
      {"key derivation rate",
       absl::StrReplaceAll(good,
                           {{key, absl::StrCat(absl::StripSuffix(key, "\r\n"), " KDR=1\r\n")}})},
      {"feedback profile", absl::StrReplaceAll(good, {{"RTP/SAVP", "RTP/SAVPF"}})},
      {"DTLS", absl::StrReplaceAll(good, {{"RTP/SAVP", "UDP/TLS/RTP/SAVP"}})},
  };
  for (const auto& [name, text] : cases) {
    const absl::Status status = media.plane->SetRemote(Leg(1), text);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << name;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("inline"))) << name;
  }
  EXPECT_TRUE(media.plane->SetRemote(Leg(1), good).ok());
}

TEST(SrtpCall, LifetimeAndWindowHintAreTaken) {
  Media media(CountingKeys());
  SrtpPhone phone;
  const auto offer = media.plane->Open(Leg(1), kSrtp);
  ASSERT_TRUE(offer.ok());
  const std::string key = SdesText(phone.own);
  const std::string good = phone.Answer(*offer, 1);
  const std::string line(absl::StripSuffix(SdesText(phone.own), "\r\n"));
  for (const char* more : {"|2^31", "|1048576", " WSH=128", "|2^20 -X=1", "|2^31|1:4", "|1:1"}) {
    EXPECT_TRUE(
        media.plane
            ->SetRemote(Leg(1), absl::StrReplaceAll(good, {{line, absl::StrCat(line, more)}}))
            .ok())
        << more;
  }
}

TEST(SrtpCall, APlainOfferTakesNoEncryptedAnswer) {
  Media media(CountingKeys());
  SrtpPhone phone;
  ASSERT_TRUE(media.plane->Open(Leg(1), {}).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(
      media.plane->SetRemote(Leg(1), phone.Sdp(1, KeyOf(SrtpSuite::kAesCm128Sha1_80, 1)))));
}

TEST(SrtpCall, AnOfferIsAnsweredInKind) {
  for (const bool srtp : {false, true}) {
    Media media(CountingKeys());
    SrtpPhone phone;
    FarEnd agent;
    ASSERT_TRUE(media.plane->Open(Leg(1), {.srtp = srtp, .far_end_offers = true}).ok());
    // Its second line is one we know; the tags are its own.
    std::string offer = phone.Sdp(42, KeyOf(SrtpSuite::kAesCm256Sha1_80, 99));
    offer = absl::StrReplaceAll(
        offer, {{"a=crypto:42", "a=crypto:41 AEAD_AES_128_GCM inline:AAAA\r\na=crypto:42"}});
    ASSERT_TRUE(media.plane->SetRemote(Leg(1), offer).ok());
    const std::string answer = media.plane->LocalSdp(Leg(1));
    EXPECT_THAT(answer, HasSubstr("RTP/SAVP 0 101\r\n"));
    const std::vector<SdesLine> lines = CryptoOf(answer);
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0].tag, 42u);
    EXPECT_EQ(lines[0].key.suite, SrtpSuite::kAesCm256Sha1_80);
    EXPECT_FALSE(lines[0].key == phone.own.key);
    phone.in = std::make_unique<LibSrtp>(lines[0].key, LibSrtp::Way::kIn);
    const uint16_t agent_port = media.Connect(Leg(2), agent);
    media.plane->Bridge(Leg(1), Leg(2));
    phone.Talk(AudioPort(answer), Payload(1));
    EXPECT_EQ(agent.Hear()->payload, Payload(1));
    agent.Talk(agent_port, 0, Payload(2));
    EXPECT_EQ(phone.Hear()->payload, Payload(2));
    // Asked again without a change, nothing changes.
    ASSERT_TRUE(media.plane->SetRemote(Leg(1), offer).ok());
    EXPECT_EQ(media.plane->LocalSdp(Leg(1)), answer);
    phone.Talk(AudioPort(answer), Payload(3));
    EXPECT_EQ(agent.Hear()->payload, Payload(3));
  }
}

TEST(SrtpCall, OfTwoAudioLinesTheEncryptedOneIsTaken) {
  Media media(CountingKeys());
  SrtpPhone phone;
  ASSERT_TRUE(media.plane->Open(Leg(1), {.far_end_offers = true}).ok());
  const std::string offer = absl::StrReplaceAll(phone.Sdp(1, KeyOf(SrtpSuite::kAesCm128Sha1_80, 9)),
                                                {{"m=audio", "m=audio 4000 RTP/AVP 0\r\nm=audio"}});
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), offer).ok());
  EXPECT_THAT(media.plane->LocalSdp(Leg(1)),
              testing::ContainsRegex("m=audio 0 RTP/AVP 0\r\nm=audio [0-9]+ RTP/SAVP 0 101\r\n"));
}

TEST(SrtpCall, AReinviteNeverLeadsBackIntoTheClear) {
  Call call;
  call.lead.Talk(call.port, Payload(1));
  call.ExpectAgentHears(1);
  EXPECT_TRUE(
      absl::IsInvalidArgument(call.media.plane->SetRemote(Leg(1), call.lead.far.Sdp("0 101"))));
  // And RTP in the clear, though from the right address, is not heard.
  call.lead.far.Talk(call.port, 0, Payload(2));
  ASSERT_TRUE(call.media.WaitFor([](const MediaStats& s) { return s.dropped_srtp_tag == 1; }));
  call.lead.Talk(call.port, Payload(3));
  call.ExpectAgentHears(3);
}

TEST(SrtpCall, RepeatedDescriptionKeepsTheReplayWindow) {
  Call call;
  const auto packet = call.lead.out->Protect(call.lead.Next(Payload(1)));
  call.lead.far.SendTo(call.port, *packet);
  call.ExpectAgentHears(1);
  const std::string same =
      absl::StrReplaceAll(call.lead.far.Sdp("0 101"),
                          {{"RTP/AVP", "RTP/SAVP"}, {"a=sendrecv\r\n", SdesText(call.lead.own)}});
  ASSERT_TRUE(call.media.plane->SetRemote(Leg(1), same).ok());
  EXPECT_EQ(CryptoOf(call.media.plane->LocalSdp(Leg(1))).size(), 1u);
  call.lead.far.SendTo(call.port, *packet);
  ASSERT_TRUE(call.media.WaitFor([](const MediaStats& s) { return s.dropped_srtp_replay == 1; }));
  call.lead.Talk(call.port, Payload(2));
  call.ExpectAgentHears(2);
  call.agent.Talk(call.agent_port, 0, Payload(3));
  call.ExpectLeadHears(3);
}

TEST(SrtpCall, NewKeysInAReinvite) {
  Call call;
  call.lead.Talk(call.port, Payload(1));
  call.ExpectAgentHears(1);
  // Under the old key, sent before the re-INVITE and again after it.
  const auto late = call.lead.out->Protect(call.lead.Next(Payload(2)));
  const auto too_late = call.lead.out->Protect(call.lead.Next(Payload(3)));
  const SdesLine ours = CryptoOf(call.media.plane->LocalSdp(Leg(1)))[0];
  ASSERT_TRUE(
      call.media.plane->SetRemote(Leg(1), call.lead.Sdp(1, KeyOf(SrtpSuite::kAesCm128Sha1_80, 111)))
          .ok());
  EXPECT_TRUE(CryptoOf(call.media.plane->LocalSdp(Leg(1)))[0].key == ours.key);
  call.lead.far.SendTo(call.port, *late);
  call.ExpectAgentHears(2);
  call.lead.Talk(call.port, Payload(4));
  call.ExpectAgentHears(4);
  call.lead.far.SendTo(call.port, *too_late);  // the first packet under the new key ended the old
  ASSERT_TRUE(call.media.WaitFor([](const MediaStats& s) { return s.dropped_srtp_tag == 1; }));
  call.agent.Talk(call.agent_port, 0, Payload(5));
  call.ExpectLeadHears(5);  // our own key went on, and so did its roll-over
}

TEST(SrtpCall, AnotherSuiteInAReinvite) {
  Call call;
  call.lead.Talk(call.port, Payload(1));
  call.ExpectAgentHears(1);
  ASSERT_TRUE(
      call.media.plane->SetRemote(Leg(1), call.lead.Sdp(7, KeyOf(SrtpSuite::kAesCm128Sha1_32, 111)))
          .ok());
  const std::vector<SdesLine> ours = CryptoOf(call.media.plane->LocalSdp(Leg(1)));
  ASSERT_EQ(ours.size(), 1u);
  EXPECT_EQ(ours[0].tag, 7u);
  EXPECT_EQ(ours[0].key.suite, SrtpSuite::kAesCm128Sha1_32);
  call.lead.in = std::make_unique<LibSrtp>(ours[0].key, LibSrtp::Way::kIn);
  call.lead.Talk(call.port, Payload(2));
  call.ExpectAgentHears(2);
  call.agent.Talk(call.agent_port, 0, Payload(3));
  call.ExpectLeadHears(3);
}

// Two branches of a forked call answer one offer, each with a line of its choice.
TEST(SrtpCall, AnotherBranchMayTakeAnotherLine) {
  Call call(1);
  ASSERT_TRUE(call.media.plane->SetRemote(Leg(1), call.lead.Answer(call.offer, 2, 77)).ok());
  call.lead.Talk(call.port, Payload(1));
  call.ExpectAgentHears(1);
  call.agent.Talk(call.agent_port, 0, Payload(2));
  call.ExpectLeadHears(2);
}

// And back: under the first branch's key the index goes on, with its roll-over count, though the
// sequence number went round in between. Starting anew would encrypt two packets alike.
TEST(SrtpCall, BackToAnEarlierKeyTheIndexGoesOn) {
  Call call(1);
  const std::string first = call.lead.Sdp(1, KeyOf(SrtpSuite::kAesCm128Sha1_80, 200));
  ASSERT_TRUE(call.media.plane->SetRemote(Leg(1), first).ok());
  const auto speak_until = [&](const std::function<bool(uint16_t)>& done) {
    for (int i = 0; i < 60; ++i) {
      call.agent.seq = static_cast<uint16_t>(call.agent.seq + 2500);  // as if the rest were lost
      call.agent.Talk(call.agent_port, 0, Payload(i));
      const auto heard = call.lead.Hear();
      if (!heard.has_value() || heard->payload != Payload(i)) return false;
      if (done(heard->seq)) return true;
    }
    return false;
  };
  ASSERT_TRUE(speak_until([](uint16_t seq) { return seq > 40'000; }));
  std::unique_ptr<LibSrtp> first_in = std::move(call.lead.in);
  ASSERT_TRUE(call.media.plane->SetRemote(Leg(1), call.lead.Answer(call.offer, 2, 77)).ok());
  ASSERT_TRUE(speak_until([](uint16_t seq) { return seq < 10'000; }));
  ASSERT_TRUE(call.media.plane->SetRemote(Leg(1), first).ok());
  call.lead.in = std::move(first_in);
  EXPECT_TRUE(speak_until([](uint16_t) { return true; }));
}

TEST(SrtpCall, ANewOfferOfOursIsAnsweredByOneOfItsLines) {
  Call call(2);
  const std::string offer = call.media.plane->Offer(Leg(1));
  EXPECT_EQ(CryptoOf(offer).size(), 3u);
  EXPECT_TRUE(absl::IsInvalidArgument(call.media.plane->SetRemote(
      Leg(1), call.lead.Sdp(9, KeyOf(SrtpSuite::kAesCm128Sha1_80, 1)))));
  ASSERT_TRUE(call.media.plane->SetRemote(Leg(1), call.lead.Answer(offer, 3)).ok());
  call.lead.Talk(call.port, Payload(1));
  call.ExpectAgentHears(1);
  call.agent.Talk(call.agent_port, 0, Payload(2));
  call.ExpectLeadHears(2);
}

TEST(SrtpCall, SequenceNumbersRollOverInBothDirections) {
  Call call;
  call.lead.far.seq = 65'500;
  int rounds = 0;
  std::optional<Heard> last;
  for (int i = 0; i < 100; ++i) {
    call.lead.Talk(call.port, Payload(i));
    call.ExpectAgentHears(i);
    // Ours starts anywhere: go round by what looks like loss.
    call.agent.seq = static_cast<uint16_t>(call.agent.seq + 2500);
    call.agent.Talk(call.agent_port, 0, Payload(i));
    const auto heard = call.lead.Hear();
    ASSERT_TRUE(heard.has_value()) << i;
    EXPECT_EQ(heard->payload, Payload(i));
    if (last.has_value() && heard->seq < last->seq) ++rounds;
    last = heard;
  }
  EXPECT_GE(rounds, 3);
}

TEST(SrtpCall, ANewSourceUnderTheSameKeyIsHeard) {
  Call call;
  call.lead.Talk(call.port, Payload(1));
  call.ExpectAgentHears(1);
  call.lead.far.ssrc = 0x99;
  call.lead.far.seq = 7;
  call.lead.Talk(call.port, Payload(2));
  call.ExpectAgentHears(2);
}

// CVE-2021-41105: packets with bad tags ended calls elsewhere.
TEST(SrtpCall, AFloodOfForgedPacketsIsCountedAndTheCallGoesOn) {
  Call call;
  uint64_t sent = 0;
  for (int i = 0; i < 10; ++i) {
    for (int k = 0; k < 50; ++k, ++sent) {  // no more at once than the kernel's queue holds
      const auto seq = static_cast<uint16_t>(sent);
      call.lead.far.SendTo(call.port, MakeRtp(0, seq, 0, call.lead.far.ssrc, Payload(k)));
    }
    ASSERT_TRUE(
        call.media.WaitFor([&](const MediaStats& s) { return s.dropped_srtp_tag == sent; }));
  }
  call.lead.far.SendTo(call.port, "\x80");
  ASSERT_TRUE(call.media.WaitFor([](const MediaStats& s) { return s.dropped_srtp_tag == 501; }));
  EXPECT_TRUE(call.media.events.media_lost.empty());
  call.lead.Talk(call.port, Payload(1));
  call.ExpectAgentHears(1);  // the first thing the agent hears
}

TEST(SrtpCall, ForgedPacketsAreNoSignOfLife) {
  MediaConfig config = CountingKeys();
  config.dead_call_time = absl::Milliseconds(50);
  Call call(1, config);
  ASSERT_TRUE(call.media.loop.RunUntil([&] {
    call.lead.far.Talk(call.port, 0, Payload(1));
    return !call.media.events.media_lost.empty();
  }));
  EXPECT_TRUE(call.media.events.first_media.empty());
}

TEST(SrtpCall, APacketThatOvertakesTheAnswerIsHeard) {
  Media media(CountingKeys());
  SrtpPhone lead;
  FarEnd agent;
  const auto offer = media.plane->Open(Leg(1), kSrtp);
  ASSERT_TRUE(offer.ok());
  media.Connect(Leg(2), agent);
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.legs == 2; }));
  const std::string answer = lead.Answer(*offer, 1);
  lead.Talk(AudioPort(*offer), Payload(1));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.packets_in == 1; }));
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), answer).ok());
  media.plane->Bridge(Leg(1), Leg(2));
  const auto heard = agent.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->payload, Payload(1));
}

TEST(SrtpCall, PromptsAreEncryptedToo) {
  Media media(CountingKeys());
  SrtpPhone lead;
  const auto offer = media.plane->Open(Leg(1), kSrtp);
  ASSERT_TRUE(offer.ok());
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), lead.Answer(*offer, 3)).ok());
  media.plane->Play(Leg(1), call::Prompt::kSilence);
  const auto heard = lead.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->payload, std::string(160, '\xff'));
}

TEST(SrtpCall, ReportsAreEncryptedToo) {
  MediaConfig config = CountingKeys();
  config.rtcp = RtcpMode::kMux;
  config.rtcp_interval = absl::Milliseconds(40);
  Media media(config);
  SrtpPhone lead;
  FarEnd agent;
  const auto offer = media.plane->Open(Leg(1), kSrtp);
  ASSERT_TRUE(offer.ok());
  ASSERT_TRUE(
      media.plane->SetRemote(Leg(1), absl::StrCat(lead.Answer(*offer, 1), "a=rtcp-mux\r\n")).ok());
  const uint16_t agent_port = media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  const MonoTime start = media.clock.Mono();
  while (media.clock.Mono() - start < absl::Seconds(20)) {
    agent.Talk(agent_port, 0, Payload(1));
    const auto bytes = lead.far.HearBytes();
    ASSERT_TRUE(bytes.has_value());
    const auto type = static_cast<uint8_t>((*bytes)[1]);
    if (type != 200) continue;
    const auto report = lead.in->UnprotectReport(*bytes);
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(bytes->size(), report->size() + 14);
    return;
  }
  FAIL() << "no sender report";
}

TEST(Sdes, TracesShowNoKey) {
  Media media(TestConfig());
  const auto offer = media.plane->Open(Leg(1), kSrtp);
  ASSERT_TRUE(offer.ok());
  const std::string shown = RedactKeys(absl::StrCat("INVITE sip:x SIP/2.0\r\n\r\n", *offer));
  for (const SdesLine& line : CryptoOf(*offer)) {
    const std::string text = SdesText(line);
    const std::string key = text.substr(text.find("inline:") + 7, 40);
    EXPECT_THAT(*offer, HasSubstr(key));
    EXPECT_THAT(shown, Not(HasSubstr(key)));
  }
  EXPECT_THAT(shown, HasSubstr("a=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:***\r\n"));
  EXPECT_EQ(RedactKeys("a=crypto:1 X INLINE:abc|2^31;inline:def WSH=1"),
            "a=crypto:1 X INLINE:***|2^31;inline:*** WSH=1");
  EXPECT_EQ(RedactKeys("inline:"), "inline:***");
  EXPECT_EQ(RedactKeys(""), "");
}

}  // namespace
}  // namespace outpace::media
