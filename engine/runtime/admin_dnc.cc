// Operations on single do-not-call entries. Files of them: admin_dnc_files.cc.

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "campaign/number_plan.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/dnc_entries.h"
#include "engine/runtime/dnc_file.h"
#include "engine/runtime/registry_shelf.h"

namespace outpace::runtime {
namespace {

std::string DayText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M", time, absl::UTCTimeZone());
}

std::string ReasonText(dnc::DncMatch match) { return std::string(dnc::DncReason(match)); }

dnc::DncMatch MatchOf(dnc::DncLevel level) {
  switch (level) {
    case dnc::DncLevel::kSystem:
      return dnc::DncMatch::kSystem;
    case dnc::DncLevel::kLitigator:
      return dnc::DncMatch::kLitigator;
    case dnc::DncLevel::kState:
      return dnc::DncMatch::kState;
    case dnc::DncLevel::kClient:
      return dnc::DncMatch::kClient;
    case dnc::DncLevel::kCampaign:
      return dnc::DncMatch::kCampaign;
  }
  return dnc::DncMatch::kNone;
}

// "scope state:FL, range +1900*, reason premium, source ..., by ..., since 2026-11-21 10:00 UTC,
// for good". `with_number`: for lists of many.
std::string EntryText(const campaign::DncEntry& entry, absl::Time now) {
  std::vector<std::string> parts = {absl::StrCat("scope ", entry.scope.ToString())};
  if (!entry.phone.valid()) parts.push_back(absl::StrCat("range ", entry.range.ToString()));
  const auto add = [&](absl::string_view name, const std::string& value) {
    if (!value.empty()) parts.push_back(absl::StrCat(name, " ", value));
  };
  add("reason", entry.reason);
  add("source", entry.source);
  add("by", entry.by);
  if (entry.added != absl::InfinitePast()) {
    parts.push_back(absl::StrCat("since ", DayText(entry.added), " UTC"));
  }
  parts.push_back(entry.expires == absl::InfiniteFuture()
                      ? "for good"
                      : absl::StrCat(entry.expires <= now ? "ended " : "until ",
                                     DayText(entry.expires), " UTC"));
  return absl::StrJoin(parts, ", ");
}

Json JsonOf(const campaign::DncEntry& entry, absl::Time now) {
  Json json = {{"number", entry.phone.valid() ? entry.phone.ToString() : entry.range.ToString()},
               {"scope", entry.scope.ToString()},
               {"reason", entry.reason},
               {"source", entry.source},
               {"by", entry.by}};
  const auto add = [&](const char* name, absl::Time time) {
    if (time == absl::InfinitePast() || time == absl::InfiniteFuture()) return;
    json[name] = absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone());
  };
  add("added", entry.added);
  add("expires", entry.expires);
  json["in_force"] = now < entry.expires;
  return json;
}

// What the evidence log is told beside the arguments. Eight digits of a range are as good as a
// number: they stand there as a mark only.
void Tell(const campaign::DncEntry& entry, const std::function<std::string(E164)>& mark,
          Json& answer) {
  answer["scope"] = entry.scope.ToString();
  if (!entry.phone.valid()) {
    constexpr uint64_t kEightDigits = 10'000'000;
    answer["range_mark"] = entry.range.digits < kEightDigits ? entry.range.ToString()
                           : mark                            ? mark(E164(entry.range.digits))
                                                             : "";
  }
  if (entry.expires != absl::InfiniteFuture()) {
    answer["expires"] = absl::FormatTime(absl::RFC3339_sec, entry.expires, absl::UTCTimeZone());
  }
}

}  // namespace

absl::Status Admin::Impl::AddDnc(std::vector<campaign::DncEntry> entries) {
  if (hooks.add_dnc) return hooks.add_dnc(std::move(entries));
  for (campaign::DncEntry& entry : entries) {
    // As an engine does it: what is listed stays at least as long as it was to.
    if (entry.expires == absl::InfiniteFuture()) continue;
    auto before = store.GetDnc(entry);
    if (!before.ok()) return before.status();
    if (before->has_value()) entry.expires = std::max(entry.expires, (*before)->expires);
  }
  campaign::StoreBatch batch;
  batch.dnc_added = std::move(entries);
  return store.Commit(batch);
}

// A misspelt campaign must not be a silent nothing.
absl::Status Admin::Impl::CheckDncScope(const dnc::DncScope& scope) const {
  if (scope.id.size() > 255 || scope.id.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("the name of a do-not-call list has at most 255 bytes");
  }
  if (scope.level != dnc::DncLevel::kCampaign) return absl::OkStatus();
  return FindCampaign(scope.id).status();
}

absl::StatusOr<dnc::DncScope> Admin::Impl::DncScopeIn(const Json& arguments) const {
  std::vector<dnc::DncScope> scopes;
  if (const std::string text = Text(arguments, "scope"); !text.empty()) {
    auto scope = dnc::DncScope::Parse(text);
    if (!scope.ok()) return scope.status();
    scopes.push_back(*std::move(scope));
  }
  if (Flag(arguments, "litigator")) scopes.push_back({dnc::DncLevel::kLitigator, ""});
  const auto add = [&](const char* name, dnc::DncLevel level) {
    if (const std::string id = Text(arguments, name); !id.empty()) scopes.push_back({level, id});
  };
  add("state", dnc::DncLevel::kState);
  add("client", dnc::DncLevel::kClient);
  add("campaign", dnc::DncLevel::kCampaign);
  if (scopes.empty()) return dnc::DncScope();
  if (scopes.size() > 1) {
    return absl::InvalidArgumentError(
        "an entry stands in one list: give one of campaign, client, state, litigator and scope");
  }
  if (scopes[0].level == dnc::DncLevel::kState) absl::AsciiStrToUpper(&scopes[0].id);
  if (absl::Status s = CheckDncScope(scopes[0]); !s.ok()) return s;
  return scopes[0];
}

absl::StatusOr<campaign::DncEntry> Admin::Impl::DncDefaultsIn(const Json& arguments,
                                                              const std::string& source) const {
  auto scope = DncScopeIn(arguments);
  if (!scope.ok()) return scope.status();
  campaign::DncEntry entry;
  entry.scope = *std::move(scope);
  entry.source = CleanDncText(Text(arguments, "source", source));
  entry.reason = CleanDncText(Text(arguments, "reason"));
  entry.by = hooks.actor;
  entry.added = clock.Wall();
  if (entry.reason.size() > campaign::kDncReasonMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("reason: at most ", campaign::kDncReasonMax, " bytes"));
  }
  if (const std::string text = Text(arguments, "expires"); !text.empty()) {
    auto expires = ParseDncTime(text, /*end_of_day=*/true);
    if (!expires.ok()) return expires.status();
    if (*expires <= entry.added) return absl::InvalidArgumentError("expires: that is over already");
    entry.expires = *expires;
  }
  return entry;
}

absl::StatusOr<campaign::DncEntry> Admin::Impl::DncEntryIn(const Json& arguments) const {
  auto number = Need(arguments, "number");
  if (!number.ok()) return number.status();
  auto entry = DncDefaultsIn(arguments, "command line");
  if (!entry.ok()) return entry.status();
  absl::Status read = ParseDncNumber(*number, Text(arguments, "country", "US"), *entry);
  if (!read.ok()) return read;
  return entry;
}

absl::StatusOr<Json> Admin::Impl::DncAdd(const Json& arguments) {
  auto entry = DncEntryIn(arguments);
  if (!entry.ok()) return entry.status();
  if (absl::Status s = AddDnc({*entry}); !s.ok()) return s;
  std::string text = entry->phone.valid() ? "added: the number is not dialed from now on"
                                          : "added: no number of the range is dialed from now on";
  const bool of_client = entry->scope.level == dnc::DncLevel::kClient;
  if (of_client) absl::StrAppend(&text, " for this client");
  if (entry->expires != absl::InfiniteFuture()) {
    auto stored = store.GetDnc(*entry);
    if (!stored.ok()) return stored.status();
    if (stored->has_value()) entry->expires = (*stored)->expires;
    absl::StrAppend(&text, entry->expires == absl::InfiniteFuture()
                               ? "; it was listed for good and stays so"
                               : absl::StrCat(", until ", DayText(entry->expires), " UTC"));
  }
  if (of_client) {
    auto campaigns = store.Campaigns();
    if (!campaigns.ok()) return campaigns.status();
    const bool known = std::any_of(campaigns->begin(), campaigns->end(),
                                   [&](const auto& c) { return c.client_id == entry->scope.id; });
    absl::StrAppend(&text, known ? "" : "; no campaign has this client_id as yet");
  }
  Json answer = Answer(text + "\n");
  Tell(*entry, hooks.number_mark, answer);
  return answer;
}

absl::StatusOr<Json> Admin::Impl::DncRemove(const Json& arguments) {
  auto entry = DncEntryIn(arguments);
  if (!entry.ok()) return entry.status();
  auto before = store.GetDnc(*entry);
  if (!before.ok()) return before.status();
  if (hooks.remove_dnc) {
    if (absl::Status s = hooks.remove_dnc(*entry); !s.ok()) return s;
  } else {
    campaign::StoreBatch batch;
    batch.dnc_removed.push_back(*entry);
    if (absl::Status s = store.Commit(batch); !s.ok()) return s;
  }
  std::string text = before->has_value() ? "removed\n" : "it was not on that list\n";
  if (entry->phone.valid()) {
    auto left = store.DncOf(entry->phone);
    if (!left.ok()) return left.status();
    for (const campaign::DncEntry& other : *left) {
      if (other.expires <= clock.Wall()) continue;
      absl::StrAppend(&text, "still listed: ", EntryText(other, clock.Wall()), "\n");
    }
  }
  Json answer = Answer(text);
  Tell(*entry, hooks.number_mark, answer);
  answer["removed"] = before->has_value();
  return answer;
}

absl::StatusOr<Json> Admin::Impl::DncCheck(const Json& arguments) {
  auto number = Need(arguments, "number");
  if (!number.ok()) return number.status();
  auto phone = campaign::NormalizePhone(*number, Text(arguments, "country", "US"));
  if (!phone.ok()) return phone.status();
  std::optional<campaign::CampaignSettings> asks;
  if (const CampaignId id = Text(arguments, "campaign"); !id.empty()) {
    auto settings = FindCampaign(id);
    if (!settings.ok()) return settings.status();
    asks = *std::move(settings);
  }
  auto entries = store.DncOf(*phone);
  if (!entries.ok()) return entries.status();
  const absl::Time now = clock.Wall();
  std::string text, ended;
  Json hits = Json::array();
  for (const campaign::DncEntry& entry : *entries) {
    const dnc::DncScope& scope = entry.scope;
    const bool others = asks.has_value() &&
                        ((scope.level == dnc::DncLevel::kClient && scope.id != asks->client_id) ||
                         (scope.level == dnc::DncLevel::kCampaign && scope.id != asks->id));
    if (others) continue;
    Json hit = JsonOf(entry, now);
    hit["match"] = ReasonText(MatchOf(scope.level));
    hits.push_back(std::move(hit));
    const bool stands = now < entry.expires;
    absl::StrAppend(stands ? &text : &ended, stands ? ReasonText(MatchOf(scope.level)) : "ended",
                    "\n  ", EntryText(entry, now), "\n");
  }
  auto in_force = DncAbout({*phone});
  if (!in_force.ok()) return in_force.status();
  for (const dnc::DncHit& hit : in_force->Find(*phone, {.now = now})) {
    if (hit.match != dnc::DncMatch::kErased && hit.match != dnc::DncMatch::kRegistry) continue;
    absl::StrAppend(&text, ReasonText(hit.match), "\n");
    Json json = {{"match", ReasonText(hit.match)}};
    for (const auto& registry :
         hooks.registries == nullptr ? Registries() : hooks.registries->All()) {
      if (hit.match != dnc::DncMatch::kRegistry || registry->info().name != hit.list) continue;
      const std::string obtained = absl::FormatCivilTime(registry->info().obtained);
      absl::StrAppend(&text, "  registry ", hit.list, ", source ", registry->info().source,
                      ", obtained ", obtained, "\n");
      json["registry"] = std::string(hit.list);
      json["source"] = registry->info().source;
      json["obtained"] = obtained;
    }
    hits.push_back(std::move(json));
  }
  Json answer = Answer(absl::StrCat(text.empty() ? "not listed\n" : text, ended));
  answer["listed"] = !text.empty();
  answer["hits"] = std::move(hits);
  return answer;
}

absl::StatusOr<Json> Admin::Impl::DncList(const Json& arguments) {
  uint64_t limit = 100;
  if (arguments.contains("limit")) {
    auto given = NumberIn(arguments, "limit", "");
    if (!given.ok()) return given.status();
    limit = *given;
  }
  std::optional<dnc::DncScope> only;
  if (arguments.contains("scope")) {
    auto scope = dnc::DncScope::Parse(Text(arguments, "scope"));
    if (!scope.ok()) return scope.status();
    only = *std::move(scope);
  }
  const absl::Time now = clock.Wall();
  std::string text;
  Json entries = Json::array();
  bool more = false;
  const absl::Status read = store.ForEachDnc([&](const campaign::DncEntry& entry) {
    if (only.has_value() && entry.scope != *only) return entry.scope < *only;
    more = entries.size() == limit;
    if (more) return false;
    absl::StrAppend(&text, entry.phone.valid() ? entry.phone.ToString() : entry.range.ToString(),
                    "  ", EntryText(entry, now), "\n");
    entries.push_back(JsonOf(entry, now));
    return true;
  });
  if (!read.ok()) return read;
  if (text.empty()) text = "there are no entries\n";
  if (more) absl::StrAppend(&text, "and more: --limit N, or all of them: outpace dnc export\n");
  Json answer = Answer(text);
  answer["entries"] = std::move(entries);
  answer["more"] = more;
  return answer;
}

}  // namespace outpace::runtime
