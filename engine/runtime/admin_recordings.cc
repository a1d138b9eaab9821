// Operations on the records of recordings. The files themselves are the command's business: it runs
// as the same user beside them, and so no path ever comes in over the control socket.

#include <algorithm>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "campaign/number_plan.h"
#include "engine/runtime/admin_impl.h"

namespace outpace::runtime {
namespace {

using campaign::Recording;

constexpr size_t kListMax = 100'000;

// "2026-11-21", "2026-11-21T18:30:00", "today", "yesterday"; `end`: a day means its end.
absl::StatusOr<absl::Time> InstantOf(const std::string& text, absl::TimeZone zone, absl::Time now,
                                     bool end) {
  absl::CivilSecond second;
  absl::CivilDay day;
  if (text.find('T') != std::string::npos && absl::ParseCivilTime(text, &second)) {
    return absl::FromCivil(second, zone);
  }
  if (text == "today" || text == "yesterday") {
    day = absl::ToCivilDay(now, zone) - (text == "today" ? 0 : 1);
  } else if (!absl::ParseCivilTime(text, &day)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text, "' is no day or time; write 2026-11-21, 2026-11-21T18:30:00 or today"));
  }
  return absl::FromCivil(end ? day + 1 : day, zone);
}

// A number or text that holds one; 0 when absent.
// 0: not given.
absl::StatusOr<uint64_t> NumberOrNone(const Json& json, const char* name) {
  if (!json.contains(name)) return 0;
  return NumberIn(json, name, "");
}

absl::StatusOr<campaign::RecordingQuery> QueryOf(const Json& arguments, const Clock& clock) {
  campaign::RecordingQuery query;
  const auto attempt = NumberOrNone(arguments, "attempt");
  const auto lead = NumberOrNone(arguments, "lead");
  const auto limit = NumberOrNone(arguments, "limit");
  for (const auto* number : {&attempt, &lead, &limit}) {
    if (!number->ok()) return number->status();
  }
  query.attempt = AttemptId(*attempt);
  query.lead = LeadId(*lead);
  query.agent = Text(arguments, "agent");
  query.campaign = Text(arguments, "campaign");
  query.with_erased = !Flag(arguments, "without_erased");
  if (*limit > 0) query.limit = std::min<size_t>(*limit, kListMax);
  const std::string number = Text(arguments, "number");
  if (!number.empty()) {
    auto phone = campaign::NormalizePhone(number, Text(arguments, "country", "US"));
    if (!phone.ok()) return phone.status();
    query.number = *phone;
  }
  absl::TimeZone zone = absl::UTCTimeZone();
  if (const std::string name = Text(arguments, "zone"); !name.empty()) {
    auto found = campaign::FindTimeZone(name);
    if (!found.ok()) return found.status();
    zone = *found;
  }
  const absl::Time now = clock.Wall();
  if (const std::string from = Text(arguments, "from"); !from.empty()) {
    auto instant = InstantOf(from, zone, now, /*end=*/false);
    if (!instant.ok()) return instant.status();
    query.from = *instant;
  }
  if (const std::string to = Text(arguments, "to"); !to.empty()) {
    auto instant = InstantOf(to, zone, now, /*end=*/true);
    if (!instant.ok()) return instant.status();
    query.to = *instant;
  }
  if (const auto days = arguments.find("older_than_days"); days != arguments.end()) {
    if (!days->is_number_integer() || days->get<int64_t>() < 1 || days->get<int64_t>() > 36'500) {
      return absl::InvalidArgumentError("older_than_days: 1 to 36500");
    }
    query.to = std::min(query.to, now - absl::Hours(24) * days->get<int64_t>());
  }
  return query;
}

std::string InstantText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

Json JsonOf(const Recording& r, bool show_numbers) {
  Json json = {{"attempt", r.attempt.value()},
               {"lead", r.lead.value()},
               {"campaign", r.campaign},
               {"agent", r.agent},
               {"number", show_numbers ? r.number.ToString() : r.number.Masked()},
               {"started", InstantText(r.started)},
               {"seconds", absl::ToDoubleSeconds(r.length)},
               {"paused_seconds", absl::ToDoubleSeconds(r.paused)},
               {"lost_seconds", absl::ToDoubleSeconds(r.lost)},
               {"format", r.format},
               {"encrypted", r.encrypted},
               {"cut", r.cut},
               {"file", r.file},
               {"bytes", r.bytes},
               {"sha256", r.sha256},
               {"gaps", Json::array()}};
  if (!r.number.valid()) json["number"] = "";
  for (const campaign::RecordingGap& gap : r.gaps) {
    json["gaps"].push_back({{"kind", gap.lost ? "lost" : "paused"},
                            {"from_seconds", absl::ToDoubleSeconds(gap.from)},
                            {"to_seconds", absl::ToDoubleSeconds(gap.to)}});
  }
  if (!r.fault.empty()) json["fault"] = r.fault;
  if (r.erased()) {
    json["erased_at"] = InstantText(r.erased_at);
    json["erased_reason"] = r.erased_reason;
  }
  return json;
}

std::string NotesOf(const Recording& r) {
  std::vector<std::string> notes;
  if (r.erased()) notes.push_back(absl::StrCat("erased: ", r.erased_reason));
  if (r.encrypted) notes.push_back("encrypted");
  if (r.cut) notes.push_back("cut");
  if (r.paused > absl::ZeroDuration()) {
    notes.push_back(absl::StrFormat("paused %.1f s", absl::ToDoubleSeconds(r.paused)));
  }
  if (r.lost > absl::ZeroDuration()) {
    notes.push_back(absl::StrFormat("lost %.1f s", absl::ToDoubleSeconds(r.lost)));
  }
  return absl::StrJoin(notes, ", ");
}

}  // namespace

absl::StatusOr<Json> Admin::Impl::RecordingList(const Json& arguments) {
  auto query = QueryOf(arguments, clock);
  if (!query.ok()) return query.status();
  const size_t limit = query->limit++;  // one more tells whether there are more
  auto found = store.FindRecordings(*query);
  if (!found.ok()) return found.status();
  const bool more = found->size() > limit;
  if (more) found->resize(limit);
  std::string text = absl::StrFormat("%9s  %-20s  %8s  %9s  %-8s  %-12s  %s\n", "ATTEMPT",
                                     "STARTED", "SECONDS", "LEAD", "CAMPAIGN", "AGENT", "FILE");
  Json list = Json::array();
  for (const Recording& r : *found) {
    const std::string notes = NotesOf(r);
    absl::StrAppendFormat(&text, "%9d  %-20s  %8.1f  %9d  %-8s  %-12s  %s%s%s%s\n",
                          r.attempt.value(), InstantText(r.started),
                          absl::ToDoubleSeconds(r.length), r.lead.value(), r.campaign, r.agent,
                          r.file,
                          notes.empty()    ? ""
                          : r.file.empty() ? "("
                                           : " (",
                          notes, notes.empty() ? "" : ")");
    list.push_back(JsonOf(r, Flag(arguments, "show_numbers")));
  }
  if (found->empty()) text = "no recordings\n";
  if (more) absl::StrAppend(&text, "and more; narrow it down or raise --limit\n");
  Json answer = Answer(text);
  answer["recordings"] = std::move(list);
  answer["more"] = more;
  return answer;
}

// The files of these attempts have been removed. The records stay and say so, without the file's
// name, which may have held the number.
// The same of one recording that is about to be played: what is asked so is written down.
absl::StatusOr<Json> Admin::Impl::RecordingRead(const Json& arguments) {
  const auto attempt = NumberIn(arguments, "attempt");
  if (!attempt.ok()) return attempt.status();
  if (*attempt == 0) return absl::InvalidArgumentError("attempt: is missing");
  return RecordingList(arguments);
}

absl::StatusOr<Json> Admin::Impl::RecordingErased(const Json& arguments) {
  auto reason = Need(arguments, "reason");
  if (!reason.ok()) return reason.status();
  const auto attempts = arguments.find("attempts");
  if (attempts == arguments.end() || !attempts->is_array()) {
    return absl::InvalidArgumentError("attempts: is missing");
  }
  campaign::StoreBatch batch;
  for (const Json& attempt : *attempts) {
    if (!attempt.is_number_unsigned()) {
      return absl::InvalidArgumentError("attempts: holds something that is no number");
    }
    const AttemptId id(attempt.get<uint64_t>());
    auto recording = store.GetRecording(id);
    if (!recording.ok()) return recording.status();
    if (!recording->has_value()) {
      return absl::NotFoundError(absl::StrCat("attempt ", id.value(), " has no recording"));
    }
    if ((*recording)->erased()) continue;  // the first reason stays
    (*recording)->erased_at = clock.Wall();
    (*recording)->erased_reason = reason->substr(0, 500);
    (*recording)->file.clear();
    batch.recordings.push_back(**std::move(recording));
  }
  if (!batch.empty()) {
    if (absl::Status status = store.Commit(batch); !status.ok()) return status;
  }
  Json answer = Answer(absl::StrCat(batch.recordings.size(), " recordings erased\n"));
  answer["erased"] = batch.recordings.size();
  return answer;
}

// Which of these recordings, under way or not told of yet, are asked for, as far as their calls
// tell: `open` is a list of {attempt, lead}, the lead if it is known. One whose lead or number
// nobody knows may be meant.
absl::StatusOr<Json> Admin::Impl::RecordingPending(const Json& arguments) {
  auto query = QueryOf(arguments, clock);
  if (!query.ok()) return query.status();
  const auto open = arguments.find("open");
  if (open == arguments.end() || !open->is_array()) {
    return absl::InvalidArgumentError("open: is missing");
  }
  Json matching = Json::array(), unknown = Json::array();
  for (const Json& one : *open) {
    if (!one.is_object()) return absl::InvalidArgumentError("open: holds something else");
    const auto attempt = NumberOrNone(one, "attempt");
    const auto lead = NumberOrNone(one, "lead");
    if (!attempt.ok()) return attempt.status();
    if (!lead.ok()) return lead.status();
    Recording recording;
    recording.attempt = AttemptId(*attempt);
    recording.lead = LeadId(*lead);
    auto call = store.GetAttempt(recording.attempt);
    if (!call.ok()) return call.status();
    if (call->has_value()) {
      recording.number = (*call)->dialed;
      if (!recording.lead.valid()) recording.lead = (*call)->lead;
    }
    const bool other_attempt = query->attempt.valid() && query->attempt != recording.attempt;
    const bool other_lead =
        query->lead.valid() && recording.lead.valid() && query->lead != recording.lead;
    const bool other_number =
        query->number.valid() && recording.number.valid() && query->number != recording.number;
    if (other_attempt || other_lead || other_number) continue;
    const bool known = (!query->lead.valid() || recording.lead.valid()) &&
                       (!query->number.valid() || recording.number.valid());
    (known ? matching : unknown).push_back(recording.attempt.value());
  }
  Json answer = Answer("");
  answer["matching"] = std::move(matching);
  answer["unknown"] = std::move(unknown);
  return answer;
}

}  // namespace outpace::runtime
