#include "engine/runtime/password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/base/check.h"

namespace outpace::runtime {
namespace {

std::string Derive(absl::string_view password, absl::string_view salt) {
  std::string key(32, '\0');
  const int ok =
      EVP_PBE_scrypt(password.data(), password.size(),
                     reinterpret_cast<const unsigned char*>(salt.data()), salt.size(), 1 << 14, 8,
                     1, 64 << 20, reinterpret_cast<unsigned char*>(key.data()), key.size());
  OUTPACE_CHECK(ok == 1);
  return key;
}

std::string RandomBytes(size_t count) {
  std::string bytes(count, '\0');
  OUTPACE_CHECK(
      RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) == 1);
  return bytes;
}

}  // namespace

std::string HashPassword(absl::string_view password) {
  const std::string salt = RandomBytes(16);
  return absl::StrCat("scrypt$", absl::BytesToHexString(salt), "$",
                      absl::BytesToHexString(Derive(password, salt)));
}

bool CheckPassword(absl::string_view password, absl::string_view hash) {
  const std::vector<std::string> parts = absl::StrSplit(hash, '$');
  if (parts.size() != 3 || parts[0] != "scrypt" || parts[1].size() != 32 || parts[2].size() != 64) {
    return false;
  }
  const std::string key = Derive(password, absl::HexStringToBytes(parts[1]));
  const std::string wanted = absl::HexStringToBytes(parts[2]);
  return CRYPTO_memcmp(key.data(), wanted.data(), key.size()) == 0;
}

uint64_t SecureRandom64() {
  // Each draw of OpenSSL's costs a system call; calls need five numbers each.
  thread_local std::array<uint64_t, 64> block;
  thread_local size_t used = block.size();
  if (used == block.size()) {
    const std::string bytes = RandomBytes(sizeof block);
    std::memcpy(block.data(), bytes.data(), sizeof block);
    used = 0;
  }
  return std::exchange(block[used++], 0);
}

std::string SecureToken() { return absl::BytesToHexString(RandomBytes(32)); }

}  // namespace outpace::runtime
