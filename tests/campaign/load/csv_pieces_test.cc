// Records, wherever the text is cut: CsvReader, RecordSplitter and LongRecord against one walk over
// the whole text that looks at every octet, on random texts of what breaks importers.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/load/csv_reader.h"
#include "campaign/load/record_splitter.h"
#include "engine/base/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::load {
namespace {

struct Record {
  uint64_t line = 0, octets = 0;
  RowFault fault = RowFault::kNone;
  bool has_line_end = false;
  std::string raw;                  // its first 4 KiB
  std::vector<std::string> fields;  // if it has no fault
  bool operator==(const Record&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Record& r) {
  out << "line " << r.line << " fault " << static_cast<int>(r.fault) << " octets " << r.octets
      << " end " << r.has_line_end << " [" << r.raw.substr(0, 200) << "]";
  for (const std::string& field : r.fields) out << " {" << field.substr(0, 80) << "}";
  return out;
}

// One octet after the other, as the rules are written down.
class Walk {
 public:
  Walk(absl::string_view text, char separator) : text_(text), separator_(separator) {}
  std::vector<Record> Records() {
    std::vector<Record> out;
    while (at_ < text_.size()) {
      const size_t behind = text_.find_first_not_of(" \t", at_);
      if (behind != text_.npos && !IsLineEnd(behind)) {
        out.push_back(One());
      } else {
        at_ = std::min(behind, text_.size());
        LineEnd();
      }
    }
    return out;
  }

 private:
  bool IsLineEnd(size_t at) const { return text_[at] == '\n' || text_[at] == '\r'; }
  bool Ends() const { return at_ >= text_.size() || IsLineEnd(at_); }
  bool LineEnd() {
    if (at_ >= text_.size()) return false;
    at_ += text_.substr(at_, 2) == "\r\n" ? 2 : 1;
    ++line_;
    return true;
  }
  void Blame(Record& record, RowFault fault) {
    if (record.fault == RowFault::kNone) record.fault = fault;
  }
  Record One() {
    Record record;
    record.line = line_;
    const size_t begin = at_;
    for (size_t column = 0;; ++column, ++at_) {
      if (column == kColumnsMax) Blame(record, RowFault::kTooManyColumns);
      std::string field;
      if (at_ < text_.size() && text_[at_] == '"') {
        Quoted(record, field);
      } else {
        for (; !Ends() && text_[at_] != separator_; ++at_) field += text_[at_];
        if (field.size() > kFieldBytesMax) Blame(record, RowFault::kFieldTooLong);
      }
      record.fields.push_back(field);
      if (Ends()) break;
    }
    record.octets = at_ - begin;
    record.raw = std::string(text_.substr(begin, std::min<size_t>(at_ - begin, kLongRecordKept)));
    if (record.octets > kRowBytesMax) Blame(record, RowFault::kRowTooLong);
    record.has_line_end = LineEnd();
    if (record.fault != RowFault::kNone) record.fields.clear();
    return record;
  }
  void Quoted(Record& record, std::string& field) {
    for (++at_;; ++at_) {
      if (at_ >= text_.size()) {
        record.fault = RowFault::kUnclosedQuote;
        return;
      }
      if (text_[at_] == '"') {
        if (text_.substr(at_, 2) != "\"\"") break;
        ++at_;
      } else if (text_[at_] == '\n' || (text_[at_] == '\r' && text_.substr(at_, 2) != "\r\n")) {
        ++line_;
      }
      field += text_[at_];
      if (field.size() > kFieldBytesMax) Blame(record, RowFault::kFieldTooLong);
    }
    for (++at_; at_ < text_.size() && text_[at_] == ' ';) ++at_;
    if (Ends() || text_[at_] == separator_) return;
    Blame(record, RowFault::kBadQuote);
    while (!Ends()) ++at_;
  }

  const absl::string_view text_;
  const char separator_;
  size_t at_ = 0;
  uint64_t line_ = 1;
};

Record RecordOf(const Row& row, uint64_t line) {
  Record out;
  out.line = line;
  out.octets = row.octets;
  out.fault = row.fault;
  out.has_line_end = row.has_line_end;
  out.raw = std::string(row.raw.substr(0, kLongRecordKept));
  if (row.fault == RowFault::kNone) {
    out.fields = std::vector<std::string>(row.fields.begin(), row.fields.end());
  }
  return out;
}

// The same through pieces: the input gives up to `read` octets at once.
std::vector<Record> InPieces(absl::string_view text, char separator, size_t piece_octets,
                             size_t read) {
  size_t at = 0;
  const TextInput input = [&](absl::Span<char> to) -> absl::StatusOr<DecodedBlock> {
    EXPECT_GE(to.size(), 64u);
    const absl::string_view block = text.substr(at, std::min(to.size(), read));
    std::copy(block.begin(), block.end(), to.begin());
    at += block.size();
    return DecodedBlock{block.size(), true};
  };
  RecordSplitter splitter(input, separator, piece_octets);
  std::vector<Record> out;
  TextPiece piece;
  Row row;
  for (uint64_t line = 0;;) {
    const absl::StatusOr<bool> more = splitter.Next(piece);
    EXPECT_TRUE(more.ok());
    if (!*more) return out;
    if (piece.is_long) {
      if (!piece.long_blank) out.push_back(RecordOf(piece.long_row, line + 1));
      line += piece.long_lines;
      continue;
    }
    CsvReader csv(piece.text, separator);
    while (csv.Next(row)) out.push_back(RecordOf(row, line + row.line));
    line += csv.lines();
  }
}

void ExpectSame(const std::string& text, char separator) {
  const std::vector<Record> wanted = Walk(text, separator).Records();
  EXPECT_THAT(InPieces(text, separator, text.size() + 1, text.size() + 1),
              testing::ElementsAreArray(wanted));
  EXPECT_THAT(InPieces(text, separator, 64, 1), testing::ElementsAreArray(wanted));
  EXPECT_THAT(InPieces(text, separator, 200, 37), testing::ElementsAreArray(wanted));
}

std::string RandomText(Rng& rng, char separator, size_t size) {
  const std::string octets = absl::StrCat(absl::string_view(&separator, 1), "\"\"\"\r\n\n ab\t1",
                                          "\xE6\x9D\x8E\x1a", absl::string_view("\0", 1));
  std::string text;
  while (text.size() < size) {
    if (rng.Chance(0.1)) text += rng.Chance(0.5) ? "\",\"" : "\"\"";
    if (rng.Chance(0.05)) text += "plain,row,of,text\r\n";
    text += octets[rng.Below(octets.size())];
  }
  return text;
}

TEST(CsvPieces, RandomTextsWhereverTheyAreCut) {
  for (uint64_t seed = 0; seed < 3000 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    const char separator = ",;\t|"[rng.Below(4)];
    ExpectSame(RandomText(rng, separator, rng.Below(600)), separator);
  }
}

TEST(CsvPieces, RecordsTooLargeToBeHeld) {
  const std::string long_text(kRowBytesMax + 1000, 'x');
  std::string commas(kRowBytesMax + 5000, ',');
  std::string lines;
  for (int i = 0; i < 40'000; ++i) lines += "a\r\nb\n\r";
  for (const std::string& text : {
           "a,b\n" + long_text + "\r\nc,d\n",
           "a\n" + long_text,
           "a\n" + commas + "\nb\n",
           commas,
           "a\n\"" + long_text + "\"\nb\n",
           "a\n\"" + long_text + "\"\"\"\r\nb\n",
           "a\n\"" + long_text + "\"x,\"y\nb\n",
           "a\n\"" + long_text + "\nb\nc",
           "a\n\"" + lines + "\",\"b\"\nc\n",
           "a\n\"" + lines + "\nc",
           "a\n" + std::string(kRowBytesMax + 1000, ' ') + "\nb\n",
           "a\n" + std::string(kRowBytesMax + 1000, ' ') + "b\nc\n",
           "a\n" + std::string(kRowBytesMax, 'x') + "\r\nb",
           "a\n" + std::string(kRowBytesMax + 1, 'x') + "\rb",
           "a\n" + std::string(kFieldBytesMax, 'x') + "," + std::string(kFieldBytesMax + 1, 'y'),
       }) {
    SCOPED_TRACE(text.substr(0, 20));
    ExpectSame(text, ',');
  }
}

TEST(CsvPieces, MoreColumnsThanThereMayBe) {
  for (const size_t columns : {kColumnsMax - 1, kColumnsMax, kColumnsMax + 1}) {
    SCOPED_TRACE(columns);
    ExpectSame(std::string(columns - 1, ','), ',');
    ExpectSame(absl::StrCat(std::string(columns - 1, ','), "x\nb\n"), ',');
    ExpectSame(absl::StrCat(std::string(columns - 1, ','), "\"\"\nb\n"), ',');
  }
}

}  // namespace
}  // namespace outpace::load
