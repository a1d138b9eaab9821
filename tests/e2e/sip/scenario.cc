// SIPp 3.6.1 has these traps: [last_*] means the latest message, which may be an ACK or a CANCEL
// by then, so what a response to the INVITE needs is kept in variables; a variable that is not used
// is an error unless named in <Reference>; blanks at the start of a line are taken away; a message
// that comes during a <pause> ends the call.

#include "tests/e2e/sip/scenario.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace outpace::e2e {
namespace {

std::string PhraseOf(int status, const Extra& extra) {
  if (!extra.phrase.empty()) return extra.phrase;
  if (status == 180) return "Ringing";
  if (status == 183) return "Session Progress";
  if (status / 100 == 2) return "OK";
  return "As Told By Test";
}

std::string ContactOf(const Extra& extra) {
  return extra.contact.empty() ? "" : absl::StrCat("Contact: ", extra.contact, "\n");
}

// Text inside an attribute of the XML.
std::string Attribute(absl::string_view text) {
  return absl::StrReplaceAll(text,
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

constexpr char kNames[] =
    R"(<ereg regexp=".*" search_in="hdr" header="From:" check_it="true" assign_to="from"/>
<ereg regexp=".*" search_in="hdr" header="To:" check_it="true" assign_to="to"/>
<ereg regexp=".*" search_in="hdr" header="Via:" check_it="true" assign_to="via"/>
<ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" check_it="true" assign_to="cseq"/>
<ereg regexp="sip:[^;&gt;]*" search_in="hdr" header="From:" check_it="true" assign_to="caller"/>
<ereg regexp="[0-9.]+:[0-9]+" search_in="hdr" header="Contact:" check_it="true" assign_to="dialer"/>
)";

}  // namespace

std::string AudioSdp(absl::string_view formats, absl::string_view attributes, int version) {
  return absl::StrCat("v=0\no=sipp 1 ", version,
                      " IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\n"
                      "m=audio [audio_port] RTP/AVP ",
                      formats, "\n", attributes);
}

Scenario::Scenario() {
  Raw(absl::StrCat("<recv request=\"INVITE\" crlf=\"true\" rrs=\"true\"><action>\n", kNames,
                   "</action></recv>\n<Reference variables=\"from,to,via,cseq,caller,dialer\"/>"));
}

Scenario& Scenario::ExpectInvite(absl::string_view user, absl::string_view password) {
  const std::string name = absl::StrCat("ok", steps_.size());
  Raw(absl::StrCat("<recv request=\"INVITE\" crlf=\"true\" timeout=\"15000\"><action>\n", kNames));
  if (!user.empty()) {
    absl::StrAppend(&steps_.back(), "<verifyauth assign_to=\"", name, "\" username=\"", user,
                    "\" password=\"", password, "\"/>\n");
  }
  absl::StrAppend(&steps_.back(), "</action></recv>");
  if (user.empty()) return *this;
  // A digest that is not right ends the call as a failure.
  return Raw(absl::StrCat("<nop hide=\"true\" test=\"", name, "\" next=\"", name, "\"/>\n",
                          "<recv request=\"DIGEST_IS_WRONG\" timeout=\"1\"/>\n<label id=\"", name,
                          "\"/>"));
}

Scenario& Scenario::Raw(absl::string_view xml) {
  steps_.emplace_back(xml);
  return *this;
}

Scenario& Scenario::Send(absl::string_view start_line, absl::string_view headers,
                         const Extra& extra, bool repeat) {
  const std::string type =
      extra.body.empty() ? "" : absl::StrCat("Content-Type: ", extra.type, "\n");
  const std::string length = extra.body.empty() ? "0" : "[len]";
  return Raw(absl::StrCat("<send", repeat ? " retrans=\"500\"" : "", "><![CDATA[\n\n", start_line,
                          "\n", headers, extra.headers, type, "Content-Length: ", length, "\n\n",
                          extra.body, "\n]]></send>"));
}

Scenario& Scenario::Respond(int status, const Extra& extra) {
  const std::string to_tag =
      extra.tag.empty() ? "" : absl::StrCat(";tag=[pid]", extra.tag, "[call_number]");
  return Send(absl::StrCat("SIP/2.0 ", status, " ", PhraseOf(status, extra)),
              absl::StrCat("Via:[$via]", extra.via_suffix, "\nFrom:[$from]\nTo:[$to]", to_tag,
                           "\nCall-ID: [call_id]\nCSeq: [$cseq] INVITE\n", ContactOf(extra)),
              extra, extra.repeat && status >= 200);
}

Scenario& Scenario::AnswerCall(const Extra& extra) {
  Extra with_sdp = extra;
  if (with_sdp.body.empty()) with_sdp.body = AudioSdp();
  return Respond(200, with_sdp);
}

Scenario& Scenario::Reply(int status, const Extra& extra) {
  return Send(absl::StrCat("SIP/2.0 ", status, " ", PhraseOf(status, extra)),
              "[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n", extra,
              false);
}

Scenario& Scenario::Request(absl::string_view method, const Extra& extra) {
  return OddRequest(method, {}, extra);
}

Scenario& Scenario::OddRequest(absl::string_view method, const Odd& odd, const Extra& extra) {
  const int cseq = odd.cseq != 0 ? odd.cseq : ++cseq_;
  const std::string our_tag =
      odd.our_tag.empty() ? absl::StrCat("[pid]", extra.tag, "[call_number]") : odd.our_tag;
  const std::string to =
      odd.their_tag.empty() ? "To:[$from]" : absl::StrCat("To: <[$caller]>;tag=", odd.their_tag);
  const bool contact = method != "BYE";
  return Send(absl::StrCat(method, " [next_url] SIP/2.0"),
              absl::StrCat("Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=", odd.branch,
                           "\nMax-Forwards: 70\nFrom:[$to];tag=", our_tag, "\n", to,
                           "\nCall-ID: [call_id]\nCSeq: ", cseq, " ", method, "\n",
                           contact ? ContactOf(extra) : ""),
              extra, extra.repeat);
}

Scenario& Scenario::Outside(absl::string_view method, absl::string_view user, const Extra& extra,
                            absl::string_view to_tag) {
  // SIPp takes what stands before the three slashes for no part of its own Call-ID.
  const std::string uri = absl::StrCat("sip:", user, "@[$dialer]");
  const std::string tag = to_tag.empty() ? "" : absl::StrCat(";tag=", to_tag);
  return Send(absl::StrCat(method, " ", uri, " SIP/2.0"),
              absl::StrCat("Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n"
                           "Max-Forwards: 70\nFrom: <sip:out@[local_ip]>;tag=out",
                           steps_.size(), "\nTo: <", uri, ">", tag, "\nCall-ID: out", steps_.size(),
                           "///[call_id]\nCSeq: 1 ", method, "\n", ContactOf(extra)),
              extra, extra.repeat);
}

Scenario& Scenario::ExpectKept(absl::string_view method, int within_ms) {
  return Raw(absl::StrCat(
      "<recv request=\"", method, "\" crlf=\"true\" timeout=\"", within_ms,
      "\"><action>\n<ereg regexp=\".*\" search_in=\"hdr\" header=\"Via:\" check_it=\"true\" "
      "assign_to=\"kept_via\"/>\n<ereg regexp=\"[0-9]+\" search_in=\"hdr\" header=\"CSeq:\" "
      "check_it=\"true\" assign_to=\"kept_cseq\"/>\n</action></recv>\n"
      "<Reference variables=\"kept_via,kept_cseq\"/>"));
}

Scenario& Scenario::ReplyKept(int status, absl::string_view method, const Extra& extra) {
  return Send(absl::StrCat("SIP/2.0 ", status, " ", PhraseOf(status, extra)),
              absl::StrCat("Via:[$kept_via]\nFrom:[$from]\nTo:[$to];tag=[pid]u[call_number]\n"
                           "Call-ID: [call_id]\nCSeq: [$kept_cseq] ",
                           method, "\n"),
              extra, false);
}

Scenario& Scenario::AckReinvite(bool failed, const Extra& extra) {
  // [branch-2]: the branch of two steps ago, which is what the ACK of a refusal must have.
  return Send("ACK [next_url] SIP/2.0",
              absl::StrCat("Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=",
                           failed ? "[branch-2]" : "[branch]",
                           "\nMax-Forwards: 70\nFrom:[$to];tag=[pid]u[call_number]\n"
                           "To:[$from]\nCall-ID: [call_id]\nCSeq: ",
                           cseq_, " ACK\n"),
              extra, false);
}

Scenario& Scenario::Text(absl::string_view text) {
  return Raw(absl::StrCat("<send><![CDATA[\n\n", text, "\n]]></send>"));
}

Scenario& Scenario::Expect(absl::string_view method, int within_ms) {
  return Raw(
      absl::StrCat("<recv request=\"", method, "\" crlf=\"true\" timeout=\"", within_ms, "\"/>"));
}

Scenario& Scenario::ExpectStatus(int status, absl::string_view body) {
  if (body.empty()) {
    return Raw(absl::StrCat("<recv response=\"", status, "\" crlf=\"true\" timeout=\"15000\"/>"));
  }
  const std::string name = absl::StrCat("seen", steps_.size());
  return Raw(absl::StrCat("<recv response=\"", status,
                          "\" crlf=\"true\" timeout=\"15000\"><action><ereg regexp=\"",
                          Attribute(body), "\" search_in=\"msg\" check_it=\"true\" assign_to=\"",
                          name, "\"/></action></recv>\n<Reference variables=\"", name, "\"/>"));
}

Scenario& Scenario::Optional(absl::string_view method) {
  return Raw(absl::StrCat("<recv request=\"", method, "\" crlf=\"true\" optional=\"true\"/>"));
}

Scenario& Scenario::OptionalStatus(int status) {
  return Raw(absl::StrCat("<recv response=\"", status, "\" crlf=\"true\" optional=\"true\"/>"));
}

Scenario& Scenario::Pause(int ms) {
  return Raw(absl::StrCat("<pause milliseconds=\"", ms, "\"/>"));
}

Scenario& Scenario::ExpectBye() { return Expect("BYE", 40'000).Reply(200); }

Scenario& Scenario::HangUp(const std::string& headers) {
  return Request("BYE", {.headers = headers}).ExpectStatus(200);
}

Scenario& Scenario::ExpectCancel(int within_ms) { return Expect("CANCEL", within_ms).Reply(200); }

Scenario& Scenario::Beside(absl::string_view method, const Scenario& branch) {
  beside_ = std::string(method);
  branch_ = branch.steps_;
  return *this;
}

std::string Scenario::Xml(absl::string_view name) const {
  std::string steps = absl::StrJoin(steps_, "\n");
  if (!beside_.empty()) {
    steps =
        absl::StrCat("<recv request=\"", beside_, "\" optional=\"true\" next=\"beside\"/>\n", steps,
                     "\n<nop hide=\"true\" next=\"end\"/>\n<label id=\"beside\"/>\n",
                     absl::StrJoin(branch_, "\n"), "\n<label id=\"end\"/>\n<nop hide=\"true\"/>");
  }
  return absl::StrCat(
      "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n"
      "<!DOCTYPE scenario SYSTEM \"sipp.dtd\">\n<scenario name=\"",
      name, "\">\n", steps, "\n</scenario>\n");
}

}  // namespace outpace::e2e
