#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "dnc/registry_file.h"
#include "engine/base/e164.h"
#include "gtest/gtest.h"

namespace outpace::fakes {

// A real registry of one number; its file is gone, what is mapped stays.
inline std::shared_ptr<const dnc::RegistryFile> RegistryOf(
    E164 phone, const std::string& name = "us",
    absl::CivilDay obtained = absl::CivilDay(2026, 1, 1)) {
  std::string directory = (std::filesystem::temp_directory_path() / "registry-XXXXXX").string();
  EXPECT_NE(::mkdtemp(directory.data()), nullptr);
  dnc::NumberSet numbers;
  numbers.Add(phone.value());
  const std::string path = directory + "/us.dnc";
  const dnc::RegistryInfo info{name, "a test", obtained};
  EXPECT_TRUE(dnc::WriteRegistryFile(numbers, info, path).ok());
  auto file = dnc::RegistryFile::Open(path);
  EXPECT_TRUE(file.ok()) << file.status();
  std::filesystem::remove_all(directory);
  return file.ok() ? *file : nullptr;
}

}  // namespace outpace::fakes
