#include "campaign/load/aliases.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace outpace::load {
namespace {

using K = ColumnKind;
using T = campaign::FieldType;

// VICIdial's list fields in its names, then what exchange files and company registers add.
constexpr FieldKind kFields[] = {
    {"vendor_lead_code", K::kText},
    {"source_id", K::kText},
    {"list_id", K::kIgnored},
    {"phone_code", K::kPhoneCode},
    {"phone_number", K::kPhone},
    {"title", K::kText},
    {"first_name", K::kText},
    {"middle_initial", K::kText},
    {"last_name", K::kText},
    {"name", K::kName},
    {"company", K::kText},
    {"address1", K::kText},
    {"address2", K::kText},
    {"address3", K::kThirdPhone},
    {"city", K::kText},
    {"state", K::kText},
    {"province", K::kText},
    {"postal_code", K::kText},
    {"country_code", K::kCountry},
    {"gender", K::kGender},
    {"date_of_birth", K::kDateOfBirth, T::kDate},
    {"alt_phone", K::kAltPhone},
    {"alt_phones", K::kAltPhone},
    {"email", K::kText},
    {"security_phrase", K::kText},
    {"comments", K::kText},
    {"rank", K::kRank, T::kNumber},
    {"owner", K::kOwner},
    {"time_zone", K::kTimeZone},
    {"priority", K::kPriority, T::kNumber},
    {"max_attempts", K::kMaxAttempts, T::kNumber},
    {"callback_at", K::kCallback},
    {"multi_alt", K::kMultiAlt},
    {"caller_id", K::kCallerId},
    {"list", K::kIgnored},
    // The two columns a reject file has more than its input: it is corrected and loaded again.
    {"outpace_line", K::kIgnored},
    {"outpace_reason", K::kIgnored},

    {"district", K::kText},
    {"website", K::kText},
    {"industry", K::kText},
    {"fax", K::kText},
    {"department", K::kText},
    {"lead_status", K::kText},
    {"rating", K::kText},
    {"annual_revenue", K::kText, T::kNumber},
    {"employees", K::kText, T::kNumber},
    {"do_not_call", K::kText, T::kFlag},
    {"legal_representative", K::kText},
    {"registered_capital", K::kText, T::kNumber},
    {"registered_capital_wan", K::kText, T::kNumber},  // in units of 10,000
    {"paid_in_capital", K::kText, T::kNumber},
    {"paid_in_capital_wan", K::kText, T::kNumber},
    {"founded", K::kText, T::kDate},
    {"approved", K::kText, T::kDate},
    {"operating_status", K::kText},
    {"credit_code", K::kText},
    {"tax_number", K::kText},
    {"registration_number", K::kText},
    {"organisation_code", K::kText},
    {"company_type", K::kText},
    {"company_size", K::kText},
    {"business_scope", K::kText},
    {"business_term", K::kText},
    {"insured_employees", K::kText, T::kNumber},
    {"former_name", K::kText},
    {"english_name", K::kText},
    {"other_emails", K::kText},
};

struct Alias {
  absl::string_view alias;  // in its normal form
  absl::string_view field;
};

constexpr Alias kAliases[] = {
    // The number to dial.
    {"phone", "phone_number"},
    {"phone1", "phone_number"},
    {"phone_1", "phone_number"},
    {"phonenumber", "phone_number"},
    {"phone_no", "phone_number"},
    {"phone_num", "phone_number"},
    {"telephone", "phone_number"},
    {"telephone_number", "phone_number"},
    {"telephone_no", "phone_number"},
    {"tel", "phone_number"},
    {"tel_no", "phone_number"},
    {"mobile", "phone_number"},
    {"mobilephone", "phone_number"},
    {"mobile_phone", "phone_number"},
    {"mobile_phone_number", "phone_number"},
    {"mobile_number", "phone_number"},
    {"mobile_no", "phone_number"},
    {"cell", "phone_number"},
    {"cell_phone", "phone_number"},
    {"cellphone", "phone_number"},
    {"cell_number", "phone_number"},
    {"contact_number", "phone_number"},
    {"contact_phone", "phone_number"},
    {"customer_phone", "phone_number"},
    {"primary_phone", "phone_number"},
    {"main_phone", "phone_number"},
    {"business_phone", "phone_number"},
    {"company_phone", "phone_number"},
    {"direct_phone", "phone_number"},
    {"number", "phone_number"},
    {"msisdn", "phone_number"},
    {"phone_10digit", "phone_number"},
    {"手机", "phone_number"},
    {"手机号", "phone_number"},
    {"手机号码", "phone_number"},
    {"电话", "phone_number"},
    {"电话号", "phone_number"},
    {"电话号码", "phone_number"},
    {"联系电话", "phone_number"},
    {"联系方式", "phone_number"},
    {"联系手机", "phone_number"},
    {"联系号码", "phone_number"},
    {"电话_手机", "phone_number"},
    {"手机_电话", "phone_number"},
    {"客户电话", "phone_number"},
    {"客户号码", "phone_number"},
    {"客户手机", "phone_number"},
    {"企业电话", "phone_number"},
    {"公司电话", "phone_number"},
    {"注册电话", "phone_number"},
    {"有效手机号", "phone_number"},
    {"可用号码", "phone_number"},
    {"号码", "phone_number"},
    {"被叫号码", "phone_number"},
    {"移动电话", "phone_number"},
    // Further numbers. phone2 .. phone9, 手机2 and the like: see FieldOfAlias().
    {"altphone", "alt_phone"},
    {"alternate_phone", "alt_phone"},
    {"alternative_phone", "alt_phone"},
    {"secondary_phone", "alt_phone"},
    {"home_phone", "alt_phone"},
    {"homephone", "alt_phone"},
    {"work_phone", "alt_phone"},
    {"workphone", "alt_phone"},
    {"office_phone", "alt_phone"},
    {"other_phone", "alt_phone"},
    {"otherphone", "alt_phone"},
    {"asst_phone", "alt_phone"},
    {"备用电话", "alt_phone"},
    {"备用号码", "alt_phone"},
    {"其他电话", "alt_phone"},
    {"其它电话", "alt_phone"},
    {"更多电话", "alt_phone"},
    {"更多号码", "alt_phone"},
    {"更多联系方式", "alt_phone"},
    {"年报电话", "alt_phone"},
    {"同电话号码", "alt_phone"},
    {"固话", "alt_phone"},
    {"固定电话", "alt_phone"},
    {"座机", "alt_phone"},
    {"办公电话", "alt_phone"},
    {"家庭电话", "alt_phone"},
    {"multi_alt_entries", "multi_alt"},
    {"multi_alt_phones", "multi_alt"},
    // People.
    {"full_name", "name"},
    {"fullname", "name"},
    {"contact", "name"},
    {"contact_name", "name"},
    {"contact_person", "name"},
    {"customer", "name"},
    {"customer_name", "name"},
    {"client_name", "name"},
    {"lead_name", "name"},
    {"姓名", "name"},
    {"名字", "name"},
    {"客户", "name"},
    {"客户姓名", "name"},
    {"客户名称", "name"},
    {"联系人", "name"},
    {"联系人姓名", "name"},
    {"firstname", "first_name"},
    {"first", "first_name"},
    {"given_name", "first_name"},
    {"forename", "first_name"},
    {"名", "first_name"},
    {"lastname", "last_name"},
    {"last", "last_name"},
    {"name_last", "last_name"},
    {"surname", "last_name"},
    {"family_name", "last_name"},
    {"姓", "last_name"},
    {"姓氏", "last_name"},
    {"middle", "middle_initial"},
    {"middle_name", "middle_initial"},
    {"salutation", "title"},
    {"job_title", "title"},
    {"jobtitle", "title"},
    {"position", "title"},
    {"职位", "title"},
    {"职务", "title"},
    {"称呼", "title"},
    {"sex", "gender"},
    {"性别", "gender"},
    {"dob", "date_of_birth"},
    {"birthday", "date_of_birth"},
    {"birthdate", "date_of_birth"},
    {"birth_date", "date_of_birth"},
    {"生日", "date_of_birth"},
    {"出生日期", "date_of_birth"},
    {"mail", "email"},
    {"e_mail", "email"},
    {"email_address", "email"},
    {"邮箱", "email"},
    {"电子邮箱", "email"},
    {"电子邮件", "email"},
    {"企业邮箱", "email"},
    {"更多邮箱", "other_emails"},
    {"其他邮箱", "other_emails"},
    // Companies.
    {"company_name", "company"},
    {"company_account", "company"},
    {"associated_company", "company"},
    {"business", "company"},
    {"business_name", "company"},
    {"organisation", "company"},
    {"organization", "company"},
    {"organisation_name", "company"},
    {"organization_name", "company"},
    {"account", "company"},
    {"account_name", "company"},
    {"公司", "company"},
    {"公司名称", "company"},
    {"公司名", "company"},
    {"单位", "company"},
    {"单位名称", "company"},
    {"企业", "company"},
    {"企业名称", "company"},
    {"企业名", "company"},
    {"法人", "legal_representative"},
    {"法人代表", "legal_representative"},
    {"法定代表人", "legal_representative"},
    {"法定代表人姓名", "legal_representative"},
    {"注册资本", "registered_capital"},
    {"注册资金", "registered_capital"},
    {"注册资本(万元)", "registered_capital_wan"},
    {"注册资本(万)", "registered_capital_wan"},
    {"注册资本万元", "registered_capital_wan"},
    {"注册资金(万元)", "registered_capital_wan"},
    {"实缴资本", "paid_in_capital"},
    {"实缴资本(万元)", "paid_in_capital_wan"},
    {"成立日期", "founded"},
    {"成立时间", "founded"},
    {"注册日期", "founded"},
    {"注册时间", "founded"},
    {"核准日期", "approved"},
    {"经营状态", "operating_status"},
    {"登记状态", "operating_status"},
    {"企业状态", "operating_status"},
    {"统一社会信用代码", "credit_code"},
    {"社会信用代码", "credit_code"},
    {"信用代码", "credit_code"},
    {"纳税人识别号", "tax_number"},
    {"注册号", "registration_number"},
    {"工商注册号", "registration_number"},
    {"组织机构代码", "organisation_code"},
    {"企业类型", "company_type"},
    {"公司类型", "company_type"},
    {"企业规模", "company_size"},
    {"经营范围", "business_scope"},
    {"营业期限", "business_term"},
    {"参保人数", "insured_employees"},
    {"曾用名", "former_name"},
    {"英文名", "english_name"},
    {"英文名称", "english_name"},
    {"所属行业", "industry"},
    {"行业", "industry"},
    {"网址", "website"},
    {"官网", "website"},
    {"企业网址", "website"},
    {"website_url", "website"},
    {"url", "website"},
    {"传真", "fax"},
    {"fax_number", "fax"},
    {"部门", "department"},
    {"annualrevenue", "annual_revenue"},
    {"revenue", "annual_revenue"},
    {"numberofemployees", "employees"},
    {"number_of_employees", "employees"},
    {"no_of_employees", "employees"},
    {"员工人数", "employees"},
    {"人员规模", "company_size"},
    {"donotcall", "do_not_call"},
    // Places.
    {"address", "address1"},
    {"address_1", "address1"},
    {"address_line_1", "address1"},
    {"street", "address1"},
    {"street_address", "address1"},
    {"mailing_street", "address1"},
    {"billing_street", "address1"},
    {"地址", "address1"},
    {"联系地址", "address1"},
    {"企业地址", "address1"},
    {"公司地址", "address1"},
    {"注册地址", "address1"},
    {"通讯地址", "address1"},
    {"经营地址", "address1"},
    {"address_2", "address2"},
    {"address_line_2", "address2"},
    {"最新年报地址", "address2"},
    {"address_3", "address3"},
    {"town", "city"},
    {"mailing_city", "city"},
    {"billing_city", "city"},
    {"城市", "city"},
    {"所属城市", "city"},
    {"所在城市", "city"},
    {"市", "city"},
    {"区县", "district"},
    {"所属区县", "district"},
    {"区", "district"},
    {"region", "state"},
    {"state_province", "state"},
    {"state_region", "state"},
    {"mailing_state", "state"},
    {"mailing_state_province", "state"},
    {"billing_state", "state"},
    {"billing_state_province", "state"},
    {"county", "province"},
    {"省", "province"},
    {"省份", "province"},
    {"所属省份", "province"},
    {"所在省份", "province"},
    {"zip", "postal_code"},
    {"zip_code", "postal_code"},
    {"zipcode", "postal_code"},
    {"zip_postal_code", "postal_code"},
    {"mailing_zip_postal_code", "postal_code"},
    {"billing_zip_postal_code", "postal_code"},
    {"postalcode", "postal_code"},
    {"postcode", "postal_code"},
    {"post_code", "postal_code"},
    {"postal", "postal_code"},
    {"邮编", "postal_code"},
    {"邮政编码", "postal_code"},
    {"country", "country_code"},
    {"country_region", "country_code"},
    {"mailing_country", "country_code"},
    {"billing_country", "country_code"},
    {"国家", "country_code"},
    {"dial_code", "phone_code"},
    {"calling_code", "phone_code"},
    {"区号", "phone_code"},
    // The rest.
    {"note", "comments"},
    {"notes", "comments"},
    {"comment", "comments"},
    {"remark", "comments"},
    {"remarks", "comments"},
    {"description", "comments"},
    {"备注", "comments"},
    {"说明", "comments"},
    {"timezone", "time_zone"},
    {"tz", "time_zone"},
    {"时区", "time_zone"},
    {"优先级", "priority"},
    {"call_back", "callback_at"},
    {"callback", "callback_at"},
    {"callback_time", "callback_at"},
    {"回访时间", "callback_at"},
    {"预约时间", "callback_at"},
    {"预约回访", "callback_at"},
    {"lead_owner", "owner"},
    {"contact_owner", "owner"},
    {"account_owner", "owner"},
    {"负责人", "owner"},
    {"归属人", "owner"},
    {"leadsource", "source_id"},
    {"lead_source", "source_id"},
    {"original_source", "source_id"},
    {"来源", "source_id"},
    {"客户来源", "source_id"},
    {"客户编号", "vendor_lead_code"},
    {"lead_code", "vendor_lead_code"},
    {"vendor_id", "vendor_lead_code"},
    {"external_id", "vendor_lead_code"},
    {"record_id", "vendor_lead_code"},
    {"cid", "caller_id"},
    {"callerid", "caller_id"},
    {"主叫号码", "caller_id"},
    {"list_name", "list"},
    {"名单", "list"},
};

const absl::flat_hash_map<absl::string_view, absl::string_view>& AliasTable() {
  static const auto* const table = [] {
    auto* out = new absl::flat_hash_map<absl::string_view, absl::string_view>();
    for (const Alias& alias : kAliases) out->emplace(alias.alias, alias.field);
    return out;
  }();
  return *table;
}

// The ASCII form of the full-width character at text[i] (U+FF01..U+FF5E is EF BC 81 .. EF BD 9E;
// U+3000 is E3 80 80), 0 if it is none. A byte order mark in the middle (U+FEFF) is -1: dropped.
int FullWidth(absl::string_view text, size_t i) {
  if (i + 2 >= text.size()) return 0;
  if (absl::StartsWith(text.substr(i), "\xE3\x80\x80")) return ' ';
  if (text[i] != '\xEF') return 0;
  const auto b = static_cast<unsigned char>(text[i + 1]);
  const auto d = static_cast<unsigned char>(text[i + 2]);
  const unsigned code = 0xf000u | (b & 0x3fu) << 6 | (d & 0x3fu);
  if (code >= 0xff01 && code <= 0xff5e) return static_cast<int>(code - 0xfee0);
  return code == 0xfeff ? -1 : 0;
}

}  // namespace

const FieldKind* FindField(absl::string_view field) {
  const auto* const at = std::find_if(std::begin(kFields), std::end(kFields),
                                      [&](const FieldKind& f) { return f.field == field; });
  return at == std::end(kFields) ? nullptr : at;
}

absl::string_view FieldOfAlias(absl::string_view normal) {
  if (const FieldKind* const field = FindField(normal)) return field->field;
  const auto& aliases = AliasTable();
  const auto at = aliases.find(normal);
  if (at != aliases.end()) return at->second;
  // phone2, phone_3, 手机2, 联系电话3: further numbers.
  absl::string_view stem = normal;
  if (!stem.empty() && stem.back() >= '2' && stem.back() <= '9') {
    stem.remove_suffix(1);
    absl::ConsumeSuffix(&stem, "_");
    const auto numbered = aliases.find(stem);
    const bool phone = stem == "phone_number" || stem == "alt_phone" ||
                       (numbered != aliases.end() &&
                        (numbered->second == "phone_number" || numbered->second == "alt_phone"));
    if (phone) return "alt_phone";
  }
  return "";
}

std::string NormalHeader(absl::string_view text) {
  std::string ascii;
  for (size_t i = 0; i < text.size(); ++i) {
    const int narrow = FullWidth(text, i);
    if (narrow == 0) {
      ascii += text[i];
      continue;
    }
    if (narrow > 0) ascii += static_cast<char>(narrow);
    i += 2;
  }
  // Forms to fill in mark their columns: "*手机号", "姓名（必填）".
  absl::string_view name = absl::StripAsciiWhitespace(ascii);
  for (absl::string_view mark : {"(必填)", "(选填)", "(required)", "(optional)", "*"}) {
    absl::ConsumeSuffix(&name, mark);
  }
  absl::ConsumePrefix(&name, "*");
  std::string out;
  for (const char c : absl::StripAsciiWhitespace(name)) {
    const bool gap =
        absl::ascii_isspace(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '/';
    if (gap) {
      if (!out.empty() && out.back() != '_') out += '_';
    } else {
      out += absl::ascii_tolower(static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace outpace::load
