#include "campaign/store/bulk_file.h"

#include <rocksdb/convenience.h>
#include <rocksdb/env.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace outpace::store {
namespace {

absl::Status DiskError(const rocksdb::Status& status) {
  return absl::UnavailableError(
      absl::StrCat("store: a file of the load under way: ", status.ToString(),
                   "; free space or look at the disk, then load the file again"));
}

}  // namespace

BulkFile::BulkFile(const RocksDb& db, Family family, std::string path)
    : db_(db), family_(family), path_(std::move(path)) {}
BulkFile::~BulkFile() = default;

absl::Status BulkFile::Put(absl::string_view key, absl::string_view value) {
  if (writer_ == nullptr) {
    const rocksdb::Options options = db_.db->GetOptions(db_[family_]);
    // A load's leads are found where they are looked for: no filter would ever say no.
    const bool skip_filters = family_ == kLeads || family_ == kTexts;
    writer_ = std::make_unique<rocksdb::SstFileWriter>(
        rocksdb::EnvOptions(options), options, db_[family_], /*invalidate_page_cache=*/false,
        rocksdb::Env::IOPriority::IO_TOTAL, skip_filters);
    if (const rocksdb::Status s = writer_->Open(path_); !s.ok()) return DiskError(s);
  }
  const rocksdb::Status status = writer_->Put(SliceOf(key), SliceOf(value));
  return status.ok() ? absl::OkStatus() : DiskError(status);
}

absl::Status BulkFile::Finish(bool& made) {
  made = writer_ != nullptr;
  if (!made) return absl::OkStatus();
  const rocksdb::Status status = writer_->Finish();
  writer_.reset();
  return status.ok() ? absl::OkStatus() : DiskError(status);
}

uint64_t BulkFile::bytes() const { return writer_ == nullptr ? 0 : writer_->FileSize(); }

BulkFiles::BulkFiles(const RocksDb& db, Family family, std::string path, uint64_t bytes_max)
    : db_(db), family_(family), path_(std::move(path)), bytes_max_(bytes_max) {}

absl::Status BulkFiles::Put(absl::string_view key, absl::string_view value) {
  if (file_ != nullptr && file_->bytes() >= bytes_max_) {
    if (absl::Status status = FinishOne(); !status.ok()) return status;
  }
  if (file_ == nullptr) {
    file_ = std::make_unique<BulkFile>(db_, family_, absl::StrCat(path_, paths_.size(), ".sst"));
  }
  return file_->Put(key, value);
}

absl::Status BulkFiles::FinishOne() {
  bool made = false;
  if (absl::Status status = file_->Finish(made); !status.ok()) return status;
  if (made) paths_.push_back(file_->path());
  file_.reset();
  return absl::OkStatus();
}

absl::Status BulkFiles::Finish() { return file_ == nullptr ? absl::OkStatus() : FinishOne(); }

absl::Status MakeEmptyDirectory(rocksdb::Env* env, const std::string& directory) {
  if (absl::Status status = RemoveDirectory(env, directory); !status.ok()) return status;
  rocksdb::Status status;
  if (const size_t slash = directory.rfind('/'); slash != std::string::npos && slash > 0) {
    status = env->CreateDirIfMissing(directory.substr(0, slash));
  }
  if (status.ok()) status = env->CreateDirIfMissing(directory);
  return status.ok() ? absl::OkStatus() : DiskError(status);
}

absl::Status RemoveDirectory(rocksdb::Env* env, const std::string& directory) {
  std::vector<std::string> names;
  rocksdb::Status status = env->GetChildren(directory, &names);
  if (status.IsNotFound() || status.IsPathNotFound()) return absl::OkStatus();
  for (const std::string& name : names) {
    if (!status.ok()) break;
    if (name == "." || name == "..") continue;
    const std::string path = absl::StrCat(directory, "/", name);
    bool is_directory = false;
    status = env->IsDirectory(path, &is_directory);
    if (!status.ok()) break;
    if (is_directory) {
      if (absl::Status s = RemoveDirectory(env, path); !s.ok()) return s;
    } else {
      status = env->DeleteFile(path);
    }
  }
  if (status.ok()) status = env->DeleteDir(directory);
  return status.ok() ? absl::OkStatus() : DiskError(status);
}

}  // namespace outpace::store
