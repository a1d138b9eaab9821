#pragma once

// Which columns of a file become which texts of its leads, decided once a file.

#include <cstddef>
#include <vector>

#include "campaign/field_type.h"
#include "campaign/load/columns.h"

namespace outpace::load {

struct LeadLayout {
  static constexpr size_t kNone = ~size_t{0};

  // Names and types of the texts, as they are stored.
  campaign::FieldLayout fields;
  // slots[i]: where column i's text goes in `fields`; kNone: it is no text.
  std::vector<size_t> slots;
  // Texts that are made from others: parts of a full name, an extension, further numbers. kNone
  // when no column of the file can give them.
  size_t name = kNone, first_name = kNone, last_name = kNone;
  size_t extension = kNone, alt_phones = kNone, title = kNone;

  explicit LeadLayout(const ColumnMap& columns);
  // kNone: no such text.
  size_t SlotOf(absl::string_view field) const;

 private:
  size_t FindOrAdd(absl::string_view field, campaign::FieldType type);
};

}  // namespace outpace::load
