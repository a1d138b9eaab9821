// Lists: made, shown with what their leads have come to, changed, switched, expired, archived.

#include "gmock/gmock.h"
#include "tests/engine/runtime/admin_fixture.h"

namespace outpace::runtime {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using Code = absl::StatusCode;

class AdminListsTest : public AdminFixture {
 protected:
  campaign::List ListAt(size_t i) { return store_.Lists()->at(i); }
  // Lead `id` of list 101 with this status, after so many tries.
  void PutLead(uint64_t id, const std::string& status, int tries) {
    campaign::Lead lead;
    lead.id = LeadId(id);
    lead.list = ListId(101);
    lead.campaign = "DEMO";
    lead.phone = E164(13035550100 + id);
    lead.time_zones = {"America/Denver"};
    lead.status = status;
    lead.called_count = tries;
    if (status == "SALE") lead.next_call_time = absl::InfiniteFuture();
    AdminFixture::PutLead(lead);
  }
};

TEST_F(AdminListsTest, AreMadeOnce) {
  Create();
  EXPECT_EQ(Text("list.create", {{"list", "spring"}, {"campaign", "DEMO"}}),
            "list 101 (spring) of campaign DEMO made; it is active\n");
  EXPECT_THAT(
      Refusal(Code::kAlreadyExists, "list.create", {{"list", "spring"}, {"campaign", "DEMO"}}),
      HasSubstr("outpace list set 101"));
  EXPECT_THAT(Refusal(Code::kNotFound, "list.create", {{"list", "x"}, {"campaign", "NONE"}}),
              HasSubstr("there are: DEMO"));
  Text("list.create", {{"list", "summer"},
                       {"campaign", "DEMO"},
                       {"off", true},
                       {"set", {{"description", "trade fair"}, {"expires", "2023-12-31"}}}});
  EXPECT_EQ(ListAt(1).id, ListId(102));
  EXPECT_FALSE(ListAt(1).active);
  EXPECT_EQ(ListAt(1).description, "trade fair");
  EXPECT_EQ(ListAt(1).expires, absl::FromUnixSeconds(1'704'067'200)) << "end of its last day";
}

TEST_F(AdminListsTest, AreChangedByNumberOrName) {
  Create();
  Text("list.create", {{"list", "spring"}, {"campaign", "DEMO"}});
  told_.clear();
  EXPECT_EQ(Text("list.set", {{"list", "spring"}, {"set", {{"name", "summer"}}}}),
            "list 101 changed; it is active\n");
  EXPECT_THAT(told_, ElementsAre("list 101"));
  EXPECT_EQ(ListAt(0).name, "summer");
  EXPECT_THAT(
      Refusal(Code::kInvalidArgument, "list.set", {{"list", "101"}, {"set", {{"nme", "x"}}}}),
      HasSubstr("it has name, description, expires"));
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "list.set",
                      {{"list", "101"}, {"set", {{"expires", "soon"}}}}),
              HasSubstr("2026-12-31"));
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "list.set", {{"list", "101"}}),
              HasSubstr("what shall be changed"));
  EXPECT_THAT(Refusal(Code::kNotFound, "list.set", {{"list", "999"}, {"set", {{"name", "x"}}}}),
              HasSubstr("outpace list show"));
  Create("OTHER");
  Text("list.create", {{"list", "summer"}, {"campaign", "OTHER"}});
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "list.show", {{"list", "summer"}}),
              HasSubstr("101 of DEMO, 102 of OTHER"));
}

TEST_F(AdminListsTest, ExpireAndComeBack) {
  Create();
  Text("list.create", {{"list", "spring"}, {"campaign", "DEMO"}});
  // It is 2023-11-14 22:13 UTC.
  EXPECT_EQ(Text("list.set", {{"list", "101"}, {"set", {{"expires", "2023-11-14T22:00:00"}}}}),
            "list 101 changed; it is expired\n");
  EXPECT_THAT(Text("list.active", {{"list", "101"}, {"active", true}}),
              HasSubstr("is active, but expired: it is not dialed"));
  EXPECT_EQ(Text("list.set", {{"list", "101"}, {"set", {{"expires", "2023-11-14"}}}}),
            "list 101 changed; it is active\n")
      << "a day means its end";
  Text("list.set", {{"list", "101"}, {"set", {{"expires", "never"}}}});
  EXPECT_EQ(ListAt(0).expires, absl::InfiniteFuture());
}

TEST_F(AdminListsTest, WhyALeadIsHeldTellsTheListsState) {
  Create();
  Text("list.create", {{"list", "spring"}, {"campaign", "DEMO"}});
  PutLead(1, "NEW", 0);
  EXPECT_THAT(Text("lead.why", {{"lead", "1"}}), HasSubstr("may be dialed now"));
  Text("list.set", {{"list", "101"}, {"set", {{"expires", "2023-11-14T22:00:00"}}}});
  EXPECT_THAT(Text("lead.why", {{"lead", "1"}}),
              HasSubstr("It is expired since 2023-11-14 22:00:00."));
  Text("list.active", {{"list", "101"}, {"active", false}});
  EXPECT_THAT(Text("lead.why", {{"lead", "1"}}), HasSubstr("It is off."));
  Text("list.archived", {{"list", "101"}, {"archived", true}});
  EXPECT_THAT(Text("lead.why", {{"lead", "1"}}), HasSubstr("It is archived."));
}

TEST_F(AdminListsTest, ArchivedOnesAreShownWhenAskedFor) {
  Create();
  Text("list.create", {{"list", "spring"}, {"campaign", "DEMO"}});
  Text("list.create", {{"list", "summer"}, {"campaign", "DEMO"}});
  Text("list.archived", {{"list", "spring"}, {"archived", true}});
  EXPECT_TRUE(ListAt(0).archived);
  const std::string table = Text("list.list");
  EXPECT_THAT(table, AllOf(Not(HasSubstr("spring")), HasSubstr("summer"),
                           HasSubstr("1 archived; --all shows them too")));
  EXPECT_THAT(Text("list.list", {{"all", true}}), HasSubstr("archived"));
  EXPECT_THAT(Run("list.list", {{"all", true}})->at("lists"), SizeIs(2));
  Text("list.archived", {{"list", "spring"}, {"archived", false}});
  EXPECT_FALSE(ListAt(0).archived);
}

TEST_F(AdminListsTest, ShowWhatTheirLeadsHaveComeTo) {
  Create();
  Text("list.create", {{"list", "spring"}, {"campaign", "DEMO"}});
  PutLead(1, "NEW", 0);
  PutLead(2, "NA", 2);
  PutLead(3, "SALE", 1);
  PutLead(4, "NEW", 0);
  const auto shown = Run("list.show", {{"list", "spring"}});
  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_EQ((*shown)["leads"], 4);
  EXPECT_EQ((*shown)["called"], 2);
  EXPECT_EQ((*shown)["sales"], 1);
  EXPECT_EQ((*shown)["final"], 1);
  EXPECT_EQ((*shown)["tries"], 3);
  EXPECT_EQ((*shown)["penetration"], 0.5);
  EXPECT_EQ((*shown)["statuses"]["NEW"], 2);
  EXPECT_THAT((*shown)["text"].get<std::string>(),
              AllOf(HasSubstr("list 101  spring  campaign DEMO  active"),
                    HasSubstr("called             2   50.0 % penetration"),
                    HasSubstr("NA               1   25.0 %")));
}

TEST_F(AdminListsTest, AResetBringsBackWhoWasNotReached) {
  Create();
  Text("list.create", {{"list", "spring"}, {"campaign", "DEMO"}});
  const absl::Time now = world_.clock().Wall();
  uint64_t id = 0;
  for (const char* status : {"NEW", "NA", "SALE", "NI", "DNC", "ADC", "CALLBK", "DROP", "B"}) {
    PutLead(++id, status, status[1] == 'E' ? 0 : 2);
    if (id == 1) continue;
    campaign::Lead lead = Lead(id);
    lead.next_call_time = lead.status == "CALLBK" ? now + absl::Hours(30) : absl::InfiniteFuture();
    lead.last_call_time = now - absl::Hours(1);
    lead.recycled = "NA:2";
    AdminFixture::PutLead(lead);
  }
  busy_ = {LeadId(9)};
  told_.clear();
  const auto reset = Run("list.reset", {{"list", "spring"}});
  ASSERT_TRUE(reset.ok()) << reset.status();
  EXPECT_EQ((*reset)["reset"], 1) << "no answer";
  EXPECT_EQ(Lead(2).next_call_time, absl::InfinitePast());
  EXPECT_EQ(Lead(2).recycled, "");
  EXPECT_EQ(Lead(2).called_count, 2) << "the limit over its life still counts them";
  EXPECT_EQ(Lead(7).next_call_time, now + absl::Hours(30)) << "promised";
  for (const uint64_t stays : {3, 4, 5, 6, 8, 9}) {
    EXPECT_EQ(Lead(stays).next_call_time, absl::InfiniteFuture()) << stays;
  }
  EXPECT_EQ(ListAt(0).last_reset, now);
  EXPECT_THAT(told_, ElementsAre("withdraw 1+9", "withdrawn 1+9", "leads DEMO"));
}

class AdminResetTest : public AdminListsTest {
 protected:
  // Lists 101 and 102 of leads 1 to 4 by turns, none reached; a reset of 101 was begun an hour ago
  // and cut off, and lead 3 has been called since.
  void SetUp() override {
    Create();
    Text("list.create", {{"list", "spring"}, {"campaign", "DEMO"}});
    Text("list.create", {{"list", "summer"}, {"campaign", "DEMO"}});
    const absl::Time now = world_.clock().Wall();
    for (uint64_t id = 1; id <= 4; ++id) {
      PutLead(id, "NA", 2);
      campaign::Lead lead = Lead(id);
      lead.list = ListId(id % 2 == 1 ? 101 : 102);
      lead.next_call_time = now + absl::Hours(9);
      lead.last_call_time = now - (id == 3 ? absl::Minutes(9) : absl::Hours(9));
      AdminFixture::PutLead(lead);
    }
    campaign::StoreBatch batch;
    batch.lists = {ListAt(0)};
    batch.lists[0].last_reset = begun_ = now - absl::Hours(1);
    batch.meta["list_reset.101"] = "under way";
    ASSERT_TRUE(store_.Commit(batch).ok());
    told_.clear();
  }
  bool IsDue(uint64_t id) { return Lead(id).next_call_time == absl::InfinitePast(); }

  absl::Time begun_;
};

TEST_F(AdminResetTest, OneThatWasCutOffGoesOnAtTheNextStart) {
  EXPECT_EQ(Run("import.resume")->at("resets"), 1);
  while (Run("import.progress", {{"job", 1}})->at("state") == "running") {
  }
  EXPECT_TRUE(IsDue(1));
  EXPECT_FALSE(IsDue(3)) << "it had its call";
  EXPECT_EQ(ListAt(0).last_reset, begun_);
  EXPECT_EQ(Run("import.resume")->at("resets"), 0);
}

TEST_F(AdminResetTest, ANewOneComesAfterTheOneThatWasCutOff) {
  const auto reset = Run("list.reset", {{"list", "101"}});
  ASSERT_TRUE(reset.ok()) << reset.status();
  EXPECT_TRUE(IsDue(1));
  EXPECT_TRUE(IsDue(3));
  EXPECT_EQ(ListAt(0).last_reset, world_.clock().Wall());
  EXPECT_FALSE(IsDue(2)) << "of the other list";
  EXPECT_THAT(told_, ElementsAre("withdraw 1+1,3+1", "withdrawn 1+1,3+1", "leads DEMO"));
}

}  // namespace
}  // namespace outpace::runtime
