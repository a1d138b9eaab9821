#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/base/log.h"

namespace outpace::runtime {

// Log lines as JSON, one a line, written by a background thread (spdlog). When its queue is full
// the oldest lines are overwritten rather than a caller kept waiting.
class JsonLog final : public Log {
 public:
  // `file` empty: standard error. `level`: debug, info, warning, error. Unavailable when the file
  // cannot be opened for appending.
  static absl::StatusOr<std::unique_ptr<JsonLog>> Open(const std::string& file,
                                                       const std::string& level);
  ~JsonLog() override;  // writes what waits
  void Write(Severity severity, absl::string_view event,
             std::initializer_list<LogField> fields) override;
  bool Wants(Severity severity) const override;
  // Lines below a warning wait in a buffer: for a timer, a few times a second.
  void Flush();

 private:
  struct Impl;
  explicit JsonLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace outpace::runtime
