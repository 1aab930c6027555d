#pragma once

// The models of a checkpoint folder in the published layout, each opened when it is asked for.

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "engine/backbones/cogvideox/transformer.h"
#include "engine/face/face_recognizer.h"
#include "engine/identity/magic_mirror/clip_vision.h"
#include "engine/identity/magic_mirror/perceiver_id.h"
#include "engine/samplers/schedule.h"
#include "engine/text/t5_encoder.h"
#include "engine/text/tokenizer.h"
#include "engine/vae/cogvideox_vae.h"
#include "engine/weights/weight_source.h"
#include "engine/weights/weight_store.h"

namespace mirror::engine {

// Whether NaN and infinity in a weight are refused by name, or passed on for comparisons.
enum class WeightCheck { None, Finite };

class ModelFolder {
public:
    // Reading weights ends as Cancelled, at the next tensor, once `stop` asks for it.
    ModelFolder(std::filesystem::path folder, Placement placement, WeightCheck check, std::stop_token stop = {})
        : folder_(std::move(folder)), placement_(placement), check_(check), stop_(std::move(stop)) {}

    const std::filesystem::path& path() const { return folder_; }
    const Placement& placement() const { return placement_; }
    const std::stop_token& stop() const { return stop_; }
    bool has(const std::string& part) const;
    // The weights of one part ("transformer") as the files have them, opened for models that hold all layers or not.
    std::shared_ptr<WeightStore> store(const std::string& part, LayersHeld layers = LayersHeld::All) const;

    cogvideox::TransformerConfig transformer_config() const;
    cogvideox::Transformer transformer(LayersHeld layers = LayersHeld::All) const;

    VaeConfig vae_config() const;
    CogVideoXVae vae(VaeParts parts) const;

    T5Config text_encoder_config() const;
    T5Encoder text_encoder(LayersHeld layers = LayersHeld::All) const;
    Tokenizer tokenizer() const;

    ScheduleConfig schedule() const;

    magic_mirror::ClipVisionShape clip_vision_shape() const;
    magic_mirror::ClipVision clip_vision() const;
    magic_mirror::PerceiverIdConfig perceiver_id_config() const;
    magic_mirror::PerceiverId perceiver_id() const;

    RecognizerConfig recognizer_config() const;
    NetworkRecognizer recognizer() const;

private:
    WeightScope weights(const std::string& part, LayersHeld layers = LayersHeld::All) const {
        return {store(part, layers), {placement_.dtype, placement_.device, layers}};
    }
    std::filesystem::path config_file(const std::string& part) const { return folder_ / part / "config.json"; }

    std::filesystem::path folder_;
    Placement placement_;
    WeightCheck check_;
    std::stop_token stop_;
};

// "cpu", "cuda", "cuda:1"; DeviceUnavailable names the device if this machine has none such.
at::Device device_from_text(const std::string& text);
at::ScalarType dtype_of(Precision precision);

// Memory of large tensors goes back to the system when they do, for the rest of the program.
void return_large_blocks();

// Exact arithmetic on every device: no TF32, no reduced-precision sums, no algorithm chosen by timing.
void fix_numerics();

}  // namespace mirror::engine
