// Registries are files, and files are replaced, removed and damaged by whoever may.

#include "engine/runtime/registry_shelf.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::runtime {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class RegistryShelfTest : public ::testing::Test {
 protected:
  ~RegistryShelfTest() override { fs::remove_all(directory_); }

  void Put(uint64_t number, const std::string& name = "us") {
    dnc::NumberSet numbers;
    numbers.Add(number);
    const absl::Status put = shelf_.Put(numbers, {name, "a test", absl::CivilDay(2026, 11, 1)});
    EXPECT_TRUE(put.ok()) << put;
  }
  std::string Path(const std::string& name) const {
    return absl::StrCat(directory_, "/dnc/", name);
  }
  // A registry file of that number, made elsewhere.
  std::string Made(uint64_t number) const {
    dnc::NumberSet numbers;
    numbers.Add(number);
    const std::string path = directory_ + "/made.dnc";
    EXPECT_TRUE(
        dnc::WriteRegistryFile(numbers, {"us", "by hand", absl::CivilDay(2026, 11, 2)}, path).ok());
    return path;
  }
  static std::string Bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // As somebody does who may write to anything: into the file itself. What is mapped must not
  // become shorter here, which would end the test.
  static void WriteInto(const std::string& path, const std::string& bytes) {
    fs::permissions(path, fs::perms::owner_write, fs::perm_options::add);
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file << bytes;
    ASSERT_TRUE(file.flush().good());
    file.close();
    fs::last_write_time(path, fs::last_write_time(path) + std::chrono::seconds(1));
  }
  bool Holds(uint64_t number) const {
    for (const auto& registry : shelf_.All()) {
      if (registry->Contains(number)) return true;
    }
    return false;
  }

  static std::string NewDirectory() {
    std::string name = (fs::temp_directory_path() / "shelf-XXXXXX").string();
    return ::mkdtemp(name.data());
  }

  const std::string directory_ = NewDirectory();
  RegistryShelf shelf_{directory_ + "/dnc"};
};

TEST_F(RegistryShelfTest, NothingChangesByItself) {
  EXPECT_FALSE(*shelf_.Refresh());
  Put(12'025'550'143);
  Put(12'025'550'144);
  EXPECT_FALSE(*shelf_.Refresh()) << "what it has written itself is no news";
}

TEST_F(RegistryShelfTest, AFileMovedIntoItsPlaceIsTakenOver) {
  Put(12'025'550'143);
  fs::rename(Made(12'025'550'144), Path("us.dnc"));
  const auto changed = shelf_.Refresh();
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_TRUE(*changed);
  EXPECT_TRUE(Holds(12'025'550'144));
  EXPECT_FALSE(Holds(12'025'550'143));
  EXPECT_FALSE(*shelf_.Refresh());
}

TEST_F(RegistryShelfTest, AFileWrittenIntoIsTakenOverIfItIsWhole) {
  Put(12'025'550'143);
  const std::string next = Bytes(Made(12'025'550'144));
  ASSERT_EQ(next.size(), fs::file_size(Path("us.dnc")));
  WriteInto(Path("us.dnc"), next);
  const auto changed = shelf_.Refresh();
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_TRUE(*changed);
  EXPECT_TRUE(Holds(12'025'550'144));
}

TEST_F(RegistryShelfTest, AFileWrittenIntoThatIsNoRegistryIsTheEnd) {
  Put(12'025'550'143);
  WriteInto(Path("us.dnc"), "something else");
  const auto changed = shelf_.Refresh();
  EXPECT_TRUE(absl::IsDataLoss(changed.status())) << changed.status();
  EXPECT_THAT(std::string(changed.status().message()), HasSubstr("us.dnc"));
}

// What was opened is whole whatever its name says now.
TEST_F(RegistryShelfTest, ADamagedSuccessorOrNoneLeavesTheOldInForce) {
  Put(12'025'550'143);
  fs::remove(Path("us.dnc"));
  std::ofstream(Path("us.dnc")) << "half a download";
  auto changed = shelf_.Refresh();
  EXPECT_TRUE(absl::IsFailedPrecondition(changed.status())) << changed.status();
  EXPECT_TRUE(Holds(12'025'550'143));
  EXPECT_TRUE(shelf_.Refresh().ok()) << "told once";
  fs::remove(Path("us.dnc"));
  changed = shelf_.Refresh();
  EXPECT_TRUE(absl::IsNotFound(changed.status())) << changed.status();
  EXPECT_THAT(std::string(changed.status().message()), HasSubstr("outpace dnc registry remove us"));
  EXPECT_TRUE(shelf_.Refresh().ok());
  EXPECT_TRUE(Holds(12'025'550'143));
  EXPECT_TRUE(shelf_.Remove("us").ok());
  EXPECT_FALSE(Holds(12'025'550'143));
}

// Every octet counts, not the index alone: a number that is not found is rung.
TEST_F(RegistryShelfTest, DamagedNumbersAreFoundAtTheStartAndTheOthersAreThere) {
  Put(12'025'550'143, "us");
  Put(442'071'838'750, "gb");
  std::string bytes = Bytes(Path("us.dnc"));
  bytes[4096 + 16] ^= 1;  // the number itself
  fs::remove(Path("us.dnc"));
  std::ofstream(Path("us.dnc"), std::ios::binary) << bytes;
  RegistryShelf next(directory_ + "/dnc");
  const absl::Status loaded = next.Load();
  EXPECT_TRUE(absl::IsDataLoss(loaded)) << loaded;
  EXPECT_THAT(std::string(loaded.message()), HasSubstr("/us.dnc: "));
  EXPECT_EQ(next.Health(), loaded);
  ASSERT_EQ(next.All().size(), 1u);
  EXPECT_EQ(next.All()[0]->info().name, "gb");
  ASSERT_TRUE(next.Remove("us").ok());
  EXPECT_TRUE(next.Health().ok());
  EXPECT_FALSE(fs::exists(Path("us.dnc")));
}

// A copy that somebody has put aside in the same directory is one more registry, not a second of
// that name which comes and goes with the first.
TEST_F(RegistryShelfTest, AFileIsKnownByItsOwnName) {
  Put(12'025'550'143);
  fs::copy_file(Path("us.dnc"), Path("us-old.dnc"));
  RegistryShelf next(directory_ + "/dnc");
  ASSERT_TRUE(next.Load().ok());
  EXPECT_EQ(next.All().size(), 2u);
  ASSERT_TRUE(next.Remove("us").ok());
  ASSERT_EQ(next.All().size(), 1u);
  EXPECT_TRUE(fs::exists(Path("us-old.dnc")));
  EXPECT_TRUE(next.Remove("us-old").ok());
  EXPECT_EQ(next.Remove("us-old").code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace outpace::runtime
