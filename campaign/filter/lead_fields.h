#pragma once

// From a lead as it is stored to what a filter asks for.

#include <array>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/filter/filter.h"
#include "campaign/lead.h"
#include "campaign/number_info.h"

namespace outpace::filter {

// "mobile", "CN", "广东", ... for number_type, number_region, number_area, number_city and
// number_carrier; empty where the tables do not know, and for other names.
absl::string_view NumberField(absl::string_view field, const campaign::NumberInfo& info);

// Whether the field hangs on the number alone.
bool IsNumberField(absl::string_view field);

// What a filter that is run before a lead exists is given for fields that only the engine sets:
// "NEW" for status, "0" for called_count and rank, "A" for tier; empty for others.
absl::string_view NewLeadField(absl::string_view field);

// The values that one filter asks for, of one lead after another. One thread; the filter may go
// once this is made. Numbers of telephones are their E.164 digits without "+", days those of
// `zone`.
class LeadValues {
 public:
  explicit LeadValues(const Filter& filter, absl::TimeZone zone = absl::UTCTimeZone());
  LeadValues(LeadValues&&) = default;  // not to be copied: `views_` point into `made_`

  // In the order of Filter::fields(). They live as long as the lead and until the next call.
  absl::Span<const absl::string_view> Of(const campaign::Lead& lead);

 private:
  using Make = std::string (*)(const campaign::Lead&, absl::TimeZone);
  struct Source {
    std::string field;
    Make make = nullptr;  // null: of the lead's number, or one of its texts
    bool of_number = false;
  };
  static Make MakerOf(absl::string_view field);

  absl::TimeZone zone_;
  std::vector<Source> sources_;
  std::vector<std::string> made_;
  std::vector<absl::string_view> views_;
  bool asks_number_ = false;
};

// Whether the filter keeps the lead. For one lead; for many see LeadValues.
bool LeadPasses(const Filter& filter, const campaign::Lead& lead,
                absl::TimeZone zone = absl::UTCTimeZone());

}  // namespace outpace::filter
