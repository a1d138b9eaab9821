// Operations on a store that is on disk: what an erasure leaves in its files, and where `store
// verify` looks.

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "campaign/store/rocks_lead_store.h"
#include "engine/runtime/admin.h"
#include "engine/sim/sim_world.h"
#include "gmock/gmock.h"
#include "tests/engine/runtime/admin_fixture.h"
#include "tests/engine/runtime/scratch.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kName[] = "Qzxwvkjhgfdp";  // nothing else is called that
constexpr char kNote[] = "Ypltrnbmvcxq";

class AdminStoreTest : public ::testing::Test {
 protected:
  AdminStoreTest() : world_(1, absl::FromUnixSeconds(1'700'000'000)) {
    store::RocksStoreOptions options;
    options.path = path_;
    auto opened = store::RocksLeadStore::Open(options);
    EXPECT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
    AdminHooks hooks;
    hooks.rocks = store_.get();
    admin_ = std::make_unique<Admin>(*store_, world_.clock(), hooks);
  }
  Json Must(const std::string& operation, const Json& arguments) {
    auto answer = admin_->Run(operation, arguments);
    EXPECT_TRUE(answer.ok()) << operation << ": " << answer.status();
    return answer.ok() ? *std::move(answer) : Json::object();
  }
  // Of the store's directory, those that hold `text`.
  std::vector<std::string> FilesWith(const std::string& text) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
      if (entry.is_regular_file() && absl::StrContains(Scratch::Bytes(entry.path()), text)) {
        found.push_back(entry.path().filename());
      }
    }
    return found;
  }

  const Scratch scratch_;
  const std::string path_ = scratch_ / "store";
  sim::SimWorld world_;
  std::unique_ptr<store::RocksLeadStore> store_;
  std::unique_ptr<Admin> admin_;
};

TEST_F(AdminStoreTest, AnErasedPersonIsInNoFileOfTheStore) {
  Must("campaign.create", {{"id", "DEMO"}});
  const std::string rows = absl::StrCat("phone_number,first_name,last_name,state\n",
                                        "3035550101,Ann,", kName, ",CO\n3035550102,Bob,Ray,CO\n");
  Must("import", {{"path", scratch_.Put("l.csv", rows)}, {"campaign", "DEMO"}});
  campaign::StoreBatch batch;
  campaign::Attempt attempt;
  attempt.id = AttemptId(1);
  attempt.lead = LeadId(1);
  attempt.dialed = E164(13035550101);
  attempt.note = kNote;
  attempt.open = false;
  attempt.dialed_at = world_.clock().Wall();
  batch.attempts.push_back(attempt);
  ASSERT_TRUE(store_->Commit(batch).ok());
  ASSERT_THAT(FilesWith(kName), Not(IsEmpty()));
  ASSERT_THAT(FilesWith(kNote), Not(IsEmpty()));

  EXPECT_EQ(Must("erase.person", {{"number", "303-555-0101"}})["leads"], 1);
  EXPECT_THAT(FilesWith(kName), IsEmpty());
  EXPECT_THAT(FilesWith(kNote), IsEmpty());
  EXPECT_THAT(FilesWith("13035550101"), IsEmpty());
  EXPECT_TRUE(store_->Verify().ok());
  EXPECT_EQ(**store_->GetMeta("erased.unscrubbed"), "");
}

// The leads of an erasure that was killed halfway are found by nobody, so the next one takes out
// whatever was removed.
TEST_F(AdminStoreTest, AnErasureAfterOneThatWasKilledCleansUpForBoth) {
  campaign::StoreBatch batch;
  batch.leads.emplace_back();
  batch.leads[0].id = LeadId(1);
  batch.leads[0].phone = E164(13035550101);
  batch.leads[0].fields["last_name"] = kName;
  ASSERT_TRUE(store_->Commit(batch).ok());
  batch = campaign::StoreBatch();
  batch.leads_removed = {LeadId(1)};
  batch.meta["erased.unscrubbed"] = "1";
  ASSERT_TRUE(store_->Commit(batch).ok());
  ASSERT_THAT(FilesWith(kName), Not(IsEmpty()));
  EXPECT_EQ(Must("erase.person", {{"number", "303-555-0101"}})["leads"], 0);
  EXPECT_THAT(FilesWith(kName), IsEmpty());
}

TEST_F(AdminStoreTest, VerifyTakesNoDirectoryFromOutside) {
  Must("campaign.create", {{"id", "DEMO"}});
  for (const std::string& given : {path_, scratch_ / "letters"}) {
    std::filesystem::create_directory(given);
    std::filesystem::create_directory(given + "/mine");
    EXPECT_THAT(Must("store.verify", {{"path", given}})["text"].get<std::string>(),
                HasSubstr("every record can be read"));
    EXPECT_TRUE(std::filesystem::exists(given + "/mine"));
  }
  EXPECT_TRUE(store_->Verify().ok());
}

}  // namespace
}  // namespace outpace::runtime
