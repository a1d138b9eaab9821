#include "campaign/report/cause_names.h"

#include <utility>

namespace outpace::report {

absl::string_view Q850Name(int cause) {
  static constexpr std::pair<int, absl::string_view> kNames[] = {
      {1, "unallocated number"},
      {3, "no route to destination"},
      {16, "normal call clearing"},
      {17, "user busy"},
      {18, "no user responding"},
      {19, "no answer from user"},
      {20, "subscriber absent"},
      {21, "call rejected"},
      {22, "number changed"},
      {27, "destination out of order"},
      {28, "invalid number format"},
      {29, "facility rejected"},
      {31, "normal, unspecified"},
      {34, "no circuit available"},
      {38, "network out of order"},
      {41, "temporary failure"},
      {42, "switching equipment congestion"},
      {47, "resource unavailable"},
      {55, "incoming calls barred"},
      {57, "bearer capability not authorised"},
      {58, "bearer capability not available"},
      {63, "service not available"},
      {65, "bearer capability not implemented"},
      {79, "service not implemented"},
      {88, "incompatible destination"},
      {102, "recovery on timer expiry"},
      {111, "protocol error"},
      {127, "interworking"},
  };
  for (const auto& [number, name] : kNames) {
    if (number == cause) return name;
  }
  return "";
}

}  // namespace outpace::report
