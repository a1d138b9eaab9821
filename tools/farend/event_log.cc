#include "tools/farend/event_log.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace outpace::farend {
namespace {

void AppendEscaped(std::string& out, absl::string_view value) {
  out.push_back('"');
  for (const char c : value) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20 || byte >= 0x7f) {
      absl::StrAppendFormat(&out, "\\u%04x", byte);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

}  // namespace

JsonLine::JsonLine(absl::Time at, absl::string_view event) {
  absl::StrAppend(&text_, "{\"t\":", absl::ToUnixMicros(at));
  Text("ev", event);
}

void JsonLine::Name(absl::string_view name) { absl::StrAppend(&text_, ",\"", name, "\":"); }

JsonLine& JsonLine::Text(absl::string_view name, absl::string_view value) {
  Name(name);
  AppendEscaped(text_, value);
  return *this;
}

JsonLine& JsonLine::Number(absl::string_view name, int64_t value) {
  Name(name);
  absl::StrAppend(&text_, value);
  return *this;
}

std::string JsonLine::Take() && {
  text_ += "}\n";
  return std::move(text_);
}

absl::StatusOr<std::unique_ptr<EventLog>> EventLog::Open(const std::string& path) {
  std::FILE* file = nullptr;
  if (path == "-") {
    file = stdout;
  } else if (!path.empty()) {
    file = std::fopen(path.c_str(), "ae");
    if (file == nullptr) {
      return absl::UnavailableError(absl::StrCat("log ", path, ": ", std::strerror(errno),
                                                 "; choose a writable path with --log"));
    }
  }
  return std::unique_ptr<EventLog>(new EventLog(file));
}

EventLog::EventLog(std::FILE* file) : file_(file) {
  if (file_ != nullptr) writer_ = std::thread([this] { Run(); });
}

EventLog::~EventLog() {
  if (file_ == nullptr) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
  writer_.join();
  if (file_ != stdout) std::fclose(file_);
}

void EventLog::Write(JsonLine line) {
  if (file_ == nullptr) return;
  const std::string text = std::move(line).Take();
  const std::lock_guard<std::mutex> lock(mutex_);
  pending_ += text;
}

void EventLog::Flush() {
  if (file_ == nullptr) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (pending_.empty()) return;
  }
  wake_.notify_one();
}

void EventLog::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return closing_ || !pending_.empty(); });
    const std::string batch = std::exchange(pending_, {});
    const bool last = closing_;
    lock.unlock();
    std::fwrite(batch.data(), 1, batch.size(), file_);
    std::fflush(file_);
    lock.lock();
    if (last && pending_.empty()) return;
  }
}

}  // namespace outpace::farend
