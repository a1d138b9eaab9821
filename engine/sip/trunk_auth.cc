#include "engine/sip/trunk_auth.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/sip/digest.h"
#include "engine/sip/sip_text.h"

namespace outpace::sip {

TrunkAuth::TrunkAuth(std::string user, std::string password, std::string realm)
    : user_(std::move(user)),
      password_(std::move(password)),
      realm_(std::move(realm)),
      realm_known_(!realm_.empty()) {}

void TrunkAuth::SetAddresses(const std::vector<std::string>& addresses) {
  addresses_.clear();
  for (const std::string& address : addresses) {
    if (std::string canonical = CanonicalHost(address); !canonical.empty()) {
      addresses_.push_back(std::move(canonical));
    }
  }
}

bool TrunkAuth::Owns(absl::string_view host) const {
  const std::string canonical = CanonicalHost(host);
  return !canonical.empty() &&
         std::find(addresses_.begin(), addresses_.end(), canonical) != addresses_.end();
}

std::string TrunkAuth::Answer(const std::vector<std::string>& challenges, const Challenge& about) {
  if (!answers() || about.answered >= kAnswersMax) return "";
  if (!Owns(about.sent_to) || !Owns(about.came_from)) return "";
  std::optional<DigestChallenge> best;
  for (const std::string& text : challenges) {
    absl::StatusOr<DigestChallenge> challenge = ParseDigestChallenge(text);
    if (!challenge.ok() || (realm_known_ && challenge->realm != realm_)) continue;
    if (!best.has_value() || challenge->hash > best->hash) best = *std::move(challenge);
  }
  if (!best.has_value()) return "";
  if (sha_seen_ && best->hash == DigestHash::kMd5) return "";
  if (about.answered > 0 && !best->stale) return "";
  if (!realm_known_) {
    realm_ = best->realm;
    realm_known_ = true;
  }
  if (best->hash != DigestHash::kMd5) sha_seen_ = true;
  return DigestCredentials(*best, {.user = user_,
                                   .password = password_,
                                   .method = about.method,
                                   .uri = about.uri,
                                   .cnonce = about.cnonce});
}

}  // namespace outpace::sip
