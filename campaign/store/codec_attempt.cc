#include <bit>
#include <cmath>
#include <cstdint>
#include <utility>

#include "campaign/store/codec.h"
#include "campaign/store/codec_fields.h"
#include "campaign/store/wire.h"

namespace outpace::store {
namespace {

using campaign::Attempt;
using campaign::AttemptView;
using campaign::Tier;

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
  kAttemptGreetingStart = 41,  // ms + 1, so that records without it say "not measured"
  kAttemptGreetingEnd = 42,    // likewise
  kAttemptDroppedAt = 43,
  kAttemptScore = 44,  // bits of the double
  kAttemptExplored = 45,
  kAttemptScorer = 46,
  kAttemptAlt = 47,
  kAttemptHolds = 48,
  kAttemptHeld = 49,  // microseconds
  kAttemptConferences = 50,
  kAttemptBilledSeconds = 51,
  kAttemptCostMicros = 52,
  kAttemptLastStatus = 53,
};

Tier ReadTier(FieldReader& reader, const Field& field) {
  return static_cast<Tier>(reader.Number(field, 1));
}

double ReadScore(FieldReader& reader, const Field& field) {
  const auto score = std::bit_cast<double>(reader.Number(field));
  if (!std::isfinite(score)) reader.Fail("an attempt's score");
  return score;
}

}  // namespace

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
  w.Signed(kAttemptGreetingStart, a.greeting_start_ms + 1);
  w.Signed(kAttemptGreetingEnd, a.greeting_end_ms + 1);
  WriteTime(w, kAttemptDroppedAt, a.dropped_at);
  w.Number(kAttemptScore, std::bit_cast<uint64_t>(a.score));
  w.Number(kAttemptExplored, a.explored ? 1 : 0);
  w.Text(kAttemptScorer, a.scorer);
  w.Number(kAttemptAlt, a.alt ? 1 : 0);
  w.Signed(kAttemptHolds, a.holds);
  w.Number(kAttemptHeld, MicrosIn(a.held));
  w.Signed(kAttemptConferences, a.conferences);
  w.Signed(kAttemptBilledSeconds, a.billed_seconds);
  w.Signed(kAttemptCostMicros, a.cost_micros);
  w.Text(kAttemptLastStatus, a.last_status);
  return std::move(w).Finish();
}

absl::Status ViewAttempt(absl::string_view bytes, AttemptView& a) {
  FieldReader reader(bytes, kRecordMajor);
  a = AttemptView();
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
        a.campaign = reader.View(f);
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
        a.trunk = reader.View(f);
        break;
      case kAttemptCallId:
        a.call_id = reader.View(f);
        break;
      case kAttemptFromTag:
        a.from_tag = reader.View(f);
        break;
      case kAttemptBranch:
        a.branch = reader.View(f);
        break;
      case kAttemptRouteUri:
        a.route_uri = reader.View(f);
        break;
      case kAttemptRequestUri:
        a.request_uri = reader.View(f);
        break;
      case kAttemptFromUri:
        a.from_uri = reader.View(f);
        break;
      case kAttemptOpen:
        a.open = ReadBool(reader, f);
        break;
      case kAttemptOutcome:
        a.outcome = reader.View(f);
        break;
      case kAttemptTrunkFault:
        a.trunk_fault = ReadBool(reader, f);
        break;
      case kAttemptHeard:
        a.heard = reader.View(f);
        break;
      case kAttemptAmd:
        a.amd = reader.View(f);
        break;
      case kAttemptAmdFeatures:
        a.amd_features = reader.View(f);
        break;
      case kAttemptAmdConfidence:
        a.amd_confidence = ReadInt(reader, f);
        break;
      case kAttemptAmdMs:
        a.amd_ms = ReadInt(reader, f);
        break;
      case kAttemptDroppedAt:
        a.dropped_micros = reader.Signed(f);
        break;
      case kAttemptGreetingStart:
        a.greeting_start_ms = ReadInt(reader, f) - 1;
        break;
      case kAttemptGreetingEnd:
        a.greeting_end_ms = ReadInt(reader, f) - 1;
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
        a.status = reader.View(f);
        break;
      case kAttemptTermReason:
        a.term_reason = reader.View(f);
        break;
      case kAttemptAgent:
        a.agent = reader.View(f);
        break;
      case kAttemptNote:
        a.note = reader.View(f);
        break;
      case kAttemptCallbackTime:
        a.callback_micros = reader.Signed(f);
        break;
      case kAttemptDialedAt:
        a.dialed_micros = reader.Signed(f);
        break;
      case kAttemptRingingAt:
        a.ringing_micros = reader.Signed(f);
        break;
      case kAttemptAnsweredAt:
        a.answered_micros = reader.Signed(f);
        break;
      case kAttemptConnectedAt:
        a.connected_micros = reader.Signed(f);
        break;
      case kAttemptEndedAt:
        a.ended_micros = reader.Signed(f);
        break;
      case kAttemptDisposedAt:
        a.disposed_micros = reader.Signed(f);
        break;
      case kAttemptSent:
        a.sent = ReadBool(reader, f);
        break;
      case kAttemptInbound:
        a.inbound = ReadBool(reader, f);
        break;
      case kAttemptScore:
        a.score = ReadScore(reader, f);
        break;
      case kAttemptExplored:
        a.explored = ReadBool(reader, f);
        break;
      case kAttemptScorer:
        a.scorer = reader.View(f);
        break;
      case kAttemptAlt:
        a.alt = ReadBool(reader, f);
        break;
      case kAttemptHolds:
        a.holds = ReadInt(reader, f);
        break;
      case kAttemptHeld:
        a.held = ReadLength(reader, f);
        break;
      case kAttemptConferences:
        a.conferences = ReadInt(reader, f);
        break;
      case kAttemptBilledSeconds:
        a.billed_seconds = ReadInt(reader, f);
        break;
      case kAttemptLastStatus:
        a.last_status = reader.View(f);
        break;
      case kAttemptCostMicros:
        a.cost_micros = reader.Signed(f);
        break;
      default:
        break;  // of a newer program
    }
  }
  if (!reader.status().ok()) return reader.status();
  if (!a.id.valid()) return absl::DataLossError("store: an attempt record has no id");
  return absl::OkStatus();
}

absl::StatusOr<Attempt> DecodeAttempt(absl::string_view bytes) {
  AttemptView view;
  if (absl::Status status = ViewAttempt(bytes, view); !status.ok()) return status;
  return ToAttempt(view);
}

}  // namespace outpace::store
