#include "campaign/status_check.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace outpace::campaign {
namespace {

constexpr absl::Duration kAbandonedRestMin = absl::Hours(72);

// Statuses that the engine reads by their names: what they mean and do is not a table's to change.
// The words for them are.
constexpr absl::string_view kFixed[] = {"NEW",  "QUEUE", "INCALL", "CBHOLD",
                                        "DNCL", "DNCC",  "LSMERG", "MAXCAL"};
constexpr absl::string_view kAbandoned[] = {"DROP", "XDROP", "PDROP"};
constexpr absl::string_view kMachines[] = {"AA", "AM", "AL", "AFAX"};
// The network says so and nobody was met.
constexpr absl::string_view kUnmet[] = {"NA", "AB", "ADC", "ADCT", "LRERR", "ERI"};

template <size_t n>
bool IsIn(const absl::string_view (&names)[n], absl::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

class Checker {
 public:
  explicit Checker(const CampaignSettings& settings)
      : settings_(settings), statuses_(settings.statuses) {}

  std::vector<StatusFault> Run() {
    for (const Disposition& row : statuses_.rows()) {
      // Rows of the system are held by a test; but what the campaign has made of others may concern
      // them.
      CheckThen(row);
      if (!statuses_.IsOwn(row.status)) continue;
      CheckFlags(row);
      CheckNext(row);
      CheckDnc(row);
      if (const Disposition* known = FindDisposition(row.status)) {
        CheckKnown(row, *known);
      } else {
        CheckReached(row);
      }
    }
    CheckHotkeys();
    if (statuses_.Selectable().empty()) {
      Tell("-", "no status is selectable: an agent could not end a call.");
    }
    return std::move(faults_);
  }

 private:
  template <typename... Parts>
  void Tell(absl::string_view status, const Parts&... parts) {
    faults_.push_back({std::string(status), absl::StrCat(parts...)});
  }

  void CheckFlags(const Disposition& row) {
    if (row.name.empty()) Tell(row.status, "it has no name.");
    if (row.human_answered && row.answering_machine) {
      Tell(row.status, "human_answered and answering_machine exclude each other.");
    }
    for (const auto& [flag, name] :
         {std::pair(row.sale, "sale"), std::pair(row.customer_contact, "customer_contact"),
          std::pair(row.scheduled_callback, "scheduled_callback"),
          std::pair(row.not_interested, "not_interested")}) {
      if (flag && !row.human_answered) {
        Tell(row.status, name, " without human_answered: nobody was there.");
      }
    }
    if (row.sale && row.not_interested) {
      Tell(row.status, "sale and not_interested exclude each other.");
    }
    if (row.hotkey != 0 && !row.selectable) {
      Tell(row.status, "a hotkey for what is not selectable.");
    }
  }

  void CheckNext(const Disposition& row) {
    const NextStep& next = row.next;
    const RecycleRule* recycle = nullptr;
    for (const RecycleRule& rule : settings_.recycle) {
      if (rule.status == row.status) recycle = &rule;
    }
    if (next.final && next.tries > 0) Tell(row.status, "it is final and has tries.");
    if (next.final && recycle != nullptr) {
      Tell(row.status, "it is final, and lead_recycle brings it back.");
    }
    if (next.final && row.scheduled_callback) {
      Tell(row.status, "it is final and a callback: the call that was promised never comes.");
    }
    if ((row.completed || row.dnc) && !next.final) {
      Tell(row.status, row.dnc ? "dnc_flag" : "completed", " and not final.");
    }
    if (row.scheduled_callback && (next.tries > 0 || recycle != nullptr)) {
      Tell(row.status, "a callback has tries: its agent says when it comes.");
    }
    if (row.scheduled_callback && next.delay == absl::ZeroDuration() && !next.final) {
      Tell(row.status,
           "a callback without delay: one whose agent gave no time would come at once, again and "
           "again.");
    }
    if (next.tries > 0 && next.delay == absl::ZeroDuration()) {
      Tell(row.status, "tries without delay.");
    }
    if (next.tries == 0 && next.delay > absl::ZeroDuration() && !row.scheduled_callback) {
      Tell(row.status, "delay without tries.");
    }
    if (next.number_delay > absl::ZeroDuration() && next.number == NextNumber::kMain) {
      Tell(row.status, "next_delay without next=alt.");
    }
    if (next.number == NextNumber::kAlt) CheckSecondNumber(row);
  }

  void CheckSecondNumber(const Disposition& row) {
    if (row.scheduled_callback) {
      Tell(row.status, "next=alt of a callback: it comes to the number where the person was met.");
    } else if (row.dnc || row.sale || row.completed || row.not_interested) {
      Tell(row.status, "next=alt after the person is done with: the second number is theirs too.");
    } else if (row.next.final && !row.unworkable) {
      Tell(row.status,
           "it is final and has next=alt; only of an unworkable number is the other one "
           "tried.");
    } else if (!row.next.final && row.next.tries == 0) {
      Tell(row.status,
           "next=alt without tries: after both numbers nothing says whether the lead comes back; "
           "give delay and tries, or final with unworkable.");
    }
  }

  // Where the tries end.
  void CheckThen(const Disposition& row) {
    const bool own = statuses_.IsOwn(row.status);
    if (row.next.then.empty()) return;
    const Disposition* then = statuses_.Find(row.next.then);
    if (then == nullptr) {
      return Tell(row.status, "then=", row.next.then, " is no status of this campaign.");
    }
    // A circle is told at each row that leads into it.
    std::vector<std::string> way = {row.status};
    for (const Disposition* at = then; at != nullptr; at = statuses_.Find(at->next.then)) {
      const bool again = std::find(way.begin(), way.end(), at->status) != way.end();
      way.push_back(at->status);
      if (!again) continue;
      Tell(row.status, "then leads in a circle: ", absl::StrJoin(way, " -> "), ".");
      break;
    }
    if (!own) return;
    if (row.next.tries == 0) Tell(row.status, "then without tries: there is nothing to use up.");
    if (then->next.number == NextNumber::kAlt) {
      Tell(row.status, "then=", then->status,
           " has next=alt, which only the result of a call can do.");
    }
    for (const auto& [name, member] : StatusFlags()) {
      const bool of_a_person = name == "human_answered" || name == "sale" || name == "dnc" ||
                               name == "customer_contact" || name == "scheduled_callback";
      if (of_a_person && (*then).*member && !(row.*member)) {
        Tell(row.status, "then=", then->status, " says ", name == "dnc" ? "dnc_flag" : name,
             ", which no call has said.");
      }
    }
    if (IsIn(kAbandoned, then->status) || then->status == "NEW" || then->status == "QUEUE" ||
        then->status == "INCALL" || then->status == "LSMERG") {
      Tell(row.status, "then=", then->status, " is the engine's own mark.");
    }
  }

  void CheckDnc(const Disposition& row) {
    const bool step = row.next.dnc != DncStep::kNone;
    if (row.dnc && !step && !IsIn(kFixed, row.status)) {
      Tell(row.status,
           "dnc_flag without dnc: the number would be reported as listed and dialed "
           "again by the next list; say dnc=campaign, client or system.");
    }
    if (step && !row.dnc) Tell(row.status, "dnc without dnc_flag: give both.");
    if (row.next.dnc == DncStep::kClient && settings_.client_id.empty()) {
      Tell(row.status, "dnc=client, and the campaign has no client_id.");
    }
    if ((row.next.dnc == DncStep::kClient || row.next.dnc == DncStep::kCampaign) &&
        !settings_.use_campaign_dnc) {
      Tell(row.status,
           "the number is put on a list that the campaign does not look at (use_campaign_dnc=N).");
    }
    if (row.next.dnc == DncStep::kSystem && !settings_.use_internal_dnc &&
        !settings_.use_campaign_dnc) {
      Tell(row.status,
           "the number is put on lists that the campaign does not look at (use_internal_dnc=N, "
           "use_campaign_dnc=N).");
    }
  }

  // A status that every campaign has.
  void CheckKnown(const Disposition& row, const Disposition& known) {
    if (IsIn(kFixed, row.status)) {
      Disposition words = known;
      words.name = row.name;
      words.name_zh = row.name_zh;
      words.category = row.category;
      if (words != row) {
        Tell(row.status,
             "the engine goes by this status: only its name, name_zh and category may "
             "be changed.");
      }
      return;
    }
    if (!known.selectable && row.selectable) {
      Tell(row.status, "the engine gives this status by itself; it cannot be selectable.");
    }
    if (IsIn(kAbandoned, row.status)) {
      if (!row.human_answered) {
        Tell(row.status, "it must stay human_answered: limits on abandoned calls count it.");
      }
      if (row.sale || row.dnc || row.customer_contact || row.not_interested ||
          row.scheduled_callback || row.completed || row.unworkable) {
        Tell(row.status, "nobody has spoken with this person: no flag but human_answered.");
      }
      if (row.next.number == NextNumber::kAlt || !row.next.then.empty()) {
        Tell(row.status, "who was rung for nothing is left in peace: neither next=alt nor then.");
      }
      if (row.status == "DROP" && row.next.tries > 0 && row.next.delay < kAbandonedRestMin) {
        Tell(row.status, "an abandoned number rests 72 hours (259200 s) whatever a table says.");
      }
    }
    if (IsIn(kMachines, row.status) && !row.answering_machine) {
      Tell(row.status, "it must stay answering_machine: limits on abandoned calls leave it out.");
    }
    if (IsIn(kUnmet, row.status) && (row.human_answered || row.answering_machine || row.dnc)) {
      Tell(row.status, "nobody answered: not human_answered, answering_machine or dnc_flag.");
    }
    if (row.status == "DISPO" && (row.answering_machine || row.completed || row.next.final)) {
      Tell(row.status, "the agent's own word may still come: neither final nor a machine.");
    }
    if (row.status == "DNC" && (!row.dnc || row.next.dnc == DncStep::kNone)) {
      Tell(row.status, "it must list the number (dnc_flag=Y, dnc=campaign, client or system).");
    }
  }

  // A status of the campaign's own that nothing ever gives.
  void CheckReached(const Disposition& row) {
    if (row.selectable) return;
    const bool then =
        std::any_of(statuses_.rows().begin(), statuses_.rows().end(),
                    [&](const Disposition& other) { return other.next.then == row.status; });
    if (!then) {
      Tell(row.status,
           "no agent can choose it, no `then` leads to it, and the engine never sets "
           "it.");
    }
  }

  void CheckHotkeys() {
    std::map<char, std::string> taken;
    for (const Disposition& row : statuses_.rows()) {
      if (row.hotkey == 0 || !row.selectable) continue;
      const auto [it, free] = taken.emplace(row.hotkey, row.status);
      if (!free) {
        Tell(row.status, "hotkey ", absl::string_view(&row.hotkey, 1), " is that of ", it->second,
             " already.");
      }
    }
  }

  const CampaignSettings& settings_;
  const StatusSet& statuses_;
  std::vector<StatusFault> faults_;
};

}  // namespace

std::vector<StatusFault> CheckStatuses(const CampaignSettings& settings) {
  return Checker(settings).Run();
}

std::string StatusFaultsText(const std::vector<StatusFault>& faults) {
  return absl::StrJoin(faults, "\n", [](std::string* out, const StatusFault& fault) {
    absl::StrAppend(out, fault.status, ": ", fault.reason);
  });
}

}  // namespace outpace::campaign
