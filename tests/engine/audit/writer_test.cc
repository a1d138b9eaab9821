#include "engine/audit/writer.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "engine/audit/segment.h"
#include "tests/engine/audit/audit_fixture.h"

namespace outpace::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class WriterTest : public ::testing::Test {
 protected:
  // The engine starts (again).
  absl::Status Start() {
    writer_.reset();
    files_ = std::make_unique<TestFiles>(directory_ / "log");
    writer_ = std::make_unique<AuditWriter>(config_, key_, *files_, clock_);
    return writer_->Open();
  }
  void Commit(uint64_t lead) {
    ASSERT_TRUE(AddNow(*writer_, clock_, EventOf(lead)).ok());
    const absl::Status status = writer_->Commit();
    ASSERT_TRUE(status.ok()) << status;
  }
  // The engine dies: what it has in memory is gone.
  void Die() {
    writer_.reset();
    files_.reset();
  }
  AuditReport Check() {
    auto files = NewPosixAuditFiles(directory_ / "log", /*read_only=*/true);
    EXPECT_TRUE(files.ok()) << files.status();
    return VerifiedOf(**files, key_);
  }
  std::vector<StoredEvent> Events(std::vector<std::string> kinds = {}) {
    auto files = NewPosixAuditFiles(directory_ / "log", /*read_only=*/true);
    return EventsIn(**files, std::move(kinds));
  }
  std::vector<int64_t> Leads() {
    std::vector<int64_t> leads;
    for (const StoredEvent& stored : Events({"call."})) {
      leads.push_back(NumberOf(stored.event, "lead"));
    }
    return leads;
  }
  std::vector<std::string> Segments() {
    std::vector<std::string> names;
    auto files = NewPosixAuditFiles(directory_ / "log", /*read_only=*/true);
    for (const SegmentName& name : SegmentsAmong(*(*files)->List())) {
      names.push_back(name.ToString());
    }
    return names;
  }
  std::string Bytes(const std::string& name) { return directory_.Bytes("log/" + name); }
  void Put(const std::string& name, const std::string& bytes) {
    directory_.Put("log/" + name, bytes);
  }

  ScratchDirectory directory_;
  WriterConfig config_;
  const SealKey key_ = TestKey();
  ManualClock clock_;
  std::unique_ptr<TestFiles> files_;
  std::unique_ptr<AuditWriter> writer_;
};

TEST_F(WriterTest, FilesAreForTheirOwnerAlone) {
  ASSERT_TRUE(Start().ok());
  struct stat info {};
  ASSERT_EQ(::stat((directory_ / "log").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  for (const std::string& name : {Segments().at(0), std::string(kHeadFile), std::string("lock")}) {
    ASSERT_EQ(::stat((directory_ / ("log/" + name)).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
}

TEST_F(WriterTest, GoesOnWhereItEnded) {
  for (uint64_t lead = 1; lead <= 3; ++lead) {
    ASSERT_TRUE(Start().ok());
    Commit(lead);
    Die();
  }
  EXPECT_THAT(Leads(), ElementsAre(1, 2, 3));
  const AuditReport report = Check();
  EXPECT_THAT(report.faults, IsEmpty());
  EXPECT_EQ(report.segments, 1u);
  EXPECT_EQ(Events({kOpened}).size(), 2u);
}

TEST_F(WriterTest, ASecondWriterIsRefused) {
  ASSERT_TRUE(Start().ok());
  TestFiles files(directory_ / "log");
  AuditWriter second(config_, key_, files, clock_);
  const absl::Status status = second.Open();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("another engine"));
  Commit(1);
  EXPECT_TRUE(Check().ok());
}

TEST_F(WriterTest, ANewSegmentEachDayAndWhenOneIsFull) {
  config_.segment_bytes = 2000;
  ASSERT_TRUE(Start().ok());
  for (uint64_t lead = 1; lead <= 20; ++lead) {
    Commit(lead);
    if (lead == 10) clock_.Advance(absl::Hours(24));
    if (lead == 15) clock_.Advance(-absl::Hours(48));  // somebody set the clock
  }
  const std::vector<std::string> segments = Segments();
  EXPECT_EQ(segments.front(), "audit-20260921-1.jsonl");
  EXPECT_THAT(segments, ::testing::Contains("audit-20260921-2.jsonl"));
  EXPECT_THAT(segments, ::testing::Contains("audit-20260922-2.jsonl"));
  for (const std::string& name : segments) EXPECT_LT(Bytes(name).size(), 3000u);
  EXPECT_THAT(Check().faults, IsEmpty());
  Die();
  ASSERT_TRUE(Start().ok());
  Commit(21);
  EXPECT_EQ(Leads().size(), 21u);
  EXPECT_THAT(Check().faults, IsEmpty());
}

// A crash inside a write leaves any part of the batch behind.
TEST_F(WriterTest, ALineCutAtAnyOctetAfterTheHeadIsCutOffAndTold) {
  ASSERT_TRUE(Start().ok());
  Commit(1);
  const std::string name = Segments().at(0);
  const std::string acknowledged = Bytes(name), head = Bytes(kHeadFile);
  Commit(2);
  Commit(3);
  const std::string all = Bytes(name);
  for (size_t size = acknowledged.size(); size <= all.size(); size += 7) {
    Die();
    Put(name, all.substr(0, size));
    Put(kHeadFile, head);
    EXPECT_TRUE(Check().ok()) << size;
    const absl::Status status = Start();
    ASSERT_TRUE(status.ok()) << size << " " << status;
    EXPECT_TRUE(Check().ok());
    const std::vector<StoredEvent> opened = Events({kOpened});
    ASSERT_EQ(opened.size(), 1u);
    const size_t whole = all.substr(0, size).rfind('\n') + 1;
    EXPECT_EQ(NumberOf(opened[0].event, "octets_cut"), static_cast<int64_t>(size - whole));
    EXPECT_EQ(NumberOf(opened[0].event, "events_after_head"),
              static_cast<int64_t>(
                  std::count(all.begin(), all.begin() + static_cast<int64_t>(size), '\n')) -
                  2);
    Commit(4);
    EXPECT_EQ(Leads().back(), 4);
  }
}

TEST_F(WriterTest, ACrashWhileASegmentIsBegunIsMadeGood) {
  ASSERT_TRUE(Start().ok());
  Commit(1);
  const std::string first = Segments().at(0), head = Bytes(kHeadFile);
  clock_.Advance(absl::Hours(24));
  Commit(2);
  const std::string second = Segments().at(1);
  const std::string bytes = Bytes(second);
  for (size_t size = 0; size < bytes.size(); size += 11) {
    Die();
    Put(second, bytes.substr(0, size));
    Put(kHeadFile, head);
    EXPECT_TRUE(Check().ok()) << size;
    ASSERT_TRUE(Start().ok()) << size;
    Commit(3);
    EXPECT_THAT(Check().faults, IsEmpty()) << size;
  }
}

TEST_F(WriterTest, ADamagedLogIsRefusedWithWhereAndWhatToDo) {
  ASSERT_TRUE(Start().ok());
  Commit(1);
  Commit(2);
  Die();
  const std::string name = Segments().at(0);
  std::string bytes = Bytes(name);
  bytes[bytes.find("DEMO")] = 'X';
  Put(name, bytes);
  const absl::Status status = Start();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr(name + ", line 2"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("move the directory away"));
  EXPECT_EQ(Bytes(name), bytes);
}

TEST_F(WriterTest, AfterDamageItGoesOnInANewSegmentThatSaysSo) {
  config_.go_on_after_damage = true;
  ASSERT_TRUE(Start().ok());
  Commit(1);
  Commit(2);
  Die();
  const std::string name = Segments().at(0);
  const std::string whole = Bytes(name);
  // The end was cut off: the head knows better.
  Put(name, whole.substr(0, whole.size() - LinesOf(whole).back().size()));
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(writer_->damage(), HasSubstr("the end was cut off"));
  Commit(3);
  AuditReport report = Check();
  ASSERT_EQ(report.faults.size(), 1u);
  EXPECT_TRUE(report.faults[0].known);
  EXPECT_EQ(report.NewFault(), nullptr);
  EXPECT_THAT(report.faults[0].what, HasSubstr("the end was cut off"));
  const std::vector<StoredEvent> broken = Events({kBroken});
  ASSERT_EQ(broken.size(), 1u);
  EXPECT_EQ(NumberOf(broken[0].event, "after"), 3);
  EXPECT_EQ(broken[0].seq, 4u);
  // The next start has nothing to tell.
  Die();
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(writer_->damage(), "");
  Commit(4);
  EXPECT_EQ(Check().NewFault(), nullptr);
  // What is done after the break is found too.
  Die();
  std::string second = Bytes(Segments().at(1));
  second[second.find("DEMO")] = 'X';
  Put(Segments().at(1), second);
  report = Check();
  ASSERT_NE(report.NewFault(), nullptr);
  EXPECT_EQ(report.NewFault()->file, Segments().at(1));
}

// A damage that an engine has found is no cover for what is done to the log before it afterwards.
TEST_F(WriterTest, ADamageOnceFoundExcusesNoOther) {
  config_.go_on_after_damage = true;
  ASSERT_TRUE(Start().ok());
  for (uint64_t lead = 1; lead <= 4; ++lead) Commit(lead);
  Die();
  const std::string name = Segments().at(0);
  const std::string whole = Bytes(name);
  const std::vector<std::string> lines = LinesOf(whole);
  const std::string cut = whole.substr(0, whole.size() - lines.back().size());
  std::string changed = whole;
  changed[whole.rfind("DEMO")] = 'X';  // in the last event
  for (const std::string& damaged : {cut, changed, cut + "torn"}) {
    Put(name, damaged);
    for (const std::string& segment : Segments()) {
      if (segment != name) std::filesystem::remove(directory_ / ("log/" + segment));
    }
    ASSERT_TRUE(Start().ok());
    ASSERT_NE(writer_->damage(), "");
    Commit(5);
    Die();
    EXPECT_FALSE(Check().ok());
    EXPECT_EQ(Check().NewFault(), nullptr);
    // More is cut off, an older event is changed, one is taken out of the middle.
    const std::string shorter = cut.substr(0, cut.size() - lines[lines.size() - 2].size());
    std::string older = damaged;
    older[damaged.find("DEMO")] = 'X';
    std::string gone = damaged;
    gone.erase(lines[0].size(), lines[1].size());
    for (const std::string& more : {shorter, older, gone}) {
      Put(name, more);
      EXPECT_NE(Check().NewFault(), nullptr);
    }
    Put(name, damaged);
    EXPECT_EQ(Check().NewFault(), nullptr);
  }
}

// The segment that the head is in is damaged from its first event on: how far the log was good is
// then told by those before it.
TEST_F(WriterTest, ADamageAtTheBeginningOfASegmentIsKnownAfterwards) {
  config_.go_on_after_damage = true;
  ASSERT_TRUE(Start().ok());
  Commit(1);
  clock_.Advance(absl::Hours(24));
  Commit(2);
  Die();
  ASSERT_EQ(Segments().size(), 2u);
  std::string second = Bytes(Segments()[1]);
  second[second.find("engine")] = 'X';
  Put(Segments()[1], second);
  ASSERT_TRUE(Start().ok());
  ASSERT_NE(writer_->damage(), "");
  Die();
  EXPECT_FALSE(Check().ok());
  EXPECT_EQ(Check().NewFault(), nullptr);
}

TEST_F(WriterTest, AfterAMissingHeadOrMissingFilesItGoesOnToo) {
  config_.go_on_after_damage = true;
  ASSERT_TRUE(Start().ok());
  Commit(1);
  Die();
  std::filesystem::remove(directory_ / "log/head");
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(writer_->damage(), HasSubstr("head"));
  Commit(2);
  EXPECT_FALSE(Check().ok());
  EXPECT_EQ(Check().NewFault(), nullptr);
  Die();
  for (const std::string& name : Segments()) std::filesystem::remove(directory_ / ("log/" + name));
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(writer_->damage(), HasSubstr("the end was cut off"));
  Commit(3);
  EXPECT_FALSE(Check().ok());
}

TEST_F(WriterTest, ALogMadeAnewUnderAnOldKeyIsNoted) {
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(Check().notes, ElementsAre(HasSubstr("there may have been an older log")));
  config_.key_is_new = true;
  Die();
  std::filesystem::remove_all(directory_ / "log");
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(Check().notes, IsEmpty());
}

TEST_F(WriterTest, RetentionRemovesFromTheFrontAndTheRestStillVerifies) {
  ASSERT_TRUE(Start().ok());
  for (uint64_t lead = 1; lead <= 5; ++lead) {
    Commit(lead);
    clock_.Advance(absl::Hours(24));
  }
  const uint64_t whole = Segments().size();
  ASSERT_TRUE(writer_->Prune(EndOfDay(20260923)).ok());
  EXPECT_EQ(Segments().size(), whole - 3 + 1);  // what is said of it stands in a new one
  EXPECT_THAT(Leads(), ElementsAre(4, 5));
  AuditReport report = Check();
  EXPECT_THAT(report.faults, IsEmpty());
  EXPECT_THAT(report.notes, ElementsAre(HasSubstr("removed by retention")));
  const std::vector<StoredEvent> pruned = Events({kPruned});
  ASSERT_EQ(pruned.size(), 1u);
  EXPECT_EQ(NumberOf(pruned[0].event, "segments"), 3);
  EXPECT_EQ(static_cast<uint64_t>(NumberOf(pruned[0].event, "through")) + 1, report.first_seq);
  // Again: nothing to do, nothing told.
  ASSERT_TRUE(writer_->Prune(EndOfDay(20260923)).ok());
  EXPECT_EQ(Events({kPruned}).size(), 1u);
  // One more than retention took is missed.
  std::filesystem::remove(directory_ / ("log/" + Segments().front()));
  EXPECT_FALSE(Check().ok());
}

TEST_F(WriterTest, RetentionKeepsTheLastSegmentAndOutlivesACrash) {
  ASSERT_TRUE(Start().ok());
  for (uint64_t lead = 1; lead <= 4; ++lead) {
    Commit(lead);
    clock_.Advance(absl::Hours(24));
  }
  Tree before;
  for (const std::string& name : Segments()) before[name] = Bytes(name);
  ASSERT_TRUE(writer_->Prune(absl::InfiniteFuture()).ok());
  EXPECT_THAT(Check().faults, IsEmpty());
  EXPECT_EQ(Events({kPruned}).size(), 1u);
  // Killed with one file removed, then with none.
  Die();
  const std::string kept = Segments().front();
  std::vector<std::string> removed;
  for (const auto& [name, bytes] : before) {
    if (name < kept) removed.push_back(name);
  }
  ASSERT_EQ(removed.size(), 3u);
  for (size_t i = removed.size(); i-- > 0;) {
    Put(removed[i], before[removed[i]]);
    EXPECT_THAT(Check().faults, IsEmpty()) << i;
  }
  ASSERT_TRUE(Start().ok());
  Commit(5);
  EXPECT_THAT(Check().faults, IsEmpty());
  clock_.Advance(absl::Hours(24));
  Commit(6);
  ASSERT_TRUE(writer_->Prune(clock_.Wall()).ok());
  EXPECT_EQ(Leads().back(), 6);
  EXPECT_THAT(Check().faults, IsEmpty());
}

TEST_F(WriterTest, AFullDiskIsToldAndStays) {
  ASSERT_TRUE(Start().ok());
  Commit(1);
  const Head head = writer_->head();
  files_->SetRoom(100);
  ASSERT_TRUE(AddNow(*writer_, clock_, EventOf(2)).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(writer_->Commit()));
  files_->SetRoom(-1);
  // Nobody knows what the disk kept: nothing is written after it.
  EXPECT_TRUE(absl::IsResourceExhausted(AddNow(*writer_, clock_, EventOf(3))));
  EXPECT_TRUE(absl::IsResourceExhausted(writer_->Commit()));
  EXPECT_EQ(writer_->head(), head);
  EXPECT_TRUE(Check().ok());
  EXPECT_EQ(Check().torn_octets, 100u);
  Die();
  ASSERT_TRUE(Start().ok());
  Commit(4);
  EXPECT_THAT(Leads(), ElementsAre(1, 4));
  EXPECT_EQ(NumberOf(Events({kOpened}).at(0).event, "octets_cut"), 100);
}

// A disk that becomes full is noticed before what waits has no room, and the log goes on in its
// segment, over midnight too.
TEST_F(WriterTest, ADiskWithoutRoomIsToldWhileThereIsSome) {
  config_.reserve_bytes = 8000;
  ASSERT_TRUE(Start().ok());
  Commit(1);
  files_->FailReserve(absl::ResourceExhaustedError("audit: no space"));
  uint64_t lead = 1;
  while (writer_->room().ok()) Commit(++lead);
  EXPECT_GE(lead, 3u);
  EXPECT_LT(directory_.Bytes("log/" + Segments()[0]).size(), 8000u / 2 + 1000);
  clock_.Advance(absl::Hours(9) + absl::Minutes(50));  // 00:03 of the next day
  for (int i = 0; i < 4; ++i) Commit(++lead);
  EXPECT_TRUE(absl::IsResourceExhausted(writer_->room()));
  EXPECT_TRUE(writer_->status().ok());
  EXPECT_EQ(Segments().size(), 1u);
  EXPECT_EQ(Leads().size(), lead);
  EXPECT_THAT(Check().faults, IsEmpty());
  // They are of the new day for whoever asks by days.
  auto files = NewPosixAuditFiles(directory_ / "log", /*read_only=*/true);
  EventQuery query;
  query.from = EndOfDay(20260921);
  query.kinds = {"call."};
  size_t found = 0;
  ASSERT_TRUE(ForEachEvent(**files, query, [&](const StoredEvent&, absl::string_view) {
                ++found;
                return true;
              }).ok());
  EXPECT_EQ(found, 4u);
  Die();
  ASSERT_TRUE(Start().ok()) << "there is room again";
  Commit(++lead);
  EXPECT_TRUE(writer_->room().ok());
  EXPECT_EQ(Segments().size(), 2u);
  EXPECT_THAT(Check().faults, IsEmpty());
}

TEST_F(WriterTest, WithoutRoomForANewSegmentItStaysInTheOldOne) {
  ASSERT_TRUE(Start().ok());
  Commit(1);
  files_->FailReserve(absl::ResourceExhaustedError("audit: no space"));
  clock_.Advance(absl::Hours(24));
  Commit(2);
  EXPECT_TRUE(absl::IsResourceExhausted(writer_->room()));
  EXPECT_EQ(Segments().size(), 1u);
  EXPECT_THAT(Leads(), ElementsAre(1, 2));
  EXPECT_THAT(Check().faults, IsEmpty());
}

TEST_F(WriterTest, WithoutRoomForTheHeadItTakesWhatWasKept) {
  ASSERT_TRUE(Start().ok());
  Commit(1);
  files_->FailHead(absl::ResourceExhaustedError("audit: no space"));
  Commit(2);
  EXPECT_TRUE(absl::IsResourceExhausted(writer_->room()));
  EXPECT_EQ(Check().after_head, 0u);
  EXPECT_THAT(Leads(), ElementsAre(1, 2));
}

TEST_F(WriterTest, RoomIsTakenOnTheDiskAndGivenBack) {
  auto files = NewPosixAuditFiles(directory_ / "room");
  ASSERT_TRUE(files.ok());
  auto file = (*files)->Create("x");
  ASSERT_TRUE(file.ok() && (*file)->Append("abc").ok());
  const auto octets = [&] {
    struct stat about {};
    EXPECT_EQ(::stat((directory_ / "room/x").c_str(), &about), 0);
    EXPECT_EQ(about.st_size, 3);
    return about.st_blocks * 512;
  };
  const auto before = octets();
  ASSERT_TRUE((*file)->Reserve(1 << 20).ok());
  if (octets() < 1 << 20) GTEST_SKIP() << "this file system keeps no room";
  ASSERT_TRUE((*file)->Truncate(3).ok());
  EXPECT_LE(octets(), std::max<decltype(octets())>(before, 4096));
  EXPECT_TRUE(absl::IsResourceExhausted((*file)->Reserve(uint64_t{1} << 55)));
}

TEST_F(WriterTest, AFailedSyncOrHeadIsTold) {
  ASSERT_TRUE(Start().ok());
  files_->FailSyncs(absl::UnavailableError("audit: input/output error"));
  ASSERT_TRUE(AddNow(*writer_, clock_, EventOf(1)).ok());
  EXPECT_TRUE(absl::IsUnavailable(writer_->Commit()));
  ASSERT_TRUE(Start().ok());
  files_->FailHead(absl::UnavailableError("audit: input/output error"));
  ASSERT_TRUE(AddNow(*writer_, clock_, EventOf(2)).ok());
  EXPECT_TRUE(absl::IsUnavailable(writer_->Commit()));
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(Check().faults, IsEmpty());
}

// The disk is full at any octet of a day's work: what was acknowledged is there, and it goes on.
TEST_F(WriterTest, ADiskThatIsFullAtAnyMoment) {
  config_.segment_bytes = 1500;
  for (int64_t room = 0; room < 6000; room += 97) {
    Die();
    std::filesystem::remove_all(directory_ / "log");
    ASSERT_TRUE(Start().ok());
    files_->SetRoom(room);
    int64_t good = 0;
    for (uint64_t lead = 1; lead <= 20; ++lead) {
      if (!AddNow(*writer_, clock_, EventOf(lead)).ok() || !writer_->Commit().ok()) break;
      good = static_cast<int64_t>(lead);
    }
    EXPECT_LT(good, 20);
    EXPECT_TRUE(Check().ok()) << room;
    const absl::Status status = Start();
    ASSERT_TRUE(status.ok()) << room << " " << status;
    EXPECT_THAT(Check().faults, IsEmpty());
    EXPECT_GE(static_cast<int64_t>(Leads().size()), good);
  }
}

}  // namespace
}  // namespace outpace::audit
