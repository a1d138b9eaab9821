// Exports of leads. (Those of calls: admin.cc.)

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/calling_window.h"
#include "campaign/load/encoding.h"
#include "campaign/report/lead_export.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/files.h"

namespace outpace::runtime {

absl::StatusOr<Json> Admin::Impl::ExportLeads(const Json& arguments) {
  auto path = Need(arguments, "path");
  if (!path.ok()) return path.status();
  report::LeadExportOptions options;
  options.layout = Text(arguments, "layout", "vicidl");
  options.campaign = Text(arguments, "campaign");
  options.raw = Flag(arguments, "raw");
  options.now = clock.Wall();
  options.zone = absl::UTCTimeZone();
  if (!Text(arguments, "list").empty()) {
    auto list = FindList(arguments);
    if (!list.ok()) return list.status();
    options.list = list->id;
  }
  if (!options.campaign.empty()) {
    auto settings = FindCampaign(options.campaign);
    if (!settings.ok()) return settings.status();
    options.zone = settings->report_zone;
  }
  if (const std::string zone = Text(arguments, "zone"); !zone.empty()) {
    auto found = campaign::FindTimeZone(zone);
    if (!found.ok()) return found.status();
    options.zone = *found;
  }
  const std::string wanted = Text(arguments, "encoding", "utf-8");
  const std::string encoding = load::CanonicalEncoding(wanted);
  if (encoding.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("encoding: '", wanted.substr(0, 40), "' is not known; utf-8 or gb18030"));
  }
  auto encoder = load::TextEncoder::Make(encoding);
  if (!encoder.ok()) return encoder.status();
  options.bom = Flag(arguments, "bom") && encoding == "utf-8";

  auto file = AtomicFile::Create(*path);
  if (!file.ok()) return file.status();
  const absl::string_view bom = (*encoder)->bom();
  if (absl::Status s = (*file)->Write(bom); !s.ok()) return s;
  std::string encoded;
  auto rows = report::ExportLeads(store, options, [&](absl::string_view piece) {
    encoded.clear();
    (*encoder)->Append(piece, encoded);
    return (*file)->Write(encoded);
  });
  if (!rows.ok()) return rows.status();
  if (absl::Status s = (*file)->Commit(); !s.ok()) return s;
  std::string text = absl::StrCat(*path, ": ", *rows, " leads, layout ", options.layout, "\n");
  if (const uint64_t lost = (*encoder)->lost(); lost > 0) {
    absl::StrAppend(&text, "note: ", lost, " characters that ", encoding,
                    " does not have were written as '?'\n");
  }
  Json answer = Answer(std::move(text));
  answer["rows"] = *rows;
  answer["lost_characters"] = (*encoder)->lost();
  return answer;
}

}  // namespace outpace::runtime
