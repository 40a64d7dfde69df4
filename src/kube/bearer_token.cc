// SPDX-License-Identifier: Apache-2.0

#include "kube/bearer_token.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>

#include <utility>

#include "base/read_file.h"
#include "base/text.h"

namespace spanloom::kube {
namespace {

constexpr size_t kTokenFileBytesMax = 1 << 20;  // guess: a service account's token has some 1,000

StatusOr<std::string> ReadHeader(const std::string& file_name) {
  const StatusOr<std::string> text = ReadFile(file_name, kTokenFileBytesMax);
  if (text.ok()) return StrCat("Bearer ", StdView(absl::StripAsciiWhitespace(*text)));
  return absl::UnavailableError(
      StrCat("can't read the token file ", file_name, ": ", StdView(text.status().message())));
}

std::string FixedHeader(const ClusterAccess& access) {
  if (!access.token.empty()) return StrCat("Bearer ", access.token);
  if (!access.basic_auth.empty()) return StrCat("Basic ", absl::Base64Escape(access.basic_auth));
  return "";
}

}  // namespace

struct BearerToken::State {
  std::string file_name;  // "": the header is fixed
  std::string header;
  bool is_fresh = false;
  int64_t read_ns = 0;  // steady time
};

BearerToken::BearerToken(net::LoopPool& loops, net::Loop& loop, const Clock& clock, const ClusterAccess& access)
    : loops_(loops),
      loop_(loop),
      clock_(clock),
      state_(std::make_shared<State>(State{.file_name = access.token_file, .header = FixedHeader(access)})) {}

void BearerToken::Get(absl::AnyInvocable<void(StatusOr<std::string>)> done) {
  const int64_t age_ns = clock_.SteadyNs() - state_->read_ns;
  const bool is_known = state_->is_fresh && age_ns < std::chrono::nanoseconds(kFreshness).count();
  if (state_->file_name.empty() || is_known) return done(state_->header);
  using Done = absl::AnyInvocable<void(StatusOr<std::string>)>;
  // The worker is given what it needs: the state is the loop's.
  const auto read = [&loop = loop_, &clock = clock_, state = state_, file_name = state_->file_name,
                     done = std::make_shared<Done>(std::move(done))] {
    loop.Post([&clock, header = ReadHeader(file_name), state, done]() mutable {
      if (header.ok()) {
        state->header = *header;
        state->is_fresh = true;
        state->read_ns = clock.SteadyNs();
      }
      if (!header.ok() && !state->header.empty()) header = state->header;
      (*done)(std::move(header));
    });
  };
  if (!loops_.workers().Submit(read)) read();
}

void BearerToken::Forget() {
  state_->is_fresh = false;
}

}  // namespace spanloom::kube
