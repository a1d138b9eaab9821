#pragma once

// STIR/SHAKEN for our calls: the Identity header by which an originating provider says how well it
// knows the number that it shows. A PASSporT (RFC 8225) with the claims of SHAKEN (RFC 8588,
// ATIS-1000074) is signed with ES256 in this process: no signing service stands on a call's way.
//
// The bytes that are signed are the deterministic ones of RFC 8225 section 9: keys in
// lexicographic order, no white space, so that two implementations sign the same text.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/e164.h"

namespace outpace::stir {

// What we vouch for (ATIS-1000074 5.2.3).
enum class Attestation : char {
  kFull = 'A',     // we know the customer, and that the number is theirs
  kPartial = 'B',  // we know the customer, not whose number it is
  kGateway = 'C',  // we only know where the call came in
};
// `number_owned`: the caller ID was assigned to us or to a customer we know; that alone makes an A.
Attestation AttestationFor(bool number_owned, bool customer_known);

// A name-based UUID (RFC 4122 version 5) for the claim "origid": the same text gives the same
// identifier after a restart, and does not tell the text. One for each customer and trunk.
std::string OrigIdOf(absl::string_view text);

struct Claims {
  Attestation attest = Attestation::kGateway;
  E164 orig{};  // the caller ID shown: the same number as in P-Asserted-Identity or From
  E164 dest{};
  std::string orig_id{};  // UUID; see OrigIdOf()
};

// Private key and certificate address of one provider. One thread.
class Signer {
 public:
  // `private_key_pem`: text of a PEM file with a P-256 key (SEC 1 or PKCS #8), not encrypted.
  // `certificate_url`: x5u, "https://...". InvalidArgument says what is wrong with either, for
  // people, and never shows the key.
  static absl::StatusOr<std::unique_ptr<Signer>> FromPem(absl::string_view private_key_pem,
                                                         absl::string_view certificate_url);
  // FromPem() of a file; NotFound, PermissionDenied or InvalidArgument with the path.
  static absl::StatusOr<std::unique_ptr<Signer>> FromFile(const std::string& path,
                                                          absl::string_view certificate_url);
  ~Signer();
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;

  // Value of the Identity header: "<header>.<claims>.<signature>;info=<x5u>;alg=ES256;ppt=shaken"
  // (RFC 8224 section 4). `now` becomes "iat", in whole seconds; verifiers refuse what is more
  // than 60 s old. Signatures of the last second are kept, so that a second INVITE of the same
  // call (authentication, failover) costs nothing. The reference holds until the next call.
  // Internal: OpenSSL failed.
  absl::StatusOr<absl::string_view> Identity(const Claims& claims, absl::Time now);

  int64_t signatures() const;  // made so far, without those taken from the cache

 private:
  struct Impl;
  explicit Signer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace outpace::stir
