#pragma once

// What an import came to, for people and as JSON. Every row of the file is in one line of it and
// the lines add up, visibly; what is left to do stands at its end.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/import.h"
#include "campaign/lead.h"
#include "campaign/load/loader.h"

namespace outpace::runtime {

struct ImportOutcome {
  std::string file;  // as the caller named it
  campaign::List list;
  load::LoadReport report;
  absl::Duration took;
  std::string reject_path;  // empty: none was asked for
  bool dry_run = false;
};

// A few dozen lines for a terminal.
std::string ImportText(const ImportOutcome& outcome);
// The same for programs: docs/API.md.
nlohmann::ordered_json ImportJson(const ImportOutcome& outcome);

// Of an import of the past, as the store has it.
nlohmann::ordered_json ImportJson(const campaign::Import& import);
std::string ImportText(const campaign::Import& import);

// How duplicates are told: none, list, campaign, system, or VICIdial's words: DUPLIST, DUPCAMP,
// DUPSYS, DUPCAMP30DAY, DUPSYSALT, DUPTITLEALTPHONELIST, DUPNAMEPHONECAMP60DAY, ... Sets the
// options' duplicate members. InvalidArgument shows examples.
absl::Status ReadDuplicates(absl::string_view text, load::LoadOptions& options);

// "1,234,567".
std::string Grouped(uint64_t number);

}  // namespace outpace::runtime
