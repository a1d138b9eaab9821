#pragma once

// The agents' side of the API (docs/API.md): logins and tokens, the agents' verbs, the event
// sockets, and the supervisors' listening in. Lives on a loop of its own, so that neither the
// controller nor the sockets' thread ever waits for JSON or for one another.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/api/http_server.h"
#include "engine/base/log.h"
#include "engine/base/loop.h"
#include "engine/runtime/config.h"
#include "engine/runtime/controller.h"

namespace outpace::runtime {

class AgentService final : public AgentEvents {
 public:
  struct Options {
    std::vector<std::string> phone_networks;  // where agents' phones may be
    std::vector<Endpoint>
        trunk_peers;  // where they may not: a "phone" there is a call past the gate
    audit::AuditSink* audit = nullptr;  // logins, listening in; outlives the service; null: none
  };
  // `loop`: this service's own. `hashing`: a loop that may spend 50 ms on a password. All outlive
  // it.
  AgentService(const Options& options, Loop& loop, Loop& hashing, Log& log);
  ~AgentService() override;

  // Before the server and the controller start.
  void Install(api::HttpServer& server);
  void SetController(Controller& controller, Loop& controller_loop);
  // Agents known to the store; any thread.
  void PutAgent(const campaign::AgentRecord& agent);
  // What the agents of a campaign choose from; told to their screens when it changes. Any thread.
  void PutCampaign(const campaign::CampaignSettings& settings);
  // The reviews of an agent's calls, a JSON array as the agent may see them; a notice that is not
  // empty is told to its screen at once. Any thread.
  void PutReviews(const AgentId& agent, const std::string& reviews, const std::string& notice);

  // AgentEvents: called by the controller, carried over to the service's loop.
  void OnState(const AgentId& agent, agent::AgentState state, absl::Time since,
               bool phone_up) override;
  void OnPop(const AgentId& agent, const campaign::Attempt& attempt, const campaign::Lead& lead,
             bool preview) override;
  void OnCallEnded(const AgentId& agent, AttemptId attempt, bool by_caller,
                   absl::Duration length) override;
  void OnNotice(const AgentId& agent, const std::string& message) override;
  void OnAudio(const AgentId& agent, AttemptId attempt, const CallAudio& audio) override;
  void OnLoggedOut(const AgentId& agent) override;

 private:
  struct Session;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace outpace::runtime
