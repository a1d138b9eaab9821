#include "campaign/store/due_index.h"

#include <algorithm>
#include <utility>

#include "campaign/store/codec.h"
#include "campaign/store/lead_keys.h"
#include "campaign/store/rocks_keys.h"
#include "campaign/store/wire.h"

namespace outpace::store {
namespace {

constexpr char kReadyPart = 'r';
constexpr char kWaitingPart = 'w';
constexpr size_t kOrderAndIdBytes = 16;

// Field numbers on disk (codec.h).
enum PlanField : uint32_t {
  kPlanOrder = 1,
  kPlanGeneration = 2,
  kPlanBuilding = 3,
  kPlanNextOrder = 4,
  kPlanCursor = 5,
};

}  // namespace

std::string EncodeDuePlan(const DuePlan& plan) {
  FieldWriter writer(kRecordMajor);
  writer.Text(kPlanOrder, campaign::LeadOrderName(plan.order));
  writer.Number(kPlanGeneration, plan.generation);
  writer.Number(kPlanBuilding, plan.building ? 1 : 0);
  writer.Text(kPlanNextOrder, campaign::LeadOrderName(plan.next_order));
  writer.Text(kPlanCursor, plan.cursor);
  return std::move(writer).Finish();
}

absl::StatusOr<DuePlan> DecodeDuePlan(absl::string_view bytes) {
  FieldReader reader(bytes, kRecordMajor);
  DuePlan plan;
  Field field;
  const auto order = [&] {
    const auto choice = campaign::ParseLeadOrder(reader.Text(field));
    if (!choice.ok()) reader.Fail("a lead order");
    return choice.ok() ? choice->order : campaign::LeadOrder::kDue;
  };
  while (reader.Next(field)) {
    switch (field.id) {
      case kPlanOrder:
        plan.order = order();
        break;
      case kPlanGeneration:
        plan.generation = static_cast<uint8_t>(reader.Number(field, 1));
        break;
      case kPlanBuilding:
        plan.building = reader.Number(field, 1) != 0;
        break;
      case kPlanNextOrder:
        plan.next_order = order();
        break;
      case kPlanCursor:
        plan.cursor = reader.Text(field);
        break;
      default:
        break;
    }
  }
  if (!reader.status().ok()) return reader.status();
  return plan;
}

DueFacts DueFactsOf(const campaign::Lead& lead, campaign::LeadOrder order) {
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
  if (campaign::NeedsTexts(order)) facts.order.last_name = lead.Field("last_name");
  if (campaign::NeedsZones(order)) {
    facts.order.zone_seconds = campaign::ZoneSeconds(lead.time_zones);
  }
  return facts;
}

uint8_t RankPlace(campaign::LeadOrder order, int rank) {
  const bool low_first = order == campaign::LeadOrder::kDownRank;
  return static_cast<uint8_t>(low_first ? 99 + rank : 99 - rank);
}

bool Waits(campaign::LeadOrder order, const DueFacts& facts) {
  return order != campaign::LeadOrder::kDue && facts.order.due_micros != INT64_MIN;
}

void AppendListAndStatus(ListId list, absl::string_view status, std::string& to) {
  AppendBig64(list.value(), to);
  to.append(status.data(), status.size());
  to.push_back('\0');
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
  const bool waits = Waits(order, facts);
  if (waits) {
    entry.key.push_back(kWaitingPart);
    AppendBig64(campaign::OrderValue(campaign::LeadOrder::kDue, facts.order), entry.key);
  } else {
    entry.key.push_back(kReadyPart);
  }
  std::string& place = waits ? entry.value : entry.key;
  AppendListAndStatus(facts.list, facts.status, place);
  place.push_back(static_cast<char>(facts.tier));
  place.push_back(static_cast<char>(RankPlace(order, facts.rank)));
  AppendBig64(campaign::OrderValue(order, facts.order), place);
  AppendBig64(facts.order.id.value(), entry.key);
}

std::string WaitingBucket(absl::string_view campaign, uint8_t generation) {
  return DuePrefixOf(campaign, generation) + kWaitingPart;
}

std::string ReadyPart(absl::string_view campaign, uint8_t generation) {
  return DuePrefixOf(campaign, generation) + kReadyPart;
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
  const auto add = [&](campaign::LeadOrder order, uint8_t generation) {
    SetDueEntry(DuePrefixOf(lead.campaign, generation), order, DueFactsOf(lead, order),
                entries.emplace_back());
  };
  add(plan.order, plan.generation);
  if (plan.building) add(plan.next_order, plan.generation ^ 1);
  return entries;
}

DuePlace DuePlaceOf(const campaign::Lead& lead, campaign::LeadOrder order) {
  return {lead.campaign, static_cast<uint8_t>(lead.tier), RankPlace(order, lead.rank),
          campaign::OrderValue(order, DueFactsOf(lead, order).order), lead.id};
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
