// Imports as Admin runs them: what is left behind when nothing was to be stored, and what the file
// of rejected rows may be relied on for.

#include <unistd.h>

#include "gmock/gmock.h"
#include "tests/engine/runtime/admin_fixture.h"

namespace outpace::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Code = absl::StatusCode;

class AdminImports : public AdminFixture {
 protected:
  // Arguments of an import into a list that does not exist.
  Json NewList(const std::string& path, Json more = Json::object()) {
    Json arguments = {{"path", path}, {"campaign", "DEMO"}, {"list", "spring"}};
    arguments.update(more);
    return arguments;
  }
};

TEST_F(AdminImports, AnImportThatStoresNothingLeavesNoList) {
  Create();
  told_.clear();
  const std::string good = scratch_.Put("l.csv", kFiveRows);
  Refusal(Code::kInvalidArgument, "import", NewList(scratch_.Put("x.csv", "a,b\n1,2\n")));
  Refusal(Code::kInvalidArgument, "import", NewList(good, {{"filter", "no such field = 1"}}));
  const std::string bare = scratch_.Put("bare.csv", "3035550101,Ann\n3035550102,Bob\n");
  const auto held = Run("import", NewList(bare, {{"hold", true}}));
  ASSERT_TRUE(held.ok()) << held.status();
  EXPECT_TRUE(held->at("held").get<bool>());
  ASSERT_TRUE(Run("import", NewList(good, {{"dry_run", true}})).ok());
  EXPECT_THAT(store_.Lists().value(), IsEmpty());
  EXPECT_THAT(told_, IsEmpty());
  ASSERT_TRUE(Run("import", NewList(good)).ok());
  EXPECT_EQ(store_.Lists()->at(0).leads, 3);
  EXPECT_THAT(told_, ElementsAre("list 101", "leads DEMO"));
}

// The rows of the file are in the store or in the reject file: with neither nothing is stored.
TEST_F(AdminImports, NothingIsStoredWhenTheRejectFileCannotBe) {
  Create();
  const std::string rejects = scratch_ / "r.csv";
  ASSERT_EQ(::symlink("/dev/full", (rejects + ".part").c_str()), 0);
  const Json order = NewList(scratch_.Put("l.csv", kFiveRows), {{"rejects", rejects}});
  EXPECT_THAT(Refusal(Code::kResourceExhausted, "import", order), HasSubstr("nothing was stored"));
  EXPECT_THAT(store_.Lists().value(), IsEmpty());
  EXPECT_THAT(store_.Imports().value(), IsEmpty());
  ASSERT_TRUE(Run("import", order).ok()) << "what was in the way is gone, and so it runs";
  EXPECT_THAT(Scratch::Bytes(rejects), HasSubstr("DUPLICATE_FILE"));
}

TEST_F(AdminImports, AFileThatIsLoadedAlreadyHasNoRejectFile) {
  Import();
  const auto again = Run("import", {{"path", scratch_ / "l.csv"},
                                    {"campaign", "DEMO"},
                                    {"list", "default"},
                                    {"rejects", scratch_ / "r.csv"}});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->at("already_imported").get<bool>());
  EXPECT_EQ(again->at("rejects_file"), "");
  EXPECT_EQ(scratch_.Files(), 1u);
}

TEST_F(AdminImports, ANewListHasANameThatAListMayHave) {
  Create();
  const std::string path = scratch_.Put("l.csv", kFiveRows);
  for (const std::string& name : {std::string(121, 'n'), std::string("two\nlines")}) {
    EXPECT_THAT(Refusal(Code::kInvalidArgument, "import", NewList(path, {{"list", name}})),
                HasSubstr("one line of 120 bytes"));
  }
  EXPECT_THAT(store_.Lists().value(), IsEmpty());
}

// The clock stands at 22:13 UTC; in Shanghai it is the next day.
TEST_F(AdminImports, TodayOfAFilterIsTheCampaigns) {
  Create();
  ASSERT_TRUE(
      Run("campaign.set", {{"id", "DEMO"}, {"set", {{"report_zone", "Asia/Shanghai"}}}}).ok());
  const std::string path =
      scratch_.Put("l.csv", "phone,renewal\n3035550101,2023-11-14\n3035550102,2023-11-15\n");
  const auto answer =
      Run("import",
          NewList(path, {{"map", {{"renewal", "renewal:date"}}}, {"filter", "renewal = today"}}));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->at("accepted"), 1);
  EXPECT_EQ(Lead(1).phone, E164(13035550102));
}

TEST_F(AdminImports, ASpreadsheetIsReadWhateverEncodingWasNamed) {
  Create();
  const auto answer =
      Run("import", NewList(OUTPACE_TEST_DATA "/xlsx/leads-openpyxl.xlsx",
                            {{"country", "CN"}, {"encoding", "gb18030"}, {"again", true}}));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->at("encoding"), "utf-8");
  EXPECT_EQ(answer->at("accepted"), 3);
}

}  // namespace
}  // namespace outpace::runtime
