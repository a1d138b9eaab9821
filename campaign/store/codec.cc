#include "campaign/store/codec.h"

#include <limits>
#include <utility>

#include "campaign/store/codec_fields.h"
#include "campaign/store/wire.h"

namespace outpace::store {
namespace {

using campaign::DncEntry;

// Field numbers on disk. Never change the meaning of one, never use one again.
enum DncField : uint32_t { kDncPhone = 1, kDncCampaign = 2, kDncSource = 3, kDncAdded = 4 };
enum TextField : uint32_t { kText = 1 };

}  // namespace

int64_t MicrosOf(absl::Time time) {
  if (time == absl::InfinitePast()) return std::numeric_limits<int64_t>::min();
  if (time == absl::InfiniteFuture()) return std::numeric_limits<int64_t>::max();
  return absl::ToUnixMicros(time);
}

absl::Time TimeOf(int64_t micros) {
  if (micros == std::numeric_limits<int64_t>::min()) return absl::InfinitePast();
  if (micros == std::numeric_limits<int64_t>::max()) return absl::InfiniteFuture();
  return absl::FromUnixMicros(micros);
}

std::string EncodeDnc(const DncEntry& entry) {
  FieldWriter w(kRecordMajor);
  w.Number(kDncPhone, entry.phone.value());
  w.Text(kDncCampaign, entry.campaign);
  w.Text(kDncSource, entry.source);
  WriteTime(w, kDncAdded, entry.added);
  return std::move(w).Finish();
}

absl::StatusOr<DncEntry> DecodeDnc(absl::string_view bytes) {
  FieldReader reader(bytes, kRecordMajor);
  DncEntry entry;
  entry.added = absl::InfinitePast();
  Field f;
  while (reader.Next(f)) {
    switch (f.id) {
      case kDncPhone:
        entry.phone = ReadPhone(reader, f);
        break;
      case kDncCampaign:
        entry.campaign = reader.Text(f);
        break;
      case kDncSource:
        entry.source = reader.Text(f);
        break;
      case kDncAdded:
        entry.added = ReadTime(reader, f);
        break;
      default:
        break;  // of a newer program
    }
  }
  if (!reader.status().ok()) return reader.status();
  return entry;
}

std::string EncodeText(absl::string_view text) {
  FieldWriter w(kRecordMajor);
  w.Text(kText, text);
  return std::move(w).Finish();
}

absl::StatusOr<std::string> DecodeText(absl::string_view bytes) {
  FieldReader reader(bytes, kRecordMajor);
  std::string text;
  Field f;
  while (reader.Next(f)) {
    if (f.id == kText) text = reader.Text(f);
  }
  if (!reader.status().ok()) return reader.status();
  return text;
}

}  // namespace outpace::store
