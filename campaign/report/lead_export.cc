// Leads as files: what VICIdial's list download and loaders have, so that a list can go there and
// come back. Columns are one table; a layout names some of them, in its order.

#include "campaign/report/lead_export.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "campaign/load/alt_phones.h"
#include "campaign/number_plan.h"
#include "campaign/report/cells.h"
#include "campaign/report/csv_writer.h"

namespace outpace::report {
namespace {

using campaign::Lead;

// What a cell is made from.
struct Row {
  const Lead& lead;
  const campaign::List& list;
  const LeadExportOptions& options;
};

// A number as VICIdial has it: the dial prefix of its country, and the rest. The prefix is empty
// where no plan is known; the number then has it, behind a "+".
struct SplitNumber {
  std::string code, national;
};
SplitNumber Split(E164 number) {
  if (!number.valid()) return {};
  std::string digits = number.Digits();
  const std::string code = absl::StrCat(campaign::CallingCode(campaign::CountryOf(number)));
  absl::string_view national = digits;
  if (code == "0" || !absl::ConsumePrefix(&national, code)) return {"", absl::StrCat("+", digits)};
  return {code, std::string(national)};
}

// A second number has no prefix of its own in these files.
std::string AltCell(const Lead& lead) {
  if (!lead.alt_phone.valid()) return "";
  SplitNumber alt = Split(lead.alt_phone);
  return alt.code == Split(lead.phone).code ? alt.national : lead.alt_phone.ToString();
}

std::string FirstZone(const Lead& lead) {
  return lead.time_zones.size() == 1 ? lead.time_zones[0] : "";
}

struct Column {
  absl::string_view name;
  std::string (*value)(const Row& row);  // null: the lead's text of this name
  bool text = false;                     // from outside: may have to be neutralised
};

constexpr Column kColumns[] = {
    {"lead_id", [](const Row& r) { return absl::StrCat(r.lead.id.value()); }},
    {"entry_date", [](const Row& r) { return DateCell(r.lead.entry_date, r.options.zone); }},
    {"modify_date",
     [](const Row& r) {
       const bool called = Happened(r.lead.last_call_time);
       return DateCell(called ? r.lead.last_call_time : r.lead.entry_date, r.options.zone);
     }},
    {"status", [](const Row& r) { return r.lead.status; }, true},
    {"user", [](const Row&) { return std::string(); }},
    {"list_id", [](const Row& r) { return absl::StrCat(r.lead.list.value()); }},
    {"gmt_offset_now",
     [](const Row& r) { return GmtOffsetCell(r.lead.time_zones, r.options.now); }},
    {"called_since_last_reset",
     [](const Row& r) {
       const bool called = r.lead.called_count > 0 && r.lead.last_call_time >= r.list.last_reset;
       return std::string(called ? "Y" : "N");
     }},
    {"phone_code", [](const Row& r) { return Split(r.lead.phone).code; }},
    {"phone_number", [](const Row& r) { return Split(r.lead.phone).national; }},
    {"alt_phone", [](const Row& r) { return AltCell(r.lead); }},
    {"called_count", [](const Row& r) { return absl::StrCat(r.lead.called_count); }},
    {"last_local_call_time",
     [](const Row& r) {
       absl::TimeZone zone = r.options.zone;
       if (!r.lead.time_zones.empty()) absl::LoadTimeZone(r.lead.time_zones[0], &zone);
       return DateCell(r.lead.last_call_time, zone);
     }},
    {"rank", [](const Row& r) { return absl::StrCat(r.lead.rank); }},
    {"owner", [](const Row& r) { return r.lead.owner; }, true},
    {"entry_list_id", [](const Row&) { return std::string("0"); }},
    {"multi_alt", [](const Row& r) { return load::FormatMultiAlt(r.lead.Field("alt_phones")); },
     true},
    {"time_zone", [](const Row& r) { return FirstZone(r.lead); }},
    {"max_attempts",
     [](const Row& r) {
       return r.lead.max_attempts == 0 ? std::string() : absl::StrCat(r.lead.max_attempts);
     }},
};

constexpr absl::string_view kStandard =
    "vendor_lead_code source_id list_id phone_code phone_number title first_name middle_initial "
    "last_name address1 address2 address3 city state province postal_code country_code gender "
    "date_of_birth alt_phone email security_phrase comments";
constexpr absl::string_view kVicidl =
    "lead_id entry_date modify_date status user vendor_lead_code source_id list_id gmt_offset_now "
    "called_since_last_reset phone_code phone_number title first_name middle_initial last_name "
    "address1 address2 address3 city state province postal_code country_code gender date_of_birth "
    "alt_phone email security_phrase comments called_count last_local_call_time rank owner "
    "entry_list_id";

struct Layout {
  absl::string_view name;
  absl::string_view columns, more_columns;
  char separator;
  absl::string_view line_end;
  bool header;
  bool all_fields;  // every text of the leads has a column
};
constexpr Layout kLayouts[] = {
    {"vicidl", kVicidl, "", '\t', "\n", true, false},
    {"standard", kStandard, "", '|', "\n", false, false},
    {"stdrankowner", kStandard, "called_count status entry_date rank owner multi_alt", '|', "\n",
     false, false},
    {"outpace", kVicidl, "multi_alt time_zone max_attempts", ',', "\r\n", true, true},
};

bool Wanted(const Lead& lead, const LeadExportOptions& options) {
  return (!options.list.valid() || lead.list == options.list) &&
         (options.campaign.empty() || lead.campaign == options.campaign);
}

// The columns of the file, in order; `fields`: names of texts that have one of their own.
std::vector<Column> ColumnsOf(const Layout& layout, const std::set<std::string>& fields) {
  std::vector<absl::string_view> names = absl::StrSplit(layout.columns, ' ');
  for (const absl::string_view name : absl::StrSplit(layout.more_columns, ' ', absl::SkipEmpty())) {
    names.push_back(name);
  }
  names.insert(names.end(), fields.begin(), fields.end());
  std::vector<Column> columns;
  for (const absl::string_view name : names) {
    const auto* const known = std::find_if(std::begin(kColumns), std::end(kColumns),
                                           [&](const Column& c) { return c.name == name; });
    columns.push_back(known == std::end(kColumns) ? Column{name, nullptr, true} : *known);
  }
  return columns;
}

// Texts of the leads that no other column of the layout shows.
absl::StatusOr<std::set<std::string>> FurtherFields(const campaign::LeadStore& store,
                                                    const Layout& layout,
                                                    const LeadExportOptions& options) {
  std::set<std::string> found;
  if (!layout.all_fields) return found;
  std::set<std::string, std::less<>> shown = {"alt_phones"};
  for (const Column& column : ColumnsOf(layout, {})) shown.emplace(column.name);
  const absl::Status read = store.ForEachLead([&](const Lead& lead) {
    if (!Wanted(lead, options)) return true;
    for (const auto& [name, text] : lead.fields) {
      if (!shown.contains(name)) found.insert(name);
    }
    return true;
  });
  if (!read.ok()) return read;
  return found;
}

}  // namespace

const std::vector<std::string>& LeadExportLayouts() {
  static const auto* const kNames =
      new std::vector<std::string>{"vicidl", "standard", "stdrankowner", "outpace"};
  return *kNames;
}

absl::StatusOr<int64_t> ExportLeads(const campaign::LeadStore& store,
                                    const LeadExportOptions& options,
                                    const std::function<absl::Status(absl::string_view)>& write,
                                    std::vector<std::string>* columns_written) {
  const auto* const layout =
      std::find_if(std::begin(kLayouts), std::end(kLayouts),
                   [&](const Layout& l) { return l.name == options.layout; });
  if (layout == std::end(kLayouts)) {
    return absl::InvalidArgumentError(
        absl::StrCat("layout: must be one of ", absl::StrJoin(LeadExportLayouts(), ", ")));
  }
  std::map<ListId, campaign::List> lists;
  const auto stored_lists = store.Lists();
  if (!stored_lists.ok()) return stored_lists.status();
  for (const campaign::List& list : *stored_lists) lists[list.id] = list;
  const auto further = FurtherFields(store, *layout, options);
  if (!further.ok()) return further.status();
  const std::vector<Column> columns = ColumnsOf(*layout, *further);

  if (columns_written != nullptr) {
    columns_written->clear();
    for (const Column& column : columns) columns_written->emplace_back(column.name);
  }
  CsvWriter csv(
      write,
      {.separator = layout->separator, .line_end = layout->line_end, .formulas = options.raw});
  absl::Status status;
  if (options.bom) csv.Raw("\xef\xbb\xbf");
  if (layout->header) {
    for (const Column& column : columns) csv.Text(column.name);
    status = csv.EndRow();
    if (!status.ok()) return status;
  }
  int64_t rows = 0;
  const absl::Status read = store.ForEachLead([&](const Lead& lead) {
    if (!Wanted(lead, options)) return true;
    const Row row = {lead, lists[lead.list], options};
    for (const Column& column : columns) {
      const std::string value =
          column.value != nullptr ? column.value(row) : lead.Field(std::string(column.name));
      column.text ? csv.Text(value) : csv.Plain(value);
    }
    status = csv.EndRow();
    ++rows;
    return status.ok();
  });
  if (!status.ok()) return status;
  if (!read.ok()) return read;
  if (status = csv.Finish(); !status.ok()) return status;
  return rows;
}

}  // namespace outpace::report
