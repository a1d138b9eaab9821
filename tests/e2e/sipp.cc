#include "tests/e2e/sipp.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace outpace::e2e {

absl::StatusOr<std::unique_ptr<Sipp>> Sipp::Start(const SippOptions& options, const TempDir& dir) {
  std::unique_ptr<Sipp> sipp(new Sipp);
  sipp->messages_path_ = dir / absl::StrCat(options.name, "-messages.log");
  sipp->errors_path_ = dir / absl::StrCat(options.name, "-errors.log");
  sipp->screen_path_ = dir / absl::StrCat(options.name, "-screen.log");
  ProcessOptions process;
  process.stdout_path = process.stderr_path = sipp->screen_path_;
  // SIPp draws on a terminal it has not got.
  process.environment = {"TERM=dumb"};
  const bool is_path = absl::StartsWith(options.scenario, "/");
  std::vector<std::string> line = {
      "sipp",
      "-sf",
      is_path ? options.scenario
              : absl::StrCat(OUTPACE_SOURCE_DIR, "/tests/e2e/sipp/", options.scenario, ".xml"),
      "-i",
      "127.0.0.1",
      "-p",
      absl::StrCat(options.port),
      "-mi",
      "127.0.0.1",
      "-mp",
      absl::StrCat(options.media_port),
      "-key",
      "audio_port",
      absl::StrCat(options.audio_port),
      "-m",
      absl::StrCat(options.calls),
      "-nostdin",
      "-trace_msg",
      "-message_file",
      sipp->messages_path_,
      "-trace_err",
      "-error_file",
      sipp->errors_path_,
      "-timeout",
      "90",
      "-timeout_error"};
  if (options.tcp) line.insert(line.end(), {"-t", "t1"});
  line.insert(line.end(), options.arguments.begin(), options.arguments.end());
  auto started = Process::Start(line, process);
  if (!started.ok()) {
    return absl::UnavailableError(
        absl::StrCat(started.status().message(), "; apt-get install sip-tester"));
  }
  sipp->process_ = *std::move(started);
  // An INVITE that comes before SIPp listens would be refused by the kernel.
  const Deadline deadline(absl::Seconds(10));
  const std::string bound = absl::StrFormat(":%04X ", options.port);
  const char* const sockets = options.tcp ? "/proc/net/tcp" : "/proc/net/udp";
  while (!absl::StrContains(ReadFileOr(sockets), bound)) {
    if (deadline.passed() || sipp->process_->Wait(absl::Milliseconds(20))) {
      return absl::UnavailableError(absl::StrCat("SIPp does not listen: ", sipp->Errors()));
    }
  }
  return sipp;
}

absl::StatusOr<int> Sipp::Finish(absl::Duration timeout) {
  const std::optional<int> code = process_->Wait(timeout);
  if (!code) return absl::DeadlineExceededError(absl::StrCat("SIPp still waits\n", Messages()));
  return *code;
}

std::string Sipp::Messages() const { return ReadFileOr(messages_path_); }

std::string Sipp::Errors() const {
  return absl::StrCat(ReadFileOr(errors_path_), ReadFileOr(screen_path_));
}

std::string Sipp::Received(absl::string_view method, int nth) const {
  // "----- date\nUDP message received [n] bytes :\n\nINVITE sip:... \r\n ... \n----- date ..."
  for (absl::string_view part :
       absl::StrSplit(Messages(), "-----------------------------------------------")) {
    if (!absl::StrContains(part, "message received")) continue;
    const size_t begin = part.find("\n\n");
    if (begin == absl::string_view::npos) continue;
    const absl::string_view text = part.substr(begin + 2);
    if (absl::StartsWith(text, absl::StrCat(method, " ")) && --nth == 0) return std::string(text);
  }
  return "";
}

}  // namespace outpace::e2e
