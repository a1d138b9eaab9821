#include "engine/audit/audit_log.h"

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace outpace::audit {
namespace {

// One commit: enough to make a sync cheap, few enough that the head stays near.
constexpr size_t kBatchMax = 2048;

struct Item {
  std::optional<Event> event;
  std::optional<absl::Time> prune_before;
  AuditSink::Done done;
};

}  // namespace

struct AuditLog::Impl {
  Impl(const AuditLogConfig& c, SealKey key, AuditFiles& files, const Clock& clk, Log& l)
      : config(c), clock(clk), log(l), writer(c.writer, std::move(key), files, clk) {}

  // `limited`: refused when the queue is full, or the disk.
  absl::Status Push(Item item, bool limited) {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      if (failed || (limited && !stats.status.ok())) return stats.status;
      if (stop) return absl::FailedPreconditionError("audit: the log is closed");
      if (limited && items.size() >= config.queue_max) {
        ++stats.refused;
        ++lost;
        return absl::ResourceExhaustedError(
            "audit: too many events wait for the disk; is it slow?");
      }
      urgent |= item.done != nullptr;
      items.push_back(std::move(item));
    }
    ready.notify_one();
    return absl::OkStatus();
  }

  void Run() {
    for (;;) {
      std::deque<Item> batch;
      uint64_t refused = 0;
      {
        std::unique_lock<std::mutex> lock(mutex);
        ready.wait(lock, [this] { return stop || !items.empty(); });
        if (items.empty()) break;
        const auto gather = absl::ToChronoMicroseconds(config.gather);
        if (gather.count() > 0) {
          ready.wait_for(lock, gather,
                         [this] { return stop || urgent || items.size() >= kBatchMax; });
        }
        while (!items.empty() && batch.size() < kBatchMax) {
          batch.push_back(std::move(items.front()));
          items.pop_front();
        }
        if (items.empty()) urgent = false;
        in_hand = batch.size();
        refused = std::exchange(lost, 0);
      }
      Write(std::move(batch), refused);
    }
    Event closed{kClosed, "engine", {}, clock.Wall()};
    if (Tell(std::exchange(lost, 0)).ok() && writer.Add(closed).ok()) {
      Settle(writer.Commit(), 1);
      LogHead();
    }
  }

  // The system's log is kept, and often sent, elsewhere: a head in it is a note against which an
  // older copy of the whole directory is found.
  void LogHead() const {
    log.Info("audit.head", {{"seq", writer.head().seq}, {"hash", writer.head().hash}});
  }

  absl::Status Tell(uint64_t refused) {
    if (refused == 0) return absl::OkStatus();
    log.Error("audit.refused", {{"events", refused}});
    return writer.Add({kLost, "engine", {{"count", refused}}, clock.Wall()});
  }

  void Write(std::deque<Item> batch, uint64_t refused) {
    uint64_t events = 0;
    absl::Status status = Tell(refused);
    std::vector<absl::Status> prunes;
    for (Item& item : batch) {
      if (item.event.has_value()) {
        ++events;
        if (status.ok()) status = writer.Add(*item.event);
      } else if (item.prune_before.has_value()) {
        prunes.push_back(writer.Prune(*item.prune_before));
        if (status.ok()) status = writer.status();
        if (!prunes.back().ok()) {
          log.Error("audit.not_pruned", {{"why", prunes.back().message()}});
        }
      }
    }
    if (status.ok()) status = writer.Commit();
    Settle(status, events);
    size_t prune = 0;
    for (Item& item : batch) {
      const absl::Status told = item.prune_before.has_value() ? prunes[prune++] : status;
      if (item.done) std::move(item.done)(status.ok() ? told : status);
    }
  }

  void Settle(const absl::Status& status, uint64_t events) {
    const char* trouble = nullptr;
    absl::Status why;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      in_hand = 0;
      if (status.ok()) {
        stats.written += events;
        stats.head = writer.head();
      }
      if (!status.ok() && !failed) {
        failed = true;
        trouble = "audit.failed";
        why = stats.status = status;
      } else if (stats.status.ok() && !writer.room().ok()) {
        // Nothing is begun any more; what is under way and what waits go into the room that was
        // kept.
        trouble = "audit.disk_full";
        why = stats.status = writer.room();
      }
    }
    if (trouble != nullptr) log.Error(trouble, {{"why", why.message()}});
  }

  const AuditLogConfig config;
  const Clock& clock;
  Log& log;
  AuditWriter writer;        // the thread's
  mutable std::mutex mutex;  // of what follows; held for a push or a swap only, never over the disk
  std::condition_variable ready;
  std::deque<Item> items;
  size_t in_hand = 0;
  uint64_t lost = 0;  // refused and not yet told in the log
  bool urgent = false;  // one of them has somebody who waits: no gathering
  bool failed = false;  // nothing is written any more: stats.status says why
  bool stop = false;
  AuditStats stats;
  std::thread thread;
};

absl::StatusOr<std::unique_ptr<AuditLog>> AuditLog::Open(const AuditLogConfig& config, SealKey key,
                                                         AuditFiles& files, const Clock& clock,
                                                         Log& log) {
  auto impl = std::make_unique<Impl>(config, std::move(key), files, clock, log);
  if (absl::Status status = impl->writer.Open(); !status.ok()) return status;
  if (!impl->writer.damage().empty()) {
    log.Error("audit.chain_broken", {{"what", impl->writer.damage()}});
  }
  impl->stats.head = impl->writer.head();
  impl->stats.status = impl->writer.room();
  impl->LogHead();
  Impl* const raw = impl.get();
  impl->thread = std::thread([raw] { raw->Run(); });
  ::pthread_setname_np(impl->thread.native_handle(), "audit");
  return std::unique_ptr<AuditLog>(new AuditLog(std::move(impl)));
}

AuditLog::AuditLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AuditLog::~AuditLog() { Close(); }

absl::Status AuditLog::Append(Event event, Done done) {
  if (event.at == absl::InfinitePast()) event.at = impl_->clock.Wall();
  const bool limited = done == nullptr;
  return impl_->Push({std::move(event), std::nullopt, std::move(done)}, limited);
}

absl::Status AuditLog::Flush() {
  std::promise<absl::Status> promise;
  const absl::Status pushed = impl_->Push(
      {std::nullopt, std::nullopt, [&](const absl::Status& s) { promise.set_value(s); }},
      /*limited=*/false);
  if (!pushed.ok()) return pushed;
  return promise.get_future().get();
}

absl::Status AuditLog::Prune(absl::Time before, Done done) {
  return impl_->Push({std::nullopt, before, std::move(done)}, /*limited=*/false);
}

AuditStats AuditLog::Stats() const {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  AuditStats stats = impl_->stats;
  stats.waiting = impl_->items.size() + impl_->in_hand;
  return stats;
}

void AuditLog::Close() {
  {
    const std::lock_guard<std::mutex> lock(impl_->mutex);
    impl_->stop = true;
  }
  impl_->ready.notify_one();
  if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace outpace::audit
