#include "engine/record/journal.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace outpace::record {
namespace {

constexpr size_t kGapsMax = 4096;  // more of them grow together

void Line(absl::string_view name, absl::string_view value, std::string& to) {
  absl::StrAppend(&to, name, " ", absl::CEscape(value), "\n");
}

int64_t Integer(absl::string_view text) {
  int64_t value = 0;
  return absl::SimpleAtoi(text, &value) ? std::max<int64_t>(value, 0) : 0;
}

absl::string_view KindName(Mark::Kind kind) {
  return kind == Mark::Kind::kPaused ? "paused" : "lost";
}

Format FormatOf(absl::string_view name) {
  if (name == FormatName(Format::kOpus)) return Format::kOpus;
  return name == FormatName(Format::kWavUlaw) ? Format::kWavUlaw : Format::kWav;
}

// One line; whatever is unknown was written by a newer version and is passed over.
void Take(absl::string_view name, const std::string& value, Journal& journal) {
  RecordingOrder& order = journal.order;
  RecordingClosed& closed = journal.closed;
  const std::vector<absl::string_view> parts = absl::StrSplit(value, ' ');
  if (name == "attempt") {
    order.attempt = AttemptId(static_cast<uint64_t>(Integer(value)));
    journal.begun = order.attempt.valid();
  } else if (name == "lead") {
    order.lead = LeadId(static_cast<uint64_t>(Integer(value)));
  } else if (name == "campaign") {
    order.campaign = value;
  } else if (name == "agent") {
    order.agent = value;
  } else if (name == "started") {
    order.started = absl::FromUnixMicros(Integer(value));
  } else if (name == "format") {
    order.format = FormatOf(value);
  } else if (name == "sealed") {
    order.encrypted = value == "1";
  } else if (name == "name") {
    journal.name = value;
  } else if (name == "pause") {
    journal.gaps.Add({Event::Type::kPaused, Integer(value), 0});
  } else if (name == "resume") {
    journal.gaps.Add({Event::Type::kResumed, Integer(value), 0});
  } else if (name == "lost" && parts.size() == 2) {
    journal.gaps.AddLost(Integer(parts[0]), Integer(parts[1]));
  } else if (name == "samples") {
    // Told again after a failure or a crash: what follows is of this telling.
    journal.samples = Integer(value);
    closed.length = SamplesToTime(journal.samples);
    closed.paused = closed.lost = absl::ZeroDuration();
    closed.marks.clear();
  } else if (name == "gap" && parts.size() == 3) {
    const Mark mark{parts[0] == "paused" ? Mark::Kind::kPaused : Mark::Kind::kLost,
                    SamplesToTime(Integer(parts[1])), SamplesToTime(Integer(parts[2]))};
    (mark.kind == Mark::Kind::kPaused ? closed.paused : closed.lost) += mark.to - mark.from;
    closed.marks.push_back(mark);
  } else if (name == "bytes") {
    closed.bytes = static_cast<uint64_t>(Integer(value));
  } else if (name == "sha256") {
    closed.sha256 = value;
  } else if (name == "cut") {
    closed.cut = value == "1";
  } else if (name == "fault") {
    closed.fault = value;
  } else if (name == "file") {
    closed.file = value;
  } else if (name == "closed") {
    journal.ended = true;
  }
}

}  // namespace

std::string PartPath(AttemptId attempt) {
  return absl::StrCat(kOpenDirectory, "/", attempt.value(), ".part");
}
std::string JournalPath(AttemptId attempt) {
  return absl::StrCat(kOpenDirectory, "/", attempt.value(), ".journal");
}

std::string JournalBegin(const RecordingOrder& order, absl::string_view name) {
  std::string to = "outpace-recording 1\n";
  Line("lead", absl::StrCat(order.lead.value()), to);
  Line("campaign", order.campaign, to);
  Line("agent", order.agent, to);
  Line("started", absl::StrCat(absl::ToUnixMicros(order.started)), to);
  Line("format", FormatName(order.format), to);
  Line("sealed", order.encrypted ? "1" : "0", to);
  Line("name", name, to);
  Line("attempt", absl::StrCat(order.attempt.value()), to);  // last: with it the order is whole
  return to;
}

std::string JournalEvent(const Event& event) {
  switch (event.type) {
    case Event::Type::kPaused:
      return absl::StrCat("pause ", event.from, "\n");
    case Event::Type::kResumed:
      return absl::StrCat("resume ", event.from, "\n");
    case Event::Type::kLost:
      return absl::StrCat("lost ", event.from, " ", event.to, "\n");
  }
  return "";
}

std::string JournalCut() { return "cut 1\n"; }

std::string EndLines(int64_t samples, const std::vector<Gap>& gaps) {
  std::string to = absl::StrCat("samples ", samples, "\n");
  for (const Gap& gap : gaps) {
    absl::StrAppend(&to, "gap ", KindName(gap.kind), " ", gap.from, " ", gap.to, "\n");
  }
  return to;
}

std::string JournalEnd(const RecordingClosed& closed) {
  std::string to;
  Line("bytes", absl::StrCat(closed.bytes), to);
  Line("sha256", closed.sha256, to);
  Line("cut", closed.cut ? "1" : "0", to);
  Line("fault", closed.fault, to);
  Line("file", closed.file, to);
  Line("closed", "1", to);
  return to;
}

std::string JournalNamed(absl::string_view file) {
  std::string to;
  Line("file", file, to);
  return to;
}

void GapList::Add(const Event& event) {
  switch (event.type) {
    case Event::Type::kPaused:
      if (paused_since_ < 0) paused_since_ = event.from;
      break;
    case Event::Type::kResumed:
      if (paused_since_ < 0) break;
      if (event.from > paused_since_) {
        gaps_.push_back({Mark::Kind::kPaused, paused_since_, event.from});
      }
      paused_since_ = -1;
      break;
    case Event::Type::kLost:
      AddLost(event.from, event.to);
      break;
  }
}

void GapList::AddLost(int64_t from, int64_t to) {
  if (to <= from) return;
  if (!gaps_.empty() && gaps_.back().kind == Mark::Kind::kLost &&
      (from <= gaps_.back().to || gaps_.size() >= kGapsMax)) {
    gaps_.back().from = std::min(gaps_.back().from, from);
    gaps_.back().to = std::max(gaps_.back().to, to);
    return;
  }
  gaps_.push_back({Mark::Kind::kLost, from, to});
}

std::vector<Gap> GapList::Until(int64_t end) const {
  std::vector<Gap> gaps = gaps_;
  if (paused_since_ >= 0) gaps.push_back({Mark::Kind::kPaused, paused_since_, end});
  for (Gap& gap : gaps) gap.to = std::min(gap.to, end);
  gaps.erase(
      std::remove_if(gaps.begin(), gaps.end(), [](const Gap& gap) { return gap.to <= gap.from; }),
      gaps.end());
  std::stable_sort(gaps.begin(), gaps.end(),
                   [](const Gap& a, const Gap& b) { return a.from < b.from; });
  return gaps;
}

absl::Duration GapList::Sum(const std::vector<Gap>& gaps, Mark::Kind kind) {
  int64_t samples = 0, seen = 0;  // gaps of one kind may touch, and are counted once
  for (const Gap& gap : gaps) {
    if (gap.kind != kind) continue;
    samples += std::max<int64_t>(0, gap.to - std::max(gap.from, seen));
    seen = std::max(seen, gap.to);
  }
  return SamplesToTime(samples);
}

Journal ParseJournal(absl::string_view text) {
  Journal journal;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == absl::string_view::npos) break;
    const absl::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const size_t space = line.find(' ');
    std::string value;
    if (space == absl::string_view::npos) continue;
    if (!absl::CUnescape(line.substr(space + 1), &value)) continue;
    Take(line.substr(0, space), value, journal);
  }
  RecordingClosed& closed = journal.closed;
  const RecordingClosed base = ClosedOf(journal.order);
  closed.attempt = base.attempt;
  closed.lead = base.lead;
  closed.campaign = base.campaign;
  closed.agent = base.agent;
  closed.started = base.started;
  closed.format = base.format;
  closed.encrypted = base.encrypted;
  return journal;
}

RecordingClosed ClosedOf(const RecordingOrder& order) {
  RecordingClosed closed;
  closed.attempt = order.attempt;
  closed.lead = order.lead;
  closed.campaign = order.campaign;
  closed.agent = order.agent;
  closed.started = order.started;
  closed.format = order.format;
  closed.encrypted = order.encrypted;
  return closed;
}

void SetGaps(int64_t samples, const std::vector<Gap>& gaps, RecordingClosed& closed) {
  closed.length = SamplesToTime(samples);
  closed.paused = GapList::Sum(gaps, Mark::Kind::kPaused);
  closed.lost = GapList::Sum(gaps, Mark::Kind::kLost);
  closed.marks.clear();
  for (const Gap& gap : gaps) {
    closed.marks.push_back({gap.kind, SamplesToTime(gap.from), SamplesToTime(gap.to)});
  }
}

}  // namespace outpace::record
