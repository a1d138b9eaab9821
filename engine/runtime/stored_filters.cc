#include "engine/runtime/stored_filters.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace outpace::runtime {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kIndex[] = "filters";

std::string KeyOf(absl::string_view name, int version) {
  return absl::StrCat("filter:", name, ":", version);
}

absl::Status Damaged(absl::string_view key) {
  return absl::DataLossError(absl::StrCat("store: the value \"", key, "\" is damaged"));
}

Json ToJson(const StoredFilter& filter) {
  Json json = {{"text", filter.text},
               {"who", filter.who},
               {"when_ms", absl::ToUnixMillis(filter.when)},
               {"removed", filter.removed},
               {"fields", Json::object()}};
  for (const auto& [field, type] : filter.fields) {
    json["fields"][field] = std::string(campaign::FieldTypeName(type));
  }
  return json;
}

// False: not what ToJson() writes.
bool FromJson(const Json& json, StoredFilter& filter) {
  if (!json.is_object() || !json.contains("text") || !json["text"].is_string()) return false;
  filter.text = json["text"].get<std::string>();
  filter.who = json.value("who", std::string());
  filter.when = absl::FromUnixMillis(json.value("when_ms", int64_t{0}));
  filter.removed = json.value("removed", false);
  const Json fields = json.value("fields", Json::object());
  for (const auto& [field, type] : fields.items()) {
    if (!type.is_string()) return false;
    if (!campaign::ParseFieldType(type.get<std::string>(), filter.fields[field])) return false;
  }
  return true;
}

}  // namespace

bool IsFilterName(absl::string_view text) {
  return !text.empty() && text.size() <= 40 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
}

absl::StatusOr<std::map<std::string, int>> StoredFilters::Latest() const {
  std::map<std::string, int> latest;
  auto value = store_.GetMeta(kIndex);
  if (!value.ok()) return value.status();
  if (!value->has_value()) return latest;
  const Json json = Json::parse(**value, nullptr, false);
  if (!json.is_object()) return Damaged(kIndex);
  for (const auto& [name, version] : json.items()) {
    if (!version.is_number_integer()) return Damaged(kIndex);
    latest[name] = version.get<int>();
  }
  return latest;
}

absl::StatusOr<StoredFilter> StoredFilters::Read(const std::string& name, int version) const {
  const std::string key = KeyOf(name, version);
  auto value = store_.GetMeta(key);
  if (!value.ok()) return value.status();
  StoredFilter filter;
  filter.name = name;
  filter.version = version;
  if (!value->has_value() || !FromJson(Json::parse(**value, nullptr, false), filter)) {
    return Damaged(key);
  }
  return filter;
}

absl::Status StoredFilters::NoSuch(absl::string_view name) const {
  auto all = All();
  if (!all.ok()) return all.status();
  const auto name_of = [](std::string* out, const StoredFilter& one) { out->append(one.name); };
  return absl::NotFoundError(
      absl::StrCat("no filter is named '", name.substr(0, 60), "'; ",
                   all->empty() ? "there are none yet: outpace filter set NAME 'EXPRESSION'"
                                : absl::StrCat("there are: ", absl::StrJoin(*all, ", ", name_of))));
}

absl::StatusOr<std::vector<StoredFilter>> StoredFilters::All() const {
  auto latest = Latest();
  if (!latest.ok()) return latest.status();
  std::vector<StoredFilter> all;
  for (const auto& [name, version] : *latest) {
    auto filter = Read(name, version);
    if (!filter.ok()) return filter.status();
    if (!filter->removed) all.push_back(*std::move(filter));
  }
  return all;
}

absl::StatusOr<StoredFilter> StoredFilters::Find(absl::string_view name, int version) const {
  auto latest = Latest();
  if (!latest.ok()) return latest.status();
  const auto known = latest->find(std::string(name));
  if (known == latest->end()) return NoSuch(name);
  if (version > known->second || version < 0) {
    return absl::NotFoundError(absl::StrCat("filter ", name, " has versions 1 to ", known->second));
  }
  auto filter = Read(known->first, version == 0 ? known->second : version);
  if (filter.ok() && filter->removed) return NoSuch(name);
  return filter;
}

absl::StatusOr<std::vector<StoredFilter>> StoredFilters::History(absl::string_view name) const {
  auto latest = Latest();
  if (!latest.ok()) return latest.status();
  const auto known = latest->find(std::string(name));
  if (known == latest->end()) return NoSuch(name);
  std::vector<StoredFilter> versions;
  for (int version = 1; version <= known->second; ++version) {
    auto filter = Read(known->first, version);
    if (!filter.ok()) return filter.status();
    versions.push_back(*std::move(filter));
  }
  return versions;
}

absl::StatusOr<int> StoredFilters::Put(StoredFilter filter) {
  if (!IsFilterName(filter.name)) {
    return absl::InvalidArgumentError("name: 1 to 40 of A-Z a-z 0-9 _ -");
  }
  auto latest = Latest();
  if (!latest.ok()) return latest.status();
  const int version = ++(*latest)[filter.name];
  Json index = Json::object();
  for (const auto& [name, number] : *latest) index[name] = number;
  campaign::StoreBatch batch;
  batch.meta[KeyOf(filter.name, version)] = ToJson(filter).dump();
  batch.meta[kIndex] = index.dump();
  if (absl::Status s = store_.Commit(batch); !s.ok()) return s;
  return version;
}

absl::StatusOr<filter::FieldTypes> StoredFilters::Fields(const filter::FieldTypes& more) const {
  auto loaded = store_.LoadedFields();
  if (!loaded.ok()) return loaded.status();
  filter::FieldTypes fields = more;
  fields.insert(loaded->begin(), loaded->end());
  // A standard field is what it is, whatever a file called so.
  for (const auto& [field, type] : filter::StandardFields()) fields[field] = type;
  return fields;
}

absl::StatusOr<filter::Filter> StoredFilters::Compile(const StoredFilter& stored,
                                                      absl::CivilDay today) const {
  auto fields = Fields(stored.fields);
  if (!fields.ok()) return fields.status();
  return filter::Filter::Parse(stored.text, *fields, today);
}

}  // namespace outpace::runtime
