// Operations on do-not-call registries: national and state lists, each a file of its own.

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "campaign/registry_line.h"
#include "dnc/registry_text.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/registry_shelf.h"

namespace outpace::runtime {
namespace {

absl::Status NoShelf() {
  return absl::FailedPreconditionError("registries are files; this store is in memory");
}

Json JsonOf(const dnc::RegistryFile& registry) {
  return {{"name", registry.info().name},
          {"numbers", registry.size()},
          {"obtained", absl::FormatCivilTime(registry.info().obtained)},
          {"source", registry.info().source},
          {"bytes", registry.BytesMapped()}};
}

std::shared_ptr<const dnc::RegistryFile> FindIn(const Registries& all, const std::string& name) {
  for (const auto& registry : all) {
    if (registry->info().name == name) return registry;
  }
  return nullptr;
}

// "12 more and 3 fewer than in the copy of 2026-10-01"
std::string ChangeText(const dnc::RegistryFile& before, const dnc::RegistryFile& after) {
  uint64_t added = 0, removed = 0;
  dnc::DiffRegistries(before, after, [&](uint64_t, bool is_new) { ++(is_new ? added : removed); });
  return absl::StrCat(added, " numbers are new and ", removed, " gone since the copy of ",
                      absl::FormatCivilTime(before.info().obtained), "\n");
}

}  // namespace

absl::StatusOr<dnc::DncSet> Admin::Impl::DncInForce(bool with_registries) const {
  auto set = LoadDncSet(store);
  if (set.ok() && with_registries && hooks.registries != nullptr) {
    set->SetRegistries(hooks.registries->All());
  }
  return set;
}

absl::StatusOr<Json> Admin::Impl::RegistryAdd(const Json& arguments) {
  if (hooks.registries == nullptr) return NoShelf();
  auto name = Need(arguments, "name");
  if (!name.ok()) return name.status();
  if (!arguments.contains("paths") || !arguments["paths"].is_array() ||
      arguments["paths"].empty()) {
    return absl::InvalidArgumentError("which files hold the registry's numbers?");
  }
  const std::string country = Text(arguments, "country", "US");
  dnc::RegistryInfo info;
  info.name = *name;
  info.obtained = absl::ToCivilDay(clock.Wall(), absl::UTCTimeZone());
  const std::string obtained = Text(arguments, "obtained");
  if (!obtained.empty() && !absl::ParseCivilTime(obtained, &info.obtained)) {
    return absl::InvalidArgumentError("obtained: write the day as 2026-11-01");
  }
  dnc::NumberSet numbers;
  dnc::RegistryLines total;
  std::string bad;
  for (const Json& path : arguments["paths"]) {
    if (!path.is_string()) return absl::InvalidArgumentError("paths: a list of file names");
    const auto& file = path.get_ref<const std::string&>();
    auto lines = dnc::ReadRegistryText(
        file,
        [&country](absl::string_view line) {
          return campaign::RegistryNumber(line, country).value();
        },
        numbers);
    if (!lines.ok()) return lines.status();
    total.lines += lines->lines;
    total.rejected += lines->rejected;
    if (!lines->first_rejected.empty()) {
      absl::StrAppend(&bad, "  ", file, ": no number in line ",
                      absl::StrJoin(lines->first_rejected, ", "),
                      lines->rejected > lines->first_rejected.size() ? ", ..." : "", "\n");
    }
    absl::StrAppend(&info.source, info.source.empty() ? "" : ", ",
                    file.substr(file.rfind('/') + 1));
  }
  if (numbers.size() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(info.source, ": no number could be read; nothing was changed\n", bad));
  }
  if (info.source.size() > 200) info.source = absl::StrCat(arguments["paths"].size(), " files");
  const auto before = FindIn(hooks.registries->All(), *name);
  if (absl::Status s = hooks.registries->Put(numbers, info); !s.ok()) return s;
  if (hooks.registries_changed) {
    if (absl::Status s = hooks.registries_changed(); !s.ok()) return s;
  }
  const auto after = FindIn(hooks.registries->All(), *name);
  Json answer = Answer(absl::StrCat(
      "registry ", *name, ": ", numbers.size(), " numbers are not dialed from now on, ",
      total.rejected, " lines not understood\n", bad,
      before == nullptr || after == nullptr ? "" : ChangeText(*before, *after)));
  answer["numbers"] = numbers.size();
  answer["incomplete"] = total.rejected > 0;
  return answer;
}

absl::StatusOr<Json> Admin::Impl::RegistryList(const Json&) {
  if (hooks.registries == nullptr) return NoShelf();
  std::string text =
      absl::StrFormat("%-20s %14s  %-10s  %s\n", "NAME", "NUMBERS", "OBTAINED", "SOURCE");
  Json all = Json::array();
  for (const auto& registry : hooks.registries->All()) {
    absl::StrAppendFormat(&text, "%-20s %14d  %-10s  %s\n", registry->info().name, registry->size(),
                          absl::FormatCivilTime(registry->info().obtained),
                          registry->info().source);
    all.push_back(JsonOf(*registry));
  }
  Json answer = Answer(text);
  answer["registries"] = std::move(all);
  return answer;
}

absl::StatusOr<Json> Admin::Impl::RegistryRemove(const Json& arguments) {
  if (hooks.registries == nullptr) return NoShelf();
  auto name = Need(arguments, "name");
  if (!name.ok()) return name.status();
  if (absl::Status s = hooks.registries->Remove(*name); !s.ok()) return s;
  if (hooks.registries_changed) {
    if (absl::Status s = hooks.registries_changed(); !s.ok()) return s;
  }
  return Answer(absl::StrCat("registry ", *name, " is removed and no longer asked\n"));
}

absl::StatusOr<Json> Admin::Impl::RegistryVerify(const Json&) {
  if (hooks.registries == nullptr) return NoShelf();
  std::string text;
  for (const auto& registry : hooks.registries->All()) {
    if (absl::Status s = registry->Verify(); !s.ok()) return s;
    absl::StrAppend(&text, "registry ", registry->info().name, ": ", registry->size(),
                    " numbers are as they were written\n");
  }
  return Answer(text.empty() ? "there are no registries\n" : text);
}

}  // namespace outpace::runtime
