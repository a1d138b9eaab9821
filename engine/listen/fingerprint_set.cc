#include "engine/listen/fingerprint_set.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/listen/fingerprint_file.h"
#include "engine/listen/fingerprint_matcher.h"
#include "engine/listen/tone_analysis.h"
#include "engine/listen/tone_runs.h"

namespace outpace::listen {
namespace {

constexpr double kSecondsMin = 0.5, kSecondsMax = 60;
// Frames that say something, in seconds: less is silence, a tone, or noise.
constexpr float kSureSecondsMin = 0.3f;
constexpr size_t kSamplesMax = 2000;
constexpr size_t kNameBytesMax = 200;
// A frame of a sample is shared when half a second about it is like one of another class.
constexpr float kSharedErrorMax = 0.20f, kSharedAskedMin = 100;
constexpr int kSpeakingBits = 5;
// Least sure bits of a key worth finding a place by.
constexpr int kIndexedSureMin = 10;

// Frames in which a steady tone sounds, and those its edges reach into. A recording may begin with
// ringback; what is learned is the voice.
std::vector<bool> TonesIn(absl::Span<const int16_t> samples, uint32_t frames) {
  constexpr size_t kTonalFramesMin = 5, kReach = 4;
  std::vector<bool> tones(frames);
  size_t in_a_row = 0;
  for (size_t frame = 0; frame <= frames; ++frame) {
    const bool tonal =
        frame < frames &&
        AnalyseTone(samples.subspan(frame * kFrameSamples, kFrameSamples), ToneRuns::kQuietMax)
            .tonal;
    if (tonal) {
      ++in_a_row;
      continue;
    }
    if (in_a_row >= kTonalFramesMin) {
      const size_t begin = frame - std::min(frame, in_a_row + kReach);
      const size_t end = std::min<size_t>(frames, frame + kReach);
      for (size_t i = begin; i < end; ++i) tones[i] = true;
    }
    in_a_row = 0;
  }
  return tones;
}

std::vector<SubPrint> PrintsOf(absl::Span<const int16_t> samples, uint32_t frames) {
  std::vector<SubPrint> prints;
  prints.reserve(kOffsets * frames);
  const std::vector<bool> tones = TonesIn(samples, frames);
  for (size_t offset = 0; offset < kOffsets; ++offset) {
    BandAnalyser analyser;
    for (size_t frame = 0; frame < frames; ++frame) {
      prints.push_back(analyser.Feed(samples.subspan(
          offset * kFrameSamples / kOffsets + frame * kFrameSamples, kFrameSamples)));
      if (tones[frame]) prints.back().sure = 0;
    }
  }
  return prints;
}

bool Speaks(const SubPrint& print) { return __builtin_popcount(print.sure) >= kSpeakingBits; }

void CountSure(SamplePrint& sample) {
  int sure = 0;
  for (size_t i = 0; i < sample.frames; ++i) {
    sure += Speaks(sample.prints[i]) && (sample.shared.empty() || sample.shared[i] == 0);
  }
  sample.sure_seconds = static_cast<float>(sure) * 0.02f;
}

}  // namespace

const std::vector<absl::string_view>& AnnouncementClasses() {
  static const auto* const kClasses = new std::vector<absl::string_view>{
      "vacant_number", "powered_off", "suspended",  "busy", "unreachable",
      "no_answer",     "barred",      "congestion", "wait", "voicemail"};
  return *kClasses;
}

void FingerprintSet::Data::Build() {
  for (size_t which = 0; which < kKeys; ++which) {
    std::vector<uint32_t>& begin = first[which];
    begin.assign((size_t{1} << kKeyBits) + 1, 0);
    const auto each = [&](const auto& use) {
      for (size_t s = 0; s < samples.size(); ++s) {
        for (size_t at = 0; at < samples[s].prints.size(); ++at) {
          const PrintKey key = KeyOf(samples[s].prints[at], which);
          if (key.sure >= kIndexedSureMin)
            use(key.key, Place{static_cast<uint16_t>(s), static_cast<uint16_t>(at)});
        }
      }
    };
    each([&](uint16_t key, Place) { ++begin[size_t{key} + 1]; });
    for (size_t k = 1; k < begin.size(); ++k) begin[k] += begin[k - 1];
    places[which].resize(begin.back());
    std::vector<uint32_t> next(begin.begin(), begin.end() - 1);
    each([&](uint16_t key, Place place) { places[which][next[key]++] = place; });
  }
  // Each sample is played to the others.
  for (SamplePrint& sample : samples) sample.shared.assign(sample.frames, 0);
  for (size_t s = 0; s < samples.size(); ++s) {
    SamplePrint& sample = samples[s];
    std::vector<uint8_t> shared(sample.frames, 0);
    FingerprintMatcher matcher(*this, static_cast<int>(s));
    for (size_t frame = 0; frame < sample.frames; ++frame) {
      matcher.Feed(sample.prints[frame]);
      for (const auto& track : matcher.tracks_) {
        if (!track.used || track.recent_asked < kSharedAskedMin ||
            track.recent_wrong > kSharedErrorMax * track.recent_asked ||
            samples[track.sample].announcement_class == sample.announcement_class) {
          continue;
        }
        const size_t begin =
            frame - std::min<size_t>(frame, static_cast<size_t>(track.frame - track.begun));
        std::fill(shared.begin() + static_cast<std::ptrdiff_t>(begin),
                  shared.begin() + static_cast<std::ptrdiff_t>(frame) + 1, uint8_t{1});
      }
    }
    sample.shared = std::move(shared);
    CountSure(sample);
  }
}

FingerprintSet::FingerprintSet() : data_(std::make_unique<Data>()) {}
FingerprintSet::~FingerprintSet() = default;
FingerprintSet::FingerprintSet(FingerprintSet&&) noexcept = default;
FingerprintSet& FingerprintSet::operator=(FingerprintSet&&) noexcept = default;

absl::Status FingerprintSet::Learn(absl::string_view announcement_class,
                                   absl::string_view sample_name,
                                   absl::Span<const int16_t> samples) {
  const auto& classes = AnnouncementClasses();
  if (std::find(classes.begin(), classes.end(), announcement_class) == classes.end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "class '", announcement_class, "' is none; give one of ", absl::StrJoin(classes, ", ")));
  }
  if (sample_name.empty() || sample_name.size() > kNameBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a sample's name has 1 to ", kNameBytesMax, " octets"));
  }
  const double seconds = static_cast<double>(samples.size()) / kSampleRate;
  if (seconds < kSecondsMin || seconds > kSecondsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(sample_name, ": ", seconds, " s; a sample has ", kSecondsMin, " to ",
                     kSecondsMax, " s: cut out one announcement, from its first word to its last"));
  }
  if (data_->samples.size() >= kSamplesMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a set holds ", kSamplesMax, " samples; forget some"));
  }
  for (const SamplePrint& other : data_->samples) {
    if (other.name == sample_name) {
      return absl::AlreadyExistsError(
          absl::StrCat(sample_name, " is in the set (", other.announcement_class,
                       "); forget it first, or give this sample another name"));
    }
  }
  SamplePrint sample;
  sample.announcement_class = std::string(announcement_class);
  sample.name = std::string(sample_name);
  sample.seconds = seconds;
  sample.frames = static_cast<uint32_t>(
      (samples.size() - kFrameSamples / kOffsets * (kOffsets - 1)) / kFrameSamples);
  sample.prints = PrintsOf(samples, sample.frames);
  CountSure(sample);
  if (sample.sure_seconds < kSureSecondsMin) {
    return absl::InvalidArgumentError(
        absl::StrCat(sample_name, ": nothing is said in it (", sample.sure_seconds,
                     " s of speech): silence, a tone or noise cannot be learned"));
  }
  const float before = sample.sure_seconds;
  data_->samples.push_back(std::move(sample));
  data_->Build();
  // Both must keep something of their own.
  for (const SamplePrint& each : data_->samples) {
    if (each.sure_seconds >= std::min(kSureSecondsMin, before)) continue;
    const std::string like = each.name;
    const std::string like_class = each.announcement_class;
    const bool self = &each == &data_->samples.back();
    data_->samples.pop_back();
    data_->Build();
    return absl::InvalidArgumentError(
        self ? absl::StrCat(sample_name,
                            ": the set holds the same announcement in another class; "
                            "forget that one first, or cut the samples down to the "
                            "words in which they differ")
             : absl::StrCat(sample_name, ": so like ", like, " (", like_class,
                            ") that the two could not be told apart; cut the samples down to the "
                            "words in which they differ"));
  }
  return absl::OkStatus();
}

absl::Status FingerprintSet::Forget(absl::string_view sample_name) {
  const auto at = std::find_if(data_->samples.begin(), data_->samples.end(),
                               [&](const SamplePrint& s) { return s.name == sample_name; });
  if (at == data_->samples.end()) {
    return absl::NotFoundError(absl::StrCat("no sample '", sample_name, "' in the set"));
  }
  data_->samples.erase(at);
  data_->Build();
  return absl::OkStatus();
}

std::vector<FingerprintSet::Sample> FingerprintSet::samples() const {
  std::vector<Sample> list;
  for (const SamplePrint& sample : data_->samples) {
    list.push_back({sample.announcement_class, sample.name, sample.seconds, sample.sure_seconds});
  }
  return list;
}

absl::StatusOr<FingerprintSet> FingerprintSet::Load(const std::string& path) {
  auto samples = ReadFingerprintFile(path);
  if (!samples.ok()) return samples.status();
  FingerprintSet set;
  set.data_->samples = *std::move(samples);
  set.data_->Build();
  return set;
}

absl::Status FingerprintSet::Save(const std::string& path) const {
  return WriteFingerprintFile(path, data_->samples);
}

}  // namespace outpace::listen
