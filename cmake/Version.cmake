# SPDX-License-Identifier: Apache-2.0
#
# Run at build time: writes the header that `spanloom --version` prints from, only when its content changes.
#   cmake -D SOURCE=... -D OUTPUT=... -D VERSION=... -D LIBRARIES=... -P Version.cmake

execute_process(COMMAND git describe --always --dirty --abbrev=12 WORKING_DIRECTORY ${SOURCE}
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
execute_process(COMMAND git log -1 --format=%cs WORKING_DIRECTORY ${SOURCE}
                OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT commit)
  set(commit "unknown")
endif()
set(text "// SPDX-License-Identifier: Apache-2.0\n// Written by cmake/Version.cmake.\n#pragma once\n
#define SPANLOOM_VERSION \"${VERSION}\"\n#define SPANLOOM_COMMIT \"${commit}\"\n#define SPANLOOM_DATE \"${date}\"\n#define SPANLOOM_LIBRARIES \"${LIBRARIES}\"\n")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT "${old}" STREQUAL "${text}")
  file(WRITE ${OUTPUT} "${text}")
endif()
