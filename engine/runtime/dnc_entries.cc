#include "engine/runtime/dnc_entries.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace outpace::runtime {

absl::Time PutEntry(const campaign::DncEntry& entry, dnc::DncSet& set) {
  if (entry.phone.valid()) {
    set.Add(entry.phone, entry.scope, entry.expires);
    return set.EndOf(entry.phone, entry.scope);
  }
  set.AddRange(entry.range, entry.scope, entry.expires);
  return set.EndOf(entry.range, entry.scope);
}

void RemoveEntry(const campaign::DncEntry& entry, dnc::DncSet& set) {
  if (entry.phone.valid()) {
    set.Remove(entry.phone, entry.scope);
  } else {
    set.RemoveRange(entry.range, entry.scope);
  }
}

absl::Status PutEntries(const campaign::LeadStore& store, dnc::DncSet& set) {
  // They come in order of list and number, so that the numbers of a stretch are sorted.
  constexpr size_t kStretchMax = size_t{4} << 20;
  std::vector<uint64_t> phones;
  dnc::DncScope scope;
  const auto put = [&] {
    set.AddMany(phones, scope);
    phones.clear();
  };
  const absl::Status read = store.ForEachDnc([&](const campaign::DncEntry& entry) {
    if (phones.size() == kStretchMax || entry.scope != scope) {
      put();
      scope = entry.scope;
    }
    if (entry.phone.valid() && entry.expires == absl::InfiniteFuture()) {
      phones.push_back(entry.phone.value());
    } else {
      PutEntry(entry, set);
    }
    return true;
  });
  put();
  return read;
}

}  // namespace outpace::runtime
