#pragma once

#include <string>

#include "campaign/filter/ast.h"

namespace outpace::filter {

// A resolved tree as text, in normal form: no brackets that change nothing, small keywords, plain
// numbers, texts in ASCII quotes, `today` as it was. Parses to the same tree.
std::string PrintTree(const Node& tree);

}  // namespace outpace::filter
