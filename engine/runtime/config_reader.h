#pragma once

// Reads the values of a TOML file for config.cc and config_trunks.cc, and keeps every fault with
// its line, so that all of them are told at once.

#include <toml++/toml.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "engine/runtime/config.h"

namespace outpace::runtime {

// Walks the tree of a TOML file, takes known keys out of it and collects every fault with its line.
class Reader {
 public:
  Reader(toml::table& root, absl::string_view name) : root_(root), name_(name) {}

  void Fault(const toml::node* node, absl::string_view what) {
    const auto line = node != nullptr ? node->source().begin.line : 0;
    faults_.push_back(line > 0 ? absl::StrCat(name_, ":", line, ": ", what)
                               : absl::StrCat(name_, ": ", what));
  }

  // Names a key that nobody reads: a misspelt setting must not be a silent nothing.
  void RefuseUnknown(const toml::table& table, absl::string_view where,
                     const std::set<std::string>& known) {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      if (known.contains(name)) continue;
      Fault(&node, absl::StrCat("unknown key '", name, "'", where.empty() ? "" : " in ", where,
                                "; known here: ", absl::StrJoin(known, ", ")));
    }
  }

  void Flag(toml::table* table, const char* key, bool* out) {
    const toml::node* node = Find(table, key);
    if (node == nullptr) return;
    if (const auto value = node->value_exact<bool>()) {
      *out = *value;
    } else {
      Fault(node, absl::StrCat(key, ": must be true or false"));
    }
  }

  // A number of seconds.
  void Seconds(toml::table* table, const char* key, double low, double high, absl::Duration* out) {
    double seconds = absl::ToDoubleSeconds(*out);
    Number(table, key, low, high, &seconds);
    *out = absl::Seconds(seconds);
  }

  // One of some words.
  template <typename Value>
  void Choice(toml::table* table, const char* key, const std::map<std::string, Value>& words,
              Value* out) {
    if (table == nullptr || !table->contains(key)) return;
    const auto word = table->get(key)->value_exact<std::string>();
    if (const auto found = words.find(word.value_or("")); found != words.end()) {
      *out = found->second;
      return;
    }
    std::vector<std::string> known;
    for (const auto& [name, value] : words) known.push_back(name);
    Fault(table->get(key), absl::StrCat(key, ": must be ", absl::StrJoin(known, ", ")));
  }

  toml::table* Section(const char* name) {
    toml::node* node = root_.get(name);
    if (node == nullptr) return nullptr;
    if (!node->is_table()) {
      Fault(node, absl::StrCat("'", name, "' must be a section: [", name, "]"));
      return nullptr;
    }
    return node->as_table();
  }

  void Text(toml::table* table, const char* key, std::string* out) {
    const toml::node* node = Find(table, key);
    if (node == nullptr) return;
    if (const auto value = node->value_exact<std::string>()) {
      *out = *value;
    } else {
      Fault(node, absl::StrCat(key, ": must be text in quotes"));
    }
  }

  template <typename T>
  void Number(toml::table* table, const char* key, double low, double high, T* out) {
    const toml::node* node = Find(table, key);
    if (node == nullptr) return;
    const auto value = node->is_number() ? node->value<double>() : std::nullopt;
    const bool whole = std::is_integral_v<T>;
    if (!value || !(*value >= low && *value <= high) || (whole && std::trunc(*value) != *value)) {
      Fault(node, absl::StrCat(key, ": must be a ", whole ? "whole " : "", "number from ", low,
                               " to ", high));
      return;
    }
    *out = static_cast<T>(*value);
  }

  void Address(toml::table* table, const char* key, Endpoint* out) {
    const toml::node* node = Find(table, key);
    if (node == nullptr) return;
    const auto text = node->value_exact<std::string>();
    const auto endpoint = ParseEndpoint(text.value_or(""));
    if (endpoint.ok()) {
      *out = *endpoint;
    } else {
      Fault(node, absl::StrCat(key, ": ", endpoint.status().message()));
    }
  }

  absl::Status Result() const {
    if (faults_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrJoin(faults_, "\n"));
  }

 private:
  static const toml::node* Find(toml::table* table, const char* key) {
    return table == nullptr ? nullptr : table->get(key);
  }

  toml::table& root_;
  const std::string name_;
  std::vector<std::string> faults_;
};

// Reads the [[trunk]] sections (config_trunks.cc).
void ReadTrunks(toml::table& root, Reader& reader, Config& config);

}  // namespace outpace::runtime
