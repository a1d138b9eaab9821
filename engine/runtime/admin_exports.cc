// Exports: calls, abandoned calls, agents, leads.

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/export_file.h"

namespace outpace::runtime {

absl::StatusOr<Json> Admin::Impl::RunExport(const std::string& what, const Json& arguments) {
  auto path = Need(arguments, "path");
  if (!path.ok()) return path.status();
  auto order = ReadExportOrder(what, arguments, *path, store, clock);
  if (!order.ok()) return order.status();
  if (what == "leads" && !Text(arguments, "list").empty()) {
    auto list = FindList(arguments);
    if (!list.ok()) return list.status();
    order->leads.list = list->id;
  }
  auto written = WriteExport(store, *order, *path);
  if (!written.ok()) return written.status();
  std::string text = absl::StrCat(*path, ": ", written->rows, " ", what);
  if (what == "leads") absl::StrAppend(&text, ", layout ", order->leads.layout);
  absl::StrAppend(&text, "\n");
  if (written->lost_characters > 0) {
    absl::StrAppend(&text, "note: ", written->lost_characters, " characters that ", order->encoding,
                    " does not have were written as '?'\n");
  }
  Json answer = Answer(std::move(text));
  answer["rows"] = written->rows;
  if (what == "leads") answer["lost_characters"] = written->lost_characters;
  return answer;
}

absl::StatusOr<Json> Admin::Impl::ExportCalls(const Json& arguments) {
  return RunExport("calls", arguments);
}
absl::StatusOr<Json> Admin::Impl::ExportAbandons(const Json& arguments) {
  return RunExport("abandons", arguments);
}
absl::StatusOr<Json> Admin::Impl::ExportAgents(const Json& arguments) {
  return RunExport("agents", arguments);
}
absl::StatusOr<Json> Admin::Impl::ExportLeads(const Json& arguments) {
  return RunExport("leads", arguments);
}

}  // namespace outpace::runtime
