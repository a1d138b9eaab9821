// A pass over all leads of a campaign on several threads: the hot records of one state of the
// database, read in place, cut by id into pieces that the threads take one after another.

#include <rocksdb/iterator.h>
#include <rocksdb/options.h>
#include <rocksdb/snapshot.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "campaign/lead_scan.h"
#include "campaign/store/dictionary.h"
#include "campaign/store/lead_reader.h"
#include "campaign/store/lead_record.h"
#include "campaign/store/rocks_db.h"
#include "campaign/store/rocks_keys.h"
#include "campaign/store/rocks_lead_store.h"
#include "campaign/store/rocks_scan.h"

namespace outpace::store {
namespace {

using campaign::Lead;
using campaign::LeadGlance;
using campaign::LeadVisitor;

// So many pieces a thread that one with a busier processor takes fewer.
constexpr uint64_t kPiecesAThread = 16;
// Texts of leads not asked for that are passed by one by one; farther off, a seek is cheaper.
constexpr int kStepsMost = 8;

// What all threads of one pass read.
struct Pass {
  const RocksDb& db;
  const CampaignId& campaign;
  rocksdb::ReadOptions options;
  std::shared_ptr<const DictionaryView> known;
};

// The texts of leads asked for with rising ids.
class TextsCursor {
 public:
  explicit TextsCursor(const Pass& pass) : pass_(pass) {}
  // Empty: there are none. The view is good until the next call.
  absl::StatusOr<absl::string_view> At(absl::string_view key) {
    if (it_ == nullptr) {
      it_.reset(pass_.db.db->NewIterator(pass_.options, pass_.db[kTexts]));
      it_->Seek(SliceOf(key));
    }
    int steps = 0;
    while (it_->Valid() && View(it_->key()) < key) {
      if (++steps > kStepsMost) {
        it_->Seek(SliceOf(key));
        break;
      }
      it_->Next();
    }
    if (it_->Valid()) {
      return View(it_->key()) == key ? View(it_->value()) : absl::string_view();
    }
    if (!it_->status().ok()) return ReadError(pass_.db, it_->status());
    return absl::string_view();
  }

 private:
  const Pass& pass_;
  std::unique_ptr<rocksdb::Iterator> it_;
};

absl::StatusOr<Lead> Whole(const Pass& pass, TextsCursor& texts, absl::string_view key,
                           absl::string_view record) {
  HotLead hot;
  if (absl::Status s = DecodeLeadHead(record, *pass.known, hot); !s.ok()) return s;
  const absl::StatusOr<absl::string_view> bytes = texts.At(key);
  if (!bytes.ok()) return bytes.status();
  if (absl::Status s = AddTexts(*bytes, *pass.known, hot); !s.ok()) return s;
  return std::move(hot.lead);
}

// Shows `visitor` what lies in [range.from, range.to), until `stop`.
absl::Status VisitRange(const Pass& pass, const Range& range, const std::atomic<bool>& stop,
                        LeadVisitor& visitor) {
  TextsCursor texts(pass);
  LeadGlance glance;
  return Scan(pass.db, kLeads, range, pass.options,
              [&](absl::string_view key, absl::string_view value) -> absl::StatusOr<bool> {
                const absl::string_view of = CampaignOfHot(value);
                // An empty one may be a damaged record, which is to be told.
                if (of != pass.campaign && !of.empty()) return true;
                if (absl::Status s = GlanceAtHot(value, glance); !s.ok()) return s;
                if (of != pass.campaign) return true;
                glance.zone_names = pass.known->Zones(glance.zones);
                if (glance.zone_names == nullptr) {
                  return absl::DataLossError(absl::StrCat("store: lead ", glance.id.value(),
                                                          " names zones ", glance.zones));
                }
                const auto whole = [&] { return Whole(pass, texts, key, value); };
                if (absl::Status s = visitor.Visit(glance, whole); !s.ok()) return s;
                return !stop.load(std::memory_order_relaxed);
              });
}

// Keys of [first, last] in `pieces` parts of as many ids each.
std::vector<Range> Cut(uint64_t first, uint64_t last, uint64_t pieces) {
  const uint64_t step = (last - first) / pieces + 1;
  std::vector<Range> ranges;
  for (uint64_t from = first;; from += step) {
    const bool end = last - from < step;
    ranges.push_back({IdKey(from), end ? "" : IdKey(from + step)});
    if (end) return ranges;
  }
}

}  // namespace

absl::Status RocksLeadStore::ScanLeads(const CampaignId& campaign,
                                       absl::Span<LeadVisitor* const> visitors) const {
  rocksdb::ManagedSnapshot snapshot(db_->db.get());
  rocksdb::ReadOptions options = BulkRead();
  options.snapshot = snapshot.snapshot();
  options.total_order_seek = true;
  const Pass pass{*db_, campaign, options, dictionary_->view()};
  uint64_t first = 0, last = 0;
  {
    const std::unique_ptr<rocksdb::Iterator> it(db_->db->NewIterator(options, (*db_)[kLeads]));
    it->Seek(SliceOf(kFirstKey));
    if (it->Valid()) first = ReadBig64(View(it->key()));
    it->SeekToLast();
    // The stamp lies before all leads.
    if (it->Valid() && View(it->key()) >= kFirstKey) last = ReadBig64(View(it->key()));
    if (!it->status().ok()) return ReadError(*db_, it->status());
  }
  if (last == 0) return absl::OkStatus();

  const std::vector<Range> ranges = Cut(first, last, kPiecesAThread * visitors.size());
  std::atomic<size_t> next{0};
  std::atomic<bool> stop{false};
  absl::Mutex mutex;
  absl::Status failed;  // of the first that failed
  const auto work = [&](LeadVisitor& visitor) {
    while (!stop.load(std::memory_order_relaxed)) {
      const size_t mine = next.fetch_add(1, std::memory_order_relaxed);
      if (mine >= ranges.size()) return;
      const absl::Status status = VisitRange(pass, ranges[mine], stop, visitor);
      if (status.ok()) continue;
      absl::MutexLock lock(&mutex);
      if (failed.ok()) failed = status;
      stop = true;
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < visitors.size(); ++i) {
    others.emplace_back([&work, visitor = visitors[i]] { work(*visitor); });
  }
  work(*visitors[0]);
  for (std::thread& other : others) other.join();
  return failed;
}

}  // namespace outpace::store
