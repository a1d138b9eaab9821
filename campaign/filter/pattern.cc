#include "campaign/filter/pattern.h"

#include <re2/re2.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "campaign/filter/text_fold.h"

namespace outpace::filter {
namespace {

// Of one pattern's program and its states together; RE2 goes on more slowly, not further, when the
// states need more.
constexpr int64_t kMemoryMax = 4 << 20;

// Texts are seen in their folded form, so a full-width character in a pattern means its ASCII one,
// and a full-width bracket means a bracket in the text, not one of the pattern.
std::string NarrowPattern(absl::string_view pattern) {
  std::string out;
  for (size_t at = 0; at < pattern.size();) {
    const char32_t written = NextCharacter(pattern, at);
    const char32_t narrow = Narrow(written);
    if (narrow != written && absl::ascii_ispunct(static_cast<unsigned char>(narrow))) out += '\\';
    AppendUtf8(narrow, out);
  }
  return out;
}

}  // namespace

struct Pattern::Impl {
  Impl(const std::string& pattern, const RE2::Options& options) : regex(pattern, options) {}
  RE2 regex;
};

Pattern::Pattern(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

absl::StatusOr<Pattern> Pattern::Compile(absl::string_view pattern) {
  RE2::Options options;
  options.set_case_sensitive(false);
  options.set_log_errors(false);
  options.set_max_mem(kMemoryMax);
  auto impl = std::make_unique<const Impl>(NarrowPattern(pattern), options);
  if (!impl->regex.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("this is no pattern: ", impl->regex.error()));
  }
  return Pattern(std::move(impl));
}

bool Pattern::FoundIn(absl::string_view folded) const {
  return impl_->regex.Match(re2::StringPiece(folded.data(), folded.size()), 0, folded.size(),
                            RE2::UNANCHORED, nullptr, 0);
}

}  // namespace outpace::filter
