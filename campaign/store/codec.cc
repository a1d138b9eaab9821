#include "campaign/store/codec.h"

#include <limits>
#include <utility>

#include "campaign/store/codec_fields.h"
#include "campaign/store/wire.h"

namespace outpace::store {
namespace {

using campaign::DncEntry;

// Field numbers on disk. Never change the meaning of one, never use one again.
enum DncField : uint32_t {
  kDncPhone = 1,
  kDncCampaign = 2,
  kDncSource = 3,
  kDncAdded = 4,
  kDncReason = 5,
  kDncBy = 6,
  kDncExpires = 7,  // left out: InfiniteFuture
  kDncRange = 8,    // digits
  kDncScope = 9,    // as text, of the scopes that version 1 does not know
};
enum TextField : uint32_t { kText = 1 };

// Version 1 knows numbers of the system's list and of campaigns'. What else there is an older
// program would take for something else, so it is of version 2.
constexpr uint8_t kDncMajor = 2;

bool IsNumberOfVersion1(const DncEntry& entry) {
  return entry.phone.valid() && entry.expires == absl::InfiniteFuture() &&
         (entry.scope.level == dnc::DncLevel::kSystem ||
          entry.scope.level == dnc::DncLevel::kCampaign);
}

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
  FieldWriter w(IsNumberOfVersion1(entry) ? kRecordMajor : kDncMajor);
  w.Number(kDncPhone, entry.phone.value());
  if (entry.scope.level == dnc::DncLevel::kCampaign) {
    w.Text(kDncCampaign, entry.scope.id);
  } else if (entry.scope.level != dnc::DncLevel::kSystem) {
    w.Text(kDncScope, entry.scope.ToString());
  }
  w.Text(kDncSource, entry.source);
  WriteTime(w, kDncAdded, entry.added);
  w.Text(kDncReason, entry.reason);
  w.Text(kDncBy, entry.by);
  if (entry.expires != absl::InfiniteFuture()) {
    w.NumberAlways(kDncExpires, ZigZag(MicrosOf(entry.expires)));
  }
  w.Number(kDncRange, entry.range.digits);
  return std::move(w).Finish();
}

absl::StatusOr<DncEntry> DecodeDnc(absl::string_view bytes) {
  const bool old = bytes.empty() || static_cast<uint8_t>(bytes[0]) <= kRecordMajor;
  FieldReader reader(bytes, old ? kRecordMajor : kDncMajor);
  DncEntry entry;
  entry.added = absl::InfinitePast();
  CampaignId campaign;
  std::string scope;
  Field f;
  while (reader.Next(f)) {
    switch (f.id) {
      case kDncPhone:
        entry.phone = ReadPhone(reader, f);
        break;
      case kDncCampaign:
        campaign = reader.Text(f);
        break;
      case kDncSource:
        entry.source = reader.Text(f);
        break;
      case kDncAdded:
        entry.added = ReadTime(reader, f);
        break;
      case kDncReason:
        entry.reason = reader.Text(f);
        break;
      case kDncBy:
        entry.by = reader.Text(f);
        break;
      case kDncExpires:
        entry.expires = ReadTime(reader, f);
        break;
      case kDncRange:
        entry.range.digits = reader.Number(f, 99'999'999'999'999);  // dnc::Prefix
        break;
      case kDncScope:
        scope = reader.Text(f);
        break;
      default:
        break;  // of a newer program
    }
  }
  if (!reader.status().ok()) return reader.status();
  entry.scope = dnc::CampaignScope(campaign);
  if (!scope.empty()) {
    auto named = dnc::DncScope::Parse(scope);
    if (!named.ok() || !campaign.empty()) {
      reader.Fail("its do-not-call list is none");
      return reader.status();
    }
    entry.scope = *std::move(named);
  }
  if (entry.phone.valid() == (entry.range.digits != 0)) {
    reader.Fail("it lists neither a number nor a range, or both");
    return reader.status();
  }
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
