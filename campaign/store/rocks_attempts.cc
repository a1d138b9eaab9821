// Calls by the million. The index by time says which there are; their records lie by id, mostly one
// behind the other, so threads read pieces of them with iterators. What a piece holds is copied
// once and then only looked at.

#include <rocksdb/iterator.h>
#include <rocksdb/options.h>
#include <rocksdb/snapshot.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "campaign/attempt_scan.h"
#include "campaign/store/codec.h"
#include "campaign/store/dictionary.h"
#include "campaign/store/lead_record.h"
#include "campaign/store/rocks_db.h"
#include "campaign/store/rocks_keys.h"
#include "campaign/store/rocks_lead_store.h"
#include "campaign/store/rocks_scan.h"

namespace outpace::store {
namespace {

using campaign::AttemptView;
using campaign::AttemptVisitor;
using campaign::LeadView;
using campaign::Recording;

constexpr size_t kPieceCalls = 2048;
// Records that are not wanted and passed by one by one; farther off, a seek is cheaper.
constexpr int kStepsMost = 24;

// Bytes that stay where they are until Clear().
class ByteArena {
 public:
  absl::string_view Copy(absl::string_view bytes) {
    if (blocks_.empty() || room_ < bytes.size()) Grow(bytes.size());
    char* const at = blocks_[block_].bytes.get() + (blocks_[block_].size - room_);
    std::memcpy(at, bytes.data(), bytes.size());
    room_ -= bytes.size();
    return {at, bytes.size()};
  }
  void Clear() {
    block_ = 0;
    room_ = blocks_.empty() ? 0 : blocks_[0].size;
  }

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size;
  };
  void Grow(size_t least) {
    while (!blocks_.empty() && block_ + 1 < blocks_.size()) {
      ++block_;
      room_ = blocks_[block_].size;
      if (room_ >= least) return;
    }
    const size_t size = std::max<size_t>(least, 256 << 10);
    blocks_.push_back({std::make_unique<char[]>(size), size});
    block_ = blocks_.size() - 1;
    room_ = size;
  }
  std::vector<Block> blocks_;
  size_t block_ = 0, room_ = 0;
};

// Records asked for with rising keys.
class Cursor {
 public:
  Cursor(const RocksDb& db, Family family, const rocksdb::ReadOptions& options)
      : db_(db), it_(db.db->NewIterator(options, db[family])) {}

  // Null if there is no such record; the view is good until the next call.
  absl::StatusOr<const rocksdb::Iterator*> At(absl::string_view key) {
    if (!begun_) {
      it_->Seek(SliceOf(key));
      begun_ = true;
    }
    int steps = 0;
    while (it_->Valid() && View(it_->key()) < key) {
      if (++steps > kStepsMost) {
        it_->Seek(SliceOf(key));
        break;
      }
      it_->Next();
    }
    if (it_->Valid()) return View(it_->key()) == key ? it_.get() : nullptr;
    if (!it_->status().ok()) return ReadError(db_, it_->status());
    return nullptr;
  }

 private:
  const RocksDb& db_;
  const std::unique_ptr<rocksdb::Iterator> it_;
  bool begun_ = false;
};

void SetKey(uint64_t id, char* key) {
  for (int i = 7; i >= 0; --i, id >>= 8) key[i] = static_cast<char>(id & 0xff);
}

// What one thread reads its pieces with.
class PieceReader {
 public:
  PieceReader(const RocksDb& db, const rocksdb::ReadOptions& options, bool recordings)
      : db_(db), attempts_(db, kAttempts, options) {
    if (recordings) recordings_ = std::make_unique<Cursor>(db, kMeta, options);
  }

  absl::Status Read(absl::Span<const uint64_t> ids) {
    arena_.Clear();
    views_.resize(ids.size());
    found_.assign(ids.size(), nullptr);
    kept_.clear();
    for (size_t i = 0; i < ids.size(); ++i) {
      char key[8];
      SetKey(ids[i], key);
      const auto at = attempts_.At({key, sizeof(key)});
      if (!at.ok()) return at.status();
      if (*at == nullptr) {
        return absl::DataLossError(absl::StrCat("store: ", db_.path, ": an index names record ",
                                                ids[i],
                                                ", which is not there; restore the last backup"));
      }
      const absl::string_view bytes = arena_.Copy(View((*at)->value()));
      if (absl::Status s = ViewAttempt(bytes, views_[i]); !s.ok()) return s;
      if (recordings_ == nullptr) continue;
      const auto recording = recordings_->At(RecordingKey(AttemptId(ids[i])));
      if (!recording.ok()) return recording.status();
      if (*recording == nullptr) continue;
      absl::StatusOr<Recording> read = DecodeRecording(View((*recording)->value()));
      if (!read.ok()) return read.status();
      kept_.push_back(std::make_unique<Recording>(*std::move(read)));
      found_[i] = kept_.back().get();
    }
    return absl::OkStatus();
  }

  absl::Span<const AttemptView> views() const { return views_; }
  absl::Span<const Recording* const> recordings() const { return found_; }

 private:
  const RocksDb& db_;
  Cursor attempts_;
  std::unique_ptr<Cursor> recordings_;
  ByteArena arena_;
  std::vector<AttemptView> views_;
  std::vector<const Recording*> found_;
  std::vector<std::unique_ptr<Recording>> kept_;
};

// Runs work(0) .. work(n - 1) side by side and waits for all.
template <typename Work>
void SideBySide(size_t n, const Work& work) {
  std::vector<std::thread> others;
  for (size_t i = 1; i < n; ++i) others.emplace_back([&work, i] { work(i); });
  work(0);
  for (std::thread& other : others) other.join();
}

int64_t MicrosUp(absl::Time bound) {
  const int64_t floor = MicrosOf(bound);
  return TimeOf(floor) < bound ? floor + 1 : floor;
}

// The ids of calls dialed in [from, to), rising.
absl::StatusOr<std::vector<uint64_t>> IdsBetween(const RocksDb& db,
                                                 const rocksdb::ReadOptions& options,
                                                 absl::Time from, absl::Time to, size_t threads) {
  // The ends of what there is, so that it can be cut into parts of as much time each.
  std::vector<std::string> cuts = {AttemptTimeKey(TimeOf(MicrosUp(from)), AttemptId())};
  const std::string end = AttemptTimeKey(TimeOf(MicrosUp(to)), AttemptId());
  if (threads > 1) {
    const std::unique_ptr<rocksdb::Iterator> it(db.db->NewIterator(options, db[kTimes]));
    it->Seek(SliceOf(cuts[0]));
    if (it->Valid() && View(it->key()) < end) {
      const uint64_t first = ReadBig64(View(it->key()));
      it->SeekForPrev(SliceOf(end));
      const uint64_t last = it->Valid() ? ReadBig64(View(it->key())) : first;
      for (size_t i = 1; i < threads && last > first; ++i) {
        cuts.push_back(IdKey(first + (last - first) / threads * i));
      }
    }
    if (!it->status().ok()) return ReadError(db, it->status());
  }
  cuts.push_back(end);
  std::vector<std::vector<uint64_t>> parts(cuts.size() - 1);
  std::vector<absl::Status> statuses(parts.size());
  SideBySide(parts.size(), [&](size_t i) {
    statuses[i] = Scan(db, kTimes, {cuts[i], cuts[i + 1]}, options,
                       [&](absl::string_view key, absl::string_view) -> absl::StatusOr<bool> {
                         parts[i].push_back(ReadBig64(key.substr(8)));
                         return true;
                       });
    // Mostly they rise with time already.
    if (!std::is_sorted(parts[i].begin(), parts[i].end())) {
      std::sort(parts[i].begin(), parts[i].end());
    }
  });
  std::vector<uint64_t> ids = std::move(parts[0]);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!statuses[i].ok()) return statuses[i];
    if (i == 0) continue;
    const auto middle = static_cast<std::ptrdiff_t>(ids.size());
    ids.insert(ids.end(), parts[i].begin(), parts[i].end());
    parts[i] = {};
    if (middle > 0 && static_cast<size_t>(middle) < ids.size() && ids[middle] < ids[middle - 1]) {
      std::inplace_merge(ids.begin(), ids.begin() + middle, ids.end());
    }
  }
  return ids;
}

// Leads as views, of one state of the database.
class LeadViewer {
 public:
  explicit LeadViewer(const DictionaryView& known) : known_(known) {}

  absl::Status Show(absl::string_view hot, absl::string_view texts,
                    absl::FunctionRef<void(const LeadView&)> visit) {
    static const campaign::FieldLayout* const none = new campaign::FieldLayout();
    LeadView view;
    uint32_t zones = 0;
    TextsMark mark;
    if (absl::Status s = ViewHot(hot, view, zones, mark); !s.ok()) return s;
    view.zones = known_.Zones(zones);
    if (view.zones == nullptr) return Damaged(view, "names zones that are not known");
    if (mark.length != 0) {
      if (texts.empty()) return Damaged(view, "has lost its texts; restore the last backup");
      const absl::StatusOr<uint32_t> number = CheckTexts(texts);
      if (!number.ok()) return number.status();
      if (MarkOf(texts) != mark) return Damaged(view, "has texts that are not its own");
      const campaign::FieldLayout* const layout =
          *number == kNamedLayout ? none : known_.Layout(*number);
      if (layout == nullptr) return Damaged(view, "names a layout that is not known");
      if (absl::Status s = ViewTexts(texts, *layout, texts_); !s.ok()) return s;
      view.texts = texts_;
      if (*number != kNamedLayout) view.layout = layout;
    }
    visit(view);
    return absl::OkStatus();
  }

 private:
  static absl::Status Damaged(const LeadView& view, absl::string_view what) {
    return absl::DataLossError(absl::StrCat("store: lead ", view.id.value(), " ", what));
  }
  const DictionaryView& known_;
  std::vector<campaign::LeadText> texts_;
};

// One by one, where the leads asked for lie far from each other.
absl::Status ShowScattered(const RocksDb& db, const rocksdb::ReadOptions& options,
                           absl::Span<const LeadId> ids, LeadViewer& viewer,
                           absl::FunctionRef<void(const LeadView&)> visit) {
  std::vector<std::string> keys;
  std::vector<rocksdb::Slice> slices;
  for (size_t begin = 0; begin < ids.size(); begin += kMultiGet) {
    const size_t n = std::min(kMultiGet, ids.size() - begin);
    keys.clear();
    for (size_t i = 0; i < n; ++i) keys.push_back(IdKey(ids[begin + i].value()));
    slices.assign(keys.begin(), keys.end());
    std::vector<rocksdb::PinnableSlice> hot(n), texts(n);
    std::vector<rocksdb::Status> hot_statuses(n), texts_statuses(n);
    db.db->MultiGet(options, db[kLeads], n, slices.data(), hot.data(), hot_statuses.data(), true);
    db.db->MultiGet(options, db[kTexts], n, slices.data(), texts.data(), texts_statuses.data(),
                    true);
    for (size_t i = 0; i < n; ++i) {
      if (hot_statuses[i].IsNotFound()) continue;
      for (const rocksdb::Status& s : {hot_statuses[i], texts_statuses[i]}) {
        if (!s.ok() && !s.IsNotFound()) return ReadError(db, s);
      }
      if (absl::Status s = viewer.Show(View(hot[i]), View(texts[i]), visit); !s.ok()) return s;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RocksLeadStore::ScanAttempts(const campaign::AttemptScan& scan,
                                          absl::Span<AttemptVisitor* const> visitors) const {
  if (scan.from >= scan.to) return absl::OkStatus();
  rocksdb::ManagedSnapshot snapshot(db_->db.get());
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.snapshot = snapshot.snapshot();
  options.total_order_seek = true;
  const auto ids = IdsBetween(*db_, options, scan.from, scan.to, visitors.size());
  if (!ids.ok()) return ids.status();

  std::atomic<size_t> next{0};
  std::atomic<bool> stop{false};
  absl::Mutex mutex;
  absl::Status failed;  // of the first that failed
  SideBySide(visitors.size(), [&](size_t i) {
    PieceReader reader(*db_, options, scan.recordings);
    while (!stop.load(std::memory_order_relaxed)) {
      const size_t piece = next.fetch_add(1, std::memory_order_relaxed);
      const size_t begin = piece * kPieceCalls;
      if (begin >= ids->size()) return;
      const size_t n = std::min(kPieceCalls, ids->size() - begin);
      absl::Status status = reader.Read(absl::MakeConstSpan(*ids).subspan(begin, n));
      if (status.ok()) status = visitors[i]->Visit(piece, reader.views(), reader.recordings());
      if (status.ok()) continue;
      stop = true;
      {
        absl::MutexLock lock(&mutex);
        if (failed.ok()) failed = status;
      }
      for (AttemptVisitor* const visitor : visitors) visitor->Cancel(status);
    }
  });
  return failed;
}

absl::Status RocksLeadStore::ViewLeads(absl::Span<const LeadId> ids,
                                       absl::FunctionRef<void(const LeadView&)> visit) const {
  if (ids.empty()) return absl::OkStatus();
  rocksdb::ManagedSnapshot snapshot(db_->db.get());
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.snapshot = snapshot.snapshot();
  options.total_order_seek = true;
  const std::shared_ptr<const DictionaryView> known = dictionary_->view();
  LeadViewer viewer(*known);
  const uint64_t span = ids.back().value() - ids.front().value();
  if (span / kStepsMost > ids.size()) return ShowScattered(*db_, options, ids, viewer, visit);
  Cursor hot(*db_, kLeads, options), texts(*db_, kTexts, options);
  for (const LeadId id : ids) {
    char bytes[8];
    SetKey(id.value(), bytes);
    const absl::string_view key(bytes, sizeof(bytes));
    const auto head = hot.At(key);
    if (!head.ok()) return head.status();
    if (*head == nullptr) continue;
    const auto rest = texts.At(key);
    if (!rest.ok()) return rest.status();
    const absl::string_view record = *rest != nullptr ? View((*rest)->value()) : "";
    if (absl::Status s = viewer.Show(View((*head)->value()), record, visit); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace outpace::store
