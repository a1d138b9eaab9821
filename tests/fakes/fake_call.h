#pragma once

// Small working fakes of what a CallShard needs. All write into one Trail, so that a test can ask
// for the order of things across them: the journal before the ACK, the BYE before the report.

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/call/dialog_journal.h"
#include "engine/call/media_plane.h"
#include "engine/call/messages.h"
#include "engine/call/signaling.h"

namespace outpace::fakes {

using Trail = std::vector<std::string>;  // "invite 0", "ack 0", "answered 0": verb and leg index

class FakeSignaling final : public call::Signaling {
 public:
  explicit FakeSignaling(Trail& trail) : trail_(trail) {}
  absl::Status Invite(const call::InviteRequest& request) override {
    if (!next_invite.ok()) return std::exchange(next_invite, absl::OkStatus());
    trail_.push_back(absl::StrCat("invite ", request.leg.index));
    invites.push_back(request);
    return absl::OkStatus();
  }
  void Cancel(LegId leg) override { trail_.push_back(absl::StrCat("cancel ", leg.index)); }
  void GiveUp(LegId leg) override { given_up.push_back(leg); }
  void Ack(LegId leg) override { trail_.push_back(absl::StrCat("ack ", leg.index)); }
  void Bye(LegId leg, int q850_cause) override {
    trail_.push_back(absl::StrCat("bye ", leg.index));
    bye_causes.push_back(q850_cause);
  }
  void Forget(LegId leg) override { trail_.push_back(absl::StrCat("forget ", leg.index)); }
  void ByeOrphan(const call::DialogState& dialog) override {
    trail_.push_back(absl::StrCat("bye_orphan ", dialog.call_id));
  }
  void CancelOrphan(const OrphanInvite& invite) override {
    trail_.push_back(absl::StrCat("cancel_orphan ", invite.ids.call_id));
  }
  absl::Status Accept(LegId leg, uint64_t call, absl::string_view sdp) override {
    if (!next_accept.ok()) return std::exchange(next_accept, absl::OkStatus());
    trail_.push_back(absl::StrCat("accept ", leg.index, " ", call));
    accepted_sdp = std::string(sdp);
    return absl::OkStatus();
  }
  void Refuse(uint64_t call, int status) override {
    trail_.push_back(absl::StrCat("refuse ", call, " ", status));
  }
  void SetTrunkAddresses(uint16_t trunk, const std::vector<std::string>& hosts) override {
    trail_.push_back(absl::StrCat("addresses ", trunk));
    addresses[trunk] = hosts;
  }
  void Ping(uint16_t trunk, const std::string& route_uri) override {
    trail_.push_back(absl::StrCat("ping ", trunk, " ", route_uri));
  }
  void Register(uint16_t trunk, const std::string& route_uri) override {
    trail_.push_back(absl::StrCat("register ", trunk, " ", route_uri));
  }

  absl::Status next_invite;  // set it to make the next Invite() fail once
  absl::Status next_accept;  // the same for Accept()
  std::vector<call::InviteRequest> invites;
  std::vector<LegId> given_up;
  std::vector<int> bye_causes;
  std::string accepted_sdp;  // of the last Accept()
  absl::btree_map<uint16_t, std::vector<std::string>> addresses;

 private:
  Trail& trail_;
};

class FakeMediaPlane final : public call::MediaPlane {
 public:
  explicit FakeMediaPlane(Trail& trail) : trail_(trail) {}
  absl::StatusOr<std::string> Open(LegId leg, const call::MediaOptions&) override {
    if (!next_open.ok()) return std::exchange(next_open, absl::OkStatus());
    open.insert(leg);
    return absl::StrCat("offer ", leg.index);
  }
  // Takes anything but "no audio".
  absl::Status SetRemote(LegId leg, absl::string_view sdp) override {
    if (sdp == "no audio") return absl::InvalidArgumentError("no audio");
    remotes[leg] = std::string(sdp);
    return absl::OkStatus();
  }
  std::string LocalSdp(LegId leg) override { return absl::StrCat("local ", leg.index); }
  void Bridge(LegId a, LegId b) override {
    trail_.push_back(absl::StrCat("bridge ", a.index, " ", b.index));
  }
  void Unbridge(LegId leg) override { trail_.push_back(absl::StrCat("unbridge ", leg.index)); }
  void Do(LegId leg, call::MediaAction action) override {
    const bool play = std::holds_alternative<call::Play>(action);
    trail_.push_back(absl::StrCat(play ? "play " : "do ", leg.index));
    done.emplace_back(leg, std::move(action));
  }
  void Close(LegId leg) override {
    trail_.push_back(absl::StrCat("close ", leg.index));
    open.erase(leg);
  }

  absl::Status next_open;  // set it to make the next Open() fail once
  absl::btree_set<LegId> open;
  absl::btree_map<LegId, std::string> remotes;
  std::vector<std::pair<LegId, call::MediaAction>> done;

 private:
  Trail& trail_;
};

class FakeJournal final : public call::DialogJournal {
 public:
  explicit FakeJournal(Trail& trail) : trail_(trail) {}
  void Opened(LegId leg, const call::DialogState&) override {
    trail_.push_back(absl::StrCat("opened ", leg.index));
    open.insert(leg);
  }
  void Closed(LegId leg) override {
    trail_.push_back(absl::StrCat("closed ", leg.index));
    open.erase(leg);
  }
  absl::btree_set<LegId> open;

 private:
  Trail& trail_;
};

class RecordingSink final : public call::LegEventSink {
 public:
  explicit RecordingSink(Trail& trail) : trail_(trail) {}
  void OnLegEvent(call::LegEvent event) override {
    trail_.push_back(Describe(event));
    events.push_back(std::move(event));
  }
  // The events of one kind, in order.
  template <typename T>
  std::vector<T> Of() const {
    std::vector<T> found;
    for (const call::LegEvent& event : events) {
      if (const T* e = std::get_if<T>(&event)) found.push_back(*e);
    }
    return found;
  }
  std::vector<call::LegEvent> events;

 private:
  static std::string Describe(const call::LegEvent& event) {
    struct {
      std::string operator()(const call::LegProgress& e) {
        return absl::StrCat("progress ", e.leg.index);
      }
      std::string operator()(const call::LegAnswered& e) {
        return absl::StrCat("answered ", e.leg.index);
      }
      std::string operator()(const call::LegConnected& e) {
        return absl::StrCat("connected ", e.lead.index, " ", e.agent.index);
      }
      std::string operator()(const call::LegEnded& e) {
        return absl::StrCat("ended ", e.leg.index);
      }
      std::string operator()(const call::PromptFinished& e) {
        return absl::StrCat("prompt_finished ", e.leg.index);
      }
      std::string operator()(const call::LegHeard& e) {
        return absl::StrCat("heard ", e.leg.index, " ", listen::SoundName(e.heard.sound));
      }
      std::string operator()(const call::LegDigit& e) {
        return absl::StrCat("digit ", e.leg.index, " ", std::string(1, e.digit));
      }
      std::string operator()(const call::LegJoined& e) {
        return absl::StrCat(e.joined ? "joined " : "not_joined ", e.leg.index);
      }
      std::string operator()(const call::LegFreed& e) {
        return absl::StrCat("freed ", e.leg.index);
      }
      std::string operator()(const call::TrunkState& e) {
        return absl::StrCat("trunk ", e.trunk,
                            e.open      ? " open"
                            : e.probing ? " probing"
                                        : " closed");
      }
      std::string operator()(const call::CallOffered& e) {
        return absl::StrCat("offered ", e.call);
      }
      std::string operator()(const call::CallWithdrawn& e) {
        return absl::StrCat("withdrawn ", e.call);
      }
      std::string operator()(const call::TrunkProbe& e) {
        return absl::StrCat("probe ", e.trunk, e.ok ? " ok" : " failed");
      }
      std::string operator()(const call::FenceReached& e) { return absl::StrCat("fence ", e.id); }
    } describe;
    return std::visit(describe, event);
  }
  Trail& trail_;
};

}  // namespace outpace::fakes
