// The resolver against a name server of our own on loopback. The clock that TTLs are measured with
// is moved by the tests; only c-ares' own time-outs are real, and short.

#include "engine/resolve/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "tests/engine/resolve/dns_server.h"

namespace outpace::resolve {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class ManualClock final : public Clock {
 public:
  MonoTime Mono() const override { return MonoTime(nanos_.load()); }
  absl::Time Wall() const override { return absl::UnixEpoch(); }
  void Advance(absl::Duration d) { nanos_ += absl::ToInt64Nanoseconds(d); }

 private:
  std::atomic<int64_t> nanos_{1'000'000'000};
};

// The test's thread plays the loop.
class TestLoop final : public Loop {
 public:
  explicit TestLoop(const Clock& clock) : clock_(clock) {}
  const Clock& clock() const override { return clock_; }
  bool Post(Task task) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (full_) {
      ++refused_;
      changed_.notify_all();
      return false;
    }
    tasks_.push_back(std::move(task));
    changed_.notify_all();
    return true;
  }
  TimerId After(absl::Duration, Task) override {
    OUTPACE_CHECK(false);
    return 0;
  }
  void Cancel(TimerId) override {}

  // Runs what comes until `done` holds; false after 20 s.
  template <typename Done>
  bool RunUntil(Done done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      lock.unlock();
      const bool is_done = done();
      lock.lock();
      if (is_done) return true;
      if (tasks_.empty() && changed_.wait_until(lock, deadline) == std::cv_status::timeout &&
          tasks_.empty()) {
        return false;
      }
      while (!tasks_.empty()) {
        Task task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        task();
        lock.lock();
      }
    }
  }
  size_t waiting() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return tasks_.size();
  }
  void SetFull(bool full) {
    const std::lock_guard<std::mutex> lock(mutex_);
    full_ = full;
  }
  bool WaitRefused() {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [this] { return refused_ > 0; });
  }

 private:
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  bool full_ = false;
  int refused_ = 0;
};

class ResolverTest : public ::testing::Test {
 protected:
  ResolverTest() { Start({}); }

  void Start(ResolverOptions options) {
    resolver_ = nullptr;
    options.nameservers = {server_.address()};
    options.timeout = timeout_;
    resolver_ = Resolver::Create(clock_, Rng(1), std::move(options)).value();
  }
  void Watch(absl::string_view peer, Transport transport = Transport::kUdp) {
    watch_ = resolver_
                 ->Add(peer, transport, loop_,
                       [this](const Resolution& resolution) { told_.push_back(resolution); })
                 .value();
  }
  // Until the callback has come `count` times in all; the last of them.
  const Resolution& Told(size_t count) {
    EXPECT_TRUE(loop_.RunUntil([&] { return told_.size() >= count; })) << "told " << told_.size();
    static const Resolution* const kNothing =
        new Resolution{.status = absl::UnknownError("nothing was told")};
    return told_.size() >= count ? told_[count - 1] : *kNothing;
  }
  // Asks one more, unrelated name and waits for its answer: whatever was to be told before it for
  // answers that have come is told now.
  void Settle() {
    const std::string name = absl::StrCat("settle", ++settled_, ".test");
    server_.Set(name, kTypeA, {.records = {DnsServer::A("192.0.2.99")}});
    bool done = false;
    const auto watch =
        resolver_->Add(name + ":1", Transport::kUdp, loop_, [&](const Resolution&) { done = true; })
            .value();
    EXPECT_TRUE(loop_.RunUntil([&] { return done; }));
  }
  void Advance(absl::Duration d) {
    clock_.Advance(d);
    resolver_->CheckClock();
  }
  static std::vector<std::string> Texts(const Resolution& resolution) {
    std::vector<std::string> out;
    for (const Target& target : resolution.targets) out.push_back(target.ToString());
    return out;
  }

  static constexpr char kSrv[] = "_sip._udp.carrier.test";
  absl::Duration timeout_ = absl::Milliseconds(300);
  DnsServer server_;
  ManualClock clock_;
  TestLoop loop_{clock_};
  std::vector<Resolution> told_;
  int settled_ = 0;
  std::unique_ptr<Resolver> resolver_;
  std::unique_ptr<Resolver::Watch> watch_;
};

TEST_F(ResolverTest, ANumericPeerIsItselfAndNobodyIsAsked) {
  Watch("192.0.2.10:5070");
  EXPECT_THAT(Texts(Told(1)), ElementsAre("192.0.2.10:5070"));
  Watch("[2001:db8::1]", Transport::kTls);
  EXPECT_THAT(Texts(Told(2)), ElementsAre("[2001:db8::1]:5061"));
  Advance(absl::Hours(100));
  Settle();
  EXPECT_EQ(told_.size(), 2u);
  EXPECT_EQ(resolver_->counters().questions, 2u) << "those of Settle()";
}

TEST_F(ResolverTest, ANameWithAPortIsAddressesOnly) {
  server_.Set("sip.carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.1")}});
  server_.Set("sip.carrier.test", kTypeAaaa, {.records = {DnsServer::Aaaa("2001:db8::1")}});
  Watch("SIP.carrier.test:5080");
  EXPECT_THAT(Texts(Told(1)), ElementsAre("192.0.2.1:5080", "[2001:db8::1]:5080"));
  EXPECT_EQ(server_.Asked("_sip._udp.sip.carrier.test", kTypeSrv), 0);
}

TEST_F(ResolverTest, SrvGivesHostsPortsAndPriorities) {
  server_.Set(kSrv, kTypeSrv,
              {.records = {DnsServer::Srv(20, 0, 5060, "b.carrier.test"),
                           DnsServer::Srv(10, 5, 5090, "a.carrier.test")}});
  server_.Set("a.carrier.test", kTypeA,
              {.records = {DnsServer::Cname("real.carrier.test"), DnsServer::A("192.0.2.1")}});
  server_.Set("b.carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.2")}});
  server_.Set("b.carrier.test", kTypeAaaa, {.records = {DnsServer::Aaaa("2001:db8::2")}});
  Watch("carrier.test");
  const Resolution& resolution = Told(1);
  EXPECT_TRUE(resolution.status.ok()) << resolution.status;
  EXPECT_THAT(Texts(resolution),
              ElementsAre("192.0.2.1:5090", "192.0.2.2:5060", "[2001:db8::2]:5060"));
  EXPECT_EQ(resolution.targets[0].host, "a.carrier.test");
  EXPECT_EQ(resolution.targets[0].priority, 10);
  EXPECT_EQ(resolution.targets[0].weight, 5);
}

TEST_F(ResolverTest, TheServiceIsThatOfTheTransport) {
  server_.Set("_sip._tcp.carrier.test", kTypeSrv,
              {.records = {DnsServer::Srv(1, 1, 5070, "tcp.carrier.test")}});
  server_.Set("_sips._tcp.carrier.test", kTypeSrv,
              {.records = {DnsServer::Srv(1, 1, 5071, "tls.carrier.test")}});
  server_.Set("tcp.carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.3")}});
  server_.Set("tls.carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.4")}});
  Watch("carrier.test", Transport::kTcp);
  EXPECT_THAT(Texts(Told(1)), ElementsAre("192.0.2.3:5070"));
  Watch("carrier.test", Transport::kTls);
  EXPECT_THAT(Texts(Told(2)), ElementsAre("192.0.2.4:5071"));
}

TEST_F(ResolverTest, WithoutSrvTheNameItselfIsTheHost) {
  server_.Set("carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.5")}});
  Watch("carrier.test");
  EXPECT_THAT(Texts(Told(1)), ElementsAre("192.0.2.5:5060"));
  EXPECT_EQ(server_.Asked(kSrv, kTypeSrv), 1);
  Watch("carrier.test", Transport::kTls);
  EXPECT_THAT(Texts(Told(2)), ElementsAre("192.0.2.5:5061"));
}

TEST_F(ResolverTest, AServiceThatIsDecidedlyNotThereIsNotDialed) {
  server_.Set(kSrv, kTypeSrv, {.records = {DnsServer::Srv(0, 0, 0, "")}});
  server_.Set("carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.5")}});
  Watch("carrier.test");
  EXPECT_EQ(Told(1).status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(told_[0].status.message()), HasSubstr("takes no calls"));
  EXPECT_THAT(told_[0].targets, IsEmpty());
}

TEST_F(ResolverTest, NoSuchNameIsToldAndAskedAgainSoon) {
  server_.Set("carrier.test", kTypeA, {.rcode = 3, .soa_minimum = 3600});
  server_.Set("carrier.test", kTypeAaaa, {.rcode = 3, .soa_minimum = 3600});
  Watch("carrier.test:5060");
  EXPECT_EQ(Told(1).status.code(), absl::StatusCode::kNotFound);
  // Whatever the zone asks for, a trunk that comes into being is seen within a minute.
  server_.Set("carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.5")}});
  Advance(absl::Seconds(60));
  EXPECT_THAT(Texts(Told(2)), ElementsAre("192.0.2.5:5060"));
  EXPECT_TRUE(told_[1].status.ok());
}

TEST_F(ResolverTest, AnswersAreAskedForAgainBeforeTheyExpire) {
  server_.Set("carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.5", 100)}});
  Watch("carrier.test:5060");
  Told(1);
  Advance(absl::Seconds(79));
  Settle();
  EXPECT_EQ(server_.Asked("carrier.test", kTypeA), 1);
  server_.Set("carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.6", 100)}});
  Advance(absl::Seconds(1));
  EXPECT_THAT(Texts(Told(2)), ElementsAre("192.0.2.6:5060"));
  EXPECT_FALSE(told_[1].stale);
}

TEST_F(ResolverTest, TtlsAreClampedBothWays) {
  server_.Set("short.test", kTypeA, {.records = {DnsServer::A("192.0.2.5", 0)}});
  server_.Set("long.test", kTypeA, {.records = {DnsServer::A("192.0.2.6", 604'800)}});
  Watch("short.test:5060");
  Told(1);
  const std::unique_ptr<Resolver::Watch> first = std::move(watch_);
  Watch("long.test:5060");
  Told(2);
  Advance(absl::Seconds(3.9));  // four fifths of 5 s
  Settle();
  EXPECT_EQ(server_.Asked("short.test", kTypeA), 1);
  Advance(absl::Seconds(0.1));
  EXPECT_TRUE(server_.WaitAsked("short.test", kTypeA, 2));
  EXPECT_EQ(server_.Asked("long.test", kTypeA), 1);
  Advance(absl::Minutes(48));  // four fifths of an hour
  EXPECT_TRUE(server_.WaitAsked("long.test", kTypeA, 2));
}

TEST_F(ResolverTest, AnotherOrderIsNoNews) {
  server_.Set("carrier.test", kTypeA,
              {.records = {DnsServer::A("192.0.2.5"), DnsServer::A("192.0.2.6")}});
  Watch("carrier.test:5060");
  EXPECT_THAT(Texts(Told(1)), UnorderedElementsAre("192.0.2.5:5060", "192.0.2.6:5060"));
  server_.Set("carrier.test", kTypeA,
              {.records = {DnsServer::A("192.0.2.6"), DnsServer::A("192.0.2.5")}});
  resolver_->RefreshAll();
  EXPECT_TRUE(server_.WaitAsked("carrier.test", kTypeAaaa, 2));
  Settle();
  EXPECT_EQ(told_.size(), 1u);
}

TEST_F(ResolverTest, WhenNameServersFailTheLastAddressesStay) {
  server_.Set("carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.5", 10)}});
  Watch("carrier.test:5060");
  Told(1);
  server_.Set("carrier.test", kTypeA, {.rcode = 2});
  server_.Set("carrier.test", kTypeAaaa, {.rcode = 2});
  const auto failed = [this] { return resolver_->counters().failed_lookups; };
  Advance(absl::Seconds(8));
  EXPECT_TRUE(server_.WaitAsked("carrier.test", kTypeA, 3));
  while (failed() < 1) Settle();
  EXPECT_EQ(told_.size(), 1u) << "within the TTL a failure changes nothing";
  Advance(absl::Seconds(5));
  const Resolution& stale = Told(2);
  EXPECT_TRUE(stale.status.ok());
  EXPECT_TRUE(stale.stale);
  EXPECT_THAT(stale.trouble, HasSubstr("DNS: address:"));
  EXPECT_THAT(Texts(stale), ElementsAre("192.0.2.5:5060"));
  // However long it takes, and without telling again.
  for (int i = 0; i < 5; ++i) {
    const uint64_t before = failed();
    Advance(absl::Hours(10));
    while (failed() == before) Settle();
  }
  EXPECT_EQ(told_.size(), 2u);
  // Back again: the same addresses, no longer stale.
  server_.Set("carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.5", 10)}});
  Advance(absl::Minutes(1));
  EXPECT_FALSE(Told(3).stale);
  EXPECT_THAT(Texts(told_[2]), ElementsAre("192.0.2.5:5060"));
}

TEST_F(ResolverTest, OnlyTheWordThatThereIsNoneTakesAddressesAway) {
  server_.Set("carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.5", 10)}});
  Watch("carrier.test:5060");
  Told(1);
  server_.Set("carrier.test", kTypeA, {.rcode = 3});
  Advance(absl::Seconds(10));
  EXPECT_EQ(Told(2).status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(told_[1].targets, IsEmpty());
}

TEST_F(ResolverTest, AFailureAtTheStartIsToldAndRetried) {
  for (const int rcode : {2, 4, 5}) {  // SERVFAIL, NOTIMP, REFUSED
    SCOPED_TRACE(rcode);
    const std::string name = absl::StrCat("fail", rcode, ".test");
    const std::string srv = "_sip._udp." + name;
    server_.Set(srv, kTypeSrv, {.rcode = rcode});
    server_.Set(name, kTypeA, {.records = {DnsServer::A("192.0.2.5")}});
    const size_t before = told_.size();
    Watch(name);
    EXPECT_EQ(Told(before + 1).status.code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(Told(before + 1).status.message()), HasSubstr("DNS: SRV: "));
    server_.Set(srv, kTypeSrv, {.rcode = 3});
    Advance(absl::Seconds(5));
    EXPECT_THAT(Texts(Told(before + 2)), ElementsAre("192.0.2.5:5060"));
  }
}

TEST_F(ResolverTest, TheHostsFileComesFirst) {
  std::ifstream file("/etc/hosts");
  bool listed = false;
  for (std::string line; std::getline(file, line);) {
    listed |= absl::StartsWith(line, "127.0.0.1") && absl::StrContains(line, "localhost");
  }
  if (!listed) GTEST_SKIP() << "this machine's hosts file has no localhost";
  Watch("localhost:5060");
  EXPECT_THAT(Texts(Told(1)), Contains("127.0.0.1:5060"));
  EXPECT_EQ(server_.Asked("localhost", kTypeA), 0);
}

TEST_F(ResolverTest, ADamagedAnswerIsAFailure) {
  server_.Set("carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.5")}, .damaged = true});
  Watch("carrier.test:5060");
  EXPECT_EQ(Told(1).status.code(), absl::StatusCode::kUnavailable);
}

TEST_F(ResolverTest, ASilentServerTimesOut) {
  server_.Set("carrier.test", kTypeA, {.silent = true});
  Watch("carrier.test:5060");
  EXPECT_EQ(Told(1).status.code(), absl::StatusCode::kUnavailable);
  EXPECT_GE(server_.Asked("carrier.test", kTypeA), 2) << "each server is tried twice";
}

TEST_F(ResolverTest, OneFamilyThatFailsDoesNotTakeTheOtherAlong) {
  server_.Set("carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.5", 3600)}});
  server_.Set("carrier.test", kTypeAaaa, {.silent = true});
  Watch("carrier.test:5060");
  EXPECT_THAT(Texts(Told(1)), ElementsAre("192.0.2.5:5060"));
  // The rest is asked for again long before the hour is over.
  server_.Set("carrier.test", kTypeAaaa, {.records = {DnsServer::Aaaa("2001:db8::5")}});
  Advance(absl::Seconds(30));
  EXPECT_THAT(Texts(Told(2)), ElementsAre("192.0.2.5:5060", "[2001:db8::5]:5060"));
}

TEST_F(ResolverTest, FamiliesThatAreNotWantedAreNotAskedFor) {
  Start({.ipv6 = false});
  server_.Set("carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.5")}});
  server_.Set("carrier.test", kTypeAaaa, {.records = {DnsServer::Aaaa("2001:db8::5")}});
  Watch("carrier.test:5060");
  EXPECT_THAT(Texts(Told(1)), ElementsAre("192.0.2.5:5060"));
  EXPECT_EQ(server_.Asked("carrier.test", kTypeAaaa), 0);
}

// The caller is never held up: with a name server that answers nothing, everything returns at once,
// other names are served, and the slow answer arrives when it comes.
TEST_F(ResolverTest, ASlowAnswerHoldsNobodyUp) {
  timeout_ = absl::Seconds(10);
  Start({});
  server_.Set("slow.test", kTypeA, {.records = {DnsServer::A("192.0.2.7")}, .held = true});
  server_.Set("slow.test", kTypeAaaa, {.held = true});
  Watch("slow.test:5060");
  ASSERT_TRUE(server_.WaitAsked("slow.test", kTypeAaaa, 1));
  Settle();
  EXPECT_THAT(told_, IsEmpty());
  server_.Release();
  EXPECT_THAT(Texts(Told(1)), ElementsAre("192.0.2.7:5060"));
}

TEST_F(ResolverTest, AThousandSrvRecordsBecomeThirtyTwoTargets) {
  std::vector<DnsServer::Record> records;
  for (int i = 0; i < 1'000; ++i) {
    const std::string host = absl::StrCat("gw", i, ".carrier.test");
    records.push_back(DnsServer::Srv(static_cast<uint16_t>(i < 40 ? 1 : 2),
                                     static_cast<uint16_t>(1000 - i), 5060, host));
    server_.Set(host, kTypeA,
                {.records = {DnsServer::A(absl::StrCat("10.0.", i / 250, ".", i % 250 + 1))}});
  }
  server_.Set(kSrv, kTypeSrv, {.records = records});
  Watch("carrier.test");
  const Resolution& resolution = Told(1);
  EXPECT_THAT(resolution.targets, SizeIs(kTargetsMax));
  EXPECT_GE(server_.AskedByTcp(), 1) << "too long for a datagram";
  for (const Target& target : resolution.targets) {
    EXPECT_EQ(target.priority, 1);
    EXPECT_GE(target.weight, 1000 - 31) << "the heaviest of the best priority";
  }
  EXPECT_LE(resolver_->counters().questions, 1u + 2 * kTargetsMax);
}

TEST_F(ResolverTest, AThousandAddressesBecomeTheSameThirtyTwo) {
  std::vector<DnsServer::Record> records;
  for (int i = 0; i < 1'000; ++i) {
    records.push_back(DnsServer::A(absl::StrCat("10.0.", i / 250, ".", i % 250 + 1)));
  }
  server_.Set("carrier.test", kTypeA, {.records = records});
  Watch("carrier.test:5060");
  EXPECT_THAT(Told(1).targets, SizeIs(kTargetsMax));
  std::reverse(records.begin(), records.end());
  server_.Set("carrier.test", kTypeA, {.records = records});
  resolver_->RefreshAll();
  ASSERT_TRUE(server_.WaitAsked("carrier.test", kTypeAaaa, 2));
  Settle();
  while (resolver_->counters().lookups < 3) Settle();
  EXPECT_EQ(told_.size(), 1u);
}

TEST_F(ResolverTest, TheOrderToldFollowsTheWeights) {
  server_.Set(kSrv, kTypeSrv,
              {.records = {DnsServer::Srv(1, 90, 5060, "a.carrier.test"),
                           DnsServer::Srv(1, 10, 5060, "b.carrier.test")}});
  server_.Set("a.carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.1")}});
  server_.Set("b.carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.2")}});
  // Many watches of one name: asked once, and each is told an order drawn for it.
  std::map<std::string, int> first;
  std::vector<std::unique_ptr<Resolver::Watch>> watches;
  int told = 0;
  constexpr int kWatches = 500;
  for (int i = 0; i < kWatches; ++i) {
    watches.push_back(resolver_
                          ->Add("carrier.test", Transport::kUdp, loop_,
                                [&](const Resolution& r) {
                                  ++told;
                                  ++first[r.targets.at(0).address];
                                })
                          .value());
  }
  ASSERT_TRUE(loop_.RunUntil([&] { return told == kWatches; }));
  EXPECT_EQ(server_.Asked(kSrv, kTypeSrv), 1);
  EXPECT_NEAR(first["192.0.2.1"] / double{kWatches}, 0.9, 0.06);
}

TEST_F(ResolverTest, AnotherNameServerIsUsedAtOnce) {
  server_.Set("carrier.test", kTypeA, {.silent = true});
  Watch("carrier.test:5060");
  ASSERT_TRUE(server_.WaitAsked("carrier.test", kTypeA, 1));
  DnsServer other;
  other.Set("carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.8")}});
  ASSERT_TRUE(resolver_->SetNameservers({other.address()}).ok());
  ASSERT_TRUE(loop_.RunUntil([&] { return !told_.empty() && told_.back().status.ok(); }));
  EXPECT_THAT(Texts(told_.back()), ElementsAre("192.0.2.8:5060"));
  EXPECT_EQ(resolver_->SetNameservers({"ns.carrier.test"}).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ResolverTest, TheSecondNameServerHelpsWhenTheFirstIsDead) {
  DnsServer dead;
  dead.Set("carrier.test", kTypeA, {.silent = true});
  server_.Set("carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.8")}});
  ASSERT_TRUE(resolver_->SetNameservers({dead.address(), server_.address()}).ok());
  Watch("carrier.test:5060");
  EXPECT_THAT(Texts(Told(1)), ElementsAre("192.0.2.8:5060"));
}

TEST_F(ResolverTest, NothingIsToldOnceTheWatchIsGone) {
  server_.Set("carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.5")}});
  Watch("carrier.test:5060");
  // The answer waits in the loop's queue, or is still to come: either way it is too late.
  ASSERT_TRUE(server_.WaitAsked("carrier.test", kTypeAaaa, 1));
  watch_ = nullptr;
  Settle();
  EXPECT_THAT(told_, IsEmpty());
  const uint64_t lookups = resolver_->counters().lookups;
  Advance(absl::Hours(2));
  Settle();
  EXPECT_EQ(resolver_->counters().lookups, lookups + 1) << "a name nobody watches is not asked for";
}

TEST_F(ResolverTest, AWatchMayEndItselfInItsCallbackAndOutliveTheResolver) {
  server_.Set("carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.5")}});
  auto guard = std::make_shared<int>(0);
  const std::weak_ptr<int> weak = guard;
  std::unique_ptr<Resolver::Watch> self;
  self = resolver_
             ->Add("carrier.test:5060", Transport::kUdp, loop_,
                   [&self, g = std::move(guard)](const Resolution&) {
                     ++*g;
                     self = nullptr;
                     ++*g;  // what the callback holds is still there
                   })
             .value();
  ASSERT_TRUE(loop_.RunUntil([&] { return self == nullptr; }));
  EXPECT_TRUE(weak.expired());
  Watch("carrier.test:5060");
  Told(1);
  resolver_ = nullptr;
  watch_ = nullptr;
}

TEST_F(ResolverTest, ALoopWithoutRoomIsToldLater) {
  server_.Set("carrier.test", kTypeA, {.records = {DnsServer::A("192.0.2.5")}});
  loop_.SetFull(true);
  Watch("carrier.test:5060");
  ASSERT_TRUE(loop_.WaitRefused());
  loop_.SetFull(false);
  EXPECT_THAT(Texts(Told(1)), ElementsAre("192.0.2.5:5060"));
}

TEST_F(ResolverTest, ManyNamesAtOnce) {
  std::vector<std::unique_ptr<Resolver::Watch>> watches;
  std::set<std::string> seen;
  for (int i = 0; i < 300; ++i) {
    const std::string name = absl::StrCat("c", i, ".test");
    server_.Set(name, kTypeA,
                {.records = {DnsServer::A(absl::StrCat("10.1.", i / 250, ".", i % 250 + 1))}});
    watches.push_back(resolver_
                          ->Add(name + ":5060", Transport::kUdp, loop_,
                                [&](const Resolution& r) {
                                  if (r.status.ok()) seen.insert(r.targets.at(0).address);
                                })
                          .value());
  }
  EXPECT_TRUE(loop_.RunUntil([&] {
    Advance(absl::Seconds(5));  // whatever a full socket buffer lost is asked again
    return seen.size() == 300;
  })) << seen.size();
}

TEST_F(ResolverTest, WhatIsNoPeerIsRefusedAtOnce) {
  const auto status =
      resolver_->Add("sip:carrier.test", Transport::kUdp, loop_, [](const Resolution&) {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Resolver::Create(clock_, Rng(1), {.nameservers = {"dns.test"}}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace outpace::resolve
