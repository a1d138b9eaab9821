#include "tools/farend/carrier.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace outpace::farend {
namespace {

constexpr int kSipBufferBytes = 4 << 20;  // a burst of INVITEs must not be lost in the kernel

std::string UserDigits(absl::string_view uri_text) {
  const auto uri = ParseUri(uri_text);
  return uri.ok() ? DigitsOf(uri->user) : "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<Carrier>> Carrier::Create(Reactor& reactor, Scenario scenario,
                                                         const CarrierOptions& options,
                                                         EventLog& log) {
  auto socket = UdpSocket::Bind(options.listen, false, kSipBufferBytes);
  if (!socket.ok()) return socket.status();
  std::unique_ptr<Carrier> carrier(
      new Carrier(reactor, std::move(scenario), options, log, *std::move(socket)));
  const absl::Status status = carrier->LoadAudio();
  if (!status.ok()) return status;
  return carrier;
}

Carrier::Carrier(Reactor& reactor, Scenario scenario, const CarrierOptions& options, EventLog& log,
                 UdpSocket socket)
    : reactor_(reactor),
      scenario_(std::move(scenario)),
      options_(options),
      log_(log),
      socket_(std::move(socket)),
      loss_(scenario_.seed() ^ 0x10551055),
      rtp_(reactor, socket_.local().address, scenario_.seed() ^ 0x97) {
  UasOptions uas_options;
  uas_options.local = socket_.local();
  uas_ = std::make_unique<Uas>(
      reactor_, uas_options, scenario_.seed() ^ 0x5149,
      [this](Endpoint to, absl::string_view bytes) {
        if (options_.sip_loss <= 0 || !loss_.Chance(options_.sip_loss)) socket_.Send(to, bytes);
      },
      *this);
  reactor_.Watch(socket_.fd(), [this] { OnReadable(); });
}

Carrier::~Carrier() {
  for (auto& [ref, call] : calls_) {
    reactor_.Cancel(call->step);
    reactor_.Cancel(call->talk);
    reactor_.Cancel(call->patience);
  }
  reactor_.Unwatch(socket_.fd());
}

absl::Status Carrier::LoadAudio() {
  for (const std::string& name : scenario_.AudioNames()) {
    auto clip = LoadClip(name);
    if (!clip.ok()) return clip.status();
    clips_[name] = *std::move(clip);
  }
  return absl::OkStatus();
}

void Carrier::OnReadable() {
  char buffer[65536];
  Endpoint from;
  absl::Time at;
  for (int i = 0; i < 64; ++i) {  // bounded: audio waits for us
    const ptrdiff_t size = socket_.Receive(buffer, sizeof buffer, &from, &at);
    if (size < 0) return;
    if (options_.sip_loss > 0 && loss_.Chance(options_.sip_loss)) continue;
    uas_->OnDatagram(from, absl::string_view(buffer, static_cast<size_t>(size)), at);
  }
}

Carrier::Call* Carrier::Find(CallRef ref) {
  const auto it = calls_.find(ref);
  return it == calls_.end() ? nullptr : it->second.get();
}

JsonLine Carrier::Line(absl::string_view event, absl::string_view call_id) const {
  return JsonLine(reactor_.clock().Wall(), event).Text("call_id", call_id);
}

// ---- SIP events ----

void Carrier::OnInvite(CallRef ref, const SipMessage& invite, absl::Time at) {
  const std::string to = UserDigits(invite.uri);
  const auto from = ParseNameAddr(invite.Get("From"));
  auto owned = std::make_unique<Call>();
  Call& call = *owned;
  call.ref = ref;
  call.call_id = std::string(invite.Get("Call-ID"));
  const uint64_t earlier = scenario_.fresh_on_repeat() ? calls_to_[to]++ : 0;
  call.plan = scenario_.PlanFor(to, earlier);
  ++counts_.calls;
  ++by_class_[static_cast<size_t>(call.plan.answer)];
  log_.Write(JsonLine(at, "invite")
                 .Text("call_id", call.call_id)
                 .Text("to", to)
                 .Text("from", from.ok() ? UserDigits(from->uri) : "")
                 .Text("class", AnswerClassName(call.plan.answer)));
  if (call.plan.answer == AnswerClass::kSilentTrunk) {
    uas_->Ignore(ref);
    return;
  }
  const auto offer = ParseSdp(invite.body);
  if (offer.ok()) call.offer = *offer;
  call.codec = ChooseCodec(call.offer);
  const bool usable = offer.ok() && call.codec >= 0 && ParseAddress(call.offer.address).ok();
  calls_.emplace(ref, std::move(owned));
  if (!usable) {
    Fail(call, {.status = 488, .q850_cause = 65});
    End(ref);
    return;
  }
  call.step = reactor_.After(call.plan.post_dial_delay, [this, ref] { Ring(ref); });
}

void Carrier::OnDuplicateInvite(absl::string_view call_id, bool retransmission, absl::Time at) {
  ++counts_.duplicates;
  log_.Write(JsonLine(at, "reinvite_dup")
                 .Text("call_id", call_id)
                 .Text("why", retransmission ? "retransmission" : "call_id_used_before"));
}

void Carrier::OnCancel(CallRef ref, absl::Time at) {
  Call* call = Find(ref);
  if (call == nullptr) return;
  ++counts_.cancelled;
  log_.Write(JsonLine(at, "cancel").Text("call_id", call->call_id));
  if (call->plan.answer == AnswerClass::kCrossCancel) {
    Answer(*call);
    return;
  }
  Fail(*call, {.status = 487});
  End(ref);
}

void Carrier::OnAck(CallRef ref, absl::Time at) {
  Call* call = Find(ref);
  if (call == nullptr) return;
  call->acked = true;
  ++counts_.acked;
  log_.Write(JsonLine(at, "ack").Text("call_id", call->call_id));
  if (!call->hang_up_why.empty()) HangUp(*call, call->hang_up_why);
}

void Carrier::OnBye(CallRef ref, absl::Time at) {
  Call* call = Find(ref);
  if (call == nullptr) return;
  ++counts_.bye_in;
  log_.Write(JsonLine(at, "bye_in").Text("call_id", call->call_id));
  if (!call->answered) {  // an early dialog: the UAS has sent the 487
    ++counts_.failed;
    log_.Write(Line("final", call->call_id).Number("status", 487));
  }
  End(ref);
}

std::string Carrier::OnReinvite(CallRef ref, const SipMessage& invite, absl::Time at) {
  Call* call = Find(ref);
  if (call == nullptr || call->rtp == nullptr) return "";
  log_.Write(JsonLine(at, "reinvite").Text("call_id", call->call_id));
  if (!invite.body.empty()) {
    const auto offer = ParseSdp(invite.body);
    const auto address = offer.ok() ? ParseAddress(offer->address) : offer.status();
    if (!address.ok() || ChooseCodec(*offer) < 0) return "";
    call->offer = *offer;
    call->codec = ChooseCodec(*offer);
    call->rtp->SetRemote({*address, offer->receives ? offer->port : uint16_t{0}}, call->codec);
  }
  return BuildSdp(AddressText(local()), call->rtp->local().port, call->codec, call->offer,
                  ++call->sdp_version);
}

void Carrier::OnByeDone(CallRef ref) { End(ref); }

void Carrier::OnLost(CallRef ref, absl::string_view call_id, absl::string_view why) {
  ++counts_.lost;
  log_.Write(Line("lost", call_id).Text("why", why));
  End(ref);
}

// ---- the plan ----

void Carrier::Ring(CallRef ref) {
  Call* call = Find(ref);
  if (call == nullptr) return;
  call->step = 0;
  // A refusal that comes at once is not preceded by ringing: nothing rings at a vacant number.
  const bool rings = !call->plan.ring || *call->plan.ring > absl::ZeroDuration();
  if (rings) {
    const bool early = !call->plan.early_audio.empty() && OpenAudio(*call);
    const int status = early ? 183 : 180;
    uas_->Provisional(ref, status,
                      early ? BuildSdp(AddressText(local()), call->rtp->local().port, call->codec,
                                       call->offer, call->sdp_version)
                            : "");
    log_.Write(Line("ringing", call->call_id).Number("status", status));
    if (early) Play(*call, call->plan.early_audio);
  }
  if (!call->plan.ring) return;  // until the CANCEL
  if (!rings) {
    Finish(ref);
    return;
  }
  call->step = reactor_.After(*call->plan.ring, [this, ref] { Finish(ref); });
}

void Carrier::Finish(CallRef ref) {
  Call* call = Find(ref);
  if (call == nullptr) return;
  call->step = 0;
  if (call->plan.answers) {
    Answer(*call);
    return;
  }
  Fail(*call, {.status = call->plan.status,
               .phrase = call->plan.phrase,
               .q850_cause = call->plan.q850_cause,
               .retry_after_s = call->plan.retry_after_s});
  End(ref);
}

void Carrier::Answer(Call& call) {
  reactor_.Cancel(std::exchange(call.step, 0));
  const CallRef ref = call.ref;
  if (!OpenAudio(call)) {
    Fail(call, {.status = 503, .phrase = "No Port Left", .q850_cause = 42});
    End(ref);
    return;
  }
  if (!uas_->Answer(ref, BuildSdp(AddressText(local()), call.rtp->local().port, call.codec,
                                  call.offer, call.sdp_version))) {
    End(ref);
    return;
  }
  call.answered = call.up = true;
  call.answered_at = call.heard_at = reactor_.clock().Mono();
  ++counts_.answered;
  counts_.up_max = std::max(counts_.up_max, ++counts_.up);
  log_.Write(Line("answer", call.call_id));
  Play(call, call.plan.audio);
  if (call.plan.talk) {
    call.talk = reactor_.After(*call.plan.talk, [this, ref] {
      if (Call* now = Find(ref)) HangUp(*now, "talk");
    });
  }
  if (call.plan.patience) WatchPatience(ref, *call.plan.patience);
}

void Carrier::Fail(Call& call, const Uas::Refusal& refusal) {
  if (!uas_->Fail(call.ref, refusal)) return;
  ++counts_.failed;
  log_.Write(Line("final", call.call_id).Number("status", refusal.status));
}

bool Carrier::OpenAudio(Call& call) {
  if (call.rtp != nullptr) return true;
  auto rtp = rtp_.Open();
  const auto address = ParseAddress(call.offer.address);
  if (!rtp.ok() || !address.ok()) return false;
  call.rtp = *std::move(rtp);
  call.rtp->SetRemote({*address, call.offer.receives ? call.offer.port : uint16_t{0}}, call.codec);
  call.rtp->on_first_sent = [this, id = call.call_id](absl::Time at) {
    log_.Write(JsonLine(at, "audio_out").Text("call_id", id));
  };
  call.rtp->on_burst = [this, ref = call.ref](absl::Time at) {
    Call* now = Find(ref);
    if (now == nullptr || now->rtp->stats().received != 1) return;
    ++counts_.audio_in;
    log_.Write(JsonLine(at, "audio_in").Text("call_id", now->call_id));
  };
  return true;
}

void Carrier::Play(Call& call, const std::string& name) {
  const auto it = clips_.find(name);
  call.rtp->Play(it == clips_.end() ? nullptr : it->second);
}

void Carrier::WatchPatience(CallRef ref, absl::Duration wait) {
  Call* call = Find(ref);
  if (call == nullptr) return;
  call->patience = reactor_.After(wait, [this, ref] {
    Call* now = Find(ref);
    if (now == nullptr || !now->up) return;
    const absl::Duration patience = *now->plan.patience;
    const MonoTime time = reactor_.clock().Mono();
    // The stream keeps wall times for the log; packet counts tell whether it still flows.
    if (now->rtp->stats().received != now->heard_packets) {
      now->heard_packets = now->rtp->stats().received;
      now->heard_at = time;
    }
    const absl::Duration quiet = time - now->heard_at;
    if (quiet >= patience) {
      HangUp(*now, "patience");
    } else {
      // Looks at least once a second, so the moment of the last packet is known to a second.
      WatchPatience(ref, std::min(patience - quiet, absl::Seconds(1)));
    }
  });
}

void Carrier::HangUp(Call& call, const std::string& why) {
  if (!call.up) return;
  if (!call.acked) {
    call.hang_up_why = why;
    return;
  }
  if (!uas_->Bye(call.ref, 16)) return;
  ++counts_.bye_out;
  log_.Write(Line("bye_out", call.call_id).Text("why", why));
  MarkDown(call);
}

// The audio ends with the BYE, the record with its answer.
void Carrier::MarkDown(Call& call) {
  reactor_.Cancel(std::exchange(call.talk, 0));
  reactor_.Cancel(std::exchange(call.patience, 0));
  if (std::exchange(call.up, false)) --counts_.up;
  call.rtp.reset();
}

void Carrier::End(CallRef ref) {
  Call* call = Find(ref);
  if (call == nullptr) return;
  reactor_.Cancel(call->step);
  MarkDown(*call);
  calls_.erase(ref);
}

// ---- summary ----

void Carrier::WriteSummary() {
  const CarrierCounts& c = counts_;
  const UasStats& sip = uas_->stats();
  log_.Write(JsonLine(reactor_.clock().Wall(), "summary")
                 .Number("calls", c.calls)
                 .Number("answered", c.answered)
                 .Number("acked", c.acked)
                 .Number("audio_in", c.audio_in)
                 .Number("failed", c.failed)
                 .Number("cancelled", c.cancelled)
                 .Number("bye_in", c.bye_in)
                 .Number("bye_out", c.bye_out)
                 .Number("lost", c.lost)
                 .Number("duplicates", c.duplicates)
                 .Number("up", c.up)
                 .Number("up_max", c.up_max)
                 .Number("rtp_sent", static_cast<int64_t>(rtp_.totals().sent))
                 .Number("rtp_received", static_cast<int64_t>(rtp_.totals().received))
                 .Number("malformed", static_cast<int64_t>(sip.malformed))
                 .Number("unmatched", static_cast<int64_t>(sip.unmatched))
                 .Number("retransmissions", static_cast<int64_t>(sip.retransmissions)));
  log_.Flush();
}

std::string Carrier::SummaryText() const {
  const CarrierCounts& c = counts_;
  std::string text = absl::StrFormat(
      "carrier: %d calls, %d answered (%d ACKed, %d sent audio), %d failed, %d cancelled\n"
      "carrier: %d BYE in, %d BYE out, %d lost, %d duplicate INVITEs, %d still up (most %d)\n"
      "carrier: classes:",
      c.calls, c.answered, c.acked, c.audio_in, c.failed, c.cancelled, c.bye_in, c.bye_out, c.lost,
      c.duplicates, c.up, c.up_max);
  for (int i = 0; i < kAnswerClasses; ++i) {
    const int64_t n = by_class_[static_cast<size_t>(i)];
    if (n > 0) {
      absl::StrAppend(&text, " ", AnswerClassName(static_cast<AnswerClass>(i)), " ", n);
    }
  }
  return text + "\n";
}

}  // namespace outpace::farend
