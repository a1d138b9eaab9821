#pragma once

// What is known of a lead before its next attempt, as a list of slots of a table of weights
// ("hashing trick", Weinberger et al., ICML 2009): memory is bounded whatever columns and values a
// list has, and nothing has to be declared. There are three groups:
//
//   single  one fact each: a text field's value, the bin of a number, the number's standing among
//           the leads tried lately, attempt number, hour, weekday, last status, caller ID, list;
//   cross   each pair of the first singles;
//   alike   what became of the leads of the same profile lately (look_alikes.h).
//
// The maker is told of each attempt once it is over: standings and look-alikes are its state. It
// never looks at outcomes of the lead it describes.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "campaign/tier/bytes.h"
#include "campaign/tier/look_alikes.h"

namespace outpace::tier {

struct LeadField {
  absl::string_view name;
  absl::string_view value;  // empty: not told, no feature
};

// Borrowed for the length of one call. Times of day are the lead's local ones.
struct LeadView {
  absl::Span<const LeadField> fields = {};  // those beyond kFieldsMax are not looked at
  int attempt = 0;                          // 1 for the first; 0: not told
  int hour = -1;                            // 0..23; -1: not told
  int weekday = -1;                         // 0 Monday .. 6; -1: not told
  absl::string_view last_status = {};       // of the lead's attempt before, "" for none
  absl::string_view caller_id = {};
  absl::string_view list = {};
};
inline constexpr int kFieldsMax = 40;

struct FeatureSettings {
  int slot_bits = 18;     // 2^slot_bits weights a learner; 8..24
  int cross_max = 16;     // singles that are crossed with each other; 0..20
  double standing = 400;  // attempts over which a number's running mean reaches back; >= 2
  // Fields that make two leads alike, as a company's name and address do. Empty: none are.
  std::vector<std::string> profile = {};
  // Fields that are names though they look like numbers (codes of places, of products).
  std::vector<std::string> names = {};
};

// The slots of one lead. Fixed size: making and reading it allocates nothing.
struct FeatureList {
  static constexpr int kMax = 320;
  int singles = 0;  // [0, singles)
  int crosses = 0;  // [singles, crosses)
  int size = 0;     // [crosses, size): look-alikes
  std::array<uint32_t, kMax> slot;
  std::array<uint8_t, kMax> first, second;  // which facts: for FeatureMaker::Name
};

class FeatureMaker {
 public:
  explicit FeatureMaker(FeatureSettings settings);

  void Make(const LeadView& lead, FeatureList* out) const;
  // After the attempt on `lead` ended so. Once an attempt.
  void Learn(const LeadView& lead, bool contact, bool success);
  // Feature `index` of `list`, which was made from `lead`, in words: "job=retired",
  // "age: high for lately", "job=retired + contact=cellular".
  std::string Name(const LeadView& lead, const FeatureList& list, int index) const;

  void Save(ByteWriter* out) const;
  bool Load(ByteReader* in);  // false: damaged; the maker is then as good as new
  const FeatureSettings& settings() const { return settings_; }

 private:
  // A number's running mean and variance over the attempts before, exponentially weighted.
  struct Standing {
    uint64_t name = 0;
    uint32_t seen = 0;
    double mean = 0, variance = 0;
  };
  static constexpr size_t kStandingsMax = 32;  // number fields beyond have no standing
  struct Fact {
    uint64_t hash = 0;
    uint8_t kind = 0;
    uint8_t field = 0;
    int16_t bin = 0;
  };
  struct Facts;

  void Gather(const LeadView& lead, Facts* facts) const;
  void AddNumber(uint64_t name, double value, uint8_t field, Facts* facts) const;
  void AddAlike(const LeadView& lead, FeatureList* out) const;
  bool IsName(uint64_t hash) const;
  bool ProfileOf(const LeadView& lead, uint64_t* profile, uint64_t* rest) const;
  const Standing* Find(uint64_t name) const;
  void LearnNumber(uint64_t name, double value);
  std::string FactName(const LeadView& lead, const Fact& fact) const;
  uint32_t SlotOf(uint64_t hash) const { return static_cast<uint32_t>(hash >> shift_); }

  FeatureSettings settings_;
  int shift_;
  std::vector<uint64_t> profile_, names_;
  std::vector<Standing> standings_;
  LookAlikes alikes_;
};

}  // namespace outpace::tier
