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
  sim::SimWorld world_{1, absl::FromUnixSeconds(1'793'000'000)};
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
  EXPECT_EQ(Check("(202) 555-0143"), "on a do-not-call registry\n");
  EXPECT_EQ(Check("202-555-0145"), "not listed\n");

  added = Add({File("new.txt", "2025550143\r\n2025550145\r\n")});
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_THAT((*added)["text"].get<std::string>(),
              HasSubstr("1 numbers are new and 2 gone since the copy of 2026-11-01"));
  EXPECT_EQ(Check("212-555-0100"), "not listed\n");
  EXPECT_EQ(Check("202-555-0145"), "on a do-not-call registry\n");

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
  EXPECT_EQ(Check("202-555-0143"), "on a do-not-call registry\n") << "the copy there was";
}

TEST_F(AdminRegistryTest, ADamagedFileStopsTheStart) {
  ASSERT_TRUE(Add({File("a.txt", "2025550143\n")}).ok());
  std::filesystem::resize_file(directory_ + "/dnc/us-national.dnc", 5'000);
  RegistryShelf next(directory_ + "/dnc");
  EXPECT_THAT(next.Load().message(), HasSubstr("us-national.dnc"));
}

}  // namespace
}  // namespace outpace::runtime
