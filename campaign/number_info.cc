// What a number says of itself. The kind of a number is part of a country's plan and stands here;
// towns and carriers are tables. A carrier is the one the range was given to: numbers move.

#include "campaign/number_info.h"

#include <atomic>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "campaign/number_places.h"
#include "campaign/number_plan_internal.h"
#include "campaign/number_regions.h"
#include "campaign/number_tables.h"
#include "campaign/number_zones.h"
#include "engine/base/check.h"

namespace outpace::campaign {
namespace internal {
namespace {

struct Place {
  absl::string_view region, area, city;
};

// Rows of equal attributes have one id; 0 has none.
template <typename T>
struct Places {
  PrefixTable prefixes;
  std::vector<T> by_id = {T()};

  absl::Status Add(const TableRow& row, T place) {
    if (by_id.size() > UINT16_MAX) return absl::InvalidArgumentError("more than 65,535 rows");
    for (const PrefixRange& prefix : row.prefixes) {
      prefixes.Add(prefix, static_cast<uint16_t>(by_id.size()));
    }
    by_id.push_back(place);
    return absl::OkStatus();
  }
  const T& Find(uint32_t seven) const { return by_id[prefixes.Find(seven)]; }
};

struct PlaceTables {
  Places<Place> nanp, cn, gb;
  Places<absl::string_view> carriers;
  std::vector<std::unique_ptr<const std::string>> texts;

  static absl::StatusOr<std::unique_ptr<const PlaceTables>> Load(const std::string& directory);
};

absl::StatusOr<std::unique_ptr<const PlaceTables>> PlaceTables::Load(const std::string& directory) {
  auto out = std::make_unique<PlaceTables>();
  PlaceTables& t = *out;
  // The order of the cells is that of the header.
  const auto read = [&](absl::string_view file, absl::string_view header, auto& places,
                        const auto& place_of) {
    absl::Status status = ReadLayers(
        directory, file, header, t.texts, [&] { places = {}; },
        [&](const TableRow& row, bool) { return places.Add(row, place_of(row.cells)); });
    places.prefixes.Freeze();
    return status;
  };
  using Cells = std::vector<absl::string_view>;
  absl::Status status = read("nanp_city.csv", "state,city,prefixes", t.nanp, [](const Cells& c) {
    return Place{"", c[0], c[1]};
  });
  if (!status.ok()) return status;
  status = read("cn_geo.csv", "province,city,prefixes", t.cn, [](const Cells& c) {
    return Place{"CN", c[0], c[1]};
  });
  if (!status.ok()) return status;
  status =
      read("cn_carrier.csv", "carrier,prefixes", t.carriers, [](const Cells& c) { return c[0]; });
  if (!status.ok()) return status;
  status = read("gb.csv", "region,area,city,prefixes", t.gb, [](const Cells& c) {
    return Place{c[0], c[1], c[2]};
  });
  if (!status.ok()) return status;
  return std::unique_ptr<const PlaceTables>(std::move(out));
}

std::atomic<const PlaceTables*> places_in_force{nullptr};

// Those in force: the built-in ones until LoadNumberTables().
const PlaceTables& AllPlaces() {
  const PlaceTables* tables = places_in_force.load(std::memory_order_acquire);
  if (tables != nullptr) return *tables;
  static const PlaceTables* const built_in = [] {
    auto loaded = PlaceTables::Load("");
    OUTPACE_CHECK(loaded.ok());
    return loaded->release();
  }();
  const PlaceTables* expected = nullptr;
  places_in_force.compare_exchange_strong(expected, built_in, std::memory_order_acq_rel);
  return expected == nullptr ? *built_in : *expected;
}

// `national`: ten digits.
NumberInfo NorthAmerican(E164 number, uint64_t national) {
  NumberInfo out;
  out.type = NumberType::kFixedOrMobile;
  const AreaFacts* const area = FindArea(number);
  if (area != nullptr) {
    out.type = area->type;
    out.region = area->country;
    out.area = area->state;
    out.city = area->city;
  }
  const Place& place = AllPlaces().nanp.Find(static_cast<uint32_t>(national / 1'000));
  if (!place.city.empty()) out.city = place.city;
  // Of "NS/PE" the exchange knows which.
  if (!place.area.empty()) out.area = place.area;
  return out;
}

// `national`: without the trunk 0; mobiles and area codes of three digits with eight behind have
// eleven digits, fixed lines of cities and 400 numbers ten, company numbers five to eight.
NumberInfo Chinese(uint64_t national) {
  NumberInfo out;
  out.region = "CN";
  const uint32_t seven = FirstSeven(national);
  if (seven >= 9'500'000 && seven < 9'600'000 && national < 100'000'000) {
    out.type = NumberType::kCorporate;
  } else if (national >= 13'000'000'000 && national < 20'000'000'000) {
    out.type = NumberType::kMobile;
    out.carrier = AllPlaces().carriers.Find(seven);
  } else if (national / 10'000'000 == 400) {
    out.type = NumberType::kShared;
  } else if (national / 10'000'000 == 800) {
    out.type = NumberType::kTollFree;
  } else if (national >= 1'000'000'000) {
    out.type = NumberType::kFixed;
  }
  if (out.type != NumberType::kMobile && out.type != NumberType::kFixed) return out;
  const Place& place = AllPlaces().cn.Find(seven);
  out.area = place.area;
  out.city = place.city;
  return out;
}

// By the first digits of Ofcom's plan, S1 to S9; `national` has nine or ten of them.
NumberType BritishType(uint32_t seven) {
  const uint32_t two = seven / 100'000;
  switch (two / 10) {
    case 1:
    case 2:
      return NumberType::kFixed;
    case 3:
      return NumberType::kCorporate;
    case 5:
      return two == 50 ? NumberType::kTollFree
                       : (two == 56 ? NumberType::kVoip : NumberType::kCorporate);
    case 7:
      if (two == 70) return NumberType::kPersonal;
      return two == 76 && seven / 1'000 != 7'624 ? NumberType::kUnknown : NumberType::kMobile;
    case 8:
      return two == 80 ? NumberType::kTollFree : NumberType::kShared;
    default:
      return NumberType::kUnknown;
  }
}

NumberInfo British(uint64_t national) {
  NumberInfo out;
  const uint32_t seven = FirstSeven(national);
  const Place& place = AllPlaces().gb.Find(seven);
  out.type = BritishType(seven);
  out.region = place.region.empty() ? "GB" : place.region;
  out.area = place.area;
  out.city = place.city;
  return out;
}

}  // namespace

absl::Status LoadPlaceTables(const std::string& directory) {
  static std::unique_ptr<const PlaceTables> loaded;
  auto places = PlaceTables::Load(directory);
  if (!places.ok()) return places.status();
  places_in_force.store(places->get(), std::memory_order_release);
  loaded = *std::move(places);
  return absl::OkStatus();
}

}  // namespace internal

absl::string_view NumberTypeName(NumberType type) {
  switch (type) {
    case NumberType::kUnknown:
      return "unknown";
    case NumberType::kMobile:
      return "mobile";
    case NumberType::kFixed:
      return "fixed";
    case NumberType::kFixedOrMobile:
      return "fixed_or_mobile";
    case NumberType::kTollFree:
      return "toll_free";
    case NumberType::kShared:
      return "shared_cost";
    case NumberType::kCorporate:
      return "corporate";
    case NumberType::kPersonal:
      return "personal";
    case NumberType::kVoip:
      return "voip";
  }
  return "";
}

NumberInfo Describe(E164 number) {
  const uint64_t value = number.value();
  if (internal::IsNorthAmerican(number)) {
    return internal::NorthAmerican(number, value - 10'000'000'000);
  }
  const uint32_t two = internal::FirstSeven(value) / 100'000;
  // Two digits of country code and what stands behind them.
  if (two == 86 || two == 44) {
    const uint64_t national = value - two * internal::kPowersOfTen[internal::DigitCount(value) - 2];
    return two == 86 ? internal::Chinese(national) : internal::British(national);
  }
  NumberInfo out;
  out.region = internal::RegionOf(number);
  return out;
}

}  // namespace outpace::campaign
