#include "campaign/load/columns.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "campaign/load/text_decoder.h"

namespace outpace::load {
namespace {

using K = ColumnKind;

struct FieldKind {
  absl::string_view field;
  ColumnKind kind;
};

// Every field by its name in VICIdial's list files, and a few that exchange files add.
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
    {"address3", K::kText},
    {"city", K::kText},
    {"state", K::kText},
    {"province", K::kText},
    {"postal_code", K::kText},
    {"country_code", K::kCountry},
    {"gender", K::kGender},
    {"date_of_birth", K::kDateOfBirth},
    {"alt_phone", K::kAltPhone},
    {"email", K::kText},
    {"security_phrase", K::kText},
    {"comments", K::kText},
    {"rank", K::kRank},
    {"owner", K::kOwner},
    {"time_zone", K::kTimeZone},
    {"priority", K::kPriority},
    {"max_attempts", K::kMaxAttempts},
    {"callback_at", K::kCallback},
    {"multi_alt", K::kMultiAlt},
    {"caller_id", K::kCallerId},
    {"list", K::kIgnored},
};

// What VICIdial's own list download carries and the engine decides by itself.
constexpr absl::string_view kVicidialOwn[] = {
    "lead_id",      "entry_date",    "modify_date",          "status",
    "user",         "list_id",       "gmt_offset_now",       "called_since_last_reset",
    "called_count", "entry_list_id", "last_local_call_time",
};

// Names of engine state and of JavaScript's object keys: a file must not reach either.
constexpr absl::string_view kUntrusted[] = {
    "id",          "lead_id",       "status",      "disposition",    "dnc",
    "attempts",    "campaign",      "campaign_id", "agent",          "user",
    "constructor", "prototype",     "tier",        "next_call_time", "called_count",
    "trunk",       "entry_date",    "modify_date", "gmt_offset_now", "called_since_last_reset",
    "tostring",    "entry_list_id", "valueof",     "hasownproperty", "last_local_call_time",
    "lead",        "attempt",
};

// Aliases in their normal form: lower case, blanks and dashes as '_'.
constexpr std::pair<absl::string_view, absl::string_view> kAliases[] = {
    {"phone", "phone_number"},
    {"phone1", "phone_number"},
    {"phonenumber", "phone_number"},
    {"telephone", "phone_number"},
    {"telephone_number", "phone_number"},
    {"tel", "phone_number"},
    {"mobile", "phone_number"},
    {"mobile_phone", "phone_number"},
    {"mobile_number", "phone_number"},
    {"cell", "phone_number"},
    {"cell_phone", "phone_number"},
    {"cellphone", "phone_number"},
    {"contact_number", "phone_number"},
    {"contact_phone", "phone_number"},
    {"primary_phone", "phone_number"},
    {"main_phone", "phone_number"},
    {"number", "phone_number"},
    {"msisdn", "phone_number"},
    {"手机", "phone_number"},
    {"手机号", "phone_number"},
    {"手机号码", "phone_number"},
    {"电话", "phone_number"},
    {"电话号码", "phone_number"},
    {"联系电话", "phone_number"},
    {"联系方式", "phone_number"},
    {"号码", "phone_number"},
    {"被叫号码", "phone_number"},
    {"移动电话", "phone_number"},
    {"phone2", "alt_phone"},
    {"altphone", "alt_phone"},
    {"alternate_phone", "alt_phone"},
    {"home_phone", "alt_phone"},
    {"work_phone", "alt_phone"},
    {"other_phone", "alt_phone"},
    {"备用电话", "alt_phone"},
    {"固话", "alt_phone"},
    {"固定电话", "alt_phone"},
    {"座机", "alt_phone"},
    {"full_name", "name"},
    {"fullname", "name"},
    {"contact", "name"},
    {"contact_name", "name"},
    {"customer", "name"},
    {"customer_name", "name"},
    {"lead_name", "name"},
    {"姓名", "name"},
    {"名字", "name"},
    {"客户", "name"},
    {"客户姓名", "name"},
    {"客户名称", "name"},
    {"联系人", "name"},
    {"firstname", "first_name"},
    {"first", "first_name"},
    {"given_name", "first_name"},
    {"forename", "first_name"},
    {"名", "first_name"},
    {"lastname", "last_name"},
    {"last", "last_name"},
    {"surname", "last_name"},
    {"family_name", "last_name"},
    {"姓", "last_name"},
    {"company_name", "company"},
    {"business", "company"},
    {"business_name", "company"},
    {"organisation", "company"},
    {"organization", "company"},
    {"account_name", "company"},
    {"公司", "company"},
    {"公司名称", "company"},
    {"单位", "company"},
    {"单位名称", "company"},
    {"企业", "company"},
    {"企业名称", "company"},
    {"address", "address1"},
    {"address_1", "address1"},
    {"address_2", "address2"},
    {"street", "address1"},
    {"地址", "address1"},
    {"联系地址", "address1"},
    {"town", "city"},
    {"城市", "city"},
    {"市", "city"},
    {"region", "state"},
    {"county", "province"},
    {"省", "province"},
    {"省份", "province"},
    {"zip", "postal_code"},
    {"zip_code", "postal_code"},
    {"zipcode", "postal_code"},
    {"postcode", "postal_code"},
    {"post_code", "postal_code"},
    {"postal", "postal_code"},
    {"邮编", "postal_code"},
    {"邮政编码", "postal_code"},
    {"country", "country_code"},
    {"国家", "country_code"},
    {"dial_code", "phone_code"},
    {"calling_code", "phone_code"},
    {"区号", "phone_code"},
    {"sex", "gender"},
    {"性别", "gender"},
    {"dob", "date_of_birth"},
    {"birthday", "date_of_birth"},
    {"birth_date", "date_of_birth"},
    {"生日", "date_of_birth"},
    {"出生日期", "date_of_birth"},
    {"mail", "email"},
    {"e_mail", "email"},
    {"email_address", "email"},
    {"邮箱", "email"},
    {"电子邮箱", "email"},
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
    {"负责人", "owner"},
    {"归属人", "owner"},
    {"来源", "source_id"},
    {"客户编号", "vendor_lead_code"},
    {"lead_code", "vendor_lead_code"},
    {"external_id", "vendor_lead_code"},
    {"职位", "title"},
    {"称呼", "title"},
    {"cid", "caller_id"},
    {"callerid", "caller_id"},
    {"主叫号码", "caller_id"},
    {"list_name", "list"},
    {"名单", "list"},
    {"middle_name", "middle_initial"},
};

// "  Time\nZone " -> "time_zone"; full-width letters as ASCII ones.
std::string NormalHeader(absl::string_view text) {
  std::string ascii;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // U+FF01..U+FF5E is EF BC 81 .. EF BD 9E; U+3000 is E3 80 80; U+FEFF is EF BB BF.
    if (c == 0xef && i + 2 < text.size()) {
      const auto b = static_cast<unsigned char>(text[i + 1]);
      const auto d = static_cast<unsigned char>(text[i + 2]);
      const unsigned code = 0xf000u | (b & 0x3fu) << 6 | (d & 0x3fu);
      if (code >= 0xff01 && code <= 0xff5e) {
        ascii += static_cast<char>(code - 0xfee0);
        i += 2;
        continue;
      }
      if (code == 0xfeff) {
        i += 2;
        continue;
      }
    }
    if (absl::StartsWith(text.substr(i), "\xE3\x80\x80")) {
      ascii += ' ';
      i += 2;
      continue;
    }
    ascii += text[i];
  }
  std::string out;
  for (const char c : absl::StripAsciiWhitespace(ascii)) {
    const bool gap = absl::ascii_isspace(static_cast<unsigned char>(c)) || c == '-' || c == '.';
    if (gap) {
      if (!out.empty() && out.back() != '_') out += '_';
    } else {
      out += absl::ascii_tolower(static_cast<unsigned char>(c));
    }
  }
  return out;
}

const FieldKind* FindField(absl::string_view field) {
  const auto* const at = std::find_if(std::begin(kFields), std::end(kFields),
                                      [&](const FieldKind& f) { return f.field == field; });
  return at == std::end(kFields) ? nullptr : at;
}

template <size_t N>
bool IsIn(const absl::string_view (&names)[N], absl::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// No control characters and whole UTF-8: the name reaches screens and JSON.
bool IsShowable(absl::string_view name) {
  return name.size() <= 64 && CheckUtf8(name) == Utf8::kValid &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); });
}

bool IsAcceptableName(absl::string_view name) {
  return !name.empty() && name[0] != '_' && IsShowable(name);
}

Column ColumnOf(absl::string_view header, size_t position,
                const std::map<std::string, std::string>& extra, bool vicidial_download) {
  Column out;
  const std::string normal = NormalHeader(header);
  const absl::string_view trimmed = absl::StripAsciiWhitespace(header);
  out.header = IsShowable(trimmed)  ? std::string(trimmed)
               : IsShowable(normal) ? normal  // a line end inside the name
                                    : absl::StrCat("column ", position);
  std::string field;
  for (const auto& [column, wanted] : extra) {
    if (NormalHeader(column) == normal) field = wanted;
  }
  if (field.empty()) field = FieldOfHeader(header);
  if (const FieldKind* known = FindField(field)) {
    out.kind = known->kind;
    out.field = field;
    return out;
  }
  if (vicidial_download && IsIn(kVicidialOwn, normal)) {
    out.kind = K::kIgnored;
    return out;
  }
  out.known = false;
  // "_" alone in front covers __proto__ and the engine's own notes in the field map.
  if (IsIn(kUntrusted, normal) || !IsAcceptableName(normal)) {
    out.kind = trimmed.empty() ? K::kIgnored : K::kUntrusted;
    return out;
  }
  out.kind = K::kText;
  out.field = normal;
  return out;
}

}  // namespace

std::string FieldOfHeader(absl::string_view header) {
  const std::string normal = NormalHeader(header);
  if (FindField(normal) != nullptr) return normal;
  for (const auto& [alias, field] : kAliases) {
    if (alias == normal) return std::string(field);
  }
  return "";
}

absl::string_view PhoneAliases() {
  return "phone, phone_number, mobile, tel, cell, 手机, 手机号, 电话, 联系电话, 号码";
}

absl::StatusOr<ColumnMap> MapHeader(const std::vector<std::string>& headers,
                                    const std::map<std::string, std::string>& extra) {
  for (const auto& [column, field] : extra) {
    if (FindField(field) == nullptr && !(IsAcceptableName(field) && !IsIn(kUntrusted, field))) {
      return absl::InvalidArgumentError(
          absl::StrCat("columns: \"", field, "\" (for column \"", column, "\") is not a field"));
    }
  }
  std::set<std::string> seen;
  bool has_vendor_code = false, has_offset = false;
  for (const std::string& header : headers) {
    const std::string normal = NormalHeader(header);
    if (normal.empty()) continue;
    if (!seen.insert(normal).second) {
      return absl::InvalidArgumentError(absl::StrCat(
          "E_DUP_HEADER: the header \"", absl::StripAsciiWhitespace(header),
          "\" stands twice; rename one of the columns (a second phone: phone2 or alt_phone)"));
    }
    has_vendor_code = has_vendor_code || normal == "vendor_lead_code";
    has_offset = has_offset || normal == "gmt_offset_now";
  }
  ColumnMap out;
  bool has_alt = false;
  std::set<std::string> taken;
  for (const std::string& header : headers) {
    out.columns.push_back(
        ColumnOf(header, out.columns.size() + 1, extra, has_vendor_code && has_offset));
    has_alt = has_alt || out.columns.back().kind == K::kAltPhone;
  }
  for (Column& column : out.columns) {
    if (column.kind == K::kPhone && out.has_phone) {
      // A second phone column under another alias: 手机 and 电话 in one file.
      column.kind = has_alt ? K::kIgnored : K::kAltPhone;
      column.field = "alt_phone";
      has_alt = true;
    } else if (column.kind == K::kPhone) {
      out.has_phone = true;
    } else if (!column.field.empty() && !taken.insert(column.field).second) {
      // Two columns for one field ("note" and "comments"): the later keeps its own name.
      column.kind = K::kText;
      column.field = NormalHeader(column.header);
    }
    if (column.kind == K::kIgnored || column.kind == K::kUntrusted) column.field = "-";
    if (column.kind == K::kCallerId) column.field = "-";
  }
  return out;
}

ColumnMap StandardColumns(absl::string_view layout, size_t count) {
  static constexpr absl::string_view kStandard[] = {
      "vendor_lead_code",
      "source_id",
      "list_id",
      "phone_code",
      "phone_number",
      "title",
      "first_name",
      "middle_initial",
      "last_name",
      "address1",
      "address2",
      "address3",
      "city",
      "state",
      "province",
      "postal_code",
      "country_code",
      "gender",
      "date_of_birth",
      "alt_phone",
      "email",
      "security_phrase",
      "comments",
  };
  std::vector<absl::string_view> names(std::begin(kStandard), std::end(kStandard));
  if (layout == "stdrankowner") {
    names.insert(names.end(),
                 {"called_count", "status", "entry_date", "rank", "owner", "multi_alt"});
  } else if (count == 24 || count == 25) {
    names.insert(names.end(), {"rank", "owner"});  // the web form's long version
  } else {
    names.insert(names.end(), {"called_count", "status", "entry_date", "multi_alt"});
  }
  ColumnMap out;
  out.has_phone = true;
  for (absl::string_view name : names) {
    Column column;
    column.header = std::string(name);
    const FieldKind* const known = FindField(name);
    column.kind = known == nullptr ? K::kIgnored : known->kind;
    column.field = column.kind == K::kIgnored ? "-" : std::string(name);
    out.columns.push_back(std::move(column));
  }
  return out;
}

}  // namespace outpace::load
