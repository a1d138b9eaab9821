// Logins, tokens, and the verbs of agents.

#include "engine/runtime/agent_service.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/runtime/agent_service_impl.h"
#include "engine/runtime/password.h"

namespace outpace::runtime {
namespace {

// At most `bytes` of UTF-8 text, never cut inside a character.
std::string Shortened(std::string text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  text.resize(bytes);
  return text;
}

Json DispositionsJson(const campaign::StatusSet& statuses) {
  Json list = Json::array();
  for (const campaign::Disposition* d : statuses.Selectable()) {
    list.push_back({{"status", d->status},
                    {"name", d->name},
                    {"name_zh", d->name_zh.empty() ? d->name : d->name_zh},
                    {"category", d->category},
                    {"callback", d->scheduled_callback},
                    {"hotkey", d->hotkey == 0 ? std::string() : std::string(1, d->hotkey)}});
  }
  return list;
}

}  // namespace

// sip:[name@]address[:port][;parameters] with a numeric address in one of `networks`. An agent's
// phone is rung by the engine: were it anything else, a login could make the engine call anybody,
// or say to the SIP stack something other than what was checked here.
bool IsAllowedPhone(absl::string_view phone, const AgentService::Options& options) {
  constexpr absl::string_view kMarks = "._~+-=:;@";
  for (const char c : phone) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && !absl::StrContains(kMarks, c)) {
      return false;
    }
  }
  absl::string_view host = phone;
  if (phone.size() > 200 || !absl::ConsumePrefix(&host, "sip:")) return false;
  const size_t at = host.find('@');
  if (at != absl::string_view::npos) host.remove_prefix(at + 1);
  if (absl::StrContains(host, '@')) return false;
  const absl::string_view address_and_port = host.substr(0, host.find(';'));
  host = host.substr(0, host.find_first_of(":;"));
  // A trunk's own address rings whatever number stands before the "@".
  for (const Endpoint& peer : options.trunk_peers) {
    const bool default_port = address_and_port == host && peer.port == 5060;
    if (address_and_port == peer.ToString() || (default_port && host == peer.address)) return false;
  }
  for (const std::string& network : options.phone_networks) {
    if (InNetwork(host, network)) return true;
  }
  return false;
}

void AgentService::Impl::Note(audit::Event event) {
  if (options.audit == nullptr) return;
  const std::string kind = event.kind;
  const absl::Status taken = options.audit->Append(std::move(event));
  if (!taken.ok()) log.Error("audit.not_taken", {{"event", kind}, {"why", taken.message()}});
}

void AgentService::Impl::Login(const api::HttpRequest& request, api::Responder respond) {
  const Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object()) {
    return respond(api::ErrorResponse(absl::InvalidArgumentError("the body is no JSON object")));
  }
  const AgentId user = Text(body, "user");
  const CampaignId campaign = Text(body, "campaign");
  const std::string phone = Text(body, "phone");
  if (!phone.empty() && !IsAllowedPhone(phone, options)) {
    return respond(api::ErrorResponse(
        absl::InvalidArgumentError("phone: must be sip:name@address:port with a numeric address in "
                                   "agents.phone_networks, and no trunk")));
  }
  // An unknown user costs as much time as a wrong password.
  const auto known = agents.find(user);
  static const std::string kNobody = HashPassword("");
  const std::string hash = known == agents.end() ? kNobody : known->second.password_hash;
  const bool exists = known != agents.end();
  auto shared = std::make_shared<api::Responder>(std::move(respond));
  const bool queued = hashing.Post([this, password = Text(body, "password"), hash, exists, user,
                                    campaign, phone, shared, peer = request.peer] {
    if (!CheckPassword(password, hash) || !exists) {
      Note({"agent.login_failed",
            "unknown",
            {{"user", user}, {"user_exists", exists}, {"campaign", campaign}, {"address", peer}}});
      return (*shared)(api::ErrorResponse(absl::UnauthenticatedError("wrong user or password")));
    }
    const bool asked = controller_loop->Post([this, user, campaign, phone, shared] {
      const absl::Status status = controller->Login(user, campaign, phone);
      if (!status.ok()) return (*shared)(api::ErrorResponse(status));
      const bool back = loop.Post(
          [this, user, campaign, shared] { OpenSession(user, campaign, std::move(*shared)); });
      if (!back) (*shared)(api::ErrorResponse(absl::UnavailableError("overloaded; try again")));
    });
    if (!asked) (*shared)(api::ErrorResponse(absl::UnavailableError("overloaded; try again")));
  });
  if (!queued) (*shared)(api::ErrorResponse(absl::UnavailableError("overloaded; try again")));
}

void AgentService::Impl::OpenSession(const AgentId& agent, const CampaignId& campaign,
                                     api::Responder respond) {
  Session& session = sessions[agent];
  // One session an agent: a new login ends the token and the screens before it.
  const std::string old_token = std::exchange(session.token, SecureToken());
  {
    const std::lock_guard<std::mutex> lock(tokens_mutex);
    tokens.erase(old_token);
    tokens[session.token] = agent;
  }
  for (const auto& socket : session.sockets) socket->Close();
  session.campaign = campaign;
  log.Info("agent.login", {{"agent", agent}, {"campaign", campaign}});
  Note({"agent.login", absl::StrCat("agent ", agent), {{"agent", agent}, {"campaign", campaign}}});
  respond(Reply({{"token", session.token},
                 {"agent", agent},
                 {"campaign", campaign},
                 {"state", session.state},
                 {"dispositions", DispositionsJson(statuses.Of(campaign))}}));
}

Json AgentService::Impl::StateJson(const Session& session) const {
  return {{"type", "state"},
          {"state", session.state},
          {"since_ms", session.since_ms},
          {"phone_up", session.phone_up}};
}

void AgentService::Impl::Push(const AgentId& agent, Json event) {
  Session& session = sessions[agent];
  event["seq"] = ++session.seq;
  const auto text = std::make_shared<const std::string>(Dump(event));
  for (const auto& socket : session.sockets) socket->Send(text);
}

void AgentService::Impl::SocketOpened(const std::shared_ptr<api::WebSocket>& socket,
                                      const AgentId& agent) {
  Session& session = sessions[agent];
  session.sockets.insert(socket);
  owners[socket] = agent;
  // The controller answers with the present state, and the pop if a call is open.
  if (!controller_loop->Post([this, agent] { controller->ScreenConnected(agent); }))
    socket->Close();
}

void AgentService::Impl::SocketClosed(const std::shared_ptr<api::WebSocket>& socket) {
  const auto owner = owners.find(socket);
  if (owner == owners.end()) return;
  const AgentId agent = owner->second;
  owners.erase(owner);
  Session& session = sessions[agent];
  session.sockets.erase(socket);
  if (!session.sockets.empty()) return;
  if (!controller_loop->Post([this, agent] { controller->ScreenLost(agent); })) {
    log.Error("agent.screen_lost_dropped", {{"agent", agent}});
  }
}

AgentService::AgentService(const Options& options, Loop& loop, Loop& hashing, Log& log)
    : impl_(std::make_unique<Impl>(options, loop, hashing, log)) {}
AgentService::~AgentService() = default;

void AgentService::SetController(Controller& controller, Loop& controller_loop) {
  impl_->controller = &controller;
  impl_->controller_loop = &controller_loop;
}

void AgentService::PutAgent(const campaign::AgentRecord& agent) {
  if (!impl_->loop.Post([this, agent] { impl_->agents[agent.user] = agent; })) {
    impl_->log.Error("agent.update_dropped", {{"agent", agent.user}});
  }
}

void AgentService::PutCampaign(const campaign::CampaignSettings& settings) {
  const bool queued = impl_->loop.Post([impl = impl_.get(), id = settings.id,
                                        statuses = settings.statuses] {
    const bool same = impl->statuses.Of(id) == statuses;
    impl->statuses.Put(id, statuses);
    if (same) return;
    for (auto& [agent, session] : impl->sessions) {
      if (session.campaign != id) continue;
      impl->Push(agent, {{"type", "dispositions"}, {"dispositions", DispositionsJson(statuses)}});
    }
  });
  if (!queued) impl_->log.Error("agent.campaign_dropped", {{"campaign", settings.id}});
}

void AgentService::Install(api::HttpServer& server) {
  Impl* impl = impl_.get();
  server.Route("POST", "/v1/agent/login",
               impl->OnLoop([impl](api::HttpRequest request, api::Responder respond) {
                 impl->Login(request, std::move(respond));
               }));
  server.Route("GET", "/v1/agent/me",
               impl->Authorized([impl](const AgentId& agent, const Json&, api::Responder respond) {
                 const Session& session = impl->sessions[agent];
                 Json me = {
                     {"agent", agent},
                     {"campaign", session.campaign},
                     {"state", session.state},
                     {"since_ms", session.since_ms},
                     {"now_ms", absl::ToUnixMillis(impl->loop.clock().Wall())},
                     {"phone_up", session.phone_up},
                     {"calls_today", session.calls_today},
                     {"dispositions", DispositionsJson(impl->statuses.Of(session.campaign))}};
                 if (!session.pop.is_null()) {
                   me["attempt"] = session.attempt;
                   me["pop"] = session.pop;
                   if (!session.audio.is_null()) me["audio"] = session.audio;
                 }
                 respond(Reply(me));
               }));
  server.Route(
      "POST", "/v1/agent/state",
      impl->Authorized([impl](const AgentId& agent, const Json& body, api::Responder respond) {
        const std::string state = Text(body, "state");
        const std::string code = Shortened(Text(body, "code"), 20);
        if (state != "ready" && state != "not_ready") {
          return respond(
              api::ErrorResponse(absl::InvalidArgumentError("state: must be ready or not_ready")));
        }
        impl->AskController(
            std::move(respond),
            [agent, state, code](Controller& c) {
              return state == "ready" ? c.SetReady(agent) : c.SetNotReady(agent, code);
            },
            [agent](Controller& c) {  // a pause asked for in a call comes after it
              return Json{
                  {"state", std::string(agent::AgentStateName(c.roster().Find(agent)->state))}};
            });
      }));
  server.Route("POST", "/v1/agent/hangup",
               impl->Authorized([impl](const AgentId& agent, const Json&, api::Responder respond) {
                 impl->AskController(std::move(respond),
                                     [agent](Controller& c) { return c.HangUp(agent); });
               }));
  server.Route("POST", "/v1/agent/logout",
               impl->Authorized([impl](const AgentId& agent, const Json&, api::Responder respond) {
                 impl->AskController(std::move(respond),
                                     [agent](Controller& c) { return c.Logout(agent); });
               }));
  server.Route(
      "POST", "/v1/agent/preview",
      impl->Authorized([impl](const AgentId& agent, const Json& body, api::Responder respond) {
        const AttemptId attempt(static_cast<uint64_t>(Number(body, "attempt")));
        const std::string action = Text(body, "action");
        if (action != "dial" && action != "skip") {
          return respond(
              api::ErrorResponse(absl::InvalidArgumentError("action: must be dial or skip")));
        }
        impl->AskController(std::move(respond), [agent, attempt, action](Controller& c) {
          return c.AnswerPreview(agent, attempt, action == "dial");
        });
      }));
  server.Route(
      "POST", "/v1/agent/disposition",
      impl->Authorized([impl](const AgentId& agent, const Json& body, api::Responder respond) {
        const AttemptId attempt(static_cast<uint64_t>(Number(body, "attempt")));
        const int64_t callback_ms = Number(body, "callback_ms");
        const absl::Time callback =
            callback_ms > 0 ? absl::FromUnixMillis(callback_ms) : absl::InfinitePast();
        const std::string note = Shortened(Text(body, "note"), 4000);
        auto shared = std::make_shared<api::Responder>(std::move(respond));
        const bool queued = impl->controller_loop->Post(
            [impl, agent, attempt, status = Text(body, "status"), note, callback, shared] {
              impl->controller->Dispose(
                  agent, attempt, status, note, callback, [shared](absl::Status stored) {
                    (*shared)(stored.ok() ? Reply(Json::object()) : api::ErrorResponse(stored));
                  });
            });
        if (!queued) (*shared)(api::ErrorResponse(absl::UnavailableError("overloaded; try again")));
      }));

  impl->InstallAudio(server);
  impl->InstallReviews(server);
  impl->InstallMonitors(server);

  api::WebSocketHandler events;
  // Refused before the upgrade, with 401: who comes back with the token of an engine that died must
  // learn that it is the token, not the line. A token may still end before the socket is open.
  events.on_accept = [impl](const api::HttpRequest& request) {
    const auto token = request.query.find("token");
    return token != request.query.end() && !impl->AgentOf(token->second).empty()
               ? absl::OkStatus()
               : absl::UnauthenticatedError(
                     "log in first: the token is missing or no longer valid");
  };
  events.on_open = [impl](std::shared_ptr<api::WebSocket> socket, const api::HttpRequest& request) {
    const std::string token = request.query.at("token");
    const bool queued = impl->loop.Post([impl, socket, token] {
      const AgentId agent = impl->AgentOf(token);
      if (agent.empty()) return socket->Close();
      impl->SocketOpened(socket, agent);
    });
    if (!queued) socket->Close();
  };
  events.on_text = [](const std::shared_ptr<api::WebSocket>&, std::string) {};
  events.on_close = [impl](const std::shared_ptr<api::WebSocket>& socket) {
    if (!impl->loop.Post([impl, socket] { impl->SocketClosed(socket); })) {
      impl->log.Error("agent.socket_close_dropped", {});
    }
  };
  server.RouteWebSocket("/v1/agent/events", std::move(events));
}

}  // namespace outpace::runtime
