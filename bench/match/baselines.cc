#include "bench/match/baselines.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "campaign/match/edit_distance.h"
#include "campaign/match/text_words.h"

namespace outpace::match {
namespace {

using Key = std::function<std::string(const Record&)>;

// Records with one key are one; an empty key is like no other.
std::vector<uint32_t> ByKey(const TruthSet& set, const Key& key) {
  std::map<std::string, uint32_t> first;
  std::vector<uint32_t> group(set.records.size());
  for (uint32_t i = 0; i < group.size(); ++i) {
    const std::string text = key(set.records[i]);
    group[i] = text.empty() ? i : first.emplace(text, i).first->second;
  }
  return group;
}

// Joins pairs for which `same` holds, each with each (single linkage), within the blocks.
std::vector<uint32_t> ByPairs(const TruthSet& set, const std::vector<Key>& blocks,
                              const std::function<bool(const Record&, const Record&)>& same) {
  std::vector<uint32_t> group(set.records.size());
  std::iota(group.begin(), group.end(), 0);
  const auto root = [&](uint32_t i) {
    while (group[i] != i) i = group[i] = group[group[i]];
    return i;
  };
  for (const Key& key : blocks) {
    std::map<std::string, std::vector<uint32_t>> members;
    for (uint32_t i = 0; i < group.size(); ++i) members[key(set.records[i])].push_back(i);
    for (const auto& [text, block] : members) {
      for (size_t i = 0; i < block.size() && !text.empty(); ++i) {
        for (size_t j = 0; j < i; ++j) {
          if (root(block[i]) == root(block[j])) continue;
          if (!same(set.records[block[i]], set.records[block[j]])) continue;
          const uint32_t a = root(block[i]), b = root(block[j]);
          group[std::max(a, b)] = std::min(a, b);
        }
      }
    }
  }
  for (uint32_t i = 0; i < group.size(); ++i) group[i] = root(i);
  return group;
}

std::string Digits(absl::string_view text, size_t most) {
  std::string digits;
  for (const char c : text) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(c)) && digits.size() < most) {
      digits.push_back(c);
    }
  }
  return digits;
}

double MeanJaroWinkler(const Record& a, const Record& b) {
  double sum = 0;
  int fields = 0;
  for (const auto field : {&Record::first_name, &Record::last_name, &Record::street_number,
                           &Record::address1, &Record::address2, &Record::city,
                           &Record::postal_code, &Record::state, &Record::date_of_birth}) {
    if ((a.*field).empty() && (b.*field).empty()) continue;
    sum += JaroWinkler(a.*field, b.*field);
    ++fields;
  }
  return fields == 0 ? 0 : sum / fields;
}

std::vector<Baseline> OfPeople(const TruthSet& set) {
  const auto text = [](absl::string_view Record::*field) {
    return [field](const Record& r) { return std::string(r.*field); };
  };
  const auto names_and_birth = [](const Record& r) {
    if (r.first_name.empty() || r.last_name.empty() || r.date_of_birth.empty()) {
      return std::string();
    }
    return absl::StrCat(r.first_name, "|", r.last_name, "|", r.date_of_birth);
  };
  return {
      {"names and birth date equal", ByKey(set, names_and_birth)},
      {"blocked Jaro-Winkler mean >= 0.75",
       ByPairs(set,
               {text(&Record::last_name), text(&Record::first_name), text(&Record::date_of_birth),
                text(&Record::postal_code)},
               [](const Record& a, const Record& b) { return MeanJaroWinkler(a, b) >= 0.75; })}};
}

std::vector<Baseline> OfPlaces(const TruthSet& set) {
  return {
      {"number equal as written", ByKey(set, [](const Record& r) { return std::string(r.phone); })},
      {"ten digits equal", ByKey(set, [](const Record& r) { return Digits(r.phone, 10); })},
      {"name equal", ByKey(set, [](const Record& r) { return std::string(r.company); })}};
}

std::vector<Baseline> OfNames(const TruthSet& set) {
  const auto core = [](const Record& r) {
    std::string text = CompanyCore(r.company);
    text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
    return text;
  };
  const auto everything = [](const Record&) { return std::string("all"); };
  return {{"equal as written", ByKey(set, [](const Record& r) { return std::string(r.company); })},
          {"case and marks folded",
           ByKey(set, [](const Record& r) { return Together(SplitWords(r.company)); })},
          {"legal forms stripped", ByKey(set, core)},
          {"stripped, Jaro-Winkler >= 0.90",
           ByPairs(set, {everything}, [&](const Record& a, const Record& b) {
             return JaroWinkler(core(a), core(b)) >= 0.90;
           })}};
}

}  // namespace

std::vector<Baseline> Baselines(const TruthSet& set) {
  if (set.kind == Kind::kPerson) return OfPeople(set);
  return set.b_cubed ? OfNames(set) : OfPlaces(set);
}

}  // namespace outpace::match
