// A person is erased by number: nothing that names them stays, and they are never dialed again.

#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "campaign/match/lead_merge.h"
#include "gmock/gmock.h"
#include "tests/engine/runtime/admin_fixture.h"
#include "tests/fakes/dnc_entries.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Code = absl::StatusCode;

constexpr char kNumber[] = "(303) 555-0101";

class AdminEraseTest : public AdminFixture {
 protected:
  void SetUp() override {
    Create();
    for (uint64_t id = 1; id <= 3; ++id) {
      campaign::Lead lead;
      lead.id = LeadId(id);
      lead.list = ListId(101);
      lead.campaign = "DEMO";
      lead.phone = E164(13035550100 + id);
      lead.time_zones = {"America/Denver"};
      lead.fields["first_name"] = "Ann";
      if (id == 2) lead.fields["alt_phones"] = "+13035550101 mobile;+13035550109";
      PutLead(lead);
    }
    campaign::StoreBatch batch;
    match::Merge merge;
    merge.number = 1;
    merge.changes = {{Lead(1), Lead(1)}, {Lead(3), Lead(3)}};
    batch.meta["dedup.merge.0000000001"] = match::EncodeMerge(merge);
    batch.meta["dedup.merges"] = "1";
    for (uint64_t id = 1; id <= 3; ++id) {
      campaign::Attempt attempt;
      attempt.id = AttemptId(id);
      attempt.lead = LeadId(id);
      attempt.campaign = "DEMO";
      attempt.dialed = E164(13035550100 + id);
      attempt.request_uri = absl::StrCat("sip:+1303555010", id, "@192.0.2.1");
      attempt.note = "met Ann";
      attempt.status = "NI";
      attempt.open = false;
      attempt.dialed_at = world_.clock().Wall() - absl::Hours(24 * 100);
      batch.attempts.push_back(attempt);
    }
    campaign::Recording recording;
    recording.attempt = AttemptId(1);
    recording.lead = LeadId(1);
    recording.number = E164(13035550101);
    recording.started = world_.clock().Wall();
    recording.erased_at = world_.clock().Wall();
    batch.recordings.push_back(recording);
    ASSERT_TRUE(store_.Commit(batch).ok());
    Text("dnc.add", {{"number", kNumber}});
    told_.clear();
  }
};

TEST_F(AdminEraseTest, NothingThatNamesThePersonStays) {
  const auto erased = Run("erase.person", {{"number", kNumber}});
  ASSERT_TRUE(erased.ok()) << erased.status();
  EXPECT_EQ((*erased)["leads"], 2) << "by its alternate number too";
  EXPECT_EQ((*erased)["attempts"], 2);
  EXPECT_EQ((*erased)["recordings"], 1);
  EXPECT_EQ((*erased)["dnc_entries"], 1);
  EXPECT_EQ((*erased)["other_numbers"], 1);
  EXPECT_THAT(erased->dump(), Not(HasSubstr("5550101")));
  EXPECT_FALSE(store_.GetLead(LeadId(1))->has_value());
  EXPECT_FALSE(store_.GetLead(LeadId(2))->has_value());
  EXPECT_TRUE(store_.GetLead(LeadId(3))->has_value());
  const campaign::Attempt attempt = **store_.GetAttempt(AttemptId(1));
  EXPECT_FALSE(attempt.dialed.valid());
  EXPECT_EQ(attempt.request_uri + attempt.note, "");
  EXPECT_EQ(attempt.status, "NI") << "figures stay";
  EXPECT_EQ((**store_.GetAttempt(AttemptId(3))).note, "met Ann");
  campaign::RecordingQuery by_number;
  by_number.number = E164(13035550101);
  EXPECT_THAT(store_.FindRecordings(by_number).value(), IsEmpty());
  EXPECT_THAT(fakes::DncEntriesIn(store_), IsEmpty());
  EXPECT_EQ(LoadDncSet(store_)->Match(E164(13035550101), "DEMO"), dnc::DncMatch::kErased);
  EXPECT_EQ(told_.front(), "erased 1");
  const auto merge = match::DecodeMerge(store_.GetMeta("dedup.merge.0000000001")->value());
  ASSERT_TRUE(merge.ok());
  EXPECT_THAT(merge->changes, IsEmpty()) << "the undo trail of merges forgets too";

  const auto again = Run("erase.person", {{"number", kNumber}});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)["leads"], 0);
  EXPECT_EQ((*again)["attempts"], 0);
  EXPECT_EQ(ReadErasedPeople(store_)->hashes.size(), 1u);
}

// A lead of a merge may have the names and numbers of the others, also when it was taken back.
TEST_F(AdminEraseTest, MergesForgetThePersonInEveryLead) {
  const auto put = [this](uint64_t number, std::vector<match::LeadChange> changes) {
    match::Merge merge;
    merge.number = number;
    merge.undone = world_.clock().Wall();
    merge.changes = std::move(changes);
    campaign::StoreBatch batch;
    batch.meta[absl::StrFormat("dedup.merge.%010d", number)] = match::EncodeMerge(merge);
    batch.meta["dedup.merges"] = absl::StrCat(number);
    ASSERT_TRUE(store_.Commit(batch).ok());
  };
  const campaign::Lead stranger = Lead(3);
  campaign::Lead with_alternate = stranger, with_further = stranger;
  with_alternate.alt_phone = E164(13035550101);
  with_further.fields["phone2"] = "+13035550101";
  campaign::Lead of_the_person = Lead(1);
  of_the_person.phone = E164(13035550177);  // it had another number then
  put(2, {{stranger, stranger}, {of_the_person, of_the_person}});
  put(3, {{stranger, with_alternate}});
  put(4, {{with_further, stranger}});
  put(5, {{stranger, stranger}});
  ASSERT_TRUE(Run("erase.person", {{"number", kNumber}}).ok());
  for (uint64_t number = 1; number <= 5; ++number) {
    SCOPED_TRACE(number);
    const auto text = store_.GetMeta(absl::StrFormat("dedup.merge.%010d", number));
    const auto merge = match::DecodeMerge(**text);
    ASSERT_TRUE(merge.ok());
    EXPECT_EQ(merge->changes.empty(), number != 5);
    EXPECT_THAT(**text, Not(HasSubstr("13035550101")));
  }
  EXPECT_THAT(Text("dedup.history"), HasSubstr("merge 2"));
  EXPECT_THAT(Refusal(Code::kFailedPrecondition, "dedup.undo", {{"merge", "1"}}),
              HasSubstr("were erased"));
}

// A number that begins or ends like the person's is somebody else's.
TEST_F(AdminEraseTest, OnlyTheWholeNumberIsThePersons) {
  const std::vector<std::pair<std::string, std::string>> others = {
      {"alt_phones", "+49301234567 mobile;+493012345699"},
      {"phone2", "+49301234567"},
      {"phone_office", "+49 30 1234567"},
      {"alt_phones", "301234567_49_ask for 4930123456 Ltd"},
      {"comments", "+4930123456"}};
  const std::vector<std::pair<std::string, std::string>> theirs = {
      {"alt_phones", "+13035550177;+4930123456 mobile 2"},
      {"alt_phones", "30123456_49_work!3035550177_1_"},
      {"phone2", "+4930123456"},
      {"phone_office", "+49 (30) 123-456"}};
  uint64_t id = 100;
  for (const auto& [field, text] : others) {
    campaign::Lead lead = Lead(3);
    lead.id = LeadId(id++);
    lead.fields[field] = text;
    PutLead(lead);
  }
  const uint64_t first_of_theirs = id;
  for (const auto& [field, text] : theirs) {
    campaign::Lead lead = Lead(3);
    lead.id = LeadId(id++);
    lead.fields[field] = text;
    PutLead(lead);
  }
  const auto erased = Run("erase.person", {{"number", "+4930123456"}});
  ASSERT_TRUE(erased.ok()) << erased.status();
  EXPECT_EQ((*erased)["leads"], theirs.size());
  for (uint64_t lead = 100; lead < id; ++lead) {
    EXPECT_EQ(store_.GetLead(LeadId(lead))->has_value(), lead < first_of_theirs) << lead;
  }
}

TEST_F(AdminEraseTest, TheNumberIsRefusedFromThenOn) {
  ASSERT_TRUE(Run("erase.person", {{"number", kNumber}}).ok());
  const auto loaded = Run(
      "import",
      {{"path", scratch_.Put("l.csv", kFiveRows)}, {"campaign", "DEMO"}, {"duplicates", "none"}});
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ((*loaded)["dnc"], 2) << "both rows with the number";
  EXPECT_EQ((*loaded)["accepted"], 2);
}

TEST_F(AdminEraseTest, ACallUnderWayIsWaitedFor) {
  busy_ = {LeadId(1)};
  EXPECT_THAT(Refusal(Code::kFailedPrecondition, "erase.person", {{"number", kNumber}}),
              HasSubstr("blocked already"));
  EXPECT_TRUE(store_.GetLead(LeadId(1))->has_value());
  EXPECT_EQ(LoadDncSet(store_)->Match(E164(13035550101), ""), dnc::DncMatch::kSystem);
  EXPECT_TRUE(LoadDncSet(store_)->IsErased(E164(13035550101)));
  EXPECT_THAT(told_.back(), HasSubstr("withdrawn 1+2"));
}

// It has asked who is erased before this person was, and may yet put their leads into the store.
TEST_F(AdminEraseTest, AnImportUnderWayIsWaitedFor) {
  {
    const JobUnderWay job(shared_.desk, "import");
    EXPECT_THAT(Refusal(Code::kFailedPrecondition, "erase.person", {{"number", kNumber}}),
                HasSubstr("an import is under way"));
    const auto waiting = Run("erase.person", {{"number", kNumber}, {"wait", true}});
    ASSERT_TRUE(waiting.ok()) << waiting.status();
    EXPECT_EQ((*waiting)["state"], "waiting");
    EXPECT_TRUE(LoadDncSet(store_)->IsErased(E164(13035550101))) << "blocked meanwhile";
    EXPECT_TRUE(store_.GetLead(LeadId(1))->has_value());
  }
  const auto erased = Run("erase.person", {{"number", kNumber}, {"wait", true}});
  ASSERT_TRUE(erased.ok()) << erased.status();
  EXPECT_EQ((*erased)["leads"], 2);
  EXPECT_FALSE(store_.GetLead(LeadId(1))->has_value());
}

TEST_F(AdminEraseTest, LeadsWithTheNumberAreNamed) {
  const auto found = Run("erase.leads", {{"number", kNumber}});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT((*found)["leads"].get<std::vector<uint64_t>>(), ::testing::ElementsAre(1, 2));
}

TEST_F(AdminEraseTest, RecordingsGoFirst) {
  campaign::StoreBatch batch;
  campaign::Recording recording;
  recording.attempt = AttemptId(2);
  recording.lead = LeadId(2);
  recording.number = E164(13035550102);
  recording.started = world_.clock().Wall();
  recording.file = "a.wav";
  batch.recordings.push_back(recording);
  ASSERT_TRUE(store_.Commit(batch).ok());
  EXPECT_THAT(Refusal(Code::kFailedPrecondition, "erase.person", {{"number", kNumber}}),
              HasSubstr("1 recordings of this person are not erased"));
  EXPECT_TRUE(store_.GetLead(LeadId(2))->has_value());
}

TEST_F(AdminEraseTest, NonsenseIsRefused) {
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "erase.person"), HasSubstr("is missing"));
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "erase.block", {{"number", "12"}}),
              HasSubstr("too short"));
  EXPECT_THAT(ReadErasedPeople(store_)->hashes, IsEmpty());
}

}  // namespace
}  // namespace outpace::runtime
