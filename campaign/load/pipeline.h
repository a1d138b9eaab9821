#pragma once

// The stages of a load, and the threads that carry pieces of text through them. A thread takes a
// piece through all stages by itself: it reads and cuts it (one thread at a time), parses it (all
// at once), settles its rows (one at a time, in the order of the file), and writes its leads (all
// at once). So there are no queues, memory is what the pieces under way take, and what a row
// becomes does not depend on how many threads there are.

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "campaign/lead_bulk.h"
#include "campaign/load/ledger.h"
#include "campaign/load/loader.h"
#include "campaign/load/piece_parser.h"
#include "campaign/load/record_splitter.h"
#include "engine/base/clock.h"
#include "engine/base/ids.h"

namespace outpace::load {

class Pipeline {
 public:
  struct Parts {
    RecordSplitter& splitter;
    std::function<uint64_t()> octets_done;  // of the source, as far as the splitter has read
    uint64_t octets_total = 0;
    const PieceParser::Rules& rules;
    Ledger& ledger;
    const LoadReport& report;            // the ledger's
    campaign::LeadBulk* bulk = nullptr;  // nullptr: nothing is written
    LeadId first_lead;                   // of as many as there can be rows
    uint64_t leads_max = 0;
    const Clock& clock;
    const LoadHooks& hooks;
  };
  // All parts must outlive it.
  explicit Pipeline(const Parts& parts);

  // Runs the whole file through. The first error of any stage ends it; Cancelled when asked to.
  absl::Status Run(size_t threads);

 private:
  void Work();
  // False: there is no more, or the load has failed.
  bool Read(TextPiece& piece, uint64_t& ticket, uint64_t& octets);
  // Waits for the piece's turn. `first`: the id of its first lead.
  bool Settle(uint64_t ticket, uint64_t octets, ParsedPiece& parsed, LeadId& first);
  void TellProgress(uint64_t octets) ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_mutex_);
  void Fail(absl::Status status);
  bool failed();

  const Parts parts_;
  absl::Mutex read_mutex_;
  uint64_t tickets_ ABSL_GUARDED_BY(read_mutex_) = 0;  // pieces read
  absl::Mutex turn_mutex_;
  uint64_t turn_ ABSL_GUARDED_BY(turn_mutex_) = 0;  // pieces settled
  uint64_t accepted_ ABSL_GUARDED_BY(turn_mutex_) = 0;
  const MonoTime began_;
  MonoTime told_ ABSL_GUARDED_BY(turn_mutex_);
  absl::Status status_ ABSL_GUARDED_BY(turn_mutex_);
};

}  // namespace outpace::load
