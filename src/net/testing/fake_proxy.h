// SPDX-License-Identifier: Apache-2.0
//
// A proxy that opens tunnels to one server of this process, whatever name it is asked for.

#pragma once

#include <absl/base/thread_annotations.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net {

// Thread-safe. Destroy it after the clients that use it: it waits for their connections to end.
class FakeProxy {
 public:
  explicit FakeProxy(uint16_t server_port);
  ~FakeProxy();
  FakeProxy(const FakeProxy&) = delete;
  FakeProxy& operator=(const FakeProxy&) = delete;

  [[nodiscard]] std::string endpoint() const { return listener_.endpoint(); }

  // The head of the last CONNECT; "" if there was none.
  [[nodiscard]] std::string last_connect() const;

 private:
  void Serve();
  void Carry(int client);

  const uint16_t server_port_;
  const RawListener listener_;
  mutable Mutex mutex_;
  std::string last_connect_ ABSL_GUARDED_BY(mutex_);
  bool is_ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> carriers_;  // of thread_
  std::thread thread_;
};

}  // namespace spanloom::net
