// Statuses as a manager handles them: shown, changed, checked, copied, out to a file and back.

#include "campaign/load/encoding.h"
#include "campaign/status_check.h"
#include "engine/runtime/files.h"
#include "tests/engine/runtime/admin_fixture.h"
#include "tests/engine/runtime/fake_audit.h"

namespace outpace::runtime {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class AdminStatusesTest : public AdminFixture {
 protected:
  void SetUp() override {
    for (const char* id : {"DEMO", "OTHER"}) {
      ASSERT_TRUE(admin_.Run("campaign.create", {{"id", id}}).ok());
    }
    told_.clear();
  }
  absl::StatusOr<Json> Do(const std::string& operation, Json arguments) {
    return admin_.Run(operation, arguments);
  }
  std::string Done(const std::string& operation, Json arguments) {
    const auto answer = Do(operation, std::move(arguments));
    EXPECT_TRUE(answer.ok()) << operation << ": " << answer.status();
    return answer.ok() ? answer->value("text", "") : "";
  }
  std::string Refused(const std::string& operation, Json arguments) {
    const auto answer = Do(operation, std::move(arguments));
    EXPECT_FALSE(answer.ok()) << operation;
    return std::string(answer.status().message());
  }
  campaign::StatusSet Statuses(const std::string& id) {
    const auto campaigns = store_.Campaigns();
    for (const campaign::CampaignSettings& settings : *campaigns) {
      if (settings.id == id) return settings.statuses;
    }
    ADD_FAILURE() << id;
    return {};
  }
  void SetHot() {
    Done("status.set", {{"campaign", "DEMO"},
                        {"status", "HOT"},
                        {"set",
                         {{"name", "Hot lead"},
                          {"name_zh", "高意向"},
                          {"hotkey", "h"},
                          {"flags", "selectable, human_answered,customer_contact"},
                          {"delay", "7200"},
                          {"tries", "2"},
                          {"tier", "A"}}}});
  }
};

TEST_F(AdminStatusesTest, AStatusIsAddedAndInForceAtOnce) {
  SetHot();
  const campaign::Disposition* hot = Statuses("DEMO").Find("HOT");
  ASSERT_NE(hot, nullptr);
  EXPECT_EQ(hot->name_zh, "高意向");
  EXPECT_TRUE(hot->customer_contact);
  EXPECT_EQ(hot->next.tries, 2);
  EXPECT_EQ(Statuses("OTHER").Find("HOT"), nullptr);
  EXPECT_THAT(told_, Contains("campaign DEMO off"));
  EXPECT_THAT(told_, Contains("leads DEMO"));
  EXPECT_THAT(Done("status.list", {{"campaign", "DEMO"}}),
              AllOf(HasSubstr("HOT     h   *   Hot lead"), HasSubstr("2 tries after 2 h, tier A")));
  EXPECT_THAT(Done("status.list", Json::object()), Not(HasSubstr("HOT")));
}

TEST_F(AdminStatusesTest, OneCellIsChangedAndTheRestStays) {
  Done("status.set", {{"campaign", "DEMO"}, {"status", "NA"}, {"set", {{"then", "MAXCAL"}}}});
  campaign::Disposition expected = *campaign::FindDisposition("NA");
  expected.next.then = "MAXCAL";
  EXPECT_EQ(*Statuses("DEMO").Find("NA"), expected);
  Done("status.remove", {{"campaign", "DEMO"}, {"status", "NA"}});
  EXPECT_EQ(*Statuses("DEMO").Find("NA"), *campaign::FindDisposition("NA"));
  EXPECT_THAT(Refused("status.remove", {{"campaign", "DEMO"}, {"status", "NA"}}),
              HasSubstr("selectable=N"));
}

TEST_F(AdminStatusesTest, ATableThatMustNotBeChangesNothing) {
  const std::string why = Refused(
      "status.set",
      {{"campaign", "DEMO"},
       {"status", "HOT"},
       {"set",
        {{"name", "Hot"}, {"selectable", "Y"}, {"hotkey", "1"}, {"final", "Y"}, {"tries", "2"}}}});
  EXPECT_THAT(why, AllOf(HasSubstr("nothing was changed"), HasSubstr("hotkey 1 is that of SALE"),
                         HasSubstr("HOT: it is final and has tries")));
  EXPECT_EQ(Statuses("DEMO"), campaign::StatusSet::System());
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_THAT(Refused("status.set",
                      {{"campaign", "DEMO"}, {"status", "HOT"}, {"set", {{"flags", "nice"}}}}),
              HasSubstr("human_answered"));
  EXPECT_THAT(
      Refused("status.set", {{"campaign", "NONE"}, {"status", "NA"}, {"set", {{"tries", "2"}}}}),
      HasSubstr("no campaign"));
  EXPECT_THAT(Refused("status.set", {{"campaign", "DEMO"}, {"status", "NA"}}),
              HasSubstr("COLUMN=VALUE"));
}

TEST_F(AdminStatusesTest, OtherSettingsCannotContradictTheTable) {
  Done("status.set", {{"campaign", "DEMO"}, {"status", "NI"}, {"set", {{"final", "Y"}}}});
  EXPECT_THAT(Refused("campaign.set", {{"id", "DEMO"}, {"set", {{"lead_recycle", "NI:604800:1"}}}}),
              HasSubstr("lead_recycle brings it back"));
  Done("campaign.set", {{"id", "DEMO"}, {"set", {{"lead_recycle", "NA:7200:1"}}}});
  EXPECT_THAT(Done("status.list", {{"campaign", "DEMO"}}),
              HasSubstr("1 try after 2 h (lead_recycle)"));
}

TEST_F(AdminStatusesTest, OutToAFileAndBack) {
  SetHot();
  Done("status.set",
       {{"campaign", "DEMO"}, {"status", "NA"}, {"set", {{"name", "=No \"answer\", auto"}}}});
  const std::string path = scratch_ / "statuses.csv";
  EXPECT_THAT(Done("status.export", {{"campaign", "DEMO"}, {"path", path}}), HasSubstr("statuses"));
  EXPECT_THAT(ReadFile(path).value(), HasSubstr("\"'=No \"\"answer\"\", auto\"")) << "no formula";
  EXPECT_THAT(Done("status.import", {{"campaign", "OTHER"}, {"path", path}, {"dry_run", true}}),
              HasSubstr("nothing was changed"));
  EXPECT_EQ(Statuses("OTHER"), campaign::StatusSet::System());
  Done("status.import", {{"campaign", "OTHER"}, {"path", path}});
  EXPECT_EQ(Statuses("OTHER").Find("NA")->name, "=No \"answer\", auto");
  EXPECT_EQ(*Statuses("OTHER").Find("HOT"), *Statuses("DEMO").Find("HOT"));
  EXPECT_EQ(Statuses("OTHER").own().size(), 2u) << "what is as everywhere is not one's own";
}

TEST_F(AdminStatusesTest, AFileInChineseEncodingWithFewColumns) {
  SetHot();
  auto encoder = load::TextEncoder::Make("gb18030");
  ASSERT_TRUE(encoder.ok());
  std::string bytes;
  (*encoder)->Append(
      "status;name;name_zh;selectable;human_answered\r\n"
      "HOT;Hot lead;高意向客户，下周再联系一次;Y;Y\r\n"
      "WARM;Warm lead;中意向客户，下个月再联系;Y;Y\r\n",
      bytes);
  Done("status.import", {{"campaign", "DEMO"}, {"path", scratch_.Put("zh.csv", bytes)}});
  EXPECT_EQ(Statuses("DEMO").Find("HOT")->name_zh, "高意向客户，下周再联系一次");
  EXPECT_EQ(Statuses("DEMO").Find("HOT")->next.tries, 2) << "a missing column changes nothing";
  EXPECT_EQ(Statuses("DEMO").Find("WARM")->name, "Warm lead");
  // Only what the file says.
  Done("status.import",
       {{"campaign", "DEMO"},
        {"replace", true},
        {"path", scratch_.Put("one.csv", "status,name,selectable\nCOLD,Cold,Y\n")}});
  EXPECT_EQ(Statuses("DEMO").own().size(), 1u);
}

TEST_F(AdminStatusesTest, FaultsOfAFileAreToldAtOnceWithTheirLines) {
  const std::string path = scratch_.Put("bad.csv",
                                        "status,name,tries,delay\n"
                                        "HOT,Hot,99,600\n"
                                        "COLD,Cold,1,5\n"
                                        "TOOLONG,x,1,600\n"
                                        ",x,1,600\n");
  EXPECT_THAT(Refused("status.import", {{"campaign", "DEMO"}, {"path", path}}),
              AllOf(HasSubstr("line 2: tries"), HasSubstr("line 3: delay"),
                    HasSubstr("line 4: status"), HasSubstr("line 5: status")));
  EXPECT_THAT(
      Refused("status.import", {{"campaign", "DEMO"},
                                {"path", scratch_.Put("head.csv", "status,colour\nHOT,red\n")}}),
      HasSubstr("\"colour\" is no column"));
  EXPECT_THAT(Refused("status.import",
                      {{"campaign", "DEMO"}, {"path", scratch_.Put("no.csv", "name\nHot\n")}}),
              HasSubstr("no column \"status\""));
  EXPECT_EQ(Statuses("DEMO"), campaign::StatusSet::System());
}

TEST_F(AdminStatusesTest, CopiesFromCampaignToCampaign) {
  SetHot();
  Done("status.copy", {{"from", "DEMO"}, {"to", "OTHER"}});
  EXPECT_EQ(Statuses("OTHER").own(), Statuses("DEMO").own());
}

TEST_F(AdminStatusesTest, ChecksOnDemand) {
  EXPECT_EQ(Done("status.check", {{"campaign", "DEMO"}}), "the statuses are sound\n");
  EXPECT_EQ(Done("status.check", Json::object()), "the statuses are sound\n");
}

TEST_F(AdminStatusesTest, ChangesAreInTheEvidenceLogRowByRow) {
  FakeAudit audit;
  AdminHooks hooks;
  hooks.audit = &audit;
  Admin noted(store_, world_.clock(), hooks);
  ASSERT_TRUE(noted
                  .Run("status.set",
                       {{"campaign", "DEMO"}, {"status", "NA"}, {"set", {{"then", "MAXCAL"}}}})
                  .ok());
  const audit::Event event = audit.Last("status.changed");
  std::string changes;
  for (const audit::Field& field : event.about) {
    if (field.name == "changes") changes = std::get<std::string>(field.value);
  }
  EXPECT_THAT(changes, AllOf(HasSubstr("status NA: "), HasSubstr("then=MAXCAL")));
}

}  // namespace
}  // namespace outpace::runtime
