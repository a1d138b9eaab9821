// Requests inside a dialog that is up: new sessions, questions, and what must not be done.

#include "absl/strings/str_cat.h"
#include "tests/e2e/sip/flow.h"

namespace outpace::e2e {
namespace {

const Extra kOnce{.repeat = false};

// Up, and with the agent by the time the far end says something.
Scenario Up() { return Scenario().Ring().AnswerCall().Expect("ACK").Pause(400); }

// Whatever was asked, the call goes on until the far end hangs up.
Flow Asks(const std::string& name, const std::string& what, Scenario scenario) {
  return {.name = name,
          .what = what,
          .scenario = scenario.HangUp(),
          .expected = Talked(/*by_agent=*/false, 0),
          .agent = AgentPart::kIsHungUpOn};
}

Extra Offer(const std::string& attributes, int version) {
  return {.body = AudioSdp("0", attributes, version)};
}

Extra HoldAddress(int version) {
  return {.body = absl::StrCat("v=0\no=sipp 1 ", version,
                               " IN IP4 [local_ip]\ns=-\nc=IN IP4 0.0.0.0\nt=0 0\n"
                               "m=audio [audio_port] RTP/AVP 0\n")};
}

// Hold, then resume.
Flow Holds(const std::string& name, const std::string& method, const Extra& hold,
           const std::string& our_direction) {
  Scenario scenario = Up();
  const bool invite = method == "INVITE";
  scenario.Request(method, hold).ExpectStatus(200, absl::StrCat("a=", our_direction));
  if (invite) scenario.AckReinvite();
  scenario.Request(method, Offer("a=sendrecv\n", 3)).ExpectStatus(200, "m=audio [1-9]");
  if (invite) scenario.AckReinvite();
  return Asks(name, absl::StrCat(method, " puts on hold, answered `", our_direction, "`; resumes"),
              scenario);
}

Flow Refuses(const std::string& method, int status, const Extra& extra = {}) {
  return Asks(absl::StrCat("refuse_", method), absl::StrCat(method, ": ", status),
              Up().Request(method, extra).ExpectStatus(status));
}

std::vector<Flow> Sessions() {
  return {
      Holds("hold_sendonly", "INVITE", Offer("a=sendonly\n", 2), "recvonly"),
      Holds("hold_inactive", "INVITE", Offer("a=inactive\n", 2), "inactive"),
      Holds("hold_recvonly", "INVITE", Offer("a=recvonly\n", 2), "sendonly"),
      Holds("hold_address_0", "INVITE", HoldAddress(2), "inactive"),
      Holds("update_hold", "UPDATE", Offer("a=sendonly\n", 2), "recvonly"),
      Asks("reinvite_same", "re-INVITE with the same session",
           Up().Request("INVITE", Offer("", 1)).ExpectStatus(200, "m=audio").AckReinvite()),
      Asks("reinvite_late_offer", "re-INVITE without a session: ours is the offer",
           Up().Request("INVITE")
               .ExpectStatus(200, "m=audio [1-9]")
               .AckReinvite(false, {.body = AudioSdp("0", "", 2)})),
      Asks("reinvite_other_codec", "re-INVITE to PCMA",
           Up().Request("INVITE", {.body = AudioSdp("8", "a=rtpmap:8 PCMA/8000\n", 2)})
               .ExpectStatus(200, "RTP/AVP 8")
               .AckReinvite()),
      Asks("reinvite_unusable", "re-INVITE to G.729: 488, the call stays as it was",
           Up().Request("INVITE", {.body = AudioSdp("18", "", 2)})
               .ExpectStatus(488)
               .AckReinvite(/*failed=*/true)),
      Asks("reinvite_garbage", "re-INVITE whose body is no session: 488",
           Up().Request("INVITE", {.body = "no session\n"})
               .ExpectStatus(488)
               .AckReinvite(/*failed=*/true)),
      Asks("reinvite_with_video", "re-INVITE that adds video: answered, video refused",
           Up().Request("INVITE",
                        {.body = absl::StrCat(AudioSdp("0", "", 2), "m=video 5004 RTP/AVP 96\n")})
               .ExpectStatus(200, "m=video 0")
               .AckReinvite()),
      Asks("reinvite_twice", "two re-INVITEs, one after the other",
           Up().Request("INVITE", Offer("", 2))
               .ExpectStatus(200)
               .AckReinvite()
               .Request("INVITE", Offer("", 3))
               .ExpectStatus(200)
               .AckReinvite()),
      {.name = "reinvite_repeated",
       .what = "the same re-INVITE twice, as if our 200 was lost: one answer for both",
       .scenario = Up().Request("INVITE", {.body = AudioSdp("0", "", 2), .repeat = false})
                       .ExpectStatus(200)
                       .OddRequest("INVITE", {.cseq = 1, .branch = "[branch-2]"},
                                   {.body = AudioSdp("0", "", 2), .repeat = false})
                       .ExpectStatus(200)
                       .AckReinvite()
                       .HangUp(),
       .expected = Talked(/*by_agent=*/false, 0),
       .agent = AgentPart::kIsHungUpOn,
       .sipp = {"-nr"}},
      {.name = "reinvite_ack_lost",
       .what = "no ACK of our 200 to its re-INVITE: repeated, acknowledged late",
       .scenario = Up().Request("INVITE", {.body = AudioSdp("0", "", 2), .repeat = false})
                       .ExpectStatus(200)
                       .ExpectStatus(200)
                       .ExpectStatus(200)
                       .AckReinvite()
                       .HangUp(),
       .expected = Talked(/*by_agent=*/false, 0),
       .agent = AgentPart::kIsHungUpOn,
       .sipp = {"-nr"}},
      Asks("update_bare", "UPDATE without a session", Up().Request("UPDATE").ExpectStatus(200)),
      Asks("update_session", "UPDATE with a session",
           Up().Request("UPDATE", Offer("", 2)).ExpectStatus(200, "m=audio [1-9]")),
      Asks("update_unusable", "UPDATE to G.729: 488",
           Up().Request("UPDATE", {.body = AudioSdp("18", "", 2)}).ExpectStatus(488)),
      Asks("target_refresh", "re-INVITE with another Contact",
           Up().Request("INVITE", {.body = AudioSdp("0", "", 2),
                                   .contact = "<sip:moved@[local_ip]:[local_port]>"})
               .ExpectStatus(200)
               .AckReinvite()),
      {.name = "target_refresh_bye",
       .what = "re-INVITE with another Contact: our BYE goes there",
       .scenario = Up().Request("INVITE", {.body = AudioSdp("0", "", 2),
                                           .contact = "<sip:moved@[local_ip]:[local_port]>"})
                       .ExpectStatus(200)
                       .AckReinvite(false, {.headers = "Subject: done\n"})
                       .ExpectBye(),
       .expected = Talked(/*by_agent=*/true),
       .agent = AgentPart::kHangsUp,
       .hang_up_after = "Subject: done",
       .wire = {{"BYE", {"BYE sip:moved@127.0.0.1:"}}}},
  };
}

std::vector<Flow> Requests() {
  Expected busy_rang = Refused(486, 0, "busy", "AB");
  busy_rang.rang = true;
  const auto early = [&busy_rang](const std::string& name, const std::string& what,
                                  Scenario scenario) {
    return Flow{.name = name,
                .what = what,
                .scenario = scenario.Respond(486).Expect("ACK"),
                .expected = busy_rang};
  };
  return {
      Asks("info_dtmf", "INFO with a DTMF digit",
           Up().Request("INFO",
                        {.body = "Signal=5\nDuration=160\n", .type = "application/dtmf-relay"})
               .ExpectStatus(200)),
      Asks("info_other", "INFO with XML",
           Up().Request("INFO",
                        {.body = "<media_control/>\n", .type = "application/media_control+xml"})
               .ExpectStatus(200)),
      Asks("info_bare", "INFO without a body", Up().Request("INFO").ExpectStatus(200)),
      Asks("options", "OPTIONS", Up().Request("OPTIONS").ExpectStatus(200)),
      Refuses("REFER", 603, {.headers = "Refer-To: <sip:+19005550100@192.0.2.9>\n"}),
      Refuses("NOTIFY", 405, {.headers = "Event: talk\nSubscription-State: active\n"}),
      Refuses("MESSAGE", 405, {.body = "hello\n", .type = "text/plain"}),
      Refuses("SUBSCRIBE", 405, {.headers = "Event: dialog\nExpires: 60\n"}),
      Refuses("PUBLISH", 405, {.headers = "Event: presence\n"}),
      Refuses("REGISTER", 405),
      Refuses("CANCEL", 481),
      Refuses("TELEPORT", 501),
      Asks("wrong_their_tag_bye", "BYE with a wrong tag of ours: 481, the call goes on",
           Up().OddRequest("BYE", {.their_tag = "0123456789abcdef"}).ExpectStatus(481)),
      Asks("wrong_their_tag_invite", "re-INVITE with a wrong tag of ours: 481",
           Up().OddRequest("INVITE", {.their_tag = "0123456789abcdef"}, Offer("a=sendonly\n", 2))
               .ExpectStatus(481)
               .AckReinvite(/*failed=*/true)),
      Asks("wrong_own_tag_bye", "BYE with a wrong tag of its own: 481, the call goes on",
           Up().OddRequest("BYE", {.our_tag = "stranger"}).ExpectStatus(481)),
      Asks("cseq_too_low", "a CSeq below the last one: 500",
           Up().Request("INFO")
               .ExpectStatus(200)
               .Request("INFO")
               .ExpectStatus(200)
               .OddRequest("INFO", {.cseq = 1})
               .ExpectStatus(500)),
      {.name = "cseq_gap",
       .what = "CSeq that jumps to a million and to two milliards",
       .scenario = Up().OddRequest("INFO", {.cseq = 1'000'000})
                       .ExpectStatus(200)
                       .OddRequest("UPDATE", {.cseq = 2'000'000'000})
                       .ExpectStatus(200)
                       .OddRequest("BYE", {.cseq = 2'000'000'001})
                       .ExpectStatus(200),
       .expected = Talked(/*by_agent=*/false, 0),
       .agent = AgentPart::kIsHungUpOn},
      early("early_options", "OPTIONS while it rings; 486",
            Scenario().Ring().Request("OPTIONS").ExpectStatus(200)),
      early("early_info", "INFO while it rings; 486",
            Scenario().Ring().Request("INFO").ExpectStatus(200)),
      early("early_update", "UPDATE without a session while it rings; 486",
            Scenario().Ring().Request("UPDATE").ExpectStatus(200)),
      early("early_update_session", "UPDATE with a session while it rings: 491; 486",
            Scenario().Ring().Request("UPDATE", Offer("", 2)).ExpectStatus(491)),
      early("early_refer", "REFER while it rings: 603; 486",
            Scenario()
                .Ring()
                .Request("REFER", {.headers = "Refer-To: <sip:+19005550100@192.0.2.9>\n"})
                .ExpectStatus(603)),
      early("early_invite", "INVITE inside the early dialog: 481; 486",
            Scenario()
                .Ring()
                .Request("INVITE", Offer("", 2))
                .ExpectStatus(481)
                .AckReinvite(/*failed=*/true)),
      {.name = "info_repeated",
       .what = "the same INFO twice, as if our 200 was lost",
       .scenario = Up().Request("INFO", kOnce)
                       .ExpectStatus(200)
                       .OddRequest("INFO", {.cseq = 1, .branch = "[branch-2]"}, kOnce)
                       .ExpectStatus(200)
                       .HangUp(),
       .expected = Talked(/*by_agent=*/false, 0),
       .agent = AgentPart::kIsHungUpOn,
       .sipp = {"-nr"}},
  };
}

}  // namespace

std::vector<FlowGroup> DialogGroups() {
  return {
      {"sessions", "New offers while the call is up (RFC 3261 14.2, 3264 8, 3311).", Sessions()},
      {"requests", "Other requests inside the dialog.", Requests()}};
}

}  // namespace outpace::e2e
