#pragma once

// The torture messages of RFC 4475 with what may be answered to each (tests/data/rfc4475).

#include <string>
#include <vector>

namespace outpace::sip {

struct Torture {
  std::string file;
  std::string octets;
  bool response = false;
  bool udp = true;  // its Via says UDP: elsewhere an answer would go by another transport
  std::vector<std::string> allowed;
};

const std::vector<Torture>& TortureMessages();
bool Allows(const Torture& message, int status);
bool AllowsDrop(const Torture& message);     // no answer, by what it is
bool AllowsSilence(const Torture& message);  // or because its Via leads elsewhere than UDP

}  // namespace outpace::sip
