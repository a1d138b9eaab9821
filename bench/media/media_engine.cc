// The engine's media plane under test: as many calls as the row asks for, each as its mode has it.

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "bench/media/media_answer.h"
#include "bench/media/media_loop.h"
#include "bench/media/media_systems.h"
#include "bench/sip/process.h"
#include "engine/media/sdes.h"
#include "engine/record/recorder.h"

namespace outpace::bench {
namespace {

LegId LegOf(int slot) {
  return {.shard = 0, .index = static_cast<uint32_t>(slot), .generation = 1};
}

// Who hears verdicts and listens on.
class Events final : public call::MediaEvents {
 public:
  Events(Shared& shared, Mode mode) : shared_(shared), mode_(mode) {}
  void Use(EngineMedia* engine) { engine_ = engine; }  // before the calls

  void OnHeard(LegId leg, const listen::Heard& heard) override {
    shared_.verdicts.store(shared_.verdicts.load() + 1);
    if (!heard.last || engine_ == nullptr) return;
    if (mode_ == Mode::kListen) engine_->plane().Do(leg, Listening());
    if (mode_ == Mode::kEarly) engine_->plane().Do(leg, call::ListenEarly{.country = "de"});
  }
  void OnPromptDone(LegId) override {}
  void OnFirstMedia(LegId, MonoTime) override {}
  void OnMediaLost(LegId) override {}
  void OnDigit(LegId, char) override {}
  void OnJoined(LegId, bool joined) override {
    if (!joined) Fail(shared_, "mix: a leg was refused");
  }

  static call::ListenAnswer Listening() {
    call::ListenAnswer action;
    action.tuning.decide_within = absl::Seconds(3600);  // listens as long as the row takes
    action.tuning.silence_max = absl::ZeroDuration();
    return action;
  }

 private:
  Shared& shared_;
  const Mode mode_;
  EngineMedia* engine_ = nullptr;
};

bool Records(Mode mode) {
  return mode == Mode::kRecordWav || mode == Mode::kRecordUlaw || mode == Mode::kRecordOpus;
}

record::Format FormatOf(Mode mode) {
  if (mode == Mode::kRecordOpus) return record::Format::kOpus;
  return mode == Mode::kRecordUlaw ? record::Format::kWavUlaw : record::Format::kWav;
}

// The first key of an offer of ours.
media::SrtpKey OfferedKey(absl::string_view sdp) {
  for (absl::string_view line : absl::StrSplit(sdp, "\r\n")) {
    if (!absl::ConsumePrefix(&line, "a=crypto:")) continue;
    if (const auto parsed = media::ParseSdes(line)) return parsed->key;
  }
  return {};
}

class EngineRow {
 public:
  EngineRow(Shared& shared, const SystemOptions& options)
      : shared_(shared), options_(options), traffic_(TrafficFor(options)) {}
  int Run();

 private:
  absl::Status Start();
  absl::Status OpenLeg(media::ShardMediaPlane& plane, int slot);
  absl::Status StartCall(media::ShardMediaPlane& plane, int call);
  absl::Status Record(media::ShardMediaPlane& plane, int call);
  void Begin();
  void Count();

  Shared& shared_;
  const SystemOptions options_;
  const TrafficOptions traffic_;
  std::atomic<uint64_t> closed_{0}, faults_{0};
  std::unique_ptr<Events> events_;
  std::unique_ptr<record::Recorder> recorder_;
  std::unique_ptr<EngineMedia> engine_;
  std::unique_ptr<Answers> answers_;
};

absl::Status EngineRow::Start() {
  media::MediaConfig config;
  const int answers = options_.answers_per_second > 0 ? 6 * Answers::kAgents : 0;
  config.ports = options_.calls * LegsOf(options_.mode) + answers;
  config.rtcp = options_.rtcp ? media::RtcpMode::kPair : media::RtcpMode::kOff;
  config.quarantine = absl::Milliseconds(answers > 0 ? 100 : 5'000);
  config.realtime = options_.realtime;
  config.mailbox_capacity = 65'536;
  config.codecs = {codec::Codec::kPcmu, codec::Codec::kPcma, codec::Codec::kG722,
                   codec::Codec::kOpus};
  events_ = std::make_unique<Events>(shared_, options_.mode);
  auto engine = EngineMedia::Start(config, *events_);
  if (!engine.ok()) return engine.status();
  engine_ = *std::move(engine);
  events_->Use(engine_.get());
  if (Records(options_.mode)) {
    record::RecorderConfig recording;
    recording.directory = options_.directory;
    recording.pattern = "ATTEMPT";
    auto recorder = record::StartRecorder(recording, engine_->clock(), engine_->log(),
                                          [this](const record::RecordingClosed& closed) {
                                            ++closed_;
                                            if (!closed.fault.empty()) ++faults_;
                                          });
    if (!recorder.ok()) return recorder.status();
    recorder_ = *std::move(recorder);
  }
  return absl::OkStatus();
}

absl::Status EngineRow::OpenLeg(media::ShardMediaPlane& plane, int slot) {
  call::MediaOptions leg_options;
  leg_options.srtp = traffic_.srtp;
  absl::StatusOr<std::string> offer = plane.Open(LegOf(slot), leg_options);
  if (!offer.ok()) return offer.status();
  Slot& said = shared_.slots[static_cast<size_t>(slot)];
  said.to_port = AudioPortOf(*offer);
  const codec::Codec codec = traffic_.codec[slot % 2];
  said.payload_type = PayloadTypeOf(codec);
  const uint16_t far = shared_.far_ports[static_cast<size_t>(SocketOf(slot))];
  media::SrtpKey key;
  if (traffic_.srtp) {
    key = FarKey(slot);
    said.their_key = OfferedKey(*offer);
  }
  return plane.SetRemote(LegOf(slot),
                         FarSdp(codec, far, shared_.sink_port, traffic_.srtp ? &key : nullptr));
}

absl::Status EngineRow::Record(media::ShardMediaPlane& plane, int call) {
  record::RecordingOrder order;
  order.attempt = AttemptId(static_cast<uint64_t>(call) + 1);
  order.lead = LeadId(static_cast<uint64_t>(call) + 1);
  order.campaign = "BENCH";
  order.agent = absl::StrCat("a", call);
  order.started = engine_->clock().Wall();
  order.format = FormatOf(options_.mode);
  auto tap = recorder_->Open(order);
  if (!tap.ok()) return tap.status();
  plane.Do(LegOf(SlotOf(options_, call, 0)), call::RecordStart{.tap = *std::move(tap)});
  return absl::OkStatus();
}

absl::Status EngineRow::StartCall(media::ShardMediaPlane& plane, int call) {
  for (int leg = 0; leg < LegsOf(options_.mode); ++leg) {
    if (absl::Status s = OpenLeg(plane, SlotOf(options_, call, leg)); !s.ok()) return s;
  }
  const LegId callee = LegOf(SlotOf(options_, call, 0));
  if (options_.mode == Mode::kEarly) {
    plane.Do(callee, call::ListenEarly{.country = "de"});
    return absl::OkStatus();
  }
  plane.Bridge(callee, LegOf(SlotOf(options_, call, 1)));
  if (options_.mode == Mode::kMix) {
    plane.Do(LegOf(SlotOf(options_, call, 2)),
             call::JoinCall{.with = callee, .role = call::MixRole::kTalker});
  }
  if (options_.mode == Mode::kListen) plane.Do(callee, Events::Listening());
  return Records(options_.mode) ? Record(plane, call) : absl::OkStatus();
}

// The far ends may speak.
void EngineRow::Begin() {
  for (int call = 0; call < options_.calls; ++call) {
    for (int leg = 0; leg < LegsOf(options_.mode); ++leg) {
      Slot& slot = shared_.slots[static_cast<size_t>(SlotOf(options_, call, leg))];
      slot.call.store(1, std::memory_order_release);
    }
  }
}

void EngineRow::Count() {
  const media::MediaStats stats = engine_->Stats();
  shared_.dropped_by_system = stats.dropped_foreign + stats.dropped_short +
                              stats.dropped_payload_type + stats.dropped_no_leg +
                              stats.dropped_by_ortp + stats.sends_failed;
  if (recorder_ == nullptr) return;
  const record::RecorderStats recorded = recorder_->Stats();
  shared_.recordings_closed = closed_;
  shared_.recording_faults = faults_ + recorded.faults;
  shared_.blocks_lost = recorded.blocks_lost;
  shared_.bytes_recorded = recorded.bytes_written;
}

int EngineRow::Run() {
  if (absl::Status status = Start(); !status.ok()) {
    Fail(shared_, status.ToString().c_str());
    return 1;
  }
  shared_.rss_before_kib = RssKiB(::getpid());
  absl::Status status;
  // In pieces, as calls come: no mailbox is filled by them.
  for (int call = 0; call < options_.calls && status.ok();) {
    engine_->Run([&](media::ShardMediaPlane& plane) {
      for (int i = 0; i < 100 && call < options_.calls && status.ok(); ++i) {
        status = StartCall(plane, call++);
      }
    });
    // Nor the recorder: so many calls are not answered in one moment, and it refuses what the disk
    // does not keep up with.
    if (recorder_ != nullptr) WaitUntil([] { return false; }, 0.25);
  }
  if (!status.ok()) {
    Fail(shared_, status.ToString().c_str());
    return 1;
  }
  const auto legs = static_cast<uint64_t>(options_.calls * LegsOf(options_.mode));
  const bool bridged = options_.mode != Mode::kEarly && options_.mode != Mode::kMix;
  if (!engine_->WaitFor(
          [&](const media::MediaStats& stats) {
            return stats.legs >= legs &&
                   (!bridged || stats.bridged_calls >= static_cast<uint64_t>(options_.calls));
          },
          20)) {
    Fail(shared_, "the engine does not have its calls after 20 s");
    return 1;
  }
  if (options_.answers_per_second > 0) {
    answers_ = std::make_unique<Answers>(shared_, *engine_, static_cast<uint32_t>(kSlotsMax),
                                         options_.answers_per_second);
  }
  Begin();
  shared_.phase = Phase::kReady;
  while (shared_.phase.load() < Phase::kCounted) WaitUntil([] { return false; }, 0.02);
  answers_.reset();
  engine_->Run([&](media::ShardMediaPlane& plane) {
    for (int call = 0; call < options_.calls; ++call) {
      for (int leg = 0; leg < LegsOf(options_.mode); ++leg) {
        plane.Close(LegOf(SlotOf(options_, call, leg)));
      }
    }
  });
  engine_->WaitFor([](const media::MediaStats& stats) { return stats.legs == 0; }, 20);
  if (recorder_ != nullptr) recorder_->Stop();
  Count();
  events_->Use(nullptr);
  engine_.reset();
  return 0;
}

}  // namespace

int RunEngine(Shared& shared, const SystemOptions& options) {
  return EngineRow(shared, options).Run();
}

}  // namespace outpace::bench
