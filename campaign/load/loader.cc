// The loader reads a file row by row, judges each row by itself, and stores what is good in
// batches. The accounts balance by construction: every row goes through Account() once, and nothing
// else moves the counters.

#include "campaign/load/loader.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "campaign/load/columns.h"
#include "campaign/load/csv_reader.h"
#include "campaign/load/layouts.h"
#include "campaign/load/row_reader.h"
#include "campaign/load/text_decoder.h"
#include "campaign/number_plan.h"
#include "engine/base/check.h"

namespace outpace::load {
namespace {

using campaign::Lead;

constexpr size_t kBatchLeads = 2000;
constexpr size_t kRejectsInMemory = 1000;
constexpr size_t kRejectRowBytes = 4096;

// A row that read well and waits for its batch to be checked against the store.
struct Waiting {
  Lead lead;
  uint64_t line = 0, row_number = 0;
  std::string raw;
};

struct Shape {
  ColumnMap columns;
  std::string layout;
  bool header = false;
};

std::vector<std::string> Cells(const Row& row) {
  return {row.fields.begin(), row.fields.begin() + static_cast<ptrdiff_t>(row.columns)};
}

bool LooksLikePhone(absl::string_view cell, absl::string_view country) {
  const campaign::PhoneReading reading = campaign::ReadPhone(cell, country);
  return reading.fault == campaign::PhoneFault::kNone;
}

// Without a header and in no known layout: the first cell that reads as a number is the phone, the
// first other text the name, the rest keeps its position as name.
ColumnMap GuessColumns(const std::vector<std::string>& cells, absl::string_view country) {
  ColumnMap out;
  bool has_name = false;
  for (size_t i = 0; i < cells.size(); ++i) {
    Column column;
    column.header = absl::StrCat("column", i + 1);
    if (!out.has_phone && LooksLikePhone(cells[i], country)) {
      column.kind = ColumnKind::kPhone;
      column.field = "phone_number";
      out.has_phone = true;
    } else if (!has_name && !absl::StripAsciiWhitespace(cells[i]).empty() &&
               !LooksLikePhone(cells[i], country)) {
      column.kind = ColumnKind::kName;
      column.field = "name";
      has_name = true;
    } else {
      column.field = column.header;
    }
    out.columns.push_back(std::move(column));
  }
  return out;
}

absl::Status NoPhoneColumn(const std::vector<std::string>& cells) {
  std::vector<std::string> shown;
  for (const std::string& cell : cells) {
    const absl::string_view text = absl::StripAsciiWhitespace(cell);
    // A cell with digits may be a number somebody forgot the header for: it is not repeated.
    const bool digits = std::count_if(text.begin(), text.end(), [](char c) {
                          return absl::ascii_isdigit(static_cast<unsigned char>(c));
                        }) >= 5;
    const bool is_text = CheckUtf8(text) == Utf8::kValid && text.size() <= 40;
    shown.push_back(digits || !is_text ? "(data)" : absl::Utf8SafeCEscape(text));
    if (shown.size() == 20) break;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("E_NO_PHONE_COLUMN: none of the columns is a telephone number; found: ",
                   absl::StrJoin(shown, ", "), "; known names: ", PhoneAliases(),
                   "; rename the column, or map it: --map \"its name=phone_number\""));
}

absl::StatusOr<Shape> ShapeOf(const Row& first, const LoadOptions& options) {
  const std::vector<std::string> cells = Cells(first);
  Shape out;
  if (absl::Status status = CheckLayout(options.layout); !status.ok()) return status;
  if (IsPositional(options.layout)) {
    absl::StatusOr<ColumnMap> columns = ColumnsOfLayout(options.layout, cells.size());
    if (!columns.ok()) return columns.status();
    out.layout = options.layout;
    out.columns = *std::move(columns);
    return out;
  }
  if (first.fault != RowFault::kNone) {
    return absl::InvalidArgumentError(
        "E_NO_PHONE_COLUMN: the first line cannot be read as a header (a quote is not closed, or "
        "it "
        "is too long)");
  }
  absl::StatusOr<ColumnMap> mapped = MapHeader(cells, options.columns);
  const bool readable = CheckUtf8(first.raw) == Utf8::kValid;
  if (!readable && (!mapped.ok() || mapped->has_phone)) {
    mapped = absl::InvalidArgumentError(
        "E_ENCODING: the header holds bytes that are not UTF-8; name the file's encoding (gb18030 "
        "or windows-1252)");
  }
  if (mapped.ok() && mapped->has_phone) {
    out.layout = "header";
    out.header = true;
    out.columns = *mapped;
    return out;
  }
  if (options.layout != "header") {
    if (cells.size() >= 23 && cells.size() <= 29 && LooksLikePhone(cells[4], cells[3])) {
      out.layout = cells.size() >= 28 ? "stdrankowner" : "standard";
      out.columns = ColumnsOfLayout(out.layout, cells.size()).value();
      return out;
    }
    ColumnMap guessed = GuessColumns(cells, options.country);
    if (guessed.has_phone) {
      out.layout = "no header";
      out.columns = std::move(guessed);
      return out;
    }
  }
  if (!mapped.ok()) return mapped.status();
  return NoPhoneColumn(cells);
}

// A last piece without a line end that closes with Ctrl-Z (the end of a file for CP/M and DOS):
// behind a row of garbage it is more of the same, and is not told twice.
bool IsScrap(absl::string_view rest) {
  return !rest.empty() && rest.back() == '\x1a' && rest.find_first_of("\r\n") == rest.npos;
}

class Load {
 public:
  Load(const LoadOptions& options, const dnc::DncSet& dnc, campaign::LeadStore& store,
       absl::Time now, const std::function<void(const Reject&)>& on_reject)
      : options_(options), dnc_(dnc), store_(store), now_(now), on_reject_(on_reject) {}

  absl::StatusOr<LoadReport> Run(absl::string_view bytes);

 private:
  absl::Status FindList();
  void Warn(absl::string_view code, absl::string_view text) {
    report_.warnings.push_back(absl::StrCat(code, ": ", text));
  }
  void WarnOfColumns(const ColumnMap& columns);
  void WarnOfRows();
  // `tail` is set when the row is garbage and the file's end belongs to it.
  absl::Status TakeRow(const Row& row, const RowReader& reader, absl::string_view rest, bool& tail);
  absl::Status Flush();
  absl::StatusOr<absl::flat_hash_set<E164>> KnownAmong(const std::vector<E164>& phones);
  void Account(uint64_t& counter, absl::string_view code, absl::string_view column,
               absl::string_view reason, uint64_t line, uint64_t row_number, absl::string_view raw);

  const LoadOptions& options_;
  const dnc::DncSet& dnc_;
  campaign::LeadStore& store_;
  const absl::Time now_;
  const std::function<void(const Reject&)>& on_reject_;

  LoadReport report_;
  campaign::List list_;
  int64_t leads_before_ = 0;
  absl::flat_hash_set<E164> seen_;
  std::vector<Waiting> waiting_;
  uint64_t repaired_ = 0, short_rows_ = 0, alt_dropped_ = 0, time_adjusted_ = 0;
};

absl::Status Load::FindList() {
  const absl::StatusOr<std::vector<campaign::List>> lists = store_.Lists();
  if (!lists.ok()) return lists.status();
  for (const campaign::List& list : *lists) {
    if (list.id == options_.list) {
      list_ = list;
      leads_before_ = list.leads;
      return absl::OkStatus();
    }
  }
  return absl::NotFoundError(
      absl::StrCat("list ", options_.list.value(), " does not exist; make it first"));
}

void Load::Account(uint64_t& counter, absl::string_view code, absl::string_view column,
                   absl::string_view reason, uint64_t line, uint64_t row_number,
                   absl::string_view raw) {
  ++counter;
  ++report_.by_code[std::string(code)];
  Reject reject;
  reject.line = line;
  reject.row_number = row_number;
  reject.code = std::string(code);
  reject.column = std::string(column);
  reject.reason = std::string(reason);
  reject.row = std::string(raw.substr(0, kRejectRowBytes));
  if (on_reject_) on_reject_(reject);
  if (report_.rejects.size() < kRejectsInMemory) report_.rejects.push_back(std::move(reject));
}

absl::Status Load::TakeRow(const Row& row, const RowReader& reader, absl::string_view rest,
                           bool& tail) {
  ++report_.rows;
  RowResult result = reader.Read(row);
  if (!result.code.empty()) {
    tail = (result.code == "E_ENCODING" || result.code == "E_NUL") && IsScrap(rest);
    Account(report_.invalid, result.code, result.column, result.reason, row.line, report_.rows,
            row.raw);
    return absl::OkStatus();
  }
  repaired_ += result.phone_repaired;
  short_rows_ += result.short_row;
  alt_dropped_ += result.alt_dropped;
  time_adjusted_ += result.time_adjusted;
  const E164 phone = result.lead.phone;
  if (options_.scrub_dnc) {
    const dnc::DncMatch match = dnc_.Match(phone, options_.campaign);
    if (match != dnc::DncMatch::kNone) {
      Account(report_.dnc, "DNC", "", dnc::DncReason(match), row.line, report_.rows, row.raw);
      return absl::OkStatus();
    }
  }
  if (options_.duplicates != DuplicateCheck::kNone && !seen_.insert(phone).second) {
    Account(report_.duplicates_in_file, "DUPLICATE_FILE", "",
            "the number stands in an earlier row of this file", row.line, report_.rows, row.raw);
    return absl::OkStatus();
  }
  Waiting waiting;
  waiting.lead = std::move(result.lead);
  waiting.line = row.line;
  waiting.row_number = report_.rows;
  waiting.raw = std::string(row.raw.substr(0, kRejectRowBytes));
  waiting_.push_back(std::move(waiting));
  return waiting_.size() < kBatchLeads ? absl::OkStatus() : Flush();
}

absl::StatusOr<absl::flat_hash_set<E164>> Load::KnownAmong(const std::vector<E164>& phones) {
  absl::flat_hash_set<E164> out;
  if (options_.duplicates == DuplicateCheck::kNone) return out;
  const bool everywhere = options_.duplicates == DuplicateCheck::kSystem;
  const absl::StatusOr<std::vector<E164>> known =
      store_.KnownPhones(phones, everywhere ? CampaignId() : options_.campaign);
  if (!known.ok()) return known.status();
  if (options_.duplicates != DuplicateCheck::kList) {
    out.insert(known->begin(), known->end());
    return out;
  }
  // Known in the campaign; asked lead by lead whether it is in this list.
  for (const E164 phone : *known) {
    const absl::StatusOr<std::vector<LeadId>> ids = store_.LeadsByPhone(phone);
    if (!ids.ok()) return ids.status();
    for (const LeadId id : *ids) {
      const absl::StatusOr<std::optional<Lead>> lead = store_.GetLead(id);
      if (!lead.ok()) return lead.status();
      if (lead->has_value() && (*lead)->list == options_.list) out.insert(phone);
    }
  }
  return out;
}

absl::Status Load::Flush() {
  if (waiting_.empty()) return absl::OkStatus();
  std::vector<E164> phones;
  phones.reserve(waiting_.size());
  for (const Waiting& waiting : waiting_) phones.push_back(waiting.lead.phone);
  const absl::StatusOr<absl::flat_hash_set<E164>> known = KnownAmong(phones);
  if (!known.ok()) return known.status();

  campaign::StoreBatch batch;
  for (Waiting& waiting : waiting_) {
    if (known->contains(waiting.lead.phone)) {
      Account(report_.duplicates_in_store, "DUPLICATE_STORE", "",
              "a lead with this number is loaded already", waiting.line, waiting.row_number,
              waiting.raw);
      continue;
    }
    batch.leads.push_back(std::move(waiting.lead));
  }
  waiting_.clear();
  report_.loaded += batch.leads.size();
  if (batch.leads.empty() || report_.held) return absl::OkStatus();

  const absl::StatusOr<uint64_t> first = store_.ReserveLeadIds(batch.leads.size());
  if (!first.ok()) return first.status();
  uint64_t id = *first;
  for (Lead& lead : batch.leads) {
    lead.id = LeadId(id++);
    lead.list = options_.list;
    lead.campaign = options_.campaign;
    lead.entry_date = now_;
  }
  list_.leads = leads_before_ + static_cast<int64_t>(report_.loaded);
  batch.lists.push_back(list_);
  return store_.CommitUnsynced(batch);
}

void Load::WarnOfColumns(const ColumnMap& columns) {
  std::vector<absl::string_view> unknown, untrusted;
  for (const Column& column : columns.columns) {
    report_.columns.push_back(column.field);
    if (column.kind == ColumnKind::kUntrusted) {
      untrusted.push_back(column.header);
    } else if (!column.known) {
      unknown.push_back(column.header);
    }
  }
  if (!unknown.empty()) {
    Warn("W_UNKNOWN_COLUMN",
         absl::StrCat("kept under their own names: ", absl::StrJoin(unknown, ", ")));
  }
  if (!untrusted.empty()) {
    Warn("W_UNKNOWN_COLUMN", absl::StrCat("left out, the engine decides these by itself: ",
                                          absl::StrJoin(untrusted, ", ")));
    report_.held = report_.held || options_.hold_guesses;
  }
}

void Load::WarnOfRows() {
  if (report_.rows == 0) Warn("W_NO_ROWS", "the file has a header and no rows");
  if (short_rows_ > 0) {
    Warn("W_SHORT_ROW",
         absl::StrCat(short_rows_, " rows have fewer columns than the header; taken as empty"));
  }
  if (repaired_ > 0) {
    Warn("W_PHONE_REPAIRED",
         absl::StrCat(repaired_, " numbers were rebuilt from what a spreadsheet made of them"));
  }
  if (alt_dropped_ > 0) {
    Warn("W_ALT_PHONE", absl::StrCat(alt_dropped_, " alternate numbers were no numbers; left out"));
  }
  if (time_adjusted_ > 0) {
    Warn("W_TIME_ADJUSTED",
         absl::StrCat(time_adjusted_, " callbacks lay in the hour that summer time skips; moved"));
  }
  const auto scientific = report_.by_code.find("E_PHONE_SCI");
  if (scientific != report_.by_code.end() && scientific->second * 100 > report_.rows) {
    Warn("W_PHONE_SCI",
         "a spreadsheet has saved numbers in scientific notation and lost their digits: format the "
         "phone column as text and save the file again");
  }
}

absl::StatusOr<LoadReport> Load::Run(absl::string_view bytes) {
  absl::StatusOr<DecodedText> decoded = DecodeText(bytes, options_.encoding);
  if (!decoded.ok()) return decoded.status();
  absl::string_view text = decoded->text(bytes);
  size_t skip = 0;
  char separator = SniffSeparator(text, skip);
  if (options_.separator != 0) separator = options_.separator;
  text.remove_prefix(skip);

  CsvReader csv(text, separator);
  Row row;
  // DecodeText has seen something other than blanks.
  if (!csv.Next(row))
    return absl::InvalidArgumentError("E_EMPTY_FILE: the file holds no row; export the list again");
  absl::StatusOr<Shape> shape = ShapeOf(row, options_);
  if (!shape.ok()) return shape.status();
  if (absl::Status status = FindList(); !status.ok()) return status;

  report_.encoding = decoded->encoding;
  report_.layout = shape->layout;
  if (decoded->guessed) {
    Warn(
        "W_ENCODING_GUESSED",
        decoded->encoding == "gb18030"
            ? "not UTF-8, read as gb18030; look at the names, and name the encoding if they are "
              "right"
            : "neither UTF-8 nor gb18030 throughout; rows that are not UTF-8 are rejected (Western "
              "European Excel files: encoding=windows-1252)");
    report_.held = options_.hold_guesses;
  }
  if (shape->layout == "no header") {
    Warn("W_NO_HEADER", "the first row is data; columns were found by what is in them");
    report_.held = report_.held || options_.hold_guesses;
  }
  WarnOfColumns(shape->columns);

  const RowReader reader(options_, shape->columns, now_, decoded->clean);
  bool tail = false;
  bool more = shape->header ? csv.Next(row) : true;
  for (; more && !tail; more = csv.Next(row)) {
    const uint64_t line = row.line + (skip > 0 ? 1 : 0);
    row.line = line;
    if (absl::Status status = TakeRow(row, reader, csv.rest(), tail); !status.ok()) return status;
  }
  if (absl::Status status = Flush(); !status.ok()) return status;
  report_.blank_lines = csv.blank_lines();
  if (!report_.held && report_.loaded > 0) {
    if (absl::Status status = store_.SyncWrites(); !status.ok()) return status;
  }
  WarnOfRows();
  OUTPACE_CHECK(report_.rows == report_.loaded + report_.duplicates_in_file +
                                    report_.duplicates_in_store + report_.dnc + report_.invalid);
  return std::move(report_);
}

}  // namespace

absl::StatusOr<LoadReport> LoadLeads(absl::string_view bytes, const LoadOptions& options,
                                     const dnc::DncSet& dnc, campaign::LeadStore& store,
                                     const Clock& clock,
                                     const std::function<void(const Reject&)>& on_reject) {
  return Load(options, dnc, store, clock.Wall(), on_reject).Run(bytes);
}

}  // namespace outpace::load
