// What ranked leads are worth to a call floor: the whole dialer in virtual time, the same people
// and agents twice, once in the list's order and once with tier_mode=SCORE from cold. The people
// are the rows of a file of real contacts, in an order drawn at random: who is reached buys if the
// row did, and talks as long. For a list without structure outcomes and lengths are dealt out anew
// among the rows, so that no field says anything of them.

#include <algorithm>
#include <boost/program_options.hpp>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "bench/tier/tier_replay.h"
#include "engine/base/rng.h"
#include "engine/runtime/simulation.h"

namespace outpace {
namespace {

namespace po = boost::program_options;

constexpr uint64_t kFirstNumber = 13035550000;
constexpr char kCampaign[] = "FLOOR";
constexpr size_t kLineColumn = 7;    // "cellular", "telephone"
constexpr size_t kLeadColumns = 12;  // the first ones, age to poutcome: Columns::kLead

struct Floor {
  int agents = 0;
  int hours = 0;
  double contact = 0;  // chance that a person answers a call,
  double spread = 0;   // this much likelier on mobile numbers, and less on others
  std::vector<std::string> settings;
};

struct Day {
  int64_t attempts = 0, contacts = 0, sales = 0, abandoned = 0;
  double agent_hours = 0;
  double SalesAnHour() const { return static_cast<double>(sales) / agent_hours; }
};

uint64_t Mix(uint64_t a, uint64_t b) {
  uint64_t z = a * 0x9e3779b97f4a7c15u + b + 0x632be59bd9b4e019u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// Deals the outcomes, each with its length of talk, out among the rows anew.
void Shuffle(std::vector<tier::BankContact>* rows, bool outcomes_only, uint64_t seed) {
  Rng rng(seed);
  for (size_t i = rows->size(); i > 1; --i) {
    const size_t j = rng.Next() % i;
    if (outcomes_only) {
      std::swap((*rows)[i - 1].success, (*rows)[j].success);
      std::swap((*rows)[i - 1].talk, (*rows)[j].talk);
    } else {
      std::swap((*rows)[i - 1], (*rows)[j]);
    }
  }
}

Day RunDay(const std::vector<tier::BankContact>& people, const Floor& floor, bool scored,
           uint64_t seed) {
  campaign::CampaignSettings settings;
  settings.id = kCampaign;
  settings.active = true;
  settings.trunk = "carrier";
  settings.local_call_time = *campaign::CallingWindow::Parse("24hours");
  settings.wrapup_seconds = absl::Hours(1);
  std::vector<std::string> wanted = floor.settings;
  if (scored) wanted.insert(wanted.begin(), "tier_mode=SCORE");
  for (const std::string& change : wanted) {
    const size_t equals = change.find('=');
    OUTPACE_CHECK(equals != std::string::npos &&
                  settings.Set(change.substr(0, equals), change.substr(equals + 1)).ok());
  }
  runtime::SimulationOptions options;
  options.seed = seed;
  options.start = absl::FromUnixSeconds(1'772'442'000);  // Monday 09:00 UTC
  options.campaigns = {settings};
  options.trunks.push_back({.name = "carrier",
                            .peer = runtime::kCarrierPeer,
                            .calls_per_second = 2000,
                            .calls_max = 100'000});
  options.carrier.patience_mean = absl::ZeroDuration();
  options.carrier.agent_drop_mean = absl::ZeroDuration();
  runtime::Simulation simulation(options);
  simulation.carrier().set_callees([&](const std::string& number, int call,
                                       MonoTime) -> sim::CalleePlan {
    uint64_t digits = 0;
    OUTPACE_CHECK(absl::SimpleAtoi(number.substr(1), &digits));
    const tier::BankContact& person = people[digits - kFirstNumber];
    Rng rng(Mix(Mix(seed, digits), static_cast<uint64_t>(call)));
    sim::CalleePlan plan;
    const bool mobile = person.values[kLineColumn] == "cellular";
    const bool answers = rng.Chance(floor.contact * (mobile ? 1 + floor.spread : 1 - floor.spread));
    const double ring = 4 + 12 * rng.Uniform();
    if (!answers) return plan;  // rings until the dialer gives up
    plan.callee = sim::Callee::kPerson;
    plan.until_final = absl::Seconds(ring);
    plan.talk = std::clamp(person.talk, absl::Seconds(5), absl::Minutes(20));
    plan.hangs_up = rng.Chance(0.5);
    plan.wrap = absl::Seconds(10 + 20 * rng.Uniform());
    plan.sale = person.success;
    return plan;
  });
  const std::vector<std::string>& columns = tier::BankColumns();
  std::vector<campaign::List> lists(1);
  lists[0].id = ListId(1);
  lists[0].campaign = kCampaign;
  simulation.PutLists(lists);
  std::vector<campaign::Lead> leads;
  for (size_t i = 0; i < people.size(); ++i) {
    campaign::Lead lead;
    lead.id = LeadId(i + 1);
    lead.list = ListId(1);
    lead.campaign = kCampaign;
    lead.phone = E164(kFirstNumber + i);
    lead.time_zones = {"UTC"};
    lead.entry_date = options.start;
    // What the list says of a person; neither clocks nor the length of the talk.
    for (size_t c = 0; c < kLeadColumns; ++c) lead.fields[columns[c]] = people[i].values[c];
    leads.push_back(std::move(lead));
  }
  simulation.PutLeads(kCampaign, leads);
  simulation.Staff(kCampaign, floor.agents);
  simulation.RunFor(absl::Hours(floor.hours));
  Day day;
  const agent::StateTimes times =
      simulation.controller().roster().TimesOf(kCampaign, simulation.world().now());
  day.agent_hours = absl::ToDoubleHours(times.logged_in() - times.paused);
  OUTPACE_CHECK(simulation.store()
                    .ForEachAttempt(absl::InfinitePast(), absl::InfiniteFuture(),
                                    [&](const campaign::Attempt& attempt) {
                                      ++day.attempts;
                                      day.abandoned += attempt.abandoned ? 1 : 0;
                                      if (attempt.connected_at == absl::InfinitePast()) return true;
                                      ++day.contacts;
                                      if (attempt.status != "SALE") return true;
                                      ++day.sales;
                                      return true;
                                    })
                    .ok());
  return day;
}

// Mean and standard error of the ratios' logarithms.
void PrintRow(const char* what, const std::vector<std::pair<Day, Day>>& runs) {
  Day list, scored;
  std::vector<double> logs;
  for (const auto& [a, b] : runs) {
    logs.push_back(std::log(b.SalesAnHour() / a.SalesAnHour()));
    list.sales += a.sales;
    list.agent_hours += a.agent_hours;
    list.attempts += a.attempts;
    list.contacts += a.contacts;
    list.abandoned += a.abandoned;
    scored.abandoned += b.abandoned;
    scored.sales += b.sales;
    scored.agent_hours += b.agent_hours;
    scored.attempts += b.attempts;
    scored.contacts += b.contacts;
  }
  const auto n = static_cast<double>(logs.size());
  const double mean = std::accumulate(logs.begin(), logs.end(), 0.0) / n;
  double square = 0;
  for (const double value : logs) square += (value - mean) * (value - mean);
  const double error = logs.size() > 1 ? std::sqrt(square / (n - 1) / n) : 0;
  const auto dropped = [](const Day& day) {
    return 100.0 * static_cast<double>(day.abandoned) /
           static_cast<double>(std::max<int64_t>(1, day.abandoned + day.contacts));
  };
  std::printf(
      "%-20s %8lld %8lld %6lld %7.3f %5.2f %%  %8lld %8lld %6lld %7.3f %5.2f %%  %5.2f [%.2f, "
      "%.2f]\n",
      what, static_cast<long long>(list.attempts), static_cast<long long>(list.contacts),
      static_cast<long long>(list.sales), list.SalesAnHour(), dropped(list),
      static_cast<long long>(scored.attempts), static_cast<long long>(scored.contacts),
      static_cast<long long>(scored.sales), scored.SalesAnHour(), dropped(scored), std::exp(mean),
      std::exp(mean - 1.96 * error), std::exp(mean + 1.96 * error));
  std::fflush(stdout);
}

int Main(int argc, char** argv) {
  Floor floor;
  int runs = 0;
  po::options_description described("tier_floor FILE: sales an agent-hour, ranked and in order");
  described.add_options()("help", "this text")("file", po::value<std::string>(), "real contacts")(
      "agents", po::value(&floor.agents)->default_value(20), "agents")(
      "hours", po::value(&floor.hours)->default_value(8), "length of the shift")(
      "contact", po::value(&floor.contact)->default_value(0.3), "chance that a call is answered")(
      "spread", po::value(&floor.spread)->default_value(0),
      "mobile numbers answer so much likelier: 0.5 is half as often again")(
      "runs", po::value(&runs)->default_value(5), "runs with seeds of their own")(
      "set", po::value(&floor.settings)->composing(), "a setting, such as tier_profile=job,age");
  po::positional_options_description positional;
  positional.add("file", 1);
  po::variables_map given;
  po::store(po::command_line_parser(argc, argv).options(described).positional(positional).run(),
            given);
  po::notify(given);
  if (given.count("help") > 0 || given.count("file") == 0) {
    std::cout << described;
    return given.count("help") > 0 ? 0 : 2;
  }
  const auto rows = tier::ReadBankContacts(given["file"].as<std::string>(), true);
  if (!rows.ok()) {
    std::cerr << rows.status().message() << "\n";
    return 1;
  }
  std::printf("%zu leads, %d agents, %d hours, %d runs; both from cold\n", rows->size(),
              floor.agents, floor.hours, runs);
  std::printf("%-20s %40s  %40s\n", "", "in the list's order", "tier_mode=SCORE");
  std::printf("%-20s %8s %8s %6s %7s %7s  %8s %8s %6s %7s %7s  %s\n", "list", "attempts",
              "contacts", "sales", "an hour", "dropped", "attempts", "contacts", "sales", "an hour",
              "dropped", "ratio [95 %]");
  for (const bool structure : {true, false}) {
    std::vector<std::pair<Day, Day>> days;
    for (int run = 0; run < runs; ++run) {
      const auto seed = static_cast<uint64_t>(run + 1);
      std::vector<tier::BankContact> people = *rows;
      Shuffle(&people, false, seed);
      if (!structure) Shuffle(&people, true, seed + 1000);
      days.emplace_back(RunDay(people, floor, false, seed), RunDay(people, floor, true, seed));
    }
    PrintRow(structure ? "real outcomes" : "dealt out at random", days);
  }
  return 0;
}

}  // namespace
}  // namespace outpace

int main(int argc, char** argv) { return outpace::Main(argc, argv); }
