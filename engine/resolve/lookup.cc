#include "engine/resolve/lookup.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"

namespace outpace::resolve {
namespace {

constexpr int kClassIn = 1, kTypeA = 1, kTypeAaaa = 28, kTypeSrv = 33;
// What is believed without a TTL: "there is none" without an SOA, and the hosts file.
constexpr absl::Duration kTtlUnknown = absl::Seconds(30);

// The name server's word that there is none, as opposed to no word.
bool IsNone(int status) { return status == ARES_ENODATA || status == ARES_ENOTFOUND; }

}  // namespace

void Lookup::Start() {
  const std::shared_ptr<Lookup> keep = shared_from_this();
  if (peer_.numeric) {
    Target target{.address = peer_.host,
                  .ipv6 = peer_.host.find(':') != std::string::npos,
                  .port = peer_.port != 0 ? peer_.port : DefaultPort(transport_),
                  .host = peer_.host};
    return Finish({.targets = {std::move(target)}, .ttl = absl::InfiniteDuration()});
  }
  if (peer_.port != 0) {
    return AskAddresses({{.port = peer_.port, .target = peer_.host}});
  }
  Ask(absl::StrCat(SrvPrefix(transport_), peer_.host), kTypeSrv, "");
}

void Lookup::Ask(const std::string& name, int type, const std::string& host) {
  ++open_;
  questions_.fetch_add(1, std::memory_order_relaxed);
  auto question = std::make_unique<Question>();
  question->lookup = shared_from_this();
  question->host = host;
  question->ipv6 = type == kTypeAaaa;
  ares_query(channel_, name.c_str(), kClassIn, type, &Lookup::OnReply, question.release());
}

void Lookup::OnReply(void* arg, int status, int /*timeouts*/, unsigned char* bytes, int length) {
  const std::unique_ptr<Question> question(static_cast<Question*>(arg));
  Lookup& lookup = *question->lookup;
  if (lookup.done_ == nullptr) return;
  DnsAnswer answer;
  if (bytes != nullptr && length > 0) {
    auto parsed = ParseDnsAnswer(absl::MakeConstSpan(bytes, static_cast<size_t>(length)));
    if (parsed.ok()) {
      answer = *std::move(parsed);
    } else if (status == ARES_SUCCESS) {
      status = ARES_EBADRESP;
    }
  }
  if (question->host.empty()) {
    lookup.OnSrv(status, answer);
  } else {
    lookup.OnAddresses(question->host, status, answer);
  }
  lookup.OnQuestionDone();
}

void Lookup::OnSrv(int status, const DnsAnswer& answer) {
  if (status != ARES_SUCCESS && !IsNone(status)) {
    // Not the name itself instead: with SRV broken for a moment, calls would go to whatever else
    // answers there.
    trouble_ = absl::StrCat("SRV: ", ares_strerror(status),
                            "; where there is no SRV, write the port behind the peer's name");
    return;
  }
  std::vector<DnsAnswer::Srv> hosts;
  bool refused = false;  // target ".": the service is decidedly not there
  for (const DnsAnswer::Srv& srv : answer.srv) {
    if (srv.target.empty()) {
      refused = true;
    } else {
      hosts.push_back(srv);
    }
  }
  if (!answer.srv.empty()) LowerTtl(absl::Seconds(answer.ttl));
  if (refused && hosts.empty()) {
    none_there_ = true;
    return;
  }
  if (!hosts.empty()) return AskAddresses(std::move(hosts));
  LowerTtl(answer.negative_ttl.has_value() ? absl::Seconds(*answer.negative_ttl) : absl::Hours(1));
  AskAddresses({{.port = DefaultPort(transport_), .target = peer_.host}});
}

// The best hosts only, the same ones whatever order they came in.
void Lookup::AskAddresses(std::vector<DnsAnswer::Srv> hosts) {
  std::sort(hosts.begin(), hosts.end(), [](const DnsAnswer::Srv& a, const DnsAnswer::Srv& b) {
    return std::make_tuple(a.priority, -static_cast<int>(a.weight), absl::string_view(a.target),
                           a.port) < std::make_tuple(b.priority, -static_cast<int>(b.weight),
                                                     absl::string_view(b.target), b.port);
  });
  if (hosts.size() > static_cast<size_t>(kTargetsMax)) hosts.resize(kTargetsMax);
  hosts_ = std::move(hosts);
  std::set<std::string> names;
  for (const DnsAnswer::Srv& host : hosts_) names.insert(host.target);
  ++open_;  // so that answers on the spot do not finish the lookup before all are asked
  for (const std::string& name : names) {
    auto numeric = ParsePeer(name);
    if (numeric.ok() && numeric->numeric) {  // an SRV target that is an address: many zones do it
      addresses_[name].push_back({false, name});
      continue;
    }
    if (FromHostsFile(name)) continue;
    if (families_.ipv4) Ask(name, kTypeA, name);
    if (families_.ipv6) Ask(name, kTypeAaaa, name);
  }
  OnQuestionDone();
}

// /etc/hosts comes before the name servers, as everywhere else on the machine.
bool Lookup::FromHostsFile(const std::string& host) {
  bool found = false;
  for (const int family : {AF_INET, AF_INET6}) {
    if (family == AF_INET ? !families_.ipv4 : !families_.ipv6) continue;
    hostent* entry = nullptr;
    if (ares_gethostbyname_file(channel_, host.c_str(), family, &entry) != ARES_SUCCESS) continue;
    for (char** address = entry->h_addr_list; *address != nullptr; ++address) {
      char text[INET6_ADDRSTRLEN];
      if (inet_ntop(family, *address, text, sizeof text) == nullptr) continue;
      addresses_[host].push_back({family == AF_INET6, text});
      found = true;
    }
    ares_free_hostent(entry);
  }
  if (found) LowerTtl(kTtlUnknown);
  return found;
}

void Lookup::OnAddresses(const std::string& host, int status, const DnsAnswer& answer) {
  if (status == ARES_SUCCESS) {
    auto& addresses = addresses_[host];
    addresses.insert(addresses.end(), answer.addresses.begin(), answer.addresses.end());
    LowerTtl(absl::Seconds(answer.ttl));
  } else if (IsNone(status)) {
    if (answer.negative_ttl.has_value()) LowerTtl(absl::Seconds(*answer.negative_ttl));
  } else {
    if (trouble_.empty()) trouble_ = absl::StrCat("address: ", ares_strerror(status));
  }
}

void Lookup::OnQuestionDone() {
  if (--open_ > 0 || done_ == nullptr) return;
  LookupResult result;
  for (const DnsAnswer::Srv& host : hosts_) {
    for (const DnsAnswer::Address& address : addresses_[host.target]) {
      result.targets.push_back({.address = address.text,
                                .ipv6 = address.ipv6,
                                .port = host.port,
                                .host = host.target,
                                .priority = host.priority,
                                .weight = host.weight});
    }
  }
  CapTargets(result.targets);
  if (result.targets.empty()) {
    result.status = none_there_
                        ? absl::NotFoundError("DNS: the domain takes no calls over this transport")
                    : trouble_.empty() ? absl::NotFoundError("DNS: there is no such name")
                                       : absl::UnavailableError(absl::StrCat("DNS: ", trouble_));
  }
  // Some hosts or families failed while others answered: ask again soon for the rest.
  if (!trouble_.empty() || ttl_ == absl::InfiniteDuration()) LowerTtl(kTtlUnknown);
  result.ttl = ttl_;
  Finish(std::move(result));
}

void Lookup::Finish(LookupResult result) {
  Done done = std::move(done_);
  done_ = nullptr;
  done(std::move(result));
}

}  // namespace outpace::resolve
