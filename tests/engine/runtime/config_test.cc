// The configuration file: what it means, and that every fault is told with its line and a remedy.

#include "engine/runtime/config.h"

#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kGood[] =
    "data_dir = \"/tmp/x\"\n"
    "[[trunk]]\n"
    "name = \"carrier\"\n"
    "peer = \"192.0.2.10:5060\"\n";

// What is wrong with kGood and `more` below it.
std::string Fault(absl::string_view more) {
  const auto config = ParseConfig(absl::StrCat(kGood, more), "o.toml");
  EXPECT_FALSE(config.ok());
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(config.status().message());
}

void ExpectSameDefaults(const trunk::TrunkSettings& shown, const trunk::TrunkSettings& least) {
  EXPECT_EQ(shown.transport, least.transport);
  EXPECT_EQ(shown.tls_name, least.tls_name);
  EXPECT_EQ(shown.srtp, least.srtp);
  EXPECT_EQ(shown.auth_user, least.auth_user);
  EXPECT_EQ(shown.auth_password, least.auth_password);
  EXPECT_EQ(shown.auth_realm, least.auth_realm);
  EXPECT_EQ(shown.registers, least.registers);
  EXPECT_EQ(shown.register_domain, least.register_domain);
  EXPECT_EQ(shown.register_expires, least.register_expires);
  EXPECT_EQ(shown.options_interval, least.options_interval);
  EXPECT_EQ(shown.hundred_rel, least.hundred_rel);
  EXPECT_EQ(shown.session_expires, least.session_expires);
  EXPECT_EQ(shown.weight, least.weight);
  EXPECT_EQ(shown.cost_per_minute, least.cost_per_minute);
  EXPECT_TRUE(shown.prefixes.empty());
  EXPECT_TRUE(shown.caller_ids.numbers.empty());
  EXPECT_EQ(shown.identity.p_asserted_identity, least.identity.p_asserted_identity);
  EXPECT_EQ(shown.identity.privacy, least.identity.privacy);
  EXPECT_EQ(shown.identity.diversion, least.identity.diversion);
  EXPECT_TRUE(shown.identity.headers.empty());
  EXPECT_EQ(shown.stir.private_key_file, least.stir.private_key_file);
  EXPECT_EQ(shown.disposition_table, least.disposition_table);
  EXPECT_TRUE(shown.inbound.empty());
}

TEST(Config, TheShippedFileParsesAndShowsTheDefaults) {
  std::ifstream file(OUTPACE_SOURCE_DIR "/docs/outpace.toml");
  std::stringstream text;
  text << file.rdbuf();
  const auto shipped = ParseConfig(text.str(), "outpace.toml");
  ASSERT_TRUE(shipped.ok()) << shipped.status();
  const auto least = ParseConfig(kGood, "o.toml");
  ASSERT_TRUE(least.ok()) << least.status();
  EXPECT_EQ(shipped->data_dir, "/var/lib/outpace");
  ASSERT_EQ(shipped->trunks.size(), 1u);
  EXPECT_EQ(shipped->trunks[0].name, "carrier");
  EXPECT_EQ(shipped->trunks[0].peer, "192.0.2.10:5060");
  EXPECT_EQ(shipped->trunks[0].calls_per_second, least->trunks[0].calls_per_second);
  EXPECT_EQ(shipped->trunks[0].calls_max, least->trunks[0].calls_max);
  EXPECT_EQ(shipped->trunks[0].unanswered_max, least->trunks[0].unanswered_max);
  ExpectSameDefaults(shipped->trunks[0], least->trunks[0]);
  EXPECT_EQ(shipped->sip_listen.ToString(), least->sip_listen.ToString());
  EXPECT_EQ(shipped->tls.port, least->tls.port);
  EXPECT_EQ(shipped->tls.certificate_file, least->tls.certificate_file);
  EXPECT_EQ(shipped->tls.key_file, least->tls.key_file);
  EXPECT_EQ(shipped->tls.ca_file, least->tls.ca_file);
  EXPECT_EQ(shipped->trace_mib, least->trace_mib);
  EXPECT_EQ(shipped->media_quarantine, least->media_quarantine);
  EXPECT_EQ(shipped->rtcp, least->rtcp);
  EXPECT_EQ(shipped->media_address, least->media_address);
  EXPECT_EQ(shipped->media_port_first, least->media_port_first);
  EXPECT_EQ(shipped->media_ports, least->media_ports);
  EXPECT_EQ(shipped->safe_harbor_wav, least->safe_harbor_wav);
  EXPECT_EQ(shipped->http_listen.ToString(), least->http_listen.ToString());
  EXPECT_EQ(shipped->board_token, least->board_token);
  EXPECT_EQ(shipped->agent_phone_networks, least->agent_phone_networks);
  EXPECT_EQ(shipped->log_file, least->log_file);
  EXPECT_EQ(shipped->log_level, least->log_level);
  EXPECT_EQ(shipped->drain_time, least->drain_time);
}

// A comment in the shipped file is as good as a line: its example must parse, too.
TEST(Config, TheExamplesInTheShippedFileParse) {
  std::ifstream file(OUTPACE_SOURCE_DIR "/docs/outpace.toml");
  std::string text;
  for (std::string line; std::getline(file, line);) {
    for (const char* key : {"# caller_ids = ", "# headers = ", "# stir = "}) {
      if (line.rfind(key, 0) == 0) line = line.substr(2);
    }
    const size_t dots = line.find("https://...");
    if (dots != std::string::npos) line.replace(dots, 11, "https://c.example/c.pem");
    text += line + "\n";
  }
  const auto config = ParseConfig(text, "outpace.toml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->trunks[0].identity.headers.size(), 2u);
  EXPECT_EQ(config->trunks[0].stir.private_key_file, "/etc/outpace/stir.pem");
  const trunk::CallerIdPool& shown = config->trunks[0].caller_ids;
  const trunk::CallerIdPool least;
  EXPECT_EQ(shown.choice, least.choice);
  EXPECT_EQ(shown.calls_per_day, least.calls_per_day);
  EXPECT_EQ(shown.rest, least.rest);
}

// Every TOML example of the pages on trunks is a configuration that `serve` would take.
TEST(Config, TheExamplesForCarriersParse) {
  for (const char* page : {"TRUNKS.md", "TRUNKS.zh-CN.md"}) {
    std::ifstream file(absl::StrCat(OUTPACE_SOURCE_DIR "/docs/", page));
    int examples = 0;
    std::string text;
    bool inside = false;
    for (std::string line; std::getline(file, line);) {
      if (line == "```toml") {
        inside = true;
        text = "data_dir = \"/d\"\n";
      } else if (inside && line == "```") {
        inside = false;
        ++examples;
        const auto config = ParseConfig(text, page);
        EXPECT_TRUE(config.ok()) << config.status() << "\n" << text;
      } else if (inside) {
        text += line + "\n";
      }
    }
    EXPECT_EQ(examples, 6) << page;
  }
}

TEST(Config, HeadersOfOnesOwnAreNamedLikeHeaders) {
  const auto with = [](const std::string& headers) {
    return ParseConfig(absl::StrCat("data_dir = \"/d\"\n[[trunk]]\nname = \"a\"\n"
                                    "peer = \"192.0.2.10:5060\"\nheaders = ",
                                    headers, "\n"),
                       "o.toml");
  };
  EXPECT_TRUE(with("{ X-Account = \"7\", x-lead_id = \"{source_id}\" }").ok());
  for (const char* bad : {"{ Via = \"x\" }", "{ \"X-A: 1\\r\\nVia\" = \"x\" }",
                          "{ \"X- a\" = \"x\" }", "{ X-A = 7 }", "\"X-A: 1\""}) {
    EXPECT_FALSE(with(bad).ok()) << bad;
  }
}

TEST(Config, ReadsEveryKey) {
  const auto config = ParseConfig(R"(
data_dir = "/d"
drain_seconds = 2.5
[sip]
listen = "10.0.0.1:5999"
[[trunk]]
name = "a"
peer = "10.0.0.2:5060"
calls_per_second = 0.5
calls_max = 7
unanswered_max = 3
cost = 0.02
billing = "60/6"
[[trunk]]
name = "b"
peer = "10.0.0.3:5061"
[media]
address = "10.0.0.1"
port_first = 30000
ports = 50
safe_harbor_wav = "m.wav"
[compliance]
rules_directory = "/etc/outpace/rules"
[http]
listen = "0.0.0.0:80"
board_token = "t"
[agents]
phone_networks = ["10.1.0.0/16", "10.2.0.0/16"]
[log]
file = "f"
level = "debug"
)",
                                  "o.toml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->drain_time, absl::Milliseconds(2500));
  EXPECT_EQ(config->sip_listen.ToString(), "10.0.0.1:5999");
  ASSERT_EQ(config->trunks.size(), 2u);
  EXPECT_EQ(config->trunks[0].calls_per_second, 0.5);
  EXPECT_EQ(config->trunks[0].calls_max, 7);
  EXPECT_EQ(config->trunks[0].unanswered_max, 3);
  EXPECT_EQ(config->trunks[0].billing.first, 60);
  EXPECT_EQ(config->trunks[0].billing.then, 6);
  EXPECT_EQ(config->trunks[1].billing.first, 1);
  EXPECT_EQ(config->trunks[1].billing.then, 1);
  EXPECT_EQ(config->trunks[1].peer, "10.0.0.3:5061");
  EXPECT_EQ(config->media_port_first, 30000);
  EXPECT_EQ(config->media_ports, 50);
  EXPECT_EQ(config->safe_harbor_wav, "m.wav");
  EXPECT_EQ(config->http_listen.address, "0.0.0.0");
  EXPECT_EQ(config->board_token, "t");
  EXPECT_EQ(config->rules_directory, "/etc/outpace/rules");
  EXPECT_THAT(config->agent_phone_networks, ElementsAre("10.1.0.0/16", "10.2.0.0/16"));
  EXPECT_EQ(config->log_level, "debug");
  EXPECT_EQ(config->StorePath(), "/d/store");
  EXPECT_EQ(config->JournalPath(), "/d/dialogs.journal");
  EXPECT_EQ(config->SocketPath(), "/d/outpace.sock");
}

struct FaultCase {
  const char* more;   // below kGood: its first line is line 5
  const char* where;  // the message begins so
  const char* what;   // and holds this
};

class ConfigFault : public ::testing::TestWithParam<FaultCase> {};

TEST_P(ConfigFault, IsToldWithLineAndRemedy) {
  const std::string fault = Fault(GetParam().more);
  EXPECT_THAT(fault, StartsWith(GetParam().where));
  EXPECT_THAT(fault, HasSubstr(GetParam().what));
}

INSTANTIATE_TEST_SUITE_P(
    All, ConfigFault,
    ::testing::Values(
        FaultCase{"calls_max = 0\n", "o.toml:5: ", "calls_max: must be a whole number from 1 to"},
        FaultCase{"calls_max = 1.5\n", "o.toml:5: ", "whole number"},
        FaultCase{"calls_max = \"9\"\n", "o.toml:5: ", "calls_max: must be a whole number"},
        FaultCase{"calls_per_second = nan\n", "o.toml:5: ", "calls_per_second: must be a number"},
        FaultCase{"calls_per_second = inf\n", "o.toml:5: ", "calls_per_second: must be a number"},
        FaultCase{"billing = \"60\"\n", "o.toml:5: ", "billing: two numbers of seconds"},
        FaultCase{"billing = \"0/6\"\n", "o.toml:5: ", "from 1 to 3600 such as \"60/6\""},
        FaultCase{"billing = \"60/6/6\"\n", "o.toml:5: ", "billing: two numbers"},
        FaultCase{"billing = \"60/4000\"\n", "o.toml:5: ", "billing: two numbers"},
        FaultCase{"billing = 60\n", "o.toml:5: ", "billing: must be text"},
        FaultCase{"unanswered_max = -1\n", "o.toml:5: ", "unanswered_max: must be"},
        FaultCase{"cps = 5\n", "o.toml:5: ",
                  "unknown key 'cps' in [[trunk]]; known here: billing, caller_ids, calls_max"},
        FaultCase{"[[trunk]]\npeer = \"192.0.2.1:5060\"\n", "o.toml:5: ", "'name' is missing"},
        FaultCase{"[[trunk]]\nname = \"x\"\n", "o.toml:5: ", "'peer' is missing; write e.g."},
        FaultCase{"[[trunk]]\nname = \"carrier\"\npeer = \"192.0.2.1:5060\"\n",
                  "o.toml:5: ", "the name 'carrier' is used twice"},
        FaultCase{"[[trunk]]\nname = \"x\"\npeer = \"carrier:5060\"\n",
                  "o.toml:7: ", "'carrier:5060' is no address or host name; write e.g."},
        FaultCase{"[[trunk]]\nname = 5\npeer = \"192.0.2.1:5060\"\n",
                  "o.toml:6: ", "name: must be text in quotes"},
        FaultCase{"[sip]\nlisten = \"5060\"\n", "o.toml:6: ", "listen: '5060' is not a numeric"},
        FaultCase{"[sip]\nlisten = 5060\n", "o.toml:6: ", "listen: "},
        FaultCase{"[sip]\nport = 5060\n", "o.toml:6: ", "unknown key 'port' in [sip]"},
        FaultCase{"[media]\naddress = \"host\"\n",
                  "o.toml:5: ", "media.address: must be a numeric"},
        FaultCase{"[media]\nport_first = 80\n", "o.toml:6: ", "port_first: must be"},
        FaultCase{"[media]\nports = 30000\n", "o.toml:5: ", "goes beyond 65535"},
        FaultCase{"[media]\ncodec = \"opus\"\n", "o.toml:6: ", "unknown key 'codec' in [media]"},
        FaultCase{"[http]\nlisten = \"0.0.0.0:80\"\n", "o.toml:5: ", "set board_token"},
        FaultCase{"[http]\ntls = true\n", "o.toml:6: ", "unknown key 'tls' in [http]"},
        FaultCase{"[agents]\nphone_networks = [\"10.0.0.1\"]\n", "o.toml:6: ", "10.1.0.0/16"},
        FaultCase{"[agents]\nphone_networks = [\"10.0.0.0/33\"]\n", "o.toml:6: ", "10.1.0.0/16"},
        FaultCase{"[agents]\nphone_networks = [5]\n", "o.toml:6: ", "10.1.0.0/16"},
        FaultCase{"[agents]\nphone_networks = \"10.1.0.0/16\"\n", "o.toml:6: ", "write a list"},
        FaultCase{"[agents]\nnetworks = []\n", "o.toml:6: ", "unknown key 'networks' in [agents]"},
        FaultCase{"[log]\nlevel = \"loud\"\n", "o.toml:5: ", "debug, info, warning or error"},
        FaultCase{"[log]\npath = \"x\"\n", "o.toml:6: ", "unknown key 'path' in [log]"},
        FaultCase{"[loging]\n", "o.toml:5: ", "unknown key 'loging'; known here: agents"},
        FaultCase{"[[log]]\nlevel = \"info\"\n", "o.toml:5: ", "'log' must be a section: [log]"},
        FaultCase{"peer = ", "o.toml:", ""}, FaultCase{"\n\nx y z", "o.toml:7: ", ""}));

TEST(Config, FaultsOfTheTopLevel) {
  const auto message = [](absl::string_view text) {
    const auto config = ParseConfig(text, "o.toml");
    EXPECT_FALSE(config.ok()) << text;
    return std::string(config.status().message());
  };
  EXPECT_THAT(message(""), HasSubstr("o.toml: 'data_dir' is missing; write e.g."));
  EXPECT_THAT(message(""), HasSubstr("[[trunk]]\n  name = \"carrier\""));
  EXPECT_THAT(message("data_dir = 5\n"), HasSubstr("o.toml:1: data_dir: must be text in quotes"));
  EXPECT_THAT(message("data_dir = \"x\"\ndrain_seconds = -1\n"),
              HasSubstr("o.toml:2: drain_seconds: must be a number from 0 to 86400"));
  EXPECT_THAT(message("data_dir = \"x\"\n[trunk]\nname = \"a\"\n"),
              HasSubstr("o.toml:2: 'trunk' must be written [[trunk]], with two brackets"));
  EXPECT_THAT(message("data_dir = \"x\"\ntrunk = [1, 2]\n"),
              HasSubstr("o.toml:2: 'trunk' must be"));
  EXPECT_THAT(message("data_dir = \"x\"\ntrunk = []\n"), HasSubstr("o.toml:2: 'trunk' must be"));
  EXPECT_THAT(message("data_dir = \"x\"\ntrunk = [{name = \"a\"}, 5]\n"),
              HasSubstr("o.toml:2: 'trunk' must be"));
}

TEST(Config, AllFaultsAtOnceOneALine) {
  const std::string faults = Fault("calls_max = 0\n[sip]\nlisten = \"x\"\n[log]\nlevel = \"y\"\n");
  EXPECT_THAT(faults, HasSubstr("o.toml:5: "));
  EXPECT_THAT(faults, HasSubstr("\no.toml:7: "));
  EXPECT_THAT(faults, HasSubstr("\no.toml:8: "));
}

TEST(Config, AMissingFileSaysWhatToDo) {
  const auto config = LoadConfig(testing::TempDir() + "/no/such/outpace.toml");
  EXPECT_EQ(config.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(config.status().message()), HasSubstr("copy docs/outpace.toml there"));
}

TEST(Config, HostileBytesAreFaultsNotCrashes) {
  for (const std::string& text :
       {std::string("\0\0\0", 3), std::string("\xff\xfe\xfd"), std::string(100'000, '['),
        std::string("a.a.a = 1\na = 2"), std::string("data_dir = \"\\ud800\"")}) {
    EXPECT_FALSE(ParseConfig(text, "o.toml").ok());
  }
}

TEST(ParseEndpoint, TakesNumericAddressAndPortOnly) {
  const auto good = ParseEndpoint("192.0.2.10:5060");
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(good->address, "192.0.2.10");
  EXPECT_EQ(good->port, 5060);
  EXPECT_EQ(good->ToString(), "192.0.2.10:5060");
  EXPECT_TRUE(ParseEndpoint("1.2.3.4:65535").ok());
  for (const std::string& bad :
       {std::string(), std::string(":"), std::string("192.0.2.10"), std::string("192.0.2.10:"),
        std::string(":5060"), std::string("192.0.2.10:0"), std::string("192.0.2.10:65536"),
        std::string("192.0.2.10:-1"), std::string("192.0.2.10:5060:1"),
        std::string("192.0.2.10:5060;x"), std::string("192.0.2:5060"),
        std::string("192.0.2.256:5060"), std::string("::1:5060"), std::string("[::1:5060"),
        std::string("carrier.example:5060"), std::string("192.0.2.10:99999999999999999999"),
        std::string("192.0.2.10\0.evil:5060", 21), std::string("0x7f.1:80"),
        std::string("192.0.2.10 :5060")}) {
    const auto endpoint = ParseEndpoint(bad);
    EXPECT_FALSE(endpoint.ok()) << bad;
    EXPECT_THAT(std::string(endpoint.status().message()), HasSubstr("192.0.2.10:5060"));
  }
}

struct NetworkCase {
  std::string address;
  std::string network;
  bool in = false;
};

class InNetworkTest : public ::testing::TestWithParam<NetworkCase> {};
TEST_P(InNetworkTest, Holds) {
  EXPECT_EQ(InNetwork(GetParam().address, GetParam().network), GetParam().in)
      << GetParam().address << " in " << GetParam().network;
}
INSTANTIATE_TEST_SUITE_P(
    All, InNetworkTest,
    ::testing::Values(
        NetworkCase{"10.1.2.3", "10.0.0.0/8", true}, NetworkCase{"11.1.2.3", "10.0.0.0/8", false},
        NetworkCase{"10.1.2.3", "10.1.2.3/32", true}, NetworkCase{"10.1.2.4", "10.1.2.3/32", false},
        NetworkCase{"10.1.2.2", "10.1.2.3/31", true}, NetworkCase{"1.2.3.4", "0.0.0.0/0", true},
        NetworkCase{"255.255.255.255", "128.0.0.0/1", true},
        NetworkCase{"127.255.255.255", "128.0.0.0/1", false},
        NetworkCase{"10.1.2.3", "10.9.9.9/8", true}, NetworkCase{"10.1.2.3", "10.0.0.0/33", false},
        NetworkCase{"10.1.2.3", "10.0.0.0/-1", false}, NetworkCase{"10.1.2.3", "10.0.0.0/", false},
        NetworkCase{"10.1.2.3", "10.0.0.0", false}, NetworkCase{"10.1.2.3", "10.0.0.0/8/9", false},
        NetworkCase{"10.1.2.3", "/8", false}, NetworkCase{"10.1.2.3", "", false},
        NetworkCase{"", "0.0.0.0/0", false}, NetworkCase{"host", "0.0.0.0/0", false},
        NetworkCase{"::1", "0.0.0.0/0", false}, NetworkCase{"10.1.2.3 ", "10.0.0.0/8", false},
        NetworkCase{std::string("127.0.0.1\0.evil", 15), "127.0.0.0/8", false}));

TEST(Config, TheEvidenceLogLiesBesideTheStoreAndItsKeyNotInIt) {
  const auto least = ParseConfig(kGood, "o.toml");
  ASSERT_TRUE(least.ok()) << least.status();
  EXPECT_EQ(least->AuditPath(), "/tmp/x/audit");
  EXPECT_EQ(least->AuditKeyPath(), "/tmp/x/audit.key");
  EXPECT_EQ(least->audit_keep_days, 0);
  const auto config = ParseConfig(
      absl::StrCat(kGood, "[audit]\ndirectory = \"/a\"\nkey_file = \"/k\"\nkeep_days = 400\n"),
      "o.toml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->AuditPath(), "/a");
  EXPECT_EQ(config->AuditKeyPath(), "/k");
  EXPECT_EQ(config->audit_keep_days, 400);
  EXPECT_THAT(Fault("[audit]\ndirectory = \"/a\"\nkey_file = \"/a/k\"\n"),
              HasSubstr("must not lie in the log's directory"));
  EXPECT_THAT(Fault("[audit]\nkeep_days = -1\n"), HasSubstr("keep_days"));
  EXPECT_THAT(Fault("[audit]\nkeys = 1\n"), HasSubstr("unknown key 'keys'"));
}

}  // namespace
}  // namespace outpace::runtime
