#include "engine/api/http_parse.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"
#include "gtest/gtest.h"

namespace outpace::api {
namespace {

using State = HeadScanner::State;

// The verdict on `text` when it arrives in pieces of `step` bytes, and where the head ended.
std::pair<State, size_t> Scan(absl::string_view text, size_t step) {
  HeadScanner scanner;
  for (size_t at = 0; at < text.size(); at += step) {
    size_t consumed = 0;
    const State state = scanner.Feed(text.substr(at, step), &consumed);
    if (state != State::kMore) return {state, at + consumed};
  }
  return {State::kMore, text.size()};
}

TEST(HeadScanner, FindsTheEndHoweverTheBytesArrive) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (size_t step = 1; step <= head.size() + 5; ++step) {
    EXPECT_EQ(Scan(head + "BODY", step), (std::pair{State::kComplete, head.size()})) << step;
    EXPECT_EQ(Scan(head.substr(0, head.size() - 1), step).first, State::kMore) << step;
  }
}

TEST(HeadScanner, RefusesLineEndsAndFoldsThatReadersDifferOn) {
  for (size_t step = 1; step <= 8; ++step) {
    for (const char* bad :
         {"GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nA: b\n\r\n",
          "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
          "GET / HTTP/1.1\r\n\tA: b\r\n\r\n", "GET / HTTP/1.1\r\nA: \x01\r\n\r\n",
          "GET / HTTP/1.1\r\nA: \x7f\r\n\r\n", "\r\nGET / HTTP/1.1\r\n\r\n"}) {
      EXPECT_EQ(Scan(bad, step).first, State::kMalformed) << bad;
    }
  }
}

TEST(HeadScannerProperty, TheVerdictDoesNotDependOnThePieces) {
  const absl::string_view alphabet = "\r\n\t aA:\x01";
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    std::string text;
    for (uint64_t i = rng.Below(24); i > 0; --i)
      text.push_back(alphabet[rng.Below(alphabet.size())]);
    if (rng.Chance(0.5)) text += "\r\n\r\n";
    const auto whole = Scan(text, text.size() + 1);
    const auto pieces = Scan(text, 1 + rng.Below(5));
    EXPECT_EQ(whole.first, pieces.first);
    if (whole.first == State::kComplete) {
      EXPECT_EQ(whole.second, pieces.second);
      const absl::string_view head = absl::string_view(text).substr(0, whole.second);
      EXPECT_EQ(head.substr(head.size() - 4), "\r\n\r\n");
    }
  }
}

TEST(ParseTarget, SplitsDecodesAndRefuses) {
  const auto target = ParseTarget("/a%2Fb/c+d/?x=1%202&x=3&flag&&y=a=b");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->path, "/a/b/c+d/");
  EXPECT_EQ(target->segments, (std::vector<std::string>{"a/b", "c+d", ""}));
  EXPECT_EQ(target->query,
            (std::map<std::string, std::string>{{"x", "1 2"}, {"flag", ""}, {"y", "a=b"}}));
  for (const char* bad : {"", "*", "a", "http://host/", "/%", "/%0", "/%g0", "/a%00", "/a%0a",
                          "/a#b", "/?a=%", "/?%zz=1", "/a%7f"}) {
    EXPECT_EQ(ParseTarget(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST(RoutePattern, MatchesWholeSegments) {
  const RoutePattern pattern("/v1/list/{}/lead/{}");
  EXPECT_EQ(pattern.Match({"v1", "list", "7", "lead", "x/y"}),
            (std::vector<std::string>{"7", "x/y"}));
  EXPECT_EQ(pattern.Match({"v1", "list", "", "lead", "x"}), std::nullopt);
  EXPECT_EQ(pattern.Match({"v1", "list", "7", "lead"}), std::nullopt);
  EXPECT_EQ(pattern.Match({"v1", "lists", "7", "lead", "x"}), std::nullopt);
  EXPECT_GT(RoutePattern("/a/b").literal_bytes(), RoutePattern("/a/{}").literal_bytes());
}

TEST(OriginAllowed, SameAuthorityOrListed) {
  const std::vector<std::string> listed = {"https://dialer.example.com/"};
  EXPECT_TRUE(OriginAllowed("http://10.0.0.5:8080", "10.0.0.5:8080", {}));
  EXPECT_TRUE(OriginAllowed("https://Dialer.lan", "dialer.LAN", {})) << "TLS ends at a proxy";
  EXPECT_TRUE(OriginAllowed("https://dialer.example.com", "127.0.0.1:8080", listed));
  for (const char* origin :
       {"null", "", "http://", "http://10.0.0.5", "http://10.0.0.5:8081", "http://10.0.0.5:8080/x",
        "file://10.0.0.5:8080", "http://10.0.0.5:8080.evil.example", "http://dialer.example.com"}) {
    EXPECT_FALSE(OriginAllowed(origin, "10.0.0.5:8080", listed)) << origin;
  }
}

TEST(HostAllowed, LoopbackAnswersToItsOwnNamesOnly) {
  const std::vector<std::string> listed = {"https://dialer.example.com:8443"};
  for (const char* host : {"localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080",
                           "10.1.2.3", "dialer.example.com", "dialer.example.com:9"}) {
    EXPECT_TRUE(HostAllowed(host, "127.0.0.1", listed)) << host;
  }
  for (const char* host : {"evil.example", "evil.example:8080", "", "localhost.evil.example",
                           "127.0.0.1.evil.example", "1.2.3", "1.2.3.4.5", "256.1.1.1"}) {
    EXPECT_FALSE(HostAllowed(host, "127.0.0.1", listed)) << host;
    EXPECT_FALSE(HostAllowed(host, "::1", listed)) << host;
    EXPECT_TRUE(HostAllowed(host, "0.0.0.0", listed)) << host;
  }
}

}  // namespace
}  // namespace outpace::api
