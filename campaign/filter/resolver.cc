#include "campaign/filter/resolver.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "campaign/filter/pattern.h"
#include "campaign/filter/values.h"

namespace outpace::filter {
namespace {

using campaign::FieldType;

// Edits (one character put in, left out or exchanged) that turn one name into the other.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t exchanged = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, exchanged});
    }
  }
  return row[b.size()];
}

// The name that was probably meant; empty: none is near.
std::string NearestName(absl::string_view name, const FieldTypes& types) {
  if (name.size() > 64) return "";
  const std::string wanted = absl::AsciiStrToLower(name);
  std::string best;
  size_t best_distance = std::max<size_t>(2, wanted.size() / 3) + 1;
  for (const auto& [known, type] : types) {
    const size_t distance = EditDistance(wanted, known);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = known;
  }
  return best;
}

bool IsTextOp(Op op) {
  return op == Op::kContains || op == Op::kStartsWith || op == Op::kEndsWith || op == Op::kMatches;
}
bool IsOrderOp(Op op) {
  return op == Op::kLess || op == Op::kLessEqual || op == Op::kGreater || op == Op::kGreaterEqual;
}

class Resolver {
 public:
  Resolver(const SourceText& source, const FieldTypes& types, absl::CivilDay today,
           std::vector<std::string>& fields)
      : source_(source), types_(types), today_(today), fields_(fields) {}

  absl::Status Run(Node& node) {
    if (node.kind == Node::Kind::kTest) return Test(node);
    for (Node& child : node.children) {
      if (absl::Status s = Run(child); !s.ok()) return s;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Test(Node& test) {
    if (absl::Status s = Field(test); !s.ok()) return s;
    const absl::string_view name = test.field;
    if (IsOrderOp(test.op) && test.type != FieldType::kNumber && test.type != FieldType::kDate) {
      return source_.Error(
          test.op_at, absl::StrCat(name, " is ", TypeText(test.type),
                                   "; < <= > >= compare numbers and days, so it would have to be "
                                   "loaded as a number or a date"));
    }
    if (IsTextOp(test.op) && test.type != FieldType::kText) {
      return source_.Error(test.op_at, absl::StrCat(name, " is ", TypeText(test.type),
                                                    "; this operator looks into texts"));
    }
    for (Value& value : test.values) {
      if (absl::Status s = Meaning(test, value); !s.ok()) return s;
    }
    return absl::OkStatus();
  }

  absl::Status Field(Node& test) {
    auto known = types_.find(test.field);
    if (known == types_.end()) known = types_.find(absl::AsciiStrToLower(test.field));
    if (known == types_.end()) {
      const std::string nearest = NearestName(test.field, types_);
      return source_.Error(test.field_at, absl::StrCat("no field is named \"", test.field, "\"",
                                                       nearest.empty() ? "" : "; did you mean ",
                                                       nearest, nearest.empty() ? "" : "?"));
    }
    test.field = known->first;
    test.type = known->second;
    const auto at = std::find(fields_.begin(), fields_.end(), test.field);
    test.field_index = static_cast<size_t>(at - fields_.begin());
    if (at != fields_.end()) return absl::OkStatus();
    if (fields_.size() == kFieldsMax) {
      return source_.Error(test.field_at,
                           absl::StrCat("more than ", kFieldsMax, " different fields"));
    }
    fields_.push_back(test.field);
    return absl::OkStatus();
  }

  absl::Status Meaning(const Node& test, Value& value) {
    if (value.relative && test.type != FieldType::kDate) {
      return source_.Error(value.at, absl::StrCat(test.field, " is ", TypeText(test.type),
                                                  ", and `today` is a date"));
    }
    switch (test.type) {
      case FieldType::kText:
        return TextMeaning(test, value);
      case FieldType::kNumber:
        return NumberMeaning(test, value);
      case FieldType::kDate:
        return DayMeaning(test, value);
      case FieldType::kFlag:
        if (ReadFlag(value.text, value.flag)) return absl::OkStatus();
        return source_.Error(value.at, absl::StrCat(test.field, " is a flag: Y or N"));
    }
    return absl::OkStatus();
  }

  absl::Status TextMeaning(const Node& test, const Value& value) {
    if (!value.quoted) {
      return source_.Error(
          value.at, absl::StrCat(test.field, " is text; write it in quotes: \"", value.text, "\""));
    }
    if (value.text.empty()) {
      return source_.Error(
          value.at, absl::StrCat("for nothing between quotes write: ", test.field, " is empty"));
    }
    if (test.op != Op::kMatches) return absl::OkStatus();
    const auto pattern = Pattern::Compile(value.text);
    if (pattern.ok()) return absl::OkStatus();
    return source_.Error(value.at, pattern.status().message());
  }

  absl::Status NumberMeaning(const Node& test, Value& value) {
    // `in (5,000,000)` is three numbers, and none of them what was meant.
    if (test.op == Op::kIn && !value.quoted && value.text.size() > 1 && value.text[0] == '0' &&
        absl::ascii_isdigit(static_cast<unsigned char>(value.text[1]))) {
      return source_.Error(value.at,
                           "in a set a comma parts the values; write 5000000 or \"5,000,000\"");
    }
    if (ReadNumber(value.text, value.number)) return absl::OkStatus();
    return source_.Error(value.at, absl::StrCat(test.field, " is a number, and \"", value.text,
                                                "\" is none; write 5000000, 5,000,000 or 500万"));
  }

  absl::Status DayMeaning(const Node& test, Value& value) {
    if (!value.relative) {
      if (ReadDay(value.text, value.day)) return absl::OkStatus();
      return source_.Error(value.at, absl::StrCat(test.field, " is a date, and \"", value.text,
                                                  "\" is none; write 2026-11-22 or today"));
    }
    const absl::CivilDay day = ShiftDay(today_, value.shift, value.unit);
    if (day.year() < 1 || day.year() > 9999) {
      return source_.Error(value.at, "this day lies outside of the years 1 to 9999");
    }
    value.day = DayNumber(day);
    return absl::OkStatus();
  }

  static absl::string_view TypeText(FieldType type) {
    switch (type) {
      case FieldType::kText:
        return "text";
      case FieldType::kNumber:
        return "a number";
      case FieldType::kDate:
        return "a date";
      case FieldType::kFlag:
        return "a flag";
    }
    return "";
  }

  const SourceText& source_;
  const FieldTypes& types_;
  const absl::CivilDay today_;
  std::vector<std::string>& fields_;
};

}  // namespace

absl::CivilDay ShiftDay(absl::CivilDay today, int64_t shift, char unit) {
  if (unit == 'd') return today + shift;
  if (unit == 'w') return today + shift * 7;
  const absl::CivilMonth month = absl::CivilMonth(today) + (unit == 'y' ? shift * 12 : shift);
  return std::min(absl::CivilDay(month) + (today.day() - 1), absl::CivilDay(month + 1) - 1);
}

absl::Status Resolve(const SourceText& source, const FieldTypes& types, absl::CivilDay today,
                     Node& tree, std::vector<std::string>& fields) {
  return Resolver(source, types, today, fields).Run(tree);
}

}  // namespace outpace::filter
