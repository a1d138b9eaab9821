#include "campaign/registry_line.h"

#include <string>
#include <vector>

#include "campaign/number_plan.h"
#include "gtest/gtest.h"

namespace outpace::campaign {
namespace {

TEST(RegistryNumber, ReadsWhatRegistriesWrite) {
  for (const char* line :
       {"202,5550143", "2025550143", "+12025550143", "1-202-555-0143", "\"202\",\"5550143\"",
        "(202) 555-0143", "\"202-555-0143\";2026-01-05;web", " 2025550143 \t2026",
        "２０２5550143"}) {
    EXPECT_EQ(RegistryNumber(line, "US"), E164(12'025'550'143)) << line;
  }
  EXPECT_EQ(RegistryNumber("13800138000", "CN"), E164(8'613'800'138'000));
  EXPECT_EQ(RegistryNumber("020 7183 8750,x", "GB"), E164(442'071'838'750));
}

TEST(RegistryNumber, ReadsNothingIntoWhatIsNone) {
  for (const char* line : {"202,555014", "202", "202,", "Smith,2025550143", "", "phone", "12345"}) {
    EXPECT_EQ(RegistryNumber(line, "US"), E164()) << line;
  }
}

}  // namespace
}  // namespace outpace::campaign
