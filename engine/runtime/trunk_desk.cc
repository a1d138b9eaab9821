#include "engine/runtime/trunk_desk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/runtime/config.h"

namespace outpace::runtime {
namespace {

constexpr uint64_t kSeed = 4;
constexpr char kNoAddress[] = "its name has no address yet";

trunk::RouteTable CheckedTable(const std::vector<trunk::TrunkSettings>& trunks) {
  auto table = trunk::RouteTable::Create(trunks);
  OUTPACE_CHECK(table.ok());
  return *std::move(table);
}

// A field may be as long as its file had it, and a message that does not fit is not sent.
constexpr size_t kHeaderMost = 512;

// "{vendor_lead_code}" becomes the lead's field; what a header may not hold is left out, and what
// is too long is cut between two characters of UTF-8.
std::string Expand(absl::string_view text, const campaign::Lead& lead) {
  std::string out;
  while (!text.empty()) {
    const size_t open = text.find('{');
    const size_t close = open == absl::string_view::npos ? open : text.find('}', open);
    if (close == absl::string_view::npos) break;
    absl::StrAppend(&out, text.substr(0, open),
                    lead.Field(std::string(text.substr(open + 1, close - open - 1))));
    text.remove_prefix(close + 1);
  }
  absl::StrAppend(&out, text);
  out.erase(std::remove_if(out.begin(), out.end(),
                           [](unsigned char c) { return absl::ascii_iscntrl(c) != 0; }),
            out.end());
  if (out.size() > kHeaderMost) {
    size_t end = kHeaderMost;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;
    out.resize(end);
  }
  return out;
}

}  // namespace

std::string RouteUri(absl::string_view host_and_port, trunk::Transport transport) {
  switch (transport) {
    case trunk::Transport::kUdp:
      return absl::StrCat("sip:", host_and_port);
    case trunk::Transport::kTcp:
      return absl::StrCat("sip:", host_and_port, ";transport=tcp");
    case trunk::Transport::kTls:
      return absl::StrCat("sip:", host_and_port, ";transport=tls");
  }
  return "";
}

bool CampaignTrunks::Has(size_t trunk) const {
  return std::any_of(path.members.begin(), path.members.end(),
                     [trunk](const auto& member) { return member.trunk == trunk; });
}

absl::StatusOr<std::vector<TrunkTools>> LoadTrunkTools(
    const std::vector<trunk::TrunkSettings>& trunks) {
  std::vector<TrunkTools> all;
  for (const trunk::TrunkSettings& trunk : trunks) {
    const auto fault = [&](const absl::Status& status) {
      return absl::Status(status.code(),
                          absl::StrCat("trunk '", trunk.name, "': ", status.message()));
    };
    TrunkTools& tools = all.emplace_back();
    if (!trunk.disposition_table.empty()) {
      auto table = trunk::DispositionTable::Load(trunk.disposition_table);
      if (!table.ok()) return fault(table.status());
      tools.dispositions = std::make_shared<const trunk::DispositionTable>(*std::move(table));
    }
    if (!trunk.stir.private_key_file.empty()) {
      auto signer = stir::Signer::FromFile(trunk.stir.private_key_file, trunk.stir.certificate_url);
      if (!signer.ok()) return fault(signer.status());
      tools.signer = *std::move(signer);
    }
  }
  return all;
}

TrunkDesk::TrunkDesk(const std::vector<trunk::TrunkSettings>& trunks, std::vector<TrunkTools> tools,
                     MonoTime now)
    : table_(CheckedTable(trunks)),
      tools_(std::move(tools)),
      rng_(kSeed),
      conditions_(trunks.size(), trunk::TrunkCondition::kClosed) {
  tools_.resize(trunks.size());
  for (size_t i = 0; i < trunks.size(); ++i) {
    trunks_.push_back(
        {.caller_ids = trunk::CallerIdRota(trunks[i].caller_ids), .stats = trunk::TrunkStats(now)});
    // Known to take calls only once it has registered us.
    trunks_[i].open = trunks[i].registers;
    trunks_[i].reason = trunks[i].registers ? "not registered yet" : kNoAddress;
    // Names wait for the resolver.
    const auto endpoint = ParseEndpoint(trunks[i].peer);
    if (endpoint.ok()) {
      SetRoutes(i, {RouteUri(endpoint->ToString(), trunks[i].transport)}, {endpoint->address});
    }
  }
}

void TrunkDesk::SetPath(const campaign::CampaignSettings& settings, CampaignTrunks& trunks) const {
  trunks.shares.resize(trunks_.size());
  trunks.path = {};
  trunks.fault.clear();
  if (settings.trunk.empty()) {
    trunks.fault = "the campaign names no trunk: set trunk";
    return;
  }
  auto path = table_.ParsePath(settings.trunk, settings.trunk_choice == campaign::TrunkChoice::kCost
                                                   ? trunk::TrunkChoice::kLeastCost
                                                   : trunk::TrunkChoice::kPriority);
  if (path.ok()) {
    trunks.path = *std::move(path);
  } else {
    trunks.fault = std::string(path.status().message());
  }
}

bool TrunkDesk::SetRoutes(size_t trunk, std::vector<std::string> route_uris,
                          std::vector<std::string> addresses) {
  Trunk& t = trunks_[trunk];
  if (t.route_uris == route_uris && t.addresses == addresses) return false;
  if (!t.open) t.reason = route_uris.empty() ? kNoAddress : "";
  t.route_uris = std::move(route_uris);
  t.addresses = std::move(addresses);
  return true;
}

void TrunkDesk::SetState(size_t trunk, bool open, bool probing, absl::string_view reason) {
  Trunk& t = trunks_[trunk];
  t.open = open;
  t.probing = probing;
  t.reason = open ? std::string(reason) : t.route_uris.empty() ? kNoAddress : "";
}

void TrunkDesk::NextRoute(size_t trunk) {
  std::vector<std::string>& routes = trunks_[trunk].route_uris;
  if (routes.size() > 1) std::rotate(routes.begin(), routes.begin() + 1, routes.end());
}

bool TrunkDesk::IsTrunk(absl::string_view next_hop) const {
  const std::string with_port = absl::StrCat(next_hop, ":5060");
  return std::any_of(trunks_.begin(), trunks_.end(), [&](const Trunk& t) {
    return std::any_of(t.route_uris.begin(), t.route_uris.end(), [&](const std::string& route) {
      const absl::string_view plain = absl::string_view(route).substr(0, route.find(';'));
      return plain == next_hop || plain == with_port;
    });
  });
}

void TrunkDesk::AddTokens(absl::Duration passed, absl::Duration most) {
  for (size_t i = 0; i < trunks_.size(); ++i) {
    const double cps = settings(i).calls_per_second;
    trunks_[i].tokens = std::min(trunks_[i].tokens + cps * absl::ToDoubleSeconds(passed),
                                 std::max(1.0, cps * absl::ToDoubleSeconds(most)));
  }
}

TrunkDesk::Room TrunkDesk::RoomFor(const CampaignTrunks& trunks) const {
  Room room;
  bool any_open = false;
  for (const auto& member : trunks.path.members) {
    const Trunk& t = trunks_[member.trunk];
    const TrunkShare& share = trunks.shares[member.trunk];
    if (t.open || t.route_uris.empty()) {
      if (room.closed.empty()) {
        room.closed = absl::StrCat("trunk ", settings(member.trunk).name, ": ", t.reason);
      }
      continue;
    }
    any_open = true;
    room.shared |= share.tokens != TrunkShare::kNoShare;
    room.lines += std::max(0, std::min(settings(member.trunk).calls_max - t.calls, share.lines));
    int tokens = std::min(static_cast<int>(t.tokens), share.tokens);
    if (t.probing) tokens = std::min(tokens, t.dialing == 0 ? 1 : 0);
    room.tokens += std::max(0, tokens);
  }
  if (any_open) room.closed.clear();
  return room;
}

std::string TrunkDesk::NoCallerIds(const CampaignTrunks& trunks) const {
  std::string why;
  for (const auto& member : trunks.path.members) {
    const Trunk& t = trunks_[member.trunk];
    if (t.open || t.route_uris.empty()) continue;
    if (t.no_caller_id.empty()) return "";
    if (why.empty())
      why = absl::StrCat("trunk ", settings(member.trunk).name, ": ", t.no_caller_id);
  }
  return why;
}

TrunkDesk::Choice TrunkDesk::Choose(E164 number, const CampaignTrunks& trunks,
                                    absl::Span<const uint16_t> tried) {
  using trunk::TrunkCondition;
  for (const auto& member : trunks.path.members) {
    const Trunk& t = trunks_[member.trunk];
    const TrunkShare& share = trunks.shares[member.trunk];
    TrunkCondition& condition = conditions_[member.trunk];
    const bool full = t.calls >= settings(member.trunk).calls_max || t.tokens < 1 ||
                      share.tokens < 1 || share.lines < 1 || (t.probing && t.dialing > 0);
    if (t.open || t.route_uris.empty()) {
      condition = TrunkCondition::kClosed;
    } else if (std::find(tried.begin(), tried.end(), member.trunk) != tried.end()) {
      condition = TrunkCondition::kExcluded;
    } else {
      condition = full ? TrunkCondition::kFull : TrunkCondition::kUsable;
    }
  }
  Choice choice;
  choice.why = table_.Find(number, trunks.path, conditions_, rng_, candidates_);
  if (choice.why != trunk::NoRoute::kNone) return choice;
  choice.trunk = candidates_.front().trunk;
  choice.dialled = table_.Dialled(candidates_.front(), number);
  choice.route_uri = &trunks_[choice.trunk].route_uris.front();
  return choice;
}

double TrunkDesk::CostPerMinute(size_t trunk, E164 number) const {
  trunk::RouteCandidate route;
  const bool carried = table_.Carries(static_cast<uint16_t>(trunk), number, route);
  return carried ? route.cost_per_minute : settings(trunk).cost_per_minute;
}

trunk::CallVerdict TrunkDesk::Verdict(size_t trunk, const trunk::CallResult& result) const {
  static const trunk::DispositionTable kBuiltIn;
  const auto& own = tools_[trunk].dispositions;
  return (own != nullptr ? *own : kBuiltIn).Decide(result);
}

std::vector<call::SipHeader> TrunkDesk::HeadersFor(size_t trunk, const campaign::Lead& lead,
                                                   const trunk::CallerId& caller_id, E164 dialed,
                                                   absl::string_view our_host,
                                                   absl::Time now) const {
  const trunk::TrunkSettings& trunk_settings = settings(trunk);
  const trunk::IdentityHeaders& identity = trunk_settings.identity;
  std::vector<call::SipHeader> headers;
  const bool known = caller_id.number.valid();
  if (identity.p_asserted_identity && known) {
    headers.emplace_back("P-Asserted-Identity",
                         absl::StrCat("<sip:", caller_id.number.ToString(), "@", our_host, ">"));
  }
  if (identity.privacy) headers.emplace_back("Privacy", "id");
  if (!identity.diversion.empty()) {
    const bool uri = absl::StartsWith(identity.diversion, "sip:");
    headers.emplace_back("Diversion", absl::StrCat("<", uri ? "" : "sip:", identity.diversion,
                                                   uri ? "" : "@", uri ? "" : our_host, ">"));
  }
  if (tools_[trunk].signer != nullptr && known) {
    const auto value = tools_[trunk].signer->Identity(
        {.attest = stir::AttestationFor(caller_id.owned, trunk_settings.stir.customer_known),
         .orig = caller_id.number,
         .dest = dialed,
         .orig_id = stir::OrigIdOf(trunk_settings.name)},
        now);
    if (value.ok()) headers.emplace_back("Identity", std::string(*value));
  }
  for (const auto& [name, value] : identity.headers) {
    if (std::string text = Expand(value, lead); !text.empty()) {
      headers.emplace_back(name, std::move(text));
    }
  }
  return headers;
}

std::map<std::string, std::string> TrunkDesk::SaveCallerIds(MonoTime now) const {
  std::map<std::string, std::string> saved;
  for (size_t i = 0; i < trunks_.size(); ++i) {
    if (!settings(i).caller_ids.numbers.empty()) {
      saved[settings(i).name] = trunks_[i].caller_ids.Save(now);
    }
  }
  return saved;
}

absl::Status TrunkDesk::RestoreCallerIds(absl::string_view trunk, absl::string_view saved,
                                         MonoTime now, int64_t day) {
  const int index = Find(trunk);
  if (index < 0) return absl::OkStatus();  // a trunk of before
  return trunks_[static_cast<size_t>(index)].caller_ids.Restore(saved, now, day);
}

void TrunkDesk::StartDay(MonoTime now) {
  for (Trunk& trunk : trunks_) trunk.stats.StartDay(now);
}

}  // namespace outpace::runtime
