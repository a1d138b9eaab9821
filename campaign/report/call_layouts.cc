#include "campaign/report/call_layouts.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/base/check.h"

namespace outpace::report {
namespace {

// VICIdial's Export Calls Report, in its order.
constexpr absl::string_view kVicidial =
    "call_date phone_number_dialed status user full_name campaign_id vendor_lead_code source_id "
    "list_id gmt_offset_now phone_code phone_number title first_name middle_initial last_name "
    "address1 address2 address3 city state province postal_code country_code gender date_of_birth "
    "alt_phone email security_phrase comments length_in_sec user_group alt_dial rank owner lead_id "
    "list_name list_description status_name";

// Header and the column it shows, of layouts that have names of their own.
struct Named {
  absl::string_view header, column;
  absl::string_view header_en = {}, definition_zh = {};
};

constexpr Named kVicidialExtended[] = {
    {"entry_date", "entry_date"},
    {"called_count", "called_count_now"},
    {"last_local_call_time", "last_local_call_time"},
    {"modify_date", "modify_date"},
    {"called_since_last_reset", "called_since_last_reset"},
    {"term_reason", "term_reason"},
};

constexpr Named kFive9[] = {
    {"CALL ID", "attempt_id"},
    {"TIMESTAMP", "call_date"},
    {"CAMPAIGN", "campaign_id"},
    {"CALL TYPE", "call_type"},
    {"AGENT", "user"},
    {"AGENT NAME", "full_name"},
    {"DISPOSITION", "status_name"},
    {"ANI", "ani"},
    {"CUSTOMER NAME", "customer_name"},
    {"DNIS", "dnis"},
    {"CALL TIME", "call_time"},
    {"BILL TIME", "bill_time"},
    {"COST", "cost"},
    {"IVR TIME", "ivr_time"},
    {"QUEUE WAIT TIME", "queue_wait_time"},
    {"RING TIME", "ring_time"},
    {"TALK TIME", "talk_time"},
    {"HOLD TIME", "hold_time"},
    {"PARK TIME", "park_time"},
    {"AFTER CALL WORK TIME", "after_call_work_time"},
    {"TRANSFERS", "transfers"},
    {"CONFERENCES", "conferences"},
    {"HOLDS", "holds"},
    {"ABANDONED", "abandoned_number"},
    {"RECORDINGS", "recording"},
};

constexpr Named kChinese[] = {
    {"话单号", "attempt_id", "attempt_id", "本系统的通话编号，递增，不重复使用"},
    {"任务", "campaign_id", "campaign", "发起呼叫的任务"},
    {"名单", "list_name", "list", "呼叫时号码所在名单的名称（名称取导出时的）"},
    {"客户号码", "phone_number_dialed", "customer number", "实际呼叫的号码，含国家码，不带加号"},
    {"主叫号码", "caller_id", "caller ID", "对外显示的号码，含国家码"},
    {"客户姓名", "customer_name", "customer name", "名单中的姓名（导出时）"},
    {"客户编号", "vendor_lead_code", "vendor lead code", "委托方在名单中给的客户编号"},
    {"呼叫时间", "call_date", "dialed", "发出呼叫前落盘的时刻，按导出时区"},
    {"接听时间", "answered_date", "answered", "对方接听（SIP 200）的时刻，未接听为空"},
    {"接通坐席时间", "connected_date", "connected", "与坐席接通的时刻"},
    {"挂机时间", "ended_date", "ended", "任何一方挂机、通话结束的时刻"},
    {"振铃时长", "ring_seconds", "ring seconds", "从振铃到接听（未接听时到结束）的秒数"},
    {"排队时长", "queue_seconds", "queue seconds", "从接听到接通坐席（没有坐席时到结束）的秒数"},
    {"通话时长", "talk_seconds", "talk seconds", "从接通坐席到挂机的秒数"},
    {"话后时长", "wrapup_seconds", "wrap-up seconds", "从挂机到坐席提交结果的秒数"},
    {"挂机方", "hung_up_by_zh", "hung up by", "客户、坐席、呼损、系统、未接通"},
    {"坐席工号", "user", "agent", "接听的坐席，没有则为空"},
    {"坐席姓名", "full_name", "agent name", "该坐席的姓名（导出时）"},
    {"结果代码", "status", "status", "本次通话的处理结果代码，以通话时为准"},
    {"通话结果", "status_name_zh", "status name", "结果代码的中文名称"},
    {"是否呼损", "abandoned_zh", "abandoned", "真人接听而规定秒数内没有坐席：是，否则：否"},
    {"备注", "note", "note", "坐席对本次通话的备注"},
    {"录音", "recording", "recording", "录音文件，位于录音目录；没有则为空"},
};

// What a regulator asks of a call that met no agent: who, when, how long, what was played.
constexpr absl::string_view kAbandons =
    "attempt_id call_id campaign_id list_id lead_id call_date phone_number_dialed caller_id trunk "
    "status dialed_ms ringing_ms ring_seconds answered_ms greeting_start_ms greeting_end_ms amd "
    "amd_confidence dropped_ms answer_to_drop_seconds greeting_to_message_seconds message_played "
    "message_seconds ended_ms term_reason number_of_try vendor_lead_code recording";

bool OfLead(absl::string_view name) {
  static constexpr absl::string_view kOthers[] = {"gmt_offset_now",
                                                  "phone_number",
                                                  "alt_phone",
                                                  "alt_dial",
                                                  "rank",
                                                  "lead_status_now",
                                                  "entry_date",
                                                  "called_count_now",
                                                  "last_local_call_time",
                                                  "modify_date",
                                                  "customer_name",
                                                  "called_since_last_reset"};
  return absl::c_linear_search(kLeadFieldNames, name) || absl::c_linear_search(kOthers, name);
}

void Add(absl::string_view header, absl::string_view name, CallLayout& layout,
         absl::string_view header_en = {}, absl::string_view definition_zh = {}) {
  const CallColumn* const column = FindCallColumn(name);
  OUTPACE_CHECK(column != nullptr);
  layout.columns.push_back({header, column, header_en, definition_zh});
  layout.needs_leads |= OfLead(name);
  layout.needs_recordings |= name.substr(0, 9) == "recording";
}

CallLayout ByNames(absl::string_view name, absl::string_view title, char separator,
                   absl::string_view columns) {
  CallLayout layout{name, title, separator, {}};
  for (const absl::string_view column : absl::StrSplit(columns, ' ')) Add(column, column, layout);
  return layout;
}

template <size_t n>
void AddNamed(const Named (&named)[n], CallLayout& layout) {
  for (const Named& one : named) {
    Add(one.header, one.column, layout, one.header_en, one.definition_zh);
  }
}

std::vector<CallLayout> MakeLayouts() {
  std::vector<CallLayout> layouts;
  layouts.push_back(ByNames("vicidial", "VICIdial's Export Calls Report", '\t', kVicidial));
  layouts.push_back(ByNames("vicidial-extended", "VICIdial's Export Calls Report, extended form",
                            '\t', kVicidial));
  AddNamed(kVicidialExtended, layouts.back());
  layouts.push_back({"five9", "the columns of a Five9 call log", ',', {}});
  AddNamed(kFive9, layouts.back());
  layouts.push_back({"cn", "通话明细 (call details in Chinese)", ',', {}});
  AddNamed(kChinese, layouts.back());
  layouts.push_back({"outpace", "everything known of a call", ',', {}});
  for (const CallColumn& column : CallColumns()) {
    // Those of the other layouts come behind the marker.
    if (column.name == kFirstColumnOfOtherLayouts) break;
    Add(column.name, column.name, layouts.back());
  }
  layouts.push_back(ByNames("abandons", "evidence of abandoned calls", ',', kAbandons));
  layouts.back().abandoned_only = true;
  return layouts;
}

}  // namespace

absl::Span<const CallLayout> CallLayouts() {
  static const auto* const kLayouts = new std::vector<CallLayout>(MakeLayouts());
  return *kLayouts;
}

absl::StatusOr<const CallLayout*> FindCallLayout(absl::string_view name) {
  std::vector<absl::string_view> names;
  for (const CallLayout& layout : CallLayouts()) {
    if (layout.name == name) return &layout;
    names.push_back(layout.name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("layout: must be one of ", absl::StrJoin(names, ", ")));
}

}  // namespace outpace::report
