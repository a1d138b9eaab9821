#include "dnc/prefix_set.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace outpace::dnc {
namespace {

constexpr size_t kDigitsMax = 14;  // one less than the longest number has

size_t LengthOf(uint64_t digits) {
  size_t length = 0;
  for (; digits != 0; digits /= 10) ++length;
  return length;
}

bool IsWildcard(char c) { return c == '*' || c == 'X' || c == 'x'; }

}  // namespace

absl::StatusOr<Prefix> Prefix::Parse(absl::string_view text) {
  constexpr absl::string_view kHow =
      "write the digits with the country code and then a star, as in +1900*";
  Prefix out;
  size_t digits = 0;
  bool ended = false;
  for (const char c : text) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(c)) && !ended) {
      if (++digits > kDigitsMax) {
        return absl::InvalidArgumentError(
            absl::StrCat("a range of numbers has at most ", kDigitsMax, " digits; ", kHow));
      }
      out.digits = out.digits * 10 + static_cast<uint64_t>(c - '0');
    } else if (IsWildcard(c)) {
      ended = true;
    } else if (absl::string_view("+ -.()").find(c) == absl::string_view::npos) {
      return absl::InvalidArgumentError(absl::StrCat("that is not a range of numbers; ", kHow));
    }
  }
  if (!ended || digits == 0 || LengthOf(out.digits) != digits) {
    return absl::InvalidArgumentError(absl::StrCat("that is not a range of numbers; ", kHow));
  }
  return out;
}

std::string Prefix::ToString() const { return absl::StrCat("+", digits, "*"); }

void PrefixSet::Add(Prefix prefix) {
  if (prefixes_.insert(prefix.digits).second) ++lengths_[LengthOf(prefix.digits)];
}

void PrefixSet::Remove(Prefix prefix) {
  if (prefixes_.erase(prefix.digits) != 0) --lengths_[LengthOf(prefix.digits)];
}

Prefix PrefixSet::Find(uint64_t number) const {
  if (prefixes_.empty()) return {};
  for (size_t length = LengthOf(number); number != 0; number /= 10, --length) {
    if (length <= kDigitsMax && lengths_[length] != 0 && prefixes_.contains(number)) {
      return {number};
    }
  }
  return {};
}

}  // namespace outpace::dnc
