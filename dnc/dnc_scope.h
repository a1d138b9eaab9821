#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace outpace::dnc {

// Whom an entry of a do-not-call list binds.
enum class DncLevel : uint8_t {
  kSystem,     // everybody here: people who asked this house not to be called
  kLitigator,  // everybody here: people known to sue
  kState,      // everybody here: a state's own list; `id`: "FL"
  kClient,     // all campaigns of a client (`client_id`)
  kCampaign,   // one campaign
};

struct DncScope {
  DncLevel level = DncLevel::kSystem;
  std::string id;  // of state, client or campaign; empty for the others

  // "system", "litigator", "state:FL", "client:ACME", "campaign:DEMO". InvalidArgument names the
  // forms there are.
  static absl::StatusOr<DncScope> Parse(absl::string_view text);
  std::string ToString() const;
  friend auto operator<=>(const DncScope&, const DncScope&) = default;
};

// Empty: the whole system.
inline DncScope CampaignScope(const std::string& campaign) {
  return campaign.empty() ? DncScope{} : DncScope{DncLevel::kCampaign, campaign};
}

}  // namespace outpace::dnc
