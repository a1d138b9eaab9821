#include "dnc/dnc_set.h"

#include <utility>

namespace outpace::dnc {
namespace {

constexpr size_t kHashBytes = 16;

// The low half first, as SipHash's own bytes are.
std::string BytesOf(absl::uint128 hash) {
  std::string out(kHashBytes, '\0');
  for (char& byte : out) {
    byte = static_cast<char>(absl::Uint128Low64(hash) & 0xff);
    hash >>= 8;
  }
  return out;
}

absl::uint128 HashFrom(absl::string_view bytes) {
  absl::uint128 out = 0;
  for (size_t i = kHashBytes; i-- > 0;) out = out << 8 | static_cast<unsigned char>(bytes[i]);
  return out;
}

}  // namespace

absl::string_view DncReason(DncMatch match) {
  switch (match) {
    case DncMatch::kNone:
      return "";
    case DncMatch::kSystem:
      return "on the system-wide do-not-call list";
    case DncMatch::kErased:
      return "erased person";
    case DncMatch::kLitigator:
      return "on the list of litigators";
    case DncMatch::kState:
      return "on a state's do-not-call list";
    case DncMatch::kRegistry:
      return "on a do-not-call registry";
    case DncMatch::kClient:
      return "on the client's do-not-call list";
    case DncMatch::kCampaign:
      return "on the campaign's do-not-call list";
  }
  return "";
}

DncList& DncSet::ListOf(const DncScope& scope) {
  return scope.level == DncLevel::kSystem ? system_ : lists_[scope];
}

const DncList* DncSet::FindList(DncLevel level, const std::string& id) const {
  const auto it = lists_.find(DncScope{level, id});
  return it == lists_.end() ? nullptr : &it->second;
}

const DncList* DncSet::FindList(const DncScope& scope) const {
  return scope.level == DncLevel::kSystem ? &system_ : FindList(scope.level, scope.id);
}

void DncSet::Add(E164 phone, const DncScope& scope, absl::Time expires) {
  ListOf(scope).Add(phone.value(), expires);
}

void DncSet::AddRange(Prefix range, const DncScope& scope, absl::Time expires) {
  ListOf(scope).AddRange(range, expires);
}

void DncSet::Remove(E164 phone, const DncScope& scope) {
  DncList& list = ListOf(scope);
  list.Remove(phone.value());
  if (scope.level != DncLevel::kSystem && list.size() == 0) lists_.erase(scope);
}

void DncSet::RemoveRange(Prefix range, const DncScope& scope) {
  DncList& list = ListOf(scope);
  list.RemoveRange(range);
  if (scope.level != DncLevel::kSystem && list.size() == 0) lists_.erase(scope);
}

void DncSet::SetRegistries(std::vector<std::shared_ptr<const RegistryFile>> registries) {
  registries_ = std::move(registries);
}

void DncSet::AddMany(absl::Span<const uint64_t> phones, const DncScope& scope) {
  if (!phones.empty()) ListOf(scope).AddMany(phones);
}

absl::uint128 DncSet::HashOf(E164 phone) const {
  // The number as eight little-endian bytes.
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(phone.value() >> (8 * i) & 0xff);
  return SipHash128(hash_key_, absl::string_view(bytes, sizeof(bytes)));
}

std::string DncSet::ErasedHash(E164 phone) const { return BytesOf(HashOf(phone)); }

bool DncSet::AddErased(absl::string_view hash) {
  if (hash.size() != kHashBytes) return false;
  erased_.insert(HashFrom(hash));
  return true;
}

bool DncSet::IsErased(E164 phone) const {
  return !erased_.empty() && erased_.contains(HashOf(phone));
}

DncHits DncSet::Find(E164 phone, const DncAsker& asker) const {
  DncHits hits;
  const uint64_t number = phone.value();
  const auto ask = [&](const DncList& list, DncMatch match, absl::string_view id) {
    if (list.Contains(number, asker.now)) hits.push_back({match, id, {}});
    if (const Prefix range = list.RangeOf(number, asker.now); range.digits != 0) {
      hits.push_back({match, id, range});
    }
  };
  if (asker.use_system) ask(system_, DncMatch::kSystem, "");
  if (IsErased(phone)) hits.push_back({DncMatch::kErased, "", {}});
  // Few lists, of which most sets have none: system and registries alone are the usual case.
  if (!lists_.empty()) {
    if (asker.use_system) {
      if (const DncList* list = FindList(DncLevel::kLitigator, "")) {
        ask(*list, DncMatch::kLitigator, "");
      }
    }
    if (asker.use_registries) {
      for (const auto& [scope, list] : lists_) {
        if (scope.level == DncLevel::kState) ask(list, DncMatch::kState, scope.id);
      }
    }
  }
  if (asker.use_registries) {
    for (const auto& registry : registries_) {
      if (registry->Contains(number)) {
        hits.push_back({DncMatch::kRegistry, registry->info().name, {}});
      }
    }
  }
  if (asker.use_campaign && !lists_.empty()) {
    const auto of = [&](DncLevel level, DncMatch match, const std::string& id) {
      const auto it = id.empty() ? lists_.end() : lists_.find(DncScope{level, id});
      if (it != lists_.end()) ask(it->second, match, it->first.id);
    };
    of(DncLevel::kClient, DncMatch::kClient, asker.client);
    of(DncLevel::kCampaign, DncMatch::kCampaign, asker.campaign);
  }
  return hits;
}

bool DncSet::Has(E164 phone, const DncScope& scope) const {
  const DncList* const list = FindList(scope);
  return list != nullptr && list->Contains(phone.value(), absl::InfinitePast());
}

bool DncSet::HasRange(Prefix range, const DncScope& scope) const {
  const DncList* const list = FindList(scope);
  return list != nullptr && list->HasRange(range);
}

absl::Time DncSet::EndOf(E164 phone, const DncScope& scope) const {
  return Has(phone, scope) ? FindList(scope)->EndOf(phone.value()) : absl::InfinitePast();
}

absl::Time DncSet::EndOf(Prefix range, const DncScope& scope) const {
  return HasRange(range, scope) ? FindList(scope)->EndOf(range) : absl::InfinitePast();
}

DncMatch DncSet::Match(E164 phone, const CampaignId& campaign) const {
  const DncHits hits = Find(phone, {.campaign = campaign});
  return hits.empty() ? DncMatch::kNone : hits.front().match;
}

size_t DncSet::size() const {
  size_t total = system_.size() + erased_.size();
  for (const auto& [scope, list] : lists_) total += list.size();
  return total;
}

size_t DncSet::BytesUsed() const {
  size_t total = system_.BytesUsed();
  for (const auto& [scope, list] : lists_) total += list.BytesUsed();
  return total;
}

}  // namespace outpace::dnc
