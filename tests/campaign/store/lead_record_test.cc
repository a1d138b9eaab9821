#include "campaign/store/lead_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/store/codec.h"
#include "campaign/store/crc32c.h"
#include "campaign/store/dictionary.h"
#include "campaign/store/phone_index.h"
#include "campaign/store/rocks_keys.h"
#include "tests/campaign/store/store_testing.h"

namespace outpace::store {
namespace {

using campaign::FieldLayout;
using campaign::Lead;

// A record whose checksum fits, whatever is in it.
std::string WithChecksum(std::string body) {
  const uint32_t crc = Crc32c(body);
  for (int shift = 0; shift < 32; shift += 8) body.push_back(static_cast<char>(crc >> shift));
  return body;
}

TEST(LeadRecord, ComesBackFieldByField) {
  Rng rng(1);
  HotLead hot;  // used again and again, as readers do
  for (int i = 0; i < 3000; ++i) {
    Lead lead = RandomLead(rng, 1 + rng.Next() / 2);
    if (rng.Chance(0.3)) lead.campaign = std::string(rng.Below(256), 'c');
    if (rng.Chance(0.3)) lead.status = std::string(rng.Below(256), 's');
    if (rng.Chance(0.3)) lead.recycled = RandomText(rng, 40);
    if (rng.Chance(0.1)) lead.called_count = static_cast<int>(rng.Next());
    lead.max_attempts = static_cast<int>(rng.Below(256));
    const TextsMark mark = {static_cast<uint32_t>(rng.Next()), static_cast<uint32_t>(rng.Next()),
                            static_cast<uint32_t>(rng.Next())};
    const absl::Status status = DecodeHot(EncodeHot(lead, 77, mark), hot);
    ASSERT_TRUE(status.ok()) << status;
    const Lead& back = hot.lead;
    EXPECT_EQ(back.id, lead.id);
    EXPECT_EQ(back.list, lead.list);
    EXPECT_EQ(back.campaign, lead.campaign);
    EXPECT_EQ(back.phone, lead.phone);
    EXPECT_EQ(back.alt_phone, lead.alt_phone);
    EXPECT_EQ(back.status, lead.status);
    EXPECT_EQ(back.tier, lead.tier);
    EXPECT_EQ(back.called_count, lead.called_count);
    EXPECT_EQ(back.entry_date, lead.entry_date);
    campaign::LeadGlance glance;
    const std::string bytes = EncodeHot(lead, 77, mark);
    ASSERT_TRUE(GlanceAtHot(bytes, glance).ok());
    EXPECT_EQ(CampaignOfHot(bytes), lead.campaign);
    EXPECT_EQ(glance.status, lead.status);
    EXPECT_EQ(glance.zones, 77u);
    EXPECT_EQ(glance.called_count, lead.called_count);
    EXPECT_EQ(glance.max_attempts, lead.max_attempts);
    EXPECT_EQ(glance.hold_until_micros, MicrosOf(lead.hold_until));
    EXPECT_EQ(back.last_call_time, lead.last_call_time);
    EXPECT_EQ(back.next_call_time, lead.next_call_time);
    EXPECT_EQ(back.hold_until, lead.hold_until);
    EXPECT_EQ(back.rank, lead.rank);
    EXPECT_EQ(back.max_attempts, lead.max_attempts);
    EXPECT_EQ(back.recycled, lead.recycled);
    EXPECT_EQ(back.import, lead.import);
    EXPECT_FALSE(back.has_fields);
    EXPECT_EQ(hot.zones, 77u);
    EXPECT_EQ(hot.texts, mark);
  }
}

TEST(LeadRecord, TextsComeBackWithAndWithoutALayout) {
  Rng rng(2);
  for (int i = 0; i < 3000; ++i) {
    Lead lead = RandomLead(rng, 5);
    const std::string named = EncodeNamedTexts(lead);
    const auto read = [&](const std::string& record, uint32_t number, const FieldLayout& layout) {
      Lead back;
      if (record.empty()) return back;
      EXPECT_EQ(*CheckTexts(record), number);
      EXPECT_EQ(MarkOf(record).layout, number);
      const absl::Status status = DecodeTexts(record, layout, back);
      EXPECT_TRUE(status.ok()) << status;
      EXPECT_TRUE(back.has_fields);
      return back;
    };
    const Lead by_name = read(named, kNamedLayout, {});
    EXPECT_EQ(by_name.fields, lead.fields);
    EXPECT_EQ(by_name.owner, lead.owner);

    FieldLayout layout = {{"unused"}, {"owner"}};
    for (const auto& [name, value] : lead.fields) layout.push_back({name});
    layout.push_back({"unused 2"});
    const std::optional<std::string> record = EncodeTexts(lead, 9, layout);
    ASSERT_TRUE(record.has_value());
    const Lead by_layout = read(*record, 9, layout);
    EXPECT_EQ(by_layout.fields, lead.fields);
    EXPECT_EQ(by_layout.owner, lead.owner);
    EXPECT_EQ(record->empty(), lead.fields.empty() && lead.owner.empty());
    EXPECT_EQ(record->empty(), MarkOf(*record).length == 0);

    lead.fields["not of the layout"] = "x";
    EXPECT_EQ(EncodeTexts(lead, 9, layout), std::nullopt);
  }
}

// What a load writes is what a commit of the same lead would have written.
TEST(LeadRecord, ABulkEncoderWritesTheSameRecords) {
  Rng rng(3);
  Lead common;
  common.list = ListId(7);
  common.campaign = "A-CAMPAIGN-OF-MORE-THAN-EIGHT";
  common.import = ImportId(3);
  common.entry_date = kStart;
  const FieldLayout layout = {{"a"}, {"owner"}, {"b"}};
  BulkEncoder encoder(common, 4);
  for (int i = 1; i <= 500; ++i) {
    Lead lead = common;
    lead.id = LeadId(static_cast<uint64_t>(i));
    lead.phone = RandomPhone(rng);
    if (rng.Chance(0.5)) lead.alt_phone = RandomPhone(rng);
    lead.next_call_time = RandomTime(rng);
    lead.rank = static_cast<int>(rng.Below(199)) - 99;
    lead.max_attempts = static_cast<int>(rng.Below(11));
    lead.tier = rng.Chance(0.5) ? campaign::Tier::kA : campaign::Tier::kB;
    if (rng.Chance(0.7)) lead.fields["a"] = absl::StrCat("a", rng.Below(99));
    if (rng.Chance(0.7)) lead.owner = absl::StrCat("o", rng.Below(99));
    std::string fields;
    campaign::AppendFieldText(lead.Field("a"), fields);
    campaign::AppendFieldText(lead.owner, fields);
    if (lead.owner.empty()) fields.pop_back();  // empty ones at the end may be left out
    if (lead.owner.empty() && lead.fields.empty() && rng.Chance(0.5)) fields.clear();
    campaign::BulkLead bulk;
    bulk.phone = lead.phone;
    bulk.alt_phone = lead.alt_phone;
    bulk.next_call_micros = MicrosOf(lead.next_call_time);
    lead.status = std::string(BulkStatus(bulk));
    bulk.zones = 6;
    bulk.rank = static_cast<int8_t>(lead.rank);
    bulk.max_attempts = static_cast<uint8_t>(lead.max_attempts);
    bulk.tier = lead.tier;
    bulk.fields = fields;
    encoder.Encode(lead.id, bulk);
    const std::string texts = *EncodeTexts(lead, 4, layout);
    EXPECT_EQ(encoder.texts(), texts);
    EXPECT_EQ(encoder.hot(),
              EncodeHot(lead, 6,
                        MarkOf(texts).length > 0 ? MarkOf(texts) : TextsMark{kNamedLayout, 0, 0}));
  }
}

TEST(LeadRecord, EveryCutAndEveryFlippedBitIsDataLoss) {
  Rng rng(4);
  HotLead hot;
  campaign::LeadGlance glance;
  for (int i = 0; i < 20; ++i) {
    const Lead lead = RandomLead(rng, 5);
    const std::string whole = EncodeHot(lead, 1, {1, 2, 3});
    const std::string texts = EncodeNamedTexts(lead);
    for (size_t n = 0; n < whole.size(); ++n) {
      EXPECT_EQ(DecodeHot(whole.substr(0, n), hot).code(), absl::StatusCode::kDataLoss);
      EXPECT_EQ(GlanceAtHot(whole.substr(0, n), glance).code(), absl::StatusCode::kDataLoss);
    }
    for (size_t n = 0; n < texts.size(); ++n) {
      EXPECT_EQ(CheckTexts(texts.substr(0, n)).status().code(), absl::StatusCode::kDataLoss);
    }
    const auto flipped = [](std::string bytes, size_t bit) {
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
      return bytes;
    };
    for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
      EXPECT_EQ(DecodeHot(flipped(whole, bit), hot).code(), absl::StatusCode::kDataLoss);
      EXPECT_EQ(GlanceAtHot(flipped(whole, bit), glance).code(), absl::StatusCode::kDataLoss);
    }
    for (size_t bit = 0; bit < texts.size() * 8; ++bit) {
      EXPECT_EQ(CheckTexts(flipped(texts, bit)).status().code(), absl::StatusCode::kDataLoss);
    }
  }
}

// Bytes that only look like a record: the checksum is made right so that the parser is reached.
TEST(LeadRecord, SurvivesRandomBytesBehindAGoodChecksum) {
  Rng rng(5);
  const FieldLayout layout = {{"a"}, {"owner"}, {"b"}};
  HotLead hot;
  int understood = 0;
  for (int i = 0; i < 30'000; ++i) {
    std::string body = EncodeHot(RandomLead(rng, 9), 1, {1, 2, 3});
    std::string texts = EncodeNamedTexts(RandomLead(rng, 9));
    for (std::string* record : {&body, &texts}) {
      if (record->size() > 4) record->resize(record->size() - 4);
      for (uint64_t n = rng.Below(4); n > 0 && !record->empty(); --n) {
        (*record)[rng.Below(record->size())] = static_cast<char>(rng.Next());
      }
      if (rng.Chance(0.3)) record->resize(rng.Below(record->size() + 1));
      *record = WithChecksum(*record);
    }
    const absl::Status status = DecodeHot(body, hot);
    EXPECT_TRUE(status.ok() || status.code() == absl::StatusCode::kDataLoss ||
                status.code() == absl::StatusCode::kFailedPrecondition)
        << status;
    campaign::LeadGlance glance;
    CampaignOfHot(body);  // reads nothing outside
    EXPECT_TRUE(!status.ok() || GlanceAtHot(body, glance).ok());
    if (status.ok()) {
      ++understood;
      EXPECT_EQ(EncodeHot(hot.lead, hot.zones, hot.texts).size(), body.size());
    }
    Lead lead;
    if (CheckTexts(texts).ok()) {
      const absl::Status read = DecodeTexts(texts, layout, lead);
      EXPECT_TRUE(read.ok() || read.code() == absl::StatusCode::kDataLoss) << read;
    }
    campaign::PhoneUse use;
    const absl::Status entry = DecodePhoneUse(body.substr(0, rng.Below(20)), texts, use);
    EXPECT_TRUE(entry.ok() || entry.code() == absl::StatusCode::kDataLoss) << entry;
    Dictionary dictionary;
    for (const absl::Status& loaded :
         {dictionary.LoadZones(1, texts), dictionary.LoadLayout(1, texts)}) {
      EXPECT_TRUE(loaded.ok() || loaded.code() == absl::StatusCode::kDataLoss ||
                  loaded.code() == absl::StatusCode::kFailedPrecondition)
          << loaded;
    }
  }
  EXPECT_GT(understood, 100);  // else nothing but the first check was exercised
}

TEST(LeadRecord, OfANewerVersionIsRefusedWithAReason) {
  std::string body = EncodeHot(RandomLead(*std::make_unique<Rng>(6), 5), 0, {});
  body.resize(body.size() - 4);
  body[0] = 3;
  HotLead hot;
  const absl::Status status = DecodeHot(WithChecksum(body), hot);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("version 3"));
}

TEST(Dictionary, GivesEachSetOneNumberAndKeepsItOverARestart) {
  Dictionary first;
  EXPECT_EQ(first.AddZones({"Asia/Shanghai"}), 1u);
  EXPECT_EQ(first.AddZones({"Asia/Shanghai", "Asia/Urumqi"}), 2u);
  EXPECT_EQ(first.AddLayout({{"a"}, {"b", campaign::FieldType::kDate}}), 1u);
  uint32_t number = 99;
  EXPECT_TRUE(first.FindZones({"Asia/Shanghai", "Asia/Urumqi"}, number));
  EXPECT_EQ(number, 2u);
  EXPECT_TRUE(first.FindZones({}, number));
  EXPECT_EQ(number, 0u);
  EXPECT_FALSE(first.FindZones({"Asia/Urumqi"}, number));
  EXPECT_FALSE(first.FindLayout({{"a"}, {"b"}}, number)) << "types count";

  const std::shared_ptr<const DictionaryView> before = first.view();
  EXPECT_EQ(before->Zones(3), nullptr);
  Dictionary second;
  ASSERT_TRUE(second.LoadZones(1, EncodeZones(*before->Zones(1))).ok());
  ASSERT_TRUE(second.LoadZones(2, EncodeZones(*before->Zones(2))).ok());
  ASSERT_TRUE(second.LoadLayout(1, EncodeLayout(*before->Layout(1))).ok());
  EXPECT_EQ(*second.view()->Layout(1), *before->Layout(1));
  EXPECT_EQ(*second.view()->Zones(2), *before->Zones(2));
  EXPECT_EQ(second.LoadZones(4, EncodeZones({"UTC"})).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace outpace::store
