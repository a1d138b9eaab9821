#include "campaign/tier/campaign_tiers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "campaign/tier/hash.h"
#include "engine/base/check.h"

namespace outpace::tier {
namespace {

constexpr uint32_t kKind = 5, kVersion = 2;

// Attempts after which one counts 1/e less for what share an arm has at the moment.
constexpr double kRecent = 1 - 1.0 / 300;
constexpr double kShareMin = 0.01;

constexpr absl::Duration kPassEvery = absl::Minutes(1);
constexpr int kPassRest = 3;  // times its own length: a list of millions does not eat the machine
constexpr absl::Duration kPassAgain = absl::Seconds(10);  // when the shortlist has run low
constexpr size_t kShortlistLow = 500;
// A pass takes along what falls due before the next one.
constexpr absl::Duration kAhead = absl::Minutes(2);

ScorerChoice ChoiceOf(const campaign::CampaignSettings& settings) {
  return {.fields = settings.tier_fields, .profile = settings.tier_profile};
}

uint64_t SaltOf(const CampaignId& campaign) { return HashText(campaign, 0x71e5); }

// What list shares and "2nd NEW" have put in an order stays in it.
bool KeepsOrder(const campaign::CampaignSettings& settings) {
  return !settings.list_order_mix.empty() || settings.lead_order.nth_new > 0;
}

bool IsPromised(const campaign::Lead& lead, const campaign::CampaignSettings& settings) {
  const campaign::Disposition* disposition = settings.statuses.Find(lead.status);
  return disposition != nullptr && disposition->scheduled_callback;
}

double Recent(double first, double second) {
  const double all = first + second;
  return all <= 0 ? 0.5 : std::clamp(first / all, kShareMin, 1 - kShareMin);
}

int64_t MicrosOf(absl::Time time) {
  return time == absl::InfinitePast() ? INT64_MIN : absl::ToUnixMicros(time);
}

void PutChoice(const ScorerChoice& choice, ByteWriter* out) {
  out->PutText(choice.fields.ToString());
  out->PutText(absl::StrJoin(choice.profile, ","));
}

bool GetChoice(ByteReader* in, ScorerChoice* choice) {
  const auto fields = campaign::ParseTierFields(in->GetText());
  const auto profile = campaign::ParseTierFields(in->GetText());
  if (!fields.ok() || !profile.ok()) return false;
  *choice = {.fields = *fields, .profile = profile->only};
  return true;
}

}  // namespace

ModelSettings ModelSettingsOf(const ScorerChoice& choice) {
  ModelSettings settings;
  settings.features.profile = choice.profile;
  return settings;
}

// ---- a pass ----

struct PassScorer::Shared {
  explicit Shared(const TierModel& model) : champion(model) {}
  TierModel champion;
  std::unique_ptr<TierModel> challenger;
  std::unique_ptr<Trial> trial;
  ScorerChoice champion_choice, challenger_choice;
  absl::Time now;
  int64_t due_until = 0;  // microseconds
  absl::flat_hash_set<ListId> lists;
  absl::flat_hash_set<std::string> statuses;  // empty: all
  int call_count_limit = 0;
  uint64_t salt = 0, generation = 0;
  double explore = 0;
  campaign::CampaignSettings settings;
};

PassScorer::PassScorer(std::shared_ptr<const Shared> shared)
    : shared_(std::move(shared)),
      champion_facts_(shared_->champion_choice.fields),
      challenger_facts_(shared_->challenger_choice.fields),
      champion_scores_(1e12),
      challenger_scores_(1e12) {}

absl::Status PassScorer::Visit(const campaign::LeadGlance& lead, campaign::WholeLead whole) {
  const Shared& s = *shared_;
  const int tries =
      lead.max_attempts > 0 ? std::min(lead.max_attempts, s.call_count_limit) : s.call_count_limit;
  if (lead.next_call_micros > s.due_until || lead.hold_until_micros > s.due_until ||
      lead.called_count >= tries || !s.lists.contains(lead.list) ||
      (!s.statuses.empty() && !s.statuses.contains(lead.status))) {
    return absl::OkStatus();
  }
  const absl::StatusOr<campaign::Lead> read = whole();
  if (absl::IsDataLoss(read.status())) {
    ++damaged_;  // `store verify` names it; the others are scored all the same
    return absl::OkStatus();
  }
  if (!read.ok()) return read.status();
  ++due_;
  Entry entry{.id = read->id, .rank = read->rank};
  entry.challenger = s.trial != nullptr && s.trial->ArmOf(entry.id) == Arm::kChallenger;
  const LeadView view = (entry.challenger ? challenger_facts_ : champion_facts_).Next(*read, s.now);
  const std::vector<TierRule>& rules = s.settings.tier_rules;
  const int rule = RuleOf(rules, *read);
  entry.promised = IsPromised(*read, s.settings);
  entry.by_rule = entry.promised || rule >= 0;
  if (rule >= 0 && !entry.promised && rules[static_cast<size_t>(rule)].tier == campaign::Tier::kB) {
    return absl::OkStatus();
  }
  entry.score = (entry.challenger ? *s.challenger : s.champion).Score(view).per_agent_minute;
  Keep(entry);
  if (entry.by_rule) return absl::OkStatus();
  (entry.challenger ? challenger_scores_ : champion_scores_).Add(entry.score);
  if (const double draw = Draw(entry.id, s.salt); draw < s.explore) KeepDrawn(draw, entry);
  return absl::OkStatus();
}

void PassScorer::Keep(const Entry& entry) {
  // Equal ones by id: which of them are kept does not hang on the order they came in.
  const auto better = [](const Entry& a, const Entry& b) {
    if (a.promised != b.promised) return a.promised;
    if (a.by_rule != b.by_rule) return a.by_rule;
    if (a.score != b.score) return a.score > b.score;
    return a.id < b.id;
  };
  std::vector<Entry>& heap = best_[entry.challenger ? 1 : 0];
  if (heap.size() == kBest) {
    if (!better(entry, heap.front())) return;
    std::pop_heap(heap.begin(), heap.end(), better);
    heap.pop_back();
  }
  heap.push_back(entry);
  std::push_heap(heap.begin(), heap.end(), better);
}

void PassScorer::KeepDrawn(double draw, const Entry& entry) {
  const auto lower = [](const auto& a, const auto& b) { return a.first < b.first; };
  if (drawn_.size() == kDrawn) {
    if (draw >= drawn_.front().first) return;
    std::pop_heap(drawn_.begin(), drawn_.end(), lower);
    drawn_.pop_back();
  }
  drawn_.emplace_back(draw, entry);
  std::push_heap(drawn_.begin(), drawn_.end(), lower);
}

// ---- a campaign ----

CampaignTiers::CampaignTiers(const campaign::CampaignSettings& settings)
    : settings_(settings),
      champion_choice_(ChoiceOf(settings)),
      settings_choice_(champion_choice_) {
  BeginAnew();
}

CampaignTiers::~CampaignTiers() = default;
CampaignTiers::CampaignTiers(CampaignTiers&&) noexcept = default;
CampaignTiers& CampaignTiers::operator=(CampaignTiers&&) noexcept = default;

void CampaignTiers::BeginAnew() {
  ++generation_;
  // Arms that another scorer has drawn are not this one's.
  lift_ = SequentialRatio();
  recent_a_ = recent_drawn_ = recent_champion_ = recent_challenger_ = 0;
  successes_ = 0;
  champion_ = std::make_unique<TierModel>(ModelSettingsOf(champion_choice_));
  champion_facts_ = std::make_unique<LeadFacts>(champion_choice_.fields);
  champion_board_ =
      std::make_unique<TierBoard>(std::vector<TierRule>(), settings_.tier_a_percentage / 100);
  challenger_.reset();
  trial_.reset();
  challenger_facts_.reset();
  challenger_board_.reset();
}

bool CampaignTiers::blank() const { return champion_->attempts() == 0; }

void CampaignTiers::UpdateSettings(const campaign::CampaignSettings& settings) {
  OUTPACE_CHECK(settings.id == settings_.id);
  const ScorerChoice choice = ChoiceOf(settings);
  const bool other = choice != settings_choice_ && choice != champion_choice_;
  settings_ = settings;
  settings_choice_ = choice;
  if (other) {
    champion_choice_ = choice;
    return BeginAnew();
  }
  const auto anew = [&](std::unique_ptr<TierBoard>& board) {
    if (board == nullptr) return;
    const std::string scores = board->Save();
    board = std::make_unique<TierBoard>(std::vector<TierRule>(), settings_.tier_a_percentage / 100);
    OUTPACE_CHECK(board->Load(scores).ok());
  };
  anew(champion_board_);
  anew(challenger_board_);
}

CampaignTiers::Scored CampaignTiers::ScoreOf(const campaign::Lead& lead, absl::Time now) {
  Scored scored;
  scored.pick.challenger = trial_ != nullptr && trial_->ArmOf(lead.id) == Arm::kChallenger;
  const bool challenger = scored.pick.challenger;
  const LeadView view = (challenger ? *challenger_facts_ : *champion_facts_).Next(lead, now);
  scored.score = (challenger ? *challenger_ : *champion_).Score(view);
  scored.pick.score = scored.score.per_agent_minute;
  scored.above =
      (challenger ? *challenger_board_ : *champion_board_).ShareAbove(lead.id, scored.pick.score);
  scored.rule = RuleOf(settings_.tier_rules, lead);
  scored.promised = IsPromised(lead, settings_);
  scored.pick.by_rule = scored.promised || scored.rule >= 0;
  if (scored.promised) {
    scored.pick.tier = campaign::Tier::kA;
  } else if (scored.rule >= 0) {
    scored.pick.tier = settings_.tier_rules[static_cast<size_t>(scored.rule)].tier;
  } else {
    const bool best = scored.above < settings_.tier_a_percentage / 100;
    scored.pick.tier = best ? campaign::Tier::kA : campaign::Tier::kB;
    scored.pick.explored =
        !best && Explores(lead.id, SaltOf(settings_.id), settings_.tier_explore_percentage / 100);
  }
  return scored;
}

std::vector<RankedLead> CampaignTiers::Rank(std::vector<campaign::Lead> leads, absl::Time now) {
  // Before the first pass these leads are all that is known of the list.
  if (!champion_board_->has_scores()) {
    RunningQuantile scores(1e12);
    for (const campaign::Lead& lead : leads) scores.Add(ScoreOf(lead, now).pick.score);
    champion_board_->SetScores(scores);
  }
  struct Place {
    Scored scored;
    int rank;
    size_t at;
  };
  std::vector<Place> places, drawn;
  for (size_t i = 0; i < leads.size(); ++i) {
    Place place{ScoreOf(leads[i], now), leads[i].rank, i};
    (place.scored.pick.explored ? drawn : places).push_back(place);
  }
  // Scores of two scorers do not compare; where each puts the lead among its own does.
  const bool trial = trial_ != nullptr;
  const auto before = [trial](const Place& a, const Place& b) {
    if (a.scored.promised != b.scored.promised) return a.scored.promised;
    if (a.scored.pick.tier != b.scored.pick.tier) return a.scored.pick.tier < b.scored.pick.tier;
    if (a.rank != b.rank) return a.rank > b.rank;
    if (trial) return a.scored.above < b.scored.above;
    return a.scored.pick.score > b.scored.pick.score;
  };
  if (KeepsOrder(settings_)) {
    for (const Place& place : drawn) places.push_back(place);
    drawn.clear();
    std::sort(places.begin(), places.end(),
              [](const Place& a, const Place& b) { return a.at < b.at; });
  } else {
    std::stable_sort(places.begin(), places.end(), before);
  }
  const uint64_t salt = SaltOf(settings_.id);
  std::stable_sort(drawn.begin(), drawn.end(), [&](const Place& a, const Place& b) {
    return Draw(leads[a.at].id, salt) < Draw(leads[b.at].id, salt);
  });
  std::vector<RankedLead> ranked;
  ranked.reserve(leads.size());
  const auto add = [&](const Place& place) {
    campaign::Lead& lead = leads[place.at];
    lead.tier = place.scored.pick.tier;
    ranked.push_back({std::move(lead), place.scored.pick});
  };
  // So that of the attempts this share is drawn, whatever part of each ranking was dialed.
  const double explore = settings_.tier_explore_percentage / 100;
  double credit = std::clamp(explore * (recent_a_ + recent_drawn_) - recent_drawn_, -3.0, 1.0);
  size_t next_drawn = 0;
  for (const Place& place : places) {
    add(place);
    credit += explore / (1 - explore);
    if (credit < 1 || next_drawn == drawn.size()) continue;
    credit -= 1;
    add(drawn[next_drawn++]);
  }
  while (next_drawn < drawn.size()) add(drawn[next_drawn++]);
  return ranked;
}

void CampaignTiers::Learn(const campaign::Lead& before, const campaign::Attempt& record) {
  const campaign::Disposition* status = settings_.statuses.Find(record.status);
  const Lesson lesson = LessonOf(record, status != nullptr && status->human_answered,
                                 status != nullptr && status->sale);
  if (!lesson.learn) return;
  if (lesson.result.success) ++successes_;
  LearnArms(before.id, record, lesson.result.success);
  champion_->Learn(champion_facts_->Of(before, record), lesson.result);
  if (challenger_ != nullptr) {
    challenger_->Learn(challenger_facts_->Of(before, record), lesson.result);
  }
  if (trial_ != nullptr && trial_->verdict() != Verdict::kRunning) {
    const absl::Time at = std::max(record.ended_at, record.disposed_at);
    FinishTrial(VerdictName(trial_->verdict()), at);
  }
}

void CampaignTiers::LearnArms(LeadId lead, const campaign::Attempt& record, bool success) {
  // Whom a rule or a promise has put first no score has drawn.
  if (record.scorer.empty()) return;
  const bool a = record.tier == campaign::Tier::kA;
  if (a || record.explored) {
    lift_.Learn(a, success, Recent(recent_a_, recent_drawn_));
    recent_a_ = recent_a_ * kRecent + (a ? 1 : 0);
    recent_drawn_ = recent_drawn_ * kRecent + (a ? 0 : 1);
  }
  // What is compared is whom each scorer puts first, since the trial began.
  if (trial_ == nullptr || !a) return;
  const Arm arm = trial_->ArmOf(lead);
  if ((arm == Arm::kChallenger) != (record.scorer == "challenger")) return;  // of an earlier trial
  trial_->Learn(arm, success, Recent(recent_challenger_, recent_champion_));
  recent_champion_ = recent_champion_ * kRecent + (arm == Arm::kChampion ? 1 : 0);
  recent_challenger_ = recent_challenger_ * kRecent + (arm == Arm::kChallenger ? 1 : 0);
}

void CampaignTiers::FinishTrial(absl::string_view verdict, absl::Time now) {
  last_trial_ =
      absl::StrCat(verdict, " ", absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", now, absl::UTCTimeZone()));
  if (trial_->verdict() == Verdict::kPromote) {
    champion_ = std::move(challenger_);
    champion_choice_ = challenger_choice_;
    champion_facts_ = std::move(challenger_facts_);
    champion_board_ = std::move(challenger_board_);
    promoted_ = champion_choice_;
  }
  ++generation_;
  trial_.reset();
  challenger_.reset();
  challenger_facts_.reset();
  challenger_board_.reset();
}

std::optional<ScorerChoice> CampaignTiers::TakePromoted() {
  return std::exchange(promoted_, std::nullopt);
}

absl::Status CampaignTiers::Challenge(const ScorerChoice& challenger, double share, uint64_t salt) {
  if (trial_ != nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("campaign ", settings_.id, " has a challenger already; end its trial first"));
  }
  if (!(share > 0 && share < 1)) {
    return absl::InvalidArgumentError("the challenger's share is between 0 and 1, such as 0.5");
  }
  if (challenger == champion_choice_) {
    return absl::InvalidArgumentError("the challenger looks at what the champion looks at");
  }
  challenger_choice_ = challenger;
  challenger_ = std::make_unique<TierModel>(ModelSettingsOf(challenger));
  challenger_facts_ = std::make_unique<LeadFacts>(challenger.fields);
  challenger_board_ =
      std::make_unique<TierBoard>(std::vector<TierRule>(), settings_.tier_a_percentage / 100);
  trial_settings_ = {.salt = salt, .challenger_share = share};
  trial_ = std::make_unique<Trial>(trial_settings_);
  recent_champion_ = recent_challenger_ = 0;
  ++generation_;
  passed_at_ = absl::InfinitePast();  // its scores are wanted
  return absl::OkStatus();
}

absl::Status CampaignTiers::EndTrial(absl::Time now) {
  if (trial_ == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("campaign ", settings_.id, " has no challenger"));
  }
  FinishTrial("ended by hand", now);
  return absl::OkStatus();
}

std::vector<LeadId> CampaignTiers::Candidates(size_t most) {
  std::vector<LeadId> ids;
  const auto take = [&ids](std::vector<LeadId>& from, size_t count) {
    for (; count > 0 && !from.empty(); --count) {
      ids.push_back(from.back());
      from.pop_back();
    }
  };
  const auto drawn = static_cast<size_t>(
      std::ceil(static_cast<double>(most) * settings_.tier_explore_percentage / 100));
  take(shortlist_, most > drawn ? most - drawn : 0);
  take(drawn_, std::min(drawn, most));
  return ids;
}

bool CampaignTiers::WantsPass(absl::Time now) const {
  if (passing_) return false;
  if (passed_at_ == absl::InfinitePast()) return true;
  const absl::Duration since = now - passed_at_;
  if (since < absl::ZeroDuration()) return true;  // the clock was set back
  if (since >= std::max(kPassEvery, kPassRest * pass_took_)) return true;
  const bool low = shortlisted_ > kShortlistLow && shortlist_.size() < kShortlistLow;
  return low && since >= std::max(kPassAgain, pass_took_);
}

std::vector<std::unique_ptr<PassScorer>> CampaignTiers::BeginPass(
    size_t threads, absl::Time now, std::vector<ListId> dialed_lists) {
  OUTPACE_CHECK(!passing_ && threads > 0);
  passing_ = true;
  auto shared = std::make_shared<PassScorer::Shared>(*champion_);
  if (trial_ != nullptr) {
    shared->challenger = std::make_unique<TierModel>(*challenger_);
    shared->trial = std::make_unique<Trial>(trial_settings_);
  }
  shared->champion_choice = champion_choice_;
  shared->challenger_choice = challenger_choice_;
  shared->settings = settings_;
  shared->generation = generation_;
  shared->now = now;
  shared->due_until = MicrosOf(now + kAhead);
  shared->lists.insert(dialed_lists.begin(), dialed_lists.end());
  const std::vector<std::string> statuses = settings_.DialedStatuses();
  shared->statuses.insert(statuses.begin(), statuses.end());
  shared->call_count_limit = settings_.call_count_limit;
  shared->salt = SaltOf(settings_.id);
  shared->explore = settings_.tier_explore_percentage / 100;
  std::vector<std::unique_ptr<PassScorer>> parts;
  for (size_t i = 0; i < threads; ++i) {
    parts.push_back(std::unique_ptr<PassScorer>(new PassScorer(shared)));
  }
  return parts;
}

void CampaignTiers::EndPass(std::vector<std::unique_ptr<PassScorer>> parts, absl::Time now,
                            absl::Duration took) {
  OUTPACE_CHECK(passing_);
  passing_ = false;
  if (parts.front()->shared_->generation != generation_) {
    passed_at_ = absl::InfinitePast();  // of scorers that are gone: again
    return;
  }
  passed_at_ = now;
  pass_took_ = took;
  due_ = 0;
  RunningQuantile champion(1e12), challenger(1e12);
  for (const auto& part : parts) {
    due_ += part->due_;
    champion.Merge(part->champion_scores_);
    challenger.Merge(part->challenger_scores_);
  }
  if (champion.added() > 0) champion_board_->SetScores(champion);
  if (challenger_board_ != nullptr && challenger.added() > 0) {
    challenger_board_->SetScores(challenger);
  }
  const auto place = [this](PassScorer::Entry& entry) {
    const TierBoard* board = entry.challenger ? challenger_board_.get() : champion_board_.get();
    entry.above = board == nullptr ? 1 : board->ShareAbove(entry.id, entry.score);
    return entry.by_rule || entry.above < champion_board_->share_a();
  };
  std::vector<PassScorer::Entry> best;
  std::vector<std::pair<double, PassScorer::Entry>> drawn;
  for (const auto& part : parts) {
    for (std::vector<PassScorer::Entry>& heap : part->best_) {
      for (PassScorer::Entry& entry : heap) {
        if (place(entry)) best.push_back(entry);
      }
    }
    for (auto& [draw, entry] : part->drawn_) {
      if (!place(entry)) drawn.emplace_back(draw, entry);
    }
  }
  const bool trial = trial_ != nullptr;
  std::sort(best.begin(), best.end(), [trial](const auto& a, const auto& b) {
    if (a.promised != b.promised) return a.promised;
    if (a.rank != b.rank) return a.rank > b.rank;
    if (trial && a.above != b.above) return a.above < b.above;
    if (!trial && a.score != b.score) return a.score > b.score;
    return a.id < b.id;
  });
  if (best.size() > PassScorer::kBest) best.resize(PassScorer::kBest);
  std::sort(drawn.begin(), drawn.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second.id < b.second.id;
  });
  shortlist_.clear();
  drawn_.clear();
  for (auto it = best.rbegin(); it != best.rend(); ++it) shortlist_.push_back(it->id);
  for (auto it = drawn.rbegin(); it != drawn.rend(); ++it) drawn_.push_back(it->second.id);
  shortlisted_ = shortlist_.size();
}

TierExplanation CampaignTiers::Explain(const campaign::Lead& lead, absl::Time now, int reasons) {
  const Scored scored = ScoreOf(lead, now);
  TierExplanation told;
  told.pick = scored.pick;
  told.share_above = scored.above;
  told.score = scored.score;
  if (scored.promised) {
    told.rule = "a promised callback";
  } else if (scored.rule >= 0) {
    told.rule = campaign::TierRuleText(settings_.tier_rules[static_cast<size_t>(scored.rule)]);
  }
  const bool challenger = scored.pick.challenger;
  const LeadView view = (challenger ? *challenger_facts_ : *champion_facts_).Next(lead, now);
  const TierModel& model = challenger ? *challenger_ : *champion_;
  told.reasons = model.Explain(view, reasons);
  const campaign::CallingWindow& window = settings_.local_call_time;
  told.best_hour = model.BestHour(view, window.start_minute / 60, (window.end_minute + 59) / 60);
  return told;
}

TierReport CampaignTiers::Report() const {
  TierReport report;
  report.mode = settings_.tier_mode;
  report.attempts = champion_->attempts();
  report.contacts = champion_->contacts();
  report.successes = successes_;
  report.a = lift_.first();
  report.drawn_b = lift_.second();
  report.ratio = lift_.Interval();
  report.p_value = lift_.PValue();
  report.passed_at = passed_at_;
  report.pass_took = pass_took_;
  report.due = due_;
  report.shortlist = shortlist_.size();
  report.champion = champion_choice_;
  report.last_trial = last_trial_;
  if (trial_ != nullptr) {
    report.trial = true;
    report.challenger = challenger_choice_;
    report.champion_arm = trial_->champion();
    report.challenger_arm = trial_->challenger();
    report.trial_ratio = trial_->Interval();
    report.trial_p_value = trial_->PValue();
  }
  return report;
}

std::string CampaignTiers::Save(absl::Time until) const {
  ByteWriter out;
  out.Put<int64_t>(MicrosOf(until));
  PutChoice(settings_choice_, &out);
  PutChoice(champion_choice_, &out);
  out.PutText(champion_->Save());
  out.PutText(champion_board_->Save());
  lift_.Save(&out);
  for (const double value : {recent_a_, recent_drawn_, recent_champion_, recent_challenger_}) {
    out.Put(value);
  }
  out.Put(successes_);
  out.PutText(last_trial_);
  out.Put<uint8_t>(trial_ != nullptr ? 1 : 0);
  if (trial_ != nullptr) {
    PutChoice(challenger_choice_, &out);
    out.Put(trial_settings_.salt);
    out.Put(trial_settings_.challenger_share);
    out.PutText(challenger_->Save());
    out.PutText(challenger_board_->Save());
    out.PutText(trial_->Save());
  }
  return out.Seal(kKind, kVersion);
}

absl::StatusOr<absl::Time> CampaignTiers::Load(absl::string_view bytes) {
  const absl::StatusOr<absl::string_view> payload = Unseal(bytes, kKind, kVersion);
  if (!payload.ok()) return payload.status();
  const absl::Status damaged = absl::DataLossError("tiers: damaged");
  ByteReader in(*payload);
  CampaignTiers read(settings_);
  const int64_t until = in.Get<int64_t>();
  ScorerChoice told;  // by the settings of then
  if (!GetChoice(&in, &told) || !GetChoice(&in, &read.champion_choice_)) return damaged;
  const bool promoted = read.champion_choice_ != settings_choice_;
  read.BeginAnew();
  absl::StatusOr<TierModel> champion =
      TierModel::Load(ModelSettingsOf(read.champion_choice_), in.GetText());
  if (!champion.ok()) return champion.status();
  *read.champion_ = *std::move(champion);
  if (absl::Status s = read.champion_board_->Load(in.GetText()); !s.ok()) return s;
  if (!read.lift_.Load(&in)) return damaged;
  for (double* value :
       {&read.recent_a_, &read.recent_drawn_, &read.recent_champion_, &read.recent_challenger_}) {
    *value = in.Get<double>();
    if (!(*value >= 0 && *value < 1e9)) return damaged;
  }
  read.successes_ = in.Get<uint64_t>();
  read.last_trial_ = in.GetText();
  if (in.Get<uint8_t>() != 0) {
    if (!GetChoice(&in, &read.challenger_choice_)) return damaged;
    const uint64_t salt = in.Get<uint64_t>();
    const double share = in.Get<double>();
    if (!(share > 0 && share < 1)) return damaged;
    const ScorerChoice challenger = read.challenger_choice_;
    if (absl::Status s = read.Challenge(challenger, share, salt); !s.ok()) return damaged;
    absl::StatusOr<TierModel> model = TierModel::Load(ModelSettingsOf(challenger), in.GetText());
    if (!model.ok()) return model.status();
    *read.challenger_ = *std::move(model);
    if (absl::Status s = read.challenger_board_->Load(in.GetText()); !s.ok()) return s;
    if (absl::Status s = read.trial_->Load(in.GetText()); !s.ok()) return s;
  }
  if (!in.done()) return damaged;
  // The manager has chosen other fields while nobody was there to hear it.
  if (promoted && told != settings_choice_) {
    return absl::FailedPreconditionError("tiers: learned from other fields");
  }
  if (promoted) read.promoted_ = read.champion_choice_;
  *this = std::move(read);
  return until == INT64_MIN ? absl::InfinitePast() : absl::FromUnixMicros(until);
}

}  // namespace outpace::tier
