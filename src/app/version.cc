// SPDX-License-Identifier: Apache-2.0

#include "app/version.h"

#include "base/text.h"
#include "version_facts.h"

namespace spanloom::app {

const char* Version() {
  return SPANLOOM_VERSION;
}

const char* VersionDate() {
  return SPANLOOM_DATE;
}

std::string VersionText() {
  return StrCat("spanloom ", SPANLOOM_VERSION, "\ncommit    ", SPANLOOM_COMMIT, "\ncompiler  GCC ", __VERSION__,
                "\nlibraries ", SPANLOOM_LIBRARIES, "\n");
}

}  // namespace spanloom::app
