// Campaign settings by their VICIdial names. One table row a setting holds how it is read, checked
// and printed, so that `Set`, `ToMap` and the error a manager sees can never disagree.

#include "campaign/settings.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "campaign/disposition.h"

namespace outpace::campaign {
namespace {

constexpr std::pair<DialMethod, absl::string_view> kDialMethods[] = {
    {DialMethod::kManual, "MANUAL"},
    {DialMethod::kPreview, "PREVIEW"},
    {DialMethod::kProgressive, "PROGRESSIVE"},
    {DialMethod::kRatio, "RATIO"},
    {DialMethod::kAdaptHardLimit, "ADAPT_HARD_LIMIT"},
    {DialMethod::kAdaptTapered, "ADAPT_TAPERED"},
    {DialMethod::kAdaptAverage, "ADAPT_AVERAGE"},
};

constexpr AbandonWindow kAbandonWindows[] = {
    AbandonWindow::kMethod,   AbandonWindow::kDay,        AbandonWindow::kMonth,
    AbandonWindow::kCampaign, AbandonWindow::kRolling24h, AbandonWindow::kRolling30d,
};

constexpr std::pair<AmdMode, absl::string_view> kAmdModes[] = {
    {AmdMode::kOff, "OFF"},
    {AmdMode::kNonBlocking, "NONBLOCKING"},
    {AmdMode::kBlocking, "BLOCKING"},
};
constexpr std::pair<MachineAction, absl::string_view> kMachineActions[] = {
    {MachineAction::kDisabled, "DISABLED"},
    {MachineAction::kFlag, "FLAG"},
    {MachineAction::kDispo, "DISPO"},
    {MachineAction::kMessage, "MESSAGE"},
};
constexpr std::pair<RecordingMode, absl::string_view> kRecordingModes[] = {
    {RecordingMode::kNever, "NEVER"},
    {RecordingMode::kOnDemand, "ONDEMAND"},
    {RecordingMode::kAllCalls, "ALLCALLS"},
    {RecordingMode::kAllForce, "ALLFORCE"},
};
constexpr std::pair<RecordingFormat, absl::string_view> kRecordingFormats[] = {
    {RecordingFormat::kWav, "WAV"},
    {RecordingFormat::kUlaw, "ULAW"},
    {RecordingFormat::kOpus, "OPUS"},
};

constexpr std::pair<TierMode, absl::string_view> kTierModes[] = {
    {TierMode::kStatus, "STATUS"},
    {TierMode::kScore, "SCORE"},
};

absl::Status Bad(absl::string_view name, absl::string_view value, absl::string_view wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": \"", value.substr(0, 40), "\" is not ", wanted));
}

absl::Status SetFlag(absl::string_view name, absl::string_view value, bool& out) {
  if (value == "Y" || value == "y" || value == "1" || value == "true") {
    out = true;
  } else if (value == "N" || value == "n" || value == "0" || value == "false") {
    out = false;
  } else {
    return Bad(name, value, "Y or N, for example Y");
  }
  return absl::OkStatus();
}

absl::Status SetReal(absl::string_view name, absl::string_view value, double low, double high,
                     absl::string_view example, double& out) {
  double number = 0;
  // SimpleAtod reads "nan" and "inf"; neither is a setting.
  if (!absl::SimpleAtod(value, &number) || !std::isfinite(number) || number < low ||
      number > high) {
    return Bad(name, value,
               absl::StrCat("a number from ", low, " to ", high, ", for example ", example));
  }
  out = number;
  return absl::OkStatus();
}

absl::Status SetWhole(absl::string_view name, absl::string_view value, int low, int high,
                      absl::string_view example, int& out) {
  int number = 0;
  if (!absl::SimpleAtoi(value, &number) || number < low || number > high) {
    return Bad(name, value,
               absl::StrCat("a whole number from ", low, " to ", high, ", for example ", example));
  }
  out = number;
  return absl::OkStatus();
}

// Seconds as "2" or "2.5"; also Go-like "500ms", "26s", "1h".
absl::Status SetSeconds(absl::string_view name, absl::string_view value, double low, double high,
                        absl::string_view example, absl::Duration& out) {
  double seconds = 0;
  absl::Duration parsed;
  if (absl::SimpleAtod(value, &seconds) && std::isfinite(seconds)) {
    parsed = absl::Milliseconds(std::llround(std::clamp(seconds, -1e9, 1e9) * 1000));
  } else if (!absl::ParseDuration(value, &parsed)) {
    parsed = -absl::InfiniteDuration();
  }
  if (parsed < absl::Seconds(low) || parsed > absl::Seconds(high)) {
    return Bad(name, value,
               absl::StrCat("a time from ", low, " to ", high, " seconds, for example ", example));
  }
  out = parsed;
  return absl::OkStatus();
}

template <typename E, size_t n>
absl::Status SetNamed(absl::string_view name, absl::string_view value,
                      const std::pair<E, absl::string_view> (&names)[n], E& out) {
  std::vector<absl::string_view> wanted;
  for (const auto& [each, text] : names) {
    if (absl::EqualsIgnoreCase(value, text)) {
      out = each;
      return absl::OkStatus();
    }
    wanted.push_back(text);
  }
  return Bad(name, value, absl::StrCat("one of ", absl::StrJoin(wanted, ", ")));
}

template <typename E, size_t n>
absl::string_view NameIn(const std::pair<E, absl::string_view> (&names)[n], E wanted) {
  for (const auto& [each, text] : names) {
    if (each == wanted) return text;
  }
  return "";
}

std::string SecondsText(absl::Duration d) { return absl::StrCat(absl::ToDoubleSeconds(d)); }
std::string FlagText(bool flag) { return flag ? "Y" : "N"; }

bool IsShortName(absl::string_view text, size_t length_max) {
  return !text.empty() && text.size() <= length_max &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
         });
}

// Names, with weights, grouped by '|' and ','; what they name the engine knows.
bool IsTrunkPath(absl::string_view text) {
  if (text.empty() || text.size() > 400) return false;
  for (absl::string_view member : absl::StrSplit(text, absl::ByAnyChar(",|"))) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(absl::StripAsciiWhitespace(member), absl::MaxSplits(':', 1));
    int weight = 0;
    const bool weighted = absl::StrContains(member, ':');
    if (!IsShortName(parts.first, 40)) return false;
    if (weighted && (!absl::SimpleAtoi(parts.second, &weight) || weight < 0 || weight > 1000)) {
      return false;
    }
  }
  return true;
}

// The name of a prompt: a file's, without its ending. Never a path.
absl::Status SetPrompt(absl::string_view name, absl::string_view value, std::string& out) {
  if (!value.empty() && !IsShortName(value, 64)) {
    return Bad(name, value,
               "the name of a file in the prompts directory without \".wav\", for example "
               "voicemail_en; empty for none");
  }
  out = std::string(value);
  return absl::OkStatus();
}

// No control characters: names end up on screens, in logs and in file headings.
bool IsLine(absl::string_view text, size_t length_max) {
  return text.size() <= length_max && std::none_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_iscntrl(static_cast<unsigned char>(c));
         });
}

// "NA:1800:3,AB:300:5": status, seconds, further tries.
absl::Status SetRecycle(absl::string_view name, absl::string_view value,
                        std::vector<RecycleRule>& out) {
  constexpr absl::string_view kWanted =
      "a list of status:seconds:tries with 120..604800 seconds and 1..10 tries, for example "
      "NA:1800:3,AB:300:5";
  std::vector<RecycleRule> rules;
  for (absl::string_view part : absl::StrSplit(value, ',', absl::SkipWhitespace())) {
    const std::vector<absl::string_view> cells =
        absl::StrSplit(absl::StripAsciiWhitespace(part), ':');
    RecycleRule rule;
    int seconds = 0;
    if (cells.size() != 3 || !IsShortName(cells[0], 6) || !absl::SimpleAtoi(cells[1], &seconds) ||
        !absl::SimpleAtoi(cells[2], &rule.tries_max) || seconds < 120 || seconds > 604800 ||
        rule.tries_max < 1 || rule.tries_max > 10) {
      return Bad(name, value, kWanted);
    }
    rule.status = std::string(cells[0]);
    rule.delay = absl::Seconds(seconds);
    const Disposition* disposition = FindDisposition(rule.status);
    if (disposition != nullptr && disposition->next.final) {
      return Bad(name, rule.status, "a status that may be dialed again: it is final");
    }
    for (const RecycleRule& other : rules) {
      if (other.status == rule.status) return Bad(name, rule.status, "listed only once");
    }
    rules.push_back(std::move(rule));
  }
  out = std::move(rules);
  return absl::OkStatus();
}

std::string RecycleText(const std::vector<RecycleRule>& rules) {
  return absl::StrJoin(rules, ",", [](std::string* out, const RecycleRule& rule) {
    absl::StrAppend(out, rule.status, ":", absl::ToInt64Seconds(rule.delay), ":", rule.tries_max);
  });
}

absl::Status SetDialMethod(absl::string_view name, absl::string_view value, DialMethod& out) {
  for (const auto& [method, text] : kDialMethods) {
    if (absl::EqualsIgnoreCase(value, text)) {
      out = method;
      return absl::OkStatus();
    }
  }
  return Bad(name, value,
             "one of MANUAL, PREVIEW, PROGRESSIVE, RATIO, ADAPT_HARD_LIMIT, ADAPT_TAPERED, "
             "ADAPT_AVERAGE");
}

absl::Status SetWindow(absl::string_view name, absl::string_view value, AbandonWindow& out) {
  for (const AbandonWindow window : kAbandonWindows) {
    if (absl::EqualsIgnoreCase(value, AbandonWindowName(window))) {
      out = window;
      return absl::OkStatus();
    }
  }
  return Bad(name, value, "one of method, day, month, campaign, rolling_24h, rolling_30d");
}

// VICIdial's form of a time of day: four digits, "2100".
absl::Status SetHourMinute(absl::string_view name, absl::string_view value, int& out) {
  int number = 0;
  if (value.size() != 4 || !absl::SimpleAtoi(value, &number) || number < 0 || number > 2400 ||
      number % 100 > 59) {
    return Bad(name, value, "a time of day as HHMM from 0000 to 2400, for example 2100");
  }
  out = number;
  return absl::OkStatus();
}

absl::Status SetCallerId(absl::string_view name, absl::string_view value, E164& out) {
  if (value.empty()) {
    out = E164();
    return absl::OkStatus();
  }
  const absl::StatusOr<E164> number = ParseE164(value);
  if (!number.ok()) {
    // The value is a telephone number, so it is not repeated here.
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": not a number with \"+\" and 8 to 15 digits, for example +12025550100"));
  }
  out = *number;
  return absl::OkStatus();
}

// Settings with a reader of their own, whose errors say what is wrong but not where.
template <typename T>
absl::Status SetParsed(absl::string_view name, absl::StatusOr<T> parsed, T& out) {
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", parsed.status().message()));
  }
  out = *std::move(parsed);
  return absl::OkStatus();
}

struct Setting {
  absl::string_view name;
  absl::Status (*set)(absl::string_view name, absl::string_view value, CampaignSettings& s);
  std::string (*get)(const CampaignSettings& s);
};

using S = CampaignSettings;
using V = absl::string_view;

constexpr Setting kSettings[] = {
    {"campaign_id",
     [](V n, V v, S& s) {
       if (!IsShortName(v, 8)) return Bad(n, v, "1 to 8 of A-Z a-z 0-9 _ -, for example DEMO");
       s.id = std::string(v);
       return absl::OkStatus();
     },
     [](const S& s) { return s.id; }},
    {"campaign_name",
     [](V n, V v, S& s) {
       if (!IsLine(v, 120)) return Bad(n, v, "one line of at most 120 bytes");
       s.name = std::string(v);
       return absl::OkStatus();
     },
     [](const S& s) { return s.name; }},
    {"active", [](V n, V v, S& s) { return SetFlag(n, v, s.active); },
     [](const S& s) { return FlagText(s.active); }},
    {"dial_method", [](V n, V v, S& s) { return SetDialMethod(n, v, s.dial_method); },
     [](const S& s) { return std::string(DialMethodName(s.dial_method)); }},
    {"auto_dial_level",
     [](V n, V v, S& s) { return SetReal(n, v, 1, 20, "1.5", s.auto_dial_level); },
     [](const S& s) { return absl::StrCat(s.auto_dial_level); }},
    {"adaptive_maximum_level",
     [](V n, V v, S& s) { return SetReal(n, v, 1, 20, "6", s.adaptive_maximum_level); },
     [](const S& s) { return absl::StrCat(s.adaptive_maximum_level); }},
    {"adaptive_dropped_percentage",
     [](V n, V v, S& s) {
       // 3 % is the most any rule book known to us allows but Canada's 5 %: notes on regulation.
       return SetReal(n, v, 0, 5, "3", s.adaptive_dropped_percentage);
     },
     [](const S& s) { return absl::StrCat(s.adaptive_dropped_percentage); }},
    {"abandon_window", [](V n, V v, S& s) { return SetWindow(n, v, s.abandon_window); },
     [](const S& s) { return std::string(AbandonWindowName(s.abandon_window)); }},
    {"client_dropped_percentage",
     [](V n, V v, S& s) { return SetReal(n, v, 0, 5, "1.5", s.client_dropped_percentage); },
     [](const S& s) { return absl::StrCat(s.client_dropped_percentage); }},
    {"client_window",
     [](V n, V v, S& s) {
       AbandonWindow window = s.client_window;
       if (absl::Status status = SetWindow(n, v, window); !status.ok()) return status;
       if (window == AbandonWindow::kMethod) {
         return Bad(n, v, "one of day, month, campaign, rolling_24h, rolling_30d");
       }
       s.client_window = window;
       return absl::OkStatus();
     },
     [](const S& s) { return std::string(AbandonWindowName(s.client_window)); }},
    {"abandon_contracts",
     [](V n, V v, S& s) { return SetParsed(n, ParseAbandonContracts(v), s.abandon_contracts); },
     [](const S& s) { return AbandonContractsText(s.abandon_contracts); }},
    {"adaptive_intensity",
     [](V n, V v, S& s) { return SetWhole(n, v, -40, 40, "10", s.adaptive_intensity); },
     [](const S& s) { return absl::StrCat(s.adaptive_intensity); }},
    {"adaptive_latest_server_time",
     [](V n, V v, S& s) { return SetHourMinute(n, v, s.adaptive_latest_server_time); },
     [](const S& s) {
       return absl::StrCat(absl::Dec(s.adaptive_latest_server_time, absl::kZeroPad4));
     }},
    {"adaptive_dl_diff_target",
     [](V n, V v, S& s) { return SetWhole(n, v, -40, 40, "0", s.adaptive_dl_diff_target); },
     [](const S& s) { return absl::StrCat(s.adaptive_dl_diff_target); }},
    {"available_only_ratio_tally",
     [](V n, V v, S& s) { return SetFlag(n, v, s.available_only_ratio_tally); },
     [](const S& s) { return FlagText(s.available_only_ratio_tally); }},
    {"campaign_weight",
     [](V n, V v, S& s) { return SetWhole(n, v, 1, 100, "50", s.campaign_weight); },
     [](const S& s) { return absl::StrCat(s.campaign_weight); }},
    {"campaign_priority",
     [](V n, V v, S& s) { return SetWhole(n, v, -99, 99, "0", s.campaign_priority); },
     [](const S& s) { return absl::StrCat(s.campaign_priority); }},
    {"min_ring_seconds",
     // At least 15 s or four rings: 16 CFR 310.4(b)(4)(ii).
     [](V n, V v, S& s) { return SetSeconds(n, v, 15, 120, "15", s.min_ring_seconds); },
     [](const S& s) { return SecondsText(s.min_ring_seconds); }},
    {"drop_call_seconds",
     [](V n, V v, S& s) { return SetSeconds(n, v, 0.5, 120, "2", s.drop_call_seconds); },
     [](const S& s) { return SecondsText(s.drop_call_seconds); }},
    {"dial_timeout",
     // At least 15 s or four rings: 16 CFR 310.4(b)(4)(ii).
     [](V n, V v, S& s) { return SetSeconds(n, v, 15, 120, "26", s.dial_timeout); },
     [](const S& s) { return SecondsText(s.dial_timeout); }},
    {"wrapup_seconds",
     [](V n, V v, S& s) { return SetSeconds(n, v, 0, 3600, "60", s.wrapup_seconds); },
     [](const S& s) { return SecondsText(s.wrapup_seconds); }},
    {"call_count_limit",
     [](V n, V v, S& s) { return SetWhole(n, v, 1, 1000, "10", s.call_count_limit); },
     [](const S& s) { return absl::StrCat(s.call_count_limit); }},
    {"daily_call_count_limit",
     [](V n, V v, S& s) { return SetWhole(n, v, 1, 100, "3", s.daily_call_count_limit); },
     [](const S& s) { return absl::StrCat(s.daily_call_count_limit); }},
    {"hopper_level", [](V n, V v, S& s) { return SetWhole(n, v, 1, 20000, "200", s.hopper_level); },
     [](const S& s) { return absl::StrCat(s.hopper_level); }},
    {"lead_order", [](V n, V v, S& s) { return SetParsed(n, ParseLeadOrder(v), s.lead_order); },
     [](const S& s) { return s.lead_order.ToString(); }},
    {"list_order_mix",
     [](V n, V v, S& s) { return SetParsed(n, ParseListMix(v), s.list_order_mix); },
     [](const S& s) { return ListMixText(s.list_order_mix); }},
    {"dial_statuses",
     [](V n, V v, S& s) { return SetParsed(n, ParseDialStatuses(v), s.dial_statuses); },
     [](const S& s) { return absl::StrJoin(s.dial_statuses, ","); }},
    {"tier_mode", [](V n, V v, S& s) { return SetNamed(n, v, kTierModes, s.tier_mode); },
     [](const S& s) { return std::string(TierModeName(s.tier_mode)); }},
    {"tier_a_percentage",
     [](V n, V v, S& s) { return SetReal(n, v, 1, 50, "20", s.tier_a_percentage); },
     [](const S& s) { return absl::StrCat(s.tier_a_percentage); }},
    {"tier_explore_percentage",
     [](V n, V v, S& s) { return SetReal(n, v, 1, 50, "10", s.tier_explore_percentage); },
     [](const S& s) { return absl::StrCat(s.tier_explore_percentage); }},
    {"tier_rules", [](V n, V v, S& s) { return SetParsed(n, ParseTierRules(v), s.tier_rules); },
     [](const S& s) { return TierRulesText(s.tier_rules); }},
    {"tier_fields", [](V n, V v, S& s) { return SetParsed(n, ParseTierFields(v), s.tier_fields); },
     [](const S& s) { return s.tier_fields.ToString(); }},
    {"tier_profile",
     [](V n, V v, S& s) {
       absl::StatusOr<TierFields> fields = ParseTierFields(v);
       if (!fields.ok() || !fields->more.empty() || !fields->less.empty()) {
         return Bad(n, v, "names of fields, for example company,city");
       }
       s.tier_profile = std::move(fields->only);
       return absl::OkStatus();
     },
     [](const S& s) { return absl::StrJoin(s.tier_profile, ","); }},
    {"lead_filter_id",
     [](V n, V v, S& s) {
       if (!v.empty() && !IsShortName(v, 40))
         return Bad(n, v, "the name of a filter (outpace filter list), or empty");
       s.lead_filter_id = std::string(v);
       return absl::OkStatus();
     },
     [](const S& s) { return s.lead_filter_id; }},
    {"trunk",
     [](V n, V v, S& s) {
       if (!v.empty() && !IsTrunkPath(v)) {
         return Bad(n, v,
                    "trunks of the configuration: carrier; or a,b to try a first; or a:70|b:30,c "
                    "to share calls between a and b, then c");
       }
       s.trunk = std::string(v);
       return absl::OkStatus();
     },
     [](const S& s) { return s.trunk; }},
    {"trunk_choice",
     [](V n, V v, S& s) {
       if (v != "PRIORITY" && v != "LEAST_COST") return Bad(n, v, "PRIORITY or LEAST_COST");
       s.trunk_choice = v == "PRIORITY" ? TrunkChoice::kPriority : TrunkChoice::kCost;
       return absl::OkStatus();
     },
     [](const S& s) { return std::string(TrunkChoiceName(s.trunk_choice)); }},
    {"campaign_cid", [](V n, V v, S& s) { return SetCallerId(n, v, s.campaign_cid); },
     [](const S& s) { return s.campaign_cid.valid() ? s.campaign_cid.ToString() : std::string(); }},
    {"local_call_time",
     [](V, V v, S& s) {
       absl::StatusOr<CallingWindow> window = CallingWindow::Parse(v);
       if (!window.ok()) return window.status();
       s.local_call_time = *window;
       return absl::OkStatus();
     },
     [](const S& s) { return s.local_call_time.ToString(); }},
    {"compliance",
     [](V n, V v, S& s) {
       std::vector<std::string> sets;
       for (V each : absl::StrSplit(v, ',', absl::SkipWhitespace())) {
         each = absl::StripAsciiWhitespace(each);
         if (each.size() > 40 ||
             each.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != V::npos) {
           return Bad(n, v,
                      "a list of sets of rules (outpace dnc rules list), for example "
                      "us-tsr,us-states; empty for none");
         }
         if (std::find(sets.begin(), sets.end(), each) == sets.end()) sets.emplace_back(each);
       }
       s.compliance = std::move(sets);
       return absl::OkStatus();
     },
     [](const S& s) { return absl::StrJoin(s.compliance, ","); }},
    {"allowed_destinations",
     [](V n, V v, S& s) {
       std::vector<std::string> codes;
       for (V each : absl::StrSplit(v, ',', absl::SkipWhitespace())) {
         each = absl::StripAsciiWhitespace(each);
         absl::ConsumePrefix(&each, "+");
         if (each.empty() || each.size() > 14 || each[0] == '0' ||
             each.find_first_not_of("0123456789") != V::npos) {
           return Bad(n, v,
                      "a list of calling codes, or longer beginnings of numbers, for example "
                      "1,44,8610; empty for any");
         }
         if (std::find(codes.begin(), codes.end(), each) == codes.end()) codes.emplace_back(each);
       }
       s.allowed_destinations = std::move(codes);
       return absl::OkStatus();
     },
     [](const S& s) { return absl::StrJoin(s.allowed_destinations, ","); }},
    {"use_internal_dnc", [](V n, V v, S& s) { return SetFlag(n, v, s.use_internal_dnc); },
     [](const S& s) { return FlagText(s.use_internal_dnc); }},
    {"use_campaign_dnc", [](V n, V v, S& s) { return SetFlag(n, v, s.use_campaign_dnc); },
     [](const S& s) { return FlagText(s.use_campaign_dnc); }},
    {"use_dnc_registries", [](V n, V v, S& s) { return SetFlag(n, v, s.use_dnc_registries); },
     [](const S& s) { return FlagText(s.use_dnc_registries); }},
    {"client_id",
     [](V n, V v, S& s) {
       if (!v.empty() && !IsShortName(v, 32)) return Bad(n, v, "the name of a client, or empty");
       s.client_id = std::string(v);
       return absl::OkStatus();
     },
     [](const S& s) { return s.client_id; }},
    {"lead_recycle", [](V n, V v, S& s) { return SetRecycle(n, v, s.recycle); },
     [](const S& s) { return RecycleText(s.recycle); }},
    {"statuses", [](V n, V v, S& s) { return SetParsed(n, StatusSet::Parse(v), s.statuses); },
     [](const S& s) { return s.statuses.ToText(); }},
    {"early_media_detection", [](V n, V v, S& s) { return SetFlag(n, v, s.early_media_detection); },
     [](const S& s) { return FlagText(s.early_media_detection); }},
    {"amd_mode", [](V n, V v, S& s) { return SetNamed(n, v, kAmdModes, s.amd_mode); },
     [](const S& s) { return std::string(AmdModeName(s.amd_mode)); }},
    {"cpd_amd_action",
     [](V n, V v, S& s) { return SetNamed(n, v, kMachineActions, s.cpd_amd_action); },
     [](const S& s) { return std::string(MachineActionName(s.cpd_amd_action)); }},
    {"amd_decide_seconds",
     [](V n, V v, S& s) { return SetSeconds(n, v, 0.5, 10, "2.5", s.amd_decide_seconds); },
     [](const S& s) { return SecondsText(s.amd_decide_seconds); }},
    {"amd_people_lost_percentage",
     [](V n, V v, S& s) { return SetReal(n, v, 0.1, 20, "2.5", s.amd_people_lost_percentage); },
     [](const S& s) { return absl::StrCat(s.amd_people_lost_percentage); }},
    {"amd_audit_percentage",
     [](V n, V v, S& s) { return SetReal(n, v, 0, 100, "5", s.amd_audit_percentage); },
     [](const S& s) { return absl::StrCat(s.amd_audit_percentage); }},
    {"amd_clips", [](V n, V v, S& s) { return SetFlag(n, v, s.amd_clips); },
     [](const S& s) { return FlagText(s.amd_clips); }},
    {"safe_harbor_audio", [](V n, V v, S& s) { return SetPrompt(n, v, s.safe_harbor_audio); },
     [](const S& s) { return s.safe_harbor_audio; }},
    {"safe_harbor_dnc_key",
     [](V n, V v, S& s) {
       if (v.size() > 1 || v.find_first_not_of("0123456789*#") != V::npos) {
         return Bad(n, v, "one key of 0-9 * #, for example 9; empty for none");
       }
       s.safe_harbor_dnc_key = std::string(v);
       return absl::OkStatus();
     },
     [](const S& s) { return s.safe_harbor_dnc_key; }},
    {"am_message", [](V n, V v, S& s) { return SetPrompt(n, v, s.am_message); },
     [](const S& s) { return s.am_message; }},
    {"hold_music", [](V n, V v, S& s) { return SetPrompt(n, v, s.hold_music); },
     [](const S& s) { return s.hold_music; }},
    {"agent_whisper", [](V n, V v, S& s) { return SetPrompt(n, v, s.agent_whisper); },
     [](const S& s) { return s.agent_whisper; }},
    {"campaign_recording",
     [](V n, V v, S& s) { return SetNamed(n, v, kRecordingModes, s.campaign_recording); },
     [](const S& s) { return std::string(RecordingModeName(s.campaign_recording)); }},
    {"recording_format",
     [](V n, V v, S& s) { return SetNamed(n, v, kRecordingFormats, s.recording_format); },
     [](const S& s) { return std::string(RecordingFormatName(s.recording_format)); }},
    {"dedup_same", [](V n, V v, S& s) { return SetReal(n, v, 0.5, 1, "0.9", s.dedup_same); },
     [](const S& s) { return absl::StrCat(s.dedup_same); }},
    {"dedup_review", [](V n, V v, S& s) { return SetReal(n, v, 0.1, 1, "0.7", s.dedup_review); },
     [](const S& s) { return absl::StrCat(s.dedup_review); }},
    {"recording_encrypted", [](V n, V v, S& s) { return SetFlag(n, v, s.recording_encrypted); },
     [](const S& s) { return FlagText(s.recording_encrypted); }},
    {"report_zone",
     [](V n, V v, S& s) {
       const absl::StatusOr<absl::TimeZone> zone = FindTimeZone(v);
       if (!zone.ok()) return Bad(n, v, "an IANA time zone, for example America/New_York");
       s.report_zone = *zone;
       return absl::OkStatus();
     },
     [](const S& s) { return s.report_zone.name(); }},
};

// VICIdial's other words for the same thing.
constexpr std::pair<absl::string_view, absl::string_view> kAliases[] = {
    {"id", "campaign_id"},
    {"name", "campaign_name"},
    {"adaptive_drop_percentage", "adaptive_dropped_percentage"},
    {"dl_diff_target", "adaptive_dl_diff_target"},
    {"weight", "campaign_weight"},
    {"priority", "campaign_priority"},
    {"drop_call_timer", "drop_call_seconds"},
    {"recycle", "lead_recycle"},
    {"calling_window", "local_call_time"},
    {"caller_id", "campaign_cid"},
    {"am_message_exten", "am_message"},
    {"park_file_name", "hold_music"},
    {"safe_harbor_message", "safe_harbor_audio"},
};

}  // namespace

absl::string_view DialMethodName(DialMethod method) {
  for (const auto& [value, text] : kDialMethods) {
    if (value == method) return text;
  }
  return "";
}

bool IsPredictive(DialMethod method) {
  return method == DialMethod::kAdaptHardLimit || method == DialMethod::kAdaptTapered ||
         method == DialMethod::kAdaptAverage;
}

absl::string_view TrunkChoiceName(TrunkChoice choice) {
  return choice == TrunkChoice::kCost ? "LEAST_COST" : "PRIORITY";
}

absl::string_view AmdModeName(AmdMode mode) { return NameIn(kAmdModes, mode); }
absl::string_view MachineActionName(MachineAction action) {
  return NameIn(kMachineActions, action);
}
absl::string_view RecordingModeName(RecordingMode mode) { return NameIn(kRecordingModes, mode); }
absl::string_view RecordingFormatName(RecordingFormat format) {
  return NameIn(kRecordingFormats, format);
}

std::vector<std::string> CampaignSettings::DialedStatuses() const {
  if (dial_statuses.empty()) return {};
  std::vector<std::string> dialed = dial_statuses;
  for (const RecycleRule& rule : recycle) dialed.push_back(rule.status);
  for (const Disposition& row : statuses.own()) {
    const bool comes_back =
        row.next.tries > 0 || row.next.number == NextNumber::kAlt || row.scheduled_callback;
    if (comes_back) dialed.push_back(row.status);
  }
  // QUEUE: the trunk failed and the try was given back.
  for (const char* kept : {"CALLBK", "CBHOLD", "QUEUE"}) dialed.push_back(kept);
  return dialed;
}

StatusBook StatusesOf(const std::vector<CampaignSettings>& campaigns) {
  StatusBook book;
  for (const CampaignSettings& settings : campaigns) book.Put(settings.id, settings.statuses);
  return book;
}

AbandonWindow CampaignSettings::RegulationWindow() const {
  if (abandon_window != AbandonWindow::kMethod) return abandon_window;
  return dial_method == DialMethod::kAdaptAverage ? AbandonWindow::kCampaign : AbandonWindow::kDay;
}

std::vector<std::string> CampaignSettings::Notes() const {
  const CampaignSettings usual;
  const bool ratio = dial_method == DialMethod::kRatio;
  const bool predictive = IsPredictive(dial_method);
  std::vector<std::string> notes;
  if (adaptive_dl_diff_target != 0) {
    notes.push_back(absl::StrCat("adaptive_dl_diff_target=", adaptive_dl_diff_target,
                                 " has no effect: how many agents wait follows from the forecast "
                                 "and the limit on abandoned calls"));
  }
  if (adaptive_intensity != 0 && !predictive) {
    notes.push_back("adaptive_intensity has no effect but with the ADAPT_ methods");
  }
  if (adaptive_latest_server_time != usual.adaptive_latest_server_time &&
      dial_method != DialMethod::kAdaptTapered) {
    notes.push_back("adaptive_latest_server_time has no effect but with ADAPT_TAPERED");
  }
  if (cpd_amd_action == MachineAction::kMessage && am_message.empty()) {
    notes.push_back(
        "cpd_amd_action=MESSAGE without am_message: machines are hung up on, as with DISPO");
  }
  if (amd_clips && campaign_recording == RecordingMode::kNever) {
    notes.push_back("amd_clips has no effect with campaign_recording=NEVER");
  }
  if (amd_mode == AmdMode::kBlocking) {
    notes.push_back(
        "amd_mode=BLOCKING: a person hears nothing until the verdict, and drop_call_seconds count "
        "from there (16 CFR 310.4(b)(4)(iii)); Ofcom counts from the start of the greeting, so use "
        "NONBLOCKING in the UK");
  }
  if (available_only_ratio_tally && !ratio) {
    notes.push_back(
        "available_only_ratio_tally has no effect but with RATIO: the ADAPT_ methods forecast when "
        "each agent gets free");
  }
  if (auto_dial_level != usual.auto_dial_level && !ratio) {
    notes.push_back(
        predictive
            ? "auto_dial_level has no effect but with RATIO: the ADAPT_ methods find their own"
            : "auto_dial_level has no effect but with RATIO");
  }
  if (client_dropped_percentage > 0 && client_dropped_percentage >= adaptive_dropped_percentage &&
      client_window == RegulationWindow()) {
    notes.push_back(
        "client_dropped_percentage has no effect: adaptive_dropped_percentage is as strict over "
        "the same window");
  }
  if (drop_call_seconds > usual.drop_call_seconds) {
    notes.push_back(
        "drop_call_seconds is above the 2 seconds after which US and UK rules call an answered "
        "call abandoned");
  }
  if (lead_order.order == LeadOrder::kUpRank) {
    notes.push_back(
        "lead_order=UP RANK is DOWN here: the highest rank comes first in every order but DOWN "
        "RANK");
  }
  if (min_ring_seconds >= dial_timeout) {
    notes.push_back(
        "min_ring_seconds is not below dial_timeout: calls that nobody could take any more ring "
        "out");
  }
  return notes;
}

std::map<std::string, std::string> CampaignSettings::ToMap() const {
  std::map<std::string, std::string> out;
  for (const Setting& setting : kSettings) out[std::string(setting.name)] = setting.get(*this);
  return out;
}

absl::Status CampaignSettings::Set(absl::string_view setting_name, absl::string_view value) {
  for (const auto& [alias, real] : kAliases) {
    if (setting_name == alias) setting_name = real;
  }
  value = absl::StripAsciiWhitespace(value);
  for (const Setting& setting : kSettings) {
    if (setting.name == setting_name) return setting.set(setting.name, value, *this);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "setting \"", setting_name.substr(0, 40), "\" does not exist; the settings are ",
      absl::StrJoin(kSettings, ", ",
                    [](std::string* out, const Setting& s) { absl::StrAppend(out, s.name); })));
}

absl::StatusOr<CampaignSettings> CampaignSettings::FromMap(
    const std::map<std::string, std::string>& settings) {
  CampaignSettings out;
  for (const auto& [name, value] : settings) {
    if (absl::Status status = out.Set(name, value); !status.ok()) return status;
  }
  if (out.id.empty()) {
    return absl::InvalidArgumentError("campaign_id: missing; give 1 to 8 of A-Z a-z 0-9 _ -");
  }
  return out;
}

}  // namespace outpace::campaign
