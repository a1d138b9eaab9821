#include "bench/import/list_maker.h"

#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace outpace::bench {
namespace {

constexpr uint64_t kNumbers = 600'000'000;

// Area codes of states in all four zones of the mainland.
constexpr int kAreas[] = {201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216,
                          217, 218, 219, 224, 225, 228, 229, 231, 234, 239, 240, 248, 251, 252,
                          253, 254, 256, 260, 262, 267, 269, 270, 276, 281, 301, 302, 303, 304,
                          305, 307, 308, 309, 310, 312, 313, 314, 315, 316, 317, 318, 319, 320};
constexpr const char* kFirst[] = {"Ann",  "Bob",  "Carla", "Dimitri", "Eve", "Fatima",
                                  "Gail", "Hiro", "Ines",  "José",    "李",  "王小明"};
constexpr const char* kLast[] = {"Lee",    "Okafor", "Smith",   "Zhang",     "García", "Brown",
                                 "Taylor", "Novak",  "O'Brien", "Fernandez", "雷",     "韩梅梅"};
constexpr const char* kStreet[] = {"Main Street", "Victoria Road",     "Elm Avenue",
                                   "中山路",      "Lincoln Boulevard", "High Street"};
constexpr const char* kCity[] = {"Boston", "Leeds", "深圳", "San Antonio", "Manchester", "成都"};

// A permutation of the numbers below `space`, no multiple of 48271: neighbours come out far apart.
uint64_t Scatter(uint64_t n, uint64_t space) { return n * 48'271 % space; }

// splitmix64.
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

struct National {
  const char* country;
  const char* code;
  uint64_t calling_code, digits;  // national digits as a number
};

National NationalOf(uint64_t n) {
  OUTPACE_CHECK(n < kNumbers);
  const uint64_t k = n / 3;
  if (n % 3 == 0) return {"CHN", "86", 86, 13'000'000'000 + Scatter(k, 1'000'000'000)};
  if (n % 3 == 2) return {"GBR", "44", 44, 7'400'000'000 + Scatter(k, 200'000'000)};
  // 56 area codes, 440 exchanges that are neither N11 nor 555, all lines behind them.
  constexpr uint64_t kHundreds[] = {2, 3, 4, 6, 7};
  const uint64_t index = Scatter(k, 246'400'000);
  const uint64_t exchange = index / 10'000 % 440, area = index / 4'400'000;
  return {"USA", "1", 1,
          static_cast<uint64_t>(kAreas[area]) * 10'000'000 +
              (kHundreds[exchange / 88] * 100 + 12 + exchange % 88) * 10'000 + index % 10'000};
}

template <size_t n>
const char* Any(const char* const (&of)[n], uint64_t dice) {
  return of[dice % n];
}

}  // namespace

E164 NumberOf(uint64_t n) {
  const National national = NationalOf(n);
  uint64_t scale = 1;
  while (scale <= national.digits) scale *= 10;
  return E164(national.calling_code * scale + national.digits);
}

absl::string_view HeaderLine() {
  return "vendor_lead_code,phone_code,phone_number,first_name,last_name,address1,city,postal_code,"
         "country_code,gender,date_of_birth,email,registered_capital,comments\n";
}

void AppendRow(const ListPlan& plan, uint64_t n, std::string& to) {
  const uint64_t dice = Mix(n), percent = dice % 100;
  uint64_t number = plan.first + n;
  if (percent < plan.known_percent) {
    number = plan.known_first + n;
  } else if (percent < plan.known_percent + plan.listed_percent) {
    number = plan.listed_first + n;
  }
  const National national = NationalOf(number);
  absl::StrAppend(&to, "V", 10'000'000 + n, ",", national.code, ",", national.digits, ",",
                  Any(kFirst, dice >> 8), ",", Any(kLast, dice >> 12));
  absl::StrAppend(&to, ",", 1 + (dice >> 16) % 999, " ", Any(kStreet, dice >> 20), ",",
                  Any(kCity, dice >> 24), ",", 10'000 + (dice >> 28) % 89'999, ",");
  absl::StrAppend(&to, national.country, ",", dice >> 33 & 1 ? "F" : "M", ",",
                  1950 + (dice >> 34) % 50, "-0", 1 + (dice >> 40) % 9, "-1", (dice >> 44) % 10,
                  ",customer", n, "@example.com,");
  // A separator inside quotes in every tenth row.
  absl::StrAppend(&to, (dice >> 48) % 2'000, "万,",
                  n % 10 == 0 ? "\"called before, asked to be rung on Monday\"\n"
                              : "asked to be rung on Monday\n");
}

absl::Status WriteList(const ListPlan& plan, const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"),
                                                             std::fclose);
  if (file == nullptr) return absl::UnavailableError(path);
  std::string text(HeaderLine());
  for (uint64_t n = 0; n < plan.rows; ++n) {
    AppendRow(plan, n, text);
    if (text.size() < (1u << 20) && n + 1 < plan.rows) continue;
    if (std::fwrite(text.data(), 1, text.size(), file.get()) != text.size()) {
      return absl::UnavailableError(path);
    }
    text.clear();
  }
  return std::fflush(file.get()) == 0 ? absl::OkStatus() : absl::UnavailableError(path);
}

}  // namespace outpace::bench
