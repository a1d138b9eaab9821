#pragma once

// The command line. Each subcommand is a row of a table with its help; most are clients of Admin,
// through the control socket when an engine runs and on the store itself when none does.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/runtime/config.h"

namespace outpace::runtime {

using Arguments = std::vector<std::string>;

struct Command {
  const char* name;
  const char* summary;           // one line for `outpace --help`
  int (*run)(const Arguments&);  // arguments after the name; the process's exit code
  const char* words;             // subcommands and long options, for shell completion
};
const std::vector<Command>& Commands();

// Exit codes: 0 done, 1 refused or failed (the message says why), 2 wrong usage.
inline constexpr int kDone = 0, kFailed = 1, kUsage = 2;
int Fail(const absl::Status& status);  // prints "outpace: <message>" to stderr
int Misuse(absl::string_view command, absl::string_view what);

// Runs one operation of Admin and prints its text. `config_path` as given by --config.
int RunAdmin(const std::string& config_path, absl::string_view operation,
             const nlohmann::ordered_json& arguments);
absl::StatusOr<nlohmann::ordered_json> AskAdmin(const std::string& config_path,
                                                absl::string_view operation,
                                                const nlohmann::ordered_json& arguments);

// $OUTPACE_CONFIG, else outpace.toml in the working directory.
std::string DefaultConfigPath();

int RunServeCommand(const Arguments& arguments);
int RunCheckConfigCommand(const Arguments& arguments);
int RunImportCommand(const Arguments& arguments);
int RunTemplateCommand(const Arguments& arguments);
int RunTierCommand(const Arguments& arguments);
int RunQaCommand(const Arguments& arguments);
int RunListCommand(const Arguments& arguments);
int RunCampaignCommand(const Arguments& arguments);
int RunLeadCommand(const Arguments& arguments);
int RunLeadFilterCommand(const Arguments& arguments);  // `lead filter`
int RunFilterCommand(const Arguments& arguments);
int RunDedupCommand(const Arguments& arguments);
int RunStoreCommand(const Arguments& arguments);
int RunEraseCommand(const Arguments& arguments);
int RunDncCommand(const Arguments& arguments);
int RunDncRulesCommand(const Arguments& arguments);     // `dnc rules`
int RunDncRegistryCommand(const Arguments& arguments);  // `dnc registry`
int RunAgentCommand(const Arguments& arguments);
int RunExportCommand(const Arguments& arguments);
int RunStatusCommand(const Arguments& arguments);
bool IsStatusesVerb(const Arguments& arguments);     // it is about statuses of leads
int RunStatusesCommand(const Arguments& arguments);  // `status list` and so on
int RunCarrierCommand(const Arguments& arguments);
int RunSimulateCommand(const Arguments& arguments);
int RunTraceCommand(const Arguments& arguments);
int RunMediaCommand(const Arguments& arguments);
int RunAuditCommand(const Arguments& arguments);
int RunRecordingCommand(const Arguments& arguments);
int RunMonitorCommand(const Arguments& arguments);
int RunCompletionCommand(const Arguments& arguments);

}  // namespace outpace::runtime
