// The commands' way in to Admin: what cannot be told through it is refused before anything is done.

#include "engine/runtime/commands/admin_door.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/scratch.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::ordered_json;

TEST(AdminDoor, TextsThatAreNotUtf8AreRefusedByTheirName) {
  const Scratch scratch;
  const std::string config =
      scratch.Put("o.toml", absl::StrCat("data_dir = \"", scratch / "data",
                                         "\"\n[[trunk]]\nname = \"carrier\"\n"
                                         "peer = \"192.0.2.10:5060\"\n"));
  auto door = AdminDoor::Open(config);
  ASSERT_TRUE(door.ok()) << door.status();
  const std::pair<const char*, Json> kWrong[] = {
      {"path", {{"path", "/tmp/\xC3\xFB\xB5\xA5.csv"}, {"campaign", "DEMO"}}},
      {"rejects", {{"path", "l.csv"}, {"rejects", "\xFF.csv"}}},
      {"list", {{"path", "l.csv"}, {"list", "caf\xE9"}}},
      {"map", {{"path", "l.csv"}, {"map", {{"\xB5\xE7", "phone_number"}}}}},
      {"map", {{"path", "l.csv"}, {"map", {{"x", "\xB5\xE7"}}}}},
      {"destinations", {{"destinations", {"86", "\xFF"}}}},
  };
  for (const auto& [name, arguments] : kWrong) {
    const absl::Status status = (*door)->Run("import.start", arguments).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(std::string(status.message()), StartsWith(absl::StrCat(name, ": ")));
    EXPECT_THAT(std::string(status.message()), HasSubstr("UTF-8"));
  }
  EXPECT_EQ(scratch.Files(), 1u) << "no store was made for it";
}

}  // namespace
}  // namespace outpace::runtime
