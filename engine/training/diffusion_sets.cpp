#include "engine/training/diffusion_sets.h"

#include <utility>

#include "engine/core/result.h"
#include "engine/training/drawn_diffusion_data.h"
#include "engine/training/material_options.h"
#include "engine/training/own_diffusion_data.h"
#include "engine/training/trainer.h"

namespace mirror::engine::training {

namespace {

DiffusionSets drawn_sets(const DrawnOptions& options, const Recipe& recipe, const LatentSource& latents,
                         const ReferenceEncoder* encoder, std::int64_t variants) {
    DiffusionSets sets;
    sets.width = options.width;
    sets.height = options.height;
    sets.frames = options.frames;
    sets.still_share = options.still_share;
    if (encoder != nullptr)
        sets.references =
            std::make_shared<ReferenceCache>(*encoder, options.height, ReferenceChanges::for_adapter(), recipe.seed);
    const auto part = [&](people::Split split) {
        return std::make_unique<DrawnDiffusionData>(latents, options, split, recipe.seed, sets.references.get(),
                                                    variants);
    };
    sets.train = part(people::Split::Train);
    sets.held_out = part(people::Split::Validation);
    return sets;
}

// Sizes of the user's own data, filled with drawn people: for trying how long a step takes.
DrawnOptions like(const MaterialOptions& material, std::int64_t batch) {
    DrawnOptions options;
    options.width = options.scenes.width = material.width;
    options.height = options.scenes.height = material.height;
    options.frames = material.frames;
    options.still_share = material.still_share;
    options.items = batch;
    return options;
}

DiffusionSets own_sets(const MaterialOptions& options, const Recipe& recipe, const LatentSource& latents,
                       const ReferenceEncoder* encoder, const std::string& trigger, const TaskPorts& ports) {
    MaterialSources sources;
    sources.reader = ports.reader;
    sources.latents = &latents;
    sources.encoder = encoder;
    sources.trigger = trigger;
    sources.run_folder = run_folder(recipe);
    sources.notice = ports.notice;
    sources.stop = ports.stop;
    sources.time_is_over = ports.time_is_over;
    const auto set = std::make_shared<const MaterialSet>(prepare_material(options, sources));
    DiffusionSets sets;
    sets.width = options.width;
    sets.height = options.height;
    sets.frames = options.frames;
    sets.still_share = options.still_share;
    sets.train = std::make_unique<OwnDiffusionData>(set, Part::Train, options.held_out, recipe.seed, trigger);
    sets.held_out = std::make_unique<OwnDiffusionData>(set, Part::HeldOut, options.held_out, recipe.seed, trigger);
    const bool has_all = sets.train->items(true) > 0 && (options.frames == 1 || sets.train->items(false) > 0);
    if (!has_all)
        throw EngineError(ErrorCode::InvalidRequest,
                          "The folder of the recipe's data.folder has no " +
                              std::string(sets.train->items(true) > 0 ? "usable video to train clips on."
                                                                      : "usable file that is not held out."));
    return sets;
}

}  // namespace

void check_diffusion_data(const ConfigReader& data) {
    if (MaterialOptions::is_meant(data))
        MaterialOptions::read(data);
    else
        DrawnOptions::read_counted(data);
}

DiffusionSets open_diffusion_sets(const Recipe& recipe, const LatentSource& latents, const ReferenceEncoder* encoder,
                                  std::int64_t variants, const std::string& trigger, const TaskPorts& ports) {
    const ConfigReader file = recipe.file.object("data");
    if (!MaterialOptions::is_meant(file))
        return drawn_sets(DrawnOptions::read_counted(file), recipe, latents, encoder, variants);
    const MaterialOptions options = MaterialOptions::read(file);
    if (recipe.random_weights) return drawn_sets(like(options, recipe.batch), recipe, latents, encoder, variants);
    return own_sets(options, recipe, latents, encoder, trigger, ports);
}

}  // namespace mirror::engine::training
