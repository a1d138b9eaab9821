#include "campaign/load/xlsx_workbook.h"

#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace outpace::load {
namespace {

constexpr size_t kStylesMax = 65'536;
constexpr size_t kSheetsMax = 1'000;

bool IsTrue(absl::string_view text) { return text == "1" || text == "true" || text == "on"; }

int Number(absl::string_view text) {
  int out = 0;
  return absl::SimpleAtoi(text, &out) ? out : 0;
}

// "../media/x.xml" seen from "xl/worksheets" -> "xl/media/x.xml"; "/xl/x.xml" -> "xl/x.xml".
std::string Resolve(absl::string_view folder, absl::string_view target) {
  std::vector<absl::string_view> path;
  if (!absl::StartsWith(target, "/")) path = absl::StrSplit(folder, '/', absl::SkipEmpty());
  for (absl::string_view step : absl::StrSplit(target, '/', absl::SkipEmpty())) {
    if (step == "..") {
      if (!path.empty()) path.pop_back();
    } else if (step != ".") {
      path.push_back(step);
    }
  }
  return absl::StrJoin(path, "/");
}

struct Relation {
  std::string type;  // the last step of its address: "worksheet", "styles", ...
  std::string target;
};

// The relations a part has, by their ids.
class Relations final : public XmlHandler {
 public:
  explicit Relations(std::string folder) : folder_(std::move(folder)) {}

  absl::Status Start(absl::string_view element, const XmlAttributes& attributes) override {
    if (element != "Relationship" || attributes.Get("TargetMode") == "External") {
      return absl::OkStatus();
    }
    const absl::string_view type = attributes.Get("Type");
    by_id[std::string(attributes.Get("Id"))] = {std::string(type.substr(type.rfind('/') + 1)),
                                                Resolve(folder_, attributes.Get("Target"))};
    return absl::OkStatus();
  }
  absl::Status End(absl::string_view) override { return absl::OkStatus(); }
  absl::Status Text(absl::string_view) override { return absl::OkStatus(); }

  // The target of the first relation of a type; empty if there is none.
  std::string OfType(absl::string_view type) const {
    for (const auto& [id, relation] : by_id) {
      if (relation.type == type) return relation.target;
    }
    return "";
  }

  std::map<std::string, Relation> by_id;

 private:
  const std::string folder_;
};

class WorkbookHandler final : public XmlHandler {
 public:
  WorkbookHandler(const Relations& relations, Workbook& out) : relations_(relations), out_(out) {}

  absl::Status Start(absl::string_view element, const XmlAttributes& attributes) override {
    if (element == "workbookPr") out_.date1904 = IsTrue(attributes.Get("date1904"));
    if (element != "sheet" || out_.sheets.size() >= kSheetsMax) return absl::OkStatus();
    Sheet sheet;
    sheet.name = std::string(attributes.Get("name"));
    const absl::string_view state = attributes.Get("state");
    sheet.hidden = state == "hidden" || state == "veryHidden";
    const auto relation = relations_.by_id.find(std::string(attributes.Get("id")));
    if (relation != relations_.by_id.end() && relation->second.type == "worksheet") {
      sheet.part = relation->second.target;
    }
    out_.sheets.push_back(std::move(sheet));
    return absl::OkStatus();
  }
  absl::Status End(absl::string_view) override { return absl::OkStatus(); }
  absl::Status Text(absl::string_view) override { return absl::OkStatus(); }

 private:
  const Relations& relations_;
  Workbook& out_;
};

class StylesHandler final : public XmlHandler {
 public:
  explicit StylesHandler(std::vector<NumberFormat>& out) : out_(out) {}

  absl::Status Start(absl::string_view element, const XmlAttributes& attributes) override {
    if (element == "cellXfs") in_cells_ = true;
    if (element == "numFmt" && codes_.size() < kStylesMax) {
      codes_[Number(attributes.Get("numFmtId"))] = FormatOfCode(attributes.Get("formatCode"));
    }
    if (element == "xf" && in_cells_ && out_.size() < kStylesMax) {
      const int id = Number(attributes.Get("numFmtId"));
      const auto code = codes_.find(id);
      out_.push_back(code != codes_.end() ? code->second : FormatOfNumber(id));
    }
    return absl::OkStatus();
  }
  absl::Status End(absl::string_view element) override {
    if (element == "cellXfs") in_cells_ = false;
    return absl::OkStatus();
  }
  absl::Status Text(absl::string_view) override { return absl::OkStatus(); }

 private:
  std::vector<NumberFormat>& out_;
  std::map<int, NumberFormat> codes_;
  bool in_cells_ = false;
};

}  // namespace

absl::StatusOr<Workbook> ReadWorkbook(const XlsxPackage& package) {
  Relations root("");
  if (package.Has("_rels/.rels")) {
    if (absl::Status status = package.Read("_rels/.rels", root); !status.ok()) return status;
  }
  std::string part = root.OfType("officeDocument");
  if (part.empty()) part = "xl/workbook.xml";
  if (absl::EndsWith(part, ".bin")) {
    return XlsxError("a binary workbook (.xlsb) is not read; save it as .xlsx");
  }
  if (!package.Has(part)) return XlsxError("an archive without a workbook is no spreadsheet");
  const size_t slash = part.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : part.substr(0, slash);
  const std::string name = slash == std::string::npos ? part : part.substr(slash + 1);
  Relations relations(folder);
  const std::string relations_part = Resolve(folder, absl::StrCat("_rels/", name, ".rels"));
  if (absl::Status status = package.Read(relations_part, relations); !status.ok()) return status;

  Workbook out;
  WorkbookHandler workbook(relations, out);
  if (absl::Status status = package.Read(part, workbook); !status.ok()) return status;
  const std::string strings = relations.OfType("sharedStrings");
  if (package.Has(strings)) out.strings_part = strings;
  const std::string styles = relations.OfType("styles");
  if (package.Has(styles)) {
    StylesHandler handler(out.formats);
    if (absl::Status status = package.Read(styles, handler); !status.ok()) return status;
  }
  return out;
}

}  // namespace outpace::load
