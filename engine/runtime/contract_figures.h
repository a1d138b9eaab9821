#pragma once

// One limit on abandoned calls as boards and `outpace campaign contracts` show it.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/abandon_contract.h"
#include "engine/pacing/abandon_budget.h"

namespace outpace::runtime {

struct ContractFigures {
  std::string name, terms, source;
  absl::Time from, to;  // of the window; a rolling one ends now
  // Whole unless the contract estimates who was a machine.
  double counted = 0, abandoned = 0;
  double percent = 0, limit = 0;  // abandoned of counted, and the most it may be
  int64_t left = 0;               // calls that may be lost now before it is
};

struct ContractsAnswer {
  std::vector<ContractFigures> figures;
  absl::TimeZone zone;  // the campaign's
};

pacing::Population PopulationOf(campaign::ContractDenominator denominator);

// `counts` of the window that began at `from`.
ContractFigures FiguresOf(const campaign::AbandonContract& contract,
                          const pacing::AbandonCounts& counts, absl::Time from, absl::Time now,
                          absl::TimeZone zone);

// A table, a line each. Times in `zone`.
std::string ContractsText(absl::string_view campaign, const std::vector<ContractFigures>& figures,
                          absl::TimeZone zone);
nlohmann::ordered_json ContractJson(const ContractFigures& figures);
// As docs/API.md has it.
std::string ContractsJson(absl::string_view campaign, const std::vector<ContractFigures>& figures,
                          absl::TimeZone zone);

}  // namespace outpace::runtime
