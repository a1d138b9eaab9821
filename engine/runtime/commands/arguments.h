#pragma once

// What the commands that are clients of Admin share.

#include <cstdio>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/runtime/commands/options.h"

namespace outpace::runtime {

// Copies options that were given, under their own names.
inline void Copy(const Options& options, std::initializer_list<const char*> names,
                 nlohmann::ordered_json& json) {
  for (const char* name : names) {
    if (options.Has(name)) json[name] = options.Text(name);
  }
}

// Takes the subcommand off the front: "create" of `outpace campaign create DEMO`.
inline std::string TakeVerb(Arguments& arguments) {
  if (arguments.empty() || arguments[0].empty() || arguments[0][0] == '-') return "";
  std::string verb = arguments[0];
  arguments.erase(arguments.begin());
  return verb;
}

// NAME=VALUE texts as an object; the text that has no '=' otherwise.
inline std::string ReadPairs(const std::vector<std::string>& pairs, nlohmann::ordered_json& json) {
  for (const std::string& pair : pairs) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos) return pair;
    json[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return "";
}

// Prints what an operation answered: its text, or with `as_json` all but the text.
inline int PrintAnswer(const absl::StatusOr<nlohmann::ordered_json>& answer, bool as_json) {
  if (!answer.ok()) return Fail(answer.status());
  if (as_json) {
    nlohmann::ordered_json json = *answer;
    json.erase("text");
    std::printf("%s\n",
                json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
  } else {
    std::fputs(answer->value("text", std::string()).c_str(), stdout);
  }
  return answer->value("incomplete", false) ? kFailed : kDone;
}

}  // namespace outpace::runtime
