#pragma once

// The frozen identity perceiver: a raw recogniser embedding and dense CLIP tokens become K identity tokens. The
// structure is that of PhotoMaker V2's QFormerPerceiver, whose weights it takes.

#include <vector>

#include "engine/identity/magic_mirror/adapter_config.h"
#include "engine/identity/magic_mirror/perceiver_layers.h"

namespace mirror::engine {
class ConfigReader;
}

namespace mirror::engine::magic_mirror {

struct PerceiverIdConfig {
    PerceiverIdShape shape;
    std::int64_t clip_hidden_size = 1024;
};

// The id_perceiver folder's config.json. EngineError names file and key.
PerceiverIdConfig read_perceiver_id_config(const ConfigReader& reader);

struct PerceiverId {
    PerceiverId(const WeightScope& weights, const PerceiverIdConfig& config);

    // face_embedding [N, id_dim] as the recogniser put it out, never normalised; clip_tokens [N, P, w] -> [N, K, c].
    at::Tensor operator()(const at::Tensor& face_embedding, const at::Tensor& clip_tokens) const;

    PerceiverIdShape shape;
    Linear token_fc1;
    Linear token_fc2;
    LayerNorm token_norm;
    Linear proj_in;
    std::vector<PerceiverLayer> layers;
    Linear proj_out;
    LayerNorm norm_out;
};

}  // namespace mirror::engine::magic_mirror
