#pragma once

// Score sheets as data, and what somebody who listened to a call made of it.

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/ids.h"

namespace outpace::qa {

// One question of a sheet.
struct Criterion {
  std::string id;       // 1..20 of a-z 0-9 _
  std::string name;     // "Greets by name and company"
  std::string name_zh;  // empty: `name`
  int weight = 1;       // 1..100: its part of the result
  int points = 1;       // the most it is scored with, 1..10
  bool fatal = false;   // scored 0, the whole call has failed
  friend bool operator==(const Criterion&, const Criterion&) = default;
};

struct ScoreSheet {
  std::string name;         // 1..20 of A-Z a-z 0-9 _ -
  int version = 1;          // counted up with each change; a review keeps the one it was made with
  double pass_percent = 0;  // from so many on the call has passed, 0..100
  std::vector<Criterion> criteria;
  friend bool operator==(const ScoreSheet&, const ScoreSheet&) = default;
};
// InvalidArgument tells all that is wrong, with the criterion.
absl::Status CheckSheet(const ScoreSheet& sheet);

struct Review {
  AttemptId attempt;
  AgentId agent;
  CampaignId campaign;
  absl::Time call_at;  // of the recording
  ScoreSheet sheet;    // as it was
  // Points by criterion; one that is not in it did not apply to the call.
  std::map<std::string, int> scores;
  std::string comment;  // for the agent
  std::string by;       // who listened
  absl::Time at;
};

struct Result {
  double percent = 0;  // weighted, 0..100; 0 with a fatal fault
  bool passed = false;
  std::vector<std::string> fatal;  // criteria
};
// InvalidArgument: a score for what is no criterion, outside its points, or none at all. Pure.
absl::StatusOr<Result> ResultOf(const ScoreSheet& sheet, const std::map<std::string, int>& scores);

std::string EncodeSheet(const ScoreSheet& sheet);
absl::StatusOr<ScoreSheet> DecodeSheet(absl::string_view text);  // DataLoss: it is none
std::string EncodeReview(const Review& review);
absl::StatusOr<Review> DecodeReview(absl::string_view text);  // DataLoss: it is none

}  // namespace outpace::qa
