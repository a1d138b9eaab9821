#pragma once

// From calls and agents' time to a report: a pure fold. What reports there are, and which tables of
// which columns each has, is data (report_specs.cc); a fold keeps, for each table, sums by key.
// Folds of parts of the records are merged: the result is the same however they were cut.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/attempt_scan.h"
#include "campaign/report/columns.h"
#include "campaign/report/figures.h"
#include "campaign/report/report.h"
#include "campaign/status_set.h"

namespace outpace::report {

// What the rows of a table are.
enum class By {
  kAll,  // one row
  kCampaign,
  kStatus,
  kList,
  kListStatus,
  kListPass,  // by the number of the try; and LIFE, all of them
  kTrunk,
  kCause,  // SIP status, Q.850 cause, outcome
  kAgent,
  kAgentStatus,  // of calls taken; no table of its own
  kAgentPause,   // pauses by code; no table of its own
  kInterval,
  kDay,
  kDayCampaign,
  kGiven,  // the context has the rows
};

struct TableSpec {
  absl::string_view id;
  Words title;
  By by = By::kAll;
  std::vector<absl::string_view> keys, columns;
  bool total = false, sheet = false;
  By pivot = By::kAll;  // kAgentStatus, kAgentPause: a further column for each
};
struct ChartSpec {
  Words title;
  Chart::Kind kind = Chart::Kind::kBars;
  absl::string_view table;  // its rows; all but the total
  std::vector<absl::string_view> columns;
};
struct ReportSpec {
  absl::string_view name;
  Words title, line;
  std::vector<TableSpec> tables;
  std::vector<ChartSpec> charts = {};
  bool agents_time = false;                // it has figures of agents' time
  Language language = Language::kEnglish;  // unless another is asked for
};
const std::vector<ReportSpec>& AllReports();
const ReportSpec* FindReport(absl::string_view name);  // nullptr: none of this name

// One stay of an agent in a state (campaign::activity), with the part that lies in the range. Texts
// are views.
struct TimeRow {
  absl::string_view agent, campaign, state, code;
  int64_t from = 0, to = 0;  // microseconds since 1970
  bool new_session = false;  // the first of its session
};

// A list's leads as they are now.
struct Inventory {
  int64_t leads = 0, called = 0, one_offs = 0, inactive = 0;
};

struct ReportContext {
  absl::Time from, to;  // calls dialed in [from, to); both finite
  absl::TimeZone zone;
  std::string campaign;  // only this; empty: all
  uint64_t list = 0;     // only this; 0: all
  absl::Duration interval = absl::Minutes(15);
  std::map<uint64_t, std::string> list_names;
  std::map<std::string, std::string> agent_names, clients;  // by agent; by campaign
  campaign::StatusBook statuses;                            // what they mean, by campaign
  std::map<uint64_t, Inventory> inventory;                  // by list
  std::vector<std::vector<Cell>> contracts;                 // rows of the table "contracts"
  std::vector<Bilingual> notes;
};

// One thread at a time.
class ReportFold {
 public:
  // Both outlive the fold.
  ReportFold(const ReportSpec& spec, const ReportContext& context);
  // Calls outside the range, or of other campaigns or lists than asked for, are left out.
  void Add(const campaign::AttemptView& call);
  void Add(const TimeRow& stay);
  // `other` folds for the same spec and context.
  void Merge(const ReportFold& other);
  Report Finish() const;

 private:
  struct KeyView {
    absl::string_view a, b;
    int64_t n = 0;
    template <typename H>
    friend H AbslHashValue(H h, const KeyView& k) {
      return H::combine(std::move(h), k.a, k.b, k.n);
    }
  };
  struct Key {
    explicit Key(const KeyView& k) : a(k.a), b(k.b), n(k.n) {}
    std::string a, b;
    int64_t n;
    KeyView view() const { return {a, b, n}; }
  };
  struct KeyHash {
    using is_transparent = void;
    size_t operator()(const KeyView& k) const { return absl::HashOf(k); }
    size_t operator()(const Key& k) const { return absl::HashOf(k.view()); }
  };
  struct KeyEq {
    using is_transparent = void;
    static KeyView V(const KeyView& k) { return k; }
    static KeyView V(const Key& k) { return k.view(); }
    template <typename A, typename B>
    bool operator()(const A& x, const B& y) const {
      const KeyView p = V(x), q = V(y);
      return p.n == q.n && p.a == q.a && p.b == q.b;
    }
  };
  using Groups = absl::flat_hash_map<Key, Sums, KeyHash, KeyEq>;
  struct Part {
    By by = By::kAll;
    Groups groups;
  };
  struct Row;

  static Sums& At(Groups& groups, const KeyView& key);
  size_t DayOf(int64_t at);
  int64_t IntervalOf(int64_t at);
  const campaign::Disposition* Said(absl::string_view campaign, absl::string_view status);
  const campaign::Disposition* Look(absl::string_view campaign, absl::string_view status) const;
  bool KeyOf(By by, const campaign::AttemptView& call, KeyView* key);
  const Part* Find(By by) const;
  std::vector<Row> RowsOf(const TableSpec& spec) const;
  Table TableOf(const TableSpec& spec) const;
  void AddPivot(const TableSpec& spec, const std::vector<Row>& rows, Table& table) const;
  Table Given(const TableSpec& spec) const;
  Cell KeyCell(absl::string_view column, const Row& row) const;
  std::string TimeLabel(int64_t micros, bool day) const;

  const ReportSpec& spec_;
  const ReportContext& context_;
  int64_t from_, to_, interval_;
  std::vector<int64_t> days_;  // beginnings of days from the one of `from` on; the end last
  size_t day_ = 0;             // the one last looked up
  std::vector<Part> parts_;    // one for each By that is asked for
  absl::flat_hash_map<Key, const campaign::Disposition*, KeyHash, KeyEq> said_;
};

}  // namespace outpace::report
