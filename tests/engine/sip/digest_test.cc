#include "engine/sip/digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/sip/trunk_auth.h"

namespace outpace::sip {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

DigestChallenge Parsed(absl::string_view text) {
  absl::StatusOr<DigestChallenge> challenge = ParseDigestChallenge(text);
  EXPECT_TRUE(challenge.ok()) << challenge.status();
  return challenge.ok() ? *challenge : DigestChallenge{};
}

// ---- published examples ----

TEST(Digest, Rfc2617Section35) {
  const DigestChallenge challenge = Parsed(
      "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
      "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"");
  const DigestRequest request{.user = "Mufasa",
                              .password = "Circle Of Life",
                              .method = "GET",
                              .uri = "/dir/index.html",
                              .cnonce = "0a4f113b"};
  EXPECT_EQ(DigestResponse(challenge, request), "6629fae49393a05397450978507c4ef1");
  EXPECT_EQ(DigestCredentials(challenge, request),
            "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
            "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", "
            "response=\"6629fae49393a05397450978507c4ef1\", cnonce=\"0a4f113b\", "
            "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\", qop=auth, nc=00000001");
}

// RFC 2069 2.4 with the response its errata give: no qop.
TEST(Digest, Rfc2069WithoutQop) {
  const DigestChallenge challenge =
      Parsed("Digest realm=\"testrealm@host.com\",nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"");
  const DigestRequest request{.user = "Mufasa",
                              .password = "CircleOfLife",
                              .method = "GET",
                              .uri = "/dir/index.html",
                              .cnonce = "x"};
  EXPECT_EQ(DigestResponse(challenge, request), "1949323746fe6a43ef61f9606e7febea");
  EXPECT_THAT(DigestCredentials(challenge, request), Not(HasSubstr("cnonce")));
  EXPECT_THAT(DigestCredentials(challenge, request), Not(HasSubstr("nc=")));
}

struct Rfc7616Case {
  const char* algorithm;
  uint32_t nonce_count;
  const char* response;
};

class Rfc7616Test : public ::testing::TestWithParam<Rfc7616Case> {};

// The challenge of RFC 7616 3.9.1; the plain MD5 and SHA-256 responses are the RFC's own, the
// others were computed by another implementation (Python's hashlib).
TEST_P(Rfc7616Test, Section391) {
  const DigestChallenge challenge = Parsed(
      absl::StrCat("Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=",
                   GetParam().algorithm,
                   ", nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
                   "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""));
  EXPECT_EQ(DigestResponse(challenge, {.user = "Mufasa",
                                       .password = "Circle of Life",
                                       .method = "GET",
                                       .uri = "/dir/index.html",
                                       .cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
                                       .nonce_count = GetParam().nonce_count}),
            GetParam().response);
}

INSTANTIATE_TEST_SUITE_P(
    All, Rfc7616Test,
    ::testing::Values(
        Rfc7616Case{"MD5", 1, "8ca523f5e9506fed4657c9700eebdbec"},
        Rfc7616Case{"SHA-256", 1,
                    "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
        Rfc7616Case{"MD5-sess", 1, "e783283f46242139c486a698fec7211d"},
        Rfc7616Case{"md5-SESS", 0x1a, "dcda46f8f673b5e61437e6f5f3b69d43"},
        Rfc7616Case{"SHA-256-sess", 1,
                    "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7"},
        Rfc7616Case{"SHA-512-256", 1,
                    "430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0"},
        Rfc7616Case{"SHA-512-256-sess", 0x1a,
                    "5bde59387e2c71cfa7e8d200b59107e7a8433268a93342a18794c104a72ccc52"}));

// The user of RFC 7616 3.9.2, outside ASCII; the response is hashlib's again, as the RFC's own was
// made with another hash (errata 4897).
TEST(Digest, AUserOutsideAscii) {
  const DigestChallenge challenge = Parsed(
      "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, "
      "nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", "
      "opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true");
  EXPECT_EQ(DigestResponse(challenge, {.user = "J\xc3\xa4s\xc3\xb8n Doe",
                                       .password = "Secret, or not?",
                                       .method = "GET",
                                       .uri = "/doe.json",
                                       .cnonce = "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm"}),
            "7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c");
}

// ---- parsing ----

TEST(DigestParsing, TakesQuotesCommasAndCaseAsTheyCome) {
  const DigestChallenge challenge =
      Parsed("DIGEST  Realm = \"a, b=\\\"c\\\" \\\\d\" ,NONCE=\"n\",, STALE=TRUE , qop=auth,x=y");
  EXPECT_EQ(challenge.realm, "a, b=\"c\" \\d");
  EXPECT_EQ(challenge.nonce, "n");
  EXPECT_TRUE(challenge.stale);
  EXPECT_TRUE(challenge.qop_auth);
  EXPECT_FALSE(challenge.has_opaque);
  EXPECT_EQ(challenge.algorithm, "");
  // What was escaped is escaped again.
  EXPECT_THAT(DigestCredentials(challenge, {.user = "u\"\\"}),
              HasSubstr("username=\"u\\\"\\\\\", realm=\"a, b=\\\"c\\\" \\\\d\","));
}

class BadChallengeTest : public ::testing::TestWithParam<const char*> {};
TEST_P(BadChallengeTest, IsRefused) { EXPECT_FALSE(ParseDigestChallenge(GetParam()).ok()); }
INSTANTIATE_TEST_SUITE_P(
    All, BadChallengeTest,
    ::testing::Values(
        "", "Digest", "Digest ", "Basic realm=\"a\"", "Digest realm=\"a\"", "Digest nonce=\"n\"",
        "Digest realm=\"a\", nonce=\"\"", "Digest realm=\"a, nonce=\"n\"",
        "Digest realm=\"a\" nonce=\"n\"", "Digest realm=\"a\\", "Digest realm, nonce=\"n\"",
        "Digest realm=\"a\r\nX: y\", nonce=\"n\"", "Digest realm=\"a\", nonce=\"n\x01\"",
        "Digest =\"a\", nonce=\"n\"", "Digest realm=\"a\", nonce=\"n\", algorithm=SHA-1",
        "Digest realm=\"a\", nonce=\"n\", algorithm=-sess",
        "Digest realm=\"a\", nonce=\"n\", qop=\"auth-int\"", "NTLM realm=\"a\", nonce=\"n\""));

TEST(DigestParsing, RefusesWhatIsTooLong) {
  EXPECT_FALSE(ParseDigestChallenge(
                   absl::StrCat("Digest realm=\"a\", nonce=\"", std::string(5000, 'n'), "\""))
                   .ok());
}

// ---- whom a trunk answers ----

class TrunkAuthTest : public ::testing::Test {
 protected:
  TrunkAuthTest() { auth_.SetAddresses({"192.0.2.10", "2001:DB8::1", "not-an-address"}); }
  static TrunkAuth::Challenge From(absl::string_view source, int answered = 0) {
    return {.sent_to = "192.0.2.10",
            .came_from = source,
            .method = "INVITE",
            .uri = "sip:1@192.0.2.10",
            .answered = answered,
            .cnonce = "c"};
  }
  static std::string Challenge(absl::string_view realm, absl::string_view algorithm,
                               bool stale = false) {
    return absl::StrCat("Digest realm=\"", realm,
                        "\", nonce=\"n\", qop=\"auth\", algorithm=", algorithm,
                        stale ? ", stale=true" : "");
  }
  TrunkAuth auth_{"user", "password", "carrier"};
};

TEST_F(TrunkAuthTest, AnswersItsOwnAddressesOnly) {
  const std::vector<std::string> md5 = {Challenge("carrier", "MD5")};
  EXPECT_THAT(auth_.Answer(md5, From("192.0.2.10")), HasSubstr("algorithm=MD5"));
  EXPECT_THAT(auth_.Answer(md5, From("2001:db8:0::1")), HasSubstr("username=\"user\""));
  EXPECT_THAT(auth_.Answer(md5, From("192.0.2.11")), IsEmpty());
  EXPECT_THAT(auth_.Answer(md5, From("")), IsEmpty());
  TrunkAuth::Challenge elsewhere = From("192.0.2.10");
  elsewhere.sent_to = "198.51.100.1";
  EXPECT_THAT(auth_.Answer(md5, elsewhere), IsEmpty());
  auth_.SetAddresses({"192.0.2.11"});  // resolved anew
  EXPECT_THAT(auth_.Answer(md5, From("192.0.2.10")), IsEmpty());
}

TEST_F(TrunkAuthTest, AnswersItsOwnRealmOnly) {
  EXPECT_THAT(auth_.Answer({Challenge("callee", "MD5")}, From("192.0.2.10")), IsEmpty());
  EXPECT_THAT(auth_.Answer({"Basic realm=\"carrier\""}, From("192.0.2.10")), IsEmpty());
  EXPECT_THAT(auth_.Answer({Challenge("callee", "SHA-256"), Challenge("carrier", "MD5")},
                           From("192.0.2.10")),
              HasSubstr("realm=\"carrier\""));
}

TEST_F(TrunkAuthTest, WithoutAConfiguredRealmTheFirstIsKept) {
  TrunkAuth auth("user", "password", "");
  auth.SetAddresses({"192.0.2.10"});
  EXPECT_THAT(auth.Answer({Challenge("other", "MD5")}, From("192.0.2.99")), IsEmpty());
  EXPECT_THAT(auth.Answer({Challenge("first", "MD5")}, From("192.0.2.10")),
              HasSubstr("realm=\"first\""));
  EXPECT_THAT(auth.Answer({Challenge("second", "MD5")}, From("192.0.2.10")), IsEmpty());
}

TEST_F(TrunkAuthTest, TakesTheStrongestAndNeverGoesBackToMd5) {
  EXPECT_THAT(auth_.Answer({Challenge("carrier", "MD5")}, From("192.0.2.10")),
              HasSubstr("algorithm=MD5"));
  EXPECT_THAT(auth_.Answer({Challenge("carrier", "MD5"), Challenge("carrier", "SHA-512-256"),
                            Challenge("carrier", "SHA-256")},
                           From("192.0.2.10")),
              HasSubstr("algorithm=SHA-512-256"));
  EXPECT_THAT(auth_.Answer({Challenge("carrier", "SHA-256")}, From("192.0.2.10")),
              HasSubstr("algorithm=SHA-256"));
  EXPECT_THAT(auth_.Answer({Challenge("carrier", "MD5")}, From("192.0.2.10")), IsEmpty());
}

TEST_F(TrunkAuthTest, ASecondAnswerOnlyForAnOldNonceAndNeverAThird) {
  const std::vector<std::string> plain = {Challenge("carrier", "MD5")};
  const std::vector<std::string> stale = {Challenge("carrier", "MD5", true)};
  EXPECT_THAT(auth_.Answer(plain, From("192.0.2.10", 1)), IsEmpty());
  EXPECT_THAT(auth_.Answer(stale, From("192.0.2.10", 1)), Not(IsEmpty()));
  EXPECT_THAT(auth_.Answer(stale, From("192.0.2.10", 2)), IsEmpty());
}

TEST_F(TrunkAuthTest, WithoutAUserNothingIsAnswered) {
  TrunkAuth none("", "password", "carrier");
  none.SetAddresses({"192.0.2.10"});
  EXPECT_FALSE(none.answers());
  EXPECT_THAT(none.Answer({Challenge("carrier", "MD5")}, From("192.0.2.10")), IsEmpty());
}

}  // namespace
}  // namespace outpace::sip
