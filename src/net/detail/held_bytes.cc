// SPDX-License-Identifier: Apache-2.0

#include "net/detail/held_bytes.h"

namespace spanloom::net {

Status BudgetUsedUp() {
  const Status status =
      absl::UnavailableError("the server holds as many bytes of requests as it may; send again later");
  return WithRetryDelay(status, kBudgetRetryDelay);
}

}  // namespace spanloom::net
