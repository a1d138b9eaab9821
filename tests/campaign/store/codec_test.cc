#include "campaign/store/codec.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/store/crc32c.h"
#include "campaign/store/lead_v1.h"
#include "campaign/store/wire.h"
#include "tests/campaign/store/store_testing.h"

namespace outpace::store {
namespace {

using campaign::Attempt;

TEST(Crc32c, AgreesWithRfc3720) {
  // RFC 3720 B.4: 32 bytes of zeros, of ones, rising, falling.
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  std::string rising;
  for (char c = 0; c < 32; ++c) rising.push_back(c);
  EXPECT_EQ(Crc32c(rising), 0x46dd794eu);
  EXPECT_EQ(Crc32c(std::string(rising.rbegin(), rising.rend())), 0x113fdb5cu);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
}

TEST(Crc32c, IsTheSameByInstructionAndByTables) {
  Rng rng(2);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = RandomText(rng, 60);
    const absl::string_view part =
        absl::string_view(text).substr(static_cast<size_t>(rng.Below(text.size() + 1)));
    EXPECT_EQ(Crc32c(part), Crc32cByTables(part));
  }
}

TEST(Codec, KeepsInstantsWithTheirEnds) {
  for (const absl::Time time :
       {absl::InfinitePast(), absl::InfiniteFuture(), absl::UnixEpoch(), kStart,
        kStart + absl::Microseconds(1), absl::FromUnixSeconds(-5),
        absl::FromCivil(absl::CivilSecond(2038, 1, 19, 3, 14, 8), absl::UTCTimeZone())}) {
    EXPECT_EQ(TimeOf(MicrosOf(time)), time);
  }
}

TEST(Codec, RecordingComesBackFieldByField) {
  Rng rng(3);
  for (int i = 0; i < 3000; ++i) {
    const campaign::Recording r = RandomRecording(rng, 1 + rng.Next() / 2);
    const absl::StatusOr<campaign::Recording> back = DecodeRecording(EncodeRecording(r));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(back->attempt, r.attempt);
    EXPECT_EQ(back->lead, r.lead);
    EXPECT_EQ(back->campaign, r.campaign);
    EXPECT_EQ(back->agent, r.agent);
    EXPECT_EQ(back->number, r.number);
    EXPECT_EQ(back->started, r.started);
    EXPECT_EQ(back->length, r.length);
    EXPECT_EQ(back->file, r.file);
    EXPECT_EQ(back->sha256, r.sha256);
    EXPECT_EQ(back->bytes, r.bytes);
    EXPECT_EQ(back->format, r.format);
    EXPECT_EQ(back->encrypted, r.encrypted);
    EXPECT_EQ(back->cut, r.cut);
    EXPECT_EQ(back->paused, r.paused);
    EXPECT_EQ(back->lost, r.lost);
    EXPECT_EQ(back->gaps, r.gaps);
    EXPECT_EQ(back->fault, r.fault);
    EXPECT_EQ(back->erased_at, r.erased_at);
    EXPECT_EQ(back->erased_reason, r.erased_reason);
  }
}

TEST(Codec, ADamagedRecordingIsNeverTakenForOne) {
  Rng rng(4);
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = EncodeRecording(RandomRecording(rng, 1 + rng.Below(100)));
    bytes[rng.Below(bytes.size())] ^= static_cast<char>(1 << rng.Below(7));
    EXPECT_FALSE(DecodeRecording(bytes).ok());
    bytes.resize(rng.Below(bytes.size()));
    EXPECT_FALSE(DecodeRecording(bytes).ok());
  }
  // Whole by its checksum, and nonsense within: nothing but an error may come of it.
  for (int i = 0; i < 3000; ++i) {
    FieldWriter writer(kRecordMajor);
    for (uint64_t n = rng.Below(6); n > 0; --n) {
      const auto field = static_cast<uint32_t>(1 + rng.Below(20));
      if (rng.Chance(0.5)) {
        writer.NumberAlways(field, rng.Next() >> rng.Below(64));
      } else {
        writer.TextAlways(field, RandomText(rng, 5));
      }
    }
    DecodeRecording(std::move(writer).Finish()).status().IgnoreError();
  }
}

TEST(Codec, AttemptComesBackFieldByField) {
  Rng rng(2);
  for (int i = 0; i < 3000; ++i) {
    const Attempt a = RandomAttempt(rng, 1 + rng.Next() / 2);
    const absl::StatusOr<Attempt> b = DecodeAttempt(EncodeAttempt(a));
    ASSERT_TRUE(b.ok()) << b.status();
    EXPECT_EQ(b->id, a.id);
    EXPECT_EQ(b->lead, a.lead);
    EXPECT_EQ(b->list, a.list);
    EXPECT_EQ(b->campaign, a.campaign);
    EXPECT_EQ(b->tier, a.tier);
    EXPECT_EQ(b->number_of_try, a.number_of_try);
    EXPECT_EQ(b->dialed, a.dialed);
    EXPECT_EQ(b->caller_id, a.caller_id);
    EXPECT_EQ(b->trunk, a.trunk);
    EXPECT_EQ(b->call_id, a.call_id);
    EXPECT_EQ(b->from_tag, a.from_tag);
    EXPECT_EQ(b->branch, a.branch);
    EXPECT_EQ(b->route_uri, a.route_uri);
    EXPECT_EQ(b->request_uri, a.request_uri);
    EXPECT_EQ(b->from_uri, a.from_uri);
    EXPECT_EQ(b->open, a.open);
    EXPECT_EQ(b->sent, a.sent);
    EXPECT_EQ(b->inbound, a.inbound);
    EXPECT_EQ(b->outcome, a.outcome);
    EXPECT_EQ(b->trunk_fault, a.trunk_fault);
    EXPECT_EQ(b->sip_status, a.sip_status);
    EXPECT_EQ(b->q850_cause, a.q850_cause);
    EXPECT_EQ(b->abandoned, a.abandoned);
    EXPECT_EQ(b->message_played, a.message_played);
    EXPECT_EQ(b->status, a.status);
    EXPECT_EQ(b->term_reason, a.term_reason);
    EXPECT_EQ(b->agent, a.agent);
    EXPECT_EQ(b->note, a.note);
    EXPECT_EQ(b->callback_time, a.callback_time);
    EXPECT_EQ(b->dialed_at, a.dialed_at);
    EXPECT_EQ(b->ringing_at, a.ringing_at);
    EXPECT_EQ(b->answered_at, a.answered_at);
    EXPECT_EQ(b->connected_at, a.connected_at);
    EXPECT_EQ(b->ended_at, a.ended_at);
    EXPECT_EQ(b->disposed_at, a.disposed_at);
    EXPECT_EQ(b->score, a.score);
    EXPECT_EQ(b->explored, a.explored);
    EXPECT_EQ(b->scorer, a.scorer);
    EXPECT_EQ(b->last_status, a.last_status);
    EXPECT_EQ(b->alt, a.alt);
    EXPECT_EQ(b->holds, a.holds);
    EXPECT_EQ(b->held, a.held);
    EXPECT_EQ(b->conferences, a.conferences);
    EXPECT_EQ(b->billed_seconds, a.billed_seconds);
    EXPECT_EQ(b->cost_micros, a.cost_micros);
    EXPECT_TRUE(*b == a);  // every other member
  }
}

// As the program wrote it before there were scores, second numbers, holds and costs.
TEST(Codec, AnAttemptOfBeforeThoseFieldsHasNoneOfThem) {
  FieldWriter old(kRecordMajor);
  old.Number(1, 7);          // id
  old.NumberAlways(6, 2);    // number_of_try 1
  old.NumberAlways(16, 0);   // closed
  old.Text(17, "answered");  // outcome
  old.NumberAlways(34, 1);   // sent
  const absl::StatusOr<Attempt> back = DecodeAttempt(std::move(old).Finish());
  ASSERT_TRUE(back.ok()) << back.status();
  Attempt expected;
  expected.id = AttemptId(7);
  expected.open = false;
  expected.outcome = "answered";
  EXPECT_TRUE(*back == expected);
  EXPECT_EQ(back->score, 0);
  EXPECT_EQ(back->scorer, "");
  EXPECT_EQ(back->cost_micros, 0);
}

TEST(Codec, AScoreIsANumber) {
  for (const uint64_t bits : {uint64_t{0x7ff0} << 48, uint64_t{0x7ff8} << 48}) {  // infinity, NaN
    FieldWriter w(kRecordMajor);
    w.Number(1, 7);
    w.Number(44, bits);
    EXPECT_EQ(DecodeAttempt(std::move(w).Finish()).status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST(Codec, AnActivityComesBack) {
  Rng rng(9);
  for (int i = 0; i < 2000; ++i) {
    const campaign::AgentActivity activity = RandomActivity(rng);
    const std::string bytes = EncodeActivity(activity);
    const absl::StatusOr<campaign::AgentActivity> back = DecodeActivity(bytes);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_TRUE(*back == activity);
    std::string damaged = bytes;
    damaged[rng.Below(damaged.size())] ^= static_cast<char>(1 << rng.Below(7));
    EXPECT_FALSE(DecodeActivity(damaged).ok());
    EXPECT_FALSE(DecodeActivity(bytes.substr(0, rng.Below(bytes.size()))).ok());
  }
  FieldWriter stateless(kRecordMajor);
  stateless.Text(2, "a1");
  EXPECT_EQ(DecodeActivity(std::move(stateless).Finish()).status().code(),
            absl::StatusCode::kDataLoss);
}

// Records of before there were calls from outside have no such field: a call of ours writes the
// same bytes as then.
TEST(Codec, AnAttemptWithoutTheFieldIsNotInbound) {
  Rng rng(7);
  Attempt a = RandomAttempt(rng, 5);
  a.inbound = false;
  const std::string before = EncodeAttempt(a);
  a.inbound = true;
  EXPECT_GT(EncodeAttempt(a).size(), before.size());
  EXPECT_TRUE(DecodeAttempt(EncodeAttempt(a))->inbound);
  EXPECT_FALSE(DecodeAttempt(before)->inbound);
}

// Records of before greetings were measured say so, and so do those where nobody listened.
TEST(Codec, AnAttemptWithoutAGreetingHasNone) {
  Rng rng(8);
  Attempt a = RandomAttempt(rng, 5);
  a.greeting_start_ms = a.greeting_end_ms = -1;
  a.dropped_at = absl::InfinitePast();
  const std::string before = EncodeAttempt(a);
  EXPECT_EQ(DecodeAttempt(before)->greeting_start_ms, -1);
  EXPECT_EQ(DecodeAttempt(before)->greeting_end_ms, -1);
  EXPECT_EQ(DecodeAttempt(before)->dropped_at, absl::InfinitePast());
  a.greeting_start_ms = 0;
  a.greeting_end_ms = 1180;
  a.dropped_at = absl::FromUnixSeconds(1'700'000'000);
  EXPECT_GT(EncodeAttempt(a).size(), before.size());
  EXPECT_EQ(DecodeAttempt(EncodeAttempt(a))->greeting_start_ms, 0);
  EXPECT_EQ(DecodeAttempt(EncodeAttempt(a))->greeting_end_ms, 1180);
  EXPECT_EQ(DecodeAttempt(EncodeAttempt(a))->dropped_at, a.dropped_at);
}

TEST(Codec, OtherRecordsComeBack) {
  Rng rng(3);
  for (int i = 0; i < 500; ++i) {
    const campaign::List list = RandomList(rng, 1 + rng.Below(1000));
    const absl::StatusOr<campaign::List> list_back = DecodeList(EncodeList(list));
    ASSERT_TRUE(list_back.ok());
    EXPECT_EQ(list_back->id, list.id);
    EXPECT_EQ(list_back->name, list.name);
    EXPECT_EQ(list_back->campaign, list.campaign);
    EXPECT_EQ(list_back->active, list.active);
    EXPECT_EQ(list_back->leads, list.leads);

    const campaign::DncEntry dnc = RandomDnc(rng);
    const absl::StatusOr<campaign::DncEntry> dnc_back = DecodeDnc(EncodeDnc(dnc));
    ASSERT_TRUE(dnc_back.ok());
    EXPECT_EQ(*dnc_back, dnc);

    const campaign::AgentRecord agent = RandomAgent(rng, "a1");
    const absl::StatusOr<campaign::AgentRecord> agent_back = DecodeAgent(EncodeAgent(agent));
    ASSERT_TRUE(agent_back.ok());
    EXPECT_EQ(agent_back->user, agent.user);
    EXPECT_EQ(agent_back->full_name, agent.full_name);
    EXPECT_EQ(agent_back->phone_uri, agent.phone_uri);
    EXPECT_EQ(agent_back->password_hash, agent.password_hash);

    const campaign::CampaignSettings settings = RandomSettings(rng, "DEMO");
    const absl::StatusOr<campaign::CampaignSettings> settings_back =
        DecodeSettings(EncodeSettings(settings));
    ASSERT_TRUE(settings_back.ok()) << settings_back.status();
    EXPECT_EQ(settings_back->id, "DEMO");
    EXPECT_EQ(settings_back->ToMap(), settings.ToMap());

    const campaign::Import import = RandomImport(rng, 1 + rng.Next() / 2);
    const absl::StatusOr<campaign::Import> import_back = DecodeImport(EncodeImport(import));
    ASSERT_TRUE(import_back.ok()) << import_back.status();
    EXPECT_EQ(EncodeImport(*import_back), EncodeImport(import));
    EXPECT_EQ(import_back->by_code, import.by_code);
    EXPECT_EQ(import_back->first_lead, import.first_lead);
    EXPECT_EQ(import_back->state, import.state);
    EXPECT_EQ(import_back->counts.rejected, import.counts.rejected);

    const std::string text = RandomText(rng, 50);
    const absl::StatusOr<std::string> text_back = DecodeText(EncodeText(text));
    ASSERT_TRUE(text_back.ok());
    EXPECT_EQ(*text_back, text);
  }
}

// Bytes as the programs wrote them that knew numbers of the system's list and of campaigns only;
// what these programs can read is still written in a version of theirs.
TEST(Codec, DncEntriesOfOlderProgramsAreReadAsTheyWere) {
  const std::string of_campaign(
      "\x01\x02\x95\x9b\xf2\xdd\x34\x05\x04\x44\x45\x4d\x4f\x07\x08\x61\x67\x65\x6e\x74\x20\x61"
      "\x31\x08\x80\x89\xbe\xa2\xdb\xff\xad\x06\x8b\x52\x59\x88",
      36);
  const std::string of_all(
      "\x01\x02\xa1\xf5\xf4\xef\xee\x0c\x07\x0e\x69\x6d\x70\x6f\x72\x74\x20\x64\x6e\x63\x2e\x63"
      "\x73\x76\x08\x80\x80\xaf\xa2\xdb\xff\xad\x06\x92\xb7\x10\x6d",
      37);
  const auto agent = DecodeDnc(of_campaign);
  ASSERT_TRUE(agent.ok()) << agent.status();
  EXPECT_EQ(*agent, (campaign::DncEntry{E164(14'155'550'101), dnc::CampaignScope("DEMO"),
                                        "agent a1", absl::FromUnixMicros(1'790'000'000'123'456)}));
  EXPECT_EQ(EncodeDnc(*agent), of_campaign);
  auto import = DecodeDnc(of_all);
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(
      *import,
      (campaign::DncEntry{
          E164(442'079'460'001), {}, "import dnc.csv", absl::FromUnixSeconds(1'790'000'000)}));
  EXPECT_EQ(EncodeDnc(*import), of_all);
  import->reason = "asked";
  import->by = "control socket";
  EXPECT_EQ(EncodeDnc(*import)[0], 1);
  EXPECT_EQ(*DecodeDnc(EncodeDnc(*import)), *import);
}

// An older program would take these for a number of everybody's list, or for good: it refuses them.
TEST(Codec, DncEntriesThatOlderProgramsWouldMisreadAreOfANewVersion) {
  const campaign::DncEntry number{E164(14'155'550'101), {}, "import", kStart};
  campaign::DncEntry ends = number, range = number, state = number, client = number, all = number;
  ends.expires = kStart;
  range.phone = E164();
  range.range.digits = 1'900;
  state.scope = {dnc::DncLevel::kState, "FL"};
  client.scope = {dnc::DncLevel::kClient, "ACME"};
  all.scope = {dnc::DncLevel::kLitigator, ""};
  for (const campaign::DncEntry& entry : {ends, range, state, client, all}) {
    const std::string bytes = EncodeDnc(entry);
    EXPECT_EQ(bytes[0], 2);
    EXPECT_EQ(*DecodeDnc(bytes), entry);
    FieldReader older(bytes, kRecordMajor);
    EXPECT_EQ(older.status().code(), absl::StatusCode::kFailedPrecondition);
  }
  FieldWriter newer(3);
  newer.Number(1, 14'155'550'101);
  EXPECT_EQ(DecodeDnc(std::move(newer).Finish()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(Codec, RefusesDncEntriesThatContradictThemselves) {
  const auto decode = [](uint64_t phone, uint64_t range, absl::string_view campaign,
                         absl::string_view scope) {
    FieldWriter w(2);
    w.Number(1, phone);
    w.Text(2, campaign);
    w.Number(8, range);
    w.Text(9, scope);
    return DecodeDnc(std::move(w).Finish()).status().code();
  };
  EXPECT_EQ(decode(14'155'550'101, 0, "", "state:FL"), absl::StatusCode::kOk);
  EXPECT_EQ(decode(0, 1'900, "", "state:FL"), absl::StatusCode::kOk);
  EXPECT_EQ(decode(0, 0, "", ""), absl::StatusCode::kDataLoss);
  EXPECT_EQ(decode(14'155'550'101, 1'900, "", ""), absl::StatusCode::kDataLoss);
  EXPECT_EQ(decode(0, 100'000'000'000'000, "", ""), absl::StatusCode::kDataLoss);
  EXPECT_EQ(decode(14'155'550'101, 0, "DEMO", "state:FL"), absl::StatusCode::kDataLoss);
  EXPECT_EQ(decode(14'155'550'101, 0, "", "county:FL"), absl::StatusCode::kDataLoss);
  EXPECT_EQ(decode(14'155'550'101, 0, "", "state:"), absl::StatusCode::kDataLoss);
  // Every cut and every flipped bit.
  Rng rng(12);
  for (int i = 0; i < 200; ++i) {
    const std::string bytes = EncodeDnc(RandomDnc(rng));
    for (size_t at = 0; at < bytes.size(); ++at) {
      EXPECT_EQ(DecodeDnc(bytes.substr(0, at)).status().code(), absl::StatusCode::kDataLoss);
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << rng.Below(8)));
      EXPECT_EQ(DecodeDnc(flipped).status().code(), absl::StatusCode::kDataLoss);
    }
  }
}

TEST(Codec, SkipsSettingsOfANewerProgramAndRefusesBadValues) {
  FieldWriter newer(kRecordMajor);
  newer.TextAlways(1, "DEMO");
  newer.Pair(2, "hopper_level", "333");
  newer.Pair(2, "a_setting_of_2030", "on");
  const absl::StatusOr<campaign::CampaignSettings> settings =
      DecodeSettings(std::move(newer).Finish());
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->hopper_level, 333);

  FieldWriter bad(kRecordMajor);
  bad.TextAlways(1, "DEMO");
  bad.Pair(2, "hopper_level", "-1");
  EXPECT_EQ(DecodeSettings(std::move(bad).Finish()).status().code(), absl::StatusCode::kDataLoss);
}

// Bytes that only look like a record: the checksum is made right so that the parser is reached.
TEST(Codec, SurvivesRandomBytesBehindAGoodChecksum) {
  Rng rng(5);
  int understood = 0;
  for (int i = 0; i < 30'000; ++i) {
    std::string body(1, static_cast<char>(kRecordMajor));
    if (rng.Chance(0.5)) {  // start from a real record, then break it
      body = EncodeAttempt(RandomAttempt(rng, 9));
      body.resize(body.size() - 4);
      for (uint64_t n = 1 + rng.Below(4); n > 0; --n) {
        body[1 + rng.Below(body.size() - 1)] = static_cast<char>(rng.Next());
      }
      if (rng.Chance(0.3)) body.resize(1 + rng.Below(body.size()));
    } else {
      for (uint64_t n = rng.Below(60); n > 0; --n) body.push_back(static_cast<char>(rng.Next()));
    }
    const uint32_t crc = Crc32c(body);
    for (int shift = 0; shift < 32; shift += 8) body.push_back(static_cast<char>(crc >> shift));
    for (const absl::Status& status :
         {DecodeLeadV1(body).status(), DecodeImport(body).status(), DecodeAttempt(body).status(),
          DecodeList(body).status(), DecodeSettings(body).status(), DecodeAgent(body).status(),
          DecodeDnc(body).status(), DecodeText(body).status()}) {
      EXPECT_TRUE(status.ok() || status.code() == absl::StatusCode::kDataLoss) << status;
    }
    const auto dnc = DecodeDnc(body);
    if (dnc.ok()) {
      EXPECT_EQ(*DecodeDnc(EncodeDnc(*dnc)), *dnc);
    }
    const absl::StatusOr<Attempt> attempt = DecodeAttempt(body);
    if (attempt.ok()) {
      ++understood;
      const absl::StatusOr<Attempt> again = DecodeAttempt(EncodeAttempt(*attempt));
      ASSERT_TRUE(again.ok());
      EXPECT_EQ(EncodeAttempt(*again), EncodeAttempt(*attempt));
    }
  }
  EXPECT_GT(understood, 100);  // else nothing but the first check was exercised
}

TEST(Wire, VarintsAreOneToOneAndBounded) {
  Rng rng(6);
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t value = rng.Next() >> rng.Below(64);
    std::string bytes;
    AppendVarint(value, bytes);
    absl::string_view rest = bytes;
    uint64_t back = 0;
    ASSERT_TRUE(TakeVarint(rest, back));
    EXPECT_EQ(back, value);
    EXPECT_TRUE(rest.empty());
    const auto number = static_cast<int64_t>(value);
    EXPECT_EQ(UnZigZag(ZigZag(number)), number);
  }
  absl::string_view endless = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
  uint64_t value = 0;
  EXPECT_FALSE(TakeVarint(endless, value));
  absl::string_view too_big = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02";
  EXPECT_FALSE(TakeVarint(too_big, value));
}

}  // namespace
}  // namespace outpace::store
