#include "campaign/match/match.h"

#include <algorithm>
#include <cmath>

#include "campaign/match/blocking.h"
#include "campaign/match/grouping.h"
#include "campaign/match/parallel.h"
#include "campaign/match/prepared.h"
#include "campaign/match/score.h"

namespace outpace::match {
namespace {

constexpr size_t kPiece = 1024;

absl::Status CheckOptions(const Options& options) {
  if (!(options.review > 0) || !(options.review <= options.same) || !(options.same <= 1)) {
    return absl::InvalidArgumentError("thresholds: must be 0 < review <= same <= 1");
  }
  if (options.threads < 1) return absl::InvalidArgumentError("threads: must be 1 or more");
  return absl::OkStatus();
}

// Scores the candidates of all records; each pair once, by a, then b.
std::vector<Pair> ScoreCandidates(const PreparedList& records, const Blocking& blocking,
                                  const Options& options, uint64_t& compared) {
  struct Found {
    std::vector<Pair> pairs;
    uint64_t compared = 0;
  };
  std::vector<Found> pieces(PieceCount(records.size(), kPiece));
  InPieces(records.size(), options.threads, kPiece, [&](size_t begin, size_t end, size_t piece) {
    std::vector<uint32_t> candidates;
    for (size_t i = begin; i < end; ++i) {
      candidates.clear();
      blocking.Candidates(static_cast<uint32_t>(i), candidates);
      pieces[piece].compared += candidates.size();
      for (const uint32_t j : candidates) {
        Pair pair{std::min(static_cast<uint32_t>(i), j), std::max(static_cast<uint32_t>(i), j), 0};
        pair.score = ScorePair(records[pair.a], records[pair.b], options.kind, nullptr);
        if (pair.score >= options.review) pieces[piece].pairs.push_back(pair);
      }
    }
  });
  std::vector<Pair> pairs;
  for (Found& found : pieces) {
    pairs.insert(pairs.end(), found.pairs.begin(), found.pairs.end());
    compared += found.compared;
    std::vector<Pair>().swap(found.pairs);
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const Pair& x, const Pair& y) { return x.a != y.a ? x.a < y.a : x.b < y.b; });
  pairs.erase(std::unique(pairs.begin(), pairs.end(),
                          [](const Pair& x, const Pair& y) { return x.a == y.a && x.b == y.b; }),
              pairs.end());
  return pairs;
}

}  // namespace

absl::StatusOr<Result> FindDuplicates(absl::Span<const Record> records, const Options& options) {
  if (absl::Status s = CheckOptions(options); !s.ok()) return s;
  for (const auto& [a, b] : options.apart) {
    if (a >= records.size() || b >= records.size()) {
      return absl::InvalidArgumentError("apart: no such record");
    }
  }
  const PreparedList prepared(records, options.kind, options.threads);
  Result result;
  {
    const Blocking blocking(prepared, options.threads);
    result.blocks = blocking.blocks();
    result.blocks_cut = blocking.blocks_cut();
    result.pairs = ScoreCandidates(prepared, blocking, options, result.compared);
  }
  result.group = GroupPairs(prepared, result.pairs, options.same, options.apart);
  return result;
}

std::vector<Evidence> Explain(const Record& a, const Record& b, Kind kind, double* score) {
  const Record both[] = {a, b};
  const PreparedList prepared(both, kind, 1);
  std::vector<Evidence> why;
  const double probability = ScorePair(prepared[0], prepared[1], kind, &why);
  if (score != nullptr) *score = probability;
  std::stable_sort(why.begin(), why.end(), [](const Evidence& x, const Evidence& y) {
    return std::abs(x.weight) > std::abs(y.weight);
  });
  return why;
}

}  // namespace outpace::match
