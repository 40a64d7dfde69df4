// SPDX-License-Identifier: Apache-2.0
//
// What one batch was encoded to, shared by its copies: so that a batch which goes to several destinations is encoded
// once, and compressed once in each way.

#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/functional/function_ref.h>

#include <map>

#include "base/byte_chain.h"
#include "base/mutex.h"

namespace spanloom::otlp {

// Thread-safe.
class EncodedForms {
 public:
  // The form `key`, which `make` makes for the first who asks; the others wait for it. `make` must not ask for a form.
  // What the keys mean is the caller's.
  ByteChain Get(int key, absl::FunctionRef<ByteChain()> make) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    const auto [form, is_new] = forms_.try_emplace(key);
    if (is_new) form->second = make();
    return form->second;
  }

 private:
  Mutex mutex_;
  std::map<int, ByteChain> forms_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace spanloom::otlp
