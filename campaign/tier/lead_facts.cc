#include "campaign/tier/lead_facts.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "campaign/calling_window.h"

namespace outpace::tier {
namespace {

bool Happened(absl::Time time) {
  return time != absl::InfinitePast() && time != absl::InfiniteFuture();
}

}  // namespace

bool LeadFacts::Allows(const std::string& field) {
  const auto known = allows_.find(field);
  if (known != allows_.end()) return known->second;
  // Lists of strangers' columns: what is remembered of them stays bounded.
  if (allows_.size() > 10'000) allows_.clear();
  return allows_[field] = allowed_.Allows(field);
}

// Whole hours are the same for all leads of a zone, but for zones that are off by less: these
// change within the hour that began elsewhere, which is as good as any boundary.
void LeadFacts::SetTime(const campaign::Lead& lead, absl::Time at, LeadView* view) {
  if (lead.time_zones.empty()) return;
  Zone& zone = zones_[lead.time_zones.front()];
  const absl::Time hour = absl::FromUnixSeconds(absl::ToUnixSeconds(at) / 3600 * 3600);
  if (!zone.known || zone.hour != hour) {
    if (!zone.known) {
      const auto found = campaign::FindTimeZone(lead.time_zones.front());
      zone.zone = found.ok() ? *found : absl::UTCTimeZone();
      zone.known = true;
    }
    const absl::CivilSecond local = absl::ToCivilSecond(at, zone.zone);
    zone.hour = hour;
    zone.hour_of_day = local.hour();
    zone.weekday = static_cast<int>(absl::GetWeekday(local));  // 0: Monday
  }
  view->hour = zone.hour_of_day;
  view->weekday = zone.weekday;
}

LeadView LeadFacts::Next(const campaign::Lead& lead, absl::Time at) {
  fields_.clear();
  for (const auto& [name, value] : lead.fields) {
    if (!value.empty() && Allows(name)) fields_.push_back({name, value});
  }
  list_ = absl::StrCat(lead.list.value());
  LeadView view{.fields = fields_,
                .attempt = lead.called_count + 1,
                .last_status = lead.called_count == 0 ? "" : absl::string_view(lead.status),
                .list = list_};
  SetTime(lead, at, &view);
  return view;
}

LeadView LeadFacts::Of(const campaign::Lead& before, const campaign::Attempt& record) {
  LeadView view = Next(before, record.dialed_at);
  caller_id_ = record.caller_id.valid() ? absl::StrCat(record.caller_id.value()) : "";
  view.attempt = record.number_of_try;
  view.caller_id = caller_id_;
  return view;
}

campaign::Lead AsOf(campaign::Lead lead, const campaign::Attempt& record) {
  lead.called_count = record.number_of_try - 1;
  lead.status = record.last_status.empty() ? "NEW" : record.last_status;
  return lead;
}

Lesson LessonOf(const campaign::Attempt& record, bool human, bool sale) {
  Lesson lesson;
  const bool met_agent = Happened(record.connected_at);
  const bool answered = Happened(record.answered_at);
  if (!record.sent || record.inbound || record.trunk_fault || record.outcome == "unknown" ||
      record.outcome == "cancelled" || record.abandoned || record.status == "DISPO" ||
      (answered && !met_agent && human)) {  // hung up before an agent was there
    return lesson;
  }
  lesson.learn = true;
  lesson.result.contact = met_agent && human;
  lesson.result.success = lesson.result.contact && sale;
  if (met_agent && Happened(record.disposed_at)) {
    lesson.result.agent_time =
        std::max(absl::ZeroDuration(), record.disposed_at - record.connected_at);
  }
  return lesson;
}

}  // namespace outpace::tier
