#include "campaign/filter/printer.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "campaign/filter/source_text.h"
#include "campaign/filter/values.h"

namespace outpace::filter {
namespace {

constexpr std::array<absl::string_view, 11> kOps = {
    "=", "!=", "<", "<=", ">", ">=", "in", "contains", "startswith", "endswith", "matches"};

constexpr absl::string_view kReserved[] = {"and",      "or",         "not",      "in",
                                           "contains", "startswith", "endswith", "matches",
                                           "is",       "empty",      "any",      "today"};

std::string Quoted(absl::string_view text, absl::string_view quote) {
  const std::string twice = absl::StrCat(quote, quote);
  return absl::StrCat(quote, absl::StrReplaceAll(text, {{quote, twice}}), quote);
}

// A name of letters, digits and '_' that is no keyword stands for itself.
std::string FieldText(const std::string& name) {
  const auto source = SourceText::Read(name);
  bool plain = source.ok() && !name.empty() &&
               source->Narrowed(0, source->shape().size()) == name &&
               !absl::ascii_isdigit(static_cast<unsigned char>(name[0]));
  for (size_t i = 0; plain && i < source->shape().size(); ++i) {
    const char c = source->shape()[i];
    plain = absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == kLetter;
  }
  const std::string lower = absl::AsciiStrToLower(name);
  plain =
      plain && std::find(std::begin(kReserved), std::end(kReserved), lower) == std::end(kReserved);
  return plain ? name : Quoted(name, "`");
}

std::string RelativeText(const Value& value) {
  if (value.shift == 0) return "today";
  static constexpr absl::string_view kUnits[] = {"day", "week", "month", "year"};
  const int64_t count = std::abs(value.shift);
  const auto* const unit =
      std::find_if(std::begin(kUnits), std::end(kUnits),
                   [&](absl::string_view name) { return name[0] == value.unit; });
  return absl::StrCat("today ", value.shift < 0 ? "-" : "+", " ", count, " ", *unit,
                      count == 1 ? "" : "s");
}

std::string ValueText(const Node& test, const Value& value) {
  switch (test.type) {
    case campaign::FieldType::kNumber:
      return NumberText(value.number);
    case campaign::FieldType::kDate:
      return value.relative ? RelativeText(value) : DayText(value.day);
    case campaign::FieldType::kFlag:
      return value.flag ? "Y" : "N";
    case campaign::FieldType::kText:
      break;
  }
  return Quoted(value.text, "\"");
}

// `negated`: for `is not empty`; all others have their `not` in front.
std::string TestText(const Node& test, bool negated) {
  if (test.op == Op::kIsEmpty) {
    return absl::StrCat(FieldText(test.field), negated ? " is not empty" : " is empty");
  }
  std::string out = absl::StrCat(FieldText(test.field), " ", kOps[static_cast<size_t>(test.op)]);
  const bool set = test.op == Op::kIn || test.values.size() > 1;
  absl::StrAppend(&out, set && test.op != Op::kIn ? " any" : "", set ? " (" : " ");
  for (size_t i = 0; i < test.values.size(); ++i) {
    absl::StrAppend(&out, i == 0 ? "" : ", ", ValueText(test, test.values[i]));
  }
  if (set) out += ')';
  return out;
}

// `inside`: what holds the node; `or` in `and`, and either of them behind `not`, need brackets.
void Print(const Node& node, Node::Kind inside, std::string& out) {
  switch (node.kind) {
    case Node::Kind::kTest:
      out += TestText(node, false);
      return;
    case Node::Kind::kNot:
      if (node.children[0].op == Op::kIsEmpty && node.children[0].kind == Node::Kind::kTest) {
        out += TestText(node.children[0], true);
        return;
      }
      out += "not ";
      return Print(node.children[0], Node::Kind::kNot, out);
    case Node::Kind::kAnd:
    case Node::Kind::kOr: {
      const bool all = node.kind == Node::Kind::kAnd;
      const bool brackets = inside == Node::Kind::kNot || (!all && inside == Node::Kind::kAnd);
      if (brackets) out += '(';
      for (size_t i = 0; i < node.children.size(); ++i) {
        if (i > 0) out += all ? " and " : " or ";
        Print(node.children[i], node.kind, out);
      }
      if (brackets) out += ')';
    }
  }
}

}  // namespace

std::string PrintTree(const Node& tree) {
  std::string out;
  Print(tree, Node::Kind::kOr, out);
  return out;
}

}  // namespace outpace::filter
