// Session descriptions from whoever answers the phone. Under every policy: no crash, what was
// accepted keeps to the policy, and our answer to it is a description that we would accept
// ourselves. The masking of keys for logs takes any text.

#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "engine/base/check.h"
#include "engine/media/sdes.h"
#include "engine/media/sdp.h"

namespace outpace::media {
namespace {

size_t MediaLines(absl::string_view sdp) {
  size_t lines = 0;
  for (absl::string_view line : absl::StrSplit(sdp, '\n')) {
    if (absl::StartsWith(line, "m=")) ++lines;
  }
  return lines;
}

void CheckAnswer(const RemoteMedia& remote, const SdpPolicy& policy) {
  OUTPACE_CHECK(!remote.codecs.empty() && remote.codecs.size() <= kCodecsMax);
  OUTPACE_CHECK(remote.address.port != 0 || remote.old_style_hold);
  OUTPACE_CHECK(remote.ptime_ms <= 200 && remote.maxptime_ms <= 200);
  OUTPACE_CHECK(!remote.secure || policy.security != Security::kNever);
  OUTPACE_CHECK(remote.secure || policy.security != Security::kMust);
  OUTPACE_CHECK(remote.secure == !remote.crypto.empty());
  const int packet = PacketMilliseconds(remote.ptime_ms, remote.maxptime_ms);
  OUTPACE_CHECK(packet >= 10 && packet <= 60 && packet % 10 == 0);

  LocalMedia local;
  const auto ours = IpAddress::Parse(policy.ipv6 ? "2001:db8::1" : "192.0.2.1");
  OUTPACE_CHECK(ours.ok());
  local.address = {*ours, 20'000};
  local.direction = Mirror(remote.direction);
  local.rtcp_mux = true;
  local.comfort_noise = true;
  if (remote.secure) local.crypto = absl::MakeConstSpan(remote.crypto).subspan(0, 1);
  const std::string answer = BuildAnswer(local, remote);
  SdpPolicy same = policy;
  same.security = remote.secure ? Security::kMust : Security::kNever;
  const auto again = ParseSdp(answer, same);
  OUTPACE_CHECK(again.ok());
  OUTPACE_CHECK(again->address == local.address);
  OUTPACE_CHECK(again->codecs.size() == remote.codecs.size());
  for (size_t i = 0; i < remote.codecs.size(); ++i) {
    OUTPACE_CHECK(again->codecs[i].codec == remote.codecs[i].codec);
    OUTPACE_CHECK(again->codecs[i].payload_type == remote.codecs[i].payload_type);
  }
  OUTPACE_CHECK(again->event_type == remote.event_type && again->event_rate == remote.event_rate);
  OUTPACE_CHECK(again->comfort_noise == remote.comfort_noise);
  OUTPACE_CHECK(MediaLines(answer) ==
                1 + MediaLines(remote.refused_before) + MediaLines(remote.refused_after));
}

}  // namespace
}  // namespace outpace::media

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace outpace::media;  // NOLINT: one function
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  for (const Security security : {Security::kNever, Security::kMay, Security::kMust}) {
    for (const bool ipv6 : {false, true}) {
      for (const bool lax : {false, true}) {
        SdpPolicy policy;
        policy.allow_loopback = policy.allow_hold_address = policy.allow_link_local = lax;
        policy.ipv6 = ipv6;
        if (lax) {
          policy.codecs = {outpace::codec::Codec::kOpus, outpace::codec::Codec::kG722,
                           outpace::codec::Codec::kPcma, outpace::codec::Codec::kPcmu};
        }
        policy.security = security;
        const auto remote = ParseSdp(text, policy);
        if (remote.ok()) CheckAnswer(*remote, policy);
      }
    }
  }
  const std::string masked = RedactKeys(text);
  OUTPACE_CHECK(RedactKeys(masked) == masked);
  return 0;
}
