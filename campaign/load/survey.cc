#include "campaign/load/survey.h"

#include <xxhash.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/base/check.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace outpace::load {
namespace {

constexpr size_t kBlockBytes = 256 * 1024;

// Octets that may end a line: LF, and CR unless an LF is behind it. `text[text.size()]` must be
// readable; it is looked at behind a last CR.
uint64_t CountLineEnds(absl::string_view text) {
  uint64_t count = 0;
  size_t i = 0;
#if defined(__SSE2__)
  const __m128i feed = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r'), zero = _mm_setzero_si128();
  while (i + 16 <= text.size()) {
    // Each octet of `sums` rises by one at most in a step.
    __m128i sums = zero;
    for (int step = 0; step < 255 && i + 16 <= text.size(); ++step, i += 16) {
      const char* const at = text.data() + i;
      const __m128i here = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
      const __m128i next = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 1));
      const __m128i alone = _mm_andnot_si128(_mm_cmpeq_epi8(next, feed), _mm_cmpeq_epi8(here, cr));
      sums = _mm_sub_epi8(sums, _mm_or_si128(_mm_cmpeq_epi8(here, feed), alone));
    }
    const __m128i halves = _mm_sad_epu8(sums, zero);
    count += static_cast<uint64_t>(_mm_cvtsi128_si64(halves)) +
             static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(halves, halves)));
  }
#endif
  for (; i < text.size(); ++i) {
    const char next = text.data()[i + 1];
    count += text[i] == '\n' || (text[i] == '\r' && next != '\n');
  }
  return count;
}

struct FreeState {
  void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};

}  // namespace

absl::StatusOr<Survey> SurveySource(const ByteSource& source, const std::atomic<bool>* cancel) {
  const std::unique_ptr<XXH3_state_t, FreeState> state(XXH3_createState());
  OUTPACE_CHECK(state != nullptr && XXH3_128bits_reset(state.get()) == XXH_OK);
  const auto room = static_cast<size_t>(std::min<uint64_t>(source.size() + 1, kBlockBytes));
  std::vector<char> block(room + 1);
  Survey out;
  out.lines = 1;
  bool after_cr = false;
  for (uint64_t offset = 0;;) {
    if (cancel != nullptr && *cancel) return absl::CancelledError("load: cancelled");
    const absl::StatusOr<size_t> got = source.Read(offset, absl::MakeSpan(block.data(), room));
    if (!got.ok()) return got.status();
    if (*got == 0) break;
    XXH3_128bits_update(state.get(), block.data(), *got);
    block[*got] = '\0';
    // A CR at a block's end was counted; its LF in the next one is not.
    if (after_cr && block[0] == '\n') --out.lines;
    out.lines += CountLineEnds(absl::string_view(block.data(), *got));
    after_cr = block[*got - 1] == '\r';
    offset += *got;
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(state.get());
  out.hash = absl::StrFormat("%016x%016x", hash.high64, hash.low64);
  return out;
}

}  // namespace outpace::load
