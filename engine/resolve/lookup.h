#pragma once

// One asking for one name, over c-ares: SRV if it is called for, then the addresses of every host,
// then one result. Internal to this folder; all of it on the resolver's thread.

#include <ares.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/resolve/dns_message.h"
#include "engine/resolve/targets.h"

namespace outpace::resolve {

struct LookupResult {
  absl::Status status{};          // as in Resolution
  std::vector<Target> targets{};  // capped and sorted
  absl::Duration ttl{};           // of the targets, or of "there is none"; not clamped
};

class Lookup : public std::enable_shared_from_this<Lookup> {
 public:
  struct Families {
    bool ipv4 = true, ipv6 = true;
  };
  using Done = absl::AnyInvocable<void(LookupResult)>;
  // `done` is called once, maybe before Start() returns; never after Drop().
  Lookup(ares_channel channel, Peer peer, Transport transport, Families families,
         std::atomic<uint64_t>& questions, Done done)
      : channel_(channel),
        peer_(std::move(peer)),
        transport_(transport),
        families_(families),
        questions_(questions),
        done_(std::move(done)) {}
  void Start();
  void Drop() { done_ = nullptr; }

 private:
  // What c-ares hands back to us; keeps the lookup alive until its last question is over.
  struct Question {
    std::shared_ptr<Lookup> lookup;
    std::string host;  // empty: the SRV question
    bool ipv6 = false;
  };
  static void OnReply(void* arg, int status, int timeouts, unsigned char* bytes, int length);

  void Ask(const std::string& name, int type, const std::string& host);
  void OnSrv(int status, const DnsAnswer& answer);
  void AskAddresses(std::vector<DnsAnswer::Srv> hosts);
  bool FromHostsFile(const std::string& host);
  void OnAddresses(const std::string& host, int status, const DnsAnswer& answer);
  void OnQuestionDone();
  void LowerTtl(absl::Duration ttl) { ttl_ = std::min(ttl_, ttl); }
  void Finish(LookupResult result);

  const ares_channel channel_;
  const Peer peer_;
  const Transport transport_;
  const Families families_;
  std::atomic<uint64_t>& questions_;
  Done done_;

  std::vector<DnsAnswer::Srv> hosts_;  // to be sent to; one without SRV for a plain name
  std::map<std::string, std::vector<DnsAnswer::Address>> addresses_;
  absl::Duration ttl_ = absl::InfiniteDuration();
  int open_ = 0;             // questions without an answer
  bool none_there_ = false;  // SRV says so (RFC 2782: target ".")
  std::string trouble_;      // first failure that was not "there is none"
};

}  // namespace outpace::resolve
