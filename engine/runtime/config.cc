#include "engine/runtime/config.h"

#include <arpa/inet.h>
#include <toml++/toml.h>

#include <cmath>
#include <fstream>
#include <set>
#include <sstream>
#include <type_traits>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace outpace::runtime {
namespace {

bool ParseIpv4(absl::string_view text, uint32_t* address) {
  in_addr parsed{};
  if (absl::StrContains(text, '\0')) return false;  // C code would stop reading there
  if (inet_pton(AF_INET, std::string(text).c_str(), &parsed) != 1) return false;
  *address = ntohl(parsed.s_addr);
  return true;
}

// Walks the tree of a TOML file, takes known keys out of it and collects every fault with its line.
class Reader {
 public:
  Reader(toml::table& root, absl::string_view name) : root_(root), name_(name) {}

  void Fault(const toml::node* node, absl::string_view what) {
    const auto line = node != nullptr ? node->source().begin.line : 0;
    faults_.push_back(line > 0 ? absl::StrCat(name_, ":", line, ": ", what)
                               : absl::StrCat(name_, ": ", what));
  }

  // Names a key that nobody reads: a misspelt setting must not be a silent nothing.
  void RefuseUnknown(const toml::table& table, absl::string_view where,
                     const std::set<std::string>& known) {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      if (known.contains(name)) continue;
      Fault(&node, absl::StrCat("unknown key '", name, "'", where.empty() ? "" : " in ", where,
                                "; known here: ", absl::StrJoin(known, ", ")));
    }
  }

  toml::table* Section(const char* name) {
    toml::node* node = root_.get(name);
    if (node == nullptr) return nullptr;
    if (!node->is_table()) {
      Fault(node, absl::StrCat("'", name, "' must be a section: [", name, "]"));
      return nullptr;
    }
    return node->as_table();
  }

  void Text(toml::table* table, const char* key, std::string* out) {
    const toml::node* node = Find(table, key);
    if (node == nullptr) return;
    if (const auto value = node->value_exact<std::string>()) {
      *out = *value;
    } else {
      Fault(node, absl::StrCat(key, ": must be text in quotes"));
    }
  }

  template <typename T>
  void Number(toml::table* table, const char* key, double low, double high, T* out) {
    const toml::node* node = Find(table, key);
    if (node == nullptr) return;
    const auto value = node->is_number() ? node->value<double>() : std::nullopt;
    const bool whole = std::is_integral_v<T>;
    if (!value || !(*value >= low && *value <= high) || (whole && std::trunc(*value) != *value)) {
      Fault(node, absl::StrCat(key, ": must be a ", whole ? "whole " : "", "number from ", low,
                               " to ", high));
      return;
    }
    *out = static_cast<T>(*value);
  }

  void Address(toml::table* table, const char* key, Endpoint* out) {
    const toml::node* node = Find(table, key);
    if (node == nullptr) return;
    const auto text = node->value_exact<std::string>();
    const auto endpoint = ParseEndpoint(text.value_or(""));
    if (endpoint.ok()) {
      *out = *endpoint;
    } else {
      Fault(node, absl::StrCat(key, ": ", endpoint.status().message()));
    }
  }

  absl::Status Result() const {
    if (faults_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrJoin(faults_, "\n"));
  }

 private:
  static const toml::node* Find(toml::table* table, const char* key) {
    return table == nullptr ? nullptr : table->get(key);
  }

  toml::table& root_;
  const std::string name_;
  std::vector<std::string> faults_;
};

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
    toml::table* table = entry.as_table();
    TrunkConfig trunk;
    reader.Text(table, "name", &trunk.name);
    reader.Address(table, "peer", &trunk.peer);
    reader.Number(table, "calls_per_second", 0.1, 10'000, &trunk.calls_per_second);
    reader.Number(table, "calls_max", 1, 100'000, &trunk.calls_max);
    reader.Number(table, "unanswered_max", 1, 100'000, &trunk.unanswered_max);
    reader.RefuseUnknown(*table, "[[trunk]]",
                         {"name", "peer", "calls_per_second", "calls_max", "unanswered_max"});
    if (trunk.name.empty()) reader.Fault(table, "trunk: 'name' is missing");
    if (trunk.peer.port == 0 && !table->contains("peer")) {
      reader.Fault(table, "trunk: 'peer' is missing; write e.g. peer = \"192.0.2.10:5060\"");
    }
    if (!names.insert(trunk.name).second) {
      reader.Fault(table, absl::StrCat("trunk: the name '", trunk.name, "' is used twice"));
    }
    config.trunks.push_back(trunk);
  }
}

void ReadSections(Reader& reader, Config& config) {
  toml::table* sip = reader.Section("sip");
  reader.Address(sip, "listen", &config.sip_listen);
  if (sip != nullptr) reader.RefuseUnknown(*sip, "[sip]", {"listen"});

  toml::table* media = reader.Section("media");
  reader.Text(media, "address", &config.media_address);
  reader.Number(media, "port_first", 1024, 65'000, &config.media_port_first);
  reader.Number(media, "ports", 2, 30'000, &config.media_ports);
  reader.Text(media, "safe_harbor_wav", &config.safe_harbor_wav);
  if (media != nullptr) {
    reader.RefuseUnknown(*media, "[media]", {"address", "port_first", "ports", "safe_harbor_wav"});
    if (config.media_port_first + 2 * config.media_ports > 65'535) {
      reader.Fault(media,
                   "media: port_first + 2 * ports goes beyond 65535; each leg takes two ports");
    }
    uint32_t unused = 0;
    if (!ParseIpv4(config.media_address, &unused)) {
      reader.Fault(media, "media.address: must be a numeric IPv4 address, e.g. 198.51.100.1");
    }
  }

  toml::table* http = reader.Section("http");
  reader.Address(http, "listen", &config.http_listen);
  reader.Text(http, "board_token", &config.board_token);
  if (http != nullptr) reader.RefuseUnknown(*http, "[http]", {"listen", "board_token"});
  if (config.board_token.empty() && !InNetwork(config.http_listen.address, "127.0.0.0/8")) {
    reader.Fault(http, "http: the boards would be open to the network; set board_token");
  }

  toml::table* agents = reader.Section("agents");
  if (agents != nullptr) {
    reader.RefuseUnknown(*agents, "[agents]", {"phone_networks"});
    const toml::node* node = agents->get("phone_networks");
    const toml::array* networks = node == nullptr ? nullptr : node->as_array();
    if (node != nullptr && networks == nullptr) {
      reader.Fault(node, "agents.phone_networks: write a list such as [\"10.1.0.0/16\"]");
    }
    if (networks != nullptr) {
      config.agent_phone_networks.clear();
      for (const toml::node& entry : *networks) {
        const std::string text = entry.value<std::string>().value_or("");
        if (!absl::StrContains(text, '/') || !InNetwork(text.substr(0, text.find('/')), text)) {
          reader.Fault(&entry, "agents.phone_networks: write networks such as \"10.1.0.0/16\"");
        }
        config.agent_phone_networks.push_back(text);
      }
    }
  }

  toml::table* log = reader.Section("log");
  reader.Text(log, "file", &config.log_file);
  reader.Text(log, "level", &config.log_level);
  if (log != nullptr) reader.RefuseUnknown(*log, "[log]", {"file", "level"});
  static const std::set<std::string> kLevels = {"debug", "info", "warning", "error"};
  if (!kLevels.contains(config.log_level)) {
    reader.Fault(log, "log.level: must be debug, info, warning or error");
  }
}

}  // namespace

std::string Endpoint::ToString() const { return absl::StrCat(address, ":", port); }

absl::StatusOr<Endpoint> ParseEndpoint(absl::string_view text) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits(':', 1));
  uint32_t unused = 0;
  int port = 0;
  if (!ParseIpv4(parts.first, &unused) || !absl::SimpleAtoi(parts.second, &port) || port < 1 ||
      port > 65'535) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text, "' is not a numeric address and port; write e.g. \"192.0.2.10:5060\""));
  }
  return Endpoint{parts.first, static_cast<uint16_t>(port)};
}

bool InNetwork(absl::string_view address, absl::string_view network) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(network, absl::MaxSplits('/', 1));
  uint32_t a = 0, n = 0;
  int bits = 0;
  if (!ParseIpv4(address, &a) || !ParseIpv4(parts.first, &n) ||
      !absl::SimpleAtoi(parts.second, &bits) || bits < 0 || bits > 32) {
    return false;
  }
  const uint32_t mask = bits == 0 ? 0 : ~uint32_t{0} << (32 - bits);
  return (a & mask) == (n & mask);
}

absl::StatusOr<Config> ParseConfig(absl::string_view text, absl::string_view name) {
  toml::table root;
  try {
    root = toml::parse(std::string(text), std::string(name));
  } catch (const toml::parse_error& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ":", error.source().begin.line, ": ", std::string(error.description())));
  }
  Config config;
  Reader reader(root, name);
  reader.RefuseUnknown(
      root, "", {"data_dir", "drain_seconds", "sip", "trunk", "media", "http", "agents", "log"});
  reader.Text(&root, "data_dir", &config.data_dir);
  if (config.data_dir.empty()) {
    reader.Fault(nullptr, "'data_dir' is missing; write e.g. data_dir = \"/var/lib/outpace\"");
  }
  double drain_seconds = absl::ToDoubleSeconds(config.drain_time);
  reader.Number(&root, "drain_seconds", 0, 86'400, &drain_seconds);
  config.drain_time = absl::Seconds(drain_seconds);
  ReadTrunks(root, reader, config);
  ReadSections(reader, config);
  if (absl::Status status = reader.Result(); !status.ok()) return status;
  return config;
}

absl::StatusOr<Config> LoadConfig(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return absl::NotFoundError(absl::StrCat(
        path, ": cannot be read; copy docs/outpace.toml there, or name another with --config"));
  }
  std::ostringstream text;
  text << file.rdbuf();
  return ParseConfig(text.str(), path);
}

}  // namespace outpace::runtime
