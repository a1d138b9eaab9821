#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace outpace::resolve {

inline constexpr uint16_t kTypeA = 1, kTypeCname = 5, kTypeAaaa = 28, kTypeSrv = 33;

// Writers of record data, also used to build messages by hand.
std::string NameBytes(const std::string& name);
std::string U16Bytes(uint16_t value);
std::string U32Bytes(uint32_t value);

// A name server on 127.0.0.1, UDP and TCP on one port, that says what the test tells it to.
class DnsServer {
 public:
  struct Record {
    uint16_t type;
    uint32_t ttl;
    std::string data;
  };
  struct Reply {
    int rcode = 0;  // 2 SERVFAIL, 3 NXDOMAIN, 4 NOTIMP, 5 REFUSED
    std::vector<Record> records{};
    uint32_t soa_minimum = 0;  // with no records: an SOA in the authority section; 0: none
    bool silent = false;       // no answer at all
    bool held = false;         // no answer until Release()
    bool damaged = false;      // the last octets are missing
  };

  DnsServer();
  ~DnsServer();
  std::string address() const;  // "127.0.0.1:PORT"

  static Record A(const std::string& address, uint32_t ttl = 300);
  static Record Aaaa(const std::string& address, uint32_t ttl = 300);
  static Record Cname(const std::string& target, uint32_t ttl = 300);
  static Record Srv(uint16_t priority, uint16_t weight, uint16_t port, const std::string& target,
                    uint32_t ttl = 300);

  // What is not set is NXDOMAIN; a name that is set for another type has no data.
  void Set(const std::string& name, uint16_t type, Reply reply);
  void Release();  // answers what was held, and nothing is held any more
  int Asked(const std::string& name, uint16_t type);
  int AskedByTcp();
  // Waits until that many questions have come; false after 20 s.
  bool WaitAsked(const std::string& name, uint16_t type, int count);

 private:
  using Key = std::pair<std::string, uint16_t>;
  struct Held {
    std::string question;
    std::string from;  // sockaddr bytes
  };
  struct Connection {
    int fd;
    std::string buffer;
  };
  void Run();
  void OnDatagram();
  void OnConnection(Connection& connection);
  // Empty: no answer now. `from`: sockaddr for a held answer, empty over TCP.
  std::string Answer(const std::string& question, size_t bytes_max, const std::string& from);
  std::string Write(const std::string& question, const Key& key, const Reply& reply,
                    size_t bytes_max);

  int udp_ = -1, tcp_ = -1, wake_ = -1;
  uint16_t port_ = 0;
  std::thread thread_;
  std::vector<Connection> connections_;
  std::mutex mutex_;
  std::condition_variable asked_changed_;
  bool stop_ = false, release_ = false;
  std::map<Key, Reply> replies_;
  std::map<Key, int> asked_;
  int asked_by_tcp_ = 0;
  std::vector<Held> held_;
};

}  // namespace outpace::resolve
