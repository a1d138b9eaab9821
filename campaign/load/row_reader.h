#pragma once

// One row of a list file to one lead, or the reason why not. Millions of rows go through here, so a
// row's lead and texts are views of the row, and nothing is checked that the piece of text the row
// is from is known not to need.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/lead_bulk.h"
#include "campaign/load/alt_phones.h"
#include "campaign/load/columns.h"
#include "campaign/load/csv_reader.h"
#include "campaign/load/lead_layout.h"
#include "campaign/load/loader.h"
#include "campaign/load/zone_ids.h"
#include "dnc/dnc_set.h"

namespace outpace::load {

// Why a row is no lead.
struct RowFinding {
  absl::string_view code;    // "E_PHONE_LENGTH": static
  absl::string_view column;  // header of the column at fault, of the ColumnMap
  std::string reason;        // for people; never a value
};

struct RowLead {
  campaign::BulkLead lead;               // without its texts
  std::vector<absl::string_view> texts;  // by LeadLayout::fields; of the row or of this
  absl::string_view zone_name;           // the first of its time zones
  RowFinding finding;                    // if there is no lead
  bool phone_repaired = false, short_row = false, alt_dropped = false, time_adjusted = false;
  std::string alt_phones, extension;  // what `texts` may point at
};

// What is known of all rows of a piece of text.
struct PieceFacts {
  bool clean = false;    // DecodedBlock::clean
  bool controls = true;  // MayHaveControl()
  bool nul = true;       // there are NUL octets
};

class RowReader {
 public:
  // What all readers of a load share; must outlive them.
  struct Rules {
    const LoadOptions& options;
    const ColumnMap& columns;
    const LeadLayout& layout;
    absl::Time now;  // a callback must lie after it
    bool is_utf8;    // TextEncoding::is_utf8()
    ZoneIds& zones;
    const dnc::DncSet& dnc;  // for erased people among the further numbers
  };
  explicit RowReader(const Rules& rules);

  // True: out.lead is a lead, good until the next call. False: out.finding says why not, unless
  // status() is an error. One thread.
  bool Read(const Row& row, const PieceFacts& facts, RowLead& out);
  // An error of the store ends the load.
  const absl::Status& status() const { return status_; }

 private:
  struct Country {
    absl::string_view name;  // for ReadPhone()
    int home = 0;            // CallingCode()
    bool known = true;
  };
  bool CheckRow(const Row& row, const PieceFacts& facts, RowLead& out) const;
  bool ReadPhones(const Row& row, RowLead& out);
  bool RefusePhone(absl::string_view cell, const Country& country, RowLead& out) const;
  bool ReadNumber(absl::string_view cell, const Country& country, E164& number) const;
  void ReadFurtherPhones(const Row& row, const Country& country, RowLead& out);
  void TakeFurther(E164 number, absl::string_view note, RowLead& out);
  bool ReadZone(const Row& row, RowLead& out);
  bool ReadFields(const Row& row, const PieceFacts& facts, RowLead& out) const;
  bool ReadField(const Column& column, size_t slot, absl::string_view text, RowLead& out) const;
  const Country& CountryOf(const Row& row);
  bool MayDial(E164 number) const;

  const Rules rules_;
  const Country home_;  // of rows that name no country
  size_t phone_column_ = 0;
  std::vector<size_t> country_columns_, further_columns_, zone_columns_;
  ZoneCache zones_;
  std::string country_text_;  // what the last row that named a country wrote
  Country country_;           // and what it means
  std::vector<PhonePart> parts_;
  size_t further_ = 0;  // numbers of the row's "alt_phones"
  // A further number of the row that is an erased person's; none if there is none.
  E164 erased_;
  bool third_erased_ = false;  // it stands in address3, which is not kept then
  absl::Status status_;
};

}  // namespace outpace::load
