// Random filters against a second, slow reading of the same trees: the text that ToString() writes
// parses to itself, and the flat program says what the tree says.

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "campaign/filter/filter.h"
#include "campaign/filter/text_fold.h"
#include "campaign/filter/values.h"
#include "engine/base/rng.h"

namespace outpace::filter {
namespace {

const absl::CivilDay kToday(2026, 11, 22);
constexpr absl::string_view kFields[] = {"company", "注册资本", "entry_date", "consent"};
const FieldTypes& Types() {
  static const FieldTypes kTypes = {{"company", campaign::FieldType::kText},
                                    {"注册资本", campaign::FieldType::kNumber},
                                    {"entry_date", campaign::FieldType::kDate},
                                    {"consent", campaign::FieldType::kFlag}};
  return kTypes;
}
constexpr absl::string_view kTexts[] = {"A", "Ab", "电", "电气", "x\"y", "“", "ＣＯ", "室", "b c"};
constexpr absl::string_view kNumbers[] = {"0", "-1.5", "500万", "5,000,000", "1.2亿", "7"};
constexpr absl::string_view kDays[] = {"2026-11-22", "1999-12-31", "2026-11-23"};
constexpr absl::string_view kFlags[] = {"Y", "no", "TRUE"};

template <size_t N>
std::string Pick(Rng& rng, const absl::string_view (&from)[N]) {
  return std::string(from[rng.Below(N)]);
}

// One test or a group of them, as the oracle sees it.
struct Tree {
  char kind = 't';  // t(est), a(nd), o(r), n(ot)
  std::vector<Tree> children;
  size_t field = 0;
  std::string op;
  std::vector<std::string> values;
};

Tree RandomTest(Rng& rng) {
  Tree test;
  test.field = rng.Below(std::size(kFields));
  const auto add = [&](auto& from) {
    const uint64_t count =
        test.op == "in" || absl::EndsWith(test.op, " any") ? 1 + rng.Below(4) : 1;
    for (uint64_t i = 0; i < count; ++i) test.values.push_back(Pick(rng, from));
  };
  if (rng.Chance(0.1)) {
    test.op = "is empty";
    return test;
  }
  static constexpr absl::string_view kOrder[] = {"=", "!=", "<", "<=", ">", ">=", "in"};
  static constexpr absl::string_view kEqual[] = {"=", "!=", "in"};
  static constexpr absl::string_view kText[] = {
      "=", "!=", "in", "contains", "contains any", "startswith", "endswith", "endswith any"};
  switch (test.field) {
    case 0:
      test.op = Pick(rng, kText);
      add(kTexts);
      break;
    case 1:
      test.op = Pick(rng, kOrder);
      add(kNumbers);
      break;
    case 2:
      test.op = Pick(rng, kOrder);
      add(kDays);
      break;
    default:
      test.op = Pick(rng, kEqual);
      add(kFlags);
  }
  return test;
}

Tree RandomTree(Rng& rng, int depth) {
  if (depth == 0 || rng.Chance(0.3)) return RandomTest(rng);
  Tree tree;
  tree.kind = "aon"[rng.Below(3)];
  const uint64_t count = tree.kind == 'n' ? 1 : 2 + rng.Below(3);
  for (uint64_t i = 0; i < count; ++i) tree.children.push_back(RandomTree(rng, depth - 1));
  return tree;
}

std::string Write(const Tree& tree) {
  if (tree.kind == 'n') return absl::StrCat("not (", Write(tree.children[0]), ")");
  if (tree.kind != 't') {
    std::vector<std::string> parts;
    for (const Tree& child : tree.children) parts.push_back(absl::StrCat("(", Write(child), ")"));
    return absl::StrJoin(parts, tree.kind == 'a' ? " and " : " or ");
  }
  std::string out = absl::StrCat(kFields[tree.field], " ", tree.op, " ");
  if (tree.op == "is empty") return out;
  std::vector<std::string> values;
  for (const std::string& value : tree.values) {
    std::string quoted = "\"";
    for (const char c : value) quoted += c == '"' ? "\"\"" : std::string(1, c);
    values.push_back(quoted + "\"");
  }
  const bool set = tree.op == "in" || absl::EndsWith(tree.op, " any");
  return absl::StrCat(out, set ? "(" : "", absl::StrJoin(values, ", "), set ? ")" : "");
}

template <typename T>
bool Ordered(const std::string& op, T left, const std::vector<T>& right) {
  if (op == "in") return std::find(right.begin(), right.end(), left) != right.end();
  if (op == "=") return left == right[0];
  if (op == "!=") return left != right[0];
  if (op == "<") return left < right[0];
  if (op == "<=") return left <= right[0];
  return op == ">" ? left > right[0] : left >= right[0];
}

bool Holds(const Tree& tree, const std::vector<std::string>& values) {
  if (tree.kind == 'n') return !Holds(tree.children[0], values);
  if (tree.kind != 't') {
    for (const Tree& child : tree.children) {
      if (Holds(child, values) != (tree.kind == 'a')) return tree.kind != 'a';
    }
    return tree.kind == 'a';
  }
  const std::string& value = values[tree.field];
  if (tree.op == "is empty") return TrimBlanks(value).empty();
  if (tree.field == 1) {
    double left = 0;
    std::vector<double> right(tree.values.size());
    for (size_t i = 0; i < right.size(); ++i) ReadNumber(tree.values[i], right[i]);
    return ReadNumber(value, left) && Ordered(tree.op, left, right);
  }
  if (tree.field == 2) {
    int32_t left = 0;
    std::vector<int32_t> right(tree.values.size());
    for (size_t i = 0; i < right.size(); ++i) ReadDay(tree.values[i], right[i]);
    return ReadDay(value, left) && Ordered(tree.op, left, right);
  }
  if (tree.field == 3) {
    bool left = false;
    std::vector<int> right(tree.values.size());
    for (size_t i = 0; i < right.size(); ++i) {
      bool flag = false;
      ReadFlag(tree.values[i], flag);
      right[i] = flag ? 1 : 0;
    }
    return ReadFlag(value, left) && Ordered(tree.op, left ? 1 : 0, right);
  }
  const std::string text = Folded(TrimBlanks(value));
  if (text.empty()) return false;
  if (tree.op == "!=") return text != Folded(tree.values[0]);
  for (const std::string& raw : tree.values) {
    const std::string needle = Folded(raw);
    if (absl::StartsWith(tree.op, "contains") && absl::StrContains(text, needle)) return true;
    if (absl::StartsWith(tree.op, "startswith") && absl::StartsWith(text, needle)) return true;
    if (absl::StartsWith(tree.op, "endswith") && absl::EndsWith(text, needle)) return true;
    if ((tree.op == "=" || tree.op == "in") && text == needle) return true;
  }
  return false;
}

std::vector<std::string> RandomLead(Rng& rng) {
  std::string company;
  for (uint64_t n = rng.Below(4); n > 0; --n) company += Pick(rng, kTexts);
  const auto maybe = [&](auto& from, const char* other) {
    return rng.Chance(0.8) ? Pick(rng, from) : std::string(other);
  };
  return {company, maybe(kNumbers, "unknown"), maybe(kDays, ""), maybe(kFlags, " ")};
}

TEST(FilterRandom, ProgramAndTreeAgreeAndTextsComeBack) {
  for (uint64_t seed = 0; seed < 3'000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    const Tree tree = RandomTree(rng, 4);
    const auto filter = Filter::Parse(Write(tree), Types(), kToday);
    ASSERT_TRUE(filter.ok()) << filter.status();
    const std::string normal = filter->ToString();
    const auto again = Filter::Parse(normal, Types(), kToday);
    ASSERT_TRUE(again.ok()) << again.status();
    ASSERT_EQ(again->ToString(), normal);
    ASSERT_EQ(again->fields(), filter->fields());
    ASSERT_EQ(again->clauses().size(), filter->clauses().size());
    for (int i = 0; i < 10; ++i) {
      const std::vector<std::string> lead = RandomLead(rng);
      std::vector<absl::string_view> values;
      for (const std::string& field : filter->fields()) {
        const auto* const at = std::find(std::begin(kFields), std::end(kFields), field);
        values.push_back(lead[static_cast<size_t>(at - std::begin(kFields))]);
      }
      const int dropped = filter->DroppedBy(values);
      ASSERT_EQ(dropped == -1, Holds(tree, lead)) << normal;
      ASSERT_EQ(again->DroppedBy(values), dropped) << normal;
      const uint64_t all = filter->AllDroppedBy(values);
      ASSERT_EQ(all == 0, dropped == -1);
      if (dropped >= 0 && dropped < 64) {
        ASSERT_NE(all >> dropped & 1, 0u);
        ASSERT_EQ(all & ((uint64_t{1} << dropped) - 1), 0u);
      }
    }
  }
}

}  // namespace
}  // namespace outpace::filter
