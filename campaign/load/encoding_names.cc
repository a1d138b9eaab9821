#include "campaign/load/encoding_names.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "campaign/load/encoding.h"

namespace outpace::load {
namespace {

struct Known {
  const char* name;
  const char* icu;
};

// GB2312 and GBK are read as GB18030, which holds both; ISO-8859-1 as windows-1252 and ISO-8859-9
// as windows-1254, which hold their letters: files that claim the former nearly always are the
// latter.
constexpr Known kKnown[] = {
    {"utf-8", "UTF-8"},
    {"utf-16le", "UTF-16LE"},
    {"utf-16be", "UTF-16BE"},
    {"gb18030", "gb18030"},
    {"big5", "windows-950"},
    {"shift_jis", "windows-31j"},
    {"euc-jp", "EUC-JP"},
    {"euc-kr", "windows-949"},
    {"windows-1250", "windows-1250"},
    {"windows-1251", "windows-1251"},
    {"windows-1252", "windows-1252"},
    {"windows-1253", "windows-1253"},
    {"windows-1254", "windows-1254"},
    {"windows-1255", "windows-1255"},
    {"windows-1256", "windows-1256"},
    {"windows-1257", "windows-1257"},
    {"windows-1258", "windows-1258"},
    {"windows-874", "windows-874"},
    {"iso-8859-2", "ISO-8859-2"},
    {"iso-8859-5", "ISO-8859-5"},
    {"iso-8859-7", "ISO-8859-7"},
    {"iso-8859-13", "ISO-8859-13"},
    {"iso-8859-15", "ISO-8859-15"},
    {"koi8-r", "KOI8-R"},
    {"koi8-u", "KOI8-U"},
    {"cp437", "ibm-437"},
    {"cp850", "ibm-850"},
    {"cp866", "ibm-866"},
    {"macintosh", "macintosh"},
};

struct Alias {
  absl::string_view alias;  // lower case, without '-', '_' and blanks
  absl::string_view name;
};
constexpr Alias kAliases[] = {
    {"unicode", "utf-16le"},
    {"utf16", "utf-16le"},
    {"ucs2", "utf-16le"},
    {"utf8bom", "utf-8"},
    {"utf8sig", "utf-8"},
    {"ascii", "utf-8"},
    {"usascii", "utf-8"},
    {"gbk", "gb18030"},
    {"gb2312", "gb18030"},
    {"gb", "gb18030"},
    {"cp936", "gb18030"},
    {"936", "gb18030"},
    {"euccn", "gb18030"},
    {"cp950", "big5"},
    {"big5hkscs", "big5"},
    {"sjis", "shift_jis"},
    {"cp932", "shift_jis"},
    {"ms932", "shift_jis"},
    {"windows31j", "shift_jis"},
    {"cp949", "euc-kr"},
    {"uhc", "euc-kr"},
    {"ksc56011987", "euc-kr"},
    {"latin1", "windows-1252"},
    {"iso88591", "windows-1252"},
    {"western", "windows-1252"},
    {"latin2", "iso-8859-2"},
    {"latin5", "windows-1254"},
    {"iso88599", "windows-1254"},
    {"latin9", "iso-8859-15"},
    {"tis620", "windows-874"},
    {"iso88598", "windows-1255"},
    {"iso88598i", "windows-1255"},
    {"iso88596", "windows-1256"},
    {"ibm437", "cp437"},
    {"ibm850", "cp850"},
    {"ibm866", "cp866"},
    {"macroman", "macintosh"},
    {"mac", "macintosh"},
};

std::string Bare(absl::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c != '-' && c != '_' && c != ' ') {
      out += absl::ascii_tolower(static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace

const std::vector<std::string>& EncodingNames() {
  static const auto* const names = [] {
    auto* out = new std::vector<std::string>;
    for (const Known& known : kKnown) out->emplace_back(known.name);
    return out;
  }();
  return *names;
}

std::string CanonicalEncoding(absl::string_view name) {
  const std::string bare = Bare(name);
  for (const Known& known : kKnown) {
    // "cp1252", "1252" and "win1252" are windows-1252.
    const std::string own = Bare(known.name);
    if (bare == own) return known.name;
    const absl::string_view number = absl::string_view(own).substr(std::min<size_t>(7, own.size()));
    if (own.rfind("windows", 0) == 0 && (bare == number || bare == "cp" + std::string(number) ||
                                         bare == "win" + std::string(number))) {
      return known.name;
    }
  }
  for (const Alias& alias : kAliases) {
    if (alias.alias == bare) return std::string(alias.name);
  }
  return "";
}

const char* IcuName(absl::string_view name) {
  for (const Known& known : kKnown) {
    if (name == known.name) return known.icu;
  }
  return nullptr;
}

absl::string_view NameOfDetected(absl::string_view icu) {
  const std::string name = CanonicalEncoding(icu);
  for (const Known& known : kKnown) {
    if (name == known.name) return known.name;
  }
  return "";
}

}  // namespace outpace::load
