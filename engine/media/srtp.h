#pragma once

// SRTP (RFC 3711) with the suites of SDES that every carrier and phone has: AES in counter mode and
// HMAC-SHA1. AES and SHA-1 are OpenSSL's; key derivation, roll-over, replay window and tags are
// here, because a session of Debian's libsrtp2 (built on NSS) takes 29 KiB and 8-16 us a packet
// where this takes about 1 KiB and 1 us. The tests hold it against libsrtp2 and known
// packets. See docs/decisions/srtp.md.
//
// A packet that fails is dropped and counted by the caller; it never ends a call (CVE-2021-41105
// was a switch that hung up). An object belongs to one thread at a time.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"

struct evp_cipher_ctx_st;  // OpenSSL's EVP_CIPHER_CTX

namespace outpace::media {

enum class SrtpSuite : uint8_t {
  kAesCm128Sha1_80,  // mandatory in RFC 4568 6.2.1
  kAesCm256Sha1_80,  // RFC 6188
  kAesCm128Sha1_32,  // RFC 4568 6.2.2: four octets of tag on RTP, ten on RTCP
};
size_t SrtpKeySize(SrtpSuite suite);  // master key and salt: 30 or 46 octets
size_t SrtpTagSize(SrtpSuite suite);  // of RTP: 10 or 4 octets

// What a protected packet is longer at most.
inline constexpr size_t kSrtpTrailerMax = 10;
inline constexpr size_t kSrtcpTrailerMax = 14;

// A master key and salt; wiped when it goes.
struct SrtpKey {
  SrtpKey() = default;
  SrtpKey(const SrtpKey&) = default;
  SrtpKey& operator=(const SrtpKey&) = default;
  ~SrtpKey();
  bool operator==(const SrtpKey&) const = default;

  SrtpSuite suite = SrtpSuite::kAesCm128Sha1_80;
  std::array<uint8_t, 46> octets{};  // SrtpKeySize(suite) of them; the rest is 0
};

// Where a packet stands in its stream: RFC 3711 3.3.1 and 3.3.2. One for each SSRC.
class SrtpIndex {
 public:
  // The 48-bit index of `seq`, guessed from the highest so far. Nothing changes.
  uint64_t Guess(uint16_t seq) const;
  // Whether `index` was taken already, or is too old to know.
  bool Taken(uint64_t index) const;
  void Take(uint64_t index);

 private:
  static constexpr uint64_t kWindow = 128;  // packets: 2.5 s of 20 ms
  uint64_t highest_ = 0;
  bool started_ = false;
  uint64_t seen_[2] = {0, 0};  // bit n: highest_ - n
};

// The session keys of one direction and the ciphers that use them.
class SrtpKeys {
 public:
  explicit SrtpKeys(const SrtpKey& master);
  ~SrtpKeys();
  SrtpKeys(const SrtpKeys&) = delete;
  SrtpKeys& operator=(const SrtpKeys&) = delete;

  size_t tag_size() const { return tag_size_; }
  // En- or decrypts `payload` of packet `index` in place.
  void Crypt(uint32_t ssrc, uint64_t index, absl::Span<uint8_t> payload);
  // The first tag_size() octets of HMAC(packet || roc) to `tag`.
  void Tag(absl::Span<const uint8_t> packet, uint64_t index, uint8_t* tag) const;
  // A report of ours (RFC 3711 3.4): `room` holds `size` octets of compound RTCP and at least
  // kSrtcpTrailerMax more. The new size.
  size_t ProtectReport(absl::Span<uint8_t> room, size_t size, uint32_t index) const;

 private:
  struct Hmac {
    void SetKey(const uint8_t key[20]);
    void Sum(absl::Span<const uint8_t> data, const uint8_t* more, size_t more_size,
             uint8_t sum[20]) const;
    // SHA-1 after the block of inner and outer padding: five words each.
    std::array<uint32_t, 5> inner, outer;
  };
  size_t key_size_ = 16;
  size_t tag_size_ = 10;
  evp_cipher_ctx_st* cipher_ = nullptr;
  std::array<uint8_t, 14> salt_{};
  Hmac hmac_;
  std::array<uint8_t, 32> report_key_{};
  std::array<uint8_t, 14> report_salt_{};
  Hmac report_hmac_;
};

// What leaves a leg.
class SrtpSender {
 public:
  explicit SrtpSender(const SrtpKey& key) : keys_(key) {}
  // `room` holds a valid RTP packet of `size` octets, its payload at `payload_offset`, and at least
  // kSrtpTrailerMax octets more. The new size; 0 when the sequence number was used already or is
  // too old: two payloads under one index would give both away.
  size_t Protect(absl::Span<uint8_t> room, size_t size, size_t payload_offset);
  // Likewise for RTCP, with kSrtcpTrailerMax.
  size_t ProtectReport(absl::Span<uint8_t> room, size_t size);

 private:
  SrtpKeys keys_;
  SrtpIndex index_;
  uint32_t report_index_ = 0;
};

enum class SrtpCheck {
  kOk,
  kShort,     // no room for a tag and a payload, or not RTP
  kReplayed,  // heard already, or too old to know
  kBadTag,    // not from who has the key
};

// What arrives at a leg.
class SrtpReceiver {
 public:
  // `mki_size`: octets of key identifier before each tag (RFC 3711 3.1); they are not looked at,
  // for there is one key.
  explicit SrtpReceiver(const SrtpKey& key, size_t mki_size = 0)
      : keys_(key), mki_size_(mki_size) {}
  // Checks and decrypts `datagram` in place; `*size` is then that of the plain RTP packet. Nothing
  // is decrypted, and no state changes, unless the tag is right.
  SrtpCheck Unprotect(absl::Span<uint8_t> datagram, size_t* size);

 private:
  struct Stream {
    uint32_t ssrc = 0;
    SrtpIndex index;
  };
  // One that changes its SSRC more often than this loses the oldest one's replay window, not the
  // call.
  static constexpr size_t kStreamsMax = 32;
  SrtpKeys keys_;
  const size_t mki_size_;
  std::vector<Stream> streams_;  // newest last
};

}  // namespace outpace::media
