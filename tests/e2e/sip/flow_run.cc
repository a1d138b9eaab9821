#include "tests/e2e/sip/flow_run.h"

#include <chrono>
#include <map>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/sip/digest_check.h"

namespace outpace::e2e {
namespace {

using nlohmann::json;

constexpr absl::Duration kSoon = absl::Seconds(30);   // on a machine that does other things too
constexpr absl::Duration kFlow = absl::Seconds(70);   // the longest flow: ring limit and guards
constexpr absl::Duration kMissed = absl::Seconds(3);  // from the BYE to a pop that still comes
constexpr int kPortsEach = 6;  // SIP, and SIPp's audio and video, which it opens in any case

constexpr auto kBreath = std::chrono::seconds(1);

}  // namespace

Murmur::Murmur() : thread_([this] { Run(); }) {}

Murmur::~Murmur() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Murmur::Add(AudioProbe& phone, AudioProbe& lead) {
  std::lock_guard<std::mutex> lock(mutex_);
  calls_.emplace_back(&phone, &lead);
}

void Murmur::Run() {
  const std::string silence(160, '\xff');
  std::unique_lock<std::mutex> lock(mutex_);
  while (!changed_.wait_for(lock, kBreath, [this] { return over_; })) {
    for (const auto& [phone, lead] : calls_) {
      phone->Send(silence);
      lead->Receive(absl::ZeroDuration());  // learns where the engine's end of the call is
      lead->Send(silence);
    }
  }
}

void FlowRun::Go() {
  ASSERT_NO_FATAL_FAILURE(StartFarEnds());
  ASSERT_NO_FATAL_FAILURE(StartEngine());
  PlayAll();
  CheckRecords();
  CheckBoard();
  for (const Call& call : calls_) CheckWire(call);
  LogOutAll();
  const auto code = engine_.Terminate(kSoon);
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0) << engine_.Log();
  // The supervisor must have had nothing to do.
  EXPECT_THAT(ReadFileOr(engine_.dir() / "serve.err"),
              ::testing::Not(::testing::HasSubstr("killed by signal")));
  CheckLegs();
}

void FlowRun::StartFarEnds() {
  auto ports = PortSlot::Take();
  ASSERT_TRUE(ports.ok()) << ports.status();
  far_ports_ = *std::move(ports);
  for (size_t i = 0; i < group_.flows.size(); ++i) {
    ASSERT_LE(group_.flows[i].then.size(), 1u);
    ASSERT_NO_FATAL_FAILURE(StartFarEnd(group_.flows[i], i));
    for (const Flow& then : group_.flows[i].then) {
      ASSERT_NO_FATAL_FAILURE(StartFarEnd(then, i));
    }
  }
}

void FlowRun::StartFarEnd(const Flow& flow, size_t index) {
  const size_t offset = calls_.size() * kPortsEach;
  ASSERT_LT(offset + kPortsEach, 2 * static_cast<size_t>(PortSlot::kMediaLegs));
  const bool second = !calls_.empty() && calls_.back().flow == &group_.flows[index];
  Call& call = calls_.emplace_back();
  call.flow = &flow;
  call.expected = flow.expected;
  call.campaign = absl::StrFormat("F%02d", index);
  call.trunk = absl::StrCat(call.campaign, second ? "b" : "");
  call.number = FictionalNumbers(static_cast<int>(index) + 1).back();
  auto audio = AudioProbe::Bind();
  ASSERT_TRUE(audio.ok()) << audio.status();
  call.audio = *std::move(audio);
  const std::string path = engine_.dir() / absl::StrCat(call.trunk, ".xml");
  WriteFileOrDie(path, flow.scenario.Xml(flow.name));
  const auto port = static_cast<uint16_t>(far_ports_->media_first() + offset);
  auto sipp = Sipp::Start({.scenario = path,
                           .name = call.trunk,
                           .port = port,
                           .media_port = static_cast<uint16_t>(port + 2),
                           .audio_port = call.audio.port(),
                           .calls = flow.sipp_calls,
                           .tcp = flow.tcp,
                           .arguments = flow.sipp},
                          engine_.dir());
  ASSERT_TRUE(sipp.ok()) << flow.name << ": " << sipp.status();
  call.sipp = *std::move(sipp);
  // SIPp would take our OPTIONS for a call.
  const bool pings = absl::StrContains(flow.trunk, "options_seconds");
  engine_.AddConfig(
      absl::StrFormat("[[trunk]]\nname = \"%s\"\npeer = \"127.0.0.1:%d\"\ncalls_max = 4\n%s%s",
                      call.trunk, port, pings ? "" : "options_seconds = 0\n", flow.trunk));
}

void FlowRun::StartEngine() {
  engine_.SetLogLevel("debug");  // every step of every leg is in the log
  const absl::Status started = engine_.Start();
  ASSERT_TRUE(started.ok()) << started;
}

void FlowRun::PlayAll() {
  std::vector<std::thread> threads;
  for (size_t i = 0; i < calls_.size(); ++i) {
    Call& call = calls_[i];
    Call& last = calls_[i + call.flow->then.size()];
    threads.emplace_back([this, &call, &last] { call.trouble = Play(call, last); });
    i += call.flow->then.size();
  }
  for (std::thread& thread : threads) thread.join();
  for (const Call& call : calls_) {
    EXPECT_EQ(call.trouble, "") << call.flow->name;
    // Its verdict: every message that had to come has come, and none besides.
    const auto verdict = call.sipp->Finish(kSoon);
    ASSERT_TRUE(verdict.ok()) << call.flow->name << ": " << verdict.status();
    EXPECT_EQ(*verdict, 0) << call.flow->name << ":\n"
                           << call.sipp->Errors() << call.sipp->Messages();
  }
}

std::string FlowRun::Play(Call& call, Call& last) {
  std::vector<std::string> settings = {
      "campaign",
      "create",
      call.campaign,
      absl::StrCat("trunk=", call.trunk, &call == &last ? "" : absl::StrCat(",", last.trunk)),
      "campaign_cid=+12025550199",
      "local_call_time=24hours",
      "daily_call_count_limit=1",
      "dial_timeout=15",
      "dial_method=PROGRESSIVE"};
  settings.insert(settings.end(), call.flow->campaign.begin(), call.flow->campaign.end());
  engine_.Must(settings);
  const std::string csv = engine_.dir() / absl::StrCat(call.campaign, ".csv");
  WriteFileOrDie(csv, LeadsCsv({call.number}));
  engine_.Must({"import", csv, "--campaign", call.campaign, "--list", call.campaign});
  const std::string user = absl::StrCat("u", call.campaign);
  engine_.AddAgent(user);
  auto desk = Desk::LogIn(engine_.Url(), user, call.campaign);
  if (!desk.ok()) return std::string(desk.status().message());
  call.desk = *std::move(desk);
  murmur_.Add(call.desk->phone().audio(), last.audio);
  if (const absl::Status ready = call.desk->Ready(); !ready.ok()) return ready.ToString();
  if (!call.desk->WaitForState("READY", kSoon)) return "the agent is not ready";
  engine_.Must({"campaign", "start", call.campaign});
  std::string trouble;
  if (last.flow->agent != AgentPart::kUntouched) trouble = Talk(*call.desk, last);
  // What SIPp says is looked at by the caller; here it only is waited for.
  if (!call.sipp->Finish(kFlow).ok() || !last.sipp->Finish(kFlow).ok())
    absl::StrAppend(&trouble, " SIPp goes on");
  if (last.flow->agent == AgentPart::kUntouched &&
      call.desk->Seen("pop") + call.desk->Seen("call_ended") > 0) {
    absl::StrAppend(&trouble, " the agent was bothered");
  }
  return trouble;
}

std::string FlowRun::Talk(Desk& desk, Call& call) {
  const bool may_miss = call.flow->agent == AgentPart::kMayMiss;
  if (may_miss && !call.sipp->Finish(kFlow).ok()) return "SIPp goes on";
  const json pop = desk.Take("pop", may_miss ? kMissed : kSoon);
  if (pop.is_null() && may_miss) {
    call.expected = Missed(call.expected);
    return "";
  }
  if (pop.is_null()) return "no pop";
  call.with_agent = true;
  if (!desk.WaitForState("INCALL", kSoon)) return "the agent is not INCALL";
  const bool by_agent = call.flow->agent == AgentPart::kHangsUp;
  if (by_agent) {
    const std::string& mark = call.flow->hang_up_after;
    const Deadline deadline(kSoon);
    while (!absl::StrContains(call.sipp->Messages(), mark)) {
      // Waits on SIPp's end, which must not come before the mark.
      if (deadline.passed() || call.sipp->Finish(absl::Milliseconds(50)).ok()) {
        return absl::StrCat("SIPp never saw ", mark);
      }
    }
    if (const absl::Status status = desk.HangUp(); !status.ok()) return status.ToString();
  }
  const json ended = desk.Take("call_ended", kFlow);
  if (ended.is_null()) return "no call_ended";
  if (ended["by"] != (by_agent ? "AGENT" : "CALLER"))
    return absl::StrCat("by ", ended["by"].dump());
  if (!desk.WaitForState("DISPO", kSoon)) return "the agent is not in DISPO";
  const absl::Status disposed = desk.Dispose(pop["attempt"], "NI");
  if (!disposed.ok()) return disposed.ToString();
  return desk.WaitForState("READY", kSoon) ? "" : "the agent is not ready again";
}

void FlowRun::CheckRecords() {
  std::map<std::string, CsvRow> rows;
  size_t all = 0;
  const bool closed = engine_.WaitUntil(kSoon, [&] {
    rows.clear();
    const std::vector<CsvRow> exported = engine_.ExportCalls();
    all = exported.size();
    for (const CsvRow& row : exported) {
      if (row.at("open") == "N") rows[row.at("trunk")] = row;
    }
    return rows.size() == calls_.size();
  });
  EXPECT_TRUE(closed) << rows.size() << " closed attempts";
  EXPECT_EQ(all, calls_.size()) << "one attempt a trunk, no more";
  for (const Call& call : calls_) {
    const auto row = rows.find(call.trunk);
    if (row == rows.end()) {
      ADD_FAILURE() << call.flow->name << ": no closed attempt";
    } else {
      CheckRow(call, row->second);
    }
  }
}

void FlowRun::CheckRow(const Call& call, const CsvRow& row) {
  const Expected& e = call.expected;
  const auto yes = [](bool value) { return value ? "Y" : "N"; };
  const std::map<std::string, std::string> expected = {
      {"outcome", e.outcome},
      {"status", e.status},
      {"sip_status", e.sip_status},
      {"q850_cause", e.q850},
      {"term_reason", e.term_reason},
      {"abandoned", yes(e.abandoned)},
      {"trunk_fault", yes(e.trunk_fault)},
      {"sent", "Y"},
      {"campaign_id", call.campaign},
      {"user", call.with_agent ? absl::StrCat("u", call.campaign) : ""},
      {"lead_status_now", e.lead.empty() ? e.status : e.lead},
      {"called_count_now", absl::StrCat(e.called_count)},
      {"phone_number_dialed", absl::StrCat("1", call.number)}};
  for (const auto& [column, value] : expected) {
    const auto cell = row.find(column);
    ASSERT_NE(cell, row.end()) << "the export has no column " << column;
    const bool blank_means_no = value == "N" && cell->second.empty();
    EXPECT_TRUE(cell->second == value || blank_means_no)
        << call.flow->name << ": " << column << " is '" << cell->second << "', not '" << value
        << "'";
  }
  // The times that must be there are there, and in order; no others.
  const std::pair<const char*, bool> times[] = {{"dialed_ms", true},
                                                {"ringing_ms", e.rang},
                                                {"answered_ms", e.answered},
                                                {"connected_ms", call.with_agent},
                                                {"ended_ms", true}};
  int64_t last = 0;
  for (const auto& [column, present] : times) {
    const std::string& cell = row.at(column);
    EXPECT_EQ(!cell.empty(), present) << call.flow->name << ": " << column;
    if (cell.empty()) continue;
    const int64_t at = std::stoll(cell);
    EXPECT_GE(at, last) << call.flow->name << ": " << column;
    last = at;
  }
  // The name on the wire is the name in the record.
  EXPECT_TRUE(absl::StrContains(call.sipp->Messages(), row.at("call_id"))) << call.flow->name;
}

void FlowRun::CheckBoard() {
  std::string wrong;
  const bool right = engine_.WaitUntil(kSoon, [&] {
    const json board = engine_.Board();
    wrong = board.is_object() ? WrongOnBoard(board) : "no board";
    return wrong.empty();
  });
  EXPECT_TRUE(right) << "on the board:" << wrong;
}

// The board is drawn once a second: what it does not show yet is not wrong yet.
std::string FlowRun::WrongOnBoard(const json& board) const {
  std::string wrong;
  const auto named = [&board](const char* list, const char* key, const std::string& id) -> json {
    if (!board.contains(list)) return json::object();  // no board yet
    for (const json& entry : board[list]) {
      if (entry[key] == id) return entry;
    }
    return json::object(
        {{"calls", json::object()}, {"agents", json::object()}, {"today", json::object()}});
  };
  const auto must = [&wrong](const Call& call, const char* what, const json& seen,
                             const json& value) {
    if (seen == value) return;
    absl::StrAppend(&wrong, "\n", call.flow->name, ": ", what, " is ", seen.dump(), ", not ",
                    value.dump());
  };
  for (const Call& call : calls_) {
    json trunk = named("trunks", "name", call.trunk);  // what it lacks is null
    must(call, "trunk calls", trunk["calls"], 0);
    must(call, "trunk attempts", trunk["attempts"], 1);
    must(call, "trunk up", trunk["up"], call.expected.trunk_up);
    if (call.desk == nullptr) continue;
    int attempts = 0, answered = 0, connected = 0, abandoned = 0;
    for (const Call& end : calls_) {
      if (end.campaign != call.campaign) continue;
      ++attempts;
      answered += end.expected.answered ? 1 : 0;
      connected += end.with_agent ? 1 : 0;
      abandoned += end.expected.abandoned ? 1 : 0;
    }
    json campaign = named("campaigns", "id", call.campaign);
    for (const char* state : {"ringing", "waiting", "talking"}) {
      must(call, state, campaign["calls"][state], 0);
    }
    must(call, "agents ready", campaign["agents"]["ready"], 1);
    json& today = campaign["today"];
    must(call, "attempts", today["attempts"], attempts);
    must(call, "answered", today["answered"], answered);
    must(call, "connected", today["connected"], connected);
    must(call, "abandoned", today["abandoned"], abandoned);
  }
  return wrong;
}

void FlowRun::CheckWire(const Call& call) {
  for (const Flow::Wire& wire : call.flow->wire) {
    const std::string message = call.sipp->Received(wire.method, wire.nth);
    EXPECT_NE(message, "") << call.flow->name << ": no " << wire.method << " " << wire.nth;
    if (!wire.password.empty()) {
      EXPECT_EQ(CheckDigest(message, wire.password), "") << call.flow->name << "\n" << message;
    }
    for (const std::string& text : wire.has) {
      EXPECT_THAT(message, ::testing::HasSubstr(text)) << call.flow->name;
    }
    for (const std::string& text : wire.has_not) {
      EXPECT_THAT(message, ::testing::Not(::testing::HasSubstr(text))) << call.flow->name;
    }
  }
}

void FlowRun::LogOutAll() {
  for (Call& call : calls_) {
    if (call.desk == nullptr) continue;
    EXPECT_TRUE(call.desk->LogOut().ok()) << call.flow->name;
    EXPECT_TRUE(call.desk->phone().WaitUntilDown(kSoon)) << call.flow->name;
  }
}

void FlowRun::CheckLegs() {
  std::map<std::pair<int64_t, int64_t>, std::string> states;
  for (const json& line : ReadJsonLines(engine_.dir() / "engine.log")) {
    if (line.value("event", "") == "leg.state") {
      states[{line["leg"], line["generation"]}] = line["to"];
    }
  }
  // One for each far end and one for each agent's phone.
  EXPECT_EQ(states.size(), calls_.size() + group_.flows.size());
  for (const auto& [leg, state] : states) {
    EXPECT_EQ(state, "ended") << "leg " << leg.first << "." << leg.second;
  }
}

}  // namespace outpace::e2e
