#include "campaign/store/rocks_keys.h"

#include <algorithm>
#include <utility>

#include "campaign/store/codec.h"
#include "campaign/store/rocks_db.h"

namespace outpace::store {

void AppendBig64(uint64_t value, std::string& to) {
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (56 - 8 * i));
  to.append(bytes, sizeof(bytes));
}

uint64_t ReadBig64(absl::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < 8; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::string IdKey(uint64_t id) {
  std::string key;
  AppendBig64(id, key);
  return key;
}

std::string MetaKey(char kind, absl::string_view name) {
  std::string key(1, kind);
  key.append(name.data(), name.size());
  return key;
}

std::string DictionaryKey(char kind, uint32_t number) {
  std::string key(1, kind);
  for (int shift = 24; shift >= 0; shift -= 8) key.push_back(static_cast<char>(number >> shift));
  return key;
}

uint64_t OrderedMicros(absl::Time time) {
  return static_cast<uint64_t>(MicrosOf(time)) ^ (uint64_t{1} << 63);
}

std::string AfterPrefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

std::string PhoneKey(E164 phone, LeadId lead) {
  std::string key = IdKey(phone.value());
  AppendBig64(lead.value(), key);
  return key;
}

std::string AttemptTimeKey(absl::Time dialed_at, AttemptId id) {
  std::string key = IdKey(OrderedMicros(dialed_at));
  AppendBig64(id.value(), key);
  return key;
}

namespace {

// Bytes on disk: never change one, never use one again. 0 is the first of a place.
char DncLevelByte(dnc::DncLevel level) {
  switch (level) {
    case dnc::DncLevel::kLitigator:
      return 1;
    case dnc::DncLevel::kState:
      return 2;
    case dnc::DncLevel::kClient:
      return 3;
    case dnc::DncLevel::kSystem:
    case dnc::DncLevel::kCampaign:
      break;
  }
  return 0;
}

constexpr size_t kPlaceBytes = 8;

}  // namespace

std::string DncKey(const campaign::DncEntry& entry) {
  std::string key;
  if (const char level = DncLevelByte(entry.scope.level); level != 0) key = {'\0', level};
  key += entry.scope.id;
  key.push_back('\0');
  return DncKey(std::move(key), DncPlace(entry));
}

std::string DncPrefix(absl::string_view key) {
  return std::string(key.substr(0, key.size() - std::min(key.size(), kPlaceBytes)));
}

std::string DncKey(std::string prefix, uint64_t place) {
  AppendBig64(place, prefix);
  return prefix;
}

namespace {

std::string RecordingIndex(char kind) { return {kRecordingIndexPrefix, kind}; }

}  // namespace

std::string RecordingsOfLead(LeadId lead) {
  std::string key = RecordingIndex('l');
  AppendBig64(lead.value(), key);
  return key;
}

std::string RecordingsOfNumber(E164 number) {
  std::string key = RecordingIndex('n');
  AppendBig64(number.value(), key);
  return key;
}

std::string RecordingsOfAgent(const AgentId& agent) {
  return RecordingIndex('a') + agent + std::string(1, '\0');
}

std::string RecordingsOfCampaign(const CampaignId& campaign) {
  return RecordingIndex('c') + campaign + std::string(1, '\0');
}

std::string RecordingsByTime() { return RecordingIndex('t'); }

std::string RecordingIndexKey(std::string index, absl::Time started, AttemptId attempt) {
  AppendBig64(OrderedMicros(started), index);
  AppendBig64(attempt.value(), index);
  return index;
}

std::string RecordingKey(AttemptId attempt) {
  std::string key(1, kRecordingPrefix);
  AppendBig64(attempt.value(), key);
  return key;
}

std::string ActivityTimeKey(absl::Time at) {
  std::string key(1, kActivityPrefix);
  AppendBig64(OrderedMicros(at), key);
  return key;
}

std::string ActivityKey(absl::Time at, uint64_t write, uint32_t place) {
  std::string key = ActivityTimeKey(at);
  AppendBig64(write, key);
  AppendBig64(place, key);
  return key;
}

std::vector<std::string> RecordingIndexKeys(const campaign::Recording& recording) {
  std::vector<std::string> indexes = {RecordingsByTime()};
  if (recording.lead.valid()) indexes.push_back(RecordingsOfLead(recording.lead));
  if (recording.number.valid()) indexes.push_back(RecordingsOfNumber(recording.number));
  if (!recording.agent.empty()) indexes.push_back(RecordingsOfAgent(recording.agent));
  if (!recording.campaign.empty()) indexes.push_back(RecordingsOfCampaign(recording.campaign));
  for (std::string& key : indexes) {
    key = RecordingIndexKey(std::move(key), recording.started, recording.attempt);
  }
  return indexes;
}

}  // namespace outpace::store
