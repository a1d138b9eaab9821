#include "engine/trace/ring_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/trace/mask.h"

namespace outpace::trace {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kAlignment = 8;
constexpr uint64_t kFileMagic = 0x31474e4952504f4f;  // "OOPRING1"
constexpr uint32_t kRecordMagic = 0x4d504953;        // "SIPM"
constexpr size_t kWindowBytes = 1 << 20;
constexpr size_t kZeroBytes = kPage;
constexpr size_t kAhead = 1 << 20;  // bytes made ready at a time; two such pieces are kept ready

struct FileHeader {
  uint64_t magic;
  uint64_t capacity;
  uint64_t reserved[6];
  uint64_t head;  // in a cache line of its own; atomic
};
static_assert(sizeof(FileHeader) <= kPage);

struct RecordHeader {
  uint64_t checksum;  // of the rest of the header and the bytes
  uint64_t position;
  uint32_t magic;
  uint32_t size;
  uint32_t size_on_wire;
  uint8_t direction;
  uint8_t transport;
  uint16_t reserved;
  int64_t wall_us;  // since 1970
  uint8_t local[16];
  uint8_t remote[16];
  uint16_t local_port;
  uint16_t remote_port;
  uint32_t reserved2;
};
static_assert(sizeof(RecordHeader) % kAlignment == 0 &&
              std::has_unique_object_representations_v<RecordHeader>);

size_t RecordBytes(size_t size) {
  return (sizeof(RecordHeader) + size + kAlignment - 1) / kAlignment * kAlignment;
}

// Finds accidents, not forgeries. Four lanes, so that multiplications overlap: about 5 bytes a
// nanosecond.
uint64_t Checksum(const RecordHeader& header, const char* bytes) {
  constexpr uint64_t kPrime = 0x9e3779b97f4a7c15;
  uint64_t lane[4] = {1, 2, 3, 4};
  const auto mix = [](uint64_t sum, uint64_t word) {
    sum = (sum ^ word) * kPrime;
    return sum ^ (sum >> 29);
  };
  const auto add = [&](const char* data, size_t size) {
    size_t at = 0;
    for (; at + 32 <= size; at += 32) {
      uint64_t word[4];
      std::memcpy(word, data + at, sizeof word);
      for (int i = 0; i < 4; ++i) lane[i] = mix(lane[i], word[i]);
    }
    for (; at < size; at += 8) {
      uint64_t word = 0;
      std::memcpy(&word, data + at, std::min<size_t>(8, size - at));
      lane[0] = mix(lane[0], word);
    }
  };
  add(reinterpret_cast<const char*>(&header) + sizeof header.checksum,
      sizeof header - sizeof header.checksum);
  add(bytes, header.size);
  return mix(mix(mix(lane[0], lane[1]), lane[2]), lane[3]);
}

absl::Status SystemError(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat("SIP trace: ", what, ": ", std::strerror(errno)));
}

// Closes on every way out but the good one.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

bool ReadHeader(int fd, FileHeader* header) {
  return pread(fd, header, sizeof *header, 0) == static_cast<ssize_t>(sizeof *header) &&
         header->magic == kFileMagic && header->capacity >= kRingBytesMin &&
         header->capacity <= kRingBytesMax && header->capacity % kPage == 0;
}

// Leaves a ring of `capacity` behind: the old one when it fits, else an empty one.
absl::Status Prepare(int fd, size_t capacity) {
  FileHeader header{};
  struct stat status {};
  if (fstat(fd, &status) != 0) return SystemError("stat");
  if (ReadHeader(fd, &header) && header.capacity == capacity && header.head % kAlignment == 0 &&
      status.st_size == static_cast<off_t>(kPage + capacity)) {
    return absl::OkStatus();
  }
  if (ftruncate(fd, 0) != 0) return SystemError("truncate");
  // Taken now: a page that the disk has no room for would be a SIGBUS in the middle of a call.
  const int error = posix_fallocate(fd, 0, static_cast<off_t>(kPage + capacity));
  if (error == ENOSPC || error == EFBIG) {
    return absl::ResourceExhaustedError(
        absl::StrCat("SIP trace: no room for ", capacity >> 20, " MiB on the disk"));
  }
  if (error != 0) {
    errno = error;
    return SystemError("allocate");
  }
  // Written once now, for the first write to a page of reserved space costs several times as much
  // as later ones; page by page, for the kernel would keep larger pieces in larger folios and then
  // walk a whole folio for each page that is written to.
  const std::vector<char> zeros(kZeroBytes);
  for (size_t done = 0; done < kPage + capacity; done += kZeroBytes) {
    const size_t part = std::min(kZeroBytes, kPage + capacity - done);
    if (pwrite(fd, zeros.data(), part, static_cast<off_t>(done)) != static_cast<ssize_t>(part)) {
      return SystemError("write");
    }
  }
  header = FileHeader{};
  header.magic = kFileMagic;
  header.capacity = capacity;
  if (pwrite(fd, &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header)) {
    return SystemError("write");
  }
  return absl::OkStatus();
}

}  // namespace

std::string RingPath(absl::string_view data_dir) {
  return absl::StrCat(data_dir, "/sip-trace.ring");
}

absl::StatusOr<std::unique_ptr<RingTap>> RingTap::Open(const std::string& path, size_t bytes) {
  const size_t capacity =
      (std::clamp(bytes, kRingBytesMin, kRingBytesMax) + kPage - 1) / kPage * kPage;
  Descriptor fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (fd.get() < 0) return SystemError(absl::StrCat("open ", path));
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(absl::StrCat("SIP trace: another process writes ", path));
  }
  if (absl::Status status = Prepare(fd.get(), capacity); !status.ok()) return status;

  void* header = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (header == MAP_FAILED) return SystemError("map");
  void* records = mmap(nullptr, 2 * capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  bool mapped = records != MAP_FAILED;
  for (size_t half = 0; mapped && half < 2; ++half) {
    mapped = mmap(static_cast<char*>(records) + half * capacity, capacity, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_FIXED, fd.get(), kPage) != MAP_FAILED;
  }
  if (!mapped) {
    const absl::Status status = SystemError("map");
    munmap(header, kPage);
    if (records != MAP_FAILED) munmap(records, 2 * capacity);
    return status;
  }
  // Not into a core file, which is handed around more freely than a data directory.
  madvise(records, 2 * capacity, MADV_DONTDUMP);
  return std::unique_ptr<RingTap>(
      new RingTap(fd.Release(), static_cast<char*>(header), static_cast<char*>(records), capacity));
}

RingTap::RingTap(int fd, char* header, char* records, size_t capacity)
    : fd_(fd), header_(header), records_(records), capacity_(capacity) {
  madvise(records_, 2 * capacity_, MADV_RANDOM);  // small folios, see Prepare()
  PrepareAhead();
  preparer_ = std::thread([this] {
    uint64_t done = 0;
    while (!stop_.load()) {
      pieces_begun_.wait(done);
      done = pieces_begun_.load();
      PrepareAhead();
    }
  });
}

RingTap::~RingTap() {
  stop_.store(true);
  pieces_begun_.fetch_add(1);
  pieces_begun_.notify_one();
  preparer_.join();
  munmap(records_, 2 * capacity_);
  munmap(header_, kPage);
  close(fd_);
}

void RingTap::PrepareAhead() {
  const std::atomic_ref<uint64_t> head(reinterpret_cast<FileHeader*>(header_)->head);
  const uint64_t next = head.load() / kPage * kPage % capacity_;
  const size_t first = std::min<size_t>(2 * kAhead, capacity_ - next);
  madvise(records_ + next, first, MADV_POPULATE_WRITE);
  if (first < 2 * kAhead) {
    madvise(records_, std::min(2 * kAhead - first, capacity_), MADV_POPULATE_WRITE);
  }
}

void RingTap::OnMessage(const TappedMessage& message) {
  RecordHeader record{};
  record.magic = kRecordMagic;
  record.size = static_cast<uint32_t>(std::min(message.bytes.size(), kMessageBytesMax));
  record.size_on_wire = static_cast<uint32_t>(std::min<size_t>(message.bytes.size(), UINT32_MAX));
  record.direction = static_cast<uint8_t>(message.direction);
  record.transport = static_cast<uint8_t>(message.transport);
  record.wall_us = absl::ToUnixMicros(message.at);
  std::copy(message.local.address.begin(), message.local.address.end(), record.local);
  std::copy(message.remote.address.begin(), message.remote.address.end(), record.remote);
  record.local_port = message.local.port;
  record.remote_port = message.remote.port;

  std::atomic_ref<uint64_t> head(reinterpret_cast<FileHeader*>(header_)->head);
  record.position = head.fetch_add(RecordBytes(record.size));
  if (record.position / kAhead != (record.position + RecordBytes(record.size)) / kAhead) {
    pieces_begun_.fetch_add(1);
    pieces_begun_.notify_one();
  }
  char* const place = records_ + record.position % capacity_;
  char* const bytes = place + sizeof record;
  std::memcpy(bytes, message.bytes.data(), record.size);
  MaskSecrets(bytes, record.size);
  record.checksum = Checksum(record, bytes);
  std::memcpy(place, &record, sizeof record);
}

// ---- reading ----

absl::StatusOr<RingReader> RingReader::Open(const std::string& path) {
  Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    if (errno == ENOENT) return absl::NotFoundError(absl::StrCat("no SIP trace at ", path));
    return SystemError(absl::StrCat("open ", path));
  }
  FileHeader header{};
  if (!ReadHeader(fd.get(), &header)) {
    return absl::DataLossError(absl::StrCat("not a SIP trace of this version: ", path));
  }
  return RingReader(fd.Release(), header.capacity);
}

RingReader::RingReader(RingReader&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      capacity_(other.capacity_),
      window_(std::move(other.window_)),
      window_start_(other.window_start_) {}

RingReader::~RingReader() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<uint64_t> RingReader::Head() {
  FileHeader header{};
  if (!ReadHeader(fd_, &header) || header.capacity != capacity_) {
    return absl::DataLossError("SIP trace: the ring was begun anew while it was read");
  }
  return header.head / kAlignment * kAlignment;
}

const char* RingReader::At(uint64_t position, size_t size) {
  if (position >= window_start_ && position + size <= window_start_ + window_.size()) {
    return window_.data() + (position - window_start_);
  }
  const size_t wanted = std::min(kWindowBytes, capacity_);
  window_.resize(wanted);
  for (size_t done = 0; done < wanted;) {
    const uint64_t at = (position + done) % capacity_;
    const size_t part = std::min<size_t>(wanted - done, capacity_ - at);
    const ssize_t n = pread(fd_, window_.data() + done, part, static_cast<off_t>(kPage + at));
    if (n <= 0) {
      window_.clear();
      return nullptr;
    }
    done += static_cast<size_t>(n);
  }
  window_start_ = position;
  return window_.data();
}

absl::StatusOr<RingReach> RingReader::Scan(absl::string_view needle,
                                           absl::FunctionRef<void(const RecordedMessage&)> each) {
  absl::StatusOr<uint64_t> head = Head();
  if (!head.ok()) return head.status();
  window_.clear();
  RingReach reach;
  reach.complete = *head <= capacity_;
  RecordHeader record{};
  uint64_t position = reach.complete ? 0 : *head - capacity_;
  while (position + sizeof record <= *head) {
    const char* const start = At(position, sizeof record);
    if (start == nullptr) return absl::DataLossError("SIP trace: the file is too short");
    std::memcpy(&record, start, sizeof record);
    const bool plausible = record.magic == kRecordMagic && record.position == position &&
                           record.size <= kMessageBytesMax &&
                           position + RecordBytes(record.size) <= *head;
    const char* const whole = plausible ? At(position, RecordBytes(record.size)) : nullptr;
    // The window may have been read anew between the two: the header is taken from the same copy.
    if (whole != nullptr) std::memcpy(&record, whole, sizeof record);
    if (whole == nullptr || record.position != position || record.size > kMessageBytesMax ||
        RecordBytes(record.size) > window_.size() - (position - window_start_) ||
        record.checksum != Checksum(record, whole + sizeof record)) {
      position += kAlignment;
      continue;
    }
    position += RecordBytes(record.size);
    ++reach.messages;
    const absl::Time at = absl::FromUnixMicros(record.wall_us);
    reach.oldest = std::min(reach.oldest, at);
    reach.newest = std::max(reach.newest, at);
    const absl::string_view bytes(whole + sizeof record, record.size);
    if (!needle.empty() && !absl::StrContains(bytes, needle)) continue;
    RecordedMessage message;
    message.at = at;
    message.direction = record.direction == 0 ? Direction::kIn : Direction::kOut;
    message.transport = static_cast<WireTransport>(std::min<uint8_t>(record.transport, 2));
    std::copy(std::begin(record.local), std::end(record.local), message.local.address.begin());
    std::copy(std::begin(record.remote), std::end(record.remote), message.remote.address.begin());
    message.local.port = record.local_port;
    message.remote.port = record.remote_port;
    message.bytes = std::string(bytes);
    message.size_on_wire = record.size_on_wire;
    each(message);
  }
  return reach;
}

}  // namespace outpace::trace
