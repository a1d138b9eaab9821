#include "engine/media/sdp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/base/rng.h"

namespace outpace::media {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const char kHead[] = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

std::string WithAudio(absl::string_view rest) { return absl::StrCat(kHead, rest); }
std::string WithConnection(absl::string_view connection) {
  return absl::StrCat("v=0\r\n", connection, "m=audio 4000 RTP/AVP 0\r\n");
}

TEST(Sdp, OfferHasWhatThePhoneNeeds) {
  EXPECT_EQ(
      BuildOffer({.address = {.ip = 0x7f000001, .port = 20000}, .session_id = 7, .version = 2}),
      "v=0\r\no=- 7 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
      "m=audio 20000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
      "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n");
}

TEST(Sdp, OwnOfferParses) {
  const auto remote = ParseSdp(BuildOffer({.address = {.ip = 0xc0000201, .port = 4000}}), {});
  ASSERT_TRUE(remote.ok()) << remote.status();
  EXPECT_EQ(remote->address, (MediaAddress{0xc0000201, 4000}));
  ASSERT_EQ(remote->codecs.size(), 2u);
  EXPECT_EQ(remote->codecs[0].codec, codec::Codec::kPcmu);
  EXPECT_EQ(remote->codecs[1].codec, codec::Codec::kPcma);
  EXPECT_EQ(remote->event_type, 101);
}

struct Good {
  const char* name;
  std::string text;
  MediaAddress address;
  codec::Codec codec;
  uint8_t payload_type;
  uint8_t event_type;
  Direction direction;
};

TEST(Sdp, TakesWhatRealPhonesSay) {
  const MediaAddress session{0xc0000201, 4000};
  const Good cases[] = {
      {"static types without rtpmap", WithAudio("m=audio 4000 RTP/AVP 8 0\r\n"), session,
       codec::Codec::kPcma, 8, 0, Direction::kSendRecv},
      {"first common, G.729 before it", WithAudio("m=audio 4000 RTP/AVP 18 0 8\r\n"), session,
       codec::Codec::kPcmu, 0, 0, Direction::kSendRecv},
      {"media level c= wins",
       WithAudio("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 198.51.100.9\r\n"),
       {0xc6336409, 4000},
       codec::Codec::kPcmu,
       0,
       0,
       Direction::kSendRecv},
      {"c= only at media level", "v=0\r\ns=-\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n",
       session, codec::Codec::kPcmu, 0, 0, Direction::kSendRecv},
      {"bare line feeds", "v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\n", session,
       codec::Codec::kPcmu, 0, 0, Direction::kSendRecv},
      {"event on another type",
       WithAudio("m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\n"), session,
       codec::Codec::kPcmu, 0, 96, Direction::kSendRecv},
      {"names without case",
       WithAudio("m=audio 4000 RTP/AVP 97 98\r\na=rtpmap:97 pcma/8000/1\r\n"
                 "a=rtpmap:98 Telephone-Event/8000\r\n"),
       session, codec::Codec::kPcma, 97, 98, Direction::kSendRecv},
      {"hold by sendonly", WithAudio("m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n"), session,
       codec::Codec::kPcmu, 0, 0, Direction::kSendOnly},
      {"hold at session level", WithAudio("a=inactive\r\nm=audio 4000 RTP/AVP 0\r\n"), session,
       codec::Codec::kPcmu, 0, 0, Direction::kInactive},
      {"media level direction wins",
       WithAudio("a=inactive\r\nm=audio 4000 RTP/AVP 0\r\na=recvonly\r\n"), session,
       codec::Codec::kPcmu, 0, 0, Direction::kRecvOnly},
      {"video refused, audio second",
       WithAudio("m=video 5000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 0\r\n"), session,
       codec::Codec::kPcmu, 0, 0, Direction::kSendRecv},
      {"first audio off, second on", WithAudio("m=audio 0 RTP/AVP 0\r\nm=audio 4000 RTP/AVP 8\r\n"),
       session, codec::Codec::kPcma, 8, 0, Direction::kSendRecv},
      {"two ports named", WithAudio("m=audio 4000/2 RTP/AVP 0\r\n"), session, codec::Codec::kPcmu,
       0, 0, Direction::kSendRecv},
      {"empty last line", WithAudio("m=audio 4000 RTP/AVP 0\r\n\r\n"), session, codec::Codec::kPcmu,
       0, 0, Direction::kSendRecv},
  };
  for (const Good& c : cases) {
    SCOPED_TRACE(c.name);
    const auto remote = ParseSdp(c.text, {});
    ASSERT_TRUE(remote.ok()) << remote.status();
    EXPECT_EQ(remote->address, c.address);
    EXPECT_EQ(remote->codecs.front().codec, c.codec);
    EXPECT_EQ(remote->codecs.front().payload_type, c.payload_type);
    EXPECT_EQ(remote->event_type, c.event_type);
    EXPECT_EQ(remote->direction, c.direction);
  }
}

TEST(Sdp, RefusesWhatCannotBeUsedOrMustNotBe) {
  const std::string long_line = "a=" + std::string(20000, 'x') + "\r\n";
  std::string many_lines;
  for (int i = 0; i < 9; ++i) absl::StrAppend(&many_lines, "m=audio 4000 RTP/AVP 0\r\n");
  std::string many_formats = "m=audio 4000 RTP/AVP";
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&many_formats, " 0");
  const std::pair<const char*, std::string> cases[] = {
      {"empty", ""},
      {"blank lines", "\r\n\r\n"},
      {"not SDP", "hello"},
      {"html", "<html><body>503</body></html>"},
      {"no v=", "o=- 1 1 IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n"},
      {"version 1", absl::StrReplaceAll(WithAudio("m=audio 4000 RTP/AVP 0\r\n"), {{"v=0", "v=1"}})},
      {"no media", kHead},
      {"no connection", "v=0\r\nm=audio 4000 RTP/AVP 0\r\n"},
      {"port 0", WithAudio("m=audio 0 RTP/AVP 0\r\n")},
      {"port 65536", WithAudio("m=audio 65536 RTP/AVP 0\r\n")},
      {"port huge", WithAudio("m=audio 99999999999999999999 RTP/AVP 0\r\n")},
      {"port negative", WithAudio("m=audio -1 RTP/AVP 0\r\n")},
      {"port with plus", WithAudio("m=audio +4000 RTP/AVP 0\r\n")},
      {"port hexadecimal", WithAudio("m=audio 0x40 RTP/AVP 0\r\n")},
      {"port empty before slash", WithAudio("m=audio /2 RTP/AVP 0\r\n")},
      {"m= cut short", WithAudio("m=audio 4000\r\n")},
      {"m= empty", WithAudio("m=\r\n")},
      {"no formats", WithAudio("m=audio 4000 RTP/AVP\r\n")},
      {"only G.729", WithAudio("m=audio 4000 RTP/AVP 18\r\n")},
      {"only telephone events",
       WithAudio("m=audio 4000 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n")},
      {"format 128", WithAudio("m=audio 4000 RTP/AVP 128\r\n")},
      {"0 is not PCMU here", WithAudio("m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 G729/8000\r\n")},
      {"wideband rate", WithAudio("m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMU/16000\r\n")},
      {"encrypted", WithAudio("m=audio 4000 RTP/SAVP 0\r\n")},
      {"not RTP", WithAudio("m=audio 4000 udp 0\r\n")},
      {"video only", WithAudio("m=video 4000 RTP/AVP 0\r\n")},
      {"too many m= lines", WithAudio(many_lines)},
      {"too many formats", WithAudio(many_formats)},
      {"too long", WithAudio(long_line)},
      {"NUL", WithAudio(std::string("m=audio 4000 RTP/AVP 0\0\r\n", 25))},
      {"header smuggled", WithAudio("m=audio 4000 RTP/AVP 0\r\na=x\x0bSubject: y\r\n")},
      {"m= with angle brackets", WithAudio("m=<b> 0 RTP/AVP 0\r\nm=audio 4000 RTP/AVP 0\r\n")},
      {"0.0.0.0", WithConnection("c=IN IP4 0.0.0.0\r\n")},
      {"0.1.2.3", WithConnection("c=IN IP4 0.1.2.3\r\n")},
      {"loopback", WithConnection("c=IN IP4 127.0.0.1\r\n")},
      {"multicast", WithConnection("c=IN IP4 224.2.1.1\r\n")},
      {"multicast with TTL", WithConnection("c=IN IP4 224.2.1.1/127/3\r\n")},
      {"reserved", WithConnection("c=IN IP4 240.0.0.1\r\n")},
      {"broadcast", WithConnection("c=IN IP4 255.255.255.255\r\n")},
      {"name", WithConnection("c=IN IP4 carrier.example\r\n")},
      {"short form", WithConnection("c=IN IP4 10.1\r\n")},
      {"octal", WithConnection("c=IN IP4 0300.0.2.1\r\n")},
      {"number", WithConnection("c=IN IP4 3221225985\r\n")},
      {"256", WithConnection("c=IN IP4 192.0.2.256\r\n")},
      {"IPv6", WithConnection("c=IN IP6 2001:db8::1\r\n")},
      {"ATM", WithConnection("c=ATM NSAP 47\r\n")},
      {"c= empty", WithConnection("c=\r\n")},
      {"c= with more", WithConnection("c=IN IP4 192.0.2.1 x\r\n")},
  };
  for (const auto& [name, text] : cases) {
    const auto remote = ParseSdp(text, {});
    EXPECT_TRUE(absl::IsInvalidArgument(remote.status())) << name << ": " << remote.status();
  }
}

TEST(Sdp, LoopbackOnlyWhereWeAreLoopbackToo) {
  const std::string text = WithConnection("c=IN IP4 127.0.0.1\r\n");
  EXPECT_FALSE(ParseSdp(text, {.allow_loopback = false}).ok());
  EXPECT_TRUE(ParseSdp(text, {.allow_loopback = true}).ok());
}

TEST(Sdp, OldStyleHoldOnlyWhenTheAddressIsKnown) {
  const std::string text = WithConnection("c=IN IP4 0.0.0.0\r\n");
  EXPECT_FALSE(ParseSdp(text, {}).ok());
  const auto held = ParseSdp(text, {.allow_hold_address = true});
  ASSERT_TRUE(held.ok());
  EXPECT_TRUE(held->old_style_hold);
  EXPECT_EQ(held->direction, Direction::kInactive);
}

TEST(Sdp, AnswerMirrorsLinesCodecsAndDirection) {
  const auto remote = ParseSdp(
      WithAudio("m=video 5000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 18 8 96\r\n"
                "a=rtpmap:96 telephone-event/8000\r\na=sendonly\r\nm=text 6000 TCP/X abc\r\n"),
      {});
  ASSERT_TRUE(remote.ok()) << remote.status();
  const std::string answer = BuildAnswer(
      {.address = {0x7f000001, 20002}, .direction = Mirror(remote->direction)}, *remote);
  EXPECT_THAT(answer, HasSubstr("m=video 0 RTP/AVP 31\r\nm=audio 20002 RTP/AVP 8 96\r\n"
                                "a=rtpmap:8 PCMA/8000\r\na=rtpmap:96 telephone-event/8000\r\n"));
  EXPECT_THAT(answer, HasSubstr("a=recvonly\r\nm=text 0 TCP/X abc\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("PCMU")));
}

TEST(Sdp, RepeatedFormatsCountOnce) {
  const auto remote = ParseSdp(WithAudio("m=audio 4000 RTP/AVP 0 0 0 8 8\r\n"), {});
  ASSERT_TRUE(remote.ok());
  EXPECT_EQ(remote->codecs.size(), 2u);
}

// Reliability F26: nothing of this may end anywhere but in a refusal or in a sound description.
TEST(Sdp, CaseF26) {
  const auto audio = [](absl::string_view rest) {
    return ParseSdp(WithAudio(absl::StrCat("m=audio 4000 RTP/AVP ", rest)), {});
  };
  EXPECT_FALSE(audio("4294967296\r\n").ok());
  EXPECT_FALSE(audio("18446744073709551616\r\n").ok());
  const auto overflow = audio("4294967296 8 256 -1");  // and no line end
  ASSERT_TRUE(overflow.ok());
  ASSERT_EQ(overflow->codecs.size(), 1u);
  EXPECT_EQ(overflow->codecs[0].payload_type, 8);
  // An rtpmap beyond all payload types maps nothing.
  EXPECT_FALSE(audio("97\r\na=rtpmap:4294967393 PCMU/8000\r\n").ok());
  std::string thousand_lines;
  for (int i = 0; i < 1000; ++i) thousand_lines += "m=audio 4000 RTP/AVP 0\r\n";
  EXPECT_FALSE(ParseSdp(WithAudio(thousand_lines), {}).ok());
  std::string attributes;
  for (int i = 0; i < 10'000; ++i) attributes += "a=x\r\n";
  EXPECT_FALSE(audio(absl::StrCat("0\r\n", attributes)).ok());
  // As many as fit into the longest description we take are read and forgotten.
  EXPECT_TRUE(audio(absl::StrCat("0\r\n", attributes.substr(0, 5 * 3000))).ok());
  std::string crypto;
  for (int i = 1; i < 300; ++i) {
    absl::StrAppend(&crypto, "a=crypto:", i, " AES_CM_128_HMAC_SHA1_80 inline:",
                    "YUJDZGVmZ2hpSktMbW9QUXJzVHVWd3l6MTIzNDU2\r\n");
  }
  const auto keys =
      ParseSdp(WithAudio(absl::StrCat("m=audio 4000 RTP/SAVP 0\r\n", crypto.substr(0, 15'000))),
               {.security = Security::kMay});
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_LE(keys->crypto.size(), 16u);
}

struct PtimeCase {
  const char* lines;
  int ptime;
  int maxptime;
  int packet;
};

TEST(Sdp, PacketLengthAskedFor) {
  const PtimeCase cases[] = {
      {"", 0, 0, 20},
      {"a=ptime:10\r\n", 10, 0, 10},
      {"a=ptime:20\r\n", 20, 0, 20},
      {"a=ptime:30\r\n", 30, 0, 30},
      {"a=ptime:40\r\n", 40, 0, 40},
      {"a=ptime:60\r\na=maxptime:40\r\n", 60, 40, 40},
      {"a=maxptime:10\r\n", 0, 10, 10},
      {"a=maxptime:150\r\n", 0, 150, 20},
      {"a=ptime:25\r\n", 25, 0, 20},
      {"a=ptime:5\r\n", 5, 0, 10},
      {"a=ptime:200\r\n", 200, 0, 60},
      {"a=ptime:0\r\n", 0, 0, 20},
      {"a=ptime:1000000000\r\n", 0, 0, 20},
      {"a=ptime:-20\r\n", 0, 0, 20},
      {"a=ptime:abc\r\n", 0, 0, 20},
      {"a=ptime\r\n", 0, 0, 20},
  };
  for (const PtimeCase& c : cases) {
    SCOPED_TRACE(c.lines);
    const auto remote =
        ParseSdp(WithAudio(absl::StrCat("m=audio 4000 RTP/AVP 0\r\n", c.lines)), {});
    ASSERT_TRUE(remote.ok()) << remote.status();
    EXPECT_EQ(remote->ptime_ms, c.ptime);
    EXPECT_EQ(remote->maxptime_ms, c.maxptime);
    EXPECT_EQ(PacketMilliseconds(remote->ptime_ms, remote->maxptime_ms), c.packet);
  }
}

TEST(Sdp, WhereReportsGo) {
  const auto port = [](absl::string_view lines, int rtp = 4000) {
    const auto remote =
        ParseSdp(WithAudio(absl::StrCat("m=audio ", rtp, " RTP/AVP 0\r\n", lines)), {});
    EXPECT_TRUE(remote.ok());
    return remote.ok() ? remote->rtcp_port : 1;
  };
  EXPECT_EQ(port(""), 4001);
  EXPECT_EQ(port("", 65535), 0);
  EXPECT_EQ(port("a=rtcp:53020\r\n"), 53020);
  EXPECT_EQ(port("a=rtcp:53020 IN IP4 198.51.100.9\r\n"), 0);  // another host: none
  EXPECT_EQ(port("a=rtcp:99999\r\n"), 0);
  EXPECT_EQ(port("a=rtcp:\r\n"), 0);
}

TEST(Sdp, AddressesOfTheOtherFamilyAndOfNoPhoneAreRefused) {
  const SdpPolicy v6{.ipv6 = true};
  for (const char* ip :
       {"::", "::1", "ff02::1", "ff15::101", "fe80::1", "::ffff:192.0.2.1", "::192.0.2.1",
        "64:ff9b::7f00:1", "2001:db8::1/64", "2001:db8::1%eth0", "carrier.example", "192.0.2.1"}) {
    EXPECT_FALSE(ParseSdp(WithConnection(absl::StrCat("c=IN IP6 ", ip, "\r\n")), v6).ok()) << ip;
  }
  EXPECT_FALSE(ParseSdp(WithConnection("c=IN IP4 192.0.2.1\r\n"), v6).ok());
  EXPECT_FALSE(ParseSdp(WithConnection("c=IN IP4 2001:db8::1\r\n"), v6).ok());
  EXPECT_FALSE(ParseSdp(WithConnection("c=IN IP4 169.254.169.254\r\n"), {}).ok());
  EXPECT_TRUE(
      ParseSdp(WithConnection("c=IN IP4 169.254.1.1\r\n"), {.allow_link_local = true}).ok());
  const auto good = ParseSdp(WithConnection("c=IN IP6 2001:DB8::1\r\n"), v6);
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_EQ(good->address.ip.ToString(), "2001:db8::1");
  EXPECT_THAT(BuildAnswer({.address = {*IpAddress::Parse("2001:db8::2"), 20000}}, *good),
              HasSubstr("c=IN IP6 2001:db8::2\r\n"));
}

TEST(Sdp, ManyNamesOfG711AreBoundedAndTheEventTypeIsStillFound) {
  std::string text = "m=audio 4000 RTP/AVP 0 8";
  for (int type = 96; type < 120; ++type) absl::StrAppend(&text, " ", type);
  text += "\r\n";
  for (int type = 96; type < 119; ++type) {
    absl::StrAppend(&text, "a=rtpmap:", type, " PCMA/8000\r\n");
  }
  text += "a=rtpmap:119 telephone-event/8000\r\n";
  const auto remote = ParseSdp(WithAudio(text), {});
  ASSERT_TRUE(remote.ok());
  EXPECT_EQ(remote->codecs.size(), kCodecsMax);
  EXPECT_EQ(remote->event_type, 119);
}

// Whatever is done to a good description, what comes out is within bounds, and our answer to it
// parses again.
TEST(SdpProperty, DamageIsRefusedOrStaysInBounds) {
  const std::string good =
      absl::StrCat(kHead, "m=video 5000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 18 0 8 101\r\n",
                   "a=rtpmap:101 telephone-event/8000\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n");
  const char* const pieces[] = {
      "\r\n", "m=audio 1 RTP/AVP 0",      "=",        " ",   "99999", "-1", "a=rtpmap:",
      "/",    "c=IN IP4 255.255.255.255", "\xff\xfe", "%n%s"};
  int accepted = 0;
  for (uint64_t seed = 0; seed < 10'000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    std::string text = good;
    for (uint64_t i = 1 + rng.Below(4); i > 0; --i) {
      const size_t at = rng.Below(text.size());
      switch (rng.Below(3)) {
        case 0:
          text[at] = static_cast<char>(rng.Below(256));
          break;
        case 1:
          text.erase(at, 1 + rng.Below(20));
          break;
        default:
          text.insert(at, pieces[rng.Below(std::size(pieces))]);
      }
      if (text.empty()) text = "v";
    }
    const auto remote = ParseSdp(text, {});
    if (!remote.ok()) continue;
    ++accepted;
    ASSERT_FALSE(remote->codecs.empty());
    EXPECT_NE(remote->address.port, 0);
    EXPECT_LT(remote->address.ip.v4() >> 24, 224u);
    EXPECT_FALSE(remote->address.ip.loopback());
    EXPECT_LE(remote->refused_before.size() + remote->refused_after.size(), 8u * 128);
    const auto again = ParseSdp(BuildAnswer({.address = {0xc0000202, 20000}}, *remote), {});
    EXPECT_TRUE(again.ok()) << again.status();
  }
  EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace outpace::media
