#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

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

struct TrunkConfig {
  std::string name;
  Endpoint peer;
  double calls_per_second = 10;  // never more INVITEs in any one second
  int calls_max = 100;           // at once
  int unanswered_max = 200;      // INVITEs without any provisional answer
};

// What `serve` reads from the TOML file; docs/outpace.toml explains each key.
struct Config {
  std::string data_dir;
  Endpoint sip_listen{"127.0.0.1", 5080};
  std::vector<TrunkConfig> trunks;
  std::string media_address = "127.0.0.1";
  int media_port_first = 20000;
  int media_ports = 1000;       // legs at once
  std::string safe_harbor_wav;  // empty: built-in
  Endpoint http_listen{"127.0.0.1", 8080};
  std::string board_token;  // empty: boards are open (only allowed on loopback)
  std::vector<std::string> agent_phone_networks = {"127.0.0.0/8"};
  std::string log_file;  // empty: standard error
  std::string log_level = "info";
  absl::Duration drain_time = absl::Seconds(60);

  std::string StorePath() const { return data_dir + "/store"; }
  std::string JournalPath() const { return data_dir + "/dialogs.journal"; }
  std::string SocketPath() const { return data_dir + "/outpace.sock"; }
};

// Reads and checks a configuration. InvalidArgument messages are made for people:
// "outpace.toml:12: trunk.peer: 'carrier.example' is not a numeric address; write e.g.
// 192.0.2.10:5060". All faults are reported at once, one a line. NotFound when the file is missing.
absl::StatusOr<Config> LoadConfig(const std::string& path);
absl::StatusOr<Config> ParseConfig(absl::string_view text, absl::string_view name);

// Whether `address` (numeric IPv4) lies in `network` ("10.0.0.0/8").
bool InNetwork(absl::string_view address, absl::string_view network);

}  // namespace outpace::runtime
