#include "campaign/load/zone_ids.h"

#include "absl/strings/match.h"
#include "campaign/calling_window.h"
#include "campaign/number_info.h"

namespace outpace::load {
namespace {

// Names that a file may hold of zones that are none: kept from filling the memory.
constexpr size_t kNamesMax = 4096;

}  // namespace

absl::StatusOr<uint32_t> ZoneIds::Of(const std::vector<std::string>& zones) {
  if (store_ == nullptr) return 0;
  const absl::MutexLock lock(&mutex_);
  const auto at = ids_.find(zones);
  if (at != ids_.end()) return at->second;
  const absl::StatusOr<uint32_t> id = store_->InternZones(zones);
  if (id.ok()) ids_[zones] = *id;
  return id;
}

absl::StatusOr<uint32_t> ZoneCache::OfSet(uint32_t set) {
  if (set >= of_set_.size()) of_set_.resize(set + 1, -1);
  if (of_set_[set] < 0) {
    const absl::StatusOr<uint32_t> id = ids_.Of(campaign::ZonesOfSet(set));
    if (!id.ok()) return id;
    of_set_[set] = *id;
  }
  return static_cast<uint32_t>(of_set_[set]);
}

absl::StatusOr<uint32_t> ZoneCache::OfName(absl::string_view name, bool& known) {
  auto at = of_name_.find(name);
  if (at == of_name_.end()) {
    Named named;
    // "EST" and "Etc/GMT+5" know no summer time, so only names of places are taken.
    named.known = absl::StrContains(name, '/') && !absl::StartsWith(name, "Etc/") &&
                  campaign::FindTimeZone(name).ok();
    if (named.known) {
      const absl::StatusOr<uint32_t> id = ids_.Of({std::string(name)});
      if (!id.ok()) return id;
      named.id = *id;
    }
    if (of_name_.size() >= kNamesMax) of_name_.clear();
    at = of_name_.emplace(std::string(name), named).first;
  }
  known = at->second.known;
  return at->second.id;
}

}  // namespace outpace::load
