#pragma once

// The JSON-lines logs of docs/CARRIER.md. Lines are built on the thread where things happen and
// handed, a batch at a time, to a thread that does nothing but write: a slow disk never delays a
// SIP answer.

#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace outpace::farend {

// {"t":1700000000000000,"ev":"invite","call_id":"...","status":180}. Bytes that are not ASCII are
// written as \u00xx, so that a line is valid JSON whatever a peer puts into its Call-ID.
class JsonLine {
 public:
  JsonLine(absl::Time at, absl::string_view event);
  JsonLine& Text(absl::string_view name, absl::string_view value);
  JsonLine& Number(absl::string_view name, int64_t value);
  // The line with its newline. Ends the building.
  std::string Take() &&;

 private:
  void Name(absl::string_view name);
  std::string text_;
};

class EventLog {
 public:
  // `path` "-": standard output; "": writes nothing. An existing file is continued.
  // Unavailable with the path and the reason when it cannot be opened.
  static absl::StatusOr<std::unique_ptr<EventLog>> Open(const std::string& path);
  ~EventLog();  // writes what is left
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  // Any thread.
  void Write(JsonLine line);
  // Wakes the writer; call it at the end of a batch. Any thread.
  void Flush();

 private:
  explicit EventLog(std::FILE* file);
  void Run();

  std::FILE* const file_;  // nullptr: drop
  std::mutex mutex_;
  std::condition_variable wake_;
  std::string pending_;  // guarded by mutex_
  bool closing_ = false;
  std::thread writer_;
};

}  // namespace outpace::farend
