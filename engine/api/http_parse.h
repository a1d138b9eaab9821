#pragma once

// The part of HTTP that decides what a request means, as pure functions on text: where the head
// ends, what the target names, which route it takes and whether its origin may come in. Beast
// parses what passes here. It is lenient where two readers of one byte stream may disagree (folded
// lines), and that is how a request is smuggled past a proxy, so this folder refuses such bytes
// before Beast sees them.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace outpace::api {

// Finds the end of a request head in bytes that arrive piece by piece; each byte is looked at once.
class HeadScanner {
 public:
  enum class State {
    kMore,       // no end yet
    kComplete,   // the head ended inside the last piece
    kMalformed,  // a line end that is not CRLF, a folded line (RFC 9112 5.2) or a control character
  };
  // `consumed`, if the state is kComplete, is how many bytes of `piece` belong to the head.
  State Feed(absl::string_view piece, size_t* consumed);
  void Reset() { *this = HeadScanner(); }

 private:
  bool after_cr_ = false;
  bool line_start_ = true;
  bool any_line_ = false;
};

struct Target {
  std::string path;  // percent-decoded
  std::vector<std::string>
      segments;  // of the path, split before decoding, so "%2F" stays inside one
  std::map<std::string, std::string> query;  // first value of each name; '+' is a space
};
// Origin form only (RFC 9112 3.2.1): "/path?query". InvalidArgument for anything else, for a bad
// percent escape and for control characters in the path.
absl::StatusOr<Target> ParseTarget(absl::string_view raw);

// "/v1/list/{}/lead" split into segments; "{}" matches one segment that is not empty.
class RoutePattern {
 public:
  explicit RoutePattern(absl::string_view path);
  // The captured segments, or nothing.
  std::optional<std::vector<std::string>> Match(const std::vector<std::string>& segments) const;
  size_t literal_bytes() const { return literal_bytes_; }  // the pattern with most of them wins

 private:
  std::vector<std::string> segments_;
  size_t literal_bytes_ = 0;
};

// True if a browser page of `origin` may use a server that it addressed as `host` (the Host
// header): same authority, or listed in `allowed` ("https://dialer.example.com"). "null" never may.
bool OriginAllowed(absl::string_view origin, absl::string_view host,
                   const std::vector<std::string>& allowed);

// True if a server that listens on `address` may be called `host`. One on a loopback address is
// "localhost", an IP address or the host of an allowed origin: any other name is a foreign site
// whose DNS record was pointed at this machine (DNS rebinding). Elsewhere every name is taken.
bool HostAllowed(absl::string_view host, absl::string_view address,
                 const std::vector<std::string>& allowed);

}  // namespace outpace::api
