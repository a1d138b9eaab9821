#include "campaign/load/load_template.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "campaign/load/columns.h"
#include "campaign/load/encoding.h"
#include "campaign/load/layouts.h"
#include "campaign/number_plan.h"

namespace outpace::load {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kTextMax = 64 * 1024;
constexpr size_t kNameMax = 64;
constexpr size_t kColumnsOfTemplateMax = 256;

absl::Status Fault(absl::string_view member, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("template: \"", member, "\" ", what));
}

absl::Status ReadText(const Json& json, absl::string_view member, std::optional<std::string>& to) {
  if (!json.is_string()) return Fault(member, "must be a text");
  to = json.get<std::string>();
  if (to->size() > kTextMax / 4) return Fault(member, "is too long");
  return absl::OkStatus();
}

absl::Status ReadFlag(const Json& json, absl::string_view member, std::optional<bool>& to) {
  if (!json.is_boolean()) return Fault(member, "must be true or false");
  to = json.get<bool>();
  return absl::OkStatus();
}

absl::Status ReadName(const Json& json, std::string& to) {
  std::optional<std::string> name;
  if (absl::Status status = ReadText(json, "name", name); !status.ok()) return status;
  const bool showable = std::none_of(name->begin(), name->end(), [](char c) {
    return c == '/' || absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
  if (name->empty() || name->size() > kNameMax || !showable) {
    return Fault("name", "must be 1 to 64 octets of text, without '/'");
  }
  to = *std::move(name);
  return absl::OkStatus();
}

absl::Status ReadSeparator(const Json& json, std::optional<char>& to) {
  const std::string text = json.is_string() ? json.get<std::string>() : "";
  const std::string separator = text == "tab" ? "\t" : text;
  if (separator.size() != 1 || !absl::StrContains(",;\t|", separator)) {
    return Fault("separator", "must be one of \",\", \";\", \"tab\", \"|\"");
  }
  to = separator[0];
  return absl::OkStatus();
}

absl::Status ReadColumns(const Json& json, std::map<std::string, std::string>& to) {
  if (!json.is_object() || json.size() > kColumnsOfTemplateMax) {
    return Fault("columns", "must be an object of headers and fields, 256 at most");
  }
  for (const auto& [header, field] : json.items()) {
    if (!field.is_string()) return Fault("columns", "must have texts only");
    const absl::StatusOr<ColumnTarget> target = ParseColumnTarget(field.get<std::string>());
    if (!target.ok()) return Fault("columns", target.status().message());
    to[header] = field.get<std::string>();
  }
  return absl::OkStatus();
}

absl::Status ReadDestinations(const Json& json, std::optional<std::vector<std::string>>& to) {
  if (!json.is_array()) return Fault("destinations", "must be a list of calling codes");
  to.emplace();
  for (const Json& each : json) {
    const std::string code = each.is_string() ? each.get<std::string>() : "";
    const bool digits = std::all_of(code.begin(), code.end(), [](char c) {
      return absl::ascii_isdigit(static_cast<unsigned char>(c));
    });
    if (code.empty() || code.size() > 7 || !digits) {
      return Fault("destinations", "must be a list of calling codes such as \"86\"");
    }
    to->push_back(code);
  }
  return absl::OkStatus();
}

// What a text of the template has to be beyond being a text.
absl::Status Check(const LoadTemplate& t) {
  if (t.name.empty()) return Fault("name", "is missing");
  if (t.layout.has_value()) {
    if (absl::Status status = CheckLayout(*t.layout); !status.ok()) {
      return Fault("layout", status.message());
    }
  }
  if (t.encoding.has_value() && *t.encoding != "auto" && CanonicalEncoding(*t.encoding).empty()) {
    return Fault("encoding", "is no encoding that is known");
  }
  if (t.format.has_value() && *t.format != "auto" && *t.format != "csv" && *t.format != "xlsx") {
    return Fault("format", "is none of auto, csv, xlsx");
  }
  if (t.country.has_value() && campaign::CallingCode(*t.country) == 0) {
    return Fault("country", "is no country that is known (\"CN\", \"US\", \"44\")");
  }
  return absl::OkStatus();
}

absl::Status ReadMember(const std::string& member, const Json& json, LoadTemplate& out) {
  if (member == "name") return ReadName(json, out.name);
  if (member == "description") return ReadText(json, member, out.description);
  if (member == "layout") return ReadText(json, member, out.layout);
  if (member == "encoding") return ReadText(json, member, out.encoding);
  if (member == "format") return ReadText(json, member, out.format);
  if (member == "sheet") return ReadText(json, member, out.sheet);
  if (member == "separator") return ReadSeparator(json, out.separator);
  if (member == "country") return ReadText(json, member, out.country);
  if (member == "columns") return ReadColumns(json, out.columns);
  if (member == "duplicates") return ReadText(json, member, out.duplicates);
  if (member == "filter") return ReadText(json, member, out.filter);
  if (member == "destinations") return ReadDestinations(json, out.destinations);
  if (member == "scrub_dnc") return ReadFlag(json, member, out.scrub_dnc);
  if (member == "hold_guesses") return ReadFlag(json, member, out.hold_guesses);
  return Fault(member.substr(0, kNameMax), "is no member of a template");
}

}  // namespace

absl::StatusOr<LoadTemplate> ParseTemplate(absl::string_view json) {
  if (json.size() > kTextMax) return absl::InvalidArgumentError("template: over 64 KiB");
  if (CheckUtf8(json) != Utf8::kValid) return absl::InvalidArgumentError("template: not UTF-8");
  const Json parsed = Json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) {
    return absl::InvalidArgumentError("template: not a JSON object");
  }
  LoadTemplate out;
  for (const auto& [member, value] : parsed.items()) {
    if (absl::Status status = ReadMember(member, value, out); !status.ok()) return status;
  }
  if (absl::Status status = Check(out); !status.ok()) return status;
  return out;
}

std::string PrintTemplate(const LoadTemplate& t) {
  Json json = Json::object();
  const auto put = [&json](const char* member, const auto& value) {
    if (value.has_value()) json[member] = *value;
  };
  json["name"] = t.name;
  put("description", t.description);
  put("layout", t.layout);
  put("encoding", t.encoding);
  put("format", t.format);
  put("sheet", t.sheet);
  put("country", t.country);
  put("filter", t.filter);
  if (t.separator.has_value()) {
    json["separator"] = *t.separator == '\t' ? std::string("tab") : std::string(1, *t.separator);
  }
  if (!t.columns.empty()) {
    Json columns = Json::object();
    for (const auto& [header, field] : t.columns) columns[header] = field;
    json["columns"] = std::move(columns);
  }
  put("duplicates", t.duplicates);
  put("destinations", t.destinations);
  put("scrub_dnc", t.scrub_dnc);
  put("hold_guesses", t.hold_guesses);
  return json.dump(2);
}

void ApplyTemplate(const LoadTemplate& t, LoadOptions& options) {
  const auto set = [](const auto& from, auto& to) {
    if (from.has_value()) to = *from;
  };
  set(t.layout, options.layout);
  set(t.encoding, options.encoding);
  set(t.separator, options.separator);
  set(t.country, options.country);
  set(t.filter, options.filter);
  set(t.destinations, options.destinations);
  set(t.scrub_dnc, options.scrub_dnc);
  set(t.hold_guesses, options.hold_guesses);
  options.columns.insert(t.columns.begin(), t.columns.end());
}

}  // namespace outpace::load
