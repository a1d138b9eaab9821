#include "campaign/report/side_car.h"

#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "campaign/report/call_layouts.h"

namespace outpace::report {
namespace {

using Json = nlohmann::ordered_json;

std::string Text(absl::string_view text) { return std::string(text); }

Json Head(absl::string_view what, absl::string_view layout, absl::TimeZone zone,
          const CampaignId& campaign) {
  Json json = Json::object();
  json["export"] = Text(what);
  json["layout"] = Text(layout);
  json["zone"] = zone.name();
  if (!campaign.empty()) json["campaign"] = campaign;
  json["program"] = "Outpace " OUTPACE_VERSION;
  return json;
}

std::string Dump(const Json& json) {
  return absl::StrCat(json.dump(2, ' ', false, Json::error_handler_t::replace), "\n");
}

// Those that are not texts of the list file.
const std::map<absl::string_view, absl::string_view>& LeadDefinitions() {
  static const auto* const kDefinitions = new std::map<absl::string_view, absl::string_view>{
      {"lead_id", "Outpace's id of the lead"},
      {"entry_date", "When the lead was loaded; zone of the export"},
      {"modify_date", "The last call of the lead, or its entry if it was never called"},
      {"status", "The lead's status"},
      {"user", "Always empty: Outpace does not keep who changed a lead last"},
      {"list_id", "The list the lead is in"},
      {"gmt_offset_now", "Hours east of UTC in the lead's first time zone at the export"},
      {"called_since_last_reset", "Y if the lead was called since its list was last reset, else N"},
      {"phone_code", "Dial prefix of the number's country"},
      {"phone_number", "The lead's number without that prefix"},
      {"alt_phone", "The lead's second number; begins with + where its country is another"},
      {"called_count", "Tries at the lead so far"},
      {"last_local_call_time", "When the lead was last called, in its own first time zone"},
      {"rank", "The lead's rank, -99 to 99"},
      {"owner", "The lead's owner"},
      {"entry_list_id", "Always 0: Outpace does not keep it"},
      {"multi_alt", "Further numbers: number_phonecode_note, ! between"},
      {"time_zone", "The lead's time zone, if there is just one"},
      {"max_attempts", "Tries allowed for this lead; empty: the campaign's"}};
  return *kDefinitions;
}

}  // namespace

absl::StatusOr<std::string> CallSideCar(const ExportOptions& options) {
  const absl::StatusOr<const CallLayout*> layout = FindCallLayout(options.layout);
  if (!layout.ok()) return layout.status();
  Json json = Head("calls", options.layout, options.zone, options.campaign);
  json["about"] = Text((*layout)->title);
  json["format"] = Text(ExportFormatName(options.format));
  if (options.zstd) json["compressed"] = "zstd";
  if (options.format == ExportFormat::kCsv) {
    json["separator"] = std::string(1, (*layout)->separator);
    json["byte_order_mark"] = options.bom;
  }
  json["encoding"] = "UTF-8";
  // Rows whose call was placed in [from, to).
  json["from"] = absl::FormatTime(absl::RFC3339_full, options.from, options.zone);
  json["to"] = absl::FormatTime(absl::RFC3339_full, options.to, options.zone);
  json["columns"] = Json::array();
  for (const LayoutColumn& place : (*layout)->columns) {
    Json column = Json::object();
    column["header"] = Text(place.header);
    if (!place.header_en.empty()) column["header_en"] = Text(place.header_en);
    column["type"] = Text(CellTypeName(place.column->type));
    column["as_of"] = Text(AsOfName(place.column->as_of));
    column["definition"] = Text(place.column->definition);
    if (!place.definition_zh.empty()) column["definition_zh"] = Text(place.definition_zh);
    json["columns"].push_back(std::move(column));
  }
  return Dump(json);
}

std::string LeadSideCar(const LeadExportOptions& options, const std::vector<std::string>& columns) {
  Json json = Head("leads", options.layout, options.zone, options.campaign);
  if (options.list.valid()) json["list"] = options.list.value();
  json["columns"] = Json::array();
  for (const std::string& name : columns) {
    const auto it = LeadDefinitions().find(name);
    Json column = Json::object();
    column["header"] = name;
    column["as_of"] = "now";
    column["definition"] = it == LeadDefinitions().end() ? "From the list file" : Text(it->second);
    json["columns"].push_back(std::move(column));
  }
  return Dump(json);
}

}  // namespace outpace::report
