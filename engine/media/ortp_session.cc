#include "engine/media/ortp_session.h"

#include <ortp/ortp.h>
#include <ortp/telephonyevents.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "engine/base/check.h"
#include "engine/media/sdp.h"

namespace outpace::media {
namespace {

// RTP_SESSION_FIRST_PACKET_DELIVERED of oRTP's private RtpSessionFlags (5.1.64). While it is set
// oRTP drops, and logs, each packet older than the last one it returned. With the jitter buffer off
// that is every reordered packet, and after an SSRC change every packet of a sender that starts
// lower. Sorting is the listener's jitter buffer's work, so the flag is cleared before each
// receive.
constexpr uint32_t kFirstPacketDelivered = 1u << 1;

void DropLog(const char*, BctbxLogLevel, const char*, va_list) {}

// oRTP's state for the whole process: av_profile and the log handler. Never undone: another server
// may live in the same process.
void InitLibrary() {
  static std::once_flag once;
  std::call_once(once, [] {
    ortp_init();
    // oRTP logs synchronously, some of it per packet; what matters is counted by us instead.
    ortp_set_log_handler(&DropLog);
  });
}

void IgnoreSignal(RtpSession*, void*, void*, void*) {}

ortp_socket_t NoSocket(RtpTransport*) { return static_cast<ortp_socket_t>(-1); }
void DoNothing(RtpTransport*) {}

}  // namespace

// Two transports, RTP and RTCP; oRTP requires every callback to be set. `data` is the OrtpSession.
struct OrtpSession::Endpoint {
  RtpTransport rtp{};
  RtpTransport rtcp{};

  explicit Endpoint(OrtpSession* owner) {
    for (RtpTransport* transport : {&rtp, &rtcp}) {
      transport->data = owner;
      transport->t_getsocket = &NoSocket;
      transport->t_close = &DoNothing;
      transport->t_destroy = &DoNothing;  // we own both
    }
    rtp.t_sendto = &SendRtp;
    rtp.t_recvfrom = &ReceiveRtp;
    rtcp.t_sendto = &SendNoRtcp;
    rtcp.t_recvfrom = &ReceiveRtcp;
  }

  static OrtpSession& Self(RtpTransport* transport) {
    return *static_cast<OrtpSession*>(transport->data);
  }

  static absl::Span<const uint8_t> Flat(mblk_t* block) {
    if (block->b_cont != nullptr) msgpullup(block, static_cast<size_t>(-1));
    return {block->b_rptr, static_cast<size_t>(block->b_wptr - block->b_rptr)};
  }
  static int SendTo(int fd, absl::Span<const uint8_t> bytes, const SocketAddress& to) {
    return static_cast<int>(
        sendto(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, to.raw(), to.size()));
  }
  // The `to` of both is empty: oRTP's own remote address is never set, because setting it makes
  // oRTP bind a pair of sockets of its own.
  static int SendRtp(RtpTransport* t, mblk_t* block, int, const sockaddr*, socklen_t) {
    OrtpSession& self = Self(t);
    const absl::Span<const uint8_t> plain = Flat(block);
    if (self.srtp_ == nullptr) return SendTo(self.rtp_fd_, plain, self.remote_);
    // The tag needs room that oRTP's block may not have.
    alignas(8) uint8_t room[kRtpDatagramMax + kSrtpTrailerMax];
    if (plain.size() > kRtpDatagramMax) return -1;
    std::copy(plain.begin(), plain.end(), room);
    const size_t size = self.srtp_->Protect(room, plain.size(), kRtpHeaderSize);
    return size == 0 ? -1 : SendTo(self.rtp_fd_, {room, size}, self.remote_);
  }
  // Reports are ours, never oRTP's: say it went.
  static int SendNoRtcp(RtpTransport*, mblk_t*, int, const sockaddr*, socklen_t) { return 1; }

  // Hands over the one datagram of this Receive(), then says "would block".
  static int ReceiveRtp(RtpTransport* t, mblk_t* block, int, sockaddr* from, socklen_t* from_size) {
    OrtpSession& self = Self(t);
    const auto room = static_cast<size_t>(dblk_lim(block->b_datap) - block->b_wptr);
    if (self.datagram_.empty() || self.datagram_.size() > room) {
      errno = EWOULDBLOCK;
      return -1;
    }
    std::memcpy(block->b_wptr, self.datagram_.data(), self.datagram_.size());
    const auto size = std::min<socklen_t>(*from_size, self.remote_.size());
    std::memcpy(from, self.remote_.raw(), size);
    *from_size = size;
    return static_cast<int>(std::exchange(self.datagram_, {}).size());
  }
  // RTCP of others is never read: it could only make us hang up or believe in loss (fact 11 of the
  // reliability notes), and the far end is judged by its audio.
  static int ReceiveRtcp(RtpTransport*, mblk_t*, int, sockaddr*, socklen_t*) {
    errno = EWOULDBLOCK;
    return -1;
  }
};

void RtpPacket::Free::operator()(msgb* block) const { freemsg(block); }

OrtpProfiles::OrtpProfiles() {
  InitLibrary();
  for (size_t i = 0; i < profiles_.size(); ++i) {
    RtpProfile* const profile = rtp_profile_clone_full(&av_profile);
    rtp_profile_set_payload(profile, kOurEventType,
                            payload_type_clone(&payload_type_telephone_event));
    const int type = 96 + static_cast<int>(i);
    if (type != kOurEventType) {
      rtp_profile_set_payload(profile, type, payload_type_clone(&payload_type_telephone_event));
    }
    profiles_[i] = profile;
  }
}

OrtpProfiles::~OrtpProfiles() {
  for (RtpProfile* profile : profiles_) rtp_profile_destroy(profile);
}

RtpProfile* OrtpProfiles::ForEventType(uint8_t event_type) const {
  OUTPACE_CHECK(event_type >= 96 && event_type <= 127);
  return profiles_[event_type - 96u];
}

OrtpSession::OrtpSession(const OrtpProfiles& profiles, int rtp_fd, uint32_t ssrc)
    : profiles_(profiles),
      rtp_fd_(rtp_fd),
      ssrc_(ssrc),
      endpoint_(std::make_unique<Endpoint>(this)),
      session_(rtp_session_new(RTP_SESSION_SENDRECV)) {
  rtp_session_set_scheduling_mode(session_, 0);
  rtp_session_set_blocking_mode(session_, 0);
  rtp_session_enable_jitter_buffer(session_, FALSE);    // the listener has its own
  rtp_session_set_symmetric_rtp(session_, FALSE);       // audio goes where SDP says, nowhere else
  rtp_session_set_ssrc_changed_threshold(session_, 0);  // 50 by default: one second unheard
  rtp_session_set_recv_buf_size(session_, kRtpDatagramMax);
  rtp_session_set_profile(session_, profiles_.ForEventType(kOurEventType));
  rtp_session_enable_rtcp(session_, FALSE);
  rtp_session_set_ssrc(session_, ssrc_);
  // Without a listener oRTP logs each failed send.
  rtp_session_signal_connect(session_, "network_error", &IgnoreSignal, nullptr);
  rtp_session_signal_connect(session_, "telephone-event_packet", &OnEventPacket, this);

  RtpTransport* rtp = nullptr;
  RtpTransport* rtcp = nullptr;
  rtp_session_get_transports(session_, &rtp, &rtcp);
  OUTPACE_CHECK(rtp != nullptr && rtcp != nullptr);
  meta_rtp_transport_set_endpoint(rtp, &endpoint_->rtp);
  meta_rtp_transport_set_endpoint(rtcp, &endpoint_->rtcp);
}

OrtpSession::~OrtpSession() { rtp_session_destroy(session_); }

void OrtpSession::SetRemote(const SocketAddress& remote, uint8_t event_type) {
  remote_ = remote;
  rtp_session_set_profile(session_,
                          profiles_.ForEventType(event_type == 0 ? kOurEventType : event_type));
}

void OrtpSession::OnEventPacket(RtpSession*, void* packet, void* self, void*) {
  auto* const owner = static_cast<OrtpSession*>(self);
  // oRTP frees its packet after this; a second reference keeps the bytes.
  if (owner->event_block_ != nullptr) freemsg(owner->event_block_);
  owner->event_block_ = dupmsg(static_cast<mblk_t*>(packet));
}

std::optional<RtpPacket> OrtpSession::Receive(absl::Span<const uint8_t> datagram,
                                              const RtpView& view) {
  datagram_ = datagram;
  rtp_session_unset_flag(session_, kFirstPacketDelivered);
  // Each call with a new time reads the transport; the same time again would not. oRTP returns one
  // packet a call whatever it has read, so it is called until it has nothing more.
  RtpPacket out;
  while (mblk_t* const block = rtp_session_recvm_with_ts(session_, ++receive_calls_)) {
    out.block_.reset(block);
    rtp_session_unset_flag(session_, kFirstPacketDelivered);
  }
  datagram_ = {};
  if (event_block_ != nullptr) {
    out.block_.reset(std::exchange(event_block_, nullptr));
    out.event_ = true;
  }
  if (out.block_ == nullptr) return std::nullopt;
  // One in, one out: the block holds this datagram, so `view` fits it.
  if (msgdsize(out.block_.get()) != datagram.size()) return std::nullopt;
  out.header_ = view.header;
  out.payload_ = absl::MakeSpan(out.block_->b_rptr + view.payload_offset, view.payload_size);
  return out;
}

bool OrtpSession::SendBlock(mblk_t* block, const Stamp& stamp) {
  return rtp_session_sendm_with_ts(session_, block, stamp.timestamp) >= 0;
}

bool OrtpSession::Send(RtpPacket packet, const Stamp& stamp, uint8_t payload_type) {
  mblk_t* const block = packet.block_.release();
  // CSRCs, extension and padding fall away: the twelve octets before the payload become the header.
  // oRTP wants numbers in host order and turns them round itself.
  block->b_rptr = packet.payload_.data() - kRtpHeaderSize;
  block->b_wptr = packet.payload_.data() + packet.payload_.size();
  block->b_rptr[0] = 0x80;
  block->b_rptr[1] = static_cast<uint8_t>((stamp.marker ? 0x80 : 0) | (payload_type & 0x7f));
  std::memcpy(block->b_rptr + 2, &stamp.seq, sizeof stamp.seq);
  std::memcpy(block->b_rptr + 8, &ssrc_, sizeof ssrc_);
  // Events take oRTP's own count instead of the packet's: set it, or it would be one late after
  // loss.
  rtp_session_set_seq_number(session_, stamp.seq);
  return SendBlock(block, stamp);
}

bool OrtpSession::SendFrame(absl::Span<const uint8_t> payload, const Stamp& stamp,
                            uint8_t payload_type) {
  mblk_t* const block =
      rtp_session_create_packet(session_, kRtpHeaderSize, payload.data(), payload.size());
  RtpPacket packet;
  packet.block_.reset(block);
  packet.payload_ = absl::MakeSpan(block->b_rptr + kRtpHeaderSize, payload.size());
  return Send(std::move(packet), stamp, payload_type);
}

}  // namespace outpace::media
