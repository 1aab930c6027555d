#include "engine/training/adapter_start.h"

#include <string>

#include "engine/core/result.h"
#include "engine/training/first_weights.h"

namespace mirror::engine::training {

namespace {

namespace mm = magic_mirror;

// "blocks.4.attn_ca.to_k.weight" -> 4; -1 where the name is none of a block's cross-attention.
std::int64_t block_of_cross_attention(const std::string& name) {
    static const std::string prefix = "blocks.";
    if (!name.starts_with(prefix) || name.find(".attn_ca.to_") == std::string::npos) return -1;
    return std::stoll(name.substr(prefix.size()));
}

}  // namespace

Initializer adapter_start(const mm::AdapterConfig& config, const cogvideox::Transformer& base, std::uint64_t seed) {
    if (config.switches.tau_face_init != mm::PerceiverInit::Random)
        throw EngineError(ErrorCode::InvalidRequest,
                          "The trainer starts the face perceiver at random only; set the "
                          "switch tau_face_init to random.");
    const Initializer general =
        general_start(seed, {"mod_cond.fc2", "mod_face.linear", "fuse.mlp1.fc2", "fuse.mlp2.fc2"});
    return [general, how = config.switches.ca_init, &base](const std::string& name, at::IntArrayRef shape) {
        const std::int64_t index = block_of_cross_attention(name);
        if (index < 0 || how == mm::CaInit::Xavier) return general(name, shape);
        const bool is_key = name.find(".to_k.") != std::string::npos;
        if (!is_key && how == mm::CaInit::CopyZero) return at::zeros(shape);
        const cogvideox::Block& block = base.blocks()[static_cast<std::size_t>(index)];
        const Linear& source = is_key ? block.to_k : block.to_v;
        return (name.ends_with("weight") ? source.weight : source.bias).to(at::kCPU, at::kFloat);
    };
}

}  // namespace mirror::engine::training
