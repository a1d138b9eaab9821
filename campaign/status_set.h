#pragma once

// The statuses of one campaign: those every campaign has, with what it has changed, and those it
// has added. Whoever wants to know what a status means or does asks here: what becomes of the lead,
// what the agent may choose, how calls are counted.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/disposition.h"
#include "engine/base/ids.h"

namespace outpace::campaign {

// A value; copies share their rows, which never change.
class StatusSet {
 public:
  StatusSet();  // nothing changed, nothing added
  static const StatusSet& System();

  // Valid as long as a copy of this set. nullptr: no such status.
  const Disposition* Find(absl::string_view status) const;
  // Those of every campaign in their order, then the added ones.
  const std::vector<Disposition>& rows() const { return table_->rows; }
  // The campaign's own: changed and added ones, in the order they came.
  const std::vector<Disposition>& own() const { return table_->own; }
  bool IsOwn(absl::string_view status) const;
  // What the agent chooses from: by hotkey (1..9, 0, a..z), then those without one.
  std::vector<const Disposition*> Selectable() const;

  // Changes or adds a row of the campaign's own.
  void Put(Disposition row);
  // Takes the campaign's own row away: the status is as everywhere, or gone. False: there is none.
  bool Remove(absl::string_view status);

  // The campaign's own rows as one line of text, as the setting `statuses` has it:
  // "HOT;name=Hot lead;human_answered=Y;...|NA;...". Only what differs from an empty row is told.
  std::string ToText() const;
  // InvalidArgument names row, column and what may stand there. What the rows mean together is
  // looked at by CheckStatuses() (status_check.h).
  static absl::StatusOr<StatusSet> Parse(absl::string_view text);

  friend bool operator==(const StatusSet& a, const StatusSet& b) {
    return a.table_ == b.table_ || a.table_->own == b.table_->own;
  }

 private:
  struct Table {
    std::vector<Disposition> rows, own;
    std::vector<uint64_t> keys;  // of rows: the status's bytes
  };
  explicit StatusSet(std::shared_ptr<const Table> table) : table_(std::move(table)) {}
  static std::shared_ptr<const Table> Make(std::vector<Disposition> own);

  std::shared_ptr<const Table> table_;
};

// The statuses of several campaigns, for whoever reads attempts of all of them. One thread writes,
// or several read.
class StatusBook {
 public:
  void Put(const CampaignId& campaign, const StatusSet& statuses) { sets_[campaign] = statuses; }
  const StatusSet& Of(const CampaignId& campaign) const;  // of one that is not known: System()
  const Disposition* Find(const CampaignId& campaign, absl::string_view status) const {
    return Of(campaign).Find(status);
  }

 private:
  std::map<CampaignId, StatusSet, std::less<>> sets_;
};

}  // namespace outpace::campaign
