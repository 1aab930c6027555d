#pragma once

#include <string>
#include <vector>

namespace mirror::cli {

// Parses the arguments (without the program's name), runs the command, and answers the exit code.
int run_program(const std::vector<std::string>& arguments);

}  // namespace mirror::cli
