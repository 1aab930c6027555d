#include "engine/device/cuda_plugin.h"

#include <dlfcn.h>

#include <filesystem>
#include <system_error>

#include "engine/device/device_calls.h"
#include "engine/device/registered_calls.h"

namespace mirror::engine {

namespace {

constexpr const char* kPluginFile = "mirror_cuda.so";

std::filesystem::path plugin_path() {
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    if (error) return {};
    for (const auto& folder : {program.parent_path(), program.parent_path().parent_path() / "lib"}) {
        if (std::filesystem::exists(folder / kPluginFile, error)) return folder / kPluginFile;
    }
    return {};
}

std::string last_dl_error() {
    const char* reason = dlerror();
    return reason != nullptr ? reason : "no reason given";
}

}  // namespace

PluginReport load_cuda_plugin() {
    if (dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL) == nullptr)
        return {PluginState::NoDriver, "No CUDA driver on this machine."};
    const auto path = plugin_path();
    if (path.empty())
        return {PluginState::Failed, "A CUDA driver is here, but mirror_cuda.so is not beside the program."};
    // Global, because libtorch finds its CUDA hooks through symbols of the libraries that the plug-in brings along.
    void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (module == nullptr) return {PluginState::Failed, "The CUDA plug-in did not load: " + last_dl_error()};
    using Entry = const DeviceCalls* (*)();
    const auto entry = reinterpret_cast<Entry>(dlsym(module, kDeviceCallsEntry));
    if (entry == nullptr || entry()->version != kDeviceCallsVersion) {
        return {PluginState::Failed, "The CUDA plug-in " + path.string() + " is of another version."};
    }
    register_device_calls(*entry());
    return {PluginState::Loaded, "CUDA plug-in loaded from " + path.string() + "."};
}

}  // namespace mirror::engine
