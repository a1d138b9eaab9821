// Campaigns and agents: what is set up by hand.

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/store/codec.h"
#include "campaign/store/wire.h"

namespace outpace::store {
namespace {

using campaign::AgentRecord;
using campaign::CampaignSettings;

// Field numbers on disk. Never change the meaning of one, never use one again.
enum SettingsField : uint32_t { kSettingsId = 1, kSettingsPair = 2 };
enum AgentField : uint32_t {
  kAgentUser = 1,
  kAgentFullName = 2,
  kAgentPhoneUri = 3,
  kAgentPasswordHash = 4,
};

}  // namespace

std::string EncodeSettings(const CampaignSettings& settings) {
  FieldWriter w(kRecordMajor);
  w.Text(kSettingsId, settings.id);
  for (const auto& [name, value] : settings.ToMap()) w.Pair(kSettingsPair, name, value);
  return std::move(w).Finish();
}

absl::StatusOr<CampaignSettings> DecodeSettings(absl::string_view bytes) {
  FieldReader reader(bytes, kRecordMajor);
  CampaignId id;
  std::map<std::string, std::string> values;
  Field f;
  while (reader.Next(f)) {
    if (f.id == kSettingsId) {
      id = reader.Text(f);
    } else if (f.id == kSettingsPair) {
      std::string name, value;
      if (reader.Pair(f, name, value)) values[std::move(name)] = std::move(value);
    }
  }
  if (!reader.status().ok()) return reader.status();
  CampaignSettings settings;
  const std::map<std::string, std::string> known = settings.ToMap();
  for (const auto& [name, value] : values) {
    if (!known.contains(name)) continue;  // of a newer program
    if (absl::Status status = settings.Set(name, value); !status.ok()) {
      return absl::DataLossError(absl::StrCat("store: the settings of campaign \"", id,
                                              "\" cannot be read: ", status.message()));
    }
  }
  settings.id = std::move(id);
  return settings;
}

std::string EncodeAgent(const AgentRecord& agent) {
  FieldWriter w(kRecordMajor);
  w.Text(kAgentUser, agent.user);
  w.Text(kAgentFullName, agent.full_name);
  w.Text(kAgentPhoneUri, agent.phone_uri);
  w.Text(kAgentPasswordHash, agent.password_hash);
  return std::move(w).Finish();
}

absl::StatusOr<AgentRecord> DecodeAgent(absl::string_view bytes) {
  FieldReader reader(bytes, kRecordMajor);
  AgentRecord agent;
  Field f;
  while (reader.Next(f)) {
    switch (f.id) {
      case kAgentUser:
        agent.user = reader.Text(f);
        break;
      case kAgentFullName:
        agent.full_name = reader.Text(f);
        break;
      case kAgentPhoneUri:
        agent.phone_uri = reader.Text(f);
        break;
      case kAgentPasswordHash:
        agent.password_hash = reader.Text(f);
        break;
      default:
        break;  // of a newer program
    }
  }
  if (!reader.status().ok()) return reader.status();
  return agent;
}

}  // namespace outpace::store
