#include "engine/listen/answer_tuner.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "engine/base/check.h"

namespace outpace::listen {
namespace {

constexpr absl::string_view kVersion = "answer_tuner_1";
constexpr float kLeastConfidence = 0.5f;
constexpr float kMostConfidence = 0.999f;

// Bins of equal width in the logarithm of the odds, -6..6 (0.0025..0.9975): what matters lies near
// certainty, where probabilities crowd.
constexpr double kOddsMax = 6;
constexpr double kBinWidth = 2 * kOddsMax / AnswerTuner::kBins;

size_t BinOf(double probability) {
  const double p = std::clamp(probability, 1e-6, 1 - 1e-6);
  const double at = (std::log(p / (1 - p)) + kOddsMax) / kBinWidth;
  return static_cast<size_t>(std::clamp(at, 0.0, AnswerTuner::kBins - 1.0));
}
// The probability from which on a bin counts.
float BinStart(size_t bin) {
  const double odds = -kOddsMax + kBinWidth * static_cast<double>(bin);
  return static_cast<float>(1 / (1 + std::exp(-odds)));
}

// The upper end of Wilson's interval for `hits` of `n`; 1 with none.
double UpperBound(double hits, double n, double doubt) {
  if (n <= 0) return 1;
  const double p = std::min(hits / n, 1.0);
  const double z = doubt * doubt;
  const double middle = p + z / (2 * n);
  const double spread = doubt * std::sqrt(p * (1 - p) / n + z / (4 * n * n));
  return std::min((middle + spread) / (1 + z / n), 1.0);
}

double Sum(const std::array<double, AnswerTuner::kBins>& counts, size_t from) {
  double sum = 0;
  for (size_t bin = from; bin < counts.size(); ++bin) sum += counts[bin];
  return sum;
}

}  // namespace

AnswerTuner::AnswerTuner(const AnswerTunerSettings& settings) : settings_(settings) {
  OUTPACE_CHECK(settings_.lost_share_max > 0 && settings_.lost_share_max < 0.5);
  OUTPACE_CHECK(settings_.doubt >= 0);
  OUTPACE_CHECK(settings_.least >= kLeastConfidence && settings_.least <= settings_.careful);
  OUTPACE_CHECK(settings_.careful <= kMostConfidence);
  OUTPACE_CHECK(settings_.people_min > 0 && settings_.memory > 0);
}

void AnswerTuner::Learn(Sound verdict, float confidence, Truth truth, double weight) {
  OUTPACE_CHECK(confidence >= 0 && confidence <= 1 && weight > 0);
  if (verdict != Sound::kHuman && verdict != Sound::kMachine) return;
  const double fade = std::exp(-1 / settings_.memory);
  for (size_t bin = 0; bin < kBins; ++bin) {
    counts_.people[bin] *= fade;
    counts_.machines[bin] *= fade;
  }
  people_squares_ *= fade * fade;
  said_machine_people_ *= fade;
  said_person_machines_ *= fade;
  const bool said_machine = verdict == Sound::kMachine;
  const size_t bin = BinOf(said_machine ? confidence : 1 - confidence);
  if (truth == Truth::kPerson) {
    counts_.people[bin] += weight;
    people_squares_ += weight * weight;
    if (said_machine) said_machine_people_ += weight;
  } else {
    counts_.machines[bin] += weight;
    if (!said_machine) said_person_machines_ += weight;
  }
}

// With the doubt, of the share that `lost` are of all people.
double AnswerTuner::LostBound(double lost) const {
  const double people = Sum(counts_.people, 0);
  if (people <= 0) return 1;
  const double calls = people * people / people_squares_;
  return UpperBound(lost * calls / people, calls, settings_.doubt);
}

float AnswerTuner::MachineConfidenceMin() const {
  const double people = Sum(counts_.people, 0);
  // Too few to prove anything, even had none of them been lost.
  if (people < settings_.people_min || LostBound(0) > settings_.lost_share_max) {
    return settings_.careful;
  }
  // From the top down: the first bin that would lose too many ends it.
  float lowest = kMostConfidence;
  for (size_t bin = kBins; bin-- > 0;) {
    if (BinStart(bin) < settings_.least) break;
    if (LostBound(Sum(counts_.people, bin)) > settings_.lost_share_max) break;
    lowest = BinStart(bin);
  }
  return std::clamp(lowest, settings_.least, kMostConfidence);
}

AnswerTuner::Errors AnswerTuner::Measured() const {
  Errors errors;
  errors.people = Sum(counts_.people, 0);
  errors.machines = Sum(counts_.machines, 0);
  if (errors.people > 0) errors.lost_share = said_machine_people_ / errors.people;
  errors.lost_share_bound = LostBound(said_machine_people_);
  if (errors.machines > 0) errors.missed_share = said_person_machines_ / errors.machines;
  return errors;
}

AnswerTuner::Errors AnswerTuner::Expected(float machine_confidence_min) const {
  // From the nearest edge of a bin on.
  const size_t bin =
      BinOf(machine_confidence_min * std::exp(kBinWidth / 2) /
            (1 - machine_confidence_min + machine_confidence_min * std::exp(kBinWidth / 2)));
  Errors errors;
  errors.people = Sum(counts_.people, 0);
  errors.machines = Sum(counts_.machines, 0);
  const double lost = Sum(counts_.people, bin);
  if (errors.people > 0) errors.lost_share = lost / errors.people;
  errors.lost_share_bound = LostBound(lost);
  if (errors.machines > 0) errors.missed_share = 1 - Sum(counts_.machines, bin) / errors.machines;
  return errors;
}

std::string AnswerTuner::Save() const {
  std::string text(kVersion);
  const auto add = [&text](double value) { absl::StrAppendFormat(&text, " %.9g", value); };
  add(said_machine_people_);
  add(said_person_machines_);
  add(people_squares_);
  for (const double count : counts_.people) add(count);
  for (const double count : counts_.machines) add(count);
  return text;
}

absl::Status AnswerTuner::Load(absl::string_view text) {
  const std::vector<absl::string_view> fields = absl::StrSplit(text, ' ');
  if (fields.empty() || fields[0] != kVersion) {
    return absl::InvalidArgumentError("answer tuner: state of another version");
  }
  if (fields.size() != 4 + 2 * kBins) {
    return absl::InvalidArgumentError(
        absl::StrCat("answer tuner: ", fields.size(), " fields, not ", 4 + 2 * kBins));
  }
  std::array<double, 3 + 2 * kBins> values;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!absl::SimpleAtod(fields[i + 1], &values[i]) || !std::isfinite(values[i]) ||
        values[i] < 0) {
      return absl::InvalidArgumentError(absl::StrCat("answer tuner: bad number in field ", i + 2));
    }
  }
  said_machine_people_ = values[0];
  said_person_machines_ = values[1];
  people_squares_ = values[2];
  std::copy_n(values.begin() + 3, kBins, counts_.people.begin());
  std::copy_n(values.begin() + 3 + kBins, kBins, counts_.machines.begin());
  return absl::OkStatus();
}

}  // namespace outpace::listen
