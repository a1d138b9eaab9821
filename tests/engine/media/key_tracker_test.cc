#include "engine/media/key_tracker.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace outpace::media {
namespace {

struct Keys {
  KeyTracker tracker;
  std::string pressed;
  void Take(int code, uint32_t timestamp, uint32_t duration, bool end = false, bool marker = false,
            uint32_t ssrc = 1) {
    const std::vector<uint8_t> payload = {
        static_cast<uint8_t>(code), static_cast<uint8_t>(end ? 0x8a : 0x0a),
        static_cast<uint8_t>(duration >> 8), static_cast<uint8_t>(duration)};
    const auto key =
        tracker.Take({.marker = marker, .timestamp = timestamp, .ssrc = ssrc}, 8000, payload);
    if (key.has_value()) pressed.push_back(*key);
  }
};

TEST(KeyTracker, AKeyIsToldOnceWhenItGoesDown) {
  Keys keys;
  keys.Take(5, 1000, 160, false, true);
  EXPECT_EQ(keys.pressed, "5");
  keys.Take(5, 1000, 320);
  for (int i = 0; i < 3; ++i) keys.Take(5, 1000, 480, true);
  EXPECT_EQ(keys.pressed, "5");
  keys.Take(5, 2000, 160, false, true);  // the same again
  keys.Take(11, 3000, 160, false, true);
  keys.Take(15, 4000, 160, false, true);
  EXPECT_EQ(keys.pressed, "55#D");
}

TEST(KeyTracker, LostStartsAndEndsCostNothing) {
  Keys keys;
  keys.Take(1, 1000, 800, true);  // all that came of it
  keys.Take(2, 2000, 320);        // no start, no end
  keys.Take(2, 3000, 320);        // no start
  keys.Take(2, 3000, 480, true);
  EXPECT_EQ(keys.pressed, "122");
}

TEST(KeyTracker, WhatWasOvertakenIsNoNewKey) {
  Keys keys;
  keys.Take(1, 1000, 160, false, true);
  keys.Take(2, 2000, 160, false, true);
  keys.Take(1, 1000, 800, true);
  keys.Take(2, 2000, 320);
  EXPECT_EQ(keys.pressed, "12");
}

TEST(KeyTracker, AKeyHeldForSecondsIsOne) {
  Keys keys;
  keys.Take(7, 1000, 160, false, true);
  keys.Take(7, 1000, 0xffff);
  keys.Take(7, 1000 + 0xffff, 160);  // RFC 4733 2.5.1.3: the next segment
  keys.Take(7, 1000 + 0xffff, 800, true);
  EXPECT_EQ(keys.pressed, "7");
}

TEST(KeyTracker, ASenderThatMovesTheTimeWithEachPacket) {
  Keys keys;
  for (uint32_t i = 0; i < 5; ++i) keys.Take(9, 1000 + 160 * i, 160 * i, i == 4, i == 0);
  keys.Take(9, 4000, 160, false, true);
  EXPECT_EQ(keys.pressed, "99");
}

TEST(KeyTracker, AnotherSourceIsAnotherKeyAndOtherEventsAreNone) {
  Keys keys;
  keys.Take(3, 1000, 160, false, true);
  keys.Take(3, 1000, 160, false, true, /*ssrc=*/2);
  keys.Take(16, 5000, 160, false, true);  // flash
  EXPECT_FALSE(keys.tracker.Take({.ssrc = 2}, 8000, std::vector<uint8_t>{1, 2, 3}).has_value());
  EXPECT_EQ(keys.pressed, "33");
}

}  // namespace
}  // namespace outpace::media
