// A store of schema version 1, made by the program of that version, becomes one of today: whole,
// refused until it is, and from wherever a migration was cut off.

#include "campaign/store/migrate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "campaign/store/lead_v1.h"
#include "campaign/store/rocks_lead_store.h"
#include "campaign/store/wire.h"
#include "tests/campaign/store/child.h"
#include "tests/campaign/store/store_testing.h"
#include "tests/campaign/store/v1_store.h"
#include "tests/fakes/dnc_entries.h"

namespace outpace::store {
namespace {

using campaign::Lead;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Migrate : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = absl::StrCat(directory_.path(), "/store");
    std::filesystem::copy(absl::StrCat(OUTPACE_TEST_DATA, "/store_v1/store"), path_,
                          std::filesystem::copy_options::recursive);
  }

  absl::StatusOr<std::unique_ptr<RocksLeadStore>> Open(bool read_only = false) const {
    RocksLeadStore::Options options;
    options.path = path_;
    options.read_only = read_only;
    return RocksLeadStore::Open(options);
  }
  MigrationOptions Options() const {
    MigrationOptions options;
    options.path = path_;
    options.leads_a_write = 50;
    return options;
  }
  void ExpectMigrated() const;

  ScratchDirectory directory_;
  std::string path_;
};

// As V1Lead(), with what have become members in their places.
Lead Expected(uint64_t i) {
  Lead lead = V1Lead(i);
  if (const auto it = lead.fields.find("_recycled"); it != lead.fields.end()) {
    lead.recycled = it->second;
    lead.fields.erase(it);
  }
  if (const auto it = lead.fields.find("max_attempts"); it != lead.fields.end()) {
    EXPECT_TRUE(absl::SimpleAtoi(it->second, &lead.max_attempts));
    lead.fields.erase(it);
  }
  std::erase_if(lead.fields, [](const auto& field) { return field.second.empty(); });
  return lead;
}

void Migrate::ExpectMigrated() const {
  auto store = Open();
  ASSERT_TRUE(store.ok()) << store.status();
  const absl::Status whole = (*store)->Verify();
  EXPECT_TRUE(whole.ok()) << whole;
  const std::vector<Lead> leads = LeadsOf(**store);
  ASSERT_EQ(leads.size(), kV1Leads);
  for (uint64_t i = 1; i <= kV1Leads; ++i) {
    EXPECT_EQ(Bytes(leads[i - 1]), Bytes(Expected(i))) << i;
  }
  const campaign::StoreBatch rest = V1Rest();
  EXPECT_EQ(AllBytes(AttemptsOf(**store)), AllBytes(rest.attempts));
  EXPECT_EQ((*store)->OpenAttempts()->size(), 1u);
  std::vector<campaign::DncEntry> listed = rest.dnc_added;
  std::sort(listed.begin(), listed.end(), [](const auto& a, const auto& b) {
    return std::tie(a.scope, a.phone) < std::tie(b.scope, b.phone);
  });
  EXPECT_EQ(fakes::DncEntriesIn(**store), listed);
  EXPECT_EQ(AllBytes(*(*store)->Lists()), AllBytes(rest.lists));
  EXPECT_EQ(AllBytes(*(*store)->Campaigns()), AllBytes(rest.campaigns));
  EXPECT_EQ(AllBytes(*(*store)->Agents()), AllBytes(rest.agents));
  EXPECT_EQ(Bytes(**(*store)->GetRecording(AttemptId(3))), Bytes(rest.recordings[0]));
  EXPECT_EQ(*(*store)->GetMeta("estimator"), "state");
  EXPECT_GT(*(*store)->ReserveLeadIds(1), 3 * kV1Leads);
  // Numbers of alt_phone are found now, too.
  EXPECT_THAT(*(*store)->LeadsByPhone(E164(442'079'460'005)),
              ::testing::ElementsAre(LeadId(5 * 3)));
  size_t due = 0;
  for (uint64_t i = 1; i <= kV1Leads; ++i) {
    due += V1Lead(i).campaign == "DEMO" && V1Lead(i).next_call_time != absl::InfiniteFuture();
  }
  EXPECT_EQ((*store)->DueLeads({"DEMO", kV1Start + absl::Hours(24 * 365), 10'000})->size(), due);
  // And it can be written to.
  campaign::StoreBatch batch;
  batch.leads = {leads[4]};
  batch.leads[0].fields["new"] = "field";
  EXPECT_TRUE((*store)->Commit(batch).ok());
  batch.leads = {leads[4]};
  EXPECT_TRUE((*store)->Commit(batch).ok());
  EXPECT_EQ(Bytes(**(*store)->GetLead(leads[4].id)), Bytes(leads[4]));
}

TEST_F(Migrate, AnOldStoreIsRefusedWithTheCommandThatHelps) {
  for (const bool read_only : {false, true}) {
    const absl::Status status = Open(read_only).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("schema version 1"), HasSubstr("outpace store migrate")));
  }
}

TEST_F(Migrate, KeepsEveryRecord) {
  std::vector<uint64_t> told;
  MigrationOptions options = Options();
  options.progress = [&told](uint64_t done, uint64_t) { told.push_back(done); };
  const absl::Status status = MigrateStore(options);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(told.size(), kV1Leads / 50);
  EXPECT_EQ(told.back(), kV1Leads);
  ExpectMigrated();
  // Once more does nothing.
  told.clear();
  EXPECT_TRUE(MigrateStore(options).ok());
  EXPECT_TRUE(told.empty());
}

// The program of version 1 must find it as it was: no new family, the old schema.
TEST_F(Migrate, TheCheckpointIsTheStoreAsItWas) {
  ASSERT_TRUE(MigrateStore(Options()).ok());
  std::filesystem::remove_all(path_);
  std::filesystem::rename(CheckpointBeforeMigration(path_), path_);
  EXPECT_THAT(std::string(Open().status().message()), HasSubstr("schema version 1"));
  ASSERT_TRUE(MigrateStore(Options()).ok());
  ExpectMigrated();
}

// One that lies there from before is not the store as it was now.
TEST_F(Migrate, AnOlderCheckpointMakesRoom) {
  const std::string checkpoint = CheckpointBeforeMigration(path_);
  std::filesystem::create_directory(checkpoint);
  ASSERT_TRUE(MigrateStore(Options()).ok());
  EXPECT_TRUE(std::filesystem::is_empty(checkpoint + ".1"));
  EXPECT_EQ(std::filesystem::status(checkpoint).permissions(), std::filesystem::perms::owner_all);
  std::filesystem::remove_all(path_);
  std::filesystem::rename(checkpoint, path_);
  ASSERT_TRUE(MigrateStore(Options()).ok());
  ExpectMigrated();
}

TEST_F(Migrate, RefusesWhatIsNoStore) {
  MigrationOptions options = Options();
  options.path = absl::StrCat(directory_.path(), "/absent");
  EXPECT_EQ(MigrateStore(options).code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(options.path));
}

// Killed after every write of leads in turn; each time the store is refused until the rest is done.
TEST_F(Migrate, GoesOnFromWhereverItWasKilled) {
  const uint64_t writes = kV1Leads / 50;
  for (uint64_t kill_at = 1; kill_at <= writes; ++kill_at) {
    {
      Child child({STORE_WRITER, "migrate", path_});  // dies by its own hand after one write
      ASSERT_EQ(child.ReadLine(), "50");
      ASSERT_EQ(child.ReadLine(), "");
    }
    EXPECT_FALSE(std::filesystem::exists(CheckpointBeforeMigration(path_) + ".1"));
    if (kill_at == 1 || kill_at == writes) {
      EXPECT_THAT(std::string(Open().status().message()),
                  AllOf(HasSubstr("was cut off"), HasSubstr("outpace store migrate")));
    }
  }
  const absl::Status status = MigrateStore(Options());
  ASSERT_TRUE(status.ok()) << status;
  ExpectMigrated();
}

// --- Records of version 1 ---

TEST(LeadV1, SkipsFieldsOfANewerProgram) {
  FieldWriter w(1);
  w.TextAlways(900, "a field of the year 2030");
  w.NumberAlways(1, 77);  // lead id
  w.NumberAlways(901, UINT64_MAX);
  w.TextAlways(6, "SALE");  // status
  w.Pair(902, "x", "y");
  const absl::StatusOr<Lead> lead = DecodeLeadV1(std::move(w).Finish());
  ASSERT_TRUE(lead.ok()) << lead.status();
  EXPECT_EQ(lead->id, LeadId(77));
  EXPECT_EQ(lead->status, "SALE");
}

TEST(LeadV1, RefusesANewerMajorVersionWithAReason) {
  FieldWriter w(2);
  w.NumberAlways(1, 77);
  const absl::Status status = DecodeLeadV1(std::move(w).Finish()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("version 2"));
}

TEST(LeadV1, RefusesValuesOutOfRangeBehindAGoodChecksum) {
  const auto lead_with = [](uint32_t field, uint64_t value) {
    FieldWriter w(1);
    w.NumberAlways(1, 5);
    w.NumberAlways(field, value);
    return DecodeLeadV1(std::move(w).Finish()).status().code();
  };
  EXPECT_EQ(lead_with(7, 1), absl::StatusCode::kOk);
  EXPECT_EQ(lead_with(7, 2), absl::StatusCode::kDataLoss);                         // tier
  EXPECT_EQ(lead_with(4, 1'000'000'000'000'000), absl::StatusCode::kDataLoss);     // 16 digits
  EXPECT_EQ(lead_with(8, ZigZag(int64_t{1} << 40)), absl::StatusCode::kDataLoss);  // called_count
  EXPECT_EQ(lead_with(3, 9), absl::StatusCode::kDataLoss);  // campaign is text
  FieldWriter no_id(1);
  no_id.TextAlways(6, "NEW");
  EXPECT_EQ(DecodeLeadV1(std::move(no_id).Finish()).status().code(), absl::StatusCode::kDataLoss);
}

TEST(LeadV1, AColumnOfTheOwnersNameIsKeptBesideIt) {
  FieldWriter w(1);
  w.NumberAlways(1, 5);
  w.TextAlways(21, "Wang");
  w.Pair(22, "owner", "Li");
  const absl::StatusOr<Lead> lead = DecodeLeadV1(std::move(w).Finish());
  ASSERT_TRUE(lead.ok()) << lead.status();
  EXPECT_EQ(lead->owner, "Wang");
  EXPECT_EQ(lead->fields.at("owner_2"), "Li");
}

}  // namespace
}  // namespace outpace::store
