// SPDX-License-Identifier: Apache-2.0

#include "pipeline/assembly.h"

#include <absl/algorithm/container.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/text.h"
#include "pipeline/extension_references.h"
#include "pipeline/extension_roles.h"
#include "pipeline/fan_out.h"
#include "pipeline/junction.h"
#include "pipeline/pipeline_entry.h"
#include "pipeline/signal_switch.h"
#include "pipeline/stage.h"

namespace spanloom::pipeline {
namespace {

// Something that takes batches, with what its OK promises. The pipeline's name is still open.
struct Destination {
  Consumer* consumer = nullptr;
  MetricLabels owner = {};  // {{"exporter", "otlp_grpc"}}
  PipelineAck ack = {};
  bool follows = false;               // its OK says nothing of the spans
  std::vector<PartPtr> storing = {};  // exporters by which it stores: all of them, or those that go a way to one

  [[nodiscard]] bool stores() const { return !storing.empty(); }
};

// A holding processor answers for itself, whatever stands behind it.
PipelineAck QueuedBy(const HoldingProcessor& holder, std::string by, PipelineAck behind) {
  PipelineAck ack{.grade = AckGrade::kQueued, .by = by};
  ack.loss_windows.push_back({std::move(by), holder.hold_limits()});
  if (behind.grade == AckGrade::kQueued) absl::c_move(behind.loss_windows, std::back_inserter(ack.loss_windows));
  return ack;
}

PipelineAck AckOf(const Exporter& exporter, std::string by) {
  PipelineAck ack{.grade = exporter.ack_grade(), .by = by};
  if (ack.grade == AckGrade::kStored) ack.safety = exporter.safety();
  if (ack.grade == AckGrade::kQueued) ack.loss_windows.push_back({std::move(by), exporter.hold_limits()});
  return ack;
}

bool ChangesItems(const Part& processor) {
  if (processor.transform() != nullptr) return processor.transform()->changes_items();
  return processor.holder() != nullptr && processor.holder()->selects();
}

bool AllFollow(std::span<const Destination> destinations) {
  return absl::c_all_of(destinations, [](const Destination& destination) { return destination.follows; });
}

bool AnyStores(std::span<const Destination> destinations) {
  return absl::c_any_of(destinations, [](const Destination& destination) { return destination.stores(); });
}

// Those that store decide for all; without them the weakest promise is all there is. One that follows counts only among
// its kind.
PipelineAck JointAck(std::span<const Destination> destinations) {
  const bool any_stores = AnyStores(destinations);
  const bool all_follow = AllFollow(destinations);
  const PipelineAck* ack = nullptr;
  for (const Destination& destination : destinations) {
    if (any_stores ? !destination.stores() : destination.follows != all_follow) continue;
    const auto outranks = [&](AckGrade grade) { return destination.ack.grade == grade && ack->grade != grade; };
    const bool is_first = ack == nullptr;
    if (is_first || outranks(AckGrade::kStored) || (outranks(AckGrade::kQueued) && ack->grade != AckGrade::kStored)) {
      ack = &destination.ack;
    }
  }
  return *ack;
}

std::vector<PartPtr> StoringExporters(std::span<const Destination> destinations) {
  std::vector<PartPtr> storing;
  for (const Destination& destination : destinations) absl::c_copy(destination.storing, std::back_inserter(storing));
  return storing;
}

int StrengthOf(const PipelineAck& ack) {
  if (ack.grade == AckGrade::kStored) return 2;
  return ack.grade == AckGrade::kDelivered ? 1 : 0;
}

// What an OK for a span promises that may go any of `ways`: the weakest of what they do, with all that may be lost on
// them.
PipelineAck WeakestAck(std::span<const Destination> ways) {
  const bool all_follow = AllFollow(ways);
  const PipelineAck* weakest = nullptr;
  std::vector<LossWindow> windows;
  for (const Destination& way : ways) {
    if (way.follows != all_follow) continue;
    if (weakest == nullptr || StrengthOf(way.ack) < StrengthOf(*weakest)) weakest = &way.ack;
    for (const LossWindow& window : way.ack.loss_windows) {
      const auto is_same = [&](const LossWindow& other) { return other.by == window.by; };
      if (absl::c_none_of(windows, is_same)) windows.push_back(window);
    }
  }
  PipelineAck ack = *weakest;
  if (ack.grade == AckGrade::kQueued) ack.loss_windows = std::move(windows);
  return ack;
}

// What a connector that derives promises of what it is given.
PipelineAck AckOf(const PassingConnector& connector, std::string by) {
  PipelineAck ack{.grade = AckGrade::kQueued, .by = by};
  ack.loss_windows.push_back({std::move(by), connector.hold_limits()});
  return ack;
}

// Pipelines are built from the back to the front: what a connector feeds before the connector, and that before the
// pipelines which end in it.
class Assembler {
 public:
  Assembler(const ServiceConfig& config, const Registry& registry, const BuildContext& context, StatusBoard& board,
            const Assembly& running)
      : config_(config), registry_(registry), context_(WithExtensions(context)), board_(board), running_(running) {}

  Assembly Run() {
    for (const ComponentId& id : config_.enabled_extensions) MakeExtension(id);
    Assembly assembly;
    for (const PipelineConfig& pipeline : config_.pipelines) assembly.acks.push_back(PipelineOf(pipeline).ack);
    for (const PipelineConfig& pipeline : config_.pipelines) assembly.pipelines.push_back(DescriptionOf(pipeline));
    std::vector<PartPtr> receivers = MakeReceivers();
    for (const auto* parts : {&extensions_, &exporters_, &middle_, &receivers}) {
      assembly.parts.insert(assembly.parts.end(), parts->begin(), parts->end());
    }
    for (const PartPtr& exporter : exporters_) {
      if (exporter->exporter()->ack_grade() == AckGrade::kStored) groupings_.try_emplace(exporter, std::nullopt);
    }
    assembly.groupings = std::move(groupings_);
    assembly.leads = std::move(leads_);
    assembly.wiring = std::move(wiring_);
    return assembly;
  }

 private:
  [[nodiscard]] BuildContext WithExtensions(BuildContext context) const {
    context.extensions = &roles_of_extensions_;
    return context;
  }

  // After those that it refers to. An extension that refers to itself finds none.
  void MakeExtension(const ComponentId& id) {
    if (!begun_.insert(id.ToString()).second) return;
    for (const ExtensionReference& reference : ExtensionReferencesOf(config_.extensions.at(id))) {
      const auto referred = absl::c_find_if(config_.enabled_extensions,
                                            [&](const ComponentId& each) { return each.ToString() == reference.name; });
      if (referred != config_.enabled_extensions.end()) MakeExtension(*referred);
    }
    const PartKey key{ComponentKind::kExtension, id};
    extensions_.push_back(PartOf(key, config_.extensions));
    if (extensions_.back() != running_.Find(key)) renewed_.insert(id.ToString());
    roles_of_extensions_.Add(id.ToString(), *extensions_.back()->extension());
  }

  // The part that runs already, if its options are the same and those of the extensions they name, or a new one.
  PartPtr PartOf(PartKey key, const ComponentNodes& nodes) {
    const config::Node& options = nodes.at(key.id);
    const PartPtr part = running_.Find(key);
    const bool refers_to_new =
        absl::c_any_of(ExtensionReferencesOf(options),
                       [this](const ExtensionReference& reference) { return renewed_.contains(reference.name); });
    if (part != nullptr && part->started() && !refers_to_new && config::SameContent(part->options(), options)) {
      return part;
    }
    return std::make_shared<Part>(std::move(key), options, registry_, context_, board_);
  }

  void Lead(const Part& part, Consumer& next) { leads_[part.inlet()] = &next; }

  // One consumer for all `destinations`, which take `signal`.
  Consumer& Joined(std::span<const Destination> destinations, otlp::Signal signal) {
    if (destinations.size() == 1) return *destinations[0].consumer;
    std::vector<FanOutTarget> targets;
    for (const Destination& destination : destinations) {
      targets.push_back({destination.consumer, destination.owner, destination.stores(), destination.follows});
    }
    BuildContext context = context_;
    context.signal = signal;
    return wiring_->Add<FanOut>(std::move(targets), context);
  }

  // The same as a destination.
  Destination JoinOf(std::span<const Destination> destinations, otlp::Signal signal) {
    return {&Joined(destinations, signal),
            {},
            JointAck(destinations),
            AllFollow(destinations),
            StoringExporters(destinations)};
  }

  Destination ExporterOf(const ComponentId& id, otlp::Signal signal) {
    const auto [made, is_new] = exporter_of_.try_emplace({id, signal});
    if (is_new) {
      made->second = PartOf({.kind = ComponentKind::kExporter, .id = id, .signal = signal}, config_.exporters);
      exporters_.push_back(made->second);
    }
    const PartPtr& part = made->second;
    Destination exporter{
        part->consumer(), {{"exporter", id.ToString()}}, AckOf(*part->exporter(), part->key().ToString())};
    if (exporter.ack.grade == AckGrade::kStored) exporter.storing = {part};
    return exporter;
  }

  // The pipelines of `signal` that `id` stands at the beginning of.
  std::vector<Destination> PipelinesFrom(const ComponentId& id, otlp::Signal signal) {
    std::vector<Destination> pipelines;
    for (const PipelineConfig& pipeline : config_.pipelines) {
      if (pipeline.signal == signal && absl::c_linear_search(pipeline.receivers, id)) {
        pipelines.push_back(PipelineOf(pipeline));
      }
    }
    return pipelines;
  }

  // Leads what `part` passes on to the pipelines that it stands at the beginning of, which are appended to `fed`.
  void LeadIntoPipelines(const Part& part, std::vector<Destination>& fed) {
    SignalSwitch::Ways ways{};
    for (const otlp::Signal signal : otlp::kSignals) {
      const std::vector<Destination> pipelines = PipelinesFrom(part.key().id, signal);
      if (!pipelines.empty()) ways[static_cast<size_t>(signal)] = &Joined(pipelines, signal);
      absl::c_copy(pipelines, std::back_inserter(fed));
    }
    Lead(part, wiring_->Add<SignalSwitch>(ways));
  }

  const Destination& ConnectorOf(const ComponentId& id) {
    if (const auto made = connector_of_.find(id); made != connector_of_.end()) return made->second;
    const PartPtr part = PartOf({ComponentKind::kConnector, id}, config_.connectors);
    Destination destination = part->chooser() == nullptr ? Passed(*part) : Chosen(*part);
    middle_.push_back(part);
    destination.owner = {{"connector", id.ToString()}};
    return connector_of_[id] = std::move(destination);
  }

  // To all pipelines that begin with `connector` alike.
  Destination Passed(const Part& connector) {
    std::vector<Destination> fed;
    LeadIntoPipelines(connector, fed);
    if (!connector.connector()->derives()) {
      return {connector.consumer(), {}, JointAck(fed), AllFollow(fed), StoringExporters(fed)};
    }
    return {connector.consumer(), {}, AckOf(*connector.connector(), connector.key().ToString()), true};
  }

  // To those that `connector` chooses. If one of them stores, it is reserved there for what may go there; but what may
  // go elsewhere is promised no more than it is there.
  Destination Chosen(const Part& connector) {
    std::vector<JunctionWay> junction_ways;
    std::vector<Destination> ways;
    BuildContext context = context_;
    for (const std::vector<ComponentId>& pipelines : connector.chooser()->ways()) {
      std::vector<Destination> destinations;
      std::vector<MetricLabels> owners;
      for (const ComponentId& id : pipelines) {
        const PipelineConfig& pipeline = PipelineNamed(id);
        context.signal = pipeline.signal;
        destinations.push_back(PipelineOf(pipeline));
        owners.push_back(destinations.back().owner);
      }
      const Destination& way = ways.emplace_back(JoinOf(destinations, context.signal));
      junction_ways.push_back({way.consumer, std::move(owners), way.stores(), way.follows});
    }
    Junction& junction =
        wiring_->Add<Junction>(connector.key().id.ToString(), *connector.chooser(), std::move(junction_ways), context);
    return {&junction, {}, WeakestAck(ways), AllFollow(ways), StoringExporters(ways)};
  }

  [[nodiscard]] const PipelineConfig& PipelineNamed(const ComponentId& id) const {
    const auto named =
        absl::c_find_if(config_.pipelines, [&](const PipelineConfig& pipeline) { return pipeline.id == id; });
    CHECK(named != config_.pipelines.end());
    return *named;
  }

  // Of one that is made.
  [[nodiscard]] PipelineDescription DescriptionOf(const PipelineConfig& pipeline) const {
    const std::string name = pipeline.id.ToString();
    PipelineDescription description{.id = name, .signal = pipeline.signal};
    for (const ComponentId& id : pipeline.receivers) description.receivers.push_back(id.ToString());
    for (const ComponentId& id : pipeline.processors) description.processors.push_back(id.ToString());
    for (const ComponentId& id : pipeline.exporters) description.exporters.push_back(id.ToString());
    description.changes_items = absl::c_any_of(
        middle_, [&](const PartPtr& part) { return part->key().pipeline == name && ChangesItems(*part); });
    return description;
  }

  const Destination& PipelineOf(const PipelineConfig& pipeline) {
    if (const auto made = pipeline_of_.find(pipeline.id); made != pipeline_of_.end()) return made->second;
    const std::string name = pipeline.id.ToString();
    std::vector<Destination> destinations;
    for (const ComponentId& id : pipeline.exporters) {
      destinations.push_back(config_.connectors.contains(id) ? ConnectorOf(id) : ExporterOf(id, pipeline.signal));
    }
    std::vector<PartPtr> processors;
    for (const ComponentId& id : pipeline.processors) {
      processors.push_back(PartOf({ComponentKind::kProcessor, id, name, pipeline.signal}, config_.processors));
    }
    Destination head = Chain(processors, std::move(destinations), pipeline.signal);
    head.consumer = &wiring_->Add<PipelineEntry>(name, *head.consumer, context_.metrics, pipeline.signal);
    head.owner = {{"pipeline", name}};
    head.ack.pipeline = name;
    return pipeline_of_[pipeline.id] = std::move(head);
  }

  // `processors` in front of `destinations`, in a pipeline of `signal`.
  Destination Chain(std::span<const PartPtr> processors, std::vector<Destination> destinations, otlp::Signal signal) {
    const auto selector = absl::c_find_if(
        processors, [](const PartPtr& part) { return part->holder() != nullptr && part->holder()->selects(); });
    if (selector != processors.end()) {
      // What it lets go on later may be grouped and stored anew; what stands before it stays as it is written.
      const Destination behind = Chain({std::next(selector), processors.end()}, std::move(destinations), signal);
      return InOrder({processors.begin(), std::next(selector)}, behind);
    }
    if (!AnyStores(destinations)) {
      return InOrder(processors, JoinOf(destinations, signal));
    }
    return StoringChain(processors, std::move(destinations), signal);
  }

  // As it is written: each of `processors` in front of those after it.
  Destination InOrder(std::span<const PartPtr> processors, Destination behind) {
    for (auto part = processors.rbegin(); part != processors.rend(); ++part) {
      behind = (*part)->transform() != nullptr ? Transformed(**part, behind) : Held(**part, behind);
      middle_.push_back(*part);
    }
    return behind;
  }

  Destination Transformed(const Part& part, const Destination& behind) {
    Stage& stage = wiring_->Add<Stage>(part.key().id.ToString(), part.key().pipeline, *part.transform(),
                                       *behind.consumer, context_.metrics, part.key().signal);
    Destination transformed = behind;
    transformed.consumer = &stage;
    return transformed;
  }

  Destination Held(const Part& part, const Destination& behind) {
    Lead(part, *behind.consumer);
    const PartKey& key = part.key();
    return {part.consumer(),
            {{"processor", key.id.ToString()}, {"pipeline", key.pipeline}},
            QueuedBy(*part.holder(), key.ToString(), behind.ack),
            behind.follows};
  }

  // All transforms, then the fan-out, then the grouping processors in front of those that do not store. Grouping
  // processors that have nobody to group for stand aside.
  Destination StoringChain(std::span<const PartPtr> processors, std::vector<Destination> destinations,
                           otlp::Signal signal) {
    const auto is_transform = [](const PartPtr& part) { return part->transform() != nullptr; };
    std::vector<PartPtr> transforms(processors.begin(), processors.end());
    const auto groups_begin = std::stable_partition(transforms.begin(), transforms.end(), is_transform);
    const std::vector<PartPtr> groups(groups_begin, transforms.end());
    transforms.erase(groups_begin, transforms.end());

    const auto others_begin = std::stable_partition(destinations.begin(), destinations.end(),
                                                    [](const Destination& each) { return each.stores(); });
    const std::vector<Destination> others(others_begin, destinations.end());
    // Who stores groups behind that as the last of them would; what one pipeline has says it for all.
    for (const PartPtr& exporter : StoringExporters(destinations)) {
      if (!groups.empty()) groupings_.try_emplace(exporter, groups.back()->holder()->grouping());
    }
    if (!groups.empty() && !others.empty()) {
      destinations.erase(others_begin, destinations.end());
      destinations.push_back(InOrder(groups, JoinOf(others, signal)));
    }
    return InOrder(transforms, JoinOf(destinations, signal));
  }

  std::vector<PartPtr> MakeReceivers() {
    std::vector<PartPtr> receivers;
    for (const auto& [id, node] : config_.receivers) {
      const bool feeds = absl::c_any_of(config_.pipelines, [&id = id](const PipelineConfig& pipeline) {
        return absl::c_linear_search(pipeline.receivers, id);
      });
      if (!feeds) continue;
      receivers.push_back(PartOf({ComponentKind::kReceiver, id}, config_.receivers));
      std::vector<Destination> fed;
      LeadIntoPipelines(*receivers.back(), fed);
    }
    return receivers;
  }

  const ServiceConfig& config_;
  const Registry& registry_;
  ExtensionRoles roles_of_extensions_;
  const BuildContext context_;
  StatusBoard& board_;
  const Assembly& running_;

  std::shared_ptr<Wiring> wiring_ = std::make_shared<Wiring>();
  std::map<Inlet*, Consumer*> leads_;
  std::map<PartPtr, std::optional<Grouping>> groupings_;
  std::vector<PartPtr> extensions_;
  std::set<std::string> begun_;    // extensions that are made, or being made
  std::set<std::string> renewed_;  // extensions that did not run before as they do now
  std::vector<PartPtr> exporters_;
  std::vector<PartPtr> middle_;  // processors and connectors, each behind those it passes on to
  std::map<std::pair<ComponentId, otlp::Signal>, PartPtr> exporter_of_;
  std::map<ComponentId, Destination> connector_of_;
  std::map<ComponentId, Destination> pipeline_of_;
};

}  // namespace

PartPtr Assembly::Find(const PartKey& key) const {
  const auto part = absl::c_find_if(parts, [&](const PartPtr& each) { return each->key() == key; });
  return part == parts.end() ? nullptr : *part;
}

Assembly Assemble(const ServiceConfig& config, const Registry& registry, const BuildContext& context,
                  StatusBoard& board, const Assembly& running) {
  return Assembler(config, registry, context, board, running).Run();
}

}  // namespace spanloom::pipeline
