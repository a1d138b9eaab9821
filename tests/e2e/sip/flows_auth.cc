// Trunks that want credentials (RFC 7616, RFC 8760): what is answered, how often, and what never.

#include "absl/strings/str_cat.h"
#include "tests/e2e/sip/flow.h"
#include "tests/e2e/sip/trunk_flows.h"

namespace outpace::e2e {
namespace {

Flow Auth(const std::string& name, const std::string& what, const Scenario& scenario,
          const Expected& expected, const std::string& trunk = kLogin) {
  return {.name = absl::StrCat("auth_", name),
          .what = what,
          .scenario = scenario,
          .expected = expected,
          .trunk = trunk};
}

// The challenge is answered with this, and the second INVITE ends in a 486.
Flow Answered(const std::string& name, const std::string& what, int status,
              const std::string& challenge, std::vector<std::string> has) {
  Scenario scenario;
  scenario.Respond(status, Challenge(status, challenge)).Expect("ACK");
  // SIPp's own check reads Authorization only.
  if (status == 401) {
    scenario.ExpectInvite("op", kPassword);
  } else {
    scenario.ExpectInvite();
  }
  scenario.Respond(486).Expect("ACK");
  Flow flow = Auth(name, what, scenario, BusyAfter(/*rang=*/false));
  has.push_back("CSeq: 2 INVITE");
  has.push_back(status == 401 ? "\nAuthorization: Digest" : "Proxy-Authorization: Digest");
  flow.wire = {{"INVITE", {"CSeq: 1 INVITE"}, {"Authorization", "s3cret"}},
               {"INVITE", has, {"s3cret"}, 2, kPassword}};
  return flow;
}

// The challenge is not answered: the trunk's fault, and no second INVITE (SIPp would complain).
Flow Unanswered(const std::string& name, const std::string& what, int status,
                const std::string& challenge, const std::string& trunk = kLogin) {
  return Auth(name, what,
              Scenario().Respond(status, Challenge(status, challenge)).Expect("ACK").Pause(300),
              TrunkAtFault(status, 0), trunk);
}

std::vector<Flow> Credentials() {
  Flow bye = Auth("bye", "INVITE taken, BYE challenged",
                  Scenario()
                      .Ring()
                      .AnswerCall()
                      .Expect("ACK")
                      .Expect("BYE")
                      .Reply(407, Challenge(407, Digest("MD5")))
                      .ExpectBye(),
                  Talked(/*by_agent=*/true));
  bye.agent = AgentPart::kHangsUp;
  bye.wire = {{"BYE", {"CSeq: 3 BYE"}, {}, 2, kPassword}};
  Flow talk = Auth("then_call", "challenge, then a call",
                   Scenario()
                       .Respond(407, Challenge(407, Digest("MD5")))
                       .Expect("ACK")
                       .ExpectInvite()
                       .Ring()
                       .AnswerCall()
                       .Expect("ACK")
                       .ExpectBye(),
                   Talked(/*by_agent=*/true));
  talk.agent = AgentPart::kHangsUp;
  talk.wire = {{"INVITE", {}, {}, 2, kPassword}, {"BYE", {"CSeq: 3 BYE"}}};
  Flow callee =
      Auth("no_credentials", "407 from a trunk that we have no credentials for",
           Scenario().Respond(407, Challenge(407, Digest("MD5"))).Expect("ACK").Pause(300),
           TrunkAtFault(407, 0), "");
  return {
      Answered("md5", "407, MD5 with qop=auth", 407, Digest("MD5"), {"qop=auth", "nc=00000001"}),
      Answered("md5_401", "401, MD5 with qop=auth", 401, Digest("MD5"), {"qop=auth"}),
      Answered("old_form", "407 without algorithm and qop (RFC 2069)", 407, Digest("", "n0nce", ""),
               {"nonce=\"n0nce\""}),
      Answered(
          "opaque", "407 with opaque and a domain", 407,
          Digest("MD5", "n0nce", ", qop=\"auth,auth-int\", opaque=\"op,aque\", domain=\"sip:x\""),
          {"opaque=\"op,aque\"", "qop=auth,"}),
      Answered("sha256", "407, SHA-256", 407, Digest("SHA-256"), {"algorithm=SHA-256", "qop=auth"}),
      Answered("sha512_256", "407, SHA-512-256", 407, Digest("SHA-512-256"),
               {"algorithm=SHA-512-256"}),
      Answered("strongest", "407 with MD5 and SHA-256: SHA-256 is taken", 407,
               absl::StrCat(Digest("MD5"), "\nProxy-Authenticate: ", Digest("SHA-256", "n2")),
               {"algorithm=SHA-256", "nonce=\"n2\""}),
      Answered(
          "unknown_beside_md5", "407 with an unknown algorithm and MD5: MD5 is taken", 407,
          absl::StrCat(Digest("SNAKE-OIL", "n1"), "\nProxy-Authenticate: ", Digest("MD5", "n2")),
          {"nonce=\"n2\""}),
      Answered("letter_case", "407 in mixed case and with blanks", 407,
               "dIGEST  Realm = \"carrier\" , NONCE=\"n0nce\", Algorithm=md5, QOP=\"auth\"",
               {"nonce=\"n0nce\""}),
      Auth("stale", "407, then 407 with stale=true: answered again",
           Scenario()
               .Respond(407, Challenge(407, Digest("MD5", "old")))
               .Expect("ACK")
               .ExpectInvite()
               .Respond(407, Challenge(407, Digest("MD5", "new", ", qop=\"auth\", stale=true")))
               .Expect("ACK")
               .ExpectInvite()
               .Respond(486)
               .Expect("ACK"),
           BusyAfter(/*rang=*/false)),
      Auth("stale_for_ever", "407 with stale=true again and again: two answers",
           Scenario()
               .Respond(407, Challenge(407, Digest("MD5", "a")))
               .Expect("ACK")
               .ExpectInvite()
               .Respond(407, Challenge(407, Digest("MD5", "b", ", qop=\"auth\", stale=true")))
               .Expect("ACK")
               .ExpectInvite()
               .Respond(407, Challenge(407, Digest("MD5", "c", ", qop=\"auth\", stale=true")))
               .Expect("ACK")
               .Pause(300),
           TrunkAtFault(407, 0)),
      Auth("wrong_password", "407 to the credentials: one try, no loop, the lead is not burnt",
           Scenario()
               .Respond(407, Challenge(407, Digest("MD5", "a")))
               .Expect("ACK")
               .ExpectInvite()
               .Respond(407, Challenge(407, Digest("MD5", "b")))
               .Expect("ACK")
               .Pause(300),
           TrunkAtFault(407, 0)),
      Auth("refused_403", "403 to the credentials",
           Scenario()
               .Respond(407, Challenge(407, Digest("MD5")))
               .Expect("ACK")
               .ExpectInvite()
               .Respond(403)
               .Expect("ACK"),
           Refused(403, 0, "rejected", "NA")),
      Auth("downgrade", "SHA-256 asked for, then MD5: not answered",
           Scenario()
               .Respond(407, Challenge(407, Digest("SHA-256", "a")))
               .Expect("ACK")
               .ExpectInvite()
               .Respond(407, Challenge(407, Digest("MD5", "b", ", qop=\"auth\", stale=true")))
               .Expect("ACK")
               .Pause(300),
           TrunkAtFault(407, 0)),
      Unanswered("other_realm", "407 for another realm than the trunk's: not answered", 407,
                 Digest("MD5"), absl::StrCat(kLogin, "realm = \"sip.carrier.example\"\n")),
      Unanswered("auth_int_only", "407 with qop=auth-int alone: not answered", 407,
                 Digest("MD5", "n0nce", ", qop=\"auth-int\"")),
      Unanswered("unknown_algorithm", "407 with an unknown algorithm: not answered", 407,
                 Digest("SNAKE-OIL")),
      Unanswered("basic", "401 Basic: never answered", 401, "Basic realm=\"carrier\""),
      Unanswered("no_nonce", "407 without a nonce: not answered", 407,
                 "Digest realm=\"carrier\", qop=\"auth\""),
      callee,
      talk,
      bye,
  };
}

}  // namespace

std::vector<FlowGroup> AuthGroups() {
  return {{"credentials", "Digest authentication.", Credentials()}};
}

}  // namespace outpace::e2e
