#include "engine/runtime/simulation_table.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace outpace::runtime {
namespace {

// What a block of the table is made from: one campaign, or all together, in one variant.
struct Cell {
  FloorFigures total;
  double worst = 0;
  int runs = 1, runs_over = 0;
};

struct Row {
  const char* name;
  double (*value)(const Cell& cell);
  int decimals;
  enum { kAlways, kWithRepeats, kWithMachines } shown;  // where it would not say the same as others
};

double Whole(int64_t n) { return static_cast<double>(n); }

// Without the machines that met nobody, which the dialer cannot tell from persons and this can.
double PersonsAlone(const FloorFigures& f) {
  const int64_t lost = f.abandoned - f.abandoned_machines;
  const int64_t persons = f.connected - f.machines + lost;
  return persons > 0 ? Whole(lost) / Whole(persons) : 0;
}

constexpr Row kRows[] = {
    {"dials", [](const Cell& c) { return Whole(c.total.dials); }, 0, Row::kAlways},
    {"answered", [](const Cell& c) { return Whole(c.total.answered); }, 0, Row::kAlways},
    {"connected", [](const Cell& c) { return Whole(c.total.connected); }, 0, Row::kAlways},
    {"  of these machines", [](const Cell& c) { return Whole(c.total.machines); }, 0,
     Row::kWithMachines},
    {"abandoned", [](const Cell& c) { return Whole(c.total.abandoned); }, 0, Row::kAlways},
    {"  of these machines", [](const Cell& c) { return Whole(c.total.abandoned_machines); }, 0,
     Row::kWithMachines},
    {"abandoned %", [](const Cell& c) { return 100 * c.total.AbandonRatio(); }, 2, Row::kAlways},
    {"  persons alone %", [](const Cell& c) { return 100 * PersonsAlone(c.total); }, 2,
     Row::kWithMachines},
    {"worst half hour %", [](const Cell& c) { return 100 * c.worst; }, 2, Row::kAlways},
    {"runs over the cap", [](const Cell& c) { return Whole(c.runs_over); }, 0, Row::kWithRepeats},
    {"sales", [](const Cell& c) { return Whole(c.total.sales); }, 0, Row::kAlways},
    {"agent hours", [](const Cell& c) { return c.total.offered_s / 3600; }, 1, Row::kAlways},
    {"occupancy %", [](const Cell& c) { return 100 * c.total.Occupancy(); }, 1, Row::kAlways},
    {"talk min per agent hour", [](const Cell& c) { return c.total.TalkMinutesPerHour(); }, 1,
     Row::kAlways},
};

constexpr int kNameWidth = 25;
constexpr int kCellWidth = 12;
constexpr int kDifferenceWidth = 10;

std::string Block(const std::string& title, const std::vector<Cell>& cells) {
  std::string text = title.empty() ? "" : absl::StrCat(title, "\n");
  const bool machines = std::any_of(cells.begin(), cells.end(), [](const Cell& c) {
    return c.total.machines > 0 || c.total.abandoned_machines > 0;
  });
  for (const Row& row : kRows) {
    if (row.shown == Row::kWithRepeats && cells[0].runs == 1) continue;
    if (row.shown == Row::kWithMachines && !machines) continue;
    absl::StrAppendFormat(&text, "  %-*s", kNameWidth, row.name);
    const double first = row.value(cells[0]);
    for (size_t i = 0; i < cells.size(); ++i) {
      const double value = row.value(cells[i]);
      absl::StrAppendFormat(&text, "%*.*f", kCellWidth, row.decimals, value);
      if (i > 0)
        absl::StrAppendFormat(&text, "%+*.*f", kDifferenceWidth, row.decimals, value - first);
    }
    absl::StrAppend(&text, "\n");
  }
  return text;
}

Cell CellOf(const ScenarioResult& result, size_t campaign) {
  const CampaignResult& c = result.campaigns[campaign];
  return {c.total, c.WorstHalfHour(), result.runs, c.runs_over};
}

Cell CellOfAll(const ScenarioResult& result) {
  Cell all{result.Total(), 0, result.runs, 0};
  for (const CampaignResult& c : result.campaigns) {
    all.worst = std::max(all.worst, c.WorstHalfHour());
    all.runs_over += c.runs_over;
  }
  return all;
}

void CsvLine(const std::string& variant, const CampaignId& campaign, const std::string& period,
             const FloorFigures& f, std::string& out) {
  absl::StrAppendFormat(&out, "\"%s\",%s,%s,%d,%d,%d,%d,%d,%d,%.4f,%d,%.1f,%.1f,%.1f,%.4f\r\n",
                        absl::StrReplaceAll(variant, {{"\"", "\"\""}}), campaign, period, f.dials,
                        f.answered, f.connected, f.machines, f.abandoned, f.abandoned_machines,
                        100 * f.AbandonRatio(), f.sales, f.offered_s, f.busy_s, f.talk_s,
                        100 * f.Occupancy());
}

}  // namespace

std::string ResultTable(const std::vector<Variant>& variants) {
  std::string text;
  // The columns' names are long: numbered in the table, told here.
  if (variants.size() > 1) {
    for (size_t i = 0; i < variants.size(); ++i) {
      absl::StrAppendFormat(&text, "  (%d) %s\n", i + 1, variants[i].name);
    }
    absl::StrAppendFormat(&text, "\n  %-*s", kNameWidth, "");
    for (size_t i = 0; i < variants.size(); ++i) {
      absl::StrAppendFormat(&text, "%*s", kCellWidth, absl::StrCat("(", i + 1, ")"));
      if (i > 0) absl::StrAppendFormat(&text, "%*s", kDifferenceWidth, "to (1)");
    }
    absl::StrAppend(&text, "\n");
  }
  const std::vector<CampaignResult>& campaigns = variants[0].result.campaigns;
  for (size_t c = 0; c < campaigns.size(); ++c) {
    std::vector<Cell> cells;
    for (const Variant& variant : variants) cells.push_back(CellOf(variant.result, c));
    absl::StrAppend(
        &text,
        Block(campaigns.size() > 1 ? absl::StrCat("campaign ", campaigns[c].id) : "", cells));
  }
  if (campaigns.size() > 1) {
    std::vector<Cell> cells;
    for (const Variant& variant : variants) cells.push_back(CellOfAll(variant.result));
    absl::StrAppend(&text, Block("all campaigns", cells));
  }
  for (size_t i = 0; i < variants.size(); ++i) {
    for (const CampaignResult& c : variants[i].result.campaigns) {
      if (c.idle_reason.empty()) continue;
      absl::StrAppendFormat(&text, "  %scampaign %s dialed nothing at the end: %s\n",
                            variants.size() > 1 ? absl::StrCat("(", i + 1, ") ") : "", c.id,
                            c.idle_reason);
    }
  }
  absl::StrAppendFormat(&text, "  %-*s", kNameWidth, "trace");
  for (size_t i = 0; i < variants.size(); ++i) {
    const int width = i == 0 ? kCellWidth : kCellWidth + kDifferenceWidth;
    absl::StrAppendFormat(&text, "%*s", width,
                          absl::StrFormat("%08x", variants[i].result.trace_hash >> 32));
  }
  absl::StrAppend(&text, "\n");
  return text;
}

std::string ResultCsv(const std::vector<Variant>& variants) {
  std::string out =
      "variant,campaign,period,dials,answered,connected,machines,abandoned,abandoned_machines,"
      "abandoned_percent,sales,offered_seconds,busy_seconds,talk_seconds,occupancy_percent\r\n";
  for (const Variant& variant : variants) {
    for (const CampaignResult& c : variant.result.campaigns) {
      for (size_t h = 0; h < c.half_hours.size(); ++h) {
        CsvLine(variant.name, c.id, absl::StrCat(h + 1), c.half_hours[h], out);
      }
      CsvLine(variant.name, c.id, "total", c.total, out);
    }
  }
  return out;
}

}  // namespace outpace::runtime
