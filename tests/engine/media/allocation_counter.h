#pragma once

namespace outpace::media {

// Starts (from 0) or stops counting what the thread named "media" takes from the heap with
// operator new; the count so far.
int CountMediaAllocations(bool on);

}  // namespace outpace::media
