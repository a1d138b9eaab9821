#include "tools/farend/phone.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace outpace::farend {

absl::StatusOr<std::unique_ptr<Phone>> Phone::Create(Reactor& reactor, RtpEngine& rtp,
                                                     uint32_t address, const std::string& user,
                                                     std::shared_ptr<const Clip> voice,
                                                     uint64_t seed, Callbacks callbacks) {
  auto socket = UdpSocket::Bind({address, 0}, false, 0);
  if (!socket.ok()) return socket.status();
  return std::unique_ptr<Phone>(new Phone(reactor, rtp, *std::move(socket), user, std::move(voice),
                                          seed, std::move(callbacks)));
}

Phone::Phone(Reactor& reactor, RtpEngine& rtp, UdpSocket socket, const std::string& user,
             std::shared_ptr<const Clip> voice, uint64_t seed, Callbacks callbacks)
    : reactor_(reactor),
      rtp_engine_(rtp),
      socket_(std::move(socket)),
      uri_(absl::StrCat("sip:", user, "@", ToString(socket_.local()))),
      voice_(std::move(voice)),
      callbacks_(std::move(callbacks)) {
  UasOptions options;
  options.local = socket_.local();
  options.user = user;
  uas_ = std::make_unique<Uas>(
      reactor_, options, seed,
      [this](Endpoint to, absl::string_view bytes) { socket_.Send(to, bytes); }, *this);
  reactor_.Watch(socket_.fd(), [this] { OnReadable(); });
}

Phone::~Phone() { reactor_.Unwatch(socket_.fd()); }

void Phone::OnReadable() {
  char buffer[65536];
  Endpoint from;
  absl::Time at;
  const ptrdiff_t size = socket_.Receive(buffer, sizeof buffer, &from, &at);
  if (size < 0) return;
  uas_->OnDatagram(from, absl::string_view(buffer, static_cast<size_t>(size)), at);
}

std::string Phone::Negotiate(absl::string_view body) {
  const auto offer = ParseSdp(body);
  if (!offer.ok()) return "";
  const auto address = ParseAddress(offer->address);
  const int codec = ChooseCodec(*offer);
  if (!address.ok() || codec < 0) return "";
  if (rtp_ == nullptr) {
    auto stream = rtp_engine_.Open();
    if (!stream.ok()) return "";
    rtp_ = *std::move(stream);
    rtp_->on_burst = [this](absl::Time at) {
      if (callbacks_.on_audio) callbacks_.on_audio(at);
    };
  }
  rtp_->SetRemote({*address, offer->receives ? offer->port : uint16_t{0}}, codec);
  return BuildSdp(AddressText(socket_.local()), rtp_->local().port, codec, *offer, ++sdp_version_);
}

void Phone::OnInvite(CallRef call, const SipMessage& invite, absl::Time) {
  // The old line is of a dialer that has gone, or has forgotten it: a fresh port keeps its last
  // packets out of the new call.
  if (line_ != 0) {
    uas_->Bye(line_, 16);
    line_ = 0;
    rtp_.reset();
  }
  const std::string sdp = Negotiate(invite.body);
  if (sdp.empty()) {
    uas_->Fail(call, {.status = 488, .q850_cause = 65});
    return;
  }
  line_ = call;
  uas_->Answer(call, sdp);
  rtp_->Play(voice_);
}

void Phone::OnCancel(CallRef call, absl::Time) { uas_->Fail(call, {.status = 487}); }

void Phone::OnAck(CallRef call, absl::Time) {
  if (call == line_ && callbacks_.on_line) callbacks_.on_line(true);
}

void Phone::OnBye(CallRef call, absl::Time) { LineDown(call); }

std::string Phone::OnReinvite(CallRef call, const SipMessage& invite, absl::Time) {
  return call == line_ ? Negotiate(invite.body) : "";
}

void Phone::OnLost(CallRef call, absl::string_view, absl::string_view) { LineDown(call); }

void Phone::LineDown(CallRef call) {
  if (call != line_) return;
  line_ = 0;
  rtp_.reset();
  if (callbacks_.on_line) callbacks_.on_line(false);
}

}  // namespace outpace::farend
