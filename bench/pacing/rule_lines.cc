// Lines per free agent. A part of a line is there for that part of the time: 1.7 lines for a lone
// free agent are two lines seven times in ten, so that the best number found in hindsight is not at
// the mercy of rounding. The rounding changes whenever the number of free agents does.

#include <algorithm>
#include <cmath>

#include "bench/pacing/rule_base.h"
#include "bench/pacing/rules.h"
#include "engine/base/check.h"

namespace outpace::lab {
namespace {

class LinesRule final : public RuleBase {
 public:
  explicit LinesRule(double lines) : lines_(lines) {}

 private:
  int64_t Wanted(const pacing::PacingInput& input, MonoTime, pacing::Decision&) override {
    const int free = std::max(0, FreeAgents(input));
    if (free != free_) {
      free_ = free;
      dither_ = std::fmod(dither_ + kGolden, 1.0);
    }
    return static_cast<int64_t>(std::floor(lines_ * free + dither_)) - in_flight();
  }

  static constexpr double kGolden = 0.6180339887498949;

  double lines_;
  int free_ = 0;
  double dither_ = 0;
};

}  // namespace

Floor::PolicyMaker Progressive() { return LinesPerAgent(1); }

Floor::PolicyMaker LinesPerAgent(double lines) {
  OUTPACE_CHECK(lines >= 0);
  return [lines](const Floor&, size_t) { return std::make_unique<LinesRule>(lines); };
}

}  // namespace outpace::lab
