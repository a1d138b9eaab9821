// One suite for both stores: what LeadStore promises, whatever holds the data.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/lead_store.h"
#include "campaign/store/memory_lead_store.h"
#include "campaign/store/rocks_lead_store.h"
#include "tests/campaign/store/store_testing.h"
#include "tests/fakes/dnc_entries.h"

namespace outpace::store {
namespace {

using campaign::Attempt;
using campaign::DueQuery;
using campaign::Lead;
using campaign::LeadStore;
using campaign::StoreBatch;
using campaign::Tier;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class Contract : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { Reopen(); }

  // The process restarts. Memory has nothing to come back from: it keeps the object.
  void Reopen() {
    if (GetParam() == "memory") {
      if (store_ == nullptr) store_ = std::make_unique<MemoryLeadStore>();
      return;
    }
    store_.reset();
    RocksLeadStore::Options options;
    options.path = absl::StrCat(directory_.path(), "/store");
    options.memtable_bytes = 64 << 10;  // small, so that flushes and compactions take part
    auto store = RocksLeadStore::Open(options);
    ASSERT_TRUE(store.ok()) << store.status();
    rocks_ = store->get();
    store_ = *std::move(store);
  }

  void TearDown() override {
    if (rocks_ != nullptr) {
      EXPECT_TRUE(rocks_->Verify().ok()) << rocks_->Verify();
    }
  }

  void Put(const Lead& lead) {
    StoreBatch batch;
    batch.leads.push_back(lead);
    const absl::Status status = store_->Commit(batch);
    ASSERT_TRUE(status.ok()) << status;
  }
  void Put(const Attempt& attempt) {
    StoreBatch batch;
    batch.attempts.push_back(attempt);
    const absl::Status status = store_->Commit(batch);
    ASSERT_TRUE(status.ok()) << status;
  }
  std::vector<uint64_t> Due(absl::Time now, size_t limit = 100, const CampaignId& id = "DEMO") {
    const auto leads = store_->DueLeads({id, now, limit});
    EXPECT_TRUE(leads.ok()) << leads.status();
    return IdsOf(*leads);
  }

  ScratchDirectory directory_;
  std::unique_ptr<LeadStore> store_;
  RocksLeadStore* rocks_ = nullptr;
};

Lead MakeLead(uint64_t id) {
  Lead lead;
  lead.id = LeadId(id);
  lead.list = ListId(1);
  lead.campaign = "DEMO";
  lead.phone = E164(14'155'550'000 + id);
  lead.time_zones = {"America/Los_Angeles"};
  lead.fields["first_name"] = "Ann";
  return lead;
}

Attempt MakeAttempt(uint64_t id, absl::Time dialed_at) {
  Attempt attempt;
  attempt.id = AttemptId(id);
  attempt.lead = LeadId(1);
  attempt.campaign = "DEMO";
  attempt.dialed = E164(14'155'550'100);
  attempt.dialed_at = dialed_at;
  return attempt;
}

TEST_P(Contract, NewStoreIsEmpty) {
  EXPECT_EQ(*store_->GetLead(LeadId(1)), std::nullopt);
  EXPECT_EQ(*store_->GetAttempt(AttemptId(1)), std::nullopt);
  EXPECT_THAT(Due(absl::InfiniteFuture()), IsEmpty());
  EXPECT_THAT(*store_->LeadsByPhone(E164(14'155'550'100)), IsEmpty());
  EXPECT_THAT(LeadsOf(*store_), IsEmpty());
  EXPECT_THAT(AttemptsOf(*store_), IsEmpty());
  EXPECT_THAT(*store_->OpenAttempts(), IsEmpty());
  EXPECT_THAT(fakes::DncEntriesIn(*store_), IsEmpty());
  EXPECT_THAT(*store_->Lists(), IsEmpty());
  EXPECT_THAT(*store_->Campaigns(), IsEmpty());
  EXPECT_THAT(*store_->Agents(), IsEmpty());
  EXPECT_EQ(*store_->GetMeta("estimator"), std::nullopt);
  EXPECT_THAT(*store_->StatusCounts(), IsEmpty());
  EXPECT_TRUE(store_->Commit(StoreBatch()).ok());
  EXPECT_TRUE(store_->SyncWrites().ok());
}

TEST_P(Contract, KeepsEveryKindOfRecordOverARestart) {
  Rng rng(7);
  StoreBatch batch;
  batch.leads = {RandomLead(rng, 1), RandomLead(rng, 2)};
  batch.attempts = {RandomAttempt(rng, 1)};
  batch.dnc_added = {{E164(14'155'550'101), {}, "import", kStart},
                     {E164(14'155'550'101), dnc::CampaignScope("DEMO"), "agent a1", kStart}};
  batch.lists = {RandomList(rng, 300), RandomList(rng, 2)};
  batch.campaigns = {RandomSettings(rng, "DEMO"), RandomSettings(rng, "ALPHA")};
  batch.agents = {RandomAgent(rng, "zoe"), RandomAgent(rng, "a1")};
  batch.meta = {{"estimator", std::string("\0\xff 1", 4)}, {"empty", ""}};
  ASSERT_TRUE(store_->Commit(batch).ok());
  Reopen();
  EXPECT_EQ(Bytes(**store_->GetLead(LeadId(2))), Bytes(batch.leads[1]));
  EXPECT_EQ(AllBytes(LeadsOf(*store_)), AllBytes(batch.leads));
  EXPECT_EQ(Bytes(**store_->GetAttempt(AttemptId(1))), Bytes(batch.attempts[0]));
  EXPECT_EQ(AllBytes(fakes::DncEntriesIn(*store_)), AllBytes(batch.dnc_added));
  EXPECT_EQ(AllBytes(*store_->Lists()),
            AllBytes(std::vector<campaign::List>{batch.lists[1], batch.lists[0]}));
  EXPECT_EQ(AllBytes(*store_->Campaigns()), AllBytes(std::vector<campaign::CampaignSettings>{
                                                batch.campaigns[1], batch.campaigns[0]}));
  EXPECT_EQ(AllBytes(*store_->Agents()),
            AllBytes(std::vector<campaign::AgentRecord>{batch.agents[1], batch.agents[0]}));
  EXPECT_EQ(*store_->GetMeta("estimator"), std::string("\0\xff 1", 4));
  EXPECT_EQ(*store_->GetMeta("empty"), "");
}

// Writes down what it is shown; the whole lead of each second one.
class Collector final : public campaign::LeadVisitor {
 public:
  absl::Status Visit(const campaign::LeadGlance& lead, campaign::WholeLead whole) override {
    if (fail_at_ == lead.id) return absl::CancelledError("enough");
    Seen& seen = seen_[lead.id];
    ++seen.times;
    seen.glance = lead;
    seen.status = std::string(lead.status);
    seen.zone_names = *lead.zone_names;
    if (lead.id.value() % 2 == 0) {
      auto read = whole();
      if (!read.ok()) return read.status();
      seen.whole = *std::move(read);
    }
    return absl::OkStatus();
  }
  struct Seen {
    int times = 0;
    campaign::LeadGlance glance;  // its views are not good any more
    std::string status;
    std::vector<std::string> zone_names;
    std::optional<Lead> whole;
  };
  LeadId fail_at_;
  std::map<LeadId, Seen> seen_;
};

TEST_P(Contract, AScanShowsEachLeadOfTheCampaignOnceAsItIs) {
  Collector nobody;
  ASSERT_TRUE(store_->ScanLeads("C1", {&nobody}).ok()) << "an empty store";
  EXPECT_THAT(nobody.seen_, IsEmpty());
  Rng rng(11);
  std::map<LeadId, Lead> of_c1;
  for (uint64_t id = 1; id <= 400; id += 1 + rng.Below(3)) {
    const Lead lead = RandomLead(rng, id);
    Put(lead);
    if (lead.campaign == "C1") of_c1[lead.id] = lead;
  }
  Lead long_names = RandomLead(rng, 900'000);  // names that do not fit into the fixed part
  long_names.campaign = "C1";
  long_names.status = "LONGSTATUS";
  Put(long_names);
  of_c1[long_names.id] = long_names;
  for (const size_t threads : {1u, 2u, 5u}) {
    std::vector<Collector> collectors(threads);
    std::vector<campaign::LeadVisitor*> visitors;
    for (Collector& one : collectors) visitors.push_back(&one);
    ASSERT_TRUE(store_->ScanLeads("C1", visitors).ok());
    size_t shown = 0;
    std::map<uint32_t, std::vector<std::string>> zones;
    for (const Collector& one : collectors) {
      for (const auto& [id, seen] : one.seen_) {
        ++shown;
        ASSERT_TRUE(of_c1.contains(id)) << id.value();
        const Lead& lead = of_c1.at(id);
        EXPECT_EQ(seen.times, 1);
        EXPECT_EQ(seen.glance.list, lead.list);
        EXPECT_EQ(seen.glance.phone, lead.phone);
        EXPECT_EQ(seen.status, lead.status);
        EXPECT_EQ(seen.zone_names, lead.time_zones);
        EXPECT_EQ(zones.try_emplace(seen.glance.zones, seen.zone_names).first->second,
                  seen.zone_names)
            << "one number, one set";
        EXPECT_EQ(seen.glance.called_count, lead.called_count);
        EXPECT_EQ(seen.glance.max_attempts, lead.max_attempts);
        EXPECT_EQ(seen.glance.last_call_micros, MicrosOf(lead.last_call_time));
        EXPECT_EQ(seen.glance.next_call_micros, MicrosOf(lead.next_call_time));
        EXPECT_EQ(seen.glance.hold_until_micros, MicrosOf(lead.hold_until));
        if (seen.whole.has_value()) {
          EXPECT_EQ(Bytes(*seen.whole), Bytes(lead));
        }
      }
    }
    EXPECT_EQ(shown, of_c1.size()) << threads;
  }
}

TEST_P(Contract, AScanEndsWithAVisitorsError) {
  for (uint64_t id = 1; id <= 100; ++id) Put(MakeLead(id));
  Collector collectors[2];
  collectors[0].fail_at_ = collectors[1].fail_at_ = LeadId(50);
  const absl::Status status = store_->ScanLeads("DEMO", {&collectors[0], &collectors[1]});
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(status.message(), "enough");
}

// Keeps what it was shown, as attempts.
class AttemptCollector : public campaign::AttemptVisitor {
 public:
  absl::Status Visit(uint64_t piece, absl::Span<const campaign::AttemptView> attempts,
                     absl::Span<const campaign::Recording* const> recordings) override {
    if (fail_) return absl::CancelledError("enough");
    EXPECT_EQ(attempts.size(), recordings.size());
    auto& mine = pieces_[piece];
    EXPECT_TRUE(mine.empty()) << "a piece is shown once";
    for (size_t i = 0; i < attempts.size(); ++i) {
      mine.emplace_back(campaign::ToAttempt(attempts[i]),
                        recordings[i] == nullptr ? "" : Bytes(*recordings[i]));
    }
    return absl::OkStatus();
  }
  bool fail_ = false;
  std::map<uint64_t, std::vector<std::pair<campaign::Attempt, std::string>>> pieces_;
};

// Pieces of all collectors in their order: bytes of attempt and recording.
std::vector<std::string> Together(const std::vector<AttemptCollector>& collectors) {
  std::map<uint64_t, std::vector<std::string>> pieces;
  for (const AttemptCollector& one : collectors) {
    for (const auto& [piece, attempts] : one.pieces_) {
      for (const auto& [attempt, recording] : attempts) {
        pieces[piece].push_back(Bytes(attempt) + recording);
      }
    }
  }
  std::vector<std::string> all;
  for (const auto& [piece, rows] : pieces) all.insert(all.end(), rows.begin(), rows.end());
  return all;
}

TEST_P(Contract, AScanOfAttemptsIsWhatIsReadOneByOne) {
  AttemptCollector nobody;
  ASSERT_TRUE(store_->ScanAttempts({}, {&nobody}).ok()) << "an empty store";
  EXPECT_THAT(nobody.pieces_, IsEmpty());
  Rng rng(12);
  StoreBatch batch;
  const absl::Time day = absl::FromUnixSeconds(1'790'000'000);
  for (uint64_t id = 1; id <= 5000; id += rng.Below(50) == 0 ? 400 : 1) {
    campaign::Attempt attempt = RandomAttempt(rng, id);
    // Mostly by time, some before others of a lower id.
    attempt.dialed_at = day + absl::Seconds(static_cast<int64_t>(id) + rng.Below(600));
    batch.attempts.push_back(attempt);
    if (rng.Below(4) == 0) {
      campaign::Recording recording;
      recording.attempt = attempt.id;
      recording.started = attempt.dialed_at;
      recording.file = absl::StrCat(id, ".opus");
      batch.recordings.push_back(recording);
    }
  }
  ASSERT_TRUE(store_->Commit(batch).ok());
  const std::pair<absl::Time, absl::Time> ranges[] = {
      {absl::InfinitePast(), absl::InfiniteFuture()},
      {day + absl::Seconds(900), day + absl::Seconds(3000)},
      {day + absl::Seconds(2000) - absl::Nanoseconds(1), day + absl::Seconds(2001)},
      {day, day},
      {day + absl::Hours(90), absl::InfiniteFuture()},
  };
  for (const auto& [from, to] : ranges) {
    std::vector<std::string> expected, with_recordings;
    for (const campaign::Attempt& attempt : AttemptsOf(*store_, from, to)) {
      const auto recording = store_->GetRecording(attempt.id);
      expected.push_back(Bytes(attempt));
      with_recordings.push_back(expected.back() +
                                (recording->has_value() ? Bytes(**recording) : ""));
    }
    for (const size_t threads : {1u, 2u, 5u}) {
      for (const bool recordings : {false, true}) {
        std::vector<AttemptCollector> collectors(threads);
        std::vector<campaign::AttemptVisitor*> visitors;
        for (AttemptCollector& one : collectors) visitors.push_back(&one);
        ASSERT_TRUE(store_->ScanAttempts({from, to, recordings}, visitors).ok());
        EXPECT_TRUE(Together(collectors) == (recordings ? with_recordings : expected))
            << threads << " " << expected.size();
      }
    }
  }
  AttemptCollector failing[2];
  failing[0].fail_ = failing[1].fail_ = true;
  const absl::Status status = store_->ScanAttempts({}, {&failing[0], &failing[1]});
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
}

TEST_P(Contract, LeadsAreViewedAsTheyAreRead) {
  Rng rng(13);
  std::vector<LeadId> ids;
  for (uint64_t id = 1; id <= 300; id += 1 + rng.Below(3)) {
    Put(RandomLead(rng, id));
    ids.push_back(LeadId(id));
  }
  for (const uint64_t far : {1'000'000u, 5'000'000u}) {
    Put(RandomLead(rng, far));
    ids.push_back(LeadId(far));
  }
  const auto viewed = [&](const std::vector<LeadId>& wanted) {
    std::vector<LeadId> seen;
    EXPECT_TRUE(store_
                    ->ViewLeads(wanted,
                                [&](const campaign::LeadView& view) {
                                  seen.push_back(view.id);
                                  const Lead lead = **store_->GetLead(view.id);
                                  EXPECT_EQ(view.list, lead.list);
                                  EXPECT_EQ(view.campaign, lead.campaign);
                                  EXPECT_EQ(view.status, lead.status);
                                  EXPECT_EQ(view.phone, lead.phone);
                                  EXPECT_EQ(view.alt_phone, lead.alt_phone);
                                  EXPECT_EQ(view.tier, lead.tier);
                                  EXPECT_EQ(view.rank, lead.rank);
                                  EXPECT_EQ(view.max_attempts, lead.max_attempts);
                                  EXPECT_EQ(view.called_count, lead.called_count);
                                  EXPECT_EQ(view.entry_micros, MicrosOf(lead.entry_date));
                                  EXPECT_EQ(view.last_call_micros, MicrosOf(lead.last_call_time));
                                  EXPECT_EQ(*view.zones, lead.time_zones);
                                  std::map<std::string, std::string> fields;
                                  std::string owner;
                                  for (const auto& [name, text] : view.texts) {
                                    if (text.empty()) continue;
                                    (name == "owner" ? owner : fields[std::string(name)]) =
                                        std::string(text);
                                  }
                                  EXPECT_EQ(fields, lead.fields);
                                  EXPECT_EQ(owner, lead.owner);
                                })
                    .ok());
    return seen;
  };
  EXPECT_EQ(viewed(ids), ids) << "far apart";
  ids.resize(ids.size() - 2);
  std::vector<LeadId> all;
  for (uint64_t id = 1; id <= 320; ++id) all.push_back(LeadId(id));
  EXPECT_EQ(viewed(all), ids) << "close together, some not there";
  EXPECT_THAT(viewed({}), IsEmpty());
}

TEST_P(Contract, DueLeadsComeInTheOrderPromised) {
  const auto put = [&](uint64_t id, Tier tier, int rank, absl::Time next) {
    Lead lead = MakeLead(id);
    lead.tier = tier;
    lead.rank = rank;
    lead.next_call_time = next;
    Put(lead);
  };
  put(1, Tier::kB, 99, absl::InfinitePast());
  put(2, Tier::kA, -99, absl::InfinitePast());
  put(3, Tier::kA, 5, kStart - absl::Minutes(1));
  put(4, Tier::kA, 5, kStart - absl::Minutes(2));
  put(5, Tier::kA, 5, kStart - absl::Minutes(2));
  put(6, Tier::kA, 5, kStart);                          // due at this very instant
  put(7, Tier::kA, 5, kStart + absl::Microseconds(1));  // not yet
  put(8, Tier::kA, 99, kStart + absl::Hours(1));        // a whole rank in the future
  put(9, Tier::kA, 98, absl::InfiniteFuture());         // final
  EXPECT_THAT(Due(kStart), ElementsAre(4, 5, 3, 6, 2, 1));
  EXPECT_THAT(Due(kStart, 3), ElementsAre(4, 5, 3));
  EXPECT_THAT(Due(kStart, 0), IsEmpty());
  EXPECT_THAT(Due(kStart + absl::Hours(1)), ElementsAre(8, 4, 5, 3, 6, 7, 2, 1));
  EXPECT_THAT(Due(absl::InfiniteFuture()), ElementsAre(8, 4, 5, 3, 6, 7, 2, 1));
  EXPECT_THAT(Due(kStart, 100, "DEMO2"), IsEmpty());
  EXPECT_THAT(Due(kStart, 100, "DEM"), IsEmpty());
}

TEST_P(Contract, HeldLeadIsDueWhenBothTimesHavePassed) {
  Lead held = MakeLead(1);
  held.hold_until = kStart + absl::Hours(1);
  Lead waiting = MakeLead(2);
  waiting.hold_until = kStart;
  waiting.next_call_time = kStart + absl::Hours(2);
  Put(held);
  Put(waiting);
  EXPECT_THAT(Due(kStart), IsEmpty());
  EXPECT_THAT(Due(kStart + absl::Hours(1)), ElementsAre(1));
  EXPECT_THAT(Due(kStart + absl::Hours(2)), ElementsAre(1, 2));
  held.hold_until = absl::InfinitePast();
  Put(held);
  EXPECT_THAT(Due(kStart), ElementsAre(1));
}

TEST_P(Contract, IndexesFollowALeadThatChanges) {
  Lead lead = MakeLead(1);
  Put(lead);
  EXPECT_THAT(Due(kStart), ElementsAre(1));
  const E164 old_phone = lead.phone;

  lead.next_call_time = kStart + absl::Hours(1);
  lead.tier = Tier::kB;
  Put(lead);
  EXPECT_THAT(Due(kStart), IsEmpty());
  EXPECT_THAT(Due(kStart + absl::Hours(1)), ElementsAre(1));

  lead.phone = E164(14'155'559'999);
  lead.campaign = "OTHER";
  Put(lead);
  EXPECT_THAT(Due(absl::InfiniteFuture()), IsEmpty());
  EXPECT_THAT(Due(absl::InfiniteFuture(), 9, "OTHER"), ElementsAre(1));
  EXPECT_THAT(*store_->LeadsByPhone(old_phone), IsEmpty());
  EXPECT_THAT(*store_->LeadsByPhone(lead.phone), ElementsAre(LeadId(1)));

  lead.next_call_time = absl::InfiniteFuture();
  Put(lead);
  EXPECT_THAT(Due(absl::InfiniteFuture(), 9, "OTHER"), IsEmpty());
}

TEST_P(Contract, OneLeadTwiceInOneBatchLeavesTheLastOnly) {
  StoreBatch batch;
  batch.leads = {MakeLead(1), MakeLead(1), MakeLead(1)};
  batch.leads[0].rank = 50;
  batch.leads[1].phone = E164(14'155'551'111);
  batch.leads[2].rank = -50;
  batch.attempts = {MakeAttempt(1, kStart), MakeAttempt(1, kStart + absl::Seconds(5))};
  batch.attempts[1].open = false;
  ASSERT_TRUE(store_->Commit(batch).ok());
  EXPECT_THAT(Due(kStart), ElementsAre(1));
  EXPECT_EQ((*store_->GetLead(LeadId(1)))->rank, -50);
  EXPECT_THAT(*store_->LeadsByPhone(E164(14'155'551'111)), IsEmpty());
  EXPECT_THAT(IdsOf(AttemptsOf(*store_, kStart, kStart + absl::Seconds(1))), IsEmpty());
  EXPECT_THAT(IdsOf(AttemptsOf(*store_)), ElementsAre(1));
  EXPECT_THAT(*store_->OpenAttempts(), IsEmpty());
}

TEST_P(Contract, LeadsThatShareANumberAreAllFound) {
  const E164 phone(442'079'460'000);
  for (uint64_t id : {300, 2, 70'000}) {
    Lead lead = MakeLead(id);
    lead.phone = phone;
    lead.campaign = id == 2 ? "OTHER" : "DEMO";
    Put(lead);
  }
  EXPECT_THAT(*store_->LeadsByPhone(phone), ElementsAre(LeadId(2), LeadId(300), LeadId(70'000)));
}

// --- Numbers, imports, removals, loads ---

std::string Text(const campaign::PhoneUse& use) {
  return absl::StrCat(use.phone.value(), " lead ", use.lead.value(), " list ", use.list.value(),
                      " ", use.campaign, " ", absl::FormatTime(use.entered, absl::UTCTimeZone()),
                      use.alt ? " alt" : "");
}
std::vector<std::string> Texts(const std::vector<campaign::PhoneUse>& uses) {
  std::vector<std::string> texts;
  for (const campaign::PhoneUse& use : uses) texts.push_back(Text(use));
  return texts;
}
std::vector<std::string> AllPhones(const LeadStore& store) {
  std::vector<std::string> texts;
  const absl::Status status = store.ForEachPhone([&](const campaign::PhoneUse& use) {
    texts.push_back(Text(use));
    return true;
  });
  EXPECT_TRUE(status.ok()) << status;
  return texts;
}

TEST_P(Contract, EveryUseOfANumberIsKnown) {
  Lead lead = MakeLead(2);
  lead.alt_phone = E164(14'155'550'001);
  lead.entry_date = kStart + absl::Milliseconds(1900);
  Put(MakeLead(1));
  Put(lead);
  Lead twice = MakeLead(3);
  twice.alt_phone = twice.phone;  // one use, not two
  twice.entry_date = absl::InfinitePast();
  Put(twice);
  const std::string at = absl::FormatTime(kStart + absl::Seconds(1), absl::UTCTimeZone());
  const std::string alt = absl::StrCat("14155550001 lead 2 list 1 DEMO ", at, " alt");
  const std::string own = absl::StrCat("14155550002 lead 2 list 1 DEMO ", at);
  EXPECT_THAT(Texts(*store_->PhoneUses({E164(14'155'550'002)})), ElementsAre(own));
  EXPECT_EQ(AllPhones(*store_).size(), 4u);
  EXPECT_EQ(AllPhones(*store_)[1], alt);
  EXPECT_EQ(AllPhones(*store_)[2], own);
  EXPECT_THAT(*store_->LeadsByPhone(E164(14'155'550'001)), ElementsAre(LeadId(1), LeadId(2)));
  EXPECT_THAT(Texts(*store_->PhoneUses({})), IsEmpty());

  lead.alt_phone = E164();
  lead.list = ListId(77);  // the number stays, what is told of it changes
  Put(lead);
  EXPECT_THAT(*store_->LeadsByPhone(E164(14'155'550'001)), ElementsAre(LeadId(1)));
  EXPECT_EQ(store_->PhoneUses({E164(14'155'550'002)})->at(0).list, ListId(77));
}

TEST_P(Contract, UsesOfManyNumbersAreFoundWhetherFewOrMost) {
  StoreBatch batch;
  for (uint64_t i = 1; i <= 3000; ++i) {
    batch.leads.push_back(MakeLead(i));
    batch.leads.back().phone = E164(10'000'000'000 + 3 * (i / 2));
  }
  ASSERT_TRUE(store_->Commit(batch).ok());
  const std::vector<std::string> all = AllPhones(*store_);
  for (const uint64_t step : {1, 2, 7, 100, 1000, 9000}) {
    SCOPED_TRACE(step);
    std::vector<E164> asked;
    std::vector<std::string> expected;
    for (uint64_t i = 0; i <= 9000; i += step) {
      const uint64_t number = 10'000'000'000 + i;
      asked.push_back(E164(number));
      const auto has = [&](const std::string& use) {
        return use.starts_with(absl::StrCat(number));
      };
      std::copy_if(all.begin(), all.end(), std::back_inserter(expected), has);
    }
    EXPECT_EQ(Texts(*store_->PhoneUses(asked)), expected);
  }
}

TEST_P(Contract, RemovedLeadsLeaveNothing) {
  Lead lead = MakeLead(1);
  lead.alt_phone = E164(14'155'559'999);
  Put(lead);
  Put(MakeLead(2));
  StoreBatch batch;
  batch.leads = {MakeLead(3)};
  batch.leads_removed = {LeadId(1), LeadId(3), LeadId(4), LeadId(1)};  // one comes and goes
  ASSERT_TRUE(store_->Commit(batch).ok());
  Reopen();
  EXPECT_EQ(*store_->GetLead(LeadId(1)), std::nullopt);
  EXPECT_THAT(IdsOf(LeadsOf(*store_)), ElementsAre(2));
  EXPECT_THAT(Due(kStart), ElementsAre(2));
  EXPECT_EQ(AllPhones(*store_).size(), 1u);
  EXPECT_THAT(*store_->LeadsByPhone(E164(14'155'559'999)), IsEmpty());
  Put(lead);  // and may come again
  EXPECT_EQ(Bytes(**store_->GetLead(LeadId(1))), Bytes(lead));
}

TEST_P(Contract, ALeadCommittedWithoutTextsKeepsThem) {
  Lead lead = MakeLead(1);
  lead.owner = "Wang";
  Put(lead);
  Lead head = lead;
  head.has_fields = false;
  head.owner.clear();
  head.fields.clear();
  head.status = "NA";
  head.recycled = "NA:1";
  head.max_attempts = 3;
  Put(head);
  lead.status = "NA";
  lead.recycled = "NA:1";
  lead.max_attempts = 3;
  EXPECT_EQ(Bytes(**store_->GetLead(LeadId(1))), Bytes(lead));
  lead.fields.clear();
  lead.owner.clear();
  Put(lead);
  EXPECT_EQ(Bytes(**store_->GetLead(LeadId(1))), Bytes(lead));
}

TEST_P(Contract, ImportsAreKept) {
  Rng rng(23);
  StoreBatch batch;
  batch.imports = {RandomImport(rng, 300), RandomImport(rng, 2)};
  ASSERT_TRUE(store_->Commit(batch).ok());
  const campaign::Import again = RandomImport(rng, 2);
  StoreBatch change;
  change.imports = {again};
  ASSERT_TRUE(store_->Commit(change).ok());
  Reopen();
  EXPECT_EQ(AllBytes(*store_->Imports()),
            AllBytes(std::vector<campaign::Import>{again, batch.imports[0]}));
  change.imports[0].id = ImportId();
  EXPECT_EQ(store_->Commit(change).code(), absl::StatusCode::kInvalidArgument);
}

// --- Bulk loads ---

constexpr uint64_t kListOfLoads = 9;

campaign::BulkOptions LoadInto(LeadStore& store, uint64_t import) {
  StoreBatch batch;
  if (store.Lists()->empty()) {
    batch.lists.emplace_back();
    batch.lists[0].id = ListId(kListOfLoads);
    batch.lists[0].campaign = "DEMO";
    EXPECT_TRUE(store.Commit(batch).ok());
  }
  campaign::BulkOptions options;
  options.import = ImportId(import);
  options.list = ListId(kListOfLoads);
  options.campaign = "DEMO";
  options.entry_date = kStart;
  options.layout = {{"first_name"}, {"owner"}, {"capital", campaign::FieldType::kNumber}};
  return options;
}

campaign::Import ImportOf(const campaign::BulkOptions& options) {
  campaign::Import import;
  import.id = options.import;
  import.list = options.list;
  import.campaign = options.campaign;
  import.started = import.finished = kStart;
  return import;
}

std::string FieldTexts(std::initializer_list<absl::string_view> values) {
  std::string texts;
  for (const absl::string_view value : values) campaign::AppendFieldText(value, texts);
  return texts;
}

TEST_P(Contract, ALoadIsSeenWhenItIsPublishedAndNotBefore) {
  const campaign::BulkOptions options = LoadInto(*store_, 4);
  Put(MakeLead(1));
  const uint32_t zones = *store_->InternZones({"Asia/Shanghai", "Asia/Urumqi"});
  EXPECT_EQ(*store_->InternZones({"Asia/Shanghai", "Asia/Urumqi"}), zones);
  EXPECT_EQ(*store_->InternZones({}), 0u);
  const uint64_t first = *store_->ReserveLeadIds(10) + 5;
  const std::string texts = FieldTexts({"Ann", "", "500"});
  std::vector<campaign::BulkLead> leads(4);
  for (size_t i = 0; i < leads.size(); ++i) {
    leads[i].phone = E164(8'613'900'000'000 - i);
    leads[i].zones = zones;
  }
  leads[0].fields = texts;
  leads[1].rank = 5;
  leads[1].alt_phone = E164(14'155'550'001);
  leads[2].next_call_micros = absl::ToUnixMicros(kStart + absl::Hours(1));
  leads[3].tier = Tier::kB;
  leads[3].max_attempts = 3;

  auto bulk = store_->BeginBulk(options);
  ASSERT_TRUE(bulk.ok()) << bulk.status();
  ASSERT_TRUE((*bulk)->Add(LeadId(first), leads).ok());
  EXPECT_THAT(IdsOf(LeadsOf(*store_)), ElementsAre(1));
  EXPECT_EQ(AllPhones(*store_).size(), 1u);
  EXPECT_THAT(*store_->Imports(), IsEmpty());
  EXPECT_EQ(store_->BeginBulk(options).status().code(), absl::StatusCode::kFailedPrecondition);
  const absl::Status published = (*bulk)->Publish(ImportOf(options));
  ASSERT_TRUE(published.ok()) << published;
  EXPECT_FALSE((*bulk)->Publish(ImportOf(options)).ok());
  bulk->reset();
  Reopen();

  EXPECT_EQ(LeadsOf(*store_).size(), 5u);
  EXPECT_EQ(store_->Lists()->at(0).leads, 4);
  EXPECT_EQ(store_->Imports()->at(0).id, ImportId(4));
  Lead expected;
  expected.id = LeadId(first);
  expected.list = options.list;
  expected.campaign = "DEMO";
  expected.import = ImportId(4);
  expected.entry_date = kStart;
  expected.phone = leads[0].phone;
  expected.time_zones = {"Asia/Shanghai", "Asia/Urumqi"};
  expected.fields = {{"first_name", "Ann"}, {"capital", "500"}};
  EXPECT_EQ(Bytes(**store_->GetLead(LeadId(first))), Bytes(expected));
  EXPECT_THAT(Due(kStart), ElementsAre(first + 1, 1, first, first + 3));
  EXPECT_THAT(Due(kStart + absl::Hours(1)), ElementsAre(first + 1, 1, first, first + 2, first + 3));
  EXPECT_EQ((*store_->GetLead(LeadId(first + 3)))->max_attempts, 3);
  EXPECT_EQ(AllPhones(*store_).size(), 6u);
  EXPECT_THAT(*store_->LeadsByPhone(E164(14'155'550'001)),
              ElementsAre(LeadId(1), LeadId(first + 1)));
  EXPECT_THAT(*store_->LoadedFields(), ElementsAre(Pair("capital", campaign::FieldType::kNumber),
                                                   Pair("first_name", campaign::FieldType::kText),
                                                   Pair("owner", campaign::FieldType::kText)));

  // From then on it is a lead like any other.
  expected.fields["first_name"] = "Eve";
  expected.owner = "Li";
  expected.rank = 7;
  Put(expected);
  expected.fields["new"] = "field";
  Put(expected);
  EXPECT_EQ(Bytes(**store_->GetLead(LeadId(first))), Bytes(expected));
  EXPECT_THAT(Due(kStart, 2), ElementsAre(first, first + 1));
}

TEST_P(Contract, ALoadThatIsGivenUpLeavesNothing) {
  const campaign::BulkOptions options = LoadInto(*store_, 4);
  std::vector<campaign::BulkLead> leads(3);
  for (size_t i = 0; i < leads.size(); ++i) leads[i].phone = E164(8'613'900'000'000 + i);
  {
    auto bulk = store_->BeginBulk(options);
    ASSERT_TRUE(bulk.ok());
    ASSERT_TRUE((*bulk)->Add(LeadId(1), leads).ok());
    leads[1].phone = E164();
    EXPECT_EQ((*bulk)->Add(LeadId(4), leads).code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_THAT(LeadsOf(*store_), IsEmpty());
  EXPECT_EQ(store_->Lists()->at(0).leads, 0);
  // The next one has the same ids and the same import, and is taken.
  leads[1].phone = E164(8'613'900'000'001);
  auto bulk = store_->BeginBulk(options);
  ASSERT_TRUE(bulk.ok()) << bulk.status();
  ASSERT_TRUE((*bulk)->Add(LeadId(1), leads).ok());
  ASSERT_TRUE((*bulk)->Publish(ImportOf(options)).ok());
  bulk->reset();
  EXPECT_EQ(LeadsOf(*store_).size(), 3u);
  EXPECT_EQ(store_->BeginBulk(options).status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_P(Contract, ALoadIsRefusedWhereItCannotBeTaken) {
  campaign::BulkOptions options = LoadInto(*store_, 4);
  options.list = ListId(1);
  {
    auto bulk = store_->BeginBulk(options);
    ASSERT_TRUE(bulk.ok()) << "its list may be made until it is published";
    EXPECT_EQ((*bulk)->Publish(ImportOf(options)).code(), absl::StatusCode::kNotFound);
  }
  EXPECT_THAT(*store_->Imports(), IsEmpty());
  options = LoadInto(*store_, 4);
  options.campaign = "OTHER";
  EXPECT_EQ(store_->BeginBulk(options).status().code(), absl::StatusCode::kNotFound);
  options = LoadInto(*store_, 4);
  options.layout.push_back({"owner"});
  EXPECT_EQ(store_->BeginBulk(options).status().code(), absl::StatusCode::kInvalidArgument);
  options = LoadInto(*store_, 0);
  EXPECT_EQ(store_->BeginBulk(options).status().code(), absl::StatusCode::kInvalidArgument);
  // A lead with one of its ids is there already.
  Put(MakeLead(2));
  options = LoadInto(*store_, 4);
  auto bulk = store_->BeginBulk(options);
  ASSERT_TRUE(bulk.ok());
  std::vector<campaign::BulkLead> leads(3);
  for (campaign::BulkLead& lead : leads) lead.phone = E164(8'613'900'000'000);
  ASSERT_TRUE((*bulk)->Add(LeadId(1), leads).ok());
  EXPECT_EQ((*bulk)->Publish(ImportOf(options)).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(IdsOf(LeadsOf(*store_)), ElementsAre(2));
  EXPECT_THAT(*store_->Imports(), IsEmpty());
}

// Somebody reads a lead, somebody else writes or removes it, and then the first one writes it back.
TEST_P(Contract, ALeadIsWrittenBackOnlyIfItIsStillAsItWasRead) {
  Put(MakeLead(1));
  Put(MakeLead(2));
  const auto write_back = [this](const std::vector<Lead>& read, bool with_texts = true) {
    StoreBatch batch;
    for (Lead lead : read) {
      lead.has_fields = with_texts;
      batch.unchanged.push_back(lead);
      lead.rank = 9;
      batch.leads.push_back(lead);
    }
    batch.meta["written"] = "yes";
    return store_->Commit(batch);
  };
  const Lead read = **store_->GetLead(LeadId(1)), other = **store_->GetLead(LeadId(2));
  Lead sold = read;
  sold.status = "SALE";
  sold.next_call_time = absl::InfiniteFuture();
  Put(sold);
  EXPECT_EQ(write_back({other, read}).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Bytes(**store_->GetLead(LeadId(1))), Bytes(sold));
  EXPECT_EQ(Bytes(**store_->GetLead(LeadId(2))), Bytes(other)) << "all or nothing";
  EXPECT_EQ(*store_->GetMeta("written"), std::nullopt);
  StoreBatch removal;
  removal.leads_removed = {LeadId(2)};
  ASSERT_TRUE(store_->Commit(removal).ok());
  EXPECT_EQ(write_back({other}).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(*store_->GetLead(LeadId(2)), std::nullopt) << "what was removed stays removed";

  // Texts are compared where they were read.
  sold = **store_->GetLead(LeadId(1));
  Lead told = sold;
  told.fields["first_name"] = "Eve";
  Put(told);
  EXPECT_EQ(write_back({sold}).code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(write_back({sold}, /*with_texts=*/false).ok());
  EXPECT_EQ((*store_->GetLead(LeadId(1)))->Field("first_name"), "Eve");
  EXPECT_EQ((*store_->GetLead(LeadId(1)))->rank, 9);
  Reopen();
  EXPECT_TRUE(write_back({**store_->GetLead(LeadId(1))}).ok());
  EXPECT_EQ(*store_->GetMeta("written"), "yes");
}

// Many who read, change and write back: no change is lost, whoever shares a write with whom.
TEST_P(Contract, NoChangeIsLostToAnother) {
  constexpr int kWriters = 4, kChanges = 15;
  Put(MakeLead(1));
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([this] {
      for (int change = 0; change < kChanges;) {
        StoreBatch batch;
        batch.unchanged.push_back(**store_->GetLead(LeadId(1)));
        batch.leads = batch.unchanged;
        ++batch.leads[0].called_count;
        const absl::Status status = store_->Commit(batch);
        ASSERT_TRUE(status.ok() || absl::IsAborted(status)) << status;
        change += status.ok() ? 1 : 0;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ((*store_->GetLead(LeadId(1)))->called_count, kWriters * kChanges);
}

// Whoever edits a list has read its count some time ago.
TEST_P(Contract, AListsCountIsTheStoresOwn) {
  const campaign::BulkOptions options = LoadInto(*store_, 4);
  const campaign::List read = store_->Lists()->at(0);
  auto bulk = store_->BeginBulk(options);
  ASSERT_TRUE(bulk.ok()) << bulk.status();
  std::vector<campaign::BulkLead> leads(3);
  for (campaign::BulkLead& lead : leads) lead.phone = E164(8'613'900'000'000);
  ASSERT_TRUE((*bulk)->Add(LeadId(1), leads).ok());
  ASSERT_TRUE((*bulk)->Publish(ImportOf(options)).ok());
  bulk->reset();
  StoreBatch batch;
  batch.lists = {read};
  batch.lists[0].active = false;
  ASSERT_TRUE(store_->Commit(batch).ok());
  EXPECT_FALSE(store_->Lists()->at(0).active);
  EXPECT_EQ(store_->Lists()->at(0).leads, 3);
  batch.leads_removed = {LeadId(2), LeadId(3), LeadId(99)};
  ASSERT_TRUE(store_->Commit(batch).ok());
  EXPECT_EQ(store_->Lists()->at(0).leads, 1);
  batch.lists.clear();
  batch.leads_removed = {LeadId(1), LeadId(2)};
  ASSERT_TRUE(store_->Commit(batch).ok());
  Reopen();
  EXPECT_EQ(store_->Lists()->at(0).leads, 0);
  EXPECT_FALSE(store_->Lists()->at(0).active);
}

TEST_P(Contract, ALoadDoesNotTakeTheNumberOfAnother) {
  const campaign::BulkOptions options = LoadInto(*store_, 4);
  auto bulk = store_->BeginBulk(options);
  ASSERT_TRUE(bulk.ok()) << bulk.status();
  std::vector<campaign::BulkLead> leads(1);
  leads[0].phone = E164(8'613'900'000'000);
  ASSERT_TRUE((*bulk)->Add(LeadId(1), leads).ok());
  StoreBatch batch;
  batch.imports = {ImportOf(options)};
  batch.imports[0].file = "the other";
  ASSERT_TRUE(store_->Commit(batch).ok());
  EXPECT_EQ((*bulk)->Publish(ImportOf(options)).code(), absl::StatusCode::kAlreadyExists);
  bulk->reset();
  EXPECT_THAT(LeadsOf(*store_), IsEmpty());
  EXPECT_EQ(store_->Imports()->at(0).file, "the other");
}

TEST_P(Contract, AttemptsOfARangeComeById) {
  Put(MakeAttempt(10, kStart));
  Put(MakeAttempt(9, kStart + absl::Seconds(1)));  // a higher id was dialled before a lower one
  Put(MakeAttempt(300, kStart - absl::Microseconds(1)));
  Put(MakeAttempt(11, absl::InfinitePast()));
  EXPECT_THAT(IdsOf(AttemptsOf(*store_)), ElementsAre(9, 10, 11, 300));
  EXPECT_THAT(IdsOf(AttemptsOf(*store_, kStart, kStart + absl::Seconds(1))), ElementsAre(10));
  EXPECT_THAT(IdsOf(AttemptsOf(*store_, kStart, kStart + absl::Seconds(2))), ElementsAre(9, 10));
  EXPECT_THAT(IdsOf(AttemptsOf(*store_, kStart - absl::Nanoseconds(1), kStart)), IsEmpty());
  EXPECT_THAT(IdsOf(AttemptsOf(*store_, kStart, kStart + absl::Nanoseconds(1))), ElementsAre(10));
  EXPECT_THAT(IdsOf(AttemptsOf(*store_, kStart + absl::Seconds(9), kStart)), IsEmpty());
  std::vector<uint64_t> first;
  ASSERT_TRUE(store_
                  ->ForEachAttempt(absl::InfinitePast(), absl::InfiniteFuture(),
                                   [&](const Attempt& a) {
                                     first.push_back(a.id.value());
                                     return first.size() < 2;
                                   })
                  .ok());
  EXPECT_THAT(first, ElementsAre(9, 10));
}

TEST_P(Contract, ActivitiesComeByTimeAndNoneIsLost) {
  Rng rng(23);
  std::vector<campaign::AgentActivity> all;
  for (int round = 0; round < 60; ++round) {
    StoreBatch batch;
    for (uint64_t n = 1 + rng.Below(6); n > 0; --n) batch.activities.push_back(RandomActivity(rng));
    if (rng.Chance(0.3)) batch.activities.push_back(batch.activities.front());  // two alike are two
    for (uint64_t n = rng.Below(3); n > 0; --n) batch.meta[absl::StrCat(n)] = "x";
    all.insert(all.end(), batch.activities.begin(), batch.activities.end());
    ASSERT_TRUE(store_->Commit(batch).ok());
    if (round % 20 == 0) Reopen();
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  EXPECT_EQ(AllBytes(ActivitiesOf(*store_, absl::InfinitePast(), absl::InfiniteFuture())), [&] {
    std::vector<campaign::AgentActivity> ended = all;
    std::erase_if(ended, [](const auto& a) { return a.at == absl::InfiniteFuture(); });
    return AllBytes(ended);
  }());
  for (int i = 0; i < 50; ++i) {
    const absl::Time from = kStart + absl::Nanoseconds(static_cast<int64_t>(rng.Below(60'000)));
    const absl::Time to = kStart + absl::Nanoseconds(static_cast<int64_t>(rng.Below(60'000)));
    std::vector<campaign::AgentActivity> expected;
    for (const auto& activity : all) {
      if (activity.at >= from && activity.at < to) expected.push_back(activity);
    }
    EXPECT_EQ(AllBytes(ActivitiesOf(*store_, from, to)), AllBytes(expected));
  }
  int seen = 0;
  ASSERT_TRUE(store_
                  ->ForEachActivity(absl::InfinitePast(), absl::InfiniteFuture(),
                                    [&](const campaign::AgentActivity&) { return ++seen < 3; })
                  .ok());
  EXPECT_EQ(seen, 3);
  StoreBatch stateless;
  stateless.activities.resize(1);
  EXPECT_EQ(store_->Commit(stateless).code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(Contract, AnIntentIsOpenUntilItsResult) {
  Attempt attempt = MakeAttempt(1, kStart);
  Put(attempt);
  Put(MakeAttempt(2, kStart));
  Reopen();
  EXPECT_THAT(IdsOf(*store_->OpenAttempts()), ElementsAre(1, 2));
  attempt.open = false;
  attempt.outcome = "busy";
  Put(attempt);
  Put(attempt);
  EXPECT_THAT(IdsOf(*store_->OpenAttempts()), ElementsAre(2));
  EXPECT_EQ((*store_->GetAttempt(AttemptId(1)))->outcome, "busy");
  attempt.open = true;
  Put(attempt);
  EXPECT_THAT(IdsOf(*store_->OpenAttempts()), ElementsAre(1, 2));
}

TEST_P(Contract, AVisitorMayCallTheStoreAndStop) {
  for (uint64_t id = 1; id <= 5; ++id) Put(MakeLead(id));
  std::vector<uint64_t> seen;
  ASSERT_TRUE(store_
                  ->ForEachLead([&](const Lead& lead) {
                    EXPECT_TRUE(store_->GetLead(lead.id)->has_value());
                    Lead changed = lead;
                    changed.status = "SEEN";
                    Put(changed);
                    seen.push_back(lead.id.value());
                    return seen.size() < 3;
                  })
                  .ok());
  EXPECT_THAT(seen, ElementsAre(1, 2, 3));
  EXPECT_EQ((*store_->StatusCounts())["DEMO"],
            (std::map<std::string, int64_t>{{"NEW", 2}, {"SEEN", 3}}));
}

TEST_P(Contract, RecordingsAreFoundByWhateverIsKnown) {
  Rng rng(17);
  std::map<uint64_t, campaign::Recording> all;
  // Each is put a few times, alone or with others, so that indexes must follow.
  for (int round = 0; round < 120; ++round) {
    StoreBatch batch;
    for (uint64_t n = 1 + rng.Below(5); n > 0; --n) {
      const campaign::Recording recording = RandomRecording(rng, 1 + rng.Below(150));
      batch.recordings.push_back(recording);
      campaign::Recording& stored = all[recording.attempt.value()];
      if (!stored.erased() || recording.erased()) stored = recording;
    }
    ASSERT_TRUE(store_->Commit(batch).ok());
    if (round == 60) Reopen();
  }
  for (int i = 0; i < 400; ++i) {
    SCOPED_TRACE(i);
    campaign::RecordingQuery query;
    if (rng.Chance(0.1)) query.attempt = AttemptId(1 + rng.Below(150));
    if (rng.Chance(0.3)) query.lead = LeadId(rng.Below(20));
    if (rng.Chance(0.3)) query.number = E164(14'155'550'100 + rng.Below(20));
    if (rng.Chance(0.3)) query.agent = absl::StrCat("a", rng.Below(12));
    if (rng.Chance(0.3)) query.campaign = absl::StrCat("C", rng.Below(3));
    if (rng.Chance(0.5)) {
      query.from = kStart + absl::Seconds(static_cast<int64_t>(rng.Below(1000)));
      query.to = query.from + absl::Seconds(static_cast<int64_t>(rng.Below(800)));
    }
    query.with_erased = rng.Chance(0.5);
    if (rng.Chance(0.3)) query.limit = rng.Below(5);
    std::vector<campaign::Recording> expected;
    for (const auto& [attempt, recording] : all) {
      if (Matches(query, recording)) expected.push_back(recording);
    }
    std::stable_sort(expected.begin(), expected.end(),
                     [](const auto& a, const auto& b) { return a.started < b.started; });
    if (expected.size() > query.limit) expected.resize(query.limit);
    const auto found = store_->FindRecordings(query);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(AllBytes(*found), AllBytes(expected));
  }
  const auto one = store_->GetRecording(AttemptId(all.begin()->first));
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(Bytes(**one), Bytes(all.begin()->second));
  EXPECT_EQ(*store_->GetRecording(AttemptId(9999)), std::nullopt);
}

// The engine tells of a recording again, or while somebody erases it.
TEST_P(Contract, AnErasedRecordingStaysErased) {
  campaign::Recording told, erased;
  told.attempt = erased.attempt = AttemptId(7);
  told.agent = "a1";
  told.file = "a.wav";
  erased.erased_at = kStart;
  erased.erased_reason = "request 7";
  StoreBatch batch;
  batch.recordings = {told, erased, told};  // within one batch
  ASSERT_TRUE(store_->Commit(batch).ok());
  batch.recordings = {told};  // and after it
  ASSERT_TRUE(store_->Commit(batch).ok());
  Reopen();
  ASSERT_TRUE(store_->Commit(batch).ok());
  EXPECT_EQ(Bytes(**store_->GetRecording(AttemptId(7))), Bytes(erased));
  campaign::RecordingQuery query;
  query.agent = "a1";
  EXPECT_TRUE(store_->FindRecordings(query)->empty());
}

TEST_P(Contract, AgentsWhoseNamesBeginAlikeAreNotMixedUp) {
  StoreBatch batch;
  for (const auto& [attempt, agent] : {std::pair<uint64_t, const char*>{1, "a"}, {2, "a1"}}) {
    campaign::Recording recording;
    recording.attempt = AttemptId(attempt);
    recording.agent = agent;
    batch.recordings.push_back(recording);
  }
  ASSERT_TRUE(store_->Commit(batch).ok());
  campaign::RecordingQuery query;
  query.agent = "a";
  EXPECT_EQ(store_->FindRecordings(query)->size(), 1u);
  batch.recordings[0].agent = std::string("a\0b", 3);
  EXPECT_EQ(store_->Commit(batch).code(), absl::StatusCode::kInvalidArgument);
  batch.recordings[0] = campaign::Recording();
  EXPECT_EQ(store_->Commit(batch).code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(Contract, DncEntriesAreByNumberAndCampaign) {
  const E164 phone(14'155'550'100);
  StoreBatch add;
  add.dnc_added = {{phone, {}, "import", kStart},
                   {phone, dnc::CampaignScope("DEMO"), "api", kStart}};
  ASSERT_TRUE(store_->Commit(add).ok());
  StoreBatch again;
  again.dnc_added = {{phone, {}, "agent a1", kStart + absl::Hours(1)}};
  ASSERT_TRUE(store_->Commit(again).ok());
  ASSERT_EQ(fakes::DncEntriesIn(*store_).size(), 2u);
  EXPECT_EQ(fakes::DncEntriesIn(*store_)[0].source, "agent a1");
  StoreBatch remove;
  remove.dnc_removed = {{phone, {}, "", absl::InfinitePast()},
                        {E164(14'155'550'199), {}, "", absl::InfinitePast()}};
  ASSERT_TRUE(store_->Commit(remove).ok());
  ASSERT_EQ(fakes::DncEntriesIn(*store_).size(), 1u);
  EXPECT_EQ(fakes::DncEntriesIn(*store_)[0].scope, dnc::CampaignScope("DEMO"));
}

campaign::DncEntry RangeOf(uint64_t digits, dnc::DncScope scope) {
  campaign::DncEntry entry{{}, std::move(scope), "import", kStart};
  entry.range.digits = digits;
  return entry;
}

// The order that a load of all into memory relies on; campaigns with names that look like keys.
TEST_P(Contract, DncEntriesComeByListThenNumbersThenRanges) {
  const dnc::DncScope litigator{dnc::DncLevel::kLitigator, ""};
  const std::string odd = std::string("\1\2", 2);
  std::vector<campaign::DncEntry> in_order;
  for (const dnc::DncScope& scope :
       {dnc::DncScope(), litigator, dnc::DncScope{dnc::DncLevel::kState, "CA"},
        dnc::DncScope{dnc::DncLevel::kState, "FL"}, dnc::DncScope{dnc::DncLevel::kClient, "FL"},
        dnc::CampaignScope(odd), dnc::CampaignScope("A"), dnc::CampaignScope("FL"),
        dnc::CampaignScope("\xff")}) {
    in_order.push_back({E164(14'155'550'100), scope, "import", kStart});
    in_order.push_back({E164(999'999'999'999'999), scope, "import", kStart});
    in_order.push_back(RangeOf(1, scope));
    in_order.push_back(RangeOf(14'155'550'100, scope));
    in_order.push_back(RangeOf(99'999'999'999'999, scope));
  }
  in_order[1].reason = std::string(campaign::kDncReasonMax, 'r');
  in_order[1].by = "control socket";
  in_order[1].expires = kStart + absl::Hours(1);
  StoreBatch batch;
  batch.dnc_added.assign(in_order.rbegin(), in_order.rend());
  ASSERT_TRUE(store_->Commit(batch).ok());
  Reopen();
  EXPECT_EQ(fakes::DncEntriesIn(*store_), in_order);
  size_t visited = 0;
  EXPECT_TRUE(store_->ForEachDnc([&](const campaign::DncEntry&) { return ++visited < 7; }).ok());
  EXPECT_EQ(visited, 7u);
  for (const campaign::DncEntry& entry : in_order) {
    EXPECT_EQ(*store_->GetDnc(entry), entry);
  }
  EXPECT_EQ(*store_->GetDnc(RangeOf(2, {})), std::nullopt);
  // A range goes without the number of the same digits, and the other way round.
  StoreBatch remove;
  remove.dnc_removed = {RangeOf(14'155'550'100, litigator), in_order[0]};
  ASSERT_TRUE(store_->Commit(remove).ok());
  EXPECT_EQ(*store_->GetDnc(RangeOf(14'155'550'100, litigator)), std::nullopt);
  EXPECT_EQ(*store_->GetDnc(RangeOf(14'155'550'100, {})), RangeOf(14'155'550'100, {}));
  EXPECT_EQ(fakes::DncEntriesIn(*store_).size(), in_order.size() - 2);
}

TEST_P(Contract, DncEntriesOfANumberAreFoundInEveryList) {
  const E164 phone(14'155'550'100);
  const dnc::DncScope florida{dnc::DncLevel::kState, "FL"};
  EXPECT_THAT(*store_->DncOf(phone), IsEmpty());
  const std::vector<campaign::DncEntry> of_it = {
      {phone, {}, "import", kStart},
      RangeOf(1'415, {}),
      RangeOf(phone.value(), {}),  // and longer ones
      RangeOf(1, florida),
      RangeOf(1'415'555'010, florida),
      {phone, {dnc::DncLevel::kClient, "ACME"}, "import", kStart},
      {phone, dnc::CampaignScope("DEMO"), "import", kStart},
      RangeOf(14, dnc::CampaignScope("ZETA")),
  };
  StoreBatch batch;
  batch.dnc_added = of_it;
  for (uint64_t n = 1; n < 50; ++n) {
    batch.dnc_added.push_back({E164(phone.value() + n), {}, "import", kStart});
    batch.dnc_added.push_back({E164(phone.value() + n), florida, "import", kStart});
    batch.dnc_added.push_back(RangeOf(2 + n, florida));
  }
  batch.dnc_added.push_back(RangeOf(phone.value() * 10, {}));  // of longer numbers
  batch.dnc_added.push_back({E164(phone.value() + 1), {dnc::DncLevel::kLitigator, ""}, "", kStart});
  std::erase_if(batch.dnc_added, [](const auto& e) { return e.range.digits == 14; });
  batch.dnc_added.push_back(of_it.back());
  ASSERT_TRUE(store_->Commit(batch).ok());
  EXPECT_EQ(*store_->DncOf(phone), of_it);
}

TEST_P(Contract, RefusesDncEntriesThatAreNone) {
  const E164 phone(14'155'550'100);
  campaign::DncEntry both{phone, {}, "", kStart};
  both.range.digits = 1'415;
  campaign::DncEntry wordy{phone, {}, "", kStart};
  wordy.reason = std::string(campaign::kDncReasonMax + 1, 'r');
  for (const campaign::DncEntry& bad :
       {campaign::DncEntry{{}, {}, "", kStart}, both, wordy, RangeOf(100'000'000'000'000, {}),
        campaign::DncEntry{phone, {dnc::DncLevel::kSystem, "x"}, "", kStart},
        campaign::DncEntry{phone, {dnc::DncLevel::kState, ""}, "", kStart},
        campaign::DncEntry{phone, dnc::CampaignScope(std::string("a\0b", 3)), "", kStart}}) {
    StoreBatch batch;
    batch.dnc_added = {bad};
    EXPECT_EQ(store_->Commit(batch).code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_THAT(fakes::DncEntriesIn(*store_), IsEmpty());
}

TEST_P(Contract, ANumberRemovedAndAddedInOneBatchStaysListed) {
  StoreBatch both;
  both.dnc_added = {{E164(14'155'550'100), {}, "agent a1", kStart}};
  both.dnc_removed = both.dnc_added;
  ASSERT_TRUE(store_->Commit(both).ok());
  EXPECT_EQ(fakes::DncEntriesIn(*store_).size(), 1u);
}

TEST_P(Contract, IdsRiseAndAreNeverGivenTwice) {
  const uint64_t first = *store_->ReserveLeadIds(10);
  EXPECT_EQ(first, 1u);
  EXPECT_GE(*store_->ReserveLeadIds(1), first + 10);
  uint64_t last = *store_->ReserveAttemptIds(1);
  EXPECT_GE(last, 1u);
  for (int i = 0; i < 2500; ++i) {
    const uint64_t id = *store_->ReserveAttemptIds(3);
    EXPECT_GT(id, last);
    last = id + 2;
  }
  const uint64_t lead = *store_->ReserveLeadIds(1);
  Reopen();
  EXPECT_GT(*store_->ReserveAttemptIds(1), last);
  EXPECT_GT(*store_->ReserveLeadIds(1), lead);
  EXPECT_EQ(store_->ReserveLeadIds(0).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(Contract, RefusesABatchItCannotKeepAndStoresNothingOfIt) {
  StoreBatch batch;
  batch.leads = {MakeLead(1), MakeLead(2)};
  batch.leads[1].id = LeadId();
  EXPECT_EQ(store_->Commit(batch).code(), absl::StatusCode::kInvalidArgument);
  batch.leads[1] = MakeLead(2);
  batch.leads[1].rank = 100;
  EXPECT_EQ(store_->Commit(batch).code(), absl::StatusCode::kInvalidArgument);
  batch.leads[1] = MakeLead(2);
  batch.leads[1].campaign = std::string("A\0B", 3);
  EXPECT_EQ(store_->Commit(batch).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(LeadsOf(*store_), IsEmpty());
  batch.leads.pop_back();
  EXPECT_TRUE(store_->Commit(batch).ok());  // such a refusal does not poison the store
}

TEST_P(Contract, UnsyncedWritesAreSeenAtOnceAndSyncedLater) {
  StoreBatch batch;
  for (uint64_t id = 1; id <= 500; ++id) batch.leads.push_back(MakeLead(id));
  ASSERT_TRUE(store_->CommitUnsynced(batch).ok());
  EXPECT_EQ(Due(kStart, 1000).size(), 500u);
  ASSERT_TRUE(store_->SyncWrites().ok());
  Reopen();
  EXPECT_EQ(Due(kStart, 1000).size(), 500u);
}

TEST_P(Contract, ThreadsCommitTogetherAndEachSeesItsOwn) {
  constexpr int kThreads = 8;
  constexpr uint64_t kEach = 100;
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      for (uint64_t i = 0; i < kEach; ++i) {
        const uint64_t id = 1 + t * kEach + i;
        StoreBatch batch;
        batch.leads = {MakeLead(id), MakeLead(100'000)};  // all write lead 100000
        batch.leads[1].next_call_time = kStart + absl::Microseconds(static_cast<int64_t>(id));
        batch.attempts = {MakeAttempt(id, kStart)};
        EXPECT_TRUE(store_->Commit(batch).ok());
        EXPECT_TRUE(store_->GetLead(LeadId(id))->has_value());
        EXPECT_GT(*store_->ReserveAttemptIds(1), 0u);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(LeadsOf(*store_).size(), kThreads * kEach + 1);
  EXPECT_EQ(Due(absl::InfiniteFuture(), 10'000).size(), kThreads * kEach + 1);
  EXPECT_EQ(store_->OpenAttempts()->size(), kThreads * kEach);
}

INSTANTIATE_TEST_SUITE_P(Stores, Contract, ::testing::Values("memory", "rocks"),
                         [](const auto& test) { return test.param; });

// Both stores are given the same random batches; after each, every question must have one answer.
TEST(BothStores, AnswerAlikeWhateverIsWritten) {
  ScratchDirectory directory;
  RocksLeadStore::Options options;
  options.path = directory.path();
  options.memtable_bytes = 64 << 10;
  MemoryLeadStore memory;
  auto rocks = RocksLeadStore::Open(options);
  ASSERT_TRUE(rocks.ok()) << rocks.status();
  Rng rng(11);
  std::vector<E164> phones;
  for (int round = 0; round < 400; ++round) {
    SCOPED_TRACE(round);
    StoreBatch batch;
    for (uint64_t n = rng.Below(8); n > 0; --n) {
      batch.leads.push_back(RandomLead(rng, 1 + rng.Below(60)));
      if (rng.Chance(0.3) && !phones.empty()) {
        batch.leads.back().phone = phones[rng.Below(phones.size())];
      }
      if (batch.leads.back().phone.valid()) phones.push_back(batch.leads.back().phone);
    }
    if (rng.Chance(0.3) && !batch.leads.empty()) batch.leads.back().has_fields = false;
    if (rng.Chance(0.2)) batch.leads_removed.push_back(LeadId(1 + rng.Below(60)));
    for (uint64_t n = rng.Below(4); n > 0; --n) {
      batch.attempts.push_back(RandomAttempt(rng, 1 + rng.Below(40)));
    }
    if (rng.Chance(0.3)) batch.dnc_added.push_back(RandomDnc(rng));
    if (rng.Chance(0.3)) batch.dnc_removed.push_back(RandomDnc(rng));
    if (rng.Chance(0.1)) batch.lists.push_back(RandomList(rng, 1 + rng.Below(4)));
    if (rng.Chance(0.1)) batch.meta["m"] = RandomText(rng, 9);
    ASSERT_TRUE(memory.Commit(batch).ok());
    ASSERT_TRUE((rng.Chance(0.1) ? (*rocks)->Commit(batch) : (*rocks)->CommitUnsynced(batch)).ok());
    if (rng.Chance(0.02)) {
      rocks->reset();
      rocks = RocksLeadStore::Open(options);
      ASSERT_TRUE(rocks.ok()) << rocks.status();
    }
    for (const char* id : {"C0", "C1", "C2"}) {
      const DueQuery query = {id, RandomTime(rng), rng.Below(30)};
      EXPECT_EQ(AllBytes(*memory.DueLeads(query)), AllBytes(*(*rocks)->DueLeads(query)));
    }
    if (!phones.empty()) {
      const E164 phone = phones[rng.Below(phones.size())];
      EXPECT_EQ(*memory.LeadsByPhone(phone), *(*rocks)->LeadsByPhone(phone));
      std::vector<E164> asked(phones.begin(),
                              phones.begin() + static_cast<ptrdiff_t>(rng.Below(phones.size())));
      std::sort(asked.begin(), asked.end());
      asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
      EXPECT_EQ(Texts(*memory.PhoneUses(asked)), Texts(*(*rocks)->PhoneUses(asked)));
    }
    const absl::Time from = RandomTime(rng), to = RandomTime(rng);
    EXPECT_EQ(AllBytes(AttemptsOf(memory, from, to)), AllBytes(AttemptsOf(**rocks, from, to)));
    EXPECT_EQ(AllBytes(*memory.OpenAttempts()), AllBytes(*(*rocks)->OpenAttempts()));
    EXPECT_EQ(AllBytes(fakes::DncEntriesIn(memory)), AllBytes(fakes::DncEntriesIn(**rocks)));
    EXPECT_EQ(*memory.StatusCounts(), *(*rocks)->StatusCounts());
    EXPECT_EQ(*memory.GetMeta("m"), *(*rocks)->GetMeta("m"));
  }
  EXPECT_EQ(AllBytes(LeadsOf(memory)), AllBytes(LeadsOf(**rocks)));
  EXPECT_EQ(AllPhones(memory), AllPhones(**rocks));
  EXPECT_EQ(AllBytes(*memory.Lists()), AllBytes(*(*rocks)->Lists()));
  EXPECT_TRUE((*rocks)->Verify().ok()) << (*rocks)->Verify();
}

TEST(MemoryLeadStore, FailsTheCommitAskedForAndStaysShut) {
  MemoryLeadStore store;
  StoreBatch batch;
  batch.leads = {MakeLead(1)};
  store.FailCommitAt(2);
  EXPECT_TRUE(store.Commit(batch).ok());
  batch.leads = {MakeLead(2)};
  EXPECT_EQ(store.Commit(batch).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store.Commit(batch).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store.SyncWrites().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store.ReserveAttemptIds(1).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(IdsOf(LeadsOf(store)), ElementsAre(1));
  EXPECT_EQ(store.commits(), 1);
  store.Restart();
  EXPECT_TRUE(store.Commit(batch).ok());
  EXPECT_THAT(IdsOf(LeadsOf(store)), ElementsAre(1, 2));
}

}  // namespace
}  // namespace outpace::store
