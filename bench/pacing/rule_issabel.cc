// Issabel's predictor: every few seconds, free agents plus the busy ones whose talk is nearly over
// by the unconditional law of an exponential talk time, which is late by design: an agent counts
// after about 3.5 mean talk times.

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

#include "bench/pacing/rule_base.h"
#include "bench/pacing/rules.h"

namespace outpace::lab {
namespace {

class IssabelRule final : public RuleBase {
 public:
  explicit IssabelRule(const IssabelSettings& settings) : settings_(settings) {}

  void OnAnswered(AttemptId id, MonoTime now) override {
    RuleBase::OnAnswered(id, now);
    Ended(now, true);
    if (!answered().empty() && answered().back().id == id) {
      ring_s_ += answered().back().mark / 1000.0;
      ++rings_;
    }
  }
  void OnResolved(AttemptId id, pacing::AttemptResult result, MonoTime now) override {
    const int before = in_flight();
    RuleBase::OnResolved(id, result, now);
    // A machine has answered for the trunk's answer ratio. After OnAnswered it is counted already.
    if (in_flight() < before) Ended(now, result == pacing::AttemptResult::kMachine);
  }
  void OnTalkEnded(AttemptId id, absl::Duration talk, MonoTime now) override {
    RuleBase::OnTalkEnded(id, talk, now);
    talk_s_ += absl::ToDoubleSeconds(talk);
    ++talks_;
  }

 private:
  int64_t Wanted(const pacing::PacingInput& input, MonoTime now,
                 pacing::Decision& decision) override {
    if (reviewed_ && now < review_at_) return 0;
    reviewed_ = true;
    review_at_ = now + settings_.review;
    int64_t n = input.agents_idle;
    if (talks_ >= settings_.completed_min) {
      const double ring = rings_ > 0 ? ring_s_ / rings_ : 0;
      const double mean = talk_s_ / talks_;
      for (const absl::Duration age : input.talk_ages) {
        if (-std::expm1(-(absl::ToDoubleSeconds(age) + ring) / mean) >= settings_.qos) ++n;
      }
    }
    n -= input.calls_waiting;
    n = std::min<int64_t>(n, input.lines_free) - in_flight() - input.calls_in_amd;
    if (n <= 0 || !settings_.overcommit) return n;
    const MonoTime old = now + -absl::Minutes(30);
    while (!ends_.empty() && ends_.front().first < old) {
      answers_ -= ends_.front().second ? 1 : 0;
      ends_.pop_front();
    }
    if (ends_.size() < static_cast<size_t>(settings_.completed_min)) return n;
    const double ratio = answers_ / static_cast<double>(ends_.size());
    decision.answer_ratio = ratio;
    return std::llround(static_cast<double>(n) / std::max(settings_.answer_ratio_min, ratio));
  }

  void Ended(MonoTime now, bool answered) {
    ends_.emplace_back(now, answered);
    answers_ += answered ? 1 : 0;
  }

  IssabelSettings settings_;
  bool reviewed_ = false;
  MonoTime review_at_;
  std::deque<std::pair<MonoTime, bool>> ends_;  // of the last 30 minutes
  int answers_ = 0;                             // of those
  double ring_s_ = 0;
  int rings_ = 0;
  double talk_s_ = 0;
  int talks_ = 0;
};

}  // namespace

Floor::PolicyMaker Issabel(const IssabelSettings& settings) {
  return [settings](const Floor&, size_t) { return std::make_unique<IssabelRule>(settings); };
}

}  // namespace outpace::lab
