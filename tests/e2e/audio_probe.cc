#include "tests/e2e/audio_probe.h"

#include <poll.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"
#include "tests/e2e/process.h"

namespace outpace::e2e {
namespace {

constexpr uint32_t kFrame = 160;
constexpr size_t kHeader = 12;  // RFC 3550 5.1

// Says `word` every 20 ms until `to` has heard it. False: not within five seconds.
bool SpeakUntilHeard(AudioProbe& from, AudioProbe& to, const std::string& word) {
  const Deadline deadline(absl::Seconds(5));
  while (!deadline.passed()) {
    from.Send(word);
    for (const AudioPacket& packet : to.Receive(absl::Milliseconds(20))) {
      if (packet.payload == word) return true;
    }
  }
  return false;
}

// Whether `heard` holds exactly `said`; packets before the first of them are of an earlier word.
std::string Compare(const std::vector<AudioPacket>& heard, const std::vector<std::string>& said,
                    const char* who) {
  size_t at = 0;
  while (at < heard.size() && heard[at].payload != said[0]) ++at;
  if (heard.size() - at != said.size()) {
    return absl::StrCat(who, " heard ", heard.size() - at, " packets of ", said.size(), "; ");
  }
  for (size_t i = 0; i < said.size(); ++i) {
    const AudioPacket& packet = heard[at + i];
    if (packet.payload != said[i]) return absl::StrCat(who, ": packet ", i, " differs; ");
    if (packet.payload_type != 0) return absl::StrCat(who, ": packet ", i, " is not PCMU; ");
    if (i == 0) continue;
    const AudioPacket& before = heard[at + i - 1];
    if (packet.ssrc != before.ssrc ||
        packet.sequence != static_cast<uint16_t>(before.sequence + 1) ||
        packet.timestamp != before.timestamp + kFrame) {
      return absl::StrCat(who, ": the stream breaks at packet ", i, "; ");
    }
  }
  return "";
}

}  // namespace

absl::StatusOr<AudioProbe> AudioProbe::Bind() {
  auto socket = farend::UdpSocket::Bind({0x7f000001, 0}, /*even_port=*/true, 1 << 20);
  if (!socket.ok()) return socket.status();
  AudioProbe probe;
  probe.socket_ = *std::move(socket);
  return probe;
}

void AudioProbe::Send(const std::string& payload) { SendPacket(0, false, payload, kFrame); }

void AudioProbe::SendPacket(int payload_type, bool marker, const std::string& payload,
                            uint32_t duration) {
  if (!peer_.valid()) return;
  std::string packet(kHeader, '\0');
  packet[0] = static_cast<char>(0x80);
  packet[1] = static_cast<char>(payload_type | (marker ? 0x80 : 0));
  packet[2] = static_cast<char>(sequence_ >> 8);
  packet[3] = static_cast<char>(sequence_);
  for (size_t i = 0; i < 4; ++i) {
    packet[4 + i] = static_cast<char>(timestamp_ >> (24 - 8 * i));
    packet[8 + i] = static_cast<char>(0x5eed0000u >> (24 - 8 * i));
  }
  socket_.Send(peer_, packet + payload);
  ++sequence_;
  timestamp_ += duration;
}

std::vector<AudioPacket> AudioProbe::Receive(absl::Duration how_long, size_t packets) {
  const Deadline deadline(how_long);
  std::vector<AudioPacket> heard;
  while (heard.size() < packets) {
    char buffer[2048];
    farend::Endpoint from;
    absl::Time at;
    const ptrdiff_t size = socket_.Receive(buffer, sizeof buffer, &from, &at);
    if (size < 0) {
      const int64_t left_us = absl::ToInt64Microseconds(deadline.left());
      if (left_us <= 0) return heard;
      pollfd readable{socket_.fd(), POLLIN, 0};
      ::poll(&readable, 1, static_cast<int>((left_us + 999) / 1000));
      continue;
    }
    const auto byte = [&buffer](size_t i) { return static_cast<uint8_t>(buffer[i]); };
    if (static_cast<size_t>(size) < kHeader || byte(0) >> 6 != 2) continue;
    if (!peer_.valid()) peer_ = from;
    AudioPacket packet;
    packet.at = at;
    packet.marker = (byte(1) & 0x80) != 0;
    packet.payload_type = byte(1) & 0x7f;
    packet.sequence = static_cast<uint16_t>(byte(2) << 8 | byte(3));
    for (size_t i = 0; i < 4; ++i) {
      packet.timestamp = packet.timestamp << 8 | byte(4 + i);
      packet.ssrc = packet.ssrc << 8 | byte(8 + i);
    }
    packet.payload.assign(buffer + kHeader, static_cast<size_t>(size) - kHeader);
    heard.push_back(std::move(packet));
  }
  return heard;
}

std::vector<std::string> Pattern(uint64_t seed, int count) {
  Rng rng(seed);
  std::vector<std::string> payloads;
  for (int i = 0; i < count; ++i) {
    std::string payload(kFrame, '\0');
    for (char& byte : payload) byte = static_cast<char>(rng.Below(256));
    payloads.push_back(std::move(payload));
  }
  return payloads;
}

std::string CompareBothWays(AudioProbe& lead, AudioProbe& agent, int packets) {
  // The lead's side learns the engine's address from the first packet, as a symmetric phone does.
  const std::string hello_agent(kFrame, 'A'), hello_lead(kFrame, 'L');
  if (!SpeakUntilHeard(agent, lead, hello_agent)) return "the lead never heard the agent";
  if (!SpeakUntilHeard(lead, agent, hello_lead)) return "the agent never heard the lead";
  const std::vector<std::string> from_lead = Pattern(1, packets), from_agent = Pattern(2, packets);
  std::vector<AudioPacket> at_lead, at_agent;
  const auto keep = [](std::vector<AudioPacket> more, std::vector<AudioPacket>& all) {
    all.insert(all.end(), more.begin(), more.end());
  };
  for (size_t i = 0; i < from_lead.size(); ++i) {
    const Deadline frame(absl::Milliseconds(20));
    lead.Send(from_lead[i]);
    agent.Send(from_agent[i]);
    keep(lead.Receive(absl::Milliseconds(10)), at_lead);
    keep(agent.Receive(frame.left()), at_agent);
  }
  keep(lead.Receive(absl::Milliseconds(300)), at_lead);
  keep(agent.Receive(absl::Milliseconds(300)), at_agent);
  return absl::StrCat(Compare(at_lead, from_agent, "lead"), Compare(at_agent, from_lead, "agent"));
}

}  // namespace outpace::e2e
