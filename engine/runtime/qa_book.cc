#include "engine/runtime/qa_book.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace outpace::runtime {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kSheetsKey[] = "qa/sheets";
constexpr int kDaysMax = 400;

std::string ReviewKey(AttemptId attempt) { return absl::StrCat("qa/review/", attempt.value()); }
std::string AgentKey(const AgentId& agent) { return absl::StrCat("qa/agent/", agent); }
std::string DayKey(absl::CivilDay day) {
  return absl::StrCat("qa/day/", absl::FormatCivilTime(day));
}

absl::Status Damaged(absl::string_view key) {
  return absl::DataLossError(absl::StrCat("store: the value \"", key, "\" is damaged"));
}

std::string TextOf(const std::vector<AttemptId>& attempts) {
  Json json = Json::array();
  for (const AttemptId attempt : attempts) json.push_back(attempt.value());
  return json.dump();
}

}  // namespace

absl::StatusOr<std::vector<qa::ScoreSheet>> QaBook::Sheets() const {
  std::vector<qa::ScoreSheet> sheets;
  auto value = store_.GetMeta(kSheetsKey);
  if (!value.ok()) return value.status();
  if (!value->has_value()) return sheets;
  const Json json = Json::parse(**value, nullptr, false);
  if (!json.is_array()) return Damaged(kSheetsKey);
  for (const Json& each : json) {
    auto sheet = qa::DecodeSheet(each.dump());
    if (!sheet.ok()) return Damaged(kSheetsKey);
    sheets.push_back(*std::move(sheet));
  }
  return sheets;
}

absl::StatusOr<qa::ScoreSheet> QaBook::Sheet(absl::string_view name) const {
  auto sheets = Sheets();
  if (!sheets.ok()) return sheets.status();
  for (qa::ScoreSheet& sheet : *sheets) {
    if (sheet.name == name) return std::move(sheet);
  }
  const auto name_of = [](std::string* out, const qa::ScoreSheet& sheet) {
    out->append(sheet.name);
  };
  return absl::NotFoundError(absl::StrCat(
      "no score sheet is named '", name.substr(0, 40), "'; ",
      sheets->empty() ? "there are none yet: outpace qa sheet set NAME --file FILE"
                      : absl::StrCat("there are: ", absl::StrJoin(*sheets, ", ", name_of))));
}

absl::StatusOr<int> QaBook::PutSheet(qa::ScoreSheet sheet) {
  if (absl::Status s = qa::CheckSheet(sheet); !s.ok()) return s;
  auto sheets = Sheets();
  if (!sheets.ok()) return sheets.status();
  const auto at = std::lower_bound(
      sheets->begin(), sheets->end(), sheet.name,
      [](const qa::ScoreSheet& a, const std::string& name) { return a.name < name; });
  const bool known = at != sheets->end() && at->name == sheet.name;
  if (!known && sheets->size() >= kSheets) {
    return absl::ResourceExhaustedError(absl::StrCat("there are ", kSheets, " score sheets"));
  }
  sheet.version = known ? at->version + 1 : 1;
  const int version = sheet.version;
  if (known) {
    *at = std::move(sheet);
  } else {
    sheets->insert(at, std::move(sheet));
  }
  Json json = Json::array();
  for (const qa::ScoreSheet& each : *sheets) json.push_back(Json::parse(qa::EncodeSheet(each)));
  campaign::StoreBatch batch;
  batch.meta[kSheetsKey] = json.dump();
  if (absl::Status s = store_.Commit(batch); !s.ok()) return s;
  return version;
}

absl::StatusOr<std::vector<AttemptId>> QaBook::Index(const std::string& key) const {
  std::vector<AttemptId> attempts;
  auto value = store_.GetMeta(key);
  if (!value.ok()) return value.status();
  if (!value->has_value()) return attempts;
  const Json json = Json::parse(**value, nullptr, false);
  if (!json.is_array()) return Damaged(key);
  for (const Json& each : json) {
    if (!each.is_number_unsigned()) return Damaged(key);
    attempts.push_back(AttemptId(each.get<uint64_t>()));
  }
  return attempts;
}

absl::Status QaBook::PutReview(const qa::Review& review) {
  const std::string day = DayKey(absl::ToCivilDay(review.call_at, absl::UTCTimeZone()));
  auto of_day = Index(day);
  if (!of_day.ok()) return of_day.status();
  auto of_agent = Index(AgentKey(review.agent));
  if (!of_agent.ok()) return of_agent.status();
  campaign::StoreBatch batch;
  if (std::find(of_day->begin(), of_day->end(), review.attempt) == of_day->end()) {
    of_day->push_back(review.attempt);
    batch.meta[day] = TextOf(*of_day);
  }
  of_agent->erase(std::remove(of_agent->begin(), of_agent->end(), review.attempt), of_agent->end());
  of_agent->push_back(review.attempt);
  if (of_agent->size() > kOfAgent) of_agent->erase(of_agent->begin());
  batch.meta[AgentKey(review.agent)] = TextOf(*of_agent);
  batch.meta[ReviewKey(review.attempt)] = qa::EncodeReview(review);
  return store_.Commit(batch);
}

absl::StatusOr<std::optional<qa::Review>> QaBook::Find(AttemptId attempt) const {
  auto value = store_.GetMeta(ReviewKey(attempt));
  if (!value.ok()) return value.status();
  if (!value->has_value()) return std::nullopt;
  auto review = qa::DecodeReview(**value);
  if (!review.ok()) return review.status();
  return *std::move(review);
}

absl::StatusOr<std::vector<qa::Review>> QaBook::All(absl::Span<const AttemptId> attempts) const {
  std::vector<qa::Review> reviews;
  for (const AttemptId attempt : attempts) {
    auto review = Find(attempt);
    if (!review.ok()) return review.status();
    if (!review->has_value()) return Damaged(ReviewKey(attempt));
    reviews.push_back(**std::move(review));
  }
  return reviews;
}

absl::StatusOr<std::vector<qa::Review>> QaBook::Reviews(absl::Time from, absl::Time to) const {
  if (to - from > absl::Hours(24) * kDaysMax) {
    return absl::InvalidArgumentError(absl::StrCat("at most ", kDaysMax, " days at once"));
  }
  std::vector<qa::Review> found;
  const absl::CivilDay last = absl::ToCivilDay(to, absl::UTCTimeZone());
  for (absl::CivilDay day = absl::ToCivilDay(from, absl::UTCTimeZone()); day <= last; ++day) {
    auto attempts = Index(DayKey(day));
    if (!attempts.ok()) return attempts.status();
    auto reviews = All(*attempts);
    if (!reviews.ok()) return reviews.status();
    for (qa::Review& review : *reviews) {
      if (review.call_at >= from && review.call_at < to) found.push_back(std::move(review));
    }
  }
  std::sort(found.begin(), found.end(), [](const qa::Review& a, const qa::Review& b) {
    return a.call_at != b.call_at ? a.call_at < b.call_at : a.attempt < b.attempt;
  });
  return found;
}

absl::StatusOr<std::vector<qa::Review>> QaBook::OfAgent(const AgentId& agent) const {
  auto attempts = Index(AgentKey(agent));
  if (!attempts.ok()) return attempts.status();
  std::reverse(attempts->begin(), attempts->end());
  return All(*attempts);
}

absl::StatusOr<std::vector<std::string>> QaBook::Forget(absl::Span<const AttemptId> attempts) {
  campaign::StoreBatch batch;
  std::vector<std::string> written;
  for (const AttemptId attempt : attempts) {
    auto review = Find(attempt);
    if (!review.ok()) return review.status();
    if (!review->has_value()) continue;
    written.push_back(ReviewKey(attempt));  // the files may hold what an earlier erasure took out
    if ((*review)->comment.empty()) continue;
    (*review)->comment.clear();
    batch.meta[ReviewKey(attempt)] = qa::EncodeReview(**review);
  }
  if (batch.meta.empty()) return written;
  if (absl::Status s = store_.Commit(batch); !s.ok()) return s;
  return written;
}

std::string ReviewsForAgent(absl::Span<const qa::Review> reviews) {
  Json json = Json::array();
  for (const qa::Review& review : reviews) {
    const auto result = qa::ResultOf(review.sheet, review.scores);
    if (!result.ok()) continue;
    Json criteria = Json::array();
    for (const qa::Criterion& c : review.sheet.criteria) {
      const auto score = review.scores.find(c.id);
      if (score == review.scores.end()) continue;
      criteria.push_back({{"id", c.id},
                          {"name", c.name},
                          {"name_zh", c.name_zh},
                          {"points", score->second},
                          {"of", c.points},
                          {"fatal", c.fatal}});
    }
    json.push_back({{"attempt", review.attempt.value()},
                    {"campaign", review.campaign},
                    {"call_ms", absl::ToUnixMillis(review.call_at)},
                    {"at_ms", absl::ToUnixMillis(review.at)},
                    {"sheet", review.sheet.name},
                    {"percent", result->percent},
                    {"passed", result->passed},
                    {"fatal", result->fatal},
                    {"criteria", std::move(criteria)},
                    {"comment", review.comment}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace outpace::runtime
