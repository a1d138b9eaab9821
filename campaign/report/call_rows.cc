#include "campaign/report/call_rows.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "campaign/report/call_layouts.h"

namespace outpace::report {
namespace {

using campaign::AttemptView;
using campaign::LeadView;
using campaign::Recording;

const absl::flat_hash_map<absl::string_view, int>& PlacesByName() {
  static const auto* const kPlaces = [] {
    auto* places = new absl::flat_hash_map<absl::string_view, int>();
    for (size_t i = 0; i < kLeadFields; ++i) (*places)[kLeadFieldNames[i]] = static_cast<int>(i);
    return places;
  }();
  return *kPlaces;
}

// The leads of one piece: their texts in one buffer.
class PieceLeads {
 public:
  explicit PieceLeads(GmtOffsetCells& offsets) : offsets_(offsets) {}

  // Afterwards lead(i) is that of attempts[i].
  absl::Status Read(const campaign::LeadStore& store, absl::Span<const AttemptView> attempts) {
    order_.clear();
    for (size_t i = 0; i < attempts.size(); ++i) order_.emplace_back(attempts[i].lead, i);
    std::sort(order_.begin(), order_.end());
    ids_.clear();
    for (const auto& [id, row] : order_) {
      if (id.valid() && (ids_.empty() || ids_.back() != id)) ids_.push_back(id);
    }
    leads_.clear();
    leads_.emplace_back();  // of calls whose lead is not there any more
    spans_.clear();
    texts_.clear();
    // Numbers are only good inside one call of ViewLeads().
    layout_ = nullptr;
    const absl::Status status = store.ViewLeads(ids_, [this](const LeadView& view) { Keep(view); });
    if (!status.ok()) return status;
    for (const Span& span : spans_) {
      leads_[span.lead].texts[span.field] = absl::string_view(texts_).substr(span.begin, span.size);
    }
    places_.assign(attempts.size(), 0);
    size_t at = 1;
    for (const auto& [id, row] : order_) {
      while (at < leads_.size() && leads_[at].id < id) ++at;
      if (at < leads_.size() && leads_[at].id == id) places_[row] = at;
    }
    return absl::OkStatus();
  }

  const RowLead& lead(size_t row) const { return leads_[places_[row]]; }
  void Clear(size_t rows) {
    leads_.assign(1, RowLead());
    places_.assign(rows, 0);
  }

 private:
  struct Span {
    size_t lead;
    int field;
    size_t begin, size;
  };

  void Keep(const LeadView& view) {
    RowLead& lead = leads_.emplace_back();
    const size_t index = leads_.size() - 1;
    lead.id = view.id;
    lead.phone = view.phone;
    lead.alt_phone = view.alt_phone;
    lead.rank = view.rank;
    lead.called_count = view.called_count;
    lead.entry_micros = view.entry_micros;
    lead.last_call_micros = view.last_call_micros;
    lead.zone = offsets_.Find(*view.zones);
    lead.status = StatusOf(view.status);
    if (view.layout == nullptr || view.layout != layout_ || view.texts.size() > fields_.size()) {
      fields_.clear();
      for (const campaign::LeadText& text : view.texts) {
        const auto it = PlacesByName().find(text.name);
        fields_.push_back(it == PlacesByName().end() ? -1 : it->second);
      }
      layout_ = view.layout;
    }
    for (size_t i = 0; i < view.texts.size(); ++i) {
      const absl::string_view text = view.texts[i].text;
      if (fields_[i] < 0 || text.empty()) continue;
      spans_.push_back({index, fields_[i], texts_.size(), text.size()});
      texts_.append(text.data(), text.size());
    }
  }

  // Statuses are few: each is kept once.
  absl::string_view StatusOf(absl::string_view status) {
    auto it = statuses_.find(status);
    if (it == statuses_.end()) {
      it = statuses_.emplace(std::string(status), std::make_unique<std::string>(status)).first;
    }
    return *it->second;
  }

  GmtOffsetCells& offsets_;
  std::vector<std::pair<LeadId, size_t>> order_;
  std::vector<LeadId> ids_;
  std::vector<RowLead> leads_;
  std::vector<size_t> places_;
  std::vector<Span> spans_;
  std::string texts_;
  const void* layout_ = nullptr;
  std::vector<int> fields_;  // of layout_: the LeadField of each text, -1: none
  absl::flat_hash_map<std::string, std::unique_ptr<std::string>> statuses_;
};

// One thread of an export.
class Joiner final : public campaign::AttemptVisitor {
 public:
  Joiner(const campaign::LeadStore& store, const ExportOptions& options, const CallLayout& layout,
         const CallNames& names, RowVisitor& rows)
      : store_(store),
        options_(options),
        layout_(layout),
        context_(options.zone, names),
        leads_(context_.offsets),
        rows_(rows) {}

  absl::Status Visit(uint64_t piece, absl::Span<const AttemptView> attempts,
                     absl::Span<const Recording* const> recordings) override {
    const bool all = options_.campaign.empty() && !layout_.abandoned_only;
    absl::Span<const AttemptView> wanted = attempts;
    if (!all) {
      chosen_.clear();
      chosen_recordings_.clear();
      for (size_t i = 0; i < attempts.size(); ++i) {
        if (!Wanted(attempts[i])) continue;
        chosen_.push_back(attempts[i]);
        chosen_recordings_.push_back(recordings[i]);
      }
      wanted = chosen_;
      recordings = chosen_recordings_;
    }
    if (layout_.needs_leads) {
      if (absl::Status s = leads_.Read(store_, wanted); !s.ok()) return s;
    } else {
      leads_.Clear(wanted.size());
    }
    for (size_t i = 0; i < wanted.size(); ++i) {
      const AttemptView& attempt = wanted[i];
      rows_.Row({.attempt = attempt,
                 .lead = leads_.lead(i),
                 .agent = AgentOf(attempt),
                 .list = ListOf(attempt),
                 .recording = recordings[i],
                 .context = context_});
    }
    return rows_.EndPiece(piece);
  }
  void Cancel(const absl::Status& status) override { rows_.Cancel(status); }

 private:
  bool Wanted(const AttemptView& attempt) const {
    return (options_.campaign.empty() || attempt.campaign == options_.campaign) &&
           (!layout_.abandoned_only || attempt.abandoned);
  }
  const campaign::AgentRecord* AgentOf(const AttemptView& attempt) const {
    if (attempt.agent.empty()) return nullptr;
    const auto it = context_.names.agents.find(attempt.agent);
    return it == context_.names.agents.end() ? nullptr : &it->second;
  }
  const campaign::List* ListOf(const AttemptView& attempt) const {
    const auto it = context_.names.lists.find(attempt.list);
    return it == context_.names.lists.end() ? nullptr : &it->second;
  }

  const campaign::LeadStore& store_;
  const ExportOptions& options_;
  const CallLayout& layout_;
  CellContext context_;
  PieceLeads leads_;
  RowVisitor& rows_;
  std::vector<AttemptView> chosen_;
  std::vector<const Recording*> chosen_recordings_;
};

}  // namespace

absl::Status ReadCallRows(const campaign::LeadStore& store, const ExportOptions& options,
                          const std::vector<RowVisitor*>& visitors) {
  const auto layout = FindCallLayout(options.layout);
  if (!layout.ok()) return layout.status();
  CallNames names;
  auto agents = store.Agents();
  if (!agents.ok()) return agents.status();
  for (campaign::AgentRecord& agent : *agents) names.agents[agent.user] = std::move(agent);
  auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  for (campaign::List& list : *lists) names.lists[list.id] = std::move(list);

  auto campaigns = store.Campaigns();
  if (!campaigns.ok()) return campaigns.status();
  for (const campaign::CampaignSettings& settings : *campaigns) {
    names.statuses.Put(settings.id, settings.statuses);
  }

  std::vector<std::unique_ptr<Joiner>> joiners;
  std::vector<campaign::AttemptVisitor*> threads;
  for (RowVisitor* const visitor : visitors) {
    joiners.push_back(std::make_unique<Joiner>(store, options, **layout, names, *visitor));
    threads.push_back(joiners.back().get());
  }
  return store.ScanAttempts(
      {.from = options.from, .to = options.to, .recordings = (*layout)->needs_recordings}, threads);
}

}  // namespace outpace::report
