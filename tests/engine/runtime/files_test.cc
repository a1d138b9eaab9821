#include "engine/runtime/files.h"

#include <unistd.h>

#include <filesystem>

#include "gmock/gmock.h"
#include "scratch.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;

TEST(ReadFile, GivesTheBytes) {
  const Scratch scratch;
  const std::string bytes = std::string("a\0\xff\r\n", 5) + std::string(200'000, 'x');
  const auto read = ReadFile(scratch.Put("f", bytes));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, bytes);
  EXPECT_EQ(ReadFile(scratch.Put("empty", "")).value(), "");
}

TEST(ReadFile, SaysWhatIsWrongAndWhatToDo) {
  const Scratch scratch;
  const auto missing = ReadFile(scratch / "none");
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr(scratch / "none"));
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("check the path"));
  const auto directory = ReadFile(scratch / "");
  EXPECT_EQ(directory.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(directory.status().message()), HasSubstr("name a file"));
}

TEST(ReadFile, SaysWhoMayNotRead) {
  const Scratch scratch;
  const std::string closed = scratch.Put("closed", "x");
  std::filesystem::permissions(closed, std::filesystem::perms::none);
  const uid_t self = geteuid();
  if (self == 0) {  // root may read everything, so another user asks
    std::filesystem::permissions(scratch / "", std::filesystem::perms::all);
    ASSERT_EQ(seteuid(65534), 0);
  }
  const auto denied = ReadFile(closed);
  ASSERT_EQ(seteuid(self), 0);
  EXPECT_EQ(denied.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(denied.status().message()), HasSubstr("give this user the right"));
}

TEST(AtomicFile, AppearsWholeOrNotAtAll) {
  const Scratch scratch;
  const std::string path = scratch.Put("out", "old");
  {
    auto file = AtomicFile::Create(path);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE((*file)->Write(std::string(600'000, 'n')).ok());
    EXPECT_EQ(Scratch::Bytes(path), "old");
  }
  EXPECT_EQ(Scratch::Bytes(path), "old") << "not committed";
  EXPECT_EQ(scratch.Files(), 1u) << "nothing is left beside it";
  auto file = AtomicFile::Create(path);
  ASSERT_TRUE(file.ok());
  std::string wanted;
  for (int i = 0; i < 1000; ++i) {
    const std::string piece(static_cast<size_t>(i), static_cast<char>('a' + i % 26));
    ASSERT_TRUE((*file)->Write(piece).ok());
    wanted += piece;
  }
  ASSERT_TRUE((*file)->Commit().ok());
  EXPECT_EQ(Scratch::Bytes(path), wanted);
  file->reset();
  EXPECT_EQ(Scratch::Bytes(path), wanted);
  EXPECT_EQ(scratch.Files(), 1u);
}

TEST(AtomicFile, ADirectoryThatIsNotThere) {
  const Scratch scratch;
  const auto file = AtomicFile::Create(scratch / "no/out");
  EXPECT_EQ(file.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(file.status().message()), HasSubstr("check the path"));
}

TEST(AtomicFile, ANameThatIsTakenByADirectory) {
  const Scratch scratch;
  std::filesystem::create_directory(scratch / "out");
  auto file = AtomicFile::Create(scratch / "out");
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Write("x").ok());
  EXPECT_FALSE((*file)->Commit().ok());
  file->reset();
  EXPECT_EQ(scratch.Files(), 1u) << "no .part is left";
}

TEST(AtomicFile, AFullDiskIsTold) {
  const Scratch scratch;
  std::filesystem::create_symlink("/dev/full", scratch / "out.part");
  auto file = AtomicFile::Create(scratch / "out");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->Write("x").ok()) << "buffered";
  const absl::Status status = (*file)->Commit();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("free some space"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "out"));
}

}  // namespace
}  // namespace outpace::runtime
