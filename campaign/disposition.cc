// The statuses of the field with the flags every report is built on: VICIdial's names and defaults
// (vicidial_statuses), so that a manager's habits and spreadsheets hold.

#include "campaign/disposition.h"

namespace outpace::campaign {
namespace {

std::vector<Disposition> MakeDispositions() {
  std::vector<Disposition> out;
  auto add = [&out](absl::string_view status, absl::string_view name, absl::string_view name_zh,
                    char hotkey, auto... flags) {
    Disposition d{.status = status, .name = name, .name_zh = name_zh, .hotkey = hotkey};
    ((d.*flags = true), ...);
    out.push_back(d);
  };
  using D = Disposition;
  // Selectable by the agent, in the order of the keys. SALE has no customer_contact: VICIdial's
  // default, kept so that contact rates compare with what the manager had before.
  add("SALE", "Sale Made", "成交", '1', &D::human_answered, &D::sale, &D::completed);
  add("NI", "Not Interested", "不感兴趣", '2', &D::human_answered, &D::customer_contact,
      &D::not_interested);
  add("CALLBK", "Call Back", "预约回访", '3', &D::human_answered, &D::customer_contact,
      &D::scheduled_callback);
  add("DEC", "Declined Sale", "拒绝成交", '4', &D::human_answered, &D::customer_contact);
  add("NP", "No Pitch No Price", "未介绍产品", '5', &D::human_answered);
  add("A", "Answering Machine", "语音信箱", '6', &D::answering_machine);
  add("N", "No Answer", "无人接听", '7');
  add("B", "Busy", "占线", '8');
  add("DC", "Disconnected Number", "空号/停机", '9', &D::unworkable);
  add("DNC", "DO NOT CALL", "加黑名单", '0', &D::human_answered, &D::dnc, &D::completed);
  add("XFER", "Call Transferred", "已转接", 'x', &D::human_answered, &D::customer_contact);
  add("DAIR", "Dead Air", "无声", 'd');
  // Set by the engine.
  add("NEW", "New Lead", "新名单", 0);
  add("QUEUE", "Lead To Be Called", "待呼叫", 0);
  add("INCALL", "Lead Being Called", "呼叫中", 0);
  add("DROP", "Agent Not Available", "呼损", 0, &D::human_answered);
  add("XDROP", "Agent Not Available IN", "呼入呼损", 0, &D::human_answered);
  add("PDROP", "Outbound Pre-Routing Drop", "路由前呼损", 0, &D::human_answered);
  add("NA", "No Answer AutoDial", "无人接听(自动)", 0);
  add("AB", "Busy Auto", "占线(自动)", 0);
  add("ADC", "Disconnected Number Auto", "空号(自动)", 0, &D::unworkable);
  add("ADCT", "Disconnected Number Temporary", "关机/无法接通", 0);
  add("AA", "Answering Machine Auto", "语音信箱(自动)", 0, &D::answering_machine);
  add("AM", "Answering Machine Sent to Message", "已转语音留言", 0, &D::answering_machine);
  add("AL", "Answering Machine Message Played", "已播放留言", 0, &D::answering_machine);
  // A machine as well: no person was there to be served or to miss an agent.
  add("AFAX", "Fax Machine Auto", "传真", 0, &D::unworkable, &D::answering_machine);
  add("CBHOLD", "Call Back Hold", "预约待呼", 0, &D::human_answered, &D::customer_contact,
      &D::scheduled_callback);
  add("DNCL", "DO NOT CALL List Match", "命中系统黑名单", 0, &D::dnc, &D::completed);
  add("DNCC", "DO NOT CALL Campaign Match", "命中活动黑名单", 0, &D::dnc, &D::completed);
  add("DISPO", "Wrap-up Time Out", "话后超时", 0, &D::human_answered);
  add("LSMERG", "Merged Into Another Lead", "已合并", 0, &D::completed);
  add("MAXCAL", "Call Count Limit Reached", "达到呼叫次数上限", 0, &D::completed);
  add("ERI", "Agent Error", "坐席错误", 0);
  add("LRERR", "Outbound Local Channel Resolve Error", "线路错误", 0);
  return out;
}

}  // namespace

const std::vector<Disposition>& Dispositions() {
  static const auto* const kDispositions = new std::vector<Disposition>(MakeDispositions());
  return *kDispositions;
}

const Disposition* FindDisposition(absl::string_view status) {
  for (const Disposition& disposition : Dispositions()) {
    if (disposition.status == status) return &disposition;
  }
  return nullptr;
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
