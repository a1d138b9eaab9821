#include "engine/runtime/dedup_review.h"

#include <algorithm>
#include <functional>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "campaign/load/csv_reader.h"
#include "campaign/report/csv_writer.h"
#include "engine/runtime/files.h"

namespace outpace::runtime {
namespace {

constexpr char kByteOrderMark[] = "\xEF\xBB\xBF";
constexpr size_t kReasons = 6;  // in the column "why"

// Shown of both leads, side by side.
constexpr const char* kShown[] = {"first_name", "last_name",   "company",       "address1", "city",
                                  "state",      "postal_code", "date_of_birth", "email"};

enum class Decision { kOpen, kSame, kApart, kUnknown };

Decision DecisionOf(absl::string_view text) {
  static const auto* const kWords = new std::map<std::string, Decision>{
      {"", Decision::kOpen},      {"same", Decision::kSame}, {"yes", Decision::kSame},
      {"y", Decision::kSame},     {"1", Decision::kSame},    {"merge", Decision::kSame},
      {"是", Decision::kSame},    {"相同", Decision::kSame}, {"different", Decision::kApart},
      {"no", Decision::kApart},   {"n", Decision::kApart},   {"0", Decision::kApart},
      {"keep", Decision::kApart}, {"否", Decision::kApart},  {"不同", Decision::kApart}};
  const auto found = kWords->find(absl::AsciiStrToLower(absl::StripAsciiWhitespace(text)));
  return found == kWords->end() ? Decision::kUnknown : found->second;
}

void WritePair(const ReviewPair& pair, match::Kind kind, report::CsvWriter& csv) {
  match::LeadRecords records;
  records.Add(pair.a);
  records.Add(pair.b);
  const std::vector<match::Evidence> why =
      match::Explain(records.records()[0], records.records()[1], kind, nullptr);
  csv.Plain(absl::StrCat(pair.group.value()));
  csv.Plain(absl::StrFormat("%.3f", pair.score));
  csv.Plain("");
  csv.Plain(absl::StrCat(pair.a.id.value()));
  csv.Plain(absl::StrCat(pair.b.id.value()));
  csv.Plain(pair.a.phone.Digits());
  csv.Plain(pair.b.phone.Digits());
  for (const char* field : kShown) {
    csv.Text(pair.a.Field(field));
    csv.Text(pair.b.Field(field));
  }
  for (const campaign::Lead* lead : {&pair.a, &pair.b}) csv.Text(lead->status);
  for (const campaign::Lead* lead : {&pair.a, &pair.b}) csv.Plain(absl::StrCat(lead->called_count));
  csv.Plain(WhyText(why, kReasons));
}

}  // namespace

std::string WhyText(absl::Span<const match::Evidence> why, size_t most) {
  std::string text;
  for (const match::Evidence& evidence : why) {
    if (std::abs(evidence.weight) < 0.5 || std::string(evidence.field) == "before comparing") {
      continue;
    }
    if (most-- == 0) break;
    absl::StrAppendFormat(&text, "%s%s: %s (%+.1f)", text.empty() ? "" : ", ", evidence.field,
                          evidence.rule, evidence.weight);
  }
  return text;
}

absl::Status WriteReview(const std::string& path, absl::Span<const ReviewPair> pairs,
                         match::Kind kind) {
  auto file = AtomicFile::Create(path);
  if (!file.ok()) return file.status();
  const std::function<absl::Status(absl::string_view)> write = [&](absl::string_view piece) {
    return (*file)->Write(piece);
  };
  report::CsvWriter csv(write);
  csv.Raw(kByteOrderMark);
  for (const char* column :
       {"group", "score", "decision", "lead_a", "lead_b", "phone_a", "phone_b"}) {
    csv.Plain(column);
  }
  for (const char* field : kShown) {
    csv.Plain(absl::StrCat(field, "_a"));
    csv.Plain(absl::StrCat(field, "_b"));
  }
  for (const char* column : {"status_a", "status_b", "called_a", "called_b", "why"}) {
    csv.Plain(column);
  }
  if (absl::Status s = csv.EndRow(); !s.ok()) return s;
  for (const ReviewPair& pair : pairs) {
    WritePair(pair, kind, csv);
    if (absl::Status s = csv.EndRow(); !s.ok()) return s;
  }
  if (absl::Status s = csv.Finish(); !s.ok()) return s;
  return (*file)->Commit();
}

absl::StatusOr<ReviewDecisions> ReadReview(absl::string_view text) {
  absl::ConsumePrefix(&text, kByteOrderMark);
  size_t skip = 0;
  const char separator = load::SniffSeparator(text, skip);
  load::CsvReader reader(text.substr(skip), separator);
  ReviewDecisions decisions;
  std::map<std::string, size_t> columns;
  for (load::Row row; reader.Next(row);) {
    if (columns.empty()) {
      for (size_t i = 0; i < row.fields.size(); ++i) columns[std::string(row.fields[i])] = i;
      if (columns.contains("decision") && columns.contains("lead_a") &&
          columns.contains("lead_b")) {
        continue;
      }
      return absl::InvalidArgumentError(
          "no review file: its first line must name the columns decision, lead_a and lead_b");
    }
    const auto cell = [&](const char* column) {
      const size_t at = columns.at(column);
      return at < row.fields.size() ? row.fields[at] : absl::string_view();
    };
    const auto refuse = [&](absl::string_view reason) {
      decisions.not_taken.push_back(absl::StrCat("line ", row.line, ": ", reason));
    };
    uint64_t a = 0, b = 0;
    if (row.fault != load::RowFault::kNone || !absl::SimpleAtoi(cell("lead_a"), &a) ||
        !absl::SimpleAtoi(cell("lead_b"), &b) || a == 0 || b == 0 || a == b) {
      refuse("lead_a and lead_b must be two numbers of leads");
      continue;
    }
    const std::pair<LeadId, LeadId> pair(std::min(a, b), std::max(a, b));
    switch (DecisionOf(cell("decision"))) {
      case Decision::kOpen:
        ++decisions.open;
        break;
      case Decision::kSame:
        decisions.same.insert(pair);
        break;
      case Decision::kApart:
        decisions.apart.insert(pair);
        break;
      case Decision::kUnknown:
        refuse("decision must be same, different or empty");
        break;
    }
  }
  if (columns.empty()) return absl::InvalidArgumentError("no review file: it is empty");
  return decisions;
}

}  // namespace outpace::runtime
