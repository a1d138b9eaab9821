#include "engine/api/http_server.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/local/stream_protocol.hpp"
#include "boost/asio/steady_timer.hpp"
#include "engine/api/server_core.h"
#include "engine/base/check.h"

namespace outpace::api {

uint64_t Core::Add(Connection* connection, const Peer& peer) {
  connections.emplace(++last_id, connection);
  if (!peer.local) {
    ++remote_connections;
    ++per_address[peer.address];
  }
  return last_id;
}

void Core::Remove(uint64_t id, const Peer& peer) {
  connections.erase(id);
  if (!peer.local) {
    --remote_connections;
    const auto count = per_address.find(peer.address);
    if (--count->second == 0) per_address.erase(count);
  }
  if (stopping && connections.empty()) io.stop();
}

namespace {

using boost::system::error_code;
using Tcp = net::ip::tcp;
using Local = net::local::stream_protocol;

constexpr std::chrono::milliseconds kStopGrace{500};
constexpr std::chrono::milliseconds kAcceptRetry{100};

std::string Endpoint(const std::string& address, uint16_t port) {
  return address.find(':') == std::string::npos ? absl::StrCat(address, ":", port)
                                                : absl::StrCat("[", address, "]:", port);
}

absl::Status ListenError(const std::string& address, uint16_t port, const error_code& error) {
  std::string remedy = "choose another address or port";
  if (error == net::error::address_in_use) {
    remedy = absl::StrFormat(
        "another program holds it: stop that one (ss -ltnp 'sport = :%d' names it) or set another "
        "port",
        port);
  } else if (error == net::error::access_denied) {
    remedy = "ports below 1024 need the right CAP_NET_BIND_SERVICE: set a port from 1024 up";
  } else if (error == boost::system::errc::address_not_available) {
    remedy = "this machine has no such address (ip addr lists them): set one of its own";
  }
  return absl::UnavailableError(absl::StrCat("cannot listen on ", Endpoint(address, port), ": ",
                                             error.message(), "; ", remedy));
}

absl::Status SocketPathError(const std::string& path, absl::string_view what) {
  return absl::UnavailableError(absl::StrCat("control socket ", path, ": ", what));
}

// Removes a socket file that a dead process left. Never one that somebody answers on, nor a file
// that is no socket.
absl::Status RemoveStaleSocket(const std::string& path, net::io_context& io) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return absl::OkStatus();
  if (!S_ISSOCK(info.st_mode)) {
    return SocketPathError(path, "a file of that name is there and is no socket: move it away");
  }
  Local::socket probe(io);
  error_code error;
  probe.connect(Local::endpoint(path), error);
  if (!error) {
    return SocketPathError(path,
                           "another process answers on it: stop that one or set another data_dir");
  }
  if (error != net::error::connection_refused) return SocketPathError(path, error.message());
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return SocketPathError(path, "cannot remove the file a dead process left: check its owner");
  }
  return absl::OkStatus();
}

class BeastServer final : public HttpServer {
 public:
  BeastServer(const ServerOptions& options, Log& log)
      : core_(std::make_shared<Core>(options, log)),
        tcp_(core_->io),
        local_(core_->io),
        stop_timer_(core_->io),
        tcp_retry_(core_->io),
        local_retry_(core_->io) {}

  ~BeastServer() override { Stop(); }

  absl::Status Listen() {
    if (absl::Status s = ListenTcp(); !s.ok()) return s;
    return core_->options.unix_socket.empty() ? absl::OkStatus() : ListenLocal();
  }

  void Route(absl::string_view method, absl::string_view path, HttpHandler handler) override {
    OUTPACE_CHECK(!thread_.joinable() && handler != nullptr);
    core_->routes.push_back({std::string(method), RoutePattern(path), std::move(handler)});
  }

  void RouteWebSocket(absl::string_view path, WebSocketHandler handler) override {
    OUTPACE_CHECK(!thread_.joinable());
    core_->websocket_routes.push_back({RoutePattern(path), std::move(handler)});
  }

  void Start() override {
    OUTPACE_CHECK(!thread_.joinable() && !stopped_);
    AcceptTcp();
    if (local_.is_open()) AcceptLocal();
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "http");
      Run();
    });
    core_->log.Info("api.listening", {{"address", core_->options.address},
                                      {"port", static_cast<int>(port_)},
                                      {"control_socket", core_->options.unix_socket}});
  }

  void Stop() override {
    if (stopped_) return;
    stopped_ = true;
    if (thread_.joinable()) {
      OUTPACE_CHECK(thread_.get_id() != std::this_thread::get_id());
      net::post(core_->io, [this] { BeginStop(); });
      thread_.join();
    }
    core_->stopped.store(true, std::memory_order_release);
    error_code ignored;
    tcp_.close(ignored);
    if (local_.is_open()) {
      local_.close(ignored);
      unlink(core_->options.unix_socket.c_str());
    }
    // Handlers may hold sockets and sockets hold Core: let go of both.
    core_->routes.clear();
    core_->websocket_routes.clear();
  }

  uint16_t port() const override { return port_; }

  Stats stats() const override {
    Stats stats;
    stats.requests = core_->requests;
    stats.websockets_open = core_->websockets_open;
    stats.slow_clients_dropped = core_->slow_clients_dropped;
    stats.requests_refused = core_->requests_refused;
    stats.connections_refused = core_->connections_refused;
    return stats;
  }

 private:
  absl::Status ListenTcp() {
    const ServerOptions& options = core_->options;
    error_code error;
    const auto address = net::ip::make_address(options.address, error);
    if (error) {
      return absl::InvalidArgumentError(absl::StrCat(
          "HTTP address \"", options.address, "\" is no IP address, e.g. 127.0.0.1 or 0.0.0.0"));
    }
    const Tcp::endpoint endpoint(address, options.port);
    tcp_.open(endpoint.protocol(), error);
    if (!error) tcp_.set_option(net::socket_base::reuse_address(true), error);
    if (!error) tcp_.bind(endpoint, error);
    if (!error) tcp_.listen(net::socket_base::max_listen_connections, error);
    if (error) return ListenError(options.address, options.port, error);
    port_ = tcp_.local_endpoint(error).port();
    return absl::OkStatus();
  }

  absl::Status ListenLocal() {
    const std::string& path = core_->options.unix_socket;
    if (path.size() >= sizeof(sockaddr_un::sun_path)) {
      return absl::InvalidArgumentError(absl::StrCat("control socket path has ", path.size(),
                                                     " bytes, unix(7) allows 107: set a shorter "
                                                     "data_dir"));
    }
    if (absl::Status s = RemoveStaleSocket(path, core_->io); !s.ok()) return s;
    error_code error;
    local_.open(Local(), error);
    // Linux gives the file the mode of the unbound socket: there is no moment at which others may
    // open it, and no process-wide umask to change.
    if (!error && fchmod(local_.native_handle(), 0600) != 0) {
      error.assign(errno, boost::system::system_category());
    }
    if (!error) local_.bind(Local::endpoint(path), error);
    const bool bound = !error;
    if (bound && chmod(path.c_str(), 0600) != 0) {
      error.assign(errno, boost::system::system_category());
    }
    if (!error) local_.listen(net::socket_base::max_listen_connections, error);
    if (!error) return absl::OkStatus();
    error_code ignored;
    local_.close(ignored);
    if (bound) unlink(path.c_str());
    return SocketPathError(
        path, absl::StrCat(error.message(), "; the folder must exist and be writable"));
  }

  void Run() {
    for (;;) {
      try {
        core_->io.run();
        return;
      } catch (const std::exception& e) {
        core_->log.Error("api.exception", {{"what", e.what()}});
      }
    }
  }

  void AcceptTcp() {
    tcp_.async_accept([this](error_code error, Tcp::socket socket) {
      if (core_->stopping) return;
      if (!error) {
        Admit(std::move(socket));
      } else if (error != net::error::connection_aborted) {
        // Out of descriptors, most likely: the backlog keeps the others until some are free.
        core_->log.Warning("api.accept_failed", {{"what", error.message()}});
        tcp_retry_.expires_after(kAcceptRetry);
        tcp_retry_.async_wait([this](error_code e) {
          if (!e) AcceptTcp();
        });
        return;
      }
      AcceptTcp();
    });
  }

  void Admit(Tcp::socket socket) {
    error_code error;
    const Tcp::endpoint remote = socket.remote_endpoint(error);
    if (error) return;  // gone again
    const Peer peer{remote.address().to_string(), false};
    const auto same = core_->per_address.find(peer.address);
    const bool crowded = !remote.address().is_loopback() && same != core_->per_address.end() &&
                         same->second >= core_->options.connections_per_address_max;
    if (crowded || core_->remote_connections >= core_->options.connections_max) {
      core_->connections_refused.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    socket.set_option(Tcp::no_delay(true), error);
    StartHttpSession(core_, std::move(socket), peer);
  }

  void AcceptLocal() {
    local_.async_accept([this](error_code error, Local::socket socket) {
      if (core_->stopping) return;
      if (error && error != net::error::connection_aborted) {
        local_retry_.expires_after(kAcceptRetry);
        local_retry_.async_wait([this](error_code e) {
          if (!e) AcceptLocal();
        });
        return;
      }
      if (!error) StartHttpSession(core_, std::move(socket), Peer{"", true});
      AcceptLocal();
    });
  }

  void BeginStop() {
    core_->stopping = true;
    error_code ignored;
    tcp_.cancel(ignored);
    if (local_.is_open()) local_.cancel(ignored);
    tcp_retry_.cancel();
    local_retry_.cancel();
    if (core_->connections.empty()) return core_->io.stop();
    stop_timer_.expires_after(kStopGrace);
    stop_timer_.async_wait([this](error_code) { ShutdownAll(true); });
    ShutdownAll(false);
  }

  void ShutdownAll(bool now) {
    // Only closes sockets: no session is destroyed before its operations have ended.
    for (const auto& [id, connection] : core_->connections) connection->Shutdown(now);
  }

  std::shared_ptr<Core> core_;
  Tcp::acceptor tcp_;
  Local::acceptor local_;
  net::steady_timer stop_timer_;
  net::steady_timer tcp_retry_;
  net::steady_timer local_retry_;
  std::thread thread_;
  uint16_t port_ = 0;
  bool stopped_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Create(const ServerOptions& options,
                                                               Log& log) {
  auto server = std::make_unique<BeastServer>(options, log);
  if (absl::Status status = server->Listen(); !status.ok()) return status;
  return server;
}

}  // namespace outpace::api
