#include "engine/api/http_server.h"

#include <sys/stat.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/api/http_client.h"
#include "engine/base/check.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/api/raw_socket.h"

namespace outpace::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string TempDir() {
  std::string path = absl::StrCat(::testing::TempDir(), "/outpace_api_XXXXXX");
  OUTPACE_CHECK(mkdtemp(path.data()) != nullptr);
  return path;
}

size_t Count(absl::string_view text, absl::string_view what) {
  size_t n = 0;
  for (size_t at = text.find(what); at != absl::string_view::npos; at = text.find(what, at + 1))
    ++n;
  return n;
}

// A server with the routes the tests use.
class ServerTest : public ::testing::Test {
 protected:
  void StartServer(ServerOptions options = {}) {
    auto server = HttpServer::Create(options, log_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    server_->Route("GET", "/hello", [](HttpRequest, Responder reply) {
      HttpResponse response;
      response.body = R"({"hello":1})";
      reply(response);
    });
    server_->Route("POST", "/echo", [](HttpRequest request, Responder reply) {
      HttpResponse response;
      response.body = request.body;
      reply(response);
    });
    server_->Route("GET", "/list/{}/lead/{}", [](HttpRequest request, Responder reply) {
      HttpResponse response;
      response.body = absl::StrCat(request.captures[0], "|", request.captures[1]);
      reply(response);
    });
    server_->Route("GET", "/list/all/lead/{}", [](HttpRequest request, Responder reply) {
      HttpResponse response;
      response.body = absl::StrCat("all:", request.captures[0]);
      reply(response);
    });
    server_->Route("GET", "/query", [](HttpRequest request, Responder reply) {
      HttpResponse response;
      for (const auto& [name, value] : request.query) {
        absl::StrAppend(&response.body, name, "=", value, ";");
      }
      reply(response);
    });
    server_->Route("GET", "/who", [](HttpRequest request, Responder reply) {
      HttpResponse response;
      response.body = absl::StrCat(request.local ? "local" : "remote", " ", request.peer);
      reply(response);
    });
    server_->Route("GET", "/throws",
                   [](HttpRequest, Responder) { throw std::runtime_error("a mistake of ours"); });
    server_->Route("GET", "/drops", [](HttpRequest, Responder) {});
    server_->Route("GET", "/later", [this](HttpRequest, Responder reply) {
      std::lock_guard<std::mutex> lock(mutex_);
      later_.emplace(std::move(reply));
      changed_.notify_all();
    });
    server_->Start();
    client_ = HttpClient::Create(Url());
  }

  std::string Url() const { return absl::StrCat("http://127.0.0.1:", server_->port()); }

  // The Responder that /later kept.
  Responder TakeLater() {
    std::unique_lock<std::mutex> lock(mutex_);
    OUTPACE_CHECK(
        changed_.wait_for(lock, std::chrono::seconds(10), [&] { return later_.has_value(); }));
    Responder reply = *std::move(later_);
    later_.reset();
    return reply;
  }

  HttpResponse Get(absl::string_view target) {
    auto response = client_->Send("GET", target);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : HttpResponse{.status = 0};
  }

  NullLog log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Responder> later_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(ServerTest, RoutesCapturesAndTheLongestLiteralWins) {
  StartServer();
  EXPECT_EQ(Get("/hello").body, R"({"hello":1})");
  EXPECT_EQ(Get("/list/7/lead/9").body, "7|9");
  EXPECT_EQ(Get("/list/all/lead/9").body, "all:9");
  EXPECT_EQ(Get("/list/a%2Fb/lead/%C3%A9").body, "a/b|\xC3\xA9");
  EXPECT_EQ(Get("/list//lead/9").status, 404);
  EXPECT_EQ(Get("/list/7/lead/9/").status, 404);
}

TEST_F(ServerTest, DecodesTheQuery) {
  StartServer();
  EXPECT_EQ(Get("/query?token=a%3Db%26c&x=1+2&empty&x=second").body, "empty=;token=a=b&c;x=1 2;");
  EXPECT_EQ(Get("/query?x=%zz").status, 400);
}

TEST_F(ServerTest, TellsUnknownPathFromUnknownMethod) {
  StartServer();
  const HttpResponse absent = Get("/nowhere");
  EXPECT_EQ(absent.status, 404);
  EXPECT_THAT(absent.body, HasSubstr(R"("code":"NOT_FOUND")"));
  const auto wrong = client_->Send("DELETE", "/hello");
  ASSERT_TRUE(wrong.ok());
  EXPECT_EQ(wrong->status, 405);
  EXPECT_EQ(wrong->headers.at("allow"), "GET");
  EXPECT_THAT(wrong->body, HasSubstr(R"("error")"));
}

TEST_F(ServerTest, HeadHasTheLengthAndNoBody) {
  StartServer();
  const auto head = client_->Send("HEAD", "/hello");
  ASSERT_TRUE(head.ok()) << head.status();
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->headers.at("content-length"), "11");
  EXPECT_EQ(head->body, "");
  EXPECT_EQ(Get("/hello").body, R"({"hello":1})") << "the connection is still in step";
}

TEST_F(ServerTest, EveryAnswerCarriesTheSecurityHeaders) {
  StartServer();
  for (const char* target : {"/hello", "/nowhere", "/throws", "/"}) {
    SCOPED_TRACE(target);
    const HttpResponse response = Get(target);
    EXPECT_THAT(response.headers.at("content-security-policy"),
                StartsWith("default-src 'self'; connect-src 'self' ws: wss:"));
    EXPECT_EQ(response.headers.at("x-content-type-options"), "nosniff");
    EXPECT_EQ(response.headers.at("referrer-policy"), "no-referrer");
    EXPECT_EQ(response.headers.at("x-frame-options"), "DENY");
  }
  EXPECT_EQ(Get("/hello").headers.at("cache-control"), "no-store");
}

TEST_F(ServerTest, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  StartServer();
  RawSocket socket(server_->port());
  ASSERT_TRUE(socket.connected());
  std::string burst;
  for (int i = 0; i < 20; ++i) {
    absl::StrAppend(&burst, "GET /list/", i, "/lead/x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  absl::StrAppend(&burst, "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(socket.Send(burst));
  bool closed = false;
  const std::string answer = socket.ReadToEnd(&closed);
  EXPECT_TRUE(closed);
  EXPECT_EQ(Count(answer, "HTTP/1.1 200 OK"), 21u);
  size_t at = 0;
  for (int i = 0; i < 20; ++i) {
    const size_t next = answer.find(absl::StrCat("\r\n\r\n", i, "|x"));
    ASSERT_NE(next, std::string::npos) << i;
    EXPECT_GE(next, at);
    at = next;
  }
}

TEST_F(ServerTest, Http10ClosesUnlessAskedToKeep) {
  StartServer();
  RawSocket socket(server_->port());
  ASSERT_TRUE(socket.Send("GET /hello HTTP/1.0\r\n\r\n"));
  bool closed = false;
  EXPECT_THAT(socket.ReadToEnd(&closed), HasSubstr("200 OK"));
  EXPECT_TRUE(closed);
}

TEST_F(ServerTest, TakesAChunkedBodyAndExpectContinue) {
  StartServer();
  RawSocket socket(server_->port());
  ASSERT_TRUE(
      socket.Send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                  "Host2: b\r\n\r\n"))
      << "127.0.0.1 is needed as Host";
  EXPECT_THAT(socket.ReadUntil("421"), HasSubstr("421"));

  RawSocket good(server_->port());
  ASSERT_TRUE(
      good.Send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
                "Expect: 100-continue\r\n\r\n"));
  EXPECT_THAT(good.ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 100 Continue\r\n\r\n"));
  ASSERT_TRUE(good.Send("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
  EXPECT_THAT(good.ReadUntil("abcde"), HasSubstr("\r\n\r\nabcde"));
}

TEST_F(ServerTest, RefusesABodyOverTheLimit) {
  StartServer({.body_bytes_max = 1000});
  EXPECT_EQ(client_->Send("POST", "/echo", std::string(1000, 'x'))->body.size(), 1000u);
  auto over = client_->Send("POST", "/echo", std::string(200'000, 'x'));
  ASSERT_TRUE(over.ok()) << over.status();
  EXPECT_EQ(over->status, 413);

  RawSocket chunked(server_->port());
  ASSERT_TRUE(
      chunked.Send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
                   "\r\n400\r\n" +
                   std::string(1024, 'x') + "\r\n0\r\n\r\n"));
  bool closed = false;
  EXPECT_THAT(chunked.ReadToEnd(&closed), StartsWith("HTTP/1.1 413 "));
  EXPECT_TRUE(closed);
}

TEST_F(ServerTest, RefusesAHeadOverTheLimit) {
  StartServer();
  for (const size_t extra : {size_t{0}, size_t{1}}) {
    RawSocket socket(server_->port());
    const std::string begin = "GET /hello HTTP/1.1\r\nHost: localhost\r\nX: ";
    const std::string head =
        begin + std::string((8 << 10) - begin.size() - 4 + extra, 'x') + "\r\n\r\n";
    ASSERT_TRUE(socket.Send(head));
    const std::string answer = socket.ReadUntil("\r\n\r\n");
    EXPECT_THAT(answer, StartsWith(extra == 0 ? "HTTP/1.1 200" : "HTTP/1.1 431")) << head.size();
  }
  RawSocket many(server_->port());
  std::string flood = "GET /hello HTTP/1.1\r\nHost: localhost\r\n";
  for (int i = 0; i < 100'000; ++i) absl::StrAppend(&flood, "a", i, ": b\r\n");
  many.Send(flood + "\r\n");
  EXPECT_THAT(many.ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 431"));
}

struct Malformed {
  const char* name;
  std::string bytes;
};

// What two readers of one byte stream could understand differently. Each is followed by a request
// that must never be answered.
std::vector<Malformed> SmugglingSet() {
  const std::string post = "POST /echo HTTP/1.1\r\nHost: localhost\r\n";
  return {
      {"content length and chunked",
       post + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX"},
      {"chunked and content length",
       post + "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nX"},
      {"two content lengths", post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"},
      {"two equal content lengths", post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde"},
      {"list of content lengths", post + "Content-Length: 5, 5\r\n\r\nabcde"},
      {"signed content length", post + "Content-Length: +5\r\n\r\nabcde"},
      {"negative content length", post + "Content-Length: -1\r\n\r\n"},
      {"hexadecimal content length", post + "Content-Length: 0x5\r\n\r\nabcde"},
      {"huge content length", post + "Content-Length: 99999999999999999999999\r\n\r\n"},
      {"unknown coding", post + "Transfer-Encoding: xchunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"},
      {"chunked is not last", post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"},
      {"coding before chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
      {"two codings",
       post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"coding with a vertical tab", post + "Transfer-Encoding: \x0b"
                                            "chunked\r\n\r\n0\r\n\r\n"},
      {"space before the colon", post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"},
      {"chunked in HTTP/1.0",
       "POST /echo HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"folded line", "GET /hello HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n"},
      {"folded coding", post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"},
      {"space before the first field", "GET /hello HTTP/1.1\r\n Host: localhost\r\n\r\n"},
      {"bare LF", "GET /hello HTTP/1.1\nHost: localhost\n\n"},
      {"bare LF between fields", "GET /hello HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n"},
      {"bare CR", "GET /hello HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n"},
      {"NUL in a field",
       std::string("GET /hello HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n", 49)},
      {"chunk size over 64 bits",
       post + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\nabc\r\n0\r\n\r\n"},
      {"chunk size with 0x", post + "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n"},
      {"chunk without its end", post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n0\r\n\r\n"},
      {"bare LF after a chunk size",
       post + "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n"},
      {"no Host", "GET /hello HTTP/1.1\r\n\r\n"},
      {"two Hosts", "GET /hello HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"},
      {"absolute form", "GET http://localhost/hello HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"authority form", "CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"fragment", "GET /hello#x HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"bad percent escape", "GET /hell%6 HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"NUL in the path", "GET /hello%00 HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"line break in the path", "GET /hello%0d%0aX HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"no version", "GET /hello\r\nHost: localhost\r\n\r\n"},
      {"two spaces", "GET  /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"no method", " /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"field without a colon", "GET /hello HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n"},
      {"field without a name", "GET /hello HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n"},
      {"TLS hello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11)},
  };
}

TEST_F(ServerTest, RefusesWhatCouldSmuggleARequestAndCloses) {
  StartServer();
  for (const Malformed& attack : SmugglingSet()) {
    SCOPED_TRACE(attack.name);
    RawSocket socket(server_->port());
    socket.Send(absl::StrCat(attack.bytes,
                             "GET /list/smuggled/lead/1 HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    bool closed = false;
    const std::string answer = socket.ReadToEnd(&closed);
    EXPECT_TRUE(closed);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(answer, HasSubstr("Connection: close"));
    EXPECT_THAT(answer, Not(HasSubstr("smuggled")));
    EXPECT_EQ(Count(answer, "HTTP/1.1 "), 1u);
  }
  EXPECT_EQ(server_->stats().requests_refused, SmugglingSet().size());
}

TEST_F(ServerTest, RefusesOtherVersions) {
  StartServer();
  RawSocket socket(server_->port());
  ASSERT_TRUE(socket.Send("GET /hello HTTP/3.0\r\nHost: localhost\r\n\r\n"));
  bool closed = false;
  EXPECT_THAT(socket.ReadToEnd(&closed),
              ::testing::AnyOf(StartsWith("HTTP/1.1 505 "), StartsWith("HTTP/1.1 400 ")));
  EXPECT_TRUE(closed);
}

TEST_F(ServerTest, IdleAndSlowHeadsAreClosed) {
  StartServer({.idle_timeout = absl::Milliseconds(200), .header_timeout = absl::Milliseconds(100)});
  bool closed = false;
  RawSocket idle(server_->port());
  EXPECT_EQ(idle.ReadToEnd(&closed), "");
  EXPECT_TRUE(closed);
  RawSocket slow(server_->port());
  ASSERT_TRUE(slow.Send("GET /hel"));
  EXPECT_EQ(slow.ReadToEnd(&closed), "");
  EXPECT_TRUE(closed);
}

// Bytes that trickle in do not extend the head's deadline (slowhttptest -H).
TEST_F(ServerTest, ATricklingHeadIsClosedAtItsDeadline) {
  StartServer({.idle_timeout = absl::Seconds(60), .header_timeout = absl::Milliseconds(300)});
  RawSocket slow(server_->port());
  ASSERT_TRUE(slow.Send("GET /hello HTTP/1.1\r\nX: "));
  int trickled = 0;
  for (bool open = true; open && trickled < 1000; ++trickled) {
    if (!slow.Send("x")) break;
    bool closed = false;
    slow.ReadToEnd(&closed, 10);  // waits 10 ms for the close
    open = !closed;
  }
  EXPECT_LT(trickled, 1000);
  EXPECT_EQ(Get("/hello").status, 200);
}

TEST_F(ServerTest, ManyHalfRequestsDoNotHinderTheOthers) {
  StartServer();
  std::vector<std::unique_ptr<RawSocket>> stuck;
  for (int i = 0; i < 300; ++i) {
    stuck.push_back(std::make_unique<RawSocket>(server_->port()));
    ASSERT_TRUE(stuck.back()->Send(i % 2 == 0 ? "GET /hello HTTP/1.1\r\nHost: loc"
                                              : "POST /echo HTTP/1.1\r\nHost: localhost\r\n"
                                                "Content-Length: 100\r\n\r\nabc"));
  }
  for (int i = 0; i < 100; ++i) ASSERT_EQ(Get("/hello").status, 200);
}

// A client that does not take its answer is left after the write timeout: its place among the
// allowed connections becomes free.
TEST_F(ServerTest, AReaderThatStandsStillIsClosed) {
  StartServer(
      {.body_bytes_max = 32 << 20, .write_timeout = absl::Milliseconds(100), .connections_max = 1});
  RawSocket still(server_->port(), 4096);
  const std::string body(24 << 20, 'x');
  ASSERT_TRUE(still.Send(absl::StrCat(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: ", body.size(), "\r\n\r\n")));
  ASSERT_TRUE(still.Send(body));
  bool served = false;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!served && std::chrono::steady_clock::now() < end) {
    RawSocket next(server_->port());
    next.Send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    served = absl::StrContains(next.ReadUntil("hello"), "200 OK");
  }
  EXPECT_TRUE(served);
  EXPECT_GT(server_->stats().connections_refused, 0u);
  bool closed = false;
  EXPECT_LT(still.ReadToEnd(&closed).size(), body.size()) << "cut off";
  EXPECT_TRUE(closed);
}

TEST_F(ServerTest, AnswersFromAnotherThreadAndLater) {
  StartServer();
  std::thread controller([this] {
    HttpResponse response;
    response.status = 201;
    response.body = "later";
    TakeLater()(response);
  });
  const HttpResponse response = Get("/later");
  controller.join();
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "later");
}

TEST_F(ServerTest, AForgottenOrThrowingHandlerAnswers500) {
  StartServer();
  EXPECT_EQ(Get("/drops").status, 500);
  EXPECT_EQ(Get("/throws").status, 500);
  std::thread controller([this] { Responder gone = TakeLater(); });
  EXPECT_EQ(Get("/later").status, 500);
  controller.join();
  EXPECT_EQ(Get("/hello").status, 200);
}

TEST_F(ServerTest, AnAnswerThatComesTooLateIsReplacedBy503) {
  StartServer({.response_timeout = absl::Milliseconds(50)});
  const HttpResponse response = Get("/later");
  EXPECT_EQ(response.status, 503);
  HttpResponse late;
  late.body = "late";
  TakeLater()(late);
  EXPECT_EQ(Get("/hello").body, R"({"hello":1})") << "the late answer went nowhere";
}

TEST_F(ServerTest, AResponderOutlivesClientAndServer) {
  StartServer();
  {
    RawSocket socket(server_->port());
    ASSERT_TRUE(socket.Send("GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  }
  Responder after_client = TakeLater();
  after_client(HttpResponse{});
  EXPECT_EQ(Get("/hello").status, 200);
  RawSocket socket(server_->port());
  ASSERT_TRUE(socket.Send("GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  Responder after_server = TakeLater();
  server_->Stop();
  server_.reset();
  after_server(HttpResponse{});
  bool closed = false;
  EXPECT_EQ(socket.ReadToEnd(&closed), "");
  EXPECT_TRUE(closed);
}

TEST_F(ServerTest, ALineBreakInAHeaderValueIsNotSent) {
  auto server = HttpServer::Create({}, log_);
  ASSERT_TRUE(server.ok());
  (*server)->Route("GET", "/", [](HttpRequest, Responder reply) {
    HttpResponse response;
    response.headers["X-Good"] = "yes";
    response.headers["X-Bad"] = "a\r\nSet-Cookie: b";
    reply(response);
  });
  (*server)->Start();
  auto client = HttpClient::Create(absl::StrCat("http://127.0.0.1:", (*server)->port()));
  const auto response = client->Send("GET", "/");
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->headers.at("x-good"), "yes");
  EXPECT_EQ(response->headers.count("x-bad"), 0u);
  EXPECT_EQ(response->headers.count("set-cookie"), 0u);
}

TEST_F(ServerTest, ForeignOriginsMayNotChangeAnything) {
  StartServer({.allowed_origins = {"https://dialer.example.com"}});
  const auto post = [&](const std::string& origin) {
    return client_->Send("POST", "/echo", "{}", {{"Origin", origin}})->status;
  };
  EXPECT_EQ(post(Url()), 200);
  EXPECT_EQ(post("https://dialer.example.com"), 200);
  EXPECT_EQ(post("http://evil.example"), 403);
  EXPECT_EQ(post("null"), 403);
  EXPECT_EQ(post(absl::StrCat("http://127.0.0.1.evil.example:", server_->port())), 403);
  // DNS rebinding: the name is foreign though it leads here.
  const auto rebound = [&](const std::string& host) {
    return client_->Send("GET", "/hello", "", {{"Host", host}})->status;
  };
  EXPECT_EQ(rebound("evil.example"), 421);
  EXPECT_EQ(rebound("localhost:1"), 200);
  EXPECT_EQ(rebound("dialer.example.com"), 200);
}

TEST_F(ServerTest, ControlSocketIsPrivateAndLocal) {
  const std::string path = absl::StrCat(TempDir(), "/outpace.sock");
  StartServer({.unix_socket = path});
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  auto control = HttpClient::Create(absl::StrCat("unix:", path));
  EXPECT_EQ(control->Send("GET", "/who")->body, "local ");
  EXPECT_EQ(Get("/who").body, "remote 127.0.0.1");

  ServerOptions again;
  again.unix_socket = path;
  const auto second = HttpServer::Create(again, log_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("another process answers"));
  EXPECT_EQ(control->Send("GET", "/who")->body, "local ") << "the first one's socket is untouched";
  server_->Stop();
  EXPECT_NE(stat(path.c_str(), &info), 0) << "removed on stop";
}

TEST_F(ServerTest, ReplacesASocketFileThatADeadProcessLeft) {
  const std::string path = absl::StrCat(TempDir(), "/outpace.sock");
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  close(fd);
  StartServer({.unix_socket = path});
  EXPECT_EQ(HttpClient::Create(absl::StrCat("unix:", path))->Send("GET", "/hello")->status, 200);
}

TEST_F(ServerTest, NeverRemovesAFileThatIsNoSocket) {
  const std::string path = absl::StrCat(TempDir(), "/outpace.sock");
  std::ofstream(path) << "precious";
  ServerOptions options;
  options.unix_socket = path;
  EXPECT_EQ(HttpServer::Create(options, log_).status().code(), absl::StatusCode::kUnavailable);
  std::ifstream file(path);
  std::string content;
  file >> content;
  EXPECT_EQ(content, "precious");
}

TEST_F(ServerTest, SaysWhatToDoWhenItCannotListen) {
  StartServer();
  ServerOptions options;
  options.port = server_->port();
  const absl::Status taken = HttpServer::Create(options, log_).status();
  EXPECT_EQ(taken.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(taken.message()), HasSubstr(absl::StrCat("127.0.0.1:", options.port)));
  EXPECT_THAT(std::string(taken.message()), HasSubstr("set another port"));
  options.address = "203.0.113.77";
  EXPECT_THAT(std::string(HttpServer::Create(options, log_).status().message()),
              HasSubstr("no such address"));
  options.address = "localhost";
  EXPECT_EQ(HttpServer::Create(options, log_).status().code(), absl::StatusCode::kInvalidArgument);
  options.address = "127.0.0.1";
  options.port = 0;
  options.unix_socket = std::string(200, 'x');
  EXPECT_EQ(HttpServer::Create(options, log_).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ServerTest, LimitsItsConnections) {
  StartServer({.connections_max = 2});
  EXPECT_EQ(Get("/hello").status, 200);
  RawSocket second(server_->port());
  ASSERT_TRUE(second.Send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  EXPECT_THAT(second.ReadUntil("hello"), HasSubstr("200 OK"));
  RawSocket third(server_->port());
  bool closed = false;
  EXPECT_EQ(third.ReadToEnd(&closed), "");
  EXPECT_TRUE(closed);
  EXPECT_EQ(server_->stats().connections_refused, 1u);
}

TEST_F(ServerTest, ServesPagesWithEtags) {
  StartServer();
  for (const char* path :
       {"/", "/board.html", "/agent.html", "/board.js", "/agent.js", "/style.css"}) {
    SCOPED_TRACE(path);
    const Page* page = FindPage(path);
    ASSERT_NE(page, nullptr);
    const HttpResponse full = Get(path);
    EXPECT_EQ(full.status, 200);
    EXPECT_EQ(full.body, page->body);
    EXPECT_EQ(full.content_type, page->content_type);
    EXPECT_EQ(full.headers.at("etag"), page->etag);
    const auto again =
        client_->Send("GET", path, "", {{"If-None-Match", absl::StrCat("\"x\", W/", page->etag)}});
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->status, 304);
    EXPECT_EQ(again->body, "");
    EXPECT_EQ(again->headers.at("etag"), page->etag);
  }
  EXPECT_EQ(client_->Send("GET", "/", "", {{"If-None-Match", "\"other\""}})->status, 200);
  EXPECT_EQ(client_->Send("POST", "/", "{}")->status, 405);
  EXPECT_EQ(FindPage("/../board.html"), nullptr);
  EXPECT_EQ(Get("/..%2fboard.html").status, 404);
}

TEST(ErrorResponse, MapsEachCode) {
  const std::pair<absl::StatusCode, int> expected[] = {
      {absl::StatusCode::kInvalidArgument, 400},    {absl::StatusCode::kUnauthenticated, 401},
      {absl::StatusCode::kPermissionDenied, 403},   {absl::StatusCode::kNotFound, 404},
      {absl::StatusCode::kFailedPrecondition, 409}, {absl::StatusCode::kAlreadyExists, 409},
      {absl::StatusCode::kResourceExhausted, 429},  {absl::StatusCode::kUnavailable, 503},
      {absl::StatusCode::kInternal, 500},           {absl::StatusCode::kDataLoss, 500}};
  for (const auto& [code, status] : expected) {
    EXPECT_EQ(ErrorResponse(absl::Status(code, "m")).status, status) << code;
  }
  EXPECT_EQ(ErrorResponse(absl::NotFoundError("list \"7\"\n\xff")).body,
            "{\"error\":{\"code\":\"NOT_FOUND\",\"message\":\"list \\\"7\\\"\\n\xEF\xBF\xBD\"}}");
}

}  // namespace
}  // namespace outpace::api
