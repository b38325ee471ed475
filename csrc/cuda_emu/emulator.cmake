# `emulation` builds the Python module `emulator` and, for every csrc/**/*.cu, a plugin that it loads
# on first use: <module folder>/kernels/<concept>_<stem>.so. Kernels are found by their
# PYRAD_KERNEL(name), so the name must stand there literally (no token pasting, no macro parameter).

set(module_folder ${CMAKE_BINARY_DIR}/module)

set(runner_sources csrc/cuda_emu/scheduler.cpp csrc/cuda_emu/fiber.cpp csrc/base/pool.cpp)
set_source_files_properties(${runner_sources} PROPERTIES COMPILE_OPTIONS "${sanitize_options}")
pybind11_add_module(emulator MODULE NO_EXTRAS EXCLUDE_FROM_ALL csrc/cuda_emu/module.cpp
                    ${runner_sources})
target_include_directories(emulator PRIVATE csrc)
target_compile_definitions(emulator PRIVATE PYRAD_EMULATE)
target_link_libraries(emulator PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
set_target_properties(emulator PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${module_folder})
# Not the module itself depends on the plugins: its objects, long to compile, would wait for them.
add_custom_target(emulation)
add_dependencies(emulation emulator)

# `root` is the include folder against which a kernel's source is named in launch().
function(pyrad_emulate root cuda_path)
  file(RELATIVE_PATH cuda_file ${root} ${cuda_path})
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${cuda_path})
  file(READ ${cuda_path} text)
  string(REGEX MATCHALL "\n[ \t]*PYRAD_KERNEL\\([A-Za-z0-9_]+\\)" declarations "\n${text}")
  set(kernel_lines "")
  foreach(declaration IN LISTS declarations)
    string(REGEX REPLACE ".*\\((.*)\\)" "\\1" name "${declaration}")
    string(APPEND kernel_lines "    emu::Description<&${name}>::kernel(\"${name}\"),\n")
  endforeach()
  string(REGEX REPLACE "[.]cu$" "" target "${cuda_file}")
  string(REGEX REPLACE "[/.]" "_" target "${target}")
  configure_file(${CMAKE_SOURCE_DIR}/csrc/cuda_emu/plugin.cpp.in
                 ${CMAKE_BINARY_DIR}/plugins/${target}.cpp @ONLY)
  add_library(emulated_${target} MODULE EXCLUDE_FROM_ALL
              ${CMAKE_BINARY_DIR}/plugins/${target}.cpp)
  target_include_directories(emulated_${target} PRIVATE ${CMAKE_SOURCE_DIR}/csrc ${root})
  target_compile_definitions(emulated_${target} PRIVATE PYRAD_EMULATE)
  target_compile_options(emulated_${target} PRIVATE -UNDEBUG -Wno-unknown-pragmas
                                                    -Wno-sign-compare -Wno-unused-function)
  if(PYRAD_SANITIZE)
    target_compile_options(emulated_${target} PRIVATE ${sanitize_options})
  else()
    target_compile_options(emulated_${target} PRIVATE -O2)
  endif()
  set_target_properties(emulated_${target} PROPERTIES PREFIX "" OUTPUT_NAME ${target}
                        LIBRARY_OUTPUT_DIRECTORY ${module_folder}/kernels)
  add_dependencies(emulation emulated_${target})
endfunction()

file(GLOB_RECURSE cuda_paths CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/csrc/*.cu)
foreach(cuda_path IN LISTS cuda_paths)
  pyrad_emulate(${CMAKE_SOURCE_DIR}/csrc ${cuda_path})
endforeach()
file(GLOB_RECURSE cuda_paths CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*.cu)
foreach(cuda_path IN LISTS cuda_paths)
  pyrad_emulate(${CMAKE_SOURCE_DIR} ${cuda_path})
endforeach()
