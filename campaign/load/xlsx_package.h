#pragma once

// The archive a spreadsheet is: its parts, unpacked as a stream within limits, and read as XML that
// may declare no entities. The only place with libzip and expat.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/load/byte_source.h"
#include "campaign/load/xlsx_reader.h"

struct zip;

namespace outpace::load {

// Attributes of an element, as expat has them: name, value, ..., nullptr.
class XmlAttributes {
 public:
  explicit XmlAttributes(const char** list) : list_(list) {}
  // Without its prefix: "id" is r:id too. Empty if absent.
  absl::string_view Get(absl::string_view name) const;

 private:
  const char** const list_;
};

// What is told of a part. Names come without their prefix ("x:row" is "row"). A handler that finds
// the file wrong returns the error, and reading ends.
class XmlHandler {
 public:
  virtual ~XmlHandler() = default;
  virtual absl::Status Start(absl::string_view element, const XmlAttributes& attributes) = 0;
  virtual absl::Status End(absl::string_view element) = 0;
  virtual absl::Status Text(absl::string_view text) = 0;  // in any pieces
};

class XlsxPackage {
 public:
  // All must outlive the package. When `cancel` is true reading ends with Cancelled; nullptr:
  // never. InvalidArgument: no archive, a damaged one, or too many parts.
  static absl::StatusOr<std::unique_ptr<XlsxPackage>> Open(
      const ByteSource& source, const XlsxLimits& limits,
      const std::atomic<bool>* cancel = nullptr);
  ~XlsxPackage();

  bool Has(const std::string& part) const;
  // The first octets of a part, at most 4096. InvalidArgument: damaged.
  absl::StatusOr<std::string> Head(const std::string& part) const;
  // InvalidArgument: absent, damaged, encrypted, beyond the limits, no XML; or what `handler`
  // returned.
  absl::Status Read(const std::string& part, XmlHandler& handler) const;

 private:
  XlsxPackage(const XlsxLimits& limits, const std::atomic<bool>* cancel)
      : limits_(limits), cancel_(cancel) {}
  absl::Status ForEachPiece(const std::string& part,
                            const std::function<absl::Status(absl::string_view)>& take) const;

  const XlsxLimits& limits_;
  const std::atomic<bool>* const cancel_;
  zip* archive_ = nullptr;
};

// "E_XLSX: ...".
absl::Status XlsxError(absl::string_view text);

}  // namespace outpace::load
