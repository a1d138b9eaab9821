#pragma once

// `matches`: a regular expression that looks at the folded form of a text. RE2, whose time is
// linear in the text whatever the pattern; the only place with its headers is pattern.cc.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace outpace::filter {

class Pattern {
 public:
  // InvalidArgument: why the text is no pattern (RE2's syntax), or that it is too large.
  static absl::StatusOr<Pattern> Compile(absl::string_view pattern);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // Whether it is found anywhere in `folded`. Any thread.
  bool FoundIn(absl::string_view folded) const;

 private:
  struct Impl;
  explicit Pattern(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace outpace::filter
