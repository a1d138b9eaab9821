// With each check of the gate switched off in turn, the gate's own tests must fail: a check that no
// test would miss is no check. The tests run in a program of their own (gate_mutants), built from
// the gate's sources with a hook that the engine does not have.

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/gate/gate.h"
#include "gtest/gtest.h"

namespace outpace::gate {
namespace {

// Whether the gate's tests pass with the check switched off; empty: with none off. A test that is
// cut short, since there is no answer to look at, has noticed as well.
bool PassWithout(absl::string_view check) {
  std::string program = OUTPACE_GATE_MUTANTS_PROGRAM;
  std::string off = absl::StrCat("OUTPACE_GATE_OFF=", check);
  std::string brief = "--gtest_brief=1", filter = "--gtest_filter=Gate.*:Compliance.*";
  std::string path = "PATH=/usr/bin:/bin";
  std::vector<char*> arguments = {program.data(), brief.data(), filter.data(), nullptr};
  std::vector<char*> environment = {off.data(), path.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // Their failures are what is wanted, and would be taken for ours.
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int spawned =
      posix_spawn(&child, program.c_str(), &actions, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  EXPECT_EQ(spawned, 0) << program;
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(GateMutation, TheTestsPassWithAllChecks) { EXPECT_TRUE(PassWithout("")); }

class GateMutationOf : public testing::TestWithParam<int> {};

TEST_P(GateMutationOf, ATestMissesTheCheck) {
  const absl::string_view check = RuleName(static_cast<Rule>(GetParam()));
  EXPECT_FALSE(PassWithout(check)) << "no test notices that " << check << " is not asked";
}

INSTANTIATE_TEST_SUITE_P(Every, GateMutationOf, testing::Range(0, static_cast<int>(kRulesEnd)),
                         [](const auto& rule) {
                           return std::string(RuleName(static_cast<Rule>(rule.param)));
                         });

}  // namespace
}  // namespace outpace::gate
