#include "engine/pacing/share.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>

namespace outpace::pacing {
namespace {

int DemandOf(const ShareClaim& claim) { return std::max(0, claim.demand); }
double WeightOf(const ShareClaim& claim) { return std::max(1, claim.weight); }

// The part of `supply` that each of `members` (indices of claims of one priority) has a right to:
// in proportion to the weights, and where that is more than the demand the rest is split anew among
// the others. `supply` is less than the demands together.
std::vector<double> Quotas(double supply, absl::Span<const ShareClaim> claims,
                           const std::vector<size_t>& members) {
  std::vector<double> quota(members.size(), 0);
  std::vector<bool> met(members.size(), false);
  double left = supply;
  for (bool again = true; again;) {
    again = false;
    double weights = 0;
    for (size_t i = 0; i < members.size(); ++i) {
      if (!met[i]) weights += WeightOf(claims[members[i]]);
    }
    if (weights <= 0) break;
    double taken = 0;
    for (size_t i = 0; i < members.size(); ++i) {
      if (met[i]) continue;
      const ShareClaim& claim = claims[members[i]];
      quota[i] = left * WeightOf(claim) / weights;
      if (quota[i] < DemandOf(claim)) continue;
      quota[i] = DemandOf(claim);
      met[i] = true;
      taken += quota[i];
      again = true;
    }
    left = std::max(0.0, left - taken);
  }
  return quota;
}

// Splits a supply that is smaller than what the members want together.
void SplitShort(int supply, absl::Span<const ShareClaim> claims, const std::vector<size_t>& members,
                std::vector<ShareGrant>& grants) {
  std::vector<double> right = Quotas(supply, claims, members);
  int given = 0;
  for (size_t i = 0; i < members.size(); ++i) {
    const ShareClaim& claim = claims[members[i]];
    if (DemandOf(claim) > 0) right[i] += std::clamp(claim.credit, -1.0, 1.0);
    // 1e-9: a third of 3 is a whole unit, whatever the rounding of the last bit.
    const double whole = std::floor(std::clamp(right[i] + 1e-9, 0.0, 1e9));
    grants[members[i]].units = std::min(static_cast<int>(whole), DemandOf(claim));
    given += grants[members[i]].units;
  }
  // What is left goes one by one to whoever is furthest below its right; credits may also have
  // given a unit too many, which is taken from whoever is furthest above.
  for (; given != supply; given += given < supply ? 1 : -1) {
    const bool give = given < supply;
    size_t best = members.size();
    double best_gap = 0;
    for (size_t i = 0; i < members.size(); ++i) {
      const int units = grants[members[i]].units;
      if (give ? units >= DemandOf(claims[members[i]]) : units == 0) continue;
      const double gap = give ? right[i] - units : units - right[i];
      if (best == members.size() || gap > best_gap + 1e-9) {
        best = i;
        best_gap = gap;
      }
    }
    grants[members[best]].units += give ? 1 : -1;
  }
  for (size_t i = 0; i < members.size(); ++i) {
    ShareGrant& grant = grants[members[i]];
    const bool met = grant.units == DemandOf(claims[members[i]]);
    grant.credit = met ? 0 : std::clamp(right[i] - grant.units, -1.0, 1.0);
  }
}

}  // namespace

std::vector<ShareGrant> Share(int supply, absl::Span<const ShareClaim> claims) {
  std::vector<ShareGrant> grants(claims.size());
  std::set<int, std::greater<>> priorities;
  for (const ShareClaim& claim : claims) priorities.insert(claim.priority);
  int left = std::max(0, supply);
  for (const int priority : priorities) {
    std::vector<size_t> members;
    int64_t wanted = 0;
    for (size_t i = 0; i < claims.size(); ++i) {
      if (claims[i].priority != priority) continue;
      members.push_back(i);
      wanted += DemandOf(claims[i]);
    }
    if (wanted > left) {
      SplitShort(left, claims, members, grants);
      left = 0;
      continue;
    }
    for (const size_t i : members) grants[i].units = DemandOf(claims[i]);
    left -= static_cast<int>(wanted);
  }
  return grants;
}

}  // namespace outpace::pacing
