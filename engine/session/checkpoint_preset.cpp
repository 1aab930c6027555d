#include "engine/session/checkpoint_preset.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/core/result.h"
#include "engine/core/utf8.h"

namespace mirror::engine {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kDiffusersVersion = "0.42.1";  // Whose classes the folder is laid out for.
constexpr std::int64_t kMostExtraIds = 100;          // T5's <extra_id_0> to <extra_id_99>.
constexpr std::int64_t kSmallVocabulary = 4096;  // Up to here the vocabulary fills the embedding, without extra ids.

std::string file_text(const Json& json) { return json.dump(2) + "\n"; }

// What all published CogVideoX checkpoints of the 5B family say (their config.json files), under the sizes of the
// preset.
Json with_sizes(Json common, const Json& sizes) {
    common.update(sizes);
    return common;
}

Json transformer_config(const Json& sizes) {
    return with_sizes({{"_class_name", "CogVideoXTransformer3DModel"},
                       {"_diffusers_version", kDiffusersVersion},
                       {"activation_fn", "gelu-approximate"},
                       {"attention_bias", true},
                       {"dropout", 0.0},
                       {"flip_sin_to_cos", true},
                       {"freq_shift", 0},
                       {"norm_elementwise_affine", true},
                       {"norm_eps", 1e-5},
                       {"patch_size", 2},
                       {"spatial_interpolation_scale", 1.875},
                       {"temporal_compression_ratio", 4},
                       {"temporal_interpolation_scale", 1.0},
                       {"timestep_activation_fn", "silu"},
                       {"use_rotary_positional_embeddings", true}},
                      sizes);
}

Json vae_config(const Json& sizes) {
    const auto four = [](const char* kind) { return Json::array({kind, kind, kind, kind}); };
    return with_sizes({{"_class_name", "AutoencoderKLCogVideoX"},
                       {"_diffusers_version", kDiffusersVersion},
                       {"act_fn", "silu"},
                       {"down_block_types", four("CogVideoXDownBlock3D")},
                       {"force_upcast", true},
                       {"in_channels", 3},
                       {"latents_mean", nullptr},
                       {"latents_std", nullptr},
                       {"norm_eps", 1e-6},
                       {"out_channels", 3},
                       {"scaling_factor", 0.7},
                       {"shift_factor", nullptr},
                       {"temporal_compression_ratio", 4},
                       {"up_block_types", four("CogVideoXUpBlock3D")},
                       {"use_post_quant_conv", false},
                       {"use_quant_conv", false}},
                      sizes);
}

Json scheduler_config(const Json& preset) {
    return {{"_class_name", preset.at("scheduler")},
            {"_diffusers_version", kDiffusersVersion},
            {"beta_end", 0.012},
            {"beta_schedule", "scaled_linear"},
            {"beta_start", 0.00085},
            {"clip_sample", false},
            {"clip_sample_range", 1.0},
            {"num_train_timesteps", 1000},
            {"prediction_type", "v_prediction"},
            {"rescale_betas_zero_snr", true},
            {"sample_max_value", 1.0},
            {"set_alpha_to_one", true},
            {"snr_shift_scale", preset.at("snr_shift_scale")},
            {"steps_offset", 0},
            {"timestep_spacing", "trailing"},
            {"trained_betas", nullptr}};
}

Json text_encoder_config(const Json& sizes, const std::string& dtype) {
    return with_sizes({{"architectures", Json::array({"T5EncoderModel"})},
                       {"decoder_start_token_id", 0},
                       {"dense_act_fn", "gelu_new"},
                       {"dropout_rate", 0.1},
                       {"eos_token_id", 1},
                       {"feed_forward_proj", "gated-gelu"},
                       {"is_encoder_decoder", true},
                       {"is_gated_act", true},
                       {"layer_norm_epsilon", 1e-6},
                       {"model_type", "t5"},
                       {"num_decoder_layers", sizes.at("num_layers")},
                       {"pad_token_id", 0},
                       {"relative_attention_max_distance", 128},
                       {"relative_attention_num_buckets", 32},
                       {"tie_word_embeddings", false},
                       {"torch_dtype", dtype},
                       {"use_cache", true}},
                      sizes);
}

Json image_encoder_config(const magic_mirror::ClipVisionShape& shape, const std::string& dtype) {
    return {{"architectures", Json::array({"CLIPVisionModel"})},
            {"attention_dropout", 0.0},
            {"hidden_act", "quick_gelu"},
            {"hidden_size", shape.hidden_size},
            {"image_size", shape.image_size},
            {"intermediate_size", shape.intermediate_size},
            {"layer_norm_eps", 1e-5},
            {"model_type", "clip_vision_model"},
            {"num_attention_heads", shape.num_attention_heads},
            {"num_channels", 3},
            {"num_hidden_layers", shape.num_hidden_layers},
            {"patch_size", shape.patch_size},
            {"torch_dtype", dtype}};
}

Json id_perceiver_config(const magic_mirror::PerceiverIdShape& shape, std::int64_t clip_hidden_size) {
    return {{"clip_hidden_size", clip_hidden_size},
            {"depth", shape.depth},
            {"ff_mult", shape.ff_mult},
            {"head_dim", shape.head_dim},
            {"heads", shape.heads},
            {"id_dim", shape.id_dim},
            {"ratio", shape.ratio},
            {"tokens", shape.tokens},
            {"width", shape.width}};
}

void add_tokenizer_files(std::map<std::string, std::string>& files, std::int64_t vocabulary, std::int64_t max_length) {
    const std::int64_t extra = vocabulary > kSmallVocabulary ? kMostExtraIds : 0;
    Json added = Json::object();
    Json special = Json::array();
    for (std::int64_t n = 0; n < extra; ++n) {
        const std::string piece = "<extra_id_" + std::to_string(n) + ">";
        special.push_back(piece);
        added[piece] = vocabulary - 128 + extra - 1 - n;  // Downwards from the end of the 128 rows that T5 keeps free.
    }
    const Json named = {{"eos_token", "</s>"}, {"pad_token", "<pad>"}, {"unk_token", "<unk>"}};
    files["tokenizer/added_tokens.json"] = file_text(added);
    files["tokenizer/special_tokens_map.json"] = file_text(with_sizes({{"additional_special_tokens", special}}, named));
    files["tokenizer/tokenizer_config.json"] = file_text(with_sizes(
        {{"extra_ids", extra}, {"legacy", true}, {"model_max_length", max_length}, {"tokenizer_class", "T5Tokenizer"}},
        named));
}

std::string names_of_presets() {
    std::string names;
    for (const auto& text : preset_texts()) {
        if (!names.empty()) names += ", ";
        names += text.name;
    }
    return names;
}

}  // namespace

std::string image_encoder_config_json(const magic_mirror::ClipVisionShape& shape, const std::string& dtype) {
    return file_text(image_encoder_config(shape, dtype));
}

std::string id_perceiver_config_json(const magic_mirror::PerceiverIdShape& shape, std::int64_t clip_hidden_size) {
    return file_text(id_perceiver_config(shape, clip_hidden_size));
}

CheckpointPreset CheckpointPreset::find(std::string_view name) {
    const auto& texts = preset_texts();
    const auto text =
        std::find_if(texts.begin(), texts.end(), [&](const PresetText& each) { return each.name == name; });
    if (text == texts.end()) {
        throw EngineError(ErrorCode::InvalidRequest,
                          "There is no preset " + escape_for_message(name) + ": " + names_of_presets() + ".");
    }
    const Json json = Json::parse(text->json);
    CheckpointPreset preset;
    preset.name = text->name;
    preset.precision = json.at("precision") == "bf16" ? Precision::Bf16 : Precision::Fp32;
    // The name of a preset, or all sizes.
    const Json& adapter = json.at("adapter");
    preset.adapter = value_or_throw(adapter.is_string() ? magic_mirror::adapter_preset(adapter.get<std::string>())
                                                        : magic_mirror::parse_adapter_config(adapter.dump()));
    preset.vocabulary = json.at("text_encoder").at("vocab_size").get<std::int64_t>();
    if (json.value("tokenizer", "general") == "people") preset.words_ = VocabularyKind::People;
    preset.scheduler_ = json.at("scheduler").get<std::string>();
    preset.draws_ = json.value("draws", "");
    if (json.contains("sampling")) preset.sampling_ = json.at("sampling").dump();

    const std::string dtype = preset.precision == Precision::Bf16 ? "bfloat16" : "float32";
    auto& files = preset.files;
    files["scheduler/scheduler_config.json"] = file_text(scheduler_config(json));
    files["text_encoder/config.json"] = file_text(text_encoder_config(json.at("text_encoder"), dtype));
    files["transformer/config.json"] = file_text(transformer_config(json.at("transformer")));
    files["vae/config.json"] = file_text(vae_config(json.at("vae")));
    files["image_encoder/config.json"] = image_encoder_config_json(preset.adapter.clip_vision, dtype);
    files["id_perceiver/config.json"] =
        id_perceiver_config_json(preset.adapter.perceiver_id, preset.adapter.clip_vision.hidden_size);
    files["recognizer/config.json"] = file_text(json.at("recognizer"));
    add_tokenizer_files(files, preset.vocabulary, preset.adapter.dit.max_text_seq_length);
    return preset;
}

std::string CheckpointPreset::model_index(std::uint64_t seed) const {
    // Keys with an underscore are metadata to diffusers.
    Json index = {{"_class_name", "CogVideoXPipeline"},
                  {"_diffusers_version", kDiffusersVersion},
                  {"_random_weights", true},
                  {"_preset", name},
                  {"_seed", seed},
                  {"scheduler", Json::array({"diffusers", scheduler_})},
                  {"text_encoder", Json::array({"transformers", "T5EncoderModel"})},
                  {"tokenizer", Json::array({"transformers", "T5Tokenizer"})},
                  {"transformer", Json::array({"diffusers", "CogVideoXTransformer3DModel"})},
                  {"vae", Json::array({"diffusers", "AutoencoderKLCogVideoX"})}};
    if (!draws_.empty()) index["_draws"] = draws_;
    if (!sampling_.empty()) index["_sampling"] = Json::parse(sampling_);
    return file_text(index);
}

}  // namespace mirror::engine
