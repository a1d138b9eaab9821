#include "engine/call/file_dialog_journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace outpace::call {
namespace {

constexpr absl::string_view kMagic = "OPDJ";
constexpr size_t kHeaderBytes = 12;
// A dialog came in one UDP datagram, so its parts cannot be longer together than a few of them.
constexpr uint32_t kPayloadMax = 256 << 10;
constexpr uint8_t kOpenedKind = 1;
constexpr uint8_t kClosedKind = 2;
// Dialogs of the previous process go by this shard in the fresh file: their old legs' names will be
// used again.
constexpr uint16_t kOrphanShard = 0xffff;

constexpr std::array<uint32_t, 256> MakeCrcTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kCrcTable = MakeCrcTable();

// CRC-32 as in IEEE 802.3 and zip.
uint32_t Crc32(absl::string_view bytes) {
  uint32_t crc = 0xffffffffu;
  for (const char c : bytes) crc = kCrcTable[(crc ^ static_cast<uint8_t>(c)) & 0xff] ^ (crc >> 8);
  return crc ^ 0xffffffffu;
}

template <typename T>
void PutNumber(std::string& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i) & 0xff));
  }
}

void PutString(std::string& out, absl::string_view text) {
  PutNumber(out, static_cast<uint32_t>(text.size()));
  out.append(text.data(), text.size());
}

// Takes values from the front of `in`; false when there is not enough.
template <typename T>
bool GetNumber(absl::string_view& in, T& value) {
  if (in.size() < sizeof(T)) return false;
  uint64_t v = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    v |= static_cast<uint64_t>(static_cast<uint8_t>(in[i])) << (8 * i);
  }
  value = static_cast<T>(v);
  in.remove_prefix(sizeof(T));
  return true;
}

bool GetString(absl::string_view& in, std::string& text) {
  uint32_t length = 0;
  if (!GetNumber(in, length) || in.size() < length) return false;
  text = std::string(in.substr(0, length));
  in.remove_prefix(length);
  return true;
}

void PutLeg(std::string& out, uint8_t kind, LegId leg) {
  PutNumber(out, kind);
  PutNumber(out, leg.shard);
  PutNumber(out, leg.index);
  PutNumber(out, leg.generation);
}

std::string Record(absl::string_view payload) {
  std::string record(kMagic);
  PutNumber(record, static_cast<uint32_t>(payload.size()));
  PutNumber(record, Crc32(payload));
  absl::StrAppend(&record, payload);
  return record;
}

std::string OpenedRecord(LegId leg, const DialogState& d) {
  std::string payload;
  PutLeg(payload, kOpenedKind, leg);
  PutNumber(payload, d.cseq);
  for (const std::string* text : {&d.call_id, &d.from_uri, &d.from_tag, &d.to_uri, &d.to_tag,
                                  &d.remote_target, &d.next_hop}) {
    PutString(payload, *text);
  }
  PutNumber(payload, static_cast<uint32_t>(d.route_set.size()));
  for (const std::string& route : d.route_set) PutString(payload, route);
  return Record(payload);
}

std::string ClosedRecord(LegId leg) {
  std::string payload;
  PutLeg(payload, kClosedKind, leg);
  return Record(payload);
}

bool GetDialog(absl::string_view& in, DialogState& d) {
  if (!GetNumber(in, d.cseq)) return false;
  for (std::string* text : {&d.call_id, &d.from_uri, &d.from_tag, &d.to_uri, &d.to_tag,
                            &d.remote_target, &d.next_hop}) {
    if (!GetString(in, *text)) return false;
  }
  uint32_t routes = 0;
  if (!GetNumber(in, routes)) return false;
  for (uint32_t i = 0; i < routes; ++i) {
    std::string route;
    if (!GetString(in, route)) return false;  // ends a lying count at once
    d.route_set.push_back(std::move(route));
  }
  return in.empty();
}

bool ApplyPayload(absl::string_view in, JournalContents& contents) {
  uint8_t kind = 0;
  LegId leg;
  if (!GetNumber(in, kind) || !GetNumber(in, leg.shard) || !GetNumber(in, leg.index) ||
      !GetNumber(in, leg.generation)) {
    return false;
  }
  if (kind == kClosedKind) {
    if (!in.empty()) return false;
    contents.open.erase(leg);
    return true;
  }
  DialogState dialog;
  if (kind != kOpenedKind || !GetDialog(in, dialog)) return false;
  contents.open[leg] = std::move(dialog);
  return true;
}

// The payload of the record at the front of `bytes`, or nothing when there is no sound one.
bool SoundRecord(absl::string_view bytes, absl::string_view& payload) {
  if (!absl::StartsWith(bytes, kMagic)) return false;
  absl::string_view rest = bytes.substr(kMagic.size());
  uint32_t length = 0;
  uint32_t crc = 0;
  if (!GetNumber(rest, length) || !GetNumber(rest, crc)) return false;
  if (length > kPayloadMax || rest.size() < length) return false;
  payload = rest.substr(0, length);
  return Crc32(payload) == crc;
}

absl::Status FileError(absl::string_view what) {
  return absl::ErrnoToStatus(errno, absl::StrCat("dialog journal: ", what));
}

// All or nothing as far as the caller can tell: what a full disk cut short is taken back.
bool WriteAll(int fd, absl::string_view bytes, uint64_t offset) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = write(fd, bytes.data() + done, bytes.size() - done);
    if (n > 0) {
      done += static_cast<size_t>(n);
    } else if (n < 0 && errno == EINTR) {
      continue;
    } else {
      const int why = n == 0 ? ENOSPC : errno;
      // If that fails too, the torn record is skipped by its CRC when the file is read.
      [[maybe_unused]] const int cut = ftruncate(fd, static_cast<off_t>(offset));
      errno = why;
      return false;
    }
  }
  return true;
}

// Reads up to `max` bytes. NotFound when there is no file.
absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t max, bool& cut) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FileError("open");
  std::string bytes;
  std::array<char, 1 << 16> buffer;
  ssize_t n = 0;
  while (bytes.size() < max) {
    n = read(fd, buffer.data(), std::min<uint64_t>(buffer.size(), max - bytes.size()));
    if (n > 0) {
      bytes.append(buffer.data(), static_cast<size_t>(n));
    } else if (n == 0 || errno != EINTR) {
      break;
    }
  }
  const absl::Status status = n < 0 ? FileError("read") : absl::OkStatus();
  cut = n > 0 && read(fd, buffer.data(), 1) > 0;
  close(fd);
  if (!status.ok()) return status;
  return bytes;
}

}  // namespace

JournalContents ParseDialogJournal(absl::string_view bytes) {
  JournalContents contents;
  bool damaged = false;
  // A file made to waste our time repeats headers that claim long payloads: what checksums of
  // unsound records may cost is bounded by the file's own length.
  uint64_t budget = kPayloadMax + 16 * uint64_t{bytes.size()};
  while (!bytes.empty()) {
    absl::string_view payload;
    if (SoundRecord(bytes, payload) && ApplyPayload(payload, contents)) {
      ++contents.records;
      damaged = false;
      bytes.remove_prefix(kHeaderBytes + payload.size());
      continue;
    }
    // Looks for the next record that holds; one stretch of damage counts once.
    if (!std::exchange(damaged, true)) ++contents.skipped;
    if (payload.size() > budget) break;
    budget -= payload.size();
    const size_t next = bytes.find(kMagic, 1);
    bytes.remove_prefix(next == absl::string_view::npos ? bytes.size() : next);
  }
  return contents;
}

FileDialogJournal::FileDialogJournal(std::string path, Log& log, Options options)
    : path_(std::move(path)), log_(log), options_(options) {}

FileDialogJournal::~FileDialogJournal() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<std::unique_ptr<FileDialogJournal>> FileDialogJournal::Open(const std::string& path,
                                                                           Log& log,
                                                                           Options options) {
  std::unique_ptr<FileDialogJournal> journal(new FileDialogJournal(path, log, options));
  bool cut = false;
  const absl::StatusOr<std::string> bytes = ReadFile(path, options.read_max, cut);
  if (bytes.ok()) {
    JournalContents contents = ParseDialogJournal(*bytes);
    journal->skipped_ = contents.skipped + (cut ? 1 : 0);
    uint32_t number = 0;
    for (auto& [leg, dialog] : contents.open) {
      const LegId name{kOrphanShard, number++, 1};
      std::string record = OpenedRecord(name, dialog);
      journal->open_bytes_ += record.size();
      journal->open_.emplace(name, std::move(record));
      journal->orphan_legs_.push_back(name);
      journal->orphans_.push_back(std::move(dialog));
    }
    log.Info("journal.read", {{"records", contents.records},
                              {"skipped", journal->skipped_},
                              {"orphans", uint64_t{journal->orphans_.size()}}});
  } else if (!absl::IsNotFound(bytes.status())) {
    return bytes.status();
  }
  if (absl::Status status = journal->Rewrite(); !status.ok()) return status;
  return journal;
}

absl::Status FileDialogJournal::Rewrite() {
  const std::string fresh = path_ + ".new";
  // The new file is complete before it takes the old one's place, at any instant of a kill.
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return FileError("create");
  std::string bytes;
  for (const auto& [leg, record] : open_) absl::StrAppend(&bytes, record);
  if (!WriteAll(fd, bytes, 0) || rename(fresh.c_str(), path_.c_str()) != 0) {
    const absl::Status status = FileError("write");
    close(fd);
    unlink(fresh.c_str());
    return status;
  }
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
  bytes_ = bytes.size();
  open_bytes_ = bytes_;
  return absl::OkStatus();
}

void FileDialogJournal::Append(absl::string_view record) {
  if (WriteAll(fd_, record, bytes_)) {
    bytes_ += record.size();
    return;
  }
  // Once a record, not once a call to a full disk: the counter has the rest.
  if (write_errors_++ % 1000 == 0) {
    log_.Error("journal.write", {{"errno", errno}, {"errors", write_errors_}});
  }
}

void FileDialogJournal::Opened(LegId leg, const DialogState& dialog) {
  OUTPACE_CHECK(leg.shard != kOrphanShard);
  std::string record = OpenedRecord(leg, dialog);
  if (record.size() > kPayloadMax) {
    // Nobody could read it back. A far end that sends such headers gets its call, and no more.
    ++write_errors_;
    log_.Warning("journal.too_long", {{"leg", leg.index}});
    return;
  }
  Append(record);
  open_bytes_ += record.size();
  OUTPACE_CHECK(open_.emplace(leg, std::move(record)).second);
}

void FileDialogJournal::Closed(LegId leg) {
  const auto it = open_.find(leg);
  if (it == open_.end()) return;  // was too long to be written
  open_bytes_ -= it->second.size();
  open_.erase(it);
  Append(ClosedRecord(leg));
  CompactIfWorthIt();
}

void FileDialogJournal::EndedOrphans() {
  for (const LegId leg : std::exchange(orphan_legs_, {})) Closed(leg);
  orphans_.clear();
}

void FileDialogJournal::CompactIfWorthIt() {
  if (bytes_ <= options_.compact_bytes || open_bytes_ > bytes_ / 2) return;
  if (absl::Status status = Rewrite(); !status.ok()) {
    if (write_errors_++ % 1000 == 0) log_.Error("journal.compact", {{"why", status.message()}});
    return;
  }
  ++compactions_;
}

}  // namespace outpace::call
