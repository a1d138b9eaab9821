#include "campaign/store/lead_v1.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "campaign/store/codec_fields.h"
#include "campaign/store/wire.h"

namespace outpace::store {
namespace {

using campaign::Lead;
using campaign::Tier;

enum LeadField : uint32_t {
  kLeadId = 1,
  kLeadList = 2,
  kLeadCampaign = 3,
  kLeadPhone = 4,
  kLeadAltPhone = 5,
  kLeadStatus = 6,
  kLeadTier = 7,
  kLeadCalledCount = 8,
  kLeadEntryDate = 9,
  kLeadLastCallTime = 10,
  kLeadNextCallTime = 11,
  kLeadRank = 12,
  kLeadHoldUntil = 13,
  kLeadTimeZone = 20,
  kLeadOwner = 21,
  kLeadColumn = 22,
};

constexpr uint8_t kMajor = 1;

void MoveFieldsToMembers(Lead& lead) {
  if (auto node = lead.fields.extract("_recycled"); !node.empty()) {
    lead.recycled = std::move(node.mapped());
  }
  int attempts = 0;
  if (const auto it = lead.fields.find("max_attempts"); it != lead.fields.end() &&
                                                        absl::SimpleAtoi(it->second, &attempts) &&
                                                        attempts >= 0 && attempts <= 255) {
    lead.max_attempts = attempts;
    lead.fields.erase(it);
  }
  // A column of that name beside the owner: no field may have it now.
  if (auto node = lead.fields.extract("owner"); !node.empty()) {
    if (lead.owner.empty()) {
      lead.owner = std::move(node.mapped());
    } else {
      node.key() = "owner_2";
      lead.fields.insert(std::move(node));
    }
  }
}

}  // namespace

absl::StatusOr<Lead> DecodeLeadV1(absl::string_view bytes) {
  FieldReader reader(bytes, kMajor);
  Lead lead;
  lead.entry_date = absl::InfinitePast();
  Field f;
  while (reader.Next(f)) {
    switch (f.id) {
      case kLeadId:
        lead.id = LeadId(reader.Number(f));
        break;
      case kLeadList:
        lead.list = ListId(reader.Number(f));
        break;
      case kLeadCampaign:
        lead.campaign = reader.Text(f);
        break;
      case kLeadPhone:
        lead.phone = ReadPhone(reader, f);
        break;
      case kLeadAltPhone:
        lead.alt_phone = ReadPhone(reader, f);
        break;
      case kLeadStatus:
        lead.status = reader.Text(f);
        break;
      case kLeadTier:
        lead.tier = static_cast<Tier>(reader.Number(f, 1));
        break;
      case kLeadCalledCount:
        lead.called_count = ReadInt(reader, f);
        break;
      case kLeadEntryDate:
        lead.entry_date = ReadTime(reader, f);
        break;
      case kLeadLastCallTime:
        lead.last_call_time = ReadTime(reader, f);
        break;
      case kLeadNextCallTime:
        lead.next_call_time = ReadTime(reader, f);
        break;
      case kLeadRank:
        lead.rank = ReadInt(reader, f);
        break;
      case kLeadHoldUntil:
        lead.hold_until = ReadTime(reader, f);
        break;
      case kLeadTimeZone:
        lead.time_zones.push_back(reader.Text(f));
        break;
      case kLeadOwner:
        lead.owner = reader.Text(f);
        break;
      case kLeadColumn: {
        std::string name, value;
        if (reader.Pair(f, name, value)) lead.fields[std::move(name)] = std::move(value);
        break;
      }
      default:
        break;  // of a newer program
    }
  }
  if (!reader.status().ok()) return reader.status();
  if (!lead.id.valid()) return absl::DataLossError("store: a lead record has no id");
  MoveFieldsToMembers(lead);
  return lead;
}

}  // namespace outpace::store
