// Octets as one datagram to a live agent that has a call up and another ringing: requests outside
// of a dialog and inside one, responses to our INVITE. They go through the socket, Sofia's parser
// and our handlers, as a peer's would. Text that names the call by the Call-ID, tags and branch of
// the seeds reaches it, whatever number the call has now. No crash, an OPTIONS is answered after
// each, a call held by somebody else notices nothing, and every INVITE of ours comes to an end.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/base/check.h"
#include "tests/engine/sip/far_end.h"
#include "tests/engine/sip/shard_under_test.h"

namespace outpace::sip {
namespace {

constexpr char kSdp[] = "v=0\r\no=far 1 1 IN IP4 127.0.0.1\r\ns=-\r\n";
constexpr uint64_t kInputsEach = 2'000;  // then a new agent: transactions are kept for 32 s

class Target {
 public:
  Target() : far_("127.4.75.1"), shard_(Config()) {
    OUTPACE_CHECK(shard_.status.ok());
    Up(kHeld, held_);
    Up(kTalking, far_);
  }
  ~Target() {
    for (const uint32_t leg : {kHeld, talking_}) Forget(leg);
  }

  void Feed(absl::string_view octets) {
    const bool response = absl::StartsWith(octets, "SIP/");
    if (response) {
      ringing_ = ++legs_;
      call::InviteRequest request = RequestTo(far_, ringing_);
      request.trunk = 0;
      OUTPACE_CHECK(shard_.Invite(request).ok());
      ringing_invite_ = ReceiveInvite(far_, ringing_);
    }
    far_.Send(Renamed(octets, response ? ringing_ : talking_), shard_.port());
    Probe();
    if (response) End();
    while (!shard_.events.Empty()) {
      const Event event = shard_.events.Next();
      if (event.kind == "incoming") {
        shard_.Do([&event](SofiaSignaling& s) { s.Refuse(event.incoming.call, 480); });
        continue;
      }
      OUTPACE_CHECK(event.leg.index == talking_);  // only a BYE of its own far end is for an event
      OUTPACE_CHECK(event.kind == "bye");
      Forget(talking_);
      talking_ = ++legs_;
      Up(talking_, far_);
    }
    OUTPACE_CHECK(held_.Quiet(0));
  }

 private:
  static constexpr uint32_t kHeld = 1;
  static constexpr uint32_t kTalking = 2;

  static SofiaConfig Config() {
    SofiaConfig config = ShardUnderTest::Config();
    SipTrunk trunk;  // with all that a trunk can be set to have
    trunk.name = "far";
    trunk.addresses = {"127.4.75.1"};
    trunk.auth_user = "user";
    trunk.auth_password = "secret";
    trunk.hundred_rel = true;
    trunk.session_expires = absl::Minutes(30);
    trunk.inbound_numbers = {"+12025550188"};
    config.trunks = {trunk};
    return config;
  }
  // The seeds speak of leg 2 (RequestTo() makes its names from its number).
  static std::string Renamed(absl::string_view octets, uint32_t leg) {
    const std::string n = absl::StrCat(leg);
    return absl::StrReplaceAll(octets, {{"op-2-", "op-" + n + "-"},
                                        {"t2fedcba98", "t" + n + "fedcba98"},
                                        {"z9hG4bKop2aa", "z9hG4bKop" + n + "aa"}});
  }
  static WireMessage ReceiveInvite(FarEnd& far, uint32_t leg) {
    const std::string call_id = absl::StrCat("op-", leg, "-0123456789abcdef");
    for (;;) {
      WireMessage message = far.Receive();
      OUTPACE_CHECK(message.valid);
      if (message.IsRequest("INVITE") && message.Header("Call-ID") == call_id) return message;
      Serve(far, message);
    }
  }
  static void Serve(FarEnd& far, const WireMessage& message) {
    if (message.IsRequest("INVITE")) {  // once more, with credentials or a longer session
      far.Answer(message, {486, "Busy Here", "far", {}, ""});
    } else if (message.Status() == 0 && !message.IsRequest("ACK")) {
      far.Answer(message, {});
    }
  }

  void Up(uint32_t leg, FarEnd& far) {
    legs_ = std::max(legs_, leg);
    talking_ = leg;
    OUTPACE_CHECK(shard_.Invite(RequestTo(far, leg)).ok());
    far.Answer(ReceiveInvite(far, leg), {200, "OK", "far", {far.Contact()}, kSdp});
    OUTPACE_CHECK(shard_.events.NextFinal().kind == "answer");
    shard_.Do([leg](SofiaSignaling& s) { s.Ack(Leg1(leg)); });
    for (;;) {
      const WireMessage message = far.Receive();
      OUTPACE_CHECK(message.valid);
      if (message.IsRequest("ACK")) return;
      Serve(far, message);
    }
  }
  void Forget(uint32_t leg) {
    shard_.Do([leg](SofiaSignaling& s) { s.Forget(Leg1(leg)); });
  }
  // A plain 486 ends the ringing leg, if what came has not.
  void End() {
    far_.Answer(ringing_invite_, {486, "Busy Here", "far", {}, ""});
    const Event end = shard_.events.NextFinal();
    OUTPACE_CHECK(end.leg.index == ringing_);
    OUTPACE_CHECK(end.kind == "failure" || end.kind == "answer");
    Forget(ringing_);
    Probe();
  }
  // Asked again every second for twenty: a datagram may be lost, an agent may not.
  void Probe() {
    for (int tries = 0; tries < 20; ++tries) {
      if (Answers(absl::StrCat("fuzz-probe-", ++probes_))) return;
    }
    OUTPACE_CHECK(!"the agent does not answer");
  }
  bool Answers(const std::string& id) {
    far_.Send(absl::StrCat("OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.4.75.1:",
                           far_.port(), ";branch=z9hG4bK", id, "\r\nFrom: <sip:p@a>;tag=", probes_,
                           "\r\nTo: <sip:a@b>\r\nCall-ID: ", id,
                           "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"),
              shard_.port());
    while (!far_.Quiet(1'000)) {
      const WireMessage message = far_.Receive();
      if (message.Header("Call-ID") == id && message.Status() == 200) return true;
      Serve(far_, message);
    }
    return false;
  }

  FarEnd held_;
  FarEnd far_;
  ShardUnderTest shard_;
  WireMessage ringing_invite_;
  uint32_t legs_ = kTalking;
  uint32_t talking_ = kTalking;
  uint32_t ringing_ = 0;
  uint64_t probes_ = 0;
};

}  // namespace
}  // namespace outpace::sip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static std::unique_ptr<outpace::sip::Target> target;
  static uint64_t inputs = 0;
  if (target == nullptr || ++inputs % outpace::sip::kInputsEach == 0) {
    target.reset();
    target = std::make_unique<outpace::sip::Target>();
  }
  target->Feed(absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
