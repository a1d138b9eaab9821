#include "campaign/match/lead_merge.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace outpace::match {
namespace {

using campaign::Lead;

constexpr size_t kBlockBytes = 256 * 1024;

bool Final(const Lead& lead) { return lead.next_call_time == absl::InfiniteFuture(); }

// Which of two leads goes on.
bool GoesOnBefore(const Lead& a, const Lead& b) {
  if (Final(a) != Final(b)) return Final(a);
  if (a.called_count != b.called_count) return a.called_count > b.called_count;
  if (a.entry_date != b.entry_date) return a.entry_date < b.entry_date;
  return a.id < b.id;
}

bool Newer(const Lead& a, const Lead& b) {
  return a.entry_date != b.entry_date ? a.entry_date > b.entry_date : a.id > b.id;
}

// Fields of which the longest text is the best.
bool LongestWins(absl::string_view field) { return absl::StartsWith(field, "address"); }

void MergeFields(const std::vector<Lead>& newest_first, Lead& to) {
  for (const Lead& lead : newest_first) {
    for (const auto& [name, text] : lead.fields) {
      if (text.empty() || name == kMergedInto) continue;
      const auto [at, first] = to.fields.emplace(name, text);
      if (!first && LongestWins(name) && text.size() > at->second.size()) at->second = text;
    }
    if (to.owner.empty()) to.owner = lead.owner;
  }
}

void MergeNumbers(const std::vector<Lead>& newest_first, Lead& to) {
  std::set<E164> had = {to.phone, to.alt_phone};
  int next = 2;
  for (const Lead& lead : newest_first) {
    for (const E164 number : {lead.phone, lead.alt_phone}) {
      if (!number.valid() || !had.insert(number).second) continue;
      if (!to.alt_phone.valid()) {
        to.alt_phone = number;
        continue;
      }
      while (to.fields.contains(absl::StrCat("phone", next))) ++next;
      to.fields[absl::StrCat("phone", next)] = number.ToString();
    }
  }
}

void MergeTries(const std::vector<Lead>& all, Lead& to) {
  to.called_count = 0;
  for (const Lead& lead : all) {
    to.called_count += lead.called_count;
    to.last_call_time = std::max(to.last_call_time, lead.last_call_time);
    to.next_call_time = std::max(to.next_call_time, lead.next_call_time);
    to.hold_until = std::max(to.hold_until, lead.hold_until);
    to.rank = std::max(to.rank, lead.rank);
  }
}

bool SameCallState(const Lead& a, const Lead& b) {
  return a.status == b.status && a.tier == b.tier && a.called_count == b.called_count &&
         a.last_call_time == b.last_call_time && a.next_call_time == b.next_call_time &&
         a.recycled == b.recycled;
}

// `value` goes back to `before` if it is still what the merge made of it.
template <typename T>
void Restore(const T& before, const T& after, T& value) {
  if (value == after) value = before;
}

}  // namespace

absl::string_view LeadRecords::Keep(absl::string_view text) {
  if (text.empty()) return {};
  if (blocks_.empty() || blocks_.back().size() + text.size() > blocks_.back().capacity()) {
    blocks_.emplace_back().reserve(std::max(kBlockBytes, text.size()));
  }
  std::string& block = blocks_.back();
  const size_t at = block.size();
  block.append(text.data(), text.size());
  return absl::string_view(block).substr(at);
}

void LeadRecords::Add(const Lead& lead) {
  Record record;
  record.id = lead.id.value();
  record.first_name = Keep(lead.Field("first_name"));
  record.last_name = Keep(lead.Field("last_name"));
  record.company = Keep(lead.Field("company"));
  record.address1 = Keep(lead.Field("address1"));
  record.address2 = Keep(lead.Field("address2"));
  record.city = Keep(lead.Field("city"));
  record.state = Keep(lead.Field("state"));
  record.postal_code = Keep(lead.Field("postal_code"));
  record.date_of_birth = Keep(lead.Field("date_of_birth"));
  record.email = Keep(lead.Field("email"));
  record.vendor_code = Keep(lead.Field("vendor_lead_code"));
  record.phone = Keep(lead.phone.Digits());
  records_.push_back(record);
}

bool MayMerge(const Lead& lead) {
  return lead.status != kMergedStatus && lead.status != "INCALL" && lead.status != "QUEUE";
}

std::vector<LeadChange> PlanMerge(std::vector<Lead> leads) {
  OUTPACE_CHECK(leads.size() >= 2);
  std::sort(leads.begin(), leads.end(), GoesOnBefore);
  std::vector<Lead> newest_first = leads;
  std::sort(newest_first.begin(), newest_first.end(), Newer);

  Lead survivor = leads[0];
  survivor.fields.clear();
  MergeFields(newest_first, survivor);
  if (!survivor.phone.valid()) {
    const auto with = std::find_if(newest_first.begin(), newest_first.end(),
                                   [](const Lead& lead) { return lead.phone.valid(); });
    if (with != newest_first.end()) {
      survivor.phone = with->phone;
      survivor.time_zones = with->time_zones;
    }
  }
  MergeNumbers(newest_first, survivor);
  MergeTries(leads, survivor);

  std::vector<LeadChange> changes;
  changes.push_back({leads[0], survivor});
  for (size_t i = 1; i < leads.size(); ++i) {
    Lead merged = leads[i];
    merged.status = std::string(kMergedStatus);
    merged.next_call_time = absl::InfiniteFuture();
    merged.fields[std::string(kMergedInto)] = absl::StrCat(survivor.id.value());
    changes.push_back({leads[i], std::move(merged)});
  }
  return changes;
}

Lead UndoChange(const LeadChange& change, const Lead& now) {
  const Lead& before = change.before;
  const Lead& after = change.after;
  Lead lead = now;
  if (SameCallState(now, after)) {
    lead.status = before.status;
    lead.tier = before.tier;
    lead.called_count = before.called_count;
    lead.last_call_time = before.last_call_time;
    lead.next_call_time = before.next_call_time;
    lead.recycled = before.recycled;
  }
  Restore(before.hold_until, after.hold_until, lead.hold_until);
  Restore(before.phone, after.phone, lead.phone);
  Restore(before.alt_phone, after.alt_phone, lead.alt_phone);
  Restore(before.time_zones, after.time_zones, lead.time_zones);
  Restore(before.rank, after.rank, lead.rank);
  Restore(before.owner, after.owner, lead.owner);
  std::set<std::string> names;
  for (const auto& [name, text] : before.fields) names.insert(name);
  for (const auto& [name, text] : after.fields) names.insert(name);
  for (const std::string& name : names) {
    if (now.Field(name) != after.Field(name)) continue;  // changed since by somebody
    const auto was = before.fields.find(name);
    if (was == before.fields.end()) {
      lead.fields.erase(name);
    } else {
      lead.fields[name] = was->second;
    }
  }
  return lead;
}

}  // namespace outpace::match
