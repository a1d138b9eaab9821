#include "engine/call/trunk.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace outpace::call {
namespace {
constexpr absl::Duration kRetryAfterMax = absl::Minutes(5);
// Two INVITEs that leave a second apart may arrive a little closer together. The trunk's limit is
// kept as the trunk counts, not as we do.
constexpr absl::Duration kTransitSpread = absl::Milliseconds(10);
}  // namespace

absl::string_view TrunkRefusalName(TrunkRefusal refusal) {
  switch (refusal) {
    case TrunkRefusal::kNone:
      return "none";
    case TrunkRefusal::kNotRegistered:
      return "not_registered";
    case TrunkRefusal::kBreakerOpen:
      return "breaker_open";
    case TrunkRefusal::kProbing:
      return "probing";
    case TrunkRefusal::kCps:
      return "cps";
    case TrunkRefusal::kCallsMax:
      return "calls_max";
    case TrunkRefusal::kUnansweredMax:
      return "unanswered_max";
  }
  return "none";
}

TrunkGuard::TrunkGuard(TrunkLimits limits) : limits_(std::move(limits)) {
  OUTPACE_CHECK(limits_.cps > 0 && limits_.cps <= 100'000);
  OUTPACE_CHECK(limits_.breaker_failures >= 1);
  OUTPACE_CHECK(limits_.backoff_first > absl::ZeroDuration());
  OUTPACE_CHECK(limits_.backoff_max >= limits_.backoff_first);
  const double n = std::max(1.0, std::floor(limits_.cps));
  starts_.resize(static_cast<size_t>(n));
  starts_window_ = absl::Seconds(std::max(1.0, n / limits_.cps)) + kTransitSpread;
  registered_ = !limits_.registers;
  unregistered_why_ = "not registered yet";
  backoff_ = limits_.backoff_first;
}

TrunkRefusal TrunkGuard::Admit(TrunkTicket& ticket, MonoTime now) {
  OUTPACE_CHECK(!ticket.held);
  Tick(now);
  const auto refuse = [this](TrunkRefusal why) {
    ++refusals_;
    return why;
  };
  if (!registered_) return refuse(TrunkRefusal::kNotRegistered);
  if (breaker_ == Breaker::kOpen) return refuse(TrunkRefusal::kBreakerOpen);
  if (breaker_ == Breaker::kHalfOpen && probe_out_) return refuse(TrunkRefusal::kProbing);
  if (calls_ >= limits_.calls_max) return refuse(TrunkRefusal::kCallsMax);
  if (unanswered_ >= limits_.unanswered_max) return refuse(TrunkRefusal::kUnansweredMax);
  if (starts_count_ == starts_.size() && now - starts_[starts_next_] < starts_window_) {
    return refuse(TrunkRefusal::kCps);
  }
  starts_[starts_next_] = now;
  starts_next_ = (starts_next_ + 1) % starts_.size();
  starts_count_ = std::min(starts_count_ + 1, starts_.size());
  ticket = TrunkTicket{.held = true, .unanswered = true};
  if (breaker_ == Breaker::kHalfOpen) {
    ticket.probe = true;
    probe_out_ = true;
  }
  ++calls_;
  ++unanswered_;
  ++attempts_;
  return TrunkRefusal::kNone;
}

absl::Duration TrunkGuard::RetryAfter(TrunkRefusal refusal, MonoTime now) const {
  if (refusal == TrunkRefusal::kBreakerOpen) return std::max(probe_at_ - now, absl::ZeroDuration());
  if (refusal == TrunkRefusal::kCps) {
    return std::max(starts_window_ - (now - starts_[starts_next_]), absl::ZeroDuration());
  }
  return absl::ZeroDuration();
}

void TrunkGuard::Refund(TrunkTicket& ticket) {
  if (!ticket.held) return;
  --attempts_;
  ticket.settled = true;
  Release(ticket);
}

void TrunkGuard::Heard(TrunkTicket& ticket) {
  if (!ticket.unanswered) return;
  ticket.unanswered = false;
  --unanswered_;
}

void TrunkGuard::Settle(TrunkTicket& ticket, TrunkVerdict verdict, absl::Duration retry_after,
                        MonoTime now) {
  if (!ticket.held || ticket.settled) return;
  ticket.settled = true;
  const bool probe = std::exchange(ticket.probe, false);
  if (probe) probe_out_ = false;
  if (verdict == TrunkVerdict::kResponded) {
    Succeed(probe);
  } else {
    Fail(probe, verdict, retry_after, now);
  }
}

void TrunkGuard::Release(TrunkTicket& ticket) {
  if (!ticket.held) return;
  Heard(ticket);
  if (ticket.probe) probe_out_ = false;
  --calls_;
  ticket = TrunkTicket{};
}

void TrunkGuard::Tick(MonoTime now) {
  if (breaker_ != Breaker::kOpen || now < probe_at_) return;
  breaker_ = Breaker::kHalfOpen;
  probe_out_ = false;
  Tell("one call at a time");
}

std::optional<TrunkChange> TrunkGuard::TakeChange() { return std::exchange(change_, std::nullopt); }

void TrunkGuard::Succeed(bool probe) {
  options_lost_ = 0;  // a call that got through proves more than an answer to OPTIONS
  // While open or half-open, what an older call brings says nothing about the trunk as it is now.
  if (breaker_ == Breaker::kClosed) {
    fails_.clear();
    return;
  }
  if (breaker_ != Breaker::kHalfOpen || !probe) return;
  breaker_ = Breaker::kClosed;
  backoff_ = limits_.backoff_first;
  fails_.clear();
  Tell("a call got through");
}

void TrunkGuard::OptionsResult(bool answered, MonoTime now) {
  Tick(now);
  if (!answered) {
    if (++options_lost_ >= kOptionsLost && breaker_ == Breaker::kClosed) {
      Open(backoff_, TrunkVerdict::kNoResponse,
           absl::StrCat("no answer to ", options_lost_, " OPTIONS in a row"), now);
    }
    return;
  }
  options_lost_ = 0;
  if (breaker_ == Breaker::kOpen && opened_by_ == TrunkVerdict::kNoResponse) {
    probe_at_ = now;
    Tick(now);
  }
}

void TrunkGuard::SetRegistered(bool registered, absl::string_view reason) {
  if (!limits_.registers || (registered == registered_ && reason == unregistered_why_)) return;
  registered_ = registered;
  unregistered_why_ = std::string(reason);
  Tell(registered ? "registered" : "");
}

void TrunkGuard::Tell(std::string reason) {
  change_ = TrunkChange{.open = !registered_ || breaker_ == Breaker::kOpen,
                        .probing = registered_ && breaker_ == Breaker::kHalfOpen,
                        .reason = registered_ ? std::move(reason) : unregistered_why_};
}

void TrunkGuard::Fail(bool probe, TrunkVerdict verdict, absl::Duration retry_after, MonoTime now) {
  ++failures_;
  const absl::Duration asked = std::min(retry_after, kRetryAfterMax);
  const char* what = verdict == TrunkVerdict::kNoResponse ? "no response" : "refuses calls";
  switch (breaker_) {
    case Breaker::kOpen:
      if (now + asked > probe_at_) probe_at_ = now + asked;
      return;
    case Breaker::kHalfOpen:
      if (!probe) return;
      backoff_ = std::min(backoff_ * 2, limits_.backoff_max);
      Open(std::max(backoff_, asked), verdict, absl::StrCat("probe: ", what), now);
      return;
    case Breaker::kClosed:
      break;
  }
  if (asked > absl::ZeroDuration()) {
    Open(asked, verdict, absl::StrCat("503 with Retry-After ", absl::FormatDuration(asked)), now);
    return;
  }
  fails_.push_back(now);
  if (fails_.size() > static_cast<size_t>(limits_.breaker_failures)) fails_.erase(fails_.begin());
  if (fails_.size() == static_cast<size_t>(limits_.breaker_failures) &&
      now - fails_.front() <= limits_.breaker_window) {
    Open(backoff_, verdict, absl::StrCat(fails_.size(), " failures in a row: ", what), now);
  }
}

void TrunkGuard::Open(absl::Duration wait, TrunkVerdict why, std::string reason, MonoTime now) {
  breaker_ = Breaker::kOpen;
  opened_by_ = why;
  probe_at_ = now + wait;
  probe_out_ = false;
  fails_.clear();
  Tell(std::move(reason));
}

}  // namespace outpace::call
