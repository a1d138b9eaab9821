#pragma once

// The members of an Attempt as keys of its events: one table for writing and for reading, so that
// neither can forget one. Included by event_log*.cc.

#include <array>
#include <cstdint>
#include <string>
#include <variant>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/attempt.h"

namespace outpace::report {

// In the order of a call.
enum class AttemptEvent {
  kPlaced,
  kRinging,
  kAnswered,
  kVerdict,
  kConnected,
  kAbandoned,
  kEnded,
  kResult
};
inline constexpr int kAttemptEvents = 8;

struct EventKind {
  const char* name;
  absl::Time campaign::Attempt::*at;  // null: it has no instant of its own in the record
};
const std::array<EventKind, kAttemptEvents>& EventKinds();

using AttemptMember = std::variant<
    std::string campaign::Attempt::*, bool campaign::Attempt::*, int campaign::Attempt::*,
    int64_t campaign::Attempt::*, double campaign::Attempt::*, absl::Duration campaign::Attempt::*,
    absl::Time campaign::Attempt::*, E164 campaign::Attempt::*, LeadId campaign::Attempt::*,
    ListId campaign::Attempt::*, campaign::Tier campaign::Attempt::*>;

struct EventField {
  const char* key;
  AttemptEvent event;  // which brings it
  AttemptMember member;
};
// By event. All members but id and those that EventKinds() names.
absl::Span<const EventField> EventFields();

}  // namespace outpace::report
