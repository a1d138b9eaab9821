// The order of a refill: lead orders, shares, new leads, lists; and the index behind it, when many
// leads come due at once and while a campaign gets another order.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/lead_order.h"
#include "campaign/store/due_index.h"
#include "campaign/store/memory_lead_store.h"
#include "campaign/store/rocks_lead_store.h"
#include "tests/campaign/store/store_testing.h"
#include "tests/fakes/crash_env.h"

namespace outpace::store {
namespace {

using campaign::DueQuery;
using campaign::Lead;
using campaign::LeadOrder;
using campaign::LeadStore;
using campaign::StoreBatch;
using campaign::Tier;
using fakes::CrashEnv;
using ::testing::ElementsAre;

RocksLeadStore::Options Small(const std::string& path) {
  RocksLeadStore::Options options;
  options.path = path;
  options.memtable_bytes = 64 << 10;  // small, so that flushes and compactions take part
  return options;
}

DueQuery Query(LeadOrder order, size_t limit = 100, absl::Time now = kStart) {
  DueQuery query;
  query.campaign = "C1";
  query.now = now;
  query.limit = limit;
  query.order = order;
  return query;
}

// Until nothing is left to do; the number of steps.
int TendAll(LeadStore& store, const DueQuery& query) {
  for (int steps = 1;; ++steps) {
    const absl::StatusOr<bool> more = store.Tend(query);
    EXPECT_TRUE(more.ok()) << more.status();
    if (!more.ok() || !*more) return steps;
  }
}

std::vector<uint64_t> DueIds(const LeadStore& store, const DueQuery& query) {
  const auto leads = store.DueLeads(query);
  EXPECT_TRUE(leads.ok()) << leads.status();
  return leads.ok() ? IdsOf(*leads) : std::vector<uint64_t>();
}

Lead NewLead(uint64_t id, uint64_t list = 1) {
  Lead lead;
  lead.id = LeadId(id);
  lead.list = ListId(list);
  lead.campaign = "C1";
  lead.phone = E164(14'155'550'000 + id);
  lead.time_zones = {"America/New_York"};
  return lead;
}

class Refill : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "memory") {
      store_ = std::make_unique<MemoryLeadStore>();
      return;
    }
    auto store = RocksLeadStore::Open(Small(absl::StrCat(directory_.path(), "/store")));
    ASSERT_TRUE(store.ok()) << store.status();
    rocks_ = store->get();
    store_ = *std::move(store);
  }
  void TearDown() override {
    if (rocks_ != nullptr) {
      EXPECT_TRUE(rocks_->Verify().ok()) << rocks_->Verify();
    }
  }
  void Put(std::vector<Lead> leads) {
    StoreBatch batch;
    batch.leads = std::move(leads);
    ASSERT_TRUE(store_->Commit(batch).ok());
  }
  void Put(const campaign::List& list) {
    StoreBatch batch;
    batch.lists = {list};
    ASSERT_TRUE(store_->Commit(batch).ok());
  }
  std::vector<uint64_t> InOrder(const std::string& name) {
    const auto choice = campaign::ParseLeadOrder(name);
    EXPECT_TRUE(choice.ok()) << choice.status();
    DueQuery query = Query(choice->order);
    query.nth_new = choice->nth_new;
    TendAll(*store_, query);
    return DueIds(*store_, query);
  }

  ScratchDirectory directory_;
  std::unique_ptr<LeadStore> store_;
  RocksLeadStore* rocks_ = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Stores, Refill, ::testing::Values("memory", "rocks"),
                         [](const auto& test) { return test.param; });

TEST_P(Refill, EachOrderSortsByWhatItsNameSays) {
  struct Row {
    uint64_t phone;
    const char *last_name, *owner;
    int count;
    const char* zone;
    int64_t called_minutes_ago;
  };
  const Row rows[] = {{13'000'000'000, "Clark", "eve", 3, "America/Los_Angeles", 30},
                      {12'000'000'000, "adams", "bob", 1, "Europe/London", 90},
                      {14'000'000'000, "Baker", "Dan", 2, "America/New_York", 60}};
  std::vector<Lead> leads;
  for (const Row& row : rows) {
    Lead lead = NewLead(leads.size() + 1);
    lead.phone = E164(row.phone);
    lead.fields["last_name"] = row.last_name;
    lead.owner = row.owner;
    lead.called_count = row.count;
    lead.time_zones = {row.zone};
    lead.last_call_time = kStart - absl::Minutes(row.called_minutes_ago);
    lead.next_call_time = kStart - absl::Minutes(static_cast<int64_t>(leads.size()));
    leads.push_back(lead);
  }
  Put(leads);
  EXPECT_THAT(InOrder("DUE"), ElementsAre(3, 2, 1));
  EXPECT_THAT(InOrder("DOWN"), ElementsAre(1, 2, 3));
  EXPECT_THAT(InOrder("UP"), ElementsAre(3, 2, 1));
  EXPECT_THAT(InOrder("DOWN PHONE"), ElementsAre(2, 1, 3));
  EXPECT_THAT(InOrder("UP PHONE"), ElementsAre(3, 1, 2));
  EXPECT_THAT(InOrder("DOWN LAST NAME"), ElementsAre(2, 3, 1));
  EXPECT_THAT(InOrder("UP LAST NAME"), ElementsAre(1, 3, 2));
  EXPECT_THAT(InOrder("DOWN COUNT"), ElementsAre(2, 3, 1));
  EXPECT_THAT(InOrder("UP COUNT"), ElementsAre(1, 3, 2));
  EXPECT_THAT(InOrder("DOWN OWNER"), ElementsAre(2, 3, 1));
  EXPECT_THAT(InOrder("UP OWNER"), ElementsAre(1, 3, 2));
  EXPECT_THAT(InOrder("DOWN TIMEZONE"), ElementsAre(1, 3, 2));
  EXPECT_THAT(InOrder("UP TIMEZONE"), ElementsAre(2, 3, 1));
  EXPECT_THAT(InOrder("DOWN LAST CALL TIME"), ElementsAre(2, 3, 1));
  EXPECT_THAT(InOrder("UP LAST CALL TIME"), ElementsAre(1, 3, 2));
  std::vector<uint64_t> shuffled = InOrder("RANDOM");
  EXPECT_EQ(shuffled, InOrder("RANDOM"));
  std::sort(shuffled.begin(), shuffled.end());
  EXPECT_THAT(shuffled, ElementsAre(1, 2, 3));
  EXPECT_THAT(InOrder("DUE"), ElementsAre(3, 2, 1));
}

TEST_P(Refill, TierAndRankComeBeforeTheOrder) {
  std::vector<Lead> leads = {NewLead(1), NewLead(2), NewLead(3), NewLead(4)};
  leads[0].tier = Tier::kB;
  leads[1].rank = -5;
  leads[2].rank = 7;
  Put(leads);
  EXPECT_THAT(InOrder("UP"), ElementsAre(3, 4, 2, 1));
  EXPECT_THAT(InOrder("UP RANK"), ElementsAre(3, 4, 2, 1));
  EXPECT_THAT(InOrder("DOWN RANK"), ElementsAre(2, 4, 3, 1));
}

TEST_P(Refill, LeadsOfListsThatAreOffArchivedOrExpiredAreNotTaken) {
  Put({NewLead(1, 1), NewLead(2, 2), NewLead(3, 3), NewLead(4, 4), NewLead(5, 5)});
  campaign::List list;
  list.campaign = "C1";
  list.id = ListId(1);
  list.active = false;
  Put(list);
  list.active = true;
  list.id = ListId(2);
  list.archived = true;
  Put(list);
  list.archived = false;
  list.id = ListId(3);
  list.expires = kStart + absl::Hours(1);
  Put(list);
  list.expires = absl::InfiniteFuture();
  list.id = ListId(4);
  Put(list);  // list 5 has no record
  EXPECT_THAT(DueIds(*store_, Query(LeadOrder::kDue)), ElementsAre(3, 4, 5));
  EXPECT_THAT(DueIds(*store_, Query(LeadOrder::kDue, 9, kStart + absl::Hours(1))),
              ElementsAre(4, 5));
  list.id = ListId(1);
  Put(list);
  EXPECT_THAT(DueIds(*store_, Query(LeadOrder::kDue)), ElementsAre(1, 3, 4, 5));
}

TEST_P(Refill, OnlyStatusesThatAreAskedFor) {
  std::vector<Lead> leads = {NewLead(1), NewLead(2), NewLead(3), NewLead(4)};
  leads[1].status = "NA";
  leads[2].status = "B";
  Put(leads);
  DueQuery query = Query(LeadOrder::kDue);
  query.statuses = {"NEW", "B"};
  EXPECT_THAT(DueIds(*store_, query), ElementsAre(1, 3, 4));
  query.statuses = {"XX"};
  EXPECT_THAT(DueIds(*store_, query), ElementsAre());
}

TEST_P(Refill, EveryNthLeadIsANewOne) {
  std::vector<Lead> leads;
  for (uint64_t id = 1; id <= 6; ++id) leads.push_back(NewLead(id));
  for (uint64_t id = 7; id <= 12; ++id) {
    leads.push_back(NewLead(id));
    leads.back().status = "NA";
  }
  Put(leads);
  EXPECT_THAT(InOrder("DOWN"), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
  EXPECT_THAT(InOrder("DOWN 2nd NEW"), ElementsAre(7, 1, 8, 2, 9, 3, 10, 4, 11, 5, 12, 6));
  EXPECT_THAT(InOrder("DOWN 3rd NEW"), ElementsAre(7, 8, 1, 9, 10, 2, 11, 12, 3, 4, 5, 6));
  EXPECT_THAT(InOrder("UP 6th NEW"), ElementsAre(12, 11, 10, 9, 8, 6, 7, 5, 4, 3, 2, 1));
}

TEST_P(Refill, ListsGetTheirSharesWhileTheyLast) {
  std::vector<Lead> leads;
  uint64_t id = 1;
  for (const auto& [list, n] :
       {std::pair<uint64_t, int>{101, 400}, {102, 400}, {103, 30}, {9, 50}}) {
    for (int i = 0; i < n; ++i) leads.push_back(NewLead(id++, list));
  }
  Put(leads);
  DueQuery query = Query(LeadOrder::kDue, 600);
  query.mix = {{ListId(101), 53, {}}, {ListId(102), 37, {}}, {ListId(103), 10, {}}};
  const auto found = store_->DueLeads(query);
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 600u);
  std::map<uint64_t, int> count;
  for (size_t i = 0; i < found->size(); ++i) {
    ++count[(*found)[i].list.value()];
    if (i >= 300) continue;  // list 103 has run dry by then
    const double place = static_cast<double>(i + 1);
    EXPECT_NEAR(count[101], place * 0.53, 1) << i;
    EXPECT_NEAR(count[102], place * 0.37, 1) << i;
    EXPECT_NEAR(count[103], place * 0.10, 1) << i;
  }
  EXPECT_EQ(count[103], 30);
  EXPECT_EQ(count[9], 0);  // not in the mix
  // Its part went to the others by their shares.
  EXPECT_NEAR(count[101], 300 * 0.53 + 300 * 53.0 / 90, 2);
  query.limit = 10'000;
  EXPECT_EQ(store_->DueLeads(query)->size(), 830u);
}

TEST_P(Refill, SharesMayNameStatuses) {
  std::vector<Lead> leads;
  for (uint64_t id = 1; id <= 20; ++id) {
    leads.push_back(NewLead(id));
    if (id > 10) leads.back().status = "NA";
  }
  Put(leads);
  DueQuery query = Query(LeadOrder::kDue, 8);
  query.mix = {{ListId(1), 25, {"NA"}}, {ListId(1), 75, {"NEW"}}};
  const auto found = store_->DueLeads(query);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(std::count_if(found->begin(), found->end(),
                          [](const Lead& lead) { return lead.status == "NA"; }),
            2);
}

TEST_P(Refill, WithoutTextsNoneAreReadAndNoneAreLost) {
  Lead lead = NewLead(1);
  lead.owner = "bob";
  lead.fields["last_name"] = "Adams";
  Put({lead});
  DueQuery query = Query(LeadOrder::kDownLastName);
  TendAll(*store_, query);
  query.with_fields = false;
  auto found = store_->DueLeads(query);
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 1u);
  EXPECT_FALSE((*found)[0].has_fields);
  EXPECT_TRUE((*found)[0].fields.empty());
  EXPECT_EQ((*found)[0].time_zones, lead.time_zones);
  (*found)[0].status = "NA";
  Put(*found);
  const auto stored = store_->GetLead(LeadId(1));
  ASSERT_TRUE(stored.ok() && stored->has_value());
  EXPECT_EQ((*stored)->status, "NA");
  EXPECT_EQ((*stored)->owner, "bob");
  EXPECT_EQ((*stored)->Field("last_name"), "Adams");
}

campaign::List RandomListOf(Rng& rng) {
  campaign::List list;
  list.id = ListId(rng.Below(5) + 1);
  list.active = rng.Chance(0.7);
  list.archived = rng.Chance(0.1);
  if (rng.Chance(0.3)) list.expires = RandomTime(rng);
  return list;
}

// A wall clock that never goes back: a lead whose time has come stays where that has brought it.
absl::Time Later(Rng& rng, absl::Time now) {
  return now + absl::Seconds(static_cast<int64_t>(rng.Below(3000)));
}

DueQuery RandomQuery(Rng& rng, const CampaignId& campaign, LeadOrder order, absl::Time now) {
  DueQuery query;
  query.campaign = campaign;
  query.now = now;
  query.limit = rng.Below(30);
  query.order = order;
  if (rng.Chance(0.3)) query.nth_new = 2 + static_cast<int>(rng.Below(5));
  if (rng.Chance(0.3)) query.statuses = {rng.Chance(0.5) ? "NEW" : "NA"};
  if (rng.Chance(0.3)) {
    query.mix = {{ListId(1), 60, {}}, {ListId(2), 30, {"NA"}}, {ListId(2), 10, {"NEW"}}};
  }
  return query;
}

// Both stores are given the same writes and the same changes of order; after each, every refill
// must have one answer.
TEST(BothStores, RefillAlikeWhateverIsWritten) {
  ScratchDirectory directory;
  MemoryLeadStore memory;
  auto rocks = RocksLeadStore::Open(Small(directory.path() + "/store"));
  ASSERT_TRUE(rocks.ok()) << rocks.status();
  Rng rng(29);
  std::map<CampaignId, LeadOrder> orders;
  absl::Time now = kStart;
  for (int round = 0; round < 500; ++round) {
    SCOPED_TRACE(round);
    StoreBatch batch;
    for (uint64_t n = rng.Below(12); n > 0; --n) {
      batch.leads.push_back(RandomLead(rng, 1 + rng.Below(120)));
      if (rng.Chance(0.5)) batch.leads.back().next_call_time = absl::InfinitePast();
    }
    if (rng.Chance(0.1)) batch.lists.push_back(RandomListOf(rng));
    ASSERT_TRUE(memory.Commit(batch).ok());
    ASSERT_TRUE((*rocks)->CommitUnsynced(batch).ok());
    if (rng.Chance(0.02)) {
      rocks->reset();
      rocks = RocksLeadStore::Open(Small(directory.path() + "/store"));
      ASSERT_TRUE(rocks.ok()) << rocks.status();
    }
    for (const char* id : {"C0", "C1", "C2"}) {
      LeadOrder& order = orders[id];
      if (rng.Chance(0.05)) order = static_cast<LeadOrder>(rng.Below(campaign::kLeadOrders));
      now = Later(rng, now);
      const DueQuery query = RandomQuery(rng, id, order, now);
      TendAll(memory, query);
      if (const auto more = (*rocks)->Tend(query); *more || rng.Chance(0.3)) {
        TendAll(**rocks, query);
      }
      ASSERT_EQ(DueIds(memory, query), DueIds(**rocks, query))
          << id << campaign::LeadOrderName(order);
      EXPECT_EQ(AllBytes(*memory.DueLeads(query)), AllBytes(*(*rocks)->DueLeads(query)));
    }
  }
  EXPECT_TRUE((*rocks)->Verify().ok()) << (*rocks)->Verify();
}

// Writes between the steps of a change of order, changes of mind, and a crash at any time.
TEST(ChangeOfOrder, GoesOnWhileLeadsAreWrittenAndAfterCrashes) {
  CrashEnv machine;
  RocksLeadStore::Options options = Small("/store");
  options.env = machine.env();
  MemoryLeadStore memory;
  auto rocks = RocksLeadStore::Open(options);
  ASSERT_TRUE(rocks.ok()) << rocks.status();
  Rng rng(31);
  StoreBatch all;
  for (uint64_t id = 1; id <= 3000; ++id) {
    all.leads.push_back(RandomLead(rng, id));
    all.leads.back().campaign = "C1";
  }
  ASSERT_TRUE(memory.Commit(all).ok());
  ASSERT_TRUE((*rocks)->Commit(all).ok());
  LeadOrder order = LeadOrder::kDue;
  absl::Time now = kStart;
  int most_steps = 0;
  for (int round = 0; round < 25; ++round) {
    SCOPED_TRACE(round);
    order = static_cast<LeadOrder>(rng.Below(campaign::kLeadOrders));
    for (int steps = 1;; ++steps) {
      now = Later(rng, now);
      const auto more = (*rocks)->Tend(Query(order, 0, now));
      ASSERT_TRUE(more.ok()) << more.status();
      most_steps = std::max(most_steps, steps);
      if (!*more) break;
      StoreBatch batch;
      for (uint64_t n = rng.Below(20); n > 0; --n) {
        batch.leads.push_back(RandomLead(rng, 1 + rng.Below(3000)));
        batch.leads.back().campaign = "C1";
      }
      ASSERT_TRUE(memory.Commit(batch).ok());
      ASSERT_TRUE((*rocks)->Commit(batch).ok());
      EXPECT_EQ((*rocks)->DueLeads(Query(order, 50, now))->size(), 50u);
      if (rng.Chance(0.1)) {
        machine.CrashAt(1);
        StoreBatch lost;
        lost.meta["power"] = "gone";
        EXPECT_FALSE((*rocks)->Commit(lost).ok());
        rocks->reset();
        Rng torn(static_cast<uint64_t>(round));
        machine.Reboot(&torn);
        rocks = RocksLeadStore::Open(options);
        ASSERT_TRUE(rocks.ok()) << rocks.status();
        ASSERT_TRUE((*rocks)->Verify().ok()) << (*rocks)->Verify();
      }
      if (rng.Chance(0.02)) break;  // another order is wanted meanwhile
    }
    const DueQuery query = Query(order, 5000, now);
    TendAll(memory, query);
    TendAll(**rocks, query);
    EXPECT_EQ(DueIds(memory, query), DueIds(**rocks, query));
    ASSERT_TRUE((*rocks)->Verify().ok()) << (*rocks)->Verify();
  }
  EXPECT_GT(most_steps, 5);
}

// A load of `n` leads from id `first` on; each second one is promised a call at `call`.
void BulkLoad(LeadStore& store, uint64_t first, uint64_t n, absl::Time call) {
  campaign::BulkOptions options;
  options.import = ImportId(first);
  options.list = ListId(1);
  options.campaign = "C1";
  options.entry_date = kStart;
  options.layout = {{"last_name"}, {"owner"}};
  const auto zones = store.InternZones({"America/New_York"});
  ASSERT_TRUE(zones.ok()) << zones.status();
  auto bulk = store.BeginBulk(options);
  ASSERT_TRUE(bulk.ok()) << bulk.status();
  Rng rng(first);
  std::vector<std::string> texts(n);
  std::vector<campaign::BulkLead> leads(n);
  for (size_t i = 0; i < n; ++i) {
    campaign::AppendFieldText(absl::StrCat("Name", rng.Below(50)), texts[i]);
    campaign::AppendFieldText(absl::StrCat("agent", rng.Below(5)), texts[i]);
    leads[i].fields = texts[i];
    leads[i].phone = E164(14'155'550'000 + rng.Below(1'000'000));
    leads[i].rank = static_cast<int8_t>(rng.Below(3));
    leads[i].zones = *zones;
    if (i % 2 == 1) leads[i].next_call_micros = absl::ToUnixMicros(call) + static_cast<int>(i % 7);
  }
  ASSERT_TRUE((*bulk)->Add(LeadId(first), leads).ok());
  campaign::Import import;
  import.id = options.import;
  import.list = options.list;
  const absl::Status published = (*bulk)->Publish(import);
  ASSERT_TRUE(published.ok()) << published;
}

void PutList(LeadStore& store) {
  StoreBatch batch;
  batch.lists.emplace_back();
  batch.lists[0].id = ListId(1);
  batch.lists[0].campaign = "C1";
  ASSERT_TRUE(store.Commit(batch).ok());
}

TEST(BulkLoads, TakeTheirPlacesInEveryOrderAndWhileOneIsBuilt) {
  ScratchDirectory directory;
  MemoryLeadStore memory;
  auto rocks = RocksLeadStore::Open(Small(directory.path() + "/store"));
  ASSERT_TRUE(rocks.ok()) << rocks.status();
  PutList(memory);
  PutList(**rocks);
  uint64_t first = 1;
  absl::Time now = kStart;
  for (int o = 0; o < campaign::kLeadOrders; ++o) {
    const auto order = static_cast<LeadOrder>(o);
    SCOPED_TRACE(campaign::LeadOrderName(order));
    // Half way through the change when the load comes.
    ASSERT_TRUE((*rocks)->Tend(Query(order, 0, now)).ok());
    BulkLoad(memory, first, 400, now + absl::Hours(1));
    BulkLoad(**rocks, first, 400, now + absl::Hours(1));
    first += 1000;
    ASSERT_TRUE((*rocks)->Verify().ok()) << (*rocks)->Verify();
    for (int hour = 0; hour < 2; ++hour, now += absl::Hours(1)) {
      const DueQuery query = Query(order, 700, now);
      TendAll(memory, query);
      TendAll(**rocks, query);
      ASSERT_EQ(DueIds(memory, query), DueIds(**rocks, query));
    }
  }
  EXPECT_TRUE((*rocks)->Verify().ok()) << (*rocks)->Verify();
}

TEST(ManyDueAtOnce, EachRefillIsFullWhileTheyAreMoved) {
  constexpr uint64_t kMany = 400'000;  // half of them wait
  ScratchDirectory directory;
  RocksLeadStore::Options options;
  options.path = directory.path() + "/store";
  auto rocks = RocksLeadStore::Open(options);
  ASSERT_TRUE(rocks.ok()) << rocks.status();
  PutList(**rocks);
  TendAll(**rocks, Query(LeadOrder::kUp));
  BulkLoad(**rocks, 1, kMany, kStart + absl::Hours(1));
  // Those that were ready are called, so that all that is left comes due in one moment.
  for (uint64_t id = 1; id <= kMany;) {
    StoreBatch batch;
    for (; batch.leads_removed.size() < 5000; id += 2) batch.leads_removed.emplace_back(id);
    ASSERT_TRUE((*rocks)->CommitUnsynced(batch).ok());
  }
  EXPECT_TRUE(DueIds(**rocks, Query(LeadOrder::kUp, 500)).empty());
  const DueQuery query = Query(LeadOrder::kUp, 500, kStart + absl::Hours(2));
  int steps = 0;
  for (bool more = true; more; ++steps) {
    if (steps % 10 == 0) {
      EXPECT_EQ(DueIds(**rocks, query).size(), 500u);
    }
    const absl::StatusOr<bool> tended = (*rocks)->Tend(query);
    ASSERT_TRUE(tended.ok()) << tended.status();
    more = *tended;
  }
  EXPECT_GE(steps, 100);  // in steps, none of which is long
  const auto leads = (*rocks)->DueLeads(query);
  ASSERT_TRUE(leads.ok());
  ASSERT_EQ(leads->size(), 500u);
  for (size_t i = 1; i < leads->size(); ++i) {
    EXPECT_EQ((*leads)[i].rank, 2);
    EXPECT_GT((*leads)[i - 1].id, (*leads)[i].id);
  }
  EXPECT_TRUE((*rocks)->Verify().ok()) << (*rocks)->Verify();
}

// What the fronts of the index are for: leads that went leave nothing a refill would see again.
TEST(Fronts, FollowWhatIsTakenAndWhatComesBack) {
  ScratchDirectory directory;
  auto rocks = RocksLeadStore::Open(Small(directory.path() + "/store"));
  ASSERT_TRUE(rocks.ok()) << rocks.status();
  MemoryLeadStore memory;
  Rng rng(37);
  StoreBatch all;
  for (uint64_t id = 1; id <= 2000; ++id) all.leads.push_back(NewLead(id, 1 + id % 3));
  ASSERT_TRUE((*rocks)->Commit(all).ok());
  ASSERT_TRUE(memory.Commit(all).ok());
  absl::Time now = kStart;
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(round);
    now += absl::Seconds(static_cast<int64_t>(rng.Below(60)));
    const DueQuery query = Query(LeadOrder::kDue, 40, now);
    auto due = (*rocks)->DueLeads(query);
    ASSERT_TRUE(due.ok());
    ASSERT_EQ(AllBytes(*memory.DueLeads(query)), AllBytes(*due));
    StoreBatch batch;
    for (Lead& lead : *due) {
      lead.status = rng.Chance(0.5) ? "NA" : "B";
      lead.tier = rng.Chance(0.2) ? Tier::kA : Tier::kB;
      lead.next_call_time = rng.Chance(0.05)
                                ? absl::InfinitePast()  // reset
                                : now + absl::Seconds(1 + static_cast<int64_t>(rng.Below(1000)));
      batch.leads.push_back(lead);
    }
    ASSERT_TRUE((*rocks)->Commit(batch).ok());
    ASSERT_TRUE(memory.Commit(batch).ok());
  }
  EXPECT_TRUE((*rocks)->Verify().ok()) << (*rocks)->Verify();
}

TEST(DueKeys, SayWhatTheyWereMadeOf) {
  Lead lead = NewLead(77, 5);
  lead.status = "NA";
  lead.rank = -3;
  DuePlan plan;
  plan.order = LeadOrder::kDownPhone;
  std::vector<DueEntry> entries = DueEntriesOf(lead, plan);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_FALSE(entries[0].waiting());
  const size_t prefix = DuePrefixOf("C1", 0).size();
  ReadyKey parts;
  ASSERT_TRUE(ParseReadyKey(entries[0].key, prefix, parts));
  EXPECT_EQ(parts.list, ListId(5));
  EXPECT_EQ(parts.status, "NA");
  EXPECT_EQ(parts.rank_place, 102);
  EXPECT_EQ(parts.order, lead.phone.value());
  EXPECT_EQ(parts.lead, lead.id);
  const std::string ready = entries[0].key;

  lead.next_call_time = kStart;
  plan.building = true;
  plan.next_order = LeadOrder::kDue;
  entries = DueEntriesOf(lead, plan);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_TRUE(entries[0].waiting());
  EXPECT_EQ(PromotedKey(entries[0]), ready);
  EXPECT_FALSE(entries[1].waiting());
  for (size_t cut = 0; cut < ready.size(); ++cut) {
    ParseReadyKey(absl::string_view(ready).substr(0, cut), prefix, parts);  // reads nothing outside
  }
  plan.cursor = ready;
  const auto again = DecodeDuePlan(EncodeDuePlan(plan));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->cursor, ready);
  EXPECT_EQ(again->order, LeadOrder::kDownPhone);
  EXPECT_TRUE(again->building);
  EXPECT_FALSE(DecodeDuePlan("no plan").ok());
}

}  // namespace
}  // namespace outpace::store
