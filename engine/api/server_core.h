#pragma once

// What the sockets of one server share. The io context comes last in Core, so sessions that still
// hang in its queue are destroyed while the rest of Core lives. Sessions refer to Core plainly;
// what leaves the folder (Responder, WebSocket) holds a shared_ptr to Core and a weak_ptr to its
// session, and touches the session only in a task on the server's thread.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>  // boost/asio/awaitable.hpp of 1.74 forgets it
#include <vector>

#include "boost/asio/generic/stream_protocol.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/post.hpp"
#include "engine/api/http_parse.h"
#include "engine/api/http_server.h"

namespace outpace::api {

namespace net = boost::asio;
// TCP and unix sockets alike, so that every session class exists once.
using StreamProtocol = net::generic::stream_protocol;

// One open socket, HTTP or WebSocket. Server thread only.
class Connection {
 public:
  virtual ~Connection() = default;
  // Ends it: a response being written and a closing handshake may go on unless `now`.
  virtual void Shutdown(bool now) = 0;
};

struct Peer {
  std::string address;  // empty: control socket
  bool local = false;
};

struct Core {
  Core(const ServerOptions& o, Log& l) : options(o), log(l) {}

  struct HttpRoute {
    std::string method;
    RoutePattern pattern;
    HttpHandler handler;
  };
  struct WebSocketRoute {
    RoutePattern pattern;
    WebSocketHandler handler;
  };

  // Server thread. Keeps count of open sockets; Remove of the last one after a stop ends the loop.
  uint64_t Add(Connection* connection, const Peer& peer);
  void Remove(uint64_t id, const Peer& peer);

  // Any thread. Runs `task` on the server's thread; drops it once the server has stopped.
  template <typename Task>
  void Post(Task task) {
    if (!stopped.load(std::memory_order_acquire)) net::post(io, std::move(task));
  }

  const ServerOptions options;
  Log& log;
  std::vector<HttpRoute> routes;
  std::vector<WebSocketRoute> websocket_routes;
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> requests_refused{0};
  std::atomic<uint64_t> connections_refused{0};
  std::atomic<uint64_t> websockets_open{0};
  std::atomic<uint64_t> slow_clients_dropped{0};
  std::atomic<bool> stopped{false};

  // Server thread only.
  bool stopping = false;
  uint64_t last_id = 0;
  std::map<uint64_t, Connection*> connections;
  std::map<std::string, size_t> per_address;
  size_t remote_connections = 0;

  net::io_context io{1};
};

// Headers that every answer carries, the 101 of a WebSocket included.
struct FixedHeader {
  const char* name;
  const char* value;
};
inline constexpr FixedHeader kSecurityHeaders[] = {
    {"Content-Security-Policy",
     "default-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'self'; "
     "frame-ancestors 'none'; object-src 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Frame-Options", "DENY"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

// Serves one accepted socket until it closes.
void StartHttpSession(const std::shared_ptr<Core>& core, StreamProtocol::socket socket, Peer peer);

}  // namespace outpace::api
