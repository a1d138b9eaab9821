// What a bridged call costs: the engine's media plane in each of its modes, beside the least a
// relay can do and beside oRTP used the plain way, on the same packets, in one table.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bench/media/media_rows.h"
#include "bench/media/media_soak.h"
#include "bench/sip/process.h"
#include "bench/sip/row.h"

namespace outpace::bench {
namespace {

constexpr char kUsage[] =
    R"(Usage: media_bench [options]: CPU, delay, loss and memory of bridged calls.
  --calls 200,500,1000,1500,2000
  --modes WHAT          rows with WHAT in their name, by commas: bare relay, plain oRTP, relay,
                        record wav, record ulaw, record opus, srtp, transcode pcma,
                        transcode g722, transcode opus, mix, listen, early; "all"
                        (bare,oRTP,relay,record wav)
  --seconds 10          counted in each run
  --rounds 3            runs of each row, the systems in turn; the table has medians
  --realtime            media threads and generator with real-time priority
  --rtcp off            no reports (engine)
  --answers N           N calls a second answered beside the rows "relay": 200 OK to audio
  --dir DIR             for recordings, removed afterwards (a directory in $TMPDIR)
  --csv FILE            the table as CSV too
  --perf FILE           perf record of the last row's counted time
  --soak MINUTES        instead of all that: --calls calls of 60 to 180 s that come and go, each
                        recorded (--record wav, ulaw, opus); every 30 s a line. Exit code 1: memory
                        or descriptors grow, a packet is lost, or a recording is not whole
  --call-seconds 60-180 --disk-mb 3000   of the soak
  --quick               a second at 20 calls: does the bench itself work
Exit code 1: a row could not be measured.
)";

struct Options {
  RowOptions row;
  std::vector<int> calls = {200, 500, 1'000, 1'500, 2'000};
  std::vector<std::string> modes = {"bare", "oRTP", "relay", "record wav"};
  int rounds = 3;
  std::string csv, perf;
  SoakOptions soak;
};

[[noreturn]] void Usage(const std::string& why) {
  std::fprintf(stderr, "%s\n%s", why.c_str(), kUsage);
  std::exit(2);
}

Options Parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string name = arguments[i];
    if (name == "--help") {
      std::printf("%s", kUsage);
      std::exit(0);
    }
    if (name == "--realtime") {
      options.row.system.realtime = options.soak.realtime = true;
      continue;
    }
    if (name == "--quick") {
      options.calls = {20};
      options.rounds = 1;
      options.row.seconds = 1;
      options.row.warm_up_s = 0.2;
      options.modes = {"bare", "oRTP", "relay"};
      options.row.system.answers_per_second = 50;
      continue;
    }
    if (i + 1 >= count) Usage(absl::StrCat("no value, or not known: ", name));
    const std::string value = arguments[++i];
    const auto number = [&](const std::string& text) {
      double parsed = 0;
      if (!absl::SimpleAtod(text, &parsed) || parsed <= 0) {
        Usage(absl::StrCat(name, " must be a number above 0"));
      }
      return parsed;
    };
    if (name == "--calls") {
      options.calls.clear();
      for (const auto& calls : absl::StrSplit(value, ',')) {
        options.calls.push_back(static_cast<int>(number(std::string(calls))));
      }
      options.soak.calls = options.calls.front();
    } else if (name == "--modes") {
      options.modes = absl::StrSplit(value, ',');
    } else if (name == "--seconds") {
      options.row.seconds = number(value);
    } else if (name == "--rounds") {
      options.rounds = static_cast<int>(number(value));
    } else if (name == "--rtcp") {
      options.row.system.rtcp = value != "off";
    } else if (name == "--answers") {
      options.row.system.answers_per_second = number(value);
    } else if (name == "--dir") {
      options.row.system.directory = options.soak.directory = value;
    } else if (name == "--csv") {
      options.csv = value;
    } else if (name == "--perf") {
      options.perf = value;
    } else if (name == "--soak") {
      options.soak.minutes = number(value);
    } else if (name == "--record") {
      if (value != "wav" && value != "ulaw" && value != "opus") Usage("--record wav, ulaw, opus");
      options.soak.format = value == "opus"   ? record::Format::kOpus
                            : value == "ulaw" ? record::Format::kWavUlaw
                                              : record::Format::kWav;
    } else if (name == "--call-seconds") {
      const std::vector<std::string> bounds = absl::StrSplit(value, '-');
      options.soak.call_seconds_min = number(bounds.front());
      options.soak.call_seconds_max = number(bounds.back());
    } else if (name == "--disk-mb") {
      options.soak.disk_bytes_max = static_cast<uint64_t>(number(value) * 1e6);
    } else {
      Usage(absl::StrCat("not known: ", name));
    }
  }
  return options;
}

std::vector<Mode> Wanted(const Options& options) {
  std::vector<Mode> out;
  for (const Mode mode : AllModes()) {
    const absl::string_view name = ModeName(mode);
    if (std::any_of(options.modes.begin(), options.modes.end(), [&](const std::string& what) {
          // "relay" is the engine's row, not the bare one too.
          return what == "all" || name == what ||
                 (what != "relay" && name.find(what) != absl::string_view::npos);
        })) {
      out.push_back(mode);
    }
  }
  return out;
}

int Rows(const Options& options) {
  const std::vector<Mode> modes = Wanted(options);
  if (modes.empty()) Usage("--modes: none of them");
  std::printf("%s", MachineText().c_str());
  const WorkDir own;
  std::map<std::pair<size_t, Mode>, std::vector<MediaRow>> runs;
  bool bad = false;
  for (size_t n = 0; n < options.calls.size(); ++n) {
    for (int round = 0; round < options.rounds; ++round) {
      for (size_t i = 0; i < modes.size(); ++i) {
        // Each round begins with another one, so that noise falls on all.
        const Mode mode = modes[(i + static_cast<size_t>(round)) % modes.size()];
        RowOptions row = options.row;
        row.system.mode = mode;
        row.system.calls = options.calls[n];
        if (mode != Mode::kRelay) row.system.answers_per_second = 0;
        const std::string base = row.system.directory.empty() ? own / "" : row.system.directory;
        row.system.directory = absl::StrCat(base, "/media_bench_recordings");
        const bool last = round + 1 == options.rounds && i + 1 == modes.size();
        if (last && n + 1 == options.calls.size()) row.perf = options.perf;
        std::fprintf(stderr, "%s, %d calls, round %d of %d\n", std::string(ModeName(mode)).c_str(),
                     row.system.calls, round + 1, options.rounds);
        absl::StatusOr<MediaRow> result = Measure(row);
        RemoveAll(row.system.directory);
        if (!result.ok()) {
          std::fprintf(stderr, "  not measured: %s\n", result.status().ToString().c_str());
          bad = true;
          continue;
        }
        std::fprintf(stderr, "%s", TableText({*result}).c_str());
        runs[{n, mode}].push_back(*std::move(result));
      }
    }
  }
  std::vector<MediaRow> rows;
  for (const Mode mode : modes) {
    for (size_t n = 0; n < options.calls.size(); ++n) {
      const auto found = runs.find({n, mode});
      if (found != runs.end()) rows.push_back(Median(found->second));
    }
  }
  std::printf("%s", TableText(rows).c_str());
  std::printf(
      "us/pkt: CPU of the media thread for each packet that came in; ms/call-s: of a call and "
      "second; all thr: of the whole process; a core: calls by that arithmetic; gen: cores the "
      "generator took. Delay: sent to arrived at the other far end, by the kernel's clock.\n");
  if (!options.csv.empty()) WriteFile(options.csv, TableCsv(rows));
  return bad ? 1 : 0;
}

}  // namespace
}  // namespace outpace::bench

int main(int count, char** arguments) {
  using namespace outpace::bench;
  Options options = Parse(count, arguments);
  return options.soak.minutes > 0 ? RunSoak(options.soak) : Rows(options);
}
