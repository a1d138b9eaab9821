#pragma once

// The dialog journal as an append-only file. After kill -9 the next process reads which dialogs
// were up and ends them. One write(2) a record: the page cache survives the process, so nothing
// waits for the disk. Each record carries its length and a CRC-32, so a torn tail or a damaged
// stretch is skipped and counted, never believed and never fatal.
//
// Format, little endian: "OPDJ", u32 payload bytes, u32 CRC-32 of the payload, payload. Payload: u8
// kind (1 opened, 2 closed), u16 shard, u32 index, u32 generation; opened adds u32 cseq, then the
// strings call_id, from_uri, from_tag, to_uri, to_tag, remote_target, next_hop as u32 length and
// bytes, then u32 count and the route set.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/base/ids.h"
#include "engine/base/log.h"
#include "engine/call/dialog_journal.h"

namespace outpace::call {

// What a journal's bytes say. Any bytes will do.
struct JournalContents {
  absl::btree_map<LegId, DialogState> open;
  uint64_t records = 0;  // read and believed
  uint64_t skipped = 0;  // damaged stretches
};
JournalContents ParseDialogJournal(absl::string_view bytes);

class FileDialogJournal final : public DialogJournal {
 public:
  struct Options {
    uint64_t compact_bytes = 4 << 20;  // rewrite when the file is longer and half of it is past
    uint64_t read_max = 256ull << 20;  // of an old file; what is beyond counts as skipped
  };

  // Reads the journal at `path` (none is fine) and starts a fresh one by writing a new file beside
  // it and renaming it. The dialogs found stay in the fresh file until EndedOrphans(): a process
  // that dies before it has ended them leaves them to the next. One journal a shard; the thread
  // that opens it may be another than the shard's. Errors are those of the file system.
  static absl::StatusOr<std::unique_ptr<FileDialogJournal>> Open(const std::string& path, Log& log,
                                                                 Options options);
  static absl::StatusOr<std::unique_ptr<FileDialogJournal>> Open(const std::string& path,
                                                                 Log& log) {
    return Open(path, log, Options());
  }
  ~FileDialogJournal() override;
  FileDialogJournal(const FileDialogJournal&) = delete;
  FileDialogJournal& operator=(const FileDialogJournal&) = delete;

  // Dialogs that the previous process left up, in the order of their legs.
  const std::vector<DialogState>& orphans() const { return orphans_; }
  // Their BYEs are on the way: forget them.
  void EndedOrphans();

  // A write that fails (disk full) is counted and logged, and the call goes on: it is only a
  // restart that would not know of this dialog.
  void Opened(LegId leg, const DialogState& dialog) override;
  void Closed(LegId leg) override;

  size_t open_dialogs() const { return open_.size(); }
  uint64_t file_bytes() const { return bytes_; }
  uint64_t skipped() const { return skipped_; }  // damaged stretches of the old file
  uint64_t write_errors() const { return write_errors_; }
  uint64_t compactions() const { return compactions_; }

 private:
  FileDialogJournal(std::string path, Log& log, Options options);
  // Writes a new file with what is open and puts it in the old one's place.
  absl::Status Rewrite();
  void Append(absl::string_view record);
  void CompactIfWorthIt();

  const std::string path_;
  Log& log_;
  const Options options_;
  int fd_ = -1;
  uint64_t bytes_ = 0;
  uint64_t open_bytes_ = 0;  // of the records of what is open
  // The opening record of each dialog that is up, as it stands in the file.
  absl::btree_map<LegId, std::string> open_;
  std::vector<DialogState> orphans_;
  std::vector<LegId> orphan_legs_;  // the names they go by in the fresh file
  uint64_t skipped_ = 0;
  uint64_t write_errors_ = 0;
  uint64_t compactions_ = 0;
};

}  // namespace outpace::call
