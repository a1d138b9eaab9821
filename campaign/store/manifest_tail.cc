#include "campaign/store/manifest_tail.h"

#include <algorithm>
#include <cstdint>

#include "campaign/store/crc32c.h"
#include "campaign/store/wire.h"

namespace outpace::store {
namespace {

constexpr size_t kBlock = 32768;
constexpr size_t kHeader = 7;  // masked CRC (4, little endian), length (2), type (1)
enum PieceType : uint8_t { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

uint8_t ByteAt(absl::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }

// Type and length of the good piece of a record at `at`; type 0 if there is none.
struct Piece {
  uint8_t type = 0;
  size_t size = 0;  // with its header
};
Piece PieceAt(absl::string_view bytes, size_t at) {
  const size_t room = std::min(bytes.size() - at, kBlock - at % kBlock);
  if (room < kHeader) return {};
  const size_t length = ByteAt(bytes, at + 4) | static_cast<size_t>(ByteAt(bytes, at + 5)) << 8;
  const uint8_t type = ByteAt(bytes, at + 6);
  if (type < kFull || type > kLast || kHeader + length > room) return {};
  uint32_t stored = 0;
  for (size_t i = 0; i < 4; ++i) stored |= static_cast<uint32_t>(ByteAt(bytes, at + i)) << (8 * i);
  const uint32_t crc = Crc32c(bytes.substr(at + 6, 1 + length));
  const uint32_t masked = ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
  if (masked != stored) return {};
  return {type, kHeader + length};
}

// Whether an entry takes effect only together with others: RocksDB ends such an entry with the tag
// 300 and how many of them follow, both as varints.
bool IsOfGroup(absl::string_view entry) {
  constexpr absl::string_view kTag("\xac\x02", 2);
  for (size_t count = 1; count <= 2 && entry.size() >= kTag.size() + count; ++count) {
    if (entry.substr(entry.size() - kTag.size() - count, kTag.size()) == kTag) return true;
  }
  return false;
}

// Whether an entry only keeps numbers: of logs, files and sequences. RocksDB writes one behind the
// entry of a flush, in the same go. Tags 2, 3, 4, 9 and 10 have a varint, those of the journal's
// files (from 512 on) a length and bytes.
bool IsBookkeeping(absl::string_view entry) {
  while (!entry.empty()) {
    uint64_t tag = 0, value = 0;
    if (!TakeVarint(entry, tag) || !TakeVarint(entry, value)) return false;
    if (tag >= 512) {
      if (value > entry.size()) return false;
      entry.remove_prefix(value);
    } else if (tag < 2 || (tag > 4 && tag != 9 && tag != 10)) {
      return false;
    }
  }
  return true;
}

// Whether the piece at `at` may stand behind a torn one: it was written in the same go. The first
// pieces of a record say nothing: its last one decides.
bool MayFollow(absl::string_view manifest, size_t at, const Piece& piece) {
  const absl::string_view entry = manifest.substr(at + kHeader, piece.size - kHeader);
  if (piece.type == kFirst || piece.type == kMiddle) return true;
  return IsOfGroup(entry) || (piece.type == kFull && IsBookkeeping(entry));
}

}  // namespace

std::optional<size_t> TornManifestEnd(absl::string_view manifest) {
  size_t at = 0;
  size_t good_end = 0;  // of the last whole record
  while (at < manifest.size()) {
    if (kBlock - at % kBlock < kHeader) {  // too little left in the block for a header
      at += kBlock - at % kBlock;
      continue;
    }
    const Piece piece = PieceAt(manifest, at);
    if (piece.type == 0) break;
    at += piece.size;
    if (piece.type == kFull || piece.type == kLast) good_end = at;
  }
  if (good_end == 0 || good_end >= manifest.size()) return std::nullopt;
  for (size_t behind = at; behind + kHeader <= manifest.size();) {
    const Piece piece = PieceAt(manifest, behind);
    if (piece.type != 0 && !MayFollow(manifest, behind, piece)) return std::nullopt;
    behind += piece.type != 0 ? piece.size : 1;
  }
  return good_end;
}

}  // namespace outpace::store
