// The agents' door, through a real server on a free port: controller, service and passwords each on
// a loop of their own as in the engine, with the test in place of the call shard.

#include "engine/runtime/agent_service.h"

#include <condition_variable>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/api/http_client.h"
#include "engine/runtime/asio_loop.h"
#include "engine/runtime/board_service.h"
#include "engine/runtime/password.h"
#include "engine/runtime/real_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/fake_audit.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

// What came in, and waiting for what is to come.
template <typename T>
class Inbox {
 public:
  void Put(T value) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      values_.push_back(std::move(value));
    }
    changed_.notify_all();
  }
  // The first one, old or new, that `wanted` likes; fails the test after ten seconds.
  template <typename Wanted>
  T Await(Wanted wanted) {
    std::unique_lock<std::mutex> lock(mutex_);
    T found{};
    const bool came = changed_.wait_for(lock, std::chrono::seconds(10), [&] {
      for (const T& value : values_) {
        if (!wanted(value)) continue;
        found = value;
        return true;
      }
      return false;
    });
    EXPECT_TRUE(came) << "it never came";
    return found;
  }
  size_t size() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return values_.size();
  }
  template <typename Each>
  void ForEach(Each each) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const T& value : values_) each(value);
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<T> values_;
};

// An agent's page: an event socket.
class Page {
 public:
  Page(uint16_t port, const std::string& token) {
    api::WebSocketClient::Callbacks callbacks;
    callbacks.on_text = [this](std::string text) { events_.Put(Json::parse(text)); };
    callbacks.on_close = [this](absl::Status why) { closed_.Put(std::move(why)); };
    socket_ = api::WebSocketClient::Connect(
        absl::StrCat("ws://127.0.0.1:", port, "/v1/agent/events?token=", token),
        std::move(callbacks));
  }
  Json AwaitState(const std::string& state) {
    return events_.Await(
        [&](const Json& e) { return e["type"] == "state" && e["state"] == state; });
  }
  Json AwaitType(const std::string& type) {
    return events_.Await([&](const Json& e) { return e["type"] == type; });
  }
  absl::Status AwaitClose() {
    return closed_.Await([](const absl::Status&) { return true; });
  }

 private:
  Inbox<Json> events_;
  Inbox<absl::Status> closed_;
  std::unique_ptr<api::WebSocketClient> socket_;
};

class AgentServiceTest : public ::testing::Test {
 protected:
  AgentServiceTest()
      : control_("control", clock_),
        agents_loop_("agents", clock_),
        boards_loop_("boards", clock_),
        hashing_("hashing", clock_),
        store_service_(store_, control_),
        service_({{"127.0.0.0/8"}, {{"127.0.0.3", 5060}, {"127.0.0.4", 5099}}, &audit_},
                 agents_loop_, hashing_, log_),
        boards_(boards_loop_, "board-token"),
        controller_(
            Options(), control_, store_service_,
            [this](call::ShardMessage message) {
              posted_.Put(std::move(message));
              return absl::OkStatus();
            },
            service_, SecureRandom64, log_) {}

  static ControllerOptions Options() {
    ControllerOptions options;
    options.trunks = {
        {.name = "carrier", .peer = "192.0.2.10:5060", .calls_per_second = 50, .calls_max = 100}};
    options.tick = absl::Milliseconds(5);
    return options;
  }

  void SetUp() override {
    campaign::CampaignSettings settings;
    settings.id = "C";
    settings.trunk = "carrier";
    settings.active = true;
    settings.dial_method = campaign::DialMethod::kProgressive;
    settings.local_call_time = *campaign::CallingWindow::Parse("24hours");
    campaign::Lead lead;
    lead.id = LeadId(1);
    lead.list = ListId(101);
    lead.campaign = "C";
    lead.phone = E164(13035550001);
    lead.time_zones = {"America/Denver"};
    lead.fields["first_name"] = "An\xffn<script>";
    lead.recycled = "NA:1";
    campaign::StoreBatch batch;
    batch.leads.push_back(lead);
    ASSERT_TRUE(store_.Commit(batch).ok());
    Controller::StartState state;
    state.campaigns.push_back(settings);
    static const std::string kHash = HashPassword("right");  // 50 ms once, not in each test
    for (const char* user : {"ann", "bob"}) {
      campaign::AgentRecord agent;
      agent.user = user;
      agent.phone_uri = absl::StrCat("sip:", user, "@127.0.0.1:5070");
      agent.password_hash = kHash;
      state.agents.push_back(agent);
      service_.PutAgent(agent);
    }
    service_.SetController(controller_, control_);
    auto server = api::HttpServer::Create(api::ServerOptions(), log_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    service_.Install(*server_);
    boards_.Install(*server_);
    ASSERT_TRUE(control_.Post(
        [this, state = std::move(state)]() mutable { controller_.Start(std::move(state)); }));
    boards_.Start(controller_, control_);
    for (AsioLoop* loop : Loops()) loop->Start();
    server_->Start();
    client_ = api::HttpClient::Create(absl::StrCat("http://127.0.0.1:", server_->port()));
  }
  void TearDown() override {
    server_->Stop();
    for (AsioLoop* loop : Loops()) loop->Stop();
  }
  std::vector<AsioLoop*> Loops() { return {&hashing_, &boards_loop_, &agents_loop_, &control_}; }

  struct Answer {
    int status = 0;
    Json body;
    std::string error() const { return body.dump(); }
  };
  Answer Send(const std::string& method, const std::string& target, const std::string& body,
              const std::string& token = "") {
    std::map<std::string, std::string> headers;
    if (!token.empty()) headers["authorization"] = "Bearer " + token;
    const auto response = client_->Send(method, target, body, headers);
    EXPECT_TRUE(response.ok()) << response.status();
    if (!response.ok()) return {};
    return {response->status, Json::parse(response->body, nullptr, false)};
  }
  Answer Post(const std::string& verb, const Json& body, const std::string& token = "") {
    return Send("POST", "/v1/agent/" + verb, body.dump(), token);
  }
  Answer Login(const std::string& user, const std::string& password, Json more = Json::object()) {
    more["user"] = user;
    more["password"] = password;
    if (!more.contains("campaign")) more["campaign"] = "C";
    return Post("login", more);
  }
  std::string Token(const std::string& user = "ann") {
    const Answer answer = Login(user, "right");
    EXPECT_EQ(answer.status, 200) << answer.error();
    return answer.body.value("token", "");
  }
  call::DialOrder AwaitDial(call::LegKind kind) {
    const call::ShardMessage message = posted_.Await([&](const call::ShardMessage& m) {
      const auto* order = std::get_if<call::DialOrder>(&m);
      return order != nullptr && order->kind == kind;
    });
    const auto* order = std::get_if<call::DialOrder>(&message);
    return order == nullptr ? call::DialOrder() : *order;
  }
  // Ready, dialed, answered and bridged; the lead's leg.
  LegId Talk(const std::string& token, Page& page) {
    const LegId phone = AwaitDial(call::LegKind::kAgent).leg;
    controller_.OnLegEvent(call::LegAnswered{phone, clock_.Mono()});
    EXPECT_EQ(Post("state", {{"state", "ready"}}, token).body["state"], "READY");
    const LegId lead = AwaitDial(call::LegKind::kLead).leg;
    controller_.OnLegEvent(call::LegAnswered{lead, clock_.Mono()});
    controller_.OnLegEvent(call::LegConnected{lead, phone, clock_.Mono()});
    page.AwaitState("INCALL");
    return lead;
  }
  void End(LegId leg) {
    call::LegEnded ended;
    ended.leg = leg;
    ended.outcome = call::CallOutcome::kAnswered;
    ended.by_far_end = true;
    ended.at = clock_.Mono();
    controller_.OnLegEvent(ended);
    controller_.OnLegEvent(call::LegFreed{leg});
  }

  RealClock clock_;
  NullLog log_;
  FakeAudit audit_;
  store::MemoryLeadStore store_;
  size_t PhonesRung() {
    size_t rung = 0;
    posted_.ForEach([&](const call::ShardMessage& m) {
      rung += std::holds_alternative<call::DialOrder>(m) ? 1 : 0;
    });
    return rung;
  }
  Inbox<call::ShardMessage> posted_;
  AsioLoop control_, agents_loop_, boards_loop_, hashing_;
  ThreadedStoreService store_service_;
  AgentService service_;
  BoardService boards_;
  Controller controller_;
  std::unique_ptr<api::HttpServer> server_;
  std::unique_ptr<api::HttpClient> client_;
};

TEST_F(AgentServiceTest, OnlyTheRightPasswordOfAKnownUserOpens) {
  const Answer wrong = Login("ann", "wrong");
  const Answer unknown = Login("nobody", "right");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(unknown.status, 401);
  EXPECT_EQ(wrong.body, unknown.body) << "who exists is nobody's business";
  EXPECT_EQ(Login("nobody", "").status, 401);
  EXPECT_EQ(Login("", "").status, 401);
  EXPECT_EQ(PhonesRung(), 0u);
  const Answer right = Login("ann", "right");
  EXPECT_EQ(right.status, 200);
  EXPECT_EQ(right.body["agent"], "ann");
  EXPECT_EQ(right.body["campaign"], "C");
  EXPECT_EQ(right.body["token"].get<std::string>().size(), 64u);
  EXPECT_EQ(right.body["dispositions"][0]["status"], "SALE");
  EXPECT_EQ(right.body["dispositions"][0]["hotkey"], "1");
}

TEST_F(AgentServiceTest, AScreenShowsTheCampaignsOwnDispositions) {
  const std::string token = Token();
  Page page(server_->port(), token);
  page.AwaitState("PAUSED");
  campaign::CampaignSettings settings;
  settings.id = "C";
  campaign::Disposition hot;
  hot.status = "HOT";
  hot.name = "Hot lead";
  hot.name_zh = "高意向";
  hot.hotkey = 'b';
  hot.selectable = hot.scheduled_callback = true;
  settings.statuses.Put(hot);
  service_.PutCampaign(settings);
  const Json told = page.AwaitType("dispositions");
  EXPECT_EQ(told["dispositions"].size(), 13u);
  const Json me = Send("GET", "/v1/agent/me", "", token).body;
  EXPECT_EQ(me["dispositions"], told["dispositions"]);
  const Json shown = me["dispositions"][10];  // behind 1..9 and 0
  EXPECT_EQ(shown["status"], "HOT");
  EXPECT_EQ(shown["name_zh"], "高意向");
  EXPECT_EQ(shown["hotkey"], "b");
  EXPECT_EQ(shown["callback"], true);
}

TEST_F(AgentServiceTest, AgentsAreShownTheirOwnReviews) {
  const std::string token = Token();
  Page page(server_->port(), token);
  page.AwaitState("PAUSED");
  EXPECT_EQ(Send("GET", "/v1/agent/reviews", "").status, 401);
  EXPECT_TRUE(Send("GET", "/v1/agent/reviews", "", token).body["reviews"].empty());
  service_.PutReviews("ann", R"([{"attempt":7,"percent":82}])", "A call was reviewed");
  EXPECT_EQ(page.AwaitType("notice")["message"], "A call was reviewed");
  EXPECT_EQ(Send("GET", "/v1/agent/reviews", "", token).body["reviews"][0]["attempt"], 7);
  EXPECT_TRUE(Send("GET", "/v1/agent/reviews", "", Token("bob")).body["reviews"].empty());
}

TEST_F(AgentServiceTest, LoginTellsWhatIsWrongWithTheRest) {
  EXPECT_EQ(Login("ann", "right", {{"campaign", "NONE"}}).status, 404);
  EXPECT_EQ(Send("POST", "/v1/agent/login", "{").status, 400);
  EXPECT_EQ(Send("POST", "/v1/agent/login", "[]").status, 400);
  EXPECT_EQ(Send("POST", "/v1/agent/login", "").status, 400);
  EXPECT_EQ(Send("POST", "/v1/agent/login", R"({"user": 5, "password": {}})").status, 401);
}

TEST_F(AgentServiceTest, APhoneMayOnlyBeWhereTheConfigurationAllows) {
  for (const std::string& phone :
       {std::string("sip:ann@10.0.0.1:5060"), std::string("sip:ann@evil.example"),
        std::string("tel:+13035550001"), std::string("sips:ann@127.0.0.1"),
        std::string("sip:127.0.0.1@10.0.0.1"), std::string("sip:ann@127.0.0.1@10.0.0.1"),
        std::string("sip:ann@127.0.0.1.evil.example"), std::string("sip:ann@127.0.0.1\0.evil", 22),
        std::string("sip:ann@127.0.0.1:5060?Route=sip:evil"),
        std::string("sip:ann@127.0.0.1:5060\r\nRoute: <sip:10.0.0.1>"),
        std::string("sip:ann@127.0.0.1:5060 SIP/2.0"), std::string("sip:<ann>@127.0.0.1"),
        std::string("sip:13035550001@127.0.0.3"), std::string("sip:13035550001@127.0.0.3:5060"),
        std::string("sip:13035550001@127.0.0.4:5099;user=phone"), std::string("sip:ann@[::1]"),
        std::string("sip:ann@127.1"), std::string("sip:"),
        "sip:ann@127.0.0.1:5060;x=" + std::string(300, 'x')}) {
    const Answer answer = Login("ann", "right", {{"phone", phone}});
    EXPECT_EQ(answer.status, 400) << phone;
    EXPECT_THAT(answer.error(), HasSubstr("agents.phone_networks"));
  }
  EXPECT_EQ(PhonesRung(), 0u);
  EXPECT_EQ(Login("ann", "right", {{"phone", "sip:desk-7@127.0.0.9:5071;transport=udp"}}).status,
            200);
  EXPECT_EQ(AwaitDial(call::LegKind::kAgent).route_uri, "sip:127.0.0.9:5071");
}

TEST_F(AgentServiceTest, NothingWorksWithoutAToken) {
  const std::string good = Token();
  for (const std::string& token : {std::string(), std::string(64, '0'), good + "0"}) {
    for (const char* verb : {"state", "hangup", "disposition", "preview", "logout"}) {
      EXPECT_EQ(Post(verb, Json::object(), token).status, 401) << verb;
    }
    EXPECT_EQ(Send("GET", "/v1/agent/me", "", token).status, 401);
    Page page(server_->port(), token);
    EXPECT_EQ(page.AwaitClose().code(), absl::StatusCode::kUnauthenticated);
  }
  EXPECT_EQ(Send("GET", "/v1/agent/me", "", good).status, 200);
}

TEST_F(AgentServiceTest, OneSessionAnAgent) {
  const std::string first = Token();
  Page page(server_->port(), first);
  page.AwaitState("PAUSED");
  const std::string second = Token();
  EXPECT_NE(first, second);
  EXPECT_EQ(Send("GET", "/v1/agent/me", "", first).status, 401);
  EXPECT_EQ(Send("GET", "/v1/agent/me", "", second).status, 200);
  EXPECT_FALSE(page.AwaitClose().ok()) << "the old screen sees nothing more";
  const std::string other = Token("bob");
  EXPECT_EQ(Send("GET", "/v1/agent/me", "", second).body["agent"], "ann");
  EXPECT_EQ(Send("GET", "/v1/agent/me", "", other).body["agent"], "bob");
}

TEST_F(AgentServiceTest, BadBodiesAreRefused) {
  const std::string token = Token();
  EXPECT_EQ(Send("POST", "/v1/agent/state", "{", token).status, 400);
  EXPECT_EQ(Send("POST", "/v1/agent/state", "[]", token).status, 400);
  EXPECT_EQ(Post("state", {{"state", "asleep"}}, token).status, 400);
  EXPECT_EQ(Post("state", Json::object(), token).status, 400);
  EXPECT_EQ(Post("preview", {{"attempt", 1}, {"action", "burn"}}, token).status, 400);
  EXPECT_EQ(Post("preview", {{"attempt", 1}, {"action", "dial"}}, token).status, 409);
  EXPECT_EQ(Post("disposition", {{"attempt", 1}, {"status", "WHAT"}}, token).status, 400);
  EXPECT_EQ(Post("disposition", {{"attempt", 12345}, {"status", "SALE"}}, token).status, 404);
  EXPECT_EQ(Post("disposition", {{"attempt", -1}, {"status", "SALE"}}, token).status, 404);
  EXPECT_EQ(Post("disposition", {{"attempt", "1"}, {"status", "SALE"}}, token).status, 404);
  EXPECT_EQ(Post("hangup", Json::object(), token).status, 409);
}

TEST_F(AgentServiceTest, AWholeCall) {
  const std::string token = Token();
  Page page(server_->port(), token);
  page.AwaitState("PAUSED");
  const LegId lead = Talk(token, page);
  const Json pop = page.AwaitType("pop");
  EXPECT_EQ(pop["lead_id"], 1);
  EXPECT_EQ(pop["list_id"], 101);
  EXPECT_EQ(pop["campaign"], "C");
  EXPECT_EQ(pop["preview"], false);
  EXPECT_GT(pop["answered_ms"].get<int64_t>(), 0);
  EXPECT_EQ(pop["lead"]["phone_number"], "+13035550001");
  EXPECT_THAT(pop["lead"]["first_name"].get<std::string>(), HasSubstr("n<script>"));
  EXPECT_FALSE(pop["lead"].contains("recycled")) << "our own notes are not for screens";

  Json me = Send("GET", "/v1/agent/me", "", token).body;
  EXPECT_EQ(me["state"], "INCALL");
  EXPECT_EQ(me["attempt"], pop["attempt"]);
  EXPECT_EQ(me["pop"]["lead"], pop["lead"]);
  EXPECT_EQ(me["calls_today"], 1);
  EXPECT_EQ(me["phone_up"], true);
  EXPECT_EQ(Post("state", {{"state", "not_ready"}, {"code", "LUNCH"}}, token).body["state"],
            "INCALL")
      << "the pause comes after the call";
  EXPECT_EQ(Post("disposition", {{"attempt", pop["attempt"]}, {"status", "SALE"}}, token).status,
            409);
  EXPECT_EQ(Post("hangup", Json::object(), token).status, 200);
  End(lead);
  const Json ended = page.AwaitType("call_ended");
  EXPECT_EQ(ended["attempt"], pop["attempt"]);
  EXPECT_EQ(ended["by"], "CALLER");
  page.AwaitState("DISPO");
  const int64_t callback_ms = absl::ToUnixMillis(clock_.Wall() + absl::Hours(24));
  Json disposition = {{"attempt", pop["attempt"]},
                      {"status", "CALLBK"},
                      {"note", "after six"},
                      {"callback_ms", callback_ms / 1000}};
  EXPECT_EQ(Post("disposition", disposition, token).status, 400) << "seconds are no milliseconds";
  disposition["callback_ms"] = callback_ms;
  EXPECT_EQ(Post("disposition", disposition, token).status, 200);
  const AttemptId id(pop["attempt"].get<uint64_t>());
  const campaign::Attempt stored = **store_.GetAttempt(id);
  EXPECT_EQ(stored.status, "CALLBK");
  EXPECT_EQ(stored.note, "after six");
  EXPECT_EQ(stored.callback_time, absl::FromUnixMillis(callback_ms));
  EXPECT_EQ((**store_.GetLead(LeadId(1))).next_call_time, stored.callback_time);
  EXPECT_EQ(Post("disposition", disposition, token).status, 200) << "said again";
  Json other = disposition;
  other["status"] = "SALE";
  const Answer refused = Post("disposition", other, token);
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.error(), HasSubstr("FAILED_PRECONDITION"));
  const std::string bob = Token("bob");
  EXPECT_EQ(Post("disposition", disposition, bob).status, 403);
  me = Send("GET", "/v1/agent/me", "", token).body;
  EXPECT_EQ(me["state"], "PAUSED");
  EXPECT_FALSE(me.contains("pop"));
  EXPECT_EQ(me["calls_today"], 1);
}

TEST_F(AgentServiceTest, EventsAreNumberedWithoutAGap) {
  const std::string token = Token();
  Page page(server_->port(), token);
  page.AwaitState("PAUSED");
  const Json first = page.AwaitType("state");
  EXPECT_EQ(Post("state", {{"state", "ready"}}, token).body["state"], "READY");
  const Json ready = page.AwaitState("READY");
  EXPECT_GT(ready["seq"].get<int64_t>(), first["seq"].get<int64_t>());
  EXPECT_TRUE(ready.contains("since_ms"));
  EXPECT_TRUE(ready.contains("phone_up"));
}

TEST_F(AgentServiceTest, APageThatComesBackIsToldWhereItIs) {
  const std::string token = Token();
  auto page = std::make_unique<Page>(server_->port(), token);
  page->AwaitState("PAUSED");
  Talk(token, *page);
  const Json pop = page->AwaitType("pop");
  page.reset();
  Page again(server_->port(), token);
  again.AwaitState("INCALL");
  EXPECT_EQ(again.AwaitType("pop")["attempt"], pop["attempt"]);
  EXPECT_EQ(Send("GET", "/v1/agent/me", "", token).body["calls_today"], 1)
      << "shown twice, one call";
}

TEST_F(AgentServiceTest, LogoutEndsTheTokenAndTheScreen) {
  const std::string token = Token();
  Page page(server_->port(), token);
  page.AwaitState("PAUSED");
  EXPECT_EQ(Post("logout", Json::object(), token).status, 200);
  EXPECT_FALSE(page.AwaitClose().ok());
  EXPECT_EQ(Send("GET", "/v1/agent/me", "", token).status, 401);
  const LegId phone = AwaitDial(call::LegKind::kAgent).leg;
  posted_.Await([&](const call::ShardMessage& m) {
    const auto* order = std::get_if<call::HangUp>(&m);
    return order != nullptr && order->leg == phone;
  });
  EXPECT_FALSE(Token().empty()) << "and in again";
}

TEST_F(AgentServiceTest, ANewPasswordCountsAtOnce) {
  campaign::AgentRecord agent;
  agent.user = "ann";
  agent.phone_uri = "sip:ann@127.0.0.1:5070";
  agent.password_hash = HashPassword("new");
  service_.PutAgent(agent);
  EXPECT_EQ(Login("ann", "right").status, 401);
  EXPECT_EQ(Login("ann", "new").status, 200);
}

TEST_F(AgentServiceTest, BoardsAskForTheirToken) {
  // Not ready before the first look at the floor.
  for (int i = 0; i < 10'000 && Send("GET", "/readyz", "", "board-token").status != 200; ++i) {
  }
  for (const char* path : {"/v1/board", "/v1/board/text", "/metrics", "/readyz"}) {
    EXPECT_EQ(Send("GET", path, "").status, 401) << path;
    EXPECT_EQ(Send("GET", path, "", "wrong").status, 401) << path;
    EXPECT_EQ(Send("GET", path, "", "board-token").status, 200) << path;
    EXPECT_EQ(Send("GET", absl::StrCat(path, "?token=board-token"), "").status, 200) << path;
  }
  EXPECT_EQ(Send("GET", "/healthz", "").status, 200) << "says nothing of anybody";
  EXPECT_EQ(Send("GET", "/v1/board", "", Token()).status, 401) << "an agent's token is no board's";
  Inbox<Json> boards;
  api::WebSocketClient::Callbacks callbacks;
  callbacks.on_text = [&](std::string text) { boards.Put(Json::parse(text)); };
  const auto socket = api::WebSocketClient::Connect(
      absl::StrCat("ws://127.0.0.1:", server_->port(), "/v1/board/events?token=board-token"),
      std::move(callbacks));
  const Json board = boards.Await([](const Json& b) { return !b["campaigns"].empty(); });
  EXPECT_EQ(board["campaigns"][0]["id"], "C");
}

TEST_F(AgentServiceTest, NotReadyWhileDraining) {
  std::promise<void> draining;
  ASSERT_TRUE(control_.Post([&] {
    controller_.Drain([] {});
    draining.set_value();
  }));
  draining.get_future().wait();
  EXPECT_EQ(Login("ann", "right").status, 503);
  Inbox<Json> boards;
  api::WebSocketClient::Callbacks callbacks;
  callbacks.on_text = [&](std::string text) { boards.Put(Json::parse(text)); };
  const auto socket = api::WebSocketClient::Connect(
      absl::StrCat("ws://127.0.0.1:", server_->port(), "/v1/board/events?token=board-token"),
      std::move(callbacks));
  boards.Await([](const Json& b) { return b["draining"] == true; });
  EXPECT_EQ(Send("GET", "/readyz", "", "board-token").status, 503);
  EXPECT_EQ(Send("GET", "/healthz", "").status, 200);
}

TEST_F(AgentServiceTest, LoginsAreInTheEvidenceLogFailedOnesToo) {
  EXPECT_EQ(Login("ann", "wrong").status, 401);
  EXPECT_EQ(Login("nobody\n\"}", "right").status, 401);
  const std::string token = Token("ann");
  EXPECT_EQ(Post("logout", Json::object(), token).status, 200);
  Page page(server_->port(), Token("bob"));  // comes after the logout on the service's loop
  page.AwaitType("state");
  const std::vector<audit::Event> failed = audit_.events("agent.login_failed");
  ASSERT_EQ(failed.size(), 2u);
  EXPECT_EQ(TextOf(failed[0], "user"), "ann");
  EXPECT_EQ(TextOf(failed[0], "address"), "127.0.0.1");
  EXPECT_EQ(TextOf(failed[1], "user"), "nobody\n\"}");
  EXPECT_EQ(audit_.Last("agent.logout").actor, "agent ann");
  const std::vector<audit::Event> logins = audit_.events("agent.login");
  ASSERT_EQ(logins.size(), 2u);
  EXPECT_EQ(logins[0].actor, "agent ann");
  EXPECT_EQ(TextOf(logins[0], "campaign"), "C");
  EXPECT_THAT(audit_.Text(), Not(HasSubstr("wrong")));
}

}  // namespace
}  // namespace outpace::runtime
