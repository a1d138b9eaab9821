#pragma once

// Rules about leads, as a person writes them:
//
//   registered_capital >= 500万 and not address1 endswith "室"
//     and not company contains any ("电气", "电器") and state in ("CA", "NV")
//
// Parsed once, checked against the fields that exist, then evaluated millions of times without
// allocation. The language is described in docs/FILTERS.md.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/field_type.h"

namespace outpace::filter {

// Fields that may stand in a filter, and their types. Names of no entry are a mistake, told with
// the nearest name.
using FieldTypes = std::map<std::string, campaign::FieldType>;

// The standard fields of a lead (field.md's names), and those derived from its number:
// number_type, number_region, number_area, number_city, number_carrier.
const FieldTypes& StandardFields();

class Filter {
 public:
  // InvalidArgument: "filter: column 24: ... ; did you mean ...", columns counted in characters
  // from 1. `today`: the day that `today` in the text means.
  static absl::StatusOr<Filter> Parse(absl::string_view text, const FieldTypes& types,
                                      absl::CivilDay today);
  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;
  ~Filter();

  // The fields it asks for, each once. Values are given in this order.
  const std::vector<std::string>& fields() const;
  // The parts of the outermost `and`, as written; one when there is none.
  const std::vector<std::string>& clauses() const;
  // Whether it names `today`, and may say otherwise on another day.
  bool uses_today() const;

  // values[i] is the text of fields()[i], empty where the lead has none. Returns the number of the
  // first clause that is not true, -1 when the lead is kept. Thread safe, no allocation.
  int DroppedBy(absl::Span<const absl::string_view> values) const;
  // Each clause by itself: bit i set when clause i is not true (the first 64), for --explain.
  uint64_t AllDroppedBy(absl::Span<const absl::string_view> values) const;

  // The filter as text again, in normal form; parses to the same filter.
  std::string ToString() const;

 private:
  struct Impl;
  explicit Filter(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace outpace::filter
