// The program that is killed while a test looks on.
//
// store_writer write <directory>: commits the journal of journal.h from where the store stands, and
// prints each number once it is acknowledged, until killed.
// store_writer hold <directory>: opens the store, prints "open", and waits for its input to end.
// store_writer load <directory> <k>: opens a store and runs load 1 of loads.h; kills itself at its
// k-th operation on the disk (0: never). Prints "published" when it is, and the operations done.
// store_writer migrate <directory>: migrates until 50 leads are done, prints that, kills itself.

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "campaign/store/migrate.h"
#include "campaign/store/rocks_lead_store.h"
#include "tests/campaign/store/journal.h"
#include "tests/campaign/store/killing_env.h"
#include "tests/campaign/store/loads.h"

namespace outpace::store {
namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

template <typename Number>
void Tell(Number n) {
  std::printf("%lld\n", static_cast<long long>(n));
  std::fflush(stdout);
}

int Migrate(const std::string& path) {
  MigrationOptions options;
  options.path = path;
  options.leads_a_write = 50;
  options.progress = [](uint64_t done, uint64_t) {
    Tell(done);
    ::kill(::getpid(), SIGKILL);
  };
  const absl::Status status = MigrateStore(options);
  return status.ok() ? 0 : Fail(status);
}

int Load(RocksLeadStore::Options options, int64_t kill_at) {
  KillCounter counter;
  const std::unique_ptr<rocksdb::Env> env =
      rocksdb::NewCompositeEnv(std::make_shared<KillingFileSystem>(counter));
  options.env = env.get();
  counter.KillAt(kill_at);
  {
    auto store = RocksLeadStore::Open(options);
    if (!store.ok()) return Fail(store.status());
    if (absl::Status status = RunLoad(**store, 1); !status.ok()) return Fail(status);
    std::printf("published\n");
    std::fflush(stdout);
  }
  Tell(counter.count());
  return 0;
}

int Write(RocksLeadStore& store) {
  const auto text = store.GetMeta("n");
  if (!text.ok()) return Fail(text.status());
  for (uint64_t n = text->has_value() ? std::stoull(**text) + 1 : 1;; ++n) {
    if (absl::Status status = store.Commit(JournalBatch(n, 300)); !status.ok()) return Fail(status);
    Tell(n);
  }
}

int Hold() {
  std::printf("open\n");
  std::fflush(stdout);
  char byte;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
  return 0;
}

int Run(const std::string& mode, const std::string& path, int64_t number) {
  if (mode == "migrate") return Migrate(path);
  RocksLeadStore::Options options;
  options.path = path;
  options.memtable_bytes = 64 << 10;
  options.now = kStart;
  if (mode == "load") {
    ::mkdir(path.c_str(), 0700);
    return Load(options, number);
  }
  auto store = RocksLeadStore::Open(options);
  if (!store.ok()) return Fail(store.status());
  return mode == "hold" ? Hold() : Write(**store);
}

}  // namespace
}  // namespace outpace::store

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  return outpace::store::Run(argv[1], argv[2], argc > 3 ? std::atoll(argv[3]) : 0);
}
