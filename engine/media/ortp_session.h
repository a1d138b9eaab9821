#pragma once

// One leg's oRTP session without oRTP's sockets; the only file with oRTP behind it. A datagram that
// the media thread has read and checked goes in, the packet oRTP made of it comes out, and what is
// sent leaves through the leg's own pre-bound socket (design F of docs/decisions/ortp.md).
// Audio that is only relayed never comes here; telephone events and frames of our own do. Reports
// are built from our own counts (rtp_statistics.h), for oRTP does not see what is relayed.
//
// Media thread only, from constructor to destructor.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/types/span.h"
#include "engine/media/ip_address.h"
#include "engine/media/outgoing_stream.h"
#include "engine/media/rtp_packet.h"
#include "engine/media/srtp.h"

struct msgb;         // oRTP's mblk_t
struct _RtpSession;  // oRTP's RtpSession
struct _RtpProfile;  // oRTP's RtpProfile
struct _RtpTransport;

namespace outpace::media {

// A packet on its way through. Owns oRTP's block; move only.
class RtpPacket {
 public:
  const RtpHeader& header() const { return header_; }
  // Octets to read or rewrite in place.
  absl::Span<uint8_t> payload() const { return payload_; }
  bool event() const { return event_; }  // RFC 4733

 private:
  friend class OrtpSession;
  struct Free {
    void operator()(msgb* block) const;
  };
  std::unique_ptr<msgb, Free> block_;
  RtpHeader header_;
  absl::Span<uint8_t> payload_;
  bool event_ = false;
};

// The payload types a session knows: a cloned profile for each dynamic type a far end may give to
// telephone-event (96..127), because oRTP tells events from audio by profile, and av_profile is
// global. Built at start, then read only; outlives the sessions.
class OrtpProfiles {
 public:
  OrtpProfiles();
  ~OrtpProfiles();
  OrtpProfiles(const OrtpProfiles&) = delete;
  OrtpProfiles& operator=(const OrtpProfiles&) = delete;
  // `event_type` 96..127; in the profile our own 101 is an event too.
  _RtpProfile* ForEventType(uint8_t event_type) const;

 private:
  std::array<_RtpProfile*, 32> profiles_{};
};

class OrtpSession {
 public:
  // The socket stays the caller's; `ssrc` is what we send under.
  OrtpSession(const OrtpProfiles& profiles, int rtp_fd, uint32_t ssrc);
  ~OrtpSession();
  OrtpSession(const OrtpSession&) = delete;
  OrtpSession& operator=(const OrtpSession&) = delete;

  // Where packets go, and the telephone-event type of what comes (0: ours).
  void SetRemote(const SocketAddress& remote, uint8_t event_type);
  // From now on all that leaves is encrypted; nullptr: nothing is.
  void SetSrtp(std::shared_ptr<SrtpSender> sender) { srtp_ = std::move(sender); }
  // `view` is ParseRtp's of `datagram`. Nothing when oRTP kept no packet of it.
  std::optional<RtpPacket> Receive(absl::Span<const uint8_t> datagram, const RtpView& view);

  // Stamp `packet` as this leg's own and send it. False when the socket did not take it.
  bool Send(RtpPacket packet, const Stamp& stamp, uint8_t payload_type);
  // The same for a frame of ours, copied into oRTP's block.
  bool SendFrame(absl::Span<const uint8_t> payload, const Stamp& stamp, uint8_t payload_type);

 private:
  struct Endpoint;  // oRTP's transport struct with our callbacks
  static void OnEventPacket(_RtpSession* session, void* packet, void* self, void* unused);

  bool SendBlock(msgb* block, const Stamp& stamp);

  const OrtpProfiles& profiles_;
  const int rtp_fd_;
  const uint32_t ssrc_;
  SocketAddress remote_;
  std::shared_ptr<SrtpSender> srtp_;
  std::unique_ptr<Endpoint> endpoint_;
  _RtpSession* session_ = nullptr;
  uint32_t receive_calls_ = 0;
  absl::Span<const uint8_t> datagram_;  // what the endpoint hands to oRTP next
  msgb* event_block_ = nullptr;         // set by OnEventPacket during Receive
};

}  // namespace outpace::media
