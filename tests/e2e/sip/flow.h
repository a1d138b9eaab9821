#pragma once

// One flow of the matrix: what the far end does with one call, and what the export, the lead and
// the board must say of it afterwards. The flows are tables in flows_*.cc; a group of them is run
// at once by flow_run.h, and README.md is printed from them.

#include <ostream>
#include <string>
#include <vector>

#include "tests/e2e/sip/scenario.h"

namespace outpace::e2e {

enum class AgentPart {
  kUntouched,   // no call comes through to the agent
  kHangsUp,     // talks and ends the call
  kIsHungUpOn,  // the far end ends it
  kMayMiss,  // the far end ends it so soon that the call may not have come to the agent yet: then
             // it is no drop of ours, and the disposition is PDROP
};

// The columns of docs/EXPORT.md that tell what became of the call.
struct Expected {
  std::string outcome = "";
  std::string status = "";
  std::string sip_status = "";
  std::string q850 = "";
  std::string term_reason = "NONE";
  bool abandoned = false;
  bool trunk_fault = false;
  bool rang = false;      // ringing_ms
  bool answered = false;  // answered_ms
  std::string lead = "";  // lead_status_now; empty: as `status`
  int called_count = 1;
  bool trunk_up = true;  // the board, when all is over
};

struct Flow {
  std::string name;  // unique in the matrix: "status_486"
  std::string what;  // for README.md: what the far end does
  Scenario scenario;
  Expected expected;
  AgentPart agent = AgentPart::kUntouched;
  // The agent ends the call once SIPp's record of messages holds this; empty: at once.
  std::string hang_up_after = "";
  std::vector<std::string> sipp = {};      // further arguments, e.g. {"-nr"}
  std::vector<std::string> campaign = {};  // further settings
  std::string trunk = "";                  // further keys of [[trunk]], whole lines
  bool tcp = false;
  int sipp_calls = 1;  // with REGISTER or OPTIONS beside the call: so many Call-IDs
  // This message from the dialer, the nth of its kind, must have these and must not have those.
  struct Wire {
    std::string method;
    std::vector<std::string> has = {};
    std::vector<std::string> has_not = {};
    int nth = 1;
    std::string password = "";  // its credentials must follow from it
  };
  std::vector<Wire> wire = {};
  // The far end of a second trunk of the campaign, taken when the first has failed; at most one.
  // What the agent does is said there.
  std::vector<Flow> then = {};
};

struct FlowGroup {
  std::string name;  // of the ctest case
  std::string what;
  std::vector<Flow> flows;
};
void PrintTo(const FlowGroup& group, std::ostream* out);  // its name

// ---- what is expected, by kind of end ----

// A final response: `outcome` and `status` (disposition) as given.
Expected Refused(int sip_status, int q850, const std::string& outcome, const std::string& status);
// The same, and the trunk is to blame: the lead is as it was.
Expected TrunkAtFault(int sip_status, int q850, const std::string& outcome = "congestion");
// Rang to the limit and was cancelled.
Expected RangOut(int sip_status = 487);
// An agent had the call. `q850`: cause of the BYE.
Expected Talked(bool by_agent, int q850 = 16, bool rang = true);
// As kMayMiss has it, if the agent did miss the call.
Expected Missed(const Expected& met);
// Somebody picked up and met a BYE.
Expected Dropped(const std::string& outcome, int q850, bool rang);

// Every group, in the order of README.md.
const std::vector<FlowGroup>& FlowGroups();
std::string FlowsMarkdown();

std::vector<FlowGroup> StatusGroups();       // flows_status.cc
std::vector<FlowGroup> ProvisionalGroups();  // flows_provisional.cc
std::vector<FlowGroup> AnswerGroups();       // flows_answer.cc
std::vector<FlowGroup> EndGroups();          // flows_end.cc
std::vector<FlowGroup> CancelGroups();       // flows_cancel.cc
std::vector<FlowGroup> DialogGroups();       // flows_dialog.cc
std::vector<FlowGroup> SyntaxGroups();       // flows_syntax.cc
std::vector<FlowGroup> AuthGroups();         // flows_auth.cc
std::vector<FlowGroup> SessionGroups();      // flows_session.cc
std::vector<FlowGroup> TrunkGroups();        // flows_trunk.cc
std::vector<FlowGroup> OutsideGroups();      // flows_outside.cc
std::vector<FlowGroup> FailoverGroups();     // flows_failover.cc
std::vector<FlowGroup> RefreshGroups();      // flows_refresh.cc

}  // namespace outpace::e2e
