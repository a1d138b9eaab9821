#pragma once

// The rules a campaign has chosen, together. The stricter holds, simply because every rule is
// asked: a moment is open when all windows are open and no holiday falls on it, and an attempt is
// allowed when every cap and every rest allows it. Each answer names the rule it comes from.
//
// Everything here is pure and immutable: the time comes in with each question, so a clock that is
// set forward or back needs no word to anybody. Any thread.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/rules/calendar.h"
#include "campaign/rules/rule.h"
#include "campaign/rules/rule_book.h"
#include "engine/base/e164.h"

namespace outpace::rules {

// Why a rule holds an attempt back.
struct Held {
  const Rule* rule;  // of the set, never null
  std::string text;  // one sentence for people, no number in it
  absl::Time until;  // when this rule alone allows it again; InfiniteFuture: never, or not by time
};

struct WindowVerdict {
  bool open() const { return held.empty(); }
  std::vector<Held> held;  // each rule that is closed
  // First instant at or after the question at which all rules are open; InfiniteFuture: not within
  // 400 days. The question's own time when open.
  absl::Time next_open;
};

// An earlier attempt to the same number, by whatever campaign and lead.
struct PastAttempt {
  absl::Time at;           // the intent
  uint32_t campaign = 0;   // any numbering that tells campaigns apart
  bool answered = false;   // by a person or a machine
  bool abandoned = false;  // a person who met no agent in time
  bool machine = false;
  bool conversation = false;  // an agent spoke with a person
  bool refused = false;       // who did not want the call
};

struct Consent {
  Basis basis = Basis::kNone;
  absl::Time given = absl::InfinitePast();
};

class RuleSet {
 public:
  // An empty set: everything is open.
  RuleSet() = default;
  // NotFound names the ids that the book does not have, and those it has: a campaign that asks for
  // rules which are not there must not dial. Copies what it needs.
  static absl::StatusOr<RuleSet> Combine(const RuleBook& book, absl::Span<const std::string> ids);

  bool empty() const { return rules_.empty(); }
  const std::vector<std::string>& ids() const { return ids_; }
  const std::vector<Rule>& rules() const { return rules_; }  // in the order of ids and files
  // "us-tsr@2026-11-22 us-states@2026-11-22": for records, so that a verdict can be read later.
  const std::string& version() const { return version_; }

  // Windows and holidays, in every zone the number may lie in and every place it may belong to (the
  // number's own, and that of the lead's address where one is known). Where the region or the state
  // of a place is not known, the rules of all of them hold. No zone: closed for good, if the set
  // has any window; without windows or holidays for the places: open. 100-300 ns and no allocation
  // for one or two zones when open.
  WindowVerdict CheckWindow(absl::Time now, absl::Span<const absl::TimeZone> zones,
                            absl::Span<const Place> places) const;
  // The same question with a bare answer: no allocation either way.
  bool IsOpen(absl::Time now, absl::Span<const absl::TimeZone> zones,
              absl::Span<const Place> places) const;

  // Caps and rests. `history`: those before the one that is asked for, newest first, as far back as
  // HistoryNeeded(); attempts in the future (the clock was set back) count as now. Days are those
  // of `zones`, the strictest of them; none: of any zone on earth. No allocation when nothing is
  // held.
  std::vector<Held> CheckCaps(absl::Span<const PastAttempt> history, absl::Time now,
                              uint32_t campaign, absl::Span<const absl::TimeZone> zones,
                              absl::Span<const Place> places) const;
  // Whether any rule of the set asks for consent, whatever the number.
  bool AsksConsent() const { return asks_consent_; }
  // How far back CheckCaps looks; zero: it asks for nothing.
  absl::Duration HistoryNeeded() const { return history_needed_; }

  // Whether the number may be dialed at all: its type, its prefix, its country. The first place is
  // the number's own.
  std::vector<Held> CheckNumber(E164 number, campaign::NumberType type, absl::Time now,
                                absl::Span<const Place> places) const;
  // Whether the consent there is suffices.
  std::vector<Held> CheckConsent(const Consent& consent, campaign::NumberType type, absl::Time now,
                                 absl::Span<const Place> places) const;
  // `fetched`: when the copy of the public register was taken; InfinitePast: there is none.
  std::vector<Held> CheckRegistry(absl::Time fetched, absl::Time now,
                                  absl::Span<const Place> places) const;
  // Whether a call that is given up after `ring` has rung long enough.
  std::vector<Held> CheckRing(absl::Duration ring, absl::Time now,
                              absl::Span<const Place> places) const;

 private:
  // Somewhere on earth it is a day on which the rule is in force.
  static bool InForce(const Rule& rule, absl::Time now);
  // The rules of a place but windows and holidays, by kind; rising.
  struct PlaceRules {
    std::vector<uint32_t> caps, rests, consents, rings, registries, blocks;
  };
  // Those of one kind that are in force and hold in any of the places, each once.
  template <typename Visit>
  void ForEach(std::vector<uint32_t> PlaceRules::*kind, absl::Time now,
               absl::Span<const Place> places, const Visit& visit) const;

  std::vector<std::string> ids_;
  std::string version_;
  std::vector<Rule> rules_;
  PlaceTable<PlaceRules> by_place_;
  bool asks_consent_ = false;
  std::vector<std::string> regions_;  // that any rule speaks of
  CalendarTable calendars_;
  absl::Duration history_needed_;
};

template <typename Visit>
void RuleSet::ForEach(std::vector<uint32_t> PlaceRules::*kind, absl::Time now,
                      absl::Span<const Place> places, const Visit& visit) const {
  absl::InlinedVector<const std::vector<uint32_t>*, 4> earlier;
  for (const Place& place : places) {
    const std::vector<uint32_t>& here = by_place_.Find(place).*kind;
    for (const uint32_t index : here) {
      const bool seen = std::any_of(earlier.begin(), earlier.end(), [index](const auto* others) {
        return std::binary_search(others->begin(), others->end(), index);
      });
      if (!seen && InForce(rules_[index], now)) visit(rules_[index]);
    }
    if (!here.empty()) earlier.push_back(&here);
  }
}

}  // namespace outpace::rules
