// What the engine itself says: prompts, whispers, hold music, keys, silence that keeps a line open.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/codec/g711.h"
#include "engine/media/prompt.h"
#include "tests/engine/media/media_fixture.h"

namespace outpace::media {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

std::vector<int16_t> Linear(const std::string& payload, codec::Law law = codec::Law::kMu) {
  std::vector<int16_t> out;
  for (const char c : payload) out.push_back(codec::ToLinear(law, static_cast<uint8_t>(c)));
  return out;
}
// Strength of `hertz` in `samples`, as the amplitude of a sine.
double Tone(const std::vector<int16_t>& samples, double hertz) {
  double re = 0, im = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const double phase = 2 * M_PI * hertz * static_cast<double>(i) / 8000;
    re += samples[i] * std::cos(phase);
    im += samples[i] * std::sin(phase);
  }
  return 2 * std::hypot(re, im) / static_cast<double>(samples.size());
}
std::string Sine(double hertz, int packet, double level = 6000) {
  std::string payload(160, '\0');
  for (size_t i = 0; i < 160; ++i) {
    const double t = (packet * 160 + static_cast<double>(i)) / 8000;
    payload[i] = static_cast<char>(
        codec::LinearToMu(static_cast<int16_t>(level * std::sin(2 * M_PI * hertz * t))));
  }
  return payload;
}

struct Bridged : Media {
  explicit Bridged(MediaConfig config = TestConfig(), const char* lead_formats = "0 101",
                   const char* agent_formats = "0 101")
      : Media(config) {
    lead_port = Connect(Leg(1), lead, lead_formats);
    agent_port = Connect(Leg(2), agent, agent_formats);
    plane->Bridge(Leg(1), Leg(2));
  }
  FarEnd lead, agent;
  uint16_t lead_port = 0, agent_port = 0;
};

// A directory with WAV files of a tone each.
struct PromptFolder {
  PromptFolder() {
    char name[] = "/tmp/outpace_prompts_XXXXXX";
    path = mkdtemp(name);
  }
  ~PromptFolder() { std::filesystem::remove_all(path); }
  void Add(const std::string& name, double hertz, size_t frames) {
    std::string data;
    for (size_t i = 0; i < frames; ++i) data += Sine(hertz, static_cast<int>(i));
    const auto word = [](size_t value, int octets) {
      std::string out;
      for (int i = 0; i < octets; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
      return out;
    };
    std::ofstream(path + "/" + name, std::ios::binary)
        << "RIFF" << word(36 + data.size(), 4) << "WAVEfmt " << word(16, 4) << word(7, 2)
        << word(1, 2) << word(8000, 4) << word(8000, 4) << word(1, 2) << word(8, 2) << "data"
        << word(data.size(), 4) << data;
  }
  std::string path;
};

call::Prompt Loaded(int n) {
  return static_cast<call::Prompt>(static_cast<int>(call::Prompt::kFirstLoaded) + n);
}

TEST(Prompts, ADirectorysFilesAreKnownByNameAndHeardAtOnce) {
  PromptFolder folder;
  folder.Add("b-voicemail.wav", 700, 5);
  folder.Add("a-greeting.wav", 500, 5);
  std::ofstream(folder.path + "/readme.txt") << "no prompt";
  MediaConfig config = TestConfig();
  config.prompts_directory = folder.path;
  Media media(config);
  EXPECT_THAT(media.server->prompt_names(), ElementsAre("a-greeting", "b-voicemail"));
  FarEnd lead;
  media.Connect(Leg(1), lead);
  const MonoTime start = media.clock.Mono();
  media.plane->Play(Leg(1), Loaded(1));
  const auto first = lead.Hear();
  ASSERT_TRUE(first.has_value());
  EXPECT_LE(media.clock.Mono() - start, absl::Milliseconds(50));
  EXPECT_EQ(first->payload, Sine(700, 0));
  ASSERT_TRUE(media.loop.RunUntil([&] { return !media.events.prompt_done.empty(); }));
  media.plane->Play(Leg(1), Loaded(0));
  for (int i = 1; i < 5; ++i) EXPECT_EQ(lead.Hear()->payload, Sine(700, i));
  EXPECT_EQ(lead.Hear()->payload, Sine(500, 0));
  media.plane->Play(Leg(1), Loaded(7));  // there is none
  std::optional<Heard> heard;
  do {
    heard = lead.Hear();
    ASSERT_TRUE(heard.has_value());
  } while (heard->payload != std::string(160, '\xff'));
}

TEST(Prompts, WhatIsNoSoundFileIsNamedAtStart) {
  PromptFolder folder;
  std::ofstream(folder.path + "/broken.wav") << "RIFF of what";
  MediaConfig config = TestConfig();
  config.prompts_directory = folder.path;
  MachineClock clock;
  NullLog log;
  const auto status = MediaServer::Start(config, clock, log).status();
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("broken.wav"));
  config.prompts_directory = folder.path + "/none";
  EXPECT_TRUE(absl::IsNotFound(MediaServer::Start(config, clock, log).status()));
}

TEST(Prompts, OneThatLoopsGoesOnUntilStopped) {
  PromptFolder folder;
  folder.Add("loop.wav", 500, 2);
  MediaConfig config = TestConfig();
  config.prompts_directory = folder.path;
  Media media(config);
  FarEnd lead;
  media.Connect(Leg(1), lead);
  media.plane->Do(Leg(1), call::Play{.prompt = Loaded(0), .loop = true});
  std::optional<Heard> last;
  for (int i = 0; i < 7; ++i) {
    const auto heard = lead.Hear();
    ASSERT_TRUE(heard.has_value());
    EXPECT_EQ(heard->payload, Sine(500, i % 2));
    if (last.has_value()) {
      EXPECT_EQ(heard->timestamp, last->timestamp + 160);
      EXPECT_FALSE(heard->marker);
    }
    last = heard;
  }
  media.plane->Do(Leg(1), call::PlayStop{});
  const uint64_t frames = [&] {
    while (lead.Hear(absl::Milliseconds(60)).has_value()) {
    }
    return media.server->Stats().prompt_frames;
  }();
  EXPECT_TRUE(lead.HearsNothingFor(absl::Milliseconds(60)));
  EXPECT_EQ(media.server->Stats().prompt_frames, frames);
  EXPECT_THAT(media.events.prompt_done, IsEmpty());
}

TEST(Prompts, AWhisperIsHeardOverThePartnerAndByNobodyElse) {
  PromptFolder folder;
  folder.Add("whisper.wav", 1500, 40);
  MediaConfig config = TestConfig();
  config.prompts_directory = folder.path;
  Bridged call(config);
  call.plane->Do(Leg(2), call::Play{.prompt = Loaded(0), .over = true});
  std::vector<int16_t> at_agent;
  Pace pace(absl::Milliseconds(20));
  for (int i = 0; i < 40; ++i) {
    call.lead.Talk(call.lead_port, 0, Sine(400, i));
    call.agent.Talk(call.agent_port, 0, Sine(2000, i));
    const auto at_lead = call.lead.Hear();
    ASSERT_TRUE(at_lead.has_value());
    EXPECT_EQ(at_lead->payload, Sine(2000, i));  // untouched
    pace.Next();
  }
  std::optional<Heard> last;
  while (const auto heard = call.agent.Hear(absl::Milliseconds(40))) {
    if (last.has_value()) {
      EXPECT_EQ(heard->seq, static_cast<uint16_t>(last->seq + 1));
    }
    last = heard;
    for (const int16_t s : Linear(heard->payload)) at_agent.push_back(s);
  }
  ASSERT_GE(at_agent.size(), 40u * 160);
  const std::vector<int16_t> middle(at_agent.begin() + 1600, at_agent.begin() + 4800);
  EXPECT_NEAR(Tone(middle, 1500), 6000, 600);
  EXPECT_GT(Tone(middle, 400), 3000);
  ASSERT_TRUE(call.loop.RunUntil([&] { return !call.events.prompt_done.empty(); }));
  call.lead.Talk(call.lead_port, 0, Payload(9));
  const auto after = call.agent.Hear();
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->payload, Payload(9));  // relayed again
}

TEST(Prompts, AVoicemailDropWaitsForTheBeep) {
  Media media(TestConfig());
  FarEnd lead;
  const uint16_t port = media.Connect(Leg(1), lead);
  media.plane->Do(Leg(1), call::Play{.prompt = call::Prompt::kSafeHarbor, .after_beep = true});
  std::optional<Heard> heard;
  int said = 0;
  Pace pace(absl::Milliseconds(20));
  for (; said < 150 && !heard.has_value(); ++said) {
    lead.Talk(port, 0,
              said < 30   ? Payload(said * said)
              : said < 55 ? Sine(1000, said, 9000)
                          : std::string(160, '\xff'));
    pace.Next();
    heard = lead.Hear(absl::ZeroDuration());
  }
  ASSERT_TRUE(heard.has_value()) << "never played";
  EXPECT_GT(said, 54) << "played into the greeting";
  ASSERT_TRUE(media.loop.RunUntil([&] { return !media.events.prompt_done.empty(); }));
  EXPECT_THAT(media.events.heard, IsEmpty());
  media.plane->Do(Leg(1), call::Play{.after_beep = true});
  media.plane->Do(Leg(1), call::PlayStop{});
  media.plane->Do(Leg(1), call::Play{.after_beep = true});
  media.plane->Close(Leg(1));
}

// A greeting (noise will do) and its beep, by which it is known for a machine.
struct Voicemail : Media {
  Voicemail() : Media(TestConfig()) {
    port = Connect(Leg(1), lead);
    plane->Do(Leg(1), call::ListenAnswer{});
  }
  // Says the next `count` packets; true when it heard something meanwhile.
  bool Says(
      int count, const std::function<std::string()>& payload,
      const std::function<bool()>& until = [] { return false; }) {
    for (int i = 0; i < count && !until(); ++i, ++said) {
      lead.Talk(port, 0, payload());
      pace.Next();
      loop.RunReady();
      hears = hears || lead.Hear(absl::ZeroDuration()).has_value();
    }
    return hears;
  }
  void Greets() {
    const auto verdict = [this] {
      return !events.heard.empty() && events.heard.back().second.sound == listen::Sound::kMachine;
    };
    Says(30, [this] { return Payload(said * said); });
    Says(25, beep);
    Says(50, silence, verdict);
    ASSERT_TRUE(verdict());
    EXPECT_TRUE(events.heard.back().second.by_beep);
  }
  const std::function<std::string()> beep = [this] { return Sine(1000, said, 9000); };
  const std::function<std::string()> silence = [] { return std::string(160, '\xff'); };
  FarEnd lead;
  uint16_t port = 0;
  int said = 0;
  bool hears = false;
  Pace pace{absl::Milliseconds(20)};
};

TEST(Prompts, AVoicemailDropDoesNotWaitForTheBeepThatHasJustEnded) {
  Voicemail call;
  call.Greets();
  call.plane->Do(Leg(1), call::Play{.after_beep = true});
  EXPECT_TRUE(call.lead.Hear(absl::Seconds(5)).has_value());
}

TEST(Prompts, AVoicemailDropToAKnownMachineNeedsNoFurtherVoice) {
  Voicemail call;
  call.Greets();
  EXPECT_FALSE(call.Says(80, call.silence));  // a second greeting may follow, or a second beep
  call.plane->Do(Leg(1), call::Play{.after_beep = true});
  EXPECT_FALSE(call.Says(20, call.silence));
  EXPECT_FALSE(call.Says(20, call.beep));
  EXPECT_TRUE(call.Says(50, call.silence, [&] { return call.hears; }));
}

TEST(Hold, TheCalleeHearsMusicTheAgentAStreamOfSilence) {
  Bridged call;
  call.lead.Talk(call.lead_port, 0, Payload(1));
  auto before = call.agent.Hear();
  ASSERT_TRUE(before.has_value());
  call.plane->Do(Leg(1), call::Hold{});
  ASSERT_TRUE(call.WaitFor([](const MediaStats& s) { return s.prompt_frames > 0; }));
  Pace pace(absl::Milliseconds(20));
  for (int i = 0; i < 10; ++i) {
    call.lead.Talk(call.lead_port, 0, Payload(2 + i));
    call.agent.Talk(call.agent_port, 0, Payload(50 + i));
    const auto heard = call.agent.Hear();
    ASSERT_TRUE(heard.has_value());
    EXPECT_EQ(heard->payload, std::string(160, '\xff'));
    EXPECT_EQ(heard->seq, static_cast<uint16_t>(before->seq + 1));
    EXPECT_EQ(heard->timestamp, before->timestamp + 160);
    before = heard;
    pace.Next();
  }
  std::vector<int16_t> music;
  while (const auto heard = call.lead.Hear(absl::ZeroDuration())) {
    EXPECT_EQ(heard->payload.find(Payload(50).substr(0, 40)), std::string::npos);
    for (const int16_t s : Linear(heard->payload)) music.push_back(s);
  }
  EXPECT_GE(music.size(), 9u * 160);
  EXPECT_GT(Tone(music, 392), 200);  // the first note
  call.plane->Do(Leg(1), call::Hold{.held = false});
  call.plane->Do(Leg(1), call::Hold{.held = false});
  call.lead.Talk(call.lead_port, 0, Payload(20));
  EXPECT_EQ(call.agent.Hear()->payload, Payload(20));
  call.agent.Talk(call.agent_port, 0, Payload(21));
  std::optional<Heard> heard;
  do {
    heard = call.lead.Hear();
    ASSERT_TRUE(heard.has_value());
  } while (heard->payload != Payload(21));
  EXPECT_TRUE(call.lead.HearsNothingFor(absl::Milliseconds(60)));  // the music has ended
}

TEST(Hold, ANewBridgeEndsItAndMute) {
  Bridged call;
  FarEnd second;
  const uint16_t second_port = call.Connect(Leg(3), second);
  call.plane->Do(Leg(1), call::Hold{});
  call.plane->Do(Leg(3), call::Mute{});
  call.plane->Bridge(Leg(1), Leg(3));
  ASSERT_TRUE(call.WaitFor([](const MediaStats& s) { return s.bridged_calls == 1; }));
  call.plane->Unbridge(Leg(2));
  ASSERT_TRUE(call.WaitFor([](const MediaStats& s) { return s.bridged_calls == 1; }));
  second.Talk(second_port, 0, Payload(5));
  std::optional<Heard> heard;
  do {
    heard = call.lead.Hear();
    ASSERT_TRUE(heard.has_value());
  } while (heard->payload != Payload(5));
}

TEST(Mute, TheOtherHearsSilenceInAnUnbrokenStream) {
  Bridged call;
  std::optional<Heard> before;
  for (int i = 0; i < 9; ++i) {
    if (i == 3) call.plane->Do(Leg(2), call::Mute{});
    if (i == 6) call.plane->Do(Leg(2), call::Mute{.muted = false});
    call.agent.Talk(call.agent_port, 0, Payload(i));
    const auto heard = call.lead.Hear();
    ASSERT_TRUE(heard.has_value());
    EXPECT_EQ(heard->payload, i / 3 == 1 ? std::string(160, '\xff') : Payload(i)) << i;
    if (before.has_value()) {
      EXPECT_EQ(heard->seq, static_cast<uint16_t>(before->seq + 1));
      EXPECT_EQ(heard->timestamp, before->timestamp + 160);
    }
    before = heard;
    call.lead.Talk(call.lead_port, 0, Payload(100 + i));
    EXPECT_EQ(call.agent.Hear()->payload, Payload(100 + i));  // who is muted hears
  }
}

TEST(Digits, EachKeyIsEightPacketsWithOneTime) {
  Bridged call;
  call.lead.Talk(call.lead_port, 0, Payload(1));
  call.agent.Talk(call.agent_port, 0, Payload(1));
  const auto audio = call.lead.Hear();
  ASSERT_TRUE(audio.has_value());
  call.plane->Do(Leg(1), call::SendDigits{.digits = "5x#"});
  uint32_t start = 0;
  uint16_t seq = audio->seq;
  for (int i = 0; i < 16; ++i) {
    const auto heard = call.lead.Hear();
    ASSERT_TRUE(heard.has_value()) << i;
    EXPECT_EQ(heard->payload_type, 101);
    EXPECT_EQ(heard->seq, ++seq);
    EXPECT_EQ(heard->marker, i % 8 == 0);
    ASSERT_EQ(heard->payload.size(), 4u);
    EXPECT_EQ(heard->payload[0], i < 8 ? 5 : 11);
    EXPECT_EQ((heard->payload[1] & 0x80) != 0, i % 8 >= 5);
    const int duration =
        static_cast<uint8_t>(heard->payload[2]) << 8 | static_cast<uint8_t>(heard->payload[3]);
    EXPECT_EQ(duration, std::min(i % 8 + 1, 5) * 160);
    if (i % 8 == 0) {
      EXPECT_GT(heard->timestamp, i == 0 ? audio->timestamp : start + 800);
      start = heard->timestamp;
    }
    EXPECT_EQ(heard->timestamp, start);
  }
  call.agent.Talk(call.agent_port, 0, Payload(2));
  const auto after = call.lead.Hear();
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->payload, Payload(2));
  EXPECT_TRUE(after->marker);
  EXPECT_GE(after->timestamp - start, 800u);
  EXPECT_THAT(call.events.prompt_done, IsEmpty());
}

TEST(Digits, AreTonesForWhoTakesNoEvents) {
  Bridged call(TestConfig(), "8");
  call.plane->Do(Leg(1), call::SendDigits{.digits = "6"});
  std::vector<int16_t> heard;
  for (int i = 0; i < 8; ++i) {
    const auto packet = call.lead.Hear();
    ASSERT_TRUE(packet.has_value());
    EXPECT_EQ(packet->payload_type, 8);
    for (const int16_t s : Linear(packet->payload, codec::Law::kA)) heard.push_back(s);
  }
  EXPECT_TRUE(call.lead.HearsNothingFor(absl::Milliseconds(40)));
  heard.resize(800);
  EXPECT_NEAR(Tone(heard, 770), 6000, 400);
  EXPECT_NEAR(Tone(heard, 1477), 6000, 400);
  EXPECT_LT(Tone(heard, 1209), 300);
  EXPECT_THAT(call.events.prompt_done, IsEmpty());
}

TEST(Keepalive, ALineThatHearsNothingGetsSilence) {
  MediaConfig config = TestConfig();
  config.keepalive = absl::Milliseconds(60);
  Media media(config);
  FarEnd agent, held;
  const MonoTime start = media.clock.Mono();
  media.Connect(Leg(1), agent, "8 101");
  media.Connect(Leg(2), held);
  ASSERT_TRUE(media.plane->SetRemote(Leg(2), held.Sdp("0", "sendonly")).ok());
  media.loop.Advance(absl::Milliseconds(20));
  std::optional<Heard> last;
  for (int i = 0; i < 3; ++i) {
    const auto heard = agent.Hear();
    ASSERT_TRUE(heard.has_value());
    EXPECT_EQ(heard->payload, std::string(160, '\xd5'));
    if (last.has_value()) {
      EXPECT_EQ(heard->seq, static_cast<uint16_t>(last->seq + 1));
      EXPECT_GE(heard->timestamp - last->timestamp, 60u * 8 - 160);
    }
    last = heard;
  }
  EXPECT_GE(media.clock.Mono() - start, absl::Milliseconds(180));
  EXPECT_TRUE(held.HearsNothingFor(absl::ZeroDuration()));
}

TEST(Latch, TheFirstValidSourceOfAPrivateAddressIsTheFarEnd) {
  MediaConfig config = TestConfig();
  config.latch = true;
  Media media(config);
  FarEnd lead, agent, late;
  const auto offer = media.plane->Open(Leg(1), {});
  ASSERT_TRUE(offer.ok());
  ASSERT_TRUE(
      media.plane->SetRemote(Leg(1), "v=0\r\nc=IN IP4 10.77.77.77\r\nm=audio 4000 RTP/AVP 0\r\n")
          .ok());
  const uint16_t port = AudioPort(*offer);
  const uint16_t agent_port = media.Connect(Leg(2), agent);
  late.SendTo(port, "\x80 rubbish, not to be latched to");
  lead.Talk(port, 0, Payload(1));
  for (int i = 0; i < 10; ++i) late.Talk(port, 0, Payload(66));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.dropped_foreign == 10; }));
  media.plane->Bridge(Leg(1), Leg(2));
  EXPECT_EQ(agent.Hear()->payload, Payload(1));
  agent.Talk(agent_port, 0, Payload(2));
  EXPECT_EQ(lead.Hear()->payload, Payload(2));
  // A public address is believed, and there is no latching to it.
  late.Talk(agent_port, 0, Payload(66));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.dropped_foreign == 11; }));
  EXPECT_TRUE(late.HearsNothingFor(absl::Milliseconds(20)));
}

TEST(Quality, IsToldWhenTheLegCloses) {
  Bridged call;
  for (const int n : {0, 1, 2, 5}) {
    call.lead.SendTo(call.lead_port, MakeRtp(0, static_cast<uint16_t>(n),
                                             static_cast<uint32_t>(n) * 160, 5, Payload(n)));
    ASSERT_TRUE(call.agent.Hear().has_value());
  }
  for (int i = 0; i < 251; ++i) {
    call.lead.Talk(call.lead_port, 0, Payload(i));
    ASSERT_TRUE(call.agent.Hear().has_value());
  }
  ASSERT_TRUE(call.WaitFor([](const MediaStats& s) { return s.one_way_legs == 1; }));
  call.plane->Close(Leg(1));
  call.plane->Close(Leg(2));
  call.loop.Advance(absl::Milliseconds(20));
  ASSERT_TRUE(call.loop.RunUntil([&] { return call.events.quality.size() == 2; }));
  EXPECT_EQ(call.events.quality[0].first, Leg(1));
  EXPECT_EQ(call.events.quality[0].second.packets_in, 255u);
  EXPECT_EQ(call.events.quality[0].second.packets_lost, 2u);
  EXPECT_FALSE(call.events.quality[0].second.one_way);
  EXPECT_EQ(call.events.quality[1].second.packets_out, 255u);
  EXPECT_TRUE(call.events.quality[1].second.one_way);
}

}  // namespace
}  // namespace outpace::media
