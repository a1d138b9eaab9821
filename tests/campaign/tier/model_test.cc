#include "campaign/tier/model.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "campaign/tier/hash.h"
#include "engine/base/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::tier {
namespace {

using ::testing::SizeIs;

// A lead with a colour and a size, and what calling it comes to.
struct Lead {
  std::string colour, size;
  std::vector<LeadField> fields;
  LeadView View(int hour = -1) {
    fields = {{"colour", colour}, {"size", size}};
    return {.fields = fields, .attempt = 1, .hour = hour};
  }
};

Lead RandomLead(Rng& rng) {
  static constexpr const char* kColours[] = {"red", "green", "blue"};
  return {.colour = kColours[rng.Below(3)], .size = absl::StrCat(1 + rng.Below(50)), .fields = {}};
}

TEST(Hash, IsTheSameInEveryProcess) {
  // What is on disk was learned under these.
  EXPECT_EQ(HashText("job"), 18171253582370388973u);
  EXPECT_EQ(HashText("education=basic.9y"), 4470228629083350779u);
  EXPECT_EQ(Combine(1, 2), 3497101601492490161u);
}

TEST(TierModel, RanksWhoIsReachedAndBuys) {
  Rng rng(1);
  TierModel model({});
  for (int i = 0; i < 4000; ++i) {
    Lead lead = RandomLead(rng);
    const bool contact = rng.Chance(lead.colour == "red" ? 0.6 : 0.2);
    const bool success = contact && rng.Chance(lead.colour == "blue" ? 0.2 : 0.05);
    model.Learn(lead.View(),
                {.contact = contact, .success = success, .agent_time = absl::Seconds(60)});
  }
  Lead red = {"red", "10", {}}, green = {"green", "10", {}}, blue = {"blue", "10", {}};
  const LeadScore r = model.Score(red.View()), g = model.Score(green.View()),
                  b = model.Score(blue.View());
  EXPECT_NEAR(r.contact, 0.6, 0.12);
  EXPECT_NEAR(g.contact, 0.2, 0.08);
  EXPECT_NEAR(b.success, 0.2, 0.1);
  EXPECT_LT(r.success, 0.12);
  EXPECT_GT(b.per_agent_minute, g.per_agent_minute);
  EXPECT_GT(r.per_agent_minute, g.per_agent_minute);
  EXPECT_EQ(model.attempts(), 4000u);
}

// The success rate climbs from 3 % to 50 % while the list turns from mostly red to mostly blue:
// colour is a perfect clock and says nothing of a lead. A control that learns without a base would
// put every blue lead first.
TEST(TierModel, ACalendarEffectIsNotTakenForALeadEffect) {
  double mean = 0;
  const int seeds = 10;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    Rng rng(seed);
    TierModel model({});
    for (int i = 0; i < 12'000; ++i) {
      const double date = i / 12'000.0;
      Lead lead = RandomLead(rng);
      lead.colour = rng.Chance(0.1 + 0.8 * date) ? "blue" : "red";
      model.Learn(lead.View(), {.contact = true, .success = rng.Chance(0.03 + 0.47 * date)});
    }
    double red = 0, blue = 0;  // over the sizes
    for (int size = 1; size <= 50; ++size) {
      Lead r = {"red", absl::StrCat(size), {}}, b = {"blue", absl::StrCat(size), {}};
      red += model.Score(r.View()).success / 50;
      blue += model.Score(b.View()).success / 50;
    }
    mean += (blue - red) / seeds;
  }
  EXPECT_NEAR(mean, 0, 0.05);
}

// Every lead is of one list and one country: these facts must not become a second base that follows
// the rate, or a lead scored in a good hour would rank above the same lead scored in a bad one.
TEST(TierModel, AGoodHourRaisesNobodysScore) {
  double mean = 0;
  const int seeds = 10;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    Rng rng(seed);
    TierModel model({});
    Lead fixed = {"red", "10", {}};
    double score[2] = {0, 0};
    for (int i = 0; i < 12'000; ++i) {
      Lead lead = RandomLead(rng);
      LeadView view = lead.View();
      view.list = "1";
      const int good = i / 60 % 2;
      model.Learn(view, {.contact = true, .success = rng.Chance(good == 1 ? 0.4 : 0.1)});
      LeadView asked = fixed.View();
      asked.list = "1";
      if (i > 2000 && i % 60 >= 20) score[good] += std::log(model.Score(asked).success);
    }
    mean += (score[1] - score[0]) / (10'000 * 40 / 60 / 2) / seeds;
  }
  EXPECT_NEAR(mean, 0, 0.06);
}

TEST(TierModel, ALeadEffectIsFoundUnderADriftingRate) {
  Rng rng(3);
  TierModel model({});
  int top_success = 0, top = 0, rest_success = 0, rest = 0;
  for (int i = 0; i < 12'000; ++i) {
    Lead lead = RandomLead(rng);
    const double rate = 0.05 + 0.3 * (0.5 + 0.5 * std::sin(i / 500.0));
    const bool success = rng.Chance(lead.colour == "green" ? 1.6 * rate : 0.7 * rate);
    if (i > 2000) {
      Lead other = {lead.colour == "green" ? "red" : "green", lead.size, {}};
      const bool first =
          model.Score(lead.View()).per_agent_minute > model.Score(other.View()).per_agent_minute;
      (first ? top : rest) += 1;
      (first ? top_success : rest_success) += success ? 1 : 0;
    }
    model.Learn(lead.View(), {.contact = true, .success = success});
  }
  EXPECT_GT(static_cast<double>(top_success) / top, 1.8 * rest_success / rest);
}

TEST(TierModel, FollowsWhenTheOtherHalfBecomesTheBetterOne) {
  Rng rng(4);
  TierModel model({});
  const auto learn = [&](int count, const char* good) {
    for (int i = 0; i < count; ++i) {
      Lead lead = RandomLead(rng);
      model.Learn(lead.View(),
                  {.contact = true, .success = rng.Chance(lead.colour == good ? 0.4 : 0.1)});
    }
  };
  Lead red = {"red", "10", {}}, blue = {"blue", "10", {}};
  learn(10'000, "red");
  EXPECT_GT(model.Score(red.View()).success, model.Score(blue.View()).success);
  learn(1'500, "blue");
  EXPECT_LT(model.Score(red.View()).success, model.Score(blue.View()).success);
}

TEST(TierModel, TheSameResultsGiveTheSameBytes) {
  const auto learned = [](uint64_t seed) {
    Rng rng(seed);
    TierModel model({.features = {.profile = {"colour"}}});
    for (int i = 0; i < 500; ++i) {
      Lead lead = RandomLead(rng);
      model.Learn(lead.View(static_cast<int>(rng.Below(24))),
                  {.contact = rng.Chance(0.5),
                   .success = rng.Chance(0.1),
                   .agent_time = absl::Seconds(static_cast<int64_t>(rng.Below(200)))});
    }
    return model;
  };
  EXPECT_EQ(learned(5).Save(), learned(5).Save());
  EXPECT_NE(learned(5).Save(), learned(6).Save());
}

TEST(TierModel, GoesOnAfterLoadAsIfNothingHadBeen) {
  const ModelSettings settings = {.features = {.profile = {"colour"}}};
  Rng rng(5);
  TierModel model(settings);
  const auto learn = [](TierModel& m, Rng& r) {
    Lead lead = RandomLead(r);
    const LeadView view = lead.View(10);
    m.Learn(view, {.contact = r.Chance(0.5), .success = r.Chance(0.1)});
  };
  for (int i = 0; i < 300; ++i) learn(model, rng);
  absl::StatusOr<TierModel> loaded = TierModel::Load(settings, model.Save());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->Save(), model.Save());
  Rng twin = rng;
  for (int i = 0; i < 300; ++i) {
    learn(model, rng);
    learn(*loaded, twin);
  }
  EXPECT_EQ(loaded->Save(), model.Save());
}

TEST(TierModel, ForeignAndDamagedBytesAreRefused) {
  TierModel model({});
  Rng rng(6);
  for (int i = 0; i < 20; ++i) {
    Lead lead = RandomLead(rng);
    model.Learn(lead.View(), {.contact = true});
  }
  const std::string bytes = model.Save();
  EXPECT_EQ(TierModel::Load({.features = {.cross_max = 3}}, bytes).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(TierModel::Load({}, bytes.substr(0, bytes.size() / 2)).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_FALSE(TierModel::Load({}, "").ok());
  // Whole by its checksum, and nonsense inside: random payloads never crash it.
  for (int i = 0; i < 200; ++i) {
    ByteWriter out;
    for (uint64_t n = rng.Below(200); n > 0; --n) out.Put(static_cast<uint8_t>(rng.Next()));
    EXPECT_FALSE(TierModel::Load({}, out.Seal(1, 1)).ok());
  }
}

TEST(TierModel, ExplainsByTheLargestParts) {
  Rng rng(7);
  TierModel model({});
  Lead lead = RandomLead(rng);
  EXPECT_THAT(model.Explain(lead.View(), 5), SizeIs(0));  // nothing learned, nothing to say
  for (int i = 0; i < 4000; ++i) {
    lead = RandomLead(rng);
    model.Learn(lead.View(),
                {.contact = true, .success = rng.Chance(lead.colour == "blue" ? 0.5 : 0.05)});
  }
  Lead blue = {"blue", "7", {}};
  const std::vector<Reason> reasons = model.Explain(blue.View(), 3);
  ASSERT_THAT(reasons, SizeIs(3));
  EXPECT_EQ(reasons[0].feature, "colour=blue");
  EXPECT_GT(reasons[0].success, 0.3);
}

TEST(TierModel, TheBestHourIsTheOneInWhichSuchLeadsAreReached) {
  Rng rng(8);
  TierModel model({});
  for (int i = 0; i < 80'000; ++i) {
    Lead lead = RandomLead(rng);
    const int hour = 8 + static_cast<int>(rng.Below(12));
    const bool home = lead.colour == "red" ? hour == 18 : hour == 10;
    const bool contact = rng.Chance(home ? 0.6 : 0.15);
    model.Learn(lead.View(hour), {.contact = contact, .success = contact && rng.Chance(0.1)});
  }
  Lead red = {"red", "10", {}}, green = {"green", "10", {}};
  EXPECT_EQ(model.BestHour(red.View(), 8, 20), 18);
  EXPECT_EQ(model.BestHour(green.View(), 8, 20), 10);
  EXPECT_EQ(model.BestHour(green.View(), 12, 13), 12);
}

TEST(TierModel, ScoresAreProbabilitiesWhateverTheLead) {
  Rng rng(9);
  TierModel model({.features = {.slot_bits = 8}});  // crowded slots
  for (int i = 0; i < 3000; ++i) {
    Lead lead = RandomLead(rng);
    lead.size = absl::StrCat(static_cast<int64_t>(rng.Next()));
    const LeadScore score = model.Score(lead.View());
    ASSERT_TRUE(score.contact >= 0 && score.contact <= 1) << i;
    ASSERT_TRUE(score.success >= 0 && score.success <= 1) << i;
    ASSERT_TRUE(std::isfinite(score.per_agent_minute) && score.per_agent_minute >= 0) << i;
    model.Learn(lead.View(), {.contact = i % 2 == 0, .success = i % 4 == 0});
  }
}

}  // namespace
}  // namespace outpace::tier
