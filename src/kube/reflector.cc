// SPDX-License-Identifier: Apache-2.0

#include "kube/reflector.h"

#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/rng.h"
#include "base/text.h"
#include "kube/line_splitter.h"
#include "kube/watch_reader.h"

namespace spanloom::kube {
namespace {

// A watch may end a little later than it was told to.
constexpr std::chrono::seconds kWatchSlack{30};  // guess
// A watch that lasted this long was of use: the next one begins at once.
constexpr std::chrono::nanoseconds kUsefulWatch = std::chrono::seconds(1);  // guess; as client-go's "very short watch"

}  // namespace

class Reflector::State : public std::enable_shared_from_this<Reflector::State> {
 public:
  State(ApiClient& client, std::shared_ptr<ReflectorSink> sink, ReflectorOptions options, OnState on_state)
      : client_(client),
        loops_(client.loops()),
        loop_(client.loop()),
        sink_(std::move(sink)),
        options_(std::move(options)),
        on_state_(std::move(on_state)),
        path_(PathOf(options_.resource, options_.selection)),
        permission_(RbacRule(options_.resource, options_.selection)),
        page_objects_(options_.page_objects_max),
        rng_(options_.seed),
        backoff_(options_.backoff),
        reader_(*sink_, StrCat("GET ", client.url(), path_), permission_) {}

  void List() {
    continue_token_.clear();
    GetPage();
  }

  void Close() {
    is_closed_ = true;
    stream_.reset();
    retry_.Cancel();
    on_state_ = nullptr;
  }

 private:
  [[nodiscard]] ApiRequest RequestOf(std::string query, bool is_list) const {
    return {.path = path_,
            .query = std::move(query),
            .accept = AcceptOf(options_.resource, is_list),
            .permission = permission_};
  }

  void GetPage() {
    client_.Get(RequestOf(ListQuery(options_.selection, page_objects_, continue_token_), true),
                [self = shared_from_this()](StatusOr<Bytes> body) { self->OnPage(std::move(body)); });
  }

  void OnPage(StatusOr<Bytes> body) {
    if (is_closed_) return;
    if (absl::IsResourceExhausted(body.status()) && page_objects_ > 1) {
      page_objects_ /= 2;
      return List();
    }
    if (!body.ok()) return Fail(body.status(), true);
    const bool is_first = continue_token_.empty();
    OnWorker([self = shared_from_this(), body = *std::move(body), is_first]() -> WorkerPool::Task {
      auto page = self->reader_.ReadPage(body.view(), is_first);
      return [self, page = std::move(page)]() mutable { self->OnPageRead(std::move(page)); };
    });
  }

  void OnPageRead(StatusOr<WatchReader::Page> page) {
    if (!page.ok()) return Fail(page.status(), true);
    resource_version_ = std::move(page->resource_version);
    continue_token_ = std::move(page->continue_token);
    if (!continue_token_.empty()) return GetPage();
    backoff_ = RetryBackoff(options_.backoff);
    is_in_trouble_ = false;
    on_state_(absl::OkStatus());
    if (!is_closed_) Watch();
  }

  void Watch() {
    lines_ = LineSplitter(options_.line_bytes_max);
    is_watch_open_ = false;
    watch_began_ns_ = client_.clock().SteadyNs();
    const auto more = static_cast<int64_t>(rng_.Below(static_cast<uint64_t>(options_.watch_min.count()) + 1));
    const std::chrono::seconds duration = options_.watch_min + std::chrono::seconds(more);
    stream_ = client_.Open(RequestOf(WatchQuery(options_.selection, resource_version_, duration), false),
                           {.silence_max = options_.silence_max, .total_max = duration + kWatchSlack},
                           [this] { OnWatchOpen(); });
    ReadPiece();
  }

  void OnWatchOpen() {
    is_watch_open_ = true;
    if (std::exchange(is_in_trouble_, false)) on_state_(absl::OkStatus());
  }

  void ReadPiece() {
    stream_->Read([self = shared_from_this()](const StatusOr<Bytes>& piece) {
      if (!self->is_closed_) self->OnPiece(piece);
    });
  }

  void OnPiece(const StatusOr<Bytes>& piece) {
    // Silence is what ends a watch that hangs; what is known stays known.
    const bool is_late = absl::IsDeadlineExceeded(piece.status());
    if (is_late && is_watch_open_) return EndWatch();
    if (!piece.ok()) return Fail(piece.status(), !is_late && !absl::IsUnavailable(piece.status()));
    // What stands behind the last line's end is half an event: it comes again, since its version is not ours yet.
    if (piece->empty()) return EndWatch();
    const size_t too_long = lines_.too_long_lines();
    std::vector<std::string> lines;
    lines_.Take(piece->view(), lines);
    if (lines_.too_long_lines() > too_long) ReportLongLine();
    if (lines.empty()) return ReadPiece();
    OnWorker([self = shared_from_this(), lines = std::move(lines)]() -> WorkerPool::Task {
      Status status = self->reader_.ReadLines(lines, self->resource_version_);
      return [self, status = std::move(status)] { self->OnLinesRead(status); };
    });
  }

  void OnLinesRead(const Status& status) {
    if (status.ok()) return ReadPiece();
    stream_.reset();
    // The server has forgotten what came after our version, or says what we don't understand: begin anew.
    Fail(status, true);
  }

  // A watch that has ended goes on where it was, at once if it lasted.
  void EndWatch() {
    stream_.reset();
    const int64_t lasted_ns = client_.clock().SteadyNs() - watch_began_ns_;
    if (lasted_ns < kUsefulWatch.count()) return RetryAfter(backoff_.Next(rng_), false);
    backoff_ = RetryBackoff(options_.backoff);
    Watch();
  }

  void Fail(const Status& status, bool must_list) {
    stream_.reset();
    is_in_trouble_ = true;
    on_state_(status);
    if (!is_closed_) RetryAfter(backoff_.Next(rng_), must_list);
  }

  void RetryAfter(std::chrono::nanoseconds wait, bool must_list) {
    retry_ = loop_.PostAfter(wait, [this, must_list] { must_list ? List() : Watch(); });
  }

  void ReportLongLine() const {
    Log(LogLevel::kWarn, "an object of a watch is too large and is left out until it is listed",
        {{"path", path_}, {"limit_bytes", options_.line_bytes_max}});
  }

  // Runs `work` on a worker thread, or here if there are too many others, and what it returns on the loop, unless this
  // was closed meanwhile.
  void OnWorker(absl::AnyInvocable<WorkerPool::Task()> work) {
    using Work = absl::AnyInvocable<WorkerPool::Task()>;
    const auto task = [self = shared_from_this(), work = std::make_shared<Work>(std::move(work))] {
      self->loop_.Post([self, then = (*work)()]() mutable {
        if (!self->is_closed_) then();
      });
    };
    if (!loops_.workers().Submit(task)) task();
  }

  ApiClient& client_;  // not used once closed
  net::LoopPool& loops_;
  net::Loop& loop_;
  const std::shared_ptr<ReflectorSink> sink_;  // may be used by a worker when we are gone
  const ReflectorOptions options_;
  OnState on_state_;
  const std::string path_;
  const std::string permission_;
  int page_objects_;
  Rng rng_;
  RetryBackoff backoff_;
  bool is_closed_ = false;
  bool is_in_trouble_ = false;  // the last state that was told is an error

  // Of the loop, or of a worker while it reads: never both.
  WatchReader reader_;
  std::string resource_version_;

  std::string continue_token_;  // of the list under way
  LineSplitter lines_{0};       // of the watch under way
  bool is_watch_open_ = false;
  int64_t watch_began_ns_ = 0;  // steady time
  std::unique_ptr<ApiStream> stream_;
  net::Timer retry_;
};

Reflector::Reflector(ApiClient& client, std::shared_ptr<ReflectorSink> sink, ReflectorOptions options, OnState on_state)
    : state_(std::make_shared<State>(client, std::move(sink), std::move(options), std::move(on_state))) {
  state_->List();
}

Reflector::~Reflector() {
  state_->Close();
}

}  // namespace spanloom::kube
