// A load in steps: find out what the file is, what its columns are, whether it has been loaded
// before; then send it through the pipeline; then make what was accepted visible, together with the
// record that tells of it.

#include "campaign/load/loader.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "campaign/load/encoding.h"
#include "campaign/load/ledger.h"
#include "campaign/load/pipeline.h"
#include "campaign/load/shape.h"
#include "campaign/load/survey.h"
#include "engine/base/check.h"

namespace outpace::load {
namespace {

// Leads are written piece by piece into files of their own: pieces too small make too many files,
// too large ones keep threads waiting for each other at the end.
constexpr uint64_t kPieceMin = 256 * 1024, kPieceMax = 8 * 1024 * 1024;

absl::string_view CheckName(DuplicateCheck check) {
  switch (check) {
    case DuplicateCheck::kNone:
      return "none";
    case DuplicateCheck::kList:
      return "list";
    case DuplicateCheck::kCampaign:
      return "campaign";
    case DuplicateCheck::kSystem:
      return "system";
  }
  return "";
}

absl::string_view KeyName(DuplicateKey key) {
  switch (key) {
    case DuplicateKey::kPhone:
      return "phone";
    case DuplicateKey::kNamePhone:
      return "name+phone";
    case DuplicateKey::kTitleAltPhone:
      return "title+alt";
  }
  return "";
}

// All that decides what becomes of a row, for people and for knowing the same load again.
std::string OptionsText(const LoadOptions& options) {
  const auto pair = [](std::string* out, const auto& column) {
    absl::StrAppend(out, column.first, "=", column.second);
  };
  std::string out = absl::StrCat(
      "encoding=", options.encoding, " layout=", options.layout, " country=", options.country,
      " duplicates=", CheckName(options.duplicates), "/", KeyName(options.duplicate_key),
      options.duplicates_alt ? "/alt" : "",
      options.duplicates_days > 0 ? absl::StrCat("/", options.duplicates_days, "d") : "",
      " dnc=", options.scrub_dnc ? "scrubbed" : "kept");
  if (!options.columns.empty()) {
    absl::StrAppend(&out, " map=", absl::StrJoin(options.columns, ",", pair));
  }
  if (options.separator != '\0') {
    absl::StrAppend(&out, " separator=", absl::string_view(&options.separator, 1));
  }
  if (!options.destinations.empty()) {
    absl::StrAppend(&out, " destinations=", absl::StrJoin(options.destinations, ","));
  }
  if (!options.filter.empty()) absl::StrAppend(&out, " filter=", options.filter);
  return out;
}

// A source that ends with the load: whatever reads it need not ask by itself.
class CancellableSource final : public ByteSource {
 public:
  CancellableSource(const ByteSource& source, const std::atomic<bool>* cancel)
      : source_(source), cancel_(cancel) {}
  uint64_t size() const override { return source_.size(); }
  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> to) const override {
    if (cancel_ != nullptr && *cancel_) return absl::CancelledError("load: cancelled");
    return source_.Read(offset, to);
  }

 private:
  const ByteSource& source_;
  const std::atomic<bool>* const cancel_;
};

class Load {
 public:
  Load(const ByteSource& source, const LoadOptions& options, const dnc::DncSet& dnc,
       campaign::LeadStore& store, const Clock& clock, const LoadHooks& hooks)
      : source_(source),
        options_(options),
        dnc_(dnc),
        store_(store),
        clock_(clock),
        hooks_(hooks),
        now_(clock.Wall()) {}

  absl::StatusOr<LoadReport> Run();

 private:
  absl::Status FindEncoding();
  absl::Status FindShape();
  absl::Status FindList();
  absl::StatusOr<bool> IsImported();
  absl::Status MakeFilter();
  absl::Status RunPipeline();
  absl::Status Publish(campaign::LeadBulk& bulk);
  // The text behind the header.
  absl::StatusOr<DecodedBlock> NextText(absl::Span<char> to);
  bool stores() const { return !report_.held && !options_.dry_run; }
  void Warn(absl::string_view code, absl::string_view text) {
    report_.warnings.push_back(absl::StrCat(code, ": ", text));
  }
  // Of what only a person can decide; nothing is stored before one has.
  void WarnOfGuess(absl::string_view code, absl::string_view text) {
    Warn(code, text);
    report_.held = report_.held || options_.hold_guesses;
  }
  void WarnOfColumns();
  void TellShape(const Row& first, absl::string_view text);

  const ByteSource& source_;
  const LoadOptions& options_;
  const dnc::DncSet& dnc_;
  campaign::LeadStore& store_;
  const Clock& clock_;
  const LoadHooks& hooks_;
  const absl::Time now_;

  TextEncoding encoding_;
  std::unique_ptr<StreamDecoder> decoder_;
  Survey survey_;
  std::string head_;  // the text's beginning, as far as it was read to look at it
  bool head_clean_ = true;
  size_t head_used_ = 0;     // octets of it that are no rows, or have been handed on
  uint64_t first_line_ = 1;  // on which what is behind them begins
  char separator_ = ',';
  size_t skip_ = 0;  // octets of a first line "sep=;"
  Shape shape_;
  std::unique_ptr<LeadLayout> layout_;
  std::unique_ptr<RowFilter> filter_;
  campaign::Import import_;
  LoadReport report_;
};

absl::Status Load::FindEncoding() {
  absl::StatusOr<TextEncoding> encoding = DetectEncoding(source_, options_.encoding);
  if (!encoding.ok()) return encoding.status();
  encoding_ = *std::move(encoding);
  report_.encoding = encoding_.name;
  report_.encoding_confidence = encoding_.confidence;
  if (encoding_.guessed) {
    WarnOfGuess("W_ENCODING_GUESSED",
                absl::StrFormat("read as %s (confidence %.0f %%): %s; look at the names, and name "
                                "the encoding if they are right",
                                encoding_.name, 100 * encoding_.confidence, encoding_.reason));
  }
  return absl::OkStatus();
}

absl::Status Load::FindShape() {
  decoder_ = std::make_unique<StreamDecoder>(source_, encoding_);
  // Room for any row that is not too long.
  head_.resize(
      static_cast<size_t>(std::min<uint64_t>(4 * source_.size() + 64, kRowBytesMax + kPieceSlack)));
  size_t filled = 0;
  bool at_end = false;
  while (!at_end && filled + 64 <= head_.size()) {
    const auto block = decoder_->Next(absl::MakeSpan(head_).subspan(filled));
    if (!block.ok()) return block.status();
    at_end = block->size == 0;
    filled += block->size;
    head_clean_ = head_clean_ && block->clean;
  }
  head_.resize(filled);
  separator_ = SniffSeparator(head_, skip_);
  if (options_.separator != '\0') separator_ = options_.separator;
  const absl::string_view text = absl::string_view(head_).substr(skip_);
  CsvReader csv(text, separator_);
  Row row;
  if (!csv.Next(row)) {
    return absl::InvalidArgumentError("E_EMPTY_FILE: the file holds no row; export the list again");
  }
  if (!at_end && EndOfLastRecord(text, separator_) == 0) row.fault = RowFault::kRowTooLong;
  absl::StatusOr<Shape> shape = ShapeOf(row, options_);
  if (!shape.ok()) return shape.status();
  shape_ = *std::move(shape);
  head_used_ =
      skip_ + (shape_.header ? csv.at() : static_cast<size_t>(row.raw.data() - text.data()));
  first_line_ = (shape_.header ? csv.lines() + 1 : row.line) + (skip_ > 0 ? 1 : 0);
  report_.blank_lines = csv.blank_lines();
  report_.layout = shape_.layout;
  layout_ = std::make_unique<LeadLayout>(shape_.columns);
  if (shape_.layout == "no header") {
    WarnOfGuess("W_NO_HEADER", "the first row is data; columns were found by what is in them");
  }
  WarnOfColumns();
  if (hooks_.on_shape) TellShape(row, text);
  return absl::OkStatus();
}

// `first`: the first row, of the file's beginning `text`.
void Load::TellShape(const Row& first, absl::string_view text) {
  FileShape out;
  out.encoding = encoding_.name;
  out.byte_order_mark = encoding_.bom_bytes > 0;
  out.separator = separator_;
  out.separator_line = skip_ > 0;
  text.remove_prefix(static_cast<size_t>(first.raw.data() - text.data()) + first.raw.size());
  if (absl::StartsWith(text, "\r")) out.line_end = absl::StartsWith(text, "\r\n") ? "\r\n" : "\r";
  if (shape_.header) out.header = std::string(first.raw);
  out.columns = report_.columns;
  hooks_.on_shape(out);
}

absl::StatusOr<DecodedBlock> Load::NextText(absl::Span<char> to) {
  if (head_used_ == head_.size()) return decoder_->Next(to);
  const absl::string_view rest = absl::string_view(head_).substr(head_used_, to.size());
  std::copy(rest.begin(), rest.end(), to.begin());
  head_used_ += rest.size();
  return DecodedBlock{rest.size(), head_clean_};
}

void Load::WarnOfColumns() {
  std::vector<absl::string_view> unknown, untrusted;
  for (const Column& column : shape_.columns.columns) {
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
    WarnOfGuess("W_UNKNOWN_COLUMN", absl::StrCat("left out, the engine decides these by itself: ",
                                                 absl::StrJoin(untrusted, ", ")));
  }
}

absl::Status Load::FindList() {
  const absl::StatusOr<std::vector<campaign::List>> lists = store_.Lists();
  if (!lists.ok()) return lists.status();
  const bool found = std::any_of(lists->begin(), lists->end(), [&](const campaign::List& list) {
    return list.id == options_.list;
  });
  if (found || options_.dry_run || hooks_.on_publish) return absl::OkStatus();
  return absl::NotFoundError(
      absl::StrCat("list ", options_.list.value(), " does not exist; make it first"));
}

// Whether this very load is in the store; else fills `import_`.
absl::StatusOr<bool> Load::IsImported() {
  const absl::StatusOr<std::vector<campaign::Import>> imports = store_.Imports();
  if (!imports.ok()) return imports.status();
  import_.id = options_.import;
  if (!import_.id.valid()) {
    import_.id = ImportId(imports->empty() ? 1 : imports->back().id.value() + 1);
  }
  import_.list = options_.list;
  import_.campaign = options_.campaign;
  import_.file = options_.file;
  import_.file_bytes = source_.size();
  import_.content_hash = survey_.hash;
  import_.options = OptionsText(options_);
  import_.started = now_;
  if (options_.again) return false;
  for (const campaign::Import& known : *imports) {
    if (known.state != campaign::ImportState::kPublished || known.list != import_.list ||
        known.content_hash != import_.content_hash || known.options != import_.options) {
      continue;
    }
    report_.already_imported = true;
    report_.import = known.id;
    report_.counts = known.counts;
    report_.by_code = known.by_code;
    return true;
  }
  return false;
}

absl::Status Load::MakeFilter() {
  if (options_.filter.empty()) return absl::OkStatus();
  absl::StatusOr<RowFilter> filter = RowFilter::Make(
      options_.filter, *layout_, absl::ToCivilDay(now_, options_.zone), options_.list);
  if (!filter.ok()) return filter.status();
  filter_ = std::make_unique<RowFilter>(*std::move(filter));
  report_.filter = filter_->ToString();
  for (const std::string& clause : filter_->clauses()) report_.by_clause.emplace_back(clause, 0);
  return absl::OkStatus();
}

absl::Status Load::RunPipeline() {
  const uint64_t rows_max = survey_.lines;
  std::unique_ptr<StoreKeys> store_keys;
  std::unique_ptr<SeenKeys> seen;
  if (options_.duplicates != DuplicateCheck::kNone) {
    absl::StatusOr<std::unique_ptr<StoreKeys>> made =
        StoreKeys::Make(store_, options_, now_, rows_max);
    if (!made.ok()) return made.status();
    store_keys = *std::move(made);
    seen = std::make_unique<SeenKeys>(rows_max, options_.temp_directory);
  }
  std::unique_ptr<campaign::LeadBulk> bulk;
  if (stores()) {
    const absl::StatusOr<uint64_t> first = store_.ReserveLeadIds(rows_max);
    if (!first.ok()) return first.status();
    import_.first_lead = LeadId(*first);
    absl::StatusOr<std::unique_ptr<campaign::LeadBulk>> begun =
        store_.BeginBulk({.import = import_.id,
                          .list = options_.list,
                          .campaign = options_.campaign,
                          .entry_date = now_,
                          .layout = layout_->fields});
    if (!begun.ok()) return begun.status();
    bulk = *std::move(begun);
  }
  const size_t threads = options_.threads > 0 ? static_cast<size_t>(options_.threads)
                                              : std::max(1u, std::thread::hardware_concurrency());
  const uint64_t piece = options_.piece_octets > 0
                             ? options_.piece_octets
                             : std::clamp(source_.size() / (4 * threads), kPieceMin, kPieceMax);
  RecordSplitter splitter([this](absl::Span<char> to) { return NextText(to); }, separator_,
                          static_cast<size_t>(piece));
  ZoneIds zones(stores() ? &store_ : nullptr);
  const PieceParser::Rules rules = {.row = {.options = options_,
                                            .columns = shape_.columns,
                                            .layout = *layout_,
                                            .now = now_,
                                            .is_utf8 = encoding_.is_utf8(),
                                            .zones = zones,
                                            .dnc = dnc_},
                                    .separator = separator_,
                                    .dnc = dnc_,
                                    .filter = filter_.get(),
                                    .store_keys = store_keys.get()};
  Ledger ledger(options_, hooks_, first_line_, seen.get(), report_);
  Pipeline pipeline({.splitter = splitter,
                     .octets_done = [this] { return decoder_->consumed(); },
                     .octets_total = source_.size(),
                     .rules = rules,
                     .ledger = ledger,
                     .report = report_,
                     .bulk = bulk.get(),
                     .first_lead = import_.first_lead,
                     .leads_max = rows_max,
                     .clock = clock_,
                     .hooks = hooks_});
  const uint64_t pieces = source_.size() / piece + 1;
  absl::Status status = pipeline.Run(static_cast<size_t>(std::min<uint64_t>(threads, pieces)));
  if (!status.ok()) return status;
  ledger.WarnOfRows();
  return bulk == nullptr ? absl::OkStatus() : Publish(*bulk);
}

absl::Status Load::Publish(campaign::LeadBulk& bulk) {
  import_.finished = clock_.Wall();
  import_.counts = report_.counts;
  import_.by_code = report_.by_code;
  report_.import = import_.id;
  const auto publish = [&] { return bulk.Publish(import_); };
  return hooks_.on_publish ? hooks_.on_publish(publish) : publish();
}

absl::StatusOr<LoadReport> Load::Run() {
  if (absl::Status status = FindEncoding(); !status.ok()) return status;
  if (absl::Status status = FindShape(); !status.ok()) return status;
  if (absl::Status status = FindList(); !status.ok()) return status;
  if (absl::Status status = MakeFilter(); !status.ok()) return status;
  absl::StatusOr<Survey> survey = SurveySource(source_, hooks_.cancel);
  if (!survey.ok()) return survey.status();
  survey_ = *std::move(survey);
  const absl::StatusOr<bool> imported = IsImported();
  if (!imported.ok()) return imported.status();
  if (!*imported) {
    if (absl::Status status = RunPipeline(); !status.ok()) return status;
  }
  OUTPACE_CHECK(report_.counts.Balanced());
  return std::move(report_);
}

}  // namespace

absl::StatusOr<LoadReport> LoadLeads(const ByteSource& source, const LoadOptions& options,
                                     const dnc::DncSet& dnc, campaign::LeadStore& store,
                                     const Clock& clock, const LoadHooks& hooks) {
  const CancellableSource cancellable(source, hooks.cancel);
  return Load(cancellable, options, dnc, store, clock, hooks).Run();
}

}  // namespace outpace::load
