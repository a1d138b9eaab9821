#include "engine/media/rtp_packet.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/base/rng.h"
#include "tests/engine/media/media_fixture.h"

namespace outpace::media {
namespace {

std::vector<uint8_t> Bytes(const std::string& s) { return {s.begin(), s.end()}; }

TEST(RtpPacket, ReadsAPlainPacket) {
  RtpView view;
  const auto bytes = Bytes(MakeRtp(8, 0x1234, 0x89abcdef, 0xdeadbeef, Payload(1), true));
  ASSERT_EQ(ParseRtp(bytes, &view), RtpCheck::kOk);
  EXPECT_EQ(view.header.payload_type, 8);
  EXPECT_TRUE(view.header.marker);
  EXPECT_EQ(view.header.seq, 0x1234);
  EXPECT_EQ(view.header.timestamp, 0x89abcdefu);
  EXPECT_EQ(view.header.ssrc, 0xdeadbeefu);
  EXPECT_EQ(view.payload_offset, 12u);
  EXPECT_EQ(view.payload_size, 160u);
}

TEST(RtpPacket, FindsThePayloadBehindCsrcExtensionAndBeforePadding) {
  std::vector<uint8_t> bytes = Bytes(MakeRtp(0, 1, 2, 3, ""));
  bytes[0] = 0x80 | 0x20 | 0x10 | 2;
  bytes.insert(bytes.end(), 8, 0xcc);                         // two CSRCs
  bytes.insert(bytes.end(), {0xbe, 0xde, 0, 1, 1, 2, 3, 4});  // one word of extension
  bytes.insert(bytes.end(), {'h', 'e', 'y'});
  bytes.insert(bytes.end(), {0, 0, 3});  // padding, its length last
  RtpView view;
  ASSERT_EQ(ParseRtp(bytes, &view), RtpCheck::kOk);
  EXPECT_EQ(view.payload_offset, 28u);
  EXPECT_EQ(view.payload_size, 3u);
}

TEST(RtpPacket, RefusesLengthsThatLie) {
  RtpView view;
  EXPECT_EQ(ParseRtp({}, &view), RtpCheck::kShort);
  const auto good = Bytes(MakeRtp(0, 1, 2, 3, "abcd"));
  for (size_t size = 0; size <= 12; ++size) {
    EXPECT_EQ(ParseRtp(absl::MakeConstSpan(good).first(size), &view), RtpCheck::kShort);
  }
  auto with_first = [&](int first) {
    auto bytes = good;
    bytes[0] = static_cast<uint8_t>(first);
    return bytes;
  };
  EXPECT_EQ(ParseRtp(with_first(0x00), &view), RtpCheck::kVersion);
  EXPECT_EQ(ParseRtp(with_first(0xc0), &view), RtpCheck::kVersion);
  EXPECT_EQ(ParseRtp(with_first(0x8f), &view), RtpCheck::kBadLength);  // 15 CSRCs
  EXPECT_EQ(ParseRtp(with_first(0x81), &view), RtpCheck::kShort);      // CSRC takes all there is
  EXPECT_EQ(ParseRtp(with_first(0x90), &view), RtpCheck::kBadLength);  // extension of 'cd' words
  EXPECT_EQ(ParseRtp(with_first(0xa0), &view), RtpCheck::kBadLength);  // padding of 'd' octets
  auto zero_padding = with_first(0xa0);
  zero_padding.back() = 0;
  EXPECT_EQ(ParseRtp(zero_padding, &view), RtpCheck::kBadLength);
}

TEST(RtpPacketProperty, NoInputReadsPastTheEnd) {
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    Rng rng(seed);
    std::vector<uint8_t> bytes(rng.Below(80));
    for (uint8_t& b : bytes) b = static_cast<uint8_t>(rng.Below(256));
    if (!bytes.empty() && rng.Chance(0.8))
      bytes[0] = static_cast<uint8_t>(0x80 | (bytes[0] & 0x3f));
    RtpView view;
    if (ParseRtp(bytes, &view) != RtpCheck::kOk) continue;
    EXPECT_GE(view.payload_size, 1u);
    EXPECT_LE(view.payload_offset + view.payload_size, bytes.size()) << "seed=" << seed;
  }
}

}  // namespace
}  // namespace outpace::media
