#include "tests/engine/resolve/dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/base/check.h"

namespace outpace::resolve {

std::string U16Bytes(uint16_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}

std::string U32Bytes(uint32_t value) {
  return U16Bytes(static_cast<uint16_t>(value >> 16)) + U16Bytes(static_cast<uint16_t>(value));
}

std::string NameBytes(const std::string& name) {
  std::string bytes;
  if (!name.empty()) {
    for (absl::string_view label : absl::StrSplit(name, '.')) {
      bytes.push_back(static_cast<char>(label.size()));
      bytes.append(label.data(), label.size());
    }
  }
  bytes.push_back('\0');
  return bytes;
}

DnsServer::Record DnsServer::A(const std::string& address, uint32_t ttl) {
  in_addr bytes;
  OUTPACE_CHECK(inet_pton(AF_INET, address.c_str(), &bytes) == 1);
  return {kTypeA, ttl, std::string(reinterpret_cast<const char*>(&bytes), 4)};
}

DnsServer::Record DnsServer::Aaaa(const std::string& address, uint32_t ttl) {
  in6_addr bytes;
  OUTPACE_CHECK(inet_pton(AF_INET6, address.c_str(), &bytes) == 1);
  return {kTypeAaaa, ttl, std::string(reinterpret_cast<const char*>(&bytes), 16)};
}

DnsServer::Record DnsServer::Cname(const std::string& target, uint32_t ttl) {
  return {kTypeCname, ttl, NameBytes(target)};
}

DnsServer::Record DnsServer::Srv(uint16_t priority, uint16_t weight, uint16_t port,
                                 const std::string& target, uint32_t ttl) {
  return {kTypeSrv, ttl,
          U16Bytes(priority) + U16Bytes(weight) + U16Bytes(port) + NameBytes(target)};
}

DnsServer::DnsServer() {
  // Both sockets on one port: the kernel picks it for UDP; on the rare clash the next one is tried.
  for (int tries = 0; tries < 50 && tcp_ < 0; ++tries) {
    if (udp_ >= 0) close(udp_);
    sockaddr_in local{};
    local.sin_family = AF_INET;
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof local;
    udp_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    OUTPACE_CHECK(bind(udp_, reinterpret_cast<sockaddr*>(&local), size) == 0);
    OUTPACE_CHECK(getsockname(udp_, reinterpret_cast<sockaddr*>(&local), &size) == 0);
    port_ = ntohs(local.sin_port);
    const int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(tcp, reinterpret_cast<sockaddr*>(&local), size) == 0 && listen(tcp, 64) == 0) {
      tcp_ = tcp;
    } else {
      close(tcp);
    }
  }
  OUTPACE_CHECK(tcp_ >= 0);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  thread_ = std::thread([this] { Run(); });
}

DnsServer::~DnsServer() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  const uint64_t one = 1;
  OUTPACE_CHECK(write(wake_, &one, sizeof one) == sizeof one);
  thread_.join();
  for (const Connection& connection : connections_) close(connection.fd);
  for (const int fd : {udp_, tcp_, wake_}) close(fd);
}

std::string DnsServer::address() const { return absl::StrCat("127.0.0.1:", port_); }

void DnsServer::Set(const std::string& name, uint16_t type, Reply reply) {
  const std::lock_guard<std::mutex> lock(mutex_);
  replies_[{name, type}] = std::move(reply);
}

void DnsServer::Release() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    release_ = true;
    for (auto& [key, reply] : replies_) reply.held = false;
  }
  const uint64_t one = 1;
  OUTPACE_CHECK(write(wake_, &one, sizeof one) == sizeof one);
}

int DnsServer::Asked(const std::string& name, uint16_t type) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return asked_[{name, type}];
}

int DnsServer::AskedByTcp() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return asked_by_tcp_;
}

bool DnsServer::WaitAsked(const std::string& name, uint16_t type, int count) {
  std::unique_lock<std::mutex> lock(mutex_);
  return asked_changed_.wait_for(lock, std::chrono::seconds(20), [&] {
    return asked_[{name, type}] >= count;
  });
}

void DnsServer::Run() {
  for (;;) {
    std::vector<pollfd> fds = {{udp_, POLLIN, 0}, {tcp_, POLLIN, 0}, {wake_, POLLIN, 0}};
    for (const Connection& connection : connections_) fds.push_back({connection.fd, POLLIN, 0});
    poll(fds.data(), fds.size(), -1);
    // Before the flags are looked at: what is set later wakes the next turn.
    uint64_t count = 0;
    if ((fds[2].revents & POLLIN) != 0) (void)!read(wake_, &count, sizeof count);
    {
      std::unique_lock<std::mutex> lock(mutex_);
      if (stop_) return;
      if (std::exchange(release_, false)) {
        const std::vector<Held> held = std::exchange(held_, {});
        lock.unlock();
        for (const Held& h : held) {
          const std::string reply = Answer(h.question, 1232, h.from);
          sendto(udp_, reply.data(), reply.size(), 0,
                 reinterpret_cast<const sockaddr*>(h.from.data()),
                 static_cast<socklen_t>(h.from.size()));
        }
      }
    }
    if ((fds[0].revents & POLLIN) != 0) OnDatagram();
    for (size_t i = 3; i < fds.size(); ++i) {
      if (fds[i].revents != 0) OnConnection(connections_[i - 3]);
    }
    std::erase_if(connections_, [](const Connection& c) { return c.fd < 0; });
    if ((fds[1].revents & POLLIN) != 0) {
      const int fd = accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) connections_.push_back({fd, ""});
    }
  }
}

void DnsServer::OnDatagram() {
  char buffer[4096];
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  const ssize_t n =
      recvfrom(udp_, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
  if (n <= 0) return;
  const std::string reply =
      Answer(std::string(buffer, static_cast<size_t>(n)), 1232,
             std::string(reinterpret_cast<const char*>(&from), static_cast<size_t>(size)));
  if (reply.empty()) return;
  sendto(udp_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
}

void DnsServer::OnConnection(Connection& connection) {
  char buffer[4096];
  const ssize_t n = recv(connection.fd, buffer, sizeof buffer, 0);
  if (n <= 0) {
    close(connection.fd);
    connection.fd = -1;
    return;
  }
  connection.buffer.append(buffer, static_cast<size_t>(n));
  while (connection.buffer.size() >= 2) {
    const size_t length = static_cast<size_t>(static_cast<uint8_t>(connection.buffer[0])) << 8 |
                          static_cast<uint8_t>(connection.buffer[1]);
    if (connection.buffer.size() < length + 2) return;
    const std::string question = connection.buffer.substr(2, length);
    connection.buffer.erase(0, length + 2);
    std::string reply = Answer(question, 65535, "");
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++asked_by_tcp_;
    }
    if (reply.empty()) continue;
    reply.insert(0, U16Bytes(static_cast<uint16_t>(reply.size())));
    for (size_t sent = 0; sent < reply.size();) {
      const ssize_t m = send(connection.fd, reply.data() + sent, reply.size() - sent, MSG_NOSIGNAL);
      if (m <= 0) return;
      sent += static_cast<size_t>(m);
    }
  }
}

std::string DnsServer::Answer(const std::string& question, size_t bytes_max,
                              const std::string& from) {
  if (question.size() < 12) return "";
  std::string name;
  size_t at = 12;
  while (at < question.size() && question[at] != 0) {
    const size_t length = static_cast<uint8_t>(question[at]);
    if (at + 1 + length > question.size()) return "";
    if (!name.empty()) name.push_back('.');
    for (const char c : question.substr(at + 1, length)) {
      name.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    }
    at += length + 1;
  }
  if (at + 5 > question.size()) return "";
  const Key key(name, static_cast<uint16_t>(static_cast<uint8_t>(question[at + 1]) << 8 |
                                            static_cast<uint8_t>(question[at + 2])));
  const std::lock_guard<std::mutex> lock(mutex_);
  ++asked_[key];
  asked_changed_.notify_all();
  const auto found = replies_.find(key);
  if (found != replies_.end()) {
    if (found->second.silent) return "";
    if (found->second.held) {
      held_.push_back({question, from});
      return "";
    }
    return Write(question.substr(0, at + 5), key, found->second, bytes_max);
  }
  Reply none;
  const auto same_name = replies_.lower_bound({name, 0});
  const bool exists = same_name != replies_.end() && same_name->first.first == name &&
                      !same_name->second.records.empty();
  none.rcode = exists ? 0 : 3;
  return Write(question.substr(0, at + 5), key, none, bytes_max);
}

std::string DnsServer::Write(const std::string& question, const Key& key, const Reply& reply,
                             size_t bytes_max) {
  const auto header = [&](bool truncated, size_t answers, size_t authorities) {
    // Response, recursion desired and available.
    const auto flags = static_cast<uint16_t>(0x8180 | (truncated ? 0x0200 : 0) | reply.rcode);
    return question.substr(0, 2) + U16Bytes(flags) + U16Bytes(1) +
           U16Bytes(static_cast<uint16_t>(answers)) + U16Bytes(static_cast<uint16_t>(authorities)) +
           U16Bytes(0);
  };
  std::string body = question.substr(12);
  // After an alias the records are about its target.
  std::string owner = "\xc0\x0c";
  for (const Record& record : reply.records) {
    body += owner + U16Bytes(record.type) + U16Bytes(1) + U32Bytes(record.ttl) +
            U16Bytes(static_cast<uint16_t>(record.data.size())) + record.data;
    if (record.type == kTypeCname) owner = record.data;
  }
  size_t authorities = 0;
  if (reply.records.empty() && reply.soa_minimum > 0) {
    const std::string soa = NameBytes("ns." + key.first) + NameBytes("root." + key.first) +
                            U32Bytes(1) + U32Bytes(7200) + U32Bytes(900) + U32Bytes(86400) +
                            U32Bytes(reply.soa_minimum);
    body += "\xc0\x0c" + U16Bytes(6) + U16Bytes(1) + U32Bytes(3600) +
            U16Bytes(static_cast<uint16_t>(soa.size())) + soa;
    authorities = 1;
  }
  if (body.size() + 12 > bytes_max) return header(true, 0, 0) + question.substr(12);
  std::string message = header(false, reply.records.size(), authorities) + body;
  if (reply.damaged) message.resize(message.size() - 3);
  return message;
}

}  // namespace outpace::resolve
