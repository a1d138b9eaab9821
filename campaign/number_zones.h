#pragma once

// Zones and areas of numbers, as number_plan.h and number_info.h tell them.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/number_info.h"
#include "campaign/number_tables.h"

namespace outpace::campaign::internal {

// What is known of an area code of North America, or of a part of one.
struct AreaFacts {
  NumberType type = NumberType::kUnknown;
  absl::string_view country, state, city;  // views into the table's text
  uint16_t zones = 0;                      // as ZoneSetOf()
};

// nanp.csv, zones.csv and ranges.csv.
class ZoneTables {
 public:
  // `directory`: an operator's files are laid over the built-in ones; empty: built-in ones alone.
  static absl::StatusOr<std::unique_ptr<const ZoneTables>> Load(const std::string& directory);

  // nullptr: an area code nobody has told of. `seven`: the first of its ten digits.
  const AreaFacts* FindArea(uint32_t seven) const {
    const uint16_t id = areas_.Find(seven);
    return id == 0 ? nullptr : &facts_[id];
  }
  // `seven`: the first of the number in E.164, without "+".
  uint16_t FindZones(uint32_t seven) const { return world_.Find(seven); }
  // Whether an operator vouches for numbers like this one, of any country without a plan of ours.
  bool IsKnownRange(uint64_t number) const {
    const DigitRange& range = ranges_by_id_[ranges_.Find(FirstSeven(number))];
    const int digits = DigitCount(number);
    return digits >= range.min && digits <= range.max;
  }
  // The zones of all area codes of a state, "US", "FL", sorted; empty: there are none.
  const std::vector<std::string>& OfState(absl::string_view country,
                                          absl::string_view state) const {
    const auto found = by_state_.find(std::make_pair(country, state));
    return found == by_state_.end() ? sets_[0] : found->second;
  }
  const std::vector<std::string>& Set(uint32_t set) const {
    return set < sets_.size() ? sets_[set] : sets_[0];
  }

 private:
  friend class ZoneLoader;
  struct DigitRange {
    int min = 1, max = 0;
  };

  PrefixTable areas_, world_, ranges_;
  std::vector<AreaFacts> facts_ = {AreaFacts()};       // by id; none has 0
  std::vector<std::vector<std::string>> sets_ = {{}};  // 0: not known
  // Views into the tables' texts.
  std::map<std::pair<absl::string_view, absl::string_view>, std::vector<std::string>> by_state_;
  std::vector<DigitRange> ranges_by_id_ = {{}};
  std::vector<std::unique_ptr<const std::string>> texts_;
};

// Those in force: the built-in ones until LoadNumberTables(). Any thread.
const ZoneTables& Zones();

// The facts of a number in North America; nullptr for any other and for new area codes.
const AreaFacts* FindArea(E164 number);

inline bool IsNorthAmerican(E164 number) {
  return number.value() / 10'000'000'000 == 1;  // 1 and ten digits
}

// The text of `file` in `directory`; nullptr if there is no such file. InvalidArgument if there is
// no such directory, or the file cannot be read or is over 64 MiB.
absl::StatusOr<std::unique_ptr<const std::string>> ReadTableFile(const std::string& directory,
                                                                 absl::string_view file);

// Reads the built-in `file` and then the directory's, if it has one; see ReadTable(). `begin_over`
// is called where the directory's file replaces all that was read. `texts` keeps what was read.
absl::Status ReadLayers(const std::string& directory, absl::string_view file,
                        absl::string_view header,
                        std::vector<std::unique_ptr<const std::string>>& texts,
                        const std::function<void()>& begin_over,
                        const std::function<absl::Status(const TableRow&, bool built_in)>& take);

}  // namespace outpace::campaign::internal
