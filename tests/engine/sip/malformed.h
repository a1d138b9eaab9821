#pragma once

// Malformed SIP in the shape of the PROTOS c07-sip suite: a good message with one thing wrong. Each
// header of a request or response, each of its parameters, each word of the first line and each
// line and word of the session description in turn takes each of some seventy anomalies. The same
// seed gives the same octets on every machine.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace outpace::sip {

struct Draft {
  std::vector<std::string> start;                            // three words
  std::vector<std::pair<std::string, std::string>> headers;  // without Content-Length
  std::vector<std::string> sdp;                              // "v=0", ...; empty: no body

  // With the Content-Length that its body has.
  std::string Text() const;
};

// All that can be wrong with one draft. Drafts of the same form (the same headers, parameters and
// lines, whatever the Call-ID and branch) have the same cases under the same numbers.
class Malformed {
 public:
  // Whether a long value has as many octets as our datagram path lets through, or 64 KiB.
  enum Octets : size_t { kDatagramOctets = 16'000, kStreamOctets = 65'536 };
  Malformed(const Draft& form, uint64_t seed, Octets huge = kDatagramOctets);

  size_t size() const { return cases_.size(); }
  std::string Name(size_t number) const;  // "header Via, parameter branch: 64 KiB"
  // `draft`, of the same form, with case `number`.
  std::string Text(const Draft& draft, size_t number) const;

 private:
  enum class Where { kStart, kHeaderValue, kParameter, kHeaderLine, kSdpValue, kSdpWord, kSdpLine };
  struct Case {
    Where where;
    size_t part;     // which word of the start, header or SDP line
    size_t detail;   // which parameter or word of it
    size_t anomaly;  // index into the table for values or for lines
  };
  void Add(Where where, size_t part, size_t detail, size_t anomalies);

  const Draft form_;
  const uint64_t seed_;
  const Octets huge_;
  std::vector<Case> cases_;
};

// How many anomalies a value and a line can have.
size_t ValueAnomalies();
size_t LineAnomalies();

}  // namespace outpace::sip
