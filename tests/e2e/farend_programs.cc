#include "tests/e2e/farend_programs.h"

#include <csignal>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace outpace::e2e {

absl::StatusOr<std::unique_ptr<FarEndProgram>> FarEndProgram::Start(
    const Engine& engine, const std::string& name, std::vector<std::string> arguments,
    const std::string& first_words) {
  auto program = std::make_unique<FarEndProgram>();
  program->log_path_ = engine.dir() / absl::StrCat(name, ".jsonl");
  program->out_path_ = engine.dir() / absl::StrCat(name, ".out");
  arguments.insert(arguments.begin(), OutpaceProgram());
  arguments.insert(arguments.end(), {"--log", program->log_path_});
  ProcessOptions options;
  options.stdout_path = options.stderr_path = program->out_path_;
  auto process = Process::Start(arguments, options);
  if (!process.ok()) return process.status();
  program->process_ = *std::move(process);
  const Deadline deadline(absl::Seconds(20));
  while (!absl::StrContains(ReadFileOr(program->out_path_), first_words)) {
    if (deadline.passed() || program->process_->Wait(absl::Milliseconds(20))) {
      return absl::UnavailableError(absl::StrCat(name, ": ", ReadFileOr(program->out_path_)));
    }
  }
  return program;
}

absl::StatusOr<std::unique_ptr<FarEndProgram>> FarEndProgram::Carrier(const Engine& engine,
                                                                      const std::string& scenario) {
  const std::string path = engine.dir() / "scenario.toml";
  WriteFileOrDie(path, scenario);
  return Start(engine, "carrier",
               {"carrier", "--listen", absl::StrCat("127.0.0.1:", engine.far_end_port()),
                "--scenario", path},
               "listening on");
}

absl::StatusOr<std::unique_ptr<FarEndProgram>> FarEndProgram::Agents(
    const Engine& engine, int count, const std::vector<std::string>& arguments,
    const std::string& campaign, const std::string& prefix) {
  std::vector<std::string> all = {"agent",      "--simulate",    absl::StrCat(count),
                                  "--url",      engine.Url(),    "--password",
                                  "secret",     "--user-prefix", prefix,
                                  "--campaign", campaign};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return Start(engine, absl::StrCat("agents_", prefix), std::move(all), "working for");
}

absl::StatusOr<int> FarEndProgram::Stop(absl::Duration timeout) {
  process_->Signal(SIGTERM);
  const std::optional<int> code = process_->Wait(timeout);
  if (!code) return absl::DeadlineExceededError(absl::StrCat(log_path_, ": does not end"));
  return *code;
}

}  // namespace outpace::e2e
