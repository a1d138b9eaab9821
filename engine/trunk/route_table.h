#pragma once

// Which trunks a number may take, and in which order. A campaign names its trunks as a *path*:
//
//   carrier            one trunk
//   a,b                b when a cannot take the call
//   a:70|b:30,c        a and b share by weight; c when neither can
//
// Whatever the path says, a trunk never carries a number that its prefix rules deny: the longest
// matching prefix decides, and a trunk that lists what it carries carries nothing else. This is the
// guard against toll fraud, so it stands here, below every campaign setting.
//
// The controller asks for each attempt, thousands a second: a question costs a few hash look-ups a
// trunk and allocates nothing once the caller's vector has grown.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/base/e164.h"
#include "engine/base/rng.h"
#include "engine/trunk/settings.h"

namespace outpace::trunk {

// How a path's trunks are put in order.
enum class TrunkChoice {
  kPriority,   // ',' groups in turn, weights inside a group
  kLeastCost,  // the cheapest first, over the whole path; at one price as for kPriority
};

// A trunk as it stands at the moment of the question.
enum class TrunkCondition : uint8_t {
  kUsable,
  kClosed,    // breaker open, not registered, or its name has no address
  kFull,      // at its limit of calls, or of calls per second
  kExcluded,  // tried for this attempt already
};

// A path as parsed for one RouteTable: means nothing to another.
struct TrunkPath {
  struct Member {
    uint16_t trunk = 0;
    uint16_t group = 0;   // 0 first
    uint32_t weight = 0;  // 0: only when no other of the group can
  };
  std::vector<Member> members{};  // in the order written
  TrunkChoice choice = TrunkChoice::kPriority;
};

// A trunk that may take the call.
struct RouteCandidate {
  uint16_t trunk = 0;          // index into the settings the table was made of
  int32_t rule = -1;           // of the trunk's prefix rules, -1: none matched and none is needed
  double cost_per_minute = 0;  // the rule's, or the trunk's where the rule has none
};

// Why there is no candidate, the most hopeful reason of all trunks of the path first.
enum class NoRoute {
  kNone,        // there are candidates
  kFull,        // ask again when a call has ended or a second has passed
  kClosed,      // ask again when a trunk is back
  kExcluded,    // each was tried for this attempt
  kNotCarried,  // no trunk of the path carries this number: it will not help to ask again
};
absl::string_view NoRouteName(NoRoute why);  // "full", "closed", "tried", "not_carried"

// Immutable; any thread.
class RouteTable {
 public:
  // InvalidArgument names every fault of every trunk: empty, repeated or unusable names, prefixes
  // that are no digits or appear twice, negative costs, strips of more than 7 digits (8 are the
  // least a number has), weights beyond 1,000.
  static absl::StatusOr<RouteTable> Create(std::vector<TrunkSettings> trunks);

  const std::vector<TrunkSettings>& trunks() const { return trunks_; }
  int FindTrunk(absl::string_view name) const;  // -1: no such trunk

  // Spaces around names are skipped; an empty path means all trunks, sharing by their weights. A
  // member without ":weight" has the trunk's own. InvalidArgument says what is wrong and which
  // trunks there are.
  absl::StatusOr<TrunkPath> ParsePath(absl::string_view text, TrunkChoice choice) const;

  // Fills `out` (cleared first) with the trunks to try, in order. `conditions` has one entry a
  // trunk. The order is a function of the arguments and of `rng`, which is drawn from only where
  // weights have something to decide.
  NoRoute Find(E164 number, const TrunkPath& path, absl::Span<const TrunkCondition> conditions,
               Rng& rng, std::vector<RouteCandidate>& out) const;

  // The number as this trunk wants it dialed: "+14155550100", or what its rule makes of it:
  // "0014155550100", "4155550100". Goes into the user part of the Request-URI.
  std::string Dialled(const RouteCandidate& candidate, E164 number) const;

  // What the rules of one trunk say of a number; false: it must not go there.
  bool Carries(uint16_t trunk, E164 number, RouteCandidate& out) const;

 private:
  struct Prefixes {
    absl::flat_hash_map<uint64_t, int32_t> rules{};  // (length, digits) -> index of the rule
    uint32_t lengths = 0;                            // bit n: there are prefixes of n digits
    bool lists_allowed = false;                      // what no rule matches is not carried
  };
  explicit RouteTable(std::vector<TrunkSettings> trunks) : trunks_(std::move(trunks)) {}

  std::vector<TrunkSettings> trunks_;
  std::vector<Prefixes> prefixes_;
};

}  // namespace outpace::trunk
