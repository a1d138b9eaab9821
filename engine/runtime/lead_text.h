#pragma once

// A lead as people and programs see it on the control socket.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "campaign/attempt.h"
#include "campaign/import.h"
#include "campaign/lead.h"

namespace outpace::runtime {

// Every field, what the number says of itself, where the lead came from, and its attempts (latest
// first). `import` null: not known. Times are UTC.
std::string LeadText(const campaign::Lead& lead, const campaign::Import* import,
                     const std::vector<campaign::Attempt>& attempts);
nlohmann::ordered_json LeadJson(const campaign::Lead& lead,
                                const std::vector<campaign::Attempt>& attempts);

// One line of a table, and its heading.
std::string LeadHeading();
std::string LeadLine(const campaign::Lead& lead);

// "mobile, CN, 广东 深圳, 中国移动": what is known of a number.
std::string NumberText(E164 number);

}  // namespace outpace::runtime
