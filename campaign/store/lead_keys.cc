#include "campaign/store/lead_keys.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace outpace::store {
namespace {

constexpr uint64_t kDncRangeMax = 99'999'999'999'999;  // 14 digits: dnc::Prefix

// Names become parts of keys, where a NUL byte ends them.
absl::Status CheckName(absl::string_view what, absl::string_view name, bool may_be_empty) {
  if (name.empty() && !may_be_empty) {
    return absl::InvalidArgumentError(absl::StrCat("store: ", what, " is empty"));
  }
  if (name.size() > 255) {
    return absl::InvalidArgumentError(
        absl::StrCat("store: ", what, " has ", name.size(), " bytes; at most 255 are kept"));
  }
  if (name.find('\0') != absl::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat("store: ", what, " holds a NUL byte"));
  }
  return absl::OkStatus();
}

absl::Status CheckLead(const campaign::Lead& lead) {
  if (!lead.id.valid()) return absl::InvalidArgumentError("store: lead without an id");
  if (absl::Status s = CheckName("a lead's status", lead.status, true); !s.ok()) return s;
  if (lead.max_attempts < 0 || lead.max_attempts > 255) {
    return absl::InvalidArgumentError(absl::StrCat("store: lead ", lead.id.value(), " allows ",
                                                   lead.max_attempts,
                                                   " attempts; 0..255 are kept"));
  }
  if (lead.fields.contains("owner")) {
    return absl::InvalidArgumentError("store: a lead's owner is no field but Lead::owner");
  }
  if (lead.rank < -99 || lead.rank > 99) {
    return absl::InvalidArgumentError(absl::StrCat("store: lead ", lead.id.value(), " has rank ",
                                                   lead.rank, "; ranks are -99..99"));
  }
  if (lead.tier != campaign::Tier::kA && lead.tier != campaign::Tier::kB) {
    return absl::InvalidArgumentError(
        absl::StrCat("store: lead ", lead.id.value(), " has tier ", static_cast<int>(lead.tier)));
  }
  return CheckName("a lead's campaign", lead.campaign, /*may_be_empty=*/true);
}

absl::Status CheckDnc(const campaign::DncEntry& entry) {
  const bool is_range = entry.range.digits != 0;
  if (entry.phone.valid() == is_range || entry.range.digits > kDncRangeMax) {
    return absl::InvalidArgumentError(
        "store: a do-not-call entry has to have a number or a range, and one of them");
  }
  const bool has_id =
      entry.scope.level != dnc::DncLevel::kSystem && entry.scope.level != dnc::DncLevel::kLitigator;
  if (!has_id && !entry.scope.id.empty()) {
    return absl::InvalidArgumentError("store: a do-not-call list of all has a name");
  }
  if (entry.reason.size() > campaign::kDncReasonMax) {
    return absl::InvalidArgumentError(absl::StrCat("store: the reason of a do-not-call entry has ",
                                                   entry.reason.size(), " bytes; at most ",
                                                   campaign::kDncReasonMax, " are kept"));
  }
  return CheckName("the name of a do-not-call list", entry.scope.id, !has_id);
}

}  // namespace

std::vector<uint64_t> DncPlacesOf(E164 phone) {
  std::vector<uint64_t> places;
  for (uint64_t digits = phone.value(); digits != 0; digits /= 10) {
    if (digits <= kDncRangeMax) places.push_back(digits | kDncRangeBit);
  }
  places.push_back(phone.value());
  std::reverse(places.begin(), places.end());
  return places;
}

absl::Status CheckBatch(const campaign::StoreBatch& batch) {
  absl::Status status;
  for (const campaign::Lead& lead : batch.leads) status.Update(CheckLead(lead));
  for (const campaign::Attempt& attempt : batch.attempts) {
    if (!attempt.id.valid()) {
      status.Update(absl::InvalidArgumentError("store: attempt without an id"));
    }
    if (attempt.tier != campaign::Tier::kA && attempt.tier != campaign::Tier::kB) {
      status.Update(absl::InvalidArgumentError(absl::StrCat(
          "store: attempt ", attempt.id.value(), " has tier ", static_cast<int>(attempt.tier))));
    }
  }
  for (const auto* entries : {&batch.dnc_added, &batch.dnc_removed}) {
    for (const campaign::DncEntry& entry : *entries) {
      status.Update(CheckDnc(entry));
    }
  }
  for (const campaign::List& list : batch.lists) {
    if (!list.id.valid()) status.Update(absl::InvalidArgumentError("store: list without an id"));
  }
  for (const campaign::Import& import : batch.imports) {
    if (!import.id.valid()) {
      status.Update(absl::InvalidArgumentError("store: import without an id"));
    }
  }
  for (const campaign::CampaignSettings& settings : batch.campaigns) {
    status.Update(CheckName("a campaign's id", settings.id, false));
  }
  for (const campaign::AgentRecord& agent : batch.agents) {
    status.Update(CheckName("an agent's user name", agent.user, false));
  }
  for (const campaign::Recording& recording : batch.recordings) {
    if (!recording.attempt.valid()) {
      status.Update(absl::InvalidArgumentError("store: recording without an attempt"));
    }
    status.Update(CheckName("a recording's campaign", recording.campaign, true));
    status.Update(CheckName("a recording's agent", recording.agent, true));
  }
  for (const campaign::AgentActivity& activity : batch.activities) {
    if (activity.state.empty()) {
      status.Update(absl::InvalidArgumentError("store: an agent's activity without a state"));
    }
    status.Update(CheckName("an active agent's user name", activity.agent, true));
  }
  for (const auto& [name, value] : batch.meta) {
    status.Update(CheckName("the name of a stored value", name, false));
  }
  return status;
}

absl::Status NoListToLoadInto(const CampaignId& campaign, ListId list) {
  return absl::NotFoundError(
      absl::StrCat("store: campaign ", campaign, " has no list ", list.value(), " to load into"));
}

bool IsUnchanged(const campaign::Lead& stored, const campaign::Lead& read) {
  const auto head = [](const campaign::Lead& l) {
    return std::tie(l.id, l.list, l.campaign, l.phone, l.alt_phone, l.status, l.tier,
                    l.called_count, l.entry_date, l.last_call_time, l.next_call_time, l.hold_until,
                    l.time_zones, l.rank, l.max_attempts, l.recycled, l.import);
  };
  return head(stored) == head(read) &&
         (!read.has_fields || (stored.owner == read.owner && stored.fields == read.fields));
}

absl::Status LeadHasChanged(LeadId id) {
  return absl::AbortedError(absl::StrCat("store: lead ", id.value(),
                                         " has changed since it was read; nothing was written"));
}

absl::Status ImportIsThere(ImportId id) {
  return absl::AlreadyExistsError(
      absl::StrCat("store: there is an import ", id.value(), " already"));
}

absl::Status CheckBulkOptions(const campaign::BulkOptions& options,
                              const campaign::LeadStore& store) {
  if (!options.import.valid() || !options.list.valid()) {
    return absl::InvalidArgumentError("store: a load without an import's id or a list");
  }
  if (absl::Status status = CheckName("a load's campaign", options.campaign, false); !status.ok()) {
    return status;
  }
  std::set<absl::string_view> names;
  for (const campaign::FieldColumn& column : options.layout) {
    if (!names.insert(column.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("store: a load has two fields of the name ", column.name));
    }
  }
  const auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  // One that is not there yet may be made before the load is published.
  const bool elsewhere = std::any_of(lists->begin(), lists->end(), [&](const campaign::List& l) {
    return l.id == options.list && l.campaign != options.campaign;
  });
  if (elsewhere) return NoListToLoadInto(options.campaign, options.list);
  const auto imports = store.Imports();
  if (!imports.ok()) return imports.status();
  for (const campaign::Import& import : *imports) {
    if (import.id == options.import) return ImportIsThere(options.import);
  }
  return absl::OkStatus();
}

absl::Status CheckBulkLeads(LeadId first, absl::Span<const campaign::BulkLead> leads,
                            uint32_t zones_max) {
  if (!first.valid()) return absl::InvalidArgumentError("store: leads of a load without ids");
  for (const campaign::BulkLead& lead : leads) {
    const bool good = lead.phone.valid() && lead.rank >= -99 && lead.rank <= 99 &&
                      lead.zones <= zones_max && lead.tier <= campaign::Tier::kB;
    if (!good) {
      return absl::InvalidArgumentError(
          absl::StrCat("store: a lead of a load has ", !lead.phone.valid() ? "no number"
                                                       : lead.zones > zones_max
                                                           ? "zones nobody knows"
                                                           : "a rank or tier out of range"));
    }
  }
  return absl::OkStatus();
}

}  // namespace outpace::store
