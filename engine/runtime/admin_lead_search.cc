// Leads by what somebody remembers of them. A number is looked up; anything else is searched for
// from the first lead on, within a bound that is told, for there is no index of names.

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "campaign/number_plan.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/import_report.h"
#include "engine/runtime/lead_text.h"

namespace outpace::runtime {
namespace {

constexpr uint64_t kShown = 100, kShownMost = 10'000;
constexpr uint64_t kScan = 2'000'000, kScanMost = 1'000'000'000;
constexpr const char* kNames[] = {"first_name", "last_name", "name", "company"};

struct Query {
  std::string what;  // in small letters; empty: any
  E164 phone;        // `what` as a number; none: it is none
  std::string status;
  CampaignId campaign;
  ListId list;      // none: any
  ImportId import;  // none: any

  bool OfGroup(const campaign::Lead& lead) const {
    return (status.empty() || lead.status == status) &&
           (campaign.empty() || lead.campaign == campaign) &&
           (!list.valid() || lead.list == list) && (!import.valid() || lead.import == import);
  }
  bool Matches(const campaign::Lead& lead) const {
    if (!OfGroup(lead)) return false;
    if (what.empty()) return true;
    if (phone.valid() && (lead.phone == phone || lead.alt_phone == phone)) return true;
    if (absl::EqualsIgnoreCase(lead.Field("vendor_lead_code"), what)) return true;
    for (const char* name : kNames) {
      if (absl::StartsWithIgnoreCase(lead.Field(name), what)) return true;
    }
    const std::string both = absl::StrCat(lead.Field("first_name"), " ", lead.Field("last_name"));
    return absl::StartsWithIgnoreCase(both, what);
  }
};

absl::StatusOr<uint64_t> Bounded(const Json& arguments, const char* name, uint64_t usual,
                                 uint64_t most) {
  const std::string text = Text(arguments, name);
  uint64_t number = usual;
  if (!text.empty() && (!absl::SimpleAtoi(text, &number) || number < 1 || number > most)) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": must be 1 to ", most));
  }
  return number;
}

}  // namespace

absl::StatusOr<Json> Admin::Impl::LeadSearch(const Json& arguments) {
  Query query;
  query.what = Text(arguments, "lead");
  query.status = Text(arguments, "status");
  query.campaign = Text(arguments, "campaign");
  if (arguments.contains("list")) {
    auto list = FindList(arguments);
    if (!list.ok()) return list.status();
    query.list = list->id;
  }
  if (arguments.contains("import")) {
    auto import = FindImport(arguments);
    if (!import.ok()) return import.status();
    query.import = import->id;
  }
  const bool grouped = !query.status.empty() || !query.campaign.empty() || query.list.valid() ||
                       query.import.valid();
  if (query.what.empty() && !grouped) {
    return absl::InvalidArgumentError(
        "what shall be looked for? a number, a vendor lead code, the beginning of a name or "
        "company; or --status, --list, --campaign, --import");
  }
  auto limit = Bounded(arguments, "limit", kShown, kShownMost);
  if (!limit.ok()) return limit.status();
  auto scan = Bounded(arguments, "scan", kScan, kScanMost);
  if (!scan.ok()) return scan.status();

  std::vector<campaign::Lead> found;
  uint64_t looked_at = 0;
  bool cut = false, more = false;
  const auto phone = campaign::NormalizePhone(query.what, Text(arguments, "country", "US"));
  if (phone.ok()) query.phone = *phone;
  if (phone.ok()) {
    auto ids = store.LeadsByPhone(*phone);
    if (!ids.ok()) return ids.status();
    for (const LeadId id : *ids) {
      auto lead = store.GetLead(id);
      if (!lead.ok()) return lead.status();
      if (lead->has_value() && query.OfGroup(**lead)) found.push_back(**std::move(lead));
    }
  }
  if (found.empty()) {
    absl::Status s = store.ForEachLead([&](const campaign::Lead& lead) {
      if (looked_at == *scan) {
        cut = true;
        return false;
      }
      ++looked_at;
      if (!query.Matches(lead)) return true;
      more = found.size() == *limit;
      if (!more) found.push_back(lead);
      return !more;
    });
    if (!s.ok()) return s;
  }
  std::string text = found.empty() ? "no such lead\n" : LeadHeading();
  Json all = Json::array();
  for (const campaign::Lead& lead : found) {
    absl::StrAppend(&text, LeadLine(lead));
    all.push_back(LeadJson(lead, {}));
  }
  if (more) absl::StrAppend(&text, "and more; narrow it down or raise --limit\n");
  if (cut) {
    absl::StrAppend(&text, "only the first ", Grouped(looked_at),
                    " leads were looked at; raise --scan\n");
  }
  Json answer = Answer(text);
  answer["leads"] = std::move(all);
  answer["more"] = more;
  answer["scan_cut"] = cut;
  return answer;
}

}  // namespace outpace::runtime
