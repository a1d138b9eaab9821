#include "tests/e2e/media_fixture.h"

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/codec/wav.h"

namespace outpace::e2e {

using nlohmann::json;

bool Extra::PickUp(Source says) {
  if (!phone->WaitUntilUp(kSoon)) return false;
  voice = std::make_unique<Voice>(phone->audio());
  voice->Say(says);
  return true;
}

MediaTest::MediaTest() {
  const std::string prompts = engine_.dir() / "prompts";
  std::filesystem::create_directory(prompts);
  const absl::Duration length = absl::Seconds(2);
  WriteWav(absl::StrCat(prompts, "/music.wav"),
           Join(std::vector<std::vector<int16_t>>(20, ToneLoop(Source::kMusic))));
  WriteWav(absl::StrCat(prompts, "/message.wav"), ToneOf(Source::kMessage, length));
  WriteWav(absl::StrCat(prompts, "/whisper.wav"), ToneOf(Source::kWhisper, absl::Seconds(1)));
  WriteWav(absl::StrCat(prompts, "/sorry.wav"), ToneOf(Source::kSafeHarbor, length));
  engine_.AddMediaConfig(absl::StrCat("prompts_directory = \"", prompts, "\""));
}

void MediaTest::Begin(const std::vector<std::string>& settings,
                      const std::vector<std::string>& numbers) {
  const absl::Status started = engine_.Start();
  ASSERT_TRUE(started.ok()) << started;
  std::vector<std::string> all = {"dial_method=PROGRESSIVE"};
  all.insert(all.end(), settings.begin(), settings.end());
  engine_.CreateCampaign(all);
  engine_.Import(LeadsCsv(numbers));
  engine_.AddAgent("anna");
}

void MediaTest::LogIn() {
  auto desk = Desk::LogIn(engine_.Url(), "anna");
  ASSERT_TRUE(desk.ok()) << desk.status();
  desk_ = *std::move(desk);
  agent_voice_ = std::make_unique<Voice>(desk_->phone().audio());
  agent_voice_->Say(Source::kAgent);
  const absl::Status ready = desk_->Ready();
  ASSERT_TRUE(ready.ok()) << ready;
  ASSERT_TRUE(desk_->WaitForState("READY", kSoon));
}

void MediaTest::BeginCall(const std::vector<std::string>& settings,
                          const std::vector<std::string>& numbers, int codec) {
  callee_ = std::make_unique<Callee>(engine_.far_end_port(), Callee::Manner::kAnswer, codec);
  callee_->WhenCalled([this](const std::string& number) {
    lead().Say(absl::EndsWith(number, kNextNumber) ? Source::kNextLead : Source::kLead);
  });
  ASSERT_NO_FATAL_FAILURE(Begin(settings, numbers));
  ASSERT_NO_FATAL_FAILURE(LogIn());
  StartDialing();
}

json MediaTest::TakePop() {
  const json pop = desk_->Take("pop", kSoon);
  EXPECT_FALSE(pop.is_null()) << "no pop";
  if (!pop.is_null()) {
    EXPECT_TRUE(desk_->WaitForState("INCALL", kSoon));
  }
  return pop;
}

void MediaTest::Dispose(const json& pop, const std::string& status) {
  const json ended = desk_->Take("call_ended", kSoon);
  ASSERT_FALSE(ended.is_null()) << "no call_ended";
  EXPECT_EQ(ended["attempt"], pop["attempt"]);
  const absl::Status disposed = desk_->Dispose(pop["attempt"], status);
  EXPECT_TRUE(disposed.ok()) << disposed;
}

void MediaTest::HangUpAndDispose(const json& pop, const std::string& status) {
  const absl::Status hung_up = desk_->HangUp();
  EXPECT_TRUE(hung_up.ok()) << hung_up;
  Dispose(pop, status);
}

void MediaTest::LeaveDesk() {
  agent_voice_.reset();  // it speaks through the desk's telephone
  desk_.reset();
}

void MediaTest::Do(const std::string& verb, const json& body) {
  const auto done = desk_->Ask(verb, body);
  EXPECT_TRUE(done.ok()) << done.status();
}

std::string MediaTest::Refused(const std::string& verb, const json& body) {
  const auto done = desk_->Ask(verb, body);
  EXPECT_FALSE(done.ok()) << verb << " should be refused";
  return done.ok() ? "" : std::string(done.status().message());
}

json MediaTest::TakeAudio(const std::string& field, const json& value) {
  const Deadline deadline(kSoon);
  for (;;) {
    const json event = desk_->Take("audio", deadline.left());
    EXPECT_FALSE(event.is_null()) << "no audio event with " << field << " " << value;
    if (event.is_null() || event.value(field, json()) == value) return event;
  }
}

CsvRow MediaTest::ClosedCall(const std::string& number) {
  CsvRow found;
  const bool closed = engine_.WaitUntil(kSoon, [&] {
    for (const CsvRow& row : engine_.ExportCalls()) {
      if (!absl::EndsWith(row.at("phone_number_dialed"), number) || row.at("open") != "N") continue;
      found = row;
      return true;
    }
    return false;
  });
  EXPECT_TRUE(closed) << "no closed attempt of this number in the export";
  return found;
}

void MediaTest::TearDown() {
  if (desk_ == nullptr || !engine_.Running()) return;
  const absl::Status out = desk_->LogOut();
  EXPECT_TRUE(out.ok()) << out;
  EXPECT_TRUE(desk_->phone().WaitUntilDown(kSoon));
  agent_voice_.reset();
  const auto code = engine_.Terminate(kSoon);
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0) << engine_.Log();
}

std::vector<int16_t> LoadClip(const std::string& name) {
  auto samples = codec::LoadWav(absl::StrCat(OUTPACE_SOURCE_DIR, "/tests/data/audio/", name));
  OUTPACE_CHECK(samples.ok());
  return *std::move(samples);
}

}  // namespace outpace::e2e
