#include "tools/farend/sip_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"

namespace outpace::farend {
namespace {

using ::testing::ElementsAre;

constexpr char kInvite[] =
    "INVITE sip:+12025550100@127.0.0.1:5070 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:40000;branch=z9hG4bKabc;rport\r\n"
    "Max-Forwards: 70\r\n"
    "From: \"Sales, EU\" <sip:+12025550199@127.0.0.1>;tag=f1\r\n"
    "To: <sip:+12025550100@127.0.0.1:5070>\r\n"
    "Call-ID: op-17-aa\r\n"
    "CSeq: 101 INVITE\r\n"
    "Contact: <sip:127.0.0.1:40000>\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: 4\r\n"
    "\r\n"
    "v=0\nrest";

TEST(ParseSip, ReadsARequestAndCutsTheBodyAtContentLength) {
  const auto message = ParseSip(kInvite);
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_TRUE(message->is_request());
  EXPECT_EQ(message->method, "INVITE");
  EXPECT_EQ(message->uri, "sip:+12025550100@127.0.0.1:5070");
  EXPECT_EQ(message->Get("call-id"), "op-17-aa");
  EXPECT_EQ(message->body, "v=0\n");
  EXPECT_EQ(message->Get("Subject"), "");
}

TEST(ParseSip, TakesCompactNamesFoldingBareLfAndLeadingEmptyLines) {
  const auto message = ParseSip(
      "\r\n\r\nBYE sip:a@h sip/2.0\nv : SIP/2.0/UDP h;branch=z9hG4bK1\nf:<sip:a@h>\n ;tag=1\nt: "
      "sip:b@h;tag=2\ni:x\nl: 0\n\n");
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(message->Get("Via"), "SIP/2.0/UDP h;branch=z9hG4bK1");
  EXPECT_EQ(message->Get("From"), "<sip:a@h> ;tag=1");
  EXPECT_EQ(message->Get("Call-ID"), "x");
  EXPECT_EQ(message->body, "");
}

TEST(ParseSip, WhatItWritesItReadsBack) {
  SipMessage message;
  message.status = 486;
  message.phrase = "Busy Here";
  message.Add("Via", "SIP/2.0/UDP h;branch=z9hG4bK1").Add("Content-Length", "99");
  message.body = "body";
  const auto again = ParseSip(message.Serialize());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->status, 486);
  EXPECT_EQ(again->phrase, "Busy Here");
  EXPECT_EQ(again->Get("Content-Length"), "4");
  EXPECT_EQ(again->body, "body");
  EXPECT_EQ(again->Serialize(), message.Serialize());
}

TEST(ParseSip, RefusesWhatIsNotSip) {
  const std::string hostile[] = {
      "",
      "\r\n\r\n",
      "INVITE",
      "INVITE sip:a@h",
      "INVITE  SIP/2.0\r\n\r\n",
      "IN VITE\x01 sip:a SIP/3.0\r\n\r\n",
      "SIP/2.0 99 Low\r\n\r\n",
      "SIP/2.0 700 High\r\n\r\n",
      "SIP/2.0 2x0 Odd\r\n\r\n",
      "SIP/2.0 \r\n\r\n",
      "BYE sip:a@h SIP/2.0\r\n folded: first\r\n\r\n",
      "BYE sip:a@h SIP/2.0\r\nno colon\r\n\r\n",
      "BYE sip:a@h SIP/2.0\r\n: empty name\r\n\r\n",
      "BYE sip:a@h SIP/2.0\r\nb\xff\x01y: name\r\n\r\n",
      "BYE sip:a@h SIP/2.0\r\nContent-Length: 5\r\n\r\nabc",
      "BYE sip:a@h SIP/2.0\r\nContent-Length: -1\r\n\r\nabc",
      "BYE sip:a@h SIP/2.0\r\nContent-Length: 99999999999999999999999\r\n\r\n",
      std::string("BYE sip:a@h SIP/2.0\r\nTo: a\0b\r\n\r\n", 33),
      std::string(70000, 'x'),
  };
  for (const std::string& bytes : hostile) {
    EXPECT_FALSE(ParseSip(bytes).ok()) << bytes.substr(0, 60);
  }
  std::string many = "BYE sip:a@h SIP/2.0\r\n";
  for (int i = 0; i < 300; ++i) absl::StrAppend(&many, "X: y\r\n");
  EXPECT_FALSE(ParseSip(many).ok());
}

TEST(ParseSip, SurvivesDamagedMessages) {
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    Rng rng(seed);
    std::string bytes = kInvite;
    for (uint64_t n = rng.Below(6) + 1; n > 0; --n) {
      const auto at = static_cast<size_t>(rng.Below(bytes.size()));
      switch (rng.Below(3)) {
        case 0:
          bytes[at] = static_cast<char>(rng.Below(256));
          break;
        case 1:
          bytes.erase(at, rng.Below(20));
          break;
        default:
          bytes.insert(at, bytes.substr(rng.Below(bytes.size()), rng.Below(30)));
      }
      if (bytes.empty()) bytes = "x";
    }
    const auto message = ParseSip(bytes);
    if (!message.ok()) continue;
    for (const SipHeader& header : message->headers) {
      const auto address = ParseNameAddr(header.value);
      if (address.ok()) {
        EXPECT_FALSE(address->uri.empty());
        Param(address->params, "tag");
        const auto uri = ParseUri(address->uri);
        if (uri.ok()) DigitsOf(uri->user);
      }
      const auto via = ParseVia(header.value);
      if (via.ok()) {
        EXPECT_FALSE(via->host.empty()) << "seed=" << seed;
      }
      ASSERT_LE(message->List(header.name).size(), bytes.size());
    }
    // What was understood once is understood again.
    const auto again = ParseSip(message->Serialize());
    if (message->headers.size() < 250) {
      ASSERT_TRUE(again.ok()) << "seed=" << seed << " " << again.status();
      EXPECT_EQ(again->body, message->body) << "seed=" << seed;
    }
  }
}

TEST(SipMessage, SplitsListsAtCommasOutsideQuotesAndBrackets) {
  SipMessage message;
  message.Add("Record-Route", "<sip:a;lr>, \"x, y\" <sip:b,c;lr>");
  message.Add("Record-Route", " , <sip:d>");
  EXPECT_THAT(message.List("record-route"),
              ElementsAre("<sip:a;lr>", "\"x, y\" <sip:b,c;lr>", "<sip:d>"));
}

TEST(ParseUri, Table) {
  struct Row {
    const char* text;
    bool ok;
    const char* user;
    const char* host;
    int port;
  };
  const Row rows[] = {
      {"sip:+1202@192.0.2.1:5061;transport=udp?x=y", true, "+1202", "192.0.2.1", 5061},
      {"SIP:bob:secret@h", true, "bob", "h", 0},
      {"sip:[2001:db8::1]:5060", true, "", "[2001:db8::1]", 5060},
      {"sip:[2001:db8::1]", true, "", "[2001:db8::1]", 0},
      {"tel:+1-202;ext=1", true, "+1-202", "", 0},
      {"sip:h:99999", false, "", "", 0},
      {"sip:", false, "", "", 0},
      {"http://h", false, "", "", 0},
      {"nonsense", false, "", "", 0},
  };
  for (const Row& row : rows) {
    const auto uri = ParseUri(row.text);
    ASSERT_EQ(uri.ok(), row.ok) << row.text;
    if (!row.ok) continue;
    EXPECT_EQ(uri->user, row.user) << row.text;
    EXPECT_EQ(uri->host, row.host) << row.text;
    EXPECT_EQ(uri->port, row.port) << row.text;
  }
}

TEST(ParseVia, ReadsBranchAndRport) {
  const auto via = ParseVia("SIP / 2.0 / UDP 127.0.0.1:40000 ;rport;branch=z9hG4bK7");
  ASSERT_TRUE(via.ok()) << via.status();
  EXPECT_EQ(via->host, "127.0.0.1");
  EXPECT_EQ(via->port, 40000);
  EXPECT_EQ(via->branch, "z9hG4bK7");
  EXPECT_TRUE(via->rport);
  EXPECT_FALSE(ParseVia("SIP/2.0/UDP").ok());
  EXPECT_FALSE(ParseVia("h;branch=1").ok());
  EXPECT_FALSE(ParseVia("SIP/2.0/UDP h:0x10").ok());
}

TEST(Reason, GivesTheQ850Cause) {
  SipMessage message;
  message.Add("Reason", "SIP;cause=480, q.850 ; cause=20 ;text=\"off; really\"");
  EXPECT_EQ(Q850Cause(message), 20);
  EXPECT_EQ(Q850Cause(SipMessage()), 0);
  SipMessage odd;
  odd.Add("Reason", "Q.850;cause=9999");
  EXPECT_EQ(Q850Cause(odd), 0);
}

TEST(Sdp, ReadsAnOfferAndAnswersIt) {
  const auto offer = ParseSdp(
      "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
      "m=audio 4000 RTP/AVP 18 8 0 101\r\nc=IN IP4 192.0.2.8/127\r\na=sendonly\r\n"
      "a=rtpmap:101 telephone-event/8000\r\nm=video 1 RTP/AVP 96\r\nc=IN IP4 1.1.1.1\r\n"
      "a=inactive\r\n");
  ASSERT_TRUE(offer.ok()) << offer.status();
  EXPECT_EQ(offer->address, "192.0.2.8");
  EXPECT_EQ(offer->port, 4000);
  EXPECT_EQ(offer->telephone_event, 101);
  EXPECT_TRUE(offer->sends);
  EXPECT_FALSE(offer->receives);
  EXPECT_EQ(ChooseCodec(*offer), 8);
  const std::string answer = BuildSdp("127.0.0.1", 5004, 8, *offer, 1);
  const auto back = ParseSdp(answer);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->port, 5004);
  EXPECT_THAT(back->payloads, ElementsAre(8, 101));
  EXPECT_FALSE(back->sends);
  EXPECT_TRUE(back->receives);
}

TEST(Sdp, RefusesWhatHasNoAudio) {
  for (const char* body : {"", "v=0\r\n", "m=audio x RTP/AVP 0\r\nc=IN IP4 1.2.3.4\r\n",
                           "m=audio 70000 RTP/AVP 0\r\n", "m=audio 1 RTP/AVP 0\r\n",
                           "c=IN\r\nm=audio 1 RTP/AVP 0\r\n", "m=audio\r\nc=IN IP4 1.2.3.4\r\n"}) {
    EXPECT_FALSE(ParseSdp(body).ok()) << body;
  }
}

}  // namespace
}  // namespace outpace::farend
