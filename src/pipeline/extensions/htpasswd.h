// SPDX-License-Identifier: Apache-2.0
//
// The users of an htpasswd file: "USER:HASH" a line.

#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/status.h"
#include "pipeline/extensions/password_hash.h"

namespace spanloom::pipeline {

// Immutable once it is filled.
class Htpasswd {
 public:
  // Adds the users of `text`; one that is there already has its new password. Empty lines and those that begin with "#"
  // are skipped. kInvalidArgument names the line, not what stands in it.
  Status Add(std::string_view text);

  // The password of `user`; null if there is no such user.
  [[nodiscard]] const PasswordHash* Find(std::string_view user) const;

  // Some password, for who asks for a user that is not there: to take as long. Null if there are no users.
  [[nodiscard]] const PasswordHash* AnyHash() const;

 private:
  std::map<std::string, PasswordHash, std::less<>> users_;
};

}  // namespace spanloom::pipeline
