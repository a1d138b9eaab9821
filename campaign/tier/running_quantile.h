#pragma once

// Where a score stands among the scores of late: a histogram on the score's logarithm whose old
// entries fade. Bounded (8 KiB), deterministic, and the same whatever the scale of the scores.

#include <array>
#include <cstdint>

#include "campaign/tier/bytes.h"

namespace outpace::tier {

class RunningQuantile {
 public:
  // `reach`: scores after which an entry counts 1/e; >= 100.
  explicit RunningQuantile(double reach = 20'000);

  void Add(double score);  // > 0; smaller than 1e-8 counts as that
  // Share of the scores of late that are above `score`, [0, 1]; of those in the same bin (7 % wide)
  // the part `tie`, [0, 1). With ties drawn by lead, a share of leads is that share even if all of
  // them score the same. 0 before anything was added.
  double ShareAbove(double score, double tie) const;
  // Adds what another one has seen, of the same reach or none.
  void Merge(const RunningQuantile& other);
  uint64_t added() const { return added_; }

  void Save(ByteWriter* out) const;
  bool Load(ByteReader* in);

 private:
  static constexpr int kBins = 1024;
  static int BinOf(double score);

  double growth_;
  double weight_ = 1;  // of the next score: growing weights are fading entries
  double total_ = 0;
  uint64_t added_ = 0;
  std::array<double, kBins> bins_{};
};

}  // namespace outpace::tier
