#include "campaign/attempt_change.h"

#include <gtest/gtest.h>

namespace outpace::campaign {
namespace {

Attempt Open() {
  Attempt a;
  a.id = AttemptId(7);
  a.lead = LeadId(3);
  a.dialed = E164(13035550001);
  a.request_uri = "sip:+13035550001@192.0.2.10";
  a.from_uri = "sip:+13035550100@127.0.0.1";
  a.dialed_at = absl::FromUnixSeconds(1'700'000'000);
  return a;
}

Attempt Closed(const std::string& status) {
  Attempt a = Open();
  a.open = false;
  a.outcome = "answered";
  a.status = status;
  a.note = "a note";
  return a;
}

TEST(AttemptChange, ACallGoesOnAndEnds) {
  Attempt next = Open();
  EXPECT_EQ(WhyNotReplace(Open(), next), "");
  next.answered_at = next.dialed_at + absl::Seconds(5);
  next.agent = "a1";
  next.sent = false;
  EXPECT_EQ(WhyNotReplace(Open(), next), "");
  EXPECT_EQ(WhyNotReplace(Open(), Closed("SALE")), "");
}

TEST(AttemptChange, WhatWasSoWhenItWasPlacedStays) {
  for (void (*change)(Attempt&) :
       {+[](Attempt& a) { a.list = ListId(5); }, +[](Attempt& a) { a.tier = Tier::kB; },
        +[](Attempt& a) { a.score = 0.5; }, +[](Attempt& a) { a.scorer = "champion"; },
        +[](Attempt& a) { a.caller_id = E164(13035550111); },
        +[](Attempt& a) { a.trunk = "other"; },
        +[](Attempt& a) { a.dialed_at += absl::Seconds(1); }}) {
    Attempt next = Open();
    change(next);
    EXPECT_NE(WhyNotReplace(Open(), next), "");
  }
}

TEST(AttemptChange, AClosedCallIsClosed) {
  EXPECT_EQ(WhyNotReplace(Closed("SALE"), Closed("SALE")), "") << "written again as it is";
  EXPECT_NE(WhyNotReplace(Closed("SALE"), Closed("NI")), "");
  EXPECT_NE(WhyNotReplace(Closed("SALE"), Open()), "");
  Attempt next = Closed("SALE");
  next.cost_micros = 1;
  EXPECT_NE(WhyNotReplace(Closed("SALE"), next), "");
  next = Closed("SALE");
  next.note = "another";
  EXPECT_NE(WhyNotReplace(Closed("SALE"), next), "");
}

TEST(AttemptChange, TheAgentsLateWordIsTakenOnce) {
  for (const char* without : {"", "DISPO"}) {
    Attempt late = Closed("SALE");
    late.note = "bought after all";
    late.disposed_at = late.dialed_at + absl::Hours(1);
    EXPECT_EQ(WhyNotReplace(Closed(without), late), "");
    late.outcome = "busy";
    EXPECT_NE(WhyNotReplace(Closed(without), late), "");
  }
}

TEST(AttemptChange, APersonIsErased) {
  Attempt erased = Closed("SALE");
  erased.dialed = E164();
  erased.request_uri.clear();
  erased.note.clear();
  EXPECT_EQ(WhyNotReplace(Closed("SALE"), erased), "");
  Attempt caller = erased;
  caller.from_uri.clear();
  EXPECT_EQ(WhyNotReplace(Closed("SALE"), caller), "");
  erased.status = "NI";
  EXPECT_NE(WhyNotReplace(Closed("SALE"), erased), "");
}

}  // namespace
}  // namespace outpace::campaign
