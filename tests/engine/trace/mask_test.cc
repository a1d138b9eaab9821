#include "engine/trace/mask.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/trace/trace_messages.h"

namespace outpace::trace {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Secrets(std::string text) {
  MaskSecrets(text.data(), text.size());
  return text;
}

TEST(MaskSecrets, CoversCredentialsAndKeysAndNothingElse) {
  EXPECT_EQ(Secrets("X\r\nAuthorization: Digest user=\"a\"\r\nTo: b\r\n"),
            "X\r\nAuthorization: Digest ********\r\nTo: b\r\n");
  EXPECT_EQ(Secrets("X\nproxy-authorization\t:Digest a,\n\tb=c\nTo: b"),
            "X\nproxy-authorization\t:Digest **\n****\nTo: b");
  EXPECT_EQ(Secrets("X\nAuthentication-Info: rspauth=1\nP: b"),
            "X\nAuthentication-Info: *********\nP: b");
  EXPECT_EQ(Secrets("a=crypto:1 AES inline:abc|2^20\r\na=x"),
            "a=crypto:1 AES inline:********\r\na=x");
  EXPECT_EQ(Secrets("a=crypto:1 AES\na=key-mgmt:mikey x\nk=clear:x\nk"),
            "a=crypto:*****\na=key-mgmt:*******\nk=*******\nk");
  EXPECT_EQ(Secrets("Authorization:"), "Authorization:");
  EXPECT_EQ(Secrets("Authorization"), "Authorization");
  EXPECT_EQ(Secrets("Authorizations: x"), "Authorizations: x");
  EXPECT_EQ(Secrets("WWW-Authenticate: Digest nonce=\"x\""),
            "WWW-Authenticate: Digest nonce=\"x\"");
  EXPECT_EQ(Secrets(""), "");
}

std::string Line(absl::string_view line) {
  const std::string masked =
      MaskNumbers(absl::StrCat("OPTIONS sip:h SIP/2.0\r\n", line, "\r\n\r\n"));
  return masked.substr(23, line.size());
}

TEST(MaskNumbers, TakesTheEndOffNumbers) {
  EXPECT_EQ(Line("To: <sip:+12025550123@h>"), "To: <sip:+1202555****@h>");
  EXPECT_EQ(Line("To: sip:+1-202-555-0123;npdi@h;tag=1234567"),
            "To: sip:+1-202-555-****;npdi@h;tag=1234567");
  EXPECT_EQ(Line("To: <tel:+12025550123;phone-context=x>"),
            "To: <tel:+1202555****;phone-context=x>");
  EXPECT_EQ(Line("f: <sips:13800138000:secret@h>"), "f: <sips:1380013****:******@h>");
  EXPECT_EQ(Line("To: <sip:12025550123>"), "To: <sip:1202555****>");
  EXPECT_EQ(Line("To: <sip:10086@h>, <sip:1001@h>"), "To: <sip:1****@h>, <sip:1001@h>");
  EXPECT_EQ(Line("Contact: <sip:alice.b@h:45061>"), "Contact: <sip:al***.*@h:45061>");
  EXPECT_EQ(Line("P-Charge-Info: 2025550123"), "P-Charge-Info: 202555****");
  EXPECT_EQ(Line("Reason: Q.850;cause=16"), "Reason: Q.850;cause=16");
}

TEST(MaskNumbers, HidesNamesAndFreeText) {
  EXPECT_EQ(Line("From: \"Jane \\\"J\\\" Roe\" <sip:1001@h>;tag=x"),
            "From: \"**** \\\"*\\\" ***\" <sip:1001@h>;tag=x");
  EXPECT_EQ(Line("m: Jane Roe <sip:1001@h>, \xe5\xbc\xa0 <sip:1002@h>"),
            "m: **** *** <sip:1001@h>, *** <sip:1002@h>");
  EXPECT_EQ(Line("X-Lead-Name: Jane Roe"), "X-Lead-Name: **** ***");
  EXPECT_EQ(Line("Identity: eyJ0bi.abc"), "Identity: ******.***");
  EXPECT_EQ(Line("y: eyJ0bi.abc"), "y: ******.***");
  EXPECT_EQ(Line("Subject: call Jane\r\n back"), "Subject: **** ****\r\n ****");
}

TEST(MaskNumbers, LeavesWhatNamesNobody) {
  for (const char* line :
       {"Via: SIP/2.0/UDP 192.168.100.200:45061;branch=z9hG4bK1234567", "CSeq: 1001071592 INVITE",
        "Call-ID: op-123456789012-98765432109f3c", "Contact: <sip:outpace@192.0.2.10:45061>",
        "Call-ID: 12345678@host", "Content-Length: 12345", "Date: Mon, 02 Mar 2026 09:00:00 GMT",
        "User-Agent: Gateway 1234567", "Session-Expires: 1800",
        "Contact: <sip:192.168.100.200:45061>", "Contact: <sip:[2001:db8::12]:45061>"}) {
    EXPECT_EQ(Line(line), line);
  }
  EXPECT_EQ(Line("Call-ID: 12025550123@host"), "Call-ID: 1202555****@host");
}

TEST(MaskNumbers, CoversBodies) {
  const std::string sdp = MaskNumbers(Sip("INVITE sip:+12025550123@h SIP/2.0", "a", "", "1 INVITE",
                                          "", absl::StrCat(kOffer, "p=+1 202 555 0123\r\n")));
  EXPECT_THAT(sdp, HasSubstr("INVITE sip:+1202555****@h SIP/2.0"));
  EXPECT_THAT(sdp, HasSubstr("o=- 1765**** 1 IN IP4 192.0.2.10"));
  EXPECT_THAT(sdp, HasSubstr("m=audio 40000 RTP/SAVP"));
  EXPECT_THAT(sdp, HasSubstr("p=+* *** *** ****"));
  EXPECT_THAT(sdp, Not(HasSubstr("0123")));
  EXPECT_EQ(MaskNumbers("INFO sip:h SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\n"
                        "Signal=5\r\nDuration=160\r\n"),
            "INFO sip:h SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\n"
            "Signal=*\r\nDuration=***\r\n");
  EXPECT_EQ(MaskNumbers("NOTIFY sip:h SIP/2.0\r\n\r\nTo: <sip:+12025550123@h>\r\n"),
            "NOTIFY sip:h SIP/2.0\r\n\r\nTo: <sip:+1202555****@h>\r\n");
}

TEST(MaskNumbers, KeepsTheLengthOfEverything) {
  // Every cut of a real call, and every byte of one message replaced by a hostile one.
  for (const RecordedMessage& message : AnsweredCall()) {
    for (size_t size = 0; size <= message.bytes.size(); size += 3) {
      std::string cut = message.bytes.substr(0, size);
      EXPECT_EQ(MaskNumbers(cut).size(), size);
      MaskSecrets(cut.data(), cut.size());
    }
  }
  const std::string original = AnsweredCall()[4].bytes;
  for (const char hostile : {'\0', '\n', '"', '<', '\\', ':', '@', ';', '\xff', '5'}) {
    for (size_t i = 0; i < original.size(); ++i) {
      std::string changed = original;
      changed[i] = hostile;
      EXPECT_EQ(MaskNumbers(changed).size(), changed.size());
      MaskSecrets(changed.data(), changed.size());
    }
  }
}

}  // namespace
}  // namespace outpace::trace
