#include "engine/api/http_client.h"

#include <sys/un.h>

#include <deque>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "boost/asio/generic/stream_protocol.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/local/stream_protocol.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/beast/core/buffers_to_string.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/core/tcp_stream.hpp"
#include "boost/beast/http.hpp"
#include "boost/beast/websocket.hpp"
#include "engine/base/check.h"

namespace outpace::api {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace net = boost::asio;
namespace websocket = beast::websocket;
using beast::error_code;
using Protocol = net::generic::stream_protocol;
using Stream = beast::basic_stream<Protocol>;

constexpr size_t kResponseBytesMax = 256 << 20;
constexpr std::chrono::seconds kOpenTime{10};
constexpr std::chrono::seconds kIdleTime{60};
constexpr std::chrono::milliseconds kCloseGrace{300};

struct Address {
  std::string host;  // name or IP address; empty: unix socket
  std::string port;  // digits
  std::string unix_path;
  std::string authority;  // for the Host header
  std::string target;     // what follows the authority, "/" at least
};

absl::StatusOr<Address> ParseUrl(absl::string_view url, absl::string_view scheme) {
  Address address;
  if (absl::ConsumePrefix(&url, "unix:")) {
    if (url.empty() || url.size() >= sizeof(sockaddr_un::sun_path)) {
      return absl::InvalidArgumentError("unix: needs the path of a socket, 1 to 107 bytes");
    }
    address.unix_path = std::string(url);
    address.authority = "localhost";
    address.target = "/";
    return address;
  }
  const std::string prefix = absl::StrCat(scheme, "://");
  if (!absl::ConsumePrefix(&url, prefix)) {
    return absl::InvalidArgumentError(
        absl::StrCat("URL must begin with ", prefix, " or unix: (TLS is a proxy's job)"));
  }
  const size_t slash = url.find('/');
  const absl::string_view authority = url.substr(0, slash);
  address.target = slash == absl::string_view::npos ? "/" : std::string(url.substr(slash));
  absl::string_view host = authority;
  absl::string_view port = "80";
  const size_t colon = authority.rfind(':');
  if (colon != absl::string_view::npos && !absl::EndsWith(authority, "]")) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
  }
  int number = 0;
  if (!absl::SimpleAtoi(port, &number) || number < 1 || number > 65535) {
    return absl::InvalidArgumentError("URL port must be 1 to 65535");
  }
  absl::ConsumePrefix(&host, "[");
  absl::ConsumeSuffix(&host, "]");
  if (host.empty()) return absl::InvalidArgumentError("URL has no host");
  address.host = std::string(host);
  address.port = std::string(port);
  address.authority = std::string(authority);
  return address;
}

std::string Where(const Address& address) {
  return address.unix_path.empty() ? address.authority : address.unix_path;
}

// Numbers are taken as they are; a name is looked up, which blocks as long as the resolver does.
absl::StatusOr<Protocol::endpoint> Resolve(const Address& address, net::io_context& io) {
  if (!address.unix_path.empty()) {
    return Protocol::endpoint(net::local::stream_protocol::endpoint(address.unix_path));
  }
  error_code error;
  const auto number = net::ip::make_address(address.host, error);
  int port = 0;
  if (!absl::SimpleAtoi(address.port, &port)) return absl::InvalidArgumentError("bad port");
  if (!error) {
    return Protocol::endpoint(net::ip::tcp::endpoint(number, static_cast<uint16_t>(port)));
  }
  net::ip::tcp::resolver resolver(io);
  const auto results = resolver.resolve(net::ip::tcp::v4(), address.host, address.port, error);
  if (error || results.empty()) {
    return absl::UnavailableError(
        absl::StrCat("cannot find ", address.host, ": ", error.message()));
  }
  return Protocol::endpoint(results.begin()->endpoint());
}

absl::Status Failure(const Address& address, absl::string_view doing, const error_code& error) {
  const std::string where = absl::StrCat(doing, " ", Where(address), ": ", error.message());
  if (error == beast::error::timeout) return absl::DeadlineExceededError(where);
  if (error == net::error::connection_refused || error == net::error::not_found ||
      error == boost::system::errc::no_such_file_or_directory) {
    return absl::UnavailableError(absl::StrCat(where, "; is the dialer running there?"));
  }
  return absl::UnavailableError(where);
}

bool OneLine(absl::string_view text) {
  for (char c : text) {
    if (c == '\r' || c == '\n' || c == '\0') return false;
  }
  return true;
}

class BeastHttpClient final : public HttpClient {
 public:
  BeastHttpClient(absl::StatusOr<Address> address, absl::Duration timeout)
      : address_(std::move(address)), timeout_(timeout) {}

  absl::StatusOr<HttpResponse> Send(absl::string_view method, absl::string_view target,
                                    absl::string_view body,
                                    const std::map<std::string, std::string>& headers) override {
    if (!address_.ok()) return address_.status();
    if (!OneLine(method) || method.empty() || !OneLine(target) || !absl::StartsWith(target, "/")) {
      return absl::InvalidArgumentError("method and target must be one line, the target a path");
    }
    http::request<http::string_body> request;
    request.version(11);
    request.method_string({method.data(), method.size()});
    request.target({target.data(), target.size()});
    request.set(http::field::host, address_->authority);
    for (const auto& [name, value] : headers) {
      if (name.empty() || !OneLine(name) || !OneLine(value)) {
        return absl::InvalidArgumentError("a header must be one line");
      }
      request.set(name, value);
    }
    if (!body.empty() && request.count(http::field::content_type) == 0) {
      request.set(http::field::content_type, "application/json");
    }
    request.body().assign(body.data(), body.size());
    request.prepare_payload();

    if (stream_.has_value() && !StillOpen()) stream_.reset();
    const bool reused = stream_.has_value();
    bool answer_begun = false;
    absl::StatusOr<HttpResponse> response = Exchange(request, &answer_begun);
    // The server may close an idle connection just as we write. What may be repeated is repeated.
    const bool repeatable = method == "GET" || method == "HEAD" || method == "PUT" ||
                            method == "DELETE" || method == "OPTIONS";
    if (reused && repeatable && !answer_begun && absl::IsUnavailable(response.status())) {
      response = Exchange(request, &answer_begun);
    }
    return response;
  }

 private:
  // An idle connection has nothing to say: readable means closed, or out of step.
  bool StillOpen() {
    error_code error;
    auto& socket = stream_->socket();
    socket.non_blocking(true, error);
    char byte = 0;
    socket.receive(net::buffer(&byte, 1), net::socket_base::message_peek, error);
    return error == net::error::would_block;
  }

  // Runs the one operation that was started, with the deadline set on the stream.
  error_code Await() {
    io_.restart();
    io_.run();
    return std::exchange(error_, error_code());
  }

  absl::StatusOr<HttpResponse> Exchange(http::request<http::string_body>& request,
                                        bool* answer_begun) {
    const bool connect = !stream_.has_value();
    if (connect) {
      auto endpoint = Resolve(*address_, io_);
      if (!endpoint.ok()) return endpoint.status();
      stream_.emplace(io_);
      buffer_.clear();
      stream_->expires_after(absl::ToChronoNanoseconds(timeout_));
      stream_->async_connect(*endpoint, [this](error_code e) { error_ = e; });
      if (const error_code error = Await()) return Abandon("connecting to", error);
      if (address_->unix_path.empty()) {
        error_code ignored;
        stream_->socket().set_option(net::ip::tcp::no_delay(true), ignored);
      }
    } else {
      stream_->expires_after(absl::ToChronoNanoseconds(timeout_));
    }
    http::async_write(*stream_, request, [this](error_code e, size_t) { error_ = e; });
    // A server that refuses a body may stop reading and answer at once: look for that answer.
    const error_code write_error = Await();
    if (write_error == beast::error::timeout) return Abandon("writing to", write_error);
    http::response_parser<http::string_body> parser;
    parser.body_limit(kResponseBytesMax);
    parser.skip(request.method() == http::verb::head);
    http::async_read(*stream_, buffer_, parser, [this](error_code e, size_t) { error_ = e; });
    const error_code read_error = Await();
    *answer_begun = parser.got_some();
    if (read_error) return Abandon("reading from", write_error ? write_error : read_error);
    http::response<http::string_body> message = parser.release();
    if (!message.keep_alive() || write_error || buffer_.size() > 0) stream_.reset();
    HttpResponse response;
    response.status = static_cast<int>(message.result_int());
    response.content_type = std::string(message[http::field::content_type]);
    for (const auto& field : message) {
      const absl::string_view name(field.name_string().data(), field.name_string().size());
      response.headers[absl::AsciiStrToLower(name)] = std::string(field.value());
    }
    response.body = std::move(message.body());
    return response;
  }

  absl::Status Abandon(absl::string_view doing, const error_code& error) {
    stream_.reset();
    return Failure(*address_, doing, error);
  }

  const absl::StatusOr<Address> address_;
  const absl::Duration timeout_;
  net::io_context io_{1};
  std::optional<Stream> stream_;
  beast::flat_buffer buffer_;
  error_code error_;
};

class BeastWebSocketClient final : public WebSocketClient {
 public:
  BeastWebSocketClient(absl::string_view url, Callbacks callbacks)
      : callbacks_(std::move(callbacks)),
        stream_(io_),
        close_timer_(io_),
        address_(ParseUrl(url, "ws")) {
    thread_ = std::thread([this] { Run(); });
  }

  ~BeastWebSocketClient() override {
    OUTPACE_CHECK(thread_.get_id() != std::this_thread::get_id());
    net::post(io_, [this] { BeginClose(); });
    thread_.join();
  }

  void Send(std::string text) override {
    net::post(io_, [this, message = std::move(text)]() mutable {
      if (finished_ || closing_) return;
      queue_.push_back(std::move(message));
      if (open_ && queue_.size() == 1) Write();
    });
  }

 private:
  void Run() {
    net::post(io_, [this] { Open(); });
    io_.run();
  }

  void Open() {
    if (!address_.ok()) return Finish(address_.status());
    auto endpoint = Resolve(*address_, io_);
    if (!endpoint.ok()) return Finish(endpoint.status());
    beast::get_lowest_layer(stream_).expires_after(kOpenTime);
    beast::get_lowest_layer(stream_).async_connect(*endpoint, [this](error_code error) {
      if (error) return Finish(Failure(*address_, "connecting to", error));
      Handshake();
    });
  }

  void Handshake() {
    error_code ignored;
    if (address_->unix_path.empty()) {
      beast::get_lowest_layer(stream_).socket().set_option(net::ip::tcp::no_delay(true), ignored);
    }
    beast::get_lowest_layer(stream_).expires_never();
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = kOpenTime;
    timeout.idle_timeout = kIdleTime;
    timeout.keep_alive_pings = true;
    stream_.set_option(timeout);
    stream_.text(true);
    stream_.auto_fragment(false);
    stream_.async_handshake(answer_, address_->authority, address_->target,
                            [this](error_code error) {
                              if (error == websocket::error::upgrade_declined)
                                return Finish(Declined());
                              if (error)
                                return Finish(Failure(*address_, "opening a WebSocket at", error));
                              open_ = true;
                              if (callbacks_.on_open) callbacks_.on_open();
                              if (!queue_.empty()) Write();
                              Read();
                            });
  }

  absl::Status Declined() const {
    const int status = static_cast<int>(answer_.result_int());
    const std::string what = absl::StrCat("WebSocket refused with HTTP ", status, ": ",
                                          absl::string_view(answer_.body()).substr(0, 300));
    if (status == 401) return absl::UnauthenticatedError(what);
    if (status == 403) return absl::PermissionDeniedError(what);
    if (status == 404) return absl::NotFoundError(what);
    if (status == 503) return absl::UnavailableError(what);
    return absl::FailedPreconditionError(what);
  }

  void Read() {
    stream_.async_read(buffer_, [this](error_code error, size_t) {
      if (error) return Finish(CloseStatus(error));
      std::string text = beast::buffers_to_string(buffer_.data());
      buffer_.consume(buffer_.size());
      if (callbacks_.on_text && !closing_) callbacks_.on_text(std::move(text));
      Read();
    });
  }

  absl::Status CloseStatus(const error_code& error) {
    if (closing_) return absl::CancelledError("closed by us");
    if (error == websocket::error::closed) {
      return absl::UnavailableError(
          absl::StrCat("closed by the server, code ", static_cast<int>(stream_.reason().code)));
    }
    return Failure(*address_, "reading from", error);
  }

  void Write() {
    stream_.async_write(net::buffer(queue_.front()), [this](error_code error, size_t) {
      queue_.pop_front();
      if (!error && !queue_.empty() && !closing_) Write();
    });
  }

  void BeginClose() {
    if (finished_ || closing_) return;
    closing_ = true;
    if (!open_) return Finish(absl::CancelledError("closed by us"));
    close_timer_.expires_after(kCloseGrace);  // a dead peer answers no close frame
    close_timer_.async_wait([this](error_code error) {
      if (!error) Finish(absl::CancelledError("closed by us"));
    });
    stream_.async_close(websocket::close_code::normal,
                        [this](error_code) { Finish(absl::CancelledError("closed by us")); });
  }

  // Ends the thread's loop. What still hangs in it is destroyed with it, after the join.
  void Finish(absl::Status why) {
    if (std::exchange(finished_, true)) return;
    open_ = false;
    beast::get_lowest_layer(stream_).close();
    if (callbacks_.on_close) callbacks_.on_close(std::move(why));
    io_.stop();
  }

  const Callbacks callbacks_;
  net::io_context io_{1};
  websocket::stream<Stream> stream_;
  net::steady_timer close_timer_;
  websocket::response_type answer_;
  beast::flat_buffer buffer_;
  std::deque<std::string> queue_;
  const absl::StatusOr<Address> address_;
  bool open_ = false;
  bool closing_ = false;
  bool finished_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<HttpClient> HttpClient::Create(absl::string_view base_url, absl::Duration timeout) {
  return std::make_unique<BeastHttpClient>(ParseUrl(absl::StripSuffix(base_url, "/"), "http"),
                                           timeout);
}

std::unique_ptr<WebSocketClient> WebSocketClient::Connect(absl::string_view url,
                                                          Callbacks callbacks) {
  return std::make_unique<BeastWebSocketClient>(url, std::move(callbacks));
}

}  // namespace outpace::api
