// The [[trunk]] sections of a configuration: docs/TRUNKS.md explains each key.

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "engine/runtime/config_reader.h"

namespace outpace::runtime {
namespace {

using trunk::TrunkSettings;

constexpr char kPeerExample[] =
    "write e.g. \"192.0.2.10:5060\", \"[2001:db8::1]:5060\" or \"sip.carrier.example\"";

// A numeric address with its port, or a host name with or without one.
bool IsPeer(absl::string_view text) {
  if (ParseEndpoint(text).ok()) return true;
  const size_t colon = text.rfind(':');
  absl::string_view host = text.substr(0, colon);
  int port = 0;
  if (colon != absl::string_view::npos &&
      (!absl::SimpleAtoi(text.substr(colon + 1), &port) || port < 1 || port > 65'535)) {
    return false;
  }
  bool letter = false;
  for (const char c : host) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '.') return false;
    letter |= absl::ascii_isalpha(static_cast<unsigned char>(c)) != 0;
  }
  return letter && !absl::StartsWith(host, ".") && absl::StrContains(host, '.');
}

// Calls `each` with every table of an array such as prefixes = [ { ... }, { ... } ].
template <typename Each>
void ForEachTable(Reader& reader, toml::table& table, const char* key, const char* example,
                  Each each) {
  toml::node* node = table.get(key);
  if (node == nullptr) return;
  toml::array* rows = node->as_array();
  if (rows == nullptr || (!rows->empty() && !rows->is_array_of_tables())) {
    reader.Fault(node, absl::StrCat(key, ": write a list such as ", example));
    return;
  }
  for (toml::node& row : *rows) each(*row.as_table());
}

void ReadPrefixes(Reader& reader, toml::table& table, TrunkSettings& trunk) {
  ForEachTable(
      reader, table, "prefixes", "[ { prefix = \"1\", cost = 0.01 } ]", [&](toml::table& row) {
        trunk::PrefixRule rule;
        reader.Text(&row, "prefix", &rule.prefix);
        reader.Flag(&row, "allow", &rule.allow);
        reader.Number(&row, "cost", 0, 1000, &rule.cost_per_minute);
        reader.Number(&row, "strip", 0, 15, &rule.strip);
        reader.Text(&row, "prepend", &rule.prepend);
        reader.RefuseUnknown(row, "prefixes", {"prefix", "allow", "cost", "strip", "prepend"});
        for (const char c : absl::StrCat(rule.prefix, rule.prepend)) {
          if (absl::ascii_isdigit(static_cast<unsigned char>(c))) continue;
          reader.Fault(&row, "prefixes: prefix and prepend are digits without '+'");
          break;
        }
        trunk.prefixes.push_back(std::move(rule));
      });
}

void AddCallerIds(Reader& reader, toml::table* table, const char* key, bool owned,
                  trunk::CallerIdPool& pool) {
  toml::node* node = table->get(key);
  if (node == nullptr) return;
  toml::array* numbers = node->as_array();
  if (numbers == nullptr) {
    return reader.Fault(node, absl::StrCat(key, ": write a list such as [\"+12025550199\"]"));
  }
  for (const toml::node& entry : *numbers) {
    const auto number = ParseE164(entry.value<std::string>().value_or(""));
    if (!number.ok()) {
      reader.Fault(&entry, absl::StrCat(key, ": write numbers as \"+12025550199\""));
      continue;
    }
    pool.numbers.push_back({*number, owned});
  }
}

void ReadCallerIds(Reader& reader, toml::table& table, trunk::CallerIdPool& pool) {
  toml::node* node = table.get("caller_ids");
  if (node == nullptr) return;
  toml::table* ids = node->as_table();
  if (ids == nullptr) {
    return reader.Fault(node, "caller_ids: write { choice = \"rotating\", numbers = [\"+1...\"] }");
  }
  reader.Choice<trunk::CallerIdChoice>(ids, "choice",
                                       {{"fixed", trunk::CallerIdChoice::kFixed},
                                        {"rotating", trunk::CallerIdChoice::kRotating},
                                        {"local", trunk::CallerIdChoice::kLocal}},
                                       &pool.choice);
  AddCallerIds(reader, ids, "numbers", true, pool);
  AddCallerIds(reader, ids, "not_owned", false, pool);
  reader.Number(ids, "calls_per_day", 0, 1'000'000, &pool.calls_per_day);
  reader.Seconds(ids, "rest_seconds", 0, 86'400, &pool.rest);
  reader.RefuseUnknown(*ids, "caller_ids",
                       {"choice", "numbers", "not_owned", "calls_per_day", "rest_seconds"});
}

void ReadIdentity(Reader& reader, toml::table& table, trunk::IdentityHeaders& identity) {
  reader.Flag(&table, "p_asserted_identity", &identity.p_asserted_identity);
  reader.Flag(&table, "privacy", &identity.privacy);
  reader.Text(&table, "diversion", &identity.diversion);
  toml::node* node = table.get("headers");
  if (node == nullptr) return;
  const toml::table* headers = node->as_table();
  if (headers == nullptr) {
    return reader.Fault(node, "headers: write { X-Account = \"{vendor_lead_code}\" }");
  }
  for (const auto& [name, value] : *headers) {
    const auto text = value.value_exact<std::string>();
    const std::string key(name.str());
    const bool token = std::all_of(key.begin(), key.end(), [](unsigned char c) {
      return absl::ascii_isalnum(c) || c == '-' || c == '_';
    });
    if (!text || !token || !absl::StartsWithIgnoreCase(key, "X-")) {
      reader.Fault(&value,
                   "headers: a name of letters, digits and '-' that begins with X-, and a text in "
                   "quotes");
      continue;
    }
    identity.headers.emplace_back(std::string(name.str()), *text);
  }
}

void ReadStir(Reader& reader, toml::table& table, trunk::StirSettings& stir) {
  toml::node* node = table.get("stir");
  if (node == nullptr) return;
  toml::table* keys = node->as_table();
  if (keys == nullptr) {
    return reader.Fault(node, "stir: write { key_file = \"...\", certificate_url = \"...\" }");
  }
  reader.Text(keys, "key_file", &stir.private_key_file);
  reader.Text(keys, "certificate_url", &stir.certificate_url);
  reader.Flag(keys, "customer_known", &stir.customer_known);
  reader.RefuseUnknown(*keys, "stir", {"key_file", "certificate_url", "customer_known"});
  if (stir.private_key_file.empty() || !absl::StartsWith(stir.certificate_url, "https://")) {
    reader.Fault(node, "stir: key_file and an https certificate_url are both needed");
  }
}

void ReadInbound(Reader& reader, toml::table& table, TrunkSettings& trunk) {
  ForEachTable(reader, table, "inbound", "[ { number = \"+12025550199\", campaign = \"DEMO\" } ]",
               [&](toml::table& row) {
                 trunk::InboundNumber inbound;
                 reader.Text(&row, "number", &inbound.number);
                 reader.Text(&row, "campaign", &inbound.campaign);
                 reader.RefuseUnknown(row, "inbound", {"number", "campaign"});
                 if (inbound.number.empty()) reader.Fault(&row, "inbound: 'number' is missing");
                 trunk.inbound.push_back(std::move(inbound));
               });
}

void ReadSecurity(Reader& reader, toml::table& table, TrunkSettings& trunk) {
  reader.Choice<trunk::Transport>(&table, "transport",
                                  {{"udp", trunk::Transport::kUdp},
                                   {"tcp", trunk::Transport::kTcp},
                                   {"tls", trunk::Transport::kTls}},
                                  &trunk.transport);
  reader.Text(&table, "tls_name", &trunk.tls_name);
  reader.Flag(&table, "srtp", &trunk.srtp);
  reader.Text(&table, "username", &trunk.auth_user);
  reader.Text(&table, "password", &trunk.auth_password);
  reader.Text(&table, "realm", &trunk.auth_realm);
  reader.Flag(&table, "register", &trunk.registers);
  reader.Text(&table, "register_domain", &trunk.register_domain);
  reader.Seconds(&table, "register_seconds", 30, 86'400, &trunk.register_expires);
  if (trunk.srtp && trunk.transport != trunk::Transport::kTls) {
    reader.Fault(table.get("srtp"),
                 "srtp: its keys would travel in the clear; set transport = \"tls\"");
  }
  if (trunk.registers && trunk.auth_user.empty()) {
    reader.Fault(table.get("register"), "register: 'username' and 'password' are needed");
  }
}

// "60/6": a minute at least, then by six seconds.
void ReadBilling(Reader& reader, toml::table& table, trunk::Billing& billing) {
  std::string text;
  reader.Text(&table, "billing", &text);
  if (text.empty()) return;
  constexpr int kStepMax = 3'600;
  const std::vector<std::string> parts = absl::StrSplit(text, '/');
  const bool good = parts.size() == 2 && absl::SimpleAtoi(parts[0], &billing.first) &&
                    absl::SimpleAtoi(parts[1], &billing.then) && billing.first >= 1 &&
                    billing.then >= 1 && billing.first <= kStepMax && billing.then <= kStepMax;
  if (good) return;
  billing = {};
  reader.Fault(
      table.get("billing"),
      "billing: two numbers of seconds from 1 to 3600 such as \"60/6\": what is charged at "
      "least, and the steps after it");
}

void ReadRates(Reader& reader, toml::table& table, TrunkSettings& trunk) {
  reader.Number(&table, "calls_per_second", 0.1, 10'000, &trunk.calls_per_second);
  reader.Number(&table, "calls_max", 1, 100'000, &trunk.calls_max);
  reader.Number(&table, "unanswered_max", 1, 100'000, &trunk.unanswered_max);
  reader.Seconds(&table, "options_seconds", 0, 3'600, &trunk.options_interval);
  reader.Flag(&table, "hundred_rel", &trunk.hundred_rel);
  reader.Seconds(&table, "session_seconds", 0, 86'400, &trunk.session_expires);
  reader.Number(&table, "weight", 0, 1'000, &trunk.weight);
  reader.Number(&table, "cost", 0, 1'000, &trunk.cost_per_minute);
  ReadBilling(reader, table, trunk.billing);
  if (trunk.session_expires > absl::ZeroDuration() && trunk.session_expires < absl::Seconds(90)) {
    reader.Fault(table.get("session_seconds"), "session_seconds: 0 or at least 90 (RFC 4028 5)");
  }
}

}  // namespace

void ReadTrunks(toml::table& root, Reader& reader, Config& config) {
  const toml::node* node = root.get("trunk");
  if (node == nullptr) {
    reader.Fault(nullptr,
                 "no trunk: add a section such as\n  [[trunk]]\n  name = \"carrier\"\n"
                 "  peer = \"192.0.2.10:5060\"");
    return;
  }
  toml::array* trunks = root.get("trunk")->as_array();
  if (trunks == nullptr || !trunks->is_array_of_tables()) {
    reader.Fault(node, "'trunk' must be written [[trunk]], with two brackets");
    return;
  }
  std::set<std::string> names;
  for (toml::node& entry : *trunks) {
    toml::table& table = *entry.as_table();
    TrunkSettings trunk;
    reader.Text(&table, "name", &trunk.name);
    reader.Text(&table, "peer", &trunk.peer);
    reader.Text(&table, "disposition_table", &trunk.disposition_table);
    ReadRates(reader, table, trunk);
    ReadSecurity(reader, table, trunk);
    ReadPrefixes(reader, table, trunk);
    ReadCallerIds(reader, table, trunk.caller_ids);
    ReadIdentity(reader, table, trunk.identity);
    ReadStir(reader, table, trunk.stir);
    ReadInbound(reader, table, trunk);
    reader.RefuseUnknown(table, "[[trunk]]",
                         {"name",
                          "peer",
                          "calls_per_second",
                          "calls_max",
                          "unanswered_max",
                          "options_seconds",
                          "hundred_rel",
                          "session_seconds",
                          "weight",
                          "cost",
                          "billing",
                          "transport",
                          "tls_name",
                          "srtp",
                          "username",
                          "password",
                          "realm",
                          "register",
                          "register_domain",
                          "register_seconds",
                          "prefixes",
                          "caller_ids",
                          "p_asserted_identity",
                          "privacy",
                          "diversion",
                          "headers",
                          "stir",
                          "inbound",
                          "disposition_table"});
    if (trunk.name.empty()) reader.Fault(&table, "trunk: 'name' is missing");
    if (absl::StrContains(trunk.name, ',') || absl::StrContains(trunk.name, '|') ||
        absl::StrContains(trunk.name, ':')) {
      reader.Fault(&table,
                   "trunk: a name may not hold ',' '|' ':', which campaigns list trunks by");
    }
    if (trunk.peer.empty()) {
      reader.Fault(&table, absl::StrCat("trunk: 'peer' is missing; ", kPeerExample));
    } else if (!IsPeer(trunk.peer)) {
      reader.Fault(table.get("peer"), absl::StrCat("peer: '", trunk.peer,
                                                   "' is no address or host name; ", kPeerExample));
    }
    if (!names.insert(trunk.name).second) {
      reader.Fault(&table, absl::StrCat("trunk: the name '", trunk.name, "' is used twice"));
    }
    config.trunks.push_back(std::move(trunk));
  }
}

}  // namespace outpace::runtime
