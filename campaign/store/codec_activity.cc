#include <utility>

#include "campaign/store/codec.h"
#include "campaign/store/codec_fields.h"
#include "campaign/store/wire.h"

namespace outpace::store {
namespace {

using campaign::AgentActivity;

// Field numbers on disk. Never change the meaning of one, never use one again.
enum ActivityField : uint32_t {
  kActivityAt = 1,
  kActivityAgent = 2,
  kActivityCampaign = 3,
  kActivityState = 4,
  kActivityCode = 5,
  kActivityAttempt = 6,
};

}  // namespace

std::string EncodeActivity(const AgentActivity& a) {
  FieldWriter w(kRecordMajor);
  WriteTime(w, kActivityAt, a.at);
  w.Text(kActivityAgent, a.agent);
  w.Text(kActivityCampaign, a.campaign);
  w.Text(kActivityState, a.state);
  w.Text(kActivityCode, a.code);
  w.Number(kActivityAttempt, a.attempt.value());
  return std::move(w).Finish();
}

absl::StatusOr<AgentActivity> DecodeActivity(absl::string_view bytes) {
  FieldReader reader(bytes, kRecordMajor);
  AgentActivity a;
  Field f;
  while (reader.Next(f)) {
    switch (f.id) {
      case kActivityAt:
        a.at = ReadTime(reader, f);
        break;
      case kActivityAgent:
        a.agent = reader.Text(f);
        break;
      case kActivityCampaign:
        a.campaign = reader.Text(f);
        break;
      case kActivityState:
        a.state = reader.Text(f);
        break;
      case kActivityCode:
        a.code = reader.Text(f);
        break;
      case kActivityAttempt:
        a.attempt = AttemptId(reader.Number(f));
        break;
      default:
        break;  // of a newer program
    }
  }
  if (!reader.status().ok()) return reader.status();
  if (a.state.empty()) return absl::DataLossError("store: an agent's activity has no state");
  return a;
}

}  // namespace outpace::store
