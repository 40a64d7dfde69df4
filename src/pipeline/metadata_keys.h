// SPDX-License-Identifier: Apache-2.0
//
// Headers of senders by which batches are kept apart: what the `batch` processor and sending queues group by.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "otlp/batch.h"
#include "otlp/request_origin.h"

namespace spanloom::pipeline {

// Immutable.
class MetadataKeys {
 public:
  MetadataKeys() = default;
  // Names in any case and order.
  explicit MetadataKeys(std::vector<std::string> names);

  // kInvalidArgument if a name stands twice, whatever its case.
  static Status Check(const std::vector<std::string>& names);

  [[nodiscard]] bool empty() const { return names_.empty(); }

  // Those headers of `origin` (null: none), in the order of the names.
  [[nodiscard]] otlp::RequestOrigin::Pairs ValuesOf(const otlp::RequestOrigin* origin) const;

  // Different for different values.
  static std::string TextOf(const otlp::RequestOrigin::Pairs& values);

  // The slices of `batch` by values, each with the values as its only metadata, in order of appearance.
  struct Part {
    std::string text;  // of its values
    std::shared_ptr<const otlp::RequestOrigin> origin;
    otlp::Batch batch;
  };
  [[nodiscard]] std::vector<Part> Split(const otlp::Batch& batch) const;

 private:
  std::vector<std::string> names_;  // lower case, sorted
};

}  // namespace spanloom::pipeline
