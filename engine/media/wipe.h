#pragma once

#include <string.h>

#include <vector>

#include "absl/types/span.h"

namespace outpace::media {

// Overwrites what nobody may find in memory; the compiler cannot leave it out.
template <typename T>
void Wipe(absl::Span<T> data) {
  if (!data.empty()) explicit_bzero(data.data(), data.size() * sizeof(T));
}

// What a vector has room for behind its end: what was there before.
template <typename T>
void WipeBeyond(std::vector<T>& data) {
  const size_t size = data.size();
  data.resize(data.capacity());
  Wipe(absl::MakeSpan(data).subspan(size));
  data.resize(size);
}

// All of its room. Empty then.
template <typename T>
void WipeAll(std::vector<T>& data) {
  data.clear();
  WipeBeyond(data);
}

}  // namespace outpace::media
