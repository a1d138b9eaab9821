// The zones a number may lie in, by its longest known prefix. A number is dialed only when the
// window is open in every one of them, so a zone too many costs calls and a zone too few is a
// complaint: areas carry the union over all their prefixes, and an area code this table has never
// heard of has the zones of the whole mainland.

#include "campaign/number_zones.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "campaign/calling_window.h"
#include "campaign/number_places.h"
#include "campaign/number_plan.h"
#include "campaign/number_plan_internal.h"
#include "engine/base/check.h"

namespace outpace::campaign {
namespace internal {
namespace {

constexpr size_t kTableFileMax = 64 << 20;  // bytes

absl::StatusOr<NumberType> KindOf(absl::string_view text) {
  if (text == "geographic") return NumberType::kFixedOrMobile;
  if (text == "toll_free") return NumberType::kTollFree;
  if (text == "personal") return NumberType::kPersonal;
  return absl::InvalidArgumentError(
      absl::StrCat("'", text, "' is no kind: geographic, toll_free or personal"));
}

std::atomic<const ZoneTables*> zones_in_force{nullptr};

// A set of IANA zones is kept by its sorted names. Loading one costs 100 us, so only an operator's
// are tried here; ours are tried by a test.
absl::StatusOr<std::string> SortedZones(absl::string_view text, bool built_in) {
  std::vector<absl::string_view> names = absl::StrSplit(text, ' ', absl::SkipEmpty());
  if (names.empty()) return absl::InvalidArgumentError("no time zone");
  for (absl::string_view name : names) {
    if (!built_in && !FindTimeZone(name).ok()) {
      return absl::InvalidArgumentError(absl::StrCat("'", name, "' is no IANA time zone"));
    }
  }
  std::sort(names.begin(), names.end());
  return absl::StrJoin(names, " ");
}

}  // namespace

class ZoneLoader {
 public:
  absl::StatusOr<std::unique_ptr<const ZoneTables>> Load(const std::string& directory) {
    absl::Status status = ReadLayers(
        directory, "nanp.csv", "kind,country,state,city,zones,prefixes", out_->texts_,
        [&] {
          out_->areas_ = PrefixTable();
          out_->by_state_.clear();
        },
        [&](const TableRow& row, bool built_in) { return AddArea(row, built_in); });
    if (!status.ok()) return status;
    status = ReadLayers(
        directory, "zones.csv", "zones,prefixes", out_->texts_,
        [&] { out_->world_ = PrefixTable(); },
        [&](const TableRow& row, bool built_in) { return AddZones(row, built_in); });
    if (!status.ok()) return status;
    status = ReadLayers(
        directory, "ranges.csv", "digits_min,digits_max,prefixes", out_->texts_,
        [&] { out_->ranges_ = PrefixTable(); },
        [&](const TableRow& row, bool) { return AddRange(row); });
    if (!status.ok()) return status;
    out_->areas_.Freeze();
    out_->ranges_.Freeze();
    out_->world_.Freeze();
    return std::unique_ptr<const ZoneTables>(std::move(out_));
  }

 private:
  absl::Status AddArea(const TableRow& row, bool built_in) {
    AreaFacts facts;
    const auto kind = KindOf(row.cells[0]);
    if (!kind.ok()) return kind.status();
    const auto zones = Intern(row.cells[4], built_in);
    if (!zones.ok()) return zones.status();
    facts.type = *kind;
    facts.country = row.cells[1];
    facts.state = row.cells[2];
    facts.city = row.cells[3];
    facts.zones = *zones;
    if (out_->facts_.size() > UINT16_MAX) return absl::InvalidArgumentError("too many rows");
    for (const PrefixRange& prefix : row.prefixes) {
      if (prefix.length < 3 || prefix.first < 2'000'000) {
        return absl::InvalidArgumentError("an area code has three digits and begins with 2 to 9");
      }
      out_->areas_.Add(prefix, static_cast<uint16_t>(out_->facts_.size()));
    }
    out_->facts_.push_back(facts);
    if (facts.state.empty()) return absl::OkStatus();
    std::vector<std::string>& of_state = out_->by_state_[{facts.country, facts.state}];
    for (const std::string& zone : out_->sets_[facts.zones]) {
      const auto at = std::lower_bound(of_state.begin(), of_state.end(), zone);
      if (at == of_state.end() || *at != zone) of_state.insert(at, zone);
    }
    return absl::OkStatus();
  }

  absl::Status AddZones(const TableRow& row, bool built_in) {
    const auto zones = Intern(row.cells[0], built_in);
    if (!zones.ok()) return zones.status();
    for (const PrefixRange& prefix : row.prefixes) out_->world_.Add(prefix, *zones);
    return absl::OkStatus();
  }

  absl::Status AddRange(const TableRow& row) {
    ZoneTables::DigitRange range;
    if (!absl::SimpleAtoi(row.cells[0], &range.min) ||
        !absl::SimpleAtoi(row.cells[1], &range.max) || range.min < 8 || range.max > 15 ||
        range.min > range.max) {
      return absl::InvalidArgumentError("digits_min and digits_max must be 8 to 15, in this order");
    }
    if (out_->ranges_by_id_.size() > UINT16_MAX) {
      return absl::InvalidArgumentError("too many rows");
    }
    for (const PrefixRange& prefix : row.prefixes) {
      out_->ranges_.Add(prefix, static_cast<uint16_t>(out_->ranges_by_id_.size()));
    }
    out_->ranges_by_id_.push_back(range);
    return absl::OkStatus();
  }

  absl::StatusOr<uint16_t> Intern(absl::string_view text, bool built_in) {
    const auto sorted = SortedZones(text, built_in);
    if (!sorted.ok()) return sorted.status();
    const auto [at, is_new] =
        set_ids_.try_emplace(*sorted, static_cast<uint16_t>(out_->sets_.size()));
    if (is_new) out_->sets_.push_back(absl::StrSplit(*sorted, ' '));
    if (out_->sets_.size() > UINT16_MAX) return absl::InvalidArgumentError("too many sets");
    return at->second;
  }

  std::unique_ptr<ZoneTables> out_ = std::make_unique<ZoneTables>();
  std::map<std::string, uint16_t> set_ids_;
};

absl::StatusOr<std::unique_ptr<const ZoneTables>> ZoneTables::Load(const std::string& directory) {
  return ZoneLoader().Load(directory);
}

absl::StatusOr<std::unique_ptr<const std::string>> ReadTableFile(const std::string& directory,
                                                                 absl::string_view file) {
  if (directory.empty()) return nullptr;
  // Only a file that is not there leaves the built-in table as it is: one that cannot be looked at
  // would be an operator's table that is not in force.
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("tables_directory ", directory, ": ",
                     error ? error.message() : std::string("is no directory")));
  }
  const std::filesystem::path path = std::filesystem::path(directory) / std::string(file);
  const auto kind = std::filesystem::status(path, error).type();
  if (kind == std::filesystem::file_type::not_found) {
    // A link to nothing is a mistake as well.
    if (!std::filesystem::is_symlink(path, error)) return nullptr;
  }
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (kind == std::filesystem::file_type::directory || !in) {
    return absl::InvalidArgumentError(absl::StrCat(file, ": cannot be read"));
  }
  const auto size = in.tellg();
  if (size < 0 || static_cast<size_t>(size) > kTableFileMax) {
    return absl::InvalidArgumentError(absl::StrCat(file, ": no file, or over 64 MiB"));
  }
  auto text = std::make_unique<std::string>(static_cast<size_t>(size), '\0');
  in.seekg(0);
  if (!in.read(text->data(), size)) {
    return absl::InvalidArgumentError(absl::StrCat(file, ": cannot be read"));
  }
  return std::unique_ptr<const std::string>(std::move(text));
}

absl::Status ReadLayers(const std::string& directory, absl::string_view file,
                        absl::string_view header,
                        std::vector<std::unique_ptr<const std::string>>& texts,
                        const std::function<void()>& begin_over,
                        const std::function<absl::Status(const TableRow&, bool built_in)>& take) {
  absl::Status status = ReadTable(file, BuiltInTable(file), header,
                                  [&](const TableRow& row) { return take(row, true); });
  OUTPACE_CHECK(status.ok());  // our own file, and a test reads it
  auto text = ReadTableFile(directory, file);
  if (!text.ok()) return text.status();
  if (*text == nullptr) return absl::OkStatus();
  texts.push_back(*std::move(text));
  // Whether it replaces stands in its first line.
  if (absl::StartsWith(absl::StripPrefix(*texts.back(), "\xef\xbb\xbf"), "# replace")) begin_over();
  return ReadTable(file, *texts.back(), header,
                   [&](const TableRow& row) { return take(row, false); });
}

const ZoneTables& Zones() {
  const ZoneTables* tables = zones_in_force.load(std::memory_order_acquire);
  if (tables != nullptr) return *tables;
  static const ZoneTables* const built_in = [] {
    auto loaded = ZoneTables::Load("");
    OUTPACE_CHECK(loaded.ok());
    return loaded->release();
  }();
  const ZoneTables* expected = nullptr;
  zones_in_force.compare_exchange_strong(expected, built_in, std::memory_order_acq_rel);
  return expected == nullptr ? *built_in : *expected;
}

const AreaFacts* FindArea(E164 number) {
  if (!IsNorthAmerican(number)) return nullptr;
  return Zones().FindArea(static_cast<uint32_t>((number.value() - 10'000'000'000) / 1'000));
}

bool IsCountry(Digits international) {
  return Zones().FindZones(FirstSeven(international.value())) != 0;
}

}  // namespace internal

uint32_t ZoneSetOf(E164 number) {
  const internal::ZoneTables& zones = internal::Zones();
  if (internal::IsNorthAmerican(number)) {
    const internal::AreaFacts* const area = internal::FindArea(number);
    if (area != nullptr) return area->zones;
  } else if (!number.valid() || internal::FirstSeven(number.value()) < 2'000'000) {
    return 0;  // begins with 1 and is not of North America's length
  }
  return zones.FindZones(internal::FirstSeven(number.value()));
}

const std::vector<std::string>& ZonesOfSet(uint32_t set) { return internal::Zones().Set(set); }

std::vector<std::string> TimeZonesOf(E164 number) { return ZonesOfSet(ZoneSetOf(number)); }

absl::Status LoadNumberTables(const std::string& directory) {
  static std::unique_ptr<const internal::ZoneTables> loaded_zones;
  auto zones = internal::ZoneTables::Load(directory);
  if (!zones.ok()) return zones.status();
  if (absl::Status status = internal::LoadPlaceTables(directory); !status.ok()) return status;
  internal::zones_in_force.store(zones->get(), std::memory_order_release);
  loaded_zones = *std::move(zones);
  return absl::OkStatus();
}

}  // namespace outpace::campaign
