// Makes tests/data/store_v1. Built in a tree of the last revision with schema version 1 (e60d45e),
// with v1_store.h copied beside it and linked with its outpace_store:
//
//   v1_store_maker <directory>

#include <cstdio>

#include "campaign/store/rocks_lead_store.h"
#include "tests/campaign/store/v1_store.h"

int main(int argc, char** argv) {
  using namespace outpace::store;
  if (argc != 2) return 2;
  RocksLeadStore::Options options;
  options.path = argv[1];
  auto store = RocksLeadStore::Open(options);
  if (!store.ok()) {
    std::fprintf(stderr, "%s\n", store.status().ToString().c_str());
    return 1;
  }
  if (!(*store)->ReserveLeadIds(3 * kV1Leads).ok()) return 1;
  if (!(*store)->ReserveAttemptIds(1).ok()) return 1;
  for (uint64_t i = 1; i <= kV1Leads; ++i) {
    outpace::campaign::StoreBatch batch;
    batch.leads.push_back(V1Lead(i));
    if (!(*store)->CommitUnsynced(batch).ok()) return 1;
  }
  return (*store)->Commit(V1Rest()).ok() ? 0 : 1;
}
