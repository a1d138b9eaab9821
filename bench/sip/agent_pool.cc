#include "bench/sip/agent_pool.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace outpace::bench {
namespace {

constexpr int kConnections = 24;
// Passwords are checked one after the other, and the engine refuses more than 64 that wait.
constexpr int kLoginsAtOnce = 16;

// The value of a member of a flat JSON object made by the engine, quotes stripped.
absl::string_view Member(absl::string_view json, absl::string_view name) {
  const std::string key = absl::StrCat("\"", name, "\":");
  size_t at = json.find(key);
  if (at == absl::string_view::npos) return "";
  at += key.size();
  if (at < json.size() && json[at] == '"') {
    const size_t end = json.find('"', at + 1);
    return json.substr(at + 1, end == absl::string_view::npos ? end : end - at - 1);
  }
  return json.substr(at, json.find_first_of(",}", at) - at);
}

}  // namespace

AgentPool::AgentPool(const AgentPoolOptions& options)
    : options_(options),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      connections_(kConnections),
      agents_(static_cast<size_t>(options.agents)) {
  OUTPACE_CHECK(epoll_ >= 0);
  for (int i = 0; i < options_.agents; ++i) waiting_.push_back({Ask::kLogin, i, 0});
  thread_ = std::thread([this] { Run(); });
}

AgentPool::~AgentPool() {
  stop_ = true;
  thread_.join();
  for (Connection& connection : connections_) {
    if (connection.fd >= 0) ::close(connection.fd);
  }
  for (Agent& agent : agents_) {
    if (agent.screen.fd >= 0) ::close(agent.screen.fd);
  }
  ::close(epoll_);
}

AgentPoolCounts AgentPool::Counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return counts_;
}

int AgentPool::Connect() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  OUTPACE_CHECK(fd >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(options_.http_port);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return -1;
  }
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

void AgentPool::Run() {
  epoll_event events[256];
  while (!stop_) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      Pump();
    }
    const int count = ::epoll_wait(epoll_, events, 256, 20);
    const std::lock_guard<std::mutex> lock(mutex_);
    for (int i = 0; i < count; ++i) {
      const auto tag = static_cast<int64_t>(events[i].data.u64);
      if (tag < kConnections) {
        OnReply(connections_[static_cast<size_t>(tag)]);
      } else {
        OnScreen(static_cast<int>(tag - kConnections));
      }
    }
  }
}

void AgentPool::Pump() {
  for (size_t i = 0; i < connections_.size() && !waiting_.empty(); ++i) {
    Connection& connection = connections_[i];
    if (connection.busy) continue;
    if (waiting_.front().ask == Ask::kLogin && logins_open_ >= kLoginsAtOnce) {
      // Logins wait for each other, nothing else waits for them.
      const auto other = std::find_if(waiting_.begin(), waiting_.end(),
                                      [](const Request& r) { return r.ask != Ask::kLogin; });
      if (other == waiting_.end()) return;
      std::swap(*waiting_.begin(), *other);
    }
    if (connection.fd < 0) {
      connection.fd = Connect();
      if (connection.fd < 0) return;
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
    }
    const Request request = waiting_.front();
    waiting_.pop_front();
    SendRequest(connection, request);
  }
}

void AgentPool::SendRequest(Connection& connection, const Request& request) {
  const Agent& agent = agents_[static_cast<size_t>(request.agent)];
  std::string path, body;
  switch (request.ask) {
    case Ask::kLogin:
      ++logins_open_;
      path = "/v1/agent/login";
      body = absl::StrCat("{\"user\":\"", options_.user_prefix, request.agent, "\",\"password\":\"",
                          options_.password, "\",\"campaign\":\"", options_.campaign,
                          "\",\"phone\":\"sip:");
      absl::StrAppend(&body, options_.user_prefix, request.agent,
                      "@127.0.0.1:", options_.phone_port, "\"}");
      break;
    case Ask::kReady:
      path = "/v1/agent/state";
      body = "{\"state\":\"ready\"}";
      break;
    case Ask::kDispose:
      path = "/v1/agent/disposition";
      body = absl::StrCat("{\"attempt\":", request.attempt, ",\"status\":\"NI\"}");
      break;
  }
  std::string text = absl::StrCat("POST ", path,
                                  " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
                                  "application/json\r\nContent-Length: ",
                                  body.size(), "\r\n");
  if (!agent.token.empty()) absl::StrAppend(&text, "Authorization: Bearer ", agent.token, "\r\n");
  absl::StrAppend(&text, "\r\n", body);
  connection.busy = true;
  connection.request = request;
  connection.in.clear();
  if (::send(connection.fd, text.data(), text.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(text.size())) {
    ++counts_.refused;
    counts_.last_refusal = "a request could not be sent";
  }
}

void AgentPool::OnReply(Connection& connection) {
  char buffer[8'192];
  const ssize_t n = ::recv(connection.fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) {
    ::close(connection.fd);
    connection.fd = -1;
    if (connection.busy) {
      if (connection.request.ask == Ask::kLogin) --logins_open_;
      waiting_.push_back(connection.request);
      connection.busy = false;
      ++counts_.refused;
      counts_.last_refusal = "the engine closed a connection";
    }
    return;
  }
  connection.in.append(buffer, static_cast<size_t>(n));
  const size_t head = connection.in.find("\r\n\r\n");
  if (head == std::string::npos) return;
  const std::string headers = absl::StrCat(connection.in.substr(0, head + 2));
  size_t at = headers.find("Content-Length: ");
  if (at == std::string::npos) at = headers.find("content-length: ");
  const size_t length =
      at == std::string::npos ? 0 : std::strtoul(headers.c_str() + at + 16, nullptr, 10);
  if (connection.in.size() < head + 4 + length) return;
  const absl::string_view body = absl::string_view(connection.in).substr(head + 4);
  const Request request = connection.request;
  const bool ok = absl::StartsWith(headers, "HTTP/1.1 200");
  connection.busy = false;
  if (request.ask == Ask::kLogin) --logins_open_;
  if (!ok) {
    ++counts_.refused;
    counts_.last_refusal = std::string(body.substr(0, 200));
    if (request.ask == Ask::kLogin) waiting_.push_back(request);
    return;
  }
  switch (request.ask) {
    case Ask::kLogin:
      agents_[static_cast<size_t>(request.agent)].token = std::string(Member(body, "token"));
      ++counts_.logged_in;
      OpenScreen(request.agent);
      break;
    case Ask::kReady:
      ++counts_.ready;
      break;
    case Ask::kDispose:
      ++counts_.disposed;
      break;
  }
}

void AgentPool::OpenScreen(int agent) {
  Agent& owner = agents_[static_cast<size_t>(agent)];
  owner.screen.fd = Connect();
  if (owner.screen.fd < 0) {
    ++counts_.refused;
    counts_.last_refusal = "a screen could not connect";
    return;
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = static_cast<uint64_t>(kConnections + agent);
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, owner.screen.fd, &event);
  const std::string text = absl::StrCat(
      "GET /v1/agent/events?token=", owner.token,
      " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  (void)!::send(owner.screen.fd, text.data(), text.size(), MSG_NOSIGNAL);
}

void AgentPool::OnScreen(int agent) {
  Screen& screen = agents_[static_cast<size_t>(agent)].screen;
  char buffer[8'192];
  const ssize_t n = ::recv(screen.fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) return CloseScreen(agent);
  screen.in.append(buffer, static_cast<size_t>(n));
  if (!screen.open) {
    const size_t head = screen.in.find("\r\n\r\n");
    if (head == std::string::npos) return;
    if (!absl::StartsWith(screen.in, "HTTP/1.1 101")) return CloseScreen(agent);
    screen.in.erase(0, head + 4);
    screen.open = true;
    ++counts_.screens;
    waiting_.push_back({Ask::kReady, agent, 0});
  }
  size_t at = 0;
  while (screen.in.size() - at >= 2) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(screen.in[at + i]); };
    size_t length = byte(1) & 0x7f, head = 2;
    if (length >= 126) {
      const size_t wide = length == 126 ? 2 : 8;
      if (screen.in.size() - at < 2 + wide) break;
      length = 0;
      for (size_t i = 0; i < wide; ++i) length = length << 8 | byte(2 + i);
      head = 2 + wide;
    }
    if (screen.in.size() - at < head + length) break;
    OnFrame(agent, byte(0) & 0x0f, absl::string_view(screen.in).substr(at + head, length));
    if (screen.fd < 0) return;
    at += head + length;
  }
  screen.in.erase(0, at);
}

void AgentPool::OnFrame(int agent, int opcode, absl::string_view payload) {
  constexpr int kText = 1, kClose = 8, kPing = 9;
  if (opcode == kClose) return CloseScreen(agent);
  if (opcode == kPing && payload.size() < 126) {
    // A client's frames are masked (RFC 6455 5.3); a mask of zeros is a mask.
    std::string pong = {static_cast<char>(0x8a), static_cast<char>(0x80 | payload.size())};
    pong.append(4, '\0');
    pong.append(payload.data(), payload.size());
    (void)!::send(agents_[static_cast<size_t>(agent)].screen.fd, pong.data(), pong.size(),
                  MSG_NOSIGNAL);
  }
  if (opcode != kText) return;
  const absl::string_view type = Member(payload, "type");
  if (type == "pop") {
    ++counts_.pops;
  } else if (type == "call_ended") {
    const std::string attempt(Member(payload, "attempt"));
    waiting_.push_back({Ask::kDispose, agent, std::strtoull(attempt.c_str(), nullptr, 10)});
    Pump();
  }
}

void AgentPool::CloseScreen(int agent) {
  Screen& screen = agents_[static_cast<size_t>(agent)].screen;
  if (screen.fd < 0) return;
  ::close(screen.fd);
  screen.fd = -1;
  if (screen.open) --counts_.screens;
  screen.open = false;
}

}  // namespace outpace::bench
