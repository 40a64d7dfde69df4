// SPDX-License-Identifier: Apache-2.0
//
// A server of gRPC whose connections the test answers by hand.

#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "net/testing/frames.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net::http2 {

class FakeGrpcPeer {
 public:
  [[nodiscard]] std::string endpoint() const { return listener_.endpoint(); }

  // Waits for a connection, takes its preface and says SETTINGS.
  [[nodiscard]] std::unique_ptr<FramePeer> Accept() const {
    auto peer = std::make_unique<FramePeer>(AcceptRaw());
    EXPECT_EQ(peer->raw().Read(kPreface.size()), kPreface);
    peer->Send(Settings());
    return peer;
  }

  [[nodiscard]] std::unique_ptr<RawPeer> AcceptRaw() const { return listener_.Accept(); }

 private:
  RawListener listener_;
};

}  // namespace spanloom::net::http2
