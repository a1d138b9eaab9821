#include "tests/e2e/media_callee.h"

#include <utility>

#include "engine/base/check.h"
#include "tests/e2e/process.h"

namespace outpace::e2e {

Callee::Callee(uint16_t port, Manner manner, int codec) : codec_(codec), manner_(manner) {
  auto socket = farend::UdpSocket::Bind({0x7f000001, port}, false, 0);
  OUTPACE_CHECK(socket.ok());
  socket_ = *std::move(socket);
  auto audio = AudioProbe::Bind();
  OUTPACE_CHECK(audio.ok());
  audio_ = *std::move(audio);
  voice_ = std::make_unique<Voice>(audio_);
  voice_->SetCodec(codec);
  farend::UasOptions options;
  options.local = socket_.local();
  options.user = "callee";
  uas_ = std::make_unique<farend::Uas>(
      reactor_, options, 2,
      [this](farend::Endpoint to, absl::string_view bytes) { socket_.Send(to, bytes); }, *this);
  reactor_.Watch(socket_.fd(), [this] {
    char buffer[65536];
    farend::Endpoint from;
    absl::Time at;
    const ptrdiff_t size = socket_.Receive(buffer, sizeof buffer, &from, &at);
    if (size >= 0) {
      uas_->OnDatagram(from, absl::string_view(buffer, static_cast<size_t>(size)), at);
    }
  });
  thread_ = std::thread([this] { reactor_.Run(); });
}

Callee::~Callee() {
  reactor_.Stop();
  thread_.join();
  reactor_.Unwatch(socket_.fd());
}

void Callee::WhenCalled(std::function<void(const std::string&)> say) {
  std::lock_guard<std::mutex> lock(mutex_);
  when_called_ = std::move(say);
}

void Callee::SetManner(Manner manner) {
  std::lock_guard<std::mutex> lock(mutex_);
  manner_ = manner;
}

std::string Callee::Sdp() const {
  return farend::BuildSdp("127.0.0.1", audio_.port(), codec_, call_.offer, 1);
}

void Callee::OnInvite(farend::CallRef call, const farend::SipMessage& invite, absl::Time at) {
  const auto offer = farend::ParseSdp(invite.body);
  const auto address = offer.ok() ? farend::ParseAddress(offer->address) : offer.status();
  if (!address.ok()) {
    uas_->Fail(call, {.status = 488});
    return;
  }
  Manner manner;
  std::function<void(const std::string&)> say;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    call_ = Call{.ref = call, .offer = *offer, .offer_text = invite.body, .invited = at};
    manner = manner_;
    say = when_called_;
  }
  const auto uri = farend::ParseUri(invite.uri);
  if (say != nullptr) say(uri.ok() ? farend::DigitsOf(uri->user) : "");
  switch (manner) {
    case Manner::kAnswer:
      voice_->SetPeer({*address, offer->port});
      SayAnswer();
      break;
    case Manner::kRing:
      uas_->Provisional(call, 180, "");
      break;
    case Manner::kEarlyMedia:
      voice_->SetPeer({*address, offer->port});
      uas_->Provisional(call, 183, Sdp());
      break;
  }
  std::lock_guard<std::mutex> lock(mutex_);
  ++calls_;
  changed_.notify_all();
}

void Callee::SayAnswer() {
  const auto address = farend::ParseAddress(call_.offer.address);
  if (address.ok()) voice_->SetPeer({*address, call_.offer.port});
  if (!uas_->Answer(call_.ref, Sdp())) return;
  std::lock_guard<std::mutex> lock(mutex_);
  call_.answered = WallNow();
}

void Callee::Answer() {
  OUTPACE_CHECK(reactor_.Post([this] { SayAnswer(); }));
}

void Callee::Fail(int status) {
  OUTPACE_CHECK(reactor_.Post([this, status] { uas_->Fail(call_.ref, {.status = status}); }));
}

void Callee::HangUp() {
  OUTPACE_CHECK(reactor_.Post([this] { uas_->Bye(call_.ref, 16); }));
}

void Callee::OnCancel(farend::CallRef call, absl::Time at) {
  uas_->Fail(call, {.status = 487});
  Ended(call, true, at);
}

void Callee::OnAck(farend::CallRef call, absl::Time) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (call == call_.ref) call_.up = true;
  changed_.notify_all();
}

void Callee::OnBye(farend::CallRef call, absl::Time at) { Ended(call, false, at); }
void Callee::OnByeDone(farend::CallRef call) { Ended(call, false, WallNow()); }
void Callee::OnLost(farend::CallRef call, absl::string_view, absl::string_view) {
  Ended(call, false, WallNow());
}
std::string Callee::OnReinvite(farend::CallRef, const farend::SipMessage&, absl::Time) {
  return Sdp();
}

void Callee::Ended(farend::CallRef call, bool cancelled, absl::Time at) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (call != call_.ref) return;
  voice_->SetPeer({});  // a telephone that is hung up sends nothing
  call_.up = false;
  (cancelled ? call_.cancelled : call_.down) = true;
  call_.ended = at;
  changed_.notify_all();
}

bool Callee::WaitFor(absl::Duration timeout, const std::function<bool()>& done) {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_for(lock, absl::ToChronoMilliseconds(timeout), done);
}
bool Callee::WaitForCall(absl::Duration timeout, int nth) {
  return WaitFor(timeout, [&] { return calls_ >= nth; });
}
bool Callee::WaitUntilUp(absl::Duration timeout) {
  return WaitFor(timeout, [&] { return call_.up; });
}
bool Callee::WaitUntilDown(absl::Duration timeout) {
  return WaitFor(timeout, [&] { return call_.down; });
}
bool Callee::WaitUntilCancelled(absl::Duration timeout) {
  return WaitFor(timeout, [&] { return call_.cancelled; });
}

absl::Time Callee::invited() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return call_.invited;
}
absl::Time Callee::answered() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return call_.answered;
}
absl::Time Callee::ended() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return call_.ended;
}
std::string Callee::offer() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return call_.offer_text;
}

}  // namespace outpace::e2e
