// SPDX-License-Identifier: Apache-2.0

#include "store/memory/snapshot.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "otlp/validate.h"
#include "otlp/wire/writer.h"
#include "store/atomic_file.h"
#include "store/crc32c.h"

namespace spanloom::store::memory {
namespace {

using otlp::wire::Writer;

constexpr std::string_view kMagic = "SPANLOOM";
constexpr size_t kHeaderBytes = 12;
constexpr size_t kFrameHeaderBytes = 8;
constexpr size_t kFrameCloseBytes = 16U << 20;  // a frame is closed when it exceeds this

// Field numbers of opentelemetry/proto/trace/v1/trace.proto.
constexpr uint32_t kRequestResourceSpans = 1;
constexpr uint32_t kResourceSpansResource = 1;
constexpr uint32_t kResourceSpansScopeSpans = 2;
constexpr uint32_t kScopeSpansScope = 1;
constexpr uint32_t kScopeSpansSpans = 2;
constexpr uint32_t kSchemaUrl = 3;  // of both

void AppendLittleEndian(uint64_t value, size_t size, std::string& out) {
  for (size_t i = 0; i < size; ++i) out += static_cast<char>(value >> (8 * i));
}

uint32_t LoadLittleEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = bytes.size(); i > 0; --i) value = (value << 8) | static_cast<uint8_t>(bytes[i - 1]);
  return value;
}

// Writes the frames of one trace after the other.
class FrameWriter {
 public:
  explicit FrameWriter(AtomicFile& file) : file_(file) {}

  Status WriteTrace(const head::TraceSpans& spans) {
    Status status;
    std::vector<const StoredSpan*> run;  // neighbours with one origin
    spans.ForEach([&](const StoredSpan& span) {
      if (!run.empty() && run.front()->origin != span.origin) AddRun(std::exchange(run, {}));
      run.push_back(&span);
      run_bytes_ += span.wire.size();
      if (payload_.size() + run_bytes_ > kFrameCloseBytes) {
        AddRun(std::exchange(run, {}));
        status = CloseFrame();
      }
      return status.ok();
    });
    RETURN_IF_ERROR(status);
    if (!run.empty()) AddRun(run);
    return payload_.empty() ? absl::OkStatus() : CloseFrame();
  }

  [[nodiscard]] const SnapshotStats& stats() const { return stats_; }

 private:
  void AddRun(const std::vector<const StoredSpan*>& run) {
    const SpanOrigin& origin = *run.front()->origin;
    Writer writer(payload_);
    const Writer::Mark resource_spans = writer.Begin(kRequestResourceSpans);
    if (!origin.resource.empty()) writer.Bytes(kResourceSpansResource, origin.resource.view());
    const Writer::Mark scope_spans = writer.Begin(kResourceSpansScopeSpans);
    if (!origin.scope.empty()) writer.Bytes(kScopeSpansScope, origin.scope.view());
    for (const StoredSpan* span : run) writer.Bytes(kScopeSpansSpans, span->wire.view());
    if (!origin.scope_schema_url.empty()) writer.Bytes(kSchemaUrl, origin.scope_schema_url);
    writer.End(scope_spans);
    if (!origin.resource_schema_url.empty()) writer.Bytes(kSchemaUrl, origin.resource_schema_url);
    writer.End(resource_spans);
    stats_.spans += run.size();
    run_bytes_ = 0;
  }

  Status CloseFrame() {
    std::string header;
    AppendLittleEndian(payload_.size(), 4, header);
    AppendLittleEndian(Crc32c(payload_, Crc32c(header)), 4, header);
    RETURN_IF_ERROR(file_.Append(header));
    RETURN_IF_ERROR(file_.Append(payload_));
    payload_.clear();
    ++stats_.frames;
    return absl::OkStatus();
  }

  AtomicFile& file_;
  std::string payload_;   // of the frame that is being built
  size_t run_bytes_ = 0;  // of the spans that are not in payload_ yet
  SnapshotStats stats_;
};

// Reads a snapshot from its beginning to its end.
class FrameReader {
 public:
  FrameReader(std::string path, std::ifstream file, MemoryStore& store)
      : path_(std::move(path)), file_(std::move(file)), store_(store) {}

  StatusOr<SnapshotStats> Read() {
    RETURN_IF_ERROR(ReadHeader());
    while (ReadFrame()) {
    }
    if (file_.bad()) return FileError("read", path_, EIO);
    if (stats_.frames_damaged > 0) RETURN_IF_ERROR(SetAside());
    return stats_;
  }

 private:
  Status ReadHeader() {
    file_.seekg(0, std::ios::end);
    rest_ = static_cast<uint64_t>(file_.tellg());
    file_.seekg(0);
    const std::string header = Take(kHeaderBytes);
    if (header.size() < kHeaderBytes || !header.starts_with(kMagic)) {
      return absl::DataLossError(
          StrCat(path_, " is not a snapshot of a memory store; move it away to start without it"));
    }
    const uint32_t version = LoadLittleEndian(std::string_view(header).substr(kMagic.size(), 2));
    if (version == 0 || version > kSnapshotVersion) {
      return absl::FailedPreconditionError(StrCat(path_, " has version ", version,
                                                  "; this program reads versions up to ", kSnapshotVersion,
                                                  ": start the newer one, or move the file away"));
    }
    return absl::OkStatus();
  }

  // The next bytes; fewer at the end of the file.
  std::string Take(size_t size) {
    std::string bytes(std::min<uint64_t>(size, rest_), '\0');
    file_.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<size_t>(file_.gcount()));
    offset_ += bytes.size();
    rest_ = bytes.empty() ? 0 : rest_ - bytes.size();
    return bytes;
  }

  // False at the end of the file, or where the rest can't be read.
  bool ReadFrame() {
    if (rest_ == 0) return false;
    const uint64_t frame_offset = offset_;
    const std::string header = Take(kFrameHeaderBytes);
    if (header.size() < kFrameHeaderBytes)
      return Damaged(frame_offset, "cut short; nothing behind it can be read"), false;
    const std::string_view length_bytes = std::string_view(header).substr(0, 4);
    const uint32_t length = LoadLittleEndian(length_bytes);
    if (length == 0 || length > kSnapshotFrameBytesMax || length > rest_) {
      return Damaged(frame_offset, "its length is wrong or it is cut short; nothing behind it can be read"), false;
    }
    std::string payload = Take(length);
    if (Crc32c(payload, Crc32c(length_bytes)) != LoadLittleEndian(std::string_view(header).substr(4))) {
      Damaged(frame_offset, "its checksum does not match");
    } else {
      Append(frame_offset, Bytes(std::move(payload)));
    }
    return true;
  }

  void Append(uint64_t frame_offset, Bytes payload) {
    const auto request = otlp::ValidateTraces(payload.view());
    if (!request.ok()) return Damaged(frame_offset, StdView(request.status().message()));
    ++stats_.frames;
    stats_.spans += request->spans;
    const Status added = store_.AddNow(otlp::Batch(otlp::Slice(std::move(payload), request->spans)));
    if (!added.ok()) Log(LogLevel::kWarn, "snapshot: spans not taken", {{"reason", StdView(added.message())}});
  }

  // Gives the file a second name, under which it stays when a new one takes the first.
  [[nodiscard]] Status SetAside() const {
    const std::string aside = path_ + ".damaged";
    unlink(aside.c_str());
    if (link(path_.c_str(), aside.c_str()) != 0) return FileError("set aside the damaged file as", aside, errno);
    Log(LogLevel::kError, "snapshot: the damaged file is kept for repair", {{"file", aside}});
    return absl::OkStatus();
  }

  void Damaged(uint64_t frame_offset, std::string_view reason) {
    ++stats_.frames_damaged;
    Log(LogLevel::kError, "snapshot: damaged frame left out",
        {{"file", path_}, {"offset", frame_offset}, {"reason", reason}});
  }

  const std::string path_;
  std::ifstream file_;
  MemoryStore& store_;
  uint64_t offset_ = 0;  // bytes read
  uint64_t rest_ = 0;    // bytes behind them
  SnapshotStats stats_;
};

}  // namespace

StatusOr<SnapshotStats> WriteSnapshot(const MemoryStore& store, const std::string& path) {
  ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  std::string header(kMagic);
  AppendLittleEndian(kSnapshotVersion, 2, header);
  AppendLittleEndian(0, 2, header);
  RETURN_IF_ERROR(file.Append(header));

  FrameWriter frames(file);
  Status status;
  store.ForEachTrace([&](const head::TraceSpans& spans) { status.Update(frames.WriteTrace(spans)); });
  RETURN_IF_ERROR(status);
  RETURN_IF_ERROR(std::move(file).Commit());
  return frames.stats();
}

StatusOr<SnapshotStats> ReadSnapshot(const std::string& path, MemoryStore& store) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return FileError("open", path, errno);
  return FrameReader(path, std::move(file), store).Read();
}

}  // namespace spanloom::store::memory
