// The pages that CMake embeds with .incbin (see CMakeLists.txt), by path. The ETag is a hash of the
// bytes, so a browser asks again after an upgrade and is told 304 otherwise.

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/api/http_server.h"

extern "C" {
struct OutpacePageRow {
  const char* name;
  const char* begin;
  const char* end;
};
extern const OutpacePageRow outpace_pages_begin[];
extern const OutpacePageRow outpace_pages_end[];
}

namespace outpace::api {
namespace {

absl::string_view ContentType(absl::string_view name) {
  if (absl::EndsWith(name, ".html")) return "text/html; charset=utf-8";
  if (absl::EndsWith(name, ".js")) return "text/javascript; charset=utf-8";
  if (absl::EndsWith(name, ".css")) return "text/css; charset=utf-8";
  if (absl::EndsWith(name, ".svg")) return "image/svg+xml";
  if (absl::EndsWith(name, ".json")) return "application/json";
  return "application/octet-stream";
}

// FNV-1a, 64 bits: tells one build's bytes from another's; it guards no secret.
std::string EntityTag(absl::string_view body) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : body) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return absl::StrCat("\"", absl::Hex(hash, absl::kZeroPad16), "\"");
}

struct StoredPage {
  Page page;
  std::string etag;
};

std::map<std::string, StoredPage> LoadPages() {
  std::map<std::string, StoredPage> pages;
  for (const OutpacePageRow* row = outpace_pages_begin; row != outpace_pages_end; ++row) {
    const absl::string_view body(row->begin, static_cast<size_t>(row->end - row->begin));
    StoredPage& stored = pages[row->name];
    stored.etag = EntityTag(body);
    stored.page = {ContentType(row->name), body, stored.etag};
  }
  return pages;
}

}  // namespace

const Page* FindPage(absl::string_view path) {
  static const auto& pages = *new std::map<std::string, StoredPage>(LoadPages());
  if (path == "/" || path == "/board") path = "/board.html";
  if (path == "/agent") path = "/agent.html";
  const auto found = pages.find(std::string(path));
  return found == pages.end() ? nullptr : &found->second.page;
}

}  // namespace outpace::api
