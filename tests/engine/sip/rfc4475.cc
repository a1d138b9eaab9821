#include "tests/engine/sip/rfc4475.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/engine/sip/hostile.h"

namespace outpace::sip {
namespace {

bool IsPolicy(int status) {
  return status == 403 || status == 404 || status == 480 || status == 488 || status == 603;
}

}  // namespace

const std::vector<Torture>& TortureMessages() {
  static const std::vector<Torture>* messages = [] {
    auto* all = new std::vector<Torture>;
    const nlohmann::json index = nlohmann::json::parse(ReadTestFile("rfc4475/index.json"));
    for (const nlohmann::json& entry : index.at("messages")) {
      Torture message;
      message.file = entry.at("file").get<std::string>();
      message.octets = ReadTestFile(absl::StrCat("rfc4475/", message.file));
      message.response = absl::EndsWith(entry.at("kind").get<std::string>(), "response");
      message.udp = entry.at("transport").get<std::string>() == "udp";
      for (const nlohmann::json& allowed : entry.at("allowed_for_us")) {
        message.allowed.push_back(allowed.get<std::string>());
      }
      EXPECT_EQ(message.octets.size(), entry.at("bytes").get<size_t>());
      all->push_back(std::move(message));
    }
    return all;
  }();
  return *messages;
}

bool Allows(const Torture& message, int status) {
  return absl::c_any_of(message.allowed, [status](const std::string& allowed) {
    if (allowed == "1xx") return status >= 100 && status < 200;
    if (allowed == "4xx-policy") return IsPolicy(status);
    if (allowed == "400-sdp") return status == 400;
    return allowed == absl::StrCat(status);
  });
}

bool AllowsDrop(const Torture& message) { return absl::c_linear_search(message.allowed, "drop"); }

bool AllowsSilence(const Torture& message) { return AllowsDrop(message) || !message.udp; }

}  // namespace outpace::sip
