#include "engine/stir/signer.h"

#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/base/check.h"

namespace outpace::stir {
namespace {

// Signatures kept of one second. Beyond it (a provider that signs more than 4,096 calls in a
// second) each is made anew; nothing else changes.
constexpr size_t kCacheMax = 4096;
constexpr size_t kKeyFileBytesMax = 64 * 1024;
constexpr int kCoordinateBytes = 32;  // of P-256: r and s of a signature have 32 octets each

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* p) const {
    Free(p);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

// Base64url without padding (RFC 7515 2); Abseil's pads in some versions.
std::string Base64Url(absl::string_view bytes) {
  std::string text;
  absl::WebSafeBase64Escape(bytes, &text);
  while (absl::EndsWith(text, "=")) text.pop_back();
  return text;
}

// Called when a key is encrypted: notes it, and gives no password.
int NoPassword(char* /*buffer*/, int /*size*/, int /*for_writing*/, void* encrypted) {
  *static_cast<bool*>(encrypted) = true;
  return -1;
}

// The address stands in JSON and in a header: nothing that would need escaping in either.
bool IsCertificateUrl(absl::string_view url) {
  return absl::StartsWith(url, "https://") && url.size() > 8 && url.size() <= 512 &&
         std::all_of(url.begin(), url.end(), [](char c) {
           return absl::ascii_isgraph(static_cast<unsigned char>(c)) &&
                  !absl::StrContains("<>\"\\;,", absl::string_view(&c, 1));
         });
}

absl::StatusOr<Key> ReadKey(absl::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  OUTPACE_CHECK(bio != nullptr);
  bool encrypted = false;
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, &encrypted));
  ERR_clear_error();
  if (key == nullptr) {
    if (encrypted || absl::StrContains(pem, "ENCRYPTED")) {
      return absl::InvalidArgumentError(
          "the private key is encrypted; decrypt it (openssl pkey -in key.pem -out plain.pem) and "
          "let only the engine's user read it");
    }
    if (absl::StrContains(pem, "BEGIN CERTIFICATE")) {
      return absl::InvalidArgumentError("a certificate and no private key");
    }
    if (absl::StrContains(pem, "BEGIN PUBLIC KEY")) {
      return absl::InvalidArgumentError("a public key and no private key");
    }
    return absl::InvalidArgumentError(
        "no private key in PEM; it begins with -----BEGIN PRIVATE KEY----- or "
        "-----BEGIN EC PRIVATE KEY-----");
  }
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_EC) {
    const char* const type = EVP_PKEY_get0_type_name(key.get());
    return absl::InvalidArgumentError(absl::StrCat("a key of type ",
                                                   type == nullptr ? "unknown" : type,
                                                   "; SHAKEN signs with an EC key on P-256"));
  }
  std::array<char, 80> group{};
  size_t length = 0;
  const bool named = EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), &length) == 1;
  if (!named || absl::string_view(group.data()) != "prime256v1") {
    return absl::InvalidArgumentError(absl::StrCat("an EC key on the curve ",
                                                   named ? group.data() : "unnamed",
                                                   "; SHAKEN signs on P-256 (prime256v1)"));
  }
  return key;
}

}  // namespace

Attestation AttestationFor(bool number_owned, bool customer_known) {
  if (number_owned) return Attestation::kFull;
  return customer_known ? Attestation::kPartial : Attestation::kGateway;
}

std::string OrigIdOf(absl::string_view text) {
  // A namespace of our own, so that nobody else's name-based UUID is the same.
  std::string bytes = "\x7d\x1e\x0b\x52\x5a\xc4\x4f\x0e\x9a\x63\x21\x8f\x4c\xd7\x35\xb6";
  absl::StrAppend(&bytes, text);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  OUTPACE_CHECK(
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha1(), nullptr) == 1);
  digest[6] = static_cast<unsigned char>((digest[6] & 0x0f) | 0x50);  // version 5
  digest[8] = static_cast<unsigned char>((digest[8] & 0x3f) | 0x80);  // variant of RFC 4122
  std::string id;
  for (size_t i = 0; i < 16; ++i) {
    absl::StrAppend(&id, i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                    absl::Hex(digest[i], absl::kZeroPad2));
  }
  return id;
}

struct Signer::Impl {
  using CacheKey = std::tuple<uint64_t, uint64_t, char, std::string>;  // orig, dest, attest, origid

  absl::Status Sign(absl::string_view signing_input, std::string& out);

  Key key;
  DigestContext ready;  // initialised with the key; copied for each signature
  DigestContext scratch;
  std::string protected_header;  // base64url, the same for every call
  std::string parameters;        // ";info=<...>;alg=ES256;ppt=shaken"
  int64_t second = INT64_MIN;
  absl::flat_hash_map<CacheKey, std::string> of_this_second;
  std::string last;
  int64_t signatures = 0;
};

Signer::Signer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Signer::~Signer() = default;
int64_t Signer::signatures() const { return impl_->signatures; }

absl::StatusOr<std::unique_ptr<Signer>> Signer::FromPem(absl::string_view private_key_pem,
                                                        absl::string_view certificate_url) {
  if (!IsCertificateUrl(certificate_url)) {
    return absl::InvalidArgumentError(
        "the certificate's address must be a plain https:// URL, e.g. "
        "\"https://cert.example.org/shaken.pem\"");
  }
  absl::StatusOr<Key> key = ReadKey(private_key_pem);
  if (!key.ok()) return key.status();
  auto impl = std::make_unique<Impl>();
  impl->key = *std::move(key);
  impl->ready.reset(EVP_MD_CTX_new());
  impl->scratch.reset(EVP_MD_CTX_new());
  OUTPACE_CHECK(impl->ready != nullptr && impl->scratch != nullptr);
  if (EVP_DigestSignInit(impl->ready.get(), nullptr, EVP_sha256(), nullptr, impl->key.get()) != 1) {
    ERR_clear_error();
    return absl::InternalError("OpenSSL does not sign with this key");
  }
  impl->protected_header = Base64Url(absl::StrCat(
      R"({"alg":"ES256","ppt":"shaken","typ":"passport","x5u":")", certificate_url, R"("})"));
  impl->parameters = absl::StrCat(";info=<", certificate_url, ">;alg=ES256;ppt=shaken");
  return std::unique_ptr<Signer>(new Signer(std::move(impl)));
}

absl::StatusOr<std::unique_ptr<Signer>> Signer::FromFile(const std::string& path,
                                                         absl::string_view certificate_url) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file) {
    text.resize(kKeyFileBytesMax + 1);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  }
  if (!file.eof() && text.size() <= kKeyFileBytesMax) {
    const int error = errno;
    const std::string why =
        absl::StrCat(path, ": the private key cannot be read: ", std::strerror(error));
    return error == ENOENT   ? absl::NotFoundError(why)
           : error == EACCES ? absl::PermissionDeniedError(why)
                             : absl::InvalidArgumentError(why);
  }
  auto signer = FromPem(text, certificate_url);
  OPENSSL_cleanse(text.data(), text.size());
  if (signer.ok()) return signer;
  return absl::Status(signer.status().code(), absl::StrCat(path, ": ", signer.status().message()));
}

// Appends the signature of RFC 7518 3.4: r and s, 32 octets each, in base64url. OpenSSL gives DER.
absl::Status Signer::Impl::Sign(absl::string_view signing_input, std::string& out) {
  std::array<unsigned char, 80> der{};  // at most 72 octets for P-256
  size_t der_length = der.size();
  const bool signed_ok =
      EVP_MD_CTX_copy_ex(scratch.get(), ready.get()) == 1 &&
      EVP_DigestSign(scratch.get(), der.data(), &der_length,
                     reinterpret_cast<const unsigned char*>(signing_input.data()),
                     signing_input.size()) == 1;
  const unsigned char* at = der.data();
  const Signature signature(signed_ok ? d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der_length))
                                      : nullptr);
  std::array<unsigned char, 2 * kCoordinateBytes> raw{};
  if (signature == nullptr ||
      BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), kCoordinateBytes) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + kCoordinateBytes,
                   kCoordinateBytes) < 0) {
    ERR_clear_error();
    return absl::InternalError("OpenSSL failed to sign");
  }
  ++signatures;
  out.append(Base64Url(absl::string_view(reinterpret_cast<const char*>(raw.data()), raw.size())));
  return absl::OkStatus();
}

absl::StatusOr<absl::string_view> Signer::Identity(const Claims& claims, absl::Time now) {
  OUTPACE_CHECK(claims.orig.valid() && claims.dest.valid());
  Impl& impl = *impl_;
  const int64_t second = absl::ToUnixSeconds(now);
  if (second != impl.second) {
    impl.second = second;
    impl.of_this_second.clear();
  }
  Impl::CacheKey key(claims.orig.value(), claims.dest.value(), static_cast<char>(claims.attest),
                     claims.orig_id);
  const auto found = impl.of_this_second.find(key);
  if (found != impl.of_this_second.end()) return absl::string_view(found->second);
  const std::string payload = absl::StrFormat(
      R"({"attest":"%c","dest":{"tn":["%d"]},"iat":%d,"orig":{"tn":"%d"},"origid":"%s"})",
      static_cast<char>(claims.attest), claims.dest.value(), second, claims.orig.value(),
      claims.orig_id);
  std::string value = absl::StrCat(impl.protected_header, ".", Base64Url(payload));
  const std::string signing_input = value;
  value.push_back('.');
  if (absl::Status status = impl.Sign(signing_input, value); !status.ok()) return status;
  value.append(impl.parameters);
  if (impl.of_this_second.size() >= kCacheMax) {
    impl.last = std::move(value);
    return absl::string_view(impl.last);
  }
  // Node addresses do not matter: the reference is good until the next call, and so is the map.
  return absl::string_view(
      impl.of_this_second.emplace(std::move(key), std::move(value)).first->second);
}

}  // namespace outpace::stir
