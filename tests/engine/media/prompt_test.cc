#include "engine/media/prompt.h"

#include <algorithm>

#include "engine/codec/g711.h"
#include "gtest/gtest.h"

namespace outpace::media {
namespace {

TEST(Prompts, BuiltInTonesAreAudibleInBothLawsAndEndInFullFrames) {
  const auto set = PromptSet::Load({});
  ASSERT_TRUE(set.ok());
  const PromptAudio& tones = set->Get(call::Prompt::kSafeHarbor);
  EXPECT_EQ(tones.frames(), 65u);  // 1.3 s
  int loudest = 0;
  for (size_t i = 0; i < tones.frames(); ++i) {
    for (size_t k = 0; k < kFrameSamples; ++k) {
      const int mu =
          codec::MuToLinear(tones.Samples(codec::Law::kMu, i * kFrameSamples, kFrameSamples)[k]);
      const int a =
          codec::AToLinear(tones.Samples(codec::Law::kA, i * kFrameSamples, kFrameSamples)[k]);
      EXPECT_NEAR(mu, a, 600);
      loudest = std::max(loudest, mu);
    }
  }
  EXPECT_NEAR(loudest, 8000, 400);
  const PromptAudio& silence = set->Get(call::Prompt::kSilence);
  EXPECT_EQ(silence.frames(), 100u);  // 2 s
  EXPECT_EQ(silence.Samples(codec::Law::kMu, 99 * kFrameSamples, kFrameSamples)[159],
            codec::kMuSilence);
  EXPECT_EQ(silence.Samples(codec::Law::kA, 0, kFrameSamples)[0], codec::kASilence);
}

}  // namespace
}  // namespace outpace::media
