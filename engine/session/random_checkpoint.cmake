# mirror_random_checkpoint: what `magic-mirror models init` writes.

# The presets become part of the program: one raw string a file.
set(mirror_preset_rows "")
foreach(preset cogvideox-5b demo pocket tiny)
  set(file "${PROJECT_SOURCE_DIR}/presets/models/${preset}.json")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  file(READ "${file}" text)
  string(APPEND mirror_preset_rows "        {\"${preset}\", R\"preset(${text})preset\"},\n")
endforeach()
file(CONFIGURE OUTPUT checkpoint_preset_texts.cpp
  CONTENT [[// Made from presets/models by CMake.
#include "engine/session/checkpoint_preset.h"

namespace mirror::engine {

const std::vector<PresetText>& preset_texts() {
    static const std::vector<PresetText> texts = {
@mirror_preset_rows@    };
    return texts;
}

}  // namespace mirror::engine
]] @ONLY)

mirror_engine_library(mirror_random_checkpoint
  SOURCES
    checkpoint_preset.cpp
    random_checkpoint.cpp
    random_tensor_file.cpp
    random_values.cpp
    "${CMAKE_CURRENT_BINARY_DIR}/checkpoint_preset_texts.cpp"
  PUBLIC mirror_core
  PRIVATE mirror_weights mirror_text mirror_vae mirror_cogvideox mirror_magic_mirror mirror_recognizer nlohmann_json::nlohmann_json)
