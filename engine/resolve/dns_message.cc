#include "engine/resolve/dns_message.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"

namespace outpace::resolve {
namespace {

constexpr uint16_t kTypeA = 1, kTypeSoa = 6, kTypeAaaa = 28, kTypeSrv = 33;
constexpr uint16_t kClassIn = 1;
constexpr size_t kNameMax = 253;
constexpr uint32_t kTtlMax = 0x7fffffff;  // RFC 2181 8: the top bit set means zero

// Walks over a message; once a read falls outside it, everything read is 0 and ok() is false.
class Reader {
 public:
  explicit Reader(absl::Span<const uint8_t> bytes) : bytes_(bytes) {}
  bool ok() const { return ok_; }
  size_t at() const { return at_; }

  uint16_t U16() {
    if (!Need(2)) return 0;
    const auto value = static_cast<uint16_t>(bytes_[at_] << 8 | bytes_[at_ + 1]);
    at_ += 2;
    return value;
  }
  uint32_t U32() {
    const uint32_t high = U16();
    return high << 16 | U16();
  }
  void Skip(size_t n) {
    if (Need(n)) at_ += n;
  }
  // A name with its compression pointers (RFC 1035 4.1.4), lower case, without the last dot.
  // Pointers must go backwards, so a loop cannot be made of them.
  std::string Name() {
    std::string name;
    size_t here = at_, lowest = at_;
    bool jumped = false;
    for (;;) {
      if (here >= bytes_.size()) return Fail();
      const uint8_t length = bytes_[here];
      if ((length & 0xc0) == 0xc0) {
        if (here + 1 >= bytes_.size()) return Fail();
        const size_t to = static_cast<size_t>(length & 0x3f) << 8 | bytes_[here + 1];
        if (to >= lowest) return Fail();
        if (!jumped) at_ = here + 2;
        jumped = true;
        here = lowest = to;
        continue;
      }
      if ((length & 0xc0) != 0) return Fail();
      ++here;
      if (length == 0) break;
      if (here + length > bytes_.size() || name.size() + length + 1 > kNameMax + 1) return Fail();
      if (!name.empty()) name.push_back('.');
      for (size_t i = 0; i < length; ++i) {
        name.push_back(static_cast<char>(absl::ascii_tolower(bytes_[here + i])));
      }
      here += length;
    }
    if (!jumped) at_ = here;
    return name;
  }
  absl::Span<const uint8_t> Bytes(size_t n) {
    if (!Need(n)) return {};
    at_ += n;
    return bytes_.subspan(at_ - n, n);
  }
  void Seek(size_t to) {
    if (to > bytes_.size()) ok_ = false;
    if (ok_) at_ = to;
  }

 private:
  bool Need(size_t n) {
    ok_ = ok_ && n <= bytes_.size() - at_;
    return ok_;
  }
  std::string Fail() {
    ok_ = false;
    return "";
  }
  absl::Span<const uint8_t> bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

// A name may hold any octets; those of hosts are plain, and go into logs and TLS checks.
bool IsHost(const std::string& name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
  });
}

bool IsUnicast(bool ipv6, absl::Span<const uint8_t> bytes) {
  const bool zero = std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; });
  return !zero && (ipv6 ? bytes[0] != 0xff : bytes[0] != 0 && bytes[0] < 224);
}

void ReadAddress(bool ipv6, absl::Span<const uint8_t> bytes, DnsAnswer& answer) {
  if (bytes.size() != (ipv6 ? 16u : 4u) || !IsUnicast(ipv6, bytes)) return;
  char text[INET6_ADDRSTRLEN];
  if (inet_ntop(ipv6 ? AF_INET6 : AF_INET, bytes.data(), text, sizeof text) == nullptr) return;
  answer.addresses.push_back({ipv6, text});
}

void ReadSrv(Reader& reader, DnsAnswer& answer) {
  DnsAnswer::Srv srv;
  srv.priority = reader.U16();
  srv.weight = reader.U16();
  srv.port = reader.U16();
  srv.target = reader.Name();
  if (!reader.ok() || !IsHost(srv.target)) return;
  if (srv.port == 0 && !srv.target.empty()) return;
  answer.srv.push_back(std::move(srv));
}

}  // namespace

absl::StatusOr<DnsAnswer> ParseDnsAnswer(absl::Span<const uint8_t> message) {
  const auto damaged = [] { return absl::InvalidArgumentError("DNS: the message is damaged"); };
  Reader reader(message);
  DnsAnswer answer;
  reader.U16();  // id: c-ares has checked it, and the question
  answer.rcode = reader.U16() & 0x0f;
  const int questions = reader.U16();
  const int answers = reader.U16();
  const int authorities = reader.U16();
  reader.U16();  // additional records are nobody's business: they may be about any name
  for (int i = 0; i < questions && reader.ok(); ++i) {
    reader.Name();
    reader.Skip(4);
  }
  for (int i = 0; i < answers + authorities && reader.ok(); ++i) {
    reader.Name();
    const uint16_t type = reader.U16();
    const uint16_t record_class = reader.U16();
    uint32_t ttl = reader.U32();
    if (ttl > kTtlMax) ttl = 0;
    const size_t length = reader.U16();
    const size_t start = reader.at();
    if (!reader.ok() || start + length > message.size()) return damaged();
    if (record_class == kClassIn && i < answers) {
      answer.ttl = i == 0 ? ttl : std::min(answer.ttl, ttl);
      if (type == kTypeA || type == kTypeAaaa) {
        ReadAddress(type == kTypeAaaa, reader.Bytes(length), answer);
      } else if (type == kTypeSrv) {
        ReadSrv(reader, answer);
      }
    } else if (record_class == kClassIn && type == kTypeSoa) {
      reader.Name();
      reader.Name();
      reader.Skip(16);
      answer.negative_ttl = std::min({ttl, reader.U32(), kTtlMax});
    }
    if (!reader.ok()) return damaged();
    reader.Seek(start + length);
  }
  if (!reader.ok()) return damaged();
  return answer;
}

}  // namespace outpace::resolve
