#include "dnc/registry_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <type_traits>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "dnc/number_block.h"
#include "engine/base/check.h"

namespace outpace::dnc {
namespace {

constexpr std::array<char, 8> kMagic = {'O', 'U', 'T', 'P', 'D', 'N', 'C', '1'};
constexpr size_t kHeadBytes = 4096;
constexpr size_t kTextMax = 1024;
constexpr size_t kUnit = 64;  // a stretch begins at a multiple
constexpr size_t kPageSlots = 64;
constexpr uint32_t kFormBits = 2;
constexpr size_t kWriteBytes = size_t{4} << 20;

struct Head {
  std::array<char, 8> magic;
  uint64_t file_bytes;
  uint64_t numbers;
  uint64_t pages_at;  // octets from the start
  uint64_t page_count;
  int64_t obtained;    // days since 1970-01-01
  uint64_t data_hash;  // XXH3 of the stretches
  uint64_t page_hash;  // XXH3 of the pages
  uint32_t name_bytes;
  uint32_t source_bytes;
  std::array<char, kTextMax> name, source;
  std::array<char, kHeadBytes - 2128> unused;  // zeros
  uint64_t head_hash;                          // XXH3 of all before it
};
static_assert(sizeof(Head) == kHeadBytes && std::is_trivially_copyable_v<Head>);

uint64_t HashOf(const Head& head) { return XXH3_64bits(&head, offsetof(Head, head_hash)); }

absl::Status DiskError(absl::string_view doing, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(path, ": ", doing));
}

absl::Status Damaged(const std::string& path, absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat(path, ": ", what, "; import the registry again from its source"));
}

absl::Status CheckText(absl::string_view what, const std::string& text) {
  if (text.size() <= kTextMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the ", what, " of a registry has at most ", kTextMax, " octets"));
}

// Writes through a buffer and hashes what goes by.
class Output {
 public:
  Output(int fd, const std::string& path) : fd_(fd), path_(path), hash_(XXH3_createState()) {
    XXH3_64bits_reset(hash_);
  }
  ~Output() { XXH3_freeState(hash_); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void Put(const void* data, size_t bytes) {
    XXH3_64bits_update(hash_, data, bytes);
    const auto* at = static_cast<const char*>(data);
    buffer_.insert(buffer_.end(), at, at + bytes);
    written_ += bytes;
    if (buffer_.size() >= kWriteBytes) Flush();
  }
  void PadToUnit() {
    static constexpr std::array<char, kUnit> kZeros{};
    Put(kZeros.data(), (kUnit - written_ % kUnit) % kUnit);
  }
  // Since the last call.
  uint64_t TakeHash() {
    const uint64_t hash = XXH3_64bits_digest(hash_);
    XXH3_64bits_reset(hash_);
    return hash;
  }
  void Flush() {
    for (size_t done = 0; status_.ok() && done < buffer_.size();) {
      const ssize_t wrote = ::write(fd_, buffer_.data() + done, buffer_.size() - done);
      if (wrote >= 0) {
        done += static_cast<size_t>(wrote);
      } else if (errno != EINTR) {
        status_ = DiskError("cannot be written", path_);
      }
    }
    buffer_.clear();
  }
  uint64_t written() const { return written_; }
  const absl::Status& status() const { return status_; }

 private:
  int fd_;
  const std::string& path_;
  XXH3_state_t* const hash_;
  std::vector<char> buffer_;
  uint64_t written_ = 0;
  absl::Status status_;
};

absl::Status SyncDirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return DiskError("the directory cannot be opened", directory);
  const bool synced = ::fsync(fd) == 0;
  absl::Status status = synced ? absl::OkStatus() : DiskError("cannot be synced", directory);
  ::close(fd);
  return status;
}

void SetText(const std::string& text, std::array<char, kTextMax>& out, uint32_t& bytes) {
  std::copy(text.begin(), text.end(), out.begin());
  bytes = static_cast<uint32_t>(text.size());
}

}  // namespace

struct RegistryFile::Page {
  uint64_t key;  // of its numbers, the bits from the 22nd up
  std::array<uint32_t, kPageSlots> slots;
};

namespace {

constexpr uint64_t kPageNumbers = kBlockNumbers * kPageSlots;

size_t HashSlot(uint64_t key, size_t mask) {
  return (key * 0x9e3779b97f4a7c15) >> 32 & mask;  // as NumberSet does
}

}  // namespace

absl::Status WriteRegistryFile(const NumberSet& numbers, const RegistryInfo& info,
                               const std::string& path) {
  if (absl::Status s = CheckText("name", info.name); !s.ok()) return s;
  if (absl::Status s = CheckText("source", info.source); !s.ok()) return s;
  const std::string part = absl::StrCat(path, ".part");
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return DiskError("cannot be made", part);
  absl::Cleanup close_and_remove = [fd, &part] {
    ::close(fd);
    ::unlink(part.c_str());
  };

  Output out(fd, part);
  const std::array<char, kHeadBytes> room{};  // the head is written last
  out.Put(room.data(), room.size());
  out.TakeHash();
  std::vector<RegistryFile::Page> pages;
  numbers.ForEachBlock([&](uint64_t high, Block::Form form, const Block& block) {
    if (pages.empty() || pages.back().key != high / kPageSlots) {
      pages.push_back({high / kPageSlots, {}});
    }
    const uint64_t unit = out.written() / kUnit;
    OUTPACE_CHECK(unit < uint64_t{1} << (32 - kFormBits));  // 64 GiB: more than all numbers take
    pages.back().slots[high % kPageSlots] =
        static_cast<uint32_t>(unit << kFormBits) | static_cast<uint32_t>(form);
    const absl::Span<const uint8_t> octets = block.Octets(form);
    out.Put(octets.data(), octets.size());
    out.PadToUnit();
  });
  Head head{};
  head.magic = kMagic;
  head.data_hash = out.TakeHash();
  head.pages_at = out.written();
  head.page_count = pages.size();
  out.Put(pages.data(), pages.size() * sizeof(RegistryFile::Page));
  head.page_hash = out.TakeHash();
  head.file_bytes = out.written();
  head.numbers = numbers.size();
  head.obtained = info.obtained - absl::CivilDay(1970, 1, 1);
  SetText(info.name, head.name, head.name_bytes);
  SetText(info.source, head.source, head.source_bytes);
  head.head_hash = HashOf(head);
  out.Flush();
  if (!out.status().ok()) return out.status();
  if (::pwrite(fd, &head, sizeof(head), 0) != ssize_t{sizeof(head)} || ::fsync(fd) != 0) {
    return DiskError("cannot be written", part);
  }
  if (::rename(part.c_str(), path.c_str()) != 0) return DiskError("cannot be renamed", part);
  return SyncDirectoryOf(path);
}

absl::StatusOr<std::shared_ptr<const RegistryFile>> RegistryFile::Open(const std::string& path) {
  std::shared_ptr<RegistryFile> file(new RegistryFile());
  if (absl::Status s = file->Map(path); !s.ok()) return s;
  if (absl::Status s = file->ReadIndex(path); !s.ok()) return s;
  return file;
}

RegistryFile::~RegistryFile() {
  if (octets_ != nullptr) ::munmap(const_cast<uint8_t*>(octets_), file_bytes_);
}

absl::Status RegistryFile::Map(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return DiskError("cannot be opened", path);
  absl::Cleanup close = [fd] { ::close(fd); };
  struct stat about {};
  if (::fstat(fd, &about) != 0) return DiskError("cannot be read", path);
  const auto bytes = static_cast<size_t>(about.st_size);
  if (bytes < kHeadBytes) return Damaged(path, "is too short for a registry");
  void* const at = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return DiskError("cannot be mapped", path);
  octets_ = static_cast<const uint8_t*>(at);
  file_bytes_ = bytes;
  ::madvise(at, bytes, MADV_RANDOM);  // a lookup wants one cache line, not the pages around it
  return absl::OkStatus();
}

absl::Status RegistryFile::ReadIndex(const std::string& path) {
  Head head;
  std::memcpy(&head, octets_, sizeof(head));
  if (head.magic != kMagic) return Damaged(path, "is not a registry of this version");
  if (head.head_hash != HashOf(head)) return Damaged(path, "its head is damaged");
  if (head.file_bytes != file_bytes_) return Damaged(path, "has lost its end");
  // The head is as it was written, so what it says of the file holds.
  pages_ =
      absl::MakeConstSpan(reinterpret_cast<const Page*>(octets_ + head.pages_at), head.page_count);
  if (XXH3_64bits(pages_.data(), pages_.size() * sizeof(Page)) != head.page_hash) {
    return Damaged(path, "its index is damaged");
  }
  numbers_ = head.numbers;
  info_.name.assign(head.name.data(), head.name_bytes);
  info_.source.assign(head.source.data(), head.source_bytes);
  info_.obtained = absl::CivilDay(1970, 1, 1) + head.obtained;
  size_t size = 2;
  while (size < pages_.size() * 2) size *= 2;
  table_.assign(size, 0);
  for (size_t i = 0; i < pages_.size(); ++i) {
    size_t at = HashSlot(pages_[i].key, size - 1);
    while (table_[at] != 0) at = (at + 1) & (size - 1);
    table_[at] = static_cast<uint32_t>(i + 1);
  }
  return absl::OkStatus();
}

const RegistryFile::Page* RegistryFile::FindPage(uint64_t key) const {
  const size_t mask = table_.size() - 1;
  for (size_t at = HashSlot(key, mask); table_[at] != 0; at = (at + 1) & mask) {
    const Page& page = pages_[table_[at] - 1];
    if (page.key == key) return &page;
  }
  return nullptr;
}

const Block* RegistryFile::BlockAt(uint32_t slot) const {
  return Block::At(octets_ + size_t{slot >> kFormBits} * kUnit);
}

namespace {

Block::Form FormOf(uint32_t slot) {
  return static_cast<Block::Form>(slot & ((1u << kFormBits) - 1));
}

}  // namespace

bool RegistryFile::Contains(uint64_t number) const {
  const Page* const page = FindPage(number / kPageNumbers);
  if (page == nullptr) return false;
  const uint32_t slot = page->slots[number / kBlockNumbers % kPageSlots];
  return slot != 0 && BlockAt(slot)->Contains(FormOf(slot), static_cast<uint16_t>(number));
}

absl::Status RegistryFile::Verify() const {
  Head head;
  std::memcpy(&head, octets_, sizeof(head));
  const size_t data_bytes = head.pages_at - kHeadBytes;
  if (XXH3_64bits(octets_ + kHeadBytes, data_bytes) == head.data_hash) return absl::OkStatus();
  return Damaged(absl::StrCat("registry ", info_.name), "its numbers are damaged");
}

void RegistryFile::ForEach(absl::FunctionRef<void(uint64_t number)> visit) const {
  std::vector<uint16_t> lows;
  for (const Page& page : pages_) {
    for (size_t i = 0; i < kPageSlots; ++i) {
      if (page.slots[i] == 0) continue;
      lows.clear();
      BlockAt(page.slots[i])->AppendTo(FormOf(page.slots[i]), lows);
      const uint64_t first = (page.key * kPageSlots + i) * kBlockNumbers;
      for (const uint16_t low : lows) visit(first + low);
    }
  }
}

void DiffRegistries(const RegistryFile& before, const RegistryFile& after,
                    absl::FunctionRef<void(uint64_t number, bool added)> visit) {
  static constexpr RegistryFile::Page kNone{};
  std::vector<uint16_t> was, is, gone, come;
  const auto lows_of = [](const RegistryFile& file, uint32_t slot, std::vector<uint16_t>& out) {
    out.clear();
    if (slot != 0) file.BlockAt(slot)->AppendTo(FormOf(slot), out);
  };
  size_t old_at = 0, new_at = 0;
  while (old_at < before.pages_.size() || new_at < after.pages_.size()) {
    const uint64_t key = old_at == before.pages_.size() ? after.pages_[new_at].key
                         : new_at == after.pages_.size()
                             ? before.pages_[old_at].key
                             : std::min(before.pages_[old_at].key, after.pages_[new_at].key);
    const auto take = [key](const RegistryFile& file, size_t& at) -> const RegistryFile::Page& {
      return at < file.pages_.size() && file.pages_[at].key == key ? file.pages_[at++] : kNone;
    };
    const RegistryFile::Page& old_page = take(before, old_at);
    const RegistryFile::Page& new_page = take(after, new_at);
    for (size_t i = 0; i < kPageSlots; ++i) {
      lows_of(before, old_page.slots[i], was);
      lows_of(after, new_page.slots[i], is);
      gone.clear();
      std::set_symmetric_difference(was.begin(), was.end(), is.begin(), is.end(),
                                    std::back_inserter(gone));
      const uint64_t first = (key * kPageSlots + i) * kBlockNumbers;
      for (const uint16_t low : gone) {
        visit(first + low, std::binary_search(is.begin(), is.end(), low));
      }
    }
  }
}

}  // namespace outpace::dnc
