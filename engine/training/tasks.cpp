// Which stage a recipe means.

#include "engine/core/result.h"
#include "engine/training/adapter_task.h"
#include "engine/training/base_task.h"
#include "engine/training/identity_tasks.h"
#include "engine/training/judge_task.h"
#include "engine/training/text_task.h"
#include "engine/training/training_task.h"
#include "engine/training/vae_task.h"

namespace mirror::engine::training {

void check_recipe(const Recipe& recipe) {
    switch (recipe.stage) {
        case StageKind::Vae:
            return check_vae_recipe(recipe);
        case StageKind::Recognizer:
        case StageKind::ClipTower:
        case StageKind::IdPerceiver:
            return check_identity_recipe(recipe);
        case StageKind::Text:
            return check_text_recipe(recipe);
        case StageKind::Base:
            return check_base_recipe(recipe);
        case StageKind::Adapter:
            return check_adapter_recipe(recipe);
        case StageKind::Judge:
            return check_judge_recipe(recipe);
    }
}

std::unique_ptr<TrainingTask> make_task(const Recipe& recipe, at::Device device, const TaskPorts& ports) {
    switch (recipe.stage) {
        case StageKind::Vae:
            return make_vae_task(recipe, device);
        case StageKind::Recognizer:
            return make_recognizer_task(recipe, device);
        case StageKind::ClipTower:
            return make_clip_tower_task(recipe, device);
        case StageKind::IdPerceiver:
            return make_id_perceiver_task(recipe, device);
        case StageKind::Text:
            return make_text_task(recipe, device);
        case StageKind::Base:
            return make_base_task(recipe, device, ports);
        case StageKind::Adapter:
            return make_adapter_task(recipe, device, ports);
        case StageKind::Judge:
            return make_judge_task(recipe, device);
    }
    throw EngineError(ErrorCode::Internal, "A recipe has a stage that nothing trains.");
}

}  // namespace mirror::engine::training
