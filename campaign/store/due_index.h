#pragma once

// The index a refill of the hopper reads: every lead that may be dialed some day, in the order its
// campaign dials them. Keys, all numbers big endian:
//
//   READY    campaign NUL | generation | 'r' | list | status NUL | tier | rank | order | lead id
//   WAITING  campaign NUL | generation | 'w' | due time | lead id
//            -> list | status NUL | tier | rank | order: of the READY entry it is going to be
//
// List, status, tier and rank are a *bucket*: within one the leads stand in the campaign's order
// (campaign/lead_order.h gives the number), and a refill merges buckets. So lists that are off and
// statuses that are not dialed cost nothing, and shares by list or of new leads come by taking from
// the right buckets. In the order DUE that number is the time itself: leads not due yet stand at
// the end of their bucket, and nothing is WAITING. In other orders a lead is READY when it has no
// due time (new, reset), else WAITING until its time has come; the writer moves it then, in bounded
// steps.
//
// Another order for a campaign is a second index of the next generation, built beside the first in
// bounded steps while both follow every write; then one write makes it the campaign's index and
// drops the first. Where that stands is stored, so it goes on after a crash.

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/lead.h"
#include "campaign/lead_order.h"
#include "engine/base/ids.h"

namespace outpace::store {

// One key of the index and what stands under it.
struct DueEntry {
  std::string key;
  std::string value;  // WAITING only; empty: READY
  bool waiting() const { return !value.empty(); }
  friend bool operator==(const DueEntry&, const DueEntry&) = default;
};

// How the index of a campaign is laid out at present.
struct DuePlan {
  campaign::LeadOrder order = campaign::LeadOrder::kDue;
  uint8_t generation = 0;  // 0 or 1
  // While `building`: the index of generation 1 - generation, in the order it is going to have.
  bool building = false;
  campaign::LeadOrder next_order = campaign::LeadOrder::kDue;
  std::string cursor;  // the last key of the present index that the new one has; empty: none
};

// Under kDuePlanPrefix and the campaign's name in the family of small things; none: a DuePlan as it
// is made.
inline constexpr char kDuePlanPrefix = 'q';
std::string EncodeDuePlan(const DuePlan& plan);
absl::StatusOr<DuePlan> DecodeDuePlan(absl::string_view bytes);  // as codec.h's

// A lead as the index sees it.
struct DueFacts {
  ListId list;
  absl::string_view status = "NEW";
  campaign::Tier tier = campaign::Tier::kA;
  int rank = 0;  // -99..99
  campaign::OrderFacts order;
};
// As `order` needs them. Owner, last name and status point into `lead`.
DueFacts DueFactsOf(const campaign::Lead& lead, campaign::LeadOrder order);

// Of ranks -99..99 the place among those of a tier: 0 comes first.
uint8_t RankPlace(campaign::LeadOrder order, int rank);
// Whether a lead is not READY by itself but only when its time has come.
bool Waits(campaign::LeadOrder order, const DueFacts& facts);
// list | status NUL
void AppendListAndStatus(ListId list, absl::string_view status, std::string& to);

// The entry of one lead in one generation. `prefix`: DuePrefixOf().
std::string DuePrefixOf(absl::string_view campaign, uint8_t generation);
void SetDueEntry(absl::string_view prefix, campaign::LeadOrder order, const DueFacts& facts,
                 DueEntry& entry);

// All of a WAITING key but its due time and lead.
std::string WaitingBucket(absl::string_view campaign, uint8_t generation);
// The first key of the READY part.
std::string ReadyPart(absl::string_view campaign, uint8_t generation);

// The READY key a WAITING entry turns into when its time has come.
std::string PromotedKey(const DueEntry& waiting);

// All entries of a lead under `plan`: none when it can never be due, one, or two while an index is
// being built.
std::vector<DueEntry> DueEntriesOf(const campaign::Lead& lead, const DuePlan& plan);

// Where a lead stands among all of its campaign: for a store that keeps all of them in one order.
struct DuePlace {
  CampaignId campaign;
  uint8_t tier = 0, rank_place = 0;
  uint64_t order = 0;
  LeadId lead;
  friend auto operator<=>(const DuePlace&, const DuePlace&) = default;
};
DuePlace DuePlaceOf(const campaign::Lead& lead, campaign::LeadOrder order);

// Parts of a READY key; views into it.
struct ReadyKey {
  absl::string_view bucket;  // all before the order
  ListId list;
  absl::string_view status;
  uint8_t tier = 0, rank_place = 0;
  uint64_t order = 0;
  LeadId lead;
};
// False when `key` is no READY key. `prefix_bytes`: the size of DuePrefixOf().
bool ParseReadyKey(absl::string_view key, size_t prefix_bytes, ReadyKey& parts);

}  // namespace outpace::store
