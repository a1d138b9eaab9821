#include "campaign/rules/ready_contracts.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace outpace::rules {
namespace {

using campaign::AbandonContract;

campaign::AbandonContract ContractOf(const Rule& rule, const AbandonRule& value) {
  AbandonContract contract;
  contract.name = value.contract;
  contract.ready_made = true;
  contract.start = value.start;
  contract.seconds = absl::Seconds(value.answer_seconds);
  contract.numerator = value.numerator;
  contract.denominator = value.denominator;
  contract.window = value.window;
  contract.limit = value.percent;
  contract.source = rule.source;
  return contract;
}

}  // namespace

std::vector<AbandonContract> ReadyContracts(const RuleBook& book) {
  std::vector<AbandonContract> contracts;
  for (const Jurisdiction& jurisdiction : book.all()) {
    for (const Rule& rule : jurisdiction.rules) {
      const auto* value = std::get_if<AbandonRule>(&rule.value);
      if (value == nullptr || value->contract.empty()) continue;
      const bool named =
          std::any_of(contracts.begin(), contracts.end(),
                      [&](const AbandonContract& other) { return other.name == value->contract; });
      if (!named) contracts.push_back(ContractOf(rule, *value));
    }
  }
  std::sort(contracts.begin(), contracts.end(),
            [](const AbandonContract& a, const AbandonContract& b) { return a.name < b.name; });
  return contracts;
}

absl::StatusOr<std::vector<AbandonContract>> FillIn(const RuleBook& book,
                                                    std::vector<AbandonContract> contracts) {
  std::vector<AbandonContract> ready;
  for (AbandonContract& contract : contracts) {
    if (!contract.ready_made) continue;
    if (ready.empty()) ready = ReadyContracts(book);
    const auto found = std::find_if(ready.begin(), ready.end(), [&](const AbandonContract& each) {
      return each.name == contract.name;
    });
    if (found == ready.end()) {
      return absl::NotFoundError(absl::StrCat(
          "no ready-made contract is named \"", contract.name, "\"; there are ",
          absl::StrJoin(ready, ", ",
                        [](std::string* out, const AbandonContract& each) {
                          absl::StrAppend(out, each.name);
                        }),
          "; one of your own has its terms in braces: ", contract.name, "{limit=2.5}"));
    }
    contract = *found;
  }
  return contracts;
}

}  // namespace outpace::rules
