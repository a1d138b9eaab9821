#pragma once

// The controller is the one place where leads, agents and calls meet. It runs on one loop and owns
// the roster, the hoppers, the pacers and every attempt under way; it decides, and posts orders to
// the call shard. Nothing here knows of sockets, threads or files: in production they are real, in
// simulation (engine/runtime/simulation.h) the same code runs on virtual time.
//
// The life of an attempt (files: controller_dial.cc, controller_launch.cc, controller_attempts.cc,
// controller_agents.cc):
//   hopper -> gate -> intent stored and synced -> gate again -> DialOrder to the shard
//   -> answered -> agent reserved, bridged, screen-pop | nobody free in time: message, abandoned
//   -> ended -> wrap-up -> disposition -> lead, attempt and tier in one synced write.
// A machine that answers is ended, told a message, or shown to the agent: controller_media.cc.
// Calls from outside: controller_inbound.cc. Supervisors and third parties: controller_monitor.cc.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "campaign/attempt.h"
#include "campaign/gate/gate.h"
#include "campaign/lead.h"
#include "campaign/lead_store.h"
#include "campaign/settings.h"
#include "dnc/dnc_set.h"
#include "engine/agent/roster.h"
#include "engine/audit/audit_log.h"
#include "engine/base/ids.h"
#include "engine/base/log.h"
#include "engine/base/loop.h"
#include "engine/call/messages.h"
#include "engine/record/recorder.h"
#include "engine/runtime/activity_book.h"
#include "engine/runtime/board.h"
#include "engine/runtime/call_audio.h"
#include "engine/runtime/campaign_runner.h"
#include "engine/runtime/erased_people.h"
#include "engine/runtime/lead_withdrawal.h"
#include "engine/runtime/leg_slots.h"
#include "engine/runtime/live_leads.h"
#include "engine/runtime/store_service.h"
#include "engine/runtime/tier_service.h"
#include "engine/runtime/trunk_desk.h"

namespace outpace::runtime {

struct ControllerOptions {
  std::vector<trunk::TrunkSettings> trunks;   // checked: trunk::RouteTable::Create()
  std::vector<TrunkTools> trunk_tools;        // of each, or none at all
  std::string local_host = "127.0.0.1:5080";  // host of our From URIs
  uint32_t legs_max = 4000;
  absl::Duration tick = absl::Milliseconds(100);
  absl::Duration agent_away_max = absl::Seconds(15);  // lost browser, then logged out
  std::map<std::string, call::Prompt> prompts;        // by name, as the media plane knows them
  // Outlives the controller; nullptr: nothing is recorded.
  record::Recorder* recorder = nullptr;
  std::function<AudioFigures()> audio_figures;  // for boards; null: none
  // The evidence log; outlives the controller; nullptr: none. A call that it does not take is not
  // placed. `number_mark`: what stands in it for a phone number.
  audit::AuditSink* audit = nullptr;
  std::function<std::string(E164)> number_mark;
  // Learned tiers; outlive the controller; nullptr: no campaign scores its leads.
  TierService* tiers = nullptr;
  // The wall clock was set back by so much: what rules have held back until some hour was held by a
  // wrong clock, and is to be looked at anew (Admin "campaign.recheck"). On the loop; must not
  // block. Null: nobody hears.
  std::function<void(absl::Duration)> clock_set_back;
};

// What an agent's screen is told. Called on the controller's loop; must not block.
class AgentEvents {
 public:
  virtual ~AgentEvents() = default;
  virtual void OnState(const AgentId& agent, agent::AgentState state, absl::Time since,
                       bool phone_up) = 0;
  virtual void OnPop(const AgentId& agent, const campaign::Attempt& attempt,
                     const campaign::Lead& lead, bool preview) = 0;
  virtual void OnCallEnded(const AgentId& agent, AttemptId attempt, bool by_caller,
                           absl::Duration length) = 0;
  virtual void OnNotice(const AgentId& agent, const std::string& message) = 0;
  virtual void OnAudio(const AgentId& agent, AttemptId attempt, const CallAudio& audio) = 0;
  virtual void OnLoggedOut(const AgentId& agent) = 0;
};

class Controller final : public call::LegEventSink {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;

  // All references outlive the controller. `post` hands an order to the call shard. `nonce` gives
  // 64 random bits that nobody can guess: they go into Call-IDs and tags.
  Controller(const ControllerOptions& options, Loop& loop, StoreService& store,
             std::function<absl::Status(call::ShardMessage)> post, AgentEvents& agent_events,
             std::function<uint64_t()> nonce, Log& log);
  ~Controller() override;

  // Any thread: queues the event for the loop.
  void OnLegEvent(call::LegEvent event) override;

  // ---- everything below: controller's loop only ----

  // What the store knew at start. Attempts of a predecessor that died are closed as unknown and
  // answered to its far end; then dialing begins.
  struct StartState {
    std::vector<campaign::CampaignSettings> campaigns;
    std::vector<campaign::List> lists;
    dnc::DncSet dnc;  // the store's entries
    ErasedPeople erased;
    std::vector<std::shared_ptr<const dnc::RegistryFile>> registries;
    std::vector<campaign::AgentRecord> agents;
    std::vector<campaign::Attempt> open_attempts;
    std::vector<campaign::Lead> open_leads;       // of open_attempts, same order
    std::vector<call::DialogState> open_dialogs;  // from the dialog journal
    std::vector<campaign::Attempt> attempts_today;
    // What the limits on abandoned calls are counted from, and the campaigns' first calls. Of a
    // campaign that is not here attempts_today serves.
    std::map<CampaignId, AbandonLedger> ledgers;
    std::map<CampaignId, absl::Time> first_calls;
    // Attempts of the last days by number, as far back as HistoryReach() of the campaigns' rules.
    gate::NumberHistory history;
    std::map<CampaignId, std::string> learned;      // saved pacer states
    std::map<std::string, std::string> caller_ids;  // what CallerIdUse() gave, by trunk
    // LastKnownRunning(): where the sessions end that a predecessor left open.
    absl::Time last_known_running = absl::InfiniteFuture();
    uint64_t next_attempt = 1;          // first of a reserved block
    uint64_t end_attempt = UINT64_MAX;  // one behind its last
  };
  void Start(StartState state);
  // No new calls; `drained` runs when the last call and wrap-up are over and agents are logged out.
  void Drain(absl::AnyInvocable<void()> drained);
  // After Drain(), when time is up: ends every call and line now. Wrap-ups end as DISPO.
  void HangUpAll();

  // Where a trunk is now, best first: routes as in RouteUri(), and their numeric hosts.
  void SetTrunkRoutes(size_t trunk, std::vector<std::string> route_uris,
                      std::vector<std::string> addresses);
  void PutCampaign(const campaign::CampaignSettings& settings);
  void PutList(const campaign::List& list);
  void PutAgent(const campaign::AgentRecord& agent);
  void LeadsChanged(
      const CampaignId& campaign);  // loaded, or holds cleared: look for due leads now
  // These leads are about to be written or removed: those that wait are given up, and none is
  // taken again until EndWithdraw(). Returns those under way (in a call, shown to an agent, being
  // written), sorted; Withdrawn() asks again. The caller waits for batches handed to the store
  // before, which may hold a withdrawn lead.
  std::vector<LeadId> Withdraw(const LeadSet& leads);
  std::vector<LeadId> Withdrawn(const LeadSet& leads);
  void EndWithdraw(const LeadSet& leads);
  // In force at once; calls that an entry holds back and nobody has answered yet are cancelled.
  // `done` runs when it is durable and the shard has taken back what was ordered before: no INVITE
  // to the number leaves after that. What is listed already stays at least as long as it was to.
  void AddDnc(std::vector<campaign::DncEntry> entries, Done done);
  void AddDnc(campaign::DncEntry entry, Done done);
  void RemoveDnc(campaign::DncEntry entry, Done done);
  // All registries from now on; calls to their numbers that nobody has answered are cancelled;
  // `done` runs when none of them can leave any more.
  void SetRegistries(std::vector<std::shared_ptr<const dnc::RegistryFile>> registries,
                     Done done = nullptr);
  // `people`: all of them, as the store has them now; `phone`: the newest. As AddDnc().
  void PutErased(const ErasedPeople& people, E164 phone, Done done = nullptr);

  // Agents. `phone_uri`: "sip:a1@192.0.2.7:5060"; empty: the one on record.
  absl::Status Login(const AgentId& agent, const CampaignId& campaign,
                     const std::string& phone_uri);
  absl::Status SetReady(const AgentId& agent);
  absl::Status SetNotReady(const AgentId& agent, const std::string& code);
  absl::Status HangUp(const AgentId& agent);
  // The customer on the line: hold, mute, keys pressed for the agent, recording. FailedPrecondition
  // without a customer on the line, or where the campaign does not allow it.
  absl::Status SetHold(const AgentId& agent, bool held);
  absl::Status SetMute(const AgentId& agent, bool muted);
  absl::Status SendDigits(const AgentId& agent, const std::string& digits);
  enum class RecordVerb { kStart, kStop, kPause, kResume };
  absl::Status Record(const AgentId& agent, RecordVerb verb);
  // A machine is on the line: the campaign's message is played to it, the agent is free at once.
  absl::Status DropVoicemail(const AgentId& agent);
  void Dispose(const AgentId& agent, AttemptId attempt, const std::string& status,
               const std::string& note, absl::Time callback, Done done);
  absl::Status AnswerPreview(const AgentId& agent, AttemptId attempt, bool dial);
  absl::Status Logout(const AgentId& agent);
  // The agent's screen came or went. Its call stays up; it gets no new one while it is away.
  void ScreenConnected(const AgentId& agent);
  void ScreenLost(const AgentId& agent);

  // Rings `phone_uri` (checked by the caller: an agent's network, no trunk) and joins it to all
  // that `agent` hears, until EndMonitor, its own hang-up, or the agent's logout.
  absl::StatusOr<MonitorId> StartMonitor(const AgentId& agent, const std::string& phone_uri,
                                         call::MixRole role);
  // The same for a third party of the agent's present call, which ends with it.
  absl::StatusOr<MonitorId> StartConference(const AgentId& agent, const std::string& phone_uri);
  // By the agent: a third party of its own call, never a supervisor.
  absl::Status EndConference(const AgentId& agent, MonitorId id);
  absl::Status SetMonitorRole(MonitorId id, call::MixRole role);
  absl::Status EndMonitor(MonitorId id);
  const std::map<MonitorId, Monitor>& monitors() const { return monitors_; }
  // From the recorder: the call's recording is whole.
  void OnRecordingClosed(const record::RecordingClosed& closed);

  BoardSnapshot Board() const;
  // Why the campaign places as many calls as it does: its latest decision and the `most` last ones
  // that tell something. NotFound.
  absl::StatusOr<WhyAnswer> Why(const CampaignId& campaign, size_t most) const;
  // Nothing waits and nothing is in a call where the campaign is not known.
  LiveLeads LiveLeadsOf(const CampaignId& campaign) const;
  // Each limit on abandoned calls with its counts. NotFound.
  absl::StatusOr<ContractsAnswer> Contracts(const CampaignId& campaign) const;
  const agent::Roster& roster() const { return roster_; }
  const dnc::DncSet& dnc() const { return dnc_; }
  // Invariants of the whole dialer; empty when they hold. Checked by the simulation after every
  // event.
  std::string CheckInvariants() const;
  // Learned figures of every campaign, for the store, and the time of its first call.
  std::map<CampaignId, std::string> Learned() const;
  std::map<CampaignId, absl::Time> FirstCalls() const;
  // Use of the trunks' caller IDs today, by trunk, for the store.
  std::map<std::string, std::string> CallerIdUse() const;
  // From when on the calls are known that the campaign's limits on abandoned calls are counted
  // from; InfiniteFuture for an unknown campaign. AddOlder() takes those of before, e.g. when a
  // longer window is about to be set.
  absl::Time LedgerFrom(const CampaignId& campaign) const;
  void AddOlder(const CampaignId& campaign, const AbandonLedger& older);
  // From when on the attempts by number are known, at the latest from now on: asked before rules
  // are chosen that look back by `reach`. AddOlder() takes those of before.
  absl::Time HistoryFrom(absl::Duration reach);
  void AddOlder(const gate::NumberHistory& older) { history_.AddOlder(older); }

 private:
  enum class Phase {
    kStoring,     // intent on its way to the disk
    kDialing,     // order posted, not answered
    kScreening,   // answered, and the campaign wants to know who it is first
    kWaiting,     // answered, nobody free yet
    kConnecting,  // agent reserved, bridge ordered
    kTalking,
    kDropping,  // abandoned: message plays
    kMachine,   // a machine: it is told a message, or the BYE is under way
    kWrapUp,    // over for the caller; the agent owes a disposition
    kClosing,   // final record on its way to the disk
    kTaking,    // a call from outside: agent reserved, our 200 not acknowledged yet
  };
  struct LiveAttempt {
    campaign::Attempt record;
    campaign::Lead before;  // as it was in the hopper
    campaign::Lead lead;    // after ApplyIntent, then after the result
    Phase phase = Phase::kStoring;
    LegId leg;
    AgentId agent;           // who has it, or will (preview)
    bool ringing = false;    // the far end has said so,
    MonoTime ringing_since;  // then
    bool withdrawn = false;  // cancelled for want of agents
    size_t trunk = 0;
    trunk::CallerIdTaken caller_id;
    MonoTime ordered;             // the INVITE, as far as known here
    std::vector<uint16_t> tried;  // trunks that failed this lead's call before
    bool fail_over = false;       // another trunk is tried as soon as this attempt is on the disk
    MonoTime answered;
    MonoTime served_from;  // from here on a person waits: the answer, or the verdict of screening
    MonoTime connected;
    MonoTime ended;
    Loop::TimerId timer = 0;                     // screening, drop limit, then wrap-up limit
    listen::Heard verdict;                       // on who answered; kNone: none yet
    std::optional<campaign::CallFacts> counted;  // as what, for the limits on abandoned calls
    double verdict_weight = 1;
    bool beep_heard = false;     // of a voicemail: it records already
    std::string machine_status;  // kMachine: what the call will end as
    CallAudio audio;
    bool recorder_open = false;  // one recording a call: stopping it is a pause
    bool clip = false;           // recorded for the verdict's sake only, so far
    bool whispered = false;      // the campaign's whisper was played to the agent
    MonoTime held_since;         // while audio.held
    std::string hung_up_by;  // term_reason, once we have ordered the end of a call with an agent
  };
  struct AgentLine {  // what the roster does not need to know
    campaign::AgentRecord record;
    std::string phone_uri;
    LegId leg;  // nailed-up line, or the one being rung
    Loop::TimerId away_timer = 0;
    Loop::TimerId redial_timer = 0;
    absl::Duration redial_wait;  // before the next try to ring the phone; grows with each failure
    bool away = false;           // screen lost while logged in
    std::optional<campaign::Lead> preview;  // offered, not answered yet
    AttemptId preview_id;
  };
  using LiveMap = absl::btree_map<AttemptId, LiveAttempt>;
  struct InboundCall {  // from outside, with no agent
    LegId leg;
    size_t trunk = 0;
    E164 caller{};                // none: withheld, or written in another way
    E164 called{};                // none: a short number
    bool taken = false;           // else the store is asked who calls
    bool message_played = false;  // to its end
  };

  // controller.cc
  void Tick();
  void WatchClock(MonoTime now, absl::Time wall);
  void Refill(CampaignRunner& runner);
  void OnFetched(const CampaignId& campaign, absl::StatusOr<std::vector<campaign::Lead>> leads);
  // Learned tiers decide what comes into the hopper, and in which order.
  bool IsScored(const CampaignRunner& runner) const;
  // An attempt's last word is stored. `before`: its lead when it was placed, with fields.
  void LearnTiers(campaign::Lead before, const campaign::Attempt& record);
  void FetchDue(CampaignRunner& runner, std::vector<campaign::Lead> first);
  void OnTexts(const CampaignId& campaign, absl::StatusOr<std::vector<campaign::Lead>> good,
               std::vector<campaign::Lead> refused);
  // The refill's end. What was released, taken or written since it began is not touched by it.
  void Offer(const CampaignId& campaign, std::vector<tier::RankedLead> good,
             std::vector<campaign::Lead> refused);
  void Dispatch(const call::LegEvent& event);
  CampaignRunner* FindRunner(const CampaignId& campaign);
  // What the statuses of a campaign mean now; of one that is not known, as everywhere.
  const campaign::StatusSet& StatusesOf(const CampaignId& campaign) const;
  LiveAttempt* FindLive(AttemptId id);
  AttemptId AttemptOf(LegId leg) const;  // none for agents' legs and stale ids
  void TellTrunkRoutes(size_t trunk);
  absl::Time WallAt(MonoTime at) const;
  void Stop(const std::string& reason);  // no new calls until restart
  void StopForStore(const absl::Status& status);
  void MaybeDrained();
  bool Post(call::ShardMessage message);
  void PostAgain();

  // controller_dial.cc
  void DialAll();
  void Dial(CampaignRunner& runner);
  bool MayDial(CampaignRunner& runner);  // false: idle_reason says why not
  // Places what was decided; the number of legs placed.
  int Place(CampaignRunner& runner, const pacing::Decision& decision, MonoTime now);
  void LogDecision(CampaignRunner& runner) const;
  enum class ShareRound { kFirst, kLeftOver, kBetweenTicks };
  void ShareTrunks(ShareRound round);
  void ShareTrunk(size_t trunk, const std::vector<CampaignRunner*>& on_trunk, ShareRound round);
  void WithdrawUnserved(CampaignRunner& runner);

  // controller_launch.cc, controller_attempts.cc, controller_recovery.cc
  // kOffer: for the hopper, maybe without the lead's texts; kLaunch: before the intent; kSend:
  // after it, before the INVITE.
  enum class GateStage { kOffer, kLaunch, kSend };
  gate::Verdict AskGate(const CampaignRunner& runner, const campaign::Lead& lead,
                        GateStage stage) const;
  // Counts an attempt, or its result, against its number.
  void NoteAttempt(const campaign::Attempt& record);
  // Holds back (or closes for good) a lead that the gate refused, so that it leaves the due leads.
  void ApplyRefusal(const gate::Verdict& verdict, campaign::Lead& lead) const;
  AttemptId NextAttemptId() { return AttemptId(next_attempt_++); }  // while HasAttemptIds()
  bool HasAttemptIds() const { return next_attempt_ < end_attempt_; }
  enum class Launched { kPlaced, kHeldBack, kNoRoom };
  // kHeldBack: the gate or the route table says no, the lead rests. kNoRoom: no trunk or leg is
  // free for it now; the lead is in `lead` still. `agent`: preview, else empty. `tried`: trunks
  // that are out of question. `id`: as promised to the agent; none: the next.
  Launched Launch(CampaignRunner& runner, campaign::Lead& lead, AttemptId id, const AgentId& agent,
                  std::vector<uint16_t> tried = {});
  void HoldBack(CampaignRunner& runner, campaign::Lead lead);
  // `caller_id` is taken where there is a trunk; it may be none (NoCallerId::kEmpty).
  TrunkDesk::Choice ChooseTrunk(CampaignRunner& runner, E164 number,
                                const std::vector<uint16_t>& tried,
                                trunk::CallerIdTaken& caller_id);
  campaign::Attempt IntentOf(const CampaignRunner& runner, const campaign::Lead& lead, AttemptId id,
                             const TrunkDesk::Choice& choice, const trunk::CallerId& caller_id);
  int64_t DayNumber() const;  // where caller IDs' daily caps are counted: UTC
  // The disposition of a call that was not answered; changes its record to what the trunk's table
  // makes of the final response.
  std::string ReadResponse(LiveAttempt& live, const call::LegEnded& event);
  // The trunk failed, and another one may carry the call at once.
  bool MayFailOver(const LiveAttempt& live, const call::LegEnded& event);
  void FailOver(LiveAttempt live);
  void ReleaseTrunk(LiveAttempt& live);  // the call's line is free again
  void OnIntentStored(AttemptId id, const absl::Status& status);
  void OnProgress(const call::LegProgress& event);
  void OnAnswered(const call::LegAnswered& event);
  void OnConnected(const call::LegConnected& event);
  void OnLegEnded(const call::LegEnded& event);
  void OnPromptFinished(const call::PromptFinished& event);
  void OnLegFreed(const call::LegFreed& event);
  void OnTrunkState(const call::TrunkState& event);
  void MeetAgent(LiveAttempt& live);  // the one who waits longest, or wait for one
  void ServeWaiting(CampaignRunner& runner);
  // Until when somebody who waits must have an agent, or is given up.
  MonoTime DropAt(const LiveAttempt& live) const;
  void SetDropTimer(LiveAttempt& live);
  void ReserveFor(LiveAttempt& live, const AgentId& agent);
  void ConnectToAgent(LiveAttempt& live);  // its agent is reserved
  void DropConnecting(LiveAttempt& live);
  void CloseUnmet(LiveAttempt& live, const call::LegEnded& event);
  // Answered by a person and met by no agent: marks the record and counts it.
  void CountAbandoned(LiveAttempt& live);
  // True: a call was cancelled for it, as by CancelUnanswered().
  // `lead`: whose other number is listed too, for it is a person who asks.
  bool AddDncOf(const campaign::Attempt& record, const campaign::Lead& lead,
                campaign::StoreBatch& batch);
  // Of an entry that is in force. True: the shard was told to end a call to its number that nobody
  // has answered. Its INVITE may still be on the way to the shard: AfterShard().
  bool CancelUnanswered(const campaign::DncEntry& entry);
  // The same of this call, if the do-not-call lists hold it back by now.
  bool CancelIfListed(const LiveAttempt& live);
  // `done` (may be null), but not before the shard has handled all that was posted so far.
  Done AfterShard(Done done);
  void OnFenceReached(const call::FenceReached& event);
  // In force from here on; returns when it ends: of two entries of one number the later end counts.
  absl::Time PutDnc(const campaign::DncEntry& entry);
  void Abandon(AttemptId id);
  void StoreProgress(const LiveAttempt& live);
  void EndUnsent(LiveAttempt& live, absl::string_view why);
  void StartWrapUp(LiveAttempt& live);
  // Gives the attempt its status, and its lead what follows from it. `done` may be null.
  void Close(LiveAttempt& live, const std::string& status, Done done);
  // Writes the final record and the lead in one synced batch, then forgets the attempt.
  void WriteFinal(LiveAttempt& live, Done done);
  void RecoverAttempts(const StartState& state);
  std::string FromUri(const trunk::TrunkSettings& trunk, E164 caller_id) const;
  void OnProbe(const call::TrunkProbe& event);

  // controller_media.cc
  listen::AnswerTuning TuningOf(const CampaignRunner& runner) const;
  // The campaign's message for a person whom no agent takes, then the end.
  void PlaySafeHarbor(const LiveAttempt& live);
  std::string MessageOf(const CampaignId& campaign) const;
  call::Prompt PromptOf(const std::string& name, call::Prompt otherwise) const;
  void OnHeard(const call::LegHeard& event);
  void OnDigit(const call::LegDigit& event);
  void NoteVerdict(LiveAttempt& live, const listen::Heard& heard);
  void ScreeningOver(AttemptId id);
  void OnMachine(LiveAttempt& live);
  bool HasMessage(const campaign::CampaignSettings& settings) const;  // for machines, loaded
  bool IsAudited(LiveAttempt& live, const campaign::CampaignSettings& settings);
  // `weight`: how many verdicts this one stands for.
  static void LearnFromDisposition(CampaignRunner& runner, const campaign::Attempt& record,
                                   double weight);
  void EndAsMachine(LiveAttempt& live, absl::string_view status, bool message);
  static void LearnFromAgent(CampaignRunner& runner, const campaign::Attempt& record,
                             listen::AnswerTuner::Truth truth, double weight);
  void OnMachineEnded(LiveAttempt& live, const call::LegEnded& event);
  void OrderMedia(LegId leg, call::MediaAction action) {
    Post(call::MediaOrder{leg, std::move(action)});
  }
  absl::StatusOr<LiveAttempt*> OnLineWith(const AgentId& agent);
  void TellAudio(const LiveAttempt& live);
  void ResetAudio(LiveAttempt& live);
  absl::Status StartRecording(LiveAttempt& live);
  void StartClip(LiveAttempt& live);
  void StoreRecording(const record::RecordingClosed& closed, const campaign::Attempt& call);
  void BeginTalk(LiveAttempt& live);  // what the campaign does as agent and customer meet

  // controller_audit.cc
  // The gate's verdict on a call that is about to be placed. An error: it must not be.
  absl::Status NoteDialed(const LiveAttempt& live);
  // The record of an abandoned call, complete; nothing for other calls.
  void NoteAbandoned(const campaign::Attempt& record);
  // An attempt that was under way when an engine died: its dialing may not have reached the log.
  void NoteRecovered(const campaign::Attempt& record);
  void NoteDnc(const campaign::DncEntry& entry, const campaign::Attempt& record);

  // controller_records.cc
  void NoteActivity(const agent::AgentRecord& record);
  // Those that no call's own write takes along, and that the engine runs.
  void WriteActivities();
  void EndActivities();
  std::string CheckActivities() const;  // part of CheckInvariants()
  // What the call costs, once it has ended: nothing if nobody answered, or it came from outside.
  void NoteCost(campaign::Attempt& record, size_t trunk, absl::Duration answered) const;
  static void NoteHold(LiveAttempt& live, bool held, MonoTime now);
  void EndTalk(LiveAttempt& live, absl::string_view by);  // hangs up on a customer with an agent
  static std::string TermReasonOf(const LiveAttempt& live, const call::LegEnded& event);

  // controller_monitor.cc
  void OnJoined(const call::LegJoined& event);
  bool OnMonitorAnswered(const call::LegAnswered& event);
  bool OnMonitorEnded(const call::LegEnded& event);
  void EndMonitorsOf(const AgentId& agent);
  void EndConferencesOf(AttemptId call);
  // "sip:a1@192.0.2.7:5060;x=y" -> "sip:192.0.2.7:5060": where a phone's INVITE is sent.
  static std::string NextHopOf(absl::string_view phone_uri);
  // Rings a phone of the house. `what` goes into the Call-ID: "agent", "monitor".
  call::DialOrder PhoneOrder(LegId leg, const std::string& phone_uri, absl::string_view what);

  // controller_inbound.cc
  void OnCallOffered(const call::CallOffered& event);
  void OnCallWithdrawn(const call::CallWithdrawn& event);
  int RefusalOf(const call::CallOffered& event) const;  // a SIP status; 0: it is taken
  void OnCallerFound(InboundId id, const CampaignId& campaign,
                     absl::StatusOr<std::optional<campaign::Lead>> lead);
  void TakeForMessage(InboundId id);
  // False: no agent is free for this lead, or it is in another call.
  bool TakeForAgent(InboundId id, CampaignRunner& runner, const campaign::Lead& lead);
  InboundId InboundOf(LegId leg) const;      // none for other legs and stale ids
  LiveAttempt* InboundAttemptOf(LegId leg);  // a caller who has, or gets, an agent; else null
  // False: the leg is no call from outside.
  bool OnInboundAnswered(const call::LegAnswered& event);
  bool OnInboundConnected(const call::LegConnected& event);
  bool OnInboundPromptFinished(const call::PromptFinished& event);
  bool OnInboundEnded(const call::LegEnded& event);
  void EndInboundAttempt(LiveAttempt& live, const call::LegEnded& event);
  void HangUpInbound();
  std::string CheckInbound() const;  // part of CheckInvariants()

  // controller_agents.cc
  bool IsWorking(const AgentId& agent) const;  // logged in
  // The roster says that this attempt is the agent's. False once the agent has logged out, also
  // when a new session has begun since.
  bool IsWith(const AgentId& agent, AttemptId attempt) const;
  void PlacePhoneLeg(const AgentId& agent);
  void RedialPhone(const AgentId& agent);  // after a wait that grows
  void OnAgentLegAnswered(const AgentId& agent);
  void OnAgentLegEnded(const AgentId& agent, const call::LegEnded& event);
  bool ApplyToAgent(const AgentId& agent, agent::AgentEvent event);
  void Announce(const AgentId& agent);
  void AgentFree(const AgentId& agent);  // may be given a call: waiting ones first
  static campaign::Attempt PreviewRecord(const AgentLine& line);
  void OfferPreviews(CampaignRunner& runner);
  void WithdrawPreview(const AgentId& agent);
  // `counts`: the pacer learns from it (a call that we placed).
  void FinishWrapUp(const AgentId& agent, bool by_agent, bool counts);
  absl::Status CheckChoice(const CampaignId& campaign, const std::string& status,
                           absl::Time callback) const;
  void DisposeStored(const AgentId& agent, AttemptId attempt, const std::string& status,
                     const std::string& note, absl::Time callback, Done done);
  void WriteDisposition(campaign::Attempt record, bool again, Done done);
  void LearnFromLate(CampaignRunner& owner, const campaign::Attempt& record);

  const ControllerOptions options_;
  Loop& loop_;
  StoreService& store_;
  const std::function<absl::Status(call::ShardMessage)> post_;
  AgentEvents& agent_events_;
  const std::function<uint64_t()> nonce_;
  Log& log_;

  MonoTime started_;
  uint64_t next_attempt_ = 1;
  uint64_t end_attempt_ = UINT64_MAX;
  agent::Roster roster_;
  ActivityBook activities_;
  dnc::DncSet dnc_;
  gate::NumberHistory history_;
  absl::Duration history_reach_;  // the longest that any campaign's rules have looked back
  // Removals on their way to the disk; an entry added meanwhile takes its own out.
  // By list, number and range.
  absl::btree_set<std::tuple<dnc::DncScope, E164, dnc::Prefix>> dnc_removing_;
  Withdrawals withdrawals_;
  LegSlots slots_;
  absl::btree_map<CampaignId, std::unique_ptr<CampaignRunner>> runners_;
  absl::btree_map<ListId, campaign::List> lists_;
  absl::btree_map<AgentId, AgentLine> agents_;
  LiveMap live_;
  absl::flat_hash_map<E164, AttemptId> numbers_in_call_;
  absl::btree_map<InboundId, InboundCall> inbound_;
  std::map<MonitorId, Monitor> monitors_;
  uint64_t next_monitor_ = 1;
  TrunkDesk trunks_;
  MonoTime last_tick_;
  absl::Time last_wall_ = absl::InfinitePast();  // at last_tick_
  DelayHistogram connect_delay_;
  std::vector<std::pair<AgentId, AttemptId>>
      recovered_;                             // calls of a predecessor, no disposition yet
  absl::flat_hash_set<AttemptId> disposing_;  // stored calls whose disposition is being written
  std::string stopped_reason_;
  std::map<uint64_t, absl::AnyInvocable<void()>> fences_;  // not reached yet, what waits for each
  uint64_t next_fence_ = 1;
  std::deque<call::ShardMessage> unposted_;  // refused by a full mailbox; sent again each tick
  bool draining_ = false;
  bool ending_ = false;  // HangUpAll() was called
  absl::AnyInvocable<void()> drained_;
  uint64_t late_events_ = 0;  // for legs that are gone
};

}  // namespace outpace::runtime
