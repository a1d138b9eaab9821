#include "campaign/store/lead_reader.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/store/rocks_scan.h"

namespace outpace::store {
namespace {

absl::Status Damaged(const HotLead& hot, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("store: lead ", hot.lead.id.value(), " ", what));
}

// Of kMultiGet ids at most: the records of one family.
struct Fetched {
  std::vector<rocksdb::PinnableSlice> values;
  std::vector<rocksdb::Status> statuses;

  void Fetch(const RocksDb& db, Family family, const std::vector<rocksdb::Slice>& keys,
             const rocksdb::ReadOptions& options) {
    values = std::vector<rocksdb::PinnableSlice>(keys.size());
    statuses = std::vector<rocksdb::Status>(keys.size());
    db.db->MultiGet(options, db[family], keys.size(), keys.data(), values.data(), statuses.data());
  }
};

}  // namespace

absl::Status ReadDictionary(const RocksDb& db, Dictionary& dictionary) {
  for (const char kind : {kZonesPrefix, kLayoutPrefix}) {
    const absl::Status status =
        Scan(db, kMeta, PrefixRange({kind}), rocksdb::ReadOptions(),
             [&](absl::string_view key, absl::string_view value) -> absl::StatusOr<bool> {
               uint32_t number = 0;
               for (const char byte : key.substr(1))
                 number = number << 8 | static_cast<uint8_t>(byte);
               const absl::Status s = kind == kZonesPrefix ? dictionary.LoadZones(number, value)
                                                           : dictionary.LoadLayout(number, value);
               if (!s.ok()) return s;
               return true;
             });
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status DecodeLeadHead(absl::string_view record, const DictionaryView& known, HotLead& hot) {
  if (absl::Status status = DecodeHot(record, hot); !status.ok()) return status;
  const ZoneSet* const zones = known.Zones(hot.zones);
  if (zones == nullptr) return Damaged(hot, absl::StrCat("names zones ", hot.zones));
  hot.lead.time_zones = *zones;
  return absl::OkStatus();
}

absl::Status AddTexts(absl::string_view texts, const DictionaryView& known, HotLead& hot) {
  static const campaign::FieldLayout* const none = new campaign::FieldLayout();
  hot.lead.has_fields = true;
  if (texts.empty() && hot.texts.length == 0) return absl::OkStatus();
  if (texts.empty()) return Damaged(hot, "has lost its texts; restore the last backup");
  const absl::StatusOr<uint32_t> number = CheckTexts(texts);
  if (!number.ok()) return number.status();
  if (MarkOf(texts) != hot.texts) return Damaged(hot, "has texts that are not its own");
  const campaign::FieldLayout* layout = known.Layout(*number);
  if (*number == kNamedLayout) layout = none;
  if (layout == nullptr) return Damaged(hot, absl::StrCat("names layout ", *number));
  return DecodeTexts(texts, *layout, hot.lead);
}

absl::Status ReadLeads(const RocksDb& db, const Dictionary& dictionary,
                       const std::vector<uint64_t>& ids, const rocksdb::ReadOptions& options,
                       bool with_fields, const std::function<bool(campaign::Lead&)>& visit) {
  std::vector<std::string> keys;
  std::vector<rocksdb::Slice> slices;
  Fetched heads, texts;
  for (size_t begin = 0; begin < ids.size(); begin += kMultiGet) {
    const size_t n = std::min(kMultiGet, ids.size() - begin);
    keys.clear();
    for (size_t i = 0; i < n; ++i) keys.push_back(IdKey(ids[begin + i]));
    slices.assign(keys.begin(), keys.end());
    heads.Fetch(db, kLeads, slices, options);
    if (with_fields) texts.Fetch(db, kTexts, slices, options);
    const std::shared_ptr<const DictionaryView> known = dictionary.view();
    for (size_t i = 0; i < n; ++i) {
      if (heads.statuses[i].IsNotFound()) {
        return absl::DataLossError(absl::StrCat("store: ", db.path, ": an index names lead ",
                                                ids[begin + i],
                                                ", which is not there; restore the last backup"));
      }
      if (!heads.statuses[i].ok()) return ReadError(db, heads.statuses[i]);
      HotLead hot;
      absl::Status status = DecodeLeadHead(View(heads.values[i]), *known, hot);
      if (status.ok() && with_fields) {
        if (!texts.statuses[i].ok() && !texts.statuses[i].IsNotFound()) {
          return ReadError(db, texts.statuses[i]);
        }
        status = AddTexts(View(texts.values[i]), *known, hot);
      }
      if (!status.ok()) return status;
      if (!visit(hot.lead)) return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

}  // namespace outpace::store
