#include "bench/sip/far_end.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace outpace::bench {
namespace {

constexpr int kBatch = 128;
constexpr size_t kDatagram = 4'096;
constexpr size_t kWheelSlots = 16'384;  // milliseconds
constexpr int kLinger = 1'500;          // ms an ended call is remembered for late repeats
constexpr int kFirstRepeat = 500, kLongestRepeat = 4'000, kRepeatsMost = 10;

int OpenSocket(uint16_t port, int buffer, uint16_t* bound) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  OUTPACE_CHECK(fd >= 0);
  for (const int option : {SO_RCVBUF, SO_SNDBUF}) {
    ::setsockopt(fd, SOL_SOCKET, option, &buffer, sizeof buffer);
  }
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
  ::setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return -1;
  }
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  *bound = ntohs(address.sin_port);
  return fd;
}

// The URI between angle brackets, or the value itself.
absl::string_view UriOf(absl::string_view value) {
  const size_t open = value.find('<');
  const size_t close = value.find('>');
  if (open == absl::string_view::npos || close == absl::string_view::npos || close < open) {
    return value;
  }
  return value.substr(open + 1, close - open - 1);
}

}  // namespace

int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// What is needed of a message; views into the datagram.
struct FarEnd::Message {
  bool is_request = false;
  absl::string_view method;  // of the CSeq for a response
  int status = 0;
  absl::string_view via;  // all Via lines, each with its line end
  absl::string_view from, to, call_id, cseq, contact;

  bool Parse(absl::string_view text);
};

bool FarEnd::Message::Parse(absl::string_view text) {
  size_t end = text.find("\r\n");
  if (end == absl::string_view::npos || end < 12) return false;
  const absl::string_view first = text.substr(0, end);
  is_request = !absl::StartsWith(first, "SIP/2.0 ");
  if (is_request) {
    method = first.substr(0, first.find(' '));
  } else if (!absl::SimpleAtoi(first.substr(8, 3), &status)) {
    return false;
  }
  size_t at = end + 2;
  while (at < text.size()) {
    end = text.find("\r\n", at);
    if (end == absl::string_view::npos || end == at) break;
    const absl::string_view line = text.substr(at, end - at);
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) return false;
    absl::string_view value = line.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    const absl::string_view name = line.substr(0, colon);
    switch (name.size()) {
      case 3:
        if (name == "Via") {
          const char* start = via.empty() ? line.data() : via.data();
          via = absl::string_view(start, static_cast<size_t>(text.data() + end + 2 - start));
        }
        break;
      case 4:
        if (name == "From") {
          from = value;
        } else if (name == "CSeq") {
          cseq = value;
        }
        break;
      case 2:
        if (name == "To") to = value;
        break;
      case 7:
        if (name == "Call-ID") {
          call_id = value;
        } else if (name == "Contact") {
          contact = value;
        }
        break;
      default:
        break;
    }
    at = end + 2;
  }
  if (!is_request && !cseq.empty()) method = cseq.substr(cseq.find(' ') + 1);
  return !via.empty() && !from.empty() && !to.empty() && !call_id.empty() && !cseq.empty();
}

FarEnd::FarEnd(const FarEndOptions& options) : options_(options), wheel_(kWheelSlots) {
  for (Socket& socket : sockets_) {
    socket.fd = OpenSocket(0, 8 << 20, &socket.port);
    OUTPACE_CHECK(socket.fd >= 0);
  }
  // Somewhere for audio and its reports to go, never read: an even port and the next one.
  for (int i = 0; i < 100 && media_fds_[1] < 0; ++i) {
    uint16_t port = 0, next = 0;
    media_fds_[0] = OpenSocket(0, 1, &port);
    if (port % 2 == 0) media_fds_[1] = OpenSocket(static_cast<uint16_t>(port + 1), 1, &next);
    if (media_fds_[1] < 0) {
      ::close(media_fds_[0]);
    } else {
      media_port_ = absl::StrCat(port);
    }
  }
  OUTPACE_CHECK(media_fds_[1] >= 0);
  wheel_ms_ = NowNs() / 1'000'000;
  thread_ = std::thread([this] { Run(); });
}

FarEnd::~FarEnd() {
  stop_ = true;
  thread_.join();
  for (Socket& socket : sockets_) ::close(socket.fd);
  for (const int fd : media_fds_) ::close(fd);
}

FarEndCounts FarEnd::Counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return counts_;
}

std::vector<CallLog> FarEnd::Calls() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return logs_;
}

std::vector<int64_t> FarEnd::SilentInviteTimes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return silent_times_;
}

void FarEnd::HangUpLong(int per_second) { hang_up_rate_ = per_second; }
void FarEnd::SetHoldAll(bool hold) { hold_all_ = hold; }

void FarEnd::Run() {
  pollfd ready[kSockets];
  for (int i = 0; i < kSockets; ++i) ready[i] = {sockets_[i].fd, POLLIN, 0};
  while (!stop_) {
    // A millisecond is the grain of ring and hold times; datagrams wake at once.
    ::poll(ready, kSockets, 1);
    const std::lock_guard<std::mutex> lock(mutex_);
    for (int i = 0; i < kSockets; ++i) {
      if (ready[i].revents != 0) Read(static_cast<SocketName>(i));
    }
    RunTimers();
    Flush();
  }
}

void FarEnd::Read(SocketName name) {
  static thread_local std::vector<char> buffers(kBatch * kDatagram);
  static thread_local sockaddr_in peers[kBatch];
  static thread_local char controls[kBatch][128];
  iovec parts[kBatch];
  mmsghdr messages[kBatch];
  for (int round = 0; round < 8; ++round) {
    for (int i = 0; i < kBatch; ++i) {
      parts[i] = {buffers.data() + static_cast<size_t>(i) * kDatagram, kDatagram};
      messages[i] = {};
      messages[i].msg_hdr.msg_name = &peers[i];
      messages[i].msg_hdr.msg_namelen = sizeof peers[i];
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_control = controls[i];
      messages[i].msg_hdr.msg_controllen = sizeof controls[i];
    }
    const int count = ::recvmmsg(sockets_[name].fd, messages, kBatch, MSG_DONTWAIT, nullptr);
    if (count <= 0) return;
    for (int i = 0; i < count; ++i) {
      int64_t at_ns = 0;
      msghdr& header = messages[i].msg_hdr;
      for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level != SOL_SOCKET) continue;
        if (c->cmsg_type == SCM_TIMESTAMPNS) {
          timespec stamp{};
          std::memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
          at_ns = int64_t{stamp.tv_sec} * 1'000'000'000 + stamp.tv_nsec;
        } else if (c->cmsg_type == SO_RXQ_OVFL && name != kSilent) {
          uint32_t drops = 0;
          std::memcpy(&drops, CMSG_DATA(c), sizeof drops);
          counts_.receive_drops = std::max<uint64_t>(counts_.receive_drops, drops);
        }
      }
      Handle(name, static_cast<char*>(parts[i].iov_base), messages[i].msg_len, peers[i],
             at_ns != 0 ? at_ns : NowNs());
    }
    if (count < kBatch) return;
  }
}

void FarEnd::Handle(SocketName name, char* data, size_t size, const sockaddr_in& peer,
                    int64_t at_ns) {
  Message m;
  if (!m.Parse(absl::string_view(data, size))) {
    ++counts_.strange;
    return;
  }
  if (name == kSilent) {
    if (m.method == "INVITE") {
      ++counts_.silent_invites;
      silent_times_.push_back(at_ns);
    }
    return;
  }
  if (m.is_request && m.method == "INVITE") return OnInvite(name, m, peer, at_ns);
  const auto found = by_id_.find(m.call_id);
  if (!m.is_request) {
    if (found == by_id_.end() || m.method != "BYE" || m.status < 200) return;
    if (calls_[found->second].state == State::kEnding) {
      End(found->second, m.status == 200, at_ns);
    }
    return;
  }
  std::string answer;
  if (m.method == "ACK") {
    if (found == by_id_.end()) return;
    Call& call = calls_[found->second];
    if (call.state != State::kAnswered) return;
    call.state = State::kUp;
    if (call.socket == kPhones) {
      ++counts_.agent_lines;
      return;
    }
    ++counts_.acked;
    logs_[call.log].ack_ns = at_ns;
    if (!call.is_long) After(options_.hold_ms, found->second, Timer::kHangUp);
  } else if (m.method == "BYE") {
    if (found == by_id_.end()) {
      AppendAnswer(m, "481 Call Does Not Exist", m.to, "", answer);
      return Send(name, peer, answer);
    }
    AppendAnswer(m, "200 OK", m.to, "", answer);
    Send(name, peer, answer);
    Call& call = calls_[found->second];
    if (call.state == State::kOver) return;
    if (call.socket == kPhones && call.state == State::kUp) --counts_.agent_lines;
    if (call.socket == kCarrier) ++counts_.caller_byes;
    End(found->second, call.state == State::kUp || call.state == State::kEnding, at_ns);
  } else if (m.method == "CANCEL") {
    AppendAnswer(m, found == by_id_.end() ? "481 Call Does Not Exist" : "200 OK", m.to, "", answer);
    Send(name, peer, answer);
    if (found == by_id_.end()) return;
    Call& call = calls_[found->second];
    if (call.state != State::kRinging) return;
    ++counts_.cancelled;
    const size_t line = call.last.find("\r\n");
    std::string refused = absl::StrCat("SIP/2.0 487 Request Terminated", call.last.substr(line));
    call.last = refused;
    Send(name, peer, refused);
    End(found->second, false, at_ns);
  } else {
    AppendAnswer(m, "200 OK", absl::StrCat(m.to, ";tag=far"), "", answer);
    Send(name, peer, answer);
  }
}

void FarEnd::AppendAnswer(const Message& m, absl::string_view status, absl::string_view to,
                          absl::string_view tail, std::string& out) const {
  absl::StrAppend(&out, "SIP/2.0 ", status, "\r\n", m.via, "From: ", m.from, "\r\nTo: ", to,
                  "\r\nCall-ID: ");
  absl::StrAppend(&out, m.call_id, "\r\nCSeq: ", m.cseq, "\r\n",
                  tail.empty() ? "Content-Length: 0\r\n\r\n" : tail);
}

void FarEnd::OnInvite(SocketName name, const Message& m, const sockaddr_in& peer, int64_t at_ns) {
  const auto known = by_id_.find(m.call_id);
  if (known != by_id_.end()) {
    ++counts_.invite_repeats;
    const Call& call = calls_[known->second];
    if (call.state != State::kOver && !call.last.empty()) Send(name, peer, call.last);
    return;
  }
  uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<uint32_t>(calls_.size());
    calls_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Call& call = calls_[index];
  call.state = State::kRinging;
  call.socket = name;
  call.peer = peer;
  call.repeats = 0;
  call.call_id.assign(m.call_id.data(), m.call_id.size());
  call.from.assign(m.from.data(), m.from.size());
  call.to.clear();
  absl::StrAppend(&call.to, m.to, ";tag=fe", index, "-", call.generation);
  const absl::string_view contact = UriOf(m.contact);
  call.contact.assign(contact.data(), contact.size());
  by_id_.emplace(call.call_id, index);
  call.is_long = true;
  if (name == kCarrier) {
    call.is_long = counts_.invites < options_.long_calls || hold_all_;
    call.log = static_cast<uint32_t>(logs_.size());
    logs_.push_back({.invite_ns = at_ns, .is_long = call.is_long});
    ++counts_.invites;
  }
  std::string trying;
  AppendAnswer(m, "100 Trying", m.to, "", trying);
  Send(name, peer, trying);
  const std::string me = absl::StrCat("Contact: <sip:far@127.0.0.1:", sockets_[name].port, ">\r\n");
  call.last.clear();
  AppendAnswer(m, "180 Ringing", call.to, absl::StrCat(me, "Content-Length: 0\r\n\r\n"), call.last);
  Send(name, peer, call.last);
  // Who is held long sends nothing and says so: silence would be taken for a dead call.
  const std::string sdp = absl::StrCat(
      "v=0\r\no=far 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ",
      media_port_, " RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n",
      call.is_long ? "a=recvonly\r\n" : "a=sendrecv\r\n");
  call.bye.clear();  // until the answer, the 200 that is to come
  AppendAnswer(m, "200 OK", call.to,
               absl::StrCat(me, "Content-Type: application/sdp\r\nContent-Length: ", sdp.size(),
                            "\r\n\r\n", sdp),
               call.bye);
  After(name == kCarrier ? options_.ring_ms : 0, index, Timer::kAnswer);
}

void FarEnd::Answer(uint32_t index) {
  Call& call = calls_[index];
  call.state = State::kAnswered;
  call.last.swap(call.bye);
  Send(call.socket, call.peer, call.last);
  if (call.socket == kCarrier) logs_[call.log].answer_ns = NowNs();
  call.repeats = 0;
  After(kFirstRepeat, index, Timer::kRepeatAnswer);
}

void FarEnd::SendBye(uint32_t index) {
  Call& call = calls_[index];
  call.state = State::kEnding;
  call.repeats = 0;
  call.bye = absl::StrCat("BYE ", call.contact,
                          " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:", sockets_[call.socket].port,
                          ";branch=z9hG4bK-fe-");
  absl::StrAppend(&call.bye, index, "-", call.generation, "\r\nMax-Forwards: 70\r\nFrom: ", call.to,
                  "\r\nTo: ", call.from, "\r\nCall-ID: ", call.call_id);
  absl::StrAppend(&call.bye,
                  "\r\nCSeq: 1 BYE\r\nReason: Q.850;cause=16\r\nContent-Length: 0\r\n\r\n");
  Send(call.socket, call.peer, call.bye);
  After(kFirstRepeat, index, Timer::kRepeatBye);
}

void FarEnd::End(uint32_t index, bool good, int64_t at_ns) {
  Call& call = calls_[index];
  const bool acked = call.socket == kCarrier && logs_[call.log].ack_ns != 0;
  call.state = State::kOver;
  ++call.generation;  // no timer of it counts any more
  if (call.socket == kCarrier) {
    logs_[call.log].end_ns = at_ns;
    logs_[call.log].good = good && acked;
    ++counts_.ended;
    if (good && acked) ++counts_.good;
  }
  After(kLinger, index, Timer::kForget);
}

void FarEnd::Forget(uint32_t index) {
  Call& call = calls_[index];
  by_id_.erase(call.call_id);
  call.state = State::kFree;
  free_.push_back(index);
}

void FarEnd::After(int ms, uint32_t index, Timer timer) {
  const int64_t at = std::max(NowNs() / 1'000'000 + ms, wheel_ms_ + 1);
  wheel_[static_cast<size_t>(at) % kWheelSlots].push_back(
      {at, index, calls_[index].generation, timer});
}

void FarEnd::RunTimers() {
  const int64_t now = NowNs() / 1'000'000;
  std::vector<Due> due;
  for (; wheel_ms_ < now; ++wheel_ms_) {
    std::vector<Due>& slot = wheel_[static_cast<size_t>(wheel_ms_ + 1) % kWheelSlots];
    if (!slot.empty()) {
      due.clear();
      due.swap(slot);
      for (const Due& entry : due) {
        if (entry.at_ms > wheel_ms_ + 1) {
          slot.push_back(entry);
        } else {
          Fire(entry);
        }
      }
    }
    const int rate = hang_up_rate_;
    if (rate <= 0) continue;
    if (hang_up_next_ >= calls_.size()) hang_up_next_ = 0;
    hang_up_credit_ = std::min(hang_up_credit_ + rate / 1'000.0, rate / 50.0 + 1);
    for (; hang_up_credit_ >= 1 && hang_up_next_ < calls_.size(); ++hang_up_next_) {
      Call& call = calls_[hang_up_next_];
      if (call.state != State::kUp || call.socket != kCarrier || !call.is_long) continue;
      if (call.log < options_.long_calls) continue;
      SendBye(static_cast<uint32_t>(hang_up_next_));
      hang_up_credit_ -= 1;
    }
  }
}

void FarEnd::Fire(const Due& due) {
  Call& call = calls_[due.call];
  if (call.generation != due.generation) return;
  const int wait = std::min(kFirstRepeat << std::min(call.repeats + 1, 4u), kLongestRepeat);
  switch (due.timer) {
    case Timer::kAnswer:
      if (call.state == State::kRinging) Answer(due.call);
      break;
    case Timer::kRepeatAnswer:
      if (call.state != State::kAnswered) break;
      if (++call.repeats > kRepeatsMost) return End(due.call, false, NowNs());
      ++counts_.answer_repeats;
      Send(call.socket, call.peer, call.last);
      After(wait, due.call, Timer::kRepeatAnswer);
      break;
    case Timer::kHangUp:
      if (call.state == State::kUp) SendBye(due.call);
      break;
    case Timer::kRepeatBye:
      if (call.state != State::kEnding) break;
      if (++call.repeats > kRepeatsMost) return End(due.call, false, NowNs());
      ++counts_.bye_repeats;
      Send(call.socket, call.peer, call.bye);
      After(wait, due.call, Timer::kRepeatBye);
      break;
    case Timer::kForget:
      Forget(due.call);
      break;
  }
}

void FarEnd::Send(SocketName name, const sockaddr_in& peer, absl::string_view text) {
  if (out_used_ == out_.size()) out_.emplace_back();
  Out& out = out_[out_used_++];
  out.socket = name;
  out.peer = peer;
  out.text.assign(text.data(), text.size());
  if (out_used_ >= 4 * kBatch) Flush();
}

void FarEnd::Flush() {
  mmsghdr messages[kBatch];
  iovec parts[kBatch];
  for (int name = 0; name < kSockets; ++name) {
    size_t next = 0;
    while (next < out_used_) {
      unsigned count = 0;
      for (; next < out_used_ && count < kBatch; ++next) {
        Out& out = out_[next];
        if (out.socket != name) continue;
        parts[count] = {out.text.data(), out.text.size()};
        messages[count] = {};
        messages[count].msg_hdr.msg_name = &out.peer;
        messages[count].msg_hdr.msg_namelen = sizeof out.peer;
        messages[count].msg_hdr.msg_iov = &parts[count];
        messages[count].msg_hdr.msg_iovlen = 1;
        ++count;
      }
      for (unsigned sent = 0; sent < count;) {
        const int n = ::sendmmsg(sockets_[name].fd, messages + sent, count - sent, 0);
        if (n > 0) {
          sent += static_cast<unsigned>(n);
        } else if (errno == EAGAIN) {
          pollfd room{sockets_[name].fd, POLLOUT, 0};
          ::poll(&room, 1, 10);
        } else {
          ++sent;  // one that cannot go, e.g. to a port that has just closed
        }
      }
    }
  }
  out_used_ = 0;
}

}  // namespace outpace::bench
