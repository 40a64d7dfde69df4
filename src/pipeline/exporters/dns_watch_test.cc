// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/dns_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml.h"
#include "pipeline/testing/fake_consumer.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Addresses = StatusOr<std::vector<std::string>>;

// A resolver that answers as it is told, and what the watch made of that. Thread-safe.
class FakeResolver {
 public:
  void AnswerWith(Addresses answer) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    answer_ = std::move(answer);
    outcomes_.clear();
  }
  // Lookups from now on get no answer.
  void FallSilent() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    silent_ = true;
    outcomes_.clear();
  }
  DnsWatch::LookUp look_up() {
    return [this](const std::string&, net::LookedUp done) {
      Addresses answer;
      {
        MutexLock lock(mutex_);
        if (silent_) return;
        answer = answer_;
      }
      std::move(done)(std::move(answer));
    };
  }
  DnsWatch::OnOutcome on_outcome() {
    return [this](const Addresses& outcome) {
      MutexLock lock(mutex_);
      outcomes_.push_back(outcome);
    };
  }
  // The second outcome since the resolver was told something: it was asked after that.
  Addresses AwaitOutcome() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    CHECK(mutex_.AwaitFor([this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return outcomes_.size() >= 2; }, kPatience));
    return outcomes_[1];
  }
  [[nodiscard]] size_t outcomes() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return outcomes_.size();
  }

 private:
  mutable Mutex mutex_;
  Addresses answer_ ABSL_GUARDED_BY(mutex_) = std::vector<std::string>();
  bool silent_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Addresses> outcomes_ ABSL_GUARDED_BY(mutex_);
};

// Scenario: a name with addresses of both families, which change, then fail, then do not come.
// Guarantees: each outcome is told, the first one before Start returns; addresses have the port, and are sorted.
TEST(DnsWatch, TellsEachOutcome) {
  FakeResolver resolver;
  resolver.AnswerWith(std::vector<std::string>{"fd00::7", "10.0.0.7"});
  DnsWatch watch({.hostname = "samplers", .port = "4317", .interval = 1ms, .timeout = 1ms}, resolver.look_up(),
                 resolver.on_outcome());
  watch.Start();
  EXPECT_GE(resolver.outcomes(), 1u);
  EXPECT_THAT(*resolver.AwaitOutcome(), ElementsAre("10.0.0.7:4317", "[fd00::7]:4317"));
  resolver.AnswerWith(std::vector<std::string>{"10.0.0.8"});
  EXPECT_THAT(*resolver.AwaitOutcome(), ElementsAre("10.0.0.8:4317"));
  resolver.AnswerWith(absl::UnavailableError("no such name"));
  EXPECT_EQ(resolver.AwaitOutcome().status().code(), absl::StatusCode::kUnavailable);
  resolver.FallSilent();
  EXPECT_EQ(resolver.AwaitOutcome().status().code(), absl::StatusCode::kDeadlineExceeded);
  watch.Stop();
}

// Scenario: no port is configured; a stop long before the next lookup.
// Guarantees: addresses are as they are; the stop does not wait.
TEST(DnsWatch, StopsBetweenLookups) {
  FakeResolver resolver;
  resolver.AnswerWith(std::vector<std::string>{"10.0.0.7"});
  Addresses first;
  DnsWatch watch({.hostname = "samplers", .interval = 1h}, resolver.look_up(),
                 [&](const Addresses& outcome) { first = outcome; });
  watch.Start();
  EXPECT_THAT(*first, ElementsAre("10.0.0.7"));
  watch.Stop();
}

std::vector<std::string> Problems(std::string_view yaml) {
  config::Problems problems;
  config::ReadOptions<DnsResolverOptions>(*config::ParseYaml(yaml, "f"), "dns", problems);
  return problems.lines();
}

// Scenario: options with and without what is needed.
// Guarantees: a port is a text, as the Collector has it; a missing name and a port that is none are refused.
TEST(DnsResolverOptions, ChecksNameAndPort) {
  EXPECT_THAT(Problems("{hostname: a, port: '55690', interval: 1m, timeout: 2s}"), IsEmpty());
  EXPECT_THAT(Problems("{port: '1'}"), ElementsAre(HasSubstr("hostname")));
  EXPECT_THAT(Problems("{hostname: a, port: otlp}"), ElementsAre(HasSubstr("port")));
  EXPECT_THAT(Problems("{hostname: a, port: 55690}"), ElementsAre(HasSubstr("expected type 'string'")));
}

}  // namespace
}  // namespace spanloom::pipeline
