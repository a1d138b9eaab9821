#include "engine/base/posix_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace {
namespace {

using ::testing::HasSubstr;

TEST(FileErrorTest, SaysWhatToDoAndIsNeverSuccess) {
  EXPECT_EQ(FileError("audit", "/x", "opened", EACCES).message(),
            "audit: /x cannot be opened: Permission denied; give this user the right to it");
  EXPECT_TRUE(absl::IsNotFound(FileError("", "/x", "opened", ENOENT)));
  EXPECT_TRUE(absl::IsResourceExhausted(FileError("", "/x", "written", EDQUOT)));
  EXPECT_THAT(std::string(FileError("", "/x", "written", ENOSPC).message()),
              HasSubstr("free space"));
  EXPECT_TRUE(absl::IsFailedPrecondition(FileError("", "/x", "opened", ELOOP)));
  EXPECT_TRUE(absl::IsAlreadyExists(FileError("", "/x", "made", EEXIST)));
  EXPECT_TRUE(absl::IsUnavailable(FileError("", "/x", "written", EIO)));
  EXPECT_FALSE(FileError("", "/x", "written", 0).ok()) << "a write that fell short sets no errno";
}

TEST(DescriptorTest, ClosesOnceAndMoves) {
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  const int raw = fds[0];
  const auto open = [raw] { return ::fcntl(raw, F_GETFD) >= 0; };
  {
    Descriptor a(fds[0]);
    Descriptor b(std::move(a));
    EXPECT_EQ(a.get(), -1);
    EXPECT_TRUE(open());
    Descriptor c;
    c = std::move(b);
    EXPECT_EQ(c.get(), raw);
  }
  EXPECT_FALSE(open());
  Descriptor kept(fds[1]);
  EXPECT_EQ(kept.release(), fds[1]);
  ::close(fds[1]);
}

TEST(MakeDirectoriesTest, MakesThoseThatAreMissing) {
  std::string root = (std::filesystem::temp_directory_path() / "posix-XXXXXX").string();
  ASSERT_NE(::mkdtemp(root.data()), nullptr);
  const std::string path = root + "/a/b/c";
  ASSERT_TRUE(MakeDirectories("test", path, 0700).ok());
  ASSERT_TRUE(MakeDirectories("test", path, 0700).ok()) << "they are there";
  struct stat about {};
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700u);
  EXPECT_EQ(DirectoryOf(path), root + "/a/b/");
  EXPECT_EQ(DirectoryOf("x"), ".");
  EXPECT_TRUE(SyncDirectory("test", DirectoryOf(path)).ok());
  EXPECT_TRUE(absl::IsNotFound(SyncDirectory("test", root + "/none")));
  ASSERT_EQ(::symlink("nowhere", (root + "/link").c_str()), 0);
  EXPECT_FALSE(MakeDirectories("test", root + "/link/x", 0700).ok());
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace outpace
