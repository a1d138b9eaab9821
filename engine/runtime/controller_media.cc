// What is heard on calls and done to their audio: machines, hold and mute, recordings, keys.
//
// A machine costs an agent seconds, a person hung up on costs a customer, so the campaign decides
// how much is left to the detector (cpd_amd_action). In BLOCKING mode a call meets no agent before
// the verdict; in NONBLOCKING mode it does at once, and a machine found out later ends or flags it.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/runtime/controller.h"

namespace outpace::runtime {
namespace {

// How long a person's verdict may still be taken back.
constexpr absl::Duration kSecondThoughts = absl::Seconds(6);

// "speech_ms=820 words=2": what the verdict was taken from, without what is 0.
std::string FeaturesText(const listen::Features& features) {
  std::vector<std::string> words;
  for (size_t i = 0; i < features.size(); ++i) {
    const absl::string_view name = listen::FeatureName(i);
    if (features[i] == 0 || name.empty()) continue;
    words.push_back(absl::StrFormat("%s=%.4g", name, features[i]));
  }
  return absl::StrJoin(words, " ");
}

// When whoever answered spoke, as far as was heard until the verdict. While it goes on its end is
// taken to be now, which gives an agent less time, never more.
void NoteGreeting(const listen::Heard& heard, campaign::Attempt& record) {
  const auto feature = [&](absl::string_view name) {
    for (size_t i = 0; i < heard.features.size(); ++i) {
      if (listen::FeatureName(i) == name) return static_cast<int>(heard.features[i]);
    }
    return 0;
  };
  if (feature("speech_ms") <= 0) return;
  const auto after = static_cast<int>(absl::ToInt64Milliseconds(heard.after));
  record.greeting_start_ms = std::clamp(feature("lead_ms"), 0, after);
  record.greeting_end_ms = std::clamp(after - feature("pause_ms"), record.greeting_start_ms, after);
}

record::Format FormatOf(campaign::RecordingFormat format) {
  switch (format) {
    case campaign::RecordingFormat::kWav:
      return record::Format::kWav;
    case campaign::RecordingFormat::kUlaw:
      return record::Format::kWavUlaw;
    case campaign::RecordingFormat::kOpus:
      return record::Format::kOpus;
  }
  return record::Format::kWav;
}

}  // namespace

call::Prompt Controller::PromptOf(const std::string& name, call::Prompt otherwise) const {
  const auto found = options_.prompts.find(name);
  return found == options_.prompts.end() ? otherwise : found->second;
}

void Controller::PlaySafeHarbor(const LiveAttempt& live) {
  const campaign::CampaignSettings& settings = FindRunner(live.record.campaign)->settings();
  const call::Prompt usual = PromptOf(settings.safe_harbor_audio, call::Prompt::kSafeHarbor);
  Post(call::PlayThenHangUp{live.leg, PromptOf(MessageOf(live.record.campaign), usual)});
}

// Of the first limit on abandoned calls that names one; empty: the campaign's.
std::string Controller::MessageOf(const CampaignId& campaign) const {
  for (const campaign::AbandonContract& contract : runners_.at(campaign)->contracts()) {
    if (options_.prompts.contains(contract.message)) return contract.message;
  }
  return "";
}

listen::AnswerTuning Controller::TuningOf(const CampaignRunner& runner) const {
  listen::AnswerTuning tuning;
  tuning.machine_confidence_min = runner.amd_tuner.MachineConfidenceMin();
  tuning.decide_within = runner.settings().amd_decide_seconds;
  // Only an agent who has the call already may be told "a person" on the first syllable: where the
  // verdict decides whether there is an agent at all, it is to be the detector's last word.
  const bool blocking = runner.settings().amd_mode == campaign::AmdMode::kBlocking;
  tuning.second_thoughts = blocking ? absl::ZeroDuration() : kSecondThoughts;
  return tuning;
}

// ---- verdicts ----

void Controller::OnHeard(const call::LegHeard& event) {
  LiveAttempt* live = FindLive(AttemptOf(event.leg));
  if (live == nullptr) return;
  log_.Info("attempt.heard", {{"attempt", live->record.id},
                              {"sound", listen::SoundName(event.heard.sound)},
                              {"name", event.heard.name},
                              {"confidence", static_cast<double>(event.heard.confidence)},
                              {"after_ms", absl::ToInt64Milliseconds(event.heard.after)}});
  switch (event.heard.sound) {
    case listen::Sound::kHuman:
    case listen::Sound::kSilence:  // whoever says nothing may be a person
      NoteVerdict(*live, event.heard);
      if (live->phase == Phase::kScreening) ScreeningOver(live->record.id);
      return;
    case listen::Sound::kMachine:
      NoteVerdict(*live, event.heard);
      return OnMachine(*live);
    case listen::Sound::kFax:
      NoteVerdict(*live, event.heard);
      return EndAsMachine(*live, "AFAX", false);
    default:
      return;  // before the answer: the call's end says it again
  }
}

void Controller::NoteVerdict(LiveAttempt& live, const listen::Heard& heard) {
  // A verdict that stands is said once more; it was taken when it was said first.
  if (live.verdict.sound == heard.sound) return;
  live.verdict = heard;
  live.beep_heard = heard.by_beep;
  campaign::Attempt& record = live.record;
  record.amd = std::string(listen::SoundName(heard.sound));
  record.amd_confidence = static_cast<int>(heard.confidence * 100 + 0.5f);
  record.amd_ms = static_cast<int>(absl::ToInt64Milliseconds(heard.after));
  record.amd_features = FeaturesText(heard.features);
  NoteGreeting(heard, record);
  if (live.phase == Phase::kWaiting) SetDropTimer(live);
  const campaign::CampaignSettings& settings = FindRunner(record.campaign)->settings();
  const bool rests = settings.campaign_recording == campaign::RecordingMode::kOnDemand;
  if (live.clip && rests) {  // keys must still be told, and the hello kept for the agent
    OrderMedia(live.leg, call::RecordPause{.paused = true, .confidential = false});
  }
}

// A person, or nobody could tell in time: then it is taken for one.
void Controller::ScreeningOver(AttemptId id) {
  LiveAttempt* live = FindLive(id);
  if (live == nullptr || live->phase != Phase::kScreening) return;
  loop_.Cancel(std::exchange(live->timer, 0));
  --FindRunner(live->record.campaign)->screening;
  live->served_from = loop_.clock().Mono();
  MeetAgent(*live);
}

void Controller::OnMachine(LiveAttempt& live) {
  const campaign::CampaignSettings& settings = FindRunner(live.record.campaign)->settings();
  using Action = campaign::MachineAction;
  const bool acts =
      settings.cpd_amd_action == Action::kDispo || settings.cpd_amd_action == Action::kMessage;
  if (acts && IsAudited(live, settings)) {
    if (live.phase == Phase::kScreening) ScreeningOver(live.record.id);
    return;
  }
  const bool message = settings.cpd_amd_action == Action::kMessage && HasMessage(settings);
  if (message) return EndAsMachine(live, "AM", true);
  if (acts) return EndAsMachine(live, "AA", false);
  live.audio.machine = settings.cpd_amd_action == Action::kFlag;
  if (live.phase == Phase::kScreening) return ScreeningOver(live.record.id);
  if (live.phase == Phase::kTalking && live.audio.machine) TellAudio(live);
}

bool Controller::HasMessage(const campaign::CampaignSettings& settings) const {
  if (options_.prompts.contains(settings.am_message)) return true;
  if (!settings.am_message.empty()) {
    log_.Warning("campaign.no_message",
                 {{"campaign", settings.id},
                  {"effect", "machines are hung up on"},
                  {"remedy", "put the file of am_message into media.prompts_directory; restart"}});
  }
  return false;
}

// Of the calls that a verdict ends nobody hears whether it was right. A small random share goes to
// an agent all the same, who says so.
bool Controller::IsAudited(LiveAttempt& live, const campaign::CampaignSettings& settings) {
  const double share = settings.amd_audit_percentage / 100;
  const double draw = static_cast<double>(nonce_() >> 11) * 0x1p-53;
  if (share <= 0 || draw >= share) return false;
  live.verdict_weight = 1 / share;
  log_.Info("attempt.amd_audit", {{"attempt", live.record.id}});
  return true;
}

// The agent has said who it was.
void Controller::LearnFromDisposition(CampaignRunner& runner, const campaign::Attempt& record,
                                      double weight) {
  const campaign::Disposition* said = runner.settings().statuses.Find(record.status);
  if (said == nullptr || !said->selectable || record.inbound) return;
  if (!said->human_answered && !said->answering_machine) return;
  using Truth = listen::AnswerTuner::Truth;
  LearnFromAgent(runner, record, said->human_answered ? Truth::kPerson : Truth::kMachine, weight);
}

void Controller::LearnFromAgent(CampaignRunner& runner, const campaign::Attempt& record,
                                listen::AnswerTuner::Truth truth, double weight) {
  const auto is = [&](listen::Sound sound) { return record.amd == listen::SoundName(sound); };
  const listen::Sound verdict = is(listen::Sound::kMachine) ? listen::Sound::kMachine
                                : is(listen::Sound::kHuman) ? listen::Sound::kHuman
                                                            : listen::Sound::kNone;
  runner.amd_tuner.Learn(verdict, static_cast<float>(record.amd_confidence) / 100, truth, weight);
}

// No person is on the line: `message` is told after the beep, or we hang up at once. An agent who
// had the call is free.
void Controller::EndAsMachine(LiveAttempt& live, absl::string_view status, bool message) {
  CampaignRunner& runner = *FindRunner(live.record.campaign);
  const AttemptId id = live.record.id;
  const AgentId agent = live.agent;
  const MonoTime now = loop_.clock().Mono();
  const Phase before = live.phase;
  switch (before) {
    case Phase::kScreening:
      --runner.screening;
      break;
    case Phase::kWaiting:
      runner.waiting.erase(std::find(runner.waiting.begin(), runner.waiting.end(), id));
      break;
    case Phase::kConnecting:
    case Phase::kTalking:
      break;
    default:
      return;  // over already, or abandoned: the message for persons plays
  }
  loop_.Cancel(std::exchange(live.timer, 0));
  live.phase = Phase::kMachine;
  live.machine_status = std::string(status);
  if (message) {
    const call::Prompt prompt = PromptOf(runner.settings().am_message, call::Prompt::kSilence);
    Post(call::PlayThenHangUp{live.leg, prompt, /*after_beep=*/!live.beep_heard});
  } else {
    Post(call::HangUp{live.leg});
  }
  if (before == Phase::kTalking) {
    runner.pacer.OnTalkEnded(id, now - live.connected, now);
    runner.pacer.OnWrapEnded(absl::ZeroDuration(), now);
    ResetAudio(live);
  } else {
    runner.pacer.OnResolved(id, pacing::AttemptResult::kMachine, now);
  }
  const bool with_agent = before == Phase::kTalking || before == Phase::kConnecting;
  if (!with_agent || !IsWith(agent, id)) return;
  if (before == Phase::kConnecting) {
    ApplyToAgent(agent, agent::AgentEvent::kRelease);
  } else {
    ApplyToAgent(agent, agent::AgentEvent::kCallEnded);
    agent_events_.OnCallEnded(agent, id, false, now - live.connected);
    agent_events_.OnNotice(agent, message ? "A machine answered: it is told your message."
                                          : "A machine answered: the call was ended.");
    ApplyToAgent(agent, agent::AgentEvent::kDispose);
  }
  AgentFree(agent);
}

void Controller::OnMachineEnded(LiveAttempt& live, const call::LegEnded& event) {
  trunks_[live.trunk].stats.OnEnd(event.at - live.answered, event.at);
  live.record.term_reason = event.by_far_end ? "CALLER" : "SYSTEM";
  std::string status = live.machine_status;
  if (status == "AM" && live.record.message_played) status = "AL";
  Close(live, status, nullptr);
}

// ---- the agent's hand on the call's audio ----

absl::StatusOr<Controller::LiveAttempt*> Controller::OnLineWith(const AgentId& agent) {
  if (!IsWorking(agent)) {
    return absl::FailedPreconditionError(absl::StrCat("agent ", agent, " is not logged in"));
  }
  LiveAttempt* live = FindLive(roster_.Find(agent)->attempt);
  if (live == nullptr || live->phase != Phase::kTalking) {
    return absl::FailedPreconditionError("no customer is on the line");
  }
  return live;
}

void Controller::TellAudio(const LiveAttempt& live) {
  agent_events_.OnAudio(live.agent, live.record.id, live.audio);
}

absl::Status Controller::SetHold(const AgentId& agent, bool held) {
  const auto live = OnLineWith(agent);
  if (!live.ok()) return live.status();
  const std::string& music = FindRunner((*live)->record.campaign)->settings().hold_music;
  OrderMedia((*live)->leg, call::Hold{held, PromptOf(music, call::Prompt::kHoldMusic)});
  NoteHold(**live, held, loop_.clock().Mono());
  TellAudio(**live);
  return absl::OkStatus();
}

absl::Status Controller::SetMute(const AgentId& agent, bool muted) {
  const auto live = OnLineWith(agent);
  if (!live.ok()) return live.status();
  OrderMedia(agents_[agent].leg, call::Mute{muted});
  (*live)->audio.muted = muted;
  TellAudio(**live);
  return absl::OkStatus();
}

// The agent's own leg outlives the call: what was done to it must not meet the next customer.
void Controller::ResetAudio(LiveAttempt& live) {
  NoteHold(live, false, live.ended == MonoTime() ? loop_.clock().Mono() : live.ended);
  EndConferencesOf(live.record.id);
  const auto line = agents_.find(live.agent);
  if (line != agents_.end() && line->second.leg.valid()) {
    if (live.audio.muted) OrderMedia(line->second.leg, call::Mute{false});
    if (live.whispered) OrderMedia(line->second.leg, call::PlayStop{});
  }
  live.audio = CallAudio();
}

absl::Status Controller::SendDigits(const AgentId& agent, const std::string& digits) {
  const auto live = OnLineWith(agent);
  if (!live.ok()) return live.status();
  const bool keys = digits.find_first_not_of("0123456789*#ABCD") == std::string::npos;
  if (digits.empty() || digits.size() > 32 || !keys) {
    return absl::InvalidArgumentError("digits: 1 to 32 of 0-9 * # A-D");
  }
  OrderMedia((*live)->leg, call::SendDigits{digits});
  return absl::OkStatus();
}

absl::Status Controller::DropVoicemail(const AgentId& agent) {
  const auto live = OnLineWith(agent);
  if (!live.ok()) return live.status();
  if ((*live)->record.inbound) {
    return absl::FailedPreconditionError("this caller rang us; it is no machine");
  }
  CampaignRunner& runner = *FindRunner((*live)->record.campaign);
  if (!HasMessage(runner.settings())) {
    return absl::FailedPreconditionError(
        "the campaign has no message for machines: am_message must name a WAV file that was in "
        "media.prompts_directory when the engine started");
  }
  // That is how an agent says "machine", too.
  LearnFromAgent(runner, (*live)->record, listen::AnswerTuner::Truth::kMachine,
                 (*live)->verdict_weight);
  (*live)->beep_heard = true;  // by who presses the button
  EndAsMachine(**live, "AM", true);
  return absl::OkStatus();
}

// Keys pressed by the called person. In the message that an abandoned person hears, one of them
// may ask not to be called again (47 CFR 64.1200(a)(7)(i)(B)).
void Controller::OnDigit(const call::LegDigit& event) {
  const LiveAttempt* live = FindLive(AttemptOf(event.leg));
  if (live == nullptr || live->phase != Phase::kDropping) return;
  const std::string& key = FindRunner(live->record.campaign)->settings().safe_harbor_dnc_key;
  if (key != std::string(1, event.digit)) return;
  log_.Info("attempt.opted_out", {{"attempt", live->record.id}});
  campaign::DncEntry entry;
  entry.phone = live->record.dialed;
  entry.source = "key in the safe-harbor message";
  entry.reason = "asked for it by a key";
  entry.by = "called person";
  entry.added = loop_.clock().Wall();
  NoteDnc(entry, live->record);
  AddDnc(std::move(entry), [this](absl::Status status) {
    if (!status.ok()) StopForStore(status);
  });
}

// ---- recordings ----

void Controller::BeginTalk(LiveAttempt& live) {
  const campaign::CampaignSettings& settings = FindRunner(live.record.campaign)->settings();
  const campaign::RecordingMode mode = settings.campaign_recording;
  live.audio.may_stop_recording = mode != campaign::RecordingMode::kAllForce;
  if (mode == campaign::RecordingMode::kAllCalls || mode == campaign::RecordingMode::kAllForce) {
    const absl::Status started =
        std::exchange(live.clip, false) ? absl::OkStatus() : StartRecording(live);
    if (started.ok()) {
      live.audio.recording = CallAudio::Recording::kOn;
    } else {
      log_.Warning("recording.not_started",
                   {{"attempt", live.record.id}, {"why", started.message()}});
      agent_events_.OnNotice(live.agent, "This call is not recorded; tell your supervisor.");
    }
  }
  const auto whisper = options_.prompts.find(settings.agent_whisper);
  if (whisper != options_.prompts.end()) {
    live.whispered = true;
    OrderMedia(agents_[live.agent].leg, call::Play{.prompt = whisper->second, .over = true});
  }
  TellAudio(live);
}

// From the answer on: what a verdict is taken from can be listened to.
void Controller::StartClip(LiveAttempt& live) {
  const campaign::CampaignSettings& settings = FindRunner(live.record.campaign)->settings();
  if (!settings.amd_clips || settings.amd_mode == campaign::AmdMode::kOff ||
      settings.campaign_recording == campaign::RecordingMode::kNever) {
    return;
  }
  const absl::Status started = StartRecording(live);
  live.clip = started.ok();
  if (!started.ok()) {
    log_.Warning("recording.not_started",
                 {{"attempt", live.record.id}, {"why", started.message()}});
  }
}

absl::Status Controller::StartRecording(LiveAttempt& live) {
  if (options_.recorder == nullptr) {
    return absl::FailedPreconditionError(
        "this engine does not record; set recording.directory in its configuration");
  }
  const campaign::CampaignSettings& settings = FindRunner(live.record.campaign)->settings();
  record::RecordingOrder order;
  order.attempt = live.record.id;
  order.lead = live.record.lead;
  order.campaign = live.record.campaign;
  order.agent = live.agent;
  order.number = live.record.dialed.ToString();
  order.started = loop_.clock().Wall();
  order.format = FormatOf(settings.recording_format);
  order.encrypted = settings.recording_encrypted;
  auto tap = options_.recorder->Open(order);
  if (!tap.ok()) return tap.status();
  OrderMedia(live.leg, call::RecordStart{std::shared_ptr<record::RecordingTap>(*std::move(tap))});
  live.recorder_open = true;
  return absl::OkStatus();
}

void Controller::OnRecordingClosed(const record::RecordingClosed& closed) {
  if (!closed.fault.empty()) {
    log_.Warning("recording.fault", {{"attempt", closed.attempt}, {"why", closed.fault}});
  }
  if (const LiveAttempt* live = FindLive(closed.attempt)) {
    return StoreRecording(closed, live->record);
  }
  store_.GetAttempt(closed.attempt, [this, closed](auto found) {
    if (!found.ok()) return StopForStore(found.status());
    campaign::Attempt record;  // a file without a call is kept all the same
    if (found->has_value()) record = **found;
    StoreRecording(closed, record);
  });
}

void Controller::StoreRecording(const record::RecordingClosed& closed,
                                const campaign::Attempt& call) {
  campaign::Recording recording;
  recording.attempt = closed.attempt;
  recording.lead = closed.lead.valid() ? closed.lead : call.lead;
  recording.campaign = closed.campaign.empty() ? call.campaign : closed.campaign;
  recording.agent = closed.agent.empty() ? call.agent : closed.agent;
  recording.number = call.dialed;
  recording.started = closed.started == absl::InfinitePast() ? call.connected_at : closed.started;
  recording.length = closed.length;
  recording.file = closed.file;
  recording.sha256 = closed.sha256;
  recording.bytes = closed.bytes;
  recording.format = std::string(record::FormatName(closed.format));
  recording.encrypted = closed.encrypted;
  recording.cut = closed.cut;
  recording.paused = closed.paused;
  recording.lost = closed.lost;
  recording.fault = closed.fault;
  for (const record::Mark& mark : closed.marks) {
    recording.gaps.push_back(
        {.lost = mark.kind == record::Mark::Kind::kLost, .from = mark.from, .to = mark.to});
  }
  campaign::StoreBatch batch;
  batch.recordings.push_back(std::move(recording));
  store_.Commit(std::move(batch), [this, attempt = closed.attempt](absl::Status status) {
    if (!status.ok()) return StopForStore(status);
    if (options_.recorder != nullptr) options_.recorder->Stored(attempt);
  });
}

absl::Status Controller::Record(const AgentId& agent, RecordVerb verb) {
  const auto found = OnLineWith(agent);
  if (!found.ok()) return found.status();
  LiveAttempt& live = **found;
  using Recording = CallAudio::Recording;
  const bool recording = live.audio.recording != Recording::kOff;
  const auto mode = FindRunner(live.record.campaign)->settings().campaign_recording;
  if (mode == campaign::RecordingMode::kNever) {
    return absl::FailedPreconditionError("this campaign does not record (campaign_recording)");
  }
  if (verb == RecordVerb::kPause && live.clip) {  // the start of the call, kept for its verdict
    OrderMedia(live.leg, call::RecordPause{.paused = true, .ordered = loop_.clock().Mono()});
    return absl::OkStatus();
  }
  if (verb != RecordVerb::kStart && !recording) {
    return absl::FailedPreconditionError("this call is not being recorded");
  }
  switch (verb) {
    case RecordVerb::kStart:
      if (recording) return absl::OkStatus();
      live.clip = false;
      if (live.recorder_open) {
        OrderMedia(live.leg, call::RecordPause{.paused = false});
      } else if (absl::Status started = StartRecording(live); !started.ok()) {
        return started;
      }
      live.audio.recording = Recording::kOn;
      break;
    case RecordVerb::kStop:
      if (!live.audio.may_stop_recording) {
        return absl::FailedPreconditionError(
            "this campaign records every call to its end; pause for card data instead");
      }
      OrderMedia(live.leg, call::RecordPause{.paused = true, .confidential = false});
      live.audio.recording = Recording::kOff;
      break;
    case RecordVerb::kPause:
    case RecordVerb::kResume: {
      const bool pause = verb == RecordVerb::kPause;
      // From the moment of the press, however long the order takes.
      OrderMedia(live.leg, call::RecordPause{.paused = pause, .ordered = loop_.clock().Mono()});
      live.audio.recording = pause ? Recording::kPaused : Recording::kOn;
      log_.Info(pause ? "recording.paused" : "recording.resumed",
                {{"attempt", live.record.id}, {"agent", agent}});
      break;
    }
  }
  TellAudio(live);
  return absl::OkStatus();
}

}  // namespace outpace::runtime
