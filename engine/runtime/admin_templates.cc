// Templates of loads: how a kind of file is read, under a name. Kept as named values of the store,
// "template:<name>", and "templates", the names there are.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/files.h"
#include "engine/runtime/import_report.h"

namespace outpace::runtime {
namespace {

constexpr char kNamesKey[] = "templates";

std::string KeyOf(const std::string& name) { return absl::StrCat("template:", name); }

absl::StatusOr<std::vector<std::string>> NamesIn(const campaign::LeadStore& store) {
  auto text = store.GetMeta(kNamesKey);
  if (!text.ok()) return text.status();
  std::vector<std::string> names;
  if (!text->has_value()) return names;
  const Json json = Json::parse(**text, nullptr, false);
  if (!json.is_array()) return absl::DataLossError("the names of templates cannot be read");
  for (const Json& name : json) names.push_back(name.get<std::string>());
  return names;
}

}  // namespace

absl::StatusOr<load::LoadTemplate> Admin::Impl::FindTemplate(const std::string& name) const {
  auto names = NamesIn(store);
  if (!names.ok()) return names.status();
  if (std::find(names->begin(), names->end(), name) == names->end()) {
    return absl::NotFoundError(
        absl::StrCat("no template is named '", name.substr(0, 64), "'; ",
                     names->empty() ? "there are none yet: outpace template set NAME --layout ..."
                                    : absl::StrCat("there are: ", absl::StrJoin(*names, ", "))));
  }
  auto text = store.GetMeta(KeyOf(name));
  if (!text.ok()) return text.status();
  return load::ParseTemplate(text->value_or(""));
}

// From a JSON file, or from a JSON object that the command has made of its options.
absl::StatusOr<Json> Admin::Impl::TemplateSet(const Json& arguments) {
  std::string text;
  if (arguments.contains("path")) {
    auto bytes = ReadFile(Text(arguments, "path"));
    if (!bytes.ok()) return bytes.status();
    text = *std::move(bytes);
  } else if (const auto given = arguments.find("template"); given != arguments.end()) {
    text = given->dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  auto parsed = load::ParseTemplate(text);
  if (!parsed.ok()) return parsed.status();
  load::LoadOptions options;
  if (parsed->duplicates.has_value()) {
    if (absl::Status s = ReadDuplicates(*parsed->duplicates, options); !s.ok()) return s;
  }
  auto names = NamesIn(store);
  if (!names.ok()) return names.status();
  const bool is_new = std::find(names->begin(), names->end(), parsed->name) == names->end();
  if (is_new) names->push_back(parsed->name);
  std::sort(names->begin(), names->end());
  campaign::StoreBatch batch;
  batch.meta[kNamesKey] = Json(*names).dump();
  batch.meta[KeyOf(parsed->name)] = load::PrintTemplate(*parsed);
  if (absl::Status s = store.Commit(batch); !s.ok()) return s;
  return Answer(absl::StrCat("template ", parsed->name, is_new ? " made" : " changed",
                             "; use it with: outpace import FILE --template ", parsed->name, "\n"));
}

absl::StatusOr<Json> Admin::Impl::TemplateList(const Json&) {
  auto names = NamesIn(store);
  if (!names.ok()) return names.status();
  std::string text = names->empty() ? "no templates\n" : "";
  for (const std::string& name : *names) {
    auto found = FindTemplate(name);
    if (!found.ok()) return found.status();
    absl::StrAppend(&text, name, found->description ? "  " + *found->description : "", "\n");
  }
  Json answer = Answer(text);
  answer["templates"] = *names;
  return answer;
}

absl::StatusOr<Json> Admin::Impl::TemplateShow(const Json& arguments) {
  auto name = Need(arguments, "name");
  if (!name.ok()) return name.status();
  auto found = FindTemplate(*name);
  if (!found.ok()) return found.status();
  const std::string text = load::PrintTemplate(*found);
  Json answer = Answer(absl::StrCat(text, text.ends_with('\n') ? "" : "\n"));
  answer["template"] = Json::parse(text, nullptr, false);
  return answer;
}

absl::StatusOr<Json> Admin::Impl::TemplateRemove(const Json& arguments) {
  auto name = Need(arguments, "name");
  if (!name.ok()) return name.status();
  if (auto found = FindTemplate(*name); absl::IsNotFound(found.status())) return found.status();
  auto names = NamesIn(store);
  if (!names.ok()) return names.status();
  std::erase(*names, *name);
  campaign::StoreBatch batch;
  batch.meta[kNamesKey] = Json(*names).dump();
  batch.meta[KeyOf(*name)] = "";
  if (absl::Status s = store.Commit(batch); !s.ok()) return s;
  return Answer(absl::StrCat("template ", *name, " removed\n"));
}

}  // namespace outpace::runtime
