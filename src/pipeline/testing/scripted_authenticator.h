// SPDX-License-Identifier: Apache-2.0
//
// For tests: an authenticator of senders that answers when the test says so, and the extension that it is of.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "pipeline/component.h"
#include "pipeline/server_authenticator.h"
#include "pipeline/testing/fake_consumer.h"

namespace spanloom::pipeline {

// Answers what the test says. Thread-compatible, but for AwaitQuestion.
class ScriptedAuthenticator final : public ServerAuthenticator {
 public:
  void Authenticate(const net::HttpHeaders& headers, Done done) override {
    shown = std::string(headers.Get("x-key"));
    done_ = std::move(done);
    if (!was_asked_.HasBeenNotified()) was_asked_.Notify();
  }
  [[nodiscard]] std::string challenge() const override { return "Key"; }
  void Answer(StatusOr<Attributes> who) {
    Done done = std::move(done_);  // it holds whoever asks, and that this
    done_ = nullptr;
    std::move(done)(std::move(who));
  }

  // Until it is asked for the first time, by another thread; false: in vain.
  [[nodiscard]] bool AwaitQuestion() const { return was_asked_.WaitFor(kPatience); }

  std::string shown;

 private:
  Done done_;
  Notification was_asked_;
};

class ScriptedExtension final : public Extension {
 public:
  Status Start() override { return absl::OkStatus(); }
  void Stop(std::chrono::milliseconds) override {}
  [[nodiscard]] std::shared_ptr<ServerAuthenticator> server_authenticator() const override { return authenticator; }

  const std::shared_ptr<ScriptedAuthenticator> authenticator = std::make_shared<ScriptedAuthenticator>();
};

}  // namespace spanloom::pipeline
