#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace outpace::match {

// A made list of company names with known truth: Chinese names on brands that companies have, and
// English ones on made words, each with trade, city and legal form. About three in ten are written
// a second or third time: another legal form or none, the city in brackets or left out, other case,
// width or blanks, a slip of the pen.
struct CompanyList {
  std::vector<std::string> names;
  std::vector<uint32_t> entity;
};

// The same `seed` and `brands` (Chinese short names, UTF-8) give the same list on every machine.
CompanyList MakeCompanyList(absl::Span<const std::string> brands, size_t names, uint64_t seed);

}  // namespace outpace::match
