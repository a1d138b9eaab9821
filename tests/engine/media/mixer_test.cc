#include "engine/media/mixer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"

namespace outpace::media {
namespace {

using call::MixRole;
using ::testing::Each;
using ::testing::ElementsAreArray;

using Frame = std::vector<int16_t>;

Frame Constant(int value, size_t samples = 160) {
  return Frame(samples, static_cast<int16_t>(value));
}

Frame Tone(double hz, double peak, size_t samples = 160, size_t from = 0) {
  Frame out(samples);
  for (size_t i = 0; i < samples; ++i) {
    const double at = static_cast<double>(from + i) / 8000.0;
    out[i] = static_cast<int16_t>(std::lround(peak * std::sin(2 * M_PI * hz * at)));
  }
  return out;
}

// Members whose voices are powers of three: each sum tells who is in it, and none reaches the knee.
class Room {
 public:
  Room() : mixer(std::make_unique<Mixer>(8000)) {}
  int Join(MixRole role, int coached = Mixer::kNone) {
    const int member = mixer->Add(role, coached);
    return member;
  }
  static int Voice(int member) { return static_cast<int>(std::pow(3, member)); }
  void Speak() {
    for (int i = 0; i < Mixer::kMembersMax; ++i) {
      if (mixer->Has(i)) mixer->Put(i, Constant(Voice(i)));
    }
    mixer->Mix();
  }
  // The sum that `member` hears, the same in each sample.
  int Hears(int member) const {
    const absl::Span<const int16_t> heard = mixer->Heard(member);
    EXPECT_EQ(heard.size(), 160u);
    EXPECT_THAT(Frame(heard.begin(), heard.end()), Each(heard[0]));
    return heard[0];
  }
  std::unique_ptr<Mixer> mixer;
};

TEST(Mixer, EveryoneHearsTheOthersAndNobodyHimself) {
  for (int members = 2; members <= Mixer::kMembersMax; ++members) {
    SCOPED_TRACE(members);
    Room room;
    int all = 0;
    for (int i = 0; i < members; ++i) {
      EXPECT_EQ(room.Join(MixRole::kTalker), i);
      all += Room::Voice(i);
    }
    room.Speak();
    for (int i = 0; i < members; ++i) EXPECT_EQ(room.Hears(i), all - Room::Voice(i)) << i;
  }
}

TEST(Mixer, NineIsOneTooMany) {
  Room room;
  for (int i = 0; i < 8; ++i) EXPECT_EQ(room.Join(MixRole::kTalker), i);
  EXPECT_EQ(room.Join(MixRole::kTalker), Mixer::kNone);
  EXPECT_EQ(room.mixer->members(), 8);
  room.mixer->Remove(3);
  EXPECT_EQ(room.Join(MixRole::kListener), 3);
  EXPECT_EQ(room.mixer->talkers(), 7);
}

// Callee 0, agent 1, and a supervisor 2 in each of the roles.
TEST(Mixer, RolesMatrix) {
  struct Case {
    const char* name;
    MixRole role;
    int callee, agent, supervisor;
  };
  for (const Case& c : {Case{"barge", MixRole::kTalker, 3 + 9, 1 + 9, 1 + 3},
                        Case{"monitor", MixRole::kListener, 3, 1, 1 + 3},
                        Case{"whisper", MixRole::kCoach, 3, 1 + 9, 1 + 3}}) {
    SCOPED_TRACE(c.name);
    Room room;
    const int callee = room.Join(MixRole::kTalker);
    const int agent = room.Join(MixRole::kTalker);
    const int supervisor = room.Join(MixRole::kTalker);
    room.mixer->SetRole(supervisor, c.role, agent);
    room.Speak();
    EXPECT_EQ(room.Hears(callee), c.callee);
    EXPECT_EQ(room.Hears(agent), c.agent);
    EXPECT_EQ(room.Hears(supervisor), c.supervisor);
  }
}

TEST(Mixer, CoachesDoNotHearEachOther) {
  Room room;
  room.Join(MixRole::kTalker);
  const int agent = room.Join(MixRole::kTalker);
  const int one = room.Join(MixRole::kCoach, agent);
  const int other = room.Join(MixRole::kCoach, agent);
  room.Speak();
  EXPECT_EQ(room.Hears(0), 3);
  EXPECT_EQ(room.Hears(agent), 1 + 9 + 27);
  EXPECT_EQ(room.Hears(one), 1 + 3);
  EXPECT_EQ(room.Hears(other), 1 + 3);
  EXPECT_EQ(room.mixer->MixOf(one), room.mixer->MixOf(other));
}

// The number of who was whispered to goes to a callee: he must not hear the coach.
TEST(Mixer, AWhisperNeverReachesWhoTakesTheAgentsPlace) {
  Room room;
  room.Join(MixRole::kTalker);
  const int agent = room.Join(MixRole::kTalker);
  const int coach = room.Join(MixRole::kCoach, agent);
  room.mixer->Remove(agent);
  const int third = room.Join(MixRole::kTalker);
  ASSERT_EQ(third, agent);
  room.Speak();
  EXPECT_EQ(room.Hears(0), 3);
  EXPECT_EQ(room.Hears(third), 1);
  EXPECT_EQ(room.Hears(coach), 1 + 3);
}

TEST(Mixer, ACoachOfNobodyIsHeardByNobody) {
  for (const int coached : {Mixer::kNone, 2, 5, 8, -7, 1000}) {
    SCOPED_TRACE(coached);
    Room room;
    room.Join(MixRole::kTalker);
    room.Join(MixRole::kTalker);
    const int coach = room.Join(MixRole::kCoach, coached);
    room.Speak();
    EXPECT_EQ(room.Hears(0), 3);
    EXPECT_EQ(room.Hears(1), 1);
    EXPECT_EQ(room.Hears(coach), 1 + 3);
  }
}

TEST(Mixer, HeldHearsAndSaysNothingMutedHears) {
  Room room;
  for (int i = 0; i < 4; ++i) room.Join(MixRole::kTalker);
  room.mixer->SetHeld(0, true);
  room.mixer->SetMuted(1, true);
  room.Speak();
  EXPECT_EQ(room.Hears(0), 0);
  EXPECT_EQ(room.Hears(1), 9 + 27);
  EXPECT_EQ(room.Hears(2), 27);
  EXPECT_EQ(room.Hears(3), 9);
  room.mixer->SetHeld(0, false);
  room.mixer->SetMuted(1, false);
  room.Speak();
  EXPECT_EQ(room.Hears(0), 3 + 9 + 27);
  EXPECT_EQ(room.Hears(3), 1 + 3 + 9);
}

TEST(Mixer, AMutedCoachIsNotHeard) {
  Room room;
  room.Join(MixRole::kTalker);
  room.Join(MixRole::kTalker);
  const int coach = room.Join(MixRole::kCoach, 1);
  room.mixer->SetMuted(coach, true);
  room.Speak();
  EXPECT_EQ(room.Hears(1), 1);
}

TEST(Mixer, WhoPutsNothingIsSilentAndLastOneCounts) {
  Room room;
  for (int i = 0; i < 3; ++i) room.Join(MixRole::kTalker);
  room.Speak();
  EXPECT_EQ(room.Hears(0), 3 + 9);
  room.mixer->Put(1, Constant(100));
  room.mixer->Put(1, Constant(200));
  room.mixer->Mix();
  EXPECT_EQ(room.Hears(0), 200);
  EXPECT_EQ(room.Hears(1), 0);
  room.mixer->Mix();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(room.Hears(i), 0);
}

TEST(Mixer, AFrameOfOneWhoLeftIsNotHeard) {
  Room room;
  for (int i = 0; i < 3; ++i) room.Join(MixRole::kTalker);
  room.mixer->Put(2, Constant(1000));
  room.mixer->Remove(2);
  room.mixer->Mix();
  EXPECT_EQ(room.Hears(0), 0);
  room.mixer->Put(1, Constant(1000));
  room.mixer->Remove(1);
  const int next = room.Join(MixRole::kTalker);
  ASSERT_EQ(next, 1);
  EXPECT_EQ(room.Hears(next), 0);  // came after the last Mix()
  room.mixer->Mix();
  EXPECT_EQ(room.Hears(0), 0);
}

TEST(Mixer, EqualMixesAreMadeOnce) {
  Room room;
  room.Join(MixRole::kTalker);
  room.Join(MixRole::kTalker);
  for (int i = 2; i < 8; ++i) room.Join(MixRole::kListener);
  room.Speak();
  for (int i = 3; i < 8; ++i) {
    EXPECT_EQ(room.mixer->MixOf(i), room.mixer->MixOf(2));
    EXPECT_EQ(room.mixer->Heard(i).data(), room.mixer->Heard(2).data());
  }
  EXPECT_NE(room.mixer->MixOf(0), room.mixer->MixOf(1));
  EXPECT_NE(room.mixer->MixOf(0), room.mixer->MixOf(2));
}

TEST(Mixer, OneLoudVoicePassesUntouched) {
  Room room;
  for (int i = 0; i < 3; ++i) room.Join(MixRole::kTalker);
  const Frame loud = Tone(440, 32767);
  room.mixer->Put(0, loud);
  room.mixer->Mix();
  const auto heard = room.mixer->Heard(1);
  EXPECT_THAT(Frame(heard.begin(), heard.end()), ElementsAreArray(loud));
}

TEST(Mixer, EightAtFullScaleBendAndNeverWrap) {
  for (const int voice : {32767, -32768}) {
    Room room;
    for (int i = 0; i < 8; ++i) room.Join(MixRole::kTalker);
    for (int i = 0; i < 8; ++i) room.mixer->Put(i, Constant(voice));
    room.mixer->Mix();
    for (int i = 0; i < 8; ++i) {
      EXPECT_GT(room.Hears(i) * (voice < 0 ? -1 : 1), 32000);
    }
  }
}

TEST(SoftLimit, IsExactThenMonotoneSmoothAndBounded) {
  for (int32_t sum = -kMixKnee; sum <= kMixKnee; ++sum) ASSERT_EQ(SoftLimit(sum), sum);
  int last = SoftLimit(-300'000);
  for (int32_t sum = -300'000; sum <= 300'000; ++sum) {
    const int now = SoftLimit(sum);
    ASSERT_GE(now, last) << sum;
    ASSERT_LE(now - last, 2) << sum;
    ASSERT_EQ(SoftLimit(-sum), -now);
    last = now;
  }
  EXPECT_LT(SoftLimit(7 * 32767), 32767);
  EXPECT_LE(SoftLimit(INT32_MAX), 32767);
  EXPECT_GE(SoftLimit(INT32_MIN), -32767);
}

// No pumping: a quiet voice comes out as strong beside a loud one's pauses as without it, from the
// first sample on.
TEST(Mixer, ALoudVoiceLeavesNoTraceInItsPauses) {
  Room room;
  for (int i = 0; i < 4; ++i) room.Join(MixRole::kTalker);
  for (size_t frame = 0; frame < 20; ++frame) {
    const Frame quiet = Tone(700, 500, 160, frame * 160);
    room.mixer->Put(0, quiet);
    if (frame % 2 == 0) {
      room.mixer->Put(1, Tone(300, 32000, 160, frame * 160));
      room.mixer->Put(2, Tone(310, 32000, 160, frame * 160));
    }
    room.mixer->Mix();
    if (frame % 2 == 0) continue;
    const auto heard = room.mixer->Heard(3);
    ASSERT_THAT(Frame(heard.begin(), heard.end()), ElementsAreArray(quiet)) << frame;
  }
}

TEST(Mixer, WidebandFrames) {
  auto mixer = std::make_unique<Mixer>(16000);
  for (int i = 0; i < 3; ++i) mixer->Add(MixRole::kTalker);
  Frame ramp(320);
  for (size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<int16_t>(i);
  for (int i = 0; i < 3; ++i) mixer->Put(i, ramp);
  mixer->Mix();
  ASSERT_EQ(mixer->Heard(1).size(), 320u);
  for (size_t i = 0; i < 320; ++i) ASSERT_EQ(mixer->Heard(1)[i], 2 * static_cast<int>(i));
}

// Against the plain definition, whatever roles, holds and frames there are.
TEST(MixerProperty, EqualsTheSumOfThoseItHears) {
  struct Model {
    bool in = false, held = false, muted = false, put = false;
    MixRole role = MixRole::kTalker;
    int coached = -1;
    Frame said{};
  };
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    auto mixer = std::make_unique<Mixer>(8000);
    std::vector<Model> model(8);
    for (int step = 0; step < 40; ++step) {
      const auto any = static_cast<int>(rng.Below(8));
      Model& m = model[static_cast<size_t>(any)];
      const auto role = static_cast<MixRole>(rng.Below(3));
      const int coached = static_cast<int>(rng.Below(9)) - 1;
      const bool coach_ok = role == MixRole::kCoach && coached >= 0 && coached != any &&
                            model[static_cast<size_t>(std::max(coached, 0))].in;
      if (!m.in) {
        // Numbers are given lowest first.
        int free = 0;
        while (model[static_cast<size_t>(free)].in) ++free;
        ASSERT_EQ(mixer->Add(MixRole::kTalker), free);
        model[static_cast<size_t>(free)] = Model{.in = true};
      } else if (rng.Chance(0.2)) {
        mixer->Remove(any);
        m = Model{};
        for (Model& other : model) {
          if (other.coached == any) other.coached = -1;
        }
      } else if (rng.Chance(0.4)) {
        mixer->SetRole(any, role, coached);
        m.role = role;
        m.coached = coach_ok ? coached : -1;
      } else {
        m.held = rng.Chance(0.2);
        m.muted = rng.Chance(0.2);
        mixer->SetHeld(any, m.held);
        mixer->SetMuted(any, m.muted);
      }
      for (int i = 0; i < 8; ++i) {
        Model& speaker = model[static_cast<size_t>(i)];
        speaker.put = speaker.in && rng.Chance(0.8);
        if (!speaker.put) continue;
        speaker.said.resize(160);
        for (int16_t& s : speaker.said) s = static_cast<int16_t>(rng.Below(65536));
        mixer->Put(i, speaker.said);
      }
      mixer->Mix();
      for (int i = 0; i < 8; ++i) {
        const Model& listener = model[static_cast<size_t>(i)];
        if (!listener.in) continue;
        const auto heard = mixer->Heard(i);
        for (size_t k = 0; k < 160; k += 13) {
          int32_t sum = 0;
          int voices = 0;
          for (int from = 0; from < 8; ++from) {
            const Model& f = model[static_cast<size_t>(from)];
            const bool heard_by =
                f.role == MixRole::kTalker || (f.role == MixRole::kCoach && f.coached == i);
            if (from == i || !f.put || f.held || f.muted || listener.held || !heard_by) continue;
            sum += f.said[k];
            ++voices;
          }
          ASSERT_EQ(heard[k], voices == 1 ? sum : SoftLimit(sum)) << i << " " << k;
        }
      }
    }
  }
}

}  // namespace
}  // namespace outpace::media
