#pragma once

// From latents to small pictures, by one linear map for each latent cell: good enough to see a clip form, and nearly
// free.
//
// Published factor tables exist for other models, not for this VAE; so the map is fitted to the loaded VAE itself:
// least squares from the encoder's means of a fixed chart of colours to the mean colour of each cell.

#include <ATen/ATen.h>

#include <vector>

#include "engine/core/frame.h"
#include "engine/vae/cogvideox_vae.h"

namespace mirror::engine {

class LatentColours {
public:
    // Encodes one small picture; deterministic.
    LatentColours(const CogVideoXVae& vae, const Placement& placement);

    // latents [1, C, F, h, w] as the decoder takes them -> F pictures of w x h.
    std::vector<Frame> operator()(const at::Tensor& latents) const;

private:
    at::Tensor factors_;  // [C + 1, 3], float32 on the CPU; the last row is the constant
};

// [3, H, W] in -1..1 -> packed 8-bit, rounded half to even.
Frame frame_from_samples(const at::Tensor& samples);

}  // namespace mirror::engine
