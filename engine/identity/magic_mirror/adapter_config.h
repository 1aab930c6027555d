#pragma once

// The configuration that a Magic Mirror adapter file carries in its metadata: sizes of every part, and the switches
// that settle what the paper leaves open. Values only; which tensors follow from it is said by magic_mirror/adapter.h.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/face.h"
#include "engine/core/result.h"

namespace mirror::engine::magic_mirror {

// The base transformer that the adapter was made for.
struct DitShape {
    std::int64_t num_layers = 42;
    std::int64_t num_attention_heads = 48;
    std::int64_t attention_head_dim = 64;
    std::int64_t time_embed_dim = 512;
    std::int64_t text_embed_dim = 4096;
    std::int64_t max_text_seq_length = 226;
    std::int64_t in_channels = 16;
    std::int64_t patch_size = 2;

    std::int64_t width() const { return num_attention_heads * attention_head_dim; }
    friend bool operator==(const DitShape&, const DitShape&) = default;
};

struct ClipVisionShape {
    std::int64_t hidden_size = 1024;
    std::int64_t num_hidden_layers = 24;
    std::int64_t num_attention_heads = 16;
    std::int64_t intermediate_size = 4096;
    std::int64_t image_size = 224;
    std::int64_t patch_size = 14;

    std::int64_t patches_per_side() const { return image_size / patch_size; }
    std::int64_t tokens() const {
        return patches_per_side() * patches_per_side() + 1;
    }  // One more for the class token.
    friend bool operator==(const ClipVisionShape&, const ClipVisionShape&) = default;
};

struct PerceiverIdShape {
    std::int64_t id_dim = 512;
    std::int64_t width = 2048;
    std::int64_t tokens = 2;
    std::int64_t ratio = 4;
    std::int64_t depth = 4;
    std::int64_t heads = 16;
    std::int64_t head_dim = 128;
    std::int64_t ff_mult = 4;

    friend bool operator==(const PerceiverIdShape&, const PerceiverIdShape&) = default;
};

struct PerceiverFaceShape {
    std::int64_t tokens = 32;
    std::int64_t width = 2048;
    std::int64_t depth = 12;
    std::int64_t heads = 16;
    std::int64_t head_dim = 128;
    std::int64_t ff_mult = 4;

    friend bool operator==(const PerceiverFaceShape&, const PerceiverFaceShape&) = default;
};

struct CanShape {
    std::int64_t id_vector_dim = 1024;
    std::int64_t hidden_dim = 512;

    friend bool operator==(const CanShape&, const CanShape&) = default;
};

enum class FaceStream { Persistent, Fresh };
enum class CanMode { Residual, Direct };
enum class CaQuery { PreRope, PostRope };
enum class CaKeyNorm { Base, Own, None };
enum class CaInput { Modulated, Raw };
enum class CaTargets { All, Video };
enum class CaMerge { PreOut, PostOut };
enum class FaceNorm { Shared, Own };
enum class FaceRope { None, LearnedPosition };
enum class FuseOutNorm { None, LayerNormT5Scale, LayerNorm };
enum class AdapterLayers { Even, All };
enum class MultiRefText { Stack, Mean };
enum class MultiRefFace { Concat, Mean };
enum class UnconditionalFace { Drop, Keep };
enum class CaInit { CopyZero, Copy, Xavier };
enum class PerceiverInit { Random, PerceiverId };

// Every switch with its default. The names in files and on the command line are those of the fields, unless said
// otherwise.
struct Switches {
    bool text_fuse = true;
    bool face_in_sa = true;
    bool face_in_ca = true;
    bool can = true;
    bool phi_face = true;
    FaceStream face_stream = FaceStream::Persistent;
    CanMode can_mode = CanMode::Residual;
    CaQuery ca_query = CaQuery::PreRope;
    CaKeyNorm ca_key_norm = CaKeyNorm::Base;
    CaInput ca_input = CaInput::Modulated;
    CaTargets ca_targets = CaTargets::All;
    CaMerge ca_merge = CaMerge::PreOut;
    std::int64_t phi_face_hidden = 0;
    FaceNorm face_ln = FaceNorm::Shared;
    FaceRope face_rope = FaceRope::None;
    FuseOutNorm fuse_out_norm = FuseOutNorm::None;
    AdapterLayers adapter_layers = AdapterLayers::Even;
    MultiRefText multi_ref_text = MultiRefText::Stack;
    MultiRefFace multi_ref_face = MultiRefFace::Concat;
    std::int64_t id_vit_layer = -1;  // -1 is the tower's last layer, -2 the one before.
    std::int64_t face_vit_layer = -2;
    double face_scale = 1.0;
    double can_scale = 1.0;
    double sa_scale = 1.0;
    UnconditionalFace cfg_uncond_face = UnconditionalFace::Drop;
    std::int64_t start_merge_step = 0;
    std::string trigger_word = "img";
    ReferenceCrop ref_crop = ReferenceCrop::SquareFace;
    double ref_crop_expand = 2.0;
    CaInit ca_init = CaInit::CopyZero;
    PerceiverInit tau_face_init = PerceiverInit::Random;

    friend bool operator==(const Switches&, const Switches&) = default;
};

struct AdapterConfig {
    DitShape dit;
    ClipVisionShape clip_vision;
    PerceiverIdShape perceiver_id;
    PerceiverFaceShape perceiver_face;
    CanShape can;
    Switches switches;

    // Real indices of the adapted blocks, ascending.
    std::vector<std::int64_t> adapted_layers() const;
    bool is_adapted(std::int64_t layer) const;
    friend bool operator==(const AdapterConfig&, const AdapterConfig&) = default;
};

// The whole check of the metadata field `config`. The error names the key (`perceiver_face.depth`) or the switch.
Result<AdapterConfig> parse_adapter_config(const std::string& json);

// One object, keys sorted, no white space; a switch that has its default is left out.
std::string to_json(const AdapterConfig& config);

// One `--set NAME=VALUE`. Errors name the switch.
Status set_switch(Switches& switches, const std::string& name, const std::string& value);

using SwitchOverrides = std::vector<std::pair<std::string, std::string>>;

// Splits NAME=VALUE; the value may hold further '='.
Result<std::pair<std::string, std::string>> parse_override(const std::string& text);

// All overrides, then the rules between switches.
Status apply_overrides(Switches& switches, const SwitchOverrides& overrides);

// Combinations that are refused: phi_face=off with face_in_sa=on.
Status check_switches(const Switches& switches);

// `paper`, `lite`, `demo`, `tiny`; InvalidRequest names another.
Result<AdapterConfig> adapter_preset(std::string_view name);

// The metadata field `arch` of a configuration: the base model's name where the sizes are those of a preset.
std::string arch_of(const AdapterConfig& config);

// The metadata fields that repeat switches.
std::string clip_layers_of(const Switches& switches);
std::string ref_crop_of(const Switches& switches);

}  // namespace mirror::engine::magic_mirror
