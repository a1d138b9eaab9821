#include "bench/pacing/cells.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace outpace::lab {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double Ratio(double part, double whole) { return whole > 0 ? part / whole : kNan; }

// Sums over the runs of one seed.
struct Sums {
  double busy_s = 0;
  double logged_s = 0;
  double persons = 0;
  double abandoned = 0;
  void Add(const FloorResult& result) {
    busy_s += result.busy_s;
    logged_s += result.logged_s;
    persons += static_cast<double>(result.persons);
    abandoned += static_cast<double>(result.abandoned);
  }
};

using BySeed = std::map<uint64_t, Sums>;

double HalfOf(const BySeed& seeds, double (*figure)(const Sums&)) {
  std::vector<double> values;
  for (const auto& [seed, sums] : seeds) values.push_back(figure(sums));
  return HalfWidth95(values);
}

Cell PoolCell(const SuiteSettings& settings, absl::Span<const Run> runs, BySeed& seeds) {
  Cell cell;
  cell.scenario = runs[0].scenario;
  cell.policy = runs[0].policy;
  cell.runs = static_cast<int>(runs.size());
  const absl::Duration length = settings.scenarios[cell.scenario].length;
  const auto whole = static_cast<size_t>(length / absl::Minutes(30));
  Sums all;
  double dials = 0;
  double answers = 0;
  double wait_s = 0;
  double timed_s = 0;
  int64_t timed = 0;
  int over = 0;
  int halves_over = 0;
  for (const Run& run : runs) {
    const FloorResult& result = run.result;
    seeds[run.seed].Add(result);
    all.Add(result);
    dials += static_cast<double>(result.dials);
    answers += static_cast<double>(result.answers);
    wait_s += result.wait_s;
    timed_s += run.timed_s;
    timed += run.timed;
    cell.decisions += result.decisions;
    cell.lines_peak = std::max(cell.lines_peak, result.lines_peak);
    cell.dials_per_second_peak = std::max(cell.dials_per_second_peak, result.dials_per_second_peak);
    if (result.ratio() > run.abandon_ratio_max) ++over;
    for (size_t h = 0; h < std::min(whole, result.half_hours.size()); ++h) {
      const HalfHour& half = result.half_hours[h];
      if (half.persons == 0) continue;
      const double ratio = static_cast<double>(half.abandoned) / half.persons;
      ++cell.half_hours;
      if (ratio > 0.05) ++halves_over;
      cell.half_hour_worst = std::max(cell.half_hour_worst, ratio);
    }
  }
  cell.seeds = static_cast<int>(seeds.size());
  cell.persons = static_cast<int64_t>(all.persons);
  cell.occupancy = Ratio(all.busy_s, all.logged_s);
  cell.abandoned = Ratio(all.abandoned, all.persons);
  cell.occupancy_half = HalfOf(seeds, [](const Sums& s) { return Ratio(s.busy_s, s.logged_s); });
  cell.abandoned_half = HalfOf(seeds, [](const Sums& s) { return Ratio(s.abandoned, s.persons); });
  cell.runs_over = static_cast<double>(over) / cell.runs;
  cell.half_hours_over = Ratio(halves_over, cell.half_hours);
  if (cell.half_hours == 0) cell.half_hour_worst = kNan;
  cell.dials_per_answer = Ratio(dials, answers);
  cell.answers_per_dial = Ratio(answers, dials);
  cell.wait_s = Ratio(wait_s, all.persons - all.abandoned);
  cell.decision_us = Ratio(timed_s * 1e6, static_cast<double>(timed));
  cell.gap = cell.gap_half = cell.closed = kNan;
  return cell;
}

std::string IdOf(const SuiteSettings& settings, const Cell& cell) {
  return settings.scenarios[cell.scenario].id;
}

bool IsOwn(const SuiteSettings& settings, const Cell& cell) {
  return settings.policies[cell.policy]->name == "outpace";
}

// S01 .. S17.
bool IsCore(const std::string& id) {
  return id.size() == 3 && id.front() == 'S' && id >= "S01" && id <= "S17";
}

Figure MakeFigure(std::string what, double value, std::string unit, std::string target, bool met,
                  std::string note = "") {
  const bool missing = std::isnan(value);
  return {.what = std::move(what),
          .value = value,
          .unit = std::move(unit),
          .target = std::move(target),
          .met = met && !missing,
          .missing = missing,
          .note = std::move(note)};
}

void AddCoreFigures(const SuiteSettings& settings, absl::Span<const Cell> cells,
                    std::vector<Figure>& figures) {
  double gap_sum = 0;
  double gap_worst = kNan;
  double closed_sum = 0;
  double closed_least = kNan;
  double abandoned_most = kNan;
  double above_least = kNan;
  int scenarios = 0;
  int gaps = 0;
  int closes = 0;
  std::string gap_at;
  std::string closed_at;
  std::string abandoned_at;
  std::string above_at;
  for (const Cell& cell : cells) {
    const std::string id = IdOf(settings, cell);
    if (!IsOwn(settings, cell) || !IsCore(id)) continue;
    ++scenarios;
    if (!(cell.abandoned <= abandoned_most)) {
      abandoned_most = cell.abandoned;
      abandoned_at = id;
    }
    if (!std::isnan(cell.gap)) {
      ++gaps;
      gap_sum += cell.gap;
      if (!(cell.gap <= gap_worst)) {
        gap_worst = cell.gap;
        gap_at = id;
      }
    }
    if (!std::isnan(cell.closed)) {
      ++closes;
      closed_sum += cell.closed;
      if (!(cell.closed >= closed_least)) {
        closed_least = cell.closed;
        closed_at = id;
      }
    }
    const Cell* best = FindCell(settings, cells, id, "vicidial_best");
    if (best != nullptr && !(cell.occupancy - best->occupancy >= above_least)) {
      above_least = cell.occupancy - best->occupancy;
      above_at = id;
    }
  }
  if (scenarios == 0) return;
  const std::string over = absl::StrCat("over ", scenarios, " of S01..S17");
  figures.push_back(MakeFigure("highest abandonment, pooled", abandoned_most * 100, "%", "<= 3.0",
                               abandoned_most <= 0.03, abandoned_at));
  figures.push_back(MakeFigure("least lead in occupancy over (c*)", above_least * 100, "points",
                               "> 0", above_least > 0, above_at));
  figures.push_back(MakeFigure("mean gap to the frontier (d)", Ratio(gap_sum, gaps) * 100, "points",
                               "<= 0.4", Ratio(gap_sum, gaps) <= 0.004, over));
  figures.push_back(MakeFigure("worst gap to the frontier", gap_worst * 100, "points", "<= 1.0",
                               gap_worst <= 0.01, gap_at));
  figures.push_back(MakeFigure("of the distance (c*) to (d) closed, mean",
                               Ratio(closed_sum, closes) * 100, "%", ">= 93",
                               Ratio(closed_sum, closes) >= 0.93, over));
  figures.push_back(MakeFigure("of the distance (c*) to (d) closed, least", closed_least * 100, "%",
                               ">= 80", closed_least >= 0.8, closed_at));
}

}  // namespace

double StudentT975(int n) {
  static constexpr double kTable[] = {12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646,
                                      2.3060,  2.2622, 2.2281, 2.2010, 2.1788, 2.1604, 2.1448,
                                      2.1314,  2.1199, 2.1098, 2.1009, 2.0930, 2.0860};
  if (n <= static_cast<int>(std::size(kTable))) return kTable[std::max(n, 1) - 1];
  // Expansion about the normal quantile z (Abramowitz and Stegun 26.7.5).
  const double z = 1.959963985;
  const double z3 = z * z * z;
  const double z5 = z3 * z * z;
  const double z7 = z5 * z * z;
  return z + (z3 + z) / (4.0 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96.0 * n * n) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384.0 * n * n * n);
}

double HalfWidth95(absl::Span<const double> values) {
  if (values.size() < 2) return kNan;
  const auto n = static_cast<double>(values.size());
  double mean = 0;
  for (const double value : values) mean += value / n;
  double square = 0;
  for (const double value : values) square += (value - mean) * (value - mean);
  return StudentT975(static_cast<int>(values.size()) - 1) * std::sqrt(square / (n - 1) / n);
}

std::vector<Cell> MakeCells(const SuiteSettings& settings, absl::Span<const Run> runs) {
  std::vector<Cell> cells;
  std::vector<BySeed> seeds;
  for (size_t from = 0; from < runs.size();) {
    size_t to = from;
    while (to < runs.size() && runs[to].scenario == runs[from].scenario &&
           runs[to].policy == runs[from].policy) {
      ++to;
    }
    seeds.emplace_back();
    cells.push_back(PoolCell(settings, runs.subspan(from, to - from), seeds.back()));
    from = to;
  }
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string id = IdOf(settings, cells[i]);
    const Cell* frontier = FindCell(settings, cells, id, "frontier");
    if (frontier == nullptr) continue;
    cells[i].gap = frontier->occupancy - cells[i].occupancy;
    const BySeed& theirs = seeds[static_cast<size_t>(frontier - cells.data())];
    std::vector<double> gaps;
    for (const auto& [seed, sums] : seeds[i]) {
      const Sums& other = theirs.at(seed);
      gaps.push_back(Ratio(other.busy_s, other.logged_s) - Ratio(sums.busy_s, sums.logged_s));
    }
    cells[i].gap_half = HalfWidth95(gaps);
    const Cell* best = FindCell(settings, cells, id, "vicidial_best");
    if (best == nullptr || frontier->occupancy <= best->occupancy) continue;
    cells[i].closed =
        (cells[i].occupancy - best->occupancy) / (frontier->occupancy - best->occupancy);
  }
  return cells;
}

const Cell* FindCell(const SuiteSettings& settings, absl::Span<const Cell> cells,
                     absl::string_view scenario, absl::string_view policy) {
  for (const Cell& cell : cells) {
    if (settings.scenarios[cell.scenario].id == scenario &&
        settings.policies[cell.policy]->name == policy) {
      return &cell;
    }
  }
  return nullptr;
}

std::vector<Figure> MakeFigures(const SuiteSettings& settings, absl::Span<const Cell> cells,
                                absl::Span<const Response> responses) {
  std::vector<Figure> figures;
  AddCoreFigures(settings, cells, figures);
  const auto own = [&](absl::string_view id) { return FindCell(settings, cells, id, "outpace"); };
  if (const Cell* cell = own("S18"); cell != nullptr) {
    figures.push_back(MakeFigure("S18: one-hour campaigns over the cap", cell->runs_over * 100, "%",
                                 "<= 1", cell->runs_over <= 0.01, absl::StrCat("of ", cell->runs)));
    figures.push_back(
        MakeFigure("S18: occupancy", cell->occupancy * 100, "%", ">= 82", cell->occupancy >= 0.82));
  }
  for (const Cell& cell : cells) {
    const std::string id = IdOf(settings, cell);
    if (!IsOwn(settings, cell) || id < "S19" || id > "S24" || std::isnan(cell.gap)) continue;
    figures.push_back(MakeFigure(absl::StrCat(id, ": gap to the frontier"), cell.gap * 100,
                                 "points", "<= 1.0", cell.gap <= 0.01,
                                 absl::StrFormat("abandoned %.2f %%", cell.abandoned * 100)));
  }
  for (const Cell& cell : cells) {
    const std::string id = IdOf(settings, cell);
    if (!IsOwn(settings, cell) || !absl::StartsWith(id, "F") || std::isnan(cell.gap)) continue;
    const Cell* plain = FindCell(settings, cells, id, "frontier");
    figures.push_back(MakeFigure(absl::StrCat(id, ": beyond the plain frontier"), -cell.gap * 100,
                                 "points", ">= 1.5", cell.gap <= -0.015,
                                 absl::StrFormat("answers per lead dialed %.4f, frontier %.4f",
                                                 cell.answers_per_dial, plain->answers_per_dial)));
  }
  if (const Cell* cell = own("S01"); cell != nullptr) {
    figures.push_back(MakeFigure("worst half hour at 50 agents (S01)", cell->half_hour_worst * 100,
                                 "%", "<= 8", cell->half_hour_worst <= 0.08,
                                 absl::StrCat("of ", cell->half_hours)));
    figures.push_back(MakeFigure("CPU of a decision at 50 agents (S01)", cell->decision_us, "us",
                                 "<= 20", cell->decision_us <= 20));
  }
  if (const Cell* cell = own("S19"); cell != nullptr) {
    figures.push_back(MakeFigure("CPU of a decision at 5000 agents (S19)", cell->decision_us, "us",
                                 "<= 500", cell->decision_us <= 500));
  }
  for (const Response& response : responses) {
    if (settings.policies[response.policy]->name != "outpace") continue;
    const double minutes =
        response.minutes_to_settle < 0 ? kNan : static_cast<double>(response.minutes_to_settle);
    figures.push_back(MakeFigure(
        absl::StrFormat("answer rate %.0f to %.0f %%: within 1 point after", response.from * 100,
                        response.to * 100),
        minutes, "minutes", "<= 4", minutes <= 4,
        absl::StrFormat("first there after %d, %d steps, reference %.1f %%",
                        response.minutes_to_reach, response.steps, response.reference * 100)));
    figures.back().missing = false;  // not settled within the phase
  }
  return figures;
}

}  // namespace outpace::lab
