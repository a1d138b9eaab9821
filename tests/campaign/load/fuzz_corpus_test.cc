// The corpus of tests/fuzz/csv_fuzz.cc as a plain test: every seed whole, and seeds broken in ways
// that have broken importers: octets flipped, cut, doubled, pasted together.

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"
#include "tests/campaign/load/load_fixture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace outpace::load {
namespace {

void FuzzOne(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

std::vector<std::string> Seeds(size_t size_max) {
  std::vector<std::string> paths, out;
  for (const char* folder : {OUTPACE_TEST_DATA "/csv-hostile", OUTPACE_TEST_DATA "/csv-fuzz"}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".csv") paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    std::ifstream in(path, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (bytes.size() <= size_max) out.push_back(std::move(bytes));
  }
  return out;
}

TEST(CsvFuzz, EverySeed) {
  const std::vector<std::string> seeds = Seeds(size_t{1} << 30);
  ASSERT_GE(seeds.size(), 68u);
  for (const std::string& seed : seeds) FuzzOne(seed);
}

TEST(CsvFuzz, BrokenSeeds) {
  const std::vector<std::string> seeds = Seeds(4096);
  const char kSpice[] = "\",;\t|\r\n\0\x1a\xff\xfe\xef\xbb\xbf=+'0123456789";
  const std::string spice(kSpice, sizeof(kSpice) - 1);
  for (uint64_t seed = 0; seed < 6000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
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
    FuzzOne(bytes);
  }
}

}  // namespace
}  // namespace outpace::load
