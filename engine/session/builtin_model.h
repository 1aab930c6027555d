#pragma once

// The small model that comes with the program ("pocket").

#include <filesystem>
#include <optional>
#include <string_view>

namespace mirror::engine {

inline constexpr std::string_view kBuiltinModel = "pocket";

// Its folder: beside the installed program (../share/magic-mirror/models/pocket), else in the source tree that the
// program was built from. Nothing if neither holds a model.
std::optional<std::filesystem::path> find_builtin_model();

}  // namespace mirror::engine
