#include "engine/runtime/commands/media_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/listen/fingerprint_set.h"
#include "engine/runtime/commands/cli.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;

std::string Clip(absl::string_view name) {
  return absl::StrCat(OUTPACE_TEST_DATA, "/audio/early/clips/", name, ".wav");
}
const char kVacant[] = "zh_ivr_ivr-call_cannot_be_completed_as_dialed";
const char kBusy[] = "zh_ivr_ivr-user_busy";

std::string SetPath(absl::string_view name) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/media-", name, ".ofp");
  std::remove(path.c_str());
  return path;
}

TEST(MediaCommand, LearnsShowsTriesAndForgets) {
  const std::string set = SetPath("cycle");
  const auto learned = LearnAnnouncements(set, "vacant_number", "", {Clip(kVacant)});
  ASSERT_TRUE(learned.ok()) << learned.status();
  EXPECT_THAT(*learned, HasSubstr(absl::StrCat(kVacant, ": vacant_number, 2.1 s, known by")));
  ASSERT_TRUE(LearnAnnouncements(set, "busy", "user busy", {Clip(kBusy)}).ok());

  const auto shown = ShowAnnouncements(set);
  ASSERT_TRUE(shown.ok());
  EXPECT_THAT(*shown, HasSubstr("2 samples of 2 classes"));
  EXPECT_THAT(*shown, HasSubstr("user busy"));

  const auto tried = TestAnnouncements(
      set, "cn", {Clip(kVacant), Clip("asterisk_en_vm-nobox"), Clip("tropo_ring")});
  ASSERT_TRUE(tried.ok()) << tried.status();
  EXPECT_THAT(*tried, HasSubstr(".wav: announcement:vacant_number, confidence 0.9"));
  EXPECT_THAT(*tried, HasSubstr("the call is dead"));
  EXPECT_THAT(*tried, HasSubstr("vm-nobox.wav: speech_or_music"));
  EXPECT_THAT(*tried, HasSubstr("tropo_ring.wav: ringback"));

  const auto forgotten = ForgetAnnouncements(set, {kVacant});
  ASSERT_TRUE(forgotten.ok());
  EXPECT_THAT(*forgotten, HasSubstr("1 forgotten, 1 left"));
  const auto again = TestAnnouncements(set, "", {Clip(kVacant)});
  ASSERT_TRUE(again.ok());
  EXPECT_THAT(*again, ::testing::Not(HasSubstr("vacant_number")));
}

TEST(MediaCommand, AFaultChangesNothing) {
  const std::string set = SetPath("faults");
  ASSERT_TRUE(LearnAnnouncements(set, "busy", "", {Clip(kBusy)}).ok());
  // The second file is refused, so the first is not learned either.
  const auto half = LearnAnnouncements(set, "vacant_number", "", {Clip(kVacant), Clip(kBusy)});
  EXPECT_EQ(half.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(half.status().message()), HasSubstr("Nothing was learned."));
  EXPECT_EQ(listen::FingerprintSet::Load(set)->samples().size(), 1u);

  EXPECT_EQ(LearnAnnouncements(set, "konghao", "", {Clip(kVacant)}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(LearnAnnouncements(set, "busy", "one", {Clip(kVacant), Clip(kBusy)}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(LearnAnnouncements(set, "busy", "", {Clip("absent")}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(ForgetAnnouncements(set, {kBusy, "absent"}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(listen::FingerprintSet::Load(set)->samples().size(), 1u);
  EXPECT_EQ(TestAnnouncements(set, "zz", {Clip(kBusy)}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ShowAnnouncements(SetPath("none")).status().code(), absl::StatusCode::kNotFound);

  std::ofstream(set) << "no set";
  EXPECT_EQ(ShowAnnouncements(set).status().code(), absl::StatusCode::kDataLoss);
  // A damaged set is not overwritten by the next lesson.
  EXPECT_EQ(LearnAnnouncements(set, "busy", "", {Clip(kBusy)}).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(MediaCommand, WrongUsageIsTold) {
  EXPECT_EQ(RunMediaCommand({}), kUsage);
  EXPECT_EQ(RunMediaCommand({"learn", "--set", "x.ofp", "a.wav"}), kUsage);
  EXPECT_EQ(RunMediaCommand({"unlearn", "--set", "x.ofp"}), kUsage);
  EXPECT_EQ(RunMediaCommand({"show", "--set", SetPath("absent")}), kFailed);
  EXPECT_EQ(RunMediaCommand({"test", Clip(kBusy)}), kDone);
  EXPECT_EQ(RunMediaCommand({"--help"}), kDone);
}

}  // namespace
}  // namespace outpace::runtime
