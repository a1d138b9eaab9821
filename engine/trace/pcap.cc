// The ladder as a capture file. The messages were taken above the sockets, so IP and UDP headers
// are made up here: addresses, ports, lengths and checksums are right, everything else is a
// default.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/trace/ladder.h"
#include "engine/trace/mask.h"

namespace outpace::trace {
namespace {

constexpr uint32_t kSnapLength = 262'144;
constexpr uint32_t kLinkTypeRaw = 101;
constexpr size_t kUdpHeader = 8;
constexpr size_t kPayloadMax = 65'535 - 20 - kUdpHeader;
constexpr uint8_t kProtocolUdp = 17;

// The file's own fields, in the byte order that its magic number names: little endian.
void PutFile32(std::string& out, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift));
}
void PutFile16(std::string& out, uint16_t value) {
  out.push_back(static_cast<char>(value));
  out.push_back(static_cast<char>(value >> 8));
}
void PutNet16(std::string& out, size_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value));
}
void SetNet16(std::string& out, size_t at, uint16_t value) {
  out[at] = static_cast<char>(value >> 8);
  out[at + 1] = static_cast<char>(value);
}

// The Internet checksum (RFC 1071) over `text`, on top of `sum`.
uint16_t InternetChecksum(absl::string_view text, uint32_t sum = 0) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint32_t>(static_cast<unsigned char>(text[i]));
    sum += i % 2 == 0 ? byte << 8 : byte;
    if (sum >= 0x10000) sum = (sum & 0xffff) + 1;
  }
  return static_cast<uint16_t>(~sum);
}

// Address as it stands in a header of that version: 4 or 16 bytes.
std::string AddressBytes(const Endpoint& endpoint, bool v4) {
  return std::string(reinterpret_cast<const char*>(endpoint.address.data()) + (v4 ? 12 : 0),
                     v4 ? 4 : 16);
}

std::string UdpDatagram(const Endpoint& from, const Endpoint& to, bool v4,
                        absl::string_view payload) {
  std::string udp;
  PutNet16(udp, from.port);
  PutNet16(udp, to.port);
  PutNet16(udp, kUdpHeader + payload.size());
  PutNet16(udp, 0);
  udp.append(payload.data(), payload.size());
  std::string pseudo = AddressBytes(from, v4) + AddressBytes(to, v4);
  pseudo.push_back(0);
  pseudo.push_back(static_cast<char>(kProtocolUdp));
  PutNet16(pseudo, udp.size());
  const uint16_t checksum = InternetChecksum(pseudo + udp);
  SetNet16(udp, 6, checksum == 0 ? 0xffff : checksum);
  return udp;
}

std::string IpPacket(const Endpoint& from, const Endpoint& to, absl::string_view payload,
                     uint16_t id) {
  const bool v4 = from.IsV4() && to.IsV4();
  const std::string udp = UdpDatagram(from, to, v4, payload);
  std::string ip;
  if (v4) {
    ip.push_back(0x45);
    ip.push_back(0x60);  // CS3, as we mark signalling
    PutNet16(ip, 20 + udp.size());
    PutNet16(ip, id);
    PutNet16(ip, 0);
    ip.push_back(64);
    ip.push_back(static_cast<char>(kProtocolUdp));
    PutNet16(ip, 0);
    ip += AddressBytes(from, v4) + AddressBytes(to, v4);
    SetNet16(ip, 10, InternetChecksum(ip));
  } else {
    ip.push_back(0x66);
    ip.push_back(0);
    PutNet16(ip, 0);
    PutNet16(ip, udp.size());
    ip.push_back(static_cast<char>(kProtocolUdp));
    ip.push_back(64);
    ip += AddressBytes(from, v4) + AddressBytes(to, v4);
  }
  return ip + udp;
}

}  // namespace

std::string LadderPcap(const Ladder& ladder, bool show_numbers) {
  std::string file;
  PutFile32(file, 0xa1b2c3d4);
  PutFile16(file, 2);
  PutFile16(file, 4);
  PutFile32(file, 0);
  PutFile32(file, 0);
  PutFile32(file, kSnapLength);
  PutFile32(file, kLinkTypeRaw);
  std::vector<const RecordedMessage*> messages;
  for (const LadderDialog& dialog : ladder.dialogs) {
    for (const LadderStep& step : dialog.steps) messages.push_back(&step.message);
  }
  std::stable_sort(messages.begin(), messages.end(),
                   [](const auto* a, const auto* b) { return a->at < b->at; });
  uint16_t id = 0;
  for (const RecordedMessage* message : messages) {
    std::string payload = show_numbers ? message->bytes : MaskNumbers(message->bytes);
    if (payload.size() > kPayloadMax) payload.resize(kPayloadMax);
    const bool out = message->direction == Direction::kOut;
    const std::string packet = IpPacket(out ? message->local : message->remote,
                                        out ? message->remote : message->local, payload, ++id);
    const int64_t us = absl::ToUnixMicros(message->at);
    PutFile32(file, static_cast<uint32_t>(us / 1'000'000));
    PutFile32(file, static_cast<uint32_t>(us % 1'000'000));
    PutFile32(file, static_cast<uint32_t>(packet.size()));
    PutFile32(file, static_cast<uint32_t>(packet.size() - payload.size() +
                                          std::max(payload.size(), message->size_on_wire)));
    file += packet;
  }
  return file;
}

}  // namespace outpace::trace
