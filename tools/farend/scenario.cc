#include "tools/farend/scenario.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/base/check.h"

namespace outpace::farend {
namespace {

constexpr absl::string_view kNames[kAnswerClasses] = {
    "human",        "machine",      "no_answer",      "busy",   "invalid",
    "unreachable",  "congestion",   "early_media",    "reject", "silent_trunk",
    "silent_human", "cross_cancel", "hangup_mid_call"};

// Shares are those of a consumer list in a working hour; see docs/CARRIER.md for where they come
// from.
constexpr absl::string_view kDefault = R"(seed = 1
[class.human]
share = 0.30
[class.machine]
share = 0.12
[class.no_answer]
share = 0.32
[class.busy]
share = 0.06
[class.invalid]
share = 0.05
[class.unreachable]
share = 0.06
[class.early_media]
share = 0.05
[class.reject]
share = 0.02
[class.congestion]
share = 0.02
)";

Behaviour BuiltIn(AnswerClass answer) {
  using Law = Distribution::Law;
  Behaviour b;
  b.answer = answer;
  b.post_dial_delay = {Law::kUniform, 0.2, 0.5};
  const Distribution pick_up{Law::kLognormal, 3.0, 0.4};
  const Distribution at_once{Law::kConstant, 0, 0};
  switch (answer) {
    case AnswerClass::kHuman:
      b.ring = pick_up;
      b.patience = Distribution{Law::kExponential, 20, 0};
      b.audio = "human";
      break;
    case AnswerClass::kMachine:
      b.ring = Distribution{Law::kLognormal, 6.0, 0.1};
      b.talk = Distribution{Law::kConstant, 30, 0};
      b.audio = "machine";
      break;
    case AnswerClass::kNoAnswer:
      b.status = 480;
      b.q850_cause = 19;
      break;
    case AnswerClass::kBusy:
      b.ring = at_once;
      b.status = 486;
      b.q850_cause = 17;
      break;
    case AnswerClass::kInvalid:
      b.ring = at_once;
      b.status = 404;
      b.q850_cause = 1;
      b.phrase = "Vacant Number";
      break;
    case AnswerClass::kUnreachable:
      b.ring = at_once;
      b.status = 480;
      b.q850_cause = 20;
      b.phrase = "Power Off";
      break;
    case AnswerClass::kCongestion:
      b.ring = at_once;
      b.status = 503;
      b.q850_cause = 34;
      break;
    case AnswerClass::kEarlyMedia:
      b.ring = pick_up;
      b.early_audio = "music";
      b.audio = "human";
      b.patience = Distribution{Law::kExponential, 20, 0};
      b.answer_share = 0.5;
      b.status = 486;
      b.q850_cause = 17;
      break;
    case AnswerClass::kReject:
      b.ring = Distribution{Law::kUniform, 2, 6};
      b.status = 603;
      b.q850_cause = 21;
      break;
    case AnswerClass::kSilentTrunk:
      break;
    case AnswerClass::kSilentHuman:
      b.ring = pick_up;
      b.audio = "none";
      b.talk = Distribution{Law::kExponential, 8, 0};
      break;
    case AnswerClass::kCrossCancel:
      b.audio = "human";
      b.patience = Distribution{Law::kExponential, 20, 0};
      break;
    case AnswerClass::kHangupMidCall:
      b.ring = pick_up;
      b.audio = "human";
      b.talk = Distribution{Law::kUniform, 1, 5};
      break;
  }
  return b;
}

bool EndsInAnswer(AnswerClass answer) {
  switch (answer) {
    case AnswerClass::kHuman:
    case AnswerClass::kMachine:
    case AnswerClass::kSilentHuman:
    case AnswerClass::kCrossCancel:
    case AnswerClass::kHangupMidCall:
      return true;
    default:
      return false;
  }
}

uint64_t HashDigits(absl::string_view digits) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a; Rng's splitmix spreads it further
  for (const char c : digits) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace

absl::string_view AnswerClassName(AnswerClass c) { return kNames[static_cast<size_t>(c)]; }

std::optional<AnswerClass> FindAnswerClass(absl::string_view name) {
  for (int i = 0; i < kAnswerClasses; ++i) {
    if (kNames[i] == name) return static_cast<AnswerClass>(i);
  }
  return std::nullopt;
}

absl::Duration Distribution::Draw(Rng& rng) const {
  double seconds = 0;
  switch (law) {
    case Law::kConstant:
      seconds = a;
      break;
    case Law::kUniform:
      seconds = a + (b - a) * rng.Uniform();
      break;
    case Law::kExponential:
      seconds = rng.Exponential(a);
      break;
    case Law::kLognormal:
      seconds = rng.Lognormal(a, b);
      break;
    case Law::kErlang:
      for (int i = 0; i < static_cast<int>(b); ++i) seconds += rng.Exponential(a / b);
      break;
  }
  return absl::Seconds(std::max(0.0, seconds));
}

bool MatchesNumber(absl::string_view pattern, absl::string_view digits) {
  // The usual two-pointer glob: on a mismatch the last star swallows one digit more.
  size_t p = 0, d = 0, star = absl::string_view::npos, mark = 0;
  while (d < digits.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = d;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == digits[d])) {
      ++p;
      ++d;
    } else if (star != absl::string_view::npos) {
      p = star + 1;
      d = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// Reads one file; the first mistake ends it, with its line.
class ScenarioReader {
 public:
  explicit ScenarioReader(std::string name) : name_(std::move(name)) {}

  absl::StatusOr<Scenario> Read(absl::string_view text) {
    Scenario scenario;
    try {
      const toml::table root = toml::parse(std::string(text), name_);
      ReadRoot(root, &scenario);
    } catch (const toml::parse_error& error) {
      Complain(error.source().begin.line,
               absl::StrCat(std::string(error.description()),
                            "; the file is TOML, see docs/CARRIER.md for an example"));
    }
    if (!status_.ok()) return status_;
    return scenario;
  }

 private:
  void Complain(uint32_t line, absl::string_view what) {
    if (status_.ok()) {
      status_ = absl::InvalidArgumentError(absl::StrCat(name_, ":", line, ": ", what));
    }
  }
  void Complain(const toml::node& node, absl::string_view what) {
    Complain(node.source().begin.line, what);
  }

  void CheckKeys(const toml::table& table, absl::string_view where,
                 std::initializer_list<absl::string_view> allowed) {
    for (const auto& [key, value] : table) {
      const std::string name(key.str());
      if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
        Complain(key.source().begin.line,
                 absl::StrCat("unknown key \"", name, "\" in ", where, "; use one of ",
                              absl::StrJoin(allowed, ", ")));
      }
    }
  }

  void ReadRoot(const toml::table& root, Scenario* scenario) {
    CheckKeys(root, "the file", {"seed", "repeat", "class", "rule"});
    if (const toml::node* node = root.get("seed")) {
      scenario->seed_ = static_cast<uint64_t>(Integer(*node, "seed", 0, INT64_MAX));
    }
    if (const toml::node* node = root.get("repeat")) {
      const std::string repeat = Word(*node, "repeat");
      if (repeat != "same" && repeat != "fresh") {
        Complain(*node, "repeat: want \"same\" (a number always behaves alike) or \"fresh\"");
      }
      scenario->fresh_on_repeat_ = repeat == "fresh";
    }
    const toml::node* classes = root.get("class");
    if (classes == nullptr || !classes->is_table() || classes->as_table()->empty()) {
      Complain(classes == nullptr ? 1 : classes->source().begin.line,
               "no classes; add at least [class.human] with share = 1.0");
      return;
    }
    ReadClasses(*classes->as_table(), scenario);
    if (const toml::node* rules = root.get("rule")) ReadRules(*rules, scenario);
  }

  void ReadClasses(const toml::table& classes, Scenario* scenario) {
    double sum = 0;
    for (int i = 0; i < kAnswerClasses; ++i) defaults_[i] = BuiltIn(static_cast<AnswerClass>(i));
    for (const auto& [key, value] : classes) {
      const std::string name(key.str());
      const auto answer = FindAnswerClass(name);
      if (!answer) {
        Complain(key.source().begin.line, absl::StrCat("unknown class \"", name, "\"; use one of ",
                                                       absl::StrJoin(kNames, ", ")));
        return;
      }
      if (!value.is_table()) {
        Complain(value, absl::StrCat("class ", name, ": want a table, as in [class.", name, "]"));
        return;
      }
      const toml::table& table = *value.as_table();
      CheckKeys(table, absl::StrCat("[class.", name, "]"),
                {"share", "post_dial_delay", "ring", "talk", "patience", "early_audio", "audio",
                 "answer_share", "status", "q850", "retry_after_s", "phrase"});
      Behaviour& behaviour = defaults_[static_cast<int>(*answer)];
      ReadBehaviour(table, &behaviour);
      const toml::node* share = table.get("share");
      if (share == nullptr) {
        Complain(value, absl::StrCat("class ", name,
                                     ": no share; write how often it occurs, e.g. share = 0.1 "
                                     "(0 if only rules use it)"));
        return;
      }
      const double part = Real(*share, "share", 0, 1);
      sum += part;
      scenario->shares_.push_back({behaviour, part});
    }
    if (status_.ok() && std::abs(sum - 1) > 0.001) {
      Complain(classes, absl::StrCat("the shares of all classes add up to ", sum,
                                     ", not 1; change them until they do"));
    }
    // toml++ sorts by name; the order of the classes decides who a number belongs to.
    std::sort(scenario->shares_.begin(), scenario->shares_.end(),
              [](const auto& x, const auto& y) { return x.behaviour.answer < y.behaviour.answer; });
  }

  void ReadRules(const toml::node& node, Scenario* scenario) {
    const toml::array* rules = node.as_array();
    if (rules == nullptr) {
      Complain(node, "rule: write [[rule]], with two brackets, once for each rule");
      return;
    }
    for (const toml::node& item : *rules) {
      const toml::table* table = item.as_table();
      if (table == nullptr) {
        Complain(item, "rule: want a table with match and class");
        return;
      }
      CheckKeys(*table, "[[rule]]",
                {"match", "class", "post_dial_delay", "ring", "talk", "patience", "early_audio",
                 "audio", "answer_share", "status", "q850", "retry_after_s", "phrase"});
      const toml::node* match = table->get("match");
      const toml::node* name = table->get("class");
      if (match == nullptr || name == nullptr) {
        Complain(item, "rule: needs match = \"*0486\" and class = \"busy\"");
        return;
      }
      Scenario::Rule rule;
      rule.match = Word(*match, "match");
      if (rule.match.empty() || rule.match.find_first_not_of("0123456789*?") != std::string::npos) {
        Complain(*match, "match: want digits, '*' for any and '?' for one, no '+'");
      }
      const auto answer = FindAnswerClass(Word(*name, "class"));
      if (!answer) {
        Complain(*name, absl::StrCat("unknown class; use one of ", absl::StrJoin(kNames, ", ")));
        return;
      }
      rule.behaviour = defaults_[static_cast<int>(*answer)];
      ReadBehaviour(*table, &rule.behaviour);
      scenario->rules_.push_back(std::move(rule));
    }
  }

  void ReadBehaviour(const toml::table& table, Behaviour* b) {
    if (const auto* node = table.get("post_dial_delay")) b->post_dial_delay = Law(*node);
    if (const auto* node = table.get("ring")) b->ring = LawOrNever(*node);
    if (const auto* node = table.get("talk")) b->talk = LawOrNever(*node);
    if (const auto* node = table.get("patience")) b->patience = LawOrNever(*node);
    if (const auto* node = table.get("early_audio")) b->early_audio = Word(*node, "early_audio");
    if (const auto* node = table.get("audio")) b->audio = Word(*node, "audio");
    if (const auto* node = table.get("answer_share")) {
      b->answer_share = Real(*node, "answer_share", 0, 1);
    }
    if (const auto* node = table.get("status")) {
      b->status = static_cast<int>(Integer(*node, "status", 400, 699));
    }
    if (const auto* node = table.get("q850")) {
      b->q850_cause = static_cast<int>(Integer(*node, "q850", 0, 127));
    }
    if (const auto* node = table.get("retry_after_s")) {
      b->retry_after_s = static_cast<int>(Integer(*node, "retry_after_s", 0, 86400));
    }
    if (const auto* node = table.get("phrase")) {
      b->phrase = Word(*node, "phrase");
      if (b->phrase.find_first_of("\r\n") != std::string::npos) {
        Complain(*node, "phrase: want one line");
      }
    }
  }

  std::optional<Distribution> LawOrNever(const toml::node& node) {
    if (node.is_string() && *node.value<std::string>() == "never") return std::nullopt;
    return Law(node);
  }

  // A number is a constant; else { law = "...", ... }.
  Distribution Law(const toml::node& node) {
    using Kind = Distribution::Law;
    if (node.is_number()) return {Kind::kConstant, Real(node, "time", 0, 1e6), 0};
    const toml::table* table = node.as_table();
    const toml::node* name = table == nullptr ? nullptr : table->get("law");
    if (name == nullptr) {
      Complain(node,
               "want seconds, or { law = \"lognormal\", mean_s = 3.0, cv = 0.4 }, or \"never\" "
               "for ring, talk and patience");
      return {};
    }
    const auto part = [this, table, &node](absl::string_view key, double low) {
      const toml::node* value = table->get(std::string(key));
      if (value == nullptr) {
        Complain(node, absl::StrCat("this law needs ", key));
        return low;
      }
      return Real(*value, key, low, 1e6);
    };
    const std::string law = Word(*name, "law");
    if (law == "constant") {
      CheckKeys(*table, "law constant", {"law", "value_s"});
      return {Kind::kConstant, part("value_s", 0), 0};
    }
    if (law == "uniform") {
      CheckKeys(*table, "law uniform", {"law", "min_s", "max_s"});
      const Distribution d{Kind::kUniform, part("min_s", 0), part("max_s", 0)};
      if (d.b < d.a) Complain(node, "uniform: max_s is below min_s; swap them");
      return d;
    }
    if (law == "exponential") {
      CheckKeys(*table, "law exponential", {"law", "mean_s"});
      return {Kind::kExponential, part("mean_s", 1e-6), 0};
    }
    if (law == "lognormal") {
      CheckKeys(*table, "law lognormal", {"law", "mean_s", "cv"});
      return {Kind::kLognormal, part("mean_s", 1e-6), part("cv", 0)};
    }
    if (law == "erlang") {
      CheckKeys(*table, "law erlang", {"law", "mean_s", "stages"});
      return {Kind::kErlang, part("mean_s", 1e-6), std::floor(std::min(part("stages", 1), 1000.0))};
    }
    Complain(*name, "unknown law; use constant, uniform, exponential, lognormal or erlang");
    return {};
  }

  int64_t Integer(const toml::node& node, absl::string_view key, int64_t low, int64_t high) {
    const auto value = node.value_exact<int64_t>();
    if (!value || *value < low || *value > high) {
      Complain(node, absl::StrCat(key, ": want a whole number from ", low, " to ", high));
      return low;
    }
    return *value;
  }
  double Real(const toml::node& node, absl::string_view key, double low, double high) {
    const auto value = node.is_number() ? node.value<double>() : std::nullopt;
    if (!value || !(*value >= low && *value <= high)) {
      Complain(node, absl::StrCat(key, ": want a number from ", low, " to ", high));
      return low;
    }
    return *value;
  }
  std::string Word(const toml::node& node, absl::string_view key) {
    const auto value = node.value_exact<std::string>();
    if (!value) {
      Complain(node, absl::StrCat(key, ": want text in quotes"));
      return "";
    }
    return *value;
  }

  const std::string name_;
  absl::Status status_;
  Behaviour defaults_[kAnswerClasses];
};

Scenario Scenario::Default() {
  auto scenario = Parse(kDefault, "built-in scenario");
  OUTPACE_CHECK(scenario.ok());
  return *std::move(scenario);
}

absl::StatusOr<Scenario> Scenario::Parse(absl::string_view toml, const std::string& name) {
  return ScenarioReader(name).Read(toml);
}

absl::StatusOr<Scenario> Scenario::Load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::NotFoundError(absl::StrCat(
        path, ": cannot open; give a scenario file, or leave --scenario out for the built-in one"));
  }
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return Parse(text, path);
}

Plan Scenario::PlanFor(absl::string_view digits, uint64_t call) const {
  Rng rng(seed_ * 0x9e3779b97f4a7c15 ^ HashDigits(digits) ^
          (fresh_on_repeat_ ? call * 0xbf58476d1ce4e5b9 : 0));
  // Each draw has its own stream, so that a change of one law leaves the other times as they were.
  const double who = rng.Uniform();
  Rng delay = rng.Fork(), ring = rng.Fork(), talk = rng.Fork(), patience = rng.Fork();
  const double early_answer = rng.Uniform();

  const Behaviour* behaviour = &shares_.back().behaviour;
  double sum = 0;
  for (const Share& share : shares_) {
    sum += share.share;
    if (who < sum) {
      behaviour = &share.behaviour;
      break;
    }
  }
  for (const Rule& rule : rules_) {
    if (MatchesNumber(rule.match, digits)) {
      behaviour = &rule.behaviour;
      break;
    }
  }

  const Behaviour& b = *behaviour;
  Plan plan;
  plan.answer = b.answer;
  plan.post_dial_delay = b.post_dial_delay.Draw(delay);
  if (b.ring) plan.ring = b.ring->Draw(ring);
  if (b.talk) plan.talk = b.talk->Draw(talk);
  if (b.patience) plan.patience = b.patience->Draw(patience);
  plan.early_audio = b.early_audio;
  plan.audio = b.audio;
  plan.answers = EndsInAnswer(b.answer) ||
                 (b.answer == AnswerClass::kEarlyMedia && early_answer < b.answer_share);
  plan.status = b.status;
  plan.q850_cause = b.q850_cause;
  plan.retry_after_s = b.retry_after_s;
  plan.phrase = b.phrase;
  return plan;
}

std::vector<std::string> Scenario::AudioNames() const {
  std::set<std::string> names;
  const auto add = [&names](const Behaviour& b) {
    for (const std::string& name : {b.audio, b.early_audio}) {
      if (!name.empty() && name != "none") names.insert(name);
    }
  };
  for (const Share& share : shares_) add(share.behaviour);
  for (const Rule& rule : rules_) add(rule.behaviour);
  return {names.begin(), names.end()};
}

}  // namespace outpace::farend
