#pragma once

// Score sheets and reviews in the store, as named values of it:
//   "qa/sheets"           the sheets, by name
//   "qa/review/ATTEMPT"   a review with the sheet it was made by; one an attempt
//   "qa/day/2026-11-21"   attempts reviewed whose calls began on that day (UTC)
//   "qa/agent/USER"       the agent's last kOfAgent reviewed attempts, the last one last

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/lead_store.h"
#include "campaign/qa/review.h"

namespace outpace::runtime {

// One writer at a time: see AdminShared::reviews. Any thread reads.
class QaBook {
 public:
  static constexpr size_t kOfAgent = 50, kSheets = 50;

  explicit QaBook(campaign::LeadStore& store) : store_(store) {}

  absl::StatusOr<std::vector<qa::ScoreSheet>> Sheets() const;  // by name
  // NotFound says which there are.
  absl::StatusOr<qa::ScoreSheet> Sheet(absl::string_view name) const;
  // Stored as the next version of that name, which it returns. InvalidArgument: CheckSheet();
  // ResourceExhausted: there are kSheets.
  absl::StatusOr<int> PutSheet(qa::ScoreSheet sheet);

  // Durable; in place of an earlier review of the attempt.
  absl::Status PutReview(const qa::Review& review);
  absl::StatusOr<std::optional<qa::Review>> Find(AttemptId attempt) const;
  // Of calls that began in [from, to), by that, then attempt. InvalidArgument: more than 400 days.
  absl::StatusOr<std::vector<qa::Review>> Reviews(absl::Time from, absl::Time to) const;
  // The last kOfAgent, the latest first.
  absl::StatusOr<std::vector<qa::Review>> OfAgent(const AgentId& agent) const;

  // A person is erased, with these attempts: reviews keep their figures without the comment. The
  // named values it wrote.
  absl::StatusOr<std::vector<std::string>> Forget(absl::Span<const AttemptId> attempts);

 private:
  absl::StatusOr<std::vector<AttemptId>> Index(const std::string& key) const;
  absl::StatusOr<std::vector<qa::Review>> All(absl::Span<const AttemptId> attempts) const;

  campaign::LeadStore& store_;
};

// What an agent is shown of its reviews: a JSON array as text. Who listened is not in it.
std::string ReviewsForAgent(absl::Span<const qa::Review> reviews);

}  // namespace outpace::runtime
