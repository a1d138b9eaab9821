// The call result export: threads read, join and format pieces of the day; the pieces are put
// together in their order.

#include "campaign/report/call_export.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/report/call_layouts.h"
#include "campaign/report/call_rows.h"
#include "campaign/report/cells.h"
#include "campaign/report/figures.h"
#include "campaign/report/ordered_output.h"
#include "campaign/report/row_format.h"
#include "campaign/report/zstd_frame.h"
#include "campaign/status_set.h"

namespace outpace::report {
namespace {

using campaign::Attempt;

// The rows of one thread as bytes of the file.
class TextRows final : public RowVisitor {
 public:
  TextRows(const ExportOptions& options, const CallLayout& layout, OrderedOutput& output)
      : options_(options), layout_(layout), output_(output) {}

  void Row(const CallRow& row) override {
    if (options_.format == ExportFormat::kCsv) {
      AppendCsvRow(layout_, row, text_);
    } else {
      AppendJsonRow(layout_, row, text_);
    }
    ++rows_;
  }

  absl::Status EndPiece(uint64_t piece) override {
    if (!options_.zstd) return output_.Put(piece + 1, text_);
    absl::Status status = zstd_.Compress(text_, compressed_);
    text_.clear();
    return status.ok() ? output_.Put(piece + 1, compressed_) : status;
  }
  void Cancel(const absl::Status& status) override { output_.Fail(status); }

  int64_t rows() const { return rows_; }

 private:
  const ExportOptions& options_;
  const CallLayout& layout_;
  OrderedOutput& output_;
  std::string text_, compressed_;
  ZstdFrame zstd_;
  int64_t rows_ = 0;
};

void Add(const Attempt& a, const campaign::StatusBook& statuses, DaySummary& sum) {
  if (a.inbound) return;  // no call of ours
  sum.trunk_faults += a.trunk_fault ? 1 : 0;
  if (!a.sent) return;  // nobody's telephone rang, and nothing was tried
  ++sum.attempts;
  sum.open += a.open ? 1 : 0;
  sum.answered += Answered(a) ? 1 : 0;
  sum.connected += Happened(a.connected_at) ? 1 : 0;
  sum.abandoned += a.abandoned ? 1 : 0;
  sum.no_answer += a.outcome == "no_answer" ? 1 : 0;
  sum.busy += a.outcome == "busy" ? 1 : 0;
  sum.invalid += a.outcome == "invalid" ? 1 : 0;
  sum.unreachable += a.outcome == "unreachable" ? 1 : 0;
  sum.rejected += a.outcome == "rejected" ? 1 : 0;
  sum.unknown += a.outcome == "unknown" ? 1 : 0;
  sum.dispositions += !a.agent.empty() && Happened(a.disposed_at) ? 1 : 0;
  const campaign::Disposition* const said = statuses.Find(a.campaign, a.status);
  sum.sales += said != nullptr && said->sale ? 1 : 0;
  sum.machines += ByMachine(Answered(a), said) ? 1 : 0;
  if (Happened(a.connected_at) && Happened(a.ended_at)) {
    sum.talk_time += std::max(absl::ZeroDuration(), a.ended_at - a.connected_at);
  }
}

}  // namespace

absl::string_view ExportFormatName(ExportFormat format) {
  switch (format) {
    case ExportFormat::kCsv:
      return "csv";
    case ExportFormat::kJsonLines:
      return "jsonl";
    case ExportFormat::kXlsx:
      return "xlsx";
  }
  return "";
}

absl::StatusOr<ExportFormat> ParseExportFormat(absl::string_view name) {
  for (const ExportFormat format :
       {ExportFormat::kCsv, ExportFormat::kJsonLines, ExportFormat::kXlsx}) {
    if (ExportFormatName(format) == name) return format;
  }
  return absl::InvalidArgumentError("format: must be csv, jsonl or xlsx");
}

std::vector<std::string> ExportColumns() {
  std::vector<std::string> names;
  const absl::StatusOr<const CallLayout*> layout = FindCallLayout("outpace");
  for (const LayoutColumn& column : (*layout)->columns) names.emplace_back(column.header);
  return names;
}

absl::StatusOr<int64_t> ExportCalls(const campaign::LeadStore& store, const ExportOptions& options,
                                    const std::function<absl::Status(absl::string_view)>& write) {
  const absl::StatusOr<const CallLayout*> layout = FindCallLayout(options.layout);
  if (!layout.ok()) return layout.status();
  if (options.format == ExportFormat::kXlsx) {
    return absl::InvalidArgumentError("format: a spreadsheet is not written as a stream");
  }
  OrderedOutput output(write, /*waiting_max=*/4);
  std::string head;
  if (options.format == ExportFormat::kCsv) {
    if (options.bom) head.append("\xef\xbb\xbf");
    AppendCsvHeader(**layout, head);
  }
  if (options.zstd) {
    std::string plain;
    plain.swap(head);
    ZstdFrame frame;
    if (absl::Status s = frame.Compress(plain, head); !s.ok()) return s;
  }
  if (absl::Status s = output.Put(0, head); !s.ok()) return s;
  std::vector<std::unique_ptr<TextRows>> threads;
  std::vector<RowVisitor*> visitors;
  for (int i = 0; i < std::clamp(options.threads, 1, 16); ++i) {
    threads.push_back(std::make_unique<TextRows>(options, **layout, output));
    visitors.push_back(threads.back().get());
  }
  if (absl::Status s = ReadCallRows(store, options, visitors); !s.ok()) return s;
  int64_t rows = 0;
  for (const auto& thread : threads) rows += thread->rows();
  return rows;
}

double DaySummary::AbandonRatio() const {
  const int64_t persons = answered - machines;
  return persons > 0 ? static_cast<double>(abandoned) / static_cast<double>(persons) : 0.0;
}

absl::StatusOr<DaySummary> SummarizeCalls(const campaign::LeadStore& store,
                                          const ExportOptions& options) {
  DaySummary sum;
  campaign::StatusBook statuses;
  const auto campaigns = store.Campaigns();
  if (!campaigns.ok()) return campaigns.status();
  for (const campaign::CampaignSettings& settings : *campaigns) {
    statuses.Put(settings.id, settings.statuses);
  }
  const absl::Status status =
      store.ForEachAttempt(options.from, options.to, [&](const Attempt& attempt) {
        if (options.campaign.empty() || attempt.campaign == options.campaign) {
          Add(attempt, statuses, sum);
        }
        return true;
      });
  if (!status.ok()) return status;
  return sum;
}

}  // namespace outpace::report
