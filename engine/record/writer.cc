#include "engine/record/writer.h"

#include <openssl/evp.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/record/file_name.h"
#include "engine/record/hash.h"
#include "engine/record/tap.h"

namespace outpace::record {
namespace {

constexpr size_t kPendingMax = 256 << 10;  // octets of one recording that wait for the disk
// A tap's positions come from a clock; this much beyond ours they are not believed, or a jump would
// fill the disk with silence.
constexpr absl::Duration kAhead = absl::Seconds(60);
constexpr size_t kHeldBlocks = 4;     // a tap holds of G.711: two seconds of two sides
constexpr size_t kQueuedBlocks = 16;  // and 8 s may wait for the disk

size_t PowerOfTwo(size_t least) {
  size_t power = 2;
  while (power < least) power *= 2;
  return power;
}

constexpr std::array<int16_t, 256> MakeTable(codec::Law law) {
  std::array<int16_t, 256> table{};
  for (size_t i = 0; i < table.size(); ++i) {
    table[i] = codec::ToLinear(law, static_cast<uint8_t>(i));
  }
  return table;
}
constexpr std::array<int16_t, 256> kMuTable = MakeTable(codec::Law::kMu);
constexpr std::array<int16_t, 256> kATable = MakeTable(codec::Law::kA);

// The block's samples into one side of `stereo`, from its place in the second on.
void Mix(const Block& block, absl::Span<int16_t> stereo) {
  const auto at = static_cast<size_t>(block.start % kRate);
  int16_t* to = stereo.data() + 2 * at + block.side;
  if (block.kind == Kind::kLinear) {
    for (size_t i = 0; i < kBlockOctets / 2; ++i, to += 2) *to = block.linear()[i];
    return;
  }
  const std::array<int16_t, 256>& table = block.kind == Kind::kMu ? kMuTable : kATable;
  for (size_t i = 0; i < kBlockOctets; ++i, to += 2) *to = table[block.octets[i]];
}

}  // namespace

Track::Track() = default;
Track::~Track() = default;

Writer::Writer(const RecorderConfig& config, KeyRing keys, RecordingFiles& files,
               const Clock& clock, Log& log, Recorder::ClosedSink closed)
    : config_(config),
      keys_(std::move(keys)),
      files_(files),
      clock_(clock),
      log_(log),
      closed_sink_(std::move(closed)),
      shared_(std::make_shared<Shared>(
          config.queue_blocks + kHeldBlocks * config.recordings_max,
          PowerOfTwo(config.queue_blocks + kHeldBlocks * config.recordings_max))),
      stereo_(2 * kRate),
      dropped_(clock.Mono()),
      synced_(clock.Mono()) {}

Writer::~Writer() {
  while (const auto opened = opens_.TryPop()) (*opened)->self.reset();
  ::explicit_bzero(stereo_.data(), stereo_.size() * sizeof(int16_t));
}

absl::StatusOr<std::unique_ptr<RecordingTap>> Writer::Open(const RecordingOrder& order) {
  if (stopping_) {
    return absl::FailedPreconditionError("recordings: the engine is stopping");
  }
  if (!order.attempt.valid()) {
    return absl::InvalidArgumentError("recordings: an attempt's number is needed");
  }
  if (order.encrypted && keys_.empty()) {
    return absl::FailedPreconditionError(
        "recordings: the campaign's recordings are to be encrypted and no key file is configured; "
        "name one, made with: outpace recording key new --out FILE");
  }
  const uint64_t open = open_.fetch_add(1) + 1;
  if (open > config_.recordings_max) {
    open_.fetch_sub(1);
    return absl::ResourceExhaustedError(absl::StrCat("recordings: ", config_.recordings_max,
                                                     " are under way; raise recordings_max"));
  }
  shared_->pool.Grow(kHeldBlocks * open +
                     std::min<size_t>(config_.queue_blocks, kQueuedBlocks * open));
  auto channel = std::make_shared<Channel>();
  channel->order = order;
  channel->order.number.clear();  // the name has it if the pattern asks; nothing else needs it
  channel->name = FileName(config_.pattern, order, config_.zone);
  auto tap = std::make_unique<Tap>(shared_, channel);
  channel->self = channel;
  if (Channel* sent = channel.get(); !opens_.TryPush(std::move(sent))) {
    channel->self.reset();
    open_.fetch_sub(1);
    return absl::ResourceExhaustedError(
        "recordings: too many wait to be opened; the disk does not keep up");
  }
  return tap;
}

RecorderStats Writer::Stats() const {
  RecorderStats stats;
  stats.open = open_;
  stats.closed = closed_;
  stats.blocks_waiting = shared_->blocks_waiting;
  stats.blocks_lost = shared_->blocks_lost;
  stats.bytes_written = bytes_;
  stats.faults = faults_;
  return stats;
}

void Writer::Stored(AttemptId attempt) { stored_.TryPush(std::move(attempt)); }

bool Writer::Turn() {
  AcceptOpens();
  // A tap that has closed by now has pushed its last block: after Drain() it is here.
  std::vector<Track*> ending;
  for (const auto& track : tracks_) {
    if (track->channel->closed.load(std::memory_order_acquire)) ending.push_back(track.get());
  }
  Drain();
  for (const auto& track : tracks_) TakeEvents(*track);
  for (Track* track : ending) {
    // Not yet if some of its blocks are still behind those of a tap in the middle of a push.
    if (track->taken == track->channel->pushed.load(std::memory_order_relaxed)) {
      EndTrack(*track, /*cut=*/false);
    }
  }
  const auto ended = std::stable_partition(tracks_.begin(), tracks_.end(), [](const auto& track) {
    return track->stage == Track::Stage::kRecording;
  });
  const bool any = ended != tracks_.end();
  if (any) {
    const std::lock_guard<std::mutex> lock(ended_mutex_);
    std::move(ended, tracks_.end(), std::back_inserter(ended_));
  }
  tracks_.erase(ended, tracks_.end());
  DropCachesIfDue();
  return any;
}

void Writer::Stop() {
  stopping_ = true;
  AcceptOpens();
  std::vector<bool> ended;
  for (const auto& track : tracks_) {
    track->channel->dead = true;
    ended.push_back(track->channel->closed.load(std::memory_order_acquire));
  }
  Drain();
  for (size_t i = 0; i < tracks_.size(); ++i) {
    Track& track = *tracks_[i];
    TakeEvents(track);
    // A tap may be in the middle of a second; what has come of it is not written.
    const uint64_t missing = track.channel->pushed.load(std::memory_order_relaxed) - track.taken;
    const uint64_t lost = missing + track.held.size();
    shared_->blocks_lost.fetch_add(lost, std::memory_order_relaxed);
    DropHeld(track);
    EndTrack(track, /*cut=*/!ended[i] || lost > 0);
  }
  const std::lock_guard<std::mutex> lock(ended_mutex_);
  std::move(tracks_.begin(), tracks_.end(), std::back_inserter(ended_));
  tracks_.clear();
}

void Writer::AcceptOpens() {
  while (const auto opened = opens_.TryPop()) {
    auto track = std::make_unique<Track>();
    track->channel = std::move((*opened)->self);
    track->order = track->channel->order;
    track->name = track->channel->name;
    track->opened = clock_.Mono();
    track->stream = NewAudioStream(track->order.format, ++serial_);
    std::string begin;
    track->stream->Begin(begin);
    if (track->order.encrypted) {
      track->sealer = std::make_unique<Sealer>(keys_.first(), track->order.format);
      track->pending = track->sealer->header();
      track->sealer->Seal(begin, track->pending);
    } else {
      track->pending = std::move(begin);
    }
    track->head_bytes = track->pending.size();
    track->channel->track = track.get();
    Flush(*track);
    tracks_.push_back(std::move(track));
  }
}

void Writer::Drain() {
  while (const auto index = shared_->queue.TryPop()) {
    shared_->blocks_waiting.fetch_sub(1, std::memory_order_relaxed);
    TakeBlock(*index);
  }
}

void Writer::TakeBlock(uint32_t index) {
  const Block& block = shared_->pool.at(index);
  if (block.channel->track == nullptr) AcceptOpens();  // opened since the last look
  Track* const track = block.channel->track;
  OUTPACE_CHECK(track != nullptr);
  const bool last = block.last;
  ++track->taken;
  track->held.push_back(index);
  if (last) WriteSecond(*track);
}

// How long the recording can be by now, in samples.
int64_t Writer::LongestSoFar(const Track& track) const {
  const absl::Duration age = clock_.Mono() - track.opened + kAhead;
  return std::min(kPositionMax, age / absl::Microseconds(125));
}

void Writer::DropHeld(Track& track) {
  for (const uint32_t index : track.held) shared_->pool.Give(index);
  track.held.clear();
}

// `held` has all there is of one second.
void Writer::WriteSecond(Track& track) {
  // A pause or gap that came before this audio is written down first.
  TakeEvents(track);
  const int64_t second = shared_->pool.at(track.held.front()).start / kRate * kRate;
  int64_t end = std::min(second + kRate, LongestSoFar(track));
  const int64_t ends_at = track.channel->ends_at.load(std::memory_order_acquire);
  if (ends_at != Channel::kOpen) end = std::min(end, ends_at);
  // Should it resume, the silence is made then; else the recording ends here.
  if (track.gaps.paused_since() >= 0) end = std::min(end, track.gaps.paused_since());
  const int64_t from = std::max(second, track.placed);
  if (end <= from) {
    DropHeld(track);
    return;
  }
  if (track.pending.size() > kPendingMax && !Flush(track)) {
    DropHeld(track);
    track.gaps.AddLost(from, end);
    AppendJournal(track, JournalEvent({Event::Type::kLost, from, end}));
    shared_->blocks_lost.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  FillSilence(track, from);
  std::fill(stereo_.begin(), stereo_.end(), int16_t{0});
  for (const uint32_t index : track.held) {
    Mix(shared_->pool.at(index), absl::MakeSpan(stereo_));
  }
  DropHeld(track);
  Place(track, absl::MakeConstSpan(stereo_).subspan(static_cast<size_t>(2 * (from - second)),
                                                    static_cast<size_t>(2 * (end - from))));
  Flush(track);
}

void Writer::FillSilence(Track& track, int64_t until) {
  static const std::vector<int16_t>& silence = *new std::vector<int16_t>(2 * kRate, 0);
  while (track.placed < until) {
    const int64_t count = std::min(until - track.placed, kRate);
    Place(track, absl::MakeConstSpan(silence).first(static_cast<size_t>(2 * count)));
    // Long silences go out as they are made, if they can.
    if (track.pending.size() > kPendingMax) Flush(track);
  }
}

void Writer::Place(Track& track, absl::Span<const int16_t> stereo) {
  track.placed += static_cast<int64_t>(stereo.size() / 2);
  if (track.sealer == nullptr) {
    track.stream->Append(stereo, track.pending);
    return;
  }
  bytes_made_.clear();
  track.stream->Append(stereo, bytes_made_);
  track.sealer->Seal(bytes_made_, track.pending);
}

void Writer::TakeEvents(Track& track) {
  Event event;
  while (track.channel->events.Pop(event)) {
    track.gaps.Add(event);
    if (event.type == Event::Type::kPaused) track.stream->Reset();
    AppendJournal(track, JournalEvent(event));
  }
}

bool Writer::Flush(Track& track) {
  if (track.pending.empty()) return true;
  absl::Status status = track.file == nullptr ? MakeFiles(track) : absl::OkStatus();
  if (status.ok()) status = track.file->WriteAt(track.on_disk, track.pending);
  if (!status.ok()) {
    Fail(track, status);
    return false;
  }
  track.on_disk += track.pending.size();
  bytes_.fetch_add(track.pending.size(), std::memory_order_relaxed);
  track.pending.clear();
  track.placed_on_disk = track.placed;
  track.failing = false;
  unsynced_ = true;
  if (track.sealer != nullptr) return true;
  // Only now: a header never speaks of audio that is not there.
  const std::string header =
      track.stream->Header(track.on_disk - track.head_bytes - track.tail_bytes, track.tail_bytes);
  if (header.empty()) return true;
  status = track.file->WriteAt(0, header);
  if (!status.ok()) Fail(track, status);
  return true;
}

// The journal comes first: whatever audio is found after a crash, it is known whose it is.
absl::Status Writer::MakeFiles(Track& track) {
  if (track.journal == nullptr) {
    auto journal = files_.Create(JournalPath(track.order.attempt));
    if (!journal.ok()) return journal.status();
    track.journal = *std::move(journal);
    const std::string begin = JournalBegin(track.order, track.name);
    if (absl::Status status = track.journal->WriteAt(0, begin); !status.ok()) return status;
    track.journal_bytes = begin.size();
  } else if (track.journal_bytes == 0) {
    const std::string begin = JournalBegin(track.order, track.name);
    if (absl::Status status = track.journal->WriteAt(0, begin); !status.ok()) return status;
    track.journal_bytes = begin.size();
  }
  auto file = files_.Create(PartPath(track.order.attempt));
  if (!file.ok()) return file.status();
  track.file = *std::move(file);
  return absl::OkStatus();
}

void Writer::AppendJournal(Track& track, absl::string_view lines) {
  if (track.journal == nullptr || track.journal_bytes == 0) return;
  const absl::Status status = track.journal->WriteAt(track.journal_bytes, lines);
  if (status.ok()) {
    track.journal_bytes += lines.size();
  } else {
    Fail(track, status);
  }
}

void Writer::Fail(Track& track, const absl::Status& status) {
  if (!track.failing) {
    log_.Warning("recording.write_failed",
                 {{"attempt", track.order.attempt}, {"why", status.message()}});
  }
  track.failing = true;
  if (track.fault.empty()) track.fault = std::string(status.message());
}

// What is on the disk need not fill the page cache: nobody reads it before the call has ended, and
// a cache full of it would make other writers wait.
void Writer::DropCachesIfDue() {
  const MonoTime now = clock_.Mono();
  if (now - dropped_ < config_.sync_every) return;
  dropped_ = now;
  for (const auto& track : tracks_) {
    if (track->file != nullptr) track->file->DropCache();
  }
}

}  // namespace outpace::record
