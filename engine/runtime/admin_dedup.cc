// Leads that are one person or company: found, shown to a person where it is doubtful, merged, and
// taken back. What counts as the same is campaign/match; docs/MATCHING.md is for who uses it.

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "campaign/match/match.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/dedup_review.h"
#include "engine/runtime/files.h"
#include "engine/runtime/lead_merger.h"

namespace outpace::runtime {
namespace {

constexpr uint32_t kNowhere = UINT32_MAX;

// A threshold of the arguments, else the campaign's.
absl::Status ReadThreshold(const Json& arguments, const char* name, double& value) {
  const std::string text = Text(arguments, name);
  if (text.empty()) return absl::OkStatus();
  if (!absl::SimpleAtod(text, &value) || !(value > 0) || value > 1) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": must be above 0 and at most 1"));
  }
  return absl::OkStatus();
}

absl::Status ReadNumber(const Json& arguments, const char* name, uint64_t& value) {
  const std::string text = Text(arguments, name);
  if (!text.empty() && !absl::SimpleAtoi(text, &value)) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": must be a number"));
  }
  return absl::OkStatus();
}

std::pair<LeadId, LeadId> Ordered(LeadId a, LeadId b) { return {std::min(a, b), std::max(a, b)}; }

// Groups by what somebody said is the same, pair by pair.
std::vector<std::vector<LeadId>> Join(const LeadPairs& pairs) {
  std::map<LeadId, LeadId> above;
  const auto root = [&](LeadId lead) {
    while (above.contains(lead) && above[lead] != lead) lead = above[lead];
    return lead;
  };
  for (const auto& [a, b] : pairs) {
    const auto [low, high] = Ordered(root(a), root(b));
    above[low] = low;
    above[high] = low;
    above.emplace(a, low);
    above.emplace(b, low);
  }
  std::map<LeadId, std::vector<LeadId>> groups;
  for (const auto& [lead, unused] : above) groups[root(lead)].push_back(lead);
  std::vector<std::vector<LeadId>> out;
  for (auto& [first, leads] : groups) out.push_back(std::move(leads));
  return out;
}

bool KeptApart(const std::vector<LeadId>& leads, const LeadPairs& apart) {
  for (size_t i = 0; i < leads.size() && !apart.empty(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (apart.contains(Ordered(leads[i], leads[j]))) return true;
    }
  }
  return false;
}

std::string MergeText(const match::Merge& merge) {
  if (merge.changes.empty()) {
    return absl::StrFormat("merge %d  %s  its leads were erased\n", merge.number,
                           TimeText(merge.at, absl::UTCTimeZone()));
  }
  std::vector<uint64_t> others;
  for (size_t i = 1; i < merge.changes.size(); ++i) {
    others.push_back(merge.changes[i].before.id.value());
  }
  std::string text =
      absl::StrFormat("merge %d  %s  lead %d took the place of %s  (%s)", merge.number,
                      TimeText(merge.at, absl::UTCTimeZone()), merge.changes[0].before.id.value(),
                      absl::StrJoin(others, ", "), merge.reason);
  if (merge.undone != absl::InfiniteFuture()) {
    absl::StrAppend(&text, "  undone ", TimeText(merge.undone, absl::UTCTimeZone()));
  }
  return text + "\n";
}

// Where the pairs stand among the leads; those of others are left out.
match::IndexPairs Indexes(const LeadPairs& pairs, const match::LeadRecords& leads) {
  absl::flat_hash_map<LeadId, uint32_t> of_lead;
  for (const auto& [a, b] : pairs) {
    of_lead.emplace(a, kNowhere);
    of_lead.emplace(b, kNowhere);
  }
  for (uint32_t i = 0; i < leads.size() && !of_lead.empty(); ++i) {
    if (const auto at = of_lead.find(leads.lead(i)); at != of_lead.end()) at->second = i;
  }
  match::IndexPairs indexes;
  for (const auto& [a, b] : pairs) {
    if (of_lead[a] != kNowhere && of_lead[b] != kNowhere) {
      indexes.emplace_back(of_lead[a], of_lead[b]);
    }
  }
  return indexes;
}

// What was found among the leads of a campaign.
struct Found {
  std::vector<MergeOrder> sure;
  std::vector<match::Pair> doubtful;  // indexes of the records
};

Found Sort(const match::Result& result, const match::LeadRecords& leads,
           const match::Options& options, const LeadPairs& apart,
           const std::function<bool(LeadId)>& wanted) {
  Found found;
  std::map<uint32_t, std::vector<LeadId>> groups;
  std::map<uint32_t, double> least;  // score within a group
  for (uint32_t i = 0; i < result.group.size(); ++i) {
    if (result.group[i] == i) continue;
    std::vector<LeadId>& group = groups[result.group[i]];
    if (group.empty()) group.push_back(leads.lead(result.group[i]));
    group.push_back(leads.lead(i));
  }
  for (const match::Pair& pair : result.pairs) {
    if (result.group[pair.a] == result.group[pair.b]) {
      // Pairs below the threshold are in one group for the others' sake: no reason to merge.
      if (pair.score < options.same) continue;
      const auto [at, first] = least.emplace(result.group[pair.a], pair.score);
      if (!first) at->second = std::min(at->second, pair.score);
      continue;
    }
    const LeadId a = leads.lead(pair.a), b = leads.lead(pair.b);
    if ((wanted(a) || wanted(b)) && !apart.contains(Ordered(a, b))) found.doubtful.push_back(pair);
  }
  for (auto& [first, group] : groups) {
    if (std::none_of(group.begin(), group.end(), wanted)) continue;
    found.sure.push_back({std::move(group), absl::StrFormat("score %.3f", least[first])});
  }
  return found;
}

}  // namespace

struct Admin::Impl::DedupOrder {
  CampaignId campaign;
  uint64_t list = 0;    // 0: all lists of the campaign
  uint64_t import = 0;  // only what has a lead of this file in it; 0: everything
  std::string kind;     // "person", "company"; empty: by what the leads have
  std::string path;     // of the review file; empty: none
  match::Options options;
  bool merge = false;
};

absl::StatusOr<Admin::Impl::DedupOrder> Admin::Impl::ReadDedup(const Json& arguments) const {
  auto campaign = Need(arguments, "campaign");
  if (!campaign.ok()) return campaign.status();
  auto settings = FindCampaign(*campaign);
  if (!settings.ok()) return settings.status();
  DedupOrder order;
  order.campaign = *campaign;
  order.options.same = settings->dedup_same;
  order.options.review = settings->dedup_review;
  for (absl::Status s :
       {ReadThreshold(arguments, "same", order.options.same),
        ReadThreshold(arguments, "review", order.options.review),
        ReadNumber(arguments, "list", order.list), ReadNumber(arguments, "import", order.import)}) {
    if (!s.ok()) return s;
  }
  if (order.options.review > order.options.same) {
    return absl::InvalidArgumentError("review: must not be above same");
  }
  order.kind = Text(arguments, "kind");
  if (!order.kind.empty() && order.kind != "person" && order.kind != "company") {
    return absl::InvalidArgumentError("kind: must be person or company");
  }
  order.path = Text(arguments, "path");
  order.merge = Flag(arguments, "merge");
  // Beside a dialing engine one core is enough.
  order.options.threads = hooks.leads_changed ? 1 : 2;
  return order;
}

namespace {

// About 1 KiB of memory each while they are compared.
constexpr size_t kLeadsMost = 3'000'000;

}  // namespace

absl::StatusOr<Json> Admin::Impl::RunDedup(const DedupOrder& order, JobControl& control) {
  match::LeadRecords leads;
  std::set<LeadId> of_import;
  uint64_t people = 0, companies = 0;
  absl::Status s = store.ForEachLead([&](const campaign::Lead& lead) {
    if (lead.campaign != order.campaign || lead.status == match::kMergedStatus) return true;
    if (order.list != 0 && lead.list.value() != order.list) return true;
    const bool named = !lead.Field("first_name").empty() || !lead.Field("last_name").empty();
    people += named;
    companies += !named && !lead.Field("company").empty();
    if (order.import != 0 && lead.import.value() == order.import) of_import.insert(lead.id);
    leads.Add(lead);
    control.done = leads.size();
    return !control.cancelled && leads.size() <= kLeadsMost;
  });
  if (!s.ok()) return s;
  if (leads.size() > kLeadsMost) {
    return absl::FailedPreconditionError(
        absl::StrCat("more than ", kLeadsMost, " leads at once; give a list with --list"));
  }
  if (control.cancelled) return absl::CancelledError("nothing was merged");
  match::Options options = order.options;
  const bool persons = order.kind.empty() ? people >= companies : order.kind == "person";
  options.kind = persons ? match::Kind::kPerson : match::Kind::kCompany;
  LeadMerger merger(store, clock, hooks, &shared->merges);
  auto apart = merger.Apart();
  if (!apart.ok()) return apart.status();
  options.apart = Indexes(*apart, leads);
  auto result = match::FindDuplicates(leads.records(), options);
  if (!result.ok()) return result.status();
  if (control.cancelled) return absl::CancelledError("nothing was merged");
  const Found found = Sort(*result, leads, options, *apart, [&](LeadId lead) {
    return order.import == 0 || of_import.contains(lead);
  });

  uint64_t in_groups = 0;
  for (const MergeOrder& group : found.sure) in_groups += group.leads.size();
  std::string text = absl::StrFormat(
      "campaign %s: %d leads compared as %s, %d pairs scored\n"
      "  the same (score from %.2f)    %8d groups of %d leads\n"
      "  for review (%.2f to %.2f)      %8d pairs\n",
      order.campaign, leads.size(), persons ? "persons" : "companies", result->compared,
      options.same, found.sure.size(), in_groups, options.review, options.same,
      found.doubtful.size());
  Json answer = Answer("");
  answer["leads"] = leads.size();
  answer["kind"] = persons ? "person" : "company";
  answer["compared"] = result->compared;
  answer["groups"] = found.sure.size();
  answer["leads_in_groups"] = in_groups;
  answer["for_review"] = found.doubtful.size();

  if (!order.path.empty()) {
    std::vector<ReviewPair> pairs;
    for (const match::Pair& pair : found.doubtful) {
      auto a = store.GetLead(leads.lead(pair.a)), b = store.GetLead(leads.lead(pair.b));
      if (!a.ok()) return a.status();
      if (!b.ok()) return b.status();
      if (!a->has_value() || !b->has_value()) continue;  // removed meanwhile
      const uint32_t group = std::min(result->group[pair.a], result->group[pair.b]);
      pairs.push_back({leads.lead(group), pair.score, **std::move(a), **std::move(b)});
    }
    if (s = WriteReview(order.path, pairs, options.kind); !s.ok()) return s;
    absl::StrAppend(&text, "  written to ", order.path,
                    ": fill in its column \"decision\" (same, different), then:\n"
                    "    outpace dedup apply ",
                    order.path, "\n");
  }
  if (order.merge) {
    auto counts = merger.Merge(found.sure);
    if (!counts.ok()) return counts.status();
    absl::StrAppendFormat(&text, "  merged: %d groups of %d leads", counts->merges, counts->leads);
    if (counts->skipped > 0) {
      absl::StrAppendFormat(&text, "; %d left as they are (in a call)", counts->skipped);
    }
    absl::StrAppend(&text, "\n  taken back one by one with: outpace dedup undo NUMBER\n");
    answer["merged"] = counts->merges;
    answer["skipped"] = counts->skipped;
  } else if (!found.sure.empty()) {
    absl::StrAppend(&text, "  nothing was changed; --merge merges what is the same\n");
  }
  answer["text"] = text;
  return answer;
}

absl::StatusOr<Json> Admin::Impl::DedupRun(const Json& arguments) {
  auto order = ReadDedup(arguments);
  if (!order.ok()) return order.status();
  return shared->desk.Run({"dedup", absl::StrCat("campaign ", order->campaign), ImportId()},
                          [&](JobControl& control) { return RunDedup(*order, control); });
}

absl::StatusOr<Json> Admin::Impl::DedupStart(const Json& arguments) {
  return StartWhenIdle(arguments, Unknown::kIsWrong, [&]() -> absl::StatusOr<JobOrder> {
    auto order = ReadDedup(arguments);
    if (!order.ok()) return order.status();
    return JobOrder{
        {"dedup", absl::StrCat("campaign ", order->campaign), ImportId()},
        [this, order = *order](JobControl& control) { return RunDedup(order, control); }};
  });
}

absl::StatusOr<Json> Admin::Impl::DedupApply(const Json& arguments) {
  auto path = Need(arguments, "path");
  if (!path.ok()) return path.status();
  auto bytes = ReadFile(*path);
  if (!bytes.ok()) return bytes.status();
  auto decisions = ReadReview(*bytes);
  if (!decisions.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(*path, ": ", decisions.status().message()));
  }
  LeadMerger merger(store, clock, hooks, &shared->merges);
  if (absl::Status s = merger.KeepApart(decisions->apart); !s.ok()) return s;
  auto apart = merger.Apart();
  if (!apart.ok()) return apart.status();
  std::vector<MergeOrder> orders;
  uint64_t contradictions = 0;
  for (std::vector<LeadId>& leads : Join(decisions->same)) {
    if (KeptApart(leads, *apart)) {
      ++contradictions;
    } else {
      orders.push_back({std::move(leads), "review"});
    }
  }
  auto counts = merger.Merge(orders);
  if (!counts.ok()) return counts.status();
  std::string text = absl::StrFormat(
      "%s: %d groups of %d leads merged, %d pairs kept apart, %d left open\n", *path,
      counts->merges, counts->leads, decisions->apart.size(), decisions->open);
  if (counts->skipped > 0) {
    absl::StrAppend(&text, "  ", counts->skipped,
                    " not merged: a lead is in a call, gone, or merged already\n");
  }
  if (contradictions > 0) {
    absl::StrAppend(&text, "  ", contradictions,
                    " not merged: the decisions say of two of their leads that they differ\n");
  }
  for (const std::string& line : decisions->not_taken) absl::StrAppend(&text, "  ", line, "\n");
  Json answer = Answer(text);
  answer["merged"] = counts->merges;
  answer["kept_apart"] = decisions->apart.size();
  answer["open"] = decisions->open;
  answer["skipped"] = counts->skipped;
  answer["contradictions"] = contradictions;
  answer["incomplete"] = contradictions > 0 || !decisions->not_taken.empty();
  return answer;
}

absl::StatusOr<Json> Admin::Impl::DedupHistory(const Json& arguments) {
  uint64_t most = 20, lead = 0;
  for (absl::Status s :
       {ReadNumber(arguments, "last", most), ReadNumber(arguments, "lead", lead)}) {
    if (!s.ok()) return s;
  }
  auto merges = LeadMerger(store, clock, hooks, &shared->merges).History(most, LeadId(lead));
  if (!merges.ok()) return merges.status();
  std::string text = merges->empty() ? "nothing has been merged\n" : "";
  Json list = Json::array();
  for (const match::Merge& merge : *merges) {
    absl::StrAppend(&text, MergeText(merge));
    std::vector<uint64_t> leads;
    for (const match::LeadChange& change : merge.changes) {
      leads.push_back(change.before.id.value());
    }
    list.push_back({{"merge", merge.number},
                    {"at_ms", absl::ToUnixMillis(merge.at)},
                    {"reason", merge.reason},
                    {"leads", leads},
                    {"undone", merge.undone != absl::InfiniteFuture()}});
  }
  Json answer = Answer(text);
  answer["merges"] = std::move(list);
  return answer;
}

absl::StatusOr<Json> Admin::Impl::DedupUndo(const Json& arguments) {
  uint64_t number = 0;
  if (absl::Status s = ReadNumber(arguments, "merge", number); !s.ok()) return s;
  if (number == 0) return absl::InvalidArgumentError("merge: which? see: outpace dedup history");
  auto merge = LeadMerger(store, clock, hooks, &shared->merges).Undo(number);
  if (!merge.ok()) return merge.status();
  Json answer = Answer(absl::StrFormat("merge %d is undone: %d leads are as they were before\n",
                                       number, merge->changes.size()));
  answer["leads"] = merge->changes.size();
  return answer;
}

}  // namespace outpace::runtime
