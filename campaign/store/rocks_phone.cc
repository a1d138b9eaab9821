// Questions to the index of numbers. Its entries hold all that is asked of them, so no lead is
// read.

#include <rocksdb/iterator.h>

#include "campaign/store/phone_index.h"
#include "campaign/store/rocks_lead_store.h"
#include "campaign/store/rocks_scan.h"

namespace outpace::store {
namespace {

using campaign::PhoneUse;

// A seek costs as much as reading about this many entries in a row.
constexpr int kStepsPerSeek = 24;

rocksdb::ReadOptions Sequential() {
  rocksdb::ReadOptions options = BulkRead();
  options.verify_checksums = true;
  return options;
}

}  // namespace

absl::Status RocksLeadStore::ForEachPhone(const std::function<bool(const PhoneUse&)>& visit) const {
  PhoneUse use;
  std::string last_value;  // most neighbours came with one load and have the same
  return Scan(*db_, kPhone, EverythingRange(), Sequential(),
              [&](absl::string_view key, absl::string_view value) -> absl::StatusOr<bool> {
                if (value == last_value && key.size() == kPhoneKeyBytes) {
                  use.phone = E164(ReadBig64(key));
                  use.lead = LeadId(ReadBig64(key.substr(8)));
                  return visit(use);
                }
                if (absl::Status s = DecodePhoneUse(key, value, use); !s.ok()) return s;
                last_value.assign(value.data(), value.size());
                return visit(use);
              });
}

// One iterator over the sorted numbers. Where they lie close together in the index the next one is
// reached by stepping, which after some steps gives way to a seek: a question about most of the
// index is one scan, one about a few numbers a few seeks.
absl::StatusOr<std::vector<PhoneUse>> RocksLeadStore::PhoneUses(
    absl::Span<const E164> sorted) const {
  std::vector<PhoneUse> uses;
  if (sorted.empty()) return uses;
  const std::unique_ptr<rocksdb::Iterator> it(db_->db->NewIterator(Sequential(), (*db_)[kPhone]));
  std::string prefix = IdKey(sorted.front().value());
  it->Seek(prefix);
  for (const E164 phone : sorted) {
    if (!it->Valid()) break;
    prefix.clear();
    AppendBig64(phone.value(), prefix);
    for (int steps = 0; it->Valid() && View(it->key()).substr(0, 8) < prefix; ++steps) {
      if (steps < kStepsPerSeek) {
        it->Next();
      } else {
        it->Seek(prefix);
      }
    }
    for (; it->Valid() && View(it->key()).substr(0, 8) == prefix; it->Next()) {
      if (absl::Status s = DecodePhoneUse(View(it->key()), View(it->value()), uses.emplace_back());
          !s.ok()) {
        return s;
      }
    }
  }
  if (!it->status().ok()) return ReadError(*db_, it->status());
  return uses;
}

absl::StatusOr<std::vector<LeadId>> RocksLeadStore::LeadsByPhone(E164 phone) const {
  std::vector<LeadId> found;
  const absl::Status status =
      Scan(*db_, kPhone, PrefixRange(IdKey(phone.value())), rocksdb::ReadOptions(),
           [&](absl::string_view key, absl::string_view) -> absl::StatusOr<bool> {
             found.push_back(LeadId(ReadBig64(key.substr(kPhonePrefixBytes))));
             return true;
           });
  if (!status.ok()) return status;
  return found;
}

}  // namespace outpace::store
