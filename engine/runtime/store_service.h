#pragma once

// The store seen from a loop: requests go to a thread that may wait for the disk, answers come back
// as tasks of the asking loop. In simulation the same interface runs on virtual time.

#include <memory>
#include <optional>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "campaign/lead_store.h"
#include "engine/base/loop.h"
#include "engine/runtime/lead_sieve.h"

namespace outpace::runtime {

// The lead of this campaign that has this number and was rung last; none if none was ever rung.
absl::StatusOr<std::optional<campaign::Lead>> FindRungLead(const campaign::LeadStore& store,
                                                           E164 phone, const CampaignId& campaign);

// Reads owner and fields of those leads that were read without them; leads that are gone are left
// out.
absl::StatusOr<std::vector<campaign::Lead>> WithTexts(const campaign::LeadStore& store,
                                                      std::vector<campaign::Lead> leads);

class StoreService {
 public:
  using CommitDone = absl::AnyInvocable<void(absl::Status)>;
  using FetchDone = absl::AnyInvocable<void(absl::StatusOr<std::vector<campaign::Lead>>)>;
  using SieveDone = absl::AnyInvocable<void(absl::StatusOr<SievedLeads>)>;

  virtual ~StoreService() = default;
  // Controller's loop only. `done` runs there when the batch is on stable storage, or failed.
  // Batches become durable in the order submitted.
  virtual void Commit(campaign::StoreBatch batch, CommitDone done) = 0;
  virtual void FetchDue(campaign::DueQuery query, FetchDone done) = 0;
  // Adds owner and fields to leads that FetchDue() gave without them, in their order. A lead that
  // is no longer stored is left out.
  virtual void LoadTexts(std::vector<campaign::Lead> leads, FetchDone done) = 0;
  // The same, and sorts them by a campaign's filter.
  virtual void Sieve(std::vector<campaign::Lead> leads, SieveOrder order, SieveDone done) = 0;
  virtual void GetAttempt(
      AttemptId id,
      absl::AnyInvocable<void(absl::StatusOr<std::optional<campaign::Attempt>>)> done) = 0;
  virtual void GetLead(
      LeadId id, absl::AnyInvocable<void(absl::StatusOr<std::optional<campaign::Lead>>)> done) = 0;
  // FindRungLead().
  virtual void FindRung(
      E164 phone, CampaignId campaign,
      absl::AnyInvocable<void(absl::StatusOr<std::optional<campaign::Lead>>)> done) = 0;
};

// Two threads: a writer that joins all waiting batches into one synced write (group commit), and a
// reader, so that a long hopper refill never delays an intent. After a refill the writer does what
// LeadStore::Tend() has to do for it, one step after each group, so that no commit waits for more
// than one.
class ThreadedStoreService final : public StoreService {
 public:
  // A sync of the disk costs as much CPU as the writing of a dozen records, and takes as long as
  // this or longer: what comes within it shares one.
  static constexpr absl::Duration kGather = absl::Milliseconds(4);

  // `gather`: how long the first batch of a write waits for others. One that adds do-not-call
  // numbers does not wait, and takes along what came before it: somebody waits to be told.
  ThreadedStoreService(campaign::LeadStore& store, Loop& answers, absl::Duration gather = kGather);
  ~ThreadedStoreService() override;  // finishes what was submitted
  void Commit(campaign::StoreBatch batch, CommitDone done) override;
  void FetchDue(campaign::DueQuery query, FetchDone done) override;
  void LoadTexts(std::vector<campaign::Lead> leads, FetchDone done) override;
  void Sieve(std::vector<campaign::Lead> leads, SieveOrder order, SieveDone done) override;
  void GetAttempt(
      AttemptId id,
      absl::AnyInvocable<void(absl::StatusOr<std::optional<campaign::Attempt>>)> done) override;
  void GetLead(
      LeadId id,
      absl::AnyInvocable<void(absl::StatusOr<std::optional<campaign::Lead>>)> done) override;
  void FindRung(
      E164 phone, CampaignId campaign,
      absl::AnyInvocable<void(absl::StatusOr<std::optional<campaign::Lead>>)> done) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The same on one thread: work is done after `delay` of the loop's own time. Leads come with their
// texts at once, since nobody waits for a disk.
class LoopStoreService final : public StoreService {
 public:
  LoopStoreService(campaign::LeadStore& store, Loop& loop, absl::Duration delay)
      : store_(store), loop_(loop), delay_(delay), sieve_(store) {}
  void Commit(campaign::StoreBatch batch, CommitDone done) override;
  void FetchDue(campaign::DueQuery query, FetchDone done) override;
  void LoadTexts(std::vector<campaign::Lead> leads, FetchDone done) override;
  void Sieve(std::vector<campaign::Lead> leads, SieveOrder order, SieveDone done) override;
  void GetAttempt(
      AttemptId id,
      absl::AnyInvocable<void(absl::StatusOr<std::optional<campaign::Attempt>>)> done) override;
  void GetLead(
      LeadId id,
      absl::AnyInvocable<void(absl::StatusOr<std::optional<campaign::Lead>>)> done) override;
  void FindRung(
      E164 phone, CampaignId campaign,
      absl::AnyInvocable<void(absl::StatusOr<std::optional<campaign::Lead>>)> done) override;

 private:
  campaign::LeadStore& store_;
  Loop& loop_;
  const absl::Duration delay_;
  LeadSieve sieve_;
};

}  // namespace outpace::runtime
