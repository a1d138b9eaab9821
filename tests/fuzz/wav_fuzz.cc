// Sound files: the prompt reader, and the reader of recordings (WAV, Ogg Opus, sealed or not), on
// bytes from anywhere. No crash, no more samples than the bytes hold, and an end.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/base/check.h"
#include "engine/codec/wav.h"
#include "engine/record/recording_reader.h"

namespace outpace::record {
namespace {

class Bytes final : public RecordingFile {
 public:
  explicit Bytes(absl::string_view bytes) : bytes_(bytes) {}
  absl::Status WriteAt(uint64_t, absl::string_view) override {
    return absl::PermissionDeniedError("read only");
  }
  absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<char> to) override {
    if (offset >= bytes_.size()) return size_t{0};
    const absl::string_view part = bytes_.substr(offset, to.size());
    std::copy(part.begin(), part.end(), to.begin());
    return part.size();
  }
  absl::StatusOr<uint64_t> Size() override { return bytes_.size(); }
  absl::Status Truncate(uint64_t) override { return absl::PermissionDeniedError("read only"); }
  absl::Status Sync() override { return absl::OkStatus(); }
  void DropCache() override {}

 private:
  const absl::string_view bytes_;
};

void ReadRecording(absl::string_view bytes) {
  Bytes file(bytes);
  // A key that no file was sealed with; the format is read all the same.
  static const KeyRing& keys = *new KeyRing(
      *KeyRing::Parse("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"));
  for (const bool decode : {false, true}) {
    auto reader = RecordingReader::Open(file, keys, decode);
    if (!reader.ok()) continue;
    std::vector<int16_t> samples;
    // A page of Opus may hold 255 packets of 120 ms; nothing else grows by more than its octets.
    const uint64_t most = bytes.size() * 8'000 + 8'000;
    uint64_t count = 0;
    for (uint64_t reads = 0;; ++reads) {
      OUTPACE_CHECK(reads <= bytes.size() + 16);
      samples.clear();
      const absl::StatusOr<bool> more = (*reader)->Next(samples);
      if (!more.ok() || !*more) break;
      count += samples.size();
      OUTPACE_CHECK(count <= most);
    }
  }
}

}  // namespace
}  // namespace outpace::record

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto samples = outpace::codec::ParseWav(bytes, "fuzz");
  if (samples.ok()) {
    OUTPACE_CHECK(!samples->empty() && samples->size() <= outpace::codec::kWavSamplesMax);
    OUTPACE_CHECK(samples->size() <= size);
  }
  outpace::record::ReadRecording(bytes);
  return 0;
}
