// Session refreshes that are ours to send (RFC 4028 10): after half of the shortest time there is,
// 45 s. All flows of the group wait at the same time.

#include "absl/strings/str_cat.h"
#include "tests/e2e/sip/flow.h"

namespace outpace::e2e {
namespace {

constexpr int kWait = 55'000;  // ms, from the ACK to a refresh that is due after 45 s
constexpr char kAgreed[] = "Require: timer\nSession-Expires: 90;refresher=uac\n";

// A call that we have to refresh; `updates`: the far end takes UPDATE.
Scenario Up(bool updates) {
  return Scenario()
      .Ring()
      .AnswerCall(
          {.headers = absl::StrCat(kAgreed, updates ? "Allow: INVITE, ACK, BYE, CANCEL, UPDATE\n"
                                                    : "Allow: INVITE, ACK, BYE, CANCEL\n")})
      .Expect("ACK");
}

const Extra kTaken{.headers = kAgreed,
                   .contact = "<sip:sipp@[local_ip]:[local_port];transport=[transport]>"};
const Extra kTakenWithSdp{.headers = absl::StrCat(kAgreed,
                                                  "Contact: <sip:sipp@[local_ip]:"
                                                  "[local_port]>\n"),
                          .body = AudioSdp()};

Flow Refresh(const std::string& name, const std::string& what, Scenario scenario,
             std::vector<Flow::Wire> wire = {}) {
  return {.name = absl::StrCat("refresh_", name),
          .what = what,
          .scenario = scenario.HangUp(),
          .expected = Talked(/*by_agent=*/false, 0),
          .agent = AgentPart::kIsHungUpOn,
          .trunk = "session_seconds = 90\nusername = \"op\"\npassword = \"s3cret\"\n",
          .wire = std::move(wire)};
}

// The far end does not know the call any more: it is ended, as if it had hung up.
Flow Lost(const std::string& name, const std::string& what, const Scenario& scenario, int q850) {
  Flow flow = Refresh(name, what, scenario);
  flow.scenario = scenario;
  flow.expected = Talked(/*by_agent=*/false, q850);
  return flow;
}

std::vector<Flow> Flows() {
  return {
      Refresh("update", "our UPDATE is taken", Up(true).Expect("UPDATE", kWait).Reply(200, kTaken),
              {{"UPDATE",
                {"CSeq: 2 UPDATE", "Session-Expires: 90;refresher=uac", "Min-SE: 90"},
                {"m=audio"}}}),
      Refresh(
          "reinvite", "no UPDATE there: our re-INVITE with the session as it was",
          Up(false).Expect("INVITE", kWait).Reply(200, kTakenWithSdp).Expect("ACK"),
          {{"INVITE", {"CSeq: 2 INVITE", "Session-Expires: 90;refresher=uac", "m=audio"}, {}, 2}}),
      Refresh("update_405", "405 to our UPDATE: a re-INVITE in its place",
              Up(true)
                  .Expect("UPDATE", kWait)
                  .Reply(405)
                  .Expect("INVITE")
                  .Reply(200, kTakenWithSdp)
                  .Expect("ACK"),
              {{"INVITE", {"CSeq: 3 INVITE", "m=audio"}, {}, 2}}),
      Refresh(
          "update_491", "491 to our UPDATE: again 2.1 to 4 s later",
          Up(true).Expect("UPDATE", kWait).Reply(491).Expect("UPDATE", 6'000).Reply(200, kTaken),
          {{"UPDATE", {"CSeq: 3 UPDATE"}, {}, 2}}),
      Refresh("update_422", "422, Min-SE 120: again with 120 s",
              Up(true)
                  .Expect("UPDATE", kWait)
                  .Reply(422, {.headers = "Min-SE: 120\n"})
                  .Expect("UPDATE")
                  .Reply(200, {.headers = "Require: timer\nSession-Expires: 120;refresher=uac\n"}),
              {{"UPDATE", {"Session-Expires: 120;refresher=uac", "Min-SE: 120"}, {}, 2}}),
      Refresh("update_407", "407 to our UPDATE: again with credentials",
              Up(true)
                  .Expect("UPDATE", kWait)
                  .Reply(407, {.headers = "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", "
                                          "qop=\"auth\"\n"})
                  .Expect("UPDATE")
                  .Reply(200, kTaken),
              {{"UPDATE", {"CSeq: 3 UPDATE"}, {}, 2, "s3cret"}}),
      Refresh("update_500", "500 to our UPDATE: the call goes on",
              Up(true).Expect("UPDATE", kWait).Reply(500)),
      Refresh("glare", "its re-INVITE meets ours: 491 both ways, ours again 2.1 to 4 s later",
              Up(false)
                  .ExpectKept("INVITE", kWait)
                  .Request("INVITE", {.body = AudioSdp("0", "", 2), .repeat = false})
                  .ExpectStatus(491)
                  .AckReinvite(/*failed=*/true)
                  .ReplyKept(491, "INVITE")
                  .Expect("ACK")
                  .Expect("INVITE", 6'000)
                  .Reply(200, kTakenWithSdp)
                  .Expect("ACK"),
              {{"INVITE", {"CSeq: 3 INVITE"}, {}, 3}}),
      Lost("update_481", "481 to our UPDATE: BYE",
           Up(true).Expect("UPDATE", kWait).Reply(481).ExpectBye(), 41),
      Lost("reinvite_481", "481 to our re-INVITE: BYE",
           Up(false).Expect("INVITE", kWait).Reply(481).Expect("ACK").ExpectBye(), 41),
  };
}

}  // namespace

std::vector<FlowGroup> RefreshGroups() {
  return {{"refresh", "Session refreshes that are ours to send.", Flows()}};
}

}  // namespace outpace::e2e
