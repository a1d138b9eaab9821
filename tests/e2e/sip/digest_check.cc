#include "tests/e2e/sip/digest_check.h"

#include <openssl/evp.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace outpace::e2e {
namespace {

std::string Hash(const std::string& algorithm, const std::string& text) {
  const EVP_MD* md = EVP_md5();
  if (algorithm == "SHA-256") md = EVP_sha256();
  if (algorithm == "SHA-512-256") md = EVP_sha512_256();
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), bytes, &size, md, nullptr);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(bytes), size));
}

// `name="value"` or `name=value` of the header.
std::string Value(absl::string_view header, const std::string& name) {
  for (const std::string& lead : {absl::StrCat(" ", name, "="), absl::StrCat(",", name, "=")}) {
    const size_t at = header.find(lead);
    if (at == absl::string_view::npos) continue;
    absl::string_view rest = header.substr(at + lead.size());
    if (!rest.empty() && rest.front() == '"') {
      rest.remove_prefix(1);
      return std::string(rest.substr(0, rest.find('"')));
    }
    return std::string(rest.substr(0, rest.find_first_of(",\r\n")));
  }
  return "";
}

}  // namespace

std::string CheckDigest(absl::string_view request, const std::string& password) {
  size_t at = request.find("uthorization: Digest ");
  if (at == absl::string_view::npos) return "no credentials";
  const absl::string_view header = request.substr(at, request.find("\r\n", at) - at);
  const std::string method(request.substr(0, request.find(' ')));
  const std::string uri = Value(header, "uri");
  const std::vector<std::string> first_line =
      absl::StrSplit(request.substr(0, request.find("\r\n")), ' ');
  if (first_line.size() < 2 || first_line[1] != uri) return "uri is not the Request-URI";
  std::string algorithm = Value(header, "algorithm");
  absl::AsciiStrToUpper(&algorithm);
  const std::string a1 = Hash(algorithm, absl::StrCat(Value(header, "username"), ":",
                                                      Value(header, "realm"), ":", password));
  const std::string a2 = Hash(algorithm, absl::StrCat(method, ":", uri));
  const std::string qop = Value(header, "qop");
  const std::string middle = qop.empty()
                                 ? Value(header, "nonce")
                                 : absl::StrCat(Value(header, "nonce"), ":", Value(header, "nc"),
                                                ":", Value(header, "cnonce"), ":", qop);
  const std::string right = Hash(algorithm, absl::StrCat(a1, ":", middle, ":", a2));
  const std::string seen = Value(header, "response");
  return seen == right ? "" : absl::StrCat("response is ", seen, ", not ", right);
}

}  // namespace outpace::e2e
