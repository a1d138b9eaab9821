#include "campaign/lead.h"

namespace outpace::campaign {

absl::string_view TierName(Tier tier) { return tier == Tier::kA ? "A" : "B"; }

const std::string& Lead::Field(const std::string& name) const {
  static const std::string* const kEmpty = new std::string;
  const auto it = fields.find(name);
  return it == fields.end() ? *kEmpty : it->second;
}

}  // namespace outpace::campaign
