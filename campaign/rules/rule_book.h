#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/rules/rule.h"

namespace outpace::rules {

// One file: the rules of one jurisdiction, of one date.
struct Jurisdiction {
  std::string id;       // "us-tsr"
  std::string version;  // "2026-11-22": the day its values were last looked at
  std::string title;    // "Telemarketing Sales Rule (United States, FTC)"
  bool built_in = true;
  std::vector<Rule> rules;
};

// All jurisdictions there are. Immutable.
class RuleBook {
 public:
  // The built-in files; those of `directory` (empty: none) replace the ones of the same id or add
  // to them. InvalidArgument names every fault with file and line; Unavailable: the directory
  // cannot be read.
  static absl::StatusOr<RuleBook> Load(const std::string& directory);
  // From texts alone, by file name; for tests.
  static absl::StatusOr<RuleBook> Parse(
      const std::vector<std::pair<std::string, std::string>>& files);
  // The built-in files alone, read once. Any thread.
  static const RuleBook& BuiltIn();
  // Those that LoadRules() has put in force; the built-in ones until then. Any thread.
  static const RuleBook& InForce();

  const Jurisdiction* Find(absl::string_view id) const;          // nullptr: none of that id
  const std::vector<Jurisdiction>& all() const { return all_; }  // by id

 private:
  std::vector<Jurisdiction> all_;
};

// Puts an operator's files in force, as RuleBook::Load() says; after an error nothing has changed.
// Before any other thread runs.
absl::Status LoadRules(const std::string& directory);

}  // namespace outpace::rules
