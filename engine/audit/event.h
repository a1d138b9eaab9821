#pragma once

// One event of the evidence log, and the line it is in a segment:
//
//   {"seq":7,"time":"2026-11-22T16:20:01.123Z","kind":"dnc.added","actor":"agent a1",
//    "about":{"campaign":"DEMO","lead":12},"hash":"<64 digits>","seal":"<64 digits>"}
//
// (in one line). Everything before `,"hash"` is the body: the hash is over the octets as they stand
// there, so that no two readers can differ about what was hashed. Names and texts come from
// strangers; they are written so that they can neither end a line nor a string, nor turn the
// direction of writing on a terminal.

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/ids.h"

namespace outpace::audit {

// A name of ours ([a-z0-9_.], 1 to 64) and a value. A phone number is never a value: callers give
// a keyed hash of it where it is needed. Texts longer than kTextMax octets are cut, which is said
// in the text.
struct Field {
  using Value = std::variant<int64_t, bool, std::string>;
  std::string name;
  Value value;

  Field(absl::string_view n, int v) : name(n), value(int64_t{v}) {}
  Field(absl::string_view n, int64_t v) : name(n), value(v) {}
  Field(absl::string_view n, uint64_t v) : name(n), value(static_cast<int64_t>(v)) {}
  Field(absl::string_view n, bool v) : name(n), value(v) {}
  Field(absl::string_view n, absl::string_view v) : name(n), value(std::string(v)) {}
  Field(absl::string_view n, const std::string& v) : name(n), value(v) {}
  Field(absl::string_view n, const char* v) : name(n), value(std::string(v)) {}
  template <typename Tag>
  Field(absl::string_view n, StrongId<Tag> v) : name(n), value(static_cast<int64_t>(v.value())) {}
  friend bool operator==(const Field&, const Field&) = default;
};

inline constexpr size_t kTextMax = 2000;
inline constexpr size_t kFieldsMax = 64;

struct Event {
  std::string kind;          // a name of ours that never changes its meaning: "agent.login"
  std::string actor;         // "agent a1", "control socket", "engine"
  std::vector<Field> about;  // which record; at most kFieldsMax
  absl::Time at = absl::InfinitePast();  // InfinitePast: when it was appended
};

// Text of the field, or "" if there is none of that name or it is no text; the number or 0.
std::string TextOf(const Event& event, absl::string_view name);
int64_t NumberOf(const Event& event, absl::string_view name);

struct StoredEvent {
  uint64_t seq = 0;  // from 1, without gaps
  Event event;
  std::string hash, seal;  // 64 lower-case hexadecimal digits each
};

// The body of a line. Names that break their rule are a mistake of ours (OUTPACE_CHECK).
std::string BodyOf(uint64_t seq, const Event& event);
// Body, hash and seal as a line, with its end.
std::string LineOf(absl::string_view body, absl::string_view hash, absl::string_view seal);

// A line without its end, taken apart. DataLoss says what is wrong with it, without its text.
struct LineParts {
  absl::string_view body, hash, seal;  // of the line given
};
absl::StatusOr<LineParts> SplitLine(absl::string_view line);
absl::StatusOr<StoredEvent> ParseLine(absl::string_view line);

// "2026-11-22T16:20:01.123Z".
std::string TimeText(absl::Time time);
// Values of fields as text: "12", "true", or the text itself.
std::string ValueText(const Field::Value& value);
// A text between quotes, escaped as lines have it; for the same words elsewhere.
std::string Quoted(absl::string_view text);

}  // namespace outpace::audit
