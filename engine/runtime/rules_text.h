#pragma once

// What `outpace dnc rules` prints.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "campaign/rules/rules.h"

namespace outpace::runtime {

// One line a jurisdiction: its id, version, number of rules, title.
std::string RuleListText(const rules::RuleBook& book);
nlohmann::ordered_json RuleListJson(const rules::RuleBook& book);

// One line a rule, by what they are about, with its source and how it is known; then what each
// leaves out. Rules whose term is over on `today` are left out.
std::string RuleSetText(const rules::RuleSet& set, absl::CivilDay today);
nlohmann::ordered_json RuleSetJson(const rules::RuleSet& set);

}  // namespace outpace::runtime
