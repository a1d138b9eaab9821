#pragma once

// Everything an operator says of a trunk. Plain data: read from the configuration by the runtime,
// used by the route table, the caller-ID pools and the disposition table of this folder, and handed
// on in parts to the call shard (limits) and to SIP (transport, credentials).

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "engine/base/e164.h"

namespace outpace::trunk {

enum class Transport { kUdp, kTcp, kTls };

// Numbers a trunk carries, and at what price. The longest matching prefix decides (E.164 digits
// without '+'; "" matches all).
struct PrefixRule {
  std::string prefix{};
  bool allow = true;
  double cost_per_minute = 0;  // >= 0, any one currency; least-cost choice compares it
  int strip = 0;               // leading digits of the E.164 number (without '+') taken off,
  std::string prepend{};       // then this put in front: "0086", "9"; with neither: "+" and E.164
};

// How the trunk counts the seconds it charges for: `first` at least for a call that was answered,
// then in steps of `then`. Written "60/6"; "1/1" is by the second.
struct Billing {
  int first = 1;  // seconds, >= 1
  int then = 1;   // seconds, >= 1
};

enum class CallerIdChoice {
  kFixed,     // the campaign's campaign_cid, else the pool's first
  kRotating,  // the next of the pool each call
  kLocal,     // the one of the pool nearest to the number dialed: same area, same region, any
};

struct CallerId {
  E164 number{};
  bool owned =
      true;  // STIR attestation A; else B when the customer is known (settings), C otherwise
};

struct CallerIdPool {
  CallerIdChoice choice = CallerIdChoice::kFixed;
  std::vector<CallerId> numbers{};
  int calls_per_day = 0;                       // per number; 0: no cap
  absl::Duration rest = absl::ZeroDuration();  // from one call of a number to its next; zero: none
};

// What names us to the trunk (RFC 3325, RFC 3323, RFC 5806).
struct IdentityHeaders {
  bool p_asserted_identity = false;
  bool privacy = false;     // Privacy: id, and an anonymous From
  std::string diversion{};  // number or URI; empty: none
  // Custom headers; the value may name lead fields in braces: "X-Account: {vendor_lead_code}".
  std::vector<std::pair<std::string, std::string>> headers{};
};

struct StirSettings {
  std::string private_key_file{};  // PEM, P-256; empty: no Identity header
  std::string certificate_url{};   // x5u, https
  bool customer_known = true;      // attestation B rather than C for numbers that are not owned
};

// What becomes of a call to one of our numbers. With a campaign: a caller whom that campaign has
// rung is put through to a free agent of it, and hears the message when there is none; without one
// everybody hears the message.
struct InboundNumber {
  std::string number{};  // the called number as the trunk writes it in its Request-URI
  std::string campaign{};
};

struct TrunkSettings {
  std::string name{};
  // "192.0.2.10:5060", "[2001:db8::1]:5061" or a name: "sip.carrier.example" (SRV, then A and
  // AAAA), "sip.carrier.example:5060" (A and AAAA). Names are resolved away from the call's way.
  std::string peer{};
  Transport transport = Transport::kUdp;
  std::string tls_name{};  // certificate name; empty: the host of `peer`
  bool srtp = false;       // offer RTP/SAVP (SDES) only

  std::string auth_user{}, auth_password{}, auth_realm{};
  bool registers = false;         // REGISTER and keep it; no calls while not registered
  std::string register_domain{};  // empty: the host of `peer`
  absl::Duration register_expires = absl::Hours(1);
  absl::Duration options_interval = absl::Seconds(30);  // health check; zero: none

  double calls_per_second = 10;  // never more INVITEs in any one second
  int calls_max = 100;           // at once
  int unanswered_max = 200;      // INVITEs without any provisional answer
  bool hundred_rel = false;
  absl::Duration session_expires = absl::ZeroDuration();  // RFC 4028; zero: we ask for none

  int weight = 100;  // share among a campaign's trunks of the same priority, 0..1000
  double cost_per_minute = 0;
  Billing billing{};
  std::vector<PrefixRule> prefixes{};  // none: every number, as +E.164

  CallerIdPool caller_ids{};
  IdentityHeaders identity{};
  StirSettings stir{};
  std::string disposition_table{};  // file; empty: the built-in table
  std::vector<InboundNumber> inbound{};
};

}  // namespace outpace::trunk
