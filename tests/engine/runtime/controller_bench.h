#pragma once

// A controller on virtual time with everything around it in the test's hands: what it orders from
// the call shard is written down, what the shard would tell it is said by the test, and the store's
// answers can be held back. So a test can stand between any two steps of an attempt.

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/runtime/controller.h"
#include "engine/sim/sim_world.h"
#include "gtest/gtest.h"

namespace outpace::runtime {

// The store on the loop's own time, 1 ms a request, until it is told to hold its answers.
class HeldStore final : public StoreService {
 public:
  HeldStore(campaign::LeadStore& store, Loop& loop) : store_(store), loop_(loop) {}

  bool hold_commits = false;  // not even written until LetCommits()
  bool hold_fetches = false;  // read at once, answered by LetFetches()
  bool texts_apart = false;   // leads come without their texts, as from the disk
  bool hold_texts = false;    // which are read at once, answered by LetFetches()

  void Commit(campaign::StoreBatch batch, CommitDone done) override {
    commits_.push_back({std::move(batch), std::move(done)});
    if (!hold_commits) LetCommits();
  }
  void FetchDue(campaign::DueQuery query, FetchDone done) override {
    if (!texts_apart) query.with_fields = true;  // as LoopStoreService does
    fetches_.push_back({store_.DueLeads(query), std::move(done)});
    if (!hold_fetches) LetFetches();
  }
  void LoadTexts(std::vector<campaign::Lead> leads, FetchDone done) override {
    fetches_.push_back({WithTexts(store_, std::move(leads)), std::move(done)});
    if (!hold_texts) LetFetches();
  }
  void Sieve(std::vector<campaign::Lead> leads, SieveOrder order, SieveDone done) override {
    Later([this, leads = std::move(leads), order = std::move(order),
           done = std::move(done)]() mutable {
      auto whole = WithTexts(store_, std::move(leads));
      done(whole.ok() ? sieve_.Sort(*std::move(whole), order) : whole.status());
    });
  }
  void GetAttempt(
      AttemptId id,
      absl::AnyInvocable<void(absl::StatusOr<std::optional<campaign::Attempt>>)> done) override {
    Later([this, id, done = std::move(done)]() mutable { done(store_.GetAttempt(id)); });
  }
  void GetLead(
      LeadId id,
      absl::AnyInvocable<void(absl::StatusOr<std::optional<campaign::Lead>>)> done) override {
    Later([this, id, done = std::move(done)]() mutable { done(store_.GetLead(id)); });
  }
  void FindRung(
      E164 phone, CampaignId campaign,
      absl::AnyInvocable<void(absl::StatusOr<std::optional<campaign::Lead>>)> done) override {
    Later([this, phone, campaign, done = std::move(done)]() mutable {
      done(FindRungLead(store_, phone, campaign));
    });
  }

  // Writes what waits, in order, and answers 1 ms later.
  void LetCommits() {
    hold_commits = false;
    for (Write& write : std::exchange(commits_, {})) {
      const auto shared = std::make_shared<Write>(std::move(write));
      Later([this, shared] { shared->done(store_.Commit(shared->batch)); });
    }
  }
  void LetFetches() {
    hold_fetches = false;
    hold_texts = false;
    for (Read& read : std::exchange(fetches_, {})) {
      const auto shared = std::make_shared<Read>(std::move(read));
      Later([shared] { shared->done(std::move(shared->leads)); });
    }
  }
  size_t commits_held() const { return commits_.size(); }
  size_t fetches_held() const { return fetches_.size(); }

 private:
  struct Write {
    campaign::StoreBatch batch;
    CommitDone done;
  };
  struct Read {
    absl::StatusOr<std::vector<campaign::Lead>> leads;
    FetchDone done;
  };
  void Later(Loop::Task task) { loop_.After(absl::Milliseconds(1), std::move(task)); }

  campaign::LeadStore& store_;
  LeadSieve sieve_{store_};
  Loop& loop_;
  std::deque<Write> commits_;
  std::deque<Read> fetches_;
};

// What the agents' screens were told, one word and its values a line.
class ScreenLog final : public AgentEvents {
 public:
  struct Pop {
    AgentId agent;
    AttemptId attempt;
    LeadId lead;
    bool preview = false;
    bool has_texts = false;
  };
  std::vector<Pop> pops;
  std::vector<std::string> ended;    // "a1 7 CALLER 5s"
  std::vector<std::string> notices;  // "a1: text"
  std::map<AgentId, std::vector<CallAudio>> audios;
  std::vector<AgentId> logged_out;

  void OnState(const AgentId&, agent::AgentState, absl::Time, bool) override {}
  void OnPop(const AgentId& agent, const campaign::Attempt& attempt, const campaign::Lead& lead,
             bool preview) override {
    pops.push_back({agent, attempt.id, lead.id, preview, lead.has_fields});
  }
  void OnCallEnded(const AgentId& agent, AttemptId attempt, bool by_caller,
                   absl::Duration length) override {
    ended.push_back(absl::StrCat(agent, " ", attempt.value(), by_caller ? " CALLER " : " AGENT ",
                                 absl::FormatDuration(length)));
  }
  void OnAudio(const AgentId& agent, AttemptId, const CallAudio& audio) override {
    audios[agent].push_back(audio);
  }
  void OnNotice(const AgentId& agent, const std::string& message) override {
    notices.push_back(absl::StrCat(agent, ": ", message));
  }
  void OnLoggedOut(const AgentId& agent) override { logged_out.push_back(agent); }
};

class ControllerBench {
 public:
  // 2023-11-14 15:13:20 in Denver, where all leads live.
  explicit ControllerBench(const ControllerOptions& options = Options())
      : world(1, absl::FromUnixSeconds(1'700'000'000)),
        loop(world.NewLoop()),
        store(leads, *loop),
        controller(
            options, *loop, store,
            [this](call::ShardMessage message) { return Take(std::move(message)); }, screens,
            [this] { return ++nonces_; }, log) {
    leads.HoldRecordsToTheRule();
    settings.id = "C";
    settings.trunk = "carrier";
    settings.active = true;
    settings.dial_method = campaign::DialMethod::kProgressive;
    settings.local_call_time = *campaign::CallingWindow::Parse("09:00-21:00");
    settings.report_zone = *campaign::FindTimeZone("America/Denver");
    settings.wrapup_seconds = absl::Seconds(30);
  }

  static ControllerOptions Options() {
    ControllerOptions options;
    options.trunks = {
        {.name = "carrier", .peer = "192.0.2.10:5060", .calls_per_second = 50, .calls_max = 100},
        {.name = "slow", .peer = "192.0.2.11:5060", .calls_per_second = 0.2, .calls_max = 3}};
    options.legs_max = 40;
    return options;
  }

  campaign::Lead Lead(uint64_t i) const {
    campaign::Lead lead;
    lead.id = LeadId(i);
    lead.list = ListId(101);
    lead.campaign = "C";
    lead.phone = E164(13035550000 + i);
    lead.time_zones = {"America/Denver"};
    return lead;
  }

  // Stores campaign, list, agents a1..a3 and `count` leads, and starts the controller on them.
  // Whatever the test put into `state` before stays.
  void Start(int count) {
    campaign::StoreBatch batch;
    for (int i = 1; i <= count; ++i) batch.leads.push_back(Lead(static_cast<uint64_t>(i)));
    ASSERT_TRUE(batch.empty() || leads.Commit(batch).ok());
    state.campaigns.push_back(settings);
    campaign::List list;
    list.id = ListId(101);
    list.campaign = "C";
    state.lists.push_back(list);
    for (const char* user : {"a1", "a2", "a3"}) {
      campaign::AgentRecord agent;
      agent.user = user;
      agent.phone_uri = absl::StrCat("sip:", user, "@127.0.0.1:5070");
      state.agents.push_back(agent);
    }
    ASSERT_TRUE(loop->Post([this] { controller.Start(std::move(state)); }));
    Pass(absl::Milliseconds(5));
  }

  void Pass(absl::Duration d) { world.RunFor(d); }
  void Tick() { Pass(absl::Milliseconds(110)); }

  // Says something as the shard would, and lets it sink in.
  void Say(call::LegEvent event) {
    controller.OnLegEvent(std::move(event));
    Pass(absl::Microseconds(1));
  }
  void Answer(LegId leg) { Say(call::LegAnswered{leg, world.now()}); }
  void Connected(LegId lead, LegId agent) { Say(call::LegConnected{lead, agent, world.now()}); }
  void End(LegId leg, call::CallOutcome outcome, bool by_far_end = true) {
    call::LegEnded ended;
    ended.leg = leg;
    ended.outcome = outcome;
    ended.by_far_end = by_far_end;
    ended.sip_status = outcome == call::CallOutcome::kAnswered ? 200 : 480;
    End(ended);
  }
  void End(call::LegEnded ended) {
    ended.at = world.now();
    const LegId leg = ended.leg;
    Say(std::move(ended));
    Say(call::LegFreed{leg});
  }

  // Logs in with a screen, lets the phone answer, goes ready. The agent's leg.
  LegId LogIn(const AgentId& agent, bool ready = true) {
    EXPECT_TRUE(controller.Login(agent, "C", "").ok());
    controller.ScreenConnected(agent);
    const LegId leg = AgentLeg(agent);
    EXPECT_TRUE(leg.valid());
    Answer(leg);
    if (ready) {
      EXPECT_TRUE(controller.SetReady(agent).ok());
    }
    return leg;
  }
  // The line that was rung last for this agent.
  LegId AgentLeg(const AgentId& agent) const {
    LegId leg;
    for (const call::DialOrder& order : Of<call::DialOrder>()) {
      if (order.request_uri == absl::StrCat("sip:", agent, "@127.0.0.1:5070")) leg = order.leg;
    }
    return leg;
  }
  // DialOrders at leads so far.
  std::vector<call::DialOrder> Dials() const {
    std::vector<call::DialOrder> dials;
    for (const call::DialOrder& order : Of<call::DialOrder>()) {
      if (order.kind == call::LegKind::kLead) dials.push_back(order);
    }
    return dials;
  }
  // One agent ready, one lead dialed for him.
  call::DialOrder DialOne(const AgentId& agent = "a1") {
    LogIn(agent);
    Tick();
    EXPECT_EQ(Dials().size(), 1u);
    return Dials().empty() ? call::DialOrder() : Dials().back();
  }
  // The same, answered and bridged.
  call::DialOrder TalkOne(const AgentId& agent = "a1") {
    const call::DialOrder dial = DialOne(agent);
    Answer(dial.leg);
    Connected(dial.leg, AgentLeg(agent));
    return dial;
  }
  // The shard has handled all that was posted.
  void LetFences() {
    hold_fences = false;
    for (const uint64_t id : std::exchange(fences_, {})) {
      controller.OnLegEvent(call::FenceReached{id});
    }
  }
  // The orders of one kind, as posted.
  template <typename T>
  std::vector<T> Of() const {
    std::vector<T> found;
    for (const call::ShardMessage& message : posted) {
      if (const T* m = std::get_if<T>(&message)) found.push_back(*m);
    }
    return found;
  }
  bool WasHungUp(LegId leg) const {
    for (const call::HangUp& order : Of<call::HangUp>()) {
      if (order.leg == leg) return true;
    }
    return false;
  }

  campaign::Attempt Stored(AttemptId id) const {
    auto attempt = leads.GetAttempt(id);
    EXPECT_TRUE(attempt.ok() && attempt->has_value()) << "attempt " << id.value();
    return attempt.ok() && attempt->has_value() ? **attempt : campaign::Attempt();
  }
  campaign::Lead StoredLead(uint64_t id) const {
    auto lead = leads.GetLead(LeadId(id));
    EXPECT_TRUE(lead.ok() && lead->has_value()) << "lead " << id;
    return lead.ok() && lead->has_value() ? **lead : campaign::Lead();
  }
  absl::Status Dispose(const AgentId& agent, AttemptId attempt, const std::string& status,
                       absl::Duration wait = absl::Milliseconds(20)) {
    absl::Status result = absl::UnknownError("no answer yet");
    const auto shared = std::make_shared<absl::Status>(result);
    controller.Dispose(agent, attempt, status, "note", absl::InfinitePast(),
                       [shared](absl::Status stored) { *shared = std::move(stored); });
    Pass(wait);
    return *shared;
  }
  agent::AgentState StateOf(const AgentId& agent) const {
    const agent::AgentRecord* record = controller.roster().Find(agent);
    return record == nullptr ? agent::AgentState::kLoggedOut : record->state;
  }
  CampaignFigures Figures() const { return controller.Board().campaigns.at(0); }

  sim::SimWorld world;
  std::unique_ptr<sim::SimLoop> loop;
  store::MemoryLeadStore leads;
  HeldStore store;
  ScreenLog screens;
  NullLog log;
  campaign::CampaignSettings settings;
  Controller::StartState state;
  std::vector<call::ShardMessage> posted;
  absl::Status post_result;  // not OK: the shard's mailbox is full
  bool hold_fences = false;  // the shard gets no turn; LetFences() gives it one
  Controller controller;

 private:
  absl::Status Take(call::ShardMessage message) {
    if (!post_result.ok()) return post_result;
    // Nothing may be dialed whose intent is not in the store.
    const auto* order = std::get_if<call::DialOrder>(&message);
    if (order != nullptr && order->kind == call::LegKind::kLead) {
      const campaign::Attempt intent = Stored(order->attempt);
      EXPECT_TRUE(intent.open);
      EXPECT_EQ(intent.call_id, order->ids.call_id);
      EXPECT_EQ(StoredLead(intent.lead.value()).status, "INCALL");
    }
    if (const auto* fence = std::get_if<call::Fence>(&message)) fences_.push_back(fence->id);
    posted.push_back(std::move(message));
    if (!hold_fences) LetFences();
    return absl::OkStatus();
  }
  std::vector<uint64_t> fences_;  // not answered yet
  uint64_t nonces_ = 0;
};

class ControllerTest : public ::testing::Test, public ControllerBench {
 protected:
  void TearDown() override { EXPECT_EQ(controller.CheckInvariants(), ""); }
};

}  // namespace outpace::runtime
