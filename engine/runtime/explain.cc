#include "engine/runtime/explain.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace outpace::runtime {
namespace {

using Json = nlohmann::ordered_json;
using pacing::Alarm;
using pacing::Limit;

// Both languages side by side, so that a sentence cannot be changed in one alone.
struct Words {
  bool chinese = false;
  std::string operator()(const char* english, const std::string& zh) const {
    return chinese ? zh : english;
  }
  std::string operator()(const std::string& english, const std::string& zh) const {
    return chinese ? zh : english;
  }
};

double Finite(double v) { return std::isfinite(v) ? v : 0; }
std::string Percent(double ratio, int digits = 1) {
  return absl::StrFormat("%.*f %%", digits, 100 * Finite(ratio));
}
std::string Tenths(double v) { return absl::StrFormat("%.1f", Finite(v)); }
std::string Seconds(absl::Duration d) {
  const double s = absl::ToDoubleSeconds(d);
  return absl::StrFormat(s < 60 ? "%.1f s" : "%.0f s", s);
}
std::string Count(int64_t n, const char* one, const char* more) {
  return absl::StrCat(n, " ", n == 1 ? one : more);
}

std::string WindowText(const std::string& window, Words w) {
  if (window == "day") return w("today", "今天");
  if (window == "month") return w("this month", "本月");
  if (window == "campaign") {
    return w("in this campaign (periods of 30 days)", "本任务，每 30 天为一期");
  }
  if (window == "rolling_24h") return w("in the last 24 hours", "最近 24 小时");
  if (window == "rolling_30d") return w("in the last 30 days", "最近 30 天");
  return window;
}

std::string ContractName(const std::string& name, Words w) {
  if (name == "regulation") return w("the regulation's limit", "法规上限");
  if (name == "client") return w("the client's limit", "客户合同上限");
  return w(absl::StrCat("the contract ", name), absl::StrCat("约束 ", name));
}

const DecisionTerms::Contract* ContractOf(const DecisionRecord& record) {
  const int i = record.decision.contract;
  if (record.terms == nullptr || i < 0) return nullptr;
  const auto& contracts = record.terms->contracts;
  return static_cast<size_t>(i) < contracts.size() ? &contracts[static_cast<size_t>(i)] : nullptr;
}

std::string AlarmText(Alarm alarm, Words w) {
  switch (alarm) {
    case Alarm::kNone:
      break;
    case Alarm::kBadInput:
      return w("a figure of the call floor was impossible", "收到不可能的现场数据");
    case Alarm::kClockStep:
      return w("the clock jumped", "时钟跳变");
    case Alarm::kAnswersTooMany:
      return w("nearly every call is answered at once: the trunk may be answering by itself",
               "几乎所有呼叫立即接通，可能是中继自动应答");
    case Alarm::kNoPersons:
      return w("answering-machine detection calls everyone a machine",
               "应答机识别把所有人都判为机器");
  }
  return "";
}

// Why not one more.
std::string LimitText(const DecisionRecord& record, Words w) {
  const pacing::Decision& d = record.decision;
  static const DecisionTerms kNoTerms;
  const DecisionTerms& terms = record.terms == nullptr ? kNoTerms : *record.terms;
  switch (d.limit) {
    case Limit::kNone:
      return w("There is nothing to decide yet.", "目前无需决策。");
    case Limit::kMethod:
      return w(
          absl::StrCat("With ", terms.dial_method, " the agents ask for each call themselves."),
          absl::StrCat(terms.dial_method, " 方式由坐席自己发起每一通呼叫。"));
    case Limit::kAgents:
      if (d.agents_idle + d.agents_talking + d.agents_wrapping == 0) {
        return w("No agent is ready to work.", "没有坐席可用。");
      }
      return w("Each free agent has a line ringing; this method dials no further ahead.",
               "每位空闲坐席已有一路振铃，本方式不再提前拨号。");
    case Limit::kLevel:
      return w(
          absl::StrFormat("The dial level allows no more: %.2f lines an agent now (%s %g).",
                          Finite(d.dial_level), terms.dial_method == "RATIO" ? "set to" : "at most",
                          terms.dial_method == "RATIO" ? terms.level : terms.level_max),
          absl::StrFormat("已到外呼比例上限：当前每坐席 %.2f 路（上限 %g）。", Finite(d.dial_level),
                          terms.dial_method == "RATIO" ? terms.level : terms.level_max));
    case Limit::kAbandonment:
      return w(absl::StrCat("If one more were answered, no agent would be free in ",
                            Percent(d.p_abandon, 2), " of cases; ", Percent(d.theta, 2),
                            " is allowed now."),
               absl::StrCat("再拨一路，若被接听，届时没有空闲坐席的概率为 ",
                            Percent(d.p_abandon, 2), "，当前允许 ", Percent(d.theta, 2), "。"));
    case Limit::kBudget: {
      const DecisionTerms::Contract* contract = ContractOf(record);
      const std::string name = contract == nullptr ? w("the limit on abandoned calls", "呼损率上限")
                                                   : ContractName(contract->name, w);
      if (terms.dial_method == "RATIO") {
        return w(
            absl::StrCat("What ", name,
                         " allows is used up: one call for each free agent until it recovers."),
            absl::StrCat(name, "的额度已用完：恢复之前每位空闲坐席只拨一路。"));
      }
      return w(absl::StrCat("What ", name,
                            " allows is used up: less risk is taken until it recovers. If one more "
                            "were answered, no agent would be free in ",
                            Percent(d.p_abandon, 2), " of cases; ", Percent(d.theta, 2),
                            " is allowed now."),
               absl::StrCat(name,
                            "的额度已用完：恢复之前减小风险。再拨一路，若被接听，"
                            "届时没有空闲坐席的概率为 ",
                            Percent(d.p_abandon, 2), "，当前允许 ", Percent(d.theta, 2), "。"));
    }
    case Limit::kLines:
      return record.trunk_shared
                 ? w(absl::StrCat("The campaign's share of the lines of trunk ", terms.trunk,
                                  " is in use."),
                     absl::StrCat("本任务在中继 ", terms.trunk, " 上的线路份额已占满。"))
                 : w("All lines are in use.", "线路已全部占用。");
    case Limit::kTrunkRate:
      return record.trunk_shared
                 ? w(absl::StrCat("The campaign's share of the rate of trunk ", terms.trunk,
                                  " is used for now."),
                     absl::StrCat("本任务在中继 ", terms.trunk, " 上的速率份额暂时用完。"))
                 : w(absl::StrCat("The rate of trunk ", terms.trunk, " lets no more through now."),
                     absl::StrCat("中继 ", terms.trunk, " 的速率暂时不允许更多。"));
    case Limit::kHopper:
      return w(absl::StrCat("Only ", Count(record.leads_ready, "lead is", "leads are"), " ready."),
               absl::StrCat("只有 ", record.leads_ready, " 条名单可拨。"));
    case Limit::kBurst:
      return w("No more at once: after a pause calls go out step by step.",
               "不一次发出更多：停顿之后逐步恢复拨号。");
    case Limit::kSafety:
      return w("Fallen back to one call for each free agent.", "已退回到每位空闲坐席一路。");
  }
  return "";
}

}  // namespace

std::vector<std::string> Explain(const DecisionRecord& record, const std::string& idle_reason,
                                 Language language) {
  const Words w{language == Language::kChinese};
  const pacing::Decision& d = record.decision;
  std::vector<std::string> out;
  if (!idle_reason.empty()) {
    out.push_back(w(absl::StrCat("No call is placed: ", idle_reason, "."),
                    absl::StrCat("不拨号：", idle_reason, "。")));
  } else {
    const std::string done =
        record.placed > 0 ? w(absl::StrCat("Placing ", Count(record.placed, "call", "calls")),
                              absl::StrCat("发起 ", record.placed, " 路呼叫"))
                          : w("Placing no call now", "此刻不发起呼叫");
    const std::string minute = w(absl::StrCat(" (", record.placed_minute, " in the last minute). "),
                                 absl::StrCat("（最近一分钟 ", record.placed_minute, " 路）。"));
    out.push_back(absl::StrCat(done, minute, LimitText(record, w)));
  }
  if (d.alarm != Alarm::kNone) {
    out.push_back(w(absl::StrCat("Alarm: ", AlarmText(d.alarm, w), "."),
                    absl::StrCat("告警：", AlarmText(d.alarm, w), "。")));
  }
  out.push_back(w(absl::StrCat("Agents: ", d.agents_idle, " free, ", d.agents_talking, " talking, ",
                               d.agents_wrapping, " in wrap-up."),
                  absl::StrCat("坐席：", d.agents_idle, " 空闲，", d.agents_talking, " 通话，",
                               d.agents_wrapping, " 话后。")));
  out.push_back(w(
      absl::StrCat(
          "Calls: ", d.in_flight, " ringing, ", d.calls_waiting, " waiting for an agent",
          d.calls_in_amd > 0 ? absl::StrCat(", ", d.calls_in_amd, " in machine detection") : "",
          "."),
      absl::StrCat("呼叫：", d.in_flight, " 振铃，", d.calls_waiting, " 等待坐席",
                   d.calls_in_amd > 0 ? absl::StrCat("，", d.calls_in_amd, " 正在识别应答机") : "",
                   "。")));
  out.push_back(w(absl::StrCat("Within one ring time ", Tenths(d.answers_expected),
                               " answers are expected from them, and ",
                               Tenths(d.agents_expected_free), " agents free."),
                  absl::StrCat("一个振铃时长内预计 ", Tenths(d.answers_expected), " 路接听，",
                               Tenths(d.agents_expected_free), " 位坐席空闲。")));
  std::string learned =
      w(absl::StrCat("Learned: ", Percent(d.answer_ratio), " of calls reach an agent"),
        absl::StrCat("已学习：", Percent(d.answer_ratio), " 的呼叫到达坐席"));
  if (d.machine_estimate > 0) {
    absl::StrAppend(&learned, w(absl::StrCat(" (", Percent(d.machine_estimate), " machines)"),
                                absl::StrCat("（其中 ", Percent(d.machine_estimate), " 为机器）")));
  }
  absl::StrAppend(
      &learned,
      w(absl::StrCat("; ring ", Seconds(d.ring_time_mean), ", talk ", Seconds(d.talk_time_mean),
                     ", wrap-up ", Seconds(d.wrap_time_mean), "."),
        absl::StrCat("；振铃 ", Seconds(d.ring_time_mean), "，通话 ", Seconds(d.talk_time_mean),
                     "，话后 ", Seconds(d.wrap_time_mean), "。")));
  out.push_back(std::move(learned));
  if (const DecisionTerms::Contract* contract = ContractOf(record)) {
    const double ratio = d.persons > 0 ? d.abandoned / d.persons : 0;
    const double left = std::max(0.0, std::floor(Finite(d.budget_left)));
    out.push_back(
        w(absl::StrCat("Binding: ", ContractName(contract->name, w), ", ",
                       Percent(contract->ratio_max), " ", WindowText(contract->window, w), ": ",
                       absl::StrFormat("%.0f of %.0f persons who answered were abandoned (",
                                       Finite(d.abandoned), Finite(d.persons)),
                       Percent(ratio, 2), absl::StrFormat("), %.0f more may be now; ", left),
                       "aim ", Percent(d.aim, 2), "."),
          absl::StrCat("约束：", ContractName(contract->name, w), " ", Percent(contract->ratio_max),
                       "（", WindowText(contract->window, w), "）：",
                       absl::StrFormat("%.0f 位真人接听中呼损 %.0f 位（", Finite(d.persons),
                                       Finite(d.abandoned)),
                       Percent(ratio, 2), absl::StrFormat("），目前还可损失 %.0f 位；", left),
                       "目标 ", Percent(d.aim, 2), "。")));
  }
  return out;
}

Json DecisionJson(const DecisionRecord& record) {
  const pacing::Decision& d = record.decision;
  Json contract;
  if (const DecisionTerms::Contract* c = ContractOf(record)) {
    contract = {{"name", c->name},
                {"ratio_max", c->ratio_max},
                {"window", c->window},
                {"persons", Finite(d.persons)},
                {"abandoned", Finite(d.abandoned)},
                {"left", Finite(d.budget_left)}};
  }
  return {
      {"at_ms", absl::ToUnixMillis(record.at)},
      {"legs_to_place", d.legs_to_place},
      {"placed", record.placed},
      {"placed_minute", record.placed_minute},
      {"limit", std::string(pacing::LimitName(d.limit))},
      {"alarm", std::string(pacing::AlarmName(d.alarm))},
      {"agents",
       {{"idle", d.agents_idle}, {"talking", d.agents_talking}, {"wrapping", d.agents_wrapping}}},
      {"calls",
       {{"ringing", d.in_flight}, {"waiting", d.calls_waiting}, {"in_amd", d.calls_in_amd}}},
      {"expected",
       {{"agents_free", Finite(d.agents_expected_free)}, {"answers", Finite(d.answers_expected)}}},
      {"answer_ratio", Finite(d.answer_ratio)},
      {"machine_ratio", Finite(d.machine_estimate)},
      {"ring_s", absl::ToDoubleSeconds(d.ring_time_mean)},
      {"talk_s", absl::ToDoubleSeconds(d.talk_time_mean)},
      {"wrap_s", absl::ToDoubleSeconds(d.wrap_time_mean)},
      {"p_abandon", Finite(d.p_abandon)},
      {"theta", Finite(d.theta)},
      {"aim", Finite(d.aim)},
      {"contract", std::move(contract)},
      {"dial_level", Finite(d.dial_level)},
      {"caps",
       {{"lines", record.lines_free},
        {"trunk_tokens", record.trunk_tokens},
        {"leads", record.leads_ready},
        {"trunk_shared", record.trunk_shared}}}};
}

std::string WhyText(const WhyAnswer& answer) {
  if (!answer.decided) {
    return absl::StrCat("Campaign ", answer.campaign, ": nothing was decided yet",
                        answer.idle_reason.empty() ? "" : absl::StrCat(": ", answer.idle_reason),
                        ".\n");
  }
  std::string text =
      absl::StrCat("Campaign ", answer.campaign, ", ",
                   absl::FormatTime("%Y-%m-%d %H:%M:%E1S %Z", answer.latest.at, answer.zone), "\n");
  for (const std::string& sentence :
       Explain(answer.latest, answer.idle_reason, Language::kEnglish)) {
    absl::StrAppend(&text, "  ", sentence, "\n");
  }
  if (answer.last.empty()) return text;
  absl::StrAppendFormat(&text, "\n%-10s %5s %-11s %4s %4s %4s %4s %4s %6s %6s %8s %8s\n", "time",
                        "calls", "limit", "free", "talk", "wrap", "ring", "wait", "x.free",
                        "x.answ", "p_ab", "theta");
  for (const DecisionRecord& record : answer.last) {
    const pacing::Decision& d = record.decision;
    absl::StrAppendFormat(
        &text, "%-10s %5d %-11s %4d %4d %4d %4d %4d %6s %6s %8s %8s%s\n",
        absl::FormatTime("%H:%M:%E1S", record.at, answer.zone), record.placed,
        pacing::LimitName(d.limit), d.agents_idle, d.agents_talking, d.agents_wrapping, d.in_flight,
        d.calls_waiting, Tenths(d.agents_expected_free), Tenths(d.answers_expected),
        Percent(d.p_abandon, 2), Percent(d.theta, 2),
        d.alarm == Alarm::kNone ? "" : absl::StrCat("  ", pacing::AlarmName(d.alarm)));
  }
  return text;
}

std::string WhyJson(const WhyAnswer& answer) {
  Json json = {
      {"campaign", answer.campaign},       {"now_ms", absl::ToUnixMillis(answer.now)},
      {"idle_reason", answer.idle_reason}, {"why", {{"en", Json::array()}, {"zh", Json::array()}}},
      {"text", WhyText(answer)},           {"latest", nullptr},
      {"decisions", Json::array()}};
  if (answer.decided) {
    json["why"]["en"] = Explain(answer.latest, answer.idle_reason, Language::kEnglish);
    json["why"]["zh"] = Explain(answer.latest, answer.idle_reason, Language::kChinese);
    json["latest"] = DecisionJson(answer.latest);
  }
  for (const DecisionRecord& record : answer.last)
    json["decisions"].push_back(DecisionJson(record));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace outpace::runtime
