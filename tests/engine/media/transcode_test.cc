// Legs of different codecs: what one says in G.711 the other hears in G.722 or Opus, and back.

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/codec/codec.h"
#include "tests/engine/media/fake_tap.h"
#include "tests/engine/media/media_fixture.h"

namespace outpace::media {
namespace {

using codec::Codec;

// A phone that speaks `codec` in packets of `ms`, 8 kHz inside.
struct Phone {
  Phone(Codec what, int packet_ms)
      : codec(what),
        ms(packet_ms),
        encoder(codec::NewEncoder(what, 8000)),
        decoder(codec::NewDecoder(what, 8000)) {}
  std::string Sdp() const {
    const char* formats = codec == Codec::kOpus   ? "111\r\na=rtpmap:111 opus/48000/2"
                          : codec == Codec::kG722 ? "9"
                          : codec == Codec::kPcma ? "8"
                                                  : "0";
    return absl::StrCat("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n",
                        "m=audio ", far.port(), " RTP/AVP ", formats, "\r\n");
  }
  uint8_t type() const {
    return codec == Codec::kOpus ? 111 : static_cast<uint8_t>(codec::InfoOf(codec).static_type);
  }
  void Say(double hertz) {
    std::vector<int16_t> frame(static_cast<size_t>(8 * ms));
    for (size_t i = 0; i < frame.size(); ++i) {
      const double t = static_cast<double>(said++) / 8000;
      frame[i] = static_cast<int16_t>(8000 * std::sin(2 * M_PI * hertz * t));
    }
    std::vector<uint8_t> payload;
    encoder->Encode(frame, payload);
    far.SendTo(port, MakeRtp(type(), far.seq++, far.timestamp, far.ssrc,
                             std::string(payload.begin(), payload.end())));
    far.timestamp += static_cast<uint32_t>(ms * codec::InfoOf(codec).rtp_rate / 1000);
  }
  void Listen() {
    while (const auto packet = far.Hear(absl::ZeroDuration())) {
      EXPECT_EQ(packet->payload_type, type());
      if (!packets.empty()) {
        EXPECT_EQ(packet->seq, static_cast<uint16_t>(packets.back().seq + 1));
        steps.push_back(packet->timestamp - packets.back().timestamp);
      }
      packets.push_back(*packet);
      std::vector<uint8_t> payload(packet->payload.begin(), packet->payload.end());
      EXPECT_TRUE(decoder->Decode(payload, heard));
    }
  }
  double Hears(double hertz) const {
    if (heard.size() < 2400) return 0;
    double re = 0, im = 0;
    for (size_t i = heard.size() - 1600; i < heard.size(); ++i) {
      const double phase = 2 * M_PI * hertz * static_cast<double>(i) / 8000;
      re += heard[i] * std::cos(phase);
      im += heard[i] * std::sin(phase);
    }
    return 2 * std::hypot(re, im) / 1600;
  }

  const Codec codec;
  const int ms;
  FarEnd far;
  uint16_t port = 0;
  std::unique_ptr<codec::Encoder> encoder;
  std::unique_ptr<codec::Decoder> decoder;
  int64_t said = 0;
  std::vector<int16_t> heard;
  std::vector<Heard> packets;
  std::vector<uint32_t> steps;
};

struct Pair {
  Codec a;
  int a_ms;
  Codec b;
  int b_ms;
};

struct Call : Media {
  static MediaConfig Config() {
    MediaConfig config = TestConfig();
    config.codecs = {Codec::kOpus, Codec::kG722, Codec::kPcmu, Codec::kPcma};
    return config;
  }
  explicit Call(const Pair& pair) : Media(Config()), a(pair.a, pair.a_ms), b(pair.b, pair.b_ms) {
    uint32_t n = 0;
    for (Phone* const phone : {&a, &b}) {
      const auto offer = plane->Open(Leg(++n), {});
      EXPECT_TRUE(offer.ok());
      phone->port = AudioPort(*offer);
      const absl::Status status = plane->SetRemote(Leg(n), phone->Sdp());
      EXPECT_TRUE(status.ok()) << status;
    }
    plane->Bridge(Leg(1), Leg(2));
  }
  void Talk() {
    Pace pace(absl::Milliseconds(10));
    for (int ms = 0; ms < 600; ms += 10) {
      if (ms % a.ms == 0) a.Say(500);
      if (ms % b.ms == 0) b.Say(1300);
      pace.Next();
      a.Listen();
      b.Listen();
    }
  }
  Phone a, b;
};

class Transcode : public testing::TestWithParam<Pair> {};

TEST_P(Transcode, BothHearTheOther) {
  Call call(GetParam());
  call.Talk();
  EXPECT_GT(call.a.Hears(1300), 4000);
  EXPECT_LT(call.a.Hears(500), 800);
  EXPECT_GT(call.b.Hears(500), 4000);
  EXPECT_LT(call.b.Hears(1300), 800);
  // The listener's clock runs with the audio.
  for (const Phone* const phone : {&call.a, &call.b}) {
    uint64_t ticks = 0;
    for (const uint32_t step : phone->steps) ticks += step;
    const double seconds = static_cast<double>(ticks) / codec::InfoOf(phone->codec).rtp_rate;
    EXPECT_NEAR(seconds, 0.56, 0.06);
  }
}

INSTANTIATE_TEST_SUITE_P(Codecs, Transcode,
                         testing::Values(Pair{Codec::kOpus, 20, Codec::kPcmu, 20},
                                         Pair{Codec::kG722, 20, Codec::kPcma, 20},
                                         Pair{Codec::kOpus, 20, Codec::kG722, 20},
                                         Pair{Codec::kOpus, 60, Codec::kPcmu, 30},
                                         Pair{Codec::kOpus, 20, Codec::kOpus, 20},
                                         Pair{Codec::kG722, 10, Codec::kOpus, 40}));

TEST(TranscodedCall, IsRecordedHeardOnHoldAndPromptedInItsOwnCodec) {
  Call call({Codec::kOpus, 20, Codec::kPcmu, 20});
  const auto tap = std::make_shared<FakeTap>();
  call.plane->Do(Leg(1), call::RecordStart{tap});
  call.Talk();
  std::vector<int16_t> sides[2];
  for (const auto& [at, sample] : tap->side(record::Side::kCallee)) sides[0].push_back(sample);
  for (const auto& [at, sample] : tap->side(record::Side::kAgent)) sides[1].push_back(sample);
  call.a.heard = sides[0];
  EXPECT_GT(call.a.Hears(500), 4000);
  call.a.heard = sides[1];
  EXPECT_GT(call.a.Hears(1300), 4000);
  call.plane->Do(Leg(1), call::Mute{});
  call.Talk();
  EXPECT_LT(call.b.Hears(500), 200);
  EXPECT_GT(call.b.packets.size(), 50u);  // the stream goes on
  call.plane->Do(Leg(1), call::Play{.prompt = call::Prompt::kSafeHarbor});
  call.a.heard.clear();
  call.Talk();
  EXPECT_LT(call.a.Hears(1300), 800);
  EXPECT_GT(call.a.Hears(554.4) + call.a.Hears(440), 3000);
}

TEST(TranscodedCall, AMixOfThreeCodecs) {
  Call call({Codec::kOpus, 20, Codec::kPcmu, 20});
  Phone c(Codec::kG722, 20);
  const auto offer = call.plane->Open(Leg(3), {});
  ASSERT_TRUE(offer.ok());
  c.port = AudioPort(*offer);
  ASSERT_TRUE(call.plane->SetRemote(Leg(3), c.Sdp()).ok());
  call.plane->Do(Leg(3), call::JoinCall{.with = Leg(1)});
  ASSERT_TRUE(call.loop.RunUntil([&] { return !call.events.joined.empty(); }));
  for (int i = 0; i < 3; ++i) {
    call.Talk();
    c.Listen();
  }
  EXPECT_GT(c.Hears(500), 3000);
  EXPECT_GT(c.Hears(1300), 3000);
  EXPECT_GT(call.a.Hears(1300), 3000);
  EXPECT_GT(call.b.Hears(500), 3000);
}

}  // namespace
}  // namespace outpace::media
