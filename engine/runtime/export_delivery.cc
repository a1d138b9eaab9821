#include "engine/runtime/export_delivery.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/runtime/files.h"

namespace outpace::runtime {
namespace {

using Schedule = report::ExportSchedule;

constexpr long kConnectSeconds = 20;
// An upload that is slower than this for so long is given up.
constexpr long kSlowBytesPerSecond = 1000;
constexpr long kSlowSeconds = 60;
constexpr long kWholeSeconds = 4 * 3600;

// Read in one piece of a file that is opened once, so that nobody changes it in between.
struct Credentials {
  std::string user, password;  // empty: none
  std::string key_path;        // a private key instead
};

absl::StatusOr<Credentials> ReadCredentials(const std::string& path) {
  Credentials credentials;
  if (path.empty()) return credentials;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return absl::NotFoundError(absl::StrCat("credentials: cannot read ", path));
  const auto close = absl::MakeCleanup([fd] { ::close(fd); });
  struct stat about {};
  if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat("credentials: ", path, " is no file"));
  }
  if ((about.st_mode & 077) != 0 || about.st_uid != ::geteuid()) {
    return absl::FailedPreconditionError(
        absl::StrCat("credentials: ", path,
                     " must belong to the engine's user and be for nobody else: chmod 600"));
  }
  char text[4096];
  const ssize_t size = ::read(fd, text, sizeof text);
  absl::string_view line(text, size < 0 ? 0 : static_cast<size_t>(size));
  if (absl::StartsWith(line, "-----BEGIN ")) {
    credentials.key_path = path;
    return credentials;
  }
  line = line.substr(0, line.find('\n'));
  absl::ConsumeSuffix(&line, "\r");
  const size_t colon = line.find(':');
  if (colon == absl::string_view::npos || colon == 0 || colon + 1 == line.size()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "credentials: the first line of ", path, " must be user:password, or it is a private key"));
  }
  credentials.user = std::string(line.substr(0, colon));
  credentials.password = std::string(line.substr(colon + 1));
  return credentials;
}

class DirectorySink final : public ExportSink {
 public:
  DirectorySink(std::string directory, std::function<bool()> stopping)
      : directory_(std::move(directory)), stopping_(std::move(stopping)) {}

  absl::Status Deliver(const std::vector<ExportParcel>& parcels) override {
    for (const ExportParcel& parcel : parcels) {
      if (absl::Status s = Copy(parcel); !s.ok()) return s;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Copy(const ExportParcel& parcel) const {
    std::FILE* const from = std::fopen(parcel.path.c_str(), "rbe");
    if (from == nullptr) return absl::InternalError("the export is gone before it was delivered");
    const auto close = absl::MakeCleanup([from] { std::fclose(from); });
    auto to = AtomicFile::Create(absl::StrCat(directory_, "/", parcel.name));
    if (!to.ok()) return to.status();
    std::string piece(256 << 10, '\0');
    while (const size_t size = std::fread(piece.data(), 1, piece.size(), from)) {
      if (stopping_ && stopping_()) return absl::CancelledError("the engine stops");
      const absl::Status s = (*to)->Write(absl::string_view(piece).substr(0, size));
      if (!s.ok()) return s;
    }
    if (std::ferror(from) != 0) return absl::DataLossError("the export could not be read again");
    return (*to)->Commit();
  }

  const std::string directory_;
  const std::function<bool()> stopping_;
};

// A server whose key is not in the file, or another one, is not spoken to.
int OnlyKnownKeys(CURL*, const curl_khkey*, const curl_khkey*, curl_khmatch match, void*) {
  return match == CURLKHMATCH_OK ? CURLKHSTAT_FINE : CURLKHSTAT_REJECT;
}

// docs/decisions/libcurl.md. One connection for all parcels.
class CurlSink final : public ExportSink {
 public:
  CurlSink(Schedule schedule, Credentials credentials, std::function<bool()> stopping)
      : schedule_(std::move(schedule)),
        credentials_(std::move(credentials)),
        stopping_(std::move(stopping)) {}

  absl::Status Deliver(const std::vector<ExportParcel>& parcels) override {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL* const curl = ready == CURLE_OK ? curl_easy_init() : nullptr;
    if (curl == nullptr) return absl::InternalError("libcurl does not start");
    const auto free = absl::MakeCleanup([curl] { curl_easy_cleanup(curl); });
    for (const ExportParcel& parcel : parcels) {
      if (absl::Status s = Upload(curl, parcel); !s.ok()) return s;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Upload(CURL* curl, const ExportParcel& parcel) {
    std::FILE* const from = std::fopen(parcel.path.c_str(), "rbe");
    if (from == nullptr) return absl::InternalError("the export is gone before it was delivered");
    const auto close = absl::MakeCleanup([from] { std::fclose(from); });
    std::error_code error;
    const auto size = std::filesystem::file_size(parcel.path, error);
    if (error) return absl::InternalError("the export is gone before it was delivered");
    const bool sftp = schedule_.target() == Schedule::Target::kSftp;
    std::string url = schedule_.to;
    if (!absl::EndsWith(url, "/")) url += '/';
    url += parcel.name;
    char why[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);  // other threads have theirs
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READDATA, from);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kSlowBytesPerSecond);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kSlowSeconds);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, kWholeSeconds);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &CurlSink::Progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, this);
    // What a server says of a refusal is not for the engine's output.
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &CurlSink::Ignore);
    if (!credentials_.user.empty()) {
      curl_easy_setopt(curl, CURLOPT_USERNAME, credentials_.user.c_str());
      curl_easy_setopt(curl, CURLOPT_PASSWORD, credentials_.password.c_str());
    }
    curl_slist* commands = nullptr;
    curl_slist* headers = nullptr;
    const auto free = absl::MakeCleanup([&] {
      curl_easy_reset(curl);  // it knows what ends with this function
      curl_slist_free_all(commands);
      curl_slist_free_all(headers);
    });
    if (sftp) {
      const size_t slash = url.find('/', url.find("://") + 3);
      const std::string path = url.substr(slash);
      // SFTP's own rename does not replace; '*': there need not be one.
      commands = curl_slist_append(commands, absl::StrCat("*rm ", path).c_str());
      commands = curl_slist_append(commands, absl::StrCat("rename ", path, ".part ", path).c_str());
      url += ".part";
      curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "sftp");
      curl_easy_setopt(curl, CURLOPT_POSTQUOTE, commands);
      curl_easy_setopt(curl, CURLOPT_SSH_KNOWNHOSTS, schedule_.known_hosts.c_str());
      curl_easy_setopt(curl, CURLOPT_SSH_KEYFUNCTION, &OnlyKnownKeys);
      const bool key = !credentials_.key_path.empty();
      curl_easy_setopt(curl, CURLOPT_SSH_AUTH_TYPES,
                       static_cast<long>(key ? CURLSSH_AUTH_PUBLICKEY : CURLSSH_AUTH_PASSWORD));
      if (key) {
        curl_easy_setopt(curl, CURLOPT_SSH_PRIVATE_KEYFILE, credentials_.key_path.c_str());
      }
    } else {
      // http:// passes ParseExportSchedule() for this machine only, to which no proxy leads.
      const bool plain = absl::StartsWith(url, "http://");
      headers = curl_slist_append(headers, "Content-Type: application/octet-stream");
      curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
      if (plain) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
      curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
      curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
      curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
      curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
      curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    }
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    const CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_ABORTED_BY_CALLBACK) return absl::CancelledError("the engine stops");
    if (code != CURLE_OK) {
      return absl::UnavailableError(
          absl::StrCat("delivery: ", curl_easy_strerror(code), why[0] != '\0' ? ": " : "", why));
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    // A redirection is not followed, so nothing was stored.
    if (!sftp && (status < 200 || status > 299)) {
      return absl::UnavailableError(absl::StrCat("delivery: the server answers ", status));
    }
    return absl::OkStatus();
  }

  static int Progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    const auto& stopping = static_cast<CurlSink*>(self)->stopping_;
    return stopping && stopping() ? 1 : 0;
  }
  static size_t Ignore(const char*, size_t size, size_t count, void*) { return size * count; }

  const Schedule schedule_;
  const Credentials credentials_;
  const std::function<bool()> stopping_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ExportSink>> MakeExportSink(const Schedule& schedule,
                                                           std::function<bool()> stopping) {
  if (schedule.target() == Schedule::Target::kDirectory) {
    return std::make_unique<DirectorySink>(schedule.to, std::move(stopping));
  }
  auto credentials = ReadCredentials(schedule.credentials);
  if (!credentials.ok()) return credentials.status();
  if (schedule.target() == Schedule::Target::kHttp && !credentials->key_path.empty()) {
    return absl::FailedPreconditionError("credentials: HTTPS takes user:password, no key");
  }
  return std::make_unique<CurlSink>(schedule, *std::move(credentials), std::move(stopping));
}

}  // namespace outpace::runtime
