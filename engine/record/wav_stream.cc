#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/codec/g711.h"
#include "engine/record/audio_stream.h"
#include "engine/record/block_pool.h"
#include "engine/record/opus_stream.h"

namespace outpace::record {
namespace {

void Put16(uint64_t value, std::string& to) {
  to.push_back(static_cast<char>(value));
  to.push_back(static_cast<char>(value >> 8));
}
void Put32(uint64_t value, std::string& to) {
  Put16(value & 0xffff, to);
  Put16(value >> 16, to);
}

// A size field: what does not fit says "to the end of the file", as streaming tools write it.
uint64_t SizeField(uint64_t bytes) {
  return std::min<uint64_t>(bytes, std::numeric_limits<uint32_t>::max());
}

// The octet of each sample: a look-up is a tenth of the arithmetic.
using MuTable = std::array<uint8_t, 65536>;
const MuTable& AllMu() {
  static const MuTable& table = *[] {
    auto* const made = new MuTable;
    for (size_t i = 0; i < made->size(); ++i) {
      (*made)[i] = codec::LinearToMu(static_cast<int16_t>(static_cast<uint16_t>(i)));
    }
    return made;
  }();
  return table;
}

class WavStream final : public AudioStream {
 public:
  explicit WavStream(Format format) : format_(format) {}
  void Begin(std::string& to) override { to += WavHeader(format_, UINT64_MAX, 0); }
  void Append(absl::Span<const int16_t> stereo, std::string& to) override {
    size_t at = to.size();
    if (format_ == Format::kWavUlaw) {
      to.resize(at + stereo.size());
      const MuTable& table = AllMu();
      for (const int16_t sample : stereo) {
        to[at++] = static_cast<char>(table[static_cast<uint16_t>(sample)]);
      }
      return;
    }
    static_assert(std::endian::native == std::endian::little, "WAV samples are little endian");
    to.append(reinterpret_cast<const char*>(stereo.data()), stereo.size() * sizeof(int16_t));
  }
  void Finish(int64_t /*samples*/, absl::Span<const Gap> gaps, std::string& to) override {
    to += WavCues(gaps);
  }
  std::string Header(uint64_t audio_bytes, uint64_t tail_bytes) const override {
    return WavHeader(format_, audio_bytes, tail_bytes);
  }

 private:
  const Format format_;
};

}  // namespace

std::string WavHeader(Format format, uint64_t audio_bytes, uint64_t tail_bytes) {
  const bool ulaw = format == Format::kWavUlaw;
  const size_t frame = WavFrameBytes(format);
  const uint64_t header = ulaw ? kWavUlawHeaderBytes : kWavHeaderBytes;
  std::string to = "RIFF";
  Put32(audio_bytes == UINT64_MAX ? SizeField(UINT64_MAX)
                                  : SizeField(header - 8 + audio_bytes + tail_bytes),
        to);
  to += "WAVEfmt ";
  Put32(ulaw ? 18 : 16, to);
  Put16(ulaw ? 7 : 1, to);  // WAVE_FORMAT_MULAW, WAVE_FORMAT_PCM
  Put16(2, to);
  Put32(kRate, to);
  Put32(kRate * frame, to);
  Put16(frame, to);
  Put16(ulaw ? 8 : 16, to);
  if (ulaw) {
    Put16(0, to);  // no extension
    to += "fact";
    Put32(4, to);
    Put32(audio_bytes == UINT64_MAX ? SizeField(UINT64_MAX) : SizeField(audio_bytes / frame), to);
  }
  to += "data";
  Put32(SizeField(audio_bytes), to);
  return to;
}

std::string WavCues(absl::Span<const Gap> gaps) {
  if (gaps.empty()) return "";
  std::string cues = "cue ", list;
  Put32(4 + 24 * gaps.size(), cues);
  Put32(gaps.size(), cues);
  uint32_t id = 0;
  for (const Gap& gap : gaps) {
    ++id;
    Put32(id, cues);
    Put32(static_cast<uint64_t>(gap.from), cues);
    cues += "data";
    Put32(0, cues);
    Put32(0, cues);
    Put32(static_cast<uint64_t>(gap.from), cues);
    std::string label = gap.kind == Mark::Kind::kPaused ? "paused" : "lost";
    label.push_back('\0');
    if (label.size() % 2 != 0) label.push_back('\0');
    list += "labl";
    Put32(4 + label.size(), list);
    Put32(id, list);
    list += label;
    list += "ltxt";
    Put32(20, list);
    Put32(id, list);
    Put32(static_cast<uint64_t>(gap.to - gap.from), list);
    list += "mark";
    Put32(0, list);  // country, language
    Put32(0, list);  // dialect, code page
  }
  std::string head = "LIST";
  Put32(4 + list.size(), head);
  return absl::StrCat(cues, head, "adtl", list);
}

std::unique_ptr<AudioStream> NewAudioStream(Format format, uint32_t serial) {
  if (format == Format::kOpus) return NewOpusStream(serial);
  return std::make_unique<WavStream>(format);
}

}  // namespace outpace::record
