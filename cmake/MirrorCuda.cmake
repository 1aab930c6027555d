# The CUDA toolkit, if there is one. MIRROR_CUDA=AUTO goes on without it and says so; ON insists.

set(MIRROR_CUDA_FOUND OFF)
if(NOT MIRROR_CUDA STREQUAL "OFF")
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    enable_language(CUDA)
    find_package(CUDAToolkit REQUIRED)
    set(MIRROR_CUDA_FOUND ON)
    add_library(torch_cuda INTERFACE)
    target_include_directories(torch_cuda SYSTEM INTERFACE ${CUDAToolkit_INCLUDE_DIRS})
    target_link_libraries(torch_cuda INTERFACE torch_cpu
      -Wl,--push-state,--no-as-needed
      "${mirror_torch_dir}/lib/libtorch_cuda.so" "${mirror_torch_dir}/lib/libc10_cuda.so" -Wl,--pop-state)
  elseif(MIRROR_CUDA STREQUAL "ON")
    message(FATAL_ERROR "MIRROR_CUDA=ON, but no nvcc was found; set CMAKE_CUDA_COMPILER or PATH")
  else()
    message(STATUS "No nvcc here: the CUDA plug-in is left out (MIRROR_CUDA=OFF), the CPU engine is complete")
  endif()
endif()
