#pragma once

// "Hopper: 0, why?" for a whole campaign: how many leads each rule of the gate holds back at one
// moment, how many may be dialed, and when the next ones may. The rules are those that `lead why`
// names. What many leads have in common (list, status and tries; time zones, place and type of the
// number) is asked of gate::Decide once for all of them; what is each lead's own (its due time, its
// number's do-not-call entries, its destination) is looked up (figures:
// docs/PERFORMANCE.md).
//
// What a lead's texts and other number say (consent, an address in another state than the number,
// the campaign's filter, attempts at the alternate number) is asked only of leads that nothing else
// holds back, of each by itself, by gate::Decide: of a lead that is called dialable everything has
// been asked. So those rules show fewer leads than they will hold once the others have ended.
//
// Pure over what it is given: no clock, no store. A counter is used by one thread; several share a
// FunnelScene, which nobody writes meanwhile, and their results are added up.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/gate/gate.h"
#include "campaign/gate/number_history.h"
#include "campaign/gate/policy.h"
#include "campaign/lead_scan.h"
#include "campaign/number_info.h"
#include "campaign/settings.h"
#include "dnc/dnc_set.h"
#include "engine/base/e164.h"

namespace outpace::gate {

// All rules, the most final first: what never ends by itself and lies with the lead, then with the
// list, then with the campaign; then what time brings. A lead that several rules hold back is
// counted first under the one that stands first here.
absl::Span<const Rule> FunnelOrder();

// Rules as bits: of Rule r the bit 1 << r.
using RuleBits = uint64_t;
constexpr RuleBits BitOf(Rule rule) { return RuleBits{1} << static_cast<unsigned>(rule); }

// When a lead may be dialed next, as far as the rules say: each up to and with the end named.
enum class Soonness { kNow, kQuarterHour, kHour, kFourHours, kToday, kLater, kNever };
inline constexpr size_t kSoonnesses = 7;
// "now", "within_15_min", "within_1_h", "within_4_h", "today", "later", "never".
absl::string_view SoonnessName(Soonness soonness);

// What the leads are held against. What it refers to outlives it.
struct FunnelScene {
  const campaign::CampaignSettings& settings;
  const Policy& policy;  // of these settings
  const NumberHistory& history;
  const dnc::DncSet& dnc;
  absl::Time now;
  absl::flat_hash_set<ListId> lists_off = {};  // those not dialed at `now`
  // Leads that have been tried as often today as the campaign allows a day, or more often.
  absl::flat_hash_set<LeadId> tried_out_today = {};
  // Of a running engine; else empty.
  absl::flat_hash_set<LeadId> in_hopper = {}, in_call = {};
  absl::flat_hash_set<E164> numbers_in_call = {};
};

struct FunnelRow {
  absl::string_view rule;  // its name, or "held_earlier"
  int64_t first = 0;       // leads for which it is the first in FunnelOrder()
  int64_t held = 0;        // leads that it holds back, alone or with others
  int64_t alone = 0;       // leads that nothing else holds back: what lifting it would free
};

struct Funnel {
  int64_t leads = 0;      // all: in_call + in_hopper + dialable + the rows' `first`
  int64_t in_call = 0;    // being dialed, in a call, in wrap-up; no rule is asked of them
  int64_t in_hopper = 0;  // wait in the hopper, and may be dialed
  int64_t dialable = 0;   // may be dialed and are not in the hopper yet
  // May be dialed, but a rule that has held them earlier is only looked at again at their
  // hold_until: until then the store does not offer them.
  int64_t held_earlier = 0;
  std::map<RuleBits, int64_t> held;            // leads held back by exactly these rules
  std::array<int64_t, kSoonnesses> when = {};  // of all leads but those in a call
  // The first instant after `now` at which a lead becomes dialable that is not so now;
  // InfiniteFuture: none does.
  absl::Time next = absl::InfiniteFuture();

  void Add(const Funnel& other);
  // One for each rule that holds a lead back, in FunnelOrder(); "held_earlier" last.
  std::vector<FunnelRow> Rows() const;
};

// What the campaign's lead_filter_id has against a lead; none: it passes. Asked only of leads that
// nothing else holds back.
using FilterQuestion = std::function<absl::StatusOr<std::optional<Reason>>(const campaign::Lead&)>;

class FunnelCounter final : public campaign::LeadVisitor {
 public:
  // `filter` null: there is none. The scene outlives the counter.
  FunnelCounter(const FunnelScene& scene, FilterQuestion filter);

  // Over a microsecond where the lead's texts are read.
  absl::Status Visit(const campaign::LeadGlance& lead, campaign::WholeLead whole) override;
  Funnel Result() const;

 private:
  // Leads of one list, status, tries used and tries allowed.
  using LotKey = std::tuple<ListId, std::string, int, int>;
  // Leads of one set of time zones whose numbers are of one place and type. Views into the tables
  // of numbers. Without rules of jurisdictions all numbers are of one.
  using HoursKey = std::tuple<uint32_t, campaign::NumberType, absl::string_view, absl::string_view>;
  struct Hours {
    RuleBits rules = 0;  // what holds them back now
    std::vector<absl::TimeZone> zones;
    rules::Place place;
    bool opens = true;  // some time
    // By minute from the present one on, to the end of the campaign's day, four hours at least:
    // the next at which all windows are open, itself or later; -1: none there. Empty: not worked
    // out yet.
    std::vector<int16_t> open_at;
    // The earliest time from which nothing but windows holds a lead that is not dialable now.
    int64_t waits_from_micros = INT64_MAX;
  };
  // What holds a lead, and until when what is each lead's own does.
  struct Held {
    RuleBits rules = 0;
    int64_t until_micros = INT64_MIN;
  };

  GateInput InputFor(const campaign::Lead& lead) const;
  RuleBits RulesOfLot(const campaign::LeadGlance& lead);
  Hours& HoursOf(const campaign::LeadGlance& lead);
  absl::Time NextOpen(const Hours& hours, absl::Time from) const;
  void FindOpenMinutes(Hours& hours) const;
  Held HeldBy(const campaign::LeadGlance& lead, const Hours& hours);
  // Caps and rests that the attempts at the lead's own number bring about.
  void AddCaps(const campaign::LeadGlance& lead, Held& held);
  // Asks all of a lead that nothing else holds: what does, and when it may be dialed, which goes
  // into funnel_.next too.
  absl::Status AskWhole(const campaign::Lead& lead, RuleBits& rules, Soonness& when);
  Soonness When(const campaign::LeadGlance& lead, const Held& held, Hours& hours) const;
  Soonness SoonnessOf(int64_t micros) const;

  const FunnelScene& scene_;
  const FilterQuestion filter_;
  const dnc::DncAsker asker_;
  const dnc::DncSet no_dnc_;
  const bool has_rules_, counts_attempts_;
  const int64_t now_micros_, midnight_micros_;
  campaign::Lead probe_;  // stands for many
  absl::flat_hash_map<LotKey, RuleBits> lots_;
  // The lot seen last: leads of a list lie together.
  LotKey last_lot_;
  RuleBits last_lot_rules_ = 0;
  bool has_last_lot_ = false;
  campaign::NumberInfo number_;  // of the lead being visited, if there are rules
  absl::flat_hash_map<HoursKey, Hours> hours_;
  absl::flat_hash_map<RuleBits, int64_t> held_;
  Funnel funnel_;
};

}  // namespace outpace::gate
