// A report for programs.

#include <nlohmann/json.hpp>

#include "campaign/report/report.h"

namespace outpace::report {
namespace {

using Json = nlohmann::ordered_json;

Json Both(const Bilingual& text) { return {{"en", text.en}, {"zh", text.zh}}; }

Json ColumnJson(const Column& column) {
  return {{"id", column.id},
          {"heading", Both(column.heading)},
          {"unit", std::string(UnitName(column.unit))},
          {"definition", Both(column.definition)}};
}

}  // namespace

std::string ReportJson(const Report& report) {
  Json json = {{"report", report.name},
               {"title", Both(report.title)},
               {"from_ms", absl::ToUnixMillis(report.from)},
               {"to_ms", absl::ToUnixMillis(report.to)},
               {"zone", report.zone.name()},
               {"campaign", report.campaign},
               {"list", report.list},
               {"notes", Json::array()},
               {"tables", Json::array()},
               {"charts", Json::array()}};
  for (const Bilingual& note : report.notes) json["notes"].push_back(Both(note));
  for (const Table& table : report.tables) {
    Json one = {{"id", table.id},           {"title", Both(table.title)}, {"total", table.total},
                {"columns", Json::array()}, {"spoken_of", Json::array()}, {"rows", Json::array()}};
    for (const Column& column : table.columns) one["columns"].push_back(ColumnJson(column));
    for (const Column& column : table.spoken_of) one["spoken_of"].push_back(ColumnJson(column));
    for (const std::vector<Cell>& row : table.rows) {
      Json cells = Json::array();
      for (size_t c = 0; c < row.size(); ++c) {
        const Unit unit = table.columns[c].unit;
        if (unit == Unit::kText) {
          cells.push_back(row[c].text);
        } else if (unit == Unit::kCount) {
          cells.push_back(static_cast<int64_t>(row[c].number));
        } else {
          cells.push_back(row[c].number);
        }
      }
      one["rows"].push_back(std::move(cells));
    }
    json["tables"].push_back(std::move(one));
  }
  for (const Chart& chart : report.charts) {
    Json one = {{"title", Both(chart.title)},
                {"kind", chart.kind == Chart::Kind::kBars ? "bars" : "lines"},
                {"labels", chart.labels},
                {"series", Json::array()}};
    for (const Series& series : chart.series) {
      one["series"].push_back({{"name", Both(series.name)},
                               {"unit", std::string(UnitName(series.unit))},
                               {"values", series.values}});
    }
    json["charts"].push_back(std::move(one));
  }
  // Bytes of names that are no UTF-8 become U+FFFD.
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace outpace::report
