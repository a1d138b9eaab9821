#include "bench/tier/tier_replay.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "engine/base/rng.h"

namespace outpace::tier {
namespace {

constexpr size_t kClientColumns = 8, kLeadColumns = 12;
constexpr size_t kAttempt = 8, kResult = 11;

size_t CountOf(Columns columns) {
  return columns == Columns::kClient ? kClientColumns
         : columns == Columns::kLead ? kLeadColumns
                                     : BankColumns().size();
}

// A view of `contact` as the dialer would have it.
LeadView ViewOf(const BankContact& contact, Columns columns, std::vector<LeadField>* fields) {
  fields->clear();
  LeadView view;
  const size_t count = CountOf(columns);
  for (size_t i = 0; i < count; ++i) {
    if (i == kAttempt) {
      if (!absl::SimpleAtoi(contact.values[i], &view.attempt)) view.attempt = 0;
    } else if (i == kResult) {
      view.last_status = contact.values[i];
    } else {
      fields->push_back({BankColumns()[i], contact.values[i]});
    }
  }
  view.fields = *fields;
  return view;
}

}  // namespace

const std::vector<std::string>& BankColumns() {
  static const auto* const kColumns = new std::vector<std::string>{
      "age",        "job",         "marital",      "education",      "default",       "housing",
      "loan",       "contact",     "campaign",     "pdays",          "previous",      "poutcome",
      "month",      "day_of_week", "emp.var.rate", "cons.price.idx", "cons.conf.idx", "euribor3m",
      "nr.employed"};
  return *kColumns;
}

absl::StatusOr<Columns> ColumnsByName(absl::string_view name) {
  if (name == "client") return Columns::kClient;
  if (name == "lead") return Columns::kLead;
  if (name == "all") return Columns::kAll;
  return absl::InvalidArgumentError(absl::StrCat("columns are client, lead or all, not ", name));
}

absl::StatusOr<std::vector<BankContact>> ReadBankContacts(const std::string& path, bool judged) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return absl::NotFoundError(absl::StrCat(path, ": not read"));
  const auto split = [](const std::string& text) {
    return std::vector<std::string>(
        absl::StrSplit(absl::StrReplaceAll(text, {{"\"", ""}, {"\r", ""}}), ';'));
  };
  const std::vector<std::string> header = split(line);
  const auto column = [&](const std::string& name) {
    return std::find(header.begin(), header.end(), name) - header.begin();
  };
  const std::ptrdiff_t end = std::ssize(header), seq = column("seq"), talk = column("duration"),
                       y = column("y");
  std::vector<std::ptrdiff_t> at;
  for (const std::string& name : BankColumns()) {
    at.push_back(column(name));
    if (at.back() == end) return absl::InvalidArgumentError(absl::StrCat(path, ": no ", name));
  }
  if (y == end) return absl::InvalidArgumentError(absl::StrCat(path, ": no y"));
  std::vector<BankContact> contacts;
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = split(line);
    if (cells.size() != header.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": line ", contacts.size() + 2, " has ", cells.size(), " cells"));
    }
    const auto cell = [&](std::ptrdiff_t i) { return cells[static_cast<size_t>(i)]; };
    BankContact& contact = contacts.emplace_back();
    contact.judged = judged;
    contact.seq = static_cast<int64_t>(contacts.size());
    if (seq != end && !absl::SimpleAtoi(cell(seq), &contact.seq)) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": bad seq"));
    }
    int seconds = 0;
    if (talk != end && absl::SimpleAtoi(cell(talk), &seconds))
      contact.talk = absl::Seconds(seconds);
    contact.success = cell(y) == "yes";
    for (const std::ptrdiff_t i : at) contact.values.push_back(cell(i));
  }
  return contacts;
}

ModelSettings ReplayOptions::BankModel() {
  ModelSettings settings;
  // The list has no names or addresses; who is alike is told by what it says of a person.
  settings.features.profile = {"age", "job", "marital", "education", "default"};
  return settings;
}

std::vector<double> Replay(const std::vector<BankContact>& contacts, const ReplayOptions& options) {
  TierModel model(options.model);
  std::vector<double> scores(contacts.size());
  std::vector<LeadField> fields;
  const auto learn = [&](size_t i) {
    model.Learn(ViewOf(contacts[i], options.columns, &fields),
                {.contact = true, .success = contacts[i].success, .agent_time = contacts[i].talk});
  };
  const size_t block = static_cast<size_t>(options.block);
  for (size_t from = 0; from < contacts.size(); from += block) {
    const size_t to = std::min(contacts.size(), from + block);
    for (size_t i = from; i < to; ++i) {
      scores[i] = model.Score(ViewOf(contacts[i], options.columns, &fields)).per_agent_minute;
      if (!options.frozen) learn(i);
    }
    for (size_t i = from; options.frozen && i < to; ++i) learn(i);
  }
  return scores;
}

BlockFigures Judge(const std::vector<BankContact>& contacts, const std::vector<double>& scores,
                   int block, double share, uint64_t seed) {
  std::vector<size_t> judged;
  for (size_t i = 0; i < contacts.size(); ++i) {
    if (contacts[i].judged) judged.push_back(i);
  }
  BlockFigures f;
  Rng rng(seed);
  double r = 0, s = 0, p = 0, right = 0, pairs = 0, auc_sum = 0;
  int auc_blocks = 0;
  for (size_t from = 0; from < judged.size(); from += static_cast<size_t>(block)) {
    const size_t size = std::min(judged.size() - from, static_cast<size_t>(block));
    if (2 * size < static_cast<size_t>(block)) break;
    struct Row {
      double score;
      uint64_t tie;
      bool success;
    };
    std::vector<Row> rows;
    for (size_t i = from; i < from + size; ++i) {
      rows.push_back({scores[judged[i]], rng.Next(), contacts[judged[i]].success});
    }
    std::sort(rows.begin(), rows.end(), [](const Row& x, const Row& y) {
      return x.score != y.score ? x.score > y.score : x.tie < y.tie;
    });
    const size_t top = static_cast<size_t>(std::lround(static_cast<double>(size) * share));
    double a = 0, c = 0;
    for (size_t i = 0; i < size; ++i) (i < top ? a : c) += rows[i].success ? 1 : 0;
    const double n = static_cast<double>(size), n1 = static_cast<double>(top), n0 = n - n1;
    r += a * n0 / n;
    s += c * n1 / n;
    p += (n1 * n0 * (a + c) - a * c * n) / (n * n);
    f.a += static_cast<int64_t>(top);
    f.b += static_cast<int64_t>(size - top);
    f.a_success += static_cast<int64_t>(a);
    f.b_success += static_cast<int64_t>(c);
    ++f.blocks;
    // Of equal scores half the pairs count as right.
    double below = n - (a + c), good = 0;
    for (size_t i = 0; i < size;) {
      double yes = 0, no = 0;
      const double score = rows[i].score;
      for (; i < size && rows[i].score == score; ++i) (rows[i].success ? yes : no) += 1;
      below -= no;
      good += yes * (below + no / 2);
    }
    const double of = (a + c) * (n - a - c);
    if (of > 0) {
      right += good;
      pairs += of;
      auc_sum += good / of;
      ++auc_blocks;
    }
  }
  f.ratio = r / s;
  const double error = std::sqrt(p / (r * s));
  f.low = f.ratio * std::exp(-1.96 * error);
  f.high = f.ratio * std::exp(1.96 * error);
  f.auc = right / pairs;
  f.auc_mean = auc_sum / std::max(1, auc_blocks);
  return f;
}

std::vector<BankContact> WithoutStructure(std::vector<BankContact> contacts, int block, int around,
                                          uint64_t seed) {
  // Drawn, not dealt out: a deck of which a look-alike took a success holds one less.
  const std::vector<BankContact> real = contacts;
  Rng rng(seed);
  const std::ptrdiff_t size = std::ssize(real);
  for (std::ptrdiff_t i = 0; i < size; ++i) {
    const std::ptrdiff_t from =
        around > 0 ? std::max<std::ptrdiff_t>(0, i - around) : i / block * block;
    const std::ptrdiff_t to = std::min(size, around > 0 ? i + around + 1 : from + block);
    double successes = 0, rows = 0;
    for (std::ptrdiff_t j = from; j < to; ++j) {
      if (around > 0 && j == i) continue;  // its own outcome would say something of the lead
      successes += real[static_cast<size_t>(j)].success ? 1 : 0;
      ++rows;
    }
    contacts[static_cast<size_t>(i)].success = rng.Chance(successes / std::max(1.0, rows));
  }
  return contacts;
}

}  // namespace outpace::tier
