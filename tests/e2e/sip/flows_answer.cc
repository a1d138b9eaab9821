// Shapes of the answer: what the session description may say, and where requests then have to go.

#include "absl/strings/str_cat.h"
#include "tests/e2e/sip/flow.h"

namespace outpace::e2e {
namespace {

Flow Usable(const std::string& name, const std::string& what, const std::string& sdp) {
  return {.name = name,
          .what = what,
          .scenario = Scenario().Ring().Respond(200, {.body = sdp}).Expect("ACK").ExpectBye(),
          .expected = Talked(/*by_agent=*/true),
          .agent = AgentPart::kHangsUp};
}

// No audio that we can use: acknowledged and ended at once (RFC 3261 13.2.2.4).
Flow Unusable(const std::string& name, const std::string& what, const Extra& extra) {
  return {.name = name,
          .what = what + ": ended at once",
          .scenario = Scenario().Ring().Respond(200, extra).Expect("ACK").ExpectBye(),
          .expected = Dropped("media", 88, true),
          .wire = {{"BYE", {"Reason: Q.850", "cause=88"}}}};
}

std::string SdpWith(const std::string& connection, const std::string& media,
                    const std::string& attributes = "") {
  return absl::StrCat("v=0\no=sipp 1 1 IN IP4 [local_ip]\ns=-\n", connection, "t=0 0\n", media,
                      attributes);
}

constexpr char kConnection[] = "c=IN IP4 [media_ip]\n";

Flow Routed(const std::string& name, const std::string& what, const Extra& extra,
            const std::vector<std::string>& bye_has) {
  Extra with_sdp = extra;
  with_sdp.body = AudioSdp();
  return {.name = name,
          .what = what,
          .scenario = Scenario().Ring().Respond(200, with_sdp).Expect("ACK").ExpectBye(),
          .expected = Talked(/*by_agent=*/true),
          .agent = AgentPart::kHangsUp,
          .wire = {{"ACK", bye_has}, {"BYE", bye_has}}};
}

}  // namespace

std::vector<FlowGroup> AnswerGroups() {
  std::vector<Flow> shapes = {
      Usable("sdp_plain", "PCMU", AudioSdp()),
      Usable("sdp_alaw_only", "PCMA only", AudioSdp("8", "a=rtpmap:8 PCMA/8000\n")),
      Usable("sdp_codec_order", "PCMA before PCMU",
             AudioSdp("8 0", "a=rtpmap:8 PCMA/8000\na=rtpmap:0 PCMU/8000\n")),
      Usable("sdp_with_foreign_codecs", "G.729 and Opus before PCMU",
             AudioSdp("18 96 0", "a=rtpmap:18 G729/8000\na=rtpmap:96 opus/48000/2\n")),
      Usable("sdp_ptime_30", "ptime 30", AudioSdp("0", "a=ptime:30\n")),
      Usable("sdp_ptime_absurd", "ptime 0 and maxptime 10^9",
             AudioSdp("0", "a=ptime:0\na=maxptime:1000000000\n")),
      Usable("sdp_events", "telephone-event 101",
             AudioSdp("0 101", "a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n")),
      Usable("sdp_events_other_number", "telephone-event 96",
             AudioSdp("0 96", "a=rtpmap:96 telephone-event/8000\na=fmtp:96 0-11,16\n")),
      Usable("sdp_sendonly", "sendonly: on hold from the start", AudioSdp("0", "a=sendonly\n")),
      Usable("sdp_recvonly", "recvonly", AudioSdp("0", "a=recvonly\n")),
      Usable("sdp_inactive", "inactive", AudioSdp("0", "a=inactive\n")),
      Usable("sdp_media_connection", "c= of the m= line only",
             SdpWith("", "m=audio [audio_port] RTP/AVP 0\n", kConnection)),
      Usable("sdp_with_video", "a refused m=video line besides",
             SdpWith(kConnection, "m=audio [audio_port] RTP/AVP 0\nm=video 0 RTP/AVP 96\n")),
      Usable("sdp_unknown_lines", "b=, k=, i= and attributes nobody knows",
             SdpWith("i=x\nb=AS:64\nc=IN IP4 [media_ip]\n", "m=audio [audio_port] RTP/AVP 0\n",
                     "b=TIAS:64000\na=silenceSupp:off - - - -\na=foo:bar\n")),
      Unusable("sdp_none", "200 without a session", {}),
      Unusable("sdp_no_codec", "G.729 only", {.body = AudioSdp("18", "a=rtpmap:18 G729/8000\n")}),
      Unusable("sdp_port_0", "port 0", {.body = SdpWith(kConnection, "m=audio 0 RTP/AVP 0\n")}),
      Unusable("sdp_savp", "RTP/SAVP, which was not offered",
               {.body = SdpWith(kConnection, "m=audio [audio_port] RTP/SAVP 0\n")}),
      Unusable("sdp_hold_address", "c=0.0.0.0",
               {.body = SdpWith("c=IN IP4 0.0.0.0\n", "m=audio [audio_port] RTP/AVP 0\n")}),
      Unusable("sdp_multicast", "a multicast address",
               {.body = SdpWith("c=IN IP4 224.2.1.1/127\n", "m=audio [audio_port] RTP/AVP 0\n")}),
      Unusable("sdp_broadcast", "the broadcast address",
               {.body = SdpWith("c=IN IP4 255.255.255.255\n", "m=audio 4000 RTP/AVP 0\n")}),
      Unusable("sdp_name", "a host name for an address",
               {.body = SdpWith("c=IN IP4 media.invalid\n", "m=audio 4000 RTP/AVP 0\n")}),
      Unusable("sdp_wrong_type", "a session under `application/octet-stream`",
               {.body = AudioSdp(), .type = "application/octet-stream"}),
      Unusable("sdp_port_too_large", "port 70000",
               {.body = SdpWith(kConnection, "m=audio 70000 RTP/AVP 0\n")}),
      Unusable("sdp_payload_too_large", "payload type 4294967296",
               {.body = AudioSdp("4294967296")}),
      Unusable("sdp_no_media_line", "a session without m= lines",
               {.body = SdpWith(kConnection, "")}),
  };
  std::vector<Flow> routes = {
      Routed("route_loose", "a Record-Route set of two loose routers: visited in reverse",
             {.headers = "Record-Route: <sip:[local_ip]:[local_port];lr>\n"
                         "Record-Route: <sip:[local_ip]:[local_port];lr;who=far>\n"},
             {"Route: <sip:127.0.0.1:", ";lr;who=far>"}),
      Routed("route_one_header", "two routers in one Record-Route header",
             {.headers = "Record-Route: <sip:[local_ip]:[local_port];lr;n=1>, "
                         "<sip:[local_ip]:[local_port];lr;n=2>\n"},
             {";lr;n=2>\r\nRoute: <sip:127.0.0.1:", ";lr;n=1>"}),
      Routed("route_strict", "a strict router: it becomes the Request-URI",
             {.headers = "Record-Route: <sip:strict@[local_ip]:[local_port]>\n"},
             {" sip:strict@127.0.0.1:", "Route: <sip:sipp@127.0.0.1:"}),
      Routed("route_foreign", "a router at an address that is none of our peers: not sent there",
             {.headers = "Record-Route: <sip:192.0.2.77;lr>\n"}, {"Route: <sip:192.0.2.77;lr>"}),
      Routed("route_name", "a router with a host name: never looked up",
             {.headers = "Record-Route: <sip:edge.invalid;lr>\n"},
             {"Route: <sip:edge.invalid;lr>"}),
      Routed("contact_user", "a Contact with a user part of its own",
             {.contact = "<sip:line-7@[local_ip]:[local_port]>"}, {" sip:line-7@127.0.0.1:"}),
      Routed("contact_params", "a Contact with URI and header parameters",
             {.contact = "\"Carrier\" <sip:gw@[local_ip]:[local_port];ob;x=y>;expires=60"},
             {" sip:gw@127.0.0.1:", ";ob;x=y SIP/2.0"}),
      Routed("contact_name", "a Contact with a host name: never looked up",
             {.contact = "<sip:gw@gateway.invalid>"}, {" sip:gw@gateway.invalid SIP/2.0"}),
      Routed("contact_foreign", "a Contact at an address that is none of our peers: not sent there",
             {.contact = "<sip:gw@192.0.2.88:5060>"}, {" sip:gw@192.0.2.88:5060 SIP/2.0"}),
      Routed("contact_none", "no Contact at all: the called URI is used", {.contact = ""},
             {" sip:+1", "@127.0.0.1:"}),
      Routed("contact_tel", "a Contact that is a tel: URI: the called URI is used",
             {.contact = "<tel:+12025550100>"}, {" sip:+1", "@127.0.0.1:"}),
  };
  return {{"answer_sdp", "Session descriptions in the 200.", std::move(shapes)},
          {"answer_route", "Where ACK and BYE go: Contact and Record-Route.", std::move(routes)}};
}

}  // namespace outpace::e2e
