#pragma once

// What the network says before the answer: tones by the national plans (ITU-T E.180), special
// information tones, and announcements by a fingerprint set that an operator can train.

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "engine/listen/fingerprint_set.h"
#include "engine/listen/heard.h"

namespace outpace::listen {

class EarlyListener {
 public:
  // `country`: ISO 3166 alpha-2 in lower case ("cn"), whose plan decides where two countries give
  // one cadence different meanings; empty or unknown: what most plans mean by it.
  // `announcements` outlives the listener; nullptr: none are known.
  EarlyListener(absl::string_view country, const FingerprintSet* announcements);
  ~EarlyListener();
  EarlyListener(EarlyListener&&) noexcept;
  EarlyListener& operator=(EarlyListener&&) noexcept;

  // `frame`: the next 20 ms; silence where packets were lost. A verdict when what is heard changes
  // (ringback, then an announcement): `last` is false until the sound says that the call is dead.
  // No allocation but for a name.
  std::optional<Heard> Feed(Frame frame);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether this sound before the answer means that nobody will: busy, congestion, SIT, and those
// announcements that are not of the kind "please wait".
bool IsDead(const Heard& heard);

}  // namespace outpace::listen
