#include "campaign/match/grouping.h"

#include <algorithm>
#include <numeric>

#include "absl/container/flat_hash_map.h"
#include "campaign/match/score.h"

namespace outpace::match {
namespace {

constexpr size_t kSample = 4;       // members of each group that are compared
constexpr double kAlikeMean = 0.5;  // of the scores between the samples

class Groups {
 public:
  Groups(const PreparedList& records, const IndexPairs& apart)
      : records_(records), group_(records.size()) {
    std::iota(group_.begin(), group_.end(), 0);
    members_.resize(records.size());
    for (const auto& [a, b] : apart) {
      apart_[a].push_back(b);
      apart_[b].push_back(a);
    }
  }

  void Join(const Pair& pair) {
    uint32_t a = group_[pair.a], b = group_[pair.b];
    if (a == b) return;
    if ((Size(a) > 1 || Size(b) > 1) && !Alike(a, b, pair)) return;
    if (Size(a) < Size(b)) std::swap(a, b);
    if (KeptApart(a, b)) return;
    if (members_[a].empty()) members_[a].push_back(a);
    if (members_[b].empty()) members_[b].push_back(b);
    for (const uint32_t member : members_[b]) group_[member] = a;
    members_[a].insert(members_[a].end(), members_[b].begin(), members_[b].end());
    std::vector<uint32_t>().swap(members_[b]);
  }

  std::vector<uint32_t> Lowest() const {
    std::vector<uint32_t> lowest(group_.size());
    std::iota(lowest.begin(), lowest.end(), 0);
    for (uint32_t i = 0; i < group_.size(); ++i) {
      lowest[group_[i]] = std::min(lowest[group_[i]], i);
    }
    std::vector<uint32_t> out(group_.size());
    for (uint32_t i = 0; i < group_.size(); ++i) out[i] = lowest[group_[i]];
    return out;
  }

 private:
  size_t Size(uint32_t group) const { return std::max<size_t>(1, members_[group].size()); }
  // The i-th of up to kSample members, spread over the group.
  uint32_t Sample(uint32_t group, size_t i) const {
    const size_t size = Size(group);
    if (size == 1) return group;
    return members_[group][size <= kSample ? i : i * size / kSample];
  }
  // `pair`: what would join them.
  bool Alike(uint32_t a, uint32_t b, const Pair& pair) const {
    const bool vouched = VouchedFor(records_[pair.a], records_[pair.b], records_.kind());
    const size_t na = std::min(kSample, Size(a)), nb = std::min(kSample, Size(b));
    double sum = 0;
    for (size_t i = 0; i < na; ++i) {
      for (size_t j = 0; j < nb; ++j) {
        const uint32_t x = Sample(a, i), y = Sample(b, j);
        const Prepared& first = records_[std::min(x, y)];
        const Prepared& second = records_[std::max(x, y)];
        // "J Smith" is like "John Smith" and like "Jane Smith", and those are not one.
        if (!vouched && ClearlyTwo(first, second, records_.kind())) return false;
        sum += ScorePair(first, second, records_.kind(), nullptr);
      }
    }
    return sum >= kAlikeMean * static_cast<double>(na * nb);
  }

  // Whether a member of `a` was said to be another than one of `b`, the smaller.
  bool KeptApart(uint32_t a, uint32_t b) const {
    if (apart_.empty()) return false;
    const auto from_a = [&](uint32_t member) {
      const auto others = apart_.find(member);
      return others != apart_.end() &&
             std::any_of(others->second.begin(), others->second.end(),
                         [&](uint32_t other) { return group_[other] == a; });
    };
    const std::vector<uint32_t>& members = members_[b];
    return members.empty() ? from_a(b) : std::any_of(members.begin(), members.end(), from_a);
  }

  const PreparedList& records_;
  absl::flat_hash_map<uint32_t, std::vector<uint32_t>> apart_;  // both ways
  std::vector<uint32_t> group_;                 // of a record; the number of one of its members
  std::vector<std::vector<uint32_t>> members_;  // of a group; empty: only itself
};

}  // namespace

std::vector<uint32_t> GroupPairs(const PreparedList& records, absl::Span<const Pair> pairs,
                                 double same, const IndexPairs& apart) {
  std::vector<Pair> sure;
  for (const Pair& pair : pairs) {
    if (pair.score >= same) sure.push_back(pair);
  }
  std::sort(sure.begin(), sure.end(), [](const Pair& x, const Pair& y) {
    if (x.score != y.score) return x.score > y.score;
    return x.a != y.a ? x.a < y.a : x.b < y.b;
  });
  Groups groups(records, apart);
  for (const Pair& pair : sure) groups.Join(pair);
  return groups.Lowest();
}

}  // namespace outpace::match
