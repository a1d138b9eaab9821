// media: the fingerprint set of network announcements. An operator records what its carriers play
// instead of an answer, says what each means, and tries the set on recordings before an engine gets
// it.

#include "engine/runtime/commands/media_command.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "engine/codec/wav.h"
#include "engine/listen/early_listener.h"
#include "engine/listen/fingerprint_set.h"
#include "engine/listen/tone_plan.h"
#include "engine/runtime/commands/options.h"

namespace outpace::runtime {
namespace {

namespace po = boost::program_options;

constexpr char kText[] =
    "Teaches the engine what the announcements of your carriers mean, so that a dead number ends\n"
    "within seconds and with the right status. A set is a file; name it as announcements_file in\n"
    "the configuration. Recordings are WAV files, mono, 8000 Hz: one announcement each, without\n"
    "the ringing before it.\n\n"
    "  outpace media learn --set carrier.ofp --class vacant_number konghao.wav\n"
    "  outpace media show --set carrier.ofp\n"
    "  outpace media test --set carrier.ofp recorded-call.wav\n"
    "  outpace media forget --set carrier.ofp konghao\n\n"
    "Without --set, test tells tones alone: ringback, busy, congestion, information tones.\n";

std::string NameOf(absl::string_view file) {
  const size_t slash = file.rfind('/');
  if (slash != absl::string_view::npos) file.remove_prefix(slash + 1);
  if (file.size() > 4 && absl::EqualsIgnoreCase(file.substr(file.size() - 4), ".wav")) {
    file.remove_suffix(4);
  }
  return std::string(file);
}

// "announcement vacant_number": what was heard, as exports call it.
std::string SoundText(const listen::Heard& heard) {
  std::string text(listen::SoundName(heard.sound));
  if (!heard.name.empty()) absl::StrAppend(&text, ":", heard.name);
  return text;
}

std::string TestFile(const listen::FingerprintSet* set, absl::string_view country,
                     absl::string_view name, const std::vector<int16_t>& audio) {
  listen::EarlyListener listener(country, set);
  std::string text;
  // A second of silence after the end: that a sound has ended is news too.
  std::vector<int16_t> samples = audio;
  samples.resize(audio.size() + 2 * listen::kSampleRate);
  for (size_t at = 0; at + listen::kFrameSamples <= samples.size(); at += listen::kFrameSamples) {
    const auto heard = listener.Feed({samples.data() + at, listen::kFrameSamples});
    if (!heard.has_value()) continue;
    absl::StrAppendFormat(&text, "%s: %s, confidence %.2f, after %.2f s%s\n", name,
                          SoundText(*heard), heard->confidence, absl::ToDoubleSeconds(heard->after),
                          listen::IsDead(*heard) ? ", the call is dead" : "");
  }
  if (text.empty()) text = absl::StrCat(name, ": nothing that could be told\n");
  return text;
}

absl::StatusOr<listen::FingerprintSet> LoadOrNew(const std::string& path) {
  auto set = listen::FingerprintSet::Load(path);
  if (!set.ok() && absl::IsNotFound(set.status())) return listen::FingerprintSet();
  return set;
}

}  // namespace

absl::StatusOr<std::string> LearnAnnouncements(const std::string& set_path,
                                               absl::string_view announcement_class,
                                               absl::string_view name,
                                               absl::Span<const std::string> files) {
  if (files.empty()) return absl::InvalidArgumentError("learn: name the WAV files to learn from");
  if (!name.empty() && files.size() > 1) {
    return absl::InvalidArgumentError("learn: --name is for one file; leave it out");
  }
  auto set = LoadOrNew(set_path);
  if (!set.ok()) return set.status();
  std::string text;
  for (const std::string& file : files) {
    const auto audio = codec::LoadWav(file);
    if (!audio.ok()) return audio.status();
    const std::string sample = name.empty() ? NameOf(file) : std::string(name);
    if (absl::Status status = set->Learn(announcement_class, sample, *audio); !status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat(file, ": ", status.message(), "\nNothing was learned."));
    }
    const listen::FingerprintSet::Sample learned = set->samples().back();
    absl::StrAppendFormat(&text, "%s: %s, %.1f s, known by %.1f s of it\n", learned.name,
                          learned.announcement_class, learned.seconds, learned.own_seconds);
  }
  if (absl::Status status = set->Save(set_path); !status.ok()) return status;
  return text;
}

absl::StatusOr<std::string> ShowAnnouncements(const std::string& set_path) {
  auto set = listen::FingerprintSet::Load(set_path);
  if (!set.ok()) return set.status();
  std::map<std::string, std::vector<listen::FingerprintSet::Sample>> by_class;
  for (const auto& sample : set->samples()) by_class[sample.announcement_class].push_back(sample);
  std::string text = absl::StrFormat("%s: %d samples of %d classes\n", set_path,
                                     set->samples().size(), by_class.size());
  for (const auto& [announcement_class, samples] : by_class) {
    absl::StrAppend(&text, announcement_class, "\n");
    for (const auto& sample : samples) {
      absl::StrAppendFormat(&text, "  %-40s %5.1f s, known by %.1f s\n", sample.name,
                            sample.seconds, sample.own_seconds);
    }
  }
  return text;
}

absl::StatusOr<std::string> TestAnnouncements(const std::string& set_path,
                                              absl::string_view country,
                                              absl::Span<const std::string> files) {
  if (files.empty()) return absl::InvalidArgumentError("test: name the WAV files to listen to");
  if (!country.empty() && listen::TonePlanBit(country) == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("country '", country, "': no tone plan; give one of ",
                     absl::StrJoin(listen::TonePlanCountries(), " "), ", or leave it out"));
  }
  listen::FingerprintSet set;
  if (!set_path.empty()) {
    auto loaded = listen::FingerprintSet::Load(set_path);
    if (!loaded.ok()) return loaded.status();
    set = *std::move(loaded);
  }
  std::string text;
  for (const std::string& file : files) {
    const auto audio = codec::LoadWav(file);
    if (!audio.ok()) return audio.status();
    absl::StrAppend(&text, TestFile(&set, country, file, *audio));
  }
  return text;
}

absl::StatusOr<std::string> ForgetAnnouncements(const std::string& set_path,
                                                absl::Span<const std::string> names) {
  if (names.empty()) {
    return absl::InvalidArgumentError("forget: name the samples, as `outpace media show` does");
  }
  auto set = listen::FingerprintSet::Load(set_path);
  if (!set.ok()) return set.status();
  for (const std::string& name : names) {
    if (absl::Status status = set->Forget(name); !status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat(set_path, ": ", status.message(), "; nothing was changed"));
    }
  }
  if (absl::Status status = set->Save(set_path); !status.ok()) return status;
  return absl::StrFormat("%s: %d forgotten, %d left\n", set_path, names.size(),
                         set->samples().size());
}

int RunMediaCommand(const Arguments& arguments) {
  Options options("outpace media learn|show|test|forget --set FILE [FILES or NAMES]", kText);
  options.Add()("do", po::value<std::string>(), "learn, show, test or forget")(
      "what", po::value<std::vector<std::string>>(), "WAV files; for forget, names of samples")(
      "set", po::value<std::string>(), "the fingerprint set")(
      "class", po::value<std::string>(),
      absl::StrCat("learn: ", absl::StrJoin(listen::AnnouncementClasses(), ", ")).c_str())(
      "name", po::value<std::string>(), "learn: the sample's name instead of its file's")(
      "country", po::value<std::string>(), "test: whose tones, e.g. cn");
  options.Positional("do", 1);
  options.Positional("what", -1);
  if (auto code = options.Parse(arguments)) return *code;
  const std::string doing = options.Text("do"), set = options.Text("set");
  if (set.empty() && doing != "test") return Misuse(options.usage(), "--set: name the set's file");
  absl::StatusOr<std::string> text = "";
  if (doing == "learn") {
    if (!options.Has("class")) {
      return Misuse(options.usage(), "--class: say what the announcement means");
    }
    text =
        LearnAnnouncements(set, options.Text("class"), options.Text("name"), options.Texts("what"));
  } else if (doing == "show") {
    text = ShowAnnouncements(set);
  } else if (doing == "test") {
    text = TestAnnouncements(set, options.Text("country"), options.Texts("what"));
  } else if (doing == "forget") {
    text = ForgetAnnouncements(set, options.Texts("what"));
  } else {
    return Misuse(options.usage(), "say learn, show, test or forget");
  }
  if (!text.ok()) return Fail(text.status());
  std::fputs(text->c_str(), stdout);
  return kDone;
}

}  // namespace outpace::runtime
