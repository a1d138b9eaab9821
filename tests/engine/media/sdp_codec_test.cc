#include "engine/media/sdp_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/media/sdp.h"

namespace outpace::media {
namespace {

using codec::Codec;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const CodecList kEvery = {Codec::kOpus, Codec::kG722, Codec::kPcma, Codec::kPcmu};
const char kHead[] = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

LocalMedia Ours(const CodecList& codecs, bool comfort_noise = false) {
  LocalMedia local;
  local.address = {.ip = 0xc0000202, .port = 20000};
  local.codecs = codecs;
  local.comfort_noise = comfort_noise;
  return local;
}

absl::StatusOr<RemoteMedia> Parse(absl::string_view audio, const CodecList& codecs = kEvery) {
  SdpPolicy policy;
  policy.codecs = codecs;
  return ParseSdp(absl::StrCat(kHead, "m=audio 4000 RTP/AVP ", audio), policy);
}

std::vector<Codec> CodecsOf(const RemoteMedia& remote) {
  std::vector<Codec> out;
  for (const SdpCodec& codec : remote.codecs) out.push_back(codec.codec);
  return out;
}

// The description of a browser, as RFC 7587 7 and RFC 7874 3 have it.
constexpr char kBrowser[] =
    "111 9 0 8 13 110 126\r\na=rtpmap:111 opus/48000/2\r\n"
    "a=fmtp:111 minptime=10;useinbandfec=1;maxaveragebitrate=20000;stereo=1\r\n"
    "a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:13 CN/8000\r\na=rtpmap:110 telephone-event/48000\r\n"
    "a=rtpmap:126 telephone-event/8000\r\n";

TEST(SdpCodec, OffersAreMadeOfTheListInItsOrder) {
  const std::string offer = BuildOffer(Ours(kEvery));
  EXPECT_THAT(offer, HasSubstr("m=audio 20000 RTP/AVP 111 9 8 0 101 110\r\n"
                               "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n"
                               "a=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\n"
                               "a=rtpmap:0 PCMU/8000\r\n"
                               "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
                               "a=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-15\r\n"
                               "a=ptime:20\r\n"));
  EXPECT_THAT(BuildOffer(Ours({Codec::kG722})), HasSubstr(" RTP/AVP 9 101\r\n"));
  EXPECT_THAT(BuildOffer(Ours({Codec::kOpus})), HasSubstr(" RTP/AVP 111 110\r\n"));
  EXPECT_THAT(BuildOffer(Ours({Codec::kPcmu}, true)),
              HasSubstr(" RTP/AVP 0 13 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:13 CN/8000\r\n"));
}

TEST(SdpCodec, OwnOffersParse) {
  const auto remote = ParseSdp(BuildOffer(Ours(kEvery, true)), {.codecs = kEvery});
  ASSERT_TRUE(remote.ok()) << remote.status();
  EXPECT_EQ(CodecsOf(*remote), std::vector<Codec>(kEvery.begin(), kEvery.end()));
  EXPECT_TRUE(remote->codecs[0].fec);
  EXPECT_EQ(remote->codecs[0].payload_type, kOurOpusType);
  EXPECT_TRUE(remote->comfort_noise);
}

TEST(SdpCodec, TakesABrowsersOffer) {
  const auto remote = Parse(kBrowser);
  ASSERT_TRUE(remote.ok()) << remote.status();
  EXPECT_THAT(CodecsOf(*remote),
              ElementsAre(Codec::kOpus, Codec::kG722, Codec::kPcmu, Codec::kPcma));
  EXPECT_TRUE(remote->codecs[0].fec);
  EXPECT_EQ(remote->codecs[0].bitrate_max, 20'000);
  EXPECT_EQ(remote->event_type, 110);
  EXPECT_EQ(remote->event_rate, 48000);
  EXPECT_TRUE(remote->comfort_noise);
  const std::string answer = BuildAnswer(Ours(kEvery), *remote);
  EXPECT_THAT(answer, HasSubstr("m=audio 20000 RTP/AVP 111 9 0 8 110 126\r\n"));
  EXPECT_THAT(answer, HasSubstr("a=fmtp:111 useinbandfec=1\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("CN/8000")));
  EXPECT_THAT(BuildAnswer(Ours(kEvery, true), *remote), HasSubstr(" 8 13 110 126\r\n"));
}

// A leg that knows G.711 only, as ever, answers with that and the events on its clock.
TEST(SdpCodec, OnlyWhatIsConfiguredIsTaken) {
  const auto remote = Parse(kBrowser, DefaultCodecs());
  ASSERT_TRUE(remote.ok()) << remote.status();
  EXPECT_THAT(CodecsOf(*remote), ElementsAre(Codec::kPcmu, Codec::kPcma));
  EXPECT_EQ(remote->event_type, 126);
  EXPECT_EQ(remote->event_rate, 8000);
  EXPECT_THAT(BuildAnswer(Ours(DefaultCodecs()), *remote),
              HasSubstr("m=audio 20000 RTP/AVP 0 8 126\r\na=rtpmap:0 PCMU/8000\r\n"));
  EXPECT_FALSE(Parse("111\r\na=rtpmap:111 opus/48000/2\r\n", DefaultCodecs()).ok());
  EXPECT_FALSE(Parse("9\r\n", DefaultCodecs()).ok());
  EXPECT_FALSE(Parse("0 8\r\n", {Codec::kG722}).ok());
}

TEST(SdpCodec, EventsRunOnTheClockOfTheAudio) {
  struct Case {
    const char* name;
    const char* audio;
    int type;
    int rate;
  };
  const char kOpus[] = "a=rtpmap:96 opus/48000/2\r\n";
  const char kNarrow[] = "a=rtpmap:101 telephone-event/8000\r\n";
  const char kWide[] = "a=rtpmap:102 telephone-event/48000\r\n";
  const std::string both = absl::StrCat(kOpus, kNarrow, kWide);
  for (const Case& c : {Case{"Opus first", "96 0 101 102\r\n", 102, 48000},
                        Case{"Opus second", "0 96 101 102\r\n", 101, 8000},
                        Case{"only the other clock", "96 101\r\n", 101, 8000},
                        Case{"G.722 has the clock of 8000", "9 102 101\r\n", 101, 8000},
                        Case{"none", "96 0\r\n", 0, 8000}}) {
    SCOPED_TRACE(c.name);
    const auto remote = Parse(absl::StrCat(c.audio, both));
    ASSERT_TRUE(remote.ok()) << remote.status();
    EXPECT_EQ(remote->event_type, c.type);
    EXPECT_EQ(remote->event_rate, c.rate);
    const std::string answer = BuildAnswer(Ours(kEvery), *remote);
    const std::string said = absl::StrCat("telephone-event/", c.rate);
    EXPECT_EQ(absl::StrContains(answer, said), c.type != 0);
  }
  // Events of a clock that no codec has are not answered.
  const auto narrow = Parse(absl::StrCat("0 101 102\r\n", both));
  EXPECT_THAT(BuildAnswer(Ours(kEvery), *narrow), Not(HasSubstr("telephone-event/48000")));
}

TEST(SdpCodec, NamesAndNumbersAsTheyCome) {
  struct Case {
    const char* name;
    const char* audio;
    Codec codec;
    int type;
  };
  for (const Case& c :
       {Case{"G.722 without rtpmap", "9\r\n", Codec::kG722, 9},
        Case{"G.722 under a dynamic type", "97\r\na=rtpmap:97 g722/8000\r\n", Codec::kG722, 97},
        Case{"Opus in capitals", "98\r\na=rtpmap:98 OPUS/48000/2\r\n", Codec::kOpus, 98},
        Case{"fmtp before rtpmap", "98\r\na=fmtp:98 useinbandfec=1\r\na=rtpmap:98 opus/48000/2\r\n",
             Codec::kOpus, 98},
        Case{"unknown before it", "18 3 4 9\r\n", Codec::kG722, 9}}) {
    SCOPED_TRACE(c.name);
    const auto remote = Parse(c.audio);
    ASSERT_TRUE(remote.ok()) << remote.status();
    EXPECT_EQ(remote->codecs.front().codec, c.codec);
    EXPECT_EQ(remote->codecs.front().payload_type, c.type);
  }
  for (const char* audio :
       {"98\r\na=rtpmap:98 opus/48000\r\n", "98\r\na=rtpmap:98 opus/48000/1\r\n",
        "98\r\na=rtpmap:98 opus/16000/2\r\n", "97\r\na=rtpmap:97 G722/16000\r\n",
        "9\r\na=rtpmap:9 G729/8000\r\n", "13\r\n", "13\r\na=rtpmap:13 CN/8000\r\n"}) {
    EXPECT_FALSE(Parse(audio).ok()) << audio;
  }
}

TEST(SdpCodec, ParametersOfOpus) {
  struct Case {
    const char* fmtp;
    bool fec;
    int bitrate;
  };
  for (const Case& c :
       {Case{"useinbandfec=1", true, 0}, Case{"useinbandfec=0", false, 0},
        Case{"useinbandfec=01", true, 0}, Case{"useinbandfec=2", false, 0},
        Case{"useinbandfec", false, 0},
        Case{" useinbandfec = 1 ; maxaveragebitrate = 16000 ", true, 16'000},
        Case{"stereo=1;sprop-stereo=1;maxaveragebitrate=1", false, 6'000},
        Case{"maxaveragebitrate=999999", false, 510'000},
        Case{"maxaveragebitrate=9999999999999", false, 0}, Case{"maxaveragebitrate=-1", false, 0},
        Case{";;;=;=1;useinbandfec==1", false, 0}, Case{"", false, 0}}) {
    SCOPED_TRACE(c.fmtp);
    const auto remote =
        Parse(absl::StrCat("98\r\na=rtpmap:98 opus/48000/2\r\na=fmtp:98 ", c.fmtp, "\r\n"));
    ASSERT_TRUE(remote.ok()) << remote.status();
    EXPECT_EQ(remote->codecs[0].fec, c.fec);
    EXPECT_EQ(remote->codecs[0].bitrate_max, c.bitrate);
  }
  // Those of another type are not Opus's.
  const auto other = Parse("98\r\na=rtpmap:98 opus/48000/2\r\na=fmtp:97 useinbandfec=1\r\n");
  EXPECT_FALSE(other->codecs[0].fec);
}

TEST(SdpCodec, AudioOnOurKeyPressNumberIsNotTaken) {
  EXPECT_FALSE(Parse("101\r\na=rtpmap:101 opus/48000/2\r\n").ok());
  const auto remote = Parse("101 0\r\na=rtpmap:101 opus/48000/2\r\n");
  ASSERT_TRUE(remote.ok());
  EXPECT_THAT(CodecsOf(*remote), ElementsAre(Codec::kPcmu));
}

TEST(SdpCodec, WhatATypeStandsFor) {
  // The far end calls Opus 96, PCMA 110 and takes no more.
  const SdpCodec theirs[] = {{.codec = Codec::kOpus, .payload_type = 96},
                             {.codec = Codec::kPcma, .payload_type = 110}};
  EXPECT_EQ(CodecOfType(theirs, kEvery, 96), Codec::kOpus);
  EXPECT_EQ(CodecOfType(theirs, kEvery, 110), Codec::kPcma);  // its own number before ours
  EXPECT_EQ(CodecOfType(theirs, kEvery, kOurOpusType), Codec::kOpus);
  EXPECT_EQ(CodecOfType(theirs, kEvery, 0), Codec::kPcmu);
  EXPECT_EQ(CodecOfType(theirs, kEvery, 9), Codec::kG722);
  EXPECT_EQ(CodecOfType(theirs, DefaultCodecs(), 9), std::nullopt);
  EXPECT_EQ(CodecOfType(theirs, DefaultCodecs(), kOurOpusType), std::nullopt);
  EXPECT_EQ(CodecOfType(theirs, kEvery, kOurEventType), std::nullopt);
  EXPECT_EQ(CodecOfType(theirs, kEvery, 97), std::nullopt);
}

TEST(SdpCodec, OpusPacketsHaveALengthThatOpusHas) {
  for (int ptime = 0; ptime <= 200; ++ptime) {
    for (const int maxptime : {0, 10, 20, 30, 50, 120}) {
      EXPECT_THAT(PacketMilliseconds(Codec::kOpus, ptime, maxptime),
                  ::testing::AnyOf(10, 20, 40, 60));
      EXPECT_EQ(PacketMilliseconds(Codec::kG722, ptime, maxptime),
                PacketMilliseconds(ptime, maxptime));
    }
  }
  EXPECT_EQ(PacketMilliseconds(Codec::kOpus, 30, 0), 20);
  EXPECT_EQ(PacketMilliseconds(Codec::kOpus, 10, 0), 10);
}

// Whatever the list, an answer to our own offer that takes all of it is in our order, and the
// far end's order is kept where it differs.
TEST(SdpCodec, AnswersKeepTheFarEndsOrder) {
  const auto remote =
      ParseSdp(BuildOffer(Ours({Codec::kPcmu, Codec::kOpus, Codec::kPcma})), {.codecs = kEvery});
  ASSERT_TRUE(remote.ok());
  EXPECT_THAT(CodecsOf(*remote), ElementsAre(Codec::kPcmu, Codec::kOpus, Codec::kPcma));
  EXPECT_THAT(BuildAnswer(Ours(kEvery), *remote), HasSubstr(" RTP/AVP 0 111 8 101 110\r\n"));
}

}  // namespace
}  // namespace outpace::media
