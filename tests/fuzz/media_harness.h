#pragma once

// A media server with calls up, for fuzz targets: datagrams go the whole way, from the far end's
// own socket through the engine's sockets and its thread, and after each input the call must still
// carry a genuine packet. Real sockets on loopback, ports of the kernel's choice.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/media/media_server.h"

namespace outpace::media {

class MediaHarness {
 public:
  enum Scene { kPlain, kListenedTo, kRecorded, kEncrypted, kSceneCount };

  // Leaks on purpose: it lives as long as the process.
  static MediaHarness& Get(RtcpMode rtcp);

  // From the far end's address to its leg.
  void Send(Scene scene, absl::Span<const uint8_t> datagram);
  // A genuine packet from there: checks that its agent hears it, whatever came before it.
  void CheckHeard(Scene scene);

 private:
  explicit MediaHarness(RtcpMode rtcp);
  struct State;
  std::unique_ptr<State> state_;
};

// Cuts `rest` down by a piece: a length octet, times 6 with the high bit of `control`, then as much
// of what is left.
absl::Span<const uint8_t> NextPiece(absl::Span<const uint8_t>& rest, bool long_piece);

}  // namespace outpace::media
