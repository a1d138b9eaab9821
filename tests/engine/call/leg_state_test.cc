#include "engine/call/leg_state.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <vector>

namespace outpace::call {
namespace {

std::vector<LegState> AllStates() {
  std::vector<LegState> all;
  for (size_t i = 0; i < kLegStateCount; ++i) all.push_back(static_cast<LegState>(i));
  return all;
}

std::vector<LegInput> AllInputs() {
  std::vector<LegInput> all;
  for (size_t i = 0; i < kLegInputCount; ++i) all.push_back(static_cast<LegInput>(i));
  return all;
}

TEST(LegTable, EveryPairIsARowOrNothing) {
  size_t rows = 0;
  for (const LegState from : AllStates()) {
    for (const LegInput on : AllInputs()) {
      const LegTransition* row = Find(from, on);
      if (row == nullptr) continue;
      ++rows;
      EXPECT_EQ(row->from, from);
      EXPECT_EQ(row->on, on);
    }
  }
  EXPECT_EQ(rows, kLegTransitions.size());
}

TEST(LegTable, EndedIsFinal) {
  for (const LegInput on : AllInputs()) EXPECT_EQ(Find(LegState::kEnded, on), nullptr);
}

TEST(LegTable, EveryStateIsReachedAndLeadsToTheEnd) {
  std::set<LegState> reached = {LegState::kIdle};
  for (size_t round = 0; round < kLegStateCount; ++round) {
    for (const LegTransition& row : kLegTransitions) {
      if (reached.contains(row.from)) reached.insert(row.to);
    }
  }
  EXPECT_EQ(reached.size(), kLegStateCount);

  std::set<LegState> ends = {LegState::kEnded};
  for (size_t round = 0; round < kLegStateCount; ++round) {
    for (const LegTransition& row : kLegTransitions) {
      if (ends.contains(row.to)) ends.insert(row.from);
    }
  }
  EXPECT_EQ(ends.size(), kLegStateCount);
}

TEST(LegTable, HangUpIsUnderstoodWhereverItHasSomethingToDo) {
  for (const LegState state : {LegState::kCalling, LegState::kRinging, LegState::kAnswered,
                               LegState::kBridged, LegState::kPrompting}) {
    EXPECT_NE(Find(state, LegInput::kHangUp), nullptr) << LegStateName(state);
  }
}

TEST(LegTable, AnAnswerIsAcknowledgedInEveryStateThatCanMeetOne) {
  for (const LegState state :
       {LegState::kCalling, LegState::kRinging, LegState::kGivenUp, LegState::kCancelling}) {
    for (const LegInput on : {LegInput::kAnswer, LegInput::kAnswerNoMedia}) {
      const LegTransition* row = Find(state, on);
      ASSERT_NE(row, nullptr) << LegStateName(state);
      EXPECT_TRUE(row->action == LegAction::kAccept || row->action == LegAction::kAckThenBye);
    }
  }
}

TEST(LegTable, EveryWaitHasAGuard) {
  for (const LegTransition& row : kLegTransitions) {
    switch (row.action) {
      case LegAction::kWaitForFinal:
      case LegAction::kSendCancel:
      case LegAction::kAckThenBye:
      case LegAction::kSendBye:
      case LegAction::kPlayPrompt:
        EXPECT_NE(Find(row.to, LegInput::kGuard), nullptr) << LegStateName(row.to);
        break;
      default:
        break;
    }
  }
}

TEST(LegTable, NamesAreDistinct) {
  std::set<absl::string_view> states;
  for (const LegState state : AllStates()) states.insert(LegStateName(state));
  EXPECT_EQ(states.size(), kLegStateCount);
  std::set<absl::string_view> inputs;
  for (const LegInput on : AllInputs()) inputs.insert(LegInputName(on));
  EXPECT_EQ(inputs.size(), kLegInputCount);
}

// docs/LEG_STATES.md is printed from the table: paste the text that this test shows when it
// differs.
TEST(LegTable, DocumentMatches) {
  std::ifstream file(OUTPACE_SOURCE_DIR "/docs/LEG_STATES.md");
  ASSERT_TRUE(file) << "docs/LEG_STATES.md is missing; it should hold:\n" << LegStatesMarkdown();
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), LegStatesMarkdown());
}

}  // namespace
}  // namespace outpace::call
