// What `outpace recording` asks of the store: finding by whatever is known, and erasures that leave
// their trace.

#include <nlohmann/json.hpp>

#include "campaign/store/memory_lead_store.h"
#include "engine/runtime/admin.h"
#include "engine/sim/sim_world.h"
#include "gmock/gmock.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Code = absl::StatusCode;
using Json = nlohmann::ordered_json;

class AdminRecordingsTest : public ::testing::Test {
 protected:
  AdminRecordingsTest()
      : world_(1, absl::FromUnixSeconds(1'700'000'000)), admin_(store_, world_.clock(), {}) {
    campaign::StoreBatch batch;
    for (uint64_t i = 1; i <= 6; ++i) {
      campaign::Recording r;
      r.attempt = AttemptId(i);
      r.lead = LeadId(i % 2 + 1);
      r.campaign = i <= 3 ? "DEMO" : "OTHER";
      r.agent = i % 3 == 0 ? "anna" : "bob";
      r.number = E164(14'155'550'100 + i % 2);
      r.started = world_.clock().Wall() - absl::Hours(24 * static_cast<int64_t>(i));
      r.length = absl::Seconds(90);
      r.file = "day/14155550101_" + std::to_string(i) + ".wav";
      r.sha256 = "ab";
      batch.recordings.push_back(r);
    }
    EXPECT_TRUE(store_.Commit(batch).ok());
  }
  std::vector<uint64_t> Found(const Json& query) {
    const auto answer = admin_.Run("recording.list", query);
    EXPECT_TRUE(answer.ok()) << answer.status();
    std::vector<uint64_t> found;
    for (const Json& r : answer->at("recordings")) found.push_back(r.at("attempt"));
    return found;
  }
  Code CodeOf(const char* operation, const Json& arguments) {
    return admin_.Run(operation, arguments).status().code();
  }

  sim::SimWorld world_;
  store::MemoryLeadStore store_;
  Admin admin_;
};

using Ids = std::vector<uint64_t>;

TEST_F(AdminRecordingsTest, FindsByWhateverIsKnown) {
  EXPECT_EQ(Found(Json::object()), (Ids{6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(Found({{"attempt", "4"}}), (Ids{4}));
  EXPECT_EQ(Found({{"attempt", 4u}}), (Ids{4}));
  EXPECT_EQ(Found({{"lead", "2"}}), (Ids{5, 3, 1}));
  EXPECT_EQ(Found({{"number", "+1 415 555-0101"}}), (Ids{5, 3, 1}));
  EXPECT_EQ(Found({{"number", "4155550101"}, {"campaign", "DEMO"}}), (Ids{3, 1}));
  EXPECT_EQ(Found({{"agent", "anna"}}), (Ids{6, 3}));
  EXPECT_EQ(Found({{"older_than_days", 4}}), (Ids{6, 5}));
  EXPECT_EQ(Found({{"from", "yesterday"}, {"to", "yesterday"}}), (Ids{1}));
  EXPECT_EQ(Found({{"from", "2023-11-11"}, {"to", "2023-11-12"}}), (Ids{3, 2}));
  EXPECT_EQ(Found({{"from", "2023-11-12T22:13:20"}, {"zone", "UTC"}}), (Ids{2, 1}));
  EXPECT_EQ(Found({{"limit", "2"}}), (Ids{6, 5}));
  EXPECT_EQ(CodeOf("recording.list", {{"from", "soon"}}), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf("recording.list", {{"lead", "x"}}), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf("recording.list", {{"attempt", -1}}), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf("recording.list", {{"older_than_days", "9"}}), Code::kInvalidArgument);
}

TEST_F(AdminRecordingsTest, TellsNoNumberUnlessAsked) {
  const auto masked = admin_.Run("recording.list", {{"attempt", "1"}});
  EXPECT_EQ(masked->at("recordings")[0].at("number"), "+1415****101");
  const auto whole = admin_.Run("recording.list", {{"attempt", "1"}, {"show_numbers", true}});
  EXPECT_EQ(whole->at("recordings")[0].at("number"), "+14155550101");
}

TEST_F(AdminRecordingsTest, AnErasureLeavesItsTraceAndNotTheName) {
  EXPECT_EQ(CodeOf("recording.erased", {{"attempts", {1u, 3u}}}), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf("recording.erased", {{"attempts", {99u}}, {"reason", "r"}}), Code::kNotFound);
  EXPECT_EQ(CodeOf("recording.erased", {{"reason", "r"}}), Code::kInvalidArgument);
  const auto erased =
      admin_.Run("recording.erased", {{"attempts", {1u, 3u}}, {"reason", "request 7"}});
  ASSERT_TRUE(erased.ok()) << erased.status();
  EXPECT_EQ(erased->at("erased"), 2);
  const auto again = admin_.Run("recording.erased", {{"attempts", {1u}}, {"reason", "later"}});
  EXPECT_EQ(again->at("erased"), 0);
  const auto record = *store_.GetRecording(AttemptId(1));
  EXPECT_EQ(record->erased_reason, "request 7");
  EXPECT_EQ(record->erased_at, world_.clock().Wall());
  EXPECT_EQ(record->file, "");
  EXPECT_EQ(record->length, absl::Seconds(90));
  EXPECT_EQ(Found({{"lead", "2"}, {"without_erased", true}}), (Ids{5}));
  const auto text = admin_.Run("recording.list", {{"lead", "2"}})->at("text").get<std::string>();
  EXPECT_THAT(text, HasSubstr("erased: request 7"));
  EXPECT_THAT(text, Not(HasSubstr("14155550101_1.wav")));
}

TEST_F(AdminRecordingsTest, TellsWhichUnfinishedRecordingsAreMeant) {
  campaign::StoreBatch batch;
  for (const auto& [id, lead, number] :
       {std::tuple(21, 1, 14'155'550'100), std::tuple(22, 2, 14'155'550'101)}) {
    campaign::Attempt call;
    call.id = AttemptId(static_cast<uint64_t>(id));
    call.lead = LeadId(static_cast<uint64_t>(lead));
    call.dialed = E164(static_cast<uint64_t>(number));
    batch.attempts.push_back(call);
  }
  ASSERT_TRUE(store_.Commit(batch).ok());
  const Json open = {{{"attempt", 21u}}, {{"attempt", 22u}, {"lead", 2u}}, {{"attempt", 23u}}};
  const auto ask = [&](Json query) {
    query["open"] = open;
    const auto answer = admin_.Run("recording.pending", query);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return std::pair(answer->at("matching").get<Ids>(), answer->at("unknown").get<Ids>());
  };
  EXPECT_EQ(ask({{"attempt", "21"}}), std::pair(Ids{21}, Ids{}));
  EXPECT_EQ(ask({{"attempt", "23"}}), std::pair(Ids{23}, Ids{}));
  EXPECT_EQ(ask({{"attempt", "9"}}), std::pair(Ids{}, Ids{}));
  EXPECT_EQ(ask({{"lead", "1"}}), std::pair(Ids{21}, Ids{23}));
  EXPECT_EQ(ask({{"number", "+14155550101"}}), std::pair(Ids{22}, Ids{23}));
  EXPECT_EQ(CodeOf("recording.pending", {{"lead", "1"}}), Code::kInvalidArgument);
}

}  // namespace
}  // namespace outpace::runtime
