#pragma once

// An evidence log that keeps its events in memory, and can fail.

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/audit/audit_log.h"

namespace outpace::runtime {

class FakeAudit final : public audit::AuditSink {
 public:
  using AuditSink::Append;
  absl::Status Append(audit::Event event, Done done) override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!refuse_.ok()) return refuse_;
      if (many_wait_ && done == nullptr) return absl::ResourceExhaustedError("too many wait");
      events_.push_back(std::move(event));
    }
    if (done) std::move(done)(absl::OkStatus());
    return absl::OkStatus();
  }
  absl::Status Ready() const override { return broken_; }

  // Append() is refused so from now on.
  void Refuse(absl::Status status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    refuse_ = std::move(status);
  }
  // Events without `done` are refused.
  void LetManyWait() {
    const std::lock_guard<std::mutex> lock(mutex_);
    many_wait_ = true;
  }
  void Break(absl::Status status) {
    broken_ = status;
    Refuse(std::move(status));
  }
  std::vector<audit::Event> events(absl::string_view kind = "") const {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<audit::Event> found;
    for (const audit::Event& event : events_) {
      if (kind.empty() || event.kind == kind) found.push_back(event);
    }
    return found;
  }
  // The last of a kind; an empty one if there is none.
  audit::Event Last(absl::string_view kind) const {
    const std::vector<audit::Event> found = events(kind);
    return found.empty() ? audit::Event() : found.back();
  }
  // All of it as text, to look for what must not be there.
  std::string Text() const {
    std::string text;
    for (audit::Event event : events()) {
      event.at = absl::UnixEpoch();
      text += audit::BodyOf(1, event) + "\n";
    }
    return text;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<audit::Event> events_;
  absl::Status refuse_, broken_;
  bool many_wait_ = false;
};

}  // namespace outpace::runtime
