#pragma once

// Programs under test: started without a shell, their output kept in files, their end waited for
// with a deadline on a pidfd. Nothing here outlives its test: a program is killed with its object,
// and by the kernel when the test itself dies (setpriv --pdeathsig).

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"

namespace outpace::e2e {

// The machine's monotonic time, for deadlines.
MonoTime MonoNow();
// The machine's wall time, to hold logs of other programs against.
absl::Time WallNow();

// A moment after which a wait gives up.
class Deadline {
 public:
  explicit Deadline(absl::Duration from_now) : at_(MonoNow() + from_now) {}
  absl::Duration left() const { return std::max(at_ - MonoNow(), absl::ZeroDuration()); }
  bool passed() const { return left() == absl::ZeroDuration(); }

 private:
  MonoTime at_;
};

struct ProcessOptions {
  std::string stdout_path;               // empty: /dev/null
  std::string stderr_path;               // may be the same file
  std::vector<std::string> environment;  // "NAME=value", in place of the test's own of that name
};

class Process {
 public:
  // `arguments[0]` is the program; searched in PATH. Unavailable: it cannot be started.
  static absl::StatusOr<std::unique_ptr<Process>> Start(const std::vector<std::string>& arguments,
                                                        const ProcessOptions& options);
  ~Process();  // SIGKILL, and waits for the end
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // Exit code, or 128 + signal; nullopt when it still runs after `timeout`. May be asked again.
  std::optional<int> Wait(absl::Duration timeout);

 private:
  Process(pid_t pid, int pidfd) : pid_(pid), pidfd_(pidfd) {}
  const pid_t pid_;
  const int pidfd_;
  std::optional<int> exit_code_;
};

// The `outpace` program: of this build, or $OUTPACE_BINARY, e.g. an installed one.
std::string OutpaceProgram();

// The whole file; empty when it is not there (yet).
std::string ReadFileOr(const std::string& path, absl::string_view otherwise = "");
void WriteFileOrDie(const std::string& path, absl::string_view bytes);

// A directory that goes away with the object, unless OUTPACE_KEEP_E2E is set.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(absl::string_view name) const;

 private:
  std::string path_;
};

}  // namespace outpace::e2e
