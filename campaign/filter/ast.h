#pragma once

// A filter as a tree: what the parser makes, the resolver checks against the fields and fills with
// typed values, and printer and compiler walk.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "campaign/field_type.h"

namespace outpace::filter {

enum class Op : uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kContains,
  kStartsWith,
  kEndsWith,
  kMatches,
  kIsEmpty,
};

// What a field is compared with. The parser knows how it was written, the resolver what it means.
struct Value {
  size_t at = 0;  // its first character
  std::string text;
  bool quoted = false;
  bool relative = false;  // `today`, and `shift` units from it
  int64_t shift = 0;
  char unit = 'd';  // d(ays), w(eeks), m(onths), y(ears)

  double number = 0;  // kNumber
  int32_t day = 0;    // kDate: since 1970-01-01
  bool flag = false;  // kFlag
};

struct Node {
  enum class Kind : uint8_t { kAnd, kOr, kNot, kTest };
  Kind kind = Kind::kTest;
  size_t begin = 0, end = 0;   // its characters in the source
  std::vector<Node> children;  // kAnd, kOr: two or more; kNot: one

  // kTest
  std::string field;
  size_t field_at = 0, op_at = 0;
  Op op = Op::kEqual;
  std::vector<Value> values;  // one, but for sets and `any (...)`; none for `is empty`
  size_t field_index = 0;     // among the filter's fields, by the resolver
  campaign::FieldType type = campaign::FieldType::kText;
};

}  // namespace outpace::filter
