#include "campaign/abandon_contract.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace outpace::campaign {
namespace {

constexpr std::pair<AbandonWindow, absl::string_view> kWindows[] = {
    {AbandonWindow::kMethod, "method"},
    {AbandonWindow::kDay, "day"},
    {AbandonWindow::kMonth, "month"},
    {AbandonWindow::kCampaign, "campaign"},
    {AbandonWindow::kRolling24h, "rolling_24h"},
    {AbandonWindow::kRolling30d, "rolling_30d"},
};
constexpr std::pair<ContractStart, absl::string_view> kStarts[] = {
    {ContractStart::kAnswer, "answer"},
    {ContractStart::kGreetingStart, "greeting_start"},
    {ContractStart::kGreetingEnd, "greeting_end"},
};
constexpr std::pair<ContractNumerator, absl::string_view> kNumerators[] = {
    {ContractNumerator::kDropped, "dropped"},
    {ContractNumerator::kLate, "late"},
    {ContractNumerator::kUnserved, "unserved"},
};
constexpr std::pair<ContractDenominator, absl::string_view> kDenominators[] = {
    {ContractDenominator::kEstimate, "estimate"},
    {ContractDenominator::kPersons, "persons"},
    {ContractDenominator::kAnswered, "answered"},
};

constexpr double kSecondsMax = 30;
constexpr double kLimitMax = 50;
constexpr size_t kContractsMax = 16;

template <typename E, size_t n>
absl::string_view NameIn(const std::pair<E, absl::string_view> (&names)[n], E wanted) {
  for (const auto& [each, text] : names) {
    if (each == wanted) return text;
  }
  return "";
}

absl::Status Bad(absl::string_view value, absl::string_view wanted) {
  return absl::InvalidArgumentError(absl::StrCat("\"", value.substr(0, 40), "\" is not ", wanted));
}

template <typename E, size_t n>
absl::StatusOr<E> ValueIn(const std::pair<E, absl::string_view> (&names)[n], size_t from,
                          absl::string_view text) {
  std::vector<absl::string_view> wanted;
  for (size_t i = from; i < n; ++i) {
    if (names[i].second == text) return names[i].first;
    wanted.push_back(names[i].second);
  }
  return Bad(text, absl::StrCat("one of ", absl::StrJoin(wanted, ", ")));
}

bool IsContractName(absl::string_view text) {
  return !text.empty() && text.size() <= 32 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == text.npos;
}

bool IsPromptName(absl::string_view text) {
  return text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
         });
}

absl::StatusOr<double> Number(absl::string_view text, double low, double high) {
  double number = 0;
  if (!absl::SimpleAtod(text, &number) || !std::isfinite(number) || number < low || number > high) {
    return Bad(text, absl::StrCat("a number from ", low, " to ", high));
  }
  return number;
}

template <typename T>
absl::Status Take(absl::StatusOr<T> value, T* out) {
  if (!value.ok()) return value.status();
  *out = *std::move(value);
  return absl::OkStatus();
}

absl::Status SetTerm(absl::string_view name, absl::string_view value, AbandonContract* out) {
  if (name == "start") return Take(ParseContractStart(value), &out->start);
  if (name == "numerator") return Take(ParseContractNumerator(value), &out->numerator);
  if (name == "denominator") return Take(ParseContractDenominator(value), &out->denominator);
  if (name == "window") return Take(ParseContractWindow(value), &out->window);
  if (name == "limit") return Take(Number(value, 0.01, kLimitMax), &out->limit);
  if (name == "seconds") {
    const absl::StatusOr<double> seconds = Number(value, 0, kSecondsMax);
    if (!seconds.ok()) return seconds.status();
    out->seconds = absl::Milliseconds(std::llround(*seconds * 1000));
    return absl::OkStatus();
  }
  if (name == "message") {
    if (!IsPromptName(value)) return Bad(value, "the name of a prompt without \".wav\"");
    out->message = std::string(value);
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "known are start, seconds, numerator, denominator, window, limit, message");
}

absl::Status ParseTerms(absl::string_view text, AbandonContract* out) {
  std::vector<absl::string_view> seen;
  for (absl::string_view term : absl::StrSplit(text, absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(term, absl::MaxSplits('=', 1));
    absl::Status set = SetTerm(parts.first, parts.second, out);
    if (set.ok() && std::find(seen.begin(), seen.end(), parts.first) != seen.end()) {
      set = absl::InvalidArgumentError("given twice");
    }
    if (!set.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(out->name, ": ", parts.first.substr(0, 40), ": ", set.message()));
    }
    seen.push_back(parts.first);
  }
  return absl::OkStatus();
}

// Milliseconds between, as both are stored. Never negative: two threads' clocks.
int64_t MillisBetween(absl::Time from, absl::Time to) {
  return std::max<int64_t>(0, absl::ToUnixMillis(to) - absl::ToUnixMillis(from));
}

}  // namespace

absl::string_view AbandonWindowName(AbandonWindow window) { return NameIn(kWindows, window); }
absl::string_view ContractStartName(ContractStart start) { return NameIn(kStarts, start); }
absl::string_view ContractNumeratorName(ContractNumerator numerator) {
  return NameIn(kNumerators, numerator);
}
absl::string_view ContractDenominatorName(ContractDenominator denominator) {
  return NameIn(kDenominators, denominator);
}

absl::StatusOr<AbandonWindow> ParseContractWindow(absl::string_view text) {
  return ValueIn(kWindows, 1, text);
}
absl::StatusOr<ContractStart> ParseContractStart(absl::string_view text) {
  return ValueIn(kStarts, 0, text);
}
absl::StatusOr<ContractNumerator> ParseContractNumerator(absl::string_view text) {
  return ValueIn(kNumerators, 0, text);
}
absl::StatusOr<ContractDenominator> ParseContractDenominator(absl::string_view text) {
  return ValueIn(kDenominators, 0, text);
}

absl::StatusOr<std::vector<AbandonContract>> ParseAbandonContracts(absl::string_view text) {
  std::vector<AbandonContract> contracts;
  text = absl::StripAsciiWhitespace(text);
  while (!text.empty()) {
    AbandonContract contract;
    const size_t end = std::min(text.find_first_of(",{"), text.size());
    const absl::string_view name = absl::StripAsciiWhitespace(text.substr(0, end));
    if (!IsContractName(name)) {
      return Bad(name,
                 "a contract's name (1 to 32 of a-z 0-9 _ -), for example "
                 "tsr, acme{start=answer seconds=3 window=campaign limit=2.5}");
    }
    contract.name = std::string(name);
    text.remove_prefix(end);
    contract.ready_made = !absl::StartsWith(text, "{");
    if (!contract.ready_made) {
      const size_t close = text.find('}');
      if (close == text.npos) {
        return absl::InvalidArgumentError(absl::StrCat(contract.name, ": the } is missing"));
      }
      absl::Status terms = ParseTerms(text.substr(1, close - 1), &contract);
      if (!terms.ok()) return terms;
      text = absl::StripLeadingAsciiWhitespace(text.substr(close + 1));
    }
    if (!text.empty() && !absl::ConsumePrefix(&text, ",")) {
      return absl::InvalidArgumentError(
          absl::StrCat(contract.name, ": after it there must be a comma"));
    }
    text = absl::StripLeadingAsciiWhitespace(text);
    for (const AbandonContract& other : contracts) {
      if (other.name == contract.name) return Bad(contract.name, "there only once");
    }
    // Those are the settings adaptive_dropped_percentage and client_dropped_percentage.
    if (contract.name == "regulation" || contract.name == "client") {
      return Bad(contract.name, "free: another setting has this name");
    }
    contracts.push_back(std::move(contract));
    if (contracts.size() > kContractsMax) {
      return absl::InvalidArgumentError(absl::StrCat("more than ", kContractsMax, " contracts"));
    }
  }
  return contracts;
}

std::string AbandonContractTerms(const AbandonContract& c) {
  return absl::StrCat("start=", ContractStartName(c.start),
                      " seconds=", absl::ToDoubleSeconds(c.seconds),
                      " numerator=", ContractNumeratorName(c.numerator),
                      " denominator=", ContractDenominatorName(c.denominator),
                      " window=", AbandonWindowName(c.window), " limit=", c.limit,
                      c.message.empty() ? "" : absl::StrCat(" message=", c.message));
}

std::string AbandonContractsText(const std::vector<AbandonContract>& contracts) {
  return absl::StrJoin(contracts, ", ", [](std::string* out, const AbandonContract& c) {
    absl::StrAppend(out, c.name);
    if (!c.ready_made) absl::StrAppend(out, "{", AbandonContractTerms(c), "}");
  });
}

bool FactsOf(const Attempt& attempt, CallFacts* facts, const StatusSet& statuses) {
  using Fate = CallFacts::Fate;
  if (!attempt.sent || attempt.inbound || attempt.answered_at == absl::InfinitePast()) return false;
  *facts = CallFacts();
  facts->answered_ms = absl::ToUnixMillis(attempt.answered_at);
  const auto greeting = [](int ms) {
    return static_cast<uint16_t>(std::clamp<int>(ms, 0, CallFacts::kGreetingMax));
  };
  facts->greeting_start_ms = greeting(attempt.greeting_start_ms);
  facts->greeting_end_ms = greeting(attempt.greeting_end_ms);
  const auto met = [&](absl::Time at) {
    return static_cast<uint16_t>(
        std::min<int64_t>(MillisBetween(attempt.answered_at, at), CallFacts::kMetMax));
  };
  const Disposition* said = statuses.Find(attempt.status);
  const bool machine = !attempt.open && said != nullptr && said->answering_machine;
  if (attempt.connected_at != absl::InfinitePast()) {
    facts->met_ms = met(attempt.connected_at);
    facts->fate = machine ? Fate::kMachine : attempt.open ? Fate::kOpen : Fate::kPerson;
  } else if (attempt.abandoned) {
    facts->fate = Fate::kDropped;
  } else if (machine) {
    facts->fate = Fate::kByAmd;
  } else if (!attempt.open && attempt.status == "PDROP") {
    facts->met_ms = met(attempt.ended_at);
    facts->fate = Fate::kHungUp;
  }
  return true;
}

CallSense SenseOf(const AbandonContract& contract, const CallFacts& facts) {
  using Fate = CallFacts::Fate;
  const absl::Duration due = DueAfterAnswer(contract, absl::Milliseconds(facts.greeting_start_ms),
                                            absl::Milliseconds(facts.greeting_end_ms));
  const bool late = contract.numerator != ContractNumerator::kDropped &&
                    facts.met_ms != CallFacts::kNever && absl::Milliseconds(facts.met_ms) > due;
  switch (facts.fate) {
    case Fate::kPending:
      return CallSense::kNothing;
    case Fate::kOpen:
      return late ? CallSense::kAbandoned : CallSense::kOpen;
    case Fate::kPerson:
      return late ? CallSense::kAbandoned : CallSense::kServed;
    case Fate::kMachine:
      return CallSense::kMachine;
    case Fate::kDropped:
      return CallSense::kAbandoned;
    case Fate::kHungUp:
      return late || contract.numerator == ContractNumerator::kUnserved ? CallSense::kAbandoned
                                                                        : CallSense::kNothing;
    case Fate::kByAmd:
      return CallSense::kByAmd;
  }
  return CallSense::kNothing;
}

absl::Duration DueAfterAnswer(const AbandonContract& contract, absl::Duration greeting_start,
                              absl::Duration greeting_end) {
  switch (contract.start) {
    case ContractStart::kAnswer:
      return contract.seconds;
    case ContractStart::kGreetingStart:
      return contract.seconds + greeting_start;
    case ContractStart::kGreetingEnd:
      return contract.seconds + greeting_end;
  }
  return contract.seconds;
}

}  // namespace outpace::campaign
