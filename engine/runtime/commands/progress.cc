#include "engine/runtime/commands/progress.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/runtime/import_report.h"
#include "engine/runtime/real_clock.h"

namespace outpace::runtime {
namespace {

using Json = nlohmann::ordered_json;

constexpr absl::Duration kFirstLook = absl::Milliseconds(2), kLook = absl::Milliseconds(250);
constexpr absl::Duration kPlainEvery = absl::Seconds(5);

std::atomic<int> interrupted{0};

void OnInterrupt(int) {
  // The second one is for those who will not wait: as ever, it ends the program.
  if (interrupted.fetch_add(1) > 0) ::_exit(128 + SIGINT);
}

// Takes Ctrl-C and SIGTERM while it lives.
class Interrupts {
 public:
  Interrupts() {
    interrupted = 0;
    struct sigaction action {};
    action.sa_handler = OnInterrupt;  // no SA_RESTART: poll() ends at once
    ::sigaction(SIGINT, &action, &before_int_);
    ::sigaction(SIGTERM, &action, &before_term_);
  }
  ~Interrupts() {
    ::sigaction(SIGINT, &before_int_, nullptr);
    ::sigaction(SIGTERM, &before_term_, nullptr);
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

 private:
  struct sigaction before_int_ {
  }, before_term_{};
};

class ProgressLine {
 public:
  explicit ProgressLine(const Clock& clock) : clock_(clock), shown_(clock.Mono()) {}
  ~ProgressLine() {
    if (width_ > 0) std::fprintf(stderr, "\r%*s\r", static_cast<int>(width_), "");
  }
  void Show(const Json& progress) {
    if (!is_terminal_) {
      if (clock_.Mono() - shown_ < kPlainEvery) return;
      shown_ = clock_.Mono();
      std::fprintf(stderr, "%s\n", ProgressText(progress).c_str());
      return;
    }
    if (progress.value("seconds", 0.0) < 0.3) return;  // gone before anybody has read it
    const std::string text = ProgressText(progress);
    std::fprintf(stderr, "\r%-*s", static_cast<int>(width_), text.c_str());
    std::fflush(stderr);
    width_ = std::max(width_, text.size());
  }

 private:
  const Clock& clock_;
  const bool is_terminal_ = ::isatty(STDERR_FILENO) == 1;
  MonoTime shown_;
  size_t width_ = 0;  // of the longest line so far
};

void Wait(absl::Duration time) {
  ::poll(nullptr, 0, static_cast<int>(absl::ToInt64Milliseconds(time)));
}

}  // namespace

std::string ProgressText(const Json& progress) {
  const double done = progress.value("done", 0.0), total = progress.value("total", 0.0);
  const bool waiting = progress.value("state", std::string()) == "waiting";
  std::string text = absl::StrFormat("%s%s  %3.0f %%", waiting ? "waiting for " : "",
                                     progress.value("what", std::string()),
                                     total > 0 ? 100 * std::min(1.0, done / total) : 0.0);
  if (progress.value("kind", std::string()) == "import") {
    absl::StrAppend(&text, "  ", Grouped(progress.value("rows", uint64_t{0})), " rows  ",
                    Grouped(static_cast<uint64_t>(progress.value("rows_per_second", 0.0))),
                    " a second");
  } else {
    absl::StrAppend(&text, "  ", Grouped(progress.value("done", uint64_t{0})), " leads");
  }
  const auto left = progress.find("seconds_left");
  if (left != progress.end() && left->is_number()) {
    const auto seconds = static_cast<int64_t>(left->get<double>() + 0.5);
    absl::StrAppendFormat(&text, "  %d:%02d left", seconds / 60, seconds % 60);
  }
  return text;
}

namespace {

absl::StatusOr<Json> AskUntilIdle(AdminDoor& door, absl::string_view operation,
                                  const Json& arguments, ProgressLine& line) {
  Json order = arguments;
  order["wait"] = true;
  for (absl::Duration wait = kFirstLook;; wait = std::min(2 * wait, kLook)) {
    absl::StatusOr<Json> answer = door.Run(operation, order);
    if (!answer.ok() || answer->value("state", std::string()) != "waiting") return answer;
    if (interrupted > 0) {
      return absl::CancelledError("cancelled while another job was under way; nothing was done");
    }
    line.Show(*answer);
    Wait(wait);
  }
}

}  // namespace

absl::StatusOr<Json> AskWhenIdle(AdminDoor& door, absl::string_view operation,
                                 const Json& arguments) {
  const Interrupts interrupts;
  const RealClock clock;
  ProgressLine line(clock);
  return AskUntilIdle(door, operation, arguments, line);
}

absl::StatusOr<Json> RunJob(AdminDoor& door, absl::string_view operation, const Json& arguments) {
  const Interrupts interrupts;
  const RealClock clock;
  ProgressLine line(clock);
  const absl::StatusOr<Json> started = AskUntilIdle(door, operation, arguments, line);
  if (!started.ok()) return started.status();
  const Json job = {{"job", started->value("job", uint64_t{0})}};
  bool cancelled = false;
  for (absl::Duration wait = kFirstLook;; wait = std::min(2 * wait, kLook)) {
    auto progress = door.Run("import.progress", job);
    if (!progress.ok()) return progress.status();
    if (progress->value("state", std::string()) != "running") return progress;
    line.Show(*progress);
    if (interrupted > 0 && !cancelled) {
      cancelled = true;
      // It may have ended just now: its answer tells.
      door.Run("import.cancel", job).IgnoreError();
    }
    Wait(wait);
  }
}

}  // namespace outpace::runtime
