#pragma once

// All do-not-call entries of a store, which tests have few of.

#include <gtest/gtest.h>

#include <vector>

#include "campaign/lead_store.h"

namespace outpace::fakes {

inline std::vector<campaign::DncEntry> DncEntriesIn(const campaign::LeadStore& store) {
  std::vector<campaign::DncEntry> entries;
  const absl::Status read = store.ForEachDnc([&](const campaign::DncEntry& entry) {
    entries.push_back(entry);
    return true;
  });
  EXPECT_TRUE(read.ok()) << read;
  return entries;
}

}  // namespace outpace::fakes
