#include "engine/sip/stream_tap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/engine/sip/shard_under_test.h"
#include "tests/engine/sip/stream_far_end.h"
#include "tests/engine/sip/tap_recorder.h"
#include "tests/engine/sip/test_certificates.h"

namespace outpace::sip {
namespace {

using ::testing::ElementsAre;

constexpr char kFirst[] = "OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";
constexpr char kSecond[] = "INFO sip:a SIP/2.0\r\nl : 7\r\n\r\na\r\n\r\nbc";

std::vector<std::string> Cut(const std::vector<std::string>& pieces) {
  MessageCutter cutter;
  std::vector<std::string> messages;
  for (const std::string& piece : pieces) {
    cutter.Add(piece, [&](absl::string_view message) { messages.emplace_back(message); });
  }
  return messages;
}

TEST(MessageCutter, CutsByContentLengthHoweverTheOctetsCome) {
  const std::string both = absl::StrCat("\r\n\r\n", kFirst, "\r\n\r\n", kSecond, kFirst);
  EXPECT_THAT(Cut({both}), ElementsAre(kFirst, kSecond, kFirst));
  for (size_t at = 0; at <= both.size(); ++at) {
    EXPECT_THAT(Cut({both.substr(0, at), both.substr(at)}), ElementsAre(kFirst, kSecond, kFirst))
        << at;
  }
  std::vector<std::string> octets;
  for (const char c : both) octets.emplace_back(1, c);
  EXPECT_THAT(Cut(octets), ElementsAre(kFirst, kSecond, kFirst));
}

TEST(MessageCutter, KeepsNoMoreThanAMessageMayHave) {
  EXPECT_THAT(Cut({"OPTIONS sip:a SIP/2.0\r\n\r\n", kFirst}),
              ElementsAre("OPTIONS sip:a SIP/2.0\r\n\r\n", kFirst));
  size_t given_out = 0;
  MessageCutter cutter;
  const std::string junk(10'000, 'x');
  for (int i = 0; i < 100; ++i) {
    cutter.Add(junk, [&](absl::string_view piece) { given_out += piece.size(); });
  }
  EXPECT_GE(given_out, 100 * junk.size() - MessageCutter::kBytesMax);
  const auto lied =
      Cut({"INFO sip:a SIP/2.0\r\nContent-Length: 4000000000\r\n\r\n", std::string(200'000, 'x')});
  EXPECT_FALSE(lied.empty());
}

// A refused call over a connection to `far`, as the tap must have seen it.
void ExpectTheTapShowsACall(SofiaConfig config, StreamFarEnd& far, Transport transport) {
  TapRecorder recorder;
  config.tap = &recorder;
  SipTrunk trunk;
  trunk.name = "carrier";
  trunk.addresses = {"127.0.0.1"};
  trunk.transport = transport;
  config.trunks = {trunk};
  ShardUnderTest shard(config);
  ASSERT_TRUE(shard.status.ok()) << shard.status;
  call::InviteRequest request = RequestTo(far.Uri(), far.User(), 1);
  request.trunk = 0;
  ASSERT_TRUE(shard.Invite(request).ok());
  const auto connection = far.Accept();
  ASSERT_NE(connection, nullptr);
  const WireMessage invite = connection->ReceiveRequest("INVITE");
  ASSERT_TRUE(connection->Answer(invite, {486, "Busy Here", "far", {}, ""}));
  ASSERT_EQ(shard.events.NextFinal().kind, "failure");
  EXPECT_TRUE(connection->ReceiveRequest("ACK").valid);
  const std::vector<TapRecorder::Seen> seen = recorder.seen();
  ASSERT_EQ(seen.size(), 3u);
  for (const TapRecorder::Seen& one : seen) {
    EXPECT_EQ(one.transport, transport == Transport::kTls ? trace::WireTransport::kTls
                                                          : trace::WireTransport::kTcp);
    EXPECT_EQ(one.remote, far.HostPort());
    EXPECT_EQ(one.local, seen[0].local);
    EXPECT_TRUE(absl::StrContains(one.bytes, absl::StrCat("Call-ID: ", request.ids.call_id)));
  }
  EXPECT_EQ(seen[0].direction, trace::Direction::kOut);
  EXPECT_TRUE(absl::StartsWith(seen[0].bytes, "INVITE sip:"));
  EXPECT_TRUE(absl::EndsWith(seen[0].bytes, request.sdp_offer));
  EXPECT_EQ(seen[1].direction, trace::Direction::kIn);
  EXPECT_TRUE(absl::StartsWith(seen[1].bytes, "SIP/2.0 486 Busy Here\r\n"));
  EXPECT_EQ(seen[2].direction, trace::Direction::kOut);
  EXPECT_TRUE(absl::StartsWith(seen[2].bytes, "ACK sip:"));
}

TEST(StreamTap, ShowsACallOverTcp) {
  StreamFarEnd far;
  ExpectTheTapShowsACall(ShardUnderTest::Config(), far, Transport::kTcp);
}

TEST(StreamTap, ShowsACallOverTlsInTheClear) {
  TestAuthority authority;
  const TestAuthority::Issued ours = authority.Issue({.alternative_names = "IP:127.0.0.1"});
  const TestAuthority::Issued theirs = authority.Issue({.alternative_names = "IP:127.0.0.1"});
  SofiaConfig config = ShardUnderTest::Config();
  config.tls_certificate_file = ours.certificate_file;
  config.tls_private_key_file = ours.key_file;
  config.tls_ca_file = authority.file();
  const SslContext context = ServerContext(theirs);
  StreamFarEnd far(context.get());
  ExpectTheTapShowsACall(config, far, Transport::kTls);
}

}  // namespace
}  // namespace outpace::sip
