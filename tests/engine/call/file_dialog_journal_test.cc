#include "engine/call/file_dialog_journal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"

namespace outpace::call {
namespace {

class FileDialogJournalTest : public ::testing::Test {
 protected:
  FileDialogJournalTest() {
    std::string name = ::testing::TempDir() + "/journal.XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    path_ = directory_ + "/dialogs.0";
  }
  ~FileDialogJournalTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<FileDialogJournal> Open(FileDialogJournal::Options options = {}) {
    auto journal = FileDialogJournal::Open(path_, log_, options);
    EXPECT_TRUE(journal.ok()) << journal.status();
    return *std::move(journal);
  }
  std::string Bytes() const {
    std::ifstream file(path_, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  void Write(absl::string_view bytes) const {
    std::ofstream file(path_, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  static DialogState Dialog(int i) {
    return {.call_id = absl::StrCat("op-", i),
            .from_uri = "sip:caller@192.0.2.1",
            .from_tag = absl::StrCat("f", i),
            .to_uri = "sip:callee@192.0.2.2",
            .to_tag = std::string("t\0x", 3),
            .remote_target = "sip:callee@192.0.2.3:5070",
            .route_set = {"<sip:a;lr>", "<sip:b;lr>"},
            .next_hop = "sip:192.0.2.4:5060",
            .cseq = 1001071592};
  }
  static LegId Leg(uint32_t i) { return {0, i, 1}; }

  std::string directory_;
  std::string path_;
  NullLog log_;
};

TEST_F(FileDialogJournalTest, RemembersWhatWasUp) {
  {
    auto journal = Open();
    EXPECT_TRUE(journal->orphans().empty());
    for (int i = 0; i < 5; ++i) journal->Opened(Leg(static_cast<uint32_t>(i)), Dialog(i));
    journal->Closed(Leg(1));
    journal->Closed(Leg(3));
  }
  auto journal = Open();
  ASSERT_EQ(journal->orphans().size(), 3u);
  const DialogState& d = journal->orphans()[1];
  const DialogState want = Dialog(2);
  EXPECT_EQ(d.call_id, want.call_id);
  EXPECT_EQ(d.from_uri, want.from_uri);
  EXPECT_EQ(d.from_tag, want.from_tag);
  EXPECT_EQ(d.to_uri, want.to_uri);
  EXPECT_EQ(d.to_tag, want.to_tag);
  EXPECT_EQ(d.remote_target, want.remote_target);
  EXPECT_EQ(d.route_set, want.route_set);
  EXPECT_EQ(d.next_hop, want.next_hop);
  EXPECT_EQ(d.cseq, want.cseq);
  EXPECT_EQ(journal->skipped(), 0u);
}

TEST_F(FileDialogJournalTest, OrphansStayUntilTheyAreEnded) {
  Open()->Opened(Leg(0), Dialog(0));
  {
    auto second = Open();  // dies before it has ended them
    ASSERT_EQ(second->orphans().size(), 1u);
    second->Opened(Leg(0), Dialog(1));  // the same leg name, another dialog
  }
  {
    auto third = Open();
    ASSERT_EQ(third->orphans().size(), 2u);
    third->EndedOrphans();
    EXPECT_EQ(third->open_dialogs(), 0u);
  }
  EXPECT_TRUE(Open()->orphans().empty());
}

TEST_F(FileDialogJournalTest, SurvivesAKilledProcess) {
  const pid_t child = fork();
  if (child == 0) {
    NullLog log;
    auto journal = FileDialogJournal::Open(path_, log);
    if (!journal.ok()) _exit(1);
    for (int i = 0; i < 100; ++i) (*journal)->Opened(Leg(static_cast<uint32_t>(i)), Dialog(i));
    for (int i = 0; i < 50; ++i) (*journal)->Closed(Leg(static_cast<uint32_t>(i)));
    raise(SIGKILL);
    _exit(2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  EXPECT_EQ(Open()->orphans().size(), 50u);
}

TEST_F(FileDialogJournalTest, CutAtEachByteItKeepsTheWholeRecords) {
  {
    auto journal = Open();
    for (int i = 0; i < 3; ++i) journal->Opened(Leg(static_cast<uint32_t>(i)), Dialog(i));
  }
  const std::string bytes = Bytes();
  ASSERT_EQ(bytes.size() % 3, 0u);
  const size_t record = bytes.size() / 3;
  for (size_t n = 0; n <= bytes.size(); ++n) {
    const JournalContents contents = ParseDialogJournal(absl::string_view(bytes).substr(0, n));
    ASSERT_EQ(contents.open.size(), n / record) << "cut at " << n;
    ASSERT_EQ(contents.skipped, n % record == 0 ? 0u : 1u) << "cut at " << n;
    // The file itself, too: a journal opens on it and goes on.
    if (n % 7 != 0) continue;
    Write(absl::string_view(bytes).substr(0, n));
    ASSERT_EQ(Open()->orphans().size(), n / record);
  }
}

TEST_F(FileDialogJournalTest, ADamagedRecordCostsOnlyItself) {
  {
    auto journal = Open();
    for (int i = 0; i < 3; ++i) journal->Opened(Leg(static_cast<uint32_t>(i)), Dialog(i));
  }
  const std::string bytes = Bytes();
  const size_t record = bytes.size() / 3;
  for (size_t at = record; at < 2 * record; ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    const JournalContents contents = ParseDialogJournal(damaged);
    ASSERT_EQ(contents.open.size(), 2u) << "flipped at " << at;
    ASSERT_EQ(contents.skipped, 1u) << "flipped at " << at;
  }
}

TEST_F(FileDialogJournalTest, AnyBytesAreRead) {
  {
    auto journal = Open();
    for (int i = 0; i < 8; ++i) journal->Opened(Leg(static_cast<uint32_t>(i)), Dialog(i));
    journal->Closed(Leg(4));
  }
  const std::string sound = Bytes();
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    std::string bytes = sound;
    for (uint64_t i = 0, n = 1 + rng.Below(20); i < n; ++i) {
      const size_t at = rng.Below(bytes.size());
      switch (rng.Below(4)) {
        case 0:
          bytes[at] = static_cast<char>(rng.Next());
          break;
        case 1:
          bytes.erase(at, rng.Below(40));
          break;
        case 2:
          bytes.insert(at, std::string(rng.Below(40), static_cast<char>(rng.Next())));
          break;
        case 3:
          bytes.insert(at, bytes.substr(rng.Below(bytes.size()), rng.Below(60)));
          break;
      }
      if (bytes.empty()) bytes = "O";
    }
    const JournalContents contents = ParseDialogJournal(bytes);
    // What it believes was written once: damage loses dialogs, it does not make them up.
    for (const auto& [leg, dialog] : contents.open) {
      EXPECT_EQ(dialog.call_id, absl::StrCat("op-", leg.index));
    }
  }
  // A length and a route count that lie.
  EXPECT_EQ(ParseDialogJournal("OPDJ\xff\xff\xff\xff....").skipped, 1u);
  EXPECT_EQ(ParseDialogJournal(std::string(1000, 'O')).skipped, 1u);
  // A file made of headers that claim the longest payload: checked in full it would take minutes.
  std::string headers;
  while (headers.size() < (4 << 20)) headers += std::string("OPDJ\0\0\4\0....", 12);
  EXPECT_EQ(ParseDialogJournal(headers).skipped, 1u);
}

TEST_F(FileDialogJournalTest, CompactsWhenMostIsPast) {
  auto journal = Open({.compact_bytes = 10'000});
  journal->Opened(Leg(7777), Dialog(7777));
  for (int i = 0; i < 2000; ++i) {
    journal->Opened(Leg(static_cast<uint32_t>(i)), Dialog(i));
    journal->Closed(Leg(static_cast<uint32_t>(i)));
    ASSERT_LT(journal->file_bytes(), 11'000u);
  }
  EXPECT_GT(journal->compactions(), 10u);
  EXPECT_EQ(std::filesystem::file_size(path_), journal->file_bytes());
  journal.reset();
  journal = Open();
  ASSERT_EQ(journal->orphans().size(), 1u);
  EXPECT_EQ(journal->orphans()[0].call_id, "op-7777");
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(FileDialogJournalTest, ManyOpenDialogsAreNotRewrittenAgainAndAgain) {
  auto journal = Open({.compact_bytes = 1000});
  for (int i = 0; i < 500; ++i) journal->Opened(Leg(static_cast<uint32_t>(i)), Dialog(i));
  for (int i = 0; i < 500; ++i) journal->Closed(Leg(static_cast<uint32_t>(i)));
  EXPECT_LT(journal->compactions(), 20u);
}

TEST_F(FileDialogJournalTest, AnOversizedDialogIsLeftOut) {
  auto journal = Open();
  DialogState dialog = Dialog(0);
  dialog.route_set.assign(10'000, std::string(60, 'r'));
  journal->Opened(Leg(0), dialog);
  journal->Opened(Leg(1), Dialog(1));
  journal->Closed(Leg(0));
  EXPECT_EQ(journal->write_errors(), 1u);
  journal.reset();
  EXPECT_EQ(Open()->orphans().size(), 1u);
}

TEST_F(FileDialogJournalTest, WriteThatFailsLeavesTheRestSound) {
  // A limit on the file's size stands in for a full disk; in a child, for it binds the process.
  const pid_t child = fork();
  if (child == 0) {
    NullLog log;
    auto journal = FileDialogJournal::Open(path_, log);
    if (!journal.ok()) _exit(1);
    (*journal)->Opened(Leg(0), Dialog(0));
    signal(SIGXFSZ, SIG_IGN);
    const rlim_t limit = (*journal)->file_bytes() + 10;
    const rlimit file_size{limit, RLIM_INFINITY};
    if (setrlimit(RLIMIT_FSIZE, &file_size) != 0) _exit(1);
    (*journal)->Opened(Leg(1), Dialog(1));
    if ((*journal)->write_errors() != 1) _exit(3);
    const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
    if (setrlimit(RLIMIT_FSIZE, &none) != 0) _exit(1);
    (*journal)->Opened(Leg(2), Dialog(2));
    _exit((*journal)->write_errors() == 1 ? 0 : 4);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  ASSERT_EQ(WEXITSTATUS(status), 0);
  auto journal = Open();
  EXPECT_EQ(journal->orphans().size(), 2u);
  EXPECT_EQ(journal->skipped(), 0u);
}

TEST_F(FileDialogJournalTest, ADirectoryThatIsNotThereIsAnError) {
  const auto journal = FileDialogJournal::Open(directory_ + "/none/dialogs", log_);
  EXPECT_FALSE(journal.ok());
}

TEST_F(FileDialogJournalTest, ReadsNoMoreThanItMay) {
  {
    auto journal = Open();
    for (int i = 0; i < 100; ++i) journal->Opened(Leg(static_cast<uint32_t>(i)), Dialog(i));
  }
  auto journal = Open({.read_max = 2000});
  EXPECT_LT(journal->orphans().size(), 20u);
  EXPECT_GE(journal->skipped(), 1u);
}

}  // namespace
}  // namespace outpace::call
