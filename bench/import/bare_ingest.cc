#include "bench/import/bare_ingest.h"

#include <rocksdb/db.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/load/byte_source.h"

namespace outpace::bench {
namespace {

constexpr uint64_t kRowsOfAFile = 64 * 1024;
// Octets a lead has in the store, beside its texts (campaign/store/lead_record.h): the hot record,
// the entry in the index of numbers, the one in the index of what is due.
constexpr size_t kHotBytes = 116, kPhoneBytes = 12, kPhoneKeyBytes = 16, kDueKeyBytes = 40;

struct Family {
  std::string name;
  size_t key_bytes, value_bytes;  // 0: texts
  size_t block_bytes;
  bool compressed;
};

absl::Status StatusOf(const rocksdb::Status& status) {
  return status.ok() ? absl::OkStatus() : absl::UnavailableError(status.ToString());
}

rocksdb::ColumnFamilyOptions OptionsOf(const Family& family) {
  rocksdb::ColumnFamilyOptions out;
  out.compression = family.compressed ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
  rocksdb::BlockBasedTableOptions table;
  table.block_size = family.block_bytes;
  out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return out;
}

void AppendBig(uint64_t value, size_t bytes, std::string& to) {
  for (size_t i = bytes; i-- > 0;) to.push_back(static_cast<char>(i < 8 ? value >> (8 * i) : 0));
}

// The octets of a list, cut into rows of the same size wherever that falls.
class Texts {
 public:
  static absl::StatusOr<Texts> Open(const std::string& list, uint64_t rows) {
    auto source = load::OpenFileSource(list);
    if (!source.ok()) return source.status();
    Texts out;
    out.source_ = *std::move(source);
    out.row_.resize(static_cast<size_t>(out.source_->size() / rows));
    out.block_.resize(1 << 20);
    return out;
  }
  absl::StatusOr<rocksdb::Slice> Next() {
    if (end_ - at_ < row_.size()) {
      std::copy(block_.begin() + static_cast<ptrdiff_t>(at_),
                block_.begin() + static_cast<ptrdiff_t>(end_), block_.begin());
      end_ -= at_;
      at_ = 0;
      const auto got = source_->Read(offset_, absl::MakeSpan(block_).subspan(end_));
      if (!got.ok()) return got.status();
      offset_ += *got;
      end_ += *got;
    }
    const rocksdb::Slice row(block_.data() + at_, std::min(row_.size(), end_ - at_));
    at_ += row.size();
    return row;
  }

 private:
  std::unique_ptr<load::ByteSource> source_;
  std::string row_;
  std::vector<char> block_;
  uint64_t offset_ = 0;
  size_t at_ = 0, end_ = 0;
};

// All files of one family.
absl::Status WriteFiles(const Family& family, const std::string& list, uint64_t rows,
                        const std::string& directory, std::vector<std::string>& paths) {
  absl::StatusOr<Texts> texts = Texts::Open(list, rows);
  if (!texts.ok()) return texts.status();
  const rocksdb::Options options(rocksdb::DBOptions(), OptionsOf(family));
  std::string key, value;
  for (uint64_t first = 0; first < rows; first += kRowsOfAFile) {
    rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), options);
    paths.push_back(absl::StrCat(directory, "/", family.name, "-", first, ".sst"));
    if (absl::Status s = StatusOf(writer.Open(paths.back())); !s.ok()) return s;
    for (uint64_t row = first; row < std::min(rows, first + kRowsOfAFile); ++row) {
      key.clear();
      AppendBig(row, family.key_bytes, key);
      rocksdb::Slice octets;
      if (family.value_bytes == 0) {
        const absl::StatusOr<rocksdb::Slice> text = texts->Next();
        if (!text.ok()) return text.status();
        octets = *text;
      } else {
        value.assign(family.value_bytes, '\0');
        value.replace(0, std::min(value.size(), key.size()), key, 0, value.size());
        octets = value;
      }
      if (absl::Status s = StatusOf(writer.Put(key, octets)); !s.ok()) return s;
    }
    if (absl::Status s = StatusOf(writer.Finish()); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status BareIngest(const std::string& list, uint64_t rows, const std::string& directory) {
  std::filesystem::create_directories(directory);
  const Family families[] = {{"leads", 8, kHotBytes, 4 << 10, true},
                             {"texts", 8, 0, 16 << 10, true},
                             {"phones", kPhoneKeyBytes, kPhoneBytes, 4 << 10, true},
                             {"due", kDueKeyBytes, 1, 32 << 10, false}};
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors = {
      {rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions()}};
  for (const Family& family : families) descriptors.emplace_back(family.name, OptionsOf(family));
  rocksdb::DBOptions options;
  options.create_if_missing = options.create_missing_column_families = true;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  absl::Status status =
      StatusOf(rocksdb::DB::Open(options, directory + "/db", descriptors, &handles, &opened));
  if (!status.ok()) return status;
  const std::unique_ptr<rocksdb::DB> db(opened);
  std::vector<rocksdb::IngestExternalFileArg> files(std::size(families));
  for (size_t i = 0; i < files.size() && status.ok(); ++i) {
    files[i].column_family = handles[i + 1];
    files[i].options.move_files = true;
    files[i].options.write_global_seqno = false;
    status = WriteFiles(families[i], list, rows, directory, files[i].external_files);
  }
  if (status.ok()) status = StatusOf(db->IngestExternalFiles(files));
  for (rocksdb::ColumnFamilyHandle* const handle : handles) {
    db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  std::filesystem::remove_all(directory);
  return status;
}

}  // namespace outpace::bench
