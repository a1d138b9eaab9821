#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/codec/codec.h"
#include "engine/media/media_server.h"
#include "engine/trunk/settings.h"

namespace outpace::runtime {

// "127.0.0.1:5080": a numeric address and a port. Names are refused: the SIP stack must never
// resolve.
struct Endpoint {
  std::string address;
  uint16_t port = 0;
  std::string ToString() const;
};
// InvalidArgument says what is wrong and shows an example.
absl::StatusOr<Endpoint> ParseEndpoint(absl::string_view text);

// "192.0.2.10", "2001:db8::1".
bool IsNumericAddress(absl::string_view text);

// What TLS trunks see of us, and whose certificates we believe.
struct TlsConfig {
  int port = 5061;
  std::string certificate_file, key_file;  // PEM; empty: none is shown
  std::string ca_file;                     // PEM; empty: the system's authorities
};

// What `serve` reads from the TOML file; docs/outpace.toml explains each key.
struct Config {
  std::string data_dir;
  Endpoint sip_listen{"127.0.0.1", 5080};
  std::vector<trunk::TrunkSettings> trunks;
  TlsConfig tls;
  int trace_mib = 64;  // ring of SIP messages for `outpace trace`; 0: none
  std::string media_address = "127.0.0.1";
  int media_port_first = 20000;
  int media_ports = 1000;                              // legs at once
  absl::Duration media_quarantine = absl::Seconds(5);  // before a port is used for another call
  media::RtcpMode rtcp = media::RtcpMode::kPair;
  std::string safe_harbor_wav;     // empty: built-in
  std::string prompts_directory;   // *.wav that campaigns name; empty: none
  std::string announcements_file;  // made by `outpace media learn`; empty: none are known
  // Offered, in this order.
  std::vector<codec::Codec> codecs = {codec::Codec::kPcmu, codec::Codec::kPcma};
  std::string recording_directory;      // empty: data_dir + "/recordings"
  std::string recording_pattern;        // of file names; empty: the recorder's own
  std::string recording_key_file;       // empty: no encryption
  std::string recording_zone = "UTC";   // of times in file names
  std::string audit_directory;          // empty: data_dir + "/audit"
  std::string audit_key_file;           // empty: data_dir + "/audit.key"
  int audit_keep_days = 0;              // 0: for ever
  std::string number_tables_directory;  // of an operator's tables; empty: the built-in ones
  std::string rules_directory;          // of an operator's rules; empty: the built-in ones
  Endpoint http_listen{"127.0.0.1", 8080};
  std::string board_token;  // empty: boards are open (only allowed on loopback)
  std::vector<std::string> agent_phone_networks = {"127.0.0.0/8"};
  std::string log_file;  // empty: standard error
  std::string log_level = "info";
  absl::Duration drain_time = absl::Seconds(60);

  std::string StorePath() const { return data_dir + "/store"; }
  std::string RegistriesPath() const { return data_dir + "/dnc"; }
  std::string JournalPath() const { return data_dir + "/dialogs.journal"; }
  std::string SocketPath() const { return data_dir + "/outpace.sock"; }
  std::string RecordingsPath() const {
    return recording_directory.empty() ? data_dir + "/recordings" : recording_directory;
  }
  std::string AuditPath() const {
    return audit_directory.empty() ? data_dir + "/audit" : audit_directory;
  }
  std::string AuditKeyPath() const {
    return audit_key_file.empty() ? data_dir + "/audit.key" : audit_key_file;
  }
};

// Reads and checks a configuration. InvalidArgument messages are made for people:
// "outpace.toml:12: sip.listen: 'localhost' is not a numeric address and port; write e.g. ...". All
// faults are reported at once, one a line. NotFound when the file is missing.
absl::StatusOr<Config> LoadConfig(const std::string& path);
absl::StatusOr<Config> ParseConfig(absl::string_view text, absl::string_view name);

// Whether `address` (numeric IPv4) lies in `network` ("10.0.0.0/8").
bool InNetwork(absl::string_view address, absl::string_view network);

}  // namespace outpace::runtime
