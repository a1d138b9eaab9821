#pragma once

// What codec.cc puts together; only engine/codec/*.cc include this.

#include <memory>

#include "engine/codec/codec.h"

namespace outpace::codec {

std::unique_ptr<Decoder> NewG722Decoder(int rate);
std::unique_ptr<Encoder> NewG722Encoder(int rate);
std::unique_ptr<Decoder> NewOpusDecoder(int rate);
std::unique_ptr<Encoder> NewOpusEncoder(int rate, const EncoderOptions& options);
// Timestamp units (1/48000 s) of an Opus packet; 0 when it is malformed.
int OpusTicks(absl::Span<const uint8_t> payload);

}  // namespace outpace::codec
