#include "engine/runtime/json_log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/overload.h"

namespace outpace::runtime {
namespace {

spdlog::level::level_enum LevelOf(Severity severity) {
  switch (severity) {
    case Severity::kDebug:
      return spdlog::level::debug;
    case Severity::kInfo:
      return spdlog::level::info;
    case Severity::kWarning:
      return spdlog::level::warn;
    case Severity::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// Log lines are many and short: building a JSON tree for each would cost more than all the rest of
// a line. What is not plain ASCII, or would need an escape, is left to the JSON library.
void AppendText(absl::string_view value, std::string& out) {
  const bool plain = std::all_of(value.begin(), value.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
  });
  if (plain) {
    absl::StrAppend(&out, "\"", value, "\"");
  } else {
    out += nlohmann::json(std::string(value))
               .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
}

void AppendNumber(double value, std::string& out) { out += nlohmann::json(value).dump(); }

}  // namespace

struct JsonLog::Impl {
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};

JsonLog::JsonLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

JsonLog::~JsonLog() { impl_->logger->flush(); }

absl::StatusOr<std::unique_ptr<JsonLog>> JsonLog::Open(const std::string& file,
                                                       const std::string& level) {
  auto impl = std::make_unique<Impl>();
  try {
    std::shared_ptr<spdlog::sinks::sink> sink;
    if (file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
    }
    impl->pool = std::make_shared<spdlog::details::thread_pool>(8192, 1);
    impl->logger = std::make_shared<spdlog::async_logger>(
        "outpace", sink, impl->pool, spdlog::async_overflow_policy::overrun_oldest);
    impl->logger->set_pattern("{\"time\":\"%Y-%m-%dT%H:%M:%S.%f%z\",\"level\":\"%l\",%v}");
    impl->logger->set_level(spdlog::level::from_str(level == "error" ? "err" : level));
    // A write for every line would cost more than the line. What happens every second can wait for
    // Flush(); what went wrong does not.
    impl->logger->flush_on(spdlog::level::warn);
  } catch (const spdlog::spdlog_ex& error) {
    return absl::UnavailableError(
        absl::StrCat("log.file: ", error.what(), "; name a file that may be written"));
  }
  return std::unique_ptr<JsonLog>(new JsonLog(std::move(impl)));
}

void JsonLog::Write(Severity severity, absl::string_view event,
                    std::initializer_list<LogField> fields) {
  if (!Wants(severity)) return;
  // The pattern writes the braces, so that time and level come first.
  std::string text = "\"event\":";
  AppendText(event, text);
  for (const LogField& field : fields) {
    text += ',';
    AppendText(field.name, text);
    text += ':';
    std::visit(Overload{[&](int64_t value) { absl::StrAppend(&text, value); },
                        [&](double value) { AppendNumber(value, text); },
                        [&](bool value) { text += value ? "true" : "false"; },
                        [&](const std::string& value) { AppendText(value, text); }},
               field.value);
  }
  impl_->logger->log(LevelOf(severity), spdlog::string_view_t(text.data(), text.size()));
}

bool JsonLog::Wants(Severity severity) const {
  return impl_->logger->should_log(LevelOf(severity));
}

void JsonLog::Flush() { impl_->logger->flush(); }

}  // namespace outpace::runtime
