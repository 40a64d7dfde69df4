// SPDX-License-Identifier: Apache-2.0

#include "sdk/console_sender.h"

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "otlp/batch.h"
#include "otlp/json/write.h"
#include "otlp/request.h"

namespace spanloom::sdk {
namespace {

Status WriteLine(otlp::Signal signal, const Bytes& request) {
  ASSIGN_OR_RETURN(otlp::Slice slice, otlp::ReadRequest(signal, request));
  std::string line;
  otlp::WriteJson(otlp::Batch(std::move(slice)), line);
  line += '\n';
  const bool is_written = std::fwrite(line.data(), 1, line.size(), stdout) == line.size() && std::fflush(stdout) == 0;
  return is_written ? absl::OkStatus() : absl::UnavailableError("standard output can't be written to");
}

}  // namespace

void ConsoleSender::Send(const Bytes& request, SendDone done) const {
  // Shared so that it is still there if there is no worker.
  auto shared_done = std::make_shared<SendDone>(std::move(done));
  const bool is_taken = loops_.workers().Submit([signal = signal_, request, shared_done] {
    const Status status = WriteLine(signal, request);
    std::move (*shared_done)(status.ok() ? StatusOr<size_t>(0) : StatusOr<size_t>(status));
  });
  if (!is_taken) std::move (*shared_done)(absl::UnavailableError("the workers are busy"));
}

}  // namespace spanloom::sdk
