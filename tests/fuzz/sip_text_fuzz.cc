// The pure functions over SIP text of engine/sip. The first octet picks what the rest is.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "engine/base/check.h"
#include "engine/sip/sip_text.h"

namespace outpace::sip {
namespace {

// Nothing that may stand in a header may end it.
void CheckNoControls(absl::string_view text) {
  for (const char c : text) OUTPACE_CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

void CheckHop(const std::string& hop) {
  const absl::StatusOr<SipUri> uri = ParseSipUri(hop);
  OUTPACE_CHECK(uri.ok());
  OUTPACE_CHECK(!CanonicalHost(uri->host).empty());  // no name: nobody is asked where it is
}

void Uri(absl::string_view text) {
  const absl::StatusOr<SipUri> uri = ParseSipUri(text);
  if (!uri.ok()) return;
  OUTPACE_CHECK(uri->scheme == "sip" || uri->scheme == "sips");
  OUTPACE_CHECK(!uri->host.empty());
  OUTPACE_CHECK(uri->port >= 0 && uri->port <= 65535);
  CheckNoControls(uri->host);
  CheckNoControls(uri->params);
  (void)uri->HasParam("lr");
  (void)uri->Param("maddr");
}

void Route(absl::string_view text) {
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  call::DialogState dialog;
  dialog.next_hop = "sip:192.0.2.1:5060";
  dialog.to_uri = "sip:+12025550100@192.0.2.1";
  dialog.remote_target = lines[0];
  dialog.route_set.assign(lines.begin() + 1, lines.end());
  const DialogRoute route =
      RouteInDialog(dialog, [](absl::string_view host) { return host == "192.0.2.7"; });
  CheckHop(route.hop);
  const std::string host = ParseSipUri(route.hop)->host;
  OUTPACE_CHECK(host == "192.0.2.1" || host == "192.0.2.7");  // next hop or peer, nobody else
  CheckNoControls(route.request_uri);
  CheckNoControls(route.route_header);
  const absl::StatusOr<SipUri> target = ParseSipUri(route.request_uri);
  OUTPACE_CHECK(target.ok());
  OUTPACE_CHECK(!target->has_headers);  // the stack would put them into our request
}

}  // namespace
}  // namespace outpace::sip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace outpace::sip;  // NOLINT: one function
  if (size == 0) return 0;
  const absl::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'u':
      Uri(text);
      break;
    case 'h': {
      const absl::StatusOr<std::string> hop = NumericHop(text);
      if (hop.ok()) CheckHop(*hop);
      break;
    }
    case 'c': {
      const std::string host = CanonicalHost(text);
      OUTPACE_CHECK(CanonicalHost(host) == host);
      break;
    }
    case 'r':
      Route(text);
      break;
    case 's': {
      const std::pair<absl::string_view, absl::string_view> parts =
          absl::StrSplit(text, absl::MaxSplits('\n', 1));
      const absl::string_view sdp = SdpOf(parts.first, parts.second);
      OUTPACE_CHECK(sdp.empty() || absl::StrContains(parts.second, sdp));
      break;
    }
    case 'q': {
      const std::pair<absl::string_view, absl::string_view> parts =
          absl::StrSplit(text, absl::MaxSplits('\n', 1));
      const int cause = Q850Cause(parts.first, parts.second);
      OUTPACE_CHECK(cause >= 0 && cause <= 127);
      break;
    }
    default:
      (void)IsToken(text);
      (void)IsCallId(text);
  }
  return 0;
}
