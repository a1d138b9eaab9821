// Operations on do-not-call numbers.

#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "campaign/number_plan.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/files.h"

namespace outpace::runtime {

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

// One number a line; the first cell of a CSV row counts, a heading without digits is passed over.
absl::StatusOr<Json> Admin::Impl::DncImport(const Json& arguments) {
  auto path = Need(arguments, "path");
  if (!path.ok()) return path.status();
  auto bytes = ReadFile(*path);
  if (!bytes.ok()) return bytes.status();
  std::istringstream lines(*bytes);
  std::string line;
  int64_t added = 0, rejected = 0, number = 0;
  std::string bad;
  campaign::StoreBatch batch;
  while (std::getline(lines, line)) {
    ++number;
    std::string cell = line.substr(0, line.find_first_of(",;\t\r"));
    // As spreadsheets write it: a byte order mark first, and numbers in quotes.
    if (number == 1 && absl::StartsWith(cell, "\xEF\xBB\xBF")) cell.erase(0, 3);
    if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') {
      cell = cell.substr(1, cell.size() - 2);
    }
    if (cell.find_first_of("0123456789") == std::string::npos) continue;
    auto entry = DncEntryOf(arguments, cell, absl::StrCat("import ", *path));
    if (!entry.ok()) {
      if (++rejected <= 20) {
        absl::StrAppend(&bad, "  line ", number, ": ", entry.status().message(), "\n");
      }
      continue;
    }
    ++added;
    batch.dnc_added.push_back(*std::move(entry));
  }
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
  auto dnc = LoadDncSet(store);
  if (!dnc.ok()) return dnc.status();
  const dnc::DncMatch match = dnc->Match(entry->phone, entry->campaign);
  if (match == dnc::DncMatch::kNone) return Answer("not listed\n");
  return Answer(absl::StrCat(dnc::DncReason(match), "\n"));
}

}  // namespace outpace::runtime
