// SPDX-License-Identifier: Apache-2.0

#include "pipeline/engine.h"

#include <absl/algorithm/container.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "pipeline/loop_call.h"

namespace spanloom::pipeline {
namespace {

using std::chrono::milliseconds;

std::string_view GradeText(AckGrade grade) {
  switch (grade) {
    case AckGrade::kStored:
      return "stored";
    case AckGrade::kQueued:
      return "queued in bounded memory";
    case AckGrade::kDelivered:
      return "delivered";
  }
  return "";
}

}  // namespace

// Makes one engine. Exporters and receivers are made once an id, processors once a pipeline, as in the Collector.
class Engine::Builder {
 public:
  Builder(const ServiceConfig& config, const Registry& registry, Engine& engine)
      : config_(config), registry_(registry), engine_(engine) {}

  void Build() {
    for (const ComponentId& id : config_.enabled_extensions) MakeExtension(id);
    for (const PipelineConfig& pipeline : config_.pipelines) MakePipeline(pipeline);
    for (auto& [id, pipelines] : pipelines_of_) MakeReceiver(id, std::move(pipelines));
  }

 private:
  static std::string Name(std::string_view kind, const ComponentId& id) {
    return StrCat(kind, " \"", id.ToString(), "\"");
  }

  void MakeExtension(const ComponentId& id) {
    const auto& make = registry_.extensions.Find(id.type)->make;
    engine_.extensions_.push_back({Name("extension", id), make(id, config_.extensions.at(id), engine_.context_)});
  }

  Exporter& ExporterOf(const ComponentId& id) {
    const auto [made, is_new] = exporters_.emplace(id, nullptr);
    if (is_new) {
      const auto& make = registry_.exporters.Find(id.type)->make;
      engine_.exporters_.push_back({Name("exporter", id), make(id, config_.exporters.at(id), engine_.context_)});
      made->second = engine_.exporters_.back().component.get();
    }
    return *made->second;
  }

  // One consumer for all `targets`.
  Consumer& Joined(std::string_view kind, std::vector<FanOutTarget> targets) {
    if (targets.size() == 1) return *targets[0].consumer;
    engine_.fan_outs_.push_back(std::make_unique<FanOut>(kind, std::move(targets), engine_.context_));
    return *engine_.fan_outs_.back();
  }

  // A processor that answers for itself hides what stands behind it, so this is called from the back to the front.
  static void Promise(PipelineAck& ack, AckGrade grade, std::string by) {
    ack.grade = grade;
    ack.by = std::move(by);
  }

  Consumer& MakeExporters(const PipelineConfig& pipeline, PipelineAck& ack) {
    std::vector<FanOutTarget> targets;
    for (const ComponentId& id : pipeline.exporters) {
      Exporter& exporter = ExporterOf(id);
      // The strongest promise: AckGrade's order is stored, queued, delivered; stored counts for all.
      const bool first = targets.empty();
      const bool stores = exporter.ack_grade() == AckGrade::kStored;
      const bool weaker = exporter.ack_grade() == AckGrade::kQueued && ack.grade == AckGrade::kDelivered;
      if (first || stores || weaker) Promise(ack, exporter.ack_grade(), Name("exporter", id));
      targets.push_back({&exporter, id.ToString(), stores});
    }
    return Joined("exporter", std::move(targets));
  }

  void MakePipeline(const PipelineConfig& pipeline) {
    PipelineAck ack{pipeline.id.ToString(), AckGrade::kDelivered, ""};
    Consumer* head = &MakeExporters(pipeline, ack);
    BuildContext context = engine_.context_;
    context.pipeline = ack.pipeline;
    for (auto id = pipeline.processors.rbegin(); id != pipeline.processors.rend(); ++id) {
      const auto& make = registry_.processors.Find(id->type)->make;
      auto processor = make(*id, config_.processors.at(*id), context, *head);
      if (const auto grade = processor->ack_grade()) Promise(ack, *grade, Name("processor", *id));
      head = processor.get();
      engine_.processors_.push_back({Name("processor", *id), std::move(processor)});
    }
    for (const ComponentId& id : pipeline.receivers) {
      pipelines_of_[id].push_back({head, ack.pipeline, ack.grade == AckGrade::kStored});
    }
    engine_.acks_.push_back(std::move(ack));
  }

  void MakeReceiver(const ComponentId& id, std::vector<FanOutTarget> pipelines) {
    const auto& make = registry_.receivers.Find(id.type)->make;
    Consumer& next = Joined("pipeline", std::move(pipelines));
    engine_.receivers_.push_back({Name("receiver", id), make(id, config_.receivers.at(id), engine_.context_, next)});
  }

  const ServiceConfig& config_;
  const Registry& registry_;
  Engine& engine_;
  std::map<ComponentId, Exporter*> exporters_;
  std::map<ComponentId, std::vector<FanOutTarget>> pipelines_of_;  // what each receiver feeds
};

std::unique_ptr<Engine> Engine::Build(const ServiceConfig& config, const Registry& registry,
                                      const BuildContext& context) {
  std::unique_ptr<Engine> engine(new Engine(context));
  Builder(config, registry, *engine).Build();
  return engine;
}

Engine::~Engine() {
  Stop(milliseconds(0));
}

template <typename Made>
Status Engine::StartAll(std::vector<Named<Made>>& components) {
  for (Named<Made>& named : components) {
    RETURN_IF_ERROR(Annotate(named.component->Start(), StrCat("cannot start ", named.name)));
    named.started = true;
  }
  return absl::OkStatus();
}

template <typename Made>
void Engine::StopAll(std::vector<Named<Made>>& components, milliseconds grace) {
  const int64_t deadline_ns = context_.clock.SteadyNs() + std::chrono::nanoseconds(grace).count();
  for (auto named = components.rbegin(); named != components.rend(); ++named) {
    if (std::exchange(named->started, false)) named->component->Stop(Remaining(deadline_ns));
  }
}

Status Engine::Start() {
  CHECK(!running_);
  running_ = true;
  const auto start = [this]() -> Status {
    RETURN_IF_ERROR(StartAll(extensions_));
    RETURN_IF_ERROR(StartAll(exporters_));
    RETURN_IF_ERROR(StartAll(processors_));
    return StartAll(receivers_);
  };
  if (Status status = start(); !status.ok()) {
    Stop(milliseconds(0));
    return status;
  }
  LogAcks();
  SetReady(true);
  return absl::OkStatus();
}

uint64_t Engine::Stop(milliseconds grace) {
  if (!std::exchange(running_, false)) return 0;
  const int64_t deadline_ns = context_.clock.SteadyNs() + std::chrono::nanoseconds(grace).count();
  SetReady(false);
  // Each stage leaves time for those behind it: clients that hang must not cost the queues theirs.
  StopAll(receivers_, Remaining(deadline_ns) / 3);
  StopAll(processors_, Remaining(deadline_ns) / 2);
  StopAll(exporters_, Remaining(deadline_ns));
  StopAll(extensions_, Remaining(deadline_ns));
  RunPostedTasks();
  return UndeliveredSpans();
}

milliseconds Engine::Remaining(int64_t deadline_ns) const {
  const int64_t remaining_ns = std::max<int64_t>(0, deadline_ns - context_.clock.SteadyNs());
  return std::chrono::duration_cast<milliseconds>(std::chrono::nanoseconds(remaining_ns));
}

void Engine::SetReady(bool ready) {
  for (Named<Extension>& extension : extensions_) extension.component->SetReady(ready);
}

void Engine::LogAcks() const {
  for (const PipelineAck& ack : acks_) {
    Log(LogLevel::kInfo, "pipeline started",
        {{"pipeline", ack.pipeline}, {"answers_when", GradeText(ack.grade)}, {"by", ack.by}});
  }
}

// Answers of exporters reach processors as tasks on their loops: two turns, because a task may post one more.
void Engine::RunPostedTasks() {
  for (int turn = 0; turn < 2; ++turn) {
    for (size_t i = 0; i < context_.loops.size(); ++i) RunOn(context_.loops.At(i), [] {});
  }
}

std::vector<Endpoint> Engine::endpoints() const {
  std::vector<Endpoint> endpoints;
  const auto append = [&](const Component& component) {
    for (Endpoint& endpoint : component.endpoints()) endpoints.push_back(std::move(endpoint));
  };
  for (const auto& named : receivers_) append(*named.component);
  for (const auto& named : extensions_) append(*named.component);
  return endpoints;
}

uint64_t Engine::UndeliveredSpans() const {
  uint64_t spans = 0;
  for (const auto& named : processors_) spans += named.component->undelivered_spans();
  for (const auto& named : exporters_) spans += named.component->undelivered_spans();
  return spans;
}

}  // namespace spanloom::pipeline
