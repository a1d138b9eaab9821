#include "tools/farend/uas.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace outpace::farend {
namespace {

constexpr absl::string_view kAllow = "INVITE, ACK, CANCEL, BYE, OPTIONS";
constexpr absl::string_view kMagicCookie = "z9hG4bK";  // RFC 3261 8.1.1.7

absl::string_view PhraseOf(int status) {
  switch (status) {
    case 100:
      return "Trying";
    case 180:
      return "Ringing";
    case 183:
      return "Session Progress";
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 420:
      return "Bad Extension";
    case 480:
      return "Temporarily Unavailable";
    case 481:
      return "Call/Transaction Does Not Exist";
    case 482:
      return "Loop Detected";
    case 486:
      return "Busy Here";
    case 487:
      return "Request Terminated";
    case 488:
      return "Not Acceptable Here";
    case 491:
      return "Request Pending";
    case 500:
      return "Server Internal Error";
    case 503:
      return "Service Unavailable";
    case 603:
      return "Decline";
    default:
      return status < 300 ? "OK" : "Failure";
  }
}

std::string TagOf(const SipMessage& message, absl::string_view header) {
  const auto address = ParseNameAddr(message.Get(header));
  return address.ok() ? Param(address->params, "tag") : "";
}

// What names a transaction: the branch, or for peers of RFC 2543 what they had instead.
std::string BranchKey(const SipMessage& message, const Via& via, uint32_t cseq) {
  if (absl::StartsWith(via.branch, kMagicCookie)) return via.branch;
  return absl::StrCat("2543|", message.Get("Call-ID"), "|", cseq, "|", TagOf(message, "From"));
}

}  // namespace

Uas::Uas(Loop& loop, const UasOptions& options, uint64_t seed, SendFn send, UasEvents& events)
    : loop_(loop), options_(options), rng_(seed), send_(std::move(send)), events_(events) {}

Uas::~Uas() {
  for (auto& [ref, call] : calls_) {
    StopTimers(call->first);
    if (call->again) StopTimers(*call->again);
    loop_.Cancel(call->linger);
  }
  for (auto& [branch, bye] : byes_) {
    loop_.Cancel(bye.resend);
    loop_.Cancel(bye.limit);
  }
}

void Uas::OnDatagram(Endpoint from, absl::string_view bytes, absl::Time at) {
  ++stats_.datagrams;
  if (bytes.size() <= 4) return;  // keep-alive (RFC 5626 3.5.1)
  auto message = ParseSip(bytes);
  if (!message.ok()) {
    ++stats_.malformed;
    return;
  }
  if (message->is_request()) {
    OnRequest(from, *std::move(message), at);
  } else {
    OnResponse(*message);
  }
}

void Uas::OnRequest(Endpoint from, SipMessage message, absl::Time at) {
  const std::vector<absl::string_view> vias = message.List("Via");
  const auto via = vias.empty() ? absl::InvalidArgumentError("no Via") : ParseVia(vias.front());
  if (!via.ok()) {  // nowhere to answer to
    ++stats_.malformed;
    return;
  }
  const auto cseq = ParseCSeq(message.Get("CSeq"));
  if (!cseq.ok() || cseq->method != message.method || !message.Has("Call-ID") ||
      !ParseNameAddr(message.Get("From")).ok() || !ParseNameAddr(message.Get("To")).ok()) {
    ++stats_.malformed;
    if (message.method != "ACK") {
      send_(ReplyTo(from, *via), Reply(message, from, 400, PhraseOf(400), "").Serialize());
    }
    return;
  }
  if (message.method == "INVITE") {
    OnInvite(from, *via, std::move(message), cseq->number, at);
    return;
  }
  if (message.method == "ACK") {
    OnAck(message, *via, cseq->number, at);
    return;
  }
  const auto cached = replies_.find(absl::StrCat(message.method, "|", via->branch, "|",
                                                 cseq->number, "|", message.Get("Call-ID")));
  if (cached != replies_.end()) {
    ++stats_.retransmissions;
    send_(ReplyTo(from, *via), cached->second.bytes);
  } else if (message.method == "CANCEL") {
    OnCancel(from, *via, message, at);
  } else if (message.method == "BYE") {
    OnBye(from, *via, message, at);
  } else if (message.method == "OPTIONS") {
    ReplyOnce(from, *via, message, 200, NewToken());
  } else {
    ReplyOnce(from, *via, message, 405, NewToken());
  }
}

// ---- INVITE ----

void Uas::OnInvite(Endpoint from, const Via& via, SipMessage message, uint32_t cseq,
                   absl::Time at) {
  const std::string branch = BranchKey(message, via, cseq);
  const std::string call_id(message.Get("Call-ID"));
  Call* call = FindByCallId(call_id);
  if (call != nullptr) {
    for (const bool again : {false, true}) {
      InviteServer* server = Server(*call, again);
      if (server == nullptr || server->branch != branch || server->cseq != cseq) continue;
      if (!again) events_.OnDuplicateInvite(call_id, true, at);
      if (!server->last_response.empty() && server->state != InviteServer::State::kConfirmed) {
        ++stats_.retransmissions;
        send_(server->reply_to, server->last_response);
      }
      return;
    }
  }
  if (!TagOf(message, "To").empty()) {
    call = FindDialog(message);
    if (call == nullptr || !call->up) {
      ++stats_.unmatched;
      send_(ReplyTo(from, via), Reply(message, from, 481, PhraseOf(481), "").Serialize());
      return;
    }
    OnReinvite(*call, from, via, std::move(message), cseq, at);
    return;
  }
  if (!seen_call_ids_.insert(absl::HashOf(call_id)).second) {
    events_.OnDuplicateInvite(call_id, false, at);
    send_(ReplyTo(from, via), Reply(message, from, 482, PhraseOf(482), NewToken()).Serialize());
    return;
  }
  if (message.Has("Require")) {  // we have no extension at all (RFC 3261 8.2.2.3)
    SipMessage refusal = Reply(message, from, 420, PhraseOf(420), NewToken());
    refusal.Add("Unsupported", message.Get("Require"));
    send_(ReplyTo(from, via), refusal.Serialize());
    return;
  }
  NewCall(from, via, std::move(message), cseq, at);
}

void Uas::NewCall(Endpoint from, const Via& via, SipMessage message, uint32_t cseq, absl::Time at) {
  auto owned = std::make_unique<Call>();
  Call& call = *owned;
  call.ref = ++next_call_;
  call.call_id = std::string(message.Get("Call-ID"));
  call.local_tag = NewToken();
  call.remote_tag = TagOf(message, "From");
  call.local_uri = absl::StrCat(message.Get("To"), ";tag=", call.local_tag);
  call.remote_uri = std::string(message.Get("From"));
  call.source = from;
  const std::vector<absl::string_view> contacts = message.List("Contact");
  const auto contact =
      contacts.empty() ? absl::InvalidArgumentError("no Contact") : ParseNameAddr(contacts.front());
  call.remote_target = contact.ok() ? contact->uri : absl::StrCat("sip:", ToString(from));
  for (const absl::string_view route : message.List("Record-Route")) {
    call.route_set.emplace_back(route);  // a UAS keeps the order (RFC 3261 12.1.1)
  }
  call.first.branch = BranchKey(message, via, cseq);
  call.first.cseq = cseq;
  call.first.reply_to = ReplyTo(from, via);
  call.first.request = message;
  call.first.request.body.clear();
  const CallRef ref = call.ref;
  by_call_id_[call.call_id] = ref;
  calls_.emplace(ref, std::move(owned));
  events_.OnInvite(ref, message, at);
  Call* now = Find(ref);
  if (now != nullptr && !now->ignored && now->first.last_response.empty()) {
    Provisional(ref, 100, "");
  }
}

void Uas::OnReinvite(Call& call, Endpoint from, const Via& via, SipMessage message, uint32_t cseq,
                     absl::Time at) {
  if (call.again != nullptr && call.again->state != InviteServer::State::kConfirmed) {
    // One at a time (RFC 3261 14.2).
    SipMessage refusal = Reply(message, from, 500, PhraseOf(500), call.local_tag);
    refusal.Add("Retry-After", absl::StrCat(rng_.Below(10) + 1));
    send_(ReplyTo(from, via), refusal.Serialize());
    return;
  }
  auto server = std::make_unique<InviteServer>();
  server->branch = BranchKey(message, via, cseq);
  server->cseq = cseq;
  server->reply_to = ReplyTo(from, via);
  server->request = message;
  server->request.body.clear();
  if (call.again) StopTimers(*call.again);
  call.again = std::move(server);
  const CallRef ref = call.ref;
  const std::string sdp = events_.OnReinvite(ref, message, at);
  Call* now = Find(ref);
  if (now == nullptr || now->again == nullptr) return;
  const int status = sdp.empty() ? 488 : 200;
  SipMessage response =
      Reply(now->again->request, now->source, status, PhraseOf(status), now->local_tag);
  if (!sdp.empty()) {
    response.Add("Contact",
                 absl::StrCat("<sip:", options_.user, "@", ToString(options_.local), ">"));
    response.Add("Content-Type", "application/sdp");
    response.body = sdp;
  }
  SendFinal(*now, true, response, !sdp.empty());
}

void Uas::OnAck(const SipMessage& message, const Via& via, uint32_t cseq, absl::Time at) {
  Call* call = FindByCallId(message.Get("Call-ID"));
  const std::string tag = TagOf(message, "To");
  if (call == nullptr ||
      (tag != call->local_tag && BranchKey(message, via, cseq) != call->first.branch)) {
    ++stats_.unmatched;
    return;
  }
  const bool again = call->again != nullptr && call->again->cseq == cseq;
  InviteServer* server = Server(*call, again);
  if (server->cseq != cseq || (server->state != InviteServer::State::kAnswered &&
                               server->state != InviteServer::State::kFailed)) {
    return;  // retransmitted ACK
  }
  const bool answered = server->state == InviteServer::State::kAnswered;
  StopTimers(*server);
  server->state = InviteServer::State::kConfirmed;
  if (again) return;
  if (answered) {
    if (!call->over) events_.OnAck(call->ref, at);
  } else {
    Linger(*call, options_.t4);  // timer I: absorbs retransmitted ACKs
  }
}

void Uas::OnCancel(Endpoint from, const Via& via, const SipMessage& message, absl::Time at) {
  Call* call = FindByCallId(message.Get("Call-ID"));
  const auto cseq = ParseCSeq(message.Get("CSeq"));
  if (call == nullptr || call->first.branch != BranchKey(message, via, cseq->number)) {
    ++stats_.unmatched;
    ReplyOnce(from, via, message, 481, NewToken());
    return;
  }
  if (call->ignored) return;
  ReplyOnce(from, via, message, 200, call->local_tag);
  // After a final response a CANCEL changes nothing (RFC 3261 9.2).
  if (call->first.state == InviteServer::State::kProceeding && !call->over) {
    events_.OnCancel(call->ref, at);
  }
}

void Uas::Provisional(CallRef ref, int status, absl::string_view sdp) {
  Call* call = Find(ref);
  if (call == nullptr || call->ignored || call->first.state != InviteServer::State::kProceeding) {
    return;
  }
  const bool trying = status == 100;  // carries no tag: it makes no dialog (RFC 3261 8.2.6.2)
  SipMessage response = Reply(call->first.request, call->source, status, PhraseOf(status),
                              trying ? "" : call->local_tag);
  if (!trying) {
    response.Add("Contact",
                 absl::StrCat("<sip:", options_.user, "@", ToString(options_.local), ">"));
  }
  if (!sdp.empty()) {
    response.Add("Content-Type", "application/sdp");
    response.body = std::string(sdp);
  }
  call->first.last_response = response.Serialize();
  send_(call->first.reply_to, call->first.last_response);
}

bool Uas::Answer(CallRef ref, absl::string_view sdp) {
  Call* call = Find(ref);
  if (call == nullptr || call->ignored || call->over ||
      call->first.state != InviteServer::State::kProceeding) {
    return false;
  }
  SipMessage response =
      Reply(call->first.request, call->source, 200, PhraseOf(200), call->local_tag);
  response.Add("Contact", absl::StrCat("<sip:", options_.user, "@", ToString(options_.local), ">"));
  response.Add("Allow", kAllow);
  if (!sdp.empty()) {
    response.Add("Content-Type", "application/sdp");
    response.body = std::string(sdp);
  }
  call->up = true;
  SendFinal(*call, false, response, true);
  return true;
}

bool Uas::Fail(CallRef ref, const Refusal& refusal) {
  Call* call = Find(ref);
  if (call == nullptr || call->ignored || call->over ||
      call->first.state != InviteServer::State::kProceeding) {
    return false;
  }
  SipMessage response =
      Reply(call->first.request, call->source, refusal.status,
            refusal.phrase.empty() ? PhraseOf(refusal.status) : absl::string_view(refusal.phrase),
            call->local_tag);
  if (refusal.q850_cause > 0) {
    response.Add("Reason", absl::StrCat("Q.850;cause=", refusal.q850_cause));
  }
  if (refusal.retry_after_s > 0) response.Add("Retry-After", absl::StrCat(refusal.retry_after_s));
  SendFinal(*call, false, response, false);
  return true;
}

void Uas::Ignore(CallRef ref) {
  Call* call = Find(ref);
  if (call == nullptr || call->first.state != InviteServer::State::kProceeding) return;
  call->ignored = true;
  call->over = true;
  Linger(*call, options_.t1 * 128);  // longer than any caller retransmits
}

void Uas::SendFinal(Call& call, bool again, const SipMessage& response, bool success) {
  InviteServer& server = *Server(call, again);
  server.state = success ? InviteServer::State::kAnswered : InviteServer::State::kFailed;
  server.last_response = response.Serialize();
  server.interval = options_.t1;
  send_(server.reply_to, server.last_response);
  ArmResend(call.ref, again);
  const CallRef ref = call.ref;
  // 13.3.1.4 for the 200, timer H for a failure: both 64*T1.
  server.limit = loop_.After(options_.t1 * 64, [this, ref, again] { Unacknowledged(ref, again); });
}

void Uas::ArmResend(CallRef ref, bool again) {
  Call* call = Find(ref);
  if (call == nullptr) return;
  InviteServer* server = Server(*call, again);
  if (server == nullptr) return;
  server->resend = loop_.After(server->interval, [this, ref, again] {
    Call* now = Find(ref);
    InviteServer* due = now == nullptr ? nullptr : Server(*now, again);
    if (due == nullptr) return;
    ++stats_.retransmissions;
    due->interval = std::min(due->interval * 2, options_.t2);
    send_(due->reply_to, due->last_response);
    ArmResend(ref, again);
  });
}

void Uas::Unacknowledged(CallRef ref, bool again) {
  Call* call = Find(ref);
  InviteServer* server = call == nullptr ? nullptr : Server(*call, again);
  if (server == nullptr) return;
  StopTimers(*server);
  const bool answered = server->state == InviteServer::State::kAnswered;
  server->state = InviteServer::State::kConfirmed;
  if (call->over) {
    if (!again) Erase(ref);
    return;
  }
  call->over = true;
  const std::string call_id = call->call_id;
  // The dialog exists all the same, so it is ended with a BYE (RFC 3261 13.3.1.4).
  if (answered && call->up) {
    SendBye(*call, 0, false);
  } else {
    Linger(*call, options_.t4);
  }
  events_.OnLost(ref, call_id,
                 answered ? "no ACK of the 200 for 32 s" : "no ACK of the failure for 32 s");
}

void Uas::StopTimers(InviteServer& server) {
  loop_.Cancel(std::exchange(server.resend, 0));
  loop_.Cancel(std::exchange(server.limit, 0));
}

// ---- BYE ----

void Uas::OnBye(Endpoint from, const Via& via, const SipMessage& message, absl::Time at) {
  Call* call = FindDialog(message);
  if (call == nullptr || call->ignored || call->first.state == InviteServer::State::kFailed) {
    ++stats_.unmatched;
    ReplyOnce(from, via, message, 481, NewToken());
    return;
  }
  ReplyOnce(from, via, message, 200, call->local_tag);
  const CallRef ref = call->ref;
  if (call->first.state == InviteServer::State::kProceeding) {
    // The caller may end an early dialog by BYE; its INVITE still wants a final (RFC 3261 15.1.2).
    Fail(ref, {.status = 487});
  } else if (call->first.state == InviteServer::State::kAnswered) {
    StopTimers(call->first);
    call->first.state = InviteServer::State::kConfirmed;
  }
  if (call->again) StopTimers(*call->again);
  call->again.reset();
  const bool was_over = std::exchange(call->over, true);
  call->up = false;
  if (call->first.state == InviteServer::State::kConfirmed) Linger(*call, options_.t1 * 64);
  if (!was_over) events_.OnBye(ref, at);
}

bool Uas::Bye(CallRef ref, int q850_cause) {
  Call* call = Find(ref);
  if (call == nullptr || !call->up || call->over ||
      call->first.state != InviteServer::State::kConfirmed) {
    return false;
  }
  return SendBye(*call, q850_cause, true);
}

bool Uas::SendBye(Call& call, int q850_cause, bool report) {
  call.up = false;
  StopTimers(call.first);
  call.first.state = InviteServer::State::kConfirmed;
  if (call.again) StopTimers(*call.again);
  call.again.reset();
  const std::string branch = absl::StrCat(kMagicCookie, NewToken());
  SipMessage bye;
  bye.method = "BYE";
  bye.uri = call.remote_target;
  bye.Add("Via",
          absl::StrCat("SIP/2.0/UDP ", ToString(options_.local), ";branch=", branch, ";rport"));
  for (const std::string& route : call.route_set) bye.Add("Route", route);
  bye.Add("Max-Forwards", "70");
  bye.Add("From", call.local_uri);
  bye.Add("To", call.remote_uri);
  bye.Add("Call-ID", call.call_id);
  bye.Add("CSeq", absl::StrCat(++call.local_cseq, " BYE"));
  if (q850_cause > 0) bye.Add("Reason", absl::StrCat("Q.850;cause=", q850_cause));
  // Next hop: first route, else the Contact, if numeric; else where the INVITE came from.
  std::string hop = call.remote_target;
  if (!call.route_set.empty()) {
    const auto route = ParseNameAddr(call.route_set.front());
    if (route.ok()) hop = route->uri;
  }
  ByeClient client;
  client.to = call.source;
  if (const auto uri = ParseUri(hop); uri.ok()) {
    const auto address = ParseAddress(uri->host);
    if (address.ok()) client.to = {*address, uri->port == 0 ? uint16_t{5060} : uri->port};
  }
  client.call = call.ref;
  client.bytes = bye.Serialize();
  client.interval = options_.t1;
  client.report = report;
  send_(client.to, client.bytes);
  client.limit = loop_.After(options_.t1 * 64, [this, branch] {  // timer F
    const auto it = byes_.find(branch);
    if (it == byes_.end()) return;
    const CallRef ref = it->second.call;
    const bool tell = it->second.report;
    EndBye(branch);
    Call* late = Find(ref);
    if (late == nullptr) return;
    const bool was_over = std::exchange(late->over, true);
    const std::string call_id = late->call_id;
    Linger(*late, options_.t4);
    if (tell && !was_over) events_.OnLost(ref, call_id, "BYE unanswered");
  });
  byes_.emplace(branch, std::move(client));
  ArmByeResend(branch);
  return true;
}

void Uas::ArmByeResend(const std::string& branch) {
  const auto it = byes_.find(branch);
  if (it == byes_.end()) return;
  it->second.resend = loop_.After(it->second.interval, [this, branch] {  // timer E
    const auto due = byes_.find(branch);
    if (due == byes_.end()) return;
    ++stats_.retransmissions;
    due->second.interval = std::min(due->second.interval * 2, options_.t2);
    send_(due->second.to, due->second.bytes);
    ArmByeResend(branch);
  });
}

void Uas::EndBye(const std::string& branch) {
  const auto it = byes_.find(branch);
  if (it == byes_.end()) return;
  loop_.Cancel(it->second.resend);
  loop_.Cancel(it->second.limit);
  byes_.erase(it);
}

void Uas::OnResponse(const SipMessage& message) {
  const std::vector<absl::string_view> vias = message.List("Via");
  const auto via = vias.empty() ? absl::InvalidArgumentError("no Via") : ParseVia(vias.front());
  if (!via.ok()) {
    ++stats_.malformed;
    return;
  }
  const auto it = byes_.find(via->branch);
  if (it == byes_.end()) {
    ++stats_.unmatched;
    return;
  }
  if (message.status < 200) return;
  const CallRef ref = it->second.call;
  const bool report = it->second.report;
  EndBye(via->branch);
  Call* call = Find(ref);
  if (call == nullptr) return;
  const bool was_over = std::exchange(call->over, true);
  Linger(*call, options_.t1 * 64);
  if (report && !was_over) events_.OnByeDone(ref);
}

// ---- helpers ----

Uas::Call* Uas::Find(CallRef ref) {
  const auto it = calls_.find(ref);
  return it == calls_.end() ? nullptr : it->second.get();
}

Uas::Call* Uas::FindByCallId(absl::string_view call_id) {
  const auto it = by_call_id_.find(call_id);
  return it == by_call_id_.end() ? nullptr : Find(it->second);
}

Uas::Call* Uas::FindDialog(const SipMessage& message) {
  Call* call = FindByCallId(message.Get("Call-ID"));
  if (call == nullptr || TagOf(message, "To") != call->local_tag ||
      TagOf(message, "From") != call->remote_tag) {
    return nullptr;
  }
  return call;
}

Endpoint Uas::ReplyTo(Endpoint from, const Via& via) const {
  // RFC 3261 18.2.2 and RFC 3581 4: always to the address it came from; to the port too if asked.
  return {from.address, via.rport ? from.port : via.port == 0 ? uint16_t{5060} : via.port};
}

SipMessage Uas::Reply(const SipMessage& request, Endpoint from, int status,
                      absl::string_view phrase, absl::string_view local_tag) const {
  SipMessage response;
  response.status = status;
  response.phrase = std::string(phrase);
  bool top = true;
  for (const absl::string_view via : request.List("Via")) {
    if (!std::exchange(top, false)) {
      response.Add("Via", via);
      continue;
    }
    std::string mine(via);
    const size_t rport = mine.find(";rport");
    const bool empty_rport =
        rport != std::string::npos && (rport + 6 == mine.size() || mine[rport + 6] == ';');
    if (empty_rport) mine.insert(rport + 6, absl::StrCat("=", from.port));
    absl::StrAppend(&mine, ";received=", AddressText(from));
    response.Add("Via", mine);
  }
  response.Add("From", request.Get("From"));
  std::string to(request.Get("To"));
  if (!local_tag.empty() && TagOf(request, "To").empty()) absl::StrAppend(&to, ";tag=", local_tag);
  response.Add("To", to);
  response.Add("Call-ID", request.Get("Call-ID"));
  response.Add("CSeq", request.Get("CSeq"));
  if (request.method == "INVITE" && status > 100 && status < 300) {
    for (const absl::string_view route : request.List("Record-Route")) {
      response.Add("Record-Route", route);
    }
  }
  return response;
}

void Uas::ReplyOnce(Endpoint from, const Via& via, const SipMessage& request, int status,
                    absl::string_view local_tag) {
  SweepReplies();
  SipMessage response = Reply(request, from, status, PhraseOf(status), local_tag);
  if (request.method == "OPTIONS" || status == 405) response.Add("Allow", kAllow);
  if (request.method == "OPTIONS") response.Add("Accept", "application/sdp");
  std::string key =
      absl::StrCat(request.method, "|", via.branch, "|", ParseCSeq(request.Get("CSeq"))->number,
                   "|", request.Get("Call-ID"));
  std::string bytes = response.Serialize();
  send_(ReplyTo(from, via), bytes);
  reply_order_.push_back(key);
  replies_[std::move(key)] = {std::move(bytes), loop_.clock().Mono() + options_.t1 * 64};
}

void Uas::SweepReplies() {
  const MonoTime now = loop_.clock().Mono();
  while (!reply_order_.empty()) {
    const auto it = replies_.find(reply_order_.front());
    if (it != replies_.end()) {
      if (it->second.until > now && replies_.size() < 100'000) return;
      replies_.erase(it);
    }
    reply_order_.pop_front();
  }
}

void Uas::Linger(Call& call, absl::Duration how_long) {
  loop_.Cancel(call.linger);
  call.linger = loop_.After(how_long, [this, ref = call.ref] { Erase(ref); });
}

void Uas::Erase(CallRef ref) {
  const auto it = calls_.find(ref);
  if (it == calls_.end()) return;
  Call& call = *it->second;
  StopTimers(call.first);
  if (call.again) StopTimers(*call.again);
  loop_.Cancel(call.linger);
  by_call_id_.erase(call.call_id);
  calls_.erase(it);
}

std::string Uas::NewToken() { return absl::StrFormat("%016x", rng_.Next()); }

}  // namespace outpace::farend
