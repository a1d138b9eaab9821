#pragma once

#include <sys/stat.h>

#include <cstdlib>
#include <ctime>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace outpace::fakes {

// The clock on the wall of one zone, by the C library: a witness that shares nothing with Abseil.
// One at a time in a process, since the zone is the process's.
class WallClock {
 public:
  explicit WallClock(absl::string_view zone) {
    struct stat info {};
    const std::string path = absl::StrCat("/usr/share/zoneinfo/", zone);
    // Without the file the C library silently takes UTC.
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path << " is missing: install tzdata";
    setenv("TZ", absl::StrCat(":", zone).c_str(), 1);
    tzset();
  }
  ~WallClock() {
    unsetenv("TZ");
    tzset();
  }
  WallClock(const WallClock&) = delete;
  WallClock& operator=(const WallClock&) = delete;
  tm At(time_t seconds) const {
    tm local{};
    localtime_r(&seconds, &local);
    return local;
  }
};

}  // namespace outpace::fakes
