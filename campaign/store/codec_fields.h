#pragma once

// Values that several kinds of records have (codec.h), as fields. Included by codec*.cc and
// lead_v1.cc only.

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
