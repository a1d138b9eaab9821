// Operations on do-not-call numbers.

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "campaign/number_plan.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/files.h"

namespace outpace::runtime {
namespace {

// Takes the first line off `rest`; it ends with LF, CR LF or CR.
absl::string_view TakeLine(absl::string_view& rest) {
  const size_t end = rest.find_first_of("\r\n");
  const absl::string_view line = rest.substr(0, end);
  rest.remove_prefix(line.size());
  if (!absl::ConsumePrefix(&rest, "\r\n")) rest.remove_prefix(std::min<size_t>(1, rest.size()));
  return line;
}

// What stands in the first cell. Empty: the whole line is; a line whose first cell alone is empty
// is all of it, so that it is told and not passed over.
std::string FirstCell(absl::string_view line) {
  absl::string_view cell = absl::StripAsciiWhitespace(line.substr(0, line.find_first_of(",;\t")));
  // As spreadsheets write it: numbers in quotes.
  if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') {
    cell = absl::StripAsciiWhitespace(cell.substr(1, cell.size() - 2));
  }
  if (!cell.empty()) return std::string(cell);
  return line.find_first_not_of(",;\t\" ") == absl::string_view::npos ? "" : std::string(line);
}

// ASCII or full width.
bool HasDigit(absl::string_view text) {
  if (text.find_first_of("0123456789") != absl::string_view::npos) return true;
  for (size_t i = 0; i + 2 < text.size(); ++i) {
    if (text[i] == '\xEF' && text[i + 1] == '\xBC' && text[i + 2] >= '\x90' &&
        text[i + 2] <= '\x99') {
      return true;
    }
  }
  return false;
}

}  // namespace

absl::Status Admin::Impl::AddDnc(campaign::DncEntry entry) {
  if (hooks.add_dnc) return hooks.add_dnc({std::move(entry)});
  campaign::StoreBatch batch;
  batch.dnc_added.push_back(std::move(entry));
  return store.Commit(batch);
}

absl::StatusOr<campaign::DncEntry> Admin::Impl::DncEntryOf(const Json& arguments,
                                                           const std::string& number,
                                                           const std::string& source) {
  auto phone = campaign::NormalizePhone(number, Text(arguments, "country", "US"));
  if (!phone.ok()) return phone.status();
  const CampaignId campaign = Text(arguments, "campaign");
  if (!campaign.empty()) {
    if (auto known = FindCampaign(campaign); !known.ok()) return known.status();
  }
  campaign::DncEntry entry;
  entry.phone = *phone;
  entry.campaign = campaign;
  entry.source = source;
  entry.added = clock.Wall();
  return entry;
}

absl::StatusOr<Json> Admin::Impl::DncAdd(const Json& arguments) {
  auto number = Need(arguments, "number");
  if (!number.ok()) return number.status();
  auto entry = DncEntryOf(arguments, *number, "command line");
  if (!entry.ok()) return entry.status();
  if (absl::Status s = AddDnc(*std::move(entry)); !s.ok()) return s;
  return Answer("added: the number is not dialed from now on\n");
}

absl::StatusOr<Json> Admin::Impl::DncRemove(const Json& arguments) {
  auto number = Need(arguments, "number");
  if (!number.ok()) return number.status();
  auto entry = DncEntryOf(arguments, *number, "command line");
  if (!entry.ok()) return entry.status();
  if (hooks.remove_dnc) {
    if (absl::Status s = hooks.remove_dnc(*entry); !s.ok()) return s;
  } else {
    campaign::StoreBatch batch;
    batch.dnc_removed.push_back(*entry);
    if (absl::Status s = store.Commit(batch); !s.ok()) return s;
  }
  return Answer("removed\n");
}

// One number a line; the first cell of a CSV row counts. Only the first line with anything in it
// may be a heading; whatever else is no number is told, since it was meant to be one.
absl::StatusOr<Json> Admin::Impl::DncImport(const Json& arguments) {
  auto path = Need(arguments, "path");
  if (!path.ok()) return path.status();
  auto bytes = ReadFile(*path);
  if (!bytes.ok()) return bytes.status();
  int64_t added = 0, rejected = 0, number = 0;
  bool heading_may_come = true;
  std::string bad;
  campaign::StoreBatch batch;
  for (absl::string_view rest = absl::StripPrefix(*bytes, "\xEF\xBB\xBF"); !rest.empty();) {
    ++number;
    const std::string cell = FirstCell(TakeLine(rest));
    if (cell.empty()) continue;
    auto entry = DncEntryOf(arguments, cell, absl::StrCat("import ", *path));
    const bool heading = heading_may_come && !entry.ok() && !HasDigit(cell);
    heading_may_come = false;
    if (heading) continue;
    if (!entry.ok()) {
      if (++rejected <= 20) {
        absl::StrAppend(&bad, "  line ", number, ": ", entry.status().message(), "\n");
      }
      continue;
    }
    ++added;
    batch.dnc_added.push_back(*std::move(entry));
  }
  if (rejected > 20) absl::StrAppend(&bad, "  and ", rejected - 20, " more\n");
  if (!batch.empty()) {
    absl::Status s =
        hooks.add_dnc ? hooks.add_dnc(std::move(batch.dnc_added)) : store.Commit(batch);
    if (!s.ok()) return s;
  }
  Json answer = Answer(absl::StrCat(*path, ": ", added, " numbers added, ", rejected,
                                    " lines not understood\n", bad));
  answer["added"] = added;
  // A number that was meant to be blocked and is not: the command must not look like a success.
  answer["incomplete"] = rejected > 0;
  return answer;
}

absl::StatusOr<Json> Admin::Impl::DncCheck(const Json& arguments) {
  auto number = Need(arguments, "number");
  if (!number.ok()) return number.status();
  auto entry = DncEntryOf(arguments, *number, "");
  if (!entry.ok()) return entry.status();
  auto dnc = DncInForce();
  if (!dnc.ok()) return dnc.status();
  const dnc::DncMatch match = dnc->Match(entry->phone, entry->campaign);
  if (match == dnc::DncMatch::kNone) return Answer("not listed\n");
  return Answer(absl::StrCat(dnc::DncReason(match), "\n"));
}

}  // namespace outpace::runtime
