#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/api/http_client.h"
#include "engine/api/http_server.h"
#include "engine/base/check.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/api/raw_socket.h"

namespace outpace::api {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Waits for things that other threads tell.
class Diary {
 public:
  void Write(std::string line) {
    std::lock_guard<std::mutex> lock(mutex_);
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  bool WaitFor(const std::string& line, int times = 1) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10),
                             [&] { return CountLocked(line) >= times; });
  }
  int Count(const std::string& line) {
    std::lock_guard<std::mutex> lock(mutex_);
    return CountLocked(line);
  }
  std::vector<std::string> lines() {
    std::lock_guard<std::mutex> lock(mutex_);
    return lines_;
  }

 private:
  int CountLocked(const std::string& line) const {
    return static_cast<int>(std::count(lines_.begin(), lines_.end(), line));
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

class WebSocketTest : public ::testing::Test {
 protected:
  void StartServer(ServerOptions options = {}) {
    auto server = HttpServer::Create(options, log_);
    OUTPACE_CHECK(server.ok());
    server_ = *std::move(server);
    WebSocketHandler handler;
    handler.on_accept = [](const HttpRequest& request) -> absl::Status {
      const auto token = request.query.find("token");
      if (token == request.query.end() || token->second == "good") return absl::OkStatus();
      return absl::UnauthenticatedError("log in again");
    };
    handler.on_open = [this](std::shared_ptr<WebSocket> socket, const HttpRequest& request) {
      {
        std::lock_guard<std::mutex> lock(mutex_);
        sockets_[socket->id()] = socket;
      }
      server_diary_.Write(absl::StrCat("open ", request.path));
    };
    handler.on_text = [this](const std::shared_ptr<WebSocket>& socket, const std::string& said) {
      const absl::string_view text = said;
      if (text == "close me") {
        socket->Close();
      } else if (text == "throw") {
        throw std::runtime_error("a mistake of ours");
      } else if (text == "block") {
        server_diary_.Write("blocked");
        std::unique_lock<std::mutex> lock(mutex_);
        unblocked_.wait(lock, [this] { return unblock_; });
      } else {
        socket->Send(std::make_shared<const std::string>(absl::StrCat("echo ", text)));
      }
    };
    handler.on_close = [this](const std::shared_ptr<WebSocket>& socket) {
      server_diary_.Write("close");
      socket->Send(std::make_shared<const std::string>("to nobody"));
    };
    server_->RouteWebSocket("/events", handler);
    server_->Start();
  }

  std::string Url(absl::string_view target = "/events") const {
    return absl::StrCat("ws://127.0.0.1:", server_->port(), target);
  }

  std::unique_ptr<WebSocketClient> Connect(const std::string& url) {
    WebSocketClient::Callbacks callbacks;
    callbacks.on_open = [this] { client_diary_.Write("open"); };
    callbacks.on_text = [this](std::string text) { client_diary_.Write(text); };
    callbacks.on_close = [this](absl::Status why) {
      client_diary_.Write("close");
      client_diary_.Write(absl::StatusCodeToString(why.code()));
    };
    return WebSocketClient::Connect(url, callbacks);
  }

  std::shared_ptr<WebSocket> OnlySocket() {
    std::lock_guard<std::mutex> lock(mutex_);
    OUTPACE_CHECK(sockets_.size() == 1);
    return sockets_.begin()->second;
  }

  // A WebSocket opened by hand; `extra` are further header lines.
  std::unique_ptr<RawSocket> OpenRaw(absl::string_view extra, int receive_buffer = 0) {
    auto socket = std::make_unique<RawSocket>(server_->port(), receive_buffer);
    EXPECT_TRUE(socket->Send(absl::StrCat(
        "GET /events HTTP/1.1\r\nHost: localhost:", server_->port(),
        "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        extra, "\r\n")));
    answer_ = socket->ReadUntil("\r\n\r\n");
    return socket;
  }

  // A client's frame: masked with zeros, which is a mask like any other.
  static std::string Frame(int first_byte, absl::string_view payload) {
    std::string frame(1, static_cast<char>(first_byte));
    if (payload.size() < 126) {
      frame.push_back(static_cast<char>(0x80 | payload.size()));
    } else {
      const bool is_short = payload.size() < 65536;
      frame.push_back(static_cast<char>(0x80 | (is_short ? 126 : 127)));
      for (int shift = is_short ? 8 : 56; shift >= 0; shift -= 8) {
        frame.push_back(static_cast<char>(payload.size() >> shift & 0xff));
      }
    }
    frame.append(4, '\0');
    frame.append(payload.data(), payload.size());
    return frame;
  }

  NullLog log_;
  Diary server_diary_;
  Diary client_diary_;
  std::mutex mutex_;
  std::condition_variable unblocked_;
  bool unblock_ = false;
  std::map<uint64_t, std::shared_ptr<WebSocket>> sockets_;
  std::string answer_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(WebSocketTest, EchoesAndClosesOnceFromTheClientsSide) {
  StartServer();
  auto client = Connect(Url("/events?token=good"));
  client->Send("before the opening");
  ASSERT_TRUE(client_diary_.WaitFor("echo before the opening"));
  client->Send("after");
  ASSERT_TRUE(client_diary_.WaitFor("echo after"));
  EXPECT_EQ(server_->stats().websockets_open, 1u);
  client.reset();
  EXPECT_EQ(client_diary_.lines(), (std::vector<std::string>{"open", "echo before the opening",
                                                             "echo after", "close", "CANCELLED"}));
  ASSERT_TRUE(server_diary_.WaitFor("close"));
  server_->Stop();
  EXPECT_EQ(server_diary_.Count("close"), 1);
  EXPECT_EQ(server_->stats().websockets_open, 0u);
}

TEST_F(WebSocketTest, ServerCloses) {
  StartServer();
  auto client = Connect(Url());
  client->Send("close me");
  ASSERT_TRUE(client_diary_.WaitFor("UNAVAILABLE"));
  ASSERT_TRUE(server_diary_.WaitFor("close"));
  client.reset();
  server_->Stop();
  EXPECT_EQ(server_diary_.Count("close"), 1);
  EXPECT_EQ(client_diary_.Count("close"), 1);
}

TEST_F(WebSocketTest, AnExceptionEndsTheSocketAndNotTheServer) {
  StartServer();
  auto client = Connect(Url());
  client->Send("throw");
  ASSERT_TRUE(client_diary_.WaitFor("close"));
  auto second = Connect(Url());
  second->Send("still there");
  EXPECT_TRUE(client_diary_.WaitFor("echo still there"));
}

TEST_F(WebSocketTest, AVanishedClientIsClosedOnce) {
  StartServer();
  OpenRaw("").reset();
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 101"));
  ASSERT_TRUE(server_diary_.WaitFor("close"));
  server_->Stop();
  EXPECT_EQ(server_diary_.Count("close"), 1);
}

TEST_F(WebSocketTest, StopClosesEachSocketOnce) {
  StartServer();
  auto one = Connect(Url());
  auto two = Connect(Url());
  auto deaf = OpenRaw("");  // never answers the close frame
  ASSERT_TRUE(server_diary_.WaitFor("open /events", 3));
  const auto begin = std::chrono::steady_clock::now();
  server_->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_EQ(server_diary_.Count("close"), 3);
  EXPECT_TRUE(client_diary_.WaitFor("UNAVAILABLE", 2));
  // A handle that is kept beyond the server's life does nothing.
  const auto kept = sockets_.begin()->second;
  server_.reset();
  kept->Send(std::make_shared<const std::string>("to nobody"));
  kept->Close();
}

TEST_F(WebSocketTest, RefusalsCarryTheirStatus) {
  StartServer();
  auto refused = Connect(Url("/events?token=bad"));
  EXPECT_TRUE(client_diary_.WaitFor("UNAUTHENTICATED"));
  auto absent = Connect(Url("/elsewhere"));
  EXPECT_TRUE(client_diary_.WaitFor("NOT_FOUND"));
  EXPECT_EQ(client_diary_.Count("open"), 0);
  const auto plain = HttpClient::Create(absl::StrCat("http://127.0.0.1:", server_->port()));
  EXPECT_EQ(plain->Send("GET", "/events")->status, 426);
  EXPECT_TRUE(server_diary_.lines().empty());
}

TEST_F(WebSocketTest, OnlyBrowsersOfTheSameOriginComeIn) {
  StartServer({.allowed_origins = {"https://dialer.example.com"}});
  OpenRaw(absl::StrCat("Origin: http://localhost:", server_->port(), "\r\n"));
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 101"));
  EXPECT_THAT(answer_, HasSubstr("X-Content-Type-Options: nosniff"));
  OpenRaw("Origin: https://dialer.example.com\r\n");
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 101"));
  OpenRaw("");  // no browser
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 101"));
  for (const char* origin : {"http://evil.example", "null", "http://localhost", "file://", ""}) {
    OpenRaw(absl::StrCat("Origin: ", origin, "\r\n"));
    EXPECT_THAT(answer_, StartsWith("HTTP/1.1 403")) << origin;
  }
}

TEST_F(WebSocketTest, ASlowReaderIsDroppedAndTheOthersAreServed) {
  StartServer();
  size_t bytes_sent = 0;
  auto slow = OpenRaw("", 4096);
  ASSERT_TRUE(server_diary_.WaitFor("open /events"));
  const std::shared_ptr<WebSocket> socket = OnlySocket();
  auto client = Connect(Url());
  ASSERT_TRUE(server_diary_.WaitFor("open /events", 2));
  // The kernel takes some megabytes before anything waits in our queue; then 1 MiB may wait. The
  // echo to the other client says that the server's thread keeps up.
  const auto event = std::make_shared<const std::string>(60'000, 'x');
  for (int i = 0; i < 1000 && server_diary_.Count("close") == 0; ++i) {
    socket->Send(event);
    client->Send(absl::StrCat(i));
    ASSERT_TRUE(client_diary_.WaitFor(absl::StrCat("echo ", i)));
    bytes_sent += event->size();
  }
  ASSERT_TRUE(server_diary_.WaitFor("close"));
  EXPECT_EQ(server_->stats().slow_clients_dropped, 1u);
  EXPECT_GT(bytes_sent, size_t{1} << 20);
  client->Send("others");
  EXPECT_TRUE(client_diary_.WaitFor("echo others"));
  EXPECT_EQ(server_diary_.Count("close"), 1);
}

TEST_F(WebSocketTest, SendsFromManyThreadsArriveWholeAndInEachThreadsOrder) {
  StartServer();
  auto client = Connect(Url());
  ASSERT_TRUE(server_diary_.WaitFor("open /events"));
  const auto socket = OnlySocket();
  std::vector<std::thread> senders;
  for (int t = 0; t < 4; ++t) {
    senders.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        socket->Send(std::make_shared<const std::string>(absl::StrCat(t, ":", i)));
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  for (int t = 0; t < 4; ++t) ASSERT_TRUE(client_diary_.WaitFor(absl::StrCat(t, ":499")));
  std::map<char, int> next;
  for (const std::string& line : client_diary_.lines()) {
    if (line == "open") continue;
    EXPECT_EQ(line.substr(2), absl::StrCat(next[line[0]]++));
  }
}

struct BadFrames {
  const char* name;
  std::string bytes;
  int close_code;  // 0: any
};

TEST_F(WebSocketTest, ClosesOnFramesThatBreakTheProtocol) {
  StartServer();
  std::string unmasked = "\x81\x02hi";
  const std::vector<BadFrames> attacks = {
      {"unmasked", unmasked, 1002},
      {"reserved bit 1 without deflate", Frame(0x81 | 0x40, "hi"), 1002},
      {"reserved bit 2", Frame(0x81 | 0x20, "hi"), 1002},
      {"reserved opcode", Frame(0x83, "hi"), 1002},
      {"reserved control opcode", Frame(0x8b, "hi"), 1002},
      {"continuation of nothing", Frame(0x80, "hi"), 1002},
      {"text inside a fragmented text", Frame(0x01, "a") + Frame(0x81, "b"), 1002},
      {"fragmented ping", Frame(0x09, "a"), 1002},
      {"ping over 125 bytes", Frame(0x89, std::string(126, 'x')), 1002},
      {"close with one byte", Frame(0x88, "x"), 1002},
      {"close with a reserved code", Frame(0x88, absl::string_view("\x03\xed", 2)), 1002},
      {"bad UTF-8", Frame(0x81, "\xc3\x28"), 1007},
      {"UTF-8 surrogate", Frame(0x81, "\xed\xa0\x80"), 1007},
      {"bad UTF-8 over fragments", Frame(0x01, "\xc3") + Frame(0x80, "\x28"), 1007},
      {"64 KiB + 1", Frame(0x81, std::string((64 << 10) + 1, 'x')), 1009},
      {"64 KiB + 1 over fragments",
       Frame(0x01, std::string(40'000, 'x')) + Frame(0x00, std::string(40'000, 'x')), 1009},
      {"length over 63 bits", std::string("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14),
       0},
      {"binary", Frame(0x82, "hi"), 1003},
  };
  int opened = 0;
  for (const BadFrames& attack : attacks) {
    SCOPED_TRACE(attack.name);
    auto socket = OpenRaw("");
    socket->Forget();
    socket->Send(attack.bytes);
    bool closed = false;
    const std::string answer = socket->ReadToEnd(&closed);
    EXPECT_TRUE(closed);
    if (attack.close_code != 0) {
      ASSERT_GE(answer.size(), 4u);
      EXPECT_EQ(static_cast<unsigned char>(answer[0]), 0x88);
      EXPECT_EQ(static_cast<unsigned char>(answer[2]) * 256 + static_cast<unsigned char>(answer[3]),
                attack.close_code);
    }
    socket.reset();
    ASSERT_TRUE(server_diary_.WaitFor("close", ++opened));
  }
  server_->Stop();
  EXPECT_EQ(server_diary_.Count("close"), opened);
}

TEST_F(WebSocketTest, TakesFragmentsPingsAndAMessageAtTheLimit) {
  StartServer();
  auto socket = OpenRaw("");
  socket->Forget();
  ASSERT_TRUE(socket->Send(Frame(0x01, "fr") + Frame(0x89, "are you there") + Frame(0x80, "ag")));
  const std::string answer = socket->ReadUntil("echo frag");
  EXPECT_THAT(answer, HasSubstr("\x8a\x0d"
                                "are you there"));
  EXPECT_THAT(answer, HasSubstr("\x81\x09"
                                "echo frag"));
  ASSERT_TRUE(socket->Send(Frame(0x81, std::string(64 << 10, 'x'))));
  EXPECT_THAT(socket->ReadUntil(std::string(64 << 10, 'x')), HasSubstr("echo xxx"));
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(socket->Send(Frame(0x89, "")));
  ASSERT_TRUE(socket->Send(Frame(0x81, "after the flood")));
  EXPECT_THAT(socket->ReadUntil("echo after the flood"), HasSubstr("echo after the flood"));
}

TEST_F(WebSocketTest, NoBytesMayFollowTheUpgradeRequest) {
  StartServer();
  RawSocket socket(server_->port());
  ASSERT_TRUE(socket.Send(
      "GET /events HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
      "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  bool closed = false;
  EXPECT_THAT(socket.ReadToEnd(&closed), StartsWith("HTTP/1.1 400"));
  EXPECT_TRUE(closed);
}

TEST_F(WebSocketTest, ADeadPeerIsFoundByPings) {
  StartServer({.idle_timeout = absl::Milliseconds(200)});
  auto dead = OpenRaw("");  // reads nothing, answers no ping
  auto alive = Connect(Url());
  ASSERT_TRUE(server_diary_.WaitFor("open /events", 2));
  ASSERT_TRUE(server_diary_.WaitFor("close"));
  alive->Send("still here");
  EXPECT_TRUE(client_diary_.WaitFor("echo still here"));
  EXPECT_EQ(server_diary_.Count("close"), 1);
}

TEST_F(WebSocketTest, TheClientEndsPromptlyThoughThePeerIsDead) {
  StartServer();
  auto client = Connect(Url());
  client->Send("block");  // the server's thread stands still from now on
  ASSERT_TRUE(server_diary_.WaitFor("blocked"));
  auto never_opened = Connect(Url());
  const auto begin = std::chrono::steady_clock::now();
  client.reset();
  never_opened.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  EXPECT_EQ(client_diary_.Count("CANCELLED"), 2);
  std::lock_guard<std::mutex> lock(mutex_);
  unblock_ = true;
  unblocked_.notify_all();
}

TEST_F(WebSocketTest, TheClientSaysWhyItNeverOpened) {
  StartServer();
  const std::string url = Url();
  server_->Stop();
  auto refused = Connect(url);
  EXPECT_TRUE(client_diary_.WaitFor("UNAVAILABLE"));
  auto bad = Connect("wss://127.0.0.1/");
  EXPECT_TRUE(client_diary_.WaitFor("INVALID_ARGUMENT"));
  EXPECT_EQ(client_diary_.Count("close"), 2);
}

}  // namespace
}  // namespace outpace::api
