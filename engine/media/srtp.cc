// SHA-1's state is copied for each packet; OpenSSL 3 offers that without an allocation only through
// the functions it calls deprecated.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "engine/media/srtp.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>

#include "engine/base/check.h"
#include "engine/media/rtp_packet.h"

namespace outpace::media {
namespace {

// Labels of the key derivation, RFC 3711 4.3.2.
enum Label : uint8_t {
  kRtpKey = 0,
  kRtpAuth = 1,
  kRtpSalt = 2,
  kRtcpKey = 3,
  kRtcpAuth = 4,
  kRtcpSalt = 5,
};
constexpr size_t kSaltSize = 14;
constexpr size_t kAuthKeySize = 20;
constexpr size_t kRtcpTagSize = 10;  // whatever the suite: RFC 4568 6.2.2

size_t CipherKeySize(SrtpSuite suite) { return suite == SrtpSuite::kAesCm256Sha1_80 ? 32 : 16; }

using Iv = std::array<uint8_t, 16>;

EVP_CIPHER_CTX* NewCipher(const uint8_t* key, size_t key_size) {
  EVP_CIPHER_CTX* const cipher = EVP_CIPHER_CTX_new();
  OUTPACE_CHECK(cipher != nullptr);
  const EVP_CIPHER* const type = key_size == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
  OUTPACE_CHECK(EVP_EncryptInit_ex(cipher, type, nullptr, key, nullptr) == 1);
  return cipher;
}

// Counter mode is its own inverse.
void Counter(EVP_CIPHER_CTX* cipher, const Iv& iv, uint8_t* data, size_t size) {
  int done = 0;
  OUTPACE_CHECK(EVP_EncryptInit_ex(cipher, nullptr, nullptr, nullptr, iv.data()) == 1);
  OUTPACE_CHECK(EVP_EncryptUpdate(cipher, data, &done, data, static_cast<int>(size)) == 1);
}

// RFC 3711 4.3.1 with a key derivation rate of 0: r is 0, so the label alone enters.
void Derive(EVP_CIPHER_CTX* master, const uint8_t* master_salt, Label label, uint8_t* out,
            size_t size) {
  Iv iv{};
  std::copy(master_salt, master_salt + kSaltSize, iv.begin());
  iv[7] ^= label;
  std::fill(out, out + size, uint8_t{0});
  Counter(master, iv, out, size);
}

// RFC 3711 4.1.1: (salt * 2^16) ^ (SSRC * 2^64) ^ (index * 2^16).
Iv MakeIv(const std::array<uint8_t, kSaltSize>& salt, uint32_t ssrc, uint64_t index) {
  Iv iv{};
  std::copy(salt.begin(), salt.end(), iv.begin());
  for (size_t i = 0; i < 4; ++i) iv[4 + i] ^= static_cast<uint8_t>(ssrc >> (24 - 8 * i));
  for (size_t i = 0; i < 6; ++i) iv[8 + i] ^= static_cast<uint8_t>(index >> (40 - 8 * i));
  return iv;
}

void Write32(uint8_t* to, uint32_t value) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}
uint32_t Read32(const uint8_t* p) {
  return (static_cast<uint32_t>(p[0]) << 24) | (static_cast<uint32_t>(p[1]) << 16) |
         (static_cast<uint32_t>(p[2]) << 8) | p[3];
}
uint16_t Read16(const uint8_t* p) { return static_cast<uint16_t>((p[0] << 8) | p[1]); }

// SHA-1 that has taken in one block, from its five words.
SHA_CTX Resume(const std::array<uint32_t, 5>& words) {
  SHA_CTX sha;
  SHA1_Init(&sha);
  sha.h0 = words[0];
  sha.h1 = words[1];
  sha.h2 = words[2];
  sha.h3 = words[3];
  sha.h4 = words[4];
  sha.Nl = 8 * SHA_CBLOCK;
  return sha;
}

std::array<uint32_t, 5> AfterBlock(const uint8_t* key, uint8_t pad) {
  std::array<uint8_t, SHA_CBLOCK> block;
  block.fill(pad);
  for (size_t i = 0; i < kAuthKeySize; ++i) block[i] ^= key[i];
  SHA_CTX sha;
  SHA1_Init(&sha);
  SHA1_Update(&sha, block.data(), block.size());
  const std::array<uint32_t, 5> words = {sha.h0, sha.h1, sha.h2, sha.h3, sha.h4};
  OPENSSL_cleanse(&sha, sizeof sha);
  OPENSSL_cleanse(block.data(), block.size());
  return words;
}

}  // namespace

size_t SrtpKeySize(SrtpSuite suite) { return CipherKeySize(suite) + kSaltSize; }
size_t SrtpTagSize(SrtpSuite suite) { return suite == SrtpSuite::kAesCm128Sha1_32 ? 4 : 10; }

SrtpKey::~SrtpKey() { OPENSSL_cleanse(octets.data(), octets.size()); }

uint64_t SrtpIndex::Guess(uint16_t seq) const {
  if (!started_) return seq;
  const auto step = static_cast<int16_t>(static_cast<uint16_t>(seq - highest_));
  // Before the first packet of all there is no lower roll-over: the number is then far ahead.
  if (step < 0 && highest_ < static_cast<uint64_t>(-step)) return seq;
  return highest_ + static_cast<uint64_t>(static_cast<int64_t>(step));
}

bool SrtpIndex::Taken(uint64_t index) const {
  if (!started_ || index > highest_) return false;
  const uint64_t back = highest_ - index;
  if (back >= kWindow) return true;
  return ((seen_[back / 64] >> (back % 64)) & 1) != 0;
}

void SrtpIndex::Take(uint64_t index) {
  if (!started_ || index > highest_) {
    const uint64_t step = started_ ? index - highest_ : kWindow;
    if (step >= kWindow) {
      seen_[0] = seen_[1] = 0;
    } else if (step >= 64) {
      seen_[1] = step == 64 ? seen_[0] : seen_[0] << (step - 64);
      seen_[0] = 0;
    } else {
      seen_[1] = (seen_[1] << step) | (seen_[0] >> (64 - step));
      seen_[0] <<= step;
    }
    highest_ = index;
    started_ = true;
  }
  const uint64_t back = highest_ - index;
  if (back < kWindow) seen_[back / 64] |= uint64_t{1} << (back % 64);
}

void SrtpKeys::Hmac::SetKey(const uint8_t key[kAuthKeySize]) {
  inner = AfterBlock(key, 0x36);
  outer = AfterBlock(key, 0x5c);
}

void SrtpKeys::Hmac::Sum(absl::Span<const uint8_t> data, const uint8_t* more, size_t more_size,
                         uint8_t sum[20]) const {
  SHA_CTX sha = Resume(inner);
  SHA1_Update(&sha, data.data(), data.size());
  SHA1_Update(&sha, more, more_size);
  SHA1_Final(sum, &sha);
  sha = Resume(outer);
  SHA1_Update(&sha, sum, SHA_DIGEST_LENGTH);
  SHA1_Final(sum, &sha);
}

SrtpKeys::SrtpKeys(const SrtpKey& master)
    : key_size_(CipherKeySize(master.suite)), tag_size_(SrtpTagSize(master.suite)) {
  const uint8_t* const master_salt = master.octets.data() + key_size_;
  EVP_CIPHER_CTX* const derive = NewCipher(master.octets.data(), key_size_);
  std::array<uint8_t, 32> key{};
  std::array<uint8_t, kAuthKeySize> auth{};
  Derive(derive, master_salt, kRtpKey, key.data(), key_size_);
  Derive(derive, master_salt, kRtpAuth, auth.data(), auth.size());
  Derive(derive, master_salt, kRtpSalt, salt_.data(), salt_.size());
  cipher_ = NewCipher(key.data(), key_size_);
  hmac_.SetKey(auth.data());
  Derive(derive, master_salt, kRtcpKey, report_key_.data(), key_size_);
  Derive(derive, master_salt, kRtcpAuth, auth.data(), auth.size());
  Derive(derive, master_salt, kRtcpSalt, report_salt_.data(), report_salt_.size());
  report_hmac_.SetKey(auth.data());
  EVP_CIPHER_CTX_free(derive);  // wipes its key schedule
  OPENSSL_cleanse(key.data(), key.size());
  OPENSSL_cleanse(auth.data(), auth.size());
}

SrtpKeys::~SrtpKeys() {
  EVP_CIPHER_CTX_free(cipher_);
  OPENSSL_cleanse(salt_.data(), salt_.size());
  OPENSSL_cleanse(report_key_.data(), report_key_.size());
  OPENSSL_cleanse(report_salt_.data(), report_salt_.size());
  OPENSSL_cleanse(&hmac_, sizeof hmac_);
  OPENSSL_cleanse(&report_hmac_, sizeof report_hmac_);
}

void SrtpKeys::Crypt(uint32_t ssrc, uint64_t index, absl::Span<uint8_t> payload) {
  Counter(cipher_, MakeIv(salt_, ssrc, index), payload.data(), payload.size());
}

void SrtpKeys::Tag(absl::Span<const uint8_t> packet, uint64_t index, uint8_t* tag) const {
  uint8_t roc[4];
  Write32(roc, static_cast<uint32_t>(index >> 16));
  uint8_t sum[20];
  hmac_.Sum(packet, roc, sizeof roc, sum);
  std::copy(sum, sum + tag_size_, tag);
}

size_t SrtpKeys::ProtectReport(absl::Span<uint8_t> room, size_t size, uint32_t index) const {
  constexpr size_t kPlain = 8;  // header and SSRC of the first report
  OUTPACE_CHECK(size >= kPlain && size + kSrtcpTrailerMax <= room.size());
  // Reports are rare: a cipher for each costs less than one kept for each leg.
  EVP_CIPHER_CTX* const cipher = NewCipher(report_key_.data(), key_size_);
  Counter(cipher, MakeIv(report_salt_, Read32(room.data() + 4), index), room.data() + kPlain,
          size - kPlain);
  EVP_CIPHER_CTX_free(cipher);
  Write32(room.data() + size, 0x80000000u | index);  // E: encrypted
  uint8_t sum[20];
  report_hmac_.Sum(room.first(size + 4), nullptr, 0, sum);
  std::copy(sum, sum + kRtcpTagSize, room.data() + size + 4);
  return size + 4 + kRtcpTagSize;
}

size_t SrtpSender::Protect(absl::Span<uint8_t> room, size_t size, size_t payload_offset) {
  OUTPACE_CHECK(payload_offset >= kRtpHeaderSize && payload_offset <= size &&
                size + kSrtpTrailerMax <= room.size());
  const uint64_t index = index_.Guess(Read16(room.data() + 2));
  if (index_.Taken(index)) return 0;
  index_.Take(index);
  keys_.Crypt(Read32(room.data() + 8), index, room.subspan(payload_offset, size - payload_offset));
  keys_.Tag(room.first(size), index, room.data() + size);
  return size + keys_.tag_size();
}

size_t SrtpSender::ProtectReport(absl::Span<uint8_t> room, size_t size) {
  report_index_ = (report_index_ + 1) & 0x7fffffff;
  return keys_.ProtectReport(room, size, report_index_);
}

SrtpCheck SrtpReceiver::Unprotect(absl::Span<uint8_t> datagram, size_t* size) {
  const size_t trailer = keys_.tag_size() + mki_size_;
  if (datagram.size() <= kRtpHeaderSize + trailer) return SrtpCheck::kShort;
  const absl::Span<uint8_t> packet = datagram.first(datagram.size() - trailer);
  // Only the header's own length is needed here, and it is not encrypted: padding is.
  const size_t offset = RtpPayloadOffset(packet);
  if (offset == 0) return SrtpCheck::kShort;
  const uint32_t ssrc = Read32(packet.data() + 8);
  const auto stream = std::find_if(streams_.begin(), streams_.end(),
                                   [&](const Stream& s) { return s.ssrc == ssrc; });
  const bool known = stream != streams_.end();
  const uint16_t seq = Read16(packet.data() + 2);
  const uint64_t index = known ? stream->index.Guess(seq) : seq;
  // Before the tag: a replay costs no hash. What it tells a stranger is what he sent himself.
  if (known && stream->index.Taken(index)) return SrtpCheck::kReplayed;

  uint8_t tag[kSrtpTrailerMax];
  keys_.Tag(packet, index, tag);
  if (CRYPTO_memcmp(tag, datagram.data() + datagram.size() - keys_.tag_size(), keys_.tag_size()) !=
      0) {
    return SrtpCheck::kBadTag;
  }
  keys_.Crypt(ssrc, index, packet.subspan(offset));
  if (known) {
    stream->index.Take(index);
  } else {
    if (streams_.size() == kStreamsMax) streams_.erase(streams_.begin());
    streams_.push_back({.ssrc = ssrc, .index = {}});
    streams_.back().index.Take(index);
  }
  *size = packet.size();
  return SrtpCheck::kOk;
}

}  // namespace outpace::media
