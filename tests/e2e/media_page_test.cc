// The agent's page while a call is on: the row of buttons for the call's sound, and what it says of
// a machine. A browser, a telephone, a called person, as an agent works.

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "tests/e2e/media_fixture.h"
#include "tests/e2e/webdriver.h"

namespace outpace::e2e {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MediaPageTest : public MediaTest {
 protected:
  // A callee with this sound; anna is logged in with the browser, and ready.
  void BeginAtThePage(const std::vector<int16_t>& sound, const std::vector<std::string>& settings) {
    callee_ = std::make_unique<Callee>(engine_.far_end_port(), Callee::Manner::kAnswer);
    callee_->WhenCalled([this, sound](const std::string&) {
      if (sound.empty()) {
        lead().Say(Source::kLead);
      } else {
        lead().Play(sound);
      }
    });
    ASSERT_NO_FATAL_FAILURE(Begin(settings));
    auto browser = WebDriver::Start();
    ASSERT_TRUE(browser.ok()) << browser.status();
    browser_ = *std::move(browser);
    ASSERT_TRUE(browser_->Open(absl::StrCat(engine_.Url(), "/agent.html")).ok());
    ASSERT_TRUE(browser_->Type("#user", "anna").ok());
    ASSERT_TRUE(browser_->Type("#campaign", "DEMO").ok());
    ASSERT_TRUE(browser_->Type("#phone", phone_.uri()).ok());
    ASSERT_TRUE(browser_->Type("#password", "secret\n").ok());
    ExpectUntil("!document.getElementById('work-view').hidden");
    ASSERT_TRUE(phone_.WaitUntilUp(kSoon));
    agent_voice_ = std::make_unique<Voice>(phone_.audio());
    agent().Say(Source::kAgent);
    EXPECT_FALSE(Visible("audio-row")) << "without a call there is nothing to hold";
    EXPECT_FALSE(Visible("machine"));
    ASSERT_TRUE(browser_->Press(kF2).ok());
    ExpectUntil("document.getElementById('state-word').textContent === 'READY'");
    EXPECT_FALSE(Visible("audio-row"));
    StartDialing();
    ExpectUntil("document.getElementById('state-word').textContent === 'INCALL'");
    ExpectUntil(kRowIsVisible);
  }
  json Run(absl::string_view script) {
    const auto value = browser_->Run(script);
    EXPECT_TRUE(value.ok()) << value.status();
    return value.value_or(json());
  }
  void ExpectUntil(absl::string_view expression) {
    const absl::Status status = browser_->WaitUntil(expression, kSoon);
    EXPECT_TRUE(status.ok()) << status << "\n" << Run("return document.body.innerText").dump();
  }
  // As a person sees it, not as the attribute says.
  bool Visible(const std::string& id) {
    return Run(absl::StrCat("const box = document.getElementById('", id,
                            "').getBoundingClientRect(); return box.width * box.height > 0"))
        .get<bool>();
  }
  void Click(const std::string& id) {
    const absl::Status clicked = browser_->Click(absl::StrCat("#", id));
    EXPECT_TRUE(clicked.ok()) << clicked;
  }
  void ExpectPressed(const std::string& id, bool pressed) {
    ExpectUntil(absl::StrCat("document.getElementById('", id,
                             "').getAttribute('aria-pressed') === '", pressed ? "true" : "false",
                             "'"));
    // And looks so: another colour than a button that is never pressed.
    const auto colour = [](absl::string_view button) {
      return absl::StrCat("getComputedStyle(document.getElementById('", button,
                          "')).backgroundColor");
    };
    ExpectUntil(absl::StrCat(colour(id), pressed ? " !== " : " === ", colour("voicemail")));
  }
  bool Disabled(const std::string& id) {
    return Run(absl::StrCat("return document.getElementById('", id, "').disabled")).get<bool>();
  }
  void Screenshot(const std::string& name) {
    const auto png = browser_->Screenshot();
    ASSERT_TRUE(png.ok()) << png.status();
    EXPECT_GT(png->size(), 5000u);
    WriteFileOrDie(engine_.dir() / absl::StrCat(name, ".png"), *png);
    EXPECT_TRUE(browser_->SaveScreenshot(name).ok());
  }
  void ExpectNoErrors() {
    const auto errors = browser_->Errors();
    ASSERT_TRUE(errors.ok()) << errors.status();
    EXPECT_THAT(*errors, IsEmpty());
  }
  void TearDown() override {
    if (browser_ == nullptr) return;
    EXPECT_TRUE(browser_->Click("#logout").ok());
    EXPECT_TRUE(phone_.WaitUntilDown(kSoon));
    agent_voice_.reset();
  }

  static constexpr char kRowIsVisible[] =
      "document.getElementById('audio-row').getBoundingClientRect().height > 0";
  DeskPhone phone_;
  std::unique_ptr<WebDriver> browser_;
};

TEST_F(MediaPageTest, ButtonsDoWhatTheySayAndShowIt) {
  ASSERT_NO_FATAL_FAILURE(
      BeginAtThePage({}, {"amd_mode=OFF", "hold_music=music", "campaign_recording=ALLFORCE"}));
  EXPECT_EQ(Run("return [...document.querySelectorAll('#audio-row button')].map("
                "(b) => b.textContent.trim())"),
            json({"Hold", "Mute", "Record", "Pause recording", "Drop voicemail"}));
  EXPECT_EQ(agent().WaitToHear({Source::kLead}), "");
  ExpectPressed("hold", false);
  ExpectPressed("mute", false);
  ExpectPressed("record", true);
  EXPECT_TRUE(Disabled("record")) << "every call is recorded to its end";
  EXPECT_FALSE(Disabled("record-pause"));

  Click("hold");
  ExpectPressed("hold", true);
  EXPECT_EQ(lead().WaitToHear({Source::kMusic}), "");
  Click("hold");
  ExpectPressed("hold", false);
  EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
  Click("mute");
  ExpectPressed("mute", true);
  EXPECT_EQ(lead().WaitToHear({}), "");
  Click("record-pause");
  ExpectPressed("record-pause", true);
  Screenshot("e2e-agent-audio");
  Click("record-pause");
  ExpectPressed("record-pause", false);
  Click("mute");
  ExpectPressed("mute", false);
  EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
  EXPECT_FALSE(Visible("machine"));

  // The browser's page is loaded anew in the middle of it: the buttons still tell the truth.
  Click("mute");
  ExpectPressed("mute", true);
  ASSERT_TRUE(browser_->Run("location.reload()").ok());
  ExpectUntil(absl::StrCat("document.readyState === 'complete' && ", kRowIsVisible));
  ExpectPressed("mute", true);
  ExpectPressed("record", true);

  Click("hangup");
  ExpectUntil("document.getElementById('state-word').textContent === 'DISPO'");
  ExpectUntil(absl::StrCat("!(", kRowIsVisible, ")"));
  ExpectNoErrors();
}

TEST_F(MediaPageTest, SaysThatItSoundsLikeAMachine) {
  ASSERT_NO_FATAL_FAILURE(BeginAtThePage(LoadClip("scenes/m004_voicemail_beep.wav"),
                                         {"cpd_amd_action=FLAG", "am_message=message"}));
  ExpectUntil("document.getElementById('machine').getBoundingClientRect().height > 0");
  EXPECT_EQ(Run("return document.getElementById('machine').textContent"),
            "This sounds like a machine.");
  Screenshot("e2e-agent-machine");
  EXPECT_TRUE(lead().WaitUntilPlayed(kSoon));
  Click("voicemail");
  EXPECT_EQ(lead().WaitToHear({Source::kMessage}), "");
  ExpectUntil("document.getElementById('state-word').textContent === 'READY'");
  EXPECT_FALSE(Visible("machine"));
  EXPECT_FALSE(Visible("audio-row"));
  EXPECT_TRUE(callee_->WaitUntilDown(kSoon));
  ExpectNoErrors();
}

}  // namespace
}  // namespace outpace::e2e
