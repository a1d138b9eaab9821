#include "campaign/load/store_keys.h"

#include <xxhash.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace outpace::load {
namespace {

// Looking a number up costs about as much as looking through this many.
constexpr uint64_t kScanPerLookup = 16;

uint64_t FoldedHash(std::string text) {
  absl::AsciiStrToLower(&text);
  return XXH3_64bits(text.data(), text.size());
}

}  // namespace

uint64_t NameHash(absl::string_view first_name, absl::string_view last_name) {
  // No text holds a NUL, so no two pairs of names are one text.
  return FoldedHash(absl::StrCat(first_name, absl::string_view("\0", 1), last_name));
}

uint64_t TitleHash(absl::string_view title) { return FoldedHash(std::string(title)); }

StoreKeys::StoreKeys(const campaign::LeadStore& store, const LoadOptions& options, absl::Time now)
    : store_(store),
      options_(options),
      since_(options.duplicates_days > 0 ? now - absl::Hours(24) * options.duplicates_days
                                         : absl::InfinitePast()) {}

absl::StatusOr<std::unique_ptr<StoreKeys>> StoreKeys::Make(const campaign::LeadStore& store,
                                                           const LoadOptions& options,
                                                           absl::Time now, uint64_t rows) {
  std::unique_ptr<StoreKeys> keys(new StoreKeys(store, options, now));
  if (options.duplicates == DuplicateCheck::kNone) return keys;
  const absl::StatusOr<std::vector<campaign::List>> lists = store.Lists();
  if (!lists.ok()) return lists.status();
  uint64_t leads = 0;
  for (const campaign::List& list : *lists) {
    leads += static_cast<uint64_t>(std::max<int64_t>(list.leads, 0));
  }
  if (leads / kScanPerLookup <= rows) {
    if (absl::Status status = keys->ReadStore(leads); !status.ok()) return status;
  }
  return keys;
}

bool StoreKeys::InScope(const campaign::PhoneUse& use) const {
  const bool by_alt = options_.duplicate_key == DuplicateKey::kTitleAltPhone;
  if (use.alt != by_alt && !(use.alt && options_.duplicates_alt)) return false;
  if (use.entered < since_) return false;
  switch (options_.duplicates) {
    case DuplicateCheck::kNone:
      return false;
    case DuplicateCheck::kList:
      return use.list == options_.list;
    case DuplicateCheck::kCampaign:
      return use.campaign == options_.campaign;
    case DuplicateCheck::kSystem:
      return true;
  }
  return false;
}

absl::Status StoreKeys::ReadStore(uint64_t leads) {
  filter_ = std::make_unique<KeyFilter>(leads * (options_.duplicates_alt ? 2 : 1));
  // Added some time after their place was asked for: each is a cache miss.
  uint64_t waiting[32] = {};
  size_t at = 0;
  absl::Status status = store_.ForEachPhone([&](const campaign::PhoneUse& use) {
    if (!InScope(use)) return true;
    const uint64_t hash = KeyFilter::HashOf(use.phone.value(), 0);
    filter_->Prefetch(hash);
    if (const uint64_t before = std::exchange(waiting[at], hash); before != 0) filter_->Add(before);
    at = (at + 1) % 32;
    return true;
  });
  for (const uint64_t hash : waiting) {
    if (hash != 0) filter_->Add(hash);
  }
  return status;
}

absl::StatusOr<bool> StoreKeys::SameTexts(uint64_t text, LeadId id) const {
  if (options_.duplicate_key == DuplicateKey::kPhone) return true;
  const absl::StatusOr<std::optional<campaign::Lead>> lead = store_.GetLead(id);
  if (!lead.ok()) return lead.status();
  if (!lead->has_value()) return false;
  const campaign::Lead& known = **lead;
  return text == (options_.duplicate_key == DuplicateKey::kTitleAltPhone
                      ? TitleHash(known.Field("title"))
                      : NameHash(known.Field("first_name"), known.Field("last_name")));
}

absl::Status StoreKeys::Find(absl::Span<const SeenKey> rows, std::vector<LeadId>& doubled) const {
  doubled.assign(rows.size(), LeadId());
  if (options_.duplicates == DuplicateCheck::kNone) return absl::OkStatus();
  std::vector<std::pair<E164, size_t>> asked;  // and the row
  constexpr size_t kAhead = 16;
  const auto hash_of = [&](size_t i) { return KeyFilter::HashOf(rows[i].number, 0); };
  for (size_t i = 0; i < rows.size(); ++i) {
    if (filter_ != nullptr && i + kAhead < rows.size()) filter_->Prefetch(hash_of(i + kAhead));
    if (rows[i].number == 0) continue;
    if (filter_ == nullptr || filter_->MayHold(hash_of(i))) asked.emplace_back(rows[i].number, i);
  }
  if (asked.empty()) return absl::OkStatus();
  std::sort(asked.begin(), asked.end());
  std::vector<E164> numbers;
  for (const auto& [number, row] : asked) {
    if (numbers.empty() || numbers.back() != number) numbers.push_back(number);
  }
  const absl::StatusOr<std::vector<campaign::PhoneUse>> uses = store_.PhoneUses(numbers);
  if (!uses.ok()) return uses.status();
  auto use = uses->begin();
  for (const auto& [number, row] : asked) {
    while (use != uses->end() && use->phone < number) ++use;
    for (auto same = use; same != uses->end() && same->phone == number; ++same) {
      if (!InScope(*same)) continue;
      const absl::StatusOr<bool> texts = SameTexts(rows[row].text, same->lead);
      if (!texts.ok()) return texts.status();
      if (!*texts) continue;
      doubled[row] = same->lead;
      break;
    }
  }
  return absl::OkStatus();
}

}  // namespace outpace::load
