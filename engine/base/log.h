#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/string_view.h"
#include "engine/base/ids.h"

namespace outpace {

enum class Severity { kDebug, kInfo, kWarning, kError };

// One name and value of a log line. Values are numbers, flags or text; text is escaped by the sink.
// A phone number is never a value: log the lead or attempt id instead.
struct LogField {
  using Value = std::variant<int64_t, double, bool, std::string>;
  absl::string_view name;
  Value value;

  LogField(absl::string_view n, int v) : name(n), value(static_cast<int64_t>(v)) {}
  LogField(absl::string_view n, int64_t v) : name(n), value(v) {}
  LogField(absl::string_view n, uint64_t v) : name(n), value(static_cast<int64_t>(v)) {}
  LogField(absl::string_view n, uint32_t v) : name(n), value(static_cast<int64_t>(v)) {}
  LogField(absl::string_view n, double v) : name(n), value(v) {}
  LogField(absl::string_view n, bool v) : name(n), value(v) {}
  LogField(absl::string_view n, absl::string_view v) : name(n), value(std::string(v)) {}
  LogField(absl::string_view n, const std::string& v) : name(n), value(v) {}
  LogField(absl::string_view n, const char* v) : name(n), value(std::string(v)) {}
  template <typename Tag>
  LogField(absl::string_view n, StrongId<Tag> v)
      : name(n), value(static_cast<int64_t>(v.value())) {}
};

// Where structured log lines go. Thread safe; never blocks on the disk (the real one is
// asynchronous and drops with a count when its queue is full).
class Log {
 public:
  virtual ~Log() = default;
  // `event` is a dotted name that does not change from release to release: "leg.answered".
  virtual void Write(Severity severity, absl::string_view event,
                     std::initializer_list<LogField> fields) = 0;
  // Whether lines of this severity are kept: where a line costs more to make than to drop.
  virtual bool Wants(Severity /*severity*/) const { return true; }
  void Debug(absl::string_view event, std::initializer_list<LogField> fields = {}) {
    Write(Severity::kDebug, event, fields);
  }
  void Info(absl::string_view event, std::initializer_list<LogField> fields = {}) {
    Write(Severity::kInfo, event, fields);
  }
  void Warning(absl::string_view event, std::initializer_list<LogField> fields = {}) {
    Write(Severity::kWarning, event, fields);
  }
  void Error(absl::string_view event, std::initializer_list<LogField> fields = {}) {
    Write(Severity::kError, event, fields);
  }
};

// Drops every line: for tests and for programs that print instead of log.
class NullLog final : public Log {
 public:
  void Write(Severity, absl::string_view, std::initializer_list<LogField>) override {}
};

}  // namespace outpace
