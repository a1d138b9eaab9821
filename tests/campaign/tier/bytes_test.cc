#include "campaign/tier/bytes.h"

#include "gtest/gtest.h"

namespace outpace::tier {
namespace {

TEST(Crc32c, IsTheOneOfRfc3720) {
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720 B.4
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
}

TEST(Bytes, ComeBackAsTheyWere) {
  ByteWriter out;
  out.Put<uint32_t>(7);
  out.Put(-2.5);
  out.PutText("A tier");
  const std::string sealed = out.Seal(3, 1);
  const auto payload = Unseal(sealed, 3, 1);
  ASSERT_TRUE(payload.ok());
  ByteReader in(*payload);
  EXPECT_EQ(in.Get<uint32_t>(), 7u);
  EXPECT_EQ(in.Get<double>(), -2.5);
  EXPECT_EQ(in.GetText(), "A tier");
  EXPECT_TRUE(in.done());
  in.Get<uint8_t>();
  EXPECT_FALSE(in.ok());
}

TEST(Bytes, AnyChangedOrMissingByteIsTold) {
  ByteWriter out;
  out.PutText("what was learned");
  const std::string sealed = out.Seal(3, 1);
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    EXPECT_EQ(Unseal(changed, 3, 1).status().code(), absl::StatusCode::kDataLoss) << i;
    EXPECT_FALSE(Unseal(sealed.substr(0, i), 3, 1).ok()) << i;
  }
  EXPECT_EQ(Unseal(sealed, 4, 1).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Unseal(sealed, 3, 2).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(Bytes, ACountNobodyCanHoldIsRefused) {
  ByteWriter out;
  out.Put<uint32_t>(1'000'000'000);
  const std::string sealed = out.Seal(3, 1);
  ByteReader in(*Unseal(sealed, 3, 1));
  EXPECT_EQ(in.GetCount(12), 0u);
  EXPECT_FALSE(in.ok());
}

}  // namespace
}  // namespace outpace::tier
