#pragma once

#include <string>

namespace outpace::sip {

// 128 bits out of OpenSSL's generator, as 32 hexadecimal digits: a Call-ID, a tag or a cnonce that
// a stranger cannot guess. (Rng is for simulations, and can be.)
std::string RandomHex();

}  // namespace outpace::sip
