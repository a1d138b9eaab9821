#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/numeric/int128.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "dnc/keyed_hash.h"
#include "dnc/number_set.h"
#include "engine/base/e164.h"
#include "engine/base/ids.h"

namespace outpace::dnc {

enum class DncMatch {
  kNone,
  kSystem,
  kErased,  // a person who was erased: treat it as kSystem, whatever the campaign uses
  kCampaign,
};

// "on the system-wide do-not-call list", "erased person", ...: for reports and people.
absl::string_view DncReason(DncMatch match);

// Do-not-call numbers, system-wide and per campaign, and the keyed hashes of people who were
// erased: their number is no longer stored anywhere and yet must not be loaded or dialed again. No
// false positive and no false negative, ever.
//
// One thread writes a set; several may read it while nobody writes. A copy is a snapshot: it shares
// all numbers with its original until one of the two is written, costs microseconds, and may be
// read by other threads while the original goes on changing.
class DncSet {
 public:
  // Campaign empty: system-wide. In force when the call returns; up to 10 us.
  void Add(E164 phone, const CampaignId& campaign);
  void Remove(E164 phone, const CampaignId& campaign);
  // Values of E164, in any order and with doubles: see NumberSet::AddMany().
  void AddMany(absl::Span<const uint64_t> phones, const CampaignId& campaign);

  // The key of the hashes, before the first of them; kept by the caller beside them.
  void SetHashKey(const HashKey& key) { hash_key_ = key; }
  // What stands for `phone` once it is erased: sixteen bytes to store and to give to AddErased().
  std::string ErasedHash(E164 phone) const;
  // `hash`: of ErasedHash(), under the key in force. False, and nothing is added: not of sixteen
  // bytes.
  bool AddErased(absl::string_view hash);

  // Of several matches the first of: system-wide, erased, campaign. 9-80 ns; hashes cost nothing
  // while there are none and 20 ns more when there are.
  DncMatch Match(E164 phone, const CampaignId& campaign) const;
  // One set by itself, for a campaign that does not use the other.
  bool InSystem(E164 phone) const { return system_.Contains(phone.value()); }
  bool InCampaign(E164 phone, const CampaignId& campaign) const;
  bool IsErased(E164 phone) const;

  size_t size() const;  // entries of all sets, erased people too
  size_t erased_size() const { return erased_.size(); }
  size_t BytesUsed() const;  // by the numbers

 private:
  absl::uint128 HashOf(E164 phone) const;

  NumberSet system_;
  absl::flat_hash_map<CampaignId, NumberSet> by_campaign_;
  HashKey hash_key_{};
  absl::flat_hash_set<absl::uint128> erased_;
};

}  // namespace outpace::dnc
