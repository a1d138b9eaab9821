// The writing half: attempts come apart into events, which are merged with the activities.

#include "campaign/report/event_log.h"

#include <algorithm>
#include <charconv>
#include <queue>
#include <tuple>
#include <utility>
#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "campaign/report/cells.h"
#include "campaign/report/event_fields.h"

namespace outpace::report {
namespace {

using campaign::AgentActivity;
using campaign::Attempt;

// Attempts are read by so much time at once.
constexpr absl::Duration kStep = absl::Minutes(5);
constexpr size_t kPieceBytes = 64 << 10;

// Length of the UTF-8 sequence at the front of `text` (RFC 3629); 0: it is none.
size_t SequenceLength(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool surrogate = first == 0xed && second > 0x9f;
  const bool beyond = first == 0xf4 && second > 0x8f;
  return overlong || surrogate || beyond ? 0 : length;
}

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void AppendQuoted(absl::string_view text, std::string& to) {
  to.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      to.push_back('\\');
      to.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppend(&to, "\\u00", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    } else {
      to.push_back(c);
    }
  }
  to.push_back('"');
}

class Line {
 public:
  Line(int64_t at_us, absl::string_view event) {
    absl::StrAppend(&text_, "{\"at_us\":", at_us, ",\"event\":\"", event, "\"");
  }
  void Number(absl::string_view key, int64_t value) { absl::StrAppend(&text_, Key(key), value); }
  void Flag(absl::string_view key, bool value) {
    absl::StrAppend(&text_, Key(key), value ? "true" : "false");
  }
  void Real(absl::string_view key, double value) {
    char digits[32];  // the shortest that reads back as the same
    const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
    absl::StrAppend(&text_, Key(key), absl::string_view(digits, static_cast<size_t>(end - digits)));
  }
  void Text(absl::string_view key, absl::string_view value) {
    absl::StrAppend(&text_, Key(key));
    if (IsUtf8(value)) return AppendQuoted(value, text_);
    absl::StrAppend(&text_, "{\"base64\":\"", absl::Base64Escape(value), "\"}");
  }
  std::string Finish() && {
    text_ += "}\n";
    return std::move(text_);
  }

 private:
  static std::string Key(absl::string_view key) { return absl::StrCat(",\"", key, "\":"); }
  std::string text_;
};

struct FieldWriter {
  Line& line;
  const char* key;
  void operator()(const std::string& v) const { line.Text(key, v); }
  void operator()(bool v) const { line.Flag(key, v); }
  void operator()(int v) const { line.Number(key, v); }
  void operator()(int64_t v) const { line.Number(key, v); }
  void operator()(double v) const { line.Real(key, v); }
  void operator()(absl::Duration v) const { line.Number(key, absl::ToInt64Microseconds(v)); }
  void operator()(absl::Time v) const { line.Number(key, absl::ToUnixMicros(v)); }
  void operator()(E164 v) const { line.Number(key, static_cast<int64_t>(v.value())); }
  void operator()(LeadId v) const { line.Number(key, static_cast<int64_t>(v.value())); }
  void operator()(ListId v) const { line.Number(key, static_cast<int64_t>(v.value())); }
  void operator()(campaign::Tier v) const { line.Text(key, v == campaign::Tier::kA ? "A" : "B"); }
};

// An event on its way out. Their order: by time, then attempts before agents, then as they came.
struct Waiting {
  absl::Time order;
  uint64_t place;
  std::string line;
  bool operator<(const Waiting& other) const {  // for a queue whose top is the first
    return std::tie(order, place) > std::tie(other.order, other.place);
  }
};

class Writer {
 public:
  explicit Writer(const std::function<absl::Status(absl::string_view)>& write) : write_(write) {}

  void Begin(const EventLogOptions& options, absl::Time known_until) {
    Line line(absl::ToUnixMicros(options.from), "log");
    line.Number("to_us", absl::ToUnixMicros(options.to));
    line.Number("look_back_us", absl::ToInt64Microseconds(options.look_back));
    if (known_until != absl::InfiniteFuture()) {
      line.Number("known_until_us", absl::ToUnixMicros(known_until));
    }
    buffer_ += std::move(line).Finish();
  }

  void Add(const Attempt& attempt) {
    ++counts.attempts;
    static const Attempt kNothing;
    absl::Time at = attempt.dialed_at;
    // Also of a call during which the clock was set back the events come in the order of the call.
    absl::Time order = at;
    const absl::Span<const EventField> fields = EventFields();
    size_t next = 0;
    for (int i = 0; i < kAttemptEvents; ++i) {
      const EventKind& kind = EventKinds()[static_cast<size_t>(i)];
      const bool dated = kind.at != nullptr && Happened(attempt.*kind.at);
      if (dated) at = attempt.*kind.at;
      order = std::max(order, at);
      Line line(absl::ToUnixMicros(at), kind.name);
      line.Number("attempt", static_cast<int64_t>(attempt.id.value()));
      if (!dated) line.Flag("undated", true);
      bool brings = dated || i == 0;
      for (; next < fields.size() && fields[next].event == static_cast<AttemptEvent>(i); ++next) {
        std::visit(
            [&](auto member) {
              if (attempt.*member == kNothing.*member) return;
              FieldWriter{line, fields[next].key}(attempt.*member);
              brings = true;
            },
            fields[next].member);
      }
      if (brings) waiting_.push({order, place_++, std::move(line).Finish()});
    }
  }

  void Add(const AgentActivity& activity) {
    ++counts.activities;
    Line line(absl::ToUnixMicros(activity.at), "agent");
    if (!activity.agent.empty()) line.Text("agent", activity.agent);
    if (!activity.campaign.empty()) line.Text("campaign", activity.campaign);
    line.Text("state", activity.state);
    if (!activity.code.empty()) line.Text("code", activity.code);
    if (activity.attempt.valid()) {
      line.Number("attempt", static_cast<int64_t>(activity.attempt.value()));
    }
    waiting_.push({activity.at, place_++, std::move(line).Finish()});
  }

  // Hands on all that is before `until`: nothing earlier comes any more.
  absl::Status Flush(absl::Time until) {
    while (!waiting_.empty() && waiting_.top().order < until) {
      buffer_ += waiting_.top().line;
      waiting_.pop();
      ++counts.lines;
      if (buffer_.size() < kPieceBytes) continue;
      if (absl::Status status = HandOn(); !status.ok()) return status;
    }
    return absl::OkStatus();
  }
  absl::Status Finish() {
    if (absl::Status status = Flush(absl::InfiniteFuture()); !status.ok()) return status;
    return HandOn();
  }

  EventCounts counts{.lines = 1};

 private:
  absl::Status HandOn() {
    absl::Status status = buffer_.empty() ? absl::OkStatus() : write_(buffer_);
    buffer_.clear();
    return status;
  }

  const std::function<absl::Status(absl::string_view)>& write_;
  std::priority_queue<Waiting> waiting_;
  uint64_t place_ = 0;
  std::string buffer_;
};

}  // namespace

absl::StatusOr<EventCounts> WriteEventLog(
    const EventSource& source, const EventLogOptions& options,
    const std::function<absl::Status(absl::string_view)>& write) {
  const absl::StatusOr<absl::Time> known = source.KnownUntil();
  if (!known.ok()) return known.status();
  Writer writer(write);
  writer.Begin(options, *known);
  const absl::Time to = options.to;
  for (absl::Time at = options.from - options.look_back; at < to;) {
    const absl::Time next = std::min(at + kStep, to);
    absl::Status status = source.ForEachAttempt(at, next, [&](const Attempt& attempt) {
      writer.Add(attempt);
      return true;
    });
    if (status.ok()) {
      status = source.ForEachActivity(at, next, [&](const AgentActivity& activity) {
        writer.Add(activity);
        return true;
      });
    }
    if (status.ok()) status = writer.Flush(next);
    if (!status.ok()) return status;
    at = next;
  }
  if (absl::Status status = writer.Finish(); !status.ok()) return status;
  return writer.counts;
}

}  // namespace outpace::report
