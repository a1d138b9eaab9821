#include "engine/runtime/shard_thread.h"

#include <pthread.h>

#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/call/file_dialog_journal.h"
#include "engine/media/shard_media_plane.h"
#include "engine/runtime/password.h"
#include "engine/sip/sofia_signaling.h"

namespace outpace::runtime {
namespace {

// Signalling and media are made before the shard that hears their events; these stand in between.
std::string HostOf(const std::string& peer) { return peer.substr(0, peer.rfind(':')); }

class SignalingDoor final : public call::SignalingEvents {
 public:
  void Open(call::CallShard& shard) { shard_ = &shard; }
  void OnProvisional(LegId leg, int status, absl::string_view sdp) override {
    shard_->OnProvisional(leg, status, sdp);
  }
  void OnAnswer(LegId leg, const call::DialogState& dialog, absl::string_view sdp) override {
    shard_->OnAnswer(leg, dialog, sdp);
  }
  void OnFailure(LegId leg, const call::Failure& failure) override {
    shard_->OnFailure(leg, failure);
  }
  void OnBye(LegId leg, int q850_cause) override { shard_->OnBye(leg, q850_cause); }
  void OnByeDone(LegId leg) override { shard_->OnByeDone(leg); }
  std::string OnReinvite(LegId leg, absl::string_view sdp) override {
    return shard_->OnReinvite(leg, sdp);
  }
  void OnReinviteAnswer(LegId leg, absl::string_view sdp) override {
    shard_->OnReinviteAnswer(leg, sdp);
  }
  void OnIncoming(const call::IncomingCall& call) override { shard_->OnIncoming(call); }
  void OnIncomingGone(uint64_t call) override { shard_->OnIncomingGone(call); }
  void OnIncomingUp(LegId leg, const call::DialogState& dialog, absl::string_view sdp) override {
    shard_->OnIncomingUp(leg, dialog, sdp);
  }
  void OnProbe(const call::TrunkProbe& probe) override { shard_->OnProbe(probe); }

 private:
  call::CallShard* shard_ = nullptr;
};

class MediaDoor final : public call::MediaEvents {
 public:
  explicit MediaDoor(Log& log) : log_(log) {}
  void Open(call::CallShard& shard) { shard_ = &shard; }
  void OnPromptDone(LegId leg) override { shard_->OnPromptDone(leg); }
  void OnFirstMedia(LegId leg, MonoTime at) override { shard_->OnFirstMedia(leg, at); }
  void OnMediaLost(LegId leg) override { shard_->OnMediaLost(leg); }
  void OnHeard(LegId leg, const listen::Heard& heard) override { shard_->OnHeard(leg, heard); }
  void OnDigit(LegId leg, char digit) override { shard_->OnDigit(leg, digit); }
  void OnJoined(LegId leg, bool joined) override { shard_->OnJoined(leg, joined); }
  void OnQuality(LegId leg, const call::LegQuality& quality) override {
    // The leg is gone by now; "leg.ended" has the same numbers to find it by.
    log_.Info("leg.quality", {{"leg", leg.index},
                              {"generation", leg.generation},
                              {"packets_in", quality.packets_in},
                              {"packets_lost", quality.packets_lost},
                              {"packets_out", quality.packets_out},
                              {"jitter_ms", quality.jitter_ms},
                              {"one_way", quality.one_way}});
  }

 private:
  Log& log_;
  call::CallShard* shard_ = nullptr;
};

// What SIP has to know of a trunk.
sip::SipTrunk SipTrunkOf(const trunk::TrunkSettings& trunk) {
  sip::SipTrunk out;
  out.name = trunk.name;
  const auto endpoint = ParseEndpoint(trunk.peer);
  if (endpoint.ok()) out.addresses.push_back(endpoint->address);
  out.transport = static_cast<sip::Transport>(trunk.transport);
  const std::string host = endpoint.ok() ? endpoint->address : HostOf(trunk.peer);
  out.tls_name = trunk.tls_name.empty() ? host : trunk.tls_name;
  out.auth_user = trunk.auth_user;
  out.auth_password = trunk.auth_password;
  out.auth_realm = trunk.auth_realm;
  if (trunk.registers) {
    out.register_aor = absl::StrCat("sip:", trunk.auth_user, "@",
                                    trunk.register_domain.empty() ? host : trunk.register_domain);
  }
  out.register_expires = trunk.register_expires;
  out.hundred_rel = trunk.hundred_rel;
  out.session_expires = trunk.session_expires;
  for (const trunk::InboundNumber& number : trunk.inbound) {
    // With its '+' and without: which of the two a trunk writes is for nobody to guess.
    const absl::string_view bare = absl::StripPrefix(number.number, "+");
    out.inbound_numbers.push_back(std::string(bare));
    out.inbound_numbers.push_back(absl::StrCat("+", bare));
  }
  return out;
}
static_assert(static_cast<int>(sip::Transport::kTls) == static_cast<int>(trunk::Transport::kTls));

}  // namespace

struct ShardThread::Objects {
  explicit Objects(Log& log) : media_door(log) {}
  SignalingDoor signaling_door;
  MediaDoor media_door;
  std::unique_ptr<call::FileDialogJournal> journal;
  std::unique_ptr<sip::SofiaSignaling> signaling;
  std::unique_ptr<media::ShardMediaPlane> media;
  std::unique_ptr<call::CallShard> shard;
};

ShardThread::ShardThread(const Parts& parts) : parts_(parts), loop_(*parts.clock) {}

ShardThread::~ShardThread() { Stop(); }

absl::Status ShardThread::Build() {
  objects_ = std::make_unique<Objects>(*parts_.log);
  const Config& config = *parts_.config;
  auto journal = call::FileDialogJournal::Open(config.JournalPath(), *parts_.log);
  if (!journal.ok()) return journal.status();
  objects_->journal = *std::move(journal);
  left_open_ = objects_->journal->orphans();

  sip::SofiaConfig sip;
  sip.bind_address = config.sip_listen.address;
  sip.port = config.sip_listen.port;
  sip.user_agent = "Outpace/" OUTPACE_VERSION;
  sip.tap = parts_.tap;
  sip.seed = SecureRandom64();
  sip.tls_port = config.tls.port;
  sip.tls_certificate_file = config.tls.certificate_file;
  sip.tls_private_key_file = config.tls.key_file;
  sip.tls_ca_file = config.tls.ca_file;
  call::ShardOptions options;
  options.legs_max = parts_.legs_max;
  for (const trunk::TrunkSettings& trunk : config.trunks) {
    sip.trunks.push_back(SipTrunkOf(trunk));
    options.trunks.push_back({.name = trunk.name,
                              .cps = trunk.calls_per_second,
                              .calls_max = trunk.calls_max,
                              .unanswered_max = trunk.unanswered_max,
                              .options_interval = trunk.options_interval,
                              .srtp = trunk.srtp,
                              .registers = trunk.registers});
  }
  auto signaling = sip::SofiaSignaling::Create(sip, loop_, *parts_.log, objects_->signaling_door);
  if (!signaling.ok()) {
    return absl::Status(
        signaling.status().code(),
        absl::StrCat(signaling.status().message(), " (", config.sip_listen.ToString(),
                     "): it is in use or not of this machine; stop who holds it, or set another "
                     "listen in [sip]"));
  }
  objects_->signaling = std::move(*signaling);
  objects_->media = parts_.media->ForShard(0, loop_, objects_->media_door);
  objects_->shard =
      std::make_unique<call::CallShard>(options, loop_, *objects_->signaling, *objects_->media,
                                        *objects_->journal, *parts_.sink, *parts_.log);
  objects_->signaling_door.Open(*objects_->shard);
  objects_->media_door.Open(*objects_->shard);
  shard_ = objects_->shard.get();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ShardThread>> ShardThread::Start(const Parts& parts) {
  std::unique_ptr<ShardThread> self(new ShardThread(parts));
  std::promise<absl::Status> built;
  self->thread_ = std::thread([&built, shard = self.get()] {
    pthread_setname_np(pthread_self(), "call-shard");
    bool told = false;
    const absl::Status status = shard->loop_.Run(
        [&] {
          absl::Status result = shard->Build();
          if (!result.ok()) shard->loop_.Stop();
          told = true;
          built.set_value(std::move(result));
        },
        [shard] { shard->objects_.reset(); });
    if (!told) built.set_value(status);
  });
  if (absl::Status status = built.get_future().get(); !status.ok()) return status;
  return self;
}

void ShardThread::ForgetLeftOpen() {
  // Lost when the loop's queue is full: then the next process ends them once more, which is
  // harmless.
  (void)loop_.Post([this] { objects_->journal->EndedOrphans(); });
}

void ShardThread::Stop() {
  if (!thread_.joinable()) return;
  loop_.Stop();
  thread_.join();
}

}  // namespace outpace::runtime
