// The reading half: every read sees one state of the database, so an index entry always finds its
// record.

#include <rocksdb/iterator.h>
#include <rocksdb/options.h>
#include <rocksdb/snapshot.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/store/codec.h"
#include "campaign/store/dictionary.h"
#include "campaign/store/lead_keys.h"
#include "campaign/store/lead_reader.h"
#include "campaign/store/lead_record.h"
#include "campaign/store/rocks_db.h"
#include "campaign/store/rocks_keys.h"
#include "campaign/store/rocks_lead_store.h"
#include "campaign/store/rocks_scan.h"

namespace outpace::store {
namespace {

using campaign::Attempt;
using campaign::Lead;

// Instants are stored in whole microseconds, so t >= bound holds when t >= the bound rounded up.
absl::Time RoundUp(absl::Time bound) {
  const absl::Time floor = TimeOf(MicrosOf(bound));
  return floor < bound ? floor + absl::Microseconds(1) : floor;
}

}  // namespace

absl::StatusOr<std::optional<Lead>> RocksLeadStore::GetLead(LeadId id) const {
  rocksdb::ManagedSnapshot snapshot(db_->db.get());
  rocksdb::ReadOptions options;
  options.snapshot = snapshot.snapshot();
  const std::string key = IdKey(id.value());
  rocksdb::PinnableSlice head, texts;
  rocksdb::Status status = db_->db->Get(options, (*db_)[kLeads], key, &head);
  if (status.IsNotFound()) return std::optional<Lead>();
  if (status.ok()) status = db_->db->Get(options, (*db_)[kTexts], key, &texts);
  if (!status.ok() && !status.IsNotFound()) return ReadError(*db_, status);
  const std::shared_ptr<const DictionaryView> known = dictionary_->view();
  HotLead hot;
  absl::Status s = DecodeLeadHead(View(head), *known, hot);
  if (s.ok()) s = AddTexts(View(texts), *known, hot);
  if (!s.ok()) return s;
  return std::optional<Lead>(std::move(hot.lead));
}

absl::StatusOr<std::optional<Attempt>> RocksLeadStore::GetAttempt(AttemptId id) const {
  return ReadOne<Attempt>(*db_, kAttempts, IdKey(id.value()), DecodeAttempt);
}

// Both records of a lead have its id as key: two iterators side by side.
absl::Status RocksLeadStore::ForEachLead(const std::function<bool(const Lead&)>& visit) const {
  rocksdb::ManagedSnapshot snapshot(db_->db.get());
  rocksdb::ReadOptions options = BulkRead();
  options.snapshot = snapshot.snapshot();
  const std::shared_ptr<const DictionaryView> known = dictionary_->view();
  const std::unique_ptr<rocksdb::Iterator> texts(db_->db->NewIterator(options, (*db_)[kTexts]));
  texts->Seek(SliceOf(kFirstKey));
  const absl::Status status =
      Scan(*db_, kLeads, EverythingRange(), options,
           [&](absl::string_view key, absl::string_view value) -> absl::StatusOr<bool> {
             HotLead hot;
             if (absl::Status s = DecodeLeadHead(value, *known, hot); !s.ok()) return s;
             while (texts->Valid() && View(texts->key()) < key) texts->Next();
             const bool found = texts->Valid() && View(texts->key()) == key;
             const absl::string_view record = found ? View(texts->value()) : absl::string_view();
             if (absl::Status s = AddTexts(record, *known, hot); !s.ok()) return s;
             return visit(hot.lead);
           });
  if (status.ok() && !texts->status().ok()) return ReadError(*db_, texts->status());
  return status;
}

absl::Status RocksLeadStore::ForEachAttempt(
    absl::Time from, absl::Time to, const std::function<bool(const Attempt&)>& visit) const {
  if (from >= to) return absl::OkStatus();
  rocksdb::ManagedSnapshot snapshot(db_->db.get());
  rocksdb::ReadOptions options = BulkRead();
  options.snapshot = snapshot.snapshot();
  // Eight bytes an attempt are held: the index is by time and the answer by id.
  std::vector<uint64_t> ids;
  const Range range = {AttemptTimeKey(RoundUp(from), AttemptId()),
                       AttemptTimeKey(RoundUp(to), AttemptId())};
  absl::Status status = Scan(*db_, kTimes, range, options,
                             [&](absl::string_view key, absl::string_view) -> absl::StatusOr<bool> {
                               ids.push_back(ReadBig64(key.substr(8)));
                               return true;
                             });
  if (!status.ok()) return status;
  std::sort(ids.begin(), ids.end());
  return ReadEach<Attempt>(*db_, kAttempts, ids, options, DecodeAttempt,
                           [&](Attempt& attempt) { return visit(attempt); });
}

absl::Status RocksLeadStore::ForEachActivity(
    absl::Time from, absl::Time to,
    const std::function<bool(const campaign::AgentActivity&)>& visit) const {
  if (from >= to) return absl::OkStatus();
  const Range range = {ActivityTimeKey(RoundUp(from)), ActivityTimeKey(RoundUp(to))};
  return Scan(*db_, kMeta, range, BulkRead(),
              [&](absl::string_view, absl::string_view value) -> absl::StatusOr<bool> {
                absl::StatusOr<campaign::AgentActivity> activity = DecodeActivity(value);
                if (!activity.ok()) return activity.status();
                return visit(*activity);
              });
}

absl::StatusOr<std::vector<Attempt>> RocksLeadStore::OpenAttempts() const {
  rocksdb::ManagedSnapshot snapshot(db_->db.get());
  rocksdb::ReadOptions options;
  options.snapshot = snapshot.snapshot();
  std::vector<uint64_t> ids;
  absl::Status status = Scan(*db_, kOpen, EverythingRange(), options,
                             [&](absl::string_view key, absl::string_view) -> absl::StatusOr<bool> {
                               ids.push_back(ReadBig64(key));
                               return true;
                             });
  std::vector<Attempt> attempts;
  if (status.ok()) {
    status = ReadEach<Attempt>(*db_, kAttempts, ids, options, DecodeAttempt, [&](Attempt& a) {
      attempts.push_back(std::move(a));
      return true;
    });
  }
  if (!status.ok()) return status;
  return attempts;
}

absl::StatusOr<std::optional<campaign::Recording>> RocksLeadStore::GetRecording(
    AttemptId attempt) const {
  return ReadOne<campaign::Recording>(*db_, kMeta, RecordingKey(attempt), DecodeRecording);
}

// The narrowest index that fits; what else is asked for is looked up in the records.
absl::StatusOr<std::vector<campaign::Recording>> RocksLeadStore::FindRecordings(
    const campaign::RecordingQuery& query) const {
  std::vector<campaign::Recording> found;
  if (query.limit == 0) return found;
  if (query.attempt.valid()) {
    auto recording = GetRecording(query.attempt);
    if (!recording.ok()) return recording.status();
    if (recording->has_value() && Matches(query, **recording)) found.push_back(**recording);
    return found;
  }
  std::string index = RecordingsByTime();
  if (query.lead.valid()) {
    index = RecordingsOfLead(query.lead);
  } else if (query.number.valid()) {
    index = RecordingsOfNumber(query.number);
  } else if (!query.agent.empty()) {
    index = RecordingsOfAgent(query.agent);
  } else if (!query.campaign.empty()) {
    index = RecordingsOfCampaign(query.campaign);
  }
  rocksdb::ManagedSnapshot snapshot(db_->db.get());
  rocksdb::ReadOptions options;
  options.snapshot = snapshot.snapshot();
  const Range range{RecordingIndexKey(index, RoundUp(query.from), AttemptId()),
                    query.to == absl::InfiniteFuture()
                        ? AfterPrefix(index)
                        : RecordingIndexKey(index, RoundUp(query.to), AttemptId())};
  const absl::Status status =
      Scan(*db_, kMeta, range, options,
           [&](absl::string_view key, absl::string_view) -> absl::StatusOr<bool> {
             const AttemptId attempt(ReadBig64(key.substr(key.size() - 8)));
             rocksdb::PinnableSlice bytes;
             const rocksdb::Status got =
                 db_->db->Get(options, (*db_)[kMeta], RecordingKey(attempt), &bytes);
             if (got.IsNotFound()) {
               return absl::DataLossError(
                   absl::StrCat("store: ", db_->path, ": an index names the recording of attempt ",
                                attempt.value(), ", which is not there; restore the last backup"));
             }
             if (!got.ok()) return ReadError(*db_, got);
             absl::StatusOr<campaign::Recording> recording = DecodeRecording(View(bytes));
             if (!recording.ok()) return recording.status();
             if (Matches(query, *recording)) found.push_back(*std::move(recording));
             return found.size() < query.limit;
           });
  if (!status.ok()) return status;
  return found;
}

absl::Status RocksLeadStore::ForEachDnc(
    const std::function<bool(const campaign::DncEntry&)>& visit) const {
  return Scan(*db_, kDnc, EverythingRange(), BulkRead(),
              [&](absl::string_view key, absl::string_view value) -> absl::StatusOr<bool> {
                absl::StatusOr<campaign::DncEntry> entry = DecodeDnc(value);
                if (!entry.ok()) return entry.status();
                if (View(DncKey(*entry)) != key) {
                  return absl::DataLossError(absl::StrCat(
                      "store: ", db_->path,
                      ": a do-not-call entry is not where it belongs; restore the last backup"));
                }
                return visit(*entry);
              });
}

absl::StatusOr<std::optional<campaign::DncEntry>> RocksLeadStore::GetDnc(
    const campaign::DncEntry& place) const {
  return ReadOne<campaign::DncEntry>(*db_, kDnc, DncKey(place), DecodeDnc);
}

// From list to list: the first entry of each says its name, and its end is where the next is
// sought.
absl::StatusOr<std::vector<campaign::DncEntry>> RocksLeadStore::DncOf(E164 phone) const {
  constexpr uint64_t kBehindAllPlaces = uint64_t{1} << 56;
  const std::vector<uint64_t> places = DncPlacesOf(phone);
  std::vector<campaign::DncEntry> found;
  rocksdb::ManagedSnapshot snapshot(db_->db.get());
  rocksdb::ReadOptions options;
  options.snapshot = snapshot.snapshot();
  options.total_order_seek = true;
  const std::unique_ptr<rocksdb::Iterator> it(db_->db->NewIterator(options, (*db_)[kDnc]));
  for (it->Seek(SliceOf(kFirstKey)); it->Valid();) {
    const std::string prefix = DncPrefix(View(it->key()));
    if (prefix.empty() || it->key()[prefix.size()] != '\0') {
      return absl::DataLossError(absl::StrCat(
          "store: ", db_->path, ": a do-not-call entry has no list; restore the last backup"));
    }
    for (const uint64_t place : places) {
      rocksdb::PinnableSlice bytes;
      const rocksdb::Status got =
          db_->db->Get(options, (*db_)[kDnc], DncKey(prefix, place), &bytes);
      if (got.IsNotFound()) continue;
      if (!got.ok()) return ReadError(*db_, got);
      absl::StatusOr<campaign::DncEntry> entry = DecodeDnc(View(bytes));
      if (!entry.ok()) return entry.status();
      found.push_back(*std::move(entry));
    }
    it->Seek(DncKey(prefix, kBehindAllPlaces));
  }
  if (!it->status().ok()) return ReadError(*db_, it->status());
  return found;
}

absl::StatusOr<std::vector<campaign::List>> RocksLeadStore::Lists() const {
  return ReadAll<campaign::List>(*db_, kMeta, PrefixRange({kListPrefix}), DecodeList);
}

absl::StatusOr<std::vector<campaign::CampaignSettings>> RocksLeadStore::Campaigns() const {
  return ReadAll<campaign::CampaignSettings>(*db_, kMeta, PrefixRange({kCampaignPrefix}),
                                             DecodeSettings);
}

absl::StatusOr<std::vector<campaign::AgentRecord>> RocksLeadStore::Agents() const {
  return ReadAll<campaign::AgentRecord>(*db_, kMeta, PrefixRange({kAgentPrefix}), DecodeAgent);
}

absl::StatusOr<std::optional<std::string>> RocksLeadStore::GetMeta(const std::string& name) const {
  return ReadOne<std::string>(*db_, kMeta, absl::StrCat(std::string(1, kValuePrefix), name),
                              DecodeText);
}

absl::StatusOr<std::map<CampaignId, std::map<std::string, int64_t>>> RocksLeadStore::StatusCounts()
    const {
  std::map<CampaignId, std::map<std::string, int64_t>> counts;
  HotLead hot;
  const absl::Status status =
      Scan(*db_, kLeads, EverythingRange(), BulkRead(),
           [&](absl::string_view, absl::string_view value) -> absl::StatusOr<bool> {
             if (absl::Status s = DecodeHot(value, hot); !s.ok()) return s;
             ++counts[hot.lead.campaign][hot.lead.status];
             return true;
           });
  if (!status.ok()) return status;
  return counts;
}

}  // namespace outpace::store
