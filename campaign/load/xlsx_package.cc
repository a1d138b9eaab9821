#include "campaign/load/xlsx_package.h"

#include <expat.h>
#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace outpace::load {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;
constexpr int kDepthMax = 64;  // elements inside elements; a sheet has eight

// libzip reads through this: a ByteSource with a position.
struct SourceReader {
  const ByteSource& source;
  zip_uint64_t at = 0;
  zip_error_t error;
};

zip_int64_t ReadSource(void* user, void* data, zip_uint64_t length, zip_source_cmd_t command) {
  auto* const reader = static_cast<SourceReader*>(user);
  switch (command) {
    case ZIP_SOURCE_OPEN:
      reader->at = 0;
      return 0;
    case ZIP_SOURCE_READ: {
      const absl::StatusOr<size_t> read = reader->source.Read(
          reader->at, absl::MakeSpan(static_cast<char*>(data), static_cast<size_t>(length)));
      if (!read.ok()) {
        zip_error_set(&reader->error, ZIP_ER_READ, EIO);
        return -1;
      }
      reader->at += *read;
      return static_cast<zip_int64_t>(*read);
    }
    case ZIP_SOURCE_SEEK: {
      const zip_int64_t to = zip_source_seek_compute_offset(reader->at, reader->source.size(), data,
                                                            length, &reader->error);
      if (to < 0) return -1;
      reader->at = static_cast<zip_uint64_t>(to);
      return 0;
    }
    case ZIP_SOURCE_TELL:
      return static_cast<zip_int64_t>(reader->at);
    case ZIP_SOURCE_STAT: {
      auto* const stat = static_cast<zip_stat_t*>(data);
      zip_stat_init(stat);
      stat->valid = ZIP_STAT_SIZE;
      stat->size = reader->source.size();
      return sizeof(zip_stat_t);
    }
    case ZIP_SOURCE_ERROR:
      return zip_error_to_data(&reader->error, data, length);
    case ZIP_SOURCE_CLOSE:
      return 0;
    case ZIP_SOURCE_FREE:
      zip_error_fini(&reader->error);
      delete reader;
      return 0;
    case ZIP_SOURCE_SUPPORTS:
      return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_SEEK,
                                            ZIP_SOURCE_TELL, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR,
                                            ZIP_SOURCE_CLOSE, ZIP_SOURCE_FREE, -1);
    default:
      zip_error_set(&reader->error, ZIP_ER_OPNOTSUPP, 0);
      return -1;
  }
}

absl::string_view WithoutPrefix(absl::string_view name) {
  const size_t colon = name.find(':');
  return colon == absl::string_view::npos ? name : name.substr(colon + 1);
}

struct FreeParser {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};
using Parser = std::unique_ptr<std::remove_pointer_t<XML_Parser>, FreeParser>;

// What expat's callbacks share.
struct Reading {
  XmlHandler& handler;
  XML_Parser parser = nullptr;
  int depth = 0;
  absl::Status status;

  void Take(absl::Status result) {
    if (result.ok()) return;
    status = std::move(result);
    XML_StopParser(parser, XML_FALSE);
  }
};

void OnStart(void* user, const char* element, const char** attributes) {
  auto* const reading = static_cast<Reading*>(user);
  if (!reading->status.ok()) return;
  if (++reading->depth > kDepthMax) {
    reading->Take(XlsxError("elements are nested too deeply; the file is damaged or hostile"));
    return;
  }
  reading->Take(reading->handler.Start(WithoutPrefix(element), XmlAttributes(attributes)));
}
void OnEnd(void* user, const char* element) {
  auto* const reading = static_cast<Reading*>(user);
  if (!reading->status.ok()) return;
  --reading->depth;
  reading->Take(reading->handler.End(WithoutPrefix(element)));
}
void OnText(void* user, const char* text, int length) {
  auto* const reading = static_cast<Reading*>(user);
  if (!reading->status.ok()) return;
  reading->Take(reading->handler.Text(absl::string_view(text, static_cast<size_t>(length))));
}
// No spreadsheet has a document type, and entities are what XML bombs are made of.
void OnDoctype(void* user, const char*, const char*, const char*, int) {
  auto* const reading = static_cast<Reading*>(user);
  reading->Take(XlsxError("it declares a document type, which no spreadsheet does; not read"));
}

}  // namespace

absl::Status XlsxError(absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat("E_XLSX: ", text));
}

absl::string_view XmlAttributes::Get(absl::string_view name) const {
  for (const char** at = list_; *at != nullptr; at += 2) {
    if (WithoutPrefix(at[0]) == name) return at[1];
  }
  return "";
}

absl::StatusOr<std::unique_ptr<XlsxPackage>> XlsxPackage::Open(const ByteSource& source,
                                                               const XlsxLimits& limits,
                                                               const std::atomic<bool>* cancel) {
  auto* const reader = new SourceReader{source, 0, {}};
  zip_error_init(&reader->error);
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const zip_source = zip_source_function_create(ReadSource, reader, &error);
  if (zip_source == nullptr) {
    delete reader;
    return absl::ResourceExhaustedError("libzip: no memory");
  }
  std::unique_ptr<XlsxPackage> out(new XlsxPackage(limits, cancel));
  out->archive_ = zip_open_from_source(zip_source, ZIP_RDONLY, &error);
  if (out->archive_ == nullptr) {
    const std::string why = zip_error_strerror(&error);
    zip_error_fini(&error);
    zip_source_free(zip_source);
    return XlsxError(absl::StrCat("the file is damaged (", why, "); save it again"));
  }
  zip_error_fini(&error);
  const zip_int64_t parts = zip_get_num_entries(out->archive_, 0);
  if (parts < 0 || static_cast<uint64_t>(parts) > limits.parts) {
    return XlsxError(absl::StrCat("an archive of ", parts, " files is no spreadsheet"));
  }
  return out;
}

XlsxPackage::~XlsxPackage() {
  if (archive_ != nullptr) zip_discard(archive_);
}

bool XlsxPackage::Has(const std::string& part) const {
  return zip_name_locate(archive_, part.c_str(), ZIP_FL_NOCASE) >= 0;
}

absl::Status XlsxPackage::ForEachPiece(
    const std::string& part, const std::function<absl::Status(absl::string_view)>& take) const {
  const zip_int64_t index = zip_name_locate(archive_, part.c_str(), ZIP_FL_NOCASE);
  if (index < 0) return XlsxError(absl::StrCat("it has no part ", part, "; save it again"));
  zip_stat_t stat;
  zip_stat_init(&stat);
  if (zip_stat_index(archive_, static_cast<zip_uint64_t>(index), 0, &stat) != 0) {
    return XlsxError("the file is damaged; save it again");
  }
  if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && stat.encryption_method != ZIP_EM_NONE) {
    return XlsxError("the file has a password; save it without one");
  }
  const uint64_t packed = (stat.valid & ZIP_STAT_COMP_SIZE) != 0 ? stat.comp_size : 0;
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(
      zip_fopen_index(archive_, static_cast<zip_uint64_t>(index), 0), zip_fclose);
  if (file == nullptr) {
    return XlsxError(absl::StrCat("part ", part, " cannot be unpacked (", zip_strerror(archive_),
                                  "); save it again"));
  }
  const auto buffer = std::make_unique<char[]>(kPieceBytes);
  uint64_t total = 0;
  for (;;) {
    if (cancel_ != nullptr && *cancel_) return absl::CancelledError("spreadsheet: cancelled");
    const zip_int64_t n = zip_fread(file.get(), buffer.get(), kPieceBytes);
    if (n < 0) {
      return XlsxError(absl::StrCat("part ", part, " is damaged (", zip_file_strerror(file.get()),
                                    "); save it again"));
    }
    if (n == 0) return absl::OkStatus();
    total += static_cast<uint64_t>(n);
    if (total > limits_.part_octets ||
        (total > limits_.free_octets && total / limits_.ratio > packed)) {
      return XlsxError(absl::StrCat("part ", part, " unpacks to more than ", total >> 20,
                                    " MiB; the file is hostile or mostly empty: save the rows that "
                                    "are used as \"CSV UTF-8\""));
    }
    absl::Status status = take(absl::string_view(buffer.get(), static_cast<size_t>(n)));
    if (!status.ok()) return status;
  }
}

absl::StatusOr<std::string> XlsxPackage::Head(const std::string& part) const {
  std::string head;
  absl::Status status = ForEachPiece(part, [&](absl::string_view piece) -> absl::Status {
    head.append(piece.data(), std::min<size_t>(piece.size(), 4096 - head.size()));
    return head.size() < 4096 ? absl::OkStatus() : absl::OutOfRangeError("enough");
  });
  if (!status.ok() && !absl::IsOutOfRange(status)) return status;
  return head;
}

absl::Status XlsxPackage::Read(const std::string& part, XmlHandler& handler) const {
  const Parser parser(XML_ParserCreate(nullptr));
  if (parser == nullptr) return absl::ResourceExhaustedError("expat: no memory");
  Reading reading{handler, parser.get(), 0, absl::OkStatus()};
  XML_SetUserData(parser.get(), &reading);
  XML_SetElementHandler(parser.get(), OnStart, OnEnd);
  XML_SetCharacterDataHandler(parser.get(), OnText);
  XML_SetStartDoctypeDeclHandler(parser.get(), OnDoctype);
  const auto feed = [&](absl::string_view piece, bool last) -> absl::Status {
    const XML_Status result =
        XML_Parse(parser.get(), piece.data(), static_cast<int>(piece.size()), last ? 1 : 0);
    if (!reading.status.ok()) return reading.status;
    if (result == XML_STATUS_OK) return absl::OkStatus();
    return XlsxError(absl::StrCat("part ", part, " is damaged (",
                                  XML_ErrorString(XML_GetErrorCode(parser.get())),
                                  "); save it again"));
  };
  absl::Status status =
      ForEachPiece(part, [&](absl::string_view piece) { return feed(piece, false); });
  return status.ok() ? feed("", true) : status;
}

}  // namespace outpace::load
