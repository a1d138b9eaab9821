#include "dnc/registry_file.h"

#include <sys/stat.h>
#include <unistd.h>
#define XXH_INLINE_ALL  // files are made here with hashes that fit and contents that do not
#include <xxhash.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::dnc {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

class RegistryFileTest : public ::testing::Test {
 protected:
  RegistryFileTest() {
    std::string name = (std::filesystem::temp_directory_path() / "registry-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~RegistryFileTest() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return absl::StrCat(directory_, "/", name); }
  std::shared_ptr<const RegistryFile> Write(const std::vector<uint64_t>& numbers,
                                            const std::string& name = "us.dnc") {
    NumberSet set;
    set.AddMany(numbers);
    const absl::Status written =
        WriteRegistryFile(set, {name, "a test", absl::CivilDay(2026, 11, 1)}, Path(name));
    EXPECT_TRUE(written.ok()) << written;
    auto file = RegistryFile::Open(Path(name));
    EXPECT_TRUE(file.ok()) << file.status();
    return file.ok() ? *file : nullptr;
  }

  std::string directory_;
};

// Stretches of every form, far apart, with what lies beside each listed number asked too.
std::vector<uint64_t> Mixed(uint64_t seed) {
  Rng rng(seed);
  std::set<uint64_t> numbers;
  for (const auto& [first, count] :
       std::vector<std::pair<uint64_t, size_t>>{{12'025'550'000, 40'000},
                                                {8'613'800'000'000, 2'000},
                                                {442'071'838'000, 900},
                                                {4'930'123'000'000, 30},
                                                {12'000'000'000, 12'000}}) {
    for (size_t i = 0; i < count; ++i) numbers.insert(first + rng.Below(130'000));
  }
  numbers.insert((uint64_t{1} << 50) - 1);
  numbers.insert(0);
  return {numbers.begin(), numbers.end()};
}

TEST_F(RegistryFileTest, HoldsExactlyWhatWasWritten) {
  const std::vector<uint64_t> numbers = Mixed(1);
  const auto file = Write(numbers);
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->size(), numbers.size());
  EXPECT_EQ(file->info().name, "us.dnc");
  EXPECT_EQ(file->info().source, "a test");
  EXPECT_EQ(file->info().obtained, absl::CivilDay(2026, 11, 1));
  EXPECT_TRUE(file->Verify().ok());
  std::vector<uint64_t> read;
  file->ForEach([&read](uint64_t number) { read.push_back(number); });
  EXPECT_THAT(read, ElementsAreArray(numbers));
  const std::set<uint64_t> truth(numbers.begin(), numbers.end());
  for (const uint64_t number : numbers) {
    for (uint64_t asked = number < 2 ? 0 : number - 2; asked <= number + 2; ++asked) {
      EXPECT_EQ(file->Contains(asked), truth.contains(asked)) << asked - number;
    }
  }
}

TEST_F(RegistryFileTest, OfNoNumbersHasNone) {
  const auto file = Write({});
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->size(), 0u);
  EXPECT_FALSE(file->Contains(12'025'550'143));
  EXPECT_TRUE(file->Verify().ok());
}

// A newer copy takes the place of one that is in use.
TEST_F(RegistryFileTest, ANewerCopyLeavesTheMappedOneAsItWas) {
  const auto old_copy = Write({12'025'550'143});
  const auto new_copy = Write({12'025'550'144});
  ASSERT_TRUE(old_copy != nullptr && new_copy != nullptr);
  EXPECT_TRUE(old_copy->Contains(12'025'550'143));
  EXPECT_FALSE(old_copy->Contains(12'025'550'144));
  EXPECT_FALSE(new_copy->Contains(12'025'550'143));
  EXPECT_TRUE(new_copy->Contains(12'025'550'144));
}

TEST_F(RegistryFileTest, DifferencesAreThoseOfTheSets) {
  const std::vector<uint64_t> before = Mixed(1), after = Mixed(2);
  const auto old_copy = Write(before, "old.dnc"), new_copy = Write(after, "new.dnc");
  ASSERT_TRUE(old_copy != nullptr && new_copy != nullptr);
  std::vector<uint64_t> added, removed, added_expected, removed_expected;
  DiffRegistries(*old_copy, *new_copy, [&](uint64_t number, bool is_new) {
    (is_new ? added : removed).push_back(number);
  });
  std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                      std::back_inserter(added_expected));
  std::set_difference(before.begin(), before.end(), after.begin(), after.end(),
                      std::back_inserter(removed_expected));
  EXPECT_GT(added.size(), 10'000u);
  EXPECT_EQ(added, added_expected);
  EXPECT_EQ(removed, removed_expected);
}

// Any octet that is not as it was written is found, when the file is opened or when it is verified;
// a number is never looked up in an index that is damaged.
TEST_F(RegistryFileTest, DamageIsFound) {
  ASSERT_NE(Write({12'025'550'143, 12'025'550'144, 8'613'800'000'001}), nullptr);
  std::ifstream in(Path("us.dnc"), std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  const auto opened_as = [&](const std::string& octets) {
    std::ofstream(Path("bad.dnc"), std::ios::binary) << octets;
    auto file = RegistryFile::Open(Path("bad.dnc"));
    return file.ok() ? (*file)->Verify() : file.status();
  };
  ASSERT_TRUE(opened_as(whole).ok());
  size_t looked_at = 0;
  for (size_t at = 0; at < whole.size(); at += at < 80 ? 1 : 11) {
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    EXPECT_EQ(opened_as(bad).code(), absl::StatusCode::kDataLoss) << "octet " << at;
    ++looked_at;
  }
  EXPECT_GT(looked_at, 400u);
  for (const size_t length : {size_t{0}, size_t{100}, size_t{4'096}, whole.size() - 1}) {
    EXPECT_EQ(opened_as(whole.substr(0, length)).code(), absl::StatusCode::kDataLoss) << length;
  }
  EXPECT_THAT(opened_as(whole + "x").message(), HasSubstr("import the registry again"));
}

// Keys that lie close together are found by their distance, those far apart by hash (Mixed() has
// both ends of what a set can hold): the answers are the same.
TEST_F(RegistryFileTest, NumbersOfOneCountryAreFoundToo) {
  Rng rng(3);
  std::set<uint64_t> truth;
  for (int i = 0; i < 20'000; ++i) truth.insert(12'000'000'000 + rng.Below(7'900'000'000));
  const auto file = Write({truth.begin(), truth.end()});
  ASSERT_NE(file, nullptr);
  ASSERT_TRUE(file->Verify().ok());
  for (const uint64_t number : truth) {
    EXPECT_TRUE(file->Contains(number));
    EXPECT_EQ(file->Contains(number + 1), truth.contains(number + 1));
  }
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t number = rng.Below(uint64_t{1} << 50);
    EXPECT_EQ(file->Contains(number), truth.contains(number));
  }
  EXPECT_FALSE(file->Contains(0));
  EXPECT_FALSE(file->Contains(*truth.begin() - 4'194'304));
  EXPECT_FALSE(file->Contains(*truth.rbegin() + 4'194'304));
}

// Whoever writes into a file in use changes answers: `cp` over it has to fail.
TEST_F(RegistryFileTest, NobodyMayWriteIntoIt) {
  ASSERT_NE(Write({12'025'550'143}), nullptr);
  struct stat about {};
  ASSERT_EQ(::stat(Path("us.dnc").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0400u);
  std::ofstream(Path("us.dnc.part")) << "of a run that was killed";
  ::chmod(Path("us.dnc.part").c_str(), 0400);
  EXPECT_NE(Write({12'025'550'144}), nullptr) << "its own rights are not in the way";
}

TEST_F(RegistryFileTest, APipeAndADirectoryAreNoRegistries) {
  ASSERT_EQ(::mkfifo(Path("pipe.dnc").c_str(), 0600), 0);
  EXPECT_FALSE(RegistryFile::Open(Path("pipe.dnc")).ok());
  std::filesystem::create_directory(Path("directory.dnc"));
  EXPECT_FALSE(RegistryFile::Open(Path("directory.dnc")).ok());
}

// Made by somebody who knows the format: hashes fit, and what they cover does not. Nothing is read
// that is not there.
TEST_F(RegistryFileTest, ContentsThatContradictThemselvesAreRefused) {
  ASSERT_NE(Write({12'025'550'143, 12'025'550'144, 8'613'800'000'001}), nullptr);
  std::ifstream in(Path("us.dnc"), std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  // Places in the head, as registry_file.cc has them.
  constexpr size_t kNumbers = 16, kPagesAt = 24, kPageCount = 32, kDataHash = 48, kPageHash = 56,
                   kNameBytes = 64, kSourceBytes = 68, kHeadHash = 4088, kHead = 4096;
  uint64_t pages_at = 0;
  std::memcpy(&pages_at, &whole[kPagesAt], 8);
  const auto opened_as = [&](std::string octets, bool sum_numbers = true) {
    const auto put = [&octets](size_t at, uint64_t hash) { std::memcpy(&octets[at], &hash, 8); };
    if (sum_numbers) {
      put(kDataHash, XXH3_64bits(&octets[kHead], pages_at - kHead));
      put(kPageHash, XXH3_64bits(&octets[pages_at], octets.size() - pages_at));
    }
    put(kHeadHash, XXH3_64bits(octets.data(), kHeadHash));
    std::ofstream(Path("bad.dnc"), std::ios::binary) << octets;
    auto file = RegistryFile::Open(Path("bad.dnc"));
    return file.ok() ? (*file)->Verify() : file.status();
  };
  ASSERT_TRUE(opened_as(whole).ok());
  const auto with = [&whole](size_t at, uint64_t value, size_t bytes) {
    std::string octets = whole;
    std::memcpy(&octets[at], &value, bytes);
    return octets;
  };
  constexpr size_t kPage = 8 + 64 * 4;
  for (const std::string& bad :
       {with(kPagesAt, 0, 8), with(kPagesAt, pages_at - 64, 8), with(kPagesAt, pages_at + 1, 8),
        with(kPagesAt, ~uint64_t{63}, 8), with(kPageCount, 0, 8), with(kPageCount, 3, 8),
        with(kPageCount, uint64_t{1} << 61, 8), with(kNameBytes, 1025, 4),
        with(kSourceBytes, ~uint64_t{0}, 4), with(kNumbers, 4, 8),
        with(pages_at, 1 << 28, 8),                       // a key beyond all numbers
        with(pages_at + kPage, 0, 8),                     // keys out of order
        with(kHead + 4, 65'537, 4),                       // a stretch of more numbers than it spans
        with(kHead + 4, 60'000, 4),                       // one that reaches beyond its end
        with(kHead + 4, 0, 4), with(kHead + 8, 9, 4)}) {  // none; more behind it than in it
    EXPECT_EQ(opened_as(bad, bad != with(kPagesAt, ~uint64_t{63}, 8)).code(),
              absl::StatusCode::kDataLoss);
  }
  // Each slot in turn points to what is no stretch.
  for (size_t slot = 0; slot < 64; ++slot) {
    const size_t at = pages_at + 8 + slot * 4;
    uint32_t there = 0;
    std::memcpy(&there, &whole[at], 4);
    if (there == 0) continue;
    for (const uint32_t place :
         {uint32_t{1}, uint32_t{63} << 2, static_cast<uint32_t>(pages_at / 64) << 2, ~uint32_t{3},
          ~uint32_t{0}, there | 3}) {
      EXPECT_EQ(opened_as(with(at, place, 4)).code(), absl::StatusCode::kDataLoss) << place;
    }
  }
}

TEST_F(RegistryFileTest, WhatCannotBeWrittenLeavesTheOldOne) {
  ASSERT_NE(Write({12'025'550'143}), nullptr);
  std::filesystem::create_directory(Path("us.dnc.part"));  // in the way
  NumberSet set;
  set.Add(12'025'550'999);
  EXPECT_FALSE(WriteRegistryFile(set, {"us", "", absl::CivilDay()}, Path("us.dnc")).ok());
  const auto file = RegistryFile::Open(Path("us.dnc"));
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE((*file)->Contains(12'025'550'143));
  EXPECT_EQ(RegistryFile::Open(Path("none.dnc")).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace outpace::dnc
