#include "tools/farend/sim_agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/api/http_server.h"
#include "engine/base/log.h"
#include "tools/farend/phone.h"
#include "tools/farend/reactor.h"

namespace outpace::farend {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::Time At(int ms) { return absl::FromUnixMillis(1'700'000'000'000 + ms); }

TEST(AudioMatcher, APopThenItsAudio) {
  AudioMatcher matcher;
  EXPECT_FALSE(matcher.OnPop(7, At(0)));
  const auto match = matcher.OnBurst(At(30));
  ASSERT_TRUE(match);
  EXPECT_EQ(match->attempt, 7u);
  EXPECT_EQ(match->at, At(30));
  EXPECT_FALSE(matcher.OnBurst(At(5000)));  // a pause of the same call
}

TEST(AudioMatcher, AudioThenItsPop) {
  AudioMatcher matcher;
  EXPECT_FALSE(matcher.OnBurst(At(0)));
  const auto match = matcher.OnPop(7, At(40));
  ASSERT_TRUE(match);
  EXPECT_EQ(match->at, At(0));
  EXPECT_FALSE(matcher.OnBurst(At(400)));
}

TEST(AudioMatcher, OldNoiseBelongsToNobody) {
  AudioMatcher matcher;
  matcher.OnBurst(At(0));
  EXPECT_FALSE(matcher.OnPop(7, At(2001)));  // too long ago
  EXPECT_TRUE(matcher.OnBurst(At(2050)));
  matcher.OnCallEnded();
  matcher.OnBurst(At(3000));
  matcher.OnCallEnded();
  EXPECT_FALSE(matcher.OnPop(8, At(3100)));  // the burst was of the call before
  EXPECT_EQ(matcher.OnBurst(At(3120))->attempt, 8u);
}

TEST(Backoff, DoublesUpToASecond) {
  Backoff backoff;
  std::vector<int64_t> waits;
  for (int i = 0; i < 5; ++i) waits.push_back(absl::ToInt64Milliseconds(backoff.Next()));
  EXPECT_THAT(waits, ElementsAre(200, 400, 800, 1000, 1000));
  backoff.Reset();
  EXPECT_EQ(backoff.Next(), absl::Milliseconds(200));
}

// A dialer of one page: answers the agents' API as docs/API.md says and can die and come back.
class FakeDialer {
 public:
  ServerDoor Door() {
    ServerDoor door;
    door.http = [this] { return std::make_unique<Http>(*this); };
    door.events = [this](const std::string& token, api::WebSocketClient::Callbacks callbacks) {
      return std::make_unique<Socket>(*this, token, std::move(callbacks));
    };
    return door;
  }

  // Sends an event to the agent.
  void Say(const json& event) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (socket_ != nullptr) socket_->callbacks.on_text(event.dump());
  }
  // The process dies: sockets close, nothing listens. With `forget`, tokens die too.
  void Die(bool forget) {
    const std::lock_guard<std::mutex> lock(mutex_);
    down_ = true;
    if (forget) tokens_.clear();
    if (socket_ != nullptr) socket_->Close(absl::UnavailableError("gone"));
  }
  void Revive() {
    const std::lock_guard<std::mutex> lock(mutex_);
    down_ = false;
  }
  // The next POST to `path` is carried out, but its answer is lost and the process is down after
  // it.
  void DieAnswering(const std::string& path) {
    const std::lock_guard<std::mutex> lock(mutex_);
    die_answering_ = path;
  }
  void RefuseOnce(const std::string& path, int status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    refuse_once_[path] = status;
  }
  // Waits for the `n`th POST (from 1) to `path` and returns its body; null after 5 s.
  json Await(const std::string& path, size_t n = 1) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(5),
                           [&] { return posts_[path].size() >= n; })) {
      return nullptr;
    }
    return posts_[path][n - 1];
  }
  // What the server says again to a socket that opens in a call.
  void SetOpenCall(const std::string& state, json pop) {
    const std::lock_guard<std::mutex> lock(mutex_);
    state_ = state;
    open_call_ = std::move(pop);
  }
  bool AwaitConnects(int n) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(5), [&] { return connects_ >= n; });
  }
  size_t Posts(const std::string& path) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return posts_[path].size();
  }

 private:
  struct Socket final : api::WebSocketClient {
    Socket(FakeDialer& d, const std::string& token, api::WebSocketClient::Callbacks c)
        : dialer(d), callbacks(std::move(c)) {
      const std::lock_guard<std::mutex> lock(dialer.mutex_);
      if (dialer.down_) {
        Close(absl::UnavailableError("connection refused"));
      } else if (dialer.tokens_.count(token) == 0) {
        Close(absl::UnauthenticatedError("token"));
      } else {
        dialer.socket_ = this;
        callbacks.on_open();
        callbacks.on_text(json{{"type", "state"}, {"state", dialer.state_}}.dump());
        if (!dialer.open_call_.is_null()) callbacks.on_text(dialer.open_call_.dump());
        ++dialer.connects_;
        dialer.changed_.notify_all();
      }
    }
    ~Socket() override {
      const std::lock_guard<std::mutex> lock(dialer.mutex_);
      if (dialer.socket_ == this) dialer.socket_ = nullptr;
    }
    void Send(std::string) override {}
    void Close(absl::Status why) {
      if (dialer.socket_ == this) dialer.socket_ = nullptr;
      callbacks.on_close(std::move(why));
    }
    FakeDialer& dialer;
    api::WebSocketClient::Callbacks callbacks;
  };
  struct Http final : api::HttpClient {
    explicit Http(FakeDialer& d) : dialer(d) {}
    absl::StatusOr<api::HttpResponse> Send(
        absl::string_view, absl::string_view target, absl::string_view body,
        const std::map<std::string, std::string>& headers) override {
      return dialer.Handle(std::string(target), std::string(body), headers);
    }
    FakeDialer& dialer;
  };

  absl::StatusOr<api::HttpResponse> Handle(const std::string& path, const std::string& body,
                                           const std::map<std::string, std::string>& headers) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (down_) return absl::UnavailableError("connection refused");
    posts_[path].push_back(json::parse(body));
    changed_.notify_all();
    api::HttpResponse response;
    response.body = "{}";
    if (const auto it = refuse_once_.find(path); it != refuse_once_.end()) {
      response.status = it->second;
      refuse_once_.erase(it);
      return response;
    }
    if (path == "/v1/agent/login") {
      const std::string token = absl::StrCat("t", ++logins_);
      tokens_.insert(token);
      state_ = "PAUSED";
      response.body = json{{"token", token},
                           {"agent", posts_[path].back()["user"]},
                           {"state", state_},
                           {"dispositions", json::array({{{"status", "NI"}, {"name", "No"}},
                                                         {{"status", "SALE"}, {"name", "Yes"}}})}}
                          .dump();
      return response;
    }
    const auto authorization = headers.find("Authorization");
    if (authorization == headers.end() || tokens_.count(authorization->second.substr(7)) == 0) {
      response.status = 401;
      return response;
    }
    if (path == "/v1/agent/state") {
      state_ = "READY";
      response.body = R"({"state":"READY"})";
    }
    if (path == die_answering_) {
      die_answering_.clear();
      down_ = true;
      if (socket_ != nullptr) socket_->Close(absl::UnavailableError("gone"));
      return absl::UnavailableError("connection reset");
    }
    return response;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool down_ = false;
  int logins_ = 0;
  int connects_ = 0;
  json open_call_;
  std::string state_ = "PAUSED";
  std::string die_answering_;
  std::set<std::string> tokens_;
  std::map<std::string, int> refuse_once_;
  std::map<std::string, std::vector<json>> posts_;
  Socket* socket_ = nullptr;
};

class SimAgentTest : public ::testing::Test {
 protected:
  SimAgentTest() {
    path_ = absl::StrCat(::testing::TempDir(), "/farend-agent-", ::getpid(), "-",
                         ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::remove(path_.c_str());
    log_ = *EventLog::Open(path_);
    options_.user = "sim1";
    options_.password = "secret";
    options_.campaign = "DEMO";
    options_.phone = "sip:sim1@127.0.0.1:9";
    options_.talk_mean_s = 0.02;
    options_.wrap_mean_s = 0.01;
    options_.dispositions = {{"NI", 1}, {"SALE", 1}, {"XYZ", 50}};
  }
  ~SimAgentTest() override {
    Finish();
    std::remove(path_.c_str());
  }
  void Start() {
    agent_ = std::make_unique<SimAgent>(options_, dialer_.Door(), clock_, *log_);
    thread_ = std::thread([this] { agent_->Run(); });
    EXPECT_EQ(dialer_.Await("/v1/agent/state")["state"], "ready");
  }
  void Pop(uint64_t attempt) {
    dialer_.Say({{"type", "state"}, {"state", "RESERVED"}});
    dialer_.Say({{"type", "pop"}, {"attempt", attempt}, {"lead_id", 5}, {"preview", false}});
    dialer_.Say({{"type", "state"}, {"state", "INCALL"}});
  }
  void EndCall(uint64_t attempt, const char* by) {
    dialer_.Say({{"type", "call_ended"}, {"attempt", attempt}, {"by", by}, {"length_ms", 12}});
    dialer_.Say({{"type", "state"}, {"state", "DISPO"}});
  }
  std::vector<json> Finish() {
    if (thread_.joinable()) {
      agent_->Stop();
      thread_.join();
      log_.reset();
    }
    std::vector<json> lines;
    std::ifstream file(path_);
    for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
    return lines;
  }
  std::vector<std::string> Events() {
    std::vector<std::string> events;
    for (const json& line : Finish()) {
      if (line["ev"] != "error") events.push_back(line["ev"]);
    }
    return events;
  }

  std::string path_;
  SystemClock clock_;
  FakeDialer dialer_;
  std::unique_ptr<EventLog> log_;
  SimAgentOptions options_;
  std::unique_ptr<SimAgent> agent_;
  std::thread thread_;
};

TEST_F(SimAgentTest, TakesACallHangsUpAndDisposes) {
  Start();
  const json login = dialer_.Await("/v1/agent/login");
  EXPECT_EQ(login["user"], "sim1");
  EXPECT_EQ(login["phone"], "sip:sim1@127.0.0.1:9");
  Pop(17);
  agent_->OnAudio(absl::Now());
  EXPECT_FALSE(dialer_.Await("/v1/agent/hangup").is_null());
  EndCall(17, "AGENT");
  const json disposition = dialer_.Await("/v1/agent/disposition");
  EXPECT_EQ(disposition["attempt"], 17);
  // XYZ is not one of the campaign's, whatever its weight.
  EXPECT_THAT(disposition["status"], ::testing::AnyOf("NI", "SALE"));
  EXPECT_FALSE(dialer_.Await("/v1/agent/state", 2).is_null());  // ready again
  EXPECT_THAT(Events(), ElementsAre("login", "ready", "pop", "audio_first", "call_ended",
                                    "disposition_sent", "disposition_acked", "ready", "logout"));
  EXPECT_EQ(dialer_.Posts("/v1/agent/logout"), 1u);
}

TEST_F(SimAgentTest, TheFarEndMayHangUpFirst) {
  options_.talk_mean_s = 1000;
  Start();
  Pop(18);
  EndCall(18, "CALLER");
  EXPECT_EQ(dialer_.Await("/v1/agent/disposition")["attempt"], 18);
  EXPECT_EQ(dialer_.Posts("/v1/agent/hangup"), 0u);
}

TEST_F(SimAgentTest, DoesNotAskToBeReadyWhenTheServerMadeItSo) {
  Start();
  Pop(19);
  EndCall(19, "CALLER");
  EXPECT_FALSE(dialer_.Await("/v1/agent/disposition").is_null());
  dialer_.Say({{"type", "state"}, {"state", "READY"}});
  Pop(20);
  EndCall(20, "CALLER");
  EXPECT_EQ(dialer_.Await("/v1/agent/disposition", 2)["attempt"], 20);
  EXPECT_EQ(dialer_.Posts("/v1/agent/state"), 1u);
}

TEST_F(SimAgentTest, SendsAnUnacknowledgedDispositionAgainAfterTheServerDied) {
  Start();
  Pop(21);
  dialer_.DieAnswering("/v1/agent/disposition");
  EndCall(21, "CALLER");
  const json first = dialer_.Await("/v1/agent/disposition");
  ASSERT_FALSE(first.is_null());
  dialer_.Die(true);  // and the token is worth nothing afterwards
  dialer_.Revive();
  EXPECT_FALSE(dialer_.Await("/v1/agent/login", 2).is_null());
  EXPECT_EQ(dialer_.Await("/v1/agent/disposition", 2), first);
  EXPECT_FALSE(dialer_.Await("/v1/agent/state", 2).is_null());
  int acked = 0;
  for (const json& line : Finish()) acked += line["ev"] == "disposition_acked";
  EXPECT_EQ(acked, 1);
  EXPECT_EQ(dialer_.Posts("/v1/agent/disposition"), 2u);
}

TEST_F(SimAgentTest, ComesBackWithItsOldTokenWhenOnlyTheSocketWasLost) {
  options_.talk_mean_s = 1000;
  Start();
  Pop(22);
  dialer_.SetOpenCall("INCALL",
                      {{"type", "pop"}, {"attempt", 22}, {"lead_id", 5}, {"preview", false}});
  dialer_.Die(false);
  dialer_.Revive();
  ASSERT_TRUE(dialer_.AwaitConnects(2));
  EndCall(22, "CALLER");
  EXPECT_EQ(dialer_.Await("/v1/agent/disposition")["attempt"], 22);
  EXPECT_EQ(dialer_.Posts("/v1/agent/login"), 1u);
  int pops = 0;
  for (const json& line : Finish()) pops += line["ev"] == "pop";
  EXPECT_EQ(pops, 1);
}

TEST_F(SimAgentTest, ACallThatTheRestartedServerForgotIsOver) {
  options_.talk_mean_s = 1000;
  Start();
  Pop(23);
  dialer_.Die(true);
  dialer_.Revive();  // says PAUSED at login
  EXPECT_EQ(dialer_.Await("/v1/agent/disposition")["attempt"], 23);
  EXPECT_FALSE(dialer_.Await("/v1/agent/state", 2).is_null());
}

TEST_F(SimAgentTest, ARefusedDispositionIsNotRepeated) {
  Start();
  dialer_.RefuseOnce("/v1/agent/disposition", 409);
  Pop(24);
  EndCall(24, "CALLER");
  EXPECT_FALSE(dialer_.Await("/v1/agent/state", 2).is_null());
  EXPECT_EQ(dialer_.Posts("/v1/agent/disposition"), 1u);
  bool error = false;
  for (const json& line : Finish()) {
    EXPECT_NE(line["ev"], "disposition_acked");
    error |= line["ev"] == "error" && line["what"] == "/v1/agent/disposition: HTTP 409";
  }
  EXPECT_TRUE(error);
}

TEST_F(SimAgentTest, AsksAgainUntilTheTelephoneIsUp) {
  dialer_.RefuseOnce("/v1/agent/state", 409);
  Start();
  EXPECT_FALSE(dialer_.Await("/v1/agent/state", 2).is_null());
}

TEST_F(SimAgentTest, APreviewIsDialedAndItsTalkStartsWithTheAnswer) {
  Start();
  dialer_.Say({{"type", "pop"}, {"attempt", 25}, {"lead_id", 1}, {"preview", true}});
  const json preview = dialer_.Await("/v1/agent/preview");
  EXPECT_EQ(preview["action"], "dial");
  EXPECT_EQ(preview["attempt"], 25);
  EXPECT_EQ(dialer_.Posts("/v1/agent/hangup"), 0u);
  dialer_.Say({{"type", "state"}, {"state", "INCALL"}});
  EXPECT_FALSE(dialer_.Await("/v1/agent/hangup").is_null());
  EndCall(25, "AGENT");
  EXPECT_FALSE(dialer_.Await("/v1/agent/disposition").is_null());
}

TEST_F(SimAgentTest, StopInACallHangsUpDisposesAndLogsOut) {
  options_.talk_mean_s = 1000;
  options_.wrap_mean_s = 1000;
  Start();
  // A preview, because its answer shows that the pop was taken in.
  dialer_.Say({{"type", "pop"}, {"attempt", 26}, {"lead_id", 1}, {"preview", true}});
  EXPECT_FALSE(dialer_.Await("/v1/agent/preview").is_null());
  agent_->Stop();
  EXPECT_FALSE(dialer_.Await("/v1/agent/hangup").is_null());
  EndCall(26, "AGENT");
  EXPECT_EQ(dialer_.Await("/v1/agent/disposition")["attempt"], 26);
  EXPECT_FALSE(dialer_.Await("/v1/agent/logout").is_null());
}

TEST_F(SimAgentTest, OddEventsAreSurvived) {
  Start();
  for (const char* odd :
       {"[]", "7", "{}", R"({"type":"pop"})", R"({"type":7})", R"({"type":"pop","attempt":"x"})",
        R"({"type":"call_ended","attempt":99})"}) {
    dialer_.Say(json::parse(odd));
  }
  Pop(27);
  EndCall(27, "CALLER");
  EXPECT_EQ(dialer_.Await("/v1/agent/disposition")["attempt"], 27);
}

// ---- the telephone, over real sockets ----

class PhoneTest : public ::testing::Test {
 protected:
  PhoneTest() : rtp_(reactor_, 0x7f000001, 1) {
    auto phone = Phone::Create(reactor_, rtp_, 0x7f000001, "sim1", *LoadClip("silence"), 1,
                               {.on_audio = [this](absl::Time) { ++bursts_; },
                                .on_line = [this](bool up) { lines_.push_back(up); }});
    EXPECT_TRUE(phone.ok()) << phone.status();
    phone_ = *std::move(phone);
    sip_ = *UdpSocket::Bind({0x7f000001, 0}, false, 0);
    audio_ = *UdpSocket::Bind({0x7f000001, 0}, true, 0);
  }
  // Runs the reactor until a datagram waits on `socket`; "" after 5 s.
  std::string Next(const UdpSocket& socket) {
    std::string got;
    reactor_.Watch(socket.fd(), [&] {
      char buffer[4096];
      Endpoint from;
      absl::Time at;
      const ptrdiff_t size = socket.Receive(buffer, sizeof buffer, &from, &at);
      if (size >= 0) got.assign(buffer, static_cast<size_t>(size));
      done_ = true;
    });
    RunUntilDone();
    reactor_.Unwatch(socket.fd());
    return got;
  }
  void RunUntilDone() {
    done_ = false;
    const auto deadline = clock_.Mono() + absl::Seconds(5);
    while (!done_ && clock_.Mono() < deadline) Step();
  }
  void Step() { reactor_.RunOnce(absl::Milliseconds(50)); }

  void Invite(absl::string_view call_id) {
    const std::string sdp = absl::StrCat("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio ",
                                         audio_.local().port, " RTP/AVP 0\r\n");
    sip_.Send(phone_->local(),
              absl::StrCat("INVITE ", phone_->uri(), " SIP/2.0\r\nVia: SIP/2.0/UDP ",
                           ToString(sip_.local()), ";branch=z9hG4bK", call_id,
                           ";rport\r\nFrom: <sip:d@127.0.0.1>;tag=d\r\nTo: <", phone_->uri(),
                           ">\r\nCall-ID: ", call_id,
                           "\r\nCSeq: 1 INVITE\r\nContact: <sip:", ToString(sip_.local()),
                           ">\r\nContent-Length: ", sdp.size(), "\r\n\r\n", sdp));
  }
  SipMessage NextSip() {
    auto message = ParseSip(Next(sip_));
    return message.ok() ? *message : SipMessage();
  }
  void Ack(absl::string_view call_id, const SipMessage& ok) {
    sip_.Send(phone_->local(),
              absl::StrCat("ACK ", phone_->uri(), " SIP/2.0\r\nVia: SIP/2.0/UDP ",
                           ToString(sip_.local()), ";branch=z9hG4bKa", call_id,
                           "\r\nFrom: <sip:d@127.0.0.1>;tag=d\r\nTo: ", ok.Get("To"),
                           "\r\nCall-ID: ", call_id, "\r\nCSeq: 1 ACK\r\n\r\n"));
  }

  SystemClock clock_;
  Reactor reactor_;
  RtpEngine rtp_;
  std::unique_ptr<Phone> phone_;
  UdpSocket sip_, audio_;
  bool done_ = false;
  int bursts_ = 0;
  std::vector<bool> lines_;
};

TEST_F(PhoneTest, AnswersAtOnceSpeaksAndNotesEachBurst) {
  Invite("p1");
  const SipMessage ok = NextSip();
  EXPECT_EQ(ok.status, 200);  // and no ringing before it
  Ack("p1", ok);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Next(audio_).size(), 172u);
  EXPECT_THAT(lines_, ElementsAre(true));
  const auto sdp = ParseSdp(ok.body);
  ASSERT_TRUE(sdp.ok());
  std::string packet(172, '\0');
  packet[0] = static_cast<char>(0x80);
  const auto hear = [&](int n) {
    for (int i = 0; i < n; ++i) {
      audio_.Send({0x7f000001, sdp->port}, packet);
      Next(audio_);  // the telephone's own 20 ms frame keeps the pace
    }
  };
  hear(4);
  EXPECT_EQ(bursts_, 1);
  for (int i = 0; i < 8; ++i) Next(audio_);  // 160 ms of quiet
  hear(3);
  EXPECT_EQ(bursts_, 2);
  EXPECT_EQ(phone_->rtp_stats().received, 7u);
}

TEST_F(PhoneTest, ANewCallTakesTheLine) {
  Invite("p1");
  const SipMessage first = NextSip();
  Ack("p1", first);
  EXPECT_EQ(Next(audio_).size(), 172u);
  while (lines_.empty()) Step();
  Invite("p2");
  const SipMessage bye = NextSip();
  EXPECT_EQ(bye.method, "BYE");
  EXPECT_EQ(bye.Get("Call-ID"), "p1");
  const SipMessage second = NextSip();
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.Get("Call-ID"), "p2");
  EXPECT_NE(ParseSdp(first.body)->port, ParseSdp(second.body)->port);
}

// Through the real HTTP and WebSocket clients to the real server, with a dialer of four routes.
TEST(RunSimulatedAgents, WorkThroughTheRealDoor) {
  NullLog null_log;
  auto created = api::HttpServer::Create({}, null_log);
  ASSERT_TRUE(created.ok()) << created.status();
  api::HttpServer& server = **created;
  std::mutex mutex;
  std::set<std::string> users;
  server.Route("POST", "/v1/agent/login", [&](api::HttpRequest request, api::Responder respond) {
    const json body = json::parse(request.body);
    const std::lock_guard<std::mutex> lock(mutex);
    users.insert(body["user"].get<std::string>());
    respond({.status = 200,
             .body = json{{"token", absl::StrCat("token-", body["user"].get<std::string>())},
                          {"state", "PAUSED"},
                          {"dispositions", json::array()}}
                         .dump()});
  });
  const auto accept = [](const std::string& body) {
    return [body](api::HttpRequest request, api::Responder respond) {
      const bool known = absl::StartsWith(request.headers["authorization"], "Bearer token-sim");
      respond({.status = known ? 200 : 401, .body = body});
    };
  };
  server.Route("POST", "/v1/agent/state", accept(R"({"state":"READY"})"));
  server.Route("POST", "/v1/agent/hangup", accept("{}"));
  std::atomic<int> dispositions{0};
  server.Route("POST", "/v1/agent/disposition", [&](api::HttpRequest, api::Responder respond) {
    ++dispositions;
    respond({.status = 200, .body = "{}"});
  });
  server.Route("POST", "/v1/agent/logout", accept("{}"));
  api::WebSocketHandler events;
  events.on_accept = [](const api::HttpRequest& request) {
    const auto token = request.query.find("token");
    return token != request.query.end() && absl::StartsWith(token->second, "token-")
               ? absl::OkStatus()
               : absl::UnauthenticatedError("token");
  };
  events.on_open = [](std::shared_ptr<api::WebSocket> socket, const api::HttpRequest&) {
    for (const json& event : {json{{"type", "state"}, {"state", "INCALL"}},
                              json{{"type", "pop"}, {"attempt", 31}, {"lead_id", 2}},
                              json{{"type", "call_ended"}, {"attempt", 31}, {"by", "CALLER"}}}) {
      socket->Send(std::make_shared<const std::string>(event.dump()));
    }
  };
  events.on_text = [](const std::shared_ptr<api::WebSocket>&, std::string) {};
  events.on_close = [](const std::shared_ptr<api::WebSocket>&) {};
  server.RouteWebSocket("/v1/agent/events", events);
  server.Start();
  const std::string log = absl::StrCat(::testing::TempDir(), "/farend-door-", ::getpid());
  std::remove(log.c_str());
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(RunSimulatedAgents({"--simulate", "3", "--url",
                                absl::StrCat("http://127.0.0.1:", server.port()), "--wrap-mean",
                                "0.05", "--log", log, "--duration", "1.5"}),
            0);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("all logged out"));
  server.Stop();
  EXPECT_THAT(users, ElementsAre("sim1", "sim2", "sim3"));
  EXPECT_GE(dispositions, 3);
  std::map<std::string, int> counts;
  std::ifstream file(log);
  for (std::string line; std::getline(file, line);) {
    ++counts[json::parse(line)["ev"].get<std::string>()];
  }
  EXPECT_EQ(counts["login"], 3);
  EXPECT_EQ(counts["pop"], 3);
  EXPECT_EQ(counts["disposition_acked"], 3);
  EXPECT_EQ(counts["ready"], 3);
  EXPECT_EQ(counts["logout"], 3);
  std::remove(log.c_str());
}

TEST(RunSimulatedAgents, WrongUsageIsExplained) {
  const auto says = [](const std::vector<std::string>& args) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(RunSimulatedAgents(args), 2);
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_THAT(says({"--simulate", "0"}), HasSubstr("1 to 1000"));
  EXPECT_THAT(says({"--url", "ftp://x"}), HasSubstr("http://"));
  EXPECT_THAT(says({"--dispositions", "SALE"}), HasSubstr("SALE=5"));
  EXPECT_THAT(says({"--bogus"}), HasSubstr("--help"));
}

}  // namespace
}  // namespace outpace::farend
