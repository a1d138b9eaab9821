#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/abandon_contract.h"
#include "campaign/rules/rule_book.h"

namespace outpace::rules {

// The limits on abandoned calls that rules of `book` give a name, by name. Of two rules with one
// name the one of the first file counts.
std::vector<campaign::AbandonContract> ReadyContracts(const RuleBook& book);

// `contracts` with the values of the ready-made ones filled in. NotFound names one that no rule
// has, and those there are.
absl::StatusOr<std::vector<campaign::AbandonContract>> FillIn(
    const RuleBook& book, std::vector<campaign::AbandonContract> contracts);

}  // namespace outpace::rules
