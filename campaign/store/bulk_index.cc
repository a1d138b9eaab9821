#include "campaign/store/bulk_index.h"

#include "campaign/store/codec.h"
#include "campaign/store/phone_index.h"
#include "campaign/store/rocks_keys.h"

namespace outpace::store {
namespace {

// Files of an index are taken over into level 0 where they overlap older ones, and many of those
// would slow writers down: few and large.
constexpr uint64_t kIndexFileBytes = 256 << 20;

}  // namespace

BulkPhones::BulkPhones(const RocksDb& db, const std::string& directory,
                       const campaign::Lead& common)
    : db_(db),
      path_(directory + "/phone-"),
      value_(PhoneValue(common)),
      alt_value_(AltValue(value_)),
      runs_(db.env, directory + "/phone-run-") {}

absl::Status BulkPhones::Add(LeadId first, absl::Span<const campaign::BulkLead> leads) {
  std::vector<Row<2>> rows;
  rows.reserve(leads.size() * 5 / 4);
  uint64_t id = first.value();
  for (const campaign::BulkLead& lead : leads) {
    rows.push_back({lead.phone.value(), id * 2});
    if (lead.alt_phone.valid() && lead.alt_phone != lead.phone) {
      rows.push_back({lead.alt_phone.value(), id * 2 + 1});
    }
    ++id;
  }
  return runs_.Add(rows);
}

absl::Status BulkPhones::Write(std::vector<std::string>& paths) {
  BulkFiles files(db_, kPhone, path_, kIndexFileBytes);
  std::string key;
  absl::Status status = runs_.Merge([&](const Row<2>& row) {
    key.clear();
    AppendBig64(row[0], key);
    AppendBig64(row[1] / 2, key);
    return files.Put(key, (row[1] & 1) != 0 ? alt_value_ : value_);
  });
  if (status.ok()) status = files.Finish();
  paths = files.paths();
  return status;
}

BulkDue::BulkDue(const RocksDb& db, const std::string& directory, const campaign::Lead& common)
    : db_(db),
      path_(directory + "/due-"),
      prefix_(DuePrefix(common.campaign)),
      runs_(db.env, directory + "/due-run-") {}

absl::Status BulkDue::Add(LeadId first, absl::Span<const campaign::BulkLead> leads) {
  std::vector<Row<3>> rows;
  rows.reserve(leads.size());
  uint64_t id = first.value();
  for (const campaign::BulkLead& lead : leads) {
    if (lead.next_call_micros != INT64_MAX) {
      rows.push_back({static_cast<uint64_t>(lead.tier) << 8 | static_cast<uint64_t>(99 - lead.rank),
                      OrderedMicros(TimeOf(lead.next_call_micros)), id});
    }
    ++id;
  }
  return runs_.Add(rows);
}

absl::Status BulkDue::Write(std::vector<std::string>& paths) {
  BulkFiles files(db_, kDue, path_, kIndexFileBytes);
  std::string key = prefix_;
  absl::Status status = runs_.Merge([&](const Row<3>& row) {
    key.resize(prefix_.size());
    key.push_back(static_cast<char>(row[0] >> 8));
    key.push_back(static_cast<char>(row[0]));
    AppendBig64(row[1], key);
    AppendBig64(row[2], key);
    return files.Put(key, "");
  });
  if (status.ok()) status = files.Finish();
  paths = files.paths();
  return status;
}

}  // namespace outpace::store
