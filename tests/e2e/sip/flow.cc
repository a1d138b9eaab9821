#include "tests/e2e/sip/flow.h"

#include "absl/strings/str_cat.h"

namespace outpace::e2e {
namespace {

std::string Number(int value) { return value == 0 ? "" : absl::StrCat(value); }

const char* AgentWords(AgentPart part) {
  switch (part) {
    case AgentPart::kUntouched:
      return "";
    case AgentPart::kHangsUp:
      return "hangs up";
    case AgentPart::kIsHungUpOn:
      return "is hung up on";
    case AgentPart::kMayMiss:
      return "is hung up on, or has not got the call yet: then PDROP";
  }
  return "";
}

void AppendRow(const Flow& flow, std::string* text) {
  const Expected& e = flow.expected;
  absl::StrAppend(text, "| `", flow.name, "` | ", flow.what, " | ", e.outcome, " | ", e.status,
                  " | ", e.sip_status, " | ", e.q850, " | ", e.term_reason, " | ",
                  e.abandoned ? "Y" : "", " | ", e.trunk_fault ? "Y" : "", " | ",
                  e.lead.empty() ? e.status : e.lead, " ", e.called_count, " | ",
                  AgentWords(flow.agent), " |\n");
}

}  // namespace

void PrintTo(const FlowGroup& group, std::ostream* out) { *out << group.name; }

Expected Refused(int sip_status, int q850, const std::string& outcome, const std::string& status) {
  return {
      .outcome = outcome, .status = status, .sip_status = Number(sip_status), .q850 = Number(q850)};
}

Expected TrunkAtFault(int sip_status, int q850, const std::string& outcome) {
  return {.outcome = outcome,
          .status = "LRERR",
          .sip_status = Number(sip_status),
          .q850 = Number(q850),
          .trunk_fault = true,
          .lead = "NEW",
          .called_count = 0};
}

Expected RangOut(int sip_status) {
  return {.outcome = "no_answer", .status = "NA", .sip_status = Number(sip_status), .rang = true};
}

Expected Talked(bool by_agent, int q850, bool rang) {
  return {.outcome = "answered",
          .status = "NI",
          .sip_status = "200",
          .q850 = Number(q850),
          .term_reason = by_agent ? "AGENT" : "CALLER",
          .rang = rang,
          .answered = true};
}

Expected Missed(const Expected& met) {
  Expected missed = met;
  missed.status = "PDROP";
  return missed;
}

Expected Dropped(const std::string& outcome, int q850, bool rang) {
  return {.outcome = outcome,
          .status = "DROP",
          .sip_status = "200",
          .q850 = Number(q850),
          .term_reason = "ABANDON",
          .abandoned = true,
          .rang = rang,
          .answered = true};
}

const std::vector<FlowGroup>& FlowGroups() {
  static const auto* const kGroups = [] {
    auto* groups = new std::vector<FlowGroup>;
    for (const auto make : {StatusGroups, ProvisionalGroups, AnswerGroups, EndGroups, CancelGroups,
                            DialogGroups, SyntaxGroups, AuthGroups, SessionGroups, TrunkGroups,
                            OutsideGroups, FailoverGroups, RefreshGroups}) {
      for (FlowGroup& group : make()) groups->push_back(std::move(group));
    }
    return groups;
  }();
  return *kGroups;
}

std::string FlowsMarkdown() {
  std::string text;
  size_t count = 0;
  for (const FlowGroup& group : FlowGroups()) count += group.flows.size();
  absl::StrAppend(
      &text, "# The SIPp matrix\n\n", count, " flows in ", FlowGroups().size(),
      " groups, printed from the tables in `flows_*.cc`; a test compares the two. Each flow is one "
      "call over a\ntrunk of its own to a SIPp of its own, and four things must agree: SIPp's "
      "verdict on what it received, the\nrow of the export, the lead, and the board (no call left, "
      "agent ready, legs ended). The flows of a group run\nat the same time against one engine.\n\n"
      "Columns: outcome, disposition, final SIP status, Q.850 cause, who ended it, abandoned, "
      "trunk at fault, the\nlead's status and tries afterwards, what the agent does.\n");
  for (const FlowGroup& group : FlowGroups()) {
    absl::StrAppend(&text, "\n## ", group.name, "\n\n", group.what, "\n\n",
                    "| flow | the far end | outcome | status | SIP | Q.850 | ended by | abandoned "
                    "| trunk | lead | agent |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (const Flow& flow : group.flows) {
      AppendRow(flow, &text);
      for (const Flow& then : flow.then) AppendRow(then, &text);
    }
  }
  return text;
}

}  // namespace outpace::e2e
