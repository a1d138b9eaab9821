#include "engine/runtime/export_file.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "campaign/calling_window.h"
#include "campaign/load/encoding.h"
#include "campaign/report/agent_export.h"
#include "campaign/report/event_log.h"
#include "campaign/report/event_source.h"
#include "campaign/report/side_car.h"
#include "campaign/report/xlsx_export.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/files.h"
#include "engine/runtime/low_priority.h"

namespace outpace::runtime {
namespace {

absl::Status WriteSmall(const std::string& path, absl::string_view bytes) {
  auto file = AtomicFile::Create(path);
  if (!file.ok()) return file.status();
  if (absl::Status s = (*file)->Write(bytes); !s.ok()) return s;
  return (*file)->Commit();
}

absl::Status WriteLeads(const campaign::LeadStore& store, const ExportOrder& order,
                        const std::string& path, ExportWritten& written) {
  auto encoder = load::TextEncoder::Make(order.encoding);
  if (!encoder.ok()) return encoder.status();
  auto file = AtomicFile::Create(path);
  if (!file.ok()) return file.status();
  const absl::string_view bom = (*encoder)->bom();
  if (absl::Status s = (*file)->Write(bom); !s.ok()) return s;
  std::string encoded;
  std::vector<std::string> columns;
  auto rows = report::ExportLeads(
      store, order.leads,
      [&](absl::string_view piece) {
        encoded.clear();
        (*encoder)->Append(piece, encoded);
        return (*file)->Write(encoded);
      },
      &columns);
  if (!rows.ok()) return rows.status();
  if (absl::Status s = (*file)->Commit(); !s.ok()) return s;
  written = {*rows, (*encoder)->lost()};
  return WriteSmall(path + ".columns.json", report::LeadSideCar(order.leads, columns));
}

absl::Status WriteRows(const campaign::LeadStore& store, const ExportOrder& order,
                       const std::string& path, ExportWritten& written) {
  auto file = AtomicFile::Create(path);
  if (!file.ok()) return file.status();
  const auto write = [&](absl::string_view piece) { return (*file)->Write(piece); };
  absl::StatusOr<int64_t> rows = 0;
  if (order.what == "agents") {
    rows = report::ExportAgents(store, report::StoredEvents(store), order.rows, write);
  } else if (order.rows.format == report::ExportFormat::kXlsx) {
    rows = report::ExportCallsXlsx(store, order.rows, (*file)->temporary());
  } else {
    rows = report::ExportCalls(store, order.rows, write);
  }
  if (!rows.ok()) return rows.status();
  const absl::StatusOr<std::string> side_car =
      order.what == "agents" ? report::AgentSideCar(order.rows) : report::CallSideCar(order.rows);
  if (!side_car.ok()) return side_car.status();
  if (absl::Status s = (*file)->Commit(); !s.ok()) return s;
  written.rows = *rows;
  return WriteSmall(path + ".columns.json", *side_car);
}

absl::Status ReadLeadOrder(const Json& arguments, const campaign::LeadStore& store,
                           const Clock& clock, ExportOrder& order) {
  report::LeadExportOptions& options = order.leads;
  options.layout = Text(arguments, "layout", "vicidl");
  options.campaign = Text(arguments, "campaign");
  options.raw = Flag(arguments, "raw");
  options.now = clock.Wall();
  options.zone = absl::UTCTimeZone();
  if (!options.campaign.empty()) {
    auto campaigns = store.Campaigns();
    if (!campaigns.ok()) return campaigns.status();
    bool found = false;
    for (const campaign::CampaignSettings& settings : *campaigns) {
      if (settings.id != options.campaign) continue;
      options.zone = settings.report_zone;
      found = true;
    }
    if (!found) {
      return absl::NotFoundError(absl::StrCat("no campaign is named '", options.campaign,
                                              "'; see: outpace campaign list"));
    }
  }
  if (const std::string zone = Text(arguments, "zone"); !zone.empty()) {
    auto found = campaign::FindTimeZone(zone);
    if (!found.ok()) return found.status();
    options.zone = *found;
  }
  const std::string wanted = Text(arguments, "encoding", "utf-8");
  order.encoding = load::CanonicalEncoding(wanted);
  if (order.encoding.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("encoding: '", wanted.substr(0, 40), "' is not known; utf-8 or gb18030"));
  }
  if (auto encoder = load::TextEncoder::Make(order.encoding); !encoder.ok()) {
    return encoder.status();
  }
  options.bom = Flag(arguments, "bom") && order.encoding == "utf-8";
  const auto& layouts = report::LeadExportLayouts();
  for (const std::string& layout : layouts) {
    if (layout == options.layout) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("layout: must be one of ", absl::StrJoin(layouts, ", ")));
}

}  // namespace

absl::Status ReadExportRange(const Json& arguments, const Clock& clock,
                             report::ExportOptions& options) {
  const std::string zone = Text(arguments, "zone");
  options.zone = absl::UTCTimeZone();
  if (!zone.empty()) {
    absl::StatusOr<absl::TimeZone> found = campaign::FindTimeZone(zone);
    if (!found.ok()) return found.status();
    options.zone = *found;
  }
  options.campaign = Text(arguments, "campaign");
  options.bom = Flag(arguments, "bom");
  const auto day_of = [&](const std::string& text, absl::CivilDay* day) {
    const absl::CivilDay today = absl::ToCivilDay(clock.Wall(), options.zone);
    if (text == "today" || text.empty()) {
      *day = today;
    } else if (text == "yesterday") {
      *day = today - 1;
    } else if (!absl::ParseCivilTime(text, day)) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", text, "' is no day; write 2026-11-21, today or yesterday"));
    }
    return absl::OkStatus();
  };
  absl::CivilDay first, last;
  const std::string from = Text(arguments, "from");
  if (!from.empty()) {
    if (absl::Status s = day_of(from, &first); !s.ok()) return s;
    if (absl::Status s = day_of(Text(arguments, "to", from), &last); !s.ok()) return s;
  } else {
    if (absl::Status s = day_of(Text(arguments, "day"), &first); !s.ok()) return s;
    last = first;
  }
  if (last < first) return absl::InvalidArgumentError("'to' lies before 'from'");
  options.from = absl::FromCivil(first, options.zone);
  options.to = absl::FromCivil(last + 1, options.zone);
  return absl::OkStatus();
}

absl::StatusOr<ExportOrder> ReadExportOrder(const std::string& what, const Json& arguments,
                                            const std::string& path,
                                            const campaign::LeadStore& store, const Clock& clock) {
  ExportOrder order;
  order.what = what;
  if (what == "leads") {
    if (absl::Status s = ReadLeadOrder(arguments, store, clock, order); !s.ok()) return s;
    return order;
  }
  report::ExportOptions& options = order.rows;
  if (absl::Status s = ReadExportRange(arguments, clock, options); !s.ok()) return s;
  if (!options.campaign.empty()) {
    const auto campaigns = store.Campaigns();
    if (!campaigns.ok()) return campaigns.status();
    if (std::none_of(campaigns->begin(), campaigns->end(),
                     [&](const auto& each) { return each.id == options.campaign; })) {
      return absl::NotFoundError(absl::StrCat("no campaign is named '", options.campaign,
                                              "'; see: outpace campaign list"));
    }
  }
  absl::string_view name = path;
  options.zstd = absl::ConsumeSuffix(&name, ".zst") || Flag(arguments, "zstd");
  std::string format = Text(arguments, "format");
  if (format.empty()) {
    format = absl::EndsWith(name, ".xlsx")                                       ? "xlsx"
             : absl::EndsWith(name, ".jsonl") || absl::EndsWith(name, ".ndjson") ? "jsonl"
                                                                                 : "csv";
  }
  const auto parsed = report::ParseExportFormat(format);
  if (!parsed.ok()) return parsed.status();
  options.format = *parsed;
  if (options.format == report::ExportFormat::kXlsx && options.zstd) {
    return absl::InvalidArgumentError("a spreadsheet is compressed by itself: leave zstd away");
  }
  if (what == "agents") {
    if (options.format == report::ExportFormat::kXlsx || !Text(arguments, "layout").empty()) {
      return absl::InvalidArgumentError("agents: have one layout, as csv or jsonl");
    }
    return order;
  }
  options.layout = Text(arguments, "layout", what == "abandons" ? "abandons" : "outpace");
  if (what == "abandons" && options.layout != "abandons") {
    return absl::InvalidArgumentError("abandons: have one layout");
  }
  if (const auto side_car = report::CallSideCar(options); !side_car.ok()) {
    return side_car.status();  // no such layout
  }
  return order;
}

absl::StatusOr<ExportWritten> WriteExport(const campaign::LeadStore& store,
                                          const ExportOrder& order, const std::string& path) {
  ExportWritten written;
  const absl::Status status = AtLowPriority([&] {
    return order.what == "leads" ? WriteLeads(store, order, path, written)
                                 : WriteRows(store, order, path, written);
  });
  if (!status.ok()) return status;
  return written;
}

absl::StatusOr<Json> ExportEvents(const campaign::LeadStore& store, const Clock& clock,
                                  const Json& arguments) {
  auto path = Need(arguments, "path");
  if (!path.ok()) return path.status();
  if (!Text(arguments, "campaign").empty()) {
    return absl::InvalidArgumentError(
        "the event log is of all campaigns; agents' times are not of one alone");
  }
  report::ExportOptions range;
  if (absl::Status s = ReadExportRange(arguments, clock, range); !s.ok()) return s;
  report::EventCounts counts;
  const absl::Status status = AtLowPriority([&]() -> absl::Status {
    auto file = AtomicFile::Create(*path);
    if (!file.ok()) return file.status();
    const auto written =
        report::WriteEventLog(report::StoredEvents(store), {.from = range.from, .to = range.to},
                              [&](absl::string_view piece) { return (*file)->Write(piece); });
    if (!written.ok()) return written.status();
    counts = *written;
    return (*file)->Commit();
  });
  if (!status.ok()) return status;
  Json answer = Answer(absl::StrCat(*path, ": ", counts.attempts, " calls and ", counts.activities,
                                    " activities of agents in ", counts.lines, " lines\n"));
  answer["rows"] = counts.lines;
  answer["attempts"] = counts.attempts;
  answer["activities"] = counts.activities;
  return answer;
}

}  // namespace outpace::runtime
