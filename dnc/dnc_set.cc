#include "dnc/dnc_set.h"

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
    case DncMatch::kCampaign:
      return "on the campaign's do-not-call list";
  }
  return "";
}

void DncSet::Add(E164 phone, const CampaignId& campaign) {
  if (campaign.empty()) {
    system_.Add(phone.value());
  } else {
    by_campaign_[campaign].Add(phone.value());
  }
}

void DncSet::Remove(E164 phone, const CampaignId& campaign) {
  if (campaign.empty()) {
    system_.Remove(phone.value());
    return;
  }
  const auto it = by_campaign_.find(campaign);
  if (it == by_campaign_.end()) return;
  it->second.Remove(phone.value());
  if (it->second.size() == 0) by_campaign_.erase(it);
}

void DncSet::AddMany(absl::Span<const uint64_t> phones, const CampaignId& campaign) {
  if (phones.empty()) return;
  NumberSet& numbers = campaign.empty() ? system_ : by_campaign_[campaign];
  numbers.AddMany(phones);
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

bool DncSet::InCampaign(E164 phone, const CampaignId& campaign) const {
  if (by_campaign_.empty()) return false;
  const auto it = by_campaign_.find(campaign);
  return it != by_campaign_.end() && it->second.Contains(phone.value());
}

bool DncSet::IsErased(E164 phone) const {
  return !erased_.empty() && erased_.contains(HashOf(phone));
}

DncMatch DncSet::Match(E164 phone, const CampaignId& campaign) const {
  const bool system = InSystem(phone);
  // Most sets are this alone; nothing has to be guessed then, see HoldsByte().
  if (erased_.empty() && by_campaign_.empty()) return system ? DncMatch::kSystem : DncMatch::kNone;
  if (system) return DncMatch::kSystem;
  if (IsErased(phone)) return DncMatch::kErased;
  return InCampaign(phone, campaign) ? DncMatch::kCampaign : DncMatch::kNone;
}

size_t DncSet::size() const {
  size_t total = system_.size() + erased_.size();
  for (const auto& [campaign, numbers] : by_campaign_) total += numbers.size();
  return total;
}

size_t DncSet::BytesUsed() const {
  size_t total = system_.BytesUsed();
  for (const auto& [campaign, numbers] : by_campaign_) total += numbers.BytesUsed();
  return total;
}

}  // namespace outpace::dnc
