// What a trunk may want beyond bare calls: credentials (RFC 7616, 8760), reliable provisionals
// (RFC 3262), session timers (RFC 4028), a registration, a sign of life, TCP.

#include "absl/strings/str_cat.h"
#include "tests/e2e/sip/flow.h"

namespace outpace::e2e {
namespace {

const Extra kOnce{.repeat = false};
constexpr char kLogin[] = "username = \"op\"\npassword = \"s3cret pass\"\n";
constexpr char kPassword[] = "s3cret pass";

Expected Busy(bool rang = false) {
  Expected expected = Refused(486, 0, "busy", "AB");
  expected.rang = rang;
  return expected;
}

// ---- digest ----

Extra Challenge(int status, const std::string& parameters) {
  return {.headers = absl::StrCat(
              status == 401 ? "WWW-Authenticate: " : "Proxy-Authenticate: ", parameters, "\n")};
}

std::string Digest(const std::string& algorithm, const std::string& nonce = "n0nce",
                   const std::string& more = ", qop=\"auth\"") {
  return absl::StrCat("Digest realm=\"carrier\", nonce=\"", nonce, "\"",
                      algorithm.empty() ? "" : absl::StrCat(", algorithm=", algorithm), more);
}

Flow Auth(const std::string& name, const std::string& what, const Scenario& scenario,
          const Expected& expected, const std::string& trunk = kLogin) {
  return {.name = absl::StrCat("auth_", name),
          .what = what,
          .scenario = scenario,
          .expected = expected,
          .trunk = trunk};
}

// The challenge is answered with this, and the second INVITE ends in a 486.
Flow Answered(const std::string& name, const std::string& what, int status,
              const std::string& challenge, std::vector<std::string> has) {
  Scenario scenario;
  scenario.Respond(status, Challenge(status, challenge)).Expect("ACK");
  // SIPp's own check reads Authorization only.
  if (status == 401) {
    scenario.ExpectInvite("op", kPassword);
  } else {
    scenario.ExpectInvite();
  }
  scenario.Respond(486).Expect("ACK");
  Flow flow = Auth(name, what, scenario, Busy());
  has.push_back("CSeq: 2 INVITE");
  has.push_back(status == 401 ? "\nAuthorization: Digest" : "Proxy-Authorization: Digest");
  flow.wire = {{"INVITE", {"CSeq: 1 INVITE"}, {"Authorization", "s3cret"}},
               {"INVITE", has, {"s3cret"}, 2, kPassword}};
  return flow;
}

// The challenge is not answered: the trunk's fault, and no second INVITE (SIPp would complain).
Flow Unanswered(const std::string& name, const std::string& what, int status,
                const std::string& challenge, const std::string& trunk = kLogin) {
  return Auth(name, what,
              Scenario().Respond(status, Challenge(status, challenge)).Expect("ACK").Pause(300),
              TrunkAtFault(status, 0), trunk);
}

std::vector<Flow> Credentials() {
  Flow bye = Auth("bye", "INVITE taken, BYE challenged",
                  Scenario()
                      .Ring()
                      .AnswerCall()
                      .Expect("ACK")
                      .Expect("BYE")
                      .Reply(407, Challenge(407, Digest("MD5")))
                      .ExpectBye(),
                  Talked(/*by_agent=*/true));
  bye.agent = AgentPart::kHangsUp;
  bye.wire = {{"BYE", {"CSeq: 3 BYE"}, {}, 2, kPassword}};
  Flow talk = Auth("then_call", "challenge, then a call",
                   Scenario()
                       .Respond(407, Challenge(407, Digest("MD5")))
                       .Expect("ACK")
                       .ExpectInvite()
                       .Ring()
                       .AnswerCall()
                       .Expect("ACK")
                       .ExpectBye(),
                   Talked(/*by_agent=*/true));
  talk.agent = AgentPart::kHangsUp;
  talk.wire = {{"INVITE", {}, {}, 2, kPassword}, {"BYE", {"CSeq: 3 BYE"}}};
  Flow callee =
      Auth("no_credentials", "407 from a trunk that we have no credentials for",
           Scenario().Respond(407, Challenge(407, Digest("MD5"))).Expect("ACK").Pause(300),
           TrunkAtFault(407, 0), "");
  return {
      Answered("md5", "407, MD5 with qop=auth", 407, Digest("MD5"), {"qop=auth", "nc=00000001"}),
      Answered("md5_401", "401, MD5 with qop=auth", 401, Digest("MD5"), {"qop=auth"}),
      Answered("old_form", "407 without algorithm and qop (RFC 2069)", 407, Digest("", "n0nce", ""),
               {"nonce=\"n0nce\""}),
      Answered(
          "opaque", "407 with opaque and a domain", 407,
          Digest("MD5", "n0nce", ", qop=\"auth,auth-int\", opaque=\"op,aque\", domain=\"sip:x\""),
          {"opaque=\"op,aque\"", "qop=auth,"}),
      Answered("sha256", "407, SHA-256", 407, Digest("SHA-256"), {"algorithm=SHA-256", "qop=auth"}),
      Answered("sha512_256", "407, SHA-512-256", 407, Digest("SHA-512-256"),
               {"algorithm=SHA-512-256"}),
      Answered("strongest", "407 with MD5 and SHA-256: SHA-256 is taken", 407,
               absl::StrCat(Digest("MD5"), "\nProxy-Authenticate: ", Digest("SHA-256", "n2")),
               {"algorithm=SHA-256", "nonce=\"n2\""}),
      Answered(
          "unknown_beside_md5", "407 with an unknown algorithm and MD5: MD5 is taken", 407,
          absl::StrCat(Digest("SNAKE-OIL", "n1"), "\nProxy-Authenticate: ", Digest("MD5", "n2")),
          {"nonce=\"n2\""}),
      Answered("letter_case", "407 in mixed case and with blanks", 407,
               "dIGEST  Realm = \"carrier\" , NONCE=\"n0nce\", Algorithm=md5, QOP=\"auth\"",
               {"nonce=\"n0nce\""}),
      Auth("stale", "407, then 407 with stale=true: answered again",
           Scenario()
               .Respond(407, Challenge(407, Digest("MD5", "old")))
               .Expect("ACK")
               .ExpectInvite()
               .Respond(407, Challenge(407, Digest("MD5", "new", ", qop=\"auth\", stale=true")))
               .Expect("ACK")
               .ExpectInvite()
               .Respond(486)
               .Expect("ACK"),
           Busy()),
      Auth("stale_for_ever", "407 with stale=true again and again: two answers",
           Scenario()
               .Respond(407, Challenge(407, Digest("MD5", "a")))
               .Expect("ACK")
               .ExpectInvite()
               .Respond(407, Challenge(407, Digest("MD5", "b", ", qop=\"auth\", stale=true")))
               .Expect("ACK")
               .ExpectInvite()
               .Respond(407, Challenge(407, Digest("MD5", "c", ", qop=\"auth\", stale=true")))
               .Expect("ACK")
               .Pause(300),
           TrunkAtFault(407, 0)),
      Auth("wrong_password", "407 to the credentials: one try, no loop, the lead is not burnt",
           Scenario()
               .Respond(407, Challenge(407, Digest("MD5", "a")))
               .Expect("ACK")
               .ExpectInvite()
               .Respond(407, Challenge(407, Digest("MD5", "b")))
               .Expect("ACK")
               .Pause(300),
           TrunkAtFault(407, 0)),
      Auth("refused_403", "403 to the credentials",
           Scenario()
               .Respond(407, Challenge(407, Digest("MD5")))
               .Expect("ACK")
               .ExpectInvite()
               .Respond(403)
               .Expect("ACK"),
           Refused(403, 0, "rejected", "NA")),
      Auth("downgrade", "SHA-256 asked for, then MD5: not answered",
           Scenario()
               .Respond(407, Challenge(407, Digest("SHA-256", "a")))
               .Expect("ACK")
               .ExpectInvite()
               .Respond(407, Challenge(407, Digest("MD5", "b", ", qop=\"auth\", stale=true")))
               .Expect("ACK")
               .Pause(300),
           TrunkAtFault(407, 0)),
      Unanswered("other_realm", "407 for another realm than the trunk's: not answered", 407,
                 Digest("MD5"), absl::StrCat(kLogin, "realm = \"sip.carrier.example\"\n")),
      Unanswered("auth_int_only", "407 with qop=auth-int alone: not answered", 407,
                 Digest("MD5", "n0nce", ", qop=\"auth-int\"")),
      Unanswered("unknown_algorithm", "407 with an unknown algorithm: not answered", 407,
                 Digest("SNAKE-OIL")),
      Unanswered("basic", "401 Basic: never answered", 401, "Basic realm=\"carrier\""),
      Unanswered("no_nonce", "407 without a nonce: not answered", 407,
                 "Digest realm=\"carrier\", qop=\"auth\""),
      callee,
      talk,
      bye,
  };
}

// ---- reliable provisionals ----

constexpr char kHundredRel[] = "hundred_rel = true\n";

Extra Reliable(int rseq, const std::string& tag = "u", bool sdp = true) {
  return {.headers = absl::StrCat("Require: 100rel\nRSeq: ", rseq, "\n"),
          .body = sdp ? AudioSdp() : "",
          .tag = tag,
          .repeat = false};
}

Flow Prack(const std::string& name, const std::string& what, const Scenario& scenario,
           std::vector<Flow::Wire> wire, const std::vector<std::string>& sipp = {}) {
  return {.name = absl::StrCat("prack_", name),
          .what = what,
          .scenario = scenario,
          .expected = Busy(/*rang=*/true),
          .sipp = sipp,
          .trunk = kHundredRel,
          .wire = std::move(wire)};
}

std::vector<Flow> Pracks() {
  Flow call = Prack("then_call", "reliable 183, PRACK, then a call",
                    Scenario()
                        .Respond(183, Reliable(1))
                        .Expect("PRACK")
                        .Reply(200)
                        .AnswerCall()
                        .Expect("ACK")
                        .ExpectBye(),
                    {{"BYE", {"CSeq: 3 BYE"}}});
  call.expected = Talked(/*by_agent=*/true);
  call.agent = AgentPart::kHangsUp;
  Flow early_sdp = Prack("sdp_in_183_only", "reliable 183 with a session, 200 without one",
                         Scenario()
                             .Respond(183, Reliable(1))
                             .Expect("PRACK")
                             .Reply(200)
                             .Respond(200)
                             .Expect("ACK")
                             .ExpectBye(),
                         {});
  early_sdp.expected = Talked(/*by_agent=*/true);
  early_sdp.agent = AgentPart::kHangsUp;
  Flow off = Prack("not_offered", "reliable 183 though we did not offer 100rel: no PRACK; 486",
                   Scenario().Respond(183, Reliable(1)).Pause(300).Respond(486).Expect("ACK"),
                   {{"INVITE", {}, {"100rel"}}});
  off.trunk = "";
  return {
      Prack("183", "reliable 183; 486",
            Scenario()
                .Respond(183, Reliable(1))
                .Expect("PRACK")
                .Reply(200)
                .Respond(486)
                .Expect("ACK"),
            {{"INVITE", {"100rel"}}, {"PRACK", {"RAck: 1 1 INVITE", "CSeq: 2 PRACK"}}}),
      Prack("first_number", "reliable 180 whose RSeq is 2,147,483,000",
            Scenario()
                .Respond(180, Reliable(2'147'483'000, "u", false))
                .Expect("PRACK")
                .Reply(200)
                .Respond(486)
                .Expect("ACK"),
            {{"PRACK", {"RAck: 2147483000 1 INVITE"}}}),
      Prack("two", "reliable 180, then reliable 183",
            Scenario()
                .Respond(180, Reliable(1, "u", false))
                .Expect("PRACK")
                .Reply(200)
                .Respond(183, Reliable(2))
                .Expect("PRACK")
                .Reply(200)
                .Respond(486)
                .Expect("ACK"),
            {{"PRACK", {"RAck: 1 1 INVITE", "CSeq: 2 PRACK"}},
             {"PRACK", {"RAck: 2 1 INVITE", "CSeq: 3 PRACK"}, {}, 2}}),
      Prack("gap", "RSeq 1, then 3: not confirmed; then 2",
            Scenario()
                .Respond(180, Reliable(1, "u", false))
                .Expect("PRACK")
                .Reply(200)
                .Respond(183, Reliable(3))
                .Pause(200)
                .Respond(183, Reliable(2))
                .Expect("PRACK")
                .Reply(200)
                .Respond(486)
                .Expect("ACK"),
            {{"PRACK", {"RAck: 2 1 INVITE"}, {}, 2}}),
      Prack("repeated", "the same reliable 183 again after our PRACK: one PRACK",
            Scenario()
                .Respond(183, Reliable(7))
                .Expect("PRACK")
                .Reply(200)
                .Respond(183, Reliable(7))
                .Pause(300)
                .Respond(486)
                .Expect("ACK"),
            {{"PRACK", {"RAck: 7 1 INVITE"}}}),
      Prack("two_forks", "reliable 180 of two forks: a PRACK to each",
            Scenario()
                .Respond(180, Reliable(1, "a", false))
                .Expect("PRACK")
                .Reply(200)
                .Respond(180, Reliable(1, "b", false))
                .Expect("PRACK")
                .Reply(200)
                .Respond(486)
                .Expect("ACK"),
            {{"PRACK", {"CSeq: 2 PRACK"}}, {"PRACK", {"CSeq: 3 PRACK"}, {}, 2}}),
      Prack("refused", "481 to our PRACK: the call goes on",
            Scenario()
                .Respond(183, Reliable(1))
                .Expect("PRACK")
                .Reply(481)
                .Respond(486)
                .Expect("ACK"),
            {}),
      Prack("lost", "our first PRACK is lost",
            Scenario()
                .Respond(183, Reliable(1))
                .Expect("PRACK")
                .Expect("PRACK")
                .Reply(200)
                .Respond(486)
                .Expect("ACK"),
            {}, {"-nr"}),
      Prack("no_rseq", "Require: 100rel without RSeq: no PRACK",
            Scenario()
                .Respond(183, {.headers = "Require: 100rel\n"})
                .Pause(300)
                .Respond(486)
                .Expect("ACK"),
            {}),
      Prack("plain_beside", "plain 180, then reliable 183",
            Scenario()
                .Ring()
                .Respond(183, Reliable(1))
                .Expect("PRACK")
                .Reply(200)
                .Respond(486)
                .Expect("ACK"),
            {{"PRACK", {"RAck: 1 1 INVITE"}}}),
      off,
      call,
      early_sdp,
  };
}

// ---- session timers ----

constexpr char kSession[] = "session_seconds = 1800\n";

Scenario Up(const std::string& headers = "") {
  return Scenario().Ring().AnswerCall({.headers = headers}).Expect("ACK").Pause(400);
}

Flow Timed(const std::string& name, const std::string& what, const Scenario& scenario,
           std::vector<Flow::Wire> wire = {}) {
  return {.name = absl::StrCat("timer_", name),
          .what = what,
          .scenario = scenario,
          .expected = Talked(/*by_agent=*/false, 0),
          .agent = AgentPart::kIsHungUpOn,
          .trunk = kSession,
          .wire = std::move(wire)};
}

Flow TooShort(const std::string& name, const std::string& what, const Scenario& scenario,
              const Expected& expected, std::vector<Flow::Wire> wire = {}) {
  return {.name = absl::StrCat("timer_", name),
          .what = what,
          .scenario = scenario,
          .expected = expected,
          .trunk = kSession,
          .wire = std::move(wire)};
}

Extra Min(const std::string& seconds) {
  return {.headers = absl::StrCat("Min-SE: ", seconds, "\n")};
}

std::vector<Flow> Timers() {
  const Expected failed = Refused(422, 0, "failed", "LRERR");
  return {
      Timed("offered", "our INVITE asks for 1,800 s; the 200 names us as refresher",
            Up("Require: timer\nSession-Expires: 1800;refresher=uac\n").HangUp(),
            {{"INVITE", {"Session-Expires: 1800", "timer", "Min-SE: 90"}}}),
      Timed("theirs", "the 200 names the far end as refresher; it sends UPDATE",
            Up("Require: timer\nSession-Expires: 90;refresher=uas\n")
                .Request("UPDATE", {.headers = "Supported: timer\n"
                                               "Session-Expires: 90;refresher=uac\n"})
                .ExpectStatus(200, "Session-Expires: 90;refresher=uac")
                .HangUp()),
      Timed("refresh_by_reinvite", "the far end refreshes by re-INVITE",
            Up("Require: timer\nSession-Expires: 90;refresher=uas\n")
                .Request("INVITE", {.headers = "Supported: timer\n"
                                               "Session-Expires: 90;refresher=uac\n",
                                    .body = AudioSdp()})
                .ExpectStatus(200, "Session-Expires: 90;refresher=uac")
                .AckReinvite()
                .HangUp()),
      Timed("refused", "the 200 has no Session-Expires", Up().HangUp()),
      Timed("garbage", "the 200's Session-Expires is no number",
            Up("Session-Expires: soon;refresher=uas\n").HangUp()),
      Timed("absurd", "the 200's Session-Expires is 1",
            Up("Session-Expires: 1;refresher=uac\n").HangUp()),
      Timed("huge", "the 200's Session-Expires is 4294967295",
            Up("Session-Expires: 4294967295;refresher=uac\n").HangUp()),
      Timed("update_too_small", "UPDATE with Session-Expires 30: 422",
            Up().Request("UPDATE", {.headers = "Supported: timer\nSession-Expires: 30\n"})
                .ExpectStatus(422, "Min-SE: 90")
                .HangUp()),
      Timed("reinvite_too_small", "re-INVITE with Session-Expires 30: 422",
            Up().Request("INVITE",
                         {.headers = "Supported: timer\nSession-Expires: 30\n", .body = AudioSdp()})
                .ExpectStatus(422, "Min-SE: 90")
                .AckReinvite(/*failed=*/true)
                .HangUp()),
      Timed("we_refresh_update", "UPDATE that makes us the refresher",
            Up().Request("UPDATE", {.headers = "Session-Expires: 1800;refresher=uas\n"})
                .ExpectStatus(200, "Session-Expires: 1800;refresher=uas")
                .HangUp()),
      TooShort("422", "422, Min-SE 3600: our INVITE comes again with 3,600 s; 486",
               Scenario()
                   .Respond(422, Min("3600"))
                   .Expect("ACK")
                   .ExpectInvite()
                   .Respond(486)
                   .Expect("ACK"),
               Busy(),
               {{"INVITE", {"Session-Expires: 3600", "Min-SE: 3600", "CSeq: 2 INVITE"}, {}, 2}}),
      TooShort("422_twice", "422 again: the call has failed",
               Scenario()
                   .Respond(422, Min("3600"))
                   .Expect("ACK")
                   .ExpectInvite()
                   .Respond(422, Min("5400"))
                   .Expect("ACK")
                   .Pause(300),
               failed),
      TooShort("422_absurd", "422, Min-SE 100000: not obeyed",
               Scenario().Respond(422, Min("100000")).Expect("ACK").Pause(300), failed),
      TooShort("422_no_min", "422 without Min-SE", Scenario().Respond(422).Expect("ACK").Pause(300),
               failed),
  };
}

// ---- beside the calls ----

Flow Beside(const std::string& name, const std::string& what, const std::string& trunk,
            const std::string& method, const Scenario& branch, int calls = 2) {
  return {.name = name,
          .what = what + "; the call: 486",
          .scenario = Scenario().Ring().Respond(486).Expect("ACK").Beside(method, branch),
          .expected = Busy(/*rang=*/true),
          .trunk = trunk,
          .sipp_calls = calls};
}

Extra Bindings(int seconds) {
  return {.headers = absl::StrCat("Contact: <sip:outpace@127.0.0.1>;expires=", seconds,
                                  "\nExpires: ", seconds, "\n")};
}

std::vector<Flow> LifeSigns() {
  const std::string options = "options_seconds = 3600\n";
  const std::string registers = absl::StrCat(kLogin, "register = true\nregister_seconds = 3600\n");
  Flow alive = Beside("options_200", "OPTIONS answered with 200", options, "OPTIONS",
                      Scenario::Branch().Reply(200));
  alive.wire = {{"OPTIONS", {"CSeq: ", "Max-Forwards: ", "Content-Length: 0"}, {"m=audio"}}};
  Flow registered = Beside("register_200", "REGISTER taken", registers, "REGISTER",
                           Scenario::Branch().Reply(200, Bindings(3600)));
  registered.wire = {
      {"REGISTER",
       {"REGISTER sip:127.0.0.1", "To: <sip:op@127.0.0.1>", "Contact: <sip:outpace@127.0.0.1:"}}};
  Flow challenged =
      Beside("register_401", "REGISTER challenged with 401, then taken", registers, "REGISTER",
             Scenario::Branch()
                 .Reply(401, Challenge(401, Digest("MD5")))
                 .Expect("REGISTER")
                 .Reply(200, Bindings(3600)));
  challenged.wire = {{"REGISTER", {"Authorization: Digest"}, {}, 2, kPassword}};
  Flow sha = Beside("register_407_sha256", "REGISTER challenged with 407 for SHA-256, then taken",
                    registers, "REGISTER",
                    Scenario::Branch()
                        .Reply(407, Challenge(407, Digest("SHA-256")))
                        .Expect("REGISTER")
                        .Reply(200, Bindings(3600)));
  sha.wire = {{"REGISTER", {"algorithm=SHA-256"}, {}, 2, kPassword}};
  Flow brief =
      Beside("register_423", "423, Min-Expires 7200: registered for so long", registers, "REGISTER",
             Scenario::Branch()
                 .Reply(423, {.headers = "Min-Expires: 7200\n"})
                 .Expect("REGISTER")
                 .Reply(200, Bindings(7200)));
  brief.wire = {{"REGISTER", {"7200"}, {}, 2}};
  return {
      alive,
      Beside("options_404", "OPTIONS answered with 404: a sign of life as well", options, "OPTIONS",
             Scenario::Branch().Reply(404)),
      Beside("options_405", "OPTIONS answered with 405: a sign of life as well", options, "OPTIONS",
             Scenario::Branch().Reply(405)),
      Beside("options_486", "OPTIONS answered with 486: a sign of life as well", options, "OPTIONS",
             Scenario::Branch().Reply(486)),
      registered,
      challenged,
      sha,
      brief,
  };
}

// ---- TCP ----

Flow OverTcp(const std::string& name, const std::string& what, const Scenario& scenario,
             const Expected& expected, AgentPart agent = AgentPart::kUntouched) {
  return {.name = absl::StrCat("tcp_", name),
          .what = absl::StrCat("over TCP: ", what),
          .scenario = scenario,
          .expected = expected,
          .agent = agent,
          .trunk = "transport = \"tcp\"\n",
          .tcp = true};
}

std::vector<Flow> Tcp() {
  const auto called = [] { return Scenario().Ring().AnswerCall(kOnce).Expect("ACK"); };
  Flow ours = OverTcp("bye_ours", "a call that we end", called().ExpectBye(),
                      Talked(/*by_agent=*/true), AgentPart::kHangsUp);
  ours.wire = {{"INVITE", {"Via: SIP/2.0/TCP", "transport=tcp"}}, {"BYE", {"Via: SIP/2.0/TCP"}}};
  std::string large;
  for (int i = 0; i < 200; ++i)
    absl::StrAppend(&large, "X-Note-", i, ": ", std::string(60, 'n'), "\n");
  return {
      OverTcp("486", "180, 486", Scenario().Ring().Respond(486, kOnce).Expect("ACK"),
              Busy(/*rang=*/true)),
      OverTcp("404", "404", Scenario().Respond(404, kOnce).Expect("ACK"),
              Refused(404, 0, "invalid", "ADC")),
      OverTcp(
          "503", "503, Retry-After 60",
          Scenario().Respond(503, {.headers = "Retry-After: 60\n", .repeat = false}).Expect("ACK"),
          [] {
            Expected expected = TrunkAtFault(503, 0);
            expected.trunk_up = false;
            return expected;
          }()),
      OverTcp("large", "486 with 14 kB of headers",
              Scenario().Ring().Respond(486, {.headers = large, .repeat = false}).Expect("ACK"),
              Busy(/*rang=*/true)),
      ours,
      OverTcp("bye_theirs", "a call that the far end ends",
              called().Pause(400).Request("BYE", kOnce).ExpectStatus(200),
              Talked(/*by_agent=*/false, 0), AgentPart::kIsHungUpOn),
      OverTcp("hold", "hold and resume",
              called()
                  .Pause(400)
                  .Request("INVITE", {.body = AudioSdp("0", "a=sendonly\n", 2), .repeat = false})
                  .ExpectStatus(200, "a=recvonly")
                  .AckReinvite()
                  .Request("INVITE", {.body = AudioSdp("0", "", 3), .repeat = false})
                  .ExpectStatus(200)
                  .AckReinvite()
                  .Request("BYE", kOnce)
                  .ExpectStatus(200),
              Talked(/*by_agent=*/false, 0), AgentPart::kIsHungUpOn),
      OverTcp("refuse", "REFER 603, MESSAGE 405, INFO 200",
              called()
                  .Pause(400)
                  .Request("REFER",
                           {.headers = "Refer-To: <sip:+19005550100@192.0.2.9>\n", .repeat = false})
                  .ExpectStatus(603)
                  .Request("MESSAGE", kOnce)
                  .ExpectStatus(405)
                  .Request("INFO", kOnce)
                  .ExpectStatus(200)
                  .Request("BYE", kOnce)
                  .ExpectStatus(200),
              Talked(/*by_agent=*/false, 0), AgentPart::kIsHungUpOn),
      OverTcp("ring_out", "nobody answers: CANCEL, 487",
              Scenario().Ring().ExpectCancel().Respond(487, kOnce).Expect("ACK"), RangOut()),
  };
}

}  // namespace

std::vector<FlowGroup> TrunkGroups() {
  return {{"credentials", "Digest authentication.", Credentials()},
          {"reliable", "Reliable provisional responses (PRACK).", Pracks()},
          {"session_timer", "Session timers that are agreed on at once.", Timers()},
          {"life_signs", "OPTIONS and REGISTER beside a call.", LifeSigns()},
          {"tcp", "Trunks over TCP.", Tcp()}};
}

}  // namespace outpace::e2e
