#include "campaign/store/dictionary.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "campaign/store/codec.h"
#include "campaign/store/wire.h"

namespace outpace::store {
namespace {

using campaign::FieldColumn;
using campaign::FieldLayout;
using campaign::FieldType;

// Field numbers on disk, as those of codec.h.
enum ZonesField : uint32_t { kZone = 1 };
enum LayoutField : uint32_t { kColumn = 1 };  // a pair: name, and one byte of type

absl::StatusOr<ZoneSet> DecodeZones(absl::string_view bytes) {
  FieldReader reader(bytes, kRecordMajor);
  ZoneSet zones;
  Field f;
  while (reader.Next(f)) {
    if (f.id == kZone) zones.push_back(reader.Text(f));
  }
  if (!reader.status().ok()) return reader.status();
  return zones;
}

absl::StatusOr<FieldLayout> DecodeLayout(absl::string_view bytes) {
  FieldReader reader(bytes, kRecordMajor);
  FieldLayout layout;
  Field f;
  while (reader.Next(f)) {
    FieldColumn column;
    std::string type;
    if (f.id != kColumn || !reader.Pair(f, column.name, type)) continue;
    if (type.size() != 1 || type[0] < 0 || type[0] > static_cast<char>(FieldType::kFlag)) {
      reader.Fail("a column's type");
      break;
    }
    column.type = static_cast<FieldType>(type[0]);
    layout.push_back(std::move(column));
  }
  if (!reader.status().ok()) return reader.status();
  return layout;
}

template <typename T>
const T* At(const std::vector<std::shared_ptr<const T>>& entries, uint32_t number) {
  return number == 0 || number > entries.size() ? nullptr : entries[number - 1].get();
}

absl::Status OutOfOrder(absl::string_view what, uint32_t number) {
  return absl::DataLossError(
      absl::StrCat("store: ", what, " ", number, " is there but not those before it"));
}

}  // namespace

std::string EncodeZones(const ZoneSet& zones) {
  FieldWriter w(kRecordMajor);
  for (const std::string& zone : zones) w.TextAlways(kZone, zone);
  return std::move(w).Finish();
}

std::string EncodeLayout(const FieldLayout& layout) {
  FieldWriter w(kRecordMajor);
  for (const FieldColumn& column : layout) {
    w.Pair(kColumn, column.name, std::string(1, static_cast<char>(column.type)));
  }
  return std::move(w).Finish();
}

const ZoneSet* DictionaryView::Zones(uint32_t number) const {
  static const ZoneSet* const empty = new ZoneSet();
  return number == 0 ? empty : At(zones, number);
}

const FieldLayout* DictionaryView::Layout(uint32_t number) const { return At(layouts, number); }

Dictionary::Dictionary() : view_(std::make_shared<DictionaryView>()) {}

std::shared_ptr<const DictionaryView> Dictionary::view() const {
  absl::MutexLock lock(&mutex_);
  return view_;
}

bool Dictionary::FindZones(const ZoneSet& zones, uint32_t& number) const {
  number = 0;
  if (zones.empty()) return true;
  const std::string record = EncodeZones(zones);
  absl::MutexLock lock(&mutex_);
  const auto it = zones_by_record_.find(record);
  if (it == zones_by_record_.end()) return false;
  number = it->second;
  return true;
}

bool Dictionary::FindLayout(const FieldLayout& layout, uint32_t& number) const {
  const std::string record = EncodeLayout(layout);
  absl::MutexLock lock(&mutex_);
  const auto it = layouts_by_record_.find(record);
  if (it == layouts_by_record_.end()) return false;
  number = it->second;
  return true;
}

uint32_t Dictionary::AddZones(const ZoneSet& zones) {
  absl::MutexLock lock(&mutex_);
  auto next = std::make_shared<DictionaryView>(*view_);
  next->zones.push_back(std::make_shared<const ZoneSet>(zones));
  const auto number = static_cast<uint32_t>(next->zones.size());
  zones_by_record_[EncodeZones(zones)] = number;
  view_ = std::move(next);
  return number;
}

uint32_t Dictionary::AddLayout(const FieldLayout& layout) {
  absl::MutexLock lock(&mutex_);
  auto next = std::make_shared<DictionaryView>(*view_);
  next->layouts.push_back(std::make_shared<const FieldLayout>(layout));
  const auto number = static_cast<uint32_t>(next->layouts.size());
  layouts_by_record_[EncodeLayout(layout)] = number;
  view_ = std::move(next);
  return number;
}

absl::Status Dictionary::LoadZones(uint32_t number, absl::string_view record) {
  const absl::StatusOr<ZoneSet> zones = DecodeZones(record);
  if (!zones.ok()) return zones.status();
  return AddZones(*zones) == number ? absl::OkStatus() : OutOfOrder("zone set", number);
}

absl::Status Dictionary::LoadLayout(uint32_t number, absl::string_view record) {
  const absl::StatusOr<FieldLayout> layout = DecodeLayout(record);
  if (!layout.ok()) return layout.status();
  return AddLayout(*layout) == number ? absl::OkStatus() : OutOfOrder("layout", number);
}

}  // namespace outpace::store
