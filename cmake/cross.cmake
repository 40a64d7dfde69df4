# SPDX-License-Identifier: Apache-2.0
#
# A toolchain file: Debian's cross compiler, with headers and libraries of a Debian root of the other architecture.
#   cmake -DCMAKE_TOOLCHAIN_FILE=cmake/cross.cmake -DSPANLOOM_TRIPLET=aarch64-linux-gnu -DCMAKE_SYSROOT=ROOT
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES SPANLOOM_TRIPLET CMAKE_SYSROOT)
string(REGEX MATCH "^[^-]+" CMAKE_SYSTEM_PROCESSOR "${SPANLOOM_TRIPLET}")
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER ${SPANLOOM_TRIPLET}-gcc)
set(CMAKE_CXX_COMPILER ${SPANLOOM_TRIPLET}-g++)
# Where the cross compiler finds mold, which links for every architecture.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-fuse-ld=mold -B/usr/bin")
set(CMAKE_LIBRARY_ARCHITECTURE ${SPANLOOM_TRIPLET})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
