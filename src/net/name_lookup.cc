// SPDX-License-Identifier: Apache-2.0

#include "net/name_lookup.h"

#include <memory>
#include <set>
#include <utility>

#include "base/text.h"
#include "net/detail/asio.h"

namespace spanloom::net {
namespace {

StatusOr<std::vector<std::string>> AddressesOf(const std::string& host, error_code error,
                                               const tcp::resolver::results_type& found) {
  std::set<std::string> addresses;
  for (const auto& entry : found) addresses.insert(entry.endpoint().address().to_string());
  if (!error && addresses.empty()) error = asio::error::host_not_found;
  if (error) return absl::UnavailableError(StrCat("can't resolve ", host, ": ", error.message()));
  return std::vector<std::string>(addresses.begin(), addresses.end());
}

}  // namespace

void LookUpName(Loop& loop, std::string host, LookedUp done) {
  loop.Post([&loop, host = std::move(host), done = std::move(done)]() mutable {
    const auto resolver = std::make_shared<tcp::resolver>(Context(loop));  // shared with its own callback
    const std::string name = host;
    resolver->async_resolve(name, "",
                            [resolver, host = std::move(host), done = std::move(done)](
                                error_code error, const tcp::resolver::results_type& found) mutable {
                              std::move(done)(AddressesOf(host, error, found));
                            });
  });
}

}  // namespace spanloom::net
