#include "engine/runtime/commands/cli.h"

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "engine/runtime/commands/admin_door.h"

namespace outpace::runtime {
using Json = nlohmann::ordered_json;

std::string DefaultConfigPath() {
  const char* path = std::getenv("OUTPACE_CONFIG");
  return path != nullptr && *path != '\0' ? path : "outpace.toml";
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "outpace: %s\n", std::string(status.message()).c_str());
  return kFailed;
}

int Misuse(absl::string_view command, absl::string_view what) {
  std::fprintf(stderr, "outpace: %s\nUsage: %s   (more with --help)\n", std::string(what).c_str(),
               std::string(command).c_str());
  return kUsage;
}

absl::StatusOr<Json> AskAdmin(const std::string& config_path, absl::string_view operation,
                              const Json& arguments) {
  auto door = AdminDoor::Open(config_path);
  if (!door.ok()) return door.status();
  return (*door)->Run(operation, arguments);
}

int RunAdmin(const std::string& config_path, absl::string_view operation, const Json& arguments) {
  auto answer = AskAdmin(config_path, operation, arguments);
  if (!answer.ok()) return Fail(answer.status());
  std::fputs(answer->value("text", std::string()).c_str(), stdout);
  return answer->value("incomplete", false) ? kFailed : kDone;
}

}  // namespace outpace::runtime
