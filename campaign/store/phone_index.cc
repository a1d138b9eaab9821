#include "campaign/store/phone_index.h"

#include <algorithm>
#include <cstdint>

#include "campaign/store/rocks_keys.h"
#include "campaign/store/wire.h"

namespace outpace::store {
namespace {

constexpr char kAltFlag = 1;  // in the first byte of a value
constexpr size_t kEntryAt = 1, kEntryBytes = 5, kListAt = kEntryAt + kEntryBytes;
constexpr int64_t kEntryBias = int64_t{1} << 39;
constexpr int64_t kEntryMax = (int64_t{1} << 40) - 1;  // InfiniteFuture; 0 is InfinitePast

int64_t EntryOf(absl::Time time) {
  if (time == absl::InfinitePast()) return 0;
  if (time == absl::InfiniteFuture()) return kEntryMax;
  return std::clamp<int64_t>(absl::ToUnixSeconds(time) + kEntryBias, 1, kEntryMax - 1);
}

absl::Time TimeOfEntry(int64_t entry) {
  if (entry == 0) return absl::InfinitePast();
  if (entry == kEntryMax) return absl::InfiniteFuture();
  return absl::FromUnixSeconds(entry - kEntryBias);
}

}  // namespace

absl::Time EnteredOf(const campaign::Lead& lead) { return TimeOfEntry(EntryOf(lead.entry_date)); }

std::string PhoneValue(const campaign::Lead& lead) {
  std::string value(1, '\0');
  const int64_t entry = EntryOf(lead.entry_date);
  for (size_t i = 0; i < kEntryBytes; ++i) value.push_back(static_cast<char>(entry >> (8 * i)));
  AppendVarint(lead.list.value(), value);
  return value + lead.campaign;
}

std::string AltValue(std::string phone_value) {
  phone_value[0] = kAltFlag;
  return phone_value;
}

absl::Status DecodePhoneUse(absl::string_view key, absl::string_view value,
                            campaign::PhoneUse& use) {
  uint64_t list = 0;
  absl::string_view rest = value.size() > kListAt ? value.substr(kListAt) : absl::string_view();
  if (key.size() != kPhoneKeyBytes || !TakeVarint(rest, list) || (value[0] & ~kAltFlag) != 0) {
    return absl::DataLossError("store: an entry of the index of numbers is damaged");
  }
  int64_t entry = 0;
  for (size_t i = 0; i < kEntryBytes; ++i) {
    entry |= static_cast<int64_t>(static_cast<unsigned char>(value[kEntryAt + i])) << (8 * i);
  }
  use.phone = E164(ReadBig64(key));
  use.lead = LeadId(ReadBig64(key.substr(8)));
  use.list = ListId(list);
  use.campaign.assign(rest.data(), rest.size());
  use.entered = TimeOfEntry(entry);
  use.alt = (value[0] & kAltFlag) != 0;
  return absl::OkStatus();
}

}  // namespace outpace::store
