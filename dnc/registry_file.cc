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
#include "engine/base/posix_file.h"

namespace outpace::dnc {
namespace {

constexpr std::array<char, 8> kMagic = {'O', 'U', 'T', 'P', 'D', 'N', 'C', '1'};
constexpr size_t kHeadBytes = 4096;
constexpr size_t kTextMax = 1024;
constexpr size_t kPageSlots = 64;
constexpr uint64_t kKeysApart = 256;  // whose slots take 64 KiB
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
    static constexpr std::array<char, RegistryFile::kUnit> kZeros{};
    Put(kZeros.data(), (kZeros.size() - written_ % kZeros.size()) % kZeros.size());
  }
  // Since the last call.
  uint64_t TakeHash() {
    const uint64_t hash = XXH3_64bits_digest(hash_);
    XXH3_64bits_reset(hash_);
    return hash;
  }
  void Flush() {
    if (status_.ok()) {
      const int error = WriteAll(fd_, {buffer_.data(), buffer_.size()});
      if (error != 0) status_ = FileError("", path_, "written", error);
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
constexpr uint64_t kKeyEnd = (uint64_t{1} << 50) / kPageNumbers;  // NumberSet ends there

size_t HashSlot(uint64_t key, size_t mask) {
  return (key * 0x9e3779b97f4a7c15) >> 32 & mask;  // as NumberSet does
}

}  // namespace

absl::Status WriteRegistryFile(const NumberSet& numbers, const RegistryInfo& info,
                               const std::string& path) {
  if (absl::Status s = CheckText("name", info.name); !s.ok()) return s;
  if (absl::Status s = CheckText("source", info.source); !s.ok()) return s;
  const std::string part = absl::StrCat(path, ".part");
  // Without the right to write: `cp` over a registry in use must fail. One of a run that was killed
  // would then be in our own way.
  ::unlink(part.c_str());
  const Descriptor fd(
      ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400));
  if (fd.get() < 0) return FileError("", part, "made", errno);
  absl::Cleanup remove = [&part] { ::unlink(part.c_str()); };

  Output out(fd.get(), part);
  const std::array<char, kHeadBytes> room{};  // the head is written last
  out.Put(room.data(), room.size());
  out.TakeHash();
  std::vector<RegistryFile::Page> pages;
  numbers.ForEachBlock([&](uint64_t high, Block::Form form, const Block& block) {
    if (pages.empty() || pages.back().key != high / kPageSlots) {
      pages.push_back({high / kPageSlots, {}});
    }
    const uint64_t unit = out.written() / RegistryFile::kUnit;
    OUTPACE_CHECK(
        unit <
        uint64_t{1} << (32 - RegistryFile::kFormBits));  // 64 GiB: more than all numbers take
    pages.back().slots[high % kPageSlots] =
        static_cast<uint32_t>(unit << RegistryFile::kFormBits) | static_cast<uint32_t>(form);
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
  if (::lseek(fd.get(), 0, SEEK_SET) != 0) return FileError("", part, "written", errno);
  if (const int error = WriteAll(fd.get(), {reinterpret_cast<const char*>(&head), sizeof(head)});
      error != 0) {
    return FileError("", part, "written", error);
  }
  if (::fsync(fd.get()) != 0) return FileError("", part, "synced", errno);
  if (::rename(part.c_str(), path.c_str()) != 0) return FileError("", part, "renamed", errno);
  std::move(remove).Cancel();
  return SyncDirectory("", DirectoryOf(path));
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
  // O_NONBLOCK: of a pipe nobody would ever write to, so that it does not wait for one.
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (fd.get() < 0) return FileError("", path, "opened", errno);
  struct stat about {};
  if (::fstat(fd.get(), &about) != 0) return FileError("", path, "read", errno);
  if (!S_ISREG(about.st_mode)) return FileError("", path, "read", EISDIR);
  const auto bytes = static_cast<size_t>(about.st_size);
  if (bytes < kHeadBytes) return Damaged(path, "is too short for a registry");
  void* const at = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (at == MAP_FAILED) return FileError("", path, "mapped", errno);
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
  // A hash finds damage; that nothing is read outside of the file rests on these.
  const uint64_t room = file_bytes_ - kHeadBytes;
  if (head.pages_at < kHeadBytes || head.pages_at % kUnit != 0 || head.pages_at > file_bytes_ ||
      head.page_count > room / sizeof(Page) ||
      head.pages_at + head.page_count * sizeof(Page) != file_bytes_ || head.name_bytes > kTextMax ||
      head.source_bytes > kTextMax) {
    return Damaged(path, "its head contradicts itself");
  }
  pages_ =
      absl::MakeConstSpan(reinterpret_cast<const Page*>(octets_ + head.pages_at), head.page_count);
  if (XXH3_64bits(pages_.data(), pages_.size() * sizeof(Page)) != head.page_hash) {
    return Damaged(path, "its index is damaged");
  }
  uint64_t next_key = 0;
  for (const Page& page : pages_) {
    if (page.key < next_key || page.key >= kKeyEnd) {
      return Damaged(path, "its index is not in order");
    }
    next_key = page.key + 1;
    for (const uint32_t slot : page.slots) {
      const uint64_t at = uint64_t{slot >> kFormBits} * kUnit;
      if (slot != 0 && (at < kHeadBytes || at + sizeof(Block) > head.pages_at)) {
        return Damaged(path, "its index points outside of it");
      }
    }
  }
  numbers_ = head.numbers;
  info_.name.assign(head.name.data(), head.name_bytes);
  info_.source.assign(head.source.data(), head.source_bytes);
  info_.obtained = absl::CivilDay(1970, 1, 1) + head.obtained;
  MakeTable();
  return absl::OkStatus();
}

void RegistryFile::MakeTable() {
  const uint64_t keys = pages_.empty() ? 1 : pages_.back().key - pages_.front().key + 1;
  // Four times what the pages take, at most.
  if (keys <= kKeysApart || keys / 4 <= pages_.size()) {
    slots_.assign(keys * kPageSlots, 0);
    first_stretch_ = pages_.empty() ? 0 : pages_.front().key * kPageSlots;
    for (const Page& page : pages_) {
      std::copy(page.slots.begin(), page.slots.end(),
                slots_.begin() + static_cast<ptrdiff_t>(page.key * kPageSlots - first_stretch_));
    }
    return;
  }
  size_t size = 2;
  while (size < pages_.size() * 2) size *= 2;
  table_.assign(size, 0);
  for (size_t i = 0; i < pages_.size(); ++i) {
    size_t at = HashSlot(pages_[i].key, size - 1);
    while (table_[at] != 0) at = (at + 1) & (size - 1);
    table_[at] = static_cast<uint32_t>(i + 1);
  }
}

uint32_t RegistryFile::FindSlot(uint64_t stretch) const {
  const uint64_t key = stretch / kPageSlots;
  const size_t mask = table_.size() - 1;
  for (size_t at = HashSlot(key, mask); table_[at] != 0; at = (at + 1) & mask) {
    const Page& page = pages_[table_[at] - 1];
    if (page.key == key) return page.slots[stretch % kPageSlots];
  }
  return 0;
}

absl::Status RegistryFile::Verify() const {
  Head head;
  std::memcpy(&head, octets_, sizeof(head));
  const std::string name = absl::StrCat("registry ", info_.name);
  const size_t data_bytes = head.pages_at - kHeadBytes;
  // From a disk, one page after the other without reading ahead would take many times as long.
  void* const octets = const_cast<uint8_t*>(octets_);
  ::madvise(octets, file_bytes_, MADV_SEQUENTIAL);
  const uint64_t hash = XXH3_64bits(octets_ + kHeadBytes, data_bytes);
  ::madvise(octets, file_bytes_, MADV_RANDOM);
  if (hash != head.data_hash) {
    return Damaged(name, "its numbers are damaged");
  }
  uint64_t numbers = 0;
  for (const Page& page : pages_) {
    for (const uint32_t slot : page.slots) {
      if (slot == 0) continue;
      const Block* const block = BlockAt(slot);
      const size_t at = size_t{slot >> kFormBits} * kUnit;
      if (!block->Fits(FormOf(slot), head.pages_at - at)) {
        return Damaged(name, "its numbers reach beyond its end");
      }
      numbers += block->count();
    }
  }
  if (numbers != numbers_) return Damaged(name, "it holds another number of numbers than it says");
  return absl::OkStatus();
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
    if (slot != 0) file.BlockAt(slot)->AppendTo(RegistryFile::FormOf(slot), out);
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
