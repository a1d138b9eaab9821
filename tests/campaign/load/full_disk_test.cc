// A disk without room, as the load meets it: a limit on the size of files stands for it, and the
// error of a write is the same to the code. Nothing is stored, the reason is told, and when there
// is room again the same store takes the same file.

#include <stdlib.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/load/loader.h"
#include "campaign/load/seen_keys.h"
#include "campaign/load/temp_file.h"
#include "campaign/store/rocks_lead_store.h"
#include "gmock/gmock.h"
#include "tests/campaign/load/load_fixture.h"

namespace outpace::load {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// While it lives no file of this process can grow beyond `octets`.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t octets) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);  // else the signal ends the process
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit limit = {octets, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FileSizeLimit() {
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before_), 0);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int) = SIG_DFL;
};

TEST(FullDisk, ATemporaryFileTellsIt) {
  auto file = TempFile::Make(testing::TempDir());
  ASSERT_TRUE(file.ok()) << file.status();
  absl::Status status;
  {
    const FileSizeLimit limit(256 * 1024);
    (*file)->Append(std::string(1024 * 1024, 'x'));
    status = (*file)->Finish();
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("TMPDIR"));
}

TEST(FullDisk, KeysThatNeedAFileTellIt) {
  SeenKeys seen(10, testing::TempDir());
  std::vector<SeenKey> keys;
  std::vector<uint64_t> earlier;
  for (uint64_t i = 1; i <= 60'000; ++i) keys.push_back({i, 0, i});
  absl::Status status;
  {
    const FileSizeLimit limit(256 * 1024);
    status = seen.CheckAndAdd(keys, earlier);
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

TEST(FullDisk, TheStoreTakesNothingAndThenAll) {
  std::string directory = (std::filesystem::temp_directory_path() / "full_disk.XXXXXX").string();
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  {
    auto opened = store::RocksLeadStore::Open({.path = directory + "/store"});
    ASSERT_TRUE(opened.ok()) << opened.status();
    campaign::LeadStore& store = **opened;
    campaign::StoreBatch batch;
    batch.lists.push_back({.id = ListId(7), .name = "test", .campaign = "DEMO"});
    ASSERT_TRUE(store.Commit(batch).ok());
    std::string text = "phone,name\n";
    for (int i = 0; i < 40'000; ++i) {
      absl::StrAppend(&text, 2'025'200'000 + i % 400 * 10'000 + i / 400 * 131, ",name ", i, "\n");
    }
    LoadOptions options;
    options.list = ListId(7);
    options.campaign = "DEMO";
    FixedClock clock;
    const auto load = [&] {
      return LoadLeads(*MemorySource(text), options, dnc::DncSet(), store, clock, LoadHooks());
    };
    absl::Status status;
    {
      const FileSizeLimit limit(128 * 1024);
      status = load().status();
    }
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(std::string(status.message()), HasSubstr("File too large")) << status;
    EXPECT_EQ(store.Lists()->at(0).leads, 0);
    EXPECT_THAT(store.Imports().value(), IsEmpty());
    const auto report = load();
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_GT(report->counts.accepted, 30'000u);
    EXPECT_EQ(store.Lists()->at(0).leads, static_cast<int64_t>(report->counts.accepted));
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace outpace::load
