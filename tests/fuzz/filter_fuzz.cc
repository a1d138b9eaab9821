// Filters from whoever has a mouse and a mind to experiment. The input is a filter, and behind a
// NUL the values of the fields it asks for, parted by NULs. No crash and no endless run; an error
// points into the text; what parses is written as text that parses to the same filter, and both say
// the same of the lead.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "campaign/filter/filter.h"
#include "campaign/filter/text_fold.h"
#include "campaign/filter/values.h"
#include "engine/base/check.h"

namespace outpace::filter {
namespace {

const FieldTypes& Fields() {
  static const FieldTypes* const kFields = [] {
    auto* fields = new FieldTypes(StandardFields());
    (*fields)["registered_capital"] = campaign::FieldType::kNumber;
    (*fields)["注册资本"] = campaign::FieldType::kNumber;
    (*fields)["consent"] = campaign::FieldType::kFlag;
    (*fields)["a field, `quoted`"] = campaign::FieldType::kText;
    return fields;
  }();
  return *kFields;
}

void CheckValue(absl::string_view value) {
  double number = 0;
  if (ReadNumber(value, number)) {
    double again = 0;
    OUTPACE_CHECK(ReadNumber(NumberText(number), again) && again == number);
  }
  int32_t day = 0;
  if (ReadDay(value, day)) {
    int32_t again = 0;
    OUTPACE_CHECK(ReadDay(DayText(day), again) && again == day);
  }
  OUTPACE_CHECK(Folded(value).size() <= FoldedSizeMax(value.size()));
}

void CheckFilter(absl::string_view text, const std::vector<absl::string_view>& given) {
  const absl::CivilDay today(2026, 11, 22);
  const auto filter = Filter::Parse(text, Fields(), today);
  if (!filter.ok()) {
    OUTPACE_CHECK(filter.status().code() == absl::StatusCode::kInvalidArgument);
    OUTPACE_CHECK(absl::StrContains(filter.status().message(), "column "));
    return;
  }
  std::vector<absl::string_view> values(filter->fields().size());
  for (size_t i = 0; i < values.size() && !given.empty(); ++i) values[i] = given[i % given.size()];
  const std::string normal = filter->ToString();
  const auto again = Filter::Parse(normal, Fields(), today);
  OUTPACE_CHECK(again.ok());
  OUTPACE_CHECK(again->ToString() == normal);
  OUTPACE_CHECK(again->fields() == filter->fields());
  OUTPACE_CHECK(again->clauses().size() == filter->clauses().size());
  const int dropped = filter->DroppedBy(values);
  OUTPACE_CHECK(again->DroppedBy(values) == dropped);
  const uint64_t all = filter->AllDroppedBy(values);
  OUTPACE_CHECK(again->AllDroppedBy(values) == all);
  if (dropped < 64) OUTPACE_CHECK((dropped == -1) == (all == 0) || filter->clauses().size() > 64);
}

}  // namespace
}  // namespace outpace::filter

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<absl::string_view> parts = absl::StrSplit(input, '\0');
  const absl::string_view text = parts[0];
  parts.erase(parts.begin());
  for (const absl::string_view value : parts) outpace::filter::CheckValue(value);
  outpace::filter::CheckFilter(text, parts);
  return 0;
}
