// Holds every source file to the layout table of docs/ARCHITECTURE.md: which folder may include
// which, where third-party headers may stand, and that real time, sleep and unseeded randomness
// stay in the runtime and in the programs that play the outside world.

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace {
namespace {

namespace fs = std::filesystem;

// Folder -> folders it may include beside itself. "*": all but tests.
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"engine/base", {}},
    {"engine/pacing", {"engine/base"}},
    {"engine/agent", {"engine/base"}},
    {"engine/codec", {"engine/base"}},
    {"engine/listen", {"engine/base"}},
    {"engine/record", {"engine/base", "engine/codec"}},
    {"engine/audit", {"engine/base"}},
    {"engine/call", {"engine/base", "engine/listen"}},
    {"engine/trunk", {"engine/base"}},
    {"engine/stir", {"engine/base"}},
    {"engine/resolve", {"engine/base"}},
    {"engine/trace", {"engine/base"}},
    {"engine/sip", {"engine/base", "engine/call", "engine/trace"}},
    {"engine/media",
     {"engine/base", "engine/call", "engine/codec", "engine/listen", "engine/record"}},
    {"engine/api", {"engine/base"}},
    {"engine/sim", {"engine/base", "engine/call", "engine/listen"}},
    {"engine/runtime", {"*"}},
    {"campaign", {"engine/base", "dnc"}},
    {"campaign/gate", {"engine/base", "campaign", "campaign/rules", "dnc"}},
    {"campaign/rules", {"engine/base", "campaign"}},
    {"campaign/filter", {"engine/base", "campaign"}},
    {"campaign/match", {"engine/base", "campaign"}},
    {"campaign/load", {"engine/base", "campaign", "campaign/filter", "dnc"}},
    {"campaign/store", {"engine/base", "campaign", "dnc"}},
    {"campaign/report", {"engine/base", "campaign", "campaign/load"}},
    {"campaign/tier", {"engine/base", "campaign"}},
    {"campaign/qa", {"engine/base", "campaign"}},
    {"dnc", {"engine/base"}},
    {"tools/farend", {"engine/base", "engine/api"}},
    {"tools/reconcile", {"engine/base"}},
    {"bench", {"*"}},
};

// Third-party headers -> the only folders that may see them.
const std::vector<std::pair<std::string, std::set<std::string>>> kThirdParty = {
    {"sofia-sip/", {"engine/sip", "bench"}},  // bench: the bare stack, for comparison
    {"ortp/", {"engine/media", "bench"}},
    {"srtp2/", {"engine/media"}},
    {"ares", {"engine/resolve"}},
    {"curl/", {"engine/runtime"}},
    {"openssl/",
     {"engine/runtime", "engine/sip", "engine/stir", "engine/media", "engine/record",
      "engine/audit", "bench"}},
    {"opus", {"engine/codec", "engine/record"}},
    {"spandsp", {"engine/codec"}},
    {"bctoolbox/", {"engine/media"}},
    {"boost/beast", {"engine/api"}},
    {"boost/asio", {"engine/api", "engine/runtime", "tools/farend"}},
    {"boost/program_options", {"engine/runtime", "tools/farend", "bench"}},
    {"rocksdb/", {"campaign/store", "bench"}},  // bench: bare ingest, for comparison
    {"unicode/", {"campaign/load", "campaign/filter", "campaign/match"}},
    {"phonenumbers/", {"campaign"}},
    {"zip.h", {"campaign/load"}},
    {"expat.h", {"campaign/load"}},
    {"xxhash.h", {"campaign/load", "dnc"}},
    {"boost/spirit", {"campaign/filter"}},
    {"re2/", {"campaign/filter"}},
    {"spdlog/", {"engine/runtime"}},
    {"prometheus/", {"engine/runtime"}},
    {"toml++/", {"engine/runtime", "campaign/rules", "tools/farend"}},
    {"benchmark/", {"bench"}},
    {"gtest/", {}},
    {"gmock/", {}},
};

// Folders that stand for the machine or the outside world.
const std::set<std::string> kRealTime = {"engine/runtime", "tools/farend", "tools/reconcile",
                                         "bench"};
const std::regex kForbidden(
    R"(\babsl::Now\(|\bGetCurrentTimeNanos|(steady|system|high_resolution)_clock::now|\bsleep_(for|until)\b|\bSleepFor\(|\busleep\(|\bnanosleep\(|\brandom_device\b|\bclock_gettime\(|\bgettimeofday\(|\bBitGen\b)");

std::string FolderOf(const std::string& path) {
  std::string best;
  for (const auto& [folder, unused] : kMayInclude) {
    if (absl::StartsWith(path, folder + "/") && folder.size() > best.size()) best = folder;
  }
  return best;
}

bool IsComment(const std::string& line) {
  const size_t first = line.find_first_not_of(" \t");
  return first != std::string::npos && line.compare(first, 2, "//") == 0;
}

// What is wrong with one file; `path` is relative to the root.
std::vector<std::string> CheckFile(const std::string& path, const std::string& text) {
  std::vector<std::string> faults;
  const std::string folder = FolderOf(path);
  if (folder.empty()) return {absl::StrCat(path, ": lies in a folder the layout does not know")};
  const std::set<std::string>& allowed = kMayInclude.at(folder);
  std::istringstream lines(text);
  std::string line;
  static const std::regex kInclude(R"(^\s*#\s*include\s*["<]([^">]+)[">])");
  for (int number = 1; std::getline(lines, line); ++number) {
    const std::string where = absl::StrCat(path, ":", number, ": ");
    std::smatch match;
    if (std::regex_search(line, match, kInclude)) {
      const std::string header = match[1];
      const std::string target = FolderOf(header);
      if (absl::StartsWith(header, "tests/")) faults.push_back(where + "includes a test");
      if (!target.empty() && target != folder && !allowed.contains("*") &&
          !allowed.contains(target)) {
        faults.push_back(absl::StrCat(where, folder, " may not include ", target));
      }
      for (const auto& [prefix, folders] : kThirdParty) {
        if (absl::StartsWith(header, prefix) && !folders.contains(folder)) {
          faults.push_back(absl::StrCat(where, header, " belongs behind its one adapter"));
        }
      }
    } else if (!kRealTime.contains(folder) && !IsComment(line) &&
               std::regex_search(line, match, kForbidden)) {
      faults.push_back(absl::StrCat(
          where, match.str(), " belongs to engine/runtime; take a Clock, ", "Loop or Rng instead"));
    }
  }
  return faults;
}

std::vector<std::string> CheckTree(const fs::path& root) {
  std::vector<std::string> faults;
  for (const char* top : {"engine", "campaign", "dnc", "tools", "bench"}) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / top)) {
      const std::string extension = entry.path().extension();
      if (extension != ".h" && extension != ".cc") continue;
      std::ifstream file(entry.path());
      const std::string text((std::istreambuf_iterator<char>(file)), {});
      for (std::string& fault : CheckFile(fs::relative(entry.path(), root).string(), text)) {
        faults.push_back(std::move(fault));
      }
    }
  }
  return faults;
}

TEST(SourceCheck, TheTreeKeepsToItsLayout) {
  EXPECT_THAT(CheckTree(OUTPACE_SOURCE_DIR), ::testing::IsEmpty());
}

// Tests may use real sockets and wait with deadlines, but they never sleep.
TEST(SourceCheck, TestsNeverSleep) {
  static const std::regex kSleep(R"(\bsleep_(for|until)\b|\bSleepFor\(|\busleep\(|\bnanosleep\()");
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(OUTPACE_SOURCE_DIR) / "tests")) {
    if (entry.path().extension() != ".cc" && entry.path().extension() != ".h") continue;
    if (entry.path().filename() == "source_check_test.cc") continue;
    std::ifstream file(entry.path());
    int number = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      EXPECT_FALSE(std::regex_search(line, kSleep)) << entry.path() << ":" << number;
    }
  }
}

TEST(SourceCheck, FindsWhatIsForbidden) {
  EXPECT_THAT(
      CheckFile("engine/pacing/x.cc", "#include \"engine/call/call_shard.h\"\n"),
      ::testing::ElementsAre(::testing::HasSubstr("x.cc:1: engine/pacing may not include")));
  EXPECT_THAT(CheckFile("engine/call/x.cc", "#include <sofia-sip/nta.h>\n"), ::testing::SizeIs(1));
  EXPECT_THAT(CheckFile("engine/call/x.cc", "auto t = absl::Now();\n"), ::testing::SizeIs(1));
  EXPECT_THAT(CheckFile("campaign/x.cc", "std::this_thread::sleep_for(d);\n"),
              ::testing::SizeIs(1));
  EXPECT_THAT(CheckFile("attic/x.cc", ""), ::testing::SizeIs(1));
  EXPECT_THAT(
      CheckFile("engine/runtime/x.cc", "#include \"engine/sip/sofia_loop.h\"\nabsl::Now();\n"),
      ::testing::IsEmpty());
}

}  // namespace
}  // namespace outpace
