# How targets are made: warnings, language level, one helper for libraries and one for tests.

add_library(mirror_flags INTERFACE)
target_compile_features(mirror_flags INTERFACE cxx_std_20)
target_include_directories(mirror_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(mirror_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wnon-virtual-dtor;-Woverloaded-virtual;-Wno-psabi>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${MIRROR_WERROR}>>:-Werror>)
target_compile_definitions(mirror_flags INTERFACE QT_NO_KEYWORDS QT_NO_CAST_TO_ASCII)

find_program(MIRROR_MOLD mold)
if(MIRROR_MOLD)
  target_link_options(mirror_flags INTERFACE -fuse-ld=mold)
endif()

# mirror_library(NAME SOURCES a.cpp ... [PUBLIC targets...] [PRIVATE targets...])
function(mirror_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "mirror_library(${name}): say SOURCES, PUBLIC or PRIVATE before '${ARG_UNPARSED_ARGUMENTS}'")
  endif()
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC mirror_flags ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
endfunction()

# A sanitizer slows libraries in headers (dlib's search) by ten; a test's time limit is there to end a hang.
set(MIRROR_TEST_SECONDS 600)
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  set(MIRROR_TEST_SECONDS 3000)
endif()

# mirror_test(NAME LABELS l... SOURCES a.cpp ... LINK targets...): one GoogleTest program, one ctest entry a test.
function(mirror_test name)
  cmake_parse_arguments(ARG "" "" "LABELS;SOURCES;LINK" ${ARGN})
  if(NOT MIRROR_BUILD_TESTS)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE mirror_flags ${ARG_LINK} mirror_gtest_main)
  target_compile_definitions(${name} PRIVATE MIRROR_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${MIRROR_TEST_SECONDS})
endfunction()
