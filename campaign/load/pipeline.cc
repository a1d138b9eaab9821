#include "campaign/load/pipeline.h"

#include <thread>
#include <utility>
#include <vector>

namespace outpace::load {
namespace {

constexpr absl::Duration kProgressEvery = absl::Milliseconds(250);

}  // namespace

Pipeline::Pipeline(const Parts& parts) : parts_(parts), began_(parts.clock.Mono()), told_(began_) {}

absl::Status Pipeline::Run(size_t threads) {
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; ++i) others.emplace_back([this] { Work(); });
  Work();
  for (std::thread& thread : others) thread.join();
  const absl::MutexLock lock(&turn_mutex_);
  return status_;
}

void Pipeline::Fail(absl::Status status) {
  const absl::MutexLock lock(&turn_mutex_);
  if (status_.ok()) status_ = std::move(status);
}

bool Pipeline::failed() {
  const absl::MutexLock lock(&turn_mutex_);
  return !status_.ok();
}

void Pipeline::Work() {
  PieceParser parser(parts_.rules);
  TextPiece piece;
  ParsedPiece parsed;
  uint64_t ticket = 0, octets = 0;
  while (Read(piece, ticket, octets)) {
    absl::Status status = parser.Parse(piece, parsed);
    if (!status.ok()) return Fail(std::move(status));
    LeadId first;
    if (!Settle(ticket, octets, parsed, first)) return;
    if (parts_.bulk == nullptr || parsed.leads.empty()) continue;
    status = parts_.bulk->Add(first, parsed.leads);
    if (!status.ok()) return Fail(std::move(status));
  }
}

bool Pipeline::Read(TextPiece& piece, uint64_t& ticket, uint64_t& octets) {
  const absl::MutexLock lock(&read_mutex_);
  if (failed()) return false;
  if (parts_.hooks.cancel != nullptr && *parts_.hooks.cancel) {
    Fail(absl::CancelledError("load: cancelled; nothing of it is stored"));
    return false;
  }
  const absl::StatusOr<bool> more = parts_.splitter.Next(piece);
  if (!more.ok()) {
    Fail(more.status());
    return false;
  }
  ticket = tickets_++;
  octets = parts_.octets_done();
  return *more;
}

bool Pipeline::Settle(uint64_t ticket, uint64_t octets, ParsedPiece& parsed, LeadId& first) {
  const absl::MutexLock lock(&turn_mutex_);
  const auto is_mine = [this, ticket]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_mutex_) {
    return turn_ == ticket || !status_.ok();
  };
  turn_mutex_.Await(absl::Condition(&is_mine));
  if (!status_.ok()) return false;
  if (absl::Status status = parts_.ledger.Settle(parsed); !status.ok()) {
    status_ = std::move(status);
    return false;
  }
  first = LeadId(parts_.first_lead.value() + accepted_);
  accepted_ += parsed.leads.size();
  if (parts_.bulk != nullptr && accepted_ > parts_.leads_max) {
    status_ = absl::DataLossError("file: was changed while it was read; load it again");
    return false;
  }
  ++turn_;
  TellProgress(octets);
  return true;
}

void Pipeline::TellProgress(uint64_t octets) {
  const MonoTime now = parts_.clock.Mono();
  if (!parts_.hooks.on_progress || now - told_ < kProgressEvery) return;
  told_ = now;
  LoadProgress progress;
  progress.octets_done = octets;
  progress.octets_total = parts_.octets_total;
  progress.rows = parts_.report.counts.rows;
  progress.accepted = parts_.report.counts.accepted;
  progress.rows_per_second =
      static_cast<double>(progress.rows) / absl::ToDoubleSeconds(now - began_);
  parts_.hooks.on_progress(progress);
}

}  // namespace outpace::load
