// SPDX-License-Identifier: Apache-2.0
//
// The transform processor: changes resources, scopes, spans and events by OTTL statements.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/options.h"
#include "ottl/statement.h"
#include "pipeline/processors/ottl_options.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// Statements that are carried out one after the other on each resource, scope, span or event.
struct TransformStatementsOptions {
  OttlContextChoice context = OttlContextChoice::kInferred;
  std::vector<std::string> conditions = {};
  std::vector<std::string> statements = {};
  std::optional<OttlErrorMode> error_mode = {};  // the processor's if it is left out
  void Declare(config::OptionsReader& r);
  Status Validate() const;
};

struct TransformOptions {
  OttlErrorMode error_mode = OttlErrorMode::kIgnore;
  std::vector<TransformStatementsOptions> trace_statements = {};
  void Declare(config::OptionsReader& r);
};

// Thread-safe; holds nothing.
class StatementProcessor final : public TransformProcessor {
 public:
  StatementProcessor(const ComponentId& id, const TransformOptions& options, const BuildContext& context);

  // kUnavailable if a statement fails and the error mode is propagate; else OK.
  Status Process(otlp::Batch& batch) override;

 private:
  struct Group {
    ottl::Context context;
    ottl::StatementList statements;
    OttlErrorMode error_mode;
  };

  // Carries out the statements for `edited`, if their context begins with it or is its span. What one failed with
  // becomes `refusal`, if it is to.
  void Transform(const Group& group, otlp::SpanEditContext& edited, Status& refusal);
  void TransformEvents(const Group& group, otlp::SpanEditContext& edited, Status& refusal);
  void Execute(const Group& group, const ottl::Scene& scene, Status& refusal);

  std::vector<Group> groups_;
  OttlErrors errors_;
};

// Processor type "transform".
void RegisterTransformProcessor(Registry& registry);

}  // namespace spanloom::pipeline
