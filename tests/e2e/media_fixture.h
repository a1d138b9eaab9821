#pragma once

// One engine, one agent with a telephone, and called persons, for tests that listen to calls.

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/desk.h"
#include "tests/e2e/engine_fixture.h"
#include "tests/e2e/media_callee.h"
#include "tests/e2e/media_voice.h"

namespace outpace::e2e {

inline constexpr char kLeadNumber[] = "2025550123";
inline constexpr char kNextNumber[] = "2025550124";
// On a machine that does other things too.
inline constexpr absl::Duration kSoon = absl::Seconds(20);

// Somebody whose telephone the engine rings, beside agent and callee: a supervisor, a third party.
struct Extra {
  Extra() { phone = std::make_unique<DeskPhone>(); }
  std::string uri() const { return phone->uri(); }
  // Speaks and listens once the telephone was answered.
  bool PickUp(Source says);
  std::unique_ptr<DeskPhone> phone;
  std::unique_ptr<Voice> voice;
};

class MediaTest : public ::testing::Test {
 protected:
  // Prompts that campaigns may name: "music", "message", "whisper" and "sorry", each in the tones
  // of its Source.
  MediaTest();

  // Starts the engine and a paused campaign with `settings` and these leads.
  void Begin(const std::vector<std::string>& settings,
             const std::vector<std::string>& numbers = {kLeadNumber});
  // Agent anna at her desk, speaking in her tones, READY.
  void LogIn();
  void StartDialing() { engine_.Must({"campaign", "start", "DEMO"}); }
  // All of the above, and a callee who answers at once, speaking in the lead's tones (the next
  // lead's when the other number is rung).
  void BeginCall(const std::vector<std::string>& settings,
                 const std::vector<std::string>& numbers = {kLeadNumber}, int codec = 0);
  // The pop of the call that came through; the agent is INCALL.
  nlohmann::json TakePop();
  // The agent hangs up or was hung up on, and disposes of the call.
  void Dispose(const nlohmann::json& pop, const std::string& status = "SALE");
  void HangUpAndDispose(const nlohmann::json& pop, const std::string& status = "SALE");

  // Who is logged out already, or whose engine died: TearDown() is not to log out.
  void LeaveDesk();

  // A verb of the agent that must succeed: Do("hold", {{"on", true}}).
  void Do(const std::string& verb, const nlohmann::json& body = nlohmann::json::object());
  // One that must be refused; what the engine said.
  std::string Refused(const std::string& verb, const nlohmann::json& body);
  // The next "audio" event for which `field` is `value`.
  nlohmann::json TakeAudio(const std::string& field, const nlohmann::json& value);

  // The row of this number, once it is closed.
  CsvRow ClosedCall(const std::string& number = kLeadNumber);
  Voice& lead() { return callee_->voice(); }
  Voice& agent() { return *agent_voice_; }

  void TearDown() override;

  Engine engine_;
  std::unique_ptr<Callee> callee_;
  std::unique_ptr<Desk> desk_;
  std::unique_ptr<Voice> agent_voice_;
};

// Audio that tests/data/audio holds as 8 kHz mono WAV.
std::vector<int16_t> LoadClip(const std::string& name);

}  // namespace outpace::e2e
