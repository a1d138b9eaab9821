// Requests outside any dialog, from a trunk's own address, while a call is up: what the trunk may
// ask, and what is refused from everybody.

#include "absl/strings/str_cat.h"
#include "tests/e2e/sip/flow.h"

namespace outpace::e2e {
namespace {

constexpr char kUnknownNumber[] = "+12025550111";

Scenario Up() { return Scenario().Ring().AnswerCall().Expect("ACK").Pause(400); }

// The call that is up must not notice.
Flow Outside(const std::string& name, const std::string& what, Scenario scenario) {
  return {.name = absl::StrCat("outside_", name),
          .what = what,
          .scenario = scenario.HangUp(),
          .expected = Talked(/*by_agent=*/false, 0),
          .agent = AgentPart::kIsHungUpOn};
}

Flow Refused(const std::string& method, int status, const Extra& extra = {}) {
  return Outside(method, absl::StrCat(method, ": ", status),
                 Up().Outside(method, kUnknownNumber, extra).ExpectStatus(status));
}

std::vector<Flow> Flows() {
  const Extra offer{.body = AudioSdp()};
  return {
      Outside("OPTIONS", "OPTIONS: 200 with what we speak",
              Up().Outside("OPTIONS", "outpace").ExpectStatus(200, "Accept: application/sdp")),
      Refused("REGISTER", 405),
      Refused("MESSAGE", 405, {.body = "hello\n", .type = "text/plain"}),
      Refused("SUBSCRIBE", 405, {.headers = "Event: presence\n"}),
      Refused("PUBLISH", 405, {.headers = "Event: presence\n"}),
      Refused("NOTIFY", 405, {.headers = "Event: keep-alive\n"}),
      Refused("INFO", 405),
      Refused("UPDATE", 405),
      Refused("REFER", 603, {.headers = "Refer-To: <sip:+19005550100@192.0.2.9>\n"}),
      Refused("TELEPORT", 501),
      Refused("CANCEL", 481),
      Refused("BYE", 405),
      Outside("bye_unknown_dialog", "BYE of a dialog that is none: 481",
              Up().Outside("BYE", "outpace", {}, "0123456789abcdef").ExpectStatus(481)),
      Outside("invite_unknown_dialog", "INVITE of a dialog that is none: 481",
              Up().Outside("INVITE", "outpace", offer, "0123456789abcdef").ExpectStatus(481)),
      Outside("ack_unknown_dialog", "ACK of a dialog that is none: silence",
              Up().Outside("ACK", "outpace", {.repeat = false}, "0123456789abcdef").Pause(300)),
      Outside("invite_unknown_number", "INVITE for a number that is not ours: 404",
              Up().Outside("INVITE", kUnknownNumber, offer).ExpectStatus(404)),
      Outside("invite_no_sdp", "INVITE without a session, for a number that is not ours: 404",
              Up().Outside("INVITE", kUnknownNumber).ExpectStatus(404)),
      Outside("invite_caller_id", "INVITE for the caller ID we show: 404, it is not configured",
              Up().Outside("INVITE", "+12025550199", offer).ExpectStatus(404)),
      Outside(
          "invite_replaces", "INVITE with Replaces of the call that is up: 404",
          Up().Outside("INVITE", kUnknownNumber,
                       {.headers = "Replaces: [call_id];to-tag=1;from-tag=2\n", .body = AudioSdp()})
              .ExpectStatus(404)),
      Outside("options_storm", "OPTIONS ten times in a row: ten answers",
              [] {
                Scenario scenario = Up();
                for (int i = 0; i < 10; ++i) {
                  scenario.Outside("OPTIONS", "outpace").ExpectStatus(200);
                }
                return scenario;
              }()),
  };
}

}  // namespace

std::vector<FlowGroup> OutsideGroups() {
  return {
      {"outside", "Requests outside any dialog, from a trunk's address, during a call.", Flows()}};
}

}  // namespace outpace::e2e
