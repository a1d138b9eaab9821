// What comes before the final response: order and kind of 1xx, and early media.

#include "absl/strings/str_cat.h"
#include "tests/e2e/sip/flow.h"

namespace outpace::e2e {
namespace {

// Ends with 486: what came before must not change what that says.
Flow ThenBusy(const std::string& name, const std::string& what, const std::vector<Extra>& extras,
              const std::vector<int>& statuses, bool rang) {
  Scenario scenario;
  for (size_t i = 0; i < statuses.size(); ++i) scenario.Respond(statuses[i], extras[i]);
  scenario.Respond(486).Expect("ACK");
  Expected expected = Refused(486, 0, "busy", "AB");
  expected.rang = rang;
  return {.name = name, .what = what + ", then 486", .scenario = scenario, .expected = expected};
}

Extra Sdp(int version = 1) { return {.body = AudioSdp("0", "", version)}; }

Flow ThenAnswered(const std::string& name, const std::string& what, Scenario scenario,
                  bool rang = true) {
  return {.name = name,
          .what = what + ", then a call",
          .scenario = scenario.Expect("ACK").ExpectBye(),
          .expected = Talked(/*by_agent=*/true, 16, rang),
          .agent = AgentPart::kHangsUp};
}

}  // namespace

std::vector<FlowGroup> ProvisionalGroups() {
  std::vector<Flow> flows = {
      ThenBusy("only_100", "100", {{.tag = ""}}, {100}, false),
      ThenBusy("only_180", "180", {{}}, {180}, true),
      ThenBusy("only_183_sdp", "183 with a session", {Sdp()}, {183}, true),
      ThenBusy("only_183_bare", "183 without a session", {{}}, {183}, true),
      ThenBusy("only_181", "181", {{}}, {181}, true),
      ThenBusy("only_182", "182", {{}}, {182}, true),
      ThenBusy("only_199", "199", {{}}, {199}, true),
      ThenBusy("unknown_1xx", "177", {{}}, {177}, true),
      ThenBusy("180_after_183", "183 with a session, 180", {Sdp(), {}}, {183, 180}, true),
      ThenBusy("183_after_180", "180, 183 with a session", {{}, Sdp()}, {180, 183}, true),
      ThenBusy("183_twice_new_sdp", "183 twice, each with a session of its own", {Sdp(1), Sdp(2)},
               {183, 183}, true),
      ThenBusy("180_thrice", "180 three times", {{}, {}, {}}, {180, 180, 180}, true),
      ThenBusy("18x_other_tags", "180 of two forks", {{.tag = "a"}, {.tag = "b"}}, {180, 180},
               true),
      ThenBusy("180_no_tag", "180 without a To-tag", {{.tag = ""}}, {180}, true),
      ThenBusy("180_no_contact", "180 without a Contact", {{.contact = ""}}, {180}, true),
      ThenBusy("183_unusable_sdp", "183 with a session that has no codec of ours",
               {{.body = AudioSdp("18")}}, {183}, true),
      ThenBusy("183_garbage_body", "183 whose body is not a session",
               {{.body = "this is no session\n"}}, {183}, true),
      ThenAnswered("answer_at_once", "200 with nothing before it", Scenario().AnswerCall(), false),
      ThenAnswered("answer_after_100", "100", Scenario().Respond(100, {.tag = ""}).AnswerCall(),
                   false),
      ThenAnswered("answer_after_183", "183 with a session",
                   Scenario().Respond(183, Sdp()).Pause(200).AnswerCall()),
      ThenAnswered("answer_sdp_only_early", "183 with a session, 200 without one",
                   Scenario().Respond(183, Sdp()).Pause(100).Respond(200)),
      ThenAnswered("answer_new_sdp", "183 with a session, 200 with another",
                   Scenario().Respond(183, Sdp(1)).Pause(100).AnswerCall(Sdp(2))),
      ThenAnswered("answer_other_tag", "180 of one fork, 200 of another",
                   Scenario().Respond(180, {.tag = "early"}).AnswerCall()),
      ThenAnswered("answer_after_180_183_180", "180, 183 with a session, 180",
                   Scenario().Ring().Respond(183, Sdp()).Ring().AnswerCall()),
  };
  return {{"provisional", "Provisional responses in every order.", std::move(flows)}};
}

}  // namespace outpace::e2e
