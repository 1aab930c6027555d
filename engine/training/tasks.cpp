// Which stage a recipe means.

#include "engine/core/result.h"
#include "engine/training/training_task.h"
#include "engine/training/vae_task.h"

namespace mirror::engine::training {

std::unique_ptr<TrainingTask> make_task(const Recipe& recipe, at::Device device) {
    switch (recipe.stage) {
        case StageKind::Vae:
            return make_vae_task(recipe, device);
        default:
            throw EngineError(ErrorCode::InvalidRequest, "The stage " + recipe.stage_name + " cannot be trained yet.");
    }
}

}  // namespace mirror::engine::training
