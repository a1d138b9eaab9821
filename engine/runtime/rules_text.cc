#include "engine/runtime/rules_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace outpace::runtime {
namespace {

using Json = nlohmann::ordered_json;
using rules::Rule;

constexpr char kNoAdvice[] =
    "This is no legal advice: have the rules that bind you read by counsel. \"read\": the clause "
    "was\n"
    "read; \"secondary\": somebody's account of it; \"from memory, check\": neither.\n";

// "US-FL", "US PR VI", "everywhere".
std::string AreasText(const Rule& rule) {
  return rule.areas.empty() ? "everywhere" : absl::StrJoin(rule.areas, " ");
}

std::string TermText(const Rule& rule) {
  std::string text;
  if (rule.from != absl::CivilDay::min()) {
    absl::StrAppend(&text, " from ", absl::FormatCivilTime(rule.from));
  }
  if (rule.until != absl::CivilDay::max()) {
    absl::StrAppend(&text, " until ", absl::FormatCivilTime(rule.until));
  }
  return text;
}

// Columns as wide as their widest cell, the last one as it is.
std::string Columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const std::vector<std::string>& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const std::vector<std::string>& row : rows) {
    for (size_t i = 0; i + 1 < row.size(); ++i) {
      absl::StrAppend(&text, row[i], std::string(widths[i] - row[i].size() + 2, ' '));
    }
    absl::StrAppend(&text, row.back(), "\n");
  }
  return text;
}

// A list of holidays would make every line of the table as wide as itself: it stands below.
std::string CellText(const Rule& rule) {
  const auto* holidays = std::get_if<rules::HolidayRule>(&rule.value);
  return absl::StrCat(holidays == nullptr
                          ? rules::ValueText(rule.value)
                          : absl::StrCat("none on ", holidays->days.size(), " holidays, see below"),
                      TermText(rule));
}

std::string HolidaysText(const Rule& rule) {
  const auto* holidays = std::get_if<rules::HolidayRule>(&rule.value);
  if (holidays == nullptr) return "";
  // Days by date end with the year that they were written for.
  absl::CivilDay last = absl::CivilDay::min();
  for (const rules::Holiday& holiday : holidays->days) {
    if (holiday.listed()) last = std::max(last, holiday.listed_last());
  }
  return absl::StrCat(absl::StrJoin(holidays->days, ", ",
                                    [](std::string* out, const rules::Holiday& holiday) {
                                      absl::StrAppend(out, holiday.name(), " (", holiday.text(),
                                                      ")");
                                    }),
                      last == absl::CivilDay::min()
                          ? ""
                          : absl::StrCat("; dates are listed to ", absl::FormatCivilTime(last)));
}

}  // namespace

std::string RuleListText(const rules::RuleBook& book) {
  std::vector<std::vector<std::string>> rows = {{"SET", "VERSION", "RULES", "FROM", "TITLE"}};
  for (const rules::Jurisdiction& each : book.all()) {
    rows.push_back({each.id, each.version, absl::StrCat(each.rules.size()),
                    each.built_in ? "built in" : "own file", each.title});
  }
  return absl::StrCat(Columns(rows), "\n", kNoAdvice);
}

Json RuleListJson(const rules::RuleBook& book) {
  Json json = Json::array();
  for (const rules::Jurisdiction& each : book.all()) {
    json.push_back({{"set", each.id},
                    {"version", each.version},
                    {"title", each.title},
                    {"built_in", each.built_in},
                    {"rules", each.rules.size()}});
  }
  return json;
}

std::string RuleSetText(const rules::RuleSet& set, absl::CivilDay today) {
  std::vector<std::vector<std::string>> rows = {
      {"KIND", "RULE", "AREAS", "VALUE", "KNOWN", "SOURCE"}};
  std::string notes;
  std::vector<const Rule*> rules;
  for (const Rule& rule : set.rules()) {
    if (rule.until > today) rules.push_back(&rule);
  }
  std::stable_sort(rules.begin(), rules.end(), [](const Rule* a, const Rule* b) {
    return a->value.index() < b->value.index();
  });
  for (const Rule* rule : rules) {
    rows.push_back({std::string(rules::KindName(rule->value)), rule->id, AreasText(*rule),
                    CellText(*rule), std::string(rules::EvidenceName(rule->evidence)),
                    rule->source});
    for (const std::string& note : {HolidaysText(*rule), rule->note}) {
      if (!note.empty()) absl::StrAppend(&notes, rule->id, ": ", note, "\n");
    }
  }
  return absl::StrCat("Sets: ", set.version().empty() ? "none" : set.version(),
                      ". Each rule is asked: the stricter holds.\n\n", Columns(rows),
                      notes.empty() ? "" : "\n", notes, "\n", kNoAdvice);
}

Json RuleSetJson(const rules::RuleSet& set) {
  Json json = {{"sets", set.ids()}, {"version", set.version()}, {"rules", Json::array()}};
  for (const Rule& rule : set.rules()) {
    Json each = {{"id", rule.id},
                 {"set", rule.set},
                 {"kind", rules::KindName(rule.value)},
                 {"areas", rule.areas},
                 {"value", rules::ValueText(rule.value)},
                 {"source", rule.source},
                 {"status", std::string(rules::EvidenceName(rule.evidence))}};
    if (!rule.url.empty()) each["url"] = rule.url;
    if (!rule.note.empty()) each["note"] = rule.note;
    if (rule.from != absl::CivilDay::min()) each["from"] = absl::FormatCivilTime(rule.from);
    if (rule.until != absl::CivilDay::max()) each["until"] = absl::FormatCivilTime(rule.until);
    json["rules"].push_back(std::move(each));
  }
  return json;
}

}  // namespace outpace::runtime
