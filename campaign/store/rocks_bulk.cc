#include "campaign/store/rocks_bulk.h"

#include <thread>

#include "absl/strings/str_cat.h"
#include "campaign/store/lead_keys.h"
#include "campaign/store/lead_record.h"
#include "campaign/store/rocks_keys.h"

namespace outpace::store {
namespace {

using campaign::BulkLead;
using campaign::Lead;

Lead CommonOf(const campaign::BulkOptions& options) {
  Lead lead;
  lead.list = options.list;
  lead.campaign = options.campaign;
  lead.import = options.import;
  lead.entry_date = options.entry_date;
  return lead;
}

}  // namespace

RocksBulk::RocksBulk(const RocksDb& db, std::string directory, const campaign::BulkOptions& options,
                     uint32_t layout, const Dictionary& dictionary, const DuePlan& due,
                     Publisher publish, std::function<void()> ended)
    : db_(db),
      directory_(std::move(directory)),
      common_(CommonOf(options)),
      layout_(layout),
      dictionary_(dictionary),
      publish_(std::move(publish)),
      ended_(std::move(ended)),
      phones_(db, directory_, common_),
      due_(db, directory_, common_, options.layout, dictionary, due) {}

RocksBulk::~RocksBulk() {
  // What stays is removed when the store is opened next.
  RemoveDirectory(db_.env, directory_).IgnoreError();
  ended_();
}

absl::Status RocksBulk::Add(LeadId first, absl::Span<const BulkLead> leads) {
  if (leads.empty()) return absl::OkStatus();
  const auto zones_max = static_cast<uint32_t>(dictionary_.view()->zones.size());
  if (absl::Status s = CheckBulkLeads(first, leads, zones_max); !s.ok()) return s;
  if (absl::Status status = WriteRecords(first, leads); !status.ok()) return status;
  if (absl::Status status = phones_.Add(first, leads); !status.ok()) return status;
  return due_.Add(first, leads);
}

absl::Status RocksBulk::WriteRecords(LeadId first, absl::Span<const BulkLead> leads) {
  BulkFile hot(db_, kLeads, absl::StrCat(directory_, "/leads-", first.value(), ".sst"));
  BulkFile texts(db_, kTexts, absl::StrCat(directory_, "/texts-", first.value(), ".sst"));
  BulkEncoder encoder(common_, layout_);
  std::string key;
  uint64_t id = first.value();
  for (const BulkLead& lead : leads) {
    encoder.Encode(LeadId(id), lead);
    key.clear();
    AppendBig64(id++, key);
    if (absl::Status status = hot.Put(key, encoder.hot()); !status.ok()) return status;
    if (encoder.texts().empty()) continue;
    if (absl::Status status = texts.Put(key, encoder.texts()); !status.ok()) return status;
  }
  bool made_hot = false, made_texts = false;
  if (absl::Status status = hot.Finish(made_hot); !status.ok()) return status;
  if (absl::Status status = texts.Finish(made_texts); !status.ok()) return status;
  absl::MutexLock lock(&mutex_);
  if (made_hot) result_.files[kLeads].push_back(hot.path());
  if (made_texts) result_.files[kTexts].push_back(texts.path());
  result_.ids.emplace_back(first.value(), id - 1);
  result_.leads += leads.size();
  return absl::OkStatus();
}

absl::Status RocksBulk::Publish(const campaign::Import& import) {
  BulkResult result;
  {
    absl::MutexLock lock(&mutex_);
    if (published_) return absl::FailedPreconditionError("store: the load was published before");
    published_ = true;
    result = std::move(result_);
  }
  absl::Status phones, due;
  std::thread other([&] { phones = phones_.Write(result.files[kPhone]); });
  due = due_.Write(result.files[kDue]);
  other.join();
  if (!phones.ok()) return phones;
  if (!due.ok()) return due;
  return publish_(result, import);
}

}  // namespace outpace::store
