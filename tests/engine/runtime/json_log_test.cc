#include "engine/runtime/json_log.h"

#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "scratch.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using Json = nlohmann::json;

// The lines that `write` made, each parsed.
template <typename Write>
std::vector<Json> Lines(const std::string& level, Write write) {
  const Scratch scratch;
  {
    auto log = JsonLog::Open(scratch / "log", level);
    EXPECT_TRUE(log.ok()) << log.status();
    write(**log);
  }
  std::vector<Json> lines;
  for (absl::string_view line :
       absl::StrSplit(Scratch::Bytes(scratch / "log"), '\n', absl::SkipEmpty())) {
    lines.push_back(Json::parse(line.begin(), line.end(), nullptr, false));
    EXPECT_FALSE(lines.back().is_discarded()) << line;
  }
  return lines;
}

TEST(JsonLog, EachLineIsAnObjectWithTimeLevelAndEvent) {
  const std::vector<Json> lines = Lines("info", [](Log& log) {
    log.Info("plain");
    log.Warning("all.kinds", {{"i", -5},
                              {"u", uint64_t{7}},
                              {"d", 2.5},
                              {"b", true},
                              {"s", "text"},
                              {"lead", LeadId(9)}});
  });
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[0]["event"], "plain");
  EXPECT_EQ(lines[0]["level"], "info");
  EXPECT_THAT(lines[0]["time"].get<std::string>(),
              ::testing::MatchesRegex("20..-..-..T..:..:..\\.......[+-]..:.."));
  EXPECT_EQ(lines[1]["level"], "warning");
  EXPECT_EQ(lines[1]["i"], -5);
  EXPECT_EQ(lines[1]["u"], 7);
  EXPECT_EQ(lines[1]["d"], 2.5);
  EXPECT_EQ(lines[1]["b"], true);
  EXPECT_EQ(lines[1]["s"], "text");
  EXPECT_EQ(lines[1]["lead"], 9);
}

// What the far end, a list or an agent wrote can reach a value: it stays one value of one line.
TEST(JsonLog, HostileTextStaysInItsValue) {
  const std::string hostile("\"}\n{\"event\":\"forged\",\"x\":\"\r\n\0\x1b[2J\xff%v %n {}", 44);
  const std::vector<Json> lines = Lines("debug", [&](Log& log) {
    log.Error("sip\nreason", {{"why", hostile}, {"br\neak", 1}});
  });
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0]["event"], "sip\nreason");
  EXPECT_EQ(lines[0]["br\neak"], 1);
  const std::string kept = lines[0]["why"].get<std::string>();
  EXPECT_THAT(kept, HasSubstr("\"}\n{\"event\":\"forged\""));
  EXPECT_THAT(kept, HasSubstr("%v %n {}"));
}

TEST(JsonLog, NumbersThatJsonCannotHoldAreNull) {
  const std::vector<Json> lines = Lines("info", [](Log& log) {
    log.Info("odd", {{"n", std::numeric_limits<double>::quiet_NaN()},
                     {"i", std::numeric_limits<double>::infinity()}});
  });
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_TRUE(lines[0]["n"].is_null());
  EXPECT_TRUE(lines[0]["i"].is_null());
}

TEST(JsonLog, FiltersByLevel) {
  const auto all = [](Log& log) {
    log.Debug("d");
    log.Info("i");
    log.Warning("w");
    log.Error("e");
  };
  EXPECT_THAT(Lines("debug", all), SizeIs(4));
  EXPECT_THAT(Lines("info", all), SizeIs(3));
  EXPECT_THAT(Lines("warning", all), SizeIs(2));
  const std::vector<Json> errors = Lines("error", all);
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_EQ(errors[0]["event"], "e");
  EXPECT_EQ(errors[0]["level"], "error");
}

TEST(JsonLog, AppendsToWhatIsThere) {
  const Scratch scratch;
  for (const char* event : {"first", "second"}) {
    auto log = JsonLog::Open(scratch / "log", "info");
    ASSERT_TRUE(log.ok());
    (*log)->Info(event);
  }
  const std::string bytes = Scratch::Bytes(scratch / "log");
  EXPECT_THAT(bytes, HasSubstr("first"));
  EXPECT_THAT(bytes, HasSubstr("second"));
}

TEST(JsonLog, AFileThatCannotBeWrittenIsTold) {
  const Scratch scratch;
  std::filesystem::create_directory(scratch / "dir");
  const auto log = JsonLog::Open(scratch / "dir", "info");
  EXPECT_EQ(log.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(log.status().message()), HasSubstr("name a file that may be written"));
}

}  // namespace
}  // namespace outpace::runtime
