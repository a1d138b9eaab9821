#pragma once

// Files of one load, in RocksDB's own form, written beside the database and taken over by it later.
// Included by the .cc files of the RocksDB store only.

#include <rocksdb/sst_file_writer.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "campaign/store/rocks_db.h"

namespace outpace::store {

// One file of rising keys of one family, synced when it is finished. One thread at a time.
class BulkFile {
 public:
  // Makes nothing yet: a file begins with its first key. `db` must outlive this.
  BulkFile(const RocksDb& db, Family family, std::string path);
  ~BulkFile();

  // Keys must rise. Unavailable: the disk.
  absl::Status Put(absl::string_view key, absl::string_view value);
  // Closes it. True in `made` if there is a file.
  absl::Status Finish(bool& made);
  const std::string& path() const { return path_; }
  uint64_t bytes() const;  // so far

 private:
  const RocksDb& db_;
  const Family family_;
  const std::string path_;
  std::unique_ptr<rocksdb::SstFileWriter> writer_;
};

// A row of files of one family, one after another, none larger than about `bytes_max`.
class BulkFiles {
 public:
  BulkFiles(const RocksDb& db, Family family, std::string path, uint64_t bytes_max);
  absl::Status Put(absl::string_view key, absl::string_view value);
  absl::Status Finish();
  // Those that were made, after Finish().
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  absl::Status FinishOne();

  const RocksDb& db_;
  const Family family_;
  const std::string path_;
  const uint64_t bytes_max_;
  std::unique_ptr<BulkFile> file_;
  std::vector<std::string> paths_;
};

// Makes `directory`, empty, with those above it. Removes what is in it. Unavailable: the disk.
absl::Status MakeEmptyDirectory(rocksdb::Env* env, const std::string& directory);
// Removes a directory of files and of directories of files; no error if there is none.
absl::Status RemoveDirectory(rocksdb::Env* env, const std::string& directory);

}  // namespace outpace::store
