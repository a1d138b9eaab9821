#include "campaign/load/long_record.h"

namespace outpace::load {

size_t LongRecord::Take(absl::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (state_ == State::kEnded || !TakeOne(text[i])) return i;
  }
  return text.size();
}

void LongRecord::TakeEnd() {
  if (state_ == State::kQuoted) {
    if (quoted_cr_) ++lines_;
    fault_ = RowFault::kUnclosedQuote;
  } else if (state_ != State::kEnded && state_ != State::kCr) {
    if (state_ == State::kFieldStart && columns_ >= kColumnsMax) Blame(RowFault::kTooManyColumns);
    EndField();
  }
  if (octets_ > kRowBytesMax) Blame(RowFault::kRowTooLong);
  state_ = State::kEnded;
}

void LongRecord::EndField() {
  if (state_ == State::kPlain && field_octets_ > kFieldBytesMax) Blame(RowFault::kFieldTooLong);
  field_octets_ = 0;
  ++columns_;
}

void LongRecord::EndLine(char c) {
  EndField();
  if (octets_ > kRowBytesMax) Blame(RowFault::kRowTooLong);
  ++lines_;
  has_line_end_ = true;
  state_ = c == '\r' ? State::kCr : State::kEnded;
}

bool LongRecord::TakeQuoted(char c) {
  if (quoted_cr_ && c != '\n') ++lines_;
  quoted_cr_ = c == '\r';
  if (c == '\n') ++lines_;
  if (c == '"') {
    state_ = State::kQuoteInQuoted;
  } else if (++field_octets_ > kFieldBytesMax) {
    Blame(RowFault::kFieldTooLong);
  }
  return true;
}

bool LongRecord::TakeOne(char c) {
  if (state_ == State::kCr) {
    state_ = State::kEnded;
    return c == '\n';
  }
  if (state_ == State::kQuoteInQuoted && c == '"') {
    ++octets_;
    if (++field_octets_ > kFieldBytesMax) Blame(RowFault::kFieldTooLong);
    state_ = State::kQuoted;
    return true;
  }
  if (state_ == State::kFieldStart && columns_ >= kColumnsMax) Blame(RowFault::kTooManyColumns);
  if (state_ != State::kQuoted) {
    if (state_ == State::kFieldStart && c == '"') {
      ++octets_;
      blank_ = false;
      state_ = State::kQuoted;
      return true;
    }
    if (c == '\n' || c == '\r') {
      EndLine(c);
      return true;
    }
  }
  ++octets_;
  last_ = c;
  blank_ = blank_ && (c == ' ' || c == '\t');
  switch (state_) {
    case State::kQuoted:
      return TakeQuoted(c);
    case State::kFieldStart:
    case State::kPlain:
      if (c == separator_) {
        EndField();
        state_ = State::kFieldStart;
      } else {
        state_ = State::kPlain;
        ++field_octets_;
      }
      return true;
    case State::kQuoteInQuoted:
    case State::kBehindQuoted:
      if (c == ' ') {
        state_ = State::kBehindQuoted;
      } else if (c == separator_) {
        EndField();
        state_ = State::kFieldStart;
      } else {
        Blame(RowFault::kBadQuote);
        state_ = State::kBadQuote;
      }
      return true;
    case State::kBadQuote:
    case State::kCr:
    case State::kEnded:
      return true;
  }
  return true;
}

}  // namespace outpace::load
