// Operations on imports: load a file, see how far it is, take it back as a whole.
//
// A load runs on the import desk, so that a campaign can be paused meanwhile. What makes no sense
// is refused before it starts.

#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/files.h"
#include "engine/runtime/import_report.h"

namespace outpace::runtime {
namespace {

std::string BaseName(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

// Texts of an array; empty when absent. InvalidArgument: holds something else.
absl::StatusOr<std::vector<std::string>> Texts(const Json& json, const char* name) {
  std::vector<std::string> texts;
  const auto it = json.find(name);
  if (it == json.end()) return texts;
  if (!it->is_array()) return absl::InvalidArgumentError(absl::StrCat(name, ": is no list"));
  for (const Json& one : *it) {
    if (!one.is_string()) {
      return absl::InvalidArgumentError(absl::StrCat(name, ": holds something that is no text"));
    }
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

absl::string_view StateName(JobState state) {
  switch (state) {
    case JobState::kRunning:
      return "running";
    case JobState::kDone:
      return "done";
    case JobState::kFailed:
      return "failed";
    case JobState::kCancelled:
      return "cancelled";
  }
  return "";
}

Json JsonOf(const ImportDesk::View& view) {
  Json json = {{"job", view.job},
               {"kind", view.title.kind},
               {"what", view.title.what},
               {"import", view.title.import.value()},
               {"state", std::string(StateName(view.state))},
               {"started_ms", absl::ToUnixMillis(view.started)},
               {"done", view.done},
               {"total", view.total},
               {"rows", view.rows},
               {"accepted", view.accepted},
               {"seconds", absl::ToDoubleSeconds(view.spent)}};
  const double seconds = absl::ToDoubleSeconds(view.spent);
  json["rows_per_second"] = seconds > 0 ? static_cast<double>(view.rows) / seconds : 0.0;
  json["seconds_left"] = nullptr;  // not known yet
  if (view.Left() != absl::InfiniteDuration()) {
    json["seconds_left"] = absl::ToDoubleSeconds(view.Left());
  }
  return json;
}

absl::StatusOr<uint64_t> NumberIn(const Json& arguments, const char* name) {
  const auto it = arguments.find(name);
  uint64_t number = 0;
  if (it != arguments.end() && it->is_number_unsigned()) return it->get<uint64_t>();
  if (it == arguments.end() || !it->is_string() ||
      !absl::SimpleAtoi(it->get<std::string>(), &number) || number == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": must be a number; see: outpace import list"));
  }
  return number;
}

// Writes rows that were not loaded, if that was asked for.
class RejectFile {
 public:
  static absl::StatusOr<std::unique_ptr<RejectFile>> Create(const std::string& path) {
    auto rejects = std::make_unique<RejectFile>();
    if (path.empty()) return rejects;
    auto file = AtomicFile::Create(path);
    if (!file.ok()) return file.status();
    rejects->file_ = *std::move(file);
    return rejects;
  }
  void Add(const load::Reject& r) {
    if (file_ == nullptr || !status_.ok()) return;
    status_ = file_->Write(absl::StrCat(r.line, "\t", r.column, "\t", r.reason, "\t", r.row, "\n"));
  }
  absl::Status Close() {
    if (file_ != nullptr && status_.ok()) status_ = file_->Commit();
    return status_;
  }

 private:
  std::unique_ptr<AtomicFile> file_;
  absl::Status status_;
};

}  // namespace

// What an import was asked to do, checked.
struct Admin::Impl::ImportOrder {
  std::string path, file, reject_path;
  campaign::List list;
  bool list_is_new = false;
  bool dry_run = false;
  load::LoadOptions options;
};

absl::StatusOr<Admin::Impl::ImportOrder> Admin::Impl::ReadImport(const Json& arguments) {
  ImportOrder order;
  auto path = Need(arguments, "path");
  if (!path.ok()) return path.status();
  order.path = *path;
  order.file = BaseName(*path);
  auto campaign = Need(arguments, "campaign");
  if (!campaign.ok()) return campaign.status();
  if (auto settings = FindCampaign(*campaign); !settings.ok()) return settings.status();
  auto list = ListFor(arguments, *campaign);
  if (!list.ok()) return list.status();
  order.list = *std::move(list);
  auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  order.list_is_new = std::none_of(lists->begin(), lists->end(), [&order](const auto& known) {
    return known.id == order.list.id;
  });
  order.dry_run = Flag(arguments, "dry_run");
  order.reject_path = Text(arguments, "rejects");
  std::error_code ignored;
  if (!order.reject_path.empty() &&
      std::filesystem::equivalent(order.path, order.reject_path, ignored)) {
    return absl::InvalidArgumentError("rejects: is the list file itself; name another file");
  }

  load::LoadOptions& options = order.options;
  options.list = order.list.id;
  options.campaign = *campaign;
  options.file = order.file;
  options.layout = Text(arguments, "layout", "auto");
  options.encoding = Text(arguments, "encoding", "auto");
  options.country = Text(arguments, "country", "US");
  options.scrub_dnc = !Flag(arguments, "no_scrub");
  options.again = Flag(arguments, "again");
  options.hold_guesses = Flag(arguments, "hold");
  options.filter = Text(arguments, "filter");
  auto destinations = Texts(arguments, "destinations");
  if (!destinations.ok()) return destinations.status();
  options.destinations = *std::move(destinations);
  if (const auto map = arguments.find("map"); map != arguments.end() && map->is_object()) {
    for (const auto& [column, field] : map->items()) {
      if (field.is_string()) options.columns[column] = field.get<std::string>();
    }
  }
  absl::Status s = ReadDuplicates(Text(arguments, "duplicates", "campaign"), options);
  if (!s.ok()) return s;
  auto imports = store.Imports();
  if (!imports.ok()) return imports.status();
  options.import = ImportId(imports->empty() ? 1 : imports->back().id.value() + 1);
  return order;
}

absl::StatusOr<Json> Admin::Impl::RunImport(const ImportOrder& order, JobControl& control) {
  const MonoTime began = clock.Mono();
  auto bytes = ReadFile(order.path);
  if (!bytes.ok()) return bytes.status();
  control.total = bytes->size();
  auto dnc = LoadDncSet(store);
  if (!dnc.ok()) return dnc.status();
  auto rejects = RejectFile::Create(order.reject_path);
  if (!rejects.ok()) return rejects.status();
  // The list before its leads: one without the other would be dialed whatever the list says.
  if (order.list_is_new && !order.dry_run) {
    absl::MutexLock lock(&shared->lists);
    if (absl::Status s = SaveList(order.list); !s.ok()) return s;
  }
  load::LoadHooks load_hooks;
  load_hooks.cancel = &control.cancelled;
  load_hooks.on_reject = [&rejects](const load::Reject& reject) { (*rejects)->Add(reject); };
  load_hooks.on_progress = [&control](const load::LoadProgress& progress) {
    control.done = progress.octets_done;
    control.rows = progress.rows;
    control.accepted = progress.accepted;
  };
  auto report = load::LoadLeads(*bytes, order.options, *dnc, store, clock, load_hooks.on_reject);
  if (report.ok()) {
    report->counts = {report->rows,
                      report->loaded,
                      report->duplicates_in_file,
                      report->duplicates_in_store,
                      report->dnc,
                      0,
                      report->invalid};
  }
  if (!report.ok()) {
    if (absl::IsCancelled(report.status())) {
      return absl::CancelledError(absl::StrCat(order.file, ": cancelled; nothing was stored"));
    }
    return absl::Status(report.status().code(),
                        absl::StrCat(order.path, ": ", report.status().message()));
  }
  if (absl::Status s = (*rejects)->Close(); !s.ok()) return s;
  if (report->counts.accepted > 0 && !order.dry_run && !report->held && !report->already_imported) {
    if (hooks.leads_changed) hooks.leads_changed(order.list.campaign);
  }
  ImportOutcome outcome;
  outcome.file = order.path;
  outcome.list = order.list;
  outcome.report = *std::move(report);
  outcome.took = clock.Mono() - began;
  outcome.reject_path = order.reject_path;
  outcome.dry_run = order.dry_run;
  Json answer = Answer(ImportText(outcome));
  answer.update(ImportJson(outcome));
  // Nothing was stored, and nobody asked for that: a script must not take it for done.
  answer["incomplete"] = outcome.report.held && !order.dry_run;
  return answer;
}

absl::StatusOr<Json> Admin::Impl::ImportRun(const Json& arguments) {
  auto order = ReadImport(arguments);
  if (!order.ok()) return order.status();
  return shared->desk.Run({"import", order->file, order->options.import},
                          [&](JobControl& control) { return RunImport(*order, control); });
}

absl::StatusOr<Json> Admin::Impl::ImportStart(const Json& arguments) {
  auto order = ReadImport(arguments);
  if (!order.ok()) return order.status();
  auto job = shared->desk.Start(
      {"import", order->file, order->options.import},
      [this, order = *order](JobControl& control) { return RunImport(order, control); });
  if (!job.ok()) return job.status();
  Json answer = Answer("");
  answer["job"] = *job;
  answer["import"] = order->options.import.value();
  return answer;
}

// How far a job is; of one that has ended what it came to, or the error it failed with.
absl::StatusOr<Json> Admin::Impl::ImportProgress(const Json& arguments) {
  auto job = NumberIn(arguments, "job");
  if (!job.ok()) return job.status();
  auto view = shared->desk.Look(*job);
  if (!view.ok()) return view.status();
  if (view->state != JobState::kRunning) {
    auto result = shared->desk.Answer(*job);
    if (!result.ok()) return result.status();
    Json answer = *std::move(result);
    answer["job"] = *job;
    answer["state"] = std::string(StateName(view->state));
    return answer;
  }
  Json answer = Answer("");
  answer.update(JsonOf(*view));
  return answer;
}

absl::StatusOr<Json> Admin::Impl::ImportCancel(const Json& arguments) {
  auto job = NumberIn(arguments, "job");
  if (!job.ok()) return job.status();
  if (absl::Status s = shared->desk.Cancel(*job); !s.ok()) return s;
  return Answer("it ends as soon as it can\n");
}

absl::StatusOr<Json> Admin::Impl::ImportList(const Json& arguments) {
  auto imports = store.Imports();
  if (!imports.ok()) return imports.status();
  const std::string campaign = Text(arguments, "campaign");
  std::string text =
      absl::StrFormat("%-7s %-10s %-8s %-8s %-16s %10s %10s  %s\n", "IMPORT", "STATE", "LIST",
                      "CAMPAIGN", "WHEN (UTC)", "ROWS", "ACCEPTED", "FILE");
  Json all = Json::array();
  for (const campaign::Import& import : *imports) {
    if (!campaign.empty() && import.campaign != campaign) continue;
    absl::StrAppendFormat(
        &text, "%-7d %-10s %-8d %-8s %-16s %10s %10s  %s\n", import.id.value(),
        campaign::ImportStateName(import.state), import.list.value(), import.campaign,
        absl::FormatTime("%Y-%m-%d %H:%M", import.finished, absl::UTCTimeZone()),
        Grouped(import.counts.rows), Grouped(import.counts.accepted), import.file);
    all.push_back(ImportJson(import));
  }
  Json answer = Answer("");
  if (const auto view = shared->desk.Look(0); view.ok() && view->state == JobState::kRunning) {
    absl::StrAppendFormat(&text, "under way: %s of %s, %s of %s %s, %s rows so far\n",
                          view->title.kind, view->title.what, Grouped(view->done),
                          Grouped(view->total), view->title.kind == "import" ? "bytes" : "leads",
                          Grouped(view->rows));
    answer["running"] = JsonOf(*view);
  }
  answer["text"] = text;
  answer["imports"] = std::move(all);
  return answer;
}

absl::StatusOr<campaign::Import> Admin::Impl::FindImport(const Json& arguments) const {
  auto number = NumberIn(arguments, "import");
  if (!number.ok()) return number.status();
  auto imports = store.Imports();
  if (!imports.ok()) return imports.status();
  for (campaign::Import& import : *imports) {
    if (import.id.value() == *number) return std::move(import);
  }
  return absl::NotFoundError(absl::StrCat("no import ", *number, "; see: outpace import list"));
}

// An import of the past, or the one under way with its progress.
absl::StatusOr<Json> Admin::Impl::ImportShow(const Json& arguments) {
  auto import = FindImport(arguments);
  const auto view = shared->desk.Look(0);
  const auto number = NumberIn(arguments, "import");
  const bool running = view.ok() && view->state == JobState::kRunning && number.ok() &&
                       view->title.import.value() == *number;
  if (!import.ok() && !running) return import.status();
  Json answer = Answer("");
  if (running) {
    answer["text"] = absl::StrFormat(
        "import %d of %s is under way: %s of %s bytes, %s rows so far\n", *number, view->title.what,
        Grouped(view->done), Grouped(view->total), Grouped(view->rows));
    answer["running"] = JsonOf(*view);
  }
  if (import.ok()) {
    answer["text"] = ImportText(*import) + answer["text"].get<std::string>();
    answer.update(ImportJson(*import));
  }
  return answer;
}

}  // namespace outpace::runtime
