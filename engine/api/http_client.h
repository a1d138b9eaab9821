#pragma once

// A small blocking HTTP client and a WebSocket client: for the command line (over the control socket),
// for simulated agents and for tests.

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/api/http_server.h"

namespace outpace::api {

// "http://127.0.0.1:8080", or "unix:/path/outpace.sock" for the control socket.
// One request at a time; keeps its connection alive and opens a new one when it was closed.
class HttpClient {
 public:
  static std::unique_ptr<HttpClient> Create(absl::string_view base_url,
                                            absl::Duration timeout = absl::Seconds(30));
  virtual ~HttpClient() = default;
  // Unavailable: nobody listens; DeadlineExceeded: no answer in time. Any HTTP status is a result.
  virtual absl::StatusOr<HttpResponse> Send(absl::string_view method, absl::string_view target,
                                            absl::string_view body = "",
                                            const std::map<std::string, std::string>& headers = {}) = 0;
};

// A WebSocket with its own thread. Callbacks run on that thread.
class WebSocketClient {
 public:
  struct Callbacks {
    std::function<void()> on_open;
    std::function<void(std::string text)> on_text;
    std::function<void(absl::Status why)> on_close;  // once; also when it never opened
  };
  // `url`: "ws://127.0.0.1:8080/v1/agent/events?token=...".
  static std::unique_ptr<WebSocketClient> Connect(absl::string_view url, Callbacks callbacks);
  virtual ~WebSocketClient() = default;  // closes and joins
  virtual void Send(std::string text) = 0;  // any thread
};

}  // namespace outpace::api
