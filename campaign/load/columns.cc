#include "campaign/load/columns.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "campaign/load/aliases.h"
#include "campaign/load/utf8.h"

namespace outpace::load {
namespace {

using K = ColumnKind;

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

template <size_t N>
bool IsIn(const absl::string_view (&names)[N], absl::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

constexpr size_t kNameBytesMax = 64;

// No control characters and whole UTF-8: the name reaches screens and JSON.
bool IsShowable(absl::string_view name) {
  return name.size() <= kNameBytesMax && CheckUtf8(name) == Utf8::kValid &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); });
}

// "_" alone in front covers __proto__ and the engine's own notes in the field map.
bool IsAcceptableName(absl::string_view name) {
  return !name.empty() && name[0] != '_' && name != "-" && IsShowable(name) &&
         !IsIn(kUntrusted, name);
}

void SetField(Column& column, absl::string_view field) {
  const FieldKind* const known = FindField(field);
  column.kind = known == nullptr ? K::kText : known->kind;
  column.field = std::string(field);
  column.type = known == nullptr ? campaign::FieldType::kText : known->type;
}

Column ColumnOf(absl::string_view header, size_t position, const ColumnTarget* target,
                bool vicidial_download) {
  Column out;
  const std::string normal = NormalHeader(header);
  const absl::string_view trimmed = absl::StripAsciiWhitespace(header);
  out.header = IsShowable(trimmed)  ? std::string(trimmed)
               : IsShowable(normal) ? normal  // a line end inside the name
                                    : absl::StrCat("column ", position);
  if (target != nullptr) {
    if (target->field == "-") {
      out.kind = K::kIgnored;
      return out;
    }
    SetField(out, target->field);
    if (target->has_type) out.type = target->type;
    out.type_named = target->has_type;
    return out;
  }
  if (const absl::string_view field = FieldOfAlias(normal); !field.empty()) {
    SetField(out, field);
    return out;
  }
  if (vicidial_download && IsIn(kVicidialOwn, normal)) {
    out.kind = K::kIgnored;
    return out;
  }
  out.known = false;
  if (!IsAcceptableName(normal)) {
    out.kind = trimmed.empty() ? K::kIgnored : K::kUntrusted;
    return out;
  }
  out.field = normal;
  return out;
}

// A file may have many columns of numbers: one is dialed (the one the operator named, else the
// first that is no alternate one, else the first), and the others are further numbers of the lead.
void ChoosePhone(ColumnMap& map, size_t named_phone) {
  std::vector<Column>& columns = map.columns;
  size_t first = columns.size(), first_alt = columns.size();
  for (size_t i = columns.size(); i-- > 0;) {
    if (columns[i].kind == K::kPhone) first = i;
    if (columns[i].kind == K::kAltPhone) first_alt = i;
  }
  const size_t chosen = named_phone < columns.size() ? named_phone
                        : first < columns.size()     ? first
                                                     : first_alt;
  map.has_phone = chosen < columns.size();
  bool has_alt = false;
  for (size_t i = 0; i < columns.size(); ++i) {
    Column& column = columns[i];
    if (column.kind != K::kPhone && column.kind != K::kAltPhone) continue;
    if (i == chosen) {
      column.kind = K::kPhone;
      column.field = "phone_number";
      continue;
    }
    column.kind = K::kAltPhone;
    column.field = has_alt ? "alt_phones" : "alt_phone";
    has_alt = true;
  }
}

absl::Status CheckNoHeaderTwice(const std::vector<std::string>& headers) {
  std::set<std::string> seen;
  for (size_t i = 0; i < headers.size(); ++i) {
    const std::string normal = NormalHeader(headers[i]);
    if (normal.empty() || seen.insert(normal).second) continue;
    // Of a file without a header this is data: a number is not repeated.
    const bool digits = std::count_if(normal.begin(), normal.end(), [](char c) {
                          return absl::ascii_isdigit(static_cast<unsigned char>(c));
                        }) >= 5;
    const std::string shown =
        digits ? absl::StrCat("of column ", i + 1)
               : absl::StrCat("\"", absl::StripAsciiWhitespace(headers[i]), "\"");
    return absl::InvalidArgumentError(absl::StrCat(
        "E_DUP_HEADER: the header ", shown,
        " stands twice; rename one of the columns (a second phone: phone2 or alt_phone)"));
  }
  return absl::OkStatus();
}

// Another name for a column whose field an earlier one has: its own, unless that is a name no field
// may have, with a number if it is taken too.
std::string FreeName(const Column& column, const std::set<std::string>& taken) {
  const std::string own = NormalHeader(column.header);
  const std::string base = IsAcceptableName(own) ? own : column.field;
  std::string name = base;
  for (int n = 2; !IsAcceptableName(name) || taken.count(name) > 0; ++n) {
    name = absl::StrCat(base, "_", n);
    // A longer name than a field may have is still better than two columns in one.
    if (name.size() > kNameBytesMax && taken.count(name) == 0) break;
  }
  return name;
}

}  // namespace

absl::StatusOr<ColumnTarget> ParseColumnTarget(absl::string_view text) {
  ColumnTarget out;
  absl::string_view name = text;
  if (const size_t colon = text.rfind(':'); colon != absl::string_view::npos) {
    name = text.substr(0, colon);
    out.has_type = true;
    if (!campaign::ParseFieldType(absl::StripAsciiWhitespace(text.substr(colon + 1)), out.type)) {
      return absl::InvalidArgumentError(absl::StrCat("columns: \"", text.substr(0, 80),
                                                     "\": the type is none of text, number, date, "
                                                     "flag"));
    }
  }
  if (absl::StripAsciiWhitespace(name) == "-") {
    out.field = "-";
    return out;
  }
  const std::string normal = NormalHeader(name);
  const absl::string_view field = FieldOfAlias(normal);
  out.field = field.empty() ? normal : std::string(field);
  if (FindField(out.field) == nullptr && !IsAcceptableName(out.field)) {
    return absl::InvalidArgumentError(
        absl::StrCat("columns: \"", text.substr(0, 80), "\" is not a field"));
  }
  if (!out.has_type) out.type = TypeOfField(out.field);
  return out;
}

absl::StatusOr<ColumnMap> MapHeader(const std::vector<std::string>& headers,
                                    const std::map<std::string, std::string>& extra) {
  std::map<std::string, ColumnTarget> targets;  // by normal header
  for (const auto& [column, wanted] : extra) {
    absl::StatusOr<ColumnTarget> target = ParseColumnTarget(wanted);
    if (!target.ok()) return target.status();
    targets[NormalHeader(column)] = *std::move(target);
  }
  if (absl::Status status = CheckNoHeaderTwice(headers); !status.ok()) return status;
  bool has_vendor_code = false, has_offset = false;
  for (const std::string& header : headers) {
    has_vendor_code = has_vendor_code || NormalHeader(header) == "vendor_lead_code";
    has_offset = has_offset || NormalHeader(header) == "gmt_offset_now";
  }
  ColumnMap out;
  size_t named_phone = headers.size();
  for (const std::string& header : headers) {
    const auto target = targets.find(NormalHeader(header));
    const bool named = target != targets.end();
    out.columns.push_back(ColumnOf(header, out.columns.size() + 1,
                                   named ? &target->second : nullptr,
                                   has_vendor_code && has_offset));
    if (named && out.columns.back().kind == K::kPhone && named_phone == headers.size()) {
      named_phone = out.columns.size() - 1;
    }
  }
  ChoosePhone(out, named_phone);
  std::set<std::string> taken;
  for (Column& column : out.columns) {
    if (column.kind == K::kIgnored || column.kind == K::kUntrusted || column.kind == K::kCallerId) {
      column.field = "-";
    } else if (column.kind != K::kAltPhone && !column.field.empty() &&
               !taken.insert(column.field).second) {
      // Two columns for one field ("note" and "remark"): the later keeps its own name.
      column.kind = K::kText;
      column.field = FreeName(column, taken);
      taken.insert(column.field);
    }
  }
  return out;
}

Column ColumnOfField(absl::string_view field) {
  Column out;
  SetField(out, field);
  out.header = std::string(field);
  if (field == "-" || IsIn(kVicidialOwn, field)) out.kind = K::kIgnored;
  if (out.kind == K::kIgnored) out.field = "-";
  return out;
}

std::string FieldOfHeader(absl::string_view header) {
  return std::string(FieldOfAlias(NormalHeader(header)));
}

campaign::FieldType TypeOfField(absl::string_view field) {
  const FieldKind* const known = FindField(field);
  return known == nullptr ? campaign::FieldType::kText : known->type;
}

absl::string_view PhoneAliases() {
  return "phone, phone_number, mobile, tel, cell, 手机, 手机号, 电话, 联系电话, 号码";
}

}  // namespace outpace::load
