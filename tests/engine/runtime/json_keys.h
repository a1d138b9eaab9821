#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"

namespace outpace::runtime {

// Every key with its path, "campaigns.calls.ringing"; arrays by their first element.
inline void Keys(const nlohmann::json& json, const std::string& path, std::set<std::string>& out) {
  if (json.is_array()) {
    if (!json.empty()) Keys(json[0], path, out);
    return;
  }
  if (!json.is_object()) return;
  for (const auto& [key, value] : json.items()) {
    const std::string here = path.empty() ? key : absl::StrCat(path, ".", key);
    out.insert(here);
    Keys(value, here, out);
  }
}

}  // namespace outpace::runtime
