#pragma once

#include <memory>

#include "engine/api/http_server.h"
#include "engine/base/loop.h"
#include "engine/runtime/controller.h"

namespace outpace::runtime {

// Pushes a board snapshot to every open board once a second, and serves /v1/board, /metrics,
// /healthz and /readyz from the last one; /v1/campaigns/ID/why from the controller itself. Lives on
// a loop of its own; the controller only copies figures.
class BoardService {
 public:
  // `token`: what boards and metrics must show as ?token= or Bearer; empty: open.
  BoardService(Loop& loop, std::string token);
  ~BoardService();
  void Install(api::HttpServer& server);
  void Start(Controller& controller, Loop& controller_loop);
  // Whether the request shows the token, or came over the control socket. Any thread.
  bool Allowed(const api::HttpRequest& request) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace outpace::runtime
