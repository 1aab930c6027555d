#include "engine/session/memory_estimate.h"

#include <ATen/DeviceAccelerator.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <limits>
#include <sstream>

#include "engine/backbones/cogvideox/pipeline.h"
#include "engine/core/result.h"
#include "engine/formats/safetensors.h"

namespace mirror::engine {

namespace {

constexpr std::uint64_t kProgramBytes = 200u << 20;
constexpr std::uint64_t kBlockTensors = 16;  // Live at once in a transformer block: streams, projections, feed-forward.
constexpr std::uint64_t kDecoderTensors = 6;  // Live at once in the last level of the decoder.
constexpr std::uint64_t kChunkFrames = 9;     // The longest chunk that the decoder makes.
constexpr double kGiB = 1073741824.0;

std::uint64_t weight_bytes(const WeightStore& store, at::ScalarType dtype) {
    std::uint64_t bytes = 0;
    for (const std::string& name : store.names()) {
        const formats::TensorEntry* entry = store.entry(name);
        bytes += formats::element_count(entry->shape).value_or(0) * c10::elementSize(dtype);
    }
    return bytes;
}

std::uint64_t part_bytes(const ModelFolder& folder, const std::string& part) {
    return folder.has(part) ? weight_bytes(*folder.store(part), folder.placement().dtype) : 0;
}

// Of a file that holds one number, or "max".
std::uint64_t number_in(const std::string& file) {
    std::ifstream stream(file);
    std::uint64_t value = 0;
    return stream >> value ? value : std::numeric_limits<std::uint64_t>::max();
}

std::uint64_t group_memory() {
    constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();
    const std::uint64_t limit = number_in("/sys/fs/cgroup/memory.max");
    const std::uint64_t used = number_in("/sys/fs/cgroup/memory.current");
    if (limit == kUnlimited || used == kUnlimited) return kUnlimited;
    // Cached files count as used though they give way; they are what can be taken back.
    std::ifstream stream("/sys/fs/cgroup/memory.stat");
    std::string key;
    std::uint64_t value = 0, cached = 0;
    while (stream >> key >> value)
        if (key == "inactive_file" || key == "active_file") cached += value;
    const std::uint64_t held = used > cached ? used - cached : 0;
    return limit > held ? limit - held : 0;
}

std::uint64_t machine_memory() {
    std::ifstream stream("/proc/meminfo");
    std::string line;
    while (std::getline(stream, line)) {
        std::istringstream words(line);
        std::string key;
        std::uint64_t kilobytes = 0;
        if (words >> key >> kilobytes && key == "MemAvailable:") return kilobytes * 1024;
    }
    return std::numeric_limits<std::uint64_t>::max();
}

std::string in_gib(std::uint64_t bytes) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2f GiB", static_cast<double>(bytes) / kGiB);
    return text.data();
}

std::uint64_t denoising_streams(const ModelFolder& folder, const GenerationRequest& request) {
    const auto config = folder.transformer_config();
    const std::uint64_t rows = request.sampling.guidance > 1 ? 2 : 1;
    const auto shape = cogvideox::latent_shape(request.video.frames, request.video.height, request.video.width, config);
    const std::uint64_t patch =
        static_cast<std::uint64_t>(config.patch_size * config.patch_size * config.patch_size_t.value_or(1));
    const std::uint64_t cells = static_cast<std::uint64_t>(shape[1] * shape[3] * shape[4]) / patch;
    const std::uint64_t tokens = cells + static_cast<std::uint64_t>(config.max_text_seq_length);
    const std::uint64_t width = static_cast<std::uint64_t>(config.inner_dim());
    return rows * tokens * width * kBlockTensors * c10::elementSize(folder.placement().dtype);
}

}  // namespace

std::uint64_t MemoryEstimate::peak() const { return std::max({text_encoder, features, denoising, decoding}); }

std::uint64_t estimate_decoding(const ModelFolder& folder, std::int64_t height, std::int64_t width) {
    const VaeConfig config = folder.vae_config();
    const std::uint64_t values = kChunkFrames * static_cast<std::uint64_t>(height * width) *
                                 static_cast<std::uint64_t>(config.block_out_channels.front()) * kDecoderTensors;
    return kProgramBytes + part_bytes(folder, "vae") + values * c10::elementSize(folder.placement().dtype);
}

MemoryEstimate estimate_memory(const ModelFolder& folder, const GenerationRequest& request,
                               const std::filesystem::path& adapter) {
    MemoryEstimate estimate;
    estimate.text_encoder = kProgramBytes + part_bytes(folder, "text_encoder");
    estimate.denoising = kProgramBytes + part_bytes(folder, "transformer") + denoising_streams(folder, request);
    estimate.decoding = estimate_decoding(folder, request.video.height, request.video.width);
    if (request.method == Method::None) return estimate;
    estimate.features = kProgramBytes + part_bytes(folder, "image_encoder") + part_bytes(folder, "id_perceiver") +
                        part_bytes(folder, "recognizer");
    const std::uint64_t adapter_bytes = weight_bytes(*WeightStore::open(adapter), folder.placement().dtype);
    estimate.features += adapter_bytes;
    estimate.denoising += adapter_bytes;
    return estimate;
}

std::uint64_t available_memory(at::Device device, std::uint64_t budget) {
    const std::uint64_t limit = budget == 0 ? std::numeric_limits<std::uint64_t>::max() : budget;
    if (!device.is_cpu()) return std::min<std::uint64_t>(limit, at::accelerator::getMemoryInfo(device.index()).first);
    return std::min({limit, machine_memory(), group_memory()});
}

void require_memory(std::uint64_t needed, at::Device device, std::uint64_t budget) {
    const std::uint64_t available = available_memory(device, budget);
    if (needed <= available) return;
    throw EngineError(ErrorCode::OutOfMemory, "this needs about " + in_gib(needed) + " of memory and there are " +
                                                  in_gib(available) +
                                                  ": choose a smaller --size, fewer --frames or --precision bf16");
}

}  // namespace mirror::engine
