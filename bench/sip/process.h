#pragma once

// Programs under test: started without a shell, killed with the object (and by the kernel when the
// bench dies), and what the kernel says of their CPU and memory.

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace outpace::bench {

class Child {
 public:
  // `arguments[0]` is the path of the program. Standard output and error go to the ends of the
  // files (empty: /dev/null); `environment` is added to ours, as "NAME=value".
  static absl::StatusOr<std::unique_ptr<Child>> Start(
      const std::vector<std::string>& arguments, const std::string& out, const std::string& err,
      const std::vector<std::string>& environment = {});
  ~Child();  // SIGKILL, and waits for the end
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // Exit code, or 128 + signal; nullopt: still runs after `timeout`.
  std::optional<int> Wait(absl::Duration timeout);

 private:
  explicit Child(pid_t pid, int pidfd) : pid_(pid), pidfd_(pidfd) {}
  const pid_t pid_;
  const int pidfd_;
  std::optional<int> code_;
};

// CPU of a process since its start, in seconds.
struct CpuUse {
  double user = 0, sys = 0;               // of the sum, as the clock ticks share it
  double user_ticks = 0, sys_ticks = 0;   // the kernel's coarse counts
  std::map<std::string, double> threads;  // by thread name, user and sys together
  double sum() const { return user + sys; }
  void Share(double seconds);  // sets user and sys from the ticks
};
// The sum is the scheduler's own count in nanoseconds, of the threads that live; user and sys share
// it as the kernel's clock ticks say. Zero when the process is gone.
CpuUse CpuOf(pid_t pid);
CpuUse operator-(const CpuUse& later, const CpuUse& earlier);

int64_t RssKiB(pid_t pid);

// A directory under $TMPDIR (or /tmp) that goes away with the object, unless SIP_BENCH_KEEP is set.
class WorkDir {
 public:
  WorkDir();
  ~WorkDir();
  WorkDir(const WorkDir&) = delete;
  WorkDir& operator=(const WorkDir&) = delete;
  std::string operator/(absl::string_view name) const;

 private:
  std::string path_;
};

std::string ReadFile(const std::string& path);  // empty when it is not there
void WriteFile(const std::string& path, absl::string_view bytes);

// Waits, for a program that has nothing else to do meanwhile.
void Pause(absl::Duration duration);

}  // namespace outpace::bench
