// The pages as a browser shows them: a headless Chromium against HttpServer with a board and an
// agent API that say known things.

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/api/http_server.h"
#include "engine/base/check.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/e2e/webdriver.h"

namespace outpace::api {
namespace {

using e2e::WebDriver;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr int64_t kNow = 1'790'000'000'000;  // the server's clock; the browser's may differ
constexpr char kAttack[] = "<img src=x onerror=\"window.pwned=1\"><script>window.pwned=2</script>";

// Text events to all who are connected; new ones get the greeting first.
class FakeSocketRoute {
 public:
  void Install(HttpServer& server, const std::string& path) {
    WebSocketHandler handler;
    handler.on_accept = [this](const HttpRequest&) {
      std::lock_guard<std::mutex> lock(mutex_);
      return down_ ? absl::UnavailableError("down") : absl::OkStatus();
    };
    handler.on_open = [this](std::shared_ptr<WebSocket> socket, const HttpRequest& request) {
      std::lock_guard<std::mutex> lock(mutex_);
      const auto token = request.query.find("token");
      token_ = token == request.query.end() ? "" : token->second;
      for (const json& event : greeting_) Tell(*socket, event);
      sockets_.insert(std::move(socket));
      ++opened_;
      changed_.notify_all();
    };
    handler.on_close = [this](const std::shared_ptr<WebSocket>& socket) {
      std::lock_guard<std::mutex> lock(mutex_);
      sockets_.erase(socket);
    };
    server.RouteWebSocket(path, handler);
  }
  void Greet(std::vector<json> greeting) {
    std::lock_guard<std::mutex> lock(mutex_);
    greeting_ = std::move(greeting);
  }
  void Push(const json& event) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& socket : sockets_) Tell(*socket, event);
  }
  void SetDown(bool down) {
    std::lock_guard<std::mutex> lock(mutex_);
    down_ = down;
    if (!down) return;
    for (const auto& socket : sockets_) socket->Close();
  }
  // True once a page has opened this socket for the nth time: from then on it hears what is pushed.
  bool WaitForOpening(int nth) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(15), [&] { return opened_ >= nth; });
  }
  std::string token() {
    std::lock_guard<std::mutex> lock(mutex_);
    return token_;
  }

 private:
  static void Tell(WebSocket& socket, const json& event) {
    socket.Send(std::make_shared<const std::string>(event.dump()));
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  int opened_ = 0;
  std::set<std::shared_ptr<WebSocket>> sockets_;
  std::vector<json> greeting_;
  bool down_ = false;
  std::string token_;
};

json Campaign(const std::string& id, const std::string& name) {
  return {
      {"id", id},
      {"name", name},
      {"active", true},
      {"dial_method", "ADAPT_HARD_LIMIT"},
      {"hopper", 120},
      {"dialable", 4100},
      {"leads", 5000},
      {"calls", {{"ringing", 9}, {"waiting", 1}, {"talking", 16}}},
      {"agents", {{"ready", 2}, {"incall", 16}, {"dispo", 3}, {"paused", 4}}},
      {"today",
       {{"attempts", 12345},
        {"answered", 2470},
        {"connected", 2410},
        {"abandoned", 52},
        {"abandon_ratio", 0.0211},
        {"sales", 77}}},
      {"occupancy", 0.873},
      {"answer_ratio", 0.2},
      {"dial_level", 2.4},
      {"ring_s", 14.2},
      {"talk_s", 95.5},
      {"wrap_s", 12.0},
      {"pacing",
       {{"legs_to_place", 3}, {"limit", "abandonment"}, {"p_abandon", 0.018}, {"theta", 0.021}}}};
}

json Snapshot() {
  json agents = json::array();
  const char* states[] = {"READY", "INCALL", "DISPO", "PAUSED", "INCALL"};
  for (int i = 0; i < 25; ++i) {
    const std::string state = states[i % 5];
    agents.push_back({{"user", absl::StrCat("agent", 100 + i)},
                      {"campaign", i % 3 == 0 ? "SOLAR" : "DEMO"},
                      {"state", state},
                      {"since_ms", kNow - 1000 * (7 + 37 * i)},
                      {"calls", 5 + i},
                      {"pause_code", state == "PAUSED" ? "LUNCH" : ""}});
  }
  agents.push_back({{"user", kAttack},
                    {"campaign", kAttack},
                    {"state", "PAUSED"},
                    {"since_ms", kNow - 3'725'000},
                    {"calls", 1},
                    {"pause_code", kAttack}});
  json solar = Campaign("SOLAR", "太阳能回访");
  solar["today"]["abandon_ratio"] = 0.034;
  solar["calls"]["waiting"] = 0;
  solar["pacing"]["limit"] = "budget";
  solar["idle_reason"] = "outside the calling window until 09:00";
  return {{"now_ms", kNow},
          {"uptime_s", 4000},
          {"draining", false},
          {"campaigns", json::array({Campaign("DEMO", "Spring renewal"), solar})},
          {"agents", agents},
          {"trunks", json::array({{{"name", "carrier-a"},
                                   {"up", true},
                                   {"calls", 25},
                                   {"attempts", 900},
                                   {"asr", 0.21},
                                   {"reason", ""}},
                                  {{"name", "carrier-b"},
                                   {"up", false},
                                   {"calls", 0},
                                   {"attempts", 14},
                                   {"asr", 0.0},
                                   {"reason", kAttack}}})},
          {"connect_ms", {{"p50", 0.3}, {"p99", 2.04}}}};
}

class PagesTest : public ::testing::Test {
 protected:
  void Begin(const e2e::BrowserOptions& options = {}) {
    server_->Start();
    auto browser = WebDriver::Start(options);
    ASSERT_TRUE(browser.ok()) << browser.status();
    browser_ = *std::move(browser);
  }
  void SetUp() override {
    auto server = HttpServer::Create({}, log_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  std::string Url(absl::string_view path) const {
    return absl::StrCat("http://127.0.0.1:", server_->port(), path);
  }
  std::string Text(absl::string_view css) {
    const auto text = browser_->Text(css);
    EXPECT_TRUE(text.ok()) << text.status();
    return text.value_or("");
  }
  json Run(absl::string_view script) {
    const auto value = browser_->Run(script);
    EXPECT_TRUE(value.ok()) << value.status();
    return value.value_or(json());
  }
  void ExpectUntil(absl::string_view expression) {
    const absl::Status status = browser_->WaitUntil(expression);
    EXPECT_TRUE(status.ok()) << status << "\n" << Run("return document.body.innerText").dump();
  }
  // No script of a stranger ran, nothing was refused by the policy, no request left this server.
  void ExpectClean() {
    EXPECT_EQ(Run("return window.pwned === undefined"), true);
    EXPECT_EQ(Run("return document.querySelectorAll('main img, main script').length"), 0);
    EXPECT_EQ(Run("return performance.getEntriesByType('resource')"
                  ".every((e) => new URL(e.name).host === location.host)"),
              true);
  }
  void ExpectNoErrors() {
    const auto errors = browser_->Errors();
    ASSERT_TRUE(errors.ok()) << errors.status();
    EXPECT_THAT(*errors, IsEmpty());
  }
  void Screenshot(const std::string& name) {
    const absl::Status saved = browser_->SaveScreenshot(name);
    EXPECT_TRUE(saved.ok()) << saved;
  }

  NullLog log_;
  FakeSocketRoute events_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<WebDriver> browser_;
};

TEST_F(PagesTest, BoardShowsTheSnapshot) {
  events_.Install(*server_, "/v1/board/events");
  events_.Greet({Snapshot()});
  server_->Route("GET", "/v1/imports", [](HttpRequest, Responder reply) {
    HttpResponse none;
    none.body = R"({"imports":[]})";
    reply(std::move(none));
  });
  ASSERT_NO_FATAL_FAILURE(Begin());
  ASSERT_TRUE(browser_->Open(Url("/?token=board-token")).ok());
  ExpectUntil("document.querySelectorAll('#agents tr').length === 26");
  EXPECT_EQ(events_.token(), "board-token");
  EXPECT_EQ(Text("#connection"), "Live");

  const std::string card = Text("[data-campaign=DEMO]");
  for (const char* figure : {"DEMO",
                             "Spring renewal",
                             "Active",
                             "ADAPT_HARD_LIMIT",
                             "level 2.40",
                             "limited by abandonment",
                             "9Ringing",
                             "1Waiting",
                             "16Talking",
                             "2READY",
                             "16INCALL",
                             "3DISPO",
                             "4PAUSED",
                             "12,345Attempts",
                             "2,470Answered",
                             "2,410Connected",
                             "52Abandoned",
                             "77Sales",
                             "2.11 %",
                             "limit 3 %",
                             "87.3 %",
                             "20.0 %",
                             "Hopper 120",
                             "Dialable 4,100",
                             "Leads 5,000",
                             "Ring 14.2 s",
                             "Talk 95.5 s",
                             "Wrap-up 12.0 s",
                             "P(abandon) 1.8 %"}) {
    EXPECT_THAT(card, HasSubstr(figure));
  }
  EXPECT_THAT(Text("[data-campaign=SOLAR] .why"), HasSubstr("outside the calling window"));
  EXPECT_EQ(Run("return document.querySelector('[data-campaign=DEMO] .gauge').className"),
            "box gauge good");
  EXPECT_EQ(Run("return document.querySelector('[data-campaign=SOLAR] .gauge').className"),
            "box gauge bad")
      << "over 3 %";
  EXPECT_THAT(Text("#trunks"), HasSubstr("carrier-a"));
  EXPECT_THAT(Text("#trunks"), HasSubstr("21.0 %"));
  EXPECT_EQ(Text("#p50"), "0.3 ms");
  EXPECT_EQ(Text("#p99"), "2.0 ms");

  // Longest first; the attack is text in every cell it reached.
  EXPECT_EQ(Text("#agents tr:first-child td.user"), kAttack);
  EXPECT_EQ(Text("#agents tr:first-child td:last-child"), kAttack);
  EXPECT_THAT(Text("#agents tr:first-child td.time"), HasSubstr("1:02:0"));
  EXPECT_EQ(Text("#agents tr:nth-child(2) td.user"), "agent124");
  EXPECT_EQ(Text("#agents tr:nth-child(2) .chip"), "INCALL");
  EXPECT_THAT(Text("#trunks"), HasSubstr(kAttack));
  ExpectClean();

  // Timers tick without a new snapshot.
  ASSERT_TRUE(browser_
                  ->Run("window.before = document.querySelector('#agents tr:nth-child(2) "
                        "td.time').textContent")
                  .ok());
  ExpectUntil(
      "document.querySelector('#agents tr:nth-child(2) td.time').textContent !== window.before");
  for (int i = 0; i < 240; ++i) {  // some minutes of history for the small charts
    json snapshot = Snapshot();
    snapshot["now_ms"] = kNow + 1000 * i;
    json& demo = snapshot["campaigns"][0];
    demo["occupancy"] = 0.80 + 0.08 * ((i / 7) % 3) / 2 + 0.0002 * i;
    demo["today"]["abandon_ratio"] = 0.012 + 0.00004 * i;
    snapshot["campaigns"][1]["today"]["abandon_ratio"] = 0.02 + 0.00006 * i;
    events_.Push(snapshot);
  }
  ExpectUntil("document.querySelector('[data-campaign=DEMO]').textContent.includes('last 5 min')");
  Screenshot("board-1366");
  ASSERT_TRUE(browser_->Resize(1920, 1080).ok());
  Screenshot("board-1920");

  ASSERT_TRUE(browser_->Click("#heads th[data-key=agent] button").ok());
  EXPECT_EQ(Text("#agents tr:nth-child(2) td.user"), "agent100");
  ASSERT_TRUE(browser_->Click("#filters button[data-state=PAUSED]").ok());
  EXPECT_EQ(Run("return document.querySelectorAll('#agents tr').length"), 6);
  ASSERT_TRUE(browser_->Click("#lang").ok());
  EXPECT_EQ(Text("#filters button[data-state=PAUSED]"), "小休 6");
  EXPECT_THAT(Text("[data-campaign=DEMO]"), HasSubstr("呼损率"));
  EXPECT_EQ(Run("return document.documentElement.lang"), "zh-CN");
  ASSERT_TRUE(browser_->Click("#filters button[data-state='']").ok());
  Screenshot("board-zh");
  ExpectNoErrors();
}

TEST_F(PagesTest, BoardTellsALostConnectionAndComesBack) {
  events_.Install(*server_, "/v1/board/events");
  events_.Greet({Snapshot()});
  ASSERT_NO_FATAL_FAILURE(Begin({.language = "zh-CN"}));
  ASSERT_TRUE(browser_->Open(Url("/")).ok());
  ExpectUntil("document.getElementById('connection').textContent === '实时'");
  events_.SetDown(true);
  ExpectUntil("!document.getElementById('lost').hidden");
  EXPECT_EQ(Run("return document.getElementById('board').classList.contains('stale')"), true);
  Screenshot("board-lost");
  ASSERT_TRUE(
      browser_->Run("window.before = document.querySelector('#agents td.time').textContent").ok());
  ExpectUntil("document.getElementById('lost').textContent.includes('00:02')");
  EXPECT_EQ(Run("return document.querySelector('#agents td.time').textContent === window.before"),
            true)
      << "an old figure must not look alive";
  events_.SetDown(false);
  ExpectUntil("document.getElementById('lost').hidden");
  EXPECT_EQ(Text("#connection"), "实时");
}

// An agent API that answers as docs/API.md says and remembers what it was asked.
class FakeAgentApi {
 public:
  void Install(HttpServer& server, FakeSocketRoute& events) {
    events.Install(server, "/v1/agent/events");
    server.Route("POST", "/v1/agent/login", [this](HttpRequest request, Responder reply) {
      Remember(request);
      const json body = json::parse(request.body);
      if (body["password"] != "secret") {
        return reply(ErrorResponse(absl::UnauthenticatedError("wrong user or password")));
      }
      Answer(reply, {{"token", "tok&en"},
                     {"agent", body["user"]},
                     {"campaign", body["campaign"]},
                     {"state", "PAUSED"},
                     {"dispositions", Dispositions()}});
    });
    server.Route("GET", "/v1/agent/me", [this](HttpRequest request, Responder reply) {
      if (request.headers["authorization"] != "Bearer tok&en") {
        return reply(ErrorResponse(absl::UnauthenticatedError("log in first")));
      }
      std::lock_guard<std::mutex> lock(mutex_);
      Answer(reply, me_);
    });
    for (const char* name : {"state", "hangup", "disposition", "preview", "logout"}) {
      server.Route("POST", absl::StrCat("/v1/agent/", name),
                   [this](HttpRequest request, Responder reply) {
                     Remember(request);
                     Answer(reply, json::object());
                   });
    }
  }
  static json Dispositions() {
    return json::array(
        {{{"status", "SALE"}, {"name", "Sale made"}, {"name_zh", "成交"}, {"hotkey", "1"}},
         {{"status", "NI"}, {"name", "Not interested"}, {"name_zh", "无意向"}, {"hotkey", "2"}},
         {{"status", "CALLBK"}, {"name", "Call back"}, {"name_zh", "预约回拨"}, {"hotkey", "3"}},
         {{"status", "A"}, {"name", "Answering machine"}, {"name_zh", "答录机"}, {"hotkey", "4"}},
         {{"status", "WRONG"}, {"name", "Wrong number"}, {"name_zh", "号码错误"}, {"hotkey", "W"}},
         {{"status", "DNC"}, {"name", "Do not call"}, {"name_zh", "请勿来电"}, {"hotkey", "D"}}});
  }
  void SetState(const std::string& state) {
    std::lock_guard<std::mutex> lock(mutex_);
    me_["state"] = state;
  }
  void SetPop(const json& pop) {
    std::lock_guard<std::mutex> lock(mutex_);
    me_["pop"] = pop;
    me_["calls_today"] = 8;
  }
  // The body of the next request to `path` that has not been taken yet.
  json Take(const std::string& path) {
    std::unique_lock<std::mutex> lock(mutex_);
    const bool came =
        changed_.wait_for(lock, std::chrono::seconds(10), [&] { return !asked_[path].empty(); });
    if (!came) return "nothing asked of " + path;
    json body = json::parse(asked_[path].front());
    asked_[path].erase(asked_[path].begin());
    return body;
  }
  size_t Waiting(const std::string& path) {
    std::lock_guard<std::mutex> lock(mutex_);
    return asked_[path].size();
  }

 private:
  void Remember(const HttpRequest& request) {
    std::lock_guard<std::mutex> lock(mutex_);
    asked_[request.path].push_back(request.body);
    changed_.notify_all();
  }
  static void Answer(Responder& reply, const json& body) {
    HttpResponse response;
    response.body = body.dump();
    reply(response);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::vector<std::string>> asked_;
  json me_ = {{"agent", "maria"},  {"campaign", "DEMO"},
              {"state", "PAUSED"}, {"since_ms", kNow - 65'000},
              {"now_ms", kNow},    {"phone_up", true},
              {"calls_today", 7},  {"dispositions", Dispositions()}};
};

json Pop(int attempt, bool preview) {
  return {{"type", "pop"},
          {"seq", attempt * 10 + 2},
          {"attempt", attempt},
          {"lead_id", 5},
          {"list_id", 1},
          {"campaign", "DEMO"},
          {"preview", preview},
          {"answered_ms", 1},
          {"lead",
           {{"phone_number", "+12025550147"},
            {"first_name", "Ada"},
            {"last_name", "Example <b>& Sons</b>"},
            {"city", "Springfield"},
            {"state", "IL"},
            {"address1", "742 Evergreen Terrace"},
            {"company", kAttack},
            {"comments", absl::StrCat("Asked for a call after lunch.\n", kAttack)},
            {"vendor_lead_code", "V-1001"},
            {"called_count", 2},
            {"renewal_date", "2031-05-01"}}}};
}

json State(const std::string& state, int seq) {
  return {{"type", "state"}, {"seq", seq}, {"state", state}, {"since_ms", 0}, {"phone_up", true}};
}

class AgentPageTest : public PagesTest {
 protected:
  void LogIn(const e2e::BrowserOptions& options = {}) {
    api_.Install(*server_, events_);
    events_.Greet({State("PAUSED", 1)});
    ASSERT_NO_FATAL_FAILURE(Begin(options));
    ASSERT_TRUE(browser_->Open(Url("/agent.html")).ok());
    ExpectUntil("document.activeElement.id === 'user'");
    ASSERT_TRUE(browser_->Type("#user", "maria").ok());
    ASSERT_TRUE(browser_->Type("#password", "wrong").ok());
    ASSERT_TRUE(browser_->Type("#campaign", "DEMO").ok());
    ASSERT_TRUE(browser_->Type("#phone", "sip:maria@127.0.0.1:5070").ok());
    Screenshot("agent-login");
    ASSERT_TRUE(browser_->Click("#login-button").ok());
    ExpectUntil("document.getElementById('login-error').textContent === 'wrong user or password'");
    api_.Take("/v1/agent/login");
    ASSERT_TRUE(browser_->Run("document.getElementById('password').value = ''").ok());
    ASSERT_TRUE(browser_->Type("#password", "secret\n").ok());
    ExpectUntil("!document.getElementById('work-view').hidden");
    EXPECT_EQ(api_.Take("/v1/agent/login"), (json{{"user", "maria"},
                                                  {"password", "secret"},
                                                  {"campaign", "DEMO"},
                                                  {"phone", "sip:maria@127.0.0.1:5070"}}));
    const auto refused = browser_->Errors();  // the 401 of the wrong password
    ASSERT_TRUE(refused.ok());
    EXPECT_EQ(refused->size(), 1u);
    ASSERT_TRUE(events_.WaitForOpening(1));
  }
  FakeAgentApi api_;
};

TEST_F(AgentPageTest, ACallFromReadyToDisposition) {
  ASSERT_NO_FATAL_FAILURE(LogIn());
  ExpectUntil("document.getElementById('state-word').textContent === 'PAUSED'");
  EXPECT_EQ(Text("#who"), "maria · DEMO");
  EXPECT_EQ(Text("#calls"), "7 calls today");
  EXPECT_EQ(Text("#phone-state"), "Phone connected");
  EXPECT_THAT(Text("#timer"), StartsWith("01:0")) << "by the server's clock";

  ASSERT_TRUE(browser_->Press(e2e::kF2).ok());
  EXPECT_EQ(api_.Take("/v1/agent/state"), (json{{"state", "ready"}}));
  events_.Push(State("READY", 2));
  ExpectUntil("document.getElementById('state-word').textContent === 'READY'");
  Screenshot("agent-ready");
  ASSERT_TRUE(browser_->Run("document.getElementById('pause-code').value = 'LUNCH'").ok());
  ASSERT_TRUE(browser_->Press(e2e::kF4).ok());
  EXPECT_EQ(api_.Take("/v1/agent/state"), (json{{"state", "not_ready"}, {"code", "LUNCH"}}));

  api_.SetPop(Pop(41, false));
  api_.SetState("INCALL");
  events_.Push(State("INCALL", 3));
  events_.Push(Pop(41, false));
  ExpectUntil("!document.getElementById('lead-body').hidden");
  EXPECT_EQ(Text("#lead-name"), "Ada Example <b>& Sons</b>");
  EXPECT_EQ(Text("#lead-phone"), "+12025550147");
  EXPECT_EQ(Run("return [...document.querySelectorAll('#fields [data-field]')].map((e) => "
                "e.dataset.field)"),
            (json{"company", "address1", "city", "state", "comments", "called_count",
                  "renewal_date", "vendor_lead_code"}));
  EXPECT_EQ(Text("[data-field=company] dd"), kAttack);
  EXPECT_THAT(Text("[data-field=comments] dd"), HasSubstr(kAttack));
  EXPECT_EQ(Text("[data-field=renewal_date] dt"), "renewal date");
  ExpectUntil("document.getElementById('calls').textContent === '8 calls today'");
  ExpectUntil("document.getElementById('timer').textContent === '00:02'");
  Screenshot("agent-incall");
  ExpectClean();

  ASSERT_TRUE(browser_->Press(e2e::kF8).ok());
  EXPECT_EQ(api_.Take("/v1/agent/hangup"), json::object());
  events_.Push({{"type", "call_ended"},
                {"seq", 500},
                {"attempt", 41},
                {"by", "AGENT"},
                {"length_ms", 95'000}});
  api_.SetState("DISPO");
  events_.Push(State("DISPO", 501));
  ExpectUntil("document.getElementById('state-word').textContent === 'DISPO'");
  EXPECT_THAT(Text("#notices"), HasSubstr("Call ended by you after 01:35"));

  // A hotkey typed into the note is a letter; outside it is a disposition.
  ASSERT_TRUE(browser_->Type("#note", "wants 2 panels").ok());
  EXPECT_EQ(api_.Waiting("/v1/agent/disposition"), 0u);
  Screenshot("agent-wrapup");
  ASSERT_TRUE(browser_->Press(e2e::kEscape).ok());
  ASSERT_TRUE(browser_->Press("1").ok());
  EXPECT_EQ(api_.Take("/v1/agent/disposition"),
            (json{{"attempt", 41}, {"status", "SALE"}, {"note", "wants 2 panels"}}));
  ExpectUntil("document.getElementById('finish-status').textContent === 'Saved: Sale made'");
  EXPECT_EQ(Run("return document.getElementById('note').value"), "");
  events_.Push(State("READY", 502));
  ExpectUntil("document.getElementById('state-word').textContent === 'READY'");
  EXPECT_EQ(Run("return document.getElementById('lead-body').hidden"), true);
  ExpectNoErrors();
}

TEST_F(AgentPageTest, CallbackPreviewAndAChoiceMadeWhileTalking) {
  ASSERT_NO_FATAL_FAILURE(LogIn());
  // Preview: look, then dial or skip.
  events_.Push(State("RESERVED", 2));
  events_.Push(Pop(50, true));
  ExpectUntil("document.getElementById('preview-row').offsetParent !== null");
  Screenshot("agent-preview");
  ASSERT_TRUE(browser_->Press(e2e::kF7).ok());
  EXPECT_EQ(api_.Take("/v1/agent/preview"), (json{{"attempt", 50}, {"action", "dial"}}));
  ASSERT_TRUE(browser_->Click("#skip").ok());
  EXPECT_EQ(api_.Take("/v1/agent/preview"), (json{{"attempt", 50}, {"action", "skip"}}));

  // Picked while talking: sent when the call ends.
  events_.Push(State("INCALL", 600));
  json pop = Pop(51, false);
  pop["seq"] = 601;
  events_.Push(pop);
  ExpectUntil("document.getElementById('finish').offsetParent !== null");
  ASSERT_TRUE(browser_->Click("[data-status=NI]").ok());
  ExpectUntil("document.querySelector('[data-status=NI]').getAttribute('aria-pressed') === 'true'");
  EXPECT_EQ(api_.Waiting("/v1/agent/disposition"), 0u);
  events_.Push({{"type", "call_ended"},
                {"seq", 602},
                {"attempt", 51},
                {"by", "CALLER"},
                {"length_ms", 9000}});
  EXPECT_EQ(api_.Take("/v1/agent/disposition"), (json{{"attempt", 51}, {"status", "NI"}}));

  // A callback needs its time.
  pop = Pop(52, false);
  pop["seq"] = 700;
  events_.Push(State("DISPO", 699));
  events_.Push(pop);
  ExpectUntil("document.querySelector('[data-status=CALLBK]').disabled === false");
  ASSERT_TRUE(browser_->Click("[data-status=CALLBK]").ok());
  ExpectUntil("document.getElementById('finish-status').textContent.includes('Set the date')");
  EXPECT_EQ(api_.Waiting("/v1/agent/disposition"), 0u);
  ASSERT_TRUE(browser_->Run("document.getElementById('callback').value = '2099-01-02T10:30'").ok());
  ASSERT_TRUE(browser_->Click("[data-status=CALLBK]").ok());
  const json callback = api_.Take("/v1/agent/disposition");
  EXPECT_EQ(callback["status"], "CALLBK");
  EXPECT_EQ(callback["callback_ms"], Run("return new Date('2099-01-02T10:30').getTime()"));
  ExpectNoErrors();
}

TEST_F(AgentPageTest, LostConnectionIsToldAndTheSessionResumes) {
  ASSERT_NO_FATAL_FAILURE(LogIn());
  ExpectUntil("document.getElementById('lost').hidden");
  EXPECT_EQ(events_.token(), "tok&en");
  api_.SetPop(Pop(61, false));
  api_.SetState("INCALL");
  events_.Push(State("INCALL", 2));
  events_.Push(Pop(61, false));
  ExpectUntil("!document.getElementById('lead-body').hidden");
  ASSERT_TRUE(browser_->Type("#note", "half a sen").ok());
  events_.SetDown(true);
  ExpectUntil("!document.getElementById('lost').hidden");
  Screenshot("agent-lost");
  events_.Greet({State("INCALL", 1), Pop(61, false)});
  events_.SetDown(false);
  ExpectUntil("document.getElementById('lost').hidden");
  EXPECT_EQ(Run("return document.getElementById('note').value"), "half a sen");

  // A reload takes up the same session; a notice of any text is text.
  ASSERT_TRUE(browser_->Open(Url("/agent.html")).ok());
  ExpectUntil("document.getElementById('lead-name').textContent.startsWith('Ada')");
  ASSERT_TRUE(events_.WaitForOpening(3));  // login, reconnection, reload
  events_.Push({{"type", "notice"}, {"seq", 9000}, {"message", kAttack}});
  ExpectUntil("document.getElementById('notices').textContent.includes('onerror')");
  ExpectClean();
  ASSERT_TRUE(browser_->Click("#lang").ok());
  EXPECT_EQ(Text("#state-word"), "通话中");
  EXPECT_THAT(Text("#dispositions"), HasSubstr("无意向"));
  Screenshot("agent-zh");
  ASSERT_TRUE(browser_->Click("#logout").ok());
  EXPECT_EQ(api_.Take("/v1/agent/logout"), json::object());
  ExpectUntil("!document.getElementById('login-view').hidden");
  EXPECT_EQ(Run("return sessionStorage.getItem('outpace.token')"), json());
}

}  // namespace
}  // namespace outpace::api
