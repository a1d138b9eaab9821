// Final responses: what each status, and each Q.850 cause beside it, says of the number called.

#include "absl/strings/str_cat.h"
#include "tests/e2e/sip/flow.h"

namespace outpace::e2e {
namespace {

struct Verdict {
  int status;
  int cause;  // Q.850; 0: no Reason header
  const char* outcome;
  const char* disposition;
};

// Written down from RFC 3261, 3398, 4497, 8197 and 8688, and the field's habits; not from the code.
constexpr Verdict kRedirectsAndRefusals[] = {
    {301, 0, "failed", "LRERR"}, {302, 0, "failed", "LRERR"}, {305, 0, "failed", "LRERR"},
    {380, 0, "failed", "LRERR"}, {400, 0, "failed", "LRERR"}, {401, 0, "congestion", "LRERR"},
    {402, 0, "failed", "LRERR"}, {403, 0, "rejected", "NA"},  {404, 0, "invalid", "ADC"},
    {405, 0, "failed", "LRERR"}, {406, 0, "failed", "LRERR"}, {407, 0, "congestion", "LRERR"},
    {408, 0, "no_answer", "NA"}, {410, 0, "invalid", "ADC"},  {413, 0, "failed", "LRERR"},
    {414, 0, "failed", "LRERR"}, {415, 0, "media", "LRERR"},  {420, 0, "failed", "LRERR"},
    {421, 0, "failed", "LRERR"}, {423, 0, "failed", "LRERR"},
};
constexpr Verdict kEnds[] = {
    {480, 0, "no_answer", "NA"},     {481, 0, "failed", "LRERR"},
    {482, 0, "failed", "LRERR"},     {483, 0, "failed", "LRERR"},
    {484, 0, "invalid", "ADC"},      {485, 0, "failed", "LRERR"},
    {486, 0, "busy", "AB"},          {487, 0, "no_answer", "NA"},
    {488, 0, "media", "LRERR"},      {491, 0, "failed", "LRERR"},
    {493, 0, "failed", "LRERR"},     {500, 0, "congestion", "LRERR"},
    {501, 0, "failed", "LRERR"},     {502, 0, "unreachable", "ADCT"},
    {503, 0, "congestion", "LRERR"}, {504, 0, "congestion", "LRERR"},
    {505, 0, "failed", "LRERR"},     {513, 0, "failed", "LRERR"},
    {600, 0, "busy", "AB"},          {603, 0, "rejected", "NA"},
    {604, 0, "invalid", "ADC"},      {606, 0, "media", "LRERR"},
    {607, 0, "rejected", "NA"},      {608, 0, "rejected", "NA"},
};
constexpr Verdict kCauses[] = {
    {480, 1, "invalid", "ADC"},       {480, 16, "no_answer", "NA"},
    {480, 17, "busy", "AB"},          {480, 18, "no_answer", "NA"},
    {480, 19, "no_answer", "NA"},     {480, 20, "unreachable", "ADCT"},
    {480, 21, "rejected", "NA"},      {480, 22, "invalid", "ADC"},
    {480, 27, "unreachable", "ADCT"}, {480, 28, "invalid", "ADC"},
    {480, 31, "failed", "LRERR"},     {480, 34, "congestion", "LRERR"},
    {480, 38, "congestion", "LRERR"}, {480, 41, "congestion", "LRERR"},
    {480, 42, "congestion", "LRERR"}, {480, 47, "congestion", "LRERR"},
    {480, 65, "media", "LRERR"},      {480, 127, "no_answer", "NA"},
    {500, 17, "busy", "AB"},          {500, 127, "congestion", "LRERR"},
    {503, 1, "invalid", "ADC"},       {503, 34, "congestion", "LRERR"},
    {486, 21, "rejected", "NA"},      {603, 16, "rejected", "NA"},
};

Flow Make(const Verdict& v) {
  const std::string reason =
      v.cause == 0 ? "" : absl::StrCat("Reason: Q.850;cause=", v.cause, ";text=\"as told\"\n");
  std::string contacts;
  if (v.status / 100 == 3) {  // never followed: a callee does not choose whom we call
    contacts = "<sip:+12025550177@[local_ip]:9>;q=0.7, <sip:+19005550100@192.0.2.9>";
  }
  Extra extra{.headers = reason};
  if (!contacts.empty()) extra.contact = contacts;
  const bool fault = std::string(v.outcome) == "congestion";
  return {.name = v.cause == 0 ? absl::StrCat("status_", v.status)
                               : absl::StrCat("status_", v.status, "_cause_", v.cause),
          .what = absl::StrCat(v.status, v.cause == 0 ? "" : absl::StrCat(", Q.850 ", v.cause),
                               contacts.empty() ? "" : ", two Contacts, not followed"),
          .scenario = Scenario().Respond(v.status, extra).Expect("ACK"),
          .expected = fault ? TrunkAtFault(v.status, v.cause)
                            : Refused(v.status, v.cause, v.outcome, v.disposition)};
}

template <size_t n>
std::vector<Flow> MakeAll(const Verdict (&verdicts)[n]) {
  std::vector<Flow> flows;
  for (const Verdict& v : verdicts) flows.push_back(Make(v));
  return flows;
}

Flow RetryAfter(const std::string& name, const std::string& value, bool trunk_up) {
  Expected expected = TrunkAtFault(503, 0);
  expected.trunk_up = trunk_up;
  const std::string header = value.empty() ? "" : absl::StrCat("Retry-After: ", value, "\n");
  return {.name = absl::StrCat("retry_after_", name),
          .what = value.empty() ? "503 without Retry-After"
                                : absl::StrCat("503, `Retry-After: ", value, "`"),
          .scenario = Scenario().Respond(503, {.headers = header}).Expect("ACK"),
          .expected = expected};
}

}  // namespace

std::vector<FlowGroup> StatusGroups() {
  std::vector<Flow> retry = {
      RetryAfter("3600", "3600", false),
      RetryAfter("1", "1", true),
      RetryAfter("0", "0", true),
      RetryAfter("negative", "-1", true),
      RetryAfter("text", "later", true),
      RetryAfter("huge", "100000000000000000000", false),
      RetryAfter("300_comment", "300 (overload)", false),
      RetryAfter("120_params", "120;duration=60", false),
  };
  return {
      {"status_3xx_4xx", "Final responses 301 to 423.", MakeAll(kRedirectsAndRefusals)},
      {"status_48x_6xx", "Final responses 480 to 608.", MakeAll(kEnds)},
      {"q850", "The Reason header's Q.850 cause is believed before the status.", MakeAll(kCauses)},
      {"retry_after", "503 closes its trunk for as long as it asks, five minutes at most.",
       std::move(retry)}};
}

}  // namespace outpace::e2e
