// What we do with a 401 or 407: who may put it to us and what is answered is TrunkAuth's; here the
// challenge is taken from the stack's message and the request is sent once more.

#include <sofia-sip/sip_protos.h>

#include "absl/strings/str_cat.h"
#include "engine/sip/random_text.h"
#include "engine/sip/sofia_agent.h"

namespace outpace::sip {
namespace {

constexpr size_t kChallengesMax = 8;  // one for each algorithm, and some

// The stack has taken the list apart at its commas; put it together again.
std::vector<std::string> ChallengesOf(const msg_auth_t* auth) {
  std::vector<std::string> values;
  for (; auth != nullptr && values.size() < kChallengesMax; auth = auth->au_next) {
    std::string value = absl::StrCat(View(auth->au_scheme), " ");
    for (const msg_param_t* param = auth->au_params; param != nullptr && *param != nullptr;
         ++param) {
      absl::StrAppend(&value, param == auth->au_params ? "" : ", ", *param);
    }
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace

std::string SofiaSignaling::Impl::Credentials(Request& request, uint16_t trunk, nta_outgoing_t* orq,
                                              const sip_t* sip) {
  const int status = nta_outgoing_status(orq);
  if ((status != 401 && status != 407) || sip == nullptr || trunk >= trunks_.size()) return "";
  msg_t* response = nta_outgoing_getresponse(orq);
  const Source source = response != nullptr ? SourceOf(response) : Source{};
  if (response != nullptr) msg_destroy(response);
  const url_t* route = nta_outgoing_route_uri(orq);
  if (route == nullptr) return "";
  ScopedHome home;
  const absl::StatusOr<SipUri> sent_to = ParseSipUri(View(url_as_string(home.get(), route)));
  if (!sent_to.ok()) return "";
  const std::string uri(View(url_as_string(home.get(), nta_outgoing_request_uri(orq))));
  const std::string cnonce = RandomHex();
  const std::string value = trunks_[trunk].Answer(
      ChallengesOf(status == 401 ? sip->sip_www_authenticate : sip->sip_proxy_authenticate),
      {.sent_to = sent_to->host,
       .came_from = source.host,
       .method = nta_outgoing_method_name(orq),
       .uri = uri,
       .answered = request.challenges_answered,
       .cnonce = cnonce});
  if (value.empty()) return "";
  ++request.challenges_answered;
  ++counters_.challenges_answered;
  return absl::StrCat(status == 401 ? "Authorization: " : "Proxy-Authorization: ", value);
}

bool SofiaSignaling::Impl::TryInviteAgain(Leg& leg, nta_outgoing_t* orq, const sip_t* sip) {
  const int status = nta_outgoing_status(orq);
  if (leg.again == nullptr || leg.cancelled || leg.given_up || status < 300) return false;
  if (status == 422) {
    // The session is to be longer (RFC 4028 7.3); obeyed once, and within reason.
    if (sip == nullptr || sip->sip_min_se == nullptr || leg.min_session != kMinSessionSeconds ||
        MinSeOf(*sip) <= kMinSessionSeconds || MinSeOf(*sip) > kMinSeObeyedSeconds) {
      return false;
    }
    leg.min_session = MinSeOf(*sip);
  } else {
    std::string credentials = Credentials(leg.invite, leg.trunk, orq, sip);
    if (credentials.empty()) return false;
    leg.credentials = std::move(credentials);
  }
  leg.invite.handle = nullptr;
  ++leg.invites;
  if (!SendInvite(leg, *leg.again).ok()) {
    leg.invite.handle = orq;  // its failure stands
    Failed("INVITE", &leg);
    return false;
  }
  nta_outgoing_destroy(orq);
  return true;
}

}  // namespace outpace::sip
