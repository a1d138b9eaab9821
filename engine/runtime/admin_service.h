#pragma once

// Admin inside a running engine: what it changes is told to the controller, and the control socket
// and the HTTP port ask it.

#include <functional>
#include <future>
#include <utility>

#include "engine/api/http_server.h"
#include "engine/runtime/admin.h"
#include "engine/runtime/agent_service.h"
#include "engine/runtime/asio_loop.h"
#include "engine/runtime/board_service.h"
#include "engine/runtime/controller.h"
#include "engine/runtime/dnc_lanes.h"
#include "engine/runtime/store_service.h"

namespace outpace::runtime {

// Runs `call` on the controller's loop and waits for its end. Any thread but that loop's own.
template <typename Call>
void OnController(AsioLoop& loop, Call call) {
  std::promise<void> done;
  if (!loop.Post([&] {
        call();
        done.set_value();
      })) {
    return;
  }
  done.get_future().wait();
}

// Hooks that tell the controller. `campaign_changing` runs before a campaign's new settings are in
// force. All must outlive the hooks.
AdminHooks HooksOf(Controller& controller, AsioLoop& loop, AgentService& agents,
                   StoreService& store, const Clock& clock,
                   std::function<void(const campaign::CampaignSettings&)> campaign_changing);

// POST /v1/admin/<operation>, on the control socket only. Two lanes: while something long is asked
// of `bulk`, a campaign can still be paused; imports have a third, AdminShared::desk, and single
// do-not-call numbers have `dnc`.
void InstallAdmin(api::HttpServer& server, Admin& admin, AsioLoop& admin_loop, Admin& bulk,
                  AsioLoop& bulk_loop, DncLanes& dnc);

// GET /v1/imports and /v1/imports/N, for whoever may see boards.
void InstallImports(api::HttpServer& server, const BoardService& boards, Admin& admin,
                    AsioLoop& admin_loop);

}  // namespace outpace::runtime
