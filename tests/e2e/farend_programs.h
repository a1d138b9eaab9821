#pragma once

// `outpace carrier` and `outpace agent --simulate` as programs beside the engine: they outlive its
// death, and their logs are the evidence about it.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "tests/e2e/engine_fixture.h"

namespace outpace::e2e {

class FarEndProgram {
 public:
  // `outpace carrier` on the engine's far-end port with this scenario file's text.
  static absl::StatusOr<std::unique_ptr<FarEndProgram>> Carrier(const Engine& engine,
                                                                const std::string& scenario);
  // `count` agents of a campaign, a1, a2, ... by `prefix`; `arguments`: further options.
  static absl::StatusOr<std::unique_ptr<FarEndProgram>> Agents(
      const Engine& engine, int count, const std::vector<std::string>& arguments,
      const std::string& campaign = "DEMO", const std::string& prefix = "a");

  std::vector<nlohmann::json> Log() const { return ReadJsonLines(log_path_); }
  const std::string& log_path() const { return log_path_; }
  // SIGTERM; its exit code. DeadlineExceeded: it goes on.
  absl::StatusOr<int> Stop(absl::Duration timeout);
  Process& process() { return *process_; }

 private:
  static absl::StatusOr<std::unique_ptr<FarEndProgram>> Start(const Engine& engine,
                                                              const std::string& name,
                                                              std::vector<std::string> arguments,
                                                              const std::string& first_words);
  std::string log_path_, out_path_;
  std::unique_ptr<Process> process_;
};

}  // namespace outpace::e2e
