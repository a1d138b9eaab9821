// The corpus of one fuzz target as a plain test, for builds without clang: every file whole, and
// files broken in ways that have broken parsers: octets changed, cut, doubled, pasted together.
// OUTPACE_CORPUS is the folder.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace outpace {
namespace {

constexpr uint64_t kBroken = 2'000;

void FeedOne(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

std::vector<std::string> Seeds() {
  std::vector<std::string> paths, seeds;
  for (const auto& entry : std::filesystem::directory_iterator(OUTPACE_CORPUS)) {
    paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    std::ifstream file(path, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return seeds;
}

TEST(Corpus, EveryFile) {
  const std::vector<std::string> seeds = Seeds();
  ASSERT_GE(seeds.size(), 8u);
  for (const std::string& seed : seeds) FeedOne(seed);
}

TEST(Corpus, BrokenFiles) {
  const std::vector<std::string> seeds = Seeds();
  const std::string spice("\",;:=\\\r\n\t \0\xff\xfe%<>@[]()0123456789", 37);
  for (uint64_t number = 0; number < kBroken; ++number) {
    SCOPED_TRACE(absl::StrCat("seed=", number));
    Rng rng(number);
    std::string bytes = seeds[rng.Below(seeds.size())];
    for (uint64_t i = 0, n = 1 + rng.Below(6); i < n; ++i) {
      const size_t at = rng.Below(bytes.size() + 1);
      switch (rng.Below(5)) {
        case 0:
          if (at < bytes.size()) bytes[at] = static_cast<char>(rng.Below(256));
          break;
        case 1:
          bytes.insert(at, 1 + rng.Below(3), spice[rng.Below(spice.size())]);
          break;
        case 2:
          bytes.erase(at, rng.Below(20));
          break;
        case 3:
          bytes.insert(at, bytes.substr(rng.Below(bytes.size() + 1), rng.Below(200)));
          break;
        default:
          bytes += seeds[rng.Below(seeds.size())];
      }
    }
    FeedOne(bytes);
  }
}

}  // namespace
}  // namespace outpace
