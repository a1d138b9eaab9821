// Reads everything and compares it with itself: for after a restore, a damaged disk, or doubt.

#include <rocksdb/iterator.h>
#include <rocksdb/snapshot.h>

#include <array>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "campaign/store/codec.h"
#include "campaign/store/dictionary.h"
#include "campaign/store/lead_keys.h"
#include "campaign/store/lead_reader.h"
#include "campaign/store/phone_index.h"
#include "campaign/store/rocks_due.h"
#include "campaign/store/rocks_lead_store.h"
#include "campaign/store/rocks_scan.h"

namespace outpace::store {

using campaign::Attempt;
using campaign::Lead;

absl::Status RocksLeadStore::VerifyRecordings() const {
  const RocksDb& db = *db_;
  rocksdb::ManagedSnapshot snapshot(db.db.get());
  rocksdb::ReadOptions options = BulkRead();
  options.snapshot = snapshot.snapshot();
  rocksdb::ReadOptions probe;
  probe.snapshot = options.snapshot;
  int64_t expected = 0, entries = 0;
  absl::Status status =
      Scan(db, kMeta, PrefixRange({kRecordingPrefix}), options,
           [&](absl::string_view key, absl::string_view value) -> absl::StatusOr<bool> {
             const absl::StatusOr<campaign::Recording> recording = DecodeRecording(value);
             if (!recording.ok()) return recording.status();
             bool whole = View(RecordingKey(recording->attempt)) == key;
             for (const std::string& index : RecordingIndexKeys(*recording)) {
               rocksdb::PinnableSlice found;
               whole = whole && db.db->Get(probe, db[kMeta], index, &found).ok();
               ++expected;
             }
             if (whole) return true;
             return absl::DataLossError(
                 absl::StrCat("store: ", db.path, ": the recording of attempt ",
                              recording->attempt.value(), " is not in every index"));
           });
  if (!status.ok()) return status;
  status = Scan(db, kMeta, PrefixRange({kRecordingIndexPrefix}), options,
                [&](absl::string_view, absl::string_view) -> absl::StatusOr<bool> {
                  ++entries;
                  return true;
                });
  if (status.ok() && entries != expected) {
    status = absl::DataLossError(absl::StrCat("store: ", db.path, ": the recordings' indexes have ",
                                              entries, " entries for ", expected));
  }
  return status;
}

absl::Status RocksLeadStore::VerifyActivities() const {
  return Scan(*db_, kMeta, PrefixRange({kActivityPrefix}), BulkRead(),
              [&](absl::string_view key, absl::string_view value) -> absl::StatusOr<bool> {
                const absl::StatusOr<campaign::AgentActivity> activity = DecodeActivity(value);
                if (!activity.ok()) return activity.status();
                if (absl::StartsWith(key, ActivityTimeKey(activity->at))) return true;
                return absl::DataLossError(absl::StrCat(
                    "store: ", db_->path, ": an agent's activity is not where its time belongs"));
              });
}

// Each record is read and its index entries are looked up; then the entries are counted, so that
// none stands for a record that is not there.
absl::Status RocksLeadStore::Verify() const {
  const RocksDb& db = *db_;
  rocksdb::ManagedSnapshot snapshot(db.db.get());
  rocksdb::ReadOptions options = BulkRead();
  options.snapshot = snapshot.snapshot();
  rocksdb::ReadOptions probe;
  probe.snapshot = options.snapshot;
  std::array<int64_t, kFamilies> expected{};
  const auto missing = [&db](absl::string_view record, uint64_t id, absl::string_view index) {
    return absl::DataLossError(absl::StrCat("store: ", db.path, ": ", record, " ", id,
                                            " is not in the ", index, " index"));
  };
  const auto has = [&](Family family, const std::string& key, absl::string_view value) {
    rocksdb::PinnableSlice found;
    ++expected[family];
    return db.db->Get(probe, db[family], key, &found).ok() && View(found) == value;
  };
  const auto verify_due = [&](const Lead& lead) {
    const absl::StatusOr<DuePlan> plan = due_->PlanAt(lead.campaign, options.snapshot);
    if (!plan.ok()) return plan.status();
    const std::string next = DuePrefixOf(lead.campaign, plan->generation ^ 1);
    for (const DueEntry& entry : DueEntriesOf(lead, *plan)) {
      if (has(kDue, entry.key, entry.value)) continue;
      --expected[kDue];
      if (entry.waiting() && has(kDue, PromotedKey(entry), "")) continue;
      if (entry.waiting()) --expected[kDue];
      // An index that is being built has not come to every lead yet.
      if (!absl::StartsWith(entry.key, next)) return missing("lead", lead.id.value(), "due");
    }
    return absl::OkStatus();
  };
  const std::shared_ptr<const DictionaryView> known = dictionary_->view();
  const std::unique_ptr<rocksdb::Iterator> texts(db.db->NewIterator(options, db[kTexts]));
  texts->Seek(SliceOf(kFirstKey));
  HotLead hot;
  absl::Status status = Scan(
      db, kLeads, EverythingRange(), options,
      [&](absl::string_view key, absl::string_view value) -> absl::StatusOr<bool> {
        if (absl::Status s = DecodeLeadHead(value, *known, hot); !s.ok()) return s;
        const Lead& lead = hot.lead;
        const uint64_t id = lead.id.value();
        if (View(IdKey(id)) != key) return missing("lead", id, "lead id");
        // Both families have the same keys in the same order, but for leads without texts.
        absl::string_view record;
        if (hot.texts.length > 0 && texts->Valid() && View(texts->key()) == key) {
          record = View(texts->value());
        }
        if (absl::Status s = AddTexts(record, *known, hot); !s.ok()) return s;
        if (!record.empty()) texts->Next();
        if (absl::Status s = verify_due(lead); !s.ok()) return s;
        if (lead.phone.valid() && !has(kPhone, PhoneKey(lead.phone, lead.id), PhoneValue(lead))) {
          return missing("lead", id, "phone");
        }
        if (HasAltEntry(lead) &&
            !has(kPhone, PhoneKey(lead.alt_phone, lead.id), AltValue(PhoneValue(lead)))) {
          return missing("lead", id, "phone");
        }
        return true;
      });
  if (status.ok() && texts->Valid()) {
    status = absl::DataLossError(absl::StrCat("store: ", db.path, ": the texts of lead ",
                                              ReadBig64(View(texts->key())), " are of no lead"));
  }
  if (!status.ok()) return status;
  status = Scan(db, kAttempts, EverythingRange(), options,
                [&](absl::string_view key, absl::string_view value) -> absl::StatusOr<bool> {
                  const absl::StatusOr<Attempt> attempt = DecodeAttempt(value);
                  if (!attempt.ok()) return attempt.status();
                  const uint64_t id = attempt->id.value();
                  if (View(IdKey(id)) != key) return missing("attempt", id, "attempt id");
                  if (!has(kTimes, AttemptTimeKey(attempt->dialed_at, attempt->id), "")) {
                    return missing("attempt", id, "time");
                  }
                  if (attempt->open && !has(kOpen, IdKey(id), "")) {
                    return missing("attempt", id, "open");
                  }
                  return true;
                });
  if (!status.ok()) return status;
  for (const Family family : {kDue, kPhone, kTimes, kOpen}) {
    int64_t entries = 0;
    status = Scan(db, family, EverythingRange(), options,
                  [&](absl::string_view, absl::string_view) -> absl::StatusOr<bool> {
                    ++entries;
                    return true;
                  });
    if (!status.ok()) return status;
    if (entries != expected[family]) {
      return absl::DataLossError(absl::StrCat("store: ", db.path, ": index ", family, " has ",
                                              entries, " entries for ", expected[family],
                                              " records"));
    }
  }
  for (const absl::Status& read : {VerifyRecordings(), VerifyActivities(), Imports().status(),
                                   ForEachDnc([](const campaign::DncEntry&) { return true; }),
                                   Lists().status(), Campaigns().status(), Agents().status()}) {
    if (!read.ok()) return read;
  }
  return absl::OkStatus();
}

}  // namespace outpace::store
