// The server's side of one HTTP/1.1 connection. One request is read, handed to its handler and
// answered before the next one is looked at, so pipelined requests cost a client only its own
// waiting and the server never more than one read buffer. Every wait has a deadline: for the first
// byte (idle), for the rest of the head, for the body (10 s for each 10,000 bytes), for the handler
// and for each step of writing.

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/write.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/http.hpp"
#include "boost/beast/websocket/rfc6455.hpp"
#include "engine/api/ws_session.h"

namespace outpace::api {
namespace {

namespace http = beast::http;
using beast::error_code;

constexpr size_t kReadBytes = 4096;
constexpr size_t kBodyBytesPerDeadline = 10'000;  // 1,000 B/s over 10 s
constexpr std::chrono::seconds kBodyDeadline{10};
constexpr std::chrono::seconds kLingerTime{2};
constexpr size_t kLingerBytesMax = 4 << 20;
constexpr absl::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

absl::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

HttpResponse PlainError(int status, absl::string_view code, absl::string_view message) {
  HttpResponse response;
  response.status = status;
  response.body = absl::StrCat(R"({"error":{"code":")", code, R"(","message":")", message, "\"}}");
  return response;
}

bool SafeHeader(absl::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

// "W/"-prefixed and listed tags match too (RFC 9110 13.1.2: weak comparison).
bool EtagListed(absl::string_view list, absl::string_view etag) {
  for (absl::string_view one : absl::StrSplit(list, ',')) {
    one = absl::StripAsciiWhitespace(one);
    if (one == "*" || absl::StripPrefix(one, "W/") == etag) return true;
  }
  return false;
}

class HttpSession;

// The function behind a Responder: answers once, and with 500 if it is destroyed before.
class Reply {
 public:
  Reply(std::shared_ptr<Core> core, std::weak_ptr<HttpSession> session, uint64_t request)
      : core_(std::move(core)), session_(std::move(session)), request_(request) {}
  Reply(Reply&&) = default;
  Reply& operator=(Reply&&) = delete;
  ~Reply() {
    if (core_ != nullptr) {
      Deliver(ErrorResponse(absl::InternalError("the request was dropped without an answer")));
    }
  }
  void operator()(HttpResponse response) {
    if (core_ != nullptr) Deliver(std::move(response));
  }

 private:
  void Deliver(HttpResponse response);

  std::shared_ptr<Core> core_;  // null: answered, or moved from
  std::weak_ptr<HttpSession> session_;
  uint64_t request_;
};

class HttpSession final : public Connection, public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(const std::shared_ptr<Core>& core, StreamProtocol::socket socket, Peer peer)
      : core_(*core),
        weak_core_(core),
        peer_(std::move(peer)),
        stream_(std::move(socket)),
        buffer_(core->options.header_bytes_max + 4 * kReadBytes),
        response_timer_(core->io) {
    id_ = core_.Add(this, peer_);
  }
  ~HttpSession() override { core_.Remove(id_, peer_); }

  void Start() { NextRequest(); }

  void Shutdown(bool now) override {
    close_after_ = true;
    if (writing_ && !now) return;
    CloseSocket();
  }

  // Ignores an answer to a request that has timed out meanwhile.
  void OnReply(uint64_t request, HttpResponse response) {
    if (!waiting_ || request != request_number_) return;
    waiting_ = false;
    response_timer_.cancel();
    Respond(std::move(response));
  }

 private:
  static std::chrono::nanoseconds ToChrono(absl::Duration d) {
    return absl::ToChronoNanoseconds(d);
  }

  void CloseSocket() {
    waiting_ = false;
    response_timer_.cancel();
    stream_.close();
  }

  // --- Reading the head ---

  void NextRequest() {
    scanner_.Reset();
    scanned_ = 0;
    head_started_ = false;
    parser_.reset();
    stream_.expires_after(ToChrono(core_.options.idle_timeout));
    ScanHead();
  }

  void ReadHead() {
    stream_.async_read_some(buffer_.prepare(kReadBytes),
                            [self = shared_from_this()](error_code error, size_t bytes) {
                              if (error) return self->CloseSocket();
                              self->buffer_.commit(bytes);
                              self->ScanHead();
                            });
  }

  // Looks at the bytes that have come; the buffer may hold pipelined ones from before.
  void ScanHead() {
    // A client may end the body before with a stray CRLF (RFC 9112 2.2): skip one.
    const char* data = static_cast<const char*>(buffer_.data().data());
    if (scanned_ == 0 && buffer_.size() >= 2 && data[0] == '\r' && data[1] == '\n') {
      buffer_.consume(2);
    }
    const absl::string_view seen(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    if (scanned_ == 0 && seen == "\r") return ReadHead();
    const absl::string_view fresh =
        seen.substr(scanned_, core_.options.header_bytes_max - std::min(scanned_, HeadMax()));
    size_t consumed = 0;
    switch (scanner_.Feed(fresh, &consumed)) {
      case HeadScanner::State::kMalformed:
        return Refuse(PlainError(400, "INVALID_ARGUMENT",
                                 "malformed request head: lines end in CRLF and are not folded"));
      case HeadScanner::State::kComplete:
        return ParseHead(scanned_ + consumed);
      case HeadScanner::State::kMore:
        break;
    }
    scanned_ += fresh.size();
    if (scanned_ >= HeadMax()) {
      return Refuse(PlainError(431, "HEADERS_TOO_LARGE",
                               absl::StrCat("request head over ", HeadMax(), " bytes")));
    }
    if (!seen.empty() && !head_started_) {
      head_started_ = true;
      stream_.expires_after(ToChrono(core_.options.header_timeout));
    }
    ReadHead();
  }

  size_t HeadMax() const { return core_.options.header_bytes_max; }

  void ParseHead(size_t head_bytes) {
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(HeadMax() + 1));
    parser_->body_limit(core_.options.body_bytes_max);
    parser_->eager(false);
    error_code error;
    const size_t used = parser_->put(net::buffer(buffer_.data().data(), head_bytes), error);
    if (error == http::error::body_limit) return RefuseBody();
    if (error || !parser_->is_header_done()) {
      return Refuse(PlainError(400, "INVALID_ARGUMENT",
                               absl::StrCat("malformed request head: ", error.message())));
    }
    buffer_.consume(used);
    if (const auto refusal = CheckHead()) return Refuse(*refusal);
    ReadBodyOrDispatch();
  }

  // What Beast lets through and must not be acted on. Fills request_.
  std::optional<HttpResponse> CheckHead() {
    const auto& head = parser_->get();
    if (head.version() != 10 && head.version() != 11) {
      return PlainError(505, "INVALID_ARGUMENT", "HTTP/1.1 is spoken here");
    }
    if (head.count(http::field::host) > 1 ||
        (head.version() == 11 && head.count(http::field::host) != 1)) {
      return PlainError(400, "INVALID_ARGUMENT", "exactly one Host header is needed");
    }
    // Beast takes an unknown coding for "no body" and would read the body as the next request.
    if (head.count(http::field::transfer_encoding) > 0 &&
        (head.version() == 10 ||
         !beast::iequals(head[http::field::transfer_encoding], "chunked"))) {
      return PlainError(400, "INVALID_ARGUMENT", "the only Transfer-Encoding taken is chunked");
    }
    // Beast takes equal lengths, repeated or listed, for one; RFC 9112 6.3 lets us refuse them.
    const absl::string_view length = View(head[http::field::content_length]);
    if (head.count(http::field::content_length) > 1 ||
        !std::all_of(length.begin(), length.end(), absl::ascii_isdigit)) {
      return PlainError(400, "INVALID_ARGUMENT", "one Content-Length of digits is taken");
    }
    const absl::string_view expect = View(head[http::field::expect]);
    if (!expect.empty() && !absl::EqualsIgnoreCase(expect, "100-continue")) {
      return PlainError(417, "INVALID_ARGUMENT", "the only Expect taken is 100-continue");
    }
    absl::StatusOr<Target> target = ParseTarget(View(head.target()));
    if (!target.ok()) return ErrorResponse(target.status());
    segments_ = std::move(target->segments);
    request_ = HttpRequest();
    request_.method = std::string(head.method_string());
    request_.path = std::move(target->path);
    request_.query = std::move(target->query);
    request_.local = peer_.local;
    request_.peer = peer_.address;
    for (const auto& field : head) {
      std::string& value = request_.headers[absl::AsciiStrToLower(View(field.name_string()))];
      if (!value.empty()) value += ", ";
      value.append(field.value().data(), field.value().size());
    }
    return CheckOrigin();
  }

  std::optional<HttpResponse> CheckOrigin() const {
    if (peer_.local) return std::nullopt;
    const auto& head = parser_->get();
    const absl::string_view host = View(head[http::field::host]);
    // Only an HTTP/1.0 program comes without a Host; a browser always sends it.
    if (head.count(http::field::host) > 0 &&
        !HostAllowed(host, core_.options.address, core_.options.allowed_origins)) {
      return PlainError(421, "PERMISSION_DENIED",
                        "unknown Host name; if it is a proxy of yours, add its origin to the "
                        "allowed origins");
    }
    const bool changes = head.method() != http::verb::get && head.method() != http::verb::head;
    const bool upgrade = beast::websocket::is_upgrade(head);
    if ((changes || upgrade) && head.count(http::field::origin) > 0 &&
        !OriginAllowed(View(head[http::field::origin]), host, core_.options.allowed_origins)) {
      return PlainError(403, "PERMISSION_DENIED",
                        "foreign Origin; if it is a site of yours, add it to the allowed origins");
    }
    return std::nullopt;
  }

  // --- Reading the body ---

  void ReadBodyOrDispatch() {
    if (parser_->is_done()) return Dispatch();
    body_mark_ = 0;
    stream_.expires_after(kBodyDeadline);
    if (parser_->get().count(http::field::expect) == 0 || parser_->get().version() == 10) {
      return ReadBody();
    }
    net::async_write(stream_, net::buffer(kContinue.data(), kContinue.size()),
                     [self = shared_from_this()](error_code error, size_t) {
                       if (error) return self->CloseSocket();
                       self->ReadBody();
                     });
  }

  void ReadBody() {
    http::async_read_some(
        stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, size_t bytes) {
          if (error == http::error::body_limit) return self->RefuseBody();
          if (error.category() == http::make_error_code(http::error::bad_chunk).category() &&
              error != http::error::end_of_stream && error != http::error::partial_message) {
            return self->Refuse(
                PlainError(400, "INVALID_ARGUMENT",
                           absl::StrCat("malformed request body: ", error.message())));
          }
          if (error) return self->CloseSocket();
          if (self->parser_->is_done()) return self->Dispatch();
          self->body_mark_ += bytes;
          if (self->body_mark_ >= kBodyBytesPerDeadline) {
            self->body_mark_ = 0;
            self->stream_.expires_after(kBodyDeadline);
          }
          self->ReadBody();
        });
  }

  void RefuseBody() {
    Refuse(PlainError(413, "PAYLOAD_TOO_LARGE",
                      absl::StrCat("request body over ", core_.options.body_bytes_max, " bytes")));
  }

  // --- Dispatch ---

  void Dispatch() {
    core_.requests.fetch_add(1, std::memory_order_relaxed);
    keep_alive_ = parser_->get().keep_alive();
    head_only_ = parser_->get().method() == http::verb::head;
    request_.body = std::move(parser_->get().body());
    stream_.expires_never();
    for (const Core::WebSocketRoute& route : core_.websocket_routes) {
      if (auto captures = route.pattern.Match(segments_)) {
        request_.captures = *std::move(captures);
        return Upgrade(route.handler);
      }
    }
    const Core::HttpRoute* best = nullptr;
    std::vector<std::string> methods;
    for (const Core::HttpRoute& route : core_.routes) {
      auto captures = route.pattern.Match(segments_);
      if (!captures) continue;
      methods.push_back(route.method);
      if (route.method != request_.method && !(head_only_ && route.method == "GET")) continue;
      if (best != nullptr && best->pattern.literal_bytes() >= route.pattern.literal_bytes())
        continue;
      best = &route;
      request_.captures = *std::move(captures);
    }
    if (best != nullptr) return Call(best->handler);
    if (const Page* page = FindPage(request_.path)) {
      if (head_only_ || request_.method == "GET") return RespondPage(*page);
      methods.push_back("GET");
    }
    if (methods.empty()) {
      return Respond(ErrorResponse(absl::NotFoundError("no such path; docs/API.md lists them")));
    }
    HttpResponse refusal = PlainError(405, "METHOD_NOT_ALLOWED", "not with this method");
    refusal.headers["Allow"] = absl::StrJoin(methods, ", ");
    Respond(std::move(refusal));
  }

  void Call(const HttpHandler& handler) {
    waiting_ = true;
    const uint64_t number = ++request_number_;
    // An import over the control socket may take hours; whoever asked waits for its report.
    response_timer_.expires_after(
        ToChrono(peer_.local ? absl::Hours(24) : core_.options.response_timeout));
    response_timer_.async_wait([self = shared_from_this(), number](error_code error) {
      if (error) return;
      self->OnReply(number, ErrorResponse(absl::UnavailableError(
                                "the dialer did not answer in time; it may have acted")));
    });
    const std::string path = request_.path;
    try {
      handler(std::move(request_), Reply(weak_core_.lock(), weak_from_this(), number));
    } catch (const std::exception& e) {
      core_.log.Error("api.handler_exception", {{"path", path}, {"what", e.what()}});
    } catch (...) {
      core_.log.Error("api.handler_exception", {{"path", path}});
    }
    // After an exception the Responder is gone, and its destructor has sent 500.
  }

  void RespondPage(const Page& page) {
    HttpResponse response;
    const auto condition = request_.headers.find("if-none-match");
    if (condition != request_.headers.end() && EtagListed(condition->second, page.etag)) {
      response.status = 304;
    } else {
      response.body = std::string(page.body);
    }
    response.content_type = std::string(page.content_type);
    response.headers["ETag"] = std::string(page.etag);
    response.headers["Cache-Control"] = "no-cache";  // ask each time; 304 is the usual answer
    Respond(std::move(response));
  }

  void Upgrade(const WebSocketHandler& handler) {
    if (!beast::websocket::is_upgrade(parser_->get())) {
      HttpResponse refusal = PlainError(426, "FAILED_PRECONDITION", "a WebSocket lives here");
      refusal.headers["Upgrade"] = "websocket";
      return Respond(std::move(refusal));
    }
    // A client speaks only after the 101; bytes before it are somebody's second request.
    if (buffer_.size() > 0 || !request_.body.empty()) {
      return Refuse(PlainError(400, "INVALID_ARGUMENT", "bytes after a WebSocket upgrade"));
    }
    absl::Status verdict;
    try {
      if (handler.on_accept) verdict = handler.on_accept(request_);
    } catch (const std::exception& e) {
      core_.log.Error("api.handler_exception", {{"path", request_.path}, {"what", e.what()}});
      verdict = absl::InternalError("the request failed");
    }
    if (!verdict.ok()) return Respond(ErrorResponse(verdict));
    StartWebSocketSession(weak_core_.lock(), stream_.release_socket(), peer_, handler,
                          std::move(request_), parser_->release());
  }

  // --- Writing ---

  // Answers what cannot be trusted any more: nothing that follows on this connection is read.
  void Refuse(HttpResponse response) {
    core_.requests_refused.fetch_add(1, std::memory_order_relaxed);
    close_after_ = true;
    linger_ = true;
    if (parser_.has_value()) head_only_ = parser_->get().method() == http::verb::head;
    Respond(std::move(response));
  }

  void Respond(HttpResponse response) {
    if (response.status < 200 || response.status > 599) {
      response = ErrorResponse(absl::InternalError("handler answered with an unknown status"));
    }
    response_.emplace();
    response_->version(11);
    response_->result(static_cast<unsigned>(response.status));
    for (const FixedHeader& header : kSecurityHeaders) response_->set(header.name, header.value);
    response_->set(http::field::cache_control, "no-store");
    for (const auto& [name, value] : response.headers) {
      if (!name.empty() && SafeHeader(name) && SafeHeader(value)) response_->set(name, value);
    }
    const bool no_body = response.status == 204 || response.status == 304;
    if (!no_body) {
      if (SafeHeader(response.content_type)) {
        response_->set(http::field::content_type, response.content_type);
      }
      response_->content_length(response.body.size());
    }
    const bool keep = keep_alive_ && !close_after_ && !core_.stopping;
    close_after_ = !keep;
    response_->keep_alive(keep);
    if (!no_body && !head_only_) response_->body() = std::move(response.body);
    serializer_.emplace(*response_);
    serializer_->split(head_only_ || no_body);
    writing_ = true;
    Write();
  }

  // Step by step, so that the deadline is for progress and a long answer over a slow line passes.
  void Write() {
    stream_.expires_after(ToChrono(core_.options.write_timeout));
    http::async_write_some(stream_, *serializer_,
                           [self = shared_from_this()](error_code error, size_t) {
                             if (error) return self->CloseSocket();
                             const bool header_only = self->serializer_->split();
                             if (self->serializer_->is_done() ||
                                 (header_only && self->serializer_->is_header_done())) {
                               return self->OnWritten();
                             }
                             self->Write();
                           });
  }

  void OnWritten() {
    writing_ = false;
    serializer_.reset();
    response_.reset();
    if (!close_after_) return NextRequest();
    if (!linger_) return CloseSocket();
    error_code ignored;
    stream_.socket().shutdown(StreamProtocol::socket::shutdown_send, ignored);
    stream_.expires_after(kLingerTime);
    buffer_.clear();
    Linger();
  }

  // Closing with unread bytes makes the kernel send RST, which may overtake our answer: read on for
  // a moment and forget what comes.
  void Linger() {
    stream_.async_read_some(buffer_.prepare(kReadBytes),
                            [self = shared_from_this()](error_code error, size_t bytes) {
                              self->lingered_ += bytes;
                              if (error || self->lingered_ > kLingerBytesMax) {
                                return self->CloseSocket();
                              }
                              self->Linger();
                            });
  }

  Core& core_;
  const std::weak_ptr<Core> weak_core_;
  const Peer peer_;
  SocketStream stream_;
  beast::flat_buffer buffer_;
  net::steady_timer response_timer_;
  uint64_t id_ = 0;

  HeadScanner scanner_;
  size_t scanned_ = 0;
  bool head_started_ = false;
  std::optional<http::request_parser<http::string_body>> parser_;
  size_t body_mark_ = 0;
  size_t lingered_ = 0;

  HttpRequest request_;
  std::vector<std::string> segments_;
  uint64_t request_number_ = 0;
  bool waiting_ = false;  // for the handler's answer

  std::optional<http::response<http::string_body>> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  bool keep_alive_ = false;
  bool head_only_ = false;
  bool close_after_ = false;
  bool linger_ = false;
  bool writing_ = false;
};

void Reply::Deliver(HttpResponse response) {
  const std::shared_ptr<Core> core = std::move(core_);
  core_ = nullptr;
  core->Post([weak = session_, request = request_, answer = std::move(response)]() mutable {
    if (auto session = weak.lock()) session->OnReply(request, std::move(answer));
  });
}

}  // namespace

void StartHttpSession(const std::shared_ptr<Core>& core, StreamProtocol::socket socket, Peer peer) {
  std::make_shared<HttpSession>(core, std::move(socket), std::move(peer))->Start();
}

}  // namespace outpace::api
