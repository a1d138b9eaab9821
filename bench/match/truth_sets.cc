#include "bench/match/truth_sets.h"

#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "campaign/load/csv_reader.h"

namespace outpace::match {
namespace {

struct Table {
  std::map<std::string, size_t> columns;
  std::vector<std::vector<std::string>> rows;
};

absl::StatusOr<Table> ReadTable(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": is not there"));
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  load::CsvReader reader(text, ',');
  Table table;
  for (load::Row row; reader.Next(row);) {
    if (table.columns.empty()) {
      for (size_t i = 0; i < row.fields.size(); ++i) table.columns[std::string(row.fields[i])] = i;
    } else if (row.fields.size() == table.columns.size()) {
      table.rows.emplace_back(row.fields.begin(), row.fields.end());
    }
  }
  return table;
}

// Fills records field by field, keeping the texts.
class Builder {
 public:
  Builder(std::string name, Kind kind, Table table) : table_(std::move(table)) {
    set_.name = std::move(name);
    set_.kind = kind;
    set_.records.resize(table_.rows.size());
    for (size_t i = 0; i < set_.records.size(); ++i) set_.records[i].id = i + 1;
  }
  void Field(const char* column, absl::string_view Record::*field) {
    const auto found = table_.columns.find(column);
    if (found == table_.columns.end()) return;
    for (size_t i = 0; i < table_.rows.size(); ++i) {
      set_.texts.push_back(table_.rows[i][found->second]);
      set_.records[i].*field = set_.texts.back();
    }
  }
  // Entities by what `name_of` makes of a column.
  template <typename NameOf>
  TruthSet Finish(const char* column, NameOf name_of) {
    std::map<std::string, uint32_t> entities;
    const auto found = table_.columns.find(column);
    for (const std::vector<std::string>& row : table_.rows) {
      const std::string name = found == table_.columns.end() ? "" : name_of(row[found->second]);
      const auto entity = static_cast<uint32_t>(entities.size());
      set_.entity.push_back(entities.emplace(name, entity).first->second);
    }
    return std::move(set_);
  }

 private:
  Table table_;
  TruthSet set_;
};

std::string Itself(const std::string& text) { return text; }

}  // namespace

absl::StatusOr<TruthSet> ReadFebrl(const std::string& path) {
  auto table = ReadTable(path);
  if (!table.ok()) return table.status();
  Builder builder(path.substr(path.rfind('/') + 1), Kind::kPerson, *std::move(table));
  builder.Field("given_name", &Record::first_name);
  builder.Field("surname", &Record::last_name);
  builder.Field("street_number", &Record::street_number);
  builder.Field("address_1", &Record::address1);
  builder.Field("address_2", &Record::address2);
  builder.Field("suburb", &Record::city);
  builder.Field("postcode", &Record::postal_code);
  builder.Field("state", &Record::state);
  builder.Field("date_of_birth", &Record::date_of_birth);
  return builder.Finish("rec_id", [](const std::string& rec_id) {
    const std::vector<std::string> parts = absl::StrSplit(rec_id, '-');
    return parts.size() > 1 ? parts[1] : rec_id;
  });
}

absl::StatusOr<TruthSet> ReadRestaurants(const std::string& path) {
  auto table = ReadTable(path);
  if (!table.ok()) return table.status();
  Builder builder(path.substr(path.rfind('/') + 1), Kind::kCompany, *std::move(table));
  builder.Field("name", &Record::company);
  builder.Field("addr", &Record::address1);
  builder.Field("city", &Record::city);
  builder.Field("phone", &Record::phone);
  return builder.Finish("entity", Itself);
}

absl::StatusOr<TruthSet> ReadCompanyNames(const std::string& path) {
  auto table = ReadTable(path);
  if (!table.ok()) return table.status();
  Builder builder(path.substr(path.rfind('/') + 1), Kind::kCompany, *std::move(table));
  builder.Field("name", &Record::company);
  TruthSet set = builder.Finish("company_id", Itself);
  set.b_cubed = true;
  return set;
}

TruthSet PartOf(const TruthSet& whole, uint32_t part, uint32_t parts) {
  TruthSet set;
  set.name = whole.name;
  set.kind = whole.kind;
  set.b_cubed = whole.b_cubed;
  for (size_t i = 0; i < whole.records.size(); ++i) {
    if (whole.entity[i] % parts != part) continue;
    set.records.push_back(whole.records[i]);
    set.entity.push_back(whole.entity[i]);
  }
  return set;
}

Quality PairQuality(const TruthSet& set, const std::vector<uint32_t>& group) {
  std::map<uint32_t, double> entities, groups;
  std::map<std::pair<uint32_t, uint32_t>, double> both;
  for (size_t i = 0; i < group.size(); ++i) {
    ++entities[set.entity[i]];
    ++groups[group[i]];
    ++both[{set.entity[i], group[i]}];
  }
  const auto pairs = [](const auto& sizes) {
    double sum = 0;
    for (const auto& [unused, n] : sizes) sum += n * (n - 1) / 2;
    return sum;
  };
  const double right = pairs(both), said = pairs(groups), there = pairs(entities);
  return {said == 0 ? 1 : right / said, there == 0 ? 1 : right / there};
}

Quality BCubed(const TruthSet& set, const std::vector<uint32_t>& group) {
  std::map<uint32_t, double> entities, groups;
  std::map<std::pair<uint32_t, uint32_t>, double> both;
  for (size_t i = 0; i < group.size(); ++i) {
    ++entities[set.entity[i]];
    ++groups[group[i]];
    ++both[{set.entity[i], group[i]}];
  }
  Quality quality;
  for (const auto& [key, n] : both) {
    quality.precision += n * n / groups[key.second];
    quality.recall += n * n / entities[key.first];
  }
  const auto records = static_cast<double>(group.size());
  quality.precision /= records;
  quality.recall /= records;
  return quality;
}

Quality Judge(const TruthSet& set, const std::vector<uint32_t>& group) {
  return set.b_cubed ? BCubed(set, group) : PairQuality(set, group);
}

}  // namespace outpace::match
