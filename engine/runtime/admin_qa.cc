// Quality of calls: which recordings somebody should hear, score sheets, what was scored. Sounds
// are played by `outpace recording`, beside the files.

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "campaign/qa/sample.h"
#include "campaign/qa/tally.h"
#include "campaign/report/call_export.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/export_file.h"
#include "engine/runtime/qa_book.h"

namespace outpace::runtime {
namespace {

constexpr char kUsualRule[] = "agent:2, min:20";
constexpr size_t kRecordingsMost = 1'000'000, kCommentMax = 1000, kByMax = 40;
constexpr int kDaysMost = 31;  // of one sample

bool IsText(absl::string_view text, size_t most, bool lines) {
  return text.size() <= most && std::none_of(text.begin(), text.end(), [&](char c) {
           return absl::ascii_iscntrl(static_cast<unsigned char>(c)) && !(lines && c == '\n');
         });
}

// A number, or text that is one; `otherwise` when absent or empty.
absl::StatusOr<double> NumberOr(const Json& json, const char* name, double otherwise) {
  const auto it = json.find(name);
  if (it == json.end()) return otherwise;
  double number = 0;
  if (it->is_number()) return it->get<double>();
  if (!it->is_string()) return absl::InvalidArgumentError(absl::StrCat(name, ": is no number"));
  const std::string& text = it->get_ref<const std::string&>();
  if (text.empty()) return otherwise;
  if (!absl::SimpleAtod(text, &number)) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": '", text.substr(0, 40), "' is no number"));
  }
  return number;
}

absl::StatusOr<int> WholeOr(const Json& json, const char* name, int otherwise) {
  auto number = NumberOr(json, name, otherwise);
  if (!number.ok()) return number.status();
  if (!(*number >= 0 && *number <= 1000) || *number != static_cast<int>(*number)) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": must be a whole number"));
  }
  return static_cast<int>(*number);
}

absl::StatusOr<qa::Criterion> CriterionIn(const Json& json) {
  qa::Criterion c;
  c.id = Text(json, "id");
  c.name = Text(json, "name");
  c.name_zh = Text(json, "name_zh");
  const auto weight = WholeOr(json, "weight", 1), points = WholeOr(json, "points", 1);
  for (const auto* number : {&weight, &points}) {
    if (number->ok()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("criterion ", c.id.substr(0, 20), ": ", number->status().message()));
  }
  c.weight = *weight;
  c.points = *points;
  const std::string fatal = Text(json, "fatal");
  if (!fatal.empty() && fatal != "Y" && fatal != "N") {
    return absl::InvalidArgumentError(
        absl::StrCat("criterion ", c.id.substr(0, 20), ": fatal: Y or N"));
  }
  c.fatal = fatal == "Y" || Flag(json, "fatal");
  return c;
}

std::string ResultText(const qa::Result& result) {
  return absl::StrFormat(
      "%.1f %%, %s%s", result.percent, result.passed ? "passed" : "failed",
      result.fatal.empty() ? "" : absl::StrCat(", fatal: ", absl::StrJoin(result.fatal, ", ")));
}

Json SheetJson(const qa::ScoreSheet& sheet) {
  Json criteria = Json::array();
  for (const qa::Criterion& c : sheet.criteria) {
    criteria.push_back({{"id", c.id},
                        {"name", c.name},
                        {"name_zh", c.name_zh},
                        {"weight", c.weight},
                        {"points", c.points},
                        {"fatal", c.fatal}});
  }
  return {{"name", sheet.name},
          {"version", sheet.version},
          {"pass", sheet.pass_percent},
          {"criteria", std::move(criteria)}};
}

std::string MinuteText(absl::Time time, absl::TimeZone zone) {
  return absl::FormatTime("%Y-%m-%d %H:%M", time, zone);
}

}  // namespace

// The sample of each day is drawn by itself: asked again, or as part of a week, it is the same.
absl::StatusOr<Json> Admin::Impl::QaSample(const Json& arguments) {
  report::ExportOptions range;
  if (absl::Status s = ReadExportRange(arguments, clock, range); !s.ok()) return s;
  auto rule = qa::ParseSampleRule(Text(arguments, "rule", kUsualRule));
  if (!rule.ok()) return rule.status();
  campaign::RecordingQuery query;
  query.from = range.from;
  query.to = range.to;
  query.campaign = range.campaign;
  query.with_erased = false;
  query.limit = kRecordingsMost;
  const absl::CivilDay first = absl::ToCivilDay(range.from, range.zone);
  if (absl::ToCivilDay(range.to - absl::Nanoseconds(1), range.zone) - first >= kDaysMost) {
    return absl::InvalidArgumentError(absl::StrCat("at most ", kDaysMost, " days at once"));
  }
  auto recordings = store.FindRecordings(query);
  if (!recordings.ok()) return recordings.status();
  std::map<absl::CivilDay, std::vector<qa::Call>> days;
  std::map<AttemptId, CampaignId> campaigns;
  for (const campaign::Recording& recording : *recordings) {
    if (recording.file.empty() || recording.agent.empty()) continue;
    auto attempt = store.GetAttempt(recording.attempt);
    if (!attempt.ok()) return attempt.status();
    campaigns[recording.attempt] = recording.campaign;
    days[absl::ToCivilDay(recording.started, range.zone)].push_back(
        {.attempt = recording.attempt,
         .agent = recording.agent,
         .status = attempt->has_value() ? (*attempt)->status : "",
         .started = recording.started,
         .length = recording.length});
  }
  const std::string agent = Text(arguments, "agent");
  const QaBook book(store);
  std::string text =
      absl::StrFormat("%-10s %-16s %-20s %-8s %7s %-6s %-28s %s\n", "ATTEMPT", "STARTED", "AGENT",
                      "CAMPAIGN", "SECONDS", "STATUS", "DRAWN BY", "SCORED");
  Json calls = Json::array();
  size_t scored = 0;
  for (auto& [day, of_day] : days) {
    for (const qa::Picked& picked : qa::Draw(*rule, std::move(of_day))) {
      if (!agent.empty() && picked.call.agent != agent) continue;  // the draw is the same
      auto review = book.Find(picked.call.attempt);
      if (!review.ok()) return review.status();
      scored += review->has_value() ? 1 : 0;
      const std::string by = absl::StrJoin(picked.terms, ", ");
      const int64_t seconds = absl::ToInt64Seconds(picked.call.length);
      const CampaignId& campaign = campaigns[picked.call.attempt];
      absl::StrAppendFormat(
          &text, "%-10d %-16s %-20s %-8s %7d %-6s %-28s %s\n", picked.call.attempt.value(),
          MinuteText(picked.call.started, range.zone), picked.call.agent, campaign, seconds,
          picked.call.status, by, review->has_value() ? "yes" : "-");
      calls.push_back({{"attempt", picked.call.attempt.value()},
                       {"started_ms", absl::ToUnixMillis(picked.call.started)},
                       {"agent", picked.call.agent},
                       {"campaign", campaign},
                       {"seconds", seconds},
                       {"status", picked.call.status},
                       {"drawn_by", picked.terms},
                       {"scored", review->has_value()}});
    }
  }
  absl::StrAppendFormat(&text, "%d of %d recordings, %d of them scored; rule: %s\n", calls.size(),
                        campaigns.size(), scored, qa::SampleRuleText(*rule));
  Json answer = Answer(text);
  answer["rule"] = qa::SampleRuleText(*rule);
  answer["recordings"] = campaigns.size();
  answer["calls"] = std::move(calls);
  return answer;
}

absl::StatusOr<Json> Admin::Impl::QaSheetSet(const Json& arguments) {
  qa::ScoreSheet sheet;
  sheet.name = Text(arguments, "name");
  auto pass = NumberOr(arguments, "pass", 0);
  if (!pass.ok()) return pass.status();
  sheet.pass_percent = *pass;
  const auto criteria = arguments.find("criteria");
  if (criteria == arguments.end() || !criteria->is_array()) {
    return absl::InvalidArgumentError("criteria: are missing");
  }
  for (const Json& each : *criteria) {
    if (!each.is_object()) return absl::InvalidArgumentError("criteria: one is no object");
    auto criterion = CriterionIn(each);
    if (!criterion.ok()) return criterion.status();
    sheet.criteria.push_back(*std::move(criterion));
  }
  const absl::MutexLock lock(&shared->reviews);
  auto version = QaBook(store).PutSheet(sheet);
  if (!version.ok()) return version.status();
  Json answer =
      Answer(absl::StrFormat("sheet %s, version %d: %d criteria, passed from %g %% on\n",
                             sheet.name, *version, sheet.criteria.size(), sheet.pass_percent));
  answer["version"] = *version;
  return answer;
}

absl::StatusOr<Json> Admin::Impl::QaSheetList(const Json&) {
  auto sheets = QaBook(store).Sheets();
  if (!sheets.ok()) return sheets.status();
  std::string text;
  Json all = Json::array();
  for (const qa::ScoreSheet& sheet : *sheets) {
    absl::StrAppendFormat(&text, "%s, version %d, passed from %g %% on\n", sheet.name,
                          sheet.version, sheet.pass_percent);
    for (const qa::Criterion& c : sheet.criteria) {
      absl::StrAppendFormat(&text, "  %-20s weight %3d  0 to %2d  %-6s %s%s\n", c.id, c.weight,
                            c.points, c.fatal ? "fatal" : "", c.name,
                            c.name_zh.empty() ? "" : " / " + c.name_zh);
    }
    all.push_back(SheetJson(sheet));
  }
  if (text.empty()) text = "there are no score sheets: outpace qa sheet set NAME --file FILE\n";
  Json answer = Answer(text);
  answer["sheets"] = std::move(all);
  return answer;
}

absl::StatusOr<Json> Admin::Impl::QaScore(const Json& arguments) {
  auto number = NumberIn(arguments, "attempt", "; see: outpace qa sample");
  if (!number.ok()) return number.status();
  auto name = Need(arguments, "sheet");
  if (!name.ok()) return name.status();
  qa::Review review;
  review.attempt = AttemptId(*number);
  review.by = Text(arguments, "by", hooks.actor);
  review.comment = Text(arguments, "comment");
  review.at = clock.Wall();
  if (!IsText(review.by, kByMax, /*lines=*/false)) {
    return absl::InvalidArgumentError(absl::StrCat("by: one line of ", kByMax, " bytes at most"));
  }
  if (!IsText(review.comment, kCommentMax, /*lines=*/true)) {
    return absl::InvalidArgumentError(
        absl::StrCat("comment: text of ", kCommentMax, " bytes at most"));
  }
  const Json scores = arguments.value("scores", Json::object());
  for (const auto& [id, unused] : scores.items()) {
    auto points = WholeOr(scores, id.c_str(), -1);
    if (!points.ok()) return points.status();
    review.scores[id] = *points;
  }
  const absl::MutexLock lock(&shared->reviews);
  auto recording = store.GetRecording(review.attempt);
  if (!recording.ok()) return recording.status();
  if (!recording->has_value()) {
    return absl::NotFoundError(absl::StrCat("attempt ", *number, " has no recording"));
  }
  if ((*recording)->erased()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the recording of attempt ", *number, " is erased: nobody can hear it"));
  }
  if ((*recording)->agent.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("no agent took attempt ", *number, ": there is nobody to score"));
  }
  review.agent = (*recording)->agent;
  review.campaign = (*recording)->campaign;
  review.call_at = (*recording)->started;
  QaBook book(store);
  auto sheet = book.Sheet(*name);
  if (!sheet.ok()) return sheet.status();
  review.sheet = *std::move(sheet);
  auto result = qa::ResultOf(review.sheet, review.scores);
  if (!result.ok()) return result.status();
  auto before = book.Find(review.attempt);
  if (!before.ok()) return before.status();
  if (absl::Status s = book.PutReview(review); !s.ok()) return s;
  if (hooks.reviews_changed) {
    auto all = book.OfAgent(review.agent);
    if (!all.ok()) return all.status();
    hooks.reviews_changed(
        review.agent, ReviewsForAgent(*all),
        absl::StrFormat("A call was reviewed (%s): %.0f %%", review.sheet.name, result->percent));
  }
  Json answer = Answer(
      absl::StrFormat("attempt %d of agent %s: %s%s\n", *number, review.agent, ResultText(*result),
                      before->has_value() ? "; in place of an earlier score" : ""));
  answer["attempt"] = *number;
  answer["agent"] = review.agent;
  answer["percent"] = result->percent;
  answer["passed"] = result->passed;
  answer["fatal"] = result->fatal;
  return answer;
}

absl::StatusOr<std::vector<qa::Review>> Admin::Impl::ReviewsIn(const Json& arguments,
                                                               absl::TimeZone* zone) const {
  report::ExportOptions range;
  if (absl::Status s = ReadExportRange(arguments, clock, range); !s.ok()) return s;
  *zone = range.zone;
  auto reviews = QaBook(store).Reviews(range.from, range.to);
  if (!reviews.ok()) return reviews.status();
  const std::string agent = Text(arguments, "agent");
  reviews->erase(
      std::remove_if(reviews->begin(), reviews->end(),
                     [&](const qa::Review& review) {
                       return (!agent.empty() && review.agent != agent) ||
                              (!range.campaign.empty() && review.campaign != range.campaign);
                     }),
      reviews->end());
  return reviews;
}

absl::StatusOr<Json> Admin::Impl::QaList(const Json& arguments) {
  absl::TimeZone zone;
  auto reviews = ReviewsIn(arguments, &zone);
  if (!reviews.ok()) return reviews.status();
  std::string text = absl::StrFormat("%-10s %-16s %-20s %-8s %-20s %-16s %s\n", "ATTEMPT", "CALL",
                                     "AGENT", "CAMPAIGN", "SHEET", "BY", "RESULT");
  Json all = Json::array();
  for (const qa::Review& review : *reviews) {
    const auto result = qa::ResultOf(review.sheet, review.scores);
    if (!result.ok()) return result.status();
    absl::StrAppendFormat(&text, "%-10d %-16s %-20s %-8s %-20s %-16s %s\n", review.attempt.value(),
                          MinuteText(review.call_at, zone), review.agent, review.campaign,
                          absl::StrCat(review.sheet.name, " ", review.sheet.version), review.by,
                          ResultText(*result));
    all.push_back({{"attempt", review.attempt.value()},
                   {"call_ms", absl::ToUnixMillis(review.call_at)},
                   {"agent", review.agent},
                   {"campaign", review.campaign},
                   {"sheet", review.sheet.name},
                   {"version", review.sheet.version},
                   {"by", review.by},
                   {"at_ms", absl::ToUnixMillis(review.at)},
                   {"percent", result->percent},
                   {"passed", result->passed},
                   {"fatal", result->fatal},
                   {"scores", review.scores},
                   {"comment", review.comment}});
  }
  Json answer = Answer(text);
  answer["reviews"] = std::move(all);
  return answer;
}

absl::StatusOr<Json> Admin::Impl::QaReport(const Json& arguments) {
  absl::TimeZone zone;
  auto reviews = ReviewsIn(arguments, &zone);
  if (!reviews.ok()) return reviews.status();
  const qa::Tally tally = qa::TallyOf(*reviews);
  std::string text =
      absl::StrFormat("%-20s %7s %7s %7s %7s\n", "AGENT", "REVIEWS", "MEAN %", "PASSED", "FATAL");
  Json agents = Json::array(), criteria = Json::array();
  for (const auto& [agent, t] : tally.agents) {
    absl::StrAppendFormat(&text, "%-20s %7d %7.1f %7d %7d\n", agent, t.reviews, t.percent(),
                          t.passed, t.fatal);
    agents.push_back({{"agent", agent},
                      {"reviews", t.reviews},
                      {"percent", t.percent()},
                      {"passed", t.passed},
                      {"fatal", t.fatal}});
  }
  absl::StrAppendFormat(&text, "\n%-20s %-20s %7s %7s  %s\n", "SHEET", "CRITERION", "SCORED",
                        "MEAN %", "NAME");
  for (const auto& [key, t] : tally.criteria) {
    absl::StrAppendFormat(&text, "%-20s %-20s %7d %7.1f  %s\n", key.first, key.second, t.scored,
                          t.percent(), t.name);
    criteria.push_back({{"sheet", key.first},
                        {"criterion", key.second},
                        {"name", t.name},
                        {"name_zh", t.name_zh},
                        {"scored", t.scored},
                        {"percent", t.percent()}});
  }
  Json answer = Answer(text);
  answer["agents"] = std::move(agents);
  answer["criteria"] = std::move(criteria);
  return answer;
}

}  // namespace outpace::runtime
