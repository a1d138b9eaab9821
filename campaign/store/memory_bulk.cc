// Bulk loads of the store in memory, and the questions that go with them.

#include <utility>

#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "campaign/store/codec.h"
#include "campaign/store/lead_keys.h"
#include "campaign/store/lead_record.h"
#include "campaign/store/memory_lead_store.h"
#include "campaign/store/phone_index.h"

namespace outpace::store {

using campaign::BulkLead;
using campaign::Lead;
using campaign::PhoneUse;

class MemoryLeadStore::Bulk final : public campaign::LeadBulk {
 public:
  Bulk(MemoryLeadStore& store, const campaign::BulkOptions& options)
      : store_(store), options_(options) {}
  ~Bulk() override {
    absl::MutexLock lock(&store_.mutex_);
    store_.bulk_under_way_ = false;
  }

  absl::Status Add(LeadId first, absl::Span<const BulkLead> leads) override {
    std::vector<Lead> added;
    absl::MutexLock lock(&store_.mutex_);
    const auto zones_max = static_cast<uint32_t>(store_.zones_.size());
    if (absl::Status s = CheckBulkLeads(first, leads, zones_max); !s.ok()) return s;
    uint64_t id = first.value();
    for (const BulkLead& lead : leads) {
      Lead& made = added.emplace_back(Made(LeadId(id++), lead));
      if (lead.zones > 0) made.time_zones = store_.zones_[lead.zones - 1];
      if (absl::Status s = DecodeFieldTexts(lead.fields, options_.layout, made); !s.ok()) return s;
    }
    for (Lead& lead : added) leads_.push_back(std::move(lead));
    return absl::OkStatus();
  }

  absl::Status Publish(const campaign::Import& import) override {
    absl::MutexLock lock(&store_.mutex_);
    if (published_) return absl::FailedPreconditionError("store: the load was published before");
    published_ = true;
    absl::btree_set<LeadId> ids;
    for (const Lead& lead : leads_) {
      if (store_.leads_.contains(lead.id) || !ids.insert(lead.id).second) {
        return absl::FailedPreconditionError(absl::StrCat(
            "store: a load has lead id ", lead.id.value(), ", which a stored lead has already"));
      }
    }
    const auto list = store_.lists_.find(options_.list);
    if (list == store_.lists_.end() || list->second.campaign != options_.campaign) {
      return NoListToLoadInto(options_.campaign, options_.list);
    }
    if (store_.imports_.contains(import.id)) return ImportIsThere(import.id);
    if (absl::Status status = store_.BeginWrite(); !status.ok()) return status;
    for (const Lead& lead : leads_) store_.PutLead(lead);
    store_.imports_[import.id] = import;
    for (const campaign::FieldColumn& column : options_.layout) {
      store_.loaded_fields_[column.name] = column.type;
    }
    list->second.leads += static_cast<int64_t>(leads_.size());
    return absl::OkStatus();
  }

 private:
  Lead Made(LeadId id, const BulkLead& lead) const {
    Lead made;
    made.id = id;
    made.list = options_.list;
    made.campaign = options_.campaign;
    made.import = options_.import;
    made.entry_date = TimeOf(MicrosOf(options_.entry_date));
    made.status = std::string(BulkStatus(lead));
    made.phone = lead.phone;
    made.alt_phone = lead.alt_phone;
    made.next_call_time = TimeOf(lead.next_call_micros);
    made.rank = lead.rank;
    made.max_attempts = lead.max_attempts;
    made.tier = lead.tier;
    return made;
  }

  MemoryLeadStore& store_;
  const campaign::BulkOptions options_;
  std::vector<Lead> leads_;  // under the store's mutex
  bool published_ = false;
};

absl::StatusOr<std::unique_ptr<campaign::LeadBulk>> MemoryLeadStore::BeginBulk(
    const campaign::BulkOptions& options) {
  if (absl::Status status = CheckBulkOptions(options, *this); !status.ok()) return status;
  absl::MutexLock lock(&mutex_);
  if (!poison_.ok()) return poison_;
  if (std::exchange(bulk_under_way_, true)) {
    return absl::FailedPreconditionError(
        "store: another load is under way; wait for its end, or stop it");
  }
  return std::make_unique<Bulk>(*this, options);
}

absl::StatusOr<uint32_t> MemoryLeadStore::InternZones(const std::vector<std::string>& zones) {
  absl::MutexLock lock(&mutex_);
  if (!poison_.ok()) return poison_;
  if (zones.empty()) return uint32_t{0};
  for (size_t i = 0; i < zones_.size(); ++i) {
    if (zones_[i] == zones) return static_cast<uint32_t>(i + 1);
  }
  zones_.push_back(zones);
  return static_cast<uint32_t>(zones_.size());
}

absl::StatusOr<std::map<std::string, campaign::FieldType>> MemoryLeadStore::LoadedFields() const {
  absl::MutexLock lock(&mutex_);
  return loaded_fields_;
}

absl::StatusOr<std::vector<campaign::Import>> MemoryLeadStore::Imports() const {
  absl::MutexLock lock(&mutex_);
  std::vector<campaign::Import> found;
  for (const auto& [id, import] : imports_) found.push_back(import);
  return found;
}

PhoneUse MemoryLeadStore::UseOf(E164 phone, LeadId id) const {
  const Lead& lead = leads_.at(id);
  return {phone, id, lead.list, lead.campaign, EnteredOf(lead), lead.phone != phone};
}

absl::Status MemoryLeadStore::ForEachPhone(
    const std::function<bool(const PhoneUse&)>& visit) const {
  for (std::pair<E164, LeadId> last;;) {
    PhoneUse use;
    {
      absl::MutexLock lock(&mutex_);
      const auto it = phones_.upper_bound(last);
      if (it == phones_.end()) return absl::OkStatus();
      last = *it;
      use = UseOf(last.first, last.second);
    }
    if (!visit(use)) return absl::OkStatus();
  }
}

absl::StatusOr<std::vector<PhoneUse>> MemoryLeadStore::PhoneUses(
    absl::Span<const E164> sorted) const {
  absl::MutexLock lock(&mutex_);
  std::vector<PhoneUse> uses;
  for (const E164 phone : sorted) {
    for (auto it = phones_.lower_bound({phone, LeadId()});
         it != phones_.end() && it->first == phone; ++it) {
      uses.push_back(UseOf(phone, it->second));
    }
  }
  return uses;
}

}  // namespace outpace::store
