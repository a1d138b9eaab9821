// Calls from outside: somebody calls back a number that rang. A call to a number that is set for
// its trunk is taken and hears the message that says who rang; all others are refused. Nothing of
// it is stored, and nothing of it reaches the pacer or the limits on abandoned calls: those count
// what we dialed. The message needs a leg, so a flood of callers could starve the campaigns of
// theirs: callers have at most half of the legs that are not otherwise in use, and kInboundMost.

#include <algorithm>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "engine/runtime/controller.h"

namespace outpace::runtime {
namespace {

constexpr size_t kInboundMost = 20;  // at once; each hears a message of seconds

constexpr int kNotFound = 404;
constexpr int kUnavailable = 503;  // the trunk may try again, or elsewhere

// Trunks write the same number as "+12025550199" to one customer and "12025550199" to the next.
bool SameNumber(absl::string_view a, absl::string_view b) {
  return !a.empty() && absl::StripPrefix(a, "+") == absl::StripPrefix(b, "+");
}

}  // namespace

int Controller::RefusalOf(const call::CallOffered& event) const {
  if (event.trunk >= trunks_.size()) return kNotFound;
  const std::vector<trunk::InboundNumber>& ours = trunks_.settings(event.trunk).inbound;
  const bool known = std::any_of(ours.begin(), ours.end(), [&](const trunk::InboundNumber& set) {
    return SameNumber(set.number, event.called);
  });
  if (!known) return kNotFound;
  if (draining_ || !stopped_reason_.empty()) return kUnavailable;
  const size_t share = (slots_.free() + inbound_.size()) / 2;
  return inbound_.size() < std::min(share, kInboundMost) ? 0 : kUnavailable;
}

void Controller::OnCallOffered(const call::CallOffered& event) {
  const int refusal = RefusalOf(event);
  if (refusal != 0) {
    log_.Info("inbound.refused", {{"call", event.call}, {"status", refusal}});
    Post(call::RefuseCall{event.call, refusal});
    return;
  }
  const InboundId id(event.call);
  const LegId leg = slots_.Take(id);
  OUTPACE_CHECK(id.valid() && leg.valid());
  const bool fresh = inbound_.try_emplace(id, InboundCall{leg, event.trunk, false}).second;
  OUTPACE_CHECK(fresh);
  log_.Info("inbound.offered",
            {{"call", event.call}, {"trunk", trunks_.settings(event.trunk).name}});
  Post(call::TakeCall{leg, event.call});
}

InboundId Controller::InboundOf(LegId leg) const {
  const InboundId* id = std::get_if<InboundId>(&slots_.OwnerOf(leg));
  return id == nullptr ? InboundId() : *id;
}

bool Controller::OnInboundAnswered(const call::LegAnswered& event) {
  if (!InboundOf(event.leg).valid()) return false;
  Post(call::PlayThenHangUp{event.leg, call::Prompt::kSafeHarbor});
  return true;
}

bool Controller::OnInboundPromptFinished(const call::PromptFinished& event) {
  const auto found = inbound_.find(InboundOf(event.leg));
  if (found == inbound_.end()) return false;
  found->second.message_played = true;
  return true;
}

// Also the end of a call whose caller gave up as it was taken: its leg is refused by the shard.
bool Controller::OnInboundEnded(const call::LegEnded& event) {
  const auto found = inbound_.find(InboundOf(event.leg));
  if (found == inbound_.end()) return false;
  const InboundCall call = found->second;
  slots_.Disown(event.leg);
  log_.Info("inbound.ended", {{"call", found->first.value()},
                              {"trunk", trunks_.settings(call.trunk).name},
                              {"outcome", call::CallOutcomeName(event.outcome)},
                              {"message_played", call.message_played},
                              {"by_caller", event.by_far_end}});
  inbound_.erase(found);
  MaybeDrained();
  return true;
}

void Controller::HangUpInbound() {
  for (const auto& [id, call] : inbound_) Post(call::HangUp{call.leg});
}

std::string Controller::CheckInbound() const {
  if (inbound_.size() > kInboundMost) return "too many calls from outside";
  for (const auto& [id, call] : inbound_) {
    if (InboundOf(call.leg) != id) return "a call from outside has lost its leg";
  }
  return "";
}

}  // namespace outpace::runtime
