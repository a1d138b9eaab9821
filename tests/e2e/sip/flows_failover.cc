// A campaign with two trunks: what is the first trunk's fault goes over the second at once, as an
// attempt of its own, and nothing of it is held against the lead. What is the number's own stays.

#include "absl/strings/str_cat.h"
#include "tests/e2e/sip/flow.h"

namespace outpace::e2e {
namespace {

// Fails on the first trunk; on the second somebody answers.
Flow ThenAnswered(const std::string& name, const std::string& what, const Scenario& first,
                  int status, const std::vector<std::string>& sipp = {}, bool up = true) {
  Expected failed = TrunkAtFault(status, 0);
  failed.lead = "NI";
  failed.called_count = 1;
  failed.trunk_up = up;
  const std::string full = absl::StrCat("failover_", name);
  return {.name = full,
          .what = what,
          .scenario = first,
          .expected = failed,
          .sipp = sipp,
          .then = {{.name = absl::StrCat(full, "_second"),
                    .what = "its second trunk: a call",
                    .scenario = Scenario().Ring().AnswerCall().Expect("ACK").ExpectBye(),
                    .expected = Talked(/*by_agent=*/true),
                    .agent = AgentPart::kHangsUp}}};
}

// Fails on both; `first` and `second` are final statuses.
Flow ThenRefused(int first, int second, const Expected& last) {
  Expected failed = TrunkAtFault(first, 0);
  failed.lead = last.lead.empty() ? last.status : last.lead;
  failed.called_count = last.called_count;
  const std::string name = absl::StrCat("failover_", first, "_", second);
  return {.name = name,
          .what = absl::StrCat(first),
          .scenario = Scenario().Respond(first).Expect("ACK"),
          .expected = failed,
          .then = {{.name = absl::StrCat(name, "_second"),
                    .what = absl::StrCat("its second trunk: ", second),
                    .scenario = Scenario().Respond(second).Expect("ACK"),
                    .expected = last}}};
}

std::vector<Flow> Flows() {
  return {
      ThenAnswered("503", "503", Scenario().Respond(503).Expect("ACK"), 503),
      ThenAnswered("503_retry_after", "503, Retry-After 60",
                   Scenario().Respond(503, {.headers = "Retry-After: 60\n"}).Expect("ACK"), 503, {},
                   /*up=*/false),
      ThenAnswered("500", "500", Scenario().Respond(500).Expect("ACK"), 500),
      ThenAnswered("407", "407 without a challenge", Scenario().Respond(407).Expect("ACK"), 407),
      ThenAnswered("after_100", "100, then 503",
                   Scenario().Respond(100, {.tag = ""}).Respond(503).Expect("ACK"), 503),
      ThenAnswered("gone", "its port is closed after the first INVITE (ICMP)", Scenario(), 0,
                   {"-nr"}),
      ThenAnswered(
          "silent", "no response at all",
          Scenario().Expect("INVITE").Expect("INVITE").Expect("INVITE").Expect("INVITE").Pause(
              4'000),
          0, {"-nr"}),
      ThenRefused(503, 486, Refused(486, 0, "busy", "AB")),
      ThenRefused(503, 404, Refused(404, 0, "invalid", "ADC")),
      ThenRefused(503, 503, TrunkAtFault(503, 0)),
      ThenRefused(500, 603, Refused(603, 0, "rejected", "NA")),
  };
}

}  // namespace

std::vector<FlowGroup> FailoverGroups() {
  return {{"failover", "The first trunk's fault: the second trunk at once.", Flows()}};
}

}  // namespace outpace::e2e
