// Do-not-call entries in bulk: import and export of files.

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/dnc_file.h"
#include "engine/runtime/files.h"

namespace outpace::runtime {
namespace {

// Entries given to the engine at a time: its control thread puts them into force meanwhile, 10 us
// each at most, and calls wait for it.
constexpr size_t kBatch = 2'000;
constexpr int64_t kFaultsShown = 20;

}  // namespace

// A number that was meant to be blocked and is not must be told: lines that are not understood are
// named, and the command does not look like a success. What is understood is in force.
absl::StatusOr<Json> Admin::Impl::DncImport(const Json& arguments) {
  auto path = Need(arguments, "path");
  if (!path.ok()) return path.status();
  auto defaults = DncDefaultsIn(arguments, absl::StrCat("import ", *path));
  if (!defaults.ok()) return defaults.status();
  DncFileReader reader(*defaults, Text(arguments, "country", "US"),
                       [this](const dnc::DncScope& scope) { return CheckDncScope(scope); });
  int64_t added = 0, rejected = 0, number = 0;
  std::string bad;
  std::vector<campaign::DncEntry> batch;
  const auto flush = [&] {
    const size_t size = batch.size();
    absl::Status s = batch.empty() ? absl::OkStatus() : AddDnc(std::exchange(batch, {}));
    if (s.ok()) added += static_cast<int64_t>(size);
    return s;
  };
  const auto hash = ForEachLine(*path, [&](absl::string_view line) {
    ++number;
    auto entry = reader.Read(line);
    if (absl::IsFailedPrecondition(entry.status())) {
      return absl::Status(absl::StatusCode::kInvalidArgument, entry.status().message());
    }
    if (!entry.ok()) {
      if (++rejected <= kFaultsShown) {
        absl::StrAppend(&bad, "  line ", number, ": ", entry.status().message(), "\n");
      }
      return absl::OkStatus();
    }
    if (!entry->has_value()) return absl::OkStatus();
    batch.push_back(**std::move(entry));
    return batch.size() < kBatch ? absl::OkStatus() : flush();
  });
  if (!hash.ok() || !batch.empty()) {
    absl::Status status = hash.status();
    if (status.ok()) status = flush();
    if (!status.ok()) {
      return absl::Status(status.code(),
                          added == 0 ? std::string(status.message())
                                     : absl::StrCat(status.message(), "; ", added,
                                                    " entries before that are in force; import the "
                                                    "whole file again"));
    }
  }
  if (rejected > kFaultsShown) absl::StrAppend(&bad, "  and ", rejected - kFaultsShown, " more\n");
  Json answer = Answer(absl::StrCat(*path, ": ", added, " entries added, ", rejected,
                                    " lines not understood\n", bad));
  answer["added"] = added;
  answer["rejected"] = rejected;
  answer["sha256"] = *hash;
  answer["incomplete"] = rejected > 0;
  return answer;
}

absl::StatusOr<Json> Admin::Impl::DncExport(const Json& arguments) {
  auto path = Need(arguments, "path");
  if (!path.ok()) return path.status();
  std::optional<dnc::DncScope> only;
  if (arguments.contains("scope")) {
    auto scope = dnc::DncScope::Parse(Text(arguments, "scope"));
    if (!scope.ok()) return scope.status();
    only = *std::move(scope);
  }
  auto file = AtomicFile::Create(*path);
  if (!file.ok()) return file.status();
  int64_t rows = 0;
  absl::Status written = (*file)->Write(DncCsvHeading());
  const absl::Status read = store.ForEachDnc([&](const campaign::DncEntry& entry) {
    if (only.has_value() && entry.scope != *only) return entry.scope < *only;
    ++rows;
    written.Update((*file)->Write(DncCsvRow(entry)));
    return written.ok();
  });
  if (!read.ok()) return read;
  if (written.ok()) written = (*file)->Commit();
  if (!written.ok()) return written;
  Json answer = Answer(absl::StrCat(*path, ": ", rows, " entries\n"));
  answer["rows"] = rows;
  if (only.has_value()) answer["scope"] = only->ToString();
  return answer;
}

}  // namespace outpace::runtime
