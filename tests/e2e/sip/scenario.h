#pragma once

// A SIPp scenario, written down step by step: the called side of one call. SIPp's own format needs
// thirty lines for "180, then 486"; here it is one line, and what differs between two hundred flows
// is all that is seen. The traps of the format (notes in scenario.cc) are dealt with once.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace outpace::e2e {

// Session descriptions of the far end. [media_ip] and [audio_port] are SIPp's to fill in.
std::string AudioSdp(absl::string_view formats = "0", absl::string_view attributes = "",
                     int version = 1);

// What a message has beyond the obligatory headers.
struct Extra {
  std::string headers = "";  // whole lines, "\n" between them and at the end
  std::string body = "";     // empty: none
  std::string type = "application/sdp";
  std::string tag = "u";  // To-tag of the far end; another one is another fork
  std::string phrase = "";
  std::string contact = "<sip:sipp@[local_ip]:[local_port];transport=[transport]>";  // empty: none
  bool repeat = true;  // a final response or request is repeated until its ACK or answer comes
  std::string via_suffix = "";  // put after the Via we were sent
};

class Scenario {
 public:
  // The first step, always: an INVITE comes, and its names are kept.
  Scenario();
  // No step yet: for Beside().
  static Scenario Branch() { return Scenario(0); }
  // In place of the INVITE this request may come, under a Call-ID of its own; then `branch` is
  // played, whose first step is what follows on that request.
  Scenario& Beside(absl::string_view method, const Scenario& branch);

  // ---- what the far end sends ----
  // A response to the INVITE.
  Scenario& Respond(int status, const Extra& extra = {});
  Scenario& Ring() { return Respond(180); }
  Scenario& AnswerCall(const Extra& extra = {});  // 200 with a plain description
  // A response to the latest request that came in; it may be the INVITE's CANCEL, a BYE, ...
  Scenario& Reply(int status, const Extra& extra = {});
  // A request inside the dialog with the next CSeq, e.g. "BYE" or "UPDATE".
  Scenario& Request(absl::string_view method, const Extra& extra = {});
  // The same with this CSeq and these tags in place of the right ones.
  struct Odd {
    int cseq = 0;                     // 0: the next
    std::string our_tag = "";         // in place of the far end's own
    std::string their_tag = "";       // in place of the dialer's From tag
    std::string branch = "[branch]";  // "[branch-2]": of the message two steps ago
  };
  Scenario& OddRequest(absl::string_view method, const Odd& odd, const Extra& extra = {});
  // A request outside the dialog, under a Call-ID of its own, to this user at the dialer's address.
  // `to_tag`: as if it belonged to a dialog.
  Scenario& Outside(absl::string_view method, absl::string_view user, const Extra& extra = {},
                    absl::string_view to_tag = "");
  // ACK of the answer to our own re-INVITE: 2xx, or (`failed`) 3xx to 6xx.
  Scenario& AckReinvite(bool failed = false, const Extra& extra = {});
  // Exactly this, "\n" for each line end; [$via], [$from], [$to] and [$cseq] are of the INVITE.
  Scenario& Text(absl::string_view text);

  // ---- what must come ----
  // `within_ms`: none of it in that time fails the call.
  Scenario& Expect(absl::string_view method, int within_ms = 15'000);
  // The response to Request(); `body`: a regular expression its body must match.
  Scenario& ExpectStatus(int status, absl::string_view body = "");
  // The latest thing received must have (or, with `check_inverse`, must not have) this.
  // The INVITE once more, with credentials or another session time: its names count from now on.
  // `user` and `password`: SIPp checks its digest (MD5) by them.
  Scenario& ExpectInvite(absl::string_view user = "", absl::string_view password = "");
  Scenario& Optional(absl::string_view method);
  Scenario& OptionalStatus(int status);
  Scenario& Pause(int ms);
  Scenario& Raw(absl::string_view xml);

  // Shorthands for the end of a call.
  // The dialer's request, whose headers a later ReplyKept() needs.
  Scenario& ExpectKept(absl::string_view method, int within_ms = 15'000);
  Scenario& ReplyKept(int status, absl::string_view method, const Extra& extra = {});
  Scenario& ExpectBye();                              // BYE from the dialer, answered 200
  Scenario& HangUp(const std::string& headers = "");  // BYE of the far end, answered 200
  Scenario& ExpectCancel(int within_ms = 40'000);     // CANCEL, answered 200

  std::string Xml(absl::string_view name) const;

 private:
  explicit Scenario(int cseq) : cseq_(cseq) {}
  Scenario& Send(absl::string_view start_line, absl::string_view headers, const Extra& extra,
                 bool repeat);
  std::vector<std::string> steps_;
  std::string beside_;
  std::vector<std::string> branch_;
  int cseq_ = 0;
};

}  // namespace outpace::e2e
