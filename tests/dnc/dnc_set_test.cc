#include "dnc/dnc_set.h"

#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"
#include "gtest/gtest.h"

namespace outpace::dnc {
namespace {

TEST(DncSet, SystemAndCampaignsAreApart) {
  DncSet set;
  const E164 a(12025550100), b(12025550101);
  set.Add(a, "");
  set.Add(b, "ONE");
  EXPECT_EQ(set.Match(a, "ONE"), DncMatch::kSystem);
  EXPECT_EQ(set.Match(a, "TWO"), DncMatch::kSystem);
  EXPECT_EQ(set.Match(b, "ONE"), DncMatch::kCampaign);
  EXPECT_EQ(set.Match(b, "TWO"), DncMatch::kNone);
  set.Add(a, "ONE");
  set.Remove(a, "");
  EXPECT_EQ(set.Match(a, "ONE"), DncMatch::kCampaign) << "one removal, one entry";
  EXPECT_TRUE(set.Has(a, CampaignScope("ONE")));
  EXPECT_FALSE(set.Has(a, DncScope()));
  set.Remove(b, "TWO");
  EXPECT_EQ(set.size(), 2u);
}

// Who asks decides which lists count; what is found is told with the list and the range it is from.
TEST(DncSet, EveryScopeBindsWhomItMust) {
  const E164 phone(12025550100);
  const DncScope litigator{DncLevel::kLitigator, ""}, florida{DncLevel::kState, "FL"},
      client{DncLevel::kClient, "ACME"}, campaign{DncLevel::kCampaign, "ONE"};
  DncSet set;
  const auto found = [&](const DncAsker& asker) {
    std::string out;
    for (const DncHit& hit : set.Find(phone, asker)) {
      absl::StrAppend(&out, DncReason(hit.match), "/", hit.list,
                      hit.range.digits == 0 ? "" : hit.range.ToString(), ";");
    }
    return out;
  };
  const DncAsker all{.campaign = "ONE", .client = "ACME"};
  EXPECT_EQ(found(all), "");
  for (const DncScope& scope : {DncScope(), litigator, florida, client, campaign}) {
    set.Add(phone, scope);
  }
  EXPECT_EQ(found(all),
            "on the system-wide do-not-call list/;on the list of litigators/;"
            "on a state's do-not-call list/FL;on the client's do-not-call list/ACME;"
            "on the campaign's do-not-call list/ONE;");
  EXPECT_EQ(found({.campaign = "TWO", .client = "OTHER", .use_system = false}),
            "on a state's do-not-call list/FL;");
  EXPECT_EQ(found({.campaign = "ONE",
                   .client = "ACME",
                   .use_system = false,
                   .use_campaign = false,
                   .use_registries = false}),
            "");
  for (const DncScope& scope : {DncScope(), litigator, florida, client, campaign}) {
    EXPECT_TRUE(set.Has(phone, scope));
    set.Remove(phone, scope);
    EXPECT_FALSE(set.Has(phone, scope));
  }
  EXPECT_EQ(set.size(), 0u);
  set.AddRange({1202}, client);
  set.AddRange({1'202'555}, client);
  EXPECT_EQ(found(all), "on the client's do-not-call list/ACME+1202555*;");
  set.RemoveRange({1'202'555}, client);
  EXPECT_EQ(found(all), "on the client's do-not-call list/ACME+1202*;");
  set.RemoveRange({1202}, client);
  EXPECT_EQ(set.size(), 0u);
}

TEST(DncSet, EntriesEndWhenTheySay) {
  const E164 phone(12025550100);
  const absl::Time end = absl::FromUnixSeconds(1'800'000'000);
  DncSet set;
  set.Add(phone, DncScope(), end);
  const auto listed = [&](absl::Time now) { return !set.Find(phone, {.now = now}).empty(); };
  EXPECT_TRUE(listed(end - absl::Nanoseconds(1)));
  EXPECT_FALSE(listed(end));
  set.Add(phone, DncScope(), end - absl::Hours(1));
  EXPECT_TRUE(listed(end - absl::Nanoseconds(1))) << "the later end counts";
  set.Add(phone, DncScope());
  EXPECT_TRUE(listed(end)) << "for good now";
  set.Add(phone, DncScope(), end);
  EXPECT_TRUE(listed(end)) << "for good stays so";
  set.Remove(phone, DncScope());
  set.AddRange({1'202'555}, DncScope(), end);
  set.AddRange({1202}, DncScope());
  EXPECT_EQ(set.Find(phone, {.now = end}).at(0).range, (Prefix{1202}));
  set.RemoveRange({1202}, DncScope());
  EXPECT_FALSE(listed(end));
}

// Whoever stood in until a day and is then taken in with many for good does not fall out that day.
TEST(DncSet, AddManyIsForGood) {
  DncSet set;
  const absl::Time until = absl::FromUnixSeconds(1'800'000'000);
  const E164 phone(12025550100);
  set.Add(phone, DncScope{}, until);
  set.AddMany({12025550100, 12025550101}, "");
  EXPECT_FALSE(set.Find(phone, {.now = until + absl::Hours(1)}).empty());
}

TEST(DncScope, ReadsWhatItWrites) {
  for (const char* text : {"system", "litigator", "state:FL", "client:ACME", "campaign:DEMO"}) {
    const auto scope = DncScope::Parse(text);
    ASSERT_TRUE(scope.ok()) << text;
    EXPECT_EQ(scope->ToString(), text);
  }
  for (const char* text : {"", "state", "state:", "system:X", "campaign", "list"}) {
    EXPECT_FALSE(DncScope::Parse(text).ok()) << text;
  }
}

TEST(DncSet, AddManyAddsToOneSet) {
  DncSet set;
  set.AddMany({12025550101, 12025550100, 12025550101}, "");
  set.AddMany({12025550102}, "ONE");
  set.AddMany({}, "TWO");
  EXPECT_EQ(set.size(), 3u);
  EXPECT_EQ(set.Match(E164(12025550100), "ONE"), DncMatch::kSystem);
  EXPECT_EQ(set.Match(E164(12025550102), "ONE"), DncMatch::kCampaign);
  EXPECT_EQ(set.Match(E164(12025550102), "TWO"), DncMatch::kNone);
  EXPECT_GT(set.BytesUsed(), 0u);
}

// The reference code's vectors: key 00 01 .. 0f, input 00 01 .. of each length.
TEST(SipHash128, GivesTheReferenceVectors) {
  HashKey key;
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<uint8_t>(i);
  const auto hash = [&](size_t length) {
    std::string input;
    for (size_t i = 0; i < length; ++i) input += static_cast<char>(i);
    return SipHash128(key, input);
  };
  EXPECT_EQ(hash(0), absl::MakeUint128(0x930255c71472f66d, 0xe6a825ba047f81a3));
  EXPECT_EQ(hash(8), absl::MakeUint128(0xb49714f364e2830f, 0x61f55862baa9623b));
}

TEST(DncSet, AnErasedPersonIsKnownByTheHashAlone) {
  HashKey key{};
  key[0] = 7;
  const E164 gone(12025550100), other(12025550101);
  std::string hash;
  {
    DncSet set;
    set.SetHashKey(key);
    hash = set.ErasedHash(gone);
    EXPECT_EQ(set.Match(gone, "ONE"), DncMatch::kNone);
  }
  ASSERT_EQ(hash.size(), 16u);
  DncSet set;
  set.SetHashKey(key);
  ASSERT_TRUE(set.AddErased(hash));
  EXPECT_FALSE(set.AddErased(hash.substr(1)));
  EXPECT_EQ(set.erased_size(), 1u);
  EXPECT_EQ(set.size(), 1u);
  EXPECT_EQ(set.Match(gone, "ONE"), DncMatch::kErased);
  EXPECT_EQ(set.Match(other, "ONE"), DncMatch::kNone);
  EXPECT_EQ(DncReason(DncMatch::kErased), "erased person");
  EXPECT_TRUE(set.IsErased(gone));
  EXPECT_FALSE(set.Has(gone, DncScope()));
  set.Add(gone, "ONE");
  EXPECT_EQ(set.Match(gone, "ONE"), DncMatch::kErased) << "no campaign calls the person";
  set.Add(gone, "");
  EXPECT_EQ(set.Match(gone, "ONE"), DncMatch::kSystem);
  DncSet stranger;
  ASSERT_TRUE(stranger.AddErased(hash));
  EXPECT_FALSE(stranger.IsErased(gone)) << "under another key the hash says nothing";
}

TEST(DncSet, ACopyIsASnapshot) {
  DncSet set;
  set.Add(E164(12025550100), "");
  set.Add(E164(12025550101), "ONE");
  const DncSet snapshot = set;
  set.Remove(E164(12025550100), "");
  set.Remove(E164(12025550101), "ONE");
  set.Add(E164(12025550102), "");
  EXPECT_TRUE(snapshot.Has(E164(12025550100), DncScope()));
  EXPECT_TRUE(snapshot.Has(E164(12025550101), CampaignScope("ONE")));
  EXPECT_FALSE(snapshot.Has(E164(12025550102), DncScope()));
  EXPECT_EQ(snapshot.size(), 2u);
  EXPECT_EQ(set.size(), 1u);
}

// Against a plain set, over many adds and removals: no false answer either way.
TEST(DncSetProperty, AnswersAsASetDoes) {
  Rng rng(7);
  DncSet set;
  std::map<CampaignId, std::set<uint64_t>> model;
  const CampaignId campaigns[] = {"", "ONE", "TWO"};
  for (int i = 0; i < 20'000; ++i) {
    const CampaignId& campaign = campaigns[rng.Below(3)];
    const E164 phone(12025550000 + rng.Below(500));
    if (rng.Chance(0.5)) {
      set.Add(phone, campaign);
      model[campaign].insert(phone.value());
    } else {
      set.Remove(phone, campaign);
      model[campaign].erase(phone.value());
    }
    const E164 asked(12025550000 + rng.Below(500));
    const DncMatch wanted = model[""].count(asked.value()) > 0      ? DncMatch::kSystem
                            : model["ONE"].count(asked.value()) > 0 ? DncMatch::kCampaign
                                                                    : DncMatch::kNone;
    ASSERT_EQ(set.Match(asked, "ONE"), wanted);
  }
  EXPECT_EQ(set.size(), model[""].size() + model["ONE"].size() + model["TWO"].size());
}

}  // namespace
}  // namespace outpace::dnc
