#include "engine/resolve/resolver.h"

#include <ares.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/base/check.h"
#include "engine/base/mailbox.h"
#include "engine/base/overload.h"
#include "engine/resolve/lookup.h"

namespace outpace::resolve {
namespace {

constexpr size_t kCommandsMax = 1024;
constexpr int kEdnsBytes = 1232;  // what passes every path without fragments (DNS flag day 2020)
constexpr absl::Duration kPollMax = absl::Seconds(60);
// A loop whose queue was full is asked again after this.
constexpr absl::Duration kDeliverAgain = absl::Milliseconds(50);

// c-ares' list of name servers; InvalidArgument if one is no address.
absl::StatusOr<std::string> ServersText(const std::vector<std::string>& nameservers) {
  std::vector<std::string> out;
  for (const std::string& text : nameservers) {
    const absl::StatusOr<Peer> peer = ParsePeer(text);
    if (!peer.ok() || !peer->numeric) {
      return absl::InvalidArgumentError(
          absl::StrCat("name server '", text,
                       "' is no address; write e.g. \"192.0.2.53\" or \"[2001:db8::53]:53\""));
    }
    const bool ipv6 = peer->host.find(':') != std::string::npos;
    out.push_back(absl::StrCat(ipv6 ? "[" : "", peer->host, ipv6 ? "]:" : ":",
                               peer->port == 0 ? 53 : peer->port));
  }
  return absl::StrJoin(out, ",");
}

struct ServersCommand {
  std::string servers{};
};
struct RefreshCommand {};

}  // namespace

struct Resolver::Watch::State {
  // Loop thread.
  Callback callback;
  bool running = false;
  // Set by the loop's thread, read by both.
  std::atomic<bool> alive{true};
  Loop* loop = nullptr;
  int wake_fd = -1;  // our own duplicate: outlives the resolver
  ~State() {
    if (wake_fd >= 0) close(wake_fd);
  }
};

Resolver::Watch::Watch(std::shared_ptr<State> state) : state_(std::move(state)) {}

Resolver::Watch::~Watch() {
  state_->alive.store(false, std::memory_order_release);
  // What the callback holds dies here, on its own thread; unless this is called from within it.
  if (!state_->running) state_->callback = nullptr;
  const uint64_t one = 1;
  (void)!write(state_->wake_fd, &one, sizeof one);  // the thread forgets the name if it is the last
}

struct Resolver::Impl {
  using WatchState = Watch::State;
  struct Add {
    Peer peer{};
    Transport transport = Transport::kUdp;
    std::shared_ptr<WatchState> watch{};
  };
  using Command = std::variant<Add, ServersCommand, RefreshCommand>;
  struct Watcher {
    std::shared_ptr<WatchState> state{};
    uint64_t version_told = 0;
  };
  using Key = std::tuple<std::string, uint16_t, Transport>;
  struct Entry {
    Peer peer{};
    Transport transport = Transport::kUdp;
    std::vector<Watcher> watchers{};
    Resolution known{};
    uint64_t version = 0;  // of `known`; 0: nothing is known yet
    bool settled = false;  // numeric: never asked again
    MonoTime due{};        // next lookup, if none is under way
    MonoTime expires{};    // of the last answer that held
    int failures = 0;      // in a row
    std::shared_ptr<Lookup> lookup{};
  };

  Impl(const Clock& c, Rng r, ResolverOptions o)
      : clock(c), rng(r), options(std::move(o)), commands(kCommandsMax) {}

  // Any thread.
  bool Push(Command command);
  void Wake();

  // Resolver thread, but for the first OpenChannel().
  absl::Status OpenChannel(const std::string& servers);
  void CloseChannel();
  void Reopen(const std::string& servers);
  static void OnSocket(void* self, ares_socket_t fd, int readable, int writable);
  void Run();
  void TakeCommands();
  void StartDue();
  void OnResult(Entry& entry, LookupResult result);
  void Tell(Entry& entry, Resolution resolution);
  bool Deliver(Entry& entry);  // false: some loop had no room
  void ForgetUnwatched();
  absl::Duration PollTime(bool all_delivered);

  const Clock& clock;
  Rng rng;
  const ResolverOptions options;
  Mailbox<Command> commands;
  int wake_fd = -1;
  std::atomic<bool> stopping{false};
  std::thread thread;
  std::atomic<uint64_t> questions{0}, failed_lookups{0}, lookups{0};

  ares_channel channel = nullptr;
  std::string servers;  // "" for resolv.conf
  std::vector<pollfd> sockets;
  std::map<Key, std::unique_ptr<Entry>> entries;
  bool reread_servers = false;  // name servers failed: resolv.conf may have changed
};

bool Resolver::Impl::Push(Command command) {
  const bool taken = commands.TryPush(std::move(command));
  Wake();
  return taken;
}

void Resolver::Impl::Wake() {
  const uint64_t one = 1;
  (void)!write(wake_fd, &one, sizeof one);
}

// ---- the channel of c-ares ----

void Resolver::Impl::OnSocket(void* self, ares_socket_t fd, int readable, int writable) {
  auto& sockets = static_cast<Impl*>(self)->sockets;
  std::erase_if(sockets, [fd](const pollfd& p) { return p.fd == fd; });
  const int events = (readable != 0 ? POLLIN : 0) | (writable != 0 ? POLLOUT : 0);
  if (events != 0) sockets.push_back({fd, static_cast<short>(events), 0});
}

absl::Status Resolver::Impl::OpenChannel(const std::string& wanted) {
  static std::once_flag once;
  static int library = ARES_SUCCESS;
  std::call_once(once, [] { library = ares_library_init(ARES_LIB_INIT_ALL); });
  ares_options settings{};
  settings.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS;
  settings.timeout = static_cast<int>(absl::ToInt64Milliseconds(options.timeout));
  settings.tries = std::clamp(options.tries, 1, 4);
  settings.ednspsz = kEdnsBytes;
  settings.sock_state_cb = &Impl::OnSocket;
  settings.sock_state_cb_data = this;
  ares_channel fresh = nullptr;
  int error = library != ARES_SUCCESS
                  ? library
                  : ares_init_options(&fresh, &settings,
                                      ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                          ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_STATE_CB);
  if (error == ARES_SUCCESS && !wanted.empty()) {
    error = ares_set_servers_ports_csv(fresh, wanted.c_str());
    if (error != ARES_SUCCESS) ares_destroy(fresh);
  }
  if (error != ARES_SUCCESS) {
    return absl::InternalError(absl::StrCat("DNS: c-ares: ", ares_strerror(error)));
  }
  channel = fresh;
  servers = wanted;
  return absl::OkStatus();
}

void Resolver::Impl::CloseChannel() {
  for (auto& [key, entry] : entries) {
    if (entry->lookup == nullptr) continue;
    entry->lookup->Drop();
    entry->lookup = nullptr;
  }
  if (channel != nullptr) ares_destroy(channel);  // its questions end here, into dropped lookups
  channel = nullptr;
  sockets.clear();
}

// Lookups under way are asked anew: at once, since their entries were due.
void Resolver::Impl::Reopen(const std::string& wanted) {
  const ares_channel old = std::exchange(channel, nullptr);
  std::vector<pollfd> old_sockets = std::exchange(sockets, {});
  if (!OpenChannel(wanted).ok()) {
    channel = old;  // out of memory or descriptors: the old one still works
    sockets = std::move(old_sockets);
    return;
  }
  const ares_channel fresh = std::exchange(channel, old);
  std::vector<pollfd> fresh_sockets = std::exchange(sockets, std::move(old_sockets));
  CloseChannel();
  channel = fresh;
  sockets = std::move(fresh_sockets);
}

// ---- the thread ----

void Resolver::Impl::Run() {
  pthread_setname_np(pthread_self(), "resolver");
  while (!stopping.load(std::memory_order_acquire)) {
    TakeCommands();
    ForgetUnwatched();
    StartDue();
    bool all_delivered = true;
    for (auto& [key, entry] : entries) all_delivered &= Deliver(*entry);
    const absl::Duration wait = PollTime(all_delivered);
    std::vector<pollfd> fds = sockets;
    fds.push_back({wake_fd, POLLIN, 0});
    const int ready =
        poll(fds.data(), fds.size(),
             static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(wait, absl::Milliseconds(1)))));
    if (ready > 0 && (fds.back().revents & POLLIN) != 0) {
      uint64_t count = 0;
      (void)!read(wake_fd, &count, sizeof count);
    }
    fds.pop_back();
    for (const pollfd& fd : fds) {
      if (ready <= 0 || fd.revents == 0) continue;
      // An error or hang-up is found by reading.
      const bool in = (fd.revents & (POLLIN | POLLERR | POLLHUP | POLLNVAL)) != 0;
      ares_process_fd(channel, in ? fd.fd : ARES_SOCKET_BAD,
                      (fd.revents & POLLOUT) != 0 ? fd.fd : ARES_SOCKET_BAD);
    }
    ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // time-outs
    if (std::exchange(reread_servers, false) && servers.empty()) {
      const bool idle = std::all_of(entries.begin(), entries.end(),
                                    [](const auto& e) { return e.second->lookup == nullptr; });
      if (idle) Reopen("");
    }
  }
  CloseChannel();
}

void Resolver::Impl::TakeCommands() {
  const MonoTime now = clock.Mono();
  while (std::optional<Command> command = commands.TryPop()) {
    std::visit(Overload{[&](Add& add) {
                          std::unique_ptr<Entry>& entry =
                              entries[Key(add.peer.host, add.peer.port, add.transport)];
                          if (entry == nullptr) {
                            entry = std::make_unique<Entry>();
                            entry->peer = std::move(add.peer);
                            entry->transport = add.transport;
                            entry->due = now;
                          }
                          entry->watchers.push_back({std::move(add.watch), 0});
                        },
                        [&](ServersCommand& change) {
                          Reopen(change.servers);
                          for (auto& [key, entry] : entries) entry->due = now;
                        },
                        [&](RefreshCommand&) {
                          for (auto& [key, entry] : entries) entry->due = now;
                        }},
               *command);
  }
}

void Resolver::Impl::ForgetUnwatched() {
  std::erase_if(entries, [](auto& item) {
    Entry& entry = *item.second;
    std::erase_if(entry.watchers,
                  [](const Watcher& w) { return !w.state->alive.load(std::memory_order_acquire); });
    if (!entry.watchers.empty()) return false;
    if (entry.lookup != nullptr) entry.lookup->Drop();
    return true;
  });
}

void Resolver::Impl::StartDue() {
  const MonoTime now = clock.Mono();
  for (auto& [key, entry] : entries) {
    if (entry->lookup != nullptr || entry->settled || now < entry->due) continue;
    lookups.fetch_add(1, std::memory_order_relaxed);
    const auto lookup = std::make_shared<Lookup>(
        channel, entry->peer, entry->transport, Lookup::Families{options.ipv4, options.ipv6},
        questions, [this, e = entry.get()](LookupResult r) { OnResult(*e, std::move(r)); });
    entry->lookup = lookup;
    lookup->Start();
  }
}

void Resolver::Impl::OnResult(Entry& entry, LookupResult result) {
  const MonoTime now = clock.Mono();
  entry.lookup = nullptr;  // it is still held by whoever called us
  const bool none = absl::IsNotFound(result.status);
  if (result.status.ok() || none) {
    const absl::Duration most = none ? options.retry_max : options.ttl_max;
    const absl::Duration ttl =
        std::max(std::min(result.ttl, most), std::min(options.ttl_min, most));
    entry.failures = 0;
    entry.settled = entry.peer.numeric;
    entry.due = now + ttl * 4 / 5;
    entry.expires = now + ttl;
    return Tell(entry, {.status = std::move(result.status), .targets = std::move(result.targets)});
  }
  failed_lookups.fetch_add(1, std::memory_order_relaxed);
  reread_servers = true;
  entry.due =
      now + std::min(options.ttl_min * (1 << std::min(entry.failures, 10)), options.retry_max);
  ++entry.failures;
  if (entry.version == 0 || !entry.known.status.ok()) {
    Tell(entry, {.status = std::move(result.status)});
  } else if (now >= entry.expires) {
    Resolution stale = entry.known;
    stale.stale = true;
    stale.trouble = std::string(result.status.message());
    Tell(entry, std::move(stale));
  }
}

// `entry.known.targets` stay sorted, so that two answers that differ in order only are the same.
void Resolver::Impl::Tell(Entry& entry, Resolution resolution) {
  const bool same = entry.version != 0 && entry.known.status.code() == resolution.status.code() &&
                    entry.known.stale == resolution.stale &&
                    entry.known.targets == resolution.targets;
  entry.known = std::move(resolution);
  if (!same) ++entry.version;
}

bool Resolver::Impl::Deliver(Entry& entry) {
  bool all = true;
  for (Watcher& watcher : entry.watchers) {
    if (entry.version == 0 || watcher.version_told == entry.version) continue;
    Resolution resolution = entry.known;
    OrderTargets(resolution.targets, rng);
    const bool posted =
        watcher.state->loop->Post([state = watcher.state, told = std::move(resolution)]() {
          if (!state->alive.load(std::memory_order_acquire)) return;
          state->running = true;
          state->callback(told);
          state->running = false;
          if (!state->alive.load(std::memory_order_acquire)) state->callback = nullptr;
        });
    if (posted) {
      watcher.version_told = entry.version;
    } else {
      all = false;
    }
  }
  return all;
}

absl::Duration Resolver::Impl::PollTime(bool all_delivered) {
  const MonoTime now = clock.Mono();
  absl::Duration wait = all_delivered ? kPollMax : kDeliverAgain;
  for (const auto& [key, entry] : entries) {
    if (entry->lookup == nullptr && !entry->settled) wait = std::min(wait, entry->due - now);
  }
  timeval limit{.tv_sec = 60, .tv_usec = 0}, next{};
  const timeval* const t = ares_timeout(channel, &limit, &next);
  if (t != nullptr) {
    wait = std::min(wait, absl::Seconds(t->tv_sec) + absl::Microseconds(t->tv_usec));
  }
  return std::max(wait, absl::ZeroDuration());
}

// ---- the interface ----

Resolver::Resolver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<Resolver>> Resolver::Create(const Clock& clock, Rng rng,
                                                           ResolverOptions options) {
  OUTPACE_CHECK(options.timeout > absl::ZeroDuration() && options.ttl_min > absl::ZeroDuration() &&
                options.ttl_max >= options.ttl_min && options.retry_max > absl::ZeroDuration());
  OUTPACE_CHECK(options.ipv4 || options.ipv6);
  const absl::StatusOr<std::string> servers = ServersText(options.nameservers);
  if (!servers.ok()) return servers.status();
  std::unique_ptr<Resolver> resolver(
      new Resolver(std::make_unique<Impl>(clock, rng, std::move(options))));
  Impl& impl = *resolver->impl_;
  impl.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (impl.wake_fd < 0) {
    return absl::InternalError(absl::StrCat("DNS: eventfd: ", std::strerror(errno)));
  }
  if (absl::Status status = impl.OpenChannel(*servers); !status.ok()) return status;
  // Signals are for the main thread.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  impl.thread = std::thread([&impl] { impl.Run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return resolver;
}

Resolver::~Resolver() {
  impl_->stopping.store(true, std::memory_order_release);
  if (impl_->thread.joinable()) {
    impl_->Wake();
    impl_->thread.join();
  }
  impl_->CloseChannel();
  if (impl_->wake_fd >= 0) close(impl_->wake_fd);
}

absl::StatusOr<std::unique_ptr<Resolver::Watch>> Resolver::Add(absl::string_view peer,
                                                               Transport transport, Loop& loop,
                                                               Callback callback) {
  absl::StatusOr<Peer> parsed = ParsePeer(peer);
  if (!parsed.ok()) return parsed.status();
  auto state = std::make_shared<Watch::State>();
  state->callback = std::move(callback);
  state->loop = &loop;
  state->wake_fd = dup(impl_->wake_fd);
  if (!impl_->Push(Impl::Add{*std::move(parsed), transport, state})) {
    return absl::ResourceExhaustedError("DNS: too many names at once");
  }
  return std::unique_ptr<Watch>(new Watch(std::move(state)));
}

absl::Status Resolver::SetNameservers(const std::vector<std::string>& nameservers) {
  absl::StatusOr<std::string> servers = ServersText(nameservers);
  if (!servers.ok()) return servers.status();
  if (impl_->Push(ServersCommand{*std::move(servers)})) return absl::OkStatus();
  return absl::ResourceExhaustedError("DNS: too many requests at once");
}

void Resolver::RefreshAll() { (void)impl_->Push(RefreshCommand{}); }

void Resolver::CheckClock() { impl_->Wake(); }

ResolverCounters Resolver::counters() const {
  return {.questions = impl_->questions.load(std::memory_order_relaxed),
          .failed_lookups = impl_->failed_lookups.load(std::memory_order_relaxed),
          .lookups = impl_->lookups.load(std::memory_order_relaxed)};
}

}  // namespace outpace::resolve
