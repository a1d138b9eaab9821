// Every operation of the command line, on a store in memory: what it changes, what it answers, and
// what it says when it is asked for the impossible.

#include "engine/runtime/admin.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/runtime/password.h"
#include "engine/sim/sim_world.h"
#include "gmock/gmock.h"
#include "tests/engine/runtime/admin_fixture.h"
#include "tests/fakes/dnc_entries.h"

namespace outpace::runtime {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Code = absl::StatusCode;

using AdminTest = AdminFixture;

TEST_F(AdminTest, UnknownOperationsAndArguments) {
  EXPECT_THAT(Refusal(Code::kNotFound, "campaign.destroy"), HasSubstr("campaign.destroy"));
  EXPECT_EQ(Refusal(Code::kInvalidArgument, "campaign.list", Json::array()),
            "the arguments are no JSON object");
  for (const char* operation :
       {"campaign.create", "campaign.set", "campaign.start", "campaign.pause", "campaign.show",
        "import", "lead.show", "lead.why", "dnc.add", "dnc.remove", "dnc.import", "dnc.check",
        "agent.add", "export.calls"}) {
    EXPECT_THAT(Refusal(Code::kInvalidArgument, operation), HasSubstr("is missing")) << operation;
    EXPECT_THAT(Refusal(Code::kInvalidArgument, operation,
                        {{"id", 5}, {"path", 5}, {"lead", 5}, {"number", 5}, {"user", 5}}),
                HasSubstr("is missing"))
        << operation;
  }
}

TEST_F(AdminTest, WhatHasNoEffectIsSaid) {
  EXPECT_THAT(Text("campaign.create", {{"id", "DEMO"}}), Not(HasSubstr("note:")));
  const Json set = {{"id", "DEMO"},
                    {"set", {{"dial_method", "ADAPT_TAPERED"}, {"adaptive_dl_diff_target", "-1"}}}};
  EXPECT_THAT(Text("campaign.set", set),
              HasSubstr("note: adaptive_dl_diff_target=-1 has no effect"));
  EXPECT_THAT(Text("campaign.show", {{"id", "DEMO"}}),
              HasSubstr("note: adaptive_dl_diff_target=-1"));
  EXPECT_THAT(Run("campaign.show", {{"id", "DEMO"}})->at("notes"), SizeIs(1));
  EXPECT_THAT(Text("campaign.create", {{"id", "TWO"}, {"set", {{"dl_diff_target", "2"}}}}),
              HasSubstr("note: adaptive_dl_diff_target=2"));
}

TEST_F(AdminTest, CampaignsAreMadeChangedAndShown) {
  EXPECT_THAT(Refusal(Code::kNotFound, "campaign.show", {{"id", "DEMO"}}),
              HasSubstr("outpace campaign create"));
  EXPECT_THAT(Text("campaign.create", {{"id", "DEMO"}}), HasSubstr("outpace campaign start DEMO"));
  EXPECT_THAT(told_, ElementsAre("campaign DEMO off"));
  EXPECT_THAT(Refusal(Code::kAlreadyExists, "campaign.create", {{"id", "DEMO"}}),
              HasSubstr("outpace campaign set DEMO"));
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "campaign.create", {{"id", "much too long"}}),
              HasSubstr("campaign_id"));
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "campaign.create",
                      {{"id", "X"}, {"set", {{"dial_method", "LOUD"}}}}),
              HasSubstr("PROGRESSIVE"));
  EXPECT_EQ(store_.Campaigns()->size(), 1u) << "nothing of a refused one";

  Text("campaign.set", {{"id", "DEMO"}, {"set", {{"dial_method", "RATIO"}, {"name", "Démo"}}}});
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "campaign.set",
                      {{"id", "DEMO"}, {"set", {{"hopper_level", "0"}}}}),
              HasSubstr("hopper_level"));
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "campaign.set",
                      {{"id", "DEMO"}, {"set", {{"hopper_level", 5}}}}),
              HasSubstr("texts"));
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "campaign.set",
                      {{"id", "DEMO"}, {"set", {{"campaign_id", "OTHER"}}}}),
              HasSubstr("cannot be changed"));
  EXPECT_THAT(Refusal(Code::kNotFound, "campaign.set", {{"id", "NONE"}}),
              HasSubstr("there are: DEMO"));
  const auto shown = Run("campaign.show", {{"id", "DEMO"}});
  ASSERT_TRUE(shown.ok());
  EXPECT_EQ((*shown)["settings"]["dial_method"], "RATIO");
  EXPECT_EQ((*shown)["settings"]["campaign_name"], "Démo");
  EXPECT_THAT((*shown)["text"].get<std::string>(), HasSubstr("dial_method=RATIO\n"));

  told_.clear();
  Text("campaign.start", {{"id", "DEMO"}});
  EXPECT_TRUE(store_.Campaigns()->at(0).active);
  EXPECT_EQ(told_.at(0), "campaign DEMO on");
  Text("campaign.pause", {{"id", "DEMO"}});
  EXPECT_FALSE(store_.Campaigns()->at(0).active);
  EXPECT_THAT(Text("campaign.list"), HasSubstr("DEMO     N        RATIO"));
}

TEST_F(AdminTest, ImportCountsAndTellsWhatItLeftOut) {
  Create();
  told_.clear();
  ASSERT_TRUE(Run("dnc.add", {{"number", "3035550103"}}).ok());
  const auto answer = Run("import", {{"path", scratch_.Put("l.csv", kFiveRows)},
                                     {"campaign", "DEMO"},
                                     {"list", "spring"},
                                     {"rejects", scratch_ / "rejects"}});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ((*answer)["rows"], 5);
  EXPECT_EQ((*answer)["accepted"], 2);
  EXPECT_EQ((*answer)["duplicates_in_file"], 1);
  EXPECT_EQ((*answer)["dnc"], 1);
  EXPECT_EQ((*answer)["rejected"], 1);
  EXPECT_EQ((*answer)["list"], 101);
  EXPECT_THAT(Scratch::Bytes(scratch_ / "rejects"),
              AllOf(HasSubstr("outpace_line"), HasSubstr("12,Too,Short,CO")));
  EXPECT_THAT(Text("lead.counts"), HasSubstr("DEMO     NEW              2"));
  EXPECT_THAT(Text("list.list"), HasSubstr("spring"));
  EXPECT_EQ(store_.Lists()->at(0).leads, 2);
  EXPECT_THAT(told_, ElementsAre("list 101", "leads DEMO"));
  EXPECT_EQ(Lead(1).Field("first_name"), "Ann");

  // The same file again: nothing new.
  const Json file = {{"path", scratch_ / "l.csv"}, {"campaign", "DEMO"}, {"list", "spring"}};
  const auto again = Run("import", file);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)["already_imported"], true);
  EXPECT_THAT((*again)["text"].get<std::string>(), HasSubstr("since import 1"));
  EXPECT_EQ(store_.Imports()->size(), 1u);
  Json without = file;
  without["no_scrub"] = true;
  const auto other = Run("import", without);
  ASSERT_TRUE(other.ok());
  EXPECT_EQ((*other)["accepted"], 1) << "the listed one: it was asked for without the scrub";
  EXPECT_EQ((*other)["duplicates_in_store"], 2);
  EXPECT_EQ((*other)["list"], 101);
}

TEST_F(AdminTest, ADryRunTellsAllAndStoresNothing) {
  Create();
  told_.clear();
  const auto dry = Run("import", {{"path", scratch_.Put("l.csv", kFiveRows)},
                                  {"campaign", "DEMO"},
                                  {"list", "spring"},
                                  {"dry_run", true}});
  ASSERT_TRUE(dry.ok()) << dry.status();
  EXPECT_EQ((*dry)["accepted"], 3);
  EXPECT_THAT((*dry)["text"].get<std::string>(), HasSubstr("nothing was stored"));
  EXPECT_THAT(store_.Lists().value(), IsEmpty());
  EXPECT_THAT(store_.Imports().value(), IsEmpty());
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(AdminTest, AnImportIsAJobWithProgress) {
  Create();
  const auto started =
      Run("import.start",
          {{"path", scratch_.Put("l.csv", kFiveRows)}, {"campaign", "DEMO"}, {"list", "spring"}});
  ASSERT_TRUE(started.ok()) << started.status();
  const Json job = {{"job", started->at("job")}};
  absl::StatusOr<Json> progress;
  do {
    progress = Run("import.progress", job);
    ASSERT_TRUE(progress.ok()) << progress.status();
  } while (progress->at("state") == "running");
  EXPECT_EQ((*progress)["accepted"], 3);
  EXPECT_EQ((*progress)["import"], started->at("import"));
  EXPECT_THAT(Refusal(Code::kNotFound, "import.progress", {{"job", 99}}),
              HasSubstr("outpace import list"));
  EXPECT_THAT(Text("import.cancel", job), HasSubstr("ends")) << "too late, and harmless";
  // What a load fails with is told by the last look at it.
  const auto bad =
      Run("import.start", {{"path", scratch_.Put("x.csv", "a,b\n1,2\n")}, {"campaign", "DEMO"}});
  ASSERT_TRUE(bad.ok());
  do {
    progress = Run("import.progress", {{"job", bad->at("job")}});
  } while (progress.ok() && progress->at("state") == "running");
  EXPECT_THAT(std::string(progress.status().message()), HasSubstr("x.csv: "));
  EXPECT_EQ(store_.Lists()->size(), 1u) << "a refused import leaves no list";
}

TEST_F(AdminTest, WhoWaitsIsToldOfMistakesAtOnce) {
  Create();
  const JobUnderWay job(shared_.desk, "import");
  const std::string path = scratch_.Put("l.csv", kFiveRows);
  const Json good = {{"path", path}, {"campaign", "DEMO"}, {"wait", true}};
  const auto waiting = Run("import.start", good);
  ASSERT_TRUE(waiting.ok()) << waiting.status();
  EXPECT_EQ((*waiting)["state"], "waiting");
  EXPECT_EQ((*waiting)["what"], "leads.csv");
  Json typo = good;
  typo["campaign"] = "DEMA";
  EXPECT_THAT(Refusal(Code::kNotFound, "import.start", typo), HasSubstr("DEMA"));
  Json unknown = good;
  unknown["template"] = "crm";
  EXPECT_THAT(Refusal(Code::kNotFound, "import.start", unknown), HasSubstr("crm"));
  // The import under way may yet bring what these are about.
  EXPECT_EQ(Run("import.undo.start", {{"import", "9"}, {"wait", true}})->at("state"), "waiting");
  EXPECT_EQ(Run("list.reset.start", {{"list", "new"}, {"wait", true}})->at("state"), "waiting");
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "import.undo.start",
                      {{"import", "leads.csv"}, {"wait", true}}),
              HasSubstr("must be a number"));
}

TEST_F(AdminTest, ImportRefusesWhatMakesNoSense) {
  Create();
  Create("OTHER");
  const std::string path = scratch_.Put("l.csv", kFiveRows);
  EXPECT_THAT(Refusal(Code::kNotFound, "import", {{"path", scratch_ / "no"}, {"campaign", "DEMO"}}),
              HasSubstr("check the path"));
  EXPECT_THAT(Refusal(Code::kNotFound, "import", {{"path", path}, {"campaign", "NONE"}}),
              HasSubstr("there are: DEMO, OTHER"));
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "import",
                      {{"path", path}, {"campaign", "DEMO"}, {"duplicates", "maybe"}}),
              HasSubstr("none, list, campaign or system"));
  EXPECT_THAT(Refusal(Code::kNotFound, "import",
                      {{"path", path}, {"campaign", "DEMO"}, {"rejects", scratch_ / "no/r"}}),
              HasSubstr("no/r: cannot be written"));
  EXPECT_THAT(store_.Lists().value(), IsEmpty()) << "a refused import leaves no list";
  const std::string message =
      Refusal(Code::kInvalidArgument, "import",
              {{"path", scratch_.Put("x.csv", "a,b\n1,2\n")}, {"campaign", "DEMO"}});
  EXPECT_THAT(message, HasSubstr("x.csv: "));
  ASSERT_TRUE(Run("import", {{"path", path}, {"campaign", "DEMO"}, {"list", "205"}}).ok());
  EXPECT_THAT(Refusal(Code::kFailedPrecondition, "import",
                      {{"path", path}, {"campaign", "OTHER"}, {"list", "205"}}),
              HasSubstr("belongs to campaign DEMO"));
  EXPECT_EQ(Lead(1).list, ListId(205));
}

TEST_F(AdminTest, ChangedRulesClearTheHolds) {
  Import();
  campaign::Lead held = Lead(1);
  held.hold_until = absl::InfiniteFuture();
  PutLead(held);
  campaign::Lead resting = Lead(2);
  resting.next_call_time = world_.clock().Wall() + absl::Hours(5);
  PutLead(resting);
  Text("campaign.set", {{"id", "DEMO"}, {"set", {{"daily_call_count_limit", "5"}}}});
  EXPECT_EQ(Lead(1).hold_until, absl::InfinitePast());
  EXPECT_EQ(Lead(2).next_call_time, resting.next_call_time) << "a rest is no hold";
  EXPECT_THAT(told_, ElementsAre("campaign DEMO on", "leads DEMO"));
  // Held when the campaign was paused under it, free when it starts again.
  PutLead(held);
  Text("campaign.pause", {{"id", "DEMO"}});
  EXPECT_EQ(Lead(1).hold_until, absl::InfiniteFuture());
  Text("campaign.start", {{"id", "DEMO"}});
  EXPECT_EQ(Lead(1).hold_until, absl::InfinitePast());
  PutLead(held);
  Text("list.active", {{"list", "101"}, {"active", true}});
  EXPECT_EQ(Lead(1).hold_until, absl::InfinitePast());
}

TEST_F(AdminTest, HoldsOfOtherCampaignsStay) {
  Import();
  Create("OTHER");
  campaign::Lead held = Lead(1);
  held.hold_until = absl::InfiniteFuture();
  PutLead(held);
  Text("campaign.set", {{"id", "OTHER"}, {"set", {{"name", "x"}}}});
  EXPECT_EQ(Lead(1).hold_until, absl::InfiniteFuture());
  Text("campaign.recheck", {{"id", "OTHER"}});
  EXPECT_EQ(Lead(1).hold_until, absl::InfiniteFuture());
  Text("campaign.recheck", Json::object());
  EXPECT_EQ(Lead(1).hold_until, absl::InfinitePast()) << "of all";
}

TEST_F(AdminTest, ListsAreSwitchedOffAndOn) {
  Import();
  Text("list.active", {{"list", "101"}, {"active", false}});
  EXPECT_FALSE(store_.Lists()->at(0).active);
  EXPECT_THAT(told_, ElementsAre("list 101", "leads DEMO"));
  EXPECT_THAT(Text("lead.why", {{"lead", "1"}}), HasSubstr("list_inactive"));
  Refusal(Code::kNotFound, "list.active", {{"list", "999"}, {"active", true}});
  EXPECT_THAT(Refusal(Code::kNotFound, "list.active", {{"list", "none"}}),
              HasSubstr("outpace list show"));
}

TEST_F(AdminTest, LeadsAreFoundByIdAndByNumber) {
  Import();
  const std::string by_id = Text("lead.show", {{"lead", "1"}});
  EXPECT_THAT(by_id, HasSubstr("lead 1  list 101  campaign DEMO"));
  EXPECT_THAT(by_id, HasSubstr("phone_number +13035550101"));
  EXPECT_THAT(by_id, HasSubstr("America/Denver"));
  EXPECT_THAT(by_id, HasSubstr("first_name Ann"));
  EXPECT_EQ(Text("lead.show", {{"lead", "+1 303 555 0101"}}), by_id);
  EXPECT_EQ(Text("lead.show", {{"lead", "(303) 555-0101"}}), by_id);
  Refusal(Code::kNotFound, "lead.show", {{"lead", "77"}});
  Refusal(Code::kNotFound, "lead.show", {{"lead", "+13035559999"}});
  EXPECT_EQ(Text("lead.show", {{"lead", "id:1"}}), by_id);
  EXPECT_THAT(Refusal(Code::kNotFound, "lead.show", {{"lead", "id:3035550101"}}),
              HasSubstr("this id"));
  // Digits that are the id of one lead and the number of another: both.
  campaign::Lead digits = Lead(1);
  digits.id = LeadId(3035550102);
  digits.phone = E164(13035550109);
  PutLead(digits);
  const auto both = Run("lead.show", {{"lead", "3035550102"}});
  ASSERT_TRUE(both.ok());
  EXPECT_THAT((*both)["leads"], SizeIs(2));
  EXPECT_THAT((*both)["text"].get<std::string>(), HasSubstr("id:3035550102 means the lead alone"));
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "lead.show", {{"lead", "303555010199999"}}),
              Not(HasSubstr("303555010199999")))
      << "no number in a message";
}

TEST_F(AdminTest, WhyALeadIsHeld) {
  Import();
  EXPECT_EQ(Text("lead.why", {{"lead", "1"}}), "lead 1 in campaign DEMO: may be dialed now\n");
  // 15:13 in Denver: a window that has closed opens again tomorrow at 08:00 MST, 15:00 UTC.
  Text("campaign.set", {{"id", "DEMO"}, {"set", {{"local_call_time", "08:00-12:00"}}}});
  std::string why = Text("lead.why", {{"lead", "1"}});
  EXPECT_THAT(why, HasSubstr("is held back\n  calling_window: It is Tue 15:13 in America/Denver"));
  EXPECT_THAT(why, HasSubstr("(until 2023-11-15 15:00:00 UTC)"));
  Text("dnc.add", {{"number", "3035550101"}});
  Text("campaign.pause", {{"id", "DEMO"}});
  why = Text("lead.why", {{"lead", "3035550101"}});
  EXPECT_THAT(why, HasSubstr("dnc_system: "));
  EXPECT_THAT(why, ::testing::Not(HasSubstr("never")));
  EXPECT_THAT(why, HasSubstr("campaign_inactive: Campaign DEMO is not active."));
  EXPECT_THAT(why, HasSubstr("calling_window: ")) << "all reasons, not the first";
}

TEST_F(AdminTest, WhyCountsTheTriesOfToday) {
  Import();
  campaign::StoreBatch batch;
  for (uint64_t i = 1; i <= 4; ++i) {
    campaign::Attempt attempt;
    attempt.id = AttemptId(i);
    attempt.lead = LeadId(1);
    attempt.campaign = "DEMO";
    attempt.open = false;
    attempt.sent = i != 4;  // the fourth never left
    attempt.dialed_at = world_.clock().Wall() - absl::Minutes(30);
    batch.attempts.push_back(attempt);
  }
  ASSERT_TRUE(store_.Commit(batch).ok());
  EXPECT_THAT(Text("lead.why", {{"lead", "1"}}),
              HasSubstr("daily_limit: The lead has been tried 3 times today; the limit is 3."));
  EXPECT_THAT(Text("lead.why", {{"lead", "2"}}), HasSubstr("may be dialed now"));
}

TEST_F(AdminTest, DncIsAddedCheckedAndRemoved) {
  Create();
  EXPECT_EQ(Text("dnc.check", {{"number", "3035550101"}}), "not listed\n");
  EXPECT_THAT(Refusal(Code::kNotFound, "dnc.add", {{"number", "3035550101"}, {"campaign", "DMEO"}}),
              HasSubstr("there are: DEMO"))
      << "a misspelt campaign must not be a silent nothing";
  Text("dnc.add", {{"number", "+1 (303) 555-0101"}});
  Text("dnc.add", {{"number", "3035550102"}, {"campaign", "DEMO"}});
  EXPECT_EQ(Text("dnc.check", {{"number", "3035550101"}}),
            "on the system-wide do-not-call list\n"
            "  scope system, source command line, by command line, since 2023-11-14 22:13 UTC, for "
            "good\n");
  EXPECT_THAT(Text("dnc.check", {{"number", "3035550102"}}), HasSubstr("scope campaign:DEMO"));
  EXPECT_THAT(Text("dnc.check", {{"number", "3035550102"}, {"campaign", "DEMO"}}),
              HasSubstr("on the campaign's do-not-call list\n"));
  Create("OTHER");
  EXPECT_EQ(Text("dnc.check", {{"number", "3035550102"}, {"campaign", "OTHER"}}), "not listed\n");
  ASSERT_THAT(fakes::DncEntriesIn(store_), SizeIs(2));
  EXPECT_EQ(fakes::DncEntriesIn(store_).at(0).source, "command line");
  EXPECT_EQ(fakes::DncEntriesIn(store_).at(0).added, world_.clock().Wall());
  Text("dnc.remove", {{"number", "3035550101"}});
  EXPECT_EQ(Text("dnc.check", {{"number", "3035550101"}}), "not listed\n");
  EXPECT_THAT(LoadDncSet(store_)->size(), 1u);
  for (const char* operation : {"dnc.add", "dnc.remove", "dnc.check"}) {
    EXPECT_THAT(Refusal(Code::kInvalidArgument, operation, {{"number", "30355"}}),
                Not(HasSubstr("30355")));
  }
}

TEST_F(AdminTest, DncImportTakesWhatSpreadsheetsWrite) {
  Create();
  const std::string path = scratch_.Put("dnc.csv",
                                        "\xEF\xBB\xBF\"3035550101\",Ann\r\n"
                                        "+13035550102;since May\r\n"
                                        "phone\n"
                                        "\n"
                                        "3035550103\t\n"
                                        "12345\n"
                                        "\"303-555-0104\"\n"
                                        "3035550101\n");
  const auto answer = Run("dnc.import", {{"path", path}});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ((*answer)["added"], 5);
  EXPECT_THAT((*answer)["text"].get<std::string>(), HasSubstr("line 3: "));  // a heading is first
  EXPECT_THAT((*answer)["text"].get<std::string>(), HasSubstr("line 6: "));
  EXPECT_THAT((*answer)["text"].get<std::string>(), Not(HasSubstr("12345")));
  EXPECT_THAT(fakes::DncEntriesIn(store_), SizeIs(4));
  for (const char* number : {"3035550101", "3035550102", "3035550103", "3035550104"}) {
    EXPECT_THAT(Text("dnc.check", {{"number", number}}), HasSubstr("system-wide")) << number;
  }
  Refusal(Code::kNotFound, "dnc.import", {{"path", scratch_ / "none"}});
  const std::string heading = scratch_.Put("h.csv", "phone1\n3035550109\n");
  EXPECT_EQ((*Run("dnc.import", {{"path", heading}, {"campaign", "DEMO"}}))["added"], 1);
}

// Who was to be blocked and is not must be told: nothing but one heading is passed over.
TEST_F(AdminTest, DncImportPassesOverNothingButOneHeading) {
  Create();
  const auto import = [&](absl::string_view text) {
    return *Run("dnc.import", {{"path", scratch_.Put("dnc.csv", text)}});
  };
  // Line ends of old Macintoshes, a heading, full-width digits.
  Json answer = import("\xEF\xBB\xBF\r电话\r3035550101\r３０３５５５０１０２\r\r\n3035550103");
  EXPECT_EQ(answer["added"], 3);
  EXPECT_EQ(answer["incomplete"], false);
  for (const char* number : {"3035550101", "3035550102", "3035550103"}) {
    EXPECT_THAT(Text("dnc.check", {{"number", number}}), HasSubstr("system-wide")) << number;
  }
  answer = import("phone,name\nunknown,Ann\n3035550104\nwithheld\n\n,3035550105\n,,\n");
  EXPECT_EQ(answer["added"], 1);
  EXPECT_EQ(answer["incomplete"], true);
  const std::string text = answer["text"];
  EXPECT_THAT(text, HasSubstr("3 lines not understood"));
  for (const char* line : {"line 2: ", "line 4: ", "line 6: "}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("0105")));
  // A first line with digits that are no number is none.
  EXPECT_EQ(import("１２３\n3035550104\n")["incomplete"], true);
}

// With an engine running, numbers go through it, so that they count for calls under way.
TEST_F(AdminTest, DncGoesThroughTheEngineWhenOneRuns) {
  std::vector<campaign::DncEntry> added, removed;
  absl::Status result;
  AdminHooks hooks;
  hooks.add_dnc = [&](std::vector<campaign::DncEntry> entries) {
    added.insert(added.end(), entries.begin(), entries.end());
    return result;
  };
  hooks.remove_dnc = [&](campaign::DncEntry entry) {
    removed.push_back(entry);
    return result;
  };
  Admin admin(store_, world_.clock(), hooks);
  EXPECT_TRUE(admin.Run("dnc.add", {{"number", "3035550101"}}).ok());
  EXPECT_TRUE(admin.Run("dnc.remove", {{"number", "3035550101"}}).ok());
  EXPECT_TRUE(
      admin.Run("dnc.import", {{"path", scratch_.Put("d", "3035550102\n3035550103\n")}}).ok());
  EXPECT_THAT(added, SizeIs(3));
  EXPECT_THAT(removed, SizeIs(1));
  EXPECT_THAT(fakes::DncEntriesIn(store_), IsEmpty()) << "the engine writes it";
  result = absl::UnavailableError("the disk is full");
  EXPECT_FALSE(admin.Run("dnc.add", {{"number", "3035550101"}}).ok());
  EXPECT_FALSE(admin.Run("dnc.remove", {{"number", "3035550101"}}).ok());
  EXPECT_FALSE(admin.Run("dnc.import", {{"path", scratch_ / "d"}}).ok());
}

TEST_F(AdminTest, AgentsPasswordsAreNeverInTheClear) {
  Text("agent.add", {{"user", "ann"},
                     {"password", "open sesame"},
                     {"name", "Ann Lee"},
                     {"phone", "sip:ann@127.0.0.1:5070"}});
  ASSERT_THAT(store_.Agents().value(), SizeIs(1));
  const campaign::AgentRecord agent = store_.Agents()->at(0);
  EXPECT_THAT(agent.password_hash, Not(HasSubstr("open sesame")));
  EXPECT_TRUE(CheckPassword("open sesame", agent.password_hash));
  EXPECT_THAT(told_, ElementsAre("agent ann"));
  const std::string listed = Text("agent.list");
  EXPECT_THAT(listed, HasSubstr("sip:ann@127.0.0.1:5070"));
  EXPECT_THAT(listed, HasSubstr("Ann Lee"));
  EXPECT_THAT(listed, Not(HasSubstr("scrypt")));
  for (const char* bad : {"a b", "a/b", "x\n", "a23456789012345678901", "änn"}) {
    EXPECT_THAT(Refusal(Code::kInvalidArgument, "agent.add", {{"user", bad}, {"password", "p"}}),
                HasSubstr("1 to 20"))
        << bad;
  }
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "agent.add", {{"user", "bob"}}),
              HasSubstr("password: is missing"));
}

TEST_F(AdminTest, TheEventLogIsOfAllCampaigns) {
  Import();
  campaign::Attempt attempt;
  attempt.id = AttemptId(1);
  attempt.lead = LeadId(1);
  attempt.campaign = "DEMO";
  attempt.dialed = Lead(1).phone;
  attempt.open = false;
  attempt.outcome = "busy";
  attempt.status = "AB";
  attempt.dialed_at = world_.clock().Wall() - absl::Hours(1);
  attempt.ended_at = attempt.dialed_at + absl::Seconds(5);
  campaign::StoreBatch batch;
  batch.attempts.push_back(attempt);
  ASSERT_TRUE(store_.Commit(batch).ok());
  const std::string path = scratch_ / "events.jsonl";
  const auto answer = Run("export.events", {{"path", path}, {"day", "today"}});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ((*answer)["attempts"], 1);
  EXPECT_THAT(Scratch::Bytes(path), HasSubstr("\"busy\""));
  EXPECT_THAT(
      Refusal(Code::kInvalidArgument, "export.events", {{"path", path}, {"campaign", "DEMO"}}),
      HasSubstr("all campaigns"));
}

TEST_F(AdminTest, ExportIsWholeOrNotThere) {
  Import();
  campaign::Attempt attempt;
  attempt.id = AttemptId(1);
  attempt.lead = LeadId(1);
  attempt.list = ListId(101);
  attempt.campaign = "DEMO";
  attempt.dialed = Lead(1).phone;
  attempt.open = false;
  attempt.outcome = "busy";
  attempt.status = "AB";
  attempt.dialed_at = world_.clock().Wall() - absl::Hours(1);
  attempt.ended_at = attempt.dialed_at + absl::Seconds(5);
  campaign::StoreBatch batch;
  batch.attempts.push_back(attempt);
  ASSERT_TRUE(store_.Commit(batch).ok());
  const std::string path = scratch_ / "calls.csv";
  const auto answer = Run("export.calls", {{"path", path}});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ((*answer)["rows"], 1);
  EXPECT_THAT(Scratch::Bytes(path), HasSubstr("3035550101"));
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
  EXPECT_EQ((*Run("export.calls", {{"path", path}, {"day", "yesterday"}}))["rows"], 0);
  EXPECT_EQ((*Run("export.calls", {{"path", path}, {"day", "2023-11-14"}}))["rows"], 1);
  // In Kiritimati (UTC+14) that call was on the 15th.
  EXPECT_EQ((*Run("export.calls",
                  {{"path", path}, {"day", "2023-11-15"}, {"zone", "Pacific/Kiritimati"}}))["rows"],
            1);
  EXPECT_THAT(Refusal(Code::kNotFound, "export.calls", {{"path", path}, {"campaign", "OTHER"}}),
              HasSubstr("no campaign is named 'OTHER'"));
  Create("OTHER");
  EXPECT_EQ((*Run("export.calls", {{"path", path},
                                   {"from", "2023-11-01"},
                                   {"to", "2023-11-30"},
                                   {"campaign", "OTHER"}}))["rows"],
            0);
  const std::string before = Scratch::Bytes(path);
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "export.calls", {{"path", path}, {"day", "soon"}}),
              HasSubstr("write 2026-11-21, today or yesterday"));
  Refusal(Code::kInvalidArgument, "export.calls", {{"path", path}, {"zone", "Mars/Base"}});
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "export.calls",
                      {{"path", path}, {"from", "2023-11-02"}, {"to", "2023-11-01"}}),
              HasSubstr("'to' lies before 'from'"));
  Refusal(Code::kNotFound, "export.calls", {{"path", scratch_ / "no/calls.csv"}});
  EXPECT_EQ(Scratch::Bytes(path), before) << "a refused export leaves the last one";
}

TEST_F(AdminTest, SummaryFoldsTheSameAttempts) {
  Import();
  campaign::StoreBatch batch;
  for (uint64_t i = 1; i <= 4; ++i) {
    campaign::Attempt attempt;
    attempt.id = AttemptId(i);
    attempt.lead = LeadId(1);
    attempt.campaign = "DEMO";
    attempt.open = false;
    attempt.dialed_at = world_.clock().Wall() - absl::Minutes(10);
    attempt.ended_at = attempt.dialed_at + absl::Seconds(40);
    attempt.outcome = i == 1 ? "no_answer" : "answered";
    attempt.status = i == 1 ? "NA" : i == 2 ? "DROP" : "SALE";
    if (i > 1) attempt.answered_at = attempt.dialed_at + absl::Seconds(10);
    attempt.abandoned = i == 2;
    if (i > 2) attempt.connected_at = attempt.answered_at;
    batch.attempts.push_back(attempt);
  }
  ASSERT_TRUE(store_.Commit(batch).ok());
  const auto answer = Run("summary", {{"campaign", "DEMO"}});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ((*answer)["attempts"], 4);
  EXPECT_EQ((*answer)["answered"], 3);
  EXPECT_EQ((*answer)["connected"], 2);
  EXPECT_EQ((*answer)["abandoned"], 1);
  EXPECT_NEAR((*answer)["abandon_ratio"].get<double>(), 1.0 / 3, 1e-9);
  EXPECT_THAT((*answer)["text"].get<std::string>(), HasSubstr("talk time 1m"));
}

TEST_F(AdminTest, AStoreThatFailsIsToldAndNothingIsAnnounced) {
  Import();
  store_.FailCommitAt(1);
  Refusal(Code::kUnavailable, "campaign.set", {{"id", "DEMO"}, {"set", {{"name", "x"}}}});
  Refusal(Code::kUnavailable, "campaign.pause", {{"id", "DEMO"}});
  Refusal(Code::kUnavailable, "agent.add", {{"user", "a"}, {"password", "p"}});
  Refusal(Code::kUnavailable, "dnc.add", {{"number", "3035550101"}});
  Refusal(Code::kUnavailable, "list.active", {{"list", "101"}});
  EXPECT_THAT(told_, IsEmpty());
}

}  // namespace
}  // namespace outpace::runtime
