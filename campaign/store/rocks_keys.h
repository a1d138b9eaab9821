#pragma once

// Keys of the RocksDB store. All numbers in keys are big endian, so that bytewise order is the
// order wanted; names end with a NUL byte (lead_keys.h keeps NUL out of them). See
// docs/decisions/rocksdb.md.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/lead_store.h"
#include "campaign/store/lead_keys.h"
#include "engine/base/e164.h"
#include "engine/base/ids.h"

namespace outpace::store {

void AppendBig64(uint64_t value, std::string& to);
uint64_t ReadBig64(absl::string_view bytes);  // 8 bytes at least

std::string IdKey(uint64_t id);

// Of kMeta: `kind` and a name.
std::string MetaKey(char kind, absl::string_view name);
// Of kMeta: `kind` and the number, 4 bytes.
std::string DictionaryKey(char kind, uint32_t number);

// phone | lead id
std::string PhoneKey(E164 phone, LeadId lead);
inline constexpr size_t kPhonePrefixBytes = 8;

// dialed_at | attempt id
std::string AttemptTimeKey(absl::Time dialed_at, AttemptId id);

// list | place. In order of dnc::DncScope: NUL for the system's list, NUL and a byte 1..3 and the
// name and NUL for litigators, states and clients, name and NUL for campaigns. A place begins with
// a zero byte, and so the system's entries are before all of these.
std::string DncKey(const campaign::DncEntry& entry);
// The list of that key, with all its places.
std::string DncPrefix(absl::string_view key);
std::string DncKey(std::string prefix, uint64_t place);

// The recordings' indexes, within kRecordingIndexPrefix: each is a letter and a name or number,
// then started | attempt id.
std::string RecordingsOfLead(LeadId lead);
std::string RecordingsOfNumber(E164 number);
std::string RecordingsOfAgent(const AgentId& agent);
std::string RecordingsOfCampaign(const CampaignId& campaign);
std::string RecordingsByTime();
inline constexpr size_t kRecordingTailBytes = 16;
std::string RecordingIndexKey(std::string index, absl::Time started, AttemptId attempt);
std::string RecordingKey(AttemptId attempt);
// All of one recording's keys.
std::vector<std::string> RecordingIndexKeys(const campaign::Recording& recording);

// kActivityPrefix | at | number of the write | place within the write: never the same twice, and in
// the order of writing where the instant is the same.
std::string ActivityKey(absl::Time at, uint64_t write, uint32_t place);
// Before the keys of all activities from `at` on.
std::string ActivityTimeKey(absl::Time at);

// In key order, instants keep theirs: the sign bit is turned.
uint64_t OrderedMicros(absl::Time time);

// The smallest key after all keys that begin with `prefix`; empty: there is none.
std::string AfterPrefix(std::string prefix);

}  // namespace outpace::store
