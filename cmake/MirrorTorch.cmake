# libtorch as imported targets. find_package(Torch) is avoided: it searches for a CUDA toolkit and adds flags of its own.

set(MIRROR_TORCH_ROOT "" CACHE PATH "A libtorch folder (with include/ and lib/); empty: the per-user cache that ./dev fills")
if(MIRROR_TORCH_ROOT)
  set(mirror_torch_dir "${MIRROR_TORCH_ROOT}")
else()
  if(DEFINED ENV{XDG_CACHE_HOME})
    set(mirror_cache "$ENV{XDG_CACHE_HOME}")
  else()
    set(mirror_cache "$ENV{HOME}/.cache")
  endif()
  set(mirror_torch_dir "${mirror_cache}/magic-mirror/libtorch-2.11.0/torch")
endif()
if(NOT EXISTS "${mirror_torch_dir}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "libtorch is not at ${mirror_torch_dir}; run ./dev deps, or give -DMIRROR_TORCH_ROOT=FOLDER")
endif()

# The folder's include/ also holds a newer fmt that shadows the system's and breaks spdlog: only the four torch trees are visible.
set(mirror_torch_include "${PROJECT_BINARY_DIR}/torch-include")
file(MAKE_DIRECTORY "${mirror_torch_include}")
foreach(tree ATen c10 torch caffe2)
  file(CREATE_LINK "${mirror_torch_dir}/include/${tree}" "${mirror_torch_include}/${tree}" SYMBOLIC)
endforeach()

add_library(torch_cpu INTERFACE)
target_include_directories(torch_cpu SYSTEM INTERFACE
  "${mirror_torch_include}" "${mirror_torch_include}/torch/csrc/api/include")
target_link_options(torch_cpu INTERFACE
  -Wl,-rpath,${mirror_torch_dir}/lib -Wl,--allow-shlib-undefined)
target_link_libraries(torch_cpu INTERFACE
  -Wl,--push-state,--no-as-needed "${mirror_torch_dir}/lib/libtorch_cpu.so" "${mirror_torch_dir}/lib/libc10.so" -Wl,--pop-state)

# The OpenMP runtime in libtorch's folder, for the engine's own parallel loops. Compiled in only where g++ writes for it (GNU's).
file(GLOB mirror_torch_openmp "${mirror_torch_dir}/lib/libgomp*.so*")
if(mirror_torch_openmp AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(GET mirror_torch_openmp 0 mirror_torch_openmp)
  add_library(torch_openmp INTERFACE)
  target_link_libraries(torch_openmp INTERFACE "${mirror_torch_openmp}")
else()
  message(STATUS "No GNU OpenMP runtime in ${mirror_torch_dir}/lib: the engine's own kernels run on one thread")
endif()

# The library whose precompiled ATen header every engine library reuses.
function(mirror_engine_library name)
  mirror_library(${name} ${ARGN})
  target_link_libraries(${name} PUBLIC torch_cpu)
  if(NOT name STREQUAL "mirror_weights")
    target_precompile_headers(${name} REUSE_FROM mirror_weights)
  endif()
endfunction()
