// How much better the leads are that the model puts into tier A: real contacts replayed in the
// order in which they happened, judged inside blocks of date only, beside controls that must show
// a ratio of 1.0.
//
//   tier_quality FILE [--also FILE] [--columns client|lead|all] [--block ROWS] [--share PERCENT]
//                [--seeds N] [--plot FILE.svg]
//
// FILE: rows of the UCI "Bank Marketing" file, with or without a `seq` column. --also: further
// rows, by `seq` between those of FILE, that are learned from and not judged.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/tier/tier_replay.h"
#include "engine/base/rng.h"

namespace outpace::tier {
namespace {

struct Arguments {
  std::string file, also, columns, plot;
  int block = 300, share = 20, seeds = 20;
};

bool Parse(int argc, char** argv, Arguments* out) {
  for (int i = 1; i < argc; ++i) {
    const absl::string_view name = argv[i];
    if (name.empty() || name[0] != '-') {
      out->file = argv[i];
      continue;
    }
    if (++i == argc) return false;
    const std::string value = argv[i];
    bool good = true;
    if (name == "--also") {
      out->also = value;
    } else if (name == "--columns") {
      out->columns = value;
    } else if (name == "--plot") {
      out->plot = value;
    } else if (name == "--block") {
      good = absl::SimpleAtoi(value, &out->block) && out->block >= 10;
    } else if (name == "--share") {
      good = absl::SimpleAtoi(value, &out->share) && out->share > 0 && out->share < 100;
    } else if (name == "--seeds") {
      good = absl::SimpleAtoi(value, &out->seeds) && out->seeds > 0;
    } else {
      good = false;
    }
    if (!good) return false;
  }
  return !out->file.empty();
}

void PrintRow(const std::string& name, const BlockFigures& f) {
  absl::PrintF("%-34s %5.2f [%4.2f, %4.2f]  %5.3f  %5.3f  %6.2f %% of %-6d %6.2f %% of %d\n", name,
               f.ratio, f.low, f.high, f.auc, f.auc_mean,
               100.0 * static_cast<double>(f.a_success) / static_cast<double>(f.a), f.a,
               100.0 * static_cast<double>(f.b_success) / static_cast<double>(f.b), f.b);
}

// A control is drawn `seeds` times: the mean of its ratios and the interval of that mean.
void PrintControl(const std::string& name, const std::vector<BlockFigures>& draws) {
  double sum = 0, squares = 0, auc = 0, mean = 0;
  for (const BlockFigures& f : draws) {
    sum += f.ratio;
    squares += f.ratio * f.ratio;
    auc += f.auc;
    mean += f.auc_mean;
  }
  const double n = static_cast<double>(draws.size()), ratio = sum / n;
  const double error = n > 1 ? std::sqrt(std::max(0.0, squares / n - ratio * ratio) / (n - 1)) : 0;
  absl::PrintF("%-34s %5.2f [%4.2f, %4.2f]  %5.3f  %5.3f  mean of %d draws\n", name, ratio,
               ratio - 1.96 * error, ratio + 1.96 * error, auc / n, mean / n, draws.size());
}

// Successes found (share of all of a block's) against leads tried, best first: the further above
// the diagonal, the better.
std::vector<double> GainOf(const std::vector<BankContact>& contacts,
                           const std::vector<double>& scores, int block) {
  std::vector<double> gain;
  for (int percent = 0; percent <= 100; percent += 5) {
    const BlockFigures f = Judge(contacts, scores, block, percent / 100.0, 1);
    gain.push_back(static_cast<double>(f.a_success) /
                   std::max(1.0, static_cast<double>(f.a_success + f.b_success)));
  }
  return gain;
}

void Plot(const std::string& path,
          const std::vector<std::pair<std::string, std::vector<double>>>& lines) {
  static constexpr const char* kColours[] = {"#888888", "#1f77b4", "#d62728", "#2ca02c"};
  std::ofstream out(path);
  out << R"svg(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 460 440" font-family="sans-serif" )svg"
      << R"svg(font-size="12"><rect width="460" height="440" fill="white"/>)svg"
      << R"svg(<rect x="50" y="20" width="380" height="360" fill="none" stroke="#444"/>)svg"
      << R"svg(<text x="240" y="420" text-anchor="middle">leads tried, best first, % of a block</text>)svg"
      << R"svg(<text transform="translate(16 200) rotate(-90)" text-anchor="middle">successes found, )svg"
      << R"svg(% of the block's</text>)svg";
  for (int p = 0; p <= 100; p += 20) {
    out << absl::StrFormat(R"svg(<text x="%.1f" y="396" text-anchor="middle">%d</text>)svg",
                           50 + 3.8 * p, p)
        << absl::StrFormat(R"svg(<text x="44" y="%.1f" text-anchor="end">%d</text>)svg",
                           384 - 3.6 * p, p);
  }
  for (size_t i = 0; i < lines.size(); ++i) {
    const char* colour = kColours[i % 4];
    out << R"svg(<polyline fill="none" stroke-width="2" stroke=")svg" << colour
        << R"svg(" points=")svg";
    for (size_t j = 0; j < lines[i].second.size(); ++j) {
      out << absl::StrFormat("%.1f,%.1f ", 50 + 19.0 * static_cast<double>(j),
                             380 - 360 * lines[i].second[j]);
    }
    out << R"svg("/>)svg"
        << absl::StrFormat(R"svg(<text x="300" y="%d" fill="%s">%s</text>)svg",
                           300 + 18 * static_cast<int>(i), colour, lines[i].first);
  }
  out << "</svg>\n";
}

int Run(int argc, char** argv) {
  Arguments arguments;
  if (!Parse(argc, argv, &arguments)) {
    absl::FPrintF(stderr,
                  "tier_quality FILE [--also FILE] [--columns client|lead|all] [--block ROWS] "
                  "[--share PERCENT] [--seeds N] [--plot FILE.svg]\n");
    return 2;
  }
  absl::StatusOr<std::vector<BankContact>> read = ReadBankContacts(arguments.file, true);
  if (read.ok() && !arguments.also.empty()) {
    absl::StatusOr<std::vector<BankContact>> also = ReadBankContacts(arguments.also, false);
    if (!also.ok()) read = also.status();
    if (read.ok()) read->insert(read->end(), also->begin(), also->end());
  }
  if (!read.ok()) {
    absl::FPrintF(stderr, "%s\n", read.status().message());
    return 1;
  }
  std::vector<BankContact>& contacts = *read;
  std::stable_sort(contacts.begin(), contacts.end(),
                   [](const BankContact& x, const BankContact& y) { return x.seq < y.seq; });
  const double share = arguments.share / 100.0;
  absl::PrintF("%d contacts; blocks of %d, A = best %d %% of each\n\n", contacts.size(),
               arguments.block, arguments.share);
  absl::PrintF("%-34s %-19s  %-5s  %-5s  %-18s %s\n", "", "ratio A/B [95 %]", "AUC", "mean",
               "success in A", "success in B");
  std::vector<std::pair<std::string, std::vector<double>>> lines;
  std::vector<double> random(contacts.size());
  std::vector<BlockFigures> draws;
  for (int seed = 1; seed <= arguments.seeds; ++seed) {
    Rng rng(static_cast<uint64_t>(seed));
    for (double& score : random) score = rng.Uniform();
    draws.push_back(Judge(contacts, random, arguments.block, share, 1));
  }
  PrintControl("control: random order", draws);
  lines.emplace_back("random order", GainOf(contacts, random, arguments.block));
  for (const char* name : {"client", "lead", "all"}) {
    if (!arguments.columns.empty() && arguments.columns != name) continue;
    ReplayOptions options;
    options.columns = *ColumnsByName(name);
    options.block = arguments.block;
    const std::vector<double> scores = Replay(contacts, options);
    PrintRow(absl::StrCat("columns ", name), Judge(contacts, scores, arguments.block, share, 1));
    lines.emplace_back(absl::StrCat("columns ", name), GainOf(contacts, scores, arguments.block));
    ReplayOptions frozen = options;
    frozen.frozen = true;
    PrintRow("  block frozen",
             Judge(contacts, Replay(contacts, frozen), arguments.block, share, 1));
    const auto control = [&](const std::string& title, int around, const ReplayOptions& how) {
      draws.clear();
      for (int seed = 1; seed <= arguments.seeds; ++seed) {
        const std::vector<BankContact> drawn =
            WithoutStructure(contacts, arguments.block, around, static_cast<uint64_t>(seed));
        draws.push_back(Judge(drawn, Replay(drawn, how), arguments.block, share, 1));
      }
      PrintControl(title, draws);
    };
    control("  control: no structure", 0, options);
    control("  control: no structure, frozen", 0, frozen);
    control("  control: a clock of 30 rows", 15, options);
    control("  control: a clock of 120 rows", 60, options);
  }
  if (!arguments.plot.empty()) Plot(arguments.plot, lines);
  return 0;
}

}  // namespace
}  // namespace outpace::tier

int main(int argc, char** argv) { return outpace::tier::Run(argc, argv); }
