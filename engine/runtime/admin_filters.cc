// Operations on filters: named ones, and what a filter would do to leads that are stored.

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "campaign/filter/lead_fields.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/lead_sieve.h"
#include "engine/runtime/stored_filters.h"

namespace outpace::runtime {
namespace {

constexpr size_t kSamples = 5;        // leads named for each clause
constexpr size_t kClausesAlone = 64;  // Filter::AllDroppedBy() tells of so many

// {"registered_capital": "number"}.
absl::StatusOr<filter::FieldTypes> FieldsIn(const Json& arguments) {
  filter::FieldTypes fields;
  const auto given = arguments.find("fields");
  if (given == arguments.end() || !given->is_object()) return fields;
  for (const auto& [name, type] : given->items()) {
    if (!type.is_string() || !campaign::ParseFieldType(type.get<std::string>(), fields[name])) {
      return absl::InvalidArgumentError(
          absl::StrCat("fields: ", name, " must be text, number, date or flag"));
    }
  }
  return fields;
}

absl::StatusOr<int> VersionIn(const Json& arguments) {
  const std::string text = Text(arguments, "version");
  int version = 0;
  if (text.empty() || (absl::SimpleAtoi(text, &version) && version > 0)) return version;
  return absl::InvalidArgumentError("version: must be a number from 1");
}

Json JsonOf(const StoredFilter& filter) {
  Json json = {{"name", filter.name},     {"version", filter.version},
               {"filter", filter.text},   {"removed", filter.removed},
               {"who", filter.who},       {"when_ms", absl::ToUnixMillis(filter.when)},
               {"fields", Json::object()}};
  for (const auto& [field, type] : filter.fields) {
    json["fields"][field] = std::string(campaign::FieldTypeName(type));
  }
  return json;
}

std::string LineOf(const StoredFilter& filter) {
  return absl::StrFormat(
      "%7d  %s  %-12s %s\n", filter.version, TimeText(filter.when, absl::UTCTimeZone()),
      filter.who.empty() ? "-" : filter.who, filter.removed ? "(removed)" : filter.text);
}

// What a filter did to the leads it was run over.
class Tally {
 public:
  explicit Tally(const filter::Filter& filter, absl::TimeZone zone)
      : filter_(filter), values_(filter, zone), clauses_(filter.clauses().size()) {}

  void Add(const campaign::Lead& lead) {
    const absl::Span<const absl::string_view> values = values_.Of(lead);
    ++leads_;
    const int dropped = filter_.DroppedBy(values);
    if (dropped < 0) {
      ++kept_;
      return;
    }
    Clause& first = clauses_[static_cast<size_t>(dropped)];
    ++first.in_sequence;
    if (first.samples.size() < kSamples) first.samples.push_back(lead.id.value());
    const uint64_t all = filter_.AllDroppedBy(values);
    for (size_t i = 0; i < std::min(clauses_.size(), kClausesAlone); ++i) {
      clauses_[i].alone += static_cast<int64_t>(all >> i & 1);
    }
  }

  Json ToJson() const {
    Json json = {{"filter", filter_.ToString()},
                 {"leads", leads_},
                 {"kept", kept_},
                 {"dropped", leads_ - kept_},
                 {"clauses", Json::array()}};
    for (size_t i = 0; i < clauses_.size(); ++i) {
      Json clause = {{"clause", filter_.clauses()[i]},
                     {"dropped_in_sequence", clauses_[i].in_sequence},
                     {"samples", clauses_[i].samples}};
      if (i < kClausesAlone) clause["dropped_alone"] = clauses_[i].alone;
      json["clauses"].push_back(std::move(clause));
    }
    return json;
  }

  std::string ToText(bool explain) const {
    const double share =
        leads_ == 0 ? 0 : 100 * static_cast<double>(kept_) / static_cast<double>(leads_);
    std::string text = absl::StrFormat("leads %d  kept %d (%.1f %%)  dropped %d\n", leads_, kept_,
                                       share, leads_ - kept_);
    if (!explain) return text;
    absl::StrAppendFormat(&text, "\n%12s %12s %12s  %s\n", "ALONE", "IN SEQUENCE", "LEFT",
                          "CLAUSE");
    int64_t left = leads_;
    for (size_t i = 0; i < clauses_.size(); ++i) {
      const Clause& clause = clauses_[i];
      left -= clause.in_sequence;
      absl::StrAppendFormat(&text, "%12s %12d %12d  %s\n",
                            i < kClausesAlone ? absl::StrCat(clause.alone) : "-",
                            clause.in_sequence, left, filter_.clauses()[i]);
      if (clause.samples.empty()) continue;
      absl::StrAppendFormat(&text, "%40se.g. leads %s\n", "", absl::StrJoin(clause.samples, ", "));
    }
    absl::StrAppend(&text,
                    "\nALONE: leads this clause would drop by itself. IN SEQUENCE: those it drops "
                    "of what\nthe clauses above it left.\n");
    return text;
  }

 private:
  struct Clause {
    int64_t alone = 0, in_sequence = 0;
    std::vector<uint64_t> samples;  // ids of leads it is the first to drop
  };
  const filter::Filter& filter_;
  filter::LeadValues values_;
  int64_t leads_ = 0, kept_ = 0;
  std::vector<Clause> clauses_;
};

}  // namespace

absl::StatusOr<StoredFilter> Admin::Impl::FilterIn(const Json& arguments) const {
  auto text = Need(arguments, "filter");
  if (!text.ok()) return text.status();
  if (IsFilterName(*text)) {
    auto version = VersionIn(arguments);
    if (!version.ok()) return version.status();
    return StoredFilters(store).Find(*text, *version);
  }
  auto fields = FieldsIn(arguments);
  if (!fields.ok()) return fields.status();
  StoredFilter filter;
  filter.text = *std::move(text);
  filter.fields = *std::move(fields);
  return filter;
}

absl::StatusOr<std::optional<gate::Reason>> Admin::Impl::FilterReason(
    const campaign::Lead& lead, const campaign::CampaignSettings& settings) const {
  return LeadSieve(store).WhyNot(
      lead, {settings.lead_filter_id, settings.report_zone, clock.Wall(), settings.statuses});
}

absl::Status Admin::Impl::FilterChanged(const std::string& name) {
  auto campaigns = store.Campaigns();
  if (!campaigns.ok()) return campaigns.status();
  for (const campaign::CampaignSettings& settings : *campaigns) {
    if (settings.lead_filter_id != name) continue;
    if (absl::Status s = ClearHolds(settings.id); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::StatusOr<Json> Admin::Impl::FilterSet(const Json& arguments) {
  auto name = Need(arguments, "name");
  if (!name.ok()) return name.status();
  auto text = Need(arguments, "filter");
  if (!text.ok()) return text.status();
  auto given = FieldsIn(arguments);
  if (!given.ok()) return given.status();
  StoredFilters filters(store);
  auto fields = filters.Fields(*given);
  if (!fields.ok()) return fields.status();
  const absl::CivilDay today = absl::ToCivilDay(clock.Wall(), absl::UTCTimeZone());
  auto parsed = filter::Filter::Parse(*text, *fields, today);
  if (!parsed.ok()) return parsed.status();

  StoredFilter filter;
  filter.name = *std::move(name);
  filter.text = *std::move(text);
  filter.who = Text(arguments, "who");
  filter.when = clock.Wall();
  for (const std::string& field : parsed->fields()) {
    if (!filter::StandardFields().contains(field)) filter.fields[field] = fields->at(field);
  }
  const auto latest = filters.Find(filter.name);
  if (latest.ok() && latest->text == filter.text && latest->fields == filter.fields) {
    Json answer = Answer(
        absl::StrCat("filter ", filter.name, " is that already, version ", latest->version, "\n"));
    answer["version"] = latest->version;
    return answer;
  }
  auto version = filters.Put(filter);
  if (!version.ok()) return version.status();
  // Leads that the version before held back are looked at anew.
  if (absl::Status s = FilterChanged(filter.name); !s.ok()) return s;
  Json answer = Answer(
      absl::StrCat("filter ", filter.name, ", version ", *version, ": ", parsed->ToString(), "\n"));
  answer["version"] = *version;
  answer["normal"] = parsed->ToString();
  answer["clauses"] = parsed->clauses();
  return answer;
}

absl::StatusOr<Json> Admin::Impl::FilterList(const Json&) {
  auto all = StoredFilters(store).All();
  if (!all.ok()) return all.status();
  std::string text = absl::StrFormat("%-20s %7s  %-19s  %-12s %s\n", "NAME", "VERSION",
                                     "CHANGED (UTC)", "BY", "FILTER");
  Json list = Json::array();
  for (const StoredFilter& filter : *all) {
    absl::StrAppendFormat(&text, "%-20s %s", filter.name, LineOf(filter));
    list.push_back(JsonOf(filter));
  }
  Json answer = Answer(text);
  answer["filters"] = std::move(list);
  return answer;
}

absl::StatusOr<Json> Admin::Impl::FilterShow(const Json& arguments) {
  auto name = Need(arguments, "name");
  if (!name.ok()) return name.status();
  auto version = VersionIn(arguments);
  if (!version.ok()) return version.status();
  const StoredFilters filters(store);
  auto filter = filters.Find(*name, *version);
  if (!filter.ok()) return filter.status();
  auto parsed = filters.Compile(*filter, absl::ToCivilDay(clock.Wall(), absl::UTCTimeZone()));
  if (!parsed.ok()) return parsed.status();
  std::string text = absl::StrCat("filter ", filter->name, ", version ", filter->version, ", ",
                                  TimeText(filter->when, absl::UTCTimeZone()), " UTC by ",
                                  filter->who.empty() ? "-" : filter->who, "\n");
  int number = 0;
  for (const std::string& clause : parsed->clauses()) {
    absl::StrAppendFormat(&text, "%4d  %s\n", ++number, clause);
  }
  for (const auto& [field, type] : filter->fields) {
    absl::StrAppend(&text, "  field ", field, ": ", campaign::FieldTypeName(type), "\n");
  }
  Json answer = Answer(text);
  answer.update(JsonOf(*filter));
  answer["normal"] = parsed->ToString();
  answer["clauses"] = parsed->clauses();
  return answer;
}

absl::StatusOr<Json> Admin::Impl::FilterHistory(const Json& arguments) {
  auto name = Need(arguments, "name");
  if (!name.ok()) return name.status();
  auto versions = StoredFilters(store).History(*name);
  if (!versions.ok()) return versions.status();
  std::string text =
      absl::StrFormat("%7s  %-19s  %-12s %s\n", "VERSION", "CHANGED (UTC)", "BY", "FILTER");
  Json list = Json::array();
  for (const StoredFilter& filter : *versions) {
    absl::StrAppend(&text, LineOf(filter));
    list.push_back(JsonOf(filter));
  }
  Json answer = Answer(text);
  answer["versions"] = std::move(list);
  return answer;
}

absl::StatusOr<Json> Admin::Impl::FilterRemove(const Json& arguments) {
  auto name = Need(arguments, "name");
  if (!name.ok()) return name.status();
  StoredFilters filters(store);
  auto filter = filters.Find(*name);
  if (!filter.ok()) return filter.status();
  auto campaigns = store.Campaigns();
  if (!campaigns.ok()) return campaigns.status();
  for (const campaign::CampaignSettings& settings : *campaigns) {
    if (settings.lead_filter_id != *name) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "campaign ", settings.id, " dials by this filter; first: outpace campaign set ",
        settings.id, " lead_filter_id="));
  }
  filter->removed = true;
  filter->who = Text(arguments, "who");
  filter->when = clock.Wall();
  if (auto version = filters.Put(*filter); !version.ok()) return version.status();
  return Answer(absl::StrCat("filter ", *name,
                             " is removed; its versions stay: outpace filter "
                             "history ",
                             *name, "\n"));
}

// Runs a filter over stored leads and changes nothing.
absl::StatusOr<Json> Admin::Impl::LeadFilter(const Json& arguments) {
  auto stored = FilterIn(arguments);
  if (!stored.ok()) return stored.status();
  const std::string campaign = Text(arguments, "campaign");
  ListId list;
  if (!Text(arguments, "list").empty()) {
    auto found = FindList(arguments);
    if (!found.ok()) return found.status();
    list = found->id;
  }
  absl::TimeZone zone = absl::UTCTimeZone();
  if (!campaign.empty()) {
    auto settings = FindCampaign(campaign);
    if (!settings.ok()) return settings.status();
    zone = settings->report_zone;
  }
  auto filter = StoredFilters(store).Compile(*stored, absl::ToCivilDay(clock.Wall(), zone));
  if (!filter.ok()) return filter.status();
  Tally tally(*filter, zone);
  const absl::Status read = store.ForEachLead([&](const campaign::Lead& lead) {
    if (!campaign.empty() && lead.campaign != campaign) return true;
    if (list.valid() && lead.list != list) return true;
    tally.Add(lead);
    return true;
  });
  if (!read.ok()) return read;
  Json answer = Answer(tally.ToText(Flag(arguments, "explain")));
  answer.update(tally.ToJson());
  return answer;
}

}  // namespace outpace::runtime
