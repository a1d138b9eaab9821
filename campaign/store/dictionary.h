#pragma once

// Sets of time zones and layouts of fields, which many leads share: each is stored once, under a
// number that the leads' records name (keys: kZonesPrefix and kLayoutPrefix, rocks_db.h). Numbers
// start at 1, are given in order and never taken back.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "campaign/field_type.h"

namespace outpace::store {

using ZoneSet = std::vector<std::string>;

// What was known at one moment; never changes. A record read before it was taken names nothing it
// has not.
struct DictionaryView {
  std::vector<std::shared_ptr<const ZoneSet>> zones;
  std::vector<std::shared_ptr<const campaign::FieldLayout>> layouts;

  // Null if there is no such number; 0 is the empty set of zones.
  const ZoneSet* Zones(uint32_t number) const;
  const campaign::FieldLayout* Layout(uint32_t number) const;
};

// Thread safe.
class Dictionary {
 public:
  Dictionary();

  std::shared_ptr<const DictionaryView> view() const;

  // False if it is not known yet. The empty set is known as 0.
  bool FindZones(const ZoneSet& zones, uint32_t& number) const;
  bool FindLayout(const campaign::FieldLayout& layout, uint32_t& number) const;
  // Adds what is not known; the caller writes it to disk before anything that names it.
  uint32_t AddZones(const ZoneSet& zones);
  uint32_t AddLayout(const campaign::FieldLayout& layout);

  // While the store is opened: the next entry in order. DataLoss if it cannot be read or is not the
  // next one.
  absl::Status LoadZones(uint32_t number, absl::string_view record);
  absl::Status LoadLayout(uint32_t number, absl::string_view record);

 private:
  mutable absl::Mutex mutex_;
  std::shared_ptr<const DictionaryView> view_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, uint32_t> zones_by_record_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, uint32_t> layouts_by_record_ ABSL_GUARDED_BY(mutex_);
};

std::string EncodeZones(const ZoneSet& zones);
std::string EncodeLayout(const campaign::FieldLayout& layout);

}  // namespace outpace::store
