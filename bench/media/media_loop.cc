#include "bench/media/media_loop.h"

#include <poll.h>

#include <cstdio>
#include <mutex>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "bench/media/media_shared.h"
#include "engine/base/check.h"
#include "engine/media/sdes.h"

namespace outpace::bench {

void PrintedLog::Write(Severity severity, absl::string_view event,
                       std::initializer_list<LogField> fields) {
  if (!Wants(severity) || event == "media.built_in_prompt") return;
  static std::mutex mutex;
  static std::set<std::string> printed;
  const std::lock_guard<std::mutex> lock(mutex);
  if (!printed.insert(std::string(event)).second) return;
  std::string line(event);
  for (const LogField& field : fields) {
    absl::StrAppend(&line, " ", field.name, "=");
    if (const auto* text = std::get_if<std::string>(&field.value)) absl::StrAppend(&line, *text);
    if (const auto* number = std::get_if<int64_t>(&field.value)) absl::StrAppend(&line, *number);
  }
  std::fprintf(stderr, "engine: %s\n", line.c_str());
}

absl::StatusOr<std::unique_ptr<EngineMedia>> EngineMedia::Start(const media::MediaConfig& config,
                                                                call::MediaEvents& events) {
  auto engine = std::unique_ptr<EngineMedia>(new EngineMedia());
  auto server = media::MediaServer::Start(config, engine->clock_, engine->log_);
  if (!server.ok()) return server.status();
  engine->server_ = *std::move(server);
  engine->plane_ = engine->server_->ForShard(0, engine->loop_, events);
  engine->loop_.Start();
  return engine;
}

EngineMedia::~EngineMedia() {
  if (plane_ != nullptr) Run([this](media::ShardMediaPlane&) { plane_.reset(); });
  if (server_ != nullptr) server_->Stop();
  loop_.Stop();
}

void EngineMedia::Post(Loop::Task task) { OUTPACE_CHECK(loop_.Post(std::move(task))); }

bool WaitUntil(const std::function<bool()>& done, double seconds) {
  const int64_t until = WallNs() + static_cast<int64_t>(seconds * 1e9);
  while (!done()) {
    if (WallNs() > until) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

uint16_t AudioPortOf(absl::string_view sdp) {
  const size_t at = sdp.find("m=audio ");
  if (at == absl::string_view::npos) return 0;
  sdp.remove_prefix(at + 8);
  int port = 0;
  return absl::SimpleAtoi(sdp.substr(0, sdp.find(' ')), &port) ? static_cast<uint16_t>(port) : 0;
}

uint8_t PayloadTypeOf(codec::Codec codec) {
  const int fixed = codec::InfoOf(codec).static_type;
  return static_cast<uint8_t>(fixed >= 0 ? fixed : 111);
}

std::string FarSdp(codec::Codec codec, uint16_t port, uint16_t rtcp_port,
                   const media::SrtpKey* key) {
  const codec::CodecInfo& info = codec::InfoOf(codec);
  const int type = PayloadTypeOf(codec);
  std::string sdp = absl::StrCat(
      "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ", port,
      key != nullptr ? " RTP/SAVP " : " RTP/AVP ", type, " 101\r\na=rtpmap:", type, " ", info.name,
      "/", info.rtp_rate, info.channels > 1 ? "/2" : "",
      "\r\na=rtpmap:101 telephone-event/8000\r\na=rtcp:", rtcp_port, "\r\na=sendrecv\r\n");
  if (key != nullptr) {
    absl::StrAppend(&sdp, media::SdesText({.tag = 1, .key = *key, .mki_size = 0}));
  }
  return sdp;
}

}  // namespace outpace::bench
