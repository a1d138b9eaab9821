#include "campaign/store/lead_keys.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace outpace::store {
namespace {

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

}  // namespace

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
      if (!entry.phone.valid()) {
        status.Update(absl::InvalidArgumentError("store: do-not-call entry without a number"));
      }
      status.Update(CheckName("a do-not-call entry's campaign", entry.campaign, true));
    }
  }
  for (const campaign::List& list : batch.lists) {
    if (!list.id.valid()) status.Update(absl::InvalidArgumentError("store: list without an id"));
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
  for (const auto& [name, value] : batch.meta) {
    status.Update(CheckName("the name of a stored value", name, false));
  }
  return status;
}

}  // namespace outpace::store
