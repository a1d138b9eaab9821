#pragma once

// How records are written to disk, all but leads (lead_record.h). A record is
//
//   major version (1 byte) | fields | CRC-32C of all before it (4 bytes, little endian)
//
// and a field is a varint tag, number * 2 + (1: bytes, 0: varint), then a varint, or a length and
// bytes. A field that holds its default is left out. So a newer program of the same major version
// may add fields and an older one reads its records, skipping what it does not know; a change that
// an older program must not misread raises the major version. Field numbers are never used twice:
// they are listed beside the code, which is in one codec*.cc for each kind of record.
//
// Instants are kept to the microsecond; InfinitePast and InfiniteFuture are kept as such.
//
// Every Decode returns DataLoss for a record that is cut, damaged or contradicts itself, and
// FailedPrecondition for one of a newer major version. They never read outside `bytes` and allocate
// no more than a small multiple of its size, whatever it holds (tests/campaign/store/codec_test.cc
// and the fuzz target rely on it). Pure: no state, any thread.

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/activity.h"
#include "campaign/attempt.h"
#include "campaign/attempt_scan.h"
#include "campaign/import.h"
#include "campaign/lead_store.h"
#include "campaign/recording.h"
#include "campaign/settings.h"

namespace outpace::store {

inline constexpr uint8_t kRecordMajor = 1;

std::string EncodeAttempt(const campaign::Attempt& attempt);
std::string EncodeList(const campaign::List& list);
std::string EncodeImport(const campaign::Import& import);
// Settings travel as their name=value form, so a setting's own rules are checked when read.
std::string EncodeSettings(const campaign::CampaignSettings& settings);
std::string EncodeAgent(const campaign::AgentRecord& agent);
std::string EncodeDnc(const campaign::DncEntry& entry);
std::string EncodeRecording(const campaign::Recording& recording);
std::string EncodeActivity(const campaign::AgentActivity& activity);
std::string EncodeText(absl::string_view text);  // a meta value, checksummed

absl::StatusOr<campaign::Attempt> DecodeAttempt(absl::string_view bytes);
// DecodeAttempt() without strings: views into `bytes`.
absl::Status ViewAttempt(absl::string_view bytes, campaign::AttemptView& view);
absl::StatusOr<campaign::List> DecodeList(absl::string_view bytes);
absl::StatusOr<campaign::Import> DecodeImport(absl::string_view bytes);
absl::StatusOr<campaign::CampaignSettings> DecodeSettings(absl::string_view bytes);
absl::StatusOr<campaign::AgentRecord> DecodeAgent(absl::string_view bytes);
absl::StatusOr<campaign::DncEntry> DecodeDnc(absl::string_view bytes);
absl::StatusOr<campaign::Recording> DecodeRecording(absl::string_view bytes);
absl::StatusOr<campaign::AgentActivity> DecodeActivity(absl::string_view bytes);
absl::StatusOr<std::string> DecodeText(absl::string_view bytes);

// Microseconds since 1970 UTC; the ends of int64 stand for InfinitePast and InfiniteFuture.
int64_t MicrosOf(absl::Time time);
absl::Time TimeOf(int64_t micros);

}  // namespace outpace::store
