// More than 20,000 malformed messages against a live agent over UDP, each followed by an OPTIONS
// that must be answered, so that whatever fails is the message before it. Requests from a peer
// outside of any dialog; requests inside a call of the attacker's; responses to our own INVITE. A
// second call, held by somebody else all the while, must notice nothing.

#include "tests/engine/sip/malformed.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <functional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/engine/sip/hostile.h"

namespace outpace::sip {
namespace {

constexpr uint64_t kSeed = 4527;

// ---- naming the culprit when the process dies ----

char culprit[512];

void Name(absl::string_view form, absl::string_view spoiled) {
  const std::string text = absl::StrCat("malformed_test: died of ", form, ", ", spoiled, "\n");
  const size_t n = std::min(text.size(), sizeof culprit - 1);
  memcpy(culprit, text.data(), n);
  culprit[n] = '\0';
}

extern "C" void TellCulprit(int signal_number) {
  [[maybe_unused]] const ssize_t n = write(STDERR_FILENO, culprit, strlen(culprit));
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

// ---- the drafts ----

const std::vector<std::string>& SdpLines() {
  static const auto* lines = new std::vector<std::string>{
      "v=0",
      "o=far 4611 2 IN IP4 192.0.2.20",
      "s=call",
      "c=IN IP4 192.0.2.20/127",
      "b=AS:80",
      "t=0 0",
      "a=tool:far",
      "m=audio 17000 RTP/AVP 0 8 101",
      "a=rtpmap:0 PCMU/8000/1",
      "a=rtpmap:101 telephone-event/8000",
      "a=fmtp:101 0-15",
      "a=ptime:20",
      "a=sendrecv",
      "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
      "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:32",
      "m=video 0 RTP/AVP 31",
  };
  return *lines;
}

struct Form {
  const char* name;
  const char* method;
  bool with_sdp;
};
void PrintTo(const Form& form, std::ostream* out) { *out << form.name; }

// What every request of ours carries; `n` makes it a new transaction.
Draft Request(absl::string_view method, absl::string_view uri, absl::string_view from,
              absl::string_view to, absl::string_view call_id, uint32_t cseq, uint64_t n,
              int port) {
  Draft draft;
  draft.start = {std::string(method), std::string(uri), "SIP/2.0"};
  draft.headers = {
      {"Via", absl::StrCat("SIP/2.0/UDP ", kAttacker, ":", port, ";branch=z9hG4bKm", n,
                           ";rport=5060;ttl=1;received=127.4.75.1")},
      {"Max-Forwards", "70"},
      {"From", std::string(from)},
      {"To", std::string(to)},
      {"Call-ID", std::string(call_id)},
      {"CSeq", absl::StrCat(cseq, " ", method)},
      {"Contact",
       absl::StrCat("\"Far\" <sip:far@", kAttacker, ":", port, ";transport=udp>;expires=60;q=0.5")},
      {"Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS"},
      {"Supported", "timer, 100rel"},
      {"Date", "Sun, 22 Nov 2026 06:00:00 GMT"},
  };
  return draft;
}

// ---- requests outside of a dialog ----

class OutsideADialog : public ::testing::TestWithParam<Form> {};

Draft OutsideDraft(const Form& form, uint64_t n, int port) {
  Draft draft = Request(form.method, "sip:+12025550188@127.0.0.1:5060;user=phone;lr=on",
                        absl::StrCat("\"Caller\" <sip:caller@", kAttacker, ";user=phone>;tag=f", n),
                        "<sip:+12025550188@127.0.0.1;user=phone>",
                        absl::StrCat("malformed-", n, "@far"), 1, n, port);
  draft.headers.emplace_back("Session-Expires", "1800;refresher=uac");
  draft.headers.emplace_back("P-Asserted-Identity", "<sip:+12025550142@192.0.2.20>");
  draft.headers.emplace_back(
      "Authorization",
      "Digest username=\"a\", realm=\"b\", nonce=\"c\", uri=\"sip:d\", response=\"e\";x=y");
  if (form.with_sdp) draft.sdp = SdpLines();
  return draft;
}

TEST_P(OutsideADialog, NothingBreaksAndNothingIsAccepted) {
  const Form& form = GetParam();
  UnderAttack target;
  const int port = target.attacker().port();
  const Malformed malformed(OutsideDraft(form, 0, port), kSeed);
  for (size_t number = 0; number < malformed.size(); ++number) {
    const std::string spoiled = malformed.Name(number);
    SCOPED_TRACE(spoiled);
    Name(form.name, spoiled);
    target.Send(malformed.Text(OutsideDraft(form, number, port), number));
    ASSERT_TRUE(target.Alive());
    for (const WireMessage& heard : target.Heard()) {
      EXPECT_TRUE(heard.Status() >= 300 || form.method == absl::string_view("OPTIONS"))
          << heard.start_line;
      if (heard.Status() >= 300 && form.method == absl::string_view("INVITE")) {
        target.Send(AckOf(heard, port));
      }
    }
  }
  target.ExpectUntouched();
}

INSTANTIATE_TEST_SUITE_P(
    Malformed, OutsideADialog,
    ::testing::Values(Form{"INVITE", "INVITE", true}, Form{"OPTIONS", "OPTIONS", false},
                      Form{"CANCEL", "CANCEL", false}, Form{"BYE", "BYE", false},
                      Form{"REGISTER", "REGISTER", false}, Form{"ACK", "ACK", false},
                      Form{"MESSAGE", "MESSAGE", false}, Form{"REFER", "REFER", false}),
    [](const auto& instance) { return std::string(instance.param.name); });

// ---- requests inside the attacker's own call ----

class InsideADialog : public ::testing::TestWithParam<Form> {};

// A call of ours to the attacker, made anew when a case has ended it.
class AttackersCall {
 public:
  explicit AttackersCall(UnderAttack& target) : target_(target) {}

  void EnsureUp() {
    if (up_) return;
    ++index_;
    cseq_ = 100;
    ASSERT_TRUE(target_.shard().Invite(RequestTo(target_.attacker(), index_)).ok());
    invite_ = target_.attacker().ReceiveRequest("INVITE");
    ASSERT_TRUE(invite_.valid);
    target_.attacker().Answer(invite_,
                              {200, "OK", "far", {target_.attacker().Contact()}, "v=0\r\ns=-\r\n"});
    ASSERT_EQ(target_.shard().events.NextFinal().kind, "answer");
    target_.shard().Do([this](SofiaSignaling& s) { s.Ack(Leg1(index_)); });
    ASSERT_TRUE(target_.attacker().ReceiveRequest("ACK").valid);
    up_ = true;
  }
  // A BYE that got through its anomaly ends the call: the one event that may come.
  void TakeEvents() {
    while (!target_.shard().events.Empty()) {
      const Event event = target_.shard().events.Next();
      EXPECT_EQ(event.kind, "bye");
      EXPECT_EQ(event.leg, Leg1(index_));
      up_ = false;
      target_.shard().Do([this](SofiaSignaling& s) { s.Forget(Leg1(index_)); });
    }
  }
  void End() {
    if (up_) target_.shard().Do([this](SofiaSignaling& s) { s.Forget(Leg1(index_)); });
    up_ = false;
  }
  Draft Draw(const Form& form, uint64_t n, int port) {
    Draft draft = Request(form.method,
                          absl::StrCat("sip:outpace@127.0.0.1:", target_.shard().port(), ";lr=on"),
                          absl::StrCat(invite_.Header("To"), ";tag=far"), invite_.Header("From"),
                          invite_.Header("Call-ID"), ++cseq_, n, port);
    draft.headers.emplace_back("Reason", "Q.850;cause=16;text=\"bye\"");
    draft.headers.emplace_back("Record-Route", absl::StrCat("<sip:", kAttacker, ";lr;a=b>;c=d"));
    draft.headers.emplace_back("Min-SE", "90;x=y");
    if (form.with_sdp) draft.sdp = SdpLines();
    return draft;
  }

 private:
  UnderAttack& target_;
  uint32_t index_ = 1;  // leg 1 is the held call's
  uint32_t cseq_ = 100;
  bool up_ = false;
  WireMessage invite_;
};

TEST_P(InsideADialog, NothingBreaksAndNoOtherCallIsTouched) {
  const Form& form = GetParam();
  UnderAttack target;
  AttackersCall call(target);
  const int port = target.attacker().port();
  call.EnsureUp();
  const Malformed malformed(call.Draw(form, 0, port), kSeed);
  size_t offers = 0;
  for (size_t number = 0; number < malformed.size(); ++number) {
    const std::string spoiled = malformed.Name(number);
    SCOPED_TRACE(spoiled);
    Name(form.name, spoiled);
    call.EnsureUp();
    target.Send(malformed.Text(call.Draw(form, number + 1, port), number));
    ASSERT_TRUE(target.Alive());
    for (const WireMessage& heard : target.Heard()) {
      if (heard.Status() >= 300 && absl::EndsWith(heard.Header("CSeq"), "INVITE")) {
        target.Send(AckOf(heard, port));
      }
    }
    call.TakeEvents();
    offers += target.shard().events.TakeOffers().size();
  }
  EXPECT_EQ(offers > 0, form.with_sdp);
  call.End();
  while (!target.attacker().Quiet(0)) target.attacker().Receive();
  target.ExpectUntouched();
}

INSTANTIATE_TEST_SUITE_P(
    Malformed, InsideADialog,
    ::testing::Values(Form{"ReInvite", "INVITE", true}, Form{"Update", "UPDATE", true},
                      Form{"Bye", "BYE", false}, Form{"Info", "INFO", false},
                      Form{"Options", "OPTIONS", false}, Form{"Cancel", "CANCEL", false},
                      Form{"Refer", "REFER", false}, Form{"Prack", "PRACK", false}),
    [](const auto& instance) { return std::string(instance.param.name); });

// ---- responses to our INVITE ----

struct Answered {
  const char* name;
  const char* status;
  const char* phrase;
  bool with_sdp;
};
void PrintTo(const Answered& form, std::ostream* out) { *out << form.name; }

class ToOurInvite : public ::testing::TestWithParam<Answered> {};

Draft ResponseDraft(const Answered& form, const WireMessage& invite, int port) {
  Draft draft;
  draft.start = {"SIP/2.0", form.status, form.phrase};
  draft.headers = {
      {"Via", absl::StrCat(invite.Header("Via"), ";received=127.0.0.1")},
      {"Record-Route", absl::StrCat("<sip:", kAttacker, ":", port, ";lr;a=b>;c=d")},
      {"From", invite.Header("From")},
      {"To", absl::StrCat(invite.Header("To"), ";tag=far")},
      {"Call-ID", invite.Header("Call-ID")},
      {"CSeq", "1 INVITE"},
      {"Contact",
       absl::StrCat("<sip:far@", kAttacker, ":", port, ";transport=udp>;expires=60;q=0.5")},
      {"Require", "timer"},
      {"RSeq", "1"},
      {"Session-Expires", "1800;refresher=uac"},
      {"Retry-After", "5 (soon);duration=60"},
      {"Reason", "Q.850;cause=17;text=\"busy\""},
      {"WWW-Authenticate",
       "Digest realm=\"trunk\", nonce=\"abc\", qop=\"auth\", algorithm=SHA-256;x=y"},
      {"Warning", "399 far \"no\""},
  };
  if (form.with_sdp) draft.sdp = SdpLines();
  return draft;
}

// All that a trunk can be set to have: PRACK, session timers, credentials.
SofiaConfig EverythingOn() {
  SofiaConfig config = UnderAttack::Config(UnderAttack::From::kPeer);
  SipTrunk trunk;
  trunk.name = "attacker";
  trunk.addresses = {kAttacker};
  trunk.auth_user = "user";
  trunk.auth_password = "secret";
  trunk.hundred_rel = true;
  trunk.session_expires = absl::Minutes(30);
  trunk.inbound_numbers = {"+12025550188"};
  config.trunks = {trunk};
  return config;
}

// What a correct far end owes: the answers to requests of ours, and a 486 to each INVITE.
void Serve(UnderAttack& target) {
  for (const WireMessage& heard : target.Heard()) {
    if (heard.IsRequest("INVITE")) {
      target.attacker().Answer(heard, {486, "Busy Here", "far", {}, ""});
    } else if (heard.Status() == 0 && !heard.IsRequest("ACK")) {
      target.attacker().Answer(heard, {});
    }
  }
}

// Whatever came: a plain 486 after it brings the leg to its end, if it has not come to one.
TEST_P(ToOurInvite, EveryLegStillComesToItsEnd) {
  const Answered& form = GetParam();
  UnderAttack target(UnderAttack::From::kPeer, EverythingOn());
  FarEnd& attacker = target.attacker();
  ShardUnderTest& shard = target.shard();
  WireMessage sample;
  sample.headers = {{"Via", "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKsample;rport"},
                    {"From", "<sip:a@b>;tag=x"},
                    {"To", "<sip:c@d>"},
                    {"Call-ID", "e"}};
  const Malformed malformed(ResponseDraft(form, sample, attacker.port()), kSeed);
  for (size_t number = 0; number < malformed.size(); ++number) {
    const std::string spoiled = malformed.Name(number);
    SCOPED_TRACE(spoiled);
    Name(form.name, spoiled);
    const uint32_t index = static_cast<uint32_t>(number) + 2;
    call::InviteRequest request = RequestTo(attacker, index);
    request.trunk = number % 2 == 0 ? 0 : call::kAgentTrunk;
    ASSERT_TRUE(shard.Invite(request).ok());
    WireMessage invite;
    while ((invite = attacker.Receive()).Header("Call-ID") != request.ids.call_id ||
           !invite.IsRequest("INVITE")) {
      ASSERT_TRUE(invite.valid);
      if (invite.Status() == 0 && !invite.IsRequest("ACK")) attacker.Answer(invite, {});
    }
    target.Send(malformed.Text(ResponseDraft(form, invite, attacker.port()), number));
    ASSERT_TRUE(target.Alive());
    Serve(target);  // an INVITE sent again, with credentials or a longer session
    attacker.Answer(invite, {486, "Busy Here", "far", {}, ""});
    const Event end = shard.events.NextFinal();
    ASSERT_TRUE(end.kind == "failure" || end.kind == "answer") << end.kind;
    EXPECT_EQ(end.leg, Leg1(index));
    shard.Do([index](SofiaSignaling& s) { s.Forget(Leg1(index)); });
    ASSERT_TRUE(target.Alive());
    Serve(target);
    EXPECT_TRUE(shard.events.Empty());
  }
  target.ExpectUntouched(UnderAttack::Strays::kMayEnd);
}

INSTANTIATE_TEST_SUITE_P(Malformed, ToOurInvite,
                         ::testing::Values(Answered{"Ringing180", "180", "Ringing", false},
                                           Answered{"Progress183", "183", "Progress", true},
                                           Answered{"Ok200", "200", "OK", true},
                                           Answered{"Moved302", "302", "Moved", false},
                                           Answered{"Unauthorized401", "401", "Unauthorized",
                                                    false},
                                           Answered{"Busy486", "486", "Busy", false},
                                           Answered{"Unavailable503", "503", "Unavailable", false},
                                           Answered{"Decline603", "603", "Decline", false}),
                         [](const auto& instance) { return std::string(instance.param.name); });

// ---- calls offered by a trunk ----

// Each call that is offered all the same is refused, and then nothing of it is left.
TEST(MalformedFromATrunk, EveryOfferedCallCanBeRefused) {
  UnderAttack target(UnderAttack::From::kPeer, EverythingOn());
  const Form form{"Offered", "INVITE", true};
  const int port = target.attacker().port();
  const Malformed malformed(OutsideDraft(form, 0, port), kSeed);
  size_t offered = 0;
  for (size_t number = 0; number < malformed.size(); ++number) {
    const std::string spoiled = malformed.Name(number);
    SCOPED_TRACE(spoiled);
    Name(form.name, spoiled);
    target.Send(malformed.Text(OutsideDraft(form, number, port), number));
    ASSERT_TRUE(target.Alive());
    while (!target.shard().events.Empty()) {
      const Event event = target.shard().events.Next();
      ASSERT_EQ(event.kind, "incoming");
      ++offered;
      target.shard().Do([&event](SofiaSignaling& s) { s.Refuse(event.incoming.call, 480); });
    }
    ASSERT_TRUE(target.Alive());
    for (const WireMessage& heard : target.Heard()) {
      EXPECT_TRUE(heard.Status() == 100 || heard.Status() >= 300) << heard.start_line;
      if (heard.Status() >= 300) target.Send(AckOf(heard, port));
    }
  }
  EXPECT_GT(offered, 0u);
  EXPECT_LT(offered, malformed.size());
  target.ExpectUntouched();
}

// ---- the measure ----

// PROTOS c07-sip has 4,527 cases. Counted here, so that nobody thins them out unseen.
TEST(MalformedCases, AreMoreThanProtosHas) {
  EXPECT_GE(ValueAnomalies() + LineAnomalies(), 30u);
  const Malformed invite(OutsideDraft({"INVITE", "INVITE", true}, 0, 5060), kSeed);
  const Malformed plain(OutsideDraft({"BYE", "BYE", false}, 0, 5060), kSeed);
  const WireMessage sample;
  const Malformed answer(ResponseDraft({"200", "200", "OK", true}, sample, 5060), kSeed);
  EXPECT_GE(invite.size(), 4'527u);
  EXPECT_GE(plain.size() + answer.size(), 4'527u);
}

TEST(MalformedCases, AreTheSameForTheSameSeed) {
  const Draft draft = OutsideDraft({"INVITE", "INVITE", true}, 0, 5060);
  const Malformed one(draft, 7);
  const Malformed two(draft, 7);
  const Malformed other(draft, 8);
  size_t differ = 0;
  for (size_t i = 0; i < one.size(); ++i) {
    ASSERT_EQ(one.Text(draft, i), two.Text(draft, i)) << one.Name(i);
    differ += one.Text(draft, i) != other.Text(draft, i) ? 1 : 0;
  }
  EXPECT_GT(differ, 0u);
}

class TellTheCulprit final : public ::testing::Environment {
  void SetUp() override {
    if (kSanitized) return;  // the sanitizer's own report must come
    for (const int number : {SIGABRT, SIGSEGV, SIGBUS}) signal(number, TellCulprit);
  }
};
[[maybe_unused]] const auto* const environment =
    ::testing::AddGlobalTestEnvironment(new TellTheCulprit);

}  // namespace
}  // namespace outpace::sip
