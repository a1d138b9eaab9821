#include "campaign/store/lead_record.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/store/codec.h"
#include "campaign/store/crc32c.h"
#include "campaign/store/wire.h"
#include "engine/base/check.h"

namespace outpace::store {
namespace {

using campaign::BulkLead;
using campaign::FieldLayout;
using campaign::Lead;
using campaign::Tier;

constexpr size_t kCrcBytes = 4;
constexpr size_t kLayoutBytes = 4;
constexpr uint64_t kPhoneMax = 999'999'999'999'999;  // 15 digits: ITU-T E.164
constexpr absl::string_view kOwner = "owner";

// Places of the fixed part.
enum Place : size_t {
  kVersion = 0,
  kTier = 1,
  kRank = 2,
  kMaxAttempts = 3,
  kZones = 4,
  kId = 8,
  kPhoneAt = 16,
  kAltPhone = 24,
  kList = 32,
  kEntryDate = 40,
  kLastCall = 48,
  kNextCall = 56,
  kHoldUntil = 64,
  kImport = 72,
  kCalledCount = 80,
  kLayout = 84,
  kTextsLength = 88,
  kTextsCrc = 92,
  kCampaign = 96,
  kStatus = 104,
  kCampaignSize = 110,
  kStatusSize = 111,
};
constexpr size_t kCampaignInline = kStatus - kCampaign;
constexpr size_t kStatusInline = kCampaignSize - kStatus;
static_assert(kStatusSize + 1 == kHotBytes);

template <typename T>
void Store(T value, char* at) {
  for (size_t i = 0; i < sizeof(T); ++i) at[i] = static_cast<char>(value >> (8 * i));
}
template <typename T>
T Load(const char* at) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value | static_cast<T>(static_cast<unsigned char>(at[i])) << (8 * i));
  }
  return value;
}
void StoreTime(absl::Time time, char* at) { Store(static_cast<uint64_t>(MicrosOf(time)), at); }
absl::Time LoadTime(const char* at) { return TimeOf(static_cast<int64_t>(Load<uint64_t>(at))); }

void StoreName(absl::string_view name, size_t room, char* at) {
  OUTPACE_CHECK(name.size() <= 255);
  if (name.size() <= room) std::memcpy(at, name.data(), name.size());
}

void AppendLittle32(uint32_t value, std::string& to) {
  char bytes[4];
  Store(value, bytes);
  to.append(bytes, sizeof(bytes));
}
void AppendCrc(std::string& bytes) { AppendLittle32(Crc32c(bytes), bytes); }

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("store: a lead is damaged: ", what));
}

// Body without the checksum, which is right.
absl::StatusOr<absl::string_view> Checked(absl::string_view bytes, size_t size_min) {
  if (bytes.size() < size_min + kCrcBytes) {
    return Damaged(absl::StrCat(bytes.size(), " bytes are too few"));
  }
  const absl::string_view body = bytes.substr(0, bytes.size() - kCrcBytes);
  if (Crc32c(body) != Load<uint32_t>(bytes.data() + body.size())) {
    return Damaged("its checksum does not match");
  }
  return body;
}

// Takes a text off the front, as AppendFieldText() wrote it.
bool TakeText(absl::string_view& from, absl::string_view& text) {
  uint64_t size = 0;
  if (!TakeVarint(from, size) || size > from.size()) return false;
  text = from.substr(0, size);
  from.remove_prefix(size);
  return true;
}

void SetField(absl::string_view name, absl::string_view value, Lead& lead) {
  if (value.empty()) return;
  if (name == kOwner) {
    lead.owner.assign(value.data(), value.size());
  } else {
    lead.fields[std::string(name)].assign(value.data(), value.size());
  }
}

// The body `begun` becomes a record; without a text in it, none.
std::string FinishTexts(std::string begun, size_t end_of_last_text) {
  if (end_of_last_text <= kLayoutBytes) return std::string();
  begun.resize(end_of_last_text);
  AppendCrc(begun);
  return begun;
}

// The body of a hot record of the present version, without its checksum.
absl::StatusOr<absl::string_view> HotBody(absl::string_view bytes) {
  const absl::StatusOr<absl::string_view> body = Checked(bytes, 1);
  if (!body.ok()) return body.status();
  const auto version = static_cast<uint8_t>((*body)[kVersion]);
  if (version > kHotVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("store: a lead is of version ", version, ", this program reads ", kHotVersion,
                     "; run the version of Outpace that wrote it, or a newer one"));
  }
  if (version != kHotVersion) return Damaged(absl::StrCat("version ", version));
  if (body->size() < kHotBytes) return Damaged("it is cut");
  return body;
}

// Campaign and status of a body; `tail` is what follows them. False: longer than the record.
bool ViewNames(absl::string_view body, absl::string_view& campaign, absl::string_view& status,
               absl::string_view& tail) {
  tail = body.substr(kHotBytes);
  const auto view = [&](size_t size, size_t room, size_t place, absl::string_view& name) {
    if (size <= room) {
      name = body.substr(place, size);
      return true;
    }
    if (size > tail.size()) return false;
    name = tail.substr(0, size);
    tail.remove_prefix(size);
    return true;
  };
  return view(static_cast<uint8_t>(body[kCampaignSize]), kCampaignInline, kCampaign, campaign) &&
         view(static_cast<uint8_t>(body[kStatusSize]), kStatusInline, kStatus, status);
}

}  // namespace

std::string EncodeHot(const Lead& lead, uint32_t zones, const TextsMark& texts) {
  std::string bytes(kHotBytes, '\0');
  char* const at = bytes.data();
  at[kVersion] = static_cast<char>(kHotVersion);
  at[kTier] = static_cast<char>(lead.tier);
  at[kRank] = static_cast<char>(lead.rank);
  at[kMaxAttempts] = static_cast<char>(lead.max_attempts);
  Store(zones, at + kZones);
  Store(lead.id.value(), at + kId);
  Store(lead.phone.value(), at + kPhoneAt);
  Store(lead.alt_phone.value(), at + kAltPhone);
  Store(lead.list.value(), at + kList);
  StoreTime(lead.entry_date, at + kEntryDate);
  StoreTime(lead.last_call_time, at + kLastCall);
  StoreTime(lead.next_call_time, at + kNextCall);
  StoreTime(lead.hold_until, at + kHoldUntil);
  Store(lead.import.value(), at + kImport);
  Store(static_cast<uint32_t>(lead.called_count), at + kCalledCount);
  Store(texts.layout, at + kLayout);
  Store(texts.length, at + kTextsLength);
  Store(texts.crc, at + kTextsCrc);
  StoreName(lead.campaign, kCampaignInline, at + kCampaign);
  StoreName(lead.status, kStatusInline, at + kStatus);
  at[kCampaignSize] = static_cast<char>(lead.campaign.size());
  at[kStatusSize] = static_cast<char>(lead.status.size());
  if (lead.campaign.size() > kCampaignInline) bytes += lead.campaign;
  if (lead.status.size() > kStatusInline) bytes += lead.status;
  bytes += lead.recycled;
  AppendCrc(bytes);
  return bytes;
}

absl::Status DecodeHot(absl::string_view bytes, HotLead& hot) {
  const absl::StatusOr<absl::string_view> body = HotBody(bytes);
  if (!body.ok()) return body.status();
  const char* const at = body->data();
  absl::string_view campaign, status, tail;
  const bool names_fit = ViewNames(*body, campaign, status, tail);
  Lead& lead = hot.lead;
  const auto tier = static_cast<uint8_t>(at[kTier]);
  lead.rank = static_cast<int8_t>(at[kRank]);
  lead.id = LeadId(Load<uint64_t>(at + kId));
  lead.phone = E164(Load<uint64_t>(at + kPhoneAt));
  lead.alt_phone = E164(Load<uint64_t>(at + kAltPhone));
  if (!names_fit) return Damaged("a name is longer than the record");
  lead.campaign.assign(campaign.data(), campaign.size());
  lead.status.assign(status.data(), status.size());
  if (tier > static_cast<uint8_t>(Tier::kB) || !lead.id.valid() || lead.rank < -99 ||
      lead.rank > 99 || lead.phone.value() > kPhoneMax || lead.alt_phone.value() > kPhoneMax) {
    return Damaged("a number is out of its range");
  }
  lead.tier = static_cast<Tier>(tier);
  lead.max_attempts = static_cast<uint8_t>(at[kMaxAttempts]);
  lead.list = ListId(Load<uint64_t>(at + kList));
  lead.entry_date = LoadTime(at + kEntryDate);
  lead.last_call_time = LoadTime(at + kLastCall);
  lead.next_call_time = LoadTime(at + kNextCall);
  lead.hold_until = LoadTime(at + kHoldUntil);
  lead.import = ImportId(Load<uint64_t>(at + kImport));
  lead.called_count = static_cast<int>(Load<uint32_t>(at + kCalledCount));
  lead.recycled.assign(tail.data(), tail.size());
  lead.has_fields = false;
  lead.time_zones.clear();
  lead.owner.clear();
  lead.fields.clear();
  hot.zones = Load<uint32_t>(at + kZones);
  hot.texts = {Load<uint32_t>(at + kLayout), Load<uint32_t>(at + kTextsLength),
               Load<uint32_t>(at + kTextsCrc)};
  return absl::OkStatus();
}

absl::string_view CampaignOfHot(absl::string_view bytes) {
  if (bytes.size() < kHotBytes + kCrcBytes) return absl::string_view();
  absl::string_view campaign, status, tail;
  ViewNames(bytes.substr(0, bytes.size() - kCrcBytes), campaign, status, tail);
  return campaign;
}

absl::Status GlanceAtHot(absl::string_view bytes, campaign::LeadGlance& glance) {
  const absl::StatusOr<absl::string_view> body = HotBody(bytes);
  if (!body.ok()) return body.status();
  const char* const at = body->data();
  absl::string_view campaign, tail;
  if (!ViewNames(*body, campaign, glance.status, tail)) {
    return Damaged("a name is longer than the record");
  }
  glance.id = LeadId(Load<uint64_t>(at + kId));
  glance.list = ListId(Load<uint64_t>(at + kList));
  glance.phone = E164(Load<uint64_t>(at + kPhoneAt));
  if (!glance.id.valid() || glance.phone.value() > kPhoneMax) {
    return Damaged("a number is out of its range");
  }
  glance.zones = Load<uint32_t>(at + kZones);
  glance.zone_names = nullptr;
  glance.called_count = static_cast<int>(Load<uint32_t>(at + kCalledCount));
  glance.max_attempts = static_cast<uint8_t>(at[kMaxAttempts]);
  glance.last_call_micros = static_cast<int64_t>(Load<uint64_t>(at + kLastCall));
  glance.next_call_micros = static_cast<int64_t>(Load<uint64_t>(at + kNextCall));
  glance.hold_until_micros = static_cast<int64_t>(Load<uint64_t>(at + kHoldUntil));
  return absl::OkStatus();
}

absl::Status ViewHot(absl::string_view bytes, campaign::LeadView& view, uint32_t& zones,
                     TextsMark& texts) {
  const absl::StatusOr<absl::string_view> body = HotBody(bytes);
  if (!body.ok()) return body.status();
  const char* const at = body->data();
  absl::string_view tail;
  if (!ViewNames(*body, view.campaign, view.status, tail)) {
    return Damaged("a name is longer than the record");
  }
  view.id = LeadId(Load<uint64_t>(at + kId));
  view.list = ListId(Load<uint64_t>(at + kList));
  view.phone = E164(Load<uint64_t>(at + kPhoneAt));
  view.alt_phone = E164(Load<uint64_t>(at + kAltPhone));
  const auto tier = static_cast<uint8_t>(at[kTier]);
  if (tier > static_cast<uint8_t>(Tier::kB) || !view.id.valid() || view.phone.value() > kPhoneMax ||
      view.alt_phone.value() > kPhoneMax) {
    return Damaged("a number is out of its range");
  }
  view.tier = static_cast<Tier>(tier);
  view.rank = static_cast<int8_t>(at[kRank]);
  view.max_attempts = static_cast<uint8_t>(at[kMaxAttempts]);
  view.called_count = static_cast<int>(Load<uint32_t>(at + kCalledCount));
  view.entry_micros = static_cast<int64_t>(Load<uint64_t>(at + kEntryDate));
  view.last_call_micros = static_cast<int64_t>(Load<uint64_t>(at + kLastCall));
  zones = Load<uint32_t>(at + kZones);
  texts = {Load<uint32_t>(at + kLayout), Load<uint32_t>(at + kTextsLength),
           Load<uint32_t>(at + kTextsCrc)};
  return absl::OkStatus();
}

absl::Status ViewTexts(absl::string_view bytes, const FieldLayout& layout,
                       std::vector<campaign::LeadText>& texts) {
  absl::string_view rest = bytes.substr(kLayoutBytes, bytes.size() - kLayoutBytes - kCrcBytes);
  texts.clear();
  campaign::LeadText text;
  if (Load<uint32_t>(bytes.data()) != kNamedLayout) {
    for (size_t i = 0; !rest.empty(); ++i) {
      if (i == layout.size()) return Damaged("it has more fields than its layout");
      text.name = layout[i].name;
      if (!TakeText(rest, text.text)) return Damaged("a field is cut");
      texts.push_back(text);
    }
    return absl::OkStatus();
  }
  while (!rest.empty()) {
    if (!TakeText(rest, text.name) || !TakeText(rest, text.text)) return Damaged("a field is cut");
    texts.push_back(text);
  }
  return absl::OkStatus();
}

std::optional<std::string> EncodeTexts(const Lead& lead, uint32_t id, const FieldLayout& layout) {
  std::string bytes;
  AppendLittle32(id, bytes);
  size_t end = 0, found = 0, owners = 0;
  for (const campaign::FieldColumn& column : layout) {
    absl::string_view value;
    if (column.name == kOwner) {
      value = lead.owner;
      owners += lead.owner.empty() ? 0 : 1;
    } else if (const auto it = lead.fields.find(column.name); it != lead.fields.end()) {
      value = it->second;
      ++found;
    }
    campaign::AppendFieldText(value, bytes);
    if (!value.empty()) end = bytes.size();
  }
  if (found < lead.fields.size() || (!lead.owner.empty() && owners == 0)) return std::nullopt;
  return FinishTexts(std::move(bytes), end);
}

std::string EncodeNamedTexts(const Lead& lead) {
  std::string bytes;
  AppendLittle32(kNamedLayout, bytes);
  const auto add = [&bytes](absl::string_view name, absl::string_view value) {
    if (value.empty()) return;
    campaign::AppendFieldText(name, bytes);
    campaign::AppendFieldText(value, bytes);
  };
  add(kOwner, lead.owner);
  for (const auto& [name, value] : lead.fields) add(name, value);
  const size_t end = bytes.size();
  return FinishTexts(std::move(bytes), end);
}

TextsMark MarkOf(absl::string_view texts) {
  if (texts.empty()) return {};
  OUTPACE_CHECK(texts.size() > kLayoutBytes + kCrcBytes);
  return {Load<uint32_t>(texts.data()),
          static_cast<uint32_t>(texts.size() - kLayoutBytes - kCrcBytes),
          Load<uint32_t>(texts.data() + texts.size() - kCrcBytes)};
}

absl::StatusOr<uint32_t> CheckTexts(absl::string_view bytes) {
  const absl::StatusOr<absl::string_view> body = Checked(bytes, kLayoutBytes);
  if (!body.ok()) return body.status();
  return Load<uint32_t>(body->data());
}

absl::Status DecodeTexts(absl::string_view bytes, const FieldLayout& layout, Lead& lead) {
  absl::string_view rest = bytes.substr(kLayoutBytes, bytes.size() - kLayoutBytes - kCrcBytes);
  lead.owner.clear();
  lead.fields.clear();
  lead.has_fields = true;
  if (Load<uint32_t>(bytes.data()) != kNamedLayout) return DecodeFieldTexts(rest, layout, lead);
  absl::string_view name, value;
  while (!rest.empty()) {
    if (!TakeText(rest, name) || !TakeText(rest, value)) return Damaged("a field is cut");
    SetField(name, value, lead);
  }
  return absl::OkStatus();
}

absl::Status DecodeFieldTexts(absl::string_view texts, const FieldLayout& layout, Lead& lead) {
  absl::string_view value;
  for (size_t i = 0; !texts.empty(); ++i) {
    if (i == layout.size()) return Damaged("it has more fields than its layout");
    if (!TakeText(texts, value)) return Damaged("a field is cut");
    SetField(layout[i].name, value, lead);
  }
  return absl::OkStatus();
}

BulkEncoder::BulkEncoder(const Lead& common, uint32_t layout)
    : hot_(EncodeHot(common, 0, {layout, 0, 0})) {
  AppendLittle32(layout, texts_);
}

void BulkEncoder::Encode(LeadId id, const BulkLead& lead) {
  // An empty text is one zero octet: nothing but zeros is no text.
  const bool has_texts = lead.fields.find_first_not_of('\0') != absl::string_view::npos;
  TextsMark mark;
  texts_.resize(kLayoutBytes);
  if (has_texts) {
    texts_.append(lead.fields.data(), lead.fields.size());
    AppendCrc(texts_);
    mark = MarkOf(texts_);
  }
  has_texts_ = has_texts;
  char* const at = hot_.data();
  at[kTier] = static_cast<char>(lead.tier);
  at[kRank] = static_cast<char>(lead.rank);
  at[kMaxAttempts] = static_cast<char>(lead.max_attempts);
  Store(lead.zones, at + kZones);
  Store(id.value(), at + kId);
  Store(lead.phone.value(), at + kPhoneAt);
  Store(lead.alt_phone.value(), at + kAltPhone);
  Store(static_cast<uint64_t>(lead.next_call_micros), at + kNextCall);
  const absl::string_view status = BulkStatus(lead);
  std::fill_n(at + kStatus, kStatusInline, '\0');  // the record before may have had a longer one
  StoreName(status, kStatusInline, at + kStatus);
  at[kStatusSize] = static_cast<char>(status.size());
  Store(mark.layout, at + kLayout);
  Store(mark.length, at + kTextsLength);
  Store(mark.crc, at + kTextsCrc);
  const size_t end = hot_.size() - kCrcBytes;
  Store(Crc32c(absl::string_view(hot_).substr(0, end)), at + end);
}

}  // namespace outpace::store
