#include "campaign/load/layouts.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace outpace::load {
namespace {

// Fields by position, separated by blanks; "-": nothing we keep. What VICIdial puts into a field it
// has no better place for (a county into address3) is kept under that field, as its users know it.
struct Layout {
  absl::string_view name;
  absl::string_view fields;
};

constexpr absl::string_view kStandard =
    "vendor_lead_code source_id list_id phone_code phone_number title first_name middle_initial "
    "last_name address1 address2 address3 city state province postal_code country_code gender "
    "date_of_birth alt_phone email security_phrase comments";

constexpr Layout kLayouts[] = {
    {"standard", kStandard},
    {"stdrankowner", kStandard},
    {"minicsv", "address1 city name phone_number state postal_code"},
    {"minicsv02", "name address1 city state postal_code phone_number"},
    {"sctab08", "state name phone_number fax address1 address2 city postal_code"},
    {"sccsv11",
     "state vendor_lead_code name address1 address2 city province phone_number fax postal_code "
     "comments"},
    {"dccsv10",
     "vendor_lead_code first_name last_name phone_number alt_phone alt_phones alt_phones "
     "alt_phones "
     "alt_phones alt_phones"},
    {"twotab", "vendor_lead_code phone_number"},
    {"pipe30tz",
     "vendor_lead_code - source_id phone_code phone_number title first_name middle_initial "
     "last_name - - - - - - - - - - - - - - - - owner security_phrase province address3 alt_phone"},
    {"vote17csv",
     "source_id address3 last_name gender - date_of_birth title province owner address1 address2 "
     "- - - - - phone_number"},
    {"t2r13csv",
     "first_name last_name address3 comments province phone_number address1 city state postal_code "
     "comments2 comments3 comments4"},
    {"t2r15csv",
     "phone_number first_name - - - city - address2 last_name - - - address1 address3 -"},
    {"t2r25csv",
     "- - last_name province first_name phone_number - address1 city state postal_code - address2 "
     "email - - address3 - - - - comments - - -"},
    {"t2r25xcsv",
     "phone_number - last_name - province first_name - - address1 city state postal_code address2 "
     "email - - - - - - comments - - - address3"},
    {"t2r26csv",
     "phone_number - last_name - - - - province first_name - address1 city state postal_code "
     "address2 email - - - - - comments - - - address3"},
    {"t2r27csv",
     "phone_number - last_name - - - - province first_name - address1 city state postal_code "
     "address2 email - - - - - - comments - - - address3"},
};

// Layouts of VICIdial that exist and are not read, and what to do about each.
constexpr Layout kNotRead[] = {
    {"fixed254", "columns of fixed width: open it in a spreadsheet and save it as \"CSV UTF-8\""},
    {"dccsv43", "a collection agency's extract: add its header row, and map it with --map"},
    {"dccsvref51", "a collection agency's extract: add its header row, and map it with --map"},
    {"dccsv52", "a collection agency's extract: add its header row, and map it with --map"},
    {"dccsvref52", "a collection agency's extract: add its header row, and map it with --map"},
    {"update",
     "a file of vendor_lead_code and status changes leads that are loaded already: numbers "
     "that must not be dialed belong on a do-not-call list"},
    {"vicidl",
     "this is VICIdial's list download, which has a header row: use \"header\" or \"auto\""},
};

const Layout* Find(absl::string_view name) {
  const auto* const at = std::find_if(std::begin(kLayouts), std::end(kLayouts),
                                      [&](const Layout& l) { return l.name == name; });
  return at == std::end(kLayouts) ? nullptr : at;
}

}  // namespace

const std::vector<std::string>& LayoutNames() {
  static const auto* const names = [] {
    auto* out = new std::vector<std::string>{"auto", "header"};
    for (const Layout& layout : kLayouts) out->emplace_back(layout.name);
    return out;
  }();
  return *names;
}

bool IsPositional(absl::string_view name) { return Find(name) != nullptr; }

absl::Status CheckLayout(absl::string_view name) {
  if (name.empty() || name == "auto" || name == "header" || IsPositional(name)) {
    return absl::OkStatus();
  }
  for (const Layout& layout : kNotRead) {
    if (layout.name != name) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("layout: \"", name, "\" is not read: ", layout.fields));
  }
  return absl::InvalidArgumentError(absl::StrCat("layout: \"", name.substr(0, 40), "\" is none of ",
                                                 absl::StrJoin(LayoutNames(), ", ")));
}

absl::StatusOr<ColumnMap> ColumnsOfLayout(absl::string_view name, size_t count) {
  if (absl::Status status = CheckLayout(name); !status.ok()) return status;
  const Layout* const layout = Find(name);
  if (layout == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("layout: \"", name, "\" has a header row"));
  }
  std::vector<absl::string_view> fields = absl::StrSplit(layout->fields, ' ');
  const size_t phone =
      static_cast<size_t>(std::find(fields.begin(), fields.end(), "phone_number") - fields.begin());
  if (count <= phone) {
    return absl::InvalidArgumentError(absl::StrCat("layout ", name, " has ", fields.size(),
                                                   " columns with the phone in column ", phone + 1,
                                                   "; this file has ", count, "; use layout=auto"));
  }
  if (name == "stdrankowner") {
    fields.insert(fields.end(), {"-", "-", "-", "rank", "owner", "multi_alt"});
  } else if (name == "standard" && (count == 24 || count == 25)) {
    fields.insert(fields.end(), {"rank", "owner"});  // the web form's long version
  } else if (name == "standard") {
    // called_count, status and entry_date: the engine keeps its own.
    fields.insert(fields.end(), {"-", "-", "-", "multi_alt"});
  }
  ColumnMap out;
  out.has_phone = true;
  for (absl::string_view field : fields) out.columns.push_back(ColumnOfField(field));
  return out;
}

}  // namespace outpace::load
