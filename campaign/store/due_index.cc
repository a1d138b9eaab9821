#include "campaign/store/due_index.h"

#include <algorithm>
#include <utility>

#include "campaign/store/codec.h"
#include "campaign/store/lead_keys.h"
#include "campaign/store/rocks_keys.h"

namespace outpace::store {
namespace {

constexpr char kReadyPart = 'r';
constexpr char kWaitingPart = 'w';
constexpr size_t kOrderAndIdBytes = 16;

// tier | place of the rank among those of its tier
void AppendPlace(campaign::LeadOrder order, const DueFacts& facts, std::string& to) {
  to.push_back(static_cast<char>(facts.tier));
  const bool low_first = order == campaign::LeadOrder::kDownRank;
  to.push_back(static_cast<char>(low_first ? 99 + facts.rank : 99 - facts.rank));
}

}  // namespace

DueFacts DueFactsOf(const campaign::Lead& lead) {
  DueFacts facts;
  facts.list = lead.list;
  facts.status = lead.status;
  facts.tier = lead.tier;
  facts.rank = lead.rank;
  facts.order.id = lead.id;
  facts.order.phone = lead.phone;
  facts.order.called_count = lead.called_count;
  facts.order.due_micros = MicrosOf(DueAt(lead));
  facts.order.last_call_micros = MicrosOf(lead.last_call_time);
  facts.order.owner = lead.owner;
  facts.order.last_name = lead.Field("last_name");
  return facts;
}

std::string DuePrefixOf(absl::string_view campaign, uint8_t generation) {
  std::string prefix(campaign);
  prefix.push_back('\0');
  prefix.push_back(static_cast<char>(generation));
  return prefix;
}

void SetDueEntry(absl::string_view prefix, campaign::LeadOrder order, const DueFacts& facts,
                 DueEntry& entry) {
  entry.key.assign(prefix.data(), prefix.size());
  entry.value.clear();
  const bool waits = order != campaign::LeadOrder::kDue && facts.order.due_micros != INT64_MIN;
  if (waits) {
    entry.key.push_back(kWaitingPart);
    AppendBig64(campaign::OrderValue(campaign::LeadOrder::kDue, facts.order), entry.key);
  } else {
    entry.key.push_back(kReadyPart);
  }
  std::string& place = waits ? entry.value : entry.key;
  AppendBig64(facts.list.value(), place);
  place.append(facts.status.data(), facts.status.size());
  place.push_back('\0');
  AppendPlace(order, facts, place);
  AppendBig64(campaign::OrderValue(order, facts.order), place);
  AppendBig64(facts.order.id.value(), entry.key);
}

std::string PromotedKey(const DueEntry& waiting) {
  // Prefix, 'w', due time, id.
  const size_t prefix_bytes = waiting.key.size() - 1 - kOrderAndIdBytes;
  std::string key = waiting.key.substr(0, prefix_bytes);
  key.push_back(kReadyPart);
  key += waiting.value;
  key.append(waiting.key, waiting.key.size() - 8);
  return key;
}

std::vector<DueEntry> DueEntriesOf(const campaign::Lead& lead, const DuePlan& plan) {
  std::vector<DueEntry> entries;
  if (!CanBeDue(lead)) return entries;
  DueFacts facts = DueFactsOf(lead);
  const auto add = [&](campaign::LeadOrder order, uint8_t generation) {
    if (campaign::NeedsZones(order)) {
      facts.order.zone_seconds = campaign::ZoneSeconds(lead.time_zones);
    }
    SetDueEntry(DuePrefixOf(lead.campaign, generation), order, facts, entries.emplace_back());
  };
  add(plan.order, plan.generation);
  if (plan.building) add(plan.next_order, 1 - plan.generation);
  return entries;
}

bool ParseReadyKey(absl::string_view key, size_t prefix_bytes, ReadyKey& parts) {
  if (key.size() < prefix_bytes + 1 + 8 + 3 + kOrderAndIdBytes) return false;
  if (key[prefix_bytes] != kReadyPart) return false;
  parts.bucket = key.substr(0, key.size() - kOrderAndIdBytes);
  parts.list = ListId(ReadBig64(key.substr(prefix_bytes + 1)));
  const absl::string_view rest = parts.bucket.substr(prefix_bytes + 1 + 8);
  parts.status = rest.substr(0, rest.size() - 3);
  if (rest[rest.size() - 3] != '\0' || parts.status.find('\0') != absl::string_view::npos) {
    return false;
  }
  parts.tier = static_cast<uint8_t>(rest[rest.size() - 2]);
  parts.rank_place = static_cast<uint8_t>(rest[rest.size() - 1]);
  const absl::string_view tail = key.substr(key.size() - kOrderAndIdBytes);
  parts.order = ReadBig64(tail);
  parts.lead = LeadId(ReadBig64(tail.substr(8)));
  return true;
}

}  // namespace outpace::store
