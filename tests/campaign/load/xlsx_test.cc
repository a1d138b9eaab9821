#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "campaign/load/open_list.h"
#include "campaign/load/temp_file.h"
#include "campaign/load/xlsx_format.h"
#include "campaign/load/xlsx_reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::load {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Path(absl::string_view name) { return absl::StrCat(OUTPACE_TEST_DATA "/xlsx/", name); }

std::string TextOf(const ByteSource& source) {
  std::string out(source.size(), '\0');
  const absl::StatusOr<size_t> read = source.Read(0, absl::MakeSpan(out));
  EXPECT_TRUE(read.ok() && *read == out.size());
  return out;
}

absl::StatusOr<XlsxText> Read(absl::string_view name, const XlsxOptions& options = {}) {
  const absl::StatusOr<std::unique_ptr<ByteSource>> file = OpenFileSource(Path(name));
  EXPECT_TRUE(file.ok()) << file.status();
  return ReadXlsx(**file, options);
}

std::string RefusalOf(absl::string_view name, const XlsxOptions& options = {}) {
  const absl::StatusOr<XlsxText> text = Read(name, options);
  EXPECT_TRUE(absl::IsInvalidArgument(text.status())) << name;
  return std::string(text.status().message());
}

// Line 4 is blank as row 4 is; the number is whole, the date a date, the postal code has its zeros.
TEST(XlsxTest, AListWrittenByOpenpyxl) {
  const absl::StatusOr<XlsxText> text = Read("leads-openpyxl.xlsx");
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(TextOf(*text->csv),
            "手机号,姓名,公司,注册资本(万元),成立日期,邮编,备注,更多电话\n"
            "13800000001,李雷,云帆网络科技有限公司,500,2009-03-12,001007,\"a, \"\"b\"\" line two\","
            "010-55550100；13800000009\n"
            "13800000002,韩梅梅,\"明辉贸易,上海\",1200.5,2015-07-01 09:30:00,518000,TRUE,\n"
            "\n"
            "8613800000003, 王 伟 ,,,,,,\n");
  EXPECT_EQ(text->sheet, "客户");
  EXPECT_THAT(text->sheets, ElementsAre("客户", "second"));
  EXPECT_EQ(text->rows, 4u);
  EXPECT_THAT(text->warnings, ElementsAre(HasSubstr("not read: second"), HasSubstr("1 formulas")));
}

TEST(XlsxTest, AListWrittenByXlsxWriterBelowATitle) {
  const absl::StatusOr<XlsxText> text = Read("leads-xlsxwriter.xlsx");
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(TextOf(*text->csv),
            "\n\nPhone Number,First Name,Last Name,Date of Birth,callback_at,Score\n"
            "202-555-0101,Anna,O'Neil,1980-02-29,2026-06-01 10:00:00,42\n"
            "+1 202-555-0102,Bob,,,,FALSE\n");
  EXPECT_THAT(text->warnings,
              ElementsAre("W_TITLE_ROWS: the header is row 3; 1 rows above it left out",
                          HasSubstr("W_MERGED_CELLS")));
}

TEST(XlsxTest, ElementsWithPrefixesAndWithoutReferences) {
  const absl::StatusOr<XlsxText> text = Read("bare-prefixed.xlsx");
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(TextOf(*text->csv), "phone,name\n13800000001,#N/A\n");
}

TEST(XlsxTest, SheetsByName) {
  XlsxOptions options;
  options.sheet = "Second";
  EXPECT_EQ(TextOf(*Read("leads-openpyxl.xlsx", options)->csv), "phone\n");
  options.sheet = "do not read";  // hidden, but named
  EXPECT_EQ(TextOf(*Read("leads-openpyxl.xlsx", options)->csv), "phone\n12025550199\n");
  options.sheet = "1";
  EXPECT_EQ(Read("leads-openpyxl.xlsx", options)->sheet, "do not read");
  options.sheet = "4";
  EXPECT_THAT(RefusalOf("leads-openpyxl.xlsx", options), HasSubstr("no sheet"));
  options.sheet = "third";
  EXPECT_THAT(RefusalOf("leads-openpyxl.xlsx", options), HasSubstr("客户, second"));
}

TEST(XlsxTest, NumbersInExponentsAndEscapes) {
  const absl::StatusOr<XlsxText> text = Read("hostile-escapes.xlsx");
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(TextOf(*text->csv),
            "phone,name\n13800000001,a  b\x07"
            "c_x\n");
}

TEST(XlsxTest, HostileFilesAreRefused) {
  for (const auto& [file, why] :
       {std::pair<const char*, const char*>{"hostile-entities.xlsx", "declares a document type"},
        {"hostile-external-entity.xlsx", "declares a document type"},
        {"hostile-zip-bomb.xlsx", "unpacks to more than"},
        {"hostile-one-text-many-cells.xlsx", "hostile"},
        {"hostile-deep.xlsx", "nested too deeply"},
        {"hostile-index.xlsx", "not there"},
        {"hostile-row-order.xlsx", "out of order"},
        {"hostile-row-number.xlsx", "1048576 rows"},
        {"hostile-column.xlsx", "out of order"},
        {"hostile-cell-order.xlsx", "out of order"},
        {"hostile-not-xml.xlsx", "damaged"},
        {"hostile-no-workbook.xlsx", "without a workbook"},
        {"hostile-no-sheet.xlsx", "no visible sheet"},
        {"hostile-cut.xlsx", "damaged"}}) {
    const std::string refusal = RefusalOf(file);
    EXPECT_TRUE(absl::StartsWith(refusal, "E_XLSX: ")) << refusal;
    EXPECT_THAT(refusal, HasSubstr(why)) << file;
  }
}

TEST(XlsxTest, LimitsHold) {
  XlsxOptions options;
  options.limits.part_octets = 500;
  EXPECT_THAT(RefusalOf("leads-openpyxl.xlsx", options), HasSubstr("unpacks to more"));
  options.limits = XlsxLimits();
  options.limits.parts = 3;
  EXPECT_THAT(RefusalOf("leads-openpyxl.xlsx", options), HasSubstr("is no spreadsheet"));
}

// Every prefix of a good file: refused, never a crash, never half a list.
TEST(XlsxTest, CutAnywhere) {
  const auto file = OpenFileSource(Path("leads-openpyxl.xlsx"));
  const std::string whole = TextOf(**file);
  for (size_t size = 0; size < whole.size(); size += 7) {
    const auto part = MemorySource(absl::string_view(whole).substr(0, size));
    EXPECT_FALSE(ReadXlsx(*part, {}).ok()) << size;
  }
}

TEST(OpenListTest, ByNameAndOctets) {
  const absl::StatusOr<OpenedList> sheet = OpenList(Path("leads-openpyxl.xlsx"), {});
  ASSERT_TRUE(sheet.ok()) << sheet.status();
  EXPECT_EQ(sheet->format, "xlsx");
  EXPECT_EQ(sheet->sheet, "客户");
  // Under another name it is text, and no good one, until somebody says what it is.
  const std::string bytes = TextOf(**OpenFileSource(Path("bare-prefixed.xlsx")));
  EXPECT_EQ(OpenList(MemorySource(bytes), "list.csv", {})->format, "csv");
  OpenListOptions options;
  options.format = "xlsx";
  EXPECT_EQ(TextOf(*OpenList(MemorySource(bytes), "list.csv", options)->source),
            "phone,name\n13800000001,#N/A\n");
  // Text that calls itself a spreadsheet is text.
  EXPECT_EQ(TextOf(*OpenList(MemorySource("phone\n1\n"), "list.xlsx", {})->source), "phone\n1\n");
  EXPECT_THAT(OpenList(MemorySource("phone\n1\n"), "list.xlsx", options).status().message(),
              HasSubstr("no spreadsheet"));
}

TEST(OpenListTest, UnpackingEndsWhenItIsCancelled) {
  std::atomic<bool> cancel{true};
  OpenListOptions options;
  options.cancel = &cancel;
  EXPECT_TRUE(absl::IsCancelled(OpenList(Path("leads-openpyxl.xlsx"), options).status()));
  cancel = false;
  EXPECT_TRUE(OpenList(Path("leads-openpyxl.xlsx"), options).ok());
}

TEST(OpenListTest, OtherKindsAreNamed) {
  for (const auto& [file, why] : {std::pair<const char*, const char*>{"other.xls", "(.xls)"},
                                  {"password.xlsx", "password"},
                                  {"other.ods", "(.ods)"},
                                  {"binary.xlsb", "(.xlsb)"}}) {
    const auto opened = OpenList(Path(file), {});
    EXPECT_TRUE(absl::IsInvalidArgument(opened.status())) << file;
    EXPECT_THAT(opened.status().message(), HasSubstr(why)) << file;
  }
  OpenListOptions options;
  options.format = "numbers";
  EXPECT_THAT(OpenList(MemorySource("x"), "x", options).status().message(),
              HasSubstr("none of auto, csv, xlsx"));
  options = {};
  options.sheet = "Sheet1";
  EXPECT_THAT(OpenList(MemorySource("x"), "x", options).status().message(), HasSubstr("sheet"));
}

TEST(XlsxFormatTest, NumbersAsPeopleSeeThem) {
  const NumberFormat plain;
  EXPECT_EQ(ShowNumber("13800000001", plain, false), "13800000001");
  EXPECT_EQ(ShowNumber("1.3800000001E10", plain, false), "13800000001");
  EXPECT_EQ(ShowNumber("13800000001.0", plain, false), "13800000001");
  EXPECT_EQ(ShowNumber("8613800000001", plain, false), "8613800000001");
  EXPECT_EQ(ShowNumber("-12.50", plain, false), "-12.5");
  EXPECT_EQ(ShowNumber("0.1", plain, false), "0.1");
  EXPECT_EQ(ShowNumber("not a number", plain, false), "not a number");
  // Eighteen digits are fifteen and a guess.
  EXPECT_EQ(ShowNumber("110101199001011234", plain, false), "1.10101199001011E+17");
}

TEST(XlsxFormatTest, FormatsByTheirCodes) {
  const auto shown = [](absl::string_view value, absl::string_view code) {
    return ShowNumber(value, FormatOfCode(code), false);
  };
  EXPECT_EQ(shown("45000", "yyyy\\-mm\\-dd"), "2023-03-15");
  EXPECT_EQ(shown("45000.5", "yyyy/m/d h:mm"), "2023-03-15 12:00:00");
  EXPECT_EQ(shown("45000", "[$-804]yyyy\"年\"m\"月\"d\"日\";@"), "2023-03-15");
  EXPECT_EQ(shown("45000", "[$-409]mmmm\\ d\\,\\ yyyy"), "2023-03-15");
  EXPECT_EQ(shown("0.75", "h:mm AM/PM"), "18:00:00");
  EXPECT_EQ(shown("1.5", "[h]:mm"), "1.5");
  EXPECT_EQ(shown("7", "00000"), "00007");
  EXPECT_EQ(shown("21016", "00000\\-0000"), "00002-1016");
  EXPECT_EQ(shown("2025550101", "(###) ###-####"), "(202) 555-0101");
  EXPECT_EQ(shown("5550101", "###-###-####"), "555-0101");
  EXPECT_EQ(shown("13800000001", "000 0000 0000"), "138 0000 0001");
  EXPECT_EQ(shown("1234567.891", "#,##0.00"), "1234567.891");
  EXPECT_EQ(shown("5000000", "\"¥\"#,##0"), "5000000");
  EXPECT_EQ(shown("12", "0"), "12");
  EXPECT_EQ(shown("12", "0.00E+00"), "12");
  EXPECT_EQ(shown("12", "General"), "12");
  EXPECT_EQ(shown("5550101", "[<=9999999]###\\-####;\\(###\\)\\ ###\\-####"), "5550101");
  // A telephone number in a column of dates.
  EXPECT_EQ(shown("13800000001", "yyyy-mm-dd"), "13800000001");
}

TEST(XlsxFormatTest, DaysOfBothCalendars) {
  const NumberFormat date = FormatOfNumber(14);
  EXPECT_EQ(ShowNumber("1", date, false), "1900-01-01");
  EXPECT_EQ(ShowNumber("59", date, false), "1900-02-28");
  EXPECT_EQ(ShowNumber("60", date, false), "1900-02-29");
  EXPECT_EQ(ShowNumber("61", date, false), "1900-03-01");
  EXPECT_EQ(ShowNumber("0", date, true), "1904-01-01");
  EXPECT_EQ(ShowNumber("44999.9999999", FormatOfNumber(22), false), "2023-03-15 00:00:00");
  EXPECT_EQ(ShowNumber("45000", FormatOfNumber(31), false), "2023-03-15");
  EXPECT_EQ(ShowNumber("0.5", FormatOfNumber(20), false), "12:00:00");
}

TEST(TempFileTest, KeepsWhatItIsGivenAndNoName) {
  absl::StatusOr<std::unique_ptr<TempFile>> file = TempFile::Make(testing::TempDir());
  ASSERT_TRUE(file.ok()) << file.status();
  std::string all;
  for (int i = 0; i < 100'000; ++i) {
    const std::string piece = absl::StrCat(i, ",");
    (*file)->Append(piece);
    all += piece;
  }
  EXPECT_EQ((*file)->size(), all.size());
  ASSERT_TRUE((*file)->Finish().ok());
  EXPECT_EQ(*(*file)->Map(), all);
  const auto source = TempFile::IntoSource(*std::move(file));
  std::string part(10, '\0');
  EXPECT_EQ(*source->Read(all.size() - 4, absl::MakeSpan(part)), 4u);
  EXPECT_EQ(part.substr(0, 4), all.substr(all.size() - 4));
  EXPECT_EQ(*source->Read(all.size() + 4, absl::MakeSpan(part)), 0u);
  EXPECT_FALSE(TempFile::Make("/proc/no such place").ok());
}

}  // namespace
}  // namespace outpace::load
