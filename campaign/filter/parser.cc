// The grammar, and the only file that includes Boost.Spirit. It decides by the next word and never
// goes back over an action, so the actions may build the tree on a stack as they run; what cannot
// go on is an expectation that failed, and says what would have fitted there.

#include "campaign/filter/parser.h"

#include <algorithm>
#include <boost/spirit/home/x3.hpp>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace outpace::filter {
namespace {

namespace x3 = boost::spirit::x3;
using Iterator = const char*;

// The stack that the grammar's actions work on.
class TreeBuilder {
 public:
  explicit TreeBuilder(const SourceText& source) : source_(source) {}

  void BeginGroup() { marks_.push_back(nodes_.size()); }
  // What stands on the stack since BeginGroup() becomes one node.
  void EndGroup(Node::Kind kind) {
    const auto first = nodes_.begin() + static_cast<ptrdiff_t>(marks_.back());
    marks_.pop_back();
    if (nodes_.end() - first == 1) return;
    Node group;
    group.kind = kind;
    group.begin = first->begin;
    group.end = nodes_.back().end;
    for (auto node = first; node != nodes_.end(); ++node) {
      if (node->kind == kind) {
        std::move(node->children.begin(), node->children.end(), std::back_inserter(group.children));
      } else {
        group.children.push_back(std::move(*node));
      }
    }
    nodes_.erase(first, nodes_.end());
    nodes_.push_back(std::move(group));
  }
  void BeginNot() { negations_.push_back(false); }
  void Not() { negations_.back() = !negations_.back(); }
  void EndNot() {
    if (negations_.back()) Negate();
    negations_.pop_back();
  }
  void SetRange(Iterator begin, Iterator end) {
    while (end > begin && absl::ascii_isspace(static_cast<unsigned char>(end[-1]))) --end;
    nodes_.back().begin = Offset(begin);
    nodes_.back().end = Offset(end);
  }

  void BeginTest(Iterator begin, Iterator end) {
    Node test;
    test.field_at = Offset(begin);
    test.field = *begin == kName ? source_.Unquoted(test.field_at, Offset(end))
                                 : source_.Narrowed(test.field_at, Offset(end));
    nodes_.push_back(std::move(test));
    negated_ = false;
    ++tests_;
  }
  void SetOp(Op op, Iterator at) {
    nodes_.back().op = op;
    nodes_.back().op_at = Offset(at);
  }
  void NegateTest() { negated_ = true; }
  void EndTest() {
    if (negated_) Negate();
  }
  // A set of ten thousand values is one test.
  bool TooMany() const { return tests_ > kTestsMax; }
  void AddQuoted(Iterator begin, Iterator end) {
    Value value;
    value.at = Offset(begin);
    value.text = source_.Unquoted(value.at, Offset(end));
    value.quoted = true;
    nodes_.back().values.push_back(std::move(value));
  }
  void AddBare(Iterator begin, Iterator end) {
    Value value;
    value.at = Offset(begin);
    value.text = source_.Narrowed(value.at, Offset(end));
    nodes_.back().values.push_back(std::move(value));
  }
  void AddToday(Iterator at) {
    Value value;
    value.at = Offset(at);
    value.relative = true;
    nodes_.back().values.push_back(std::move(value));
  }
  void ShiftToday(int64_t shift) { nodes_.back().values.back().shift = shift; }
  void SetUnit(char unit) { nodes_.back().values.back().unit = unit; }

  Node Take() { return std::move(nodes_.back()); }

 private:
  size_t Offset(Iterator at) const { return static_cast<size_t>(at - source_.shape().data()); }
  void Negate() {
    Node negation;
    negation.kind = Node::Kind::kNot;
    negation.begin = nodes_.back().begin;
    negation.end = nodes_.back().end;
    negation.children.push_back(std::move(nodes_.back()));
    nodes_.back() = negation.children[0].kind == Node::Kind::kNot
                        ? std::move(negation.children[0].children[0])
                        : std::move(negation);
  }

  const SourceText& source_;
  std::vector<Node> nodes_;
  std::vector<size_t> marks_;
  std::vector<bool> negations_;
  size_t tests_ = 0;
  bool negated_ = false;  // the test at the top: `not in`
};

template <typename Context>
TreeBuilder& Builder(const Context& context) {
  return x3::get<TreeBuilder>(context).get();
}

// Actions.
const auto kBeginGroup = [](auto& c) { Builder(c).BeginGroup(); };
const auto kEndAnd = [](auto& c) { Builder(c).EndGroup(Node::Kind::kAnd); };
const auto kEndOr = [](auto& c) { Builder(c).EndGroup(Node::Kind::kOr); };
const auto kBeginNot = [](auto& c) { Builder(c).BeginNot(); };
const auto kNot = [](auto& c) { Builder(c).Not(); };
const auto kEndNot = [](auto& c) { Builder(c).EndNot(); };
const auto kSetRange = [](auto& c) { Builder(c).SetRange(_attr(c).begin(), _attr(c).end()); };
const auto kBeginTest = [](auto& c) { Builder(c).BeginTest(_attr(c).begin(), _attr(c).end()); };
const auto kNegateTest = [](auto& c) { Builder(c).NegateTest(); };
const auto kEndTest = [](auto& c) { Builder(c).EndTest(); };
const auto kAddQuoted = [](auto& c) { Builder(c).AddQuoted(_attr(c).begin(), _attr(c).end()); };
const auto kAddBare = [](auto& c) { Builder(c).AddBare(_attr(c).begin(), _attr(c).end()); };
const auto kAddToday = [](auto& c) { Builder(c).AddToday(_attr(c).begin()); };
const auto kShiftBack = [](auto& c) { Builder(c).ShiftToday(-int64_t{_attr(c)}); };
const auto kShiftOn = [](auto& c) { Builder(c).ShiftToday(int64_t{_attr(c)}); };
auto SetOp(Op op) {
  return [op](auto& c) { Builder(c).SetOp(op, _attr(c).begin()); };
}
auto SetUnit(char unit) {
  return [unit](auto& c) { Builder(c).SetUnit(unit); };
}

const auto kWordCharacter = x3::char_("A-Za-z0-9_\x01");
// A word of the language, in any case; `today` does not begin `todays`.
auto Keyword(const char* word) { return x3::lexeme[x3::no_case[x3::lit(word)] >> !kWordCharacter]; }
auto OpWord(const char* word, Op op) { return x3::raw[Keyword(word)][SetOp(op)]; }
auto OpSign(const char* sign, Op op) { return x3::raw[x3::lit(sign)][SetOp(op)]; }

// The names double as what an error says was expected.
const x3::rule<struct DisjunctionTag> kDisjunction = "a condition";
const x3::rule<struct ConditionTag> kCondition = "a condition: a field, `not`, or one in brackets";
const x3::rule<struct OperatorTag> kOperator =
    "an operator behind the field: = != < <= > >=, in, contains, startswith, endswith, matches, is";
const x3::rule<struct ValueTag> kValue = "a value: a quoted text, a number, a day or `today`";
const x3::rule<struct SetValueTag> kSetValue =
    "a value: a quoted text, a number, a day or `today`, then a comma or )";
const x3::rule<struct QuotedTag> kQuotedText = "a text in quotes";
const x3::rule<struct TextsTag> kTexts = "a text in quotes, or any (...)";
const x3::rule<struct WordTestTag> kWordTest =
    "one of in, contains, startswith, endswith, matches behind `not`";
const x3::rule<struct EmptyTag> kEmpty = "`empty`";
const x3::rule<struct OpenTag> kOpen = "(";
const x3::rule<struct CloseTag> kClose = "a comma or )";
const x3::rule<struct UnitTag> kUnit = "days, weeks, months or years";

const auto kReserved = Keyword("and") | Keyword("or") | Keyword("not") | Keyword("in") |
                       Keyword("contains") | Keyword("startswith") | Keyword("endswith") |
                       Keyword("matches") | Keyword("is") | Keyword("empty") | Keyword("any") |
                       Keyword("today");
const auto kField =
    x3::lexeme[x3::raw[(x3::char_("A-Za-z_\x01") - kReserved) >> *kWordCharacter]][kBeginTest] |
    x3::lexeme[x3::raw['\x05' >> +x3::lit('\x04') >> '\x05']][kBeginTest];

const auto kUnit_def = (Keyword("days") | Keyword("day"))[SetUnit('d')] |
                       (Keyword("weeks") | Keyword("week"))[SetUnit('w')] |
                       (Keyword("months") | Keyword("month"))[SetUnit('m')] |
                       (Keyword("years") | Keyword("year"))[SetUnit('y')];
const x3::uint_parser<uint32_t, 10, 1, 6> kCount = {};
const auto kToday = x3::raw[Keyword("today")][kAddToday] >>
                    -(('-' > kCount[kShiftBack] > kUnit) | ('+' > kCount[kShiftOn] > kUnit));
const auto kQuotedText_def = x3::lexeme[x3::raw['\x03' >> *x3::lit('\x04') >> '\x03']][kAddQuoted];
const auto kBareBegin = x3::char_("A-Za-z0-9_.$+\x01-");
const auto kBareNext = x3::char_("A-Za-z0-9_.$%/:'+\x01-");
const auto kBare = x3::lexeme[x3::raw[kBareBegin >> *(kBareNext | (',' >> &x3::digit))]][kAddBare];
const auto kSetBare = x3::lexeme[x3::raw[kBareBegin >> *kBareNext]][kAddBare];
const auto kValue_def = kQuotedText | kToday | kBare;
const auto kSetValue_def = kQuotedText | kToday | kSetBare;

const auto kEmpty_def = Keyword("empty");
const auto kOpen_def = x3::lit('(');
const auto kClose_def = x3::lit(')');
const auto kTexts_def =
    (Keyword("any") > kOpen > kQuotedText > *(',' > kQuotedText) > kClose) | kQuotedText;
// Longer signs before those they begin with.
const auto kComparison =
    OpSign("==", Op::kEqual) | OpSign("=", Op::kEqual) | OpSign("!=", Op::kNotEqual) |
    OpSign("<>", Op::kNotEqual) | OpSign("\x08", Op::kNotEqual) | OpSign("<=", Op::kLessEqual) |
    OpSign("\x07", Op::kLessEqual) | OpSign("<", Op::kLess) | OpSign(">=", Op::kGreaterEqual) |
    OpSign("\x06", Op::kGreaterEqual) | OpSign(">", Op::kGreater);
const auto kTextWord = OpWord("contains", Op::kContains) | OpWord("startswith", Op::kStartsWith) |
                       OpWord("endswith", Op::kEndsWith);
const auto kWordTest_def =
    (OpWord("in", Op::kIn) > kOpen > kSetValue > *(',' > kSetValue) > kClose) |
    (kTextWord > kTexts) | (OpWord("matches", Op::kMatches) > kQuotedText);
const auto kOperator_def = (kComparison > kValue) |
                           (OpWord("is", Op::kIsEmpty) > -Keyword("not")[kNegateTest] > kEmpty) |
                           (Keyword("not")[kNegateTest] > kWordTest) | kWordTest;

const auto kTest = x3::raw[kField > kOperator][kSetRange] >> x3::eps[kEndTest];
const auto kBracketed = x3::raw['(' > kDisjunction > ')'][kSetRange];
const auto kCondition_def = x3::raw[x3::eps[kBeginNot] >> *Keyword("not")[kNot] >>
                                    (kBracketed | kTest) >> x3::eps[kEndNot]][kSetRange];
const auto kConjunction = x3::eps[kBeginGroup] > kCondition >
                          *(Keyword("and") > kCondition) > x3::eps[kEndAnd];
const auto kDisjunction_def = x3::eps[kBeginGroup] > kConjunction >
                              *(Keyword("or") > kConjunction) > x3::eps[kEndOr];

BOOST_SPIRIT_DEFINE(kDisjunction, kCondition, kOperator, kWordTest, kTexts, kValue, kSetValue,
                    kQuotedText, kUnit, kEmpty, kOpen, kClose)

// What to tell of a place where `which` was expected.
std::string Expected(const SourceText& source, size_t at, std::string which) {
  const std::string& shape = source.shape();
  if (which == x3::what(x3::eoi)) which = "`and`, `or` or the end";
  if (which == x3::what(x3::lit(')'))) which = "`and`, `or` or )";
  size_t end = at;
  while (end < shape.size() && end - at < 30 &&
         (absl::ascii_isalnum(static_cast<unsigned char>(shape[end])) || shape[end] == '_' ||
          shape[end] == kLetter)) {
    ++end;
  }
  if (at == shape.size()) return absl::StrCat("expected ", which, "; the filter ends here");
  return absl::StrCat("expected ", which, ", not ", source.Written(at, std::max(end, at + 1)));
}

}  // namespace

absl::StatusOr<Node> ParseTree(const SourceText& source) {
  const std::string& shape = source.shape();
  TreeBuilder builder(source);
  Iterator at = shape.data();
  const Iterator end = at + shape.size();
  try {
    const auto grammar =
        x3::with<TreeBuilder>(std::ref(builder))[x3::expect[kDisjunction] > x3::eoi];
    x3::phrase_parse(at, end, grammar, x3::space);
  } catch (const x3::expectation_failure<Iterator>& failure) {
    Iterator where = failure.where();
    while (where != end && absl::ascii_isspace(static_cast<unsigned char>(*where))) ++where;
    const auto offset = static_cast<size_t>(where - shape.data());
    return source.Error(offset, Expected(source, offset, failure.which()));
  }
  Node tree = builder.Take();
  if (builder.TooMany()) {
    return source.Error(0, absl::StrCat("more than ", kTestsMax, " tests; put values into sets"));
  }
  return tree;
}

}  // namespace outpace::filter
