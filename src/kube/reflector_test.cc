// SPDX-License-Identifier: Apache-2.0
//
// Against an API server in this process, over real HTTP.

#include "kube/reflector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "base/text.h"
#include "kube/json.h"
#include "kube/mirror.h"
#include "kube/object.h"
#include "kube/testing/fake_api_server.h"
#include "net/testing/net_fixture.h"

namespace spanloom::kube {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

constexpr char kCollection[] = "/api/v1/pods";

std::string PodJson(std::string_view name, std::string_view label) {
  return StrCat(R"({"metadata":{"name":")", name, R"(","uid":"uid-)", name, R"(","labels":{"l":")", label, R"("}}})");
}

class ReflectorTest : public testing::Test {
 protected:
  using LabelMirror = Mirror<std::string>;

  ~ReflectorTest() override {
    net::RunOn(loops_.At(0), [this] {
      reflector_.reset();
      client_.reset();
      return true;
    });
  }

  void Put(const std::string& name, const std::string& label = "1") {
    server_.Put(kCollection, "ns", name, PodJson(name, label));
  }

  void Start(ReflectorOptions options = {.resource = kPods}) {
    options.backoff = {.first = 1ms, .longest = 5ms};
    net::RunOn(loops_.At(0), [&] {
      auto client = ApiClient::Create(loops_, loops_.At(0), clock_, server_.Access());
      CHECK(client.ok());
      client_ = *std::move(client);
      reflector_ = std::make_unique<Reflector>(*client_, mirror_, options, [this](const Status& status) {
        const MutexLock lock(mutex_);
        states_.push_back(status);
      });
      return true;
    });
  }

  // True once the pod has that label; "" stands for a pod that is not there.
  [[nodiscard]] bool Becomes(const std::string& name, const std::string& label) const {
    return net::Eventually([&] {
      const auto found = mirror_->Find(StrCat("uid-", name));
      return (found == nullptr ? "" : *found) == label;
    });
  }

  [[nodiscard]] bool IsWatching(size_t watches = 1) const {
    return net::Eventually([&] { return server_.watches(kCollection) >= watches; });
  }

  // Waits for the next state that is told.
  Status NextState() {
    const MutexLock lock(mutex_);
    CHECK(mutex_.AwaitFor([this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !states_.empty(); }, net::kPatience));
    Status status = states_.front();
    states_.pop_front();
    return status;
  }

  net::LoopPool loops_{2};
  SimClock clock_;
  FakeApiServer server_{loops_};
  std::shared_ptr<LabelMirror> mirror_ =
      std::make_shared<LabelMirror>([](const simdjson::dom::element& object) -> std::optional<LabelMirror::Decoded> {
        const ObjectMeta meta = ReadMeta(object);
        const std::string_view* const label = FindText(meta.labels, "l");
        if (meta.uid.empty() || label == nullptr) return std::nullopt;
        return LabelMirror::Decoded{std::string(meta.uid), std::string(*label)};
      });
  std::unique_ptr<ApiClient> client_;
  std::unique_ptr<Reflector> reflector_;
  Mutex mutex_;
  std::deque<Status> states_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(ReflectorTest, ListsInPages) {
  for (int i = 0; i < 25; ++i) Put(StrCat("p", i));
  Start({.resource = kPods, .selection = {.label_selector = "a=b"}, .page_objects_max = 10});
  EXPECT_EQ(NextState(), absl::OkStatus());
  EXPECT_EQ(mirror_->size(), 25u);
  const std::vector<std::string> queries = server_.queries(kCollection);
  ASSERT_GE(queries.size(), 3u);
  EXPECT_EQ(queries[0], "limit=10&labelSelector=a%3Db");
  EXPECT_THAT(queries[2], AllOf(HasSubstr("limit=10"), HasSubstr("&continue=")));
}

TEST_F(ReflectorTest, SyncsWithNothing) {
  Start();
  EXPECT_EQ(NextState(), absl::OkStatus());
  EXPECT_EQ(mirror_->size(), 0u);
}

TEST_F(ReflectorTest, FollowsAWatch) {
  Put("a");
  Start();
  EXPECT_EQ(NextState(), absl::OkStatus());
  ASSERT_TRUE(IsWatching());
  Put("b");
  EXPECT_TRUE(Becomes("b", "1"));
  Put("b", "2");
  EXPECT_TRUE(Becomes("b", "2"));
  server_.Delete(kCollection, "ns", "a");
  EXPECT_TRUE(Becomes("a", ""));
  EXPECT_THAT(server_.queries(kCollection), Contains(HasSubstr("watch=1&allowWatchBookmarks=true")));
}

TEST_F(ReflectorTest, WatchesANamespace) {
  server_.Put(kCollection, "other", "x", PodJson("x", "1"));
  Put("a");
  Start({.resource = kPods, .selection = {.name_space = "ns"}});
  EXPECT_EQ(NextState(), absl::OkStatus());
  ASSERT_TRUE(IsWatching());
  server_.Put(kCollection, "other", "y", PodJson("y", "1"));
  Put("b");
  EXPECT_TRUE(Becomes("b", "1"));
  EXPECT_EQ(mirror_->size(), 2u);
}

TEST_F(ReflectorTest, AsksForMetadataAlone) {
  Start({.resource = kReplicaSets});
  EXPECT_EQ(NextState(), absl::OkStatus());
  EXPECT_THAT(server_.accepts("/apis/apps/v1/replicasets"), Contains(HasSubstr("as=PartialObjectMetadataList")));
}

// Scenario: the watch ends, and what happened meanwhile is still known to the server.
// Guarantees: it goes on from the last version, without listing again.
TEST_F(ReflectorTest, GoesOnWhereAWatchEnded) {
  Start();
  EXPECT_EQ(NextState(), absl::OkStatus());
  ASSERT_TRUE(IsWatching());
  Put("a");
  ASSERT_TRUE(Becomes("a", "1"));
  server_.HoldWatches(true);
  server_.EndWatches();
  ASSERT_TRUE(IsWatching(2));
  Put("b");
  server_.HoldWatches(false);
  server_.EndWatches();
  EXPECT_TRUE(Becomes("b", "1"));
  size_t lists = 0;
  for (const std::string& query : server_.queries(kCollection)) lists += query.starts_with("limit=") ? 1 : 0;
  EXPECT_EQ(lists, 1u);
}

// Scenario: the server has forgotten the version that a watch asks for, while an object went away.
// Guarantees: it lists again, and what is gone is gone.
TEST_F(ReflectorTest, ListsAgainAfterGone) {
  Put("a");
  Put("b");
  Start();
  EXPECT_EQ(NextState(), absl::OkStatus());
  ASSERT_TRUE(IsWatching());
  server_.HoldWatches(true);
  server_.EndWatches();
  ASSERT_TRUE(IsWatching(2));
  server_.Delete(kCollection, "ns", "a");
  server_.Compact();
  server_.HoldWatches(false);
  server_.EndWatches();
  EXPECT_TRUE(absl::IsOutOfRange(NextState()));
  EXPECT_EQ(NextState(), absl::OkStatus());
  EXPECT_TRUE(Becomes("a", ""));
  EXPECT_TRUE(Becomes("b", "1"));
}

TEST_F(ReflectorTest, SurvivesARestartOfTheServer) {
  Put("a");
  Start();
  EXPECT_EQ(NextState(), absl::OkStatus());
  ASSERT_TRUE(IsWatching());
  server_.Stop();
  Put("b");
  EXPECT_TRUE(absl::IsUnavailable(NextState()));
  server_.Start();
  EXPECT_TRUE(Becomes("b", "1"));
  while (!NextState().ok()) continue;
}

// Scenario: the account may not list, and later may.
// Guarantees: the state names the rule that is missing; afterwards it syncs by itself.
TEST_F(ReflectorTest, SaysWhichPermissionIsMissing) {
  server_.Refuse(kCollection, 403, R"({"message":"pods is forbidden"})");
  Start();
  const Status status = NextState();
  EXPECT_TRUE(absl::IsPermissionDenied(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr(R"(ClusterRole: {apiGroups: [""], resources: ["pods"])"));
  server_.Allow(kCollection);
  while (!NextState().ok()) continue;
  EXPECT_TRUE(IsWatching());
}

// Scenario: a list that is none; a line of a watch that is no JSON; one that is no event.
// Guarantees: each is told, and it lists again.
TEST_F(ReflectorTest, ListsAgainAfterGarbage) {
  server_.Refuse(kCollection, 200, "<html>");
  Start();
  EXPECT_TRUE(absl::IsInvalidArgument(NextState()));
  server_.Refuse(kCollection, 200, R"({"items": 1})");
  Status status;
  while ((status = NextState()).message().find("not JSON") != absl::string_view::npos) continue;
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  server_.Allow(kCollection);
  while (!NextState().ok()) continue;
  size_t watches = 0;
  for (const char* line : {"{\"type\":\"ADDED\"\n", "{\"type\":\"ADDED\"}\n", "[]\n"}) {
    ASSERT_TRUE(IsWatching(++watches));
    server_.SendRaw(kCollection, line);
    EXPECT_TRUE(absl::IsInvalidArgument(NextState())) << line;
    EXPECT_EQ(NextState(), absl::OkStatus());
  }
  ASSERT_TRUE(IsWatching(++watches));
  Put("a");
  EXPECT_TRUE(Becomes("a", "1"));
}

// Scenario: a watch breaks off within an event.
// Guarantees: the event counts once it is complete, and not before.
TEST_F(ReflectorTest, TakesHalfALineForNothing) {
  Start();
  EXPECT_EQ(NextState(), absl::OkStatus());
  ASSERT_TRUE(IsWatching());
  server_.SendRaw(kCollection, StrCat(R"({"type":"ADDED","object":)", PodJson("half", "1")));
  server_.EndWatches();
  ASSERT_TRUE(IsWatching(2));
  EXPECT_EQ(mirror_->size(), 0u);
  server_.SendRaw(kCollection, StrCat(R"({"type":"ADDED","object":)", PodJson("whole", "1"), "}\n"));
  EXPECT_TRUE(Becomes("whole", "1"));
  EXPECT_EQ(mirror_->size(), 1u);
}

// Scenario: an object over the limit comes between two others.
// Guarantees: it alone is left out; the watch goes on.
TEST_F(ReflectorTest, LeavesOutAnObjectThatIsTooLarge) {
  Start({.resource = kPods, .line_bytes_max = 500});
  EXPECT_EQ(NextState(), absl::OkStatus());
  ASSERT_TRUE(IsWatching());
  Put("a");
  Put("huge", std::string(100'000, 'x'));
  Put("b");
  EXPECT_TRUE(Becomes("b", "1"));
  EXPECT_TRUE(Becomes("a", "1"));
  EXPECT_TRUE(Becomes("huge", ""));
  EXPECT_EQ(server_.watches(kCollection), 1u);
}

// Scenario: a page of four objects is larger than an answer may be.
// Guarantees: it asks for fewer at a time.
TEST_F(ReflectorTest, AsksForSmallerPagesOfLargeObjects) {
  for (int i = 0; i < 4; ++i) Put(StrCat("p", i), std::string(kAnswerBytesMax / 3, 'x'));
  Start({.resource = kPods, .page_objects_max = 4});
  EXPECT_EQ(NextState(), absl::OkStatus());
  EXPECT_EQ(mirror_->size(), 4u);
  EXPECT_THAT(server_.queries(kCollection), Contains(HasSubstr("limit=2&continue=")));
}

// Scenario: a watch hangs: nothing comes, although something happens.
// Guarantees: it is given up and begun anew, from where it was.
TEST_F(ReflectorTest, GivesUpAWatchThatHangs) {
  server_.HoldWatches(true);
  Start({.resource = kPods, .silence_max = 20ms});
  EXPECT_EQ(NextState(), absl::OkStatus());
  ASSERT_TRUE(IsWatching());
  Put("a");
  server_.HoldWatches(false);
  EXPECT_TRUE(Becomes("a", "1"));
}

TEST_F(ReflectorTest, TakesVersionsFromBookmarks) {
  Start();
  EXPECT_EQ(NextState(), absl::OkStatus());
  ASSERT_TRUE(IsWatching());
  server_.SendRaw(kCollection, R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"777"}}})"
                               "\n");
  server_.EndWatches();
  ASSERT_TRUE(IsWatching(2));
  EXPECT_THAT(server_.queries(kCollection).back(), HasSubstr("resourceVersion=777&"));
}

// Scenario: the token of a list's next page has expired.
// Guarantees: the list begins again.
TEST_F(ReflectorTest, ListsAgainWhenAPageIsGone) {
  for (int i = 0; i < 4; ++i) Put(StrCat("p", i));
  std::atomic<bool> is_compacted = false;
  mirror_ =
      std::make_shared<LabelMirror>([&](const simdjson::dom::element& object) -> std::optional<LabelMirror::Decoded> {
        if (!is_compacted.exchange(true)) server_.Compact();
        return LabelMirror::Decoded{std::string(ReadMeta(object).uid), "1"};
      });
  Start({.resource = kPods, .page_objects_max = 2});
  EXPECT_TRUE(absl::IsOutOfRange(NextState()));
  EXPECT_EQ(NextState(), absl::OkStatus());
  EXPECT_EQ(mirror_->size(), 4u);
}

}  // namespace
}  // namespace spanloom::kube
