// What a list of leads costs to load, beside the least it could cost: reading its octets, cutting
// them into cells, and writing octets of the same number into RocksDB's files with nothing else.
// All in one run on the same file, CPU beside wall, so that a busy machine falls on every line.
//
// For comparison: VICIdial's own loader, run by us from its published source against MariaDB 10.11
// with VICIdial's schema, takes 1,000 to 1,400 leads a second, and keeps no rejected rows.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bench/import/bare_ingest.h"
#include "bench/import/cost.h"
#include "bench/import/list_maker.h"
#include "campaign/load/csv_reader.h"
#include "campaign/load/loader.h"
#include "campaign/load/record_splitter.h"
#include "campaign/store/rocks_lead_store.h"
#include "engine/base/check.h"

namespace outpace::bench {
namespace {

constexpr char kUsage[] =
    R"(Usage: import_bench [options]: what a load of a list costs.
  --rows 10000000     of the list
  --store 10000000    leads in the store already, others
  --dnc 50000000      numbers not to be called
  --filter TEXT       instead of the one of five clauses
  --runs 3            of each line; medians
  --threads 0         0: one a core
  --dir DIR           for the list and the stores, removed afterwards (default: $TMPDIR or /tmp)
  --twice             a list of twice the rows too: does memory stay flat
  --quick             small: does the bench itself work
Exit code 1: a line could not be measured.
)";

// Five clauses that nearly all rows fulfil, of each kind a person writes.
constexpr char kFilter[] =
    "registered_capital >= 40万 and not address1 endswith \"室\" and not comments contains any "
    "(\"电气\", \"电器\") and gender in (\"M\", \"F\") and date_of_birth < 2001-01-01";

struct Options {
  uint64_t rows = 10'000'000, store = 10'000'000, dnc = 50'000'000;
  std::string filter = kFilter;
  int runs = 3, threads = 0;
  std::string dir;
  bool twice = false;
};

class BenchClock final : public Clock {
 public:
  MonoTime Mono() const override { return MonoTime(absl::GetCurrentTimeNanos()); }
  absl::Time Wall() const override { return absl::Now(); }
};

[[noreturn]] void Usage(const std::string& why) {
  std::fprintf(stderr, "%s\n%s", why.c_str(), kUsage);
  std::exit(2);
}

Options Parse(int count, char** arguments) {
  Options options;
  const char* const tmp = std::getenv("TMPDIR");
  options.dir = tmp != nullptr ? tmp : "/tmp";
  for (int i = 1; i < count; ++i) {
    const std::string name = arguments[i];
    if (name == "--help") {
      std::printf("%s", kUsage);
      std::exit(0);
    }
    if (name == "--quick") {
      options.rows = options.store = 20'000;
      options.dnc = 50'000;
      options.runs = 1;
      continue;
    }
    if (name == "--twice") {
      options.twice = true;
      continue;
    }
    if (i + 1 >= count) Usage(absl::StrCat("no value, or not known: ", name));
    const std::string value = arguments[++i];
    const auto number = [&] {
      uint64_t parsed = 0;
      if (!absl::SimpleAtoi(value, &parsed)) Usage(absl::StrCat(name, " must be a number"));
      return parsed;
    };
    if (name == "--rows") {
      options.rows = number();
    } else if (name == "--store") {
      options.store = number();
    } else if (name == "--dnc") {
      options.dnc = number();
    } else if (name == "--runs") {
      options.runs = static_cast<int>(std::max<uint64_t>(1, number()));
    } else if (name == "--threads") {
      options.threads = static_cast<int>(number());
    } else if (name == "--filter") {
      options.filter = value;
    } else if (name == "--dir") {
      options.dir = value;
    } else {
      Usage(absl::StrCat("not known: ", name));
    }
  }
  return options;
}

// Numbers of the four lists: none of one is in another, but where the list asks for it.
constexpr uint64_t kStoreFirst = 200'000'000, kDncFirst = 400'000'000;

struct Bench {
  Options options;
  std::string dir;
  std::string list, list_twice;
  dnc::DncSet dnc;
  BenchClock clock;

  std::string StorePath() const { return dir + "/store"; }
};

constexpr char kCampaign[] = "BENCH";

absl::StatusOr<std::unique_ptr<store::RocksLeadStore>> OpenStore(const std::string& path) {
  return store::RocksLeadStore::Open({.path = path});
}

// A store of leads with numbers of their own and no texts, made the way a load does.
absl::Status FillStore(const Bench& bench) {
  auto store = OpenStore(bench.StorePath());
  if (!store.ok()) return store.status();
  campaign::StoreBatch batch;
  batch.lists.push_back({.id = ListId(1), .name = "before", .campaign = kCampaign});
  batch.lists.push_back({.id = ListId(2), .name = "loaded", .campaign = kCampaign});
  if (absl::Status s = (*store)->Commit(batch); !s.ok()) return s;
  if (bench.options.store == 0) return absl::OkStatus();
  const absl::StatusOr<uint32_t> zones = (*store)->InternZones({"America/New_York"});
  if (!zones.ok()) return zones.status();
  const absl::StatusOr<uint64_t> first = (*store)->ReserveLeadIds(bench.options.store);
  if (!first.ok()) return first.status();
  auto bulk = (*store)->BeginBulk({.import = ImportId(1),
                                   .list = ListId(1),
                                   .campaign = kCampaign,
                                   .entry_date = bench.clock.Wall(),
                                   .layout = {}});
  if (!bulk.ok()) return bulk.status();
  std::vector<campaign::BulkLead> leads;
  for (uint64_t n = 0; n < bench.options.store; n += leads.size()) {
    leads.clear();
    for (uint64_t i = n; i < std::min(n + 100'000, bench.options.store); ++i) {
      campaign::BulkLead lead;
      lead.phone = NumberOf(kStoreFirst + i);
      lead.zones = *zones;
      leads.push_back(lead);
    }
    if (absl::Status s = (*bulk)->Add(LeadId(*first + n), leads); !s.ok()) return s;
  }
  campaign::Import import;
  import.id = ImportId(1);
  import.list = ListId(1);
  import.campaign = kCampaign;
  import.first_lead = LeadId(*first);
  import.counts.rows = import.counts.accepted = bench.options.store;
  return (*bulk)->Publish(import);
}

// The store as it was, for another run: its sorted files never change, so they are linked.
void CopyStore(const std::string& from, const std::string& to) {
  namespace fs = std::filesystem;
  fs::remove_all(to);
  fs::create_directories(to);
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    const fs::path target = to / fs::relative(entry.path(), from);
    if (entry.is_directory()) {
      fs::create_directories(target);
    } else if (entry.path().extension() == ".sst") {
      fs::create_hard_link(entry.path(), target);
    } else {
      fs::copy_file(entry.path(), target);
    }
  }
}

absl::Status ReadOnly(const std::string& path) {
  const auto source = load::OpenFileSource(path);
  if (!source.ok()) return source.status();
  std::vector<char> block(1 << 20);
  for (uint64_t offset = 0;;) {
    const absl::StatusOr<size_t> got = (*source)->Read(offset, absl::MakeSpan(block));
    if (!got.ok()) return got.status();
    if (*got == 0) return absl::OkStatus();
    offset += *got;
  }
}

// Cells of all rows, by one thread.
absl::Status ParseOnly(const std::string& path, uint64_t rows) {
  const auto source = load::OpenFileSource(path);
  if (!source.ok()) return source.status();
  load::TextEncoding encoding;
  load::StreamDecoder decoder(**source, encoding);
  load::RecordSplitter splitter([&](absl::Span<char> to) { return decoder.Next(to); }, ',',
                                1 << 20);
  load::TextPiece piece;
  load::Row row;
  uint64_t read = 0, cells = 0;
  for (;;) {
    const absl::StatusOr<bool> more = splitter.Next(piece);
    if (!more.ok()) return more.status();
    if (!*more) break;
    for (load::CsvReader csv(piece.text, ','); csv.Next(row); ++read) cells += row.fields.size();
  }
  OUTPACE_CHECK(read == rows + 1 && cells == 14 * read);
  return absl::OkStatus();
}

absl::StatusOr<load::LoadReport> Import(const Bench& bench, const std::string& list,
                                        campaign::LeadStore& store) {
  const auto source = load::OpenFileSource(list);
  if (!source.ok()) return source.status();
  load::LoadOptions options;
  options.list = ListId(2);
  options.campaign = kCampaign;
  options.file = "bench.csv";
  options.country = "US";
  options.duplicates = load::DuplicateCheck::kSystem;
  options.filter = bench.options.filter;
  options.threads = bench.options.threads;
  options.temp_directory = bench.dir;
  return load::LoadLeads(**source, options, bench.dnc, store, bench.clock, {});
}

// One import of a list into a copy of the store, as a line of the table.
absl::Status MeasureImport(const Bench& bench, const std::string& name, const std::string& list,
                           CostTable& table, load::LoadReport& report) {
  const std::string path = bench.dir + "/run";
  CopyStore(bench.StorePath(), path);
  const auto store = OpenStore(path);
  if (!store.ok()) return store.status();
  return table.Measure(name, [&] {
    absl::StatusOr<load::LoadReport> done = Import(bench, list, **store);
    if (done.ok()) report = *std::move(done);
    return done.status();
  });
}

void PrintReport(const load::LoadReport& report) {
  std::printf(
      "import: %lu rows = %lu accepted + %lu in file twice + %lu in store + %lu dnc + %lu "
      "filtered + %lu rejected\n",
      report.counts.rows, report.counts.accepted, report.counts.duplicates_in_file,
      report.counts.duplicates_in_store, report.counts.dnc, report.counts.filtered,
      report.counts.rejected);
  for (const auto& [clause, rows] : report.by_clause) {
    std::printf("  dropped by %-60s %10lu\n", clause.c_str(), rows);
  }
}

// Medians of all lines, each round one run of each.
absl::Status Run(Bench& bench) {
  const Options& options = bench.options;
  CostTable table(options.rows);
  load::LoadReport report;
  for (int round = 0; round < options.runs; ++round) {
    absl::Status status = table.Measure("octets read", [&] { return ReadOnly(bench.list); });
    if (!status.ok()) return status;
    status = table.Measure("cells parsed", [&] { return ParseOnly(bench.list, options.rows); });
    if (!status.ok()) return status;
    status = table.Measure("bare SST ingest", [&] {
      return BareIngest(bench.list, options.rows, bench.dir + "/bare");
    });
    if (!status.ok()) return status;
    status = MeasureImport(bench, "whole import", bench.list, table, report);
    if (!status.ok()) return status;
  }
  PrintReport(report);
  std::printf("%s", table.Text().c_str());
  const double floor = table.CpuMicros("bare SST ingest") + table.CpuMicros("cells parsed");
  std::printf("whole import / (bare SST ingest + cells parsed): %.2f of CPU\n",
              table.CpuMicros("whole import") / floor);
  if (!options.twice) return absl::OkStatus();
  CostTable twice(2 * options.rows);
  const absl::Status status =
      MeasureImport(bench, "whole import, rows x 2", bench.list_twice, twice, report);
  std::printf("%s", twice.Text().c_str());
  return status;
}

absl::Status Prepare(Bench& bench) {
  const Options& options = bench.options;
  std::filesystem::create_directories(bench.dir);
  bench.list = bench.dir + "/list.csv";
  ListPlan plan;
  plan.rows = options.rows;
  plan.known_percent = options.store > 0 ? 1 : 0;
  plan.known_first = kStoreFirst;
  plan.listed_percent = options.dnc > 0 ? 1 : 0;
  plan.listed_first = kDncFirst;
  if (absl::Status s = WriteList(plan, bench.list); !s.ok()) return s;
  if (options.twice) {
    bench.list_twice = bench.dir + "/list2.csv";
    plan.rows *= 2;
    if (absl::Status s = WriteList(plan, bench.list_twice); !s.ok()) return s;
  }
  std::vector<uint64_t> numbers;
  for (uint64_t n = 0; n < options.dnc; ++n) {
    numbers.push_back(NumberOf(kDncFirst + n).value());
    if (numbers.size() < 1'000'000 && n + 1 < options.dnc) continue;
    bench.dnc.AddMany(numbers, "");
    numbers.clear();
  }
  numbers.shrink_to_fit();
  return FillStore(bench);
}

int Main(int count, char** arguments) {
  Bench bench;
  bench.options = Parse(count, arguments);
  bench.dir = absl::StrCat(bench.options.dir, "/import_bench.", getpid());
  absl::Status status = Prepare(bench);
  if (status.ok()) {
    std::printf("list: %lu rows, %.0f octets each; store: %lu leads; do not call: %lu, %.0f MiB\n",
                bench.options.rows,
                static_cast<double>(std::filesystem::file_size(bench.list)) /
                    static_cast<double>(bench.options.rows),
                bench.options.store, bench.options.dnc,
                static_cast<double>(bench.dnc.BytesUsed()) / (1 << 20));
    std::fflush(stdout);
    status = Run(bench);
  }
  std::filesystem::remove_all(bench.dir);
  if (status.ok()) return 0;
  std::fprintf(stderr, "import_bench: %s\n", status.ToString().c_str());
  return 1;
}

}  // namespace
}  // namespace outpace::bench

int main(int count, char** arguments) { return outpace::bench::Main(count, arguments); }
