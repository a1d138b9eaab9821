#include "engine/runtime/password.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace outpace::runtime {
namespace {

TEST(Password, OnlyTheRightOneIsTaken) {
  const std::string password("p\0\xff w\xc3\xa4", 7);
  const std::string hash = HashPassword(password);
  EXPECT_TRUE(CheckPassword(password, hash));
  EXPECT_FALSE(CheckPassword("p", hash));
  EXPECT_FALSE(CheckPassword("", hash));
  EXPECT_FALSE(CheckPassword(absl::StrCat(password, "x"), hash));
  EXPECT_TRUE(CheckPassword("", HashPassword("")));
}

TEST(Password, TheSameOneHashesDifferently) {
  const std::string a = HashPassword("secret"), b = HashPassword("secret");
  EXPECT_NE(a, b);
  EXPECT_EQ(a.substr(0, 7), "scrypt$");
  EXPECT_EQ(a.find("secret"), std::string::npos);
  EXPECT_EQ(a.size(), 7u + 32 + 1 + 64);
}

TEST(Password, AMalformedHashLetsNobodyIn) {
  const std::string good = HashPassword("x");
  for (const std::string& bad :
       {std::string(), std::string("x"), std::string("scrypt$"), std::string("scrypt$$"),
        good.substr(0, good.size() - 1), absl::StrCat(good, "0"), absl::StrCat(good, "$"),
        absl::StrCat("bcrypt", good.substr(6)),
        absl::StrCat("scrypt$", std::string(32, 'z'), "$", std::string(64, 'z')),
        absl::StrCat("scrypt$", std::string(32, '0'), "$", std::string(64, '0'))}) {
    EXPECT_FALSE(CheckPassword("x", bad)) << bad;
    EXPECT_FALSE(CheckPassword("", bad)) << bad;
  }
}

TEST(Password, AFlippedBitOfTheKeyIsNoticed) {
  std::string hash = HashPassword("x");
  hash.back() = hash.back() == '0' ? '1' : '0';
  EXPECT_FALSE(CheckPassword("x", hash));
}

TEST(Password, TokensAreLongAndUnlike) {
  std::set<std::string> tokens;
  for (int i = 0; i < 100; ++i) {
    const std::string token = SecureToken();
    EXPECT_EQ(token.size(), 64u);
    EXPECT_EQ(token.find_first_not_of("0123456789abcdef"), std::string::npos);
    tokens.insert(token);
  }
  EXPECT_EQ(tokens.size(), 100u);
  EXPECT_NE(SecureRandom64(), SecureRandom64());
}

}  // namespace
}  // namespace outpace::runtime
