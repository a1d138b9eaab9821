#include "tests/engine/media/srtp_phone.h"

#include <gtest/gtest.h>

#include <cstring>
#include <mutex>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace outpace::media {

LibSrtp::LibSrtp(const SrtpKey& key, Way way, absl::string_view mki) : mki_(!mki.empty()) {
  static std::once_flag once;
  std::call_once(once, [] { EXPECT_EQ(srtp_init(), srtp_err_status_ok); });
  srtp_policy_t policy;
  std::memset(&policy, 0, sizeof policy);
  switch (key.suite) {
    case SrtpSuite::kAesCm128Sha1_80:
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
      break;
    case SrtpSuite::kAesCm256Sha1_80:
      srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtp);
      srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtcp);
      break;
    case SrtpSuite::kAesCm128Sha1_32:
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
      break;
  }
  policy.ssrc.type = way == Way::kIn ? ssrc_any_inbound : ssrc_any_outbound;
  policy.window_size = 128;
  auto octets = key.octets;
  std::string mki_octets(mki);
  srtp_master_key_t master{.key = octets.data(),
                           .mki_id = reinterpret_cast<unsigned char*>(mki_octets.data()),
                           .mki_size = static_cast<unsigned>(mki_octets.size())};
  srtp_master_key_t* masters[] = {&master};
  if (mki_) {
    policy.keys = masters;
    policy.num_master_keys = 1;
  } else {
    policy.key = octets.data();
  }
  EXPECT_EQ(srtp_create(&session_, &policy), srtp_err_status_ok);
}

LibSrtp::~LibSrtp() { srtp_dealloc(session_); }

namespace {

template <typename F>
std::optional<std::string> Run(absl::string_view packet, F f) {
  std::vector<uint32_t> room((packet.size() + SRTP_MAX_TRAILER_LEN + 16) / 4 + 1);
  std::memcpy(room.data(), packet.data(), packet.size());
  int size = static_cast<int>(packet.size());
  if (f(room.data(), &size) != srtp_err_status_ok) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(room.data()), static_cast<size_t>(size));
}

}  // namespace

std::optional<std::string> LibSrtp::Protect(absl::string_view packet) {
  return Run(packet, [&](void* p, int* n) {
    return mki_ ? srtp_protect_mki(session_, p, n, 1, 0) : srtp_protect(session_, p, n);
  });
}
std::optional<std::string> LibSrtp::Unprotect(absl::string_view packet) {
  return Run(packet, [&](void* p, int* n) { return srtp_unprotect(session_, p, n); });
}
std::optional<std::string> LibSrtp::ProtectReport(absl::string_view packet) {
  return Run(packet, [&](void* p, int* n) { return srtp_protect_rtcp(session_, p, n); });
}
std::optional<std::string> LibSrtp::UnprotectReport(absl::string_view packet) {
  return Run(packet, [&](void* p, int* n) { return srtp_unprotect_rtcp(session_, p, n); });
}

SrtpKey KeyOf(SrtpSuite suite, uint8_t first) {
  SrtpKey key;
  key.suite = suite;
  for (size_t i = 0; i < SrtpKeySize(suite); ++i) key.octets[i] = static_cast<uint8_t>(first + i);
  return key;
}

std::vector<SdesLine> CryptoOf(absl::string_view sdp) {
  std::vector<SdesLine> lines;
  for (absl::string_view line : absl::StrSplit(sdp, "\r\n")) {
    if (!absl::ConsumePrefix(&line, "a=crypto:")) continue;
    const auto parsed = ParseSdes(line);
    EXPECT_TRUE(parsed.has_value());
    if (parsed.has_value()) lines.push_back(*parsed);
  }
  return lines;
}

}  // namespace outpace::media
