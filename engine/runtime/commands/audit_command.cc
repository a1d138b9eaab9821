// audit: checks the evidence log, exports from it, and makes the pack on abandoned calls. Reads
// files only, whether an engine runs or not.

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "campaign/calling_window.h"
#include "campaign/report/csv_writer.h"
#include "engine/audit/verify.h"
#include "engine/runtime/commands/arguments.h"
#include "engine/runtime/files.h"
#include "engine/runtime/real_clock.h"

namespace outpace::runtime {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

constexpr char kUsageLine[] = "outpace audit verify|export|abandons|head [options]";
constexpr char kText[] =
    "The log of who did what, in which a later change is found. docs/AUDIT.md has what is "
    "written,\n"
    "the format, and what the check can prove. All of it may be run while the engine dials.\n\n"
    "  outpace audit verify                              every event is as it was written\n"
    "  outpace audit head                                a line to note elsewhere, say each day,\n"
    "  outpace audit verify --head 4711:9f86d0...        and to check against\n"
    "  outpace audit export --day 2026-11-21 --format csv --out audit.csv\n"
    "  outpace audit export --from 2026-11-01 --to 2026-11-30 --kind dnc. --format json --out "
    "d.jsonl\n"
    "  outpace audit abandons --campaign DEMO --day 2026-11-21 --out pack   CSV and JSON\n";

struct Place {
  std::string directory;
  std::unique_ptr<audit::AuditFiles> files;
  std::optional<audit::SealKey> key;
};

absl::StatusOr<Place> OpenPlace(const Options& options) {
  auto config = LoadConfig(options.ConfigPath());
  if (!config.ok()) return config.status();
  Place place;
  place.directory = options.Has("directory") ? options.Text("directory") : config->AuditPath();
  auto files = audit::NewPosixAuditFiles(place.directory, /*read_only=*/true);
  if (!files.ok()) return files.status();
  place.files = *std::move(files);
  if (!options.Has("no-key")) {
    auto key = audit::SealKey::Load(config->AuditKeyPath());
    if (!key.ok()) {
      return absl::Status(key.status().code(),
                          absl::StrCat(key.status().message(),
                                       "; --no-key checks the chain alone, which whoever can write "
                                       "the files can make anew"));
    }
    place.key = *std::move(key);
  }
  return place;
}

absl::StatusOr<audit::AuditReport> Check(const Place& place, std::optional<audit::Head> note) {
  audit::VerifyOptions options;
  options.key = place.key.has_value() ? &*place.key : nullptr;
  options.note = std::move(note);
  return audit::VerifyAudit(*place.files, options);
}

std::string Noted(const audit::Head& head) { return absl::StrCat(head.seq, ":", head.hash); }

int Verify(const Options& options) {
  std::optional<audit::Head> note;
  if (options.Has("head")) {
    auto head = audit::ParseHeadNote(options.Text("head"));
    if (!head.ok()) return Fail(head.status());
    note = *std::move(head);
  }
  auto place = OpenPlace(options);
  if (!place.ok()) return Fail(place.status());
  const auto report = Check(*place, note);
  if (!report.ok()) return Fail(report.status());
  for (const std::string& text : report->notes) std::printf("note: %s\n", text.c_str());
  if (report->after_head > 0 || report->torn_octets > 0) {
    std::printf(
        "note: %llu events and %llu octets after the head were not acknowledged: an engine is "
        "writing, or has died\n",
        static_cast<unsigned long long>(report->after_head),
        static_cast<unsigned long long>(report->torn_octets));
  }
  for (const audit::Fault& fault : report->faults) {
    std::printf("%s: %s\n", fault.known ? "FAULT, known to the engine" : "FAULT",
                fault.ToString().c_str());
  }
  if (!report->ok()) {
    std::printf("%s: NOT as it was written\n", place->directory.c_str());
    return kFailed;
  }
  std::printf("%s: %llu events (%llu to %llu) in %llu files are as they were written; seals %s\n",
              place->directory.c_str(), static_cast<unsigned long long>(report->events),
              static_cast<unsigned long long>(report->first_seq),
              static_cast<unsigned long long>(report->last_seq),
              static_cast<unsigned long long>(report->segments),
              report->seals_checked ? "checked" : "NOT checked");
  std::printf("head %s\n", Noted(*report->head).c_str());
  return kDone;
}

int PrintHead(const Options& options) {
  auto place = OpenPlace(options);
  if (!place.ok()) return Fail(place.status());
  const auto report = Check(*place, std::nullopt);
  if (!report.ok()) return Fail(report.status());
  if (!report->ok()) {
    return Fail(absl::DataLossError(absl::StrCat("audit: ", report->faults[0].ToString())));
  }
  std::printf("%s\n", Noted(*report->head).c_str());
  return kDone;
}

struct Range {
  absl::Time from, to;
  std::string text;  // "2026-11-21", "2026-11-01 to 2026-11-30"
  absl::TimeZone zone;
};

absl::StatusOr<Range> RangeOf(const Options& options) {
  Range range;
  range.zone = absl::UTCTimeZone();
  if (options.Has("zone")) {
    auto zone = campaign::FindTimeZone(options.Text("zone"));
    if (!zone.ok()) return zone.status();
    range.zone = *zone;
  }
  const auto day_of = [&](const std::string& text) -> absl::StatusOr<absl::CivilDay> {
    const absl::CivilDay today = absl::ToCivilDay(RealClock().Wall(), range.zone);
    absl::CivilDay day;
    if (text == "today") return today;
    if (text == "yesterday") return today - 1;
    if (absl::ParseCivilTime(text, &day)) return day;
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is no day; write 2026-11-21, today or yesterday"));
  };
  const bool with_day = options.Has("day");
  const std::string first_text = options.Text(with_day ? "day" : "from");
  if (first_text.empty())
    return absl::InvalidArgumentError("which days? --day, or --from and --to");
  const auto first = day_of(first_text);
  if (!first.ok()) return first.status();
  const auto last = with_day || !options.Has("to") ? first : day_of(options.Text("to"));
  if (!last.ok()) return last.status();
  if (*last < *first) return absl::InvalidArgumentError("'to' lies before 'from'");
  range.from = absl::FromCivil(*first, range.zone);
  range.to = absl::FromCivil(*last + 1, range.zone);
  range.text = absl::FormatCivilTime(*first);
  if (*last != *first) absl::StrAppend(&range.text, " to ", absl::FormatCivilTime(*last));
  return range;
}

// What is exported must be what was written.
absl::Status CheckBeforeExport(const Place& place, const Options& options) {
  const auto report = Check(place, std::nullopt);
  if (!report.ok()) return report.status();
  if (report->ok()) return absl::OkStatus();
  const std::string what = absl::StrCat("audit: ", report->faults[0].ToString());
  if (!options.Has("unverified")) {
    return absl::DataLossError(what + "; --unverified exports it nevertheless");
  }
  std::fprintf(stderr, "outpace: %s\n", what.c_str());
  return absl::OkStatus();
}

std::string FieldText(const audit::Event& event, absl::string_view name) {
  for (const audit::Field& field : event.about) {
    if (field.name == name) return audit::ValueText(field.value);
  }
  return "";
}

// {"campaign":"DEMO","lead":12}, as in the line.
absl::string_view AboutOf(absl::string_view line) {
  const auto parts = audit::SplitLine(line);
  if (!parts.ok()) return "";
  // Names and texts hold no bare quote, so that the first `"about":` is the member.
  const size_t at = parts->body.find(",\"about\":");
  return at == absl::string_view::npos ? "" : parts->body.substr(at + 9);
}

constexpr const char* kColumns[] = {"campaign", "list", "lead", "attempt", "agent"};

int Export(const Options& options) {
  const std::string format = options.Text("format");
  if (format != "csv" && format != "json") {
    return Misuse(options.usage(), "--format csv or json");
  }
  if (!options.Has("out")) return Misuse(options.usage(), "where to? --out FILE");
  auto range = RangeOf(options);
  if (!range.ok()) return Fail(range.status());
  auto place = OpenPlace(options);
  if (!place.ok()) return Fail(place.status());
  if (absl::Status s = CheckBeforeExport(*place, options); !s.ok()) return Fail(s);
  audit::EventQuery query;
  query.from = range->from;
  query.to = range->to;
  if (options.Has("kind")) query.kinds = options.Texts("kind");
  auto file = AtomicFile::Create(options.Text("out"));
  if (!file.ok()) return Fail(file.status());
  const std::string campaign = options.Text("campaign");
  const std::function<absl::Status(absl::string_view)> write = [&](absl::string_view piece) {
    return (*file)->Write(piece);
  };
  report::CsvWriter csv(write);
  if (format == "csv") {
    for (const char* name : {"seq", "time", "kind", "actor"}) csv.Plain(name);
    for (const char* name : kColumns) csv.Plain(name);
    for (const char* name : {"about", "hash", "seal"}) csv.Plain(name);
  }
  absl::Status written = format == "csv" ? csv.EndRow() : absl::OkStatus();
  uint64_t events = 0;
  const absl::Status read = audit::ForEachEvent(
      *place->files, query, [&](const audit::StoredEvent& stored, absl::string_view line) {
        const audit::Event& event = stored.event;
        if (!campaign.empty() && audit::TextOf(event, "campaign") != campaign) return true;
        ++events;
        if (format == "json") {
          written = write(absl::StrCat(line, "\n"));
          return written.ok();
        }
        csv.Plain(absl::StrCat(stored.seq));
        csv.Plain(audit::TimeText(event.at));
        csv.Plain(event.kind);
        csv.Text(event.actor);
        for (const char* name : kColumns) csv.Text(FieldText(event, name));
        csv.Text(AboutOf(line));
        csv.Plain(stored.hash);
        csv.Plain(stored.seal);
        written = csv.EndRow();
        return written.ok();
      });
  if (!read.ok()) return Fail(read);
  if (written.ok() && format == "csv") written = csv.Finish();
  if (written.ok()) written = (*file)->Commit();
  if (!written.ok()) return Fail(written);
  std::printf("%s: %llu events of %s\n", options.Text("out").c_str(),
              static_cast<unsigned long long>(events), range->text.c_str());
  return kDone;
}

// One abandoned call, from the events of its attempt.
struct Abandoned {
  uint64_t seq = 0, dialed_seq = 0;
  audit::Event event;
  absl::Time dialed_at = absl::InfinitePast();
};

constexpr const char* kAbandonFields[] = {
    "attempt",     "lead",      "list",           "answered_at", "greeting_end",
    "waited_ms",   "message",   "message_played", "ended_at",    "duration_ms",
    "term_reason", "contracts", "connected_at"};

absl::Status WriteWhole(const std::string& path, absl::string_view text) {
  auto file = AtomicFile::Create(path);
  if (!file.ok()) return file.status();
  if (absl::Status s = (*file)->Write(text); !s.ok()) return s;
  return (*file)->Commit();
}

std::string DialedText(const Abandoned& call) {
  return call.dialed_at == absl::InfinitePast() ? "" : audit::TimeText(call.dialed_at);
}

absl::Status WriteAbandonsCsv(const std::string& path, const std::vector<Abandoned>& calls) {
  std::string text;
  const std::function<absl::Status(absl::string_view)> write = [&](absl::string_view piece) {
    text.append(piece.data(), piece.size());
    return absl::OkStatus();
  };
  report::CsvWriter csv(write);
  for (const char* name : {"seq", "dialed_seq", "dialed_at"}) csv.Plain(name);
  for (const char* name : kAbandonFields) csv.Plain(name);
  csv.EndRow().IgnoreError();
  for (const Abandoned& call : calls) {
    csv.Plain(absl::StrCat(call.seq));
    csv.Plain(call.dialed_seq == 0 ? "" : absl::StrCat(call.dialed_seq));
    csv.Plain(DialedText(call));
    for (const char* name : kAbandonFields) csv.Text(FieldText(call.event, name));
    csv.EndRow().IgnoreError();
  }
  csv.Finish().IgnoreError();
  return WriteWhole(path, text);
}

Json JsonOf(const audit::Field::Value& value) {
  if (const int64_t* number = std::get_if<int64_t>(&value)) return *number;
  if (const bool* flag = std::get_if<bool>(&value)) return *flag;
  return std::get<std::string>(value);
}

int Abandons(const Options& options) {
  if (!options.Has("campaign")) return Misuse(options.usage(), "which campaign? --campaign ID");
  if (!options.Has("out")) return Misuse(options.usage(), "where to? --out DIRECTORY");
  auto range = RangeOf(options);
  if (!range.ok()) return Fail(range.status());
  auto place = OpenPlace(options);
  if (!place.ok()) return Fail(place.status());
  const auto report = Check(*place, std::nullopt);
  if (!report.ok()) return Fail(report.status());
  if (absl::Status s = CheckBeforeExport(*place, options); !s.ok()) return Fail(s);
  const std::string campaign = options.Text("campaign");
  // A call of the day may have been dialed shortly before midnight. That it was abandoned may have
  // been written much later: by the next start, after an engine that died in between.
  audit::EventQuery query;
  query.from = range->from - absl::Hours(1);
  query.kinds = {"call.dialed", "call.abandoned"};
  uint64_t dialed = 0;
  std::map<int64_t, std::pair<uint64_t, absl::Time>> dialings;  // by attempt
  std::vector<Abandoned> calls;
  const absl::Status read = audit::ForEachEvent(
      *place->files, query, [&](const audit::StoredEvent& stored, absl::string_view) {
        const audit::Event& event = stored.event;
        if (audit::TextOf(event, "campaign") != campaign) return true;
        const int64_t attempt = audit::NumberOf(event, "attempt");
        if (event.kind == "call.dialed") {
          if (event.at < range->to) dialings[attempt] = {stored.seq, event.at};
          if (event.at >= range->from && event.at < range->to) ++dialed;
          return true;
        }
        absl::Time answered;
        std::string fault;
        if (!absl::ParseTime(absl::RFC3339_full, audit::TextOf(event, "answered_at"), &answered,
                             &fault)) {
          answered = event.at;
        }
        if (answered < range->from || answered >= range->to) return true;
        Abandoned call{stored.seq, 0, event, absl::InfinitePast()};
        if (const auto it = dialings.find(attempt); it != dialings.end()) {
          call.dialed_seq = it->second.first;
          call.dialed_at = it->second.second;
        }
        calls.push_back(std::move(call));
        return true;
      });
  if (!read.ok()) return Fail(read);
  Json list = Json::array();
  for (const Abandoned& call : calls) {
    Json one = {
        {"seq", call.seq}, {"dialed_seq", call.dialed_seq}, {"dialed_at", DialedText(call)}};
    for (const audit::Field& field : call.event.about) one[field.name] = JsonOf(field.value);
    list.push_back(std::move(one));
  }
  const Json json = {{"campaign", campaign},
                     {"day", range->text},
                     {"zone", range->zone.name()},
                     {"made_at", audit::TimeText(RealClock().Wall())},
                     {"calls_dialed", dialed},
                     {"calls_abandoned", calls.size()},
                     {"log",
                      {{"as_it_was_written", report->ok()},
                       {"seals_checked", report->seals_checked},
                       {"first_event", report->first_seq},
                       {"last_event", report->last_seq},
                       {"head", report->head ? Noted(*report->head) : std::string()}}},
                     {"abandoned", std::move(list)}};
  const std::string out = options.Text("out");
  if (::mkdir(out.c_str(), 0700) != 0 && errno != EEXIST) {
    return Fail(
        absl::PermissionDeniedError(absl::StrCat(out, " cannot be made: ", std::strerror(errno))));
  }
  if (absl::Status s = WriteAbandonsCsv(out + "/abandons.csv", calls); !s.ok()) return Fail(s);
  const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  if (absl::Status s = WriteWhole(out + "/abandons.json", text); !s.ok()) return Fail(s);
  std::printf(
      "%s: campaign %s, %s: %llu calls dialed, %zu abandoned; abandons.csv, abandons.json\n",
      out.c_str(), campaign.c_str(), range->text.c_str(), static_cast<unsigned long long>(dialed),
      calls.size());
  return kDone;
}

}  // namespace

int RunAuditCommand(const Arguments& given) {
  Arguments arguments = given;
  const std::string verb = TakeVerb(arguments);
  Options options(kUsageLine, kText);
  options.Add()("head", po::value<std::string>(), "verify: this event must be there, SEQ:HASH")(
      "directory", po::value<std::string>(), "a copy of the log elsewhere")(
      "no-key", "check hashes only, not seals")("day", po::value<std::string>(),
                                                "2026-11-21, today or yesterday")(
      "from", po::value<std::string>(), "first day")("to", po::value<std::string>(), "last day")(
      "zone", po::value<std::string>(), "of the days, e.g. Asia/Shanghai; UTC if not given")(
      "kind", po::value<std::vector<std::string>>()->composing(),
      "export: only events of this kind; \"dnc.\" means all that begin so; may be repeated")(
      "campaign", po::value<std::string>(), "only this campaign's")(
      "format", po::value<std::string>()->default_value("csv"), "export: csv or json")(
      "out", po::value<std::string>(), "file to write; abandons: directory")(
      "unverified", "export although the log is not as it was written");
  if (auto code = options.Parse(arguments)) return *code;
  if (verb == "verify") return Verify(options);
  if (verb == "export") return Export(options);
  if (verb == "abandons") return Abandons(options);
  if (verb == "head") return PrintHead(options);
  return Misuse(options.usage(), verb.empty() ? "what shall be done?" : "no such verb: " + verb);
}

}  // namespace outpace::runtime
