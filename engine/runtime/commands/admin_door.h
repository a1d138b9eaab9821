#pragma once

// One way in to Admin for commands that ask more than once: the engine's control socket when one
// runs on the data directory, else the store itself, opened once.

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/runtime/config.h"

namespace outpace::runtime {

class AdminDoor {
 public:
  // Errors of the configuration, or of the store where no engine runs.
  static absl::StatusOr<std::unique_ptr<AdminDoor>> Open(const std::string& config_path);
  ~AdminDoor();

  // As Admin::Run(). Paths among the arguments may be relative to the caller's directory.
  // InvalidArgument too: a text among them is not UTF-8.
  absl::StatusOr<nlohmann::ordered_json> Run(absl::string_view operation,
                                             const nlohmann::ordered_json& arguments);
  const Config& config() const;

 private:
  struct Impl;
  explicit AdminDoor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace outpace::runtime
