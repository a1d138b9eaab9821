// recording: finds, exports, checks and erases recordings. The records are asked of Admin; the
// files are read and removed here, by the same user beside them.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "engine/record/audio_stream.h"
#include "engine/record/journal.h"
#include "engine/record/recording_reader.h"
#include "engine/runtime/commands/options.h"
#include "engine/runtime/files.h"

namespace outpace::runtime {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

constexpr char kUsageLine[] =
    "outpace recording list|export|verify|erase|retain|key [new|rotate] [options]";
constexpr char kText[] =
    "Recordings of calls, by what is known of them: attempt, lead, number, agent, campaign, time.\n"
    "docs/RECORDINGS.md has the file names, pausing, encryption, erasure.\n\n"
    "  outpace recording list --agent anna --from 2026-11-21\n"
    "  outpace recording export --attempt 4711 --out call.wav   decrypted, 16-bit stereo WAV\n"
    "  outpace recording verify --from yesterday                files are there and unchanged\n"
    "  outpace recording erase --number +14155550100 --reason 'request of 2026-11-20'\n"
    "  outpace recording retain --campaign DEMO --days 90       what would go; --apply removes it\n"
    "  outpace recording key new --out /etc/outpace/recordings.key\n"
    "  outpace recording key rotate --out /etc/outpace/recordings.key   a new first key\n";

constexpr int kBatch = 1000;

struct Place {
  std::unique_ptr<record::RecordingFiles> files;
  record::KeyRing keys;
};

// The recordings directory, and with `with_keys` the keys, of the configuration.
absl::StatusOr<Place> OpenPlace(const Options& options, bool with_keys) {
  auto config = LoadConfig(options.ConfigPath());
  if (!config.ok()) return config.status();
  auto files = record::NewPosixRecordingFiles(config->RecordingsPath(), /*read_only=*/true);
  if (!files.ok()) return files.status();
  Place place;
  place.files = *std::move(files);
  if (with_keys && !config->recording_key_file.empty()) {
    auto keys = record::KeyRing::Load(config->recording_key_file, {config->RecordingsPath()});
    if (!keys.ok()) return keys.status();
    place.keys = *std::move(keys);
  }
  return place;
}

Json QueryOf(const Options& options) {
  Json json = Json::object();
  for (const char* name : {"lead", "number", "agent", "campaign", "from", "to", "zone", "country",
                           "attempt", "limit"}) {
    if (options.Has(name)) json[name] = options.Text(name);
  }
  return json;
}

bool NamesSomebody(const Options& options) {
  return options.Has("attempt") || options.Has("lead") || options.Has("number");
}

int List(const Options& options) {
  Json query = QueryOf(options);
  query["show_numbers"] = options.Has("show-numbers");
  auto answer = AskAdmin(options.ConfigPath(), "recording.list", query);
  if (!answer.ok()) return Fail(answer.status());
  if (options.Has("json")) {
    answer->erase("text");
    std::printf("%s\n", answer->dump(2).c_str());
  } else {
    std::fputs(answer->value("text", std::string()).c_str(), stdout);
  }
  return kDone;
}

// The hash of the file is what the record says. DataLoss, NotFound.
absl::Status CheckFile(record::RecordingFile& file, const Json& recording) {
  auto hash = record::Sha256Of(file);
  if (!hash.ok()) return hash.status();
  if (*hash == recording.value("sha256", std::string())) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("recordings: the file of attempt ",
                                          recording.value("attempt", uint64_t{0}),
                                          " is not as it was written"));
}

absl::Status WriteWav(record::RecordingReader& reader, const std::string& path) {
  auto file = AtomicFile::Create(path);
  if (!file.ok()) return file.status();
  // Its length is known at the end only; the samples of an hour are 115 MB, kept until then.
  std::vector<int16_t> stereo;
  for (;;) {
    const auto more = reader.Next(stereo);
    if (!more.ok()) return more.status();
    if (!*more) break;
  }
  const uint64_t bytes = stereo.size() * sizeof(int16_t);
  absl::Status status =
      (*file)->Write(record::WavHeader(record::Format::kWav, bytes, /*tail_bytes=*/0));
  const auto stream = record::NewAudioStream(record::Format::kWav, 0);
  constexpr size_t kPiece = 1 << 16;
  std::string piece;
  for (size_t at = 0; status.ok() && at < stereo.size(); at += kPiece) {
    piece.clear();
    stream->Append(absl::MakeConstSpan(stereo).subspan(at, kPiece), piece);
    status = (*file)->Write(piece);
  }
  return status.ok() ? (*file)->Commit() : status;
}

int Export(const Options& options) {
  if (!options.Has("attempt")) return Misuse(options.usage(), "which attempt? --attempt N");
  if (!options.Has("out")) return Misuse(options.usage(), "where to? --out FILE");
  auto answer =
      AskAdmin(options.ConfigPath(), "recording.read", {{"attempt", options.Text("attempt")}});
  if (!answer.ok()) return Fail(answer.status());
  if ((*answer)["recordings"].empty()) {
    return Fail(absl::NotFoundError("that attempt has no recording"));
  }
  const Json& recording = (*answer)["recordings"][0];
  if (recording.contains("erased_at")) {
    return Fail(absl::NotFoundError(absl::StrCat("the recording was erased on ",
                                                 recording.value("erased_at", std::string()), ": ",
                                                 recording.value("erased_reason", std::string()))));
  }
  auto place = OpenPlace(options, /*with_keys=*/true);
  if (!place.ok()) return Fail(place.status());
  auto file = place->files->Open(recording.value("file", std::string()), /*writable=*/false);
  if (!file.ok()) return Fail(file.status());
  if (absl::Status status = CheckFile(**file, recording); !status.ok()) {
    if (!options.Has("unverified")) {
      return Fail(absl::DataLossError(
          absl::StrCat(status.message(), "; --unverified exports it nevertheless")));
    }
    std::fprintf(stderr, "outpace: %s\n", std::string(status.message()).c_str());
  }
  auto reader = record::RecordingReader::Open(**file, place->keys);
  if (!reader.ok()) return Fail(reader.status());
  const std::string out = options.Text("out");
  if (absl::Status status = WriteWav(**reader, out); !status.ok()) return Fail(status);
  std::printf("%s: %.1f s, left the customer, right the agent\n", out.c_str(),
              static_cast<double>((*reader)->samples()) / 8000);
  return kDone;
}

int Verify(const Options& options) {
  Json query = QueryOf(options);
  query["without_erased"] = true;
  if (!options.Has("limit")) query["limit"] = "100000";
  auto answer = AskAdmin(options.ConfigPath(), "recording.list", query);
  if (!answer.ok()) return Fail(answer.status());
  auto place = OpenPlace(options, /*with_keys=*/false);
  if (!place.ok()) return Fail(place.status());
  int64_t good = 0, bad = 0;
  for (const Json& recording : (*answer)["recordings"]) {
    const std::string name = recording.value("file", std::string());
    absl::Status status = absl::NotFoundError("recordings: no file was written");
    if (!name.empty()) {
      auto file = place->files->Open(name, /*writable=*/false);
      status = file.ok() ? CheckFile(**file, recording) : file.status();
    }
    if (status.ok()) {
      ++good;
      continue;
    }
    ++bad;
    std::printf("attempt %llu: %s\n",
                static_cast<unsigned long long>(recording.value("attempt", uint64_t{0})),
                std::string(status.message()).c_str());
  }
  std::printf("%lld recordings are as they were written, %lld are not\n",
              static_cast<long long>(good), static_cast<long long>(bad));
  if (answer->value("more", false)) {
    std::printf("there are more; give --from and --to\n");
    return kFailed;
  }
  return bad == 0 ? kDone : kFailed;
}

// {attempt, lead} of each recording that is not told of yet: its call lasts, it is being closed, or
// the engine's next start will do it.
absl::StatusOr<Json> Unfinished(record::RecordingFiles& files) {
  auto names = files.List(record::kOpenDirectory);
  if (!names.ok()) return names.status();
  std::map<uint64_t, uint64_t> leads;  // by attempt
  for (const std::string& name : *names) {
    absl::string_view number = name;
    uint64_t attempt = 0;
    if (!absl::ConsumeSuffix(&number, ".part") && !absl::ConsumeSuffix(&number, ".journal")) {
      continue;
    }
    if (!absl::SimpleAtoi(number, &attempt) || attempt == 0) continue;
    uint64_t& lead = leads[attempt];
    if (!absl::EndsWith(name, ".journal")) continue;
    auto file = files.Open(record::JournalPath(AttemptId(attempt)), /*writable=*/false);
    if (!file.ok()) continue;          // it has just gone, or its lead stays unknown
    std::string text(64 << 10, '\0');  // the order stands at the beginning
    const auto got = (*file)->ReadAt(0, absl::MakeSpan(text.data(), text.size()));
    if (!got.ok()) continue;
    text.resize(*got);
    lead = record::ParseJournal(text).order.lead.value();
  }
  Json open = Json::array();
  for (const auto& [attempt, lead] : leads) {
    Json one = {{"attempt", attempt}};
    if (lead != 0) one["lead"] = lead;
    open.push_back(std::move(one));
  }
  return open;
}

// Tells of the recordings in `open` that are meant too and have not been erased.
int TellUnfinished(const Options& options, Json query, Json open, const std::set<uint64_t>& done) {
  query.erase("limit");
  query["open"] = std::move(open);
  auto answer = AskAdmin(options.ConfigPath(), "recording.pending", query);
  if (!answer.ok()) return Fail(answer.status());
  int code = kDone;
  for (const auto& [name, text] :
       {std::pair("matching", "belong to this and are not erased"),
        std::pair("unknown",
                  "may belong to this, as their calls are not known, and are not erased")}) {
    std::vector<std::string> attempts;
    for (const Json& attempt : (*answer)[name]) {
      if (done.count(attempt.get<uint64_t>()) == 0) {
        attempts.push_back(absl::StrCat(attempt.get<uint64_t>()));
      }
    }
    if (attempts.empty()) continue;
    std::fprintf(
        stderr,
        "outpace: recordings that are not finished %s: attempts %s. Erase again when "
        "these calls have ended; if the engine is down, start it first: it finishes them\n",
        text, absl::StrJoin(attempts, ", ").c_str());
    code = kFailed;
  }
  return code;
}

// That the recordings directory is the one they were written to, and not, say, the empty directory
// on which it is usually mounted: files that are merely not here are not erased.
absl::Status CheckIsRecordings(const Options& options) {
  auto config = LoadConfig(options.ConfigPath());
  if (!config.ok()) return config.status();
  const std::string path = absl::StrCat(config->RecordingsPath(), "/", record::kOpenDirectory);
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      config->RecordingsPath(), " is no recordings directory: there is no ", record::kOpenDirectory,
      " in it. Is it mounted, and the configuration right? If its files are gone for good: "
      "--missing-ok"));
}

absl::Status CheckSomeAreThere(record::RecordingFiles& files, const Json& recordings) {
  size_t named = 0;
  for (const Json& recording : recordings) {
    const std::string name = recording.value("file", std::string());
    if (name.empty()) continue;
    ++named;
    if (!absl::IsNotFound(files.Open(name, /*writable=*/false).status())) return absl::OkStatus();
  }
  if (named < 2) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("not one of ", named,
                   " files is in the recordings directory: is it mounted, and "
                   "the configuration right? If they are gone for good: --missing-ok"));
}

// Removes the files of all that `query` finds and says so in their records. A single file that is
// gone already is as good as removed; one that cannot be removed is told of, and its record stays.
// `unfinished`: recordings that are not in the store yet matter too.
int EraseAll(const Options& options, Json query, const std::string& reason, bool unfinished) {
  auto place = OpenPlace(options, /*with_keys=*/false);
  if (!place.ok()) return Fail(place.status());
  const bool missing_ok = options.Has("missing-ok");
  // Before the records are read: what is told of meanwhile is in one of both.
  auto open = Unfinished(*place->files);
  if (!open.ok()) return Fail(open.status());
  query["without_erased"] = true;
  std::set<uint64_t> done;
  int64_t erased = 0, gone = 0;
  for (;;) {
    query["limit"] = absl::StrCat(kBatch);
    auto answer = AskAdmin(options.ConfigPath(), "recording.list", query);
    if (!answer.ok()) return Fail(answer.status());
    const Json& recordings = (*answer)["recordings"];
    if (!missing_ok && !recordings.empty()) {
      absl::Status status = CheckIsRecordings(options);
      if (status.ok()) status = CheckSomeAreThere(*place->files, recordings);
      if (!status.ok()) {
        std::printf("%lld recordings erased\n", static_cast<long long>(erased));
        return Fail(status);
      }
    }
    Json attempts = Json::array();
    absl::Status failed;
    for (const Json& recording : recordings) {
      const std::string name = recording.value("file", std::string());
      const auto attempt = recording.value("attempt", uint64_t{0});
      absl::Status status = name.empty() ? absl::OkStatus() : place->files->Remove(name);
      if (absl::IsNotFound(status)) ++gone;
      // The journal would tell of the recording again at the engine's next start.
      if (status.ok() || absl::IsNotFound(status)) {
        status = place->files->Remove(record::JournalPath(AttemptId(attempt)));
      }
      if (status.ok() || absl::IsNotFound(status)) {
        attempts.push_back(attempt);
        done.insert(attempt);
      } else {
        failed = status;
      }
    }
    if (!attempts.empty()) {
      auto marked = AskAdmin(options.ConfigPath(), "recording.erased",
                             {{"attempts", attempts}, {"reason", reason}});
      if (!marked.ok()) return Fail(marked.status());
      erased += marked->value("erased", int64_t{0});
    }
    if (!failed.ok()) {
      std::printf("%lld recordings erased\n", static_cast<long long>(erased));
      return Fail(failed);
    }
    if (!answer->value("more", false)) break;
  }
  std::printf("%lld recordings erased\n", static_cast<long long>(erased));
  if (gone > 0) {
    std::printf("the files of %lld of them were gone already\n", static_cast<long long>(gone));
  }
  return unfinished && !open->empty() ? TellUnfinished(options, query, *open, done) : kDone;
}

int Erase(const Options& options) {
  if (!NamesSomebody(options)) {
    return Misuse(options.usage(), "whose? --lead N, --number N or --attempt N");
  }
  if (!options.Has("reason")) {
    return Misuse(options.usage(), "--reason is missing; it stays in the record");
  }
  return EraseAll(options, QueryOf(options), options.Text("reason"), /*unfinished=*/true);
}

int Retain(const Options& options) {
  if (!options.Has("days")) return Misuse(options.usage(), "--days is missing");
  if (!options.Has("campaign") && !options.Has("all")) {
    return Misuse(options.usage(), "which campaign? --campaign ID, or --all");
  }
  const int days = options.Get<int>("days");
  if (days < 1 || days > 36'500) return Misuse(options.usage(), "--days is 1 to 36500");
  Json query = QueryOf(options);
  query["older_than_days"] = days;
  if (options.Has("apply")) {
    return EraseAll(options, query, absl::StrCat("retention ", days, " days"),
                    /*unfinished=*/false);
  }
  query["without_erased"] = true;
  query["limit"] = "100000";
  auto answer = AskAdmin(options.ConfigPath(), "recording.list", query);
  if (!answer.ok()) return Fail(answer.status());
  uint64_t bytes = 0;
  for (const Json& recording : (*answer)["recordings"]) {
    bytes += recording.value("bytes", uint64_t{0});
  }
  std::printf("%zu%s recordings, %.1f MB, are older than %d days; --apply erases them\n",
              (*answer)["recordings"].size(), answer->value("more", false) ? " and more" : "",
              static_cast<double>(bytes) / 1e6, days);
  return kDone;
}

int WriteKeys(const std::string& path, const std::string& text, int flags) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
  if (fd < 0) {
    return Fail(absl::PermissionDeniedError(
        absl::StrCat(path, ": cannot be made: ", std::strerror(errno),
                     errno == EEXIST ? "; `key rotate` puts a new key into it" : "")));
  }
  const bool good = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                    ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (good) return kDone;
  ::unlink(path.c_str());
  return Fail(absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(error))));
}

int KeyCommand(const Options& options, const std::string& verb) {
  if (!options.Has("out")) return Misuse(options.usage(), "which file? --out FILE");
  const std::string path = options.Text("out");
  if (verb == "new") {
    if (const int code = WriteKeys(path, record::NewKeyLine(), O_EXCL); code != kDone) return code;
    std::printf("%s: a new key; keep a copy where the recordings are not\n", path.c_str());
    return kDone;
  }
  if (verb != "rotate") return Misuse(options.usage(), "key new or key rotate");
  auto old = ReadFile(path);
  if (!old.ok()) return Fail(old.status());
  if (auto keys = record::KeyRing::Parse(*old); !keys.ok()) return Fail(keys.status());
  const std::string beside = path + ".new";
  ::unlink(beside.c_str());
  if (const int code = WriteKeys(beside, record::NewKeyLine() + *old, O_EXCL); code != kDone) {
    return code;
  }
  if (std::rename(beside.c_str(), path.c_str()) != 0) {
    return Fail(absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(errno))));
  }
  std::printf("%s: a new first key; the engine uses it from its next start, the others decrypt\n",
              path.c_str());
  return kDone;
}

}  // namespace

int RunRecordingCommand(const Arguments& given) {
  Arguments arguments = given;
  std::string verbs[2];
  for (std::string& verb : verbs) {
    if (arguments.empty() || arguments[0].empty() || arguments[0][0] == '-') break;
    verb = arguments[0];
    arguments.erase(arguments.begin());
    if (verb != "key") break;
  }
  Options options(kUsageLine, kText);
  options.Add()("attempt", po::value<std::string>(), "number of the attempt")(
      "lead", po::value<std::string>(), "id of the lead")("number", po::value<std::string>(),
                                                          "the customer's number, in any spelling")(
      "country", po::value<std::string>(), "of a number without country code: US, GB, CN, AU")(
      "agent", po::value<std::string>(), "who talked")("campaign", po::value<std::string>(), "id")(
      "from", po::value<std::string>(), "2026-11-21, 2026-11-21T18:30:00, today, yesterday")(
      "to", po::value<std::string>(), "the same; a day is meant to its end")(
      "zone", po::value<std::string>(), "of --from and --to, e.g. America/Denver; UTC")(
      "limit", po::value<std::string>(), "list: so many at most; 1000")(
      "json", "list: everything, as JSON")("show-numbers", "list --json: numbers in full")(
      "out,o", po::value<std::string>(), "export, key: the file to write")(
      "unverified", "export: even if the file has been changed")("reason", po::value<std::string>(),
                                                                 "erase: why; stays in the record")(
      "days", po::value<int>(), "retain: so many days")("apply", "retain: do it")(
      "all", "retain: of every campaign; verify: everything")(
      "missing-ok", "erase, retain: even if the files are gone already");
  if (auto code = options.Parse(arguments)) return *code;
  if (verbs[0] == "list") return List(options);
  if (verbs[0] == "export") return Export(options);
  if (verbs[0] == "verify") return Verify(options);
  if (verbs[0] == "erase") return Erase(options);
  if (verbs[0] == "retain") return Retain(options);
  if (verbs[0] == "key") return KeyCommand(options, verbs[1]);
  return Misuse(options.usage(),
                verbs[0].empty() ? "what shall be done?" : "no such verb: " + verbs[0]);
}

}  // namespace outpace::runtime
