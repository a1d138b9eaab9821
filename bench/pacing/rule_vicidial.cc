// VICIdial's automatic dialing as its manuals and other users describe it: a dial loop that keeps
// level x agents lines out, and a slower loop that moves the level. The level is an integrator on
// "agents free" without any model of ring time, answer ratio or talk time, cut back by the day's
// share of dropped calls.

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>

#include "bench/pacing/rule_base.h"
#include "bench/pacing/rules.h"
#include "engine/base/check.h"

namespace outpace::lab {
namespace {

constexpr size_t kSamples = 15;          // one a second
constexpr int64_t kCallsMin = 50;        // of a day, before its drop share counts
constexpr int64_t kMinuteCallsMin = 20;  // of a minute, before its drop share counts

class VicidialRule final : public RuleBase {
 public:
  explicit VicidialRule(const VicidialSettings& settings)
      : settings_(settings), level_(settings.level) {}

  void OnDialed(AttemptId id, const pacing::LeadTraits& lead, MonoTime now) override {
    RuleBase::OnDialed(id, lead, now);
    minute_calls_.push_back(now);
  }
  void OnConnected(AttemptId id, MonoTime now) override {
    RuleBase::OnConnected(id, now);
    ++handled_today_;
  }
  void OnAbandoned(AttemptId id, MonoTime now) override {
    RuleBase::OnAbandoned(id, now);
    ++dropped_today_;
    minute_drops_.push_back(now);
  }
  // The agent's disposition "answering machine" takes the call out of the human-answered ones.
  void OnWasMachine(AttemptId) override {
    --handled_today_;
    ++machines_today_;
  }

 private:
  int64_t Wanted(const pacing::PacingInput& input, MonoTime now,
                 pacing::Decision& decision) override {
    if (!started_) Start(now);
    if (now >= day_ends_) {
      day_ends_ = now + absl::Hours(24);
      handled_today_ = machines_today_ = dropped_today_ = 0;
    }
    if (now >= sample_at_) Sample(input, now);
    if (now >= statistics_at_) {
      statistics_at_ = now + settings_.statistics_every;
      CountDrops();
    }
    if (now >= level_at_) {
      level_at_ = now + settings_.level_loop;
      if (settings_.method != VicidialMethod::kRatio) MoveLevel(now);
    }
    decision.limit = pacing::Limit::kLevel;
    if (now < dial_at_) return 0;
    dial_at_ = now + settings_.dial_loop;
    const int in_call = talking();
    const double counted =
        settings_.available_only ? input.agents_idle : input.agents_idle + in_call;
    int64_t goal = std::llround(level_ * (counted + settings_.diff_target));
    if (settings_.available_only) goal += in_call;
    return goal - (in_flight() + input.calls_in_amd + input.calls_waiting + in_call);
  }

  void Start(MonoTime now) {
    started_ = true;
    began_ = sample_at_ = dial_at_ = now;
    statistics_at_ = now + settings_.statistics_every;
    level_at_ = now + settings_.level_loop;
    day_ends_ = now + (absl::Hours(24) - settings_.starts_at);
  }

  void CountDrops() {
    const auto handled = static_cast<double>(handled_today_);
    const auto machines = static_cast<double>(machines_today_);
    auto drops = static_cast<double>(dropped_today_);
    if (settings_.machines_among_drops && machines > 0) drops *= handled / (handled + machines);
    calls_counted_ = handled_today_ + dropped_today_;
    drop_share_ = handled + drops > 0 ? drops / (handled + drops) : 0;
  }

  void Sample(const pacing::PacingInput& input, MonoTime now) {
    sample_at_ = now + absl::Seconds(1);
    samples_[sampled_++ % kSamples] = {static_cast<double>(input.agents_idle),
                                       static_cast<double>(input.calls_waiting),
                                       static_cast<double>(input.agents_idle + talking())};
    const MonoTime old = now + -absl::Minutes(1);
    while (!minute_calls_.empty() && minute_calls_.front() < old) minute_calls_.pop_front();
    while (!minute_drops_.empty() && minute_drops_.front() < old) minute_drops_.pop_front();
  }

  void MoveLevel(MonoTime now) {
    const size_t n = std::min(sampled_, kSamples);
    double ready = 0;
    double waiting = 0;
    double agents = 0;
    for (size_t i = 0; i < n; ++i) {
      ready += samples_[i].ready;
      waiting += samples_[i].waiting;
      agents += samples_[i].agents;
    }
    if (agents > 0) {
      const double samples = static_cast<double>(n);
      double f = ((ready - waiting) / samples + settings_.diff_target) / (agents / samples);
      f *= f >= 0 ? 1 + settings_.intensity / 100 : std::abs(settings_.intensity / 100 - 1);
      level_ *= 1 + f;
    }
    level_ = std::clamp(level_, 1.0, std::max(1.0, settings_.level_max));
    const auto calls = static_cast<int64_t>(minute_calls_.size());
    if (calls > kMinuteCallsMin && 2 * static_cast<int64_t>(minute_drops_.size()) > calls) {
      level_ /= 2;
    }
    if (calls_counted_ > kCallsMin && drop_share_ > settings_.dropped_share_max) {
      switch (settings_.method) {
        case VicidialMethod::kRatio:
          break;
        case VicidialMethod::kHardLimit:
          level_ = 1;
          break;
        case VicidialMethod::kAverage:
          level_ /= 2;
          break;
        case VicidialMethod::kTapered:
          level_ *= Taper(now);
          break;
      }
    }
    level_ = std::max(level_, 1.0);
  }

  // Works on HHMM numbers as VICIdial does: full speed while more than ten "hours" remain.
  double Taper(MonoTime now) const {
    absl::Duration of_day;
    absl::IDivDuration(settings_.starts_at + (now - began_), absl::Hours(24), &of_day);
    const int64_t minutes = absl::ToInt64Minutes(of_day);
    const auto left =
        static_cast<double>(settings_.latest_server_time - (minutes / 60 * 100 + minutes % 60));
    return std::clamp(left / 1000, 0.0, 1.0);
  }

  struct Second {
    double ready = 0;
    double waiting = 0;
    double agents = 0;
  };

  VicidialSettings settings_;
  double level_;
  bool started_ = false;
  MonoTime began_;
  MonoTime sample_at_;
  MonoTime dial_at_;
  MonoTime level_at_;
  MonoTime statistics_at_;
  MonoTime day_ends_;
  std::array<Second, kSamples> samples_;
  size_t sampled_ = 0;
  std::deque<MonoTime> minute_calls_;
  std::deque<MonoTime> minute_drops_;
  int64_t handled_today_ = 0;  // human-answered and met by an agent
  int64_t machines_today_ = 0;
  int64_t dropped_today_ = 0;  // human or machine, nobody knows
  int64_t calls_counted_ = 0;  // as of the last statistics
  double drop_share_ = 0;
};

}  // namespace

Floor::PolicyMaker Vicidial(const VicidialSettings& settings) {
  OUTPACE_CHECK(settings.level >= 0 && settings.level_max >= 0);
  return [settings](const Floor&, size_t) { return std::make_unique<VicidialRule>(settings); };
}

}  // namespace outpace::lab
