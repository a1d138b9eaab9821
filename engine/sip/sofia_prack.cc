// Early dialogs: one for each To-tag in the provisional responses of an INVITE. Where a trunk is
// set to hundred_rel, each reliable one is confirmed by a PRACK, once and in order (RFC 3262).
//
// The PRACK takes a dialog of its own in the stack, made for the moment: the leg's must stay
// without a remote tag until the 2xx, and the stack's own nta_outgoing_prack() wants a tagged
// INVITE that it never frees.

#include <sofia-sip/sip_tag.h>
#include <sofia-sip/url_tag.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/sip/sofia_agent.h"

namespace outpace::sip {
namespace {

constexpr size_t kEarlyMax = 16;   // forks of one call
constexpr size_t kPracksMax = 16;  // under way at once

}  // namespace

EarlyDialog* SofiaSignaling::Impl::FindEarly(Leg& leg, absl::string_view to_tag) {
  for (EarlyDialog& early : leg.early) {
    if (early.to_tag == to_tag) return &early;
  }
  return nullptr;
}

bool SofiaSignaling::Impl::OnReliable(Leg& leg, const sip_t& sip) {
  const SipTrunk* trunk = TrunkOf(leg);
  if (trunk == nullptr || !trunk->hundred_rel || sip.sip_rseq == nullptr ||
      !HasOption(sip.sip_require, "100rel") || View(sip.sip_to->a_tag).empty()) {
    return true;  // as any other provisional
  }
  const call::DialogState heard = DialogOf(sip, leg.dialog.next_hop);
  EarlyDialog* early = FindEarly(leg, heard.to_tag);
  const auto rseq = static_cast<uint32_t>(sip.sip_rseq->rs_response);
  if (early == nullptr) {
    if (leg.early.size() >= kEarlyMax) return false;
    early = &leg.early.emplace_back();
    early->to_tag = heard.to_tag;
    early->route_set = heard.route_set;
  } else if (rseq != early->rseq + 1) {
    // Repeated, while our PRACK is on its way; or one before it is missing and will be sent again
    // (RFC 3262 4).
    return false;
  }
  early->rseq = rseq;
  if (!heard.remote_target.empty()) early->remote_target = heard.remote_target;
  if (std::string sdp = SdpOfMessage(sip); !sdp.empty()) early->sdp = std::move(sdp);
  if (leg.pracks.size() >= kPracksMax) return true;
  auto prack = std::make_unique<Prack>();
  prack->owner = this;
  prack->leg = &leg;
  prack->role = Request::Role::kPrack;
  prack->dialog = leg.dialog;
  prack->dialog.to_tag = early->to_tag;
  prack->dialog.remote_target = early->remote_target;
  prack->dialog.route_set = early->route_set;
  prack->rack = absl::StrCat(rseq, " ", sip.sip_cseq->cs_seq, " INVITE");
  if (SendPrack(leg, *prack, "")) {
    leg.pracks.push_back(std::move(prack));
  } else {
    Failed("PRACK", &leg);
  }
  return true;
}

bool SofiaSignaling::Impl::SendPrack(Leg& leg, Prack& prack, const std::string& credentials) {
  nta_leg_t* nta = MakeDialog(prack.dialog, nullptr, nullptr);
  if (nta == nullptr) return false;
  const DialogRoute route = RouteOf(prack.dialog);
  const std::string cseq = absl::StrCat(leg.next_cseq++, " PRACK");
  prack.handle = nta_outgoing_tcreate(
      nta, ResponseCallback, &prack, URL_STRING_MAKE(route.hop.c_str()), SIP_METHOD_PRACK,
      URL_STRING_MAKE(route.request_uri.c_str()), SIPTAG_CSEQ_STR(cseq.c_str()),
      SIPTAG_ROUTE_STR(OrNull(route.route_header)), SIPTAG_RACK_STR(prack.rack.c_str()),
      SIPTAG_USER_AGENT_STR(OrNull(config_.user_agent)), SIPTAG_HEADER_STR(OrNull(credentials)),
      TAG_END());
  nta_leg_destroy(nta);
  return prack.handle != nullptr;
}

// Whatever the answer, the INVITE goes on; a far end that does not know its own response will say
// so in the INVITE's.
void SofiaSignaling::Impl::OnPrackResponse(Prack& prack, nta_outgoing_t* orq, const sip_t* sip) {
  if (nta_outgoing_status(orq) < 200) return;
  Leg& leg = *prack.leg;
  const std::string credentials = Credentials(prack, leg.trunk, orq, sip);
  prack.handle = nullptr;
  nta_outgoing_destroy(orq);
  if (!credentials.empty() && SendPrack(leg, prack, credentials)) return;
  std::erase_if(leg.pracks, [&prack](const auto& other) { return other.get() == &prack; });
}

}  // namespace outpace::sip
