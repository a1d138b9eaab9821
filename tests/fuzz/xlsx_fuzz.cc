// Whatever octets come in as a spreadsheet: no crash, and what is read is whole text, one record a
// row, each on the line of its row. Octets that are a ZIP archive go in as they are; anything else
// is taken as the parts of a workbook, so that mutations reach the XML and not the compression:
//
//     sheet [0x1E shared strings [0x1E styles [0x1E workbook]]]

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "campaign/load/csv_reader.h"
#include "campaign/load/utf8.h"
#include "campaign/load/xlsx_reader.h"
#include "engine/base/check.h"

namespace outpace::load {
namespace {

constexpr char kRels[] =
    "<Relationships><Relationship Id=\"r\" Type=\"/officeDocument\" Target=\"xl/workbook.xml\"/>"
    "</Relationships>";
constexpr char kBookRels[] =
    "<Relationships><Relationship Id=\"rId1\" Type=\"/worksheet\" Target=\"s.xml\"/>"
    "<Relationship Id=\"rId2\" Type=\"/sharedStrings\" Target=\"t.xml\"/>"
    "<Relationship Id=\"rId3\" Type=\"/styles\" Target=\"f.xml\"/></Relationships>";
constexpr char kBook[] = "<workbook><sheets><sheet name=\"a\" id=\"rId1\"/></sheets></workbook>";

// The check value of ZIP (ISO 3309).
uint32_t Crc32(absl::string_view octets) {
  uint32_t crc = ~uint32_t{0};
  for (const char c : octets) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
  }
  return ~crc;
}

void Put(std::string& to, uint64_t value, int octets) {
  for (int i = 0; i < octets; ++i) to += static_cast<char>(value >> (8 * i) & 0xff);
}

// An archive whose parts are stored as they are (APPNOTE.TXT 4.3).
class StoredZip {
 public:
  void Add(absl::string_view name, absl::string_view data) {
    const uint64_t offset = out_.size();
    std::string common;
    Put(common, 10, 2);  // version, no flags, stored, no time
    Put(common, 0, 8);
    Put(common, Crc32(data), 4);
    Put(common, data.size(), 4);
    Put(common, data.size(), 4);
    Put(common, name.size(), 2);
    Put(common, 0, 2);
    absl::StrAppend(&out_, "PK\x03\x04", common, name, data);
    absl::StrAppend(&directory_, "PK\x01\x02");
    Put(directory_, 10, 2);
    directory_ += common;
    Put(directory_, 0, 10);
    Put(directory_, offset, 4);
    absl::StrAppend(&directory_, name);
    ++count_;
  }
  std::string Finish() {
    const uint64_t offset = out_.size();
    absl::StrAppend(&out_, directory_, "PK\x05\x06");
    Put(out_, 0, 4);
    Put(out_, count_, 2);
    Put(out_, count_, 2);
    Put(out_, directory_.size(), 4);
    Put(out_, offset, 4);
    Put(out_, 0, 2);
    return std::move(out_);
  }

 private:
  std::string out_, directory_;
  uint64_t count_ = 0;
};

std::string Packed(absl::string_view octets) {
  if (absl::StartsWith(octets, "PK")) return std::string(octets);
  const std::vector<absl::string_view> parts = absl::StrSplit(octets, '\x1e');
  StoredZip zip;
  zip.Add("_rels/.rels", kRels);
  zip.Add("xl/_rels/workbook.xml.rels", kBookRels);
  zip.Add("xl/workbook.xml", parts.size() > 3 ? parts[3] : absl::string_view(kBook));
  zip.Add("xl/s.xml", parts[0]);
  if (parts.size() > 1) zip.Add("xl/t.xml", parts[1]);
  if (parts.size() > 2) zip.Add("xl/f.xml", parts[2]);
  return zip.Finish();
}

std::string TextOf(const ByteSource& source) {
  std::string out(source.size(), '\0');
  const absl::StatusOr<size_t> read = source.Read(0, absl::MakeSpan(out));
  OUTPACE_CHECK(read.ok() && *read == out.size());
  return out;
}

void ReadOne(absl::string_view octets) {
  const std::string packed = Packed(octets);
  const auto source = MemorySource(packed);
  XlsxOptions options;
  // A small bomb is as good as a large one.
  options.limits.free_octets = 4 << 20;
  options.limits.part_octets = 16 << 20;
  options.limits.ratio = 50;
  absl::StatusOr<XlsxText> text = ReadXlsx(*source, options);
  if (!text.ok()) {
    OUTPACE_CHECK(absl::StartsWith(text.status().message(), "E_XLSX: "));
    return;
  }
  const std::string csv = TextOf(*text->csv);
  OUTPACE_CHECK(CheckUtf8(csv) == Utf8::kValid);
  OUTPACE_CHECK(!csv.empty() && csv.back() == '\n');
  CsvReader reader(csv, ',');
  Row row;
  uint64_t rows = 0;
  while (reader.Next(row)) {
    ++rows;
    OUTPACE_CHECK(row.fault != RowFault::kBadQuote && row.fault != RowFault::kUnclosedQuote);
    OUTPACE_CHECK(row.raw.find_first_of("\r\n") == absl::string_view::npos);
  }
  // A row of one cell that holds nothing but blanks is a blank line.
  OUTPACE_CHECK(rows <= text->rows && rows + reader.blank_lines() >= text->rows);
  absl::StatusOr<XlsxText> again = ReadXlsx(*source, options);
  OUTPACE_CHECK(again.ok() && TextOf(*again->csv) == csv);
}

}  // namespace
}  // namespace outpace::load

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  outpace::load::ReadOne(absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
