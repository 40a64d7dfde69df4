# SPDX-License-Identifier: Apache-2.0
#
# Every C++ library from outside, each under one target name. Archives are preferred to shared objects where Debian ships
# them: idle memory and start-up are features. tools/layers.toml says which folder may use which.

find_package(Threads REQUIRED)
find_package(absl REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)

# Boost.Asio and Boost.Beast are headers only (Boost.System too, since 1.69). 1.81 is asked for by name: Debian's default is 1.74.
find_path(SPANLOOM_BOOST_INCLUDE boost/asio.hpp REQUIRED)
add_library(spanloom_boost INTERFACE)
target_include_directories(spanloom_boost SYSTEM INTERFACE ${SPANLOOM_BOOST_INCLUDE})
# Frames of coroutines are not recycled by Asio: a small one that is kept long, as of a stream that waits, would keep the
# block of a large one. Measured: 16.7 KiB an idle stream of the routing proxy with it, 15.0 without.
target_compile_definitions(spanloom_boost INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_VISIBILITY BOOST_ERROR_CODE_HEADER_ONLY
                           BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING)

function(spanloom_external target)
  cmake_parse_arguments(ARG "" "HEADER" "NAMES" ${ARGN})
  string(TOUPPER ${target} upper)
  find_path(${upper}_INCLUDE ${ARG_HEADER} REQUIRED)
  find_library(${upper}_LIBRARY NAMES ${ARG_NAMES} REQUIRED)
  mark_as_advanced(${upper}_INCLUDE ${upper}_LIBRARY)
  add_library(${target} INTERFACE)
  target_include_directories(${target} SYSTEM INTERFACE ${${upper}_INCLUDE})
  target_link_libraries(${target} INTERFACE ${${upper}_LIBRARY})
endfunction()

spanloom_external(spanloom_nghttp2 HEADER nghttp2/nghttp2.h NAMES libnghttp2.a nghttp2)
spanloom_external(spanloom_ssl HEADER openssl/ssl.h NAMES libssl.a ssl)
spanloom_external(spanloom_crypto HEADER openssl/crypto.h NAMES libcrypto.a crypto)
add_library(spanloom_openssl INTERFACE)
target_link_libraries(spanloom_openssl INTERFACE spanloom_ssl spanloom_crypto Threads::Threads ${CMAKE_DL_LIBS})
spanloom_external(spanloom_deflate HEADER libdeflate.h NAMES libdeflate.a deflate)
spanloom_external(spanloom_isal HEADER isa-l/igzip_lib.h NAMES libisal.a isal)
# The system's, shared: what programs that check passwords use, and every Debian has.
spanloom_external(spanloom_crypt HEADER crypt.h NAMES libcrypt.so crypt)
spanloom_external(spanloom_re2 HEADER re2/re2.h NAMES libre2.a re2)
spanloom_external(spanloom_xxhash HEADER xxhash.h NAMES libxxhash.a xxhash)
spanloom_external(spanloom_zstd HEADER zstd.h NAMES libzstd.a zstd)
spanloom_external(spanloom_snappy HEADER snappy.h NAMES libsnappy.a snappy)
spanloom_external(spanloom_lz4 HEADER lz4frame.h NAMES liblz4.a lz4)
spanloom_external(spanloom_simdjson HEADER simdjson.h NAMES libsimdjson.a simdjson)
spanloom_external(spanloom_sqlite HEADER sqlite3.h NAMES libsqlite3.a sqlite3)
target_link_libraries(spanloom_sqlite INTERFACE m Threads::Threads ${CMAKE_DL_LIBS})

if(SPANLOOM_BENCH)
  find_package(benchmark REQUIRED)
endif()
if(SPANLOOM_TESTS)
  find_package(GTest REQUIRED)
  find_package(Protobuf REQUIRED)  # otlp is held against it; nothing that ships links it
endif()

# Versions for `spanloom --version`, as "name version, name version".
function(spanloom_header_version result header pattern)
  file(STRINGS ${header} line REGEX "${pattern}")
  string(REGEX REPLACE ".*\"([0-9A-Za-z._]+)\".*" "\\1" version "${line}")
  set(${result} ${version} PARENT_SCOPE)
endfunction()

spanloom_header_version(boost_version ${SPANLOOM_BOOST_INCLUDE}/boost/version.hpp "^#define BOOST_LIB_VERSION")
string(REPLACE "_" "." boost_version ${boost_version})
file(GLOB nghttp2_header /usr/include/nghttp2/nghttp2ver.h /usr/include/*/nghttp2/nghttp2ver.h)
spanloom_header_version(nghttp2_version ${nghttp2_header} "^#define NGHTTP2_VERSION ")
spanloom_header_version(deflate_version ${SPANLOOM_DEFLATE_INCLUDE}/libdeflate.h "define LIBDEFLATE_VERSION_STRING")
file(STRINGS ${SPANLOOM_SIMDJSON_INCLUDE}/simdjson.h simdjson_version REGEX "^#define SIMDJSON_VERSION ")
string(REGEX REPLACE "[^0-9.]*([0-9.]+).*" "\\1" simdjson_version "${simdjson_version}")
spanloom_header_version(sqlite_version ${SPANLOOM_SQLITE_INCLUDE}/sqlite3.h "^#define SQLITE_VERSION ")
file(STRINGS ${SPANLOOM_ZSTD_INCLUDE}/zstd.h zstd_version REGEX "^#define ZSTD_VERSION_(MAJOR|MINOR|RELEASE) +[0-9]+$")
string(REGEX REPLACE "[^;0-9]+([0-9]+)[^;]*" "\\1" zstd_version "${zstd_version}")
list(JOIN zstd_version . zstd_version)
file(STRINGS ${SPANLOOM_LZ4_INCLUDE}/lz4.h lz4_version REGEX "^#define LZ4_VERSION_(MAJOR|MINOR|RELEASE) +[0-9]+")
string(REGEX REPLACE "[^;0-9]*4_VERSION[^;0-9]+([0-9]+)[^;]*" "\\1" lz4_version "${lz4_version}")
list(JOIN lz4_version . lz4_version)
file(STRINGS ${SPANLOOM_SNAPPY_INCLUDE}/snappy-stubs-public.h snappy_version REGEX "^#define SNAPPY_(MAJOR|MINOR|PATCHLEVEL) +[0-9]+$")
string(REGEX REPLACE "[^;0-9]+([0-9]+)[^;]*" "\\1" snappy_version "${snappy_version}")
list(JOIN snappy_version . snappy_version)
file(STRINGS ${SPANLOOM_XXHASH_INCLUDE}/xxhash.h xxhash_version REGEX "^#define XXH_VERSION_(MAJOR|MINOR|RELEASE) +[0-9]+$")
string(REGEX REPLACE "[^;0-9]+([0-9]+)[^;]*" "\\1" xxhash_version "${xxhash_version}")
list(JOIN xxhash_version . xxhash_version)
set(SPANLOOM_LIBRARIES "Abseil ${absl_VERSION}, Boost ${boost_version}, nghttp2 ${nghttp2_version}, libdeflate ${deflate_version}, simdjson ${simdjson_version}, SQLite ${sqlite_version}, xxHash ${xxhash_version}, zstd ${zstd_version}, Snappy ${snappy_version}, LZ4 ${lz4_version}, yaml-cpp ${yaml-cpp_VERSION}, spdlog ${spdlog_VERSION}, fmt ${fmt_VERSION}, CLI11 ${CLI11_VERSION}")
