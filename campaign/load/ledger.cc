#include "campaign/load/ledger.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace outpace::load {
namespace {

constexpr size_t kRejectsInMemory = 1000;
constexpr size_t kRejectRowBytes = 4096;

bool IsGarbage(const RowVerdict& verdict) {
  return verdict.finding.code == "E_ENCODING" || verdict.finding.code == "E_NUL";
}

uint64_t& CounterOf(Fate fate, campaign::ImportCounts& counts) {
  switch (fate) {
    case Fate::kRejected:
      return counts.rejected;
    case Fate::kDnc:
      return counts.dnc;
    case Fate::kFiltered:
      return counts.filtered;
    case Fate::kDuplicateInFile:
      return counts.duplicates_in_file;
    case Fate::kDuplicateInStore:
      return counts.duplicates_in_store;
  }
  OUTPACE_CHECK(false);
  return counts.rejected;
}

RowVerdict DoubleOf(const RowPlace& place, uint64_t earlier_line, LeadId lead) {
  RowVerdict verdict;
  verdict.place = place;
  if (earlier_line != 0) {
    verdict.fate = Fate::kDuplicateInFile;
    verdict.duplicate_of_line = earlier_line;
    verdict.finding = {"DUPLICATE_FILE", {}, absl::StrCat("the same as in line ", earlier_line)};
  } else {
    verdict.fate = Fate::kDuplicateInStore;
    verdict.duplicate_of = lead;
    verdict.finding = {
        "DUPLICATE_STORE", {}, absl::StrCat("loaded already as lead ", lead.value())};
  }
  return verdict;
}

}  // namespace

absl::Status Ledger::Settle(ParsedPiece& piece) {
  DropScrap(piece);
  doubles_.clear();
  if (seen_ != nullptr) {
    if (absl::Status status = FindDoubles(piece); !status.ok()) return status;
  }
  // In the order of the file: both are.
  auto verdict = piece.verdicts.begin();
  for (const RowVerdict& found : doubles_) {
    for (; verdict != piece.verdicts.end() && verdict->place.row < found.place.row; ++verdict) {
      Account(*verdict);
    }
    Account(found);
  }
  for (; verdict != piece.verdicts.end(); ++verdict) Account(*verdict);
  campaign::ImportCounts& counts = report_.counts;
  counts.rows += piece.rows;
  counts.accepted += piece.leads.size();
  OUTPACE_CHECK(counts.Balanced());
  if (piece.rows > 0) {
    after_garbage_ = !piece.verdicts.empty() && IsGarbage(piece.verdicts.back()) &&
                     piece.verdicts.back().place.row + 1 == piece.rows;
  }
  after_garbage_ = after_garbage_ && !piece.ends_in_blank_lines;
  line_ += piece.lines;
  report_.blank_lines += piece.blank_lines;
  repaired_ += piece.repaired;
  short_rows_ += piece.short_rows;
  alt_dropped_ += piece.alt_dropped;
  time_adjusted_ += piece.time_adjusted;
  return absl::OkStatus();
}

// Behind a row of garbage the scrap at a file's end is more of the same, and is not told twice.
void Ledger::DropScrap(ParsedPiece& piece) {
  if (!piece.ends_in_scrap) return;
  const auto scrap = static_cast<uint32_t>(piece.rows - 1);
  bool behind_garbage = scrap == 0 && after_garbage_;
  for (const RowVerdict& verdict : piece.verdicts) {
    behind_garbage = behind_garbage || (verdict.place.row + 1 == scrap && IsGarbage(verdict));
  }
  if (!behind_garbage) return;
  --piece.rows;
  if (!piece.verdicts.empty() && piece.verdicts.back().place.row == scrap) {
    piece.verdicts.pop_back();
  } else {
    OUTPACE_CHECK(!piece.places.empty() && piece.places.back().row == scrap);
    piece.leads.pop_back();
    piece.places.pop_back();
    if (!piece.keys.empty()) piece.keys.pop_back();
    if (!piece.doubled.empty()) piece.doubled.pop_back();
  }
}

absl::Status Ledger::SeenBefore(ParsedPiece& piece, std::vector<uint64_t>& earlier) {
  // Rows without a key (no alternate number, where that is compared) are no doubles.
  const bool keyless = std::any_of(piece.keys.begin(), piece.keys.end(),
                                   [](const SeenKey& key) { return key.number == 0; });
  for (SeenKey& key : piece.keys) key.line += line_ - 1;
  if (!keyless) return seen_->CheckAndAdd(piece.keys, earlier);
  earlier.assign(piece.keys.size(), 0);
  std::vector<uint64_t> one;
  for (size_t i = 0; i < piece.keys.size(); ++i) {
    if (piece.keys[i].number == 0) continue;
    absl::Status status = seen_->CheckAndAdd({&piece.keys[i], 1}, one);
    if (!status.ok()) return status;
    earlier[i] = one[0];
  }
  return absl::OkStatus();
}

// Alternate numbers count as seen too, but only those of rows that are accepted: the number of a
// row that is no lead has nobody to double.
absl::Status Ledger::SeenBeforeByAlt(ParsedPiece& piece, std::vector<uint64_t>& earlier) {
  earlier.assign(piece.keys.size(), 0);
  std::vector<uint64_t> one;
  for (size_t i = 0; i < piece.keys.size(); ++i) {
    SeenKey key = piece.keys[i];
    key.line += line_ - 1;
    if (key.number == 0) continue;
    if (absl::Status status = seen_->CheckAndAdd({&key, 1}, one); !status.ok()) return status;
    earlier[i] = one[0];
    key.number = piece.leads[i].alt_phone.value();
    if (earlier[i] != 0 || piece.doubled[i].valid() || key.number == 0) continue;
    if (absl::Status status = seen_->CheckAndAdd({&key, 1}, one); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Ledger::FindDoubles(ParsedPiece& piece) {
  const bool by_alt =
      options_.duplicates_alt && options_.duplicate_key != DuplicateKey::kTitleAltPhone;
  absl::Status status = by_alt ? SeenBeforeByAlt(piece, earlier_) : SeenBefore(piece, earlier_);
  if (!status.ok()) return status;
  size_t kept = 0;
  for (size_t i = 0; i < piece.leads.size(); ++i) {
    if (earlier_[i] != 0 || piece.doubled[i].valid()) {
      doubles_.push_back(DoubleOf(piece.places[i], earlier_[i], piece.doubled[i]));
    } else if (kept++ != i) {
      piece.leads[kept - 1] = piece.leads[i];
    }
  }
  piece.leads.resize(kept);
  return absl::OkStatus();
}

void Ledger::Account(const RowVerdict& verdict) {
  ++CounterOf(verdict.fate, report_.counts);
  ++report_.by_code[std::string(verdict.finding.code)];
  if (verdict.clause >= 0) ++report_.by_clause[static_cast<size_t>(verdict.clause)].second;
  const bool keep = report_.rejects.size() < kRejectsInMemory;
  if (!keep && !hooks_.on_reject) return;
  Reject reject;
  reject.line = line_ + verdict.place.line - 1;
  reject.row_number = report_.counts.rows + verdict.place.row + 1;
  reject.code = std::string(verdict.finding.code);
  reject.column = std::string(verdict.finding.column);
  reject.reason = verdict.finding.reason;
  reject.duplicate_of = verdict.duplicate_of;
  reject.duplicate_of_line = verdict.duplicate_of_line;
  reject.clause = verdict.clause;
  reject.row = std::string(verdict.place.raw.substr(0, kRowBytesMax));
  reject.row_cut = reject.row.size() < verdict.place.octets;
  if (hooks_.on_reject) hooks_.on_reject(reject);
  if (!keep) return;
  if (reject.row.size() > kRejectRowBytes) {
    reject.row.resize(kRejectRowBytes);
    reject.row_cut = true;
  }
  report_.rejects.push_back(std::move(reject));
}

void Ledger::WarnOfRows() {
  const auto warn = [&](absl::string_view text) { report_.warnings.emplace_back(text); };
  if (report_.counts.rows == 0) warn("W_NO_ROWS: the file has a header and no rows");
  if (short_rows_ > 0) {
    warn(absl::StrCat("W_SHORT_ROW: ", short_rows_,
                      " rows have fewer columns than the header; taken as empty"));
  }
  if (repaired_ > 0) {
    warn(absl::StrCat("W_PHONE_REPAIRED: ", repaired_,
                      " numbers were rebuilt from what a spreadsheet made of them"));
  }
  if (alt_dropped_ > 0) {
    warn(absl::StrCat("W_ALT_PHONE: in ", alt_dropped_,
                      " rows an alternate number was none, or one not to be dialed; left out"));
  }
  if (time_adjusted_ > 0) {
    warn(absl::StrCat("W_TIME_ADJUSTED: ", time_adjusted_,
                      " callbacks lay in the hour that summer time skips; moved"));
  }
  const auto scientific = report_.by_code.find("E_PHONE_SCI");
  if (scientific != report_.by_code.end() && scientific->second * 100 > report_.counts.rows) {
    warn(
        "W_PHONE_SCI: a spreadsheet has saved numbers in scientific notation and lost their "
        "digits: format the phone column as text and save the file again");
  }
}

}  // namespace outpace::load
