#include "campaign/store/bulk_index.h"

#include <memory>

#include "campaign/store/codec.h"
#include "campaign/store/lead_record.h"
#include "campaign/store/phone_index.h"
#include "campaign/store/rocks_keys.h"
#include "campaign/store/wire.h"

namespace outpace::store {
namespace {

// Of texts as AppendFieldText() wrote them, the one at `place`; empty if there is none.
absl::string_view FieldTextAt(absl::string_view texts, size_t place) {
  uint64_t size = 0;
  for (size_t i = 0; TakeVarint(texts, size) && size <= texts.size(); ++i) {
    if (i == place) return texts.substr(0, size);
    texts.remove_prefix(size);
  }
  return {};
}

// Files of an index are taken over into level 0 where they overlap older ones, and many of those
// would slow writers down: few and large.
constexpr uint64_t kIndexFileBytes = 256 << 20;

// In a row's place, above tier and rank: leads of status NEW, whose keys come behind those of
// CALLBK.
constexpr uint64_t kNewPlace = 1 << 16;

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

BulkDue::BulkDue(const RocksDb& db, const std::string& directory, const campaign::Lead& common,
                 const campaign::FieldLayout& layout, const Dictionary& dictionary,
                 const DuePlan& plan)
    : db_(db),
      path_(directory + "/due-"),
      common_(common),
      generation_(plan.generation),
      order_(plan.order),
      dictionary_(dictionary),
      ready_(db.env, directory + "/ready-run-"),
      waiting_(db.env, directory + "/waiting-run-") {
  for (size_t i = 0; i < layout.size() && NeedsTexts(order_); ++i) {
    if (layout[i].name == "last_name") last_name_ = i;
    if (layout[i].name == "owner") owner_ = i;
  }
}

DueFacts BulkDue::FactsOf(LeadId id, const campaign::BulkLead& lead,
                          const DictionaryView& known) const {
  DueFacts facts;
  facts.list = common_.list;
  facts.status = BulkStatus(lead);
  facts.tier = lead.tier;
  facts.rank = lead.rank;
  facts.order.id = id;
  facts.order.phone = lead.phone;
  facts.order.due_micros = lead.next_call_micros;
  if (NeedsTexts(order_)) {
    facts.order.last_name = FieldTextAt(lead.fields, last_name_);
    facts.order.owner = FieldTextAt(lead.fields, owner_);
  }
  if (NeedsZones(order_)) {
    if (const ZoneSet* zones = known.Zones(lead.zones); zones != nullptr) {
      facts.order.zone_seconds = campaign::ZoneSeconds(*zones);
    }
  }
  return facts;
}

absl::Status BulkDue::Add(LeadId first, absl::Span<const campaign::BulkLead> leads) {
  const std::shared_ptr<const DictionaryView> known = dictionary_.view();
  std::vector<Row<3>> ready;
  std::vector<Row<4>> waiting;
  ready.reserve(leads.size());
  for (size_t i = 0; i < leads.size(); ++i) {
    const campaign::BulkLead& lead = leads[i];
    if (lead.next_call_micros == INT64_MAX) continue;
    const LeadId id(first.value() + i);
    const DueFacts facts = FactsOf(id, lead, *known);
    const uint64_t order = campaign::OrderValue(order_, facts.order);
    const uint64_t place = (lead.next_call_micros == INT64_MIN ? kNewPlace : 0) |
                           uint64_t{static_cast<uint8_t>(lead.tier)} << 8 |
                           RankPlace(order_, lead.rank);
    if (Waits(order_, facts)) {
      const uint64_t due = campaign::OrderValue(campaign::LeadOrder::kDue, facts.order);
      waiting.push_back({due, id.value(), place, order});
    } else {
      ready.push_back({place, order, id.value()});
    }
  }
  absl::Status status = ready_.Add(ready);
  if (status.ok() && !waiting.empty()) status = waiting_.Add(waiting);
  return status;
}

// READY keys come before WAITING ones.
absl::Status BulkDue::Write(std::vector<std::string>& paths) {
  BulkFiles files(db_, kDue, path_, kIndexFileBytes);
  std::string of_new, of_callback;
  AppendListAndStatus(common_.list, "NEW", of_new);
  AppendListAndStatus(common_.list, "CALLBK", of_callback);
  const auto list_of = [&](uint64_t place) -> const std::string& {
    return place >= kNewPlace ? of_new : of_callback;
  };
  const auto append = [](uint64_t place, uint64_t order, std::string& to) {
    to.push_back(static_cast<char>(place >> 8));
    to.push_back(static_cast<char>(place));
    AppendBig64(order, to);
  };
  const std::string ready = ReadyPart(common_.campaign, generation_);
  const std::string waiting = WaitingBucket(common_.campaign, generation_);
  std::string key, value;
  absl::Status status = ready_.Merge([&](const Row<3>& row) {
    key.assign(ready);
    key.append(list_of(row[0]));
    append(row[0], row[1], key);
    AppendBig64(row[2], key);
    return files.Put(key, "");
  });
  if (status.ok()) {
    status = waiting_.Merge([&](const Row<4>& row) {
      key.assign(waiting);
      AppendBig64(row[0], key);
      AppendBig64(row[1], key);
      value.assign(list_of(row[2]));
      append(row[2], row[3], value);
      return files.Put(key, value);
    });
  }
  if (status.ok()) status = files.Finish();
  paths = files.paths();
  return status;
}

}  // namespace outpace::store
