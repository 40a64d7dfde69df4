// SPDX-License-Identifier: Apache-2.0

#include "pipeline/part.h"

#include <absl/algorithm/container.h>

#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::pipeline {
namespace {

std::string_view PortOf(std::string_view address) {
  return address.substr(address.rfind(':') + 1);
}

// What tells parts of one id apart; "" for most.
std::string_view WhoseOf(const PartKey& key) {
  if (!key.pipeline.empty() || key.signal == otlp::Signal::kTraces) return key.pipeline;
  return otlp::SignalText(key.signal);
}

}  // namespace

std::string PartKey::ToString() const {
  std::string text = StrCat(KindText(kind), " \"", id.ToString(), "\"");
  const std::string_view whose = WhoseOf(*this);
  if (!whose.empty()) StrAppend(text, " of ", whose);
  return text;
}

Part::Part(PartKey key, config::Node options, const Registry& registry, BuildContext context, StatusBoard& board)
    : key_(std::move(key)),
      options_(std::move(options)),
      status_(board.Add(key_.kind, key_.id.ToString(), std::string(WhoseOf(key_)))) {
  context.pipeline = key_.pipeline;
  context.signal = key_.signal;
  context.status = status_;
  context.board = &board;
  Make(registry, context);
}

template <typename Made>
Made* Part::Adopt(std::unique_ptr<Made> made) {
  Made* const adopted = made.get();
  component_ = std::move(made);
  return adopted;
}

void Part::Make(const Registry& registry, const BuildContext& context) {
  const std::string& type = key_.id.type;
  switch (key_.kind) {
    case ComponentKind::kReceiver:
      inlet_ = std::make_unique<Inlet>();
      Adopt(registry.receivers.Find(type)->make(key_.id, options_, context, *inlet_));
      return;
    case ComponentKind::kProcessor:
      return MakeProcessor(registry, context);
    case ComponentKind::kConnector:
      return MakeConnector(registry, context);
    case ComponentKind::kExporter:
      exporter_ = Adopt(registry.exporters.Find(type)->make(key_.id, options_, context));
      consumer_ = exporter_;
      return;
    case ComponentKind::kExtension:
      extension_ = Adopt(registry.extensions.Find(type)->make(key_.id, options_, context));
      return;
  }
}

void Part::MakeProcessor(const Registry& registry, const BuildContext& context) {
  inlet_ = std::make_unique<Inlet>();
  Processor* const made = Adopt(registry.processors.Find(key_.id.type)->make(key_.id, options_, context, *inlet_));
  transform_ = dynamic_cast<TransformProcessor*>(made);
  holder_ = dynamic_cast<HoldingProcessor*>(made);
  CHECK((transform_ != nullptr) != (holder_ != nullptr));
  consumer_ = holder_;
}

void Part::MakeConnector(const Registry& registry, const BuildContext& context) {
  inlet_ = std::make_unique<Inlet>();
  Connector* const made = Adopt(registry.connectors.Find(key_.id.type)->make(key_.id, options_, context, *inlet_));
  connector_ = dynamic_cast<PassingConnector*>(made);
  chooser_ = dynamic_cast<ChoosingConnector*>(made);
  CHECK((connector_ != nullptr) != (chooser_ != nullptr));
  consumer_ = connector_;
}

Status Part::Start() {
  CHECK(!started_);
  if (Status status = component_->Start(); !status.ok()) {
    ReportPermanent(status);
    return Annotate(status, StrCat("cannot start ", key_.ToString()));
  }
  started_ = true;
  // Unless it knows better already.
  if (status_.state() == ComponentState::kStarting) status_.ReportOk();
  return absl::OkStatus();
}

void Part::Stop(std::chrono::milliseconds grace) {
  if (!std::exchange(started_, false)) return;
  status_.Report(ComponentState::kStopping);
  component_->Stop(grace);
  status_.Report(ComponentState::kStopped);
}

bool Part::Rivals(const Part& other) const {
  const std::vector<std::string> others = other.component_->claims();
  return absl::c_any_of(component_->claims(), [&](const std::string& mine) {
    return absl::c_any_of(others, [&](const std::string& theirs) { return PortOf(mine) == PortOf(theirs); });
  });
}

}  // namespace spanloom::pipeline
