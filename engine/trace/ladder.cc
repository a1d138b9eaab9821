#include "engine/trace/ladder.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/trace/mask.h"

namespace outpace::trace {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kArrowWidth = 48;  // of an arrow with its label

const char* NameOf(WireTransport transport) {
  switch (transport) {
    case WireTransport::kTcp:
      return "TCP";
    case WireTransport::kTls:
      return "TLS";
    case WireTransport::kUdp:
      break;
  }
  return "UDP";
}

std::string UtcText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%E6S UTC", time, absl::UTCTimeZone());
}

double Milliseconds(absl::Duration d) { return absl::ToDoubleMilliseconds(d); }

// What makes two requests the same one sent twice. The ACK of a repeated 2xx has a new branch each
// time (RFC 3261 13.2.2.4); a response is repeated byte by byte.
std::string RepeatKey(const LadderStep& step) {
  const SipBrief& brief = step.brief;
  const int direction = static_cast<int>(step.message.direction);
  if (!brief.IsRequest()) return absl::StrCat(direction, "\n", step.message.bytes);
  return absl::StrCat(direction, "\n", brief.method, "\n", brief.cseq, "\n",
                      brief.method == "ACK" ? "" : brief.branch);
}

void FindRepeatsAndAnswers(LadderDialog& dialog) {
  std::map<std::string, int> seen;
  std::map<std::string, absl::Time> asked;  // direction, CSeq -> first request
  for (LadderStep& step : dialog.steps) {
    step.repeat = seen[RepeatKey(step)]++;
    const int direction = static_cast<int>(step.message.direction);
    const SipBrief& brief = step.brief;
    if (brief.IsRequest()) {
      asked.emplace(absl::StrCat(direction, " ", brief.cseq, " ", brief.method), step.message.at);
      continue;
    }
    const auto it =
        asked.find(absl::StrCat(1 - direction, " ", brief.cseq, " ", brief.cseq_method));
    if (it != asked.end()) step.after_request = step.message.at - it->second;
  }
}

// "INVITE (1) ------------>" or "<---------- 180 Ringing (1 INVITE)".
std::string ArrowOf(const LadderStep& step) {
  const SipBrief& brief = step.brief;
  std::string label = brief.IsRequest() ? absl::StrCat(brief.method, " (", brief.cseq, ")")
                                        : absl::StrCat(brief.status, " ", brief.phrase, " (",
                                                       brief.cseq, " ", brief.cseq_method, ")");
  if (!brief.IsSip()) label = absl::StrCat("not SIP, ", step.message.size_on_wire, " bytes");
  for (char& c : label) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';  // no escapes for terminals
  }
  if (label.size() > kArrowWidth - 4) label = absl::StrCat(label.substr(0, kArrowWidth - 7), "...");
  const int dashes = std::max(2, kArrowWidth - static_cast<int>(label.size()) - 2);
  const std::string line(static_cast<size_t>(dashes), '-');
  return step.message.direction == Direction::kOut ? absl::StrCat(label, " ", line, ">")
                                                   : absl::StrCat("<", line, " ", label);
}

std::string NotesOf(const LadderStep& step, const Endpoint& usual_remote) {
  std::vector<std::string> notes;
  const SipBrief& brief = step.brief;
  if (step.repeat > 0) {
    notes.push_back(absl::StrCat("sent again (", step.repeat, ")"));
  } else if (step.after_request >= absl::ZeroDuration()) {
    notes.push_back(absl::StrFormat("after %.1f ms", Milliseconds(step.after_request)));
  }
  if (step.message.remote != usual_remote) notes.push_back(step.message.remote.ToString());
  if (step.repeat == 0) {
    if (brief.method == "INVITE" && brief.to_tag.empty()) notes.push_back(brief.request_uri);
    if (!brief.sdp.empty()) notes.push_back(absl::StrCat("SDP ", brief.sdp));
    if (!brief.reason.empty()) notes.push_back(absl::StrCat("Reason ", brief.reason));
    if (!brief.retry_after.empty())
      notes.push_back(absl::StrCat("Retry-After ", brief.retry_after));
  }
  std::string text;
  for (const std::string& note : notes) absl::StrAppend(&text, text.empty() ? "" : "; ", note);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
  return text;
}

// The step with its message as it may be shown.
LadderStep Shown(const LadderStep& step, bool show_numbers) {
  LadderStep shown = step;
  if (show_numbers) return shown;
  shown.message.bytes = MaskNumbers(step.message.bytes);
  shown.brief = ReadSip(shown.message.bytes);
  return shown;
}

std::string Plural(size_t n, absl::string_view one) {
  return absl::StrCat(n, " ", one, n == 1 ? "" : "s");
}

}  // namespace

size_t Ladder::Messages() const {
  size_t n = 0;
  for (const LadderDialog& dialog : dialogs) n += dialog.steps.size();
  return n;
}

size_t Ladder::Repeats() const {
  size_t n = 0;
  for (const LadderDialog& dialog : dialogs) {
    for (const LadderStep& step : dialog.steps) n += step.repeat > 0 ? 1 : 0;
  }
  return n;
}

std::string CallIdPrefixOf(uint64_t attempt) { return absl::StrCat("op-", attempt, "-"); }

std::string ReachText(const RingReach& reach) {
  if (reach.messages == 0) return "holds no message yet";
  return absl::StrCat(
      "holds ", Plural(reach.messages, "message"), ", from ", UtcText(reach.oldest), " to ",
      UtcText(reach.newest), " (",
      absl::FormatDuration(absl::Trunc(reach.newest - reach.oldest, absl::Seconds(1))), ")",
      reach.complete ? "" : "; what came before was overwritten");
}

std::vector<LadderDialog> MakeDialogs(std::vector<RecordedMessage> messages) {
  // Shards write side by side, so what they wrote is not quite in order.
  std::stable_sort(messages.begin(), messages.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  std::vector<LadderDialog> dialogs;
  std::map<std::string, size_t> by_call_id;
  for (RecordedMessage& message : messages) {
    LadderStep step;
    step.brief = ReadSip(message.bytes);
    step.message = std::move(message);
    const auto [it, is_new] = by_call_id.emplace(step.brief.call_id, dialogs.size());
    if (is_new) dialogs.push_back({step.brief.call_id, {}});
    dialogs[it->second].steps.push_back(std::move(step));
  }
  for (LadderDialog& dialog : dialogs) FindRepeatsAndAnswers(dialog);
  return dialogs;
}

absl::StatusOr<Ladder> ReadLadder(RingReader& ring, absl::string_view call_id_prefix,
                                  std::string title) {
  std::vector<RecordedMessage> messages;
  absl::StatusOr<RingReach> reach = ring.Scan(call_id_prefix, [&](const RecordedMessage& message) {
    if (absl::StartsWith(HeaderOf(message.bytes, "Call-ID", 'i'), call_id_prefix)) {
      messages.push_back(message);
    }
  });
  if (!reach.ok()) return reach.status();
  if (messages.empty()) {
    return absl::NotFoundError(
        absl::StrCat(title, " is not in the SIP trace, which ", ReachText(*reach)));
  }
  Ladder ladder;
  ladder.title = std::move(title);
  ladder.dialogs = MakeDialogs(std::move(messages));
  ladder.reach = *reach;
  return ladder;
}

std::string LadderText(const Ladder& ladder, bool show_numbers) {
  std::string text = absl::StrCat(ladder.title, ": ", Plural(ladder.Messages(), "message"));
  if (ladder.Repeats() > 0) absl::StrAppend(&text, ", ", ladder.Repeats(), " sent again");
  absl::StrAppend(&text, "\n");
  for (const LadderDialog& dialog : ladder.dialogs) {
    const RecordedMessage& first = dialog.steps.front().message;
    absl::StrAppend(
        &text, "\nCall-ID ",
        show_numbers ? dialog.call_id : HeaderOf(MaskNumbers(first.bytes), "Call-ID", 'i'), "\n",
        NameOf(first.transport), " ", first.local.ToString(), " (outpace) - ",
        first.remote.ToString(), ", ", UtcText(first.at), "\n\n");
    for (const LadderStep& step : dialog.steps) {
      const LadderStep shown = Shown(step, show_numbers);
      std::string line =
          absl::StrFormat("%9.3f  %-*s  %s", absl::ToDoubleSeconds(step.message.at - first.at),
                          kArrowWidth + 1, ArrowOf(shown), NotesOf(shown, first.remote));
      absl::StripTrailingAsciiWhitespace(&line);
      absl::StrAppend(&text, line, "\n");
    }
  }
  return text;
}

std::string LadderJson(const Ladder& ladder, bool show_numbers) {
  Json json = {{"title", ladder.title},
               {"messages", ladder.Messages()},
               {"sent_again", ladder.Repeats()},
               {"numbers_masked", !show_numbers},
               {"dialogs", Json::array()}};
  for (const LadderDialog& dialog : ladder.dialogs) {
    Json steps = Json::array();
    const absl::Time start = dialog.steps.front().message.at;
    std::string call_id = dialog.call_id;
    for (const LadderStep& step : dialog.steps) {
      const LadderStep shown = Shown(step, show_numbers);
      const SipBrief& brief = shown.brief;
      call_id = brief.call_id;
      Json one = {
          {"at", absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", step.message.at, absl::UTCTimeZone())},
          {"ms", Milliseconds(step.message.at - start)},
          {"direction", step.message.direction == Direction::kOut ? "out" : "in"},
          {"transport", NameOf(step.message.transport)},
          {"local", step.message.local.ToString()},
          {"remote", step.message.remote.ToString()}};
      if (brief.IsRequest()) {
        one["method"] = brief.method;
        one["request_uri"] = brief.request_uri;
      } else if (brief.status != 0) {
        one["status"] = brief.status;
        one["phrase"] = brief.phrase;
      }
      one["cseq"] = brief.cseq;
      one["cseq_method"] = brief.cseq_method;
      one["sent_again"] = step.repeat;
      if (step.after_request >= absl::ZeroDuration()) {
        one["after_request_ms"] = Milliseconds(step.after_request);
      }
      if (!brief.sdp.empty()) one["sdp"] = brief.sdp;
      if (!brief.reason.empty()) one["reason"] = brief.reason;
      one["size"] = step.message.size_on_wire;
      one["text"] = shown.message.bytes;
      steps.push_back(std::move(one));
    }
    json["dialogs"].push_back({{"call_id", call_id}, {"steps", std::move(steps)}});
  }
  // Far ends send what they like: bytes that are no UTF-8 become U+FFFD.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace outpace::trace
