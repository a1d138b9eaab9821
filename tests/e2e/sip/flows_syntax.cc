// The same messages in every dress that RFC 3261 allows and carriers wear, and some it forbids.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/e2e/sip/flow.h"

namespace outpace::e2e {
namespace {

Expected Busy() { return Refused(486, 0, "busy", "AB"); }

// A 486 as this text has it.
Flow BusyAs(const std::string& name, const std::string& what, const std::string& text,
            const std::vector<std::string>& sipp = {}) {
  return {.name = name,
          .what = absl::StrCat("486 ", what),
          .scenario = Scenario().Text(text).Expect("ACK"),
          .expected = Busy(),
          .sipp = sipp};
}

Flow BusyWith(const std::string& name, const std::string& what, const std::string& headers) {
  return {.name = name,
          .what = absl::StrCat("486 with ", what),
          .scenario = Scenario().Respond(486, {.headers = headers}).Expect("ACK"),
          .expected = Busy()};
}

// A 200 as this text has it; the call then is like any other.
Flow AnswerAs(const std::string& name, const std::string& what, Scenario scenario,
              const std::vector<std::string>& sipp = {}) {
  return {.name = name,
          .what = absl::StrCat("200 ", what),
          .scenario = scenario.Expect("ACK").ExpectBye(),
          .expected = Talked(/*by_agent=*/true, 16, /*rang=*/false),
          .agent = AgentPart::kHangsUp,
          .sipp = sipp};
}

// A message that must not be taken for a response to our INVITE; then the true one.
Flow Ignored(const std::string& name, const std::string& what, const std::string& text) {
  return {.name = name,
          .what = absl::StrCat(what, ": ignored; then 404"),
          .scenario = Scenario().Text(text).Pause(100).Respond(404).Expect("ACK"),
          .expected = Refused(404, 0, "invalid", "ADC")};
}

Flow Cause(const std::string& name, const std::string& reason, int q850, const Expected& expected) {
  Expected with_cause = expected;
  with_cause.q850 = q850 == 0 ? "" : absl::StrCat(q850);
  return {.name = name,
          .what = absl::StrCat("480, `", absl::StrReplaceAll(reason, {{"\n", "`, `"}}), "`"),
          .scenario = Scenario().Respond(480, {.headers = reason + "\n"}).Expect("ACK"),
          .expected = with_cause};
}

constexpr char kBusy[] =
    "SIP/2.0 486 Busy Here\nVia:[$via]\nFrom:[$from]\nTo:[$to];tag=[pid]u[call_number]\n"
    "Call-ID: [call_id]\nCSeq: [$cseq] INVITE\nContent-Length: 0\n";

std::string BusyBut(const std::string& from, const std::string& to) {
  return absl::StrReplaceAll(kBusy, {{from, to}});
}

std::string Multipart() {
  return absl::StrCat("preamble\n--b1\nContent-Type: application/isup;version=itu-t92+\n\nxx\n",
                      "--b1\nContent-Type: application/sdp\nContent-Disposition: session\n\n",
                      AudioSdp(), "--b1--\n");
}

std::vector<Flow> Dress() {
  const std::string sdp = AudioSdp();
  return {
      BusyAs("compact", "in compact form",
             "SIP/2.0 486 Busy Here\nv:[$via]\nf:[$from]\nt:[$to];tag=[pid]u[call_number]\n"
             "i: [call_id]\nCSeq: [$cseq] INVITE\nl: 0\n"),
      BusyAs("letter_case", "with header names in mixed case",
             "SIP/2.0 486 Busy Here\nvIA:[$via]\nFROM:[$from]\ntO:[$to];TAG=[pid]u[call_number]\n"
             "cALL-id: [call_id]\ncseq: [$cseq] INVITE\ncONTENT-lENGTH: 0\n"),
      BusyAs("whitespace", "with blanks before and after colons",
             "SIP/2.0 486 Busy Here\nVia  :  [$via]\nFrom :[$from]\n"
             "To   :[$to];tag=[pid]u[call_number]\nCall-ID  :   [call_id]\n"
             "CSeq :   [$cseq]    INVITE\nContent-Length :   0\n"),
      BusyAs("folded", "with folded headers",
             "SIP/2.0 486 Busy Here\nVia:[$via]\nFrom:[$from]\n"
             "To:[fold][$to];[fold]tag=[pid]u[call_number]\nCall-ID:[fold][call_id]\n"
             "CSeq: [$cseq][fold]INVITE\nSubject: one[fold]two[fold]three\nContent-Length: 0\n",
             {"-key", "fold", "\r\n "}),
      BusyAs("no_length", "without Content-Length", BusyBut("Content-Length: 0\n", "")),
      BusyAs("no_phrase", "without a phrase", BusyBut("Busy Here", "")),
      BusyAs("phrase_utf8", "with a phrase in UTF-8", BusyBut("Busy Here", "用户忙 – occupé")),
      BusyAs("phrase_long", "with a phrase of 1,500 octets",
             BusyBut("Busy Here", std::string(1'500, 'b'))),
      BusyAs("order", "with headers in the reverse order",
             "SIP/2.0 486 Busy Here\nContent-Length: 0\nCSeq: [$cseq] INVITE\nCall-ID: [call_id]\n"
             "To:[$to];tag=[pid]u[call_number]\nFrom:[$from]\nVia:[$via]\n"),
      BusyAs("to_display", "with a display name in To, quotes and commas in it",
             "SIP/2.0 486 Busy Here\nVia:[$via]\nFrom:[$from]\n"
             "To: \"Doe, \\\"J\\\" ;tag=no\" <sip:somebody@[local_ip]>;tag=[pid]u[call_number]\n"
             "Call-ID: [call_id]\nCSeq: [$cseq] INVITE\nContent-Length: 0\n"),
      BusyAs("to_display_utf8", "with a display name in UTF-8 in To",
             "SIP/2.0 486 Busy Here\nVia:[$via]\nFrom:[$from]\n"
             "To: \"王小明 Ünïcode\" <sip:somebody@[local_ip]>;tag=[pid]u[call_number]\n"
             "Call-ID: [call_id]\nCSeq: [$cseq] INVITE\nContent-Length: 0\n"),
      BusyAs("to_no_tag", "without a To-tag", BusyBut(";tag=[pid]u[call_number]", "")),
      BusyAs("to_params", "with further parameters of To", BusyBut(";tag=", ";x;y=\"a;b\";z;tag=")),
      BusyAs("via_received", "with received and rport in its Via",
             BusyBut("[$via]", "[$via];received=127.0.0.1")),
      BusyAs("via_received_v6", "with received=[2001:db8::9] in its Via",
             BusyBut("[$via]", "[$via];received=[v6]"), {"-key", "v6", "[2001:db8::9]"}),
      BusyAs("via_received_bare_v6", "with received=2001:db8::9 in its Via",
             BusyBut("[$via]", "[$via];received=2001:db8::9")),
      BusyWith("headers_200", "two hundred headers that nobody knows",
               [] {
                 std::string headers;
                 for (int i = 0; i < 200; ++i) absl::StrAppend(&headers, "X-Note-", i, ": yes\n");
                 return headers;
               }()),
      BusyWith("header_long", "a header of 1,500 octets",
               absl::StrCat("Server: ", std::string(1'500, 's'), "\n")),
      BusyWith("header_empty", "empty headers", "Subject:\nOrganization: \nServer:\n"),
      BusyWith("header_warning", "Warning, Error-Info and Call-Info",
               "Warning: 399 carrier.invalid \"busy; \\\"really\\\"\"\n"
               "Error-Info: <sip:busy@[local_ip]>\nCall-Info: <http://192.0.2.1/>;purpose=info\n"),
      BusyWith("header_bad_session_expires", "a Session-Expires that is no number",
               "Session-Expires: soon;refresher=whoever\n"),
      BusyWith("header_bad_contact", "a Contact that is none", "Contact: <<<>>>, sip:\n"),
      BusyWith("header_bad_date", "a Date that is none", "Date: yesterday\n"),
      BusyWith("header_require", "Require of something unknown", "Require: teleport\n"),
      BusyWith("header_record_route", "a Record-Route in a refusal",
               "Record-Route: <sip:192.0.2.5;lr>\n"),
      AnswerAs("answer_compact", "in compact form",
               Scenario().Text(absl::StrCat(
                   "SIP/2.0 200 OK\nv:[$via]\nf:[$from]\nt:[$to];tag=[pid]u[call_number]\n"
                   "i: [call_id]\nCSeq: [$cseq] INVITE\nm: <sip:sipp@[local_ip]:[local_port]>\n"
                   "c: application/sdp\nl: [len]\n\n",
                   sdp))),
      AnswerAs(
          "answer_multipart", "with the session as a part of a multipart body",
          Scenario().Respond(200, {.body = Multipart(), .type = "multipart/mixed;boundary=b1"})),
      AnswerAs("answer_multipart_quoted", "with a quoted boundary",
               Scenario().Respond(
                   200, {.body = Multipart(), .type = "Multipart/Mixed; boundary=\"b1\""})),
      AnswerAs("answer_type_params", "with parameters of the Content-Type",
               Scenario().Respond(200, {.body = sdp, .type = "application/SDP; charset=utf-8"})),
      AnswerAs("answer_contact_display", "with a display name in Contact, quotes in it",
               Scenario().Respond(200, {.body = sdp,
                                        .contact = "\"The \\\"Gate\\\", <1>\" "
                                                   "<sip:sipp@[local_ip]:[local_port]>"})),
      AnswerAs(
          "answer_contact_bare", "with a Contact without angle brackets",
          Scenario().Respond(200, {.body = sdp, .contact = "sip:sipp@[local_ip]:[local_port]"})),
      AnswerAs("answer_phrase", "with status 202 for 200",
               Scenario().Respond(202, {.body = sdp, .phrase = "Accepted"})),
      AnswerAs(
          "answer_allow", "with long lists of Allow, Supported and Allow-Events",
          Scenario().Respond(
              200, {.headers = "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, REFER, "
                               "SUBSCRIBE, NOTIFY, INFO, MESSAGE, PUBLISH, TELEPORT\n"
                               "Supported: timer, 100rel, replaces, path, gruu, outbound, "
                               "join, norefersub, tdialog, from-change\n"
                               "Allow-Events: presence, dialog, message-summary, refer\n",
                    .body = sdp})),
  };
}

std::vector<Flow> NotForUs() {
  const Expected failed499 = Refused(499, 0, "failed", "LRERR");
  const Expected quiet = Refused(480, 0, "no_answer", "NA");
  const Expected busy480 = Refused(480, 17, "busy", "AB");
  std::vector<Flow> flows = {
      // RFC 3261 8.1.3.3 would have it discarded (SHOULD); the stack looks at the first Via only.
      BusyAs("two_vias", "with a second Via below ours: taken all the same",
             BusyBut("Via:[$via]\n", "Via:[$via]\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKx\n")),
      Ignored("foreign_via", "486 whose Via is not ours",
              BusyBut("Via:[$via]\n", "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKother\n")),
      Ignored("other_branch", "486 with a branch that we never used",
              BusyBut("[$via]", " SIP/2.0/UDP [$dialer];rport;branch=z9hG4bK-op1-0")),
      Ignored("other_method", "486 whose CSeq names another method",
              BusyBut("INVITE\n", "OPTIONS\n")),
      Ignored("garbage", "a datagram that is no SIP", "hello carrier\nthis is not SIP\n"),
      Ignored("http", "an HTTP response", "HTTP/1.1 200 OK\nContent-Length: 0\n"),
      Ignored("version", "486 of SIP/3.0", BusyBut("SIP/2.0 486", "SIP/3.0 486")),
      Ignored("no_via", "486 without a Via", BusyBut("Via:[$via]\n", "")),
      Ignored("no_cseq", "486 without CSeq", BusyBut("CSeq: [$cseq] INVITE\n", "")),
      Cause("reason_padded", "Reason: Q.850 ;cause=17 ;text=\"a, b; c\"", 17, busy480),
      Cause("reason_letter_case", "Reason: q.850;Cause=17", 17, busy480),
      Cause("reason_second_of_list", "Reason: SIP;cause=486;text=\"x\", Q.850;cause=17", 17,
            busy480),
      Cause("reason_second_header", "Reason: SIP;cause=486\nReason: Q.850;cause=17", 17, busy480),
      Cause("reason_zero", "Reason: Q.850;cause=0", 0, quiet),
      Cause("reason_128", "Reason: Q.850;cause=128", 0, quiet),
      Cause("reason_huge", "Reason: Q.850;cause=99999999999999999999", 0, quiet),
      Cause("reason_text", "Reason: Q.850;cause=busy", 0, quiet),
      Cause("reason_no_cause", "Reason: Q.850", 0, quiet),
      Cause("reason_other_protocol", "Reason: preemption;cause=1", 0, quiet),
      {.name = "status_499",
       .what = "499, which nobody has defined",
       .scenario = Scenario().Respond(499).Expect("ACK"),
       .expected = failed499},
      {.name = "status_699",
       .what = "699, which nobody has defined",
       .scenario = Scenario().Respond(699).Expect("ACK"),
       .expected = Refused(699, 0, "failed", "LRERR")},
  };
  return flows;
}

}  // namespace

std::vector<FlowGroup> SyntaxGroups() {
  return {{"dress", "One message, many spellings.", Dress()},
          {"not_for_us", "Messages that must be ignored, and Reason headers of all kinds.",
           NotForUs()}};
}

}  // namespace outpace::e2e
