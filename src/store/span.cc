// SPDX-License-Identifier: Apache-2.0

#include "store/span.h"

namespace spanloom::store {

bool AreEqual(const SpanOrigin& a, const SpanOrigin& b) {
  return a.resource.view() == b.resource.view() && a.scope.view() == b.scope.view() &&
         a.resource_schema_url == b.resource_schema_url && a.scope_schema_url == b.scope_schema_url;
}

}  // namespace spanloom::store
