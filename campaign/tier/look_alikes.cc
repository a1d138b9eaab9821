#include "campaign/tier/look_alikes.h"

namespace outpace::tier {

LookAlikes::LookAlikes(int set_bits) : shift_(64 - set_bits), entries_(size_t{4} << set_bits) {}

const LookAlikes::Last* LookAlikes::Find(uint64_t profile) const {
  const size_t set = SetOf(profile);
  for (size_t i = set; i < set + 4; ++i) {
    if (entries_[i].profile == profile && entries_[i].last[0].at != 0) return &entries_[i].last;
  }
  return nullptr;
}

void LookAlikes::Learn(uint64_t profile, Alike alike) {
  alike.at = ++attempts_;
  if (profile == 0) return;
  const size_t set = SetOf(profile);
  Entry* entry = &entries_[set];
  for (size_t i = set; i < set + 4; ++i) {
    if (entries_[i].profile == profile) {
      entry = &entries_[i];
      break;
    }
    if (entries_[i].last[0].at < entry->last[0].at) entry = &entries_[i];
  }
  if (entry->profile != profile) *entry = {.profile = profile, .last = {}};
  for (int i = kKept - 1; i > 0; --i) entry->last[i] = entry->last[i - 1];
  entry->last[0] = alike;
}

void LookAlikes::Save(ByteWriter* out) const {
  out->Put(attempts_);
  uint32_t used = 0;
  for (const Entry& entry : entries_) used += entry.last[0].at != 0 ? 1 : 0;
  out->Put(used);
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].last[0].at == 0) continue;
    out->Put(static_cast<uint32_t>(i));
    out->Put(entries_[i].profile);
    for (const Alike& alike : entries_[i].last) {
      out->Put(alike.at);
      out->Put(alike.attempt);
      out->Put(static_cast<uint8_t>((alike.contact ? 1 : 0) | (alike.success ? 2 : 0)));
      out->Put(alike.rest);
    }
  }
}

bool LookAlikes::Load(ByteReader* in) {
  attempts_ = in->Get<uint32_t>();
  entries_.assign(entries_.size(), Entry{});
  const uint32_t used = in->GetCount(12 + kKept * 8);
  for (uint32_t n = 0; n < used; ++n) {
    const uint32_t index = in->Get<uint32_t>();
    if (index >= entries_.size()) return false;
    Entry& entry = entries_[index];
    entry.profile = in->Get<uint64_t>();
    if (SetOf(entry.profile) != index / 4 * 4) return false;
    for (Alike& alike : entry.last) {
      alike.at = in->Get<uint32_t>();
      alike.attempt = in->Get<uint8_t>();
      const uint8_t flags = in->Get<uint8_t>();
      alike.contact = (flags & 1) != 0;
      alike.success = (flags & 2) != 0;
      alike.rest = in->Get<uint16_t>();
      if (alike.at > attempts_) return false;
    }
  }
  return in->ok();
}

}  // namespace outpace::tier
