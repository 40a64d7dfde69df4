// SPDX-License-Identifier: Apache-2.0

#include "pipeline/junction.h"

#include <absl/algorithm/container.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "pipeline/joint_answer.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kAdvice =
    "sending them again would not help, or they are copies; see why this pipeline refuses";

}  // namespace

struct Junction::Way {
  Way(JunctionWay described, const BuildContext& context)
      : way(std::move(described)), counters(way.owners, context, kAdvice) {}

  const JunctionWay way;
  TargetCounters counters;
};

// One batch on its way, in phases. Shared by callbacks, which run on any thread; each writes its own answer, and the
// last one of a phase goes on.
class Junction::Journey : public std::enable_shared_from_this<Junction::Journey> {
 public:
  Journey(Junction& junction, WayShares shares, Admissions admissions, Done done)
      : junction_(junction), unrouted_spans_(shares.unrouted_spans), done_(std::move(done)) {
    admissions.resize(junction.ways_.size());
    for (WayShare& share : shares.shares) Add(std::move(share), admissions);
    // If nobody decides, those do that are left.
    for (const Phase spare : {kExtra, kFollowing}) {
      if (phases_[kStoring].empty() && phases_[kDeciding].empty()) phases_[kDeciding].swap(phases_[spare]);
    }
  }

  // On the answer, perhaps before it returns, the journey ends.
  void Begin() {
    if (ReserveOrRefuse()) Offer(kStoring);
  }

 private:
  enum Phase : uint8_t { kStoring, kDeciding, kExtra, kFollowing, kPhases };

  // A share, and what became of it.
  struct Leg {
    std::shared_ptr<Way> way;
    otlp::Batch batch;
    size_t spans = 0;
    std::unique_ptr<Admission> admission = {};
    Status answer = {};
  };

  void Add(WayShare share, Admissions& admissions) {
    CHECK(share.way < junction_.ways_.size());
    const std::shared_ptr<Way>& way = junction_.ways_[share.way];
    const size_t spans = share.batch.span_count();
    CHECK(spans > 0);
    phases_[PhaseOf(way->way, share.is_extra)].push_back(
        {way, std::move(share.batch), spans, std::move(admissions[share.way])});
  }

  static Phase PhaseOf(const JunctionWay& way, bool is_extra) {
    if (way.stores) return kStoring;
    if (way.follows) return kFollowing;
    return is_extra ? kExtra : kDeciding;
  }

  // Keeps room for what is to be stored at several places. False if the answer is given.
  bool ReserveOrRefuse() {
    std::vector<Leg>& legs = phases_[kStoring];
    if (legs.size() < 2) return true;
    std::vector<Status> refusals;
    for (Leg& leg : legs) {
      if (leg.admission != nullptr) continue;
      StatusOr<std::unique_ptr<Admission>> admission = leg.way->way.consumer->Reserve(leg.batch);
      if (admission.ok()) {
        leg.admission = *std::move(admission);
      } else {
        leg.answer = admission.status();
        if (IsForTheMoment(leg.answer)) refusals.push_back(leg.answer);
      }
    }
    if (refusals.empty()) return true;
    std::move(done_)(SendAgain(refusals));
    return false;
  }

  // Offers what is in `phase`, or goes on if there is nothing.
  void Offer(Phase phase) {
    std::vector<Leg>& legs = phases_[phase];
    unanswered_ = legs.size() + 1;  // and this call
    offered_ = phase;
    for (Leg& leg : legs) {
      if (!leg.answer.ok()) {
        Answer();  // no room will ever be kept for it
        continue;
      }
      // Destroyed when it has been used, so that what was kept beyond the share is given back at once.
      const std::unique_ptr<Admission> admission = std::move(leg.admission);
      Done done = [self = shared_from_this(), &leg](Status status) {
        leg.answer = std::move(status);
        self->Answer();
      };
      if (admission != nullptr) {
        admission->Commit(std::move(leg.batch), std::move(done));
      } else {
        leg.way->way.consumer->Consume(std::move(leg.batch), std::move(done));
      }
    }
    Answer();
  }

  void Answer() {
    if (unanswered_.fetch_sub(1) > 1) return;
    const bool again = absl::c_any_of(phases_[offered_], [](const Leg& leg) { return IsForTheMoment(leg.answer); });
    if (offered_ == kStoring && !again) return Offer(kDeciding);
    End();
  }

  void End() {
    std::vector<Leg*> legs;
    for (const Phase phase : {kStoring, kDeciding}) {
      if (phase > offered_) break;
      for (Leg& leg : phases_[phase]) legs.push_back(&leg);
    }
    const Status answer = Decide(legs);
    if (answer.ok()) {
      for (const Phase phase : {kExtra, kFollowing}) OfferUnanswered(phases_[phase]);
      if (unrouted_spans_ > 0) junction_.drops_.CountUnrouted(unrouted_spans_);
    }
    std::move(done_)(answer);
  }

  static Status Decide(const std::vector<Leg*>& legs) {
    if (legs.empty()) return absl::OkStatus();
    std::vector<Status> answers;
    for (const Leg* leg : legs) answers.push_back(leg->answer);
    return DecideTogether(answers, [&legs](size_t index) {
      return TargetShare{legs[index]->way->counters, legs[index]->spans};
    });
  }

  static void OfferUnanswered(std::vector<Leg>& legs) {
    for (Leg& leg : legs) {
      leg.way->way.consumer->Consume(std::move(leg.batch), [way = leg.way, spans = leg.spans](const Status& status) {
        if (!status.ok()) way->counters.CountDrop(spans, status);
      });
    }
  }

  Junction& junction_;  // not used after the answer
  const size_t unrouted_spans_;
  Done done_;
  std::array<std::vector<Leg>, kPhases> phases_;
  Phase offered_ = kStoring;
  std::atomic<size_t> unanswered_ = 0;
};

class Junction::ReservedJunction final : public Admission {
 public:
  ReservedJunction(Junction& junction, Admissions admissions)
      : junction_(junction), admissions_(std::move(admissions)) {}
  void Commit(otlp::Batch batch, Done done) override { junction_.Send(batch, std::move(admissions_), std::move(done)); }

 private:
  Junction& junction_;
  Admissions admissions_;
};

Junction::Junction(const std::string& connector, ChoosingConnector& chooser, std::vector<JunctionWay> ways,
                   const BuildContext& context)
    : chooser_(chooser), drops_({{"connector", connector}}, context.metrics, context.clock, context.signal) {
  CHECK(!ways.empty());
  for (JunctionWay& way : ways) ways_.push_back(std::make_shared<Way>(std::move(way), context));
}

Junction::~Junction() = default;

void Junction::Consume(otlp::Batch batch, Done done) {
  Send(batch, {}, std::move(done));
}

void Junction::Send(const otlp::Batch& batch, Admissions admissions, Done done) {
  StatusOr<WayShares> shares = chooser_.Choose(batch);
  if (!shares.ok()) return std::move(done)(shares.status());
  std::make_shared<Journey>(*this, *std::move(shares), std::move(admissions), std::move(done))->Begin();
}

StatusOr<std::unique_ptr<Admission>> Junction::Reserve(const otlp::Batch& batch) {
  Admissions admissions(ways_.size());
  std::vector<Status> refusals;
  for (size_t way = 0; way < ways_.size(); ++way) {
    if (!ways_[way]->way.stores) continue;
    StatusOr<std::unique_ptr<Admission>> admission = ways_[way]->way.consumer->Reserve(batch);
    if (admission.ok()) {
      admissions[way] = *std::move(admission);
    } else {
      refusals.push_back(admission.status());
    }
  }
  if (!refusals.empty()) return JointRefusal(refusals);
  return std::make_unique<ReservedJunction>(*this, std::move(admissions));
}

}  // namespace spanloom::pipeline
