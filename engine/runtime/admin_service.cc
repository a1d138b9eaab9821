#include "engine/runtime/admin_service.h"

#include <chrono>
#include <future>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>
#include <utility>

namespace outpace::runtime {
namespace {

using Json = nlohmann::ordered_json;

// How long leads that are merely being written are waited for.
constexpr absl::Duration kWithdrawPatience = absl::Seconds(2);

// Withdraws leads from the controller, and waits for what it has handed to the store before and, a
// moment, for those that are merely being written: who is left is in a call.
std::vector<LeadId> WithdrawLeads(Controller& controller, AsioLoop& loop, StoreService& store,
                                  const Clock& clock, const LeadSet& leads) {
  std::vector<LeadId> busy;
  OnController(loop, [&] { busy = controller.Withdraw(leads); });
  const auto stored = std::make_shared<std::promise<void>>();
  std::future<void> is_stored = stored->get_future();
  const bool asked = loop.Post([&store, stored] {
    store.Commit(campaign::StoreBatch(), [stored](absl::Status) { stored->set_value(); });
  });
  if (asked) is_stored.wait();
  const MonoTime give_up = clock.Mono() + kWithdrawPatience;
  // Looked at again and again: a lead is let go in many places of the controller, none of which
  // should have to know who waits. This thread is the desk's; no call waits for it.
  while (!busy.empty() && clock.Mono() < give_up) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    OnController(loop, [&] { busy = controller.Withdrawn(leads); });
  }
  return busy;
}

api::HttpResponse JsonResponse(const Json& json) {
  api::HttpResponse response;
  response.body = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return response;
}

}  // namespace

AdminHooks HooksOf(Controller& controller, AsioLoop& loop, AgentService& agents,
                   StoreService& store, const Clock& clock,
                   std::function<void(const campaign::CampaignSettings&)> campaign_changing) {
  AdminHooks hooks;
  hooks.campaign_changed = [&controller, &loop, &agents, changing = std::move(campaign_changing)](
                               const campaign::CampaignSettings& settings) {
    changing(settings);
    OnController(loop, [&] { controller.PutCampaign(settings); });
    agents.PutCampaign(settings);
  };
  hooks.list_changed = [&](const campaign::List& list) {
    OnController(loop, [&] { controller.PutList(list); });
  };
  hooks.agent_changed = [&](const campaign::AgentRecord& agent) {
    agents.PutAgent(agent);
    OnController(loop, [&] { controller.PutAgent(agent); });
  };
  hooks.reviews_changed = [&](const AgentId& agent, const std::string& reviews,
                              const std::string& notice) {
    agents.PutReviews(agent, reviews, notice);
  };
  hooks.leads_changed = [&](const CampaignId& campaign) {
    OnController(loop, [&] { controller.LeadsChanged(campaign); });
  };
  hooks.live_leads = [&](const CampaignId& campaign) -> absl::StatusOr<LiveLeads> {
    absl::StatusOr<LiveLeads> leads = absl::UnavailableError("overloaded; try again");
    OnController(loop, [&] { leads = controller.LiveLeadsOf(campaign); });
    return leads;
  };
  hooks.withdraw_leads = [&](const LeadSet& leads) {
    return WithdrawLeads(controller, loop, store, clock, leads);
  };
  hooks.leads_withdrawn = [&](const LeadSet& leads) {
    OnController(loop, [&] { controller.EndWithdraw(leads); });
  };
  hooks.person_erased = [&](const ErasedPeople& people, E164 phone) {
    // The person is told behind the shard, as below.
    std::promise<void> in_force;
    if (!loop.Post([&] {
          controller.PutErased(people, phone, [&](absl::Status) { in_force.set_value(); });
        })) {
      return;
    }
    in_force.get_future().wait();
  };
  const auto dnc = [&loop](auto change) {
    std::promise<absl::Status> stored;
    if (!loop.Post([&] { change([&](absl::Status status) { stored.set_value(status); }); })) {
      return absl::Status(absl::UnavailableError("overloaded; try again"));
    }
    return stored.get_future().get();
  };
  hooks.add_dnc = [&controller, dnc](std::vector<campaign::DncEntry> entries) {
    return dnc([&](Controller::Done done) { controller.AddDnc(entries, std::move(done)); });
  };
  hooks.remove_dnc = [&controller, dnc](campaign::DncEntry entry) {
    return dnc([&](Controller::Done done) { controller.RemoveDnc(entry, std::move(done)); });
  };
  hooks.dnc_in_force = [&controller, &loop]() -> absl::StatusOr<dnc::DncSet> {
    std::promise<dnc::DncSet> told;
    if (!loop.Post([&] { told.set_value(controller.dnc()); })) {
      return absl::UnavailableError("overloaded; try again");
    }
    return told.get_future().get();
  };
  return hooks;
}

void InstallAdmin(api::HttpServer& server, Admin& admin, AsioLoop& admin_loop, Admin& bulk,
                  AsioLoop& bulk_loop, DncLanes& dnc) {
  server.Route("POST", "/v1/admin/{}", [&](api::HttpRequest request, api::Responder respond) {
    if (!request.local) {
      return respond(api::ErrorResponse(absl::PermissionDeniedError(
          "administration is open on the control socket only; use the outpace command")));
    }
    static const std::set<std::string> kLong = {"import",
                                                "import.undo",
                                                "list.reset",
                                                "list.show",
                                                "lead.search",
                                                "lead.show",
                                                "lead.counts",
                                                "lead.filter",
                                                "dedup.run",
                                                "dedup.apply",
                                                "dnc.import",
                                                "dnc.export",
                                                "dnc.list",
                                                "dnc.registry.add",
                                                "dnc.registry.verify",
                                                "summary",
                                                "report",
                                                "export.calls",
                                                "export.leads",
                                                "export.events",
                                                "export.abandons",
                                                "export.agents",
                                                "export.schedule.run",
                                                "export.schedule.due",
                                                "campaign.list",
                                                "campaign.recheck",
                                                "campaign.funnel",
                                                "erase.leads",
                                                "erase.person",
                                                "store.checkpoint",
                                                "store.backup",
                                                "store.verify",
                                                "qa.sample",
                                                "qa.list",
                                                "qa.report"};
    const std::string operation = request.captures.at(0);
    auto shared = std::make_shared<api::Responder>(std::move(respond));
    auto run = [request = std::move(request), shared](Admin& lane) {
      const Json arguments = Json::parse(request.body, nullptr, false);
      const auto answer = lane.Run(request.captures.at(0), arguments);
      if (!answer.ok()) return (*shared)(api::ErrorResponse(answer.status()));
      (*shared)(JsonResponse(*answer));
    };
    const bool is_long = kLong.contains(operation);
    Admin& lane = is_long ? bulk : admin;
    const bool queued =
        DncLanes::Takes(operation)
            ? dnc.Post(std::move(run))
            : (is_long ? bulk_loop : admin_loop).Post([&lane, run = std::move(run)]() mutable {
                run(lane);
              });
    if (!queued) (*shared)(api::ErrorResponse(absl::UnavailableError("overloaded; try again")));
  });
}

void InstallImports(api::HttpServer& server, const BoardService& boards, Admin& admin,
                    AsioLoop& admin_loop) {
  for (const auto& [path, operation] :
       {std::pair("/v1/imports", "import.list"), std::pair("/v1/imports/{}", "import.show")}) {
    server.Route(
        "GET", path, [&, operation = operation](api::HttpRequest request, api::Responder respond) {
          if (!boards.Allowed(request)) {
            return respond(api::ErrorResponse(absl::UnauthenticatedError("board token missing")));
          }
          auto shared = std::make_shared<api::Responder>(std::move(respond));
          const bool queued =
              admin_loop.Post([&admin, operation, request = std::move(request), shared] {
                Json arguments = Json::object();
                if (!request.captures.empty()) arguments["import"] = request.captures[0];
                for (const char* name : {"campaign", "last"}) {
                  const auto given = request.query.find(name);
                  if (given != request.query.end()) arguments[name] = given->second;
                }
                auto answer = admin.Run(operation, arguments);
                if (!answer.ok()) return (*shared)(api::ErrorResponse(answer.status()));
                answer->erase("text");
                (*shared)(JsonResponse(*answer));
              });
          if (!queued)
            (*shared)(api::ErrorResponse(absl::UnavailableError("overloaded; try again")));
        });
  }
}

}  // namespace outpace::runtime
