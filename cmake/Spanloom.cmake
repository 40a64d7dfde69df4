# SPDX-License-Identifier: Apache-2.0
#
# Compiler settings of every preset, and the one way to declare a folder: spanloom_library().

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
set(CMAKE_LINK_DEPENDS_NO_SHARED ON)

add_compile_options(-Wall -Wextra -Werror -fno-omit-frame-pointer -g1)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false positives of these inside the standard library and Abseil at -O2.
  add_compile_options(-Wno-array-bounds -Wno-maybe-uninitialized -Wno-stringop-overread)
endif()
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_compile_options(-fsigned-char)  # as on x86: bytes above 0x7f are negative everywhere
endif()
add_link_options(-fuse-ld=mold -Wl,--gc-sections)
add_compile_options(-ffunction-sections -fdata-sections)

if(SPANLOOM_ASSERTIONS)
  add_compile_definitions(SPANLOOM_ASSERTIONS=1)
else()
  add_compile_definitions(NDEBUG)
endif()
if(SPANLOOM_SANITIZE)
  add_compile_options(-fsanitize=${SPANLOOM_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SPANLOOM_SANITIZE})
endif()
if(SPANLOOM_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_compile_definitions(FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION)
endif()

# Headers of others that most sources include, compiled once for all libraries and once for all tests: half of a source's
# time goes into reading headers. None of ours, which would be stale whenever it is edited. clang-tidy (./dev check) sees
# each source without them, so that what a source forgets to include is found there.
set(SPANLOOM_COMMON_HEADERS <algorithm> <array> <atomic> <chrono> <functional> <map> <memory> <optional> <span> <string> <string_view>
    <unordered_map> <utility> <variant> <vector> <absl/algorithm/container.h> <absl/container/flat_hash_map.h> <absl/container/flat_hash_set.h>
    <absl/functional/any_invocable.h> <absl/functional/function_ref.h> <absl/status/statusor.h> <absl/strings/ascii.h>
    <absl/strings/numbers.h> <absl/strings/str_cat.h> <absl/strings/str_format.h> <absl/strings/str_join.h> <absl/strings/str_split.h>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-fpch-preprocess)  # without it ccache can't keep what was compiled with a precompiled header
else()
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")  # the same
endif()

# A test's own code is compiled with less effort than what it tests: at -O2 it takes 40 % longer, for nothing.
set(SPANLOOM_TEST_OPTIONS -O1)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Of tests that count allocations by operators of their own, GCC 12 says these at -O1, and is wrong.
  list(APPEND SPANLOOM_TEST_OPTIONS -Wno-mismatched-new-delete -Wno-stringop-overflow)
endif()

# Declares the target that others reuse; more headers may follow its name.
function(spanloom_precompiled name)
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/${name}.cc CONTENT "")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cc)
  target_link_libraries(${name} PRIVATE absl::statusor absl::str_format absl::any_invocable absl::flat_hash_map)
  target_precompile_headers(${name} PRIVATE ${SPANLOOM_COMMON_HEADERS} ${ARGN})
endfunction()

# Declares the library of the current folder, and its test binary.
#   spanloom_library(NAME SOURCES a.cc b.cc [PUBLIC targets] [PRIVATE targets] [TESTS a_test.cc] [TEST_LINK targets] [FUZZ a_fuzz.cc]
#                    [BENCH a_bench.cc] [BENCH_LINK targets] [OWN_PRECOMPILED])
# NAME is the folder below src/ with "/" as "_": src/store/memory is store_memory, its tests are store_memory_test.
# OWN_PRECOMPILED: the folder calls target_precompile_headers itself.
# A folder without sources (headers only) is an interface library.
function(spanloom_library name)
  cmake_parse_arguments(ARG "OWN_PRECOMPILED" "" "SOURCES;PUBLIC;PRIVATE;TESTS;TEST_LINK;FUZZ;BENCH;BENCH_LINK" ${ARGN})
  if(ARG_SOURCES)
    add_library(${name} STATIC ${ARG_SOURCES})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
    if(NOT ARG_OWN_PRECOMPILED)
      target_precompile_headers(${name} REUSE_FROM precompiled)
    endif()
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(${name} INTERFACE ${ARG_PUBLIC})
  endif()

  if(SPANLOOM_TESTS AND ARG_TESTS)
    add_executable(${name}_test ${ARG_TESTS})
    target_link_libraries(${name}_test PRIVATE ${name} ${ARG_PRIVATE} ${ARG_TEST_LINK} base_testing GTest::gmock GTest::gtest_main)
    target_compile_options(${name}_test PRIVATE ${SPANLOOM_TEST_OPTIONS})
    target_precompile_headers(${name}_test REUSE_FROM precompiled_for_tests)
    add_test(NAME ${name} COMMAND ${name}_test)
  endif()

  if(SPANLOOM_BENCH)
    foreach(source ${ARG_BENCH})
      get_filename_component(target ${source} NAME_WE)
      add_executable(${target} ${source})
      target_link_libraries(${target} PRIVATE ${name} ${ARG_PRIVATE} ${ARG_BENCH_LINK} base_testing benchmark::benchmark)
    endforeach()
  endif()

  if(SPANLOOM_FUZZ)
    foreach(source ${ARG_FUZZ})
      get_filename_component(target ${source} NAME_WE)
      add_executable(${target} ${source})
      target_link_libraries(${target} PRIVATE ${name} ${ARG_PRIVATE})
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()
endfunction()
