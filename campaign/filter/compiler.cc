// From the tree of a filter to its program.

#include <algorithm>
#include <string>
#include <utility>

#include "campaign/filter/program.h"
#include "campaign/filter/text_fold.h"
#include "engine/base/check.h"

namespace outpace::filter {
namespace {

// Chinese text is full of a few leading octets, so the search goes by a later one, or by the first
// of what is ASCII.
size_t RarestOctet(absl::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) return i;
  }
  return 0;
}

}  // namespace

// Writes the tests in the order in which they may be run; exits lead forward only.
class Compiler {
 public:
  explicit Compiler(Program& program) : program_(program) {}

  void Clause(const Node& node) {
    program_.clause_starts_.push_back(static_cast<uint32_t>(program_.tests_.size()));
    const size_t first = program_.tests_.size();
    Add(node, Program::kTrue, Program::kFalse);
    for (size_t i = first; i < program_.tests_.size(); ++i) {
      Program::Test& test = program_.tests_[i];
      test.on_true = Place(test.on_true);
      test.on_false = Place(test.on_false);
    }
  }

 private:
  // Labels of places that are not known yet lie in the upper half; the two ends are above them.
  static constexpr uint32_t kLabels = 0x8000'0000;
  uint32_t Place(uint32_t exit) const {
    const bool label = exit >= kLabels && exit < Program::kFalse;
    return label ? places_[exit - kLabels] : exit;
  }

  void Add(const Node& node, uint32_t on_true, uint32_t on_false) {
    switch (node.kind) {
      case Node::Kind::kNot:
        return Add(node.children[0], on_false, on_true);
      case Node::Kind::kAnd:
      case Node::Kind::kOr: {
        const bool all = node.kind == Node::Kind::kAnd;
        for (size_t i = 0; i + 1 < node.children.size(); ++i) {
          const uint32_t next = kLabels + static_cast<uint32_t>(places_.size());
          places_.push_back(0);
          Add(node.children[i], all ? next : on_true, all ? on_false : next);
          places_[next - kLabels] = static_cast<uint32_t>(program_.tests_.size());
        }
        return Add(node.children.back(), on_true, on_false);
      }
      case Node::Kind::kTest: {
        Program::Test test = Operands(node);
        test.on_true = on_true;
        test.on_false = on_false;
        program_.tests_.push_back(test);
      }
    }
  }

  Program::Test Operands(const Node& node) {
    Program::Test test;
    test.field = static_cast<uint16_t>(node.field_index);
    test.op = node.op;
    if (node.op == Op::kIsEmpty) return test;
    const bool set = node.op == Op::kIn;
    switch (node.type) {
      case campaign::FieldType::kNumber:
        test.look = set ? Program::Look::kNumbers : Program::Look::kNumber;
        Fill(node, program_.numbers_, test, [](const Value& v) { return v.number; });
        break;
      case campaign::FieldType::kDate:
        test.look = set ? Program::Look::kDays : Program::Look::kDay;
        Fill(node, program_.days_, test, [](const Value& v) { return v.day; });
        break;
      case campaign::FieldType::kFlag:
        test.look = Program::Look::kFlag;
        Fill(node, program_.days_, test, [](const Value& v) { return v.flag ? 1 : 0; });
        break;
      case campaign::FieldType::kText:
        TextOperands(node, test);
    }
    return test;
  }

  template <typename T, typename Get>
  static void Fill(const Node& node, std::vector<T>& pool, Program::Test& test, Get get) {
    test.begin = static_cast<uint32_t>(pool.size());
    for (const Value& value : node.values) pool.push_back(get(value));
    test.end = static_cast<uint32_t>(pool.size());
    std::sort(pool.begin() + test.begin, pool.end());
  }

  void TextOperands(const Node& node, Program::Test& test) {
    if (node.op == Op::kMatches) {
      test.look = Program::Look::kMatches;
      test.begin = static_cast<uint32_t>(program_.patterns_.size());
      auto pattern = Pattern::Compile(node.values[0].text);
      OUTPACE_CHECK(pattern.ok());  // the resolver has tried it
      program_.patterns_.push_back(*std::move(pattern));
      return;
    }
    test.look = TextLook(node.op);
    std::vector<std::string> texts;
    const bool whole = node.op == Op::kEqual || node.op == Op::kNotEqual || node.op == Op::kIn;
    for (const Value& value : node.values) {
      // Values are compared without the blanks at their ends.
      texts.push_back(Folded(whole ? TrimBlanks(value.text) : value.text));
    }
    std::sort(texts.begin(), texts.end());
    test.begin = static_cast<uint32_t>(program_.texts_.size());
    for (std::string& text : texts) {
      const size_t anchor = RarestOctet(text);
      program_.texts_.push_back({std::move(text), anchor});
    }
    test.end = static_cast<uint32_t>(program_.texts_.size());
  }

  static Program::Look TextLook(Op op) {
    switch (op) {
      case Op::kIn:
        return Program::Look::kTexts;
      case Op::kContains:
        return Program::Look::kContains;
      case Op::kStartsWith:
        return Program::Look::kStartsWith;
      case Op::kEndsWith:
        return Program::Look::kEndsWith;
      default:
        return Program::Look::kText;
    }
  }

  Program& program_;
  std::vector<uint32_t> places_;  // of labels: numbers of tests
};

Program::Program(const Node& tree) {
  Compiler compiler(*this);
  const bool several = tree.kind == Node::Kind::kAnd;
  for (const Node& clause :
       several ? absl::Span<const Node>(tree.children) : absl::MakeConstSpan(&tree, 1)) {
    compiler.Clause(clause);
  }
}

}  // namespace outpace::filter
