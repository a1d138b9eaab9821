// Operations on campaigns, and the holds their rules put on leads.

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "campaign/rules/ready_contracts.h"
#include "campaign/rules/rules.h"
#include "campaign/status_check.h"
#include "engine/runtime/admin_impl.h"

namespace outpace::runtime {

namespace {

// What is set and has no effect, a line each.
std::string NotesText(const campaign::CampaignSettings& settings) {
  std::string text;
  for (const std::string& note : settings.Notes()) absl::StrAppend(&text, "note: ", note, "\n");
  return text;
}

}  // namespace

absl::StatusOr<campaign::CampaignSettings> Admin::Impl::FindCampaign(const std::string& id) const {
  auto campaigns = store.Campaigns();
  if (!campaigns.ok()) return campaigns.status();
  std::vector<std::string> names;
  for (campaign::CampaignSettings& settings : *campaigns) {
    if (settings.id == id) return std::move(settings);
    names.push_back(settings.id);
  }
  return absl::NotFoundError(
      absl::StrCat("no campaign is named '", id, "'; ",
                   names.empty() ? "there are none yet: outpace campaign create ID"
                                 : absl::StrCat("there are: ", absl::StrJoin(names, ", "))));
}

absl::Status Admin::Impl::SaveCampaign(const campaign::CampaignSettings& settings) {
  campaign::StoreBatch batch;
  batch.campaigns.push_back(settings);
  if (absl::Status s = store.Commit(batch); !s.ok()) return s;
  if (hooks.campaign_changed) hooks.campaign_changed(settings);
  return absl::OkStatus();
}

absl::Status Admin::Impl::ApplySettings(const Json& arguments,
                                        campaign::CampaignSettings& settings) {
  const auto set = arguments.find("set");
  if (set == arguments.end()) return absl::OkStatus();
  for (const auto& [name, value] : set->items()) {
    if (!value.is_string()) return absl::InvalidArgumentError("settings are texts");
    absl::Status s = settings.Set(name, value.get<std::string>());
    if (s.ok()) continue;
    // Not every value's reader knows which setting it reads for.
    if (absl::StrContains(s.message(), name)) return s;
    return absl::Status(s.code(), absl::StrCat(name, ": ", s.message()));
  }
  const bool of_statuses =
      std::any_of(set->items().begin(), set->items().end(), [](const auto& item) {
        static const std::set<std::string> kNames = {"statuses",         "lead_recycle",
                                                     "recycle",          "client_id",
                                                     "use_internal_dnc", "use_campaign_dnc"};
        return kNames.contains(item.key());
      });
  if (of_statuses) {
    if (const auto faults = campaign::CheckStatuses(settings); !faults.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("statuses:\n", campaign::StatusFaultsText(faults)));
    }
  }
  if (set->contains("compliance")) {
    absl::Status s =
        rules::RuleSet::Combine(rules::RuleBook::InForce(), settings.compliance).status();
    if (!s.ok()) return absl::Status(s.code(), absl::StrCat("compliance: ", s.message()));
  }
  if (set->contains("abandon_contracts")) {
    absl::Status s = rules::FillIn(rules::RuleBook::InForce(), settings.abandon_contracts).status();
    if (!s.ok()) return absl::Status(s.code(), absl::StrCat("abandon_contracts: ", s.message()));
  }
  if (settings.lead_filter_id.empty() || !set->contains("lead_filter_id")) return absl::OkStatus();
  return StoredFilters(store).Find(settings.lead_filter_id).status();
}

absl::StatusOr<Json> Admin::Impl::CampaignCreate(const Json& arguments) {
  auto id = Need(arguments, "id");
  if (!id.ok()) return id.status();
  if (FindCampaign(*id).ok()) {
    return absl::AlreadyExistsError(absl::StrCat(
        "campaign ", *id, " exists; change it with: outpace campaign set ", *id, " NAME=VALUE"));
  }
  campaign::CampaignSettings settings;
  if (absl::Status s = settings.Set("campaign_id", *id); !s.ok()) return s;
  if (absl::Status s = ApplySettings(arguments, settings); !s.ok()) return s;
  if (settings.id != *id) {
    return absl::InvalidArgumentError("campaign_id: give it once, before the settings");
  }
  if (absl::Status s = SaveCampaign(settings); !s.ok()) return s;
  return Answer(
      absl::StrCat("campaign ", *id, " created",
                   settings.active ? "" : "; start it with: outpace campaign start " + *id, "\n",
                   NotesText(settings)));
}

absl::StatusOr<Json> Admin::Impl::CampaignSet(const Json& arguments) {
  auto id = Need(arguments, "id");
  if (!id.ok()) return id.status();
  auto settings = FindCampaign(*id);
  if (!settings.ok()) return settings.status();
  const campaign::CampaignSettings before = *settings;
  if (absl::Status s = ApplySettings(arguments, *settings); !s.ok()) return s;
  if (settings->id != before.id)
    return absl::InvalidArgumentError("campaign_id: cannot be changed");
  if (absl::Status s = SaveCampaign(*settings); !s.ok()) return s;
  // Leads that the old rules held back are looked at anew.
  if (absl::Status s = ClearHolds(settings->id); !s.ok()) return s;
  return Answer(absl::StrCat("campaign ", *id, " changed\n", NotesText(*settings)));
}

absl::StatusOr<Json> Admin::Impl::SetActive(const Json& arguments, bool active) {
  auto id = Need(arguments, "id");
  if (!id.ok()) return id.status();
  auto settings = FindCampaign(*id);
  if (!settings.ok()) return settings.status();
  settings->active = active;
  if (absl::Status s = SaveCampaign(*settings); !s.ok()) return s;
  // A lead whose turn came just as the campaign was paused is held until it starts again.
  if (active) {
    if (absl::Status s = ClearHolds(settings->id); !s.ok()) return s;
  }
  return Answer(absl::StrCat("campaign ", *id, active ? " started\n" : " paused\n"));
}

absl::StatusOr<Json> Admin::Impl::CampaignStart(const Json& arguments) {
  return SetActive(arguments, true);
}

absl::StatusOr<Json> Admin::Impl::CampaignPause(const Json& arguments) {
  return SetActive(arguments, false);
}

absl::StatusOr<Json> Admin::Impl::CampaignRecheck(const Json& arguments) {
  std::vector<CampaignId> ids;
  if (const std::string id = Text(arguments, "id"); !id.empty()) {
    if (auto known = FindCampaign(id); !known.ok()) return known.status();
    ids.push_back(id);
  } else {
    auto campaigns = store.Campaigns();
    if (!campaigns.ok()) return campaigns.status();
    for (const campaign::CampaignSettings& settings : *campaigns) ids.push_back(settings.id);
  }
  for (const CampaignId& id : ids) {
    if (absl::Status s = ClearHolds(id); !s.ok()) return s;
  }
  return Answer("leads that rules hold back are looked at anew\n");
}

absl::Status Admin::Impl::ClearHold(LeadId id) {
  auto lead = store.GetLead(id);
  if (!lead.ok()) return lead.status();
  if (!lead->has_value() || (*lead)->hold_until <= clock.Wall() + absl::Seconds(1)) {
    return absl::OkStatus();
  }
  (*lead)->has_fields = false;  // its texts stay as they are
  campaign::StoreBatch batch;
  batch.unchanged.push_back(**lead);
  (*lead)->hold_until = absl::InfinitePast();
  batch.leads.push_back(**std::move(lead));
  return store.CommitUnsynced(batch);
}

// Two passes: which leads are held, then each as it is at that moment. A hold that ends by itself
// in between is left alone, or a lead that is being dialed meanwhile would be put back.
absl::Status Admin::Impl::ClearHolds(const CampaignId& campaign) {
  const absl::Time soon = clock.Wall() + absl::Seconds(5);
  std::vector<LeadId> held;
  absl::Status s = store.ForEachLead([&](const campaign::Lead& lead) {
    if (lead.campaign == campaign && lead.hold_until > soon) held.push_back(lead.id);
    return true;
  });
  if (!s.ok()) return s;
  for (const LeadId id : held) {
    do {
      s = ClearHold(id);
    } while (absl::IsAborted(s));  // somebody has written it meanwhile: read it again
    if (!s.ok()) return s;
  }
  if (s = store.SyncWrites(); !s.ok()) return s;
  if (hooks.leads_changed) hooks.leads_changed(campaign);
  return absl::OkStatus();
}

absl::StatusOr<Json> Admin::Impl::CampaignShow(const Json& arguments) {
  auto id = Need(arguments, "id");
  if (!id.ok()) return id.status();
  auto settings = FindCampaign(*id);
  if (!settings.ok()) return settings.status();
  std::string text;
  for (const auto& [name, value] : settings->ToMap())
    absl::StrAppend(&text, name, "=", value, "\n");
  Json answer = Answer(text + NotesText(*settings));
  answer["settings"] = settings->ToMap();
  answer["notes"] = settings->Notes();
  return answer;
}

absl::StatusOr<Json> Admin::Impl::CampaignList(const Json&) {
  auto campaigns = store.Campaigns();
  if (!campaigns.ok()) return campaigns.status();
  auto counts = store.StatusCounts();
  if (!counts.ok()) return counts.status();
  std::string text =
      absl::StrFormat("%-8s %-8s %-16s %9s  %s\n", "ID", "ACTIVE", "DIAL_METHOD", "LEADS", "NAME");
  for (const campaign::CampaignSettings& c : *campaigns) {
    int64_t leads = 0;
    for (const auto& [status, count] : (*counts)[c.id]) leads += count;
    absl::StrAppendFormat(&text, "%-8s %-8s %-16s %9d  %s\n", c.id, c.active ? "Y" : "N",
                          campaign::DialMethodName(c.dial_method), leads, c.name);
  }
  return Answer(text);
}

}  // namespace outpace::runtime
