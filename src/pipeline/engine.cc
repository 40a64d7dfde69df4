// SPDX-License-Identifier: Apache-2.0

#include "pipeline/engine.h"

#include <absl/algorithm/container.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "net/loop_call.h"

namespace spanloom::pipeline {
namespace {

using std::chrono::milliseconds;

// The stages of a stop, in order. Each gets a share of the time that is left, so that clients that hang do not cost the
// queues theirs.
enum class StopStage : uint8_t { kIntake, kMiddle, kExporters, kExtensions };

StopStage StageOf(const Part& part) {
  switch (part.key().kind) {
    case ComponentKind::kReceiver:
      return StopStage::kIntake;
    case ComponentKind::kProcessor:
    case ComponentKind::kConnector:
      return StopStage::kMiddle;
    case ComponentKind::kExporter:
      return StopStage::kExporters;
    case ComponentKind::kExtension:
      return StopStage::kExtensions;
  }
  return StopStage::kExtensions;
}

int ShareOf(StopStage stage) {
  return stage == StopStage::kIntake ? 3 : stage == StopStage::kMiddle ? 2 : 1;
}

std::string Listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) StrAppend(text, text.empty() ? "" : ", ", name);
  return text;
}

// Who calls goes before who is called.
void DestroyFrontFirst(std::vector<PartPtr>& parts) {
  while (!parts.empty()) parts.pop_back();
}

uint64_t UndeliveredSpans(const std::vector<PartPtr>& parts) {
  uint64_t spans = 0;
  for (const PartPtr& part : parts) spans += part->component().undelivered_spans();
  return spans;
}

}  // namespace

Engine::Engine(const Registry& registry, const BuildContext& context)
    : registry_(registry), context_(Extended(context)), board_(context.clock) {}

BuildContext Engine::Extended(BuildContext context) const {
  context.pipelines = &pipelines_;
  return context;
}

std::unique_ptr<Engine> Engine::Build(const ServiceConfig& config, const Registry& registry,
                                      const BuildContext& context) {
  std::unique_ptr<Engine> engine(new Engine(registry, context));
  engine->assembly_ = Assemble(config, registry, engine->context_, engine->board_, {});
  return engine;
}

Engine::~Engine() {
  Stop(milliseconds(0));
  DestroyFrontFirst(assembly_.parts);
}

std::shared_ptr<const Passage> Engine::PassageOf(const Assembly& assembly, std::shared_ptr<Notification> ended) {
  return std::make_shared<const Passage>(assembly.wiring, std::move(ended));
}

Status Engine::Start() {
  CHECK(!running_);
  running_ = true;
  passage_ended_ = std::make_shared<Notification>();
  const auto passage = PassageOf(assembly_, passage_ended_);
  for (const auto& [inlet, next] : assembly_.leads) inlet->Lead(*next, passage);
  for (const auto& [part, grouping] : assembly_.groupings) part->exporter()->GroupAs(grouping);
  Log(LogLevel::kInfo, "Starting extensions...");  // they come first
  for (const PartPtr& part : assembly_.parts) {
    const bool is_extension = StageOf(*part) == StopStage::kExtensions;
    if (is_extension) Log(LogLevel::kInfo, "Extension is starting...", {{"extension", part->key().id.ToString()}});
    if (Status status = part->Start(); !status.ok()) {
      Stop(milliseconds(0));
      return status;
    }
    if (is_extension) Log(LogLevel::kInfo, "Extension started.", {{"extension", part->key().id.ToString()}});
  }
  LogAcks();
  pipelines_.Show(assembly_.pipelines);
  SetReady(true);
  return absl::OkStatus();
}

uint64_t Engine::Stop(milliseconds grace) {
  if (!std::exchange(running_, false)) return 0;
  SetReady(false);
  StopInOrder(assembly_.parts, grace);
  // A line of the Collector's, whether there are any or not.
  const auto is_extension = [](const PartPtr& part) { return StageOf(*part) == StopStage::kExtensions; };
  if (absl::c_none_of(assembly_.parts, is_extension)) Log(LogLevel::kInfo, "Stopping extensions...");
  RunPostedTasks();
  return UndeliveredSpans(assembly_.parts);
}

void Engine::StopInOrder(const std::vector<PartPtr>& parts, milliseconds grace, const std::stop_token& hurry) {
  const std::stop_callback on_hurry(hurry, [&parts] {
    for (const PartPtr& part : parts) part->component().HurryStop();
  });
  const int64_t deadline_ns = context_.clock.SteadyNs() + std::chrono::nanoseconds(grace).count();
  auto part = parts.rbegin();
  while (part != parts.rend()) {
    const StopStage stage = StageOf(**part);
    if (stage == StopStage::kExtensions) Log(LogLevel::kInfo, "Stopping extensions...");
    const int64_t stage_deadline_ns =
        context_.clock.SteadyNs() + std::chrono::nanoseconds(Remaining(deadline_ns) / ShareOf(stage)).count();
    for (; part != parts.rend() && StageOf(**part) == stage; ++part) {
      (*part)->Stop(hurry.stop_requested() ? milliseconds(0) : Remaining(stage_deadline_ns));
    }
  }
}

milliseconds Engine::Remaining(int64_t deadline_ns) const {
  const int64_t remaining_ns = std::max<int64_t>(0, deadline_ns - context_.clock.SteadyNs());
  return std::chrono::duration_cast<milliseconds>(std::chrono::nanoseconds(remaining_ns));
}

void Engine::SetReady(bool ready) {
  for (const PartPtr& part : assembly_.parts) {
    if (part->extension() != nullptr && part->started()) part->extension()->SetReady(ready);
  }
}

void Engine::LogAcks() const {
  for (const PipelineAck& ack : assembly_.acks) {
    Log(LogLevel::kInfo, "pipeline started",
        {{"pipeline", ack.pipeline},
         {"answers_when", GradeText(ack)},
         {"by", ack.by},
         {"lost_with_the_process", RiskText(ack)}});
  }
}

// Answers of exporters reach processors as tasks on their loops: two turns, because a task may post one more.
void Engine::RunPostedTasks() {
  for (int turn = 0; turn < 2; ++turn) {
    for (size_t i = 0; i < context_.loops.size(); ++i) RunOn(context_.loops.At(i), [] {});
  }
}

std::vector<Endpoint> Engine::endpoints() const {
  std::vector<Endpoint> receivers;
  std::vector<Endpoint> extensions;
  for (const PartPtr& part : assembly_.parts) {
    if (!part->started()) continue;
    auto& endpoints = part->extension() == nullptr ? receivers : extensions;
    absl::c_move(part->component().endpoints(), std::back_inserter(endpoints));
  }
  absl::c_move(extensions, std::back_inserter(receivers));
  return receivers;
}

// One reload, from the old assembly of an engine to the next.
class Engine::Reloading {
 public:
  Reloading(Engine& engine, Assembly next, std::stop_token hurry)
      : engine_(engine), old_(engine.assembly_), next_(std::move(next)), hurry_(std::move(hurry)) {
    for (const PartPtr& part : next_.parts) {
      (absl::c_linear_search(old_.parts, part) ? kept_ : new_).push_back(part);
    }
    for (const PartPtr& part : old_.parts) {
      if (!absl::c_linear_search(next_.parts, part)) gone_.push_back(part);
    }
  }

  // Nothing has changed but for restarts if it fails.
  Status StartNew() {
    for (const PartPtr& part : new_) Lead(*part);
    for (const PartPtr& part : new_) {
      StopRivals(*part);
      if (Status status = part->Start(); !status.ok()) return GoBack(std::move(status));
      if (part->extension() != nullptr) part->extension()->SetReady(true);
    }
    return absl::OkStatus();
  }

  // From here on the new configuration runs.
  void Switch() {
    for (const PartPtr& part : kept_) Lead(*part);
    for (const auto& [part, grouping] : next_.groupings) part->exporter()->GroupAs(grouping);
    // What is gone passes on what it holds the old way, without making it look as if a request were under way there.
    const auto tail = PassageOf(old_, std::make_shared<Notification>());
    for (const PartPtr& part : gone_) {
      if (part->inlet() != nullptr) part->inlet()->HoldBy(tail);
    }
    passage_ = nullptr;
    engine_.pipelines_.Show(next_.pipelines);
  }

  // Stops what is gone once nothing comes to it any more. Returns the report.
  ReloadReport Finish(milliseconds grace) {
    const auto is_intake = [](const PartPtr& part) { return StageOf(*part) == StopStage::kIntake; };
    std::vector<PartPtr> intake;
    absl::c_copy_if(gone_, std::back_inserter(intake), is_intake);
    for (const PartPtr& part : gone_) {
      if (part->extension() != nullptr && part->started()) part->extension()->SetReady(false);
    }
    const int64_t deadline_ns = engine_.context_.clock.SteadyNs() + std::chrono::nanoseconds(grace).count();
    engine_.StopInOrder(intake, grace / 3, hurry_);
    const bool answered = AwaitAnswers(grace / 3);
    if (!answered) Log(LogLevel::kWarn, "requests under way since before the reload are cut off: no answer in time");
    engine_.StopInOrder(gone_, engine_.Remaining(deadline_ns), hurry_);
    engine_.RunPostedTasks();
    ReloadReport report = Report();
    engine_.assembly_ = std::move(next_);
    engine_.passage_ended_ = ended_;
    if (!answered) absl::c_copy(gone_, std::back_inserter(engine_.retired_));
    DestroyFrontFirst(gone_);
    return report;
  }

 private:
  void Lead(const Part& part) {
    const auto lead = next_.leads.find(part.inlet());
    if (lead != next_.leads.end()) lead->first->Lead(*lead->second, passage_);
  }

  // Until what entered before the switch has been answered; false if that is not in time.
  [[nodiscard]] bool AwaitAnswers(milliseconds patience) const {
    const std::shared_ptr<Notification> ended = engine_.passage_ended_;
    const int64_t deadline_ns = engine_.context_.clock.SteadyNs() + std::chrono::nanoseconds(patience).count();
    while (!hurry_.stop_requested() && engine_.Remaining(deadline_ns) > milliseconds(0)) {
      if (ended->WaitFor(std::min(kHurryStep, engine_.Remaining(deadline_ns)))) return true;
    }
    return ended->HasBeenNotified();
  }

  void StopRivals(const Part& part) {
    for (const PartPtr& rival : gone_) {
      if (!rival->started() || !part.Rivals(*rival)) continue;
      rival->Stop(kRivalGrace);
      stopped_early_.push_back(rival);
    }
  }

  // Undoes StartNew after `failure`.
  Status GoBack(Status failure) {
    engine_.StopInOrder(new_, kRivalGrace);
    for (const PartPtr& rival : stopped_early_) {
      const Status restored = Restore(rival);
      if (!restored.ok()) failure = Annotate(failure, StrCat(StdView(restored.message()), " again, after"));
    }
    engine_.RunPostedTasks();
    next_.parts.clear();
    DestroyFrontFirst(new_);
    return failure;
  }

  // A component starts once; so a new one takes the place of `stopped`.
  Status Restore(const PartPtr& stopped) {
    const auto restored =
        std::make_shared<Part>(stopped->key(), stopped->options(), engine_.registry_, engine_.context_, engine_.board_);
    if (stopped->inlet() != nullptr) {
      restored->inlet()->LeadAs(*stopped->inlet());
      old_.leads[restored->inlet()] = old_.leads.at(stopped->inlet());
      old_.leads.erase(stopped->inlet());
    }
    absl::c_replace(old_.parts, stopped, restored);
    if (auto grouping = old_.groupings.extract(stopped)) {
      restored->exporter()->GroupAs(grouping.mapped());
      grouping.key() = restored;
      old_.groupings.insert(std::move(grouping));
    }
    Status status = restored->Start();
    if (status.ok() && restored->extension() != nullptr) restored->extension()->SetReady(true);
    return status;
  }

  ReloadReport Report() const {
    ReloadReport report;
    for (const PartPtr& part : kept_) report.kept.push_back(part->key().ToString());
    for (const PartPtr& part : new_) report.started.push_back(part->key().ToString());
    for (const PartPtr& part : gone_) report.stopped.push_back(part->key().ToString());
    report.undelivered_spans = UndeliveredSpans(gone_);
    return report;
  }

  static constexpr milliseconds kRivalGrace{5'000};  // for its requests under way; guess
  static constexpr milliseconds kHurryStep{20};      // how soon a wait sees that there is a hurry; guess

  Engine& engine_;
  Assembly& old_;
  Assembly next_;
  const std::stop_token hurry_;
  const std::shared_ptr<Notification> ended_ = std::make_shared<Notification>();
  std::shared_ptr<const Passage> passage_ = PassageOf(next_, ended_);
  std::vector<PartPtr> kept_;
  std::vector<PartPtr> new_;   // in the order of starting
  std::vector<PartPtr> gone_;  // in the order in which they were started
  std::vector<PartPtr> stopped_early_;
};

StatusOr<ReloadReport> Engine::Reload(const ServiceConfig& config, milliseconds grace, std::stop_token hurry) {
  CHECK(running_);
  Reloading reloading(*this, Assemble(config, registry_, context_, board_, assembly_), std::move(hurry));
  RETURN_IF_ERROR(reloading.StartNew());
  reloading.Switch();
  ReloadReport report = reloading.Finish(grace);
  LogAcks();
  Log(LogLevel::kInfo, "reloaded",
      {{"kept", report.kept.size()},
       {"started", Listed(report.started)},
       {"stopped", Listed(report.stopped)},
       {"undelivered_spans", report.undelivered_spans}});
  return report;
}

}  // namespace spanloom::pipeline
