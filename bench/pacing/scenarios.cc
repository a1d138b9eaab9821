#include "bench/pacing/scenarios.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace outpace::lab {
namespace {

namespace fs = std::filesystem;

int Rank(const std::string& id) {
  const size_t at = std::string("SFN").find(id.empty() ? ' ' : id.front());
  return at == std::string::npos ? 3 : static_cast<int>(at);
}

// "F03-5" before "F03-10": runs of digits compare by value.
bool Before(const std::string& a, const std::string& b) {
  if (Rank(a) != Rank(b)) return Rank(a) < Rank(b);
  size_t i = 0;
  size_t j = 0;
  const auto digits = [](const std::string& text, size_t& at) {
    const size_t from = at;
    while (at < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[at]))) ++at;
    std::string run = text.substr(from, at - from);
    run.erase(0, std::min(run.find_first_not_of('0'), run.size()));
    return run;
  };
  while (i < a.size() && j < b.size()) {
    const bool number = absl::ascii_isdigit(static_cast<unsigned char>(a[i])) &&
                        absl::ascii_isdigit(static_cast<unsigned char>(b[j]));
    if (number) {
      const std::string x = digits(a, i);
      const std::string y = digits(b, j);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else if (a[i] != b[j]) {
      return a[i] < b[j];
    } else {
      ++i;
      ++j;
    }
  }
  return a.size() - i < b.size() - j;
}

}  // namespace

absl::StatusOr<std::vector<sim::Scenario>> LoadScenarios(const std::string& directory) {
  std::error_code error;
  fs::directory_iterator entries(directory, error);
  if (error) return absl::NotFoundError("the directory of scenarios cannot be read");
  std::vector<sim::Scenario> all;
  for (const fs::directory_entry& entry : entries) {
    if (entry.path().extension() != ".scenario") continue;
    const std::string name = entry.path().filename().string();
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    if (!file) return absl::NotFoundError(absl::StrCat(name, ": cannot be read"));
    absl::StatusOr<sim::Scenario> scenario = sim::ParseScenario(text);
    if (!scenario.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(name, ": ", scenario.status().message()));
    }
    all.push_back(*std::move(scenario));
  }
  if (all.empty()) return absl::NotFoundError("no *.scenario file in the directory");
  std::sort(all.begin(), all.end(),
            [](const sim::Scenario& a, const sim::Scenario& b) { return Before(a.id, b.id); });
  for (size_t i = 1; i < all.size(); ++i) {
    if (all[i].id == all[i - 1].id) {
      return absl::InvalidArgumentError(absl::StrCat("two files have the id ", all[i].id));
    }
  }
  return all;
}

std::string ScenarioDirectory() { return OUTPACE_SCENARIO_DIR; }

std::vector<sim::Scenario> AllScenarios() {
  absl::StatusOr<std::vector<sim::Scenario>> all = LoadScenarios(ScenarioDirectory());
  OUTPACE_CHECK(all.ok());
  return *std::move(all);
}

}  // namespace outpace::lab
