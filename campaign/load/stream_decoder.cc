// Octets of a file to UTF-8, block by block. UTF-8 itself is read straight into the caller's block
// and only checked; everything else goes through ICU, whose substitution is replaced by one that
// keeps the octets (see encoding.h).

#include <unicode/ucnv.h>
#include <unicode/ucnv_cb.h>
#include <unicode/ucnv_err.h>

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "campaign/load/encoding.h"
#include "campaign/load/encoding_names.h"
#include "engine/base/check.h"

namespace outpace::load {
namespace {

constexpr size_t kRawBytes = 64 * 1024;
constexpr size_t kPivotUnits = 8 * 1024;
constexpr size_t kBlockMin = 64;

struct CloseConverter {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using IcuConverter = std::unique_ptr<UConverter, CloseConverter>;

// ICU calls this for octets that are no character; `context` is a bool that is set. Each octet
// becomes U+10FF00 + octet, in UTF-16 DBFF and DF00 + octet.
void CarryOctets(const void* context, UConverterToUnicodeArgs* args, const char* octets,
                 int32_t length, UConverterCallbackReason reason, UErrorCode* error) {
  if (reason > UCNV_IRREGULAR) return;  // reset, close, clone
  UChar units[64];
  int32_t count = 0;
  for (int32_t i = 0; i < length && count + 2 <= 64; ++i) {
    units[count++] = 0xdbff;
    units[count++] = static_cast<UChar>(0xdf00 | static_cast<unsigned char>(octets[i]));
  }
  *const_cast<bool*>(static_cast<const bool*>(context)) = true;
  *error = U_ZERO_ERROR;
  ucnv_cbToUWriteUChars(args, units, count, 0, error);
}

// Whether a carried octet stands in the text: U+10FF00..U+10FFFF is F4 8F BC..BF 80..BF.
bool HasCarried(absl::string_view text) {
  for (size_t at = text.find("\xF4\x8F"); at != absl::string_view::npos;
       at = text.find("\xF4\x8F", at + 1)) {
    if (at + 2 < text.size() && static_cast<unsigned char>(text[at + 2]) >= 0xbc) return true;
  }
  return false;
}

}  // namespace

struct StreamDecoder::Converter {
  IcuConverter source, target;
  std::unique_ptr<char[]> raw = std::make_unique<char[]>(kRawBytes);
  const char* next = nullptr;  // of raw: not yet converted
  const char* end = nullptr;
  bool at_end = false;  // the source has no more
  bool done = false;    // and all of it is converted
  bool reset = true;
  bool bad = false;  // octets have been carried
  UChar pivot[kPivotUnits];
  UChar* pivot_source = pivot;
  UChar* pivot_target = pivot;
  char cut[4];  // the beginning of a character that the last block had no room for
  size_t cut_size = 0;

  absl::Status Open(absl::string_view encoding) {
    const char* const name = IcuName(encoding);
    OUTPACE_CHECK(name != nullptr);
    UErrorCode error = U_ZERO_ERROR;
    source.reset(ucnv_open(name, &error));
    target.reset(ucnv_open("UTF-8", &error));
    if (U_SUCCESS(error)) {
      ucnv_setToUCallBack(source.get(), CarryOctets, &bad, nullptr, nullptr, &error);
    }
    if (U_SUCCESS(error)) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("ICU has no converter for ", encoding, ": ",
                                            u_errorName(error), "; install libicu"));
  }
};

StreamDecoder::StreamDecoder(const ByteSource& source, const TextEncoding& encoding)
    : source_(source), encoding_(encoding), consumed_(encoding.bom_bytes) {}
StreamDecoder::~StreamDecoder() = default;

absl::StatusOr<DecodedBlock> StreamDecoder::Next(absl::Span<char> to) {
  OUTPACE_CHECK(to.size() >= kBlockMin);
  return encoding_.is_utf8() ? NextUtf8(to) : NextConverted(to);
}

absl::StatusOr<DecodedBlock> StreamDecoder::NextUtf8(absl::Span<char> to) {
  const absl::StatusOr<size_t> read = source_.Read(consumed_, to);
  if (!read.ok()) return read.status();
  DecodedBlock out;
  const absl::string_view text(to.data(), *read);
  const Utf8 check = CheckUtf8(text);
  out.clean = check == Utf8::kValid;
  out.size = *read;
  // A character, or the beginning of one, that the block cuts is left for the next one. The walk
  // stops at the first fault, so a block that has one is looked at from its end.
  if (*read == to.size()) {
    size_t tail = 0;
    while (tail < 3 && (static_cast<unsigned char>(text[text.size() - 1 - tail]) & 0xc0) == 0x80) {
      ++tail;
    }
    const absl::string_view last = text.substr(text.size() - 1 - tail);
    if (CheckUtf8(last) == Utf8::kCutAtEnd) {
      out.size -= last.size();
      out.clean = out.clean || check == Utf8::kCutAtEnd;
    }
  }
  consumed_ += out.size;
  return out;
}

absl::StatusOr<DecodedBlock> StreamDecoder::NextConverted(absl::Span<char> to) {
  if (converter_ == nullptr) {
    auto converter = std::make_unique<Converter>();
    if (absl::Status status = converter->Open(encoding_.name); !status.ok()) return status;
    converter_ = std::move(converter);
  }
  Converter& c = *converter_;
  std::memcpy(to.data(), c.cut, c.cut_size);
  char* out = to.data() + c.cut_size;
  char* const out_end = to.data() + to.size();
  c.cut_size = 0;
  while (!c.done && out < out_end) {
    if (c.next == c.end && !c.at_end) {
      const absl::StatusOr<size_t> read =
          source_.Read(consumed_, absl::MakeSpan(c.raw.get(), kRawBytes));
      if (!read.ok()) return read.status();
      c.next = c.raw.get();
      c.end = c.next + *read;
      c.at_end = *read < kRawBytes;
    }
    const char* const before = c.next;
    UErrorCode error = U_ZERO_ERROR;
    ucnv_convertEx(c.target.get(), c.source.get(), &out, out_end, &c.next, c.end, c.pivot,
                   &c.pivot_source, &c.pivot_target, c.pivot + kPivotUnits, c.reset,
                   /*flush=*/c.at_end, &error);
    c.reset = false;
    consumed_ += static_cast<uint64_t>(c.next - before);
    if (error == U_BUFFER_OVERFLOW_ERROR) break;
    if (U_FAILURE(error)) {
      return absl::InternalError(absl::StrCat("ICU: ", u_errorName(error)));
    }
    c.done = c.at_end && c.next == c.end;
  }
  DecodedBlock block;
  const absl::string_view text(to.data(), static_cast<size_t>(out - to.data()));
  block.size = ValidUtf8Prefix(text);  // ICU fills a block to its last octet
  c.cut_size = text.size() - block.size;
  OUTPACE_CHECK(c.cut_size < sizeof(c.cut));
  std::memcpy(c.cut, text.data() + block.size, c.cut_size);
  block.clean = !c.bad || !HasCarried(text.substr(0, block.size));
  return block;
}

RowText CheckRowText(absl::string_view row, bool is_utf8) {
  if (!is_utf8) return HasCarried(row) ? RowText::kBad : RowText::kGood;
  switch (CheckUtf8(row)) {
    case Utf8::kValid:
      return RowText::kGood;
    case Utf8::kCutAtEnd:
      return RowText::kCut;
    case Utf8::kInvalid:
      return RowText::kBad;
  }
  return RowText::kBad;
}

}  // namespace outpace::load
