// What came of the reviews of an agent's calls, shown to that agent.

#include "engine/runtime/agent_service_impl.h"

namespace outpace::runtime {

void AgentService::PutReviews(const AgentId& agent, const std::string& reviews,
                              const std::string& notice) {
  const bool queued = impl_->loop.Post([impl = impl_.get(), agent, reviews, notice] {
    impl->reviews[agent] = Json::parse(reviews, nullptr, false);
    if (notice.empty() || !impl->sessions.contains(agent)) return;
    impl->Push(agent, {{"type", "notice"}, {"message", notice}});
  });
  if (!queued) impl_->log.Error("agent.review_dropped", {{"agent", agent}});
}

void AgentService::Impl::InstallReviews(api::HttpServer& server) {
  server.Route(
      "GET", "/v1/agent/reviews",
      Authorized([this](const AgentId& agent, const Json&, api::Responder respond) {
        const auto found = reviews.find(agent);
        respond(Reply({{"reviews", found == reviews.end() ? Json::array() : found->second}}));
      }));
}

}  // namespace outpace::runtime
