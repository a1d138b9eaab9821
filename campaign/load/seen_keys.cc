#include "campaign/load/seen_keys.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/string_view.h"
#include "engine/base/check.h"

namespace outpace::load {
namespace {

constexpr uint64_t kFilterKeysMax = uint64_t{128} << 20;
constexpr uint64_t kBucketsMax = 64 * 1024;  // with a page of 1.5 KiB each: 96 MiB
constexpr size_t kOutboxPages = 256;         // written at once
constexpr size_t kPrefetchAhead = 16;

// Odd constants of the split block filter: one bit of each word by a multiplication.
constexpr uint32_t kSalt[8] = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                               0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};

// splitmix64's finish: every bit of the key reaches every bit of the hash.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

bool SameKey(const SeenKey& a, const SeenKey& b) {
  return a.number == b.number && a.text == b.text;
}

}  // namespace

KeyFilter::KeyFilter(uint64_t keys)
    : blocks_(static_cast<size_t>(std::min(keys, kFilterKeysMax) / 16 + 1)) {}

uint64_t KeyFilter::HashOf(uint64_t number, uint64_t text) {
  return Mix(number + 0x9e3779b97f4a7c15u + text * 0xd6e8feb86659fd93u);
}

void KeyFilter::Add(uint64_t hash) {
  auto& block = const_cast<Block&>(BlockOf(hash));
  for (int i = 0; i < 8; ++i) {
    block.words[i] |= 1u << ((static_cast<uint32_t>(hash) * kSalt[i]) >> 27);
  }
}

bool KeyFilter::MayHold(uint64_t hash) const {
  const Block& block = BlockOf(hash);
  uint32_t missing = 0;
  for (int i = 0; i < 8; ++i) {
    missing |= ~block.words[i] & 1u << ((static_cast<uint32_t>(hash) * kSalt[i]) >> 27);
  }
  return missing == 0;
}

SeenKeys::SeenKeys(uint64_t rows, std::string directory)
    : filter_(rows),
      buckets_(static_cast<size_t>(std::min(rows / kPageKeys + 1, kBucketsMax))),
      directory_(std::move(directory)) {}

SeenKeys::~SeenKeys() = default;

absl::Status SeenKeys::Find(const SeenKey& key, const Bucket& bucket, uint64_t& line) const {
  line = 0;
  std::array<SeenKey, kPageKeys> page;
  const auto in = [&](absl::Span<const SeenKey> keys) {
    const auto at = std::find_if(keys.begin(), keys.end(),
                                 [&](const SeenKey& other) { return SameKey(key, other); });
    if (at != keys.end()) line = at->line;
    return at != keys.end();
  };
  const uint32_t first_in_outbox = pages_ - static_cast<uint32_t>(outbox_.size() / kPageKeys);
  for (const uint32_t number : bucket.pages) {
    if (number >= first_in_outbox) {
      const size_t at = (number - first_in_outbox) * kPageKeys;
      if (in(absl::MakeConstSpan(outbox_).subspan(at, kPageKeys))) return absl::OkStatus();
      continue;
    }
    const absl::StatusOr<size_t> got =
        file_->Read(uint64_t{number} * sizeof(page),
                    absl::MakeSpan(reinterpret_cast<char*>(page.data()), sizeof(page)));
    if (!got.ok()) return got.status();
    OUTPACE_CHECK(*got == sizeof(page));
    if (in(page)) return absl::OkStatus();
  }
  in(bucket.latest);
  return absl::OkStatus();
}

absl::Status SeenKeys::Spill(Bucket& bucket) {
  outbox_.insert(outbox_.end(), bucket.latest.begin(), bucket.latest.end());
  bucket.pages.push_back(pages_++);
  bucket.latest.clear();
  if (outbox_.size() < kOutboxPages * kPageKeys) return absl::OkStatus();
  if (file_ == nullptr) {
    absl::StatusOr<std::unique_ptr<TempFile>> made = TempFile::Make(directory_);
    if (!made.ok()) return made.status();
    file_ = *std::move(made);
  }
  file_->Append(absl::string_view(reinterpret_cast<const char*>(outbox_.data()),
                                  outbox_.size() * sizeof(SeenKey)));
  if (absl::Status status = file_->Finish(); !status.ok()) return status;
  outbox_.clear();
  return absl::OkStatus();
}

absl::Status SeenKeys::CheckAndAdd(absl::Span<const SeenKey> keys, std::vector<uint64_t>& earlier) {
  earlier.assign(keys.size(), 0);
  hashes_.resize(keys.size());
  const auto bucket_of = [&](uint64_t hash) -> Bucket& {
    return buckets_[static_cast<size_t>((hash & 0xffffffff) * buckets_.size() >> 32)];
  };
  for (size_t i = 0; i < keys.size(); ++i) {
    hashes_[i] = KeyFilter::HashOf(keys[i].number, keys[i].text);
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i + kPrefetchAhead < keys.size()) {
      filter_.Prefetch(hashes_[i + kPrefetchAhead]);
      __builtin_prefetch(&bucket_of(hashes_[i + kPrefetchAhead]), 1);
    }
    Bucket& bucket = bucket_of(hashes_[i]);
    if (filter_.MayHold(hashes_[i])) {
      if (absl::Status status = Find(keys[i], bucket, earlier[i]); !status.ok()) return status;
      if (earlier[i] != 0) continue;
    }
    filter_.Add(hashes_[i]);
    if (bucket.latest.capacity() == 0 && buckets_.size() == kBucketsMax) {
      bucket.latest.reserve(kPageKeys);
    }
    bucket.latest.push_back(keys[i]);
    if (bucket.latest.size() == kPageKeys) {
      if (absl::Status status = Spill(bucket); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace outpace::load
