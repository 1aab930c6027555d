#pragma once

// The training and the held-out data of a diffusion stage, as the recipe's part "data" asks for them: with "folder" the
// user's own, else drawn people.

#include <cstdint>
#include <memory>
#include <string>

#include "engine/training/diffusion_data.h"
#include "engine/training/reference_cache.h"
#include "engine/training/training_task.h"

namespace mirror::engine::training {

struct DiffusionSets {
    int width = 0, height = 0, frames = 1;
    double still_share = 0;                      // Of the batches.
    std::shared_ptr<ReferenceCache> references;  // Of drawn people; null for others.
    std::unique_ptr<DiffusionData> train, held_out;

    // Whether the batch has one frame a sample, from a random number between 0 and 1.
    bool is_still(double chance) const { return frames == 1 || chance < still_share; }
};

// EngineError where the recipe's part "data" is wrong; reads no other file.
void check_diffusion_data(const ConfigReader& data);

// `encoder` is null for a stage without references; it and the latent source outlive the result. `variants`: portraits
// of each drawn person. EngineError as prepare_material().
DiffusionSets open_diffusion_sets(const Recipe& recipe, const LatentSource& latents, const ReferenceEncoder* encoder,
                                  std::int64_t variants, const std::string& trigger, const TaskPorts& ports);

}  // namespace mirror::engine::training
