#include "engine/runtime/board_service.h"

#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/runtime/board.h"
#include "engine/runtime/explain.h"
#include "engine/runtime/tier_json.h"

namespace outpace::runtime {

struct BoardService::Impl {
  Impl(Loop& l, std::string t) : loop(l), token(std::move(t)) {}

  bool Allowed(const api::HttpRequest& request) const {
    if (token.empty() || request.local) return true;
    const auto query = request.query.find("token");
    if (query != request.query.end() && query->second == token) return true;
    const auto header = request.headers.find("authorization");
    return header != request.headers.end() && header->second == absl::StrCat("Bearer ", token);
  }

  void Tick() {
    loop.After(absl::Seconds(1), [this] { Tick(); });
    // A controller too busy to answer shows as a board that stands still.
    (void)controller_loop->Post([this] {
      (void)loop.Post([this, board = controller->Board()]() mutable { Show(std::move(board)); });
    });
  }

  void Show(BoardSnapshot snapshot) {
    board = std::move(snapshot);
    const auto text = std::make_shared<const std::string>(BoardJson(board));
    for (const auto& socket : sockets) socket->Send(text);
  }

  // Serves `make(board)` from the loop, to whoever may see boards.
  template <typename Make>
  api::HttpHandler Page(Make make) {
    return [this, make](api::HttpRequest request, api::Responder respond) {
      if (!Allowed(request)) {
        return respond(api::ErrorResponse(absl::UnauthenticatedError("board token missing")));
      }
      auto shared = std::make_shared<api::Responder>(std::move(respond));
      if (!loop.Post([this, make, shared] { (*shared)(make(board)); })) {
        (*shared)(api::ErrorResponse(absl::UnavailableError("overloaded; try again")));
      }
    };
  }

  // Asks the controller why a campaign places as many calls as it does; put into words here.
  void Why(api::HttpRequest request, api::Responder respond) {
    if (!Allowed(request)) {
      return respond(api::ErrorResponse(absl::UnauthenticatedError("board token missing")));
    }
    int last = 20;
    const auto given = request.query.find("last");
    if (given != request.query.end() &&
        (!absl::SimpleAtoi(given->second, &last) || last < 0 || last > 600)) {
      return respond(api::ErrorResponse(
          absl::InvalidArgumentError("last: a whole number from 0 to 600, for example 20")));
    }
    auto shared = std::make_shared<api::Responder>(std::move(respond));
    const auto busy = [shared] {
      (*shared)(api::ErrorResponse(absl::UnavailableError("overloaded; try again")));
    };
    const bool asked =
        controller_loop->Post([this, campaign = request.captures.at(0), last, shared, busy] {
          auto answer = controller->Why(campaign, static_cast<size_t>(last));
          if (!loop.Post([answer = std::move(answer), shared] {
                if (!answer.ok()) return (*shared)(api::ErrorResponse(answer.status()));
                (*shared)(api::HttpResponse{.body = WhyJson(*answer), .headers = {}});
              })) {
            busy();
          }
        });
    if (!asked) busy();
  }

  // What a campaign has learned of its leads.
  void Tiers(const api::HttpRequest& request, api::Responder respond) {
    if (!Allowed(request)) {
      return respond(api::ErrorResponse(absl::UnauthenticatedError("board token missing")));
    }
    const bool asked = loop.Post([this, campaign = request.captures.at(0),
                                  shared = std::make_shared<api::Responder>(std::move(respond))] {
      for (const CampaignFigures& figures : board.campaigns) {
        if (figures.id != campaign || !figures.tiers.has_value()) continue;
        return (*shared)(api::HttpResponse{.body = TierJson(*figures.tiers).dump(), .headers = {}});
      }
      (*shared)(api::ErrorResponse(absl::NotFoundError(
          absl::StrCat("no campaign named '", campaign, "' scores its leads (tier_mode=SCORE)"))));
    });
    (void)asked;  // an overloaded loop drops the connection
  }

  // Each limit on abandoned calls of a campaign, with its counts.
  void Contracts(api::HttpRequest request, api::Responder respond) {
    if (!Allowed(request)) {
      return respond(api::ErrorResponse(absl::UnauthenticatedError("board token missing")));
    }
    auto shared = std::make_shared<api::Responder>(std::move(respond));
    const auto busy = [shared] {
      (*shared)(api::ErrorResponse(absl::UnavailableError("overloaded; try again")));
    };
    const bool asked =
        controller_loop->Post([this, campaign = request.captures.at(0), shared, busy] {
          auto answer = controller->Contracts(campaign);
          if (!loop.Post([answer = std::move(answer), campaign, shared] {
                if (!answer.ok()) return (*shared)(api::ErrorResponse(answer.status()));
                (*shared)(api::HttpResponse{
                    .body = ContractsJson(campaign, answer->figures, answer->zone), .headers = {}});
              })) {
            busy();
          }
        });
    if (!asked) busy();
  }

  Loop& loop;
  const std::string token;
  Controller* controller = nullptr;
  Loop* controller_loop = nullptr;
  BoardSnapshot board;
  std::set<std::shared_ptr<api::WebSocket>> sockets;
};

BoardService::BoardService(Loop& loop, std::string token)
    : impl_(std::make_unique<Impl>(loop, std::move(token))) {}
BoardService::~BoardService() = default;

void BoardService::Start(Controller& controller, Loop& controller_loop) {
  impl_->controller = &controller;
  impl_->controller_loop = &controller_loop;
  (void)impl_->loop.Post([impl = impl_.get()] { impl->Tick(); });
}

bool BoardService::Allowed(const api::HttpRequest& request) const {
  return impl_->Allowed(request);
}

void BoardService::Install(api::HttpServer& server) {
  Impl* impl = impl_.get();
  server.Route("GET", "/v1/board", impl->Page([](const BoardSnapshot& board) {
    return api::HttpResponse{.body = BoardJson(board), .headers = {}};
  }));
  server.Route("GET", "/v1/board/text", impl->Page([](const BoardSnapshot& board) {
    return api::HttpResponse{
        .content_type = "text/plain; charset=utf-8", .body = BoardText(board), .headers = {}};
  }));
  server.Route("GET", "/v1/campaigns/{}/contracts",
               [impl](api::HttpRequest request, api::Responder respond) {
                 impl->Contracts(std::move(request), std::move(respond));
               });
  server.Route("GET", "/v1/campaigns/{}/tiers",
               [impl](api::HttpRequest request, api::Responder respond) {
                 impl->Tiers(request, std::move(respond));
               });
  server.Route("GET", "/v1/campaigns/{}/why",
               [impl](api::HttpRequest request, api::Responder respond) {
                 impl->Why(std::move(request), std::move(respond));
               });
  server.Route("GET", "/metrics", impl->Page([](const BoardSnapshot& board) {
    return api::HttpResponse{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                             .body = MetricsText(board),
                             .headers = {}};
  }));
  server.Route("GET", "/readyz", impl->Page([](const BoardSnapshot& board) {
    std::string why = board.stopped_reason;
    if (board.draining) why = "draining";
    if (board.now == absl::Time()) why = "starting";  // no snapshot yet
    return api::HttpResponse{.status = why.empty() ? 200 : 503,
                             .content_type = "text/plain; charset=utf-8",
                             .body = why.empty() ? "ready\n" : why + "\n",
                             .headers = {}};
  }));
  server.Route("GET", "/healthz", [](api::HttpRequest, api::Responder respond) {
    respond({.content_type = "text/plain; charset=utf-8", .body = "alive\n", .headers = {}});
  });
  api::WebSocketHandler events;
  events.on_accept = [impl](const api::HttpRequest& request) {
    return impl->Allowed(request) ? absl::OkStatus()
                                  : absl::UnauthenticatedError("board token missing");
  };
  events.on_open = [impl](std::shared_ptr<api::WebSocket> socket, const api::HttpRequest&) {
    (void)impl->loop.Post([impl, socket] {
      impl->sockets.insert(socket);
      socket->Send(std::make_shared<const std::string>(BoardJson(impl->board)));
    });
  };
  events.on_text = [](const std::shared_ptr<api::WebSocket>&, std::string) {};
  events.on_close = [impl](const std::shared_ptr<api::WebSocket>& socket) {
    (void)impl->loop.Post([impl, socket] { impl->sockets.erase(socket); });
  };
  server.RouteWebSocket("/v1/board/events", std::move(events));
}

}  // namespace outpace::runtime
