#include "engine/record/sealed.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace outpace::record {
namespace {

constexpr absl::string_view kMagic("OUTPREC\x01", 8);
constexpr absl::string_view kKeyLabel = "outpace recording file key 1";
constexpr uint32_t kFinalBit = 1u << 31;
constexpr size_t kFormatAt = 8, kKeyAt = 16, kSaltAt = 24;

uint8_t* Octets(std::string& text, size_t at) {
  return reinterpret_cast<uint8_t*>(text.data()) + at;
}
const uint8_t* Octets(absl::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

SealedHeader NewHeader(const Key& key, Format format) {
  SealedHeader header;
  header.format = format;
  header.key = key.id;
  OUTPACE_CHECK(::RAND_bytes(header.salt.data(), static_cast<int>(header.salt.size())) == 1);
  header.bytes.assign(kSealedHeaderBytes, '\0');
  std::copy(kMagic.begin(), kMagic.end(), header.bytes.begin());
  header.bytes[kFormatAt] = static_cast<char>(format);
  std::copy(key.id.begin(), key.id.end(), header.bytes.begin() + kKeyAt);
  std::copy(header.salt.begin(), header.salt.end(), header.bytes.begin() + kSaltAt);
  return header;
}

void Put32(uint32_t value, std::string& to) {
  for (int shift = 0; shift < 32; shift += 8) to.push_back(static_cast<char>(value >> shift));
}

// Data and final chunks count apart: a file finished after a crash uses the number of a chunk that
// may have been torn, and must not use its nonce.
std::array<uint8_t, 12> NonceOf(uint64_t number, bool final) {
  std::array<uint8_t, 12> nonce{};
  nonce[0] = final ? 1 : 0;
  for (size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<uint8_t>(number >> (56 - 8 * i));
  return nonce;
}

}  // namespace

bool LooksSealed(absl::string_view bytes) {
  return bytes.size() >= kMagic.size() && bytes.substr(0, 7) == kMagic.substr(0, 7);
}

absl::StatusOr<SealedHeader> ParseSealedHeader(absl::string_view bytes) {
  if (bytes.size() < kSealedHeaderBytes || !LooksSealed(bytes)) {
    return absl::DataLossError("recordings: the file is no sealed recording, or was cut short");
  }
  if (bytes[7] != kMagic[7]) {
    return absl::FailedPreconditionError(
        "recordings: the file was sealed by a newer Outpace; use that one");
  }
  if (static_cast<uint8_t>(bytes[kFormatAt]) > static_cast<uint8_t>(Format::kOpus)) {
    return absl::DataLossError("recordings: the file's header is damaged");
  }
  SealedHeader header;
  header.format = static_cast<Format>(bytes[kFormatAt]);
  std::copy_n(bytes.begin() + kKeyAt, header.key.size(), header.key.begin());
  std::copy_n(bytes.begin() + kSaltAt, header.salt.size(), header.salt.begin());
  header.bytes = std::string(bytes.substr(0, kSealedHeaderBytes));
  return header;
}

ChunkCipher::ChunkCipher(const Key& key, const SealedHeader& header)
    : header_(header.bytes), context_(::EVP_CIPHER_CTX_new()) {
  OUTPACE_CHECK(context_ != nullptr);
  std::string input(kKeyLabel);
  input.append(reinterpret_cast<const char*>(header.salt.data()), header.salt.size());
  unsigned size = 0;
  OUTPACE_CHECK(::HMAC(::EVP_sha256(), key.octets.data(), static_cast<int>(key.octets.size()),
                       Octets(absl::string_view(input)), input.size(), key_.data(),
                       &size) != nullptr &&
                size == key_.size());
}

ChunkCipher::~ChunkCipher() {
  ::EVP_CIPHER_CTX_free(context_);
  ::explicit_bzero(key_.data(), key_.size());
}

std::string ChunkCipher::Associated(uint64_t number, uint32_t word) const {
  std::string text = header_;
  for (int shift = 0; shift < 64; shift += 8) text.push_back(static_cast<char>(number >> shift));
  Put32(word, text);
  return text;
}

void ChunkCipher::Seal(uint64_t number, bool final, absl::string_view text, std::string& to) {
  OUTPACE_CHECK(text.size() <= kChunkMax);
  const uint32_t word = static_cast<uint32_t>(text.size()) | (final ? kFinalBit : 0);
  const std::string associated = Associated(number, word);
  const std::array<uint8_t, 12> nonce = NonceOf(number, final);
  Put32(word, to);
  const size_t at = to.size();
  to.resize(at + text.size() + kTagBytes);
  int done = 0;
  OUTPACE_CHECK(
      ::EVP_EncryptInit_ex(context_, ::EVP_aes_256_gcm(), nullptr, key_.data(), nonce.data()) == 1);
  OUTPACE_CHECK(::EVP_EncryptUpdate(context_, nullptr, &done, Octets(absl::string_view(associated)),
                                    static_cast<int>(associated.size())) == 1);
  OUTPACE_CHECK(::EVP_EncryptUpdate(context_, Octets(to, at), &done, Octets(text),
                                    static_cast<int>(text.size())) == 1);
  OUTPACE_CHECK(::EVP_EncryptFinal_ex(context_, Octets(to, at + text.size()), &done) == 1);
  OUTPACE_CHECK(::EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_GCM_GET_TAG, static_cast<int>(kTagBytes),
                                      Octets(to, at + text.size())) == 1);
}

bool ChunkCipher::Unseal(uint64_t number, bool final, absl::string_view body, std::string& to) {
  if (body.size() < kTagBytes || body.size() > kChunkMax + kTagBytes) return false;
  const size_t size = body.size() - kTagBytes;
  const uint32_t word = static_cast<uint32_t>(size) | (final ? kFinalBit : 0);
  const std::string associated = Associated(number, word);
  const std::array<uint8_t, 12> nonce = NonceOf(number, final);
  std::string tag(body.substr(size));
  std::string text(size, '\0');
  int done = 0;
  uint8_t none[16];
  const bool good =
      ::EVP_DecryptInit_ex(context_, ::EVP_aes_256_gcm(), nullptr, key_.data(), nonce.data()) ==
          1 &&
      ::EVP_DecryptUpdate(context_, nullptr, &done, Octets(absl::string_view(associated)),
                          static_cast<int>(associated.size())) == 1 &&
      ::EVP_DecryptUpdate(context_, Octets(text, 0), &done, Octets(body), static_cast<int>(size)) ==
          1 &&
      ::EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_GCM_SET_TAG, static_cast<int>(kTagBytes),
                            tag.data()) == 1 &&
      ::EVP_DecryptFinal_ex(context_, none, &done) == 1;
  if (good) to = std::move(text);
  return good;
}

Sealer::Sealer(const Key& key, Format format)
    : header_(NewHeader(key, format)), cipher_(key, header_) {}

void Sealer::Seal(absl::string_view text, std::string& to) {
  while (!text.empty()) {
    const size_t size = std::min(text.size(), kChunkMax);
    cipher_.Seal(next_++, /*final=*/false, text.substr(0, size), to);
    text.remove_prefix(size);
  }
}

void Sealer::Finish(absl::string_view end_lines, std::string& to) {
  cipher_.Seal(next_++, /*final=*/true, end_lines, to);
}

Unsealer::Unsealer(RecordingFile& file, const Key& key, SealedHeader header)
    : file_(file), header_(std::move(header)), cipher_(key, header_) {}

absl::StatusOr<std::unique_ptr<Unsealer>> Unsealer::Open(RecordingFile& file, const KeyRing& keys) {
  std::string bytes(kSealedHeaderBytes, '\0');
  const auto got = file.ReadAt(0, absl::MakeSpan(bytes.data(), bytes.size()));
  if (!got.ok()) return got.status();
  bytes.resize(*got);
  auto header = ParseSealedHeader(bytes);
  if (!header.ok()) return header.status();
  const Key* const key = keys.Find(header->key);
  if (key == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("recordings: the recording was sealed with key ", KeyIdText(header->key),
                     ", which is not in the key file; add its line there"));
  }
  return std::unique_ptr<Unsealer>(new Unsealer(file, *key, *std::move(header)));
}

absl::StatusOr<std::string> Unsealer::Next() {
  if (complete_) return std::string();
  const auto changed = [this] {
    return absl::DataLossError(absl::StrCat("recordings: chunk ", next_,
                                            " is not as it was written: the file was changed, or "
                                            "the disk has damaged it"));
  };
  char length[4];
  auto got = file_.ReadAt(offset_, absl::MakeSpan(length));
  if (!got.ok()) return got.status();
  if (*got < sizeof length) return std::string();  // cut
  uint32_t word = 0;
  for (size_t i = 4; i-- > 0;) word = word << 8 | static_cast<uint8_t>(length[i]);
  const bool final = (word & kFinalBit) != 0;
  const size_t size = word & ~kFinalBit;
  if (size > kChunkMax) return changed();
  std::string body(size + kTagBytes, '\0');
  got = file_.ReadAt(offset_ + sizeof length, absl::MakeSpan(body.data(), body.size()));
  if (!got.ok()) return got.status();
  if (*got < body.size()) return std::string();  // cut
  std::string text;
  if (!cipher_.Unseal(next_, final, body, text)) return changed();
  offset_ += sizeof length + body.size();
  ++next_;
  if (!final) return text.empty() ? Next() : absl::StatusOr<std::string>(std::move(text));
  char more = 0;
  got = file_.ReadAt(offset_, absl::MakeSpan(&more, 1));
  if (!got.ok()) return got.status();
  if (*got != 0) {
    return absl::DataLossError("recordings: something was added after the recording's end");
  }
  complete_ = true;
  end_lines_ = std::move(text);
  return std::string();
}

std::string Unsealer::FinalChunk(absl::string_view end_lines) {
  std::string chunk;
  cipher_.Seal(next_, /*final=*/true, end_lines, chunk);
  return chunk;
}

}  // namespace outpace::record
