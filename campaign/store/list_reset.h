#pragma once

// A list begun anew (VICIdial's "reset"): leads that are not final may be dialed at once, whatever
// rest they had, but for the one that the rules ask for after an abandoned call.

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "campaign/lead.h"
#include "campaign/lead_store.h"
#include "campaign/settings.h"
#include "engine/base/ids.h"

namespace outpace::store {

struct ListResetCounts {
  int64_t leads = 0;      // of the list
  int64_t reset = 0;      // may be dialed again
  int64_t kept = 0;       // final, promised a callback, abandoned, or called since the reset began
  int64_t busy = 0;       // on a call, or about to be: they stay as they are
  int64_t unchanged = 0;  // nothing held them back: new ones, and those of a reset before
  bool resumed = false;   // it went on with one that had been cut off
};

// What may be left out where nobody else is there.
struct ListResetControl {
  absl::Mutex* lists = nullptr;                  // held while the list is read and written
  const std::atomic<bool>* cancelled = nullptr;  // looked at between two batches
};

// Takes a lead's rest away, and forgets the tries its retry rules have counted; called_count stays.
// False, and the lead is as it was: its status is not dialed again (campaign::IsRetried: sold,
// do-not-call, not interested), a callback was promised, it was abandoned, is on a call, or was
// last called at `start` or later.
bool ResetLead(campaign::Lead& lead, const campaign::CampaignSettings& settings, absl::Time start);

// Resets the leads of `list` in batches of a thousand, and sets List::last_reset to `now`. Cut off
// at any point, it goes on where it was when it is called again: its beginning is stored, and leads
// that were called since then are left alone. `busy`, which is asked right before a lead is
// written, tells which must not be: with an engine running, those that are out of the store
// (Controller::Withdraw). A lead that somebody writes or removes between its reading and its
// writing is read again. NotFound: no such list; Cancelled: some leads may have been reset; else
// errors of the store. Any thread that may wait; reads all leads.
absl::StatusOr<ListResetCounts> ResetList(campaign::LeadStore& store, ListId list, absl::Time now,
                                          const std::function<bool(LeadId)>& busy,
                                          const ListResetControl& control = {});

// Lists whose reset was cut off.
absl::StatusOr<std::vector<ListId>> ResetsUnderWay(const campaign::LeadStore& store);
// Forgets that the list's reset was cut off: the next one begins anew.
absl::Status AbandonReset(campaign::LeadStore& store, ListId list);

}  // namespace outpace::store
