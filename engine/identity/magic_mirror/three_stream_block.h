#pragma once

// One adapted block: text, face and video through the frozen attention and feed-forward of the base block, with the
// decoupled cross-attention to the face. Which rows meet in one matrix product follows from the switches: a term of
// strength 0 leaves the text and video rows to exactly the base model's arithmetic.

#include <ATen/ATen.h>

#include "engine/backbones/block_hook.h"
#include "engine/backbones/cogvideox/block.h"
#include "engine/identity/magic_mirror/adapter.h"

namespace mirror::engine::magic_mirror {

// The scales of the three terms; 0 leaves a term out rather than multiply by it.
struct Strength {
    double face = 1.0;  // s_ca
    double can = 1.0;   // s_can
    double sa = 1.0;    // s_sa

    static Strength of(const Switches& switches) {
        return {switches.face_scale, switches.can_scale, switches.sa_scale};
    }
    static Strength all(double value) { return {value, value, value}; }
};

// What is on after switches and strengths are taken together.
struct ActiveTerms {
    ActiveTerms(const Switches& switches, const Strength& strength);

    bool any() const { return conditioned_norm || cross_attention || face_keys; }

    bool conditioned_norm;
    bool cross_attention;
    bool face_keys;    // Text and video rows see face keys.
    bool face_stream;  // Face rows pass through attention and feed-forward.
};

class ThreeStreamBlock {
public:
    // References outlive the call. face_tokens as the face perceiver delivered them; id_vector may be undefined with
    // can=off.
    ThreeStreamBlock(const AdapterConfig& config, const Strength& strength, const AdaptedBlock& adapted,
                     const cogvideox::Block& block)
        : switches_(config.switches),
          strength_(strength),
          terms_(config.switches, strength),
          adapted_(adapted),
          block_(block) {}

    // Changes text and video of the state, and `face` [B, face rows, d] where there is a face stream.
    void run(ForwardState& state, at::Tensor& face, const at::Tensor& face_tokens, const at::Tensor& id_vector) const;

private:
    // Rows of the three streams; face undefined where its rows take no part.
    struct Streams {
        at::Tensor text;
        at::Tensor face;
        at::Tensor video;
    };
    struct CrossKeys {
        at::Tensor key;  // [B, heads, face rows, head_dim]; undefined without cross-attention
        at::Tensor value;
    };

    at::Tensor modulate_face(const at::Tensor& face, const at::Tensor& factors, int which) const;
    CrossKeys cross_keys(const at::Tensor& face_rows) const;
    Streams attend(const Streams& rows, const RotaryTable& rotary, const CrossKeys& cross) const;
    at::Tensor attend_apart(const at::Tensor& face_rows, const cogvideox::Heads& others, const CrossKeys& cross) const;
    at::Tensor project(const at::Tensor& attended, const at::Tensor& query, const CrossKeys& cross,
                       std::int64_t first_row) const;
    Streams feed_forward(const Streams& rows) const;
    at::Tensor key_bias(std::int64_t rows, std::int64_t first_face, std::int64_t face_rows,
                        const at::Tensor& like) const;

    const Switches& switches_;
    Strength strength_;
    ActiveTerms terms_;
    const AdaptedBlock& adapted_;
    const cogvideox::Block& block_;
};

}  // namespace mirror::engine::magic_mirror
