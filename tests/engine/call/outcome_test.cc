#include "engine/call/outcome.h"

#include <gtest/gtest.h>

#include <set>

namespace outpace::call {
namespace {

struct Row {
  int status;
  int q850;
  bool local;
  CallOutcome outcome;
};

TEST(OutcomeOf, Table) {
  constexpr bool kFar = false;
  constexpr bool kLocal = true;
  const Row rows[] = {
      {404, 0, kFar, CallOutcome::kInvalid},       {410, 0, kFar, CallOutcome::kInvalid},
      {484, 0, kFar, CallOutcome::kInvalid},       {604, 0, kFar, CallOutcome::kInvalid},
      {404, 1, kFar, CallOutcome::kInvalid},       {410, 22, kFar, CallOutcome::kInvalid},
      {484, 28, kFar, CallOutcome::kInvalid},      {480, 1, kFar, CallOutcome::kInvalid},
      {404, 3, kFar, CallOutcome::kCongestion},    {404, 2, kFar, CallOutcome::kCongestion},
      {486, 0, kFar, CallOutcome::kBusy},          {600, 0, kFar, CallOutcome::kBusy},
      {503, 17, kFar, CallOutcome::kBusy},         {480, 17, kFar, CallOutcome::kBusy},
      {480, 0, kFar, CallOutcome::kNoAnswer},      {480, 19, kFar, CallOutcome::kNoAnswer},
      {408, 0, kFar, CallOutcome::kNoAnswer},      {408, 18, kFar, CallOutcome::kNoAnswer},
      {487, 0, kFar, CallOutcome::kNoAnswer},      {480, 16, kFar, CallOutcome::kNoAnswer},
      {480, 20, kFar, CallOutcome::kUnreachable},  {502, 0, kFar, CallOutcome::kUnreachable},
      {502, 27, kFar, CallOutcome::kUnreachable},  {480, 31, kFar, CallOutcome::kFailed},
      {486, 31, kFar, CallOutcome::kBusy},         {603, 0, kFar, CallOutcome::kRejected},
      {603, 21, kFar, CallOutcome::kRejected},     {403, 0, kFar, CallOutcome::kRejected},
      {607, 0, kFar, CallOutcome::kRejected},      {608, 0, kFar, CallOutcome::kRejected},
      {503, 0, kFar, CallOutcome::kCongestion},    {500, 0, kFar, CallOutcome::kCongestion},
      {504, 0, kFar, CallOutcome::kCongestion},    {480, 34, kFar, CallOutcome::kCongestion},
      {480, 38, kFar, CallOutcome::kCongestion},   {500, 41, kFar, CallOutcome::kCongestion},
      {503, 42, kFar, CallOutcome::kCongestion},   {503, 47, kFar, CallOutcome::kCongestion},
      {407, 0, kFar, CallOutcome::kCongestion},    {401, 0, kFar, CallOutcome::kCongestion},
      {488, 0, kFar, CallOutcome::kMedia},         {415, 0, kFar, CallOutcome::kMedia},
      {606, 0, kFar, CallOutcome::kMedia},         {500, 65, kFar, CallOutcome::kMedia},
      {503, 79, kFar, CallOutcome::kMedia},        {480, 88, kFar, CallOutcome::kMedia},
      {302, 0, kFar, CallOutcome::kFailed},        {400, 0, kFar, CallOutcome::kFailed},
      {699, 0, kFar, CallOutcome::kFailed},        {486, 999, kFar, CallOutcome::kBusy},
      {408, 0, kLocal, CallOutcome::kCongestion},  {503, 0, kLocal, CallOutcome::kCongestion},
      {500, 17, kLocal, CallOutcome::kCongestion},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(CallOutcomeName(OutcomeOf(row.status, row.q850, row.local)),
              CallOutcomeName(row.outcome))
        << row.status << " cause " << row.q850 << (row.local ? " local" : "");
  }
}

TEST(OutcomeOf, AnyInputHasAnOutcomeAndNoneIsAnAnswer) {
  for (int status = 300; status <= 699; ++status) {
    for (int cause = 0; cause <= 127; ++cause) {
      EXPECT_NE(OutcomeOf(status, cause, false), CallOutcome::kAnswered);
      EXPECT_NE(OutcomeOf(status, cause, true), CallOutcome::kAnswered);
    }
  }
}

TEST(CallOutcome, NamesAreDistinct) {
  std::set<absl::string_view> names;
  for (int i = 0; i <= static_cast<int>(CallOutcome::kUnknown); ++i) {
    names.insert(CallOutcomeName(static_cast<CallOutcome>(i)));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(CallOutcome::kUnknown) + 1);
}

TEST(CallOutcome, OnlyCongestionAndNoTrunkAreTheTrunksFault) {
  for (int i = 0; i <= static_cast<int>(CallOutcome::kUnknown); ++i) {
    const auto outcome = static_cast<CallOutcome>(i);
    EXPECT_EQ(IsTrunkFault(outcome),
              outcome == CallOutcome::kCongestion || outcome == CallOutcome::kNoTrunk);
  }
}

}  // namespace
}  // namespace outpace::call
