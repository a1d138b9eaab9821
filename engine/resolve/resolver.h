#pragma once

// Trunks named by name instead of by address. A thread of its own asks the name servers (c-ares),
// so that no name server, however slow or broken, is ever on a call's way: a call uses the
// addresses known at that moment, and a change arrives as a message.
//
// Each watched name is asked again when four fifths of its TTL have passed, so the answer at hand
// does not run out while name servers work. When they do not, the last known addresses stay, marked
// stale, however long it takes: whether the trunk behind them lives is for OPTIONS and the breaker
// to find out, and a name server's failure must not stop calls that would get through. Only the
// name server's own word that there is no such name takes addresses away (RFC 8767).

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/base/loop.h"
#include "engine/base/rng.h"
#include "engine/resolve/targets.h"

namespace outpace::resolve {

// What is known of a name.
struct Resolution {
  // OK: there are targets. NotFound: the name servers say that there is no such name, no address,
  // or no SIP over this transport. Unavailable: they do not answer, or fail.
  absl::Status status{};
  std::vector<Target> targets{};  // in an order to try; 1 to kTargetsMax if OK
  bool stale = false;             // the TTL has run out and the name servers fail
  std::string trouble{};          // for people, when stale: what fails
};

struct ResolverOptions {
  // "192.0.2.53", "192.0.2.53:5353", "[2001:db8::53]:53". Empty: /etc/resolv.conf, as read at the
  // start and again after every name server has failed.
  std::vector<std::string> nameservers{};
  bool ipv4 = true, ipv6 = true;                // families to ask for
  absl::Duration timeout = absl::Seconds(2);    // of the first try of a question; doubles
  int tries = 2;                                // of each name server, 1..4
  absl::Duration ttl_min = absl::Seconds(5);    // a TTL below counts as this,
  absl::Duration ttl_max = absl::Hours(1);      // one above as this
  absl::Duration retry_max = absl::Minutes(1);  // between attempts while name servers fail
};

struct ResolverCounters {
  uint64_t questions = 0;       // asked of name servers
  uint64_t failed_lookups = 0;  // a name, not a question
  uint64_t lookups = 0;
};

class Resolver {
 public:
  using Callback = absl::AnyInvocable<void(const Resolution&)>;

  // As long as it lives the callback runs on the loop it was given. Destroy it on that loop's
  // thread and the callback never runs again; the loop must outlive it. May outlive the Resolver,
  // and then nothing more comes.
  class Watch {
   public:
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    friend class Resolver;
    struct State;
    explicit Watch(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
  };

  // Starts the thread. `clock` outlives the resolver. InvalidArgument: a name server's address is
  // none; Internal: c-ares or the system refused.
  static absl::StatusOr<std::unique_ptr<Resolver>> Create(const Clock& clock, Rng rng,
                                                          ResolverOptions options);
  ~Resolver();  // stops and joins; questions under way are dropped
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Any thread; never waits. `peer` as in ParsePeer(): a numeric one is answered as it is; with a
  // port A and AAAA are asked; without one SRV of `transport` first, and A and AAAA with the
  // default port if there is no SRV. `callback` gets one Resolution as soon as there is one, of
  // whatever status, and another each time something but the order changed. InvalidArgument: no
  // peer. ResourceExhausted: more than 1,024 requests wait to be taken up.
  absl::StatusOr<std::unique_ptr<Watch>> Add(absl::string_view peer, Transport transport,
                                             Loop& loop, Callback callback);

  // Any thread. Other name servers from now on; every name is asked again. Empty: resolv.conf.
  absl::Status SetNameservers(const std::vector<std::string>& nameservers);
  // Any thread. Asks again for every name, for an operator who knows that something has changed.
  void RefreshAll();
  // Any thread. Looks at the clock now instead of when real time says so: for clocks that tests
  // move.
  void CheckClock();

  ResolverCounters counters() const;  // any thread

 private:
  struct Impl;
  explicit Resolver(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace outpace::resolve
