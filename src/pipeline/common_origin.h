// SPDX-License-Identifier: Apache-2.0
//
// What is known of where all of a batch came from.

#pragma once

#include <memory>

#include "otlp/batch.h"
#include "otlp/request_origin.h"

namespace spanloom::pipeline {

// What the origins of all slices say alike: a name of the metadata, or of what authentication found out, counts if all
// have the same values for it in the same order. Never null. Shared by the slices' owner and those who send them.
std::shared_ptr<const otlp::RequestOrigin> CommonOrigin(const otlp::Batch& batch);

}  // namespace spanloom::pipeline
