#include "campaign/tier/bytes.h"

#include <array>

#include "absl/strings/str_cat.h"

namespace outpace::tier {
namespace {

constexpr uint32_t kMagic = 0x5254504f;  // "OPTR"
constexpr size_t kHeader = 4 + 4 + 4 + 8;

constexpr std::array<uint32_t, 256> MakeTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
    table[i] = crc;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kTable = MakeTable();

}  // namespace

uint32_t Crc32c(absl::string_view bytes) {
  uint32_t crc = ~0u;
  for (const char c : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<uint8_t>(c)) & 0xff];
  return ~crc;
}

std::string ByteWriter::Seal(uint32_t kind, uint32_t version) const {
  ByteWriter out;
  out.Put(kMagic);
  out.Put(kind);
  out.Put(version);
  out.Put<uint64_t>(bytes_.size());
  out.bytes_ += bytes_;
  out.Put(Crc32c(out.bytes_));
  return std::move(out.bytes_);
}

absl::StatusOr<absl::string_view> Unseal(absl::string_view sealed, uint32_t kind,
                                         uint32_t version) {
  if (sealed.size() < kHeader + 4) return absl::DataLossError("tier state: too short");
  const absl::string_view covered = sealed.substr(0, sealed.size() - 4);
  if (ByteReader(sealed.substr(covered.size())).Get<uint32_t>() != Crc32c(covered)) {
    return absl::DataLossError("tier state: checksum does not match");
  }
  ByteReader header(covered);
  if (header.Get<uint32_t>() != kMagic) return absl::DataLossError("tier state: not one");
  if (header.Get<uint32_t>() != kind) return absl::DataLossError("tier state: of another kind");
  const uint32_t found = header.Get<uint32_t>();
  if (found != version) {
    return absl::FailedPreconditionError(
        absl::StrCat("tier state: version ", found, ", this program knows ", version));
  }
  if (header.Get<uint64_t>() != covered.size() - kHeader) {
    return absl::DataLossError("tier state: length does not match");
  }
  return covered.substr(kHeader);
}

}  // namespace outpace::tier
