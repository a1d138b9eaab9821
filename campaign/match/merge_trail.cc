// Merges as text: JSON, so that a person can read what a lead was before, with times in nanoseconds
// since 1970, so that what is read back is what was there.

#include <nlohmann/json.hpp>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "campaign/match/lead_merge.h"

namespace outpace::match {
namespace {

using Json = nlohmann::ordered_json;
using campaign::Lead;

Json TimeJson(absl::Time time) {
  if (time == absl::InfinitePast()) return "past";
  if (time == absl::InfiniteFuture()) return "future";
  return absl::ToUnixNanos(time);
}

absl::Time TimeOf(const Json& json) {
  if (json.is_number_integer()) return absl::FromUnixNanos(json.get<int64_t>());
  return json == "past" ? absl::InfinitePast() : absl::InfiniteFuture();
}

// What a merge may change.
Json LeadJson(const Lead& lead) {
  return {{"lead", lead.id.value()},
          {"phone", lead.phone.value()},
          {"alt_phone", lead.alt_phone.value()},
          {"status", lead.status},
          {"tier", static_cast<int>(lead.tier)},
          {"called_count", lead.called_count},
          {"last_call_time", TimeJson(lead.last_call_time)},
          {"next_call_time", TimeJson(lead.next_call_time)},
          {"hold_until", TimeJson(lead.hold_until)},
          {"time_zones", lead.time_zones},
          {"rank", lead.rank},
          {"max_attempts", lead.max_attempts},
          {"recycled", lead.recycled},
          {"owner", lead.owner},
          {"fields", lead.fields}};
}

Lead LeadOf(const Json& json) {
  Lead lead;
  lead.id = LeadId(json.at("lead").get<uint64_t>());
  lead.phone = E164(json.at("phone").get<uint64_t>());
  lead.alt_phone = E164(json.at("alt_phone").get<uint64_t>());
  lead.status = json.at("status").get<std::string>();
  lead.tier = static_cast<campaign::Tier>(json.at("tier").get<int>());
  lead.called_count = json.at("called_count").get<int>();
  lead.last_call_time = TimeOf(json.at("last_call_time"));
  lead.next_call_time = TimeOf(json.at("next_call_time"));
  lead.hold_until = TimeOf(json.at("hold_until"));
  lead.time_zones = json.at("time_zones").get<std::vector<std::string>>();
  lead.rank = json.at("rank").get<int>();
  lead.max_attempts = json.value("max_attempts", 0);  // merges of older versions left it alone
  lead.recycled = json.at("recycled").get<std::string>();
  lead.owner = json.at("owner").get<std::string>();
  lead.fields = json.at("fields").get<std::map<std::string, std::string>>();
  return lead;
}

}  // namespace

std::string EncodeMerge(const Merge& merge) {
  Json changes = Json::array();
  for (const LeadChange& change : merge.changes) {
    changes.push_back({{"before", LeadJson(change.before)}, {"after", LeadJson(change.after)}});
  }
  const Json json = {{"number", merge.number},
                     {"at", TimeJson(merge.at)},
                     {"reason", merge.reason},
                     {"undone", TimeJson(merge.undone)},
                     {"changes", std::move(changes)}};
  // Texts of leads are UTF-8 once loaded; should one not be, its octets are replaced, not refused.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<Merge> DecodeMerge(absl::string_view text) {
  const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  try {
    Merge merge;
    merge.number = json.at("number").get<uint64_t>();
    merge.at = TimeOf(json.at("at"));
    merge.reason = json.at("reason").get<std::string>();
    merge.undone = TimeOf(json.at("undone"));
    for (const Json& change : json.at("changes")) {
      merge.changes.push_back({LeadOf(change.at("before")), LeadOf(change.at("after"))});
    }
    return merge;
  } catch (const Json::exception& e) {
    return absl::DataLossError(absl::StrCat("merge: not readable (error ", e.id, ")"));
  }
}

}  // namespace outpace::match
