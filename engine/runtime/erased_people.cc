#include "engine/runtime/erased_people.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engine/runtime/password.h"

namespace outpace::runtime {
namespace {

// Named values of the store: the key, and all hashes, in hexadecimal.
constexpr char kKeyName[] = "erased.key";
constexpr char kHashesName[] = "erased.people";
constexpr size_t kHashBytes = 16;

// `text` as octets; false when it is no hexadecimal of a whole number of hashes.
bool FromHex(absl::string_view text, std::string& octets) {
  constexpr char kDigits[] = "0123456789abcdef";
  if (text.size() % (2 * kHashBytes) != 0 ||
      text.find_first_not_of(kDigits) != absl::string_view::npos) {
    return false;
  }
  octets = absl::HexStringToBytes(text);
  return true;
}

}  // namespace

void ErasedPeople::PutInto(dnc::DncSet& set) const {
  if (has_key) set.SetHashKey(key);
  for (const std::string& hash : hashes) set.AddErased(hash);
}

absl::StatusOr<ErasedPeople> ReadErasedPeople(const campaign::LeadStore& store) {
  ErasedPeople people;
  const absl::Status damaged =
      absl::DataLossError("the erased people of the store cannot be read; restore a backup");
  auto key = store.GetMeta(kKeyName);
  if (!key.ok()) return key.status();
  auto hashes = store.GetMeta(kHashesName);
  if (!hashes.ok()) return hashes.status();
  std::string octets;
  if (key->has_value()) {
    if (!FromHex(**key, octets) || octets.size() != people.key.size()) return damaged;
    std::memcpy(people.key.data(), octets.data(), octets.size());
    people.has_key = true;
  }
  if (!hashes->has_value()) return people;
  if (!people.has_key || !FromHex(**hashes, octets)) return damaged;
  for (size_t at = 0; at < octets.size(); at += kHashBytes) {
    people.hashes.push_back(octets.substr(at, kHashBytes));
  }
  return people;
}

absl::StatusOr<ErasedPeople> AddErasedPerson(campaign::LeadStore& store, E164 phone) {
  auto people = ReadErasedPeople(store);
  if (!people.ok()) return people;
  if (!people->has_key) {
    for (size_t i = 0; i < people->key.size(); i += sizeof(uint64_t)) {
      const uint64_t random = SecureRandom64();
      std::memcpy(people->key.data() + i, &random, sizeof(random));
    }
    people->has_key = true;
  }
  dnc::DncSet set;
  set.SetHashKey(people->key);
  const std::string hash = set.ErasedHash(phone);
  if (std::find(people->hashes.begin(), people->hashes.end(), hash) != people->hashes.end()) {
    return people;
  }
  people->hashes.push_back(hash);
  std::string all;
  for (const std::string& one : people->hashes) absl::StrAppend(&all, absl::BytesToHexString(one));
  campaign::StoreBatch batch;
  batch.meta[kKeyName] = absl::BytesToHexString(
      {reinterpret_cast<const char*>(people->key.data()), people->key.size()});
  batch.meta[kHashesName] = all;
  if (absl::Status s = store.Commit(batch); !s.ok()) return s;
  return people;
}

}  // namespace outpace::runtime
