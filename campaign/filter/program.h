#pragma once

// A filter ready to run: a flat row of tests, each with two exits. `and`, `or` and `not` cost
// nothing when it runs, for they have become the places where the exits lead: `not` swaps them,
// `and` leads the true one on to the next test, `or` the false one.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "campaign/filter/ast.h"
#include "campaign/filter/pattern.h"

namespace outpace::filter {

class Program {
 public:
  // `tree` is resolved.
  explicit Program(const Node& tree);

  size_t clauses() const { return clause_starts_.size(); }
  // As Filter::DroppedBy() and AllDroppedBy().
  int DroppedBy(absl::Span<const absl::string_view> values) const;
  uint64_t AllDroppedBy(absl::Span<const absl::string_view> values) const;

 private:
  friend class Compiler;
  class Run;

  // Where an exit leads: the number of a test, or the end of the clause.
  static constexpr uint32_t kTrue = 0xffff'ffff, kFalse = 0xffff'fffe;

  // How a test looks at its value; what it compares with is operands [begin, end) of its kind.
  enum class Look : uint8_t {
    kEmpty,
    kNumber,
    kNumbers,
    kDay,
    kDays,
    kFlag,
    kText,
    kTexts,
    kContains,
    kStartsWith,
    kEndsWith,
    kMatches
  };
  struct Test {
    Look look = Look::kEmpty;
    Op op = Op::kEqual;  // kNumber, kDay, kFlag, kText
    uint16_t field = 0;
    uint32_t begin = 0, end = 0;
    uint32_t on_true = kTrue, on_false = kFalse;
  };
  // A folded text to look for. `anchor`: its octet that is rarest in lists, for memchr.
  struct Needle {
    std::string text;
    size_t anchor = 0;
  };

  std::vector<Test> tests_;
  std::vector<uint32_t> clause_starts_;
  std::vector<double> numbers_;  // sets of them are sorted
  std::vector<int32_t> days_;    // likewise; flags are 0 and 1
  std::vector<Needle> texts_;    // likewise
  std::vector<Pattern> patterns_;
};

}  // namespace outpace::filter
