#include "bench/sip/nta_client.h"

struct BareCall;
#define SU_ROOT_MAGIC_T void
#define NTA_LEG_MAGIC_T BareCall
#define NTA_OUTGOING_MAGIC_T BareCall
#define NTA_AGENT_MAGIC_T void
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport_tag.h>
#include <sofia-sip/url_tag.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "bench/sip/far_end.h"
#include "engine/sip/su_duration.h"

struct BareCall {
  nta_leg_t* leg = nullptr;
};

namespace outpace::bench {
namespace {

// As long as the engine's own offer.
constexpr char kOffer[] =
    "v=0\r\no=bench 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 9 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n";

nta_agent_t* agent = nullptr;

int OnInDialog(BareCall* call, nta_leg_t*, nta_incoming_t*, const sip_t* sip) {
  if (sip->sip_request->rq_method != sip_method_bye) return 501;
  nta_leg_destroy(call->leg);
  delete call;
  return 200;
}

int OnInviteAnswer(BareCall* call, nta_outgoing_t* invite, const sip_t* sip) {
  const int status = nta_outgoing_status(invite);
  if (status < 200) return 0;
  if (status >= 300 || sip == nullptr) {
    nta_outgoing_destroy(invite);
    nta_leg_destroy(call->leg);
    delete call;
    return 0;
  }
  nta_leg_rtag(call->leg, sip->sip_to->a_tag);
  nta_leg_client_route(call->leg, sip->sip_record_route, sip->sip_contact);
  const std::string cseq = absl::StrCat(sip->sip_cseq->cs_seq, " ACK");
  nta_outgoing_t* ack = nta_outgoing_tcreate(call->leg, nullptr, nullptr, nullptr, SIP_METHOD_ACK,
                                             nullptr, SIPTAG_CSEQ_STR(cseq.c_str()), TAG_END());
  nta_outgoing_destroy(ack);
  nta_outgoing_destroy(invite);
  return 0;
}

void Place(uint16_t port, uint64_t number) {
  auto call = std::make_unique<BareCall>();
  const std::string to = absl::StrCat("sip:+1202555", 1'000'000 + number, "@127.0.0.1:", port);
  call->leg = nta_leg_tcreate(agent, OnInDialog, call.get(),
                              SIPTAG_FROM_STR("<sip:+12025550199@127.0.0.1>"),
                              SIPTAG_TO_STR(absl::StrCat("<", to, ">").c_str()), TAG_END());
  nta_leg_tag(call->leg, nullptr);
  const sip_contact_t* contact = nta_agent_contact(agent);
  const std::string hop = absl::StrCat("sip:127.0.0.1:", port);
  nta_outgoing_t* invite = nta_outgoing_tcreate(
      call->leg, OnInviteAnswer, call.get(), URL_STRING_MAKE(hop.c_str()), SIP_METHOD_INVITE,
      URL_STRING_MAKE(to.c_str()), SIPTAG_CONTACT(contact),
      SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(kOffer), TAG_END());
  if (invite != nullptr) {
    call.release();  // its callbacks own it
  } else {
    nta_leg_destroy(call->leg);
  }
}

}  // namespace

int RunNtaClient(const NtaClientOptions& options) {
  su_init();
  su_log_set_level(nullptr, 0);
  su_root_t* root = su_root_create(nullptr);
  agent =
      nta_agent_create(root, URL_STRING_MAKE("sip:127.0.0.1:*;transport=udp"), nullptr, nullptr,
                       NTATAG_UA(1), NTATAG_UDP_MTU(65535), NTATAG_USE_NAPTR(0), NTATAG_USE_SRV(0),
                       TPTAG_UDP_RMEM(4 << 20), TPTAG_UDP_WMEM(4 << 20), TAG_END());
  if (agent == nullptr) {
    std::fprintf(stderr, "nta: no agent\n");
    return 1;
  }
  const int64_t start = NowNs();
  uint64_t placed = 0;
  // Ends by the signal of who started it.
  for (;;) {
    if (placed < options.calls) {
      const double passed = static_cast<double>(NowNs() - start) / 1e9;
      const auto due = std::min(options.calls, static_cast<uint64_t>(passed * options.rate) + 1);
      for (; placed < due; ++placed) Place(options.port, placed);
    }
    su_root_step(root, 5);
  }
  // Linked in so that the stack does not spin before each timer, as in the engine.
  return sip::RoundedDurations() > 0 ? 0 : 1;
}

}  // namespace outpace::bench
