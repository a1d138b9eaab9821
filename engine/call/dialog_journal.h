#pragma once

#include "engine/base/ids.h"
#include "engine/call/signaling.h"

namespace outpace::call {

// Remembers which dialogs are up, outside the process, so that after kill -9 the next process can
// end them. Written before the ACK of a 2xx leaves: until then the far end repeats its 200, and an
// orphaned 200 is ACKed and ended by the SIP stack itself. Shard thread; must not block on the disk
// (the page cache is enough: it survives the process, and after a power cut the calls are gone).
class DialogJournal {
 public:
  virtual ~DialogJournal() = default;
  virtual void Opened(LegId leg, const DialogState& dialog) = 0;
  virtual void Closed(LegId leg) = 0;
};

}  // namespace outpace::call
