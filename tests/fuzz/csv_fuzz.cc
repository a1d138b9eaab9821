// Whatever octets come in as a list file: no crash, every row accounted for, nothing stored that is
// not a number with a zone, and the same octets give the same result in pieces of any size. Seeds:
// tests/data/csv-hostile.

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "campaign/load/loader.h"
#include "campaign/load/utf8.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/base/check.h"

namespace outpace::load {
namespace {

class FuzzClock final : public Clock {
 public:
  MonoTime Mono() const override { return MonoTime(0); }
  absl::Time Wall() const override { return absl::FromUnixSeconds(1'768'478'400); }
};

// Loads once; returns what should not differ from one run to the next.
std::string LoadOnce(absl::string_view bytes, const LoadOptions& options) {
  store::MemoryLeadStore store;
  campaign::StoreBatch batch;
  batch.lists.push_back({.id = options.list, .name = "fuzz", .campaign = options.campaign});
  OUTPACE_CHECK(store.Commit(batch).ok());
  uint64_t rejects = 0;
  std::string trace;
  LoadHooks hooks;
  hooks.on_reject = [&](const Reject& reject) {
    ++rejects;
    absl::StrAppend(&trace, reject.line, reject.code, ";");
  };
  const auto report =
      LoadLeads(*MemorySource(bytes), options, dnc::DncSet(), store, FuzzClock(), hooks);
  uint64_t stored = 0;
  OUTPACE_CHECK(store
                    .ForEachLead([&](const campaign::Lead& lead) {
                      ++stored;
                      OUTPACE_CHECK(lead.phone.valid() && lead.phone.Digits().size() >= 8);
                      OUTPACE_CHECK(!lead.time_zones.empty());
                      OUTPACE_CHECK(lead.called_count == 0);
                      for (const auto& [name, value] : lead.fields) {
                        OUTPACE_CHECK(CheckUtf8(value) == Utf8::kValid);
                        OUTPACE_CHECK(CheckUtf8(name) == Utf8::kValid);
                        OUTPACE_CHECK(value.find('\0') == std::string::npos);
                      }
                      trace += lead.phone.Digits() + ",";
                      return true;
                    })
                    .ok());
  if (!report.ok()) {
    OUTPACE_CHECK(stored == 0);
    return std::string(report.status().message());
  }
  OUTPACE_CHECK(report->counts.Balanced());
  OUTPACE_CHECK(rejects == report->counts.rows - report->counts.accepted);
  OUTPACE_CHECK(stored == report->counts.accepted);
  return trace;
}

}  // namespace
}  // namespace outpace::load

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using outpace::load::LoadOptions;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  LoadOptions options;
  options.list = outpace::ListId(1);
  options.campaign = "FUZZ";
  options.country = size % 2 == 0 ? "CN" : "US";
  const std::string first = outpace::load::LoadOnce(bytes, options);
  options.piece_octets = 64 + size % 200;
  options.threads = 2;
  OUTPACE_CHECK(first == outpace::load::LoadOnce(bytes, options));
  return 0;
}
