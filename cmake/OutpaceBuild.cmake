# Build rules shared by every folder: one library a folder, warnings as errors, ccache, sanitizers.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(OUTPACE_CCACHE ccache)
if(OUTPACE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${OUTPACE_CCACHE})
endif()

set(OUTPACE_SANITIZE "" CACHE STRING "Sanitizers to build with, as for -fsanitize=")
option(OUTPACE_FUZZ "Build the libFuzzer targets (needs clang)" OFF)

add_library(outpace_options INTERFACE)
target_include_directories(outpace_options INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_options(outpace_options INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Werror -fstack-protector-strong)
target_compile_definitions(outpace_options INTERFACE _GLIBCXX_ASSERTIONS
  OUTPACE_VERSION="${PROJECT_VERSION}")
target_link_options(outpace_options INTERFACE -Wl,-z,relro,-z,now)
if(OUTPACE_FUZZ)
  # clang warns about other things than the compiler the tree is developed with; what it finds there
  # is for people, and must not keep the fuzzers from being built.
  target_compile_options(outpace_options INTERFACE -Wno-error)
endif()
if(OUTPACE_SANITIZE)
  target_compile_options(outpace_options INTERFACE
    -fsanitize=${OUTPACE_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(outpace_options INTERFACE -fsanitize=${OUTPACE_SANITIZE})
  if(OUTPACE_SANITIZE MATCHES thread)
    # TSan does not understand fences; Asio then uses stronger atomics instead.
    target_compile_definitions(outpace_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
  if(OUTPACE_FUZZ)
    target_compile_options(outpace_options INTERFACE -fsanitize=fuzzer-no-link)
  endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(outpace_options INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()

# outpace_library(name [GLOB pattern...] [DEPS targets...] [PRIVATE_DEPS targets...])
# One folder, one target. Every .cc of the folder belongs to it unless SOURCES names them.
function(outpace_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB ARG_SOURCES CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cc")
  endif()
  if(ARG_SOURCES)
    add_library(${name} STATIC ${ARG_SOURCES})
    target_link_libraries(${name} PUBLIC outpace_options ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE outpace_options ${ARG_DEPS} ${ARG_PRIVATE_DEPS})
  endif()
endfunction()

# outpace_test(name [SOURCES ...] [DEPS targets...] [LABEL l] [TIMEOUT s])
# One GoogleTest program a folder; ctest runs each test case by itself and in parallel.
function(outpace_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;DEPS;PROPERTIES" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB ARG_SOURCES CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*_test.cc")
  endif()
  if(NOT ARG_SOURCES)
    return()
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE outpace_options ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE
    OUTPACE_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data"
    OUTPACE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABEL}" ${ARG_PROPERTIES})
endfunction()
