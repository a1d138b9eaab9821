#include "campaign/load/piece_parser.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "campaign/load/row_values.h"

namespace outpace::load {
namespace {

void Clear(ParsedPiece& out) {
  out.leads.clear();
  out.places.clear();
  out.keys.clear();
  out.doubled.clear();
  out.verdicts.clear();
  out.texts_used = 0;
  out.rows = out.lines = out.blank_lines = 0;
  out.repaired = out.short_rows = out.alt_dropped = out.time_adjusted = 0;
  out.ends_in_scrap = out.ends_in_blank_lines = false;
}

// What AppendFieldText() wants of a string, where there is room: this runs for every cell.
struct Appender {
  char* at;
  void push_back(char c) { *at++ = c; }
  void append(const char* from, size_t size) {
    if (size > 0) std::memcpy(at, from, size);
    at += size;
  }
};
constexpr size_t kLengthOctetsMax = 10;  // of a varint

}  // namespace

absl::Status PieceParser::Parse(const TextPiece& piece, ParsedPiece& out) {
  Clear(out);
  text_ends_.clear();
  if (piece.is_long) return ParseLong(piece, out);
  PieceFacts facts;
  facts.clean = piece.clean;
  facts.controls = MayHaveControl(piece.text);
  facts.nul = facts.controls && absl::StrContains(piece.text, '\0');
  CsvReader csv(piece.text, rules_.separator);
  Row row;
  uint64_t blank = 0;  // lines up to the latest row
  while (csv.Next(row)) {
    const bool adjoins = csv.blank_lines() == blank;
    blank = csv.blank_lines();
    TakeRow(row, facts, out);
    if (!reader_.status().ok()) return reader_.status();
    out.ends_in_scrap = adjoins && IsScrap(row);
  }
  out.ends_in_blank_lines = csv.blank_lines() > blank;
  out.blank_lines = csv.blank_lines();
  out.lines = csv.lines();
  return Finish(out);
}

absl::Status PieceParser::ParseLong(const TextPiece& piece, ParsedPiece& out) {
  out.lines = piece.long_lines;
  out.ends_in_blank_lines = piece.long_blank;
  if (piece.long_blank) {
    out.blank_lines = piece.long_lines;
  } else {
    TakeRow(piece.long_row, PieceFacts(), out);
    out.ends_in_scrap = piece.long_scrap;
  }
  return Finish(out);
}

void PieceParser::TakeRow(const Row& row, const PieceFacts& facts, ParsedPiece& out) {
  const RowPlace place = {static_cast<uint32_t>(out.rows++), row.line, row.raw, row.octets};
  const auto drop = [&](Fate fate, absl::string_view code, absl::string_view reason) {
    RowVerdict& verdict = out.verdicts.emplace_back();
    verdict.place = place;
    verdict.fate = fate;
    verdict.finding = {code, {}, std::string(reason)};
  };
  if (!reader_.Read(row, facts, lead_)) {
    drop(Fate::kRejected, {}, {});
    std::swap(out.verdicts.back().finding, lead_.finding);
    return;
  }
  out.repaired += lead_.phone_repaired;
  out.short_rows += lead_.short_row;
  out.alt_dropped += lead_.alt_dropped;
  out.time_adjusted += lead_.time_adjusted;
  if (const dnc::DncMatch match = MatchDnc(); match != dnc::DncMatch::kNone) {
    return drop(Fate::kDnc, "DNC", dnc::DncReason(match));
  }
  if (rules_.filter != nullptr) {
    const int clause = rules_.filter->DroppedBy(lead_, scratch_);
    if (clause >= 0) {
      drop(Fate::kFiltered, "FILTER",
           absl::StrCat("not true: ", rules_.filter->clauses()[static_cast<size_t>(clause)]));
      out.verdicts.back().clause = clause;
      return;
    }
  }
  out.leads.push_back(lead_.lead);
  out.places.push_back(place);
  if (rules_.store_keys != nullptr) out.keys.push_back(KeyOf(place));
  AppendTexts(out);
}

// Whoever was erased comes back with no file, scrubbed or not.
dnc::DncMatch PieceParser::MatchDnc() const {
  const E164 phone = lead_.lead.phone;
  if (rules_.row.options.scrub_dnc) return rules_.dnc.Match(phone, rules_.row.options.campaign);
  return rules_.dnc.IsErased(phone) ? dnc::DncMatch::kErased : dnc::DncMatch::kNone;
}

SeenKey PieceParser::KeyOf(const RowPlace& place) const {
  const LeadLayout& layout = rules_.row.layout;
  const auto text = [&](size_t slot) {
    return slot == LeadLayout::kNone ? absl::string_view() : lead_.texts[slot];
  };
  switch (rules_.row.options.duplicate_key) {
    case DuplicateKey::kPhone:
      break;
    case DuplicateKey::kNamePhone:
      return {lead_.lead.phone.value(), NameHash(text(layout.first_name), text(layout.last_name)),
              place.line};
    case DuplicateKey::kTitleAltPhone:
      return {lead_.lead.alt_phone.value(), TitleHash(text(layout.title)), place.line};
  }
  return {lead_.lead.phone.value(), 0, place.line};
}

void PieceParser::AppendTexts(ParsedPiece& out) {
  size_t count = lead_.texts.size();
  while (count > 0 && lead_.texts[count - 1].empty()) --count;
  size_t octets = 0;
  for (size_t i = 0; i < count; ++i) octets += lead_.texts[i].size() + kLengthOctetsMax;
  if (out.texts.size() < out.texts_used + octets) {
    out.texts.resize(std::max(2 * out.texts.size(), out.texts_used + octets));
  }
  Appender to = {out.texts.data() + out.texts_used};
  for (size_t i = 0; i < count; ++i) campaign::AppendFieldText(lead_.texts[i], to);
  out.texts_used = static_cast<size_t>(to.at - out.texts.data());
  text_ends_.push_back(out.texts_used);
}

absl::Status PieceParser::Finish(ParsedPiece& out) {
  if (!reader_.status().ok()) return reader_.status();
  size_t begin = 0;
  for (size_t i = 0; i < out.leads.size(); ++i) {
    out.leads[i].fields = absl::string_view(out.texts.data() + begin, text_ends_[i] - begin);
    begin = text_ends_[i];
  }
  if (rules_.store_keys == nullptr) return absl::OkStatus();
  return rules_.store_keys->Find(out.keys, out.doubled);
}

}  // namespace outpace::load
