// Registries of do-not-call numbers: files beside the store, asked like the lists in it.

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/runtime/admin.h"
#include "engine/runtime/registry_shelf.h"
#include "engine/sim/sim_world.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::ordered_json;

class AdminRegistryTest : public ::testing::Test {
 protected:
  AdminRegistryTest() {
    std::string name = (std::filesystem::temp_directory_path() / "shelf-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    shelf_ = std::make_unique<RegistryShelf>(directory_ + "/dnc");
    EXPECT_TRUE(shelf_->Load().ok());
    AdminHooks hooks;
    hooks.registries = shelf_.get();
    hooks.registries_changed = [this] {
      ++changes_;
      return told_;
    };
    admin_ = std::make_unique<Admin>(store_, world_.clock(), std::move(hooks));
  }
  ~AdminRegistryTest() override { std::filesystem::remove_all(directory_); }

  std::string File(const std::string& name, const std::string& text) const {
    const std::string path = absl::StrCat(directory_, "/", name);
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  absl::StatusOr<Json> Add(const std::vector<std::string>& paths,
                           const std::string& name = "us-national") {
    return admin_->Run("dnc.registry.add",
                       {{"name", name}, {"paths", paths}, {"obtained", "2026-11-01"}});
  }
  std::string Check(const std::string& number) {
    auto answer = admin_->Run("dnc.check", {{"number", number}});
    return answer.ok() ? answer->value("text", "") : std::string(answer.status().message());
  }

  std::string directory_;
  std::unique_ptr<RegistryShelf> shelf_;
  sim::SimWorld world_{1, absl::FromUnixSeconds(1'794'000'000)};
  store::MemoryLeadStore store_;
  std::unique_ptr<Admin> admin_;
  int changes_ = 0;
  absl::Status told_;  // what the engine says to a change
};

// Stored and not in force is no success.
TEST_F(AdminRegistryTest, AnEngineThatCannotBeToldIsAnError) {
  told_ = absl::UnavailableError("overloaded");
  EXPECT_EQ(Add({File("a.txt", "2025550143\n")}).status().code(), absl::StatusCode::kUnavailable);
  told_ = absl::OkStatus();
  EXPECT_TRUE(Add({File("a.txt", "2025550143\n")}).ok());
}

TEST_F(AdminRegistryTest, ANewerCopyTakesThePlaceOfTheOld) {
  auto added =
      Add({File("202.txt", "202,5550143\n202,5550144\n"), File("212.txt", "2125550100\n")});
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_THAT((*added)["text"].get<std::string>(), HasSubstr("3 numbers are not dialed"));
  EXPECT_FALSE((*added)["incomplete"].get<bool>());
  EXPECT_EQ(changes_, 1);
  EXPECT_THAT(Check("(202) 555-0143"), StartsWith("on a do-not-call registry\n"));
  EXPECT_EQ(Check("202-555-0145"), "not listed\n");

  added = Add({File("new.txt", "2025550143\r\n2025550145\r\n")});
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_THAT((*added)["text"].get<std::string>(),
              HasSubstr("1 numbers are new and 2 gone since the copy of 2026-11-01"));
  EXPECT_EQ(Check("212-555-0100"), "not listed\n");
  EXPECT_THAT(Check("202-555-0145"), StartsWith("on a do-not-call registry\n"));

  const auto list = admin_->Run("dnc.registry.list", Json::object());
  ASSERT_TRUE(list.ok());
  EXPECT_EQ((*list)["registries"][0]["numbers"], 2);
  EXPECT_EQ((*list)["registries"][0]["source"], "new.txt");
  EXPECT_TRUE(admin_->Run("dnc.registry.verify", Json::object()).ok());
}

TEST_F(AdminRegistryTest, IsThereAgainAtTheNextStartAndGoneWhenRemoved) {
  ASSERT_TRUE(Add({File("a.txt", "2025550143\n")}).ok());
  RegistryShelf next(directory_ + "/dnc");
  ASSERT_TRUE(next.Load().ok());
  ASSERT_EQ(next.All().size(), 1u);
  EXPECT_TRUE(next.All()[0]->Contains(12'025'550'143));
  ASSERT_TRUE(admin_->Run("dnc.registry.remove", {{"name", "us-national"}}).ok());
  EXPECT_EQ(Check("202-555-0143"), "not listed\n");
  EXPECT_EQ(changes_, 2);
  EXPECT_THAT(admin_->Run("dnc.registry.remove", {{"name", "us-national"}}).status().message(),
              HasSubstr("outpace dnc registry list"));
}

// What was to be blocked and is not must not look like a success; numbers are not repeated.
TEST_F(AdminRegistryTest, LinesThatAreNoNumbersAreTold) {
  auto added = Add({File("a.txt", "phone\n2025550143\nSmith\n202555\n")});
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_TRUE((*added)["incomplete"].get<bool>());
  EXPECT_THAT((*added)["text"].get<std::string>(), HasSubstr("a.txt: no number in line 3, 4\n"));

  EXPECT_THAT(Add({File("none.txt", "Smith\nLee\n")}).status().message(),
              HasSubstr("nothing was changed"));
  EXPECT_EQ(Add({directory_ + "/absent.txt"}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Add({File("a.txt", "2025550144\n")}, "../x").status().message(),
              HasSubstr("letters, digits"));
  EXPECT_THAT(Check("202-555-0143"), StartsWith("on a do-not-call registry\n"))
      << "the copy there was";
}

// What asks a damaged one is refused, and importing it again is not: that is what puts it right.
TEST_F(AdminRegistryTest, ADamagedOneIsPutRightByImportingItAgain) {
  ASSERT_TRUE(Add({File("a.txt", "2025550143\n")}).ok());
  const std::string path = directory_ + "/dnc/us-national.dnc";
  std::filesystem::permissions(path, std::filesystem::perms::owner_write,
                               std::filesystem::perm_options::add);
  std::filesystem::resize_file(path, 4'100);
  EXPECT_THAT(shelf_->Load().message(), HasSubstr("us-national.dnc"));
  EXPECT_THAT(Check("202-555-0143"), HasSubstr("import the registry again"));
  EXPECT_FALSE(admin_->Run("dnc.registry.verify", Json::object()).ok());
  const auto list = admin_->Run("dnc.registry.list", Json::object());
  ASSERT_TRUE(list.ok());
  EXPECT_THAT((*list)["text"].get<std::string>(), HasSubstr("import the registry again"));
  EXPECT_TRUE((*list)["incomplete"].get<bool>());
  ASSERT_TRUE(Add({File("a.txt", "2025550143\n")}).ok());
  EXPECT_THAT(Check("202-555-0143"), StartsWith("on a do-not-call registry\n"));
}

std::string Numbers(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) absl::StrAppend(&text, "202,556", 1000 + i, "\n");
  return text;
}

// Half a download in the place of the whole would ring whom it leaves out.
TEST_F(AdminRegistryTest, AMuchSmallerOrOlderCopyIsTakenOnlyByForce) {
  ASSERT_TRUE(Add({File("all.txt", Numbers(2000))}).ok());
  const auto half = Add({File("half.txt", Numbers(1000))});
  EXPECT_EQ(half.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(half.status().message(), HasSubstr("hold 1000 numbers, the copy in force 2000"));
  EXPECT_THAT(Check("202-556-2999"), StartsWith("on a do-not-call registry\n"));
  EXPECT_TRUE(Add({File("most.txt", Numbers(1900))}).ok());
  Json order = {{"name", "us-national"},
                {"paths", {File("older.txt", Numbers(1900))}},
                {"obtained", "2026-10-01"}};
  EXPECT_THAT(admin_->Run("dnc.registry.add", order).status().message(),
              HasSubstr("the copy in force is newer, of 2026-11-01"));
  order["force"] = true;
  EXPECT_TRUE(admin_->Run("dnc.registry.add", order).ok());
  order["paths"] = {File("half.txt", Numbers(1000))};
  EXPECT_TRUE(admin_->Run("dnc.registry.add", order).ok());
  EXPECT_EQ(Check("202-556-2999"), "not listed\n");
}

// The clock stands at 6 November 2026.
TEST_F(AdminRegistryTest, TheDayOfACopyIsADayThatWas) {
  const std::string path = File("a.txt", "2025550143\n");
  for (const char* day : {"2026-12-24", "2062-10-01", "2026-10-1", "2026-13-01", "yesterday"}) {
    EXPECT_EQ(
        admin_->Run("dnc.registry.add", {{"name", "us"}, {"paths", {path}}, {"obtained", day}})
            .status()
            .code(),
        absl::StatusCode::kInvalidArgument)
        << day;
  }
  EXPECT_THAT(
      admin_->Run("dnc.registry.add", {{"name", "us"}, {"paths", {path}}, {"country", "XX"}})
          .status()
          .message(),
      HasSubstr("ISO 3166"));
}

}  // namespace
}  // namespace outpace::runtime
