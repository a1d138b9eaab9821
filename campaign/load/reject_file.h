#pragma once

// The rows that were not loaded, as a file of the kind they came in: same separator, same encoding,
// the header kept, each row exactly as it stood, octet for octet. Two columns stand in front,
// "outpace_line" and "outpace_reason". Whoever gets it corrects the rows and loads the file again
// as it is: the two columns are known and left out then (and replaced, if rows are rejected again).
//
// They stand in front because a row that is at fault may have too many columns, too few, or a quote
// that never closes; behind it they would be lost.
//
// A file without a header gets one, of our names for its columns: rows of a known layout would be
// taken for those of a wider one otherwise.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/load/encoding.h"
#include "campaign/load/loader.h"

namespace outpace::load {

inline constexpr absl::string_view kRejectLineColumn = "outpace_line";
inline constexpr absl::string_view kRejectReasonColumn = "outpace_reason";

// Whether a first row is that of a reject file: then it is a header, whatever layout was named.
bool IsRejectHeader(const std::vector<std::string>& cells);

// What is told of a row: "E_PHONE_LENGTH: 手机号: phone: 7 digits", "DUPLICATE_STORE: a lead with
// this number is loaded already: lead 4711". Never a value of the row.
std::string RejectReason(const Reject& reject);

// One thread at a time.
class RejectWriter {
 public:
  using Sink = std::function<void(absl::string_view)>;

  // Octets go to `sink`, the file's beginning at once. InvalidArgument: no such encoding.
  static absl::StatusOr<std::unique_ptr<RejectWriter>> Make(const FileShape& shape, Sink sink);
  void Add(const Reject& reject);

 private:
  RejectWriter(const FileShape& shape, Sink sink, std::unique_ptr<TextEncoder> encoder);
  void WriteHeader();
  void AppendField(absl::string_view field, std::string& line) const;
  void Write(absl::string_view utf8);

  const FileShape shape_;
  // The input is a reject file that had rejects again: what stands in front of its rows is
  // replaced.
  const bool again_;
  const Sink sink_;
  const std::unique_ptr<TextEncoder> encoder_;
  std::string line_, octets_;
};

}  // namespace outpace::load
