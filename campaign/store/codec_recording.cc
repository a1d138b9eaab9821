#include <limits>
#include <string>
#include <utility>

#include "campaign/store/codec.h"
#include "campaign/store/codec_fields.h"
#include "campaign/store/wire.h"

namespace outpace::store {
namespace {

using campaign::Recording;
using campaign::RecordingGap;

// Field numbers on disk. Never change the meaning of one, never use one again.
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

}  // namespace

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

}  // namespace outpace::store
