#pragma once

// What ties the events together. `hash` is SHA-256 (FIPS 180-4) over the hash before and the line's
// body: anyone can check it, and whoever can write the files can make it again. `seal` is
// HMAC-SHA-256 (RFC 2104) of the hash under a key that lies elsewhere: without the key neither can
// an event be changed nor one be added at the end. The head says up to where events were
// acknowledged, so that a shorter log is found.

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace outpace::audit {

// The hash before the first event.
inline constexpr absl::string_view kNoHash =
    "0000000000000000000000000000000000000000000000000000000000000000";

std::string ChainHash(absl::string_view previous, absl::string_view body);

class SealKey {
 public:
  SealKey() = default;
  SealKey(const SealKey&) = default;
  SealKey& operator=(const SealKey&) = default;
  ~SealKey();  // wipes
  // 64 hexadecimal digits. InvalidArgument, never with what was given.
  static absl::StatusOr<SealKey> Parse(absl::string_view text);
  // NotFound, PermissionDenied; FailedPrecondition: others than its owner may read it.
  static absl::StatusOr<SealKey> Load(const std::string& path);
  // Makes the file, mode 0600, where there is none; `made` says so.
  static absl::StatusOr<SealKey> LoadOrMake(const std::string& path, bool* made);

  std::string SealEvent(absl::string_view hash) const;
  std::string SealHead(uint64_t seq, absl::string_view hash) const;
  // What stands in the log for a text that must not, such as a phone number: the same for the same
  // text, and found by nobody without the key. 32 hexadecimal digits.
  std::string MarkOf(absl::string_view text) const;

 private:
  std::string Seal(absl::string_view text) const;
  std::string octets_ = std::string(32, '\0');
};

// Up to where the log is acknowledged: a file of its own, and what an operator notes elsewhere.
struct Head {
  uint64_t seq = 0;
  std::string hash = std::string(kNoHash);
  friend bool operator==(const Head&, const Head&) = default;
};
inline constexpr char kHeadFile[] = "head";
std::string HeadLine(const Head& head, const SealKey& key);
// `key` null: the seal is not looked at. DataLoss.
absl::StatusOr<Head> ParseHeadLine(absl::string_view text, const SealKey* key);
// "4711:9f86d0...", as `outpace audit head` prints it. InvalidArgument.
absl::StatusOr<Head> ParseHeadNote(absl::string_view text);

}  // namespace outpace::audit
