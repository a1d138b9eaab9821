// load_writer <store> <list file>: loads the file into list 7 of the store, by two threads and in
// small pieces, and prints "at <octets>" whenever a piece is settled, "publish" before all of them
// become visible, and "done <accepted>" at the end. Killed by kill_test.cc at any of these.

#include <cstdio>
#include <string>

#include "campaign/load/loader.h"
#include "campaign/store/rocks_lead_store.h"
#include "engine/base/check.h"

namespace outpace::load {
namespace {

// Far enough between two looks for each piece to be told.
class FastClock final : public Clock {
 public:
  MonoTime Mono() const override { return MonoTime(1'000'000'000 * ++seconds_); }
  absl::Time Wall() const override { return absl::FromUnixSeconds(1'768'478'400); }

 private:
  mutable int64_t seconds_ = 0;  // the pipeline asks under its lock
};

void Print(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

int Main(const std::string& path, const std::string& file) {
  auto store = store::RocksLeadStore::Open({.path = path});
  OUTPACE_CHECK(store.ok());
  const auto source = OpenFileSource(file);
  OUTPACE_CHECK(source.ok());
  LoadOptions options;
  options.list = ListId(7);
  options.campaign = "DEMO";
  options.file = "list.csv";
  options.threads = 2;
  options.piece_octets = 256 * 1024;
  LoadHooks hooks;
  const uint64_t size = (*source)->size();
  hooks.on_progress = [&](const LoadProgress& progress) {
    Print(progress.octets_done == size ? "publish" : "at " + std::to_string(progress.octets_done));
  };
  const auto report = LoadLeads(**source, options, dnc::DncSet(), **store, FastClock(), hooks);
  OUTPACE_CHECK(report.ok());
  Print("done " + std::to_string(report->counts.accepted));
  return 0;
}

}  // namespace
}  // namespace outpace::load

int main(int count, char** arguments) {
  if (count != 3) return 2;
  return outpace::load::Main(arguments[1], arguments[2]);
}
