#pragma once

// How a kind of file is read, under a name: whoever gets the same export every week says it once.
// Kept as JSON, which people may write and keep in their own version control:
//
//     {
//       "name": "crm-export",
//       "layout": "header",
//       "encoding": "gb18030",
//       "country": "CN",
//       "columns": {"注册资本": "registered_capital:number", "内部编号": "-"},
//       "duplicates": "DUPCAMP30DAY",
//       "destinations": ["86"]
//     }

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/load/loader.h"

namespace outpace::load {

// What is absent is left as the caller has it. The members mean what those of LoadOptions and
// OpenListOptions of the same names mean.
struct LoadTemplate {
  std::string name;  // 1 to 64 octets of text, without '/' and control characters
  std::optional<std::string> description, layout, encoding, format, sheet, country, filter;
  std::optional<char> separator;               // one of , ; tab |
  std::map<std::string, std::string> columns;  // header -> "field", "field:type", "-": left out
  std::optional<std::string> duplicates;       // "campaign", "DUPCAMP30DAY": docs/LIST-FILES.md
  std::optional<std::vector<std::string>> destinations;
  std::optional<bool> scrub_dnc, hold_guesses;
};

// InvalidArgument names the member at fault: unknown ones, wrong types, a layout, an encoding or a
// field's type that does not exist. Filters and ways to tell duplicates are checked by those who
// know them, when the template is stored.
absl::StatusOr<LoadTemplate> ParseTemplate(absl::string_view json);
// Two blanks an indent, members in the order above, only those that are there.
std::string PrintTemplate(const LoadTemplate& load_template);

// Sets the options that the template names; columns are added to those the options have, which win.
void ApplyTemplate(const LoadTemplate& load_template, LoadOptions& options);

}  // namespace outpace::load
