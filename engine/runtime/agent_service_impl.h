#pragma once

// Inside of AgentService, shared by agent_service*.cc only.

#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/strip.h"
#include "engine/runtime/agent_service.h"

namespace outpace::runtime {

using Json = nlohmann::ordered_json;

inline std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

inline api::HttpResponse Reply(const Json& json) {
  api::HttpResponse response;
  response.body = Dump(json);
  return response;
}

// Text of a member; empty when absent or of another type.
inline std::string Text(const Json& json, const char* name) {
  const auto it = json.find(name);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

inline int64_t Number(const Json& json, const char* name) {
  const auto it = json.find(name);
  return it != json.end() && it->is_number_integer() ? it->get<int64_t>() : 0;
}

// Whether a login, or a supervisor, may have this phone rung.
bool IsAllowedPhone(absl::string_view phone, const AgentService::Options& options);

// One agent who has logged in: the tokens given out, the open sockets, and what the screen shows,
// so that a page that comes back can be told where it is.
struct AgentService::Session {
  std::string token;
  CampaignId campaign;
  std::set<std::shared_ptr<api::WebSocket>> sockets;
  uint64_t seq = 0;
  std::string state = "LOGGEDOUT";
  int64_t since_ms = 0;
  bool phone_up = false;
  uint64_t attempt = 0;
  Json pop;
  Json audio;
  int calls_today = 0;
  uint64_t counted = 0;  // the attempt that was counted last: a pop may be shown again
};

struct AgentService::Impl {
  using Session = AgentService::Session;

  Impl(const Options& o, Loop& l, Loop& h, Log& g) : options(o), loop(l), hashing(h), log(g) {}

  // Runs `handler` on the service's loop; refuses when it is overloaded.
  template <typename Handler>
  api::HttpHandler OnLoop(Handler handler) {
    return [this, handler](api::HttpRequest request, api::Responder respond) {
      auto shared = std::make_shared<api::Responder>(std::move(respond));
      const bool queued = loop.Post([handler, request = std::move(request), shared]() mutable {
        handler(std::move(request), std::move(*shared));
      });
      if (!queued) (*shared)(api::ErrorResponse(absl::UnavailableError("overloaded; try again")));
    };
  }

  // A verb of a logged-in agent: token checked, body parsed.
  template <typename Verb>
  api::HttpHandler Authorized(Verb verb) {
    return OnLoop([this, verb](api::HttpRequest request, api::Responder respond) {
      const auto header = request.headers.find("authorization");
      absl::string_view token;
      if (header != request.headers.end()) token = header->second;
      if (!absl::ConsumePrefix(&token, "Bearer ")) token = "";
      const AgentId agent = AgentOf(token);
      if (agent.empty()) {
        return respond(api::ErrorResponse(
            absl::UnauthenticatedError("log in first: the token is missing or no longer valid")));
      }
      Json body = Json::object();
      if (!request.body.empty()) body = Json::parse(request.body, nullptr, false);
      if (!body.is_object()) {
        return respond(
            api::ErrorResponse(absl::InvalidArgumentError("the body is no JSON object")));
      }
      verb(agent, body, std::move(respond));
    });
  }

  AgentId AgentOf(absl::string_view token) const {
    const std::lock_guard<std::mutex> lock(tokens_mutex);
    const auto it = tokens.find(token);
    return it == tokens.end() ? AgentId() : it->second;
  }

  // Asks the controller on its loop; the answer goes out from there, with what `tell` adds to it.
  template <typename Ask, typename Tell>
  void AskController(api::Responder respond, Ask ask, Tell tell) {
    auto shared = std::make_shared<api::Responder>(std::move(respond));
    const bool queued = controller_loop->Post([this, ask = std::move(ask), tell, shared]() mutable {
      const absl::Status status = ask(*controller);
      (*shared)(status.ok() ? Reply(tell(*controller)) : api::ErrorResponse(status));
    });
    if (!queued) (*shared)(api::ErrorResponse(absl::UnavailableError("overloaded; try again")));
  }

  template <typename Ask>
  void AskController(api::Responder respond, Ask ask) {
    AskController(std::move(respond), std::move(ask), [](Controller&) { return Json::object(); });
  }

  void InstallAudio(api::HttpServer& server);
  void InstallReviews(api::HttpServer& server);
  void InstallMonitors(api::HttpServer& server);
  // Rings `phone` for `start`, which may be StartMonitor or StartConference. Answers {"id": N}.
  void RingPhone(const std::string& phone,
                 std::function<absl::StatusOr<MonitorId>(Controller&)> start,
                 api::Responder respond);
  void Login(const api::HttpRequest& request, api::Responder respond);
  void OpenSession(const AgentId& agent, const CampaignId& campaign, api::Responder respond);
  // Any thread; never waits. What cannot be written is told in the program's log.
  void Note(audit::Event event);
  void NoteMonitor(const char* kind, MonitorId id, const absl::Status& status,
                   std::vector<audit::Field> about);
  void Push(const AgentId& agent, Json event);
  Json StateJson(const Session& session) const;
  void SocketOpened(const std::shared_ptr<api::WebSocket>& socket, const AgentId& agent);
  void SocketClosed(const std::shared_ptr<api::WebSocket>& socket);

  const Options options;
  Loop& loop;
  Loop& hashing;
  Log& log;
  Controller* controller = nullptr;
  Loop* controller_loop = nullptr;
  std::map<AgentId, campaign::AgentRecord> agents;
  std::map<AgentId, Session> sessions;
  campaign::StatusBook statuses;
  std::map<AgentId, Json> reviews;
  // Changed on the loop; the HTTP thread looks a socket's token up before it upgrades it.
  mutable std::mutex tokens_mutex;
  std::map<std::string, AgentId, std::less<>> tokens;
  std::map<std::shared_ptr<api::WebSocket>, AgentId> owners;
};

}  // namespace outpace::runtime
