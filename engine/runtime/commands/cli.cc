#include "engine/runtime/commands/cli.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "campaign/store/rocks_lead_store.h"
#include "engine/api/http_client.h"
#include "engine/runtime/admin.h"
#include "engine/runtime/real_clock.h"

namespace outpace::runtime {
namespace {

using Json = nlohmann::ordered_json;

// The running engine's answer; Unavailable when none runs on this data directory.
absl::StatusOr<Json> AskEngine(const Config& config, absl::string_view operation,
                               const Json& arguments) {
  // An import may take long; the engine answers when all rows are on disk.
  auto client = api::HttpClient::Create(absl::StrCat("unix:", config.SocketPath()), absl::Hours(6));
  auto response = client->Send("POST", absl::StrCat("/v1/admin/", operation), arguments.dump(),
                               {{"content-type", "application/json"}});
  if (!response.ok()) return response.status();
  Json body = Json::parse(response->body, nullptr, false);
  if (response->status == 200 && body.is_object()) return body;
  std::string message = absl::StrCat("the engine answered ", response->status);
  if (body.is_object() && body.contains("error")) {
    message = body["error"].value("message", message);
  }
  return absl::FailedPreconditionError(message);
}

}  // namespace

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
  auto config = LoadConfig(config_path);
  if (!config.ok()) return config.status();
  // A relative path means the caller's directory, not the engine's.
  Json absolute = arguments;
  for (const char* name : {"path", "rejects"}) {
    if (!absolute.contains(name)) continue;
    const std::string path = absolute[name];
    if (path.empty() || path[0] == '/') continue;
    char* here = ::getcwd(nullptr, 0);
    absolute[name] = absl::StrCat(here == nullptr ? "." : here, "/", path);
    std::free(here);
  }
  auto answer = AskEngine(*config, operation, absolute);
  if (answer.ok() || answer.status().code() != absl::StatusCode::kUnavailable) return answer;
  RealClock clock;
  store::RocksStoreOptions options;
  options.path = config->StorePath();
  options.now = clock.Wall();
  auto store = store::RocksLeadStore::Open(options);
  if (!store.ok()) return store.status();
  return Admin(**store, clock, AdminHooks()).Run(operation, absolute);
}

int RunAdmin(const std::string& config_path, absl::string_view operation, const Json& arguments) {
  auto answer = AskAdmin(config_path, operation, arguments);
  if (!answer.ok()) return Fail(answer.status());
  std::fputs(answer->value("text", std::string()).c_str(), stdout);
  return answer->value("incomplete", false) ? kFailed : kDone;
}

}  // namespace outpace::runtime
