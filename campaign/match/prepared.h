#pragma once

// Records made ready to be compared: every field folded once, so that comparing a pair touches no
// table, and beside each value what it says when two records share it, in bits: a shared "Wang"
// says little, a shared "Xylander" much.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "campaign/match/company_name.h"
#include "campaign/match/match.h"

namespace outpace::match {

struct NameToken {
  absl::string_view text;
  uint64_t meaning = 0;  // hash; tokens with the same meaning are the same
  uint64_t han = 0;      // hash of the Chinese characters; 0: it was written in Latin letters
  uint8_t han_chars = 0;
  bool number = false;
  TokenKind kind = TokenKind::kOwn;
  float bits = 0;  // what it says when both names have it
};

// Texts live in the PreparedList.
struct Prepared {
  // A person.
  absl::string_view given, given_first, surname;  // Latin letters
  absl::string_view given_han, surname_han;
  absl::string_view work;  // core of the company the person works at
  uint32_t birth = 0;      // DateKey
  // A company.
  absl::Span<const NameToken> tokens;
  absl::string_view compact;  // all tokens but asides and stop words together
  uint64_t core = 0;          // hash of the meanings, whatever their order
  uint16_t places[3] = {0, 0, 0};
  uint64_t branch = 0;  // hash; 0: none
  bool has_own = false;
  // Both.
  absl::string_view house, street1, street2, city, state, postal, email, vendor;
  uint64_t phone = 0;  // PhoneKey
  // Bits of a shared value.
  float given_bits = 0, surname_bits = 0, birth_bits = 0, house_bits = 0, street_bits = 0,
        street2_bits = 0, city_bits = 0, state_bits = 0, postal_bits = 0, phone_bits = 0,
        email_bits = 0, vendor_bits = 0;
};

class PreparedList {
 public:
  // The records may go afterwards. `threads` changes nothing but the time.
  PreparedList(absl::Span<const Record> records, Kind kind, int threads);
  ~PreparedList();
  size_t size() const { return records_.size(); }
  const Prepared& operator[](size_t i) const { return records_[i]; }
  Kind kind() const { return kind_; }

 private:
  class Arena;
  void Prepare(const Record& from, Prepared& to, Arena& arena) const;
  void PreparePerson(const Record& from, Prepared& to, Arena& arena) const;
  void PrepareCompany(const Record& from, Prepared& to, Arena& arena) const;
  void WeighFields(int threads);
  void WeighTokens(int threads);

  const Kind kind_;
  std::vector<Prepared> records_;
  std::vector<std::unique_ptr<Arena>> arenas_;  // of the pieces
};

}  // namespace outpace::match
