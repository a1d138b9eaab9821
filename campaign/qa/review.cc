#include "campaign/qa/review.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace outpace::qa {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kCriteriaMax = 50, kNameMax = 120;

bool IsId(absl::string_view text) {
  return !text.empty() && text.size() <= 20 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) ||
           absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '_';
  });
}
bool IsSheetName(absl::string_view text) {
  return !text.empty() && text.size() <= 20 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
}
bool IsLine(absl::string_view text) {
  return text.size() <= kNameMax && std::none_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_iscntrl(static_cast<unsigned char>(c));
         });
}

Json JsonOf(const ScoreSheet& sheet) {
  Json criteria = Json::array();
  for (const Criterion& c : sheet.criteria) {
    criteria.push_back({{"id", c.id},
                        {"name", c.name},
                        {"name_zh", c.name_zh},
                        {"weight", c.weight},
                        {"points", c.points},
                        {"fatal", c.fatal}});
  }
  return {{"name", sheet.name},
          {"version", sheet.version},
          {"pass_percent", sheet.pass_percent},
          {"criteria", std::move(criteria)}};
}

ScoreSheet SheetOf(const Json& json) {
  ScoreSheet sheet;
  sheet.name = json.at("name").get<std::string>();
  sheet.version = json.at("version").get<int>();
  sheet.pass_percent = json.at("pass_percent").get<double>();
  for (const Json& each : json.at("criteria")) {
    sheet.criteria.push_back({.id = each.at("id").get<std::string>(),
                              .name = each.at("name").get<std::string>(),
                              .name_zh = each.at("name_zh").get<std::string>(),
                              .weight = each.at("weight").get<int>(),
                              .points = each.at("points").get<int>(),
                              .fatal = each.at("fatal").get<bool>()});
  }
  return sheet;
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int64_t Millis(absl::Time at) { return at == absl::InfinitePast() ? 0 : absl::ToUnixMillis(at); }
absl::Time TimeOf(int64_t millis) {
  return millis == 0 ? absl::InfinitePast() : absl::FromUnixMillis(millis);
}

}  // namespace

absl::Status CheckSheet(const ScoreSheet& sheet) {
  std::vector<std::string> faults;
  if (!IsSheetName(sheet.name)) faults.push_back("name: 1 to 20 of A-Z a-z 0-9 _ -");
  if (!(sheet.pass_percent >= 0 && sheet.pass_percent <= 100)) {
    faults.push_back("pass: a number from 0 to 100");
  }
  if (sheet.criteria.empty() || sheet.criteria.size() > kCriteriaMax) {
    faults.push_back(absl::StrCat("a sheet has 1 to ", kCriteriaMax, " criteria"));
  }
  std::set<std::string> ids;
  for (const Criterion& c : sheet.criteria) {
    const auto tell = [&](absl::string_view fault) {
      faults.push_back(absl::StrCat("criterion ", c.id.substr(0, 20), ": ", fault));
    };
    if (!IsId(c.id)) tell("id: 1 to 20 of a-z 0-9 _");
    if (!ids.insert(c.id).second) tell("it stands twice");
    if (c.name.empty() || !IsLine(c.name) || !IsLine(c.name_zh)) {
      tell(absl::StrCat("name: one line of ", kNameMax, " bytes at most"));
    }
    if (c.weight < 1 || c.weight > 100) tell("weight: 1 to 100");
    if (c.points < 1 || c.points > 10) tell("points: 1 to 10");
  }
  if (faults.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(faults, "\n"));
}

absl::StatusOr<Result> ResultOf(const ScoreSheet& sheet, const std::map<std::string, int>& scores) {
  for (const auto& [id, points] : scores) {
    const auto it = std::find_if(sheet.criteria.begin(), sheet.criteria.end(),
                                 [&](const Criterion& c) { return c.id == id; });
    if (it == sheet.criteria.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", id.substr(0, 40), "\" is no criterion of sheet ", sheet.name, "; they are ",
          absl::StrJoin(sheet.criteria, ", ",
                        [](std::string* out, const Criterion& c) { absl::StrAppend(out, c.id); })));
    }
    if (points < 0 || points > it->points) {
      return absl::InvalidArgumentError(absl::StrCat(id, ": must be 0 to ", it->points));
    }
  }
  if (scores.empty()) return absl::InvalidArgumentError("no criterion is scored");
  Result result;
  double reached = 0, possible = 0;
  for (const Criterion& c : sheet.criteria) {
    const auto score = scores.find(c.id);
    if (score == scores.end()) continue;
    possible += c.weight;
    reached += static_cast<double>(c.weight) * score->second / c.points;
    if (c.fatal && score->second == 0) result.fatal.push_back(c.id);
  }
  result.percent = result.fatal.empty() ? 100 * reached / possible : 0;
  // What is as good as the mark is not lost to rounding.
  result.passed = result.fatal.empty() && result.percent >= sheet.pass_percent - 1e-9;
  return result;
}

std::string EncodeSheet(const ScoreSheet& sheet) { return Dump(JsonOf(sheet)); }

absl::StatusOr<ScoreSheet> DecodeSheet(absl::string_view text) {
  try {
    return SheetOf(Json::parse(text.begin(), text.end()));
  } catch (const Json::exception&) {
    return absl::DataLossError("store: a score sheet cannot be read");
  }
}

std::string EncodeReview(const Review& r) {
  return Dump({{"attempt", r.attempt.value()},
               {"agent", r.agent},
               {"campaign", r.campaign},
               {"call_ms", Millis(r.call_at)},
               {"sheet", JsonOf(r.sheet)},
               {"scores", r.scores},
               {"comment", r.comment},
               {"by", r.by},
               {"at_ms", Millis(r.at)}});
}

absl::StatusOr<Review> DecodeReview(absl::string_view text) {
  try {
    const Json json = Json::parse(text.begin(), text.end());
    Review r;
    r.attempt = AttemptId(json.at("attempt").get<uint64_t>());
    r.agent = json.at("agent").get<std::string>();
    r.campaign = json.at("campaign").get<std::string>();
    r.call_at = TimeOf(json.at("call_ms").get<int64_t>());
    r.sheet = SheetOf(json.at("sheet"));
    r.scores = json.at("scores").get<std::map<std::string, int>>();
    r.comment = json.at("comment").get<std::string>();
    r.by = json.at("by").get<std::string>();
    r.at = TimeOf(json.at("at_ms").get<int64_t>());
    return r;
  } catch (const Json::exception&) {
    return absl::DataLossError("store: a review cannot be read");
  }
}

}  // namespace outpace::qa
