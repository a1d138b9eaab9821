#include "campaign/load/lead_layout.h"

#include <string>

#include "campaign/load/alt_phones.h"

namespace outpace::load {
namespace {

using K = ColumnKind;

bool IsKept(ColumnKind kind) {
  switch (kind) {
    case K::kText:
    case K::kName:
    case K::kThirdPhone:
    case K::kPhoneCode:
    case K::kCountry:
    case K::kOwner:
    case K::kGender:
    case K::kDateOfBirth:
      return true;
    case K::kIgnored:
    case K::kUntrusted:
    case K::kPhone:
    case K::kAltPhone:
    case K::kMultiAlt:
    case K::kTimeZone:
    case K::kRank:
    case K::kPriority:
    case K::kMaxAttempts:
    case K::kCallback:
    case K::kCallerId:
      return false;
  }
  return false;
}

}  // namespace

LeadLayout::LeadLayout(const ColumnMap& columns) {
  bool has_further = false;
  for (const Column& column : columns.columns) {
    slots.push_back(IsKept(column.kind) ? FindOrAdd(column.field, column.type) : kNone);
    if (column.kind == K::kName) name = slots.back();
    has_further = has_further || column.kind == K::kAltPhone || column.kind == K::kMultiAlt ||
                  column.kind == K::kThirdPhone;
  }
  // Empty texts at the end cost nothing, so what is rare stands there.
  if (name != kNone) {
    FindOrAdd("first_name", campaign::FieldType::kText);
    FindOrAdd("last_name", campaign::FieldType::kText);
  }
  if (has_further) alt_phones = FindOrAdd(kAltPhonesField, campaign::FieldType::kText);
  extension = FindOrAdd("extension", campaign::FieldType::kText);
  first_name = SlotOf("first_name");
  last_name = SlotOf("last_name");
  title = SlotOf("title");
}

size_t LeadLayout::SlotOf(absl::string_view field) const {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == field) return i;
  }
  return kNone;
}

size_t LeadLayout::FindOrAdd(absl::string_view field, campaign::FieldType type) {
  const size_t slot = SlotOf(field);
  if (slot != kNone) return slot;
  fields.push_back({std::string(field), type});
  return fields.size() - 1;
}

}  // namespace outpace::load
