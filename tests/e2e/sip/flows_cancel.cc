#include "tests/e2e/sip/flow.h"
namespace outpace::e2e {
std::vector<FlowGroup> CancelGroups() { return {}; }
}  // namespace outpace::e2e
