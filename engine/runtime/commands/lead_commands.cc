// lead, campaign, agent, export: clients of Admin.

#include <csignal>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/api/http_client.h"
#include "engine/runtime/commands/arguments.h"
#include "engine/runtime/commands/options.h"
#include "tools/farend/sim_agent.h"

namespace outpace::runtime {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

// What only a running engine knows of a campaign, `page` of docs/API.md: its text, or as it is.
int PrintLive(const Config& config, const std::string& campaign, const std::string& page,
              bool as_json) {
  auto client = api::HttpClient::Create(absl::StrCat("unix:", config.SocketPath()));
  auto response = client->Send("GET", absl::StrCat("/v1/campaigns/", campaign, "/", page));
  if (!response.ok()) {
    return Fail(absl::UnavailableError(
        absl::StrCat("no engine runs on ", config.data_dir, "; start one with: outpace serve")));
  }
  const Json body = Json::parse(response->body, nullptr, false);
  if (response->status != 200 || !body.is_object()) {
    std::string message = absl::StrCat("the engine answered ", response->status);
    if (body.is_object() && body.contains("error")) {
      message = body["error"].value("message", message);
    }
    return Fail(absl::FailedPreconditionError(message));
  }
  std::fputs(as_json ? absl::StrCat(response->body, "\n").c_str()
                     : body.value("text", std::string()).c_str(),
             stdout);
  return kDone;
}

}  // namespace

int RunCampaignCommand(const Arguments& given) {
  Arguments arguments = given;
  const std::string verb = TakeVerb(arguments);
  Options options(
      "outpace campaign list|show|create|set|start|pause|recheck|why|funnel|contracts [ID] "
      "[NAME=VALUE "
      "...]",
      "Settings have VICIdial's names; docs/CAMPAIGNS.md explains each. `why` says why the "
      "campaign\n"
      "places as many calls as it does, and lists its last decisions; `funnel` counts the leads "
      "that\n"
      "each rule holds back now, and says when the next may be dialed. `recheck` looks anew at "
      "leads\n"
      "that a rule holds back until some hour, as after a clock that was wrong. `contracts` shows\n"
      "each limit on abandoned calls: what is counted, and how many more may be lost.\n\n"
      "  outpace campaign create DEMO dial_method=ADAPT_HARD_LIMIT trunk=carrier\n"
      "  outpace campaign set DEMO adaptive_dropped_percentage=2 local_call_time=09:00-20:00\n"
      "  outpace campaign start DEMO\n"
      "  outpace campaign why DEMO --last 30\n"
      "  outpace campaign funnel DEMO\n");
  options.Add()("id", po::value<std::string>(), "campaign")(
      "set", po::value<std::vector<std::string>>(), "NAME=VALUE")(
      "last", po::value<int>()->default_value(10), "why: decisions to list, 0 to 600")(
      "json", "why, funnel, contracts: as docs/API.md has it");
  options.Positional("id", 1);
  options.Positional("set", -1);
  if (auto code = options.Parse(arguments)) return *code;
  if (verb == "why" || verb == "contracts") {
    if (!options.Has("id")) return Misuse(options.usage(), "which campaign?");
    auto config = LoadConfig(options.ConfigPath());
    if (!config.ok()) return Fail(config.status());
    const std::string page =
        verb == "why" ? absl::StrCat("why?last=", options.Get<int>("last")) : verb;
    return PrintLive(*config, options.Text("id"), page, options.Has("json"));
  }
  if (verb == "funnel") {
    if (!options.Has("id")) return Misuse(options.usage(), "which campaign?");
    Json json = Json::object();
    Copy(options, {"id"}, json);
    return PrintAnswer(AskAdmin(options.ConfigPath(), "campaign.funnel", json),
                       options.Has("json"));
  }
  static const std::vector<std::string> kVerbs = {"list",  "show",  "create", "set",
                                                  "start", "pause", "recheck"};
  if (std::find(kVerbs.begin(), kVerbs.end(), verb) == kVerbs.end()) {
    return Misuse(options.usage(), verb.empty() ? "what shall be done?" : "no such verb: " + verb);
  }
  Json json = Json::object();
  Copy(options, {"id"}, json);
  json["set"] = Json::object();
  if (const std::string bad = ReadPairs(options.Texts("set"), json["set"]); !bad.empty()) {
    return Misuse(options.usage(), "write NAME=VALUE: " + bad);
  }
  return RunAdmin(options.ConfigPath(), "campaign." + verb, json);
}

int RunLeadCommand(const Arguments& given) {
  Arguments arguments = given;
  const std::string verb = TakeVerb(arguments);
  if (verb == "lists" || verb == "list-on" || verb == "list-off") {
    // As these were called first.
    arguments.insert(arguments.begin(), verb == "lists"     ? "show"
                                        : verb == "list-on" ? "activate"
                                                            : "deactivate");
    return RunListCommand(arguments);
  }
  if (verb == "import") return RunImportCommand(arguments);
  if (verb == "filter") return RunLeadFilterCommand(arguments);
  Options options(
      "outpace lead show|why LEAD | search [TEXT] | filter NAME|EXPRESSION | counts",
      "LEAD is a lead's id or a telephone number in any spelling; a number of eight digits or "
      "more\n"
      "is looked for as both, id:N as an id only. `search` looks for a number, a vendor lead "
      "code,\n"
      "or the beginning of a name or company.\n\n"
      "  outpace lead show 202-555-0100         every field, the number's facts, all attempts\n"
      "  outpace lead why id:12345678           every reason that holds the lead back now\n"
      "  outpace lead search 华强 --list 101    leads by name or company\n"
      "  outpace lead search --import 7 --status NEW\n"
      "  outpace lead filter 'state = \"CA\"' --campaign DEMO --explain   (see its own --help)\n"
      "  outpace lead counts                    leads by campaign and status\n");
  options.Add()("lead", po::value<std::string>(), "lead id or number; of search: what to look for")(
      "country", po::value<std::string>(), "home of numbers without country code")(
      "status", po::value<std::string>(), "search: only leads of this status")(
      "list", po::value<std::string>(), "search: only leads of this list")(
      "campaign", po::value<std::string>(), "search: only leads of this campaign")(
      "import", po::value<std::string>(), "search: only leads of this import")(
      "limit", po::value<std::string>(), "search: show so many at most (100)")(
      "scan", po::value<std::string>(), "search: look at so many leads at most (2000000)")(
      "json", "everything, as JSON");
  options.Positional("lead", 1);
  if (auto code = options.Parse(arguments)) return *code;
  if (verb != "why" && verb != "show" && verb != "counts" && verb != "search") {
    return Misuse(options.usage(), verb.empty() ? "what shall be done?" : "no such verb: " + verb);
  }
  Json json = Json::object();
  Copy(options, {"lead", "country", "status", "list", "campaign", "import", "limit", "scan"}, json);
  return PrintAnswer(AskAdmin(options.ConfigPath(), "lead." + verb, json), options.Has("json"));
}

int RunAgentCommand(const Arguments& given) {
  Arguments arguments = given;
  // Simulated agents are a program of their own: all further options are theirs.
  if (std::find(arguments.begin(), arguments.end(), "--simulate") != arguments.end()) {
    return farend::RunSimulatedAgents(arguments);
  }
  const std::string verb = TakeVerb(arguments);
  Options options(
      "outpace agent list | add USER --password WORD --phone sip:USER@ADDRESS:PORT | --simulate N",
      "The engine rings the agent's phone at login and keeps the line (a nailed-up line); calls "
      "come\n"
      "in on it without ringing. `--simulate N --help` tells about software agents for tests.\n\n"
      "  outpace agent add anna --password secret --phone sip:anna@192.0.2.7:5060 --name 'Anna "
      "B.'\n");
  options.Add()("user", po::value<std::string>(), "login name, 20 characters at most")(
      "password", po::value<std::string>(), "password")(
      "name", po::value<std::string>(), "full name")("phone", po::value<std::string>(),
                                                     "SIP address of the agent's phone");
  options.Positional("user", 1);
  if (auto code = options.Parse(arguments)) return *code;
  Json json = Json::object();
  Copy(options, {"user", "password", "name", "phone"}, json);
  if (verb != "add" && verb != "list") {
    return Misuse(options.usage(), verb.empty() ? "what shall be done?" : "no such verb: " + verb);
  }
  return RunAdmin(options.ConfigPath(), "agent." + verb, json);
}

namespace {

int RunScheduleCommand(Arguments arguments) {
  const std::string verb = TakeVerb(arguments);
  Options options(
      "outpace export schedule add NAME SETTING=VALUE... | list | remove NAME | run NAME [day=DAY]",
      "Exports that the running engine makes once a day and delivers. Settings: what (calls,\n"
      "abandons, agents, leads), at (06:30), zone (IANA; default UTC), day (yesterday, the\n"
      "default, or today), to (a directory, sftp://user@host/directory/ or\n"
      "https://host/directory/), file (default {name}-{day}.csv), layout, format, campaign,\n"
      "credentials (a file, chmod 600, with user:password or an SSH key), known_hosts (SFTP: a\n"
      "file with the server's key). A failed run comes again after 1, 5 and 30 minutes.\n\n"
      "  outpace export schedule add daily what=calls at=06:30 zone=America/New_York \\\n"
      "    to=sftp://outpace@files.example.com/in/ credentials=/etc/outpace/sftp.key \\\n"
      "    known_hosts=/etc/outpace/known_hosts\n"
      "  outpace export schedule run daily day=2026-11-21\n");
  options.Add()("name", po::value<std::string>(), "name of the schedule")(
      "setting", po::value<std::vector<std::string>>(), "SETTING=VALUE")("json", "list: as JSON");
  options.Positional("name", 1);
  options.Positional("setting", -1);
  if (auto code = options.Parse(arguments)) return *code;
  Json settings = Json::object();
  if (const std::string bad = ReadPairs(options.Texts("setting"), settings); !bad.empty()) {
    return Misuse(options.usage(), "settings are written NAME=VALUE");
  }
  if (verb == "list") {
    return PrintAnswer(AskAdmin(options.ConfigPath(), "export.schedule.list", Json::object()),
                       options.Has("json"));
  }
  if (verb != "add" && verb != "remove" && verb != "run") {
    return Misuse(options.usage(), verb.empty() ? "what shall be done?" : "no such verb: " + verb);
  }
  if (!options.Has("name")) return Misuse(options.usage(), "which schedule?");
  Json json = verb == "run" ? settings : Json::object();
  json["name"] = options.Text("name");
  if (verb == "add") json["schedule"] = settings;
  // A server that closes the connection is an error of the delivery, not the end of the program.
  std::signal(SIGPIPE, SIG_IGN);
  return RunAdmin(options.ConfigPath(), "export.schedule." + verb, json);
}

}  // namespace

int RunExportCommand(const Arguments& given) {
  Arguments arguments = given;
  const std::string verb = TakeVerb(arguments);
  if (verb == "schedule") return RunScheduleCommand(std::move(arguments));
  Options options(
      "outpace export calls|abandons|agents|events|leads FILE | summary [--day DAY | --from DAY "
      "--to DAY] "
      "| "
      "schedule add|list|remove|run",
      "calls: one row an attempt; layouts vicidial, vicidial-extended, five9, cn (Chinese) and\n"
      "outpace (default: all columns, VICIdial's first). abandons: evidence of each abandoned\n"
      "call. agents: times and figures of each agent. events: what happened, one a line, from\n"
      "which all reports can be made again. leads: a list as VICIdial has it, which\n"
      "`outpace import` reads again. Days are those of --zone. FILE.columns.json says what each\n"
      "column means (docs/EXPORT.md). The same range gives the same bytes. The file appears whole\n"
      "or not at all; its name chooses the format: .csv, .jsonl, .xlsx, and .zst behind the first\n"
      "two.\n\n"
      "  outpace export calls calls.csv --day yesterday --zone America/New_York --bom\n"
      "  outpace export calls calls.xlsx --day yesterday --layout vicidial-extended\n"
      "  outpace export calls 明细.csv --layout cn --zone Asia/Shanghai --bom\n"
      "  outpace export calls calls.jsonl.zst --from 2026-11-01 --to 2026-11-30\n"
      "  outpace export abandons abandons.csv --campaign DEMO --from 2026-11-01\n"
      "  outpace export leads list.txt --list 101 --layout vicidl\n"
      "  outpace export leads list.csv --list 101 --layout outpace --bom\n");
  options.Add()("file", po::value<std::string>(), "file to write")(
      "day", po::value<std::string>(), "2026-11-21, today (default) or yesterday")(
      "from", po::value<std::string>(), "first day")("to", po::value<std::string>(), "last day")(
      "zone", po::value<std::string>(), "IANA time zone of the days and times (default UTC)")(
      "campaign", po::value<std::string>(), "only this campaign")("list", po::value<std::string>(),
                                                                  "leads: only this list")(
      "layout", po::value<std::string>(),
      "calls: outpace (default), vicidial, vicidial-extended, five9, cn; leads: vicidl (default), "
      "standard, stdrankowner, outpace")("format", po::value<std::string>(),
                                         "csv, jsonl, xlsx; default: as the file's name ends")(
      "zstd", "compress; default: if the file's name ends in .zst")(
      "encoding", po::value<std::string>(), "leads: utf-8 (default), gb18030, ...")(
      "raw", "leads: texts that a spreadsheet would run as they are, without an apostrophe")(
      "bom", "begin with a byte order mark, for spreadsheets");
  options.Positional("file", 1);
  if (auto code = options.Parse(arguments)) return *code;
  Json json = Json::object();
  Copy(options, {"day", "from", "to", "zone", "campaign", "list", "layout", "encoding", "format"},
       json);
  json["bom"] = options.Has("bom");
  json["zstd"] = options.Has("zstd");
  json["raw"] = options.Has("raw");
  if (verb == "summary") return RunAdmin(options.ConfigPath(), "summary", json);
  if (verb != "calls" && verb != "abandons" && verb != "agents" && verb != "events" &&
      verb != "leads") {
    return Misuse(options.usage(),
                  verb.empty() ? "what shall be exported?" : "no such export: " + verb);
  }
  if (!options.Has("file")) return Misuse(options.usage(), "which file shall be written?");
  json["path"] = options.Text("file");
  return RunAdmin(options.ConfigPath(), "export." + verb, json);
}

}  // namespace outpace::runtime
