#include "engine/runtime/import_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "engine/runtime/admin_impl.h"

namespace outpace::runtime {
namespace {

constexpr size_t kReasonsShown = 12;
constexpr uint64_t kRowsForARate = 10'000;  // of fewer a rate says nothing
constexpr int kDaysMax = 3650;

// One kind of row and how many there were.
struct Part {
  const char* name;
  uint64_t count;
};

std::vector<Part> PartsOf(const campaign::ImportCounts& counts) {
  return {{"accepted", counts.accepted},
          {"duplicates in the file", counts.duplicates_in_file},
          {"duplicates in the store", counts.duplicates_in_store},
          {"do not call", counts.dnc},
          {"filtered out", counts.filtered},
          {"rejected", counts.rejected}};
}

void AppendCounts(const campaign::ImportCounts& counts,
                  const std::function<std::string(absl::string_view)>& details, std::string& text) {
  absl::StrAppendFormat(&text, "  %-26s %10s\n", "rows", Grouped(counts.rows));
  for (const Part& part : PartsOf(counts)) {
    absl::StrAppendFormat(&text, "    %-24s %10s\n", part.name, Grouped(part.count));
    absl::StrAppend(&text, details(part.name));
  }
}

// Codes of rejected rows, most frequent first, each with what one of them was told.
std::string Reasons(const load::LoadReport& report) {
  std::vector<std::pair<uint64_t, std::string>> codes;
  for (const auto& [code, count] : report.by_code) {
    if (absl::StartsWith(code, "E_")) codes.push_back({count, code});
  }
  std::sort(codes.begin(), codes.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::string text;
  for (size_t i = 0; i < codes.size(); ++i) {
    if (i == kReasonsShown) {
      absl::StrAppend(&text, "               and ", codes.size() - i, " more kinds\n");
      break;
    }
    const auto& [count, code] = codes[i];
    const auto example =
        std::find_if(report.rejects.begin(), report.rejects.end(),
                     [&code = code](const load::Reject& reject) { return reject.code == code; });
    absl::StrAppendFormat(&text, "      %10s  %s", Grouped(count), code);
    if (example != report.rejects.end()) {
      absl::StrAppendFormat(&text, "  line %d: %s", example->line, example->reason);
    }
    absl::StrAppend(&text, "\n");
  }
  return text;
}

std::string Clauses(const load::LoadReport& report) {
  std::string text;
  for (const auto& [clause, count] : report.by_clause) {
    absl::StrAppendFormat(&text, "      %10s  not met: %s\n", Grouped(count), clause);
  }
  return text;
}

// Columns as a sentence that wraps at 100 characters.
std::string Columns(const load::LoadReport& report) {
  std::string text = "  columns   ";
  size_t line = text.size();
  for (const std::string& column : report.columns) {
    if (line + column.size() > 98) {
      absl::StrAppend(&text, "\n            ");
      line = 12;
    }
    absl::StrAppend(&text, " ", column);
    line += column.size() + 1;
  }
  return text + "\n";
}

std::string WhatNext(const ImportOutcome& outcome) {
  const load::LoadReport& report = outcome.report;
  if (outcome.dry_run) {
    return "nothing was stored: that was a dry run; run it again without --dry-run\n";
  }
  if (report.held) {
    return absl::StrCat(
        "nothing was stored: look at what was guessed, then name it, e.g. with --encoding ",
        report.encoding, " and --layout, or leave out --hold\n");
  }
  std::string text;
  if (report.counts.accepted < report.counts.rows && outcome.reject_path.empty()) {
    absl::StrAppend(&text, "the rows that were left out, with reasons: add --rejects FILE\n");
  }
  if (report.counts.accepted > 0) {
    absl::StrAppend(&text, "next: outpace list show ", outcome.list.id.value(),
                    "; the wrong file? outpace import undo ", report.import.value(), "\n");
  }
  if (!outcome.list.active) {
    absl::StrAppend(&text, "the list is off: outpace list activate ", outcome.list.id.value(),
                    "\n");
  }
  return text;
}

Json JsonOf(const campaign::ImportCounts& counts) {
  return {{"rows", counts.rows},
          {"accepted", counts.accepted},
          {"duplicates_in_file", counts.duplicates_in_file},
          {"duplicates_in_store", counts.duplicates_in_store},
          {"dnc", counts.dnc},
          {"filtered", counts.filtered},
          {"rejected", counts.rejected}};
}

}  // namespace

std::string Grouped(uint64_t number) {
  const std::string digits = absl::StrCat(number);
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out.push_back(',');
    out.push_back(digits[i]);
  }
  return out;
}

std::string ImportText(const ImportOutcome& outcome) {
  const load::LoadReport& report = outcome.report;
  if (report.already_imported) {
    return absl::StrCat(outcome.file, ": this very file is in list ", outcome.list.id.value(),
                        " since import ", report.import.value(), " (",
                        Grouped(report.counts.accepted),
                        " leads): nothing was changed; --again loads it nevertheless\n");
  }
  std::string text =
      absl::StrCat(outcome.file, " -> list ", outcome.list.id.value(),
                   outcome.list.name.empty() ? "" : " (", outcome.list.name,
                   outcome.list.name.empty() ? "" : ")", ", campaign ", outcome.list.campaign);
  if (report.import.valid()) absl::StrAppend(&text, ", import ", report.import.value());
  absl::StrAppend(&text, "\n  encoding   ", report.encoding);
  if (report.encoding_confidence < 1) {
    absl::StrAppendFormat(&text, " (a guess, %.0f %% sure)", 100 * report.encoding_confidence);
  }
  absl::StrAppend(&text, "   layout ", report.layout, "\n", Columns(report));
  AppendCounts(
      report.counts,
      [&report](absl::string_view part) {
        if (part == "rejected") return Reasons(report);
        return part == "filtered out" ? Clauses(report) : std::string();
      },
      text);
  if (report.blank_lines > 0) {
    absl::StrAppend(&text, "  blank lines passed over: ", Grouped(report.blank_lines), "\n");
  }
  for (const std::string& warning : report.warnings) {
    absl::StrAppend(&text, "  note: ", warning, "\n");
  }
  const double seconds = absl::ToDoubleSeconds(outcome.took);
  absl::StrAppendFormat(&text, "  took %.1f s", seconds);
  if (report.counts.rows >= kRowsForARate && seconds > 0) {
    const double rate = static_cast<double>(report.counts.rows) / seconds;
    absl::StrAppend(&text, ", ", Grouped(static_cast<uint64_t>(rate)), " rows a second");
  }
  absl::StrAppend(&text, "\n");
  if (!outcome.reject_path.empty()) {
    absl::StrAppend(&text, "rows that were left out, with reasons: ", outcome.reject_path, "\n");
  }
  return text + WhatNext(outcome);
}

Json ImportJson(const ImportOutcome& outcome) {
  const load::LoadReport& report = outcome.report;
  Json json = {{"import", report.import.value()},
               {"file", outcome.file},
               {"list", outcome.list.id.value()},
               {"campaign", outcome.list.campaign},
               {"already_imported", report.already_imported},
               {"dry_run", outcome.dry_run},
               {"held", report.held},
               {"encoding", report.encoding},
               {"encoding_confidence", report.encoding_confidence},
               {"layout", report.layout},
               {"columns", report.columns},
               {"filter", report.filter}};
  json.update(JsonOf(report.counts));
  json["by_code"] = report.by_code;
  json["by_clause"] = Json::array();
  for (const auto& [clause, count] : report.by_clause) {
    json["by_clause"].push_back({{"clause", clause}, {"rows", count}});
  }
  json["blank_lines"] = report.blank_lines;
  json["warnings"] = report.warnings;
  json["first_rejects"] = Json::array();
  for (size_t i = 0; i < std::min<size_t>(report.rejects.size(), 100); ++i) {
    const load::Reject& reject = report.rejects[i];
    Json one = {{"line", reject.line},
                {"row", reject.row_number},
                {"code", reject.code},
                {"column", reject.column},
                {"reason", reject.reason}};
    if (reject.duplicate_of.valid()) one["duplicate_of"] = reject.duplicate_of.value();
    if (reject.duplicate_of_line > 0) one["duplicate_of_line"] = reject.duplicate_of_line;
    json["first_rejects"].push_back(std::move(one));
  }
  json["seconds"] = absl::ToDoubleSeconds(outcome.took);
  json["rejects_file"] = outcome.reject_path;
  return json;
}

Json ImportJson(const campaign::Import& import) {
  Json json = {{"import", import.id.value()},
               {"state", std::string(campaign::ImportStateName(import.state))},
               {"file", import.file},
               {"file_bytes", import.file_bytes},
               {"content_hash", import.content_hash},
               {"list", import.list.value()},
               {"campaign", import.campaign},
               {"options", import.options},
               {"started_ms", absl::ToUnixMillis(import.started)},
               {"finished_ms", absl::ToUnixMillis(import.finished)}};
  json.update(JsonOf(import.counts));
  json["by_code"] = import.by_code;
  json["first_lead"] = import.first_lead.value();
  json["kept"] = import.kept;
  return json;
}

std::string ImportText(const campaign::Import& import) {
  std::string text = absl::StrFormat(
      "import %d  %s  %s  into list %d, campaign %s\n  %s bytes, %s\n  from %s to %s UTC\n",
      import.id.value(), campaign::ImportStateName(import.state), import.file, import.list.value(),
      import.campaign, Grouped(import.file_bytes), import.options,
      TimeText(import.started, absl::UTCTimeZone()),
      TimeText(import.finished, absl::UTCTimeZone()));
  AppendCounts(
      import.counts,
      [&import](absl::string_view part) {
        std::string codes;
        if (part != "rejected") return codes;
        for (const auto& [code, count] : import.by_code) {
          if (!absl::StartsWith(code, "E_")) continue;
          absl::StrAppendFormat(&codes, "      %10s  %s\n", Grouped(count), code);
        }
        return codes;
      },
      text);
  if (import.counts.accepted > 0) {
    absl::StrAppend(&text, "  leads ", import.first_lead.value(), " to ",
                    import.first_lead.value() + import.counts.accepted - 1, "\n");
  }
  if (import.state != campaign::ImportState::kPublished) {
    absl::StrAppend(&text, "  kept, as they had been dialed: ", Grouped(import.kept), "\n");
  }
  return text;
}

absl::Status ReadDuplicates(absl::string_view text, load::LoadOptions& options) {
  const absl::Status refused = absl::InvalidArgumentError(absl::StrCat(
      "duplicates: '", text.substr(0, 40),
      "' must be none, list, campaign or system, or VICIdial's DUPLIST, DUPCAMP, DUPSYS, with days "
      "as in DUPCAMP30DAY, with ALT as in DUPSYSALT or DUPPHONEALTSYS, or with TITLEALTPHONE or "
      "NAMEPHONE as in "
      "DUPNAMEPHONELIST"));
  std::string word = absl::AsciiStrToUpper(text);
  absl::string_view rest = word;
  options.duplicate_key = load::DuplicateKey::kPhone;
  options.duplicates_alt = false;
  options.duplicates_days = 0;
  if (rest == "NONE") {
    options.duplicates = load::DuplicateCheck::kNone;
    return absl::OkStatus();
  }
  absl::ConsumePrefix(&rest, "DUP");
  if (absl::ConsumePrefix(&rest, "TITLEALTPHONE")) {
    options.duplicate_key = load::DuplicateKey::kTitleAltPhone;
  } else if (absl::ConsumePrefix(&rest, "NAMEPHONE")) {
    options.duplicate_key = load::DuplicateKey::kNamePhone;
  } else if (absl::ConsumePrefix(&rest, "PHONEALT")) {
    options.duplicates_alt = true;
  }
  if (absl::ConsumePrefix(&rest, "LIST")) {
    options.duplicates = load::DuplicateCheck::kList;
  } else if (absl::ConsumePrefix(&rest, "CAMPAIGN") || absl::ConsumePrefix(&rest, "CAMP")) {
    options.duplicates = load::DuplicateCheck::kCampaign;
  } else if (absl::ConsumePrefix(&rest, "SYSTEM") || absl::ConsumePrefix(&rest, "SYS")) {
    options.duplicates = load::DuplicateCheck::kSystem;
  } else {
    return refused;
  }
  if (absl::ConsumePrefix(&rest, "PHONEALT") || absl::ConsumePrefix(&rest, "ALT")) {
    options.duplicates_alt = true;
  }
  if (absl::ConsumeSuffix(&rest, "DAYS") || absl::ConsumeSuffix(&rest, "DAY")) {
    if (!absl::SimpleAtoi(rest, &options.duplicates_days) || options.duplicates_days < 1 ||
        options.duplicates_days > kDaysMax) {
      return refused;
    }
  } else if (!rest.empty()) {
    return refused;
  }
  if (options.duplicates_alt && options.duplicate_key != load::DuplicateKey::kPhone) return refused;
  return absl::OkStatus();
}

}  // namespace outpace::runtime
