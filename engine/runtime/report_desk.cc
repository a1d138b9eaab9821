#include "engine/runtime/report_desk.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "campaign/calling_window.h"
#include "campaign/report/report.h"
#include "campaign/report/report_fold.h"
#include "campaign/report/report_run.h"
#include "campaign/report/report_xlsx.h"
#include "engine/runtime/contract_report.h"
#include "engine/runtime/files.h"

namespace outpace::runtime {
namespace {

using Json = nlohmann::ordered_json;

std::string Text(const Json& json, const char* name, const std::string& otherwise = "") {
  const auto it = json.find(name);
  return it != json.end() && it->is_string() ? it->get<std::string>() : otherwise;
}

Json Answer(std::string text) { return {{"text", std::move(text)}}; }

// As many as the machine that the figures are promised for has.
constexpr int kThreads = 2;
constexpr int64_t kDaysMax = 400;

absl::StatusOr<absl::CivilDay> DayOf(const std::string& text, absl::Time now, absl::TimeZone zone) {
  const absl::CivilDay today = absl::ToCivilDay(now, zone);
  absl::CivilDay day;
  if (text == "today" || text.empty()) return today;
  if (text == "yesterday") return today - 1;
  if (absl::ParseCivilTime(text, &day)) return day;
  return absl::InvalidArgumentError(
      absl::StrCat("'", text.substr(0, 40), "' is no day; write 2026-11-21, today or yesterday"));
}

// --day, or --from and --to, which is a day too.
absl::Status ReadDays(const Json& arguments, absl::Time now, report::ReportContext& context) {
  const std::string from = Text(arguments, "from"), to = Text(arguments, "to");
  const std::string one = Text(arguments, "day");
  if (!one.empty() && !(from.empty() && to.empty())) {
    return absl::InvalidArgumentError("write either 'day', or 'from' and 'to'");
  }
  if (from.empty() && !to.empty()) return absl::InvalidArgumentError("'to' needs 'from'");
  const auto first = DayOf(from.empty() ? one : from, now, context.zone);
  if (!first.ok()) return first.status();
  const auto last = to.empty() ? first : DayOf(to, now, context.zone);
  if (!last.ok()) return last.status();
  if (*last < *first) return absl::InvalidArgumentError("'to' lies before 'from'");
  if (*last - *first >= kDaysMax) {
    return absl::InvalidArgumentError(absl::StrCat("more than ", kDaysMax, " days"));
  }
  context.from = absl::FromCivil(*first, context.zone);
  context.to = absl::FromCivil(*last + 1, context.zone);
  return absl::OkStatus();
}

// A list by its number, or by a name that only one has.
absl::StatusOr<uint64_t> FindList(const campaign::LeadStore& store, const std::string& text) {
  auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  uint64_t found = 0;
  int named = 0;
  for (const campaign::List& list : *lists) {
    if (absl::StrCat(list.id.value()) == text) return list.id.value();
    if (list.name != text) continue;
    found = list.id.value();
    ++named;
  }
  if (named == 1) return found;
  return absl::NotFoundError(absl::StrCat(named == 0 ? "no list" : "more than one list",
                                          " is named '", text.substr(0, 40), "'"));
}

std::string ListText() {
  std::string text;
  for (const report::ReportSpec& spec : report::AllReports()) {
    absl::StrAppendFormat(&text, "%-12s %s; %s\n", spec.name, spec.title.en, spec.line.en);
  }
  return text;
}

std::vector<report::Cell> ContractRow(const std::string& campaign, const ContractFigures& f,
                                      absl::TimeZone zone) {
  const auto time = [zone](absl::Time t) { return absl::FormatTime("%Y-%m-%d %H:%M", t, zone); };
  return {{.text = campaign},
          {.text = f.name},
          {.text = time(f.from)},
          {.text = time(f.to)},
          {.number = f.counted},
          {.number = f.abandoned},
          {.number = f.percent},
          {.number = f.limit},
          {.number = static_cast<double>(f.left)},
          {.text = absl::StrCat(f.terms, f.source.empty() ? "" : "; ", f.source)}};
}

// The campaign's zone, or the one that all campaigns have; "zone" goes before.
absl::Status ReadZone(const campaign::LeadStore& store, const Json& arguments,
                      report::ReportContext& context) {
  auto campaigns = store.Campaigns();
  if (!campaigns.ok()) return campaigns.status();
  context.zone = absl::UTCTimeZone();
  if (!context.campaign.empty()) {
    const auto known = std::find_if(campaigns->begin(), campaigns->end(),
                                    [&](const auto& c) { return c.id == context.campaign; });
    if (known == campaigns->end()) {
      return absl::NotFoundError(
          absl::StrCat("no campaign is named '", context.campaign.substr(0, 40), "'"));
    }
    context.zone = known->report_zone;
  } else if (!campaigns->empty()) {
    const bool same = std::all_of(campaigns->begin(), campaigns->end(), [&](const auto& c) {
      return c.report_zone == campaigns->front().report_zone;
    });
    if (same) {
      context.zone = campaigns->front().report_zone;
    } else if (Text(arguments, "zone").empty()) {
      context.notes.push_back(
          {"Campaigns have several report zones: days are those of UTC unless --zone says another.",
           "各项目的报表时区不同:未用 --zone 指定时按 UTC 计日。"});
    }
  }
  if (const std::string zone = Text(arguments, "zone"); !zone.empty()) {
    auto found = campaign::FindTimeZone(zone);
    if (!found.ok()) return found.status();
    context.zone = *found;
  }
  return absl::OkStatus();
}

absl::Status FillContracts(const campaign::LeadStore& store, const Clock& clock,
                           report::ReportContext& context) {
  auto campaigns = store.Campaigns();
  if (!campaigns.ok()) return campaigns.status();
  if (!context.campaign.empty()) {
    campaigns->erase(std::remove_if(campaigns->begin(), campaigns->end(),
                                    [&](const auto& c) { return c.id != context.campaign; }),
                     campaigns->end());
  }
  auto all = ContractsInRange(store, *campaigns, context.from, context.to, clock.Wall(), kThreads);
  if (!all.ok()) return all.status();
  for (const CampaignContracts& campaign : *all) {
    for (const ContractFigures& figure : campaign.figures) {
      context.contracts.push_back(ContractRow(campaign.campaign, figure, campaign.zone));
    }
  }
  return absl::OkStatus();
}

// `path`: where the file will lie; a workbook is first made beside it.
absl::StatusOr<std::string> Render(const report::Report& made, absl::string_view format,
                                   report::Language language, const std::string& path) {
  if (format == "html") return report::ReportHtml(made, language);
  if (format == "json") return report::ReportJson(made);
  if (format == "text") return report::ReportText(made, language);
  const std::string draft = absl::StrCat(path, ".draft");
  const absl::Status written = report::WriteReportXlsx(made, language, draft);
  auto bytes = written.ok() ? ReadFile(draft) : absl::StatusOr<std::string>(written);
  ::unlink(draft.c_str());
  return bytes;
}

}  // namespace

Json ListReports() {
  Json answer = Answer(ListText());
  answer["reports"] = Json::array();
  for (const report::ReportSpec& spec : report::AllReports()) {
    answer["reports"].push_back(
        {{"name", std::string(spec.name)},
         {"title", {{"en", std::string(spec.title.en)}, {"zh", std::string(spec.title.zh)}}},
         {"line", {{"en", std::string(spec.line.en)}, {"zh", std::string(spec.line.zh)}}}});
  }
  return answer;
}

absl::StatusOr<Json> MakeReport(const campaign::LeadStore& store, const Clock& clock,
                                const Json& arguments) {
  const std::string name = Text(arguments, "name");
  const report::ReportSpec* const spec = report::FindReport(name);
  if (spec == nullptr) {
    return absl::NotFoundError(absl::StrCat(
        "no report is named '", name.substr(0, 40), "'; there are ",
        absl::StrJoin(report::AllReports(), ", ", [](std::string* out, const auto& each) {
          absl::StrAppend(out, each.name);
        })));
  }
  const std::string format = Text(arguments, "format", "text");
  const std::string path = Text(arguments, "path");
  if (format != "text" && format != "html" && format != "json" && format != "xlsx") {
    return absl::InvalidArgumentError("format: must be text, html, xlsx or json");
  }
  if (format == "xlsx" && path.empty()) {
    return absl::InvalidArgumentError("format: xlsx needs a file to write; say --out FILE");
  }
  const std::string language = Text(arguments, "lang");
  if (!language.empty() && language != "en" && language != "zh") {
    return absl::InvalidArgumentError("lang: must be en or zh");
  }
  const report::Language lang = language.empty()   ? spec->language
                                : language == "zh" ? report::Language::kChinese
                                                   : report::Language::kEnglish;
  report::ReportContext context;
  context.campaign = Text(arguments, "campaign");
  if (!Text(arguments, "list").empty()) {
    auto list = FindList(store, Text(arguments, "list"));
    if (!list.ok()) return list.status();
    context.list = *list;
  }
  if (arguments.contains("interval")) {
    const Json& given = arguments["interval"];
    int64_t minutes = given.is_number_integer() ? given.get<int64_t>() : 0;
    const bool number =
        given.is_string() && absl::SimpleAtoi(given.get_ref<const std::string&>(), &minutes);
    if ((given.is_string() && !number) || (minutes != 15 && minutes != 30 && minutes != 60)) {
      return absl::InvalidArgumentError("interval: must be 15, 30 or 60 minutes");
    }
    context.interval = absl::Minutes(minutes);
  }
  if (absl::Status s = ReadZone(store, arguments, context); !s.ok()) return s;
  if (absl::Status s = ReadDays(arguments, clock.Wall(), context); !s.ok()) return s;
  if (absl::Status s = report::FillNames(store, context); !s.ok()) return s;
  if (context.list != 0 && spec->agents_time) {
    context.notes.push_back({"Agents' time is that of all lists: it cannot be told by list.",
                             "坐席时长为全部名单的时长,无法按名单区分。"});
  }
  if (name == "lists") {
    if (absl::Status s = report::FillInventory(store, kThreads, context); !s.ok()) return s;
  }
  if (name == "abandonment") {
    if (absl::Status s = FillContracts(store, clock, context); !s.ok()) return s;
  }
  auto made = report::RunReport(store, *spec, context, kThreads);
  if (!made.ok()) return made.status();
  auto bytes = Render(*made, format, lang, path);
  if (!bytes.ok()) return bytes.status();
  if (path.empty()) return Answer(*std::move(bytes));
  auto file = AtomicFile::Create(path);
  if (!file.ok()) return file.status();
  if (absl::Status s = (*file)->Write(*bytes); !s.ok()) return s;
  if (absl::Status s = (*file)->Commit(); !s.ok()) return s;
  return Answer(absl::StrCat(path, ": report ", name, ", ", format, "\n"));
}

}  // namespace outpace::runtime
