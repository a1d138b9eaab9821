#include "campaign/load/record_splitter.h"

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "campaign/load/long_record.h"

namespace outpace::load {
namespace {

constexpr size_t kNowhere = absl::string_view::npos;

size_t Find(absl::string_view text, char c, size_t from) {
  if (from >= text.size()) return kNowhere;
  const void* const at = std::memchr(text.data() + from, c, text.size() - from);
  return at == nullptr ? kNowhere : static_cast<size_t>(static_cast<const char*>(at) - text.data());
}

// Behind the last line end in [from, to), where no quotes are open; `otherwise` if there is none.
// A CR that is the text's last octet may be half of a line end.
size_t BehindLastLineEnd(absl::string_view text, size_t from, size_t to, size_t otherwise) {
  for (size_t i = to; i > from; --i) {
    const char c = text[i - 1];
    if (c == '\n') return i;
    if (c == '\r' && i < text.size()) return text[i] == '\n' ? i + 1 : i;
  }
  return otherwise;
}

// The closing quote of the field that opens at `open`; kNowhere if the text may end before it.
size_t ClosingQuote(absl::string_view text, size_t open) {
  for (size_t at = open + 1;; at += 2) {
    at = Find(text, '"', at);
    if (at == kNowhere || at + 1 == text.size()) return kNowhere;
    if (text[at + 1] != '"') return at;
  }
}

bool IsLineEnd(char c) { return c == '\n' || c == '\r'; }

}  // namespace

size_t EndOfLastRecord(absl::string_view text, char separator) {
  size_t end = 0;    // behind the last record that is whole
  size_t plain = 0;  // from here on no quotes are open
  for (;;) {
    const size_t quote = Find(text, '"', plain);
    if (quote == kNowhere) return BehindLastLineEnd(text, plain, text.size(), end);
    end = BehindLastLineEnd(text, plain, quote, end);
    const bool opens =
        quote == 0 || text[quote - 1] == separator || (quote == end && IsLineEnd(text[quote - 1]));
    if (!opens) {
      plain = quote + 1;
      continue;
    }
    const size_t close = ClosingQuote(text, quote);
    if (close == kNowhere) return end;
    plain = close + 1;
    while (plain < text.size() && text[plain] == ' ') ++plain;
    if (plain == text.size()) return end;
    if (text[plain] == separator || IsLineEnd(text[plain])) continue;
    // Text behind a closing quote: quotes mean nothing up to the line's end.
    const size_t feed = Find(text, '\n', plain), cr = Find(text.substr(0, feed), '\r', plain);
    plain = std::min(feed, cr);
    if (plain == kNowhere) return end;
  }
}

bool IsScrap(const Row& row) {
  return !row.has_line_end && !row.raw.empty() && row.raw.back() == '\x1a' &&
         row.raw.find_first_of("\r\n") == absl::string_view::npos;
}

absl::Status RecordSplitter::Fill(TextPiece& piece, size_t wanted) {
  if (piece.storage.size() < wanted + kPieceSlack) piece.storage.resize(wanted + kPieceSlack);
  while (!at_end_ && filled_ < wanted) {
    // The slack is room too: a block is never asked for into fewer than 64 octets.
    const auto block =
        input_(absl::MakeSpan(piece.storage).subspan(filled_, wanted + kPieceSlack - filled_));
    if (!block.ok()) return block.status();
    at_end_ = block->size == 0;
    filled_ += block->size;
    piece.clean = piece.clean && block->clean;
  }
  if (piece.storage.size() < filled_ + kPieceSlack) piece.storage.resize(filled_ + kPieceSlack);
  return absl::OkStatus();
}

absl::StatusOr<bool> RecordSplitter::Next(TextPiece& piece) {
  piece.is_long = false;
  piece.clean = carried_clean_;
  filled_ = carried_.size();
  size_t wanted = std::max(piece_octets_, filled_ + filled_ / 2);
  if (piece.storage.size() < wanted + kPieceSlack) piece.storage.resize(wanted + kPieceSlack);
  std::copy(carried_.begin(), carried_.end(), piece.storage.begin());
  carried_.clear();
  carried_clean_ = true;
  for (;;) {
    if (absl::Status status = Fill(piece, wanted); !status.ok()) return status;
    const absl::string_view text(piece.storage.data(), filled_);
    const size_t end = at_end_ ? text.size() : EndOfLastRecord(text, separator_);
    if (at_end_ && text.empty()) return false;
    // A long record is one wherever pieces end: also when this one would hold it whole.
    if (end == 0 && text.size() > kRowBytesMax + kPieceSlack) {
      if (absl::Status status = TakeLong(piece); !status.ok()) return status;
      return true;
    }
    if (end > 0) {
      piece.text = text.substr(0, end);
      carried_.assign(text.data() + end, text.size() - end);
      carried_clean_ = carried_.empty() || piece.clean;
      return true;
    }
    wanted = filled_ + std::max(filled_ / 2, size_t{64});
  }
}

absl::Status RecordSplitter::TakeLong(TextPiece& piece) {
  LongRecord record(separator_);
  std::string kept(piece.storage.data(), std::min(filled_, kLongRecordKept));
  for (;;) {
    const absl::string_view text(piece.storage.data(), filled_);
    const size_t taken = record.Take(text);
    if (at_end_ && taken == text.size()) record.TakeEnd();
    if (taken < text.size() || record.ended()) {
      carried_.assign(text.data() + taken, text.size() - taken);
      carried_clean_ = carried_.empty() || piece.clean;
      break;
    }
    filled_ = 0;
    if (absl::Status status = Fill(piece, std::max(piece_octets_, size_t{64})); !status.ok()) {
      return status;
    }
  }
  std::copy(kept.begin(), kept.end(), piece.storage.begin());
  piece.text = absl::string_view(piece.storage.data(), kept.size());
  piece.is_long = true;
  piece.long_lines = record.lines();
  piece.long_blank = record.blank();
  piece.long_scrap = record.lines() == 0 && record.last() == '\x1a';
  Row& row = piece.long_row;
  row.line = 1;
  row.raw = piece.text;
  row.octets = record.octets();
  row.fields.clear();
  row.fault = record.fault();
  row.has_line_end = record.has_line_end();
  return absl::OkStatus();
}

}  // namespace outpace::load
