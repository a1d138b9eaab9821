#pragma once

// Encryption at rest. A sealed file is
//
//   header, 64 octets: "OUTPREC" 1 | format | 7 zero | key id (8) | salt (32) | 8 zero
//   chunks: length (4, little endian; bit 31: the final one) | that many octets | tag (16)
//
// AES-256-GCM (NIST SP 800-38D). Each file has its own key, HMAC-SHA256 of the key file's key over
// a label and the random salt, so a nonce only has to be unique within the file: it is the chunk's
// number, with the final chunk's in a domain of its own. Header, number and length are
// authenticated with every chunk, so chunks cannot be changed, swapped, left out, or brought in
// from another file. A file that does not end with its final chunk was cut: by a crash, or by
// somebody. What is whole before the cut stays readable. The final chunk holds the recording's end
// lines (journal.h).

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/record/key_ring.h"
#include "engine/record/recording.h"
#include "engine/record/recording_files.h"

struct evp_cipher_ctx_st;

namespace outpace::record {

inline constexpr size_t kSealedHeaderBytes = 64;
inline constexpr size_t kTagBytes = 16;
inline constexpr size_t kChunkMax = 1 << 20;  // octets in the clear

struct SealedHeader {
  Format format = Format::kWav;
  KeyId key{};
  std::array<uint8_t, 32> salt{};
  std::string bytes;  // all 64
};
// DataLoss: not one of ours; FailedPrecondition: of a newer version.
absl::StatusOr<SealedHeader> ParseSealedHeader(absl::string_view bytes);
bool LooksSealed(absl::string_view bytes);

// AES-256-GCM under one file's key.
class ChunkCipher {
 public:
  ChunkCipher(const Key& key, const SealedHeader& header);
  ~ChunkCipher();
  ChunkCipher(const ChunkCipher&) = delete;
  ChunkCipher& operator=(const ChunkCipher&) = delete;
  // Appends the chunk that holds `text`: at most kChunkMax octets.
  void Seal(uint64_t number, bool final, absl::string_view text, std::string& to);
  // `body`: octets and tag. False: not what was sealed as this number.
  bool Unseal(uint64_t number, bool final, absl::string_view body, std::string& to);

 private:
  std::string Associated(uint64_t number, uint32_t word) const;

  const std::string header_;
  evp_cipher_ctx_st* const context_;
  std::array<uint8_t, 32> key_{};
};

// Makes the octets of a sealed file, front to back.
class Sealer {
 public:
  // A new file: a fresh salt.
  Sealer(const Key& key, Format format);
  const std::string& header() const { return header_.bytes; }
  void Seal(absl::string_view text, std::string& to);         // cut into chunks as need be
  void Finish(absl::string_view end_lines, std::string& to);  // nothing may follow

 private:
  const SealedHeader header_;
  ChunkCipher cipher_;
  uint64_t next_ = 0;
};

// Reads a sealed file, front to back.
class Unsealer {
 public:
  // FailedPrecondition: its key is not in the ring (the message has the key's id). DataLoss.
  // `file` outlives it.
  static absl::StatusOr<std::unique_ptr<Unsealer>> Open(RecordingFile& file, const KeyRing& keys);
  // The next chunk's octets; empty at the end. DataLoss: changed since it was written.
  absl::StatusOr<std::string> Next();
  const SealedHeader& header() const { return header_; }
  // After the end: whether the final chunk was there, and what it says.
  bool complete() const { return complete_; }
  const std::string& end_lines() const { return end_lines_; }
  // After the end: where the last whole chunk ends, and the number of the next.
  uint64_t whole_bytes() const { return offset_; }
  uint64_t chunks() const { return next_; }
  // The final chunk for a file that was cut here.
  std::string FinalChunk(absl::string_view end_lines);

 private:
  Unsealer(RecordingFile& file, const Key& key, SealedHeader header);
  RecordingFile& file_;
  const SealedHeader header_;
  ChunkCipher cipher_;
  uint64_t offset_ = kSealedHeaderBytes;
  uint64_t next_ = 0;
  bool complete_ = false;
  std::string end_lines_;
};

}  // namespace outpace::record
