// The scenario file: lines of `key = value` under `[campaign NAME]` and `[phase LENGTH]`. A file is
// written and read by people who plan a day's dialing, so each key is one row of a table that says
// how its value is read and what is allowed, and an error names the line, the key, the value, what
// is wrong with it and what would be right. Nothing is taken silently: an unknown or repeated key
// is an error, and so is a value that would make virtual time stand still.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "engine/sim/scenario.h"

namespace outpace::sim {
namespace {

constexpr size_t kTextMax = 8 << 20;  // bytes
constexpr size_t kCampaignsMax = 100;
constexpr size_t kPhasesMax = 10'000;
constexpr size_t kSamplesMax = 200'000;
constexpr double kLawMax = 86'400;  // seconds
constexpr double kLawMeanMin = 0.1;

// What is wrong with a value; empty: nothing.
using Fault = std::string;

// One key of a section: `read` puts the value into the target.
template <typename T>
struct Key {
  absl::string_view name;
  Fault (*read)(absl::string_view value, T& target);
  absl::string_view allowed;
};

Fault ReadNumber(absl::string_view text, double least, double most, double& out) {
  double value = 0;
  if (!absl::SimpleAtod(text, &value) || !std::isfinite(value)) return "not a number";
  if (value < least || value > most) return "out of range";
  out = value;
  return "";
}

template <typename Int>
Fault ReadInt(absl::string_view text, int64_t least, int64_t most, Int& out) {
  int64_t value = 0;
  if (!absl::SimpleAtoi(text, &value)) return "not a whole number";
  if (value < least || value > most) return "out of range";
  out = static_cast<Int>(value);
  return "";
}

// "3 %" into 3.
Fault ReadPercent(absl::string_view text, double least, double most, double& out) {
  if (!absl::ConsumeSuffix(&text, "%")) return "'%' is missing";
  return ReadNumber(absl::StripAsciiWhitespace(text), least, most, out);
}

Fault ReadShare(absl::string_view text, double least, double most, double& out) {
  double percent = 0;
  Fault fault = ReadPercent(text, least * 100, most * 100, percent);
  if (fault.empty()) out = percent / 100;
  return fault;
}

Fault ReadDuration(absl::string_view text, absl::Duration least, absl::Duration most,
                   absl::Duration& out) {
  absl::Duration value;
  if (!absl::ParseDuration(text, &value)) return "not a duration such as 90s, 1.5s, 40m or 1h30m";
  if (value < least || value > most) return "out of range";
  out = value;
  return "";
}

Fault ReadSeconds(absl::string_view text, double least, double most, double& out) {
  absl::Duration value;
  Fault fault = ReadDuration(text, absl::Seconds(least), absl::Seconds(most), value);
  if (fault.empty()) out = absl::ToDoubleSeconds(value);
  return fault;
}

Fault ReadFlag(absl::string_view text, bool& out) {
  if (text != "yes" && text != "no") return "neither yes nor no";
  out = text == "yes";
  return "";
}

Fault ReadName(absl::string_view text, std::string& out) {
  const auto fits = [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  };
  if (text.empty() || text.size() > 40 || !std::all_of(text.begin(), text.end(), fits)) {
    return "not a name";
  }
  out = std::string(text);
  return "";
}

// --- Laws of durations ---------------------------------------------------------------------------

std::vector<absl::string_view> Arguments(absl::string_view text) {
  std::vector<absl::string_view> parts = absl::StrSplit(text, ',');
  for (absl::string_view& part : parts) part = absl::StripAsciiWhitespace(part);
  return parts;
}

Fault ReadSamples(absl::string_view text, DelayLaw& law) {
  law.kind = DelayLaw::Kind::kSamples;
  law.samples.clear();
  for (const absl::string_view sample :
       absl::StrSplit(text, absl::ByAnyChar(", \t\n"), absl::SkipEmpty())) {
    if (law.samples.size() == kSamplesMax)
      return absl::StrCat("more than ", kSamplesMax, " values");
    law.samples.push_back(0);
    const Fault fault = ReadSeconds(sample, 0, kLawMax, law.samples.back());
    if (!fault.empty()) return absl::StrCat("sample ", law.samples.size(), " is ", fault);
  }
  return law.samples.empty() ? "no samples" : "";
}

// The random part, "name(arguments)".
Fault ReadRandom(absl::string_view name, absl::string_view text, DelayLaw& law) {
  const std::vector<absl::string_view> args = Arguments(text);
  const auto mean = [&law](absl::string_view arg) {
    const Fault fault = ReadSeconds(arg, 0.001, kLawMax, law.mean_s);
    return fault.empty() ? "" : absl::StrCat("mean '", arg, "' is ", fault);
  };
  if (name == "exponential") {
    law.kind = DelayLaw::Kind::kExponential;
    return args.size() == 1 ? mean(args[0]) : "exponential takes (mean)";
  }
  if (name == "erlang") {
    law.kind = DelayLaw::Kind::kErlang;
    if (args.size() != 2) return "erlang takes (stages, mean)";
    const Fault fault = ReadInt(args[0], 1, 100, law.stages);
    return fault.empty() ? mean(args[1]) : absl::StrCat("the number of stages is ", fault);
  }
  if (name == "lognormal") {
    law.kind = DelayLaw::Kind::kLognormal;
    if (args.size() != 2 || !absl::StartsWith(args[1], "cv ")) {
      return "lognormal takes (mean, cv number)";
    }
    const Fault fault = ReadNumber(absl::StripAsciiWhitespace(args[1].substr(3)), 0, 10, law.cv);
    return fault.empty() ? mean(args[0]) : absl::StrCat("cv is ", fault, " (0 to 10)");
  }
  if (name == "uniform") {
    law.kind = DelayLaw::Kind::kUniform;
    const std::pair<absl::string_view, absl::string_view> ends =
        absl::StrSplit(text, absl::MaxSplits("..", 1));
    double from = 0;
    double to = 0;
    Fault fault = ReadSeconds(absl::StripAsciiWhitespace(ends.first), 0, kLawMax, from);
    if (fault.empty()) {
      fault = ReadSeconds(absl::StripAsciiWhitespace(ends.second), 0, kLawMax, to);
    }
    if (!fault.empty()) return absl::StrCat("an end of the range is ", fault);
    if (to < from) return "the range ends before it begins";
    law.mean_s = (from + to) / 2;
    law.cv = law.mean_s > 0 ? (to - from) / (to + from) : 0;
    return "";
  }
  if (name == "samples") return ReadSamples(text, law);
  return absl::StrCat("no law is called '", absl::CHexEscape(name.substr(0, 40)), "'");
}

// "12s", "lognormal(150s, cv 0.8)", "2s + erlang(3, 9s)".
Fault ReadLaw(absl::string_view text, double mean_min, DelayLaw& out) {
  DelayLaw law;
  const size_t open = text.find('(');
  Fault fault;
  if (open == absl::string_view::npos) {
    fault = ReadSeconds(text, 0, kLawMax, law.mean_s);
  } else {
    absl::string_view head = text.substr(0, open);
    if (!absl::ConsumeSuffix(&text, ")")) return "')' is missing at the end";
    const size_t plus = head.find('+');
    if (plus != absl::string_view::npos) {
      fault =
          ReadSeconds(absl::StripAsciiWhitespace(head.substr(0, plus)), 0, kLawMax, law.fixed_s);
      if (!fault.empty()) return absl::StrCat("the fixed part is ", fault);
      head.remove_prefix(plus + 1);
    }
    fault = ReadRandom(absl::StripAsciiWhitespace(head), text.substr(open + 1), law);
  }
  if (!fault.empty()) return fault;
  if (law.Mean() < mean_min) return absl::StrCat("the mean is under ", mean_min, "s");
  out = std::move(law);
  return "";
}

template <DelayLaw ScenarioCampaign::*field>
Fault ReadDelayOf(absl::string_view text, ScenarioCampaign& c) {
  return ReadLaw(text, kLawMeanMin, c.*field);
}
template <DelayLaw ScenarioCampaign::*field>
Fault ReadDelayOrZeroOf(absl::string_view text, ScenarioCampaign& c) {
  return ReadLaw(text, 0, c.*field);
}

// --- Values of several words ---------------------------------------------------------------------

// "name value name value ..." where a value may be "20 %": each name of `fields` at most once.
Fault ReadFields(absl::string_view text,
                 const std::vector<std::pair<absl::string_view, double*>>& fields,
                 absl::Duration* delay) {
  std::vector<absl::string_view> words =
      absl::StrSplit(text, absl::ByAnyChar(" \t,"), absl::SkipEmpty());
  std::vector<absl::string_view> seen;
  for (size_t i = 0; i < words.size();) {
    const absl::string_view name = words[i++];
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      return absl::StrCat("'", name, "' stands there twice");
    }
    seen.push_back(name);
    if (i == words.size()) return absl::StrCat("'", absl::CHexEscape(name), "' has no value");
    std::string value(words[i++]);
    if (i < words.size() && words[i] == "%") absl::StrAppend(&value, words[i++]);
    Fault fault;
    if (delay != nullptr && name == "delay") {
      fault = ReadDuration(value, absl::ZeroDuration(), absl::Seconds(30), *delay);
    } else {
      const auto field = std::find_if(fields.begin(), fields.end(),
                                      [name](const auto& f) { return f.first == name; });
      if (field == fields.end()) return absl::StrCat("'", absl::CHexEscape(name), "' is unknown");
      fault = ReadShare(value, 0, 1, *field->second);
    }
    if (!fault.empty()) return absl::StrCat(name, ": ", fault);
  }
  return "";
}

Fault ReadMix(absl::string_view text, OutcomeMix& out) {
  OutcomeMix mix{0, 0, 0, 0};
  Fault fault = ReadFields(text,
                           {{"person", &mix.person},
                            {"machine", &mix.machine},
                            {"no_answer", &mix.no_answer},
                            {"fail", &mix.fail}},
                           nullptr);
  if (!fault.empty()) return fault;
  const double sum = mix.person + mix.machine + mix.no_answer + mix.fail;
  if (std::abs(sum - 1) > 1e-6) return absl::StrCat("the shares add up to ", sum * 100, " %");
  out = mix;
  return "";
}

// The others keep their proportions to each other.
Fault ReadPersons(absl::string_view text, const OutcomeMix& base, OutcomeMix& out) {
  double person = 0;
  Fault fault = ReadShare(text, 0, 1, person);
  if (!fault.empty()) return fault;
  if (base.person >= 1) return "the campaign's mix has nothing but persons: write outcomes";
  const double rest = (1 - person) / (1 - base.person);
  out = {person, base.machine * rest, base.no_answer * rest, base.fail * rest};
  return "";
}

Fault ReadAmd(absl::string_view text, AmdModel& out) {
  AmdModel amd;
  if (text == "none") {
    amd.present = false;
  } else if (text != "perfect") {
    Fault fault = ReadFields(
        text, {{"caught", &amd.caught}, {"false_positive", &amd.false_positive}}, &amd.delay);
    if (!fault.empty()) return fault;
  }
  out = amd;
  return "";
}

Fault ReadChurn(absl::string_view text, ScenarioCampaign& c) {
  if (text == "none") {
    c.churn_share = 0;
    return "";
  }
  const size_t every = text.find(" every ");
  if (every == absl::string_view::npos) return "'every' is missing";
  Fault fault = ReadShare(absl::StripAsciiWhitespace(text.substr(0, every)), 0, 1, c.churn_share);
  if (!fault.empty()) return absl::StrCat("the share: ", fault);
  fault = ReadDuration(absl::StripAsciiWhitespace(text.substr(every + 7)), absl::Seconds(10),
                       absl::Hours(24), c.churn_every);
  return fault.empty() ? "" : absl::StrCat("the time after 'every': ", fault);
}

// --- The keys ------------------------------------------------------------------------------------

constexpr int kAgentsMax = 20'000;
constexpr absl::string_view kLawAllowed =
    "12s, exponential(4s), erlang(3, 9s), lognormal(150s, cv 0.8), uniform(14s..26s) or "
    "samples(3s 8s 5s), each with a fixed part in front if you like (2s + ...); 24h at most, mean "
    "0.1s at least";
constexpr absl::string_view kLawOrZeroAllowed =
    "12s, exponential(4s), erlang(3, 9s), lognormal(150s, cv 0.8), uniform(14s..26s) or "
    "samples(3s 8s 5s), each with a fixed part in front if you like (2s + ...); 24h at most";
constexpr absl::string_view kMixAllowed =
    "person 20 % machine 35 % no_answer 30 % fail 15 %, together 100 %; what is left out is 0";

struct PhaseTarget {
  const ScenarioCampaign* campaign = nullptr;
  ScenarioPhase phase;
};

using Text = absl::string_view;

constexpr Key<Scenario> kScenarioKeys[] = {
    {"id", [](Text v, Scenario& s) { return ReadName(v, s.id); },
     "1 to 40 letters, digits, '-', '_' or '.'"},
    {"title",
     [](Text v, Scenario& s) -> Fault {
       if (v.empty() || v.size() > 200) return "empty or too long";
       const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
       if (std::any_of(v.begin(), v.end(), control)) return "a control character stands in it";
       s.title = std::string(v);
       return "";
     },
     "1 to 200 bytes of text"},
    {"warm_up",
     [](Text v, Scenario& s) {
       return ReadDuration(v, absl::ZeroDuration(), absl::Hours(24), s.warm_up);
     },
     "0s to 24h"},
    {"length",
     [](Text v, Scenario& s) {
       return ReadDuration(v, absl::Seconds(1), absl::Hours(2000), s.length);
     },
     "1s to 2000h"},
    {"repeats", [](Text v, Scenario& s) { return ReadInt(v, 1, 10'000, s.repeats); }, "1 to 10000"},
    {"shared_agents",
     [](Text v, Scenario& s) { return ReadInt(v, 0, kAgentsMax, s.shared_agents); }, "0 to 20000"},
    {"reference_frontier",
     [](Text v, Scenario& s) { return ReadPercent(v, 0, 100, s.reference_frontier); },
     "0 % to 100 %"},
    {"reference_vicidial_best",
     [](Text v, Scenario& s) { return ReadPercent(v, 0, 100, s.reference_vicidial_best); },
     "0 % to 100 %"},
};

using Camp = ScenarioCampaign;

constexpr Key<Camp> kCampaignKeys[] = {
    {"agents", [](Text v, Camp& c) { return ReadInt(v, 0, kAgentsMax, c.agents); }, "0 to 20000"},
    {"outcomes", [](Text v, Camp& c) { return ReadMix(v, c.mix); }, kMixAllowed},
    {"person", [](Text v, Camp& c) { return ReadPersons(v, OutcomeMix(), c.mix); },
     "0 % to 100 %: machine, no_answer and fail share the rest as 35 : 30 : 15"},
    {"person_ring", ReadDelayOf<&Camp::person_ring>, kLawAllowed},
    {"machine_ring", ReadDelayOf<&Camp::machine_ring>, kLawAllowed},
    {"fail_delay", ReadDelayOf<&Camp::fail_delay>, kLawAllowed},
    {"ring_time_max",
     [](Text v, Camp& c) {
       return ReadDuration(v, absl::Seconds(1), absl::Seconds(300), c.ring_time_max);
     },
     "1s to 300s"},
    {"talk", ReadDelayOf<&Camp::talk>, kLawAllowed},
    {"machine_talk", ReadDelayOrZeroOf<&Camp::machine_talk>, kLawOrZeroAllowed},
    {"wrap", ReadDelayOrZeroOf<&Camp::wrap>, kLawOrZeroAllowed},
    {"wrap_after_machine", [](Text v, Camp& c) { return ReadFlag(v, c.wrap_after_machine); },
     "yes or no"},
    {"amd", [](Text v, Camp& c) { return ReadAmd(v, c.amd); },
     "none, perfect, or: delay 1.5s caught 93 % false_positive 0.5 % (delay 0s to 30s)"},
    {"churn", ReadChurn, "none, or: 35 % every 5m (0 % to 100 %, 10s to 24h)"},
    {"leads",
     [](Text v, Camp& c) -> Fault {
       if (v != "endless") return ReadInt(v, 1, 1'000'000'000, c.leads);
       c.leads = 0;
       return "";
     },
     "endless, or 1 to 1000000000"},
    {"forecast_correlation",
     [](Text v, Camp& c) { return ReadNumber(v, 0, 0.95, c.forecast_correlation); }, "0 to 0.95"},
    {"lines_max",
     [](Text v, Camp& c) -> Fault {
       if (v != "unlimited") return ReadInt(v, 1, 1'000'000, c.lines_max);
       c.lines_max = 0;
       return "";
     },
     "unlimited, or 1 to 1000000"},
    {"calls_per_second",
     [](Text v, Camp& c) -> Fault {
       if (v != "unlimited") return ReadNumber(v, 0.1, 100'000, c.calls_per_second);
       c.calls_per_second = 0;
       return "";
     },
     "unlimited, or 0.1 to 100000"},
    {"weight", [](Text v, Camp& c) { return ReadNumber(v, 0.001, 1000, c.weight); },
     "0.001 to 1000"},
    {"priority", [](Text v, Camp& c) { return ReadInt(v, 0, 100, c.priority); }, "0 to 100"},
    {"abandon_ratio_max",
     [](Text v, Camp& c) { return ReadShare(v, 0.0001, 0.5, c.abandon_ratio_max); },
     "0.01 % to 50 %"},
    {"answer_limit",
     [](Text v, Camp& c) {
       return ReadDuration(v, absl::ZeroDuration(), absl::Seconds(60), c.answer_limit);
     },
     "0s to 60s"},
};

constexpr Key<PhaseTarget> kPhaseKeys[] = {
    {"outcomes", [](Text v, PhaseTarget& t) { return ReadMix(v, t.phase.mix.emplace()); },
     kMixAllowed},
    {"person",
     [](Text v, PhaseTarget& t) { return ReadPersons(v, t.campaign->mix, t.phase.mix.emplace()); },
     "0 % to 100 %: machine, no_answer and fail share the rest as in the campaign"},
    {"segment",
     [](Text v, PhaseTarget& t) { return ReadInt(v, 1, 1'000'000, t.phase.segment.emplace()); },
     "1 to 1000000"},
    {"agents",
     [](Text v, PhaseTarget& t) { return ReadInt(v, 0, kAgentsMax, t.phase.agents.emplace()); },
     "0 to 20000"},
    {"talk_scale",
     [](Text v, PhaseTarget& t) { return ReadNumber(v, 0.01, 100, t.phase.talk_scale); },
     "0.01 to 100"},
    {"answer_delay_extra",
     [](Text v, PhaseTarget& t) {
       return ReadDuration(v, absl::ZeroDuration(), absl::Seconds(300), t.phase.answer_delay_extra);
     },
     "0s to 300s"},
    {"congestion", [](Text v, PhaseTarget& t) { return ReadShare(v, 0, 1, t.phase.congestion); },
     "0 % to 100 %"},
    {"stalled", [](Text v, PhaseTarget& t) { return ReadFlag(v, t.phase.stalled); }, "yes or no"},
};

// What a campaign is where the file does not say otherwise (docs/SCENARIOS.md).
ScenarioCampaign DefaultCampaign() {
  using Kind = DelayLaw::Kind;
  ScenarioCampaign c;
  c.person_ring = {.kind = Kind::kErlang, .fixed_s = 2, .mean_s = 9, .stages = 3, .samples = {}};
  c.machine_ring = {.kind = Kind::kErlang, .fixed_s = 2, .mean_s = 18, .stages = 4, .samples = {}};
  c.fail_delay = {.kind = Kind::kExponential, .fixed_s = 1, .mean_s = 4, .samples = {}};
  c.talk = {.kind = Kind::kLognormal, .mean_s = 150, .cv = 0.8, .samples = {}};
  c.machine_talk = {.kind = Kind::kConstant, .mean_s = 12, .samples = {}};
  c.wrap = {.kind = Kind::kLognormal, .mean_s = 30, .cv = 0.5, .samples = {}};
  return c;
}

// --- Lines ---------------------------------------------------------------------------------------

// A statement may run over several lines while a parenthesis is open (long lists of samples).
struct Statement {
  size_t line = 0;  // of its beginning, from 1
  std::string text;
};

absl::Status At(size_t line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", what));
}

absl::string_view WithoutComment(absl::string_view line) {
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '#' &&
        (i == 0 || absl::ascii_isspace(static_cast<unsigned char>(line[i - 1])))) {
      line = line.substr(0, i);
      break;
    }
  }
  return absl::StripAsciiWhitespace(line);
}

// For messages: at most 60 bytes, nothing unprintable.
std::string Quoted(absl::string_view text) {
  const bool cut = text.size() > 60;
  return absl::StrCat("'", absl::CHexEscape(text.substr(0, 60)), cut ? "...'" : "'");
}

class Parser {
 public:
  absl::StatusOr<Scenario> Parse(absl::string_view text) {
    if (text.size() > kTextMax) return At(1, "the file is longer than 8 MB");
    size_t number = 0;
    Statement open;
    for (const absl::string_view raw : absl::StrSplit(text, '\n')) {
      ++number;
      if (raw.find('\0') != absl::string_view::npos) return At(number, "a zero byte");
      const absl::string_view line = WithoutComment(raw);
      if (line.empty()) continue;
      if (open.text.empty()) {
        open = {number, std::string(line)};
      } else {
        absl::StrAppend(&open.text, "\n", line);
      }
      const bool unclosed = absl::StrContains(open.text, "(") && !absl::StrContains(line, ")") &&
                            open.text.front() != '[' && !absl::StartsWith(open.text, "title");
      if (unclosed) continue;
      const absl::Status status = OnStatement(open);
      if (!status.ok()) return status;
      open.text.clear();
    }
    if (!open.text.empty()) return At(open.line, "'(' is never closed");
    return Finish(number);
  }

 private:
  enum class Section { kScenario, kCampaign, kPhase };

  absl::Status OnStatement(const Statement& statement) {
    const absl::string_view text = statement.text;
    if (text.front() == '[') return OnSection(statement.line, text);
    const size_t equals = text.find('=');
    if (equals == absl::string_view::npos) {
      return At(statement.line, absl::StrCat(Quoted(text),
                                             " is neither 'key = value', a "
                                             "[section] nor a # comment"));
    }
    const absl::string_view key = absl::StripTrailingAsciiWhitespace(text.substr(0, equals));
    const absl::string_view value = absl::StripLeadingAsciiWhitespace(text.substr(equals + 1));
    switch (section_) {
      case Section::kScenario:
        return Set(statement.line, key, value, kScenarioKeys, scenario_);
      case Section::kCampaign:
        return Set(statement.line, key, value, kCampaignKeys, scenario_.campaigns.back());
      case Section::kPhase: {
        ScenarioCampaign& campaign = scenario_.campaigns.back();
        PhaseTarget target{&campaign, campaign.phases.back()};
        const absl::Status status = Set(statement.line, key, value, kPhaseKeys, target);
        campaign.phases.back() = target.phase;
        return status;
      }
    }
    return absl::OkStatus();
  }

  template <typename T, size_t n>
  absl::Status Set(size_t line, absl::string_view key, absl::string_view value,
                   const Key<T> (&keys)[n], T& target) {
    const auto* found = std::find_if(std::begin(keys), std::end(keys),
                                     [key](const auto& k) { return k.name == key; });
    if (found == std::end(keys)) {
      const std::string known = absl::StrJoin(
          keys, ", ", [](std::string* out, const Key<T>& k) { absl::StrAppend(out, k.name); });
      return At(line, absl::StrCat("unknown key ", Quoted(key), "; here are known: ", known));
    }
    // One thing, two ways to say it.
    const absl::string_view meaning = key == "person" ? "outcomes" : key;
    const auto [before, fresh] = lines_.emplace(meaning, line);
    if (!fresh) {
      return At(line, absl::StrCat(key, ": line ", before->second, " has set ",
                                   meaning == key ? "it" : "the outcomes", " already"));
    }
    const Fault fault = found->read(value, target);
    if (fault.empty()) return absl::OkStatus();
    return At(line,
              absl::StrCat(key, " = ", Quoted(value), ": ", fault, "; allowed: ", found->allowed));
  }

  absl::Status OnSection(size_t line, absl::string_view text) {
    lines_.clear();
    if (!absl::ConsumePrefix(&text, "[") || !absl::ConsumeSuffix(&text, "]")) {
      return At(line, "']' is missing at the end");
    }
    text = absl::StripAsciiWhitespace(text);
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(text, absl::MaxSplits(absl::ByAnyChar(" \t"), 1));
    const absl::string_view argument = absl::StripAsciiWhitespace(parts.second);
    if (parts.first == "campaign") return OnCampaign(line, argument);
    if (parts.first == "phase") return OnPhase(line, argument);
    return At(line, absl::StrCat("unknown section ", Quoted(text),
                                 "; allowed: [campaign], [campaign NAME] and [phase LENGTH]"));
  }

  absl::Status OnCampaign(size_t line, absl::string_view name) {
    if (scenario_.campaigns.size() == kCampaignsMax) return At(line, "more than 100 campaigns");
    section_ = Section::kCampaign;
    ScenarioCampaign campaign = DefaultCampaign();
    if (!name.empty() && !ReadName(name, campaign.id).empty()) {
      return At(line, absl::StrCat(Quoted(name),
                                   " is no name of a campaign; allowed: 1 to 40 "
                                   "letters, digits, '-', '_' or '.'"));
    }
    for (const ScenarioCampaign& other : scenario_.campaigns) {
      if (other.id == campaign.id) {
        return At(line, absl::StrCat("a second campaign called ", Quoted(campaign.id),
                                     "; write [campaign NAME]"));
      }
    }
    scenario_.campaigns.push_back(std::move(campaign));
    return absl::OkStatus();
  }

  absl::Status OnPhase(size_t line, absl::string_view length) {
    if (scenario_.campaigns.empty()) return At(line, "[phase] before the first [campaign]");
    std::vector<ScenarioPhase>& phases = scenario_.campaigns.back().phases;
    if (phases.size() == kPhasesMax) return At(line, "more than 10000 phases");
    section_ = Section::kPhase;
    ScenarioPhase phase;
    const Fault fault = ReadDuration(length, absl::Seconds(1), absl::Hours(168), phase.length);
    if (!fault.empty()) {
      return At(line, absl::StrCat("[phase ", absl::CHexEscape(length.substr(0, 60)), "]: ", fault,
                                   "; allowed: [phase LENGTH] of 1s to 168h"));
    }
    phases.push_back(phase);
    return absl::OkStatus();
  }

  absl::StatusOr<Scenario> Finish(size_t last_line) {
    if (scenario_.id.empty()) return At(last_line, "the end, and no 'id = ...' before [campaign]");
    if (scenario_.campaigns.empty()) return At(last_line, "the end, and no [campaign]");
    return std::move(scenario_);
  }

  Scenario scenario_;
  Section section_ = Section::kScenario;
  std::map<std::string, size_t, std::less<>> lines_;  // keys of this section, where they were set
};

}  // namespace

absl::StatusOr<Scenario> ParseScenario(absl::string_view text) { return Parser().Parse(text); }

}  // namespace outpace::sim
