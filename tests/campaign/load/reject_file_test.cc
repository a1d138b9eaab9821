#include "campaign/load/reject_file.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "campaign/load/csv_reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::load {
namespace {

Reject RejectOf(uint64_t line, absl::string_view row, absl::string_view code = "E_PHONE_LENGTH",
                absl::string_view column = "phone", absl::string_view reason = "phone: 7 digits") {
  Reject out;
  out.line = line;
  out.row = std::string(row);
  out.code = std::string(code);
  out.column = std::string(column);
  out.reason = std::string(reason);
  return out;
}

std::string Written(const FileShape& shape, const std::vector<Reject>& rejects) {
  std::string out;
  auto writer = RejectWriter::Make(
      shape, [&](absl::string_view octets) { out.append(octets.data(), octets.size()); });
  EXPECT_TRUE(writer.ok()) << writer.status();
  for (const Reject& reject : rejects) (*writer)->Add(reject);
  return out;
}

TEST(RejectFileTest, RowsStandAsTheyStood) {
  FileShape shape;
  shape.header = "phone, \"na\"\"me\"";
  EXPECT_EQ(Written(shape, {RejectOf(2, "123,  x "), RejectOf(7, "\"1\n2\",y,too,many")}),
            "outpace_line,outpace_reason,phone, \"na\"\"me\"\n"
            "2,E_PHONE_LENGTH: phone: phone: 7 digits,123,  x \n"
            "7,E_PHONE_LENGTH: phone: phone: 7 digits,\"1\n2\",y,too,many\n");
}

TEST(RejectFileTest, InTheFilesOwnSeparatorLineEndsAndMark) {
  FileShape shape;
  shape.separator = ';';
  shape.separator_line = true;
  shape.line_end = "\r\n";
  shape.byte_order_mark = true;
  shape.header = "phone;name";
  EXPECT_EQ(
      Written(shape, {RejectOf(3, "1;x", "DUPLICATE_STORE", "", "loaded already; lead 4711")}),
      "\xEF\xBB\xBFsep=;\r\noutpace_line;outpace_reason;phone;name\r\n"
      "3;\"DUPLICATE_STORE: loaded already; lead 4711\";1;x\r\n");
}

// Octets that were no text in the file's encoding come back as the same octets.
TEST(RejectFileTest, InTheFilesOwnEncoding) {
  const std::string bytes =
      "\xCA\xD6\xBB\xFA,\xD0\xD5\xC3\xFB\n1,\xC0\xEE\xFF,x\n";  // 手机,姓名 1,李
  const auto source = MemorySource(bytes);
  const absl::StatusOr<TextEncoding> encoding = DetectEncoding(*source, "gbk");
  StreamDecoder decoder(*source, *encoding);
  std::string text(1000, '\0');
  const auto block = decoder.Next(absl::MakeSpan(text));
  ASSERT_TRUE(block.ok() && !block->clean);
  text.resize(block->size);
  const size_t line = text.find('\n');
  FileShape shape;
  shape.encoding = "gb18030";
  shape.header = text.substr(0, line);
  EXPECT_EQ(Written(shape, {RejectOf(2, text.substr(line + 1, text.size() - line - 2), "E_ENCODING",
                                     "", "no text")}),
            "outpace_line,outpace_reason,\xCA\xD6\xBB\xFA,\xD0\xD5\xC3\xFB\n"
            "2,E_ENCODING: no text,1,\xC0\xEE\xFF,x\n");
  shape.encoding = "klingon";
  EXPECT_TRUE(
      absl::IsInvalidArgument(RejectWriter::Make(shape, [](absl::string_view) {}).status()));
}

TEST(RejectFileTest, UtfSixteen) {
  FileShape shape;
  shape.encoding = "utf-16le";
  shape.byte_order_mark = true;
  shape.header = "phone";
  const std::string out = Written(shape, {});
  EXPECT_TRUE(absl::StartsWith(out, absl::string_view("\xFF\xFEo\0u\0", 6)));
  EXPECT_EQ(out.size() % 2, 0u);
}

// A row of 23 columns with two more would be one of 25, with a rank and an owner.
TEST(RejectFileTest, AFileWithoutAHeaderGetsOne) {
  FileShape shape;
  shape.separator = '|';
  shape.columns = {"vendor_lead_code", "-",          "phone_number",
                   "alt_phone",        "alt_phones", "alt_phones"};
  EXPECT_EQ(Written(shape, {RejectOf(1, "7||123|||")}),
            "outpace_line|outpace_reason|vendor_lead_code||phone_number|alt_phone|alt_phone2|"
            "alt_phone3\n1|E_PHONE_LENGTH: phone: phone: 7 digits|7||123|||\n");
}

TEST(RejectFileTest, ARejectFileLoadedAgainHasItsColumnsOnce) {
  FileShape shape;
  shape.header = "outpace_line,outpace_reason,phone,name";
  EXPECT_EQ(
      Written(shape, {RejectOf(2, "17,\"E_X: a, \"\"b\"\"\",123,x"), RejectOf(3, "18,E_Y,,\"")}),
      "outpace_line,outpace_reason,phone,name\n"
      "2,E_PHONE_LENGTH: phone: phone: 7 digits,123,x\n"
      "3,E_PHONE_LENGTH: phone: phone: 7 digits,,\"\n");
  // A spreadsheet may have put the names in quotes.
  shape.header = "\"outpace_line\",\"outpace_reason\",\"phone\"";
  EXPECT_EQ(Written(shape, {}), "outpace_line,outpace_reason,\"phone\"\n");
  EXPECT_TRUE(IsRejectHeader({"Outpace_Line", " outpace_reason", "phone"}));
  EXPECT_FALSE(IsRejectHeader({"phone", "outpace_line", "outpace_reason"}));
  EXPECT_FALSE(IsRejectHeader({"outpace_line"}));
}

// The beginning of a row must not pass for all of it, and must not swallow the rows behind it.
TEST(RejectFileTest, ARowThatWasCutStaysRejected) {
  FileShape shape;
  shape.header = "phone,name";
  for (const char* beginning :
       {"13800000001,\"a long", "13800000001,a long", "13800000001,\"a\"\"b", "13800000001,\"a\"\"",
        "13800000001,\"a\""}) {
    Reject cut = RejectOf(2, beginning, "E_FIELD_TOO_LONG");
    cut.row_cut = true;
    const std::string out = Written(shape, {cut, RejectOf(3, "123,x")});
    CsvReader csv(out, ',');
    Row row;
    ASSERT_TRUE(csv.Next(row));
    ASSERT_TRUE(csv.Next(row));
    EXPECT_EQ(row.fault, RowFault::kBadQuote) << out;
    ASSERT_TRUE(csv.Next(row));
    EXPECT_EQ(row.fault, RowFault::kNone) << out;
    EXPECT_TRUE(absl::EndsWith(row.raw, "123,x"));
    EXPECT_FALSE(csv.Next(row));
  }
}

}  // namespace
}  // namespace outpace::load
