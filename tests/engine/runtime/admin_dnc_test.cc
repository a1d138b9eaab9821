// Do-not-call entries of every kind through Admin: added, removed, looked up, imported, exported,
// and noted in the evidence log.

#include "absl/strings/str_split.h"
#include "engine/runtime/dnc_entries.h"
#include "tests/engine/runtime/admin_fixture.h"
#include "tests/engine/runtime/fake_audit.h"
#include "tests/fakes/dnc_entries.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Code = absl::StatusCode;

class AdminDncTest : public AdminFixture {
 protected:
  std::vector<campaign::DncEntry> Entries() const { return fakes::DncEntriesIn(store_); }
};

TEST_F(AdminDncTest, EntriesHaveAListAReasonAndAnEnd) {
  Create();
  Text("dnc.add", {{"number", "3035550101"}, {"state", "fl"}, {"reason", " asked\n twice "}});
  Text("dnc.add", {{"number", "+1900*"}, {"client", "ACME"}, {"expires", "2023-12-31"}});
  Text("dnc.add", {{"number", "3035550101"}, {"litigator", true}});
  Text("dnc.add", {{"number", "3035550101"}, {"scope", "campaign:DEMO"}});
  const std::vector<campaign::DncEntry> entries = Entries();
  ASSERT_THAT(entries, SizeIs(4));
  campaign::DncEntry expected;
  expected.phone = E164(13035550101);
  expected.source = "command line";
  expected.by = "command line";
  expected.added = world_.clock().Wall();
  expected.scope = {dnc::DncLevel::kLitigator, ""};
  EXPECT_EQ(entries[0], expected);
  expected.scope = {dnc::DncLevel::kState, "FL"};
  expected.reason = "asked  twice";
  EXPECT_EQ(entries[1], expected);
  expected.scope = {dnc::DncLevel::kClient, "ACME"};
  expected.reason = "";
  expected.phone = E164();
  expected.range.digits = 1900;
  expected.expires = absl::FromCivil(absl::CivilDay(2024, 1, 1), absl::UTCTimeZone());
  EXPECT_EQ(entries[2], expected);
  EXPECT_EQ(entries[3].scope, dnc::CampaignScope("DEMO"));
}

TEST_F(AdminDncTest, WhatCannotBeMeantIsRefused) {
  Create();
  const auto refused = [&](Code code, Json more) {
    Json arguments = {{"number", "3035550101"}};
    arguments.update(more);
    return Refusal(code, "dnc.add", arguments);
  };
  EXPECT_THAT(refused(Code::kInvalidArgument, {{"client", "A"}, {"state", "FL"}}),
              HasSubstr("one list"));
  EXPECT_THAT(refused(Code::kInvalidArgument, {{"scope", "county:X"}}), HasSubstr("state:FL"));
  EXPECT_THAT(refused(Code::kInvalidArgument, {{"expires", "2023-11-13"}}), HasSubstr("over"));
  refused(Code::kInvalidArgument, {{"expires", "soon"}});
  refused(Code::kInvalidArgument, {{"reason", std::string(201, 'r')}});
  refused(Code::kNotFound, {{"scope", "campaign:DMEO"}});
  refused(Code::kInvalidArgument, {{"number", "900*"}});
  EXPECT_THAT(Entries(), IsEmpty());
}

TEST_F(AdminDncTest, AnEntryIsFoundAndRemovedInAnySpelling) {
  Create();
  const std::vector<std::string> spellings = {"+13035550101", "(303) 555-0101", "1.303.555.0101",
                                              "３０３５５５０１０１", "tel:+1-303-555-0101"};
  for (const std::string& added : spellings) {
    Text("dnc.add", {{"number", added}});
    for (const std::string& asked : spellings) {
      EXPECT_THAT(Text("dnc.check", {{"number", asked}}), StartsWith("on the system-wide"));
    }
    EXPECT_THAT(Entries(), SizeIs(1));
    EXPECT_EQ(Text("dnc.remove", {{"number", spellings.back()}}), "removed\n");
    EXPECT_THAT(Entries(), IsEmpty());
  }
}

TEST_F(AdminDncTest, CheckShowsEveryListThatHasTheNumber) {
  Create();
  ASSERT_TRUE(Run("campaign.set", {{"id", "DEMO"}, {"set", {{"client_id", "ACME"}}}}).ok());
  const Json number = {{"number", "3035550101"}};
  Text("dnc.add", {{"number", "3035550101"}, {"reason", "asked"}, {"expires", "2023-11-20"}});
  Text("dnc.add", {{"number", "+1303*"}, {"client", "ACME"}});
  Text("dnc.add", {{"number", "3035550101"}, {"client", "OTHER"}});
  Text("dnc.add", {{"number", "3035550101"}, {"campaign", "DEMO"}});
  auto answer = Run("dnc.check", number);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ((*answer)["hits"].size(), 4u);
  const std::string text = (*answer)["text"];
  EXPECT_THAT(text, HasSubstr("scope system, reason asked, source command line, by command line, "
                              "since 2023-11-14 22:13 UTC, until 2023-11-21 00:00 UTC"));
  EXPECT_THAT(text, HasSubstr("scope client:ACME, range +1303*"));
  EXPECT_THAT(text, HasSubstr("scope client:OTHER"));
  EXPECT_THAT(text, HasSubstr("scope campaign:DEMO"));
  EXPECT_THAT(text, Not(HasSubstr("5550101")));
  // What binds one campaign.
  answer = Run("dnc.check", {{"number", "3035550101"}, {"campaign", "DEMO"}});
  EXPECT_EQ((*answer)["hits"].size(), 3u);
  // When it is over it is shown, and does not hold.
  world_.RunFor(absl::Hours(24 * 7));
  Text("dnc.remove", {{"number", "+1303*"}, {"client", "ACME"}});
  Text("dnc.remove", {{"number", "3035550101"}, {"campaign", "DEMO"}});
  Text("dnc.remove", {{"number", "3035550101"}, {"client", "OTHER"}});
  answer = Run("dnc.check", number);
  EXPECT_EQ((*answer)["listed"], false);
  EXPECT_THAT((*answer)["text"].get<std::string>(), StartsWith("not listed\nended\n"));
}

TEST_F(AdminDncTest, RemovingSaysWhatStillLists) {
  Create();
  Text("dnc.add", {{"number", "3035550101"}});
  Text("dnc.add", {{"number", "+1303*"}, {"state", "CO"}});
  EXPECT_THAT(Text("dnc.remove", {{"number", "3035550101"}, {"campaign", "DEMO"}}),
              StartsWith("it was not on that list\nstill listed: scope system"));
  EXPECT_THAT(Text("dnc.remove", {{"number", "3035550101"}}),
              StartsWith("removed\nstill listed: scope state:CO, range +1303*"));
  EXPECT_EQ(Text("dnc.remove", {{"number", "+1303*"}, {"state", "CO"}}), "removed\n");
  EXPECT_THAT(Entries(), IsEmpty());
}

TEST_F(AdminDncTest, OfTwoEndsTheLaterCounts) {
  Create();
  Text("dnc.add", {{"number", "3035550101"}});
  EXPECT_THAT(Text("dnc.add", {{"number", "3035550101"}, {"expires", "2024-01-01"}}),
              HasSubstr("listed for good and stays so"));
  EXPECT_EQ(Entries().at(0).expires, absl::InfiniteFuture());
  Text("dnc.add", {{"number", "3035550102"}, {"expires", "2024-06-01"}});
  EXPECT_THAT(Text("dnc.add", {{"number", "3035550102"}, {"expires", "2024-01-01"}}),
              HasSubstr("until 2024-06-02"));
}

TEST_F(AdminDncTest, WhatIsExportedImportsAsTheSameEntries) {
  Create();
  std::string csv = "number,scope,reason,expires\n";
  for (int i = 0; i < 4'500; ++i) {
    const char* const scopes[] = {"system", "litigator", "state:FL", "client:ACME",
                                  "campaign:DEMO"};
    absl::StrAppend(&csv, "+1303", 5560000 + i, ",", scopes[i % 5], ",\"reason, ", i, "\",",
                    i % 7 == 0 ? "2027-01-01" : "", "\n");
  }
  absl::StrAppend(&csv, "+1900*,client:ACME,,\n+1-976-XXX-XXXX,,\"=HYPERLINK()\",\n");
  const auto first = Run("dnc.import", {{"path", scratch_.Put("in.csv", csv)}});
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ((*first)["added"], 4'502);
  EXPECT_EQ((*first)["incomplete"], false);
  EXPECT_THAT((*first)["sha256"].get<std::string>(), SizeIs(64));
  const std::vector<campaign::DncEntry> entries = Entries();
  ASSERT_THAT(entries, SizeIs(4'502));
  const std::string out = scratch_ / "out.csv";
  EXPECT_THAT(Text("dnc.export", {{"path", out}}), HasSubstr("4502 entries"));
  campaign::StoreBatch all;
  all.dnc_removed = entries;
  ASSERT_TRUE(store_.Commit(all).ok());
  ASSERT_THAT(Entries(), IsEmpty());
  const auto again = Run("dnc.import", {{"path", out}});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)["incomplete"], false) << (*again)["text"];
  EXPECT_EQ(Entries(), entries);
  // One list alone.
  EXPECT_THAT(Text("dnc.export", {{"path", out}, {"scope", "state:FL"}}), HasSubstr("900 entries"));
  const std::vector<std::string> rows = absl::StrSplit(Scratch::Bytes(out), "\r\n");
  ASSERT_THAT(rows, SizeIs(902));
  for (size_t i = 1; i <= 900; ++i) EXPECT_THAT(rows[i], HasSubstr(",state:FL,"));
}

TEST_F(AdminDncTest, ImportsGoToTheEngineInPortionsAndSayHowFarTheyCame) {
  std::vector<size_t> portions;
  AdminHooks hooks;
  hooks.add_dnc = [&](std::vector<campaign::DncEntry> entries) {
    portions.push_back(entries.size());
    return portions.size() < 3 ? absl::OkStatus() : absl::UnavailableError("the disk is full");
  };
  Admin admin(store_, world_.clock(), hooks);
  std::string csv;
  for (int i = 0; i < 5'000; ++i) absl::StrAppend(&csv, "+1303", 5560000 + i, "\n");
  const auto answer = admin.Run("dnc.import", {{"path", scratch_.Put("in.csv", csv)}});
  EXPECT_EQ(answer.status().code(), Code::kUnavailable);
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("4000 entries before"));
  for (const size_t size : portions) EXPECT_LE(size, 2'000u);
}

TEST_F(AdminDncTest, AnImpossibleHeadingImportsNothing) {
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "dnc.import",
                      {{"path", scratch_.Put("in.csv", "phone,tel\n3035550101,\n")}}),
              HasSubstr("phone and tel"));
  EXPECT_THAT(Entries(), IsEmpty());
}

TEST_F(AdminDncTest, ListShowsEntriesOfAListUpToALimit) {
  Create();
  EXPECT_EQ(Text("dnc.list"), "there are no entries\n");
  for (const char* number : {"3035550101", "3035550102", "3035550103"}) {
    Text("dnc.add", {{"number", number}, {"client", "ACME"}});
  }
  Text("dnc.add", {{"number", "3035550104"}});
  EXPECT_THAT(Text("dnc.list"), StartsWith("+13035550104  scope system"));
  const auto two = Run("dnc.list", {{"scope", "client:ACME"}, {"limit", "2"}});
  ASSERT_TRUE(two.ok());
  EXPECT_EQ((*two)["entries"].size(), 2u);
  EXPECT_EQ((*two)["more"], true);
  EXPECT_EQ((*Run("dnc.list", {{"scope", "client:ACME"}, {"limit", "3"}}))["more"], false);
  EXPECT_EQ((*Run("dnc.list", {{"scope", "client:B"}}))["entries"].size(), 0u);
}

// Where an engine runs, its own set is asked: 50 million entries are not read again.
TEST_F(AdminDncTest, ImportsOfLeadsAskTheEnginesSet) {
  Create();
  dnc::DncSet set;
  set.Add(E164(13035550102), "");
  AdminHooks hooks;
  absl::Status told;
  hooks.dnc_in_force = [&]() -> absl::StatusOr<dnc::DncSet> {
    if (!told.ok()) return told;
    return set;
  };
  Admin admin(store_, world_.clock(), hooks);
  const Json order = {
      {"path", scratch_.Put("l.csv", kFiveRows)}, {"campaign", "DEMO"}, {"list", "default"}};
  told = absl::UnavailableError("overloaded");
  EXPECT_EQ(admin.Run("import", order).status().code(), Code::kUnavailable)
      << "nothing is loaded past a set that is not known";
  told = absl::OkStatus();
  const auto answer = admin.Run("import", order);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(*store_.LeadsByPhone(E164(13035550102)), IsEmpty());
  EXPECT_THAT(*store_.LeadsByPhone(E164(13035550101)), SizeIs(1));
}

TEST_F(AdminDncTest, WhyALeadIsHeldLooksUpItsNumberAlone) {
  Import();
  Text("dnc.add", {{"number", "+1303555010*"}, {"state", "CO"}});
  EXPECT_THAT(Text("lead.why", {{"lead", "1"}}), HasSubstr("dnc_state"));
  Text("dnc.remove", {{"number", "+1303555010*"}, {"state", "CO"}});
  EXPECT_THAT(Text("lead.why", {{"lead", "1"}}), Not(HasSubstr("dnc_")));
}

TEST_F(AdminDncTest, ChangesAreNotedWithMarkListReasonAndEnd) {
  Create();
  FakeAudit audit;
  AdminHooks hooks;
  hooks.actor = "control socket";
  hooks.audit = &audit;
  hooks.number_mark = [](E164 number) { return absl::StrCat("mark", number.value() % 100); };
  Admin admin(store_, world_.clock(), hooks);
  ASSERT_TRUE(admin
                  .Run("dnc.add", {{"number", "3035550177"},
                                   {"client", "ACME"},
                                   {"reason", "asked"},
                                   {"expires", "2024-01-01"}})
                  .ok());
  const audit::Event added = audit.Last("dnc.added");
  EXPECT_EQ(added.actor, "control socket");
  EXPECT_EQ(audit::TextOf(added, "number_mark"), "mark77");
  EXPECT_EQ(audit::TextOf(added, "scope"), "client:ACME");
  EXPECT_EQ(audit::TextOf(added, "reason"), "asked");
  EXPECT_EQ(audit::TextOf(added, "expires"), "2024-01-02T00:00:00+00:00");
  EXPECT_EQ(Entries().at(0).by, "control socket");
  ASSERT_TRUE(admin.Run("dnc.remove", {{"number", "3035550177"}, {"client", "ACME"}}).ok());
  EXPECT_EQ(audit::TextOf(audit.Last("dnc.removed"), "scope"), "client:ACME");
  // A range is no number, unless it is as long as one.
  ASSERT_TRUE(admin.Run("dnc.add", {{"number", "+1900*"}}).ok());
  EXPECT_EQ(audit::TextOf(audit.Last("dnc.added"), "range_mark"), "+1900*");
  EXPECT_EQ(audit::TextOf(audit.Last("dnc.added"), "number_mark"), "");
  ASSERT_TRUE(admin.Run("dnc.add", {{"number", "+13035550178*"}}).ok());
  EXPECT_EQ(audit::TextOf(audit.Last("dnc.added"), "range_mark"), "mark78");
  const std::string path = scratch_.Put("in.csv", "3035550111\n3035550112\n12\n");
  ASSERT_TRUE(admin.Run("dnc.import", {{"path", path}}).ok());
  const audit::Event imported = audit.Last("dnc.imported");
  EXPECT_EQ(audit::NumberOf(imported, "added"), 2);
  EXPECT_EQ(audit::NumberOf(imported, "rejected"), 1);
  EXPECT_THAT(audit::TextOf(imported, "sha256"), SizeIs(64));
  ASSERT_TRUE(admin.Run("dnc.export", {{"path", scratch_ / "out.csv"}}).ok());
  EXPECT_EQ(audit::NumberOf(audit.Last("dnc.exported"), "rows"), 4);
  EXPECT_THAT(audit.Text(), Not(HasSubstr("30355501")));
}

}  // namespace
}  // namespace outpace::runtime
