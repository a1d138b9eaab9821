#include "campaign/load/xlsx_strings.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "engine/base/check.h"

namespace outpace::load {
namespace {

// "_x000D_" is one UTF-16 unit written in hexadecimal; only those below U+0080 are put back, which
// is all that spreadsheets write so.
void Unescape(std::string& text) {
  size_t at = text.find("_x");
  while (at != std::string::npos) {
    uint32_t code = 0;
    if (at + 7 <= text.size() && text[at + 6] == '_' &&
        absl::SimpleHexAtoi(absl::string_view(text).substr(at + 2, 4), &code) && code > 0 &&
        code < 0x80) {
      text.replace(at, 7, 1, static_cast<char>(code));
    }
    at = text.find("_x", at + 1);
  }
}

}  // namespace

void RichText::Start(absl::string_view element) {
  if (element == "rPh") ++reading_aid_;
  if (element == "t") ++in_text_;
}

void RichText::End(absl::string_view element) {
  if (element == "rPh") --reading_aid_;
  if (element == "t") --in_text_;
}

void RichText::Text(absl::string_view text) {
  if (in_text_ == 0 || reading_aid_ > 0 || text_.size() >= kCellBytesMax) return;
  text_.append(text.data(), text.size());
}

std::string RichText::Take() {
  Unescape(text_);
  return std::exchange(text_, std::string());
}

class SharedStrings final : public XmlHandler {
 public:
  explicit SharedStrings(StringTable& table) : table_(table) {}

  absl::Status Start(absl::string_view element, const XmlAttributes&) override {
    rich_.Start(element);
    return absl::OkStatus();
  }
  absl::Status End(absl::string_view element) override {
    rich_.End(element);
    if (element != "si") return absl::OkStatus();
    table_.text_file_->Append(rich_.Take());
    const uint64_t end = table_.text_file_->size();
    char octets[sizeof(end)];
    std::memcpy(octets, &end, sizeof(end));
    table_.offset_file_->Append(absl::string_view(octets, sizeof(octets)));
    return absl::OkStatus();
  }
  absl::Status Text(absl::string_view text) override {
    rich_.Text(text);
    return absl::OkStatus();
  }

 private:
  StringTable& table_;
  RichText rich_;
};

absl::StatusOr<std::unique_ptr<StringTable>> StringTable::Read(const XlsxPackage& package,
                                                               const std::string& part,
                                                               const std::string& temp_directory) {
  std::unique_ptr<StringTable> out(new StringTable());
  if (part.empty()) return out;
  for (std::unique_ptr<TempFile>* file : {&out->text_file_, &out->offset_file_}) {
    absl::StatusOr<std::unique_ptr<TempFile>> made = TempFile::Make(temp_directory);
    if (!made.ok()) return made.status();
    *file = *std::move(made);
  }
  SharedStrings handler(*out);
  if (absl::Status status = package.Read(part, handler); !status.ok()) return status;
  for (const auto& [file, view] : {std::pair(out->text_file_.get(), &out->text_),
                                   std::pair(out->offset_file_.get(), &out->offsets_)}) {
    if (absl::Status status = file->Finish(); !status.ok()) return status;
    const absl::StatusOr<absl::string_view> mapped = file->Map();
    if (!mapped.ok()) return mapped.status();
    *view = *mapped;
  }
  return out;
}

absl::string_view StringTable::Get(uint64_t index) const {
  OUTPACE_CHECK(index < size());
  uint64_t begin = 0, end = 0;
  if (index > 0) std::memcpy(&begin, offsets_.data() + (index - 1) * sizeof(begin), sizeof(begin));
  std::memcpy(&end, offsets_.data() + index * sizeof(end), sizeof(end));
  return text_.substr(begin, end - begin);
}

}  // namespace outpace::load
