#include "bench/pacing/report.h"

#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "bench/pacing/svg.h"

namespace outpace::lab {
namespace {

std::string Fixed(double value, int digits, absl::string_view missing) {
  if (std::isnan(value)) return std::string(missing);
  // No "-0.0".
  if (std::abs(value) < 0.5 * std::pow(10, -digits)) value = 0;
  return absl::StrFormat("%.*f", digits, value);
}

std::string Csv(double value, int digits) { return Fixed(value, digits, ""); }

std::string WithInterval(double value, double half, int digits) {
  if (std::isnan(half)) return Fixed(value, digits, "-");
  return absl::StrCat(Fixed(value, digits, "-"), " &#177; ", Fixed(half, digits, "-"));
}

// A rule below (c*) has closed nothing.
std::string Closed(double share) { return share < 0 ? "-" : Fixed(share * 100, 0, "-"); }

const sim::Scenario& ScenarioOf(const SuiteResults& results, const Cell& cell) {
  return results.settings.scenarios[cell.scenario];
}

const SuitePolicy& PolicyOf(const SuiteResults& results, const Cell& cell) {
  return *results.settings.policies[cell.policy];
}

double CapOf(const sim::Scenario& scenario) { return scenario.campaigns[0].abandon_ratio_max; }

absl::string_view Verdict(const Figure& figure) {
  if (figure.met) return "met";
  return figure.missing ? "not run" : "missed";
}

constexpr absl::string_view kPageStyle = R"(
:root{color-scheme:light dark;--paper:#fff;--ink:#1f2328;--faint:#6b7280;--rule:#e5e7eb;--soft:#f6f7f9;
--good:#1a7f4b;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--paper:#14181d;--ink:#e6e9ee;--faint:#9aa4b2;--rule:#2b323b;
--soft:#1b2027;--good:#4ccb8a;--bad:#ff8a80}}
body{background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif;margin:0 auto;
max-width:1400px;padding:24px}
h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:36px 0 8px}
p{max-width:80ch}.faint{color:var(--faint)}
figure{margin:8px 0 24px;overflow-x:auto}figcaption{color:var(--faint);max-width:90ch}
svg.lab{max-width:100%;height:auto}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:12.5px;font-variant-numeric:tabular-nums}
th,td{padding:3px 7px;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
th{font-weight:600;color:var(--faint);vertical-align:bottom}
td.l,th.l{text-align:left}tr.own td{background:var(--soft);font-weight:600}
tr.first td{border-top:2px solid var(--rule);padding-top:12px;font-weight:600}.good{color:var(--good)}.bad{color:var(--bad)}
)";

void FiguresTable(absl::Span<const Figure> figures, std::string* out) {
  absl::StrAppend(out,
                  "<div class=\"wide\"><table><tr><th class=\"l\">figure</th><th>measured</th>"
                  "<th class=\"l\">unit</th><th>wanted</th><th class=\"l\"></th>"
                  "<th class=\"l\">of</th></tr>\n");
  for (const Figure& figure : figures) {
    absl::StrAppend(out, "<tr><td class=\"l\">", EscapeXml(figure.what), "</td><td>",
                    Fixed(figure.value, 2, "-"), "</td><td class=\"l\">", EscapeXml(figure.unit),
                    "</td><td>", EscapeXml(figure.target), "</td><td class=\"l ",
                    Verdict(figure) == "met"      ? "good"
                    : Verdict(figure) == "missed" ? "bad"
                                                  : "faint",
                    "\">", Verdict(figure), "</td><td class=\"l faint\">", EscapeXml(figure.note),
                    "</td></tr>\n");
  }
  absl::StrAppend(out, "</table></div>\n");
}

void CellsTable(const SuiteResults& results, std::string* out) {
  absl::StrAppend(
      out,
      "<div class=\"wide\"><table><tr><th class=\"l\">rule</th>"
      "<th>occupancy %</th><th>abandoned %</th><th>runs over<br>the cap %</th>"
      "<th>half hours<br>over 5 %, %</th><th>worst half<br>hour %</th><th>gap to (d)<br>points</th>"
      "<th>closed<br>%</th><th>dials per<br>answer</th><th>answers per<br>lead</th>"
      "<th>lines<br>peak</th><th>calls/s<br>peak</th><th>delay to<br>agent s</th>"
      "<th>decisions</th><th>CPU of one<br>us</th></tr>\n");
  size_t last = results.settings.scenarios.size();
  for (const Cell& cell : results.cells) {
    const sim::Scenario& scenario = ScenarioOf(results, cell);
    const bool first = cell.scenario != last;
    last = cell.scenario;
    if (first) {
      absl::StrAppend(out, "<tr class=\"first\"><td class=\"l\" colspan=\"15\">",
                      EscapeXml(absl::StrCat(scenario.id, "  ", scenario.title)), "</td></tr>\n");
    }
    const bool over = cell.abandoned > CapOf(scenario);
    absl::StrAppend(out, "<tr class=\"", PolicyOf(results, cell).name == "outpace" ? "own" : "",
                    "\"><td class=\"l\">", EscapeXml(PolicyOf(results, cell).label), "</td><td>",
                    WithInterval(cell.occupancy * 100, cell.occupancy_half * 100, 2),
                    "</td><td class=\"", over ? "bad" : "", "\">",
                    WithInterval(cell.abandoned * 100, cell.abandoned_half * 100, 2), "</td>");
    for (const std::string& text :
         {Fixed(cell.runs_over * 100, 1, "-"), Fixed(cell.half_hours_over * 100, 1, "-"),
          Fixed(cell.half_hour_worst * 100, 1, "-"),
          WithInterval(cell.gap * 100, cell.gap_half * 100, 2), Closed(cell.closed),
          Fixed(cell.dials_per_answer, 2, "-"), Fixed(cell.answers_per_dial, 4, "-"),
          absl::StrCat(cell.lines_peak), absl::StrCat(cell.dials_per_second_peak),
          Fixed(cell.wait_s, 3, "-"), absl::StrCat(cell.decisions),
          Fixed(cell.decision_us, 1, "-")}) {
      absl::StrAppend(out, "<td>", text, "</td>");
    }
    absl::StrAppend(out, "</tr>\n");
  }
  absl::StrAppend(out, "</table></div>\n");
}

}  // namespace

std::string CsvField(absl::string_view text) {
  if (text.find_first_of(",\"\r\n") == absl::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string CellsCsv(const SuiteResults& results) {
  std::string out =
      "scenario,title,rule,seeds,runs,persons,occupancy,occupancy_ci95,abandoned,abandoned_ci95,"
      "runs_over_cap,half_hours,half_hours_over_5,half_hour_worst,dials_per_answer,"
      "answers_per_lead,lines_peak,calls_per_second_peak,delay_to_agent_s,decisions,decision_us,"
      "gap,gap_ci95,closed,reference_frontier,reference_vicidial_best\n";
  for (const Cell& cell : results.cells) {
    const sim::Scenario& scenario = ScenarioOf(results, cell);
    const auto reference = [](double percent) { return percent > 0 ? Csv(percent, 1) : ""; };
    const std::vector<std::string> fields = {
        CsvField(scenario.id),
        CsvField(scenario.title),
        CsvField(PolicyOf(results, cell).name),
        absl::StrCat(cell.seeds),
        absl::StrCat(cell.runs),
        absl::StrCat(cell.persons),
        Csv(cell.occupancy * 100, 3),
        Csv(cell.occupancy_half * 100, 3),
        Csv(cell.abandoned * 100, 3),
        Csv(cell.abandoned_half * 100, 3),
        Csv(cell.runs_over * 100, 2),
        absl::StrCat(cell.half_hours),
        Csv(cell.half_hours_over * 100, 2),
        Csv(cell.half_hour_worst * 100, 2),
        Csv(cell.dials_per_answer, 3),
        Csv(cell.answers_per_dial, 5),
        absl::StrCat(cell.lines_peak),
        absl::StrCat(cell.dials_per_second_peak),
        Csv(cell.wait_s, 4),
        absl::StrCat(cell.decisions),
        Csv(cell.decision_us, 2),
        Csv(cell.gap * 100, 3),
        Csv(cell.gap_half * 100, 3),
        Csv(cell.closed * 100, 1),
        reference(scenario.reference_frontier),
        reference(scenario.reference_vicidial_best),
    };
    absl::StrAppend(&out, absl::StrJoin(fields, ","), "\n");
  }
  return out;
}

std::string HalfHoursCsv(const SuiteResults& results) {
  std::string out = "scenario,rule,seed,repeat,campaign,half_hour,persons,abandoned\n";
  for (const Run& run : results.runs) {
    const sim::Scenario& scenario = results.settings.scenarios[run.scenario];
    for (size_t h = 0; h < run.result.half_hours.size(); ++h) {
      absl::StrAppend(
          &out, CsvField(scenario.id), ",", CsvField(results.settings.policies[run.policy]->name),
          ",", run.seed, ",", run.repeat, ",", CsvField(scenario.campaigns[run.campaign].id), ",",
          h, ",", run.result.half_hours[h].persons, ",", run.result.half_hours[h].abandoned, "\n");
    }
  }
  return out;
}

std::string ResponseCsv(const SuiteResults& results) {
  std::string out = "rule,answers_from,answers_to,steps,minute,occupancy,abandoned\n";
  for (const Response& response : results.responses) {
    for (size_t m = 0; m < response.occupancy.size(); ++m) {
      absl::StrAppend(&out, CsvField(results.settings.policies[response.policy]->name), ",",
                      Csv(response.from * 100, 1), ",", Csv(response.to * 100, 1), ",",
                      response.steps, ",", response.first_minute + static_cast<int>(m), ",",
                      Csv(response.occupancy[m] * 100, 3), ",", Csv(response.abandoned[m] * 100, 3),
                      "\n");
    }
  }
  return out;
}

std::string CellsText(const SuiteResults& results) {
  std::string out = absl::StrFormat(
      "%-8s %-15s %16s %14s %7s %6s %6s %13s %6s %7s %6s %8s\n", "scenario", "rule", "occupancy %",
      "abandoned %", "over %", "5+ %", "worst", "gap, points", "closed", "dials", "lines", "us");
  for (const Cell& cell : results.cells) {
    const auto with_half = [](double value, double half) {
      if (std::isnan(value)) return std::string("-");
      return std::isnan(half) ? Fixed(value, 2, "-") : absl::StrFormat("%.2f +- %.2f", value, half);
    };
    absl::StrAppendFormat(
        &out, "%-8s %-15s %16s %14s %7s %6s %6s %13s %6s %7s %6d %8s\n",
        ScenarioOf(results, cell).id, PolicyOf(results, cell).name,
        with_half(cell.occupancy * 100, cell.occupancy_half * 100),
        with_half(cell.abandoned * 100, cell.abandoned_half * 100),
        Fixed(cell.runs_over * 100, 1, "-"), Fixed(cell.half_hours_over * 100, 1, "-"),
        Fixed(cell.half_hour_worst * 100, 1, "-"), with_half(cell.gap * 100, cell.gap_half * 100),
        Closed(cell.closed), Fixed(cell.dials_per_answer, 2, "-"), cell.lines_peak,
        Fixed(cell.decision_us, 1, "-"));
  }
  return out;
}

std::string FiguresText(absl::Span<const Figure> figures) {
  std::string out;
  for (const Figure& figure : figures) {
    absl::StrAppendFormat(&out, "%-7s %-52s %8s %-8s (%s%s%s)\n", Verdict(figure), figure.what,
                          Fixed(figure.value, 2, "-"), figure.unit, figure.target,
                          figure.note.empty() ? "" : "; ", figure.note);
  }
  return out;
}

std::string ReportHtml(const SuiteResults& results, absl::Span<const Plot> plots) {
  const SuiteSettings& settings = results.settings;
  std::string out = absl::StrCat(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>Pacing suite</title><style>",
      kPageStyle, "</style></head><body>\n<h1>Pacing suite</h1>\n<p class=\"faint\">",
      settings.scenarios.size(), " scenarios, ", settings.policies.size(), " rules, ",
      settings.seeds,
      " seeds each. Virtual time, the same people for every rule. Figures are pooled over seeds; "
      "&#177; is half of the 95 % confidence interval over seeds (Student's t).</p>\n");
  absl::StrAppend(&out, "<h2>What Outpace holds itself to</h2>\n");
  FiguresTable(results.figures, &out);
  for (const Plot& plot : plots) {
    absl::StrAppend(&out, "<figure>", plot.svg, "<figcaption>", EscapeXml(plot.caption),
                    "</figcaption></figure>\n");
  }
  absl::StrAppend(
      &out,
      "<h2>All figures</h2>\n<p class=\"faint\">Outpace is told its caps and nothing else; the "
      "rules "
      "marked \"in hindsight\" run with the knob that is best for these very runs under the cap. "
      "Gap: occupancy of the frontier (d) less that of the rule, on the same seeds. Closed: the "
      "share of the distance from (c*) to (d) covered. A red abandonment is above the cap: such a "
      "rule's occupancy is not comparable. Half hours: whole ones only. CPU of one decision is "
      "measured on the machine of the run; all else is the same on any machine.</p>\n");
  CellsTable(results, &out);
  absl::StrAppend(&out, "</body></html>\n");
  return out;
}

std::string QuickFaults(const SuiteResults& results) {
  std::string out;
  for (const QuickLimit& limit : QuickLimits()) {
    const Cell* cell = FindCell(results.settings, results.cells, limit.scenario, "outpace");
    if (cell == nullptr) {
      absl::StrAppend(&out, limit.scenario, ": not run\n");
      continue;
    }
    // Written so that NaN fails.
    if (!(cell->occupancy * 100 >= limit.occupancy_min)) {
      absl::StrAppendFormat(&out, "%s: occupancy %.2f %%, at least %.2f %% wanted\n",
                            limit.scenario, cell->occupancy * 100, limit.occupancy_min);
    }
    if (!(cell->abandoned * 100 <= limit.abandoned_max)) {
      absl::StrAppendFormat(&out, "%s: abandoned %.2f %%, at most %.2f %% wanted\n", limit.scenario,
                            cell->abandoned * 100, limit.abandoned_max);
    }
    if (!(cell->runs_over * 100 <= limit.over_share_max)) {
      absl::StrAppendFormat(&out, "%s: %.1f %% of runs over the cap, at most %.1f %% wanted\n",
                            limit.scenario, cell->runs_over * 100, limit.over_share_max);
    }
  }
  return out;
}

}  // namespace outpace::lab
