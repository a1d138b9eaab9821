#pragma once

// Which challenges a trunk may put to us, and what we answer. A dialer calls strangers all day, and
// whoever is called can challenge our INVITE or BYE: a digest sent to him is a password to be
// guessed at leisure. So an answer goes out only when the request went to one of the trunk's own
// addresses, the challenge came from one, and it is for the trunk's realm; and never by a weaker
// family of hashes than the trunk has used before, or MD5 could be asked for by whoever sits on the
// way. (A callee who names our realm, behind a trunk that lets the challenge through, cannot be
// told from the trunk.) Knows nothing of Sofia.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace outpace::sip {

class TrunkAuth {
 public:
  // An empty user answers nothing. An empty realm: the first one a challenge from the trunk names
  // is kept for good.
  TrunkAuth(std::string user, std::string password, std::string realm);

  // Numeric addresses; what is none is left out.
  void SetAddresses(const std::vector<std::string>& addresses);
  bool Owns(absl::string_view host) const;  // any way to write the address
  bool answers() const { return !user_.empty(); }

  struct Challenge {
    absl::string_view sent_to{};    // host the request went to
    absl::string_view came_from{};  // host the challenge came from
    absl::string_view method{};
    absl::string_view uri{};  // Request-URI as on the wire
    int answered = 0;         // challenges to this request that were answered before
    absl::string_view cnonce{};
  };
  // At most so many challenges to one request are answered: the second only if it says that just
  // the nonce was old.
  static constexpr int kAnswersMax = 2;
  // Value of (Proxy-)Authorization for the strongest of `challenges` (values of the header as
  // received) that may be answered; empty for none.
  std::string Answer(const std::vector<std::string>& challenges, const Challenge& about);

 private:
  std::string user_;
  std::string password_;
  std::string realm_;
  bool realm_known_ = false;
  bool sha_seen_ = false;
  std::vector<std::string> addresses_;  // canonical
};

}  // namespace outpace::sip
