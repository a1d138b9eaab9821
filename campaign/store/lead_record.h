#pragma once

// How a lead lies on disk: in two records, because a dialer changes the one with every call and
// reads the other once in a while.
//
// The hot record has what dialing needs, each number at a fixed place, little endian:
//
//   0 version, 1 tier, 2 rank, 3 max_attempts, 4 zone set (4), 8 id, 16 phone, 24 alt_phone,
//   32 list, 40 entry_date, 48 last_call_time, 56 next_call_time, 64 hold_until, 72 import,
//   80 called_count (4), 84 layout (4), 88 length (4) and 92 CRC-32C (4) of the texts,
//   96 campaign (8), 104 status (6), 110 length of the campaign's name, 111 of the status;
//   112: campaign if longer than 8, status if longer than 6, recycled; then CRC-32C of it all.
//
// The texts record has `owner` and `fields`: layout (4), their texts in its order as
// AppendFieldText() writes them, CRC-32C. Empty texts at the end are left out, and a lead without
// any has no such record. Layout 0 is that of a lead whose fields are of no load: name and text in
// turn.
//
// Instants are as in codec.h. Decoding returns DataLoss for what is damaged and FailedPrecondition
// for what a newer program wrote; it never reads outside `bytes`. Pure: any thread.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/attempt_scan.h"
#include "campaign/field_type.h"
#include "campaign/lead.h"
#include "campaign/lead_bulk.h"
#include "campaign/lead_scan.h"

namespace outpace::store {

inline constexpr uint8_t kHotVersion = 2;  // 1: schema 1, which had one record a lead
inline constexpr size_t kHotBytes = 112;   // of its fixed part, without the checksum
inline constexpr uint32_t kNamedLayout = 0;

// What a hot record says of the texts, so that a writer knows whether they have changed.
struct TextsMark {
  uint32_t layout = kNamedLayout;
  uint32_t length = 0;  // of the texts record without layout and checksum; 0: there is none
  uint32_t crc = 0;
  friend bool operator==(const TextsMark&, const TextsMark&) = default;
};

// A hot record as read: of `lead` all but texts and names of zones; has_fields is false.
struct HotLead {
  campaign::Lead lead;
  uint32_t zones = 0;
  TextsMark texts;
};

std::string EncodeHot(const campaign::Lead& lead, uint32_t zones, const TextsMark& texts);
// Into `hot`, which may be used again and again: strings keep their space.
absl::Status DecodeHot(absl::string_view bytes, HotLead& hot);

// The campaign of a hot record, as a view into it, without a look at the checksum; empty if the
// record is damaged.
absl::string_view CampaignOfHot(absl::string_view bytes);
// Reads in place what a scan shows; zone_names stays null. As DecodeHot().
absl::Status GlanceAtHot(absl::string_view bytes, campaign::LeadGlance& glance);

// Reads a hot record in place for an export: all of `view` but zones and texts, the number of the
// set of zones and what is said of the texts. As DecodeHot().
absl::Status ViewHot(absl::string_view bytes, campaign::LeadView& view, uint32_t& zones,
                     TextsMark& texts);
// The texts of a record that has passed CheckTexts(), as views into it. As DecodeTexts().
absl::Status ViewTexts(absl::string_view bytes, const campaign::FieldLayout& layout,
                       std::vector<campaign::LeadText>& texts);

// The texts of a lead in `layout`, whose number is `id`: empty if the lead has none, nullopt if it
// has a field the layout has not.
std::optional<std::string> EncodeTexts(const campaign::Lead& lead, uint32_t id,
                                       const campaign::FieldLayout& layout);
// The same with the fields' names beside their texts.
std::string EncodeNamedTexts(const campaign::Lead& lead);
// What the hot record says of a texts record, as EncodeTexts() returns it.
TextsMark MarkOf(absl::string_view texts);
// The layout's number; for a look at the table before DecodeTexts(). DataLoss if damaged.
absl::StatusOr<uint32_t> CheckTexts(absl::string_view bytes);
// Sets lead.owner, lead.fields and has_fields. `layout` is not looked at if the record's number is
// kNamedLayout. The record has passed CheckTexts().
absl::Status DecodeTexts(absl::string_view bytes, const campaign::FieldLayout& layout,
                         campaign::Lead& lead);

// Sets the fields of `texts`, as BulkLead::fields has them. DataLoss if they are cut or more than
// the layout has.
absl::Status DecodeFieldTexts(absl::string_view texts, const campaign::FieldLayout& layout,
                              campaign::Lead& lead);

// The status of a new lead: "CALLBK" if a call was promised, else "NEW".
inline absl::string_view BulkStatus(const campaign::BulkLead& lead) {
  return lead.next_call_micros == INT64_MIN ? "NEW" : "CALLBK";
}

// Writes the two records of many leads that were loaded together: what they have in common is laid
// out once. One thread at a time.
class BulkEncoder {
 public:
  // `common`: list, campaign, import and entry date; `layout` is the number of the load's.
  BulkEncoder(const campaign::Lead& common, uint32_t layout);
  // The records stay good until the next call. `texts` is empty if the lead has none.
  void Encode(LeadId id, const campaign::BulkLead& lead);
  absl::string_view hot() const { return hot_; }
  absl::string_view texts() const { return has_texts_ ? texts_ : absl::string_view(); }

 private:
  std::string hot_, texts_;
  bool has_texts_ = false;
};

}  // namespace outpace::store
