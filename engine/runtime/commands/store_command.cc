// store: copies of the data directory's store.

#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "campaign/store/migrate.h"
#include "campaign/store/store_backup.h"
#include "engine/runtime/commands/arguments.h"
#include "engine/runtime/commands/options.h"
#include "engine/runtime/evidence.h"
#include "engine/runtime/real_clock.h"

namespace outpace::runtime {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

constexpr char kUsageLine[] =
    "outpace store checkpoint DIR | backup DIR | backups DIR | restore DIR | verify | migrate";
constexpr char kText[] =
    "Leads, attempts, lists, campaigns, agents and do-not-call numbers; recordings are files of "
    "their\n"
    "own. `backup`, `checkpoint` and `verify` may be run while the engine dials; `restore` and\n"
    "`migrate` need it stopped. docs/IMPORTING.md, section Backup, tells more.\n\n"
    "  outpace store backup /mnt/backup/outpace      adds a backup; what is unchanged is shared\n"
    "  outpace store backups /mnt/backup/outpace     those that are there\n"
    "  outpace store restore /mnt/backup/outpace     the latest, or --backup N\n"
    "  outpace store checkpoint /var/lib/outpace-now a store of its own, made in a moment\n"
    "  outpace store verify                          reads everything and checks every index\n"
    "  outpace store migrate                         brings an older store up to date\n";

std::string TimeOf(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, absl::UTCTimeZone());
}

int Backups(const std::string& directory) {
  auto all = store::ListBackups(directory);
  if (!all.ok()) return Fail(all.status());
  std::printf("%-7s %-20s %12s\n", "BACKUP", "WHEN (UTC)", "MB");
  for (const store::BackupInfo& info : *all) {
    std::printf("%-7u %-20s %12.1f\n", info.number, TimeOf(info.at).c_str(),
                static_cast<double>(info.bytes) / 1e6);
  }
  return kDone;
}

int Restore(const Config& config, const std::string& directory, uint32_t number) {
  std::string kept;
  auto restored =
      store::RestoreBackup(directory, number, config.StorePath(), RealClock().Wall(), &kept);
  if (!restored.ok()) return Fail(restored.status());
  std::printf("backup %u of %s is in place\n", restored->number, TimeOf(restored->at).c_str());
  const RealClock clock;
  NullLog no_log;
  auto evidence = Evidence::Open(config, clock, no_log);
  const absl::Status noted =
      !evidence.ok() ? evidence.status()
                     : (*evidence)->Note({"store.restored",
                                          CommandActor(),
                                          {{"path", directory},
                                           {"backup", static_cast<uint64_t>(restored->number)},
                                           {"made_at", TimeOf(restored->at)},
                                           {"kept", kept}}});
  if (!noted.ok()) {
    std::fprintf(stderr, "outpace: the evidence log could not be written: %s\n",
                 std::string(noted.message()).c_str());
  }
  if (!kept.empty()) {
    std::printf("the store that was there is kept: %s; remove it when all is well\n", kept.c_str());
  }
  return kDone;
}

int Migrate(const Config& config) {
  store::MigrationOptions options;
  options.path = config.StorePath();
  options.now = RealClock().Wall();
  uint64_t all = 0;
  options.progress = [&all](uint64_t done, uint64_t about) {
    all = done;
    if (::isatty(STDERR_FILENO) == 1) {
      std::fprintf(stderr, "\r%llu of about %llu leads", static_cast<unsigned long long>(done),
                   static_cast<unsigned long long>(about));
    }
  };
  const absl::Status status = store::MigrateStore(options);
  if (all > 0 && ::isatty(STDERR_FILENO) == 1) std::fputs("\n", stderr);
  if (!status.ok()) return Fail(status);
  if (all == 0) {
    std::printf("%s: up to date\n", options.path.c_str());
    return kDone;
  }
  std::printf(
      "%s: %llu leads brought up to date; as it was before: %s, to be removed when all is "
      "well\n",
      options.path.c_str(), static_cast<unsigned long long>(all),
      store::CheckpointBeforeMigration(options.path).c_str());
  return kDone;
}

}  // namespace

int RunStoreCommand(const Arguments& given) {
  Arguments arguments = given;
  const std::string verb = TakeVerb(arguments);
  Options options(kUsageLine, kText);
  options.Add()("directory", po::value<std::string>(), "where the copy is, or is to be")(
      "backup", po::value<std::string>(), "restore: its number; the latest if not given");
  options.Positional("directory", 1);
  if (auto code = options.Parse(arguments)) return *code;
  const bool with_directory =
      verb == "checkpoint" || verb == "backup" || verb == "backups" || verb == "restore";
  if (!with_directory && verb != "verify" && verb != "migrate") {
    return Misuse(options.usage(), verb.empty() ? "what shall be done?" : "no such verb: " + verb);
  }
  if (with_directory && !options.Has("directory")) {
    return Misuse(options.usage(), "which directory?");
  }
  auto config = LoadConfig(options.ConfigPath());
  if (!config.ok()) return Fail(config.status());
  if (verb == "checkpoint" || verb == "backup") {
    return RunAdmin(options.ConfigPath(), "store." + verb, {{"path", options.Text("directory")}});
  }
  if (verb == "verify") {
    return RunAdmin(options.ConfigPath(), "store.verify", Json::object());
  }
  if (verb == "migrate") return Migrate(*config);
  if (verb == "backups") return Backups(options.Text("directory"));
  uint32_t number = 0;
  if (options.Has("backup") &&
      (!absl::SimpleAtoi(options.Text("backup"), &number) || number == 0)) {
    return Misuse(options.usage(), "--backup is a number; see: outpace store backups DIR");
  }
  return Restore(*config, options.Text("directory"), number);
}

}  // namespace outpace::runtime
