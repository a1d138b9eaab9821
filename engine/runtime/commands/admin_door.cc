#include "engine/runtime/commands/admin_door.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/load/utf8.h"
#include "campaign/number_info.h"
#include "campaign/rules/rule_book.h"
#include "campaign/store/rocks_lead_store.h"
#include "engine/api/http_client.h"
#include "engine/runtime/admin.h"
#include "engine/runtime/evidence.h"
#include "engine/runtime/real_clock.h"
#include "engine/runtime/registry_shelf.h"

namespace outpace::runtime {
namespace {

using Json = nlohmann::ordered_json;

constexpr absl::string_view kArguments = "arguments";

// Of an answer that is an error: its message under its own code, as far as HTTP kept it.
absl::Status ErrorOf(const api::HttpResponse& response, const Json& body) {
  std::string message = absl::StrCat("the engine answered ", response.status);
  std::string code;
  if (body.is_object() && body.contains("error")) {
    message = body["error"].value("message", message);
    code = body["error"].value("code", code);
  }
  if (code == "CANCELLED") return absl::CancelledError(message);
  if (code == "NOT_FOUND") return absl::NotFoundError(message);
  return absl::FailedPreconditionError(message);
}

// A relative path means the caller's directory, not the engine's.
Json WithAbsolutePaths(const Json& arguments) {
  Json absolute = arguments;
  const auto complete = [](Json& value) {
    if (!value.is_string()) return;
    const std::string path = value;
    if (path.empty() || path[0] == '/') return;
    char* here = ::getcwd(nullptr, 0);
    value = absl::StrCat(here == nullptr ? "." : here, "/", path);
    std::free(here);
  };
  for (const char* name : {"path", "rejects"}) {
    if (absolute.contains(name)) complete(absolute[name]);
  }
  if (absolute.contains("paths") && absolute["paths"].is_array()) {
    for (Json& path : absolute["paths"]) complete(path);
  }
  return absolute;
}

// Every text of the arguments, names of members too, must be UTF-8: JSON can hold nothing else. The
// value is not repeated: a terminal could not show it.
absl::Status CheckTexts(const Json& arguments, absl::string_view name) {
  const auto refuse = [name] {
    return absl::InvalidArgumentError(absl::StrCat(
        name,
        ": holds bytes that are not UTF-8; give a file another name (mv), and type other "
        "texts on a terminal set to UTF-8 (LANG=C.UTF-8)"));
  };
  if (arguments.is_string()) {
    const auto& text = arguments.get_ref<const std::string&>();
    return load::CheckUtf8(text) == load::Utf8::kValid ? absl::OkStatus() : refuse();
  }
  if (!arguments.is_structured()) return absl::OkStatus();
  for (const auto& [member, value] : arguments.items()) {
    if (load::CheckUtf8(member) != load::Utf8::kValid) return refuse();
    const bool named = arguments.is_object() && name == kArguments;
    if (absl::Status s = CheckTexts(value, named ? member : std::string(name)); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace

struct AdminDoor::Impl {
  Config config;
  std::unique_ptr<api::HttpClient> engine;
  bool engine_answers = false;
  // Without an engine:
  RealClock clock;
  NullLog no_log;
  std::unique_ptr<store::RocksLeadStore> store;
  std::unique_ptr<RegistryShelf> registries;
  std::unique_ptr<Evidence> evidence;
  std::unique_ptr<Admin> admin;

  absl::Status OpenStore() {
    if (!config.number_tables_directory.empty()) {
      absl::Status s = campaign::LoadNumberTables(config.number_tables_directory);
      if (!s.ok()) return s;
    }
    if (!config.rules_directory.empty()) {
      absl::Status s = rules::LoadRules(config.rules_directory);
      if (!s.ok()) return s;
    }
    store::RocksStoreOptions options;
    options.path = config.StorePath();
    options.now = clock.Wall();
    auto opened = store::RocksLeadStore::Open(options);
    if (!opened.ok()) return opened.status();
    store = *std::move(opened);
    if (store->journal_bytes_dropped() > 0) {
      std::fprintf(
          stderr,
          "outpace: the last %lld bytes of the journal of %s were damaged and are dropped; "
          "unless the machine lost power, have its disk looked at\n",
          static_cast<long long>(store->journal_bytes_dropped()),  // NOLINT
          options.path.c_str());
    }
    auto log = Evidence::Open(config, clock, no_log);
    if (!log.ok()) return log.status();
    evidence = *std::move(log);
    registries = std::make_unique<RegistryShelf>(config.RegistriesPath());
    // A damaged one stops what asks it, and not the command that puts a whole one in its place.
    registries->Load().IgnoreError();
    AdminHooks hooks;
    hooks.rocks = store.get();
    hooks.registries = registries.get();
    hooks.actor = CommandActor();
    hooks.audit = &evidence->log();
    hooks.number_mark = [this](E164 number) { return evidence->MarkOf(number); };
    admin = std::make_unique<Admin>(*store, clock, std::move(hooks));
    return absl::OkStatus();
  }
};

AdminDoor::AdminDoor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AdminDoor::~AdminDoor() = default;

absl::StatusOr<std::unique_ptr<AdminDoor>> AdminDoor::Open(const std::string& config_path) {
  auto config = LoadConfig(config_path);
  if (!config.ok()) return config.status();
  auto impl = std::make_unique<Impl>();
  impl->config = *std::move(config);
  // Some answers are long in coming; the engine answers when all is on disk.
  impl->engine =
      api::HttpClient::Create(absl::StrCat("unix:", impl->config.SocketPath()), absl::Hours(6));
  return std::unique_ptr<AdminDoor>(new AdminDoor(std::move(impl)));
}

const Config& AdminDoor::config() const { return impl_->config; }

absl::StatusOr<Json> AdminDoor::Run(absl::string_view operation, const Json& arguments) {
  const Json absolute = WithAbsolutePaths(arguments);
  if (absl::Status s = CheckTexts(absolute, kArguments); !s.ok()) return s;
  if (impl_->admin == nullptr) {
    auto response = impl_->engine->Send("POST", absl::StrCat("/v1/admin/", operation),
                                        absolute.dump(), {{"content-type", "application/json"}});
    if (response.ok()) {
      impl_->engine_answers = true;
      Json body = Json::parse(response->body, nullptr, false);
      if (response->status == 200 && body.is_object()) return body;
      return ErrorOf(*response, body);
    }
    if (!absl::IsUnavailable(response.status())) return response.status();
    if (impl_->engine_answers) {
      return absl::UnavailableError("the engine has ended meanwhile; see: outpace import list");
    }
    // Nobody listens: no engine runs on this data directory.
    if (absl::Status s = impl_->OpenStore(); !s.ok()) return s;
  }
  return impl_->admin->Run(operation, absolute);
}

}  // namespace outpace::runtime
