// Giving up: the ring limit (15 s, the least the product allows), silent trunks, and everything
// that can cross or ignore a CANCEL. All flows of the group wait at the same time.

#include "absl/strings/str_cat.h"
#include "tests/e2e/sip/flow.h"

namespace outpace::e2e {
namespace {

const Extra kOnce{.repeat = false};

Flow GivenUp(const std::string& name, const std::string& what, const Scenario& scenario,
             const Expected& expected, const std::vector<std::string>& sipp = {}) {
  return {.name = name, .what = what, .scenario = scenario, .expected = expected, .sipp = sipp};
}

Scenario Rings() { return Scenario().Ring(); }
// Nothing comes back for 7.5 s: the INVITE is sent again after 0.5, 1.5, 3.5 and 7.5 s.
Scenario Silent() {
  return Scenario().Expect("INVITE").Expect("INVITE").Expect("INVITE").Expect("INVITE");
}

Expected Rang(Expected expected) {
  expected.rang = true;
  return expected;
}
Expected NotRung(Expected expected) {
  expected.rang = false;
  return expected;
}

std::vector<Flow> RingLimit() {
  Flow plain = GivenUp("cancel_plain", "rings; 200 to our CANCEL, 487",
                       Rings().ExpectCancel().Respond(487).Expect("ACK"), RangOut());
  plain.wire = {{"CANCEL", {"CSeq: 1 CANCEL"}, {"m=audio"}}};
  Scenario early;
  for (int i = 0; i < 6; ++i) early.Respond(183, {.body = AudioSdp()}).Pause(2'000);
  return {
      plain,
      GivenUp("cancel_after_100", "100 and no more",
              Scenario().Respond(100, {.tag = ""}).ExpectCancel().Respond(487).Expect("ACK"),
              NotRung(RangOut())),
      GivenUp("cancel_183_for_ever", "183 with a session again and again",
              early.ExpectCancel().Respond(487).Expect("ACK"), RangOut()),
      GivenUp(
          "cancel_487_first", "487 before the 200 to our CANCEL",
          Rings().ExpectKept("CANCEL", 40'000).Respond(487).Expect("ACK").ReplyKept(200, "CANCEL"),
          RangOut()),
      GivenUp("cancel_crossed_by_200", "200 crosses our CANCEL: acknowledged and ended",
              Rings().ExpectCancel().AnswerCall().Expect("ACK").ExpectBye(),
              Dropped("no_answer", 16, true)),
      GivenUp("cancel_crossed_no_sdp", "200 without a session crosses our CANCEL",
              Rings().ExpectCancel().Respond(200).Expect("ACK").ExpectBye(),
              Dropped("no_answer", 16, true)),
      GivenUp("cancel_481_then_200", "481 to our CANCEL, and a 200",
              Rings().Expect("CANCEL", 40'000).Reply(481).AnswerCall().Expect("ACK").ExpectBye(),
              Dropped("no_answer", 16, true)),
      GivenUp("cancel_ignored", "no answer to our CANCEL, nor a final response",
              Rings().Expect("CANCEL", 40'000).Expect("CANCEL").Expect("CANCEL").Expect("CANCEL"),
              RangOut(0), {"-nr"}),
      GivenUp("cancel_481", "481 to our CANCEL, no final response",
              Rings().Expect("CANCEL", 40'000).Reply(481), RangOut(0)),
      GivenUp("cancel_500", "500 to our CANCEL, no final response",
              Rings().Expect("CANCEL", 40'000).Reply(500), RangOut(0)),
      GivenUp("cancel_no_487", "200 to our CANCEL, no 487", Rings().ExpectCancel(), RangOut(0)),
      GivenUp("cancel_487_late", "487 seven seconds after our CANCEL: still acknowledged",
              Rings().ExpectCancel().Pause(7'000).Respond(487).Expect("ACK"), RangOut(0)),
      GivenUp("cancel_200_late", "200 seven seconds after our CANCEL: still acknowledged and ended",
              Rings().ExpectCancel().Pause(7'000).AnswerCall().Expect("ACK").ExpectBye(),
              RangOut(0)),
      GivenUp("cancel_487_repeated", "487 twice, as if our ACK was lost",
              Rings()
                  .ExpectCancel()
                  .Respond(487, kOnce)
                  .Expect("ACK")
                  .Respond(487, kOnce)
                  .Expect("ACK"),
              RangOut(), {"-nr"}),
      GivenUp("cancel_486", "486 in place of 487",
              Rings().ExpectCancel().Respond(486).Expect("ACK"),
              Rang(Refused(486, 0, "busy", "AB"))),
      GivenUp("cancel_603", "603 in place of 487",
              Rings().ExpectCancel().Respond(603).Expect("ACK"),
              Rang(Refused(603, 0, "rejected", "NA"))),
      GivenUp("cancel_404", "404 in place of 487",
              Rings().ExpectCancel().Respond(404).Expect("ACK"),
              Rang(Refused(404, 0, "invalid", "ADC"))),
      GivenUp("cancel_503", "503 in place of 487",
              Rings().ExpectCancel().Respond(503).Expect("ACK"), Rang(TrunkAtFault(503, 0))),
      GivenUp("cancel_408", "408 in place of 487",
              Rings().ExpectCancel().Respond(408).Expect("ACK"), RangOut(408)),
      GivenUp("cancel_180_again", "180 again after our CANCEL, then 487",
              Rings().ExpectCancel().Ring().Respond(487).Expect("ACK"), RangOut()),
      [] {
        Flow flow =
            GivenUp("cancel_second_invite", "challenged; our CANCEL is of the second INVITE",
                    Scenario()
                        .Respond(407, {.headers = "Proxy-Authenticate: Digest "
                                                  "realm=\"r\", nonce=\"n\", qop=\"auth\"\n"})
                        .Expect("ACK")
                        .ExpectInvite()
                        .Ring()
                        .ExpectCancel()
                        .Respond(487)
                        .Expect("ACK"),
                    RangOut());
        flow.trunk = "username = \"op\"\npassword = \"secret\"\n";
        flow.wire = {{"CANCEL", {"CSeq: 2 CANCEL"}}};
        return flow;
      }(),
      GivenUp("cancel_487_with_cause", "487 with Q.850 31",
              Rings()
                  .ExpectCancel()
                  .Respond(487, {.headers = "Reason: Q.850;cause=31\n"})
                  .Expect("ACK"),
              [] {
                Expected expected = RangOut();
                expected.q850 = "31";
                return expected;
              }()),
  };
}

std::vector<Flow> Silence() {
  return {
      GivenUp("silent", "no response at all", Silent().Pause(4'000), TrunkAtFault(0, 0), {"-nr"}),
      GivenUp("gone", "its port is closed after the first INVITE (ICMP)", Scenario(),
              TrunkAtFault(0, 0), {"-nr"}),
      GivenUp("gone_after_100", "100, then its port is closed: our CANCEL reaches nobody",
              Scenario().Respond(100, {.tag = ""}), TrunkAtFault(0, 0), {"-nr"}),
      GivenUp("silent_then_180", "180 after 7.5 s: our CANCEL comes then; 487",
              Silent().Ring().ExpectCancel().Respond(487).Expect("ACK"), TrunkAtFault(487, 0),
              {"-nr"}),
      GivenUp("silent_then_100", "100 after 7.5 s: our CANCEL comes then; 487",
              Silent().Respond(100, {.tag = ""}).ExpectCancel().Respond(487).Expect("ACK"),
              TrunkAtFault(487, 0), {"-nr"}),
      GivenUp("silent_then_200", "200 after 7.5 s: acknowledged and ended",
              Silent().AnswerCall(kOnce).Expect("ACK").ExpectBye(), Dropped("cancelled", 16, false),
              {"-nr"}),
      GivenUp("silent_then_486", "486 after 7.5 s", Silent().Respond(486, kOnce).Expect("ACK"),
              Refused(486, 0, "busy", "AB"), {"-nr"}),
      GivenUp("silent_then_503", "503 after 7.5 s", Silent().Respond(503, kOnce).Expect("ACK"),
              TrunkAtFault(503, 0), {"-nr"}),
  };
}

}  // namespace

std::vector<FlowGroup> CancelGroups() {
  return {{"ring_limit", "Nobody answers within the ring limit.", RingLimit()},
          {"silence", "A trunk that says nothing: given up after 5 s, five more for what is late.",
           Silence()}};
}

}  // namespace outpace::e2e
