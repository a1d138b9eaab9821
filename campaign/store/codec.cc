#include "campaign/store/codec.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/store/wire.h"

namespace outpace::store {
namespace {

using campaign::AgentRecord;
using campaign::Attempt;
using campaign::CampaignSettings;
using campaign::DncEntry;
using campaign::Import;
using campaign::List;
using campaign::Recording;
using campaign::RecordingGap;
using campaign::Tier;

constexpr int64_t kIntMin = std::numeric_limits<int>::min();
constexpr int64_t kIntMax = std::numeric_limits<int>::max();

// Field numbers on disk. Never change the meaning of one, never use one again.
enum AttemptField : uint32_t {
  kAttemptId = 1,
  kAttemptLead = 2,
  kAttemptList = 3,
  kAttemptCampaign = 4,
  kAttemptTier = 5,
  kAttemptNumberOfTry = 6,
  kAttemptDialed = 7,
  kAttemptCallerId = 8,
  kAttemptTrunk = 9,
  kAttemptCallId = 10,
  kAttemptFromTag = 11,
  kAttemptBranch = 12,
  kAttemptRouteUri = 13,
  kAttemptRequestUri = 14,
  kAttemptFromUri = 15,
  kAttemptOpen = 16,
  kAttemptOutcome = 17,
  kAttemptTrunkFault = 18,
  kAttemptSipStatus = 19,
  kAttemptQ850Cause = 20,
  kAttemptAbandoned = 21,
  kAttemptMessagePlayed = 22,
  kAttemptStatus = 23,
  kAttemptTermReason = 24,
  kAttemptAgent = 25,
  kAttemptNote = 26,
  kAttemptCallbackTime = 27,
  kAttemptDialedAt = 28,
  kAttemptRingingAt = 29,
  kAttemptAnsweredAt = 30,
  kAttemptConnectedAt = 31,
  kAttemptEndedAt = 32,
  kAttemptDisposedAt = 33,
  kAttemptSent = 34,
  kAttemptInbound = 35,
  kAttemptHeard = 36,
  kAttemptAmd = 37,
  kAttemptAmdFeatures = 38,
  kAttemptAmdConfidence = 39,
  kAttemptAmdMs = 40,
};

enum ListField : uint32_t {
  kListId = 1,
  kListName = 2,
  kListCampaign = 3,
  kListActive = 4,
  kListLeads = 5,
  kListDescription = 6,
  kListExpires = 7,
  kListArchived = 8,
  kListLastReset = 9,
};

enum ImportField : uint32_t {
  kImportId = 1,
  kImportList = 2,
  kImportCampaign = 3,
  kImportFile = 4,
  kImportFileBytes = 5,
  kImportContentHash = 6,
  kImportOptions = 7,
  kImportStarted = 8,
  kImportFinished = 9,
  kImportRows = 10,
  kImportAccepted = 11,
  kImportDuplicatesInFile = 12,
  kImportDuplicatesInStore = 13,
  kImportDnc = 14,
  kImportFiltered = 15,
  kImportRejected = 16,
  kImportCode = 17,  // a pair: code, and a varint
  kImportFirstLead = 18,
  kImportStateIs = 19,
  kImportKept = 20,
};

enum SettingsField : uint32_t { kSettingsId = 1, kSettingsPair = 2 };
enum AgentField : uint32_t {
  kAgentUser = 1,
  kAgentFullName = 2,
  kAgentPhoneUri = 3,
  kAgentPasswordHash = 4,
};
enum DncField : uint32_t { kDncPhone = 1, kDncCampaign = 2, kDncSource = 3, kDncAdded = 4 };
enum RecordingField : uint32_t {
  kRecordingAttempt = 1,
  kRecordingLead = 2,
  kRecordingCampaign = 3,
  kRecordingAgent = 4,
  kRecordingNumber = 5,
  kRecordingStarted = 6,
  kRecordingLength = 7,  // durations in microseconds
  kRecordingFile = 8,
  kRecordingSha256 = 9,
  kRecordingBytes = 10,
  kRecordingFormat = 11,
  kRecordingEncrypted = 12,
  kRecordingCut = 13,
  kRecordingPaused = 14,
  kRecordingLost = 15,
  kRecordingGap = 16,  // varints: kind (1: lost), from, length
  kRecordingFault = 17,
  kRecordingErasedAt = 18,
  kRecordingErasedReason = 19,
};
enum TextField : uint32_t { kText = 1 };

// "Did not happen" is by far the commonest instant: it is the one left out.
void WriteTime(FieldWriter& writer, uint32_t field, absl::Time time) {
  if (time != absl::InfinitePast()) writer.NumberAlways(field, ZigZag(MicrosOf(time)));
}
absl::Time ReadTime(FieldReader& reader, const Field& field) {
  return TimeOf(reader.Signed(field));
}

int ReadInt(FieldReader& reader, const Field& field) {
  return static_cast<int>(reader.Signed(field, kIntMin, kIntMax));
}
bool ReadBool(FieldReader& reader, const Field& field) { return reader.Number(field, 1) != 0; }
E164 ReadPhone(FieldReader& reader, const Field& field) {
  return E164(reader.Number(field, 999'999'999'999'999));  // 15 digits: ITU-T E.164
}
// A duration of 0 to 292 years, to the microsecond.
uint64_t MicrosIn(absl::Duration length) {
  return static_cast<uint64_t>(std::max<int64_t>(0, absl::ToInt64Microseconds(length)));
}
absl::Duration ReadLength(FieldReader& reader, const Field& field) {
  return absl::Microseconds(
      static_cast<int64_t>(reader.Number(field, std::numeric_limits<int64_t>::max() / 1000)));
}
RecordingGap ReadGap(FieldReader& reader, const Field& field) {
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max() / 1000;
  const std::string text = reader.Text(field);
  absl::string_view rest = text;
  uint64_t lost = 0, from = 0, length = 0;
  if (!TakeVarint(rest, lost) || !TakeVarint(rest, from) || !TakeVarint(rest, length) ||
      !rest.empty() || lost > 1 || from > kMax || length > kMax) {
    reader.Fail("a recording's gap");
    return {};
  }
  RecordingGap gap;
  gap.lost = lost != 0;
  gap.from = absl::Microseconds(static_cast<int64_t>(from));
  gap.to = gap.from + absl::Microseconds(static_cast<int64_t>(length));
  return gap;
}
Tier ReadTier(FieldReader& reader, const Field& field) {
  return static_cast<Tier>(reader.Number(field, 1));
}

}  // namespace

int64_t MicrosOf(absl::Time time) {
  if (time == absl::InfinitePast()) return std::numeric_limits<int64_t>::min();
  if (time == absl::InfiniteFuture()) return std::numeric_limits<int64_t>::max();
  return absl::ToUnixMicros(time);
}

absl::Time TimeOf(int64_t micros) {
  if (micros == std::numeric_limits<int64_t>::min()) return absl::InfinitePast();
  if (micros == std::numeric_limits<int64_t>::max()) return absl::InfiniteFuture();
  return absl::FromUnixMicros(micros);
}

std::string EncodeAttempt(const Attempt& a) {
  FieldWriter w(kRecordMajor);
  w.Number(kAttemptId, a.id.value());
  w.Number(kAttemptLead, a.lead.value());
  w.Number(kAttemptList, a.list.value());
  w.Text(kAttemptCampaign, a.campaign);
  w.Number(kAttemptTier, static_cast<uint64_t>(a.tier));
  w.NumberAlways(kAttemptNumberOfTry, ZigZag(a.number_of_try));
  w.Number(kAttemptDialed, a.dialed.value());
  w.Number(kAttemptCallerId, a.caller_id.value());
  w.Text(kAttemptTrunk, a.trunk);
  w.Text(kAttemptCallId, a.call_id);
  w.Text(kAttemptFromTag, a.from_tag);
  w.Text(kAttemptBranch, a.branch);
  w.Text(kAttemptRouteUri, a.route_uri);
  w.Text(kAttemptRequestUri, a.request_uri);
  w.Text(kAttemptFromUri, a.from_uri);
  w.NumberAlways(kAttemptOpen, a.open ? 1 : 0);
  w.Text(kAttemptOutcome, a.outcome);
  w.Number(kAttemptTrunkFault, a.trunk_fault ? 1 : 0);
  w.Signed(kAttemptSipStatus, a.sip_status);
  w.Signed(kAttemptQ850Cause, a.q850_cause);
  w.Number(kAttemptAbandoned, a.abandoned ? 1 : 0);
  w.Number(kAttemptMessagePlayed, a.message_played ? 1 : 0);
  w.Text(kAttemptStatus, a.status);
  w.Text(kAttemptTermReason, a.term_reason);
  w.Text(kAttemptAgent, a.agent);
  w.Text(kAttemptNote, a.note);
  WriteTime(w, kAttemptCallbackTime, a.callback_time);
  WriteTime(w, kAttemptDialedAt, a.dialed_at);
  WriteTime(w, kAttemptRingingAt, a.ringing_at);
  WriteTime(w, kAttemptAnsweredAt, a.answered_at);
  WriteTime(w, kAttemptConnectedAt, a.connected_at);
  WriteTime(w, kAttemptEndedAt, a.ended_at);
  WriteTime(w, kAttemptDisposedAt, a.disposed_at);
  w.NumberAlways(kAttemptSent, a.sent ? 1 : 0);
  w.Number(kAttemptInbound, a.inbound ? 1 : 0);
  w.Text(kAttemptHeard, a.heard);
  w.Text(kAttemptAmd, a.amd);
  w.Text(kAttemptAmdFeatures, a.amd_features);
  w.Signed(kAttemptAmdConfidence, a.amd_confidence);
  w.Signed(kAttemptAmdMs, a.amd_ms);
  return std::move(w).Finish();
}

absl::StatusOr<Attempt> DecodeAttempt(absl::string_view bytes) {
  FieldReader reader(bytes, kRecordMajor);
  Attempt a;
  Field f;
  while (reader.Next(f)) {
    switch (f.id) {
      case kAttemptId:
        a.id = AttemptId(reader.Number(f));
        break;
      case kAttemptLead:
        a.lead = LeadId(reader.Number(f));
        break;
      case kAttemptList:
        a.list = ListId(reader.Number(f));
        break;
      case kAttemptCampaign:
        a.campaign = reader.Text(f);
        break;
      case kAttemptTier:
        a.tier = ReadTier(reader, f);
        break;
      case kAttemptNumberOfTry:
        a.number_of_try = ReadInt(reader, f);
        break;
      case kAttemptDialed:
        a.dialed = ReadPhone(reader, f);
        break;
      case kAttemptCallerId:
        a.caller_id = ReadPhone(reader, f);
        break;
      case kAttemptTrunk:
        a.trunk = reader.Text(f);
        break;
      case kAttemptCallId:
        a.call_id = reader.Text(f);
        break;
      case kAttemptFromTag:
        a.from_tag = reader.Text(f);
        break;
      case kAttemptBranch:
        a.branch = reader.Text(f);
        break;
      case kAttemptRouteUri:
        a.route_uri = reader.Text(f);
        break;
      case kAttemptRequestUri:
        a.request_uri = reader.Text(f);
        break;
      case kAttemptFromUri:
        a.from_uri = reader.Text(f);
        break;
      case kAttemptOpen:
        a.open = ReadBool(reader, f);
        break;
      case kAttemptOutcome:
        a.outcome = reader.Text(f);
        break;
      case kAttemptTrunkFault:
        a.trunk_fault = ReadBool(reader, f);
        break;
      case kAttemptHeard:
        a.heard = reader.Text(f);
        break;
      case kAttemptAmd:
        a.amd = reader.Text(f);
        break;
      case kAttemptAmdFeatures:
        a.amd_features = reader.Text(f);
        break;
      case kAttemptAmdConfidence:
        a.amd_confidence = ReadInt(reader, f);
        break;
      case kAttemptAmdMs:
        a.amd_ms = ReadInt(reader, f);
        break;
      case kAttemptSipStatus:
        a.sip_status = ReadInt(reader, f);
        break;
      case kAttemptQ850Cause:
        a.q850_cause = ReadInt(reader, f);
        break;
      case kAttemptAbandoned:
        a.abandoned = ReadBool(reader, f);
        break;
      case kAttemptMessagePlayed:
        a.message_played = ReadBool(reader, f);
        break;
      case kAttemptStatus:
        a.status = reader.Text(f);
        break;
      case kAttemptTermReason:
        a.term_reason = reader.Text(f);
        break;
      case kAttemptAgent:
        a.agent = reader.Text(f);
        break;
      case kAttemptNote:
        a.note = reader.Text(f);
        break;
      case kAttemptCallbackTime:
        a.callback_time = ReadTime(reader, f);
        break;
      case kAttemptDialedAt:
        a.dialed_at = ReadTime(reader, f);
        break;
      case kAttemptRingingAt:
        a.ringing_at = ReadTime(reader, f);
        break;
      case kAttemptAnsweredAt:
        a.answered_at = ReadTime(reader, f);
        break;
      case kAttemptConnectedAt:
        a.connected_at = ReadTime(reader, f);
        break;
      case kAttemptEndedAt:
        a.ended_at = ReadTime(reader, f);
        break;
      case kAttemptDisposedAt:
        a.disposed_at = ReadTime(reader, f);
        break;
      case kAttemptSent:
        a.sent = ReadBool(reader, f);
        break;
      case kAttemptInbound:
        a.inbound = ReadBool(reader, f);
        break;
      default:
        break;  // of a newer program
    }
  }
  if (!reader.status().ok()) return reader.status();
  if (!a.id.valid()) return absl::DataLossError("store: an attempt record has no id");
  return a;
}

std::string EncodeList(const List& list) {
  FieldWriter w(kRecordMajor);
  w.Number(kListId, list.id.value());
  w.Text(kListName, list.name);
  w.Text(kListCampaign, list.campaign);
  w.NumberAlways(kListActive, list.active ? 1 : 0);
  w.Signed(kListLeads, list.leads);
  w.Text(kListDescription, list.description);
  if (list.expires != absl::InfiniteFuture()) {
    w.NumberAlways(kListExpires, ZigZag(MicrosOf(list.expires)));
  }
  w.Number(kListArchived, list.archived ? 1 : 0);
  WriteTime(w, kListLastReset, list.last_reset);
  return std::move(w).Finish();
}

absl::StatusOr<List> DecodeList(absl::string_view bytes) {
  FieldReader reader(bytes, kRecordMajor);
  List list;
  Field f;
  while (reader.Next(f)) {
    switch (f.id) {
      case kListId:
        list.id = ListId(reader.Number(f));
        break;
      case kListName:
        list.name = reader.Text(f);
        break;
      case kListCampaign:
        list.campaign = reader.Text(f);
        break;
      case kListActive:
        list.active = ReadBool(reader, f);
        break;
      case kListLeads:
        list.leads = reader.Signed(f);
        break;
      case kListDescription:
        list.description = reader.Text(f);
        break;
      case kListExpires:
        list.expires = ReadTime(reader, f);
        break;
      case kListArchived:
        list.archived = ReadBool(reader, f);
        break;
      case kListLastReset:
        list.last_reset = ReadTime(reader, f);
        break;
      default:
        break;  // of a newer program
    }
  }
  if (!reader.status().ok()) return reader.status();
  return list;
}

std::string EncodeImport(const Import& import) {
  FieldWriter w(kRecordMajor);
  w.Number(kImportId, import.id.value());
  w.Number(kImportList, import.list.value());
  w.Text(kImportCampaign, import.campaign);
  w.Text(kImportFile, import.file);
  w.Number(kImportFileBytes, import.file_bytes);
  w.Text(kImportContentHash, import.content_hash);
  w.Text(kImportOptions, import.options);
  WriteTime(w, kImportStarted, import.started);
  WriteTime(w, kImportFinished, import.finished);
  const campaign::ImportCounts& counts = import.counts;
  w.Number(kImportRows, counts.rows);
  w.Number(kImportAccepted, counts.accepted);
  w.Number(kImportDuplicatesInFile, counts.duplicates_in_file);
  w.Number(kImportDuplicatesInStore, counts.duplicates_in_store);
  w.Number(kImportDnc, counts.dnc);
  w.Number(kImportFiltered, counts.filtered);
  w.Number(kImportRejected, counts.rejected);
  for (const auto& [code, count] : import.by_code) {
    std::string number;
    AppendVarint(count, number);
    w.Pair(kImportCode, code, number);
  }
  w.Number(kImportFirstLead, import.first_lead.value());
  w.Number(kImportStateIs, static_cast<uint64_t>(import.state));
  w.Number(kImportKept, import.kept);
  return std::move(w).Finish();
}

absl::StatusOr<Import> DecodeImport(absl::string_view bytes) {
  FieldReader reader(bytes, kRecordMajor);
  Import import;
  import.started = import.finished = absl::InfinitePast();
  campaign::ImportCounts& counts = import.counts;
  Field f;
  while (reader.Next(f)) {
    switch (f.id) {
      case kImportId:
        import.id = ImportId(reader.Number(f));
        break;
      case kImportList:
        import.list = ListId(reader.Number(f));
        break;
      case kImportCampaign:
        import.campaign = reader.Text(f);
        break;
      case kImportFile:
        import.file = reader.Text(f);
        break;
      case kImportFileBytes:
        import.file_bytes = reader.Number(f);
        break;
      case kImportContentHash:
        import.content_hash = reader.Text(f);
        break;
      case kImportOptions:
        import.options = reader.Text(f);
        break;
      case kImportStarted:
        import.started = ReadTime(reader, f);
        break;
      case kImportFinished:
        import.finished = ReadTime(reader, f);
        break;
      case kImportRows:
        counts.rows = reader.Number(f);
        break;
      case kImportAccepted:
        counts.accepted = reader.Number(f);
        break;
      case kImportDuplicatesInFile:
        counts.duplicates_in_file = reader.Number(f);
        break;
      case kImportDuplicatesInStore:
        counts.duplicates_in_store = reader.Number(f);
        break;
      case kImportDnc:
        counts.dnc = reader.Number(f);
        break;
      case kImportFiltered:
        counts.filtered = reader.Number(f);
        break;
      case kImportRejected:
        counts.rejected = reader.Number(f);
        break;
      case kImportCode: {
        std::string code, number;
        if (!reader.Pair(f, code, number)) break;
        absl::string_view rest = number;
        if (!TakeVarint(rest, import.by_code[code]) || !rest.empty()) reader.Fail("a count");
        break;
      }
      case kImportFirstLead:
        import.first_lead = LeadId(reader.Number(f));
        break;
      case kImportStateIs:
        import.state = static_cast<campaign::ImportState>(
            reader.Number(f, static_cast<uint64_t>(campaign::ImportState::kUndone)));
        break;
      case kImportKept:
        import.kept = reader.Number(f);
        break;
      default:
        break;  // of a newer program
    }
  }
  if (!reader.status().ok()) return reader.status();
  return import;
}

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

std::string EncodeDnc(const DncEntry& entry) {
  FieldWriter w(kRecordMajor);
  w.Number(kDncPhone, entry.phone.value());
  w.Text(kDncCampaign, entry.campaign);
  w.Text(kDncSource, entry.source);
  WriteTime(w, kDncAdded, entry.added);
  return std::move(w).Finish();
}

absl::StatusOr<DncEntry> DecodeDnc(absl::string_view bytes) {
  FieldReader reader(bytes, kRecordMajor);
  DncEntry entry;
  entry.added = absl::InfinitePast();
  Field f;
  while (reader.Next(f)) {
    switch (f.id) {
      case kDncPhone:
        entry.phone = ReadPhone(reader, f);
        break;
      case kDncCampaign:
        entry.campaign = reader.Text(f);
        break;
      case kDncSource:
        entry.source = reader.Text(f);
        break;
      case kDncAdded:
        entry.added = ReadTime(reader, f);
        break;
      default:
        break;  // of a newer program
    }
  }
  if (!reader.status().ok()) return reader.status();
  return entry;
}

std::string EncodeRecording(const Recording& r) {
  FieldWriter w(kRecordMajor);
  w.Number(kRecordingAttempt, r.attempt.value());
  w.Number(kRecordingLead, r.lead.value());
  w.Text(kRecordingCampaign, r.campaign);
  w.Text(kRecordingAgent, r.agent);
  w.Number(kRecordingNumber, r.number.value());
  WriteTime(w, kRecordingStarted, r.started);
  w.Number(kRecordingLength, MicrosIn(r.length));
  w.Text(kRecordingFile, r.file);
  w.Text(kRecordingSha256, r.sha256);
  w.Number(kRecordingBytes, r.bytes);
  w.Text(kRecordingFormat, r.format);
  w.Number(kRecordingEncrypted, r.encrypted ? 1 : 0);
  w.Number(kRecordingCut, r.cut ? 1 : 0);
  w.Number(kRecordingPaused, MicrosIn(r.paused));
  w.Number(kRecordingLost, MicrosIn(r.lost));
  for (const RecordingGap& gap : r.gaps) {
    std::string text;
    AppendVarint(gap.lost ? 1 : 0, text);
    AppendVarint(MicrosIn(gap.from), text);
    AppendVarint(MicrosIn(gap.to - gap.from), text);
    w.TextAlways(kRecordingGap, text);
  }
  w.Text(kRecordingFault, r.fault);
  WriteTime(w, kRecordingErasedAt, r.erased_at);
  w.Text(kRecordingErasedReason, r.erased_reason);
  return std::move(w).Finish();
}

absl::StatusOr<Recording> DecodeRecording(absl::string_view bytes) {
  FieldReader reader(bytes, kRecordMajor);
  Recording r;
  Field f;
  while (reader.Next(f)) {
    switch (f.id) {
      case kRecordingAttempt:
        r.attempt = AttemptId(reader.Number(f));
        break;
      case kRecordingLead:
        r.lead = LeadId(reader.Number(f));
        break;
      case kRecordingCampaign:
        r.campaign = reader.Text(f);
        break;
      case kRecordingAgent:
        r.agent = reader.Text(f);
        break;
      case kRecordingNumber:
        r.number = ReadPhone(reader, f);
        break;
      case kRecordingStarted:
        r.started = ReadTime(reader, f);
        break;
      case kRecordingLength:
        r.length = ReadLength(reader, f);
        break;
      case kRecordingFile:
        r.file = reader.Text(f);
        break;
      case kRecordingSha256:
        r.sha256 = reader.Text(f);
        break;
      case kRecordingBytes:
        r.bytes = reader.Number(f);
        break;
      case kRecordingFormat:
        r.format = reader.Text(f);
        break;
      case kRecordingEncrypted:
        r.encrypted = ReadBool(reader, f);
        break;
      case kRecordingCut:
        r.cut = ReadBool(reader, f);
        break;
      case kRecordingPaused:
        r.paused = ReadLength(reader, f);
        break;
      case kRecordingLost:
        r.lost = ReadLength(reader, f);
        break;
      case kRecordingGap:
        r.gaps.push_back(ReadGap(reader, f));
        break;
      case kRecordingFault:
        r.fault = reader.Text(f);
        break;
      case kRecordingErasedAt:
        r.erased_at = ReadTime(reader, f);
        break;
      case kRecordingErasedReason:
        r.erased_reason = reader.Text(f);
        break;
      default:
        break;  // of a newer program
    }
  }
  if (!reader.status().ok()) return reader.status();
  return r;
}

std::string EncodeText(absl::string_view text) {
  FieldWriter w(kRecordMajor);
  w.Text(kText, text);
  return std::move(w).Finish();
}

absl::StatusOr<std::string> DecodeText(absl::string_view bytes) {
  FieldReader reader(bytes, kRecordMajor);
  std::string text;
  Field f;
  while (reader.Next(f)) {
    if (f.id == kText) text = reader.Text(f);
  }
  if (!reader.status().ok()) return reader.status();
  return text;
}

}  // namespace outpace::store
