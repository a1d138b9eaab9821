// A load is killed at fifty points, from its first piece to the moment in which its leads become
// visible. Whatever the point: the store opens and is whole, it has none of the leads or all of
// them, and running the load again comes to what an undisturbed one does, with no lead lost and
// none twice.

#include <poll.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/load/loader.h"
#include "campaign/store/rocks_lead_store.h"
#include "engine/base/rng.h"
#include "gtest/gtest.h"
#include "tests/campaign/load/load_fixture.h"
#include "tests/campaign/store/child.h"

namespace outpace::load {
namespace {

namespace fs = std::filesystem;

constexpr int kRows = 200'000;
// Of the rows: every 50th has the number of the row 25 before, every 40th has none.
constexpr uint64_t kAccepted = kRows - kRows / 50 - kRows / 40 + kRows / 200;

std::string ListText() {
  std::string text = "phone,name\n";
  for (int i = 0; i < kRows; ++i) {
    const int number = i % 50 == 49 ? i - 25 : i;
    absl::StrAppend(&text,
                    i % 40 == 39 ? "911"
                                 : absl::StrCat(2'022'200'000 + number / 1000 % 80 * 10'000 +
                                                number % 1000 + number / 80'000 * 1000),
                    ",name ", i, "\n");
  }
  return text;
}

// What a store has to tell of the load, but for the ids of its leads.
struct Outcome {
  campaign::ImportCounts counts;
  std::map<std::string, uint64_t> by_code;
  std::vector<uint64_t> numbers;  // sorted
};

class LoadKillTest : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "load_kill.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory = pattern;
    std::ofstream(file()) << ListText();
  }
  void TearDown() override { fs::remove_all(directory); }

  std::string file() const { return directory + "/list.csv"; }
  std::string path() const { return directory + "/store"; }

  void MakeStore() {
    fs::remove_all(path());
    const auto store = store::RocksLeadStore::Open({.path = path()});
    ASSERT_TRUE(store.ok()) << store.status();
    campaign::StoreBatch batch;
    batch.lists.push_back({.id = ListId(7), .name = "test", .campaign = "DEMO"});
    ASSERT_TRUE((*store)->Commit(batch).ok());
  }

  // Opens and checks the store.
  Outcome Look() {
    Outcome out;
    const auto store = store::RocksLeadStore::Open({.path = path()});
    EXPECT_TRUE(store.ok()) << store.status();
    if (!store.ok()) return out;
    EXPECT_TRUE((*store)->Verify().ok());
    EXPECT_TRUE((*store)
                    ->ForEachPhone([&](const campaign::PhoneUse& use) {
                      out.numbers.push_back(use.phone.value());
                      return true;
                    })
                    .ok());
    const auto imports = (*store)->Imports();
    EXPECT_TRUE(imports.ok());
    EXPECT_LE(imports->size(), 1u);
    EXPECT_EQ(imports->empty(), out.numbers.empty()) << "the record comes with the leads";
    EXPECT_EQ((*store)->Lists()->at(0).leads, static_cast<int64_t>(out.numbers.size()));
    if (!imports->empty()) {
      out.counts = imports->at(0).counts;
      out.by_code = imports->at(0).by_code;
    }
    return out;
  }

  // Runs the load to its end.
  void RunWhole() {
    store::Child child({LOAD_WRITER, path(), file()});
    std::string line;
    while (line.rfind("done", 0) != 0) {
      line = child.ReadLine();
      ASSERT_FALSE(line.empty()) << "the load ended early";
    }
    EXPECT_EQ(line, absl::StrCat("done ", kAccepted));
  }

  // Kills the load once `lines` lines have come, or a little later.
  void RunAndKill(int lines, int later_ms) {
    store::Child child({LOAD_WRITER, path(), file()});
    for (int i = 0; i < lines; ++i) {
      if (child.ReadLine().empty()) break;
    }
    ::poll(nullptr, 0, later_ms);
    child.Kill();
  }

  std::string directory;
};

void ExpectWhole(const Outcome& outcome) {
  EXPECT_EQ(outcome.counts.rows, static_cast<uint64_t>(kRows));
  EXPECT_EQ(outcome.counts.accepted, kAccepted);
  EXPECT_EQ(outcome.by_code.at("DUPLICATE_FILE"), outcome.counts.duplicates_in_file);
  EXPECT_EQ(outcome.by_code.at("E_PHONE_SPECIAL"), outcome.counts.rejected);
  EXPECT_TRUE(outcome.counts.Balanced());
  EXPECT_EQ(outcome.numbers.size(), kAccepted);
  EXPECT_EQ(std::adjacent_find(outcome.numbers.begin(), outcome.numbers.end()),
            outcome.numbers.end())
      << "no number twice";
}

// Five points each, over the load's whole length.
TEST_P(LoadKillTest, NoneOrAllAndThenAllOnce) {
  for (int point = 0; point < 5 && !HasFailure(); ++point) {
    const int seed = GetParam() * 5 + point;
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(static_cast<uint64_t>(seed));
    MakeStore();
    // About twenty pieces, and then the publishing: the last points lie behind it.
    RunAndKill(static_cast<int>(rng.Below(20)),
               static_cast<int>(rng.Below(seed % 2 == 0 ? 3 : 120)));
    const Outcome killed = Look();
    if (!killed.numbers.empty()) ExpectWhole(killed);
    RunWhole();
    ExpectWhole(Look());
  }
}

INSTANTIATE_TEST_SUITE_P(Points, LoadKillTest, testing::Range(0, 10));

}  // namespace
}  // namespace outpace::load
