// store_writer write <directory>: commits the journal of journal.h from where the store stands, and
// prints each number once it is acknowledged, until killed.
// store_writer hold <directory>: opens the store, prints "open", and waits for its input to end.

#include <unistd.h>

#include <cstdio>
#include <string>

#include "campaign/store/rocks_lead_store.h"
#include "tests/campaign/store/journal.h"

int main(int argc, char** argv) {
  using outpace::store::RocksLeadStore;
  if (argc != 3) return 2;
  RocksLeadStore::Options options;
  options.path = argv[2];
  options.memtable_bytes = 64 << 10;
  options.now = outpace::store::kStart;
  auto store = RocksLeadStore::Open(options);
  if (!store.ok()) {
    std::fprintf(stderr, "%s\n", store.status().ToString().c_str());
    return 1;
  }
  if (std::string(argv[1]) == "hold") {
    std::printf("open\n");
    std::fflush(stdout);
    char byte;
    while (::read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return 0;
  }
  const auto text = (*store)->GetMeta("n");
  if (!text.ok()) return 1;
  for (uint64_t n = text->has_value() ? std::stoull(**text) + 1 : 1;; ++n) {
    if (!(*store)->Commit(outpace::store::JournalBatch(n, 300)).ok()) return 1;
    std::printf("%llu\n", static_cast<unsigned long long>(n));
    std::fflush(stdout);
  }
}
