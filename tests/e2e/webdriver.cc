#include "tests/e2e/webdriver.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/api/http_client.h"

namespace outpace::e2e {
namespace {

using nlohmann::json;

constexpr char kDriver[] = "/usr/bin/chromedriver";
constexpr char kElement[] = "element-6066-11e4-a52e-4f735466cecf";  // WebDriver 12.1
constexpr int kStartMs = 30'000;

// chromedriver as a child process with its own process group; it picks a free port and tells it.
class Driver {
 public:
  ~Driver() {
    if (pid_ > 0) {
      kill(-pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    if (output_ >= 0) close(output_);
  }

  absl::Status Start(const std::string& home) {
    if (access(kDriver, X_OK) != 0) {
      return absl::NotFoundError(absl::StrCat(
          kDriver, " is missing: apt-get install chromium chromium-driver (tools/test does it)"));
    }
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return absl::UnavailableError("pipe failed");
    const std::string home_variable = absl::StrCat("HOME=", home);
    pid_ = fork();
    if (pid_ == 0) {
      setpgid(0, 0);
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves no driver behind
      dup2(ends[1], STDOUT_FILENO);
      dup2(ends[1], STDERR_FILENO);
      const int nothing = open("/dev/null", O_RDONLY);
      dup2(nothing, STDIN_FILENO);
      char path[] = "PATH=/usr/bin:/bin";
      char port[] = "--port=0";
      char name[] = "chromedriver";
      char* arguments[] = {name, port, nullptr};
      char* environment[] = {path, const_cast<char*>(home_variable.c_str()), nullptr};
      execve(kDriver, arguments, environment);
      _exit(127);
    }
    close(ends[1]);
    output_ = ends[0];
    if (pid_ < 0) return absl::UnavailableError("fork failed");
    return ReadPort();
  }

  int port() const { return port_; }

 private:
  // "ChromeDriver was started successfully on port 38341."
  absl::Status ReadPort() {
    std::string seen;
    const std::string before = "successfully on port ";
    for (;;) {
      pollfd waiting{output_, POLLIN, 0};
      if (poll(&waiting, 1, kStartMs) <= 0) break;
      char buffer[512];
      const ssize_t got = read(output_, buffer, sizeof(buffer));
      if (got <= 0) break;
      seen.append(buffer, static_cast<size_t>(got));
      const size_t at = seen.find(before);
      if (at == std::string::npos) continue;
      const size_t end = seen.find('.', at);
      if (end == std::string::npos) continue;
      const size_t begin = at + before.size();
      if (absl::SimpleAtoi(seen.substr(begin, end - begin), &port_)) return absl::OkStatus();
    }
    return absl::UnavailableError(absl::StrCat("chromedriver did not start: ", seen));
  }

  pid_t pid_ = -1;
  int output_ = -1;
  int port_ = 0;
};

class ChromeDriver final : public WebDriver {
 public:
  ~ChromeDriver() override {
    if (!session_.empty()) Call("DELETE", "", json()).status().IgnoreError();
    driver_.reset();
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }

  absl::Status Begin(const BrowserOptions& options) {
    std::string folder =
        (std::filesystem::temp_directory_path() / "outpace_chrome_XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) return absl::UnavailableError("no temporary folder");
    folder_ = folder;
    driver_ = std::make_unique<Driver>();
    if (absl::Status s = driver_->Start(folder_); !s.ok()) return s;
    client_ = api::HttpClient::Create(absl::StrCat("http://127.0.0.1:", driver_->port()),
                                      absl::Seconds(90));
    const json arguments = {"--headless=new",
                            "--no-sandbox",
                            "--disable-gpu",
                            "--disable-quic",
                            "--disable-dev-shm-usage",
                            "--no-first-run",
                            "--disable-background-networking",
                            "--disable-component-update",
                            "--disable-sync",
                            "--disable-default-apps",
                            "--hide-scrollbars",
                            absl::StrCat("--lang=", options.language),
                            absl::StrCat("--user-data-dir=", folder_, "/profile")};
    const json wanted = {{"capabilities",
                          {{"alwaysMatch",
                            {{"browserName", "chrome"},
                             {"goog:loggingPrefs", {{"browser", "ALL"}}},
                             {"goog:chromeOptions",
                              {{"binary", "/usr/bin/chromium"},
                               {"args", arguments},
                               {"prefs", {{"intl.accept_languages", options.language}}}}}}}}}};
    const auto answer = client_->Send("POST", "/session", wanted.dump());
    if (!answer.ok()) return answer.status();
    const json body = json::parse(answer->body, nullptr, false);
    if (answer->status != 200 || !body.is_object()) {
      return absl::UnavailableError(absl::StrCat("Chromium did not start: ", answer->body));
    }
    session_ = body["value"]["sessionId"].get<std::string>();
    return Resize(options.width, options.height);
  }

  absl::Status Open(absl::string_view url) override {
    return Call("POST", "/url", {{"url", std::string(url)}}).status();
  }

  absl::StatusOr<json> Run(absl::string_view script, const json& arguments) override {
    return Call("POST", "/execute/sync", {{"script", std::string(script)}, {"args", arguments}});
  }

  absl::Status WaitUntil(absl::string_view expression, absl::Duration timeout) override {
    const std::string script = absl::StrCat(
        "const end = performance.now() + arguments[0];"
        "return new Promise((resolve) => { const look = () => {"
        "  let done = false; try { done = Boolean(",
        expression,
        "); } catch (e) {}"
        "  if (done || performance.now() > end) resolve(done); else setTimeout(look, 20); };"
        "look(); });");
    const auto done = Run(script, json::array({absl::ToInt64Milliseconds(timeout)}));
    if (!done.ok()) return done.status();
    if (*done == true) return absl::OkStatus();
    return absl::DeadlineExceededError(absl::StrCat("never became true: ", expression));
  }

  absl::Status Click(absl::string_view css) override {
    const auto element = Find(css);
    if (!element.ok()) return element.status();
    return Call("POST", absl::StrCat("/element/", *element, "/click"), json::object()).status();
  }

  absl::Status Type(absl::string_view css, absl::string_view text) override {
    const auto element = Find(css);
    if (!element.ok()) return element.status();
    return Call("POST", absl::StrCat("/element/", *element, "/value"),
                {{"text", std::string(text)}})
        .status();
  }

  absl::StatusOr<std::string> Text(absl::string_view css) override {
    const auto text =
        Run("const e = document.querySelector(arguments[0]); return e && e.textContent",
            json::array({std::string(css)}));
    if (!text.ok()) return text.status();
    if (!text->is_string()) return absl::NotFoundError(absl::StrCat("no element ", css));
    return text->get<std::string>();
  }

  absl::Status Press(absl::string_view key) override {
    const std::string value(key);
    const json actions = {
        {"actions",
         json::array({{{"type", "key"},
                       {"id", "keyboard"},
                       {"actions", json::array({{{"type", "keyDown"}, {"value", value}},
                                                {{"type", "keyUp"}, {"value", value}}})}}})}};
    return Call("POST", "/actions", actions).status();
  }

  absl::Status Resize(int width, int height) override {
    // A headless window has no frame, but what the window rectangle means has changed with
    // versions: set the metrics of the page itself.
    return Call("POST", "/goog/cdp/execute",
                {{"cmd", "Emulation.setDeviceMetricsOverride"},
                 {"params",
                  {{"width", width},
                   {"height", height},
                   {"deviceScaleFactor", 1},
                   {"mobile", false}}}})
        .status();
  }

  absl::StatusOr<std::string> Screenshot() override {
    const auto encoded = Call("GET", "/screenshot", json());
    if (!encoded.ok()) return encoded.status();
    std::string png;
    if (!encoded->is_string() || !absl::Base64Unescape(encoded->get<std::string>(), &png)) {
      return absl::InternalError("screenshot is not base64");
    }
    return png;
  }

  absl::Status SaveScreenshot(absl::string_view name) override {
    const char* folder = std::getenv("OUTPACE_SCREENSHOT_DIR");
    if (folder == nullptr || *folder == '\0') return absl::OkStatus();
    const auto png = Screenshot();
    if (!png.ok()) return png.status();
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    const std::string path = absl::StrCat(folder, "/", name, ".png");
    std::ofstream file(path, std::ios::binary);
    file << *png;
    if (!file.flush()) return absl::UnavailableError(absl::StrCat("cannot write ", path));
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::string>> Errors() override {
    const auto log = Call("POST", "/se/log", {{"type", "browser"}});
    if (!log.ok()) return log.status();
    std::vector<std::string> errors;
    for (const json& entry : *log) {
      if (entry.value("level", "") == "SEVERE") errors.push_back(entry.value("message", ""));
    }
    return errors;
  }

 private:
  // The "value" of the answer; an error of the driver becomes NotFound (no such element) or
  // Internal.
  absl::StatusOr<json> Call(absl::string_view method, absl::string_view path, const json& body) {
    const auto answer = client_->Send(method, absl::StrCat("/session/", session_, path),
                                      body.is_null() ? "" : body.dump());
    if (!answer.ok()) return answer.status();
    json parsed = json::parse(answer->body, nullptr, false);
    if (!parsed.is_object()) return absl::InternalError("chromedriver sent no JSON");
    json value = parsed["value"];
    if (answer->status == 200) return value;
    const std::string what = absl::StrCat(path, ": ", value.value("message", "unknown error"));
    if (value.value("error", "") == "no such element") return absl::NotFoundError(what);
    return absl::InternalError(what);
  }

  absl::StatusOr<std::string> Find(absl::string_view css) {
    const auto found =
        Call("POST", "/element", {{"using", "css selector"}, {"value", std::string(css)}});
    if (!found.ok()) return found.status();
    return (*found)[kElement].get<std::string>();
  }

  std::string folder_;
  std::unique_ptr<Driver> driver_;
  std::unique_ptr<api::HttpClient> client_;
  std::string session_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<WebDriver>> WebDriver::Start(const BrowserOptions& options) {
  auto driver = std::make_unique<ChromeDriver>();
  if (absl::Status status = driver->Begin(options); !status.ok()) return status;
  return driver;
}

}  // namespace outpace::e2e
