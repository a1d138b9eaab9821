#pragma once

#include <algorithm>
#include <cstddef>
#include <thread>
#include <vector>

namespace outpace::match {

// Calls work(begin, end, piece) for consecutive pieces of [0, n), on up to `threads` threads, and
// returns when all are done. How [0, n) is cut does not depend on the number of threads: a result
// put together piece by piece is the same on every machine.
template <typename Work>
void InPieces(size_t n, int threads, size_t piece_size, const Work& work) {
  const size_t pieces = (n + piece_size - 1) / piece_size;
  const size_t workers = std::min<size_t>(pieces, threads < 1 ? 1 : static_cast<size_t>(threads));
  const auto run = [&](size_t worker) {
    for (size_t piece = worker; piece < pieces; piece += workers) {
      work(piece * piece_size, std::min(n, (piece + 1) * piece_size), piece);
    }
  };
  std::vector<std::thread> others;
  for (size_t worker = 1; worker < workers; ++worker) others.emplace_back(run, worker);
  if (workers > 0) run(0);
  for (std::thread& other : others) other.join();
}

inline size_t PieceCount(size_t n, size_t piece_size) { return (n + piece_size - 1) / piece_size; }

}  // namespace outpace::match
