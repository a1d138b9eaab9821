// The statuses of the field with the flags every report is built on: VICIdial's names and defaults
// (vicidial_statuses), so that a manager's habits and spreadsheets hold.

#include "campaign/disposition.h"

#include <utility>

#include "campaign/status_set.h"

namespace outpace::campaign {
namespace {

// Delays by habit of the field: VICIdial recycles after 1800 s; a busy line is free again sooner
// than an absent person is home; a phone that is off or out of coverage stays so for hours.
// docs/STATUSES.md has the table.
NextStep Again(int seconds, int tries, TierMove tier = TierMove::kB) {
  NextStep next;
  next.delay = absl::Seconds(seconds);
  next.tries = tries;
  next.tier = tier;
  return next;
}

// Comes back where a rule of the campaign says so, and else not.
NextStep Rests(TierMove tier = TierMove::kB) { return Again(0, 0, tier); }

NextStep Final(TierMove tier = TierMove::kB, DncStep dnc = DncStep::kNone) {
  NextStep next = Rests(tier);
  next.final = true;
  next.dnc = dnc;
  return next;
}

// No repeat after an abandoned call without a guaranteed agent: Ofcom 2010 statement on persistent
// misuse, A1.55; kept where no rule asks for it, because the person was rung for nothing.
constexpr int kAbandonedRestSeconds = 72 * 3600;

std::vector<Disposition> MakeDispositions() {
  std::vector<Disposition> out;
  using D = Disposition;
  auto add = [&out](absl::string_view status, absl::string_view name, absl::string_view name_zh,
                    absl::string_view category, char hotkey, NextStep next, auto... flags) {
    D d;
    d.status = std::string(status);
    d.name = std::string(name);
    d.name_zh = std::string(name_zh);
    d.category = std::string(category);
    d.hotkey = hotkey;
    d.selectable = hotkey != 0;
    d.next = std::move(next);
    ((d.*flags = true), ...);
    out.push_back(std::move(d));
  };
  constexpr TierMove kToA = TierMove::kA;
  // Selectable by the agent, in the order of the keys. SALE has no customer_contact: VICIdial's
  // default, kept so that contact rates compare with what the manager had before. Who was reached
  // and did not say no has a better place in the queue than who was never spoken to: tier A.
  add("SALE", "Sale Made", "成交", "success", '1', Final(kToA), &D::human_answered, &D::sale,
      &D::completed);
  add("NI", "Not Interested", "不感兴趣", "refused", '2', Rests(), &D::human_answered,
      &D::customer_contact, &D::not_interested);
  add("CALLBK", "Call Back", "预约回访", "callback", '3', Again(3600, 0, kToA), &D::human_answered,
      &D::customer_contact, &D::scheduled_callback);
  add("DEC", "Declined Sale", "拒绝成交", "refused", '4', Rests(), &D::human_answered,
      &D::customer_contact);
  add("NP", "No Pitch No Price", "未介绍产品", "contact", '5', Again(3600, 2), &D::human_answered);
  add("A", "Answering Machine", "语音信箱", "machine", '6', Again(7200, 2), &D::answering_machine);
  add("N", "No Answer", "无人接听", "unreached", '7', Again(1800, 3));
  add("B", "Busy", "占线", "unreached", '8', Again(900, 5));
  add("DC", "Disconnected Number", "空号/停机", "bad_number", '9', Final(), &D::unworkable);
  add("DNC", "DO NOT CALL", "加黑名单", "do_not_call", '0', Final(TierMove::kB, DncStep::kSystem),
      &D::human_answered, &D::dnc, &D::completed);
  add("XFER", "Call Transferred", "已转接", "contact", 'x', Rests(kToA), &D::human_answered,
      &D::customer_contact);
  add("DAIR", "Dead Air", "无声", "unreached", 'd', Again(1800, 1));
  // Set by the engine.
  const NextStep abandoned = Again(kAbandonedRestSeconds, 2);
  add("NEW", "New Lead", "新名单", "waiting", 0, Rests());
  add("QUEUE", "Lead To Be Called", "待呼叫", "waiting", 0, Rests());
  add("INCALL", "Lead Being Called", "呼叫中", "waiting", 0, Rests());
  add("DROP", "Agent Not Available", "呼损", "abandoned", 0, abandoned, &D::human_answered);
  add("XDROP", "Agent Not Available IN", "呼入呼损", "abandoned", 0, abandoned, &D::human_answered);
  add("PDROP", "Outbound Pre-Routing Drop", "路由前呼损", "abandoned", 0, abandoned,
      &D::human_answered);
  add("NA", "No Answer AutoDial", "无人接听(自动)", "unreached", 0, Again(1800, 3));
  add("AB", "Busy Auto", "占线(自动)", "unreached", 0, Again(900, 5));
  add("ADC", "Disconnected Number Auto", "空号(自动)", "bad_number", 0, Final(), &D::unworkable);
  add("ADCT", "Disconnected Number Temporary", "关机/无法接通", "unreached", 0, Again(14400, 2));
  add("AA", "Answering Machine Auto", "语音信箱(自动)", "machine", 0, Again(7200, 2),
      &D::answering_machine);
  add("AM", "Answering Machine Sent to Message", "已转语音留言", "machine", 0, Again(86400, 1),
      &D::answering_machine);
  add("AL", "Answering Machine Message Played", "已播放留言", "machine", 0, Again(86400, 1),
      &D::answering_machine);
  // A machine as well: no person was there to be served or to miss an agent.
  add("AFAX", "Fax Machine Auto", "传真", "machine", 0, Final(), &D::unworkable,
      &D::answering_machine);
  add("CBHOLD", "Call Back Hold", "预约待呼", "callback", 0, Again(3600, 0, kToA),
      &D::human_answered, &D::customer_contact, &D::scheduled_callback);
  add("DNCL", "DO NOT CALL List Match", "命中系统黑名单", "do_not_call", 0, Final(), &D::dnc,
      &D::completed);
  add("DNCC", "DO NOT CALL Campaign Match", "命中活动黑名单", "do_not_call", 0, Final(), &D::dnc,
      &D::completed);
  add("DISPO", "Wrap-up Time Out", "话后超时", "system", 0, Again(3600, 1), &D::human_answered);
  add("LSMERG", "Merged Into Another Lead", "已合并", "system", 0, Final(), &D::completed);
  add("MAXCAL", "Call Count Limit Reached", "达到呼叫次数上限", "system", 0, Final(),
      &D::completed);
  add("ERI", "Agent Error", "坐席错误", "system", 0, Again(3600, 1));
  add("LRERR", "Outbound Local Channel Resolve Error", "线路错误", "system", 0, Again(1800, 2));
  return out;
}

constexpr std::pair<absl::string_view, absl::string_view> kCategories[] = {
    {"success", "成功"},    {"contact", "已接触"},     {"refused", "拒绝"},
    {"callback", "回访"},   {"machine", "语音信箱"},   {"unreached", "未接通"},
    {"bad_number", "坏号"}, {"do_not_call", "黑名单"}, {"abandoned", "呼损"},
    {"waiting", "待呼"},    {"system", "系统"},
};

}  // namespace

const std::vector<StatusFlag>& StatusFlags() {
  using D = Disposition;
  static const auto* const kFlags = new std::vector<StatusFlag>{
      {"selectable", &D::selectable},
      {"human_answered", &D::human_answered},
      {"sale", &D::sale},
      {"dnc", &D::dnc},
      {"customer_contact", &D::customer_contact},
      {"not_interested", &D::not_interested},
      {"unworkable", &D::unworkable},
      {"scheduled_callback", &D::scheduled_callback},
      {"completed", &D::completed},
      {"answering_machine", &D::answering_machine},
  };
  return *kFlags;
}

const std::vector<Disposition>& Dispositions() {
  static const auto* const kDispositions = new std::vector<Disposition>(MakeDispositions());
  return *kDispositions;
}

const Disposition* FindDisposition(absl::string_view status) {
  return StatusSet::System().Find(status);
}

bool IsEngineStatus(absl::string_view status) {
  const Disposition* row = FindDisposition(status);
  return row != nullptr && !row->selectable;
}

absl::string_view CategoryNameZh(absl::string_view category) {
  for (const auto& [name, name_zh] : kCategories) {
    if (name == category) return name_zh;
  }
  return category;
}

absl::string_view StatusOfOutcome(absl::string_view outcome, bool answered, bool abandoned) {
  if (abandoned) return "DROP";
  // Answered and no agent, yet not abandoned: the person hung up before the contract's seconds ran
  // out. Counted by itself; it rests as long as an abandoned call.
  if (answered || outcome == "answered") return "PDROP";
  if (outcome == "busy") return "AB";
  if (outcome == "invalid") return "ADC";
  if (outcome == "unreachable") return "ADCT";
  if (outcome == "congestion" || outcome == "no_trunk" || outcome == "media" ||
      outcome == "failed") {
    return "LRERR";
  }
  // no_answer, cancelled, unknown; and rejected: who declined is not rung again as soon as one who
  // was busy.
  return "NA";
}

}  // namespace outpace::campaign
