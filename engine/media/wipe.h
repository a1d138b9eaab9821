#pragma once

#include <string.h>

#include "absl/types/span.h"

namespace outpace::media {

// Overwrites what nobody may find in memory; the compiler cannot leave it out.
template <typename T>
void Wipe(absl::Span<T> data) {
  if (!data.empty()) explicit_bzero(data.data(), data.size() * sizeof(T));
}

}  // namespace outpace::media
