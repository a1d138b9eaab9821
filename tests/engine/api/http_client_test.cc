#include "engine/api/http_client.h"

#include <chrono>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/api/raw_socket.h"

namespace outpace::api {
namespace {

using ::testing::HasSubstr;

// Listens and gives each connection the next canned answer, after a whole head has come, then
// closes. An empty answer closes without one.
class CannedServer {
 public:
  explicit CannedServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(fd_, 16), 0);
    socklen_t size = sizeof(address);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      for (const std::string& answer : answers_) Serve(answer);
    });
  }
  ~CannedServer() {
    shutdown(fd_, SHUT_RDWR);  // wakes accept()
    thread_.join();
    close(fd_);
  }
  std::string url() const { return absl::StrCat("http://127.0.0.1:", port_); }

 private:
  void Serve(const std::string& answer) {
    const int client = accept(fd_, nullptr, nullptr);
    if (client < 0) return;
    std::string seen;
    char buffer[4096];
    while (seen.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = recv(client, buffer, sizeof(buffer), 0);
      if (got <= 0) break;
      seen.append(buffer, static_cast<size_t>(got));
    }
    if (!answer.empty()) {
      EXPECT_EQ(send(client, answer.data(), answer.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(answer.size()));
    }
    close(client);
  }

  std::vector<std::string> answers_;
  int fd_ = -1;
  uint16_t port_ = 0;
  std::thread thread_;
};

const char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Thing: a\r\n\r\nok";

TEST(HttpClient, ReadsStatusHeadersAndBody) {
  CannedServer server({kOk});
  const auto response = HttpClient::Create(server.url())->Send("GET", "/");
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->headers.at("x-thing"), "a");
  EXPECT_EQ(response->body, "ok");
}

TEST(HttpClient, OpensANewConnectionWhenTheOldOneWasClosed) {
  CannedServer server({kOk, kOk, kOk});
  auto client = HttpClient::Create(server.url());
  for (const char* method : {"GET", "POST", "GET"}) {
    const auto response = client->Send(method, "/", "x");
    ASSERT_TRUE(response.ok()) << method << ": " << response.status();
    EXPECT_EQ(response->body, "ok");
  }
}

TEST(HttpClient, NeverRepeatsAPostThatMayHaveBeenHeard) {
  CannedServer server({"", kOk});
  auto client = HttpClient::Create(server.url());
  EXPECT_EQ(client->Send("POST", "/", "x").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(client->Send("POST", "/", "x").ok()) << "the second canned answer is still there";
}

TEST(HttpClient, GivesUpAtItsDeadline) {
  // Listening without accepting: the kernel completes the connection and nobody ever answers.
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(fd, 4), 0);
  socklen_t size = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  auto client = HttpClient::Create(absl::StrCat("http://127.0.0.1:", ntohs(address.sin_port)),
                                   absl::Milliseconds(100));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(client->Send("GET", "/").status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  close(fd);
  const auto refused = client->Send("GET", "/").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("is the dialer running there?"));
}

TEST(HttpClient, TellsWhatIsWrong) {
  const auto code = [](const char* url) {
    return HttpClient::Create(url)->Send("GET", "/").status().code();
  };
  EXPECT_EQ(code("unix:/nonexistent/outpace.sock"), absl::StatusCode::kUnavailable);
  EXPECT_EQ(code("unix:"), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("https://127.0.0.1"), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("http://127.0.0.1:0"), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("http://:80"), absl::StatusCode::kInvalidArgument);
  auto client = HttpClient::Create("http://127.0.0.1:1");
  EXPECT_EQ(client->Send("GET", "/\r\nX: y").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(client->Send("GET", "/", "", {{"A", "b\r\nC: d"}}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(HttpClient, AnAnswerThatIsNoHttpIsAnError) {
  CannedServer server({"SSH-2.0-OpenSSH_9.2\r\n\r\n"});
  EXPECT_EQ(HttpClient::Create(server.url())->Send("GET", "/").status().code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace outpace::api
