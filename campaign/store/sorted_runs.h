#pragma once

// Index entries come in the order of a file's rows and must be written in the order of their keys,
// more of them than memory holds. So they are sorted by the half million, each such run goes to a
// file of its own, and at the end the runs are merged: memory stays the same however many there
// are. The files are of no use after a crash and are never synced; each block has a checksum, for
// what is read back becomes an index.

#include <rocksdb/env.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace outpace::store {

// An entry: numbers, compared one after another.
template <size_t kWords>
using Row = std::array<uint64_t, kWords>;

template <size_t kWords>
class SortedRuns {
 public:
  // Files are named `path` and a number. `env` must outlive this. `rows_in_run` bounds memory: so
  // many rows are held at a time, twice while they are sorted.
  SortedRuns(rocksdb::Env* env, std::string path, size_t rows_in_run = size_t{1} << 19);

  // Any thread. Unavailable: the disk.
  absl::Status Add(const std::vector<Row<kWords>>& rows);
  // All rows in order, to `visit`, until it fails. Once, after the last Add().
  absl::Status Merge(const std::function<absl::Status(const Row<kWords>&)>& visit);

 private:
  struct Run {
    std::string path;
    std::vector<uint32_t> checksums;  // of its blocks
    size_t rows = 0;
  };
  class Reader;
  absl::Status Spill(std::vector<Row<kWords>> rows);
  absl::Status MergeRuns(const std::function<absl::Status(const Row<kWords>&)>& visit);

  rocksdb::Env* const env_;
  const std::string path_;
  const size_t rows_in_run_;
  absl::Mutex mutex_;
  std::vector<Row<kWords>> pending_ ABSL_GUARDED_BY(mutex_);
  std::vector<Run> runs_ ABSL_GUARDED_BY(mutex_);
  size_t files_ ABSL_GUARDED_BY(mutex_) = 0;
};

// By all words; fast where the first one decides. `scratch` is overwritten.
template <size_t kWords>
void SortRows(std::vector<Row<kWords>>& rows, std::vector<Row<kWords>>& scratch);

extern template class SortedRuns<2>;
extern template class SortedRuns<3>;
extern template class SortedRuns<4>;

}  // namespace outpace::store
