#pragma once

// Drives a headless Chromium through chromedriver (W3C WebDriver over HTTP), for tests that must
// see a page as a browser shows it. One browser with a fresh profile in a temporary folder per
// object; it talks to 127.0.0.1 only, as long as the pages do. Debian: chromium, chromium-driver.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace outpace::e2e {

struct BrowserOptions {
  int width = 1366;  // CSS pixels of the page's area
  int height = 768;
  std::string language = "en-US";
};

class WebDriver {
 public:
  // NotFound with the packages to install when there is no chromedriver; Unavailable when it or the
  // browser does not start.
  static absl::StatusOr<std::unique_ptr<WebDriver>> Start(const BrowserOptions& options = {});
  virtual ~WebDriver() = default;  // ends browser and driver, removes the profile

  virtual absl::Status Open(absl::string_view url) = 0;  // returns once the page has loaded
  // Runs a function body in the page, e.g. "return document.title"; a promise is awaited.
  virtual absl::StatusOr<nlohmann::json> Run(
      absl::string_view script, const nlohmann::json& arguments = nlohmann::json::array()) = 0;
  // Waits inside the browser until the JavaScript expression is true. DeadlineExceeded names it.
  virtual absl::Status WaitUntil(absl::string_view expression,
                                 absl::Duration timeout = absl::Seconds(15)) = 0;
  // The first element that `css` matches. NotFound: none.
  virtual absl::Status Click(absl::string_view css) = 0;
  virtual absl::Status Type(absl::string_view css, absl::string_view text) = 0;
  virtual absl::StatusOr<std::string> Text(absl::string_view css) = 0;  // its textContent
  // Presses and releases one key wherever the focus is: "a", or a WebDriver code such as kF2.
  virtual absl::Status Press(absl::string_view key) = 0;
  virtual absl::Status Resize(int width, int height) = 0;  // CSS pixels of the page's area
  // The page as PNG bytes.
  virtual absl::StatusOr<std::string> Screenshot() = 0;
  // Writes the page to $OUTPACE_SCREENSHOT_DIR/<name>.png; does nothing when that is not set.
  virtual absl::Status SaveScreenshot(absl::string_view name) = 0;
  // Console messages of level SEVERE since the last call: script errors, refused by
  // Content-Security-Policy, failed requests.
  virtual absl::StatusOr<std::vector<std::string>> Errors() = 0;
};

// Key codes of the WebDriver specification (17.4.2), as UTF-8.
inline constexpr char kF2[] = "\xEE\x80\xB2";
inline constexpr char kF4[] = "\xEE\x80\xB4";
inline constexpr char kF7[] = "\xEE\x80\xB7";
inline constexpr char kF8[] = "\xEE\x80\xB8";
inline constexpr char kF9[] = "\xEE\x80\xB9";
inline constexpr char kEscape[] = "\xEE\x80\x8C";

}  // namespace outpace::e2e
