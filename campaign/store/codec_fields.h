#pragma once

// Values that several kinds of records have (codec.h), as fields. Included by codec*.cc and
// lead_v1.cc only.

#include <algorithm>
#include <cstdint>
#include <limits>

#include "absl/time/time.h"
#include "campaign/store/codec.h"
#include "campaign/store/wire.h"
#include "engine/base/e164.h"

namespace outpace::store {

// "Did not happen" is by far the commonest instant: it is the one left out.
inline void WriteTime(FieldWriter& writer, uint32_t field, absl::Time time) {
  if (time != absl::InfinitePast()) writer.NumberAlways(field, ZigZag(MicrosOf(time)));
}
inline absl::Time ReadTime(FieldReader& reader, const Field& field) {
  return TimeOf(reader.Signed(field));
}

// A duration of 0 to 292 years, to the microsecond.
inline uint64_t MicrosIn(absl::Duration length) {
  return static_cast<uint64_t>(std::max<int64_t>(0, absl::ToInt64Microseconds(length)));
}
inline absl::Duration ReadLength(FieldReader& reader, const Field& field) {
  return absl::Microseconds(
      static_cast<int64_t>(reader.Number(field, std::numeric_limits<int64_t>::max() / 1000)));
}

inline int ReadInt(FieldReader& reader, const Field& field) {
  return static_cast<int>(
      reader.Signed(field, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()));
}
inline bool ReadBool(FieldReader& reader, const Field& field) {
  return reader.Number(field, 1) != 0;
}
inline E164 ReadPhone(FieldReader& reader, const Field& field) {
  return E164(reader.Number(field, 999'999'999'999'999));  // 15 digits: ITU-T E.164
}

}  // namespace outpace::store
