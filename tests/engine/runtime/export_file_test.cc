// Exports as files: which format and layout, the side-car beside them, refusals.

#include "engine/runtime/export_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_split.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/sim/sim_world.h"
#include "tests/engine/runtime/scratch.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::ordered_json;
using Code = absl::StatusCode;

class ExportFile : public ::testing::Test {
 protected:
  ExportFile() : world_(1, absl::FromUnixSeconds(1'700'000'000)) {}
  void SetUp() override {
    campaign::Attempt call;
    call.id = AttemptId(1);
    call.campaign = "DEMO";
    call.dialed = E164(12025550100);
    call.status = "DROP";
    call.abandoned = true;
    call.open = false;
    call.dialed_at = world_.clock().Wall();
    campaign::StoreBatch batch;
    batch.attempts = {call};
    ASSERT_TRUE(store_.Commit(batch).ok());
  }
  absl::StatusOr<ExportWritten> Run(const std::string& what, const std::string& path,
                                    const Json& arguments = Json::object()) {
    const auto order = ReadExportOrder(what, arguments, path, store_, world_.clock());
    if (!order.ok()) return order.status();
    return WriteExport(store_, *order, path);
  }
  int64_t Rows(const std::string& what, const std::string& path,
               const Json& arguments = Json::object()) {
    const auto written = Run(what, path, arguments);
    EXPECT_TRUE(written.ok()) << written.status();
    return written.ok() ? written->rows : -1;
  }
  std::string Refusal(const std::string& what, const std::string& path,
                      const Json& arguments = Json::object()) {
    const absl::Status status = Run(what, path, arguments).status();
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << status;
    return std::string(status.message());
  }
  // Of the side-car of `path`.
  Json SideCar(const std::string& path) {
    return Json::parse(Scratch::Bytes(path + ".columns.json"));
  }
  std::string Member(const Json& json, const char* name) {
    return json.at(name).get<std::string>();
  }
  const Scratch scratch_;
  sim::SimWorld world_;
  store::MemoryLeadStore store_;
};

TEST_F(ExportFile, TheNameOfTheFileChoosesTheFormat) {
  for (const auto& [name, format, packed] :
       {std::tuple("calls.csv", "csv", false), std::tuple("calls", "csv", false),
        std::tuple("calls.jsonl", "jsonl", false), std::tuple("calls.csv.zst", "csv", true),
        std::tuple("calls.ndjson.zst", "jsonl", true), std::tuple("calls.xlsx", "xlsx", false)}) {
    const std::string path = scratch_ / name;
    EXPECT_EQ(Rows("calls", path), 1);
    const Json json = SideCar(path);
    EXPECT_EQ(Member(json, "format"), format) << name;
    EXPECT_EQ(json.contains("compressed"), packed);
    const std::string bytes = Scratch::Bytes(path);
    const absl::string_view begins = packed ? "\x28\xb5\x2f\xfd" : "";
    EXPECT_THAT(bytes, StartsWith(std::string(begins)));
    EXPECT_FALSE(std::filesystem::exists(path + ".part"));
    const auto mode = std::filesystem::status(path).permissions();
    EXPECT_EQ(mode & std::filesystem::perms::others_all, std::filesystem::perms::none) << name;
    EXPECT_EQ(Rows("calls", path), 1);
    EXPECT_TRUE(Scratch::Bytes(path) == bytes) << "the same range, the same bytes: " << name;
  }
  const std::string path = scratch_ / "all.txt";
  EXPECT_EQ(Rows("calls", path, {{"format", "jsonl"}, {"zstd", true}}), 1);
  EXPECT_EQ(Member(SideCar(path), "format"), "jsonl");
  Refusal("calls", path, {{"format", "pdf"}});
  Refusal("calls", scratch_ / "x.xlsx.zst");
}

TEST_F(ExportFile, LayoutsAndAbandonedCallsAndAgents) {
  const std::string path = scratch_ / "calls.txt";
  EXPECT_EQ(Rows("calls", path, {{"layout", "vicidial"}}), 1);
  EXPECT_THAT(Scratch::Bytes(path), StartsWith("call_date\tphone_number_dialed\tstatus\t"));
  EXPECT_EQ(Member(SideCar(path), "layout"), "vicidial");
  EXPECT_THAT(Refusal("calls", path, {{"layout", "x"}}), HasSubstr("vicidial-extended"));
  EXPECT_EQ(Rows("abandons", path), 1);
  EXPECT_EQ(Member(SideCar(path), "layout"), "abandons");
  Refusal("abandons", path, {{"layout", "five9"}});
  EXPECT_EQ(Rows("agents", path), 0);
  EXPECT_THAT(Scratch::Bytes(path), StartsWith("user,full_name,user_group,calls,login_time"));
  EXPECT_EQ(Member(SideCar(path), "export"), "agents");
  Refusal("agents", scratch_ / "agents.xlsx");
}

TEST_F(ExportFile, AListHasASideCarToo) {
  const std::string path = scratch_ / "list.txt";
  EXPECT_EQ(Rows("leads", path), 0);
  const Json json = SideCar(path);
  EXPECT_EQ(Member(json, "export"), "leads");
  const std::string bytes = Scratch::Bytes(path);
  const std::vector<std::string> header = absl::StrSplit(bytes.substr(0, bytes.find('\n')), '\t');
  ASSERT_EQ(json["columns"].size(), header.size());
  for (size_t i = 0; i < header.size(); ++i) {
    EXPECT_EQ(Member(json["columns"][i], "header"), header[i]);
    EXPECT_FALSE(Member(json["columns"][i], "definition").empty());
  }
}

// Nothing is left behind by an export that cannot be written.
TEST_F(ExportFile, NoFileWhereTheFolderIsNot) {
  for (const char* name : {"no/calls.csv", "no/calls.xlsx"}) {
    EXPECT_FALSE(Run("calls", scratch_ / name).ok());
  }
  EXPECT_EQ(scratch_.Files(), 0u);
}

}  // namespace
}  // namespace outpace::runtime
