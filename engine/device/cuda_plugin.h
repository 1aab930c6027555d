#pragma once

// Brings the CUDA half of the engine in at run time: the programs link only libtorch's CPU half. Names no torch type.

#include <string>

namespace mirror::engine {

enum class PluginState { NoDriver, Loaded, Failed };

struct PluginReport {
    PluginState state = PluginState::NoDriver;
    std::string detail;  // One sentence: what was loaded, or why not.
};

// Call at the very start of main, before any other call that reaches libtorch (it asks for its device hooks once).
// Looks for a driver, then for mirror_cuda.so beside the program and in ../lib. Never throws; without a GPU the CPU
// goes on.
PluginReport load_cuda_plugin();

}  // namespace mirror::engine
