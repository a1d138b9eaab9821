#include "engine/runtime/campaign_runner.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/runtime/abandon_windows.h"

namespace outpace::runtime {

namespace {

listen::AnswerTunerSettings TunerSettingsOf(const campaign::CampaignSettings& settings) {
  return {.lost_share_max = settings.amd_people_lost_percentage / 100};
}

bool SameCount(const campaign::AbandonContract& a, const campaign::AbandonContract& b) {
  return a.start == b.start && a.seconds == b.seconds && a.numerator == b.numerator &&
         a.window == b.window;
}

}  // namespace

CampaignRunner::CampaignRunner(const campaign::CampaignSettings& settings)
    : amd_tuner(TunerSettingsOf(settings)),
      pacer(PacerSettingsOf(settings)),
      settings_(settings),
      policy_(settings, rules::RuleBook::InForce()),
      contracts_(ContractsOf(settings)),
      terms_(std::make_shared<const DecisionTerms>(TermsOf(settings))) {
  ledger_.SetContracts(contracts_, settings.report_zone);
}

void CampaignRunner::UpdateSettings(const campaign::CampaignSettings& settings) {
  const std::vector<campaign::AbandonContract> contracts = ContractsOf(settings);
  const bool same = settings.report_zone == settings_.report_zone &&
                    std::equal(contracts.begin(), contracts.end(), contracts_.begin(),
                               contracts_.end(), SameCount);
  settings_ = settings;
  policy_ = gate::Policy(settings, rules::RuleBook::InForce());
  contracts_ = contracts;
  // Counting all known calls anew may take a while.
  if (!same) ledger_.SetContracts(contracts_, settings.report_zone);
  terms_ = std::make_shared<const DecisionTerms>(TermsOf(settings));
  pacer.UpdateSettings(PacerSettingsOf(settings));
  listen::AnswerTuner tuner(TunerSettingsOf(settings));
  if (tuner.Load(amd_tuner.Save()).ok()) amd_tuner = std::move(tuner);
  // What waits was chosen under the old rules.
  hopper.Clear();
  next_fetch = MonoTime();
}

bool CampaignRunner::RollDay(absl::Time now) {
  if (ledger_.Advance(now, first_call)) TellPacer();
  const absl::CivilDay day = absl::ToCivilDay(now, settings_.report_zone);
  if (day <= day_) return false;
  day_ = day;
  today = DayFigures();
  attempts_today_.clear();
  return true;
}

void CampaignRunner::TakeLedger(AbandonLedger ledger) {
  ledger_ = std::move(ledger);
  ledger_.SetContracts(contracts_, settings_.report_zone);
}

void CampaignRunner::CountCall(std::optional<campaign::CallFacts>& counted,
                               const campaign::Attempt& record) {
  const std::optional<campaign::CallFacts> now = FactsOrNone(record, settings_.statuses);
  if (now == counted) return;
  ledger_.Update(counted, now);
  counted = now;
  TellPacer();
}

void CampaignRunner::TellPacer() {
  for (size_t i = 0; i < contracts_.size(); ++i) {
    pacing::AbandonCounts counts = ledger_.Counts(i);
    if (i == 0) {
      counts.served += answers_to_come_;
      counts.ended += answers_to_come_;
    }
    pacer.SetCounts(i, counts);
  }
}

void CampaignRunner::SetBudgets(absl::Time now) {
  ledger_.Advance(now, first_call);
  answers_to_come_ = AnswersToCome(settings_, ledger_, now);
  TellPacer();
}

void CampaignRunner::RefreshBudgets(absl::Time wall, MonoTime now) {
  if (settings_.dial_method != campaign::DialMethod::kAdaptTapered) return;
  if (now - refreshed_ < absl::Minutes(1)) return;
  refreshed_ = now;
  SetBudgets(wall);
}

std::vector<ContractFigures> CampaignRunner::Contracts(absl::Time now) const {
  std::vector<ContractFigures> figures;
  for (size_t i = 0; i < contracts_.size(); ++i) {
    figures.push_back(FiguresOf(contracts_[i], ledger_.Counts(i), ledger_.WindowBegan(i), now,
                                settings_.report_zone));
  }
  return figures;
}

int CampaignRunner::AttemptsToday(LeadId lead) const {
  const auto it = attempts_today_.find(lead);
  return it == attempts_today_.end() ? 0 : it->second;
}

std::vector<LeadId> CampaignRunner::TriedOutToday() const {
  std::vector<LeadId> leads;
  for (const auto& [lead, attempts] : attempts_today_) {
    if (attempts >= settings_.daily_call_count_limit) leads.push_back(lead);
  }
  return leads;
}

void CampaignRunner::UncountAttempt(LeadId lead) {
  if (!attempts_today_.contains(lead)) return;
  ForgiveTry(lead);
  --today.attempts;
}

void CampaignRunner::ForgiveTry(LeadId lead) {
  const auto it = attempts_today_.find(lead);
  if (it == attempts_today_.end()) return;
  if (--it->second == 0) attempts_today_.erase(it);
}

void CampaignRunner::CountDisposition(const std::string& status) {
  const campaign::Disposition* disposition = settings_.statuses.Find(status);
  ++today.dispositions;
  if (disposition == nullptr) return;
  if (disposition->sale) ++today.sales;
  if (disposition->answering_machine) ++today.machines;
}

void CampaignRunner::CountRecord(const campaign::Attempt& attempt) {
  if (!attempt.trunk_fault) CountAttempt(attempt.lead);
  ++today.attempts;
  if (attempt.answered_at == absl::InfinitePast()) return;
  ++today.answered;
  if (attempt.abandoned) ++today.abandoned;
  if (attempt.connected_at != absl::InfinitePast()) ++today.connected;
  if (!attempt.open && !attempt.status.empty()) CountDisposition(attempt.status);
}

bool CampaignRunner::NoteDecision(DecisionRecord record, absl::Time at, MonoTime now) {
  record.at = at;
  record.terms = terms_;
  record.decision.picks = {};
  if (record.decision.contract == 0) {  // who has not answered yet is no part of the count
    record.decision.persons = std::max(0.0, record.decision.persons - answers_to_come_);
  }
  decisions.Add(record, now);
  legs_unlogged += record.placed;
  if (legs_unlogged == 0 || (logged_once && now - logged_at < absl::Seconds(1))) return false;
  logged_once = true;
  logged_at = now;
  return true;
}

WhyAnswer CampaignRunner::Why(size_t most, absl::Time now) const {
  WhyAnswer answer;
  answer.campaign = settings_.id;
  answer.now = now;
  answer.zone = settings_.report_zone;
  answer.idle_reason = idle_reason;
  if (const DecisionRecord* latest = decisions.latest()) {
    answer.decided = true;
    answer.latest = *latest;
  }
  answer.last = decisions.Last(most);
  return answer;
}

CampaignFigures CampaignRunner::Figures() const {
  const pacing::PacerSnapshot learned = pacer.Snapshot();
  CampaignFigures figures;
  figures.id = settings_.id;
  figures.name = settings_.name;
  figures.active = settings_.active;
  figures.dial_method = std::string(campaign::DialMethodName(settings_.dial_method));
  figures.hopper = static_cast<int64_t>(hopper.size());
  figures.ringing = ringing;
  figures.waiting = static_cast<int>(waiting.size());
  figures.today = today;
  figures.answer_ratio = learned.answer_ratio;
  figures.dial_level = last_decision.dial_level;
  const listen::AnswerTuner::Errors errors = amd_tuner.Measured();
  figures.amd_people = errors.people;
  figures.amd_machines = errors.machines;
  figures.amd_lost = errors.lost_share;
  figures.amd_missed = errors.missed_share;
  figures.amd_confidence_min = static_cast<double>(amd_tuner.MachineConfidenceMin());
  figures.ring_mean = learned.ring_time_mean;
  figures.talk_mean = learned.talk_time_mean;
  figures.wrap_mean = learned.wrap_time_mean;
  figures.legs_to_place = last_decision.legs_to_place;
  figures.limit = std::string(pacing::LimitName(last_decision.limit));
  figures.p_abandon = last_decision.p_abandon;
  figures.theta = last_decision.theta;
  figures.idle_reason = idle_reason;
  if (const DecisionRecord* latest = decisions.latest()) {
    figures.alarm = std::string(pacing::AlarmName(latest->decision.alarm));
    figures.why_en = Explain(*latest, idle_reason, Language::kEnglish);
    figures.why_zh = Explain(*latest, idle_reason, Language::kChinese);
  }
  return figures;
}

std::string CampaignRunner::SaveLearned() const {
  const std::string laws =
      absl::StrJoin(pacer.SaveState(), " ", [](std::string* out, double value) {
        absl::StrAppend(out, absl::StrFormat("%.17g", value));
      });
  return absl::StrCat(laws, "\n", amd_tuner.Save());
}

absl::Status CampaignRunner::LoadLearned(const std::string& text) {
  // The first line is the pacer's; earlier versions had no other.
  const std::pair<absl::string_view, absl::string_view> saved =
      absl::StrSplit(text, absl::MaxSplits('\n', 1));
  if (!saved.second.empty()) {
    if (absl::Status status = amd_tuner.Load(saved.second); !status.ok()) return status;
  }
  std::vector<double> state;
  for (absl::string_view word : absl::StrSplit(saved.first, ' ', absl::SkipEmpty())) {
    double value = 0;
    if (!absl::SimpleAtod(word, &value)) return absl::InvalidArgumentError("not a list of numbers");
    state.push_back(value);
  }
  return pacer.LoadState(state);
}

DecisionTerms TermsOf(const campaign::CampaignSettings& settings) {
  DecisionTerms terms;
  terms.dial_method = std::string(campaign::DialMethodName(settings.dial_method));
  terms.trunk = settings.trunk;
  terms.level = settings.auto_dial_level;
  terms.level_max = settings.adaptive_maximum_level;
  for (const campaign::AbandonContract& contract : ContractsOf(settings)) {
    terms.contracts.push_back({contract.name,
                               std::string(campaign::AbandonWindowName(contract.window)),
                               contract.limit / 100});
  }
  return terms;
}

pacing::PacerSettings PacerSettingsOf(const campaign::CampaignSettings& settings) {
  pacing::PacerSettings pacer;
  switch (settings.dial_method) {
    case campaign::DialMethod::kManual:
      pacer.method = pacing::DialMethod::kManual;
      break;
    case campaign::DialMethod::kPreview:
      pacer.method = pacing::DialMethod::kPreview;
      break;
    case campaign::DialMethod::kProgressive:
      pacer.method = pacing::DialMethod::kProgressive;
      break;
    case campaign::DialMethod::kRatio:
      pacer.method = pacing::DialMethod::kRatio;
      break;
    case campaign::DialMethod::kAdaptHardLimit:
    case campaign::DialMethod::kAdaptTapered:
    case campaign::DialMethod::kAdaptAverage:
      pacer.method = pacing::DialMethod::kPredictive;
      break;
  }
  pacer.dial_level = settings.auto_dial_level;
  pacer.dial_level_max = settings.adaptive_maximum_level;
  // A fixed level is what it is set to; the maximum is the adaptive methods'.
  if (settings.dial_method == campaign::DialMethod::kRatio) {
    pacer.dial_level_max = std::max(pacer.dial_level_max, settings.auto_dial_level);
  }
  pacer.abandon_ratio_max = settings.adaptive_dropped_percentage / 100;
  for (const campaign::AbandonContract& contract : ContractsOf(settings)) {
    pacer.contracts.push_back({.name = contract.name,
                               .ratio_max = contract.limit / 100,
                               .window = RollingLength(contract.window),
                               .population = PopulationOf(contract.denominator),
                               .told = true});
  }
  // VICIdial's intensity is a percentage on top.
  pacer.intensity = 1 + settings.adaptive_intensity / 100.0;
  pacer.answer_limit = settings.drop_call_seconds;
  pacer.ring_time_max = settings.dial_timeout;
  return pacer;
}

void DelayHistogram::Add(absl::Duration delay) {
  const int64_t bucket = std::max<int64_t>(0, absl::ToInt64Microseconds(delay) / 100);
  ++counts_[std::min<size_t>(static_cast<size_t>(bucket), kBuckets)];
  ++total_;
}

double DelayHistogram::QuantileMs(double q) const {
  if (total_ == 0) return 0;
  const auto wanted = static_cast<uint64_t>(q * static_cast<double>(total_ - 1));
  uint64_t seen = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen > wanted) return static_cast<double>(i + 1) / 10;  // upper edge of the bucket
  }
  return static_cast<double>(kBuckets) / 10;
}

}  // namespace outpace::runtime
