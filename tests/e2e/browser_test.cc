// The pages against the running engine, as people use them: a wallboard over a floor of simulated
// agents, and an agent who does a call with the browser and a telephone.

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/desk.h"
#include "tests/e2e/farend_programs.h"
#include "tests/e2e/webdriver.h"

namespace outpace::e2e {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kAgents = 12;
constexpr absl::Duration kSoon = absl::Seconds(20);

// People who stay until the agent hangs up, a few lines that are busy.
constexpr char kPeople[] = R"(seed = 5
[class.human]
share = 0.75
post_dial_delay = 0.05
ring = { law = "uniform", min_s = 0.2, max_s = 1.5 }
patience = "never"
[class.busy]
share = 0.25
)";

// What the card of campaign DEMO shows and what GET /v1/board says, read in one go: the page's
// figures by their label in English.
constexpr char kShownAndTold[] = R"js(
  const card = document.querySelector('[data-campaign=DEMO]');
  const number = (text) => Number(text.replaceAll(',', ''));
  const shown = {};
  for (const box of card.querySelectorAll('.figures > *')) {
    const n = box.querySelector('.n');
    const label = box.querySelector('[data-t]').dataset.t;
    shown[label] = number(n.textContent);
  }
  return fetch('/v1/board').then((r) => r.json()).then((board) => ({
    shown,
    text: card.textContent,
    why: [...card.querySelectorAll('.explain li')].map((li) => li.textContent),
    rows: document.querySelectorAll('#agents tr').length,
    trunks: document.getElementById('trunks').textContent,
    board,
  }));
)js";

class BrowserTest : public ::testing::Test {
 protected:
  void Begin(const std::vector<std::string>& settings, int leads) {
    const absl::Status started = engine_.Start();
    ASSERT_TRUE(started.ok()) << started;
    auto carrier = FarEndProgram::Carrier(engine_, kPeople);
    ASSERT_TRUE(carrier.ok()) << carrier.status();
    carrier_ = *std::move(carrier);
    engine_.CreateCampaign(settings);
    engine_.Import(LeadsCsv(FictionalNumbers(leads)));
    auto browser = WebDriver::Start();
    ASSERT_TRUE(browser.ok()) << browser.status();
    browser_ = *std::move(browser);
  }
  json Run(absl::string_view script) {
    const auto value = browser_->Run(script);
    EXPECT_TRUE(value.ok()) << value.status();
    return value.value_or(json());
  }
  std::string Text(absl::string_view css) {
    const auto text = browser_->Text(css);
    EXPECT_TRUE(text.ok()) << text.status();
    return text.value_or("");
  }
  void ExpectUntil(absl::string_view expression) {
    const absl::Status status = browser_->WaitUntil(expression, kSoon);
    EXPECT_TRUE(status.ok()) << status << "\n" << Run("return document.body.innerText").dump();
  }
  void Screenshot(const std::string& name) {
    const absl::Status saved = browser_->SaveScreenshot(name);
    EXPECT_TRUE(saved.ok()) << saved;
  }
  void ExpectNoErrors() {
    const auto errors = browser_->Errors();
    ASSERT_TRUE(errors.ok()) << errors.status();
    EXPECT_THAT(*errors, IsEmpty());
  }

  Engine engine_;
  std::unique_ptr<FarEndProgram> carrier_, agents_;
  std::unique_ptr<WebDriver> browser_;
};

TEST_F(BrowserTest, WallboardGrowsAndAgreesWithTheEngine) {
  ASSERT_NO_FATAL_FAILURE(Begin({"dial_method=RATIO", "auto_dial_level=1.5", "name=Spring renewal"},
                                /*leads=*/1500));
  for (int i = 1; i <= kAgents; ++i) engine_.AddAgent(absl::StrCat("a", i));
  auto agents = FarEndProgram::Agents(
      engine_, kAgents,
      {"--talk-mean", "2", "--wrap-mean", "0.5", "--dispositions", "SALE=30,NI=70"});
  ASSERT_TRUE(agents.ok()) << agents.status();
  agents_ = *std::move(agents);

  ASSERT_TRUE(browser_->Open(absl::StrCat(engine_.Url(), "/")).ok());
  ExpectUntil("document.getElementById('connection').textContent === 'Live'");
  ExpectUntil(absl::StrCat("document.querySelectorAll('#agents tr').length === ", kAgents));
  ExpectUntil(
      "document.querySelector('[data-campaign=DEMO] .why').textContent === "
      "'the campaign is paused'");
  EXPECT_EQ(Run(kShownAndTold)["shown"]["attempts"], 0);
  engine_.Must({"campaign", "start", "DEMO"});

  // The figures grow, and never run backwards.
  json last = Run(kShownAndTold)["shown"];
  int looks = 0, grown = 0;
  const bool enough = engine_.WaitUntil(absl::Seconds(60), [&] {
    const json now = Run(kShownAndTold)["shown"];
    for (const char* figure : {"attempts", "answered", "connected", "sales"}) {
      EXPECT_GE(now[figure], last[figure]) << figure;
    }
    EXPECT_LE(now["connected"], now["answered"]);
    EXPECT_LE(now["answered"], now["attempts"]);
    ++looks;
    grown += now["attempts"] > last["attempts"] ? 1 : 0;
    last = now;
    return now["attempts"] >= 60 && now["sales"] >= 3;
  });
  EXPECT_TRUE(enough) << last.dump();
  EXPECT_GE(grown, 5) << "in " << looks << " looks";
  Screenshot("e2e-board-live");
  EXPECT_GT(last["INCALL"], 0);

  // While it runs, page and /v1/board tell the same snapshot; a second may tick between the two.
  bool agreed = false;
  for (int look = 0; look < 20 && !agreed; ++look) {
    const json both = Run(kShownAndTold);
    const json& told = both["board"]["campaigns"][0];
    agreed = true;
    for (const char* figure : {"attempts", "answered", "connected", "abandoned", "sales"}) {
      agreed &= both["shown"][figure] == told["today"][figure];
    }
    for (const char* figure : {"ringing", "waiting", "talking"}) {
      agreed &= both["shown"][figure] == told["calls"][figure];
    }
  }
  EXPECT_TRUE(agreed);

  // Why this many calls: the page shows the engine's sentences, in the language of the page.
  bool explained = false;
  for (int look = 0; look < 20 && !explained; ++look) {
    const json both = Run(kShownAndTold);
    explained = both["why"].size() >= 5 &&
                both["why"] == both["board"]["campaigns"][0]["pacing"]["why"]["en"];
  }
  EXPECT_TRUE(explained);
  EXPECT_THAT(Text("[data-campaign=DEMO] .explain li"), HasSubstr("call"));
  const std::string why = engine_.Must({"campaign", "why", "DEMO", "--last", "3"});
  EXPECT_THAT(why, HasSubstr("Campaign DEMO, "));
  EXPECT_THAT(why, HasSubstr("Agents: "));
  const json told_why =
      json::parse(engine_.Must({"campaign", "why", "DEMO", "--last", "3", "--json"}));
  EXPECT_EQ(told_why["decisions"].size(), 3u);
  EXPECT_EQ(told_why["campaign"], "DEMO");
  EXPECT_EQ(engine_.Run({"campaign", "why", "NONE"}).code, 1);
  EXPECT_THAT(engine_.Log(), HasSubstr("pacing.decision"));
  ASSERT_TRUE(browser_->Click("#lang").ok());
  ExpectUntil(
      "document.querySelector('[data-campaign=DEMO] .explain li').textContent.includes('呼叫')");
  Screenshot("e2e-board-why-zh");
  ASSERT_TRUE(browser_->Click("#lang").ok());

  // At rest every figure agrees, with the export too.
  engine_.Must({"campaign", "pause", "DEMO"});
  engine_.WaitForBoard("a floor at rest", absl::Seconds(40), [](const json& b) {
    const json& c = b["campaigns"][0];
    return c["calls"]["ringing"] == 0 && c["calls"]["talking"] == 0 && c["calls"]["waiting"] == 0 &&
           c["agents"]["dispo"] == 0 && c["agents"]["incall"] == 0;
  });
  ExpectUntil(
      "document.querySelector('[data-campaign=DEMO] .why').textContent === "
      "'the campaign is paused'");
  json both;
  EXPECT_TRUE(engine_.WaitUntil(kSoon, [&] {
    both = Run(kShownAndTold);
    return both["shown"]["READY"] == kAgents && both["shown"]["ringing"] == 0;
  })) << both.dump(1);
  const json& told = both["board"]["campaigns"][0];
  for (const char* figure : {"attempts", "answered", "connected", "abandoned", "sales"}) {
    EXPECT_EQ(both["shown"][figure], told["today"][figure]) << figure;
  }
  EXPECT_EQ(both["rows"], kAgents);
  EXPECT_THAT(both["trunks"].get<std::string>(), HasSubstr("carrier"));
  EXPECT_THAT(both["text"].get<std::string>(), HasSubstr("Spring renewal"));
  Screenshot("e2e-board-rest");
  int attempts = 0, connected = 0, sales = 0;
  for (const CsvRow& row : engine_.ExportCalls()) {
    attempts += row.at("sent") == "Y" ? 1 : 0;
    connected += row.at("connected_ms").empty() ? 0 : 1;
    sales += row.at("status") == "SALE" ? 1 : 0;
  }
  EXPECT_EQ(both["shown"]["attempts"], attempts);
  EXPECT_EQ(both["shown"]["connected"], connected);
  EXPECT_EQ(both["shown"]["sales"], sales);
  ExpectNoErrors();
  const auto stopped = agents_->Stop(kSoon);
  EXPECT_TRUE(stopped.ok()) << stopped.status();
}

TEST_F(BrowserTest, AgentWorksACallWithThePage) {
  ASSERT_NO_FATAL_FAILURE(Begin({"dial_method=PROGRESSIVE"}, /*leads=*/40));
  engine_.AddAgent("anna");
  DeskPhone phone;
  ASSERT_TRUE(browser_->Open(absl::StrCat(engine_.Url(), "/agent.html")).ok());
  ExpectUntil("document.activeElement.id === 'user'");
  ASSERT_TRUE(browser_->Type("#user", "anna").ok());
  ASSERT_TRUE(browser_->Type("#campaign", "DEMO").ok());
  ASSERT_TRUE(browser_->Type("#phone", phone.uri()).ok());
  ASSERT_TRUE(browser_->Type("#password", "wrong\n").ok());
  ExpectUntil("document.getElementById('login-error').textContent === 'wrong user or password'");
  ASSERT_TRUE(browser_->Run("document.getElementById('password').value = ''").ok());
  ASSERT_TRUE(browser_->Type("#password", "secret\n").ok());
  ExpectUntil("!document.getElementById('work-view').hidden");
  ASSERT_TRUE(phone.WaitUntilUp(kSoon)) << "the dialer rings the telephone at login";
  ExpectUntil("document.getElementById('phone-state').classList.contains('good')");
  ExpectUntil("document.getElementById('state-word').textContent === 'PAUSED'");

  ASSERT_TRUE(browser_->Press(kF2).ok());
  ExpectUntil("document.getElementById('state-word').textContent === 'READY'");
  engine_.Must({"campaign", "start", "DEMO"});
  ExpectUntil("document.getElementById('state-word').textContent === 'INCALL'");
  ExpectUntil("!document.getElementById('lead-body').hidden");
  // The name on the screen belongs to the number on the screen.
  const std::string number = Text("#lead-phone"), name = Text("#lead-name");
  ASSERT_EQ(number.size(), 12u) << number;
  const int lead = std::stoi(number.substr(10));
  EXPECT_EQ(name, absl::StrCat("Given", lead, " Family", lead));
  EXPECT_EQ(Text("[data-field=city] dd"), "Springfield");
  engine_.Must({"campaign", "pause", "DEMO"});  // one call is enough
  Screenshot("e2e-agent-call");

  // The person is heard: their voice reaches the telephone as packets with sound in them.
  bool sound = false;
  for (const AudioPacket& packet : phone.audio().Receive(absl::Seconds(2), 50)) {
    sound |= packet.payload.find_first_not_of("\xff\x7f\xd5") != std::string::npos;
  }
  EXPECT_TRUE(sound);

  ASSERT_TRUE(browser_->Press(kF8).ok());
  ExpectUntil("document.getElementById('state-word').textContent === 'DISPO'");
  ASSERT_TRUE(browser_->Type("#note", "wants 2 panels, calls it \"fine\"").ok());
  ASSERT_TRUE(browser_->Press(kEscape).ok());
  ASSERT_TRUE(browser_->Press("1").ok());
  ExpectUntil("document.getElementById('finish-status').textContent === 'Saved: Sale Made'");
  ExpectUntil("document.getElementById('state-word').textContent === 'READY'");
  Screenshot("e2e-agent-saved");

  const CsvRow* sale = nullptr;
  const std::vector<CsvRow> rows = engine_.ExportCalls();
  for (const CsvRow& row : rows) {
    if (row.at("status") == "SALE") sale = &row;
  }
  ASSERT_NE(sale, nullptr);
  EXPECT_EQ(absl::StrCat("+", sale->at("phone_number_dialed")), number);
  EXPECT_EQ(sale->at("user"), "anna");
  EXPECT_EQ(sale->at("last_name"), absl::StrCat("Family", lead));
  EXPECT_EQ(sale->at("note"), "wants 2 panels, calls it \"fine\"");
  EXPECT_EQ(sale->at("lead_status_now"), "SALE");
  EXPECT_EQ(sale->at("term_reason"), "AGENT");

  ASSERT_TRUE(browser_->Click("#logout").ok());
  ExpectUntil("!document.getElementById('login-view').hidden");
  EXPECT_TRUE(phone.WaitUntilDown(kSoon)) << "the line ends with the session";
  const auto errors = browser_->Errors();
  ASSERT_TRUE(errors.ok()) << errors.status();
  for (const std::string& error : *errors) {
    EXPECT_THAT(error, HasSubstr("401")) << "only the wrong password may be told";
  }
}

}  // namespace
}  // namespace outpace::e2e
