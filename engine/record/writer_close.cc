// How a recording ends: in order, or found at the start after a crash. The writer's thread ends its
// audio (EndTrack); all that waits for the disk is done by the closer's.

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/base/check.h"
#include "engine/record/file_name.h"
#include "engine/record/hash.h"
#include "engine/record/recording_reader.h"
#include "engine/record/writer.h"

namespace outpace::record {
namespace {

constexpr size_t kHashSlice = 1 << 20;
constexpr size_t kJournalMax = 4 << 20;

absl::StatusOr<std::string> ReadAll(RecordingFile& file, size_t bytes_max) {
  const auto size = file.Size();
  if (!size.ok()) return size.status();
  std::string bytes(std::min<uint64_t>(*size, bytes_max), '\0');
  const auto got = file.ReadAt(0, absl::MakeSpan(bytes.data(), bytes.size()));
  if (!got.ok()) return got.status();
  bytes.resize(*got);
  return bytes;
}

}  // namespace

void Writer::EndTrack(Track& track, bool cut) {
  OUTPACE_CHECK(track.held.empty());  // a tap pushes whole seconds
  const int64_t ends_at = track.channel->ends_at.load(std::memory_order_acquire);
  int64_t end = track.placed;
  if (!cut && ends_at != Channel::kOpen) {
    int64_t wanted = std::min(ends_at, LongestSoFar(track));
    // A pause that did not end: ten minutes of silence are worth no room.
    if (track.gaps.paused_since() >= 0) wanted = std::min(wanted, track.gaps.paused_since());
    end = std::max(end, wanted);
  }
  Flush(track);
  if (!track.failing) FillSilence(track, end);
  track.cut = cut;

  // What follows the audio. In a sealed WAV the final chunk says where the gaps are. The journal
  // tells first where the audio ends, or a crash would take the one for the other.
  std::vector<Gap> gaps = track.gaps.Until(end);
  AppendJournal(track, absl::StrCat(cut ? JournalCut() : "", EndLines(end, gaps)));
  std::string tail;
  if (track.sealer == nullptr || track.order.format == Format::kOpus) {
    track.stream->Finish(track.placed, gaps, tail);
  }
  if (track.sealer != nullptr) {
    track.sealer->Seal(tail, track.pending);
    track.sealer->Finish(EndLines(track.placed, gaps), track.pending);
  } else {
    track.pending += tail;
    // Of Opus the tail is audio too, and its header does not change.
    track.tail_bytes = track.order.format == Format::kOpus ? 0 : tail.size();
  }
  if (!Flush(track)) {
    if (track.file != nullptr) track.file->Truncate(track.on_disk).IgnoreError();
    track.gaps.AddLost(track.placed_on_disk, end);
    gaps = track.gaps.Until(end);
    AppendJournal(track, EndLines(end, gaps));
  }
  track.channel->track = nullptr;
  track.closed = ClosedOf(track.order);
  SetGaps(end, gaps, track.closed);
  track.closed.cut = cut;
  track.stage = track.file == nullptr ? Track::Stage::kTell : Track::Stage::kHash;
  track.stream.reset();
  track.sealer.reset();
}

bool Writer::CloseTurn() {
  {
    const std::lock_guard<std::mutex> lock(ended_mutex_);
    std::move(ended_.begin(), ended_.end(), std::back_inserter(closing_));
    ended_.clear();
  }
  if (!closing_.empty() && CloseStep(*closing_.front())) closing_.pop_front();
  while (const auto attempt = stored_.TryPop()) {
    const absl::Status status = files_.Remove(JournalPath(*attempt));
    if (!status.ok() && !absl::IsNotFound(status)) {
      log_.Warning("recording.journal_kept", {{"attempt", *attempt}, {"why", status.message()}});
    }
  }
  SyncIfDue();
  return !closing_.empty();
}

void Writer::SyncIfDue() {
  const MonoTime now = clock_.Mono();
  if (now - synced_ < config_.sync_every) return;
  synced_ = now;
  if (!unsynced_.exchange(false)) return;
  if (absl::Status status = files_.SyncAll(); !status.ok()) {
    log_.Warning("recording.sync_failed", {{"why", status.message()}});
  }
}

bool Writer::CloseStep(Track& track) {
  switch (track.stage) {
    case Track::Stage::kRecording:
      return false;
    case Track::Stage::kRepair:
      Repair(track);
      return false;
    case Track::Stage::kHash: {
      if (track.hash == nullptr) track.hash = std::make_shared<Hash>();
      slice_.resize(kHashSlice);
      const auto got = track.file->ReadAt(track.hashed, absl::MakeSpan(slice_.data(), kHashSlice));
      if (got.ok() && *got > 0) {
        track.hash->Add(absl::string_view(slice_).substr(0, *got));
        track.hashed += *got;
        if (*got == kHashSlice) return false;
      }
      if (got.ok()) {
        track.closed.sha256 = track.hash->Hex();
      } else {
        Fail(track, got.status());
      }
      track.closed.bytes = track.hashed;
      track.stage = Track::Stage::kName;
      return false;
    }
    case Track::Stage::kName: {
      if (absl::Status status = track.file->Sync(); !status.ok()) Fail(track, status);
      if (track.closed.file.empty()) {  // else the journal has said it before a crash
        track.closed.file = track.name;
        track.closed.fault = track.fault;
        AppendJournal(track, JournalEnd(track.closed));
        if (track.journal != nullptr) track.journal->Sync().IgnoreError();
      }
      const auto name = files_.Publish(PartPath(track.order.attempt), track.name);
      if (!name.ok()) {
        Fail(track, name.status());
        track.closed.file = PartPath(track.order.attempt);
      } else if (*name != track.closed.file) {
        track.closed.file = *name;
        AppendJournal(track, JournalNamed(*name));
        if (track.journal != nullptr) track.journal->Sync().IgnoreError();
      }
      track.file->DropCache();
      track.stage = Track::Stage::kTell;
      return false;
    }
    case Track::Stage::kTell:
      break;
  }
  track.closed.fault = track.fault;
  if (track.file == nullptr && track.closed.file.empty()) {
    // Nothing was written: the journal, should there be one, says nothing worth keeping.
    if (track.closed.fault.empty()) track.closed.fault = "recordings: nothing could be written";
    files_.Remove(JournalPath(track.order.attempt)).IgnoreError();
  }
  if (!track.closed.fault.empty()) faults_.fetch_add(1);
  const RecordingClosed& closed = track.closed;
  if (closed.fault.empty()) {
    log_.Debug("recording.closed", {{"attempt", closed.attempt},
                                    {"seconds", absl::ToDoubleSeconds(closed.length)},
                                    {"cut", closed.cut}});
  } else {
    log_.Warning("recording.closed", {{"attempt", closed.attempt},
                                      {"seconds", absl::ToDoubleSeconds(closed.length)},
                                      {"lost_seconds", absl::ToDoubleSeconds(closed.lost)},
                                      {"cut", closed.cut},
                                      {"fault", closed.fault}});
  }
  closed_.fetch_add(1);
  if (track.channel != nullptr) open_.fetch_sub(1);
  closed_sink_(std::move(track.closed));
  return true;
}

// Each journal left behind stands for one recording; audio without one was cut off by a power loss
// before the journal reached the disk.
absl::Status Writer::Recover() {
  auto names = files_.List(kOpenDirectory);
  if (!names.ok()) return names.status();
  std::vector<AttemptId> attempts;
  for (const std::string& name : *names) {
    absl::string_view number = name;
    uint64_t id = 0;
    if (!absl::ConsumeSuffix(&number, ".part") && !absl::ConsumeSuffix(&number, ".journal")) {
      continue;
    }
    if (absl::SimpleAtoi(number, &id) && id != 0) attempts.emplace_back(id);
  }
  std::sort(attempts.begin(), attempts.end());
  attempts.erase(std::unique(attempts.begin(), attempts.end()), attempts.end());
  for (const AttemptId attempt : attempts) {
    auto track = std::make_unique<Track>();
    Journal journal;
    if (auto file = files_.Open(JournalPath(attempt), /*writable=*/true); file.ok()) {
      track->journal = *std::move(file);
      const auto text = ReadAll(*track->journal, kJournalMax);
      if (!text.ok()) return text.status();
      journal = ParseJournal(*text);
      // A torn last line is written over.
      const size_t whole = text->rfind('\n');
      track->journal_bytes = whole == std::string::npos ? 0 : whole + 1;
    } else if (!absl::IsNotFound(file.status())) {
      return file.status();
    }
    auto part = files_.Open(PartPath(attempt), /*writable=*/true);
    if (!part.ok() && !absl::IsNotFound(part.status())) return part.status();
    track->order = journal.order;
    track->order.attempt = attempt;
    track->name = journal.name;
    track->gaps = journal.gaps;
    track->closed = journal.ended ? journal.closed : ClosedOf(track->order);
    track->closed.attempt = attempt;
    track->fault = track->closed.fault;
    track->cut = journal.closed.cut;
    track->samples_told = journal.samples;
    if (part.ok()) track->file = *std::move(part);
    if (journal.ended) {
      // Closed, but the record of it may not have been stored; perhaps not yet named.
      track->stage = track->file != nullptr ? Track::Stage::kName : Track::Stage::kTell;
    } else {
      track->closed.cut = true;
      track->stage = track->file != nullptr ? Track::Stage::kRepair : Track::Stage::kTell;
    }
    closing_.push_back(std::move(track));
  }
  return absl::OkStatus();
}

// Makes a file whole that ends where the crash found it. If all its audio is there the crash came
// after the call, and it is not cut.
void Writer::Repair(Track& track) {
  track.stage = Track::Stage::kHash;
  auto reader = RecordingReader::Open(*track.file, keys_, /*decode=*/false);
  const auto size = track.file->Size();
  if (!size.ok()) Fail(track, size.status());
  int64_t samples = 0;
  if (reader.ok()) {
    std::vector<int16_t> none;
    absl::StatusOr<bool> more = true;
    while (more.ok() && *more) more = (*reader)->Next(none);
    samples = (*reader)->samples();
    if ((*reader)->header_read()) track.order.format = (*reader)->format();
    track.order.encrypted = (*reader)->encrypted();
  } else if (size.ok() && *size <= kSealedHeaderBytes) {
    // Not even a header: there is no audio.
    files_.Remove(PartPath(track.order.attempt)).IgnoreError();
    track.file.reset();
    track.stage = Track::Stage::kTell;
    return;
  } else {
    Fail(track, reader.status());  // damaged, or its key is not here: it stays as it is
  }
  if (track.name.empty()) {
    track.name = absl::StrCat("recovered/", track.order.attempt.value(),
                              Extension(track.order.format, track.order.encrypted));
  }

  const bool sealed_file = reader.ok() && (*reader)->encrypted();
  const bool opus_file = reader.ok() && !sealed_file && track.order.format == Format::kOpus;
  const bool wav_file = reader.ok() && size.ok() && !sealed_file && !opus_file;
  const Format format = track.order.format;
  const uint64_t head = format == Format::kWav ? kWavHeaderBytes : kWavUlawHeaderBytes;
  if (wav_file) {
    // All that lies behind the header is audio, whatever the header says, unless the journal knows
    // how much was to come before the cues.
    samples = static_cast<int64_t>((*size - std::min(*size, head)) / WavFrameBytes(format));
  }
  const bool whole = sealed_file ? (*reader)->unsealer()->complete()
                     : opus_file
                         ? (*reader)->opus().ended()
                         : wav_file && track.samples_told >= 0 && samples >= track.samples_told;
  if (wav_file && whole) samples = track.samples_told;
  track.cut = track.cut || !whole;
  // The file will look whole from here on, and there may be another crash.
  if (track.cut) AppendJournal(track, JournalCut());

  absl::Status status;
  const std::vector<Gap> gaps = track.gaps.Until(samples);
  if (sealed_file) {
    Unsealer& sealed = *(*reader)->unsealer();
    if (!whole) {
      status = track.file->Truncate(sealed.whole_bytes());
      if (status.ok()) {
        status =
            track.file->WriteAt(sealed.whole_bytes(), sealed.FinalChunk(EndLines(samples, gaps)));
      }
    }
  } else if (opus_file) {
    const OpusReader& opus = (*reader)->opus();
    if (!whole) {
      status = track.file->Truncate(opus.whole_bytes());
      if (status.ok()) {
        status = track.file->WriteAt(opus.whole_bytes(),
                                     OggEndPage(opus.serial(), opus.pages(), opus.granule()));
      }
    }
  } else if (wav_file) {
    const uint64_t audio = static_cast<uint64_t>(samples) * WavFrameBytes(format);
    const std::string cues = WavCues(gaps);
    status = track.file->Truncate(head + audio);
    if (status.ok()) status = track.file->WriteAt(head + audio, cues);
    if (status.ok()) status = track.file->WriteAt(0, WavHeader(format, audio, cues.size()));
  }
  if (!status.ok()) Fail(track, status);
  track.closed = ClosedOf(track.order);
  track.closed.cut = track.cut;
  SetGaps(samples, gaps, track.closed);
  AppendJournal(track, EndLines(samples, gaps));
}

}  // namespace outpace::record
