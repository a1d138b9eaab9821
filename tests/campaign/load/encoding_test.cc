#include "campaign/load/encoding.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/base/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::load {
namespace {

using testing::HasSubstr;

std::string ReadFile(absl::string_view name) {
  std::ifstream in(absl::StrCat(OUTPACE_TEST_DATA, "/", name), std::ios::binary);
  EXPECT_TRUE(in.good()) << name;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string Encoded(absl::string_view utf8, absl::string_view encoding) {
  auto encoder = TextEncoder::Make(encoding);
  EXPECT_TRUE(encoder.ok()) << encoder.status();
  std::string out;
  (*encoder)->Append(utf8, out);
  EXPECT_EQ((*encoder)->lost(), 0u) << encoding;
  return out;
}

TextEncoding Detected(absl::string_view bytes, absl::string_view named = "auto") {
  const auto source = MemorySource(bytes);
  const absl::StatusOr<TextEncoding> out = DetectEncoding(*source, named);
  EXPECT_TRUE(out.ok()) << out.status();
  return out.ok() ? *out : TextEncoding();
}

// The whole text, read in blocks of `block` octets.
std::string Decoded(absl::string_view bytes, const TextEncoding& encoding, size_t block,
                    bool* clean = nullptr) {
  const auto source = MemorySource(bytes);
  StreamDecoder decoder(*source, encoding);
  std::string out, buffer(block, '\0');
  if (clean != nullptr) *clean = true;
  for (;;) {
    const absl::StatusOr<DecodedBlock> next = decoder.Next(absl::MakeSpan(buffer));
    EXPECT_TRUE(next.ok()) << next.status();
    if (!next.ok() || next->size == 0) break;
    const absl::string_view text(buffer.data(), next->size);
    if (next->clean) {
      EXPECT_EQ(CheckUtf8(text), Utf8::kValid);
    }
    if (clean != nullptr) *clean = *clean && next->clean;
    out.append(text.data(), text.size());
  }
  EXPECT_EQ(decoder.consumed(), bytes.size());
  return out;
}

TEST(CheckUtf8Test, AgreesWithARuleByRuleCheckOnRandomOctets) {
  // RFC 3629, section 4, octet by octet.
  const auto slow = [](absl::string_view text) {
    size_t i = 0;
    while (i < text.size()) {
      const auto octet = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
      const unsigned c = octet(i);
      const size_t length = c < 0x80                ? 1
                            : c >= 0xc2 && c < 0xe0 ? 2
                            : c >= 0xe0 && c < 0xf0 ? 3
                            : c >= 0xf0 && c < 0xf5 ? 4
                                                    : 0;
      if (length == 0) return i;
      unsigned code = length == 1 ? c : c & (0xffu >> (length + 1));
      for (size_t k = 1; k < length; ++k) {
        if (i + k >= text.size() || (octet(i + k) & 0xc0) != 0x80) return i;
        code = code << 6 | (octet(i + k) & 0x3fu);
      }
      const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
      if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return i;
      i += length;
    }
    return i;
  };
  const std::string pool[] = {"a",
                              "0123456789abcdef0123456789abcdef",
                              "é",
                              "李雷韩梅梅一二三四五六七",
                              "😀",
                              "\xE0\xA0\x80",
                              "\xED\x9F\xBF",
                              "\xC0",
                              "\xED\xA0\x80",
                              "\xF4\x90\x80\x80",
                              "\x80",
                              "\xE6\x9D"};
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    Rng rng(seed);
    std::string text;
    for (uint64_t i = 0, n = rng.Below(24); i < n; ++i) {
      text += pool[rng.Below(rng.Below(4) == 0 ? 12 : 7)];
    }
    ASSERT_EQ(ValidUtf8Prefix(text), slow(text)) << "seed=" << seed;
    ASSERT_EQ(CheckUtf8(text) == Utf8::kValid, slow(text) == text.size()) << "seed=" << seed;
  }
}

TEST(CheckUtf8Test, TellsACutCharacterFromAWrongOne) {
  EXPECT_EQ(CheckUtf8("李\xE6\x9D"), Utf8::kCutAtEnd);
  EXPECT_EQ(CheckUtf8("\xF0\x9F\x98"), Utf8::kCutAtEnd);
  EXPECT_EQ(CheckUtf8("\xE6\x9D,"), Utf8::kInvalid);
  EXPECT_EQ(CheckUtf8(""), Utf8::kValid);
}

TEST(EncodingNamesTest, WhatPeopleWrite) {
  const std::pair<const char*, const char*> kWritten[] = {{"GBK", "gb18030"},
                                                          {"GB2312", "gb18030"},
                                                          {"cp936", "gb18030"},
                                                          {"UTF8", "utf-8"},
                                                          {"utf_8", "utf-8"},
                                                          {"UTF-16LE", "utf-16le"},
                                                          {"Latin1", "windows-1252"},
                                                          {"1252", "windows-1252"},
                                                          {"CP1251", "windows-1251"},
                                                          {"Windows-1250", "windows-1250"},
                                                          {"Shift_JIS", "shift_jis"},
                                                          {"Big5", "big5"},
                                                          {"klingon", ""},
                                                          {"", ""}};
  for (const auto& [written, name] : kWritten) EXPECT_EQ(CanonicalEncoding(written), name);
  for (const std::string& name : EncodingNames()) {
    EXPECT_EQ(CanonicalEncoding(name), name);
    EXPECT_TRUE(TextEncoder::Make(name).ok()) << name;
  }
}

TEST(DetectEncodingTest, WhatAFileSaysOfItselfIsBelieved) {
  for (const auto& [bytes, name, bom] :
       {std::tuple<std::string, const char*, int>{"\xEF\xBB\xBFphone\n1\n", "utf-8", 3},
        {absl::StrCat("\xFF\xFE", Encoded("phone\n李\n", "utf-16le")), "utf-16le", 2},
        {absl::StrCat("\xFE\xFF", Encoded("phone\n李\n", "utf-16be")), "utf-16be", 2},
        {"phone,name\n1,李雷\n", "utf-8", 0}}) {
    const TextEncoding encoding = Detected(bytes);
    EXPECT_EQ(encoding.name, name);
    EXPECT_EQ(encoding.bom_bytes, bom);
    EXPECT_FALSE(encoding.guessed);
    EXPECT_EQ(encoding.confidence, 1);
    EXPECT_FALSE(absl::StartsWith(Decoded(bytes, encoding, 64), "\xEF\xBB\xBF"));
  }
}

TEST(DetectEncodingTest, AMarkIsBelievedBeforeTheNameThatWasGiven) {
  for (const char* named : {"gb18030", "windows-1252", "utf-16le", "auto"}) {
    const auto marked = DetectEncoding(*MemorySource("\xEF\xBB\xBFphone\n1\n"), named);
    ASSERT_TRUE(marked.ok()) << marked.status();
    EXPECT_EQ(marked->name, "utf-8") << named;
    EXPECT_EQ(marked->bom_bytes, 3) << named;
  }
  const auto wide =
      DetectEncoding(*MemorySource(absl::string_view("\xFE\xFF\0p\0h", 6)), "gb18030");
  EXPECT_EQ(wide.ok() ? wide->name : "", "utf-16be");
}

TEST(DetectEncodingTest, FilesThatAreNoTextAreRefused) {
  for (const auto& [bytes, code] : {std::pair<std::string, const char*>{"", "E_EMPTY_FILE"},
                                    {" \t\r\n\xEF\xBB\xBF\n", "E_EMPTY_FILE"},
                                    {std::string(200'000, '\n'), "E_EMPTY_FILE"},
                                    {"PK\x03\x04....", "E_NOT_TEXT"},
                                    {"  <HTML><body>", "E_NOT_TEXT"},
                                    {std::string("p\0h\0o\0\n\0", 8), "E_ENCODING"},
                                    {std::string("\xFF\xFE\0\0p\0\0\0", 8), "E_ENCODING"}}) {
    const auto source = MemorySource(bytes);
    const auto status = DetectEncoding(*source, "auto").status();
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_TRUE(absl::StartsWith(status.message(), code)) << status;
  }
  const auto source = MemorySource("phone\n1\n");
  EXPECT_THAT(DetectEncoding(*source, "klingon").status().message(), HasSubstr("windows-1252"));
}

// Named, UTF-16 needs no mark.
TEST(DetectEncodingTest, UtfSixteenByName) {
  const std::string bytes = Encoded("phone,name\n1,李雷\n", "utf-16le");
  EXPECT_EQ(Decoded(bytes, Detected(bytes, "UTF-16LE"), 64), "phone,name\n1,李雷\n");
}

struct Sample {
  const char* encoding;
  std::vector<const char*> rows;
};

// Lists as people have them: a header or none, few letters, many digits.
const std::vector<Sample>& Samples() {
  static const auto* const samples = new std::vector<Sample>{
      {"gb18030", {"手机号,姓名,城市", "13800000001,李雷,北京", "13800000002,韩梅梅,上海"}},
      {"gb18030",
       {"phone,company", "01055550100,北京云帆网络科技有限公司",
        "02155550100,上海明辉贸易有限公司"}},
      {"gb18030", {"13800000001,王伟,深圳市南山区科技园", "13800000002,张丽,广州市天河区体育东路"}},
      {"big5",
       {"手機,姓名,地址", "0912345678,陳怡君,臺北市信義區市府路一號",
        "0912345679,林志明,新北市板橋區中山路二段", "0912345670,黃淑芬,高雄市前鎮區中華五路"}},
      {"windows-1252",
       {"phone,name,city", "2025550101,José Núñez,Málaga", "2025550102,François Lefèvre,Orléans"}},
      {"windows-1252",
       {"Telefon;Name;Ort", "030123456;Jürgen Müller;Köln", "030123457;Käthe Weiß;München"}},
      {"windows-1250",
       {"telefon;nazwisko;miasto", "221234567;Wałęsa;Łódź", "221234568;Dąbrowska;Kraków",
        "221234569;Wiśniewski;Częstochowa", "221234560;Wójcik;Gdańsk"}},
      {"windows-1254",
       {"telefon,ad,şehir", "2125550101,Ayşe Yılmaz,İstanbul", "2125550102,Gülşen Özdoğan,Muğla",
        "2125550103,Barış Çelik,Eskişehir"}},
      {"windows-1251",
       {"телефон;имя;город", "4955550101;Иван Петров;Москва",
        "4955550102;Мария Сидорова;Санкт-Петербург", "4955550103;Алексей Смирнов;Новосибирск",
        "4955550104;Ольга Кузнецова;Екатеринбург"}},
      {"koi8-r",
       {"телефон;имя;город", "4955550101;Иван Петров;Москва", "4955550104;Ольга Кузнецова;Казань"}},
      {"windows-1253",
       {"τηλέφωνο;όνομα;πόλη", "2105550101;Γιώργος Παπαδόπουλος;Αθήνα",
        "2105550102;Μαρία Νικολάου;Θεσσαλονίκη"}},
      {"windows-1257",
       {"telefonas,vardas,miestas", "852550101,Šarūnas Žukauskas,Šiauliai",
        "852550102,Jūratė Kairytė,Panevėžys"}},
      {"shift_jis",
       {"電話番号,氏名,住所", "0355550101,山田太郎,東京都千代田区丸の内",
        "0355550102,すずき はなこ,大阪府大阪市北区うめだ",
        "0355550103,サトウ ケンジ,北海道札幌市中央区"}},
      {"euc-kr",
       {"전화번호,이름,주소", "0255550101,김민준,서울특별시 강남구 테헤란로",
        "0255550102,이서연,부산광역시 해운대구 우동",
        "0255550103,박지훈,대구광역시 수성구 범어동"}},
  };
  return *samples;
}

TEST(DetectEncodingTest, GuessesListsOfManyLanguages) {
  for (const Sample& sample : Samples()) {
    const std::string text = absl::StrCat(absl::StrJoin(sample.rows, "\r\n"), "\r\n");
    const std::string bytes = Encoded(text, sample.encoding);
    const TextEncoding encoding = Detected(bytes);
    SCOPED_TRACE(absl::StrCat(sample.rows[0], ": ", encoding.confidence, " ", encoding.reason));
    EXPECT_EQ(encoding.name, sample.encoding);
    EXPECT_TRUE(encoding.guessed);
    EXPECT_GE(encoding.confidence, 0.3);
    EXPECT_LT(encoding.confidence, 1);
    EXPECT_EQ(Decoded(bytes, encoding, 64), text);
  }
}

TEST(DetectEncodingTest, MoreTextMakesSurer) {
  const Sample& sample = Samples()[0];
  const std::string few = Encoded("电话\n13800000001,李\n", sample.encoding);
  const std::string text = absl::StrCat(absl::StrJoin(sample.rows, "\n"), "\n");
  std::string many;
  for (int i = 0; i < 50; ++i) many += Encoded(text, sample.encoding);
  EXPECT_LT(Detected(few).confidence, Detected(many).confidence);
  EXPECT_GT(Detected(many).confidence, 0.9);
}

TEST(DetectEncodingTest, TheHostileSetIsGuessedAsItShouldBe) {
  const std::pair<const char*, const char*> kFiles[] = {
      {"07-gb18030.csv", "gb18030"},       {"08-gb18030-trail-octets.csv", "gb18030"},
      {"09-latin1.csv", "windows-1252"},   {"10-invalid-utf8.csv", "utf-8"},
      {"11-mixed-encodings.csv", "utf-8"}, {"43-trailing-garbage.csv", "utf-8"}};
  for (const auto& [file, name] : kFiles) {
    const TextEncoding encoding = Detected(ReadFile(absl::StrCat("csv-hostile/", file)));
    EXPECT_EQ(encoding.name, name) << file << ": " << encoding.confidence << encoding.reason;
    EXPECT_TRUE(encoding.guessed) << file;
  }
  const TextEncoding cut = Detected(ReadFile("csv-hostile/40-torn-mid-utf8.csv"));
  EXPECT_EQ(cut.name, "utf-8");
  EXPECT_FALSE(cut.guessed);
}

// One foreign octet far behind the sampled beginning is still seen: validity is of the whole file.
TEST(DetectEncodingTest, LooksAtTheWholeFile) {
  std::string bytes;
  for (int i = 0; i < 60'000; ++i)
    absl::StrAppend(&bytes, "1380000", 1000 + i % 9000, ",李雷,北京\n");
  EXPECT_TRUE(Detected(bytes).clean);
  EXPECT_GT(bytes.size(), size_t{1} << 20);
  bytes += "13800000001,\xC0\xEE\n";
  const TextEncoding encoding = Detected(bytes);
  EXPECT_EQ(encoding.name, "utf-8");
  EXPECT_TRUE(encoding.guessed);
  EXPECT_FALSE(encoding.clean);
}

// Octets that are no text survive the way through UTF-8 and back, wherever blocks end.
TEST(StreamDecoderTest, AnyBlocksAnyOctetsThereAndBack) {
  const std::string bad[] = {"\xFF", "\x81 ", "\xFE\x7F", "\x84\x32,",
                             std::string("\x81\x30\x81,", 4)};
  for (const char* name : {"gb18030", "utf-8", "windows-1252", "shift_jis"}) {
    const std::string good = Encoded(
        absl::string_view(name) == "windows-1252" ? "phone,José Núñez " : "phone,漢字文学 ", name);
    for (uint64_t seed = 0; seed < 300; ++seed) {
      SCOPED_TRACE(absl::StrCat(name, " seed=", seed));
      Rng rng(seed);
      std::string bytes;
      bool with_bad = false;
      for (int i = 0; i < 30; ++i) {
        const bool is_bad = rng.Below(12) == 0;
        with_bad = with_bad || is_bad;
        bytes += is_bad ? bad[rng.Below(5)] : good;
        if (rng.Below(3) == 0) bytes += "\r\n";
      }
      if (rng.Below(2) == 0) bytes.resize(bytes.size() - rng.Below(4));
      const TextEncoding encoding = Detected(bytes, name);
      bool clean = false;
      const std::string text = Decoded(bytes, encoding, 1 << 20, &clean);
      if (with_bad && encoding.name != "windows-1252") {
        EXPECT_FALSE(clean);
      }
      for (const size_t block : {64, 65, 67, 100, 1000}) {
        EXPECT_EQ(Decoded(bytes, encoding, block), text);
      }
      if (encoding.name == "windows-1252") continue;  // it has a character for nearly every octet
      EXPECT_EQ(CheckRowText(text, encoding.is_utf8()) == RowText::kGood, clean);
      auto encoder = TextEncoder::Make(name);
      std::string back;
      (*encoder)->Append(text, back);
      EXPECT_EQ(back, bytes);
    }
  }
}

TEST(StreamDecoderTest, UtfSixteenWithHalfACharacter) {
  std::string bytes = absl::StrCat("\xFF\xFE", Encoded("phone,李😀\r\n", "utf-16le"));
  bytes += std::string("\x3D\xD8,\0a", 5);  // a lone surrogate, a comma, half a letter
  const TextEncoding encoding = Detected(bytes);
  const std::string text = Decoded(bytes, encoding, 64);
  EXPECT_TRUE(absl::StartsWith(text, "phone,李😀\r\n"));
  EXPECT_EQ(CheckRowText(text, false), RowText::kBad);
  auto encoder = TextEncoder::Make("utf-16le");
  std::string back((*encoder)->bom());
  (*encoder)->Append(text, back);
  EXPECT_EQ(back, bytes);
}

TEST(StreamDecoderTest, ARowIsJudgedByItself) {
  EXPECT_EQ(CheckRowText("李雷,1", true), RowText::kGood);
  EXPECT_EQ(CheckRowText("李\xE9\x9B", true), RowText::kCut);
  EXPECT_EQ(CheckRowText("\xC0\xEE,1", true), RowText::kBad);
  EXPECT_EQ(CheckRowText("李\xF4\x8F\xBF\xBF", false), RowText::kBad);
  // U+FFFD is a character like any other in a file that has it.
  EXPECT_EQ(CheckRowText("\xEF\xBF\xBD", true), RowText::kGood);
}

TEST(TextEncoderTest, CharactersAnEncodingLacksAreCounted) {
  auto encoder = TextEncoder::Make("windows-1252");
  std::string out;
  (*encoder)->Append("José 李雷", out);
  EXPECT_EQ(out, "Jos\xE9 ??");
  EXPECT_EQ((*encoder)->lost(), 2u);
  EXPECT_TRUE(absl::IsInvalidArgument(TextEncoder::Make("klingon").status()));
}

}  // namespace
}  // namespace outpace::load
