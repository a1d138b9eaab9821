#pragma once

#include <cstdint>

namespace outpace::sip {

// Sofia's loop waits whole milliseconds and its su_duration() rounds down, so that for the last
// part of a millisecond before each timer it does not wait at all but spins: 10,000 timers over two
// seconds burn half a core. The call goes through the PLT of the shared library, so the definition
// of su_duration() in su_duration.cc, linked into the program, takes its place and rounds up.
//
// The counter proves that it does: SofiaLoop::Run() refuses to run if the library does not come
// through here (a static libsofia-sip-ua would not). It is also what pulls the object file out of
// its archive, so a program that uses SofiaLoop needs no linker option.
uint64_t RoundedDurations();  // calls on this thread

// For tests only: false gives back the library's own rounding on this thread, to show the spin.
void RoundDurationsUp(bool up);

}  // namespace outpace::sip
