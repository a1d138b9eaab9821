#include "campaign/load/row_filter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/filter/lead_fields.h"
#include "campaign/number_info.h"

namespace outpace::load {

absl::StatusOr<RowFilter> RowFilter::Make(absl::string_view text, const LeadLayout& layout,
                                          absl::CivilDay today, ListId list) {
  filter::FieldTypes types = filter::StandardFields();
  for (const campaign::FieldColumn& field : layout.fields) {
    // A column the operator or its name gave a type is of that type, a standard field of its own.
    if (field.type != campaign::FieldType::kText || types.count(field.name) == 0) {
      types[field.name] = field.type;
    }
  }
  absl::StatusOr<filter::Filter> filter = filter::Filter::Parse(text, types, today);
  if (!filter.ok()) return filter.status();
  std::vector<Binding> bindings;
  for (const std::string& field : filter->fields()) {
    bindings.push_back(Bind(field, layout, today, list));
  }
  return RowFilter(*std::move(filter), std::move(bindings));
}

RowFilter::RowFilter(filter::Filter filter, std::vector<Binding> bindings)
    : filter_(std::move(filter)), bindings_(std::move(bindings)) {
  describes_ = std::any_of(bindings_.begin(), bindings_.end(), [](const Binding& binding) {
    return binding.source == Source::kNumber;
  });
}

// As filter::LeadValues has it for leads that are stored.
RowFilter::Binding RowFilter::Bind(const std::string& field, const LeadLayout& layout,
                                   absl::CivilDay today, ListId list) {
  static constexpr std::pair<absl::string_view, Source> kMade[] = {
      {"phone_number", Source::kPhone}, {"alt_phone", Source::kAltPhone},
      {"rank", Source::kRank},          {"status", Source::kStatus},
      {"time_zone", Source::kTimeZone}, {"max_attempts", Source::kMaxAttempts},
  };
  Binding out;
  for (const auto& [name, source] : kMade) {
    if (name != field) continue;
    out.source = source;
    return out;
  }
  if (const size_t slot = layout.SlotOf(field); slot != LeadLayout::kNone) {
    out.source = Source::kSlot;
    out.slot = slot;
  } else if (filter::IsNumberField(field)) {
    out.source = Source::kNumber;
    out.text = field;
  } else if (field == "list_id") {
    out.text = absl::StrCat(list.value());
  } else if (field == "entry_date") {
    out.text = absl::FormatCivilTime(today);
  } else {
    out.text = std::string(filter::NewLeadField(field));
  }
  return out;
}

int RowFilter::DroppedBy(const RowLead& row, Scratch& scratch) const {
  scratch.values.resize(bindings_.size());
  campaign::NumberInfo info;
  if (describes_) info = campaign::Describe(row.lead.phone);
  for (size_t i = 0; i < bindings_.size(); ++i) {
    absl::string_view& value = scratch.values[i];
    switch (bindings_[i].source) {
      case Source::kSlot:
        value = row.texts[bindings_[i].slot];
        break;
      case Source::kFixed:
        value = bindings_[i].text;
        break;
      case Source::kPhone:
        scratch.phone = row.lead.phone.Digits();
        value = scratch.phone;
        break;
      case Source::kAltPhone:
        scratch.alt_phone = row.lead.alt_phone.valid() ? row.lead.alt_phone.Digits() : "";
        value = scratch.alt_phone;
        break;
      case Source::kRank:
        scratch.rank = absl::StrCat(row.lead.rank);
        value = scratch.rank;
        break;
      case Source::kMaxAttempts:
        scratch.max_attempts =
            row.lead.max_attempts == 0 ? "" : absl::StrCat(row.lead.max_attempts);
        value = scratch.max_attempts;
        break;
      case Source::kStatus:
        value = row.lead.next_call_micros == INT64_MIN ? "NEW" : "CALLBK";
        break;
      case Source::kTimeZone:
        value = row.zone_name;
        break;
      case Source::kNumber:
        value = filter::NumberField(bindings_[i].text, info);
        break;
    }
  }
  return filter_.DroppedBy(scratch.values);
}

}  // namespace outpace::load
