#include "campaign/home_place.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "campaign/number_zones.h"

namespace outpace::campaign {
namespace {

struct StateName {
  absl::string_view code, name;
};
constexpr std::array kStates = {
    StateName{"AK", "alaska"},         StateName{"AL", "alabama"},
    StateName{"AR", "arkansas"},       StateName{"AZ", "arizona"},
    StateName{"CA", "california"},     StateName{"CO", "colorado"},
    StateName{"CT", "connecticut"},    StateName{"DC", "district of columbia"},
    StateName{"DE", "delaware"},       StateName{"FL", "florida"},
    StateName{"GA", "georgia"},        StateName{"HI", "hawaii"},
    StateName{"IA", "iowa"},           StateName{"ID", "idaho"},
    StateName{"IL", "illinois"},       StateName{"IN", "indiana"},
    StateName{"KS", "kansas"},         StateName{"KY", "kentucky"},
    StateName{"LA", "louisiana"},      StateName{"MA", "massachusetts"},
    StateName{"MD", "maryland"},       StateName{"ME", "maine"},
    StateName{"MI", "michigan"},       StateName{"MN", "minnesota"},
    StateName{"MO", "missouri"},       StateName{"MS", "mississippi"},
    StateName{"MT", "montana"},        StateName{"NC", "north carolina"},
    StateName{"ND", "north dakota"},   StateName{"NE", "nebraska"},
    StateName{"NH", "new hampshire"},  StateName{"NJ", "new jersey"},
    StateName{"NM", "new mexico"},     StateName{"NV", "nevada"},
    StateName{"NY", "new york"},       StateName{"OH", "ohio"},
    StateName{"OK", "oklahoma"},       StateName{"OR", "oregon"},
    StateName{"PA", "pennsylvania"},   StateName{"RI", "rhode island"},
    StateName{"SC", "south carolina"}, StateName{"SD", "south dakota"},
    StateName{"TN", "tennessee"},      StateName{"TX", "texas"},
    StateName{"UT", "utah"},           StateName{"VA", "virginia"},
    StateName{"VT", "vermont"},        StateName{"WA", "washington"},
    StateName{"WI", "wisconsin"},      StateName{"WV", "west virginia"},
    StateName{"WY", "wyoming"}};
// The three with one area code for several, as the tables of numbers have them, under each name.
struct ProvinceName {
  absl::string_view code, name, area;
};
constexpr std::array kProvinces = {ProvinceName{"AB", "alberta", "AB"},
                                   ProvinceName{"BC", "british columbia", "BC"},
                                   ProvinceName{"MB", "manitoba", "MB"},
                                   ProvinceName{"NB", "new brunswick", "NB"},
                                   ProvinceName{"NL", "newfoundland and labrador", "NL"},
                                   ProvinceName{"NS", "nova scotia", "NS/PE"},
                                   ProvinceName{"NT", "northwest territories", "NT/NU/YT"},
                                   ProvinceName{"NU", "nunavut", "NT/NU/YT"},
                                   ProvinceName{"ON", "ontario", "ON"},
                                   ProvinceName{"PE", "prince edward island", "NS/PE"},
                                   ProvinceName{"QC", "quebec", "QC"},
                                   ProvinceName{"SK", "saskatchewan", "SK"},
                                   ProvinceName{"YT", "yukon", "NT/NU/YT"}};

// The first three digits of ZIP codes by state (USPS Publication 65, table of three-digit ZIP code
// prefixes). Sorted; what is in no range says nothing (military mail, unused).
struct ZipRange {
  int first, last;
  absl::string_view state;
};
constexpr std::array kZips = {
    ZipRange{10, 27, "MA"},   ZipRange{28, 29, "RI"},   ZipRange{30, 38, "NH"},
    ZipRange{39, 49, "ME"},   ZipRange{50, 54, "VT"},   ZipRange{55, 55, "MA"},
    ZipRange{56, 59, "VT"},   ZipRange{60, 62, "CT"},   ZipRange{63, 63, "NY"},
    ZipRange{64, 69, "CT"},   ZipRange{70, 89, "NJ"},   ZipRange{100, 149, "NY"},
    ZipRange{150, 196, "PA"}, ZipRange{197, 199, "DE"}, ZipRange{200, 200, "DC"},
    ZipRange{201, 201, "VA"}, ZipRange{202, 205, "DC"}, ZipRange{206, 219, "MD"},
    ZipRange{220, 246, "VA"}, ZipRange{247, 268, "WV"}, ZipRange{270, 289, "NC"},
    ZipRange{290, 299, "SC"}, ZipRange{300, 319, "GA"}, ZipRange{320, 339, "FL"},
    ZipRange{341, 342, "FL"}, ZipRange{344, 344, "FL"}, ZipRange{346, 347, "FL"},
    ZipRange{349, 349, "FL"}, ZipRange{350, 352, "AL"}, ZipRange{354, 369, "AL"},
    ZipRange{370, 385, "TN"}, ZipRange{386, 397, "MS"}, ZipRange{398, 399, "GA"},
    ZipRange{400, 427, "KY"}, ZipRange{430, 459, "OH"}, ZipRange{460, 479, "IN"},
    ZipRange{480, 499, "MI"}, ZipRange{500, 528, "IA"}, ZipRange{530, 549, "WI"},
    ZipRange{550, 567, "MN"}, ZipRange{570, 577, "SD"}, ZipRange{580, 588, "ND"},
    ZipRange{590, 599, "MT"}, ZipRange{600, 629, "IL"}, ZipRange{630, 658, "MO"},
    ZipRange{660, 679, "KS"}, ZipRange{680, 693, "NE"}, ZipRange{700, 714, "LA"},
    ZipRange{716, 729, "AR"}, ZipRange{730, 731, "OK"}, ZipRange{733, 733, "TX"},
    ZipRange{734, 749, "OK"}, ZipRange{750, 799, "TX"}, ZipRange{800, 816, "CO"},
    ZipRange{820, 831, "WY"}, ZipRange{832, 838, "ID"}, ZipRange{840, 847, "UT"},
    ZipRange{850, 865, "AZ"}, ZipRange{870, 884, "NM"}, ZipRange{885, 885, "TX"},
    ZipRange{889, 898, "NV"}, ZipRange{900, 961, "CA"}, ZipRange{967, 968, "HI"},
    ZipRange{970, 979, "OR"}, ZipRange{980, 994, "WA"}, ZipRange{995, 999, "AK"}};

absl::string_view StateOfZip(absl::string_view text) {
  if (text.size() < 5 || !std::all_of(text.begin(), text.begin() + 5, absl::ascii_isdigit)) {
    return "";
  }
  if (text.size() > 5 && absl::ascii_isdigit(static_cast<unsigned char>(text[5]))) return "";
  const int prefix = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
  const auto* const after =
      std::upper_bound(kZips.begin(), kZips.end(), prefix,
                       [](int wanted, const ZipRange& range) { return wanted < range.first; });
  if (after == kZips.begin() || prefix > (after - 1)->last) return "";
  return (after - 1)->state;
}

// Canada Post: the first letter of a postal code.
absl::string_view ProvinceOfPostalCode(absl::string_view text) {
  if (text.size() < 3 || !absl::ascii_isdigit(static_cast<unsigned char>(text[1])) ||
      !absl::ascii_isalpha(static_cast<unsigned char>(text[2]))) {
    return "";
  }
  switch (absl::ascii_toupper(static_cast<unsigned char>(text[0]))) {
    case 'A':
      return "NL";
    case 'B':
    case 'C':
      return "NS/PE";
    case 'E':
      return "NB";
    case 'G':
    case 'H':
    case 'J':
      return "QC";
    case 'K':
    case 'L':
    case 'M':
    case 'N':
    case 'P':
      return "ON";
    case 'R':
      return "MB";
    case 'S':
      return "SK";
    case 'T':
      return "AB";
    case 'V':
      return "BC";
    case 'X':
    case 'Y':
      return "NT/NU/YT";
    default:
      return "";
  }
}

HomePlace PlaceOfState(absl::string_view text) {
  if (text.size() == 2) {  // nearly always
    const char code[] = {absl::ascii_toupper(static_cast<unsigned char>(text[0])),
                         absl::ascii_toupper(static_cast<unsigned char>(text[1]))};
    const auto* const state = std::lower_bound(
        kStates.begin(), kStates.end(), absl::string_view(code, 2),
        [](const StateName& one, absl::string_view wanted) { return one.code < wanted; });
    if (state != kStates.end() && state->code == absl::string_view(code, 2)) {
      return {"US", state->code};
    }
  }
  for (const StateName& state : kStates) {
    if (absl::EqualsIgnoreCase(text, state.name)) return {"US", state.code};
  }
  for (const ProvinceName& province : kProvinces) {
    if (absl::EqualsIgnoreCase(text, province.code) ||
        absl::EqualsIgnoreCase(text, province.name)) {
      return {"CA", province.area};
    }
  }
  return {};
}

void AddOnce(HomePlace place, HomePlaces& places) {
  const bool known = !place.area.empty();
  if (known && std::find(places.begin(), places.end(), place) == places.end()) {
    places.push_back(place);
  }
}

}  // namespace

HomePlaces HomePlacesOf(const Lead& lead) {
  HomePlaces places;
  absl::string_view state, postal_code, country;
  // Once over all texts: three searches in the tree cost more, and this is asked before each call.
  for (const auto& [name, text] : lead.fields) {
    if (name == "state") {
      state = absl::StripAsciiWhitespace(text);
    } else if (name == "postal_code") {
      postal_code = absl::StripAsciiWhitespace(text);
    } else if (name == "country_code") {
      country = absl::StripAsciiWhitespace(text);
    }
  }
  if (state.empty() && postal_code.empty()) return places;
  const auto is = [country](absl::string_view text) {
    return absl::EqualsIgnoreCase(country, text);
  };
  const bool canada = is("CA") || is("CAN"), states = is("US") || is("USA"), either = is("1");
  const bool by_number = country.empty() && internal::IsNorthAmerican(lead.phone);
  if (!canada && !states && !either && !by_number) return places;
  const auto add = [&](HomePlace place) {
    // The country is said: "DE" of Germany's address is no state of it.
    if ((canada && place.region == "US") || (states && place.region == "CA")) return;
    AddOnce(place, places);
  };
  if (!state.empty()) add(PlaceOfState(state));
  if (!postal_code.empty()) {
    add({"US", StateOfZip(postal_code)});
    add({"CA", ProvinceOfPostalCode(postal_code)});
  }
  return places;
}

const std::vector<std::string>& ZonesOfPlace(const HomePlace& place) {
  return internal::Zones().OfState(place.region, place.area);
}

}  // namespace outpace::campaign
