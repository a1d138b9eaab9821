// Copies of the store, made while the engine goes on.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "campaign/store/store_backup.h"
#include "engine/runtime/admin_impl.h"

namespace outpace::runtime {
namespace {

absl::Status NotOnDisk() {
  return absl::FailedPreconditionError("this store is not on disk; there is nothing to copy");
}

}  // namespace

absl::StatusOr<Json> Admin::Impl::StoreCheckpoint(const Json& arguments) {
  auto path = Need(arguments, "path");
  if (!path.ok()) return path.status();
  if (hooks.rocks == nullptr) return NotOnDisk();
  if (absl::Status s = store::MakeCheckpoint(*hooks.rocks, *path); !s.ok()) return s;
  return Answer(
      absl::StrCat(*path,
                   ": the store as it is now; on the same file system it shares its files with the "
                   "store, so keep a backup on another disk too\n"));
}

absl::StatusOr<Json> Admin::Impl::StoreBackup(const Json& arguments) {
  auto path = Need(arguments, "path");
  if (!path.ok()) return path.status();
  if (hooks.rocks == nullptr) return NotOnDisk();
  auto made = store::MakeBackup(*hooks.rocks, *path);
  if (!made.ok()) return made.status();
  Json answer = Answer(absl::StrFormat("%s: backup %d, %.1f MB, read again and good\n", *path,
                                       made->number, static_cast<double>(made->bytes) / 1e6));
  answer["backup"] = made->number;
  answer["bytes"] = made->bytes;
  return answer;
}

absl::StatusOr<Json> Admin::Impl::StoreVerify(const Json&) {
  if (hooks.rocks == nullptr) return NotOnDisk();
  if (absl::Status s = store::VerifyStore(*hooks.rocks); !s.ok()) return s;
  return Answer("every record can be read, and every index agrees with it\n");
}

}  // namespace outpace::runtime
