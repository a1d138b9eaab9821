#include "campaign/match/blocking.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "absl/container/inlined_vector.h"
#include "campaign/match/field_text.h"
#include "campaign/match/parallel.h"
#include "campaign/match/text_words.h"

namespace outpace::match {
namespace {

using absl::string_view;

constexpr size_t kPiece = 4096;
// A block of more records is laid out by name instead of compared in full.
constexpr size_t kBlockMost = 48;
constexpr uint32_t kCutWindow = 6;    // neighbours compared in such a block
constexpr uint32_t kOrderWindow = 4;  // neighbours compared among all records

using Hashes = absl::InlinedVector<uint64_t, 12>;

// One kind of key each: equal values of different kinds are no match.
enum KeyKind : uint64_t {
  kName = 1,
  kBirth,
  kSurnameHouse,
  kStreetHouse,
  kPostalHouse,
  kPhone,
  kEmail,
  kGivenPostal,
  kGivenBirthYear,
  kSurnameCity,
  kCore,
  kWord,
  kInitialLetters,
  kSound,
};

void Add(KeyKind kind, uint64_t value, Hashes& to) {
  if (value != 0) to.push_back(MixHash(kind, value));
}

void Add(KeyKind kind, string_view one, string_view other, Hashes& to) {
  if (!one.empty() && !other.empty()) {
    Add(kind, MixHash(HashText(one), HashText(other)), to);
  }
}

void PlaceKeys(const Prepared& record, Hashes& to) {
  constexpr size_t kStreetLetters = 5;
  Add(kStreetHouse, record.house, record.street1.substr(0, kStreetLetters), to);
  Add(kStreetHouse, record.house, record.street2.substr(0, kStreetLetters), to);
  Add(kPostalHouse, record.postal, record.house, to);
  Add(kPhone, record.phone, to);
  Add(kEmail, HashText(record.email), to);
}

void PersonKeys(const Prepared& record, Hashes& to) {
  const std::string given = SoundCode(record.given_first), surname = SoundCode(record.surname);
  // In either order: first and last name change places.
  Add(kName, std::min(given, surname), std::max(given, surname), to);
  Add(kBirth, record.birth, to);
  Add(kSurnameHouse, surname, record.house, to);
  Add(kGivenPostal, given, record.postal, to);
  Add(kSurnameCity, surname, record.city, to);
  if (record.birth != 0 && !given.empty()) {
    Add(kGivenBirthYear, MixHash(HashText(given), record.birth / 10000), to);
  }
  PlaceKeys(record, to);
}

// The words that say most, and what they sound like.
void WordKeys(const Prepared& record, Hashes& to) {
  constexpr size_t kWords = 3;
  absl::InlinedVector<const NameToken*, 8> words;
  for (const NameToken& token : record.tokens) {
    if (token.kind == TokenKind::kOwn) words.push_back(&token);
  }
  std::stable_sort(words.begin(), words.end(),
                   [](const NameToken* a, const NameToken* b) { return a->bits > b->bits; });
  if (words.size() > kWords) words.resize(kWords);
  for (const NameToken* word : words) {
    Add(kWord, word->meaning, to);
    // Short words sound like too many others.
    if (word->han == 0 && word->text.size() >= 6) Add(kSound, HashText(SoundCode(word->text)), to);
  }
}

void AcronymKeys(const Prepared& record, Hashes& to) {
  constexpr size_t kLettersLeast = 3, kLettersMost = 6;
  std::string letters;
  string_view only;
  for (const NameToken& token : record.tokens) {
    if (token.kind == TokenKind::kStop || token.kind == TokenKind::kAside) continue;
    letters.push_back(token.text[0]);
    only = token.text;
  }
  const string_view key = letters.size() == 1 ? only : string_view(letters);
  if (key.size() >= kLettersLeast && key.size() <= kLettersMost) {
    Add(kInitialLetters, HashText(key), to);
  }
}

void CompanyKeys(const Prepared& record, Hashes& to) {
  Add(kCore, record.core, to);
  WordKeys(record, to);
  AcronymKeys(record, to);
  PlaceKeys(record, to);
}

// By what a block or the whole list is laid out.
bool NameBefore(const Prepared& a, const Prepared& b) {
  if (a.compact != b.compact) return a.compact < b.compact;
  if (a.surname != b.surname) return a.surname < b.surname;
  if (a.given != b.given) return a.given < b.given;
  if (a.phone != b.phone) return a.phone < b.phone;
  if (a.birth != b.birth) return a.birth < b.birth;
  return a.street1 < b.street1;
}

bool BackwardsBefore(string_view a, string_view b) {
  return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}

string_view NameOf(const Prepared& record) {
  return record.compact.empty() ? record.surname : record.compact;
}

}  // namespace

Blocking::Blocking(const PreparedList& records, int threads) {
  const size_t n = records.size();
  const bool people = records.kind() == Kind::kPerson;
  std::vector<std::vector<Key>> pieces(PieceCount(n, kPiece));
  InPieces(n, threads, kPiece, [&](size_t begin, size_t end, size_t piece) {
    Hashes hashes;
    for (size_t i = begin; i < end; ++i) {
      hashes.clear();
      people ? PersonKeys(records[i], hashes) : CompanyKeys(records[i], hashes);
      std::sort(hashes.begin(), hashes.end());
      hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
      for (const uint64_t hash : hashes) pieces[piece].push_back({hash, static_cast<uint32_t>(i)});
    }
  });
  std::vector<Key> keys;
  for (std::vector<Key>& piece : pieces) {
    keys.insert(keys.end(), piece.begin(), piece.end());
    std::vector<Key>().swap(piece);
  }
  std::vector<uint32_t> forwards(n), backwards;
  std::iota(forwards.begin(), forwards.end(), 0);
  backwards = forwards;
  InPieces(3, threads, 1, [&](size_t job, size_t, size_t) {
    if (job == 0) {
      std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
        return a.hash != b.hash ? a.hash < b.hash : a.record < b.record;
      });
    } else if (job == 1) {
      std::stable_sort(forwards.begin(), forwards.end(),
                       [&](uint32_t a, uint32_t b) { return NameBefore(records[a], records[b]); });
    } else {
      std::stable_sort(backwards.begin(), backwards.end(), [&](uint32_t a, uint32_t b) {
        return BackwardsBefore(NameOf(records[a]), NameOf(records[b]));
      });
    }
  });
  AddBlocks(records, keys);
  std::vector<Key>().swap(keys);
  AddOrder(std::move(forwards), kOrderWindow);
  AddOrder(std::move(backwards), kOrderWindow);
  IndexPlaces(n);
}

void Blocking::AddBlocks(const PreparedList& records, std::vector<Key>& keys) {
  for (size_t begin = 0; begin < keys.size();) {
    size_t end = begin + 1;
    while (end < keys.size() && keys[end].hash == keys[begin].hash) ++end;
    const size_t size = end - begin;
    if (size >= 2) ++blocks_;
    if (size >= 2 && size <= kBlockMost) {
      const auto reach = static_cast<uint32_t>(places_.size() + size);
      for (size_t i = begin; i < end; ++i) places_.push_back({keys[i].record, reach});
    } else if (size > kBlockMost) {
      ++blocks_cut_;
      std::vector<uint32_t> order;
      for (size_t i = begin; i < end; ++i) order.push_back(keys[i].record);
      std::stable_sort(order.begin(), order.end(),
                       [&](uint32_t a, uint32_t b) { return NameBefore(records[a], records[b]); });
      AddOrder(std::move(order), kCutWindow);
    }
    begin = end;
  }
}

void Blocking::AddOrder(std::vector<uint32_t> order, uint32_t window) {
  const auto end = static_cast<uint32_t>(places_.size() + order.size());
  for (const uint32_t record : order) {
    const auto at = static_cast<uint32_t>(places_.size());
    places_.push_back({record, std::min(end, at + 1 + window)});
  }
}

void Blocking::IndexPlaces(size_t records) {
  first_.assign(records + 1, 0);
  for (const Place& place : places_) ++first_[place.record + 1];
  for (size_t i = 0; i < records; ++i) first_[i + 1] += first_[i];
  by_record_.resize(places_.size());
  std::vector<uint32_t> next(first_.begin(), first_.end() - 1);
  for (uint32_t at = 0; at < places_.size(); ++at) by_record_[next[places_[at].record]++] = at;
}

void Blocking::Candidates(uint32_t record, std::vector<uint32_t>& out) const {
  const size_t before = out.size();
  for (uint32_t i = first_[record]; i < first_[record + 1]; ++i) {
    const uint32_t at = by_record_[i];
    for (uint32_t j = at + 1; j < places_[at].reach; ++j) {
      if (places_[j].record != record) out.push_back(places_[j].record);
    }
  }
  std::sort(out.begin() + static_cast<ptrdiff_t>(before), out.end());
  out.erase(std::unique(out.begin() + static_cast<ptrdiff_t>(before), out.end()), out.end());
}

}  // namespace outpace::match
