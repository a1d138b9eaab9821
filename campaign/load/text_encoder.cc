// UTF-8 back into the encoding a file came in, for what is handed back to its owner.

#include <unicode/ucnv.h>
#include <unicode/ucnv_cb.h>
#include <unicode/ucnv_err.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "campaign/load/encoding.h"
#include "campaign/load/encoding_names.h"
#include "engine/base/check.h"

namespace outpace::load {
namespace {

struct CloseConverter {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using IcuConverter = std::unique_ptr<UConverter, CloseConverter>;

// For a character that the encoding lacks; `context` counts them.
void WriteQuestionMark(const void* context, UConverterFromUnicodeArgs* args, const UChar*, int32_t,
                       UChar32, UConverterCallbackReason reason, UErrorCode* error) {
  if (reason > UCNV_IRREGULAR) return;  // reset, close, clone
  ++*const_cast<uint64_t*>(static_cast<const uint64_t*>(context));
  *error = U_ZERO_ERROR;
  ucnv_cbFromUWriteBytes(args, "?", 1, 0, error);
}

// Where the next carried octet stands (F4 8F BC..BF 80..BF), npos if there is none.
size_t FindCarried(absl::string_view text, size_t from) {
  for (size_t at = text.find("\xF4\x8F", from); at != absl::string_view::npos;
       at = text.find("\xF4\x8F", at + 1)) {
    if (at + 3 < text.size() && static_cast<unsigned char>(text[at + 2]) >= 0xbc) return at;
  }
  return absl::string_view::npos;
}

}  // namespace

struct TextEncoder::Converter {
  IcuConverter source, target;
};

TextEncoder::TextEncoder() = default;
TextEncoder::~TextEncoder() = default;

absl::StatusOr<std::unique_ptr<TextEncoder>> TextEncoder::Make(absl::string_view name) {
  const char* const icu = IcuName(name);
  if (icu == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", name.substr(0, 40), "\" is no encoding that can be written"));
  }
  std::unique_ptr<TextEncoder> out(new TextEncoder());
  out->name_ = std::string(name);
  if (name == "utf-8") return out;
  out->converter_ = std::make_unique<Converter>();
  UErrorCode error = U_ZERO_ERROR;
  out->converter_->source.reset(ucnv_open("UTF-8", &error));
  out->converter_->target.reset(ucnv_open(icu, &error));
  if (U_SUCCESS(error)) {
    ucnv_setFromUCallBack(out->converter_->target.get(), WriteQuestionMark, &out->lost_, nullptr,
                          nullptr, &error);
  }
  if (U_SUCCESS(error)) return out;
  return absl::InternalError(absl::StrCat("ICU has no converter for ", name, ": ",
                                          u_errorName(error), "; install libicu"));
}

void TextEncoder::Append(absl::string_view utf8, std::string& to) {
  if (converter_ == nullptr) {
    to.append(utf8.data(), utf8.size());
    return;
  }
  for (size_t from = 0; from < utf8.size();) {
    const size_t carried = FindCarried(utf8, from);
    Convert(utf8.substr(from, carried - from), to);
    if (carried == absl::string_view::npos) return;
    const unsigned high = static_cast<unsigned char>(utf8[carried + 2]) & 3u;
    const unsigned low = static_cast<unsigned char>(utf8[carried + 3]) & 0x3fu;
    to.push_back(static_cast<char>(high << 6 | low));
    from = carried + 4;
  }
}

void TextEncoder::Convert(absl::string_view utf8, std::string& to) {
  const char* next = utf8.data();
  const char* const end = next + utf8.size();
  char buffer[4096];
  UChar pivot[1024];
  UChar *pivot_source = pivot, *pivot_target = pivot;
  for (bool reset = true;; reset = false) {
    char* out = buffer;
    UErrorCode error = U_ZERO_ERROR;
    ucnv_convertEx(converter_->target.get(), converter_->source.get(), &out,
                   buffer + sizeof(buffer), &next, end, pivot, &pivot_source, &pivot_target,
                   pivot + 1024, reset, /*flush=*/true, &error);
    to.append(buffer, static_cast<size_t>(out - buffer));
    if (error == U_BUFFER_OVERFLOW_ERROR) continue;
    OUTPACE_CHECK(U_SUCCESS(error));  // both callbacks take whatever comes
    return;
  }
}

absl::string_view TextEncoder::bom() const {
  if (name_ == "utf-16le") return "\xFF\xFE";
  if (name_ == "utf-16be") return "\xFE\xFF";
  return "";
}

}  // namespace outpace::load
