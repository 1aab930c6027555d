#include "engine/session/model_folder.h"

#include <malloc.h>

#include <system_error>

#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/weights/config_reader.h"

namespace mirror::engine {

namespace {

constexpr const char* kDiffusersStem = "diffusion_pytorch_model";
constexpr const char* kTransformersStem = "model";

}  // namespace

bool ModelFolder::has(const std::string& part) const {
    std::error_code error;
    return std::filesystem::is_directory(folder_ / part, error);
}

std::shared_ptr<WeightStore> ModelFolder::store(const std::string& part, LayersHeld layers) const {
    const bool diffusers = part == "transformer" || part == "vae";
    WeightStoreOptions options;
    options.finite = check_ == WeightCheck::Finite;
    options.stop = stop_;
    options.bring_in = layers != LayersHeld::All;
    if (part == "image_encoder") {
        options.optional_prefix = "vision_model.";
        options.ignored = {"visual_projection.*", "*.position_ids"};
    }
    return WeightStore::open(folder_ / part, diffusers ? kDiffusersStem : kTransformersStem, options);
}

cogvideox::TransformerConfig ModelFolder::transformer_config() const {
    return cogvideox::read_transformer_config(config_file("transformer"));
}

cogvideox::Transformer ModelFolder::transformer(LayersHeld layers) const {
    return {weights("transformer", layers), transformer_config()};
}

VaeConfig ModelFolder::vae_config() const { return VaeConfig::read(ConfigReader::open(config_file("vae"))); }

CogVideoXVae ModelFolder::vae(VaeParts parts) const { return {weights("vae"), vae_config(), parts}; }

T5Config ModelFolder::text_encoder_config() const {
    return T5Config::read(ConfigReader::open(config_file("text_encoder")));
}

T5Encoder ModelFolder::text_encoder(LayersHeld layers) const {
    return {weights("text_encoder", layers), text_encoder_config()};
}

Tokenizer ModelFolder::tokenizer() const {
    std::error_code error;
    const bool sized = std::filesystem::exists(config_file("text_encoder"), error);
    const std::int64_t rows = sized ? text_encoder_config().vocab_size : 0;
    return value_or_throw(Tokenizer::open(folder_ / "tokenizer" / "spiece.model", rows));
}

ScheduleConfig ModelFolder::schedule() const {
    return read_schedule_config(folder_ / "scheduler" / "scheduler_config.json");
}

magic_mirror::ClipVisionShape ModelFolder::clip_vision_shape() const {
    return magic_mirror::read_clip_vision_config(ConfigReader::open(config_file("image_encoder")));
}

magic_mirror::ClipVision ModelFolder::clip_vision() const { return {weights("image_encoder"), clip_vision_shape()}; }

magic_mirror::PerceiverIdConfig ModelFolder::perceiver_id_config() const {
    return magic_mirror::read_perceiver_id_config(ConfigReader::open(config_file("id_perceiver")));
}

magic_mirror::PerceiverId ModelFolder::perceiver_id() const { return {weights("id_perceiver"), perceiver_id_config()}; }

RecognizerConfig ModelFolder::recognizer_config() const { return read_recognizer_config(config_file("recognizer")); }

NetworkRecognizer ModelFolder::recognizer() const { return {weights("recognizer"), recognizer_config()}; }

at::Device device_from_text(const std::string& text) {
    const at::Device device(text);
    if (device.is_cpu()) return device;
    const auto count = at::hasCUDA() ? static_cast<int>(at::detail::getCUDAHooks().deviceCount()) : 0;
    if (!device.is_cuda() || std::max<int>(device.index(), 0) >= count)
        throw EngineError(ErrorCode::DeviceUnavailable, "the device '" + escape_for_message(text) + "' is not there");
    return device.has_index() ? device : at::Device(at::kCUDA, 0);
}

at::ScalarType dtype_of(Precision precision) { return precision == Precision::Bf16 ? at::kBFloat16 : at::kFloat; }

void return_large_blocks() {
    // glibc would raise its limit to 32 MiB, keep tensors of that size in its heap, and leave holes between them that
    // no prediction knows of.
    constexpr int kLargestInHeap = 4 << 20;
    mallopt(M_MMAP_THRESHOLD, kLargestInHeap);
}

void fix_numerics() {
    auto& context = at::globalContext();
    context.setAllowTF32CuBLAS(false);
    context.setAllowTF32CuDNN(false);
    context.setBenchmarkCuDNN(false);
    context.setDeterministicCuDNN(true);
}

}  // namespace mirror::engine
