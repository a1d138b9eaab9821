#include "campaign/match/lead_merge.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "campaign/disposition.h"
#include "engine/base/check.h"

namespace outpace::match {
namespace {

using campaign::Lead;

constexpr size_t kBlockBytes = 256 * 1024;

bool Final(const Lead& lead) { return lead.next_call_time == absl::InfiniteFuture(); }

// What the last call made of a lead, by how much it binds whoever calls next.
enum class Standing { kOpen, kAbandoned, kRefused, kCallback, kCompleted, kDoNotCall };

Standing StandingOf(const Lead& lead, const campaign::StatusSet& statuses) {
  const campaign::Disposition* const status = statuses.Find(lead.status);
  if (status == nullptr) return Standing::kOpen;
  if (status->dnc) return Standing::kDoNotCall;
  // A limit that was reached says nothing of the person.
  if (status->sale || (status->completed && status->status != "MAXCAL")) {
    return Standing::kCompleted;
  }
  if (status->scheduled_callback && !Final(lead)) return Standing::kCallback;
  if (status->not_interested && Final(lead)) return Standing::kRefused;
  return absl::EndsWith(lead.status, "DROP") ? Standing::kAbandoned : Standing::kOpen;
}

// Which of two leads goes on.
bool GoesOnBefore(const Lead& a, const Lead& b, const campaign::StatusSet& statuses) {
  const Standing of_a = StandingOf(a, statuses), of_b = StandingOf(b, statuses);
  if (of_a != of_b) return of_a > of_b;
  if (Final(a) != Final(b)) return Final(a);
  if (a.called_count != b.called_count) return a.called_count > b.called_count;
  if (a.entry_date != b.entry_date) return a.entry_date < b.entry_date;
  return a.id < b.id;
}

bool Newer(const Lead& a, const Lead& b) {
  return a.entry_date != b.entry_date ? a.entry_date > b.entry_date : a.id > b.id;
}

// Fields that are one address only together: a street of one city under the post code of another is
// nobody's.
constexpr absl::string_view kAddress[] = {"address1", "address2", "address3",   "city",
                                          "state",    "province", "postal_code"};

bool InAddress(absl::string_view field) {
  return std::find(std::begin(kAddress), std::end(kAddress), field) != std::end(kAddress);
}

// How much of an address a lead has: fields, then bytes.
std::pair<size_t, size_t> AddressSize(const Lead& lead) {
  std::pair<size_t, size_t> size;
  for (const absl::string_view name : kAddress) {
    const std::string& text = lead.Field(std::string(name));
    size.first += !text.empty();
    size.second += text.size();
  }
  return size;
}

void MergeFields(const std::vector<Lead>& newest_first, Lead& to) {
  const Lead* fullest = &newest_first[0];
  for (const Lead& lead : newest_first) {
    if (AddressSize(lead) > AddressSize(*fullest)) fullest = &lead;
  }
  for (const Lead& lead : newest_first) {
    for (const auto& [name, text] : lead.fields) {
      if (text.empty() || name == kMergedInto) continue;
      if (!InAddress(name) || &lead == fullest) to.fields.emplace(name, text);
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

// `all`: the one that goes on first. What its status stands for has a time of its own (of a
// callback, the one that was promised), which only a rest of the same kind puts off.
void MergeTries(const std::vector<Lead>& all, const campaign::StatusSet& statuses, Lead& to) {
  const Standing standing = StandingOf(all[0], statuses);
  const bool rests = standing == Standing::kOpen || standing == Standing::kAbandoned;
  to.called_count = 0;
  for (const Lead& lead : all) {
    to.called_count += lead.called_count;
    to.last_call_time = std::max(to.last_call_time, lead.last_call_time);
    if (rests && StandingOf(lead, statuses) == standing) {
      to.next_call_time = std::max(to.next_call_time, lead.next_call_time);
    }
    to.hold_until = std::max(to.hold_until, lead.hold_until);
    to.rank = std::max(to.rank, lead.rank);
    if (lead.max_attempts > 0 && (to.max_attempts == 0 || lead.max_attempts < to.max_attempts)) {
      to.max_attempts = lead.max_attempts;
    }
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

std::vector<LeadChange> PlanMerge(std::vector<Lead> leads, const campaign::StatusSet& statuses) {
  OUTPACE_CHECK(leads.size() >= 2);
  std::sort(leads.begin(), leads.end(),
            [&](const Lead& a, const Lead& b) { return GoesOnBefore(a, b, statuses); });
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
  MergeTries(leads, statuses, survivor);

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
  Restore(before.max_attempts, after.max_attempts, lead.max_attempts);
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
