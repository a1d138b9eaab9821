#include "tests/e2e/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "tools/farend/reactor.h"

extern char** environ;

namespace outpace::e2e {
namespace {

constexpr char kSetpriv[] = "/usr/bin/setpriv";  // of util-linux, an essential package

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> Environment(const std::vector<std::string>& ours) {
  std::vector<std::string> all = ours;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const absl::string_view text(*entry);
    const absl::string_view name = text.substr(0, text.find('=') + 1);
    bool replaced = false;
    for (const std::string& own : ours) replaced |= absl::StartsWith(own, name);
    if (!replaced) all.emplace_back(text);
  }
  return all;
}

}  // namespace

MonoTime MonoNow() { return farend::SystemClock().Mono(); }
absl::Time WallNow() { return farend::SystemClock().Wall(); }

absl::StatusOr<std::unique_ptr<Process>> Process::Start(const std::vector<std::string>& arguments,
                                                        const ProcessOptions& options) {
  std::vector<std::string> line;
  if (::access(kSetpriv, X_OK) == 0) line = {kSetpriv, "--pdeathsig", "KILL", "--"};
  line.insert(line.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = Environment(options.environment);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  const auto path_or_null = [](const std::string& path) {
    return path.empty() ? "/dev/null" : path.c_str();
  };
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, path_or_null(options.stdout_path),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_addopen(&files, 2, path_or_null(options.stderr_path),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, line[0].c_str(), &files, nullptr, Pointers(line).data(),
                                 Pointers(environment).data());
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) return absl::ErrnoToStatus(error, absl::StrCat("cannot start ", arguments[0]));
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  OUTPACE_CHECK(pidfd >= 0);
  return std::unique_ptr<Process>(new Process(pid, pidfd));
}

Process::~Process() {
  if (!exit_code_) {
    Signal(SIGKILL);
    Wait(absl::InfiniteDuration());
  }
  ::close(pidfd_);
}

void Process::Signal(int signal) const {
  if (!exit_code_) ::syscall(SYS_pidfd_send_signal, pidfd_, signal, nullptr, 0);
}

std::optional<int> Process::Wait(absl::Duration timeout) {
  if (exit_code_) return exit_code_;
  pollfd ended{pidfd_, POLLIN, 0};
  const int wait_ms = timeout == absl::InfiniteDuration()
                          ? -1
                          : static_cast<int>(absl::ToInt64Milliseconds(timeout));
  if (::poll(&ended, 1, wait_ms) <= 0) return std::nullopt;
  int status = 0;
  OUTPACE_CHECK(::waitpid(pid_, &status, 0) == pid_);
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return exit_code_;
}

std::string OutpaceProgram() {
  const char* path = std::getenv("OUTPACE_BINARY");
  return path != nullptr && *path != '\0' ? path : OUTPACE_BINARY;
}

std::string ReadFileOr(const std::string& path, absl::string_view otherwise) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::string(otherwise);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void WriteFileOrDie(const std::string& path, absl::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
  OUTPACE_CHECK(file.flush().good());
}

TempDir::TempDir() {
  const char* base = std::getenv("TMPDIR");
  path_ = absl::StrCat(base != nullptr && *base != '\0' ? base : "/tmp", "/outpace-e2e-XXXXXX");
  OUTPACE_CHECK(::mkdtemp(path_.data()) != nullptr);
}

TempDir::~TempDir() {
  if (std::getenv("OUTPACE_KEEP_E2E") != nullptr) {
    std::fprintf(stderr, "kept: %s\n", path_.c_str());
    return;
  }
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::operator/(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

}  // namespace outpace::e2e
