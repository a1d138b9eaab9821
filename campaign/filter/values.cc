#include "campaign/filter/values.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/charconv.h"
#include "absl/strings/str_format.h"
#include "campaign/filter/text_fold.h"

namespace outpace::filter {
namespace {

constexpr int kDigitsMax = 18;  // that an int64_t holds; further ones only move the point

// mantissa * 10^exponent, rounded once: quickly where both factors are numbers that a double has.
double Scaled(int64_t mantissa, int exponent) {
  static constexpr std::array<double, 23> kPowers = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  auto value = static_cast<double>(mantissa);
  if (mantissa < int64_t{1} << 53 && exponent >= -22 && exponent <= 22) {
    return exponent >= 0 ? value * kPowers[static_cast<size_t>(exponent)]
                         : value / kPowers[static_cast<size_t>(-exponent)];
  }
  char text[48];
  const int size = absl::SNPrintF(text, sizeof text, "%de%d", mantissa, exponent);
  const auto read = absl::from_chars(text, text + size, value);
  const bool too_large = read.ec == std::errc::result_out_of_range && value > 1;
  if (too_large) return std::numeric_limits<double>::infinity();
  return value;
}

// Words are found by their first character; of those that share it the longest comes first.
struct Unit {
  char32_t first;
  absl::string_view text;
  int exponent;
};
constexpr Unit kUnits[] = {
    {U'万', "万", 4}, {U'萬', "萬", 4},     {U'亿', "亿", 8}, {U'億', "億", 8},
    {U'千', "千", 3}, {U'百', "百", 2},     {U'十', "十", 1}, {U't', "thousand", 3},
    {U'k', "k", 3},   {U'm', "million", 6}, {U'm', "mio", 6}, {U'm', "mn", 6},
    {U'm', "m", 6},   {U'b', "billion", 9}, {U'b', "bn", 9},  {U'b', "b", 9},
};
struct Currency {
  char32_t first;
  absl::string_view text;
};
constexpr Currency kCurrencies[] = {
    {U'元', "元人民币"}, {U'元', "元"},   {U'人', "人民币"}, {U'圆', "圆"},   {U'¥', "¥"},
    {U'￥', "￥"},       {U'$', "$"},     {U'€', "€"},       {U'£', "£"},     {U'₹', "₹"},
    {U'美', "美元"},     {U'美', "美金"}, {U'港', "港元"},   {U'港', "港币"}, {U'欧', "欧元"},
    {U'英', "英镑"},     {U'日', "日元"}, {U'u', "us$"},     {U'u', "usd"},   {U'h', "hk$"},
    {U'h', "hkd"},       {U'n', "nt$"},   {U'a', "a$"},      {U'a', "aud"},   {U'c', "c$"},
    {U'c', "cny"},       {U'c', "cad"},   {U's', "s$"},      {U's', "sgd"},   {U'r', "rmb"},
    {U'e', "eur"},       {U'g', "gbp"},   {U'j', "jpy"},     {U'i', "inr"},   {U'%', "%"},
};

constexpr bool IsDigit(char32_t c) { return c >= U'0' && c <= U'9'; }

// Reads on in a text, full-width forms as ASCII and small letters for capitals.
class Scanner {
 public:
  explicit Scanner(absl::string_view text) { Reset(TrimBlanks(text)); }

  bool AtEnd() const { return size_ == 0; }
  // The next character without taking it; 0 at the end.
  char32_t Peek() const { return next_; }
  bool Take(char32_t wanted) {
    if (next_ != wanted || size_ == 0) return false;
    Advance();
    return true;
  }
  // A digit, -1 if there is none.
  int TakeDigit() {
    if (!IsDigit(next_)) return -1;
    const int digit = static_cast<int>(next_ - U'0');
    Advance();
    return digit;
  }
  bool TakeWord(absl::string_view word) {
    const absl::string_view before = rest_;
    for (size_t at = 0; at < word.size();) {
      if (Take(Narrow(NextCharacter(word, at)))) continue;
      Reset(before);
      return false;
    }
    // A word of letters ends where the letters end: "m" is not the start of "male".
    if (!IsLetter(static_cast<unsigned char>(word.back())) || !IsLetter(next_)) return true;
    Reset(before);
    return false;
  }
  void SkipBlanks() {
    if (next_ == U' ' || next_ == U'\t' || next_ == U'\u00a0') Reset(TrimBlanks(rest_));
  }
  absl::string_view rest() const { return rest_; }
  void Reset(absl::string_view rest) {
    rest_ = rest;
    Decode();
  }

 private:
  static bool IsLetter(char32_t c) {
    return c < 0x80 && absl::ascii_isalpha(static_cast<unsigned char>(c));
  }
  void Advance() {
    rest_.remove_prefix(size_);
    Decode();
  }
  void Decode() {
    size_ = 0;
    next_ = rest_.empty() ? U'\0' : Narrow(NextCharacter(rest_, size_));
    if (next_ < 0x80) {
      next_ = static_cast<unsigned char>(absl::ascii_tolower(static_cast<unsigned char>(next_)));
    }
  }

  absl::string_view rest_;
  char32_t next_ = 0;  // the first character of rest_, and
  size_t size_ = 0;    // its octets
};

// Currencies tell nothing here: wherever one may stand, it is passed over.
void SkipCurrencies(Scanner& in) {
  for (bool again = true; again;) {
    in.SkipBlanks();
    again = false;
    const char32_t first = in.Peek();
    for (const Currency& currency : kCurrencies) {
      if (currency.first != first || !in.TakeWord(currency.text)) continue;
      again = true;
      break;
    }
  }
}

struct Decimal {
  int64_t mantissa = 0;
  int exponent = 0;
  int digits = 0;  // in front of the point
  void Push(int digit) {
    if (mantissa >= 100'000'000'000'000'000) {
      ++exponent;
    } else {
      mantissa = mantissa * 10 + digit;
    }
  }
};

// Groups behind separators: three digits each, or two each and three in the last.
bool ReadGroups(Scanner& in, Decimal& out) {
  bool twos = false, last_three = true, any = false;
  for (;;) {
    const absl::string_view before = in.rest();
    if (!in.Take(U',') && !in.Take(U'\'') && !in.Take(U' ')) break;
    int count = 0;
    for (int digit = in.TakeDigit(); digit >= 0; digit = in.TakeDigit()) {
      out.Push(digit);
      ++count;
    }
    if (count == 0) {  // a blank in front of a unit
      in.Reset(before);
      break;
    }
    if (count != 2 && count != 3) return false;
    if (any && last_three && (twos || count == 2)) return false;  // 1,234,56
    twos = twos || count == 2;
    last_three = count == 3;
    any = true;
  }
  return !any || (last_three && out.digits <= (twos ? 2 : 3));
}

bool ReadPlain(Scanner& in, Decimal& out) {
  for (int digit = in.TakeDigit(); digit >= 0; digit = in.TakeDigit()) {
    out.Push(digit);
    ++out.digits;
  }
  if (out.digits > 0 && !ReadGroups(in, out)) return false;
  if (in.Take(U'.')) {
    int places = 0;
    for (int digit = in.TakeDigit(); digit >= 0; digit = in.TakeDigit()) {
      const int before = out.exponent;
      out.Push(digit);
      out.exponent = before == out.exponent ? before - 1 : before;
      ++places;
    }
    return out.digits + places > 0;
  }
  return out.digits > 0;
}

// "e+06" of a spreadsheet. Leaves alone what is no exponent.
void ReadExponent(Scanner& in, Decimal& out) {
  const absl::string_view before = in.rest();
  if (!in.Take(U'e')) return;
  const bool negative = in.Take(U'-');
  if (!negative) in.Take(U'+');
  int value = 0, count = 0;
  for (int digit = in.TakeDigit(); digit >= 0; digit = in.TakeDigit(), ++count) {
    if (value < 1000) value = value * 10 + digit;
  }
  if (count == 0) return in.Reset(before);
  out.exponent += negative ? -value : value;
}

// 万, 亿, k: how far they move the point; 0 when there is none. `may_go_on`: a Chinese unit, behind
// which a smaller part may stand.
int ReadUnits(Scanner& in, bool& may_go_on) {
  int exponent = 0;
  for (bool again = true; again && !in.AtEnd();) {
    again = false;
    const absl::string_view before = in.rest();
    in.SkipBlanks();
    const char32_t first = in.Peek();
    for (const Unit& unit : kUnits) {
      if (unit.first != first || !in.TakeWord(unit.text)) continue;
      exponent += unit.exponent;
      may_go_on = unit.first >= 0x80;
      again = true;
      break;
    }
    if (!again) in.Reset(before);
  }
  return exponent;
}

bool ReadLongNumber(absl::string_view text, double& number) {
  Scanner in(text);
  bool negative = in.Take(U'-');
  const bool sign = negative || in.Take(U'+');
  if (!IsDigit(in.Peek())) SkipCurrencies(in);
  if (!sign) negative = in.Take(U'-');
  double sum = 0;
  for (int largest = 1'000;;) {  // 1亿2000万: parts of falling size
    Decimal part;
    if (!ReadPlain(in, part)) return false;
    ReadExponent(in, part);
    bool may_go_on = false;
    const int unit = ReadUnits(in, may_go_on);
    if (unit >= largest) return false;
    // 1万5000 is one number; 1万5 is 15,000 to some and 10,005 to others.
    if (unit == 0 && largest < 1'000 && part.digits != largest) return false;
    largest = unit;
    sum += Scaled(part.mantissa, part.exponent + unit);
    if (!may_go_on || !IsDigit(in.Peek())) break;
  }
  if (!in.AtEnd()) SkipCurrencies(in);
  number = negative ? -sum : sum;
  return in.AtEnd() && std::isfinite(number);
}

constexpr bool IsLeap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

bool MakeDay(int year, int month, int day, int32_t& out) {
  static constexpr std::array<int, 12> kLengths = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const int length = month == 2 && IsLeap(year) ? 29 : kLengths[static_cast<size_t>(month) - 1];
  if (day > length) return false;
  out = DayNumber(absl::CivilDay(year, month, day));
  return true;
}

// Between `least` and `most` digits; -1 if there are fewer.
int ReadDigits(Scanner& in, int least, int most) {
  int value = 0, count = 0;
  for (; count < most; ++count) {
    const int digit = in.TakeDigit();
    if (digit < 0) break;
    value = value * 10 + digit;
  }
  return count < least ? -1 : value;
}

}  // namespace

bool ReadNumber(absl::string_view text, double& number) {
  if (text.empty()) return false;
  // Nearly all values are bare digits.
  if (text.size() <= kDigitsMax) {
    int64_t value = 0;
    size_t at = 0;
    for (; at < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[at])); ++at) {
      value = value * 10 + (text[at] - '0');
    }
    if (at == text.size()) {
      number = static_cast<double>(value);
      return true;
    }
  }
  return ReadLongNumber(text, number);
}

bool ReadDay(absl::string_view text, int32_t& day) {
  Scanner in(text);
  const int year = ReadDigits(in, 4, 4);
  if (year < 0) return false;
  int month = 0, of_month = 0;
  if (in.Take(U'年')) {
    month = ReadDigits(in, 1, 2);
    if (!in.Take(U'月')) return false;
    of_month = ReadDigits(in, 1, 2);
    if (!in.Take(U'日')) return false;
  } else {
    char32_t separator = 0;
    for (const char32_t c : {U'-', U'/', U'.'}) {
      if (in.Take(c)) separator = c;
      if (separator != 0) break;
    }
    const int least = separator == 0 ? 2 : 1;
    month = ReadDigits(in, least, 2);
    if (separator != 0 && !in.Take(separator)) return false;
    of_month = ReadDigits(in, least, 2);
  }
  // A time of day: "T10:00" or " 10:00:00".
  const absl::string_view rest = in.rest();
  if (!rest.empty()) {
    const bool parted = in.Take(U't') || in.Take(U' ');
    in.SkipBlanks();
    if (!parted || in.TakeDigit() < 0) return false;
  }
  return MakeDay(year, month, of_month, day);
}

int32_t DayNumber(absl::CivilDay day) {
  return static_cast<int32_t>(day - absl::CivilDay(1970, 1, 1));
}

std::string DayText(int32_t day) {
  const absl::CivilDay civil = absl::CivilDay(1970, 1, 1) + day;
  return absl::StrFormat("%04d-%02d-%02d", civil.year(), civil.month(), civil.day());
}

bool ReadFlag(absl::string_view text, bool& flag) {
  static constexpr absl::string_view kYes[] = {"y", "yes", "true", "1", "是"};
  static constexpr absl::string_view kNo[] = {"n", "no", "false", "0", "否"};
  const auto is = [&](absl::string_view word) {
    Scanner in(text);
    return in.TakeWord(word) && in.AtEnd();
  };
  for (const absl::string_view word : kYes) {
    if (is(word)) return flag = true, true;
  }
  for (const absl::string_view word : kNo) {
    if (is(word)) return flag = false, true;
  }
  return false;
}

std::string NumberText(double number) {
  std::string text = std::fabs(number) < 1e15 ? absl::StrFormat("%.0f", number) : "";
  for (int digits = 1; digits <= 17; ++digits) {
    double read = 0;
    if (ReadNumber(text, read) && read == number) return text;
    text = absl::StrFormat("%.*g", digits, number);
  }
  return text;
}

}  // namespace outpace::filter
