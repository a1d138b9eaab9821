#include "bench/pacing/plots.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/pacing/svg.h"

namespace outpace::lab {
namespace {

// A rule keeps its colour in all charts, whichever rules were run.
std::string ColorOf(const SuitePolicy& policy) {
  size_t index = 0;
  while (SuitePolicies()[index].name != policy.name) ++index;
  return absl::StrCat("c", index);
}

std::string LineClass(const SuitePolicy& policy) {
  return absl::StrCat(ColorOf(policy), policy.name == "outpace"    ? " thick"
                                       : policy.name == "frontier" ? " dash"
                                                                   : "");
}

std::vector<Svg::LegendEntry> LegendOf(const SuiteResults& results,
                                       const std::vector<size_t>& policies, bool line) {
  std::vector<Svg::LegendEntry> entries;
  for (const size_t p : policies) {
    const SuitePolicy& policy = *results.settings.policies[p];
    entries.push_back(
        {line ? LineClass(policy) : ColorOf(policy), std::string(policy.label), line});
  }
  return entries;
}

// Optimum of the control problem (value iteration, exponential ring of 12 s, handling 180 s, answer
// rate 20 %, patience 2 s, cap 3 %): percent by agents.
struct Bound {
  int agents;
  double occupancy;
};
constexpr Bound kOptimum[] = {{1, 76.6},   {5, 82.6},   {10, 86.5},  {20, 90.6},  {50, 94.8},
                              {100, 96.9}, {200, 98.3}, {500, 99.5}, {1000, 99.9}};

// The scenarios of the base case, by number of agents.
bool IsSize(const std::string& id) {
  return id.front() == 'N' || id == "S01" || id == "S02" || id == "S04" || id == "S19";
}

std::string Percent(double share) { return absl::StrFormat("%.1f %%", share * 100); }

}  // namespace

Plot PlotSizes(const SuiteResults& results) {
  const SuiteSettings& settings = results.settings;
  Svg svg(980, 520, "Occupancy against the number of agents");
  const Scale x{std::log10(1.7), std::log10(6500), 70, 650};
  // Equal steps halve the idle time: 90 to 95 % is as far as 95 to 97.5 %.
  const auto y_of = [](double share) { return -std::log10(std::max(1 - share, 0.0008)); };
  const Scale y{y_of(0.1), y_of(0.9992), 450, 40};
  std::vector<Tick> x_ticks;
  for (const int n : {2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000}) {
    x_ticks.push_back({std::log10(n), absl::StrCat(n)});
  }
  std::vector<Tick> y_ticks;
  for (const double share : {0.2, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999}) {
    y_ticks.push_back({y_of(share), absl::StrFormat("%g", share * 100)});
  }
  svg.Frame(x, y, x_ticks, y_ticks, "agents",
            "occupancy, % (equal steps: equal ratios of idle time)");
  std::vector<Point> bound;
  for (const Bound& b : kOptimum) {
    if (b.agents >= 2) bound.push_back({x(std::log10(b.agents)), y(y_of(b.occupancy / 100))});
  }
  svg.Polyline(bound, "mark");
  std::vector<size_t> drawn;
  for (size_t p = settings.policies.size(); p-- > 0;) {
    std::map<int, double> by_agents;
    for (const Cell& cell : results.cells) {
      const sim::Scenario& scenario = settings.scenarios[cell.scenario];
      if (cell.policy != p || !IsSize(scenario.id)) continue;
      by_agents[scenario.campaigns[0].agents] = cell.occupancy;
    }
    if (by_agents.empty()) continue;
    const SuitePolicy& policy = *settings.policies[p];
    std::vector<Point> line;
    for (const auto& [agents, occupancy] : by_agents) {
      line.push_back({x(std::log10(agents)), y(y_of(occupancy))});
    }
    svg.Polyline(line, LineClass(policy));
    for (const auto& [agents, occupancy] : by_agents) {
      svg.Dot({x(std::log10(agents)), y(y_of(occupancy))}, policy.name == "outpace" ? 4 : 2.6,
              ColorOf(policy),
              absl::StrCat(policy.label, ", ", agents, " agents: ", Percent(occupancy)));
    }
    drawn.insert(drawn.begin(), p);
  }
  std::vector<Svg::LegendEntry> legend = LegendOf(results, drawn, true);
  legend.push_back({"mark", "optimum, exponential ring of 12 s", true});
  svg.Legend({680, 60}, legend);
  return {"occupancy_by_agents",
          "Occupancy against the number of agents, base scenario. The dotted optimum is that of a "
          "simpler model (value iteration, exponential ring of 12 s; notes on pacing, 3.3): it "
          "shows the limit's shape and may differ by some tenths of a point.",
          svg.Finish()};
}

Plot PlotScenarios(const SuiteResults& results) {
  const SuiteSettings& settings = results.settings;
  std::vector<size_t> rows;
  for (size_t s = 0; s < settings.scenarios.size(); ++s) {
    if (settings.scenarios[s].id.front() != 'N') rows.push_back(s);
  }
  const double row_height = 19;
  const double top = 64;
  const double bottom = top + row_height * static_cast<double>(rows.size());
  std::vector<size_t> policies;
  for (size_t p = 0; p < settings.policies.size(); ++p) policies.push_back(p);
  const double columns_y = bottom + 62;
  const double height = columns_y + 19 * std::ceil(static_cast<double>(policies.size()) / 3) + 6;
  Svg svg(1180, height, "Occupancy by scenario and rule");

  double least = 1;
  for (const Cell& cell : results.cells) least = std::min(least, cell.occupancy);
  const double low = std::max(0.0, std::floor(least * 20) * 5 - 2);
  const Scale x{low, 101, 360, 820};
  double gap_most = 2;
  double gap_least = -1;
  for (const Cell& cell : results.cells) {
    const absl::string_view name = settings.policies[cell.policy]->name;
    if (std::isnan(cell.gap) || (name != "outpace" && name != "vicidial_best")) continue;
    gap_most = std::max(gap_most, cell.gap * 100);
    gap_least = std::min(gap_least, cell.gap * 100);
  }
  gap_most = std::min(gap_most, 12.0);
  gap_least = std::max(gap_least, -12.0);
  const Scale gap{gap_least - 0.5, gap_most + 0.5, 870, 1150};
  const Scale y{0, static_cast<double>(rows.size()), bottom, top};
  svg.Text({x.pixel_from, top - 34}, "Occupancy", Anchor::kStart, "head");
  svg.Text({gap.pixel_from, top - 34}, "Gap to the frontier (d)", Anchor::kStart, "head");
  svg.Text({gap.pixel_from, top - 17}, "95 % interval on the same seeds; less is better",
           Anchor::kStart, "soft");
  svg.Frame(x, y, RoundTicks(low, 100, 8), {}, "occupancy, %", "");
  svg.Frame(gap, y, RoundTicks(gap_least, gap_most, 6), {}, "points of occupancy", "");
  svg.Line({gap(0), top}, {gap(0), bottom}, "axis");
  for (size_t r = 0; r < rows.size(); ++r) {
    const sim::Scenario& scenario = settings.scenarios[rows[r]];
    const double at = top + row_height * (static_cast<double>(r) + 0.5);
    svg.Line({x.pixel_from, at}, {x.pixel_to, at}, "grid");
    svg.Line({gap.pixel_from, at}, {gap.pixel_to, at}, "grid");
    std::string title = scenario.title;
    if (title.size() > 48) title = absl::StrCat(title.substr(0, 46), "...");
    svg.Text({10, at + 4}, scenario.id, Anchor::kStart, "soft");
    svg.Text({62, at + 4}, title, Anchor::kStart);
    for (size_t p = settings.policies.size(); p-- > 0;) {
      const SuitePolicy& policy = *settings.policies[p];
      const Cell* cell = FindCell(settings, results.cells, scenario.id, policy.name);
      if (cell == nullptr) continue;
      const std::string tooltip =
          absl::StrCat(scenario.id, ", ", policy.label, ": ", Percent(cell->occupancy),
                       ", abandoned ", Percent(cell->abandoned));
      const double px = x(cell->occupancy * 100);
      if (policy.name == "frontier") {
        svg.Line({px, at - 8}, {px, at + 8}, absl::StrCat(ColorOf(policy), " thick"));
      } else {
        svg.Dot({px, at}, policy.name == "outpace" ? 5 : 3.4,
                absl::StrCat(ColorOf(policy), policy.name == "outpace" ? "" : " faded"), tooltip);
      }
      if (std::isnan(cell->gap) || (policy.name != "outpace" && policy.name != "vicidial_best")) {
        continue;
      }
      const double center = cell->gap * 100;
      if (center > gap.to || center < gap.from) {
        svg.Text({center > gap.to ? gap.pixel_to : gap.pixel_from, at + 4},
                 absl::StrFormat("%.1f", center), center > gap.to ? Anchor::kEnd : Anchor::kStart,
                 "soft");
        continue;
      }
      if (!std::isnan(cell->gap_half)) {
        svg.Line({gap(std::max(center - cell->gap_half * 100, gap.from)), at},
                 {gap(std::min(center + cell->gap_half * 100, gap.to)), at}, ColorOf(policy));
      }
      svg.Dot({gap(center), at}, policy.name == "outpace" ? 4.5 : 3.4, ColorOf(policy), tooltip);
    }
  }
  for (size_t i = 0; i < policies.size(); ++i) {
    const SuitePolicy& policy = *settings.policies[policies[i]];
    const Svg::LegendEntry entry{
        absl::StrCat(ColorOf(policy), policy.name == "frontier" ? " thick" : ""),
        std::string(policy.label), policy.name == "frontier"};
    svg.Legend({60 + 370.0 * static_cast<double>(i % 3),
                columns_y + 19 * std::floor(static_cast<double>(i) / 3)},
               absl::MakeConstSpan(&entry, 1));
  }
  return {"occupancy_by_scenario",
          "Occupancy of every scenario and rule (left), and what is missing to the frontier "
          "(right). A rule that exceeds the cap may lie right of the frontier: see the table.",
          svg.Finish()};
}

Plot PlotHalfHours(const SuiteResults& results, absl::string_view scenario) {
  const SuiteSettings& settings = results.settings;
  size_t index = 0;
  while (settings.scenarios[index].id != scenario) ++index;
  const auto whole = static_cast<size_t>(settings.scenarios[index].length / absl::Minutes(30));
  // Percent of each half hour, by rule.
  std::map<size_t, std::vector<double>> by_policy;
  double most = 6;
  for (const Run& run : results.runs) {
    if (run.scenario != index) continue;
    for (size_t h = 0; h < std::min(whole, run.result.half_hours.size()); ++h) {
      const HalfHour& half = run.result.half_hours[h];
      if (half.persons == 0) continue;
      by_policy[run.policy].push_back(100.0 * half.abandoned / half.persons);
      most = std::max(most, by_policy[run.policy].back());
    }
  }
  const double row_height = 54;
  const double top = 50;
  const double bottom = top + row_height * static_cast<double>(by_policy.size());
  Svg svg(980, bottom + 60, "Abandonment of each half hour");
  const Scale x{-0.1, std::ceil(most) + 0.1, 330, 800};
  const Scale y{0, 1, bottom, top};
  svg.Frame(x, y, RoundTicks(0, std::ceil(most), 8), {},
            "abandoned of the persons who answered in a half hour, %", "");
  svg.Line({x(3), top - 6}, {x(3), bottom}, "cap");
  svg.Text({x(3), top - 11}, "cap 3 %", Anchor::kMiddle, "soft");
  svg.Line({x(5), top - 6}, {x(5), bottom}, "mark");
  svg.Text({x(5), top - 11}, "5 %", Anchor::kMiddle, "soft");
  svg.Text({815, top - 11}, "mean", Anchor::kStart, "soft");
  svg.Text({875, top - 11}, "worst", Anchor::kStart, "soft");
  double at = top + row_height / 2;
  for (auto& [p, values] : by_policy) {
    const SuitePolicy& policy = *settings.policies[p];
    svg.Text({x.pixel_from - 14, at + 4}, policy.label, Anchor::kEnd);
    svg.Line({x.pixel_from, at + row_height / 2}, {x.pixel_to, at + row_height / 2}, "grid");
    std::sort(values.begin(), values.end());
    // Dots of the same place are stacked around the middle of the row.
    std::map<int, int> stacked;
    for (const double value : values) {
      const double px = x(value);
      const int k = stacked[static_cast<int>(px / 5)]++;
      const double off = (k % 2 == 0 ? 4.2 : -4.2) * std::ceil(k / 2.0);
      svg.Dot({px, at + std::clamp(off, -row_height / 2 + 4, row_height / 2 - 4)}, 2.4,
              absl::StrCat(ColorOf(policy), " faded"));
    }
    const Cell* cell = FindCell(settings, results.cells, scenario, policy.name);
    svg.Text({815, at + 4}, absl::StrFormat("%.2f %%", cell->abandoned * 100), Anchor::kStart);
    svg.Text({875, at + 4}, absl::StrFormat("%.1f %%", values.back()), Anchor::kStart);
    at += row_height;
  }
  return {"abandonment_by_half_hour",
          absl::StrCat("Abandonment of each whole half hour of ", scenario,
                       ", all seeds; one dot each."),
          svg.Finish()};
}

Plot PlotResponse(const SuiteResults& results) {
  const SuiteSettings& settings = results.settings;
  std::vector<std::pair<double, double>> steps;  // answer rate from, to
  for (const Response& response : results.responses) {
    const std::pair<double, double> step(response.from, response.to);
    if (std::find(steps.begin(), steps.end(), step) == steps.end()) steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  if (steps.size() > 2) steps.resize(2);
  std::vector<size_t> drawn;
  double least = 0.9;
  double most = 0.06;
  for (const Response& response : results.responses) {
    if (std::find(drawn.begin(), drawn.end(), response.policy) == drawn.end()) {
      drawn.push_back(response.policy);
    }
    for (const double share : response.occupancy) least = std::min(least, share);
    for (const double share : response.abandoned) most = std::max(most, share);
  }
  Svg svg(1120, 640 + 19.0 * std::ceil(static_cast<double>(drawn.size()) / 2),
          "Response to a step of the answer rate");
  const double low = std::floor(least * 20) * 5;
  const double high = std::min(100.0, std::ceil(most * 20) * 5);
  for (size_t s = 0; s < steps.size(); ++s) {
    const double left = 70 + 540 * static_cast<double>(s);
    const Scale x{-10, 40, left, left + 470};
    const Scale y{low, 100, 300, 50};
    const Scale below{0, high, 550, 360};
    svg.Text({left, 30},
             absl::StrFormat("Answer rate %.0f %% to %.0f %%", steps[s].first * 100,
                             steps[s].second * 100),
             Anchor::kStart, "head");
    svg.Frame(x, y, RoundTicks(-10, 40, 10), RoundTicks(low, 100, 6), "", "occupancy, %");
    svg.Frame(x, below, RoundTicks(-10, 40, 10), RoundTicks(0, high, 5), "minutes from the step",
              "abandoned, %");
    svg.Line({x(0), 50}, {x(0), 300}, "mark");
    svg.Line({x(0), 360}, {x(0), 550}, "mark");
    svg.Line({x.pixel_from, below(3)}, {x.pixel_to, below(3)}, "cap");
    for (size_t i = results.responses.size(); i-- > 0;) {
      const Response& response = results.responses[i];
      if (std::pair(response.from, response.to) != steps[s]) continue;
      const SuitePolicy& policy = *settings.policies[response.policy];
      if (policy.name == "outpace") {
        svg.Band({x.pixel_from, y(response.reference * 100 - 1)},
                 {x.pixel_to, y(response.reference * 100 + 1)}, "band");
      }
      std::vector<Point> occupancy;
      std::vector<Point> abandoned;
      for (size_t m = 0; m < response.occupancy.size(); ++m) {
        const double middle = response.first_minute + static_cast<double>(m) + 0.5;
        occupancy.push_back({x(middle), y(response.occupancy[m] * 100)});
        abandoned.push_back({x(middle), below(response.abandoned[m] * 100)});
      }
      svg.Polyline(occupancy, LineClass(policy));
      svg.Polyline(abandoned, LineClass(policy));
    }
  }
  const std::vector<Svg::LegendEntry> entries = LegendOf(results, drawn, true);
  for (size_t i = 0; i < entries.size(); ++i) {
    svg.Legend({70 + 540.0 * static_cast<double>(i % 2),
                615 + 19 * std::floor(static_cast<double>(i) / 2)},
               absl::MakeConstSpan(&entries[i], 1));
  }
  return {
      "response_to_step",
      "Minute means around a step of the answer rate, over all steps and seeds. The grey band is "
      "the frontier's level after the step, one point to either side.",
      svg.Finish()};
}

std::vector<Plot> MakePlots(const SuiteResults& results) {
  std::vector<Plot> plots;
  int sizes = 0;
  bool base = false;
  for (const sim::Scenario& scenario : results.settings.scenarios) {
    if (IsSize(scenario.id)) ++sizes;
    if (scenario.id == "S01") base = true;
  }
  if (sizes >= 2) plots.push_back(PlotSizes(results));
  plots.push_back(PlotScenarios(results));
  if (base) plots.push_back(PlotHalfHours(results, "S01"));
  if (!results.responses.empty()) plots.push_back(PlotResponse(results));
  return plots;
}

}  // namespace outpace::lab
