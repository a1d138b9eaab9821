// How an answered call ends, what is lost on the way, and forks.

#include "absl/strings/str_cat.h"
#include "tests/e2e/sip/flow.h"

namespace outpace::e2e {
namespace {

// SIPp does not abort for a message that comes while it is about to send the next.
const std::vector<std::string> kTakeAll = {"-nr", "-default_behaviors", "all,-abortunexp"};

Scenario Up() { return Scenario().Ring().AnswerCall().Expect("ACK"); }

// The far end hangs up when the call has come to the agent.
Flow Theirs(const std::string& name, const std::string& reason, int q850) {
  return {.name = name,
          .what = reason.empty() ? "BYE without Reason" : absl::StrCat("BYE with `", reason, "`"),
          .scenario = Up().Pause(500).HangUp(reason.empty() ? "" : absl::StrCat(reason, "\n")),
          .expected = Talked(/*by_agent=*/false, q850),
          .agent = AgentPart::kIsHungUpOn};
}

Flow Ours(const std::string& name, const std::string& what, const Scenario& scenario,
          const std::vector<std::string>& sipp = {}) {
  return {.name = name,
          .what = what,
          .scenario = scenario,
          .expected = Talked(/*by_agent=*/true),
          .agent = AgentPart::kHangsUp,
          .sipp = sipp};
}

Flow OursAnswered(int status) {
  return Ours(absl::StrCat("bye_answered_", status), absl::StrCat("answers our BYE with ", status),
              Up().Expect("BYE").Reply(status));
}

std::vector<Flow> Ends() {
  Flow reason = Ours("bye_ours", "our BYE, with a Reason", Up().ExpectBye());
  reason.wire = {{"BYE", {"Reason: Q.850", "cause=16", "CSeq: 2 BYE"}}};
  Expected early = Refused(486, 0, "busy", "AB");
  early.rang = true;
  return {
      reason,
      Theirs("bye_theirs", "", 0),
      Theirs("bye_theirs_16", "Reason: Q.850;cause=16;text=\"Normal call clearing\"", 16),
      Theirs("bye_theirs_31", "Reason: Q.850;cause=31", 31),
      Theirs("bye_theirs_41", "Reason: Q.850;cause=41", 41),
      Theirs("bye_theirs_sip_reason", "Reason: SIP;cause=200;text=\"Call completed elsewhere\"", 0),
      Theirs("bye_theirs_two_reasons", "Reason: SIP;cause=480, Q.850;cause=27", 27),
      Theirs("bye_theirs_bad_reason", "Reason: Q.850;cause=twelve", 0),
      OursAnswered(408),
      OursAnswered(481),
      OursAnswered(500),
      OursAnswered(503),
      OursAnswered(403),
      Ours("bye_unanswered", "never answers our BYE",
           Up().Expect("BYE").Expect("BYE").Expect("BYE").Expect("BYE").Pause(2'500), {"-nr"}),
      Ours("bye_lost", "our first BYE is lost", Up().Expect("BYE").Expect("BYE").Reply(200),
           {"-nr"}),
      Ours("bye_crossing", "its BYE crosses ours",
           Up().ExpectKept("BYE")
               .Request("BYE", {.repeat = false})
               .ExpectStatus(200)
               .ReplyKept(200, "BYE")),
      {.name = "bye_at_once",
       .what = "BYE as soon as the ACK is there",
       .scenario = Up().HangUp(),
       .expected = Talked(/*by_agent=*/false, 0),
       .agent = AgentPart::kMayMiss},
      {.name = "bye_before_ack",
       .what = "BYE right after the 200",
       .scenario = Scenario()
                       .Ring()
                       .AnswerCall({.repeat = false})
                       .Request("BYE", {.repeat = false})
                       .ExpectStatus(200),
       .expected = Talked(/*by_agent=*/false, 0),
       .agent = AgentPart::kMayMiss,
       .sipp = kTakeAll,
       .wire = {{"ACK", {"CSeq: 1 ACK"}}}},
      {.name = "bye_early",
       .what = "BYE while it rings, which a callee may not send: refused; then 486",
       .scenario = Scenario().Ring().Request("BYE").ExpectStatus(481).Respond(486).Expect("ACK"),
       .expected = early},
      {.name = "bye_repeated",
       .what = "its BYE twice, as if our 200 was lost: answered twice",
       .scenario = Up().Pause(500)
                       .Request("BYE", {.repeat = false})
                       .ExpectStatus(200)
                       .OddRequest("BYE", {.cseq = 1, .branch = "[branch-2]"}, {.repeat = false})
                       .ExpectStatus(200),
       .expected = Talked(/*by_agent=*/false, 0),
       .agent = AgentPart::kIsHungUpOn,
       .sipp = {"-nr"}},
      {.name = "bye_second",
       .what = "another BYE after the end: 481",
       .scenario = Up().Pause(500).HangUp().Request("BYE").ExpectStatus(481),
       .expected = Talked(/*by_agent=*/false, 0),
       .agent = AgentPart::kIsHungUpOn},
      {.name = "bye_with_body",
       .what = "BYE with a body",
       .scenario = Up().Pause(500)
                       .Request("BYE", {.body = "Duration: 12\n", .type = "text/plain"})
                       .ExpectStatus(200),
       .expected = Talked(/*by_agent=*/false, 0),
       .agent = AgentPart::kIsHungUpOn},
  };
}

std::vector<Flow> LossAndForks() {
  const Extra once{.repeat = false};
  const Extra fork_a{.tag = "a", .repeat = false};
  const Extra fork_b{.tag = "b", .repeat = false};
  Expected busy_rang = Refused(486, 0, "busy", "AB");
  busy_rang.rang = true;
  Expected fault_rang = TrunkAtFault(503, 0);
  fault_rang.rang = true;
  Expected error_rang = TrunkAtFault(500, 0);
  error_rang.rang = true;
  Flow two_answers = Ours("fork_two_200", "200 of two forks: the second is acknowledged and ended",
                          Scenario()
                              .Respond(180, {.tag = "a"})
                              .Respond(180, {.tag = "b"})
                              .AnswerCall(fork_a)
                              .AnswerCall(fork_b)
                              .Expect("ACK")
                              .ExpectBye()
                              .ExpectBye(),
                          kTakeAll);
  two_answers.hang_up_after = "CSeq: 2 BYE";
  Flow late_fork = Ours("fork_late_200", "200 of another fork when the call is up",
                        Up().AnswerCall(fork_b).Expect("ACK").ExpectBye().ExpectBye());
  late_fork.hang_up_after = "CSeq: 2 BYE";
  return {
      {.name = "ack_lost",
       .what = "repeats its 200 as if our ACK was lost: acknowledged again",
       .scenario = Scenario()
                       .Ring()
                       .AnswerCall(once)
                       .Expect("ACK")
                       .AnswerCall(once)
                       .Expect("ACK")
                       .AnswerCall(once)
                       .Expect("ACK")
                       .Pause(400)
                       .HangUp(),
       .expected = Talked(/*by_agent=*/false, 0),
       .agent = AgentPart::kIsHungUpOn,
       .sipp = {"-nr"}},
      {.name = "answer_doubled",
       .what = "sends its 200 twice at once",
       .scenario =
           Scenario().Ring().AnswerCall(once).AnswerCall(once).Expect("ACK").Pause(400).HangUp(),
       .expected = Talked(/*by_agent=*/false, 0),
       .agent = AgentPart::kIsHungUpOn,
       .sipp = kTakeAll},
      {.name = "invite_lost",
       .what = "our first two INVITEs are lost; 486",
       .scenario = Scenario().Expect("INVITE").Expect("INVITE").Ring().Respond(486).Expect("ACK"),
       .expected = busy_rang,
       .sipp = {"-nr"}},
      {.name = "failure_ack_lost",
       .what = "repeats its 486 as if our ACK was lost: acknowledged again",
       .scenario =
           Scenario().Ring().Respond(486, once).Expect("ACK").Respond(486, once).Expect("ACK"),
       .expected = busy_rang,
       .sipp = {"-nr"}},
      {.name = "503_after_180",
       .what = "rings, then 503",
       .scenario = Scenario().Ring().Respond(503).Expect("ACK"),
       .expected = fault_rang},
      {.name = "500_after_183",
       .what = "early media, then 500",
       .scenario = Scenario().Respond(183, {.body = AudioSdp()}).Respond(500).Expect("ACK"),
       .expected = error_rang},
      two_answers,
      late_fork,
      {.name = "fork_486_after_200",
       .what = "486 of another fork when the call is up: acknowledged, no effect",
       .scenario = Up().Respond(486, fork_b).Expect("ACK").Pause(400).HangUp(),
       .expected = Talked(/*by_agent=*/false, 0),
       .agent = AgentPart::kIsHungUpOn},
      {.name = "fork_180_after_200",
       .what = "180 of another fork when the call is up: no effect",
       .scenario = Up().Respond(180, fork_b).Pause(400).HangUp(),
       .expected = Talked(/*by_agent=*/false, 0),
       .agent = AgentPart::kIsHungUpOn},
      {.name = "fork_200_after_486",
       .what = "486, then the 200 of another fork: acknowledged and ended",
       .scenario = Scenario()
                       .Ring()
                       .Respond(486)
                       .Expect("ACK")
                       .AnswerCall(fork_b)
                       .Expect("ACK")
                       .ExpectBye(),
       .expected = busy_rang},
      {.name = "fork_200_twice_after_486",
       .what = "486, then another fork's 200 twice: one BYE",
       .scenario = Scenario()
                       .Ring()
                       .Respond(486)
                       .Expect("ACK")
                       .AnswerCall(fork_b)
                       .Expect("ACK")
                       .ExpectBye()
                       .AnswerCall(fork_b)
                       .Expect("ACK"),
       .expected = busy_rang},
  };
}

}  // namespace

std::vector<FlowGroup> EndGroups() {
  return {{"bye", "The end of an answered call.", Ends()},
          {"loss_and_forks", "Lost and repeated messages, and answers of more than one phone.",
           LossAndForks()}};
}

}  // namespace outpace::e2e
