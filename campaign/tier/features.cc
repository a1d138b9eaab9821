#include "campaign/tier/features.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "campaign/tier/hash.h"
#include "engine/base/check.h"

namespace outpace::tier {
namespace {

enum Kind : uint8_t { kText, kNumber, kStanding, kHour, kWeekday, kStatus, kCaller, kList };
// What a look-alike feature tells, in FeatureList::first; `second` is which look-alike, from 1.
enum AlikeKind : uint8_t { kNone, kAgo, kResult, kTries, kRest, kAttempt, kLast, kChain };

constexpr uint8_t kNoField = 255;  // the attempt number, which is no field of the lead
constexpr uint8_t kNoSecond = 255;
constexpr uint64_t kAttemptName = Mix(1);

// A number as lists hold them: digits, at most nine of them, a sign and a point. A code with
// leading zeros or an identifier of ten digits is a name.
bool ReadNumber(absl::string_view text, double* value) {
  if (text.empty() || text.size() > 12) return false;
  size_t at = text[0] == '-' || text[0] == '+' ? 1 : 0;
  if (text.size() - at > 1 && text[at] == '0' && text[at + 1] != '.') return false;
  int64_t digits = 0, scale = 1;
  int count = 0;
  bool point = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.' && !point) {
      point = true;
    } else if (c >= '0' && c <= '9') {
      digits = digits * 10 + (c - '0');
      if (point) scale *= 10;
      ++count;
    } else {
      return false;
    }
  }
  if (count == 0 || count > 9) return false;
  *value = static_cast<double>(digits) / static_cast<double>(scale);
  if (text[0] == '-') *value = -*value;
  return true;
}

// Quarters of an octave of 1 + |value|: 0, 1, 2, 3 have bins of their own, 30 shares one with 34.
// By comparison with constants, so that every machine draws the same borders.
int Bin(double value) {
  int exponent;
  const double mantissa = std::frexp(1 + std::abs(value), &exponent);  // [0.5, 1)
  const int quarter = mantissa < 0.5946035575013605   ? 0
                      : mantissa < 0.7071067811865476 ? 1
                      : mantissa < 0.8408964152537145 ? 2
                                                      : 3;
  const int bin = 4 * exponent + quarter;
  return value < 0 ? -bin : bin;
}

uint64_t HashNumber(uint64_t name, uint64_t kind, int value) {
  return Combine(name + kind, static_cast<uint64_t>(static_cast<int64_t>(value)));
}

int ResultOf(const Alike& alike) { return alike.success ? 2 : alike.contact ? 1 : 0; }

}  // namespace

struct FeatureMaker::Facts {
  static constexpr int kMax = 2 * kFieldsMax + 10;
  std::array<Fact, kMax> fact;
  int size = 0;
  std::array<Fact, kFieldsMax + 1> standing;  // kept apart: they come after the values
  int standings = 0;
  void Add(uint64_t hash, uint8_t kind, uint8_t field, int bin) {
    fact[static_cast<size_t>(size++)] = {hash, kind, field, static_cast<int16_t>(bin)};
  }
};

FeatureMaker::FeatureMaker(FeatureSettings settings)
    : settings_(std::move(settings)), shift_(64 - settings_.slot_bits) {
  OUTPACE_CHECK(settings_.slot_bits >= 8 && settings_.slot_bits <= 24);
  OUTPACE_CHECK(settings_.cross_max >= 0 && settings_.cross_max <= 20);
  OUTPACE_CHECK(settings_.standing >= 2);
  for (const std::string& name : settings_.profile) profile_.push_back(HashText(name));
  for (const std::string& name : settings_.names) names_.push_back(HashText(name));
  standings_.reserve(kStandingsMax);
}

bool FeatureMaker::IsName(uint64_t hash) const {
  return std::find(names_.begin(), names_.end(), hash) != names_.end();
}

const FeatureMaker::Standing* FeatureMaker::Find(uint64_t name) const {
  for (const Standing& standing : standings_) {
    if (standing.name == name) return &standing;
  }
  return nullptr;
}

void FeatureMaker::AddNumber(uint64_t name, double value, uint8_t field, Facts* facts) const {
  const int bin = Bin(value);
  facts->Add(HashNumber(name, kNumber, bin), kNumber, field, bin);
  const Standing* standing = Find(name);
  if (standing == nullptr) return;
  const double spread = std::sqrt(std::max(standing->variance, 1e-4));
  const double z = std::clamp((value - standing->mean) / spread, -3.0, 4.0);
  const int step = static_cast<int>(std::floor(2 * z + 0.5));
  facts->standing[static_cast<size_t>(facts->standings++)] = {
      HashNumber(name, kStanding, step), kStanding, field, static_cast<int16_t>(step)};
}

void FeatureMaker::Gather(const LeadView& lead, Facts* facts) const {
  if (lead.attempt > 0) AddNumber(kAttemptName, lead.attempt, kNoField, facts);
  if (!lead.last_status.empty()) {
    facts->Add(HashText(lead.last_status, kStatus), kStatus, kNoField, 0);
  }
  const size_t count = std::min<size_t>(lead.fields.size(), kFieldsMax);
  for (size_t i = 0; i < count; ++i) {
    const LeadField& field = lead.fields[i];
    if (field.value.empty()) continue;
    const uint64_t name = HashText(field.name);
    double value;
    if (ReadNumber(field.value, &value) && !IsName(name)) {
      AddNumber(name, value, static_cast<uint8_t>(i), facts);
    } else {
      facts->Add(HashText(field.value, name), kText, static_cast<uint8_t>(i), 0);
    }
  }
  if (lead.hour >= 0) facts->Add(HashNumber(0, kHour, lead.hour), kHour, kNoField, lead.hour);
  if (lead.weekday >= 0) {
    facts->Add(HashNumber(0, kWeekday, lead.weekday), kWeekday, kNoField, lead.weekday);
  }
  for (int i = 0; i < facts->standings; ++i) {
    facts->fact[static_cast<size_t>(facts->size++)] = facts->standing[static_cast<size_t>(i)];
  }
  if (!lead.caller_id.empty()) {
    facts->Add(HashText(lead.caller_id, kCaller), kCaller, kNoField, 0);
  }
  if (!lead.list.empty()) facts->Add(HashText(lead.list, kList), kList, kNoField, 0);
}

// False: the lead has no profile, for none is set or one of its fields is empty.
bool FeatureMaker::ProfileOf(const LeadView& lead, uint64_t* profile, uint64_t* rest) const {
  if (profile_.empty()) return false;
  size_t found = 0;
  *profile = 0;
  *rest = 0;
  const size_t count = std::min<size_t>(lead.fields.size(), kFieldsMax);
  for (size_t i = 0; i < count; ++i) {
    const LeadField& field = lead.fields[i];
    const uint64_t name = HashText(field.name);
    const uint64_t both = HashText(field.value, name);
    if (std::find(profile_.begin(), profile_.end(), name) == profile_.end()) {
      *rest += both;  // a sum: the order of the columns does not matter
    } else if (!field.value.empty()) {
      *profile += both;
      ++found;
    }
  }
  *profile = Mix(*profile) | 1;  // never the zero that stands for none
  return found == profile_.size();
}

void FeatureMaker::AddAlike(const LeadView& lead, FeatureList* out) const {
  uint64_t profile, rest;
  if (!ProfileOf(lead, &profile, &rest)) return;
  const auto add = [&](uint64_t kind, int which, uint64_t a, uint64_t b) {
    const size_t at = static_cast<size_t>(out->size++);
    out->slot[at] =
        SlotOf(Combine(Combine(Mix(2), kind * 8 + static_cast<uint64_t>(which)), Combine(a, b)));
    out->first[at] = static_cast<uint8_t>(kind);
    out->second[at] = static_cast<uint8_t>(which);
  };
  const LookAlikes::Last* last = alikes_.Find(profile);
  if (last == nullptr) {
    add(kNone, 1, 0, 0);
    return;
  }
  const uint32_t now = alikes_.attempts() + 1;
  const uint64_t newest = static_cast<uint64_t>(AgoStep(now - (*last)[0].at));
  for (int which = 1; which <= LookAlikes::kKept; ++which) {
    const Alike& alike = (*last)[static_cast<size_t>(which - 1)];
    if (alike.at == 0) {
      add(kNone, which, newest, 0);
      break;
    }
    const uint64_t ago = static_cast<uint64_t>(AgoStep(now - alike.at));
    const uint64_t result = static_cast<uint64_t>(ResultOf(alike));
    add(kAgo, which, ago, 0);
    add(kResult, which, ago, result);
    if (which > 1) {
      add(kChain, which, ago, newest);
      continue;
    }
    const uint64_t tries = lead.attempt > alike.attempt ? 2 : lead.attempt == alike.attempt ? 1 : 0;
    add(kTries, which, ago, tries * 4 + result);
    add(kRest, which, ago, static_cast<uint16_t>(rest) == alike.rest ? 1 : 0);
    add(kAttempt, which, ago, static_cast<uint64_t>(std::min(lead.attempt, 20)));
    if (!lead.last_status.empty()) add(kLast, which, ago, HashText(lead.last_status));
  }
}

void FeatureMaker::Make(const LeadView& lead, FeatureList* out) const {
  Facts facts;
  Gather(lead, &facts);
  int size = 0;
  for (; size < facts.size; ++size) {
    const size_t at = static_cast<size_t>(size);
    out->slot[at] = SlotOf(facts.fact[at].hash);
    out->first[at] = static_cast<uint8_t>(size);
    out->second[at] = kNoSecond;
  }
  out->singles = size;
  const size_t crossed = static_cast<size_t>(std::min(facts.size, settings_.cross_max));
  for (size_t i = 0; i < crossed; ++i) {
    for (size_t j = i + 1; j < crossed; ++j, ++size) {
      const size_t at = static_cast<size_t>(size);
      out->slot[at] = SlotOf(Combine(facts.fact[i].hash, facts.fact[j].hash));
      out->first[at] = static_cast<uint8_t>(i);
      out->second[at] = static_cast<uint8_t>(j);
    }
  }
  out->crosses = size;
  out->size = size;
  AddAlike(lead, out);
  static_assert(Facts::kMax + 20 * 19 / 2 + 20 <= FeatureList::kMax);
}

void FeatureMaker::LearnNumber(uint64_t name, double value) {
  Standing* standing = const_cast<Standing*>(Find(name));
  if (standing == nullptr) {
    if (standings_.size() == kStandingsMax) return;
    standing = &standings_.emplace_back();
    standing->name = name;
  }
  if (standing->seen < UINT32_MAX) ++standing->seen;
  const double weight = std::max(1 / settings_.standing, 1.0 / standing->seen);
  const double error = value - standing->mean;
  standing->mean += weight * error;
  standing->variance += weight * (error * error - standing->variance);
}

void FeatureMaker::Learn(const LeadView& lead, bool contact, bool success) {
  if (lead.attempt > 0) LearnNumber(kAttemptName, lead.attempt);
  const size_t count = std::min<size_t>(lead.fields.size(), kFieldsMax);
  for (size_t i = 0; i < count; ++i) {
    const uint64_t name = HashText(lead.fields[i].name);
    double value;
    if (ReadNumber(lead.fields[i].value, &value) && !IsName(name)) LearnNumber(name, value);
  }
  uint64_t profile, rest = 0;
  if (!ProfileOf(lead, &profile, &rest)) profile = 0;
  alikes_.Learn(profile, {.attempt = static_cast<uint8_t>(std::clamp(lead.attempt, 0, 255)),
                          .contact = contact,
                          .success = success,
                          .rest = static_cast<uint16_t>(rest)});
}

std::string FeatureMaker::FactName(const LeadView& lead, const Fact& fact) const {
  static constexpr const char* kDays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                          "Friday", "Saturday", "Sunday"};
  const absl::string_view name = fact.field == kNoField ? "attempt" : lead.fields[fact.field].name;
  const std::string value = fact.field == kNoField ? absl::StrCat(lead.attempt)
                                                   : std::string(lead.fields[fact.field].value);
  switch (fact.kind) {
    case kStanding:
      return absl::StrCat(name, "=", value, " (",
                          fact.bin >= 3    ? "far above"
                          : fact.bin >= 1  ? "above"
                          : fact.bin == 0  ? "as"
                          : fact.bin >= -2 ? "below"
                                           : "far below",
                          " the leads tried lately)");
    case kHour:
      return absl::StrCat("hour ", fact.bin);
    case kWeekday:
      return kDays[static_cast<size_t>(fact.bin) % 7];
    case kStatus:
      return absl::StrCat("last status ", lead.last_status);
    case kCaller:
      return "caller ID";  // a phone number: it is not told
    case kList:
      return absl::StrCat("list ", lead.list);
    default:
      return absl::StrCat(name, "=", value);
  }
}

std::string FeatureMaker::Name(const LeadView& lead, const FeatureList& list, int index) const {
  OUTPACE_CHECK(index >= 0 && index < list.size);
  const uint8_t first = list.first[static_cast<size_t>(index)];
  const uint8_t second = list.second[static_cast<size_t>(index)];
  if (index >= list.crosses) {
    static constexpr const char* kTold[] = {
        "none was tried before",
        "how long ago it was tried",
        "what became of it",
        "its attempts beside this lead's, and what became of it",
        "the same in all other fields, or not",
        "how long ago, at this attempt",
        "how long ago, after this last status",
        "how long ago it and the newest were tried"};
    return absl::StrCat("look-alike ", static_cast<int>(second), ": ", kTold[first]);
  }
  Facts facts;
  Gather(lead, &facts);
  const std::string name = FactName(lead, facts.fact[first]);
  if (second == kNoSecond) return name;
  return absl::StrCat(name, " + ", FactName(lead, facts.fact[second]));
}

void FeatureMaker::Save(ByteWriter* out) const {
  out->Put(static_cast<uint32_t>(standings_.size()));
  for (const Standing& standing : standings_) {
    out->Put(standing.name);
    out->Put(standing.seen);
    out->Put(standing.mean);
    out->Put(standing.variance);
  }
  alikes_.Save(out);
}

bool FeatureMaker::Load(ByteReader* in) {
  standings_.clear();
  const uint32_t count = in->GetCount(28);
  bool good = count <= kStandingsMax;
  for (uint32_t i = 0; good && i < count; ++i) {
    Standing& standing = standings_.emplace_back();
    standing.name = in->Get<uint64_t>();
    standing.seen = in->Get<uint32_t>();
    standing.mean = in->Get<double>();
    standing.variance = in->Get<double>();
    good = std::isfinite(standing.mean) && standing.variance >= 0;
  }
  if (good && alikes_.Load(in)) return true;
  standings_.clear();
  alikes_ = LookAlikes();
  return false;
}

}  // namespace outpace::tier
