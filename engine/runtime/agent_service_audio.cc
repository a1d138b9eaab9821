// How a call sounds, by the hand of its agent or of a supervisor: hold, mute, keys, recording,
// voicemail, third parties, listening in.

#include <optional>

#include "absl/strings/str_cat.h"
#include "engine/runtime/agent_service_impl.h"

namespace outpace::runtime {
namespace {

// Nothing for another word.
std::optional<Controller::RecordVerb> RecordVerbOf(absl::string_view word) {
  using Verb = Controller::RecordVerb;
  if (word == "start") return Verb::kStart;
  if (word == "stop") return Verb::kStop;
  if (word == "pause") return Verb::kPause;
  if (word == "resume") return Verb::kResume;
  return std::nullopt;
}

std::optional<call::MixRole> RoleOf(absl::string_view word) {
  for (const call::MixRole role :
       {call::MixRole::kListener, call::MixRole::kCoach, call::MixRole::kTalker}) {
    if (word == RoleName(role)) return role;
  }
  return std::nullopt;
}

}  // namespace

// What an agent does to the sound of the call it has.
void AgentService::Impl::InstallAudio(api::HttpServer& server) {
  const auto flag = [this](absl::Status (Controller::*verb)(const AgentId&, bool)) {
    return Authorized([this, verb](const AgentId& agent, const Json& body, api::Responder respond) {
      const auto on = body.find("on");
      if (on == body.end() || !on->is_boolean()) {
        return respond(api::ErrorResponse(absl::InvalidArgumentError("on: must be true or false")));
      }
      AskController(std::move(respond), [agent, verb, value = on->get<bool>()](Controller& c) {
        return (c.*verb)(agent, value);
      });
    });
  };
  server.Route("POST", "/v1/agent/hold", flag(&Controller::SetHold));
  server.Route("POST", "/v1/agent/mute", flag(&Controller::SetMute));
  server.Route("POST", "/v1/agent/digits",
               Authorized([this](const AgentId& agent, const Json& body, api::Responder respond) {
                 AskController(std::move(respond),
                               [agent, digits = Text(body, "digits")](Controller& c) {
                                 return c.SendDigits(agent, digits);
                               });
               }));
  server.Route("POST", "/v1/agent/recording",
               Authorized([this](const AgentId& agent, const Json& body, api::Responder respond) {
                 const auto verb = RecordVerbOf(Text(body, "action"));
                 if (!verb.has_value()) {
                   return respond(api::ErrorResponse(
                       absl::InvalidArgumentError("action: must be start, stop, pause or resume")));
                 }
                 AskController(std::move(respond),
                               [agent, verb](Controller& c) { return c.Record(agent, *verb); });
               }));
  server.Route("POST", "/v1/agent/voicemail",
               Authorized([this](const AgentId& agent, const Json&, api::Responder respond) {
                 AskController(std::move(respond),
                               [agent](Controller& c) { return c.DropVoicemail(agent); });
               }));
  server.Route("POST", "/v1/agent/conference",
               Authorized([this](const AgentId& agent, const Json& body, api::Responder respond) {
                 RingPhone(
                     Text(body, "phone"),
                     [agent, phone = Text(body, "phone")](Controller& c) {
                       return c.StartConference(agent, phone);
                     },
                     std::move(respond));
               }));
  server.Route("POST", "/v1/agent/conference/end",
               Authorized([this](const AgentId& agent, const Json& body, api::Responder respond) {
                 const MonitorId id(static_cast<uint64_t>(Number(body, "id")));
                 AskController(std::move(respond),
                               [agent, id](Controller& c) { return c.EndConference(agent, id); });
               }));
}

void AgentService::Impl::RingPhone(const std::string& phone,
                                   std::function<absl::StatusOr<MonitorId>(Controller&)> start,
                                   api::Responder respond) {
  if (!IsAllowedPhone(phone, options)) {
    return respond(api::ErrorResponse(
        absl::InvalidArgumentError("phone: must be sip:name@address:port with a numeric address in "
                                   "agents.phone_networks, and no trunk")));
  }
  auto id = std::make_shared<MonitorId>();
  AskController(
      std::move(respond),
      [start = std::move(start), id](Controller& c) {
        const auto started = start(c);
        if (started.ok()) *id = *started;
        return started.status();
      },
      [id](Controller&) {
        return Json{{"id", id->value()}};
      });
}

void AgentService::Impl::NoteMonitor(const char* kind, MonitorId id, const absl::Status& status,
                                     std::vector<audit::Field> about) {
  if (id.valid()) about.emplace_back("monitor", id);
  about.emplace_back("result", status.ok() ? "done" : absl::StatusCodeToString(status.code()));
  Note({kind, "control socket", std::move(about)});
}

// Supervisors, on the control socket only: the web has no such role yet.
void AgentService::Impl::InstallMonitors(api::HttpServer& server) {
  const auto route = [&](const char* name, auto verb) {
    server.Route("POST", name, OnLoop([verb](api::HttpRequest request, api::Responder respond) {
                   if (!request.local) {
                     return respond(api::ErrorResponse(absl::PermissionDeniedError(
                         "listening in is open on the control socket only; use: outpace monitor")));
                   }
                   const Json body = Json::parse(request.body, nullptr, false);
                   if (!body.is_object()) {
                     return respond(api::ErrorResponse(
                         absl::InvalidArgumentError("the body is no JSON object")));
                   }
                   verb(body, std::move(respond));
                 }));
  };
  constexpr absl::string_view kModes = "mode: must be monitor, whisper or barge";
  route("/v1/monitor/start", [this, kModes](const Json& body, api::Responder respond) {
    const auto role = RoleOf(Text(body, "mode"));
    if (!role.has_value()) {
      return respond(api::ErrorResponse(absl::InvalidArgumentError(kModes)));
    }
    const std::string phone = Text(body, "phone");
    RingPhone(
        phone,
        [this, agent = Text(body, "agent"), phone, role](Controller& c) {
          auto id = c.StartMonitor(agent, phone, *role);
          NoteMonitor("monitor.started", id.ok() ? *id : MonitorId(), id.status(),
                      {{"agent", agent}, {"mode", RoleName(*role)}});
          return id;
        },
        std::move(respond));
  });
  route("/v1/monitor/mode", [this, kModes](const Json& body, api::Responder respond) {
    const auto role = RoleOf(Text(body, "mode"));
    if (!role.has_value()) {
      return respond(api::ErrorResponse(absl::InvalidArgumentError(kModes)));
    }
    const MonitorId id(static_cast<uint64_t>(Number(body, "id")));
    AskController(std::move(respond), [this, id, role](Controller& c) {
      const absl::Status status = c.SetMonitorRole(id, *role);
      NoteMonitor("monitor.mode", id, status, {{"mode", RoleName(*role)}});
      return status;
    });
  });
  route("/v1/monitor/stop", [this](const Json& body, api::Responder respond) {
    const MonitorId id(static_cast<uint64_t>(Number(body, "id")));
    AskController(std::move(respond), [this, id](Controller& c) {
      const absl::Status status = c.EndMonitor(id);
      NoteMonitor("monitor.stopped", id, status, {});
      return status;
    });
  });
  route("/v1/monitor/list", [this](const Json&, api::Responder respond) {
    AskController(
        std::move(respond), [](Controller&) { return absl::OkStatus(); },
        [](Controller& c) {
          Json list = Json::array();
          for (const auto& [id, monitor] : c.monitors()) {
            list.push_back({{"id", id.value()},
                            {"agent", monitor.agent},
                            {"mode", std::string(RoleName(monitor.role))},
                            {"joined", monitor.joined}});
          }
          return Json{{"monitors", std::move(list)}};
        });
  });
}

}  // namespace outpace::runtime
