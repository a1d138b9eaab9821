// Beside the calls: a registration, signs of life; and calls over TCP.

#include "absl/strings/str_cat.h"
#include "tests/e2e/sip/flow.h"
#include "tests/e2e/sip/trunk_flows.h"

namespace outpace::e2e {
namespace {

const Extra kOnce{.repeat = false};

// ---- beside the calls ----

Flow Beside(const std::string& name, const std::string& what, const std::string& trunk,
            const std::string& method, const Scenario& branch, int calls = 2) {
  return {.name = name,
          .what = what + "; the call: 486",
          .scenario = Scenario().Ring().Respond(486).Expect("ACK").Beside(method, branch),
          .expected = BusyAfter(/*rang=*/true),
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
              BusyAfter(/*rang=*/true)),
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
              BusyAfter(/*rang=*/true)),
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
      OverTcp("gone", "its connection breaks after our INVITE, and none is accepted again",
              Scenario(), TrunkAtFault(0, 0)),
      OverTcp("ring_out", "nobody answers: CANCEL, 487",
              Scenario().Ring().ExpectCancel().Respond(487, kOnce).Expect("ACK"), RangOut()),
  };
}

}  // namespace

std::vector<FlowGroup> TrunkGroups() {
  return {{"life_signs", "OPTIONS and REGISTER beside a call.", LifeSigns()},
          {"tcp", "Trunks over TCP.", Tcp()}};
}

}  // namespace outpace::e2e
