#pragma once

// HTTP/1.1 and WebSocket for agents, boards and control, on Boost.Beast (the only folder that sees
// Beast). One thread runs all sockets; handlers are called on it and answer when they can, from any
// thread, so a handler may ask the controller and reply later.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/log.h"

namespace outpace::api {

struct HttpRequest {
  std::string method{};  // "GET"
  std::string path{};    // "/v1/agent/login", percent-decoded, no query
  std::map<std::string, std::string> query{};
  std::map<std::string, std::string> headers{};  // names in lower case
  std::vector<std::string> captures{};           // what "{}" in the route matched
  std::string body{};
  bool local = false;  // came over the control socket: the operating system vouches for the user
  std::string peer{};  // the client's IP address, e.g. to slow down a guesser; empty when local
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body{};
  std::map<std::string, std::string> headers{};  // further ones, e.g. ETag
};

// Maps a Status to a response {"error": {"code", "message"}} with the fitting HTTP status:
// InvalidArgument 400, Unauthenticated 401, PermissionDenied 403, NotFound 404,
// FailedPrecondition and AlreadyExists 409, ResourceExhausted 429, Unavailable 503, else 500.
HttpResponse ErrorResponse(const absl::Status& status);

// Answers one request. Call exactly once, from any thread; a Responder that is destroyed unanswered
// sends 500. Does nothing when the client has gone.
using Responder = absl::AnyInvocable<void(HttpResponse)>;
using HttpHandler = std::function<void(HttpRequest, Responder)>;

// One open WebSocket. Thread safe. Sending never blocks: a client that lets 1 MiB wait is dropped.
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  virtual void Send(std::shared_ptr<const std::string> text) = 0;  // one buffer for many receivers
  virtual void Close() = 0;
  virtual uint64_t id() const = 0;
};

struct WebSocketHandler {
  // Before the upgrade: not OK refuses with ErrorResponse. `request.query` carries "token".
  std::function<absl::Status(const HttpRequest&)> on_accept;
  std::function<void(std::shared_ptr<WebSocket>, const HttpRequest&)> on_open;
  std::function<void(const std::shared_ptr<WebSocket>&, std::string text)> on_text;
  std::function<void(const std::shared_ptr<WebSocket>&)> on_close;  // exactly once after on_open
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;          // 0: any free port; -> HttpServer::port()
  std::string unix_socket{};  // path of the control socket (mode 0600); empty: none
  size_t body_bytes_max = 1 << 20;
  size_t header_bytes_max = 8 << 10;
  absl::Duration idle_timeout = absl::Seconds(60);
  // "https://dialer.example.com", beside same-origin. A browser page of another origin may open no
  // WebSocket and change nothing. A server on a loopback address also refuses unknown Host names.
  std::vector<std::string> allowed_origins{};
  absl::Duration header_timeout =
      absl::Seconds(10);                             // from a request's first byte to its last line
  absl::Duration write_timeout = absl::Seconds(10);  // without progress
  // A handler that has not answered by then has 503 sent for it; its late answer is dropped. The
  // control socket waits 24 h.
  absl::Duration response_timeout = absl::Seconds(60);
  size_t connections_max = 8192;              // of the port; the control socket has no limit
  size_t connections_per_address_max = 2048;  // loopback excepted: it may be a proxy
  size_t websocket_message_bytes_max = 64 << 10;
  size_t websocket_queue_bytes_max = 1 << 20;  // a reader that lets more wait is dropped
};

class HttpServer {
 public:
  // Unavailable with the address and a remedy when the port is taken or may not be bound, or
  // another process answers on the control socket. InvalidArgument: not an IP address, socket path
  // too long.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Create(const ServerOptions& options, Log& log);
  virtual ~HttpServer() = default;  // stops
  // Before Start(). `path` may hold "{}" segments. The longest literal match wins. HEAD is answered
  // by the GET handler; a GET that no route takes is looked up among the pages.
  virtual void Route(absl::string_view method, absl::string_view path, HttpHandler handler) = 0;
  virtual void RouteWebSocket(absl::string_view path, WebSocketHandler handler) = 0;
  virtual void Start() = 0;  // runs its own thread
  // Closes all sockets, joins the thread; idempotent. Not from a handler. A response that is being
  // written and the close frame of a WebSocket get half a second.
  virtual void Stop() = 0;
  virtual uint16_t port() const = 0;
  struct Stats {
    uint64_t requests = 0, websockets_open = 0, slow_clients_dropped = 0;
    uint64_t requests_refused = 0;     // malformed, too large or of a foreign origin
    uint64_t connections_refused = 0;  // over a limit
  };
  virtual Stats stats() const = 0;
};

// The embedded files of engine/api/pages, by path ("/agent.html"), with content type and ETag.
struct Page {
  absl::string_view content_type;
  absl::string_view body;
  absl::string_view etag;
};
const Page* FindPage(absl::string_view path);  // nullptr: no such page

}  // namespace outpace::api
