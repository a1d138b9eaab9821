#pragma once

// A small blocking HTTP client and a WebSocket client: for the command line (over the control
// socket), for simulated agents and for tests.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/api/http_server.h"

namespace outpace::api {

// "http://127.0.0.1:8080", or "unix:/path/outpace.sock" for the control socket.
// One request at a time, one thread at a time; keeps its connection alive and opens a new one when
// it was closed. A request that changes something (POST) is never sent twice.
class HttpClient {
 public:
  // `timeout` is for one Send() as a whole. A URL that cannot be read is told by Send().
  static std::unique_ptr<HttpClient> Create(absl::string_view base_url,
                                            absl::Duration timeout = absl::Seconds(30));
  virtual ~HttpClient() = default;
  // Unavailable: nobody listens or the connection broke; DeadlineExceeded: no answer in time;
  // InvalidArgument: the URL, or a line break where none may be. Any HTTP status is a result. The
  // answer's headers have lower-case names.
  virtual absl::StatusOr<HttpResponse> Send(
      absl::string_view method, absl::string_view target, absl::string_view body = "",
      const std::map<std::string, std::string>& headers = {}) = 0;
};

// A WebSocket with its own thread. Callbacks run on that thread.
class WebSocketClient {
 public:
  struct Callbacks {
    std::function<void()> on_open;
    std::function<void(std::string text)> on_text;
    // Once; also when it never opened. Cancelled: closed by our destructor. Unauthenticated,
    // PermissionDenied, NotFound, FailedPrecondition: refused with that HTTP status.
    std::function<void(absl::Status why)> on_close;
  };
  // `url`: "ws://127.0.0.1:8080/v1/agent/events?token=...". Returns at once.
  static std::unique_ptr<WebSocketClient> Connect(absl::string_view url, Callbacks callbacks);
  // Closes and joins, within half a second also when the peer is dead. Not from a callback.
  virtual ~WebSocketClient() = default;
  // Any thread. Texts wait for the opening; after a close they are dropped.
  virtual void Send(std::string text) = 0;
};

}  // namespace outpace::api
