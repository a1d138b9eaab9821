#pragma once

// What the far ends say, encoded once: frames of 20 ms that repeat.

#include <cstdint>
#include <vector>

#include "bench/media/media_shared.h"
#include "engine/codec/codec.h"

namespace outpace::bench {

using Frames = std::vector<std::vector<uint8_t>>;

// The sound as payloads of `codec`. kMarker: kMarkerSteps frames, one a second, of side 0 or 1.
Frames MakeFrames(Sound sound, codec::Codec codec, int side);

}  // namespace outpace::bench
