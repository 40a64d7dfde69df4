// SPDX-License-Identifier: Apache-2.0
//
// TLS options at work: makes sessions, and follows the files that the options name.

#pragma once

#include <absl/base/thread_annotations.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "base/status.h"
#include "net/detail/tls_context.h"
#include "net/detail/tls_session.h"
#include "net/tls.h"

namespace spanloom::net {

// Thread-safe. If files are to be followed, a thread of its own looks at them, since a loop must not wait for a disk.
class TlsCredentials {
 public:
  // `name` is for the log: the server's name, or the endpoint of a client. Reads files, which blocks. kInvalidArgument
  // as ValidateTls and tls_context.h.
  static StatusOr<std::unique_ptr<TlsCredentials>> ForServer(TlsServerOptions options, std::string name);
  static StatusOr<std::unique_ptr<TlsCredentials>> ForClient(TlsClientOptions options, ClientProtocol protocol,
                                                             std::string name);
  ~TlsCredentials();
  TlsCredentials(const TlsCredentials&) = delete;
  TlsCredentials& operator=(const TlsCredentials&) = delete;

  // The server's end of a new connection.
  [[nodiscard]] std::unique_ptr<TlsSession> NewServerSession();

  // The client's end of a new connection to `host`, a name or an address, whose certificate must be for it, unless the
  // options name another.
  [[nodiscard]] std::unique_ptr<TlsSession> NewClientSession(const std::string& host);

  // Looks at the files once. True if they were different and new sessions use them. What can't be used is logged, once
  // for each reason, and changes nothing. Blocks.
  bool Reload();

 private:
  struct Source {
    std::function<StatusOr<TlsMaterial>()> read;
    std::function<StatusOr<SslContextPtr>(const TlsMaterial&)> make;
  };
  TlsCredentials(Source source, std::string name);
  Status Load();
  void StartWatching(std::chrono::nanoseconds interval);
  void Watch(std::chrono::nanoseconds interval);
  SslPtr NewSsl() ABSL_LOCKS_EXCLUDED(mutex_);
  void LogOnce(const Status& problem);

  const Source source_;
  const std::string name_;
  bool verifies_server_ = false;
  std::string server_name_override_;

  Mutex mutex_;
  SslContextPtr context_ ABSL_GUARDED_BY(mutex_);

  // Of whoever reloads: the thread, or a test without one.
  std::string fingerprint_;   // of what context_ was made of
  std::string last_problem_;  // that was logged; "" since the files were well

  Notification is_ending_;
  std::thread watcher_;
};

}  // namespace spanloom::net
