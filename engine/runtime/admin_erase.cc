// A person is erased by number. In this order, so that whatever cuts it short leaves the person at
// least never rung again, and running it again is all there is to do:
//
//   erase.block    the number's keyed hash is stored and in force; calls that ring are cancelled
//   erase.leads    which leads have the number
//   (the command)  the files of the recordings are removed, see commands/recording_command.cc
//   erase.person   when no import is under way: leads go; attempts and records of recordings stay,
//                  without number and notes; do-not-call entries go, as the hash does their work;
//                  then all of that is taken out of the files of the store

#include <algorithm>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "campaign/match/lead_numbers.h"
#include "campaign/number_plan.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/erased_people.h"
#include "engine/runtime/lead_merger.h"
#include "engine/runtime/qa_book.h"

namespace outpace::runtime {
namespace {

constexpr size_t kPortion = 500;  // attempts written in one batch
constexpr size_t kRecordingsMost = 100'000;

// Set before the first record goes, and empty when nothing of it is left in the store's files.
constexpr char kUnscrubbed[] = "erased.unscrubbed";

// What a record says of the person, but for how the call went.
void Anonymise(campaign::Attempt& attempt) {
  attempt.dialed = E164();
  if (attempt.inbound) attempt.from_uri.clear();
  attempt.request_uri.clear();
  attempt.note.clear();
}

bool IsAnonymous(const campaign::Attempt& attempt) {
  return !attempt.dialed.valid() && attempt.request_uri.empty() && attempt.note.empty() &&
         (!attempt.inbound || attempt.from_uri.empty());
}

}  // namespace

absl::StatusOr<E164> Admin::Impl::NumberToErase(const Json& arguments) const {
  auto number = Need(arguments, "number");
  if (!number.ok()) return number.status();
  return campaign::NormalizePhone(*number, Text(arguments, "country", "US"));
}

absl::StatusOr<Json> Admin::Impl::EraseBlock(const Json& arguments) {
  auto phone = NumberToErase(arguments);
  if (!phone.ok()) return phone.status();
  absl::MutexLock lock(&shared->erased);
  auto people = AddErasedPerson(store, *phone);
  if (!people.ok()) return people.status();
  if (hooks.person_erased) hooks.person_erased(*people, *phone);
  return Answer("the number is blocked: it is not dialed and not loaded from now on\n");
}

absl::StatusOr<std::vector<campaign::Lead>> Admin::Impl::LeadsOfPerson(E164 phone) const {
  std::vector<campaign::Lead> leads;
  absl::Status s = store.ForEachLead([&](const campaign::Lead& lead) {
    if (match::HasNumber(lead, phone)) leads.push_back(lead);
    return true;
  });
  if (!s.ok()) return s;
  return leads;
}

// Recordings of these leads are to be erased too, also where another number was rung.
absl::StatusOr<Json> Admin::Impl::EraseLeads(const Json& arguments) {
  auto phone = NumberToErase(arguments);
  if (!phone.ok()) return phone.status();
  auto found = LeadsOfPerson(*phone);
  if (!found.ok()) return found.status();
  Json leads = Json::array();
  for (const campaign::Lead& lead : *found) leads.push_back(lead.id.value());
  Json answer = Answer("");
  answer["leads"] = std::move(leads);
  return answer;
}

absl::StatusOr<uint64_t> Admin::Impl::AnonymiseAttempts(E164 phone,
                                                        const absl::flat_hash_set<LeadId>& leads,
                                                        std::vector<AttemptId>& touched) {
  uint64_t count = 0;
  campaign::StoreBatch batch;
  std::vector<campaign::Attempt> attempts;
  absl::Status s = store.ForEachAttempt(
      absl::InfinitePast(), absl::InfiniteFuture(), [&](const campaign::Attempt& attempt) {
        const bool meant = attempt.dialed == phone || leads.contains(attempt.lead);
        if (meant) touched.push_back(attempt.id);
        if (meant && !attempt.open && !IsAnonymous(attempt)) attempts.push_back(attempt);
        return true;
      });
  if (!s.ok()) return s;
  for (campaign::Attempt& attempt : attempts) {
    Anonymise(attempt);
    batch.attempts.push_back(std::move(attempt));
    if (++count % kPortion != 0 && count != attempts.size()) continue;
    if (s = store.Commit(batch); !s.ok()) return s;
    batch = campaign::StoreBatch();
  }
  return count;
}

// Records of recordings whose files are gone. FailedPrecondition: some are not.
absl::StatusOr<uint64_t> Admin::Impl::AnonymiseRecordings(E164 phone,
                                                          const absl::flat_hash_set<LeadId>& leads,
                                                          std::vector<AttemptId>& touched) {
  std::vector<campaign::RecordingQuery> queries(1);
  queries[0].number = phone;
  for (const LeadId lead : leads) {
    queries.emplace_back();
    queries.back().lead = lead;
  }
  campaign::StoreBatch batch;
  absl::flat_hash_set<AttemptId> seen;  // by its number and by its lead
  uint64_t unerased = 0;
  for (campaign::RecordingQuery& query : queries) {
    query.limit = kRecordingsMost;
    auto found = store.FindRecordings(query);
    if (!found.ok()) return found.status();
    for (campaign::Recording& recording : *found) {
      if (!recording.number.valid() || !seen.insert(recording.attempt).second) continue;
      unerased += recording.erased() ? 0 : 1;
      touched.push_back(recording.attempt);
      recording.number = E164();
      batch.recordings.push_back(std::move(recording));
    }
  }
  if (unerased > 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(unerased,
                     " recordings of this person are not erased; erase them first, see: "
                     "outpace recording erase --help"));
  }
  const uint64_t count = batch.recordings.size();
  if (batch.empty()) return count;
  if (absl::Status s = store.Commit(batch); !s.ok()) return s;
  return count;
}

absl::StatusOr<uint64_t> Admin::Impl::RemoveDncOf(E164 phone) {
  auto entries = store.DncOf(phone);
  if (!entries.ok()) return entries.status();
  uint64_t count = 0;
  for (campaign::DncEntry& entry : *entries) {
    if (!entry.phone.valid()) continue;  // a range says nothing of a person
    ++count;
    if (hooks.remove_dnc) {
      if (absl::Status s = hooks.remove_dnc(std::move(entry)); !s.ok()) return s;
      continue;
    }
    campaign::StoreBatch batch;
    batch.dnc_removed.push_back(std::move(entry));
    if (absl::Status s = store.Commit(batch); !s.ok()) return s;
  }
  return count;
}

// Takes the person out of the files of the store. Where an erasure was cut off before it came to
// this, nobody knows any more where that person lay, so all files are rewritten.
absl::Status Admin::Impl::ScrubPerson(store::ScrubOrder order) {
  if (hooks.rocks == nullptr) return absl::OkStatus();
  if (absl::Status s = hooks.rocks->Scrub(order); !s.ok()) {
    return absl::Status(s.code(), absl::StrCat("the person is erased, and blocked, but not done "
                                               "with; erase again: ",
                                               s.message()));
  }
  campaign::StoreBatch done;
  done.meta[kUnscrubbed] = "";
  return store.Commit(done);
}

absl::StatusOr<Json> Admin::Impl::RunErasure(E164 phone) {
  auto leads = LeadsOfPerson(phone);
  if (!leads.ok()) return leads.status();
  // None of them is under way, and none begins an attempt until they are gone.
  LeadSet withdrawn;
  for (const campaign::Lead& lead : *leads) withdrawn.Add(lead.id);
  const bool withdraw = hooks.withdraw_leads && !withdrawn.empty();
  const bool busy = withdraw && !hooks.withdraw_leads(withdrawn).empty();
  const auto end = absl::MakeCleanup([&] {
    if (withdraw) hooks.leads_withdrawn(withdrawn);
  });
  if (busy) {
    return absl::FailedPreconditionError(
        "a call with this person is under way. The number is blocked already; erase again when the "
        "call and its wrap-up are over");
  }
  absl::flat_hash_set<LeadId> ids;
  uint64_t other_numbers = 0;
  for (const campaign::Lead& lead : *leads) {
    ids.insert(lead.id);
    other_numbers += lead.phone != phone ? 1 : 0;
    other_numbers += lead.alt_phone.valid() && lead.alt_phone != phone ? 1 : 0;
  }
  auto unscrubbed = store.GetMeta(kUnscrubbed);
  if (!unscrubbed.ok()) return unscrubbed.status();
  store::ScrubOrder scrub;
  scrub.everything = unscrubbed->has_value() && !(*unscrubbed)->empty();
  scrub.leads = *leads;
  scrub.numbers = {phone};
  campaign::StoreBatch begun;
  begun.meta[kUnscrubbed] = "1";
  if (absl::Status s = store.Commit(begun); !s.ok()) return s;
  auto recordings = AnonymiseRecordings(phone, ids, scrub.attempts);
  if (!recordings.ok()) return recordings.status();
  auto attempts = AnonymiseAttempts(phone, ids, scrub.attempts);
  if (!attempts.ok()) return attempts.status();
  auto dnc = RemoveDncOf(phone);
  if (!dnc.ok()) return dnc.status();
  auto merges = LeadMerger(store, clock, hooks, &shared->merges).Forget(ids, phone);
  if (!merges.ok()) return merges.status();
  scrub.meta = *std::move(merges);
  {
    const absl::MutexLock lock(&shared->reviews);
    auto reviews = QaBook(store).Forget(scrub.attempts);
    if (!reviews.ok()) return reviews.status();
    scrub.meta.insert(scrub.meta.end(), reviews->begin(), reviews->end());
  }
  if (absl::Status s = RemoveLeads(*leads); !s.ok()) return s;
  if (absl::Status s = ScrubPerson(std::move(scrub)); !s.ok()) return s;

  std::string text = absl::StrFormat(
      "erased: %d leads removed; %d attempts and %d records of recordings keep their figures "
      "without number and notes; %d do-not-call entries replaced by a keyed hash\n",
      leads->size(), *attempts, *recordings, *dnc);
  if (other_numbers > 0) {
    absl::StrAppend(&text, "these leads had ", other_numbers,
                    " other numbers, which are gone with them but not blocked\n");
  }
  Json answer = Answer(text);
  answer["leads"] = leads->size();
  answer["attempts"] = *attempts;
  answer["recordings"] = *recordings;
  answer["dnc_entries"] = *dnc;
  answer["other_numbers"] = other_numbers;
  return answer;
}

// An import under way has asked once who is erased, and may put this person's leads into the store
// yet: it is waited for, as every job is. The number is blocked meanwhile.
absl::StatusOr<Json> Admin::Impl::ErasePerson(const Json& arguments) {
  auto phone = NumberToErase(arguments);
  if (!phone.ok()) return phone.status();
  if (auto blocked = EraseBlock(arguments); !blocked.ok()) return blocked.status();
  bool begun = false;
  auto answer = shared->desk.Run({"erasure", "a person", ImportId()}, [&](JobControl&) {
    begun = true;
    return RunErasure(*phone);
  });
  return begun || answer.ok() ? answer : WaitFor(answer.status(), arguments);
}

}  // namespace outpace::runtime
