#include "bench/media/media_systems.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

namespace outpace::bench {

absl::string_view ModeName(Mode mode) {
  switch (mode) {
    case Mode::kBare:
      return "bare relay";
    case Mode::kOrtp:
      return "plain oRTP";
    case Mode::kRelay:
      return "relay";
    case Mode::kRecordWav:
      return "record wav";
    case Mode::kRecordUlaw:
      return "record ulaw";
    case Mode::kRecordOpus:
      return "record opus";
    case Mode::kSrtp:
      return "srtp";
    case Mode::kTranscodeLaw:
      return "transcode pcma";
    case Mode::kTranscodeG722:
      return "transcode g722";
    case Mode::kTranscodeOpus:
      return "transcode opus";
    case Mode::kMix:
      return "mix";
    case Mode::kListen:
      return "listen";
    case Mode::kEarly:
      return "early";
  }
  return "";
}

std::vector<Mode> AllModes() {
  return {Mode::kBare,          Mode::kOrtp,          Mode::kRelay, Mode::kRecordWav,
          Mode::kRecordUlaw,    Mode::kRecordOpus,    Mode::kSrtp,  Mode::kTranscodeLaw,
          Mode::kTranscodeG722, Mode::kTranscodeOpus, Mode::kMix,   Mode::kListen,
          Mode::kEarly};
}

bool Comparable(Mode mode) {
  switch (mode) {
    case Mode::kTranscodeG722:
    case Mode::kTranscodeOpus:
    case Mode::kMix:
    case Mode::kEarly:
      return false;
    default:
      return true;
  }
}

TrafficOptions TrafficFor(const SystemOptions& options) {
  TrafficOptions traffic;
  traffic.slots = SlotOf(options, options.calls - 1, LegsOf(options.mode) - 1) + 1;
  if (options.mode == Mode::kEarly) traffic.slots = 2 * options.calls;
  traffic.stamped = Comparable(options.mode);
  traffic.srtp = options.mode == Mode::kSrtp;
  traffic.realtime = options.realtime;
  if (options.mode == Mode::kTranscodeLaw) traffic.codec[1] = codec::Codec::kPcma;
  if (options.mode == Mode::kTranscodeG722) traffic.codec[1] = codec::Codec::kG722;
  if (options.mode == Mode::kTranscodeOpus) traffic.codec[1] = codec::Codec::kOpus;
  if (options.mode == Mode::kEarly) traffic.sound = Sound::kRingback;
  return traffic;
}

int SlotOf(const SystemOptions& options, int call, int leg) {
  return leg < 2 ? 2 * call + leg : 2 * options.calls + call;
}

int RunSystem(Shared& shared, const SystemOptions& options) {
  RaiseDescriptors();
  switch (options.mode) {
    case Mode::kBare:
      return RunBare(shared, options);
    case Mode::kOrtp:
      return RunOrtp(shared, options);
    default:
      return RunEngine(shared, options);
  }
}

void BeMediaThread(bool realtime) {
  ::pthread_setname_np(::pthread_self(), "media");
  if (!realtime) return;
  sched_param param{};
  param.sched_priority = 5;
  ::pthread_setschedparam(::pthread_self(), SCHED_RR, &param);
}

void RaiseDescriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace outpace::bench
