// Reliable provisional responses (RFC 3262) and session timers (RFC 4028) of trunks that want them.

#include "absl/strings/str_cat.h"
#include "tests/e2e/sip/flow.h"
#include "tests/e2e/sip/trunk_flows.h"

namespace outpace::e2e {
namespace {

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
          .expected = BusyAfter(/*rang=*/true),
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
               BusyAfter(/*rang=*/false),
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

}  // namespace

std::vector<FlowGroup> SessionGroups() {
  return {{"reliable", "Reliable provisional responses (PRACK).", Pracks()},
          {"session_timer", "Session timers that are agreed on at once.", Timers()}};
}

}  // namespace outpace::e2e
