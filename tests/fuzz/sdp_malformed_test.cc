// The generator's malformed session descriptions (tests/engine/sip/malformed.h) against the parser
// of engine/media: each line and word of an offer with each anomaly, judged as the fuzzer judges.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "tests/engine/sip/malformed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace outpace {
namespace {

TEST(SdpMalformed, EveryCaseIsRefusedOrAnsweredInItsTurn) {
  sip::Draft draft;
  draft.start = {"SIP/2.0", "200", "OK"};
  draft.sdp = {"v=0",
               "o=far 4611 2 IN IP4 192.0.2.20",
               "s=call",
               "c=IN IP4 192.0.2.20/127",
               "b=AS:80",
               "t=0 0",
               "m=audio 17000 RTP/AVP 0 8 101",
               "a=rtpmap:0 PCMU/8000/1",
               "a=rtpmap:101 telephone-event/8000",
               "a=fmtp:101 0-15",
               "a=ptime:20",
               "a=maxptime:60",
               "a=rtcp:17001 IN IP4 192.0.2.20",
               "a=rtcp-mux",
               "a=sendrecv",
               "m=audio 17002 RTP/SAVP 8",
               "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
               "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:32 KDR=1",
               "m=video 0 RTP/AVP 31"};
  const sip::Malformed malformed(draft, 3264, sip::Malformed::kStreamOctets);
  EXPECT_GE(malformed.size(), 4'000u);
  for (size_t number = 0; number < malformed.size(); ++number) {
    SCOPED_TRACE(malformed.Name(number));
    const std::string text = malformed.Text(draft, number);
    const std::string body = text.substr(text.find("\r\n\r\n") + 4);
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(body.data()), body.size());
  }
}

}  // namespace
}  // namespace outpace
