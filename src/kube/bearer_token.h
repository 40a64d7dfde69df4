// SPDX-License-Identifier: Apache-2.0
//
// The credential that goes with every request. A service account's token lies in a file that the kubelet replaces
// before it expires, so it is read again from time to time, on a worker thread.

#pragma once

#include <absl/functional/any_invocable.h>

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "kube/cluster_access.h"
#include "net/loop.h"

namespace spanloom::kube {

// Bound to a loop.
class BearerToken {
 public:
  static constexpr std::chrono::seconds kFreshness{60};  // that what was read is used; client-go's

  // `loops` and `clock` outlive it; `loop` is one of them.
  BearerToken(net::LoopPool& loops, net::Loop& loop, const Clock& clock, const ClusterAccess& access);

  // The authorization header, "" if there is none. `done` is called on the loop: inside this call, unless the file is
  // to be read. A file that can't be read is kUnavailable, unless an earlier content is known.
  void Get(absl::AnyInvocable<void(StatusOr<std::string>)> done);

  // The server did not take it: the next Get reads the file.
  void Forget();

 private:
  struct State;
  net::LoopPool& loops_;
  net::Loop& loop_;
  const Clock& clock_;
  std::shared_ptr<State> state_;  // shared with what reads the file
};

}  // namespace spanloom::kube
