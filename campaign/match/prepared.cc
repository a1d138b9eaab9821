#include "campaign/match/prepared.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "campaign/match/field_text.h"
#include "campaign/match/parallel.h"
#include "campaign/match/text_words.h"
#include "campaign/match/vocabulary.h"

namespace outpace::match {
namespace {

constexpr size_t kPiece = 4096;

// Shares are taken from the list, as if `kPrior` more records with the usual share stood in it: a
// list of three says nothing about how common a name is.
constexpr double kPriorRecords = 1000;

// Bits of a value that `count` of `n` records have. The pair itself is not counted.
float SharedBits(uint32_t count, size_t n, double usual_share, double most) {
  const double others = count > 2 ? count - 2 : 0;
  const double share =
      (others + kPriorRecords * usual_share) / (static_cast<double>(n) + kPriorRecords);
  return static_cast<float>(std::clamp(-std::log2(share), 0.0, most));
}

// Bits of a name's word before the list is looked at.
double UsualBits(const NameToken& token, bool has_own) {
  switch (token.kind) {
    case TokenKind::kTrade:
      return has_own ? 3 : 5;
    case TokenKind::kInitials:
      return 1.5;
    case TokenKind::kAside:
      return 3;
    case TokenKind::kStop:
      return 0.3;
    case TokenKind::kOwn:
      break;
  }
  if (token.han != 0) return token.han_chars <= 1 ? 5 : token.han_chars == 2 ? 10 : 12;
  if (token.number) return 8;
  switch (token.text.size()) {
    case 1:
      return 2;
    case 2:
      return 6;
    case 3:
      return 9;
    default:
      return 11;
  }
}

}  // namespace

class PreparedList::Arena {
 public:
  absl::string_view Keep(absl::string_view text) {
    if (text.empty()) return {};
    if (text.size() > left_) {
      left_ = std::max(kBlock, text.size());
      blocks_.push_back(std::make_unique<char[]>(left_));
      at_ = blocks_.back().get();
    }
    std::memcpy(at_, text.data(), text.size());
    const absl::string_view kept(at_, text.size());
    at_ += text.size();
    left_ -= text.size();
    return kept;
  }
  std::deque<std::vector<NameToken>> tokens;  // one a piece of work, sized beforehand

 private:
  static constexpr size_t kBlock = 64 * 1024;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  size_t left_ = 0;
};

PreparedList::PreparedList(absl::Span<const Record> records, Kind kind, int threads)
    : kind_(kind), records_(records.size()), arenas_(PieceCount(records.size(), kPiece)) {
  InPieces(records.size(), threads, kPiece, [&](size_t begin, size_t end, size_t piece) {
    arenas_[piece] = std::make_unique<Arena>();
    for (size_t i = begin; i < end; ++i) Prepare(records[i], records_[i], *arenas_[piece]);
  });
  WeighFields(threads);
  if (kind_ == Kind::kCompany) WeighTokens(threads);
}

PreparedList::~PreparedList() = default;

void PreparedList::Prepare(const Record& from, Prepared& to, Arena& arena) const {
  Street one = ParseStreet(from.street_number, from.address1);
  Street two = ParseStreet("", from.address2);
  to.house = arena.Keep(one.number);
  to.street1 = arena.Keep(one.text);
  to.street2 = arena.Keep(two.number + two.text);
  to.city = arena.Keep(CityKey(from.city));
  to.state = arena.Keep(PlainKey(from.state));
  to.postal = arena.Keep(PlainKey(from.postal_code));
  to.email = arena.Keep(absl::AsciiStrToLower(absl::StripAsciiWhitespace(from.email)));
  to.vendor = arena.Keep(PlainKey(from.vendor_code));
  to.phone = PhoneKey(from.phone);
  PreparePerson(from, to, arena);
  if (kind_ == Kind::kCompany) {
    PrepareCompany(from, to, arena);
  } else if (!from.company.empty()) {
    to.work = arena.Keep(CompanyCore(from.company));
  }
}

// Of a company: whom to ask for there.
void PreparedList::PreparePerson(const Record& from, Prepared& to, Arena& arena) const {
  if (kind_ == Kind::kCompany && from.first_name.empty() && from.last_name.empty()) return;
  const PersonName name = ParsePersonName(from.first_name, from.last_name);
  to.given = arena.Keep(name.given);
  to.given_first = arena.Keep(name.given_first);
  to.surname = arena.Keep(name.surname);
  to.given_han = arena.Keep(name.given_han);
  to.surname_han = arena.Keep(name.surname_han);
  to.birth = DateKey(from.date_of_birth);
}

void PreparedList::PrepareCompany(const Record& from, Prepared& to, Arena& arena) const {
  const CompanyName name = ParseCompanyName(from.company);
  std::vector<NameToken> tokens;
  tokens.reserve(name.tokens.size());
  std::string compact;
  for (const CoreToken& token : name.tokens) {
    NameToken made;
    made.text = arena.Keep(token.text);
    made.meaning = HashText(token.meaning);
    made.han = HashText(token.han);
    made.han_chars = static_cast<uint8_t>(std::min<size_t>(255, CharCount(token.han)));
    made.kind = token.kind;
    made.number = token.text.find_first_not_of("0123456789") == std::string::npos;
    to.has_own = to.has_own || token.kind == TokenKind::kOwn;
    if (token.kind != TokenKind::kAside && token.kind != TokenKind::kStop) {
      compact += token.text;
      to.core += MixHash(made.meaning, 1);
    }
    tokens.push_back(made);
  }
  to.compact = arena.Keep(compact);
  for (size_t i = 0; i < name.places.size() && i < 3; ++i) to.places[i] = name.places[i];
  to.branch = HashText(name.branch);
  if (tokens.empty()) return;
  arena.tokens.push_back(std::move(tokens));
  to.tokens = arena.tokens.back();
}

void PreparedList::WeighFields(int threads) {
  struct Field {
    absl::string_view Prepared::*text;
    float Prepared::*bits;
    double usual_share, most;
  };
  static constexpr double kRare = 1e-5;
  static const Field kFields[] = {{&Prepared::given, &Prepared::given_bits, 0.003, 11},
                                  {&Prepared::house, &Prepared::house_bits, 0.02, 8},
                                  {&Prepared::street1, &Prepared::street_bits, 0.0002, 12},
                                  {&Prepared::street2, &Prepared::street2_bits, 0.001, 11},
                                  {&Prepared::city, &Prepared::city_bits, 0.003, 10},
                                  {&Prepared::state, &Prepared::state_bits, 0.1, 4},
                                  {&Prepared::postal, &Prepared::postal_bits, 0.0005, 11},
                                  {&Prepared::email, &Prepared::email_bits, kRare, 16},
                                  {&Prepared::vendor, &Prepared::vendor_bits, 0.001, 8},
                                  {&Prepared::surname, &Prepared::surname_bits, 0, 12}};
  const size_t fields = std::size(kFields);
  // One field a piece: the counting is the work, and each field's map is its own.
  InPieces(fields + 2, threads, 1, [&](size_t begin, size_t, size_t) {
    absl::flat_hash_map<uint64_t, uint32_t> counts;
    const auto key_of = [&](const Prepared& record) -> uint64_t {
      if (begin < fields) return HashText(record.*kFields[begin].text);
      return begin == fields ? record.phone : record.birth;
    };
    for (const Prepared& record : records_) {
      if (const uint64_t key = key_of(record); key != 0) ++counts[key];
    }
    if (counts.empty()) return;
    for (Prepared& record : records_) {
      const uint64_t key = key_of(record);
      if (key == 0) continue;
      const uint32_t count = counts[key];
      if (begin == fields) {
        record.phone_bits = SharedBits(count, records_.size(), kRare, 16);
      } else if (begin == fields + 1) {
        record.birth_bits = SharedBits(count, records_.size(), 0.00005, 14);
      } else {
        const Field& field = kFields[begin];
        const double usual =
            field.usual_share > 0 ? field.usual_share : SurnameShareOf(record.*field.text);
        record.*field.bits = SharedBits(count, records_.size(), usual, field.most);
      }
    }
  });
}

// A word is common when many different names have it behind their first word. How often it begins a
// name says nothing: that may be one company written in a hundred ways.
void PreparedList::WeighTokens(int threads) {
  std::vector<std::pair<uint64_t, uint64_t>> seen;  // word, first word of its name
  std::vector<uint64_t> firsts;
  for (const Prepared& record : records_) {
    if (record.tokens.empty()) continue;
    const uint64_t first = record.tokens[0].meaning;
    firsts.push_back(first);
    for (const NameToken& token : record.tokens.subspan(1)) {
      if (token.kind == TokenKind::kOwn) seen.emplace_back(token.meaning, first);
    }
  }
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  std::sort(firsts.begin(), firsts.end());
  firsts.erase(std::unique(firsts.begin(), firsts.end()), firsts.end());
  absl::flat_hash_map<uint64_t, uint32_t> names;
  for (const auto& [word, first] : seen) ++names[word];
  InPieces(arenas_.size(), threads, 1, [&](size_t begin, size_t, size_t) {
    for (std::vector<NameToken>& tokens : arenas_[begin]->tokens) {
      const bool has_own = std::any_of(tokens.begin(), tokens.end(), [](const NameToken& token) {
        return token.kind == TokenKind::kOwn;
      });
      for (NameToken& token : tokens) {
        const double usual = UsualBits(token, has_own);
        token.bits = static_cast<float>(usual);
        if (token.kind != TokenKind::kOwn) continue;
        const auto found = names.find(token.meaning);
        if (found == names.end()) continue;
        token.bits = std::min(
            token.bits, SharedBits(found->second + 2, firsts.size(), std::exp2(-usual), usual));
      }
    }
  });
}

}  // namespace outpace::match
