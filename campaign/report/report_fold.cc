#include "campaign/report/report_fold.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "campaign/activity.h"
#include "campaign/report/cause_names.h"
#include "engine/base/check.h"

namespace outpace::report {
namespace {

constexpr int kPasses = 6;  // 1st to 5th, and later

// Whether a call without a result, refused before it left, or from outside is no row's.
bool OnlyOfCalls(By by) {
  return by == By::kStatus || by == By::kList || by == By::kListStatus || by == By::kListPass ||
         by == By::kCause;
}

bool HasTime(By by) {
  return by == By::kAll || by == By::kCampaign || by == By::kAgent || by == By::kInterval ||
         by == By::kDay || by == By::kDayCampaign;
}

// `first`: this is the beginning of the stay, or all of it.
void AddTime(const TimeRow& stay, int64_t micros, bool first, Sums& sums) {
  namespace state = campaign::activity;
  // Who has logged in and is not ready yet is paused.
  if (stay.state == state::kPaused || stay.state == state::kLogin) {
    sums[kPausedTime] += micros;
    sums[kPauses] += first ? 1 : 0;
  } else if (stay.state == state::kReady) {
    sums[kReadyTime] += micros;
  } else if (stay.state == state::kReserved) {
    sums[kReservedTime] += micros;
  } else if (stay.state == state::kInCall) {
    sums[kTalkTime] += micros;
  } else if (stay.state == state::kDispo) {
    sums[kWrapTime] += micros;
  }
  sums[kSessions] += stay.new_session && first ? 1 : 0;
}

Column ColumnFrom(const ColumnSpec& spec) {
  return {.id = std::string(spec.id),
          .heading = BilingualOf(spec.heading),
          .unit = spec.unit,
          .definition = BilingualOf(spec.definition)};
}

// The first key of each row; all of them where that one alone does not tell rows apart.
std::vector<std::string> LabelsOf(const Table& table, size_t rows) {
  std::vector<std::string> labels;
  for (size_t i = 0; i < rows; ++i) labels.push_back(table.rows[i][0].text);
  std::set<std::string> different(labels.begin(), labels.end());
  if (different.size() == labels.size()) return labels;
  for (size_t i = 0; i < rows; ++i) {
    for (size_t c = 1; c < table.keys; ++c) absl::StrAppend(&labels[i], " ", table.rows[i][c].text);
  }
  return labels;
}

}  // namespace

struct ReportFold::Row {
  std::string a, b;
  int64_t n = 0;
  Sums sums = {};
};

ReportFold::ReportFold(const ReportSpec& spec, const ReportContext& context)
    : spec_(spec),
      context_(context),
      from_(absl::ToUnixMicros(context.from)),
      to_(absl::ToUnixMicros(context.to)),
      interval_(std::max<int64_t>(60'000'000, absl::ToInt64Microseconds(context.interval))) {
  absl::CivilDay day = absl::ToCivilDay(context.from, context.zone);
  for (;; ++day) {
    const int64_t begins = absl::ToUnixMicros(absl::FromCivil(day, context.zone));
    days_.push_back(begins);
    if (begins >= to_) break;
  }
  const auto want = [this](By by) {
    if (by != By::kGiven && Find(by) == nullptr) parts_.push_back({.by = by, .groups = {}});
  };
  for (const TableSpec& table : spec.tables) {
    want(table.by);
    if (table.pivot != By::kAll) want(table.pivot);
  }
}

const ReportFold::Part* ReportFold::Find(By by) const {
  for (const Part& part : parts_) {
    if (part.by == by) return &part;
  }
  return nullptr;
}

Sums& ReportFold::At(Groups& groups, const KeyView& key) {
  const auto it = groups.find(key);
  return it != groups.end() ? it->second : groups.try_emplace(Key(key)).first->second;
}

// The day that `at`, in the range, lies in.
size_t ReportFold::DayOf(int64_t at) {
  if (at < days_[day_] || at >= days_[day_ + 1]) {
    day_ =
        static_cast<size_t>(std::upper_bound(days_.begin(), days_.end(), at) - days_.begin()) - 1;
  }
  return day_;
}

// Intervals begin anew with each day, so that they lie the same every day but those on which clocks
// are set.
int64_t ReportFold::IntervalOf(int64_t at) {
  const int64_t day = days_[DayOf(at)];
  return day + (at - day) / interval_ * interval_;
}

const campaign::Disposition* ReportFold::Look(absl::string_view campaign,
                                              absl::string_view status) const {
  return context_.statuses.Find(CampaignId(campaign), status);
}

const campaign::Disposition* ReportFold::Said(absl::string_view campaign,
                                              absl::string_view status) {
  if (status.empty()) return nullptr;
  const KeyView key = {campaign, status, 0};
  const auto it = said_.find(key);
  if (it != said_.end()) return it->second;
  return said_.try_emplace(Key(key), Look(campaign, status)).first->second;
}

// False: the call is in no row of such a table.
bool ReportFold::KeyOf(By by, const campaign::AttemptView& call, KeyView* key) {
  if (OnlyOfCalls(by) && (call.inbound || !call.sent || call.open)) return false;
  switch (by) {
    case By::kAll:
      return true;
    case By::kCampaign:
      key->a = call.campaign;
      return true;
    case By::kStatus:
      key->a = call.status;
      return true;
    case By::kList:
      key->n = static_cast<int64_t>(call.list.value());
      return true;
    case By::kListStatus:
      key->a = call.status;
      key->n = static_cast<int64_t>(call.list.value());
      return true;
    case By::kListPass:
      key->n = static_cast<int64_t>(call.list.value()) * (kPasses + 1) +
               std::clamp(call.number_of_try, 1, kPasses);
      return true;
    case By::kTrunk:
      key->a = call.trunk;
      return !call.inbound;
    case By::kCause:
      key->a = call.outcome;
      key->n = int64_t{call.sip_status} * 1000 + call.q850_cause;
      return true;
    case By::kAgent:
      key->a = call.agent;
      return !call.agent.empty();
    case By::kAgentStatus:
      key->a = call.agent;
      key->b = call.status;
      return !call.agent.empty() && !call.open && call.sent &&
             call.connected_micros != campaign::kNeverMicros;
    case By::kInterval:
      key->n = IntervalOf(call.dialed_micros);
      return true;
    case By::kDay:
      key->n = days_[DayOf(call.dialed_micros)];
      return true;
    case By::kDayCampaign:
      key->a = call.campaign;
      key->n = days_[DayOf(call.dialed_micros)];
      return true;
    case By::kAgentPause:
    case By::kGiven:
      return false;
  }
  return false;
}

void ReportFold::Add(const campaign::AttemptView& call) {
  if (call.dialed_micros < from_ || call.dialed_micros >= to_) return;
  if (!context_.campaign.empty() && call.campaign != context_.campaign) return;
  if (context_.list != 0 && call.list.value() != context_.list) return;
  const campaign::Disposition* const said = Said(call.campaign, call.status);
  for (Part& part : parts_) {
    KeyView key;
    if (KeyOf(part.by, call, &key)) At(part.groups, key).Add(call, said);
  }
}

void ReportFold::Add(const TimeRow& stay) {
  if (stay.to <= from_ || stay.from >= to_ || stay.to < stay.from) return;
  if (!context_.campaign.empty() && stay.campaign != context_.campaign) return;
  const int64_t from = std::max(stay.from, from_), to = std::min(stay.to, to_);
  for (Part& part : parts_) {
    const bool login = stay.state == campaign::activity::kLogin;
    if (part.by == By::kAgentPause && (login || stay.state == campaign::activity::kPaused)) {
      const absl::string_view code = login ? campaign::activity::kLogin : stay.code;
      AddTime(stay, to - from, true, At(part.groups, {stay.agent, code, 0}));
    }
    if (!HasTime(part.by)) continue;
    KeyView key;
    if (part.by == By::kAgent) key.a = stay.agent;
    if (part.by == By::kCampaign || part.by == By::kDayCampaign) key.a = stay.campaign;
    if (part.by == By::kAll || part.by == By::kAgent || part.by == By::kCampaign) {
      AddTime(stay, to - from, true, At(part.groups, key));
      continue;
    }
    // Cut at the ends of intervals or days.
    int64_t at = from;
    do {
      const int64_t day_end = days_[DayOf(at) + 1];
      key.n = part.by == By::kInterval ? IntervalOf(at) : days_[DayOf(at)];
      const int64_t end = part.by == By::kInterval ? std::min(day_end, key.n + interval_) : day_end;
      const int64_t until = std::min(to, end);
      AddTime(stay, until - at, at == from, At(part.groups, key));
      at = until;
    } while (at < to);
  }
}

void ReportFold::Merge(const ReportFold& other) {
  OUTPACE_CHECK(parts_.size() == other.parts_.size());
  for (size_t i = 0; i < parts_.size(); ++i) {
    for (const auto& [key, sums] : other.parts_[i].groups) {
      At(parts_[i].groups, key.view()) += sums;
    }
  }
}

std::string ReportFold::TimeLabel(int64_t micros, bool day) const {
  const absl::Time time = absl::FromUnixMicros(micros);
  if (day) return absl::FormatTime("%Y-%m-%d", time, context_.zone);
  return absl::FormatTime(days_.size() > 2 ? "%Y-%m-%d %H:%M" : "%H:%M", time, context_.zone);
}

// In the order shown.
std::vector<ReportFold::Row> ReportFold::RowsOf(const TableSpec& spec) const {
  std::vector<Row> rows;
  for (const auto& [key, sums] : Find(spec.by)->groups) {
    rows.push_back({.a = key.a, .b = key.b, .n = key.n, .sums = sums});
  }
  if (spec.by == By::kAll && rows.empty()) rows.emplace_back();
  if (spec.by == By::kListPass) {
    std::map<int64_t, Sums> life;
    for (const Row& row : rows) life[row.n / (kPasses + 1) * (kPasses + 1)] += row.sums;
    // Last of its list: 0 of the next would be too early, so it is told by its text.
    for (const auto& [n, sums] : life) {
      rows.push_back({.a = "LIFE", .b = "", .n = n + kPasses, .sums = sums});
    }
  }
  const bool by_calls = spec.by == By::kStatus || spec.by == By::kCause;
  const auto calls = [&](const Row& row) {
    return by_calls || spec.by == By::kListStatus ? row.sums[kCalls] : 0;
  };
  std::sort(rows.begin(), rows.end(), [&](const Row& x, const Row& y) {
    const int64_t xn = by_calls ? 0 : x.n, yn = by_calls ? 0 : y.n;
    if (xn != yn) return xn < yn;
    if (calls(x) != calls(y)) return calls(x) > calls(y);
    return std::tie(x.a, x.b, x.n) < std::tie(y.a, y.b, y.n);
  });
  if (spec.by == By::kInterval && !rows.empty()) {
    // Quiet intervals between two busy ones are shown too.
    std::vector<Row> all;
    for (Row& row : rows) {
      while (!all.empty() && all.back().n != row.n) {
        int64_t next = all.back().n + interval_;
        for (const int64_t day : days_) {
          if (all.back().n < day && day < next) next = day;
        }
        if (next >= row.n) break;
        all.push_back({.a = "", .b = "", .n = next, .sums = {}});
      }
      all.push_back(std::move(row));
    }
    rows = std::move(all);
  }
  return rows;
}

Cell ReportFold::KeyCell(absl::string_view column, const Row& row) const {
  const auto named = [](const auto& names, const auto& key) {
    const auto it = names.find(key);
    return it == names.end() ? std::string() : it->second;
  };
  const auto text = [](std::string value) { return Cell{.text = std::move(value)}; };
  const bool pass = !row.a.empty() && row.a == "LIFE";
  if (column == "status") return text(row.a);
  if (column == "description" || column == "category") {
    const campaign::Disposition* said = Look(context_.campaign, row.a);
    if (said == nullptr) return text("");
    if (column == "description") return {.text = said->name, .zh = said->name_zh};
    return {.text = said->category, .zh = std::string(campaign::CategoryNameZh(said->category))};
  }
  if (column == "pass") {
    static constexpr absl::string_view kNames[] = {"", "1st", "2nd", "3rd", "4th", "5th", "6th+"};
    return text(pass ? "LIFE" : std::string(kNames[row.n % (kPasses + 1)]));
  }
  if (column == "user") return text(row.a);
  if (column == "user_name") return text(named(context_.agent_names, row.a));
  if (column == "interval") return text(TimeLabel(row.n, false));
  if (column == "date") return text(TimeLabel(row.n, true));
  if (column == "campaign") return text(row.a);
  if (column == "client") return text(named(context_.clients, row.a));
  if (column == "trunk") return text(row.a.empty() ? "-" : row.a);
  if (column == "outcome") return text(row.a);
  if (column == "sip") return text(row.n / 1000 == 0 ? "-" : absl::StrCat(row.n / 1000));
  if (column == "q850") {
    const int cause = static_cast<int>(row.n % 1000);
    return text(cause == 0 ? "-" : absl::StrCat(cause, " ", Q850Name(cause)));
  }
  return text("");
}

Table ReportFold::Given(const TableSpec& spec) const {
  Table table;
  if (spec.id == "contracts") {
    table.rows = context_.contracts;
    return table;
  }
  Inventory all;
  const auto row_of = [](std::string list, std::string name, const Inventory& i) {
    const auto n = [](int64_t number) { return Cell{.number = static_cast<double>(number)}; };
    return std::vector<Cell>{{.text = std::move(list)},
                             {.text = std::move(name)},
                             n(i.leads),
                             n(i.called),
                             n(i.leads - i.called),
                             {.number = i.leads > 0 ? 100.0 * static_cast<double>(i.called) /
                                                          static_cast<double>(i.leads)
                                                    : 0},
                             n(i.one_offs),
                             n(i.inactive)};
  };
  for (const auto& [list, inventory] : context_.inventory) {
    const auto name = context_.list_names.find(list);
    table.rows.push_back(row_of(absl::StrCat(list),
                                name == context_.list_names.end() ? "" : name->second, inventory));
    all.leads += inventory.leads;
    all.called += inventory.called;
    all.one_offs += inventory.one_offs;
    all.inactive += inventory.inactive;
  }
  table.rows.push_back(row_of("TOTAL", "", all));
  return table;
}

void ReportFold::AddPivot(const TableSpec& spec, const std::vector<Row>& rows, Table& table) const {
  const bool pauses = spec.pivot == By::kAgentPause;
  const Part& part = *Find(spec.pivot);
  std::set<std::string> names;
  for (const auto& [key, sums] : part.groups) names.insert(key.b);
  for (const std::string& name : names) {
    const std::string shown = !name.empty() ? name : pauses ? "(none)" : "-";
    Column column;
    column.id = absl::StrCat(pauses ? "pause:" : "status:", shown);
    column.heading = {shown, shown};
    column.unit = pauses ? Unit::kTime : Unit::kCount;
    column.definition =
        pauses ? Bilingual{"Time paused with this code; LOGIN: from login until first ready or paused; "
                           "(none): no reason given",
                           "以此原因示忙的时长;LOGIN 为签入后尚未示闲的时长;(none) 为未填写"}
               : Bilingual{"Calls taken of this status", "接听量中处于该状态的"};
    table.columns.push_back(std::move(column));
    double all = 0;
    const auto value = [&](const std::string& agent) {
      const auto it = part.groups.find(KeyView{agent, name, 0});
      if (it == part.groups.end()) return 0.0;
      return pauses ? static_cast<double>(it->second[kPausedTime]) / 1e6
                    : static_cast<double>(it->second[kTaken]);
    };
    for (size_t i = 0; i < rows.size(); ++i) {
      const double number = value(rows[i].a);
      all += number;
      table.rows[i].push_back({.number = number});
    }
    if (table.total) table.rows.back().push_back({.number = all});
  }
}

Table ReportFold::TableOf(const TableSpec& spec) const {
  Table table;
  std::vector<Row> rows;
  if (spec.by == By::kGiven) {
    table = Given(spec);
  } else {
    rows = RowsOf(spec);
    Sums all;
    for (const Row& row : rows) {
      if (spec.by != By::kListPass || row.a != "LIFE") all += row.sums;
    }
    // Shares and rates per agent hour are out of all agents' time, which is no row's here.
    const Part* whole = Find(By::kAll);
    if (whole != nullptr && !whole->groups.empty() && !HasTime(spec.by)) {
      const Sums& everything = whole->groups.begin()->second;
      for (size_t i = kPausedTime; i < kFigures; ++i) all.n[i] = everything.n[i];
    }
    std::vector<const ColumnSpec*> columns;
    for (absl::string_view id : spec.columns) columns.push_back(&ColumnOf(id));
    const auto add = [&](std::vector<Cell> cells, const Sums& sums) {
      for (const ColumnSpec* column : columns)
        cells.push_back({.number = column->value(sums, all)});
      table.rows.push_back(std::move(cells));
    };
    for (const Row& row : rows) {
      std::vector<Cell> keys;
      for (absl::string_view id : spec.keys) {
        const int64_t list = spec.by == By::kListPass ? row.n / (kPasses + 1) : row.n;
        if (id == "list") {
          keys.push_back({.text = list == 0 ? "-" : absl::StrCat(list)});
        } else if (id == "list_name") {
          const auto name = context_.list_names.find(static_cast<uint64_t>(list));
          keys.push_back({.text = name == context_.list_names.end() ? "" : name->second});
        } else {
          keys.push_back(KeyCell(id, row));
        }
      }
      add(std::move(keys), row.sums);
    }
    if (spec.total) {
      std::vector<Cell> keys(spec.keys.size());
      if (!keys.empty()) keys[0].text = "TOTAL";
      add(std::move(keys), all);
    }
  }
  table.id = std::string(spec.id);
  table.title = BilingualOf(spec.title);
  table.keys = spec.keys.size();
  table.total = spec.total;
  table.sheet = spec.sheet;
  for (absl::string_view id : spec.keys) table.columns.push_back(ColumnFrom(ColumnOf(id)));
  for (absl::string_view id : spec.columns) table.columns.push_back(ColumnFrom(ColumnOf(id)));
  std::set<absl::string_view> told(spec.columns.begin(), spec.columns.end());
  for (absl::string_view id : spec.columns) {
    for (absl::string_view used : UsedBy(id)) {
      if (told.insert(used).second) table.spoken_of.push_back(ColumnFrom(ColumnOf(used)));
    }
  }
  if (spec.pivot != By::kAll) AddPivot(spec, rows, table);
  return table;
}

Report ReportFold::Finish() const {
  Report report;
  report.name = std::string(spec_.name);
  report.title = BilingualOf(spec_.title);
  report.from = context_.from;
  report.to = context_.to;
  report.zone = context_.zone;
  report.campaign = context_.campaign;
  if (context_.list != 0) report.list = absl::StrCat(context_.list);
  report.notes = context_.notes;
  for (const TableSpec& table : spec_.tables) report.tables.push_back(TableOf(table));
  for (const ChartSpec& spec : spec_.charts) {
    const auto table = std::find_if(report.tables.begin(), report.tables.end(),
                                    [&](const Table& t) { return t.id == spec.table; });
    OUTPACE_CHECK(table != report.tables.end());
    Chart chart;
    chart.title = BilingualOf(spec.title);
    chart.kind = spec.kind;
    chart.table = table->id;
    const size_t rows = table->rows.size() - (table->total ? 1 : 0);
    chart.labels = LabelsOf(*table, rows);
    for (absl::string_view id : spec.columns) {
      const auto column = std::find_if(table->columns.begin(), table->columns.end(),
                                       [&](const Column& c) { return c.id == id; });
      OUTPACE_CHECK(column != table->columns.end());
      Series series = {.name = column->heading, .unit = column->unit, .values = {}};
      const auto at = static_cast<size_t>(column - table->columns.begin());
      for (size_t i = 0; i < rows; ++i) series.values.push_back(table->rows[i][at].number);
      chart.series.push_back(std::move(series));
    }
    report.charts.push_back(std::move(chart));
  }
  return report;
}

}  // namespace outpace::report
