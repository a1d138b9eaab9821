#include "campaign/filter/lead_fields.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace outpace::filter {
namespace {

using campaign::Lead;

constexpr absl::string_view kNumberFields[] = {"number_type", "number_region", "number_area",
                                               "number_city", "number_carrier"};

std::string Day(absl::Time time, absl::TimeZone zone) {
  if (time == absl::InfinitePast() || time == absl::InfiniteFuture()) return "";
  return absl::FormatCivilTime(absl::ToCivilDay(time, zone));
}

std::string Phone(E164 phone) { return phone.valid() ? phone.Digits() : ""; }

}  // namespace

absl::string_view NumberField(absl::string_view field, const campaign::NumberInfo& info) {
  if (field == "number_type") return campaign::NumberTypeName(info.type);
  if (field == "number_region") return info.region;
  if (field == "number_area") return info.area;
  if (field == "number_city") return info.city;
  if (field == "number_carrier") return info.carrier;
  return "";
}

bool IsNumberField(absl::string_view field) {
  return std::find(std::begin(kNumberFields), std::end(kNumberFields), field) !=
         std::end(kNumberFields);
}

absl::string_view NewLeadField(absl::string_view field) {
  if (field == "status") return "NEW";
  if (field == "called_count" || field == "rank") return "0";
  if (field == "tier") return "A";
  return "";
}

LeadValues::Make LeadValues::MakerOf(absl::string_view field) {
  struct Known {
    absl::string_view field;
    Make make;
  };
  using Zone = absl::TimeZone;
  static constexpr Known kKnown[] = {
      {"lead_id", [](const Lead& l, Zone) { return absl::StrCat(l.id.value()); }},
      {"list_id", [](const Lead& l, Zone) { return absl::StrCat(l.list.value()); }},
      {"entry_date", [](const Lead& l, Zone zone) { return Day(l.entry_date, zone); }},
      {"status", [](const Lead& l, Zone) { return l.status; }},
      {"phone_number", [](const Lead& l, Zone) { return Phone(l.phone); }},
      {"alt_phone", [](const Lead& l, Zone) { return Phone(l.alt_phone); }},
      {"called_count", [](const Lead& l, Zone) { return absl::StrCat(l.called_count); }},
      {"last_local_call_time",
       [](const Lead& l, Zone zone) { return Day(l.last_call_time, zone); }},
      {"rank", [](const Lead& l, Zone) { return absl::StrCat(l.rank); }},
      {"owner", [](const Lead& l, Zone) { return l.owner; }},
      {"time_zone",
       [](const Lead& l, Zone) { return l.time_zones.empty() ? std::string() : l.time_zones[0]; }},
      {"max_attempts",
       [](const Lead& l, Zone) {
         return l.max_attempts == 0 ? std::string() : absl::StrCat(l.max_attempts);
       }},
      {"tier", [](const Lead& l, Zone) { return std::string(campaign::TierName(l.tier)); }},
  };
  const auto* const known = std::find_if(std::begin(kKnown), std::end(kKnown),
                                         [&](const Known& k) { return k.field == field; });
  return known == std::end(kKnown) ? nullptr : known->make;
}

LeadValues::LeadValues(const Filter& filter, absl::TimeZone zone)
    : zone_(zone), made_(filter.fields().size()), views_(filter.fields().size()) {
  for (const std::string& field : filter.fields()) {
    sources_.push_back({field, MakerOf(field), IsNumberField(field)});
    asks_number_ = asks_number_ || sources_.back().of_number;
  }
}

absl::Span<const absl::string_view> LeadValues::Of(const campaign::Lead& lead) {
  const campaign::NumberInfo info =
      asks_number_ ? campaign::Describe(lead.phone) : campaign::NumberInfo();
  for (size_t i = 0; i < sources_.size(); ++i) {
    const Source& source = sources_[i];
    if (source.of_number) {
      views_[i] = NumberField(source.field, info);
    } else if (source.make != nullptr) {
      made_[i] = source.make(lead, zone_);
      views_[i] = made_[i];
    } else {
      views_[i] = lead.Field(source.field);
    }
  }
  return views_;
}

bool LeadPasses(const Filter& filter, const campaign::Lead& lead, absl::TimeZone zone) {
  return filter.DroppedBy(LeadValues(filter, zone).Of(lead)) == -1;
}

}  // namespace outpace::filter
