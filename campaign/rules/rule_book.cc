#include "campaign/rules/rule_book.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "campaign/rules/file_reader.h"
#include "engine/base/check.h"

extern "C" {
struct OutpaceRuleFile {
  const char* name;
  const char* begin;
  const char* end;
};
extern const OutpaceRuleFile outpace_rule_files_begin[];
extern const OutpaceRuleFile outpace_rule_files_end[];
}

namespace outpace::rules {
namespace {

namespace fs = std::filesystem;
using Files = std::vector<std::pair<std::string, std::string>>;

std::atomic<const RuleBook*> in_force = nullptr;

Files BuiltInFiles() {
  Files files;
  for (const OutpaceRuleFile* file = outpace_rule_files_begin; file != outpace_rule_files_end;
       ++file) {
    files.emplace_back(file->name, std::string(file->begin, file->end));
  }
  return files;
}

absl::StatusOr<Files> FilesOf(const std::string& directory) {
  Files files;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() != ".toml") continue;
    std::ifstream file(entry->path());
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) {
      return absl::UnavailableError(absl::StrCat(entry->path().string(), ": cannot be read"));
    }
    files.emplace_back(entry->path().string(), text.str());
  }
  if (error) {
    return absl::UnavailableError(absl::StrCat(directory, ": ", error.message()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Reads files into jurisdictions by id; a later one takes the place of an earlier one only where
// `replaces` says so.
void Read(const Files& files, bool built_in, std::map<std::string, Jurisdiction>& by_id,
          std::vector<std::string>& faults) {
  std::set<std::string> here;
  for (const auto& [name, text] : files) {
    Jurisdiction each = internal::ReadJurisdiction(text, name, &faults);
    each.built_in = built_in;
    if (each.id.empty()) continue;
    if (!here.insert(each.id).second) {
      faults.push_back(absl::StrCat(name, ": another file has the id '", each.id, "' too"));
    }
    const std::string id = each.id;
    by_id[id] = std::move(each);
  }
}

// A rule's id stands in records: no two jurisdictions may use one.
void CheckIds(const std::map<std::string, Jurisdiction>& by_id, std::vector<std::string>& faults) {
  std::map<std::string, std::string> owner;
  for (const auto& [id, jurisdiction] : by_id) {
    for (const Rule& rule : jurisdiction.rules) {
      const auto [other, added] = owner.insert({rule.id, id});
      if (!added && other->second != id) {
        faults.push_back(
            absl::StrCat("rule id '", rule.id, "' is in ", other->second, " and in ", id));
      }
    }
  }
}

absl::StatusOr<std::vector<Jurisdiction>> Collect(std::map<std::string, Jurisdiction> by_id,
                                                  std::vector<std::string> faults) {
  if (faults.empty()) CheckIds(by_id, faults);
  if (!faults.empty()) return absl::InvalidArgumentError(absl::StrJoin(faults, "\n"));
  std::vector<Jurisdiction> all;
  for (auto& [id, jurisdiction] : by_id) all.push_back(std::move(jurisdiction));
  return all;
}

}  // namespace

absl::StatusOr<RuleBook> RuleBook::Load(const std::string& directory) {
  std::map<std::string, Jurisdiction> by_id;
  std::vector<std::string> faults;
  Read(BuiltInFiles(), true, by_id, faults);
  if (!directory.empty()) {
    absl::StatusOr<Files> files = FilesOf(directory);
    if (!files.ok()) return files.status();
    Read(*files, false, by_id, faults);
  }
  absl::StatusOr<std::vector<Jurisdiction>> all = Collect(std::move(by_id), std::move(faults));
  if (!all.ok()) return all.status();
  RuleBook book;
  book.all_ = *std::move(all);
  return book;
}

absl::StatusOr<RuleBook> RuleBook::Parse(const Files& files) {
  std::map<std::string, Jurisdiction> by_id;
  std::vector<std::string> faults;
  Read(files, false, by_id, faults);
  absl::StatusOr<std::vector<Jurisdiction>> all = Collect(std::move(by_id), std::move(faults));
  if (!all.ok()) return all.status();
  RuleBook book;
  book.all_ = *std::move(all);
  return book;
}

const RuleBook& RuleBook::BuiltIn() {
  static const RuleBook* const book = [] {
    absl::StatusOr<RuleBook> loaded = Load("");
    OUTPACE_CHECK(loaded.ok());  // the files are our own, and a test reads them
    return new RuleBook(*std::move(loaded));
  }();
  return *book;
}

const RuleBook& RuleBook::InForce() {
  const RuleBook* const book = in_force.load(std::memory_order_acquire);
  return book != nullptr ? *book : BuiltIn();
}

absl::Status LoadRules(const std::string& directory) {
  absl::StatusOr<RuleBook> loaded = RuleBook::Load(directory);
  if (!loaded.ok()) return loaded.status();
  // The one before is kept: whoever has read from it may still hold a reference.
  in_force.store(new RuleBook(*std::move(loaded)), std::memory_order_release);
  return absl::OkStatus();
}

const Jurisdiction* RuleBook::Find(absl::string_view id) const {
  const auto found = std::lower_bound(
      all_.begin(), all_.end(), id,
      [](const Jurisdiction& a, absl::string_view b) { return absl::string_view(a.id) < b; });
  return found != all_.end() && found->id == id ? &*found : nullptr;
}

}  // namespace outpace::rules
