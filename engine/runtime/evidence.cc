#include "engine/runtime/evidence.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/audit/segment.h"

namespace outpace::runtime {
namespace {

// Nobody makes a new key for an old log: it would take every event for forged.
absl::StatusOr<bool> HasLog(audit::AuditFiles& files) {
  auto names = files.List();
  if (!names.ok()) return names.status();
  return !audit::SegmentsAmong(*names).empty() ||
         std::find(names->begin(), names->end(), audit::kHeadFile) != names->end();
}

}  // namespace

std::string CommandActor() { return absl::StrCat("command line, user ", ::getuid()); }

absl::StatusOr<std::unique_ptr<Evidence>> Evidence::Open(const Config& config, const Clock& clock,
                                                         Log& log) {
  std::unique_ptr<Evidence> evidence(new Evidence(config, clock));
  auto files = audit::NewPosixAuditFiles(config.AuditPath());
  if (!files.ok()) return files.status();
  evidence->files_ = *std::move(files);
  const auto has_log = HasLog(*evidence->files_);
  if (!has_log.ok()) return has_log.status();
  audit::AuditLogConfig options;
  auto key = *has_log
                 ? audit::SealKey::Load(config.AuditKeyPath())
                 : audit::SealKey::LoadOrMake(config.AuditKeyPath(), &options.writer.key_is_new);
  if (absl::IsNotFound(key.status())) {
    return absl::FailedPreconditionError(absl::StrCat(
        key.status().message(), "; or move ", config.AuditPath(), " away, and a new log begins"));
  }
  if (!key.ok()) return key.status();
  evidence->key_ = *key;
  options.writer.go_on_after_damage = true;
  auto opened = audit::AuditLog::Open(options, *std::move(key), *evidence->files_, clock, log);
  if (!opened.ok()) return opened.status();
  evidence->log_ = *std::move(opened);
  return evidence;
}

absl::Status Evidence::Note(audit::Event event) {
  if (absl::Status taken = log_->Append(std::move(event)); !taken.ok()) return taken;
  return log_->Flush();
}

void Evidence::PruneOld() {
  if (keep_days_ == 0) return;
  log_->Prune(clock_.Wall() - absl::Hours(24) * keep_days_, nullptr).IgnoreError();  // it is told
}

}  // namespace outpace::runtime
