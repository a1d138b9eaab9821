#include "engine/runtime/config.h"

#include <arpa/inet.h>

#include <fstream>
#include <set>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "engine/runtime/config_reader.h"
#include "engine/trunk/route_table.h"

namespace outpace::runtime {
namespace {

bool ParseIpv4(absl::string_view text, uint32_t* address) {
  in_addr parsed{};
  if (absl::StrContains(text, '\0')) return false;  // C code would stop reading there
  if (inet_pton(AF_INET, std::string(text).c_str(), &parsed) != 1) return false;
  *address = ntohl(parsed.s_addr);
  return true;
}

// The codecs offered, in the order of the list.
void ReadCodecs(toml::table* media, Reader& reader, Config& config) {
  const toml::node* node = media == nullptr ? nullptr : media->get("codecs");
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  config.codecs.clear();
  for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const std::string name = list->get(i)->value<std::string>().value_or("");
    bool known = false;
    for (int c = 0; c < codec::kCodecCount; ++c) {
      if (!absl::EqualsIgnoreCase(name, codec::InfoOf(static_cast<codec::Codec>(c)).name)) continue;
      config.codecs.push_back(static_cast<codec::Codec>(c));
      known = true;
    }
    if (!known) {
      reader.Fault(list->get(i), "media.codecs: each must be PCMU, PCMA, G722 or opus");
    }
  }
  if (list == nullptr || list->empty()) {
    reader.Fault(node, "media.codecs: write a list such as [\"PCMU\", \"PCMA\"]");
  }
}

void ReadRecording(Reader& reader, Config& config) {
  toml::table* recording = reader.Section("recording");
  reader.Text(recording, "directory", &config.recording_directory);
  reader.Text(recording, "pattern", &config.recording_pattern);
  reader.Text(recording, "key_file", &config.recording_key_file);
  reader.Text(recording, "zone", &config.recording_zone);
  if (recording == nullptr) return;
  reader.RefuseUnknown(*recording, "[recording]", {"directory", "pattern", "key_file", "zone"});
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(config.recording_zone, &zone)) {
    reader.Fault(recording, "recording.zone: must be an IANA time zone, e.g. \"Asia/Shanghai\"");
  }
}

void ReadAudit(Reader& reader, Config& config) {
  toml::table* audit = reader.Section("audit");
  reader.Text(audit, "directory", &config.audit_directory);
  reader.Text(audit, "key_file", &config.audit_key_file);
  reader.Number(audit, "keep_days", 0, 36'500, &config.audit_keep_days);
  if (audit != nullptr) {
    reader.RefuseUnknown(*audit, "[audit]", {"directory", "key_file", "keep_days"});
  }
  if (absl::StartsWith(config.AuditKeyPath(), config.AuditPath() + "/")) {
    reader.Fault(
        audit,
        "audit.key_file: must not lie in the log's directory: whoever copies the log copies "
        "it too");
  }
}

void ReadSections(Reader& reader, Config& config) {
  toml::table* sip = reader.Section("sip");
  reader.Address(sip, "listen", &config.sip_listen);
  reader.Number(sip, "tls_port", 1, 65'535, &config.tls.port);
  reader.Text(sip, "tls_certificate", &config.tls.certificate_file);
  reader.Text(sip, "tls_key", &config.tls.key_file);
  reader.Text(sip, "tls_ca", &config.tls.ca_file);
  reader.Number(sip, "trace_mib", 0, 16'384, &config.trace_mib);
  if (sip != nullptr) {
    reader.RefuseUnknown(
        *sip, "[sip]", {"listen", "tls_port", "tls_certificate", "tls_key", "tls_ca", "trace_mib"});
  }

  toml::table* media = reader.Section("media");
  reader.Text(media, "address", &config.media_address);
  reader.Number(media, "port_first", 1024, 65'000, &config.media_port_first);
  reader.Number(media, "ports", 2, 30'000, &config.media_ports);
  reader.Text(media, "safe_harbor_wav", &config.safe_harbor_wav);
  reader.Text(media, "prompts_directory", &config.prompts_directory);
  reader.Text(media, "announcements_file", &config.announcements_file);
  ReadCodecs(media, reader, config);
  reader.Seconds(media, "quarantine_seconds", 0.1, 60, &config.media_quarantine);
  reader.Choice<media::RtcpMode>(media, "rtcp",
                                 {{"pair", media::RtcpMode::kPair},
                                  {"mux", media::RtcpMode::kMux},
                                  {"off", media::RtcpMode::kOff}},
                                 &config.rtcp);
  if (media != nullptr) {
    reader.RefuseUnknown(*media, "[media]",
                         {"address", "port_first", "ports", "quarantine_seconds", "rtcp",
                          "safe_harbor_wav", "prompts_directory", "announcements_file", "codecs"});
    const int ports_a_leg = config.rtcp == media::RtcpMode::kPair ? 2 : 1;
    if (config.media_port_first + ports_a_leg * config.media_ports > 65'535) {
      reader.Fault(media, absl::StrCat("media: port_first + ", ports_a_leg,
                                       " * ports goes beyond 65535; each leg takes ",
                                       ports_a_leg == 2 ? "two ports (one with rtcp = \"mux\")"
                                                        : "one port"));
    }
    if (!IsNumericAddress(config.media_address)) {
      reader.Fault(media,
                   "media.address: must be a numeric address, e.g. 198.51.100.1 or 2001:db8::1");
    }
  }

  ReadRecording(reader, config);
  ReadAudit(reader, config);

  toml::table* http = reader.Section("http");
  reader.Address(http, "listen", &config.http_listen);
  reader.Text(http, "board_token", &config.board_token);
  if (http != nullptr) reader.RefuseUnknown(*http, "[http]", {"listen", "board_token"});
  if (config.board_token.empty() && !InNetwork(config.http_listen.address, "127.0.0.0/8")) {
    reader.Fault(http, "http: the boards would be open to the network; set board_token");
  }

  toml::table* numbers = reader.Section("numbers");
  reader.Text(numbers, "tables_directory", &config.number_tables_directory);
  if (numbers != nullptr) reader.RefuseUnknown(*numbers, "[numbers]", {"tables_directory"});

  toml::table* compliance = reader.Section("compliance");
  reader.Text(compliance, "rules_directory", &config.rules_directory);
  if (compliance != nullptr) {
    reader.RefuseUnknown(*compliance, "[compliance]", {"rules_directory"});
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

bool ParseIpv6(absl::string_view text) {
  in6_addr parsed{};
  if (absl::StrContains(text, '\0')) return false;
  return inet_pton(AF_INET6, std::string(text).c_str(), &parsed) == 1;
}

}  // namespace

bool IsNumericAddress(absl::string_view text) {
  uint32_t unused = 0;
  return ParseIpv4(text, &unused) || ParseIpv6(text);
}

std::string Endpoint::ToString() const {
  const bool v6 = absl::StrContains(address, ':');
  return absl::StrCat(v6 ? "[" : "", address, v6 ? "]:" : ":", port);
}

absl::StatusOr<Endpoint> ParseEndpoint(absl::string_view text) {
  const size_t colon = text.rfind(':');
  absl::string_view host = text.substr(0, colon);
  const bool bracketed = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  uint32_t unused = 0;
  int port = 0;
  const bool good = colon != absl::string_view::npos &&
                    (bracketed ? ParseIpv6(host) : ParseIpv4(host, &unused)) &&
                    absl::SimpleAtoi(text.substr(colon + 1), &port) && port >= 1 && port <= 65'535;
  if (!good) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text,
                     "' is not a numeric address and port; write e.g. "
                     "\"192.0.2.10:5060\" or \"[2001:db8::1]:5060\""));
  }
  return Endpoint{std::string(host), static_cast<uint16_t>(port)};
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
  reader.RefuseUnknown(root, "",
                       {"data_dir", "drain_seconds", "sip", "trunk", "media", "recording", "audit",
                        "numbers", "compliance", "http", "agents", "log"});
  reader.Text(&root, "data_dir", &config.data_dir);
  if (config.data_dir.empty()) {
    reader.Fault(nullptr, "'data_dir' is missing; write e.g. data_dir = \"/var/lib/outpace\"");
  }
  double drain_seconds = absl::ToDoubleSeconds(config.drain_time);
  reader.Number(&root, "drain_seconds", 0, 86'400, &drain_seconds);
  config.drain_time = absl::Seconds(drain_seconds);
  ReadTrunks(root, reader, config);
  ReadSections(reader, config);
  if (reader.Result().ok()) {
    const auto table = trunk::RouteTable::Create(config.trunks);
    if (!table.ok()) reader.Fault(nullptr, table.status().message());
  }
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
