// The SIPp matrix (README.md): two hundred ways a call can go, each held against four witnesses.

#include <set>

#include "gtest/gtest.h"
#include "tests/e2e/sip/flow_run.h"

namespace outpace::e2e {
namespace {

class SipMatrix : public ::testing::TestWithParam<FlowGroup> {};

TEST_P(SipMatrix, EveryFlowGoesAsItMust) { FlowRun(GetParam()).Go(); }

INSTANTIATE_TEST_SUITE_P(Group, SipMatrix, ::testing::ValuesIn(FlowGroups()),
                         [](const ::testing::TestParamInfo<FlowGroup>& group) {
                           return group.param.name;
                         });

TEST(SipMatrixTable, NamesAreDistinctAndTheMatrixIsLargeEnough) {
  std::set<std::string> names;
  size_t flows = 0;
  for (const FlowGroup& group : FlowGroups()) {
    for (const Flow& flow : group.flows) {
      ++flows;
      EXPECT_TRUE(names.insert(flow.name).second) << flow.name;
      EXPECT_NE(flow.expected.outcome, "") << flow.name;
    }
  }
  EXPECT_GE(flows, 120u);
}

// README.md is printed from the tables. When it differs, the text as it should be is in
// $TEST_TMPDIR or the temporary directory.
TEST(SipMatrixTable, DocumentMatches) {
  const std::string path = OUTPACE_SOURCE_DIR "/tests/e2e/sip/README.md";
  const std::string wanted = FlowsMarkdown();
  if (ReadFileOr(path) == wanted) return;
  const std::string copy = ::testing::TempDir() + "outpace-sip-matrix.md";
  WriteFileOrDie(copy, wanted);
  ADD_FAILURE() << path << " differs from the tables: copy " << copy << " over it";
}

}  // namespace

}  // namespace outpace::e2e
