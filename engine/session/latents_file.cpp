#include "engine/session/latents_file.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "engine/core/durable_replace.h"
#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/formats/safetensors.h"
#include "engine/weights/tensor_file.h"

namespace mirror::engine {

namespace {

constexpr const char* kRecipeKey = "magic_mirror_recipe";
constexpr std::size_t kKeptFiles = 200;  // Of a few megabytes each.

std::filesystem::path cache_folder() {
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/')
        return std::filesystem::path(cache) / "magic-mirror" / "latents";
    if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
        return std::filesystem::path(home) / ".cache" / "magic-mirror" / "latents";
    return std::filesystem::temp_directory_path() / "magic-mirror" / "latents";
}

void remove_oldest(const std::filesystem::path& folder) {
    std::error_code error;
    std::vector<std::filesystem::path> files;
    std::filesystem::directory_iterator entry(folder, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (name.starts_with("clip-") && name.ends_with(".safetensors")) files.push_back(entry->path());
    }
    std::sort(files.begin(), files.end());  // The names begin with the time.
    for (std::size_t i = 0; i + kKeptFiles < files.size(); ++i) std::filesystem::remove(files[i], error);
}

}  // namespace

void check_finite(const at::Tensor& tensor, const std::string& name) {
    if (!at::isfinite(tensor).all().item<bool>())
        throw EngineError(ErrorCode::Internal, "the tensor '" + name + "' holds NaN or infinity");
}

void save_latents(const std::filesystem::path& file, const at::Tensor& latents, const std::string& recipe) {
    save_tensors(file, {{"latents", latents.to(at::kCPU, at::kFloat).contiguous()}}, {{kRecipeKey, recipe}});
}

SavedLatents load_latents(const std::filesystem::path& file) {
    const TensorFile loaded = load_tensor_file(file);
    const auto found = loaded.tensors.find("latents");
    const std::string where = " in '" + escape_for_message(file) + "'";
    if (found == loaded.tensors.end())
        throw EngineError(ErrorCode::MissingTensor, "there is no tensor 'latents'" + where);
    const at::Tensor& latents = found->second;
    if (latents.dim() != 5 || latents.size(0) != 1 || latents.numel() == 0)
        throw EngineError(ErrorCode::ShapeMismatch, "the tensor 'latents'" + where + " has the shape " +
                                                        formats::shape_text(latents.sizes()) +
                                                        " instead of [1, C, F, H, W]");
    if (!latents.is_floating_point())
        throw EngineError(ErrorCode::MalformedFile,
                          "the tensor 'latents'" + where + " holds no floating-point numbers");
    check_finite(latents, "latents");
    const auto recipe = loaded.metadata.find(kRecipeKey);
    return {latents.to(at::kFloat), recipe == loaded.metadata.end() ? "" : recipe->second};
}

std::filesystem::path new_latents_file() {
    const auto folder = cache_folder();
    value_or_throw(make_folders(folder));
    remove_oldest(folder);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto ticks = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    return folder / ("clip-" + std::to_string(ticks) + "-" + std::to_string(::getpid()) + ".safetensors");
}

}  // namespace mirror::engine
