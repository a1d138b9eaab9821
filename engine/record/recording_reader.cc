#include "engine/record/recording_reader.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "engine/codec/g711.h"
#include "engine/record/hash.h"

namespace outpace::record {
namespace {

constexpr size_t kReadBytes = 64 << 10;

absl::Status NotOurs() {
  return absl::DataLossError("recordings: the file is no recording of Outpace, or is damaged");
}

uint32_t Little32(absl::string_view from) {
  uint32_t value = 0;
  for (size_t i = 4; i-- > 0;) value = value << 8 | static_cast<uint8_t>(from[i]);
  return value;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RecordingReader>> RecordingReader::Open(RecordingFile& file,
                                                                       const KeyRing& keys,
                                                                       bool decode) {
  std::unique_ptr<RecordingReader> reader(new RecordingReader(file, decode));
  std::string head(8, '\0');
  const auto got = file.ReadAt(0, absl::MakeSpan(head.data(), head.size()));
  if (!got.ok()) return got.status();
  head.resize(*got);
  if (LooksSealed(head)) {
    auto unsealer = Unsealer::Open(file, keys);
    if (!unsealer.ok()) return unsealer.status();
    reader->unsealer_ = *std::move(unsealer);
    reader->format_ = reader->unsealer_->header().format;
    return reader;
  }
  if (absl::StartsWith(head, "OggS")) {
    reader->format_ = Format::kOpus;
  } else if (!absl::StartsWith(head, "RIFF")) {
    return NotOurs();
  }
  return reader;
}

absl::StatusOr<std::string> RecordingReader::NextBytes() {
  if (unsealer_ != nullptr) return unsealer_->Next();
  std::string bytes(kReadBytes, '\0');
  const auto got = file_.ReadAt(offset_, absl::MakeSpan(bytes.data(), bytes.size()));
  if (!got.ok()) return got.status();
  bytes.resize(*got);
  offset_ += *got;
  return bytes;
}

// Of our own WAV files, in `rest_`.
absl::Status RecordingReader::TakeHeader() {
  if (rest_.size() < kWavHeaderBytes || !absl::StartsWith(rest_, "RIFF") ||
      rest_.substr(8, 8) != "WAVEfmt ") {
    return NotOurs();
  }
  const bool ulaw = rest_[20] == 7;
  const size_t header = ulaw ? kWavUlawHeaderBytes : kWavHeaderBytes;
  if ((!ulaw && rest_[20] != 1) || rest_.size() < header || rest_[22] != 2 ||
      rest_.substr(header - 8, 4) != "data") {
    return NotOurs();
  }
  format_ = ulaw ? Format::kWavUlaw : Format::kWav;
  const uint32_t size = Little32(absl::string_view(rest_).substr(header - 4));
  left_ = size == UINT32_MAX ? UINT64_MAX : size;
  rest_.erase(0, header);
  header_read_ = true;
  return absl::OkStatus();
}

absl::StatusOr<bool> RecordingReader::Next(std::vector<int16_t>& stereo) {
  auto bytes = NextBytes();
  if (!bytes.ok()) return bytes.status();
  if (bytes->empty()) return false;
  if (format_ == Format::kOpus) {
    if (absl::Status status = opus_.Take(*bytes, stereo); !status.ok()) return status;
    samples_ = opus_.samples();
    return true;
  }
  rest_ += *bytes;
  if (!header_read_) {
    if (absl::Status status = TakeHeader(); !status.ok()) return status;
  }
  const size_t frame = WavFrameBytes(format_);
  const auto usable =
      static_cast<size_t>(std::min<uint64_t>(left_, rest_.size() / frame * frame) / frame * frame);
  if (usable == 0 && left_ == 0) return false;
  if (decode_) {
    const auto octet = [this](size_t i) { return static_cast<uint8_t>(rest_[i]); };
    for (size_t i = 0; i < usable;) {
      if (format_ == Format::kWavUlaw) {
        stereo.push_back(codec::MuToLinear(octet(i++)));
      } else {
        stereo.push_back(static_cast<int16_t>(octet(i) | octet(i + 1) << 8));
        i += 2;
      }
    }
  }
  rest_.erase(0, usable);
  if (left_ != UINT64_MAX) left_ -= usable;
  samples_ += static_cast<int64_t>(usable / frame);
  return true;
}

absl::StatusOr<std::string> Sha256Of(RecordingFile& file) {
  Hash hash;
  std::string bytes(kReadBytes, '\0');
  for (uint64_t offset = 0;;) {
    const auto got = file.ReadAt(offset, absl::MakeSpan(bytes.data(), bytes.size()));
    if (!got.ok()) return got.status();
    if (*got == 0) break;
    hash.Add(absl::string_view(bytes).substr(0, *got));
    offset += *got;
  }
  return hash.Hex();
}

}  // namespace outpace::record
