#pragma once

// Writes the log: one thread, one call after another, each waiting for the disk. AuditLog puts a
// queue and a thread in front of it.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/audit/audit_files.h"
#include "engine/audit/chain.h"
#include "engine/audit/event.h"
#include "engine/audit/segment.h"
#include "engine/base/clock.h"

namespace outpace::audit {

struct WriterConfig {
  uint64_t segment_bytes = 64 << 20;  // a new segment is begun beyond
  // A damaged log: true: go on in a new segment that says so, and tell of it in damage(); false:
  // refuse to open.
  bool go_on_after_damage = false;
  bool key_is_new = false;  // the key was made at this start: an empty directory is no wonder
  // Room on the disk that is kept ahead of what is written, so that a disk which becomes full is
  // noticed while what waits can still be written: between this and half of it.
  uint64_t reserve_bytes = 16 << 20;
};

class AuditWriter {
 public:
  // `files` and `clock` outlive the writer.
  AuditWriter(const WriterConfig& config, SealKey key, AuditFiles& files, const Clock& clock);

  // Locks the directory, checks the log from its head on, cuts a last line whose end is missing (a
  // crash came in between), and says in the log what it found. Once, before all others.
  // FailedPrecondition: another engine writes there. DataLoss: the log is damaged; the message says
  // where, what, and what to do.
  absl::Status Open();
  // What was found damaged and gone on after; empty: nothing.
  const std::string& damage() const { return damage_; }

  // The event is taken into the batch; its time must be set. Errors of any call stay: nothing is
  // written after one, as nobody can say what the disk kept.
  absl::Status Add(const Event& event);
  // The batch is on stable storage, and the head says so.
  absl::Status Commit();
  // Removes segments from the front that hold nothing from `before` on, after having said so in the
  // log; never the last. Commits.
  absl::Status Prune(absl::Time before);

  const Head& head() const { return head_; }  // of the last commit
  const absl::Status& status() const { return status_; }
  // An error: the disk is full but for the room that was kept. What is added still fits, up to half
  // of WriterConfig::reserve_bytes; no more should come.
  const absl::Status& room() const { return room_; }

 private:
  absl::Status Recover();
  absl::Status BeginLog();
  absl::Status GoOnAfter(const std::string& what, uint64_t last_seq, const std::string& hash,
                         const std::vector<SegmentName>& segments);
  absl::Status NextSegment(const char* kind, std::vector<Field> about, absl::Time at);
  void Put(const Event& event);  // into the buffer
  absl::Status Flush();          // the buffer into the file
  void KeepRoom();               // ahead of what is written
  absl::Status PutHead();
  absl::Status Keep(absl::Status status);
  Event Own(const char* kind, std::vector<Field> about) const;

  const WriterConfig config_;
  const SealKey key_;
  AuditFiles& files_;
  const Clock& clock_;
  absl::Status status_, room_;
  std::string damage_;
  SegmentName segment_;
  std::unique_ptr<AuditFile> file_;
  uint64_t file_octets_ = 0;  // written and buffered
  uint64_t file_events_ = 0;  // beside its first
  uint64_t reserved_ = 0;     // of the file
  std::string buffer_;
  Head last_;  // of what was added
  Head head_;  // of what is committed
};

}  // namespace outpace::audit
