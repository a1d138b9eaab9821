#include "engine/codec/wav.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "engine/codec/g711.h"

namespace outpace::codec {
namespace {

constexpr absl::string_view kRemedy =
    "; make it with: sox IN -r 8000 -c 1 -b 16 -e signed-integer OUT.wav";
constexpr uint16_t kFormatPcm = 1;
constexpr uint16_t kFormatALaw = 6;
constexpr uint16_t kFormatMuLaw = 7;
constexpr uint16_t kFormatExtensible = 0xfffe;

absl::Status Bad(absl::string_view name, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("prompt ", name, ": ", what, kRemedy));
}

// Little-endian reads; the caller has checked the length.
uint16_t Read16(absl::string_view s, size_t at) {
  return static_cast<uint16_t>(static_cast<uint8_t>(s[at]) |
                               (static_cast<uint8_t>(s[at + 1]) << 8));
}
uint32_t Read32(absl::string_view s, size_t at) {
  return static_cast<uint32_t>(Read16(s, at)) | (static_cast<uint32_t>(Read16(s, at + 2)) << 16);
}

struct Format {
  uint16_t tag = 0;
  uint16_t channels = 0;
  uint32_t rate = 0;
  uint16_t bits = 0;
};

absl::Status CheckFormat(const Format& format, absl::string_view name) {
  if (format.channels != 1) {
    return Bad(name, absl::StrCat(format.channels, " channels, where 1 is needed"));
  }
  if (format.rate != 8000) {
    return Bad(name, absl::StrCat(format.rate, " samples a second, where 8000 are needed"));
  }
  const bool pcm16 = format.tag == kFormatPcm && format.bits == 16;
  const bool g711 = (format.tag == kFormatMuLaw || format.tag == kFormatALaw) && format.bits == 8;
  if (!pcm16 && !g711) {
    return Bad(name, absl::StrCat("coding ", format.tag, " with ", format.bits,
                                  " bits, where 16-bit PCM, mu-law or A-law is needed"));
  }
  return absl::OkStatus();
}

std::vector<int16_t> Decode(const Format& format, absl::string_view data) {
  std::vector<int16_t> samples;
  if (format.tag == kFormatPcm) {
    samples.reserve(data.size() / 2);
    for (size_t i = 0; i + 1 < data.size(); i += 2) {
      samples.push_back(static_cast<int16_t>(Read16(data, i)));
    }
  } else {
    const Law law = format.tag == kFormatMuLaw ? Law::kMu : Law::kA;
    samples.reserve(data.size());
    for (const char octet : data) samples.push_back(ToLinear(law, static_cast<uint8_t>(octet)));
  }
  return samples;
}

}  // namespace

absl::StatusOr<std::vector<int16_t>> ParseWav(absl::string_view bytes, absl::string_view name) {
  if (bytes.size() < 12 || bytes.substr(0, 4) != "RIFF" || bytes.substr(8, 4) != "WAVE") {
    return Bad(name, "not a RIFF/WAVE file");
  }
  Format format;
  bool have_format = false;
  size_t at = 12;
  while (bytes.size() - at >= 8) {
    const absl::string_view id = bytes.substr(at, 4);
    const uint32_t size = Read32(bytes, at + 4);
    at += 8;
    if (size > bytes.size() - at) {
      return Bad(name, absl::StrCat("cut short: chunk at byte ", at - 8, " claims ", size,
                                    " bytes, ", bytes.size() - at, " are left"));
    }
    const absl::string_view body = bytes.substr(at, size);
    if (id == "fmt ") {
      if (size < 16) return Bad(name, "format chunk too short");
      format = {.tag = Read16(body, 0),
                .channels = Read16(body, 2),
                .rate = Read32(body, 4),
                .bits = Read16(body, 14)};
      // The extensible form carries the real tag in the first octets of its sub-format GUID.
      if (format.tag == kFormatExtensible && size >= 26) format.tag = Read16(body, 24);
      if (absl::Status status = CheckFormat(format, name); !status.ok()) return status;
      have_format = true;
    } else if (id == "data") {
      if (!have_format) return Bad(name, "data before format");
      std::vector<int16_t> samples = Decode(format, body);
      if (samples.empty()) return Bad(name, "no sound in it");
      if (samples.size() > kWavSamplesMax) return Bad(name, "longer than 10 minutes");
      return samples;
    }
    at += size;
    if (size % 2 == 1 && at < bytes.size()) ++at;  // chunks are padded to even length
  }
  return Bad(name, have_format ? "no data chunk" : "no format chunk");
}

absl::StatusOr<std::vector<int16_t>> LoadWav(const std::string& path) {
  struct Closer {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("prompt ", path, ": cannot be opened; check the path and its rights"));
  }
  std::string bytes;
  char block[65536];
  // Room for the longest prompt in PCM and its chunks; what is longer is refused below as too long.
  constexpr size_t kBytesMax = kWavSamplesMax * 2 + 65536;
  size_t got = 0;
  while (bytes.size() <= kBytesMax && (got = std::fread(block, 1, sizeof block, file.get())) > 0) {
    bytes.append(block, got);
  }
  if (std::ferror(file.get()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("prompt ", path, ": cannot be read"));
  }
  if (bytes.size() > kBytesMax) return Bad(path, "longer than 10 minutes");
  return ParseWav(bytes, path);
}

}  // namespace outpace::codec
