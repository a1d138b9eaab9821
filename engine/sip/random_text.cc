#include "engine/sip/random_text.h"

#include <openssl/rand.h>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "engine/base/check.h"

namespace outpace::sip {

std::string RandomHex() {
  unsigned char bytes[16];
  OUTPACE_CHECK(RAND_bytes(bytes, sizeof bytes) == 1);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes), sizeof bytes));
}

}  // namespace outpace::sip
