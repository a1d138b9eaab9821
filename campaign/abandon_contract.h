#pragma once

// A limit on abandoned calls as data: which calls count, which of them are abandoned, over which
// time, and how many may be. Regulators and clients write these limits in the same few terms, so a
// campaign has any number of them, and all hold at once:
//
//   abandoned / counted  <=  limit      over the window
//
// where a call is abandoned if no agent met it within `seconds` of `start`. The values of the
// regulations are rules of their jurisdictions (campaign/rules); here is only what one says.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/attempt.h"
#include "campaign/status_set.h"

namespace outpace::campaign {

// Over which calls a cap on abandoned calls is counted, by the time of their answer.
enum class AbandonWindow {
  kMethod,      // "method": the day; with ADAPT_AVERAGE the campaign. Not of an AbandonContract
  kDay,         // "day": the campaign's day, midnight to midnight of report_zone (Ofcom)
  kCampaign,    // "campaign": successive periods of 30 days from its first call (16 CFR
                // 310.4(b)(4)(i))
  kRolling24h,  // "rolling_24h"
  kRolling30d,  // "rolling_30d"
  kMonth,       // "month": the calendar month of report_zone (CRTC)
};
absl::string_view AbandonWindowName(AbandonWindow window);

// From when the seconds count in which an agent has to be there.
enum class ContractStart {
  kAnswer,         // "answer": the line is up
  kGreetingStart,  // "greeting_start": the person begins to speak (Ofcom: start of salutation)
  kGreetingEnd,    // "greeting_end": the person has ended it (16 CFR 310.4(b)(1)(iv))
};
absl::string_view ContractStartName(ContractStart start);

// Which calls are abandoned.
enum class ContractNumerator {
  kDropped,   // "dropped": those that the engine gave up on for want of an agent, by
              // drop_call_seconds; a call that met its agent a moment late is not
  kLate,      // "late": those, and those met, or hung up by the person, after the seconds
  kUnserved,  // "unserved": those, and those that the person hung up before an agent was there
};
absl::string_view ContractNumeratorName(ContractNumerator numerator);

// Out of which calls.
enum class ContractDenominator {
  // "estimate": calls a person answered, with the reasoned estimate of Ofcom's formula (statement
  // of 2010, annex 3): abandoned calls are persons in the share found among the calls that agents
  // met, and persons whom detection took for machines count as abandoned by its known error. See
  // pacing::EstimateAbandoned().
  kEstimate,
  kPersons,   // "persons": all that no agent and no detection called a machine. Nothing is
              // estimated: every abandoned call is taken for a person
  kAnswered,  // "answered": all that were answered, machines too
};
absl::string_view ContractDenominatorName(ContractDenominator denominator);

struct AbandonContract {
  std::string name;         // a-z 0-9 _ -, 32 at most: "tsr", "acme"
  bool ready_made = false;  // named only: the rest is what the rules of jurisdictions have for it
  ContractStart start = ContractStart::kAnswer;
  absl::Duration seconds = absl::Seconds(2);  // 0..30 s
  ContractNumerator numerator = ContractNumerator::kLate;
  ContractDenominator denominator = ContractDenominator::kPersons;
  AbandonWindow window = AbandonWindow::kDay;
  double limit = 3;     // percent, above 0, at most 50
  std::string message;  // prompt that an abandoned person hears; empty: the campaign's
  std::string source;   // regulation and clause; empty: a client's own. Not part of the text form
};

// "tsr, ofcom, acme{start=answer seconds=3 denominator=persons window=campaign limit=2.5}": a bare
// name is a ready-made one, braces hold a contract of one's own; what they leave out is as above.
// Names differ. InvalidArgument says what is wrong and what may stand there.
absl::StatusOr<std::vector<AbandonContract>> ParseAbandonContracts(absl::string_view text);
std::string AbandonContractsText(const std::vector<AbandonContract>& contracts);
// One contract whole, as between braces: "start=answer seconds=3 ...".
std::string AbandonContractTerms(const AbandonContract& contract);

// InvalidArgument: not a name of these, with the names there are.
absl::StatusOr<AbandonWindow> ParseContractWindow(absl::string_view text);  // all but "method"
absl::StatusOr<ContractStart> ParseContractStart(absl::string_view text);
absl::StatusOr<ContractNumerator> ParseContractNumerator(absl::string_view text);
absl::StatusOr<ContractDenominator> ParseContractDenominator(absl::string_view text);

// What contracts need to know of an answered call, small enough to keep for each of 30 days: 8
// bytes. Equal for an attempt and for its stored record.
struct CallFacts {
  int64_t answered_ms = 0;  // since 1970
  // From the answer until an agent was there or, where none ever was, until the person hung up; ms,
  // kNever: neither. What is longer than kMetMax is kMetMax.
  uint16_t met_ms = kNever;
  // The greeting, from the answer, ms, at most kGreetingMax; 0 where it was not measured, so that
  // the answer stands for it, which is stricter.
  uint16_t greeting_start_ms = 0, greeting_end_ms = 0;
  enum class Fate : uint8_t {
    kPending,  // answered, and nothing came of it yet; counts nowhere
    kOpen,     // met by an agent, who has not said yet who it was
    kPerson,   // met by an agent, and no machine
    kMachine,  // met by an agent, who says it was a machine
    kDropped,  // the engine gave it up: no agent was there
    kHungUp,   // the person hung up first
    kByAmd,    // detection took it for a machine; nobody met it
  } fate = Fate::kPending;

  static constexpr uint16_t kNever = 65535, kMetMax = 65534, kGreetingMax = 16383;
  bool operator==(const CallFacts&) const = default;
};
// False: it does not count for any contract (not answered, not sent, from outside). `statuses`: of
// the attempt's campaign.
bool FactsOf(const Attempt& attempt, CallFacts* facts,
             const StatusSet& statuses = StatusSet::System());

// What a call is to one contract. Each is one of these at a time.
enum class CallSense : uint8_t {
  kNothing,
  kOpen,       // answered, met in time, not over
  kServed,     // answered, met in time, over
  kMachine,    // met, and found to be a machine
  kAbandoned,  // in this contract's sense
  kByAmd,      // taken for a machine by detection
};
inline constexpr size_t kCallSenses = 6;
CallSense SenseOf(const AbandonContract& contract, const CallFacts& facts);

// Until when an agent must be there or the message begin, from the answer. `greeting_*`: as far as
// they are known at that moment; 0: not.
absl::Duration DueAfterAnswer(const AbandonContract& contract, absl::Duration greeting_start,
                              absl::Duration greeting_end);

}  // namespace outpace::campaign
