#pragma once

// The controller's trunks: what each may carry, what it is doing now, and which of a campaign's
// trunks takes the next call. The call shard has the last word on each call (call::TrunkGuard);
// this is what is planned with. Controller's loop only.

#include <climits>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/lead.h"
#include "campaign/settings.h"
#include "engine/base/e164.h"
#include "engine/base/rng.h"
#include "engine/call/signaling.h"
#include "engine/stir/signer.h"
#include "engine/trunk/caller_id_pool.h"
#include "engine/trunk/disposition_table.h"
#include "engine/trunk/route_table.h"
#include "engine/trunk/settings.h"
#include "engine/trunk/trunk_stats.h"

namespace outpace::runtime {

// What one campaign may use of one trunk until the next tick.
struct TrunkShare {
  static constexpr int kNoShare = INT_MAX;  // no other campaign dials over it
  int tokens = kNoShare;
  int lines = kNoShare;
  double token_credit = 0;  // see pacing::ShareClaim
  double line_credit = 0;
  int held = 0;  // lines of the trunk that this campaign's attempts hold
};

// Which trunks a campaign dials over, and its share of each (by the trunk's index).
struct CampaignTrunks {
  trunk::TrunkPath path;
  std::string fault;  // why there is no path; empty if there is one
  std::vector<TrunkShare> shares;
  bool Has(size_t trunk) const;
};

// What a trunk's settings name as files, loaded. Any part may be missing.
struct TrunkTools {
  std::shared_ptr<const trunk::DispositionTable> dispositions;
  std::shared_ptr<stir::Signer> signer;
};
// One entry a trunk. The errors of the loaders, with the trunk's name.
absl::StatusOr<std::vector<TrunkTools>> LoadTrunkTools(
    const std::vector<trunk::TrunkSettings>& trunks);

class TrunkDesk {
 public:
  struct Trunk {
    bool open = false;     // no calls: breaker open, or not registered
    bool probing = false;  // one call at a time, until one gets through
    std::string reason{};
    int calls = 0;    // legs under way
    int dialing = 0;  // of these, not answered yet
    int64_t attempts = 0, answered = 0;
    double tokens = 0;
    std::vector<std::string>
        route_uris{};  // numeric, best first; empty: its name has no address yet
    std::vector<std::string> addresses{};  // numeric hosts of these
    bool registered = false;               // with a registrar, as far as known
    trunk::CallerIdRota caller_ids;
    std::string no_caller_id{};       // why the last call found none; empty if it did
    mutable trunk::TrunkStats stats;  // whoever looks moves its window on
  };

  // `trunks` have been checked (RouteTable::Create()); `tools` has an entry for each, or none.
  TrunkDesk(const std::vector<trunk::TrunkSettings>& trunks, std::vector<TrunkTools> tools,
            MonoTime now);

  size_t size() const { return trunks_.size(); }
  const trunk::TrunkSettings& settings(size_t i) const { return table_.trunks()[i]; }
  Trunk& operator[](size_t i) { return trunks_[i]; }
  const Trunk& operator[](size_t i) const { return trunks_[i]; }
  int Find(absl::string_view name) const { return table_.FindTrunk(name); }

  // From `settings.trunk` and `trunk_choice`; keeps the shares held.
  void SetPath(const campaign::CampaignSettings& settings, CampaignTrunks& trunks) const;
  // The addresses of a trunk, best first. True when they have changed.
  bool SetRoutes(size_t trunk, std::vector<std::string> route_uris,
                 std::vector<std::string> addresses);
  // What the call shard says of its breaker and of our registration.
  void SetState(size_t trunk, bool open, bool probing, absl::string_view reason);
  // The first address did not work: the next call takes the next one.
  void NextRoute(size_t trunk);
  // Whether a next hop ("sip:192.0.2.10" or with a port) is a trunk: what goes there rings somebody
  // past the gate.
  bool IsTrunk(absl::string_view next_hop) const;
  // `passed`'s worth of calls more for every trunk; `most`'s worth are kept.
  void AddTokens(absl::Duration passed, absl::Duration most);

  // What the campaign may place now, over all of its trunks that take calls.
  struct Room {
    int tokens = 0;
    int lines = 0;
    bool shared = false;
    std::string closed;  // why nothing can be placed, when every trunk of the path is closed
  };
  Room RoomFor(const CampaignTrunks& trunks) const;
  // Why nothing leaves when each open trunk of the path has run out of caller IDs; else empty.
  std::string NoCallerIds(const CampaignTrunks& trunks) const;

  struct Choice {
    trunk::NoRoute why = trunk::NoRoute::kNone;
    size_t trunk = 0;
    std::string dialled;  // user part of the Request-URI
    const std::string* route_uri = nullptr;
  };
  // The trunk for this number now; `tried` are out of question.
  Choice Choose(E164 number, const CampaignTrunks& trunks, absl::Span<const uint16_t> tried);

  // The trunk's price for this number: that of the prefix rule it goes by, else the trunk's own.
  double CostPerMinute(size_t trunk, E164 number) const;
  // What a final response means on this trunk.
  trunk::CallVerdict Verdict(size_t trunk, const trunk::CallResult& result) const;
  // The headers by which this call names us and its lead to the trunk.
  std::vector<call::SipHeader> HeadersFor(size_t trunk, const campaign::Lead& lead,
                                          const trunk::CallerId& caller_id, E164 dialed,
                                          absl::string_view our_host, absl::Time now) const;
  // The caller IDs' counts of the day, by trunk name, for the store; and back.
  std::map<std::string, std::string> SaveCallerIds(MonoTime now) const;
  absl::Status RestoreCallerIds(absl::string_view trunk, absl::string_view saved, MonoTime now,
                                int64_t day);
  void StartDay(MonoTime now);

 private:
  trunk::RouteTable table_;
  std::vector<TrunkTools> tools_;
  std::vector<Trunk> trunks_;
  Rng rng_;                                        // spreads calls by weight; the same in every run
  std::vector<trunk::TrunkCondition> conditions_;  // scratch
  std::vector<trunk::RouteCandidate> candidates_;  // scratch
};

// "sip:192.0.2.10:5060", "sip:[2001:db8::1]:5061;transport=tls".
std::string RouteUri(absl::string_view host_and_port, trunk::Transport transport);

}  // namespace outpace::runtime
