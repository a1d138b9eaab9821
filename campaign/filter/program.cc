#include "campaign/filter/program.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/match.h"
#include "campaign/filter/resolver.h"
#include "campaign/filter/text_fold.h"
#include "campaign/filter/values.h"

namespace outpace::filter {
namespace {

// Folded texts of the lead at hand. Kept by thread, so that they grow to the longest values seen
// and then cost no allocation.
struct FoldBuffers {
  std::array<std::string, kFieldsMax> texts;
  std::array<size_t, kFieldsMax> lengths;  // octets of each that are its text
};
FoldBuffers& ThreadBuffers() {
  static thread_local FoldBuffers buffers;
  return buffers;
}

template <typename T>
bool Compare(Op op, const T& left, const T& right) {
  switch (op) {
    case Op::kEqual:
      return left == right;
    case Op::kNotEqual:
      return left != right;
    case Op::kLess:
      return left < right;
    case Op::kLessEqual:
      return left <= right;
    case Op::kGreater:
      return left > right;
    case Op::kGreaterEqual:
      return left >= right;
    default:
      return false;
  }
}

bool Contains(absl::string_view text, absl::string_view needle, size_t anchor) {
  if (needle.size() > text.size()) return false;
  const char* at = text.data() + anchor;
  const char* const end = at + (text.size() - needle.size() + 1);
  while (at < end) {
    at = static_cast<const char*>(std::memchr(at, needle[anchor], static_cast<size_t>(end - at)));
    if (at == nullptr) return false;
    if (std::memcmp(at - anchor, needle.data(), needle.size()) == 0) return true;
    ++at;
  }
  return false;
}

}  // namespace

// The values of one lead, with each text folded when the first test asks for it.
class Program::Run {
 public:
  Run(const Program& program, absl::Span<const absl::string_view> values)
      : program_(program), values_(values) {}

  bool Clause(size_t number) {
    uint32_t at = program_.clause_starts_[number];
    while (at < kFalse) {
      const Test& test = program_.tests_[at];
      at = Holds(test) ? test.on_true : test.on_false;
    }
    return at == kTrue;
  }

 private:
  bool Holds(const Test& test) {
    const absl::string_view value = values_[test.field];
    switch (test.look) {
      case Look::kEmpty:
        return TrimBlanks(value).empty();
      case Look::kNumber: {
        double number;
        return ReadNumber(value, number) && Compare(test.op, number, program_.numbers_[test.begin]);
      }
      case Look::kNumbers: {
        double number;
        return ReadNumber(value, number) && IsIn(program_.numbers_, test, number);
      }
      case Look::kDay: {
        int32_t day;
        return ReadDay(value, day) && Compare(test.op, day, program_.days_[test.begin]);
      }
      case Look::kDays: {
        int32_t day;
        return ReadDay(value, day) && IsIn(program_.days_, test, day);
      }
      case Look::kFlag: {
        bool flag;
        if (!ReadFlag(TrimBlanks(value), flag)) return false;
        return IsIn(program_.days_, test, int32_t{flag}) == (test.op != Op::kNotEqual);
      }
      default: {
        const absl::string_view text = Text(test.field);
        return !text.empty() && TextHolds(test, text);
      }
    }
  }

  bool TextHolds(const Test& test, absl::string_view text) const {
    const Needle* const needles = program_.texts_.data();
    switch (test.look) {
      case Look::kText:
        return (text == needles[test.begin].text) == (test.op == Op::kEqual);
      case Look::kTexts: {
        const Needle* const end = needles + test.end;
        const Needle* const at = std::lower_bound(
            needles + test.begin, end, text,
            [](const Needle& needle, absl::string_view wanted) { return needle.text < wanted; });
        return at != end && at->text == text;
      }
      case Look::kContains:
        return AnyOf(test, [&](const Needle& n) { return Contains(text, n.text, n.anchor); });
      case Look::kStartsWith:
        return AnyOf(test, [&](const Needle& n) { return absl::StartsWith(text, n.text); });
      case Look::kEndsWith:
        return AnyOf(test, [&](const Needle& n) { return absl::EndsWith(text, n.text); });
      default:
        return program_.patterns_[test.begin].FoundIn(text);
    }
  }

  template <typename Holds>
  bool AnyOf(const Test& test, Holds holds) const {
    const Needle* const needles = program_.texts_.data();
    return std::any_of(needles + test.begin, needles + test.end, holds);
  }

  template <typename T>
  static bool IsIn(const std::vector<T>& pool, const Test& test, T value) {
    return std::binary_search(pool.begin() + test.begin, pool.begin() + test.end, value);
  }

  absl::string_view Text(size_t field) {
    const uint64_t bit = uint64_t{1} << field;
    if ((folded_ & bit) == 0) {
      folded_ |= bit;
      buffers_.lengths[field] = Fill(buffers_.texts[field], TrimBlanks(values_[field]));
    }
    return absl::string_view(buffers_.texts[field].data(), buffers_.lengths[field]);
  }
  static size_t Fill(std::string& buffer, absl::string_view value) {
    if (buffer.size() < FoldedSizeMax(value.size())) buffer.resize(FoldedSizeMax(value.size()));
    return Fold(value, buffer.data());
  }

  const Program& program_;
  const absl::Span<const absl::string_view> values_;
  FoldBuffers& buffers_ = ThreadBuffers();
  uint64_t folded_ = 0;  // bit i: field i lies in buffers_
};

int Program::DroppedBy(absl::Span<const absl::string_view> values) const {
  Run run(*this, values);
  for (size_t i = 0; i < clauses(); ++i) {
    if (!run.Clause(i)) return static_cast<int>(i);
  }
  return -1;
}

uint64_t Program::AllDroppedBy(absl::Span<const absl::string_view> values) const {
  Run run(*this, values);
  uint64_t dropped = 0;
  for (size_t i = 0; i < std::min<size_t>(clauses(), 64); ++i) {
    if (!run.Clause(i)) dropped |= uint64_t{1} << i;
  }
  return dropped;
}

}  // namespace outpace::filter
