#include "engine/resolve/targets.h"

#include <arpa/inet.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace outpace::resolve {
namespace {

bool IsIpv4(const std::string& text) {
  in_addr address;
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
}

bool IsIpv6(const std::string& text) {
  in6_addr address;
  return inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

bool IsHostName(absl::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  for (absl::string_view label : absl::StrSplit(name, '.')) {
    if (label.empty() || label.size() > 63) return false;
    for (const char c : label) {
      if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_') return false;
    }
  }
  return true;
}

auto Identity(const Target& t) {
  // Heavier hosts of one priority first: they are kept if there are too many.
  return std::make_tuple(t.priority, -static_cast<int>(t.weight), absl::string_view(t.host), t.port,
                         t.ipv6, absl::string_view(t.address));
}

bool SameHost(const Target& a, const Target& b) {
  return a.priority == b.priority && a.weight == b.weight && a.host == b.host && a.port == b.port;
}

void Sort(std::vector<Target>& targets) {
  std::sort(targets.begin(), targets.end(),
            [](const Target& a, const Target& b) { return Identity(a) < Identity(b); });
  targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
}

// Ends of the runs of targets of one host each, in sorted `targets`.
std::vector<size_t> HostEnds(const std::vector<Target>& targets) {
  std::vector<size_t> ends;
  for (size_t i = 1; i <= targets.size(); ++i) {
    if (i == targets.size() || !SameHost(targets[i], targets[i - 1])) ends.push_back(i);
  }
  return ends;
}

}  // namespace

absl::StatusOr<Peer> ParsePeer(absl::string_view text) {
  const auto fault = [&](absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat("peer: ", what,
                     "; write e.g. \"192.0.2.10:5060\", \"[2001:db8::1]:5061\", "
                     "\"sip.carrier.example\" or \"sip.carrier.example:5060\""));
  };
  Peer peer;
  absl::string_view host = text, port;
  bool has_port = false, brackets = false;
  if (absl::ConsumePrefix(&host, "[")) {
    const size_t close = host.find(']');
    if (close == absl::string_view::npos) return fault("']' is missing");
    port = host.substr(close + 1);
    host = host.substr(0, close);
    brackets = true;
    has_port = !port.empty();
    if (has_port && !absl::ConsumePrefix(&port, ":")) return fault("':' is missing after ']'");
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    const size_t colon = text.find(':');
    port = text.substr(colon + 1);
    host = text.substr(0, colon);
    has_port = true;
  }
  if (has_port) {
    uint32_t number = 0;
    const bool digits =
        !port.empty() && port.size() <= 5 && std::all_of(port.begin(), port.end(), [](char c) {
          return absl::ascii_isdigit(static_cast<unsigned char>(c));
        });
    if (!digits || !absl::SimpleAtoi(port, &number) || number < 1 || number > 65535) {
      return fault("the port must be 1 to 65535");
    }
    peer.port = static_cast<uint16_t>(number);
  }
  peer.host = absl::AsciiStrToLower(host);
  if (IsIpv6(peer.host) || (!brackets && IsIpv4(peer.host))) {
    peer.numeric = true;
    return peer;
  }
  if (brackets) return fault("no IPv6 address in the brackets");
  if (absl::EndsWith(peer.host, ".")) peer.host.pop_back();  // the root: names are always full
  if (!IsHostName(peer.host)) return fault("neither an address nor a host name");
  // "192.0.2.256" is a slip, and no top-level domain is a number.
  const size_t dot = peer.host.rfind('.');
  const absl::string_view last =
      absl::string_view(peer.host).substr(dot == std::string::npos ? 0 : dot + 1);
  if (std::all_of(last.begin(), last.end(),
                  [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); })) {
    return fault("no valid IPv4 address");
  }
  return peer;
}

absl::string_view SrvPrefix(Transport transport) {
  switch (transport) {
    case Transport::kUdp:
      return "_sip._udp.";
    case Transport::kTcp:
      return "_sip._tcp.";
    case Transport::kTls:
      return "_sips._tcp.";
  }
  return "_sip._udp.";
}

uint16_t DefaultPort(Transport transport) { return transport == Transport::kTls ? 5061 : 5060; }

std::string Target::ToString() const {
  return ipv6 ? absl::StrCat("[", address, "]:", port) : absl::StrCat(address, ":", port);
}

void CapTargets(std::vector<Target>& targets) {
  Sort(targets);
  if (targets.size() <= static_cast<size_t>(kTargetsMax)) return;
  // Every host gets one place, then every host a second, until all are given.
  const std::vector<size_t> ends = HostEnds(targets);
  std::vector<size_t> kept(ends.size(), 0);
  const auto size_of = [&](size_t h) { return ends[h] - (h == 0 ? 0 : ends[h - 1]); };
  for (int left = kTargetsMax; left > 0;) {
    for (size_t h = 0; h < ends.size() && left > 0; ++h) {
      if (kept[h] < size_of(h)) ++kept[h], --left;
    }
  }
  std::vector<Target> out;
  for (size_t h = 0; h < ends.size(); ++h) {
    const size_t first = ends[h] - size_of(h);
    for (size_t i = 0; i < kept[h]; ++i) out.push_back(std::move(targets[first + i]));
  }
  targets = std::move(out);
}

void OrderTargets(std::vector<Target>& targets, Rng& rng) {
  Sort(targets);
  struct Host {
    size_t first, end;
    uint16_t priority, weight;
  };
  std::vector<Host> hosts;
  size_t first = 0;
  for (const size_t end : HostEnds(targets)) {
    hosts.push_back({first, end, targets[first].priority, targets[first].weight});
    // IPv4 sorts in front of IPv6; each family is shuffled by itself (Fisher and Yates).
    size_t ipv6 = first;
    while (ipv6 < end && !targets[ipv6].ipv6) ++ipv6;
    for (const auto& [from, to] : {std::pair(first, ipv6), std::pair(ipv6, end)}) {
      for (size_t i = to; i > from + 1; --i) {
        std::swap(targets[i - 1], targets[from + rng.Below(i - from)]);
      }
    }
    first = end;
  }
  std::vector<Target> out;
  out.reserve(targets.size());
  for (size_t i = 0; i < hosts.size(); ++i) {
    size_t group_end = i;
    uint64_t sum = 0;
    while (group_end < hosts.size() && hosts[group_end].priority == hosts[i].priority) {
      sum += hosts[group_end++].weight;
    }
    // RFC 2782: those of weight 0 stand first in the running sum, and the point is drawn from
    // 0 to the sum, both included, so that they have a small chance.
    std::stable_partition(hosts.begin() + static_cast<ptrdiff_t>(i),
                          hosts.begin() + static_cast<ptrdiff_t>(group_end),
                          [](const Host& h) { return h.weight == 0; });
    const uint64_t point = rng.Below(sum + 1);
    size_t chosen = i;
    for (uint64_t running = hosts[i].weight; running < point;) running += hosts[++chosen].weight;
    std::rotate(hosts.begin() + static_cast<ptrdiff_t>(i),
                hosts.begin() + static_cast<ptrdiff_t>(chosen),
                hosts.begin() + static_cast<ptrdiff_t>(chosen) + 1);
    for (size_t t = hosts[i].first; t < hosts[i].end; ++t) out.push_back(std::move(targets[t]));
  }
  targets = std::move(out);
}

}  // namespace outpace::resolve
