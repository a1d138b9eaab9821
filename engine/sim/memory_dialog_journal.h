#pragma once

#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "engine/base/check.h"
#include "engine/call/dialog_journal.h"

namespace outpace::sim {

// A journal that outlives the simulated process: owned by the test, not by the engine.
class MemoryDialogJournal final : public call::DialogJournal {
 public:
  void Opened(LegId leg, const call::DialogState& dialog) override {
    OUTPACE_CHECK(open_.emplace(leg, dialog).second);
    ++opened_;
  }
  void Closed(LegId leg) override { OUTPACE_CHECK(open_.erase(leg) == 1); }

  const absl::btree_map<LegId, call::DialogState>& open() const { return open_; }
  uint64_t opened() const { return opened_; }
  // What a restarted process reads: the dialogs that were up. The journal is empty afterwards.
  std::vector<call::DialogState> TakeOrphans() {
    std::vector<call::DialogState> orphans;
    for (auto& [leg, dialog] : open_) orphans.push_back(std::move(dialog));
    open_.clear();
    return orphans;
  }

 private:
  absl::btree_map<LegId, call::DialogState> open_;
  uint64_t opened_ = 0;
};

}  // namespace outpace::sim
