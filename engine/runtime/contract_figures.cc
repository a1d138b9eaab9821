#include "engine/runtime/contract_figures.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/pacing/pacer.h"
#include "engine/runtime/abandon_windows.h"

namespace outpace::runtime {

pacing::Population PopulationOf(campaign::ContractDenominator denominator) {
  switch (denominator) {
    case campaign::ContractDenominator::kEstimate:
      return pacing::Population::kEstimate;
    case campaign::ContractDenominator::kPersons:
      return pacing::Population::kPersons;
    case campaign::ContractDenominator::kAnswered:
      return pacing::Population::kAnswered;
  }
  return pacing::Population::kPersons;
}

ContractFigures FiguresOf(const campaign::AbandonContract& contract,
                          const pacing::AbandonCounts& counts, absl::Time from, absl::Time now,
                          absl::TimeZone zone) {
  ContractFigures figures;
  figures.name = contract.name;
  figures.terms = campaign::AbandonContractTerms(contract);
  figures.source = contract.source;
  figures.from = std::min(from, now);
  figures.to = WindowEnd(contract.window, figures.from, now, zone);
  const pacing::AbandonEstimate seen = pacing::EstimateAbandoned(
      counts, pacing::PacerSettings().amd_false_positive, PopulationOf(contract.denominator));
  figures.counted = seen.persons;
  figures.abandoned = seen.abandoned;
  figures.percent = 100 * seen.Ratio();
  figures.limit = contract.limit;
  // Each call that is lost is one more that counts. Whole numbers must not lose one to rounding.
  const double cap = contract.limit / 100;
  const double left = (cap * seen.persons - seen.abandoned) / (1 - cap);
  figures.left = static_cast<int64_t>(std::max(0.0, std::floor(left + 1e-9)));
  return figures;
}

std::string ContractsText(absl::string_view campaign, const std::vector<ContractFigures>& figures,
                          absl::TimeZone zone) {
  const auto time = [zone](absl::Time t) { return absl::FormatTime("%Y-%m-%d %H:%M", t, zone); };
  std::string text = absl::StrCat("Campaign ", campaign, ", limits on abandoned calls, times in ",
                                  zone.name(), "\n");
  absl::StrAppendFormat(&text, "%-12s %10s %10s %9s %8s %6s  %-16s  %-16s\n", "contract", "counted",
                        "abandoned", "percent", "limit", "left", "from", "to");
  for (const ContractFigures& f : figures) {
    absl::StrAppendFormat(&text, "%-12s %10.0f %10.0f %7.2f %% %6.4g %% %6d  %-16s  %-16s\n",
                          f.name, f.counted, f.abandoned, f.percent, f.limit, f.left, time(f.from),
                          time(f.to));
  }
  for (const ContractFigures& f : figures) {
    absl::StrAppend(&text, f.name, ": ", f.terms, f.source.empty() ? "" : "; ", f.source, "\n");
  }
  return text;
}

nlohmann::ordered_json ContractJson(const ContractFigures& f) {
  return {{"name", f.name},
          {"terms", f.terms},
          {"source", f.source},
          {"from_ms", absl::ToUnixMillis(f.from)},
          {"to_ms", absl::ToUnixMillis(f.to)},
          {"counted", f.counted},
          {"abandoned", f.abandoned},
          {"percent", f.percent},
          {"limit", f.limit},
          {"left", f.left}};
}

std::string ContractsJson(absl::string_view campaign, const std::vector<ContractFigures>& figures,
                          absl::TimeZone zone) {
  nlohmann::ordered_json json = {{"campaign", std::string(campaign)},
                                 {"contracts", nlohmann::ordered_json::array()},
                                 {"text", ContractsText(campaign, figures, zone)}};
  for (const ContractFigures& f : figures) json["contracts"].push_back(ContractJson(f));
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace outpace::runtime
