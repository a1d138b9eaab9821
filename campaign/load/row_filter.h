#pragma once

// An operator's filter, tied to the columns of one file: which text of a row each of its fields is.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "campaign/filter/filter.h"
#include "campaign/load/lead_layout.h"
#include "campaign/load/row_reader.h"

namespace outpace::load {

class RowFilter {
 public:
  // `text` may ask for the standard fields and those of `layout`. InvalidArgument: it does not
  // parse, see filter.h. `today`: the day it calls today, and the entry_date of the leads.
  static absl::StatusOr<RowFilter> Make(absl::string_view text, const LeadLayout& layout,
                                        absl::CivilDay today, ListId list);

  const std::vector<std::string>& clauses() const { return filter_.clauses(); }
  std::string ToString() const { return filter_.ToString(); }

  // What a thread needs to ask: texts that are in no column, made for one row.
  struct Scratch {
    std::vector<absl::string_view> values;
    std::string phone, alt_phone, rank, max_attempts;
  };
  // The number of the first clause that the lead does not fulfil, -1 if it is kept. Any thread.
  int DroppedBy(const RowLead& lead, Scratch& scratch) const;

 private:
  enum class Source : uint8_t {
    kSlot,
    kFixed,
    kPhone,
    kAltPhone,
    kRank,
    kMaxAttempts,
    kStatus,
    kTimeZone,
    kNumber,  // told by the number alone
  };
  struct Binding {
    Source source = Source::kFixed;
    size_t slot = 0;
    std::string text;  // what all new leads have; of kNumber the field's name
  };
  RowFilter(filter::Filter filter, std::vector<Binding> bindings);
  static Binding Bind(const std::string& field, const LeadLayout& layout, absl::CivilDay today,
                      ListId list);

  filter::Filter filter_;
  std::vector<Binding> bindings_;
  bool describes_ = false;  // it asks what the number says of itself
};

}  // namespace outpace::load
