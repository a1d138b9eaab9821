#include "engine/runtime/board.h"

#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/runtime/tier_json.h"

namespace outpace::runtime {
namespace {

using Json = nlohmann::ordered_json;

Json CampaignJson(const CampaignFigures& c) {
  Json contracts = Json::array();
  for (const ContractFigures& contract : c.contracts) contracts.push_back(ContractJson(contract));
  return {{"id", c.id},
          {"name", c.name},
          {"active", c.active},
          {"dial_method", c.dial_method},
          {"hopper", c.hopper},
          {"calls", {{"ringing", c.ringing}, {"waiting", c.waiting}, {"talking", c.talking}}},
          {"agents",
           {{"ready", c.ready}, {"incall", c.incall}, {"dispo", c.dispo}, {"paused", c.paused}}},
          {"today",
           {{"attempts", c.today.attempts},
            {"answered", c.today.answered},
            {"connected", c.today.connected},
            {"abandoned", c.today.abandoned},
            {"abandon_ratio", c.today.AbandonRatio()},
            {"sales", c.today.sales},
            {"dispositions", c.today.dispositions}}},
          {"amd",
           {{"people", c.amd_people},
            {"machines", c.amd_machines},
            {"lost", c.amd_lost},
            {"missed", c.amd_missed},
            {"confidence_min", c.amd_confidence_min}}},
          {"occupancy", c.occupancy},
          {"answer_ratio", c.answer_ratio},
          {"dial_level", c.dial_level},
          {"ring_s", absl::ToDoubleSeconds(c.ring_mean)},
          {"talk_s", absl::ToDoubleSeconds(c.talk_mean)},
          {"wrap_s", absl::ToDoubleSeconds(c.wrap_mean)},
          {"pacing",
           {{"legs_to_place", c.legs_to_place},
            {"limit", c.limit},
            {"p_abandon", c.p_abandon},
            {"theta", c.theta},
            {"alarm", c.alarm},
            {"why", {{"en", c.why_en}, {"zh", c.why_zh}}}}},
          {"contracts", std::move(contracts)},
          {"tiers", c.tiers.has_value() ? TierJson(*c.tiers) : Json()},
          {"idle_reason", c.idle_reason}};
}

}  // namespace

double DayFigures::AbandonRatio() const {
  const int64_t people = std::max<int64_t>(0, connected - machines) + abandoned;
  return people == 0 ? 0.0 : static_cast<double>(abandoned) / static_cast<double>(people);
}

namespace {

Json PeriodJson(const trunk::TrunkFigures& f) {
  Json json = {{"attempts", f.attempts},
               {"answered", f.answered},
               {"failed", f.failed},
               {"trunk_faults", f.trunk_faults},
               {"asr", f.asr},
               {"acd_s", absl::ToDoubleSeconds(f.acd)},
               {"pdd_ms",
                {{"mean", absl::ToDoubleMilliseconds(f.pdd_mean)},
                 {"p50", absl::ToDoubleMilliseconds(f.pdd_p50)},
                 {"p95", absl::ToDoubleMilliseconds(f.pdd_p95)}}},
               {"by_status", Json::object()},
               {"by_q850", Json::object()}};
  for (const auto& [code, count] : f.by_status) json["by_status"][absl::StrCat(code)] = count;
  for (const auto& [code, count] : f.by_q850_cause) json["by_q850"][absl::StrCat(code)] = count;
  return json;
}

Json TrunkJson(const TrunkFigures& t) {
  return {{"name", t.name},
          {"up", t.up},
          {"reason", t.reason},
          {"calls", t.calls},
          {"attempts", t.attempts},
          {"asr", t.stats.today.asr},
          {"addresses", t.addresses},
          {"faults_in_a_row", t.stats.faults_in_a_row},
          {"last_error", t.stats.last_error},
          {"last_15_minutes", PeriodJson(t.stats.window)},
          {"today", PeriodJson(t.stats.today)}};
}

}  // namespace

std::string BoardJson(const BoardSnapshot& board) {
  Json json = {{"now_ms", absl::ToUnixMillis(board.now)},
               {"uptime_s", absl::ToDoubleSeconds(board.uptime)},
               {"draining", board.draining},
               {"stopped_reason", board.stopped_reason},
               {"campaigns", Json::array()},
               {"agents", Json::array()},
               {"trunks", Json::array()},
               {"connect_ms", {{"p50", board.connect_p50_ms}, {"p99", board.connect_p99_ms}}}};
  for (const CampaignFigures& c : board.campaigns) json["campaigns"].push_back(CampaignJson(c));
  json["audio"] = {{"legs", board.audio.legs},
                   {"bridged_calls", board.audio.bridged_calls},
                   {"one_way_legs", board.audio.one_way_legs},
                   {"dropped_foreign", board.audio.dropped_foreign},
                   {"dropped_broken", board.audio.dropped_broken},
                   {"recordings_open", board.audio.recordings_open},
                   {"recordings_closed", board.audio.recordings_closed},
                   {"recordings_faulty", board.audio.recordings_faulty},
                   {"recording_blocks_lost", board.audio.recording_blocks_lost}};
  for (const AgentFigures& a : board.agents) {
    json["agents"].push_back({{"user", a.user},
                              {"campaign", a.campaign},
                              {"state", a.state},
                              {"since_ms", absl::ToUnixMillis(a.since)},
                              {"calls", a.calls},
                              {"pause_code", a.pause_code},
                              {"phone_up", a.phone_up}});
  }
  for (const TrunkFigures& t : board.trunks) {
    json["trunks"].push_back(TrunkJson(t));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string MetricsText(const BoardSnapshot& board) {
  prometheus::Registry registry;
  using Labels = std::map<std::string, std::string>;
  const auto gauge = [&](const char* name, const char* help, const Labels& labels, double value) {
    prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add(labels).Set(value);
  };
  gauge("outpace_uptime_seconds", "Seconds since start.", {}, absl::ToDoubleSeconds(board.uptime));
  gauge("outpace_dialing", "1 while the engine may dial.", {},
        board.draining || !board.stopped_reason.empty() ? 0 : 1);
  gauge("outpace_answer_to_bridge_milliseconds", "From 200 OK to the agent's line, today.",
        {{"quantile", "0.5"}}, board.connect_p50_ms);
  gauge("outpace_answer_to_bridge_milliseconds", "From 200 OK to the agent's line, today.",
        {{"quantile", "0.99"}}, board.connect_p99_ms);
  for (const CampaignFigures& c : board.campaigns) {
    const auto calls = [&](const char* state, int value) {
      gauge("outpace_calls", "Calls under way by state.", {{"campaign", c.id}, {"state", state}},
            value);
    };
    calls("ringing", c.ringing);
    calls("waiting", c.waiting);
    calls("talking", c.talking);
    const auto agents = [&](const char* state, int value) {
      gauge("outpace_agents", "Agents logged in by state.", {{"campaign", c.id}, {"state", state}},
            value);
    };
    agents("ready", c.ready);
    agents("incall", c.incall);
    agents("dispo", c.dispo);
    agents("paused", c.paused);
    const auto today = [&](const char* result, int64_t value) {
      gauge("outpace_attempts_today", "Attempts of the campaign's day by result.",
            {{"campaign", c.id}, {"result", result}}, static_cast<double>(value));
    };
    today("placed", c.today.attempts);
    today("answered", c.today.answered);
    today("connected", c.today.connected);
    today("abandoned", c.today.abandoned);
    today("sale", c.today.sales);
    gauge("outpace_abandon_ratio", "Abandoned over answered by a person, today.",
          {{"campaign", c.id}}, c.today.AbandonRatio());
    gauge("outpace_occupancy", "Share of ready time spent on calls and wrap-up.",
          {{"campaign", c.id}}, c.occupancy);
    gauge("outpace_answer_ratio", "Share of attempts answered, as pacing sees it.",
          {{"campaign", c.id}}, c.answer_ratio);
    gauge("outpace_amd_lost", "Share of people taken for machines, by the agents' word.",
          {{"campaign", c.id}}, c.amd_lost);
    gauge("outpace_amd_missed", "Share of machines taken for people, by the agents' word.",
          {{"campaign", c.id}}, c.amd_missed);
    gauge("outpace_hopper", "Leads ready in memory.", {{"campaign", c.id}},
          static_cast<double>(c.hopper));
  }
  for (const TrunkFigures& t : board.trunks) {
    gauge("outpace_trunk_up", "1 while the trunk's breaker is closed.", {{"trunk", t.name}},
          t.up ? 1 : 0);
    gauge("outpace_trunk_calls", "Legs under way on the trunk.", {{"trunk", t.name}}, t.calls);
    gauge("outpace_trunk_attempts", "INVITEs sent on the trunk.", {{"trunk", t.name}},
          static_cast<double>(t.attempts));
    const trunk::TrunkFigures& recent = t.stats.window;
    gauge("outpace_trunk_asr", "Answer-seizure ratio of the last 15 minutes (ITU-T E.411).",
          {{"trunk", t.name}}, recent.asr);
    gauge("outpace_trunk_acd_seconds", "Mean length of answered calls, last 15 minutes.",
          {{"trunk", t.name}}, absl::ToDoubleSeconds(recent.acd));
    gauge("outpace_trunk_pdd_seconds", "Post-dial delay, last 15 minutes.",
          {{"trunk", t.name}, {"quantile", "0.5"}}, absl::ToDoubleSeconds(recent.pdd_p50));
    gauge("outpace_trunk_pdd_seconds", "Post-dial delay, last 15 minutes.",
          {{"trunk", t.name}, {"quantile", "0.95"}}, absl::ToDoubleSeconds(recent.pdd_p95));
    for (const auto& [code, count] : t.stats.today.by_status) {
      gauge("outpace_trunk_responses_today", "Final responses of the day by SIP status.",
            {{"trunk", t.name}, {"status", absl::StrCat(code)}}, static_cast<double>(count));
    }
  }
  return prometheus::TextSerializer().Serialize(registry.Collect());
}

std::string BoardText(const BoardSnapshot& board) {
  std::string text;
  for (const CampaignFigures& c : board.campaigns) {
    absl::StrAppendFormat(
        &text,
        "%-8s %-16s ringing %3d  waiting %2d  talking %3d | ready %3d  incall %3d  dispo %3d  "
        "paused %3d\n         attempts %5d  answered %4d  connected %4d  abandoned %3d (%.1f %%)  "
        "sales %3d | occupancy %4.1f %%  answer ratio %4.1f %%  hopper %d\n",
        c.id, c.dial_method, c.ringing, c.waiting, c.talking, c.ready, c.incall, c.dispo, c.paused,
        c.today.attempts, c.today.answered, c.today.connected, c.today.abandoned,
        100 * c.today.AbandonRatio(), c.today.sales, 100 * c.occupancy, 100 * c.answer_ratio,
        c.hopper);
    if (c.tiers.has_value()) {
      const tier::TierReport& t = *c.tiers;
      absl::StrAppendFormat(&text,
                            "         tiers: A %d of %d, B at random %d of %d; A / B %.2f [%.2f, "
                            "%.2f]%s\n",
                            t.a.successes, t.a.attempts, t.drawn_b.successes, t.drawn_b.attempts,
                            t.ratio.ratio, t.ratio.low, t.ratio.high,
                            t.trial ? "; a challenger is tried" : "");
    }
    if (!c.idle_reason.empty())
      absl::StrAppend(&text, "         not dialing: ", c.idle_reason, "\n");
  }
  for (const TrunkFigures& t : board.trunks) {
    const trunk::TrunkFigures& recent = t.stats.window;
    absl::StrAppendFormat(
        &text,
        "trunk %-10s %s  calls %3d  attempts %5d  asr %4.1f %%  acd %3.0f s  pdd %4.1f s%s%s\n",
        t.name, t.up ? "up  " : "DOWN", t.calls, t.attempts, 100 * recent.asr,
        absl::ToDoubleSeconds(recent.acd), absl::ToDoubleSeconds(recent.pdd_p50),
        t.reason.empty() ? "" : "  ", t.reason);
  }
  absl::StrAppendFormat(&text, "answer to agent p50 %.1f ms  p99 %.1f ms%s%s\n",
                        board.connect_p50_ms, board.connect_p99_ms,
                        board.draining ? "  draining" : "",
                        board.stopped_reason.empty() ? "" : "  STOPPED: " + board.stopped_reason);
  return text;
}

}  // namespace outpace::runtime
