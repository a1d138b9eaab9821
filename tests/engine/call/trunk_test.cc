#include "engine/call/trunk.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"

namespace outpace::call {
namespace {

MonoTime At(double seconds) { return MonoTime() + absl::Seconds(seconds); }

TrunkLimits Limits() {
  TrunkLimits limits;
  limits.name = "carrier";
  limits.cps = 1000;
  limits.calls_max = 1000;
  limits.breaker_failures = 3;
  limits.breaker_window = absl::Seconds(10);
  limits.backoff_first = absl::Seconds(5);
  limits.backoff_max = absl::Seconds(15);
  return limits;
}

// One call that ends with `verdict` at `now`.
TrunkRefusal CallOnce(TrunkGuard& guard, TrunkVerdict verdict, MonoTime now,
                      absl::Duration retry_after = absl::ZeroDuration()) {
  TrunkTicket ticket;
  const TrunkRefusal refusal = guard.Admit(ticket, now);
  if (refusal != TrunkRefusal::kNone) return refusal;
  guard.Settle(ticket, verdict, retry_after, now);
  guard.Release(ticket);
  return TrunkRefusal::kNone;
}

void Fail(TrunkGuard& guard, int times, MonoTime now) {
  for (int i = 0; i < times; ++i) CallOnce(guard, TrunkVerdict::kNoResponse, now);
}

TEST(TrunkGuardRate, NeverAboveCpsInAnySecond) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    TrunkLimits limits = Limits();
    limits.cps = 1 + static_cast<double>(rng.Below(300)) / 10;
    limits.unanswered_max = 1'000'000;
    limits.calls_max = 1'000'000;
    TrunkGuard guard(limits);
    std::deque<MonoTime> last_second;
    MonoTime now = At(1);
    int let_through = 0;
    for (int i = 0; i < 3000; ++i) {
      now = now + absl::Milliseconds(rng.Exponential(10));
      TrunkTicket ticket;
      if (guard.Admit(ticket, now) != TrunkRefusal::kNone) continue;
      ++let_through;
      last_second.push_back(now);
      while (now - last_second.front() >= absl::Seconds(1)) last_second.pop_front();
      ASSERT_LE(static_cast<double>(last_second.size()), limits.cps);
    }
    // Asked a hundred times a second it uses nearly all it may.
    const double seconds = absl::ToDoubleSeconds(now - At(1));
    EXPECT_GE(let_through, 0.9 * std::floor(limits.cps) * seconds - 1);
  }
}

TEST(TrunkGuardRate, LessThanOneASecond) {
  TrunkLimits limits = Limits();
  limits.cps = 0.5;
  TrunkGuard guard(limits);
  TrunkTicket a, b, c;
  EXPECT_EQ(guard.Admit(a, At(0)), TrunkRefusal::kNone);
  EXPECT_EQ(guard.Admit(b, At(1.5)), TrunkRefusal::kCps);
  EXPECT_EQ(guard.RetryAfter(TrunkRefusal::kCps, At(1.5)), absl::Milliseconds(510));
  EXPECT_EQ(guard.Admit(c, At(2.02)), TrunkRefusal::kNone);
}

TEST(TrunkGuardCaps, CallsAtOnce) {
  TrunkLimits limits = Limits();
  limits.calls_max = 2;
  TrunkGuard guard(limits);
  TrunkTicket a, b, c;
  EXPECT_EQ(guard.Admit(a, At(0)), TrunkRefusal::kNone);
  EXPECT_EQ(guard.Admit(b, At(0)), TrunkRefusal::kNone);
  EXPECT_EQ(guard.Admit(c, At(0)), TrunkRefusal::kCallsMax);
  EXPECT_FALSE(c.held);
  guard.Release(a);
  EXPECT_EQ(guard.Admit(c, At(0)), TrunkRefusal::kNone);
  EXPECT_EQ(guard.calls(), 2);
}

TEST(TrunkGuardCaps, InvitesWithoutResponse) {
  TrunkLimits limits = Limits();
  limits.unanswered_max = 1;
  TrunkGuard guard(limits);
  TrunkTicket a, b;
  EXPECT_EQ(guard.Admit(a, At(0)), TrunkRefusal::kNone);
  EXPECT_EQ(guard.Admit(b, At(0)), TrunkRefusal::kUnansweredMax);
  guard.Heard(a);
  guard.Heard(a);  // twice is once
  EXPECT_EQ(guard.unanswered(), 0);
  EXPECT_EQ(guard.Admit(b, At(0)), TrunkRefusal::kNone);
}

TEST(TrunkGuardCaps, RefundGivesTheCallBackButNotTheRate) {
  TrunkLimits limits = Limits();
  limits.cps = 1;
  TrunkGuard guard(limits);
  TrunkTicket ticket;
  EXPECT_EQ(guard.Admit(ticket, At(0)), TrunkRefusal::kNone);
  guard.Refund(ticket);
  guard.Release(ticket);
  EXPECT_EQ(guard.calls(), 0);
  EXPECT_EQ(guard.unanswered(), 0);
  EXPECT_EQ(guard.attempts(), 0u);
  EXPECT_EQ(guard.Admit(ticket, At(0.5)), TrunkRefusal::kCps);
}

TEST(TrunkBreaker, OpensAfterFailuresInARow) {
  TrunkGuard guard(Limits());
  Fail(guard, 2, At(1));
  EXPECT_FALSE(guard.TakeChange().has_value());
  CallOnce(guard, TrunkVerdict::kUnavailable, At(2));
  const auto change = guard.TakeChange();
  ASSERT_TRUE(change.has_value());
  EXPECT_TRUE(change->open);
  EXPECT_FALSE(change->reason.empty());
  TrunkTicket ticket;
  EXPECT_EQ(guard.Admit(ticket, At(3)), TrunkRefusal::kBreakerOpen);
  EXPECT_EQ(guard.RetryAfter(TrunkRefusal::kBreakerOpen, At(3)), absl::Seconds(4));
  EXPECT_EQ(guard.failures(), 3u);
  EXPECT_EQ(guard.refusals(), 1u);
}

TEST(TrunkBreaker, AResponseInBetweenStartsTheCountAgain) {
  TrunkGuard guard(Limits());
  for (int i = 0; i < 20; ++i) {
    Fail(guard, 2, At(i));
    CallOnce(guard, TrunkVerdict::kResponded, At(i));
  }
  EXPECT_EQ(guard.breaker(), TrunkGuard::Breaker::kClosed);
}

TEST(TrunkBreaker, FailuresFarApartDoNotAddUp) {
  TrunkGuard guard(Limits());
  for (int i = 0; i < 20; ++i) Fail(guard, 1, At(6.0 * i));  // three in a row span 12 s
  EXPECT_EQ(guard.breaker(), TrunkGuard::Breaker::kClosed);
  Fail(guard, 2, At(115));
  EXPECT_EQ(guard.breaker(), TrunkGuard::Breaker::kOpen);
}

TEST(TrunkBreaker, HalfOpenLetsOneProbeThrough) {
  TrunkGuard guard(Limits());
  Fail(guard, 3, At(0));
  guard.TakeChange();
  guard.Tick(At(4.9));
  EXPECT_EQ(guard.breaker(), TrunkGuard::Breaker::kOpen);
  guard.Tick(At(5));
  const auto probing = guard.TakeChange();
  ASSERT_TRUE(probing.has_value());
  EXPECT_TRUE(probing->probing);
  EXPECT_FALSE(probing->open);

  TrunkTicket probe, other;
  EXPECT_EQ(guard.Admit(probe, At(5)), TrunkRefusal::kNone);
  EXPECT_EQ(guard.Admit(other, At(5)), TrunkRefusal::kProbing);
  guard.Settle(probe, TrunkVerdict::kResponded, absl::ZeroDuration(), At(7));
  const auto closed = guard.TakeChange();
  ASSERT_TRUE(closed.has_value());
  EXPECT_FALSE(closed->open || closed->probing);
  EXPECT_EQ(guard.Admit(other, At(7)), TrunkRefusal::kNone);
}

TEST(TrunkBreaker, BackOffDoublesToItsMaximumAndStartsAfresh) {
  TrunkGuard guard(Limits());
  Fail(guard, 3, At(0));
  MonoTime now = At(0);
  for (const int wait : {5, 10, 15, 15}) {
    EXPECT_EQ(guard.probe_at() - now, absl::Seconds(wait));
    now = guard.probe_at();
    Fail(guard, 1, now);
  }
  now = guard.probe_at();
  CallOnce(guard, TrunkVerdict::kResponded, now);
  EXPECT_EQ(guard.breaker(), TrunkGuard::Breaker::kClosed);
  Fail(guard, 3, now);
  EXPECT_EQ(guard.probe_at() - now, absl::Seconds(5));
}

TEST(TrunkBreaker, RetryAfterClosesTheTrunkAtOnceForFiveMinutesAtMost) {
  TrunkGuard guard(Limits());
  CallOnce(guard, TrunkVerdict::kUnavailable, At(0), absl::Seconds(20));
  EXPECT_EQ(guard.breaker(), TrunkGuard::Breaker::kOpen);
  EXPECT_EQ(guard.probe_at(), At(20));

  TrunkGuard hostile(Limits());
  CallOnce(hostile, TrunkVerdict::kUnavailable, At(0), absl::Hours(24));
  EXPECT_EQ(hostile.probe_at(), At(300));
}

TEST(TrunkBreaker, OldCallsDoNotJudgeAHalfOpenTrunk) {
  TrunkGuard guard(Limits());
  TrunkTicket old_good, old_bad;
  ASSERT_EQ(guard.Admit(old_good, At(0)), TrunkRefusal::kNone);
  ASSERT_EQ(guard.Admit(old_bad, At(0)), TrunkRefusal::kNone);
  Fail(guard, 3, At(0));
  guard.Tick(At(5));
  guard.Settle(old_good, TrunkVerdict::kResponded, absl::ZeroDuration(), At(5));
  guard.Settle(old_bad, TrunkVerdict::kNoResponse, absl::ZeroDuration(), At(5));
  EXPECT_EQ(guard.breaker(), TrunkGuard::Breaker::kHalfOpen);
}

TEST(TrunkBreaker, AProbeThatSaysNothingMakesRoomForTheNext) {
  TrunkGuard guard(Limits());
  Fail(guard, 3, At(0));
  TrunkTicket probe, next;
  ASSERT_EQ(guard.Admit(probe, At(5)), TrunkRefusal::kNone);
  guard.Release(probe);
  EXPECT_EQ(guard.Admit(next, At(6)), TrunkRefusal::kNone);
  EXPECT_TRUE(next.probe);
}

TEST(TrunkBreaker, OnlyTheFirstVerdictOfACallCounts) {
  TrunkGuard guard(Limits());
  TrunkTicket ticket;
  ASSERT_EQ(guard.Admit(ticket, At(0)), TrunkRefusal::kNone);
  for (int i = 0; i < 10; ++i) {
    guard.Settle(ticket, TrunkVerdict::kNoResponse, absl::ZeroDuration(), At(1));
  }
  EXPECT_EQ(guard.failures(), 1u);
  EXPECT_EQ(guard.breaker(), TrunkGuard::Breaker::kClosed);
}

}  // namespace
}  // namespace outpace::call
