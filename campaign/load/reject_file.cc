#include "campaign/load/reject_file.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "campaign/load/aliases.h"

namespace outpace::load {
namespace {

// Whether the beginning of a row ends inside quotes: one that opens a field and has not closed. A
// doubled quote closes and opens again.
bool EndsInQuotes(absl::string_view row, char separator) {
  bool quoted = false, field_start = true;
  for (size_t i = 0; i < row.size(); ++i) {
    const char c = row[i];
    if (quoted) {
      const bool doubled = c == '"' && i + 1 < row.size() && row[i + 1] == '"';
      i += doubled;
      quoted = c != '"' || doubled;
    } else {
      quoted = c == '"' && field_start;
      field_start = c == separator;
    }
  }
  return quoted;
}

// Takes the first field off a row, with its separator; false if there is no separator behind it.
bool TakeField(absl::string_view& row, char separator, absl::string_view* field) {
  size_t at = 0;
  if (!row.empty() && row[0] == '"') {
    for (at = 1; at < row.size() && (row[at] != '"' || (at + 1 < row.size() && row[at + 1] == '"'));
         at += row[at] == '"' ? 2 : 1) {
    }
    at = std::min(at + 1, row.size());
  }
  at = row.find(separator, at);
  if (at == absl::string_view::npos) return false;
  *field = absl::StripSuffix(absl::StripPrefix(row.substr(0, at), "\""), "\"");
  row.remove_prefix(at + 1);
  return true;
}

// A row of a reject file without what was put in front of it.
absl::string_view Original(absl::string_view row, char separator) {
  absl::string_view rest = row, field;
  return TakeField(rest, separator, &field) && TakeField(rest, separator, &field) ? rest : row;
}

bool IsRejectRow(absl::string_view header, char separator) {
  absl::string_view line, reason;
  return TakeField(header, separator, &line) && TakeField(header, separator, &reason) &&
         NormalHeader(line) == kRejectLineColumn && NormalHeader(reason) == kRejectReasonColumn;
}

// Names for the columns of a file without a header, such that reading them gives the same fields:
// none twice, and none for columns that are left out.
std::vector<std::string> HeaderOf(const std::vector<std::string>& fields) {
  std::vector<std::string> out;
  std::map<std::string, int> count;
  for (const std::string& field : fields) {
    std::string name = field == "-" ? "" : field == "alt_phones" ? "alt_phone" : field;
    if (!name.empty() && ++count[name] > 1) absl::StrAppend(&name, count[name]);
    out.push_back(std::move(name));
  }
  return out;
}

}  // namespace

bool IsRejectHeader(const std::vector<std::string>& cells) {
  return cells.size() > 2 && NormalHeader(cells[0]) == kRejectLineColumn &&
         NormalHeader(cells[1]) == kRejectReasonColumn;
}

std::string RejectReason(const Reject& reject) {
  return absl::StrCat(reject.code, ": ", reject.column, reject.column.empty() ? "" : ": ",
                      reject.reason);
}

RejectWriter::RejectWriter(const FileShape& shape, Sink sink, std::unique_ptr<TextEncoder> encoder)
    : shape_(shape),
      again_(IsRejectRow(shape.header, shape.separator)),
      sink_(std::move(sink)),
      encoder_(std::move(encoder)) {}

absl::StatusOr<std::unique_ptr<RejectWriter>> RejectWriter::Make(const FileShape& shape,
                                                                 Sink sink) {
  absl::StatusOr<std::unique_ptr<TextEncoder>> encoder = TextEncoder::Make(shape.encoding);
  if (!encoder.ok()) return encoder.status();
  std::unique_ptr<RejectWriter> out(new RejectWriter(shape, std::move(sink), *std::move(encoder)));
  out->WriteHeader();
  return out;
}

void RejectWriter::WriteHeader() {
  if (shape_.byte_order_mark) {
    sink_(shape_.encoding == "utf-8" ? absl::string_view("\xEF\xBB\xBF") : encoder_->bom());
  }
  line_.clear();
  if (shape_.separator_line) {
    absl::StrAppend(&line_, "sep=", std::string(1, shape_.separator), shape_.line_end);
  }
  absl::StrAppend(&line_, kRejectLineColumn, std::string(1, shape_.separator), kRejectReasonColumn,
                  std::string(1, shape_.separator));
  if (!shape_.header.empty()) {
    const absl::string_view header =
        again_ ? Original(shape_.header, shape_.separator) : absl::string_view(shape_.header);
    line_.append(header.data(), header.size());
  } else {
    bool first = true;
    for (const std::string& name : HeaderOf(shape_.columns)) {
      if (!first) line_ += shape_.separator;
      AppendField(name, line_);
      first = false;
    }
  }
  line_ += shape_.line_end;
  Write(line_);
}

void RejectWriter::AppendField(absl::string_view field, std::string& line) const {
  const char special[] = {'"', '\r', '\n', shape_.separator, '\0'};
  if (field.find_first_of(special) == absl::string_view::npos) {
    line.append(field.data(), field.size());
    return;
  }
  line += '"';
  for (const char c : field) {
    if (c == '"') line += '"';
    line += c;
  }
  line += '"';
}

void RejectWriter::Add(const Reject& reject) {
  line_ = absl::StrCat(reject.line);
  line_ += shape_.separator;
  AppendField(RejectReason(reject), line_);
  line_ += shape_.separator;
  const absl::string_view row =
      again_ ? Original(reject.row, shape_.separator) : absl::string_view(reject.row);
  line_.append(row.data(), row.size());
  if (reject.row_cut) {
    // What is left of the row must not be taken for all of it when the file is loaded again: text
    // behind a closing quote keeps it rejected.
    if (EndsInQuotes(row, shape_.separator)) line_ += '"';
    absl::StrAppend(&line_, std::string(1, shape_.separator), "\"\" the row was too long to keep");
  }
  // A row that the file's end cut stays one: with a line end it would pass for a short one.
  if (reject.code != "E_TRUNCATED") line_ += shape_.line_end;
  Write(line_);
}

void RejectWriter::Write(absl::string_view utf8) {
  octets_.clear();
  encoder_->Append(utf8, octets_);
  sink_(octets_);
}

}  // namespace outpace::load
