#include "campaign/store/sorted_runs.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "campaign/store/crc32c.h"

namespace outpace::store {
namespace {

constexpr size_t kBlockRows = 4096;
constexpr int kDigitBits = 11;
constexpr size_t kDigits = size_t{1} << kDigitBits;

absl::Status DiskError(const rocksdb::Status& status) {
  return absl::UnavailableError(
      absl::StrCat("store: a file of the load under way: ", status.ToString(),
                   "; free space or look at the disk, then load the file again"));
}

template <size_t kWords>
absl::string_view BytesOf(const Row<kWords>* rows, size_t n) {
  return {reinterpret_cast<const char*>(rows), n * sizeof(Row<kWords>)};
}

}  // namespace

// Radix sort by the digits of the first word that differ at all, which keeps the order of equal
// ones; those are then sorted by the other words, where that is needed.
template <size_t kWords>
void SortRows(std::vector<Row<kWords>>& rows, std::vector<Row<kWords>>& scratch) {
  if (std::is_sorted(rows.begin(), rows.end())) return;
  uint64_t differ = 0;
  for (const Row<kWords>& row : rows) differ |= row[0] ^ rows[0][0];
  scratch.resize(rows.size());
  for (int shift = 0; shift < 64; shift += kDigitBits) {
    if ((differ >> shift & (kDigits - 1)) == 0) continue;
    std::array<size_t, kDigits> at{};
    for (const Row<kWords>& row : rows) ++at[row[0] >> shift & (kDigits - 1)];
    size_t sum = 0;
    for (size_t& begin : at) sum += std::exchange(begin, sum);
    for (const Row<kWords>& row : rows) scratch[at[row[0] >> shift & (kDigits - 1)]++] = row;
    rows.swap(scratch);
  }
  for (auto begin = rows.begin(); begin != rows.end();) {
    auto end = begin + 1;
    bool sorted = true;
    for (; end != rows.end() && (*end)[0] == (*begin)[0]; ++end) sorted &= !(*end < *(end - 1));
    if (!sorted) std::sort(begin, end);
    begin = end;
  }
}

// One run, block by block.
template <size_t kWords>
class SortedRuns<kWords>::Reader {
 public:
  explicit Reader(const Run& run) : run_(run) {}
  absl::Status Open(rocksdb::Env* env) {
    if (const rocksdb::Status s = env->NewSequentialFile(run_.path, &file_, rocksdb::EnvOptions());
        !s.ok()) {
      return DiskError(s);
    }
    return Fill();
  }
  bool done() const { return at_ == block_.size(); }
  const Row<kWords>& head() const { return block_[at_]; }
  absl::Status Next() { return ++at_ < block_.size() ? absl::OkStatus() : Fill(); }

 private:
  absl::Status Fill() {
    const size_t n = std::min(kBlockRows, run_.rows - read_);
    block_.resize(n);
    at_ = 0;
    if (n == 0) return absl::OkStatus();
    char* const space = reinterpret_cast<char*>(block_.data());
    const size_t size = n * sizeof(Row<kWords>);
    for (size_t got = 0; got < size;) {
      rocksdb::Slice bytes;
      const rocksdb::Status status = file_->Read(size - got, &bytes, space + got);
      if (!status.ok()) return DiskError(status);
      if (bytes.empty()) return absl::DataLossError("store: a file of the load under way is cut");
      if (bytes.data() != space + got) std::copy_n(bytes.data(), bytes.size(), space + got);
      got += bytes.size();
    }
    if (Crc32c({space, size}) != run_.checksums[read_ / kBlockRows]) {
      return absl::DataLossError(
          "store: a file of the load under way is damaged; look at the disk and load again");
    }
    read_ += n;
    return absl::OkStatus();
  }

  const Run& run_;
  std::unique_ptr<rocksdb::SequentialFile> file_;
  std::vector<Row<kWords>> block_;
  size_t at_ = 0, read_ = 0;
};

template <size_t kWords>
SortedRuns<kWords>::SortedRuns(rocksdb::Env* env, std::string path, size_t rows_in_run)
    : env_(env), path_(std::move(path)), rows_in_run_(rows_in_run) {}

template <size_t kWords>
absl::Status SortedRuns<kWords>::Add(const std::vector<Row<kWords>>& rows) {
  std::vector<Row<kWords>> full;
  {
    absl::MutexLock lock(&mutex_);
    if (pending_.capacity() < rows_in_run_) pending_.reserve(rows_in_run_);
    pending_.insert(pending_.end(), rows.begin(), rows.end());
    if (pending_.size() < rows_in_run_) return absl::OkStatus();
    full.swap(pending_);
  }
  return Spill(std::move(full));
}

template <size_t kWords>
absl::Status SortedRuns<kWords>::Spill(std::vector<Row<kWords>> rows) {
  {
    std::vector<Row<kWords>> scratch;
    SortRows(rows, scratch);
  }
  Run run;
  run.rows = rows.size();
  {
    absl::MutexLock lock(&mutex_);
    run.path = absl::StrCat(path_, files_++);
  }
  std::unique_ptr<rocksdb::WritableFile> file;
  rocksdb::Status status = env_->NewWritableFile(run.path, &file, rocksdb::EnvOptions());
  for (size_t at = 0; at < rows.size() && status.ok(); at += kBlockRows) {
    const absl::string_view block = BytesOf(&rows[at], std::min(kBlockRows, rows.size() - at));
    run.checksums.push_back(Crc32c(block));
    status = file->Append({block.data(), block.size()});
  }
  if (status.ok()) status = file->Close();
  if (!status.ok()) return DiskError(status);
  absl::MutexLock lock(&mutex_);
  runs_.push_back(std::move(run));
  return absl::OkStatus();
}

template <size_t kWords>
absl::Status SortedRuns<kWords>::Merge(
    const std::function<absl::Status(const Row<kWords>&)>& visit) {
  std::vector<Row<kWords>> rest;
  bool spilled = false;
  {
    absl::MutexLock lock(&mutex_);
    rest.swap(pending_);
    spilled = !runs_.empty();
  }
  if (spilled) {
    if (absl::Status status = Spill(std::move(rest)); !status.ok()) return status;
    return MergeRuns(visit);
  }
  std::vector<Row<kWords>> scratch;
  SortRows(rest, scratch);
  for (const Row<kWords>& row : rest) {
    if (absl::Status status = visit(row); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// A heap of the runs by their heads. Its top is replaced rather than taken off and put back, so
// that a run whose rows come one after another costs two comparisons a row.
template <size_t kWords>
absl::Status SortedRuns<kWords>::MergeRuns(
    const std::function<absl::Status(const Row<kWords>&)>& visit) {
  std::vector<Run> runs;
  {
    absl::MutexLock lock(&mutex_);
    runs = runs_;
  }
  std::vector<std::unique_ptr<Reader>> heap;
  for (const Run& run : runs) {
    auto reader = std::make_unique<Reader>(run);
    if (absl::Status status = reader->Open(env_); !status.ok()) return status;
    if (!reader->done()) heap.push_back(std::move(reader));
  }
  const auto later = [](const auto& a, const auto& b) { return b->head() < a->head(); };
  std::make_heap(heap.begin(), heap.end(), later);
  const auto sift = [&heap, &later] {
    for (size_t at = 0;;) {
      size_t child = 2 * at + 1;
      if (child >= heap.size()) return;
      if (child + 1 < heap.size() && later(heap[child], heap[child + 1])) ++child;
      if (!later(heap[at], heap[child])) return;
      heap[at].swap(heap[child]);
      at = child;
    }
  };
  while (!heap.empty()) {
    Reader& first = *heap.front();
    if (absl::Status status = visit(first.head()); !status.ok()) return status;
    if (absl::Status status = first.Next(); !status.ok()) return status;
    if (first.done()) {
      heap.front() = std::move(heap.back());
      heap.pop_back();
    }
    sift();
  }
  return absl::OkStatus();
}

template void SortRows(std::vector<Row<2>>&, std::vector<Row<2>>&);
template void SortRows(std::vector<Row<3>>&, std::vector<Row<3>>&);
template class SortedRuns<2>;
template class SortedRuns<3>;
template class SortedRuns<4>;

}  // namespace outpace::store
