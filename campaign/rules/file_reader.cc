// A key that nobody reads is a fault, and so is a value of the wrong kind: a misspelt "hours" that
// is silently passed over would leave people without the rule that protects them. All faults are
// told at once, each with its line.

#include "campaign/rules/file_reader.h"

#include <toml++/toml.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "campaign/calling_window.h"
#include "campaign/number_plan.h"

namespace outpace::rules::internal {
namespace {

bool IsName(absl::string_view text) {
  return !text.empty() && text.size() <= 40 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == text.npos;
}

bool IsRuleId(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  return parts.size() == 2 && IsName(parts[0]) && IsName(parts[1]);
}

// "US", "US-FL", "CN-广东". "UK" and "US-fl" would be areas that no number lies in.
bool IsArea(absl::string_view text) {
  if (text.size() < 2 || !absl::ascii_isupper(static_cast<unsigned char>(text[0])) ||
      !absl::ascii_isupper(static_cast<unsigned char>(text[1])) ||
      campaign::CallingCode(text.substr(0, 2)) == 0 || text.substr(0, 2) == "UK") {
    return false;  // CallingCode() knows "UK" too, which numbers do not: theirs is "GB"
  }
  if (text.size() == 2) return true;
  if (text.size() == 3 || text[2] != '-') return false;
  return std::none_of(text.begin() + 3, text.end(), [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) || c == ' ';
  });
}

class FileReader {
 public:
  FileReader(absl::string_view name, std::vector<std::string>* faults)
      : name_(name), faults_(*faults) {}

  Jurisdiction Read(toml::table& root) {
    static const std::set<std::string> kKinds = {"window", "holidays", "cap",   "rest",   "consent",
                                                 "ring",   "registry", "block", "abandon"};
    Jurisdiction out;
    out.id = NeedText(root, "id");
    out.version = NeedText(root, "version");
    out.title = NeedText(root, "title");
    absl::CivilDay day;
    if (!out.id.empty() && !IsName(out.id)) Fault(root.get("id"), "id: write a-z, 0-9 and -");
    if (!out.version.empty() && !absl::ParseCivilTime(out.version, &day)) {
      Fault(root.get("version"), "version: write the day, as in \"2026-11-22\"");
    }
    for (auto&& [key, node] : root) {
      const std::string kind(key.str());
      if (kind == "id" || kind == "version" || kind == "title") continue;
      const toml::array* tables = node.as_array();
      if (!kKinds.contains(kind)) {
        Fault(&node, absl::StrCat("unknown key '", kind, "'; known here: id, version, title, [[",
                                  absl::StrJoin(kKinds, "]], [["), "]]"));
      } else if (tables == nullptr || !tables->is_array_of_tables()) {
        Fault(&node, absl::StrCat("'", kind, "' must be sections: [[", kind, "]]"));
      } else {
        for (const toml::node& each : *tables) {
          out.rules.push_back(ReadRule(kind, *each.as_table(), out.id));
        }
      }
    }
    std::stable_sort(out.rules.begin(), out.rules.end(),
                     [](const Rule& a, const Rule& b) { return a.line < b.line; });
    std::set<std::string> ids;
    for (const Rule& rule : out.rules) {
      if (!rule.id.empty() && !ids.insert(rule.id).second) {
        faults_.push_back(
            absl::StrCat(name_, ":", rule.line, ": id '", rule.id, "' is there twice"));
      }
    }
    return out;
  }

 private:
  void Fault(const toml::node* node, absl::string_view what) {
    const auto line = node != nullptr ? node->source().begin.line : 0;
    faults_.push_back(line > 0 ? absl::StrCat(name_, ":", line, ": ", what)
                               : absl::StrCat(name_, ": ", what));
  }

  // Keys are noted as they are asked for; whatever was not is unknown.
  const toml::node* Take(const toml::table& table, const char* key) {
    asked_.insert(key);
    return table.get(key);
  }

  std::string Text(const toml::table& table, const char* key) {
    const toml::node* node = Take(table, key);
    if (node == nullptr) return "";
    const auto value = node->value_exact<std::string>();
    if (!value || value->empty()) Fault(node, absl::StrCat(key, ": must be text in quotes"));
    return value.value_or("");
  }
  std::string NeedText(const toml::table& table, const char* key) {
    if (Take(table, key) == nullptr) Fault(&table, absl::StrCat("'", key, "' is missing"));
    return Text(table, key);
  }

  void Flag(const toml::table& table, const char* key, bool* out) {
    const toml::node* node = Take(table, key);
    if (node == nullptr) return;
    const auto value = node->value_exact<bool>();
    if (!value) Fault(node, absl::StrCat(key, ": must be true or false"));
    *out = value.value_or(false);
  }

  // Whole, from `low` to `high`; `need`: it has to be there.
  void Whole(const toml::table& table, const char* key, int low, int high, bool need, int* out) {
    const toml::node* node = Take(table, key);
    if (node == nullptr) {
      if (need) Fault(&table, absl::StrCat("'", key, "' is missing"));
      return;
    }
    const auto value = node->value_exact<int64_t>();
    if (!value || *value < low || *value > high) {
      Fault(node, absl::StrCat(key, ": must be a whole number from ", low, " to ", high));
      return;
    }
    *out = static_cast<int>(*value);
  }

  void Real(const toml::table& table, const char* key, double low, double high, double* out) {
    const toml::node* node = Take(table, key);
    if (node == nullptr) return Fault(&table, absl::StrCat("'", key, "' is missing"));
    const auto value = node->is_number() ? node->value<double>() : std::nullopt;
    if (!value || !(*value >= low && *value <= high)) {
      Fault(node, absl::StrCat(key, ": must be a number from ", low, " to ", high));
      return;
    }
    *out = *value;
  }

  // A list of texts, each with its node for faults.
  std::vector<std::pair<std::string, const toml::node*>> Texts(const toml::table& table,
                                                               const char* key, bool need) {
    std::vector<std::pair<std::string, const toml::node*>> out;
    const toml::node* node = Take(table, key);
    if (node == nullptr) {
      if (need) Fault(&table, absl::StrCat("'", key, "' is missing"));
      return out;
    }
    const toml::array* list = node->as_array();
    if (list == nullptr || list->empty()) {
      Fault(node, absl::StrCat(key, ": must be a list of texts"));
      return out;
    }
    for (const toml::node& each : *list) {
      const auto value = each.value_exact<std::string>();
      if (!value || value->empty()) Fault(&each, absl::StrCat(key, ": each must be text"));
      out.emplace_back(value.value_or(""), &each);
    }
    return out;
  }

  template <typename Value>
  void Word(const toml::table& table, const char* key, const std::map<std::string, Value>& words,
            bool need, Value* out) {
    const toml::node* node = Take(table, key);
    if (node == nullptr) {
      if (need) Fault(&table, absl::StrCat("'", key, "' is missing"));
      return;
    }
    const auto word = node->value_exact<std::string>();
    const auto found = words.find(word.value_or(""));
    if (found != words.end()) {
      *out = found->second;
      return;
    }
    std::vector<std::string> known;
    for (const auto& [name, value] : words) known.push_back(absl::StrCat("\"", name, "\""));
    Fault(node, absl::StrCat(key, ": must be ", absl::StrJoin(known, ", ")));
  }

  absl::CivilDay Day(const toml::table& table, const char* key, absl::CivilDay otherwise) {
    const toml::node* node = Take(table, key);
    if (node == nullptr) return otherwise;
    absl::CivilDay day;
    const auto text = node->value_exact<std::string>();
    if (!text || !absl::ParseCivilTime(*text, &day)) {
      Fault(node, absl::StrCat(key, ": write a day, as in \"2026-08-11\""));
      return otherwise;
    }
    return day;
  }

  std::vector<campaign::NumberType> Types(const toml::table& table) {
    using campaign::NumberType;
    static constexpr NumberType kTypes[] = {NumberType::kMobile,        NumberType::kFixed,
                                            NumberType::kFixedOrMobile, NumberType::kTollFree,
                                            NumberType::kShared,        NumberType::kCorporate,
                                            NumberType::kPersonal,      NumberType::kVoip};
    std::vector<NumberType> out;
    for (const auto& [text, node] : Texts(table, "types", false)) {
      std::vector<absl::string_view> known;
      bool found = false;
      for (const NumberType type : kTypes) {
        known.push_back(campaign::NumberTypeName(type));
        if (text != known.back()) continue;
        out.push_back(type);
        found = true;
      }
      if (!found) Fault(node, absl::StrCat("types: each must be ", absl::StrJoin(known, ", ")));
    }
    return out;
  }

  // One of "hours" and "days".
  void Period(const toml::table& table, int* hours, int* days) {
    Whole(table, "hours", 1, 24 * 400, false, hours);
    Whole(table, "days", 1, 400, false, days);
    if (table.contains("hours") == table.contains("days")) {
      Fault(&table,
            "write either 'hours' (to the minute) or 'days' (local days, today's the last)");
    }
  }

  // A word that another part of the system reads.
  template <typename E>
  void Named(const toml::table& table, const char* key, bool needed,
             absl::StatusOr<E> (*parse)(absl::string_view), E* out) {
    const std::string text = needed ? NeedText(table, key) : Text(table, key);
    if (text.empty()) return;
    if (absl::StatusOr<E> value = parse(text); value.ok()) {
      *out = *value;
    } else {
      Fault(table.get(key), absl::StrCat(key, ": ", value.status().message()));
    }
  }

  WindowRule ReadWindow(const toml::table& table) {
    WindowRule out;
    for (const auto& [text, node] : Texts(table, "open", true)) {
      const absl::StatusOr<campaign::CallingWindow> window = campaign::CallingWindow::Parse(text);
      if (!window.ok()) {
        Fault(node, absl::StrCat("open: ", window.status().message()));
        continue;
      }
      out.open.push_back({window->weekdays, window->start_minute, window->end_minute});
    }
    return out;
  }

  HolidayRule ReadHolidays(const toml::table& table) {
    static const std::map<std::string, Observed> kObserved = {{"none", Observed::kNone},
                                                              {"nearest", Observed::kNearest},
                                                              {"monday", Observed::kMonday},
                                                              {"sunday", Observed::kSunday}};
    HolidayRule out;
    Observed observed = Observed::kNone;
    Word(table, "observed", kObserved, false, &observed);
    const toml::node* node = Take(table, "days");
    const toml::array* list = node == nullptr ? nullptr : node->as_array();
    if (list == nullptr || list->empty()) {
      Fault(node == nullptr ? &table : node,
            "days: write a list such as [{ on = \"12-25\", name = \"Christmas Day\" }]");
      return out;
    }
    for (const toml::node& each : *list) {
      const toml::table* day = each.as_table();
      if (day == nullptr) {
        Fault(&each, "days: each must be { on = \"12-25\", name = \"Christmas Day\" }");
        continue;
      }
      Observed own = observed;
      const std::string on = NeedText(*day, "on");
      const std::string name = NeedText(*day, "name");
      Word(*day, "observed", kObserved, false, &own);
      RefuseUnknown(*day, "a day", {"on", "name", "observed"});
      asked_.erase("on");
      asked_.erase("name");
      absl::StatusOr<Holiday> holiday = Holiday::Parse(on, own, name);
      if (holiday.ok()) {
        out.days.push_back(*std::move(holiday));
      } else if (!on.empty()) {
        Fault(day->get("on"), absl::StrCat("on: ", holiday.status().message()));
      }
    }
    return out;
  }

  BlockRule ReadBlock(const toml::table& table) {
    BlockRule out;
    out.types = Types(table);
    for (const auto& [text, node] : Texts(table, "prefixes", false)) {
      if (text.empty() || text.size() > 15 || text[0] == '0' ||
          text.find_first_not_of("0123456789") != std::string::npos) {
        Fault(node, "prefixes: digits of E.164 without \"+\", as in \"881\"");
      }
      out.prefixes.push_back(text);
    }
    Flag(table, "uncovered", &out.uncovered);
    if (out.types.empty() && out.prefixes.empty() && !out.uncovered) {
      Fault(&table, "write 'types', 'prefixes' or 'uncovered'");
    }
    return out;
  }

  RuleValue ReadValue(const std::string& kind, const toml::table& table) {
    static const std::map<std::string, After> kAfter = {
        {"attempt", After::kAttempt},           {"answer", After::kAnswer},
        {"abandoned", After::kAbandoned},       {"machine", After::kMachine},
        {"conversation", After::kConversation}, {"refusal", After::kRefusal}};
    static const std::map<std::string, Basis> kBases = {{"existing_business", Basis::kBusiness},
                                                        {"express", Basis::kExpress},
                                                        {"written", Basis::kWritten}};
    if (kind == "window") return ReadWindow(table);
    if (kind == "holidays") return ReadHolidays(table);
    if (kind == "block") return ReadBlock(table);
    if (kind == "cap") {
      CapRule out;
      Whole(table, "max", 1, 1000, true, &out.max);
      Period(table, &out.hours, &out.days);
      Flag(table, "answered_only", &out.answered_only);
      Flag(table, "campaign_only", &out.campaign_only);
      return out;
    }
    if (kind == "rest") {
      RestRule out;
      Word(table, "after", kAfter, true, &out.after);
      Period(table, &out.hours, &out.days);
      return out;
    }
    if (kind == "consent") {
      ConsentRule out;
      Word(table, "basis", kBases, true, &out.basis);
      Whole(table, "days", 1, 36'500, false, &out.days);
      out.types = Types(table);
      return out;
    }
    if (kind == "ring") {
      RingRule out;
      Whole(table, "seconds", 1, 120, true, &out.seconds);
      return out;
    }
    if (kind == "registry") {
      RegistryRule out;
      Whole(table, "days", 1, 3650, true, &out.days);
      return out;
    }
    AbandonRule out;
    Real(table, "percent", 0, 100, &out.percent);
    Real(table, "answer_seconds", 0, 120, &out.answer_seconds);
    out.contract = Text(table, "contract");
    if (!out.contract.empty() && !IsName(out.contract)) {
      Fault(table.get("contract"), "contract: write a-z, 0-9 and -");
    }
    Named(table, "window", true, campaign::ParseContractWindow, &out.window);
    Named(table, "start", false, campaign::ParseContractStart, &out.start);
    Named(table, "numerator", false, campaign::ParseContractNumerator, &out.numerator);
    Named(table, "denominator", false, campaign::ParseContractDenominator, &out.denominator);
    return out;
  }

  Rule ReadRule(const std::string& kind, const toml::table& table, const std::string& set) {
    static const std::map<std::string, Evidence> kEvidence = {
        {"read", Evidence::kRead},
        {"secondary", Evidence::kSecondary},
        {"from memory, check", Evidence::kMemory}};
    asked_.clear();
    Rule rule;
    rule.set = set;
    rule.line = static_cast<int>(table.source().begin.line);
    rule.id = NeedText(table, "id");
    if (!rule.id.empty() && !IsRuleId(rule.id)) {
      Fault(table.get("id"), "id: write it as \"us-fl:window\"");
    }
    for (const auto& [text, node] : Texts(table, "areas", true)) {
      if (text != "*" && !IsArea(text)) {
        Fault(node, "areas: each must be an ISO 3166 code, \"US\" or \"US-FL\"; \"*\": everywhere");
      }
      if (text != "*") rule.areas.push_back(text);
    }
    if (!rule.areas.empty() && rule.areas.size() < table["areas"].as_array()->size()) {
      Fault(table.get("areas"), "areas: \"*\" is everywhere, and stands alone");
    }
    rule.source = NeedText(table, "source");
    rule.url = Text(table, "url");
    rule.note = Text(table, "note");
    Word(table, "status", kEvidence, true, &rule.evidence);
    rule.from = Day(table, "from", absl::CivilDay::min());
    rule.until = Day(table, "until", absl::CivilDay::max());
    if (rule.until <= rule.from) {
      Fault(table.get("until"), "until: the first day on which it no longer holds: after 'from'");
    }
    rule.value = ReadValue(kind, table);
    RefuseUnknown(table, absl::StrCat("[[", kind, "]]"), asked_);
    return rule;
  }

  void RefuseUnknown(const toml::table& table, absl::string_view where,
                     const std::set<std::string>& known) {
    for (auto&& [key, node] : table) {
      if (known.contains(std::string(key.str()))) continue;
      Fault(&node, absl::StrCat("unknown key '", absl::string_view(key.data(), key.length()),
                                "' in ", where, "; known here: ", absl::StrJoin(known, ", ")));
    }
  }

  const std::string name_;
  std::vector<std::string>& faults_;
  std::set<std::string> asked_;
};

}  // namespace

Jurisdiction ReadJurisdiction(absl::string_view text, absl::string_view name,
                              std::vector<std::string>* faults) {
  try {
    toml::table root = toml::parse(std::string(text), std::string(name));
    return FileReader(name, faults).Read(root);
  } catch (const toml::parse_error& error) {
    faults->push_back(
        absl::StrCat(name, ":", error.source().begin.line, ": ", std::string(error.description())));
    return {};
  }
}

}  // namespace outpace::rules::internal
