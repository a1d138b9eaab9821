#pragma once

// A company's name taken apart: what is its own (the core), which trade it says it is in, where it
// says it is, and of which branch. The legal form is cut off: it is written in too many ways, left
// out too often, and two firms that differ in nothing else are one switchboard to a dialer.

#include <cstdint>
#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"

namespace outpace::match {

enum class TokenKind : uint8_t {
  kOwn,       // a word of its own: "philips", "华强"
  kTrade,     // shared by many names: "electronics", 科技
  kInitials,  // "e i" before "du pont"; also what is left of a cut-off legal form
  kAside,     // stood in brackets: "(buckhead)"
  kStop,      // "the", "van"
};

struct CoreToken {
  std::string text;     // Latin letters and digits; Chinese in pinyin
  std::string han;      // the simplified characters; empty if it was not written in Chinese
  std::string meaning;  // what two tokens must share to be the same: `text`, or of a trade word the
                        // word that stands for it
  TokenKind kind = TokenKind::kOwn;
};

struct CompanyName {
  absl::InlinedVector<CoreToken, 5> tokens;  // in the order of the name; never empty if `core` is
                                             // not
  absl::InlinedVector<uint16_t, 2> places;   // PlaceCode; cities and countries it names
  std::string branch;  // "北京" of 北京分公司; empty: the company itself
  std::string core;    // for people: CompanyCore()
};

CompanyName ParseCompanyName(absl::string_view name);

}  // namespace outpace::match
