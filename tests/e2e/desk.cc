#include "tests/e2e/desk.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "tests/e2e/process.h"

namespace outpace::e2e {

using nlohmann::json;

DeskPhone::DeskPhone() {
  auto socket = farend::UdpSocket::Bind({0x7f000001, 0}, false, 0);
  OUTPACE_CHECK(socket.ok());
  socket_ = *std::move(socket);
  auto audio = AudioProbe::Bind();
  OUTPACE_CHECK(audio.ok());
  audio_ = *std::move(audio);
  farend::UasOptions options;
  options.local = socket_.local();
  options.user = "desk";
  uas_ = std::make_unique<farend::Uas>(
      reactor_, options, 1,
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

DeskPhone::~DeskPhone() {
  reactor_.Stop();
  thread_.join();
  reactor_.Unwatch(socket_.fd());
}

std::string DeskPhone::uri() const { return absl::StrCat("sip:desk@", ToString(socket_.local())); }

void DeskPhone::OnInvite(farend::CallRef call, const farend::SipMessage& invite, absl::Time) {
  const auto offer = farend::ParseSdp(invite.body);
  const auto address = offer.ok() ? farend::ParseAddress(offer->address) : offer.status();
  if (!address.ok()) {
    uas_->Fail(call, {.status = 488});
    return;
  }
  audio_.SetPeer({*address, offer->port});
  line_ = call;
  uas_->Answer(call, farend::BuildSdp("127.0.0.1", audio_.port(), 0, *offer, 1));
}

void DeskPhone::OnCancel(farend::CallRef call, absl::Time) { uas_->Fail(call, {.status = 487}); }

void DeskPhone::OnAck(farend::CallRef call, absl::Time) {
  if (call == line_) SetUp(true);
}

void DeskPhone::OnBye(farend::CallRef call, absl::Time) {
  if (call == line_) SetUp(false);
}

void DeskPhone::HangUp() {
  OUTPACE_CHECK(reactor_.Post([this] { uas_->Bye(line_, 16); }));
}

void DeskPhone::SetUp(bool up) {
  std::lock_guard<std::mutex> lock(mutex_);
  up_ = up;
  changed_.notify_all();
}

bool DeskPhone::WaitFor(bool up, absl::Duration timeout) {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_for(lock, absl::ToChronoMilliseconds(timeout), [&] { return up_ == up; });
}

bool DeskPhone::WaitUntilUp(absl::Duration timeout) { return WaitFor(true, timeout); }
bool DeskPhone::WaitUntilDown(absl::Duration timeout) { return WaitFor(false, timeout); }

absl::StatusOr<std::unique_ptr<Desk>> Desk::LogIn(const std::string& url, const std::string& user,
                                                  const std::string& campaign) {
  std::unique_ptr<Desk> desk(new Desk(url));
  const json body = {{"user", user},
                     {"password", "secret"},
                     {"campaign", campaign},
                     {"phone", desk->phone_.uri()}};
  const auto answer = desk->http_->Send("POST", "/v1/agent/login", body.dump());
  if (!answer.ok()) return answer.status();
  const json login = json::parse(answer->body, nullptr, /*allow_exceptions=*/false);
  if (answer->status != 200 || !login.contains("token")) {
    return absl::FailedPreconditionError(absl::StrCat("login: ", answer->body));
  }
  desk->token_ = login["token"];
  api::WebSocketClient::Callbacks callbacks;
  callbacks.on_text = [self = desk.get()](std::string text) {
    json event = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!event.is_object()) return;
    std::lock_guard<std::mutex> lock(self->mutex_);
    ++self->seen_[event.value("type", "")];
    self->events_.push_back(std::move(event));
    self->changed_.notify_all();
  };
  desk->socket_ = api::WebSocketClient::Connect(
      absl::StrCat("ws://", url.substr(7), "/v1/agent/events?token=", desk->token_),
      std::move(callbacks));
  if (desk->Take("state", absl::Seconds(10)).is_null()) {
    return absl::DeadlineExceededError("no state on the event socket");
  }
  if (!desk->phone_.WaitUntilUp(absl::Seconds(10))) {
    return absl::DeadlineExceededError("the dialer did not ring the agent's phone");
  }
  return desk;
}

Desk::~Desk() { socket_.reset(); }

absl::Status Desk::Dispose(uint64_t attempt, const std::string& status) {
  return Post("disposition", {{"attempt", attempt}, {"status", status}});
}

absl::StatusOr<json> Desk::Ask(const std::string& verb, const json& body) {
  const auto answer = http_->Send("POST", absl::StrCat("/v1/agent/", verb), body.dump(),
                                  {{"authorization", absl::StrCat("Bearer ", token_)}});
  if (!answer.ok()) return answer.status();
  if (answer->status == 200) return json::parse(answer->body, nullptr, /*allow_exceptions=*/false);
  return absl::FailedPreconditionError(absl::StrCat(verb, ": ", answer->status, " ", answer->body));
}

json Desk::Take(const std::string& type, absl::Duration timeout) {
  std::unique_lock<std::mutex> lock(mutex_);
  json taken;
  changed_.wait_for(lock, absl::ToChronoMilliseconds(timeout), [&] {
    for (auto it = events_.begin(); it != events_.end(); ++it) {
      if (it->value("type", "") != type) continue;
      taken = std::move(*it);
      events_.erase(it);
      return true;
    }
    return false;
  });
  return taken;
}

bool Desk::WaitForState(const std::string& state, absl::Duration timeout) {
  const Deadline deadline(timeout);
  for (;;) {
    const json event = Take("state", deadline.left());
    if (event.is_null()) return false;
    if (event.value("state", "") == state) return true;
  }
}

size_t Desk::Seen(const std::string& type) {
  std::lock_guard<std::mutex> lock(mutex_);
  return seen_[type];
}

}  // namespace outpace::e2e
