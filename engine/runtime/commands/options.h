#pragma once

#include <boost/program_options.hpp>
#include <cstdio>
#include <optional>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/runtime/commands/cli.h"

namespace outpace::runtime {

// Options of one subcommand, on Boost.Program_options: adds --help and --config, names positional
// arguments, and turns every fault into one line that says what to do.
class Options {
 public:
  // `usage`: "outpace import FILE --campaign ID"; `text`: what --help teaches, with an example.
  Options(std::string usage, std::string text)
      : usage_(std::move(usage)), text_(std::move(text)), described_("Options") {
    described_.add_options()("help,h", "show this help")(
        "config,c",
        boost::program_options::value<std::string>()->default_value(DefaultConfigPath()),
        "configuration file");
  }
  boost::program_options::options_description_easy_init Add() { return described_.add_options(); }
  void Positional(const char* name, int count) { positional_.add(name, count); }

  // The exit code when there is nothing to run: help was shown or the usage is wrong.
  std::optional<int> Parse(const Arguments& arguments) {
    namespace po = boost::program_options;
    try {
      po::store(
          po::command_line_parser(arguments).options(described_).positional(positional_).run(),
          values_);
      po::notify(values_);
    } catch (const po::error& error) {
      return Misuse(usage_, error.what());
    }
    if (values_.count("help") == 0) return std::nullopt;
    std::ostringstream help;
    help << "Usage: " << usage_ << "\n\n" << text_ << "\n" << described_;
    std::fputs(help.str().c_str(), stdout);
    return kDone;
  }
  bool Has(const char* name) const { return values_.count(name) != 0; }
  std::string Text(const char* name) const {
    return Has(name) ? values_[name].as<std::string>() : std::string();
  }
  std::vector<std::string> Texts(const char* name) const {
    return Has(name) ? values_[name].as<std::vector<std::string>>() : std::vector<std::string>();
  }
  template <typename T>
  T Get(const char* name) const {
    return values_[name].as<T>();
  }
  std::string ConfigPath() const { return Text("config"); }
  const std::string& usage() const { return usage_; }

 private:
  const std::string usage_, text_;
  boost::program_options::options_description described_;
  boost::program_options::positional_options_description positional_;
  boost::program_options::variables_map values_;
};

}  // namespace outpace::runtime
