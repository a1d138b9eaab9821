// What was removed is gone from the files of the store, and of copies made of them afterwards.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/snapshot.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "campaign/store/rocks_lead_store.h"
#include "campaign/store/store_backup.h"
#include "tests/campaign/store/store_testing.h"

namespace outpace::store {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using Code = absl::StatusCode;

constexpr uint64_t kLeads = 200;
constexpr uint64_t kFirst = 1000;
constexpr uint64_t kErased = kFirst + 77;

E164 PhoneOf(uint64_t id) { return E164(14'155'550'000 + id); }

// A text that occurs once and that no compression cuts up.
std::string Secret(uint64_t seed) {
  Rng rng(seed);
  std::string text;
  for (int i = 0; i < 24; ++i) text.push_back(static_cast<char>('a' + rng.Below(26)));
  return text;
}

// Files below `directory` in which `text` stands.
std::vector<std::string> FilesWith(const std::string& directory, const std::string& text) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (absl::StrContains(bytes, text)) found.push_back(entry.path().filename().string());
  }
  return found;
}

class Scrub : public ::testing::Test {
 protected:
  void SetUp() override {
    Open();
    Load();
  }
  // Closing writes every memtable out as a table.
  void Open() {
    store_.reset();
    RocksStoreOptions options;
    options.path = path_;
    auto opened = RocksLeadStore::Open(options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }
  // A list of leads, each with a name of its own.
  void Load() {
    campaign::StoreBatch batch;
    batch.lists.emplace_back();
    batch.lists[0].id = ListId(1);
    batch.lists[0].campaign = "DEMO";
    ASSERT_TRUE(store_->Commit(batch).ok());
    campaign::BulkOptions options;
    options.import = ImportId(1);
    options.list = ListId(1);
    options.campaign = "DEMO";
    options.entry_date = kStart;
    options.layout = {{"last_name"}};
    auto bulk = store_->BeginBulk(options);
    ASSERT_TRUE(bulk.ok()) << bulk.status();
    std::vector<campaign::BulkLead> leads(kLeads);
    std::vector<std::string> texts(kLeads);
    for (uint64_t i = 0; i < kLeads; ++i) {
      campaign::AppendFieldText(Secret(kFirst + i), texts[i]);
      leads[i].fields = texts[i];
      leads[i].phone = PhoneOf(kFirst + i);
    }
    ASSERT_TRUE((*bulk)->Add(LeadId(kFirst), leads).ok());
    campaign::Import import;
    import.id = options.import;
    import.list = options.list;
    import.campaign = options.campaign;
    import.counts.rows = import.counts.accepted = kLeads;
    ASSERT_TRUE((*bulk)->Publish(import).ok());
  }
  // The lead is written over once, and has a call.
  void Call() {
    campaign::StoreBatch batch;
    batch.leads.push_back(**store_->GetLead(LeadId(kErased)));
    batch.leads[0].fields["comments"] = Secret(1);
    campaign::Attempt attempt;
    attempt.id = AttemptId(9);
    attempt.lead = LeadId(kErased);
    attempt.dialed = PhoneOf(kErased);
    attempt.note = Secret(2);
    attempt.open = false;
    attempt.dialed_at = kStart;
    batch.attempts.push_back(attempt);
    batch.meta["trail"] = Secret(3);
    ASSERT_TRUE(store_->Commit(batch).ok());
  }
  // As an erasure does it.
  ScrubOrder Erase() {
    ScrubOrder order;
    order.leads.push_back(**store_->GetLead(LeadId(kErased)));
    order.numbers = {PhoneOf(kErased)};
    order.attempts = {AttemptId(9)};
    order.meta = {"trail"};
    campaign::StoreBatch batch;
    batch.leads_removed = {LeadId(kErased)};
    batch.meta["trail"] = "";
    if (auto attempt = store_->GetAttempt(AttemptId(9)); attempt.ok() && attempt->has_value()) {
      (*attempt)->note.clear();
      (*attempt)->dialed = E164();
      batch.attempts.push_back(**attempt);
    }
    EXPECT_TRUE(store_->Commit(batch).ok());
    return order;
  }
  std::vector<std::string> SecretsIn(const std::string& directory) {
    std::vector<std::string> found;
    for (const uint64_t seed : {kErased, uint64_t{1}, uint64_t{2}, uint64_t{3}}) {
      for (std::string& file : FilesWith(directory, Secret(seed))) found.push_back(std::move(file));
    }
    return found;
  }
  void ExpectTheRestIsThere() {
    EXPECT_TRUE(store_->Verify().ok());
    EXPECT_EQ(LeadsOf(*store_).size(), kLeads - 1);
    EXPECT_THAT(FilesWith(path_, Secret(kErased + 1)), Not(IsEmpty()));
  }

  const ScratchDirectory scratch_;
  const std::string path_ = scratch_.path() + "/store";
  std::unique_ptr<RocksLeadStore> store_;
};

TEST_F(Scrub, NothingOfTheLeadStaysInAnyFile) {
  Call();
  const ScrubOrder order = Erase();
  ASSERT_THAT(SecretsIn(path_), Not(IsEmpty())) << "a removal alone leaves it there";
  const absl::Status status = store_->Scrub(order);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(SecretsIn(path_), IsEmpty());
  ExpectTheRestIsThere();
  const std::string copies = scratch_.path() + "/copies";
  ASSERT_TRUE(MakeBackup(*store_, copies).ok());
  EXPECT_THAT(SecretsIn(copies), IsEmpty());
}

// Records as a store has them that has run for long: each in a table of its own, at all levels.
TEST_F(Scrub, TablesThatWereWrittenOneAfterAnotherAreRewritten) {
  Call();
  Open();
  campaign::StoreBatch batch;
  batch.leads.push_back(**store_->GetLead(LeadId(kErased)));
  batch.leads[0].fields["comments"] = "less";
  ASSERT_TRUE(store_->Commit(batch).ok());
  Open();
  const ScrubOrder order = Erase();
  Open();
  ASSERT_TRUE(store_->Scrub(order).ok());
  EXPECT_THAT(SecretsIn(path_), IsEmpty());
  ExpectTheRestIsThere();
}

// Who reads the store as it was keeps what is removed from being rewritten; the caller is told, and
// later everything is rewritten, as nobody knows any more where it lay.
TEST_F(Scrub, AReaderWhoBeganBeforeIsTold) {
  std::optional<rocksdb::ManagedSnapshot> reader(store_->db());
  const ScrubOrder order = Erase();
  EXPECT_EQ(store_->Scrub(order).code(), Code::kAborted);
  reader.reset();
  ScrubOrder everything;
  everything.everything = true;
  ASSERT_TRUE(store_->Scrub(everything).ok());
  EXPECT_THAT(SecretsIn(path_), IsEmpty());
  ExpectTheRestIsThere();
}

// RocksDB writes the ends of a compaction's range to its log.
TEST_F(Scrub, TheDatabasesOwnLogDoesNotNameTheNumber) {
  ASSERT_TRUE(store_->Scrub(Erase()).ok());
  store_.reset();  // writes the log out
  std::string hex;
  for (int shift = 56; shift >= 0; shift -= 8) {
    absl::StrAppendFormat(&hex, "%02X", (PhoneOf(kErased).value() >> shift) & 0xff);
  }
  EXPECT_THAT(FilesWith(path_, "Manual compaction"), Not(IsEmpty()));
  EXPECT_THAT(FilesWith(path_, hex), IsEmpty());
}

TEST_F(Scrub, AStoreOpenedForReadingIsLeftAlone) {
  RocksStoreOptions options;
  options.path = path_;
  options.read_only = true;
  auto reader = RocksLeadStore::Open(options);
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->Scrub(ScrubOrder()).code(), Code::kFailedPrecondition);
}

}  // namespace
}  // namespace outpace::store
