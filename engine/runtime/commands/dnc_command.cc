// dnc: entries of the do-not-call lists, one by one and in files; two copies of a registry
// compared; the log of changes. `dnc registry` and `dnc rules` have files of their own.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "campaign/calling_window.h"
#include "campaign/number_plan.h"
#include "campaign/registry_line.h"
#include "dnc/registry_file.h"
#include "dnc/registry_text.h"
#include "engine/audit/verify.h"
#include "engine/runtime/commands/arguments.h"
#include "engine/runtime/files.h"

namespace outpace::runtime {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

constexpr char kUsageLine[] =
    "outpace dnc add|remove NUMBER|RANGE | check NUMBER | list | import FILE | export FILE|- | "
    "diff "
    "OLD NEW | log | registry ... | rules ...";
constexpr char kText[] =
    "From the moment `add` or `import` says so, the number is not dialed, and a call to\n"
    "it that nobody has answered is cancelled. An entry stands in one list: that of the system\n"
    "(if nothing else is said), of a --campaign, a --client, a --state, or that of litigators.\n"
    "RANGE: +1900*. docs/DO-NOT-CALL.md tells of files.\n\n"
    "  outpace dnc add '+1 202 555 0100' --reason 'asked by mail'\n"
    "  outpace dnc add '+1900*' --client ACME --expires 2027-06-30\n"
    "  outpace dnc check 202-555-0100                        every list that has it\n"
    "  outpace dnc import asked.csv --reason 'list of May'\n"
    "  outpace dnc export - --scope state:FL\n"
    "  outpace dnc diff 2026-10.txt 2026-11.txt --out changes.txt\n"
    "  outpace dnc log --from 2026-11-01 --number 202-555-0100   who changed what, when and why\n"
    "  outpace dnc registry add us-national 2026-11-*.txt    whole lists (see its own --help)\n"
    "  outpace dnc rules show us-tsr us-states               (see its own --help)\n";

// A directory that goes with what is in it.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    const char* const place = std::getenv("TMPDIR");
    path_ = absl::StrCat(place == nullptr ? "/tmp" : place, "/outpace-dnc-XXXXXX");
    if (::mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~ScratchDirectory() {
    for (const std::string& file : files_) ::unlink(file.c_str());
    if (!path_.empty()) ::rmdir(path_.c_str());
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  bool made() const { return !path_.empty(); }
  std::string Add(absl::string_view name) {
    files_.push_back(absl::StrCat(path_, "/", name));
    return files_.back();
  }

 private:
  std::string path_;
  std::vector<std::string> files_;
};

using RegistryPointer = std::shared_ptr<const dnc::RegistryFile>;

// A registry that is one already, or the text it is given out as, made into one.
absl::StatusOr<RegistryPointer> OpenEither(const std::string& path, const std::string& country,
                                           const std::string& scratch, bool& incomplete) {
  if (absl::EndsWith(path, ".dnc")) return dnc::RegistryFile::Open(path);
  dnc::NumberSet numbers;
  auto lines = dnc::ReadRegistryText(
      path, [&](absl::string_view line) { return campaign::RegistryNumber(line, country).value(); },
      numbers);
  if (!lines.ok()) return lines.status();
  if (lines->rejected > 0) {
    incomplete = true;
    std::printf("%s: no number in %llu lines: %s%s\n", path.c_str(),
                static_cast<unsigned long long>(lines->rejected),
                absl::StrJoin(lines->first_rejected, ", ").c_str(),
                lines->rejected > lines->first_rejected.size() ? ", ..." : "");
  }
  absl::Status written =
      dnc::WriteRegistryFile(numbers, {"compared", path, absl::CivilDay()}, scratch);
  if (!written.ok()) return written;
  return dnc::RegistryFile::Open(scratch);
}

int Diff(const Options& options) {
  const std::vector<std::string> paths = options.Texts("what");
  if (paths.size() != 2) return Misuse(options.usage(), "which two files? OLD and NEW");
  ScratchDirectory scratch;
  if (!scratch.made()) return Fail(absl::UnavailableError("no temporary directory can be made"));
  const std::string country = options.Has("country") ? options.Text("country") : "US";
  bool incomplete = false;
  auto before = OpenEither(paths[0], country, scratch.Add("old"), incomplete);
  if (!before.ok()) return Fail(before.status());
  auto after = OpenEither(paths[1], country, scratch.Add("new"), incomplete);
  if (!after.ok()) return Fail(after.status());
  std::unique_ptr<AtomicFile> out;
  if (options.Has("out")) {
    auto file = AtomicFile::Create(options.Text("out"));
    if (!file.ok()) return Fail(file.status());
    out = *std::move(file);
  }
  uint64_t added = 0, removed = 0;
  absl::Status written;
  dnc::DiffRegistries(**before, **after, [&](uint64_t number, bool is_new) {
    ++(is_new ? added : removed);
    if (out != nullptr && written.ok()) {
      written = out->Write(absl::StrCat(is_new ? "+ +" : "- +", number, "\n"));
    }
  });
  if (out != nullptr && written.ok()) written = out->Commit();
  if (!written.ok()) return Fail(written);
  std::printf("%llu numbers before, %llu after: %llu are new, %llu are gone\n",
              static_cast<unsigned long long>((*before)->size()),
              static_cast<unsigned long long>((*after)->size()),
              static_cast<unsigned long long>(added), static_cast<unsigned long long>(removed));
  return incomplete ? kFailed : kDone;
}

absl::StatusOr<absl::Time> DayOf(const std::string& text, absl::TimeZone zone, bool end) {
  absl::CivilDay day;
  if (!absl::ParseCivilTime(text, &day)) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' is no day; write 2026-11-21"));
  }
  return absl::FromCivil(end ? day + 1 : day, zone);
}

absl::StatusOr<audit::EventQuery> QueryOf(const Options& options) {
  audit::EventQuery query;
  query.kinds = {"dnc.", "erase.blocked"};
  absl::TimeZone zone = absl::UTCTimeZone();
  if (options.Has("zone")) {
    auto found = campaign::FindTimeZone(options.Text("zone"));
    if (!found.ok()) return found.status();
    zone = *found;
  }
  for (const bool end : {false, true}) {
    const char* const name = end ? "to" : "from";
    if (!options.Has(name)) continue;
    auto time = DayOf(options.Text(name), zone, end);
    if (!time.ok()) return time.status();
    (end ? query.to : query.from) = *time;
  }
  return query;
}

// The evidence log's events on do-not-call lists; `audit verify` proves that they are all there.
int PrintLog(const Options& options) {
  auto config = LoadConfig(options.ConfigPath());
  if (!config.ok()) return Fail(config.status());
  auto query = QueryOf(options);
  if (!query.ok()) return Fail(query.status());
  std::optional<std::string> mark;
  if (options.Has("number")) {
    const std::string country = options.Has("country") ? options.Text("country") : "US";
    auto phone = campaign::NormalizePhone(options.Text("number"), country);
    if (!phone.ok()) return Fail(phone.status());
    auto key = audit::SealKey::Load(config->AuditKeyPath());
    if (!key.ok()) return Fail(key.status());
    mark = key->MarkOf(phone->ToString());
  }
  auto files = audit::NewPosixAuditFiles(config->AuditPath(), /*read_only=*/true);
  if (!files.ok()) return Fail(files.status());
  uint64_t events = 0;
  const absl::Status read = audit::ForEachEvent(
      **files, *query, [&](const audit::StoredEvent& stored, absl::string_view line) {
        const audit::Event& event = stored.event;
        if (mark.has_value() && audit::TextOf(event, "number_mark") != *mark) return true;
        ++events;
        if (options.Has("json")) {
          std::printf("%s\n", std::string(line).c_str());
          return true;
        }
        std::printf("%s  %s  %s", audit::TimeText(event.at).c_str(), event.kind.c_str(),
                    event.actor.c_str());
        for (const audit::Field& field : event.about) {
          std::printf("  %s=%s", field.name.c_str(),
                      audit::Quoted(audit::ValueText(field.value)).c_str());
        }
        std::printf("\n");
        return true;
      });
  if (!read.ok()) return Fail(read);
  if (events == 0 && !options.Has("json")) std::printf("no changes\n");
  return kDone;
}

// The engine or the store writes a file; it is printed and goes.
int ExportToOutput(const Options& options, Json json) {
  ScratchDirectory scratch;
  if (!scratch.made()) return Fail(absl::UnavailableError("no temporary directory can be made"));
  const std::string path = scratch.Add("entries.csv");
  json["path"] = path;
  const auto answer = AskAdmin(options.ConfigPath(), "dnc.export", json);
  if (!answer.ok()) return Fail(answer.status());
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return Fail(absl::UnavailableError("the export cannot be read back"));
  const absl::Cleanup close = [file] { std::fclose(file); };
  char buffer[1 << 16];
  while (const size_t got = std::fread(buffer, 1, sizeof(buffer), file)) {
    if (std::fwrite(buffer, 1, got, stdout) != got) {
      return Fail(absl::UnavailableError("the output takes no more"));
    }
  }
  return std::fflush(stdout) == 0 ? kDone : kFailed;
}

}  // namespace

int RunDncCommand(const Arguments& given) {
  Arguments arguments = given;
  const std::string verb = TakeVerb(arguments);
  if (verb == "rules") return RunDncRulesCommand(arguments);
  if (verb == "registry") return RunDncRegistryCommand(arguments);
  Options options(kUsageLine, kText);
  options.Add()("what", po::value<std::vector<std::string>>(), "number, range or file")(
      "campaign", po::value<std::string>(), "only for this campaign")(
      "client", po::value<std::string>(), "for all campaigns of this client (client_id)")(
      "state", po::value<std::string>(), "a state's own list, e.g. FL; for everybody here")(
      "litigator", "people known to sue; for everybody here")(
      "scope", po::value<std::string>(), "system, litigator, state:FL, client:ID, campaign:ID")(
      "reason", po::value<std::string>(), "why, 200 bytes at most")(
      "source", po::value<std::string>(), "import: where the file comes from, if not its name")(
      "expires", po::value<std::string>(), "last day, or a time; not given: for good")(
      "country", po::value<std::string>(), "home of numbers without country code (US)")(
      "limit", po::value<std::string>(), "list: show so many at most (100)")(
      "out", po::value<std::string>(), "diff: file for the numbers, + new and - gone")(
      "from", po::value<std::string>(), "log: first day")(
      "to", po::value<std::string>(), "log: last day")("zone", po::value<std::string>(),
                                                       "log: IANA time zone of the days (UTC)")(
      "number", po::value<std::string>(), "log: only changes of this number")("json",
                                                                              "the answer as JSON");
  options.Positional("what", -1);
  if (auto code = options.Parse(arguments)) return *code;
  if (verb == "diff") return Diff(options);
  const std::vector<std::string> what = options.Texts("what");
  if (verb == "log" || verb == "list") {
    if (!what.empty()) return Misuse(options.usage(), "it takes no " + what[0]);
    if (verb == "log") return PrintLog(options);
  } else if (verb != "add" && verb != "remove" && verb != "check" && verb != "import" &&
             verb != "export") {
    return Misuse(options.usage(), verb.empty() ? "what shall be done?" : "no such verb: " + verb);
  } else if (what.size() != 1) {
    return Misuse(options.usage(), "which number or file? One of them");
  }
  Json json = Json::object();
  const bool is_file = verb == "import" || verb == "export";
  if (verb != "list") json[is_file ? "path" : "number"] = what[0];
  Copy(options,
       {"campaign", "client", "state", "scope", "reason", "source", "expires", "country", "limit"},
       json);
  if (options.Has("litigator")) json["litigator"] = true;
  if (verb == "export" && what[0] == "-") return ExportToOutput(options, std::move(json));
  return PrintAnswer(AskAdmin(options.ConfigPath(), "dnc." + verb, json), options.Has("json"));
}

}  // namespace outpace::runtime
