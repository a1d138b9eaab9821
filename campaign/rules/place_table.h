#pragma once

// Something for each place that rules tell apart, worked out beforehand and found by a number's
// region and area. Immutable once made; any thread.

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "campaign/rules/rule.h"

namespace outpace::rules {

// Where a number belongs: "US", "FL"; either may be empty (not known). As NumberInfo has them;
// "NS/PE" (one of them) is taken as not known.
struct Place {
  absl::string_view region, area;
};

// Whether a rule of these areas holds in the place, as said at RuleSet::CheckWindow.
bool Covers(absl::Span<const std::string> areas, Place place);
// Whether the area is not known for certain.
bool IsVague(absl::string_view area);

template <typename T>
class PlaceTable {
 public:
  PlaceTable() = default;
  // `concerns`: the rules, by their place in `rules`, that the table is of. `make` is given those
  // of them that hold in a place and returns what is kept for it.
  template <typename Make>
  PlaceTable(absl::Span<const Rule> rules, const std::vector<uint32_t>& concerns,
             const Make& make) {
    std::set<std::pair<std::string, std::string>> places;
    std::vector<uint32_t> everywhere;
    for (const uint32_t index : concerns) {
      if (rules[index].areas.empty()) everywhere.push_back(index);
      for (const std::string& area : rules[index].areas) {
        const size_t dash = area.find('-');
        places.insert({area.substr(0, dash), ""});
        if (dash != std::string::npos) {
          places.insert({area.substr(0, dash), area.substr(dash + 1)});
        }
      }
    }
    const auto holding = [&](Place place) {
      std::vector<uint32_t> out;
      for (const uint32_t index : concerns) {
        if (Covers(rules[index].areas, place)) out.push_back(index);
      }
      return make(std::move(out));
    };
    for (const auto& [region, area] : places) {
      // No area of that name: what holds in the region's other areas.
      places_.Add({region, area, holding({region, area.empty() ? "*" : area})});
      if (area.empty()) vague_.Add({region, "", holding({region, ""})});
    }
    unknown_ = holding({"", ""});
    elsewhere_ = make(std::move(everywhere));
  }

  // 10-20 ns, no allocation.
  const T& Find(Place place) const {
    if (place.region.empty()) return unknown_;
    const bool vague = IsVague(place.area);
    if (!vague) {
      if (const T* found = places_.Find(place)) return *found;
    }
    place.area = "";
    const T* const found = (vague ? vague_ : places_).Find(place);
    return found == nullptr ? elsewhere_ : *found;
  }
  bool empty() const { return places_.empty(); }  // no rule names a place
  const T& elsewhere() const { return elsewhere_; }

 private:
  struct Entry {
    std::string region, area;
    T value;
  };
  class Entries {
   public:
    bool empty() const { return entries_.empty(); }
    // Each place once.
    void Add(Entry entry) {
      by_key_[KeyOf({entry.region, entry.area})].push_back(static_cast<uint32_t>(entries_.size()));
      entries_.push_back(std::move(entry));
    }
    const T* Find(Place place) const {
      const auto found = by_key_.find(KeyOf(place));
      if (found == by_key_.end()) return nullptr;
      for (const uint32_t index : found->second) {
        const Entry& entry = entries_[index];
        if (IsExact(place) || (entry.region == place.region && entry.area == place.area)) {
          return &entry.value;
        }
      }
      return nullptr;
    }

   private:
    // Two letters and four octets make up a key that no other place has: nearly all there are.
    static bool IsExact(Place place) { return place.region.size() == 2 && place.area.size() <= 4; }
    static uint64_t KeyOf(Place place) {
      uint64_t key = 0;
      for (const absl::string_view text : {place.region, place.area}) {
        for (const char c : text) key = key << 8 ^ key >> 56 ^ static_cast<unsigned char>(c);
        key = key << 8 ^ key >> 56;
      }
      constexpr uint64_t kOthers = uint64_t{1} << 63;  // letters leave it free
      return IsExact(place) ? key & ~kOthers : key | kOthers;
    }
    std::vector<Entry> entries_;
    absl::flat_hash_map<uint64_t, absl::InlinedVector<uint32_t, 1>> by_key_;
  };

  Entries places_;  // by region and area; "" in an area: none of its known areas
  Entries vague_;   // by region: the area is not known
  T unknown_{};     // the region is not known
  T elsewhere_{};   // regions that no rule names: the rules for everywhere
};

}  // namespace outpace::rules
