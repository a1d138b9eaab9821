#include "tools/farend/sim_agent.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/rng.h"

namespace outpace::farend {
namespace {

using nlohmann::json;

constexpr absl::Duration kRetry = absl::Milliseconds(200);
// How long the server may take to say by itself what comes after a disposition.
constexpr absl::Duration kReadyGrace = absl::Milliseconds(100);
constexpr absl::Duration kEndGrace = absl::Milliseconds(300);
constexpr absl::Duration kEndAfterHangUp = absl::Seconds(5);
constexpr absl::Duration kFarewell = absl::Seconds(2);
constexpr absl::Duration kFarFuture = absl::Hours(24);

// Fields of messages we do not trust: absent or of another type is zero or "".
uint64_t NumberIn(const json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_number() ? it->get<uint64_t>() : 0;
}
std::string TextIn(const json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}
bool FlagIn(const json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_boolean() && it->get<bool>();
}

}  // namespace

// ---- AudioMatcher, Backoff ----

std::optional<AudioMatcher::Match> AudioMatcher::OnBurst(absl::Time at) {
  if (open_attempt_ != 0) return Match{std::exchange(open_attempt_, 0), at};
  // A pause in the middle of a call is no new call.
  if (!in_call_) burst_ = at;
  return std::nullopt;
}

std::optional<AudioMatcher::Match> AudioMatcher::OnPop(uint64_t attempt, absl::Time at) {
  in_call_ = true;
  const auto burst = std::exchange(burst_, std::nullopt);
  if (burst && at - *burst <= kPopDelayMax) {
    open_attempt_ = 0;
    return Match{attempt, *burst};
  }
  open_attempt_ = attempt;
  return std::nullopt;
}

void AudioMatcher::OnCallEnded() {
  in_call_ = false;
  open_attempt_ = 0;
  burst_.reset();
}

absl::Duration Backoff::Next() {
  const absl::Duration now = next_;
  next_ = std::min(next_ * 2, kMost);
  return now;
}

// ---- life of an agent ----

SimAgent::SimAgent(SimAgentOptions options, ServerDoor door, const Clock& clock, EventLog& log)
    : options_(std::move(options)),
      door_(std::move(door)),
      clock_(clock),
      log_(log),
      weights_(options_.dispositions) {
  OUTPACE_CHECK(!options_.dispositions.empty());
}

SimAgent::~SimAgent() = default;

void SimAgent::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
}

bool SimAgent::stopping() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return stop_;
}

void SimAgent::Run() {
  http_ = door_.http();
  while (!stopping()) {
    if (token_.empty() && !LogIn()) {
      const MonoTime until = clock_.Mono() + backoff_.Next();
      while (!stopping() && clock_.Mono() < until) Wait(until);
      continue;
    }
    Session();
    if (!stopping() && !token_.empty()) {  // a refused token asks for a login, not for patience
      const MonoTime until = clock_.Mono() + backoff_.Next();
      while (!stopping() && clock_.Mono() < until) Wait(until);
    }
  }
  LogOut();
}

bool SimAgent::LogIn() {
  const json body = {{"user", options_.user},
                     {"password", options_.password},
                     {"campaign", options_.campaign},
                     {"phone", options_.phone}};
  std::string answer;
  if (Post("/v1/agent/login", body.dump(), &answer) != Reply::kOk) return false;
  const json reply = json::parse(answer, nullptr, false);
  if (!reply.is_object() || TextIn(reply, "token").empty()) {
    LogError("login: answer without a token");
    return false;
  }
  token_ = TextIn(reply, "token");
  weights_.clear();
  const auto known = reply.find("dispositions");
  for (const auto& [status, weight] : options_.dispositions) {
    bool offered = known == reply.end() || !known->is_array() || known->empty();
    if (!offered) {
      for (const json& item : *known)
        offered |= item.is_object() && TextIn(item, "status") == status;
    }
    if (offered) weights_.emplace_back(status, weight);
  }
  if (weights_.empty()) weights_ = options_.dispositions;
  log_.Write(Line("login"));
  log_.Flush();
  last_error_.clear();
  OnState(TextIn(reply, "state"));
  return true;
}

// One WebSocket, from its opening to its end.
void SimAgent::Session() {
  session_over_ = false;
  socket_open_ = false;
  const uint64_t number = ++socket_number_;
  api::WebSocketClient::Callbacks callbacks;
  callbacks.on_open = [this, number] {
    Push({Event::Kind::kOpen, number, "", absl::OkStatus(), clock_.Wall()});
  };
  callbacks.on_text = [this, number](std::string text) {
    Push({Event::Kind::kText, number, std::move(text), absl::OkStatus(), clock_.Wall()});
  };
  callbacks.on_close = [this, number](absl::Status why) {
    Push({Event::Kind::kClose, number, "", std::move(why), clock_.Wall()});
  };
  socket_ = door_.events(token_, std::move(callbacks));
  while (!session_over_ && !stopping()) {
    if (const auto event = Wait(NextDeadline())) OnEvent(*event);
    if (!session_over_ && socket_open_) DoWhatIsDue();
  }
  if (session_over_) socket_.reset();
}

void SimAgent::LogOut() {
  if (!token_.empty()) {
    if (call_) HangUp();
    const MonoTime until = clock_.Mono() + kFarewell;
    while (call_ && !session_over_ && clock_.Mono() < until) {
      // Wait() returns at once now that stop_ is set, so the events are taken from the queue here.
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait_for(lock, absl::ToChronoNanoseconds(until - clock_.Mono()),
                     [this] { return !events_.empty(); });
      if (events_.empty()) break;
      const Event event = std::move(events_.front());
      events_.pop_front();
      lock.unlock();
      OnEvent(event);
    }
    for (size_t left = pending_.size(); left > 0 && !token_.empty(); --left) SendDisposition();
    const Reply reply =
        token_.empty() ? Reply::kLoggedOut : Post("/v1/agent/logout", "{}", nullptr);
    if (reply == Reply::kOk) log_.Write(Line("logout"));
  }
  socket_.reset();
  log_.Flush();
}

MonoTime SimAgent::NextDeadline() const {
  MonoTime next = clock_.Mono() + kFarFuture;
  if (!socket_open_) return next;
  if (call_ && call_->talking && !call_->hung_up) next = std::min(next, call_->hang_up_at);
  if (call_ && call_->over_at) next = std::min(next, *call_->over_at);
  if (!pending_.empty()) next = std::min(next, pending_.front().due);
  if (ready_due_) next = std::min(next, *ready_due_);
  return next;
}

std::optional<SimAgent::Event> SimAgent::Wait(MonoTime deadline) {
  std::unique_lock<std::mutex> lock(mutex_);
  wake_.wait_for(
      lock, absl::ToChronoNanoseconds(std::max(absl::ZeroDuration(), deadline - clock_.Mono())),
      [this] { return stop_ || !events_.empty(); });
  if (stop_ || events_.empty()) return std::nullopt;
  Event event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void SimAgent::Push(Event event) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    events_.push_back(std::move(event));
  }
  wake_.notify_all();
}

// ---- what the server says ----

void SimAgent::OnEvent(const Event& event) {
  if (event.socket != socket_number_) return;
  switch (event.kind) {
    case Event::Kind::kOpen:
      socket_open_ = true;
      backoff_.Reset();
      // What was not acknowledged before the socket was lost goes out again now.
      for (PendingDisposition& disposition : pending_) {
        if (disposition.tries > 0) disposition.due = clock_.Mono();
      }
      break;
    case Event::Kind::kText:
      OnText(event.text, event.at);
      break;
    case Event::Kind::kClose:
      session_over_ = true;
      socket_open_ = false;
      if (absl::IsUnauthenticated(event.why)) token_.clear();
      LogError(absl::StrCat("events socket closed: ", event.why.message()));
      break;
  }
}

void SimAgent::OnText(const std::string& text, absl::Time at) {
  const json message = json::parse(text, nullptr, false);
  if (!message.is_object()) {
    LogError("event that is not a JSON object");
    return;
  }
  const std::string type = TextIn(message, "type");
  const uint64_t attempt = NumberIn(message, "attempt");
  if (type == "state") {
    OnState(TextIn(message, "state"));
  } else if (type == "pop") {
    OnPop(attempt, NumberIn(message, "lead_id"), FlagIn(message, "preview"), at);
  } else if (type == "call_ended") {
    OnCallEnded(attempt, TextIn(message, "by"),
                static_cast<int64_t>(NumberIn(message, "length_ms")));
  }
}

void SimAgent::OnState(const std::string& state) {
  if (state == "READY" && state_ != "READY") {
    log_.Write(Line("ready"));
    log_.Flush();
  }
  state_ = state;
  if (state == "LOGGEDOUT" && socket_open_) {  // by an administrator, or after our silence
    token_.clear();
    session_over_ = true;
    return;
  }
  if (state == "INCALL") StartTalking();
  // Not in a call any more; its call_ended was sent while we were away, or comes right behind.
  if (state == "DISPO" || state == "PAUSED" || state == "READY") ExpectEnd(kEndGrace);
  const bool idle = !call_ && pending_.empty();
  if (state == "PAUSED" && idle) {
    if (!ready_due_) ready_due_ = clock_.Mono() + kReadyGrace;
  } else if (state == "READY" || state == "RESERVED" || state == "INCALL") {
    ready_due_.reset();
    ready_backoff_.Reset();
  }
}

void SimAgent::OnPop(uint64_t attempt, uint64_t lead, bool preview, absl::Time at) {
  if (attempt == 0) {
    LogError("pop without an attempt");
    return;
  }
  if (call_ && call_->attempt == attempt) {  // said again: after a reconnect, or a preview's answer
    if (!preview) StartTalking();
    return;
  }
  for (const PendingDisposition& disposition : pending_) {
    if (disposition.attempt == attempt) return;  // its call is over, we are in wrap-up
  }
  if (call_) EndCall();  // its end was said while we were away
  log_.Write(JsonLine(at, "pop")
                 .Text("agent", options_.user)
                 .Number("attempt", static_cast<int64_t>(attempt))
                 .Number("lead_id", static_cast<int64_t>(lead)));
  ready_due_.reset();
  std::optional<AudioMatcher::Match> match;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    match = matcher_.OnPop(attempt, at);
  }
  LogMatch(match);
  call_.emplace();
  call_->attempt = attempt;
  call_->talking = false;
  if (!preview) StartTalking();
  if (state_ == "DISPO") ExpectEnd(kEndGrace);  // said again after we came back in wrap-up
  if (preview) {
    const json body = {{"attempt", attempt}, {"action", "dial"}};
    Post("/v1/agent/preview", body.dump(), nullptr);
  }
}

void SimAgent::OnCallEnded(uint64_t attempt, const std::string& by, int64_t length_ms) {
  if (!call_ || call_->attempt != attempt) return;
  log_.Write(Line("call_ended")
                 .Number("attempt", static_cast<int64_t>(attempt))
                 .Text("status", by)
                 .Number("length_ms", length_ms));
  log_.Flush();
  if (state_ == "INCALL" || state_ == "RESERVED") state_ = "DISPO";  // that is what it means
  EndCall();
}

// The talk time runs from the moment there is somebody to talk to.
void SimAgent::StartTalking() {
  if (!call_ || call_->talking) return;
  call_->talking = true;
  const double talk_s = Lognormal(call_->attempt, 1, options_.talk_mean_s, options_.talk_cv);
  call_->hang_up_at = clock_.Mono() + absl::Seconds(talk_s);
}

void SimAgent::ExpectEnd(absl::Duration within) {
  if (call_ && !call_->over_at) call_->over_at = clock_.Mono() + within;
}

// From the call to its wrap-up.
void SimAgent::EndCall() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    matcher_.OnCallEnded();
  }
  PendingDisposition disposition;
  disposition.attempt = call_->attempt;
  disposition.status = PickStatus(call_->attempt);
  if (disposition.status == "CALLBK") {
    disposition.callback_ms = absl::ToUnixMillis(
        clock_.Wall() + absl::Hours(1 + static_cast<double>(call_->attempt % 8)));
  }
  const double wrap_s = Lognormal(call_->attempt, 2, options_.wrap_mean_s, options_.wrap_cv);
  disposition.due = clock_.Mono() + absl::Seconds(wrap_s);
  pending_.push_back(std::move(disposition));
  call_.reset();
}

void SimAgent::OnAudio(absl::Time at) {
  std::optional<AudioMatcher::Match> match;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    match = matcher_.OnBurst(at);
  }
  LogMatch(match);
}

// ---- what the agent does ----

void SimAgent::DoWhatIsDue() {
  const MonoTime now = clock_.Mono();
  if (call_ && call_->over_at && *call_->over_at <= now) {
    OnCallEnded(call_->attempt, "UNKNOWN", 0);
  } else if (call_ && call_->talking && !call_->hung_up && call_->hang_up_at <= now) {
    HangUp();
  }
  if (!session_over_ && !pending_.empty() && pending_.front().due <= now) SendDisposition();
  if (!session_over_ && ready_due_ && *ready_due_ <= now) GoReady();
}

void SimAgent::HangUp() {
  switch (Post("/v1/agent/hangup", "{}", nullptr)) {
    case Reply::kOk:
    case Reply::kRefused:  // the far end was faster; call_ended is on its way
      call_->hung_up = true;
      ExpectEnd(kEndAfterHangUp);
      break;
    case Reply::kLoggedOut:
      session_over_ = true;
      break;
    case Reply::kUnreachable:
      call_->hang_up_at = clock_.Mono() + kRetry;
      break;
  }
}

void SimAgent::SendDisposition() {
  PendingDisposition& disposition = pending_.front();
  json body = {{"attempt", disposition.attempt}, {"status", disposition.status}};
  if (disposition.callback_ms > 0) body["callback_ms"] = disposition.callback_ms;
  const auto line = [this, &disposition](absl::string_view event) {
    return Line(event)
        .Number("attempt", static_cast<int64_t>(disposition.attempt))
        .Text("status", disposition.status);
  };
  log_.Write(line("disposition_sent").Number("try", ++disposition.tries));
  const Reply reply = Post("/v1/agent/disposition", body.dump(), nullptr);
  if (reply == Reply::kOk) {
    log_.Write(line("disposition_acked"));
    log_.Flush();
  }
  switch (reply) {
    case Reply::kOk:
    case Reply::kRefused:  // not ours any more: saying it again would not help
      pending_.pop_front();
      if (pending_.empty() && !call_) ready_due_ = clock_.Mono() + kReadyGrace;
      break;
    case Reply::kLoggedOut:
      session_over_ = true;
      break;
    case Reply::kUnreachable:
      disposition.due = clock_.Mono() + kRetry;
      break;
  }
}

void SimAgent::GoReady() {
  ready_due_.reset();
  if (call_ || !pending_.empty() || state_ == "READY" || state_ == "RESERVED" ||
      state_ == "INCALL") {
    return;
  }
  std::string answer;
  switch (Post("/v1/agent/state", R"({"state":"ready"})", &answer)) {
    case Reply::kOk: {
      const json reply = json::parse(answer, nullptr, false);
      const std::string state = reply.is_object() ? TextIn(reply, "state") : "";
      OnState(state.empty() || state == "ready" ? "READY" : state);
      // Accepted but not there yet, for instance because the telephone still rings: look again.
      if (state_ != "READY" && state_ != "RESERVED" && state_ != "INCALL") {
        ready_due_ = clock_.Mono() + ready_backoff_.Next();
      }
      break;
    }
    case Reply::kLoggedOut:
      session_over_ = true;
      break;
    case Reply::kRefused:
    case Reply::kUnreachable:
      ready_due_ = clock_.Mono() + ready_backoff_.Next();
      break;
  }
}

SimAgent::Reply SimAgent::Post(const std::string& path, const std::string& body,
                               std::string* answer) {
  std::map<std::string, std::string> headers = {{"Content-Type", "application/json"}};
  if (!token_.empty()) headers["Authorization"] = absl::StrCat("Bearer ", token_);
  const auto response = http_->Send("POST", path, body, headers);
  if (!response.ok()) {
    LogError(absl::StrCat(path, ": ", response.status().message()));
    return Reply::kUnreachable;
  }
  if (response->status >= 200 && response->status < 300) {
    if (answer != nullptr) *answer = response->body;
    return Reply::kOk;
  }
  LogError(absl::StrCat(path, ": HTTP ", response->status));
  if (response->status == 401) {
    token_.clear();
    return Reply::kLoggedOut;
  }
  return response->status >= 500 || response->status == 429 ? Reply::kUnreachable : Reply::kRefused;
}

// ---- chance and the log ----

double SimAgent::Lognormal(uint64_t attempt, uint64_t salt, double mean, double cv) const {
  if (mean <= 0) return 0;
  Rng rng(options_.seed * 0x9e3779b97f4a7c15 ^ attempt * 4 ^ salt);
  return rng.Lognormal(mean, cv);
}

std::string SimAgent::PickStatus(uint64_t attempt) const {
  double sum = 0;
  for (const auto& [status, weight] : weights_) sum += weight;
  Rng rng(options_.seed * 0x9e3779b97f4a7c15 ^ attempt * 4 ^ 3);
  double at = rng.Uniform() * sum;
  for (const auto& [status, weight] : weights_) {
    if (at < weight) return status;
    at -= weight;
  }
  return weights_.back().first;
}

JsonLine SimAgent::Line(absl::string_view event) const {
  return JsonLine(clock_.Wall(), event).Text("agent", options_.user);
}

void SimAgent::LogMatch(const std::optional<AudioMatcher::Match>& match) {
  if (match) {
    log_.Write(JsonLine(match->at, "audio_first")
                   .Text("agent", options_.user)
                   .Number("attempt", static_cast<int64_t>(match->attempt)));
  }
  log_.Flush();
}

// The same trouble again and again, while the dialer is away, is one line.
void SimAgent::LogError(absl::string_view what) {
  if (what == last_error_) return;
  last_error_ = std::string(what);
  log_.Write(Line("error").Text("what", what));
  log_.Flush();
}

}  // namespace outpace::farend
