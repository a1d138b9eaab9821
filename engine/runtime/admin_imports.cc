// Operations on imports: load a file, see how far it is, take it back as a whole.
//
// A load runs on the import desk, so that a campaign can be paused meanwhile. What makes no sense
// is refused before it starts.

#include <filesystem>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "campaign/load/load_template.h"
#include "campaign/load/open_list.h"
#include "campaign/load/reject_file.h"
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

// Writes rows that were not loaded, in the form they came in, if that was asked for.
class RejectFile {
 public:
  // Empty path: none. Before the load, so that one whose file cannot be made is not begun.
  absl::Status Create(const std::string& path) {
    if (path.empty()) return absl::OkStatus();
    auto file = AtomicFile::Create(path);
    if (!file.ok()) return file.status();
    file_ = *std::move(file);
    return absl::OkStatus();
  }
  void Begin(const load::FileShape& shape) {
    if (file_ == nullptr) return;
    auto writer = load::RejectWriter::Make(
        shape, [this](absl::string_view octets) { Note(file_->Write(octets)); });
    if (!writer.ok()) return Note(writer.status());
    writer_ = *std::move(writer);
  }
  void Add(const load::Reject& reject) {
    if (writer_ != nullptr && status_.ok()) writer_->Add(reject);
  }
  // On the disk before the leads are: rows that are in neither place would be lost.
  absl::Status Sync() {
    if (file_ != nullptr && status_.ok()) status_ = file_->Sync();
    return status_;
  }
  absl::Status Close() {
    if (file_ != nullptr && status_.ok()) status_ = file_->Commit();
    return status_;
  }

 private:
  void Note(absl::Status status) {
    if (status_.ok()) status_ = std::move(status);
  }
  std::unique_ptr<AtomicFile> file_;
  std::unique_ptr<load::RejectWriter> writer_;
  absl::Status status_;
};

// An option that the arguments name replaces what a template says.
void Override(const Json& arguments, const char* name, std::string& option) {
  if (arguments.contains(name)) option = Text(arguments, name);
}

}  // namespace

// What an import was asked to do, checked.
struct Admin::Impl::ImportOrder {
  std::string path, file, reject_path;
  campaign::List list;
  bool list_is_new = false;
  load::OpenListOptions open;
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
  const auto settings = FindCampaign(*campaign);
  if (!settings.ok()) return settings.status();
  order.options.zone = settings->report_zone;
  auto list = ListFor(arguments, *campaign);
  if (!list.ok()) return list.status();
  order.list = *std::move(list);
  auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  order.list_is_new = std::none_of(lists->begin(), lists->end(), [&order](const auto& known) {
    return known.id == order.list.id;
  });
  order.reject_path = Text(arguments, "rejects");
  std::error_code ignored;
  if (!order.reject_path.empty() &&
      std::filesystem::equivalent(order.path, order.reject_path, ignored)) {
    return absl::InvalidArgumentError("rejects: is the list file itself; name another file");
  }

  if (absl::Status s = ReadLoadOptions(arguments, order); !s.ok()) return s;
  load::LoadOptions& options = order.options;
  options.list = order.list.id;
  options.campaign = *campaign;
  options.file = order.file;
  options.dry_run = Flag(arguments, "dry_run");
  options.again = Flag(arguments, "again");
  auto imports = store.Imports();
  if (!imports.ok()) return imports.status();
  options.import = ImportId(imports->empty() ? 1 : imports->back().id.value() + 1);
  return order;
}

// How the file is read: what the template says, then what the arguments say.
absl::Status Admin::Impl::ReadLoadOptions(const Json& arguments, ImportOrder& order) {
  load::LoadOptions& options = order.options;
  std::string duplicates = "campaign";
  if (const std::string name = Text(arguments, "template"); !name.empty()) {
    auto found = FindTemplate(name);
    if (!found.ok()) return found.status();
    load::ApplyTemplate(*found, options);
    order.open.format = found->format.value_or(order.open.format);
    order.open.sheet = found->sheet.value_or(order.open.sheet);
    duplicates = found->duplicates.value_or(duplicates);
  }
  Override(arguments, "layout", options.layout);
  Override(arguments, "encoding", options.encoding);
  Override(arguments, "country", options.country);
  Override(arguments, "filter", options.filter);
  Override(arguments, "format", order.open.format);
  Override(arguments, "sheet", order.open.sheet);
  Override(arguments, "duplicates", duplicates);
  if (Flag(arguments, "no_scrub")) options.scrub_dnc = false;
  if (Flag(arguments, "hold")) options.hold_guesses = true;
  auto destinations = Texts(arguments, "destinations");
  if (!destinations.ok()) return destinations.status();
  if (!destinations->empty()) options.destinations = *std::move(destinations);
  if (const auto map = arguments.find("map"); map != arguments.end() && map->is_object()) {
    for (const auto& [column, field] : map->items()) {
      if (field.is_string()) options.columns[column] = field.get<std::string>();
    }
  }
  if (IsFilterName(options.filter)) {
    auto stored = StoredFilters(store).Find(options.filter);
    if (!stored.ok()) return stored.status();
    options.filter = stored->text;
  }
  return ReadDuplicates(duplicates, options);
}

// Its number was free when the import was asked for; somebody may have made a list since.
absl::Status Admin::Impl::SaveNewList(const campaign::List& list) {
  auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  for (const campaign::List& known : *lists) {
    if (known.id == list.id) {
      return absl::AbortedError(absl::StrCat("list ", list.id.value(),
                                             " was made meanwhile; nothing was stored: run the "
                                             "import again"));
    }
  }
  return SaveList(list);
}

absl::StatusOr<Json> Admin::Impl::RunImport(const ImportOrder& order, JobControl& control) {
  const MonoTime began = clock.Mono();
  const absl::Status cancelled =
      absl::CancelledError(absl::StrCat(order.file, ": cancelled; nothing was stored"));
  load::OpenListOptions open = order.open;
  open.cancel = &control.cancelled;
  auto opened = load::OpenList(order.path, open);
  if (!opened.ok()) {
    // Most say the path themselves.
    const absl::Status& s = opened.status();
    if (absl::IsCancelled(s)) return cancelled;
    if (absl::StrContains(s.message(), order.path)) return s;
    return absl::Status(s.code(), absl::StrCat(order.path, ": ", s.message()));
  }
  control.total = opened->source->size();
  auto settings = FindCampaign(order.list.campaign);
  if (!settings.ok()) return settings.status();
  auto dnc = DncInForce(settings->use_dnc_registries);
  if (!dnc.ok()) return dnc.status();
  RejectFile rejects;
  if (absl::Status s = rejects.Create(order.reject_path); !s.ok()) return s;
  load::LoadHooks load_hooks;
  load_hooks.cancel = &control.cancelled;
  load_hooks.on_shape = [&rejects](const load::FileShape& shape) { rejects.Begin(shape); };
  load_hooks.on_publish = [&](const std::function<absl::Status()>& publish) {
    if (absl::Status s = rejects.Sync(); !s.ok()) {
      return absl::Status(s.code(), absl::StrCat(s.message(), "; nothing was stored"));
    }
    // Publishing changes the list too: nobody may write it back meanwhile as it was.
    absl::MutexLock lock(&shared->lists);
    // The list before its leads: one without the other would be dialed whatever the list says. But
    // not before all rows are judged: an import that is refused, held or cancelled leaves no list.
    if (order.list_is_new) {
      if (absl::Status s = SaveNewList(order.list); !s.ok()) return s;
    }
    return publish();
  };
  load_hooks.on_reject = [&rejects](const load::Reject& reject) { rejects.Add(reject); };
  load_hooks.on_progress = [&control](const load::LoadProgress& progress) {
    control.done = progress.octets_done;
    control.rows = progress.rows;
    control.accepted = progress.accepted;
  };
  auto report = load::LoadLeads(*opened->source, load::OptionsFor(*opened, order.options), *dnc,
                                store, clock, load_hooks);
  if (!report.ok()) {
    if (absl::IsCancelled(report.status())) return cancelled;
    return absl::Status(report.status().code(),
                        absl::StrCat(order.path, ": ", report.status().message()));
  }
  // Of a file that is loaded already nobody has looked at the rows.
  if (!report->already_imported) {
    if (absl::Status s = rejects.Close(); !s.ok()) {
      return absl::Status(s.code(), absl::StrCat(s.message(), "; the file itself has been loaded"));
    }
  }
  const bool stored = !order.options.dry_run && !report->held && !report->already_imported;
  if (stored && report->counts.accepted > 0 && hooks.leads_changed) {
    hooks.leads_changed(order.list.campaign);
  }
  report->warnings.insert(report->warnings.begin(), opened->warnings.begin(),
                          opened->warnings.end());
  ImportOutcome outcome;
  outcome.file = order.file;
  outcome.list = order.list;
  outcome.report = *std::move(report);
  outcome.took = clock.Mono() - began;
  if (!outcome.report.already_imported) outcome.reject_path = order.reject_path;
  outcome.dry_run = order.options.dry_run;
  Json answer = Answer(ImportText(outcome));
  answer.update(ImportJson(outcome));
  // Nothing was stored, and nobody asked for that: a script must not take it for done.
  answer["incomplete"] = outcome.report.held && !outcome.dry_run;
  return answer;
}

absl::StatusOr<Json> Admin::Impl::RunNotedImport(const ImportOrder& order, JobControl& control) {
  const auto event = [&](const char* kind) {
    return audit::Event{kind,
                        "",
                        {{"import", order.options.import},
                         {"campaign", order.list.campaign},
                         {"list", order.list.id},
                         {"file", order.file},
                         {"dry_run", order.options.dry_run}}};
  };
  if (absl::Status kept = Note(event("import.began")); !kept.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "nothing was stored, as the evidence log cannot be written: ", kept.message()));
  }
  absl::StatusOr<Json> answer = RunImport(order, control);
  audit::Event end = event("import.ended");
  if (answer.ok()) {
    for (const char* name : {"rows", "accepted", "rejected", "duplicates"}) {
      const auto it = answer->find(name);
      if (it != answer->end() && it->is_number_integer()) {
        end.about.emplace_back(name, it->get<int64_t>());
      }
    }
  }
  end.about.emplace_back(
      "result", !answer.ok()
                    ? absl::AsciiStrToLower(absl::StatusCodeToString(answer.status().code()))
                : answer->value("incomplete", false) ? "held"
                                                     : "done");
  if (const absl::Status kept = Note(std::move(end)); !kept.ok() && answer.ok()) {
    (*answer)["text"] =
        absl::StrCat(answer->value("text", std::string()),
                     "but the evidence log could not be written: ", kept.message(), "\n");
    (*answer)["incomplete"] = true;
  }
  return answer;
}

// The order is read when nothing else is under way: its number must be its own.
absl::StatusOr<Json> Admin::Impl::ImportRun(const Json& arguments) {
  return shared->desk.Run({"import", BaseName(Text(arguments, "path")), ImportId()},
                          [&](JobControl& control) -> absl::StatusOr<Json> {
                            auto order = ReadImport(arguments);
                            if (!order.ok()) return order.status();
                            return RunNotedImport(*order, control);
                          });
}

absl::StatusOr<Json> Admin::Impl::WaitFor(const absl::Status& busy, const Json& arguments) const {
  const auto view = shared->desk.Look(0);
  if (!Flag(arguments, "wait") || !absl::IsFailedPrecondition(busy) || !view.ok()) return busy;
  Json answer = Answer("");
  answer.update(JsonOf(*view));
  answer["state"] = "waiting";
  return answer;
}

absl::StatusOr<Json> Admin::Impl::StartWhenIdle(
    const Json& arguments, Unknown unknown, const std::function<absl::StatusOr<JobOrder>()>& read) {
  absl::Status busy = shared->desk.Idle();
  auto order = read();
  if (busy.ok()) {
    if (!order.ok()) return order.status();
    const ImportId import = order->title.import;
    auto job = shared->desk.Start(std::move(order->title), std::move(order->work));
    if (job.ok()) {
      Json answer = Answer("");
      answer["job"] = *job;
      if (import.valid()) answer["import"] = import.value();
      return answer;
    }
    busy = job.status();  // another one began meanwhile
  }
  auto waiting = WaitFor(busy, arguments);
  if (!waiting.ok() || order.ok()) return waiting;
  const bool may_come = unknown == Unknown::kMayCome && absl::IsNotFound(order.status()) &&
                        (*waiting)["kind"] == "import";
  return may_come ? waiting : order.status();
}

absl::StatusOr<Json> Admin::Impl::ImportStart(const Json& arguments) {
  return StartWhenIdle(arguments, Unknown::kIsWrong, [&]() -> absl::StatusOr<JobOrder> {
    auto order = ReadImport(arguments);
    if (!order.ok()) return order.status();
    return JobOrder{
        {"import", order->file, order->options.import},
        [this, order = *order](JobControl& control) { return RunNotedImport(order, control); }};
  });
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
  if (!campaign.empty()) {
    std::erase_if(*imports, [&](const auto& import) { return import.campaign != campaign; });
  }
  if (arguments.contains("last")) {
    auto last = NumberIn(arguments, "last");
    if (!last.ok()) return last.status();
    const size_t left_out = imports->size() - std::min<size_t>(imports->size(), *last);
    imports->erase(imports->begin(), imports->begin() + static_cast<ptrdiff_t>(left_out));
  }
  std::string text =
      absl::StrFormat("%-7s %-10s %-8s %-8s %-16s %10s %10s  %s\n", "IMPORT", "STATE", "LIST",
                      "CAMPAIGN", "WHEN (UTC)", "ROWS", "ACCEPTED", "FILE");
  Json all = Json::array();
  for (const campaign::Import& import : *imports) {
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
