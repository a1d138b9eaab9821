#include "engine/record/opus_stream.h"

#include <opus_multistream.h>

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/record/block_pool.h"

namespace outpace::record {
namespace {

constexpr int kFrame = 480;  // 60 ms: the fewest packets, and SILK's longest
constexpr int kBitRate = 16'000;
constexpr int kComplexity = 0;  // docs/decisions/recording.md has the cost of the others
constexpr int kGranuleOf = 6;   // granule positions count 48 kHz (RFC 7845 4)
constexpr size_t kPacketMax = 2 * 1276 * 3;
constexpr size_t kPageHeader = 27;
constexpr unsigned char kMapping[2] = {0, 1};
constexpr absl::string_view kVendor = "Outpace";

constexpr std::array<uint32_t, 256> MakeCrcTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i << 24;
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ ((crc >> 31) != 0 ? 0x04c11db7u : 0u);
    table[i] = crc;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kCrc = MakeCrcTable();

uint32_t OggCrc(absl::string_view bytes) {
  uint32_t crc = 0;
  for (const char c : bytes) crc = (crc << 8) ^ kCrc[(crc >> 24) ^ static_cast<uint8_t>(c)];
  return crc;
}

void Little(uint64_t value, int octets, std::string& to) {
  for (int i = 0; i < octets; ++i) to.push_back(static_cast<char>(value >> (8 * i)));
}
uint64_t Little(absl::string_view from, int octets) {
  uint64_t value = 0;
  for (int i = octets; i-- > 0;)
    value = value << 8 | static_cast<uint8_t>(from[static_cast<size_t>(i)]);
  return value;
}

enum PageFlag : uint8_t { kContinued = 1, kFirst = 2, kLast = 4 };

// One page (RFC 3533 6). `sizes`: of the packets in `body`; together at most 255 lacing values.
void AppendPage(uint8_t flags, uint64_t granule, uint32_t serial, uint32_t number,
                const std::vector<size_t>& sizes, absl::string_view body, std::string& to) {
  std::string page = "OggS";
  Little(0, 1, page);
  Little(flags, 1, page);
  Little(granule, 8, page);
  Little(serial, 4, page);
  Little(number, 4, page);
  Little(0, 4, page);  // the checksum's place
  std::string lacing;
  for (size_t size : sizes) {
    for (; size >= 255; size -= 255) lacing.push_back(static_cast<char>(255));
    lacing.push_back(static_cast<char>(size));
  }
  OUTPACE_CHECK(lacing.size() <= 255);
  Little(lacing.size(), 1, page);
  absl::StrAppend(&page, lacing, body);
  std::string crc;
  Little(OggCrc(page), 4, crc);
  page.replace(22, 4, crc);
  to += page;
}

class OpusStream final : public AudioStream {
 public:
  explicit OpusStream(uint32_t serial) : serial_(serial) {
    int error = OPUS_OK;
    encoder_ = ::opus_multistream_encoder_create(static_cast<opus_int32>(kRate), 2, 2, 0, kMapping,
                                                 OPUS_APPLICATION_VOIP, &error);
    OUTPACE_CHECK(error == OPUS_OK && encoder_ != nullptr);
    ::opus_multistream_encoder_ctl(encoder_, OPUS_SET_BITRATE(2 * kBitRate));
    ::opus_multistream_encoder_ctl(encoder_, OPUS_SET_COMPLEXITY(kComplexity));
    ::opus_multistream_encoder_ctl(encoder_, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    opus_int32 ahead = 0;
    ::opus_multistream_encoder_ctl(encoder_, OPUS_GET_LOOKAHEAD(&ahead));
    lookahead_ = ahead;
  }
  ~OpusStream() override { ::opus_multistream_encoder_destroy(encoder_); }

  void Begin(std::string& to) override {
    std::string head = "OpusHead";
    Little(1, 1, head);
    Little(2, 1, head);  // channels
    Little(static_cast<uint64_t>(lookahead_ * kGranuleOf), 2, head);
    Little(kRate, 4, head);  // of the original
    Little(0, 2, head);      // gain
    Little(1, 1, head);      // mapping family 1: left, right
    Little(2, 1, head);      // streams
    Little(0, 1, head);      // coupled
    Little(0, 1, head);
    Little(1, 1, head);
    AppendPage(kFirst, 0, serial_, number_++, {head.size()}, head, to);
    std::string tags = "OpusTags";
    Little(kVendor.size(), 4, tags);
    absl::StrAppend(&tags, kVendor);
    Little(0, 4, tags);
    AppendPage(0, 0, serial_, number_++, {tags.size()}, tags, to);
  }

  void Append(absl::Span<const int16_t> stereo, std::string& to) override {
    waiting_.insert(waiting_.end(), stereo.begin(), stereo.end());
    Encode(/*last=*/false, to);
  }

  void Finish(int64_t samples, absl::Span<const Gap> /*gaps*/, std::string& to) override {
    // The encoder is `lookahead_` samples behind: silence pushes the last of them out, and the last
    // page's position says where the audio ends (RFC 7845 4.4).
    const size_t frame = 2 * kFrame;
    waiting_.resize(waiting_.size() + static_cast<size_t>(2 * lookahead_), 0);
    waiting_.resize((waiting_.size() + frame - 1) / frame * frame, 0);
    end_ = samples;
    Encode(/*last=*/true, to);
  }

  void Reset() override { ::opus_multistream_encoder_ctl(encoder_, OPUS_RESET_STATE); }
  std::string Header(uint64_t, uint64_t) const override { return ""; }

 private:
  void Encode(bool last, std::string& to) {
    std::string body;
    std::vector<size_t> sizes;
    size_t lacing = 0, taken = 0;
    unsigned char packet[kPacketMax];
    const auto flush = [&](bool end) {
      if (sizes.empty() && !end) return;
      uint64_t granule = static_cast<uint64_t>(encoded_ * kGranuleOf);
      if (end) granule = static_cast<uint64_t>((lookahead_ + end_) * kGranuleOf);
      AppendPage(end ? kLast : 0, granule, serial_, number_++, sizes, body, to);
      body.clear();
      sizes.clear();
      lacing = 0;
    };
    while (waiting_.size() - taken >= 2 * kFrame) {
      const opus_int32 size = ::opus_multistream_encode(encoder_, waiting_.data() + taken, kFrame,
                                                        packet, sizeof packet);
      OUTPACE_CHECK(size > 0);
      taken += 2 * kFrame;
      const auto bytes = static_cast<size_t>(size);
      if (lacing + bytes / 255 + 1 > 255) flush(false);
      lacing += bytes / 255 + 1;
      encoded_ += kFrame;
      body.append(reinterpret_cast<const char*>(packet), bytes);
      sizes.push_back(bytes);
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(taken));
    flush(last);
  }

  OpusMSEncoder* encoder_ = nullptr;
  const uint32_t serial_;
  uint32_t number_ = 0;
  int64_t lookahead_ = 0;
  int64_t encoded_ = 0;  // samples of each side, with what the encoder is behind
  int64_t end_ = 0;
  std::vector<int16_t> waiting_;  // interleaved, less than a frame between calls
};

}  // namespace

std::unique_ptr<AudioStream> NewOpusStream(uint32_t serial) {
  return std::make_unique<OpusStream>(serial);
}

std::string OggEndPage(uint32_t serial, uint32_t number, uint64_t granule) {
  std::string page;
  AppendPage(kLast, granule, serial, number, {}, "", page);
  return page;
}

struct OpusReader::Decoder {
  OpusMSDecoder* state = nullptr;
  ~Decoder() {
    if (state != nullptr) ::opus_multistream_decoder_destroy(state);
  }
};

OpusReader::OpusReader(bool decode) : decode_(decode), decoder_(std::make_unique<Decoder>()) {}
OpusReader::~OpusReader() = default;

absl::Status OpusReader::Take(absl::string_view bytes, std::vector<int16_t>& stereo) {
  rest_.append(bytes.data(), bytes.size());
  absl::string_view rest = rest_;
  while (rest.size() >= kPageHeader && !ended_) {
    if (!absl::StartsWith(rest, "OggS")) {
      return absl::DataLossError(
          absl::StrCat("recordings: damaged Ogg page at octet ", whole_bytes_));
    }
    const size_t lacing = static_cast<uint8_t>(rest[26]);
    if (rest.size() < kPageHeader + lacing) break;
    size_t size = kPageHeader + lacing;
    for (size_t i = 0; i < lacing; ++i) size += static_cast<uint8_t>(rest[kPageHeader + i]);
    if (rest.size() < size) break;
    if (absl::Status status = Page(rest.substr(0, size), stereo); !status.ok()) return status;
    rest.remove_prefix(size);
    whole_bytes_ += size;
  }
  rest_.erase(0, rest_.size() - rest.size());
  return absl::OkStatus();
}

absl::Status OpusReader::Page(absl::string_view page, std::vector<int16_t>& stereo) {
  const auto damaged = [this] {
    return absl::DataLossError(
        absl::StrCat("recordings: damaged Ogg page at octet ", whole_bytes_));
  };
  std::string zeroed(page);
  zeroed.replace(22, 4, 4, '\0');
  if (OggCrc(zeroed) != Little(page.substr(22), 4)) return damaged();
  const auto flags = static_cast<uint8_t>(page[5]);
  const size_t lacing = static_cast<uint8_t>(page[26]);
  absl::string_view body = page.substr(kPageHeader + lacing);
  const uint32_t number = pages_++;
  granule_ = Little(page.substr(6), 8);
  if (number == 0) {
    if (body.size() < 21 || !absl::StartsWith(body, "OpusHead") || body[9] != 2 || body[18] != 1 ||
        body[19] != 2 || body[20] != 0) {
      return absl::DataLossError("recordings: the Opus file is not one of ours");
    }
    serial_ = static_cast<uint32_t>(Little(page.substr(14), 4));
    front_ = skip_ = static_cast<int64_t>(Little(body.substr(10), 2)) / kGranuleOf;
    int error = OPUS_OK;
    decoder_->state = ::opus_multistream_decoder_create(static_cast<opus_int32>(kRate), 2, 2, 0,
                                                        kMapping, &error);
    OUTPACE_CHECK(error == OPUS_OK);
    return absl::OkStatus();
  }
  if (number == 1) return absl::OkStatus();  // the tags
  if (decoder_->state == nullptr) return damaged();
  const int64_t end = static_cast<int64_t>(granule_) / kGranuleOf;  // with what is skipped
  if (!decode_) {
    samples_ = std::max<int64_t>(0, end - front_);
    ended_ = (flags & kLast) != 0;
    return absl::OkStatus();
  }
  size_t size = 0;
  std::array<int16_t, 2 * 960> samples;  // 120 ms: the longest packet
  for (size_t i = 0; i < lacing; ++i) {
    const uint8_t value = static_cast<uint8_t>(page[kPageHeader + i]);
    size += value;
    if (value == 255) continue;
    if (size > body.size()) return damaged();
    const int got = ::opus_multistream_decode(
        decoder_->state, reinterpret_cast<const unsigned char*>(body.data()),
        static_cast<opus_int32>(size), samples.data(), static_cast<int>(samples.size() / 2), 0);
    if (got < 0) return damaged();
    body.remove_prefix(size);
    size = 0;
    const int64_t skipped = std::min<int64_t>(skip_, got);
    skip_ -= skipped;
    stereo.insert(stereo.end(), samples.begin() + 2 * skipped, samples.begin() + 2 * got);
    samples_ += got - skipped;
  }
  ended_ = (flags & kLast) != 0;
  if (ended_) {
    // The last page's position may lie before the end of its last packet: the rest is padding.
    // `granule_` counts the samples that were skipped at the front, samples_ does not.
    const int64_t wanted = std::max<int64_t>(0, end - front_);
    const int64_t extra = std::min<int64_t>(samples_ - std::min(samples_, wanted),
                                            static_cast<int64_t>(stereo.size() / 2));
    stereo.resize(stereo.size() - static_cast<size_t>(2 * extra));
    samples_ -= extra;
  }
  return absl::OkStatus();
}

}  // namespace outpace::record
