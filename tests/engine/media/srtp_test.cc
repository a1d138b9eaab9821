// SRTP against known packets and against libsrtp2.

#include "engine/media/srtp.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"
#include "tests/engine/media/media_fixture.h"
#include "tests/engine/media/srtp_phone.h"

namespace outpace::media {
namespace {

constexpr SrtpSuite kSuites[] = {SrtpSuite::kAesCm128Sha1_80, SrtpSuite::kAesCm256Sha1_80,
                                 SrtpSuite::kAesCm128Sha1_32};

std::string Protect(SrtpSender& sender, absl::string_view packet, size_t payload_offset = 12) {
  std::vector<uint8_t> room(packet.begin(), packet.end());
  room.resize(packet.size() + kSrtpTrailerMax);
  const size_t size = sender.Protect(absl::MakeSpan(room), packet.size(), payload_offset);
  return std::string(room.begin(), room.begin() + static_cast<ptrdiff_t>(size));
}

std::string ProtectReport(SrtpSender& sender, absl::string_view packet) {
  std::vector<uint8_t> room(packet.begin(), packet.end());
  room.resize(packet.size() + kSrtcpTrailerMax);
  const size_t size = sender.ProtectReport(absl::MakeSpan(room), packet.size());
  return std::string(room.begin(), room.begin() + static_cast<ptrdiff_t>(size));
}

struct Opened {
  SrtpCheck check;
  std::string packet;
};
Opened Unprotect(SrtpReceiver& receiver, absl::string_view packet) {
  std::vector<uint8_t> bytes(packet.begin(), packet.end());
  size_t size = 0;
  const SrtpCheck check = receiver.Unprotect(absl::MakeSpan(bytes), &size);
  return {check, std::string(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size))};
}

SrtpKey KnownKey() {
  SrtpKey key;
  const std::string octets =
      absl::HexStringToBytes("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6");
  std::copy(octets.begin(), octets.end(), key.octets.begin());
  return key;
}

// The reference packets that SRTP implementations are checked with (libsrtp, srtp_driver.c).
TEST(Srtp, KnownPacketComesOutAsKnown) {
  const std::string plain =
      absl::HexStringToBytes("800f1234decafbadcafebabeabababababababababababababababab");
  const std::string known = absl::HexStringToBytes(
      "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb");
  SrtpSender sender(KnownKey());
  EXPECT_EQ(absl::BytesToHexString(Protect(sender, plain)), absl::BytesToHexString(known));
  SrtpReceiver receiver(KnownKey());
  const Opened opened = Unprotect(receiver, known);
  EXPECT_EQ(opened.check, SrtpCheck::kOk);
  EXPECT_EQ(opened.packet, plain);
}

TEST(Srtp, KnownReportComesOutAsKnown) {
  const std::string plain =
      absl::HexStringToBytes("81c8000bcafebabeabababababababababababababababab");
  SrtpSender sender(KnownKey());
  EXPECT_EQ(absl::BytesToHexString(ProtectReport(sender, plain)),
            "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798");
}

// Over the roll-over of the sequence number, with every tenth packet lost and neighbours swapped.
TEST(Srtp, SpeaksWithLibsrtp) {
  for (const SrtpSuite suite : kSuites) {
    SCOPED_TRACE(static_cast<int>(suite));
    const SrtpKey key = KeyOf(suite, 7);
    SrtpSender our_sender(key);
    SrtpReceiver our_receiver(key);
    LibSrtp their_receiver(key, LibSrtp::Way::kIn);
    LibSrtp their_sender(key, LibSrtp::Way::kOut);
    std::vector<uint16_t> order;
    for (uint32_t i = 0; i < 400; ++i) order.push_back(static_cast<uint16_t>(65'300 + (i ^ 1)));
    for (const uint16_t seq : order) {
      if (seq % 10 == 3) continue;
      const std::string plain = MakeRtp(0, seq, seq * 160u, 0xcafebabe, Payload(seq));
      const std::string ours = Protect(our_sender, plain);
      EXPECT_EQ(ours.size(), plain.size() + SrtpTagSize(suite));
      EXPECT_EQ(their_receiver.Unprotect(ours), plain) << seq;
      const auto theirs = their_sender.Protect(plain);
      ASSERT_TRUE(theirs.has_value()) << seq;
      EXPECT_EQ(*theirs, ours) << seq;
      const Opened opened = Unprotect(our_receiver, *theirs);
      EXPECT_EQ(opened.check, SrtpCheck::kOk) << seq;
      EXPECT_EQ(opened.packet, plain) << seq;
    }
    const std::string report =
        absl::HexStringToBytes("80c80006cafebabe0102030405060708090a0b0c0d0e0f1011121314");
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(their_receiver.UnprotectReport(ProtectReport(our_sender, report)), report);
    }
  }
}

TEST(Srtp, HeaderExtensionAndSourcesStayReadable) {
  const SrtpKey key = KeyOf(SrtpSuite::kAesCm128Sha1_80, 1);
  std::string plain = MakeRtp(0, 1, 2, 3, "");
  plain[0] = '\x91';  // one contributing source and an extension of one word
  plain += absl::HexStringToBytes("00000009bede0001aabbccdd");
  const size_t offset = plain.size();
  plain += Payload(5);
  SrtpSender sender(key);
  const std::string ours = Protect(sender, plain, offset);
  EXPECT_EQ(ours.substr(0, offset), plain.substr(0, offset));
  LibSrtp lib(key, LibSrtp::Way::kIn);
  EXPECT_EQ(lib.Unprotect(ours), plain);
  SrtpReceiver receiver(key);
  EXPECT_EQ(Unprotect(receiver, ours).packet, plain);
}

TEST(Srtp, KeyIdentifierIsPassedOver) {
  const SrtpKey key = KeyOf(SrtpSuite::kAesCm128Sha1_80, 1);
  LibSrtp lib(key, LibSrtp::Way::kOut, absl::string_view("\0\0\0\1", 4));
  const std::string plain = MakeRtp(8, 77, 160, 9, Payload(1));
  const auto theirs = lib.Protect(plain);
  ASSERT_TRUE(theirs.has_value());
  SrtpReceiver receiver(key, 4);
  const Opened opened = Unprotect(receiver, *theirs);
  EXPECT_EQ(opened.check, SrtpCheck::kOk);
  EXPECT_EQ(opened.packet, plain);
}

TEST(Srtp, NoAlteredPacketIsHeardAndNoneTakesTheWindowAlong) {
  const SrtpKey key = KeyOf(SrtpSuite::kAesCm128Sha1_80, 1);
  SrtpSender sender(key);
  const std::string good = Protect(sender, MakeRtp(0, 500, 160, 9, "twelve octets"));
  SrtpReceiver receiver(key);
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(Unprotect(receiver, bad).check, SrtpCheck::kOk) << bit;
  }
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_NE(Unprotect(receiver, good.substr(0, size)).check, SrtpCheck::kOk) << size;
  }
  EXPECT_NE(Unprotect(receiver, good + "x").check, SrtpCheck::kOk);
  EXPECT_EQ(Unprotect(receiver, good).check, SrtpCheck::kOk);
  EXPECT_EQ(Unprotect(receiver, good).check, SrtpCheck::kReplayed);
}

TEST(Srtp, AReplayIsNeverHeardNorOneTooOldToKnow) {
  const SrtpKey key = KeyOf(SrtpSuite::kAesCm128Sha1_80, 1);
  SrtpSender sender(key);
  SrtpReceiver receiver(key);
  std::vector<std::string> sent;
  for (uint32_t i = 0; i < 300; ++i) {
    sent.push_back(
        Protect(sender, MakeRtp(0, static_cast<uint16_t>(65'400 + i), i * 160, 9, "audio")));
  }
  // Every second one arrives, then all.
  for (size_t i = 1; i < sent.size(); i += 2) {
    EXPECT_EQ(Unprotect(receiver, sent[i]).check, SrtpCheck::kOk) << i;
  }
  for (size_t i = 0; i < sent.size(); ++i) {
    const bool late = i % 2 == 0 && i + 128 > 299;
    EXPECT_EQ(Unprotect(receiver, sent[i]).check, late ? SrtpCheck::kOk : SrtpCheck::kReplayed)
        << i;
  }
}

TEST(Srtp, ASequenceNumberIsNeverEncryptedTwice) {
  SrtpSender sender(KeyOf(SrtpSuite::kAesCm128Sha1_80, 1));
  EXPECT_NE(Protect(sender, MakeRtp(0, 1000, 0, 9, "one")), "");
  EXPECT_EQ(Protect(sender, MakeRtp(0, 1000, 0, 9, "two")), "");
  EXPECT_NE(Protect(sender, MakeRtp(0, 999, 0, 9, "late")), "");
  EXPECT_EQ(Protect(sender, MakeRtp(0, 999, 0, 9, "late again")), "");
  EXPECT_NE(Protect(sender, MakeRtp(0, 2000, 0, 9, "on")), "");
  EXPECT_EQ(Protect(sender, MakeRtp(0, 1001, 0, 9, "too late")), "");
}

TEST(Srtp, ManySourcesAreHeardAndBounded) {
  const SrtpKey key = KeyOf(SrtpSuite::kAesCm128Sha1_80, 1);
  SrtpReceiver receiver(key);
  std::string first;
  for (uint32_t ssrc = 0; ssrc < 1000; ++ssrc) {
    SrtpSender sender(key);
    const std::string packet = Protect(sender, MakeRtp(0, 10, 0, ssrc, "hello"));
    EXPECT_EQ(Unprotect(receiver, packet).check, SrtpCheck::kOk) << ssrc;
    EXPECT_EQ(Unprotect(receiver, packet).check, SrtpCheck::kReplayed) << ssrc;
  }
}

// RFC 3711 3.3.1, by the definition: the index nearest to the highest so far.
TEST(SrtpProperty, IndexIsTheNearestOne) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    SrtpIndex index;
    uint64_t highest = rng.Below(65'536);
    index.Take(highest);
    for (int i = 0; i < 200; ++i) {
      const uint64_t back = rng.Below(30'000);
      const uint64_t next =
          rng.Chance(0.5) || back > highest ? highest + rng.Below(32'000) : highest - back;
      ASSERT_EQ(index.Guess(static_cast<uint16_t>(next)), next);
      const bool old = next < highest && highest - next >= 128;
      EXPECT_TRUE(!old || index.Taken(next));
      EXPECT_TRUE(next <= highest || !index.Taken(next));
      if (index.Taken(next)) continue;
      index.Take(next);
      EXPECT_TRUE(index.Taken(next));
      highest = std::max(highest, next);
    }
  }
}

}  // namespace
}  // namespace outpace::media
