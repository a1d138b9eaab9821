// Operations on do-not-call registries: national and state lists, each a file of its own.

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "campaign/number_plan.h"
#include "campaign/registry_line.h"
#include "dnc/registry_text.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/dnc_entries.h"
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

// The day a copy was fetched; "" is today. Laws limit its age, so a day to come would make it new
// for ever. `today`: of UTC; it may be tomorrow elsewhere.
absl::StatusOr<absl::CivilDay> ReadObtained(const std::string& text, absl::CivilDay today) {
  absl::CivilDay day = today;
  if (!text.empty() && (text.size() != 10 || !absl::ParseCivilTime(text, &day))) {
    return absl::InvalidArgumentError("obtained: write the day as 2026-11-01");
  }
  if (day > today + 1) return absl::InvalidArgumentError("obtained: that day is yet to come");
  return day;
}

// Half a download, one area code of many, last year's copy: what is taken over as a whole must be
// whole, or people who are listed are rung.
absl::Status CheckSuccessor(const dnc::RegistryFile& before, const dnc::NumberSet& numbers,
                            const dnc::RegistryInfo& info) {
  constexpr uint64_t kFewMin = 1000;  // smaller lists come and go
  constexpr absl::string_view kForce = "; nothing was changed. If it is right, say --force";
  if (info.obtained < before.info().obtained) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the copy in force is newer, of ", absl::FormatCivilTime(before.info().obtained), kForce));
  }
  if (before.size() >= kFewMin && numbers.size() < before.size() / 10 * 9) {
    return absl::FailedPreconditionError(absl::StrCat("these files hold ", numbers.size(),
                                                      " numbers, the copy in force ", before.size(),
                                                      ": is one missing, or cut off?", kForce));
  }
  return absl::OkStatus();
}

// "12 numbers are new and 3 gone since the copy of 2026-10-01"
std::string ChangeText(const dnc::RegistryFile& before, const dnc::RegistryFile& after) {
  uint64_t added = 0, removed = 0;
  dnc::DiffRegistries(before, after, [&](uint64_t, bool is_new) { ++(is_new ? added : removed); });
  return absl::StrCat(added, " numbers are new and ", removed, " gone since the copy of ",
                      absl::FormatCivilTime(before.info().obtained), "\n");
}

}  // namespace

absl::StatusOr<dnc::DncSet> Admin::Impl::DncInForce(bool with_registries) const {
  if (hooks.dnc_in_force) {
    auto set = hooks.dnc_in_force();
    if (set.ok() && !with_registries) set->SetRegistries({});
    return set;
  }
  auto set = LoadDncSet(store);
  if (set.ok() && with_registries && hooks.registries != nullptr) {
    if (absl::Status s = hooks.registries->Health(); !s.ok()) return s;
    set->SetRegistries(hooks.registries->All());
  }
  return set;
}

absl::StatusOr<dnc::DncSet> Admin::Impl::DncAbout(const std::vector<E164>& phones) const {
  if (hooks.dnc_in_force) return hooks.dnc_in_force();
  dnc::DncSet set;
  for (const E164 phone : phones) {
    auto entries = store.DncOf(phone);
    if (!entries.ok()) return entries.status();
    for (const campaign::DncEntry& entry : *entries) PutEntry(entry, set);
  }
  auto erased = ReadErasedPeople(store);
  if (!erased.ok()) return erased.status();
  erased->PutInto(set);
  if (hooks.registries != nullptr) {
    if (absl::Status s = hooks.registries->Health(); !s.ok()) return s;
    set.SetRegistries(hooks.registries->All());
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
  if (campaign::CallingCode(country) == 0) {
    return absl::InvalidArgumentError("country: write its ISO 3166 code, such as US or GB");
  }
  dnc::RegistryInfo info;
  info.name = *name;
  const auto obtained = ReadObtained(Text(arguments, "obtained"),
                                     absl::ToCivilDay(clock.Wall(), absl::UTCTimeZone()));
  if (!obtained.ok()) return obtained.status();
  info.obtained = *obtained;
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
  if (before != nullptr && !Flag(arguments, "force")) {
    if (absl::Status s = CheckSuccessor(*before, numbers, info); !s.ok()) return s;
  }
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
  const absl::Status health = hooks.registries->Health();
  if (!health.ok()) absl::StrAppend(&text, health.message(), "\n");
  Json answer = Answer(text);
  answer["incomplete"] = !health.ok();
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
  if (absl::Status s = hooks.registries->Health(); !s.ok()) return s;
  std::string text;
  for (const auto& registry : hooks.registries->All()) {
    if (absl::Status s = registry->Verify(); !s.ok()) return s;
    absl::StrAppend(&text, "registry ", registry->info().name, ": ", registry->size(),
                    " numbers are as they were written\n");
  }
  return Answer(text.empty() ? "there are no registries\n" : text);
}

}  // namespace outpace::runtime
