#include "engine/api/ws_session.h"

#include <deque>
#include <exception>
#include <string>

#include "boost/asio/steady_timer.hpp"
#include "boost/beast/core/buffers_to_string.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/websocket.hpp"
#include "engine/base/check.h"

namespace outpace::api {
namespace {

namespace websocket = beast::websocket;
using beast::error_code;
using Text = std::shared_ptr<const std::string>;

constexpr std::chrono::milliseconds kCloseGrace{500};

// What a waiting text is counted as: its bytes and its place in the queue, so that a flood of tiny
// texts is bounded as well.
size_t Weight(const std::string& text) { return text.size() + 64; }

class WebSocketSession;

// What the handlers hold. It counts the bytes that wait, on the sender's side, so that a server
// thread which is behind bounds them too.
class WebSocketHandle final : public WebSocket,
                              public std::enable_shared_from_this<WebSocketHandle> {
 public:
  WebSocketHandle(std::shared_ptr<Core> core, std::weak_ptr<WebSocketSession> session, uint64_t id)
      : core_(std::move(core)), session_(std::move(session)), id_(id) {}

  void Send(Text text) override;
  void Close() override;
  uint64_t id() const override { return id_; }

  void OnWritten(size_t bytes) { waiting_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
  const std::shared_ptr<Core> core_;
  const std::weak_ptr<WebSocketSession> session_;
  const uint64_t id_;
  std::atomic<size_t> waiting_{0};
  std::atomic<bool> dropped_{false};
};

class WebSocketSession final : public Connection,
                               public std::enable_shared_from_this<WebSocketSession> {
 public:
  WebSocketSession(const std::shared_ptr<Core>& core, StreamProtocol::socket socket, Peer peer,
                   const WebSocketHandler& handler, HttpRequest request,
                   beast::http::request<beast::http::string_body> head)
      : core_(*core),
        peer_(std::move(peer)),
        handler_(handler),
        request_(std::move(request)),
        head_(std::move(head)),
        stream_(std::move(socket)),
        close_timer_(core->io) {
    id_ = core_.Add(this, peer_);
  }
  ~WebSocketSession() override { core_.Remove(id_, peer_); }

  void Start(const std::shared_ptr<Core>& core) {
    handle_ = std::make_shared<WebSocketHandle>(core, weak_from_this(), id_);
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = ToChrono(core_.options.header_timeout);
    timeout.idle_timeout = ToChrono(core_.options.idle_timeout);
    timeout.keep_alive_pings = true;  // a live peer answers; a dead one is closed at idle_timeout
    stream_.set_option(timeout);
    websocket::permessage_deflate deflate;
    deflate.server_enable = false;  // over 100 KiB a client, and a bomb's best friend
    stream_.set_option(deflate);
    stream_.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
      for (const FixedHeader& header : kSecurityHeaders) response.set(header.name, header.value);
    }));
    stream_.read_message_max(core_.options.websocket_message_bytes_max);
    stream_.auto_fragment(false);
    stream_.text(true);
    stream_.async_accept(head_, [self = shared_from_this()](error_code error) {
      if (!error) self->OnOpen();
    });
  }

  void Shutdown(bool now) override {
    if (now || !open_) {
      CloseSocket();
    } else {
      BeginClose(websocket::close_code::going_away);
    }
  }

  void Enqueue(Text text) {
    if (!open_ || closing_) {
      handle_->OnWritten(Weight(*text));
      return;
    }
    queue_.push_back(std::move(text));
    if (queue_.size() == 1) Write();
  }

  void BeginClose(websocket::close_code code) {
    if (closing_) return;
    closing_ = true;
    // The close frame waits behind the frame being written, and the peer may never read that one.
    close_timer_.expires_after(kCloseGrace);
    close_timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->CloseSocket();
    });
    stream_.async_close(code, [self = shared_from_this()](error_code) { self->CloseSocket(); });
  }

  // Slow reader: a close frame would wait behind the megabyte it does not read.
  void Drop() {
    core_.slow_clients_dropped.fetch_add(1, std::memory_order_relaxed);
    core_.log.Warning("api.slow_client_dropped", {{"socket", id_}});
    closing_ = true;
    CloseSocket();
  }

 private:
  static std::chrono::nanoseconds ToChrono(absl::Duration d) {
    return absl::ToChronoNanoseconds(d);
  }

  void CloseSocket() {
    close_timer_.cancel();
    beast::get_lowest_layer(stream_).close();
  }

  // Calls into the owner's code; an exception there ends this socket, never the server.
  template <typename Call>
  void Guard(Call call) {
    try {
      call();
    } catch (const std::exception& e) {
      core_.log.Error("api.handler_exception", {{"path", request_.path}, {"what", e.what()}});
      BeginClose(websocket::close_code::internal_error);
    } catch (...) {
      core_.log.Error("api.handler_exception", {{"path", request_.path}});
      BeginClose(websocket::close_code::internal_error);
    }
  }

  void OnOpen() {
    open_ = true;
    core_.websockets_open.fetch_add(1, std::memory_order_relaxed);
    if (core_.stopping) BeginClose(websocket::close_code::going_away);
    Guard([this] {
      if (handler_.on_open) handler_.on_open(handle_, request_);
    });
    Read();
  }

  void Read() {
    stream_.async_read(buffer_, [self = shared_from_this()](error_code error, size_t) {
      if (error) {
        self->OnEnd();
      } else {
        self->OnMessage();
      }
    });
  }

  void OnMessage() {
    if (!stream_.got_text()) {
      BeginClose(websocket::close_code::unknown_data);
    } else if (!closing_) {
      Guard([this] {
        if (handler_.on_text) handler_.on_text(handle_, beast::buffers_to_string(buffer_.data()));
      });
    }
    buffer_.consume(buffer_.size());
    Read();
  }

  void Write() {
    stream_.async_write(net::buffer(*queue_.front()),
                        [self = shared_from_this()](error_code error, size_t) {
                          self->handle_->OnWritten(Weight(*self->queue_.front()));
                          self->queue_.pop_front();
                          if (error) {
                            self->CloseSocket();
                          } else if (!self->queue_.empty() && !self->closing_) {
                            self->Write();
                          }
                        });
  }

  // The read loop ends however the socket ends, so this runs exactly once after OnOpen().
  void OnEnd() {
    open_ = false;
    closing_ = true;
    CloseSocket();
    core_.websockets_open.fetch_sub(1, std::memory_order_relaxed);
    Guard([this] {
      if (handler_.on_close) handler_.on_close(handle_);
    });
  }

  Core& core_;
  const Peer peer_;
  const WebSocketHandler& handler_;
  const HttpRequest request_;
  const beast::http::request<beast::http::string_body> head_;
  websocket::stream<SocketStream> stream_;
  net::steady_timer close_timer_;
  beast::flat_buffer buffer_;
  std::deque<Text> queue_;
  std::shared_ptr<WebSocketHandle> handle_;
  uint64_t id_ = 0;
  bool open_ = false;
  bool closing_ = false;
};

void WebSocketHandle::Send(Text text) {
  OUTPACE_CHECK(text != nullptr);
  if (dropped_.load(std::memory_order_relaxed)) return;
  const size_t bytes = Weight(*text);
  if (waiting_.fetch_add(bytes, std::memory_order_relaxed) + bytes >
      core_->options.websocket_queue_bytes_max) {
    if (dropped_.exchange(true)) return;
    core_->Post([weak = session_] {
      if (auto session = weak.lock()) session->Drop();
    });
    return;
  }
  core_->Post([weak = session_, message = std::move(text)]() mutable {
    if (auto session = weak.lock()) session->Enqueue(std::move(message));
  });
}

void WebSocketHandle::Close() {
  core_->Post([weak = session_] {
    if (auto session = weak.lock()) session->BeginClose(websocket::close_code::normal);
  });
}

}  // namespace

void StartWebSocketSession(const std::shared_ptr<Core>& core, StreamProtocol::socket socket,
                           Peer peer, const WebSocketHandler& handler, HttpRequest request,
                           beast::http::request<beast::http::string_body> head) {
  std::make_shared<WebSocketSession>(core, std::move(socket), std::move(peer), handler,
                                     std::move(request), std::move(head))
      ->Start(core);
}

}  // namespace outpace::api
