#include "bench/match/company_list.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "campaign/match/char_table.h"
#include "engine/base/rng.h"

namespace outpace::match {
namespace {

constexpr const char* kCities[] = {"北京", "上海",   "深圳", "广州", "杭州", "苏州",
                                   "成都", "武汉",   "南京", "天津", "重庆", "青岛",
                                   "长沙", "石家庄", "佛山", "宁波"};
constexpr const char* kHanTrades[] = {"电子", "科技",     "贸易",     "实业", "机械",
                                      "食品", "服装",     "建筑工程", "物流", "化工",
                                      "医药", "文化传媒", "餐饮管理", "电气"};
constexpr const char* kHanForms[] = {"有限公司", "有限责任公司", "股份有限公司", "公司",
                                     "集团有限公司"};
constexpr const char* kTrades[] = {"Electronics", "Technologies", "Trading",   "Industries",
                                   "Foods",       "Logistics",    "Chemicals", "Software",
                                   "Insurance",   "Machinery",    "Plumbing",  "Restaurant",
                                   "Dental",      "Roofing",      "Farms"};
constexpr const char* kForms[] = {" Ltd",  " Limited", ", Inc.", " Inc",  " LLC", " Co., Ltd.",
                                  " GmbH", " B.V.",    " BV",    " S.A.", " AG",  " Corp."};
constexpr const char* kOnsets[] = {"b", "br", "c", "d", "f", "g",  "h", "k",  "kl", "l",
                                   "m", "n",  "p", "r", "s", "st", "t", "tr", "v",  "w"};
constexpr const char* kRhymes[] = {"a",  "an", "ar", "e",  "el", "en",  "er",  "i",    "in",
                                   "on", "or", "o",  "um", "us", "ton", "ley", "mond", "wick"};

template <size_t n>
const char* Any(const char* const (&of)[n], Rng& rng) {
  return of[rng.Below(n)];
}

std::string Word(Rng& rng) {
  std::string word;
  for (uint64_t i = 2 + rng.Below(2); i > 0; --i) {
    absl::StrAppend(&word, Any(kOnsets, rng), Any(kRhymes, rng));
  }
  word[0] = absl::ascii_toupper(static_cast<unsigned char>(word[0]));
  return word;
}

// What a company is, however it is written.
struct Company {
  bool chinese = false;
  std::string city, brand, trade;
};

Company MakeCompany(absl::Span<const std::string> brands, Rng& rng) {
  Company company;
  company.chinese = rng.Chance(0.6);
  if (company.chinese) {
    company.city = Any(kCities, rng);
    company.brand =
        absl::StrCat(brands[rng.Below(brands.size())], brands[rng.Below(brands.size())]);
    company.trade = Any(kHanTrades, rng);
  } else {
    company.brand = absl::StrCat(Word(rng), " ", Word(rng));
    company.trade = Any(kTrades, rng);
  }
  return company;
}

std::string Write(const Company& company, Rng& rng) {
  if (!company.chinese) {
    return absl::StrCat(company.brand, " ", company.trade, Any(kForms, rng));
  }
  const uint64_t way = rng.Below(4);
  if (way == 0)
    return absl::StrCat(company.brand, company.trade, "（", company.city, "）",
                        Any(kHanForms, rng));
  return absl::StrCat(way == 1 ? "" : company.city, way == 2 ? "市" : "", company.brand,
                      company.trade, Any(kHanForms, rng));
}

// Two letters of a Latin name change places.
void Slip(std::string& name, Rng& rng) {
  const size_t at = 1 + rng.Below(name.size() - 2);
  if (absl::ascii_isalpha(static_cast<unsigned char>(name[at])) &&
      absl::ascii_isalpha(static_cast<unsigned char>(name[at + 1]))) {
    std::swap(name[at], name[at + 1]);
  }
}

std::string Fullwidth(const std::string& name) {
  std::string wide;
  for (const char c : name) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      AppendUtf8(static_cast<char32_t>(c) + 0xfee0, wide);
    } else {
      wide.push_back(c);
    }
  }
  return wide;
}

std::string WriteAgain(const Company& company, Rng& rng) {
  std::string name = Write(company, rng);
  if (company.chinese) return name;
  switch (rng.Below(5)) {
    case 0:
      absl::AsciiStrToUpper(&name);
      break;
    case 1:
      name = Fullwidth(name);
      break;
    case 2:
    case 3:
      Slip(name, rng);
      break;
    default:
      break;
  }
  return name;
}

}  // namespace

CompanyList MakeCompanyList(absl::Span<const std::string> brands, size_t names, uint64_t seed) {
  Rng rng(seed);
  CompanyList list;
  for (uint32_t entity = 0; list.names.size() < names; ++entity) {
    const Company company = MakeCompany(brands, rng);
    list.names.push_back(Write(company, rng));
    list.entity.push_back(entity);
    for (int again = 0; again < 2 && list.names.size() < names && rng.Chance(0.25); ++again) {
      list.names.push_back(WriteAgain(company, rng));
      list.entity.push_back(entity);
    }
  }
  // Mixed, so that copies do not stand side by side.
  for (size_t i = list.names.size(); i > 1; --i) {
    const size_t j = rng.Below(i);
    std::swap(list.names[i - 1], list.names[j]);
    std::swap(list.entity[i - 1], list.entity[j]);
  }
  return list;
}

}  // namespace outpace::match
