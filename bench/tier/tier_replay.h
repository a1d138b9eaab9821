#pragma once

// Real contacts of a telephone campaign, replayed through the model in the order in which they
// happened, and what its scores were worth inside blocks of date. Shared by tier_quality and tests.
//
// Pooled over all dates, any clock looks like a good score here (the success rate drifts from 3 %
// to 51 %): so leads are only ever compared with leads of the same block.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/tier/model.h"

namespace outpace::tier {

// A row of the UCI "Bank Marketing" file (bank-additional-full.csv: Moro, Cortez, Rita, 2014).
struct BankContact {
  int64_t seq = 0;  // place in the order of dates
  bool judged = true;
  bool success = false;
  absl::Duration talk;              // known after the call only
  std::vector<std::string> values;  // in the order of BankColumns()
};
const std::vector<std::string>& BankColumns();

// Which columns a score may look at. `talk` never is one: it is known only after the call.
enum class Columns {
  kClient,  // age .. loan and the kind of line: what a list says of a person
  kLead,    // and attempt number, days since and result of earlier contacts
  kAll,     // and month, weekday and economic figures, which are clocks
};
absl::StatusOr<Columns> ColumnsByName(absl::string_view name);  // client, lead, all

// Rows of a file, with or without a leading `seq` column (else rows are counted from 1).
absl::StatusOr<std::vector<BankContact>> ReadBankContacts(const std::string& path, bool judged);

struct ReplayOptions {
  Columns columns = Columns::kLead;
  int block = 300;      // rows
  bool frozen = false;  // a whole block is scored before any of its outcomes is learned
  ModelSettings model = BankModel();
  static ModelSettings BankModel();
};
// The score of each row before its own outcome was learned.
std::vector<double> Replay(const std::vector<BankContact>& contacts, const ReplayOptions& options);

// A = the best `share` of each block by score; ties in an order drawn from `seed`.
struct BlockFigures {
  int64_t a = 0, a_success = 0, b = 0, b_success = 0;
  int blocks = 0;
  double ratio = 0;          // success rate of A / success rate of B, Mantel-Haenszel over blocks
  double low = 0, high = 0;  // its 95 % interval (Greenland and Robins, Biometrics 41, 1985)
  double auc = 0;            // pairs of one block in the right order, all blocks pooled
  double auc_mean = 0;       // mean of the blocks' own
};
// Only judged rows count; a block is `block` judged rows next to each other, a last one of less
// than half of that is left out.
BlockFigures Judge(const std::vector<BankContact>& contacts, const std::vector<double>& scores,
                   int block, double share, uint64_t seed);

// The same rows with outcomes drawn anew from the success rate of their own block, or, if `around`
// is not 0, of that many rows before and after each: a clock, and nothing of a lead to be learned.
std::vector<BankContact> WithoutStructure(std::vector<BankContact> contacts, int block, int around,
                                          uint64_t seed);

}  // namespace outpace::tier
