// What a start does with the calls of an engine that died.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/retry_rule.h"
#include "engine/runtime/controller.h"

namespace outpace::runtime {
namespace {

constexpr absl::Duration kRecoveredWrapUp = absl::Minutes(10);
// What a call may have lasted after its engine died; then its far end has noticed.
constexpr absl::Duration kUnseenMost = absl::Minutes(1);

}  // namespace

// What a predecessor that died left behind. Its answered dialogs are in the journal; a call that
// was still ringing is cancelled by the names stored with its intent, and should it answer all the
// same, the SIP stack ends the orphaned 200. Nobody is rung again: the lead rests (retry_rule.h).
void Controller::RecoverAttempts(const StartState& state) {
  absl::flat_hash_set<std::string> up;
  for (const call::DialogState& dialog : state.open_dialogs) {
    up.insert(dialog.call_id);
    Post(call::EndOrphanDialog{dialog});
  }
  campaign::StoreBatch batch;
  for (size_t i = 0; i < state.open_attempts.size(); ++i) {
    campaign::Attempt attempt = state.open_attempts[i];
    campaign::Lead lead = state.open_leads[i];
    const bool ended = attempt.ended_at != absl::InfinitePast();
    if (!ended && !attempt.inbound && !up.contains(attempt.call_id)) {
      const int trunk = trunks_.Find(attempt.trunk);
      Post(call::EndOrphanInvite{{{attempt.call_id, attempt.from_tag, attempt.branch},
                                  attempt.route_uri,
                                  attempt.request_uri,
                                  attempt.from_uri,
                                  trunk < 0 ? call::kAgentTrunk : static_cast<uint16_t>(trunk)}});
    }
    attempt.open = false;
    if (!ended) {
      attempt.outcome = std::string(call::CallOutcomeName(call::CallOutcome::kUnknown));
      attempt.ended_at = loop_.clock().Wall();
      attempt.term_reason = "SYSTEM";
      // Its far end hears of the end now; an answer that was not stored in time costs nobody knows
      // what.
      if (const int trunk = trunks_.Find(attempt.trunk); trunk >= 0) {
        // Not for as long as nobody was there to see.
        const absl::Time seen = std::min(attempt.ended_at, state.last_known_running + kUnseenMost);
        NoteCost(attempt, static_cast<size_t>(trunk),
                 std::max(absl::ZeroDuration(), seen - attempt.answered_at));
      }
    }
    CampaignRunner* runner = FindRunner(attempt.campaign);
    if (!attempt.agent.empty()) {
      // A call an agent had is left without a status: the agent may still dispose of it.
      recovered_.push_back({attempt.agent, attempt.id});
    } else if ((attempt.abandoned || up.contains(attempt.call_id)) && runner != nullptr) {
      // Somebody had answered and met no agent, then silence: abandoned. If it was before the
      // crash, that is stored, and counted with the other records.
      attempt.status = "DROP";
      if (!attempt.abandoned) {
        attempt.answered_at = attempt.dropped_at = attempt.ended_at;
        attempt.abandoned = true;
        ++runner->today.answered;
        ++runner->today.abandoned;
      }
      batch.leads.push_back(campaign::ApplyResult(lead, attempt, runner->settings()));
    } else {
      attempt.status = "UNKN";
      lead.status = "UNKN";
      batch.leads.push_back(std::move(lead));
    }
    if (runner != nullptr) {
      std::optional<campaign::CallFacts> counted =
          FactsOrNone(state.open_attempts[i], runner->settings().statuses);
      runner->CountCall(counted, attempt);
    }
    NoteRecovered(attempt);
    batch.attempts.push_back(std::move(attempt));
  }
  if (batch.empty()) return;
  // What no agent has disposed of by then stays as the engine's own DISPO.
  loop_.After(kRecoveredWrapUp, [this] {
    for (const auto& [agent, id] : recovered_) {
      DisposeStored(agent, id, "DISPO", "", absl::InfinitePast(), [](absl::Status) {});
    }
    recovered_.clear();
  });
  log_.Warning("recovery", {{"dialogs_ended", static_cast<int64_t>(state.open_dialogs.size())},
                            {"attempts_unknown", static_cast<int64_t>(batch.attempts.size())}});
  store_.Commit(std::move(batch), [this](absl::Status status) {
    if (!status.ok()) StopForStore(status);
  });
}

}  // namespace outpace::runtime
