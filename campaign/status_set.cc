#include "campaign/status_set.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "campaign/status_columns.h"
#include "engine/base/check.h"

namespace outpace::campaign {
namespace {

constexpr size_t kStatusMax = 6;

// A status's bytes in one number; 0: too long to be one.
uint64_t KeyOf(absl::string_view status) {
  if (status.size() > kStatusMax) return 0;
  uint64_t key = 1;  // "" is none of those that are too long
  for (const char c : status) key = key << 8 | static_cast<unsigned char>(c);
  return key;
}

// 1..9, 0, letters, and last what has no key.
int KeyRank(char hotkey) {
  if (hotkey == 0) return 1000;
  if (hotkey == '0') return '9' + 1;
  return hotkey > '9' ? hotkey + 1 : hotkey;
}

// Keeps the text one line, and its separators apart: "%7C" is a '|' in a name.
std::string Escaped(absl::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '%' || c == '|' || c == ';' || absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      absl::StrAppend(&out, "%", absl::BytesToHexString(absl::string_view(&c, 1)));
    } else {
      out.push_back(c);
    }
  }
  return out;
}

int HexDigit(char c) {
  return absl::ascii_isdigit(static_cast<unsigned char>(c)) ? c - '0'
                                                            : absl::ascii_tolower(c) - 'a' + 10;
}

std::string Unescaped(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '%' && i + 2 < text.size() &&
                         absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 1])) &&
                         absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 2]));
    if (!escaped) {
      out.push_back(text[i]);
      continue;
    }
    out.push_back(static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2])));
    i += 2;
  }
  return out;
}

}  // namespace

std::shared_ptr<const StatusSet::Table> StatusSet::Make(std::vector<Disposition> own) {
  auto table = std::make_shared<Table>();
  table->rows = Dispositions();
  for (const Disposition& row : own) {
    const auto same = std::find_if(table->rows.begin(), table->rows.end(),
                                   [&](const Disposition& r) { return r.status == row.status; });
    if (same != table->rows.end()) {
      *same = row;
    } else {
      table->rows.push_back(row);
    }
  }
  for (const Disposition& row : table->rows) table->keys.push_back(KeyOf(row.status));
  table->own = std::move(own);
  return table;
}

const StatusSet& StatusSet::System() {
  static const auto* const kSystem = new StatusSet(Make({}));
  return *kSystem;
}

StatusSet::StatusSet() : table_(System().table_) {}

const Disposition* StatusSet::Find(absl::string_view status) const {
  const uint64_t key = KeyOf(status);
  const std::vector<uint64_t>& keys = table_->keys;
  const auto it = std::find(keys.begin(), keys.end(), key);
  if (key == 0 || it == keys.end()) return nullptr;
  return &table_->rows[static_cast<size_t>(it - keys.begin())];
}

bool StatusSet::IsOwn(absl::string_view status) const {
  return std::any_of(own().begin(), own().end(),
                     [&](const Disposition& row) { return row.status == status; });
}

std::vector<const Disposition*> StatusSet::Selectable() const {
  std::vector<const Disposition*> chosen;
  for (const Disposition& row : rows()) {
    if (row.selectable) chosen.push_back(&row);
  }
  std::stable_sort(chosen.begin(), chosen.end(), [](const Disposition* a, const Disposition* b) {
    return KeyRank(a->hotkey) < KeyRank(b->hotkey);
  });
  return chosen;
}

void StatusSet::Put(Disposition row) {
  OUTPACE_CHECK(IsStatusName(row.status));
  std::vector<Disposition> own = table_->own;
  const auto same = std::find_if(own.begin(), own.end(),
                                 [&](const Disposition& r) { return r.status == row.status; });
  if (same != own.end()) {
    *same = std::move(row);
  } else {
    own.push_back(std::move(row));
  }
  table_ = Make(std::move(own));
}

bool StatusSet::Remove(absl::string_view status) {
  std::vector<Disposition> own = table_->own;
  const auto gone = std::remove_if(own.begin(), own.end(),
                                   [&](const Disposition& row) { return row.status == status; });
  if (gone == own.end()) return false;
  own.erase(gone, own.end());
  table_ = own.empty() ? System().table_ : Make(std::move(own));
  return true;
}

std::string StatusSet::ToText() const {
  const Disposition empty;
  std::string text;
  for (const Disposition& row : own()) {
    absl::StrAppend(&text, text.empty() ? "" : "|", row.status);
    for (const std::string& column : StatusColumns()) {
      const std::string cell = StatusCell(row, column);
      if (column == "status" || cell == StatusCell(empty, column)) continue;
      absl::StrAppend(&text, ";", column, "=", Escaped(cell));
    }
  }
  return text;
}

absl::StatusOr<StatusSet> StatusSet::Parse(absl::string_view text) {
  std::vector<Disposition> own;
  for (const absl::string_view part : absl::StrSplit(text, '|', absl::SkipWhitespace())) {
    const std::vector<absl::string_view> cells = absl::StrSplit(part, ';');
    Disposition row;
    absl::Status read = SetStatusCell("status", cells[0], row);
    for (size_t i = 1; read.ok() && i < cells.size(); ++i) {
      const std::pair<absl::string_view, absl::string_view> cell =
          absl::StrSplit(cells[i], absl::MaxSplits('=', 1));
      read = SetStatusCell(cell.first, Unescaped(cell.second), row);
    }
    if (!read.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("row ", own.size() + 1, ": ", read.message()));
    }
    if (std::any_of(own.begin(), own.end(),
                    [&](const Disposition& other) { return other.status == row.status; })) {
      return absl::InvalidArgumentError(
          absl::StrCat("row ", own.size() + 1, ": ", row.status, " stands twice"));
    }
    own.push_back(std::move(row));
  }
  return own.empty() ? StatusSet() : StatusSet(Make(std::move(own)));
}

const StatusSet& StatusBook::Of(const CampaignId& campaign) const {
  const auto found = sets_.find(campaign);
  return found == sets_.end() ? StatusSet::System() : found->second;
}

}  // namespace outpace::campaign
