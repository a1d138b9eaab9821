#include "engine/media/media_thread.h"

#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include "engine/base/overload.h"
#include "engine/media/media_leg.h"

namespace outpace::media {
namespace {

constexpr uint32_t kWakeTag = 0xffffffff;
constexpr uint32_t kTimerTag = 0xfffffffe;
constexpr int kRealtimePriority = 5;
constexpr absl::Duration kTellAgain = absl::Milliseconds(10);
constexpr uint64_t kOneWayPackets = 250;               // 5 s of the partner's
constexpr size_t kPcmMax = 16 * codec::kPayloadMsMax;  // samples of the longest packet at 16 kHz

// Of SSRCs and first sequence numbers. Without the system's random numbers they are merely unlikely
// to meet again; keys are not made of them.
uint64_t Seed(const MediaConfig& config, const Clock& clock) {
  uint8_t bytes[8];
  uint64_t seed = static_cast<uint64_t>(clock.Mono().nanos());
  if (config.random_bytes ? config.random_bytes(bytes) : SystemRandomBytes(bytes)) {
    std::memcpy(&seed, bytes, sizeof seed);
  }
  return seed;
}

}  // namespace

MediaThread::MediaThread(const MediaConfig& config, std::vector<IpAddress> own_ips, PortPool pool,
                         PromptSet prompts,
                         std::unique_ptr<const listen::FingerprintSet> announcements,
                         const Clock& clock, Log& log)
    : config_(config),
      own_ips_(std::move(own_ips)),
      pool_(std::move(pool)),
      prompts_(std::move(prompts)),
      announcements_(std::move(announcements)),
      clock_(clock),
      log_(log),
      mailbox_(config.mailbox_capacity),
      legs_(pool_.pairs().size()),
      rng_(Seed(config_, clock)) {
  for (const PortPair& pair : pool_.pairs()) {
    own_ports_.set(pair.rtp_port);
    if (pair.rtcp_fd >= 0) own_ports_.set(pair.rtp_port + 1u);
  }
  for (const uint16_t port : config_.refused_ports) own_ports_.set(port);
  for (uint16_t i = 0; i < config_.shards; ++i) links_.push_back(std::make_shared<ShardLink>());
  by_id_.reserve(legs_.size());
  agenda_.reserve(2 * legs_.size());
  listening_.reserve(legs_.size());
  pcm_.reserve(kPcmMax);
}

MediaThread::~MediaThread() {
  for (const int fd : {epoll_fd_, wake_fd_, timer_fd_}) {
    if (fd >= 0) close(fd);
  }
}

bool MediaThread::Watch(int fd, uint32_t tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = tag;
  return epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0;
}

absl::Status MediaThread::Init() {
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  timer_fd_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (epoll_fd_ < 0 || wake_fd_ < 0 || timer_fd_ < 0) {
    return absl::ErrnoToStatus(errno, "media: epoll, eventfd or timerfd");
  }
  bool watched = Watch(wake_fd_, kWakeTag) && Watch(timer_fd_, kTimerTag);
  for (uint32_t i = 0; watched && i < pool_.pairs().size(); ++i) {
    watched = Watch(pool_.pairs()[i].rtp_fd, i);
  }
  if (!watched) return absl::ErrnoToStatus(errno, "media: epoll_ctl");
  return absl::OkStatus();
}

void MediaThread::TryRealtime() {
  bool refused = false;
  if (config_.realtime) {
    // A packet late by a time slice is heard; without this p99 was 77 ms on a loaded machine.
    sched_param param{};
    param.sched_priority = kRealtimePriority;
    refused = pthread_setschedparam(pthread_self(), SCHED_RR, &param) != 0;
  }
  if (config_.lock_memory && mlockall(MCL_CURRENT | MCL_FUTURE) != 0) refused = true;
  if (refused) {
    log_.Info("media.no_realtime",
              {{"effect", "audio may be late when the machine is busy"},
               {"remedy", "grant CAP_SYS_NICE (and CAP_IPC_LOCK for lock_memory)"}});
  }
}

void MediaThread::Run() {
  TryRealtime();
  next_sweep_ = clock_.Mono();
  epoll_event events[256];
  while (!stop_.load(std::memory_order_acquire)) {
    ArmTimer();
    const int count = epoll_wait(epoll_fd_, events, std::size(events), -1);
    const MonoTime now = clock_.Mono();
    for (int i = 0; i < count; ++i) {
      uint64_t ignored = 0;
      if (events[i].data.u32 == kWakeTag) {
        (void)!read(wake_fd_, &ignored, sizeof ignored);
        // Before the mailbox is emptied: who posts later writes again.
        wake_pending_.store(false, std::memory_order_seq_cst);
      } else if (events[i].data.u32 == kTimerTag) {
        (void)!read(timer_fd_, &ignored, sizeof ignored);
        armed_.reset();
      }
    }
    // Commands before packets, woken by them or not: a packet sent in answer to something a shard
    // did finds the leg as the shard left it.
    RunCommands(now);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u32 < legs_.size()) ReadPort(events[i].data.u32, now);
    }
    RunTimers(now);
  }
  agenda_.clear();
  listening_.clear();
  for (std::unique_ptr<Leg>& leg : legs_) {
    if (leg != nullptr) CloseRecording(*leg, clock_.Mono());
  }
  mixes_.clear();
  by_id_.clear();
  for (std::unique_ptr<Leg>& leg : legs_) leg.reset();  // sessions end on the thread they lived on
}

void MediaThread::Stop() {
  stop_.store(true, std::memory_order_release);
  const uint64_t one = 1;
  (void)!write(wake_fd_, &one, sizeof one);
}

bool MediaThread::Post(MediaCommand command) {
  const bool pushed = mailbox_.TryPush(MediaCommand(command));
  Wake();
  return pushed;
}

void MediaThread::Wake() {
  if (wake_pending_.exchange(true, std::memory_order_seq_cst)) return;
  const uint64_t one = 1;
  (void)!write(wake_fd_, &one, sizeof one);
}

bool MediaThread::IsOurs(MediaAddress address) const {
  return own_ports_.test(address.port) &&
         std::find(own_ips_.begin(), own_ips_.end(), address.ip) != own_ips_.end();
}

MediaStats MediaThread::Stats() const {
  const Counters& c = counters_;
  return {.packets_in = c.packets_in.Get(),
          .packets_out = c.packets_out.Get(),
          .dropped_foreign = c.dropped_foreign.Get(),
          .dropped_short = c.dropped_short.Get(),
          .dropped_payload_type = c.dropped_payload_type.Get(),
          .dropped_no_leg = c.dropped_no_leg.Get(),
          .dropped_by_ortp = c.dropped_by_ortp.Get(),
          .dropped_duplicate = c.dropped_duplicate.Get(),
          .dropped_rtcp = c.dropped_rtcp.Get(),
          .dropped_srtp_tag = c.dropped_srtp_tag.Get(),
          .dropped_srtp_replay = c.dropped_srtp_replay.Get(),
          .no_peer = c.no_peer.Get(),
          .sends_failed = c.sends_failed.Get(),
          .commands_stale = c.commands_stale.Get(),
          .events_delayed = c.events_delayed.Get(),
          .one_way_legs = c.one_way_legs.Get(),
          .prompt_frames = c.prompt_frames.Get(),
          .sockets = (config_.rtcp == RtcpMode::kPair ? 2 : 1) * pool_.pairs().size(),
          .legs = c.legs.Get(),
          .sessions = c.sessions.Get(),
          .bridged_calls = c.bridged_calls.Get(),
          .mixed_calls = c.mixed_calls.Get()};
}

// ---- times ----

void MediaThread::ArmTimer() {
  MonoTime due = next_sweep_;
  for (const std::unique_ptr<Mix>& mix : mixes_) due = std::min(due, mix->due);
  if (!agenda_.empty()) due = std::min(due, agenda_.front().at);
  if (!untold_.empty()) due = std::min(due, next_tell_);
  if (!listening_.empty()) due = std::min(due, next_listen_);
  if (armed_.has_value() && *armed_ == due) return;
  armed_ = due;
  // Relative, because the clock's zero is not the kernel's; 0 would disarm.
  const int64_t nanos = std::max<int64_t>(1000, due.nanos() - clock_.Mono().nanos());
  itimerspec spec{};
  spec.it_value.tv_sec = nanos / 1'000'000'000;
  spec.it_value.tv_nsec = nanos % 1'000'000'000;
  timerfd_settime(timer_fd_, 0, &spec, nullptr);
}

void MediaThread::RunTimers(MonoTime now) {
  RunAgenda(now);
  RunMixes(now);
  if (!listening_.empty() && now >= next_listen_) RunListeners(now);
  if (now >= next_sweep_) Sweep(now);
  if (!untold_.empty() && now >= next_tell_) {
    std::vector<Event> again;
    again.swap(untold_);
    for (const Event& event : again) Tell(event, now);
  }
}

// One leg after another, a few at a time, so that no packet waits for twenty thousand legs.
void MediaThread::Sweep(MonoTime now) {
  absl::Duration round = absl::Seconds(1);
  for (const absl::Duration wait :
       {config_.dead_call_time, config_.rtcp_interval, config_.keepalive}) {
    if (wait > absl::ZeroDuration()) round = std::min(round, wait / 4);
  }
  round = std::max(round, absl::Milliseconds(10));
  const absl::Duration step = std::max(round / 50, absl::Milliseconds(5));
  next_sweep_ = now + step;
  const auto share = static_cast<size_t>(
      std::ceil(static_cast<double>(legs_.size()) * absl::FDivDuration(step, round)));
  for (size_t i = 0; i < std::min(share, legs_.size()); ++i) {
    if (Leg* const leg = legs_[sweep_at_].get()) SweepLeg(*leg, now);
    sweep_at_ = (sweep_at_ + 1) % legs_.size();
  }
}

void MediaThread::SweepLeg(Leg& leg, MonoTime now) {
  if (!leg.has_remote) return;
  if (config_.dead_call_time > absl::ZeroDuration() && leg.sends &&
      now - leg.silent_since >= config_.dead_call_time) {
    leg.silent_since = now;  // told again if the silence lasts as long again
    Tell({.kind = Event::Kind::kMediaLost, .leg = leg.id, .at = now}, now);
  }
  if (config_.keepalive > absl::ZeroDuration() && leg.Listens() && !leg.Sounds() &&
      leg.mix == nullptr && now - leg.sent.at >= config_.keepalive) {
    static constexpr int16_t kSilence[kFrameSamples] = {};
    SendLinear(leg, kSilence, now);
    leg.out.Part();
    leg.own_audio = false;
  }
  if (!leg.one_way && leg.sends && leg.partner != nullptr && leg.received.packets() == 0 &&
      leg.partner->received.packets() >= leg.bridged_in + kOneWayPackets) {
    leg.one_way = true;
    counters_.one_way_legs.Add(1);
  }
  if (config_.rtcp_interval > absl::ZeroDuration() && now >= leg.report_due) {
    leg.report_due = now + config_.rtcp_interval * (0.5 + rng_.Uniform());  // RFC 3550 6.2
    if (leg.sent.packets != 0) SendReport(leg, now);
  }
}

// Events of one shard stay in order only if nothing overtakes one that waits.
void MediaThread::Tell(const Event& event, MonoTime now) {
  const bool waits = std::any_of(untold_.begin(), untold_.end(), [&](const Event& other) {
    return other.leg.shard == event.leg.shard;
  });
  if (!waits && TryTell(event)) return;
  counters_.events_delayed.Add(1);
  untold_.push_back(event);
  next_tell_ = now + kTellAgain;
}

bool MediaThread::TryTell(const Event& event) {
  return links_[event.leg.shard]->loop->Post([link = links_[event.leg.shard], event] {
    if (link->events == nullptr) return;
    switch (event.kind) {
      case Event::Kind::kPromptDone:
        return link->events->OnPromptDone(event.leg);
      case Event::Kind::kFirstMedia:
        return link->events->OnFirstMedia(event.leg, event.at);
      case Event::Kind::kMediaLost:
        return link->events->OnMediaLost(event.leg);
      case Event::Kind::kHeard:
        return link->events->OnHeard(event.leg, event.heard);
      case Event::Kind::kJoined:
        return link->events->OnJoined(event.leg, event.joined);
      case Event::Kind::kQuality:
        return link->events->OnQuality(event.leg, event.quality);
      case Event::Kind::kDigit:
        return link->events->OnDigit(event.leg, event.digit);
    }
  });
}

}  // namespace outpace::media
