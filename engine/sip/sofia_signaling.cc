#include "engine/sip/sofia_signaling.h"

#include <utility>

#include "engine/sip/sip_socket.h"
#include "engine/sip/sofia_agent.h"

namespace outpace::sip {

absl::StatusOr<std::unique_ptr<SofiaSignaling>> SofiaSignaling::Create(
    const SofiaConfig& config, SofiaLoop& loop, Log& log, call::SignalingEvents& events) {
  auto impl = std::make_unique<Impl>(config, loop, log, events);
  if (absl::Status status = impl->Open(); !status.ok()) return status;
  return std::unique_ptr<SofiaSignaling>(new SofiaSignaling(std::move(impl)));
}

SofiaSignaling::SofiaSignaling(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SofiaSignaling::~SofiaSignaling() = default;

absl::Status SofiaSignaling::Invite(const call::InviteRequest& request) {
  const Impl::Entered entered(*impl_);
  return impl_->Invite(request);
}

void SofiaSignaling::Cancel(LegId leg) {
  const Impl::Entered entered(*impl_);
  impl_->Cancel(leg);
}

void SofiaSignaling::GiveUp(LegId leg) {
  const Impl::Entered entered(*impl_);
  impl_->GiveUp(leg);
}

void SofiaSignaling::Ack(LegId leg) {
  const Impl::Entered entered(*impl_);
  impl_->Ack(leg);
}

void SofiaSignaling::Bye(LegId leg, int q850_cause) {
  const Impl::Entered entered(*impl_);
  impl_->Bye(leg, q850_cause);
}

void SofiaSignaling::Forget(LegId leg) {
  const Impl::Entered entered(*impl_);
  impl_->Forget(leg);
}

void SofiaSignaling::ByeOrphan(const call::DialogState& dialog) {
  const Impl::Entered entered(*impl_);
  impl_->ByeOrphan(dialog);
}

void SofiaSignaling::CancelOrphan(const OrphanInvite& invite) {
  const Impl::Entered entered(*impl_);
  impl_->CancelOrphan(invite);
}

void SofiaSignaling::SetTrunkAddresses(uint16_t trunk, const std::vector<std::string>& addresses) {
  const Impl::Entered entered(*impl_);
  impl_->SetTrunkAddresses(trunk, addresses);
}

absl::Status SofiaSignaling::Accept(LegId leg, uint64_t call, absl::string_view sdp) {
  const Impl::Entered entered(*impl_);
  return impl_->Accept(leg, call, sdp);
}

void SofiaSignaling::Refuse(uint64_t call, int status) {
  const Impl::Entered entered(*impl_);
  impl_->RefuseOffered(call, status);
}

void SofiaSignaling::Ping(uint16_t trunk, const std::string& route_uri) {
  const Impl::Entered entered(*impl_);
  impl_->SendPing(trunk, route_uri);
}

void SofiaSignaling::Register(uint16_t trunk, const std::string& route_uri) {
  const Impl::Entered entered(*impl_);
  impl_->Register(trunk, route_uri);
}

void SofiaSignaling::Unregister(uint16_t trunk) {
  const Impl::Entered entered(*impl_);
  impl_->Unregister(trunk);
}

void SofiaSignaling::AddPeer(absl::string_view host) { impl_->AddPeer(host); }
int SofiaSignaling::local_port(Transport transport) const { return impl_->local_port(transport); }
int SofiaSignaling::receive_buffer_bytes() const { return ReceiveBufferBytes(impl_->fd()); }
int SofiaSignaling::send_buffer_bytes() const { return SendBufferBytes(impl_->fd()); }
bool SofiaSignaling::strangers_dropped() const { return impl_->filtering(); }
size_t SofiaSignaling::stream_connections() const { return impl_->stream_connections(); }
SofiaCounters SofiaSignaling::counters() const { return impl_->counters(); }

}  // namespace outpace::sip
