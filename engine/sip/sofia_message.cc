#include "engine/sip/sofia_message.h"

#include <arpa/inet.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/url.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/sip/caller_text.h"
#include "engine/sip/sip_text.h"

namespace outpace::sip {
namespace {

constexpr size_t kPhraseMax = 80;
constexpr size_t kRoutesMax = 32;  // more proxies than any call crosses

std::string UriText(const url_t* url) {
  ScopedHome home;
  return std::string(View(url_as_string(home.get(), url)));
}

}  // namespace

Source SourceOf(msg_t* msg) {
  const su_sockaddr_t* from = msg_addr(msg);
  char text[INET6_ADDRSTRLEN];
  if (from->su_family != AF_INET && from->su_family != AF_INET6) return {};
  const void* address = from->su_family == AF_INET
                            ? static_cast<const void*>(&from->su_sin.sin_addr)
                            : &from->su_sin6.sin6_addr;
  if (inet_ntop(from->su_family, address, text, sizeof text) == nullptr) return {};
  return {text, ntohs(from->su_port)};
}

std::string SdpOfMessage(const sip_t& sip) {
  if (sip.sip_payload == nullptr || sip.sip_payload->pl_data == nullptr) return "";
  // c_type ends at the ';': the parameters, which hold a multipart boundary, are a list of their
  // own.
  std::string type;
  if (sip.sip_content_type != nullptr) {
    type = std::string(View(sip.sip_content_type->c_type));
    const msg_param_t* params = sip.sip_content_type->c_params;
    for (; params != nullptr && *params != nullptr; ++params) type.append(";").append(*params);
  }
  return std::string(
      SdpOf(type, absl::string_view(sip.sip_payload->pl_data, sip.sip_payload->pl_len)));
}

int CauseOf(const sip_t& sip) {
  for (const sip_reason_t* reason = sip.sip_reason; reason != nullptr; reason = reason->re_next) {
    const int cause = Q850Cause(View(reason->re_protocol), View(reason->re_cause));
    if (cause != 0) return cause;
  }
  return 0;
}

absl::Duration RetryAfterOf(const sip_t& sip) {
  if (sip.sip_retry_after == nullptr) return absl::ZeroDuration();
  return ClampRetryAfter(sip.sip_retry_after->af_delta);
}

std::string PhraseOf(const sip_t& sip) {
  if (sip.sip_status == nullptr) return "";
  std::string phrase(View(sip.sip_status->st_phrase).substr(0, kPhraseMax));
  std::replace_if(
      phrase.begin(), phrase.end(), [](unsigned char c) { return absl::ascii_iscntrl(c); }, ' ');
  return phrase;
}

std::string ContactOf(const sip_t& sip) {
  return sip.sip_contact != nullptr ? UriText(sip.sip_contact->m_url) : "";
}

bool HasOption(const msg_list_t* list, absl::string_view option) {
  for (; list != nullptr; list = list->k_next) {
    for (const msg_param_t* item = list->k_items; item != nullptr && *item != nullptr; ++item) {
      if (absl::EqualsIgnoreCase(*item, option)) return true;
    }
  }
  return false;
}

std::string UnsupportedOf(const sip_t& sip) {
  // 100rel costs nothing as server: the only provisional we send is a 100, which is never reliable.
  constexpr absl::string_view kKnown[] = {"timer", "100rel"};
  std::string unknown;
  for (const msg_list_t* list = sip.sip_require; list != nullptr; list = list->k_next) {
    for (const msg_param_t* item = list->k_items; item != nullptr && *item != nullptr; ++item) {
      const bool known =
          std::any_of(std::begin(kKnown), std::end(kKnown),
                      [&](absl::string_view k) { return absl::EqualsIgnoreCase(*item, k); });
      if (!known) absl::StrAppend(&unknown, unknown.empty() ? "" : ", ", *item);
    }
  }
  return unknown;
}

bool AllowsMethod(const sip_t& sip, absl::string_view method) {
  for (const sip_allow_t* allow = sip.sip_allow; allow != nullptr;
       allow = reinterpret_cast<const sip_allow_t*>(allow->k_next)) {
    for (const msg_param_t* item = allow->k_items; item != nullptr && *item != nullptr; ++item) {
      if (method == *item) return true;
    }
  }
  return false;
}

std::optional<SessionHeader> SessionOf(const sip_t& sip) {
  if (sip.sip_session_expires == nullptr) return std::nullopt;
  return SessionHeader{.seconds = sip.sip_session_expires->x_delta,
                       .refresher = View(sip.sip_session_expires->x_refresher)};
}

int64_t MinSeOf(const sip_t& sip) {
  if (sip.sip_min_se == nullptr) return kMinSessionSeconds;
  return static_cast<int64_t>(
      std::clamp<uint64_t>(sip.sip_min_se->min_delta, kMinSessionSeconds, kMaxSessionSeconds));
}

std::string UserOf(const url_t* url) {
  if (url == nullptr || url->url_user == nullptr) return "";
  // url_user ends before a password; parameters of a user may stand in it.
  return CleanUser(url->url_user);
}

std::string CallerOf(const sip_t& sip) {
  for (const sip_unknown_t* header = sip.sip_unknown; header != nullptr; header = header->un_next) {
    if (!absl::EqualsIgnoreCase(View(header->un_name), "P-Asserted-Identity")) continue;
    if (std::string user = IdentityUser(View(header->un_value)); !user.empty()) return user;
  }
  return UserOf(sip.sip_from->a_url);
}

call::DialogState DialogOfRequest(const sip_t& sip, absl::string_view next_hop) {
  call::DialogState dialog;
  dialog.call_id = std::string(View(sip.sip_call_id->i_id));
  dialog.from_uri = UriText(sip.sip_to->a_url);
  dialog.to_uri = UriText(sip.sip_from->a_url);
  dialog.to_tag = std::string(View(sip.sip_from->a_tag));
  dialog.remote_target = ContactOf(sip);
  const sip_record_route_t* route = sip.sip_record_route;
  for (; route != nullptr && dialog.route_set.size() < kRoutesMax; route = route->r_next) {
    dialog.route_set.push_back(UriText(route->r_url));
  }
  dialog.next_hop = std::string(next_hop);
  dialog.cseq = 0;
  return dialog;
}

call::DialogState DialogOf(const sip_t& sip, absl::string_view next_hop) {
  call::DialogState dialog;
  dialog.call_id = std::string(View(sip.sip_call_id->i_id));
  dialog.from_uri = UriText(sip.sip_from->a_url);
  dialog.from_tag = std::string(View(sip.sip_from->a_tag));
  dialog.to_uri = UriText(sip.sip_to->a_url);
  dialog.to_tag = std::string(View(sip.sip_to->a_tag));
  dialog.remote_target = ContactOf(sip);
  const sip_record_route_t* route = sip.sip_record_route;
  for (; route != nullptr && dialog.route_set.size() < kRoutesMax; route = route->r_next) {
    dialog.route_set.push_back(UriText(route->r_url));
  }
  // The caller takes the proxies in reverse (RFC 3261 12.1.2).
  std::reverse(dialog.route_set.begin(), dialog.route_set.end());
  dialog.next_hop = std::string(next_hop);
  dialog.cseq = sip.sip_cseq->cs_seq;
  return dialog;
}

}  // namespace outpace::sip
