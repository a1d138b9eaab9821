// serve, status, check-config, carrier, completion, and the table of all commands.

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "campaign/number_info.h"
#include "campaign/rules/rule_book.h"
#include "engine/api/http_client.h"
#include "engine/runtime/commands/options.h"
#include "engine/runtime/commands/report_command.h"
#include "engine/runtime/serve.h"
#include "engine/runtime/supervisor.h"
#include "tools/farend/carrier.h"

namespace outpace::runtime {
namespace {

namespace po = boost::program_options;

absl::Status PrintBoard(const Config& config) {
  auto client = api::HttpClient::Create(absl::StrCat("unix:", config.SocketPath()));
  auto response = client->Send("GET", "/v1/board/text");
  if (!response.ok()) {
    return absl::UnavailableError(
        absl::StrCat("no engine runs on ", config.data_dir, "; start one with: outpace serve"));
  }
  std::fputs(response->body.c_str(), stdout);
  return absl::OkStatus();
}

}  // namespace

int RunServeCommand(const Arguments& arguments) {
  Options options(
      "outpace serve [--config FILE] [--no-supervisor]",
      "Runs the engine until SIGTERM, then lets calls end (a second SIGTERM ends at once).\n"
      "An engine that crashes is started again at once and ends the calls it had left up.\n"
      "One engine a data directory. docs/outpace.toml is a commented configuration.\n");
  options.Add()("no-supervisor", "run in this process; something else restarts it");
  if (auto code = options.Parse(arguments)) return *code;
  auto config = LoadConfig(options.ConfigPath());
  if (!config.ok()) return Fail(config.status());
  const auto serve = [&config] {
    const absl::Status status = Serve(*config);
    return status.ok() ? kDone : Fail(status);
  };
  return options.Has("no-supervisor") ? serve() : Supervise({}, serve);
}

int RunStatusCommand(const Arguments& arguments) {
  if (IsStatusesVerb(arguments)) return RunStatusesCommand(arguments);
  Options options(
      "outpace status [--config FILE]",
      "Prints the live figures of the running engine, and why it does not dial if so.\n"
      "With a verb (list, set, remove, check, export, import, copy): the statuses of leads and\n"
      "calls; outpace status list --help tells more.\n");
  if (auto code = options.Parse(arguments)) return *code;
  auto config = LoadConfig(options.ConfigPath());
  if (!config.ok()) return Fail(config.status());
  if (absl::Status status = PrintBoard(*config); !status.ok()) return Fail(status);
  return kDone;
}

int RunCheckConfigCommand(const Arguments& arguments) {
  Options options("outpace check-config [--config FILE]",
                  "Reads a configuration and names every fault with its line.\n");
  if (auto code = options.Parse(arguments)) return *code;
  auto config = LoadConfig(options.ConfigPath());
  if (!config.ok()) return Fail(config.status());
  if (!config->number_tables_directory.empty()) {
    absl::Status status = campaign::LoadNumberTables(config->number_tables_directory);
    if (!status.ok()) return Fail(status);
  }
  if (!config->rules_directory.empty()) {
    absl::Status status = rules::LoadRules(config->rules_directory);
    if (!status.ok()) return Fail(status);
  }
  std::printf("%s: good; %zu trunk%s, data in %s\n", options.ConfigPath().c_str(),
              config->trunks.size(), config->trunks.size() == 1 ? "" : "s",
              config->data_dir.c_str());
  return kDone;
}

int RunCarrierCommand(const Arguments& arguments) { return farend::RunCarrier(arguments); }

int RunCompletionCommand(const Arguments& arguments) {
  Options options("outpace completion bash|zsh",
                  "Prints what makes the shell complete outpace's commands.\n\n"
                  "  source <(outpace completion bash)\n");
  options.Add()("shell", po::value<std::string>()->default_value("bash"), "bash or zsh");
  options.Positional("shell", 1);
  if (auto code = options.Parse(arguments)) return *code;
  const std::string shell = options.Text("shell");
  if (shell != "bash" && shell != "zsh")
    return Misuse(options.usage(), "only bash and zsh are known");
  if (shell == "zsh") std::printf("autoload -U bashcompinit; bashcompinit\n");
  std::printf("_outpace() {\n  local cur=${COMP_WORDS[COMP_CWORD]}\n  case ${COMP_WORDS[1]} in\n");
  std::string names;
  for (const Command& command : Commands()) {
    absl::StrAppend(&names, names.empty() ? "" : " ", command.name);
    std::printf("    %s) COMPREPLY=($(compgen -f -W '%s --config --help' -- \"$cur\"));;\n",
                command.name, command.words);
  }
  std::printf("    *) COMPREPLY=($(compgen -W '%s --help --version' -- \"$cur\"));;\n  esac\n}\n",
              names.c_str());
  std::printf("complete -F _outpace outpace\n");
  return kDone;
}

const std::vector<Command>& Commands() {
  static const std::vector<Command> kCommands = {
      {"serve", "run the engine", RunServeCommand, "--no-supervisor"},
      {"import", "load a list of leads; show and take back imports", RunImportCommand,
       "list show undo --campaign --list --layout --encoding --format --sheet --country --template "
       "--map --duplicates --filter --to --rejects --dry-run --again --hold --no-scrub --json"},
      {"template", "how a kind of list file is read, under a name", RunTemplateCommand,
       "list show set remove --from --description --layout --encoding --format --sheet --country "
       "--separator --duplicates --filter --map --to --json"},
      {"list", "lists of leads: make, show, switch, expire, archive, reset", RunListCommand,
       "show create set activate deactivate reset expire archive unarchive --campaign --all "
       "--json"},
      {"campaign", "make, change, start and pause campaigns; say why they dial as they do",
       RunCampaignCommand,
       "list show create set start pause recheck why funnel contracts --last --json"},
      {"tier", "which leads come first, learned from results: show, explain, try a challenger",
       RunTierCommand, "show explain challenge end-trial --fields --profile --share --json"},
      {"qa", "quality of calls: which recordings to hear, score sheets, scores, report",
       RunQaCommand,
       "sample sheet score list report set --campaign --agent --day --from --to --zone --rule "
       "--file --pass --sheet --by --comment --json"},
      {"lead", "find leads; say why one is not dialed", RunLeadCommand,
       "show why search counts filter import --explain --country --status --list --campaign "
       "--import --limit --scan "
       "--json"},
      {"filter", "filters with a name: make, show, their history", RunFilterCommand,
       "list set show history remove --field --version --json"},
      {"dedup", "leads that are one: find, review, merge, undo", RunDedupCommand,
       "run apply history undo --campaign --list --import --kind --same --review --to --merge "
       "--last --lead --json"},
      {"dnc", "do-not-call entries and their log; registries; rules of jurisdictions",
       RunDncCommand,
       "add remove import export check list diff log registry verify rules show --campaign "
       "--client "
       "--state --litigator --scope --reason --source --expires --country --limit --out --from "
       "--to "
       "--zone --number --obtained --json"},
      {"store", "copies of the data: checkpoint, backup, restore, verify, migrate", RunStoreCommand,
       "checkpoint backup backups restore verify migrate --backup"},
      {"erase", "erase a person by number", RunEraseCommand, "--country --reason --missing-ok"},
      {"agent", "agents: add, list, simulate", RunAgentCommand,
       "add list --simulate --password --phone --name"},
      {"export", "call results, leads, and the day's summary", RunExportCommand,
       "calls abandons agents leads summary schedule --day --from --to --zone --campaign --list --layout --encoding --raw "
       "--bom"},
      {"report", "reports on calls, agents, lists, trunks and limits, with their definitions",
       RunReportCommand,
       "list campaign lists agents intervals abandonment trunks causes daily-cn kpi --day --from "
       "--to "
       "--zone --campaign --list --interval --format --lang --out"},
      {"status", "live figures of the running engine; what statuses mean and do", RunStatusCommand,
       "list set remove check export import copy --campaign --from --to --own --replace --dry-run "
       "--json"},
      {"trace", "the SIP of one attempt: ladder, JSON, capture file", RunTraceCommand,
       "--attempt --call-id --json --pcap --show-numbers"},
      {"monitor", "listen to an agent, coach, break in", RunMonitorCommand,
       "start mode stop list --agent --phone --mode --id"},
      {"recording", "find, export, check and erase recordings; keys", RunRecordingCommand,
       "list export verify erase retain key --attempt --lead --number --agent --campaign --from "
       "--to --zone --country --limit --json --show-numbers --out --reason --days --apply --all "
       "--unverified"},
      {"audit", "the evidence log: check it, export it, note its head", RunAuditCommand,
       "verify export abandons head --head --directory --no-key --day --from --to --zone --kind "
       "--campaign --format --out --unverified"},
      {"media", "network announcements: teach them, show and try a set", RunMediaCommand,
       "learn show test forget --set --class --name --country"},
      {"carrier", "a far end for demos and tests, on loopback", RunCarrierCommand,
       "--listen --scenario --log --duration"},
      {"simulate", "the whole dialer in virtual time, from one seed", RunSimulateCommand,
       "--seed --agents --minutes --answer-ratio --talk --wrap --limit"},
      {"check-config", "check a configuration file", RunCheckConfigCommand, ""},
      {"completion", "print completion for bash or zsh", RunCompletionCommand, "bash zsh"},
  };
  return kCommands;
}

}  // namespace outpace::runtime
