#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/numeric/int128.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "dnc/dnc_list.h"
#include "dnc/dnc_scope.h"
#include "dnc/keyed_hash.h"
#include "dnc/registry_file.h"
#include "engine/base/e164.h"
#include "engine/base/ids.h"

namespace outpace::dnc {

enum class DncMatch {
  kNone,
  kSystem,
  kErased,  // a person who was erased: treat it as kSystem, whatever the campaign uses
  kLitigator,
  kState,
  kRegistry,  // a national or state registry that is kept as a file
  kClient,
  kCampaign,
};

// "on the system-wide do-not-call list", "erased person", ...: for reports and people.
absl::string_view DncReason(DncMatch match);

// Who asks, and what binds him.
struct DncAsker {
  CampaignId campaign = {};
  std::string client = {};                // of the campaign; empty: none
  bool use_system = true;                 // the system's list and that of litigators
  bool use_campaign = true;               // the campaign's and the client's
  bool use_registries = true;             // registries and states' lists
  absl::Time now = absl::InfinitePast();  // entries that had ended by then do not count
};

// One reason not to call. Views live as long as the set.
struct DncHit {
  DncMatch match = DncMatch::kNone;
  absl::string_view list;  // of a state, client, campaign or registry: which
  Prefix range;            // the entry is a range of numbers; digits 0: the number itself
};
using DncHits = absl::InlinedVector<DncHit, 2>;

// Do-not-call numbers and ranges by scope, registries beside them, and the keyed hashes of people
// who were erased: their number is no longer stored anywhere and yet must not be loaded or dialed
// again. No false positive and no false negative, ever.
//
// One thread writes a set; several may read it while nobody writes. A copy is a snapshot: it shares
// all numbers with its original until one of the two is written, costs microseconds, and may be
// read by other threads while the original goes on changing.
class DncSet {
 public:
  // In force when the call returns; up to 10 us. `expires`: from then on it is not.
  void Add(E164 phone, const DncScope& scope, absl::Time expires = absl::InfiniteFuture());
  void AddRange(Prefix range, const DncScope& scope, absl::Time expires = absl::InfiniteFuture());
  void Remove(E164 phone, const DncScope& scope);
  void RemoveRange(Prefix range, const DncScope& scope);
  // The registries from now on, all of them.
  void SetRegistries(std::vector<std::shared_ptr<const RegistryFile>> registries);
  const std::vector<std::shared_ptr<const RegistryFile>>& registries() const { return registries_; }
  // Campaign empty: system-wide.
  void Add(E164 phone, const CampaignId& campaign) { Add(phone, CampaignScope(campaign)); }
  void Remove(E164 phone, const CampaignId& campaign) { Remove(phone, CampaignScope(campaign)); }
  // Values of E164, in any order and with doubles: see NumberSet::AddMany().
  void AddMany(absl::Span<const uint64_t> phones, const DncScope& scope);
  void AddMany(absl::Span<const uint64_t> phones, const CampaignId& campaign) {
    AddMany(phones, CampaignScope(campaign));
  }

  // The key of the hashes, before the first of them; kept by the caller beside them.
  void SetHashKey(const HashKey& key) { hash_key_ = key; }
  // What stands for `phone` once it is erased: sixteen bytes to store and to give to AddErased().
  std::string ErasedHash(E164 phone) const;
  // `hash`: of ErasedHash(), under the key in force. False, and nothing is added: not of sixteen
  // bytes.
  bool AddErased(absl::string_view hash);

  // All reasons not to call, in the order of DncMatch; empty, and nothing was allocated: none. 9-80
  // ns with one list; hashes cost nothing while there are none and 20 ns more when there are; a
  // registry of 250 M 27 ns.
  DncHits Find(E164 phone, const DncAsker& asker) const;
  // The first of them, for a campaign that uses all lists; entries that end count as in force.
  DncMatch Match(E164 phone, const CampaignId& campaign) const;
  bool IsErased(E164 phone) const;
  // Whether the number itself stands in that list, whatever else holds it.
  bool Has(E164 phone, const DncScope& scope) const;
  bool HasRange(Prefix range, const DncScope& scope) const;
  // When the number's or the range's own entry of that list ends; InfiniteFuture: it stands for
  // good, InfinitePast: there is none.
  absl::Time EndOf(E164 phone, const DncScope& scope) const;
  absl::Time EndOf(Prefix range, const DncScope& scope) const;

  size_t size() const;  // entries of all sets, erased people too
  size_t erased_size() const { return erased_.size(); }
  size_t BytesUsed() const;  // by the numbers

 private:
  absl::uint128 HashOf(E164 phone) const;

  DncList& ListOf(const DncScope& scope);
  const DncList* FindList(DncLevel level, const std::string& id) const;
  const DncList* FindList(const DncScope& scope) const;

  DncList system_;
  // Of the other scopes, by level and id; none is empty.
  absl::btree_map<DncScope, DncList> lists_;
  std::vector<std::shared_ptr<const RegistryFile>> registries_;
  HashKey hash_key_{};
  absl::flat_hash_set<absl::uint128> erased_;
};

}  // namespace outpace::dnc
