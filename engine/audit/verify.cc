#include "engine/audit/verify.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/audit/segment.h"

namespace outpace::audit {
namespace {

constexpr int kTries = 5;  // retention may remove a segment under the reader
// The head is written with each commit. No crash, nor a few in a row, leaves it so many events
// behind; an older head put back does.
constexpr uint64_t kBehindMax = 8192;

class Walk {
 public:
  Walk(AuditFiles& files, const VerifyOptions& options) : files_(files), options_(options) {}

  absl::StatusOr<AuditReport> Run() {
    report_.seals_checked = options_.key != nullptr;
    // The head first: what is read afterwards is at least as long.
    if (absl::Status status = ReadHead(); !status.ok()) return status;
    auto names = files_.List();
    if (!names.ok()) return names.status();
    std::vector<SegmentName> segments = SegmentsAmong(*names);
    for (const std::string& name : *names) {
      if (absl::StartsWith(name, "audit-") && !ParseSegmentName(name)) {
        report_.notes.push_back(absl::StrCat(name, " is no segment's name and was not read"));
      }
    }
    if (segments.empty() && !head_there_) {
      return absl::NotFoundError("audit: there is no log in the directory");
    }
    size_t first = 0;
    if (options_.since_head && report_.head.has_value()) {
      auto with_head = SegmentOfHead(segments);
      if (!with_head.ok()) return with_head.status();
      first = *with_head;
    }
    begins_ = first == 0;
    for (size_t i = first; i < segments.size(); ++i) {
      absl::Status status = Segment(segments[i].ToString(), i == first, i + 1 == segments.size());
      if (!status.ok()) return status;
    }
    CheckEnd();
    CheckBeginning();
    CheckNote();
    return std::move(report_);
  }

 private:
  void Tell(const std::string& file, uint64_t line, std::string what) {
    if (lost_) return;
    report_.faults.push_back({file, line, std::move(what), false});
    lost_ = true;
  }
  // Of the log as a whole.
  void TellWhole(const std::string& file, std::string what) {
    report_.faults.push_back({file, 0, std::move(what), false});
  }

  absl::Status ReadHead() {
    auto text = ReadSmallFile(files_, kHeadFile);
    if (absl::IsNotFound(text.status())) return absl::OkStatus();
    if (!text.ok()) return text.status();
    head_there_ = true;
    auto head = ParseHeadLine(*text, options_.key);
    if (head.ok()) {
      report_.head = *std::move(head);
    } else {
      head_fault_ = std::string(head.status().message());
    }
    return absl::OkStatus();
  }

  absl::StatusOr<size_t> SegmentOfHead(const std::vector<SegmentName>& segments) {
    for (size_t i = segments.size(); i-- > 1;) {
      auto file = files_.Open(segments[i].ToString(), /*writable=*/false);
      if (!file.ok()) return file.status();
      LineReader lines(**file);
      absl::string_view line;
      const auto more = lines.Next(&line);
      if (!more.ok() && !absl::IsDataLoss(more.status())) return more.status();
      if (!more.ok() || !*more) continue;
      const auto event = ParseLine(line);
      if (event.ok() && event->seq <= report_.head->seq) return i;
    }
    return 0;
  }

  absl::Status Segment(const std::string& name, bool first, bool last) {
    auto file = files_.Open(name, /*writable=*/false);
    if (!file.ok()) return file.status();
    ++report_.segments;
    LineReader lines(**file);
    for (;;) {
      absl::string_view line;
      const auto more = lines.Next(&line);
      if (absl::IsDataLoss(more.status())) {
        Tell(name, lines.lines() + 1, std::string(more.status().message()));
        break;
      }
      if (!more.ok()) return more.status();
      if (!*more) break;
      Line(name, lines.lines(), line, first);
    }
    report_.last_file = name;
    report_.last_file_octets = lines.good();
    if (last) {
      report_.torn_octets = lines.torn();
    } else if (lines.torn() > 0 || lines.lines() == 0) {
      Tell(name, lines.lines() + 1, "the file ends in the middle of an event");
    }
    return absl::OkStatus();
  }

  void Line(const std::string& file, uint64_t number, absl::string_view line, bool first_segment) {
    const auto stored = ParseLine(line);
    if (!stored.ok()) return Tell(file, number, std::string(stored.status().message()));
    const bool genuine =
        options_.key == nullptr || options_.key->SealEvent(stored->hash) == stored->seal;
    if (number == 1) BeginSegment(file, *stored, first_segment);
    if (lost_) {
      // Where a chain is broken, numbers go on after the highest that is ours.
      if (genuine) report_.last_seq = std::max(report_.last_seq, stored->seq);
      return;
    }
    if (stored->seq != next_) {
      return Tell(file, number,
                  absl::StrCat("event ", next_, " belongs here, and event ", stored->seq,
                               " is here: events were removed, added or moved"));
    }
    if (ChainHash(hash_, SplitLine(line)->body) != stored->hash) {
      return Tell(file, number,
                  absl::StrCat("event ", stored->seq,
                               " does not fit its hash: it, or the one before it, was changed"));
    }
    if (!genuine) {
      return Tell(
          file, number,
          absl::StrCat("event ", stored->seq,
                       " was not sealed with this key: it was made by somebody else, or the "
                       "key is another log's"));
    }
    Accept(file, number, *stored);
  }

  void BeginSegment(const std::string& file, const StoredEvent& stored, bool first_segment) {
    const Event& event = stored.event;
    if (event.kind == kBroken) {
      // How far the log was good when the engine found the damage. If it is not so far good any
      // more, that was done since, and its finding is no excuse for it.
      const bool as_found = TextOf(event, "previous") == hash_;
      if (lost_) {
        report_.faults.back().known = as_found;
      } else if (!first_segment && !as_found) {
        report_.faults.push_back({file, 1,
                                  "before the damage that an engine has found there were other "
                                  "events: they were removed or changed since",
                                  false});
      }
      if (!lost_ && (!first_segment || !options_.since_head)) {
        report_.faults.push_back(
            {file, 1,
             absl::StrCat("an engine found the log before this damaged: ", TextOf(event, "what")),
             true});
      }
      lost_ = false;
      hash_ = TextOf(event, "previous");
      // Seals of what an older log had are no reason to count backwards.
      next_ = std::max(stored.seq, next_);
      if (first_segment) first_hash_ = hash_;
    } else if (first_segment) {
      next_ = stored.seq;
      hash_ = first_hash_ = TextOf(event, "previous");
      if ((stored.seq == 1) != (event.kind == kBegan) || (stored.seq == 1 && hash_ != kNoHash)) {
        return Tell(file, 1, "the first event is not the one that a log begins with");
      }
    }
    if (event.kind != kBroken && event.kind != kSegment && event.kind != kBegan) {
      return Tell(file, 1, "the first event is not the one that a segment begins with");
    }
    if (TextOf(event, "file") != file) {
      return Tell(file, 1, "the file had another name when it was begun");
    }
  }

  void Accept(const std::string& file, uint64_t number, const StoredEvent& stored) {
    if (report_.events == 0) report_.first_seq = stored.seq;
    ++report_.events;
    report_.last_seq = stored.seq;
    report_.last_hash = stored.hash;
    hash_ = stored.hash;
    next_ = stored.seq + 1;
    const auto holds = [&](const std::optional<Head>& head) {
      return !head.has_value() || head->seq != stored.seq || head->hash == stored.hash;
    };
    if (!holds(report_.head)) Tell(file, number, "the event is another than the head says");
    if (options_.note.has_value() && options_.note->seq == stored.seq) {
      note_found_ = true;
      if (!holds(options_.note))
        Tell(file, number, "the event is another than was noted elsewhere");
    }
    if (stored.event.kind == kPruned) {
      pruned_ = Head{static_cast<uint64_t>(NumberOf(stored.event, "through")),
                     TextOf(stored.event, "through_hash")};
    }
    if (stored.event.kind == kBegan && TextOf(stored.event, "key") == "found") {
      report_.notes.push_back(
          absl::StrCat("the log begins at ", TimeText(stored.event.at),
                       " with a key that was there before: there may have been an older log"));
    }
    if (stored.event.kind == kLost) {
      report_.notes.push_back(absl::StrCat("before event ", stored.seq, ", ",
                                           NumberOf(stored.event, "count"),
                                           " events were refused, as too many came at once"));
    }
  }

  // The tail: nothing that was acknowledged is missing.
  void CheckEnd() {
    if (!head_there_) return TellWhole(kHeadFile, "the file is missing");
    if (!head_fault_.empty()) return TellWhole(kHeadFile, head_fault_);
    const uint64_t head = report_.head->seq;
    if (lost_) return;  // what comes after a fault is not known
    if (report_.last_seq < head) {
      return TellWhole(report_.last_file.empty() ? kHeadFile : report_.last_file,
                       absl::StrCat("the log ends with event ", report_.last_seq, ", and event ",
                                    head, " was there: the end was cut off"));
    }
    if (head < report_.first_seq) return TellWhole(kHeadFile, "is older than the log");
    report_.after_head = report_.last_seq - head;
    if (report_.after_head > kBehindMax) {
      // An engine that writes at this moment has left us behind; its head has gone along.
      const auto text = ReadSmallFile(files_, kHeadFile);
      const auto now = text.ok() ? ParseHeadLine(*text, options_.key) : text.status();
      if (!now.ok() || now->seq + kBehindMax < report_.last_seq) {
        TellWhole(kHeadFile, absl::StrCat("is ", report_.after_head,
                                          " events older than the log: an older one was put back"));
      }
    }
  }

  // The front: what is missing there was removed by retention, and the log says so.
  void CheckBeginning() {
    if (!begins_ || report_.first_seq <= 1) return;
    const uint64_t before = report_.first_seq - 1;
    if (pruned_.has_value() && pruned_->seq == before && pruned_->hash == first_hash_) {
      report_.notes.push_back(absl::StrCat("events up to ", before, " were removed by retention"));
      return;
    }
    // Retention may be under way, or have been killed: it says first how far it will go.
    if (pruned_.has_value() && pruned_->seq > before) {
      report_.notes.push_back(absl::StrCat("retention up to event ", pruned_->seq,
                                           " is not finished: the next will finish it"));
      return;
    }
    TellWhole(report_.last_file, absl::StrCat("events 1 to ", before,
                                              " are missing, and no retention has removed them"));
  }

  void CheckNote() {
    if (!options_.note.has_value() || note_found_) return;
    const Head& note = *options_.note;
    if (note.seq + 1 == report_.first_seq && note.hash == first_hash_) return;
    if (lost_ && note.seq > report_.last_seq) return;
    TellWhole(report_.last_file,
              absl::StrCat("event ", note.seq, " was noted elsewhere and is not in the log"));
  }

  AuditFiles& files_;
  const VerifyOptions& options_;
  AuditReport report_;
  bool head_there_ = false;
  std::string head_fault_;
  bool begins_ = true;  // the first segment there is was read
  bool lost_ = false;   // a fault was found; until a break nothing can be said
  uint64_t next_ = 1;
  std::string hash_{kNoHash}, first_hash_;
  std::optional<Head> pruned_;
  bool note_found_ = false;
};

bool Wanted(const EventQuery& query, const Event& event) {
  if (event.at < query.from || event.at >= query.to) return false;
  if (query.kinds.empty()) return true;
  return std::any_of(query.kinds.begin(), query.kinds.end(), [&](const std::string& kind) {
    return absl::EndsWith(kind, ".") ? absl::StartsWith(event.kind, kind) : event.kind == kind;
  });
}

}  // namespace

std::string Fault::ToString() const {
  return line == 0 ? absl::StrCat(file, ": ", what)
                   : absl::StrCat(file, ", line ", line, ": ", what);
}

const Fault* AuditReport::NewFault() const {
  const auto it =
      std::find_if(faults.begin(), faults.end(), [](const Fault& fault) { return !fault.known; });
  return it == faults.end() ? nullptr : &*it;
}

absl::StatusOr<AuditReport> VerifyAudit(AuditFiles& files, const VerifyOptions& options) {
  for (int i = 1;; ++i) {
    auto report = Walk(files, options).Run();
    const bool empty = absl::IsNotFound(report.status()) && i == kTries;
    if (report.ok() || !absl::IsNotFound(report.status()) || empty) return report;
  }
}

absl::Status ForEachEvent(AuditFiles& files, const EventQuery& query, const EachEvent& each) {
  auto names = files.List();
  if (!names.ok()) return names.status();
  for (const SegmentName& segment : SegmentsAmong(*names)) {
    // Its events are of its day at the latest, or of some seconds of the next where no room was
    // left for another segment.
    if (EndOfDay(segment.day) + absl::Hours(1) <= query.from) continue;
    const std::string name = segment.ToString();
    auto file = files.Open(name, /*writable=*/false);
    if (absl::IsNotFound(file.status())) continue;  // retention has just removed it
    if (!file.ok()) return file.status();
    LineReader lines(**file);
    for (;;) {
      absl::string_view line;
      const auto more = lines.Next(&line);
      if (more.ok() && !*more) break;
      const auto stored = more.ok() ? ParseLine(line) : more.status();
      if (!stored.ok()) {
        if (!absl::IsDataLoss(stored.status())) return stored.status();
        return absl::DataLossError(
            absl::StrCat("audit: ", name, ", line ", lines.lines() + (more.ok() ? 0 : 1), " ",
                         stored.status().message(), "; see: outpace audit verify"));
      }
      if (Wanted(query, stored->event) && !each(*stored, line)) return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

}  // namespace outpace::audit
