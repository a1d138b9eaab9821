#pragma once

// A machine whose power can be cut and whose disk can fail, for RocksDB: files live in memory, and
// what was written is kept apart from what was synced. After a power cut only synced bytes are
// left, in files whose directory entry was synced: harsher than ext4, and what POSIX promises. A
// kill -9 test cannot find an acknowledgement that came before its fsync; this can.

#include <rocksdb/env.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/base/rng.h"

namespace outpace::fakes {

class CrashFileSystem;

// Thread safe. Calls that change the disk are counted from 1: create, append, sync, truncate,
// rename, delete, directory sync. Reads are not.
class CrashEnv {
 public:
  CrashEnv();
  ~CrashEnv();

  rocksdb::Env* env() { return env_.get(); }
  int64_t operations() const;

  // Operation `k` and all after it fail and change nothing, until Reboot(): the power is gone.
  void CrashAt(int64_t k);
  bool crashed() const;
  // Only operation `k` fails, with an I/O error; the next ones work. `syncs_only`: k counts syncs.
  void FailOnceAt(int64_t k, bool syncs_only = false);  // 0: none
  bool failed() const;                                  // it has come to that
  // Writes fail with "no space left" once `bytes` more have been appended; -1: never.
  void SetFreeSpace(int64_t bytes);

  // Power back; call it when no database is open. Without `torn` all that was not synced is gone;
  // with it, random parts of it are left, in random pieces.
  void Reboot(Rng* torn = nullptr);

  std::vector<std::string> Files() const;  // full paths, sorted
  size_t SizeOf(const std::string& path) const;
  // Turns the bits of `mask` in one byte of a file; or cuts the file off at `size`.
  void Flip(const std::string& path, size_t offset, uint8_t mask);
  void Cut(const std::string& path, size_t size);

 private:
  std::shared_ptr<CrashFileSystem> files_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace outpace::fakes
