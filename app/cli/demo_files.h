#pragma once

// Where the demo's pictures and its project are: installed beside the program, or in the source tree.

#include <filesystem>
#include <string>
#include <vector>

namespace mirror::cli {

// `name` below resources, such as "examples/drawn-mara.png". EngineError (MissingFile).
std::filesystem::path demo_file(const std::string& name);

// The drawn people that come with the program: drawn-NAME.png.
const std::vector<std::string>& drawn_examples();

}  // namespace mirror::cli
